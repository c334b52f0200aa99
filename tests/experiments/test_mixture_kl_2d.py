"""The optima on the plane once more by sums over a fixed grid and SciPy's minimiser, and by Price's theorem."""

import dataclasses
import json
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image
from scipy import integrate, optimize, stats

from experiments import _plane_fits, mixture_kl_2d
from experiments._correlated_gaussian import fit_correlated
from experiments.mixture_kl_2d import Config
from jaxinfo.distributions import MultivariateNormal
from tests.marks import slow_if

# The experiment is in double precision whatever the setting.
pytestmark = slow_if(bool(jax.config.jax_enable_x64))

CONFIG = Config(smoke=True)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    config = dataclasses.replace(CONFIG, output=tmp_path_factory.mktemp("mixture_kl_2d"))
    return config, mixture_kl_2d.main(config)


def density_of(name):
    """The target on a grid of points that do not move, and its cells' area."""
    weights, means, shapes = mixture_kl_2d.TARGETS[name]
    line = np.linspace(-7, 7, 281)
    points = np.stack(np.meshgrid(line, line), axis=-1)
    density = 0.0
    for weight, mean, (first, second, angle) in zip(weights, means, shapes, strict=True):
        axis = np.array([math.cos(math.radians(angle)), math.sin(math.radians(angle))])
        covariance = second**2 * np.eye(2) + (first**2 - second**2) * np.outer(axis, axis)
        density = density + weight * stats.multivariate_normal(mean, covariance).pdf(points)
    return points, density, (line[1] - line[0]) ** 2


def reverse_kl(name, mean, covariance):
    points, density, area = density_of(name)
    log_q = stats.multivariate_normal(mean, covariance).logpdf(points)
    return area * float(np.sum(np.exp(log_q) * (log_q - np.log(density))))


@pytest.mark.parametrize("name", ["crossed", "propeller"])
def test_lattice_and_targets(name):
    """Two rules that have nothing in common but what they integrate; each is exact to some 1e-9 here."""
    mean, factor = np.array([0.4, -0.3]), np.array([[0.7, 0.0], [-0.4, 0.5]])
    with jax.enable_x64(True):
        q = MultivariateNormal(jnp.array(mean), jnp.array(factor))
        estimate = _plane_fits.FINE.estimate(mixture_kl_2d.make_target(name), q)
        found = float(estimate.value), float(estimate.stderr)
    expected = reverse_kl(name, mean, factor @ factor.T)
    assert found[0] == pytest.approx(expected, abs=1e-7)
    assert abs(found[0] - expected) < found[1] + 1e-8
    with pytest.raises(TypeError, match="one method"):
        _plane_fits.FINE.estimate(None, None, key=jax.random.key(0))


def test_modes_and_saddle_of_factorised_fits(results):
    _, metrics = results
    rows = [row for row in metrics["optima"] if row["divergence"] == "reverse"]
    assert [row["kind"] for row in rows] == ["minimum", "minimum", "saddle"]
    assert sum(row["share_of_starts"] for row in rows) == 1.0
    objective = lambda free: reverse_kl("narrow", free[:2], np.diag(np.exp(2 * free[2:])))  # noqa: E731
    for row in rows[:2]:
        start = [*np.sign(row["mean"]), -0.6, -0.6]
        # Where the minimum is flat to the rounding of its value, 1e-16 of it, the place is known to its root.
        best = optimize.minimize(objective, start, method="BFGS", options={"gtol": 1e-6})
        np.testing.assert_allclose(row["mean"], best.x[:2], atol=1e-5)
        np.testing.assert_allclose(row["covariance"], np.diag(np.exp(2 * best.x[2:])), atol=1e-5)
        assert row["value"] == pytest.approx(best.fun, abs=1e-9)
    # What is stationary in the middle: the best of the scales there, but not of the means.
    cover = optimize.minimize_scalar(
        lambda log: objective(np.array([0, 0, log, log])), bounds=(-1, 1), method="bounded"
    )
    np.testing.assert_allclose(rows[2]["covariance"], math.exp(2 * cover.x) * np.eye(2), atol=1e-4)
    assert rows[2]["value"] == pytest.approx(cover.fun, abs=1e-8)
    for row in rows:
        assert abs(row["value"] - row["certified_value"]) < row["error_bound"] + 1e-9
    assert [row["is_global"] for row in rows] == [True, True, False]
    assert metrics["euler_characteristics"] == {"narrow_diagonal": 2 - 1}


def test_forward_has_the_moments(results):
    _, metrics = results
    (row,) = [row for row in metrics["optima"] if row["divergence"] == "forward"]
    points, density, area = density_of("narrow")
    np.testing.assert_allclose(row["covariance"], 1.25 * np.eye(2), atol=1e-12)
    log_ratio = np.log(density) - stats.multivariate_normal([0, 0], 1.25 * np.eye(2)).logpdf(points)
    assert row["value"] == pytest.approx(area * np.sum(density * log_ratio), abs=1e-8)


def along(a, mean, deviation):
    """KL(q‖p) on a line, of N(mean, deviation^2) from 0.5 N(-a, 1) + 0.5 N(a, 1)."""
    p = lambda x: 0.5 * (stats.norm.pdf(x, -a) + stats.norm.pdf(x, a))  # noqa: E731
    log_ratio = lambda x: stats.norm.logpdf(x, mean, deviation) - np.log(p(x))  # noqa: E731
    x = mean + deviation * np.linspace(-8, 8, 801)
    return float(np.trapezoid(stats.norm.pdf(x, mean, deviation) * log_ratio(x), x))


def on_a_line(a, mean):
    found = optimize.minimize(lambda free: along(a, free[0], math.exp(free[1])), [mean, 0.0], options={"gtol": 1e-8})
    return abs(found.x[0]), math.exp(found.x[1]), found.fun


@pytest.mark.parametrize(("name", "scale", "modes"), [("overlapping", 1.0, [0.0]), ("narrow", 0.5, [0.0, 1.0])])
def test_full_covariance_is_a_fit_on_the_diagonal(name, scale, modes):
    """The target is a product of a pair of modes along the diagonal and a normal across it, and so is the best q."""
    a = math.sqrt(2) / scale
    with jax.enable_x64(True):
        means = jnp.array([[0.1, -0.2], [0.9, 0.9], [-0.9, -0.8], [0.5, 0.6]])
        widths = scale * jnp.array([2.0, 1.0, 1.0, 1.0])
        starts = MultivariateNormal(means, widths[:, None, None] * jnp.eye(2)[None])
        target = mixture_kl_2d.make_target(name)
        # From the ends of descents: Newton's method alone finds saddles as well.
        options = {"optimizer": mixture_kl_2d.make_optimizer(CONFIG), "num_steps": 4000, "tolerance": 1e-6}
        descents = mixture_kl_2d.fit(target, starts, _plane_fits.COARSE, **options)
        ends = mixture_kl_2d.NEWTON_BRIEF(_plane_fits.FINE, target, descents.optimum)
        loc, covariance, value = map(np.asarray, (ends.optimum.loc, ends.optimum.covariance, ends.value.value))
    assert np.all(np.asarray(ends.converged))
    direction = np.ones(2) / math.sqrt(2)
    seen = set()
    for end in range(4):
        mean = abs(loc[end] @ direction) / scale
        expected = min((on_a_line(a, start * a) for start in (0.0, 1.0)), key=lambda found: abs(found[0] - mean))
        assert mean == pytest.approx(expected[0], abs=1e-4)
        assert direction @ covariance[end] @ direction == pytest.approx((scale * expected[1]) ** 2, abs=1e-5)
        np.testing.assert_allclose(covariance[end] @ [1, -1], scale**2 * np.array([1, -1]), atol=1e-7)
        assert value[end] == pytest.approx(expected[2], abs=1e-8)
        seen.add(round(mean / a))
    assert sorted(seen) == modes


def test_critical_scales(results):
    """The pitchfork from Price's theorem; on a line fold and exchange are at a = 2.412230 and 2.800082.

    A factorised covering fit has the precision 1/s^2 - t/s^4 and, along the diagonal, the curvature 1/s^2 - 2t/s^4 in
    its mean, with t = E sech^2(x.m / s^2). Where that vanishes t = s^2 / 2, and the variance is 2 s^2.
    """

    def excess(s):
        sech = lambda z: stats.norm.pdf(z) / math.cosh(2 * z / s) ** 2  # noqa: E731
        return 2 * integrate.quad(sech, 0, 12, epsabs=1e-13, limit=200)[0] - s * s / 2

    _, metrics = results
    pair = metrics["textbook_pair"]
    assert pair["diagonal_pitchfork"]["scale"] == pytest.approx(optimize.brentq(excess, 0.5, 1.0, xtol=1e-12), rel=1e-8)
    assert pair["full_fold"]["half_separation"] == pytest.approx(2.412230, abs=1e-6)
    assert pair["full_exchange"]["half_separation"] == pytest.approx(2.800082, abs=1e-6)
    expected = reverse_kl("overlapping", [1, 1], np.eye(2))
    assert pair["drawn_by_hand"]["value"] == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("size", [2, 3])
def test_correlated_gaussian(size, results):
    """The total correlation is what the entropies of the coordinates exceed that of all of them by."""
    with jax.enable_x64(True):
        rows = results[1]["correlated_gaussian"]["2"] if size == 2 else fit_correlated((0.0, 0.9), size)
    at = [rows["correlations"].index(rho) for rho in (0.0, 0.9)]
    deviations = np.array(rows["deviations"])
    covariance = np.outer(deviations, deviations) * (0.1 * np.eye(size) + 0.9)
    joint = stats.multivariate_normal(np.zeros(size), covariance).entropy()
    total = sum(stats.norm(scale=s).entropy() for s in deviations) - joint
    np.testing.assert_allclose(np.array(rows["forward"]["fitted_values"])[at], [0, total], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(rows["forward"]["fitted_variances"][at[1]], deviations**2, rtol=1e-9)
    conditional = 1 / np.diagonal(np.linalg.inv(covariance))
    np.testing.assert_allclose(rows["reverse"]["fitted_variances"][at[1]], conditional, rtol=1e-9)
    # Of a factorised q with these variances the traces cancel the dimension.
    reverse = 0.5 * (np.linalg.slogdet(covariance)[1] - np.log(conditional).sum())
    assert rows["reverse"]["fitted_values"][at[1]] == pytest.approx(reverse, rel=1e-12)
    assert (reverse == pytest.approx(total, rel=1e-12)) == (size == 2)


def test_files(results):
    config, metrics = results
    assert json.loads((config.output / "metrics.json").read_text()) == metrics
    for name in ("optima", "textbook_pair", "correlated_gaussian"):
        with Image.open(config.output / f"{name}.png") as image:
            assert min(image.size) > 600


@pytest.mark.parametrize(
    ("options", "message"), [({"targets": ("none",)}, "targets must"), ({"correlations": (1.0,)}, "between -1 and 1")]
)
def test_errors(options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        mixture_kl_2d.main(dataclasses.replace(CONFIG, output=tmp_path, **options))
