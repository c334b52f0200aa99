"""Normal and Mixture: densities, moments, draws, bijections, pytrees, and the closed forms between normals."""

import math

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from jaxinfo import distributions
from jaxinfo.distributions import Mixture, Normal

EPS = float(jnp.finfo(jnp.zeros(()).dtype).eps)


def two_bumps():
    return Mixture(jnp.array([0.25, 0.75]), Normal(jnp.array([-3.0, 2.0]), jnp.array([1.0, 0.5])))


def exact_log_prob(x, weights, means, scales):
    terms = zip(weights, means, scales, strict=True)
    return mpmath.log(mpmath.fsum(mpmath.mpf(w) * mpmath.npdf(x, m, s) for w, m, s in terms))


@pytest.mark.parametrize("x", [-40.0, -3.0, 0.0, 0.5, 2.0, 40.0])
def test_log_prob(x):
    normal = exact_log_prob(x, (1.0,), (0.5,), (2.0,))
    mixture = exact_log_prob(x, (0.25, 0.75), (-3.0, 2.0), (1.0, 0.5))
    # The square of a standardised distance rounded twice: a few ulps of the value, or of 1 where it is small.
    for value, exact in ((Normal(0.5, 2.0).log_prob(x), normal), (two_bumps().log_prob(x), mixture)):
        assert abs(float(value) - float(exact)) <= 8 * EPS * (1 + abs(float(exact)))


def test_shapes_broadcast():
    normal = Normal(jnp.zeros((4, 1)), jnp.ones(3))
    assert normal.batch_shape == (4, 3)
    assert normal.log_prob(jnp.zeros((5, 1, 1))).shape == (5, 4, 3)
    assert normal.mean.shape == normal.variance.shape == normal.entropy().shape == (4, 3)
    assert normal.sample(jax.random.key(0), (2,)).shape == (2, 4, 3)
    mixture = Mixture(jnp.full((3,), 1 / 3), normal)
    assert mixture.batch_shape == (4,)
    assert mixture.log_prob(jnp.zeros((5, 1))).shape == (5, 4)
    assert mixture.mean.shape == mixture.variance.shape == (4,)
    assert mixture.sample(jax.random.key(0), (2, 7)).shape == (2, 7, 4)
    batched_weights = Mixture(jnp.full((6, 2), 0.5), Normal(jnp.array([0.0, 1.0]), 1.0))
    assert batched_weights.sample(jax.random.key(0), (5,)).shape == (5, 6)
    assert batched_weights.log_prob(0.0).shape == batched_weights.batch_shape == (6,)


def test_mixture_moments():
    # By hand: mean -3/4 + 3/2, variance (1 + 3 * 0.25) / 4 + (3.75^2 + 3 * 1.25^2) / 4.
    assert float(two_bumps().mean) == pytest.approx(0.75, rel=4 * EPS)
    assert float(two_bumps().variance) == pytest.approx(0.4375 + 4.6875, rel=4 * EPS)


def test_mixture_of_mixtures():
    inner = Mixture(jnp.full((2, 2), 0.5), Normal(jnp.array([[-1.0, 1.0], [2.0, 4.0]]), 1.0))
    outer = Mixture(jnp.array([0.5, 0.5]), inner)
    flat = Mixture(jnp.full((4,), 0.25), Normal(jnp.array([-1.0, 1.0, 2.0, 4.0]), 1.0))
    assert outer.batch_shape == ()
    assert float(outer.log_prob(0.3)) == pytest.approx(float(flat.log_prob(0.3)), rel=8 * EPS)


def test_samples_have_the_distribution():
    """Kolmogorov's distance of 4000 draws stays below 1.95 / sqrt(n), which one run in a thousand exceeds."""
    draws = np.sort(np.asarray(two_bumps().sample(jax.random.key(3), (4000,)), np.float64))
    cdf = [0.25 * mpmath.ncdf(x, -3, 1) + 0.75 * mpmath.ncdf(x, 2, 0.5) for x in draws]
    distance = np.max(np.abs(np.array(cdf, float) - (np.arange(4000) + 0.5) / 4000))
    assert distance < 1.95 / math.sqrt(4000)


def test_samples_are_differentiable_in_the_parameters():
    def draw(loc, scale):
        return Normal(loc, scale).sample(jax.random.key(0))

    by_loc, by_scale = jax.grad(draw, argnums=(0, 1))(1.0, 2.0)
    assert float(by_loc) == 1
    assert float(by_scale) == pytest.approx((float(draw(1.0, 2.0)) - 1) / 2, rel=8 * EPS)


def test_zero_weight_is_absent_and_has_its_one_sided_derivative():
    def log_prob(weights, x):
        return Mixture(weights, Normal(jnp.array([0.0, 5.0]), jnp.array([1.0, 0.5]))).log_prob(x)

    weights = jnp.array([1.0, 0.0])
    for x in (0.5, 4.0):
        value, gradient = jax.value_and_grad(log_prob)(weights, x)
        p, q = (float(mpmath.npdf(x, m, s)) for m, s in ((0, 1), (5, 0.5)))
        # The exponential of a difference of logarithms near 8 has that many ulps.
        assert float(value) == pytest.approx(math.log(p), rel=8 * EPS)
        np.testing.assert_allclose(gradient, [1, q / p], rtol=64 * EPS)
        np.testing.assert_allclose(jax.jacfwd(log_prob)(weights, x), [1, q / p], rtol=64 * EPS)
        # d2 log(p . w) = -(p_i p_j) / p^2
        second = jax.hessian(log_prob)(weights, x)
        np.testing.assert_allclose(second, -np.outer([1, q / p], [1, q / p]), rtol=256 * EPS)


def test_zero_weight_of_a_component_that_exceeds_the_mixture_beyond_overflow():
    def log_prob(weights, loc):
        return Mixture(weights, Normal(jnp.stack([loc, jnp.full_like(loc, 100.0)]), 1.0)).log_prob(100.0)

    value, (by_weights, by_loc) = jax.value_and_grad(log_prob, argnums=(0, 1))(jnp.array([1.0, 0.0]), jnp.zeros(()))
    assert float(value) == pytest.approx(-5000 - 0.5 * math.log(2 * math.pi), rel=4 * EPS)
    assert bool(jnp.all(jnp.isfinite(by_weights)))
    assert float(by_loc) == pytest.approx(100, rel=4 * EPS)


def test_negative_parameters_are_nan_in_their_own_element():
    scales = jnp.array([1.0, -1.0])
    for values in (
        Normal(0.0, scales).log_prob(0.3),
        Normal(0.0, scales).entropy(),
        distributions.kl_divergence(Normal(0.0, scales), Normal(0.0, scales)),
        distributions.cross_entropy(Normal(0.0, scales), Normal(0.0, 1.0)),
        Mixture(jnp.array([[0.5, 0.5], [1.5, -0.5]]), Normal(jnp.zeros(2), 1.0)).log_prob(0.0),
    ):
        assert np.isnan(np.asarray(values)).tolist() == [False, True]


@pytest.mark.parametrize("make", [lambda: Normal(jnp.array([0.0, 1.0]), 2.0), two_bumps])
def test_pytree(make):
    distribution = make()
    leaves, structure = jax.tree.flatten(distribution)
    assert type(jax.tree.unflatten(structure, leaves)) is type(distribution)
    # Leaves may be anything on the way, such as the placeholders of jax.vmap's axes.
    assert jax.tree.unflatten(structure, [object()] * len(leaves)) is not None
    x = jnp.array([0.3, 0.4])
    eager = distribution.log_prob(x)
    np.testing.assert_allclose(jax.jit(lambda d, y: d.log_prob(y))(distribution, x), eager, rtol=4 * EPS)
    stacked = jax.tree.map(lambda leaf: jnp.stack([jnp.asarray(leaf)] * 3), distribution)
    mapped = jax.vmap(lambda d: d.log_prob(x))(stacked)
    np.testing.assert_allclose(mapped, np.stack([eager] * 3), rtol=4 * EPS)


@pytest.mark.parametrize("make", [lambda: Normal(jnp.array([0.0, 1.0]), 2.0), two_bumps])
def test_unconstrained_parameters_round_trip(make):
    distribution = make()
    again = distribution.from_unconstrained(distribution.to_unconstrained())
    x = jnp.array(0.3)
    np.testing.assert_allclose(again.log_prob(x), distribution.log_prob(x), rtol=16 * EPS)
    moved = jax.tree.map(lambda leaf: leaf - 10.0, distribution.to_unconstrained())
    assert bool(jnp.all(distribution.from_unconstrained(moved).variance > 0))


def test_dtypes():
    half = Normal(jnp.bfloat16(0.5), 2.0)
    assert half.log_prob(1.0).dtype == half.mean.dtype == half.sample(jax.random.key(0)).dtype == jnp.bfloat16
    # Computed in single precision and rounded once: half an ulp of bfloat16.
    exact = -0.5 * 0.25**2 - math.log(2 * math.sqrt(2 * math.pi))
    assert float(half.log_prob(1.0)) == pytest.approx(exact, rel=2.0**-8)
    assert Normal(0, 1).log_prob(1).dtype == jnp.zeros(()).dtype
    assert Mixture(jnp.float16([0.5, 0.5]), Normal(jnp.float16([0, 1]), 1.0)).log_prob(0.0).dtype == jnp.float16


def test_errors():
    with pytest.raises(ValueError, match=r"Mixture: .*\(3,\) and \(2,\)"):
        Mixture(jnp.ones(3) / 3, Normal(jnp.zeros(2), 1.0)).log_prob(0.0)
    with pytest.raises(TypeError, match=r"jaxinfo\.densities\.entropy"):
        two_bumps().entropy()
    with pytest.raises(TypeError, match=r"distributions\.kl_divergence: .*Mixture, Normal.*jaxinfo\.densities"):
        distributions.kl_divergence(two_bumps(), Normal(0.0, 1.0))
    with pytest.raises(ValueError, match=r"distributions\.entropy: base .* 1"):
        distributions.entropy(Normal(0.0, 1.0), base=1)
    with pytest.raises(ValueError, match=r"distributions\.kl_divergence: batch shapes .*\(2,\), \(3,\)"):
        distributions.kl_divergence(Normal(jnp.zeros(2), 1.0), Normal(jnp.zeros(3), 1.0))
    with pytest.raises(TypeError, match="must be real"):
        Normal(1j, 1.0).log_prob(jnp.array(1j))


# Means and scales of p and q: far apart, near, one part in 10^6 apart, and of extreme ratios.
PAIRS = np.array(
    [
        (0, 1, 1, 2),
        (3, 1, -3, 1),
        (0.5, 1, 0.5 + 2.0**-10, 1 + 2.0**-11),
        (0.5, 1, 0.5 + 2.0**-20, 1 - 2.0**-21),
        (0, 1, 0, 1 + 2.0**-20),
        (1, 2.0**-10, 1, 2.0**10),
        (1, 2.0**10, 1, 2.0**-10),
        (0, 3, 0, 2),
    ]
)


def test_closed_forms_between_normals():
    m, s, n, t = (jnp.asarray(column, jnp.zeros(()).dtype) for column in PAIRS.T)
    p, q = Normal(m, s), Normal(n, t)
    kl, cross, plain = distributions.kl_divergence(p, q), distributions.cross_entropy(p, q), distributions.entropy(p)
    for i, row in enumerate(PAIRS):
        a, b, c, d = (mpmath.mpf(float(x)) for x in row)
        constant = mpmath.log(2 * mpmath.pi) / 2
        exact_cross = constant + mpmath.log(d) + (b**2 + (a - c) ** 2) / (2 * d**2)
        exact_plain = constant + mpmath.log(b) + mpmath.mpf(1) / 2
        # The divergence keeps its digits however near the pair; entropies are sums of terms of size 1 to 10.
        assert float(kl[i]) == pytest.approx(float(exact_cross - exact_plain), rel=16 * EPS)
        assert float(cross[i]) == pytest.approx(float(exact_cross), rel=8 * EPS, abs=8 * EPS)
        assert float(plain[i]) == pytest.approx(float(exact_plain), rel=8 * EPS, abs=8 * EPS)
    assert float(distributions.kl_divergence(Normal(0.3, 0.7), Normal(0.3, 0.7))) == 0


def test_closed_form_derivatives():
    def value(m, s, n, t):
        return distributions.kl_divergence(Normal(m, s), Normal(n, t))

    # The derivatives: ((m - n) / t^2, s / t^2 - 1 / s, (n - m) / t^2, 1 / t - (s^2 + (m - n)^2) / t^3)
    m, s, n, t = 0.5, 1.0, 1.0, 2.0
    exact = [-0.125, 0.25 - 1, 0.125, 0.5 - 1.25 / 8]
    np.testing.assert_allclose(jax.grad(value, argnums=(0, 1, 2, 3))(m, s, n, t), exact, rtol=16 * EPS)
    np.testing.assert_allclose(jax.grad(value, argnums=(0, 1, 2, 3))(m, s, m, s), np.zeros(4), atol=EPS)
    # At p == q the Hessian in (n, t) is Fisher's information, diag(1, 2) / s^2.
    fisher = jax.hessian(lambda free: value(m, s, free[0], free[1]))(jnp.array([m, s]))
    np.testing.assert_allclose(fisher, np.diag([1.0, 2.0]), rtol=16 * EPS, atol=16 * EPS)


def test_base():
    one_bit = Normal(0.0, 2 / math.sqrt(2 * math.pi * math.e))
    assert float(distributions.entropy(one_bit, base=2)) == pytest.approx(1, rel=8 * EPS)
