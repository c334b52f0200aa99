"""Every family can be fitted, and every exponential family is projected onto: to members whose place is known."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import scipy.optimize
import scipy.special

from jaxinfo import distributions as d
from jaxinfo.projections import ForwardKL, ReverseKL, Samples, fit, project
from tests.marks import once, slow_if
from tests.quick import quick_jit

DOUBLE = jnp.zeros(()).dtype == jnp.float64
ADAM = optax.adam(optax.exponential_decay(0.1, 200, 0.5))

# A target and a start of the same family: at the optimum they are the same, and the divergence is 0.
MEMBERS = {
    "Bernoulli": (d.Bernoulli(probs=0.8), d.Bernoulli(probs=0.3)),
    "Beta": (d.Beta(2.0, 3.0), d.Beta(1.0, 1.0)),
    "Binomial": (d.Binomial(7.0, 0.8), d.Binomial(7.0, 0.4)),
    "Categorical": (d.Categorical(probs=jnp.array([0.2, 0.5, 0.3])), d.Categorical(logits=jnp.zeros(3))),
    "Cauchy": (d.Cauchy(1.0, 2.0), d.Cauchy(0.0, 1.0)),
    "ChiSquared": (d.ChiSquared(4.0), d.ChiSquared(2.0)),
    "Dirichlet": (d.Dirichlet(jnp.array([1.0, 2.0, 3.0])), d.Dirichlet(jnp.ones(3))),
    "Exponential": (d.Exponential(3.0), d.Exponential(1.0)),
    "Gamma": (d.Gamma(3.0, 2.0), d.Gamma(1.0, 1.0)),
    "Geometric": (d.Geometric(0.7), d.Geometric(0.3)),
    "Gumbel": (d.Gumbel(1.0, 2.0), d.Gumbel(0.0, 1.0)),
    "HalfNormal": (d.HalfNormal(2.0), d.HalfNormal(1.0)),
    "InverseGamma": (d.InverseGamma(3.0, 2.0), d.InverseGamma(2.0, 1.0)),
    "InverseGaussian": (d.InverseGaussian(1.5, 2.0), d.InverseGaussian(1.0, 1.0)),
    "Laplace": (d.Laplace(1.0, 2.0), d.Laplace(0.0, 1.0)),
    "LogNormal": (d.LogNormal(1.0, 0.5), d.LogNormal(0.0, 1.0)),
    "MultivariateNormal": (
        d.MultivariateNormal(jnp.array([1.0, -1.0]), jnp.array([[1.0, 0.0], [0.5, 0.8]])),
        d.MultivariateNormal(jnp.zeros(2), jnp.eye(2)),
    ),
    "NegativeBinomial": (d.NegativeBinomial(4.0, 0.6), d.NegativeBinomial(4.0, 0.3)),
    "Normal": (d.Normal(1.0, 2.0), d.Normal(0.0, 1.0)),
    "Poisson": (d.Poisson(5.0), d.Poisson(1.0)),
    "VonMises": (d.VonMises(1.0, 2.0), d.VonMises(0.0, 1.0)),
    "VonMisesFisher": (
        d.VonMisesFisher(jnp.array([0.6, 0.8, 0.0]), 3.0),
        d.VonMisesFisher(jnp.array([0.0, 0.6, 0.8]), 1.0),
    ),
    "Weibull": (d.Weibull(2.0, 1.5), d.Weibull(1.0, 1.0)),
    "Wishart": (d.Wishart(5.0, jnp.array([[1.0, 0.0], [0.5, 0.8]])), d.Wishart(4.0, jnp.eye(2))),
}
PROJECTED = [name for name in MEMBERS if name not in ("Cauchy", "Gumbel", "Laplace", "Weibull")]


def parameters(member):
    """Those of the constructor; of a categorical, which has one too many, the probabilities."""
    return [jnp.exp(member.log_prob(jnp.arange(3)))] if isinstance(member, d.Categorical) else member.parameters()


@once
@pytest.mark.parametrize("name", MEMBERS)
def test_a_family_is_fitted_to_its_own(name):
    """By both directions, in closed form; a constant of the shape that no descent may move stays."""
    target, start = MEMBERS[name]

    def run(divergence):
        return fit(target, start, divergence, optimizer=ADAM, num_steps=1500)

    for found in quick_jit(lambda: [run(ForwardKL()), run(ReverseKL())])():
        assert found.value.method == "closed_form"
        assert float(found.value.value) < 1e-6
        for ours, exact in zip(parameters(found.optimum), parameters(target), strict=True):
            np.testing.assert_allclose(ours, exact, rtol=2e-3, atol=2e-3)


# A minute of compiling each: Newton's method on gradients of gamma functions and their kin.
LONG = ("Beta", "Dirichlet", "VonMisesFisher")


@once
@pytest.mark.parametrize("name", [pytest.param(name, marks=slow_if(name in LONG)) for name in PROJECTED])
def test_a_projection_onto_the_own_family_is_the_target(name):
    target, start = MEMBERS[name]
    found = project(target, start)
    for ours, exact in zip(parameters(found), parameters(target), strict=True):
        np.testing.assert_allclose(ours, exact, rtol=2e-5, atol=2e-5)


def gamma_of(mean, mean_log):
    """The concentration and the rate with these moments, by SciPy's root finding."""
    gap = np.log(mean) - mean_log
    shape = scipy.optimize.brentq(lambda a: np.log(a) - scipy.special.digamma(a) - gap, 1e-3, 1e4, xtol=1e-14)
    return shape, shape / mean


def test_projections_match_the_moments():
    """Of mixtures, whose moments are means of those of the components, and of samples."""
    close = {"rtol": 1e-9 if DOUBLE else 1e-4}
    weights, shapes, rates = np.array([0.3, 0.7]), np.array([2.0, 8.0]), np.array([1.0, 3.0])
    mixture = d.Mixture(jnp.array(weights), d.Gamma(jnp.array(shapes), jnp.array(rates)))
    mean = weights @ (shapes / rates)
    mean_log = weights @ (scipy.special.digamma(shapes) - np.log(rates))
    found = project(mixture, d.Gamma)
    np.testing.assert_allclose([found.concentration, found.rate], gamma_of(mean, mean_log), **close)
    np.testing.assert_allclose(project(mixture, d.Exponential).rate, 1 / mean, **close)
    x = np.array([0.5, 1.0, 4.0, 2.5])
    found = project(Samples(jnp.array(x)), d.Gamma)
    np.testing.assert_allclose([found.concentration, found.rate], gamma_of(x.mean(), np.log(x).mean()), **close)
    found = project(Samples(jnp.array(x), jnp.array([1.0, 1.0, 2.0, 0.0])), d.Normal)
    repeated = np.array([0.5, 1.0, 4.0, 4.0])
    np.testing.assert_allclose([found.loc, found.scale], [repeated.mean(), repeated.std()], **close)


@once
def test_projections_of_a_batch_and_of_vectors():
    separation = jnp.array([[1.0, 2.0, 3.0]])
    normals = d.Normal(jnp.stack([-separation, separation], axis=-1), 1.0)
    found = project(d.Mixture(jnp.array([0.5, 0.5]), normals), d.Normal)
    assert found.batch_shape == (1, 3)
    np.testing.assert_allclose(found.scale, np.sqrt(1 + np.asarray(separation) ** 2), rtol=1e-6)
    rates = d.Mixture(jnp.array([0.5, 0.5]), d.Exponential(jnp.array([[1.0, 2.0], [3.0, 5.0]])))
    # The mean of an exponential is one over its rate.
    np.testing.assert_allclose(project(rates, d.Exponential).rate, [1 / 0.75, 1 / (4 / 15)], rtol=1e-4)
    locs = jnp.array([[0.0, 2.0], [1.0, -1.0]])
    vectors = d.Mixture(jnp.array([0.25, 0.75]), d.MultivariateNormal(locs, jnp.stack([jnp.eye(2), 2 * jnp.eye(2)])))
    found = project(vectors, d.MultivariateNormal(jnp.zeros(2), jnp.eye(2)))
    np.testing.assert_allclose(found.mean, [0.75, -0.25], rtol=1e-6)
    # Within: 1/4 + 3/4 4 on the diagonal. Between: w (1 - w) times the square of the difference (1, -3).
    expected = 3.25 * np.eye(2) + 0.1875 * np.outer([1.0, -3.0], [1.0, -3.0])
    np.testing.assert_allclose(found.covariance, expected, rtol=1e-5)
    diagonal = project(vectors, d.MultivariateNormal.from_diagonal(jnp.zeros(2), jnp.ones(2)))
    np.testing.assert_allclose(diagonal.variance, np.diag(expected), rtol=1e-5)


@once
@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((d.Normal(0.0, 1.0), d.Cauchy), TypeError, "Cauchy is no exponential family"),
        ((d.Normal(0.0, 1.0), d.Dirichlet), ValueError, "Dirichlet needs a member"),
        ((d.Normal(0.0, 1.0), d.Normal(jnp.zeros(2), 1.0)), ValueError, "without a batch"),
        ((3.0, d.Normal), TypeError, r"target must be .*3\.0"),
    ],
)
def test_errors_of_projections(arguments, error, message):
    with pytest.raises(error, match=message):
        project(*arguments)


@functools.cache
def library_fit():
    """Normals of vectors by draws: reverse KL onto independent coordinates has the inverse precisions."""
    covariance = np.array([[1.0, 0.8], [0.8, 2.0]])
    target = d.MultivariateNormal.from_covariance(jnp.array([1.0, -1.0]), jnp.array(covariance))
    start = d.MultivariateNormal.from_diagonal(jnp.zeros(2), jnp.ones(2))
    return covariance, fit(target, start, ReverseKL(), optimizer=ADAM, num_steps=1500)


@once
def test_a_factorised_fit_of_a_correlated_normal():
    covariance, found = library_fit()
    precisions = np.diag(np.linalg.inv(covariance))
    np.testing.assert_allclose(found.optimum.variance, 1 / precisions, rtol=1e-3)
    # KL is the total correlation of the target.
    expected = -0.5 * np.log(1 - 0.8**2 / 2)
    assert float(found.value.value) == pytest.approx(expected, rel=1e-5)
    assert jax.tree.leaves(found.value.stderr)[0] == 0
