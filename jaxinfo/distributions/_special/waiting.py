"""Entropy, cross-entropy and divergence of geometric distributions: waiting for the first success."""

from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo._numerics import linear, log1p, log_ratio, quotient
from jaxinfo.distributions._special.coin import coin_cross_entropy, relative_term, weighted_surprisal
from jaxinfo.distributions._special.counts import deviance_slope, excess


def geometric_entropy(p: jax.Array) -> jax.Array:
    """`-log p - (1 - p) log(1 - p) / p`, two terms that are at least 0."""
    return _geometric_entropy(p)


@jax.custom_jvp
def _geometric_entropy(p: jax.Array) -> jax.Array:
    sure = p == 1
    inside = jnp.where(sure, jnp.full_like(p, 0.5), p)
    # The negative zero of -log 1 is not wanted.
    waiting = -(1 - inside) * log1p(-inside) / inside - jnp.log(inside)
    return jnp.where(sure, jnp.zeros_like(p), jnp.where(p == 0, jnp.full_like(p, jnp.inf), waiting))


@_geometric_entropy.defjvp
def _geometric_entropy_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (p,), (dp,) = primals, tangents
    sure, never = p == 1, p == 0
    inside = jnp.where(sure | never, jnp.full_like(p, 0.5), p)
    slope = log1p(-inside) / inside / inside
    slope = jnp.where(sure, jnp.zeros_like(p), jnp.where(never, jnp.full_like(p, -jnp.inf), slope))
    return _geometric_entropy(p), linear(p, (dp, lambda: slope))


@jax.custom_jvp
def geometric_divergence(p: jax.Array, q: jax.Array) -> jax.Array:
    """`log(p/q) + (1-p)/p log((1-p)/(1-q))`: that of two coins, for every toss of the `1/p` expected."""
    difference = p - q
    return (relative_term(p, q, difference) + relative_term(1 - p, 1 - q, -difference)) / p


@geometric_divergence.defjvp
def _geometric_divergence_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (p, q), (dp, dq) = primals, tangents
    difference = p - q

    def in_p() -> jax.Array:
        # What the logarithm of p contributes cancels: -log((1-p)/(1-q)) / p^2.
        return -quotient(quotient(log_ratio(1 - p, 1 - q, -difference), p), p)

    slopes = (dp, in_p), (dq, lambda: quotient(deviance_slope(p, 1 - p, q, difference), p))
    return geometric_divergence(p, q), linear(p, *slopes)


@jax.custom_jvp
def geometric_cross_entropy(p: jax.Array, q: jax.Array) -> jax.Array:
    """`-log q - (1-p)/p log(1-q)`: that of two coins, for every toss of the `1/p` expected."""
    return coin_cross_entropy(p, 1 - p, q, 1 - q) / p


@geometric_cross_entropy.defjvp
def _geometric_cross_entropy_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (p, q), (dp, dq) = primals, tangents

    def in_p() -> jax.Array:
        surely = (p == 1) & (q == 1)
        failure = weighted_surprisal(jnp.ones_like(q), jnp.where(surely, jnp.ones_like(q), 1 - q), q)
        return jnp.where(surely, jnp.zeros_like(q), -quotient(quotient(failure, p), p))

    slopes = (dp, in_p), (dq, lambda: quotient(deviance_slope(p, 1 - p, q, p - q), p))
    return geometric_cross_entropy(p, q), linear(p, *slopes)


@jax.custom_jvp
def mean_cross_entropy(mean: jax.Array, q: jax.Array) -> jax.Array:
    """`-log q - mean log(1 - q)`, of anything on the counts that has this mean."""
    return weighted_surprisal(jnp.ones_like(q), q, 1 - q) + weighted_surprisal(mean, 1 - q, q)


@mean_cross_entropy.defjvp
def _mean_cross_entropy_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (mean, q), (d_mean, dq) = primals, tangents
    one = jnp.ones_like(q)

    def in_mean() -> jax.Array:
        never = (mean == 0) & (q == 1)
        return jnp.where(never, jnp.zeros_like(q), weighted_surprisal(one, jnp.where(never, one, 1 - q), q))

    slopes = (d_mean, in_mean), (dq, lambda: deviance_slope(one, mean, q, excess(one, mean, q)))
    return mean_cross_entropy(mean, q), linear(q, *slopes)
