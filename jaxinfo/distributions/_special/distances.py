r"""Mean distances $E |x - y|$ of standard variables from a point; the slope is $2 F(y) - 1$ with $F$ the cdf."""

import math
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo.distributions._special.averages import exponential
from jaxinfo.distributions._special.exponential_integral import (
    complementary_exponential_integral,
    scaled_exponential_integral,
)
from jaxinfo.distributions._special.extreme_values import EULER


@jax.custom_jvp
def normal_distance(y: jax.Array) -> jax.Array:
    """Returns `E |z - y|` for a standard normal variable."""
    return math.sqrt(2 / math.pi) * jnp.exp(-0.5 * jnp.square(y)) + y * jax.lax.erf(y / math.sqrt(2))


@normal_distance.defjvp
def _normal_distance_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (y,), (dy,) = primals, tangents
    return normal_distance(y), dy * jax.lax.erf(y / math.sqrt(2))


@jax.custom_jvp
def half_normal_distance(y: jax.Array) -> jax.Array:
    """Returns `E ||z| - y|`."""
    inside = y > 0
    held = jnp.where(inside, y, jnp.zeros_like(y))
    mean = math.sqrt(2 / math.pi)
    # Twice the integral of the cdf from 0 to y.
    area = held * jax.lax.erf(held / math.sqrt(2)) + mean * jnp.expm1(-0.5 * jnp.square(held))
    return mean - y + 2 * area


@half_normal_distance.defjvp
def _half_normal_distance_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (y,), (dy,) = primals, tangents
    inside = y > 0
    held = jnp.where(inside, y, jnp.zeros_like(y))
    return half_normal_distance(y), dy * (2 * jax.lax.erf(held / math.sqrt(2)) - 1)


@jax.custom_jvp
def gumbel_distance(y: jax.Array) -> jax.Array:
    """Returns `E |x - y|` for a standard Gumbel variable: `gamma - y + 2 E_1(exp(-y))`."""
    near = y > 0
    zero, one = jnp.zeros_like(y), jnp.ones_like(y)
    small = jnp.exp(-jnp.where(near, y, zero))
    above = (y - EULER) + 2 * complementary_exponential_integral(jnp.where(near, small, zero))
    held = jnp.where(near, zero, jnp.maximum(y, -80.0 * one))
    w = jnp.exp(-held)
    below = (EULER - y) + 2 * jnp.exp(-w) * scaled_exponential_integral(1, w)
    return jnp.where(near, above, below)


@gumbel_distance.defjvp
def _gumbel_distance_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (y,), (dy,) = primals, tangents
    return gumbel_distance(y), dy * (2 * jnp.exp(-jnp.exp(-y)) - 1)


def exponential_distance(y: jax.Array) -> jax.Array:
    """Returns `E |x - y|` for an exponential variable of mean 1."""
    inside = y > 0
    held = jnp.where(inside, y, jnp.zeros_like(y))
    return jnp.where(inside, (held - 1) + 2 * jnp.exp(-held), 1 - y)


@jax.custom_jvp
def log_normal_distance(point: jax.Array, loc: jax.Array, scale: jax.Array) -> jax.Array:
    """Returns `E |x - exp(point)|` for a log-normal variable."""
    y = (point - loc) / scale
    return _times_erf(point, y) - _times_erf(loc + 0.5 * jnp.square(scale), y - scale)


def _times_erf(exponent: jax.Array, y: jax.Array) -> jax.Array:
    return exponential(exponent) * jax.lax.erf(y / math.sqrt(2))


@log_normal_distance.defjvp
def _log_normal_distance_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    # What the density at the point contributes cancels.
    (point, loc, scale), (dpoint, dloc, dscale) = primals, tangents
    y, log_mean = (point - loc) / scale, loc + 0.5 * jnp.square(scale)
    in_point, in_loc = _times_erf(point, y), -_times_erf(log_mean, y - scale)
    density = math.sqrt(2 / math.pi) * jnp.exp(-0.5 * jnp.square(y - scale))
    in_scale = scale * in_loc + exponential(log_mean) * density
    return log_normal_distance(*primals), dpoint * in_point + dloc * in_loc + dscale * in_scale
