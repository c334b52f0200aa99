"""How much many variables of a joint table of logits have to do with each other: each axis is one."""

from __future__ import annotations

import jax
from jax.typing import ArrayLike

from jaxinfo import _checks, _variables
from jaxinfo._checks import Axis
from jaxinfo.logits import _correlation_rows as rows
from jaxinfo.logits._whole import CHAIN, OPTIONS, prepare


@_checks.measure(*OPTIONS)
def total_correlation(
    logits: ArrayLike,
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
        logits: Unnormalised log-probabilities, one axis for each variable.
        axis: The axes that are variables; all of them by default, the others are batch axes.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether the variables' axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array over the batch axes: at least 0, 0 only where the variables are independent of each other.

    Raises:
        TypeError: If `logits` is not real or `where` not boolean.
        ValueError: If there is no variable, or `axis`, `where` or `base` do not fit.

    **Domain**: masked outcomes add nothing; a table with all of them masked is no distribution: NaN.

    **Gradient**: finite always; 0 for a masked logit.

    Reference: S. Watanabe, "Information Theoretical Analysis of Multivariate Correlation", IBM Journal of Research and
    Development 4(1), 1960.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> xor = jnp.log(jnp.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]]))
        >>> print(f"{logits.total_correlation(xor, base=2):.4f}")
        1.0000
    """
    name = "total_correlation"
    unit = _checks.unit(name, base)
    table, count, variables = prepare(name, logits, axis, where)
    value = rows.total_correlation(table, count)
    return variables.finish(value, keepdims, unit)


@_checks.measure(*OPTIONS)
def dual_total_correlation(
    logits: ArrayLike,
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
        logits: Unnormalised log-probabilities, one axis for each variable.
        axis: The axes that are variables; all of them by default, the others are batch axes.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether the variables' axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array over the batch axes: at least 0, 0 only where the variables are independent of each other.

    Raises:
        TypeError: If `logits` is not real or `where` not boolean.
        ValueError: If there is no variable, or `axis`, `where` or `base` do not fit.

    **Domain**: masked outcomes add nothing; a table with all of them masked is no distribution: NaN.

    **Gradient**: finite always; 0 for a masked logit.

    Reference: T. S. Han, "Nonnegative Entropy Measures of Multivariate Symmetric Correlations", Information and Control
    36(2), 1978.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> xor = jnp.log(jnp.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]]))
        >>> print(f"{logits.dual_total_correlation(xor, base=2):.4f}")
        2.0000
    """
    name = "dual_total_correlation"
    unit = _checks.unit(name, base)
    table, count, variables = prepare(name, logits, axis, where)
    value = rows.dual_total_correlation(table, count)
    return variables.finish(value, keepdims, unit)


@_checks.measure(*OPTIONS)
def s_information(
    logits: ArrayLike,
    *,
    axis: Axis = None,
    where: ArrayLike | None = None,
    keepdims: bool = False,
    base: float | None = None,
) -> jax.Array:
    r"""S-information $\Sigma = \mathrm{TC} + \mathrm{DTC} = \sum_i I(X_i; X_{-i})$.

    Summed from terms that are never negative, as the other two are.

    Args:
        logits: Unnormalised log-probabilities, one axis for each variable.
        axis: The axes that are variables; all of them by default, the others are batch axes.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether the variables' axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array over the batch axes: at least 0, 0 only where the variables are independent of each other.

    Raises:
        TypeError: If `logits` is not real or `where` not boolean.
        ValueError: If there is no variable, or `axis`, `where` or `base` do not fit.

    **Domain**: masked outcomes add nothing; a table with all of them masked is no distribution: NaN.

    **Gradient**: finite always; 0 for a masked logit.

    Reference: F. E. Rosas, P. A. M. Mediano, M. Gastpar and H. J. Jensen, "Quantifying High-order Interdependencies via
    Multivariate Extensions of the Mutual Information", Physical Review E 100, 032305, 2019.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> xor = jnp.log(jnp.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]]))
        >>> print(f"{logits.s_information(xor, base=2):.4f}")
        3.0000
    """
    name = "s_information"
    unit = _checks.unit(name, base)
    table, count, variables = prepare(name, logits, axis, where)
    value = rows.total_correlation(table, count) + rows.dual_total_correlation(table, count)
    return variables.finish(value, keepdims, unit)


@_checks.measure(*OPTIONS)
def o_information(
    logits: ArrayLike,
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
        logits: Unnormalised log-probabilities, one axis for each variable.
        axis: The axes that are variables; all of them by default, the others are batch axes.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether the variables' axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array over the batch axes: above 0 where redundancy prevails, below 0 where synergy does.

    Raises:
        TypeError: If `logits` is not real or `where` not boolean.
        ValueError: If there is no variable, or `axis`, `where` or `base` do not fit.

    **Domain**: masked outcomes add nothing; a table with all of them masked is no distribution: NaN.

    **Gradient**: finite always; 0 for a masked logit.

    Reference: F. E. Rosas, P. A. M. Mediano, M. Gastpar and H. J. Jensen, "Quantifying High-order Interdependencies via
    Multivariate Extensions of the Mutual Information", Physical Review E 100, 032305, 2019.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> xor = jnp.log(jnp.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]]))
        >>> print(f"{logits.o_information(xor, base=2):.4f}")
        -1.0000
    """
    name = "o_information"
    unit = _checks.unit(name, base)
    table, count, variables = prepare(name, logits, axis, where)
    value = _variables.o_information(CHAIN, table, count)
    return variables.finish(value, keepdims, unit)
