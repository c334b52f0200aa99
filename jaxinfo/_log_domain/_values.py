"""The value of each measure of a row: the textbook formula, and the one that has all the digits."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax

from jaxinfo import _numerics
from jaxinfo._log_domain._rows import (
    Axes,
    adaptive,
    is_void,
    log_shifted_normalizer,
    masked_product,
    present,
    row_max,
    shifted_normalizer,
    total,
)
from jaxinfo._log_domain._softmax import centred, close_softmax_difference, log_marginal, softmax

SMALL = 0.25  # nats; below it the rounding of a log-softmax shows in the result


def _entropy_fast(axes: Axes, z: jax.Array) -> jax.Array:
    m, s = shifted_normalizer(z, axes)
    return jnp.log(s) - total(jnp.exp(z - m) * (z - m), axes) / s


def _entropy_accurate(axes: Axes, z: jax.Array) -> jax.Array:
    m, s = shifted_normalizer(z, axes)
    a = z - m
    return log_shifted_normalizer(z, m, axes) + total(masked_product(jnp.exp(a), -a, present(z)), axes) / s


def _cross_entropy_fast(axes: Axes, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    (m_p, s_p), (m_q, s_q) = shifted_normalizer(z_p, axes), shifted_normalizer(z_q, axes)
    return jnp.log(s_q) - total(jnp.exp(z_p - m_p) * (z_q - m_q), axes) / s_p


def _cross_entropy_accurate(axes: Axes, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    (m_p, s_p), m_q = shifted_normalizer(z_p, axes), row_max(z_q, axes)
    here = present(z_p)
    mean = total(masked_product(jnp.exp(z_p - m_p), m_q - z_q, here), axes) / s_p
    value = log_shifted_normalizer(z_q, m_q, axes) + mean
    # A finite logit is a positive probability, also where its exponential underflows.
    outside = jnp.any(here & ~present(z_q), axis=axes, keepdims=True)
    return jnp.where(is_void(m_p, m_q), jnp.nan, jnp.where(outside, jnp.inf, value))


def _probs_cross_entropy_fast(axes: Axes, p: jax.Array, z_q: jax.Array) -> jax.Array:
    m, s = shifted_normalizer(z_q, axes)
    root = jnp.sqrt(p)  # NaN for a negative probability
    return total(root * (root * (lax.optimization_barrier(jnp.log(s)) - (z_q - m))), axes)


def _probs_cross_entropy_accurate(axes: Axes, p: jax.Array, z_q: jax.Array) -> jax.Array:
    m = row_max(z_q, axes)
    surprisal = log_shifted_normalizer(z_q, m, axes) - (z_q - m)
    value = total(masked_product(jnp.sqrt(p), jnp.sqrt(p) * surprisal, p != 0), axes)
    return jnp.where(is_void(m), jnp.nan, value)


# Divergences


def _kl_fast(axes: Axes, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    (m_p, s_p), (m_q, s_q) = shifted_normalizer(z_p, axes), shifted_normalizer(z_q, axes)
    mean = total(jnp.exp(z_p - m_p) * ((z_q - m_q) - (z_p - m_p)), axes) / s_p
    return jnp.log(s_q / s_p) - mean


def _kl_accurate(axes: Axes, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    return _kl_from_difference(axes, z_p, z_q, z_q - z_p)


def _kl_from_difference(axes: Axes, z_p: jax.Array, z_q: jax.Array, apart: jax.Array) -> jax.Array:
    row = centred(axes, z_p, z_q, apart)
    (m_p, s_p), (m_q, s_q) = shifted_normalizer(z_p, axes), shifted_normalizer(z_q, axes)
    # exp(KL) overflows where KL is large; the difference of the normalisers is as good there.
    value = jnp.where(row["excess"] < 1e30, jnp.log1p(row["excess"]), jnp.log(s_q / s_p) - row["mean"])
    outside = jnp.any(present(z_p) & ~present(z_q), axis=axes, keepdims=True)
    return jnp.where(is_void(m_p, m_q), jnp.nan, jnp.where(outside, jnp.inf, value))


def _jeffreys_fast(axes: Axes, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    (m_p, s_p), (m_q, s_q) = shifted_normalizer(z_p, axes), shifted_normalizer(z_q, axes)
    apart = lax.optimization_barrier(jnp.log(s_q / s_p))
    one, other = lax.optimization_barrier((1 / s_p, 1 / s_q))
    p, q = jnp.exp(z_p - m_p) * one, jnp.exp(z_q - m_q) * other
    return total((p - q) * ((z_p - m_p) - (z_q - m_q) + apart), axes)


def _jeffreys_accurate(axes: Axes, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    return _kl_accurate(axes, z_p, z_q) + _kl_accurate(axes, z_q, z_p)


def _jensen_shannon_fast(axes: Axes, z_p: jax.Array, z_q: jax.Array, weight: jax.Array) -> jax.Array:
    (m_p, s_p), (m_q, s_q) = shifted_normalizer(z_p, axes), shifted_normalizer(z_q, axes)
    one, other = lax.optimization_barrier((1 / s_p, 1 / s_q))
    p, q = jnp.exp(z_p - m_p) * one, jnp.exp(z_q - m_q) * other
    return total(_numerics.jensen_shannon_terms(p, q, p - q, weight), axes)


def _jensen_shannon_accurate(axes: Axes, z_p: jax.Array, z_q: jax.Array, weight: jax.Array) -> jax.Array:
    p, q = softmax(axes, z_p), softmax(axes, z_q)
    value = total(_numerics.jensen_shannon_terms(p, q, close_softmax_difference(axes, z_p, z_q), weight), axes)
    return jnp.where(is_void(row_max(z_p, axes), row_max(z_q, axes)), jnp.nan, value)


def _probs_kl_fast(axes: Axes, p: jax.Array, z_q: jax.Array) -> jax.Array:
    m, s = shifted_normalizer(z_q, axes)
    log_s = lax.optimization_barrier(jnp.log(s))
    # 0 times the maximum is NaN for an empty row.
    return 1 + 0 * m + total(p * (jnp.log(p + _numerics.tiny(p)) - ((z_q - m) - log_s)) - p, axes)


def _probs_kl_accurate(axes: Axes, p: jax.Array, z_q: jax.Array) -> jax.Array:
    """`sum(p log(p/q) - p + q)`, the logarithm of q taken from its logits, so that a q that underflows is no zero."""
    m, s_q = shifted_normalizer(z_q, axes)
    a, seen = z_q - m, p != 0
    q = jnp.exp(a) / s_q  # has fewer roundings than exp(log q), and p - q shows them
    outside = seen & ~present(z_q)
    log_p = jnp.log(jnp.where(seen, p, jnp.ones_like(p)))
    ratio = jnp.where(seen & ~outside, log_p - (a - jnp.log(s_q)), jnp.zeros_like(p))
    difference = p - q
    s = difference / (p + q + _numerics.tiny(p))
    terms = _numerics.divergence_from_log_ratio(p, s, difference, ratio)
    value = total(jnp.where(outside, jnp.where(p > 0, jnp.inf, jnp.nan), terms), axes)
    return jnp.where(is_void(m), jnp.nan, value)


def _conditional_entropy_fast(axes: Axes, z: jax.Array) -> jax.Array:
    m, s = shifted_normalizer(z, axes)
    s_y = lax.optimization_barrier(jnp.log(total(jnp.exp(z - m), (-2,))))
    return total(jnp.exp(z - m) * (s_y - (z - m)), axes) / s


def _conditional_entropy_accurate(axes: Axes, z: jax.Array) -> jax.Array:
    """`sum_y p(y) H(X|y)`, every term at least 0."""
    m, rest, count = log_marginal((-2,), z)
    empty = m == -jnp.inf
    p_y = softmax(axes, m + rest + jnp.log(count))
    column = _entropy_accurate((-2,), jnp.where(empty, jnp.zeros_like(z), z))
    return jnp.where(jnp.all(empty, axis=axes, keepdims=True), jnp.nan, total(p_y * column, axes))


def from_independence(axes: Axes, z: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """The logits of `p(x,z) p(y,z) / p(z)`, their difference from those of `p(x,y,z)`, and the size of its terms.

    The difference is 0 exactly where X or Y has one value. A marginal that is masked throughout gives `-inf` and 0.
    """
    (x, y), here = axes[:2], present(z)
    (m_xz, xz, n_xz), (m_yz, yz, n_yz), (m, both, n) = (log_marginal(over, z) for over in ((y,), (x,), (x, y)))
    absent = (m_xz == -jnp.inf) | (m_yz == -jnp.inf)
    m_xz, m_yz, m = (jnp.where(x == -jnp.inf, jnp.zeros_like(x), x) for x in (m_xz, m_yz, m))
    # log(n_xz n_yz / n), exactly 0 where all logits are close and none is masked, as counts are exact.
    count = _numerics.log1p(jnp.where(absent, jnp.zeros_like(z), (n_xz * n_yz - n) / n))
    # Maxima apart from the rest: they are large, and often cancel.
    one, lost = _numerics.exact_sum(m_xz, -jnp.where(here, z, jnp.zeros_like(z)))
    other, lost_too = _numerics.exact_sum(m_yz, -m)
    maxima, last = _numerics.exact_sum(one, jnp.broadcast_to(other, z.shape))
    maxima, rest = maxima + (last + lost + lost_too), (xz + (yz - both)) + count
    apart = jnp.where(absent, jnp.zeros_like(z), jnp.where(here, maxima + rest, jnp.inf))
    size = jnp.abs(maxima) + jnp.abs(xz) + jnp.abs(yz) + jnp.abs(both) + jnp.abs(count)
    return jnp.where(absent, -jnp.inf, m_xz + (m_yz - m) + rest), apart, size


def _information_fast(axes: Axes, z: jax.Array) -> jax.Array:
    """I(X;Y|Z), X and Y on the first two axes."""
    x, y = axes[:2]
    m, s = shifted_normalizer(z, axes)
    s_xz, s_yz = total(jnp.exp(z - m), (y,)), total(jnp.exp(z - m), (x,))
    s_z = total(s_xz, (x,))
    log_xz, log_yz = lax.optimization_barrier((jnp.log(s_xz / s_z), jnp.log(s_yz)))
    return total(jnp.exp(z - m) * ((z - m) - log_xz - log_yz), axes) / s


def _information_accurate(axes: Axes, z: jax.Array) -> jax.Array:
    """KL(p(x,y,z) | p(x,z) p(y,z) / p(z))."""
    return _kl_from_difference(axes, z, *from_independence(axes, z)[:2])


entropy = adaptive(_entropy_fast, _entropy_accurate, SMALL)
cross_entropy = adaptive(_cross_entropy_fast, _cross_entropy_accurate, SMALL)
cross_entropy_from_probs = adaptive(_probs_cross_entropy_fast, _probs_cross_entropy_accurate, SMALL)
kl_divergence = adaptive(_kl_fast, _kl_accurate, SMALL)
conditional_entropy = adaptive(_conditional_entropy_fast, _conditional_entropy_accurate, SMALL)
information = adaptive(_information_fast, _information_accurate, SMALL)
kl_divergence_from_probs = adaptive(_probs_kl_fast, _probs_kl_accurate, SMALL)
jeffreys_divergence = adaptive(_jeffreys_fast, _jeffreys_accurate, SMALL)
jensen_shannon_divergence = adaptive(_jensen_shannon_fast, _jensen_shannon_accurate, SMALL / 2)
