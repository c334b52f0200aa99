"""On-policy gradients by enumeration of all sequences of three tokens out of three, token 0 ending them."""

import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxinfo import logits
from jaxinfo.objectives import on_policy_distillation_loss, sampled_distillation_loss
from tests.marks import once

FLOAT = jnp.float64 if jax.config.jax_enable_x64 else jnp.float32
EPS = float(jnp.finfo(FLOAT).eps)
MEASURES = {
    "forward": logits.kl_divergence,
    "total variation": logits.total_variation,
}

K, LENGTH = 3, 3
SEQUENCES = np.array(list(itertools.product(range(K), repeat=LENGTH)))
# What follows token 0 is padding.
KEEP = np.concatenate([np.ones((len(SEQUENCES), 1), bool), np.cumprod(SEQUENCES[:, :-1] != 0, axis=1) > 0], axis=1)
# Sequences that differ only in padding are one: the first of them.
ONCE = np.array(
    [
        all(s == 0 for s, keep in zip(row, mask, strict=True) if not keep)
        for row, mask in zip(SEQUENCES, KEEP, strict=True)
    ]
)
SEQUENCES, KEEP = SEQUENCES[ONCE], KEEP[ONCE]


def prefix_index(row, t):
    """The row of a table of all prefixes, by their length and their tokens."""
    return sum(K**i for i in range(t)) + sum(int(y) * K ** (t - 1 - i) for i, y in enumerate(row[:t]))


PREFIX = np.array([[prefix_index(row, t) for t in range(LENGTH)] for row in SEQUENCES])
TABLES = [np.random.default_rng(seed).normal(size=(1 + K + K**2, K)) * 1.5 for seed in (1, 2)]


def log_probs(table, temperature=1.0):
    """Of every sequence, by hand: `[S, T]`."""
    scaled = table / temperature
    log_p = scaled - jnp.log(jnp.sum(jnp.exp(scaled), axis=-1, keepdims=True))
    return jnp.where(KEEP, log_p[PREFIX, SEQUENCES], 0)


def exact_sequence_kl(p, q, temperature=1.0):
    log_p, log_q = (jnp.sum(log_probs(t, temperature), axis=1) for t in (p, q))
    return jnp.sum(jnp.exp(log_q) * (log_q - log_p))


def exact_blind_gradient(p, q):
    """Of the divergences of the tokens, enumerated over prefixes whose probabilities are held."""
    log_q = log_probs(q)
    reach = jnp.exp(jnp.cumsum(log_q, axis=1) - log_q) * jnp.exp(log_q)
    held = jax.lax.stop_gradient(reach)

    # Each kept position of each sequence stands for its prefix and token; later tokens sum to one, so count it once.
    first = np.zeros_like(KEEP)
    seen = set()
    for i, row in enumerate(SEQUENCES):
        for t in range(LENGTH):
            if KEEP[i, t] and (PREFIX[i, t], row[t]) not in seen:
                seen.add((PREFIX[i, t], row[t]))
                first[i, t] = True
    reach_of_prefix = jax.lax.stop_gradient(held / jnp.exp(log_q))
    ratio = log_q - log_probs(p)
    return jnp.sum(jnp.where(first, reach_of_prefix * jnp.exp(log_q) * ratio, 0))


def arrays():
    return [jnp.asarray(t, FLOAT) for t in TABLES]


def mean_over_sequences(loss, temperature=1.0):
    """The mean over everything the student may write, the probabilities held: what infinitely many draws give."""
    p, q = arrays()
    weights = jnp.exp(jnp.sum(log_probs(q, temperature), axis=1))

    def total(q):
        return jnp.sum(weights * jnp.sum(loss(p, q), axis=1))

    return jax.jit(jax.value_and_grad(total))(q)


def test_probabilities_of_all_sequences():
    assert len(SEQUENCES) == 1 + 2 * (1 + 2 * 3)
    for table in arrays():
        np.testing.assert_allclose(jnp.sum(jnp.exp(jnp.sum(log_probs(table), axis=1))), 1, rtol=10 * EPS)


@pytest.mark.parametrize(("baseline", "temperature"), [(0.0, 1.0), (0.7, 2.5)])
def test_on_policy_is_unbiased(baseline, temperature):
    """Value and gradient are those of the divergence of whole sequences, exactly, with padding and any baseline."""
    p, q = arrays()
    expected, slope = jax.jit(jax.value_and_grad(lambda q: exact_sequence_kl(p, q, temperature)))(q)

    def loss(p, q):
        return on_policy_distillation_loss(
            p[PREFIX], q[PREFIX], SEQUENCES, temperature=temperature, degree=0, baseline=baseline, where=KEEP
        )

    value, gradient = mean_over_sequences(loss, temperature)
    np.testing.assert_allclose(value, expected, rtol=50 * EPS)
    np.testing.assert_allclose(gradient, slope, rtol=1e3 * EPS, atol=100 * EPS)


@pytest.mark.parametrize("baseline", [0.0, 0.7])
def test_sampled_is_unbiased(baseline):
    p, q = arrays()
    expected, slope = jax.jit(jax.value_and_grad(lambda q: exact_sequence_kl(p, q)))(q)

    def loss(p, q):
        return sampled_distillation_loss(log_probs(p), log_probs(q), baseline=baseline, where=KEEP)

    value, gradient = mean_over_sequences(loss)
    np.testing.assert_allclose(value, expected, rtol=50 * EPS)
    np.testing.assert_allclose(gradient, slope, rtol=1e3 * EPS, atol=100 * EPS)


def test_without_credit_the_sequences_count_as_given():
    """Discount 0: the gradient of the sum over prefixes with their probabilities held, by both forms, and biased."""
    p, q = arrays()
    expected = jax.jit(jax.grad(lambda q: exact_blind_gradient(p, q)))(q)
    _, whole = mean_over_sequences(
        lambda p, q: on_policy_distillation_loss(p[PREFIX], q[PREFIX], SEQUENCES, discount=0.0, where=KEEP)
    )
    _, sampled = mean_over_sequences(
        lambda p, q: sampled_distillation_loss(log_probs(p), log_probs(q), discount=0.0, where=KEEP)
    )
    np.testing.assert_allclose(whole, expected, rtol=1e3 * EPS, atol=100 * EPS)
    np.testing.assert_allclose(sampled, expected, rtol=1e3 * EPS, atol=100 * EPS)
    unbiased = jax.jit(jax.grad(lambda q: exact_sequence_kl(p, q)))(q)
    assert np.abs(expected - unbiased).max() > 0.05


def test_discount_between():
    """Halves: a token's credit is 1/2 of the next divergence and 1/4 of the one after that, written out."""
    p, q = arrays()
    row = next(i for i, mask in enumerate(KEEP) if mask.all())
    z_p, z_q, y = p[PREFIX[row]], q[PREFIX[row]], SEQUENCES[row]
    gradient = jax.grad(lambda z: jnp.sum(on_policy_distillation_loss(z_p, z, y, discount=jnp.asarray(0.5, FLOAT))))(
        z_q
    )
    s, log_s, log_p = jax.nn.softmax(z_q), jax.nn.log_softmax(z_q), jax.nn.log_softmax(z_p)
    each = jnp.sum(s * (log_s - log_p), axis=-1)
    own = s * (log_s - log_p - each[:, None])
    credit = jnp.stack([each[1] / 2 + each[2] / 4, each[2] / 2, jnp.zeros((), FLOAT)])
    expected = own + credit[:, None] * (jax.nn.one_hot(y, K, dtype=FLOAT) - s)
    np.testing.assert_allclose(gradient, expected, rtol=200 * EPS, atol=20 * EPS)


@pytest.mark.parametrize("name", MEASURES)
def test_on_policy_of_any_divergence(name):
    """The gradient of the mean, over the student's sequences, of the sum of any divergence of the next tokens."""
    measure = MEASURES[name]
    p, q = arrays()

    @jax.jit
    def exact(q):
        weights = jnp.exp(jnp.sum(log_probs(q), axis=1))
        return jnp.sum(weights[:, None] * jnp.where(KEEP, measure(p[PREFIX], q[PREFIX]), 0))

    value, gradient = mean_over_sequences(
        lambda p, q: on_policy_distillation_loss(p[PREFIX], q[PREFIX], SEQUENCES, divergence=measure, where=KEEP)
    )
    expected, slope = jax.jit(jax.value_and_grad(exact))(q)
    np.testing.assert_allclose(value, expected, rtol=50 * EPS)
    np.testing.assert_allclose(gradient, slope, rtol=1e3 * EPS, atol=100 * EPS)


def test_less_variance_than_sampled():
    """Exact sums over the next token: the variance of value and gradient over what the student writes is less."""
    p, q = arrays()
    weights = jnp.exp(jnp.sum(log_probs(q), axis=1))

    def spread(loss):
        value, slopes = jax.jit(jax.vmap(jax.value_and_grad(loss, argnums=0), in_axes=(None, 0)))(
            q, jnp.arange(len(SEQUENCES))
        )
        means = [jnp.tensordot(weights, x, 1) for x in (value, slopes)]
        return [
            float(jnp.sum(jnp.tensordot(weights, jnp.square(x - m[None]), 1)))
            for x, m in zip((value, slopes), means, strict=True)
        ]

    def whole(q, i):
        at = jnp.asarray(PREFIX)[i]
        return jnp.sum(on_policy_distillation_loss(p[at], q[at], jnp.asarray(SEQUENCES)[i], where=jnp.asarray(KEEP)[i]))

    def sampled(q, i):
        return jnp.sum(sampled_distillation_loss(log_probs(p)[i], log_probs(q)[i], where=jnp.asarray(KEEP)[i]))

    for less, more in zip(spread(whole), spread(sampled), strict=True):
        assert less < 0.8 * more


def test_on_policy_with_what_cannot_be():
    """The teacher excludes what the student may write: infinite there, finite gradients, NaN only in NaN's row."""
    p, q = arrays()
    z_p, z_q = p[PREFIX].at[3, 1, 0].set(-jnp.inf), q[PREFIX]
    z_p = z_p.at[~KEEP].set(jnp.nan)
    loss = lambda z: on_policy_distillation_loss(z_p, z, np.where(KEEP, SEQUENCES, -100), where=KEEP)  # noqa: E731
    value = jax.jit(loss)(z_q)
    assert np.sum(np.isinf(value)) == 1
    assert np.isinf(value[3, 1])
    np.testing.assert_array_equal(value[~KEEP], 0)
    gradient = jax.jit(jax.grad(lambda z: jnp.sum(loss(z))))(z_q)
    assert np.all(np.isfinite(gradient))
    np.testing.assert_array_equal(gradient[~KEEP], 0)
    log_p = jnp.array([-1.0, -jnp.inf, jnp.nan], FLOAT)
    log_q = jnp.array([-1.5, -0.5, jnp.nan], FLOAT)
    keep = jnp.array([True, True, False])
    value = sampled_distillation_loss(log_p, log_q, where=keep)
    np.testing.assert_array_equal(value, [-0.5, np.inf, 0])
    gradient = jax.jit(jax.grad(lambda z: jnp.sum(sampled_distillation_loss(log_p, z, where=keep))))(log_q)
    np.testing.assert_allclose(gradient, [-0.5, 0, 0])
    assert math.isclose(float(gradient[0]), -0.5)


@once
def test_errors():
    p, q = jnp.zeros((2, 3)), jnp.zeros((2, 3))
    with pytest.raises(TypeError, match="tokens must be integers"):
        on_policy_distillation_loss(p, q, jnp.zeros(2))
    with pytest.raises(ValueError, match="discount must lie in"):
        on_policy_distillation_loss(p, q, jnp.zeros(2, jnp.int32), discount=1.5)
    with pytest.raises(ValueError, match="tokens of shape"):
        on_policy_distillation_loss(p, q, jnp.zeros(3, jnp.int32))
    with pytest.raises(ValueError, match="student_logits needs at least 2 axes"):
        on_policy_distillation_loss(p[0], q[0], jnp.zeros((), jnp.int32))
    with pytest.raises(ValueError, match="baseline of shape"):
        sampled_distillation_loss(p, q, baseline=jnp.zeros(2))
