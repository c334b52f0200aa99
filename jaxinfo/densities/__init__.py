"""Information measures between densities that have no closed form: estimates, each with its error."""

from jaxinfo.densities._estimate import Estimate
from jaxinfo.densities._quadrature import Quadrature
from jaxinfo.densities._verbs import ClosedForm, cross_entropy, entropy, kl_divergence

__all__ = ["ClosedForm", "Estimate", "Quadrature", "cross_entropy", "entropy", "kl_divergence"]
