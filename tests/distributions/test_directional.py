"""Von Mises and von Mises-Fisher: densities, draws and closed forms, by mpmath and SciPy."""

import math

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from scipy import stats

from jaxinfo import distributions
from jaxinfo.distributions import VonMises, VonMisesFisher
from tests.marks import once

DTYPE = jnp.zeros(()).dtype
EPS = float(jnp.finfo(DTYPE).eps)
TOLERANCE = 1e-12 if jnp.finfo(DTYPE).bits == 64 else 32 * EPS
CONCENTRATIONS = np.asarray(jnp.asarray([1e-3, 0.3, 2.0, 17.0, 1e4], DTYPE), float)


def rounded(x):
    return np.asarray(jnp.asarray(x, DTYPE), float)


def log_constant(size, kappa):
    """The logarithm of the integral of exp(kappa mu . x) over the sphere in `size` dimensions."""
    order = mpmath.mpf(size) / 2 - 1
    return (
        (order + 1) * mpmath.log(2 * mpmath.pi) - order * mpmath.log(kappa) + mpmath.log(mpmath.besseli(order, kappa))
    )


def ratio(size, kappa):
    order = mpmath.mpf(size) / 2 - 1
    return mpmath.besseli(order + 1, kappa) / mpmath.besseli(order, kappa)


def exact_kl(size, depth, p, q):
    """By the concentrations and one less the cosine of the angle."""
    p, q = mpmath.mpf(p), mpmath.mpf(q)
    return log_constant(size, q) - log_constant(size, p) + ratio(size, p) * (p - q + q * depth)


def exact_cross_entropy(size, depth, p, q):
    return log_constant(size, mpmath.mpf(q)) - mpmath.mpf(q) * ratio(size, mpmath.mpf(p)) * (1 - depth)


def close(value, exact, scale=0.0):
    assert abs(float(value) - float(exact)) <= TOLERANCE * max(abs(float(exact)), float(scale)), (value, exact)


def pairs():
    """Angles and concentrations, apart and near."""
    base = [(a, p, b, q) for p in CONCENTRATIONS for q in CONCENTRATIONS for a, b in [(0.5, -2.0)]]
    near = [(0.5, p, 0.5 * (1 + e), p * (1 - e)) for p in CONCENTRATIONS for e in (0, 1e-6, 1e-3, 0.1)]
    return rounded([*base, *near])


def test_circle():
    with mpmath.workdps(50):
        _check_circle()


def _check_circle():
    table = pairs()
    p, q = (VonMises(*jnp.asarray(table[:, i : i + 2].T, DTYPE)) for i in (0, 2))
    values = distributions.kl_divergence(p, q)
    crosses = distributions.cross_entropy(p, q)
    slopes = jax.grad(lambda p: jnp.sum(distributions.kl_divergence(p, q)))(p)
    for i, (a, kappa, b, other) in enumerate(table):
        angle = mpmath.mpf(a) - mpmath.mpf(b)
        depth = 1 - mpmath.cos(angle)
        exact = exact_kl(2, depth, kappa, other)
        close(values[i], exact)
        assert float(values[i]) >= 0
        assert float(values[i]) > 0 or exact == 0 or abs(exact) < 1e-30
        close(crosses[i], exact_cross_entropy(2, depth, kappa, other), scale=1)
        close(slopes.loc[i], other * ratio(2, mpmath.mpf(kappa)) * mpmath.sin(angle))
        slope = mpmath.diff(
            lambda k, d=depth, o=other: exact_kl(2, d, k, o), mpmath.mpf(kappa), h=mpmath.mpf(10) ** -18
        )
        if abs(slope) > 1e-20:
            close(slopes.concentration[i], slope)
    entropies, points = p.entropy(), p.mean + 1 / jnp.sqrt(1 + p.concentration)
    log_probs = p.log_prob(points)
    for i, (a, kappa) in enumerate(table[:, :2]):
        kappa = mpmath.mpf(kappa)  # noqa: PLW2901
        close(entropies[i], log_constant(2, kappa) - kappa * ratio(2, kappa), scale=1)
        exact = kappa * mpmath.cos(mpmath.mpf(float(points[i])) - mpmath.mpf(a)) - log_constant(2, kappa)
        # The angle itself has rounded, which the exact value here is told.
        close(log_probs[i], exact, scale=1)
        close(p.variance[i], 1 - ratio(2, kappa))


def sphere(size, rng, count):
    x = rng.normal(size=(count, size))
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


@pytest.mark.parametrize("size", [2, 3, 20])
def test_sphere(size):
    rng = np.random.default_rng(size)
    kappas = np.array([(p, q) for p in CONCENTRATIONS for q in (p, p * (1 + 1e-4), 3.0)])
    kappas = rounded(kappas)
    mean_p = sphere(size, rng, len(kappas))
    mean_q = sphere(size, rng, len(kappas))
    near = np.arange(len(kappas)) % 3 != 2
    mean_q[near] = mean_p[near] + 1e-4 * mean_q[near]
    mean_q /= np.linalg.norm(mean_q, axis=-1, keepdims=True)
    mean_p, mean_q = rounded(mean_p), rounded(mean_q)
    p, q = (
        VonMisesFisher(jnp.asarray(m, DTYPE), jnp.asarray(kappas[:, i], DTYPE)) for i, m in enumerate((mean_p, mean_q))
    )
    values, crosses, entropies = distributions.kl_divergence(p, q), distributions.cross_entropy(p, q), p.entropy()
    log_probs, means, variances = p.log_prob(jnp.asarray(mean_q, DTYPE)), p.mean, p.variance
    with mpmath.workdps(50):
        for i, (kappa, other) in enumerate(kappas):
            depth = mpmath.fsum((mpmath.mpf(x) - mpmath.mpf(y)) ** 2 for x, y in zip(mean_p[i], mean_q[i], strict=True))
            depth = depth / 2
            close(values[i], exact_kl(size, depth, kappa, other))
            close(crosses[i], exact_cross_entropy(size, depth, kappa, other), scale=size)
            constant, r = log_constant(size, mpmath.mpf(kappa)), ratio(size, mpmath.mpf(kappa))
            close(entropies[i], constant - kappa * r, scale=size)
            close(log_probs[i], kappa * (1 - depth) - constant, scale=size)
            slope = 1 - r**2 - (size - 1) / mpmath.mpf(kappa) * r
            for j, x in enumerate(mean_p[i]):
                close(means[i, j], r * x)
                close(variances[i, j], slope * x**2 + r / mpmath.mpf(kappa) * (np.sum(mean_p[i] ** 2) - x**2))
    assert float(jnp.max(jnp.abs(distributions.kl_divergence(p, p)))) == 0


@once
@pytest.mark.parametrize("size", [2, 3, 6])
def test_draws_on_sphere(size):
    rng = np.random.default_rng(size)
    mean = jnp.asarray(sphere(size, rng, 4), DTYPE)
    kappa = jnp.asarray([0.0, 0.7, 30.0, 1e5], DTYPE)
    draws = VonMisesFisher(mean, kappa).sample(jax.random.key(1), (4000,))
    assert draws.shape == (4000, 4, size)
    np.testing.assert_allclose(jnp.sum(jnp.square(draws), axis=-1), 1, rtol=16 * EPS)
    # The height t = mu . x has density exp(kappa t) (1 - t^2)^((D - 3) / 2), by its distribution function on a grid.
    for i in range(4):
        depth = 0.5 * np.sum(np.square(np.asarray(draws[:, i] - mean[i][None], float)), axis=-1)
        angle = np.linspace(0, np.pi if i < 3 else 12 * math.sqrt(size) / math.sqrt(1e5), 20001)
        density = np.exp(float(kappa[i]) * (np.cos(angle) - 1)) * np.sin(angle) ** (size - 2)
        total = np.concatenate([[0], np.cumsum(0.5 * (density[1:] + density[:-1]))])
        angles = 2 * np.arcsin(np.sqrt(np.clip(depth / 2, 0, 1)))
        cdf = np.interp(angles, angle, total / total[-1])
        assert stats.kstest(cdf, "uniform").pvalue > 1e-4, (size, i)
        # And no direction about the mean is preferred.
        side = np.array(draws[:, i] - (1 - depth)[:, None] * np.asarray(mean[i]), float)
        side /= np.linalg.norm(side, axis=-1, keepdims=True)
        assert np.max(np.abs(np.mean(side, axis=0))) < 5 / math.sqrt(4000)


@once
def test_draws_on_circle():
    kappa = jnp.asarray([0.0, 1e-6, 0.4, 3.0, 1e3, 1e6], DTYPE)
    sample = jax.jit(lambda key, kappa: VonMises(0.3, kappa).sample(key, (4000,)))
    draws = np.asarray(sample(jax.random.key(2), kappa), float)
    assert draws.shape == (4000, 6)
    assert np.max(np.abs(draws)) <= math.pi * (1 + EPS)
    for i in range(4):
        centred = np.mod(draws[:, i] - 0.3 + np.pi, 2 * np.pi) - np.pi
        cdf = stats.vonmises(float(kappa[i])).cdf if i else stats.uniform(-np.pi, 2 * np.pi).cdf
        assert stats.kstest(centred, cdf).pvalue > 1e-4
    for i in (4, 5):
        # All but normal; the angle's own unit is 3e-8 in float32.
        scaled = (draws[:, i] - 0.3) * math.sqrt(float(kappa[i]))
        assert stats.kstest(scaled, "norm").pvalue > 1e-4
    keys = jax.random.split(jax.random.key(3), 6)
    vmapped = jax.vmap(lambda key, kappa: VonMises(3.0, kappa).sample(key))(keys, kappa)
    assert vmapped.shape == (6,)
    slope = jax.grad(lambda loc: jnp.sum(VonMises(loc, kappa).sample(jax.random.key(0))))(0.3)
    assert float(slope) == pytest.approx(6)
    assert math.isnan(float(VonMises(0.0, -1.0).sample(jax.random.key(0))))


@once
def test_edges():
    p = VonMises(0.2, 0.0)
    assert float(p.log_prob(100.0)) == pytest.approx(-math.log(2 * math.pi), rel=4 * EPS)
    assert float(p.entropy()) == pytest.approx(math.log(2 * math.pi), rel=4 * EPS)
    assert float(VonMises(7.0, 1.0).mean) == pytest.approx(7 - 2 * math.pi, rel=8 * EPS)
    turned = VonMises(0.5, 3.0).log_prob(jnp.asarray([1.0, 1.0 + 2 * math.pi]))
    np.testing.assert_allclose(turned[0], turned[1], rtol=64 * EPS)
    assert float(distributions.kl_divergence(p, p)) == 0
    uniform = VonMisesFisher(jnp.array([1.0, 0.0, 0.0]), 0.0)
    assert float(uniform.entropy()) == pytest.approx(math.log(4 * math.pi), rel=4 * EPS)
    np.testing.assert_allclose(uniform.variance, np.full(3, 1 / 3), rtol=8 * EPS)
    assert float(uniform.log_prob(jnp.array([1.0, 1.0, 0.0]))) == -math.inf
    assert math.isnan(float(VonMisesFisher(jnp.array([1.0, 1.0]), 1.0).entropy()))
    assert math.isnan(float(VonMisesFisher(jnp.array([1.0, 0.0]), -1.0).log_prob(jnp.array([1.0, 0.0]))))
    with pytest.raises(ValueError, match="at least two"):
        _ = VonMisesFisher(jnp.ones(1), 1.0).event_shape
    slopes = jax.grad(lambda q: distributions.kl_divergence(p, q))(VonMises(0.2, 0.0))
    assert float(slopes.concentration) == float(slopes.loc) == 0
    fisher = jax.hessian(lambda k: distributions.kl_divergence(VonMises(0.2, 2.0), VonMises(0.2, k)))(2.0)
    r = float(ratio(2, 2.0))
    assert float(fisher) == pytest.approx(1 - r**2 - r / 2, rel=1e2 * EPS)
    member = VonMisesFisher(jnp.array([0.6, 0.8]), 3.0)
    again = member.from_unconstrained(member.to_unconstrained())
    np.testing.assert_allclose(again.mean_direction, member.mean_direction, rtol=8 * EPS)


def test_exponential_family_form():
    p = VonMises(0.7, 1.3)
    parameters = p.parameters()
    natural = VonMises._natural(*parameters)
    products = sum(a * b for a, b in zip(natural, VonMises._statistics(jnp.asarray(0.1), *parameters), strict=True))
    expected = float(p.log_prob(0.1))
    assert float(products - VonMises._log_normalizer(*natural)) == pytest.approx(expected, rel=64 * EPS)
    np.testing.assert_allclose(VonMises._from_natural(*natural), parameters, rtol=64 * EPS)
