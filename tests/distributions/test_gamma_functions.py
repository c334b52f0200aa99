"""The gamma function behind its tangents, against mpmath."""

import itertools

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from mpmath import digamma, loggamma, polygamma

from jaxinfo.distributions._special import binary_logarithm, gamma, logarithm
from tests.distributions.exact import EPS, FLOAT, exactly, rounded

POINTS = np.concatenate([np.geomspace(1e-6, 1e7, 60), [0.999, 1.0, 1.5, 2.001, 3.999, 9.0]])
RATIOS = (1 + 2.0**-20, 1 - 2.0**-12, 1.3, 0.6, 30.0, 1e-3, 1e4)


def excess(x):
    return loggamma(x) - x * mpmath.log(x) + x


def slope(x):
    return digamma(x) - mpmath.log(x)


def curvature(x):
    return polygamma(1, x) - 1 / x


def bregman(a, b):
    return excess(b) - excess(a) - (b - a) * slope(a)


def log_beta(a, b):
    return loggamma(a) + loggamma(b) - loggamma(a + b)


def beta_bregman(a, b, c, d):
    whole = digamma(a + b)
    return log_beta(c, d) - log_beta(a, b) - (c - a) * (digamma(a) - whole) - (d - b) * (digamma(b) - whole)


def close(found, exact, units, at_least=0.0):
    found = np.asarray(found, np.float64)
    assert np.all(np.abs(found - exact) <= units * EPS * np.maximum(np.abs(exact), at_least))


def test_functions_of_one_number():
    (x,) = rounded([(point,) for point in POINTS])
    found = jax.jit(
        lambda x: (
            gamma.log_gamma_excess(x),
            gamma.digamma_excess(x),
            gamma.trigamma_excess(x),
            gamma.standard_entropy(x),
            gamma.digamma(x),
        )
    )(x)
    # The first and the last two pass through zero, and are sums of terms of the size of one.
    close(found[0], exactly(excess, x), 8, at_least=1)
    close(found[1], exactly(slope, x), 8)
    close(found[2], exactly(curvature, x), 8)
    # The fourth's terms have, in double precision, the size of the nine steps that they lead.
    close(found[3], exactly(lambda a: a + loggamma(a) + (1 - a) * digamma(a), x), 24, at_least=1)
    close(found[4], exactly(digamma, x), 8, at_least=1)
    by_autodiff = jax.jit(jax.vmap(jax.grad(jax.grad(gamma.log_gamma_excess))))(x)
    close(by_autodiff, exactly(curvature, x), 8)


def test_bregman_divergence_and_its_derivatives():
    a, b = rounded([(x, x * ratio) for x in POINTS[::6] for ratio in RATIOS])

    def divergence(a, b):
        return gamma.excess_bregman(gamma.Step(a, b - a, b))

    value, slopes = jax.jit(jax.vmap(jax.value_and_grad(divergence, argnums=(0, 1))))(a, b)
    close(value, exactly(bregman, a, b), 8)
    close(slopes[0], exactly(lambda a, b: -(b - a) * curvature(a), a, b), 8)
    close(slopes[1], exactly(lambda a, b: slope(b) - slope(a), a, b), 8)
    second = jax.jit(jax.vmap(jax.hessian(lambda pair: divergence(pair[0], pair[1]))))(np.stack([a, b], -1))
    close(second[:, 0, 1], exactly(lambda a, _: -curvature(a), a, b), 8)
    close(second[:, 1, 1], exactly(lambda _, b: curvature(b), a, b), 8)
    np.testing.assert_array_equal(jax.jit(jax.vmap(divergence))(a, a), 0)


def _beta_rows():
    sizes = (1e-3, 0.7, 9.0, 150.0, 1e4)
    changes = [(k, s * k) for k in (2.0**-20, 1e-3, 0.5, 50.0) for s in (0, 1, -0.5 if k > 1 else -1)]
    for a, b in itertools.product(sizes, sizes):
        for x, y in changes:
            yield a, b, a * (1 + x), b * (1 + y) if y > -1 else b / (1 - y)
            yield a, b, a / (1 + x), b * (1 + abs(y) / 3)
        yield from ((a, b, c, d) for c, d in itertools.product((1e-3, 30.0, 1e4), repeat=2))


def test_bregman_divergence_of_the_beta_function():
    """Also where one number is far less than the other, so that the divergence is far less than its terms."""
    a, b, c, d = columns = rounded([row for row in _beta_rows() if row[:2] != row[2:]])
    steps = gamma.Step(a, c - a, c), gamma.Step(b, d - b, d)
    value = jax.jit(gamma.beta_bregman)(*steps)
    close(value, exactly(beta_bregman, *columns), 16)
    assert np.all(np.asarray(value) > 0)
    same = jax.jit(gamma.beta_bregman)(gamma.Step(a, 0 * a, a), gamma.Step(b, 0 * b, b))
    np.testing.assert_array_equal(same, 0)


def test_log_beta():
    a, b = rounded([(x, y) for x in POINTS[::5] for y in POINTS[::5]])
    close(jax.jit(gamma.log_beta)(a, b), exactly(log_beta, a, b), 8, at_least=1)
    vector = jnp.array([0.5, 3.0, 20.0])
    exact = sum(loggamma(x) for x in (0.5, 3, 20)) - loggamma(23.5)
    assert float(gamma.log_beta_of_vector(vector)) == pytest.approx(float(exact), rel=8 * EPS)


def test_remainder_of_the_logarithm():
    (x,) = rounded([(s * 10.0**k,) for k in range(-12, 8) for s in (1, -1) if s * 10.0**k > -1] + [(-0.4,), (-0.999,)])
    close(jax.jit(logarithm.log1p_remainder)(x), exactly(lambda x: x - mpmath.log1p(x), x), 8)
    close(jax.jit(jax.vmap(jax.grad(logarithm.log1p_remainder)))(x), exactly(lambda x: x / (1 + x), x), 4)
    ratio = FLOAT.type(1e-20)
    exact = float(1e-20 - 1 - mpmath.log(1e-20))
    assert float(binary_logarithm.remainder_of_ratio(ratio - 1, ratio)) == pytest.approx(exact, rel=4 * EPS)
