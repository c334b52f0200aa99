r"""The logarithm by its binary exponent, which serves a number and what it is beyond one at the same cost.

A number is $2^k m$ with $m$ within a factor of $\sqrt 2$ of one, and $\log m = t - s (t - e)$ with $t = m - 1$,
$s = t / (2 + t)$ and the small $e = 2 \operatorname{atanh}(s) / s - 2$, even in s. Near one, where k counts as 0, t may
be given with more digits than the number has, and $t - \log(1 + t) = s (t - e)$ has them all: otherwise the logarithm
would have to be taken twice, of the number and of one and the rest.

XLA on a CPU writes the result of a division out as a table if it is used twice; that of a maximum or an absolute value
it computes where it is used, so that is what quotients go through here, unchanged.
"""

import functools
import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxinfo import _numerics


class _Parts(NamedTuple):
    power: jax.Array  # k log 2
    beyond: jax.Array  # t
    remainder: jax.Array  # t - log(1 + t), never negative


def _parts(relative: jax.Array, ratio: jax.Array) -> _Parts:
    integer, digits = (jnp.int32, 23) if ratio.dtype == jnp.float32 else (jnp.int64, 52)
    bits = jax.lax.bitcast_convert_type(ratio, integer)
    least = jax.lax.bitcast_convert_type(jnp.asarray(math.sqrt(0.5), ratio.dtype), integer)
    exponent = (bits - least) >> digits
    mantissa = jax.lax.bitcast_convert_type(bits - (exponent << digits), ratio.dtype)
    near = jnp.abs(relative - 0.13) < 0.53  # where |s| < 1/4
    exponent = jnp.where(near, 0, exponent)
    t = jnp.where(near, relative, mantissa - 1)
    s = jnp.maximum(t / (2 + t), -1)
    square = s * s
    excess = functools.reduce(lambda total, c: total * square + c, reversed(_numerics.atanh_series(s)))
    return _Parts(exponent.astype(ratio.dtype) * math.log(2), t, s * (t - square * excess))


@jax.custom_jvp
def log_of(relative: jax.Array, ratio: jax.Array) -> jax.Array:
    """Returns the logarithm of `ratio >= 0`, with all digits of `relative = ratio - 1` where that is small."""
    relative, ratio = jnp.maximum(relative, -1), jnp.abs(ratio)
    power, beyond, remainder = _parts(relative, ratio)
    value = power + (beyond - remainder)
    return jnp.where(ratio == 0, -jnp.inf, jnp.where(ratio == jnp.inf, ratio, value))


@log_of.defjvp
def _log_of_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (relative, ratio), (d_relative, d_ratio) = primals, tangents
    near = jnp.abs(relative) < 0.5
    one, zero = jnp.ones_like(ratio), jnp.zeros_like(ratio)
    close = d_relative / (1 + jnp.where(near, relative, zero))
    return log_of(relative, ratio), jnp.where(near, close, d_ratio / jnp.where(near, one, ratio))


@jax.custom_jvp
def remainder_of_ratio(relative: jax.Array, ratio: jax.Array) -> jax.Array:
    """Returns `relative - log(ratio) >= 0` of the same; infinite where the ratio is 0 or infinite."""
    relative, ratio = jnp.maximum(relative, -1), jnp.abs(ratio)
    power, beyond, remainder = _parts(relative, ratio)
    return jnp.where(ratio == 0, jnp.inf, ((relative - beyond) - power) + remainder)


@remainder_of_ratio.defjvp
def _remainder_of_ratio_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (relative, ratio), (d_relative, d_ratio) = primals, tangents
    near = jnp.abs(relative) < 0.5
    small = jnp.where(near, relative, jnp.zeros_like(relative))
    far = d_relative - d_ratio / jnp.where(near, jnp.ones_like(ratio), ratio)
    return remainder_of_ratio(relative, ratio), jnp.where(near, (small / (1 + small)) * d_relative, far)
