"""Divergences between families: the oracles against integrals, every pair (slow), infinities, and shared members."""

import itertools
import math
import warnings

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
import scipy.integrate

from jaxinfo import distributions
from jaxinfo.distributions import (
    Beta,
    Cauchy,
    ChiSquared,
    Dirichlet,
    Exponential,
    Gamma,
    HalfNormal,
    Independent,
    InverseGaussian,
    Normal,
    Pareto,
    StudentT,
    Uniform,
    Weibull,
)
from tests import closed_form_tables
from tests.distributions import crosses_members, crosses_oracles, test_closed_forms
from tests.distributions.exact import EPS, FLOAT, exactly, rounded, tolerance
from tests.distributions.rows import crosses
from tests.marks import once

LINE = [name for name in closed_form_tables.families() if name in crosses_oracles.UNIT]
PAIRS = [
    (p, q)
    for p in LINE
    for q in LINE
    if p != q and closed_form_tables.answer("kl_divergence", p, q) == closed_form_tables.FORMULA
]
# Tails that reach far enough for a finite range to miss digits.
HEAVY = ("InverseGamma", "Pareto", "StudentT", "Cauchy", "LogNormal")


def integral(p, q, ends):
    """KL by quadrature between quantiles."""
    levels = (1e-13, 1e-9, 1e-6, 1e-3, 0.05, 0.25, 0.5)
    inner = [p.ppf(level) for level in levels] + [p.isf(level) for level in levels]
    points = sorted({float(x) for x in inner if ends[0] <= x <= ends[1]})

    def integrand(x):
        # Some of SciPy's are logarithms of a density that has underflowed; what is there weighs nothing.
        log_p, log_q = p.logpdf(x), q.logpdf(x)
        return math.exp(log_p) * (log_p - log_q) if min(log_p, log_q) > -math.inf else 0.0

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", scipy.integrate.IntegrationWarning)
        parts = [scipy.integrate.quad(integrand, a, b, limit=100)[0] for a, b in itertools.pairwise(points)]
    return math.fsum(parts)


def agrees_with_integral(p, q):
    count = len(getattr(distributions, p).constraints)
    oracle = crosses_oracles.functions(p, q, count)[0]
    theta = crosses_members.pairs(p, q)[0]
    exact = exactly(oracle, *np.array([theta]).T)[0]
    if math.isfinite(exact):
        first, second = crosses_oracles.SCIPY[p](*theta[:count]), crosses_oracles.SCIPY[q](*theta[count:])
        found = integral(first, second, crosses_oracles.support(p, *theta[:count]))
        # Beyond the outer quantiles lies what grows: powers of heavy tails, exponentials, and 1 / x.
        rough = p in HEAVY or q in ("Gumbel", "InverseGamma", "InverseGaussian")
        assert found == pytest.approx(exact, rel=2e-3 if rough else 1e-5, abs=1e-6)


@once
@pytest.mark.parametrize(("p", "q"), crosses.KL)
def test_oracle_is_the_integral(p, q):
    agrees_with_integral(p, q)


@pytest.mark.slow
def test_all_oracles_are_the_integrals():
    for p, q in PAIRS:
        agrees_with_integral(p, q)


@pytest.mark.slow
@pytest.mark.parametrize(("p", "q"), PAIRS)
def test_every_pair(p, q):
    test_closed_forms.test_value_and_gradient(crosses.pair("kl_divergence", p, q))


@pytest.mark.slow
@pytest.mark.parametrize(("p", "q"), PAIRS)
def test_every_cross_entropy(p, q):
    test_closed_forms.test_value_and_gradient(crosses.pair("cross_entropy", p, q))


@pytest.mark.parametrize(
    ("p", "q"),
    [
        (Normal(0.0, 1.0), Gamma(2.0, 1.0)),
        (Normal(0.0, 1.0), Uniform(-1e6, 1e6)),
        (Exponential(1.0), Pareto(0.5, 1.0)),
        (Exponential(1.0), Beta(2.0, 1.0)),
        (Cauchy(0.0, 1.0), Normal(0.0, 1.0)),
        (StudentT(2.0, 0.0, 1.0), Normal(0.0, 1.0)),
        (HalfNormal(1.0), InverseGaussian(1.0, 1.0)),
        (Gamma(1.0, 1.0), InverseGaussian(1.0, 1.0)),
        (Pareto(1.0, 2.0), Normal(0.0, 1.0)),
        (Uniform(-0.5, 1.0), Gamma(2.0, 1.0)),
        (Uniform(0.25, 1.5), Beta(2.0, 1.0)),
        (ChiSquared(3.0), Uniform(0.0, 5.0)),
    ],
    ids=lambda member: type(member).__name__,
)
def test_mass_where_the_other_has_none_and_tails_that_are_too_heavy(p, q):
    """The divergence is infinite, and so is the cross-entropy; no derivative is NaN."""

    def both(pair):
        return jnp.stack([distributions.kl_divergence(*pair), distributions.cross_entropy(*pair)])

    value, gradient = jax.jit(lambda pair: (both(pair), jax.jacrev(both)(pair)))((p, q))
    assert np.isposinf(value).all()
    assert not any(np.isnan(np.asarray(leaf)).any() for leaf in jax.tree.leaves(gradient))


def test_supports_are_compared_member_by_member():
    low, high = np.array([-0.5, 0.0, 0.25, 2.0], FLOAT), np.array([0.5, 1.0, 0.5, 3.0], FLOAT)
    found = distributions.kl_divergence(Uniform(low, high), Gamma(1.0, 2.0))
    exact = [2 * (a + b) / 2 - math.log(2 * (b - a)) for a, b in zip(low, high, strict=True)]
    assert np.isinf(found).tolist() == [True, False, False, False]
    np.testing.assert_allclose(found[1:], exact[1:], rtol=16 * EPS, atol=16 * EPS)


NEAR = [2.0**-k for k in (4, 7, 10)]


def _log_beta(a, b):
    return mpmath.loggamma(a) + mpmath.loggamma(b) - mpmath.loggamma(a + b)


@pytest.mark.parametrize(
    ("measure", "exact"),
    [
        (
            lambda e: distributions.kl_divergence(Exponential(2.0), Gamma(1 + e, 2.0)),
            lambda e: mpmath.loggamma(1 + e) + e * mpmath.euler,
        ),
        (
            lambda e: distributions.kl_divergence(Uniform(0.0, 1.0), Beta(1 + e, 1.0)),
            lambda e: _log_beta(1 + e, mpmath.mpf(1)) + e,
        ),
        (
            lambda e: distributions.kl_divergence(Beta(1 + e, 1.0), Uniform(0.0, 1.0)),
            lambda e: mpmath.log(1 + e) - e / (1 + e),
        ),
        (
            lambda e: distributions.kl_divergence(Exponential(0.5), Weibull(2.0, 1 + e)),
            lambda e: mpmath.gamma(2 + e) - 1 - mpmath.log(1 + e) + e * mpmath.euler,
        ),
        (
            lambda e: distributions.kl_divergence(ChiSquared(2.0), Exponential(0.5 * (1 + e))),
            lambda e: e - mpmath.log(1 + e),
        ),
    ],
    ids=["exponential-gamma", "uniform-beta", "beta-uniform", "exponential-weibull", "chi_squared-exponential"],
)
def test_close_to_a_shared_member(measure, exact):
    """Where two families meet the divergence is of the second order, and keeps its digits."""
    (column,) = rounded([(e,) for e in NEAR])
    value, slope = jax.jit(jax.vmap(jax.value_and_grad(measure)))(column)
    np.testing.assert_allclose(value, exactly(exact, column), rtol=tolerance(64))
    with mpmath.workdps(40):
        slopes = [float(mpmath.diff(exact, mpmath.mpf(float(e)))) for e in column]
    np.testing.assert_allclose(slope, slopes, rtol=tolerance(64))
    assert abs(float(measure(jnp.zeros((), FLOAT)))) == 0


@once
def test_second_derivatives_are_finite():
    def value(free):
        a, b, c, d = free
        return distributions.kl_divergence(Gamma(a, b), distributions.LogNormal(c, d))

    hessian = jax.jit(jax.hessian(value))(jnp.array([2.5, 1.5, 0.25, 0.75], FLOAT))
    assert np.all(np.isfinite(hessian))
    np.testing.assert_allclose(hessian, hessian.T, rtol=64 * EPS, atol=64 * EPS)


def test_dirichlet_of_two_is_a_beta():
    concentration = np.array([[2.5, 1.5], [0.75, 4.0]], FLOAT)
    p, q = Beta(concentration[:, 0], concentration[:, 1]), Beta(1.5, 2.0)
    expected = distributions.kl_divergence(p, q)
    np.testing.assert_array_equal(distributions.kl_divergence(Dirichlet(concentration), q), expected)
    backwards = distributions.kl_divergence(q, Dirichlet(concentration))
    np.testing.assert_array_equal(backwards, distributions.kl_divergence(q, p))
    with pytest.raises(TypeError, match="Dirichlet, Beta"):
        distributions.kl_divergence(Dirichlet(np.ones(3, FLOAT)), q)


def test_independent_variables_of_different_families():
    p, q = Gamma(np.array([2.0, 3.0], FLOAT), 1.0), Normal(np.array([1.0, 2.0], FLOAT), 2.0)
    apart = distributions.kl_divergence(p, q)
    joint = distributions.kl_divergence(Independent(p), Independent(q))
    np.testing.assert_allclose(joint, apart.sum(), rtol=8 * EPS)


def test_dtypes_and_bad_parameters():
    half = distributions.kl_divergence(Gamma(jnp.bfloat16(2.0), jnp.bfloat16(1.0)), Normal(0.0, 1.0))
    assert half.dtype == jnp.bfloat16
    bad = distributions.kl_divergence(Exponential(np.array([1.0, -1.0], FLOAT)), Gamma(2.0, 1.0))
    assert np.isnan(bad).tolist() == [False, True]
    bad = distributions.kl_divergence(Exponential(np.array([1.0, -1.0], FLOAT)), Normal(2.0, 1.0))
    assert np.isnan(bad).tolist() == [False, True]
    infinite = distributions.kl_divergence(Normal(0.0, np.array([1.0, -1.0], FLOAT)), Gamma(2.0, 1.0))
    assert np.isinf(infinite).tolist() == [True, False]
    assert np.isnan(infinite).tolist() == [False, True]
