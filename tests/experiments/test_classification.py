"""The Titanic by counting in NumPy and by SciPy's optimiser, the files of a short run, and what its numbers must be."""

import json
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from bokeh_sampledata import titanic
from PIL import Image
from scipy import optimize

from experiments import _digits_classifier, _titanic, classification
from experiments.classification import Config
from tests.marks import slow_if

# The run sets its own precision: double for the Titanic, single for the digits.
pytestmark = slow_if(bool(jax.config.jax_enable_x64))


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    output = tmp_path_factory.mktemp("classification")
    config = Config(smoke=True, output=output)
    with jax.numpy_dtype_promotion("standard"):  # Optax's Adam is not strict
        return config, classification.main(config)


def counts():
    """Died and survived, in the cells of sex and class, from the table itself."""
    rows = titanic.data
    rows = rows[rows["class"] != "*"]
    cells = [(sex, kind) for sex in ("female", "male") for kind in ("1st", "2nd", "3rd")]
    own = [rows[(rows["sex"] == sex) & (rows["class"] == kind)]["survived"] for sex, kind in cells]
    return np.array([[np.sum(x == 0), np.sum(x == 1)] for x in own])


def mean_loss(table, log_odds):
    return np.sum(table * np.logaddexp(0, np.stack([log_odds, -log_odds], -1))) / table.sum()


def test_the_floor_is_a_conditional_entropy(results):
    """By counting; it is the number of the saturated model, and of the issue that asked for it."""
    table = counts()
    share = table / table.sum(-1, keepdims=True)
    floor = -np.sum(table * np.log(share)) / table.sum()
    assert table.sum() == 1312
    assert floor == pytest.approx(0.44037502, abs=5e-9)
    found = results[1]["titanic"]
    np.testing.assert_array_equal(found["counts"], table)
    assert found["entropies"]["given_both"] == pytest.approx(floor, abs=1e-14)
    p = table.sum(0) / table.sum()
    assert found["entropies"]["survived"] == pytest.approx(-np.sum(p * np.log(p)), abs=1e-14)
    for row in found["rows"]:
        if row["model"] == "saturated":
            assert row["minimum"] == pytest.approx(floor, abs=1e-12)
            np.testing.assert_allclose(row["parameters"], np.log(share[:, 1] / share[:, 0]), rtol=1e-10)


def test_the_additive_model(results):
    """By SciPy's BFGS on the counts."""
    table, features = counts(), _titanic.design("additive")
    assert features.shape == (6, 4)
    end = optimize.minimize(lambda b: mean_loss(table, features @ b), np.zeros(4), tol=1e-10)
    for row in results[1]["titanic"]["rows"]:
        if row["model"] == "additive":
            assert row["minimum"] == pytest.approx(end.fun, abs=1e-10)
            np.testing.assert_allclose(row["parameters"], end.x, atol=1e-4)
    assert end.fun == pytest.approx(0.4567683, abs=1e-7)


def test_three_criteria_are_one(results):
    """At every step, whichever is minimised, to twelve digits; all come to the same parameters."""
    rows = results[1]["titanic"]["rows"]
    assert len(rows) == 6
    for row in rows:
        values = np.array(row["values"])
        assert values.shape == (10, 3)
        assert np.ptp(values, axis=1).max() < 1e-12
        assert row["largest_difference"] == pytest.approx(np.ptp(values, axis=1).max())
        assert row["gradient_norm"] < 1e-14
        assert values[0, 0] == pytest.approx(math.log(2), abs=1e-14)
    for model in _titanic.MODELS:
        ends = [row["parameters"] for row in rows if row["model"] == model]
        np.testing.assert_allclose(ends, np.broadcast_to(ends[0], np.shape(ends)), rtol=1e-10)


def test_each_criterion_has_its_own_gradient():
    """At parameters that are no optimum, by differences of the mean loss."""
    table, features = counts(), _titanic.design("additive")
    point = np.array([0.5, -1.0, 0.2, -0.7])
    slope = optimize.approx_fprime(point, lambda b: mean_loss(table, features @ b), 1e-7)
    with jax.enable_x64(True):
        for kind in _titanic.CRITERIA:
            value = lambda b, k=kind: _titanic.criterion(k, _titanic.load(), jnp.asarray(features), b)  # noqa: E731
            np.testing.assert_allclose(jax.grad(value)(jnp.asarray(point)), slope, atol=1e-6)


def test_smoothing_is_entropy_plus_divergence(results):
    """On both data sets, for every share; the entropy of smoothed labels is that of two numbers."""
    found = results[1]["titanic"]["smoothing"]
    total = np.add(found["entropy"], found["divergence"])
    np.testing.assert_allclose(found["loss"], total, atol=1e-12)
    share = np.array(found["share"][1:-1]) / 2
    np.testing.assert_allclose(
        found["entropy"][1:-1], -share * np.log(share) - (1 - share) * np.log1p(-share), rtol=1e-12
    )
    table, log_odds = counts(), _titanic.design("additive") @ results[1]["titanic"]["rows"][-1]["parameters"]
    at = found["share"].index(0.5)
    smoothed = 0.75 * table + 0.25 * table[:, ::-1]
    assert found["loss"][at] == pytest.approx(mean_loss(smoothed, log_odds), abs=1e-12)
    for row in results[1]["digits"]["rows"]:
        assert row["largest_excess_of_smoothing"] < 1e-12
        rare = row["smoothing"] / 10
        likely = 1 - 9 * rare
        floor = -likely * math.log(likely) - (9 * rare * math.log(rare) if rare else 0)
        assert row["entropy_of_labels"] == pytest.approx(floor, abs=1e-12)
        # The loss along the way is that of single precision, and ends where the judge in double precision finds it.
        assert np.mean(row["loss_by_epoch"], axis=0)[-1] == pytest.approx(row["train_loss"], rel=1e-5)


def test_smoothing_spoils_and_a_temperature_restores(results):
    """Already after few epochs; bins add up to the forecasts and to the error."""
    plain, smoothed = results[1]["digits"]["rows"]
    assert min(plain["mean_test_accuracy"], smoothed["mean_test_accuracy"]) > 0.93
    assert smoothed["before"]["calibration"]["error"] > 0.15
    assert smoothed["before"]["calibration"]["overconfidence"] < 1e-3
    for row in (plain, smoothed):
        assert row["after"]["calibration"]["error"] < 0.03
        assert row["after"]["test_loss"] < row["before"]["test_loss"]
        for when in ("before", "after"):
            bins = {name: np.array(x, float) for name, x in row[when]["bins"].items()}
            assert bins["num_forecasts"].sum() == 720
            apart = np.abs(bins["confidence"] - bins["frequency"])
            assert np.sum(bins["num_forecasts"] * apart) / 720 == pytest.approx(
                row[when]["calibration"]["error"], rel=1e-4
            )


def test_splits_are_disjoint():
    split = _digits_classifier.load(2, 100, 200)
    assert [len(part[1][0]) for part in split] == [1497, 100, 200]
    for seed in range(2):
        rows = np.concatenate([np.asarray(part[0][seed]) for part in split])
        assert len(np.unique(rows, axis=0)) == 1797
        assert rows.min() == -1
        assert rows.max() == 1
    assert not np.array_equal(split.test[1][0], split.test[1][1])


def test_files(results):
    config, metrics = results
    assert json.loads((config.output / "metrics.json").read_text()) == metrics
    assert min(metrics["digits"]["compile_seconds"], metrics["digits"]["run_seconds"]) > 0
    with Image.open(config.output / "classification.png") as image:
        assert min(image.size) > 1000


@pytest.mark.parametrize("options", [{"num_seeds": 0}, {"smoothing": (1.5,)}])
def test_errors(options, tmp_path):
    with pytest.raises(ValueError, match="shares of smoothing"):
        classification.main(Config(output=tmp_path, **options))
