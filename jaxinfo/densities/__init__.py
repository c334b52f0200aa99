"""Information measures between densities that have no closed form: estimates, each with its error."""

from jaxinfo.densities._bounds import entropy_bounds, kl_bounds
from jaxinfo.densities._divergences import (
    alpha_divergence,
    f_divergence,
    hellinger_distance,
    jensen_shannon_divergence,
    renyi_divergence,
    total_variation,
)
from jaxinfo.densities._estimate import Estimate
from jaxinfo.densities._exact_sum import ExactSum
from jaxinfo.densities._gradients import DoublyReparameterized, Reparameterized, ScoreFunction, StickingTheLanding
from jaxinfo.densities._hermite import GaussHermite
from jaxinfo.densities._measure import ClosedForm
from jaxinfo.densities._monte_carlo import MonteCarlo
from jaxinfo.densities._quadrature import Quadrature
from jaxinfo.densities._verbs import cross_entropy, entropy, kl_divergence, mutual_information

__all__ = [
    "ClosedForm",
    "DoublyReparameterized",
    "Estimate",
    "ExactSum",
    "GaussHermite",
    "MonteCarlo",
    "Quadrature",
    "Reparameterized",
    "ScoreFunction",
    "StickingTheLanding",
    "alpha_divergence",
    "cross_entropy",
    "entropy",
    "entropy_bounds",
    "f_divergence",
    "hellinger_distance",
    "jensen_shannon_divergence",
    "kl_bounds",
    "kl_divergence",
    "mutual_information",
    "renyi_divergence",
    "total_variation",
]
