"""Sums over integers against mpmath, and their bounds."""

import functools
import math

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from jaxinfo import densities
from jaxinfo.densities import ExactSum, Quadrature
from jaxinfo.distributions import Normal
from tests.densities.doubles import Coin, Poisson, Zeta

EPS = float(jnp.finfo(jnp.zeros(())).eps)
RATES = (0.05, 1.5, 40.0, 900.0)


@functools.cache
def exact(rate, other):
    """Entropy of a Poisson distribution and the divergence to another, at 30 digits, of the rounded rates."""
    with mpmath.workdps(30):
        rate, other = (mpmath.mpf(float(np.asarray(r, jnp.zeros(()).dtype))) for r in (rate, other))
        span = int(60 + rate + 15 * mpmath.sqrt(rate))
        logs = [k * mpmath.log(rate) - rate - mpmath.loggamma(k + 1) for k in range(span)]
        entropy = -mpmath.fsum(mpmath.exp(log) * log for log in logs)
        return float(entropy), float(rate * mpmath.log(rate / other) - rate + other)


def within(estimate, truth):
    error = np.abs(np.asarray(estimate.value, np.float64) - truth)
    return np.all(error <= np.asarray(estimate.stderr, np.float64) + 1e-15 * np.abs(truth))


@pytest.mark.parametrize("num_terms", [64, 2048])
def test_poisson_sums_are_within_their_bound(num_terms):
    """A window of 64 is too small for the large rates, and the bound says so."""
    p, q = Poisson(jnp.array(RATES)), Poisson(jnp.array(RATES) * 1.25)
    truth = np.array([exact(rate, float(other)) for rate, other in zip(RATES, q.rate, strict=True)])
    method = ExactSum(num_terms)
    entropy, divergence = densities.entropy(p, method=method), densities.kl_divergence(p, q, method=method)
    assert within(entropy, truth[:, 0])
    assert within(divergence, truth[:, 1])
    assert entropy.method == "exact_sum"
    if num_terms == 64:
        assert np.asarray(divergence.diagnostics["converged"]).tolist()[1:] == [True, False, False]
    else:
        # The logarithms of the double are differences of numbers of the size of k log k.
        np.testing.assert_allclose(divergence.value, truth[:, 1], rtol=3e4 * EPS)


def test_a_finite_support_is_enumerated():
    p, q = Coin(jnp.array([0.25, 0.0, 1.0])), Coin(jnp.array([0.5, 0.5, 0.0]))
    estimate = densities.kl_divergence(p, q)
    assert estimate.method == "exact_sum"
    np.testing.assert_allclose(
        estimate.value, [0.25 * math.log(0.5) + 0.75 * math.log(1.5), math.log(2), math.inf], rtol=8 * EPS
    )
    assert np.all(np.asarray(estimate.diagnostics["truncation_error"]) == 0)
    assert float(densities.entropy(Coin(jnp.asarray(0.5)), base=2).value) == 1


def test_a_tail_of_powers_is_bounded():
    """The entropy of the zeta distribution of exponent 2 is log zeta(2) - 2 zeta'(2) / zeta(2)."""
    truth = float(mpmath.log(mpmath.zeta(2)) - 2 * mpmath.zeta(2, derivative=1) / mpmath.zeta(2))
    estimate = densities.entropy(Zeta(jnp.asarray(2.0)))
    assert within(estimate, truth)
    assert not bool(estimate.diagnostics["converged"])
    assert float(estimate.stderr) < 0.1


def test_windows_apart_count_both():
    """Total mass of the far one belongs to the generalised divergence: KL of Poissons is exact only with it."""
    p, q = Poisson(jnp.asarray(4.0)), Poisson(jnp.asarray(3000.0))
    estimate = densities.kl_divergence(p, q, method=ExactSum(512))
    truth = 4 * math.log(4 / 3000) - 4 + 3000
    assert within(estimate, truth)
    assert abs(float(estimate.value) - truth) < 1e-3 * truth


def test_gradient_is_that_of_the_sum():
    def value(rates):
        return densities.kl_divergence(Poisson(rates[0]), Poisson(rates[1])).value

    np.testing.assert_allclose(
        jax.grad(value)(jnp.array([3.0, 5.0])), [math.log(3 / 5), 1 - 3 / 5], rtol=1e4 * EPS, atol=1e3 * EPS
    )


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ExactSum(num_terms=2), ValueError, "num_terms .*2"),
        (lambda: ExactSum(tolerance=0.0), ValueError, r"tolerance .*0\.0"),
        (lambda: densities.entropy(Normal(0.0, 1.0), method=ExactSum()), TypeError, "ExactSum needs .*Normal"),
        (lambda: densities.entropy(Coin(jnp.asarray(0.5)), method=Quadrature()), TypeError, "Quadrature needs .*Coin"),
        (lambda: densities.kl_divergence(Coin(jnp.asarray(0.5)), Normal(0.0, 1.0)), TypeError, "discrete"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
