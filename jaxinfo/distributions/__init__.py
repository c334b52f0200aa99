"""Distribution objects, and information measures that have a closed form between them."""

from jaxinfo.distributions import bijectors
from jaxinfo.distributions._composites.independent import Independent
from jaxinfo.distributions._composites.mixture import Mixture
from jaxinfo.distributions._composites.product import Product
from jaxinfo.distributions._composites.transformed import Transformed
from jaxinfo.distributions._families.bernoulli import Bernoulli
from jaxinfo.distributions._families.beta import Beta, Dirichlet
from jaxinfo.distributions._families.binomial import Binomial
from jaxinfo.distributions._families.categorical import Categorical
from jaxinfo.distributions._families.cauchy import Cauchy
from jaxinfo.distributions._families.exponential import Exponential
from jaxinfo.distributions._families.gamma import ChiSquared, Gamma, InverseGamma
from jaxinfo.distributions._families.geometric import Geometric
from jaxinfo.distributions._families.gumbel import Gumbel
from jaxinfo.distributions._families.half_normal import HalfNormal
from jaxinfo.distributions._families.inverse_gaussian import InverseGaussian
from jaxinfo.distributions._families.laplace import Laplace
from jaxinfo.distributions._families.log_normal import LogNormal
from jaxinfo.distributions._families.logistic import Logistic
from jaxinfo.distributions._families.multinomial import Multinomial
from jaxinfo.distributions._families.multivariate_normal import MultivariateNormal
from jaxinfo.distributions._families.negative_binomial import NegativeBinomial
from jaxinfo.distributions._families.normal import Normal
from jaxinfo.distributions._families.pareto import Pareto
from jaxinfo.distributions._families.poisson import Poisson
from jaxinfo.distributions._families.student_t import StudentT
from jaxinfo.distributions._families.uniform import Uniform
from jaxinfo.distributions._families.von_mises import VonMises
from jaxinfo.distributions._families.von_mises_fisher import VonMisesFisher
from jaxinfo.distributions._families.weibull import Weibull
from jaxinfo.distributions._families.wishart import Wishart
from jaxinfo.distributions._verbs import (
    bhattacharyya_distance,
    cross_entropy,
    entropy,
    fisher_information,
    hellinger_distance,
    jensen_shannon_bounds,
    kl_divergence,
    renyi_divergence,
    wasserstein_distance,
)

__all__ = [
    "Bernoulli",
    "Beta",
    "Binomial",
    "Categorical",
    "Cauchy",
    "ChiSquared",
    "Dirichlet",
    "Exponential",
    "Gamma",
    "Geometric",
    "Gumbel",
    "HalfNormal",
    "Independent",
    "InverseGamma",
    "InverseGaussian",
    "Laplace",
    "LogNormal",
    "Logistic",
    "Mixture",
    "Multinomial",
    "MultivariateNormal",
    "NegativeBinomial",
    "Normal",
    "Pareto",
    "Poisson",
    "Product",
    "StudentT",
    "Transformed",
    "Uniform",
    "VonMises",
    "VonMisesFisher",
    "Weibull",
    "Wishart",
    "bhattacharyya_distance",
    "bijectors",
    "cross_entropy",
    "entropy",
    "fisher_information",
    "hellinger_distance",
    "jensen_shannon_bounds",
    "kl_divergence",
    "renyi_divergence",
    "wasserstein_distance",
]
