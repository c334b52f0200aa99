"""Rows of logits: their normalisers, and the choice between a fast and an accurate formula."""

from __future__ import annotations

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax

from jaxinfo import _numerics

Axes = tuple[int, ...]
RowFunction = Callable[..., jax.Array]


def _batchable(on_cpu: RowFunction, elsewhere: RowFunction) -> RowFunction:
    """A row function whose `cond` keeps its scalar predicate under `vmap`: the batch becomes an axis of the tables.

    Axes are counted from the end, so an axis in front changes nothing. Called as `f(axes, *tables)`.
    """

    @functools.cache
    def batched(axes: Axes) -> RowFunction:
        cpu, default = functools.partial(on_cpu, axes), functools.partial(elsewhere, axes)

        @jax.custom_batching.custom_vmap
        def call(*tables: jax.Array) -> jax.Array:
            return lax.platform_dependent(*tables, cpu=cpu, default=default)

        @call.def_vmap
        def _(axis_size: int, in_batched: list[bool], *tables: jax.Array) -> tuple[jax.Array, bool]:
            pairs = zip(tables, in_batched, strict=True)
            return call(*(t if b else jnp.broadcast_to(t, (axis_size, *t.shape)) for t, b in pairs)), True

        return call

    return lambda axes, *tables: batched(axes)(*tables)


def adaptive(fast: RowFunction, accurate: RowFunction, small: float) -> RowFunction:
    """`fast`, but `accurate` in the rows whose value is below `small` or NaN."""

    def on_cpu(axes: Axes, *tables: jax.Array) -> jax.Array:
        value = fast(axes, *tables)
        poor = ~(value >= small)
        return lax.cond(jnp.any(poor), lambda: jnp.where(poor, accurate(axes, *tables), value), lambda: value)

    return _batchable(on_cpu, accurate)


def selective(fast: RowFunction, accurate: RowFunction) -> RowFunction:
    """`f(axes, rows, *tables)`: `accurate` in the rows named, `fast` elsewhere. For results as large as the tables."""

    def on_cpu(axes: Axes, rows: jax.Array, *tables: jax.Array) -> jax.Array:
        def some() -> jax.Array:
            return jnp.where(rows, accurate(axes, *tables), fast(axes, *tables))

        return lax.cond(jnp.any(rows), some, lambda: fast(axes, *tables))

    return _batchable(on_cpu, lambda axes, _, *tables: accurate(axes, *tables))


def total(x: jax.Array, axes: Axes) -> jax.Array:
    """The sum over a row, its axes kept."""
    return _numerics.row_sum(x, axes, True)


def row_max(z: jax.Array, axes: Axes) -> jax.Array:
    """The largest logit of a row; `-inf` for an empty one."""
    return lax.stop_gradient(jnp.max(z, axis=axes, keepdims=True, initial=-jnp.inf))


def shifted_normalizer(z: jax.Array, axes: Axes) -> tuple[jax.Array, jax.Array]:
    """The row maximum and the sum of `exp(z - max)`, kept apart."""
    m = lax.optimization_barrier(row_max(z, axes))
    return lax.optimization_barrier((m, total(jnp.exp(z - m), axes)))


def log_shifted_normalizer(z: jax.Array, m: jax.Array, axes: Axes) -> jax.Array:
    """`log sum exp(z - m)`, accurate also where one logit has nearly all the mass.

    The sum of the others goes through `log1p`.
    """
    below = z < m
    others = total(jnp.where(below, jnp.exp(z - m), jnp.zeros_like(z)), axes)
    tied = total(jnp.where(below, jnp.zeros_like(z), jnp.ones_like(z)), axes)
    return jnp.where(is_void(m), jnp.nan, jnp.log1p(others + (tied - 1)))


def present(z: jax.Array) -> jax.Array:
    """Not masked. NaN is present, so that it stays in its row."""
    return z != -jnp.inf


def masked_product(weight: jax.Array, x: jax.Array, present: jax.Array) -> jax.Array:
    """`weight * x` where the outcome is present, else 0."""
    return jnp.where(present, weight * jnp.where(present, x, jnp.zeros_like(x)), jnp.zeros_like(weight))


def is_void(*row_maxima: jax.Array) -> jax.Array:
    """Rows that hold NaN, or only `-inf`, which is no distribution."""
    return functools.reduce(jnp.logical_or, [jnp.isnan(m) | (m == -jnp.inf) for m in row_maxima])
