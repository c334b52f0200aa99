"""Softmaxes, their logarithm and difference, and deviations from a mean: what derivatives of measures are made of.

Each has a derivative of its own, finite for every row, so that the measures have second derivatives.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxinfo import _numerics
from jaxinfo._log_domain._rows import (
    Axes,
    again,
    change,
    floored,
    fusible_normalizer,
    plus_log_normalizer,
    present,
    row_max,
    selective,
    shifted_normalizer,
    total,
)


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def softmax(axes: Axes, z: jax.Array) -> jax.Array:
    """`exp(z) / sum exp(z)`: a table, so its exponentials are computed once and stay."""
    e = jnp.exp(z - row_max(z, axes))
    return e * (1 / total(e, axes))


@softmax.defjvp
def _softmax_jvp(axes: Axes, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (z,), (dz,) = primals, tangents
    p = softmax(axes, z)
    return p, p * (dz - change(p * dz, axes))


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def surprisal(axes: Axes, z: jax.Array) -> jax.Array:
    """`-log softmax(z)`; that of the likely outcome keeps its digits."""
    m, s = map(_numerics.fence, fusible_normalizer(z, axes))
    return plus_log_normalizer(axes, jnp.zeros_like(m), z, m, s) - (z - m)


@surprisal.defjvp
def _surprisal_jvp(axes: Axes, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (z,), (dz,) = primals, tangents
    return surprisal(axes, z), change(softmax(axes, z) * dz, axes) - dz


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def surprisal_slope(axes: Axes, z: jax.Array) -> jax.Array:
    """`-log softmax(z)` as a slope, where the rounding of the normaliser does not matter."""
    m, s = shifted_normalizer(z, axes)
    return jnp.log(s) - (z - m)


@surprisal_slope.defjvp
def _surprisal_slope_jvp(axes: Axes, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (z,), (dz,) = primals, tangents
    return surprisal_slope(axes, z), change(softmax(axes, z) * dz, axes) - dz


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def log_sum_exp(axes: Axes, z: jax.Array) -> jax.Array:
    """`log sum exp(z)` as part of a slope; 0 with derivative 0 for a row of only `-inf`."""
    empty = row_max(z, axes) == -jnp.inf
    m, s = shifted_normalizer(jnp.where(empty, jnp.zeros_like(z), z), axes)
    return jnp.where(empty, jnp.zeros_like(m), m + jnp.log(s))


@log_sum_exp.defjvp
def _log_sum_exp_jvp(axes: Axes, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (z,), (dz,) = primals, tangents
    held = jnp.where(row_max(z, axes) == -jnp.inf, jnp.zeros_like(z), z)
    share = jnp.where(present(z), softmax(axes, held), jnp.zeros_like(z))
    return log_sum_exp(axes, z), change(share * dz, axes)


class Centred(NamedTuple):
    """What KL(p|q) is made of, one number a row; see `centred`."""

    excess: jax.Array
    mean: jax.Array
    log_ratio: jax.Array


def centred(axes: Axes, z_p: jax.Array, z_q: jax.Array) -> Centred:
    """With `e = (z_q - z_p) - (max z_q - max z_p)`, its mean under p, and `c = e - mean`.

    `log sum(p exp(c)) = KL(p|q)` because `sum(p c) = 0`; so KL is `log1p` of the excess `sum(p (expm1(c) - c))`, every
    term of it at least 0. The difference of the logits is taken before anything else is subtracted: it is exact where
    they are close. Mass that q has where p has none joins through `exp(z_q)`.
    """
    (m_p, s_p), (m_q, s_q) = shifted_normalizer(z_p, axes), shifted_normalizer(z_q, axes)
    mean = total(jnp.exp(z_p - m_p) * ((floored(z_q) - floored(z_p)) - (m_q - m_p)), axes) / s_p
    m_p, m_q = again(m_p, mean), again(m_q, mean)
    c = ((m_p - m_q) - (floored(z_p, 5) - floored(z_q, 5))) - mean
    p, r = jnp.exp(z_p - m_p) * (1 / s_p), jnp.exp((z_q - m_q) - mean) * (1 / s_p)  # p and p exp(c)
    s = jnp.tanh(-0.5 * c)
    excess = total(_numerics.divergence_from_log_ratio(p, s, s * (p + r), -c), axes)
    return Centred(excess, mean, jnp.log(s_q / s_p))


def _shift_fast(axes: Axes, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    (_, s_p), (_, s_q) = shifted_normalizer(z_p, axes), shifted_normalizer(z_q, axes)
    return jnp.log(s_q / s_p)


def _shift_close(axes: Axes, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    row = centred(axes, z_p, z_q)
    return jnp.where(row.excess < 1, row.mean + _numerics.log1p(row.excess), row.log_ratio)


def _shift_accurate(axes: Axes, close: jax.Array, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    return jnp.where(close, _shift_close(axes, z_p, z_q), _shift_fast(axes, z_p, z_q))


# log(q/p) = (z_q - max) - (z_p - max) - shift.
_shift = selective(_shift_fast, _shift_accurate)


def _difference(axes: Axes, z_p: jax.Array, z_q: jax.Array, shift: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """p, q and `log(p/q)`, finite also where one is masked."""
    (m_p, s_p), (m_q, s_q) = shifted_normalizer(z_p, axes), shifted_normalizer(z_q, axes)
    m_p, m_q = again(m_p, shift), again(m_q, shift)
    p, q = jnp.exp(z_p - m_p) * (1 / s_p), jnp.exp(z_q - m_q) * (1 / s_q)
    return p, q, (floored(z_p, 6) - floored(z_q, 6)) + (m_q - m_p + shift)


def larger_and_log_ratio(axes: Axes, z_p: jax.Array, z_q: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """`log max(p, q)` but for a normaliser, `log(p/q)` with the digits of close logits, and the normaliser."""
    shift = _shift_close(axes, z_p, z_q)
    (m_p, s_p), (m_q, s_q) = shifted_normalizer(z_p, axes), shifted_normalizer(z_q, axes)
    m_p, m_q = again(m_p, shift), again(m_q, shift)
    larger = jnp.maximum(z_p - m_p, (z_q - m_q) - jnp.log(s_q / s_p))
    return larger, ((floored(z_p, 6) - floored(z_q, 6)) + (m_q - m_p)) + shift, s_p


def softmaxes_and_log_ratio(axes: Axes, z_p: jax.Array, z_q: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """p, q and `log(p/q)`, with all its digits where they are close; finite also where one is masked."""
    return _difference(axes, z_p, z_q, _shift_close(axes, z_p, z_q))


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def log_softmax_ratio(axes: Axes, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    """`log(p/q)` with all its digits where they are close; 0 where one is masked."""
    return jnp.where(present(z_p) & present(z_q), softmaxes_and_log_ratio(axes, z_p, z_q)[2], jnp.zeros_like(z_p))


@log_softmax_ratio.defjvp
def _log_softmax_ratio_jvp(axes: Axes, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (z_p, z_q), (dz_p, dz_q) = primals, tangents
    of_p, of_q = (dz - change(softmax(axes, z) * dz, axes) for z, dz in ((z_p, dz_p), (z_q, dz_q)))
    return log_softmax_ratio(axes, *primals), jnp.where(present(z_p) & present(z_q), of_p - of_q, jnp.zeros_like(of_p))


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def softmax_difference(axes: Axes, close: jax.Array, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    """`softmax(z_p) - softmax(z_q)`, with all digits in the rows named as close."""
    m_p, m_q, shift = row_max(z_p, axes), row_max(z_q, axes), _shift(axes, close, z_p, z_q)
    log_ratio = (floored(z_p, 6) - floored(z_q, 6)) + (m_q - m_p + shift)
    return (softmax(axes, z_p) + softmax(axes, z_q)) * jnp.tanh(0.5 * log_ratio)


@softmax_difference.defjvp
def _softmax_difference_jvp(axes: Axes, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (_, z_p, z_q), (_, dz_p, dz_q) = primals, tangents
    (_, dp), (_, dq) = (jax.jvp(partial(softmax, axes), (z,), (dz,)) for z, dz in ((z_p, dz_p), (z_q, dz_q)))
    return softmax_difference(axes, *primals), dp - dq


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def log_ratio(axes: Axes, close: jax.Array, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    """`log(p/q)`, with all digits in the rows named as close; finite also where one is masked."""
    m_p, m_q, shift = row_max(z_p, axes), row_max(z_q, axes), _shift(axes, close, z_p, z_q)
    return ((floored(z_p, 6) - floored(z_q, 6)) + (m_q - m_p)) + shift


@log_ratio.defjvp
def _log_ratio_jvp(axes: Axes, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (close, z_p, z_q), (_, dz_p, dz_q) = primals, tangents
    d_p, d_q = dz_p - change(softmax(axes, z_p) * dz_p, axes), dz_q - change(softmax(axes, z_q) * dz_q, axes)
    both = present(z_p) & present(z_q)
    return log_ratio(axes, close, z_p, z_q), jnp.where(both, d_p - d_q, jnp.zeros_like(z_p))


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def weighted_deviation(axes: Axes, z: jax.Array, x: jax.Array) -> jax.Array:
    """`p (x - sum(p x))` with `p = softmax(z)`: the derivative of `sum(p x)` in `z`."""
    e = jnp.exp(z - row_max(z, axes))
    s = total(e, axes)
    return (e * (1 / s)) * (x - total(e * x, axes) / s)


@weighted_deviation.defjvp
def _weighted_deviation_jvp(axes: Axes, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (z, x), (dz, dx) = primals, tangents
    p, value = softmax(axes, z), weighted_deviation(axes, z, x)
    spread = dz - change(p * dz, axes)
    return value, value * spread + p * (dx - change(p * dx, axes) - change(value * dz, axes))


def shifted(z: jax.Array, axes: Axes) -> jax.Array:
    """`z` less its row maximum, so that a mean of it rounds little; 0 where masked."""
    away = z - row_max(z, axes)
    return jnp.where(jnp.isinf(away), jnp.zeros_like(z), away)


def shifted_difference(z_p: jax.Array, z_q: jax.Array, axes: Axes) -> jax.Array:
    """`z_p - z_q`, taken before all else, less the difference of the maxima; 0 where one is masked."""
    both = present(z_p) & present(z_q)
    zero = jnp.zeros_like(z_p)
    difference = jnp.where(both, z_p, zero) - jnp.where(both, z_q, zero)
    return jnp.where(both, difference - (row_max(z_p, axes) - row_max(z_q, axes)), zero)
