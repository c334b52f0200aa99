"""Distances of overlap between tables of probabilities: Hellinger, Bhattacharyya, Chernoff."""

from __future__ import annotations

import jax
from jax.typing import ArrayLike

from jaxinfo import _checks, _log_domain, _numerics
from jaxinfo._checks import Axis
from jaxinfo.discrete.entropies import OPTIONS, prepare_pair


@_checks.measure("axis", "keepdims")
def hellinger_distance(
    p: ArrayLike,
    q: ArrayLike,
    *,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    keepdims: bool = False,
) -> jax.Array:
    r"""Hellinger distance $\sqrt{\frac{1}{2} \sum_k (\sqrt{p_k} - \sqrt{q_k})^2} = \sqrt{1 - \sum_k \sqrt{p_k q_k}}$.

    Args:
        p: Probabilities `[..., K]`.
        q: Probabilities `[..., K]`; batch axes broadcast.
        axis: The axis or axes summed over; `None` for all.
        where: Entries to keep; others are dropped, without renormalising.
        keepdims: Whether summed axes stay, with length 1.

    Returns:
        An array over the other axes: a metric between 0 and 1, exactly 0 where `p == q`. It has no unit.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes, `axis`, `where` do not fit.

    **Domain**: 1 where normalised tables have nothing in common; a negative probability gives NaN in its row.

    **Gradient**: `(1 - sqrt(q/p)) / (4 d)` in `p`; 0 where `p` alone is 0 (there it is infinite) and where `p == q`.

    Reference: E. Hellinger, "Neue Begründung der Theorie quadratischer Formen von unendlichvielen Veränderlichen",
        Journal für die reine und angewandte Mathematik 136, 1909.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> print(jaxinfo.hellinger_distance(jnp.array([1.0, 0.0]), jnp.array([0.0, 1.0])))
        1.0
    """
    name = "hellinger_distance"
    kept_p, kept_q, axes, dtype = prepare_pair(name, p, q, axis, where)
    square = 0.5 * _numerics.row_sum(_log_domain.hellinger_term(kept_p, kept_q), axes, True)
    return _numerics.finish(_numerics.square_root(square), axes, keepdims, 1.0, dtype)


@_checks.measure(*OPTIONS)
def bhattacharyya_distance(
    p: ArrayLike,
    q: ArrayLike,
    *,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    keepdims: bool = False,
    base: float | None = None,
) -> jax.Array:
    r"""Bhattacharyya distance $-\log \sum_k \sqrt{p_k q_k}$.

    The sum is divided by the mean mass of the tables, 1 where they are normalised. It keeps its digits where p and q
    are close.

    Args:
        p: Probabilities `[..., K]`.
        q: Probabilities `[..., K]`; batch axes broadcast.
        axis: The axis or axes summed over; `None` for all.
        where: Entries to keep; others are dropped, without renormalising.
        keepdims: Whether summed axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array over the other axes: symmetric, at least 0, exactly 0 where `p == q`.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes, `axis`, `where` or `base` do not fit.

    **Domain**: `inf` where p and q have nothing in common; a negative probability gives NaN in its row.

    **Gradient**: `(1 - sqrt(q/p) e^B) / 2` in `p`; 0 where `p` alone is 0, where it is infinite.

    Reference: A. Bhattacharyya, "On a measure of divergence between two statistical populations defined by their
        probability distributions", Bulletin of the Calcutta Mathematical Society 35, 1943.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> print(jaxinfo.bhattacharyya_distance(jnp.full(4, 0.25), jnp.array([1.0, 0.0, 0.0, 0.0]), base=2))
        1.0
    """
    name = "bhattacharyya_distance"
    unit = _checks.unit(name, base)
    kept_p, kept_q, axes, dtype = prepare_pair(name, p, q, axis, where)
    return _numerics.finish(_log_domain.bhattacharyya_distance(axes, kept_p, kept_q), axes, keepdims, unit, dtype)


@_checks.measure(*OPTIONS)
def chernoff_information(
    p: ArrayLike,
    q: ArrayLike,
    *,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    keepdims: bool = False,
    base: float | None = None,
) -> jax.Array:
    r"""Chernoff information $\max_{0 \le a \le 1} -\log \sum_k p_k^a q_k^{1-a}$.

    The best exponent at which the error of telling p from q by samples falls. The order is found by a safeguarded
    Newton method, in a loop that ends when all rows have converged.

    Args:
        p: Probabilities `[..., K]`.
        q: Probabilities `[..., K]`; batch axes broadcast.
        axis: The axis or axes summed over; `None` for all.
        where: Entries to keep; others are dropped, without renormalising.
        keepdims: Whether summed axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array over the other axes: symmetric, at least 0, exactly 0 where `p == q`, at most either divergence.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes, `axis`, `where` or `base` do not fit.

    **Domain**: `inf` where p and q have nothing in common; a negative probability gives NaN in its row.

    **Gradient**: that of `(1 - a) R_a(p|q)` at the best order, which does not add to it (envelope theorem); second
    derivatives follow the order.

    Reference: H. Chernoff, "A measure of asymptotic efficiency for tests of a hypothesis based on the sum of
        observations", Annals of Mathematical Statistics 23, 1952.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> print(f"{jaxinfo.chernoff_information(jnp.array([1.0, 0.0]), jnp.array([0.5, 0.5]), base=2):.4f}")
        1.0000
    """
    name = "chernoff_information"
    unit = _checks.unit(name, base)
    kept_p, kept_q, axes, dtype = prepare_pair(name, p, q, axis, where)
    return _numerics.finish(_log_domain.chernoff_of_tables(axes, kept_p, kept_q), axes, keepdims, unit, dtype)
