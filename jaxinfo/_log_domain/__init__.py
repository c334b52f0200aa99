"""Rows of unnormalised log-probabilities: values accurate for every row, and slopes that are finite for every row.

The textbook formulas on log-softmaxes are fast, and accurate where the result is not small. Where it is small, or a
masked (`-inf`) logit made NaN of `0 * inf`, another formula has all the digits. On a CPU `adaptive` runs the first and
the second only if some row needs it; the choice is made row by row, so that a row's value never depends on its
neighbours. On an accelerator, where memory and not arithmetic is the limit and a branch stalls the queue, it runs the
second alone.

How a sum is written matters on a CPU, where XLA hands a sum and the arithmetic before it to a vector library.
Arithmetic after it (`_numerics.fence` ends that), a select or comparison of whole tables, and anything of the size of a
table that two sums share, be it a constant, cost more than the sum. So selects are left to row results, and each sum
of a table takes the row maximum as another variable (`again`) and floors masks at another number (`floored`).
"""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jaxinfo import _numerics
from jaxinfo._log_domain import _values
from jaxinfo._log_domain._chernoff import chernoff_of_logits, chernoff_of_tables
from jaxinfo._log_domain._information import divergence_term, information_and_mass, valid_marginal
from jaxinfo._log_domain._log_mean import log_mean_exp
from jaxinfo._log_domain._marginal import marginal
from jaxinfo._log_domain._order_entropy import min_entropy_of_logits, min_entropy_of_table
from jaxinfo._log_domain._order_entropy import renyi_of_logits as renyi_entropy_of_logits
from jaxinfo._log_domain._order_entropy import renyi_of_table as renyi_entropy_of_table
from jaxinfo._log_domain._order_entropy import tsallis_of_logits as tsallis_entropy_of_logits
from jaxinfo._log_domain._order_entropy import tsallis_of_table as tsallis_entropy_of_table
from jaxinfo._log_domain._overlap import bhattacharyya_distance, hellinger_term
from jaxinfo._log_domain._pointwise import pointwise_of_logits
from jaxinfo._log_domain._power_divergence import alpha_divergence as alpha_divergence_of_tables
from jaxinfo._log_domain._power_divergence import tsallis_divergence as tsallis_divergence_of_tables
from jaxinfo._log_domain._power_logits import alpha_divergence as alpha_divergence_of_logits
from jaxinfo._log_domain._power_logits import renyi_divergence as renyi_divergence_of_logits
from jaxinfo._log_domain._power_logits import tsallis_divergence as tsallis_divergence_of_logits
from jaxinfo._log_domain._ratio import ratio_divergence
from jaxinfo._log_domain._renyi import renyi_divergence as renyi_divergence_of_tables
from jaxinfo._log_domain._rows import (
    Axes,
    Variables,
    adaptive,
    change,
    each,
    is_inside,
    joined,
    plus_log_normalizer,
    present,
    row_max,
    shifted_normalizer,
    total,
)
from jaxinfo._log_domain._rule import row_rule
from jaxinfo._log_domain._skewed import skew_jensen_shannon_divergence
from jaxinfo._log_domain._softmax import (
    log_sum_exp,
    shifted,
    shifted_difference,
    softmax,
    softmax_difference,
    surprisal,
    surprisal_slope,
    weighted_deviation,
)

__all__ = [
    "Axes",
    "Variables",
    "adaptive",
    "alpha_divergence_of_logits",
    "alpha_divergence_of_tables",
    "bhattacharyya_distance",
    "chernoff_of_logits",
    "chernoff_of_tables",
    "conditional_entropy",
    "cross_entropy",
    "cross_entropy_from_probs",
    "divergence_term",
    "each",
    "entropy",
    "hellinger_term",
    "information",
    "information_and_mass",
    "is_inside",
    "jeffreys_divergence",
    "jensen_shannon_divergence",
    "joined",
    "kl_divergence",
    "kl_divergence_from_probs",
    "label_surprisal",
    "log_mean_exp",
    "marginal",
    "min_entropy_of_logits",
    "min_entropy_of_table",
    "pointwise_information",
    "present",
    "ratio_divergence",
    "renyi_divergence_of_logits",
    "renyi_divergence_of_tables",
    "renyi_entropy_of_logits",
    "renyi_entropy_of_table",
    "skew_jensen_shannon_divergence",
    "softmax",
    "softmax_difference",
    "surprisal",
    "tsallis_divergence_of_logits",
    "tsallis_divergence_of_tables",
    "tsallis_entropy_of_logits",
    "tsallis_entropy_of_table",
    "valid_marginal",
]

entropy = row_rule(_values.entropy, lambda axes, _, z: -weighted_deviation(axes, z, shifted(z, axes)))
cross_entropy = row_rule(
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


def _kl_slope_in_q(axes: Axes, value: jax.Array, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    return -softmax_difference(axes, _close(value), z_p, z_q)


kl_divergence = row_rule(_values.kl_divergence, _kl_slope, _kl_slope_in_q)
# Of many short rows on one device: the outcomes of rows that are spread over devices had to be sent around.
kl_divergence_of_few = row_rule(_values.kl_divergence_of_few, _kl_slope, _kl_slope_in_q)
jeffreys_divergence = row_rule(
    _values.jeffreys_divergence,
    lambda axes, value, z_p, z_q: _kl_slope(axes, value, z_p, z_q) + softmax_difference(axes, _close(value), z_p, z_q),
    lambda axes, value, z_p, z_q: _kl_slope(axes, value, z_q, z_p) - softmax_difference(axes, _close(value), z_p, z_q),
)


def _mixture_slope(
    axes: Axes, z: jax.Array, p: jax.Array, q: jax.Array, difference: jax.Array, weight: jax.Array
) -> jax.Array:
    """d/dz of `w KL(p | m)`, the mixture held fixed: it minimises the divergence."""
    log_ratio = _numerics.log_ratio(p, weight * p + (1 - weight) * q, (1 - weight) * difference)
    return weight * weighted_deviation(axes, z, log_ratio)


def _toward_p(axes: Axes, value: jax.Array, z_p: jax.Array, z_q: jax.Array, weight: jax.Array) -> jax.Array:
    p, q, difference = softmax(axes, z_p), softmax(axes, z_q), softmax_difference(axes, _close(value), z_p, z_q)
    return _mixture_slope(axes, z_p, p, q, difference, weight)


def _toward_q(axes: Axes, value: jax.Array, z_p: jax.Array, z_q: jax.Array, weight: jax.Array) -> jax.Array:
    p, q, difference = softmax(axes, z_p), softmax(axes, z_q), softmax_difference(axes, _close(value), z_p, z_q)
    return _mixture_slope(axes, z_q, q, p, -difference, 1 - weight)


def _weight_slope(axes: Axes, value: jax.Array, z_p: jax.Array, z_q: jax.Array, weight: jax.Array) -> jax.Array:
    """d/dw, spread over the row: `KL(p | m) - KL(q | m)`, the mixture held fixed."""
    p, q, rest = softmax(axes, z_p), softmax(axes, z_q), 1 - weight
    m, difference = weight * p + rest * q, softmax_difference(axes, _close(value), z_p, z_q)
    toward_q = _numerics.mixture_term(q, m, -weight * difference, rest)
    return _numerics.mixture_term(p, m, rest * difference, weight) - toward_q


jensen_shannon_divergence = row_rule(_values.jensen_shannon_divergence, _toward_p, _toward_q, _weight_slope)


@jax.custom_jvp
def pointwise_information(z: jax.Array) -> jax.Array:
    """`log(p(x,y) / (p(x) p(y)))` from the logits of p(x,y)."""
    return pointwise_of_logits(z)


@pointwise_information.defjvp
def _pointwise_information_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    """A logit moves its own entry by 1, and those of its row and column by its share of them."""
    (z,), (dz,) = primals, tangents
    log_x, log_y = log_sum_exp((-1,), z), log_sum_exp((-2,), z)
    d_x, d_y = change(jnp.exp(z - log_x) * dz, (-1,)), change(jnp.exp(z - log_y) * dz, (-2,))
    log_x = jnp.where(row_max(z, (-1,)) == -jnp.inf, -jnp.inf, log_x)
    whole = change(softmax((-2,), log_x) * d_x, (-2,))
    return pointwise_information(z), jnp.where(present(z), dz - (d_x + d_y - whole), jnp.zeros_like(z))


def _conditional_entropy_slope(variables: Variables, _: jax.Array, z: jax.Array) -> jax.Array:
    """Of H(X|Y): the mean of `-log p(x|y)`, whose own derivative has mean 0."""
    x = each(variables)[0]
    empty = row_max(z, x) == -jnp.inf
    alone = surprisal_slope(x, jnp.where(empty, jnp.zeros_like(z), z))
    return weighted_deviation(joined(variables), z, jnp.where(present(z), alone, jnp.zeros_like(z)))


conditional_entropy = row_rule(_values.conditional_entropy, _conditional_entropy_slope)


def _information_slope(variables: Variables, _: jax.Array, z: jax.Array) -> jax.Array:
    """Of I(X;Y|Z): the product of marginals is the closest of its kind to the joint, so the slope leaves it fixed."""
    x, y = each(variables)[:2]
    xz, yz, both = (log_sum_exp(a, z) for a in (y, x, joined((x, y))))
    held = jnp.where(present(z), z, jnp.zeros_like(z))
    return weighted_deviation(joined(variables), z, jnp.where(present(z), held - xz - yz + both, jnp.zeros_like(z)))


information = row_rule(_values.information, _information_slope)


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


cross_entropy_from_probs = row_rule(_values.cross_entropy_from_probs, _surprisal_slope, _excess_mass, infinite=(0,))
kl_divergence_from_probs = row_rule(_values.kl_divergence_from_probs, _log_ratio_slope, _excess_mass, infinite=(0,))


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def label_surprisal(axes: Axes, labels: jax.Array, z: jax.Array) -> jax.Array:
    """`-log softmax(z)` at the labels, whose axis has length 1; NaN for a label that is no outcome."""
    m, s = shifted_normalizer(z, axes)
    chosen = jnp.where(labels < 0, z.shape[axes[0]], labels)  # negative indices would count from the end
    at_label = jnp.take_along_axis(z, chosen, axis=axes[0], mode="fill", fill_value=jnp.nan)
    return plus_log_normalizer(axes, m - at_label, z, m, s)


@label_surprisal.defjvp
def _label_surprisal_jvp(axes: Axes, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (labels, z), (_, dz) = primals, tangents
    hit = lax.broadcasted_iota(labels.dtype, z.shape, z.ndim + axes[0]) == labels
    slope = softmax(axes, z) - hit.astype(z.dtype)
    return label_surprisal(axes, labels, z), change(slope * dz, axes)
