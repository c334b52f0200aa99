"""Bounds by several draws: from densities to log-weights, and the derivatives of the bound's mean."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo.densities import DoublyReparameterized, StickingTheLanding
from jaxinfo.distributions import Mixture
from jaxinfo.objectives import _power_means
from jaxinfo.objectives._latent_draws import (
    Gradient,
    Latents,
    draw,
    fixed,
    in_32_bits,
    less_the_others,
    with_derivative_of,
)

Bound = Callable[[jax.Array], jax.Array]
Slopes = Callable[[jax.Array], tuple[jax.Array, jax.Array]]


def bound_of_draws(
    name: str,
    densities: tuple[Any, Any],
    log_likelihood: Callable[[jax.Array], jax.Array],
    key: jax.Array,
    num_samples: int,
    gradient: Gradient | None,
    bound: Bound,
    slopes: Slopes,
) -> jax.Array:
    """Draws log-weights and returns the bound on them, with the derivative that was asked for."""
    if isinstance(gradient, StickingTheLanding):
        raise TypeError(
            f"{name}: StickingTheLanding() is biased for bounds by several draws; use DoublyReparameterized()"
        )
    latents = draw(name, *densities, key, num_samples, gradient)
    if isinstance(latents.gradient, DoublyReparameterized):
        if isinstance(latents.posterior, Mixture):
            raise TypeError(f"{name}: a mixture's weights are not reparameterised; use Reparameterized()")
        return _doubly_reparameterized(name, latents, log_likelihood, bound, slopes)
    log_weights = latents.log_likelihood(name, log_likelihood) + latents.log_of(latents.prior)
    log_weights = log_weights - latents.log_of(latents.posterior)
    value = bound(log_weights)
    if not latents.has_scores:
        return value
    scored = latents.scored(_rewards(bound, fixed(log_weights)))
    return with_derivative_of(fixed(value), value + jnp.sum(scored, axis=0))


def _rewards(bound: Bound, log_weights: jax.Array) -> jax.Array:
    """What each draw adds: the bound, less that with the draw's log-weight replaced by the mean of the others'."""
    count = len(log_weights)
    whole = bound(log_weights)[None]
    if count < 2:
        return whole
    zero = jnp.isneginf(log_weights)
    held = jnp.where(zero, jnp.zeros_like(log_weights), log_weights)
    # log w - (log w - the mean of the others): the mean of the others, which any weight of zero among them makes -inf.
    others = held - less_the_others(held)
    zeros = zero.astype(jnp.int32)
    any_other = jnp.sum(zeros, axis=0, keepdims=True, dtype=jnp.int32) > zeros
    others = jnp.where(any_other, jnp.full_like(others, -jnp.inf), others)

    def without(index: jax.Array) -> jax.Array:
        return bound(log_weights.at[index].set(others[index]))

    baselines = jax.lax.map(without, jnp.arange(count, dtype=jnp.int32))
    # What depends on the other draws only is a baseline, and so is 0 where that is infinite.
    return whole - jnp.where(jnp.isfinite(baselines), baselines, jnp.zeros_like(baselines))


def _doubly_reparameterized(
    name: str, latents: Latents, log_likelihood: Callable[[jax.Array], jax.Array], bound: Bound, slopes: Slopes
) -> jax.Array:
    r"""The gradient with slopes v for the model's parameters and v - h for the draws.

    With the density of q held fixed, $\sum_i v_i \nabla_\theta \log w_i$ is the model's gradient. The part of q's own
    gradient that comes from its density, reparameterised once more, takes $h_i$, the second derivatives, from the path.
    """
    held = fixed(latents.posterior)

    def log_weights_of(z: jax.Array) -> jax.Array:
        moved = Latents(held, latents.prior, z, latents.gradient, latents.batch)
        return moved.log_likelihood(name, log_likelihood) + moved.log_of(moved.prior) - moved.log_of(held)

    log_weights, pull_back = jax.vjp(log_weights_of, latents.z)
    first, second = slopes(fixed(log_weights))
    (path,) = pull_back(second)
    axes = tuple(range(1 + len(latents.batch), latents.z.ndim))
    along = jnp.sum(in_32_bits(fixed(path)) * in_32_bits(latents.z), axis=axes)
    surrogate = jnp.sum(first * log_weights - along.astype(first.dtype), axis=0)
    return with_derivative_of(bound(fixed(log_weights)), surrogate)


def power_bound(
    name: str,
    densities: tuple[Any, Any],
    log_likelihood: Callable[[jax.Array], jax.Array],
    key: jax.Array,
    num_samples: int,
    gradient: Gradient | None,
    power: ArrayLike,
) -> jax.Array:
    def powers(log_weights: jax.Array) -> jax.Array:
        number = jnp.asarray(power)
        try:
            return jnp.broadcast_to(number.astype(log_weights.dtype), log_weights.shape[1:])
        except ValueError as error:
            raise ValueError(
                f"{name}: order of shape {number.shape} does not broadcast to the examples' {log_weights.shape[1:]}"
            ) from error

    def bound(log_weights: jax.Array) -> jax.Array:
        kept = jnp.ones(log_weights.shape, bool)
        return _power_means.log_power_mean(log_weights, powers(log_weights), kept)

    def slopes(log_weights: jax.Array) -> tuple[jax.Array, jax.Array]:
        return _power_means.power_slopes(log_weights, powers(log_weights))

    return bound_of_draws(name, densities, log_likelihood, key, num_samples, gradient, bound, slopes)
