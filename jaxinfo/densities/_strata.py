"""What is averaged over draws, and the surrogate whose derivative estimates that of the mean.

A stratum is a density that is drawn from, with a weight; the integral is the weighted sum of the strata's means.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxinfo.densities import _density
from jaxinfo.densities._gradients import DoublyReparameterized, Gradient, Reparameterized, ScoreFunction
from jaxinfo.densities._terms import CrossEntropy, Divergence, Entropy, KullbackLeibler, Term
from jaxinfo.distributions import Mixture
from jaxinfo.distributions._arrays import exp_remainder

fixed = jax.lax.stop_gradient


class Draws(NamedTuple):
    """A block of draws: the integrand, the surrogate of its gradient, and the logarithm of the weights q/p."""

    values: jax.Array
    surrogate: jax.Array
    log_weights: jax.Array | None


class Stratum(NamedTuple):
    """A density to draw from, its share, and what becomes of draws, given how many of them count."""

    density: Any
    weight: float
    evaluate: Callable[[jax.Array, jax.Array, tuple[int, ...]], Draws]


def strata_of(term: Term, densities: tuple[Any, ...], gradient: Gradient, control: jax.Array | None) -> list[Stratum]:
    """Returns what to draw from, and what to average: for bounded divergences both densities, otherwise the first."""
    p, q = densities[0], densities[-1]
    if isinstance(term, Entropy | CrossEntropy):
        return [Stratum(p, 1.0, _cross_entropy(p, q, gradient, own=isinstance(term, Entropy)))]
    if isinstance(term, KullbackLeibler):
        return [Stratum(p, 1.0, _divergence_of_draws(p, q, gradient, jnp.zeros(()) if control is None else control))]
    if not isinstance(term, Divergence):
        raise TypeError(f"no draws are known for {term!r}")
    if takes_both(term, densities, gradient):
        return [Stratum(own, 0.5, _of_mixture(term, own, p, q, gradient)) for own in (p, q)]
    return [Stratum(p, 1.0, _of_ratio(term, p, q, gradient))]


def takes_both(term: Term, densities: tuple[Any, ...], gradient: Gradient) -> bool:
    """Whether draws come from both densities."""
    general = isinstance(term, Divergence) and not isinstance(term, KullbackLeibler)
    return general and hasattr(densities[-1], "sample") and not isinstance(gradient, DoublyReparameterized)


def log_of(density: Any, x: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    return jnp.broadcast_to(density.log_prob(x), shape)


def _scored(reward: jax.Array, mask: jax.Array, log_prob: jax.Array) -> jax.Array:
    """The reward, less the mean of the others' that count, times the score of its draw."""
    count = jnp.sum(mask, axis=0, keepdims=True)
    mean = jnp.sum(jnp.where(mask > 0, reward, jnp.zeros_like(reward)), axis=0, keepdims=True) / jnp.maximum(count, 1)
    return fixed((reward - mean) * (count / jnp.maximum(count - 1, 1))) * log_prob


def _undrawn(density: Any, x: jax.Array, reward: jax.Array, mask: jax.Array) -> jax.Array:
    """What derivatives through the draws leave out: those in a mixture's weights, by their score."""
    if not isinstance(density, Mixture):
        return jnp.zeros_like(reward)
    by_weights = Mixture(density.weights, fixed(density.components))
    return _scored(reward, mask, log_of(by_weights, fixed(x), reward.shape))


def _cross_entropy(p: Any, q: Any, gradient: Gradient, own: bool) -> Callable[..., Draws]:
    """`-log q`, where q may be p itself."""

    def evaluate(x: jax.Array, mask: jax.Array, shape: tuple[int, ...]) -> Draws:
        values = -log_of(q, x, shape)
        if isinstance(gradient, ScoreFunction):
            scored = _scored(values, mask, log_of(p, fixed(x), shape))
            # The mean of p's own score is 0.
            return Draws(values, scored if own else scored - log_of(q, fixed(x), shape), None)
        held = own and not isinstance(gradient, Reparameterized)
        surrogate = -log_of(fixed(q), x, shape) if held else values
        return Draws(values, surrogate + _undrawn(p, x, values, mask), None)

    return evaluate


def _divergence_of_draws(p: Any, q: Any, gradient: Gradient, control: jax.Array) -> Callable[..., Draws]:
    """`-log r + c (r - 1)` with `r = q / p`, whose second part has mean zero."""

    def form(log_ratio: jax.Array) -> jax.Array:
        coefficient = jnp.broadcast_to(control.astype(log_ratio.dtype), log_ratio.shape)
        # Near the always positive form nothing of it may cancel; near the plain one nothing may overflow.
        positive = coefficient > 0.5
        held = jnp.where(positive, log_ratio, jnp.zeros_like(log_ratio))
        near = exp_remainder(held) + (coefficient - 1) * jnp.expm1(held)
        other = jnp.where(positive | (coefficient == 0), jnp.zeros_like(log_ratio), log_ratio)
        return jnp.where(positive, near, coefficient * jnp.expm1(other) - log_ratio)

    def evaluate(x: jax.Array, mask: jax.Array, shape: tuple[int, ...]) -> Draws:
        log_p, log_q = log_of(p, x, shape), log_of(q, x, shape)
        log_ratio = log_q - log_p
        values, plain = form(log_ratio), fixed(-log_ratio)
        if isinstance(gradient, Reparameterized):
            return Draws(values, values + _undrawn(p, x, fixed(values), mask), log_ratio)
        # What has mean zero whatever p is needs no derivative in it; the one in q takes away variance.
        of_q = log_of(q, fixed(x), shape) - fixed(log_p)
        reduced = jnp.broadcast_to(control.astype(plain.dtype), shape) * jnp.exp(
            jnp.where(jnp.broadcast_to(control == 0, shape), jnp.zeros_like(of_q), of_q)
        )
        if isinstance(gradient, ScoreFunction):
            return Draws(values, _scored(plain, mask, log_of(p, fixed(x), shape)) - of_q + reduced, log_ratio)
        path = log_of(fixed(p), x, shape) - log_q
        return Draws(values, path + reduced + _undrawn(p, x, plain, mask), log_ratio)

    return evaluate


def _of_ratio(term: Divergence, p: Any, q: Any, gradient: Gradient) -> Callable[..., Draws]:
    """A divergence's term over p."""

    def evaluate(x: jax.Array, mask: jax.Array, shape: tuple[int, ...]) -> Draws:
        log_p, log_q = log_of(p, x, shape), log_of(q, x, shape)
        log_ratio = log_q - log_p
        values = term.of_ratio(log_ratio)
        if isinstance(gradient, Reparameterized):
            return Draws(values, values + _undrawn(p, x, fixed(values), mask), log_ratio)
        if isinstance(gradient, ScoreFunction):
            still = term.of_ratio(log_of(q, fixed(x), shape) - log_of(p, fixed(x), shape))
            return Draws(values, still + _scored(values, mask, log_of(p, fixed(x), shape)), log_ratio)
        slope, curvature = _derivatives(term.of_ratio, fixed(log_ratio))
        path = log_of(fixed(q), x, shape) - log_of(fixed(p), x, shape)
        surrogate = fixed(slope - curvature) * path + fixed(slope) * log_of(q, fixed(x), shape)
        # The score of a mixture's weights has the reward that is left when their share of the ratio is taken out.
        return Draws(values, surrogate + _undrawn(p, x, fixed(values - slope), mask), log_ratio)

    return evaluate


def _derivatives(function: Callable[[jax.Array], jax.Array], x: jax.Array) -> tuple[jax.Array, jax.Array]:
    ones = jnp.ones_like(x)
    return jax.jvp(lambda y: jax.jvp(function, (y,), (ones,))[1], (x,), (ones,))


def _of_mixture(term: Divergence, own: Any, p: Any, q: Any, gradient: Gradient) -> Callable[..., Draws]:
    """A divergence's term over the mean of the two densities, both of which are drawn from."""

    def evaluate(x: jax.Array, mask: jax.Array, shape: tuple[int, ...]) -> Draws:
        x = fixed(x) if isinstance(gradient, ScoreFunction) else x
        log_p, log_q = log_of(p, x, shape), log_of(q, x, shape)
        values = term.over_mixture(log_p, log_q)
        if isinstance(gradient, ScoreFunction):
            surrogate = values + _scored(values, mask, log_of(own, x, shape))
        else:
            surrogate = values + _undrawn(own, x, fixed(values), mask)
        return Draws(values, surrogate, log_q - log_p if own is p else None)

    return evaluate


def aligned_draws(density: Any, key: jax.Array, count: int, batch: tuple[int, ...]) -> jax.Array:
    """Draws `[count, *batch, *event]`, with axes of length one where the density's own batch is smaller."""
    return _density.align(density.sample(key, (count,)), 1, len(_density.event_shape(density)), len(batch))
