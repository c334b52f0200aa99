"""What a latent variable says about which example it came from, and how far all posteriors together are from the prior.

The mean rate splits into both: `E_n KL(q(z|n)‖p(z)) = I(n; z) + KL(q(z)‖p(z))` with the aggregate `q(z) = E_n q(z|n)`.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike, DTypeLike

from jaxinfo import _checks, densities
from jaxinfo._pytrees import register_dataclass
from jaxinfo.densities import ClosedForm, Estimate, _density
from jaxinfo.densities._measure import known_formula
from jaxinfo.distributions import Mixture
from jaxinfo.distributions._arrays import common_dtype, working_dtype
from jaxinfo.interop import as_distribution
from jaxinfo.objectives._latent_draws import Latents, check_num_samples, draw, in_32_bits, prior_of
from jaxinfo.objectives._populations import (
    check_block_size,
    coefficient_of,
    counted,
    in_blocks,
    population_error,
    population_mean,
)


@register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class AggregatePosteriorTerms:
    """The mean rate of posteriors, and its two parts, which add up to it.

    Args:
      rate: the mean of KL(q(z|n)‖p(z)) over the examples.
      mutual_information: I(n; z), of the example and the latent variable.
      aggregate_kl: KL(q(z)‖p(z)), of the mean of the posteriors and the prior.

    >>> import jax
    >>> import jax.numpy as jnp
    >>> from jaxinfo import objectives
    >>> from jaxinfo.distributions import Normal
    >>> q, p = Normal(jnp.array([-9.0, 9.0]), 1.0), Normal(0.0, 1.0)
    >>> terms = objectives.aggregate_posterior_terms(q, p, key=jax.random.key(0), num_samples=100)
    >>> round(float(terms.rate.value), 3), round(float(terms.mutual_information.value), 3)
    (40.5, 0.693)
    """

    rate: Estimate
    mutual_information: Estimate
    aggregate_kl: Estimate


def aggregate_posterior(posterior: Any, *, weights: ArrayLike | None = None) -> Mixture:
    r"""Aggregate posterior q(z) = Σₙ wₙ q(z|xₙ), a mixture with a component for every example.

    Args:
      posterior: q(z|x_n), a distribution of batch shape `[N]`.
      weights: `[N]`, the examples' shares, which sum to one; uniform for None.

    Returns:
      A `Mixture`.

    Raises:
      ValueError: if the batch shape is not `[N]`, N at least 1, or `weights` has another.

    **Domain**: that of a `Mixture`.

    **Gradient**: that of a `Mixture`.

    Reference: A. Makhzani et al., "Adversarial Autoencoders", ICLR workshop, 2016.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import objectives
        >>> from jaxinfo.distributions import Normal
        >>> q = objectives.aggregate_posterior(Normal(jnp.array([-1.0, 1.0]), 1.0))
        >>> print(q.mean, q.variance)
        0.0 2.0
    """
    name = "aggregate_posterior"
    posterior = as_distribution(posterior)
    return Mixture(_shares(name, posterior, weights), posterior)


def _shares(name: str, posterior: Any, weights: ArrayLike | None) -> jax.Array:
    """The weights of the examples, in at least 32 bits."""
    batch = tuple(getattr(posterior, "batch_shape", ()))
    if len(batch) != 1:
        raise ValueError(f"{name}: the posterior's batch shape must be [N], that of the examples, got {batch}")
    if batch == (0,):
        raise ValueError(f"{name}: needs the posterior of at least one example, got batch shape (0,)")
    if weights is None:
        return jnp.full(batch, 1 / batch[0], _dtype(posterior))
    shares = in_32_bits(_checks.floating(name, "weights", weights))
    if shares.shape != batch:
        raise ValueError(f"{name}: weights must have the posterior's batch shape {batch}, got {shares.shape}")
    return shares.astype(_dtype(posterior))


def _dtype(posterior: Any) -> DTypeLike:
    return working_dtype(common_dtype(*jax.tree.leaves(posterior)))


def aggregate_posterior_terms(
    posterior: Any,
    prior: Any,
    *,
    key: jax.Array,
    num_samples: int = 1,
    weights: ArrayLike | None = None,
    block_size: int | None = None,
) -> AggregatePosteriorTerms:
    r"""Split of the mean rate into mutual information and the aggregate posterior's divergence from the prior.

    .. math:: E_n \, D(q(z|x_n) \| p(z)) = I(n; z) + D(q(z) \| p(z)), \qquad q(z) = \sum_n w_n q(z|x_n)

    The examples given are the whole population; `minibatch_information_bounds` is for a sample of one. The rate is a
    closed form where there is one, and its deviation over the draws then a control variate of the other two, with a
    coefficient that is measured on the same draws (a bias of one part in their number). Draws are compared with all N
    posteriors block by block: no array of all pairs is made.

    Args:
      posterior: q(z|x_n), a distribution of batch shape `[N]`.
      prior: p(z), a distribution of batch shape `[]`, or a function of log-probabilities.
      key: a PRNG key.
      num_samples: draws for each example.
      weights: `[N]`, the examples' shares, which sum to one; uniform for None.
      block_size: how many examples' draws are compared at a time; None is as many as make some million numbers.

    Returns:
      An `AggregatePosteriorTerms` of scalars. The mutual information is at most the entropy of the weights. With a
      single draw for each example the error counts their differences too, and is too large.

    Raises:
      TypeError: if an argument is no density or the posterior cannot be drawn from.
      ValueError: if shapes do not fit or an option is out of range.

    **Domain**: examples without weight add nothing, also those with mass that the prior has not. Rate and divergence
    are `inf` where others have such mass, and the information is finite.

    **Gradient**: reparameterised, or the score function's for posteriors of integers; an unbiased estimate of that of
    the mean but for the control variate's bias. That in the weights is not defined where one is 0 and a draw of that
    example has no density in the aggregate.

    Reference: M. D. Hoffman and M. J. Johnson, "ELBO Surgery: Yet Another Way to Carve Up the Variational Evidence
        Lower Bound", NeurIPS workshop on approximate Bayesian inference, 2016.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from jaxinfo import objectives
        >>> from jaxinfo.distributions import Normal
        >>> q, p = Normal(jnp.array([-1.0, 1.0]), 1.0), Normal(0.0, 2**0.5)
        >>> terms = objectives.aggregate_posterior_terms(q, p, key=jax.random.key(0), num_samples=10_000)
        >>> error = terms.aggregate_kl.stderr
        >>> print(terms.rate.value.round(4), bool(abs(terms.aggregate_kl.value - 0.0095) < 4 * error + 1e-4))
        0.3466 True
    """
    name = "aggregate_posterior_terms"
    posterior, prior = as_distribution(posterior), prior_of(name, prior)
    shares = _shares(name, posterior, weights)
    return _compiled(_terms, name, (posterior, prior), key, shares, num_samples=num_samples, block_size=block_size)


def _compiled(function: Any, name: str, pair: tuple[Any, Any], *arrays: Any, **sizes: Any) -> Any:
    """Compiles what is made of numbers; a bare function, or a foreign object, may hold others that change."""
    check_num_samples(name, sizes["num_samples"])
    check_block_size(name, sizes["block_size"])
    numbers = all(isinstance(leaf, jax.Array | np.ndarray | np.generic | float | int) for leaf in jax.tree.leaves(pair))
    if _density.is_bare(pair[1]) or not numbers:
        return function(pair, *arrays, **sizes, kinds=())
    return _compiled_of[function](pair, *arrays, **sizes, kinds=tuple(map(type, pair)))


def _terms(
    pair: tuple[Any, Any],
    key: jax.Array,
    shares: jax.Array,
    *,
    num_samples: int,
    block_size: int | None,
    kinds: tuple[type, ...],
) -> AggregatePosteriorTerms:
    # JAX may confuse classes that users registered with `jax.tree_util.register_dataclass`, but not static arguments.
    del kinds
    latents = draw("aggregate_posterior_terms", *pair, key, num_samples, None)
    aggregate = Mixture(shares, latents.posterior)
    log_own = latents.log_of(latents.posterior)
    log_all = in_blocks(lambda z, _: aggregate.log_prob(z), latents, block_size)
    excess, over_prior = log_own - log_all, log_own - latents.log_of(latents.prior)
    if known_formula("kl_divergence", latents.posterior, latents.prior) is None:
        rate = population_mean(latents, over_prior, over_prior, log_own, shares)
        information = population_mean(latents, excess, excess, log_own, shares)
        return _split(rate, information, population_error(excess - over_prior, shares))
    exact = densities.kl_divergence(latents.posterior, latents.prior, method=ClosedForm()).value
    value = jnp.sum(shares * counted(exact, shares))
    rate = Estimate(value, jnp.zeros_like(value), {}, "closed_form")
    deviations = over_prior - exact[None]
    # Where KL is infinite it controls nothing.
    deviations = jnp.where(jnp.isfinite(deviations), deviations, jnp.zeros_like(deviations))
    controlled = excess - coefficient_of(excess, deviations, shares) * deviations
    information = population_mean(latents, controlled, controlled, log_own, shares)
    return _split(rate, information, information.stderr)


def _split(rate: Estimate, information: Estimate, error: jax.Array) -> AggregatePosteriorTerms:
    value = rate.value - information.value
    rest = Estimate(value, jnp.where(jnp.isinf(value), jnp.full_like(error, jnp.inf), error), {}, "monte_carlo")
    return AggregatePosteriorTerms(rate, information, rest)


def minibatch_information_bounds(
    posterior: Any, *, key: jax.Array, num_samples: int = 1, block_size: int | None = None
) -> tuple[Estimate, Estimate]:
    r"""Bounds on I(x; z) from below and above, given the posteriors of a sample of examples.

    .. math:: E\Big[\log \frac{q(z_i|x_i)}{\frac 1 B \sum_j q(z_i|x_j)}\Big] \le I(x; z)
        \le E\Big[\log \frac{q(z_i|x_i)}{\frac 1 {B - 1} \sum_{j \ne i} q(z_i|x_j)}\Big]

    The examples are drawn from a population that is larger, or infinite. The lower bound is at most `log B`.

    Args:
      posterior: q(z|x_i), a distribution of batch shape `[B]`, B at least 2.
      key: a PRNG key.
      num_samples: draws for each example.
      block_size: as in `aggregate_posterior_terms`.

    Returns:
      The two bounds, an `Estimate` each, whose error is that over the examples.

    Raises:
      TypeError: if the posterior is no distribution that can be drawn from.
      ValueError: if shapes do not fit or an option is out of range.

    **Domain**: the upper bound and its error are `inf` where a draw has no density under any other posterior; it is
    loose, with an error that cannot be trusted, where posteriors hardly overlap.

    **Gradient**: as in `aggregate_posterior_terms`.

    Reference: B. Poole et al., "On Variational Bounds of Mutual Information", ICML, 2019.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from jaxinfo import objectives
        >>> from jaxinfo.distributions import Normal
        >>> x = jax.random.normal(jax.random.key(0), (1000,))
        >>> lower, upper = objectives.minibatch_information_bounds(Normal(x, 1.0), key=jax.random.key(1))
        >>> print(abs(lower.value - 0.3466) < 0.1, abs(upper.value - 0.3466) < 0.1)  # log(2) / 2
        True True
    """
    name = "minibatch_information_bounds"
    posterior = as_distribution(posterior)
    count = len(_shares(name, posterior, None))
    if count < 2:
        raise ValueError(f"{name}: needs the posteriors of at least two examples, got {count}")
    pair = (posterior, posterior)
    return _compiled(_minibatch_bounds, name, pair, key, num_samples=num_samples, block_size=block_size)


def _minibatch_bounds(
    pair: tuple[Any, Any], key: jax.Array, *, num_samples: int, block_size: int | None, kinds: tuple[type, ...]
) -> tuple[Estimate, Estimate]:
    del kinds
    latents = draw("minibatch_information_bounds", *pair, key, num_samples, None)
    (count,) = latents.batch

    def log_sums(z: jax.Array, number: jax.Array) -> tuple[jax.Array, jax.Array]:
        table = latents.posterior.log_prob(jnp.expand_dims(z, 1))
        other = (jnp.arange(count, dtype=jnp.int32) != number)[None]
        others = jnp.where(other, table, jnp.full_like(table, -jnp.inf))
        return jax.nn.logsumexp(table, axis=1), jax.nn.logsumexp(others, axis=1)

    log_own = latents.log_of(latents.posterior)
    log_all, log_others = in_blocks(log_sums, latents, block_size)
    lower, upper = log_own - (log_all - math.log(count)), log_own - (log_others - math.log(count - 1))
    return _sampled(latents, lower, log_own), _sampled(latents, upper, log_own)


def _sampled(latents: Latents, values: jax.Array, log_own: jax.Array) -> Estimate:
    """The mean over examples that are a sample themselves.

    That they also make the average that each is compared with adds nothing to the error, to first order.
    """
    shares = jnp.full(values.shape[1:], 1 / values.shape[1], values.dtype)
    mean = population_mean(latents, values, values, log_own, shares)
    return dataclasses.replace(mean, stderr=population_error(jnp.mean(values, axis=0, keepdims=True), shares))


_compiled_of = {
    function: jax.jit(function, static_argnames=("num_samples", "block_size", "kinds"), inline=True)
    for function in (_terms, _minibatch_bounds)
}
