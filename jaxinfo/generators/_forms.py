"""What the sum of an f-divergence is made of: its term on tables, and its value from rows of logits."""

from __future__ import annotations

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo import _distances, _log_domain, _numerics

Axes = tuple[int, ...]


class Form(ABC):
    """A generator `f` whose divergence is known in full: as a term right at every boundary, and in the log domain."""

    @abstractmethod
    def __call__(self, t: jax.Array) -> jax.Array:
        """`f(t)` for t > 0."""

    @abstractmethod
    def term(self, p: jax.Array, q: jax.Array) -> jax.Array:
        """`q f(p/q) - f'(1) (p - q)`."""

    @abstractmethod
    def row(self, axes: Axes, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
        """The divergence of two rows of logits, summed axes kept."""


@dataclasses.dataclass(frozen=True)
class Reversed(Form):
    """`t f(1/t)`, the generator of the divergence with its arguments exchanged."""

    form: Form

    def __call__(self, t: jax.Array) -> jax.Array:
        return t * self.form(1 / t)

    def term(self, p: jax.Array, q: jax.Array) -> jax.Array:
        return self.form.term(q, p)

    def row(self, axes: Axes, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
        return self.form.row(axes, z_q, z_p)


@dataclasses.dataclass(frozen=True)
class KullbackLeibler(Form):
    def __call__(self, t: jax.Array) -> jax.Array:
        return _numerics.kl_term(t, jnp.ones_like(t))

    def term(self, p: jax.Array, q: jax.Array) -> jax.Array:
        return _numerics.kl_term(p, q)

    def row(self, axes: Axes, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
        return _log_domain.kl_divergence(axes, z_p, z_q)


@dataclasses.dataclass(frozen=True)
class Jeffreys(Form):
    def __call__(self, t: jax.Array) -> jax.Array:
        return _numerics.jeffreys_term(t, jnp.ones_like(t))

    def term(self, p: jax.Array, q: jax.Array) -> jax.Array:
        return _numerics.jeffreys_term(p, q)

    def row(self, axes: Axes, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
        return _log_domain.jeffreys_divergence(axes, z_p, z_q)


@dataclasses.dataclass(frozen=True)
class JensenShannon(Form):
    weight: float

    def __call__(self, t: jax.Array) -> jax.Array:
        return self.term(t, jnp.ones_like(t))

    def term(self, p: jax.Array, q: jax.Array) -> jax.Array:
        return _numerics.jensen_shannon_terms(p, q, p - q, jnp.asarray(self.weight, p.dtype))

    def row(self, axes: Axes, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
        weight = jnp.full((1,) * z_p.ndim, self.weight, z_p.dtype)
        return _log_domain.jensen_shannon_divergence(axes, z_p, z_q, weight)


class ByRatio(Form):
    """A generator given by functions of `r = log(p/q)`, each accurate also where r is small.

    At the boundary the slopes are their limits at `r = -inf` and `r = inf`, where these are finite.
    """

    at_zero: Any
    slope_at_infinity: Any

    @property
    def growth(self) -> float:
        """Slopes grow no faster than `exp(growth |r|)`."""
        return 2.0

    @abstractmethod
    def split(self, r: jax.Array) -> tuple[jax.Array, jax.Array]:
        """An exponent x and a bounded factor b: `q f(e^r) - f'(1) (p - q)` is `max(p, q) e^x b`."""

    @abstractmethod
    def slope_p(self, r: jax.Array) -> jax.Array:
        """`f'(e^r) - f'(1)`."""

    @abstractmethod
    def slope_q(self, r: jax.Array) -> jax.Array:
        """`f(t) - t f'(t) + f'(1)` at `t = e^r`."""

    def limits(self, dtype: Any) -> tuple[jax.Array, jax.Array]:
        """What a p without q adds, and a q without p: `slope_at_infinity` and `at_zero`."""
        return jnp.asarray(self.slope_at_infinity, dtype), jnp.asarray(self.at_zero, dtype)

    def row(self, axes: Axes, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
        return _log_domain.ratio_divergence(self)(axes, z_p, z_q)


class Inside(ByRatio):
    """One whose term is known for positive p and q; the boundary follows from the limits."""

    @abstractmethod
    def inside(self, p: jax.Array, q: jax.Array, difference: jax.Array) -> jax.Array:
        """The term for positive p and q."""

    def term(self, p: jax.Array, q: jax.Array) -> jax.Array:
        return ratio_term(self, p, q)


def _is_zero(x: jax.Array) -> jax.Array:
    """1 where x is 0, 0 where it is positive: arithmetic, for sums."""
    least = _numerics.tiny(x)
    return jnp.minimum(jnp.maximum(least - x, 0) / least, 1)


def _weigh(x: jax.Array, known: float, limit: jax.Array) -> jax.Array:
    """`x * limit`, where `0 * inf` is 0: if the limit is infinite, a quotient by 0 for positive x and 1 for zero."""
    if math.isfinite(known):
        return x * limit
    return x / (1 - jnp.minimum(x * float(jnp.finfo(x.dtype).max), 1))


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def ratio_term(form: Inside, p: jax.Array, q: jax.Array) -> jax.Array:
    """The term of `form`; where one of p and q is 0 the ratio is taken as 1, and a limit is added."""
    p_only, q_only = form.limits(p.dtype)
    p_zero, q_zero = _is_zero(p), _is_zero(q)
    edge = jnp.maximum(p_zero, q_zero)
    inside = form.inside(p + edge, q + edge, (1 - edge) * (p - q))
    outside = _weigh(q_zero * p, form.slope_at_infinity, p_only) + _weigh(p_zero * q, form.at_zero, q_only)
    return (1 - edge) * inside + outside + 0 * jnp.sqrt(jnp.minimum(p, q))


def _ratio_jvp(form: Inside, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (p, q), (dp, dq) = _numerics.apart(*primals), tangents

    def slope(own: jax.Array, other: jax.Array, rule: Callable, sign: float, only: int) -> jax.Array:
        """Inside by the rule; a limit where one is 0; an infinite one of a finite value is 0."""
        limits = form.limits(own.dtype)
        edge, one = (p == 0) | (q == 0), jnp.ones_like(p)
        held_p, held_q = jnp.where(edge, one, p), jnp.where(edge, one, q)
        inside = rule(_numerics.log_ratio(held_p, held_q, held_p - held_q))
        last = rule(jnp.asarray(sign * jnp.inf, p.dtype))
        alone = jnp.where(jnp.isfinite(last), last, jnp.zeros_like(last))  # own is 0, other is not
        alone = jnp.where(jnp.isinf(limits[1 - only]), -jnp.inf, alone)
        corner = jnp.where(jnp.isfinite(limits[only]), limits[only], jnp.zeros_like(alone))
        at_edge = jnp.where(other == 0, jnp.where(own == 0, corner, limits[only]), alone)
        return jnp.where(edge, at_edge, inside).astype(own.dtype)

    terms = (dp, lambda: slope(p, q, form.slope_p, -1.0, 0)), (dq, lambda: slope(q, p, form.slope_q, 1.0, 1))
    return ratio_term(form, *primals), _numerics.linear(p, *terms)


ratio_term.defjvp(_ratio_jvp, symbolic_zeros=True)


@dataclasses.dataclass(frozen=True)
class TotalVariation(ByRatio):
    at_zero: float = 0.5
    slope_at_infinity: float = 0.5

    def __call__(self, t: jax.Array) -> jax.Array:
        return 0.5 * jnp.abs(t - 1)

    def term(self, p: jax.Array, q: jax.Array) -> jax.Array:
        return _distances.total_variation_term(p, q)

    def row(self, axes: Axes, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
        return _log_domain.ratio_divergence(self, is_distance=True)(axes, z_p, z_q)

    def split(self, r: jax.Array) -> tuple[jax.Array, jax.Array]:
        return jnp.zeros_like(r), -0.5 * jnp.expm1(-jnp.abs(r))

    def slope_p(self, r: jax.Array) -> jax.Array:
        return 0.5 * jnp.sign(r)

    def slope_q(self, r: jax.Array) -> jax.Array:
        return -0.5 * jnp.sign(r)


@dataclasses.dataclass(frozen=True)
class Pearson(ByRatio):
    at_zero: float = 1.0
    slope_at_infinity: float = float("inf")

    def __call__(self, t: jax.Array) -> jax.Array:
        return jnp.square(t - 1)

    def term(self, p: jax.Array, q: jax.Array) -> jax.Array:
        return _distances.chi_squared_term(p, q)

    def split(self, r: jax.Array) -> tuple[jax.Array, jax.Array]:
        return jnp.maximum(r, 0), jnp.square(jnp.expm1(-jnp.abs(r)))

    def slope_p(self, r: jax.Array) -> jax.Array:
        return 2 * jnp.expm1(r)

    def slope_q(self, r: jax.Array) -> jax.Array:
        return -jnp.expm1(2 * r)


@dataclasses.dataclass(frozen=True)
class SquaredHellinger(ByRatio):
    at_zero: float = 0.5
    slope_at_infinity: float = 0.5

    def __call__(self, t: jax.Array) -> jax.Array:
        return 0.5 * jnp.square(jnp.sqrt(t) - 1)

    def term(self, p: jax.Array, q: jax.Array) -> jax.Array:
        return _distances.squared_hellinger_term(p, q)

    def split(self, r: jax.Array) -> tuple[jax.Array, jax.Array]:
        return jnp.zeros_like(r), 0.5 * jnp.square(jnp.expm1(-0.5 * jnp.abs(r)))

    def slope_p(self, r: jax.Array) -> jax.Array:
        return -0.5 * jnp.expm1(-0.5 * r)

    def slope_q(self, r: jax.Array) -> jax.Array:
        return -0.5 * jnp.expm1(0.5 * r)


@dataclasses.dataclass(frozen=True)
class Triangular(ByRatio):
    at_zero: float = 1.0
    slope_at_infinity: float = 1.0

    def __call__(self, t: jax.Array) -> jax.Array:
        return jnp.square(t - 1) / (t + 1)

    def term(self, p: jax.Array, q: jax.Array) -> jax.Array:
        return _distances.triangular_term(p, q)

    def split(self, r: jax.Array) -> tuple[jax.Array, jax.Array]:
        return jnp.zeros_like(r), -jnp.expm1(-jnp.abs(r)) * jnp.tanh(0.5 * jnp.abs(r))

    def slope_p(self, r: jax.Array) -> jax.Array:
        s = jnp.tanh(0.5 * r)
        return s * (2 - s)

    def slope_q(self, r: jax.Array) -> jax.Array:
        return self.slope_p(-r)


def _second_exponential(x: jax.Array) -> jax.Array:
    """`(e^x - 1 - x) / x^2`, by its series where that would cancel."""
    held = jnp.clip(x, -1, 1)
    series = jnp.full_like(x, 1 / math.factorial(20))
    for n in range(19, 1, -1):
        series = series * held + 1 / math.factorial(n)
    far = jnp.where(jnp.abs(x) > 1, x, jnp.ones_like(x))
    return jnp.where(jnp.abs(x) > 1, (jnp.expm1(far) - far) / (far * far), series)


@dataclasses.dataclass(frozen=True)
class Alpha(Inside):
    """Minka's, for alpha at most 1/2 and other than 0; the others are these reversed."""

    alpha: float

    @property
    def at_zero(self) -> float:
        return 1 / self.alpha if self.alpha > 0 else float("inf")

    @property
    def slope_at_infinity(self) -> float:
        return 1 / (1 - self.alpha)

    @property
    def growth(self) -> float:
        return 1 + abs(self.alpha)

    def __call__(self, t: jax.Array) -> jax.Array:
        exponent, factor = self.split(jnp.log(t))
        return jnp.maximum(t, 1) * jnp.exp(exponent) * factor

    def split(self, r: jax.Array) -> tuple[jax.Array, jax.Array]:
        """`((e^r - 1) - (e^(a r) - 1)/a) / (1 - a)`, a difference of two `(e^x - 1 - x)/x^2` where r is small."""
        a = self.alpha
        small = jnp.abs(r) * max(1, abs(a)) < 1
        held = jnp.where(small, r, jnp.zeros_like(r))
        near = held * held * (_second_exponential(held) - a * _second_exponential(a * held))
        end = 600.0 if r.dtype == jnp.float64 else 60.0  # above it the factor is at its limit
        far = jnp.minimum(jnp.where(small, jnp.ones_like(r), r), end)
        growth = max(-a, 0.0) * jnp.maximum(-far, 0)
        beyond = (jnp.expm1(far) - jnp.expm1(a * far) / a) * jnp.exp(-jnp.maximum(far, 0))
        if a < 0:
            beyond = jnp.where(far < 0, jnp.expm1(far) * jnp.exp(-growth) + jnp.expm1(-growth) / a, beyond)
        growing = max(-a, 0.0) * jnp.maximum(-r, 0)
        near = near * jnp.exp(-jnp.maximum(held, 0) - max(-a, 0.0) * jnp.maximum(-held, 0))
        return growing, jnp.where(small, near, beyond) / (1 - a)

    def inside(self, p: jax.Array, q: jax.Array, difference: jax.Array) -> jax.Array:
        """With a power, which a large exponent does not harm."""
        s = difference / (p + q)
        _, factor = self.split(s * (2 + _numerics.atanh_excess(s, jnp.log(p / q))))
        return jnp.maximum(p, q) * jnp.power(jnp.maximum(q / p, 1), max(-self.alpha, 0.0)) * factor

    def slope_p(self, r: jax.Array) -> jax.Array:
        return jnp.expm1((self.alpha - 1) * r) / (self.alpha - 1)

    def slope_q(self, r: jax.Array) -> jax.Array:
        return -jnp.expm1(self.alpha * r) / self.alpha
