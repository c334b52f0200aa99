"""Total and dual total correlation and variation of information of tables of logits; what they sum over stays an axis.

Values are those of the softmax where that has the digits. Derivatives are those of the chains.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo import _correlations, _log_domain, _variables
from jaxinfo._correlations import DUAL_MOST, DUAL_SMALL, TOTAL_MOST, TOTAL_SMALL, VARIATION_SMALL
from jaxinfo._log_domain import Axes
from jaxinfo.logits._whole import CHAIN

Row = Callable[[Axes, jax.Array], jax.Array]


def _measure(fast: Row, accurate: Row, small: float) -> Row:
    """A function of tables of logits, given one of tables."""
    value = _log_domain.adaptive(lambda axes, z: fast(axes, _log_domain.softmax(axes, z)), accurate, small)

    @partial(jax.custom_jvp, nondiff_argnums=(0,))
    def row(axes: Axes, z: jax.Array) -> jax.Array:
        return value(axes, z)

    @row.defjvp
    def _(axes: Axes, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
        return row(axes, *primals), jax.jvp(partial(accurate, axes), primals, tangents)[1]

    return row


def _by_chain(measure: Callable[..., jax.Array]) -> Row:
    return lambda axes, z: jnp.expand_dims(measure(CHAIN, z, len(axes)), axes)


def _two_conditional_entropies(axes: Axes, z: jax.Array) -> jax.Array:
    return _log_domain.conditional_entropy(axes, z) + _log_domain.conditional_entropy(axes, jnp.swapaxes(z, -2, -1))


_total = _measure(_correlations.total_correlation, _by_chain(_variables.total_correlation), TOTAL_SMALL)
_dual = _measure(_correlations.dual_total_correlation, _by_chain(_variables.dual_total_correlation), DUAL_SMALL)
variation_of_information = _measure(_correlations.variation_of_information, _two_conditional_entropies, VARIATION_SMALL)


def _of_last(row: Row, most: int, chain: Callable[..., jax.Array], z: jax.Array, count: int) -> jax.Array:
    if not 3 <= count <= most or not z.size:
        return chain(CHAIN, z, count)
    axes = tuple(range(-count, 0))
    return jnp.squeeze(row(axes, z), axes)


def total_correlation(z: jax.Array, count: int) -> jax.Array:
    """Of the last `count` axes."""
    return _of_last(_total, TOTAL_MOST, _variables.total_correlation, z, count)


def dual_total_correlation(z: jax.Array, count: int) -> jax.Array:
    """Of the last `count` axes."""
    return _of_last(_dual, DUAL_MOST, _variables.dual_total_correlation, z, count)
