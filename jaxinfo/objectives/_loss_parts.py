"""What losses are summed from: parts with a share, and the cross-entropy of a coin."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo import _numerics
from jaxinfo.distributions._special.coin import faces, softplus


def in_unit(share: jax.Array) -> jax.Array:
    return jnp.where((share >= 0) & (share <= 1), share, jnp.nan)


def part(share: jax.Array, value: jax.Array) -> jax.Array:
    """`share * value`, 0 where the share is 0; the derivative in the share is the value where that is finite."""
    infinite = (share == 0) & jnp.isinf(value)
    return share * jnp.where(infinite, jnp.zeros_like(value), value)


@jax.custom_jvp
def coin_loss(y: jax.Array, z: jax.Array) -> jax.Array:
    """`y softplus(-z) + (1 - y) softplus(z)`, where a weight of 0 leaves out what is infinite."""
    y = in_unit(y)
    return part(y, softplus(-z)) + part(1 - y, softplus(z))


@coin_loss.defjvp
def coin_loss_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (y, z), (dy, dz) = primals, tangents
    y = in_unit(y)
    heads, tails = faces(z)
    certain_and_right = jnp.isinf(z) & (y == (z > 0).astype(y.dtype))
    in_y = jnp.where(certain_and_right, jnp.zeros_like(z), -z)
    # sigmoid(z) - y, with digits where both are close to one.
    return coin_loss(y, z), _numerics.linear(z, (dy, lambda: in_y), (dz, lambda: (1 - y) * heads - y * tails))
