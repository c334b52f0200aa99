r"""Averages of elementary functions over an interval, without cancellation where it is short.

An interval is given by its middle and its half width, or by the ratio `h` of the two; `rest` is `1 - h` with its own
digits. Where the half width is small against the distance to the function's nearest singularity, Gauss and Legendre's
rule is exact to rounding; elsewhere the difference of two antiderivatives is.
"""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from jaxinfo import _numerics
from jaxinfo.distributions._special.log1p_square import log1p_square

# B_2n / (2n + 1)!, of the dilogarithm in powers of log(1 - x).
_DILOGARITHM = (
    *(1 / 36, -1 / 3600, 1 / 211680, -1 / 10886400, 1 / 526901760, -691 / 16999766784000, 1 / 1120863744000),
    -3617 / 181400588328960000,
)


def exponential(x: jax.Array) -> jax.Array:
    """Returns `exp(x)`; where it overflows its slope counts as 0, lest infinities cancel."""
    over = x > math.log(float(jnp.finfo(x.dtype).max))
    return jnp.where(over, jnp.full_like(x, jnp.inf), jnp.exp(jnp.where(over, jnp.zeros_like(x), x)))


def _nodes(like: jax.Array) -> tuple[np.ndarray, np.ndarray]:
    return np.polynomial.legendre.leggauss(7 if like.dtype == jnp.float32 else 14)


def times_log(x: jax.Array) -> jax.Array:
    """Returns `x log x`, 0 at 0, where its infinite slope counts as 0."""
    zero = x == 0
    return jnp.where(zero, jnp.zeros_like(x), x * jnp.log(jnp.where(zero, jnp.ones_like(x), x)))


def by_nodes(function: Callable[[jax.Array], jax.Array], middle: jax.Array, half: jax.Array) -> jax.Array:
    """Returns the average of a function that has no singularity within twice `half` of `middle`."""
    axes = (-1,) + (1,) * middle.ndim
    nodes, weights = (jnp.asarray(x, middle.dtype).reshape(axes) for x in _nodes(middle))
    return jnp.sum(0.5 * weights * function(middle[None] + nodes * half[None]), axis=0)


def _powers(h: jax.Array, coefficient: Callable[[int], float]) -> tuple[jax.Array, jax.Array, jax.Array]:
    """The series of `coefficient(k) h^(2k)` for `h < 1/2`, where that is, and `h` elsewhere."""
    near = h < 0.5
    square = jnp.square(jnp.where(near, h, jnp.zeros_like(h)))
    value = jnp.zeros_like(h)
    for k in range(12 if h.dtype == jnp.float32 else 27, -1, -1):
        value = value * square + coefficient(k)
    return near, value, jnp.where(near, jnp.full_like(h, 0.75), h)


def log_average(h: jax.Array, rest: jax.Array) -> jax.Array:
    """Returns the average of `log(1 + h u)` over `u` in [-1, 1], for `0 <= h <= 1`."""
    near, series, far = _powers(h, lambda k: -1 / ((2 * k + 2) * (2 * k + 3)))
    rest = jnp.where(near, jnp.full_like(h, 0.25), rest)
    plain = ((1 + far) * jnp.log1p(far) - times_log(rest)) / (2 * far) - 1
    return jnp.where(near, jnp.square(h) * series, plain)


def _atanh_excess(h: jax.Array, rest: jax.Array) -> tuple[jax.Array, jax.Array]:
    """`(atanh(h) / h - 1) / h^2`, and where `h` is 1, where a number stands for its infinity."""
    near, series, far = _powers(h, lambda k: 1 / (2 * k + 3))
    whole = rest <= 0
    rest = jnp.where(near | whole, jnp.full_like(h, 0.25), rest)
    plain = (0.5 * jnp.log((1 + far) / rest) / far - 1) / jnp.square(far)
    return jnp.where(near, series, plain), whole


def inverse_average(h: jax.Array, rest: jax.Array) -> jax.Array:
    """Returns the average of `1 / (1 + h u)`, which is `atanh(h) / h`; infinite at `h = 1`."""
    excess, whole = _atanh_excess(h, rest)
    return jnp.where(whole, jnp.full_like(h, jnp.inf), 1 + jnp.square(h) * excess)


def log_spread(h: jax.Array, rest: jax.Array) -> jax.Array:
    """Returns the variance of `log(1 + h u)`: `1 - (1 - h^2) (atanh(h) / h)^2`, 1 at `h = 1`."""
    excess, whole = _atanh_excess(h, rest)
    square = jnp.square(h)
    g = square * excess
    far = 1 - rest * (1 + h) * jnp.square(1 + g)
    near = square * (1 - 2 * excess + 2 * g - g * excess + jnp.square(g))
    return jnp.where(whole, jnp.ones_like(h), jnp.where(h < 0.5, near, far))


def power_average(h: jax.Array, rest: jax.Array, exponent: jax.Array) -> jax.Array:
    """Returns the average of `(1 + h u)^exponent`, for an exponent that is positive."""
    n = exponent + 1
    excess, whole = _atanh_excess(h, rest)
    d = n * h * (1 + jnp.square(h) * excess)
    near = (d < 1) & ~whole
    # ((1 + h)^n - (1 - h)^n) / (2 h n), where d is half the logarithm of the powers' ratio.
    small = jnp.where(near, d, jnp.zeros_like(d))
    inside = jnp.where(near, h, jnp.zeros_like(h))
    middle = jnp.exp(0.5 * n * _numerics.log1p(-jnp.square(inside)))
    close = middle * sinh_over(small) * (1 + jnp.square(h) * excess)
    far = jnp.where(near, jnp.ones_like(h), h)
    high = exponential(n * jnp.log1p(far))
    apart = (high - jnp.power(jnp.where(near, jnp.ones_like(h), rest), n)) / (2 * far * n)
    return jnp.where(near, close, apart)


def sinh_over(x: jax.Array) -> jax.Array:
    """Returns `sinh(x) / x` for `|x| <= 1`, by its series."""
    square = jnp.square(x)
    num_terms = 5 if x.dtype == jnp.float32 else 9
    value = jnp.zeros_like(x)
    for k in range(num_terms, -1, -1):
        value = value * square + 1 / math.factorial(2 * k + 1)
    return value


def exponential_average(low: jax.Array, width: jax.Array) -> jax.Array:
    """Returns the average of `exp(-z)` from `low` to `low + width`."""
    near = width < 2
    half = 0.5 * jnp.where(near, width, jnp.zeros_like(width))
    close = exponential(jnp.log(sinh_over(half)) - (low + 0.5 * width))
    far = jnp.where(near, jnp.ones_like(width), width)
    return jnp.where(near, close, exponential(jnp.log(-jnp.expm1(-far) / far) - low))


def distance_average(middle: jax.Array, half: jax.Array) -> jax.Array:
    """Returns the average of `|z|`."""
    inside = jnp.abs(middle) < half
    held = jnp.where(inside, half, jnp.ones_like(half))
    return jnp.where(inside, 0.5 * (held + jnp.where(inside, middle, 0 * held) * (middle / held)), jnp.abs(middle))


def log1p_square_average(low: jax.Array, high: jax.Array, half: jax.Array) -> jax.Array:
    """Returns the average of `log(1 + z^2)`, given also half the width with all its digits."""
    middle = 0.5 * low + 0.5 * high
    near = 2 * half < 1 + 0.5 * jnp.abs(middle)
    close = by_nodes(log1p_square, middle, jnp.where(near, half, jnp.zeros_like(half)))
    below, above, wide = _unless(near, low, high, half)

    def integral(z: jax.Array) -> jax.Array:
        return z * (log1p_square(z) - 2) + 2 * jnp.arctan(z)

    return jnp.where(near, close, (integral(above) - integral(below)) / (2 * wide))


def log_cosh_average(low: jax.Array, high: jax.Array, half: jax.Array) -> jax.Array:
    """Returns the average of `2 log(2 cosh(z / 2))`, given also half the width with all its digits."""

    def function(z: jax.Array) -> jax.Array:
        return 2 * jnp.logaddexp(0.5 * z, -0.5 * z)

    near = half < 1.5
    close = by_nodes(function, 0.5 * low + 0.5 * high, jnp.where(near, half, jnp.zeros_like(half)))
    below, above, wide = _unless(near, low, high, half)
    bent = _softplus_integral(above) - _softplus_integral(below)
    return jnp.where(near, close, distance_average(0.5 * below + 0.5 * above, wide) + bent / wide)


def _unless(near: jax.Array, low: jax.Array, high: jax.Array, half: jax.Array) -> tuple[jax.Array, ...]:
    """An interval where it is not short, and another one where it is."""
    one = jnp.ones_like(half)
    return tuple(jnp.where(near, held, x) for held, x in ((-2 * one, low), (2 * one, high), (2 * one, half)))


def _softplus_integral(z: jax.Array) -> jax.Array:
    r"""`\int_0^z log(1 + exp(-|t|)) dt = pi^2 / 12 + Li_2(-exp(-z))` for `z >= 0`, odd."""
    below = z < 0
    u = -jnp.log1p(jnp.exp(jnp.where(below, z, -z)))
    square = jnp.square(u)
    series = jnp.zeros_like(u)
    for coefficient in _DILOGARITHM[::-1]:
        series = series * square + coefficient
    # Li_2 by u = -log(1 - x), of x = -exp(-z).
    value = (math.pi**2 / 12 - 0.25 * square) + u * (1 + square * series)
    return jnp.where(below, -value, value)
