"""Marginal and conditional tables of log-probabilities."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import _checks, _log_domain
from jaxinfo._checks import Axis
from jaxinfo.logits._arguments import one


@_checks.measure("axis", "keepdims")
def marginal(logits: ArrayLike, *, axis: Axis, where: ArrayLike | None = None, keepdims: bool = False) -> jax.Array:
    r"""Logarithm of the marginal table $p(x) = \sum_y p(x, y)$ of the variables named.

    Args:
        logits: Unnormalised log-probabilities, one axis for each variable, normalised over all axes.
        axis: The axes that stay, in the order of the table; all others are summed out. Map over a batch by `jax.vmap`.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether the axes that are summed out stay, with length 1.

    Returns:
        Normalised log-probabilities over the axes named.

    Raises:
        TypeError: If `logits` is not real or `where` not boolean.
        ValueError: If `axis` or `where` do not fit.

    **Domain**: `-inf` where all that is summed is masked; NaN where the whole table is.

    **Gradient**: finite always; 0 for a masked logit.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, section 2.2.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> p_xy = jnp.array([[0.25, 0.5], [0.25, 0.0]])
        >>> print(jnp.exp(logits.marginal(jnp.log(p_xy), axis=0)).round(4))
        [0.75 0.25]
    """
    z, axes, dtype = one("marginal", "logits", logits, axis, where)
    others = tuple(a for a in range(-z.ndim, 0) if a not in axes)
    left = jnp.expand_dims(_log_domain.log_mean_exp(z, others), others) if others else z
    value = -_log_domain.surprisal(axes, left)
    return (value if keepdims else jnp.squeeze(value, others)).astype(dtype)


@_checks.measure("axis")
def conditional(logits: ArrayLike, *, axis: Axis, where: ArrayLike | None = None) -> jax.Array:
    r"""Logarithm of the conditional table $p(x|y) = p(x, y) / \sum_x p(x, y)$ of the variables named, given all others.

    Args:
        logits: Unnormalised log-probabilities, one axis for each variable.
        axis: The axes of X, along which the result is normalised. For fewer conditions sum the others out first, by
            `marginal`.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.

    Returns:
        Normalised log-probabilities of the shape of `logits`.

    Raises:
        TypeError: If `logits` is not real or `where` not boolean.
        ValueError: If `axis` or `where` do not fit.

    **Domain**: `-inf` where masked, also throughout a condition that never occurs.

    **Gradient**: finite always; 0 for a masked logit.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, section 2.2.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> p_xy = jnp.array([[0.25, 0.5], [0.75, 0.0]])
        >>> print(jnp.exp(logits.conditional(jnp.log(p_xy), axis=0)).round(4))
        [[0.25 1.  ]
         [0.75 0.  ]]
    """
    z, axes, dtype = one("conditional", "logits", logits, axis, where)
    never = jnp.max(z, axis=axes, keepdims=True, initial=-jnp.inf) == -jnp.inf
    value = -_log_domain.surprisal(axes, jnp.where(never, jnp.zeros_like(z), z))
    return jnp.where(never, -jnp.inf, value).astype(dtype)
