r"""A power of a ratio behind its logarithm, $(x/y)^k - 1 - k \log(x/y) \ge 0$: what scales that differ add to KL."""

import functools
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo.distributions._special.binary_logarithm import remainder_of_ratio


def power_remainder(x: jax.Array, y: jax.Array, power: int = 1) -> jax.Array:
    """Returns `(x/y)^k - 1 - k log(x/y)` for k 1 or 2, `x, y >= 0`; 0 where they are equal, `inf` where one is 0."""
    return _power_remainder(x, y, power)


@functools.partial(jax.custom_jvp, nondiff_argnums=(2,))
def _power_remainder(x: jax.Array, y: jax.Array, power: int) -> jax.Array:
    relative = jnp.maximum((x - y) / y, -1)
    remainder = remainder_of_ratio(relative, x / y)
    # With r = x / y, r^2 - 1 - 2 log r = (r - 1)^2 + 2 (r - 1 - log r).
    return remainder if power == 1 else jnp.square(relative) + 2 * remainder


@_power_remainder.defjvp
def _power_remainder_jvp(power: int, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (x, y), (dx, dy) = primals, tangents
    slope = power * power_excess(x, y, power)
    # For the first power slope / x is 1/y - 1/x, whose own derivative would cancel.
    along = -power_excess(y, x, 1) / y if power == 1 else slope / x
    return power_remainder(x, y, power), along * dx - (slope / y) * dy


def power_excess(x: jax.Array, y: jax.Array, power: int) -> jax.Array:
    """Returns `(x/y)^k - 1` with every digit also where `x` and `y` are close."""
    change = _relative_change(x, y)
    return change if power == 1 else change * (2 + change)


@jax.custom_jvp
def _relative_change(x: jax.Array, y: jax.Array) -> jax.Array:
    return (x - y) / y


@_relative_change.defjvp
def _relative_change_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (x, y), (dx, dy) = primals, tangents
    return _relative_change(x, y), dx / y - (x / y / y) * dy
