"""What the generic tests do not say about logits: slopes of infinite values, offsets, confident answers, labels."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxinfo import logits
from tests import oracles
from tests.table import default_float

INF = np.inf


def array(x):
    return np.asarray(x, default_float())


def eps():
    return float(np.finfo(default_float()).eps)


def close(actual, expected, ulps=16):
    """Well-conditioned sums of a few terms around 1."""
    np.testing.assert_allclose(actual, expected, rtol=ulps * eps(), atol=ulps * eps())


def softmax(z):
    """Probabilities from the oracle, in float64."""
    return oracles.normalise(oracles.exact(z))[0].astype(np.float64)


PAIRS = {
    "both finite": ([0.5, -1.0, 2.0], [1.0, 0.5, -0.5]),
    "q masked where p has mass": ([0.5, -1.0, 2.0], [1.0, 0.5, -INF]),
    "disjoint": ([0.5, -INF, -INF], [-INF, 0.5, 1.0]),
    "p masked": ([0.5, -INF, 2.0], [1.0, 0.5, -0.5]),
    "both masked": ([0.5, -INF, 2.0], [1.0, -INF, -0.5]),
    "close": ([0.5, -1.0, 2.0], [0.5001, -1.0001, 2.0]),
    "far apart": ([300.0, 0.0, -300.0], [-300.0, 0.0, 300.0]),
}


@pytest.mark.parametrize("label", PAIRS)
@pytest.mark.parametrize("name", ["kl_divergence", "cross_entropy"])
@pytest.mark.parametrize("jacobian", [jax.jacrev, jax.jacfwd], ids=["reverse", "forward"])
def test_slope_in_q_is_the_difference_of_softmaxes_always(name, label, jacobian):
    """Finite and right also where the value is infinite."""
    z_p, z_q = map(array, PAIRS[label])
    slope = np.asarray(jacobian(getattr(logits, name), 1)(z_p, z_q))
    expected = softmax(z_q) - softmax(z_p)
    close(slope, expected)


@pytest.mark.parametrize("label", PAIRS)
def test_slopes_vanish_at_masked_logits_without_mass(label):
    z_p, z_q = map(array, PAIRS[label])
    for name in ("kl_divergence", "cross_entropy", "jeffreys_divergence", "jensen_shannon_divergence"):
        slopes = jax.grad(getattr(logits, name), (0, 1))(z_p, z_q)
        for slope in slopes:
            assert np.isfinite(slope).all(), name
            assert (np.asarray(slope)[np.isinf(z_p) & np.isinf(z_q)] == 0).all(), name
        if name != "jeffreys_divergence":  # KL(q | p) has the slope softmax(p) - softmax(q) at p's masks too
            assert (np.asarray(slopes[0])[np.isinf(z_p)] == 0).all(), name


def test_mixing_with_probabilities_has_the_same_slope():
    p, z_q = array([0.25, 0.25, 0.5]), array([0.5, -INF, 1.0])
    for function in (logits.cross_entropy_from_probs, logits.kl_divergence_from_probs):
        assert function(p, z_q) == jnp.inf
        close(jax.grad(function, 1)(p, z_q), softmax(z_q) - p)
        # p is a table: its infinite coordinate says so.
        slope = jax.grad(function)(p, z_q)
        assert slope[1] == jnp.inf
        assert np.isfinite(slope[::2]).all()


def test_slope_of_a_label():
    z = array([0.5, -INF, 2.0])
    for label in range(3):
        slope = jax.grad(lambda x, y=label: logits.cross_entropy_from_labels(jnp.int32(y), x))(z)
        close(slope, softmax(z) - np.eye(3)[label])


def test_second_derivative_of_the_divergence_in_q_is_the_fisher_information():
    for pair in PAIRS.values():
        z_p, z_q = map(array, pair)
        q = softmax(z_q)
        fisher = np.diag(q) - np.outer(q, q)
        close(jax.hessian(logits.kl_divergence, 1)(z_p, z_q), fisher)


# --- offsets ----------------------------------------------------------------------------------------------------


def test_an_offset_changes_nothing():
    """Bitwise, where adding it rounds nothing."""
    generator = np.random.default_rng(0)
    z_p, z_q = array(generator.integers(-64, 64, (2, 5, 8)) / 16)
    for name in ("kl_divergence", "cross_entropy", "jeffreys_divergence", "jensen_shannon_divergence"):
        function = getattr(logits, name)
        np.testing.assert_array_equal(function(z_p + array(512), z_q - array(256)), function(z_p, z_q), err_msg=name)
    for name in ("entropy", "perplexity", "surprisal"):
        function = getattr(logits, name)
        np.testing.assert_array_equal(function(z_p + array(512)), function(z_p), err_msg=name)


def test_equal_up_to_an_offset_is_exactly_zero_apart():
    z = array(np.random.default_rng(1).integers(-64, 64, (5, 8)) / 16)
    for name in ("kl_divergence", "jeffreys_divergence", "jensen_shannon_divergence", "jensen_shannon_distance"):
        np.testing.assert_array_equal(getattr(logits, name)(z, z + array(32)), 0, err_msg=name)


# --- confident answers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gap", [0.0, 5.0, 20.0, 50.0, 80.0])
def test_a_confident_right_answer_keeps_its_digits(gap):
    """-log p of the likely entry is log(1 + sum of others), far below one ulp of 1."""
    z = array([gap, 0.0, -1.0, -INF])
    expected = float(oracles.logits_surprisal(oracles.exact(z))[0])
    # 8 ulp times the condition number, which is the gap.
    allowed = 8 * eps() * max(1.0, gap)
    for actual in (
        logits.surprisal(z)[0],
        logits.cross_entropy_from_labels(np.int32(0), z),
        logits.cross_entropy(array([0.0, -INF, -INF, -INF]), z),
        logits.cross_entropy_from_probs(array([1.0, 0.0, 0.0, 0.0]), z),
    ):
        assert abs(float(actual) / expected - 1) <= allowed
    entropy = float(oracles.logits_entropy(oracles.exact(z)))
    assert abs(float(logits.entropy(z)) / entropy - 1) <= allowed
    slope = jax.grad(logits.cross_entropy_from_labels, 1)(np.int32(0), z)
    close(slope, softmax(z) - np.eye(4)[0])


def test_a_probability_that_underflows_is_no_zero():
    """A finite logit has mass: the divergence is large, not infinite."""
    z_p, z_q = array([0.0, 0.0]), array([0.0, -5000.0])
    expected = float(oracles.logits_kl_divergence(oracles.exact(z_p), oracles.exact(z_q)))
    np.testing.assert_allclose(logits.kl_divergence(z_p, z_q), expected, rtol=4 * eps())
    assert logits.is_absolutely_continuous(z_p, z_q)
    assert logits.surprisal(z_q)[1] == 5000.0


# --- labels -----------------------------------------------------------------------------------------------------


def test_labels_that_are_no_outcome_are_nan_in_their_row():
    z = array([[0.5, -1.0, 2.0]] * 5)
    found = np.asarray(logits.cross_entropy_from_labels(np.asarray([0, 3, -1, 2, -3], np.int32), z))
    np.testing.assert_array_equal(np.isnan(found), [False, True, True, False, True])


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.int32, np.uint32])
def test_labels_of_any_integer_dtype(dtype):
    z = array([[0.5, -1.0, 2.0], [0.0, 1.0, 0.0]])
    expected = [float(oracles.logits_surprisal(oracles.exact(row))[k]) for row, k in zip(z, (2, 1), strict=True)]
    close(logits.cross_entropy_from_labels(np.asarray([2, 1], dtype), z), expected)


def test_labels_beyond_the_range_of_their_dtype():
    """More classes than the labels' dtype can count."""
    z = array(np.random.default_rng(2).normal(size=(2, 300)))
    expected = [float(oracles.logits_surprisal(oracles.exact(row))[k]) for row, k in zip(z, (100, 127), strict=True)]
    close(logits.cross_entropy_from_labels(np.asarray([100, 127], np.int8), z), expected, ulps=32)
    close(
        jax.grad(lambda x: jnp.sum(logits.cross_entropy_from_labels(np.asarray([100, 127], np.int8), x)))(z),
        np.stack([softmax(row) for row in z]) - np.eye(300)[[100, 127]],
    )


def test_a_masked_label_is_infinite():
    z = array([0.5, -1.0, 2.0])
    assert logits.cross_entropy_from_labels(np.int32(1), z, where=np.asarray([True, False, True])) == jnp.inf


# --- whole tables -----------------------------------------------------------------------------------------------


def test_joint_entropy_takes_the_whole_table_unless_told():
    z = array(np.random.default_rng(3).normal(size=(2, 3, 4)))
    close(logits.joint_entropy(z), float(oracles.logits_entropy(oracles.exact(z))))
    close(logits.joint_entropy(z, axis=(1, 2)), [float(oracles.logits_entropy(oracles.exact(t))) for t in z])
    assert logits.joint_entropy(z, keepdims=True).shape == (1, 1, 1)


def test_stacked_mixtures():
    z = array(np.random.default_rng(4).normal(size=(3, 4)))
    weights = array([0.5, 0.25, 0.25])
    expected = float(oracles.logits_mixture_jensen_shannon(oracles.exact(z), weights))
    close(logits.jensen_shannon_divergence(z, weights=weights), expected)
    close(logits.jensen_shannon_distance(z, weights=weights), np.sqrt(expected))
    close(logits.jensen_shannon_divergence(z.T, weights=weights, mixture_axis=1, axis=0), expected)


def test_nothing_is_a_positive_zero():
    """No entropy prints as -0."""
    point = array([0.0, -INF])
    square = array([[0.5, -INF], [-INF, 0.5]])
    values = [
        logits.surprisal(point)[0],
        logits.entropy(point),
        logits.cross_entropy(point, point),
        logits.kl_divergence(point, point),
        logits.jeffreys_divergence(point, point),
        logits.jensen_shannon_divergence(point, point),
        logits.jensen_shannon_distance(point, point),
        logits.binary_entropy(array(INF)),
        logits.binary_entropy(array(-INF)),
        logits.joint_entropy(point),
        logits.conditional_entropy(square),
        logits.cross_entropy_from_labels(np.int32(0), point),
        logits.cross_entropy_from_probs(array([1.0, 0.0]), point),
        logits.kl_divergence_from_probs(array([1.0, 0.0]), point),
    ]
    for i, value in enumerate(values):
        assert value == 0, i
        assert not np.signbit(value), i


def test_infinite_and_nan_logits_stay_in_their_row():
    z = array([[0.0, 1.0], [0.0, INF], [0.0, np.nan], [-INF, -INF], [2.0, 1.0]])
    found = np.asarray(logits.entropy(z))
    np.testing.assert_array_equal(np.isnan(found), [False, True, True, True, False])
    gradient = np.asarray(jax.grad(lambda x: jnp.sum(logits.entropy(x)))(z))
    assert np.isfinite(gradient[[0, 4]]).all()
