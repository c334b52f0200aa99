"""The main job, through its options: the optima of the standard example, and of others, in a small run."""

import dataclasses
import json
import math

import jax
import numpy as np
import pytest
from PIL import Image

from experiments import mixture_kl
from experiments.mixture_kl import Config

FORWARD = [(0.0, math.sqrt(10), 0.461994613467945)]
REVERSE = [
    (-2.984305987836, 1.023368559661, 0.688768995854955),
    (2.984305987836, 1.023368559661, 0.688768995854955),
    (0.0, 2.743769309091, 0.840621431278904),
]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """One run in the precision of this run of the tests, which sees both."""
    output = tmp_path_factory.mktemp("mixture_kl")
    config = Config(smoke=True, x64=bool(jax.config.jax_enable_x64), output=output)
    return config, mixture_kl.main(config)


def of(metrics, divergence):
    rows = [row for row in metrics["optima"] if row["divergence"] == divergence]
    return [(row["mean"], row["standard_deviation"], row["value"]) for row in rows]


def test_all_optima_are_found(results):
    config, metrics = results
    close = 1e-8 if config.x64 else 1e-4
    np.testing.assert_allclose(of(metrics, "forward"), FORWARD, atol=close)
    np.testing.assert_allclose(of(metrics, "reverse"), REVERSE, atol=close)
    assert [row["is_global"] for row in metrics["optima"]] == [True, True, True, False]
    assert {row["kind"] for row in metrics["optima"]} == {"minimum"}
    assert sum(row["share_of_starts"] for row in metrics["optima"]) == pytest.approx(2, abs=1e-9)


def test_files(results):
    config, metrics = results
    assert json.loads((config.output / "metrics.json").read_text()) == metrics
    assert set(metrics["versions"]) >= {"python", "jax", "jaxlib", "optax"}
    assert metrics["config"]["means"] == [-3.0, 3.0]
    for name in ("forward", "reverse"):
        assert metrics["timings"][name]["compile_seconds"] > 0
        assert metrics["timings"][name]["run_seconds"] > 0
    with Image.open(config.output / "mixture_kl.png") as image:
        assert min(image.size) > 1000
    with Image.open(config.output / "descent.gif") as image:
        assert image.n_frames > 10
    assert (config.output / "descent.gif").stat().st_size < 1_000_000


def test_time_is_told_apart(results):
    """That 256 restarts together cost less each than one alone is for the benchmark to say, not for a timed test."""
    _, metrics = results
    assert set(metrics["timings"]["seconds_per_restart"]) == {"1", "256"}
    assert {"compile_seconds", "run_seconds"} <= set(metrics["timings"]["forward"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weights": (0.5, 0.6)}, "sum to one"),
        ({"scales": (1.0,)}, "one number for each component"),
        ({"scales": (1.0, 0.0)}, "positive"),
    ],
)
def test_errors(options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        mixture_kl.main(dataclasses.replace(Config(output=tmp_path), **options))
