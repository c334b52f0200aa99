"""numpyro's distributions are ours by another name, or densities."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxinfo import densities, distributions, interop
from jaxinfo.distributions._supports import Integers, Interval, Reals
from tests.interop.foreign import Case, Wrapped, check_conversions, check_shapes, check_wrapped, library, made

dist = library("numpyro.distributions")

INF = float("inf")
REALS = [-2.5, 0.3, 4.0]
POSITIVES = [0.2, 1.0, 3.7]
UNIT = [0.1, 0.5, 0.95]
COUNTS = [0, 1, 3]
PROBS = [0.2, 0.3, 0.5]
MATRIX = [[2.0, 0.3], [0.3, 1.0]]
VECTORS = [[0.0, 0.5], [2.0, -1.0]]

CASES = {
    "bernoulli of logits": Case(lambda: dist.Bernoulli(logits=0.7), "Bernoulli", [0, 1]),
    "bernoulli of probs": Case(lambda: dist.Bernoulli(probs=0.7), "Bernoulli", [0, 1]),
    "beta": Case(lambda: dist.Beta(2.0, 0.5), "Beta", UNIT),
    "binomial of logits": Case(lambda: dist.Binomial(5, logits=-0.4), "Binomial", COUNTS),
    "binomial of probs": Case(lambda: dist.Binomial(5, probs=0.3), "Binomial", COUNTS),
    "categorical of logits": Case(lambda: dist.Categorical(logits=jnp.array([0.5, -1.0, 2.0])), "Categorical", [0, 2]),
    "categorical of probs": Case(lambda: dist.Categorical(probs=jnp.array(PROBS)), "Categorical", [0, 2]),
    "cauchy": Case(lambda: dist.Cauchy(0.5, 2.0), "Cauchy", REALS),
    "chi-squared": Case(lambda: dist.Chi2(3.0), "ChiSquared", POSITIVES),
    "dirichlet": Case(lambda: dist.Dirichlet(jnp.array([0.5, 2.0, 3.0])), "Dirichlet", PROBS),
    "expanded": Case(lambda: dist.Normal(0.0, 2.0).expand([3]), "Normal", REALS),
    "exponential": Case(lambda: dist.Exponential(2.5), "Exponential", POSITIVES),
    "gamma": Case(lambda: dist.Gamma(2.0, 3.0), "Gamma", POSITIVES),
    "gamma-poisson": Case(lambda: dist.GammaPoisson(2.0, 3.0), "NegativeBinomial", COUNTS),
    "geometric of logits": Case(lambda: dist.Geometric(logits=-0.4), "Geometric", COUNTS),
    "geometric of probs": Case(lambda: dist.Geometric(probs=0.3), "Geometric", COUNTS),
    "gumbel": Case(lambda: dist.Gumbel(0.5, 2.0), "Gumbel", REALS),
    "half-normal": Case(lambda: dist.HalfNormal(2.0), "HalfNormal", POSITIVES),
    "independent": Case(lambda: dist.Normal(jnp.zeros((2, 3)), 2.0).to_event(1), "Independent", [REALS, REALS]),
    "inverse gamma": Case(lambda: dist.InverseGamma(2.0, 3.0), "InverseGamma", POSITIVES),
    "laplace": Case(lambda: dist.Laplace(0.5, 2.0), "Laplace", REALS),
    "log-normal": Case(lambda: dist.LogNormal(0.5, 2.0), "LogNormal", POSITIVES),
    "logistic": Case(lambda: dist.Logistic(0.5, 2.0), "Logistic", REALS),
    "low-rank normal": Case(
        lambda: dist.LowRankMultivariateNormal(jnp.ones(2), jnp.array([[1.0], [2.0]]), jnp.array([0.5, 2.0])),
        "MultivariateNormal",
        VECTORS,
    ),
    "mixture of one family": Case(
        lambda: dist.Mixture(dist.Categorical(logits=jnp.array([0.0, 1.0])), dist.Normal(jnp.array([-1.0, 2.0]), 1.5)),
        "Mixture",
        REALS,
    ),
    "mixture of several": Case(
        lambda: dist.Mixture(
            dist.Categorical(probs=jnp.array([0.3, 0.7])), [dist.Normal(0, 1.0), dist.Laplace(1, 2.0)]
        ),
        "Mixture",
        REALS,
    ),
    "multinomial of logits": Case(
        lambda: dist.Multinomial(4, logits=jnp.array([0.0, 1.0, -1.0])), "Multinomial", [1, 2, 1]
    ),
    "multinomial of probs": Case(lambda: dist.Multinomial(4, probs=jnp.array(PROBS)), "Multinomial", [1, 2, 1]),
    "normal of a covariance": Case(
        lambda: dist.MultivariateNormal(jnp.ones(2), covariance_matrix=jnp.array(MATRIX)), "MultivariateNormal", VECTORS
    ),
    "normal of a precision": Case(
        lambda: dist.MultivariateNormal(jnp.ones(2), precision_matrix=jnp.array(MATRIX)), "MultivariateNormal", VECTORS
    ),
    "negative binomial of mean": Case(lambda: dist.NegativeBinomial2(2.5, 3.0), "NegativeBinomial", COUNTS),
    "negative binomial of logits": Case(lambda: dist.NegativeBinomial(4, logits=0.4), "NegativeBinomial", COUNTS),
    "negative binomial of probs": Case(lambda: dist.NegativeBinomial(4, probs=0.3), "NegativeBinomial", COUNTS),
    "normal": Case(lambda: dist.Normal(0.5, 2.0), "Normal", REALS),
    "pareto": Case(lambda: dist.Pareto(0.5, 3.0), "Pareto", [0.6, 1.0, 4.0]),
    "poisson": Case(lambda: dist.Poisson(2.5), "Poisson", COUNTS),
    "student": Case(lambda: dist.StudentT(3.0, 0.5, 2.0), "StudentT", REALS),
    "transformed": Case(
        lambda: dist.TransformedDistribution(
            dist.Normal(0.0, 1.0), [dist.transforms.AffineTransform(1.0, 2.0), dist.transforms.ExpTransform()]
        ),
        "Transformed",
        POSITIVES,
    ),
    "uniform": Case(lambda: dist.Uniform(-1.0, 3.0), "Uniform", [-0.5, 1.0, 2.5]),
    "von mises": Case(lambda: dist.VonMises(0.5, 2.0), "VonMises", [-1.0, 0.3, 2.5]),
    "weibull": Case(lambda: dist.Weibull(2.0, 1.5), "Weibull", POSITIVES),
    "wishart": Case(lambda: dist.Wishart(4.0, scale_matrix=jnp.array(MATRIX)), "Wishart", [[[1.5, 0.2], [0.2, 0.7]]]),
}


def test_conversions():
    check_conversions(CASES)


def test_shapes():
    check_shapes(CASES)


WRAPPED = {
    "soft laplace": Wrapped(lambda: dist.SoftLaplace(0.5, 2.0), REALS, Interval(-INF, INF)),
    "half-cauchy": Wrapped(lambda: dist.HalfCauchy(2.0), POSITIVES, Interval(0.0, INF), -1.0),
    "truncated normal": Wrapped(lambda: dist.TruncatedNormal(low=-1.0, high=2.0), UNIT, Interval(-1.0, 2.0), 2.5),
    "batch of halves": Wrapped(lambda: dist.HalfCauchy(jnp.ones((2, 1))), POSITIVES, Interval(0.0, INF), -1.0),
    "uniform on integers": Wrapped(lambda: dist.DiscreteUniform(2, 5), [2, 4], Integers(2, 5), 1),
    "beta-binomial": Wrapped(lambda: dist.BetaBinomial(1.5, 2.0, 4), COUNTS, Integers(0, 4), 5),
    "vector": Wrapped(lambda: dist.MultivariateStudentT(4.0, jnp.zeros(2), jnp.eye(2)), VECTORS, Reals(1)),
    "simplex": Wrapped(lambda: dist.RelaxedBernoulli(jnp.array(0.5), logits=0.3).to_event(0), UNIT, Interval(0.0, 1.0)),
}


def test_wrapped():
    check_wrapped(WRAPPED)


class Doubled(dist.Normal):
    """A user's own class: what it inherits may not hold for it."""

    def log_prob(self, value):
        return 2 * super().log_prob(value)


def test_a_class_of_the_users_own_is_not_taken_for_what_it_inherits_from():
    original = made(lambda: Doubled(0.0, 1.0))
    density = interop.as_distribution(original)
    assert not isinstance(density, distributions.Normal)
    np.testing.assert_allclose(density.log_prob(0.3), 2 * distributions.Normal(0.0, 1.0).log_prob(0.3), rtol=1e-6)


def test_missing_moments_are_missing_attributes():
    density = interop.as_distribution(made(lambda: dist.SoftLaplace(0.5, 2.0)))
    assert hasattr(density, "mean")
    without = interop.as_distribution(made(lambda: dist.FoldedDistribution(dist.Normal(0.5, 1.0))))
    assert not hasattr(without, "mean")


def test_kl_divergence_of_two_categoricals_of_logits():
    """numpyro has none."""
    z, w = np.array([0.5, -1.0, 2.0]), np.array([1.0, 0.0, -0.5])
    p, q = (np.exp(logits) / np.exp(logits).sum() for logits in (z, w))
    originals = [made(lambda logits=logits: dist.Categorical(logits=jnp.asarray(logits))) for logits in (z, w)]
    estimate = densities.kl_divergence(*originals)
    assert estimate.method == "closed_form"
    np.testing.assert_allclose(estimate.value, np.sum(p * np.log(p / q)), rtol=2e-6)


def test_objects_pass_through_jit_vmap_and_grad():
    locs = jnp.array([0.0, 1.0, 3.0])
    p, q = made(lambda: dist.Normal(locs, jnp.full(3, 2.0))), made(lambda: dist.Normal(0.5, 1.5))
    kl = lambda p, q: densities.kl_divergence(p, q).value  # noqa: E731
    expected = kl(distributions.Normal(locs, 2.0), distributions.Normal(0.5, 1.5))
    np.testing.assert_allclose(jax.jit(kl)(p, q), expected, rtol=1e-6)
    np.testing.assert_allclose(jax.vmap(lambda p: kl(p, q))(p), expected, rtol=1e-6)
    # d/d loc of (loc - 1/2)^2 / (2 * 1.5^2)
    slope = jax.grad(lambda p: jnp.sum(kl(p, q)))(p).loc
    np.testing.assert_allclose(slope, (locs - 0.5) / 2.25, rtol=1e-6)


def test_wrapped_objects_pass_through_jit_vmap_and_grad():
    scales = jnp.array([0.5, 1.0, 3.0])
    p = made(lambda: dist.SoftLaplace(jnp.zeros(3), scales))
    log_prob = lambda p, x: interop.as_distribution(p).log_prob(x)  # noqa: E731
    # The density is 1 / (pi s cosh(x / s)).
    expected = -np.log(np.pi * scales * np.cosh(2 / scales))
    np.testing.assert_allclose(jax.jit(log_prob)(p, 2.0), expected, rtol=1e-5)
    np.testing.assert_allclose(jax.vmap(log_prob, in_axes=(0, None))(p, 2.0), expected, rtol=1e-5)
    slope = jax.grad(lambda p: jnp.sum(log_prob(p, 2.0)))(p).scale
    np.testing.assert_allclose(slope, -1 / scales + 2 / scales**2 * np.tanh(2 / scales), rtol=1e-5)


def test_entropy_of_a_wrapped_density_is_integrated():
    """Of a normal truncated at its mean: a half-normal, whose entropy is log(pi e / 2) / 2."""
    estimate = densities.entropy(made(lambda: dist.TruncatedNormal(0.0, 1.0, low=0.0)))
    assert estimate.method == "quadrature"
    np.testing.assert_allclose(estimate.value, 0.5 * np.log(np.pi * np.e / 2), rtol=1e-5)
