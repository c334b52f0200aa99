"""Processes, from the joint table of their next state and of what they and others were."""

from __future__ import annotations

import jax
from jax.typing import ArrayLike

from jaxinfo import _checks, _numerics
from jaxinfo.discrete import _joint_rows as rows
from jaxinfo.discrete.joint import JOINT_OPTIONS, _prepare


@_checks.measure(*JOINT_OPTIONS)
def transfer_entropy(
    p: ArrayLike, *, where: ArrayLike | None = None, keepdims: bool = False, base: float | None = None
) -> jax.Array:
    r"""Transfer entropy $I(\text{next}; \text{source} | \text{past})$ from a source to a target.

    How much the past of the source tells of the target's next state beyond what the target's own past does. Each past
    may be of several steps, flattened to one axis.

    Args:
        p: Joint tables `[..., target's next state, target's past, source's past]`, in Schreiber's order.
        where: Entries to keep; others are dropped, without renormalising.
        keepdims: Whether the three axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array `[...]`: at least 0, 0 only where the next state does not depend on the source given its own past.

    Raises:
        TypeError: If `p` is not real or `where` not boolean.
        ValueError: If `p` has fewer than three axes, or `where` or `base` do not fit.

    **Domain**: zeros add nothing; a negative probability gives NaN in its table.

    **Gradient**: `log(p(next|past, source) / p(next|past))`; 0 at `p = 0`, where it is infinite.

    Reference: T. Schreiber, "Measuring Information Transfer", Physical Review Letters 85(2), 2000.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> copied = jnp.einsum("ns,t->nts", jnp.eye(2) / 2, jnp.array([0.5, 0.5]))
        >>> print(jaxinfo.transfer_entropy(copied, base=2))
        1.0
    """
    name = "transfer_entropy"
    unit = _checks.unit(name, base)
    kept, dtype = _prepare(name, "p", p, where, 3)
    value = rows.information(kept, (-1, -3, -2))
    return _numerics.finish(value, (-3, -2, -1), keepdims, unit, dtype)


@_checks.measure(*JOINT_OPTIONS)
def active_information_storage(
    p: ArrayLike, *, where: ArrayLike | None = None, keepdims: bool = False, base: float | None = None
) -> jax.Array:
    r"""Active information storage $I(\text{next}; \text{past})$: how much a process tells of its own next state.

    Args:
        p: Joint tables `[..., next state, past]`; a past of several steps is flattened to one axis.
        where: Entries to keep; others are dropped, without renormalising.
        keepdims: Whether the two axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array `[...]`: at least 0, 0 only where the next state does not depend on the past.

    Raises:
        TypeError: If `p` is not real or `where` not boolean.
        ValueError: If `p` has fewer than two axes, or `where` or `base` do not fit.

    **Domain**: zeros add nothing; a negative probability gives NaN in its table.

    **Gradient**: `log(p(next|past) / p(next))`; 0 at `p = 0`, where it is infinite.

    Reference: J. T. Lizier, M. Prokopenko and A. Y. Zomaya, "Local Measures of Information Storage in Complex
    Distributed Computation", Information Sciences 208, 2012.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> alternating = jnp.array([[0.0, 0.5], [0.5, 0.0]])
        >>> print(jaxinfo.active_information_storage(alternating, base=2))
        1.0
    """
    name = "active_information_storage"
    unit = _checks.unit(name, base)
    kept, dtype = _prepare(name, "p", p, where, 2)
    return _numerics.finish(rows.information(kept, (-2, -1)), (-2, -1), keepdims, unit, dtype)
