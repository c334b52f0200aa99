"""The likelihood by SciPy, the KL term by hand, and what a short run has come to."""

import dataclasses
import json
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from PIL import Image
from scipy import stats
from sklearn.datasets import load_digits

from experiments import _vae_model, vae
from experiments.vae import Config
from tests.marks import once


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    config = Config(smoke=True, output=tmp_path_factory.mktemp("vae"))
    # Optax and Flax mix integers and floats.
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        return config, vae.main(config)


@once
@pytest.mark.parametrize("trials", [1, 16])
def test_likelihood_is_the_binomial(trials):
    random = np.random.default_rng(0)
    counts, logits = random.integers(0, trials + 1, (5, 7)), random.normal(0, 3, (5, 7))
    expected = stats.binom(trials, 1 / (1 + np.exp(-logits))).logpmf(counts).sum(axis=1)
    found = _vae_model.log_likelihood(jnp.asarray(counts, jnp.float32), jnp.asarray(logits, jnp.float32), trials)
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    # A pixel that is off for certain costs nothing, and one that should have been on costs its logit.
    sure = _vae_model.log_likelihood(jnp.array([[0.0], [float(trials)]]), jnp.full((2, 1), -200.0), trials)
    np.testing.assert_allclose(sure, [0, -200.0 * trials], atol=1e-3)


@once
def test_pixels_on_their_own():
    images = np.array([[0.0, 1.0], [0.5, 1.0], [1.0, 1.0]], np.float32)
    data = _vae_model.Data(images, images[:2], 2)
    # Successes and failures, with one of each added: 4 of 8 for the first pixel, 7 of 8 for the second.
    first = stats.binom(2, 0.5).logpmf([0, 1])
    assert vae.marginal_distortion(data) == pytest.approx(-(first + 2 * math.log(7 / 8)).mean(), rel=1e-6)


@once
def test_posterior_and_decoder_have_the_shapes_that_are_asked_for():
    sizes = dataclasses.replace(vae.DIGITS, width=8, latent=3)
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        model = _vae_model.Vae(64, sizes, rngs=nnx.Rngs(0))
        posterior = model.posterior(jnp.zeros((5, 64), jnp.float32))
        assert model.logits(posterior.sample(jax.random.key(0), (2,))).shape == (2, 5, 64)
    assert (posterior.batch_shape, posterior.event_shape) == ((5,), (3,))


@once
def test_data_are_shuffled_and_whole():
    digits, mnist = vae.load_data(Config())
    assert (digits.train.shape, digits.test.shape) == ((1437, 64), (360, 64))
    assert (mnist.train.shape, mnist.test.shape) == ((4000, 784), (1000, 784))
    together = np.concatenate([digits.test, digits.train])
    np.testing.assert_allclose(np.sort(together.sum(1)), np.sort(load_digits().data.sum(1) / 16), rtol=1e-5)
    for data in (digits, mnist):
        assert data.train.min() == 0
        assert data.train.max() == 1
    # The classes differ in ink: were they sorted still, the means of the two parts would.
    spread = mnist.train.sum(1).std() / math.sqrt(1000)
    assert abs(mnist.test.sum(1).mean() - mnist.train.sum(1).mean()) < 4.5 * spread


@once
def test_a_short_run_shows_both_ends(results):
    _, metrics = results
    digits = metrics["digits"]
    one, collapsed = digits["rows"]
    assert (one["beta"], collapsed["beta"]) == (1.0, 64.0)
    assert collapsed["rate"]["mean"] < 0.05
    assert one["rate"]["mean"] > 5
    assert one["distortion"]["mean"] < collapsed["distortion"]["mean"] - 50
    assert collapsed["distortion"]["mean"] == pytest.approx(digits["marginal_distortion"], rel=0.05)
    assert one["elbo"]["mean"] == pytest.approx(-one["rate"]["mean"] - one["distortion"]["mean"], rel=1e-4)
    assert one["importance_weighted"]["mean"] > one["elbo"]["mean"] + 1
    assert one["num_active"] > 5
    assert collapsed["num_active"] == 0
    for row in digits["rows"]:
        split = row["on_training_images"]
        assert split["rate"] == pytest.approx(split["mutual_information"] + split["aggregate_kl"], abs=1e-3)
        assert split["mutual_information"] <= math.log(1437) + 1e-3
        assert split["rate"] == pytest.approx(sum(split["rate_of_units"]), rel=1e-3, abs=1e-3)


@once
def test_drawn_kl_has_scores_of_unit_spread(results):
    _, metrics = results
    kl = metrics["digits"]["kl"]
    assert kl["method"] == ["closed_form", "monte_carlo"]
    z = np.array(kl["z"])
    assert len(z) == 360
    # Means of 200 draws, 360 of them: a spread is known to one part in 27.
    assert abs(z.mean()) < 4.5 / math.sqrt(360)
    assert 0.85 < z.std() < 1.2
    np.testing.assert_allclose(kl["monte_carlo"], kl["closed_form"], rtol=0.2)
    assert kl["kolmogorov_smirnov_p"] == pytest.approx(stats.kstest(z, "norm").pvalue)


@once
def test_both_conventions_are_named(results):
    _, metrics = results
    rows = metrics["mnist"]["rows"]
    assert [row["pixels"] for row in rows] == ["thresholded at 0.5", "stochastically binarised"]
    for row in rows:
        assert -400 < row["elbo"]["mean"] < -100


@once
def test_files(results):
    config, metrics = results
    assert json.loads((config.output / "metrics.json").read_text()) == metrics
    for part in ("digits", "mnist"):
        assert min(metrics[part]["compile_seconds"], metrics[part]["run_seconds"]) > 0
    for name in ("rate_distortion", "images"):
        with Image.open(config.output / f"{name}.png") as image:
            assert min(image.size) > 1000


@once
@pytest.mark.parametrize("options", [{"betas": (0.5, 2.0)}, {"seeds": ()}])
def test_errors(options, tmp_path):
    with pytest.raises(ValueError, match="betas must contain 1, and there must be a seed"):
        vae.main(dataclasses.replace(Config(output=tmp_path), **options))
