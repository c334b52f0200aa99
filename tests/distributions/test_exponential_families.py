"""What a log-normaliser gives by differentiation, against formulas of its own and mpmath; overlaps and bounds."""

import dataclasses
import math
from typing import ClassVar

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from jaxinfo import distributions
from jaxinfo._pytrees import register_dataclass
from jaxinfo.distributions import Normal
from jaxinfo.distributions._constraints import POSITIVE, UNIT
from jaxinfo.distributions._exponential_family import ExponentialFamily
from jaxinfo.distributions._family import family
from jaxinfo.distributions._supports import Integers, Interval

EPS = float(jnp.finfo(jnp.zeros(()).dtype).eps)
ORDERS = (0.0, 0.25, 0.5, 1 - 2.0**-20, 1.0, 1 + 2.0**-20, 1.5, 3.0)


@family
class Waiting(ExponentialFamily):
    """An exponential law that knows nothing but its log-normaliser."""

    rate: jax.Array
    constraints: ClassVar = {"rate": POSITIVE}

    @staticmethod
    def _support(*_):
        return Interval(0.0, math.inf)

    @staticmethod
    def _natural(rate):
        return (-rate,)

    @staticmethod
    def _natural_allowed(eta):
        return eta < 0

    @staticmethod
    def _log_normalizer(eta):
        return -jnp.log(-eta)


@family
class Trials(ExponentialFamily):
    """Successes in so many trials."""

    total: jax.Array
    probs: jax.Array
    constraints: ClassVar = {"total": POSITIVE, "probs": UNIT}
    _fixed: ClassVar = ("total",)

    @staticmethod
    def _support(total, _):
        return Integers(0, total)

    @staticmethod
    def _natural(_, probs):
        return (jax.scipy.special.logit(probs),)

    @staticmethod
    def _log_normalizer(eta, total):
        return total * jax.nn.softplus(eta)

    @staticmethod
    def _log_base(x, total, _):
        return jax.lax.lgamma(total + 1) - jax.lax.lgamma(x + 1) - jax.lax.lgamma(total - x + 1)


def exact_renyi_of_rates(a, r, t):
    r, t, a = mpmath.mpf(r), mpmath.mpf(t), mpmath.mpf(a)
    if a == 1:
        return mpmath.log(r / t) + t / r - 1
    mixed = a * r + (1 - a) * t
    return mpmath.inf if mixed <= 0 else mpmath.log(r**a * t ** (1 - a) / mixed) / (a - 1)


def test_renyi_of_the_log_normalizer_is_exact_near_and_far():
    rates = np.array([(1, 1 + 2.0**-20), (1, 1 - 2.0**-10), (1, 1.5), (1, 4), (4, 1), (2.0**-20, 2.0**20), (3, 1e-6)])
    rates = np.asarray(jnp.asarray(rates, jnp.zeros(()).dtype), np.float64)
    p, q = (Waiting(jnp.asarray(column, jnp.zeros(()).dtype)[:, None]) for column in rates.T)
    values = distributions.renyi_divergence(p, q, jnp.array(ORDERS))
    kl = distributions.kl_divergence(p, q)[:, 0]
    with mpmath.workdps(60):
        for i, pair in enumerate(rates):
            exact = [float(exact_renyi_of_rates(a, *pair)) for a in ORDERS]
            # Up to 4e-8 and 4e-13 from the integral, and four bits from the difference.
            np.testing.assert_allclose(values[i], exact, rtol=max(32 * EPS, 1e-12), atol=1e-30)
            assert float(kl[i]) == pytest.approx(exact[4], rel=max(32 * EPS, 1e-12))
    same = distributions.renyi_divergence(p, p, jnp.array(ORDERS))
    assert np.all(np.asarray(same) == 0)


def test_entropy_and_cross_entropy_of_the_log_normalizer():
    p, q = Waiting(jnp.array([0.5, 3.0])), Waiting(2.0)
    np.testing.assert_allclose(distributions.entropy(p), 1 - np.log([0.5, 3.0]), rtol=8 * EPS, atol=EPS)
    exact = 2 / np.array([0.5, 3.0]) - math.log(2)
    np.testing.assert_allclose(distributions.cross_entropy(p, q), exact, rtol=8 * EPS, atol=4 * EPS)


def test_derivatives_of_the_generic_divergence():
    def value(rate, other, order):
        return distributions.renyi_divergence(Waiting(rate), Waiting(other), order)

    # At order 1: (1/r - t/r^2, 1/r (1 - r/t)), and in the order half the variance of the log-ratio.
    for rate, other in ((1.0, 1.5), (1.0, 64.0), (1.0, 1 + 2.0**-12)):
        slopes = jax.grad(value, argnums=(0, 1, 2))(rate, other, 1.0)
        exact = [1 / rate - other / rate**2, 1 / rate - 1 / other, 0.5 * (1 - other / rate) ** 2]
        np.testing.assert_allclose(slopes, exact, rtol=64 * EPS)
    hessian = jax.jacfwd(jax.grad(value, argnums=1), argnums=1)
    assert float(hessian(2.0, 2.0, 1.0)) == pytest.approx(0.25, rel=16 * EPS)
    assert float(hessian(2.0, 2.0, 0.5)) == pytest.approx(0.125, rel=16 * EPS)


def test_fisher_information_is_the_hessian_of_the_divergence():
    np.testing.assert_allclose(
        distributions.fisher_information(Waiting(jnp.array([2.0, 3.0])))[:, 0, 0], [1 / 4, 1 / 9]
    )
    # What is fixed is left out.
    by_probability = distributions.fisher_information(Trials(jnp.array([10.0, 1.0]), 0.25))
    np.testing.assert_allclose(by_probability, np.array([10, 1])[:, None, None] / 0.1875, rtol=32 * EPS)
    assert np.isnan(distributions.fisher_information(Waiting(-1.0))).all()


def test_fixed_parameters_must_agree():
    p, q = Trials(10.0, 0.25), Trials(10.0, 0.5)
    exact = 10 * (0.25 * math.log(0.5) + 0.75 * math.log(1.5))
    assert float(distributions.kl_divergence(p, q)) == pytest.approx(exact, rel=16 * EPS)
    with pytest.raises(TypeError, match=r"kl_divergence: no closed form .*densities"):
        distributions.kl_divergence(p, Trials(9.0, 0.5))
    totals = jnp.array([10.0, 9.0])
    traced = jax.jit(lambda n: distributions.kl_divergence(p, Trials(n, 0.5)))(totals)
    assert float(traced[0]) == pytest.approx(exact, rel=16 * EPS)
    assert np.isnan(traced[1])
    # The base measure's mean is not known, so there is no cross-entropy.
    for call in (distributions.entropy, lambda p: distributions.cross_entropy(p, q)):
        with pytest.raises(TypeError, match="no closed form"):
            call(p)


def test_renyi_between_normals():
    rows = np.array(
        [(0, 1, 1, 2), (3, 1, -3, 1), (0.5, 1, 0.5 + 2.0**-20, 1 - 2.0**-21), (1, 2.0**-20, 1, 2.0**20), (0, 3, 0, 2)]
    )
    m, s, n, t = (jnp.asarray(column, jnp.zeros(()).dtype)[:, None] for column in rows.T)
    values = distributions.renyi_divergence(Normal(m, s), Normal(n, t), jnp.array(ORDERS))
    for i, row in enumerate(rows):
        with mpmath.workdps(60):
            exact = [float(exact_renyi_of_normals(a, *map(mpmath.mpf, row))) for a in ORDERS]
        np.testing.assert_allclose(values[i], exact, rtol=16 * EPS, atol=1e-30)


def exact_renyi_of_normals(a, m, s, n, t):
    if a == 1:
        return mpmath.log(t / s) + (s**2 + (m - n) ** 2) / (2 * t**2) - 0.5
    v = a * t**2 + (1 - a) * s**2
    if v <= 0:
        return mpmath.inf
    return mpmath.log(t / s) + mpmath.log(t**2 / v) / (2 * (a - 1)) + a * (m - n) ** 2 / (2 * v)


def test_the_generic_route_agrees_with_the_normals_own():
    @dataclasses.dataclass(frozen=True, eq=False)
    class Plain(Normal):
        pass

    plain = register_dataclass(Plain)
    p, q = (1.0, 2.0), (-1.0, jnp.array([1.5, 3.0]))
    for order in (0.5, 1.0, 2.0):
        own = distributions.renyi_divergence(Normal(*p), Normal(*q), order)
        np.testing.assert_allclose(distributions.renyi_divergence(plain(*p), plain(*q), order), own, rtol=64 * EPS)
    for measure in (distributions.cross_entropy, distributions.kl_divergence, distributions.hellinger_distance):
        np.testing.assert_allclose(measure(plain(*p), plain(*q)), measure(Normal(*p), Normal(*q)), rtol=64 * EPS)
    own = distributions.fisher_information(Normal(*q))
    np.testing.assert_allclose(distributions.fisher_information(plain(*q)), own, rtol=64 * EPS, atol=64 * EPS)


def test_natural_parameters_of_the_normal():
    p = jnp.array(1.0), jnp.array(2.0)
    eta = Normal._natural(*p)
    np.testing.assert_allclose(Normal._from_natural(*eta), p, rtol=8 * EPS)
    density = sum(e * t for e, t in zip(eta, Normal._statistics(0.3), strict=True)) - Normal._log_normalizer(*eta)
    assert float(density) == pytest.approx(float(Normal(*p).log_prob(0.3)), rel=16 * EPS)


def test_order_infinity_is_the_largest_ratio():
    q = Normal(1.0, jnp.array([1.0, 2.0, 0.5]))
    values = distributions.renyi_divergence(Normal(0.0, 1.0), q, math.inf)
    np.testing.assert_allclose(values, [math.inf, math.log(2) + 1 / 6, math.inf], rtol=8 * EPS)
    assert np.isnan(distributions.renyi_divergence(Waiting(1.0), Waiting(2.0), math.inf))
    assert np.isnan(distributions.renyi_divergence(Normal(0.0, 1.0), q, jnp.array(-1.0))).all()
    with pytest.raises(ValueError, match=r"renyi_divergence: order .* -1"):
        distributions.renyi_divergence(Normal(0.0, 1.0), q, -1)


def test_overlaps():
    p = Normal(0.0, 1.0)
    near, equal = Normal(2.0**-12, 1.0), Normal(0.0, 1.0)
    assert float(distributions.bhattacharyya_distance(p, near)) == pytest.approx(2.0**-27, rel=4 * EPS)
    exact = float(mpmath.sqrt(-mpmath.expm1(-(mpmath.mpf(2) ** -27))))
    assert float(distributions.hellinger_distance(p, near)) == pytest.approx(exact, rel=4 * EPS)
    assert float(distributions.hellinger_distance(p, equal)) == 0
    slope = jax.value_and_grad(lambda loc: distributions.hellinger_distance(Normal(loc, 1.0), p))
    assert tuple(map(float, slope(0.0))) == (0, 0)
    assert float(distributions.hellinger_distance(p, Normal(1e3, 1.0))) == 1
    assert float(distributions.bhattacharyya_distance(p, Normal(4.0, 1.0), base=2)) == pytest.approx(2 / math.log(2))


def test_bounds_hold_the_jensen_shannon_divergence():
    pairs = np.array([(0, 1, 2, 1), (0, 1, 0.125, 1.125), (0, 1, 0, 5), (0, 1, 8, 1), (0, 0.25, 1, 3)])
    m, s, n, t = (jnp.asarray(column, jnp.zeros(()).dtype) for column in pairs.T)
    lower, upper = distributions.jensen_shannon_bounds(Normal(m, s), Normal(n, t))
    for i, (a, b, c, d) in enumerate(pairs):
        x = np.linspace(-60, 60, 120001)
        f, g = (np.exp(-0.5 * ((x - e) / w) ** 2) / (w * math.sqrt(2 * math.pi)) + 1e-300 for e, w in ((a, b), (c, d)))
        exact = 0.5 * np.sum(f * np.log(2 * f / (f + g)) + g * np.log(2 * g / (f + g))) * (x[1] - x[0])
        assert float(lower[i]) <= exact <= float(upper[i]) * (1 + 4 * EPS)
        assert float(upper[i]) <= min(0.6931472, 1.5 * float(lower[i]))
    equal = distributions.jensen_shannon_bounds(Normal(m, s), Normal(m, s))
    assert np.all(np.asarray(equal) == 0)
    bits = distributions.jensen_shannon_bounds(Normal(0.0, 1.0), Normal(1e3, 1.0), base=2)
    np.testing.assert_allclose(bits, [1, 1], rtol=4 * EPS)
