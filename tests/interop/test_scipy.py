"""SciPy's frozen distributions become ours; what is none of them is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from jaxinfo import densities, distributions, interop
from tests.interop.foreign import Case, check_conversions

REALS = [-2.5, 0.3, 4.0]
POSITIVES = [0.2, 1.0, 3.7]
BEYOND = [1.2, 2.0, 4.7]
UNIT = [0.1, 0.5, 0.95]
COUNTS = [0, 1, 3]
PROBS = [0.2, 0.3, 0.5]
MATRIX = [[2.0, 0.3], [0.3, 1.0]]
VECTORS = [[0.0, 0.5], [2.0, -1.0]]

CASES = {
    "bernoulli": Case(lambda: stats.bernoulli(0.7), "Bernoulli", [0, 1]),
    "beta": Case(lambda: stats.beta(2.0, 0.5), "Beta", UNIT),
    "beta, moved and stretched": Case(lambda: stats.beta(2.0, 0.5, loc=1.0, scale=5.0), "Transformed", BEYOND),
    "binom": Case(lambda: stats.binom(5, 0.3), "Binomial", COUNTS),
    "binom, moved": Case(lambda: stats.binom(5, 0.3, loc=2), "Transformed", [1, 2, 4]),
    "cauchy": Case(lambda: stats.cauchy(0.5, 2.0), "Cauchy", REALS),
    "chi2": Case(lambda: stats.chi2(3.0), "ChiSquared", POSITIVES),
    "dirichlet": Case(lambda: stats.dirichlet([0.5, 2.0, 3.0]), "Dirichlet", PROBS),
    "expon": Case(lambda: stats.expon(scale=2.5), "Exponential", POSITIVES),
    "gamma": Case(lambda: stats.gamma(2.0, scale=3.0), "Gamma", POSITIVES),
    "gamma, moved": Case(lambda: stats.gamma(2.0, 1.0, 3.0), "Transformed", BEYOND),
    "geom": Case(lambda: stats.geom(0.3), "Transformed", [0, 1, 4]),
    "geom of failures": Case(lambda: stats.geom(0.3, loc=-1), "Geometric", COUNTS),
    "gumbel_r": Case(lambda: stats.gumbel_r(0.5, 2.0), "Gumbel", REALS),
    "halfnorm": Case(lambda: stats.halfnorm(scale=2.0), "HalfNormal", POSITIVES),
    "invgamma": Case(lambda: stats.invgamma(2.0, scale=3.0), "InverseGamma", POSITIVES),
    "invgauss": Case(lambda: stats.invgauss(0.7, scale=3.0), "InverseGaussian", POSITIVES),
    "laplace": Case(lambda: stats.laplace(0.5, 2.0), "Laplace", REALS),
    "logistic": Case(lambda: stats.logistic(0.5, 2.0), "Logistic", REALS),
    "lognorm": Case(lambda: stats.lognorm(0.7, scale=3.0), "LogNormal", POSITIVES),
    "multinomial": Case(lambda: stats.multinomial(4, PROBS), "Multinomial", [1, 2, 1]),
    "multivariate_normal": Case(lambda: stats.multivariate_normal([1.0, 0.0], MATRIX), "MultivariateNormal", VECTORS),
    "nbinom": Case(lambda: stats.nbinom(4, 0.3), "NegativeBinomial", COUNTS),
    "norm": Case(lambda: stats.norm(0.5, 2.0), "Normal", REALS),
    "norm, a batch": Case(lambda: stats.norm([0.0, 1.0, 2.0], scale=2.0), "Normal", REALS),
    "pareto": Case(lambda: stats.pareto(3.0, scale=0.5), "Pareto", [0.6, 1.0, 4.0]),
    "poisson": Case(lambda: stats.poisson(2.5), "Poisson", COUNTS),
    "t": Case(lambda: stats.t(3.0, 0.5, 2.0), "StudentT", REALS),
    "uniform": Case(lambda: stats.uniform(-1.0, 4.0), "Uniform", [-0.5, 1.0, 2.5]),
    "vonmises": Case(lambda: stats.vonmises(2.0, loc=0.5), "VonMises", [-1.0, 0.3, 2.5]),
    "vonmises_fisher": Case(
        lambda: stats.vonmises_fisher([0.6, 0.8, 0.0], 2.0), "VonMisesFisher", [[1.0, 0.0, 0.0], [0.0, 0.6, 0.8]]
    ),
    "weibull_min": Case(lambda: stats.weibull_min(1.5, scale=2.0), "Weibull", POSITIVES),
    "wishart": Case(lambda: stats.wishart(4.0, MATRIX), "Wishart", [[1.5, 0.2], [0.2, 0.7]]),
}


def log_prob(frozen, x):
    with np.errstate(divide="ignore"):
        return (frozen.logpdf if hasattr(frozen, "logpdf") else frozen.logpmf)(np.asarray(x, float))


def test_conversions():
    check_conversions(CASES, log_prob)


def test_moved_integers():
    """The trials up to the first success: from 1 on, where the failures before it are from 0 on."""
    p, q = (interop.as_distribution(stats.geom(probs)) for probs in (0.3, 0.6))
    assert float(p.support.low) == 1.0
    assert float(p.mean) == pytest.approx(1 / 0.3)
    draws = p.sample(jax.random.key(0), (1000,))
    assert jnp.issubdtype(draws.dtype, jnp.integer)
    assert draws.min() == 1
    assert p.log_prob(0) == -jnp.inf
    k = np.arange(1, 400)
    mass = stats.geom(0.3).pmf(k)
    expected = np.sum(mass * (stats.geom(0.3).logpmf(k) - stats.geom(0.6).logpmf(k)))
    np.testing.assert_allclose(distributions.kl_divergence(p, q), expected, rtol=1e-6)


def test_verbs_take_frozen_distributions():
    estimate = densities.kl_divergence(stats.norm(0.0, 1.0), stats.norm(1.0, 2.0))
    assert estimate.method == "closed_form"
    np.testing.assert_allclose(estimate.value, np.log(2) + (1 + 1) / 8 - 0.5, rtol=1e-6)


@pytest.mark.parametrize(
    "obj",
    [
        stats.norm,
        stats.skewnorm(2.0),
        stats.norm.rvs,
        "normal",
        3.0,
        None,
        distributions.Normal,
        stats.vonmises(2.0, scale=3.0),
    ],
    ids=["family", "skew normal", "method", "name", "number", "nothing", "class", "scaled circle"],
)
def test_what_is_no_distribution_is_refused(obj):
    with pytest.raises(TypeError, match=r"interop\.as_distribution"):
        interop.as_distribution(obj)


def test_ours_and_whatever_has_a_log_prob_come_back_as_they_are():
    class Density:
        def log_prob(self, x):
            return -jnp.square(x)

    for obj in (distributions.Normal(0.0, 1.0), Density()):
        assert interop.as_distribution(obj) is obj
