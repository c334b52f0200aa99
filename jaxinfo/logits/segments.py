"""Measures of ragged tables of logits: flat logits, and for each the segment (the table) that it belongs to."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import _checks, _numerics, _segments
from jaxinfo.logits import _segment_values
from jaxinfo.logits._arguments import masked, one, pair

OPTIONS = ("num_segments", "axis", "base", "indices_are_sorted")


def _measure(
    name: str,
    value: Callable[..., jax.Array],
    logits: tuple[jax.Array, ...],
    axes: tuple[int, ...],
    segment_ids: ArrayLike,
    num_segments: int,
    indices_are_sorted: bool,
) -> jax.Array:
    """A measure `value(shape, column, *logits)` of the segments."""
    axis = _segments.ragged_axis(name, axes)
    shape = _segments.check(name, segment_ids, num_segments, indices_are_sorted, logits[0].shape[axis])
    column = _segments.columns(shape, segment_ids)
    kept = [_segments.inside(shape, column, jnp.moveaxis(z, axis, 0)) for z in logits]
    return _segments.segments(value(shape, column, *kept), axis)


@_checks.measure(*OPTIONS)
def segment_entropy(
    logits: ArrayLike,
    segment_ids: ArrayLike,
    *,
    num_segments: int,
    axis: int = -1,
    where: ArrayLike | None = None,
    base: float | None = None,
    indices_are_sorted: bool = False,
) -> jax.Array:
    r"""Shannon entropy of each segment's softmax, $\log \sum_{t \in s} e^{z_t} - \sum_{t \in s} p_t z_t$.

    Args:
        logits: Unnormalised log-probabilities `[..., T]`, the tables of all segments end to end or mixed.
        segment_ids: Integers `[T]`, the segment of each entry. Entries outside `[0, num_segments)` are dropped.
        num_segments: How many segments there are, static.
        axis: The ragged axis.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.
        indices_are_sorted: Whether `segment_ids` is known to be sorted, as in `jax.ops.segment_sum`.

    Returns:
        An array `[..., num_segments]`, the segments on the ragged axis.

    Raises:
        TypeError: If `logits` is not real, `segment_ids` or `num_segments` not integer, or `where` not boolean.
        ValueError: If shapes, `num_segments`, `axis`, `where` or `base` do not fit.

    **Domain**: masked outcomes add nothing; a segment that is empty or holds only `-inf` is no distribution: NaN.

    **Gradient**: `-p (z - sum(p z))` within the segment; 0 for a masked logit, and for one that is dropped.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, section 2.1.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> z, ids = jnp.array([3.0, 3.0, -jnp.inf, 1.0, 0.0, 0.0]), jnp.array([0, 0, 0, 1, 2, 2])
        >>> print(logits.segment_entropy(z, ids, num_segments=3, base=2))
        [1. 0. 1.]
    """
    name = "segment_entropy"
    unit = _checks.unit(name, base)
    z, axes, dtype = one(name, "logits", logits, axis, where)
    nats = _measure(name, _segment_values.entropy, (z,), axes, segment_ids, num_segments, indices_are_sorted)
    return _numerics.in_units(nats, unit).astype(dtype)


@_checks.measure(*OPTIONS)
def segment_cross_entropy(
    p_logits: ArrayLike,
    q_logits: ArrayLike,
    segment_ids: ArrayLike,
    *,
    num_segments: int,
    axis: int = -1,
    where: ArrayLike | None = None,
    base: float | None = None,
    indices_are_sorted: bool = False,
) -> jax.Array:
    r"""Cross-entropy of each segment's two softmaxes, $H_s(p, q) = -\sum_{t \in s} p_t \log q_t$.

    Args:
        p_logits: Unnormalised log-probabilities `[..., T]` of p.
        q_logits: Unnormalised log-probabilities `[..., T]` of q; batch axes broadcast.
        segment_ids: Integers `[T]`, the segment of each entry. Entries outside `[0, num_segments)` are dropped.
        num_segments: How many segments there are, static.
        axis: The ragged axis.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.
        indices_are_sorted: Whether `segment_ids` is known to be sorted, as in `jax.ops.segment_sum`.

    Returns:
        An array `[..., num_segments]`, the segments on the ragged axis.

    Raises:
        TypeError: If an argument is not real, `segment_ids` or `num_segments` not integer, or `where` not boolean.
        ValueError: If shapes, `num_segments`, `axis`, `where` or `base` do not fit.

    **Domain**: `inf` where q is masked and p is not; where both are, nothing is added; a segment that is empty or holds
    only `-inf` is no distribution: NaN.

    **Gradient**: `softmax(q) - softmax(p)` in `q_logits`, always; `-p (log q - sum(p log q))` in `p_logits`, finite
    also where the value is not.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, section 5.4.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> p, q = jnp.array([0.0, -jnp.inf, 1.0]), jnp.array([0.0, 0.0, 2.0])
        >>> print(logits.segment_cross_entropy(p, q, jnp.array([0, 0, 1]), num_segments=2, base=2))
        [1. 0.]
    """
    name = "segment_cross_entropy"
    unit = _checks.unit(name, base)
    z_p, z_q, axes, dtype = pair(name, ("p_logits", "q_logits"), p_logits, q_logits, axis, where)
    both = masked(name, where, z_p), z_q
    nats = _measure(name, _segment_values.cross_entropy, both, axes, segment_ids, num_segments, indices_are_sorted)
    return _numerics.in_units(nats, unit).astype(dtype)


@_checks.measure(*OPTIONS)
def segment_kl_divergence(
    p_logits: ArrayLike,
    q_logits: ArrayLike,
    segment_ids: ArrayLike,
    *,
    num_segments: int,
    axis: int = -1,
    where: ArrayLike | None = None,
    base: float | None = None,
    indices_are_sorted: bool = False,
) -> jax.Array:
    r"""Divergence of each segment's two softmaxes, $\mathrm{KL}_s(p\|q)$, with the digits of `kl_divergence`.

    Args:
        p_logits: Unnormalised log-probabilities `[..., T]` of p.
        q_logits: Unnormalised log-probabilities `[..., T]` of q; batch axes broadcast.
        segment_ids: Integers `[T]`, the segment of each entry. Entries outside `[0, num_segments)` are dropped.
        num_segments: How many segments there are, static.
        axis: The ragged axis.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.
        indices_are_sorted: Whether `segment_ids` is known to be sorted, as in `jax.ops.segment_sum`.

    Returns:
        An array `[..., num_segments]`, the segments on the ragged axis: at least 0, exactly 0 for equal logits.

    Raises:
        TypeError: If an argument is not real, `segment_ids` or `num_segments` not integer, or `where` not boolean.
        ValueError: If shapes, `num_segments`, `axis`, `where` or `base` do not fit.

    **Domain**: `inf` where q is masked and p is not; where both are, nothing is added; a segment that is empty or holds
    only `-inf` is no distribution: NaN.

    **Gradient**: `softmax(q) - softmax(p)` in `q_logits`, always; `p (log(p/q) - KL)` in `p_logits`, finite also where
    the value is not.

    Reference: S. Kullback and R. A. Leibler, "On Information and Sufficiency", Annals of Mathematical Statistics 22,
        1951.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> p, q = jnp.array([0.0, -jnp.inf, 1.0, 1.0]), jnp.array([0.0, 0.0, 2.0, 2.0])
        >>> print(logits.segment_kl_divergence(p, q, jnp.array([0, 0, 1, 1]), num_segments=2, base=2))
        [1. 0.]
    """
    name = "segment_kl_divergence"
    unit = _checks.unit(name, base)
    z_p, z_q, axes, dtype = pair(name, ("p_logits", "q_logits"), p_logits, q_logits, axis, where)
    both = masked(name, where, z_p), z_q
    nats = _measure(name, _segment_values.kl_divergence, both, axes, segment_ids, num_segments, indices_are_sorted)
    return _numerics.in_units(nats, unit).astype(dtype)
