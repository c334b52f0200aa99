"""Every divergence: its value, and the optimum that a fit under it ends at, against SciPy's."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxinfo import generators
from jaxinfo.densities import MonteCarlo, Quadrature
from jaxinfo.distributions import Mixture, Normal
from jaxinfo.projections import (
    Alpha,
    ChiSquared,
    FDivergence,
    ForwardKL,
    Hellinger,
    Jeffreys,
    JensenShannon,
    Renyi,
    ReverseKL,
    SelfNormalizedImportance,
    TotalVariation,
    fit,
)
from tests.marks import once
from tests.projections import truth
from tests.quick import quick_jit

DOUBLE = jnp.zeros(()).dtype == jnp.float64
WEIGHTS, MEANS, SCALES = (0.4, 0.6), (-1.5, 1.0), (0.8, 1.2)
LOG_TARGET = truth.log_mixture(WEIGHTS, MEANS, SCALES)
# One object: a new one would be a new program to compile. Plain descent once gradients are small, which then vanish.
ADAM = optax.adam(0.05, b1=0.5, b2=0.99, eps=0.1)
# What follows the densities is enough here; refining would be compiled for nothing.
PANELS = Quadrature(num_rounds=0)

CASES = {
    "forward KL": (ForwardKL(), truth.forward_kl),
    "reverse KL": (ReverseKL(), truth.reverse_kl),
    "Jeffreys": (Jeffreys(), truth.jeffreys),
    "Jensen-Shannon": (JensenShannon(0.3), truth.jensen_shannon(0.3)),
    "alpha": (Alpha(0.7), truth.alpha(0.7)),
    "Rényi": (Renyi(0.5), truth.renyi(0.5)),
    "chi-squared": (ChiSquared(), truth.chi_squared),
    "Hellinger": (Hellinger(), truth.squared_hellinger),
    "triangular": (FDivergence(generators.triangular_discrimination()), truth.triangular),
    "total variation": (TotalVariation(), truth.total_variation),
}
by_divergence = pytest.mark.parametrize("name", CASES)


def target():
    return Mixture(jnp.array(WEIGHTS), Normal(jnp.array(MEANS), jnp.array(SCALES)))


@by_divergence
def test_value(name):
    divergence, exact = CASES[name]
    means, scales = np.array([0.5, -1.0, 0.25]), np.array([2.0, 1.5, 1.75])
    expected = [exact(LOG_TARGET, truth.log_normal_density(*pair)) for pair in zip(means, scales, strict=True)]
    value = divergence.estimate(target(), Normal(jnp.array(means), jnp.array(scales))).value
    # Kinks, where the densities cross, are what panels halved eight times leave of the total variation.
    np.testing.assert_allclose(value, expected, rtol=2e-4 if "total" in name else 1e-10 if DOUBLE else 1e-5)


def fitted(divergence):
    """From one start; what the flattest direction, of curvature 0.1, leaves open is a few times the tolerance."""
    tolerance = 1e-10 if DOUBLE else 2e-6
    found = fit(
        target(), Normal(0.0, 1.5), divergence, optimizer=ADAM, num_steps=4000, tolerance=tolerance, method=PANELS
    )
    return [float(leaf) for leaf in (found.optimum.loc, found.optimum.scale, found.value.value)], bool(found.converged)


@pytest.mark.parametrize("name", [name for name in CASES if name != "total variation"])
def test_optimum(name):
    divergence, exact = CASES[name]
    ours, converged = fitted(divergence)
    expected = truth.optimum(exact, LOG_TARGET, (0.0, 1.5))
    # Nelder and Mead's simplex knows a minimum to the square root of a double's rounding.
    np.testing.assert_allclose(ours[:2], expected[:2], atol=1e-7 if DOUBLE else 1e-4)
    np.testing.assert_allclose(ours[2], expected[2], atol=1e-10 if DOUBLE else 1e-5)
    assert converged


@once
def test_optimum_of_the_total_variation():
    """No panels are refined where the densities cross, and SciPy's grid has steps of 1/200."""
    divergence, exact = CASES["total variation"]
    ours, _ = fitted(divergence)
    expected = truth.optimum(exact, LOG_TARGET, (0.0, 1.5))
    np.testing.assert_allclose(ours[:2], expected[:2], atol=3e-2)
    assert ours[2] == pytest.approx(expected[2], rel=1e-3)


@once
def test_orders_and_weights_are_a_sweep():
    """One program for all of them, and for other ones; the limits are the two directions of KL."""
    traces = []

    def spy(updates, state, params=None):
        traces.append(None)
        return ADAM.update(updates, state, params)

    optimizer = optax.GradientTransformation(ADAM.init, spy)
    for alphas in (np.array([0.0, 0.3, 1.0, 1.5]), np.array([0.1, 0.4, 0.6, 2.0])):
        count = len(traces)
        options = {"optimizer": optimizer, "num_steps": 2000, "method": PANELS, "tolerance": 1e-5}
        found = fit(target(), Normal(0.0, 1.5), Alpha(jnp.array(alphas)), **options)
        exact = [{0.0: truth.reverse_kl, 1.0: truth.forward_kl}.get(a) or truth.alpha(a) for a in alphas]
        expected = np.array([truth.optimum(divergence, LOG_TARGET, (0.0, 1.5)) for divergence in exact])
        assert found.optimum.batch_shape == (4,)
        np.testing.assert_allclose(found.optimum.loc, expected[:, 0], atol=1e-3)
        np.testing.assert_allclose(found.optimum.scale, expected[:, 1], atol=1e-3)
    assert len(traces) == count


@once
def test_a_narrow_approximation_is_infinitely_far_above_order_one():
    """At alpha 2 a normal of a scale below the target's widest over the square root of 2 has no finite divergence."""
    found = fit(target(), Normal(0.0, 0.5), ChiSquared(), optimizer=ADAM, num_steps=5, method=PANELS)
    assert not bool(found.converged)


@by_divergence
def test_importance_estimates_every_divergence(name):
    """Within four standard errors of the truth, in 16 repeats at once, from a proposal wider than both densities."""
    divergence, exact = CASES[name]
    expected = exact(LOG_TARGET, truth.log_normal_density(0.5, 1.6))

    def run(key):
        method = SelfNormalizedImportance(key, 4000, Normal(0.0, 3.0))
        return divergence.estimate(target(), Normal(0.5, 1.6), method=method)

    found = quick_jit(jax.vmap(run))(jax.random.split(jax.random.key(1), 16))
    errors = (np.asarray(found.value) - expected) / np.asarray(found.stderr)
    assert np.all(np.abs(errors) < 4.5)
    # The mean of 16 has a quarter of the spread, and their spread is that of the error bar.
    assert abs(np.mean(errors)) < 1.2
    assert 0.5 < np.std(errors) < 1.7


@once
@pytest.mark.parametrize("name", ["reverse KL", "Rényi"])
def test_fits_by_draws_land_within_their_error(name):
    divergence, exact = CASES[name]
    expected = truth.optimum(exact, LOG_TARGET, (0.0, 1.5))
    optimizer = optax.adam(optax.exponential_decay(0.05, 100, 0.5))
    method = MonteCarlo(jax.random.key(2), 512)
    found = fit(target(), Normal(jnp.zeros(8), 1.5), divergence, optimizer=optimizer, num_steps=600, method=method)
    errors = (np.asarray(found.value.value) - expected[2]) / np.asarray(found.value.stderr)
    assert np.all(np.abs(errors) < 4)
    # Eight lanes with draws of their own: their mean is within four of its standard errors.
    for leaf, exactly in ((found.optimum.loc, expected[0]), (found.optimum.scale, expected[1])):
        ours = np.asarray(leaf, np.float64)
        assert len(set(ours.tolist())) == 8
        assert abs(np.mean(ours) - exactly) < 4 * np.std(ours, ddof=1) / np.sqrt(8) + 1e-3


@once
def test_common_random_numbers_make_a_function_with_a_minimum():
    def run(common):
        method = MonteCarlo(jax.random.key(3), 200, control_variate=0.0)
        options = {"num_steps": 1000, "tolerance": 1e-4, "common_random_numbers": common}
        return fit(target(), Normal(0.0, 1.5), ReverseKL(), optimizer=ADAM, method=method, **options)

    assert bool(run(common=True).converged)
    assert not bool(run(common=False).converged)


@once
@pytest.mark.parametrize("divergence", [pytest.param(ForwardKL(), marks=pytest.mark.slow), ReverseKL()])
def test_lanes_with_common_random_numbers_go_the_way_of_one_alone(divergence):
    def run(means, common="lanes"):
        method = MonteCarlo(jax.random.key(3), 50, control_variate=0.0)
        options = {"num_steps": 40, "method": method, "common_random_numbers": common}
        return fit(target(), Normal(jnp.asarray(means), 1.5), divergence, optimizer=ADAM, **options)

    several, alone = run([-1.0, 0.5, 0.5]), run([0.5])
    # As close as the same sums of a batch of one and of three are.
    np.testing.assert_allclose(several.optimum.loc[1:], jnp.repeat(alone.optimum.loc, 2), rtol=1e-4)
    np.testing.assert_allclose(several.value.value[1:], jnp.repeat(alone.value.value, 2), rtol=1e-4)
    own = run([-1.0, 0.5, 0.5], "none")
    assert abs(float(own.optimum.loc[1] - own.optimum.loc[2])) > 1e-3
    # Draws are new at every step: with the same at each, the lane ends elsewhere.
    assert abs(float(run([0.5], "both").optimum.loc[0] - alone.optimum.loc[0])) > 1e-3
    with pytest.raises(ValueError, match=r"common_random_numbers.*'starts'"):
        run([0.5], "starts")
