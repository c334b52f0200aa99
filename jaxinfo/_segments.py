"""Sums over the segments of a ragged axis, which comes first: entries `[T, ...]`, segments `[S, ...]`."""

from __future__ import annotations

import operator
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.typing import ArrayLike

_LANES = 4096


class Shape(NamedTuple):
    """What is static about segments: how many, and whether the entries come in their order."""

    number: int
    in_order: bool


def check(name: str, segment_ids: ArrayLike, num_segments: int, indices_are_sorted: bool, length: int) -> Shape:
    """Checks what says to which segment each of `length` entries belongs."""
    if isinstance(num_segments, bool) or not hasattr(num_segments, "__index__"):
        raise TypeError(f"{name}: num_segments must be an integer, got {num_segments!r}")
    if num_segments < 0:
        raise ValueError(f"{name}: num_segments must be at least 0, got {num_segments}")
    ids = jnp.asarray(segment_ids)
    if not jnp.issubdtype(ids.dtype, jnp.integer):
        raise TypeError(f"{name}: segment_ids must be integers, got dtype {ids.dtype}")
    if ids.shape != (length,):
        raise ValueError(f"{name}: segment_ids must have shape ({length},), one for each entry, got {ids.shape}")
    return Shape(operator.index(num_segments), indices_are_sorted)


def ragged_axis(name: str, axes: tuple[int, ...]) -> int:
    """The one axis that segments lie on."""
    if len(axes) != 1:
        raise ValueError(f"{name}: axis must name one axis, got {axes}")
    return axes[0]


def columns(shape: Shape, segment_ids: ArrayLike) -> jax.Array:
    """Segments counted from 1: what belongs to none goes to a column before the first or after the last, in order."""
    ids = jnp.asarray(segment_ids)
    if jnp.issubdtype(ids.dtype, jnp.unsignedinteger):
        ids = jnp.minimum(ids, shape.number)
    return jnp.clip(ids.astype(jnp.int32), -1, shape.number) + 1


def inside(shape: Shape, column: jax.Array, x: jax.Array) -> jax.Array:
    """`x`, and 0 for an entry that belongs to no segment, even if it is NaN."""
    kept = (column > 0) & (column <= shape.number)
    return jnp.where(kept.reshape(-1, *(1,) * (x.ndim - 1)), x, jnp.zeros_like(x))


def total(shape: Shape, column: jax.Array, x: jax.Array) -> jax.Array:
    """The sum over each column, `[S + 2, ...]`.

    A scatter adds one entry after another, which in a long segment costs many units; so the axis is cut into lanes, as
    many as make no more sums than entries, and then the lanes are added up.
    """
    length, width = len(x), shape.number + 2
    lanes = max(1, min(_LANES, length // width))
    lane = jnp.arange(length, dtype=jnp.int32) // max(1, -(-length // lanes))
    sums = jax.ops.segment_sum(x, lane * width + column, lanes * width, indices_are_sorted=shape.in_order)
    return jnp.sum(sums.reshape(lanes, width, *x.shape[1:]), axis=0)


def largest(shape: Shape, column: jax.Array, x: jax.Array) -> jax.Array:
    """The largest entry of each column, without derivative; `-inf` where there is none."""
    return jax.ops.segment_max(lax.stop_gradient(x), column, shape.number + 2, indices_are_sorted=shape.in_order)


def segments(sums: jax.Array, axis: int) -> jax.Array:
    """The columns that are segments, put on their axis."""
    return jnp.moveaxis(sums[1:-1], 0, axis)
