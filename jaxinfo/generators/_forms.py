"""What the sum of an f-divergence is made of: its term on tables, and its value from rows of logits."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
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
    def table(self, axes: Axes, p: jax.Array, q: jax.Array) -> jax.Array:
        """The divergence of two rows of probabilities, summed axes kept."""

    @abstractmethod
    def row(self, axes: Axes, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
        """The divergence of two rows of logits, summed axes kept."""


class Sum(Form):
    """One with a term for each pair of probabilities."""

    @abstractmethod
    def term(self, p: jax.Array, q: jax.Array) -> jax.Array:
        """`q f(p/q) - f'(1) (p - q)`."""

    def table(self, axes: Axes, p: jax.Array, q: jax.Array) -> jax.Array:
        return _numerics.row_sum(self.term(p, q), axes, True)


@dataclasses.dataclass(frozen=True)
class Reversed(Form):
    """`t f(1/t)`, the generator of the divergence with its arguments exchanged."""

    form: Form

    def __call__(self, t: jax.Array) -> jax.Array:
        return t * self.form(1 / t)

    def table(self, axes: Axes, p: jax.Array, q: jax.Array) -> jax.Array:
        return self.form.table(axes, q, p)

    def row(self, axes: Axes, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
        return self.form.row(axes, z_q, z_p)


@dataclasses.dataclass(frozen=True)
class KullbackLeibler(Sum):
    def __call__(self, t: jax.Array) -> jax.Array:
        return _numerics.kl_term(t, jnp.ones_like(t))

    def term(self, p: jax.Array, q: jax.Array) -> jax.Array:
        return _numerics.kl_term(p, q)

    def row(self, axes: Axes, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
        return _log_domain.kl_divergence(axes, z_p, z_q)


@dataclasses.dataclass(frozen=True)
class Jeffreys(Sum):
    def __call__(self, t: jax.Array) -> jax.Array:
        return _numerics.jeffreys_term(t, jnp.ones_like(t))

    def term(self, p: jax.Array, q: jax.Array) -> jax.Array:
        return _numerics.jeffreys_term(p, q)

    def row(self, axes: Axes, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
        return _log_domain.jeffreys_divergence(axes, z_p, z_q)


@dataclasses.dataclass(frozen=True)
class JensenShannon(Sum):
    weight: float

    def __call__(self, t: jax.Array) -> jax.Array:
        return self.term(t, jnp.ones_like(t))

    def term(self, p: jax.Array, q: jax.Array) -> jax.Array:
        return _numerics.jensen_shannon_terms(p, q, p - q, jnp.asarray(self.weight, p.dtype))

    def row(self, axes: Axes, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
        weight = jnp.full((1,) * z_p.ndim, self.weight, z_p.dtype)
        return _log_domain.jensen_shannon_divergence(axes, z_p, z_q, weight)


class ByRatio(Sum):
    """A generator given by functions of `r = log(p/q)`, each accurate also where r is small.

    At the boundary the slopes are their limits at `r = -inf` and `r = inf`, where these are finite.
    """

    at_zero: Any
    slope_at_infinity: Any

    @property
    def growth(self) -> float:
        """Slopes grow no faster than `exp(growth |r|)`."""
        return 2.0

    @property
    def small(self) -> float:
        """Below it the digits of `p - q` show in the divergence."""
        return 0.25

    @abstractmethod
    def split(self, r: jax.Array) -> tuple[jax.Array, jax.Array]:
        """An exponent x and a bounded factor b: `q f(e^r) - f'(1) (p - q)` is `max(p, q) e^x b`."""

    @abstractmethod
    def slope_p(self, r: jax.Array) -> jax.Array:
        """`f'(e^r) - f'(1)`."""

    @abstractmethod
    def slope_q(self, r: jax.Array) -> jax.Array:
        """`f(t) - t f'(t) + f'(1)` at `t = e^r`."""

    def inside(self, p: jax.Array, q: jax.Array) -> jax.Array:
        """The term of positive p and q; elsewhere it may be NaN or infinite instead."""
        return self.term(p, q)

    def limits(self, dtype: Any) -> tuple[jax.Array, jax.Array]:
        """What a p without q adds, and a q without p: `slope_at_infinity` and `at_zero`."""
        return jnp.asarray(self.slope_at_infinity, dtype), jnp.asarray(self.at_zero, dtype)

    def row(self, axes: Axes, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
        return _log_domain.ratio_divergence(self)(axes, z_p, z_q)


@dataclasses.dataclass(frozen=True)
class TotalVariation(ByRatio):
    at_zero: float = 0.5
    slope_at_infinity: float = 0.5

    def __call__(self, t: jax.Array) -> jax.Array:
        return 0.5 * jnp.abs(t - 1)

    def term(self, p: jax.Array, q: jax.Array) -> jax.Array:
        return _distances.total_variation_term(p, q)

    def inside(self, p: jax.Array, q: jax.Array) -> jax.Array:
        return 0.5 * jnp.abs(p - q)

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

    def inside(self, p: jax.Array, q: jax.Array) -> jax.Array:
        return _distances.chi_squared(p, q)

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

    @property
    def small(self) -> float:
        return 1 / 64

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

    def inside(self, p: jax.Array, q: jax.Array) -> jax.Array:
        return _distances.triangular(p, q)

    def split(self, r: jax.Array) -> tuple[jax.Array, jax.Array]:
        return jnp.zeros_like(r), -jnp.expm1(-jnp.abs(r)) * jnp.tanh(0.5 * jnp.abs(r))

    def slope_p(self, r: jax.Array) -> jax.Array:
        s = jnp.tanh(0.5 * r)
        return s * (2 - s)

    def slope_q(self, r: jax.Array) -> jax.Array:
        return self.slope_p(-r)


@dataclasses.dataclass(frozen=True)
class Alpha(Form):
    """Minka's."""

    alpha: float

    def _order(self, like: jax.Array) -> jax.Array:
        return jnp.full((1,) * like.ndim, self.alpha, like.dtype)

    def __call__(self, t: jax.Array) -> jax.Array:
        entries = jnp.expand_dims(t, -1)
        return jnp.squeeze(self.table((-1,), entries, jnp.ones_like(entries)), -1)

    def table(self, axes: Axes, p: jax.Array, q: jax.Array) -> jax.Array:
        return _log_domain.alpha_divergence_of_tables(axes, p, q, self._order(p))

    def row(self, axes: Axes, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
        return _log_domain.alpha_divergence_of_logits(axes, z_p, z_q, self._order(z_p))
