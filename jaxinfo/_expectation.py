"""The mean of a row function over the rows of a table."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo import _numerics

RowValue = Callable[..., jax.Array]


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def mean_of_rows(row: RowValue, weights: jax.Array, *tables: jax.Array) -> jax.Array:
    """`sum_x w(x) row(tables at x)`, tables `[..., X, Y]` and weights `[..., X]`.

    A row without weight adds nothing, whatever it holds. Its value is the derivative in its weight, if it is finite;
    if not, that is 0 as are all others.
    """
    weights = jnp.where(weights >= 0, weights, jnp.nan)
    unseen = weights == 0
    terms = jnp.where(unseen, jnp.zeros_like(weights), weights * row(*tables))
    return _numerics.row_sum(terms, (-1,))


@mean_of_rows.defjvp
def _mean_of_rows_jvp(row: RowValue, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    weights, *tables = primals
    value = row(*tables)
    void = (weights == 0) & ~jnp.isfinite(jax.lax.stop_gradient(value))
    void_rows = jnp.expand_dims(void, -1)

    def spread(weights: jax.Array, *tables: jax.Array) -> jax.Array:
        held = row(*(jnp.where(void_rows, jnp.zeros_like(t), t) for t in tables))
        return jnp.sum(_product(weights, held), axis=-1)

    _, tangent = jax.jvp(spread, (weights, *tables), tangents)
    return mean_of_rows(row, *primals), tangent


@jax.custom_jvp
def _product(weights: jax.Array, values: jax.Array) -> jax.Array:
    """`w x`, where `0 * inf` is 0, also in the derivatives."""
    return jnp.where(weights == 0, jnp.zeros_like(values), weights * values)


@_product.defjvp
def _product_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (weights, values), (dw, dx) = primals, tangents
    return _product(weights, values), _numerics.linear(weights, (dw, lambda: values), (dx, lambda: weights))
