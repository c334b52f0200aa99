"""Means over draws: their error bars, their gradients, and when they say that they cannot be trusted."""

import functools
import math

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from jaxinfo import densities
from jaxinfo.densities import (
    DoublyReparameterized,
    MonteCarlo,
    Quadrature,
    Reparameterized,
    ScoreFunction,
    StickingTheLanding,
)
from jaxinfo.densities._pareto import tail_shape, tail_size
from jaxinfo.distributions import Mixture, Normal
from tests.densities.doubles import Coin, Plane, Poisson, StudentT, Uniform
from tests.marks import slow_if

# How an estimate scatters does not hang on the precision.
pytestmark = slow_if(jax.config.jax_enable_x64)

KEY = jax.random.key(20)
EPS = float(jnp.finfo(jnp.zeros(())).eps)
GRADIENTS = (Reparameterized(), StickingTheLanding(), ScoreFunction(), DoublyReparameterized())


def covers(estimate, truth, errors=4.0):
    distance = np.abs(np.asarray(estimate.value, np.float64) - np.asarray(truth, np.float64))
    return bool(np.all(distance <= errors * np.asarray(estimate.stderr, np.float64) + 1e-6 * np.abs(truth)))


@functools.cache
def repeats(measure):
    """A thousand estimates from 1024 draws each, in one call."""
    p = Mixture(jnp.array([0.3, 0.7]), Normal(jnp.array([-2.0, 1.0]), jnp.array([0.5, 1.0])))
    q = Normal(0.0, 2.0)
    arguments = (p,) if measure == "entropy" else (p, q)
    verb = getattr(densities, measure)
    estimates = jax.jit(jax.vmap(lambda key: verb(*arguments, method=MonteCarlo(key, 1024))))
    return estimates(jax.random.split(KEY, 1000)), verb(*arguments, method=Quadrature())


@pytest.mark.parametrize("measure", ["entropy", "kl_divergence", "jensen_shannon_divergence"])
def test_intervals_cover_the_truth_as_often_as_they_say(measure):
    """At 95 %, 1000 repeats have a deviation of 0.7 %."""
    estimates, truth = repeats(measure)
    quantile = scipy.stats.norm.ppf(0.975)
    covered = np.abs(np.asarray(estimates.value) - float(truth.value)) <= quantile * np.asarray(estimates.stderr)
    assert 0.93 <= covered.mean() <= 0.97
    assert np.mean(estimates.diagnostics["reliable"]) > 0.9


def test_the_diagnostic_fires_on_heavy_tails():
    """Under a Cauchy distribution the logarithm of a normal density has no variance, and no mean either."""
    p = StudentT(jnp.asarray(1.5), jnp.asarray(0.0), jnp.asarray(1.0))
    run = jax.jit(jax.vmap(lambda key: densities.kl_divergence(p, Normal(0.0, 1.0), method=MonteCarlo(key, 2048))))
    estimates = run(jax.random.split(KEY, 100))
    assert np.mean(estimates.diagnostics["reliable"]) < 0.02
    assert np.median(estimates.diagnostics["pareto_k"]) == pytest.approx(4 / 3, abs=0.3)


def test_blocks_are_one_sample():
    """Streaming in blocks is a mean over other draws, with the same error; the last block may be a part."""
    p, q = Normal(0.0, 1.0), Normal(jnp.array([0.5, 0.25]), 0.75)
    whole = densities.kl_divergence(p, q, method=MonteCarlo(KEY, 20_000))
    blocks = densities.kl_divergence(p, q, method=MonteCarlo(KEY, 20_000, block_size=3000))
    truth = densities.kl_divergence(p, q).value
    assert covers(whole, truth)
    assert covers(blocks, truth)
    np.testing.assert_allclose(whole.stderr, blocks.stderr, rtol=0.05)
    np.testing.assert_allclose(
        whole.diagnostics["effective_sample_size"], blocks.diagnostics["effective_sample_size"], rtol=0.1
    )
    np.testing.assert_allclose(whole.diagnostics["pareto_k"], blocks.diagnostics["pareto_k"], atol=0.15)
    assert blocks.method == "monte_carlo"


def test_memory_does_not_grow_with_the_number_of_draws():
    """A hundred million draws, differentiated: compiled, and not run."""

    def value(loc):
        method = MonteCarlo(KEY, 100_000_000, block_size=2**14)
        return densities.kl_divergence(Normal(loc, 1.0), Normal(1.0, 2.0), method=method).value

    memory = jax.jit(jax.grad(value)).lower(jnp.asarray(0.0)).compile().memory_analysis()
    assert memory.temp_size_in_bytes < 100e6


def test_moments_of_blocks_are_those_of_all():
    """The entropy of a uniform distribution has no variance, that of a normal one half a unit."""
    uniform = densities.entropy(
        Uniform(jnp.asarray(0.0), jnp.asarray(4.0)), method=MonteCarlo(KEY, 1000, block_size=64)
    )
    assert float(uniform.value) == pytest.approx(math.log(4), rel=8 * EPS)
    assert float(uniform.stderr) <= 8 * EPS
    normal = densities.entropy(Normal(0.0, 1.0), method=MonteCarlo(KEY, 30_000, block_size=1000))
    assert float(normal.stderr) == pytest.approx(math.sqrt(0.5 / 30_000), rel=0.05)


def test_the_coefficient_is_measured():
    """Near densities take the always positive form; a wide q, whose ratio has no variance, the plain one."""
    p = Normal(0.0, 1.0)
    q = Normal(jnp.array([0.0, 2.0**-8, 1.0]), jnp.array([1.0, 1.0, 2.0]))
    errors = {c: np.asarray(kl(p, q, c).stderr) for c in (None, 0.0, 1.0)}
    estimate = kl(p, q, None)
    coefficient = np.asarray(estimate.diagnostics["control_variate"])
    assert coefficient[0] == 1
    assert coefficient[1] > 0.95
    assert coefficient[2] == 0
    assert float(estimate.value[0]) == 0
    assert errors[None][1] < 0.02 * errors[0.0][1]
    assert errors[None][2] < 0.2 * errors[1.0][2]
    assert covers(estimate, densities.kl_divergence(p, q).value)


def kl(p, q, control_variate):
    return densities.kl_divergence(p, q, method=MonteCarlo(KEY, 10_000, control_variate=control_variate))


def test_mass_of_q_where_p_has_none_is_not_lost():
    """r - 1 has not the mean zero there: the coefficient is 0, and KL is log 2."""
    p = Uniform(jnp.asarray(0.0), jnp.asarray(1.0))
    estimate = kl(p, Uniform(jnp.asarray(0.0), jnp.asarray(2.0)), None)
    assert float(estimate.value) == pytest.approx(math.log(2), rel=64 * EPS)
    infinite = kl(Uniform(jnp.asarray(0.0), jnp.asarray(2.0)), p, None)
    assert float(infinite.value) == math.inf
    assert not bool(infinite.diagnostics["reliable"])


def value_of(free, method):
    return densities.kl_divergence(Normal(free[0], free[1]), Normal(free[2], free[3]), method=method).value


@functools.cache
def gradients(gradient):
    free = jnp.array([0.3, 1.0, 0.0, 1.5])
    values, slopes = jax.jit(jax.vmap(lambda key: jax.value_and_grad(value_of)(free, MonteCarlo(key, 500, gradient))))(
        jax.random.split(KEY, 400)
    )
    return np.asarray(values), np.asarray(slopes), np.asarray(jax.grad(value_of)(free, densities.ClosedForm()))


@pytest.mark.parametrize("gradient", GRADIENTS)
def test_gradients_are_right_on_average(gradient):
    _, slopes, exact = gradients(gradient)
    error = slopes.std(axis=0) / math.sqrt(len(slopes))
    assert np.all(np.abs(slopes.mean(axis=0) - exact) <= 4 * error)


def test_the_gradient_does_not_change_the_value():
    values = [gradients(gradient)[0] for gradient in GRADIENTS]
    for other in values[1:]:
        np.testing.assert_array_equal(other, values[0])


def test_sticking_the_landing_has_no_variance_at_equality():
    """Nor does the reparameterised gradient there, with the control variate; without it, it does."""
    equal = jnp.array([0.3, 1.5, 0.3, 1.5])
    slope = jax.grad(value_of)
    np.testing.assert_array_equal(slope(equal, MonteCarlo(KEY, 500, StickingTheLanding())), np.zeros(4))
    plain = slope(equal, MonteCarlo(KEY, 500, Reparameterized(), control_variate=0.0))
    assert np.max(np.abs(plain)) > 1e-3


def bounded(free, method):
    p, q = Normal(free[0], free[1]), Normal(free[2], free[3])
    return densities.alpha_divergence(p, q, 0.5, method=method).value


@pytest.mark.parametrize("gradient", [Reparameterized(), ScoreFunction(), DoublyReparameterized()])
def test_gradients_of_other_divergences(gradient):
    free = jnp.array([0.3, 1.0, 0.0, 1.25])
    slopes = jax.jit(jax.vmap(lambda key: jax.grad(bounded)(free, MonteCarlo(key, 500, gradient))))(
        jax.random.split(KEY, 400)
    )
    exact = jax.grad(bounded)(free, Quadrature(num_rounds=0))
    error = np.std(slopes, axis=0) / math.sqrt(len(slopes))
    assert np.all(np.abs(np.mean(slopes, axis=0) - np.asarray(exact)) <= 4 * error)


@pytest.mark.parametrize("gradient", GRADIENTS)
def test_gradients_in_the_weights_of_a_mixture(gradient):
    """Draws cannot be differentiated in them; their score can."""

    def value(logits, method):
        p = Mixture(jax.nn.softmax(logits), Normal(jnp.array([-2.0, 1.0]), jnp.array([0.5, 1.0])))
        return densities.kl_divergence(p, Normal(0.0, 2.0), method=method).value

    logits = jnp.array([0.3, -0.4])
    slopes = jax.jit(jax.vmap(lambda key: jax.grad(value)(logits, MonteCarlo(key, 500, gradient))))(
        jax.random.split(KEY, 100)
    )
    error = np.std(slopes, axis=0) / math.sqrt(len(slopes))
    exact = jax.grad(value)(logits, Quadrature(num_rounds=0))
    assert np.all(np.abs(np.mean(slopes, axis=0) - np.asarray(exact)) <= 4 * error)


def test_vectors_and_batches():
    factor = jnp.array([[1.0, 0.0], [0.8, 0.6]])
    p, q = Plane(jnp.zeros((3, 1, 2)), factor), Plane(jnp.array([[0.0, 0.0], [1.0, 0.0]]), 2 * factor)
    estimate = densities.kl_divergence(p, q, method=MonteCarlo(KEY, 20_000))
    assert estimate.value.shape == (3, 2)
    # The mean is off by d with d^T (4 C)^-1 d: C = factor factor^T, whose inverse has 1 / 0.36 in front.
    base = math.log(4) - 1 + 0.25
    assert covers(estimate, np.broadcast_to([base, base + 0.125 / 0.36], (3, 2)))


def test_draws_of_integers_take_the_score_function():
    def value(rate, method):
        return densities.kl_divergence(Poisson(rate), Poisson(jnp.asarray(4.0)), method=method).value

    rate = jnp.asarray(3.0)
    slopes = jax.vmap(lambda key: jax.grad(value)(rate, MonteCarlo(key, 1000)))(jax.random.split(KEY, 50))
    error = np.std(slopes) / math.sqrt(50)
    assert abs(np.mean(slopes) - math.log(3 / 4)) <= 4 * error


@pytest.mark.parametrize("shape", [0.2, 0.5, 1.0])
def test_the_shape_of_a_pareto_tail(shape):
    draws = np.random.default_rng(1).pareto(1 / shape, (20_000, 8)) + 1
    largest = np.sort(np.log(draws), axis=0)[-(tail_size(20_000) + 1) :]
    np.testing.assert_allclose(np.mean(tail_shape(jnp.asarray(largest))), shape, atol=0.1)


def test_what_has_no_tail():
    assert float(tail_shape(jnp.zeros(100))) == -math.inf
    assert float(tail_shape(jnp.full(100, -jnp.inf))) == -math.inf
    assert float(tail_shape(jnp.zeros(100).at[-1].set(jnp.inf))) == math.inf


def test_nothing_compiles_twice():
    @jax.jit
    @chex.assert_max_traces(n=1)
    def value(key, q):
        return densities.kl_divergence(Normal(0.0, 1.0), q, method=MonteCarlo(key, 100)).value

    for seed in (0, 1):
        value(jax.random.key(seed), Normal(jnp.asarray(float(seed)), jnp.asarray(1.0)))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: MonteCarlo(KEY, 1), ValueError, "num_samples .*1"),
        (lambda: MonteCarlo(KEY, 10, block_size=1), ValueError, "block_size .*1"),
        (lambda: MonteCarlo(KEY, 10, gradient="score"), ValueError, "gradient .*'score'"),
        (lambda: MonteCarlo(KEY, 10, control_variate=2.0), ValueError, r"control_variate .*2\.0"),
        (
            lambda: densities.entropy(Poisson(jnp.asarray(1.0)), method=MonteCarlo(KEY, 10, Reparameterized())),
            TypeError,
            "integers",
        ),
        (
            lambda: densities.hellinger_distance(
                Normal(0.0, 1.0), Normal(1.0, 1.0), method=MonteCarlo(KEY, 10, StickingTheLanding())
            ),
            TypeError,
            "StickingTheLanding",
        ),
        (lambda: densities.entropy(Coin(jnp.asarray(0.5)), method=MonteCarlo(KEY, 10)), TypeError, "Coin.*sample"),
        (
            lambda: densities.entropy(Normal(0.0, 1.0), method=MonteCarlo(KEY, 10), key=KEY),
            ValueError,
            "key is for method=None",
        ),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
