"""Bins and errors by loops in NumPy, temperatures by SciPy, by hand and by their condition."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import log_softmax, softmax

from jaxinfo import objectives
from jaxinfo.objectives import (
    brier_score_decomposition,
    calibration_bins,
    cross_entropy_loss,
    expected_calibration_error,
    expected_calibration_error_terms,
    optimal_temperature,
)
from tests.marks import once
from tests.quick import quick_jit

EPSILON = float(jnp.finfo(jnp.result_type(float)).eps)
RNG = np.random.default_rng(3)
# Exact in single precision, so that bins agree.
Q = RNG.dirichlet(np.ones(4), size=200).astype(np.float32).astype(float)
LABELS = RNG.integers(0, 4, 200)
KEEP = RNG.random(200) < 0.8


def bins_of(confidence, num_bins, binning):
    """The bin of each forecast, one at a time."""
    if binning == "equal_width":
        edges = (np.arange(1, num_bins) / num_bins).astype(jnp.result_type(float))
        return np.array([sum(x > edges) for x in confidence])
    n = len(confidence)
    ranks = [np.mean(np.flatnonzero(np.sort(confidence) == x)) for x in confidence]
    return np.array([min(int((rank + 0.5) * num_bins / n + 1e-9), num_bins - 1) for rank in ranks])


def events(labels, q, kind):
    """Confidences and hits of each event."""
    if kind == "classwise":
        return [(q[:, k], (labels == k).astype(float)) for k in range(q.shape[1])]
    top = q.argmax(-1)
    return [(q.max(-1), (labels == top).astype(float))]


@pytest.mark.parametrize("binning", ["equal_width", "equal_mass"])
@pytest.mark.parametrize("kind", ["top_label", "classwise"])
@pytest.mark.parametrize("masked", [False, True])
def test_errors_of_bins(binning, kind, masked):
    """Every term, bin by bin; what is masked holds NaN."""
    q = np.where(KEEP[:, None], Q, np.nan) if masked else Q
    options = {"num_bins": 7, "binning": binning, "events": kind, **({"where": KEEP} if masked else {})}
    functions = (expected_calibration_error_terms, calibration_bins, expected_calibration_error)
    found, bins, error = quick_jit(lambda q: tuple(function(LABELS, q, **options) for function in functions))(q)
    labels, q = (LABELS[KEEP], Q[KEEP]) if masked else (LABELS, Q)
    over, under, squared, debiased, largest = [], [], [], [], 0.0
    for event, (confidence, hits) in enumerate(events(labels, q, kind)):
        index = bins_of(confidence, 7, binning)
        sums = np.zeros(4)
        for b in range(7):
            at = index == b
            row = [x[event] if kind == "classwise" else x for x in bins[:3]]
            assert float(row[0][b]) == at.sum()
            if not at.any():
                assert np.isnan(row[1][b])
                continue
            c, f, n = confidence[at].mean(), hits[at].mean(), at.sum()
            np.testing.assert_allclose([row[1][b], row[2][b]], [c, f], rtol=50 * EPSILON)
            noise = f * (1 - f) / (n - 1) if n > 1 else 0
            sums += n / len(index) * np.array([max(c - f, 0), max(f - c, 0), (c - f) ** 2, (c - f) ** 2 - noise])
            largest = max(largest, abs(c - f))
        for kept, value in zip((over, under, squared, debiased), sums, strict=True):
            kept.append(value)
    truth = [
        np.mean(over) + np.mean(under),
        np.mean(over),
        np.mean(under),
        largest,
        np.mean(squared),
        np.mean(debiased),
    ]
    np.testing.assert_allclose(found, truth, rtol=500 * EPSILON, atol=20 * EPSILON)
    np.testing.assert_allclose(error, found.error, rtol=20 * EPSILON)
    if masked:
        np.testing.assert_array_equal(np.asarray(bins.bin_index)[~KEEP], -1)


def test_edges_of_bins():
    """A confidence on an edge is in the bin below, 0 in the first and 1 in the last; equal ones share a bin."""
    confidence = np.array([0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0])
    q = np.stack([confidence, 1 - confidence], -1)
    index = calibration_bins(np.zeros(7, int), q, num_bins=10, events="classwise").bin_index[:, 0]
    np.testing.assert_array_equal(index, [0, 0, 2, 4, 6, 8, 9])
    tied = np.array([0.6, 0.6, 0.6, 0.6, 0.7, 0.8, 0.9, 1.0])
    q = np.stack([tied, 1 - tied], -1)
    find = lambda q, bins: calibration_bins(np.zeros(8, int), q, num_bins=bins, binning="equal_mass").bin_index  # noqa: E731
    np.testing.assert_array_equal(find(q, 2), [0, 0, 0, 0, 1, 1, 1, 1])
    np.testing.assert_array_equal(find(q, 4), [1, 1, 1, 1, 2, 2, 3, 3])
    np.testing.assert_array_equal(find(q[::-1], 4), [3, 3, 2, 2, 1, 1, 1, 1])


def test_bins_are_groups_of_the_decomposition():
    """The squared error of a class's bins is the reliability of the Brier score of the coin, which has two faces."""
    coin = np.stack([1 - Q[:, 0], Q[:, 0]], -1)
    y = (LABELS == 0).astype(int)
    index = calibration_bins(y, coin, num_bins=5, events="classwise").bin_index[:, 1]
    parts = brier_score_decomposition(y, coin, index, num_groups=5)
    counts = [np.flatnonzero(np.asarray(index) == b) for b in range(5)]
    truth = sum(len(at) / 200 * (y[at].mean() - coin[at, 1].mean()) ** 2 for at in counts if len(at))
    np.testing.assert_allclose(parts.reliability, 2 * truth, rtol=1e-5)


def test_overconfidence_and_its_gradient():
    """A forecaster who is sure and right three times in four; bins and classes are held fixed."""
    q = jnp.array([[0.95, 0.05]] * 4)
    labels = jnp.array([0, 0, 0, 1])
    terms = expected_calibration_error_terms(labels, q)
    np.testing.assert_allclose(terms[:4], [0.2, 0.2, 0, 0.2], rtol=1e-6)
    np.testing.assert_allclose(terms.squared, 0.04, rtol=1e-5)
    np.testing.assert_allclose(terms.debiased_squared, 0.04 - 0.75 * 0.25 / 3, rtol=1e-5)
    gradient = jax.grad(lambda q: expected_calibration_error(labels, q))(q)
    np.testing.assert_allclose(gradient, [[0.25, 0]] * 4, rtol=1e-6)


def test_a_calibrated_forecaster_has_no_debiased_error():
    """Labels drawn from the forecasts: the square is above 0 by its bias, the debiased one within its noise."""

    def one(key):
        labels = jax.random.categorical(key, jnp.log(jnp.asarray(Q)))
        terms = expected_calibration_error_terms(labels, Q, num_bins=10, binning="equal_mass")
        return terms.squared, terms.debiased_squared

    squared, debiased = (np.asarray(x) for x in jax.jit(jax.vmap(one))(jax.random.split(jax.random.key(0), 400)))
    error = debiased.std() / 20
    assert abs(debiased.mean()) < 4 * error
    assert squared.mean() > 20 * error


@once
def test_shapes_dtypes_and_nothing():
    half = expected_calibration_error(LABELS, jnp.asarray(Q).astype(jnp.bfloat16))
    assert half.dtype == jnp.bfloat16
    np.testing.assert_allclose(float(half), float(expected_calibration_error(LABELS, Q)), atol=0.02)
    several = jax.vmap(lambda q: expected_calibration_error(LABELS, q))(jnp.asarray(np.stack([Q, Q[:, ::-1]])))
    np.testing.assert_allclose(several[0], expected_calibration_error(LABELS, Q), rtol=1e-5)
    nothing = expected_calibration_error_terms(LABELS, Q, where=jnp.zeros(200, bool))
    assert all(jnp.isnan(part) for part in nothing)


@once
@pytest.mark.parametrize("name", ["calibration_bins", "expected_calibration_error", "expected_calibration_error_terms"])
@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((LABELS, Q), {"num_bins": 0}, ValueError, "num_bins must be a positive integer"),
        ((LABELS, Q), {"num_bins": 1.5}, ValueError, "num_bins must be a positive integer"),
        ((LABELS, Q), {"binning": "quantile"}, ValueError, "binning must be one of 'equal_width', 'equal_mass'"),
        ((LABELS, Q), {"events": "all"}, ValueError, "events must be one of"),
        ((0, Q[0]), {}, ValueError, r"q must be a table \[N, K\]"),
        ((LABELS * 1.0, Q), {}, TypeError, "must be integers"),
        ((LABELS, Q), {"where": KEEP[:3]}, ValueError, "where of shape"),
    ],
)
def test_errors(name, arguments, options, error, message):
    with pytest.raises(error, match=f"{name}: .*{message}"):
        getattr(objectives, name)(*arguments, **options)


# ---------------------------------------------------------------------------------------------------------------------
# Temperatures

LOGITS = RNG.normal(size=(60, 4)) * 3
DRAWN = np.array([RNG.choice(4, p=softmax(z / 2.5)) for z in LOGITS])


def truth_of(labels, logits, weights=None):
    """The root in the inverse temperature, of the mean logit under the model less that of the labels."""
    table = np.eye(logits.shape[-1])[labels] if labels.ndim < logits.ndim else labels
    weights = np.ones(len(logits)) if weights is None else weights
    finite = np.where(np.isfinite(logits), logits, 0)

    def slope(beta):
        q = softmax(np.where(np.isfinite(logits), beta * finite, -np.inf), axis=-1)
        return np.sum(weights * (((q * table.sum(-1, keepdims=True)) - table) * finite).sum(-1))

    return 1 / brentq(slope, 1e-6, 1e4, xtol=1e-15, rtol=1e-14)


def test_temperatures():
    """Labels, tables, weights, masked classes, scales far from one, a batch of models."""
    masked = np.where((np.arange(4) == (DRAWN[:, None] + 1) % 4) & (np.arange(60)[:, None] % 3 == 0), -np.inf, LOGITS)
    table, weights = RNG.dirichlet(np.ones(4), size=60), RNG.integers(0, 3, 60).astype(float)
    table[:5] *= 0.5  # not renormalised
    tolerance = 2000 * EPSILON  # the slope is a mean of sixty differences
    np.testing.assert_allclose(optimal_temperature(DRAWN, LOGITS), truth_of(DRAWN, LOGITS), rtol=tolerance)
    np.testing.assert_allclose(optimal_temperature(DRAWN, masked), truth_of(DRAWN, masked), rtol=tolerance)
    soft = 0.7 * np.eye(4)[DRAWN] + 0.3 * table
    np.testing.assert_allclose(optimal_temperature(soft, LOGITS), truth_of(soft, LOGITS), rtol=tolerance)
    found = optimal_temperature(DRAWN, LOGITS, weights=weights)
    np.testing.assert_allclose(found, truth_of(DRAWN, LOGITS, weights), rtol=tolerance)
    shifted = LOGITS + 5 * RNG.normal(size=(60, 1))
    np.testing.assert_allclose(optimal_temperature(DRAWN, shifted), truth_of(DRAWN, LOGITS), rtol=10 * tolerance)
    scales = jnp.array([1e-6, 1e-2, 1.0, 1e6])
    lanes = jax.vmap(lambda s: optimal_temperature(DRAWN, jnp.asarray(LOGITS) * s))(scales)
    np.testing.assert_allclose(lanes, truth_of(DRAWN, LOGITS) * scales, rtol=tolerance)
    turned = optimal_temperature(DRAWN.reshape(6, 10), LOGITS.reshape(6, 10, 4).transpose(0, 2, 1), axis=1)
    np.testing.assert_allclose(turned, truth_of(DRAWN, LOGITS), rtol=tolerance)


def test_what_is_not_kept_is_not_seen():
    keep = np.arange(60) < 50
    z = jnp.asarray(np.where(keep[:, None], LOGITS, np.nan))
    labels = np.where(keep, DRAWN, 99)
    value, gradient = quick_jit(jax.value_and_grad(lambda z: optimal_temperature(labels, z, where=keep)))(z)
    np.testing.assert_allclose(value, truth_of(DRAWN[keep], LOGITS[keep]), rtol=2000 * EPSILON)
    np.testing.assert_array_equal(gradient[~keep], 0)
    assert np.all(np.isfinite(gradient))


def test_it_minimises():
    """The mean loss is no lower at temperatures a little off, and never above that at 1."""
    best = optimal_temperature(DRAWN, LOGITS)
    losses = [float(jnp.mean(cross_entropy_loss(DRAWN, LOGITS / t))) for t in (best, best * 1.05, best / 1.05, 1.0)]
    assert min(losses[1:]) > losses[0]
    np.testing.assert_allclose(
        losses[0], -log_softmax(LOGITS / float(best), -1)[np.arange(60), DRAWN].mean(), rtol=1e-5
    )


def test_gradient_of_the_root():
    """By central differences of SciPy's root, and Euler: the gradient times the logits is T itself."""
    z = jnp.asarray(LOGITS)
    gradient = np.asarray(quick_jit(jax.grad(lambda z: optimal_temperature(DRAWN, z)))(z))
    np.testing.assert_allclose(np.sum(gradient * LOGITS), truth_of(DRAWN, LOGITS), rtol=1e-4)
    for i, k in ((0, 0), (7, 2)):
        step = np.zeros_like(LOGITS)
        step[i, k] = 1e-4
        difference = (truth_of(DRAWN, LOGITS + step) - truth_of(DRAWN, LOGITS - step)) / 2e-4
        np.testing.assert_allclose(gradient[i, k], difference, rtol=1e-3, atol=1e-6)
    # T(s z) = s T(z): no second derivative in the scale, and forward mode agrees.
    of_scale = lambda s: optimal_temperature(DRAWN, s * z)  # noqa: E731
    np.testing.assert_allclose(
        quick_jit(lambda s: jax.jvp(of_scale, (s,), (1.0,)))(2.0)[1], truth_of(DRAWN, LOGITS), rtol=1e-4
    )
    np.testing.assert_allclose(quick_jit(jax.grad(jax.grad(of_scale)))(2.0), 0, atol=1e-3)


def test_where_there_is_no_best_temperature():
    """All right: 0. No better than chance: infinite. Labels that cannot be: NaN. Gradients are finite."""
    z = jnp.array([[2.0, 1.0, 0.0], [0.0, 1.0, 3.0]])
    both = quick_jit(jax.value_and_grad(lambda z, labels: optimal_temperature(labels, z)))
    find = lambda labels, z: both(z, jnp.array(labels))[0]  # noqa: E731
    assert find([0, 2], z) == 0
    assert find([2, 0], z) == jnp.inf
    assert find([0, 0], jnp.zeros((2, 3))) == jnp.inf
    assert jnp.isnan(find([0, 2], z.at[1, 2].set(-jnp.inf)))
    assert jnp.isnan(find([0, 3], z))
    assert jnp.isnan(find([0, -1], z))
    assert jnp.isnan(optimal_temperature(jnp.array([0, 2]), z, where=jnp.zeros(2, bool)))
    for labels in ([0, 2], [2, 0]):
        np.testing.assert_array_equal(both(z, jnp.array(labels))[1], 0)
    # One wrong by a hair among many that are right: far, but found.
    hair = jnp.array([[4.0, 0.0]] * 20 + [[0.001, 0.0]])
    labels = jnp.array([0] * 20 + [1])
    np.testing.assert_allclose(
        optimal_temperature(labels, hair), truth_of(np.asarray(labels), np.asarray(hair, float)), rtol=1e-3
    )


@once
@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((0, 1.0), {}, ValueError, "axis of classes"),
        ((DRAWN * 1.0, LOGITS), {}, TypeError, "must be integers"),
        ((DRAWN[:3], LOGITS), {}, ValueError, "do not fit logits"),
        ((DRAWN, LOGITS), {"where": np.ones(3, bool)}, ValueError, "where of shape"),
        ((DRAWN, LOGITS), {"axis": 2}, ValueError, "axis 2"),
    ],
)
def test_errors_of_temperatures(arguments, options, error, message):
    with pytest.raises(error, match=f"optimal_temperature: .*{message}"):
        optimal_temperature(*arguments, **options)


@once
def test_half_precision():
    found = optimal_temperature(DRAWN, jnp.asarray(LOGITS).astype(jnp.bfloat16))
    assert found.dtype == jnp.bfloat16
    np.testing.assert_allclose(float(found), truth_of(DRAWN, LOGITS), rtol=0.02)


@once
def test_many_forecasts_in_many_bins_of_equal_mass():
    """A million and more times a thousand is too large for 32 bits; ranks are known here."""
    count, bins = 1_200_000, 1000
    q = jnp.linspace(0.5, 1.0, count)
    table = jnp.stack([q, 1 - q], axis=1)
    found = objectives.calibration_bins(jnp.zeros(count, jnp.int32), table, num_bins=bins, binning="equal_mass")
    # Neighbours that are rounded to one number share a bin.
    assert np.all(np.abs(np.asarray(found.num_forecasts) - count / bins) <= 4)
    assert found.num_forecasts.sum() == count


def test_counts_are_whole_numbers_in_any_dtype():
    q = jnp.tile(jnp.array([[0.75, 0.25]], jnp.bfloat16), (1001, 1))
    found = objectives.calibration_bins(jnp.zeros(1001, jnp.int32), q, num_bins=1)
    assert found.num_forecasts.dtype == jnp.int32
    assert found.num_forecasts[0] == 1001
