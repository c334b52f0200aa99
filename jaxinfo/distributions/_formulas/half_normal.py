"""Closed forms between half-normal distributions."""

import math

import jax
import jax.numpy as jnp

from jaxinfo.distributions._families.half_normal import HalfNormal
from jaxinfo.distributions._registry import register
from jaxinfo.distributions._special.power_remainder import power_remainder


@register("kl_divergence", HalfNormal, HalfNormal)
def _kl_divergence(scale_p: jax.Array, scale_q: jax.Array) -> jax.Array:
    return 0.5 * power_remainder(scale_p, scale_q, 2)


@register("cross_entropy", HalfNormal, HalfNormal)
def _cross_entropy(scale_p: jax.Array, scale_q: jax.Array) -> jax.Array:
    return 0.5 * (math.log(math.pi / 2) + jnp.square(scale_p / scale_q)) + jnp.log(scale_q)
