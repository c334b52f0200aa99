"""Closed forms within each family of counts."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from jaxinfo import discrete
from jaxinfo.distributions._families.binomial import Binomial
from jaxinfo.distributions._families.geometric import Geometric
from jaxinfo.distributions._families.multinomial import Multinomial
from jaxinfo.distributions._families.negative_binomial import NegativeBinomial
from jaxinfo.distributions._families.poisson import Poisson
from jaxinfo.distributions._registry import register
from jaxinfo.distributions._special.coin import coin_divergence, relative_term, weighted_surprisal
from jaxinfo.distributions._special.waiting import geometric_cross_entropy, geometric_divergence


def known(*values: Any) -> Sequence[np.ndarray] | None:
    """The numbers in one shape, or None where they are not known yet or do not broadcast."""
    if any(isinstance(value, Tracer) for value in values):
        return None
    arrays = [np.asarray(value) for value in values]
    try:
        return np.broadcast_arrays(*arrays)
    except ValueError:
        return None  # an error that the measure itself raises


def _none_fewer(p: Binomial, q: Binomial) -> bool:
    """Whether p nowhere has fewer trials than q, as far as known: where it does, there is no formula."""
    counts = known(p.total_count, q.total_count)
    return counts is None or bool(np.all(counts[0] >= counts[1]))


def _equal_counts(p: NegativeBinomial, q: NegativeBinomial) -> bool:
    """Whether the numbers of successes are equal, as far as known: there is no formula where they are not."""
    counts = known(p.total_count, q.total_count)
    return counts is None or bool(np.all(counts[0] == counts[1]))


@register("kl_divergence", Poisson, Poisson)
def _kl_of_poissons(rate_p: jax.Array, rate_q: jax.Array) -> jax.Array:
    return relative_term(rate_p, rate_q, rate_p - rate_q)


@register("kl_divergence", Geometric, Geometric)
def _kl_of_geometrics(p: jax.Array, q: jax.Array) -> jax.Array:
    return geometric_divergence(p, q)


@register("cross_entropy", Geometric, Geometric)
def _cross_entropy_of_geometrics(p: jax.Array, q: jax.Array) -> jax.Array:
    return geometric_cross_entropy(p, q)


@register("kl_divergence", Binomial, Binomial, when=_none_fewer)
def _kl_of_binomials(n: jax.Array, p: jax.Array, m: jax.Array, q: jax.Array) -> jax.Array:
    # More trials reach counts that fewer do not; with fewer the binomial coefficients are different, and only known
    # numbers say so in time to raise.
    n, m = jax.lax.stop_gradient(n), jax.lax.stop_gradient(m)
    different = jnp.where(n > m, jnp.full_like(p, jnp.inf), jnp.full_like(p, jnp.nan))
    same = times(n, coin_divergence(p, 1 - p, q, 1 - q))
    value = jnp.where(n == m, same, different)
    return jnp.where(((p == 0) | (n == 0)) & (n != m), weighted_surprisal(m, 1 - q, q), value)


@register("kl_divergence", NegativeBinomial, NegativeBinomial, when=_equal_counts)
def _kl_of_negative_binomials(r: jax.Array, p: jax.Array, s: jax.Array, q: jax.Array) -> jax.Array:
    # The derivative in the number of successes is that of both together.
    value = jnp.where(r == s, times(r, geometric_divergence(p, q)), jnp.full_like(p, jnp.nan))
    return jnp.where(((r == 0) | (p == 1)) & (r != s), weighted_surprisal(s, q, 1 - q), value)


@register("kl_divergence", Multinomial, Multinomial)
def _kl_of_multinomials(n: jax.Array, p: jax.Array, m: jax.Array, q: jax.Array) -> jax.Array:
    # Draws of different sums never meet.
    n, m = jax.lax.stop_gradient(n), jax.lax.stop_gradient(m)
    value = times(n, discrete.kl_divergence(p, q))
    return jnp.where(n == m, value, jnp.full_like(value, jnp.inf))


def times(count: jax.Array, value: jax.Array) -> jax.Array:
    """The product, 0 where the count is 0, even of an infinite value."""
    none = count == 0
    return jnp.where(none, jnp.zeros_like(value), count) * jnp.where(none, jnp.zeros_like(value), value)
