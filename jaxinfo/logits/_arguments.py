"""Checks of tables of logits, which come out masked and in the accumulation dtype."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import _checks, _numerics
from jaxinfo._checks import Axis

OPTIONS = ("axis", "keepdims", "base")
JOINT_OPTIONS = ("keepdims", "base")


def masked(name: str, where: ArrayLike | None, z: jax.Array) -> jax.Array:
    mask = _checks.mask(name, where, z.shape)
    wide = _numerics.accumulate(z)
    return wide if mask is None else jnp.where(mask, wide, -jnp.inf)


def one(
    name: str, argument: str, z: ArrayLike, axis: Axis, where: ArrayLike | None
) -> tuple[jax.Array, tuple[int, ...], jnp.dtype]:
    """Checks one table of logits.

    Returns it masked and in the accumulation dtype, with the axes and the dtype of the result.
    """
    table = _checks.floating(name, argument, z)
    axes = _checks.axes(name, axis, table.ndim)
    return masked(name, where, table), axes, table.dtype


def pair(
    name: str, arguments: tuple[str, str], p: ArrayLike, q: ArrayLike, axis: Axis, where: ArrayLike | None
) -> tuple[jax.Array, jax.Array, tuple[int, ...], jnp.dtype]:
    """Checks two tables, `q` of logits; returns them broadcast and wide, `q` masked, with axes and dtype."""
    x, y = _checks.floating(name, arguments[0], p), _checks.floating(name, arguments[1], q)
    axes = _checks.axes(name, axis, max(x.ndim, y.ndim))
    x, y = _checks.broadcast(name, axes, **dict(zip(arguments, (x, y), strict=True)))
    dtype = jnp.promote_types(x.dtype, y.dtype)
    return _numerics.accumulate(x.astype(dtype)), masked(name, where, y.astype(dtype)), axes, dtype


def joint(name: str, argument: str, z: ArrayLike, where: ArrayLike | None, rank: int) -> tuple[jax.Array, jnp.dtype]:
    """Checks a joint table; returns it masked and in the accumulation dtype, with the dtype of the result."""
    table = _checks.floating(name, argument, z)
    _checks.rank(name, argument, table, rank)
    return masked(name, where, table), table.dtype
