"""What the generic tests do not say: generators of one's own, weights as variables, chains, Bregman divergences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxinfo
from jaxinfo import generators, logits
from tests import oracles
from tests import oracles_f_divergences as exact
from tests.quick import quick_jit
from tests.table import default_float


def array(x):
    return np.asarray(x, default_float())


def eps():
    return float(np.finfo(default_float()).eps)


def close(actual, expected, ulps=16):
    """Well-conditioned sums of a few terms around 1."""
    np.testing.assert_allclose(actual, expected, rtol=ulps * eps(), atol=ulps * eps())


P, Q = array([0.1, 0.2, 0.3, 0.4]), array([0.3, 0.25, 0.35, 0.1])
ZEROS_P, ZEROS_Q = array([0.0, 0.5, 0.0, 0.5]), array([0.25, 0.0, 0.0, 0.75])

# --- generators ---------------------------------------------------------------------------------------------------

USUAL = {
    "kullback_leibler": generators.kullback_leibler,
    "reverse_kullback_leibler": generators.reverse_kullback_leibler,
    "jeffreys": generators.jeffreys,
    "jensen_shannon(0.25)": lambda: generators.jensen_shannon(0.25),
    "total_variation": generators.total_variation,
    "squared_hellinger": generators.squared_hellinger,
    "pearson_chi_squared": generators.pearson_chi_squared,
    "neyman_chi_squared": generators.neyman_chi_squared,
    "triangular_discrimination": generators.triangular_discrimination,
    "alpha(0.75)": lambda: generators.alpha(0.75),
    "alpha(-2.0)": lambda: generators.alpha(-2.0),
}
usual = pytest.mark.parametrize("name", USUAL)


@usual
def test_usual_generators(name):
    """On tables, with zeros, from logits, and the function itself, which is 0 with slope 0 at 1."""
    generator = USUAL[name]()
    program = quick_jit(
        lambda p, q, z_p, z_q: (jaxinfo.f_divergence(p, q, generator), logits.f_divergence(z_p, z_q, generator))
    )
    for p, q in ((P, Q), (ZEROS_P, ZEROS_Q), (ZEROS_Q, ZEROS_P)):
        expected = float(exact.f_divergence(oracles.exact(p), oracles.exact(q), name))
        with np.errstate(divide="ignore"):
            from_tables, from_logits = program(p, q, np.log(p), np.log(q))
        close(from_tables, expected)
        close(from_logits, expected, ulps=32)
    form = exact.textbook(name)
    t = array([0.5, 2.0])
    expected = form.f(oracles.exact(t)) - form.at_one * (oracles.exact(t) - 1)
    close(generator.f(t), expected.astype(np.float64))
    assert float(generator.f(jnp.ones(()))) == 0
    np.testing.assert_allclose(
        [generator.at_zero, generator.slope_at_infinity],
        [float(form.at_zero + form.at_one), float(form.at_infinity - form.at_one)],
        rtol=1e-12,
    )


@usual
def test_equal_generators_are_one(name):
    first, second = USUAL[name](), USUAL[name]()
    assert first == second
    assert hash(first) == hash(second)
    jaxinfo.f_divergence(P, Q, first)
    with jax.no_tracing():
        jaxinfo.f_divergence(P, Q, second)
    assert len({USUAL[other]() for other in USUAL}) == len(USUAL)


def test_alpha_goes_through_both_kullback_leibler():
    for alpha, reference in ((1, generators.kullback_leibler()), (0.0, generators.reverse_kullback_leibler())):
        expected = jaxinfo.f_divergence(P, Q, reference)
        np.testing.assert_allclose(jaxinfo.f_divergence(P, Q, generators.alpha(alpha)), expected, rtol=8 * eps())
        near = jaxinfo.f_divergence(P, Q, generators.alpha(alpha + 1e-9))
        np.testing.assert_allclose(near, expected, rtol=1e-7 + 8 * eps())


def relative_entropy(t):
    return t * jnp.log(t)


def cube(t):
    return t**3 - 1


def test_a_generator_of_ones_own():
    """Less its tangent; the limits at zeros; gradients that are 0 or infinite there; never negative, 0 at p = q."""
    own = generators.Generator(relative_entropy, 0.0, float("inf"))
    for p, q in ((P, Q), (P, 2 * Q), (ZEROS_P, array([0.25, 0.25, 0.0, 0.5]))):
        close(jaxinfo.f_divergence(p, q, own), float(oracles.kl_divergence(oracles.exact(p), oracles.exact(q))))
        actual = jax.grad(lambda p, q: jaxinfo.f_divergence(p, q, own), (0, 1))(p, q)
        for a, b in zip(actual, oracles.kl_divergence_gradient(oracles.exact(p), oracles.exact(q)), strict=True):
            close(a, b.astype(np.float64), ulps=32)
    assert jaxinfo.f_divergence(ZEROS_P, ZEROS_Q, own) == jnp.inf
    np.testing.assert_array_equal(jaxinfo.f_divergence(P, P, own), 0)
    assert jaxinfo.f_divergence(P, P * array(1 + 1e-6), own) >= 0
    assert np.isnan(jaxinfo.f_divergence(P, -Q, own))
    with np.errstate(divide="ignore"):
        close(logits.f_divergence(np.log(P), np.log(Q), own), float(exact.f_divergence(
            oracles.exact(P), oracles.exact(Q), "kullback_leibler")), ulps=32)  # fmt: skip
        assert logits.f_divergence(np.log(ZEROS_P), np.log(ZEROS_Q), own) == jnp.inf
    hessian = jax.hessian(lambda p: jaxinfo.f_divergence(p, Q, own))(P)
    close(hessian, np.diag(1 / P.astype(np.float64)), ulps=64)


def test_the_slope_at_zero_of_a_generator_of_ones_own():
    own = generators.Generator(cube, -1.0, float("inf"))
    slope = jax.grad(lambda p: jaxinfo.f_divergence(p, Q, own))(array([0.0, 0.25, 0.25, 0.5]))
    close(slope[0], -3.0)  # f'(0) - f'(1)


def test_generator_errors():
    with pytest.raises(TypeError, match="Generator: f"):
        generators.Generator(1.0, 0.0, 0.0)  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError, match="Generator: at_zero"):
        generators.Generator(cube, "0", 0.0)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="Generator: slope_at_infinity"):
        generators.Generator(cube, 0.0, float("nan"))
    with pytest.raises(ValueError, match=r"jensen_shannon: weight .* 1.5"):
        generators.jensen_shannon(1.5)
    with pytest.raises(ValueError, match=r"alpha: alpha must be finite, got inf"):
        generators.alpha(float("inf"))
    for function in (jaxinfo.f_divergence, logits.f_divergence):
        with pytest.raises(TypeError, match=r"f_divergence: generator .*call it: jeffreys\(\)"):
            function(P, Q, generators.jeffreys)


# --- the weight of the skew divergence ------------------------------------------------------------------------------


def weight_slope(p, q, weight, step=1e-12):
    """By differences of the definition at 60 digits, one-sided at the ends."""
    ends = (min(weight + step, 1.0), max(weight - step, 0.0))
    high, low = (exact.skew_jensen_shannon_divergence(oracles.exact(p), oracles.exact(q), w) for w in ends)
    return float((high - low) / (oracles.mpf(ends[0]) - oracles.mpf(ends[1])))


@pytest.mark.parametrize("weight", [0.0, 1e-6, 0.25, 0.5, 1.0])
def test_the_derivative_in_the_weight(weight):
    expected = weight_slope(P, Q, weight)
    w = array(weight)
    table = jax.grad(lambda w: jaxinfo.skew_jensen_shannon_divergence(P, Q, weight=w))(w)
    from_logits = jax.grad(lambda w: logits.skew_jensen_shannon_divergence(np.log(P), np.log(Q), weight=w))(w)
    # The difference quotient is off by 1e-12 times the second derivative.
    np.testing.assert_allclose(table, expected, rtol=1e-10 + 32 * eps())
    np.testing.assert_allclose(from_logits, expected, rtol=1e-10 + 64 * eps())
    second = jax.grad(jax.grad(lambda w: jaxinfo.skew_jensen_shannon_divergence(P, Q, weight=w)))(w)
    step = 1e-5
    inside = min(max(weight, step), 1 - step)
    reference = (weight_slope(P, Q, inside + step / 2) - weight_slope(P, Q, inside - step / 2)) / step
    np.testing.assert_allclose(second, reference, rtol=1e-3)


def test_the_weight_where_the_value_is_infinite():
    value, slope = jax.value_and_grad(lambda w: jaxinfo.skew_jensen_shannon_divergence(ZEROS_P, ZEROS_Q, weight=w))(
        array(0.0)
    )
    assert (value, slope) == (jnp.inf, -jnp.inf)
    with pytest.raises(ValueError, match=r"skew_jensen_shannon_divergence: weight .* 1.5"):
        jaxinfo.skew_jensen_shannon_divergence(P, Q, weight=1.5)
    assert np.isnan(jax.jit(lambda w: jaxinfo.skew_jensen_shannon_divergence(P, Q, weight=w))(1.5))


# --- conditional tables and chains ----------------------------------------------------------------------------------


def test_an_x_that_never_occurs_may_be_anything():
    p, q = array([[np.nan, np.nan], [0.5, 0.5]]), array([[0.5, 0.5], [0.25, 0.75]])
    weights = array([0.0, 1.0])
    for function, given in ((jaxinfo.conditional_kl_divergence, (p, q)), (logits.conditional_kl_divergence, (p, q))):
        value, gradients = jax.value_and_grad(function, (0, 1, 2))(*given, weights)
        assert np.isfinite(value)
        assert all(np.isfinite(g).all() for g in gradients)


def test_the_chain_rule():
    joint_p, joint_q = array([[0.1, 0.2], [0.3, 0.4]]), array([[0.3, 0.25], [0.35, 0.1]])
    p_x, q_x = joint_p.sum(-1), joint_q.sum(-1)
    rest = jaxinfo.conditional_kl_divergence(joint_p / p_x[:, None], joint_q / q_x[:, None], p_x)
    close(jaxinfo.kl_divergence(p_x, q_x) + rest, jaxinfo.kl_divergence(joint_p, joint_q, axis=None))


def test_the_entropy_rate_of_two_states():
    """(b h(a) + a h(b)) / (a + b), also where the chain hardly moves."""
    for a, b in ((0.25, 0.5), (1e-6, 1e-3), (1.0, 1.0), (1.0, 0.5)):
        table = array([[1 - a, a], [b, 1 - b]])
        h = [float(oracles.entropy(oracles.exact(row))) for row in table]  # of the rounded table
        a, b = (float(table[0, 1]), float(table[1, 0]))  # noqa: PLW2901
        np.testing.assert_allclose(jaxinfo.entropy_rate(table), (b * h[0] + a * h[1]) / (a + b), rtol=8 * eps())


def test_chains_with_several_closed_classes():
    several = array([[1.0, 0.0, 0.0], [0.0, 0.5, 0.5], [0.0, 0.5, 0.5]])
    assert np.isnan(jaxinfo.entropy_rate(several))
    close(jaxinfo.entropy_rate(several, stationary=array([0.5, 0.25, 0.25]), base=2), 0.5)
    leads_to_both = array([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    assert np.isnan(jaxinfo.entropy_rate(leads_to_both))


def test_entropy_rate_errors():
    with pytest.raises(ValueError, match=r"entropy_rate: transition must be square.*\(2, 3\)"):
        jaxinfo.entropy_rate(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"entropy_rate"):
        jaxinfo.entropy_rate(np.eye(2), stationary=np.ones(3))


# --- Bregman divergences --------------------------------------------------------------------------------------------


def negative_entropy(x):
    return jnp.sum(x * jnp.log(x))


def burg(x):
    return -jnp.sum(jnp.log(x))


def squared_norm(x):
    return jnp.sum(x * x)


def test_bregman_divergences_with_a_name():
    close(jaxinfo.bregman_divergence(P, Q, negative_entropy), jaxinfo.kl_divergence(P, Q))
    close(jaxinfo.bregman_divergence(P, Q, squared_norm), np.sum((P - Q) ** 2))
    ratio = P / Q
    close(jaxinfo.bregman_divergence(P, Q, burg), np.sum(ratio - np.log(ratio) - 1), ulps=64)
    np.testing.assert_array_equal(jaxinfo.bregman_divergence(P, P, burg), 0)


def test_bregman_derivatives():
    function = lambda p, q: jaxinfo.bregman_divergence(p, q, negative_entropy)  # noqa: E731
    in_p, in_q = jax.grad(function, (0, 1))(P, Q)
    close(in_p, np.log(P / Q))
    close(in_q, 1 - P / Q, ulps=64)
    close(jax.hessian(function)(P, P), np.diag(1 / P.astype(np.float64)), ulps=64)


def test_bregman_of_a_matrix_that_is_learned():
    matrix = array(np.eye(4) + 0.5)

    def value(matrix):
        return jaxinfo.bregman_divergence(P, Q, lambda x: x @ matrix @ x)

    close(value(matrix), (P - Q) @ matrix @ (P - Q))
    close(jax.jit(jax.grad(value))(matrix), np.outer(P - Q, P - Q))


def test_bregman_axes_and_errors():
    p, q = array(np.arange(24.0).reshape(2, 3, 4)), array(np.ones((3, 4)))
    expected = np.sum((p - q) ** 2, axis=(0, 2))
    close(jaxinfo.bregman_divergence(p, np.broadcast_to(q, p.shape), squared_norm, axis=(0, 2)), expected)
    kept = jaxinfo.bregman_divergence(p, np.broadcast_to(q, p.shape), squared_norm, axis=(0, -1), keepdims=True)
    close(kept, expected[None, :, None])
    close(jaxinfo.bregman_divergence(p, q, squared_norm), np.sum((p - q) ** 2, axis=-1))
    with pytest.raises(TypeError, match="bregman_divergence: generator"):
        jaxinfo.bregman_divergence(P, Q, 3)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match=r"bregman_divergence: generator .*\(4,\)"):
        jaxinfo.bregman_divergence(P, Q, jnp.square)
