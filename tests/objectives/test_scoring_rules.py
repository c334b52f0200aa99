"""Scores by their definitions, the spherical rule by hand, and decompositions by grouping in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import rel_entr, xlogy

import jaxinfo
from jaxinfo import objectives
from tests.marks import once

EPSILON = float(jnp.finfo(jnp.result_type(float)).eps)
RNG = np.random.default_rng(2)
P, Q = RNG.dirichlet(np.ones(3), size=4), RNG.dirichlet(np.ones(3), size=4)
LABELS = np.array([0, 2, 1, 1])
CLOSE = {"rtol": 50 * EPSILON, "atol": 10 * EPSILON}


def brier(y, q):
    return ((q - np.eye(q.shape[-1])[y]) ** 2).sum(-1)


def log(y, q):
    return -np.log(np.take_along_axis(q, y[..., None], -1)[..., 0])


RULES = {
    "brier": (brier, objectives.brier_score, objectives.brier_score_terms, objectives.brier_score_decomposition),
    "log": (log, objectives.log_score, objectives.log_score_terms, objectives.log_score_decomposition),
}


@pytest.mark.parametrize("rule", RULES)
def test_scores_and_their_means(rule):
    """The mean of the scores of outcomes, each by its probability, is the score of the table, and two parts."""
    truth, score, terms, _ = RULES[rule]
    np.testing.assert_allclose(score(LABELS, Q), truth(LABELS, Q), **CLOSE)
    np.testing.assert_allclose(score(LABELS, Q.T, axis=0), truth(LABELS, Q), **CLOSE)
    of_outcomes = np.stack([truth(np.full(4, k), Q) for k in range(3)], -1)
    mean = (P * of_outcomes).sum(-1)
    np.testing.assert_allclose(score(P, Q), mean, **CLOSE)
    parts = terms(P, Q)
    np.testing.assert_allclose(parts.score, mean, **CLOSE)
    own = (P * np.stack([truth(np.full(4, k), P) for k in range(3)], -1)).sum(-1)
    np.testing.assert_allclose(parts.entropy, own, **CLOSE)
    np.testing.assert_allclose(parts.divergence, mean - own, rtol=1e-5)
    np.testing.assert_array_equal(terms(P, P).divergence, 0)
    assert terms(P[0], Q).score.shape == (4,)


def test_parts_of_the_rules():
    np.testing.assert_allclose(
        objectives.log_score_terms(P, Q, base=2).divergence, rel_entr(P, Q).sum(-1) / np.log(2), rtol=1e-6
    )
    np.testing.assert_allclose(objectives.brier_score_terms(P, Q).divergence, ((P - Q) ** 2).sum(-1), **CLOSE)
    np.testing.assert_allclose(objectives.log_score(LABELS, Q, base=2), log(LABELS, Q) / np.log(2), **CLOSE)


def test_boundary():
    q = jnp.array([[1.0, 0.0], [1.0, 0.0], [0.5, 0.5], [0.5, 0.5]])
    labels = jnp.array([0, 1, 2, -1])
    np.testing.assert_array_equal(objectives.log_score(labels, q), [0, np.inf, np.nan, np.nan])
    np.testing.assert_array_equal(objectives.brier_score(labels, q), [0, 2, np.nan, np.nan])
    gradient = jax.grad(lambda q: jnp.sum(objectives.brier_score(labels[:2], q)))(q[:2])
    np.testing.assert_array_equal(gradient, [[0, 0], [2, -2]])
    slope = jax.grad(lambda q: objectives.log_score(1, q))(jnp.array([0.75, 0.25]))
    np.testing.assert_allclose(slope, [0, -4])
    assert objectives.log_score_terms(q[2], q[0]).divergence == jnp.inf


def negative_entropy(x):
    return jnp.sum(x * jnp.log(x))


def squared_norm(x):
    return jnp.sum(x**2)


def norm(x):
    return jnp.sqrt(jnp.sum(x**2))


def test_rule_of_a_convex_function():
    """Savage's form: the log score, Brier's less one, and the spherical score -q_y / |q|."""
    found = objectives.proper_score_terms(P, Q, negative_entropy)
    np.testing.assert_allclose(found.score, -xlogy(P, Q).sum(-1), rtol=1e-5)
    np.testing.assert_allclose(found.entropy, -xlogy(P, P).sum(-1), **CLOSE)
    found = objectives.proper_score_terms(P, Q, squared_norm)
    of_brier = (P * np.stack([brier(np.full(4, k), Q) for k in range(3)], -1)).sum(-1)
    np.testing.assert_allclose(found.score, of_brier - 1, rtol=1e-5)
    spherical = objectives.proper_score_terms(P.T, Q.T, norm, axis=0)
    np.testing.assert_allclose(spherical.score, -(P * Q).sum(-1) / np.linalg.norm(Q, axis=-1), rtol=1e-5)
    # The forecaster's best is the truth: the gradient along the simplex is 0 there.
    gradient = jax.grad(lambda q: objectives.proper_score_terms(P[0], q, norm).score)(jnp.asarray(P[0]))
    np.testing.assert_allclose(gradient - gradient.mean(), 0, atol=1e-6)


# ---------------------------------------------------------------------------------------------------------------------
# Decompositions

COUNT, GROUPS = 40, 5
INDEX = RNG.integers(0, GROUPS - 1, COUNT)  # the last group is empty
OUTCOMES = RNG.integers(0, 3, COUNT)
OF_GROUP = RNG.dirichlet(np.ones(3), size=GROUPS)
DIVERGENCES = {"brier": lambda p, q: ((p - q) ** 2).sum(-1), "log": lambda p, q: rel_entr(p, q).sum(-1)}
ENTROPIES = {"brier": lambda p: 1 - (p**2).sum(-1), "log": lambda p: -xlogy(p, p).sum(-1)}


def murphy(rule, y, q, index, weights):
    """Uncertainty, resolution and reliability, group by group."""
    divergence, mean = DIVERGENCES[rule], np.average(y, axis=0, weights=weights)
    resolution = reliability = 0.0
    for g in range(GROUPS):
        at = (index == g) & (weights > 0)
        if at.any():
            outcome, forecast = (np.average(x[at], axis=0, weights=weights[at]) for x in (y, q))
            share = weights[at].sum() / weights.sum()
            resolution += share * divergence(outcome, mean)
            reliability += share * divergence(outcome, forecast)
    return ENTROPIES[rule](mean), resolution, reliability


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("kind", ["all", "where", "weights"])
def test_decomposition_of_grouped_forecasts(rule, kind):
    """Exact where the forecasts of a group are equal: the spread is 0."""
    truth, *_, decompose = RULES[rule]
    q, weights = OF_GROUP[INDEX], np.ones(COUNT)
    options = {}
    if kind == "where":
        options["where"] = RNG.random(COUNT) < 0.7
        weights = options["where"].astype(float)
        q = np.where(weights[:, None] > 0, q, np.nan)
    if kind == "weights":
        options["weights"] = weights = RNG.integers(0, 4, COUNT).astype(float)
    parts = decompose(OUTCOMES, q, INDEX, num_groups=GROUPS, **options)
    y = np.eye(3)[OUTCOMES]
    uncertainty, resolution, reliability = murphy(rule, y, np.nan_to_num(q), INDEX, weights)
    np.testing.assert_allclose(parts.uncertainty, uncertainty, **CLOSE)
    np.testing.assert_allclose(parts.resolution, resolution, rtol=1e-5)
    np.testing.assert_allclose(parts.reliability, reliability, rtol=1e-5)
    scores = truth(OUTCOMES, np.nan_to_num(q, nan=0.5))
    np.testing.assert_allclose(parts.score, (weights * scores).sum() / weights.sum(), **CLOSE)
    np.testing.assert_allclose(parts.spread, 0, atol=20 * EPSILON)
    np.testing.assert_allclose(parts.score, uncertainty - resolution + reliability, rtol=100 * EPSILON)


@pytest.mark.parametrize("rule", RULES)
def test_decomposition_of_any_forecasts(rule):
    """The parts sum to the score, with soft outcomes and forecasts that differ within groups."""
    *_, decompose = RULES[rule]
    y, q = RNG.dirichlet(np.ones(3), size=COUNT), RNG.dirichlet(np.ones(3), size=COUNT)
    index = np.where(np.arange(COUNT) < 3, -1, INDEX)  # dropped
    kept = index >= 0
    parts = jax.jit(lambda q: decompose(y, q, index, num_groups=GROUPS))(q)
    uncertainty, resolution, reliability = murphy(rule, y[kept], q[kept], index[kept], np.ones(kept.sum()))
    np.testing.assert_allclose(parts.reliability, reliability, rtol=1e-5)
    np.testing.assert_allclose(parts.resolution, resolution, rtol=1e-5)
    mean = {"log": lambda: -xlogy(y, q), "brier": lambda: y * (1 - 2 * q) + q**2}[rule]().sum(-1)[kept].mean()
    np.testing.assert_allclose(parts.score, mean, **CLOSE)
    np.testing.assert_allclose(parts.spread, mean - uncertainty + resolution - reliability, rtol=1e-4)
    gradient = jax.grad(lambda q: sum(decompose(y, q, index, num_groups=GROUPS)[3:]))(jnp.asarray(q))
    slope = {"log": -y / q, "brier": 2 * (q - y)}[rule] / kept.sum() * kept[:, None]
    along = lambda x: x - x.mean(-1, keepdims=True)  # noqa: E731
    np.testing.assert_allclose(along(gradient), along(slope), rtol=1e-3, atol=1e-5)


def test_resolution_is_mutual_information():
    parts = objectives.log_score_decomposition(OUTCOMES, OF_GROUP[INDEX], INDEX, num_groups=GROUPS, base=2)
    joint = np.zeros((3, GROUPS))
    np.add.at(joint, (OUTCOMES, INDEX), 1 / COUNT)
    np.testing.assert_allclose(parts.resolution, jaxinfo.mutual_information(joint, base=2), rtol=1e-5)


def test_impossible_outcomes():
    """What was given no chance came about: infinite, and where others in the group differ not unreliable."""
    q = jnp.array([[0.0, 1.0], [1.0, 0.0], [0.5, 0.5]])
    parts = objectives.log_score_decomposition(jnp.array([0, 0, 1]), q, jnp.array([0, 0, 1]), num_groups=2)
    np.testing.assert_array_equal([parts.score, parts.spread], np.inf)
    np.testing.assert_allclose(parts.reliability, (2 * np.log(2) + np.log(2)) / 3, rtol=1e-6)
    alone = objectives.log_score_decomposition(jnp.array([0, 1]), q[::2], jnp.array([0, 1]), num_groups=2)
    np.testing.assert_array_equal([alone.score, alone.reliability], np.inf)
    assert alone.spread == 0
    nothing = objectives.brier_score_decomposition(jnp.array([-1]), q[:1], jnp.array([3]), num_groups=2)
    assert jnp.isnan(nothing.score)


def test_batches_and_half_precision():
    q = jnp.asarray(np.stack([OF_GROUP[INDEX], OF_GROUP[::-1][INDEX]]))
    one = lambda q: objectives.brier_score_decomposition(OUTCOMES, q, INDEX, num_groups=GROUPS).reliability  # noqa: E731
    np.testing.assert_allclose(jax.vmap(one)(q), [one(x) for x in q], rtol=1e-5)
    half = objectives.brier_score_decomposition(OUTCOMES, q[0].astype(jnp.bfloat16), INDEX, num_groups=GROUPS)
    assert {part.dtype for part in half} == {jnp.dtype(jnp.bfloat16)}
    np.testing.assert_allclose(np.asarray(half.score, np.float32), brier(OUTCOMES, OF_GROUP[INDEX]).mean(), rtol=1e-2)
    assert objectives.log_score(LABELS, jnp.asarray(Q).astype(jnp.float16)).dtype == jnp.float16


@once
@pytest.mark.parametrize(
    ("function", "arguments", "options", "error", "message"),
    [
        ("log_score", (np.zeros(4), Q), {}, TypeError, "must be integers"),
        ("log_score", (np.zeros((2, 4, 3)), Q), {}, ValueError, "with an axis less than q"),
        ("brier_score", (np.zeros((4, 2)), Q), {}, ValueError, "shapes do not broadcast"),
        ("brier_score", (LABELS[:3], Q), {}, ValueError, "shapes do not broadcast"),
        ("log_score_terms", (P, Q), {"base": 1}, ValueError, "base must be"),
        ("brier_score_terms", (P[:3], Q), {}, ValueError, "shapes do not broadcast"),
        ("brier_score_decomposition", (LABELS, Q, LABELS), {"num_groups": 0}, ValueError, "num_groups must be"),
        ("brier_score_decomposition", (LABELS, Q, Q[:, 0]), {"num_groups": 3}, TypeError, "groups must be integers"),
        ("log_score_decomposition", (LABELS, Q, LABELS[:2]), {"num_groups": 3}, ValueError, "groups must have shape"),
        ("log_score_decomposition", (0, Q[0], 0), {"num_groups": 3}, ValueError, r"q must be a table \[N, K\]"),
    ],
)
def test_errors(function, arguments, options, error, message):
    with pytest.raises(error, match=f"{function}: .*{message}"):
        getattr(objectives, function)(*arguments, **options)
