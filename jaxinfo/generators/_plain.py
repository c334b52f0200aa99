"""The divergence of a function that a user wrote, of which only its values, derivative and limits are known."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jaxinfo import _log_domain, _numerics
from jaxinfo.generators._forms import Axes, ByRatio


@dataclasses.dataclass(frozen=True)
class Plain(ByRatio):
    """A function evaluated as it is, less its tangent at 1."""

    f: Callable[[jax.Array], jax.Array]
    at_zero: float
    slope_at_infinity: float

    def __call__(self, t: jax.Array) -> jax.Array:
        return self.f(t)

    def derivative(self, t: jax.Array) -> tuple[jax.Array, jax.Array]:
        return jax.jvp(self.f, (t,), (jnp.ones_like(t),))

    def tangent(self, dtype: Any) -> tuple[jax.Array, jax.Array]:
        """`f(1)`, which is 0 but for a rounding, and `f'(1)`."""
        return self.derivative(jnp.ones((), dtype))

    def limits(self, dtype: Any) -> tuple[jax.Array, jax.Array]:
        _, slope = self.tangent(dtype)
        p_only, q_only = super().limits(dtype)
        return p_only - slope, q_only + slope

    def inside(self, p: jax.Array, q: jax.Array) -> jax.Array:
        zero, slope = self.tangent(p.dtype)
        return q * (self.f(p / q) - zero) - slope * (p - q)

    def term(self, p: jax.Array, q: jax.Array) -> jax.Array:
        """At least 0, as f is convex. Where one of p and q is 0 the ratio is taken as 1, and a limit is added."""
        p_only, q_only = self.limits(p.dtype)
        p_zero, q_zero = _is_zero(p), _is_zero(q)
        edge = jnp.maximum(p_zero, q_zero)
        inside = (1 - edge) * jnp.maximum(self.inside(p + edge, q + edge), 0)
        outside = _weigh(q_zero * p, self.slope_at_infinity, p_only) + _weigh(p_zero * q, self.at_zero, q_only)
        return inside + outside + 0 * jnp.sqrt(jnp.minimum(p, q))

    def table(self, axes: Axes, p: jax.Array, q: jax.Array) -> jax.Array:
        return _row(self)(axes, p, q) if p.size else super().table(axes, p, q)

    def split(self, r: jax.Array) -> tuple[jax.Array, jax.Array]:
        t = jnp.exp(r)
        known = (t > 0) & (t < jnp.inf)
        held = jnp.where(known, t, jnp.ones_like(t))
        zero, slope = self.tangent(r.dtype)
        term = jnp.maximum(self.f(held) - zero - slope * jnp.where(known, jnp.expm1(r), 0), 0) / jnp.maximum(held, 1)
        p_only, q_only = self.limits(r.dtype)
        return jnp.zeros_like(r), jnp.where(known, term, jnp.where(r > 0, p_only, jnp.where(r < 0, q_only, r)))

    def slope_p(self, r: jax.Array) -> jax.Array:
        return self.slopes(jnp.exp(r))[0]

    def slope_q(self, r: jax.Array) -> jax.Array:
        return self.slopes(jnp.exp(r))[1]

    def slopes(self, t: jax.Array) -> tuple[jax.Array, jax.Array]:
        """`f'(t) - f'(1)` and `f(t) - t f'(t) + f'(1)`."""
        zero, slope = self.tangent(t.dtype)
        value, derivative = self.derivative(t)
        return derivative - slope, (value - zero) - t * derivative + slope


def _is_zero(x: jax.Array) -> jax.Array:
    """1 where x is 0, 0 where it is positive: arithmetic, for sums."""
    least = _numerics.tiny(x)
    return jnp.minimum(jnp.maximum(least - x, 0) / least, 1)


def _weigh(x: jax.Array, known: float, limit: jax.Array) -> jax.Array:
    """`x * limit`, where `0 * inf` is 0: if the limit is infinite, a quotient by 0 for positive x and 1 for zero."""
    if math.isfinite(known):
        return x * limit
    return x / (1 - jnp.minimum(x * float(jnp.finfo(x.dtype).max), 1))


def _fast(form: Plain, axes: Axes, p: jax.Array, q: jax.Array) -> jax.Array:
    """NaN for a row with an entry that is not positive, and where a term overflows."""
    p, q = p[None], q[None]  # constants of another shape than in the slopes, lest XLA write them out as tables
    positive = _numerics.own(0, p) * lax.rsqrt(jnp.minimum(p, q))
    value = _numerics.row_sum(form.inside(p, q) + positive, axes, True)[0]
    return jnp.where(value < jnp.inf, jnp.maximum(value, 0), jnp.nan)


def _slope(form: Plain, own: int, axes: Axes, value: jax.Array, p: jax.Array, q: jax.Array) -> jax.Array:
    """In p or in q: a limit where one of them is 0; an infinite one of a finite value is 0."""
    del axes, value
    mine, other = (p, q) if own == 0 else (q, p)
    limits, edge = form.limits(p.dtype), (p == 0) | (q == 0)
    one = jnp.ones_like(p)
    inside = form.slopes(jnp.where(edge, one, p) / jnp.where(edge, one, q))[own]
    last = form.slopes(jnp.asarray((0.0, jnp.inf)[own], p.dtype))[own]
    alone = jnp.where(jnp.isfinite(last), last, jnp.zeros_like(last))  # mine is 0, the other is not
    alone = jnp.where(jnp.isinf(limits[1 - own]), -jnp.inf, alone)
    corner = jnp.where(jnp.isfinite(limits[own]), limits[own], jnp.zeros_like(alone))
    at_edge = jnp.where(other == 0, jnp.where(mine == 0, corner, limits[own]), alone)
    return jnp.where(edge, at_edge, inside).astype(p.dtype)


@cache
def _row(form: Plain) -> Callable[..., jax.Array]:
    """The row function of a form, which is hashable."""
    value = _log_domain.adaptive(
        lambda axes, p, q: _fast(form, axes, p, q),
        lambda axes, p, q: _numerics.row_sum(form.term(p, q), axes, True),
        0.0,
    )
    slopes = (lambda *a: _slope(form, 0, *a)), (lambda *a: _slope(form, 1, *a))
    return _log_domain.row_rule(value, *slopes, infinite=(0, 1))
