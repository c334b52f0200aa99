"""The evidence lower bound, its parts, and the schedule by which its KL term is brought in."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from typing import Any

import jax
import optax
from jax.typing import ArrayLike

from jaxinfo._pytrees import register_dataclass
from jaxinfo.densities import DoublyReparameterized, Estimate, StickingTheLanding
from jaxinfo.objectives._latent_divergence import divergence, like, with_free_bits
from jaxinfo.objectives._latent_draws import Gradient, draw, mean_of, spread
from jaxinfo.objectives._loss_parts import part


@register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class ElboTerms:
    """What the evidence lower bound is made of, one value per example.

    Args:
      objective: what is maximised: `reconstruction - beta * kl`, with the free bits that were asked for.
      elbo: the bound on `log p(x)` itself, whatever `beta` and `free_bits`.
      reconstruction: the mean of `log p(x|z)` under the posterior.
      kl: KL(posterior‖prior).
      kl_per_dimension: its parts `[..., *event]`, where posterior and prior factorise; otherwise None.

    A standard error is that of the mean over the draws, 0 for a closed form, and infinite for a single draw, which
    cannot tell.

    >>> import jax
    >>> import jax.numpy as jnp
    >>> from jaxinfo import objectives
    >>> from jaxinfo.distributions import Normal
    >>> q, p = Normal(jnp.array([0.5]), 1.0), Normal(0.0, 1.0)
    >>> terms = objectives.elbo_terms(q, p, Normal(0.0, 1.0).log_prob, key=jax.random.key(0), num_samples=8)
    >>> type(terms).__name__, terms.kl.method, round(float(terms.rate[0]), 3)
    ('ElboTerms', 'closed_form', 0.125)
    """

    objective: jax.Array
    elbo: Estimate
    reconstruction: Estimate
    kl: Estimate
    kl_per_dimension: Estimate | None

    @property
    def rate(self) -> jax.Array:
        """KL(posterior‖prior), the nats that the latent variable carries."""
        return self.kl.value

    @property
    def distortion(self) -> jax.Array:
        """The mean of `-log p(x|z)`, the nats that are left to say."""
        return -self.reconstruction.value


def elbo(
    posterior: Any,
    prior: Any,
    log_likelihood: Callable[[jax.Array], jax.Array],
    *,
    key: jax.Array,
    num_samples: int = 1,
    beta: ArrayLike = 1.0,
    free_bits: ArrayLike = 0.0,
    gradient: Gradient | None = None,
    analytic_kl: bool | None = None,
) -> jax.Array:
    r"""Evidence lower bound E[log p(x|z)] − β KL(q(z|x)‖p(z)), one value per example.

    .. math:: \mathcal L(x) = E_{q(z|x)}[\log p(x|z)] - \beta \, D(q(z|x) \| p(z)) \le \log p(x) \quad (\beta \ge 1)

    Nothing is summed over the examples, and nothing is compiled: it is called inside a compiled training step.

    Args:
      posterior: q(z|x), a distribution whose batch shape is that of the examples, `[...]`.
      prior: p(z), a distribution whose batch shape broadcasts to that, or a function of log-probabilities.
      log_likelihood: `log p(x|z)`: a function of all draws `z [num_samples, ..., *event]`, as layers with leading batch
        axes take them, that returns `[num_samples, ...]`.
      key: a PRNG key.
      num_samples: draws for each example.
      beta: the weight of the KL term, which may be traced, of a shape that broadcasts to the examples.
      free_bits: the least that each dimension's KL counts, in nats; below it there is no pressure on that dimension. It
        is per example; the original takes the mean over a minibatch first, for which `elbo_terms` has the parts.
      gradient: `Reparameterized()`, `StickingTheLanding()` (which draws the KL) or `ScoreFunction()`; None is the last
        for posteriors of integers and the first otherwise.
      analytic_kl: whether KL is the closed form, or a mean over the same draws; None is the first where there is one.

    Returns:
      An array of the posterior's batch shape. Half precision is averaged, and returned, in float32.

    Raises:
      TypeError: if an argument is no density, the posterior cannot be drawn from, `gradient` does not fit, or free bits
        are given to latents that do not factorise.
      ValueError: if shapes do not fit or an option is out of range.

    **Domain**: `-inf` where the posterior has mass that the prior has not, unless `beta` is 0, or where the likelihood
    of a draw is 0.

    **Gradient**: an unbiased estimate of that of the mean; the closed form's is exact. `StickingTheLanding` and
    `ScoreFunction` are of first order. Through `free_bits` it is 0 for a dimension below them.

    Reference: D. P. Kingma and M. Welling, "Auto-Encoding Variational Bayes", ICLR, 2014;
        I. Higgins et al., "beta-VAE: Learning Basic Visual Concepts with a Constrained Variational Framework", ICLR,
        2017; D. P. Kingma et al., "Improved Variational Inference with Inverse Autoregressive Flow", NeurIPS, 2016.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from jaxinfo import objectives
        >>> from jaxinfo.distributions import Normal
        >>> x = jnp.array([0.0, 2.0])
        >>> q = Normal(x / 2, 0.5**0.5)  # the posterior of x ~ N(z, 1), z ~ N(0, 1)
        >>> log_likelihood = lambda z: Normal(z, 1.0).log_prob(x)
        >>> bound = objectives.elbo(q, Normal(0.0, 1.0), log_likelihood, key=jax.random.key(0), analytic_kl=False)
        >>> print(bound.round(3), Normal(0.0, 2**0.5).log_prob(x).round(3))
        [-1.266 -2.266] [-1.266 -2.266]
    """
    options = {"beta": beta, "free_bits": free_bits, "gradient": gradient, "analytic_kl": analytic_kl}
    return _terms("elbo", posterior, prior, log_likelihood, key, num_samples, **options).objective


def elbo_terms(
    posterior: Any,
    prior: Any,
    log_likelihood: Callable[[jax.Array], jax.Array],
    *,
    key: jax.Array,
    num_samples: int = 1,
    beta: ArrayLike = 1.0,
    free_bits: ArrayLike = 0.0,
    gradient: Gradient | None = None,
    analytic_kl: bool | None = None,
) -> ElboTerms:
    r"""Parts of the evidence lower bound: reconstruction and KL (distortion and rate), each with its error.

    Args:
      posterior: as in `elbo`.
      prior: as in `elbo`.
      log_likelihood: as in `elbo`.
      key: a PRNG key.
      num_samples: draws for each example.
      beta: as in `elbo`.
      free_bits: as in `elbo`.
      gradient: as in `elbo`.
      analytic_kl: as in `elbo`.

    Returns:
      An `ElboTerms`.

    Raises:
      TypeError: as `elbo`.
      ValueError: as `elbo`.

    **Domain**: that of `elbo`.

    **Gradient**: every value carries its own, as in `elbo`.

    Reference: A. A. Alemi et al., "Fixing a Broken ELBO", ICML, 2018.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from jaxinfo import objectives
        >>> from jaxinfo.distributions import Independent, Normal
        >>> q, p = Independent(Normal(jnp.array([[1.0, 0.0]]), 1.0)), Independent(Normal(jnp.zeros(2), 1.0))
        >>> log_likelihood = lambda z: jnp.zeros(z.shape[:-1])
        >>> terms = objectives.elbo_terms(q, p, log_likelihood, key=jax.random.key(0), free_bits=0.25)
        >>> print(terms.kl_per_dimension.value, terms.kl.value, terms.objective)
        [[0.5 0. ]] [0.5] [-0.75]
    """
    options = {"beta": beta, "free_bits": free_bits, "gradient": gradient, "analytic_kl": analytic_kl}
    return _terms("elbo_terms", posterior, prior, log_likelihood, key, num_samples, **options)


def _terms(
    name: str,
    posterior: Any,
    prior: Any,
    log_likelihood: Callable[[jax.Array], jax.Array],
    key: jax.Array,
    num_samples: int,
    *,
    beta: ArrayLike,
    free_bits: ArrayLike,
    gradient: Gradient | None,
    analytic_kl: bool | None,
) -> ElboTerms:
    _check_options(name, gradient, analytic_kl, {"beta": beta, "free_bits": free_bits})
    latents = draw(name, posterior, prior, key, num_samples, gradient)
    log_likelihoods = latents.log_likelihood(name, log_likelihood)
    reconstruction = mean_of(latents, log_likelihoods, log_likelihoods)
    kl = divergence(name, latents, analytic_kl)
    counted = kl.whole.value
    if not (isinstance(free_bits, int | float) and free_bits == 0):
        counted = with_free_bits(name, latents, kl, free_bits)
    # Without weight an infinite KL is not looked at.
    weighted = part(like(name, "beta", beta, counted), counted)
    bound = Estimate(
        reconstruction.value - kl.whole.value, spread(log_likelihoods - kl.draws), {}, reconstruction.method
    )
    return ElboTerms(reconstruction.value - weighted, bound, reconstruction, kl.whole, kl.parts)


def _check_options(name: str, gradient: Any, analytic_kl: Any, numbers: dict[str, Any]) -> None:
    if not (analytic_kl is None or isinstance(analytic_kl, bool)):
        raise TypeError(f"{name}: analytic_kl must be True, False or None, got {analytic_kl!r}")
    if analytic_kl and isinstance(gradient, StickingTheLanding | DoublyReparameterized):
        raise ValueError(f"{name}: {gradient!r} draws the KL, so that analytic_kl cannot be True")
    for option, value in numbers.items():
        if isinstance(value, int | float) and not value >= 0:
            raise ValueError(f"{name}: {option} must be at least 0, got {value!r}")


def kl_annealing_schedule(
    num_steps: int,
    *,
    num_cycles: int = 1,
    proportion: float = 1.0,
    initial_value: float = 0.0,
    final_value: float = 1.0,
) -> optax.Schedule:
    r"""Schedule of beta that brings the KL term in, once or in cycles; an Optax schedule.

    In each of `num_cycles` equal parts of `num_steps` it rises linearly from `initial_value` to `final_value` during
    the first `proportion` of the part, and stays there; after `num_steps` it is `final_value`.

    Args:
      num_steps: the steps of the whole schedule.
      num_cycles: how often it rises.
      proportion: the share of a cycle in which it rises, in (0, 1].
      initial_value: beta at the start of a cycle.
      final_value: beta at its end.

    Returns:
      A function of the step, which may be traced, as Optax has them.

    Raises:
      ValueError: if an option is out of range.

    **Domain**: steps from 0 on.

    **Gradient**: none is needed, and that in the step is 0.

    Reference: S. R. Bowman et al., "Generating Sentences from a Continuous Space", CoNLL, 2016;
        H. Fu et al., "Cyclical Annealing Schedule: A Simple Approach to Mitigating KL Vanishing", NAACL, 2019.

    Example:
        >>> from jaxinfo import objectives
        >>> schedule = objectives.kl_annealing_schedule(100, num_cycles=2, proportion=0.5)
        >>> print(*(float(schedule(step)) for step in (0, 10, 25, 49, 50, 60, 100, 1000)))
        0.0 0.4 1.0 1.0 0.0 0.4 1.0 1.0
    """
    name = "kl_annealing_schedule"
    for option, value in (("num_steps", num_steps), ("num_cycles", num_cycles)):
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ValueError(f"{name}: {option} must be an integer of at least 1, got {value!r}")
    if not 0 < proportion <= 1:
        raise ValueError(f"{name}: proportion must lie in (0, 1], got {proportion!r}")
    if num_cycles > num_steps:
        raise ValueError(f"{name}: {num_cycles} cycles do not fit into {num_steps} steps")
    starts = [round(cycle * num_steps / num_cycles) for cycle in range(num_cycles + 1)]
    ramps = [
        optax.linear_schedule(initial_value, final_value, max(1, round(proportion * (end - start))))
        for start, end in itertools.pairwise(starts)
    ]
    return optax.join_schedules([*ramps, optax.constant_schedule(final_value)], starts[1:])
