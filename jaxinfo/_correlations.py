"""Correlations of the variables of joint tables, one logarithm for each entry; the axes summed over stay.

Where such a sum is small it has lost its digits, or a product of marginals has underflowed: `adaptive` asks the chains
of informations of `_variables` there.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxinfo import _numerics
from jaxinfo._log_domain import Axes, divergence_term

# Below so many nats the chain takes over. A divergence has the digits of its terms, so the first is only for underflow.
TOTAL_SMALL, DUAL_SMALL, VARIATION_SMALL = 1 / 64, 1 / 4, 1 / 2
# Of more variables the chain takes fewer sums, or has more digits; of two it is one information.
TOTAL_MOST, DUAL_MOST = 5, 3


def floored(p: jax.Array) -> jax.Array:
    return jnp.maximum(p, _numerics.tiny(p))


def singles(axes: Axes, p: jax.Array) -> list[jax.Array]:
    """`p(x_i)` of each variable, the earlier ones summed out step by step."""
    found, left = [], p
    for i, axis in enumerate(axes):
        found.append(_numerics.row_sum(left, axes[i + 1 :], True) if axes[i + 1 :] else left)
        left = _numerics.row_sum(left, (axis,), True)
    return found


def root_of_dual_density(axes: Axes, p: jax.Array) -> jax.Array:
    """`(p^(n-1) c / prod p_-i)^(1/(n-1))`, which is at least p: it neither underflows nor overflows."""
    part = 1 / (len(axes) - 1)
    root = jnp.sqrt if part == 0.5 else lambda x: jnp.power(x, part)
    value = p
    for axis in axes:
        value = value * _numerics.fence(1 / root(floored(_numerics.row_sum(p, (axis,), True))))
    return value * _numerics.fence(root(_numerics.row_sum(p, axes, True)))


def _finite(value: jax.Array) -> jax.Array:
    """NaN for what overflowed, so that the chain is asked."""
    return jnp.where(value < jnp.inf, value, jnp.nan)


def total_correlation(axes: Axes, p: jax.Array) -> jax.Array:
    """As a divergence from the product of the marginals, whose terms are never negative."""
    mass = _numerics.fence(1 / floored(_numerics.row_sum(p, axes, True)))
    first, *others = singles(axes, p)
    product = first
    for single in others:
        product = product * _numerics.fence(single * mass)
    return _numerics.row_sum(divergence_term(p, jnp.broadcast_to(product, p.shape)), axes, True)


def dual_total_correlation(axes: Axes, p: jax.Array) -> jax.Array:
    """`sum p log((p/p_-1) ... (p/p_-(n-1)) (c/p_-n))`. Where the product underflows p adds nothing that shows."""
    *others, last = (floored(_numerics.row_sum(p, (axis,), True)) for axis in axes)
    ratio = p / _numerics.fence(others[0])
    for other in others[1:]:
        ratio = ratio * (jnp.abs(p) / _numerics.fence(other))  # a negative p stays so, and its logarithm is NaN
    ratio = ratio * _numerics.fence(_numerics.row_sum(p, axes, True) / last)
    return _finite(_numerics.row_sum(p * jnp.log(ratio + _numerics.tiny(p)), axes, True))


def log_root_of_conditionals(p: jax.Array, floor: jax.Array | float) -> jax.Array:
    """Half of `log(p(x|y) p(y|x))`: of `p / sqrt(p(x) p(y))`, which does not underflow; NaN for a negative entry."""
    marginals = (_numerics.row_sum(p, (axis,), True) for axis in (-1, -2))
    x, y = (_numerics.fence(1 / jnp.sqrt(jnp.maximum(m, _numerics.tiny(m)))) for m in marginals)
    return jnp.log((p * x) * y + floor)


def variation_of_information(axes: tuple[int, ...], p: jax.Array) -> jax.Array:
    """The sign and the factor after the sum, as constants of the size of a table would be written out."""
    return -2 * _numerics.row_sum(p * log_root_of_conditionals(p, 2 * _numerics.tiny(p)), axes, True)
