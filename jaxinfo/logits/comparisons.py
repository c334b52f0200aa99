"""Two variables compared through their joint table of logits, as two clusterings of the same points are."""

from __future__ import annotations

import jax
from jax.typing import ArrayLike

from jaxinfo import _checks, _numerics
from jaxinfo.logits import _correlation_rows as rows
from jaxinfo.logits._arguments import JOINT_OPTIONS, joint

_AXES = (-2, -1)


@_checks.measure(*JOINT_OPTIONS)
def variation_of_information(
    logits_xy: ArrayLike, *, where: ArrayLike | None = None, keepdims: bool = False, base: float | None = None
) -> jax.Array:
    r"""Variation of information $H(X|Y) + H(Y|X) = H(X, Y) - I(X;Y)$, a metric between variables.

    Args:
        logits_xy: Unnormalised log-probabilities `[..., X, Y]`, normalised over both axes.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether the two axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array `[...]`: at least 0, 0 only where each variable is a function of the other, at most `H(X, Y)`.

    Raises:
        TypeError: If `logits_xy` is not real or `where` not boolean.
        ValueError: If `logits_xy` has fewer than two axes, or `where` or `base` do not fit.

    **Domain**: masked outcomes add nothing; a table with all of them masked is no distribution: NaN.

    **Gradient**: finite always; 0 for a masked logit.

    Reference: M. Meila, "Comparing Clusterings - an Information Based Distance", Journal of Multivariate Analysis
    98(5), 2007.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> logits_xy = jnp.log(jnp.array([[0.25, 0.25, 0.0], [0.0, 0.0, 0.5]]))
        >>> print(f"{logits.variation_of_information(logits_xy, base=2):.4f}")
        0.5000
    """
    name = "variation_of_information"
    unit = _checks.unit(name, base)
    z, dtype = joint(name, "logits_xy", logits_xy, where, 2)
    value = rows.variation_of_information(_AXES, z)
    return _numerics.finish(value, _AXES, keepdims, unit, dtype)
