"""Closed forms between inverse Gaussian distributions."""

import jax
import jax.numpy as jnp

from jaxinfo.distributions._families.inverse_gaussian import InverseGaussian
from jaxinfo.distributions._registry import register
from jaxinfo.distributions._special.power_remainder import power_excess, power_remainder


@register("kl_divergence", InverseGaussian, InverseGaussian)
def _kl_divergence(loc_p: jax.Array, shape_p: jax.Array, loc_q: jax.Array, shape_q: jax.Array) -> jax.Array:
    # E (x - m)^2 / x = (loc_p - m)^2 / loc_p + m^2 / shape_p, and the powers of x in the densities are the same.
    spread = power_remainder(shape_q, shape_p)
    return jnp.where(jnp.isinf(spread), spread, 0.5 * (spread + _square(loc_p, loc_q, shape_q)))


@register("cross_entropy", InverseGaussian, InverseGaussian)
def _cross_entropy(loc_p: jax.Array, shape_p: jax.Array, loc_q: jax.Array, shape_q: jax.Array) -> jax.Array:
    square = shape_q / shape_p + _square(loc_p, loc_q, shape_q)
    return 0.5 * (square - jnp.log(shape_q)) - InverseGaussian._mean_log_base(loc_p, shape_p)


def _square(loc_p: jax.Array, loc_q: jax.Array, shape_q: jax.Array) -> jax.Array:
    return (shape_q / loc_p) * jnp.square(power_excess(loc_p, loc_q, 1))
