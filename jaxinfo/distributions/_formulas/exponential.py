"""Closed forms between exponential distributions."""

import jax
import jax.numpy as jnp

from jaxinfo.distributions._families.exponential import Exponential
from jaxinfo.distributions._registry import register
from jaxinfo.distributions._special.power_remainder import power_remainder


@register("kl_divergence", Exponential, Exponential)
def _kl_divergence(rate_p: jax.Array, rate_q: jax.Array) -> jax.Array:
    return power_remainder(rate_q, rate_p)


@register("cross_entropy", Exponential, Exponential)
def _cross_entropy(rate_p: jax.Array, rate_q: jax.Array) -> jax.Array:
    return rate_q / rate_p - jnp.log(rate_q)
