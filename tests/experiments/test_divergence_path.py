"""Where modes die and covering takes over between the two KLs: once more with SciPy's quadrature and root finder.

The conditions are written out by hand, from derivatives of q in its mean and standard deviation, so that they share
neither integrals nor derivatives with the experiment.
"""

import json
import math
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image
from scipy import integrate, optimize

from experiments import _branches, _gaussian_fits, divergence_path
from experiments.divergence_path import Config
from jaxinfo.distributions import Mixture, Normal
from tests.marks import once

A = 3.0
# What the experiment promises; SciPy's integrals are good to 1e-11.
SEVEN_DIGITS = {"rel": 2e-8, "abs": 0}


def log_normal(x, mean, deviation):
    return -0.5 * ((x - mean) / deviation) ** 2 - math.log(deviation * math.sqrt(2 * math.pi))


def log_p(x):
    return np.logaddexp(log_normal(x, -A, 1), log_normal(x, A, 1)) - math.log(2)


def integral(function):
    """The integral over the line, to an absolute error of 1e-12, each piece by itself."""
    edges = (-40, -12, -6, -3, 0, 3, 6, 12, 40)
    return sum(integrate.quad(function, *ends, epsabs=1e-13, epsrel=1e-12, limit=200)[0] for ends in pairwise(edges))


def scores(x, mean, deviation):
    """First and second derivatives of log q in mean and deviation: s and the matrix J."""
    z = (x - mean) / deviation
    first = np.array([z, z**2 - 1]) / deviation
    second = np.array([[-1.0, -2 * z], [-2 * z, 1 - 3 * z**2]]) / deviation**2
    return first, second


class PowerIntegral:
    """The integral of p^a q^(1 - a), which decides alpha-divergences and Rényi divergences of order a alike."""

    def __init__(self, order):
        self.order = order

    def _weigh(self, x, mean, deviation):
        return math.exp(self.order * log_p(x) + (1 - self.order) * log_normal(x, mean, deviation))

    def value(self, mean, deviation):
        return integral(lambda x: self._weigh(x, mean, deviation))

    def slope(self, mean, deviation):
        return [
            integral(lambda x, k=k: self._weigh(x, mean, deviation) * scores(x, mean, deviation)[0][k]) for k in (0, 1)
        ]

    def determinant(self, mean, deviation):
        def curvature(x, i, j):
            first, second = scores(x, mean, deviation)
            return self._weigh(x, mean, deviation) * ((1 - self.order) * first[i] * first[j] + second[i, j])

        return _determinant(curvature)


class SkewJensenShannon:
    """w KL(p‖m) + (1 - w) KL(q‖m) with m = w p + (1 - w) q."""

    def __init__(self, weight):
        self.weight = weight

    def _logs(self, x, mean, deviation):
        log_q = log_normal(x, mean, deviation)
        middle = np.logaddexp(math.log(self.weight) + log_p(x), math.log1p(-self.weight) + log_q)
        return log_p(x), log_q, middle

    def value(self, mean, deviation):
        def integrand(x):
            p, q, m = self._logs(x, mean, deviation)
            return self.weight * math.exp(p) * (p - m) + (1 - self.weight) * math.exp(q) * (q - m)

        return integral(integrand)

    def slope(self, mean, deviation):
        def integrand(x, k):
            _, q, m = self._logs(x, mean, deviation)
            return math.exp(q) * (q - m) * scores(x, mean, deviation)[0][k]

        return [integral(lambda x, k=k: integrand(x, k)) for k in (0, 1)]

    def determinant(self, mean, deviation):
        def curvature(x, i, j):
            _, q, m = self._logs(x, mean, deviation)
            first, second = scores(x, mean, deviation)
            product = first[i] * first[j]
            own = 1 - (1 - self.weight) * math.exp(q - m)
            return math.exp(q) * ((q - m) * (product + second[i, j]) + own * product)

        return _determinant(curvature)


def _determinant(curvature):
    h00, h01, h11 = (integral(lambda x, i=i, j=j: curvature(x, i, j)) for i, j in ((0, 0), (0, 1), (1, 1)))
    return h00 * h11 - h01**2


def root(equations, start):
    found = optimize.root(equations, start, tol=1e-12)
    assert np.max(np.abs(equations(found.x))) < 1e-10
    return found.x


def fold_of(family, start):
    """Mean, deviation and parameter where the gradient is zero and the Hessian singular."""
    return root(lambda u: [*family(u[2]).slope(*u[:2]), family(u[2]).determinant(*u[:2])], start)


def exchange_of(family, start):
    """A mode, the deviation of covering, and the parameter where both are stationary and equally deep."""

    def equations(u):
        law = family(u[3])
        return [*law.slope(*u[:2]), law.slope(0, u[2])[1], law.value(*u[:2]) - law.value(0, u[2])]

    return root(equations, start)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    config = Config(smoke=True, output=tmp_path_factory.mktemp("divergence_path"))
    return config, divergence_path.main(config)


@once
@pytest.mark.parametrize(
    ("name", "family", "fold", "exchange"),
    [
        ("alpha", PowerIntegral, (2.9, 1.2, 0.47), (2.98, 1.03, 2.84, 0.115)),
        ("skew_jensen_shannon_weight", SkewJensenShannon, (2.9, 1.2, 0.22), (2.98, 1.03, 3.0, 0.94)),
    ],
)
def test_critical_points(results, name, family, fold, exchange):
    _, metrics = results
    points = metrics["critical_points"]
    mean, deviation, parameter = fold_of(family, fold)
    row = points[f"{name}_fold"]
    assert row["parameter"] == metrics[f"{name}_fold"] == pytest.approx(parameter, **SEVEN_DIGITS)
    # A fit near a fold is known to the root of the parameter's error only in one direction: fewer digits.
    assert (row["mean"], row["standard_deviation"]) == pytest.approx((mean, deviation), rel=1e-6)
    mean, deviation, covering, parameter = exchange_of(family, exchange)
    row = points[f"{name}_exchange"]
    assert row["parameter"] == metrics[f"{name}_exchange"] == pytest.approx(parameter, **SEVEN_DIGITS)
    assert (row["modes"]["mean"], row["modes"]["standard_deviation"]) == pytest.approx((mean, deviation), rel=1e-7)
    assert row["covering"]["standard_deviation"] == pytest.approx(covering, rel=1e-7)


@once
def test_renyi_orders_are_the_alphas(results):
    """One is a monotone function of the other; here they were found from integrals of their own."""
    _, metrics = results
    for kind in ("fold", "exchange"):
        assert metrics[f"renyi_order_{kind}"] == pytest.approx(metrics[f"alpha_{kind}"], rel=1e-9)
    for row in metrics["critical_points"].values():
        assert max(row["quadrature_error"], row["newton_step"]) < 1e-9


@once
def test_ends(results):
    """KL(p‖q) has the mixture's moments as its optimum, and KL(q‖p) those of `test_mixture_kl`."""
    _, metrics = results
    assert metrics["ends"]["covering_under_forward_kl"]["standard_deviation"] == pytest.approx(math.sqrt(10), rel=1e-5)
    modes, covering = (metrics["ends"][f"{kind}_under_reverse_kl"] for kind in ("modes", "covering"))
    assert (modes["mean"], modes["standard_deviation"]) == pytest.approx((2.984305987836, 1.023368559661), rel=1e-8)
    assert covering["standard_deviation"] == pytest.approx(2.743769309091, rel=1e-8)


@once
def test_files(results):
    config, metrics = results
    assert json.loads((config.output / "metrics.json").read_text()) == metrics
    with Image.open(config.output / "divergence_path.png") as image:
        assert min(image.size) > 1000


def test_no_modes_to_follow(tmp_path):
    with pytest.raises(ValueError, match=r"at least 2\.81"):
        divergence_path.main(Config(half_separation=2.0, output=tmp_path))


@once
def test_infinite_is_infinite():
    """Chi-squared, alpha 2, of N(0, 1) from N(0, t^2): finite for t^2 > 1/2, and then (t / sqrt(2 - 1/t^2) - 1) / 2."""
    with jax.enable_x64(True):
        p = Mixture(jnp.array([1.0, 0.0]), Normal(jnp.array([0.0, 50.0]), jnp.array([1.0, 3.0])))
        chi_squared = jax.vmap(lambda deviation: _gaussian_fits.alpha_divergence(p, Normal(0.0, deviation), 2.0))
        values = np.asarray(_branches.quick_jit(chi_squared)(jnp.array([0.5, 0.7, 0.8, 2.0])))
    assert values[:2].tolist() == [math.inf, math.inf]
    closed = [0.5 * (t / math.sqrt(2 - t**-2) - 1) for t in (0.8, 2.0)]
    np.testing.assert_allclose(values[2:], closed, rtol=1e-9)


@pytest.mark.parametrize(
    ("p", "q", "alpha", "expected"),
    [
        # exponent -(2 - 1/t^2) x^2 / 2
        (((1.0,), (0.0,), (1.0,)), (0.0, 0.7), 2.0, False),
        (((1.0,), (0.0,), (1.0,)), (0.0, 0.72), 2.0, True),
        # between 0 and 1 always finite
        (((0.5, 0.5), (-3.0, 3.0), (1.0, 1.0)), (9.0, 0.01), 0.5, True),
        # the widest component decides, however little it weighs, unless it weighs nothing
        (((0.999, 0.001), (0.0, 0.0), (1.0, 2.0)), (0.0, 1.2), 2.0, False),
        (((1.0, 0.0), (0.0, 0.0), (1.0, 2.0)), (0.0, 1.2), 2.0, True),
        # below 0 it is the wide q that is too much; on the edge, at t^2 = 1 - 1/alpha, the linear terms decide
        (((0.5, 0.5), (-3.0, 3.0), (1.0, 1.0)), (0.0, 3.1), -0.125, False),
        (((0.5, 0.5), (-3.0, 3.0), (1.0, 1.0)), (0.0, 3.0), -0.125, True),
        (((0.5, 0.5), (-3.0, 3.0), (1.0, 1.0)), (2.0, 3.0), -0.125, True),
        (((0.5, 0.5), (-3.0, 3.0), (1.0, 1.0)), (4.0, 3.0), -0.125, False),
        (((1.0,), (0.0,), (1.0,)), (0.0, 3.0), -0.125, False),
    ],
)
def test_which_integrals_are_finite(p, q, alpha, expected):
    weights, locs, scales = (jnp.array(x) for x in p)
    mixture = Mixture(weights, Normal(locs, scales))
    assert bool(_gaussian_fits.power_integral_is_finite(mixture, Normal(*q), alpha)) is expected
