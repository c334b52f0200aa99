"""What is particular to the families on the line: special functions, point masses, bijections, draws, errors."""

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest
from scipy import stats

from jaxinfo import distributions
from jaxinfo.distributions import (
    Cauchy,
    Exponential,
    Gumbel,
    HalfNormal,
    InverseGaussian,
    Laplace,
    Logistic,
    LogNormal,
    Normal,
    Pareto,
    StudentT,
    Uniform,
    Weibull,
)
from jaxinfo.distributions._special.absolute_value import blunt_excess, saturation
from jaxinfo.distributions._special.exponential_integral import scaled_exponential_integral
from jaxinfo.distributions._special.extreme_values import log_gamma, log_gamma_spread
from jaxinfo.distributions._special.half_step import half_step, half_step_slope
from jaxinfo.distributions._special.log1p_square import log1p_square
from jaxinfo.distributions._special.power_remainder import power_remainder

DTYPE = jnp.zeros(()).dtype
EPS = float(jnp.finfo(DTYPE).eps)
PLANE = (Normal, LogNormal, Cauchy, Laplace, Gumbel)


def spread(low, high, count=60):
    return jnp.asarray(np.geomspace(low, high, count), DTYPE)


def check(values, exact, points, ulps, absolute=0.0):
    with mp.workdps(40):
        for value, *point in zip(np.asarray(values, float), *points, strict=True):
            truth = exact(*(mp.mpf(float(x)) for x in point))
            assert abs(value - truth) <= ulps * EPS * (abs(truth) + absolute), (point, value, truth)


# ---------------------------------------------------------------------------------------------------------------------
# Special functions


def test_half_step():
    x = jnp.concatenate([spread(1e-4, 1e8), jnp.asarray([11.9, 12.0, 12.1], DTYPE)])

    def exact(x):
        return mp.loggamma(x + 0.5) - mp.loggamma(x) - mp.log(x) / 2

    def slope(x):
        return mp.psi(0, x + 0.5) - mp.psi(0, x) - 1 / (2 * x)

    value, gradient, slopes = jax.jit(lambda x: (half_step(x), jax.vmap(jax.grad(half_step))(x), half_step_slope(x)))(x)
    # It adds to terms of the size of 1.
    check(value, exact, [x], 4, absolute=1)
    check(gradient, slope, [x], 16)
    check(slopes, slope, [x], 16)


def test_log_gamma():
    y = spread(1e-6, 1e6)
    x = y * jnp.tile(jnp.asarray([1e-6, 0.49, 0.51, 1 + 2.0**-20, 1 - 2.0**-12, 1.51, 2.4, 2.6, 30.0, 1e4], DTYPE), 6)

    def excess(x, y):
        return mp.loggamma(x / y) + mp.euler * (x - y) / y

    def all_of(x, y):
        by_x, by_y = jax.vmap(jax.grad(lambda x, y: log_gamma(x, y).excess, argnums=(0, 1)))(x, y)
        return (*log_gamma(x, y), log_gamma_spread(x, y), by_x, by_y)

    after, above, doubled, by_x, by_y = jax.jit(all_of)(x, y)
    check(after, lambda x, y: mp.loggamma(1 + x / y), [x, y], 16)
    check(above, excess, [x, y], 16)
    check(doubled, lambda x, y: mp.loggamma(1 + 2 * x / y) - 2 * mp.loggamma(1 + x / y), [x, y], 32)
    check(by_x, lambda x, y: (mp.psi(0, x / y) + mp.euler) / y, [x, y], 16)
    check(by_y, lambda x, y: -(mp.psi(0, x / y) + mp.euler) * x / y**2, [x, y], 16)


@pytest.mark.parametrize("n", [1, 2])
def test_scaled_exponential_integral(n):
    z = jnp.concatenate([spread(1e-10, 500), jnp.asarray([0.99, 1.0, 1.01], DTYPE)])

    def exact(n, z):
        return mp.exp(z) * mp.expint(n, z)

    def function(z):
        return scaled_exponential_integral(n, z)

    value, gradient = jax.jit(lambda z: (function(z), jax.vmap(jax.grad(function))(z)))(z)
    check(value, lambda z: exact(n, z), [z], 8)
    check(gradient, lambda z: exact(n, z) - exact(n - 1, z), [z], 8)
    assert float(function(jnp.asarray(1e20, DTYPE))) == pytest.approx(1e-20, rel=4 * EPS)


@pytest.mark.parametrize("power", [1, 2])
def test_power_remainder(power):
    y = spread(1e-6, 1e6)
    x = y * jnp.tile(jnp.asarray([1e-6, 0.4, 0.6, 1 + 2.0**-20, 1 - 2.0**-12, 1.4, 1.6, 3.0, 30.0, 1e6], DTYPE), 6)

    def function(x, y):
        return power_remainder(x, y, power)

    value, (by_x, by_y) = jax.jit(jax.vmap(jax.value_and_grad(function, argnums=(0, 1))))(x, y)
    check(value, lambda x, y: (x / y) ** power - 1 - power * mp.log(x / y), [x, y], 8)
    check(by_x, lambda x, y: power * ((x / y) ** power - 1) / x, [x, y], 8)
    check(by_y, lambda x, y: -power * ((x / y) ** power - 1) / y, [x, y], 8)


def test_absolute_values_and_logarithms_of_squares():
    x = jnp.concatenate([-spread(1e-6, 1e18, 40), jnp.zeros(1, DTYPE), spread(1e-6, 1e18, 40)])
    width = jnp.full_like(x, 0.75)

    def all_of(x, width):
        by_x, by_width = jax.vmap(jax.grad(blunt_excess, argnums=(0, 1)))(x, width)
        second = jax.vmap(jax.grad(jax.grad(blunt_excess)))(x, width)
        squares = jax.vmap(jax.value_and_grad(log1p_square))(x)
        return blunt_excess(x, width), by_x, by_width, second, saturation(x), *squares

    excess, by_x, by_width, second, values, logarithm, slope = jax.jit(all_of)(x, width)
    check(excess, lambda x, b: abs(x) - b * -mp.expm1(-abs(x) / b), [x, width], 8)
    check(by_x, lambda x, b: mp.sign(x) * -mp.expm1(-abs(x) / b), [x, width], 8)
    check(by_width, lambda x, b: mp.exp(-abs(x) / b) * (1 + abs(x) / b) - 1, [x, width], 32)
    check(second, lambda x, b: mp.exp(-abs(x) / b) / b, [x, width], 100, absolute=1e-30)
    check(values, lambda x: mp.sign(x) * -mp.expm1(-abs(x)), [x], 8)
    check(logarithm, lambda x: mp.log1p(x * x), [x], 8)
    check(slope, lambda x: 2 * x / (1 + x * x), [x], 8)


# ---------------------------------------------------------------------------------------------------------------------
# Families


def test_point_masses():
    """Between a point mass and a density KL is infinite; between two point masses it is not a number."""
    scales = jnp.asarray([[0.0, 1.0], [1.0, 0.0], [0.0, 0.0]], DTYPE)
    locs = jnp.zeros(3, DTYPE)
    for family in PLANE:
        for other in (locs, locs + 1):
            values = distributions.kl_divergence(family(locs, scales[:, 0]), family(other, scales[:, 1]))
            assert np.isposinf(values[:2]).all(), family
            assert not np.isfinite(values[2]), family
    distances = distributions.wasserstein_distance(Normal(locs, scales[:, 0]), Normal(locs, scales[:, 1]))
    np.testing.assert_array_equal(distances, [1, 1, 0])


def test_gradient_where_the_divergence_overflows():
    """The terms of a derivative, infinite and of both signs, must not meet; KL falls as the scale of q grows."""
    value, by_scale = jax.value_and_grad(lambda s: distributions.kl_divergence(Gumbel(182.0, 7e3), Gumbel(0.0, s)))(0.5)
    assert np.isposinf(value)
    assert np.isfinite(by_scale)
    assert by_scale < 0


def test_fisher_information_of_a_laplace_distribution():
    """At p == q the Hessian of KL is Fisher's information, 1 / scale^2 in both, though the density has a kink."""
    p = Laplace(jnp.asarray(0.5, DTYPE), jnp.asarray(2.0, DTYPE))
    value = jax.hessian(lambda free: distributions.kl_divergence(p, Laplace(free[0], free[1])))
    np.testing.assert_allclose(value(jnp.asarray([0.5, 2.0], DTYPE)), 0.25 * np.eye(2), rtol=16 * EPS, atol=EPS)


def test_supports():
    assert np.isposinf(distributions.kl_divergence(Uniform(0.0, 1.0), Uniform(0.5, 2.0)))
    assert np.isposinf(distributions.kl_divergence(Pareto(1.0, 2.0), Pareto(2.0, 2.0)))
    assert np.isposinf(Weibull(1.0, 0.5).log_prob(0.0))
    assert float(Weibull(0.5, 1.0).log_prob(0.0)) == pytest.approx(np.log(2), rel=4 * EPS)
    assert np.isneginf(Weibull(1.0, 2.0).log_prob(0.0))
    for family in (LogNormal, InverseGaussian):
        value, gradient = jax.value_and_grad(family(1.0, 2.0).log_prob)(0.0)
        assert np.isneginf(value)
        assert float(gradient) == 0


def test_uniform_is_unconstrained_by_its_low_end_and_its_width():
    free = Uniform(jnp.asarray([-1.0, 2.0]), 5.0).to_unconstrained()
    assert list(free) == ["low", "log_width"]
    np.testing.assert_allclose(free["log_width"], np.log([6, 3]), rtol=4 * EPS)
    again = Uniform(0.0, 1.0).from_unconstrained(free)
    np.testing.assert_allclose(again.high, [5, 5], rtol=4 * EPS)


def test_student_t_of_infinite_degrees_is_normal():
    x = jnp.asarray([-3.0, 0.0, 0.5, 40.0], DTYPE)
    value, gradient = jax.vmap(jax.value_and_grad(lambda x: StudentT(jnp.inf, 0.5, 2.0).log_prob(x)))(x)
    np.testing.assert_allclose(value, Normal(0.5, 2.0).log_prob(x), rtol=8 * EPS)
    np.testing.assert_allclose(gradient, -(x - 0.5) / 4, rtol=8 * EPS)
    np.testing.assert_allclose(StudentT(jnp.inf, 0.5, 2.0).entropy(), Normal(0.5, 2.0).entropy(), rtol=8 * EPS)


def test_draws_of_the_inverse_gaussian_follow_its_quantiles():
    """The derivative of a draw by a parameter is that of the quantile it stands at, -(dF / dparameter) / p."""

    def draw(m, a):
        return InverseGaussian(m, a).sample(jax.random.key(3), (100,))

    m, a = 3.0, 5.0
    by_m, by_a = jax.jacfwd(draw, argnums=(0, 1))(m, a)
    x = np.asarray(draw(m, a), float)

    def cdf(m, a):
        return stats.invgauss.cdf(x, m / a, scale=a)

    density = stats.invgauss.pdf(x, m / a, scale=a)
    step = 1e-4
    np.testing.assert_allclose(
        by_m, -(cdf(m + step, a) - cdf(m - step, a)) / (2 * step * density), rtol=1e-4, atol=1e-4
    )
    np.testing.assert_allclose(
        by_a, -(cdf(m, a + step) - cdf(m, a - step)) / (2 * step * density), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize(
    "member",
    [LogNormal(0.5, 0.75), HalfNormal(1.5), Exponential(0.4), InverseGaussian(2.0, 3.0)],
    ids=lambda member: type(member).__name__,
)
def test_exponential_families(member):
    """The density is `h exp(eta . T - A)`, and the natural parameters lead back."""
    x, *parameters = member.parameters(jnp.asarray([0.1, 1.0, 7.0], DTYPE))
    kind = type(member)
    eta = kind._natural(*parameters)
    linear = sum(a * b for a, b in zip(eta, kind._statistics(x, *parameters), strict=True))
    base = kind._log_base(x, *parameters)
    np.testing.assert_allclose(base + linear - kind._log_normalizer(*eta), member.log_prob(x), rtol=64 * EPS)
    np.testing.assert_allclose(kind._from_natural(*eta), parameters, rtol=8 * EPS)
    if kind._mean_log_base(*parameters) is not None:
        # Entropy is A - eta . E T - E log h, with E T the gradient of A.
        by_eta = jax.grad(lambda eta: jnp.sum(kind._log_normalizer(*eta)))(eta)
        expected = sum(a * b for a, b in zip(eta, by_eta, strict=True))
        plain = kind._log_normalizer(*eta) - expected - kind._mean_log_base(*parameters)
        np.testing.assert_allclose(plain, jnp.full_like(x, member.entropy()), rtol=32 * EPS)


# ---------------------------------------------------------------------------------------------------------------------
# The Wasserstein distance as a function


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("family", [Normal, Laplace, Logistic, Gumbel, Uniform, Exponential, HalfNormal])
def test_wasserstein_gradient_is_zero_for_equal_members(family, order):
    parameters = jnp.asarray([0.5, 2.0], DTYPE) if family not in (Exponential, HalfNormal) else jnp.ones(1, DTYPE)

    def distance(other):
        return distributions.wasserstein_distance(family(*parameters), family(*other), order=order)

    value, gradient = jax.value_and_grad(distance)(parameters)
    assert float(value) == 0
    np.testing.assert_array_equal(gradient, np.zeros_like(parameters))
    if family is Normal:
        assert bool(jnp.all(jnp.isfinite(jax.hessian(distance)(parameters))))


def test_wasserstein_distance_against_samples():
    """The quantile functions on a fine grid of levels."""
    levels = (np.arange(200_000) + 0.5) / 200_000
    p, q = stats.gumbel_r.ppf(levels, 0.5, 1.0), stats.gumbel_r.ppf(levels, 1.0, 3.0)
    for order in (1, 2):
        distance = distributions.wasserstein_distance(Gumbel(0.5, 1.0), Gumbel(1.0, 3.0), order=order)
        assert float(distance) == pytest.approx(np.mean(np.abs(p - q) ** order) ** (1 / order), rel=1e-3)


def test_wasserstein_errors():
    with pytest.raises(TypeError, match=r"wasserstein_distance: no closed form of order 2 .*StudentT, Normal.*sort"):
        distributions.wasserstein_distance(StudentT(3.0, 0.0, 1.0), Normal(0.0, 1.0))
    with pytest.raises(TypeError, match="no closed form of order 1"):
        distributions.wasserstein_distance(LogNormal(0.0, 1.0), LogNormal(1.0, 1.0), order=1)
    with pytest.raises(ValueError, match="order must be 1 or 2, got 3"):
        distributions.wasserstein_distance(Normal(0.0, 1.0), Normal(1.0, 1.0), order=3)
    with pytest.raises(ValueError, match=r"wasserstein_distance: batch shapes .*\(2,\), \(3,\)"):
        distributions.wasserstein_distance(Normal(jnp.zeros(2), 1.0), Normal(jnp.zeros(3), 1.0))
    with pytest.raises(TypeError, match=r"no closed form is known for \(Logistic, Logistic\)"):
        distributions.kl_divergence(Logistic(0.0, 1.0), Logistic(1.0, 1.0))
