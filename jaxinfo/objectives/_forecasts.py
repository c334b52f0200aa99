"""Outcomes and forecasts as tables of the same shape."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import _checks, _numerics
from jaxinfo.objectives import _kept_examples


class Tables(NamedTuple):
    """Outcomes and forecasts, broadcast and in the accumulation dtype, their axis, and the dtype of the result."""

    outcomes: jax.Array
    forecasts: jax.Array
    axes: tuple[int, ...]
    dtype: jnp.dtype


def tables(
    name: str, labels: ArrayLike, q: ArrayLike, axis: int, mask: jax.Array | None = None, argument: str = "labels"
) -> Tables:
    """Integers, with an axis less than the forecasts, become one-hot rows: of NaN for a label that is no outcome.

    The mask is of the examples; those that are not kept have the outcome 0 and forecasts of 0.
    """
    y, forecasts = jnp.asarray(labels), _checks.floating(name, "q", q)
    axes = _checks.axes(name, axis, forecasts.ndim)
    rows = _kept_examples.over(mask, axes)
    kept = _kept_examples.replaced(rows, forecasts, 0)
    if y.ndim == forecasts.ndim:
        table = _checks.floating(name, argument, y)
        exact = jnp.issubdtype(y.dtype, jnp.floating)
        dtype = jnp.promote_types(table.dtype, forecasts.dtype) if exact else forecasts.dtype
        table = _kept_examples.replaced(rows, table, 0)
    elif y.ndim == forecasts.ndim - 1:
        if not jnp.issubdtype(y.dtype, jnp.integer):
            raise TypeError(f"{name}: {argument} of shape {y.shape} must be integers, got dtype {y.dtype}")
        table, dtype = _one_hot(_kept_examples.replaced(mask, y, 0), forecasts, axes), forecasts.dtype
    else:
        raise ValueError(
            f"{name}: {argument} must be integers with an axis less than q, or a table with as many; got shapes "
            f"{y.shape} and {forecasts.shape}"
        )
    table, kept = _checks.broadcast(name, axes, **{argument: table.astype(dtype), "q": kept.astype(dtype)})
    return Tables(_numerics.accumulate(table), _numerics.accumulate(kept), axes, dtype)


def _one_hot(y: jax.Array, forecasts: jax.Array, axes: tuple[int, ...]) -> jax.Array:
    count = forecasts.shape[axes[0]]
    hits = jax.nn.one_hot(y, count, axis=axes[0], dtype=forecasts.dtype)
    return jnp.where(jnp.expand_dims((y >= 0) & (y < count), axes), hits, jnp.nan)
