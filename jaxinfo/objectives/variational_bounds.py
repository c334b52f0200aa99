"""Bounds on a marginal likelihood by several draws: tighter than the evidence lower bound, or from above."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo.objectives import _power_means
from jaxinfo.objectives._bounds_of_draws import bound_of_draws, power_bound
from jaxinfo.objectives._latent_draws import Gradient
from jaxinfo.objectives.log_weights import check_chi_order, inverse_temperatures_of


def importance_weighted_bound(
    posterior: Any,
    prior: Any,
    log_likelihood: Callable[[jax.Array], jax.Array],
    *,
    key: jax.Array,
    num_samples: int,
    gradient: Gradient | None = None,
) -> jax.Array:
    r"""Importance-weighted lower bound on log p(x), one value per example.

    .. math:: \mathcal L_K(x) = E\Big[\log \frac 1 K \sum_{k=1}^K \frac{p(x, z_k)}{q(z_k|x)}\Big] \le \log p(x)

    Nothing is summed over the examples, and nothing is compiled: it is called inside a compiled training step. It is
    the evidence lower bound at K = 1 and grows with K towards `log p(x)`. To see more draws than fit into memory
    join log-weights and give them to `importance_weighted_bound_from_log_weights`.

    Args:
      posterior: q(z|x), a distribution whose batch shape is that of the examples, `[...]`.
      prior: p(z), a distribution whose batch shape broadcasts to that, or a function of log-probabilities.
      log_likelihood: `log p(x|z)`: a function of all draws `z [num_samples, ..., *event]` that returns
        `[num_samples, ...]`.
      key: a PRNG key.
      num_samples: K.
      gradient: `Reparameterized()`, `DoublyReparameterized()`, whose signal does not drown in noise as K grows, or
        `ScoreFunction()`, with the other draws as each draw's baseline; None is the last for posteriors of integers and
        the first otherwise.

    Returns:
      An array of the posterior's batch shape. Half precision is summed, and returned, in float32.

    Raises:
      TypeError: if an argument is no density, the posterior cannot be drawn from, or `gradient` does not fit.
      ValueError: if shapes do not fit or `num_samples` is not an integer of at least 1.

    **Domain**: draws of likelihood 0 count; all of them give `-inf`.

    **Gradient**: an unbiased estimate of that of the mean, in the posterior's parameters and the model's; all but the
    reparameterised one of first order. `DoublyReparameterized()` differentiates `log_likelihood` in here, which
    therefore changes no state, as a layer of dropout does.

    Reference: Y. Burda, R. Grosse and R. Salakhutdinov, "Importance Weighted Autoencoders", ICLR, 2016;
        G. Tucker et al., "Doubly Reparameterized Gradient Estimators for Monte Carlo Objectives", ICLR, 2019; A. Mnih
        and D. J. Rezende, "Variational Inference for Monte Carlo Objectives", ICML, 2016.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from jaxinfo import objectives
        >>> from jaxinfo.distributions import Normal
        >>> log_likelihood = lambda z: Normal(z, 1.0).log_prob(jnp.array([1.0]))
        >>> q, p, key = Normal(jnp.zeros(1), 1.0), Normal(0.0, 1.0), jax.random.key(0)
        >>> bound = objectives.importance_weighted_bound(q, p, log_likelihood, key=key, num_samples=10_000)
        >>> abs(float(bound[0]) + 1.5155) < 0.02  # log N(1; 0, 2)
        True
    """
    pair = (posterior, prior)
    return power_bound("importance_weighted_bound", pair, log_likelihood, key, num_samples, gradient, 1.0)


def renyi_bound(
    posterior: Any,
    prior: Any,
    log_likelihood: Callable[[jax.Array], jax.Array],
    order: ArrayLike,
    *,
    key: jax.Array,
    num_samples: int,
    gradient: Gradient | None = None,
) -> jax.Array:
    r"""Rényi variational bound log p(x) − Dₐ(q(z|x)‖p(z|x)), one value per example.

    .. math:: \mathcal L_a(x) = \frac{1}{1 - a} \log E_{q(z|x)}\Big[\Big(\frac{p(x, z)}{q(z|x)}\Big)^{1 - a}\Big]
        = \log p(x) - D_a(q(z|x) \| p(z|x))

    The mean is over K draws, inside the logarithm. It is called inside a compiled training step, as all bounds that
    take `log_likelihood`.

    Args:
      posterior: as in `importance_weighted_bound`.
      prior: as in `importance_weighted_bound`.
      log_likelihood: as in `importance_weighted_bound`.
      order: a, of a shape that broadcasts to the examples: a lower bound on `log p(x)` for a at least 0, the evidence
        lower bound at 1, the importance-weighted one at 0; below 0 an upper bound as K grows. It may be traced.
      key: a PRNG key.
      num_samples: K.
      gradient: as in `importance_weighted_bound`.

    Returns:
      An array of the posterior's batch shape. Half precision is summed, and returned, in float32.

    Raises:
      TypeError: as `importance_weighted_bound`.
      ValueError: as `importance_weighted_bound`, or if `order` does not broadcast.

    **Domain**: any finite order. With K draws the mean is off by a bias of the order of 1/K.

    **Gradient**: an unbiased estimate of that of the mean of what is returned; in the order by `Reparameterized()`.

    Reference: Y. Li and R. E. Turner, "Rényi Divergence Variational Inference", NeurIPS, 2016.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from jaxinfo import objectives
        >>> from jaxinfo.distributions import Normal
        >>> log_likelihood = lambda z: Normal(z, 1.0).log_prob(jnp.array([1.0]))
        >>> q, p = Normal(jnp.full(1, 0.5), 0.5**0.5), Normal(0.0, 1.0)  # the posterior itself
        >>> print(objectives.renyi_bound(q, p, log_likelihood, 0.5, key=jax.random.key(0), num_samples=4).round(3))
        [-1.516]
    """
    power = 1 - jnp.asarray(order, jnp.result_type(float))
    return power_bound("renyi_bound", (posterior, prior), log_likelihood, key, num_samples, gradient, power)


def chi_upper_bound(
    posterior: Any,
    prior: Any,
    log_likelihood: Callable[[jax.Array], jax.Array],
    order: ArrayLike = 2.0,
    *,
    key: jax.Array,
    num_samples: int,
    gradient: Gradient | None = None,
) -> jax.Array:
    r"""Upper bound on log p(x) by the chi-divergence (CUBO), one value per example; to be minimised.

    .. math:: \mathcal U_n(x) = \frac 1 n \log E_{q(z|x)}\Big[\Big(\frac{p(x, z)}{q(z|x)}\Big)^n\Big] \ge \log p(x)

    The mean is over K draws, inside the logarithm, so that what is returned is on average below the bound: it is above
    `log p(x)` as K grows, and not for certain before. It is called inside a compiled training step.

    Args:
      posterior: as in `importance_weighted_bound`.
      prior: as in `importance_weighted_bound`.
      log_likelihood: as in `importance_weighted_bound`.
      order: n, at least 1, of a shape that broadcasts to the examples.
      key: a PRNG key.
      num_samples: K.
      gradient: as in `importance_weighted_bound`.

    Returns:
      An array of the posterior's batch shape. Half precision is summed, and returned, in float32.

    Raises:
      TypeError: as `importance_weighted_bound`.
      ValueError: as `importance_weighted_bound`, or if `order` is below 1 or does not broadcast.

    **Domain**: a traced order below 1 gives NaN. The bound is infinite where the posterior's tails are too light.

    **Gradient**: an unbiased estimate of that of the mean of what is returned.

    Reference: A. B. Dieng et al., "Variational Inference via chi Upper Bound Minimization", NeurIPS, 2017.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from jaxinfo import objectives
        >>> from jaxinfo.distributions import Normal
        >>> log_likelihood = lambda z: Normal(z, 1.0).log_prob(jnp.array([1.0]))
        >>> q, p, key = Normal(jnp.zeros(1), 1.0), Normal(0.0, 1.0), jax.random.key(0)
        >>> bound = objectives.chi_upper_bound(q, p, log_likelihood, key=key, num_samples=10_000)
        >>> bool(bound[0] > -1.5155)  # log N(1; 0, 2)
        True
    """
    check_chi_order("chi_upper_bound", order)
    power = jnp.asarray(order, jnp.result_type(float))
    power = jnp.where(power >= 1, power, jnp.full_like(power, jnp.nan))
    return power_bound("chi_upper_bound", (posterior, prior), log_likelihood, key, num_samples, gradient, power)


def thermodynamic_bound(
    posterior: Any,
    prior: Any,
    log_likelihood: Callable[[jax.Array], jax.Array],
    inverse_temperatures: ArrayLike,
    *,
    key: jax.Array,
    num_samples: int,
    upper: bool = False,
    gradient: Gradient | None = None,
) -> jax.Array:
    r"""Thermodynamic bound on log p(x): a Riemann sum from below or above, one value per example.

    .. math:: \log p(x) = \int_0^1 E_{\pi_b}\Big[\log \frac{p(x, z)}{q(z|x)}\Big] db, \qquad
        \pi_b(z) \propto q(z|x)^{1 - b} p(x, z)^b

    The integrand grows with b, so that its values at the lower ends of steps give a lower bound and at the upper ends
    an upper one. Its means are over K draws from q with weights that sum to one; with one step the lower bound is the
    evidence lower bound. For whatever draws the lower sum is at most `importance_weighted_bound` of the same key, and
    the upper one at least that: below `log p(x)` on average the one, above as K grows the other. It is called inside a
    compiled training step.

    Args:
      posterior: as in `importance_weighted_bound`.
      prior: as in `importance_weighted_bound`.
      log_likelihood: as in `importance_weighted_bound`.
      inverse_temperatures: `[T + 1]`, ascending from 0 to 1.
      key: a PRNG key.
      num_samples: K.
      upper: whether the sum is the upper one, which is to be minimised.
      gradient: as in `importance_weighted_bound`.

    Returns:
      An array of the posterior's batch shape. Half precision is summed, and returned, in float32.

    Raises:
      TypeError: as `importance_weighted_bound`.
      ValueError: as `importance_weighted_bound`, or if `inverse_temperatures` is no vector of at least two.

    **Domain**: a draw of likelihood 0 gives `-inf` as the lower bound.

    **Gradient**: an unbiased estimate of that of the mean of what is returned.

    Reference: V. Masrani, T. A. Le and F. Wood, "The Thermodynamic Variational Objective", NeurIPS, 2019.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from jaxinfo import objectives
        >>> from jaxinfo.distributions import Normal
        >>> log_likelihood = lambda z: Normal(z, 1.0).log_prob(jnp.array([1.0]))
        >>> q, p = Normal(jnp.zeros(1), 1.0), Normal(0.0, 1.0)
        >>> steps, options = jnp.linspace(0.0, 1.0, 11), {"key": jax.random.key(0), "num_samples": 10_000}
        >>> lower, upper = (
        ...     objectives.thermodynamic_bound(q, p, log_likelihood, steps, upper=side, **options)[0]
        ...     for side in (False, True)
        ... )
        >>> bool(lower < -1.5155 < upper)  # log N(1; 0, 2)
        True
    """
    name = "thermodynamic_bound"
    steps = inverse_temperatures_of(name, inverse_temperatures)

    def bound(log_weights: jax.Array) -> jax.Array:
        kept = jnp.ones(log_weights.shape, bool)
        return _power_means.thermodynamic_sum(log_weights, steps.astype(log_weights.dtype), upper, kept)

    def slopes(log_weights: jax.Array) -> tuple[jax.Array, jax.Array]:
        return _power_means.thermodynamic_slopes(log_weights, steps.astype(log_weights.dtype), upper)

    return bound_of_draws(name, (posterior, prior), log_likelihood, key, num_samples, gradient, bound, slopes)
