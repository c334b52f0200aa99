"""Pointwise information `log(p(x,y) c / (p(x) p(y)))` of tables of mass c, X on axis -2 and Y on axis -1.

The logarithm as it stands is off by a few units of 1, and an entry moves by as much when the table does; except in a
row or column that is heavy, with more than three quarters of the mass. There an entry that has most of its own column
or row is seen from the rest of that, and the one where a heavy row and column meet from the rests of both.

Arithmetic on tables, selects on their rows and columns only: XLA on a CPU is fast with the one and slow with the other.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxinfo import _numerics
from jaxinfo._log_domain._information import close_tables, is_close
from jaxinfo._log_domain._rows import Axes, again, present, row_max, selective, total

_AXES = (-2, -1)


def _heavy(mass: jax.Array, whole: jax.Array) -> jax.Array:
    return mass > 0.75 * whole


def _any_heavy(p_x: jax.Array, p_y: jax.Array, whole: jax.Array) -> jax.Array:
    some = [jnp.any(_heavy(p, whole), axis=axis, keepdims=True) for p, axis in ((p_x, -2), (p_y, -1))]
    return some[0] | some[1]


class _Side(NamedTuple):
    """Rows, or columns, of a table: which is heavy; their masses; what each has outside the heavy one of the others.

    `mass` and `rest` are in a unit that each may have for itself, which is `unit` in that of the table.
    """

    heavy: jax.Array
    mass: jax.Array
    rest: jax.Array
    unit: jax.Array | float = 1.0

    def light(self) -> jax.Array:
        """1 for the others, 0 for the heavy one."""
        return 1 - self.heavy.astype(self.mass.dtype)

    def in_table(self) -> tuple[jax.Array, jax.Array]:
        return self.mass * self.unit, self.rest * self.unit


def _values_in_heavy(side: _Side, axis: int, whole: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Whether each has most of its mass in the heavy one of the others, and `log(share) - log(mass/c)` there."""
    major = side.rest < 0.5 * side.mass
    share = jnp.where(major, side.rest, jnp.zeros_like(side.rest)) / _safe(side.mass)
    outside = jnp.sum(side.in_table()[1], axis=axis, keepdims=True)
    value = _numerics.log1p(-share) - _numerics.log1p(-jnp.where(outside < 0.5 * whole, outside, 0 * whole) / whole)
    return major.astype(value.dtype), jnp.where(major, value, jnp.zeros_like(value))


def _crossing(x: _Side, y: _Side) -> jax.Array:
    """Where a heavy row and a heavy column meet.

    With a and b the rest of the row and of the column and d what is in neither, `p c - (p + a)(p + b) = p d - a b`.
    """
    d = jnp.sum(x.light() * x.in_table()[1], axis=-2, keepdims=True)
    p_x, a = (jnp.sum(jnp.where(x.heavy, t, jnp.zeros_like(t)), axis=-2, keepdims=True) for t in x.in_table())
    p_y, b = (jnp.sum(jnp.where(y.heavy, t, jnp.zeros_like(t)), axis=-1, keepdims=True) for t in y.in_table())
    p_x, p_y = _safe(p_x), _safe(p_y)
    excess = ((p_x - a) / p_x) * (d / p_y) - (a / p_x) * (b / p_y)
    return _numerics.log1p(jnp.maximum(excess, -0.5))  # less only where nothing crosses


def _delicate(x: _Side, y: _Side, whole: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The entries of heavy rows and columns that need care: 1 or 0, and their values or 0."""
    major_x, value_x = _values_in_heavy(x, -2, whole)  # in the heavy column
    major_y, value_y = _values_in_heavy(y, -1, whole)  # in the heavy row
    value_x = jnp.where(x.heavy, _crossing(x, y), value_x)
    in_column, in_row = (1 - y.light()) * major_x, (1 - x.light()) * (major_y * y.light())
    return in_column + in_row, in_column * value_x + in_row * value_y


def _safe(mass: jax.Array) -> jax.Array:
    return jnp.where(mass == 0, jnp.ones_like(mass), mass)


# Tables of probabilities


def _marginals(p: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    p_x = total(p, (-1,))
    return p_x, total(p, (-2,)), total(p_x, (-2,))


def _table_fast(axes: Axes, p: jax.Array, *marginals: jax.Array) -> jax.Array:
    """Of tables without empty rows and columns: all of it is one fusion, hence no fences."""
    del marginals
    p_x, p_y = jnp.sum(p, axis=-1, keepdims=True), jnp.sum(p, axis=-2, keepdims=True)
    return jnp.log((p * (1 / p_x)) * (jnp.sum(p, axis=axes, keepdims=True) / p_y))


def _table_accurate(
    axes: Axes, rows: jax.Array, p: jax.Array, p_x: jax.Array, p_y: jax.Array, mass: jax.Array
) -> jax.Array:
    del axes
    heavy_x, heavy_y = _heavy(p_x, mass) & rows, _heavy(p_y, mass) & rows
    light_x, light_y = (1 - heavy.astype(p.dtype) for heavy in (heavy_x, heavy_y))
    x = _Side(heavy_x, p_x, total(p * light_y, (-1,)))
    y = _Side(heavy_y, p_y, total(p * light_x, (-2,)))
    chosen, value = _delicate(x, y, _safe(mass))
    empty = jnp.maximum((p_x == 0).astype(p.dtype), (p_y == 0).astype(p.dtype))  # the logarithm of 1 there
    plain = jnp.log((p * (1 / _safe(p_x))) * (mass / _safe(p_y)) + empty)
    return (1 - chosen) * plain + value


_table = selective(_table_fast, _table_accurate)


def pointwise_of_table(p: jax.Array) -> jax.Array:
    """`-inf` where only p(x,y) is 0, 0 where a marginal is."""
    p_x, p_y, mass = _marginals(p)
    empty = jnp.any(p_x == 0, axis=-2, keepdims=True) | jnp.any(p_y == 0, axis=-1, keepdims=True)
    return _table(_AXES, empty | _any_heavy(p_x, p_y, mass), p, p_x, p_y, mass)


# Tables of logits


class _Margins(NamedTuple):
    """The maximum of each row, of each column and of the table, 0 where all are masked; the sums of `exp(z - max)`."""

    m_x: jax.Array
    s_x: jax.Array
    m_y: jax.Array
    s_y: jax.Array
    m: jax.Array
    s: jax.Array

    def units(self) -> tuple[jax.Array, jax.Array]:
        """Those of the sums, in terms of the greatest entry."""
        return jnp.exp(self.m_x - self.m), jnp.exp(self.m_y - self.m)


def _margins(z: jax.Array) -> _Margins:
    m_x, m_y, m = (row_max(z, axes) for axes in ((-1,), (-2,), _AXES))
    m_x, m_y, held = (jnp.where(t == -jnp.inf, jnp.zeros_like(t), t) for t in (m_x, m_y, m))
    s_x, s_y = total(jnp.exp(z - m_x), (-1,)), total(jnp.exp(z - m_y), (-2,))
    mass = total(s_x * jnp.exp(m_x - held), (-2,))
    return _Margins(m_x, s_x, m_y, s_y, jnp.where(m == -jnp.inf, jnp.nan, held), mass)


def _logits_fast(axes: Axes, z: jax.Array, *margins: jax.Array) -> jax.Array:
    """The counts of x and y cancel; with them the logarithms are small where the table is flat."""
    del axes
    t, n_x, n_y = _Margins(*margins), float(z.shape[-2]), float(z.shape[-1])
    empty_x, empty_y = t.s_x == 0, t.s_y == 0
    kept = jnp.minimum(1 - empty_x.astype(z.dtype), 1 - empty_y.astype(z.dtype))
    here = present(z)
    # Maxima apart from the rest: they are large, and often cancel.
    one, lost = _numerics.exact_sum(jnp.where(here, z, jnp.zeros_like(z)), -t.m_x)
    other, lost_too = _numerics.exact_sum(t.m, -t.m_y)
    maxima, last = _numerics.exact_sum(one, jnp.broadcast_to(other, z.shape))
    rows = jnp.log(_safe(t.s_x) / n_y)
    columns = jnp.log(_safe(t.s_y) / n_x) - jnp.log(t.s / (n_x * n_y))
    density = (maxima + (last + lost + lost_too)) - (rows + columns)
    return jnp.where(here | (kept == 0), density * kept, -jnp.inf)


def _logits_accurate(axes: Axes, rows: jax.Array, z: jax.Array, *margins: jax.Array) -> jax.Array:
    t = _Margins(*margins)
    unit_x, unit_y = t.units()
    heavy_x, heavy_y = _heavy(t.s_x * unit_x, t.s) & rows, _heavy(t.s_y * unit_y, t.s) & rows
    light_x, light_y = (1 - heavy.astype(z.dtype) for heavy in (heavy_x, heavy_y))
    x = _Side(heavy_x, t.s_x, total(jnp.exp(z - again(t.m_x, t.s_x)) * light_y, (-1,)), unit_x)
    y = _Side(heavy_y, t.s_y, total(jnp.exp(z - again(t.m_y, t.s_y)) * light_x, (-2,)), unit_y)
    chosen, value = _delicate(x, y, _safe(t.s))
    return (1 - chosen) * _logits_fast(axes, z, *margins) + value


_logits = selective(_logits_fast, _logits_accurate)


def _far(axes: Axes, z: jax.Array) -> jax.Array:
    t = _margins(z)
    unit_x, unit_y = t.units()
    return _logits(axes, _any_heavy(t.s_x * unit_x, t.s_y * unit_y, t.s), z, *t)


def _close(axes: Axes, close: jax.Array, z: jax.Array) -> jax.Array:
    _, given, alone, difference = close_tables(axes, z)
    excess = _numerics.quotient(difference, alone)
    near = jnp.abs(excess) < 0.5
    ratio = jnp.where(near, jnp.ones_like(z), jnp.where(alone > 0, given / _safe(alone), jnp.ones_like(z)))
    density = jnp.where(near, _numerics.log1p(jnp.where(near, excess, jnp.zeros_like(z))), jnp.log(ratio))
    empty = jnp.all(~present(z), axis=-1, keepdims=True) | (alone == 0)
    return jnp.where(close, jnp.where(empty, jnp.zeros_like(z), density), _far(axes, z))


_far_or_close = selective(_far, _close)


def pointwise_of_logits(z: jax.Array) -> jax.Array:
    """`-inf` where only the pair is masked, 0 where x or y is masked throughout."""
    return _far_or_close(_AXES, is_close(_AXES, z), z)
