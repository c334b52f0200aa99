"""Likelihoods by SciPy, and means by NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from jaxinfo.distributions import Bernoulli, Categorical, Gamma, Independent, Mixture, MultivariateNormal, Normal
from jaxinfo.objectives import bits_per_byte, cross_entropy_loss, example_mean, negative_log_likelihood, perplexity
from tests.marks import once
from tests.quick import quick_jit

EPSILON = float(jnp.finfo(jnp.result_type(float)).eps)
RNG = np.random.default_rng(1)
LOC, SCALE, X = RNG.normal(size=(5, 3)), RNG.uniform(0.5, 2, size=(5, 3)), RNG.normal(size=(5, 3))
KEEP = np.array([True, False, True, True, False])


def independent(loc, scale):
    return Independent(Normal(loc, scale))


def test_the_event_alone_is_summed():
    found = negative_log_likelihood(X, independent(jnp.asarray(LOC), jnp.asarray(SCALE)))
    np.testing.assert_allclose(found, -stats.norm.logpdf(X, LOC, SCALE).sum(-1), rtol=20 * EPSILON)
    shared = negative_log_likelihood(X, independent(jnp.zeros(3), 1.0))
    np.testing.assert_allclose(shared, -stats.norm.logpdf(X).sum(-1), rtol=20 * EPSILON)
    each = negative_log_likelihood(X, Normal(jnp.asarray(LOC), jnp.asarray(SCALE)))
    np.testing.assert_allclose(each, -stats.norm.logpdf(X, LOC, SCALE), rtol=50 * EPSILON)


def test_what_is_not_kept_is_not_seen():
    """In the data or in the parameters, for leaves that are not broadcast, too."""
    bad = np.array([0, np.nan, 0, 0, np.inf])[:, None]
    x, loc = (np.where(KEEP[:, None], table, bad) for table in (X, LOC))
    weights = np.array([1.0, 0.0, 2.0, 3.0, 0.0])

    def total(loc, scale, options):
        return jnp.sum(negative_log_likelihood(x, independent(loc, scale), **options))

    for options, factors in (({"where": KEEP}, KEEP), ({"weights": weights}, weights)):
        run = quick_jit(jax.value_and_grad(total, argnums=(0, 1)))
        value, gradients = run(jnp.asarray(loc), jnp.ones(3), options)
        terms = -stats.norm.logpdf(X, LOC).sum(-1)
        np.testing.assert_allclose(value, (factors * terms).sum(), rtol=20 * EPSILON)
        column = factors[:, None]
        np.testing.assert_allclose(gradients[0], column * (LOC - X), atol=50 * EPSILON)
        np.testing.assert_allclose(gradients[1], (column * (1 - (X - LOC) ** 2)).sum(0), atol=200 * EPSILON)


def test_other_families_with_a_mask():
    """A composite, a family with event axes of its own, one on half a line, and one of integers."""
    weights = jnp.array([0.25, 0.75])
    mixture = Mixture(weights, Normal(jnp.stack([jnp.asarray(LOC[:, 0]), jnp.zeros(5)], -1), 1.0))
    by_hand = -np.log(0.25 * stats.norm.pdf(X[:, 0], LOC[:, 0]) + 0.75 * stats.norm.pdf(X[:, 0]))
    positive = np.abs(X[:, 0]) + 0.1
    vector = MultivariateNormal.from_diagonal(jnp.asarray(LOC), jnp.asarray(SCALE))
    cases = [
        (mixture, X[:, 0], by_hand),
        (vector, X, -stats.norm.logpdf(X, LOC, SCALE).sum(-1)),
        (Gamma(2.0, jnp.asarray(SCALE[:, 0])), positive, -stats.gamma.logpdf(positive, 2, scale=1 / SCALE[:, 0])),
    ]
    for distribution, x, truth in cases:
        held = np.where(KEEP.reshape(-1, *(1,) * (x.ndim - 1)), x, np.nan)
        found = quick_jit(negative_log_likelihood)(held, distribution, where=KEEP)
        np.testing.assert_allclose(found, np.where(KEEP, truth, 0), rtol=200 * EPSILON)
    labels = np.array([0, 9, 2, 1, -1])
    z = jnp.asarray(LOC)
    found = negative_log_likelihood(labels, Categorical(logits=z), where=KEEP)
    np.testing.assert_allclose(found, cross_entropy_loss(labels, z, where=KEEP), rtol=20 * EPSILON)


def test_boundary():
    found = quick_jit(negative_log_likelihood)(jnp.array([-1.0, 2.0, jnp.nan]), Gamma(2.0, 1.0))
    np.testing.assert_allclose(found, [np.inf, 2 - np.log(2), np.nan], rtol=20 * EPSILON)


def test_likelihood_is_cross_entropy():
    """The mean over draws of a coin, where log-odds are infinite and right, too."""
    x, z = jnp.array([1, 1, 0, 1]), jnp.array([0.3, jnp.inf, -jnp.inf, -0.3])
    found = negative_log_likelihood(x, Bernoulli(logits=z))
    np.testing.assert_allclose(found, [np.log1p(np.exp(-0.3)), 0, 0, np.log1p(np.exp(0.3))], rtol=20 * EPSILON)


@once
def test_a_function_and_an_object_of_someone_else():
    class Other:
        def log_prob(self, x):
            return -jnp.sum(jnp.abs(x), -1)

        event_shape, batch_shape = (3,), ()

    np.testing.assert_allclose(negative_log_likelihood(X, Other()), np.abs(X).sum(-1), rtol=1e-6)
    x = np.where(KEEP[:, None], X, np.nan)
    np.testing.assert_allclose(
        negative_log_likelihood(x, Other(), where=KEEP), np.where(KEEP, np.abs(X).sum(-1), 0), rtol=1e-6
    )
    np.testing.assert_allclose(negative_log_likelihood(X, lambda x: -(x**2)), X**2, rtol=1e-6)
    half = negative_log_likelihood(jnp.zeros(2, jnp.bfloat16), Normal(jnp.zeros(2, jnp.bfloat16), jnp.bfloat16(1)))
    assert half.dtype == jnp.bfloat16
    nothing = negative_log_likelihood(jnp.zeros((0, 3)), independent(jnp.zeros((0, 3)), 1.0), where=jnp.zeros(0, bool))
    assert nothing.shape == (0,)


@once
def test_errors():
    with pytest.raises(TypeError, match="negative_log_likelihood: a density has log_prob"):
        negative_log_likelihood(X, 3.0)
    with pytest.raises(ValueError, match="negative_log_likelihood: where of shape"):
        negative_log_likelihood(X, independent(jnp.zeros(3), 1.0), where=jnp.ones(3, bool))
    for function, arguments in ((perplexity, ()), (bits_per_byte, (1,)), (example_mean, ())):
        with pytest.raises(ValueError, match=f"{function.__name__}: axis 3"):
            function(jnp.zeros((2, 3)), *arguments, axis=3)
        with pytest.raises(TypeError, match=f"{function.__name__}: where must be boolean"):
            function(jnp.zeros((2, 3)), *arguments, where=jnp.ones(3))
    with pytest.raises(ValueError, match=r"bits_per_byte: num_bytes of shape \(3,\)"):
        bits_per_byte(jnp.zeros((2, 4)), jnp.ones(3))
    with pytest.raises(ValueError, match="example_mean: weights of shape"):
        example_mean(jnp.zeros(2), weights=jnp.ones(3))


def test_perplexity_and_bits_per_byte():
    losses = RNG.exponential(size=(3, 7))
    keep = RNG.random((3, 7)) < 0.6
    keep[:, 0] = True
    held = np.where(keep, losses, np.nan)
    np.testing.assert_allclose(perplexity(losses), np.exp(losses.mean(-1)), rtol=50 * EPSILON)
    means = np.array([losses[i, keep[i]].mean() for i in range(3)])
    sums = np.array([losses[i, keep[i]].sum() for i in range(3)])
    np.testing.assert_allclose(perplexity(held, where=keep), np.exp(means), rtol=50 * EPSILON)
    np.testing.assert_allclose(perplexity(held, where=keep, axis=None), np.exp(losses[keep].mean()), rtol=50 * EPSILON)
    sizes = np.array([30, 20, 10])
    np.testing.assert_allclose(bits_per_byte(held, sizes, where=keep), sums / np.log(2) / sizes, rtol=50 * EPSILON)
    whole = bits_per_byte(losses, 60, axis=(0, 1), keepdims=True)
    np.testing.assert_allclose(whole, [[losses.sum() / np.log(2) / 60]], rtol=50 * EPSILON)
    assert perplexity(losses, axis=0, keepdims=True).shape == (1, 7)
    gradient = quick_jit(jax.grad(lambda x: jnp.sum(perplexity(x, where=keep))))(jnp.asarray(held))
    counts = keep.sum(-1)
    np.testing.assert_allclose(gradient, np.where(keep, (np.exp(means) / counts)[:, None], 0), rtol=50 * EPSILON)
    in_bits = quick_jit(jax.grad(lambda x: jnp.sum(bits_per_byte(x, sizes, where=keep))))(jnp.asarray(held))
    np.testing.assert_allclose(in_bits, np.where(keep, 1 / np.log(2) / sizes[:, None], 0), rtol=50 * EPSILON)


def test_perplexity_at_the_boundary():
    """A uniform model over K tokens has K; an impossible token makes it infinite; nothing has none."""
    np.testing.assert_allclose(perplexity(cross_entropy_loss(jnp.arange(8), jnp.zeros((8, 8)))), 8, rtol=20 * EPSILON)
    assert perplexity(jnp.array([1.0, jnp.inf])) == jnp.inf
    assert perplexity(jnp.array([1.0, jnp.inf]), where=jnp.array([True, False])) == jnp.exp(1.0)
    assert jnp.isnan(perplexity(jnp.ones(2), where=jnp.zeros(2, bool)))
    assert bits_per_byte(jnp.array([1.0, jnp.inf]), 3) == jnp.inf


def test_example_mean():
    losses, keep = RNG.normal(size=(4, 3)), RNG.random((4, 3)) < 0.7
    weights = RNG.integers(0, 3, size=(4, 3)).astype(float)
    held = np.where(keep & (weights > 0), losses, np.nan)
    total = np.sum(np.where(keep, weights, 0))
    truth = np.sum(np.where(keep, weights * losses, 0)) / total
    found, gradient = jax.value_and_grad(lambda x: example_mean(x, where=keep, weights=weights))(jnp.asarray(held))
    np.testing.assert_allclose(found, truth, rtol=100 * EPSILON)
    np.testing.assert_allclose(gradient, np.where(keep, weights, 0) / total, rtol=20 * EPSILON)
    np.testing.assert_allclose(example_mean(losses), losses.mean(), rtol=100 * EPSILON)
    np.testing.assert_allclose(example_mean(losses, axis=0), losses.mean(0), rtol=100 * EPSILON)
    assert example_mean(losses, axis=1, keepdims=True).shape == (4, 1)


def test_a_mean_of_nothing_changes_nothing():
    nothing = lambda x: example_mean(x, where=jnp.zeros(2, bool))  # noqa: E731
    value, gradient = jax.value_and_grad(nothing)(jnp.array([jnp.nan, 1.0]))
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)
