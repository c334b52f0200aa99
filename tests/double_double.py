"""Arrays of double-double numbers: about 31 digits, fast enough for the tables where mpmath is too slow.

A number is the unevaluated sum `high + low` of two float64 with `|low| <= ulp(high) / 2`. The sums and products are
those of Dekker (1971) and Knuth; `exp` and `log` are accurate to about 1e-28, so that a divergence as small as 1e-12,
the difference of numbers around 1, still has its 16 digits. `tests/test_oracles.py` holds them against mpmath.
"""

from __future__ import annotations

import math

import mpmath
import numpy as np

_SPLITTER = 134217729.0  # 2^27 + 1
_STEPS = 64  # exp is tabulated at multiples of log(2) / 64
_BLOCK = 8192  # elements that fit the cache: long arrays are worked on block by block


def _two_sum(a, b):
    total = a + b
    shifted = total - a
    return total, (a - (total - shifted)) + (b - shifted)


def _quick_two_sum(a, b):
    total = a + b
    return total, b - (total - a)


def _split(a):
    scaled = _SPLITTER * a
    high = scaled - (scaled - a)
    return high, a - high


def _two_product(a, b):
    product = a * b
    a_high, a_low = _split(a)
    b_high, b_low = _split(b)
    return product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


class DoubleDouble:
    """An array of double-doubles with the arithmetic that the oracles use."""

    __array_ufunc__ = None  # NumPy's operators defer to ours

    def __init__(self, high, low=None):
        self.high = np.asarray(high, np.float64)
        self.low = np.zeros_like(self.high) if low is None else np.asarray(low, np.float64)

    @property
    def shape(self):
        return self.high.shape

    def __getitem__(self, index):
        return DoubleDouble(self.high[index], self.low[index])

    def reshape(self, *shape):
        return DoubleDouble(self.high.reshape(*shape), self.low.reshape(*shape))

    def __neg__(self):
        return DoubleDouble(-self.high, -self.low)

    def __abs__(self):
        sign = np.where(self.high < 0, -1.0, 1.0)
        return DoubleDouble(sign * self.high, sign * self.low)

    def __add__(self, other):
        other = lift(other)
        high, error = _two_sum(self.high, other.high)
        low, low_error = _two_sum(self.low, other.low)
        high, error = _quick_two_sum(high, error + low)
        return DoubleDouble(*_quick_two_sum(high, error + low_error))

    def __sub__(self, other):
        return self + (-lift(other))

    def __mul__(self, other):
        other = lift(other)
        high, error = _two_product(self.high, other.high)
        return DoubleDouble(*_quick_two_sum(high, error + (self.high * other.low + self.low * other.high)))

    def __truediv__(self, other):
        other = lift(other)
        first = self.high / other.high
        rest = self - other * DoubleDouble(first)
        second = rest.high / other.high
        rest = rest - other * DoubleDouble(second)
        return DoubleDouble(*_quick_two_sum(first, second)) + DoubleDouble(rest.high / other.high)

    def __radd__(self, other):
        return self + other

    def __rsub__(self, other):
        return lift(other) - self

    def __rmul__(self, other):
        return self * other

    def __rtruediv__(self, other):
        return lift(other) / self

    def sum(self, axis=None, keepdims=False):
        """The sum over axes, by pairs, each addition with its error."""
        axes = range(len(self.shape)) if axis is None else [axis] if isinstance(axis, int) else axis
        axes = [a % max(len(self.shape), 1) for a in axes]
        total = self
        for a in axes:
            total = _sum_over(total, a)
        if keepdims:
            return total
        return total[tuple(0 if a in axes else slice(None) for a in range(len(self.shape)))]

    def __float__(self):
        return float(self.high + self.low)


def _sum_over(x, axis):
    """Halves the axis until one entry is left; keeps the axis."""
    high, low = np.moveaxis(x.high, axis, 0), np.moveaxis(x.low, axis, 0)
    x = DoubleDouble(high, low)
    while x.shape[0] > 1:
        half = x.shape[0] // 2
        paired = x[:half] + x[half : 2 * half]
        if x.shape[0] % 2:
            paired = DoubleDouble(np.concatenate([paired.high, x.high[-1:]]), np.concatenate([paired.low, x.low[-1:]]))
        x = paired
    return DoubleDouble(np.moveaxis(x.high, 0, axis), np.moveaxis(x.low, 0, axis))


def lift(x) -> DoubleDouble:
    """A double-double from itself or from floats."""
    return x if isinstance(x, DoubleDouble) else DoubleDouble(x)


def constant(value) -> DoubleDouble:
    """The double-double nearest to an mpmath number."""
    high = float(value)
    return DoubleDouble(high, float(value - mpmath.mpf(high)))


def _constants():
    with mpmath.workdps(60):
        table = [constant(mpmath.exp2(mpmath.mpf(j) / _STEPS)) for j in range(_STEPS)]
        step = constant(mpmath.log(2) / _STEPS)
        factorials = [constant(1 / mpmath.factorial(n)) for n in range(13)]
    powers = DoubleDouble(np.array([t.high for t in table]), np.array([t.low for t in table]))
    return powers, step, factorials


_POWERS, _STEP, _INVERSE_FACTORIALS = _constants()


def _by_blocks(function, x):
    high, low = x.high.ravel(), x.low.ravel()
    out_high, out_low = np.empty_like(high), np.empty_like(high)
    for start in range(0, high.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        result = function(DoubleDouble(high[block], low[block]))
        out_high[block], out_low[block] = result.high, result.low
    return DoubleDouble(out_high.reshape(x.shape), out_low.reshape(x.shape))


def _exp_block(x):
    """2^(n / 64) times a Taylor polynomial of the rest, which is below 0.0055."""
    count = np.rint(x.high / float(_STEP))
    rest = x - _STEP * DoubleDouble(count)
    tail = np.zeros_like(rest.high)
    for n in range(12, 6, -1):  # below 1e-17 of the sum: float64 is enough for these
        tail = tail * rest.high + float(_INVERSE_FACTORIALS[n])
    series = DoubleDouble(tail)
    for n in range(6, -1, -1):
        series = series * rest + _INVERSE_FACTORIALS[n]
    count = count.astype(np.int64)
    result = series * _POWERS[count % _STEPS]
    exponent = count // _STEPS
    return DoubleDouble(np.ldexp(result.high, exponent), np.ldexp(result.low, exponent))


def exp(x: DoubleDouble) -> DoubleDouble:
    """The exponential; what underflows is 0."""
    far = x.high < -745.0
    safe = DoubleDouble(np.where(far, 0.0, x.high), np.where(far, 0.0, x.low))
    result = _by_blocks(_exp_block, safe)
    return DoubleDouble(np.where(far, 0.0, result.high), np.where(far, 0.0, result.low))


def _log_block(x):
    """One Newton step from the float64 logarithm of the mantissa, which is in [0.7, 1.4] so that nothing underflows."""
    mantissa, exponent = np.frexp(x.high)
    lower = mantissa < math.sqrt(0.5)
    mantissa, exponent = np.where(lower, 2 * mantissa, mantissa), np.where(lower, exponent - 1, exponent)
    scaled = DoubleDouble(mantissa, np.ldexp(x.low, -exponent))
    first = np.log(mantissa)
    error = scaled * _exp_block(DoubleDouble(-first)) - 1.0
    log_mantissa = DoubleDouble(first) + (error - error * error * 0.5)
    return log_mantissa + _STEP * DoubleDouble(exponent * float(_STEPS))


def log(x: DoubleDouble) -> DoubleDouble:
    """The logarithm of positive numbers."""
    return _by_blocks(_log_block, x)


def sqrt(x: DoubleDouble) -> DoubleDouble:
    """The square root, by one Newton step."""
    first = np.sqrt(x.high)
    safe = np.where(first == 0, 1.0, first)
    return DoubleDouble(first) + (x - DoubleDouble(first) * DoubleDouble(first)) * DoubleDouble(0.5 / safe)
