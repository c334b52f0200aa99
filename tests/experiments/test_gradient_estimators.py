"""Exact gradients by SciPy and by hand, variances by hand, and the files of a short run."""

import functools
import json
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image
from scipy import integrate, stats

from experiments import gradient_estimators
from experiments.gradient_estimators import Config, Problem
from jaxinfo.distributions import Mixture, Normal

DOUBLE = jnp.zeros(()).dtype == jnp.float64
SMOKE_DISTANCES = (0.0, 0.1, 1.0)
KL = ("reverse KL", "forward KL")


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    output = tmp_path_factory.mktemp("gradient_estimators")
    config = Config(smoke=True, x64=bool(jax.config.jax_enable_x64), output=output)
    return config, gradient_estimators.main(config)


def rows_of(metrics, direction, estimator):
    return [row for row in metrics["rows"] if (row["direction"], row["estimator"]) == (direction, estimator)]


def place(config, dimension, distance):
    """The mean and the logarithm of the scale of every coordinate, by the definition of the distance."""
    mean = distance * math.sqrt((1 - config.scale_share) / dimension)
    return mean, distance * math.sqrt(config.scale_share / (2 * dimension))


def test_variances_are_those_of_the_formulas(results):
    """Of one draw x = m + s e the derivatives are polynomials in e, whose variances are known by its moments.

    Reverse KL to N(0, 1), in m and log s: m + s e and (m + s e) s e - 1; on the path alone m + (s - 1/s) e and
    (m + (s - 1/s) e) s e. Forward KL: -(x - m) / s^2 and 1 - (x - m)^2 / s^2 with x from N(0, 1).
    """
    config, metrics = results
    formulas = {
        ("reverse KL", "reparameterised"): lambda m, s: s**2 + (m * s) ** 2 + 2 * s**4,
        ("reverse KL", "sticking the landing"): lambda m, s: (s - 1 / s) ** 2 + (m * s) ** 2 + 2 * (s**2 - 1) ** 2,
        ("forward KL", "draws of the target"): lambda m, s: (1 + 2 + 4 * m**2) / s**4,
    }
    for key, formula in formulas.items():
        for row in rows_of(metrics, *key):
            mean, log_scale = place(config, row["dimension"], row["distance"])
            expected = row["dimension"] * formula(mean, math.exp(log_scale))
            # 256 repeats know a variance to a tenth, and there are two coordinates at least.
            assert row["variance_of_one_draw"] == pytest.approx(expected, rel=0.3, abs=1e-9)


def test_exact_gradients_and_draws_for_one_digit(results):
    """By hand: reverse KL has the gradient (m, s^2 - 1), forward KL (m, s^2 - 1 - m^2) / s^2."""
    config, metrics = results
    gradients = {"reverse KL": lambda m, s: (m, s**2 - 1), "forward KL": lambda m, s: (m / s**2, 1 - (1 + m**2) / s**2)}
    for direction, gradient in gradients.items():
        for row in [row for row in metrics["rows"] if row["direction"] == direction]:
            mean, log_scale = place(config, row["dimension"], row["distance"])
            norm = math.sqrt(row["dimension"]) * math.hypot(*gradient(mean, math.exp(log_scale)))
            assert row["exact_gradient_norm"] == pytest.approx(norm, rel=1e-9 if DOUBLE else 1e-4, abs=1e-6)
            if not row["distance"]:
                assert row["draws_for_one_digit"] is None
            elif row["estimator"] != "self-normalised importance":
                expected = row["variance_of_one_draw"] / (0.1 * norm) ** 2
                assert row["draws_for_one_digit"] == pytest.approx(expected, rel=1e-3)


def test_where_the_variance_vanishes(results):
    """At the optimum sticking the landing has none, to rounding, and plain reparameterisation has three per axis."""
    _, metrics = results
    (landing,) = [row for row in rows_of(metrics, "reverse KL", "sticking the landing") if row["distance"] == 0]
    (plain,) = [row for row in rows_of(metrics, "reverse KL", "reparameterised") if row["distance"] == 0]
    # A rounding of a gradient of size one, squared.
    assert landing["variance_of_one_draw"] <= 32 * 100 * float(jnp.finfo(float).eps) ** 2
    assert plain["variance_of_one_draw"] == pytest.approx(3 * plain["dimension"], rel=0.2)
    (bound,) = [row for row in rows_of(metrics, "Rényi", "doubly reparameterised") if row["distance"] == 0]
    assert bound["variance_of_one_draw"] <= 32 * 100 * float(jnp.finfo(float).eps) ** 2


def test_unbiased_ones_are_within_their_errors(results):
    _, metrics = results
    for direction in KL:
        for row in [row for row in metrics["rows"] if row["direction"] == direction]:
            if row["estimator"] != "self-normalised importance":
                # The largest of eight.
                assert row["largest_z"] < 4.5


def reference(divergence, log_p, mean, scale):
    """The gradient in (mean, log scale) of an integral, by SciPy: that of the integrand, by the score of q."""

    def derivative(x, which):
        z = (x - mean) / scale
        score = z / scale if which == 0 else z**2 - 1
        log_q = stats.norm.logpdf(x, mean, scale)
        weight = math.exp(log_q) * (log_q - log_p(x)) if divergence == "reverse KL" else -math.exp(log_p(x))
        return weight * score

    return [integrate.quad(derivative, -12, 12, (which,), epsabs=1e-13, limit=400)[0] for which in (0, 1)]


def test_mixture_by_quadrature():
    """Off an arbitrary centre, for both directions."""
    config = Config(distances=(0.0, 0.7), half_separation=1.5)
    mixture = Mixture(jnp.array([0.5, 0.5]), Normal(jnp.array([-1.5, 1.5]), 1.0))
    centre = Normal(0.5, 1.25)
    problem = Problem("mixture", 1, mixture, dict.fromkeys(KL, centre))
    log_p = lambda x: math.log(0.5 * stats.norm.pdf(x, -1.5) + 0.5 * stats.norm.pdf(x, 1.5))  # noqa: E731
    for direction in KL:
        found = gradient_estimators.exact_gradients(config, problem, direction)
        for row, distance in zip(found, config.distances, strict=True):
            shift, log_scale = place(config, 1, distance)
            expected = reference(direction, log_p, 0.5 + 1.25 * shift, 1.25 * math.exp(log_scale))
            np.testing.assert_allclose(row, expected, atol=1e-9 if DOUBLE else 2e-5)


@pytest.mark.parametrize(("variance", "bias"), [(3.0, 0.0), (3.0, 5.0), (0.0, 5.0)])
def test_draws_for_an_error(variance, bias):
    count = gradient_estimators.samples_for(0.1, 2.0, variance, bias)
    assert variance / count + (bias / count) ** 2 == pytest.approx(0.2**2, rel=1e-12)
    assert gradient_estimators.samples_for(0.1, 0.0, variance, bias) is None


def test_files(results):
    config, metrics = results
    assert json.loads((config.output / "metrics.json").read_text()) == metrics
    assert len(metrics["rows"]) == len(SMOKE_DISTANCES) * len(gradient_estimators.make_estimators(config.alpha))
    with Image.open(config.output / "gradient_estimators.png") as image:
        assert min(image.size) > 1000


def test_errors(tmp_path):
    wrong = functools.partial(Config, output=tmp_path)
    for config in (wrong(alpha=1.0), wrong(dimensions=(0,)), wrong(distances=(-1.0,))):
        with pytest.raises(ValueError, match="alpha must be positive"):
            gradient_estimators.main(config)
