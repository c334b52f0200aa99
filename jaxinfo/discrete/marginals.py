"""Marginal and conditional tables."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import _checks, _numerics
from jaxinfo._checks import Axis


@jax.custom_jvp
def _nonnegative(p: jax.Array) -> jax.Array:
    """`p`, NaN where it is negative."""
    return p + jnp.sqrt(jnp.minimum(p, 0))


@_nonnegative.defjvp
def _nonnegative_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    return _nonnegative(*primals), tangents[0]


def _prepare(name: str, p: ArrayLike, axis: Axis, where: ArrayLike | None) -> tuple[jax.Array, Any, jnp.dtype]:
    table = _checks.floating(name, "p", p)
    axes = _checks.axes(name, axis, table.ndim)
    (kept,) = _numerics.drop(_checks.mask(name, where, table.shape), _numerics.accumulate(table))
    return _nonnegative(kept), axes, table.dtype


@_checks.measure("axis", "keepdims")
def marginal(p: ArrayLike, *, axis: Axis, where: ArrayLike | None = None, keepdims: bool = False) -> jax.Array:
    r"""Marginal table $p(x) = \sum_y p(x, y)$ of the variables named.

    Args:
        p: A joint table, one axis for each variable.
        axis: The axes that stay, in the order of the table; all others are summed out. Name batch axes too.
        where: Entries to keep; others are dropped, without renormalising.
        keepdims: Whether the axes that are summed out stay, with length 1.

    Returns:
        A table over the axes named.

    Raises:
        TypeError: If `p` is not real or `where` not boolean.
        ValueError: If `axis` or `where` do not fit.

    **Domain**: a negative probability gives NaN in the entry that it would be summed into.

    **Gradient**: 1 for each entry of the sum.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, section 2.2.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> print(jaxinfo.marginal(jnp.array([[0.25, 0.5], [0.25, 0.0]]), axis=0))
        [0.75 0.25]
    """
    table, axes, dtype = _prepare("marginal", p, axis, where)
    others = tuple(a for a in range(-table.ndim, 0) if a not in axes)
    return _numerics.row_sum(table, others, keepdims).astype(dtype)


@_checks.measure("axis")
def conditional(p: ArrayLike, *, axis: Axis, where: ArrayLike | None = None) -> jax.Array:
    r"""Conditional table $p(x|y) = p(x, y) / \sum_x p(x, y)$ of the variables named, given all others.

    Args:
        p: A joint table, one axis for each variable.
        axis: The axes of X, along which the result sums to 1. For fewer conditions sum the others out first, by
            `marginal`.
        where: Entries to keep; others are dropped, and count as 0 here.

    Returns:
        A table of the shape of `p`.

    Raises:
        TypeError: If `p` is not real or `where` not boolean.
        ValueError: If `axis` or `where` do not fit.

    **Domain**: 0 where `p(y) = 0`: a condition that never occurs adds nothing to a mean over y. A negative probability
    gives NaN in all of its condition.

    **Gradient**: that of the quotient; 0 where `p(y) = 0`.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, section 2.2.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> print(jaxinfo.conditional(jnp.array([[0.25, 0.5], [0.75, 0.0]]), axis=0))
        [[0.25 1.  ]
         [0.75 0.  ]]
    """
    table, axes, dtype = _prepare("conditional", p, axis, where)
    condition = jnp.broadcast_to(_numerics.row_sum(table, axes, True), table.shape)
    return _numerics.quotient(table, condition).astype(dtype)
