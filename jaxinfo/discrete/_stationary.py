"""The stationary distribution of a Markov chain, each entry accurate to rounding."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jaxinfo import _numerics


def _eliminated(transition: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The chain watched on ever fewer states, from the last one down: the columns of the elimination, and the starts.

    Of state n are kept the rates into it over its rate to lower states. A state that has none of the latter and none
    to a state of that kind is the first one of a closed class.
    """
    size = transition.shape[-1]
    states = jnp.arange(size)

    def eliminate(step: jax.Array, state: tuple[jax.Array, jax.Array, jax.Array]) -> tuple[Any, Any, Any]:
        table, leaks, starts = state
        n = size - 1 - step
        lower = states < n
        out = jnp.where(lower, lax.dynamic_index_in_dim(table, n, -2, keepdims=False), 0)  # [..., S], from n
        into = jnp.where(lower, lax.dynamic_index_in_dim(table, n, -1, keepdims=False), 0)  # [..., S], to n
        rate = jnp.sum(out, axis=-1, keepdims=True)
        leaky = lax.dynamic_index_in_dim(leaks, n, -1)
        starts = jnp.where(states == n, (rate == 0) & ~leaky, starts)
        leaks = leaks | ((into > 0) & ((rate == 0) | leaky))
        column = _numerics.quotient(into, jnp.broadcast_to(rate, into.shape))
        table = table + column[..., :, None] * out[..., None, :]
        kept = jnp.where(lower, column, lax.dynamic_index_in_dim(table, n, -1, keepdims=False))
        return lax.dynamic_update_index_in_dim(table, kept, n, -1), leaks, starts

    nothing = jnp.zeros(transition.shape[:-1], jnp.bool_)
    table, _, starts = lax.fori_loop(0, size, eliminate, (transition, nothing, nothing))
    return table, starts


@jax.custom_jvp
def stationary_distribution(transition: jax.Array) -> jax.Array:
    """`pi = pi P` for `P` of shape `[..., S, S]`; NaN where it is not unique.

    The elimination of Grassmann, Taksar and Heyman takes no differences, so every entry has a small relative error,
    however small it is. It never looks at the diagonal, which it takes for what is missing to a row sum of 1.
    """
    size = transition.shape[-1]
    if not size:
        return jnp.zeros(transition.shape[:-1], transition.dtype)
    columns, starts = _eliminated(transition)

    def fill(n: jax.Array, pi: jax.Array) -> jax.Array:
        lower = jnp.arange(size) < n
        into = jnp.where(lower, lax.dynamic_index_in_dim(columns, n, -1, keepdims=False), 0)
        entry = jnp.sum(pi * into, axis=-1, keepdims=True) + lax.dynamic_index_in_dim(pi, n, -1)
        return lax.dynamic_update_index_in_dim(pi, entry, n, -1)

    pi = lax.fori_loop(0, size, fill, starts.astype(transition.dtype))
    least = jnp.min(transition, axis=(-2, -1), initial=0)[..., None]
    unique = (jnp.sum(starts, axis=-1, keepdims=True) == 1) & (least >= 0)
    return jnp.where(unique, pi / jnp.sum(pi, axis=-1, keepdims=True), jnp.nan)


def _rates(transition: jax.Array) -> jax.Array:
    """The generator `Q = P - 1` of the chain, its diagonal made of the other entries."""
    diagonal = jnp.broadcast_to(jnp.eye(transition.shape[-1], dtype=transition.dtype), transition.shape)
    away = transition * (1 - diagonal)
    return away - diagonal * jnp.sum(away, axis=-1, keepdims=True)


@stationary_distribution.defjvp
def _stationary_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    """From `pi Q = 0`: `d pi` solves `d pi (1 pi - Q) = pi dQ`, as it sums to 0."""
    (transition,), (change,) = primals, tangents
    pi = stationary_distribution(transition)
    moved = jnp.einsum("...i,...ij->...j", pi, _rates(change))
    system = pi[..., None, :] - _rates(transition)
    return pi, jnp.linalg.solve(jnp.swapaxes(system, -1, -2), moved[..., None])[..., 0]
