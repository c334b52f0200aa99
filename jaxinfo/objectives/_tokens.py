"""Rows of logits, one for each token, of which some are padding."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import _checks, _numerics


def rows(
    name: str, where: ArrayLike | None, **logits: ArrayLike
) -> tuple[tuple[jax.Array, ...], jax.Array | None, jnp.dtype]:
    """Tables `[..., K]` broadcast and wide, 0 in the rows that are padding; the mask `[...]`, and the dtype asked for.

    A row of zeros is an ordinary distribution: whatever stood there spoils neither a value nor a gradient.
    """
    tables = {key: _checks.floating(name, key, z) for key, z in logits.items()}
    for key, table in tables.items():
        _checks.rank(name, key, table, 1)
    dtype = jnp.result_type(*tables.values())
    wide = _checks.broadcast(name, (-1,), **{key: _numerics.accumulate(t.astype(dtype)) for key, t in tables.items()})
    mask = _checks.mask(name, where, wide[0].shape[:-1])
    return _numerics.drop(None if mask is None else mask[..., None], *wide), mask, dtype


def kept(mask: jax.Array | None, *values: jax.Array) -> tuple[jax.Array, ...]:
    """One number for each token; 0 for padding."""
    return _numerics.drop(mask, *values)


def labels(name: str, tokens: ArrayLike, shape: tuple[int, ...], mask: jax.Array | None) -> jax.Array:
    """Tokens as integers of the shape of the logits without their last axis, 0 where they are padding."""
    array = jnp.asarray(tokens)
    if not jnp.issubdtype(array.dtype, jnp.integer):
        raise TypeError(f"{name}: tokens must be integers, got dtype {array.dtype}")
    try:
        array = jnp.broadcast_to(array, shape)
    except ValueError as error:
        raise ValueError(
            f"{name}: tokens of shape {array.shape} do not broadcast to {shape}, one for each row of logits"
        ) from error
    if array.dtype.itemsize < 4:  # the number of outcomes may not fit
        array = array.astype(jnp.int32)
    return _numerics.drop(mask, array)[0]
