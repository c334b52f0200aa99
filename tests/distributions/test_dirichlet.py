"""The Dirichlet family and pairs of gamma distributions under other names."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from mpmath import digamma, loggamma, mpf

from jaxinfo import distributions
from jaxinfo.distributions import Beta, ChiSquared, Dirichlet, Gamma, InverseGamma
from tests.distributions.exact import DIGITS, EPS, FLOAT, tolerance
from tests.marks import once

CONCENTRATIONS = np.array(
    [(1e-3, 2.0, 1e4, 0.5), (1.0, 1.0, 1.0, 1.0), (20.0, 1e-3, 3.0, 7.0), (1e4, 2e4, 1e4, 3e3)], FLOAT
)
OTHERS = np.array([(1e4, 1e-3, 5.0, 2.0), (1e-3, 0.5, 0.5, 1e3), (30.0, 2e-3, 3.0, 8.0), (9e3, 2e4, 2e4, 1e3)], FLOAT)


def exact_log_beta(a):
    return sum(map(loggamma, a)) - loggamma(sum(a))


def exact_cross_entropy(a, b):
    whole = digamma(sum(a))
    return exact_log_beta(b) - sum((y - 1) * (digamma(x) - whole) for x, y in zip(a, b, strict=True))


def exact_kl(a, b):
    return exact_cross_entropy(a, b) - exact_cross_entropy(a, a)


def exact_renyi(order, a, b):
    m = [order * x + (1 - order) * y for x, y in zip(a, b, strict=True)]
    if min(m) <= 0:
        return mpmath.inf
    return (exact_log_beta(m) - order * exact_log_beta(a) - (1 - order) * exact_log_beta(b)) / (order - 1)


def exactly(function, *rows):
    with mpmath.workdps(DIGITS):
        return np.array(
            [float(function(*([mpf(float(x)) for x in v] for v in row))) for row in zip(*rows, strict=True)]
        )


def check(found, exact, size=0.0):
    found = np.asarray(found, np.float64)
    with np.errstate(invalid="ignore"):
        assert np.all(
            (found == exact) | (np.abs(found - exact) <= tolerance() * np.maximum(np.abs(exact), size) + 1e-40)
        )


@pytest.mark.parametrize("others", [OTHERS, CONCENTRATIONS * FLOAT.type(1 + 2.0**-12)])
def test_divergences(others):
    p, q = Dirichlet(CONCENTRATIONS), Dirichlet(others)
    check(distributions.kl_divergence(p, q), exactly(exact_kl, CONCENTRATIONS, others))
    check(distributions.cross_entropy(p, q), exactly(exact_cross_entropy, CONCENTRATIONS, others), 20)
    for order in (0.5, 3.0):
        exact = exactly(lambda a, b, o=order: exact_renyi(mpf(o), a, b), CONCENTRATIONS, others)
        check(distributions.renyi_divergence(p, q, order), exact)


def test_one_component_moves_by_little():
    moved = CONCENTRATIONS.copy()
    moved[:, 2] *= FLOAT.type(1 + 2.0**-18)
    found = distributions.kl_divergence(Dirichlet(CONCENTRATIONS), Dirichlet(moved))
    check(found, exactly(exact_kl, CONCENTRATIONS, moved))
    same = distributions.kl_divergence(Dirichlet(moved), Dirichlet(moved))
    np.testing.assert_array_equal(same, 0)


@once
def test_derivatives():
    def value(a, b):
        return distributions.kl_divergence(Dirichlet(a), Dirichlet(b))

    by_p, by_q = jax.vmap(jax.grad(value, argnums=(0, 1)))(CONCENTRATIONS, OTHERS)
    for i, (a, b) in enumerate(zip(CONCENTRATIONS, OTHERS, strict=True)):
        x, y = ([mpf(float(n)) for n in v] for v in (a, b))
        step = [t - s for s, t in zip(x, y, strict=True)]
        whole = [digamma(sum(y)) - digamma(sum(x)), mpmath.polygamma(1, sum(x)) * sum(step)]
        exact_q = np.array([float(digamma(t) - digamma(s) - whole[0]) for s, t in zip(x, y, strict=True)])
        exact_p = np.array([float(whole[1] - mpmath.polygamma(1, s) * d) for s, d in zip(x, step, strict=True)])
        np.testing.assert_allclose(by_q[i], exact_q, rtol=tolerance(), atol=tolerance() * np.max(np.abs(exact_q)))
        np.testing.assert_allclose(by_p[i], exact_p, rtol=tolerance(), atol=tolerance() * np.max(np.abs(exact_p)))
    # At p == q the Hessian is the Fisher information.
    a = CONCENTRATIONS[2]
    fisher = distributions.fisher_information(Dirichlet(a))
    largest = float(np.max(fisher))
    np.testing.assert_allclose(jax.hessian(value, argnums=1)(a, a), fisher, rtol=32 * EPS, atol=32 * EPS * largest)


@once
def test_density_moments_and_draws():
    p = Dirichlet(CONCENTRATIONS)
    x = np.array([0.1, 0.2, 0.3, 0.4], FLOAT)
    with mpmath.workdps(DIGITS):
        shares = [mpf(float(share)) for share in x]
        exact = [
            float(sum((c - 1) * mpmath.log(s) for c, s in zip(a, shares, strict=True)) - exact_log_beta(a))
            for a in ([mpf(float(c)) for c in row] for row in CONCENTRATIONS)
        ]
    check(p.log_prob(x), np.array(exact), 1)
    check(p.entropy(), exactly(lambda a: exact_cross_entropy(a, a), CONCENTRATIONS), 20)
    np.testing.assert_allclose(np.sum(p.mean, -1), 1, rtol=4 * EPS)
    whole = CONCENTRATIONS.astype(np.float64).sum(-1, keepdims=True)
    shares = CONCENTRATIONS / whole
    np.testing.assert_allclose(p.variance, shares * (1 - shares) / (whole + 1), rtol=16 * EPS)
    assert float(p.log_prob(np.array([0.5, 0.5, 0.5, -0.5], FLOAT))[0]) == -np.inf
    assert np.isnan(Dirichlet(np.array([1.0, -1.0], FLOAT)).log_prob(np.array([0.5, 0.5], FLOAT)))
    draws = Dirichlet(np.array([1.0, 2.0, 5.0], FLOAT)).sample(jax.random.key(0), (4000,))
    assert draws.shape == (4000, 3)
    # Standard errors are 0.0017 to 0.0026: four of them.
    np.testing.assert_allclose(np.mean(draws, 0), np.array([1, 2, 5]) / 8, atol=0.011)
    half = Dirichlet(jnp.bfloat16([1.0, 2.0, 5.0]))
    assert half.log_prob(half.sample(jax.random.key(1), (50,))).dtype == jnp.bfloat16
    assert np.isfinite(np.asarray(half.log_prob(half.sample(jax.random.key(1), (50,))), np.float32)).all()


def test_of_two_shares_it_is_the_beta_distribution():
    p, q = Beta(2.0, 7.0), Beta(3.0, 0.5)
    as_p, as_q = Dirichlet(jnp.array([2.0, 7.0])), Dirichlet(jnp.array([3.0, 0.5]))
    kl = distributions.kl_divergence(p, q)
    assert float(kl) == pytest.approx(float(distributions.kl_divergence(as_p, as_q)), rel=8 * EPS)
    assert float(p.entropy()) == pytest.approx(float(as_p.entropy()), rel=8 * EPS)
    assert float(p.log_prob(0.25)) == pytest.approx(float(as_p.log_prob(jnp.array([0.25, 0.75]))), rel=8 * EPS)
    with pytest.raises(TypeError, match="no closed form"):
        distributions.kl_divergence(as_p, Dirichlet(jnp.ones(3)))


def test_gamma_distributions_by_other_names():
    chi, as_gamma, other = ChiSquared(jnp.array([1.0, 8.0])), Gamma(jnp.array([0.5, 4.0]), 0.5), Gamma(2.0, 3.0)
    for measure in (distributions.kl_divergence, distributions.cross_entropy, distributions.hellinger_distance):
        np.testing.assert_allclose(measure(chi, other), measure(as_gamma, other), rtol=8 * EPS)
        np.testing.assert_allclose(measure(other, chi), measure(other, as_gamma), rtol=8 * EPS)
        np.testing.assert_allclose(measure(chi, as_gamma), measure(as_gamma, as_gamma), rtol=8 * EPS)
    inverse = distributions.kl_divergence(InverseGamma(2.0, 3.0), InverseGamma(1.0, 0.5))
    assert float(inverse) == pytest.approx(float(distributions.kl_divergence(other, Gamma(1.0, 0.5))), rel=8 * EPS)


@pytest.mark.parametrize(
    ("p", "q", "exact"),
    [
        (Gamma(3.0, 2.0), Gamma(2.0, 1.0), None),
        (Gamma(2.0, 2.0), Gamma(2.0, 1.0), 2 * np.log(2)),
        (Gamma(2.0, 1.0), Gamma(3.0, 1.0), np.inf),
        (ChiSquared(3.0), ChiSquared(2.0), np.inf),
        (Beta(2.0, 2.0), Beta(1.0, 1.0), np.log(1.5)),
        (Beta(1.0, 1.0), Beta(2.0, 2.0), np.inf),
    ],
)
def test_order_infinity_is_the_largest_ratio(p, q, exact):
    x = jnp.asarray(np.linspace(1e-3, 1 - 1e-3, 999) * (1 if isinstance(p, Beta) else 20), FLOAT)
    exact = float(jnp.max(p.log_prob(x) - q.log_prob(x))) if exact is None else exact
    # A grid's largest value is off by the square of its step.
    assert float(distributions.renyi_divergence(p, q, np.inf)) == pytest.approx(exact, rel=1e-4)


def test_at_the_ends_of_the_support():
    assert Beta(1.0, 3.0).log_prob(0.0) == pytest.approx(np.log(3), rel=8 * EPS)
    np.testing.assert_array_equal(Beta(jnp.array([0.5, 2.0, 40.0]), 3.0).log_prob(0.0), [np.inf, -np.inf, -np.inf])
    np.testing.assert_allclose(
        Gamma(jnp.array([0.5, 1.0, 2.0, 40.0]), 2.0).log_prob(0.0), [np.inf, np.log(2), -np.inf, -np.inf], rtol=8 * EPS
    )


def test_log_normalizer_and_statistics_give_the_density():
    for p, x in (
        (Gamma(2.5, 0.5), 3.0),
        (InverseGamma(2.5, 0.5), 3.0),
        (ChiSquared(5.0), 3.0),
        (Beta(2.0, 0.5), 0.25),
        (Dirichlet(jnp.array([2.0, 0.5, 3.0])), jnp.array([0.25, 0.5, 0.25])),
    ):
        parameters = p.parameters()
        eta = p._natural(*parameters)
        value = jnp.asarray(x, FLOAT)
        terms = [jnp.sum(e * t) for e, t in zip(eta, p._statistics(value, *parameters), strict=True)]
        density = sum(terms) - p._log_normalizer(*eta) + p._log_base(value, *parameters)
        assert float(density) == pytest.approx(float(p.log_prob(value)), rel=16 * EPS)
        for back, parameter in zip(p._from_natural(*eta), parameters, strict=True):
            np.testing.assert_array_equal(back, parameter)
        # Entropy by the definition: A - eta . mean T - mean log h.
        means = jax.grad(lambda e, p=p: p._log_normalizer(*e))(eta)
        entropy = p._log_normalizer(*eta) - sum(jnp.sum(e * m) for e, m in zip(eta, means, strict=True))
        assert float(entropy - p._mean_log_base(*parameters)) == pytest.approx(float(p.entropy()), rel=64 * EPS)
