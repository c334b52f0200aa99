"""Conjugate gradients on pytrees, for matrices that are semidefinite but for rounding."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike


def widest(*arrays: jax.Array) -> jnp.dtype:
    """The widest of their dtypes, float32 or float64; not JAX's promotion, which a user may have made strict."""
    return functools.reduce(np.promote_types, (x.dtype for x in arrays))


def dot(x: Any, y: Any) -> jax.Array:
    """The inner product of two pytrees of floats, in their widest dtype."""
    dtype = widest(*jax.tree.leaves((x, y)))
    parts = jax.tree.map(lambda a, b: jnp.sum(a.astype(dtype) * b.astype(dtype)), x, y)
    return jnp.sum(jnp.stack(jax.tree.leaves(parts)))


class _Carry(NamedTuple):
    x: Any
    residual: Any
    direction: Any
    square: jax.Array  # of the residual
    num_products: jax.Array
    is_going: jax.Array


def conjugate_gradients(
    product: Callable[[Any], Any], b: Any, *, max_products: int, tolerance: ArrayLike
) -> tuple[Any, jax.Array]:
    """Solves `A x = b` from 0; returns x and how many products with A that took.

    It stops after `max_products`, when the residual is at most `tolerance` times the norm of b, and, keeping what it
    has, at a direction whose curvature is no longer positive, where rounding has taken over.
    """
    square = dot(b, b)
    goal = jnp.square(jnp.asarray(tolerance).astype(square.dtype)) * square

    def body(carry: _Carry) -> _Carry:
        image = product(carry.direction)
        curvature = dot(carry.direction, image)
        is_fine = curvature > 0
        length = jnp.where(is_fine, carry.square / jnp.where(is_fine, curvature, 1), 0)
        x = _add(carry.x, length, carry.direction)
        residual = _add(carry.residual, -length, image)
        square = jnp.where(is_fine, dot(residual, residual), carry.square)
        direction = _add(residual, square / carry.square, carry.direction)
        return _Carry(x, residual, direction, square, carry.num_products + 1, is_fine & (square > goal))

    def is_going(carry: _Carry) -> jax.Array:
        return carry.is_going & (carry.num_products < max_products)

    zero = jax.tree.map(jnp.zeros_like, b)
    start = _Carry(zero, b, b, square, jnp.zeros((), jnp.int32), square > 0)
    last = jax.lax.while_loop(is_going, body, start)
    return last.x, last.num_products


def _add(x: Any, scale: jax.Array, y: Any) -> Any:
    return jax.tree.map(lambda a, b: a + scale.astype(a.dtype) * b, x, y)
