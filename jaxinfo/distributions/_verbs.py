"""The measures of distributions: each looks up its closed form."""

from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

import jaxinfo.distributions._formulas  # noqa: F401 (fills the registry)
from jaxinfo import _checks
from jaxinfo._checks import unit
from jaxinfo._numerics import in_units
from jaxinfo.distributions._family import HasEntropy
from jaxinfo.distributions._registry import closed_form, register_rule

# The names under which the registry has the distances of each order.
_WASSERSTEIN = {1: "wasserstein_distance_of_order_1", 2: "wasserstein_distance"}


def entropy(p: Any, *, base: float | None = None) -> jax.Array:
    r"""Returns the differential entropy of `p` by its closed form.

    .. math:: h(p) = -\int p(x) \log p(x) \, dx

    Args:
      p: a distribution of this module.
      base: the logarithm's base; None is nats, 2 is bits.

    Returns:
      An array of shape `p.batch_shape`.

    Raises:
      TypeError: if no closed form is known for `p` (`jaxinfo.densities.entropy` integrates).
      ValueError: if `base` is not positive or is 1.

    **Domain** positive scales; `-inf` at scale 0, NaN below.

    **Gradient** smooth in the parameters: for a normal, 0 in `loc` and `1 / scale` in `scale`.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, example 8.1.2.

    >>> from jaxinfo import distributions
    >>> round(float(distributions.entropy(distributions.Normal(0.0, 1.0))), 4)
    1.4189
    """
    return _apply("entropy", base, p)


def cross_entropy(p: Any, q: Any, *, base: float | None = None) -> jax.Array:
    r"""Returns the cross-entropy of `q` relative to `p` by its closed form.

    .. math:: h(p, q) = -\int p(x) \log q(x) \, dx

    Args:
      p: a distribution of this module.
      q: another, of broadcasting batch shape.
      base: the logarithm's base; None is nats, 2 is bits.

    Returns:
      An array of the broadcast batch shape.

    Raises:
      TypeError: if no closed form is known for the pair (`jaxinfo.densities.cross_entropy` integrates).
      ValueError: if `base` is not positive or is 1, or if the batch shapes do not broadcast.

    **Domain** positive scales; `+inf` where `q` is a point mass and `p` is not on it, and where `p` has mass that `q`
    has not, or tails that are too heavy for it.

    **Gradient** smooth in the parameters of both.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, section 8.5.

    >>> from jaxinfo import distributions
    >>> p, q = distributions.Normal(0.0, 1.0), distributions.Normal(1.0, 2.0)
    >>> round(float(distributions.cross_entropy(p, q)), 4)
    1.8621
    """
    return _apply("cross_entropy", base, p, q)


def kl_divergence(p: Any, q: Any, *, base: float | None = None) -> jax.Array:
    r"""Returns KL(p‖q) by its closed form, without cancellation where `p` is close to `q`.

    .. math:: D(p \| q) = \int p(x) \log \frac{p(x)}{q(x)} \, dx

    Args:
      p: a distribution of this module.
      q: another, of broadcasting batch shape.
      base: the logarithm's base; None is nats, 2 is bits.

    Returns:
      An array of the broadcast batch shape, never negative and exactly 0 for equal parameters.

    Raises:
      TypeError: if no closed form is known for the pair (`jaxinfo.densities.kl_divergence` integrates).
      ValueError: if `base` is not positive or is 1, or if the batch shapes do not broadcast.

    **Domain** positive scales; `+inf` where one of the two is a point mass, NaN where both are or a scale is negative.
    Between families also where `p` has mass that `q` has not, or tails that are too heavy for it; errors are relative
    to the largest term there, and where that is a power or an exponential, as many roundings as its exponent is large.

    **Gradient** smooth in the parameters of both, 0 where they are equal.

    Reference: S. Kullback, "Information Theory and Statistics", Wiley 1959, chapter 9.

    >>> from jaxinfo import distributions
    >>> p, q = distributions.Normal(0.0, 1.0), distributions.Normal(1.0, 2.0)
    >>> round(float(distributions.kl_divergence(p, q)), 4)
    0.4431
    """
    return _apply("kl_divergence", base, p, q)


def renyi_divergence(p: Any, q: Any, order: ArrayLike, *, base: float | None = None) -> jax.Array:
    r"""Returns the Rényi divergence of `p` from `q` by its closed form, without cancellation where they are close.

    .. math:: D_a(p \| q) = \frac{1}{a - 1} \log \int p(x)^a q(x)^{1 - a} \, dx

    Order 1/2 is twice the Bhattacharyya distance, 1 the Kullback-Leibler divergence, infinity the logarithm of the
    largest ratio of the densities.

    Args:
      p: a distribution of this module.
      q: another, of broadcasting batch shape.
      order: a number from 0 to infinity, or an array of them that broadcasts with the batch shapes; may be traced.
      base: the logarithm's base; None is nats, 2 is bits.

    Returns:
      An array of the broadcast shape, never negative, exactly 0 for equal parameters, not decreasing in the order.

    Raises:
      TypeError: if no closed form is known for the pair (`jaxinfo.densities.renyi_divergence` integrates).
      ValueError: if `order` is a negative number, `base` is not positive or is 1, or shapes do not broadcast.

    **Domain** `+inf` where the integral is infinite, as it is beyond some order if `q` has the lighter tails. A traced
    order below 0 gives NaN, and so does an infinite one in families that do not state their largest ratio.

    **Gradient** smooth in the parameters of both and in the order, also at order 1.

    Reference: M. Gil, F. Alajaji and T. Linder, "Rényi divergence measures for commonly used univariate continuous
    distributions", Information Sciences 249, 2013.

    >>> from jaxinfo import distributions
    >>> p, q = distributions.Normal(0.0, 1.0), distributions.Normal(1.0, 1.0)
    >>> round(float(distributions.renyi_divergence(p, q, 3.0)), 4)
    1.5
    """
    _checks.order("distributions.renyi_divergence", order)
    return _apply("renyi_divergence", base, p, q, order=order)


def bhattacharyya_distance(p: Any, q: Any, *, base: float | None = None) -> jax.Array:
    r"""Returns the Bhattacharyya distance of `p` and `q` by its closed form.

    .. math:: -\log \int \sqrt{p(x) \, q(x)} \, dx

    Args:
      p: a distribution of this module.
      q: another, of broadcasting batch shape.
      base: the logarithm's base; None is nats, 2 is bits.

    Returns:
      An array of the broadcast batch shape, never negative and exactly 0 for equal parameters.

    Raises:
      TypeError: if no closed form is known for the pair (`jaxinfo.densities.renyi_divergence` integrates: this is
        half of its order one half).
      ValueError: if `base` is not positive or is 1, or if the batch shapes do not broadcast.

    **Domain** positive scales; `+inf` where the two have nothing in common.

    **Gradient** smooth in the parameters of both, 0 where they are equal.

    Reference: A. Bhattacharyya, "On a measure of divergence between two statistical populations defined by their
    probability distributions", Bulletin of the Calcutta Mathematical Society 35, 1943.

    >>> from jaxinfo import distributions
    >>> p, q = distributions.Normal(0.0, 1.0), distributions.Normal(2.0, 1.0)
    >>> round(float(distributions.bhattacharyya_distance(p, q)), 4)
    0.5
    """
    return _apply("bhattacharyya_distance", base, p, q)


def hellinger_distance(p: Any, q: Any) -> jax.Array:
    r"""Returns the Hellinger distance of `p` and `q` by its closed form.

    .. math:: \sqrt{1 - \int \sqrt{p(x) \, q(x)} \, dx}

    Args:
      p: a distribution of this module.
      q: another, of broadcasting batch shape.

    Returns:
      An array of the broadcast batch shape: a metric between 0 and 1, exactly 0 for equal parameters. It has no unit.

    Raises:
      TypeError: if no closed form is known for the pair (`jaxinfo.densities.hellinger_distance` integrates).
      ValueError: if the batch shapes do not broadcast.

    **Domain** positive scales; 1 where the two have nothing in common.

    **Gradient** smooth where the parameters differ; where they are equal it is 0 (the one-sided slopes are not).

    Reference: E. Hellinger, "Neue Begründung der Theorie quadratischer Formen von unendlichvielen Veränderlichen",
    Journal für die reine und angewandte Mathematik 136, 1909.

    >>> from jaxinfo import distributions
    >>> p, q = distributions.Normal(0.0, 1.0), distributions.Normal(2.0, 1.0)
    >>> round(float(distributions.hellinger_distance(p, q)), 4)
    0.6273
    """
    return _apply("hellinger_distance", None, p, q)


def fisher_information(p: Any) -> jax.Array:
    r"""Returns the Fisher information matrix of the parameters of `p` by its closed form.

    .. math:: F_{ij} = \int p(x) \, \partial_i \log p(x) \, \partial_j \log p(x) \, dx

    Args:
      p: a distribution of this module.

    Returns:
      An array of shape `p.batch_shape + (P, P)` for the P numbers in the constructor's parameters, in their order, each
      flattened; what a family holds fixed, such as a number of trials, is left out. It is the Hessian of
      `kl_divergence(p, q)` in the parameters of `q` where `q` is `p`.

    Raises:
      TypeError: if no closed form is known for `p`.

    **Domain** positive scales; infinite at scale 0, NaN below.

    **Gradient** smooth in the parameters.

    Reference: E. L. Lehmann and G. Casella, "Theory of Point Estimation", 2nd ed., Springer 1998, section 2.5.

    >>> from jaxinfo import distributions
    >>> distributions.fisher_information(distributions.Normal(0.0, 0.5)).tolist()
    [[4.0, 0.0], [0.0, 8.0]]
    """
    return _apply("fisher_information", None, p)


def jensen_shannon_bounds(p: Any, q: Any, *, base: float | None = None) -> tuple[jax.Array, jax.Array]:
    r"""Returns a lower and an upper bound on the Jensen-Shannon divergence, which has a closed form for hardly a pair.

    .. math:: \mathrm{JS}(p, q) = \tfrac12 D(p \| m) + \tfrac12 D(q \| m), \quad m = \tfrac12 (p + q)

    From the overlap :math:`b = \int \sqrt{p q}` follow :math:`(1 - b) \log 2` below and, with h the entropy of a coin,
    :math:`\log 2 - h((1 - \sqrt{1 - b^2}) / 2)` above; from the sum J of the two Kullback-Leibler divergences,
    :math:`\log(2 / (1 + e^{-J/2}))` above, which is at most J/4. The lesser upper bound is returned.

    Args:
      p: a distribution of this module.
      q: another, of broadcasting batch shape.
      base: the logarithm's base; None is nats, 2 is bits.

    Returns:
      Two arrays of the broadcast batch shape, the lower and the upper bound: from 0 for equal parameters to log 2.

    Raises:
      TypeError: if no closed form is known for the pair (`jaxinfo.densities.jensen_shannon_divergence` integrates).
      ValueError: if `base` is not positive or is 1, or if the batch shapes do not broadcast.

    **Domain** as that of the closed forms; both are log 2 where the two have nothing in common.

    **Gradient** smooth in the parameters of both, but where the upper bounds cross; 0 where the parameters are equal.

    Reference: J. Lin, "Divergence measures based on the Shannon entropy", IEEE Transactions on Information Theory 37,
    1991; G. E. Crooks, "Inequalities between the Jenson-Shannon and Jeffreys divergences", Tech. Note 004, 2008.

    >>> from jaxinfo import distributions
    >>> p, q = distributions.Normal(0.0, 1.0), distributions.Normal(2.0, 1.0)
    >>> lower, upper = distributions.jensen_shannon_bounds(p, q)
    >>> round(float(lower), 4), round(float(upper), 4)
    (0.2727, 0.3627)
    """
    lower, upper = _apply("jensen_shannon_bounds", base, p, q)
    return lower, upper


def wasserstein_distance(p: Any, q: Any, *, order: int = 2) -> jax.Array:
    r"""Returns the Wasserstein distance of two distributions on the real line by its closed form.

    .. math:: W_k(p, q) = \Big( \int_0^1 \big| F_p^{-1}(u) - F_q^{-1}(u) \big|^k \, du \Big)^{1/k}

    with the quantile functions $F^{-1}$: the least mean cost of moving the mass of `p` to where that of `q` is.
    In a family of a location and a scale the difference of two quantiles is $a + b z$, with $a$ and $b$ the
    differences of the locations and scales and $z$ the standard member, so that $W_2^2 = (a + b \, E z)^2 + b^2 \,
    \operatorname{Var} z$, and $W_1 = E |a + b z|$. Both orders are known for pairs of `Normal`, `HalfNormal`,
    `Laplace`, `Logistic`, `Gumbel`, `Exponential`, `Uniform` and `Cauchy` (infinite unless the scales are equal), the
    second also for pairs of `LogNormal` and `Pareto`.

    Args:
      p: a distribution of this module.
      q: another of the same family, of broadcasting batch shape.
      order: $k$, 1 or 2.

    Returns:
      An array of the broadcast batch shape, in the units of `x`; exactly 0 for equal parameters, and without
      cancellation where they are close.

    Raises:
      TypeError: if no closed form is known for the pair; the message says what to do.
      ValueError: if `order` is not 1 or 2, or if the batch shapes do not broadcast.

    **Domain** parameters in their domain, a point mass too; `inf` where a moment of that order is infinite and the
    members differ in it.

    **Gradient** smooth in the parameters of both where these differ, 0 where they are equal.

    Reference: C. Villani, "Topics in Optimal Transportation", American Mathematical Society 2003, section 2.2.

    >>> from jaxinfo import distributions
    >>> p, q = distributions.Normal(0.0, 1.0), distributions.Normal(3.0, 5.0)
    >>> float(distributions.wasserstein_distance(p, q))
    5.0
    >>> round(float(distributions.wasserstein_distance(p, q, order=1)), 4)
    4.0493
    """
    measure = _WASSERSTEIN.get(order) if isinstance(order, int | float) else None
    if measure is None:
        raise ValueError(f"distributions.wasserstein_distance: order must be 1 or 2, got {order!r}")
    formula = closed_form(measure, p, q)
    if formula is None:
        raise TypeError(
            f"distributions.wasserstein_distance: no closed form of order {order} is known for "
            f"({type(p).__name__}, {type(q).__name__}); draw as many samples x of p as y of q and take "
            f"mean(abs(sort(x) - sort(y)) ** {order}) ** (1 / {order})"
        )
    _check_batch_shapes("wasserstein_distance", p, q)
    return formula(p, q)


# Measures that `jaxinfo.densities` has under another name, or not at all.
_ELSEWHERE = {
    "bhattacharyya_distance": "; jaxinfo.densities.renyi_divergence of order 1/2 is twice it",
    "jensen_shannon_bounds": "; use jaxinfo.densities.jensen_shannon_divergence",
    "fisher_information": "",
}


def _apply(measure: str, base: float | None, *distributions: Any, **numbers: ArrayLike) -> jax.Array:
    formula = closed_form(measure, *distributions)
    if formula is None:
        names = ", ".join(type(distribution).__name__ for distribution in distributions)
        hint = _ELSEWHERE.get(measure, f"; use jaxinfo.densities.{measure}")
        raise TypeError(f"distributions.{measure}: no closed form is known for ({names}){hint}")
    divisor = unit(f"distributions.{measure}", base)
    _check_batch_shapes(measure, *distributions, **numbers)
    return in_units(formula(*distributions, **numbers), divisor)


def _check_batch_shapes(measure: str, *distributions: Any, **numbers: ArrayLike) -> None:
    shapes = [*(distribution.batch_shape for distribution in distributions), *map(jnp.shape, numbers.values())]
    try:
        jnp.broadcast_shapes(*shapes)
    except ValueError as error:
        raise ValueError(f"distributions.{measure}: batch shapes {shapes} do not broadcast") from error


@register_rule("entropy")
def _entropy_of_family(p: Any) -> Any:
    """A family that knows its entropy."""
    return jax.jit(type(p).entropy) if isinstance(p, HasEntropy) else None
