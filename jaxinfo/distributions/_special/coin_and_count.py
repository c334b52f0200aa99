"""Divergences of a coin from a count: the coin against the odds of 1 to 0, and what is spent on all other counts."""

from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo._numerics import linear, quotient
from jaxinfo.distributions._special.coin import coin_divergence, coin_slope_in_p, log_remainder, relative_term
from jaxinfo.distributions._special.counts import deviance_slope, excess


def _binomial_odds(n: jax.Array, q: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The probabilities of 1 and 0, given that it is one of them: `n q : 1 - q`."""
    none = n == 0
    q = jnp.where(none, jnp.zeros_like(q), q)
    whole = 1 + jnp.where(none, jnp.zeros_like(n), n - 1) * q
    return n * q / whole, (1 - q) / whole


@jax.custom_jvp
def coin_to_binomial(p: jax.Array, not_p: jax.Array, n: jax.Array, q: jax.Array) -> jax.Array:
    """KL of a coin from a binomial, which is 0 or 1 with the probability `(1-q)^m (1 + m q)`, m = n - 1."""
    more = jnp.where(n == 0, jnp.zeros_like(n), n - 1)
    alone = more == 0
    held = jnp.where(alone, jnp.zeros_like(q), q)
    elsewhere = more * log_remainder(-held) + log_remainder(more * held)
    return coin_divergence(p, not_p, *_binomial_odds(n, q)) + elsewhere


@coin_to_binomial.defjvp
def _coin_to_binomial_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (p, not_p, n, q), (dp, _, _, dq) = primals, tangents  # the number of trials has no derivative

    def in_q() -> jax.Array:
        failures = jnp.where(n == 0, jnp.zeros_like(n), (n - 1) + not_p)
        return jnp.where(n == 0, jnp.zeros_like(q), deviance_slope(p, failures, q, excess(p, failures, q)))

    slopes = (dp, lambda: coin_slope_in_p(p, not_p, *_binomial_odds(n, q))), (dq, in_q)
    return coin_to_binomial(*primals), linear(p, *slopes)


@jax.custom_jvp
def coin_to_waiting(p: jax.Array, not_p: jax.Array, r: jax.Array, q: jax.Array) -> jax.Array:
    """KL of a coin from a negative binomial, which is 0 or 1 with the probability `q^r (1 + r (1 - q))`."""
    one = r * (1 - q)
    surprise = relative_term(jnp.ones_like(q), q, 1 - q)
    none = r == 0
    elsewhere = jnp.where(none, jnp.zeros_like(q), r * jnp.where(none, jnp.zeros_like(q), surprise))
    return coin_divergence(p, not_p, *_waiting_odds(r, q)) + (elsewhere + log_remainder(one))


def _waiting_odds(r: jax.Array, q: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The probabilities of 1 and 0, given that it is one of them: `r (1-q) : 1`."""
    one = r * (1 - q)
    return one / (1 + one), 1 / (1 + one)


@coin_to_waiting.defjvp
def _coin_to_waiting_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (p, not_p, r, q), (dp, _, dr, dq) = primals, tangents

    def in_r() -> jax.Array:
        at_zero = jnp.where(p == 0, jnp.zeros_like(p), jnp.full_like(p, jnp.inf))
        return -jnp.log(q) - jnp.where(r == 0, at_zero, quotient(p, r))

    slopes = (
        (dp, lambda: coin_slope_in_p(p, not_p, *_waiting_odds(r, q))),
        (dr, in_r),
        (dq, lambda: deviance_slope(r, p, q, excess(r, p, q))),
    )
    return coin_to_waiting(*primals), linear(p, *slopes)
