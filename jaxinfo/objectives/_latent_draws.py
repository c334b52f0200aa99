"""Draws of latent variables, and the derivative of a mean over them with respect to what they are drawn from.

A posterior of batch shape `[...]` is drawn from S times: `z [S, ..., *event]`. What is averaged is `[S, ...]`.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo.densities import (
    DoublyReparameterized,
    Estimate,
    Reparameterized,
    ScoreFunction,
    StickingTheLanding,
    _density,
)
from jaxinfo.distributions import Mixture
from jaxinfo.interop import as_distribution

Gradient = Reparameterized | StickingTheLanding | ScoreFunction | DoublyReparameterized
fixed = jax.lax.stop_gradient


@dataclasses.dataclass(frozen=True)
class Latents:
    """Draws from a posterior, that and the prior in at least 32 bits, and how to differentiate."""

    posterior: Any
    prior: Any
    z: jax.Array
    gradient: Gradient
    batch: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one number for each draw."""
        return (self.z.shape[0], *self.batch)

    @property
    def still(self) -> bool:
        """Whether nothing is differentiated through the draws."""
        return isinstance(self.gradient, ScoreFunction)

    def log_of(self, density: Any) -> jax.Array:
        """The log-density at the draws."""
        return jnp.broadcast_to(density.log_prob(self.z), self.shape)

    def log_likelihood(self, name: str, function: Callable[[jax.Array], jax.Array]) -> jax.Array:
        """What the user's function says of the draws."""
        value = jnp.asarray(function(self.z))
        if value.shape != self.shape:
            raise ValueError(
                f"{name}: log_likelihood must return {self.shape}, one number for each draw and example, for latents "
                f"of shape {self.z.shape}, got {value.shape}"
            )
        return in_32_bits(value)

    @property
    def has_scores(self) -> bool:
        """Whether the path leaves something out."""
        return self.still or isinstance(self.posterior, Mixture)

    def scored(self, rewards: jax.Array, log_prob: jax.Array | None = None) -> jax.Array:
        """What has the derivative that the path leaves out: all of it, or that in a mixture's weights."""
        if self.still:
            return fixed(rewards) * (self.log_of(self.posterior) if log_prob is None else log_prob)
        by_weights = Mixture(self.posterior.weights, fixed(self.posterior.components))
        return fixed(rewards) * jnp.broadcast_to(by_weights.log_prob(fixed(self.z)), self.shape)


def check_num_samples(name: str, num_samples: Any) -> None:
    if not isinstance(num_samples, int) or isinstance(num_samples, bool) or num_samples < 1:
        raise ValueError(f"{name}: num_samples must be an integer of at least 1, got {num_samples!r}")


def draw(name: str, posterior: Any, prior: Any, key: jax.Array, num_samples: int, gradient: Gradient | None) -> Latents:
    """Checks what is known while tracing, and draws."""
    check_num_samples(name, num_samples)
    if gradient is not None and not isinstance(gradient, Gradient):
        raise TypeError(f"{name}: gradient must be one of {Gradient} or None, got {gradient!r}")
    if callable(posterior) and not hasattr(posterior, "sample"):
        raise TypeError(f"{name}: the posterior is drawn from, and a function of log-probabilities cannot be")
    posterior = as_distribution(posterior)
    if not callable(getattr(posterior, "sample", None)):
        raise TypeError(f"{name}: the posterior is drawn from, and {type(posterior).__name__} has no sample")
    prior = prior_of(name, prior)
    batch = _batch(name, posterior, prior)
    z = posterior.sample(key, (num_samples,))
    integers = jnp.issubdtype(z.dtype, jnp.integer)
    if integers and gradient is not None and not isinstance(gradient, ScoreFunction):
        raise TypeError(f"{name}: draws of integers have no derivative; use ScoreFunction(), not {gradient!r}")
    gradient = gradient or (ScoreFunction() if integers else Reparameterized())
    z = fixed(z) if isinstance(gradient, ScoreFunction) else z
    return Latents(_widened(posterior), _widened(prior), z, gradient, batch)


def prior_of(name: str, prior: Any) -> Any:
    """The prior as a density."""
    return _density.as_density(name, prior if _is_function(prior) else as_distribution(prior))


def _is_function(prior: Any) -> bool:
    return callable(prior) and not hasattr(prior, "log_prob") and not isinstance(prior, type)


def _batch(name: str, posterior: Any, prior: Any) -> tuple[int, ...]:
    """The batch shape, which is the posterior's."""
    batch = _density.batch_shape(posterior)
    if _density.is_bare(prior):
        return batch
    events = [_density.event_shape(density) for density in (posterior, prior)]
    if events[0] != events[1]:
        raise ValueError(f"{name}: event shapes of posterior and prior differ: {events[0]} and {events[1]}")
    other = _density.batch_shape(prior)
    try:
        fits = jnp.broadcast_shapes(batch, other) == batch
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(f"{name}: the prior's batch shape {other} does not broadcast to the posterior's, {batch}")
    return batch


def in_32_bits(leaf: Any) -> jax.Array:
    """Half precision becomes float32, everything else stays."""
    array = jnp.asarray(leaf)
    half = jnp.issubdtype(array.dtype, jnp.floating) and jnp.finfo(array.dtype).bits < 32
    return array.astype(jnp.float32) if half else array


def _widened(density: Any) -> Any:
    return jax.tree.map(lambda leaf: in_32_bits(leaf) if isinstance(leaf, jax.Array) else leaf, density)


def spread(values: jax.Array) -> jax.Array:
    """The standard error of a mean over the first axis; infinite where that is, and where one draw cannot tell."""
    count = len(values)
    if count < 2:
        return jnp.full(values.shape[1:], jnp.inf, values.dtype)
    infinite = jnp.any(jnp.isinf(values), axis=0)
    finite = jnp.where(infinite[None], jnp.zeros_like(values), values)
    error = jnp.std(finite, axis=0, ddof=1) / count**0.5
    return fixed(jnp.where(infinite, jnp.full_like(error, jnp.inf), error))


def less_the_others(rewards: jax.Array) -> jax.Array:
    """Rewards less the mean of the other draws', which does not change the mean of reward times score.

    Where any is infinite, so is the mean for the others, and nothing is taken off.
    """
    count = len(rewards)
    if count < 2:
        return rewards
    infinite = jnp.any(jnp.isinf(rewards), axis=0, keepdims=True)
    finite = jnp.where(infinite, jnp.zeros_like(rewards), rewards)
    less = (finite - jnp.mean(finite, axis=0, keepdims=True)) * (count / (count - 1))
    return jnp.where(infinite, rewards, less)


def mean_of(latents: Latents, values: jax.Array, surrogate: jax.Array, log_prob: jax.Array | None = None) -> Estimate:
    """The mean of values over the draws; its derivative is that of the surrogate and of the scores.

    Args:
      latents: the draws.
      values: what is averaged, `[S, ...]`.
      surrogate: what is differentiated for the values' own derivative, and the path's.
      log_prob: the log-density of those coordinates that the values depend on; None is that of all.
    """
    whole = surrogate + latents.scored(less_the_others(values), log_prob) if latents.has_scores else surrogate
    value = with_derivative_of(jnp.mean(values, axis=0), jnp.mean(whole, axis=0))
    return Estimate(value, spread(values), {}, "monte_carlo")


@jax.custom_jvp
def with_derivative_of(value: jax.Array, _: jax.Array) -> jax.Array:
    """The value, with the derivative of the surrogate, also where either is infinite."""
    return value


@with_derivative_of.defjvp
def _with_derivative_of_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    return with_derivative_of(*primals), tangents[1]
