"""Pointwise information `log(p(x,y) / (p(x) p(y)))` from tables of logits, X on axis -2 and Y on axis -1.

As the difference of the logit and of the logarithms of the marginals it is off by a few units of these, and an entry
moves by as much when the logits do; except in three cases:

* A row or column has very little of the mass: its own logit and mass are large and cancel, so each row and column is
  measured from its own maximum.
* A row or column is heavy, with more than three quarters of the mass. There an entry that has most of its own column or
  row is seen from the rest of that, and the one where a heavy row and column meet from the rests of both.
* The logits are close to each other: information is made of their differences.

Which tables these are is told from the marginals; the others take two sums and one pass over the table.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxinfo import _numerics
from jaxinfo._log_domain._information import close_tables, is_close
from jaxinfo._log_domain._rows import Axes, again, present, row_max, selective, total

_AXES = (-2, -1)
_LITTLE = 2.0**-7  # of the greatest entry: a logarithm of at most five


def _safe(mass: jax.Array) -> jax.Array:
    return jnp.where(mass == 0, jnp.ones_like(mass), mass)


class _Masses(NamedTuple):
    """The maximum of a table, NaN where all is masked; the masses of rows, columns and table in units of its exp."""

    m: jax.Array
    x: jax.Array
    y: jax.Array
    whole: jax.Array


def _masses(z: jax.Array) -> _Masses:
    m = row_max(z, _AXES)
    m = jnp.where(m == -jnp.inf, jnp.nan, m)
    p_x = total(jnp.exp(z - m), (-1,))
    whole = total(p_x, (-2,))
    p_y = total(jnp.exp(z - again(m, whole)), (-2,))
    return _Masses(m, p_x, p_y, whole)


def _is_delicate(mass: _Masses) -> jax.Array:
    """Tables with a row or column that has nearly all or nearly none of the mass."""
    some = [(p < _LITTLE) | _heavy(p, mass.whole) for p in (mass.x, mass.y)]
    return jnp.any(some[0], axis=-2, keepdims=True) | jnp.any(some[1], axis=-1, keepdims=True)


def _plain(axes: Axes, z: jax.Array, *masses: jax.Array) -> jax.Array:
    del axes
    mass = _Masses(*masses)
    common = mass.m + (_numerics.fence(jnp.log(_safe(mass.y))) - jnp.log(mass.whole))
    return (z - common) - _numerics.fence(jnp.log(_safe(mass.x)))


# Heavy rows and columns


def _heavy(mass: jax.Array, whole: jax.Array) -> jax.Array:
    return mass > 0.75 * whole


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


def _in_heavy(x: _Side, y: _Side, whole: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The entries of heavy rows and columns that need care: 1 or 0, and their values or 0."""
    major_x, value_x = _values_in_heavy(x, -2, whole)  # in the heavy column
    major_y, value_y = _values_in_heavy(y, -1, whole)  # in the heavy row
    value_x = jnp.where(x.heavy, _crossing(x, y), value_x)
    in_column, in_row = (1 - y.light()) * major_x, (1 - x.light()) * (major_y * y.light())
    return in_column + in_row, in_column * value_x + in_row * value_y


# Each row and column from its own maximum


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


def _from_maxima(z: jax.Array, t: _Margins) -> jax.Array:
    """The maxima apart from the rest: they are large, and often cancel. So do the counts of x and y in flat tables."""
    n_x, n_y = float(z.shape[-2]), float(z.shape[-1])
    here = present(z)
    one, lost = _numerics.exact_sum(jnp.where(here, z, jnp.zeros_like(z)), -t.m_x)
    other, lost_too = _numerics.exact_sum(t.m, -t.m_y)
    maxima, last = _numerics.exact_sum(one, jnp.broadcast_to(other, z.shape))
    rows = jnp.log(_safe(t.s_x) / n_y)
    columns = jnp.log(_safe(t.s_y) / n_x) - jnp.log(t.s / (n_x * n_y))
    return jnp.where(here, (maxima + (last + lost + lost_too)) - (rows + columns), -jnp.inf)


def _careful(axes: Axes, rows: jax.Array, z: jax.Array, *masses: jax.Array) -> jax.Array:
    t = _margins(z)
    unit_x, unit_y = t.units()
    heavy_x, heavy_y = _heavy(t.s_x * unit_x, t.s), _heavy(t.s_y * unit_y, t.s)
    light_x, light_y = (1 - heavy.astype(z.dtype) for heavy in (heavy_x, heavy_y))
    x = _Side(heavy_x, t.s_x, total(jnp.exp(z - again(t.m_x, t.s_x)) * light_y, (-1,)), unit_x)
    y = _Side(heavy_y, t.s_y, total(jnp.exp(z - again(t.m_y, t.s_y)) * light_x, (-2,)), unit_y)
    chosen, value = _in_heavy(x, y, _safe(t.s))
    careful = (1 - chosen) * _from_maxima(z, t) + value
    return jnp.where(rows, careful, _plain(axes, z, *masses))


_far = selective(_plain, _careful)


# Logits that are close to each other


def _close(axes: Axes, close: jax.Array, z: jax.Array, *masses: jax.Array) -> jax.Array:
    _, given, alone, difference = close_tables(axes, z)
    excess = _numerics.quotient(difference, alone)
    near = jnp.abs(excess) < 0.5
    ratio = jnp.where(near, jnp.ones_like(z), jnp.where(alone > 0, given / _safe(alone), jnp.ones_like(z)))
    density = jnp.where(near, _numerics.log1p(jnp.where(near, excess, jnp.zeros_like(z))), jnp.log(ratio))
    density = jnp.where(present(z), density, -jnp.inf)
    return jnp.where(close, density, _far_of(axes, z, *masses))


def _far_of(axes: Axes, z: jax.Array, *masses: jax.Array) -> jax.Array:
    return _far(axes, _is_delicate(_Masses(*masses)), z, *masses)


_far_or_close = selective(_far_of, _close)


def pointwise_of_logits(z: jax.Array) -> jax.Array:
    """`-inf` where the pair is masked."""
    return _far_or_close(_AXES, is_close(_AXES, z), z, *_masses(z))
