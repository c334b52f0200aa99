"""Policies over states of which some are masked, and their entropy."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import _checks, distributions
from jaxinfo.distributions._registry import closed_form


def kept_states(name: str, where: ArrayLike, *policies: Any) -> tuple[Any, ...]:
    """The mask, and policies whose masked states have parameters that spoil no derivative."""
    shape: Any = jnp.broadcast_shapes(*(policy.batch_shape for policy in policies))
    mask = _checks.mask(name, where, shape)
    return mask, *(_harmless(policy, mask, shape) for policy in policies)


def _harmless(policy: Any, mask: Any, shape: tuple[int, ...]) -> Any:
    """The policy with parameters of 1 at masked states: allowed in every family that policies are of."""
    if isinstance(policy, distributions.Transformed):  # the map has no states
        return distributions.Transformed(_harmless(policy.base, mask, shape), policy.bijector)

    def held(leaf: Any) -> jax.Array:
        array = jnp.asarray(leaf)
        return jnp.where(mask.reshape(shape + (1,) * (array.ndim - len(shape))), array, jnp.ones_like(array))

    return jax.tree.map(held, policy.broadcast_to(shape))


def entropy(policy: Any, key: jax.Array | None, num_samples: int) -> jax.Array:
    """Exact, or exact but for the mean log-slope of an elementwise map."""
    if isinstance(policy, distributions.Transformed) and closed_form("entropy", policy) is None:
        if key is None:
            raise ValueError("entropy_bonus: no closed form is known for this policy; give a key for the draws")
        x = policy.base.sample(key, (num_samples,))
        slopes = policy.bijector.forward_log_det_jacobian(x)
        axes = (0, *range(-len(policy.event_shape), 0))
        return entropy(policy.base, key, num_samples) + jnp.sum(slopes, axis=axes) / num_samples
    if isinstance(policy, distributions.Independent) and closed_form("entropy", policy) is None:
        parts = entropy(policy.base, key, num_samples)
        return jnp.sum(parts, axis=tuple(range(len(policy.batch_shape), parts.ndim)))
    return distributions.entropy(policy)
