"""Wishart: density, moments, draws and closed forms, by mpmath and SciPy."""

import math

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from scipy import stats

from jaxinfo import distributions
from jaxinfo.distributions import Wishart

DTYPE = jnp.zeros(()).dtype
EPS = float(jnp.finfo(DTYPE).eps)
TOLERANCE = 1e-12 if jnp.finfo(DTYPE).bits == 64 else 64 * EPS
D = 3


def rounded(x):
    return np.asarray(jnp.asarray(x, DTYPE), float)


def factor(rng, scale=1.0):
    return scale * (np.tril(rng.normal(size=(D, D)), -1) + np.diag(rng.uniform(0.5, 2, D)))


def log_gamma(a):
    halves = mpmath.fsum(mpmath.loggamma(a - mpmath.mpf(i) / 2) for i in range(D))
    return mpmath.mpf(D * (D - 1)) / 4 * mpmath.log(mpmath.pi) + halves


def digamma(a):
    return mpmath.fsum(mpmath.digamma(a - mpmath.mpf(i) / 2) for i in range(D))


def exact(x):
    matrix = mpmath.matrix(x.tolist())
    return matrix * matrix.T


def log_det(x):
    return mpmath.log(mpmath.det(x))


def trace(x):
    return mpmath.fsum(x[i, i] for i in range(D))


def exact_cross_entropy(df_p, scale_p, df_q, scale_q):
    mean_log = digamma(df_p / 2) + D * mpmath.log(2) + log_det(scale_p)
    constant = df_q * D / 2 * mpmath.log(2) + df_q / 2 * log_det(scale_q) + log_gamma(df_q / 2)
    return constant + df_p / 2 * trace(scale_q**-1 * scale_p) - (df_q - D - 1) / 2 * mean_log


def exact_kl(df_p, scale_p, df_q, scale_q):
    return exact_cross_entropy(df_p, scale_p, df_q, scale_q) - exact_cross_entropy(df_p, scale_p, df_p, scale_p)


def pairs():
    rng = np.random.default_rng(0)
    cases = [
        (df_p, factor(rng, s), df_q, factor(rng))
        for s in (1.0, 1e-3)
        for df_p in (2.1, 9.0, 1e3)
        for df_q in (2.5, 50.0)
    ]
    for size in (1e-1, 1e-3, 1e-6):
        for df in (2.5, 20.0, 1e4):
            base = factor(rng)
            cases.append((df * (1 + size / 2), base * (1 + size * rng.normal(size=(D, D))), df, base))
    return [(rounded(a), rounded(x), rounded(b), rounded(y)) for a, x, b, y in cases]


def test_closed_forms():
    cases = pairs()
    df_p, tril_p, df_q, tril_q = (jnp.asarray(np.stack(v), DTYPE) for v in zip(*cases, strict=True))

    @jax.jit
    def evaluate(df_p, tril_p, df_q, tril_q):
        def total(df_p, df_q):
            value = distributions.kl_divergence(Wishart(df_p, tril_p), Wishart(df_q, tril_q))
            return jnp.sum(value), value

        slopes, values = jax.grad(total, argnums=(0, 1), has_aux=True)(df_p, df_q)
        p, q = Wishart(df_p, tril_p), Wishart(df_q, tril_q)
        return values, distributions.cross_entropy(p, q), p.entropy(), slopes

    values, crosses, entropies, slopes = evaluate(df_p, tril_p, df_q, tril_q)
    step = mpmath.mpf(10) ** -20
    with mpmath.workdps(60):
        for i, (a, x, b, y) in enumerate(cases):
            a, b, x, y = mpmath.mpf(float(a)), mpmath.mpf(float(b)), exact(x), exact(y)  # noqa: PLW2901
            truth = exact_kl(a, x, b, y)
            assert abs(float(values[i]) - float(truth)) <= TOLERANCE * float(truth), (i, values[i], truth)
            terms = max(abs(float(t)) for t in (a * log_det(x), b * log_det(y), log_gamma(a / 2), a * D, truth))
            assert abs(float(crosses[i]) - float(exact_cross_entropy(a, x, b, y))) <= TOLERANCE * terms
            assert abs(float(entropies[i]) - float(exact_cross_entropy(a, x, a, x))) <= TOLERANCE * terms
            in_p = (exact_kl(a + step, x, b, y) - exact_kl(a - step, x, b, y)) / (2 * step)
            in_q = (exact_kl(a, x, b + step, y) - exact_kl(a, x, b - step, y)) / (2 * step)
            # The largest term of the slope is that of the ratio of the means.
            size = max(abs(float(in_p)), abs(float(in_q)), float(a / b * trace(y**-1 * x)) / 2)
            for slope, expected in zip(slopes, (in_p, in_q), strict=True):
                assert abs(float(slope[i]) - float(expected)) <= TOLERANCE * size, (i, slope[i], expected)
    p = Wishart(df_p, tril_p)
    assert float(jnp.max(jnp.abs(distributions.kl_divergence(p, p)))) == 0


def test_density_and_moments():
    rng = np.random.default_rng(1)
    tril = rounded(factor(rng))
    scale = tril @ tril.T
    frozen = stats.wishart(7.5, scale)
    wishart = Wishart(7.5, jnp.asarray(tril, DTYPE))
    points = rounded(frozen.rvs(5, random_state=2))
    log_probs = wishart.log_prob(jnp.asarray(points, DTYPE))
    assert log_probs.shape == (5,)
    np.testing.assert_allclose(log_probs, [frozen.logpdf(x) for x in points], rtol=max(1e3 * EPS, 1e-12))
    np.testing.assert_allclose(wishart.mean, frozen.mean(), rtol=64 * EPS, atol=64 * EPS)
    np.testing.assert_allclose(wishart.variance, frozen.var(), rtol=64 * EPS, atol=64 * EPS)
    assert float(wishart.entropy()) == pytest.approx(frozen.entropy(), rel=max(64 * EPS, 1e-12))
    assert (wishart.batch_shape, wishart.event_shape) == ((), (D, D))


def test_draws():
    rng = np.random.default_rng(3)
    tril = rounded(factor(rng))
    wishart = Wishart(jnp.array([2.5, 9.0], DTYPE), jnp.asarray(tril, DTYPE))
    draws = np.asarray(wishart.sample(jax.random.key(0), (4000,)), float)
    assert draws.shape == (4000, 2, D, D)
    inverse = np.linalg.inv(tril)
    for i, df in enumerate((2.5, 9.0)):
        white = inverse @ draws[:, i] @ inverse.T
        # By Bartlett, each entry of the diagonal is chi-squared, and so is any quadratic form of a unit vector.
        for vector in (*np.eye(D), np.array([0.6, 0.0, 0.8])):
            assert stats.kstest(vector @ white @ vector, stats.chi2(df).cdf).pvalue > 1e-4
        # The determinant is a product of independent chi-squared variables.
        logs = np.linalg.slogdet(white)[1]
        expected = sum(float(mpmath.digamma((df - k) / 2)) + math.log(2) for k in range(D))
        spread = math.sqrt(sum(float(mpmath.psi(1, (df - k) / 2)) for k in range(D)))
        assert abs(np.mean(logs) - expected) < 5 * spread / math.sqrt(4000)
    slope = jax.grad(lambda df: jnp.sum(Wishart(df, jnp.eye(2)).sample(jax.random.key(1))))(4.0)
    assert math.isfinite(float(slope))


def test_domain_and_bijection():
    eye = jnp.eye(2)
    assert np.isnan(np.asarray(Wishart(jnp.array([1.0, 0.5, -1.0, 1.5]), eye).entropy())).tolist() == [True] * 3 + [
        False
    ]
    wishart = Wishart(3.0, eye)
    assert float(wishart.log_prob(jnp.array([[1.0, 2.0], [2.0, 1.0]]))) == -math.inf
    assert float(wishart.log_prob(jnp.array([[1.0, 0.5], [0.0, 1.0]]))) == -math.inf
    assert math.isnan(float(wishart.log_prob(jnp.full((2, 2), jnp.nan))))
    slopes = jax.grad(wishart.log_prob)(jnp.array([[1.0, 2.0], [2.0, 1.0]]))
    assert bool(jnp.all(jnp.isfinite(slopes)))
    again = wishart.from_unconstrained(wishart.to_unconstrained())
    np.testing.assert_allclose(again.df, 3.0, rtol=8 * EPS)
    np.testing.assert_allclose(again.scale_tril, eye, atol=8 * EPS)
    with pytest.raises(ValueError, match="square"):
        _ = Wishart(3.0, jnp.ones((2, 3))).event_shape
