"""Debye's expansion of the modified Bessel functions for large orders: its polynomials, as exact fractions.

Reference: F. W. J. Olver et al., "NIST Handbook of Mathematical Functions", Cambridge 2010, section 10.41.
"""

import functools
from fractions import Fraction

Polynomial = list[Fraction]


def _product(x: Polynomial, y: Polynomial) -> Polynomial:
    result = [Fraction(0)] * (len(x) + len(y) - 1)
    for i, a in enumerate(x):
        for j, b in enumerate(y):
            result[i + j] += a * b
    return result


def _sum(x: Polynomial, y: Polynomial) -> Polynomial:
    size = max(len(x), len(y))
    padded = [p + [Fraction(0)] * (size - len(p)) for p in (x, y)]
    return [a + b for a, b in zip(*padded, strict=True)]


def _next(u: Polynomial) -> Polynomial:
    """`t^2 (1 - t^2) u'(t) / 2 + 1/8 int_0^t (1 - 5 s^2) u(s) ds`."""
    slope = [k * a for k, a in enumerate(u)][1:] or [Fraction(0)]
    moved = _product([Fraction(0), Fraction(0), Fraction(1, 2), Fraction(0), Fraction(-1, 2)], slope)
    inner = _product([Fraction(1), Fraction(0), Fraction(-5)], u)
    integral = [Fraction(0), *(a / (8 * (k + 1)) for k, a in enumerate(inner))]
    return _sum(moved, integral)


@functools.cache
def log_polynomials(count: int) -> tuple[tuple[float, ...], ...]:
    """Coefficients of `d_k(t)`, k from 1 to `count`, with `log sum_k u_k(t) / v^k = sum_k d_k(t) / v^k`."""
    u = [[Fraction(1)]]
    for _ in range(count):
        u.append(_next(u[-1]))
    d: list[Polynomial] = [[Fraction(0)]]
    for k in range(1, count + 1):
        # From the derivative of the logarithm: k u_k = sum_j j d_j u_(k-j).
        total = u[k]
        for j in range(1, k):
            total = _sum(total, [-Fraction(j, k) * a for a in _product(d[j], u[k - j])])
        d.append(total)
    return tuple(tuple(float(a) for a in p) for p in d[1:])
