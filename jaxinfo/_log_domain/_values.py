"""The value of each measure of a row: the textbook formula, and the one that has all the digits."""

from __future__ import annotations

import functools
import math

import jax
import jax.numpy as jnp

from jaxinfo import _numerics
from jaxinfo._log_domain._information import close_information, information_and_mass, is_close
from jaxinfo._log_domain._rows import (
    Axes,
    Variables,
    accurate_plus_log_normalizer,
    adaptive,
    each,
    floored,
    fusible_normalizer,
    fusible_softmax,
    highest,
    is_outside,
    joined,
    mended,
    plus_log_normalizer,
    row_max,
    selective,
    shifted_normalizer,
    total,
)
from jaxinfo._log_domain._softmax import centred, softmax, softmaxes_and_log_ratio

SMALL = 0.25  # nats; below it the rounding of a log-softmax shows in the result


def _one_of(z: jax.Array, axes: Axes) -> float:
    """1 over the number of outcomes of a row."""
    return 1 / math.prod(z.shape[a] for a in axes)


def _entropy_fast(axes: Axes, z: jax.Array) -> jax.Array:
    """`log s - sum(p a)`: the logarithm spread over the row, where rounding of p does not touch it."""
    m, s = fusible_normalizer(z, axes)
    return total((jnp.exp(z - m) * (1 / s)) * (m - z) + jnp.log(s) * _one_of(z, axes), axes)


def _entropy_parts(axes: Axes, z: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """`-sum(p a)` with `a = z - max`, the maximum and `sum exp(a)`."""
    m, s = shifted_normalizer(z, axes)
    return total(jnp.exp(z - m) * jnp.minimum(m - z, highest(z)), axes) / s, m, s


def _entropy_accurate(axes: Axes, z: jax.Array) -> jax.Array:
    mean, m, s = _entropy_parts(axes, z)
    return accurate_plus_log_normalizer(axes, mean, z, m, s)


_entropy_of_wide = adaptive(_entropy_fast, _entropy_accurate, SMALL)


def entropy(axes: Axes, z: jax.Array) -> jax.Array:
    """Among many narrow rows some are nearly sure: those are cheapest mended in the logarithm alone."""
    if math.prod(z.shape[a] for a in axes) >= 1024:
        return _entropy_of_wide(axes, z)
    mean, m, s = _entropy_parts(axes, z)
    return plus_log_normalizer(axes, mean, z, m, s)


def _cross_entropy_fast(axes: Axes, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    (m_p, s_p), (m_q, s_q) = fusible_normalizer(z_p, axes), fusible_normalizer(z_q, axes)
    return total((jnp.exp(z_p - m_p) * (1 / s_p)) * (m_q - z_q) + jnp.log(s_q) * _one_of(z_q, axes), axes)


def _cross_entropy_accurate(axes: Axes, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    """`log s_q + sum(p (max z_q - z_q))`."""
    (m_p, s_p), (m_q, s_q) = shifted_normalizer(z_p, axes), shifted_normalizer(z_q, axes)
    mean = total(jnp.exp(z_p - m_p) * jnp.minimum(m_q - z_q, highest(z_q)), axes) / s_p
    mean = jnp.where(is_outside(z_p, z_q, axes), jnp.inf, mean)
    return accurate_plus_log_normalizer(axes, mean, z_q, m_q, s_q)


def _mask_factor(a: jax.Array, part: int) -> jax.Array:
    """1, but at a mask that was floored a huge number: times another one and any p > 0 it is infinite."""
    return 1 + jnp.square(a * (part * 2.0 ** -(jnp.finfo(a.dtype).maxexp // 2)))


def _probs_cross_entropy_fast(axes: Axes, p: jax.Array, z_q: jax.Array) -> jax.Array:
    m, s = fusible_normalizer(z_q, axes)
    root = jnp.sqrt(p)  # NaN for a negative probability
    return total(root * (root * (jnp.log(s) - (z_q - m))), axes)


def _probs_cross_entropy_accurate(axes: Axes, p: jax.Array, z_q: jax.Array) -> jax.Array:
    """`sum(p (log s_q - (z_q - max)))`, `inf` where q is masked and p is not 0."""
    m, s = shifted_normalizer(z_q, axes)
    log_s = accurate_plus_log_normalizer(axes, jnp.zeros_like(m), z_q, m, s)
    root, a = jnp.sqrt(p), floored(z_q - m, 2)
    return total((root * (root * (log_s - a))) * _mask_factor(a, 2), axes)


# Divergences


def _kl_fast(axes: Axes, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    """`sum(p log(p/q))`."""
    (m_p, s_p), (m_q, s_q) = fusible_normalizer(z_p, axes), fusible_normalizer(z_q, axes)
    p = jnp.exp(z_p - m_p) * (1 / s_p)
    return total(p * (((z_p - m_p) - (z_q - m_q)) + jnp.log(s_q / s_p)), axes)


def _kl_accurate(axes: Axes, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    row = centred(axes, z_p, z_q)
    value = row.log_ratio - row.mean
    value = jnp.where(row.excess < 1e30, jnp.log1p(row.excess), value)
    outside = is_outside(z_p, z_q, axes) & ~jnp.isnan(row.log_ratio)
    return jnp.where(outside, jnp.inf, value)


def _kl_of_columns(axes: Axes, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    """`_kl_accurate` of rows of a few outcomes without masks, each outcome taken of many rows at once.

    The minima and maxima change nothing: what XLA on a CPU finds costly, as an exponential, and used twice it writes
    out as a table, but not if they are in between.
    """
    del axes
    p_columns, q_columns = ([z[..., i] for i in range(z.shape[-1])] for z in (z_p, z_q))
    m_p, m_q = (functools.reduce(jnp.maximum, columns) for columns in (p_columns, q_columns))
    weights = [jnp.minimum(jnp.exp(a - m_p), 1) for a in p_columns]
    inverse = jnp.minimum(1 / functools.reduce(jnp.add, weights), 1)
    changes = [(b - a) - (m_q - m_p) for a, b in zip(p_columns, q_columns, strict=True)]
    mean = functools.reduce(jnp.add, map(jnp.multiply, weights, changes)) * inverse
    excess = jnp.zeros_like(mean)
    for weight, change, b in zip(weights, changes, q_columns, strict=True):
        p, r = weight * inverse, jnp.exp((b - m_q) - mean) * inverse
        s = jnp.maximum(jnp.tanh(0.5 * (mean - change)), -1)
        excess = excess + _numerics.divergence_from_log_ratio(p, s, s * (p + r), mean - change)
    return jnp.log1p(excess)[..., None]


def _jeffreys_fast(axes: Axes, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    """`sum((p - q) log(p/q))`."""
    (m_p, s_p), (m_q, s_q) = fusible_normalizer(z_p, axes), fusible_normalizer(z_q, axes)
    p, q = jnp.exp(z_p - m_p) * (1 / s_p), jnp.exp(z_q - m_q) * (1 / s_q)
    return total((p - q) * (((z_p - m_p) - (z_q - m_q)) + jnp.log(s_q / s_p)), axes)


def _jeffreys_accurate(axes: Axes, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    """`sum((p + q) tanh(d/2) d)` with `d = log(p/q)`."""
    p, q, d = softmaxes_and_log_ratio(axes, z_p, z_q)
    value = total((p + q) * jnp.tanh(0.5 * d) * d, axes)
    outside = is_outside(z_p, z_q, axes) | is_outside(z_q, z_p, axes)
    return jnp.where(outside & ~jnp.isnan(value), jnp.inf, value)


def jensen_shannon_fast(axes: Axes, z_p: jax.Array, z_q: jax.Array, weight: jax.Array) -> jax.Array:
    p, q = fusible_softmax(z_p, axes), fusible_softmax(z_q, axes)
    return total(_numerics.jensen_shannon_terms(p, q, p - q, weight), axes)


def _jensen_shannon_accurate(axes: Axes, z_p: jax.Array, z_q: jax.Array, weight: jax.Array) -> jax.Array:
    p, q, d = softmaxes_and_log_ratio(axes, z_p, z_q)
    return total(_numerics.jensen_shannon_terms(p, q, (p + q) * jnp.tanh(0.5 * d), weight), axes)


def _probs_kl_fast(axes: Axes, p: jax.Array, z_q: jax.Array) -> jax.Array:
    m, s = fusible_normalizer(z_q, axes)
    terms = p * (jnp.log(p + _numerics.tiny(p)) - ((z_q - m) - (jnp.log(s) - 1)))
    return 1 + total(terms, axes)


def _probs_kl_accurate(axes: Axes, p: jax.Array, z_q: jax.Array) -> jax.Array:
    """`sum(p log(p/q) - p + q)`, the logarithm of q taken from its logits, so that a q that underflows is no zero."""
    m, s_q = shifted_normalizer(z_q, axes)
    a = floored(z_q - m, 16)  # the terms grow to four times that, and must stay finite
    q = jnp.exp(a) * (1 / s_q)  # has fewer roundings than exp(log q), and p - q shows them
    difference = p - q
    s = difference / (p + q + _numerics.tiny(p))
    ratio = jnp.log(p + _numerics.tiny(p)) - (a - jnp.log(s_q))
    terms = _numerics.divergence_from_log_ratio(p, s, difference, ratio)
    return total(terms * _mask_factor(a, 16), axes)


def conditional_entropy(variables: Variables, z: jax.Array) -> jax.Array:
    """`sum_y p(y) H(X|y)`, every term at least 0. A y that is masked throughout adds nothing."""
    x, axes = each(variables)[0], joined(variables)
    m, s = row_max(z, x), shifted_normalizer(z, x)[1]
    empty = m == -jnp.inf
    weight = jnp.where(empty, -jnp.inf, (m - row_max(m, axes)) + jnp.log(s))
    column = jnp.where(empty, jnp.zeros_like(m), _entropy_accurate(x, z))
    return total(softmax(axes, weight) * column, axes)


def _information_far(variables: Variables, z: jax.Array) -> jax.Array:
    """Of the exponentials: an outcome whose exponential underflows has no information that does not."""
    value, mass = information_and_mass(variables, lambda m: jnp.exp(z - m), row_max(z, joined(variables)))
    return value / mass


def _information_close(variables: Variables, close: jax.Array, z: jax.Array) -> jax.Array:
    return jnp.where(close, close_information(variables, z), _information_far(variables, z))


_information = selective(_information_far, _information_close)


def information(variables: Variables, z: jax.Array) -> jax.Array:
    """I(X;Y|Z), X and Y the first two variables."""
    return _information(variables, is_close(joined(variables), z), z)


cross_entropy = adaptive(_cross_entropy_fast, _cross_entropy_accurate, SMALL)
kl_divergence = adaptive(_kl_fast, _kl_accurate, SMALL)
# Beyond so many nats the excess may overflow, and with a mask it is NaN.
kl_divergence_of_few = mended(_kl_of_columns, _kl_accurate, lambda value: value < 60)
cross_entropy_from_probs = adaptive(_probs_cross_entropy_fast, _probs_cross_entropy_accurate, SMALL)
kl_divergence_from_probs = adaptive(_probs_kl_fast, _probs_kl_accurate, SMALL)
jeffreys_divergence = adaptive(_jeffreys_fast, _jeffreys_accurate, SMALL)
# Its largest value is log 2, and its terms are summed from differences of probabilities: they last longer.
jensen_shannon_divergence = adaptive(jensen_shannon_fast, _jensen_shannon_accurate, SMALL / 16)
