r"""Wasserstein distances between members of one family on the real line, by their quantile functions.

In a family of a location and a scale the difference of two quantile functions is $a + b Q(u)$, with the differences $a$
of the locations and $b$ of the scales and the quantile function $Q$ of the standard member $z$. Hence
$W_2^2 = (a + b E z)^2 + b^2 Var z$, a length in the plane, and $W_1 = E |a + b z|$.

Reference: C. Villani, "Topics in Optimal Transportation", American Mathematical Society 2003, section 2.2.
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo._numerics import log1p, quotient
from jaxinfo.distributions._arrays import log_ratio
from jaxinfo.distributions._families.cauchy import Cauchy
from jaxinfo.distributions._families.exponential import Exponential
from jaxinfo.distributions._families.gumbel import Gumbel
from jaxinfo.distributions._families.half_normal import HalfNormal
from jaxinfo.distributions._families.laplace import Laplace
from jaxinfo.distributions._families.log_normal import LogNormal
from jaxinfo.distributions._families.logistic import Logistic
from jaxinfo.distributions._families.normal import Normal
from jaxinfo.distributions._families.pareto import Pareto
from jaxinfo.distributions._families.uniform import Uniform
from jaxinfo.distributions._registry import Formula, register
from jaxinfo.distributions._special.absolute_value import absolute, saturation
from jaxinfo.distributions._special.exponential_integral import (
    complementary_exponential_integral,
    scaled_exponential_integral,
)
from jaxinfo.distributions._special.extreme_values import EULER

_first = functools.partial(register, "wasserstein_distance_of_order_1")
_second = functools.partial(register, "wasserstein_distance")

# E sign(s + z) and E z sign(s + z) of a standard member, which are the derivatives of E |a + b z| at s = a / b.
Slopes = Callable[[jax.Array], tuple[jax.Array, jax.Array]]


# ---------------------------------------------------------------------------------------------------------------------
# Order 2


@jax.custom_jvp
def _length(x: jax.Array, y: jax.Array) -> jax.Array:
    """The length of a vector, with derivative 0 at 0; its square is never formed, which may overflow or vanish."""
    most = jnp.maximum(jnp.abs(x), jnp.abs(y))
    least = jnp.minimum(jnp.abs(x), jnp.abs(y))
    # The quotient of infinities is none.
    return jnp.where(jnp.isinf(most), most, most * jnp.sqrt(1 + jnp.square(quotient(least, most))))


@_length.defjvp
def _length_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (x, y), (dx, dy) = primals, tangents
    length = _length(x, y)
    return length, quotient(x, length) * dx + quotient(y, length) * dy


def _by_moments(mean: float, variance: float) -> Formula:
    def formula(loc_p: jax.Array, scale_p: jax.Array, loc_q: jax.Array, scale_q: jax.Array) -> jax.Array:
        scales = scale_p - scale_q
        return _length((loc_p - loc_q) + mean * scales, math.sqrt(variance) * scales)

    return formula


_second(Normal, Normal)(_by_moments(0, 1))
_second(Laplace, Laplace)(_by_moments(0, 2))
_second(Logistic, Logistic)(_by_moments(0, math.pi**2 / 3))
_second(Gumbel, Gumbel)(_by_moments(EULER, math.pi**2 / 6))


@_second(Uniform, Uniform)
def _uniform_second(low_p: jax.Array, high_p: jax.Array, low_q: jax.Array, high_q: jax.Array) -> jax.Array:
    low, high = low_p - low_q, high_p - high_q
    return _length(0.5 * (low + high), math.sqrt(1 / 12) * (high - low))


@_second(LogNormal, LogNormal)
def _log_normal_second(loc_p: jax.Array, scale_p: jax.Array, loc_q: jax.Array, scale_q: jax.Array) -> jax.Array:
    # The roots of the second moments are A = exp(loc + scale^2), and the mean product of quantiles
    # A_p A_q exp(-(scale_p - scale_q)^2 / 2).
    log_p, log_q = loc_p + jnp.square(scale_p), loc_q + jnp.square(scale_q)
    scales = scale_p - scale_q
    logs = (loc_p - loc_q) + scales * (scale_p + scale_q)
    moments = jnp.exp(jnp.where(logs > 0, log_p, log_q)) * saturation(logs)
    angle = jnp.exp(0.5 * (log_p + log_q)) * math.sqrt(2) * _root_of_saturation(scales * math.sqrt(0.5))
    return _length(moments, angle)


def _root_of_saturation(x: jax.Array) -> jax.Array:
    """`sqrt(1 - exp(-x^2))` with the sign of `x`, smooth at 0."""
    square = jnp.square(x)
    near = square < 1e-4
    safe = jnp.where(near, jnp.ones_like(x), square)
    series = 1 - square * (0.5 - square * (1 / 6 - square / 24))
    return x * jnp.sqrt(jnp.where(near, series, -jnp.expm1(-safe) / safe))


@_second(Pareto, Pareto)
def _pareto_second(scale_p: jax.Array, shape_p: jax.Array, scale_q: jax.Array, shape_q: jax.Array) -> jax.Array:
    # With a = 1 / shape the second moments are A^2 = scale^2 / (1 - 2 a), the mean product of quantiles
    # scale_p scale_q / (1 - a_p - a_q), and c^2 - (1 - 2 a_p)(1 - 2 a_q) = (a_p - a_q)^2, c = 1 - a_p - a_q.
    finite = (shape_p > 2) & (shape_q > 2)
    given_p, given_q = shape_p, shape_q
    three = 3 * jnp.ones_like(shape_p)
    shape_p, shape_q = jnp.where(finite, shape_p, three), jnp.where(finite, shape_q, three)
    rest_p, rest_q = (shape_p - 2) / shape_p, (shape_q - 2) / shape_q
    rho = (shape_q - shape_p) / shape_p / shape_q / (0.5 * (rest_p + rest_q))
    root_p, root_q = scale_p / jnp.sqrt(rest_p), scale_q / jnp.sqrt(rest_q)
    rests = _log_ratio_of_rests(shape_p, shape_q)
    logs = log_ratio(scale_p, scale_q) - 0.5 * rests
    moments = jnp.where(logs > 0, root_p, root_q) * saturation(logs)
    cosine = jnp.sqrt(rest_p) * jnp.sqrt(rest_q) / (0.5 * (rest_p + rest_q))
    angle = rho * jnp.sqrt(root_p) * jnp.sqrt(root_q) * jnp.sqrt(2 / (1 + cosine))
    same = (scale_p == scale_q) & (given_p == given_q)
    infinite = jnp.where(same, jnp.zeros_like(angle), jnp.full_like(angle, jnp.inf))
    return jnp.where(finite, _length(moments, angle), infinite)


def _log_ratio_of_rests(shape_p: jax.Array, shape_q: jax.Array) -> jax.Array:
    """The logarithm of `(1 - 2 / shape_p) / (1 - 2 / shape_q)`, also where both are near 1 or each other."""
    relative = (2 * (shape_p - shape_q) / shape_p) / (shape_q - 2)
    near = jnp.abs(relative) < 0.5
    ratio = ((shape_p - 2) / (shape_q - 2)) * (shape_q / shape_p)
    far = jnp.log(jnp.where(near, jnp.ones_like(ratio), ratio))
    return jnp.where(near, log1p(jnp.where(near, relative, jnp.zeros_like(relative))), far)


# ---------------------------------------------------------------------------------------------------------------------
# Order 1


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def _mean_size(slopes: Slopes, a: jax.Array, b: jax.Array) -> jax.Array:
    """`E |a + b z|`: as it grows in proportion with both, its derivatives give it."""
    by_a, by_b = _slopes_at(slopes, a, b)
    return a * by_a + b * by_b


@_mean_size.defjvp
def _mean_size_jvp(slopes: Slopes, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    by_a, by_b = _slopes_at(slopes, *primals)
    return _mean_size(slopes, *primals), by_a * tangents[0] + by_b * tangents[1]


def _slopes_at(slopes: Slopes, a: jax.Array, b: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The derivatives in `a` and `b`: where the scales are equal, their limits, and 0 where the members are."""
    equal = b == 0
    sign = jnp.where(b < 0, -jnp.ones_like(b), jnp.ones_like(b))
    # Further away the standard member has no mass, and squares would overflow.
    far = jnp.full_like(a, 1e18)
    s = jnp.where(equal, jnp.sign(a) * far, jnp.clip(a / jnp.where(equal, jnp.ones_like(b), b), -far, far))
    by_a, by_b = slopes(s)
    same = equal & (a == 0)
    return jnp.where(same, a, sign * by_a), jnp.where(same, b, sign * by_b)


def _by_slopes(slopes: Slopes) -> Formula:
    def formula(loc_p: jax.Array, scale_p: jax.Array, loc_q: jax.Array, scale_q: jax.Array) -> jax.Array:
        return _mean_size(slopes, loc_p - loc_q, scale_p - scale_q)

    return formula


def _normal_slopes(s: jax.Array) -> tuple[jax.Array, jax.Array]:
    return jax.lax.erf(s * math.sqrt(0.5)), math.sqrt(2 / math.pi) * jnp.exp(-0.5 * jnp.square(s))


def _laplace_slopes(s: jax.Array) -> tuple[jax.Array, jax.Array]:
    size = jnp.abs(s)
    return saturation(s), jnp.exp(-size) * (1 + size)


def _logistic_slopes(s: jax.Array) -> tuple[jax.Array, jax.Array]:
    size = jnp.abs(s)
    return jnp.tanh(0.5 * s), 2 * (jnp.log1p(jnp.exp(-size)) + size * jax.nn.sigmoid(-size))


def _gumbel_slopes(s: jax.Array) -> tuple[jax.Array, jax.Array]:
    """With `F(t) = exp(-w)`, `w = exp(-t)` at `t = -s`: `1 - 2 F` and `gamma + 2 E_1(w) - 2 t F`."""
    t = jnp.maximum(-s, jnp.full_like(s, -50.0))
    w = jnp.exp(-t)
    late = t > 0
    small, large = jnp.where(late, w, jnp.ones_like(w)), jnp.where(late, jnp.ones_like(w), w)
    after = -EULER + 2 * complementary_exponential_integral(small) - 2 * t * jnp.expm1(-small)
    before = EULER + 2 * jnp.exp(-large) * (scaled_exponential_integral(1, large) - t)
    return 1 - 2 * jnp.exp(-w), jnp.where(late, after, before)


_first(Normal, Normal)(_by_slopes(_normal_slopes))
_first(Laplace, Laplace)(_by_slopes(_laplace_slopes))
_first(Logistic, Logistic)(_by_slopes(_logistic_slopes))
_first(Gumbel, Gumbel)(_by_slopes(_gumbel_slopes))


@_first(Uniform, Uniform)
def _uniform_first(low_p: jax.Array, high_p: jax.Array, low_q: jax.Array, high_q: jax.Array) -> jax.Array:
    low, high = low_p - low_q, high_p - high_q
    # The quantiles of one are above those of the other, or they cross once: two triangles.
    cross = low * jnp.sign(high) < 0
    a, b = (jnp.where(cross, jnp.abs(x), jnp.ones_like(x)) for x in (low, high))
    triangles = 0.5 * (a * (a / (a + b)) + b * (b / (a + b)))
    return jnp.where(cross, triangles, 0.5 * absolute(low + high))


# ---------------------------------------------------------------------------------------------------------------------
# Both orders: families of a scale, whose larger member has the larger quantiles, and Cauchy's


@_first(HalfNormal, HalfNormal)
def _half_normal_first(scale_p: jax.Array, scale_q: jax.Array) -> jax.Array:
    return math.sqrt(2 / math.pi) * absolute(scale_p - scale_q)


@_second(HalfNormal, HalfNormal)
def _half_normal_second(scale_p: jax.Array, scale_q: jax.Array) -> jax.Array:
    return absolute(scale_p - scale_q)


@_first(Exponential, Exponential)
def _exponential_first(rate_p: jax.Array, rate_q: jax.Array) -> jax.Array:
    return absolute((rate_p - rate_q) / rate_p / rate_q)


@_second(Exponential, Exponential)
def _exponential_second(rate_p: jax.Array, rate_q: jax.Array) -> jax.Array:
    return math.sqrt(2) * _exponential_first(rate_p, rate_q)


@_first(Cauchy, Cauchy)
@_second(Cauchy, Cauchy)
def _cauchy(loc_p: jax.Array, scale_p: jax.Array, loc_q: jax.Array, scale_q: jax.Array) -> jax.Array:
    return jnp.where(scale_p == scale_q, absolute(loc_p - loc_q), jnp.full_like(loc_p, jnp.inf))
