"""Marginals of tables of logits."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo import _numerics
from jaxinfo._log_domain._rows import Axes, again, change, present, row_max, total
from jaxinfo._log_domain._softmax import softmax


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def log_mean_exp(z: jax.Array, axes: Axes) -> jax.Array:
    """Logits of what is left when axes are summed out: `log mean exp`, which has all the digits of logits near 0."""
    m = row_max(z, axes)
    empty = m == -jnp.inf
    held = jnp.where(empty, jnp.zeros_like(m), m)
    count = math.prod(z.shape[a] for a in axes)
    excess = total(jnp.expm1(z - held), axes) / count
    s = total(jnp.exp(z - again(held, excess)), axes) / count
    mean = jnp.where(excess > -0.5, _numerics.log1p(jnp.maximum(excess, -0.5)), jnp.log(s))
    return jnp.squeeze(jnp.where(empty, -jnp.inf, held + mean), axes)


@log_mean_exp.defjvp
def _log_mean_exp_jvp(axes: Axes, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (z,), (dz,) = primals, tangents
    held = jnp.where(row_max(z, axes) == -jnp.inf, jnp.zeros_like(z), z)
    share = jnp.where(present(z), softmax(axes, held), jnp.zeros_like(z))
    return log_mean_exp(z, axes), jnp.squeeze(change(share * dz, axes), axes)
