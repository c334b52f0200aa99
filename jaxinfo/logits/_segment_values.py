"""Values and derivatives of the measures of segments of logits: as `_log_domain`, with sums over segments for rows."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo import _log_domain, _numerics
from jaxinfo._segments import Shape, largest, total

# ---------------------------------------------------------------------------------------------------------------------
# Softmax and its logarithm, as derivatives use them


def _shifted(shape: Shape, column: jax.Array, z: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The logits less the largest of their segment, and the sum of exponentials of these: 0 for an empty segment."""
    away = z - largest(shape, column, z)[column]
    return away, total(shape, column, jnp.exp(away))


def _softmax(shape: Shape, column: jax.Array, z: jax.Array) -> jax.Array:
    away, s = _shifted(shape, column, z)
    return jnp.exp(away) / s[column]


def _log_softmax(shape: Shape, column: jax.Array, z: jax.Array) -> jax.Array:
    """0 with derivative 0 where masked."""
    away, s = _shifted(shape, column, z)
    here = _log_domain.present(z)
    return jnp.where(here, jnp.where(here, away, jnp.zeros_like(z)) - jnp.log(s)[column], jnp.zeros_like(z))


def _softmax_change(shape: Shape, column: jax.Array, z: jax.Array, dz: jax.Array) -> jax.Array:
    return jax.jvp(partial(_softmax, shape, column), (z,), (dz,))[1]


# ---------------------------------------------------------------------------------------------------------------------
# Values


def _log(shape: Shape, column: jax.Array, away: jax.Array, s: jax.Array) -> jax.Array:
    """`log s`. Below 1.25 one logit alone is the largest: the others, below -1.3 there, are summed without it."""
    others = total(shape, column, jnp.minimum(jnp.exp(away), -away))
    return jnp.where(s < 1.25, jnp.log1p(others), jnp.log(s))


def _cross(shape: Shape, column: jax.Array, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    """`log s_q + sum(p (max z_q - z_q))`; NaN for an empty segment."""
    (a_p, s_p), (a_q, s_q) = _shifted(shape, column, z_p), _shifted(shape, column, z_q)
    below = jnp.minimum(-a_q, float(jnp.finfo(a_q.dtype).max) / 4)
    return total(shape, column, jnp.exp(a_p) * below) / s_p + _log(shape, column, a_q, s_q)


def _infinite_outside(shape: Shape, column: jax.Array, z_p: jax.Array, z_q: jax.Array, value: jax.Array) -> jax.Array:
    """`value`, but `inf` where q is masked and p is not."""
    outside = (_log_domain.present(z_p) & ~_log_domain.present(z_q)).astype(value.dtype)
    return jnp.where((total(shape, column, outside) > 0) & ~jnp.isnan(value), jnp.inf, value)


def _kl(shape: Shape, column: jax.Array, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    """As `_log_domain`: `log1p(sum p (expm1(c) - c))` with `e = log(q/p) + const` and `c = e - sum(p e)`.

    NaN for a segment without outcomes.
    """
    (a_p, s_p), (a_q, s_q) = _shifted(shape, column, z_p), _shifted(shape, column, z_q)
    lowest = -float(jnp.finfo(z_p.dtype).max) / 4
    apart = largest(shape, column, z_q) - largest(shape, column, z_p)
    e = (jnp.maximum(z_q, lowest) - jnp.maximum(z_p, lowest)) - apart[column]
    mean = total(shape, column, jnp.exp(a_p) * e) / s_p
    c = e - mean[column]
    p, r = jnp.exp(a_p) / s_p[column], jnp.exp(a_q - mean[column]) / s_p[column]  # p and p exp(c)
    s = jnp.tanh(-0.5 * c)
    excess = total(shape, column, _numerics.divergence_from_log_ratio(p, s, s * (p + r), -c))
    value = jnp.where(excess < 1e30, jnp.log1p(excess), jnp.log(s_q / s_p) - mean)
    return jnp.where(s_p > 0, value, jnp.nan)


# ---------------------------------------------------------------------------------------------------------------------
# The measures: a segment of entries `[T, ...]` gives one number, `[S + 2, ...]`


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def entropy(shape: Shape, column: jax.Array, z: jax.Array) -> jax.Array:
    return _cross(shape, column, z, z)


@entropy.defjvp
def _entropy_jvp(shape: Shape, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (column, z), (_, dz) = primals, tangents
    slope = _softmax_change(shape, column, z, dz) * _log_softmax(shape, column, z)
    return entropy(shape, column, z), -total(shape, column, slope)


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def cross_entropy(shape: Shape, column: jax.Array, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    return _infinite_outside(shape, column, z_p, z_q, _cross(shape, column, z_p, z_q))


@cross_entropy.defjvp
def _cross_entropy_jvp(shape: Shape, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    return cross_entropy(shape, *primals), _change(shape, *primals, *tangents[1:])


def _change(
    shape: Shape, column: jax.Array, z_p: jax.Array, z_q: jax.Array, dz_p: jax.Array, dz_q: jax.Array
) -> jax.Array:
    """The tangent of the cross-entropy: that of p goes with `-log q`, and that of `z_q` with `q - p`."""
    toward_p = _softmax_change(shape, column, z_p, dz_p) * _log_softmax(shape, column, z_q)
    toward_q = (_softmax(shape, column, z_q) - _softmax(shape, column, z_p)) * dz_q
    return total(shape, column, toward_q - toward_p)


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def kl_divergence(shape: Shape, column: jax.Array, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    return _infinite_outside(shape, column, z_p, z_q, _kl(shape, column, z_p, z_q))


@kl_divergence.defjvp
def _kl_jvp(shape: Shape, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (column, z_p, _), (_, dz_p, _) = primals, tangents
    own = _softmax_change(shape, column, z_p, dz_p) * _log_softmax(shape, column, z_p)
    return kl_divergence(shape, *primals), _change(shape, *primals, *tangents[1:]) + total(shape, column, own)
