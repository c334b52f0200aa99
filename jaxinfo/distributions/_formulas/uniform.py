"""Closed forms between uniform distributions; infinite unless the interval of p lies in that of q."""

import jax
import jax.numpy as jnp

from jaxinfo.distributions._families.uniform import Uniform
from jaxinfo.distributions._registry import register


@register("kl_divergence", Uniform, Uniform)
def _kl_divergence(low_p: jax.Array, high_p: jax.Array, low_q: jax.Array, high_q: jax.Array) -> jax.Array:
    nested = (low_q <= low_p) & (high_p <= high_q)
    # What q has beyond p on either side, in widths of p.
    beyond = jnp.where(nested, (low_p - low_q) + (high_q - high_p), jnp.zeros_like(low_p))
    return jnp.where(nested, jnp.log1p(beyond / (high_p - low_p)), jnp.full_like(low_p, jnp.inf))


@register("cross_entropy", Uniform, Uniform)
def _cross_entropy(low_p: jax.Array, high_p: jax.Array, low_q: jax.Array, high_q: jax.Array) -> jax.Array:
    nested = (low_q <= low_p) & (high_p <= high_q)
    return jnp.where(nested, jnp.log(high_q - low_q), jnp.full_like(low_p, jnp.inf))
