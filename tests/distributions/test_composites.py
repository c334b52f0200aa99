"""Independent, Product, Transformed and mixtures of several families: densities, draws, and how measures add up."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from jaxinfo import distributions
from jaxinfo.distributions import Independent, Mixture, Normal, Product, Transformed, bijectors
from tests.distributions.exact import EPS, FLOAT

LOCS, SCALES = np.array([0.0, 1.0, -2.0], FLOAT), np.array([1.0, 0.5, 3.0], FLOAT)


def kl_normal(m, s, n, t):
    return math.log(t / s) + (s * s + (m - n) ** 2) / (2 * t * t) - 0.5


def test_independent():
    p = Independent(Normal(LOCS, SCALES))
    q = Independent(Normal(np.zeros((2, 3), FLOAT), 2.0))
    assert (p.event_shape, p.batch_shape, q.batch_shape) == ((3,), (), (2,))
    x = np.array([[0.5, 0.5, 0.5], [1.0, -1.0, 4.0]], FLOAT)
    exact = scipy.stats.norm.logpdf(x.astype(float), LOCS.astype(float), SCALES.astype(float)).sum(-1)
    np.testing.assert_allclose(p.log_prob(x), exact, rtol=16 * EPS)
    assert p.sample(jax.random.key(0), (4,)).shape == (4, 3)
    assert q.sample(jax.random.key(0), (4,)).shape == (4, 2, 3)
    expected = sum(kl_normal(float(m), float(s), 0, 2) for m, s in zip(LOCS, SCALES, strict=True))
    np.testing.assert_allclose(distributions.kl_divergence(p, q), [expected] * 2, rtol=16 * EPS)
    entropy = sum(0.5 * math.log(2 * math.pi * math.e * float(s) ** 2) for s in SCALES)
    assert float(distributions.entropy(p)) == pytest.approx(entropy, rel=16 * EPS)
    again = q.from_unconstrained(q.to_unconstrained())
    np.testing.assert_allclose(again.log_prob(x), q.log_prob(x), rtol=16 * EPS)
    with pytest.raises(ValueError, match=r"Independent: ndim 2 .* batch shape \(3,\)"):
        Independent(Normal(LOCS, SCALES), 2).log_prob(x)
    with pytest.raises(ValueError, match="different shapes"):
        distributions.kl_divergence(p, Independent(Normal(np.zeros(2, FLOAT), 1.0)))


def test_product():
    p = Product((Normal(0.0, 1.0), Independent(Normal(LOCS, SCALES))))
    q = Product((Normal(np.array([1.0, 2.0], FLOAT), 1.0), Independent(Normal(0.0 * LOCS, SCALES))))
    assert (p.event_shape, p.batch_shape, q.batch_shape) == (((), (3,)), (), (2,))
    first, second = p.sample(jax.random.key(0), (5,))
    assert (first.shape, second.shape) == ((5,), (5, 3))
    parts = scipy.stats.norm.logpdf(0.5) + scipy.stats.norm.logpdf(0.25, LOCS, SCALES).sum()
    assert float(p.log_prob((0.5, np.full(3, 0.25, FLOAT)))) == pytest.approx(parts, rel=16 * EPS)
    shared = sum(kl_normal(float(m), float(s), 0, float(s)) for m, s in zip(LOCS, SCALES, strict=True))
    np.testing.assert_allclose(distributions.kl_divergence(p, q), [0.5 + shared, 2 + shared], rtol=16 * EPS)
    again = q.from_unconstrained(q.to_unconstrained())
    x = (0.5, np.full(3, 0.25, FLOAT))
    np.testing.assert_allclose(again.log_prob(x), q.log_prob(x), rtol=16 * EPS)


MAPS = {
    "exp": (bijectors.Exp(), scipy.stats.lognorm(s=0.5, scale=math.exp(0.3)), [0.1, 1.0, 7.0], [-1.0, 0.0]),
    "affine": (bijectors.Affine(1.0, -2.0), scipy.stats.norm(0.4, 1.0), [-3.0, 0.0, 2.5], []),
    "chain": (
        bijectors.Chain((bijectors.Exp(), bijectors.Affine(1.0, 2.0))),
        scipy.stats.lognorm(s=1.0, scale=math.exp(1.6)),
        [0.3, 5.0, 40.0],
        [-0.5, 0.0],
    ),
}


@pytest.mark.parametrize("name", MAPS)
def test_transformed(name):
    """Images of N(0.3, 0.5^2) that SciPy knows."""
    bijector, exact, inside, outside = MAPS[name]
    p = Transformed(Normal(0.3, 0.5), bijector)
    x = np.array(inside, FLOAT)
    np.testing.assert_allclose(p.log_prob(x), exact.logpdf(x.astype(float)), rtol=32 * EPS, atol=8 * EPS)
    if outside:
        assert np.all(np.asarray(p.log_prob(np.array(outside, FLOAT))) == -np.inf)
        assert float(jax.grad(lambda loc: Transformed(Normal(loc, 0.5), bijector).log_prob(outside[0]))(0.3)) == 0
    assert math.isnan(float(p.log_prob(math.nan)))
    assert float(distributions.entropy(p)) == pytest.approx(float(exact.entropy()), rel=max(16 * EPS, 1e-12))
    draws = np.sort(np.asarray(p.sample(jax.random.key(2), (4000,)), np.float64))
    assert scipy.stats.kstest(draws, exact.cdf).statistic < 1.95 / math.sqrt(4000)


@pytest.mark.parametrize("bijector", [bijectors.Sigmoid(), bijectors.Softplus(), bijectors.Tanh()])
def test_maps_are_inverted_and_know_their_slope(bijector):
    x = np.array([-6.0, -1.0, 0.0, 0.5, 3.0], FLOAT)
    y = bijector.forward(x)
    # The inverse of a saturated map moves by the inverse slope times the rounding of y.
    slopes = np.exp(np.asarray(bijector.forward_log_det_jacobian(x)))
    assert np.all(np.abs(bijector.inverse(y) - x) <= 8 * EPS * (np.abs(y) / slopes + np.abs(x)))
    by_autodiff = jax.vmap(jax.grad(bijector.forward))(x)
    # JAX differentiates tanh as 1 - tanh^2, which loses digits where the map is flat.
    np.testing.assert_allclose(slopes, by_autodiff, rtol=64 * EPS, atol=8 * EPS)


def test_divergence_through_a_shared_map_is_that_of_the_bases():
    p, q = Normal(0.0, 1.0), Normal(1.0, 2.0)
    exact = kl_normal(0, 1, 1, 2)
    for first, second in (
        (bijectors.Tanh(), bijectors.Tanh()),
        (bijectors.Affine(1.0, 2.0), bijectors.Affine(1.0, 2.0)),
        (bijectors.Chain((bijectors.Exp(), bijectors.Affine(1.0, 2.0))),) * 2,
    ):
        assert float(distributions.kl_divergence(Transformed(p, first), Transformed(q, second))) == pytest.approx(
            exact, rel=16 * EPS
        )
    with pytest.raises(TypeError, match="densities"):
        distributions.kl_divergence(
            Transformed(p, bijectors.Affine(1.0, 2.0)), Transformed(q, bijectors.Affine(1.0, 3.0))
        )
    shared = bijectors.Affine(1.0, 2.0)

    def traced(scale):
        same = bijectors.Affine(1.0, scale)
        return distributions.kl_divergence(Transformed(p, same), Transformed(q, same))

    assert float(jax.jit(traced)(shared.scale)) == pytest.approx(exact, rel=16 * EPS)


def test_mixture_of_several_families():
    bounded = Transformed(Normal(0.0, 1.0), bijectors.Exp())
    p = Mixture(np.array([0.25, 0.75], FLOAT), (bounded, Normal(-1.0, 2.0)))
    x = np.array([-2.0, 0.5, 3.0], FLOAT)
    pdf = 0.25 * scipy.stats.lognorm.pdf(x.astype(float), 1.0) + 0.75 * scipy.stats.norm.pdf(x.astype(float), -1, 2)
    np.testing.assert_allclose(p.log_prob(x), np.log(pdf), rtol=32 * EPS)
    assert (float(p.support[0]), float(p.support[1])) == (-math.inf, math.inf)
    draws = np.asarray(p.sample(jax.random.key(1), (4000,)), np.float64)
    cdf = lambda x: 0.25 * scipy.stats.lognorm.cdf(x, 1.0) + 0.75 * scipy.stats.norm.cdf(x, -1, 2)  # noqa: E731
    assert scipy.stats.kstest(draws, cdf).statistic < 1.95 / math.sqrt(4000)
    again = p.from_unconstrained(p.to_unconstrained())
    np.testing.assert_allclose(again.log_prob(x), p.log_prob(x), rtol=32 * EPS)


@pytest.mark.parametrize("num_components", [2, 8, 9])
def test_mixture_of_numbers(num_components):
    # Few components and many take different paths.
    locs, scales = np.linspace(-6, 6, num_components), np.linspace(0.5, 2.0, num_components)
    weights = np.arange(num_components, dtype=float)
    weights /= weights.sum()
    p = Mixture(weights.astype(FLOAT), Normal(locs.astype(FLOAT), scales.astype(FLOAT)))
    x = np.array([-30.0, -6.0, 0.5, 30.0])
    with np.errstate(divide="ignore"):
        terms = np.log(weights) + scipy.stats.norm.logpdf(x[:, None], locs, scales)
    exact = np.logaddexp.reduce(terms, axis=-1)
    np.testing.assert_allclose(p.log_prob(x.astype(FLOAT)), exact, rtol=64 * EPS)
    # A rounding of the log-densities, which reach 300, is relative to their ratio.
    slopes = np.sum(np.exp(terms - exact[:, None]) * (locs - x[:, None]) / scales**2, axis=-1)
    np.testing.assert_allclose(jax.vmap(jax.grad(p.log_prob))(x.astype(FLOAT)), slopes, rtol=512 * EPS)
    assert list(p.log_prob(np.array([-np.inf, np.inf], FLOAT))) == [-math.inf, -math.inf]
    assert math.isnan(float(p.log_prob(np.array(np.nan, FLOAT))))
    draws = np.asarray(p.sample(jax.random.key(1), (4000,)), np.float64)
    cdf = lambda x: np.sum(weights * scipy.stats.norm.cdf(x[:, None], locs, scales), axis=-1)  # noqa: E731
    assert scipy.stats.kstest(draws, cdf).statistic < 1.95 / math.sqrt(4000)


def test_draws_of_mixtures_choose_no_component_without_weight():
    weights = np.array([[0.0, 0.3, 0.0, 0.7, 0.0], [1.0, 0.0, 0.0, 0.0, 0.0]], FLOAT)
    # Point masses tell the components apart.
    p = Mixture(weights, Normal(np.arange(5, dtype=FLOAT), np.zeros((2, 5), FLOAT)))
    draws = np.asarray(p.sample(jax.random.key(0), (10_000,)))
    assert [sorted(set(column)) for column in draws.T] == [[1.0, 3.0], [0.0]]
    # Four standard errors.
    assert abs(np.mean(draws[:, 0] == 3) - 0.7) < 4 * math.sqrt(0.21 / 10_000)


def test_mixture_of_vectors():
    parts = Independent(Normal(jnp.array([[0.0, 0.0], [3.0, -3.0]]), 1.0))
    p = Mixture(jnp.array([0.5, 0.5]), parts)
    assert (p.event_shape, p.batch_shape, p.mean.shape) == ((2,), (), (2,))
    x = np.array([[0.5, 1.0], [2.0, -2.0], [0.0, 0.0]], FLOAT)
    density = lambda m: scipy.stats.norm.pdf(x.astype(float), m).prod(-1)  # noqa: E731
    exact = np.log(0.5 * density([0, 0]) + 0.5 * density([3, -3]))
    np.testing.assert_allclose(p.log_prob(x), exact, rtol=32 * EPS)
    np.testing.assert_allclose(p.mean, [1.5, -1.5])
    np.testing.assert_allclose(p.variance, [3.25, 3.25])
    draws = p.sample(jax.random.key(0), (2000,))
    assert draws.shape == (2000, 2)
    # Five standard errors: a draw keeps both coordinates of one component.
    np.testing.assert_allclose(np.cov(np.asarray(draws).T), [[3.25, -2.25], [-2.25, 3.25]], atol=0.5)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Independent(Normal(LOCS, SCALES)),
        lambda: Product((Normal(LOCS, SCALES), Normal(0.0, 1.0))),
        lambda: Transformed(Normal(LOCS, SCALES), bijectors.Chain((bijectors.Exp(), bijectors.Affine(1.0, 2.0)))),
        lambda: Mixture(np.array([0.5, 0.5], FLOAT), (Normal(LOCS, SCALES), Normal(0.0, 1.0))),
    ],
)
def test_pytrees(make):
    member = make()
    leaves, structure = jax.tree.flatten(member)
    assert type(jax.tree.unflatten(structure, [object()] * len(leaves))) is type(member)
    draws = jax.jit(lambda one: one.sample(jax.random.key(0), (2,)))(member)
    compiled = jax.jit(lambda one, x: one.log_prob(x))(member, draws)
    np.testing.assert_allclose(compiled, member.log_prob(draws), rtol=32 * EPS, atol=8 * EPS)
    assert compiled.shape == (2, *member.batch_shape)
    assert bool(jnp.all(member.is_allowed()))
    assert member.broadcast_to((4, *member.batch_shape)).batch_shape == (4, *member.batch_shape)
