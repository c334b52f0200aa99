"""The same values and gradients as with all logits at once, and the memory of a block."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxinfo.objectives import large_vocabulary_cross_entropy_loss, large_vocabulary_distillation_loss
from tests.marks import once

FLOAT = jnp.float64 if jax.config.jax_enable_x64 else jnp.float32
EPS = float(jnp.finfo(FLOAT).eps)
RNG = np.random.default_rng(0)
K = 11
H_P, H_Q = (jnp.asarray(RNG.normal(size=(2, 5, d)), FLOAT) for d in (4, 3))
E_P, E_Q = (jnp.asarray(RNG.normal(size=(K, d)), FLOAT) for d in (4, 3))
B_P, B_Q = jnp.asarray(RNG.normal(size=(2, K)), FLOAT)
LABELS = RNG.integers(0, K, (2, 5))
KEEP = RNG.random((2, 5)) < 0.7
# One that does not divide the ten tokens, and one beyond them.
SIZES = (3, 64)


def log_softmax(h, e, b, temperature=1.0):
    z = (jnp.sum(h[..., None, :] * e[None, None], axis=-1) + b[None, None]) / temperature
    return z - jax.nn.logsumexp(z, axis=-1, keepdims=True)


@pytest.mark.parametrize("size", SIZES)
def test_cross_entropy(size):
    """Against the definition, in value and in the gradient of every factor; NaN in padding spoils nothing."""

    def expected(h, e, b):
        value = -jnp.take_along_axis(log_softmax(h, e, b), LABELS[..., None], -1)[..., 0]
        return jnp.sum(jnp.where(KEEP, value, 0) ** 2), jnp.where(KEEP, value, 0)

    def found(h, e, b):
        labels = np.where(KEEP, LABELS, -100)
        value = large_vocabulary_cross_entropy_loss(labels, h, e, bias=b, block_size=size, where=KEEP)
        return jnp.sum(value**2), value

    compared(expected, found, (H_Q, E_Q, B_Q), (jnp.where(KEEP[..., None], H_Q, jnp.nan), E_Q, B_Q))


@pytest.mark.parametrize("size", SIZES)
def test_distillation(size):
    def expected(h_p, e_p, h_q, e_q, b):
        log_p, log_q = log_softmax(h_p, e_p, 0 * b, 2.0), log_softmax(h_q, e_q, b, 2.0)
        value = jnp.where(KEEP, 4 * jnp.sum(jnp.exp(log_p) * (log_p - log_q), axis=-1), 0)
        return jnp.sum(value**2), value

    def found(h_p, e_p, h_q, e_q, b):
        value = large_vocabulary_distillation_loss(
            h_p, e_p, h_q, e_q, student_bias=b, temperature=2.0, block_size=size, where=KEEP
        )
        return jnp.sum(value**2), value

    spoiled = [jnp.where(KEEP[..., None], h, jnp.inf) for h in (H_P, H_Q)]
    compared(expected, found, (H_P, E_P, H_Q, E_Q, B_Q), (spoiled[0], E_P, spoiled[1], E_Q, B_Q))


def compared(expected, found, arguments, spoiled):
    every = tuple(range(len(arguments)))
    slopes, value = jax.jit(jax.grad(expected, argnums=every, has_aux=True))(*arguments)
    ours, mine = jax.jit(jax.grad(found, argnums=every, has_aux=True))(*spoiled)
    np.testing.assert_allclose(mine, value, rtol=200 * EPS, atol=20 * EPS)
    np.testing.assert_array_equal(mine[~KEEP], 0)
    for slope, our in zip(slopes, ours, strict=True):
        np.testing.assert_allclose(our, slope, rtol=1e3 * EPS, atol=500 * EPS)


@once
def test_logits_of_all_tokens_are_never_there():
    """Forward and gradient need less than half of one table of them."""
    tokens, width, size = 4096, 8, 2048
    h, e = jnp.zeros((tokens, width), jnp.float32), jnp.zeros((size, width), jnp.float32)

    def loss(h, e):
        labels = jnp.zeros(tokens, jnp.int32)
        one = large_vocabulary_cross_entropy_loss(labels, h, e, block_size=64)
        return jnp.sum(one + large_vocabulary_distillation_loss(h, e, h + 1, e, block_size=64))

    memory = jax.jit(jax.grad(loss, argnums=(0, 1))).lower(h, e).compile().memory_analysis()
    assert memory.temp_size_in_bytes < 0.5 * tokens * size * 4


@once
def test_half_precision():
    half = [x.astype(jnp.bfloat16) for x in (H_P, E_P, H_Q, E_Q)]
    value = large_vocabulary_distillation_loss(*half, block_size=4)
    assert value.dtype == jnp.bfloat16
    exact = large_vocabulary_distillation_loss(*(x.astype(jnp.float32) for x in half))
    np.testing.assert_allclose(value.astype(jnp.float32), exact, rtol=0.01)


@once
def test_errors():
    with pytest.raises(ValueError, match="block_size must be a positive integer, got 0"):
        large_vocabulary_cross_entropy_loss(LABELS, H_P, E_P, block_size=0)
    with pytest.raises(ValueError, match=r"hidden \[..., D\], embedding"):
        large_vocabulary_cross_entropy_loss(LABELS, H_P, E_Q)
    with pytest.raises(ValueError, match=r"teacher_bias \[K\] do not fit"):
        large_vocabulary_distillation_loss(H_P, E_P, H_Q, E_Q, teacher_bias=jnp.zeros(3))
    with pytest.raises(ValueError, match="need the same tokens and outcomes"):
        large_vocabulary_distillation_loss(H_P, E_P, H_Q[:1], E_Q)
    with pytest.raises(ValueError, match="need the same tokens and outcomes"):
        large_vocabulary_distillation_loss(H_P, E_P, H_Q, E_Q[:3])
    with pytest.raises(ValueError, match="temperature must be a scalar"):
        large_vocabulary_distillation_loss(H_P, E_P, H_Q, E_Q, temperature=jnp.ones(5))
    with pytest.raises(TypeError, match="tokens must be integers"):
        large_vocabulary_cross_entropy_loss(H_P[..., 0], H_P, E_P)
