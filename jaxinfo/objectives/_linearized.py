"""The divergence of a policy from itself, linearised: Gauss-Newton products with its Hessian."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jaxinfo import _numerics
from jaxinfo.objectives.policies import policy_kl

PolicyFunction = Callable[[Any], Any]
KLFunction = Callable[[Any, Any], jax.Array]


def linearized(
    name: str, policy_fn: PolicyFunction, params: Any, kl_fn: KLFunction | None
) -> tuple[Callable[[Any], jax.Array], Callable[[Any], Any]]:
    """The divergence from the policy at `params`, and the product with its Hessian there.

    The network is differentiated once, however many products follow.
    """
    measure = _mean_kl if kl_fn is None else kl_fn
    pieces = _Pieces()

    def numbers(params: Any) -> list[jax.Array]:
        return pieces.split(policy_fn(params))

    def between(old: list[jax.Array], new: list[jax.Array]) -> jax.Array:
        return scalar(name, "kl_fn", measure(pieces.join(old), pieces.join(new)), None)

    old, push = jax.linearize(numbers, params)
    pull = jax.linear_transpose(push, params)
    slope = jax.grad(lambda new: between(old, new))
    _, bend = jax.linearize(slope, old)

    def product(vector: Any) -> Any:
        (back,) = pull(bend(push(like(vector, params))))
        return jax.tree.map(wide, back)

    return lambda params: between(old, numbers(params)), product


class _Pieces:
    """Takes a distribution apart into the arrays that derivatives are taken in and the numbers that are constants."""

    def split(self, policy: Any) -> list[jax.Array]:
        leaves, self.structure = jax.tree.flatten(policy)
        self.constants = [x if isinstance(x, int | float | np.ndarray | np.generic) else None for x in leaves]
        arrays = [jnp.asarray(x) for x, held in zip(leaves, self.constants, strict=True) if held is None]
        self.dtypes = [x.dtype for x in arrays]
        return [wide(x) if jnp.issubdtype(x.dtype, jnp.floating) else x.astype(jnp.result_type(float)) for x in arrays]

    def join(self, arrays: list[jax.Array]) -> Any:
        """Masks and counts are what they were; floats stay wide."""
        kinds = zip(arrays, self.dtypes, strict=True)
        left = iter(x if jnp.issubdtype(kind, jnp.floating) else x.astype(kind) for x, kind in kinds)
        return jax.tree.unflatten(self.structure, [next(left) if x is None else x for x in self.constants])


def _mean_kl(old: Any, new: Any) -> jax.Array:
    return jnp.mean(policy_kl(old, new))


def wide(x: ArrayLike) -> jax.Array:
    return _numerics.accumulate(jnp.asarray(x))


def like(tree: Any, params: Any) -> Any:
    return jax.tree.map(lambda p, x: jnp.asarray(x).astype(jnp.asarray(p).dtype), params, tree)


def scaled(tree: Any, scale: jax.Array) -> Any:
    return jax.tree.map(lambda x: x * scale.astype(x.dtype), tree)


def scalar(name: str, what: str, value: ArrayLike, dtype: jnp.dtype | None) -> jax.Array:
    if jnp.ndim(value) != 0:
        raise ValueError(f"{name}: {what} must return a scalar, got shape {jnp.shape(value)}")
    return jnp.asarray(value) if dtype is None else jnp.asarray(value).astype(dtype)
