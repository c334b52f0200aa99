"""The main job, through its options: the optima of the standard example, and of others, in a small run."""

import dataclasses
import json
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from experiments import _mixture_kl_figures, mixture_kl
from experiments.mixture_kl import Config
from jaxinfo.distributions import Mixture, Normal

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


# With 64 bits the same run sees eight digits where 32 see four; with 32 it is in `make experiments-smoke`.
precise = pytest.mark.slow if not jax.config.jax_enable_x64 else lambda test: test


def of(metrics, divergence):
    rows = [row for row in metrics["optima"] if row["divergence"] == divergence]
    return [(row["mean"], row["standard_deviation"], row["value"]) for row in rows]


@precise
def test_all_optima_are_found(results):
    config, metrics = results
    close = 1e-8 if config.x64 else 1e-4
    np.testing.assert_allclose(of(metrics, "forward"), FORWARD, atol=close)
    np.testing.assert_allclose(of(metrics, "reverse"), REVERSE, atol=close)
    assert [row["is_global"] for row in metrics["optima"]] == [True, True, True, False]
    assert {row["kind"] for row in metrics["optima"]} == {"minimum"}
    assert sum(row["share_of_starts"] for row in metrics["optima"]) == pytest.approx(2, abs=1e-9)


@precise
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


@precise
def test_time_is_told_apart(results):
    """That 256 restarts together cost less each than one alone is for the benchmark to say, not for a timed test."""
    _, metrics = results
    assert set(metrics["timings"]["seconds_per_restart"]) == {"1", "256"}
    assert {"compile_seconds", "run_seconds"} <= set(metrics["timings"]["forward"])


def test_starts_reach_light_and_narrow_components():
    """A component of a hundredth of the mass moves mean and deviation too little for these alone to reach it."""
    target = Mixture(jnp.array([0.99, 0.01]), Normal(jnp.array([0.0, 12.0]), jnp.array([1.0, 0.05])))
    starts = mixture_kl.grid_of_starts(Config(), target)
    assert float(starts.loc.max()) >= 12
    assert float(starts.scale.min()) <= 0.05


def test_labels_keep_apart():
    """As little as need be: those that are apart stay, and of a crowd the centre does."""
    at = np.array([0.0, 0.5, 0.52, 0.53, 0.9])
    moved = _mixture_kl_figures.spread(at, 0.1)
    assert np.all(np.diff(moved) >= 0.1 - 1e-12)
    np.testing.assert_allclose(moved[[0, 4]], at[[0, 4]])
    assert moved[1:4].mean() == pytest.approx(at[1:4].mean())


def test_optima_are_numbered_from_the_left():
    rows = [{"divergence": "forward", "mean": 0.0, "standard_deviation": 3.0}]
    rows += [{"divergence": "reverse", "mean": m, "standard_deviation": s} for m, s in ((2, 1), (-2, 1), (2, 0.1))]
    assert _mixture_kl_figures.numbers_of(rows) == [0, 3, 1, 2]
    assert len(set(_mixture_kl_figures.colors_of(rows))) == 4


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
