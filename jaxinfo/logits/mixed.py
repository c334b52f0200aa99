"""The forms that mix tables of probabilities, or labels, with logits."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import _checks, _log_domain, _numerics
from jaxinfo._checks import Axis
from jaxinfo.logits._arguments import OPTIONS, one, pair


@_checks.measure(*OPTIONS)
def cross_entropy_from_probs(
    p: ArrayLike,
    q_logits: ArrayLike,
    *,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    keepdims: bool = False,
    base: float | None = None,
) -> jax.Array:
    r"""Cross-entropy $-\sum p \log \mathrm{softmax}(z_q)$ of a table of probabilities and logits.

    Args:
        p: Probabilities `[..., K]`.
        q_logits: Unnormalised log-probabilities `[..., K]`; batch axes broadcast.
        axis: The axis or axes of a distribution; `None` for all.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`, and dropped from `p`.
        keepdims: Whether summed axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array over the other axes, at least the entropy of p.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes, `axis`, `where` or `base` do not fit.

    **Domain**: `inf` where q is masked and `p > 0`; `p = 0` adds nothing.

    **Gradient**: `softmax(q) sum(p) - p` in `q_logits`, always; `-log q` in `p`, `inf` where the value is.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, section 5.4.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> print(logits.cross_entropy_from_probs(jnp.array([1.0, 0.0, 0.0]), jnp.array([0.0, 0.0, -jnp.inf]), base=2))
        1.0
    """
    name = "cross_entropy_from_probs"
    unit = _checks.unit(name, base)
    table, z_q, axes, dtype = pair(name, ("p", "q_logits"), p, q_logits, axis, where)
    (kept,) = _numerics.drop(_checks.mask(name, where, table.shape), table)
    return _numerics.finish(_log_domain.cross_entropy_from_probs(axes, kept, z_q), axes, keepdims, unit, dtype)


@_checks.measure("axis", "keepdims", "base")
def cross_entropy_from_labels(
    labels: ArrayLike,
    logits: ArrayLike,
    *,
    axis: int = -1,
    where: ArrayLike | None = None,
    keepdims: bool = False,
    base: float | None = None,
) -> jax.Array:
    r"""Cross-entropy of a label, $-\log \mathrm{softmax}(z)_{y}$: the negative log-likelihood of classification.

    Args:
        labels: Integers, of the shape of `logits` without `axis`.
        logits: Unnormalised log-probabilities `[..., K]`.
        axis: The axis of the classes.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether summed axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array of the shape of `labels`, at least 0.

    Raises:
        TypeError: If an argument is not real or `where` not boolean, or `labels` are not integers.
        ValueError: If shapes, `axis`, `where` or `base` do not fit.

    **Domain**: `inf` for a label that is masked; NaN for one outside `[0, K)`; a confident right answer keeps its
    digits.

    **Gradient**: `softmax(z) - one_hot(label)`, finite also where the value is not.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, section 5.4.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> print(logits.cross_entropy_from_labels(jnp.array([0, 1]), jnp.zeros((2, 4)), base=2))
        [2. 2.]
    """
    name = "cross_entropy_from_labels"
    unit = _checks.unit(name, base)
    z, axes, dtype = one(name, "logits", logits, axis, where)
    index = jnp.asarray(labels)
    if not jnp.issubdtype(index.dtype, jnp.integer):
        raise TypeError(f"{name}: labels must be integers, got dtype {index.dtype}")
    expected = tuple(n for i, n in enumerate(z.shape) if i - z.ndim != axes[0])
    if len(axes) != 1 or index.shape != expected:
        raise ValueError(
            f"{name}: labels must have shape {expected}, that of the logits without axis {axis}, got {index.shape}"
        )
    value = _log_domain.label_surprisal(axes, jnp.expand_dims(index, axes[0]), z)
    return _numerics.finish(value, axes, keepdims, unit, dtype)


@_checks.measure(*OPTIONS)
def kl_divergence_from_probs(
    p: ArrayLike,
    q_logits: ArrayLike,
    *,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    keepdims: bool = False,
    base: float | None = None,
) -> jax.Array:
    r"""Kullback-Leibler divergence $\sum p \log(p / q) - p + q$ of a table p and $q = \mathrm{softmax}(z_q)$.

    Args:
        p: Probabilities `[..., K]`.
        q_logits: Unnormalised log-probabilities `[..., K]`; batch axes broadcast.
        axis: The axis or axes of a distribution; `None` for all.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`, and dropped from `p`.
        keepdims: Whether summed axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array over the other axes, at least 0.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes, `axis`, `where` or `base` do not fit.

    **Domain**: `inf` where q is masked and `p > 0`; `p = 0` adds q.

    **Gradient**: `softmax(q) sum(p) - p` in `q_logits`, always; `log(p/q)` in `p`, 0 where `p = 0`, `inf` where the
    value is.

    Reference: S. Kullback and R. A. Leibler, "On Information and Sufficiency", Annals of Mathematical Statistics 22,
        1951.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> print(logits.kl_divergence_from_probs(jnp.array([1.0, 0.0]), jnp.array([0.0, 0.0]), base=2))
        1.0
    """
    name = "kl_divergence_from_probs"
    unit = _checks.unit(name, base)
    table, z_q, axes, dtype = pair(name, ("p", "q_logits"), p, q_logits, axis, where)
    (kept,) = _numerics.drop(_checks.mask(name, where, table.shape), table)
    return _numerics.finish(_log_domain.kl_divergence_from_probs(axes, kept, z_q), axes, keepdims, unit, dtype)
