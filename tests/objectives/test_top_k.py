"""Bounds held against all of the distribution, and against every vertex of what its tail can be."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxinfo import logits
from jaxinfo.objectives import distillation_loss, top_k_kl_divergence, top_k_kl_divergence_bounds, top_k_with_tail
from tests.marks import once

bounds_of = jax.jit(top_k_kl_divergence_bounds, static_argnames="base")
lower_of = jax.jit(top_k_kl_divergence, static_argnames="base")

FLOAT = jnp.float64 if jax.config.jax_enable_x64 else jnp.float32
EPS = float(jnp.finfo(FLOAT).eps)
LENGTH, TOP = 7, 3
RNG = np.random.default_rng(0)
Z_P, Z_Q = RNG.normal(size=(2, 40, LENGTH)) * 1.5


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def kl(p, q):
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.sum(np.where(p > 0, p * np.log(p / q), 0), axis=-1)


P, QS = softmax(Z_P), softmax(Z_Q)
INDEX = np.argsort(-P, axis=-1)[:, :TOP]
LOG_TOP = np.log(np.take_along_axis(P, INDEX, -1))


def arguments(dtype=FLOAT):
    return jnp.asarray(LOG_TOP, dtype), INDEX, jnp.asarray(Z_Q, dtype)


def coarse(p):
    known = np.take_along_axis(p, INDEX, -1)
    return np.concatenate([known, 1 - known.sum(axis=-1, keepdims=True)], -1)


def worst_tail(mass, most, q):
    """The greatest sum of p log(p/q) over all vertices of {0 <= p <= most, sum p = mass}: every order of filling up."""
    best = -np.inf
    for order in itertools.permutations(range(len(q))):
        left, value = mass, 0.0
        for i in order:
            part = min(left, most)
            left -= part
            value += part * np.log(part / q[i]) if part > 0 else 0.0
        best = max(best, value)
    return best


def test_bounds_hold_and_are_the_best():
    lower, upper = jax.jit(top_k_kl_divergence_bounds)(*arguments())
    whole, below = kl(P, QS), kl(coarse(P), coarse(QS))
    # What is left to one has lost the digits of the sum.
    np.testing.assert_allclose(lower, below, rtol=20 * EPS, atol=20 * EPS)
    np.testing.assert_allclose(lower_of(*arguments()), below, rtol=20 * EPS, atol=20 * EPS)
    assert np.all(lower <= whole + 20 * EPS)
    assert np.all(upper >= whole - 20 * EPS)
    for i in range(40):
        known = np.isin(np.arange(LENGTH), INDEX[i])
        top = np.sum(P[i, known] * np.log(P[i, known] / QS[i, known]))
        expected = top + worst_tail(P[i, ~known].sum(), P[i, known].min(), QS[i, ~known])
        np.testing.assert_allclose(upper[i], expected, rtol=50 * EPS, atol=50 * EPS)
    assert np.median(upper - lower) > 0.01


def test_lower_bound_is_reached_by_a_tail_of_the_same_shape():
    p = P.copy()
    for i in range(40):
        tail = ~np.isin(np.arange(LENGTH), INDEX[i])
        p[i, tail] = QS[i, tail] / QS[i, tail].sum() * P[i, tail].sum()
    np.testing.assert_allclose(lower_of(*arguments()), kl(p, QS), rtol=50 * EPS, atol=50 * EPS)


def test_with_tail():
    measures = logits.jensen_shannon_divergence, logits.total_variation, logits.kl_divergence

    @jax.jit
    def both(log_p, z_p, z_q):
        p, q = top_k_with_tail(log_p, INDEX, z_q)
        return p, q, [(distillation_loss(p, q, divergence=m), m(z_p, z_q)) for m in measures]

    p, q, pairs = both(arguments()[0], jnp.asarray(Z_P, FLOAT), jnp.asarray(Z_Q, FLOAT))
    np.testing.assert_allclose(np.exp(p), coarse(P), rtol=20 * EPS, atol=5 * EPS)
    np.testing.assert_allclose(softmax(np.asarray(q)), coarse(QS), rtol=50 * EPS)
    # Data processing, for others than KL, and inside the loss.
    for bound, whole in pairs:
        assert np.all(bound <= whole + 20 * EPS)
        assert np.mean(bound < whole - 1e-3) > 0.4
    np.testing.assert_allclose(pairs[-1][0], kl(coarse(P), coarse(QS)), rtol=50 * EPS, atol=20 * EPS)


def test_gradient():
    """q less p over the known, and within the tail in proportion to q."""
    log_p, index, z = arguments()

    @jax.jit
    def slopes(log_p, z):
        bounds = [lambda x, z, i=i: jnp.sum(top_k_kl_divergence_bounds(x, index, z)[i]) for i in (0, 1)]
        return *jax.grad(bounds[0], argnums=(0, 1))(log_p, z), jax.grad(bounds[1], argnums=1)(log_p, z)

    in_p, gradient, of_bound = slopes(log_p, z)
    target = np.zeros_like(P)
    for i in range(40):
        known = np.isin(np.arange(LENGTH), INDEX[i])
        target[i] = np.where(known, P[i], QS[i] / QS[i, ~known].sum() * P[i, ~known].sum())
    np.testing.assert_allclose(gradient, QS - target, atol=30 * EPS)
    # Of KL from a distribution: it sums to zero, and the known outcomes are pulled as before.
    np.testing.assert_allclose(np.sum(of_bound, axis=-1), 0, atol=50 * EPS)
    at = np.take_along_axis(np.asarray(of_bound), INDEX, -1)
    np.testing.assert_allclose(at, np.take_along_axis(QS - P, INDEX, -1), atol=50 * EPS)
    # What a known outcome gains, the tail loses.
    ratio = np.log(coarse(P) / coarse(QS))
    np.testing.assert_allclose(
        in_p, coarse(P)[:, :-1] * (ratio[:, :-1] - ratio[:, -1:]), rtol=1e3 * EPS, atol=100 * EPS
    )


def test_everything_known():
    """k = K, or a tail that is a rounding: exactly the divergence, and both bounds agree."""
    order = np.argsort(-P, axis=-1)
    log_p = jnp.asarray(np.log(np.take_along_axis(P, order, -1)), FLOAT)
    for bound in bounds_of(log_p, order, jnp.asarray(Z_Q, FLOAT)):
        np.testing.assert_allclose(bound, kl(P, QS), rtol=20 * EPS, atol=10 * EPS)
    # 1/3 three times is 1 but for a rounding; q has nothing left for a tail.
    third = jnp.log(jnp.full(3, 1 / 3, FLOAT))
    z = jnp.asarray([0.0, 0.0, 0.0, -jnp.inf], FLOAT)
    for bound in bounds_of(third, jnp.arange(3), z):
        np.testing.assert_allclose(bound, 0, atol=10 * EPS)
    gradient = jax.grad(lambda z: bounds_of(third, jnp.arange(3), z)[1])(z)
    np.testing.assert_allclose(gradient, 0, atol=10 * EPS)


@once
def test_what_q_excludes():
    top, tokens = jnp.log(jnp.array([0.5, 0.25], FLOAT)), jnp.array([2, 0])
    lower, upper = bounds_of(top, tokens, jnp.array([0.0, -jnp.inf, 0.0, 0.0], FLOAT))
    assert np.isfinite(lower)
    assert upper == jnp.inf
    gradient_of_sum = jax.jit(jax.grad(lambda z: sum(bounds_of(top, tokens, z))))
    for z in ([0.0, 0.0, -jnp.inf, 0.0], [0.0, -jnp.inf, 0.0, -jnp.inf]):
        bounds = bounds_of(top, tokens, jnp.array(z, FLOAT))
        np.testing.assert_array_equal(bounds, jnp.inf)
        gradients = gradient_of_sum(jnp.array(z, FLOAT))
        assert np.all(np.isfinite(gradients))


@once
def test_what_is_no_distribution():
    z = jnp.zeros(4, FLOAT)
    assert jnp.isnan(lower_of(jnp.log(jnp.array([0.9, 0.2], FLOAT)), jnp.array([0, 1]), z))
    assert jnp.isnan(lower_of(jnp.log(jnp.array([0.5, 0.2], FLOAT)), jnp.array([0, 4]), z))
    assert jnp.isnan(lower_of(jnp.log(jnp.array([0.5, 0.2], FLOAT)), jnp.array([0, -1]), z))
    # Two of four outcomes with 0.1 each cannot be the likeliest.
    lower, upper = bounds_of(jnp.log(jnp.array([0.1, 0.1], FLOAT)), jnp.array([0, 1]), z)
    assert np.isfinite(lower)
    assert np.isnan(upper)
    # The even distribution can, with nothing to spare.
    lower, upper = bounds_of(jnp.log(jnp.full(3, 0.1, FLOAT)), jnp.arange(3), jnp.zeros(10, FLOAT))
    np.testing.assert_allclose([lower, upper], 0, atol=20 * EPS)


@once
def test_padding():
    log_p, index, z = arguments()
    keep = np.arange(40) % 3 > 0
    spoiled = (
        jnp.where(keep[:, None], log_p, jnp.nan),
        np.where(keep[:, None], index, -100),
        jnp.where(keep[:, None], z, jnp.inf),
    )

    def both(a, b, tokens, keep=None):
        value = sum(top_k_kl_divergence_bounds(a, tokens, b, where=keep, base=2))
        return jnp.sum(value), value

    _, expected = jax.jit(both)(log_p, z, index)
    gradients, found = jax.jit(jax.grad(both, argnums=(0, 1), has_aux=True))(spoiled[0], spoiled[2], spoiled[1], keep)
    np.testing.assert_allclose(found, np.where(keep, expected, 0), rtol=10 * EPS)
    for gradient in gradients:
        assert np.all(np.isfinite(gradient))
        np.testing.assert_array_equal(gradient[~keep], 0)
    p, q = jax.jit(top_k_with_tail)(*spoiled, where=keep)
    np.testing.assert_array_equal(p[~keep], 0)
    np.testing.assert_array_equal(q[~keep], 0)


@once
def test_half_precision_and_broadcasting():
    log_p, index, z = arguments(jnp.bfloat16)
    value = lower_of(log_p, index, z)
    assert value.dtype == jnp.bfloat16
    np.testing.assert_allclose(value.astype(jnp.float32), kl(coarse(P), coarse(QS)), rtol=0.1, atol=0.06)
    log_p, index, z = arguments()
    assert lower_of(log_p[0], index[0], z).shape == (40,)
    assert lower_of(log_p[:, None], index[:, None], z[None]).shape == (40, 40)


@once
def test_errors():
    log_p, index, z = arguments()
    with pytest.raises(ValueError, match="k must be between 1 and the number of outcomes 2, got 3"):
        top_k_kl_divergence(log_p, index, z[:, :2])
    with pytest.raises(TypeError, match="tokens must be integers"):
        top_k_kl_divergence_bounds(log_p, log_p, z)
    with pytest.raises(ValueError, match="batch axes do not broadcast"):
        top_k_with_tail(log_p, index, z[:3])
    with pytest.raises(ValueError, match="tokens of shape"):
        top_k_with_tail(log_p, index[:, :2], z)
    with pytest.raises(TypeError, match="p_log_probs must hold real"):
        top_k_with_tail(log_p.astype(jnp.complex64), index, z)


def test_small_integers_name_tokens_of_large_vocabularies():
    log_probs = jnp.log(jnp.array([0.5, 0.25]))
    bounds = [
        top_k_kl_divergence_bounds(log_probs, jnp.array([3, 1], dtype), jnp.zeros(300))
        for dtype in (jnp.int8, jnp.int32)
    ]
    np.testing.assert_array_equal(*map(jnp.stack, bounds))
