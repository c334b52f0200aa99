"""Softmaxes, their logarithm and difference, and deviations from a mean: what derivatives of measures are made of.

Each has a derivative of its own, finite for every row, so that the measures have second derivatives.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo import _numerics
from jaxinfo._log_domain._rows import (
    Axes,
    adaptive,
    log_shifted_normalizer,
    present,
    row_max,
    selective,
    shifted_normalizer,
    total,
)


def _log_normalizer_fast(axes: Axes, z: jax.Array) -> jax.Array:
    return jnp.log(shifted_normalizer(z, axes)[1])


def _log_normalizer_accurate(axes: Axes, z: jax.Array) -> jax.Array:
    return log_shifted_normalizer(z, row_max(z, axes), axes)


# The logarithm is small, and its rounding shows, where one logit has nearly all the mass.
log_normalizer = adaptive(_log_normalizer_fast, _log_normalizer_accurate, 0.25)


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def softmax(axes: Axes, z: jax.Array) -> jax.Array:
    """`exp(z) / sum exp(z)`, from normalisers that XLA does not write out as tables."""
    m, s = shifted_normalizer(z, axes)
    return jnp.exp(z - m) / s


@softmax.defjvp
def _softmax_jvp(axes: Axes, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (z,), (dz,) = primals, tangents
    p = softmax(axes, z)
    return p, p * (dz - total(p * dz, axes))


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def surprisal(axes: Axes, z: jax.Array) -> jax.Array:
    """`-log softmax(z)`; that of the likely outcome keeps its digits."""
    return log_normalizer(axes, z) - (z - row_max(z, axes))


@surprisal.defjvp
def _surprisal_jvp(axes: Axes, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (z,), (dz,) = primals, tangents
    return surprisal(axes, z), total(softmax(axes, z) * dz, axes) - dz


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def surprisal_slope(axes: Axes, z: jax.Array) -> jax.Array:
    """`-log softmax(z)` as a slope, where the rounding of the normaliser does not matter."""
    m, s = shifted_normalizer(z, axes)
    return jnp.log(s) - (z - m)


@surprisal_slope.defjvp
def _surprisal_slope_jvp(axes: Axes, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (z,), (dz,) = primals, tangents
    return surprisal_slope(axes, z), total(softmax(axes, z) * dz, axes) - dz


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def normalized_exp(axes: Axes, z: jax.Array, log_normalizer: jax.Array) -> jax.Array:
    """`softmax(z)` from a normaliser that is known already, `log sum exp(z - max z)`."""
    return jnp.exp((z - row_max(z, axes)) - log_normalizer)


@normalized_exp.defjvp
def _normalized_exp_jvp(axes: Axes, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    p, dz = normalized_exp(axes, *primals), tangents[0]
    return p, p * (dz - total(p * dz, axes))


def log_softmax(axes: Axes, z: jax.Array) -> jax.Array:
    """`log softmax(z)`."""
    return -surprisal(axes, z)


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def log_marginal(axes: Axes, z: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """`log sum exp(z)` in three parts: the row maximum, a rest, and a count n whose logarithm belongs to the sum.

    Where the logits of a row are close together the rest is the logarithm of the mean of `exp(z - max)` over those that
    are not masked: small where the differences are, it has their digits. Elsewhere n is 1. The maximum of a row of only
    `-inf` is `-inf`, and all derivatives there are 0.
    """
    m, here = row_max(z, axes), present(z)
    empty, zero = m == -jnp.inf, jnp.zeros_like(z)
    away = jnp.where(here, z, zero) - jnp.where(empty, jnp.zeros_like(m), m)
    count = jnp.maximum(total(here.astype(z.dtype), axes), 1)
    less = total(jnp.where(here, jnp.expm1(away), zero), axes) / count
    close = less > -0.5
    rest = jnp.where(close, _numerics.log1p(jnp.where(close, less, 0)), log_shifted_normalizer(z, m, axes))
    return m, jnp.where(empty, jnp.zeros_like(m), rest), jnp.where(close, count, jnp.ones_like(count))


@log_marginal.defjvp
def _log_marginal_jvp(axes: Axes, primals: Any, tangents: Any) -> tuple[Any, Any]:
    (z,), (dz,) = primals, tangents
    held = jnp.where(row_max(z, axes) == -jnp.inf, jnp.zeros_like(z), z)
    share = jnp.where(present(z), softmax(axes, held), jnp.zeros_like(z))
    m, rest, count = log_marginal(axes, z)
    return (m, rest, count), (jnp.zeros_like(m), total(share * dz, axes), jnp.zeros_like(count))


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
    return log_sum_exp(axes, z), total(share * dz, axes)


def centred(axes: Axes, z_p: jax.Array, z_q: jax.Array, apart: jax.Array) -> dict[str, jax.Array]:
    """The two rows, centred.

    With `e = z_q - z_p`, given as `apart`, and `c = e - sum(p e)`: `p`, `r = p exp(c)`, `c`, and the excess
    `sum(p (expm1(c) - c))`, every term of it at least 0.

    `log sum(p exp(c)) = KL(p|q)` because `sum(p c) = 0`. The difference of the logits is taken before anything else is
    subtracted: it is exact where they are close. Mass that q has where p has none is in `r`.
    """
    (m_p, s_p), m_q = shifted_normalizer(z_p, axes), row_max(z_q, axes)
    both = present(z_p) & present(z_q)
    e = jnp.where(both, apart - (m_q - m_p), jnp.zeros_like(z_p))
    p = jnp.exp(z_p - m_p) / s_p
    shared = jnp.where(both, p, jnp.zeros_like(p))
    mass = total(shared, axes)
    mass = jnp.where(mass == 0, jnp.ones_like(mass), mass)
    mean = total(shared * e, axes) / mass
    correction = total(shared * (e - mean), axes) / mass  # what rounding left of the mean
    c = jnp.where(both, (e - mean) - correction, jnp.zeros_like(e))
    r = jnp.where(present(z_q), jnp.exp((z_q - m_q) - (mean + correction)) / s_p, jnp.zeros_like(p))
    s = jnp.where(both, jnp.tanh(-0.5 * c), jnp.where(present(z_q), -jnp.ones_like(c), jnp.zeros_like(c)))
    terms = _numerics.divergence_from_log_ratio(p, s, s * (p + r), -c)
    lost = jnp.where(present(z_p) & ~present(z_q), p, jnp.zeros_like(p))  # where KL(p|q) is infinite
    excess = total(terms - lost, axes)
    return {"p": p, "r": r, "c": c, "excess": excess, "mean": mean + correction}


def close_softmax_difference(axes: Axes, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    """`softmax(z_p) - softmax(z_q)`, with its digits where the two are close."""
    p, q = softmax(axes, z_p), softmax(axes, z_q)
    row = centred(axes, z_p, z_q, z_q - z_p)
    log_ratio = row["c"] - _numerics.log1p(row["excess"])  # log(q/p)
    close = (row["excess"] < 1) & present(z_p) & present(z_q)
    return jnp.where(close, (p + q) * jnp.tanh(-0.5 * jnp.where(close, log_ratio, jnp.zeros_like(p))), p - q)


_difference = selective(lambda axes, z_p, z_q: softmax(axes, z_p) - softmax(axes, z_q), close_softmax_difference)


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def softmax_difference(axes: Axes, close: jax.Array, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    """`softmax(z_p) - softmax(z_q)`, with all digits in the rows named as close."""
    return _difference(axes, close, z_p, z_q)


@softmax_difference.defjvp
def _softmax_difference_jvp(axes: Axes, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (_, z_p, z_q), (_, dz_p, dz_q) = primals, tangents
    (_, dp), (_, dq) = (jax.jvp(partial(softmax, axes), (z,), (dz,)) for z, dz in ((z_p, dz_p), (z_q, dz_q)))
    return softmax_difference(axes, *primals), dp - dq


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def weighted_deviation(axes: Axes, z: jax.Array, x: jax.Array) -> jax.Array:
    """`p (x - sum(p x))` with `p = softmax(z)`: the derivative of `sum(p x)` in `z`."""
    m, s = shifted_normalizer(z, axes)
    mean = total(jnp.exp(z - m) * x, axes) / s
    return (jnp.exp(z - m) / s) * (x - mean)


@weighted_deviation.defjvp
def _weighted_deviation_jvp(axes: Axes, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (z, x), (dz, dx) = primals, tangents
    p, value = softmax(axes, z), weighted_deviation(axes, z, x)
    spread = dz - total(p * dz, axes)
    return value, value * spread + p * (dx - total(p * dx, axes) - total(value * dz, axes))


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
