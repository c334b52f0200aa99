"""Divergences and distances between any densities."""

from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import _checks, _powers
from jaxinfo.densities import _terms
from jaxinfo.densities._estimate import Estimate
from jaxinfo.densities._measure import Formula, Method, known_formula, measure
from jaxinfo.generators import _forms
from jaxinfo.generators._generator import Generator, form


def jensen_shannon_divergence(
    p: Any,
    q: Any,
    *,
    weight: ArrayLike = 0.5,
    method: Method | None = None,
    key: jax.Array | None = None,
    base: float | None = None,
) -> Estimate:
    r"""Returns the Jensen-Shannon divergence.

    .. math:: \mathrm{JS}_w(p, q) = w D(p \| m) + (1 - w) D(q \| m), \qquad m = w p + (1 - w) q

    Args:
      p: a distribution, any object with `log_prob`, or a function of log-probabilities.
      q: another, of broadcasting batch shape.
      weight: w, the weight of `p`, in [0, 1].
      method: `ClosedForm()`, `ExactSum(...)`, `Quadrature(...)`, `MonteCarlo(key, ...)`, or None for the first of these
        that applies.
      key: a PRNG key, for `method=None` where only Monte Carlo applies.
      base: the logarithm's base; None is nats, 2 is bits.

    Returns:
      An `Estimate` of the broadcast batch shape and the weight's, at most `log 2`. Half precision is integrated, and
      returned, in float32.

    Raises:
      TypeError: if an argument is no density, or if the method that was asked for does not apply.
      ValueError: if `base` is not positive or is 1, batch or event shapes do not fit, or if `key` is missing or
        needless.

    **Domain** a weight outside [0, 1] gives NaN. Of densities that do not overlap it is the entropy of the weight.

    **Gradient** that of the integral, in every parameter; by `MonteCarlo`, an estimate of it. 0 where `p` equals `q`.

    Reference: J. Lin, "Divergence Measures Based on the Shannon Entropy", IEEE Transactions on Information Theory 37,
        1991.

    >>> from jaxinfo import densities
    >>> from jaxinfo.distributions import Normal
    >>> estimate = densities.jensen_shannon_divergence(Normal(0.0, 1.0), Normal(3.0, 1.0))
    >>> round(float(estimate.value), 4), estimate.method
    (0.5268, 'quadrature')
    """
    if isinstance(weight, (int, float)):
        _checks.weight("densities.jensen_shannon_divergence", weight)
    name, term = "jensen_shannon_divergence", _terms.JensenShannon(weight)
    formula = known_formula(name, p, q, weight=weight)
    return measure(name, term, (p, q), method=method, key=key, base=base, formula=formula)


def renyi_divergence(
    p: Any,
    q: Any,
    order: ArrayLike,
    *,
    method: Method | None = None,
    key: jax.Array | None = None,
    base: float | None = None,
) -> Estimate:
    r"""Returns the Rényi divergence.

    .. math:: D_a(p \| q) = \frac{1}{a - 1} \log \int p(x)^a q(x)^{1 - a} \, dx

    It is computed from the alpha-divergence, which does not cancel where the densities are close.

    Args:
      p: a distribution, any object with `log_prob`, or a function of log-probabilities.
      q: another, of broadcasting batch shape.
      order: a, finite and at least 0; at 1 this is KL(p‖q).
      method: `ClosedForm()`, `ExactSum(...)`, `Quadrature(...)`, `MonteCarlo(key, ...)`, or None for the first of these
        that applies.
      key: a PRNG key, for `method=None` where only Monte Carlo applies.
      base: the logarithm's base; None is nats, 2 is bits.

    Returns:
      An `Estimate` of the broadcast batch shape and the order's, never negative. Half precision is integrated, and
      returned, in float32.

    Raises:
      TypeError: if an argument is no density, or if the method that was asked for does not apply.
      ValueError: if `base` is not positive or is 1, batch or event shapes do not fit, or if `key` is missing or
        needless.

    **Domain** a negative order gives NaN. `+inf` for densities that do not overlap, and from order 1 on where `p` has
    mass and `q` has none, or tails so much heavier that the integral has no end.

    **Gradient** that of the integral, in every parameter; by `MonteCarlo`, an estimate of it. 0 where `p` equals `q`.

    Reference: T. van Erven and P. Harremoës, "Rényi Divergence and Kullback-Leibler Divergence", IEEE Transactions on
        Information Theory 60, 2014.

    >>> from jaxinfo import densities
    >>> from jaxinfo.distributions import Normal
    >>> round(float(densities.renyi_divergence(Normal(0.0, 1.0), Normal(1.0, 1.0), 2.0).value), 4)
    1.0
    """
    _checks.order("densities.renyi_divergence", order)
    formula = known_formula("renyi_divergence", p, q, order=order)
    return measure("renyi_divergence", _terms.Renyi(order), (p, q), method=method, key=key, base=base, formula=formula)


def alpha_divergence(
    p: Any, q: Any, alpha: ArrayLike, *, method: Method | None = None, key: jax.Array | None = None
) -> Estimate:
    r"""Returns Minka's alpha-divergence.

    .. math:: D_a(p, q) = \frac{\int p(x)^a q(x)^{1 - a} \, dx - 1}{a (a - 1)}

    Args:
      p: a distribution, any object with `log_prob`, or a function of log-probabilities.
      q: another, of broadcasting batch shape.
      alpha: a, any finite number; 1 is KL(p‖q) and 0 is KL(q‖p).
      method: `ClosedForm()`, `ExactSum(...)`, `Quadrature(...)`, `MonteCarlo(key, ...)`, or None for the first of these
        that applies.
      key: a PRNG key, for `method=None` where only Monte Carlo applies.

    Returns:
      An `Estimate` of the broadcast batch shape and alpha's, never negative. Half precision is integrated, and
      returned, in float32.

    Raises:
      TypeError: if an argument is no density, or if the method that was asked for does not apply.
      ValueError: if batch or event shapes do not fit, or if `key` is missing or needless.

    **Domain** `+inf` where `p` has mass and `q` has none for alpha at least 1, and the other way round for alpha at
    most 0; and where tails differ so much that the integral has no end. Off the simplex the integrand is
    `(p^a q^(1-a) - a p - (1-a) q) / (a (a-1))`.

    **Gradient** that of the integral, in every parameter; by `MonteCarlo`, an estimate of it. 0 where `p` equals `q`.

    Reference: T. Minka, "Divergence measures and message passing", Microsoft Research MSR-TR-2005-173, 2005.

    >>> from jaxinfo import densities
    >>> from jaxinfo.distributions import Normal
    >>> round(float(densities.alpha_divergence(Normal(0.0, 1.0), Normal(1.0, 1.0), 2.0).value), 4)
    0.8591
    """
    formula = _alpha_formula(p, q, alpha)
    return measure("alpha_divergence", _terms.Alpha(alpha), (p, q), method=method, key=key, formula=formula)


def f_divergence(
    p: Any, q: Any, generator: Generator, *, method: Method | None = None, key: jax.Array | None = None
) -> Estimate:
    r"""Returns the f-divergence of a generator.

    .. math:: D_f(p, q) = \int q(x) \, f\Big(\frac{p(x)}{q(x)}\Big) \, dx

    The tangent of f at 1 is taken off, which leaves the divergence of normalised densities as it is.

    Args:
      p: a distribution, any object with `log_prob`, or a function of log-probabilities.
      q: another, of broadcasting batch shape.
      generator: f with its limits, made by `jaxinfo.generators`; static.
      method: `ClosedForm()`, `ExactSum(...)`, `Quadrature(...)`, `MonteCarlo(key, ...)`, or None for the first of these
        that applies.
      key: a PRNG key, for `method=None` where only Monte Carlo applies.

    Returns:
      An `Estimate` of the broadcast batch shape, never negative. Half precision is integrated, and returned, in
      float32.

    Raises:
      TypeError: if an argument is no density, or if the method that was asked for does not apply.
      ValueError: if batch or event shapes do not fit, or if `key` is missing or needless.

    **Domain** where one of the densities is 0 the other counts by the generator's limit, which may be infinite.

    **Gradient** that of the integral, in every parameter; by `MonteCarlo`, an estimate of it. 0 where `p` equals `q`.

    Reference: I. Csiszár, "Information-type measures of difference of probability distributions and indirect
    observations",
        Studia Scientiarum Mathematicarum Hungarica 2, 1967.

    >>> from jaxinfo import densities
    >>> from jaxinfo.distributions import Normal
    >>> from jaxinfo.generators import pearson_chi_squared
    >>> estimate = densities.f_divergence(Normal(0.0, 1.0), Normal(1.0, 1.0), pearson_chi_squared())
    >>> round(float(estimate.value), 4)
    1.7183
    """
    _checks.generator("densities.f_divergence", generator, Generator)
    term, formula = _terms.of_generator(generator), _f_formula(p, q, generator)
    return measure("f_divergence", term, (p, q), method=method, key=key, formula=formula)


def total_variation(p: Any, q: Any, *, method: Method | None = None, key: jax.Array | None = None) -> Estimate:
    r"""Returns the total variation distance, half the L1 distance.

    .. math:: \mathrm{TV}(p, q) = \frac{1}{2} \int |p(x) - q(x)| \, dx

    Args:
      p: a distribution, any object with `log_prob`, or a function of log-probabilities.
      q: another, of broadcasting batch shape.
      method: `ClosedForm()`, `ExactSum(...)`, `Quadrature(...)`, `MonteCarlo(key, ...)`, or None for the first of these
        that applies.
      key: a PRNG key, for `method=None` where only Monte Carlo applies.

    Returns:
      An `Estimate` of the broadcast batch shape, in [0, 1]. Half precision is integrated, and returned, in float32.

    Raises:
      TypeError: if an argument is no density, or if the method that was asked for does not apply.
      ValueError: if batch or event shapes do not fit, or if `key` is missing or needless.

    **Domain** any densities; 1 if they do not overlap.

    **Gradient** that of the integral, in every parameter; by `MonteCarlo`, an estimate of it. 0 where `p` equals `q`.

    Reference: A. B. Tsybakov, "Introduction to Nonparametric Estimation", Springer 2009, section 2.4.

    >>> from jaxinfo import densities
    >>> from jaxinfo.distributions import Normal
    >>> round(float(densities.total_variation(Normal(0.0, 1.0), Normal(1.0, 1.0)).value), 4)
    0.3829
    """
    formula = known_formula("total_variation", p, q)
    return measure("total_variation", _terms.TotalVariation(), (p, q), method=method, key=key, formula=formula)


def hellinger_distance(p: Any, q: Any, *, method: Method | None = None, key: jax.Array | None = None) -> Estimate:
    r"""Returns the Hellinger distance.

    .. math:: H(p, q) = \sqrt{1 - \int \sqrt{p(x) q(x)} \, dx}

    It is computed from the integral of half the square of $\sqrt{p(x)} - \sqrt{q(x)}$, which does not cancel.

    Args:
      p: a distribution, any object with `log_prob`, or a function of log-probabilities.
      q: another, of broadcasting batch shape.
      method: `ClosedForm()`, `ExactSum(...)`, `Quadrature(...)`, `MonteCarlo(key, ...)`, or None for the first of these
        that applies.
      key: a PRNG key, for `method=None` where only Monte Carlo applies.

    Returns:
      An `Estimate` of the broadcast batch shape, in [0, 1]. Half precision is integrated, and returned, in float32.

    Raises:
      TypeError: if an argument is no density, or if the method that was asked for does not apply.
      ValueError: if batch or event shapes do not fit, or if `key` is missing or needless.

    **Domain** any densities; 1 if they do not overlap.

    **Gradient** that of the integral, in every parameter; by `MonteCarlo`, an estimate of it. 0 where `p` equals `q`.

    Reference: A. B. Tsybakov, "Introduction to Nonparametric Estimation", Springer 2009, section 2.4.

    >>> from jaxinfo import densities
    >>> from jaxinfo.distributions import Normal
    >>> round(float(densities.hellinger_distance(Normal(0.0, 1.0), Normal(1.0, 1.0)).value), 4)
    0.3428
    """
    formula = known_formula("hellinger_distance", p, q)
    return measure("hellinger_distance", _terms.Hellinger(), (p, q), method=method, key=key, formula=formula)


def _alpha_formula(p: Any, q: Any, alpha: ArrayLike) -> Formula | None:
    """From the Rényi divergence of the same order, which is one of a positive number."""
    if not isinstance(alpha, (int, float)) or alpha < 0:
        return None
    if alpha == 0:
        return _exchanged(known_formula("kl_divergence", q, p))
    formula = known_formula("renyi_divergence", p, q, order=alpha)
    if alpha == 1 or formula is None:
        return known_formula("kl_divergence", p, q) if alpha == 1 else None

    def from_order(*members: Any) -> jax.Array:
        divergence = formula(*members)
        infinite = jnp.isinf(divergence)
        finite = jnp.where(infinite, jnp.zeros_like(divergence), divergence)
        limit = 1 / (alpha * (1 - alpha)) if alpha < 1 else jnp.inf
        value = finite * _powers.expm1_ratio((alpha - 1) * finite) / alpha
        return jnp.where(infinite, jnp.full_like(value, limit), value)

    return from_order


def _f_formula(p: Any, q: Any, generator: Generator) -> Formula | None:
    known = form(generator)
    if isinstance(known, _forms.KullbackLeibler):
        return known_formula("kl_divergence", p, q)
    if isinstance(known, _forms.Reversed) and isinstance(known.form, _forms.KullbackLeibler):
        return _exchanged(known_formula("kl_divergence", q, p))
    return None


def _exchanged(formula: Formula | None) -> Formula | None:
    return None if formula is None else lambda p, q: formula(q, p)
