"""Bounds by several draws: against each other, exact sums, and every gradient estimator by enumeration."""

import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxinfo import objectives
from jaxinfo.densities import DoublyReparameterized, Reparameterized, ScoreFunction, StickingTheLanding
from jaxinfo.distributions import Categorical, Mixture, Normal
from tests.marks import once
from tests.objectives.latent_models import ScriptedCategorical, ScriptedNormal, every, hermite, log_normal
from tests.quick import quick_jit

KEY = jax.random.key(0)
STEPS = np.array([0.0, 0.1, 0.45, 1.0])

# A call of each bound, by the name of its kind, and the same as a function of log-weights `[K]` in float64.
BOUNDS = {
    "importance_weighted": (
        objectives.importance_weighted_bound,
        objectives.importance_weighted_bound_from_log_weights,
    ),
    "renyi": (objectives.renyi_bound, objectives.renyi_bound_from_log_weights),
    "chi": (objectives.chi_upper_bound, objectives.chi_upper_bound_from_log_weights),
    "thermodynamic": (objectives.thermodynamic_bound, objectives.thermodynamic_bound_from_log_weights),
    "thermodynamic_upper": (objectives.thermodynamic_bound, objectives.thermodynamic_bound_from_log_weights),
}
NUMBERS = {
    "importance_weighted": (),
    "renyi": (0.5,),
    "chi": (2.0,),
    "thermodynamic": (jnp.asarray(STEPS, jnp.result_type(float)),),
    "thermodynamic_upper": (jnp.asarray(STEPS, jnp.result_type(float)),),
}
OPTIONS = {"thermodynamic_upper": {"upper": True}}


def formula(kind, log_weights):
    """The definition, as it is written; of JAX, so that it has a gradient of its own."""
    w = jnp.exp(log_weights)
    if kind == "importance_weighted":
        return jnp.log(jnp.mean(w))
    if kind == "renyi":
        return jnp.log(jnp.mean(w**0.5)) / 0.5
    if kind == "chi":
        return jnp.log(jnp.mean(w**2)) / 2
    ends = STEPS[1:] if kind == "thermodynamic_upper" else STEPS[:-1]
    means = [jnp.sum(w**b * log_weights) / jnp.sum(w**b) for b in ends]
    return sum(step * mean for step, mean in zip(np.diff(STEPS), means, strict=True))


def tolerance(single, double):
    return double if jax.config.jax_enable_x64 else single


def of_log_weights(kind, log_weights, **options):
    return BOUNDS[kind][1](log_weights, *NUMBERS[kind], **OPTIONS.get(kind, {}), **options)


def close(found, expected, **options):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, **options), found, expected)


# ---------------------------------------------------------------------------------------------------------------------
# Functions of log-weights


@pytest.mark.parametrize("kind", BOUNDS)
def test_values_and_derivatives_are_the_definitions(kind):
    log_weights = jnp.asarray(np.random.default_rng(0).normal(0, 1.5, (6, 5)), jnp.result_type(float))

    @quick_jit
    def both(rows):
        functions = (lambda l: of_log_weights(kind, l), lambda l: formula(kind, l))  # noqa: E741
        return [jax.vmap(lambda l, f=f: (f(l), jax.grad(f)(l), jax.hessian(f)(l)))(rows) for f in functions]  # noqa: E741

    close(*both(log_weights), rtol=1e-3, atol=tolerance(2e-6, 1e-12))
    values = both(log_weights)[1][0]
    np.testing.assert_allclose(of_log_weights(kind, log_weights, axis=1), values, rtol=tolerance(1e-5, 1e-12))
    np.testing.assert_allclose(of_log_weights(kind, log_weights.T), values, rtol=tolerance(1e-5, 1e-12))


@once
@pytest.mark.parametrize("kind", BOUNDS)
def test_masked_draws_do_not_count(kind):
    log_weights = jnp.array([[0.3, jnp.nan], [jnp.inf, -1.0], [-2.0, 0.5], [1.0, -jnp.inf]])
    where = jnp.array([[True, False], [False, True], [True, True], [True, False]])
    bound = lambda l: of_log_weights(kind, l, where=where)  # noqa: E731, E741
    kept = [jnp.array([0.3, -2.0, 1.0]), jnp.array([-1.0, 0.5])]
    expected = [formula(kind, column) for column in kept]
    found, pull = quick_jit(lambda l: jax.vjp(bound, l))(log_weights)  # noqa: E741
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    (slopes,) = pull(jnp.ones(2))
    for column, (mask, weights) in enumerate(zip(where.T, kept, strict=True)):
        own = jax.grad(lambda l: formula(kind, l))(weights)  # noqa: E741
        np.testing.assert_allclose(slopes[:, column][mask], own, rtol=1e-4, atol=1e-6)
        np.testing.assert_array_equal(slopes[:, column][~mask], 0.0)


@once
@pytest.mark.parametrize("kind", BOUNDS)
def test_large_weights_and_half_precision(kind):
    """Adding a constant to the logarithms adds it to the bound; half precision is summed in float32."""
    log_weights = jnp.array([0.5, -1.0, 2.0])
    expected = formula(kind, log_weights)
    shifted = log_weights[:, None] + jnp.array([[500.0, -500.0]])
    np.testing.assert_allclose(of_log_weights(kind, shifted) - jnp.array([500.0, -500.0]), expected, atol=1e-3)
    for dtype in (jnp.bfloat16, jnp.float16):
        found = of_log_weights(kind, log_weights.astype(dtype))
        assert found.dtype == dtype
        np.testing.assert_allclose(np.float32(found), expected, rtol=float(jnp.finfo(dtype).eps))


def test_order_of_the_renyi_bound():
    """From the greatest log-weight to the least; 0 and 1 are the bounds that carry names of their own."""
    log_weights = np.random.default_rng(1).normal(0, 2, 40)
    orders = np.array([-np.inf, -30, -1, 0, 0.5, 1 - 1e-4, 1, 1 + 1e-4, 2, 30, np.inf])
    found, slopes = quick_jit(
        jax.vmap(jax.value_and_grad(objectives.renyi_bound_from_log_weights, argnums=1), in_axes=(None, 0))
    )(jnp.asarray(log_weights, jnp.result_type(float)), jnp.asarray(orders, jnp.result_type(float)))
    shifted = log_weights - log_weights.max()
    with np.errstate(all="ignore"):
        expected = np.log(np.mean(np.exp((1 - orders[:, None]) * shifted), axis=1)) / (1 - orders)
    expected[[0, -1, 6]] = 0, shifted.min(), shifted.mean()
    np.testing.assert_allclose(found - log_weights.max(), expected, rtol=1e-3, atol=tolerance(1e-5, 1e-7))
    assert np.all(np.diff(found) <= 1e-6)
    # The slope at 1 is minus half the variance of the log-weights.
    np.testing.assert_allclose(slopes[6], -0.5 * log_weights.var(), rtol=tolerance(1e-4, 1e-10))
    assert np.isfinite(slopes[1:-1]).all()
    batched = objectives.renyi_bound_from_log_weights(jnp.zeros((4, 3)), jnp.ones((2, 1)))
    assert batched.shape == (2, 3)


def test_close_to_order_one_no_digit_is_lost():
    """By hand: with log-weights of plus and minus one the bound is log(cosh t) / t, about t / 2."""
    for t in (1e-6, 1e-3, 0.3):
        found = objectives.renyi_bound_from_log_weights(jnp.array([1.0, -1.0]), 1 - jnp.asarray(t, jnp.float32))
        t = float(1 - np.float32(1 - np.float32(t)))  # noqa: PLW2901
        np.testing.assert_allclose(found, math.log(math.cosh(t)) / t, rtol=1e-6)


@once
def test_weights_of_zero():
    log_weights = jnp.array([-jnp.inf, 0.0, 1.0])
    value, slope = jax.value_and_grad(objectives.importance_weighted_bound_from_log_weights)(log_weights)
    np.testing.assert_allclose(value, math.log((1 + math.e) / 3), rtol=1e-6)
    np.testing.assert_allclose(slope, [0, 1 / (1 + math.e), math.e / (1 + math.e)], rtol=1e-6)
    np.testing.assert_allclose(
        objectives.chi_upper_bound_from_log_weights(log_weights), 0.5 * math.log((1 + math.e**2) / 3), rtol=1e-6
    )
    assert objectives.renyi_bound_from_log_weights(log_weights, 1.0) == -jnp.inf
    assert objectives.renyi_bound_from_log_weights(log_weights, 2.0) == -jnp.inf
    np.testing.assert_allclose(objectives.renyi_bound_from_log_weights(log_weights, -jnp.inf), 1.0)
    nothing = jnp.full(3, -jnp.inf)
    value, slope = jax.value_and_grad(objectives.importance_weighted_bound_from_log_weights)(nothing)
    assert value == -jnp.inf
    np.testing.assert_array_equal(slope, 0)
    steps = jnp.array([0.0, 0.5, 1.0])
    assert objectives.thermodynamic_bound_from_log_weights(log_weights, steps) == -jnp.inf
    assert jnp.isfinite(objectives.thermodynamic_bound_from_log_weights(log_weights, steps, upper=True))


def positive_formula(kind, log_weights, positive):
    """As `formula`, of weights that are 0 where not positive; of the thermodynamic sum from below the finite steps."""
    if not kind.startswith("thermodynamic"):
        power = {"importance_weighted": 1, "renyi": 0.5, "chi": 2}[kind]
        # The square root's derivative at 0 is infinite.
        powers = jnp.where(positive, jnp.exp(power * log_weights), 0)
        return jnp.log(jnp.mean(powers)) / power
    steps, ends = (np.diff(STEPS), STEPS[1:]) if kind == "thermodynamic_upper" else (np.diff(STEPS)[1:], STEPS[1:-1])
    powers = [jnp.where(positive, jnp.exp(b * log_weights), 0) for b in ends]
    return sum(step * jnp.sum(p * log_weights) / jnp.sum(p) for step, p in zip(steps, powers, strict=True))


@pytest.mark.parametrize("kind", BOUNDS)
def test_derivatives_with_weights_of_zero_are_the_definitions(kind):
    """Also of second order; a thermodynamic step whose mean is -inf has none."""
    log_weights = jnp.asarray(np.random.default_rng(4).normal(0, 1.5, (6, 4)), jnp.result_type(float))
    positive = jnp.arange(4)[None] != jnp.arange(6)[:, None] % 4
    positive = positive & (jnp.arange(4)[None] < jnp.arange(6)[:, None] + 1)

    @quick_jit
    @jax.vmap
    def both(row, positive):
        ours = lambda l: of_log_weights(kind, jnp.where(positive, l, -jnp.inf))  # noqa: E731, E741
        truth = lambda l: positive_formula(kind, l, positive)  # noqa: E731, E741
        return [(f(row), jax.grad(f)(row), jax.hessian(f)(row)) for f in (ours, truth)]

    rows = slice(1, None)
    found, expected = both(log_weights[rows], positive[rows])
    if kind == "thermodynamic":
        np.testing.assert_array_equal(found[0], -np.inf)
        found, expected = found[1:], expected[1:]
    close(found, expected, rtol=1e-3, atol=tolerance(3e-6, 1e-12))


@once
def test_weights_of_zero_by_hand():
    """Of log-weights 0, -inf and 1 the tempered mean is m = sigmoid(b), and m' = m (1 - m)."""
    log_weights, steps = jnp.array([0.0, -jnp.inf, 1.0]), jnp.array([0.0, 0.5, 1.0])
    bound = objectives.thermodynamic_bound_from_log_weights
    slopes = jax.value_and_grad(bound, argnums=(0, 1))
    middle, end = (1 / (1 + math.exp(-b)) for b in (0.5, 1.0))
    value, (_, in_steps) = slopes(log_weights, steps, upper=True)
    np.testing.assert_allclose(value, 0.5 * (middle + end), rtol=1e-6)
    expected = [-middle, middle - end + 0.5 * middle * (1 - middle), end + 0.5 * end * (1 - end)]
    np.testing.assert_allclose(in_steps, expected, rtol=1e-5)
    # From below only the step from 1/2 on has a slope: half of s (1 + b (l - m)).
    value, (slope, _) = slopes(log_weights, steps)
    assert value == -jnp.inf
    expected = [0.5 * (1 - middle) * (1 - 0.5 * middle), 0, 0.5 * middle * (1 + 0.5 * (1 - middle))]
    np.testing.assert_allclose(slope, expected, rtol=1e-5)
    for side in (False, True):
        value, (slope, _) = slopes(jnp.full(3, -jnp.inf), steps, upper=side)
        assert value == -jnp.inf
        np.testing.assert_array_equal(slope, 0)
        # A step of length 0 adds nothing, whatever its mean.
        value = bound(log_weights, jnp.array([0.0, 0.0, 1.0]), upper=side)
        np.testing.assert_allclose(value, end if side else -np.inf, rtol=1e-6)
    # In the order, with t = 1 - a: the bound is log((1 + e^t) / 3) / t.
    renyi = jax.value_and_grad(objectives.renyi_bound_from_log_weights, argnums=(0, 1))
    for order in (-1.0, 0.0, 0.5):
        t = 1 - order
        whole, share = math.log((1 + math.exp(t)) / 3), 1 / (1 + math.exp(-t))
        value, (slope, in_order) = renyi(log_weights, order)
        np.testing.assert_allclose(value, whole / t, rtol=1e-5)
        np.testing.assert_allclose(slope, [1 - share, 0, share], rtol=1e-5)
        np.testing.assert_allclose(in_order, whole / t**2 - share / t, rtol=1e-5)
    for order in (1.0, 2.0):
        value, pulled = renyi(log_weights, order)
        assert value == -jnp.inf
        jax.tree.map(lambda leaf: np.testing.assert_array_equal(leaf, 0), pulled)


def test_thermodynamic_sums_enclose_and_converge():
    """For whatever weights they enclose log-mean-exp; a hundred steps leave a hundredth of the gap of one."""
    log_weights = jnp.asarray(np.random.default_rng(2).normal(0, 2, (50, 7)), jnp.result_type(float))
    middle = objectives.importance_weighted_bound_from_log_weights(log_weights)
    gaps = []
    for count in (1, 10, 100):
        steps = jnp.linspace(0.0, 1.0, count + 1)
        lower, upper = (
            objectives.thermodynamic_bound_from_log_weights(log_weights, steps, upper=side) for side in (False, True)
        )
        assert np.all(lower < middle)
        assert np.all(middle < upper)
        gaps.append(upper - lower)
        if count == 1:
            np.testing.assert_allclose(lower, log_weights.mean(0), rtol=tolerance(1e-4, 1e-12))
    np.testing.assert_allclose(gaps[2], gaps[0] / 100, rtol=1e-2)
    np.testing.assert_allclose(gaps[1], gaps[0] / 10, rtol=1e-3)


# ---------------------------------------------------------------------------------------------------------------------
# Draws


def bound_of(kind, posterior, prior, log_likelihood, **options):
    return BOUNDS[kind][0](posterior, prior, log_likelihood, *NUMBERS[kind], **OPTIONS.get(kind, {}), **options)


PARAMETERS = {"loc": 0.3, "log_scale": -0.2, "slope": 0.7, "prior": 0.2}


def normal_log_weight(p, z):
    log_joint = log_normal(0.9, p["slope"] * z, 1.0) + log_normal(z, p["prior"], 1.0)
    return log_joint - log_normal(z, p["loc"], jnp.exp(p["log_scale"]))


def floats(tree):
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.result_type(float)), tree)


@pytest.mark.parametrize("gradient", [Reparameterized(), DoublyReparameterized(), ScoreFunction()], ids=str)
@pytest.mark.parametrize("kind", BOUNDS)
def test_expected_value_and_gradient_of_normal_posteriors(kind, gradient):
    """Two draws on a grid of Gauss-Hermite nodes: analytic integrands, exact to many digits with 24 of them."""
    p, (noise, shares) = floats(PARAMETERS), hermite(24, 2)

    def mean(p):
        q = ScriptedNormal(p["loc"][None], jnp.exp(p["log_scale"])[None])
        log_likelihood = lambda z: log_normal(0.9, p["slope"] * z, 1.0)  # noqa: E731
        options = {"num_samples": 2, "gradient": gradient}
        return shares @ jax.vmap(
            lambda e: bound_of(kind, q, Normal(p["prior"], 1.0), log_likelihood, key=e[:, None], **options)[0]
        )(noise)

    def exact(p):
        z = p["loc"] + jnp.exp(p["log_scale"]) * noise
        return shares @ jax.vmap(lambda z: formula(kind, normal_log_weight(p, z)))(z)

    found, expected = quick_jit(lambda p: [jax.value_and_grad(f)(p) for f in (mean, exact)])(p)
    # The integral by parts that the estimators rest on is exact only as far as the grid is.
    close(found, expected, rtol=tolerance(2e-4, 1e-6), atol=tolerance(1e-5, 1e-7))


DISCRETE = {"q": [0.2, -0.5, 0.7], "prior": [0.1, 0.4, -0.3], "mean": [-1.0, 0.5, 2.0]}


@pytest.mark.parametrize("num_samples", [1, 3])
@pytest.mark.parametrize("kind", BOUNDS)
def test_expected_value_and_gradient_of_discrete_posteriors(kind, num_samples):
    p, draws = floats({name: np.array(row) for name, row in DISCRETE.items()}), every(3, num_samples)

    def one(p, draws):
        q, prior = ScriptedCategorical(p["q"]), ScriptedCategorical(p["prior"])
        log_likelihood = lambda z: log_normal(0.6, p["mean"][z], 1.0)  # noqa: E731
        return bound_of(kind, q, prior, log_likelihood, key=draws, num_samples=num_samples)

    def exact(p):
        q, prior = (jax.nn.log_softmax(p[name]) for name in ("q", "prior"))
        log_weights = log_normal(0.6, p["mean"], 1.0) + prior - q
        shares = jnp.prod(jnp.exp(q)[draws], axis=1)
        return shares @ jax.vmap(lambda row: formula(kind, row))(log_weights[draws])

    @quick_jit
    def both(p):
        shares = jnp.prod(jax.nn.softmax(p["q"])[draws], axis=1)
        values, slopes = jax.vmap(jax.value_and_grad(one), (None, 0))(p, draws)
        mean = jax.tree.map(lambda leaf: jnp.tensordot(shares, leaf, 1), (values, slopes))
        return mean, jax.value_and_grad(exact)(p)

    close(*both(p), rtol=tolerance(1e-4, 1e-11), atol=tolerance(1e-6, 1e-12))


@pytest.mark.parametrize("kind", [kind for kind in BOUNDS if kind != "thermodynamic"])
def test_score_functions_with_draws_of_likelihood_zero(kind):
    """The first of three states is impossible: over all draws that hold another one, value and gradient are exact.

    A draw's baseline, which depends on the others alone, adds nothing: either these hold another state, and then it is
    summed over all the draw can be, or they do not, and it is 0.
    """
    draws = every(3, 3)
    draws = draws[jnp.any(draws > 0, axis=1)]
    p = floats({name: np.array(row) for name, row in DISCRETE.items()})

    def one(p, draws):
        q, prior = ScriptedCategorical(p["q"]), ScriptedCategorical(p["prior"])
        log_likelihood = lambda z: jnp.where(z == 0, -jnp.inf, log_normal(0.6, p["mean"][z], 1.0))  # noqa: E731
        return bound_of(kind, q, prior, log_likelihood, key=draws, num_samples=3)

    def exact(p):
        q, prior = (jax.nn.log_softmax(p[name]) for name in ("q", "prior"))
        log_weights = log_normal(0.6, p["mean"], 1.0) + prior - q
        shares = jnp.prod(jnp.exp(q)[draws], axis=1)
        return shares @ jax.vmap(lambda row: positive_formula(kind, log_weights[row], row > 0))(draws)

    @quick_jit
    def both(p):
        shares = jnp.prod(jax.nn.softmax(p["q"])[draws], axis=1)
        values, slopes = jax.vmap(jax.value_and_grad(one), (None, 0))(p, draws)
        mean = jax.tree.map(lambda leaf: jnp.tensordot(shares, leaf, 1), (values, slopes))
        return mean, jax.value_and_grad(exact)(p)

    close(*both(p), rtol=tolerance(1e-4, 1e-11), atol=tolerance(1e-6, 1e-12))


@pytest.mark.parametrize("kind", BOUNDS)
def test_doubly_reparameterised_with_draws_of_likelihood_zero(kind):
    """With slopes v and second derivatives h the path counts v - h, and the model's own parameters v."""
    z = jnp.array([-0.7, 0.4, 2.0, 0.1])
    p = floats({"loc": 0.3, "prior": 0.2})
    options = {"num_samples": 4, "gradient": DoublyReparameterized()}

    def bound(p):
        log_likelihood = lambda z: jnp.where(z > 1, -jnp.inf, 0.7 * z)  # noqa: E731
        q = ScriptedNormal(p["loc"][None], jnp.full(1, 0.8))
        noise = ((z - 0.3) / 0.8)[:, None]
        return bound_of(kind, q, Normal(p["prior"], 1.0), log_likelihood, key=noise, **options)[0]

    log_weights = 0.7 * z + log_normal(z, 0.2, 1.0) - log_normal(z, 0.3, 0.8)
    truth = lambda l: positive_formula(kind, l, z < 1)  # noqa: E731, E741
    value, slopes = quick_jit(jax.value_and_grad(bound))(p)
    v, h = quick_jit(lambda l: (jax.grad(truth)(l), jnp.diagonal(jax.hessian(truth)(l))))(log_weights)  # noqa: E741
    path = np.sum((v - h) * (0.7 - (z - 0.2) + (z - 0.3) / 0.64))
    np.testing.assert_allclose(slopes["loc"], path, rtol=tolerance(1e-4, 1e-10))
    np.testing.assert_allclose(slopes["prior"], np.sum(v * (z - 0.2)), rtol=tolerance(1e-4, 1e-10))
    expected = -np.inf if kind == "thermodynamic" else truth(log_weights)
    np.testing.assert_allclose(value, expected, rtol=tolerance(1e-5, 1e-12))


@once
def test_exact_sums_keep_their_order():
    """A uniform posterior over eight states, each drawn once, makes every mean the exact one."""
    random = np.random.default_rng(3)
    joint = random.normal(0, 1.5, 8)
    log_marginal = np.log(np.exp(joint).sum())
    q = ScriptedCategorical(jnp.zeros(8))
    # The prior as a function, so that prior and likelihood need not be told apart.
    function = lambda z: jnp.asarray(joint, jnp.result_type(float))[z]  # noqa: E731
    options = {"key": jnp.arange(8), "num_samples": 8}
    zero = lambda z: jnp.zeros(z.shape)  # noqa: E731
    steps = jnp.linspace(0.0, 1.0, 6)

    @quick_jit
    def bounds(orders, chi_orders):
        found = [objectives.renyi_bound(q, function, zero, order, **options) for order in orders]
        found.append(objectives.importance_weighted_bound(q, function, zero, **options))
        found += [objectives.chi_upper_bound(q, function, zero, order, **options) for order in chi_orders]
        sides = [objectives.thermodynamic_bound(q, function, zero, steps, upper=side, **options) for side in (0, 1)]
        return jnp.stack(found), sides

    found, (lower, upper) = bounds(jnp.array([2.0, 1.0, 0.5, 0.0]), jnp.array([1.0, 1.5, 2.0, 4.0]))
    assert np.all(np.diff(found) >= -1e-6)
    np.testing.assert_allclose(found[3:6], log_marginal, rtol=1e-5)
    weights = 8 * np.exp(joint)
    np.testing.assert_allclose(found[1], np.mean(np.log(weights)), rtol=1e-5)
    np.testing.assert_allclose(found[-1], np.log(np.mean(weights**4)) / 4, rtol=1e-5)
    assert found[-2] > log_marginal + 0.1
    # Its integrand at b is the mean of the log-weights under shares proportional to their b-th powers.
    means = [np.sum(weights**b * np.log(weights)) / np.sum(weights**b) for b in np.linspace(0, 1, 6)]
    np.testing.assert_allclose([lower, upper], [np.mean(means[:-1]), np.mean(means[1:])], rtol=1e-5)
    assert lower < log_marginal < upper


@once
def test_more_draws_are_tighter():
    """The exact expectation of K draws from a discrete posterior grows with K, towards log p(x) = 0 here."""
    q, p = np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.2, 0.7])
    means = []
    for count in (1, 2, 4, 6):
        draws = np.array(list(itertools.product(range(3), repeat=count)))
        log_weights = jnp.asarray(np.log(p / q)[draws], jnp.result_type(float))
        means.append(
            np.prod(q[draws], axis=1) @ objectives.importance_weighted_bound_from_log_weights(log_weights, axis=1)
        )
    assert np.all(np.diff(means) > 0.01)
    assert means[-1] < 0
    np.testing.assert_allclose(means[0], np.sum(q * np.log(p / q)), rtol=1e-5)


@once
def test_the_signal_of_the_doubly_reparameterised_gradient_does_not_drown():
    """In the posterior's mean: as K grows the signal-to-noise ratio falls like its root, or grows like it."""
    keys = jax.random.split(KEY, 16_000)

    def slope(loc, key, gradient, count):
        log_likelihood = lambda z: log_normal(1.0, z, 1.0)  # noqa: E731
        q = Normal(loc[None], 0.9)
        options = {"key": key, "num_samples": count, "gradient": gradient}
        return objectives.importance_weighted_bound(q, Normal(0.0, 1.0), log_likelihood, **options)[0]

    @quick_jit
    def all_slopes(loc):
        cases = itertools.product((Reparameterized(), DoublyReparameterized()), (4, 64))
        return [jax.vmap(jax.grad(slope), (None, 0, None, None))(loc, keys, *case) for case in cases]

    slopes = [np.asarray(s, np.float64) for s in all_slopes(jnp.asarray(0.2))]
    ratio = [np.mean(s) / np.std(s) for s in slopes]
    # Sixteen times the draws: an ideal factor of a quarter, and of four.
    assert ratio[1] < 0.45 * ratio[0]
    assert ratio[3] > 2.5 * ratio[2]
    assert np.std(slopes[3]) < 0.15 * np.std(slopes[1])
    # Both are unbiased.
    for few, other in ((slopes[0], slopes[2]), (slopes[1], slopes[3])):
        assert abs(few.mean() - other.mean()) < 4.5 * math.hypot(few.std(), other.std()) / math.sqrt(len(few))


@pytest.mark.parametrize("kind", BOUNDS)
def test_at_the_posterior_every_draw_gives_the_marginal_likelihood(kind):
    """Of x ~ N(z, 1), z ~ N(0, 1): every bound is log N(x; 0, 2), and no derivative in the posterior is left."""
    x = jnp.array([0.5, -1.0, 2.0])

    def bound(q):
        log_likelihood = lambda z: log_normal(x[None], z, 1.0)  # noqa: E731
        options = {"key": KEY, "num_samples": 4, "gradient": DoublyReparameterized()}
        return bound_of(kind, q, Normal(0.0, 1.0), log_likelihood, **options)

    q = Normal(x / 2, jnp.full(3, 0.5**0.5))
    value, slopes = quick_jit(lambda q: (bound(q), jax.grad(lambda q: bound(q).sum())(q)))(q)
    expected = -0.5 * np.asarray(x) ** 2 / 2 - 0.5 * math.log(4 * math.pi)
    np.testing.assert_allclose(value, expected, rtol=tolerance(1e-5, 1e-12))
    assert max(np.abs(leaf).max() for leaf in jax.tree.leaves(slopes)) < tolerance(1e-5, 1e-12)


@once
def test_mixture_posteriors_get_the_score_of_their_weights():
    """Mean gradients of two draws against the exact ones, by a grid."""
    weights, parts = jnp.array([0.3, 0.7]), Normal(jnp.array([-1.0, 1.0]), 0.8)

    def bound(weights, key):
        log_likelihood = lambda z: -jnp.square(z - 1)  # noqa: E731
        options = {"key": key, "num_samples": 2}
        return objectives.importance_weighted_bound(
            Mixture(weights, parts), Normal(0.0, 1.0), log_likelihood, **options
        )

    slopes = quick_jit(jax.vmap(jax.grad(bound), (None, 0)))(weights, jax.random.split(KEY, 20_000))
    nodes = np.linspace(-6, 6, 401)
    width = nodes[1] - nodes[0]

    def exact(weights):
        table = jnp.exp(log_normal(nodes[:, None], np.array([[-1.0, 1.0]]), 0.8))
        q = table @ weights
        ratio = jnp.exp(-((nodes - 1) ** 2) + log_normal(nodes, 0.0, 1.0)) / q
        return width**2 * q @ jnp.log((ratio[:, None] + ratio[None]) / 2) @ q

    expected = quick_jit(jax.grad(exact))(weights)
    difference = np.diff(slopes, axis=1)[:, 0]
    assert abs(difference.mean() - (expected[1] - expected[0])) < 5 * difference.std() / math.sqrt(len(difference))


@once
def test_errors():
    q, p, key = Normal(jnp.zeros(3), 1.0), Normal(0.0, 1.0), KEY
    draws = {"key": key, "num_samples": 2}
    for kind in BOUNDS:
        name = BOUNDS[kind][0].__name__
        with pytest.raises(TypeError, match=f"{name}: StickingTheLanding.* is biased"):
            bound_of(kind, q, p, jnp.negative, **draws, gradient=StickingTheLanding())
        with pytest.raises(ValueError, match=f"{name}: num_samples must be an integer of at least 1, got True"):
            bound_of(kind, q, p, jnp.negative, key=key, num_samples=True)
        name = BOUNDS[kind][1].__name__
        with pytest.raises(ValueError, match=f"{name}: axis 2 is out of bounds"):
            of_log_weights(kind, jnp.zeros((2, 3)), axis=2)
        with pytest.raises(TypeError, match=f"{name}: axis must be an integer"):
            of_log_weights(kind, jnp.zeros((2, 3)), axis=(0, 1))
        with pytest.raises(TypeError, match=f"{name}: where must be boolean"):
            of_log_weights(kind, jnp.zeros((2, 3)), where=jnp.ones(3))
        with pytest.raises(ValueError, match=f"{name}: log_weights needs an axis"):
            of_log_weights(kind, 1.0)
        with pytest.raises(ValueError, match=f"{name}: log_weights has no draws"):
            of_log_weights(kind, jnp.zeros((0, 3)))
        with pytest.raises(TypeError, match=f"{name}: log_weights must hold real numbers"):
            of_log_weights(kind, jnp.zeros(3, jnp.complex64))
    mixture = Mixture(jnp.array([[0.5, 0.5]]), Normal(jnp.zeros((1, 2)), 1.0))
    with pytest.raises(TypeError, match="weights are not reparameterised"):
        objectives.importance_weighted_bound(mixture, p, jnp.negative, **draws, gradient=DoublyReparameterized())
    with pytest.raises(TypeError, match="integers"):
        objectives.importance_weighted_bound(
            Categorical(logits=jnp.zeros((3, 2))),
            Categorical(logits=jnp.zeros(2)),
            jnp.negative,
            **draws,
            gradient=DoublyReparameterized(),
        )
    for function, arguments in (
        (objectives.chi_upper_bound, (q, p, jnp.negative)),
        (BOUNDS["chi"][1], (jnp.zeros(3),)),
    ):
        with pytest.raises(ValueError, match=r"order must be at least 1, got 0\.5"):
            function(*arguments, 0.5, **(draws if len(arguments) > 1 else {}))
    assert np.isnan(quick_jit(BOUNDS["chi"][1])(jnp.zeros(3), 0.5))
    for steps in (1.0, jnp.zeros(1), jnp.zeros((2, 2))):
        with pytest.raises(ValueError, match="inverse_temperatures must be a vector"):
            objectives.thermodynamic_bound(q, p, jnp.negative, steps, **draws)
    with pytest.raises(ValueError, match="does not broadcast"):
        objectives.renyi_bound_from_log_weights(jnp.zeros((2, 3)), jnp.zeros(4))
    with pytest.raises(ValueError, match="does not broadcast"):
        objectives.renyi_bound(q, p, jnp.negative, jnp.zeros(4), **draws)
