r"""The remainder of the logarithm behind its tangent at 1, $x - \log(1 + x) \ge 0$, without cancellation."""

from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo import _numerics
from jaxinfo.distributions._arrays import log_ratio


@jax.custom_jvp
def log1p_remainder(x: jax.Array) -> jax.Array:
    """Returns `x - log(1 + x)` for `x > -1`; never negative, `inf` at -1."""
    # With s = x / (2 + x), log(1 + x) = s (2 + e), and what is left is s (x - e): e has the size of x^2 / 6.
    s = x / (2 + x)
    near = s * (x - _numerics.atanh_excess(s, _numerics.log1p(x)))
    # Far away s is 1 to the last digit, and infinity over infinity at last.
    far = jnp.abs(x) > 1
    return jnp.where(far, x - _numerics.log1p(x), near)


@log1p_remainder.defjvp
def _log1p_remainder_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (x,), (dx,) = primals, tangents
    return log1p_remainder(x), dx * (x / (1 + x))


def log1p_remainder_over(s: jax.Array, x: jax.Array, total: jax.Array) -> jax.Array:
    """Returns `(s x - log(1 + s x)) / s`, smooth also where `s` is 0, given `total`, which is `1 + s x` in full."""
    near = jnp.abs(s * x) < 0.3
    series = (s * x) * x * _log1p_curvature(jnp.where(near, s * x, jnp.zeros_like(x)))
    one = jnp.ones_like(s)
    return jnp.where(near, series, x - jnp.log(jnp.where(near, one, total)) / jnp.where(near, one, s))


def _log1p_curvature(small: jax.Array) -> jax.Array:
    """Returns `(x - log(1 + x)) / x^2`, 1/2 at 0, for `|x| < 0.3`."""
    square = jnp.square(small / (2 + small))
    series = jnp.zeros_like(small)
    for k in range(4 if small.dtype == jnp.float32 else 10, -1, -1):
        series = series * square + 1 / (2 * k + 3)
    return (1 - 2 * small / jnp.square(2 + small) * series) / (2 + small)


def log_ratio_remainder(x: jax.Array, y: jax.Array) -> jax.Array:
    """Returns `x / y - 1 - log(x / y)` for positive `x`, `y`; never negative, 0 where they are equal."""
    return _log_ratio_remainder(x, y)


@jax.custom_jvp
def _log_ratio_remainder(x: jax.Array, y: jax.Array) -> jax.Array:
    relative = (x - y) / y
    near = jnp.abs(relative) < 0.5
    # Where x is far below y, the ratio has digits that 1 + (x - y) / y has not.
    return jnp.where(near, log1p_remainder(jnp.where(near, relative, jnp.zeros_like(x))), relative - log_ratio(x, y))


@_log_ratio_remainder.defjvp
def _log_ratio_remainder_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (x, y), (dx, dy) = primals, tangents
    relative = (x - y) / y
    return log_ratio_remainder(x, y), relative * (dx / x) - (relative / y) * dy


def remainder_of_ratio(relative: jax.Array, ratio: jax.Array) -> jax.Array:
    """Returns `log1p_remainder(relative)` given also `ratio = 1 + relative`, which has the digits where it is small."""
    near = jnp.abs(relative) < 0.5
    held = jnp.where(near, jnp.ones_like(ratio), ratio)
    return jnp.where(near, log1p_remainder(jnp.where(near, relative, jnp.zeros_like(ratio))), relative - jnp.log(held))
