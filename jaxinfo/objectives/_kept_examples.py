"""Which examples of a batch count, and for how much: shared by the losses of classification."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import _checks

# What is not kept, of labels, logits or forecasts, is replaced before anything is computed from it: a NaN there has
# gradient 0 only if no function ever sees it.


def number_in_unit(name: str, argument: str, value: Any) -> None:
    """A share that is known while tracing lies in [0, 1]; a traced one outside gives NaN."""
    if isinstance(value, (int, float)) and not 0 <= value <= 1:
        raise ValueError(f"{name}: {argument} must lie in [0, 1], got {value!r}")
    scalar(name, argument, value)


def scalar(name: str, argument: str, value: Any) -> None:
    if jnp.ndim(value) != 0:
        raise ValueError(f"{name}: {argument} must be a scalar, got shape {jnp.shape(value)}")


def shares(name: str, weights: ArrayLike | None, shape: tuple[int, ...], dtype: Any) -> jax.Array | None:
    """`weights` as numbers of this dtype, broadcast to the examples; None if there are none."""
    if weights is None:
        return None
    array = _checks.floating(name, "weights", weights).astype(dtype)
    try:
        return jnp.broadcast_to(array, shape)
    except ValueError as error:
        raise ValueError(f"{name}: weights of shape {array.shape} does not broadcast to {shape}") from error


def kept(
    name: str, where: ArrayLike | None, weights: ArrayLike | None, shape: tuple[int, ...], dtype: Any
) -> tuple[jax.Array | None, jax.Array | None]:
    """The examples that count and their weights. A weight of 0 drops its example, also one of infinite loss."""
    mask, factors = _checks.mask(name, where, shape), shares(name, weights, shape, dtype)
    if factors is None:
        return mask, None
    factors = replaced(mask, factors, 0)
    some = factors != 0
    return some if mask is None else mask & some, factors


def over(mask: jax.Array | None, axes: tuple[int, ...]) -> jax.Array | None:
    """A mask of examples over tables: with the axes of a table, of length 1."""
    return None if mask is None else jnp.expand_dims(mask, axes)


def replaced(mask: jax.Array | None, x: jax.Array, stand_in: float) -> jax.Array:
    """`x` with another value in what is not kept."""
    return x if mask is None else jnp.where(mask, x, jnp.full_like(x, stand_in))


def weighted(value: jax.Array, mask: jax.Array | None, factors: jax.Array | None) -> jax.Array:
    """Values times weights; 0 in what is not kept."""
    scaled = value if factors is None else value * factors
    return scaled if mask is None else jnp.where(mask, scaled, jnp.zeros_like(scaled))


def one_kept_for_all(mask: jax.Array, tree: Any) -> Any:
    """Leaves `[*mask.shape, ...]` in which the first example that is kept stands in for those that are not.

    The example is found and fetched by reductions: where examples lie on many devices, none sends the others its data.
    """
    count = math.prod(mask.shape)
    if not count:
        return tree
    axes = tuple(range(mask.ndim))
    numbers = jnp.arange(count, dtype=jnp.int32).reshape(mask.shape)
    first = numbers == jnp.min(jnp.where(mask, numbers, jnp.int32(count)))

    def filled(leaf: jax.Array) -> jax.Array:
        beside = (..., *(None,) * (leaf.ndim - mask.ndim))
        # A sum with one term: any dtype keeps its digits, and booleans stay booleans.
        row = jnp.where(first[beside], leaf, jnp.zeros_like(leaf)).sum(axis=axes, keepdims=True, dtype=leaf.dtype)
        return jnp.where(mask[beside], leaf, jnp.broadcast_to(row, leaf.shape))

    return jax.tree.map(filled, tree)
