"""Rows of unnormalised log-probabilities: values accurate for every row, and slopes that are finite for every row.

The textbook formulas on log-softmaxes are fast, and accurate where the result is not small. Where it is small, or a
masked (`-inf`) logit made NaN of `0 * inf`, another formula has all the digits. On a CPU `adaptive` runs the first and
the second only if some row needs it; the choice is made row by row, so that a row's value never depends on its
neighbours. On an accelerator, where memory and not arithmetic is the limit and a branch stalls the queue, it runs the
second alone.

Row maxima and normalisers go through `optimization_barrier`: XLA would otherwise share `exp` between two sums by
writing the whole table out.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jaxinfo import _numerics
from jaxinfo._log_domain import _values
from jaxinfo._log_domain._rows import Axes, RowFunction, adaptive, present, row_max, total
from jaxinfo._log_domain._softmax import (
    log_normalizer,
    log_softmax,
    log_sum_exp,
    normalized_exp,
    shifted,
    shifted_difference,
    softmax,
    softmax_difference,
    surprisal_slope,
    weighted_deviation,
)

__all__ = [
    "adaptive",
    "conditional_entropy",
    "cross_entropy",
    "cross_entropy_from_probs",
    "entropy",
    "information",
    "jeffreys_divergence",
    "jensen_shannon_divergence",
    "kl_divergence",
    "kl_divergence_from_probs",
    "label_surprisal",
    "log_softmax",
    "pointwise_information",
    "present",
    "row_max",
    "softmax",
    "softmax_difference",
]

Slope = Callable[..., jax.Array]


def _rule(value: RowFunction, *slopes: Slope, infinite: tuple[int, ...] = ()) -> RowFunction:
    """A row function `f(axes, *tables)` whose derivative in table i is the row sum of `slopes[i] * tangent`.

    A slope is called with the axes, the value and the tables; it is finite except in the tables named in `infinite`.
    """

    @partial(jax.custom_jvp, nondiff_argnums=(0,))
    def function(axes: Axes, *tables: jax.Array) -> jax.Array:
        return value(axes, *tables)

    def jvp(axes: Axes, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
        out, tables = function(axes, *primals), _numerics.apart(*primals)
        rules = [partial(slope, axes, out, *tables) for slope in slopes]
        pairs = list(zip(tangents, rules, strict=True))
        finite = [pair for i, pair in enumerate(pairs) if i not in infinite]
        others = [pair for i, pair in enumerate(pairs) if i in infinite]
        tangent = _numerics.finite_linear(primals[0], *finite) + _numerics.linear(primals[0], *others)
        return out, total(tangent, axes)

    function.defjvp(jvp, symbolic_zeros=True)
    return function


entropy = _rule(_values.entropy, lambda axes, _, z: -weighted_deviation(axes, z, shifted(z, axes)))
cross_entropy = _rule(
    _values.cross_entropy,
    lambda axes, _, z_p, z_q: weighted_deviation(axes, z_p, -shifted(z_q, axes)),
    lambda axes, _, z_p, z_q: softmax(axes, z_q) - softmax(axes, z_p),
)


def _kl_slope(axes: Axes, _: jax.Array, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    """d/dz_p of KL(p | q): `p (log(p/q) - KL)`."""
    return weighted_deviation(axes, z_p, shifted_difference(z_p, z_q, axes))


def _close(value: jax.Array) -> jax.Array:
    """Rows in which the difference of two softmaxes would have lost its digits."""
    return lax.stop_gradient(value) < _values.SMALL


kl_divergence = _rule(
    _values.kl_divergence,
    _kl_slope,
    lambda axes, value, z_p, z_q: softmax_difference(axes, _close(value), z_q, z_p),
)


def _jeffreys_slope(axes: Axes, value: jax.Array, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    return _kl_slope(axes, value, z_p, z_q) + softmax_difference(axes, _close(value), z_p, z_q)


jeffreys_divergence = _rule(
    _values.jeffreys_divergence,
    _jeffreys_slope,
    lambda axes, value, z_p, z_q: _jeffreys_slope(axes, value, z_q, z_p),
)


def _mixture_slope(axes: Axes, value: jax.Array, z: jax.Array, other: jax.Array, weight: jax.Array) -> jax.Array:
    """d/dz of `w KL(p | m)`, the mixture held fixed: it minimises the divergence."""
    p, q = softmax(axes, z), softmax(axes, other)
    difference = (1 - weight) * softmax_difference(axes, _close(value), z, other)
    return weight * weighted_deviation(axes, z, _numerics.log_ratio(p, weight * p + (1 - weight) * q, difference))


def _weight_slope(axes: Axes, value: jax.Array, z_p: jax.Array, z_q: jax.Array, weight: jax.Array) -> jax.Array:
    """d/dw, spread over the row: `KL(p | m) - KL(q | m)`, the mixture held fixed."""
    p, q, rest = softmax(axes, z_p), softmax(axes, z_q), 1 - weight
    m, difference = weight * p + rest * q, softmax_difference(axes, _close(value), z_p, z_q)
    toward_q = _numerics.mixture_term(q, m, -weight * difference, rest)
    return _numerics.mixture_term(p, m, rest * difference, weight) - toward_q


jensen_shannon_divergence = _rule(
    _values.jensen_shannon_divergence,
    _mixture_slope,
    lambda axes, value, z_p, z_q, weight: _mixture_slope(axes, value, z_q, z_p, 1 - weight),
    _weight_slope,
)


@jax.custom_jvp
def pointwise_information(z: jax.Array) -> jax.Array:
    """`log(p(x,y) / (p(x) p(y)))` from the logits of p(x,y), by whichever of two formulas has lost fewer digits."""
    _, apart, size = _values.from_independence((-2, -1), z)
    p = softmax((-2, -1), z)
    excess, terms = _numerics.dependence(p)
    resolved = jnp.any(p > 0, axis=-1, keepdims=True) & jnp.any(p > 0, axis=-2, keepdims=True)
    # The exponentials have rounded several times.
    likely = (8 * terms < size) & (jnp.abs(excess) < 0.5) & resolved
    density = jnp.where(likely, _numerics.log1p(jnp.where(likely, excess, jnp.zeros_like(z))), -apart)
    return jnp.where(row_max(z, (-2, -1)) == -jnp.inf, jnp.nan, density)


@pointwise_information.defjvp
def _pointwise_information_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (z,), (dz,) = primals, tangents
    _, tangent = jax.jvp(lambda z: -_values.from_independence((-2, -1), z)[1], (z,), (dz,))
    return pointwise_information(z), tangent


def _conditional_entropy_slope(axes: Axes, _: jax.Array, z: jax.Array) -> jax.Array:
    """Of H(X|Y): the mean of `-log p(x|y)`, whose own derivative has mean 0."""
    empty = row_max(z, (-2,)) == -jnp.inf
    alone = surprisal_slope((-2,), jnp.where(empty, jnp.zeros_like(z), z))
    return weighted_deviation(axes, z, jnp.where(present(z), alone, jnp.zeros_like(z)))


conditional_entropy = _rule(_values.conditional_entropy, _conditional_entropy_slope)


def _information_slope(axes: Axes, _: jax.Array, z: jax.Array) -> jax.Array:
    """Of I(X;Y|Z): the product of marginals is the closest of its kind to the joint, so the slope leaves it fixed."""
    xz, yz, both = (log_sum_exp(a, z) for a in (axes[1:2], axes[:1], axes[:2]))
    held = jnp.where(present(z), z, jnp.zeros_like(z))
    return weighted_deviation(axes, z, jnp.where(present(z), held - xz - yz + both, jnp.zeros_like(z)))


information = _rule(_values.information, _information_slope)


def _surprisal_slope(axes: Axes, _: jax.Array, p: jax.Array, z_q: jax.Array) -> jax.Array:
    """d/dp of `-p log q`: infinite only where the value is."""
    return jnp.where((p == 0) & ~present(z_q), jnp.zeros_like(p), surprisal_slope(axes, z_q))


def _excess_mass(axes: Axes, _: jax.Array, p: jax.Array, z_q: jax.Array) -> jax.Array:
    """d/dz_q of `-sum(p log q)`: `softmax(z_q) sum(p) - p`."""
    return softmax(axes, z_q) * total(p, axes) - p


def _log_ratio_slope(axes: Axes, value: jax.Array, p: jax.Array, z_q: jax.Array) -> jax.Array:
    """d/dp of `p log(p/q) - p`: `log(p/q)`; where `p` is 0 it is 0, with the derivative in `z_q` of p -> 0."""
    unseen = p == 0
    alone = _surprisal_slope(axes, value, p, z_q)
    return alone + jnp.where(unseen, -lax.stop_gradient(alone), jnp.log(jnp.where(unseen, jnp.ones_like(p), p)))


cross_entropy_from_probs = _rule(_values.cross_entropy_from_probs, _surprisal_slope, _excess_mass, infinite=(0,))
kl_divergence_from_probs = _rule(_values.kl_divergence_from_probs, _log_ratio_slope, _excess_mass, infinite=(0,))


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def label_surprisal(axes: Axes, labels: jax.Array, z: jax.Array) -> jax.Array:
    """`-log softmax(z)` at the labels, whose axis has length 1; NaN for a label that is no outcome."""
    return _at_labels(axes, labels, z, log_normalizer(axes, z))


def _at_labels(axes: Axes, labels: jax.Array, z: jax.Array, normalizer: jax.Array) -> jax.Array:
    chosen = jnp.where(labels < 0, z.shape[axes[0]], labels)  # negative indices would count from the end
    at_label = jnp.take_along_axis(z, chosen, axis=axes[0], mode="fill", fill_value=jnp.nan)
    return normalizer - (at_label - row_max(z, axes))


@label_surprisal.defjvp
def _label_surprisal_jvp(axes: Axes, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (labels, z), (_, dz) = primals, tangents
    normalizer = log_normalizer(axes, lax.stop_gradient(z))
    hit = lax.broadcasted_iota(labels.dtype, z.shape, z.ndim + axes[0]) == labels
    slope = normalized_exp(axes, z, normalizer) - hit.astype(z.dtype)
    return _at_labels(axes, labels, z, normalizer), total(slope * dz, axes)
