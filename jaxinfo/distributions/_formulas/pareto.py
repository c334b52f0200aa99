"""Closed forms between Pareto distributions; infinite where p starts below q."""

import jax
import jax.numpy as jnp

from jaxinfo.distributions._arrays import log_ratio
from jaxinfo.distributions._families.pareto import Pareto
from jaxinfo.distributions._registry import register
from jaxinfo.distributions._special.power_remainder import power_remainder


@register("kl_divergence", Pareto, Pareto)
def _kl_divergence(scale_p: jax.Array, shape_p: jax.Array, scale_q: jax.Array, shape_q: jax.Array) -> jax.Array:
    # Two terms that are >= 0.
    value = power_remainder(shape_q, shape_p) + shape_q * log_ratio(scale_p, scale_q)
    return jnp.where(scale_p < scale_q, jnp.full_like(value, jnp.inf), value)


@register("cross_entropy", Pareto, Pareto)
def _cross_entropy(scale_p: jax.Array, shape_p: jax.Array, scale_q: jax.Array, shape_q: jax.Array) -> jax.Array:
    value = jnp.log(scale_p / shape_q) + shape_q * log_ratio(scale_p, scale_q) + (shape_q + 1) / shape_p
    return jnp.where(scale_p < scale_q, jnp.full_like(value, jnp.inf), value)
