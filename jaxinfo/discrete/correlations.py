"""How much many variables of a joint table have to do with each other: each axis of the table is one."""

from __future__ import annotations

import jax
from jax.typing import ArrayLike

from jaxinfo import _checks, _variables
from jaxinfo._checks import Axis
from jaxinfo.discrete import _correlation_rows as rows
from jaxinfo.discrete._whole import CHAIN, OPTIONS, on_face, prepare


@_checks.measure(*OPTIONS)
def total_correlation(
    p: ArrayLike,
    *,
    axis: Axis = None,
    where: ArrayLike | None = None,
    keepdims: bool = False,
    base: float | None = None,
) -> jax.Array:
    r"""Total correlation $\mathrm{TC} = \sum_i H(X_i) - H(X_1, \ldots, X_n) = \mathrm{KL}(p \| \prod_i p_i)$.

    Also called multi-information. Summed as the divergence, or where that would lose digits or take more sums as
    $\sum_i I(X_i; X_{i+1}, \ldots, X_n)$: no term is negative.

    Args:
        p: A joint table, one axis for each variable.
        axis: The axes that are variables; all of them by default, the others are batch axes.
        where: Entries to keep; others are dropped, without renormalising.
        keepdims: Whether the variables' axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array over the batch axes: at least 0, 0 only where the variables are independent of each other.

    Raises:
        TypeError: If `p` is not real or `where` not boolean.
        ValueError: If there is no variable, or `axis`, `where` or `base` do not fit.

    **Domain**: zeros add nothing; a negative probability gives NaN in its table.

    **Gradient**: `log(p c^(n-1) / prod_i p_i)` with c the mass; 0 at `p = 0`.

    Reference: S. Watanabe, "Information Theoretical Analysis of Multivariate Correlation", IBM Journal of Research and
    Development 4(1), 1960.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> xor = jnp.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]]) / 4
        >>> print(f"{jaxinfo.total_correlation(xor, base=2):.4f}")
        1.0000
    """
    name = "total_correlation"
    unit = _checks.unit(name, base)
    table, count, variables = prepare(name, p, axis, where)
    value = rows.total_correlation(on_face(table), count)
    return variables.finish(value, keepdims, unit)


@_checks.measure(*OPTIONS)
def dual_total_correlation(
    p: ArrayLike,
    *,
    axis: Axis = None,
    where: ArrayLike | None = None,
    keepdims: bool = False,
    base: float | None = None,
) -> jax.Array:
    r"""Dual total correlation $\mathrm{DTC} = H(X_1, \ldots, X_n) - \sum_i H(X_i | X_{-i})$.

    Also called binding information. Where it is small, or of more than three variables, it is summed as
    $\sum_i I(X_i; X_{i+1}, \ldots, X_n | X_1, \ldots, X_{i-1})$, of which no term is negative.

    Args:
        p: A joint table, one axis for each variable.
        axis: The axes that are variables; all of them by default, the others are batch axes.
        where: Entries to keep; others are dropped, without renormalising.
        keepdims: Whether the variables' axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array over the batch axes: at least 0, 0 only where the variables are independent of each other.

    Raises:
        TypeError: If `p` is not real or `where` not boolean.
        ValueError: If there is no variable, or `axis`, `where` or `base` do not fit.

    **Domain**: zeros add nothing; a negative probability gives NaN in its table.

    **Gradient**: `log(p^(n-1) c / prod_i p_-i)` with c the mass; 0 at `p = 0`.

    Reference: T. S. Han, "Nonnegative Entropy Measures of Multivariate Symmetric Correlations", Information and Control
    36(2), 1978.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> xor = jnp.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]]) / 4
        >>> print(f"{jaxinfo.dual_total_correlation(xor, base=2):.4f}")
        2.0000
    """
    name = "dual_total_correlation"
    unit = _checks.unit(name, base)
    table, count, variables = prepare(name, p, axis, where)
    value = rows.dual_total_correlation(on_face(table), count)
    return variables.finish(value, keepdims, unit)


@_checks.measure(*OPTIONS)
def s_information(
    p: ArrayLike,
    *,
    axis: Axis = None,
    where: ArrayLike | None = None,
    keepdims: bool = False,
    base: float | None = None,
) -> jax.Array:
    r"""S-information $\Sigma = \mathrm{TC} + \mathrm{DTC} = \sum_i I(X_i; X_{-i})$.

    Summed from terms that are never negative, as the other two are.

    Args:
        p: A joint table, one axis for each variable.
        axis: The axes that are variables; all of them by default, the others are batch axes.
        where: Entries to keep; others are dropped, without renormalising.
        keepdims: Whether the variables' axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array over the batch axes: at least 0, 0 only where the variables are independent of each other.

    Raises:
        TypeError: If `p` is not real or `where` not boolean.
        ValueError: If there is no variable, or `axis`, `where` or `base` do not fit.

    **Domain**: zeros add nothing; a negative probability gives NaN in its table.

    **Gradient**: that of its two parts; 0 at `p = 0`.

    Reference: F. E. Rosas, P. A. M. Mediano, M. Gastpar and H. J. Jensen, "Quantifying High-order Interdependencies via
    Multivariate Extensions of the Mutual Information", Physical Review E 100, 032305, 2019.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> xor = jnp.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]]) / 4
        >>> print(f"{jaxinfo.s_information(xor, base=2):.4f}")
        3.0000
    """
    name = "s_information"
    unit = _checks.unit(name, base)
    table, count, variables = prepare(name, p, axis, where)
    face = on_face(table)
    value = rows.total_correlation(face, count) + rows.dual_total_correlation(face, count)
    return variables.finish(value, keepdims, unit)


@_checks.measure(*OPTIONS)
def o_information(
    p: ArrayLike,
    *,
    axis: Axis = None,
    where: ArrayLike | None = None,
    keepdims: bool = False,
    base: float | None = None,
) -> jax.Array:
    r"""O-information $\Omega = \mathrm{TC} - \mathrm{DTC} = (n-2) H(X) + \sum_i [H(X_i) - H(X_{-i})]$.

    Summed as $\sum_{1 < i < n} I(X_i; X_{>i}) - I(X_i; X_{>i} | X_{<i})$, without
    what the two correlations have in common. Of three variables it is their `co_information`, of two it is 0.

    Args:
        p: A joint table, one axis for each variable.
        axis: The axes that are variables; all of them by default, the others are batch axes.
        where: Entries to keep; others are dropped, without renormalising.
        keepdims: Whether the variables' axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array over the batch axes: above 0 where redundancy prevails, below 0 where synergy does.

    Raises:
        TypeError: If `p` is not real or `where` not boolean.
        ValueError: If there is no variable, or `axis`, `where` or `base` do not fit.

    **Domain**: zeros add nothing; a negative probability gives NaN in its table.

    **Gradient**: that of its two parts; 0 at `p = 0`.

    Reference: F. E. Rosas, P. A. M. Mediano, M. Gastpar and H. J. Jensen, "Quantifying High-order Interdependencies via
    Multivariate Extensions of the Mutual Information", Physical Review E 100, 032305, 2019.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> xor = jnp.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]]) / 4
        >>> print(f"{jaxinfo.o_information(xor, base=2):.4f}")
        -1.0000
    """
    name = "o_information"
    unit = _checks.unit(name, base)
    table, count, variables = prepare(name, p, axis, where)
    value = _variables.o_information(CHAIN, on_face(table), count)
    return variables.finish(value, keepdims, unit)
