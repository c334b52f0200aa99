"""The distributions of TensorFlow Probability on JAX are ours by another name, or densities."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxinfo import densities, distributions
from jaxinfo.distributions._supports import Integers, Interval, Reals
from tests.interop.foreign import Case, Wrapped, check_conversions, check_shapes, check_wrapped, library, made

tfp = library("tensorflow_probability.substrates.jax")
tfd, tfb = tfp.distributions, tfp.bijectors
# What it asks of JAX may be on its way out, or not be there in single precision.
pytestmark = pytest.mark.filterwarnings("ignore")

INF = float("inf")
REALS = [-2.5, 0.3, 4.0]
POSITIVES = [0.2, 1.0, 3.7]
UNIT = [0.1, 0.5, 0.95]
COUNTS = [0.0, 1.0, 3.0]
PROBS = [0.2, 0.3, 0.5]
LOGITS = [0.5, -1.0, 2.0]
MATRIX = [[2.0, 0.3], [0.3, 1.0]]
LOWER = [[2.0, 0.0], [0.3, 1.0]]
VECTORS = [[0.0, 0.5], [2.0, -1.0]]
HOT = [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]


def f32(*values):
    """TFP takes single precision for what it is given as numbers."""
    return jnp.array(values, jnp.float32)


CASES = {
    "bernoulli of logits": Case(lambda: tfd.Bernoulli(logits=0.7), "Bernoulli", [0, 1]),
    "bernoulli of probs": Case(lambda: tfd.Bernoulli(probs=0.7), "Bernoulli", [0, 1]),
    "beta": Case(lambda: tfd.Beta(2.0, 0.5), "Beta", UNIT),
    "binomial of logits": Case(lambda: tfd.Binomial(5.0, logits=-0.4), "Binomial", COUNTS),
    "binomial of probs": Case(lambda: tfd.Binomial(5.0, probs=0.3), "Binomial", COUNTS),
    "categorical of logits": Case(lambda: tfd.Categorical(logits=f32(*LOGITS)), "Categorical", [0, 2]),
    "categorical of probs": Case(lambda: tfd.Categorical(probs=f32(*PROBS)), "Categorical", [0, 2]),
    "cauchy": Case(lambda: tfd.Cauchy(0.5, 2.0), "Cauchy", REALS),
    "chi-squared": Case(lambda: tfd.Chi2(3.0), "ChiSquared", POSITIVES),
    "dirichlet": Case(lambda: tfd.Dirichlet(f32(0.5, 2.0, 3.0)), "Dirichlet", PROBS),
    "exponential": Case(lambda: tfd.Exponential(2.5), "Exponential", POSITIVES),
    "gamma of a rate": Case(lambda: tfd.Gamma(2.0, 3.0), "Gamma", POSITIVES),
    "gamma of a log-rate": Case(lambda: tfd.Gamma(2.0, log_rate=0.7), "Gamma", POSITIVES),
    "geometric of logits": Case(lambda: tfd.Geometric(logits=-0.4), "Geometric", COUNTS),
    "geometric of probs": Case(lambda: tfd.Geometric(probs=0.3), "Geometric", COUNTS),
    "gumbel": Case(lambda: tfd.Gumbel(0.5, 2.0), "Gumbel", REALS),
    "half-normal": Case(lambda: tfd.HalfNormal(2.0), "HalfNormal", POSITIVES),
    "independent": Case(
        lambda: tfd.Independent(tfd.Normal(jnp.zeros((2, 3), jnp.float32), 2.0), 1), "Independent", [REALS, REALS]
    ),
    "inverse gamma": Case(lambda: tfd.InverseGamma(2.0, 3.0), "InverseGamma", POSITIVES),
    "inverse gaussian": Case(lambda: tfd.InverseGaussian(2.0, 3.0), "InverseGaussian", POSITIVES),
    "laplace": Case(lambda: tfd.Laplace(0.5, 2.0), "Laplace", REALS),
    "log-normal": Case(lambda: tfd.LogNormal(0.5, 2.0), "LogNormal", POSITIVES),
    "logistic": Case(lambda: tfd.Logistic(0.5, 2.0), "Logistic", REALS),
    "mixture of one family": Case(
        lambda: tfd.MixtureSameFamily(tfd.Categorical(logits=f32(0.0, 1.0)), tfd.Normal(f32(-1.0, 2.0), 1.5)),
        "Mixture",
        REALS,
    ),
    "mixture of several": Case(
        lambda: tfd.Mixture(tfd.Categorical(probs=f32(0.3, 0.7)), [tfd.Normal(0.0, 1.0), tfd.Laplace(1.0, 2.0)]),
        "Mixture",
        REALS,
    ),
    "multinomial of logits": Case(lambda: tfd.Multinomial(4.0, logits=f32(*LOGITS)), "Multinomial", [1.0, 2.0, 1.0]),
    "multinomial of probs": Case(lambda: tfd.Multinomial(4.0, probs=f32(*PROBS)), "Multinomial", [1.0, 2.0, 1.0]),
    "diagonal normal": Case(
        lambda: tfd.MultivariateNormalDiag(f32(1.0, 0.0), f32(0.5, 2.0)), "MultivariateNormal", VECTORS
    ),
    "diagonal normal around zero": Case(
        lambda: tfd.MultivariateNormalDiag(scale_diag=f32(0.5, -2.0)), "MultivariateNormal", VECTORS
    ),
    "low-rank normal": Case(
        lambda: tfd.MultivariateNormalDiagPlusLowRank(f32(1.0, 0.0), f32(0.5, 2.0), f32([1.0], [2.0])),
        "MultivariateNormal",
        VECTORS,
    ),
    "normal of low-rank covariance": Case(
        lambda: tfd.MultivariateNormalDiagPlusLowRankCovariance(f32(1.0, 0.0), f32(0.5, 2.0), f32([1.0], [2.0])),
        "MultivariateNormal",
        VECTORS,
    ),
    "full normal": Case(
        lambda: tfd.MultivariateNormalFullCovariance(f32(1.0, 0.0), f32(*MATRIX)), "MultivariateNormal", VECTORS
    ),
    "lower normal": Case(lambda: tfd.MultivariateNormalTriL(f32(1.0, 0.0), f32(*LOWER)), "MultivariateNormal", VECTORS),
    "negative binomial of logits": Case(lambda: tfd.NegativeBinomial(4.0, logits=0.4), "NegativeBinomial", COUNTS),
    "negative binomial of probs": Case(lambda: tfd.NegativeBinomial(4.0, probs=0.3), "NegativeBinomial", COUNTS),
    "normal": Case(lambda: tfd.Normal(0.5, 2.0), "Normal", REALS),
    "one hot of logits": Case(lambda: tfd.OneHotCategorical(logits=f32(*LOGITS)), "Multinomial", HOT),
    "one hot of probs": Case(lambda: tfd.OneHotCategorical(probs=f32(*PROBS)), "Multinomial", HOT),
    "pareto": Case(lambda: tfd.Pareto(3.0, 0.5), "Pareto", [0.6, 1.0, 4.0]),
    "poisson of a rate": Case(lambda: tfd.Poisson(2.5), "Poisson", COUNTS),
    "poisson of a log-rate": Case(lambda: tfd.Poisson(log_rate=0.5), "Poisson", COUNTS),
    "student": Case(lambda: tfd.StudentT(3.0, 0.5, 2.0), "StudentT", REALS),
    "transformed": Case(
        lambda: tfd.TransformedDistribution(
            tfd.Normal(0.0, 1.0), tfb.Chain([tfb.Exp(), tfb.Shift(1.0), tfb.Scale(2.0)])
        ),
        "Transformed",
        POSITIVES,
    ),
    "uniform": Case(lambda: tfd.Uniform(-1.0, 3.0), "Uniform", [-0.5, 1.0, 2.5]),
    "von mises": Case(lambda: tfd.VonMises(0.5, 2.0), "VonMises", [-1.0, 0.3, 2.5]),
    "von mises-fisher": Case(
        lambda: tfd.VonMisesFisher(f32(0.6, 0.8, 0.0), 2.0), "VonMisesFisher", [[1.0, 0.0, 0.0], [0.0, 0.6, 0.8]]
    ),
    "weibull": Case(lambda: tfd.Weibull(1.5, 2.0), "Weibull", POSITIVES),
    "wishart": Case(lambda: tfd.WishartTriL(4.0, f32(*LOWER)), "Wishart", [[[1.5, 0.2], [0.2, 0.7]]]),
}

WRAPPED = {
    "line": Wrapped(lambda: tfd.SinhArcsinh(0.5, 2.0, 0.3), REALS, Interval(-INF, INF)),
    "half line": Wrapped(lambda: tfd.HalfCauchy(1.0, 2.0), [1.5, 4.0], Interval(1.0, INF), 0.5),
    "interval": Wrapped(lambda: tfd.TruncatedNormal(0.0, 1.0, -1.0, 2.0), UNIT, Interval(-1.0, 2.0), 2.5),
    "finite integers": Wrapped(lambda: tfd.BetaBinomial(4.0, 1.5, 2.0), COUNTS, Integers(0, 4), 5.0),
    "all integers": Wrapped(lambda: tfd.Skellam(1.5, 2.0), [-2.0, 1.0], Integers(-INF, INF), 0.5),
    "listed numbers": Wrapped(lambda: tfd.FiniteDiscrete(f32(0.5, 2.0), probs=f32(0.3, 0.7)), [0.5, 2.0], None),
    "vectors": Wrapped(
        lambda: tfd.MultivariateStudentTLinearOperator(
            4.0, f32(1.0, 0.0), tfp.tf2jax.linalg.LinearOperatorLowerTriangular(f32(*LOWER))
        ),
        VECTORS,
        Reals(1),
    ),
}


def test_conversions():
    check_conversions(CASES, real=jnp.float32)


def test_shapes():
    check_shapes(CASES)


def test_wrapped():
    check_wrapped(WRAPPED, real=jnp.float32)


def test_objects_pass_through_jit_vmap_and_grad():
    locs = f32(0.0, 1.0, 3.0)
    p, q = made(lambda: tfd.Normal(locs, jnp.full(3, 2.0, jnp.float32))), made(lambda: tfd.Normal(0.5, 1.5))
    kl = lambda p, q: densities.kl_divergence(p, q).value  # noqa: E731
    expected = kl(distributions.Normal(locs, 2.0), distributions.Normal(0.5, 1.5))
    np.testing.assert_allclose(jax.jit(kl)(p, q), expected, rtol=1e-6)
    np.testing.assert_allclose(jax.vmap(lambda p: kl(p, q))(p), expected, rtol=1e-6)
    slope = jax.grad(lambda p: jnp.sum(kl(p, q)))(p).loc
    np.testing.assert_allclose(slope, (locs - 0.5) / 2.25, rtol=1e-6)


def test_kl_divergence_of_a_normal_of_distrax_and_a_mixture():
    distrax = library("distrax")
    mixture = CASES["mixture of one family"].make
    estimate = densities.kl_divergence(made(lambda: distrax.Normal(0.5, 1.2)), made(mixture))
    assert estimate.method == "quadrature"
    # The same by SciPy's densities on a fine grid.
    stats = library("scipy.stats")
    x = np.linspace(-15, 15, 200_001)
    p = stats.norm(0.5, 1.2).pdf(x)
    weight = 1 / (1 + np.exp(1.0))
    q = weight * stats.norm(-1.0, 1.5).pdf(x) + (1 - weight) * stats.norm(2.0, 1.5).pdf(x)
    np.testing.assert_allclose(estimate.value, np.sum(p * np.log(p / q)) * (x[1] - x[0]), rtol=1e-5)


def test_entropy_of_a_wrapped_density_is_integrated():
    """Of a normal truncated at its mean: a half-normal, whose entropy is log(pi e / 2) / 2."""
    estimate = densities.entropy(made(lambda: tfd.TruncatedNormal(0.0, 1.0, 0.0, np.inf)))
    np.testing.assert_allclose(estimate.value, 0.5 * np.log(np.pi * np.e / 2), rtol=1e-5)


def test_entropy_of_wrapped_integers_is_summed():
    """Of a beta-binomial that is uniform on 0, ..., 4."""
    estimate = densities.entropy(made(lambda: tfd.BetaBinomial(4.0, 1.0, 1.0)))
    np.testing.assert_allclose(estimate.value, np.log(5), rtol=1e-5)
