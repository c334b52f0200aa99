"""Processes, from the joint logits of their next state and of what they and others were."""

from __future__ import annotations

import jax
from jax.typing import ArrayLike

from jaxinfo import _checks, _log_domain, _numerics
from jaxinfo.logits._arguments import JOINT_OPTIONS, joint


@_checks.measure(*JOINT_OPTIONS)
def transfer_entropy(
    logits: ArrayLike, *, where: ArrayLike | None = None, keepdims: bool = False, base: float | None = None
) -> jax.Array:
    r"""Transfer entropy $I(\text{next}; \text{source} | \text{past})$ from a source to a target.

    How much the past of the source tells of the target's next state beyond what the target's own past does. Each past
    may be of several steps, flattened to one axis.

    Args:
        logits: Unnormalised log-probabilities `[..., target's next state, target's past, source's past]`, in
            Schreiber's order.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether the three axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array `[...]`: at least 0, 0 only where the next state does not depend on the source given its own past.

    Raises:
        TypeError: If `logits` is not real or `where` not boolean.
        ValueError: If `logits` has fewer than three axes, or `where` or `base` do not fit.

    **Domain**: masked outcomes add nothing; all of them masked is no distribution: NaN.

    **Gradient**: finite always; 0 for a masked logit.

    Reference: T. Schreiber, "Measuring Information Transfer", Physical Review Letters 85(2), 2000.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> copied = jnp.einsum("ns,t->nts", jnp.eye(2) / 2, jnp.array([0.5, 0.5]))
        >>> print(f"{logits.transfer_entropy(jnp.log(copied), base=2):.4f}")
        1.0000
    """
    name = "transfer_entropy"
    unit = _checks.unit(name, base)
    z, dtype = joint(name, "logits", logits, where, 3)
    value = _log_domain.information((-1, -3, -2), z)
    return _numerics.finish(value, (-3, -2, -1), keepdims, unit, dtype)


@_checks.measure(*JOINT_OPTIONS)
def active_information_storage(
    logits: ArrayLike, *, where: ArrayLike | None = None, keepdims: bool = False, base: float | None = None
) -> jax.Array:
    r"""Active information storage $I(\text{next}; \text{past})$: how much a process tells of its own next state.

    Args:
        logits: Unnormalised log-probabilities `[..., next state, past]`; a past of several steps is flattened to one
            axis.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether the two axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array `[...]`: at least 0, 0 only where the next state does not depend on the past.

    Raises:
        TypeError: If `logits` is not real or `where` not boolean.
        ValueError: If `logits` has fewer than two axes, or `where` or `base` do not fit.

    **Domain**: masked outcomes add nothing; all of them masked is no distribution: NaN.

    **Gradient**: finite always; 0 for a masked logit.

    Reference: J. T. Lizier, M. Prokopenko and A. Y. Zomaya, "Local Measures of Information Storage in Complex
    Distributed Computation", Information Sciences 208, 2012.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> alternating = jnp.array([[0.0, 0.5], [0.5, 0.0]])
        >>> print(f"{logits.active_information_storage(jnp.log(alternating), base=2):.4f}")
        1.0000
    """
    name = "active_information_storage"
    unit = _checks.unit(name, base)
    z, dtype = joint(name, "logits", logits, where, 2)
    return _numerics.finish(_log_domain.information((-2, -1), z), (-2, -1), keepdims, unit, dtype)
