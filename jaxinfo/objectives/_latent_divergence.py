"""KL between a posterior and a prior: by its closed form or over draws, by dimension where these are independent."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import densities
from jaxinfo.densities import ClosedForm, DoublyReparameterized, Estimate, Reparameterized, StickingTheLanding
from jaxinfo.densities._measure import known_formula
from jaxinfo.distributions import Independent, Normal
from jaxinfo.distributions._families.multivariate_normal import DiagonalNormal
from jaxinfo.objectives._latent_draws import Latents, fixed, mean_of, spread


class Divergence(NamedTuple):
    """KL, what each draw says of it, and its parts by dimension."""

    whole: Estimate
    draws: jax.Array
    parts: Estimate | None


def _factors(density: Any) -> Any:
    """The distributions of the coordinates, as batch axes; None where they are not known to be independent."""
    if isinstance(density, Independent) and density.base.event_shape == ():
        return density.base
    if type(density) is DiagonalNormal:
        return Normal(density.loc, density.scale)
    return density if getattr(density, "event_shape", ()) == () else None


def divergence(name: str, latents: Latents, analytic: bool | None) -> Divergence:
    """KL by its closed form or over the draws, by dimension where that is possible."""
    posterior, prior = latents.posterior, latents.prior
    pair = (_factors(posterior), _factors(prior))
    # A bare function, whose events have no shape of their own, is a coordinate's density where there is only one.
    factorises = None not in pair and (bool(_num_event_axes(latents)) <= hasattr(prior, "event_shape"))
    known = known_formula("kl_divergence", *(pair if factorises else (posterior, prior))) is not None
    if analytic and not known:
        types = f"({type(posterior).__name__}, {type(prior).__name__})"
        raise TypeError(f"{name}: no closed form of KL is known for {types}; use analytic_kl=None or False")
    drawn = analytic is False or not known or isinstance(latents.gradient, StickingTheLanding | DoublyReparameterized)
    densities_ = pair if factorises else (posterior, prior)
    shape = (*latents.batch, *(latents.z.shape[latents.z.ndim - _num_event_axes(latents) :] if factorises else ()))
    estimate, draws = _drawn(latents, *densities_, shape) if drawn else _analytic(*densities_, shape)
    axes = tuple(range(-_num_event_axes(latents), 0)) if factorises else ()
    if not axes:
        return Divergence(estimate, draws, estimate if factorises else None)
    total = jnp.sum(draws, axis=axes)
    error = spread(total) if drawn else jnp.zeros_like(total[0])
    whole = Estimate(jnp.sum(estimate.value, axis=axes), error, {}, estimate.method)
    return Divergence(whole, total, estimate)


def _num_event_axes(latents: Latents) -> int:
    return latents.z.ndim - 1 - len(latents.batch)


def _analytic(posterior: Any, prior: Any, shape: tuple[int, ...]) -> tuple[Estimate, jax.Array]:
    estimate = densities.kl_divergence(posterior, prior, method=ClosedForm())
    estimate = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, shape), estimate)
    return estimate, estimate.value[None]


def _drawn(latents: Latents, posterior: Any, prior: Any, shape: tuple[int, ...]) -> tuple[Estimate, jax.Array]:
    """The mean of `log q - log p` over the draws, where these are shared with the reconstruction."""
    shape = (len(latents.z), *shape)
    log_q = jnp.broadcast_to(posterior.log_prob(latents.z), shape)
    log_p = jnp.broadcast_to(prior.log_prob(latents.z), shape)
    if isinstance(latents.gradient, Reparameterized):
        surrogate = log_q - log_p
    elif latents.still:
        # The mean of the posterior's own score is 0.
        surrogate = -log_p
    else:
        surrogate = jnp.broadcast_to(fixed(posterior).log_prob(latents.z), shape) - log_p
    return mean_of(latents, log_q - log_p, surrogate, log_q), log_q - log_p


def with_free_bits(name: str, latents: Latents, kl: Divergence, free_bits: ArrayLike) -> jax.Array:
    """KL in which every dimension counts `free_bits` at least."""
    if kl.parts is None:
        raise TypeError(
            f"{name}: free_bits are for latents that factorise, as Independent does, got "
            f"({type(latents.posterior).__name__}, {type(latents.prior).__name__})"
        )
    parts = kl.parts.value
    least = like(name, "free_bits", free_bits, parts)
    # NaN of either is not hidden by the other.
    return jnp.sum(
        jnp.where((parts >= least) | jnp.isnan(parts), parts, least), axis=tuple(range(len(latents.batch), parts.ndim))
    )


def like(name: str, option: str, number: ArrayLike, array: jax.Array) -> jax.Array:
    """An option's number, of the dtype and shape of an array."""
    given = jnp.asarray(number).astype(array.dtype)
    try:
        return jnp.broadcast_to(given, array.shape)
    except ValueError as error:
        raise ValueError(f"{name}: {option} of shape {given.shape} does not broadcast to {array.shape}") from error
