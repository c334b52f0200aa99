"""Closed forms between families that share members, arranged so that nothing cancels where the two are close.

An exponential distribution is a gamma and a Weibull one, a chi-squared one is a gamma one, a uniform one on the unit
interval is a beta one, and one on the circle a von Mises one: the formula within the larger family is the accurate one.
"""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo.distributions._arrays import log_ratio
from jaxinfo.distributions._expectations.bounded import OfUniform
from jaxinfo.distributions._families.beta import Beta, Dirichlet
from jaxinfo.distributions._families.exponential import Exponential
from jaxinfo.distributions._families.gamma import ChiSquared, Gamma
from jaxinfo.distributions._families.uniform import Uniform
from jaxinfo.distributions._families.weibull import Weibull
from jaxinfo.distributions._registry import Formula, closed_form, prepared, register
from jaxinfo.distributions._special.averages import times_log
from jaxinfo.distributions._special.extreme_values import log_gamma
from jaxinfo.distributions._special.gamma import log_beta
from jaxinfo.distributions._special.logarithm import log1p_remainder

# ---------------------------------------------------------------------------------------------------------------------
# Families within families


def _exponential_as_gamma(p: Exponential) -> Gamma:
    (rate,) = p.parameters()
    return Gamma(jnp.ones_like(rate), rate)


def _exponential_as_weibull(p: Exponential) -> Weibull:
    (rate,) = p.parameters()
    return Weibull(1 / rate, jnp.ones_like(rate))


def _chi_squared_as_gamma(p: ChiSquared) -> Gamma:
    (df,) = p.parameters()
    return Gamma(0.5 * df, jnp.full_like(df, 0.5))


def _dirichlet_as_beta(p: Dirichlet) -> Beta:
    (concentration,) = p.parameters()
    return Beta(concentration[..., 0], concentration[..., 1])


# How the first is written beside the second; beside all others a chi-squared distribution is a gamma one.
_Name = tuple[type, Callable[[Any], Any]]
_NAMES: dict[tuple[type, type], _Name] = {
    (Exponential, Gamma): (Gamma, _exponential_as_gamma),
    (Exponential, ChiSquared): (Gamma, _exponential_as_gamma),
    (Exponential, Weibull): (Weibull, _exponential_as_weibull),
    (Dirichlet, Beta): (Beta, _dirichlet_as_beta),
}


def _name(kind: type, beside: type) -> _Name:
    other = (Gamma, _chi_squared_as_gamma) if kind is ChiSquared else (kind, lambda p: p)
    return _NAMES.get((kind, beside), other)


def by_another_name(measure: str, p: Any, q: Any) -> Formula | None:
    """The formula of the same two distributions written as members of other families."""
    if any(isinstance(member, Dirichlet) and member.event_shape != (2,) for member in (p, q)):
        return None
    return _by_another_name(measure, type(p), type(q))


@functools.cache
def _by_another_name(measure: str, kind_p: type, kind_q: type) -> Formula | None:
    (as_p, write_p), (as_q, write_q) = _name(kind_p, kind_q), _name(kind_q, kind_p)
    if (as_p, as_q) == (kind_p, kind_q):
        return None
    found = closed_form(measure, _any_member(as_p), _any_member(as_q))
    if found is None or found is INFINITE:
        return found

    def formula(p: Any, q: Any, **numbers: jax.Array) -> jax.Array:
        p, q = write_p(p), write_q(q)
        within = closed_form(measure, p, q)
        return jnp.zeros(()) if within is None else within(p, q, **numbers)

    return prepared(formula, whole=True)


def infinite(*parameters: jax.Array) -> jax.Array:
    """The value of a pair that is infinite whatever the parameters."""
    return jnp.full_like(parameters[0], jnp.inf)


# One object, by which it is recognised.
INFINITE = prepared(infinite)


def _any_member(kind: type) -> Any:
    return kind(*(1.0 for _ in kind.constraints))


# ---------------------------------------------------------------------------------------------------------------------
# Uniform distributions


@register("kl_divergence", Beta, Uniform, whole=True)
def _beta_to_uniform(p: Beta, q: Uniform) -> jax.Array:
    # From the uniform distribution on the unit interval, and what the other is wider: neither is negative.
    low, high = q.parameters()
    one = jnp.ones_like(low)
    inside = (low <= 0) & (high >= 1)
    whole = Beta(one, one)
    within = closed_form("kl_divergence", p, whole)
    value = jnp.zeros_like(low) if within is None else within(p, whole)
    return jnp.where(inside, value + log_ratio(jnp.where(inside, high - low, one), one), jnp.full_like(low, jnp.inf))


@register("kl_divergence", Uniform, Beta)
def _uniform_to_beta(low: jax.Array, high: jax.Array, a: jax.Array, b: jax.Array) -> jax.Array:
    inside = (low >= 0) & (high <= 1)
    low, high = jnp.where(inside, low, jnp.zeros_like(low)), jnp.where(inside, high, jnp.ones_like(high))
    one = jnp.ones_like(low)
    # On the whole interval both means of logarithms are -1; on most of it they are what they differ from that.
    wide = high - low > 0.5
    head, tail = jnp.where(wide, low, 0 * one), jnp.where(wide, high, one)
    law = OfUniform(low, high)
    above = jnp.where(wide, _log_moment(head, tail), 1 + law.log(one))
    below = jnp.where(wide, _log_moment(1 - tail, 1 - head), 1 + law.log_complement())
    logs = (a - 1) * above + (b - 1) * below + log_ratio(high - low, one)
    value = _whole_to_beta(a, b) - logs
    value = value + jax.lax.stop_gradient(jnp.maximum(-value, jnp.zeros_like(value)))
    return jnp.where(inside, value, jnp.full_like(value, jnp.inf))


def _whole_to_beta(a: jax.Array, b: jax.Array) -> jax.Array:
    """From the uniform distribution on the whole interval, `log B(a, b) + (a - 1) + (b - 1)`."""
    one = jnp.ones_like(a)
    near = (jnp.abs(a - 1) < 0.25) & (jnp.abs(b - 1) < 0.25)
    x, y = jnp.where(near, a, one), jnp.where(near, b, one)
    # log Gamma behind its tangent, at 1 twice and at 2: the tangents are what is added.
    step = (x - 1) + (y - 1)
    after_two = log_gamma(1 + step, one).excess - log1p_remainder(step)
    close = log_gamma(x, one).excess + log_gamma(y, one).excess - after_two
    far = log_beta(jnp.where(near, 2 * one, a), b) + ((a - 1) + (b - 1))
    return jnp.where(near, close, far)


def _log_moment(low: jax.Array, high: jax.Array) -> jax.Array:
    """`1 + E log x` between two points, one term for each end."""
    return (times_log(high) - times_log(low)) / (high - low)
