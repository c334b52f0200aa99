"""The optima by hand and by SciPy, the masses by distributions that are known, and the files of a short run."""

import dataclasses
import json
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image
from scipy import integrate, optimize, stats

from experiments import high_dimension
from experiments.high_dimension import Config
from jaxinfo.distributions import MultivariateNormal


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    output = tmp_path_factory.mktemp("high_dimension")
    config = Config(smoke=True, x64=bool(jax.config.jax_enable_x64), output=output)
    return config, high_dimension.main(config)


def of(metrics, direction):
    (row,) = [row for row in metrics["rows"] if row["direction"] == direction]
    return row


def test_reverse_comes_to_a_component(results):
    _, metrics = results
    row = of(metrics, "reverse")
    expected = -np.log([0.3, 0.7])[row["nearest_optimum"]]
    np.testing.assert_allclose(row["value_of_known_optimum"], expected, rtol=1e-12)
    # Next to the optimum the integrand hardly varies, so that few draws know the value.
    np.testing.assert_allclose(row["value"], expected, atol=2e-3)
    assert row["root_mean_square_distance_per_parameter"] < 1e-2
    # The other component is lost: its share of 1024 draws, and one in a hundred of its own.
    share = np.array([0.7, 0.3])[row["nearest_optimum"]]
    np.testing.assert_allclose(row["mass_lost"], share + 0.01 * (1 - share), atol=0.06)
    assert np.all(np.array(row["mass_wasted"]) < 0.05)
    assert row["modes_covered"] == [1] * len(row["value"])


def test_forward_has_the_moments(results):
    """Variance 1 + 4 w (1 - w) m^2 in every coordinate; its draws lie where the target has nothing."""
    _, metrics = results
    row = of(metrics, "forward")
    variance = 1 + 4 * 0.3 * 0.7 * 9
    assert row["variances_known"] == pytest.approx([variance], rel=1e-6)
    expected = 0.5 * 8 * math.log(variance) + 0.3 * math.log(0.3) + 0.7 * math.log(0.7)
    error = np.array(row["value_standard_error"])
    # A fit is above the optimum by its own noise, of some hundredths after few steps.
    assert np.all(np.abs(np.array(row["value"]) - expected) < 4 * error + 0.1)
    assert row["root_mean_square_distance_per_parameter"] < 0.2
    assert min(row["mass_wasted"]) > 0.95


def test_forward_value_by_quadrature():
    """In one dimension, where the entropy of the mixture is an integral of SciPy's."""
    config = Config(offset=6.0)
    _, (value,) = high_dimension.known_optima(config, high_dimension.make_target(config, 1), "forward")
    mean, deviation = 0.4 * 6, math.sqrt(1 + 0.84 * 36)

    def integrand(x):
        p = 0.3 * stats.norm.pdf(x, -6) + 0.7 * stats.norm.pdf(x, 6)
        return p * (math.log(p) - stats.norm.logpdf(x, mean, deviation))

    # The modes are twelve deviations apart: they overlap by exp(-18).
    expected = integrate.quad(integrand, -20, 20, points=[-6, 0, 6], epsabs=1e-12, limit=200)[0]
    assert value == pytest.approx(expected, abs=1e-7)


def test_masses_of_known_regions():
    """A normal region of highest density is a ball, and squared radii have a chi-squared distribution."""
    dimension, count = 3, 4096
    config = Config(offset=100.0)
    target = high_dimension.make_target(config, dimension)
    members = MultivariateNormal.from_diagonal(100 * jnp.ones((1, dimension)), 2 * jnp.ones((1, dimension)))
    judged = high_dimension.judge(target, members, jax.random.key(0), jnp.array(False), count=count)
    # The target's region ends at the squared radius t with 1 % = 0.7 P(r^2 > t) + 0.3 P(r^2 > t - gap): the other
    # component is 3/7 as high.
    gap = 2 * math.log(7 / 3)
    outside = lambda t: 0.7 * stats.chi2.sf(t, dimension) + 0.3 * stats.chi2.sf(t - gap, dimension) - 0.01  # noqa: E731
    radius = optimize.brentq(outside, 1, 100)
    wasted = stats.chi2.sf(radius / 4, dimension)
    # A quantile of 1 % is known to a sixth by 4096 draws, and moves the share outside by some hundredths.
    assert float(judged["mass_wasted"][0]) == pytest.approx(wasted, abs=0.05)
    lost = 0.3 + 0.7 * stats.chi2.sf(4 * stats.chi2.isf(0.01, dimension), dimension)
    assert float(judged["mass_lost"][0]) == pytest.approx(lost, abs=4 * math.sqrt(0.21 / count))
    expected = dimension * (1.5 - math.log(2)) - math.log(0.7)
    error = float(judged["value_standard_error"][0])
    assert float(judged["value"][0]) == pytest.approx(expected, abs=4 * error)
    # The value is a mean of (4 - 1) / 2 times chi-squared: of variance 9 D / 2.
    assert error == pytest.approx(math.sqrt(4.5 * dimension / count), rel=0.1)


def test_files(results):
    config, metrics = results
    assert json.loads((config.output / "metrics.json").read_text()) == metrics
    for row in metrics["rows"]:
        assert min(row["compile_seconds"], row["run_seconds"], row["seconds_per_step"]) > 0
    with Image.open(config.output / "high_dimension.png") as image:
        assert min(image.size) > 1000


@pytest.mark.parametrize(
    ("options", "message"),
    [({"weights": (0.3, 0.6)}, "sum to one"), ({"weights": (0.0, 1.0)}, "positive"), ({"num_restarts": 2}, "restarts")],
)
def test_errors(options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        high_dimension.main(dataclasses.replace(Config(output=tmp_path), **options))
