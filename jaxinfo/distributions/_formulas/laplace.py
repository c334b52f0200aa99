"""Closed forms between Laplace distributions."""

import jax
import jax.numpy as jnp

from jaxinfo.distributions._families.laplace import Laplace
from jaxinfo.distributions._registry import register
from jaxinfo.distributions._special.absolute_value import blunt_excess
from jaxinfo.distributions._special.power_remainder import power_remainder


@register("kl_divergence", Laplace, Laplace)
def _kl_divergence(loc_p: jax.Array, scale_p: jax.Array, loc_q: jax.Array, scale_q: jax.Array) -> jax.Array:
    # With r = b_p / b_q and d = (m_p - m_q) / b_p: (r - 1 - log r) + r (e^-|d| - 1 + |d|), two terms that are >= 0.
    spread = power_remainder(scale_p, scale_q)
    value = spread + blunt_excess(loc_p - loc_q, scale_p) / scale_q
    return jnp.where(jnp.isinf(spread), spread, value)


@register("cross_entropy", Laplace, Laplace)
def _cross_entropy(loc_p: jax.Array, scale_p: jax.Array, loc_q: jax.Array, scale_q: jax.Array) -> jax.Array:
    return jnp.log(2 * scale_q) + (scale_p + blunt_excess(loc_p - loc_q, scale_p)) / scale_q
