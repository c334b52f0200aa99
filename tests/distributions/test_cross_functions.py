"""The functions that divergences between families lean on: values and slopes against mpmath."""

import itertools

import jax
import mpmath
import numpy as np
import pytest

from jaxinfo.distributions._special import averages, distances, gamma_steps
from tests.distributions.exact import FLOAT, exactly, gradients, rounded, tolerance

STEPS = list(itertools.product((1e-3, 0.7, 1.5, 17.0, 1e4), (1e-4, 0.5, 2.5, 1e3)))
RATIOS = [(2.0**-k,) for k in (12, 6, 2)] + [(0.5,), (0.75,), (0.984375,)]
INTERVALS = [
    (m - h, m + h) for m, h in itertools.product((-30.0, -0.5, 0.0, 2.0, 1024.0), (2.0**-8, 0.375, 1.5, 1.625, 40.0))
]
INTERVALS += [(1e3, 1e12), (-1e-3, 1e6)]
POINTS = [(x,) for x in (-6.0, -1.0, -0.25, 0.125, 1.0, 4.0, 30.0)]


def average(function, low, high):
    return mpmath.quad(function, [low, *_knots(low, high), high]) / (high - low)


def _knots(low, high):
    return [mpmath.mpf(k) for k in (-8, -2, 0, 2, 8, 80) if low < k < high]


def _of_ratio(function):
    """The average over u in [-1, 1] of a function of 1 + h u, from its antiderivative."""
    return lambda h: (function(1 + h) - function(1 - h)) / (2 * h)


def _log_spread(h):
    square = _of_ratio(lambda x: x * (mpmath.log(x) ** 2 - 2 * mpmath.log(x) + 2))(h)
    return square - _of_ratio(lambda x: x * mpmath.log(x) - x)(h) ** 2


def _gumbel(y):
    return mpmath.euler - y + (2 * mpmath.e1(mpmath.exp(-y)) if y > -5 else 0)


def _half_normal(y):
    z = max(y, 0)
    area = z * mpmath.erf(z / mpmath.sqrt(2)) + mpmath.sqrt(2 / mpmath.pi) * (mpmath.exp(-(z**2) / 2) - 1)
    return mpmath.sqrt(2 / mpmath.pi) - y + 2 * area


CASES = {
    "log_gamma_step": (gamma_steps.log_gamma_step, STEPS, lambda x, s: mpmath.loggamma(x + s) - mpmath.loggamma(x)),
    "digamma_step": (gamma_steps.digamma_step, STEPS, lambda x, s: mpmath.digamma(x + s) - mpmath.digamma(x)),
    "trigamma_step": (
        *(gamma_steps.trigamma_step, STEPS),
        lambda x, s: mpmath.polygamma(1, x) - mpmath.polygamma(1, x + s),
    ),
    "log_average": (lambda h: averages.log_average(h, 1 - h), RATIOS, _of_ratio(lambda x: x * mpmath.log(x) - x)),
    "inverse_average": (lambda h: averages.inverse_average(h, 1 - h), RATIOS, _of_ratio(mpmath.log)),
    "log_spread": (lambda h: averages.log_spread(h, 1 - h), RATIOS, _log_spread),
    "power_average": (
        lambda h: averages.power_average(h, 1 - h, 0 * h + 2.5),
        *(RATIOS, _of_ratio(lambda x: x ** mpmath.mpf(3.5) / mpmath.mpf(3.5))),
    ),
    "normal_distance": (
        *(distances.normal_distance, POINTS),
        lambda y: 2 * mpmath.npdf(y) + y * mpmath.erf(y / mpmath.sqrt(2)),
    ),
    "half_normal_distance": (distances.half_normal_distance, POINTS, _half_normal),
    "exponential_distance": (
        *(distances.exponential_distance, POINTS),
        lambda y: y - 1 + 2 * mpmath.exp(-y) if y > 0 else 1 - y,
    ),
    "gumbel_distance": (distances.gumbel_distance, POINTS, _gumbel),
}


@pytest.mark.parametrize("name", CASES)
def test_value_and_slopes(name):
    function, rows, exact = CASES[name]
    columns = rounded(rows)
    values, slopes = exactly(exact, *columns), gradients(exact, *columns)
    compiled = jax.jit(jax.vmap(jax.value_and_grad(function, argnums=tuple(range(len(columns))))))
    found, found_slopes = compiled(*columns)
    # The logarithm of a ratio of gamma functions passes through zero as a sum of terms of the size of 1.
    size = np.maximum(np.abs(values), 1) if name == "log_gamma_step" else np.abs(values)
    assert np.all(np.abs(np.asarray(found, float) - values) <= tolerance() * size)
    # A slope is a sum of terms of the size of the value over the argument.
    terms = np.maximum(np.abs(slopes), size / np.abs(columns.astype(float)))
    assert np.all(np.abs(np.asarray(found_slopes, float) - slopes) <= tolerance() * terms)


@pytest.mark.parametrize(
    ("function", "exact"),
    [
        (averages.log1p_square_average, lambda z: mpmath.log(1 + z**2)),
        (averages.log_cosh_average, lambda z: abs(z) + 2 * mpmath.log1p(mpmath.exp(-abs(z)))),
        (lambda low, high, half: averages.distance_average(0.5 * (low + high), half), abs),
    ],
    ids=["log1p_square", "log_cosh", "distance"],
)
def test_averages_over_intervals(function, exact):
    """By integration; the slopes in the ends follow from the values there."""
    low, high = rounded(INTERVALS)
    with mpmath.workdps(20):
        ends = [(mpmath.mpf(float(a)), mpmath.mpf(float(b))) for a, b in zip(low, high, strict=True)]
        values = [average(exact, a, b) for a, b in ends]
        slopes = [
            ((mean - exact(a)) / (b - a), (exact(b) - mean) / (b - a))
            for mean, (a, b) in zip(values, ends, strict=True)
        ]
    values, slopes = np.array(values, float), np.array(slopes, float).T
    compiled = jax.jit(jax.vmap(jax.value_and_grad(lambda a, b: function(a, b, 0.5 * (b - a)), argnums=(0, 1))))
    found, found_slopes = compiled(low, high)
    assert np.all(np.abs(np.asarray(found, float) - values) <= tolerance() * values)
    size = np.maximum(np.abs(slopes), values / np.maximum(np.abs(low), np.abs(high)).astype(float))
    assert np.all(np.abs(np.asarray(found_slopes, float) - slopes) <= tolerance() * size)


def test_log_normal_distance():
    columns = rounded([(0.5, 0.25, 0.75), (-1.0, 0.5, 1.5), (3.0, -0.5, 0.25), (1.0, 1.0, 1e-3), (-4.0, 2.0, 0.5)])

    def exact(point, loc, scale):
        y = (point - loc) / scale
        mean = mpmath.exp(loc + scale**2 / 2)
        return mpmath.exp(point) * mpmath.erf(y / mpmath.sqrt(2)) - mean * mpmath.erf((y - scale) / mpmath.sqrt(2))

    values, slopes = exactly(exact, *columns), gradients(exact, *columns)
    compiled = jax.jit(jax.vmap(jax.value_and_grad(distances.log_normal_distance, argnums=(0, 1, 2))))
    found, found_slopes = compiled(*columns)
    # Near the median of a narrow one two terms of the size of the median are subtracted.
    size = np.maximum(np.exp(columns[0].astype(float)), np.exp(columns[1].astype(float)))
    assert np.all(np.abs(np.asarray(found, float) - values) <= tolerance() * size)
    assert np.all(np.abs(np.asarray(found_slopes, float) - slopes) <= tolerance() * np.maximum(np.abs(slopes), size))
    assert found.dtype == FLOAT
