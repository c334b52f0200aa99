"""Total and dual total correlation of joint tables, with their derivatives; what they sum over stays an axis."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo import _correlations, _numerics, _variables
from jaxinfo._correlations import DUAL_MOST, DUAL_SMALL, TOTAL_MOST, TOTAL_SMALL
from jaxinfo._log_domain import Axes, adaptive
from jaxinfo.discrete import _joint_rows as rows
from jaxinfo.discrete._whole import CHAIN


def _by_chain(measure: Callable[..., jax.Array]) -> Callable[[Axes, jax.Array], jax.Array]:
    return lambda axes, p: jnp.expand_dims(measure(CHAIN, p, len(axes)), axes)


def _total_slope(axes: Axes, p: jax.Array) -> jax.Array:
    """`log(p c^(n-1) / prod p_i)`, the logarithms of all factors but one taken of the small marginals."""
    mass = _numerics.row_sum(p, axes, True)
    first, *others = _correlations.singles(axes, p)
    value = jnp.log(p * _numerics.fence(1 / _correlations.floored(first)))
    for single in others:
        value = value + jnp.log(mass / _correlations.floored(single))
    return value


def _dual_slope(axes: Axes, p: jax.Array) -> jax.Array:
    """`log(p^(n-1) c / prod p_-i)`."""
    return (len(axes) - 1) * jnp.log(_correlations.root_of_dual_density(axes, p))


def _total_change(axes: Axes, p: jax.Array, dp: jax.Array) -> jax.Array:
    """The tangent of `_total_slope`."""
    left = [tuple(a for a in axes if a != axis) for axis in axes]
    singles = sum(rows.relative(jnp.sum(dp, a, keepdims=True), _numerics.row_sum(p, a, True)) for a in left)
    mass = rows.relative(jnp.sum(dp, axes, keepdims=True), _numerics.row_sum(p, axes, True))
    return rows.relative(dp, p) + (len(axes) - 1) * mass - singles


def _dual_change(axes: Axes, p: jax.Array, dp: jax.Array) -> jax.Array:
    """The tangent of `_dual_slope`."""
    left = [(axis,) for axis in axes]
    others = sum(rows.relative(jnp.sum(dp, a, keepdims=True), _numerics.row_sum(p, a, True)) for a in left)
    mass = rows.relative(jnp.sum(dp, axes, keepdims=True), _numerics.row_sum(p, axes, True))
    return (len(axes) - 1) * rows.relative(dp, p) + mass - others


def _measure(value: Any, slope: Any, change: Any) -> Callable[[jax.Array, int], jax.Array]:
    """A function of tables and a number of variables; entries of 0 have slope 0; `change` is its tangent."""

    @partial(jax.custom_jvp, nondiff_argnums=(0,))
    def slopes(axes: Axes, p: jax.Array) -> jax.Array:
        return jnp.where(p == 0, jnp.zeros_like(p), slope(axes, p))

    @slopes.defjvp
    def _(axes: Axes, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
        return slopes(axes, *primals), change(axes, *primals, *tangents)

    @partial(jax.custom_jvp, nondiff_argnums=(0,))
    def row(axes: Axes, p: jax.Array) -> jax.Array:
        return value(axes, p)

    @row.defjvp
    def _(axes: Axes, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
        (table,), (dp,) = _numerics.apart(*primals), tangents
        return row(axes, *primals), jnp.sum(dp * slopes(axes, table), axis=axes, keepdims=True)

    def measure(p: jax.Array, count: int) -> jax.Array:
        axes = tuple(range(-count, 0))
        return jnp.squeeze(row(axes, p), axes)

    return measure


_total_value = adaptive(_correlations.total_correlation, _by_chain(_variables.total_correlation), TOTAL_SMALL)
_dual_value = adaptive(_correlations.dual_total_correlation, _by_chain(_variables.dual_total_correlation), DUAL_SMALL)
_total = _measure(_total_value, _total_slope, _total_change)
_dual = _measure(_dual_value, _dual_slope, _dual_change)


def total_correlation(p: jax.Array, count: int) -> jax.Array:
    """Of the last `count` axes, of a table of any mass."""
    return _total(p, count) if 3 <= count <= TOTAL_MOST else _variables.total_correlation(CHAIN, p, count)


def dual_total_correlation(p: jax.Array, count: int) -> jax.Array:
    """Of the last `count` axes, of a table of any mass."""
    return _dual(p, count) if 3 <= count <= DUAL_MOST else _variables.dual_total_correlation(CHAIN, p, count)
