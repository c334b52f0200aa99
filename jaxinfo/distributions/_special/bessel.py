r"""Modified Bessel functions of the first kind and real order, as logarithms and ratios.

What distributions on the circle and on spheres need is the logarithm of
:math:`\Gamma(v + 1) (2 / x)^v I_v(x)`, which is 0 at 0, convex, and has the slope :math:`I_{v+1}(x) / I_v(x)`. For
small `x` it is a power series without a change of sign. Else Debye's expansion gives it at an order of at least twelve
(twenty in float64), and the recurrence from there down to `v` adds positive terms.

The order is a Python number that is at least 0; `x >= 0`.

Reference: F. W. J. Olver et al., "NIST Handbook of Mathematical Functions", Cambridge 2010, chapter 10.
"""

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxinfo.distributions._special import bessel_zero
from jaxinfo.distributions._special.bessel_zero import horner
from jaxinfo.distributions._special.debye import log_polynomials


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def log_bessel(order: float, x: jax.Array) -> jax.Array:
    """`log(gamma(v + 1) (2 / x)^v I_v(x)) >= 0`."""
    return _log_bessel(order, x)[0]


@log_bessel.defjvp
def _log_bessel_jvp(order: float, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    return log_bessel(order, *primals), bessel_ratio(order, *primals) * tangents[0]


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def log_bessel_scaled(order: float, x: jax.Array) -> jax.Array:
    """`log_bessel(v, x) - x <= 0`, without cancellation for large `x`."""
    return bessel_zero.log_scaled(x) if _is_simple(order, x) else _log_bessel(order, x)[1]


@log_bessel_scaled.defjvp
def _log_bessel_scaled_jvp(order: float, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    return log_bessel_scaled(order, *primals), -bessel_ratio_complement(order, *primals) * tangents[0]


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def bessel_ratio(order: float, x: jax.Array) -> jax.Array:
    """`I_(v+1)(x) / I_v(x)`, between 0 and 1."""
    return bessel_zero.ratio(x) if _is_simple(order, x) else _ratios(order, x)[0][0]


@bessel_ratio.defjvp
def _bessel_ratio_jvp(order: float, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    return bessel_ratio(order, *primals), bessel_ratio_slope(order, *primals) * tangents[0]


def bessel_ratio_complement(order: float, x: jax.Array) -> jax.Array:
    """`1 - I_(v+1)(x) / I_v(x)`, accurate where it is small."""
    return bessel_zero.ratio_complement(x) if _is_simple(order, x) else _ratio_complement(order, x)


def _ratio_complement(order: float, x: jax.Array) -> jax.Array:
    high, steps = _start_order(order, x)
    complement = _debye_ratio(high, x)[1]
    # Where x is large the expansion holds at any order, and each step of the recurrence would take some digits.
    large = x > (32 if x.dtype == jnp.float32 else 64)
    for k in reversed(range(steps)):
        if k == 0:
            complement = jnp.where(
                large, _debye_ratio(order + 1, jnp.where(large, x, jnp.full_like(x, 64)))[1], complement
            )
        double = 2 * (order + k + 1)
        rest = double - x * complement
        complement = rest / (rest + x)
    return complement


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def bessel_excess(order: float, x: jax.Array) -> jax.Array:
    """`x r(x) - log_bessel(v, x) >= 0` with the ratio `r`: its slope is `x r'(x)`."""
    if _is_simple(order, x):
        return bessel_zero.excess(x)
    small = x < order + 1
    near, far = jnp.where(small, x, jnp.zeros_like(x)), jnp.where(small, jnp.full_like(x, order + 1), x)
    direct = near * bessel_ratio(order, near) - log_bessel(order, near)
    scaled = -(far * bessel_ratio_complement(order, far) + log_bessel_scaled(order, far))
    return jnp.where(small, direct, scaled)


@bessel_excess.defjvp
def _bessel_excess_jvp(order: float, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (x,) = primals
    return bessel_excess(order, x), x * bessel_ratio_slope(order, x) * tangents[0]


def bessel_ratio_slope(order: float, x: jax.Array) -> jax.Array:
    """The derivative of the ratio, positive: of its complement, whose recurrence keeps its digits for large x."""
    if _is_simple(order, x):
        return bessel_zero.slope(x)
    return -jax.jvp(functools.partial(_ratio_complement, order), (x,), (jnp.ones_like(x),))[1]


def _is_simple(order: float, x: jax.Array) -> bool:
    """Whether there are rational functions, ten to fifty times faster than the recurrences."""
    return order == 0 and x.dtype == jnp.float32


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def bessel_divergence(order: float, p: jax.Array, q: jax.Array) -> jax.Array:
    """`f(q) - f(p) - f'(p) (q - p) >= 0` of the convex `f = log_bessel(v, .)`, also for close arguments.

    By Gauss's rule on the integral of the second derivative while the two are within a factor of four: its terms are
    positive. The rule's error falls by a factor of 9 a node.
    """
    if _is_simple(order, p):
        return bessel_zero.divergence(p, q)
    difference = q - p
    near = _is_near(p, q)
    close = _integral(order, p, jnp.where(near, difference, jnp.zeros_like(p)), 1) * difference
    small = (p < order + 1) & (q < order + 1)
    direct = log_bessel(order, q) - log_bessel(order, p) - bessel_ratio(order, p) * difference
    scaled = log_bessel_scaled(order, q) - log_bessel_scaled(order, p)
    scaled = scaled + bessel_ratio_complement(order, p) * difference
    return jnp.where(near, close, jnp.maximum(jnp.where(small, direct, scaled), 0))


@bessel_divergence.defjvp
def _bessel_divergence_jvp(order: float, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    p, q = primals
    slope = bessel_ratio_slope(order, p) * (p - q)
    return bessel_divergence(order, p, q), slope * tangents[0] + bessel_ratio_rise(order, p, q) * tangents[1]


def bessel_ratio_rise(order: float, p: jax.Array, q: jax.Array) -> jax.Array:
    """`r(q) - r(p)`, also for close arguments."""
    if _is_simple(order, p):
        return bessel_zero.ratio_rise(p, q)
    difference = q - p
    near = _is_near(p, q)
    close = _integral(order, p, jnp.where(near, difference, jnp.zeros_like(p)), 0)
    small = (p < order + 1) & (q < order + 1)
    direct = bessel_ratio(order, q) - bessel_ratio(order, p)
    scaled = bessel_ratio_complement(order, p) - bessel_ratio_complement(order, q)
    return jnp.where(near, close, jnp.where(small, direct, scaled))


def _is_near(p: jax.Array, q: jax.Array) -> jax.Array:
    return jnp.abs(q - p) <= 0.75 * jnp.maximum(p, q)


def _integral(order: float, start: jax.Array, step: jax.Array, power: int) -> jax.Array:
    """`step` times the integral over t in [0, 1] of `(1 - t)^power` and the ratio's slope at `start + t step`."""
    nodes, weights = np.polynomial.legendre.leggauss(9 if start.dtype == jnp.float32 else 18)
    nodes = 0.5 + 0.5 * nodes
    weights = 0.5 * weights * (1 - nodes) ** power
    column = (-1,) + (1,) * start.ndim
    t, w = (jnp.asarray(x, start.dtype).reshape(column) for x in (nodes, weights))
    return step * jnp.sum(w * bessel_ratio_slope(order, start[None] + t * step[None]), axis=0)


def _start_order(order: float, x: jax.Array) -> tuple[float, int]:
    """The order of the expansion, and how many steps it is above the one wanted."""
    least = 12 if x.dtype == jnp.float32 else 20
    steps = max(0, math.ceil(least - order))
    return order + steps, steps


def _polynomials(dtype: Any) -> tuple[tuple[float, ...], ...]:
    # What is left out is below 1.5e-8 at order 12, and below 6e-16 at order 20.
    return log_polynomials(5 if dtype == jnp.float32 else 12)


def _roots(order: float, x: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    z = x / order
    s = jnp.sqrt(1 + jnp.square(z))
    return z, s, 1 / s


def _debye_ratio(order: float, x: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The ratio and its complement at a large order: the derivative of the expansion of the logarithm."""
    z, s, t = _roots(order, x)
    slope = jnp.zeros_like(x)
    for k, coefficients in enumerate(_polynomials(x.dtype), 1):
        derivative = tuple(j * a for j, a in enumerate(coefficients))[1:]
        slope = slope + horner(derivative, t) * order ** -(k + 1)
    rest = z * jnp.square(t) * (0.5 / order + t * slope)
    return z / (1 + s) - rest, (1 + 1 / (s + z)) / (1 + s) + rest


def _debye_rest(order: float, s: jax.Array, t: jax.Array) -> jax.Array:
    """What the expansion of the logarithm adds to its first term."""
    # At t = 1 the same polynomials give Stirling's series for the gamma function.
    rest = -0.5 * jnp.log(s)
    for k, coefficients in enumerate(_polynomials(s.dtype), 1):
        rest = rest + (horner(coefficients, t) - sum(coefficients)) * order**-k
    return rest


def _ratios(order: float, x: jax.Array) -> tuple[list[jax.Array], float]:
    """The ratios at `order`, `order + 1`, and so on up to the order of the expansion, and that order."""
    high, steps = _start_order(order, x)
    ratios = [_debye_ratio(high, x)[0]]
    for k in reversed(range(steps)):
        ratios.insert(0, x / (2 * (order + k + 1) + x * ratios[0]))
    return ratios, high


def _log_bessel(order: float, x: jax.Array) -> tuple[jax.Array, jax.Array]:
    """At the high order V it is `V (s - 1 - log((1 + s) / 2))` and the rest; a step down adds a logarithm.

    Each step takes one of the V logarithms, so that what is left of them is `v` of them and a product of moderate
    numbers.
    """
    ratios, high = _ratios(order, x)
    z, s, t = _roots(high, x)
    turn = jnp.ones_like(x)
    for k, ratio in enumerate(ratios[1:]):
        turn = turn * ((2 + x * ratio / (order + k + 1)) / (1 + s))
    excess = jnp.square(z) / (1 + s)
    rest = _debye_rest(high, s, t) + jnp.log(turn) - order * jnp.log1p(0.5 * excess)
    small = jnp.square(x) < 4 * (order + 1)
    series = _series(order, jnp.where(small, x, jnp.zeros_like(x)))
    value, scaled = high * excess + rest, high * (1 / (s + z) - 1) + rest
    return jnp.where(small, series, value), jnp.where(small, series - x, scaled)


def _series(order: float, x: jax.Array) -> jax.Array:
    """The logarithm of the power series, for `x^2 < 4 (v + 1)`."""
    quarter = 0.25 * jnp.square(x)
    total = jnp.zeros_like(x)
    for k in range(12 if x.dtype == jnp.float32 else 20, 0, -1):
        total = quarter / (k * (order + k)) * (1 + total)
    return jnp.log1p(total)


def log_sphere_area(dimension: int) -> float:
    """The logarithm of the surface of the unit ball."""
    return math.log(2) + 0.5 * dimension * math.log(math.pi) - math.lgamma(0.5 * dimension)
