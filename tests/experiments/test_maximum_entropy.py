"""The textbook's maximum-entropy families come out of gradient ascent, and the files are there."""

import json
import math

import jax
import numpy as np
import pytest
from PIL import Image

from experiments import maximum_entropy
from experiments.maximum_entropy import Config


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    config = Config(smoke=True, output=tmp_path_factory.mktemp("maximum_entropy"))
    # Optax's schedules mix counts of steps with floats.
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        return config, maximum_entropy.main(config)


# Entropy and the multipliers of what is known, by hand: log K; 1 + log(mean); log(2 pi e variance) / 2; and for the
# circle log(2 pi I0(2)) - 2 I1(2) / I0(2), with I0(2) = 2.2795853023360673 and I1(2) = 1.5906368546373291.
LENGTH = 1.5906368546373291 / 2.2795853023360673
ANSWERS = {
    "8 values": (math.log(8), []),
    "half line": (1 + math.log(2), [0.5]),
    "line": (0.5 * math.log(2 * math.pi * math.e * 2.25), [0.0, 0.5 / 2.25]),
    "circle": (math.log(2 * math.pi * 2.2795853023360673) - 2 * LENGTH, [-2.0, 0.0]),
}


def test_the_families_come_out(results):
    _, metrics = results
    assert {row["problem"] for row in metrics["problems"]} == set(ANSWERS)
    for row in metrics["problems"]:
        entropy, multipliers = ANSWERS[row["problem"]]
        assert row["entropy_of_answer"] == pytest.approx(entropy, abs=1e-12)
        # A short ascent; the distance is printed and shrinks with more steps.
        assert row["entropy"] == pytest.approx(entropy, abs=3e-3)
        assert row["total_variation"] < 3e-3
        assert row["constraint_violation"] < 1e-4
        np.testing.assert_allclose(row["multipliers"], multipliers, atol=5e-3)


def test_uniform_is_a_maximum(results):
    """Lagrange's condition holds and the second derivative is -K in every direction of the simplex."""
    _, metrics = results
    uniform = metrics["uniform"]
    assert uniform["lagrange_spread"] < 1e-12
    assert uniform["gradient"] == pytest.approx(math.log(8) - 1, abs=1e-12)
    assert uniform["largest_eigenvalue"] == pytest.approx(-8, abs=1e-9)
    assert uniform["smallest_eigenvalue"] == pytest.approx(-8, abs=1e-9)


def test_files(results):
    config, metrics = results
    assert json.loads((config.output / "metrics.json").read_text()) == metrics
    with Image.open(config.output / "maximum_entropy.png") as image:
        assert min(image.size) > 900


def test_errors(tmp_path):
    with pytest.raises(ValueError, match="positive"):
        maximum_entropy.main(Config(mean=-1.0, output=tmp_path))
