"""Arguments to arrays of one dtype, with full batch axes."""

from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

from jaxinfo.distributions._arrays import common_dtype, working_dtype
from jaxinfo.projections._targets import Parameterized, UnnormalizedLogProb


def dtype_of(*trees: Any) -> DTypeLike:
    """The float dtype that all is computed in."""
    return working_dtype(common_dtype(*jax.tree.leaves(trees)))


def as_floats(tree: Any, *, dtype: DTypeLike) -> Any:
    """Casts the numbers of a distribution or a divergence; of a user's own pytree only the floats."""
    own = isinstance(tree, UnnormalizedLogProb | Parameterized)

    def cast(leaf: Any) -> jax.Array:
        array = jnp.asarray(leaf)
        other = jnp.issubdtype(array.dtype, jax.dtypes.extended) or (
            own and not jnp.issubdtype(array.dtype, jnp.floating)
        )
        return array if other else array.astype(dtype)

    return jax.tree.map(cast, tree)


def with_full_leaves(distribution: Any) -> Any:
    """Gives every leaf the batch axes, so that they can be mapped over."""
    if hasattr(distribution, "broadcast_to"):
        return distribution.broadcast_to(distribution.batch_shape)
    return distribution
