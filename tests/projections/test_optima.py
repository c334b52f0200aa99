"""The distinct optima of a fit with restarts, and the pair of functions below it."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxinfo.densities import MonteCarlo, Quadrature, ScoreFunction
from jaxinfo.distributions import Mixture, MultivariateNormal, Normal
from jaxinfo.projections import ForwardKL, ReverseKL, Samples, fit, init, step
from tests.marks import once
from tests.projections import truth

ADAM = optax.adam(0.05, b1=0.5, b2=0.99, eps=0.1)
PANELS = Quadrature(num_rounds=0)
LOG_TARGET = truth.log_mixture((0.5, 0.5), (-3.0, 3.0), (1.0, 1.0))


def target():
    return Mixture(jnp.array([0.5, 0.5]), Normal(jnp.array([-3.0, 3.0]), 1.0))


def curvatures(mean, scale, step_size=1e-3):
    """The eigenvalues of the Hessian in the mean and the logarithm of the deviation, by differences."""

    def value(free):
        return truth.reverse_kl(LOG_TARGET, truth.log_normal_density(free[0], np.exp(free[1])))

    at, h, units = np.array([mean, np.log(scale)]), step_size, np.eye(2)
    hessian = [
        [
            (value(at + h * (a + b)) - value(at + h * (a - b)) - value(at - h * (a - b)) + value(at - h * (a + b)))
            / (4 * h * h)
            for a in units
        ]
        for b in units
    ]
    return np.linalg.eigvalsh(np.array(hessian))


@once
def test_local_optima_are_distinct_and_say_what_they_are():
    """Two modes and the covering minimum between them, and their saddle, where a descent that starts on it stays."""
    starts = Normal(jnp.array([-4.0, -3.0, 0.0, 0.5, 0.0, 3.0]), jnp.array([1.0, 0.5, 1.0, 2.0, 4.0, 1.0]))
    options = {"optimizer": ADAM, "num_steps": 3000, "method": PANELS, "tolerance": 3e-6}
    found = fit(target(), starts, ReverseKL(), **options)
    optima = found.local_optima(target(), ReverseKL(), method=PANELS)
    assert [optimum.kind for optimum in optima] == ["minimum"] * 3
    assert [round(optimum.share * 6) for optimum in optima] == [2, 1, 3]
    assert [optimum.is_global for optimum in optima] == [True, True, False]
    for optimum, start in zip(optima, ((-3, 1), (3, 1), (0, 2.5)), strict=True):
        mean, scale, value = truth.optimum(truth.reverse_kl, LOG_TARGET, start)
        np.testing.assert_allclose([optimum.distribution.loc, optimum.distribution.scale], [mean, scale], atol=1e-3)
        np.testing.assert_allclose(optimum.value.value, value, atol=1e-5)
        np.testing.assert_allclose(optimum.hessian_eigenvalues, curvatures(mean, scale), rtol=2e-3)
    with pytest.raises(ValueError, match="one target at a time"):
        found.local_optima(Normal(jnp.zeros(2), 1.0), ReverseKL())
    drawn = MonteCarlo(jax.random.key(0), 100, ScoreFunction())
    with pytest.raises(TypeError, match="ScoreFunction"):
        found.local_optima(target(), ReverseKL(), method=drawn)


@pytest.mark.slow
def test_ends_are_compared_as_densities():
    """The components of a mixture may come in either order: one optimum."""
    goal = Mixture(jnp.array([0.5, 0.5]), Normal(jnp.array([-3.0, 3.0]), 1.0))
    starts = Mixture(jnp.array([0.5, 0.5]), Normal(jnp.array([[-2.0, 2.0], [2.0, -2.0]]), 1.0))
    found = fit(goal, starts, ForwardKL(), optimizer=ADAM, num_steps=2000, method=PANELS, tolerance=1e-5)
    assert bool(jnp.all(found.converged))
    optima = found.local_optima(goal, ForwardKL(), method=PANELS)
    assert [optimum.share for optimum in optima] == [1.0]


@once
def test_what_is_not_read_is_not_degenerate():
    """A full covariance is free in a square matrix, of which the part above the diagonal means nothing.

    Where q is a standard normal target the Hessian is Fisher's information: 1 for a mean and for what is below the
    diagonal, 2 for the logarithm of a scale.
    """
    goal = MultivariateNormal(jnp.zeros(2), jnp.eye(2))
    found = fit(goal, MultivariateNormal(jnp.zeros((1, 2)), jnp.eye(2)[None]), ReverseKL(), optimizer=ADAM, num_steps=0)
    (optimum,) = found.local_optima(goal, ReverseKL())
    assert optimum.kind == "minimum"
    np.testing.assert_allclose(optimum.hessian_eigenvalues, [1, 1, 1, 2, 2], rtol=1e-5)


@once
def test_the_pair_takes_the_steps_of_a_fit():
    start = Normal(1.0, 1.5)
    whole = fit(target(), start, ReverseKL(), optimizer=ADAM, num_steps=20, method=PANELS)

    def body(state, _):
        return step(state, target(), ReverseKL(), optimizer=ADAM, method=PANELS), None

    begin = init(target(), start, ReverseKL(), optimizer=ADAM, method=PANELS)
    state, _ = jax.jit(lambda state: jax.lax.scan(body, state, length=20))(begin)
    np.testing.assert_allclose(state.distribution.loc, whole.optimum.loc, rtol=1e-5)
    np.testing.assert_allclose(state.distribution.scale, whole.optimum.scale, rtol=1e-5)
    np.testing.assert_allclose(state.value, whole.value.value, rtol=1e-5)
    np.testing.assert_allclose(state.gradient_norm, whole.gradient_norm, rtol=1e-3)
    assert int(state.num_steps) == 20


@once
def test_each_step_may_have_a_batch_of_its_own():
    """Plain descent along the likelihood's gradient at the batch of the step before."""
    batches = jnp.array([[0.0, 2.0], [4.0, 6.0], [1.0, 1.0]])
    sgd = optax.inject_hyperparams(optax.sgd)(learning_rate=9.0)
    options = {"optimizer": sgd}
    state = init(Samples(batches[0]), Normal(0.0, 1.0), ForwardKL(), hyperparams={"learning_rate": 0.5}, **options)
    for batch in batches[1:]:
        state = step(state, Samples(batch), ForwardKL(), **options)
    # d/d mean is (mean - mean of x) / variance, and d/d log s is 1 - mean square / variance.
    mean, log_scale = 0.0, 0.0
    for x in np.asarray(batches[:2]):
        variance = np.exp(2 * log_scale)
        slopes = (mean - x.mean()) / variance, 1 - np.mean((x - mean) ** 2) / variance
        mean, log_scale = mean - 0.5 * slopes[0], log_scale - 0.5 * slopes[1]
    np.testing.assert_allclose(state.distribution.loc, mean, rtol=1e-5)
    np.testing.assert_allclose(state.distribution.scale, np.exp(log_scale), rtol=1e-5)
    with pytest.raises(ValueError, match="without a batch"):
        init(Samples(batches[0]), Normal(jnp.zeros(2), 1.0), ForwardKL(), **options)
