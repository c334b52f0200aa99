"""Fits against the known optima: optimizers, restarts, sweeps, histories, frozen lanes, compilation, errors."""

import functools
import math

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxinfo.densities import ClosedForm, Quadrature
from jaxinfo.distributions import Mixture, Normal
from jaxinfo.projections import ForwardKL, ReverseKL, fit
from tests.marks import once

DOUBLE = jnp.zeros(()).dtype == jnp.float64
# What the optima have to be met within, in the mean, the deviation and the value.
CLOSE = 1e-8 if DOUBLE else 1e-4
# The gradient that leaves the flattest direction, of curvature 0.1, within that.
TOLERANCE = 1e-10 if DOUBLE else 2e-6

# (mean, deviation, value) of the optima for N(-3, 1)/2 + N(3, 1)/2, by mpmath.
COVERING_FORWARD = (0.0, math.sqrt(10), 0.461994613467945)
LEFT = (-2.984305987836, 1.023368559661, 0.688768995854955)
RIGHT = (2.984305987836, 1.023368559661, 0.688768995854955)
COVERING = (0.0, 2.743769309091, 0.840621431278904)

# One object each: a new one would be a new program to compile.
ADAM = optax.inject_hyperparams(optax.adam)(learning_rate=0.05, b1=0.5, b2=0.99, eps=0.1)
LBFGS = optax.lbfgs()


def target():
    return Mixture(jnp.array([0.5, 0.5]), Normal(jnp.array([-3.0, 3.0]), 1.0))


def starts():
    return Normal(jnp.array([-4.0, 0.0, 1.0, 3.0]), jnp.array([1.0, 1.0, 1.0, 0.5]))


def found(result):
    return np.stack([result.optimum.loc, result.optimum.scale, result.value.value], axis=-1)


@functools.cache
def fitted(divergence):
    """The fits that several tests look at."""
    return fit(target(), starts(), divergence, optimizer=ADAM, num_steps=3000, tolerance=TOLERANCE)


def test_forward_has_one_optimum():
    result = fitted(ForwardKL())
    np.testing.assert_allclose(found(result), [COVERING_FORWARD] * 4, atol=CLOSE)
    assert bool(jnp.all(result.converged))


def test_reverse_has_three_and_ordinary_starts_fall_into_the_covering_one():
    result = fitted(ReverseKL())
    np.testing.assert_allclose(found(result), [LEFT, COVERING, COVERING, RIGHT], atol=CLOSE)
    assert bool(jnp.all(result.converged))
    assert bool(jnp.all(result.gradient_norm <= TOLERANCE))
    error = np.abs(np.asarray(result.value.value) - [LEFT[2], COVERING[2], COVERING[2], RIGHT[2]])
    assert np.all(error <= np.asarray(result.value.stderr) + 1e-14)  # the truth has 15 digits
    assert result.history is None


def test_line_search_reaches_the_optima_in_a_few_steps():
    tolerance, close = (1e-13, 1e-12) if DOUBLE else (TOLERANCE, CLOSE)
    result = fit(target(), starts(), ReverseKL(), optimizer=LBFGS, num_steps=40, tolerance=tolerance)
    distance = np.abs(found(result)[:, None] - np.array([LEFT, RIGHT, COVERING])).max(axis=-1).min(axis=-1)
    assert np.all(distance <= close)  # in double precision as far as the digits above go
    assert int(jnp.max(result.num_steps)) < 40


@once
def test_a_converged_lane_stays_where_it_is():
    """Alone, stopped after as many steps as it took, a lane ends at the same numbers as among others that went on."""
    together = fitted(ReverseKL())
    steps = np.asarray(together.num_steps)
    assert len(set(steps.tolist())) > 1
    first = int(np.argmin(steps))
    stopped = fit(target(), starts(), ReverseKL(), optimizer=ADAM, num_steps=steps[first], tolerance=TOLERANCE)
    chex.assert_trees_all_equal(stopped.optimum.loc[first], together.optimum.loc[first])
    chex.assert_trees_all_equal(stopped.optimum.scale[first], together.optimum.scale[first])
    assert int(stopped.num_steps[first]) == steps[first]


@once
def test_a_second_call_compiles_nothing():
    traces = []

    counts = []

    def spy(updates, state, _=None):
        traces.append(None)
        return jax.tree.map(lambda leaf: -0.1 * leaf, updates), state

    optimizer = optax.GradientTransformation(lambda _: (), spy)
    for steps, mean in ((3, -3.0), (60, 2.0)):
        moved = Mixture(jnp.array([0.5, 0.5]), Normal(jnp.array([mean, 3.0]), 1.0))
        result = fit(moved, starts(), ForwardKL(), optimizer=optimizer, num_steps=steps, tolerance=1e-30)
        assert result.num_steps.tolist() == [steps] * 4
        counts.append(len(traces))
    assert counts[0] > 0
    assert counts[1] == counts[0]


@once
def test_hyperparams_replace_those_of_the_optimizer():
    """One step of plain descent moves by the learning rate times the gradient."""
    sgd = optax.inject_hyperparams(optax.sgd)(learning_rate=123.0)
    start, goal = Normal(1.0, 1.0), Normal(0.0, 1.0)
    for rate in (0.25, 0.5):
        result = fit(goal, start, ReverseKL(), optimizer=sgd, num_steps=1, hyperparams={"learning_rate": rate})
        # d/d mean of mean^2 / 2 is 1 at the start, and the gradient in the scale is 0.
        assert float(result.optimum.loc) == pytest.approx(1 - rate, rel=1e-6)
        assert float(result.optimum.scale) == pytest.approx(1, rel=1e-6)
    assert result.value.method == "closed_form"


def test_sweep_times_restarts():
    """Every target is fitted from every start; the forward optimum of each is known by its moments."""
    distances = jnp.array([[1.0, 2.0, 3.0]])
    targets = Mixture(jnp.array([0.5, 0.5]), Normal(jnp.stack([-distances, distances], axis=-1), 1.0))
    begin = Normal(jnp.array([-1.0, 2.0]), 2.0)
    result = fit(targets, begin, ForwardKL(), optimizer=ADAM, num_steps=3000, tolerance=TOLERANCE)
    assert result.optimum.batch_shape == result.value.value.shape == result.num_steps.shape == (1, 3, 2)
    np.testing.assert_allclose(result.optimum.loc, np.zeros((1, 3, 2)), atol=CLOSE)
    expected = np.sqrt(1 + np.asarray(distances, np.float64) ** 2)[..., None]
    np.testing.assert_allclose(result.optimum.scale, np.broadcast_to(expected, (1, 3, 2)), atol=CLOSE)


@functools.cache
def recorded():
    """A fit that ends in the middle of a chunk, and another stopped at its third row."""

    def run(steps):
        return fit(target(), starts(), ReverseKL(), optimizer=ADAM, num_steps=steps, record_every=4, tolerance=1e-3)

    return run(202), run(8)


@once
def test_history_has_a_row_for_the_start_and_every_so_many_steps():
    result, _ = recorded()
    history = result.history
    assert history.num_steps.tolist() == [*range(0, 201, 4), 202]
    assert history.value.shape == history.distribution.batch_shape == history.gradient_norm.shape == (52, 4)
    np.testing.assert_allclose(history.distribution.loc[0], starts().loc, rtol=1e-6)
    np.testing.assert_allclose(history.distribution.scale[0], starts().scale, rtol=1e-6)
    chex.assert_trees_all_equal(history.distribution.loc[-1], result.optimum.loc)
    chex.assert_trees_all_equal(history.gradient_norm[-1], result.gradient_norm)
    np.testing.assert_allclose(history.value[-1], result.value.value, rtol=1e-5)


@once
def test_history_rows_are_the_states_of_shorter_fits():
    long, short = recorded()
    # Two programs may round differently, and eight steps carry that on.
    np.testing.assert_allclose(long.history.distribution.loc[2], short.optimum.loc, rtol=1e-5, atol=1e-6)


@once
def test_memory_does_not_grow_with_the_number_of_steps():
    """The number of steps is a traced value: one program, and its buffers, serve every number."""

    def run(steps):
        return fit(target(), starts(), ReverseKL(), optimizer=ADAM, num_steps=steps).optimum.loc

    analysis = jax.jit(run).lower(jnp.int32(10)).compile().memory_analysis()
    # Four lanes of 64 panels with 15 nodes, and some tens of such arrays.
    assert analysis.temp_size_in_bytes < 4 * 64 * 15 * 8 * 100


@once
def test_a_lost_lane_is_reported_and_harms_no_other():
    begin = Normal(jnp.array([-3.0, jnp.nan, 3.0]), jnp.array([1.0, 1.0, -1.0]))
    result = fit(target(), begin, ReverseKL(), optimizer=ADAM, num_steps=3000, tolerance=TOLERANCE)
    assert result.converged.tolist() == [True, False, False]
    assert result.num_steps[1:].tolist() == [0, 0]
    np.testing.assert_allclose(found(result)[0], LEFT, atol=CLOSE)


@once
def test_without_tolerance_every_step_is_taken():
    result = fit(Normal(0.0, 1.0), Normal(0.5, 1.0), ForwardKL(), optimizer=ADAM, num_steps=700)
    assert int(result.num_steps) == 700
    assert bool(result.converged)
    assert result.optimum.batch_shape == ()


@once
def test_no_steps():
    result = fit(Normal(0.0, 1.0), Normal(1.0, 1.0), ForwardKL(), optimizer=ADAM, num_steps=0)
    assert float(result.value.value) == pytest.approx(0.5, rel=1e-6)
    assert int(result.num_steps) == 0
    assert not bool(result.converged)


@once
def test_the_method_is_used_and_named():
    def run(method):
        return fit(Normal(0.0, 2.0), Normal(1.0, 1.0), ReverseKL(), optimizer=ADAM, num_steps=5, method=method)

    exact, panels = run(ClosedForm()), run(Quadrature(num_rounds=0))
    assert (exact.value.method, panels.value.method) == ("closed_form", "quadrature")
    np.testing.assert_allclose(found(panels), found(exact), rtol=1e-5)


def test_a_mixture_is_a_family_too():
    """Two components onto two components: the divergence vanishes at the target itself."""
    goal = Mixture(jnp.array([0.25, 0.75]), Normal(jnp.array([-2.0, 1.0]), jnp.array([0.5, 1.0])))
    begin = Mixture(jnp.array([0.5, 0.5]), Normal(jnp.array([-1.0, 1.5]), 1.0))
    result = fit(goal, begin, ForwardKL(), optimizer=LBFGS, num_steps=60, tolerance=TOLERANCE)
    # Curvatures of a few hundredths: the parameters are known less well than the value, which is quadratic in them.
    np.testing.assert_allclose(result.optimum.weights, [0.25, 0.75], atol=100 * CLOSE)
    np.testing.assert_allclose(result.optimum.components.loc, [-2.0, 1.0], atol=100 * CLOSE)
    assert float(result.value.value) < CLOSE


@once
def test_fit_maps_and_compiles_within_a_users_program():
    def run(mean):
        begin = Normal(mean, 1.0)
        return fit(Normal(0.0, 1.0), begin, ReverseKL(), optimizer=ADAM, num_steps=20, tolerance=1e-9).optimum.loc

    means = jnp.array([0.5, 1.0])
    mapped = jax.jit(jax.vmap(run))(means)
    np.testing.assert_allclose(mapped, [run(mean) for mean in means], rtol=1e-5, atol=1e-6)


def scheduled(learning_rate):
    return optax.inject_hyperparams(optax.sgd)(learning_rate=lambda step: learning_rate / (1 + step))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"divergence": "reverse"}, TypeError, "fit: divergence .*'reverse'"),
        ({"divergence": ReverseKL}, TypeError, "fit: divergence .*ReverseKL"),
        ({"optimizer": 0.1}, TypeError, r"fit: optimizer .*0\.1"),
        ({"init": 3.0}, TypeError, r"fit: init .*3\.0"),
        ({"target": 3.0}, TypeError, r"fit: ReverseKL\(\) needs a target .*3\.0"),
        ({"method": "quadrature"}, TypeError, "fit: method .*'quadrature'"),
        ({"num_steps": 1.5}, TypeError, r"fit: num_steps .*1\.5"),
        ({"num_steps": -1}, ValueError, "fit: num_steps .*-1"),
        ({"record_every": 0}, ValueError, "fit: record_every .*0"),
        ({"tolerance": 0.0}, ValueError, r"fit: tolerance .*0\.0"),
        ({"tolerance": -1e-3}, ValueError, r"fit: tolerance .*-0\.001"),
        ({"hyperparams": {"learning_rate": jnp.ones(2)}}, ValueError, r"fit: .*'learning_rate' .*\(2,\)"),
        ({"hyperparams": {"momentum": 0.9}}, ValueError, "fit: .*'momentum'.*inject_hyperparams"),
        ({"hyperparams": {"learning_rate": 0.9}, "optimizer": optax.adam(0.1)}, ValueError, "fit: .*'learning_rate'"),
        ({"hyperparams": {"learning_rate": 0.9}, "optimizer": scheduled(0.1)}, ValueError, "fit: .*schedule"),
        (
            {"target": Mixture(np.ones(3) / 3, Normal(np.zeros(2), 1.0))},
            ValueError,
            r"Mixture: .*\(3,\) and \(2,\)",
        ),
    ],
)
def test_errors(options, error, message):
    given = {"target": Normal(0.0, 1.0), "init": Normal(1.0, 1.0), "divergence": ReverseKL(), "num_steps": 3}
    given |= {"optimizer": ADAM} | options
    positional = [given.pop(name) for name in ("target", "init", "divergence")]
    with pytest.raises(error, match=message):
        fit(*positional, **given)


def test_a_history_needs_a_known_number_of_steps():
    def run(steps):
        return fit(Normal(0.0, 1.0), Normal(1.0, 1.0), ReverseKL(), optimizer=ADAM, num_steps=steps, record_every=2)

    with pytest.raises(TypeError, match="fit: with record_every"):
        jax.jit(run)(3)
