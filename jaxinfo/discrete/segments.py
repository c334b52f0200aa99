"""Measures of ragged tables: flat probabilities, and for each the segment (the table) that it belongs to."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import _checks, _numerics, _segments
from jaxinfo.discrete.entropies import prepare_pair

OPTIONS = ("num_segments", "axis", "base", "indices_are_sorted")


def _sum(
    name: str,
    term: Callable[..., jax.Array],
    tables: tuple[jax.Array, ...],
    axes: tuple[int, ...],
    segment_ids: ArrayLike,
    num_segments: int,
    indices_are_sorted: bool,
) -> jax.Array:
    """Sums a term of the tables over the segments."""
    axis = _segments.ragged_axis(name, axes)
    shape = _segments.check(name, segment_ids, num_segments, indices_are_sorted, tables[0].shape[axis])
    column = _segments.columns(shape, segment_ids)
    kept = [_segments.inside(shape, column, jnp.moveaxis(t, axis, 0)) for t in tables]
    return _segments.segments(_segments.total(shape, column, term(*kept)), axis)


@_checks.measure(*OPTIONS)
def segment_entropy(
    p: ArrayLike,
    segment_ids: ArrayLike,
    *,
    num_segments: int,
    axis: int = -1,
    where: ArrayLike | None = None,
    base: float | None = None,
    indices_are_sorted: bool = False,
) -> jax.Array:
    r"""Shannon entropy of each segment of a ragged axis, $H_s = -\sum_{t \in s} p_t \log p_t$.

    Args:
        p: Probabilities `[..., T]`, the tables of all segments end to end or mixed. Not renormalised.
        segment_ids: Integers `[T]`, the segment of each entry. Entries outside `[0, num_segments)` are dropped.
        num_segments: How many segments there are, static.
        axis: The ragged axis.
        where: Entries to keep; others are dropped, without renormalising.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.
        indices_are_sorted: Whether `segment_ids` is known to be sorted, as in `jax.ops.segment_sum`.

    Returns:
        An array `[..., num_segments]`, the segments on the ragged axis; 0 for an empty one.

    Raises:
        TypeError: If `p` is not real, `segment_ids` or `num_segments` not integer, or `where` not boolean.
        ValueError: If shapes, `num_segments`, `axis`, `where` or `base` do not fit.

    **Domain**: `0 log 0 = 0`; a negative probability gives NaN in its segment.

    **Gradient**: `-1 - log p`; 0 at `p = 0`, where it is infinite, and for an entry that is dropped.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, section 2.1.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> p, ids = jnp.array([0.5, 0.5, 1.0, 0.25, 0.25, 0.5]), jnp.array([0, 0, 1, 2, 2, 2])
        >>> print(jaxinfo.segment_entropy(p, ids, num_segments=3, base=2))
        [1.  0.  1.5]
    """
    name = "segment_entropy"
    unit, table = _checks.unit(name, base), _checks.floating(name, "p", p)
    axes = _checks.axes(name, axis, table.ndim)
    (kept,) = _numerics.drop(_checks.mask(name, where, table.shape), _numerics.accumulate(table))
    nats = _sum(name, _numerics.entropy_term, (kept,), axes, segment_ids, num_segments, indices_are_sorted)
    return _numerics.in_units(nats, unit).astype(table.dtype)


@_checks.measure(*OPTIONS)
def segment_cross_entropy(
    p: ArrayLike,
    q: ArrayLike,
    segment_ids: ArrayLike,
    *,
    num_segments: int,
    axis: int = -1,
    where: ArrayLike | None = None,
    base: float | None = None,
    indices_are_sorted: bool = False,
) -> jax.Array:
    r"""Cross-entropy of each segment of a ragged axis, $H_s(p, q) = -\sum_{t \in s} p_t \log q_t$.

    Args:
        p: Probabilities `[..., T]` under which the mean is taken.
        q: Probabilities `[..., T]` whose surprisal is averaged; batch axes broadcast.
        segment_ids: Integers `[T]`, the segment of each entry. Entries outside `[0, num_segments)` are dropped.
        num_segments: How many segments there are, static.
        axis: The ragged axis.
        where: Entries to keep; others are dropped, without renormalising.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.
        indices_are_sorted: Whether `segment_ids` is known to be sorted, as in `jax.ops.segment_sum`.

    Returns:
        An array `[..., num_segments]`, the segments on the ragged axis; 0 for an empty one.

    Raises:
        TypeError: If a table is not real, `segment_ids` or `num_segments` not integer, or `where` not boolean.
        ValueError: If shapes, `num_segments`, `axis`, `where` or `base` do not fit.

    **Domain**: `p = 0` adds nothing, also where `q = 0`; `p > 0, q = 0` gives `inf`; a negative entry gives NaN in its
    segment.

    **Gradient**: as that of `cross_entropy`; 0 for an entry that is dropped.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, section 5.4.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> p, q = jnp.array([1.0, 0.0, 1.0, 0.0]), jnp.array([0.5, 0.5, 0.25, 0.75])
        >>> print(jaxinfo.segment_cross_entropy(p, q, jnp.array([0, 0, 1, 1]), num_segments=2, base=2))
        [1. 2.]
    """
    name = "segment_cross_entropy"
    unit = _checks.unit(name, base)
    *kept, axes, dtype = prepare_pair(name, p, q, axis, where)
    nats = _sum(name, _numerics.cross_entropy_term, tuple(kept), axes, segment_ids, num_segments, indices_are_sorted)
    return _numerics.in_units(nats, unit).astype(dtype)


@_checks.measure(*OPTIONS)
def segment_kl_divergence(
    p: ArrayLike,
    q: ArrayLike,
    segment_ids: ArrayLike,
    *,
    num_segments: int,
    axis: int = -1,
    where: ArrayLike | None = None,
    base: float | None = None,
    indices_are_sorted: bool = False,
) -> jax.Array:
    r"""Divergence of each segment, $\mathrm{KL}_s(p\|q) = \sum_{t \in s} p_t \log(p_t/q_t) - p_t + q_t$.

    Args:
        p: Probabilities `[..., T]` under which the mean is taken.
        q: Probabilities `[..., T]`; batch axes broadcast.
        segment_ids: Integers `[T]`, the segment of each entry. Entries outside `[0, num_segments)` are dropped.
        num_segments: How many segments there are, static.
        axis: The ragged axis.
        where: Entries to keep; others are dropped, without renormalising.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.
        indices_are_sorted: Whether `segment_ids` is known to be sorted, as in `jax.ops.segment_sum`.

    Returns:
        An array `[..., num_segments]`, the segments on the ragged axis: at least 0, exactly 0 where `p == q`.

    Raises:
        TypeError: If a table is not real, `segment_ids` or `num_segments` not integer, or `where` not boolean.
        ValueError: If shapes, `num_segments`, `axis`, `where` or `base` do not fit.

    **Domain**: `p > 0, q = 0` gives `inf`; `p = q = 0` adds nothing; a negative entry gives NaN in its segment.

    **Gradient**: as that of `kl_divergence`; 0 for an entry that is dropped.

    Reference: S. Kullback and R. A. Leibler, "On Information and Sufficiency", Annals of Mathematical Statistics 22,
        1951.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> p, q = jnp.array([0.5, 0.5, 1.0, 0.0]), jnp.array([0.5, 0.5, 0.25, 0.75])
        >>> print(jaxinfo.segment_kl_divergence(p, q, jnp.array([0, 0, 1, 1]), num_segments=2, base=2))
        [0. 2.]
    """
    name = "segment_kl_divergence"
    unit = _checks.unit(name, base)
    *kept, axes, dtype = prepare_pair(name, p, q, axis, where)
    nats = _sum(name, _numerics.kl_term, tuple(kept), axes, segment_ids, num_segments, indices_are_sorted)
    return _numerics.in_units(nats, unit).astype(dtype)
