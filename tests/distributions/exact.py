"""Numbers as the code sees them, and what mpmath makes of them."""

import math

import jax.numpy as jnp
import mpmath
import numpy as np

FLOAT = jnp.zeros(()).dtype
EPS = float(jnp.finfo(FLOAT).eps)
DIGITS = 50


def tolerance(ulps=32):
    """The issue's bar: 32 units in the last place in single precision, 1e-12 in double."""
    return ulps * EPS if jnp.float32 == FLOAT else max(1e-12, ulps * EPS)


def rounded(rows):
    """The columns of a table of numbers in the working precision, `[columns, rows]`."""
    return np.array(rows, FLOAT).T


def exactly(function, *columns):
    """`function` of each row, by mpmath, in float64; what overflows there is infinite."""
    with mpmath.workdps(DIGITS):
        rows = [function(*(mpmath.mpf(float(number)) for number in row)) for row in zip(*columns, strict=True)]
        return np.array([float(value) for value in rows])


def gradients(function, *columns):
    """The derivative of `function` in each argument at each row, `[columns, rows]`.

    NaN where its value is infinite, or becomes so within a step: there the derivative is one-sided at best.
    """

    def one(row):
        point = [mpmath.mpf(float(number)) for number in row]
        if not mpmath.isfinite(function(*point)):
            return [math.nan] * len(point)
        return [float(_slope(function, point, i)) for i in range(len(point))]

    with mpmath.workdps(2 * DIGITS):
        return np.array([one(row) for row in zip(*columns, strict=True)]).T


def _slope(function, point, i):
    """A central difference, off by the square of its relative step, far below a double's last place."""
    size = abs(point[i]) or mpmath.mpf(1)
    step = size * mpmath.mpf(10) ** -25
    low, high = (function(*point[:i], point[i] + sign * step, *point[i + 1 :]) for sign in (-1, 1))
    if not (mpmath.isfinite(low) and mpmath.isfinite(high)):
        return math.nan
    slope = (high - low) / (2 * step)
    # At a minimum what is left is the error of the difference.
    return mpmath.mpf(0) if abs(slope) * size < mpmath.mpf(10) ** -40 else slope
