"""Numbers for each draw, action or token: broadcast, masked, and back."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import _checks, _numerics


def entries(
    name: str, where: ArrayLike | None, **tables: ArrayLike
) -> tuple[jax.Array | None, tuple[jax.Array, ...], jnp.dtype]:
    """The mask, the tables in the accumulation dtype with 0 where they are masked, and the dtype of the result."""
    arrays = {key: _checks.floating(name, key, x) for key, x in tables.items()}
    dtype = jnp.result_type(*arrays.values())
    full = _checks.broadcast(name, (), **{key: x.astype(dtype) for key, x in arrays.items()})
    mask = _checks.mask(name, where, full[0].shape)
    return mask, _numerics.drop(mask, *map(_numerics.accumulate, full)), dtype


def per_entry(name: str, argument: str, value: ArrayLike, shape: tuple[int, ...], dtype: jnp.dtype) -> jax.Array:
    """A number, or one for each entry; nothing that would make more entries."""
    number = _checks.floating(name, argument, value).astype(dtype)
    try:
        return jnp.broadcast_to(number, shape)
    except ValueError as error:
        raise ValueError(f"{name}: {argument} of shape {number.shape} does not broadcast to {shape}") from error


def finished(value: jax.Array, mask: jax.Array | None, dtype: jnp.dtype, unit: float = 1.0) -> jax.Array:
    """Nats in the unit, 0 where they are masked."""
    kept = value if mask is None else jnp.where(mask, value, jnp.zeros_like(value))
    return _numerics.in_units(kept, unit).astype(dtype)
