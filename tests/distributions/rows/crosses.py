"""Rows for divergences between different families of one real variable; the others are slow: `test_crosses.py`."""

from jaxinfo import distributions
from tests.distributions import crosses_members, crosses_oracles
from tests.distributions.row import Pair

# So chosen that each statistic and each family is met, as the first and as the second.
KL = (
    *(("Beta", "Uniform"), ("Uniform", "Beta"), ("Normal", "Laplace"), ("Logistic", "Gumbel"), ("Gamma", "LogNormal")),
    *(("Gamma", "InverseGaussian"), ("Weibull", "InverseGamma"), ("LogNormal", "Weibull"), ("Pareto", "Normal")),
    *(("InverseGaussian", "Gamma"), ("Uniform", "Logistic"), ("StudentT", "Normal"), ("Exponential", "Gumbel")),
    *(("HalfNormal", "Laplace"), ("Cauchy", "StudentT"), ("ChiSquared", "HalfNormal")),
)
CROSS_ENTROPY = (("Gamma", "Normal"), ("Uniform", "Pareto"), ("LogNormal", "Gamma"))


def pair(measure: str, p: str, q: str) -> Pair:
    first, second = getattr(distributions, p), getattr(distributions, q)
    kl, cross, largest, largest_of_cross = crosses_oracles.functions(p, q, len(first.constraints))
    parameters = crosses_members.pairs(p, q)
    if measure == "kl_divergence":
        return Pair(measure, first, second, parameters, kl, largest)
    return Pair(measure, first, second, parameters, cross, largest_of_cross)


FAMILIES = []
PAIRS = [pair("kl_divergence", p, q) for p, q in KL] + [pair("cross_entropy", p, q) for p, q in CROSS_ENTROPY]
