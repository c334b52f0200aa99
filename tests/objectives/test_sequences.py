"""Sequences by enumeration of all of them, and errors that say how far off an estimate is."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxinfo.objectives import sequence_kl_divergence, sequence_log_prob, token_kl_divergence
from tests.marks import once

FLOAT = jnp.float64 if jax.config.jax_enable_x64 else jnp.float32
EPS = float(jnp.finfo(FLOAT).eps)
K, LENGTH = 3, 4
SEQUENCES = np.array(list(itertools.product(range(K), repeat=LENGTH)))


def markov(seed):
    """Logits of the first token and of each next one."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(K + 1, K)) * 1.5


def along(table, sequences):
    """The logits of every token of sequences `[..., T]`: row K is for the first one."""
    before = np.concatenate([np.full_like(sequences[..., :1], K), sequences[..., :-1]], axis=-1)
    return table[before]


def log_softmax(z):
    return z - np.log(np.sum(np.exp(z), axis=-1, keepdims=True))


def by_hand(table):
    return np.take_along_axis(log_softmax(along(table, SEQUENCES)), SEQUENCES[..., None], -1)[..., 0].sum(axis=1)


P, Q = markov(0), markov(1)


def test_log_prob_of_all_sequences():
    found = sequence_log_prob(SEQUENCES, jnp.asarray(along(P, SEQUENCES), FLOAT))
    np.testing.assert_allclose(found, by_hand(P), rtol=10 * EPS)
    np.testing.assert_allclose(jnp.sum(jnp.exp(found)), 1, rtol=20 * EPS)


def test_log_prob_gradient_and_padding():
    row = SEQUENCES[50]
    z = jnp.asarray(along(P, row), FLOAT)
    spoiled = z.at[2].set(jnp.nan)
    keep = np.array([True, True, False, True])
    tokens = np.where(keep, row, -100)
    value, gradient = jax.jit(jax.value_and_grad(sequence_log_prob, argnums=1))(tokens, spoiled, where=keep)
    terms = np.take_along_axis(log_softmax(along(P, row)), row[:, None], -1)[:, 0]
    np.testing.assert_allclose(value, terms[keep].sum(), rtol=10 * EPS)
    expected = np.where(keep[:, None], np.eye(K)[row] - np.exp(log_softmax(along(P, row))), 0)
    np.testing.assert_allclose(gradient, expected, rtol=20 * EPS, atol=5 * EPS)
    assert sequence_log_prob(tokens, z, where=np.zeros(4, bool)) == 0


def test_log_prob_of_what_cannot_be():
    z = jnp.asarray(along(P, SEQUENCES[50]), FLOAT).at[1, SEQUENCES[50][1]].set(-jnp.inf)
    value, gradient = jax.jit(jax.value_and_grad(sequence_log_prob, argnums=1))(SEQUENCES[50], z)
    assert value == -jnp.inf
    assert np.all(np.isfinite(gradient))
    assert jnp.isnan(sequence_log_prob(jnp.array([K]), z[:1]))
    assert jnp.isnan(sequence_log_prob(jnp.array([-1]), z[:1]))


def test_chain_rule():
    """The mean over all of p's sequences of the sum of token divergences is the divergence of sequences."""
    log_p, log_q = by_hand(P), by_hand(Q)
    expected = np.sum(np.exp(log_p) * (log_p - log_q))
    tokens = token_kl_divergence(*(jnp.asarray(along(t, SEQUENCES), FLOAT) for t in (P, Q)))
    assert tokens.shape == (len(SEQUENCES), LENGTH)
    assert np.all(tokens >= 0)
    np.testing.assert_allclose(
        np.sum(np.exp(log_p) * np.asarray(tokens, np.float64).sum(axis=1)), expected, rtol=50 * EPS
    )
    bits = token_kl_divergence(*(jnp.asarray(along(t, SEQUENCES), FLOAT) for t in (P, Q)), base=2)
    np.testing.assert_allclose(bits, tokens / np.log(2), rtol=5 * EPS)


def draw(rng, table, count):
    """Sequences drawn from a chain, by hand."""
    sequences = np.zeros((count, LENGTH), int)
    before = np.full(count, K)
    for t in range(LENGTH):
        cumulative = np.cumsum(np.exp(log_softmax(table[before])), axis=1)
        before = np.minimum((rng.random(count)[:, None] > cumulative).sum(axis=1), K - 1)
        sequences[:, t] = before
    return sequences


@pytest.fixture(scope="module")
def estimates():
    """Four hundred estimates of fifty sequences each, in one call."""
    sequences = draw(np.random.default_rng(2), P, 400 * 50).reshape(50, 400, LENGTH)
    pair = [jnp.asarray(along(t, sequences), FLOAT) for t in (P, Q)]
    return sequences, jax.jit(sequence_kl_divergence)(*pair), pair


def test_estimate_and_its_error(estimates):
    """Unbiased, with errors of the right size, and of less variance than the log-ratio of the drawn tokens."""
    sequences, estimate, _ = estimates
    log_p, log_q = by_hand(P), by_hand(Q)
    expected = np.sum(np.exp(log_p) * (log_p - log_q))
    z = (np.asarray(estimate.value) - expected) / np.asarray(estimate.stderr)
    assert estimate.value.shape == (400,)
    assert estimate.method == "monte_carlo"
    # Of 400 z-scores the mean is known to 0.05 and the spread to 0.035.
    assert abs(z.mean()) < 0.3
    assert 0.85 < z.std() < 1.2
    assert np.mean(estimate.diagnostics["reliable"]) > 0.99
    index = sequences @ K ** np.arange(LENGTH)[::-1]
    assert np.asarray(estimate.stderr).mean() < 0.8 * ((log_p - log_q)[index].std(axis=0, ddof=1) / 50**0.5).mean()


def test_estimate_by_hand(estimates):
    """The mean and the standard error of sums of token divergences, along another axis, in bits, with padding."""
    _, _, (p, q) = estimates
    keep = np.random.default_rng(3).random((3, 50, LENGTH)) < 0.7
    p, q = (jnp.swapaxes(z[:, :3], 0, 1) for z in (p, q))
    found = jax.jit(lambda p, q: sequence_kl_divergence(p, q, sample_axis=1, where=keep, base=2))(p, q)
    a, b = (log_softmax(np.asarray(z, np.float64)) for z in (p, q))
    sums = np.sum(np.where(keep, np.sum(np.exp(a) * (a - b), axis=-1), 0), axis=-1) / np.log(2)
    np.testing.assert_allclose(found.value, sums.mean(axis=1), rtol=50 * EPS)
    np.testing.assert_allclose(found.stderr, sums.std(axis=1, ddof=1) / 50**0.5, rtol=100 * EPS)
    squares = np.square(sums - sums.mean(axis=1, keepdims=True))
    np.testing.assert_allclose(
        found.diagnostics["largest_share"], squares.max(axis=1) / squares.sum(axis=1), rtol=1e3 * EPS
    )
    again = jax.jit(lambda p, q: sequence_kl_divergence(p, q, sample_axis=-3, where=keep, base=2))(p, q)
    np.testing.assert_array_equal(again.value, found.value)


def test_gradient_in_q(estimates):
    """That of the cross-entropy: the mean over sequences of q - p at every token."""
    _, _, (p, q) = estimates
    p, q = p[:, 0], q[:, 0]
    gradient = jax.jit(jax.grad(lambda z: sequence_kl_divergence(p, z).value))(q)
    expected = (np.exp(log_softmax(np.asarray(q, np.float64))) - np.exp(log_softmax(np.asarray(p, np.float64)))) / 50
    np.testing.assert_allclose(gradient, expected, atol=10 * EPS)


@once
def test_infinite_and_even():
    p, q = jnp.zeros((3, 2, 2), FLOAT), jnp.zeros((3, 2, 2), FLOAT)
    same = sequence_kl_divergence(p, q)
    assert same.value == 0
    assert same.stderr == 0
    assert bool(same.diagnostics["reliable"])
    outside = sequence_kl_divergence(p, q.at[1, 0, 0].set(-jnp.inf))
    assert outside.value == jnp.inf
    assert outside.stderr == jnp.inf
    assert not outside.diagnostics["reliable"]
    one = sequence_kl_divergence(p, q.at[1, 0, 0].set(5.0))
    assert one.value > 0
    np.testing.assert_allclose(one.diagnostics["largest_share"], 2 / 3, rtol=1e-5)
    assert not one.diagnostics["reliable"]
    half = sequence_kl_divergence(p.astype(jnp.bfloat16), q.astype(jnp.bfloat16))
    assert half.value.dtype == jnp.bfloat16


@once
def test_errors():
    p = jnp.zeros((4, 3, 2))
    for axis in (-1, -2, 2):
        with pytest.raises(ValueError, match="sample_axis must count at least two"):
            sequence_kl_divergence(p, p, sample_axis=axis)
    with pytest.raises(ValueError, match="sample_axis must count at least two"):
        sequence_kl_divergence(p[:1], p[:1])
    with pytest.raises(ValueError, match="base must be"):
        token_kl_divergence(p, p, base=1)
    with pytest.raises(ValueError, match="at least 2 axes"):
        token_kl_divergence(p[0, 0], p[0, 0])
    with pytest.raises(TypeError, match="tokens must be integers"):
        sequence_log_prob(jnp.zeros((4, 3)), p)
    with pytest.raises(ValueError, match="tokens of shape"):
        sequence_log_prob(jnp.zeros((4, 2), jnp.int32), p)
