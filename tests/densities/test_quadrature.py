"""Quadrature's bound on random mixtures, and its domains: half lines, intervals, heavy tails, the plane."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special

from jaxinfo import densities
from jaxinfo import distributions as family
from jaxinfo.densities import GaussHermite, Quadrature
from jaxinfo.distributions import Exponential, Mixture, Normal, Transformed
from jaxinfo.distributions.bijectors import Affine, Chain, Exp
from tests.densities.doubles import Gamma, Plane, StudentT, Uniform
from tests.marks import once

FLOAT = jnp.zeros(()).dtype
EPS = float(jnp.finfo(FLOAT).eps)
VERBS = {
    "kl_divergence": lambda log_p, log_q: np.exp(log_p) * (log_p - log_q),
    "jensen_shannon_divergence": lambda log_p, log_q: sum(
        0.5 * np.exp(own) * (own - np.logaddexp(log_p, log_q) + math.log(2)) for own in (log_p, log_q)
    ),
}


def within(estimate, truth, slack=1e-15):
    error = np.abs(np.asarray(estimate.value, np.float64) - truth)
    return bool(np.all(error <= np.asarray(estimate.stderr, np.float64) + slack * (1 + np.abs(truth))))


def random_mixtures(seed, num_components, count=200):
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet(np.full(num_components, 2.0), count).astype(FLOAT)
    means = (3 * rng.normal(size=(count, num_components))).astype(FLOAT)
    scales = np.exp(rng.uniform(math.log(0.3), math.log(3), (count, num_components))).astype(FLOAT)
    return weights, means, scales


def log_density(mixture, x):
    weights, means, scales = (part.astype(np.longdouble)[:, None, :] for part in mixture)
    z = (x[..., None] - means) / scales
    logs = np.log(weights / scales) - 0.5 * z * z - 0.5 * np.log(2 * np.longdouble(np.pi))
    top = logs.max(axis=-1)
    return top + np.log(np.sum(np.exp(logs - top[..., None]), axis=-1))


def cumulative(mixture, x):
    weights, means, scales = (part.astype(np.float64)[:, None, :] for part in mixture)
    return np.sum(weights * scipy.special.ndtr((x[..., None] - means) / scales), axis=-1)


@functools.cache
def between_crossings():
    """Total variation: between its changes of sign the integral of p - q is a difference of distribution functions."""
    p, q = random_mixtures(1, 3), random_mixtures(2, 2)
    gap = lambda x: log_density(p, x) - log_density(q, x)  # noqa: E731
    grid = np.linspace(-60, 60, 4801)
    sign = np.sign(gap(grid[None]))
    changes = sign[:, 1:] != sign[:, :-1]
    # The changes of each pair first, then others, which bisection moves to the right end of their interval: no harm.
    first = np.argsort(~changes, axis=1, kind="stable")[:, : np.max(np.sum(changes, axis=1))]
    low, high, sign = grid[:-1][first], grid[1:][first], np.take_along_axis(sign, first, axis=1)
    for _ in range(40):
        middle = 0.5 * (low + high)
        same = np.sign(gap(middle)) == sign
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    high = np.sort(high, axis=1)
    ends = np.concatenate([np.full((200, 1), -80.0), high, np.full((200, 1), 80.0)], axis=1)
    return 0.5 * np.sum(np.abs(np.diff(cumulative(p, ends) - cumulative(q, ends), axis=1)), axis=1)


@functools.cache
def fine(term):
    """The integrals by 600 panels of 20 Gauss nodes from -60 to 60, in extended precision."""
    p, q = random_mixtures(1, 3), random_mixtures(2, 2)
    nodes, weights = np.polynomial.legendre.leggauss(20)
    edges = np.linspace(-60, 60, 601)
    x = (0.5 * (edges[1:] + edges[:-1])[:, None] + 0.1 * nodes).astype(np.longdouble).ravel()
    weights = np.tile(0.1 * weights, 600)
    totals = [np.sum(weights * VERBS[term](log_density(row_p, x[None]), log_density(row_q, x[None])), axis=-1)
              for row_p, row_q in zip(rows(p), rows(q), strict=True)]  # fmt: skip
    return np.concatenate(totals).astype(np.float64)


def rows(mixture):
    return [tuple(part[i : i + 50] for part in mixture) for i in range(0, 200, 50)]


@pytest.mark.parametrize("term", [*VERBS, "total_variation"])
def test_the_bound_holds_for_two_hundred_random_mixtures(term):
    (w, m, s), (v, n, t) = random_mixtures(1, 3), random_mixtures(2, 2)
    # A mixture is normalised by the measures of unit mass only as well as its weights are rounded.
    p, q = (
        Mixture(jnp.asarray(w), Normal(jnp.asarray(m), jnp.asarray(s))),
        Mixture(jnp.asarray(v), Normal(jnp.asarray(n), jnp.asarray(t))),
    )
    truth = between_crossings() if term == "total_variation" else fine(term)
    if term != "total_variation":
        truth = truth - excess(w, v, 1.0 if term == "kl_divergence" else 0.0)
    for rounds in (0, 8):
        estimate = getattr(densities, term)(p, q, method=Quadrature(num_rounds=rounds))
        # The truth itself is good to 1e-12 of its size.
        assert within(estimate, truth, slack=1e-12)
        # At a kink halving a panel gains little: eight rounds find it to single precision only.
        if rounds and (term != "total_variation" or EPS > 1e-10):
            assert np.mean(estimate.diagnostics["converged"]) >= 0.9


def excess(w, v, share):
    """What `- p + q` adds for weights whose sum is rounded."""
    return share * (np.sum(w, axis=-1, dtype=np.float64) - np.sum(v, axis=-1, dtype=np.float64))


def test_half_lines():
    shape = np.array([0.5, 1.0, 3.0])
    truth = shape - math.log(2) + scipy.special.gammaln(shape) + (1 - shape) * scipy.special.digamma(shape)
    estimate = densities.entropy(Gamma(jnp.asarray(shape, FLOAT), jnp.asarray(2.0)))
    assert within(estimate, truth)
    np.testing.assert_allclose(estimate.value, truth, rtol=64 * EPS, atol=64 * EPS)
    assert np.all(estimate.diagnostics["converged"])
    heavy = densities.entropy(Gamma(jnp.asarray(0.02), jnp.asarray(1.0)))
    exact = 0.02 + scipy.special.gammaln(0.02) + 0.98 * scipy.special.digamma(0.02)
    assert within(heavy, float(exact))


def test_intervals_with_array_bounds():
    p = Uniform(jnp.array([0.0, 0.5]), jnp.array([1.0, 0.75]))
    q = Uniform(jnp.array([0.0, 0.0]), jnp.array([2.0, 1.0]))
    forward = densities.kl_divergence(p, q)
    assert within(forward, np.log([2.0, 4.0]))
    np.testing.assert_allclose(forward.value, np.log([2.0, 4.0]), rtol=32 * EPS)
    assert np.all(np.isposinf(densities.kl_divergence(q, p).value))


def test_heavy_tails():
    """Between Cauchy distributions KL is log(((s + t)^2 + (m - n)^2) / (4 s t)), the entropy log(4 pi s)."""
    one = jnp.asarray(1.0)
    p, q = StudentT(one, jnp.asarray(0.0), one), StudentT(one, jnp.asarray(1.0), jnp.asarray(2.0))
    estimate = densities.kl_divergence(p, q)
    assert within(estimate, math.log(10 / 8))
    assert bool(estimate.diagnostics["converged"])
    entropy = densities.entropy(StudentT(one, jnp.asarray(0.0), jnp.asarray(1e3)))
    assert within(entropy, math.log(4e3 * math.pi))
    assert float(densities.kl_divergence(p, Normal(0.0, 1.0)).value) == math.inf


def two(scales, offset=1.0):
    return Mixture(jnp.array([0.5, 0.5]), Normal(jnp.array([-offset, offset]), jnp.array(scales)))


def student(df):
    return family.StudentT(df, 0.0, 1.0)


def test_integrals_without_end_are_infinite():
    """Normal tails: p^a q^(1-a) with a / s^2 + (1 - a) / t^2 < 0. Powers: what falls no faster than 1/x."""
    alpha = densities.alpha_divergence
    for estimate in (
        # (1, 1.5) against 1: 2 / 2.25 - 1 < 0, but everything in range; -1 + 2 / 4 < 0.
        alpha(two([1.0, 1.5]), Normal(0.0, 1.0), alpha=2.0),
        alpha(two([1.0, 1.0]), Normal(0.0, 2.0), alpha=-1.0),
        densities.renyi_divergence(two([1.0, 1.5]), Normal(0.0, 1.0), order=2.0),
        # Tails x^-(df + 1): x^(-8 + 7), which gains as much with every factor of x.
        alpha(student(3.0), student(6.0), alpha=2.0),
        # The variance of df <= 2; in single precision p runs out of range before that shows.
        densities.kl_divergence(student(2.0), two([1.0, 2.0])),
        densities.kl_divergence(student(1.5), two([1.0, 2.0])),
    ):
        assert float(estimate.value) == math.inf


def test_slow_tails_are_in_the_bound():
    """Truth by mpmath's `quad` in pieces of ten decades: the integral, with log x for x, to 15 digits."""
    # 2 / 1.5625 - 1 > 0: falls in the end, and slowly.
    estimate = densities.alpha_divergence(two([1.0, 1.25]), Normal(0.0, 1.0), alpha=2.0)
    assert within(estimate, 1.44819107740295221, slack=4 * EPS)
    assert float(estimate.stderr) < 1e-3
    # Falls as x^-1.125, the square of x times x^-3.125: half of what is beyond 1e12 is beyond 2.6e14.
    estimate = densities.kl_divergence(student(2.125), two([1.0, 2.0]))
    assert within(estimate, 1.8480198853385326)
    assert not bool(estimate.diagnostics["converged"])
    # Equal scales: the top of p^9 q^-8 is at -12, outside of the panels, and the bound says so.
    far = densities.alpha_divergence(two([1.0, 1.0], 0.125), Normal(1.5, 1.0), alpha=9.0)
    assert np.isfinite(far.value)
    assert float(far.stderr) == math.inf
    assert not bool(far.diagnostics["converged"])


def test_the_plane():
    factor = jnp.array([[1.0, 0.0], [0.8, 0.6]])
    p, q = Plane(jnp.zeros(2), factor), Plane(jnp.array([[1.0, 0.0], [0.0, 0.0]]), 2 * factor)
    estimate = densities.kl_divergence(p, q, method=Quadrature(offsets=(1.5, 3.0, 4.5, 6.0)))
    truth = math.log(4) - 0.75 + np.array([0.125 / 0.36, 0.0])
    assert within(estimate, truth)
    np.testing.assert_allclose(estimate.value, truth, rtol=128 * EPS)


def correlated(z):
    x, y = z[..., 0], z[..., 1]
    return Normal(0.0, 1.0).log_prob(x) + Normal(0.6 * x, 0.8).log_prob(y)


def test_mutual_information_of_a_function():
    estimate = densities.mutual_information(correlated, Normal(0.0, 1.0), Normal(0.0, 1.0))
    assert within(estimate, -0.5 * math.log(1 - 0.36), slack=4e-8)
    assert estimate.method == "quadrature"


def test_bare_functions_are_found_or_reported():
    def narrow(x):
        return -0.5 * ((x - 1000) / 2) ** 2 - math.log(2 * math.sqrt(2 * math.pi))

    def two(x):
        return jnp.logaddexp(-0.5 * (x - 1000) ** 2, -0.5 * (x + 3000) ** 2) - math.log(2 * math.sqrt(2 * math.pi))

    found = densities.entropy(narrow)
    assert within(found, 0.5 * math.log(2 * math.pi * math.e) + math.log(2))
    assert not bool(densities.entropy(two).diagnostics["converged"])
    slope = jax.grad(lambda m: densities.kl_divergence(lambda x: Normal(m, 1.0).log_prob(x), Normal(0.0, 1.0)).value)
    assert float(slope(1.5)) == pytest.approx(1.5, rel=64 * EPS)


def test_gauss_hermite_is_exact_for_normals_and_not_for_modes_apart():
    method = GaussHermite(32)
    normal = densities.kl_divergence(Normal(0.0, 1.0), Normal(1.0, 2.0), method=method)
    # The integrand is a polynomial times p, and q, whose mass converges fast.
    assert float(normal.value) == pytest.approx(math.log(2) - 0.25, rel=1e-5)
    p = Mixture(jnp.array([0.5, 0.5]), Normal(jnp.array([-8.0, 8.0]), 1.0))
    assert float(densities.kl_divergence(p, Normal(0.0, 8.0), method=method).stderr) > 1e-3


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: GaussHermite(7), ValueError, "num_nodes .*7"),
        (lambda: densities.entropy(correlated, method=GaussHermite()), TypeError, "GaussHermite needs"),
        (lambda: densities.renyi_divergence(Normal(0.0, 1.0), Normal(0.0, 2.0), -1.0), ValueError, "order"),
        (lambda: densities.f_divergence(Normal(0.0, 1.0), Normal(0.0, 2.0), "kl"), TypeError, "generator"),
        (
            lambda: densities.kl_divergence(Plane(jnp.zeros(2), jnp.eye(2)), Normal(0.0, 1.0)),
            ValueError,
            "event shapes",
        ),
        (lambda: densities.mutual_information(correlated, correlated, Normal(0.0, 1.0)), TypeError, "marginal"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


@once
def test_images_of_whole_and_half_lines():
    """The entropy of an image is that of the base and the mean of the logarithm of the slope."""
    flipped = Transformed(Exponential(1.5), Affine(2.0, jnp.asarray(-3.0)))
    shifted = Transformed(Normal(0.0, 1.0), Affine(jnp.asarray(0.5), jnp.asarray(2.0)))
    logarithmic = Transformed(Normal(0.0, 1.0), Chain((Exp(), Affine(jnp.asarray(1.0), 0.5))))
    half_log = 0.5 * np.log(2 * np.pi * np.e)
    cases = [
        (flipped, 1 - np.log(1.5) + np.log(3)),
        (shifted, half_log + np.log(2)),
        (logarithmic, half_log + np.log(0.5) + 1),
    ]
    for density, expected in cases:
        found = densities.entropy(density, method=Quadrature())
        np.testing.assert_allclose(found.value, expected, rtol=1e-5)
        assert bool(found.diagnostics["converged"])
    assert shifted.support == (-np.inf, np.inf)
    assert logarithmic.support == (0.0, np.inf)
