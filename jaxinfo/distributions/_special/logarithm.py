r"""The remainder of the logarithm behind its tangent at 1, $x - \log(1 + x) \ge 0$, without cancellation."""

from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo.distributions._special.binary_logarithm import remainder_of_ratio


@jax.custom_jvp
def log1p_remainder(x: jax.Array) -> jax.Array:
    """Returns `x - log(1 + x)` for `x > -1`; never negative, `inf` at -1."""
    return remainder_of_ratio(x, 1 + x)


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
    # Where x is far below y, the ratio has digits that 1 + (x - y) / y has not.
    return remainder_of_ratio((x - y) / y, x / y)


@_log_ratio_remainder.defjvp
def _log_ratio_remainder_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (x, y), (dx, dy) = primals, tangents
    relative = (x - y) / y
    return log_ratio_remainder(x, y), relative * (dx / x) - (relative / y) * dy
