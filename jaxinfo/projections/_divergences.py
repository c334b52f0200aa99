"""Divergences as objectives: what to minimise between a target and its approximation."""

import dataclasses
from typing import Any

from jaxinfo import densities
from jaxinfo.densities import ClosedForm, Estimate, Quadrature


@dataclasses.dataclass(frozen=True)
class ForwardKL:
    r"""The inclusive divergence, KL(target‖approximation).

    .. math:: D(p \| q) = \int p(x) \log \frac{p(x)}{q(x)} \, dx

    The approximation pays for every region it leaves out, so it covers the target. Onto an exponential family its
    only stationary point matches the target's moments. Needs densities on both sides.

    Reference: T. Minka, "Divergence measures and message passing", Microsoft Research MSR-TR-2005-173, 2005.

    >>> from jaxinfo.distributions import Normal
    >>> from jaxinfo.projections import ForwardKL
    >>> round(float(ForwardKL().estimate(Normal(0.0, 1.0), Normal(1.0, 2.0)).value), 4)
    0.4431
    """

    def arguments(self, target: Any, approximation: Any) -> tuple[Any, Any]:
        """Returns the arguments in the order in which KL(p‖q) takes them."""
        return target, approximation

    def estimate(self, target: Any, approximation: Any, *, method: ClosedForm | Quadrature | None = None) -> Estimate:
        """Returns KL(target‖approximation) in nats, as `jaxinfo.densities.kl_divergence`."""
        return densities.kl_divergence(*self.arguments(target, approximation), method=method)


@dataclasses.dataclass(frozen=True)
class ReverseKL:
    r"""The exclusive divergence, KL(approximation‖target).

    .. math:: D(q \| p) = \int q(x) \log \frac{q(x)}{p(x)} \, dx

    The approximation pays for every region where the target is thin, so it may settle on one mode; there can be
    several local minima, and where a descent ends depends on where it starts. Needs densities on both sides.

    Reference: T. Minka, "Divergence measures and message passing", Microsoft Research MSR-TR-2005-173, 2005.

    >>> from jaxinfo.distributions import Normal
    >>> from jaxinfo.projections import ReverseKL
    >>> round(float(ReverseKL().estimate(Normal(0.0, 1.0), Normal(1.0, 2.0)).value), 4)
    1.3069
    """

    def arguments(self, target: Any, approximation: Any) -> tuple[Any, Any]:
        """Returns the arguments in the order in which KL(p‖q) takes them."""
        return approximation, target

    def estimate(self, target: Any, approximation: Any, *, method: ClosedForm | Quadrature | None = None) -> Estimate:
        """Returns KL(approximation‖target) in nats, as `jaxinfo.densities.kl_divergence`."""
        return densities.kl_divergence(*self.arguments(target, approximation), method=method)


Divergence = ForwardKL | ReverseKL
