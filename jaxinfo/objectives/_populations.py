"""Means over a population of examples and their draws, and the errors of these."""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo.densities import Estimate
from jaxinfo.objectives._latent_draws import Latents, fixed, less_the_others, spread, with_derivative_of

# Numbers of a block of log-densities, of some draws under all posteriors.
_NUMBERS = 2**22


def population_mean(
    latents: Latents, values: jax.Array, surrogate: jax.Array, log_own: jax.Array, shares: jax.Array
) -> Estimate:
    """The weighted mean over the examples of means over their draws."""
    values, surrogate = counted(values, shares), counted(surrogate, shares)
    whole = surrogate + latents.scored(less_the_others(values), log_own) if latents.has_scores else surrogate
    value = with_derivative_of(_average(fixed(values), shares), _average(whole, shares))
    return Estimate(value, population_error(values, shares), {}, "monte_carlo")


def counted(values: jax.Array, shares: jax.Array) -> jax.Array:
    """The values, 0 for those that are not finite of examples without a share, to which these add nothing."""
    absent = jnp.broadcast_to(shares == 0, values.shape) & ~jnp.isfinite(values)
    return jnp.where(absent, jnp.zeros_like(values), values)


def _average(values: jax.Array, shares: jax.Array) -> jax.Array:
    return jnp.sum(shares * jnp.mean(values, axis=0))


def population_error(values: jax.Array, shares: jax.Array) -> jax.Array:
    """The examples are strata; with one draw in each their own variance counts too, which is more than it is.

    It is infinite where the mean is.
    """
    values = counted(values, shares)
    if len(values) > 1:
        return fixed(jnp.sqrt(jnp.sum(jnp.square(shares * spread(values)))))
    count = values.shape[1]
    infinite = jnp.any(jnp.isinf(values[0]))
    finite = jnp.where(infinite, jnp.zeros_like(values[0]), values[0])
    deviations = finite - jnp.sum(shares * finite)
    error = jnp.sqrt(jnp.sum(jnp.square(shares * deviations)) * (count / max(count - 1, 1)))
    return fixed(jnp.where(infinite, jnp.full_like(error, jnp.inf), error))


def coefficient_of(values: jax.Array, deviations: jax.Array, shares: jax.Array) -> jax.Array:
    """The multiple of the deviations, whose means are 0, that leaves the least variance."""
    weights, values = jnp.square(shares)[None], counted(values, shares)
    own = values - (jnp.mean(values, axis=0, keepdims=True) if len(values) > 1 else jnp.sum(shares * values[0]))
    variance = jnp.sum(weights * jnp.square(deviations))
    varies = variance > 0
    slope = jnp.sum(weights * own * deviations) / jnp.where(varies, variance, jnp.ones_like(variance))
    return fixed(jnp.where(varies & jnp.isfinite(slope), slope, jnp.zeros_like(slope)))


def check_block_size(name: str, block_size: Any) -> None:
    if block_size is not None and (not isinstance(block_size, int) or isinstance(block_size, bool) or block_size < 1):
        raise ValueError(f"{name}: block_size must be an integer of at least 1 or None, got {block_size!r}")


def in_blocks(function: Callable[..., Any], latents: Latents, block_size: int | None) -> Any:
    """A function of an example's draws `[S, *event]` and number that compares them with all posteriors, for each."""
    z = jnp.moveaxis(latents.z, 1, 0)
    count = len(z)
    size = min(count, block_size or max(1, _NUMBERS // (count * math.prod(z.shape[1:]))))
    numbers = jnp.arange(count, dtype=jnp.int32)
    rows = jax.lax.map(jax.checkpoint(lambda row: function(*row)), (z, numbers), batch_size=size)
    return jax.tree.map(lambda row: jnp.moveaxis(row, 0, 1), rows)
