"""Divergences as objectives: what to minimise between a target p and its approximation q."""

import dataclasses
from typing import Any

import jax
from jax.typing import ArrayLike

from jaxinfo import densities
from jaxinfo._pytrees import register_dataclass
from jaxinfo.densities import Estimate, MonteCarlo, _terms
from jaxinfo.generators import Generator
from jaxinfo.projections import _estimators
from jaxinfo.projections._estimators import Method, SelfNormalizedImportance
from jaxinfo.projections._targets import Parameterized, Samples, UnnormalizedLogProb


class Divergence:
    """A divergence between a target and its approximation; a pytree, whose leaves are numbers like an order.

    A leaf with axes is a sweep, as are leading axes of a target.
    """

    def estimate(
        self, target: Any, approximation: Any, *, method: Method | None = None, key: jax.Array | None = None
    ) -> Estimate:
        """Returns the divergence in nats, with its error.

        Args:
          target: a density, `UnnormalizedLogProb` or `Samples`.
          approximation: a density.
          method: a method of `jaxinfo.densities`, `SelfNormalizedImportance(...)`, or None for the first that applies.
          key: a PRNG key, for `method=None` where only Monte Carlo applies.

        Raises:
          TypeError: if the divergence, the kind of target and the method do not go together.
        """
        approximation = approximation.density() if isinstance(approximation, Parameterized) else approximation
        if isinstance(target, Samples):
            return self._of_samples(target, approximation, method, key)
        if isinstance(method, SelfNormalizedImportance):
            return _estimators.importance(self._term(), target, approximation, method)
        if isinstance(target, UnnormalizedLogProb):
            return self._unnormalized(target, approximation, method, key)
        return self._between(target, approximation, method=method, key=key)

    def _between(self, p: Any, q: Any, **how: Any) -> Estimate:
        """The divergence of two densities."""
        raise NotImplementedError

    def _term(self) -> _terms.Divergence:
        """What is integrated."""
        raise NotImplementedError

    def _of_samples(self, target: Samples, q: Any, method: Any, key: Any) -> Estimate:
        del target, q, method, key
        raise TypeError(f"{self!r} needs the density of the target, and Samples have none: use ForwardKL()")

    def _unnormalized(self, target: UnnormalizedLogProb, q: Any, method: Any, key: Any) -> Estimate:
        del target, q, method, key
        raise TypeError(
            f"{self!r} needs a normalised density or draws from the target, and UnnormalizedLogProb has neither: use "
            "method=SelfNormalizedImportance(key, num_samples, proposal), or ReverseKL()"
        )


@register_dataclass
@dataclasses.dataclass(frozen=True)
class ForwardKL(Divergence):
    r"""The inclusive divergence, KL(target‖approximation).

    .. math:: D(p \| q) = \int p(x) \log \frac{p(x)}{q(x)} \, dx

    The approximation pays for every region it leaves out, so it covers the target. Onto an exponential family its
    only stationary point matches the target's moments, and `project` returns it exactly. `Samples` are fitted by their
    likelihood.

    Reference: T. Minka, "Divergence measures and message passing", Microsoft Research MSR-TR-2005-173, 2005.

    >>> from jaxinfo.distributions import Normal
    >>> from jaxinfo.projections import ForwardKL
    >>> round(float(ForwardKL().estimate(Normal(0.0, 1.0), Normal(1.0, 2.0)).value), 4)
    0.4431
    """

    def _between(self, p: Any, q: Any, **how: Any) -> Estimate:
        return densities.kl_divergence(p, q, **how)

    def _term(self) -> _terms.Divergence:
        return _terms.KullbackLeibler()

    def _of_samples(self, target: Samples, q: Any, method: Any, key: Any) -> Estimate:
        return _estimators.likelihood(target, q, method, key)


@register_dataclass
@dataclasses.dataclass(frozen=True)
class ReverseKL(Divergence):
    r"""The exclusive divergence, KL(approximation‖target).

    .. math:: D(q \| p) = \int q(x) \log \frac{q(x)}{p(x)} \, dx

    The approximation pays for every region where the target is thin, so it may settle on one mode; there can be
    several local minima, and where a descent ends depends on where it starts. The target's constant does not matter:
    of an `UnnormalizedLogProb` the value is off by it.

    Reference: T. Minka, "Divergence measures and message passing", Microsoft Research MSR-TR-2005-173, 2005.

    >>> from jaxinfo.distributions import Normal
    >>> from jaxinfo.projections import ReverseKL
    >>> round(float(ReverseKL().estimate(Normal(0.0, 1.0), Normal(1.0, 2.0)).value), 4)
    1.3069
    """

    def _between(self, p: Any, q: Any, **how: Any) -> Estimate:
        return densities.kl_divergence(q, p, **how)

    def _term(self) -> _terms.Divergence:
        return _terms.Reversed(_terms.KullbackLeibler())

    def _unnormalized(self, target: UnnormalizedLogProb, q: Any, method: Any, key: Any) -> Estimate:
        return _estimators.negative_evidence(target, q, method, key)


@register_dataclass
@dataclasses.dataclass(frozen=True)
class Jeffreys(Divergence):
    r"""The sum of both directions, $D(p \| q) + D(q \| p)$.

    Reference: H. Jeffreys, "An Invariant Form for the Prior Probability in Estimation Problems", Proceedings of the
        Royal Society A 186, 1946.

    >>> from jaxinfo.distributions import Normal
    >>> from jaxinfo.projections import Jeffreys
    >>> round(float(Jeffreys().estimate(Normal(0.0, 1.0), Normal(1.0, 1.0)).value), 4)
    1.0
    """

    def _between(self, p: Any, q: Any, **how: Any) -> Estimate:
        return _estimators.both_directions(p, q, **how)

    def _term(self) -> _terms.Divergence:
        return _terms.Jeffreys()


@register_dataclass
@dataclasses.dataclass(frozen=True)
class JensenShannon(Divergence):
    r"""The Jensen-Shannon divergence, $w D(p \| m) + (1 - w) D(q \| m)$ with $m = w p + (1 - w) q$.

    Args:
      weight: w, that of the target, in (0, 1).

    Reference: J. Lin, "Divergence Measures Based on the Shannon Entropy", IEEE Transactions on Information Theory 37,
        1991.

    >>> from jaxinfo.distributions import Normal
    >>> from jaxinfo.projections import JensenShannon
    >>> round(float(JensenShannon().estimate(Normal(0.0, 1.0), Normal(3.0, 1.0)).value), 4)
    0.5268
    """

    weight: ArrayLike = 0.5

    def _between(self, p: Any, q: Any, **how: Any) -> Estimate:
        return densities.jensen_shannon_divergence(p, q, weight=self.weight, **how)

    def _term(self) -> _terms.Divergence:
        return _terms.JensenShannon(self.weight)


@register_dataclass
@dataclasses.dataclass(frozen=True)
class Alpha(Divergence):
    r"""Minka's alpha-divergence; `Alpha(1)` is `ForwardKL()` and `Alpha(0)` is `ReverseKL()`.

    .. math:: D_a(p \| q) = \frac{1}{a (a - 1)} \Big(\int p(x)^a q(x)^{1-a} \, dx - 1\Big)

    Args:
      alpha: any number; above 1 the tails of q must be heavy enough, or the value is infinite.

    Reference: T. Minka, "Divergence measures and message passing", Microsoft Research MSR-TR-2005-173, 2005.

    >>> from jaxinfo.distributions import Normal
    >>> from jaxinfo.projections import Alpha
    >>> round(float(Alpha(2.0).estimate(Normal(0.0, 1.0), Normal(1.0, 1.0)).value), 4)
    0.8591
    """

    alpha: ArrayLike

    def _between(self, p: Any, q: Any, **how: Any) -> Estimate:
        return densities.alpha_divergence(p, q, self.alpha, **how)

    def _term(self) -> _terms.Divergence:
        return _terms.Alpha(self.alpha)


@register_dataclass
@dataclasses.dataclass(frozen=True)
class Renyi(Divergence):
    r"""The Rényi divergence of the target from the approximation; its stationary points are those of `Alpha(order)`.

    .. math:: D_a(p \| q) = \frac{1}{a - 1} \log \int p(x)^a q(x)^{1 - a} \, dx

    With `MonteCarlo` an `UnnormalizedLogProb` is fitted by draws from the approximation, for an order other than 1:
    the variational Rényi bound, times `order`, and with the other sign. Its value, the logarithm of a mean, is
    biased by as much as its variance.

    Args:
      order: a, at least 0; `Renyi(1)` is `ForwardKL()`.

    Reference: Y. Li and R. E. Turner, "Rényi Divergence Variational Inference", NeurIPS 2016.

    >>> from jaxinfo.distributions import Normal
    >>> from jaxinfo.projections import Renyi
    >>> round(float(Renyi(2.0).estimate(Normal(0.0, 1.0), Normal(1.0, 1.0)).value), 4)
    1.0
    """

    order: ArrayLike

    def _between(self, p: Any, q: Any, **how: Any) -> Estimate:
        return densities.renyi_divergence(p, q, self.order, **how)

    def _term(self) -> _terms.Divergence:
        return _terms.Renyi(self.order)

    def _unnormalized(self, target: UnnormalizedLogProb, q: Any, method: Any, key: Any) -> Estimate:
        if isinstance(method, MonteCarlo):
            return _estimators.renyi_bound(target, q, self.order, method)
        return super()._unnormalized(target, q, method, key)


@register_dataclass
@dataclasses.dataclass(frozen=True)
class ChiSquared(Divergence):
    r"""Pearson's divergence, twice `Alpha(2)`.

    .. math:: \chi^2(p \| q) = \int \frac{(p(x) - q(x))^2}{q(x)} \, dx

    It is the variance of the weights p/q, so that its minimum is the best proposal for importance sampling.

    Reference: A. B. Dieng, D. Tran, R. Ranganath, J. Paisley and D. M. Blei, "Variational Inference via χ Upper Bound
        Minimization", NeurIPS 2017.

    >>> from jaxinfo.distributions import Normal
    >>> from jaxinfo.projections import ChiSquared
    >>> round(float(ChiSquared().estimate(Normal(0.0, 1.0), Normal(1.0, 1.0)).value), 4)
    1.7183
    """

    def _between(self, p: Any, q: Any, **how: Any) -> Estimate:
        return _estimators.scaled(2.0, densities.alpha_divergence(p, q, 2.0, **how))

    def _term(self) -> _terms.Divergence:
        return _terms.Pearson()


@register_dataclass
@dataclasses.dataclass(frozen=True)
class Hellinger(Divergence):
    r"""The squared Hellinger distance.

    .. math:: H^2(p, q) = 1 - \int \sqrt{p(x) q(x)} \, dx

    The square has the minima of the distance, and is smooth where q meets p. It is a quarter of `Alpha(1/2)`.

    Reference: A. B. Tsybakov, "Introduction to Nonparametric Estimation", Springer 2009, section 2.4.

    >>> from jaxinfo.distributions import Normal
    >>> from jaxinfo.projections import Hellinger
    >>> round(float(Hellinger().estimate(Normal(0.0, 1.0), Normal(1.0, 1.0)).value), 4)
    0.1175
    """

    def _between(self, p: Any, q: Any, **how: Any) -> Estimate:
        return _estimators.scaled(0.25, densities.alpha_divergence(p, q, 0.5, **how))

    def _term(self) -> _terms.Divergence:
        return _terms.SquaredHellinger()


@register_dataclass
@dataclasses.dataclass(frozen=True)
class TotalVariation(Divergence):
    r"""The total variation distance, half the L1 distance.

    .. math:: \mathrm{TV}(p, q) = \frac{1}{2} \int |p(x) - q(x)| \, dx

    Its integrand has kinks where the densities cross, which quadrature in the loop does not refine: optima are as
    exact as the width of a panel there allows.

    Reference: A. B. Tsybakov, "Introduction to Nonparametric Estimation", Springer 2009, section 2.4.

    >>> from jaxinfo.distributions import Normal
    >>> from jaxinfo.projections import TotalVariation
    >>> round(float(TotalVariation().estimate(Normal(0.0, 1.0), Normal(1.0, 1.0)).value), 4)
    0.3829
    """

    def _between(self, p: Any, q: Any, **how: Any) -> Estimate:
        return densities.total_variation(p, q, **how)

    def _term(self) -> _terms.Divergence:
        return _terms.TotalVariation()


@register_dataclass
@dataclasses.dataclass(frozen=True)
class FDivergence(Divergence):
    r"""The f-divergence of a generator.

    .. math:: D_f(p, q) = \int q(x) \, f\Big(\frac{p(x)}{q(x)}\Big) \, dx

    Args:
      generator: f with its limits, made by `jaxinfo.generators`; static.

    Reference: I. Csiszár, "Information-type measures of difference of probability distributions and indirect
        observations", Studia Scientiarum Mathematicarum Hungarica 2, 1967.

    >>> from jaxinfo.distributions import Normal
    >>> from jaxinfo.generators import triangular_discrimination
    >>> from jaxinfo.projections import FDivergence
    >>> divergence = FDivergence(triangular_discrimination())
    >>> round(float(divergence.estimate(Normal(0.0, 1.0), Normal(1.0, 1.0)).value), 4)
    0.4081
    """

    generator: Generator = dataclasses.field(metadata={"static": True})

    def _between(self, p: Any, q: Any, **how: Any) -> Estimate:
        return densities.f_divergence(p, q, self.generator, **how)

    def _term(self) -> _terms.Divergence:
        return _terms.of_generator(self.generator)
