"""The critical half-separations once more with SciPy's quadrature and root finder, from other equations.

For reverse KL they come from Price's theorem: derivatives of E_q[log p] in the mean and the variance are expectations
of derivatives of log p, which for the symmetric mixture are hyperbolic functions.
"""

import json
import math
from itertools import pairwise

import jax
import numpy as np
import pytest
from PIL import Image
from scipy import integrate, optimize

from experiments import _branches, _gaussian_fits, mode_seeking_phase_diagram
from experiments.mode_seeking_phase_diagram import Config
from tests.marks import once

# What the experiment promises; SciPy's integrals are good to 1e-11.
SEVEN_DIGITS = {"rel": 2e-8, "abs": 0}


def expectation(function, mean, deviation):
    """The expectation under a Gaussian, to an absolute error of 1e-12."""

    def integrand(z):
        return math.exp(-0.5 * z * z) / math.sqrt(2 * math.pi) * function(mean + deviation * z)

    pairs = pairwise((-12, -3, 0, 3, 12))
    return sum(integrate.quad(integrand, *pair, epsabs=1e-13, epsrel=1e-12, limit=200)[0] for pair in pairs)


def log_p(x, a):
    return (
        -0.5 * (x * x + a * a + math.log(2 * math.pi))
        + abs(a * x)
        + math.log1p(math.exp(-2 * abs(a * x)))
        - math.log(2)
    )


def sech_squared(x):
    return 1 - math.tanh(x) ** 2


class Reverse:
    """KL(q‖p) in the mean and the standard deviation."""

    @staticmethod
    def value(mean, deviation, a):
        return -0.5 * math.log(2 * math.pi * math.e * deviation**2) - expectation(
            lambda x: log_p(x, a), mean, deviation
        )

    @staticmethod
    def slope(mean, deviation, a):
        force = expectation(lambda x: x - a * math.tanh(a * x), mean, deviation)
        stiffness = expectation(lambda x: 1 - a**2 * sech_squared(a * x), mean, deviation)
        return [force, deviation * stiffness - 1 / deviation]

    @staticmethod
    def determinant(mean, deviation, a):
        second = expectation(lambda x: 1 - a**2 * sech_squared(a * x), mean, deviation)
        third = expectation(lambda x: 2 * a**3 * sech_squared(a * x) * math.tanh(a * x), mean, deviation)
        fourth = expectation(
            lambda x: 2 * a**4 * sech_squared(a * x) * (sech_squared(a * x) - 2 * math.tanh(a * x) ** 2),
            mean,
            deviation,
        )
        return second * (1 / deviation**2 + second + deviation**2 * fourth) - (deviation * third) ** 2


class JensenShannon:
    """The Jensen-Shannon divergence of weight 1/2, all its integrals under q but for the value."""

    @staticmethod
    def log_ratio(x, mean, deviation, a):
        """log(q / m)."""
        log_q = -0.5 * ((x - mean) / deviation) ** 2 - math.log(deviation * math.sqrt(2 * math.pi))
        return math.log(2) - np.logaddexp(0, log_p(x, a) - log_q)

    @classmethod
    def value(cls, mean, deviation, a):
        def of_p(x):
            log_q = -0.5 * ((x - mean) / deviation) ** 2 - math.log(deviation * math.sqrt(2 * math.pi))
            return math.log(2) - np.logaddexp(0, log_q - log_p(x, a))

        of_q = expectation(lambda x: cls.log_ratio(x, mean, deviation, a), mean, deviation)
        return 0.5 * of_q + 0.25 * (expectation(of_p, -a, 1) + expectation(of_p, a, 1))

    @classmethod
    def slope(cls, mean, deviation, a):
        def part(k):
            def integrand(x):
                z = (x - mean) / deviation
                return cls.log_ratio(x, mean, deviation, a) * (z, z**2 - 1)[k] / deviation

            return 0.5 * expectation(integrand, mean, deviation)

        return [part(0), part(1)]

    @classmethod
    def determinant(cls, mean, deviation, a):
        def part(i, j):
            def integrand(x):
                z = (x - mean) / deviation
                ratio = cls.log_ratio(x, mean, deviation, a)
                score = (z, z**2 - 1)
                # The second derivatives of q over q, and 1 - q / (p + q) times the product of the first ones.
                second = {(0, 0): z**2 - 1, (0, 1): z**3 - 3 * z, (1, 1): z**4 - 5 * z**2 + 2}[i, j]
                return second * ratio + (1 - 0.5 * math.exp(ratio)) * score[i] * score[j]

            return 0.5 * expectation(integrand, mean, deviation) / deviation**2

        return part(0, 0) * part(1, 1) - part(0, 1) ** 2


def root(equations, start):
    found = optimize.root(equations, start, tol=1e-12)
    assert np.max(np.abs(equations(found.x))) < 1e-10
    return found.x


@pytest.fixture(scope="module")
def symmetric():
    """Critical points and curvatures for w = 1/2 and s = 1."""
    with jax.enable_x64(True):
        _, _, points, stability = mode_seeking_phase_diagram.symmetric_results()
    return points, stability


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    config = Config(smoke=True, output=tmp_path_factory.mktemp("phase_diagram"))
    return config, mode_seeking_phase_diagram.main(config)


@once
@pytest.mark.parametrize(
    ("name", "law", "fold", "exchange"),
    [
        ("reverse_kl", Reverse, (2.15, 1.29, 2.41), (2.77, 1.04, 2.6, 2.8)),
        ("jensen_shannon", JensenShannon, (2.6, 1.2, 2.75), (4.24, 1.0, 4.3, 4.25)),
    ],
)
def test_critical_half_separations(symmetric, name, law, fold, exchange):
    points, _ = symmetric
    mean, deviation, a = root(lambda u: [*law.slope(*u), law.determinant(*u)], fold)
    row = points[f"{name}_fold"]
    assert row["half_separation"] == pytest.approx(a, **SEVEN_DIGITS)
    assert (row["mean"], row["standard_deviation"]) == pytest.approx((mean, deviation), rel=1e-6)

    def equally_deep(u):
        mean, deviation, covering, a = u
        values = law.value(mean, deviation, a) - law.value(0, covering, a)
        return [*law.slope(mean, deviation, a), law.slope(0, covering, a)[1], values]

    mean, deviation, covering, a = root(equally_deep, exchange)
    row = points[f"{name}_exchange"]
    assert row["half_separation"] == pytest.approx(a, **SEVEN_DIGITS)
    assert (row["modes"]["mean"], row["modes"]["standard_deviation"]) == pytest.approx((mean, deviation), rel=1e-7)
    assert row["covering"]["standard_deviation"] == pytest.approx(covering, rel=1e-7)


@once
def test_pitchforks_of_unit_variance(symmetric):
    """The covering N(0, 1) loses its stability where the second derivative in the mean is zero, and modes begin."""
    points, _ = symmetric
    names = ("location_only_pitchfork", "location_only_pitchfork_jensen_shannon")
    reverse = optimize.brentq(lambda a: expectation(lambda x: 1 - a**2 * sech_squared(a * x), 0, 1), 1.1, 2, xtol=1e-13)
    assert reverse == pytest.approx(1.460833960373, abs=1e-11)

    def curvature(a):
        def integrand(x):
            ratio = JensenShannon.log_ratio(x, 0, 1, a)
            return (x**2 - 1) * ratio + (1 - 0.5 * math.exp(ratio)) * x**2

        return expectation(integrand, 0, 1)

    middle = optimize.brentq(curvature, 1.1, 2.2, xtol=1e-13)
    for name, expected in zip(names, (reverse, middle), strict=True):
        assert points[name]["half_separation"] == pytest.approx(expected, rel=1e-10)
        # Supercritical: no modes before.
        least = points[name]["least_half_separation_of_modes"]
        assert least == pytest.approx(expected, abs=1e-3)
    for row in points.values():
        assert max(row["quadrature_error"], row["newton_step"]) < 1e-9


@once
def test_covering_stays_a_minimum(symmetric):
    """By Price's theorem the curvature in the mean is 1 / sigma^2 wherever KL(q‖p) is stationary: no pitchfork."""
    _, stability = symmetric
    reverse, middle = (stability[name] for name in ("reverse_kl", "jensen_shannon"))
    assert reverse["least_curvature_in_mean"] == pytest.approx(1, abs=1e-6)
    assert reverse["greatest_curvature_in_mean"] == pytest.approx(1, abs=1e-6)
    assert middle["least_curvature_in_mean"] > 0
    assert min(row["least_curvature_in_log_deviation"] for row in (reverse, middle)) > 0


@pytest.mark.slow
def test_diagram(results):
    _, metrics = results
    (row,) = metrics["diagrams"]
    # Mirror images.
    left, right = row["cusps"]
    assert left["half_separation"] == pytest.approx(right["half_separation"], rel=1e-9)
    assert left["weight"] + right["weight"] == pytest.approx(1, rel=1e-9)
    assert row["triple_point"]["weight"] == pytest.approx(0.5, rel=1e-9)
    exchange = metrics["critical_half_separations"]["reverse_kl_exchange"]
    assert row["triple_point"]["half_separation"] == pytest.approx(exchange, rel=1e-7)
    assert set(row["parts_of_grid"]) == {"1", "2", "3"}
    assert sum(sum(part.values()) for part in row["parts_of_grid"].values()) == pytest.approx(1)


@pytest.mark.slow
def test_files(results):
    config, metrics = results
    assert json.loads((config.output / "metrics.json").read_text()) == metrics
    assert set(metrics["critical_half_separations"]) == {
        "reverse_kl_fold",
        "reverse_kl_exchange",
        "jensen_shannon_fold",
        "jensen_shannon_exchange",
        "location_only_pitchfork",
        "location_only_pitchfork_jensen_shannon",
    }
    with Image.open(config.output / "phase_diagram.png") as image:
        assert min(image.size) > 1000


@once
@pytest.mark.parametrize("name", ["REVERSE_KL", "JENSEN_SHANNON", "SKEW_JENSEN_SHANNON", "ALPHA", "RENYI"])
def test_gradients_are_those_of_the_values(name):
    divergence = getattr(_gaussian_fits, name)
    with jax.enable_x64(True):
        p = _gaussian_fits.two_modes(1.5, 0.3, 0.7)
        free, parameter = jax.numpy.array([0.4, 0.3]), 0.3

        def both(free):
            q = _gaussian_fits.gaussian(free)
            slope = jax.grad(lambda free: divergence.value(p, _gaussian_fits.gaussian(free), parameter))(free)
            return slope, divergence.gradient(p, q, parameter)

        slope, written = _branches.quick_jit(both)(free)
    np.testing.assert_allclose(written, slope, rtol=1e-11)
