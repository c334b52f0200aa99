"""Modified Bessel functions of real order against mpmath."""

import functools

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from jaxinfo.distributions._special import bessel
from tests.marks import once

DTYPE = jnp.zeros(()).dtype
EPS = float(jnp.finfo(DTYPE).eps)
TOLERANCE = 1e-12 if jnp.finfo(DTYPE).bits == 64 else 32 * EPS
ORDERS = (0, 0.5, 1.25, 7, 15.5, 100, 499.5)
POINTS = np.asarray(jnp.asarray([1e-3, 0.1, 1.9, 2.1, 5.0, 13.7, 50, 333, 2e3, 1e5], DTYPE), float)


def exact_log(order, x):
    return mpmath.log(mpmath.gamma(order + 1) * (2 / x) ** order * mpmath.besseli(order, x))


def exact_ratio(order, x):
    return mpmath.besseli(order + 1, x) / mpmath.besseli(order, x)


def exact_slope(order, x):
    # Riccati's equation of the ratio.
    ratio = exact_ratio(order, x)
    return 1 - ratio**2 - (2 * order + 1) / x * ratio


@functools.cache
def truth():
    """By order and point: logarithm, ratio and its slope."""
    with mpmath.workdps(60):
        return {
            (order, x): [f(mpmath.mpf(order), mpmath.mpf(x)) for f in (exact_log, exact_ratio, exact_slope)]
            for order in ORDERS
            for x in POINTS
        }


@pytest.mark.parametrize("order", ORDERS)
def test_values_and_slopes(order):
    x = jnp.asarray(POINTS, DTYPE)

    @jax.jit
    def evaluate(x):
        ones = jnp.ones_like(x)
        log, ratio = jax.jvp(functools.partial(bessel.log_bessel, order), (x,), (ones,))
        scaled, minus_complement = jax.jvp(functools.partial(bessel.log_bessel_scaled, order), (x,), (ones,))
        excess, excess_slope = jax.jvp(functools.partial(bessel.bessel_excess, order), (x,), (ones,))
        slope = bessel.bessel_ratio_slope(order, x)
        return log, scaled, ratio, -minus_complement, excess, slope, excess_slope / x

    results = evaluate(x)
    with mpmath.workdps(60):
        for i, point in enumerate(POINTS):
            log, ratio, slope = truth()[order, point]
            mp_x = mpmath.mpf(point)
            expected = (log, log - mp_x, ratio, 1 - ratio, mp_x * ratio - log, slope, slope)
            errors = [float(abs(float(r[i]) - e) / abs(e)) for r, e in zip(results, expected, strict=True)]
            assert max(errors) <= TOLERANCE, (order, point, [e / EPS for e in errors])


@pytest.mark.parametrize("order", [0, 1.5, 40])
def test_divergence(order):
    near = [x * (1 + e) for x in (0.01, 3.0, 40.0, 5e3) for e in (0, 1e-6, 1e-3, 0.3, 1.5)]
    p = np.repeat([0.01, 3.0, 40.0, 5e3], 5)
    p, q = (np.asarray(jnp.asarray(a, DTYPE), float) for a in (np.concatenate([p, near]), np.concatenate([near, p])))

    @jax.jit
    def evaluate(p, q):
        total = lambda p, q: jnp.sum(bessel.bessel_divergence(order, p, q))  # noqa: E731
        return bessel.bessel_divergence(order, p, q), *jax.grad(total, argnums=(0, 1))(p, q)

    values, in_p, in_q = evaluate(jnp.asarray(p, DTYPE), jnp.asarray(q, DTYPE))
    with mpmath.workdps(60):
        for i, (x, y) in enumerate(zip(map(mpmath.mpf, p), map(mpmath.mpf, q), strict=True)):
            ratio, v = exact_ratio(order, x), mpmath.mpf(order)
            exact = exact_log(v, y) - exact_log(v, x) - ratio * (y - x)
            expected = (exact, exact_slope(v, x) * (x - y), exact_ratio(v, y) - ratio)
            for value, truth_value in zip((values, in_p, in_q), expected, strict=True):
                assert abs(float(value[i]) - float(truth_value)) <= TOLERANCE * abs(float(truth_value)), (i, x, y)


@once
def test_zero_and_derivatives():
    for f in (bessel.log_bessel, bessel.bessel_ratio, bessel.bessel_excess):
        assert float(f(0.5, jnp.zeros(()))) == 0
    assert float(jax.grad(functools.partial(bessel.bessel_ratio, 0.5))(0.0)) == pytest.approx(1 / 3, rel=8 * EPS)
    third = jax.jit(jax.grad(jax.grad(jax.grad(functools.partial(bessel.log_bessel, 0.5)))))
    # log(sinh(x) / x): the third derivative is 2 cosh(x) / sinh(x)^3 - 2 / x^3.
    expected = 2 * np.cosh(2.0) / np.sinh(2.0) ** 3 - 0.25
    assert float(third(2.0)) == pytest.approx(expected, rel=1e3 * EPS)


def test_divergence_on_the_circle():
    # Order 0 has functions of its own in single precision: both sides of the border between rule and difference.
    random = np.random.default_rng(0)
    p = np.exp(random.uniform(np.log(1e-3), np.log(1e5), 150))
    q = p * np.exp(random.normal(size=150))
    p, q = (jnp.asarray(a, DTYPE) for a in (p, q))
    values = jax.jit(functools.partial(bessel.bessel_divergence, 0))(p, q)
    with mpmath.workdps(60):
        for value, x, y in zip(values, map(mpmath.mpf, p.tolist()), map(mpmath.mpf, q.tolist()), strict=True):
            exact = exact_log(0, y) - exact_log(0, x) - exact_ratio(0, x) * (y - x)
            assert abs(float(value) - float(exact)) <= TOLERANCE * float(exact), (x, y)
