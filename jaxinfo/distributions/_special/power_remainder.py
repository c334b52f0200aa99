r"""A power of a ratio behind its logarithm, $(x/y)^k - 1 - k \log(x/y) \ge 0$: what scales that differ add to KL."""

import functools
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo.distributions._arrays import exp_remainder, log_ratio


def power_remainder(x: jax.Array, y: jax.Array, power: int = 1) -> jax.Array:
    """Returns `(x/y)^k - 1 - k log(x/y)` for `x, y >= 0`; 0 where they are equal, `inf` where one of them is 0."""
    return _power_remainder(x, y, power)


@functools.partial(jax.custom_jvp, nondiff_argnums=(2,))
def _power_remainder(x: jax.Array, y: jax.Array, power: int) -> jax.Array:
    log_power = power * log_ratio(x, y)
    # Far away a power of the ratio has digits that the exponential of a rounded logarithm has not.
    far = jax.lax.integer_pow(x / y, power) - 1 - log_power
    near = jnp.abs(log_power) < 1
    value = jnp.where(near, exp_remainder(jnp.where(near, log_power, jnp.zeros_like(x))), far)
    return jnp.where(jnp.isinf(log_power), jnp.full_like(value, jnp.inf), value)


@_power_remainder.defjvp
def _power_remainder_jvp(power: int, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (x, y), (dx, dy) = primals, tangents
    slope = power * power_excess(x, y, power)
    # For the first power slope / x is 1/y - 1/x, whose own derivative would cancel.
    along = -power_excess(y, x, 1) / y if power == 1 else slope / x
    return power_remainder(x, y, power), along * dx - (slope / y) * dy


def power_excess(x: jax.Array, y: jax.Array, power: int) -> jax.Array:
    """Returns `(x/y)^k - 1` with every digit also where `x` and `y` are close."""
    if power == 1:
        return _relative_change(x, y)
    log_power = power * log_ratio(x, y)
    near = jnp.abs(log_power) < 1
    close = jnp.expm1(jnp.where(near, log_power, jnp.zeros_like(x)))
    return jnp.where(near, close, jax.lax.integer_pow(x / y, power) - 1)


@jax.custom_jvp
def _relative_change(x: jax.Array, y: jax.Array) -> jax.Array:
    return (x - y) / y


@_relative_change.defjvp
def _relative_change_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (x, y), (dx, dy) = primals, tangents
    return _relative_change(x, y), dx / y - (x / y / y) * dy
