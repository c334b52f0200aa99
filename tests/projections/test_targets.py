"""What can be fitted besides a density: unnormalised ones, samples, functions of free parameters; and what cannot."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import scipy.stats

from jaxinfo.densities import ClosedForm, DoublyReparameterized, MonteCarlo, ScoreFunction, StickingTheLanding
from jaxinfo.distributions import Gamma, MultivariateNormal, Normal, Poisson, Transformed
from jaxinfo.distributions.bijectors import Affine
from jaxinfo.projections import (
    Alpha,
    ForwardKL,
    JensenShannon,
    Renyi,
    ReverseKL,
    Samples,
    SelfNormalizedImportance,
    UnnormalizedLogProb,
    fit,
    parameterized,
)
from tests.marks import once

DOUBLE = jnp.zeros(()).dtype == jnp.float64
CLOSE = 1e-8 if DOUBLE else 1e-4
ADAM = optax.adam(0.05, b1=0.5, b2=0.99, eps=0.1)
LOG_CONSTANT = 7.0


def log_density(centre, x):
    """A normal of deviation 2, times e^7."""
    return LOG_CONSTANT - 0.5 * ((x - centre) / 2) ** 2 - jnp.log(2 * jnp.sqrt(2 * jnp.pi))


def test_reverse_kl_does_not_ask_for_the_constant():
    """The optimum is the target itself, and the value minus the logarithm of the constant."""
    counts = []

    def spy(updates, state, params=None):
        counts.append(None)
        return ADAM.update(updates, state, params)

    optimizer = optax.GradientTransformation(ADAM.init, spy)
    seen = []
    for centre in (1.0, -2.0):
        target = UnnormalizedLogProb(jax.tree_util.Partial(log_density, jnp.asarray(centre)))
        options = {"optimizer": optimizer, "num_steps": 3000, "tolerance": CLOSE / 100}
        found = fit(target, Normal(jnp.array([0.0, 3.0]), 1.0), ReverseKL(), **options)
        np.testing.assert_allclose(found.optimum.loc, [centre] * 2, atol=CLOSE)
        np.testing.assert_allclose(found.optimum.scale, [2.0, 2.0], atol=CLOSE)
        np.testing.assert_allclose(found.value.value, [-LOG_CONSTANT] * 2, rtol=1e-12 if DOUBLE else 1e-6)
        seen.append(len(counts))
    # What a Partial carries is no part of the program.
    assert seen[0] == seen[1] > 0


@once
@pytest.mark.parametrize(
    ("divergence", "gradient"),
    [
        (ReverseKL(), StickingTheLanding()),
        (ReverseKL(), ScoreFunction()),
        (Renyi(0.5), None),
        (Renyi(0.5), DoublyReparameterized()),
        (Renyi(0.5), ScoreFunction()),
    ],
)
def test_draws_fit_an_unnormalised_target(divergence, gradient):
    """In five dimensions, where the target is in the family: optimum and value are known."""
    mean, scale = jnp.array([1.0, -1.0, 0.5, 0.0, 2.0]), jnp.array([0.5, 1.0, 2.0, 1.5, 1.0])

    def log_prob(x):
        white = (x - mean.reshape((1,) * (x.ndim - 1) + (5,))) / scale.reshape((1,) * (x.ndim - 1) + (5,))
        return LOG_CONSTANT - 0.5 * jnp.sum(jnp.square(white), axis=-1) - jnp.sum(jnp.log(scale))

    constant = LOG_CONSTANT + 2.5 * np.log(2 * np.pi)
    optimizer = optax.adam(optax.exponential_decay(0.05, 100, 0.6))
    method = MonteCarlo(jax.random.key(0), 256, gradient, control_variate=0.0)
    begin = MultivariateNormal.from_diagonal(jnp.zeros(5), jnp.ones(5))
    found = fit(UnnormalizedLogProb(log_prob), begin, divergence, optimizer=optimizer, num_steps=1000, method=method)
    # With path derivatives alone there is no noise at the optimum; the others leave some of a step's length.
    exact = isinstance(gradient, StickingTheLanding | DoublyReparameterized)
    np.testing.assert_allclose(found.optimum.loc, mean, atol=2e-3 if exact else 0.1)
    np.testing.assert_allclose(found.optimum.scale, scale, rtol=2e-3 if exact else 0.1)
    # D_a(p~‖q) has a / (a - 1) times the logarithm of the constant.
    factor = -1.0 if isinstance(divergence, ReverseKL) else 0.5 / (0.5 - 1)
    expected = factor * constant
    assert abs(float(found.value.value) - expected) < 4 * float(found.value.stderr) + (1e-3 if exact else 0.02)


@once
def test_weighted_draws_fit_forward_and_others():
    """Forward KL from an unnormalised target, with a proposal that covers it."""
    target = UnnormalizedLogProb(jax.tree_util.Partial(log_density, jnp.asarray(1.0)))
    method = SelfNormalizedImportance(jax.random.key(1), 2000, Normal(0.0, 4.0))
    optimizer = optax.adam(optax.exponential_decay(0.05, 100, 0.5))
    for divergence in (ForwardKL(), JensenShannon(0.5)):
        found = fit(target, Normal(0.0, 1.0), divergence, optimizer=optimizer, num_steps=600, method=method)
        np.testing.assert_allclose([found.optimum.loc, found.optimum.scale], [1.0, 2.0], atol=0.05)
        assert float(found.value.value) < 0.01
        assert bool(found.value.diagnostics["reliable"])


@pytest.mark.parametrize("divergence", [ForwardKL(), Alpha(0.5), JensenShannon(0.5), Renyi(2.0)])
def test_what_does_not_go_together_names_what_it_needs(divergence):
    options = {"optimizer": ADAM, "num_steps": 1}
    with pytest.raises(TypeError, match="SelfNormalizedImportance"):
        fit(UnnormalizedLogProb(lambda x: -(x**2)), Normal(0.0, 1.0), divergence, **options)


@once
@pytest.mark.parametrize("divergence", [ReverseKL(), Alpha(0.5)])
def test_samples_have_no_density(divergence):
    with pytest.raises(TypeError, match=r"Samples have none: use ForwardKL\(\)"):
        fit(Samples(jnp.ones(3)), Normal(0.0, 1.0), divergence, optimizer=ADAM, num_steps=1)


@once
def test_errors_of_samples_and_keys():
    options = {"optimizer": ADAM, "num_steps": 1}
    with pytest.raises(ValueError, match=r"Samples: x must .* event shape \(2,\), got shape \(3,\)"):
        fit(Samples(jnp.ones(3)), MultivariateNormal(jnp.zeros(2), jnp.eye(2)), ForwardKL(), **options)
    with pytest.raises(ValueError, match=r"weights have shape \(2,\)"):
        fit(Samples(jnp.ones(3), jnp.ones(2)), Normal(0.0, 1.0), ForwardKL(), **options)
    with pytest.raises(TypeError, match="ForwardKL of Samples"):
        fit(Samples(jnp.ones(3)), Normal(0.0, 1.0), ForwardKL(), method=ClosedForm(), **options)
    with pytest.raises(ValueError, match="key is for method=None"):
        fit(Normal(0.0, 1.0), Normal(1.0, 1.0), ForwardKL(), method=ClosedForm(), key=jax.random.key(0), **options)
    with pytest.raises(ValueError, match="num_samples"):
        SelfNormalizedImportance(jax.random.key(0), 1)
    three = MultivariateNormal(jnp.zeros(3), jnp.eye(3))
    with pytest.raises(ValueError, match="needs key="):
        fit(UnnormalizedLogProb(lambda x: -jnp.sum(x**2, -1)), three, ReverseKL(), **options)


def test_samples_are_fitted_by_likelihood():
    """A sweep over two sets, one weighted: the maximum is SciPy's, of repeated samples where weights are counts."""
    rng = np.random.default_rng(0)
    x = rng.gamma(2.0, 1.5, (2, 40))
    counts = np.stack([np.ones(40, int), rng.integers(0, 4, 40)])
    target = Samples(jnp.array(x), jnp.array(counts, jnp.zeros(()).dtype))
    found = fit(target, Gamma(1.0, 1.0), ForwardKL(), optimizer=ADAM, num_steps=6000, tolerance=CLOSE / 100)
    for row in range(2):
        repeated = np.repeat(x[row], counts[row])
        shape, _, scale = scipy.stats.gamma.fit(repeated, floc=0)
        # SciPy's own root finding stops at about 1e-6.
        np.testing.assert_allclose(found.optimum.concentration[row], shape, rtol=2e-5 if DOUBLE else 1e-3)
        np.testing.assert_allclose(found.optimum.rate[row], 1 / scale, rtol=2e-5 if DOUBLE else 1e-3)
        log_prob = scipy.stats.gamma.logpdf(repeated, shape, scale=scale)
        np.testing.assert_allclose(found.value.value[row], -np.mean(log_prob), rtol=1e-8 if DOUBLE else 1e-5)
    # The standard error of a mean, where all weights are alike.
    expected = np.std(scipy.stats.gamma.logpdf(x[0], *_parameters(found, 0)), ddof=1) / np.sqrt(40)
    np.testing.assert_allclose(found.value.stderr[0], expected, rtol=1e-4)


def _parameters(found, row):
    return float(found.optimum.concentration[row]), 0, 1 / float(found.optimum.rate[row])


@once
def test_batches_of_samples_and_integers():
    """Sixteen of a thousand counts at a time: the end is near the mean of all, which is the maximum."""
    x = jnp.asarray(np.random.default_rng(1).poisson(4.0, 1000))
    optimizer = optax.adam(optax.exponential_decay(0.1, 100, 0.5))
    method = MonteCarlo(jax.random.key(0), 16)
    found = fit(Samples(x), Poisson(1.0), ForwardKL(), optimizer=optimizer, num_steps=800, method=method)
    assert abs(float(found.optimum.rate) - float(jnp.mean(x.astype(float)))) < 0.2


class Affinity(nn.Module):
    """A flow of one layer, whose shift and scale a network makes of nothing."""

    @nn.compact
    def __call__(self):
        hidden = nn.tanh(nn.Dense(4, param_dtype=float)(jnp.ones(2)))
        shift, log_scale = nn.Dense(2, param_dtype=float)(hidden)
        return Transformed(Normal(jnp.zeros(()), jnp.ones(())), Affine(shift, jnp.exp(log_scale)))


def build(variables):
    return Affinity().apply(variables)


@once
def test_a_flax_module_is_a_family():
    """Three restarts of a network reach the target's mean and deviation, under both directions."""
    variables = jax.vmap(Affinity().init)(jax.random.split(jax.random.key(0), 3))
    begin = parameterized(build, variables, batch_ndim=1)
    assert begin.batch_shape == (3,)
    for divergence in (ForwardKL(), ReverseKL()):
        options = {"optimizer": ADAM, "num_steps": 2000, "tolerance": 1e-5}
        found = fit(Normal(1.5, 0.5), begin, divergence, **options)
        assert found.optimum.batch_shape == (3,)
        np.testing.assert_allclose(found.value.value, np.zeros(3), atol=1e-6)
        expected = scipy.stats.norm.logpdf([[1.0], [2.0]], 1.5, 0.5) * np.ones(3)
        np.testing.assert_allclose(found.optimum.log_prob(jnp.array([[1.0], [2.0]])), expected, atol=2e-3)
        assert found.optimum.sample(jax.random.key(1), (5,)).shape == (5, 3)
        np.testing.assert_allclose(found.optimum.mean, [1.5] * 3, atol=1e-3)


@once
def test_parameterized_checks_its_axes():
    with pytest.raises(ValueError, match="batch_ndim=1"):
        parameterized(build, {"a": 1.0}, batch_ndim=1)
    with pytest.raises(ValueError, match="do not broadcast"):
        parameterized(build, {"a": jnp.ones(2), "b": jnp.ones(3)}, batch_ndim=1)
