"""What all variables of a joint table of logits share, signed: synergy counts against redundancy."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import _checks, _log_domain, _variables
from jaxinfo._checks import Axis
from jaxinfo.logits._whole import CHAIN, OPTIONS, prepare


def _signed(z: jax.Array, count: int) -> jax.Array:
    """Co-information of the last axes, so many."""
    if count == 1:
        return jnp.squeeze(_log_domain.entropy((-1,), z), -1)
    return _variables.co_information(CHAIN, z, count)


@_checks.measure(*OPTIONS)
def co_information(
    logits: ArrayLike,
    *,
    axis: Axis = None,
    where: ArrayLike | None = None,
    keepdims: bool = False,
    base: float | None = None,
) -> jax.Array:
    r"""Co-information $I(X_1; \ldots; X_n) = I(X_1; \ldots; X_{n-1}) - I(X_1; \ldots; X_{n-1} | X_n)$.

    Summed as $\sum_S (-1)^{|S|} I(X_{n-1}; X_n | S)$ over all $2^{n-2}$ sets S of other variables.

    Args:
        logits: Unnormalised log-probabilities, one axis for each variable.
        axis: The axes that are variables; all of them by default, the others are batch axes.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether the variables' axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array over the batch axes: of two variables their mutual information, of one its entropy, of three and more
        of either sign.

    Raises:
        TypeError: If `logits` is not real or `where` not boolean.
        ValueError: If there is no variable, or `axis`, `where` or `base` do not fit.

    **Domain**: masked outcomes add nothing; a table with all of them masked is no distribution: NaN.

    **Gradient**: finite always; 0 for a masked logit.

    Reference: A. J. Bell, "The Co-information Lattice", Proceedings of the Fourth International Workshop on Independent
    Component Analysis and Blind Signal Separation, 2003.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> xor = jnp.log(jnp.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]]))
        >>> print(f"{logits.co_information(xor, base=2):.4f}")
        -1.0000
    """
    name = "co_information"
    unit = _checks.unit(name, base)
    table, count, variables = prepare(name, logits, axis, where)
    value = _signed(table, count)
    return variables.finish(value, keepdims, unit)


@_checks.measure(*OPTIONS)
def interaction_information(
    logits: ArrayLike,
    *,
    axis: Axis = None,
    where: ArrayLike | None = None,
    keepdims: bool = False,
    base: float | None = None,
) -> jax.Array:
    r"""Interaction information in McGill's sign: $(-1)^n$ times `co_information`.

    Args:
        logits: Unnormalised log-probabilities, one axis for each variable.
        axis: The axes that are variables; all of them by default, the others are batch axes.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether the variables' axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array over the batch axes: of three variables above 0 where synergy prevails, below 0 where redundancy does.

    Raises:
        TypeError: If `logits` is not real or `where` not boolean.
        ValueError: If there is no variable, or `axis`, `where` or `base` do not fit.

    **Domain**: masked outcomes add nothing; a table with all of them masked is no distribution: NaN.

    **Gradient**: finite always; 0 for a masked logit.

    Reference: W. J. McGill, "Multivariate Information Transmission", Psychometrika 19(2), 1954.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> xor = jnp.log(jnp.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]]))
        >>> print(f"{logits.interaction_information(xor, base=2):.4f}")
        1.0000
    """
    name = "interaction_information"
    unit = _checks.unit(name, base)
    table, count, variables = prepare(name, logits, axis, where)
    value = (-1) ** count * _signed(table, count)
    return variables.finish(value, keepdims, unit)
