"""Entropies and the Kullback-Leibler divergence, of any densities."""

from typing import Any

import jax

from jaxinfo.densities import _density, _terms
from jaxinfo.densities._estimate import Estimate
from jaxinfo.densities._measure import Method, known_formula, measure


def entropy(
    p: Any, *, method: Method | None = None, key: jax.Array | None = None, base: float | None = None
) -> Estimate:
    r"""Returns the entropy of a density, or of a discrete distribution.

    .. math:: h(p) = -\int p(x) \log p(x) \, dx

    Args:
      p: a distribution, any object with `log_prob`, or a function of log-probabilities.
      method: `ClosedForm()`, `ExactSum(...)`, `Quadrature(...)`, `MonteCarlo(key, ...)`, or None for the first of these
        that applies.
      key: a PRNG key, for `method=None` where only Monte Carlo applies.
      base: the logarithm's base; None is nats, 2 is bits.

    Returns:
      An `Estimate` of shape `p.batch_shape`. Half precision is integrated, and returned, in float32.

    Raises:
      TypeError: if `p` is no density, or if the method that was asked for does not apply.
      ValueError: if `base` is not positive or is 1, or if `key` is missing or needless.

    **Domain** normalised densities; it may be negative. Regions without mass add nothing.

    **Gradient** that of the integral or sum, in every parameter, to any order, forward and reverse; by
    `MonteCarlo`, an estimate of it.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, section 8.1.

    >>> import jax.numpy as jnp
    >>> from jaxinfo import densities
    >>> from jaxinfo.distributions import Mixture, Normal
    >>> p = Mixture(jnp.array([0.5, 0.5]), Normal(jnp.array([-3.0, 3.0]), 1.0))
    >>> estimate = densities.entropy(p, base=2)
    >>> round(float(estimate.value), 3), estimate.method
    (3.041, 'quadrature')
    """
    formula = known_formula("entropy", p)
    return measure("entropy", _terms.Entropy(), (p,), method=method, key=key, base=base, formula=formula)


def cross_entropy(
    p: Any, q: Any, *, method: Method | None = None, key: jax.Array | None = None, base: float | None = None
) -> Estimate:
    r"""Returns the cross-entropy of `q` relative to `p`.

    .. math:: h(p, q) = -\int p(x) \log q(x) \, dx

    Args:
      p: a distribution, any object with `log_prob`, or a function of log-probabilities.
      q: another, of broadcasting batch shape.
      method: `ClosedForm()`, `ExactSum(...)`, `Quadrature(...)`, `MonteCarlo(key, ...)`, or None for the first of these
        that applies.
      key: a PRNG key, for `method=None` where only Monte Carlo applies.
      base: the logarithm's base; None is nats, 2 is bits.

    Returns:
      An `Estimate` of the broadcast batch shape. Half precision is integrated, and returned, in float32.

    Raises:
      TypeError: if an argument is no density, or if the method that was asked for does not apply.
      ValueError: if `base` is not positive or is 1, batch or event shapes do not fit, or if `key` is missing or
        needless.

    **Domain** any densities; `+inf` where `q` has no mass and `p` has.

    **Gradient** that of the integral or sum, in every parameter, to any order, forward and reverse; by
    `MonteCarlo`, an estimate of it.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, section 8.5.

    >>> import jax.numpy as jnp
    >>> from jaxinfo import densities
    >>> from jaxinfo.distributions import Mixture, Normal
    >>> p = Mixture(jnp.array([0.5, 0.5]), Normal(jnp.array([-3.0, 3.0]), 1.0))
    >>> round(float(densities.cross_entropy(p, Normal(0.0, 1.0)).value), 4)
    5.9189
    """
    formula = known_formula("cross_entropy", p, q)
    return measure("cross_entropy", _terms.CrossEntropy(), (p, q), method=method, key=key, base=base, formula=formula)


def kl_divergence(
    p: Any, q: Any, *, method: Method | None = None, key: jax.Array | None = None, base: float | None = None
) -> Estimate:
    r"""Returns KL(p‖q).

    .. math:: D(p \| q) = \int \Big( p(x) \log \frac{p(x)}{q(x)} - p(x) + q(x) \Big) \, dx

    The integrand is never negative and vanishes with its slope where the densities are equal, so that the value keeps
    its digits when `p` is close to `q`. Off the simplex (weights that do not sum to one) this is the generalised KL.

    Args:
      p: a distribution, any object with `log_prob`, or a function of log-probabilities.
      q: another, of broadcasting batch shape.
      method: `ClosedForm()`, `ExactSum(...)`, `Quadrature(...)`, `MonteCarlo(key, ...)`, or None for the first of these
        that applies.
      key: a PRNG key, for `method=None` where only Monte Carlo applies.
      base: the logarithm's base; None is nats, 2 is bits.

    Returns:
      An `Estimate` of the broadcast batch shape, never negative. Half precision is integrated in float32, and stays it.

    Raises:
      TypeError: if an argument is no density, or if the method that was asked for does not apply.
      ValueError: if `base` is not positive or is 1, batch or event shapes do not fit, or if `key` is missing or
        needless.

    **Domain** any densities; `+inf` where `q` has no mass and `p` has.

    **Gradient** that of the integral or sum, in every parameter, to any order, forward and reverse; by
    `MonteCarlo`, an estimate of it; 0 where `p` equals `q`.

    Reference: S. Kullback and R. A. Leibler, "On Information and Sufficiency", Annals of Mathematical Statistics 22,
        1951.

    >>> import jax.numpy as jnp
    >>> from jaxinfo import densities
    >>> from jaxinfo.distributions import Mixture, Normal
    >>> p = Mixture(jnp.array([0.5, 0.5]), Normal(jnp.array([-3.0, 3.0]), 1.0))
    >>> round(float(densities.kl_divergence(p, Normal(0.0, 10.0**0.5)).value), 5)
    0.46199
    >>> round(float(densities.kl_divergence(Normal(3.0, 1.0), p).value), 3)
    0.689
    """
    formula = known_formula("kl_divergence", p, q)
    return measure(
        "kl_divergence", _terms.KullbackLeibler(), (p, q), method=method, key=key, base=base, formula=formula
    )


def mutual_information(
    p_xy: Any,
    p_x: Any,
    p_y: Any,
    *,
    method: Method | None = None,
    key: jax.Array | None = None,
    base: float | None = None,
) -> Estimate:
    r"""Returns the mutual information of a joint density, given its marginals.

    .. math:: I(X; Y) = \int p(x, y) \log \frac{p(x, y)}{p(x) p(y)} \, dx \, dy

    It is computed as KL between the joint density and the product of the marginals.

    Args:
      p_xy: the joint density: an object with `log_prob`, or a function of log-probabilities, of vectors in which `x` is
        followed by `y`.
      p_x: the marginal density of `x`, a distribution of numbers or of vectors.
      p_y: the marginal density of `y`.
      method: `ClosedForm()`, `ExactSum(...)`, `Quadrature(...)`, `MonteCarlo(key, ...)`, or None for the first of these
        that applies.
      key: a PRNG key, for `method=None` where only Monte Carlo applies.
      base: the logarithm's base; None is nats, 2 is bits.

    Returns:
      An `Estimate` of the broadcast batch shape, never negative. Half precision is integrated, and returned, in
      float32.

    Raises:
      TypeError: if an argument is no density, or if the method that was asked for does not apply.
      ValueError: if `base` is not positive or is 1, batch or event shapes do not fit, or if `key` is missing or
        needless.

    **Domain** any densities; `+inf` where the joint density has mass and the product of the marginals has none. It is
    not checked
    that the marginals are the joint density's own.

    **Gradient** that of the integral, in every parameter; by `MonteCarlo`, an estimate of it. 0 where the parts are
    independent.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, section 8.5.

    >>> from jaxinfo import densities
    >>> from jaxinfo.distributions import Normal
    >>> def correlated(z):
    ...     x, y = z[..., 0], z[..., 1]
    ...     return Normal(0.0, 1.0).log_prob(x) + Normal(0.6 * x, 0.8).log_prob(y)
    >>> estimate = densities.mutual_information(correlated, Normal(0.0, 1.0), Normal(0.0, 1.0))
    >>> round(float(estimate.value), 4), estimate.method
    (0.2231, 'quadrature')
    """
    formula = known_formula("mutual_information", p_xy, p_x, p_y)
    name = "mutual_information"
    parts = [_density.as_density(f"densities.{name}", part) for part in (p_x, p_y)]
    for part in parts:
        if _density.is_bare(part) or len(_density.event_shape(part)) > 1:
            raise TypeError(f"densities.{name}: a marginal is a distribution of numbers or vectors, got {part!r}")
    term, product = _terms.KullbackLeibler(), _density.Independents(*parts)
    return measure(name, term, (p_xy, product), method=method, key=key, base=base, formula=formula)
