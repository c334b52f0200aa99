"""Rényi divergence of rows: `log(1 + (a-1) U / v) / (a-1)` of Tsallis' divergence U and the mass v.

With `y = (a-1) R` the value R is its own best friend in the derivatives: `1 + (a-1) U / v = e^y`, so that no
difference of large numbers is left, and order 1 is nothing special.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo import _numerics, _powers
from jaxinfo._log_domain._power_divergence import (
    Pair,
    change_of_order,
    edges,
    fast_power_sum,
    pair_of_tables,
    rule,
    tsallis_terms,
)
from jaxinfo._log_domain._rows import Axes, adaptive, change, row_max, total, with_limit


def _masses(axes: Axes, p: jax.Array, q: jax.Array, a: jax.Array) -> tuple[jax.Array, jax.Array]:
    """v, and its derivative in the order."""
    of_p, of_q = total(p, axes), total(q, axes)
    difference = jnp.where(a > 1, jnp.zeros_like(of_p), of_p - of_q)
    return jnp.where(a > 1, of_p, a * of_p + (1 - a) * of_q), difference


def log_power_sum(axes: Axes, t: Pair) -> jax.Array:
    """`log sum p^a q^(1-a)`: of the sum if that is a float, else from logarithms."""
    s = total(t.power, axes)
    m = row_max(t.log_power, axes)
    held = jnp.where(jnp.isinf(m), jnp.zeros_like(m), m)
    apart = held + jnp.log(total(jnp.exp(t.log_power - held), axes))
    least = jnp.asarray(jnp.finfo(s.dtype).tiny, s.dtype) * 2.0**30
    return jnp.where((s > least) & (s < 1 / least), jnp.log(s), apart)


def of_pair(axes: Axes, t: Pair, a: jax.Array, v: jax.Array) -> jax.Array:
    u = total(tsallis_terms(t, a), axes)
    massless = jnp.where(u > 0, jnp.inf, u)
    u = _numerics.quotient(u, v)
    x = (a - 1) * u
    usual = (x > -0.5) & (x < jnp.inf)
    near = u * _powers.log1p_ratio(jnp.where(usual, x, jnp.zeros_like(x)))
    far = (log_power_sum(axes, t) - jnp.log(v)) / jnp.where(a == 1, jnp.ones_like(a), a - 1)
    uncovered = (a >= 1) & jnp.any(t.only_p, axis=axes, keepdims=True)
    value = jnp.where(uncovered & ~jnp.isnan(u), jnp.inf, jnp.where(usual | jnp.isnan(u), near, far))
    return jnp.where(v == 0, massless, value)


def _accurate(axes: Axes, p: jax.Array, q: jax.Array, a: jax.Array) -> jax.Array:
    return of_pair(axes, pair_of_tables(p, q, a), a, _masses(axes, p, q, a)[0])


def _fast(axes: Axes, p: jax.Array, q: jax.Array, a: jax.Array) -> jax.Array:
    """`log(S/v) / (a-1)`, where the logarithm is neither small nor large."""
    v, _ = _masses(axes, p, q, a)
    excess = jnp.where(a > 1, (a - 1) * (total(p, axes) - total(q, axes)), jnp.zeros_like(v))
    log_ratio = jnp.log((fast_power_sum(axes, p, q, a) - excess) / v)
    return jnp.where((jnp.abs(log_ratio) > 0.125) & (jnp.abs(log_ratio) < 4), log_ratio / (a - 1), jnp.nan)


_value = adaptive(_fast, _accurate, 0.0)


def _per_mass(slope: jax.Array, v: jax.Array) -> jax.Array:
    """0 where p has no mass."""
    return jnp.where(v == 0, jnp.zeros_like(slope), slope / jnp.where(v == 0, jnp.ones_like(v), v))


def _slope_p(t: Pair, a: jax.Array, v: jax.Array, value: jax.Array) -> jax.Array:
    b, zero = a - 1, jnp.zeros_like(t.p)
    finite = jnp.where(jnp.isinf(value), jnp.zeros_like(value), value)
    beyond = jnp.where(a > 1, -jnp.expm1(-b * finite), jnp.zeros_like(v))
    inside = a * _powers.deformed_log(b, t.log_ratio - finite) + beyond
    rest = jnp.where(b == 0, jnp.ones_like(b), b)
    falling = jnp.where(a > 1, beyond - a / rest, jnp.where(jnp.isinf(value) & (a < 1), -jnp.inf, jnp.zeros_like(v)))
    rising = jnp.where(a < 1, -a / rest, jnp.inf)
    nowhere = jnp.where(a < 1, -a / rest, jnp.zeros_like(v))
    return _per_mass(edges(t, zero + falling, zero + rising, zero + nowhere, inside), v)


def _slope_q(t: Pair, a: jax.Array, v: jax.Array, value: jax.Array) -> jax.Array:
    zero = jnp.zeros_like(t.p)
    y = (a - 1) * jnp.where(jnp.isinf(value), jnp.zeros_like(value), value)
    x = a * t.log_ratio
    near = jnp.abs(x) < 1
    above = jnp.where(near, jnp.expm1(jnp.where(near, x, zero)) * jnp.exp(-y), jnp.exp(x - y) - jnp.exp(-y))
    inside = -jnp.where(a > 1, above, jnp.expm1(x - y))
    alone = jnp.where(a > 1, jnp.exp(-y), jnp.ones_like(y))
    steep = jnp.where((a >= 1) | jnp.isinf(value), -jnp.inf, jnp.zeros_like(v))
    steep = jnp.where(a == 0, -jnp.expm1(-y), steep)
    return _per_mass(edges(t, zero + alone, zero + steep, zero + alone, inside), v)


def by_order(
    axes: Axes, pair: Callable[[jax.Array], Pair], a: jax.Array, value: jax.Array, v: jax.Array, dv: jax.Array
) -> jax.Array:
    """`U' e^-y / v - R^2 (e^-y - 1 + y) / y^2`; for a large y the mean of `log(p/q)` under the powers, less R.

    `dv` is the derivative of the mass.
    """
    y = (a - 1) * value
    near = jnp.abs(y) < 1
    y = jnp.where(near, y, jnp.zeros_like(y))
    du = change_of_order(tsallis_terms, axes, pair, a)
    of_mass = dv / v * _powers.deformed_log(-(a - 1), value) * near.astype(v.dtype)
    close = jnp.exp(-y) * du / v - of_mass - value * value * _powers.exp_excess(-y)
    t = pair(a)
    m = row_max(t.log_power, axes)
    weight = jnp.exp(t.log_power - jnp.where(jnp.isinf(m), jnp.zeros_like(m), m))
    mean = change(weight * t.log_ratio, axes) / change(weight, axes)
    far = (mean - value - dv / v) / jnp.where(near, jnp.ones_like(a), a - 1)
    return jnp.where(jnp.isinf(value), jnp.zeros_like(value), jnp.where(near, close, far))


def _by_order(axes: Axes, value: jax.Array, p: jax.Array, q: jax.Array, a: jax.Array) -> jax.Array:
    return by_order(axes, partial(pair_of_tables, p, q), a, value, *_masses(axes, p, q, a))


def _tangent(axes: Axes, value: jax.Array, p: jax.Array, q: jax.Array, a: jax.Array, dp: Any, dq: Any) -> jax.Array:
    t, (v, _) = pair_of_tables(p, q, a), _masses(axes, p, q, a)
    slopes = (dp, lambda: _slope_p(t, a, v, value)), (dq, lambda: _slope_q(t, a, v, value))
    return change(_numerics.linear(p, *slopes), axes)


_of_finite_order = rule(_value, _tangent, _by_order)


def _of_infinite_order(axes: Axes, p: jax.Array, q: jax.Array) -> jax.Array:
    """`log max(p/q)`."""
    one = jnp.ones_like(p)
    ratio = _numerics.log_ratio(p, jnp.where(p == 0, one, q), p - q)
    ratio = jnp.where((p < 0) | (q < 0), jnp.nan, jnp.where(p == 0, -jnp.inf, ratio))
    return jnp.max(ratio, axis=axes, keepdims=True, initial=-jnp.inf)


def renyi_divergence(axes: Axes, p: jax.Array, q: jax.Array, a: jax.Array) -> jax.Array:
    return with_limit(_of_finite_order, _of_infinite_order, axes, p, q, a)
