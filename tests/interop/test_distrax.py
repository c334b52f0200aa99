"""distrax's distributions are ours by another name, or densities."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxinfo import densities, distributions, interop
from jaxinfo.distributions._supports import Interval
from tests.interop.foreign import Case, Wrapped, check_conversions, check_shapes, check_wrapped, library, made

distrax = library("distrax")
# What it asks of JAX may be on its way out, or not be there in single precision.
pytestmark = pytest.mark.filterwarnings("ignore")

INF = float("inf")
REALS = [-2.5, 0.3, 4.0]
POSITIVES = [0.2, 1.0, 3.7]
UNIT = [0.1, 0.5, 0.95]
PROBS = [0.2, 0.3, 0.5]
MATRIX = [[2.0, 0.3], [0.3, 1.0]]
VECTORS = [[0.0, 0.5], [2.0, -1.0]]
LOGITS = [0.5, -1.0, 2.0]


def full(matrix=MATRIX):
    return jnp.ones(2), jnp.array(matrix)


CASES = {
    "bernoulli of logits": Case(lambda: distrax.Bernoulli(logits=0.7), "Bernoulli", [0, 1]),
    "bernoulli of probs": Case(lambda: distrax.Bernoulli(probs=0.7), "Bernoulli", [0, 1]),
    "beta": Case(lambda: distrax.Beta(2.0, 0.5), "Beta", UNIT),
    "categorical of logits": Case(lambda: distrax.Categorical(logits=jnp.array(LOGITS)), "Categorical", [0, 2]),
    "categorical of probs": Case(lambda: distrax.Categorical(probs=jnp.array(PROBS)), "Categorical", [0, 2]),
    "dirichlet": Case(lambda: distrax.Dirichlet(jnp.array([0.5, 2.0, 3.0])), "Dirichlet", PROBS),
    "epsilon-greedy": Case(lambda: distrax.EpsilonGreedy(jnp.array(LOGITS), 0.1), "Categorical", [0, 2]),
    "gamma": Case(lambda: distrax.Gamma(2.0, 3.0), "Gamma", POSITIVES),
    "gumbel": Case(lambda: distrax.Gumbel(0.5, 2.0), "Gumbel", REALS),
    "independent": Case(
        lambda: distrax.Independent(distrax.Normal(jnp.zeros((2, 3)), 2.0), 1), "Independent", [REALS, REALS]
    ),
    "laplace": Case(lambda: distrax.Laplace(0.5, 2.0), "Laplace", REALS),
    "logistic": Case(lambda: distrax.Logistic(0.5, 2.0), "Logistic", REALS),
    "mixture of one family": Case(
        lambda: distrax.MixtureSameFamily(
            distrax.Categorical(logits=jnp.array([0.0, 1.0])), distrax.Normal(jnp.array([-1.0, 2.0]), 1.5)
        ),
        "Mixture",
        REALS,
    ),
    "mixture of two": Case(
        lambda: distrax.MixtureOfTwo(0.3, distrax.Normal(0.0, 1.0), distrax.Laplace(1.0, 2.0)), "Mixture", REALS
    ),
    "multinomial of logits": Case(lambda: distrax.Multinomial(4, logits=jnp.array(LOGITS)), "Multinomial", [1, 2, 1]),
    "multinomial of probs": Case(lambda: distrax.Multinomial(4, probs=jnp.array(PROBS)), "Multinomial", [1, 2, 1]),
    "diagonal normal": Case(
        lambda: distrax.MultivariateNormalDiag(jnp.ones(2), jnp.array([0.5, 2.0])), "MultivariateNormal", VECTORS
    ),
    "low-rank normal": Case(
        lambda: distrax.MultivariateNormalDiagPlusLowRank(
            jnp.ones(2), jnp.array([0.5, 2.0]), jnp.array([[1.0], [2.0]])
        ),
        "MultivariateNormal",
        VECTORS,
    ),
    "full normal": Case(lambda: distrax.MultivariateNormalFullCovariance(*full()), "MultivariateNormal", VECTORS),
    "lower normal": Case(lambda: distrax.MultivariateNormalTri(*full()), "MultivariateNormal", VECTORS),
    "upper normal": Case(lambda: distrax.MultivariateNormalTri(*full(), is_lower=False), "MultivariateNormal", VECTORS),
    "normal": Case(lambda: distrax.Normal(0.5, 2.0), "Normal", REALS),
    "normal of a log-scale": Case(lambda: distrax.LogStddevNormal(0.5, 0.7), "Normal", REALS),
    "one hot": Case(
        lambda: distrax.OneHotCategorical(logits=jnp.array(LOGITS)), "Multinomial", [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    ),
    "softmax": Case(lambda: distrax.Softmax(jnp.array(LOGITS), 2.0), "Categorical", [0, 2]),
    "transformed": Case(
        lambda: distrax.Transformed(
            distrax.Normal(0.0, 1.0), distrax.Chain([distrax.Tanh(), distrax.ScalarAffine(0.5, 2.0)])
        ),
        "Transformed",
        [-0.5, 0.3],
    ),
    "uniform": Case(lambda: distrax.Uniform(-1.0, 3.0), "Uniform", [-0.5, 1.0, 2.5]),
    "von mises": Case(lambda: distrax.VonMises(0.5, 2.0), "VonMises", [-1.0, 0.3, 2.5]),
}

WRAPPED = {
    # The map is a function that says nothing of itself.
    "image under a function": Wrapped(
        lambda: distrax.Transformed(distrax.Normal(0.0, 1.0), distrax.Lambda(jnp.exp)), POSITIVES, Interval(0.0, INF)
    ),
    "quantized": Wrapped(lambda: distrax.Quantized(distrax.Normal(0.0, 2.0), low=-3, high=3), [-1.0, 2.0], None),
    "flow": Wrapped(
        lambda: distrax.Transformed(
            distrax.MultivariateNormalDiag(jnp.zeros(2), jnp.ones(2)), distrax.Block(distrax.Tanh(), 1)
        ),
        [[0.1, 0.4]],
        None,
    ),
}


def test_conversions():
    check_conversions(CASES)


def test_shapes():
    check_shapes(CASES)


def test_wrapped():
    check_wrapped(WRAPPED)


def test_objects_pass_through_jit_vmap_and_grad():
    locs = jnp.array([0.0, 1.0, 3.0])
    p, q = made(lambda: distrax.Normal(locs, jnp.full(3, 2.0))), made(lambda: distrax.Normal(0.5, 1.5))
    kl = lambda p, q: densities.kl_divergence(p, q).value  # noqa: E731
    expected = kl(distributions.Normal(locs, 2.0), distributions.Normal(0.5, 1.5))
    np.testing.assert_allclose(jax.jit(kl)(p, q), expected, rtol=1e-6)
    np.testing.assert_allclose(jax.vmap(lambda p: kl(p, q))(p), expected, rtol=1e-6)
    slope = jax.grad(lambda loc: jnp.sum(kl(made(lambda: distrax.Normal(loc, jnp.full(3, 2.0))), q)))(locs)
    np.testing.assert_allclose(slope, (locs - 0.5) / 2.25, rtol=1e-6)


def test_entropy_of_an_image_under_a_function_is_integrated():
    """Of a log-normal: loc + 1/2 + log(scale sqrt(2 pi))."""
    image = made(lambda: distrax.Transformed(distrax.Normal(0.3, 0.5), distrax.Lambda(jnp.exp)))
    estimate = densities.entropy(interop.as_distribution(image))
    np.testing.assert_allclose(estimate.value, 0.3 + 0.5 + np.log(0.5 * np.sqrt(2 * np.pi)), rtol=1e-4)
