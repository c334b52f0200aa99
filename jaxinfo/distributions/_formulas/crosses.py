"""Closed forms between different families of one real variable, from the means of the statistics that they share.

The logarithm of a density q is a sum of few statistics, so that the cross-entropy is known of every family whose means
of those are, and the divergence is that less the entropy. Both are taken in a unit of q, of which neither depends.
Where p has mass outside the support of q both are infinite. Errors are those of the largest term: families that differ
are not close to each other, but for members that two families share, which have formulas of their own below.
"""

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxinfo.distributions._expectations import infinite, law_of
from jaxinfo.distributions._expectations.law import Law
from jaxinfo.distributions._families.beta import Beta
from jaxinfo.distributions._families.cauchy import Cauchy
from jaxinfo.distributions._families.exponential import Exponential
from jaxinfo.distributions._families.gamma import Gamma, InverseGamma
from jaxinfo.distributions._families.gumbel import Gumbel
from jaxinfo.distributions._families.half_normal import HalfNormal
from jaxinfo.distributions._families.inverse_gaussian import InverseGaussian
from jaxinfo.distributions._families.laplace import Laplace
from jaxinfo.distributions._families.log_normal import LogNormal
from jaxinfo.distributions._families.logistic import Logistic
from jaxinfo.distributions._families.normal import Normal
from jaxinfo.distributions._families.pareto import Pareto
from jaxinfo.distributions._families.student_t import StudentT
from jaxinfo.distributions._families.uniform import Uniform
from jaxinfo.distributions._families.weibull import Weibull
from jaxinfo.distributions._formulas.crosses_shared import INFINITE, by_another_name
from jaxinfo.distributions._registry import Formula, prepared, register_rule
from jaxinfo.distributions._special.gamma import log_beta
from jaxinfo.distributions._special.half_step import half_step

_HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


class _Cross(NamedTuple):
    """The mean of `-log(unit q(x))`, and the unit."""

    unit: jax.Array
    value: jax.Array


class _Density(NamedTuple):
    """A family as the second argument: the statistics in its logarithm, and how they add up."""

    statistics: tuple[str, ...]
    cross: Callable[..., _Cross]


_DENSITIES: dict[type, _Density] = {}


def _density(kind: type, *statistics: str) -> Callable[[Callable[..., _Cross]], Callable[..., _Cross]]:
    def add(cross: Callable[..., _Cross]) -> Callable[..., _Cross]:
        _DENSITIES[kind] = _Density(statistics, cross)
        return cross

    return add


# ---------------------------------------------------------------------------------------------------------------------
# Cross-entropies, of what is known of p and of the parameters of q


@_density(Normal, "linear", "variance")
def _normal(p: Law, loc: jax.Array, scale: jax.Array) -> _Cross:
    return _Cross(scale, _HALF_LOG_TAU + 0.5 * _square(p, loc, scale))


@_density(HalfNormal, "linear", "variance")
def _half_normal(p: Law, scale: jax.Array) -> _Cross:
    return _Cross(scale, 0.5 * math.log(math.pi / 2) + 0.5 * _square(p, jnp.zeros_like(scale), scale))


def _square(p: Law, loc: jax.Array, unit: jax.Array) -> jax.Array:
    """`E (x - loc)^2 / unit^2`; where the variance is infinite, the mean may have no value."""
    variance, mean = p.variance(unit), p.linear(loc, unit)
    finite = jnp.isfinite(variance)
    return variance + jnp.square(jnp.where(finite, mean, jnp.zeros_like(mean)))


@_density(Laplace, "distance")
def _laplace(p: Law, loc: jax.Array, scale: jax.Array) -> _Cross:
    return _Cross(scale, math.log(2) + p.distance(loc, scale))


@_density(Logistic, "log_cosh")
def _logistic(p: Law, loc: jax.Array, scale: jax.Array) -> _Cross:
    return _Cross(scale, p.log_cosh(loc, scale))


@_density(Gumbel, "linear", "exponential")
def _gumbel(p: Law, loc: jax.Array, scale: jax.Array) -> _Cross:
    return _Cross(scale, p.linear(loc, scale) + p.exponential(loc, scale))


@_density(Cauchy, "log1p_square")
def _cauchy(p: Law, loc: jax.Array, scale: jax.Array) -> _Cross:
    return _Cross(scale, math.log(math.pi) + p.log1p_square(loc, scale))


@_density(StudentT, "log1p_square")
def _student_t(p: Law, df: jax.Array, loc: jax.Array, scale: jax.Array) -> _Cross:
    tail = 0.5 * (df + 1) * p.log1p_square(loc, scale * jnp.sqrt(df))
    return _Cross(scale, _HALF_LOG_TAU - half_step(0.5 * df) + tail)


@_density(Exponential, "linear")
def _exponential(p: Law, rate: jax.Array) -> _Cross:
    unit = 1 / rate
    return _Cross(unit, p.linear(jnp.zeros_like(rate), unit))


@_density(Gamma, "log", "linear")
def _gamma(p: Law, concentration: jax.Array, rate: jax.Array) -> _Cross:
    unit = 1 / rate
    mean = p.linear(jnp.zeros_like(rate), unit)
    return _Cross(unit, jax.lax.lgamma(concentration) - (concentration - 1) * p.log(unit) + mean)


@_density(InverseGamma, "log", "inverse")
def _inverse_gamma(p: Law, concentration: jax.Array, scale: jax.Array) -> _Cross:
    logs = jax.lax.lgamma(concentration) + (concentration + 1) * p.log(scale)
    return _Cross(scale, logs + p.inverse(scale))


@_density(InverseGaussian, "linear", "log", "inverse")
def _inverse_gaussian(p: Law, loc: jax.Array, concentration: jax.Array) -> _Cross:
    # (x - loc)^2 / (loc^2 x), a sum of three means.
    ratio = concentration / loc
    square = ratio * (p.linear(jnp.zeros_like(loc), loc) - 2) + p.inverse(concentration)
    return _Cross(concentration, _HALF_LOG_TAU + 1.5 * p.log(concentration) + 0.5 * square)


@_density(LogNormal, "log", "log_variance")
def _log_normal(p: Law, loc: jax.Array, scale: jax.Array) -> _Cross:
    centre = (p.log(jnp.ones_like(loc)) - loc) / scale
    squares = jnp.square(centre) + p.log_variance() / scale / scale
    # A change to the coordinate log x, and back: in units of p its mean is of the size of 1.
    return _Cross(p.unit, _HALF_LOG_TAU + jnp.log(scale) + p.log(p.unit) + 0.5 * squares)


@_density(Weibull, "log", "power")
def _weibull(p: Law, scale: jax.Array, concentration: jax.Array) -> _Cross:
    logs = -jnp.log(concentration) - (concentration - 1) * p.log(scale)
    return _Cross(scale, logs + p.power(scale, concentration))


@_density(Pareto, "log")
def _pareto(p: Law, scale: jax.Array, concentration: jax.Array) -> _Cross:
    return _Cross(scale, (concentration + 1) * p.log(scale) - jnp.log(concentration))


@_density(Uniform)
def _uniform(p: Law, low: jax.Array, high: jax.Array) -> _Cross:
    return _Cross(high - low, jnp.zeros_like(p.unit))


@_density(Beta, "log", "log_complement")
def _beta(p: Law, concentration1: jax.Array, concentration0: jax.Array) -> _Cross:
    one = jnp.ones_like(concentration1)
    logs = (concentration1 - 1) * p.log(one) + (concentration0 - 1) * p.log_complement()
    return _Cross(one, log_beta(concentration1, concentration0) - logs)


# ---------------------------------------------------------------------------------------------------------------------
# Supports


def _never_inside(kind_p: type, kind_q: type) -> bool:
    """Whether p has mass outside the support of q whatever the parameters."""
    low_p, high_p = _ends(kind_p)
    low_q, high_q = _ends(kind_q)
    # An end that is a parameter is finite, and that of a Pareto distribution positive.
    below = _is_beyond(low_q, low_p) or (kind_q is Pareto and isinstance(low_p, float))
    return below or _is_beyond(high_p, high_q)


def _is_beyond(x: Any, y: Any) -> bool:
    """Whether `x > y` for ends that are numbers, or of which one is infinite."""
    if isinstance(x, float) and isinstance(y, float):
        return x > y
    return x == math.inf if isinstance(x, float) else y == -math.inf


@functools.cache
def _ends(kind: type) -> tuple[Any, Any]:
    """The ends of a family's support: numbers, or a name for each parameter."""
    low, high = kind._support(*kind.constraints)
    return low, high


def _covers(kind_p: type, kind_q: type, p: tuple[jax.Array, ...], q: tuple[jax.Array, ...]) -> jax.Array:
    support_p, support_q = kind_p._support(*p), kind_q._support(*q)
    low_p, high_p, low_q, high_q = (
        jnp.broadcast_to(jnp.asarray(end, p[0].dtype), p[0].shape) for end in (*support_p, *support_q)
    )
    return (low_q <= low_p) & (high_p <= high_q)


# ---------------------------------------------------------------------------------------------------------------------
# Rules


def _is_infinite(known: type[Law], density: _Density) -> bool:
    return any(getattr(known, name) is infinite for name in density.statistics)


@functools.cache
def _formula(measure: str, kind_p: type, kind_q: type) -> Formula | None:
    """The compiled formula; one object for each pair, so that it is compiled once."""
    known, density = law_of(kind_p), _DENSITIES.get(kind_q)
    if known is None or density is None or kind_p is kind_q:
        return None
    if _never_inside(kind_p, kind_q) or _is_infinite(known, density):
        return INFINITE
    if not all(known.knows(name) for name in density.statistics):
        return None
    count = len(kind_p.constraints)

    def formula(*parameters: jax.Array) -> jax.Array:
        p, q = parameters[:count], parameters[count:]
        law = known(*p)
        unit, value = density.cross(law, *q)
        is_cross = measure == "cross_entropy"
        value = value + jnp.log(unit) if is_cross else _not_negative(value - law.entropy(unit))
        return jnp.where(_covers(kind_p, kind_q, p, q), value, jnp.full_like(value, jnp.inf))

    return prepared(formula)


def _not_negative(value: jax.Array) -> jax.Array:
    """A divergence that rounding has carried below zero is zero; its slope stays."""
    return value + jax.lax.stop_gradient(jnp.maximum(-value, jnp.zeros_like(value)))


@register_rule("kl_divergence")
def _kl_divergence(p: Any, q: Any) -> Formula | None:
    return by_another_name("kl_divergence", p, q) or _formula("kl_divergence", type(p), type(q))


@register_rule("cross_entropy")
def _cross_entropy(p: Any, q: Any) -> Formula | None:
    return by_another_name("cross_entropy", p, q) or _formula("cross_entropy", type(p), type(q))


@register_rule("renyi_divergence")
def _renyi_divergence(p: Any, q: Any) -> Formula | None:
    return by_another_name("renyi_divergence", p, q)
