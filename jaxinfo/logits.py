"""Measures on unnormalised log-probabilities. Computed in the log domain; `-inf` (a masked outcome) is ordinary input.

Every function normalises its logits itself: adding a constant to a row changes nothing. `where=False` means `-inf`, so
unlike on tables the rest is renormalised. Every gradient is finite, also where the value is not: `softmax(q) -
softmax(p)` for the divergence in `q_logits`, always. A masked logit that carries no mass has gradient 0. A row of only
`-inf` is no distribution: NaN.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import _checks, _log_domain, _numerics
from jaxinfo._checks import Axis

_OPTIONS = ("axis", "keepdims", "base")
_JOINT_OPTIONS = ("keepdims", "base")

__all__ = [
    "binary_entropy",
    "conditional_entropy",
    "conditional_mutual_information",
    "cross_entropy",
    "cross_entropy_from_labels",
    "cross_entropy_from_probs",
    "entropy",
    "is_absolutely_continuous",
    "jeffreys_divergence",
    "jensen_shannon_distance",
    "jensen_shannon_divergence",
    "joint_entropy",
    "kl_divergence",
    "kl_divergence_from_probs",
    "mutual_information",
    "perplexity",
    "pointwise_mutual_information",
    "surprisal",
]


def _masked(name: str, where: ArrayLike | None, z: jax.Array) -> jax.Array:
    mask = _checks.mask(name, where, z.shape)
    wide = _numerics.accumulate(z)
    return wide if mask is None else jnp.where(mask, wide, -jnp.inf)


def _one(
    name: str, argument: str, z: ArrayLike, axis: Axis, where: ArrayLike | None
) -> tuple[jax.Array, tuple[int, ...], jnp.dtype]:
    """Checks one table of logits.

    Returns it masked and in the accumulation dtype, with the axes and the dtype of the result.
    """
    table = _checks.floating(name, argument, z)
    axes = _checks.axes(name, axis, table.ndim)
    return _masked(name, where, table), axes, table.dtype


def _pair(
    name: str, arguments: tuple[str, str], p: ArrayLike, q: ArrayLike, axis: Axis, where: ArrayLike | None
) -> tuple[jax.Array, jax.Array, tuple[int, ...], jnp.dtype]:
    """Checks two tables, `q` of logits; returns them broadcast and wide, `q` masked, with axes and dtype."""
    x, y = _checks.floating(name, arguments[0], p), _checks.floating(name, arguments[1], q)
    axes = _checks.axes(name, axis, max(x.ndim, y.ndim))
    x, y = _checks.broadcast(name, axes, **dict(zip(arguments, (x, y), strict=True)))
    dtype = jnp.promote_types(x.dtype, y.dtype)
    return _numerics.accumulate(x.astype(dtype)), _masked(name, where, y.astype(dtype)), axes, dtype


@_checks.measure("axis", "base")
def surprisal(
    logits: ArrayLike, *, axis: Axis = -1, where: ArrayLike | None = None, base: float | None = None
) -> jax.Array:
    r"""Surprisal of each outcome, $-\log \mathrm{softmax}(z)$.

    Args:
        logits: Unnormalised log-probabilities `[..., K]`.
        axis: The axis or axes of a distribution; `None` for all.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array of the shape of `logits`, at least 0.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes, `axis`, `where` or `base` do not fit.

    **Domain**: `inf` for a masked outcome; the surprisal of an outcome with nearly all the mass keeps its digits.

    **Gradient**: `softmax(z) - 1` on its own logit, `softmax(z)` on the others; finite also where the value is not.

    Reference: C. E. Shannon, "A Mathematical Theory of Communication", Bell System Technical Journal 27, 1948.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> print(logits.surprisal(jnp.array([0.0, 0.0, -jnp.inf]), base=2))
        [ 1.  1. inf]
    """
    name = "surprisal"
    unit = _checks.unit(name, base)
    z, axes, dtype = _one(name, "logits", logits, axis, where)
    return _numerics.in_units(_log_domain.surprisal(axes, z), unit).astype(dtype)


@_checks.measure(*_OPTIONS)
def entropy(
    logits: ArrayLike,
    *,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    keepdims: bool = False,
    base: float | None = None,
) -> jax.Array:
    r"""Shannon entropy of $p = \mathrm{softmax}(z)$, $\log \sum e^{z} - \sum p z$.

    Args:
        logits: Unnormalised log-probabilities `[..., K]`.
        axis: The axis or axes of a distribution; `None` for all.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether summed axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array over the other axes, between 0 and `log K`.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes, `axis`, `where` or `base` do not fit.

    **Domain**: masked outcomes add nothing; accurate also where one outcome has nearly all the mass.

    **Gradient**: `-p (z - sum(p z))`; 0 for a masked logit.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, section 2.1.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> print(logits.entropy(jnp.array([3.0, 3.0, -jnp.inf]), base=2))
        1.0
    """
    name = "entropy"
    unit = _checks.unit(name, base)
    z, axes, dtype = _one(name, "logits", logits, axis, where)
    return _numerics.finish(_log_domain.entropy(axes, z), axes, keepdims, unit, dtype)


@_checks.measure("axis", "keepdims")
def perplexity(
    logits: ArrayLike, *, axis: Axis = -1, where: ArrayLike | None = None, keepdims: bool = False
) -> jax.Array:
    r"""Perplexity $e^{H(p)}$ of $p = \mathrm{softmax}(z)$, the effective number of equally likely outcomes.

    Args:
        logits: Unnormalised log-probabilities `[..., K]`.
        axis: The axis or axes of a distribution; `None` for all.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether summed axes stay, with length 1.

    Returns:
        An array over the other axes, between 1 and K.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes, `axis`, `where` or `base` do not fit.

    **Domain**: masked outcomes add nothing.

    **Gradient**: perplexity times that of `entropy`.

    Reference: F. Jelinek et al., "Perplexity - a measure of the difficulty of speech recognition tasks", JASA 62, 1977.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> print(f"{logits.perplexity(jnp.zeros(8)):.4f}")
        8.0000
    """
    z, axes, dtype = _one("perplexity", "logits", logits, axis, where)
    return _numerics.finish(jnp.exp(_log_domain.entropy(axes, z)), axes, keepdims, 1.0, dtype)


@_checks.measure(*_OPTIONS)
def cross_entropy(
    p_logits: ArrayLike,
    q_logits: ArrayLike,
    *,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    keepdims: bool = False,
    base: float | None = None,
) -> jax.Array:
    r"""Cross-entropy $H(p, q) = -\sum p \log q$ of two tables of logits.

    Args:
        p_logits: Unnormalised log-probabilities `[..., K]` of p.
        q_logits: Unnormalised log-probabilities `[..., K]` of q; batch axes broadcast.
        axis: The axis or axes of a distribution; `None` for all.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether summed axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array over the other axes, at least the entropy of p.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes, `axis`, `where` or `base` do not fit.

    **Domain**: `inf` where q is masked and p is not; where both are, nothing is added.

    **Gradient**: `softmax(q) - softmax(p)` in `q_logits`, always; `-p (log q - sum(p log q))` in `p_logits`.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, section 5.4.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> print(logits.cross_entropy(jnp.array([0.0, -jnp.inf]), jnp.array([0.0, 0.0]), base=2))
        1.0
    """
    name = "cross_entropy"
    unit = _checks.unit(name, base)
    z_p, z_q, axes, dtype = _pair(name, ("p_logits", "q_logits"), p_logits, q_logits, axis, where)
    return _numerics.finish(
        _log_domain.cross_entropy(axes, _masked(name, where, z_p), z_q), axes, keepdims, unit, dtype
    )


@_checks.measure(*_OPTIONS)
def kl_divergence(
    p_logits: ArrayLike,
    q_logits: ArrayLike,
    *,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    keepdims: bool = False,
    base: float | None = None,
) -> jax.Array:
    r"""Kullback-Leibler divergence $\mathrm{KL}(p\|q)$ of two tables of logits.

    With $e = z_q - z_p$ and $c = e - \sum p e$ it is $\log(1 + \sum p (e^c - 1 - c))$, every term at least 0, which has
    all its digits where the two are close; where the divergence is large, the difference of the log-softmaxes.

    Args:
        p_logits: Unnormalised log-probabilities `[..., K]` of p.
        q_logits: Unnormalised log-probabilities `[..., K]` of q; batch axes broadcast.
        axis: The axis or axes of a distribution; `None` for all.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether summed axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array over the other axes: at least 0, exactly 0 for equal logits.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes, `axis`, `where` or `base` do not fit.

    **Domain**: `inf` where q is masked and p is not (a finite logit is a positive probability, however small); where
    both are, nothing is added.

    **Gradient**: `softmax(q) - softmax(p)` in `q_logits`, always; `p (log(p/q) - KL)` in `p_logits`, over the outcomes
    both have where the value is `inf`.

    Reference: S. Kullback and R. A. Leibler, "On Information and Sufficiency", Annals of Mathematical Statistics 22,
        1951.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> z = jnp.array([0.0, 0.0, -jnp.inf])
        >>> print(
        ...     logits.kl_divergence(z, jnp.log(jnp.array([1.0, 1.0, 2.0])), base=2),
        ...     logits.kl_divergence(jnp.zeros(3), z),
        ... )
        1.0 inf
    """
    name = "kl_divergence"
    unit = _checks.unit(name, base)
    z_p, z_q, axes, dtype = _pair(name, ("p_logits", "q_logits"), p_logits, q_logits, axis, where)
    return _numerics.finish(
        _log_domain.kl_divergence(axes, _masked(name, where, z_p), z_q), axes, keepdims, unit, dtype
    )


@_checks.measure(*_OPTIONS)
def jeffreys_divergence(
    p_logits: ArrayLike,
    q_logits: ArrayLike,
    *,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    keepdims: bool = False,
    base: float | None = None,
) -> jax.Array:
    r"""Jeffreys divergence $\mathrm{KL}(p\|q) + \mathrm{KL}(q\|p)$ of two tables of logits.

    Args:
        p_logits: Unnormalised log-probabilities `[..., K]` of p.
        q_logits: Unnormalised log-probabilities `[..., K]` of q; batch axes broadcast.
        axis: The axis or axes of a distribution; `None` for all.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether summed axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array over the other axes: symmetric, at least 0, exactly 0 for equal logits.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes, `axis`, `where` or `base` do not fit.

    **Domain**: `inf` where exactly one of the two is masked.

    **Gradient**: the sum of those of the two divergences; finite always.

    Reference: H. Jeffreys, "An invariant form for the prior probability in estimation problems", Proc. Royal Society A
        186, 1946.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> z = jnp.log(jnp.array([0.8, 0.2]))
        >>> print(f"{logits.jeffreys_divergence(z, z[::-1], base=2):.4f}")
        2.4000
    """
    name = "jeffreys_divergence"
    unit = _checks.unit(name, base)
    z_p, z_q, axes, dtype = _pair(name, ("p_logits", "q_logits"), p_logits, q_logits, axis, where)
    return _numerics.finish(
        _log_domain.jeffreys_divergence(axes, _masked(name, where, z_p), z_q), axes, keepdims, unit, dtype
    )


def _stacked_nats(
    name: str,
    stack: ArrayLike,
    weights: ArrayLike | None,
    mixture_axis: int,
    axis: Axis,
    where: ArrayLike | None,
    keepdims: bool,
) -> tuple[jax.Array, jnp.dtype]:
    table = _checks.floating(name, "p_logits", stack)
    mixture, axes = _checks.split_axes(name, axis, mixture_axis, table.ndim)
    z = jnp.moveaxis(_masked(name, where, table), mixture, 0)
    shares = _checks.stack_weights(name, _numerics.accumulate(table), weights, mixture)
    rows = jnp.ones(tuple(1 if a - z.ndim in axes else n for a, n in enumerate(z.shape)), jnp.bool_)
    apart = _log_domain.softmax_difference(axes, rows, z, jnp.broadcast_to(z[:1], z.shape))
    value = _numerics.stacked_jensen_shannon(_log_domain.softmax(axes, z), apart, shares, axes, keepdims)
    some = jnp.all(jnp.any(z > -jnp.inf, axis=axes, keepdims=keepdims), axis=0)
    value = jnp.where(some, value, jnp.nan)
    return jnp.expand_dims(value, mixture) if keepdims else value, table.dtype


def _jensen_shannon_nats(
    name: str, p: ArrayLike, q: ArrayLike | None, weight: ArrayLike | None, weights: ArrayLike | None, **options: Any
) -> tuple[jax.Array, jnp.dtype]:
    _checks.choose_form(name, q, weight, weights)
    if q is None:
        return _stacked_nats(name, p, weights, **options)
    share = 0.5 if weight is None else weight
    _checks.weight(name, share)
    where, keepdims = options["where"], options["keepdims"]
    z_p, z_q, axes, dtype = _pair(name, ("p_logits", "q_logits"), p, q, options["axis"], where)
    row = (1,) * z_p.ndim
    value = _log_domain.jensen_shannon_divergence(
        axes, _masked(name, where, z_p), z_q, jnp.asarray(share).astype(z_p.dtype).reshape(row)
    )
    return _numerics.finish(value, axes, keepdims, 1.0, z_p.dtype), dtype


@_checks.measure(*_OPTIONS, "mixture_axis")
def jensen_shannon_divergence(
    p_logits: ArrayLike,
    q_logits: ArrayLike | None = None,
    *,
    weight: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    mixture_axis: int = 0,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    keepdims: bool = False,
    base: float | None = None,
) -> jax.Array:
    r"""Jensen-Shannon divergence of two tables of logits, or of a stack: see `jaxinfo.jensen_shannon_divergence`.

    Args:
        p_logits: Unnormalised log-probabilities `[..., K]`; without `q_logits`, tables stacked along `mixture_axis`.
        q_logits: Unnormalised log-probabilities `[..., K]`; batch axes broadcast.
        weight: The weight of p against q, a scalar in [0, 1], 1/2 by default; may be traced.
        weights: The weights `[N]` of stacked tables, uniform by default; not renormalised.
        mixture_axis: The axis of stacked tables that counts them.
        axis: The axis or axes of a distribution; `None` for all.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether summed axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array over the other axes: at least 0, exactly 0 for equal logits, at most `log 2` at `weight=1/2`.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes, `axis`, `where` or `base` do not fit.

    **Domain**: finite for all logits, whatever is masked.

    **Gradient**: `w p (log(p/m) - KL(p|m))` in `p_logits`.

    Reference: J. Lin, "Divergence Measures Based on the Shannon Entropy", IEEE Transactions on Information Theory 37,
        1991.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> print(logits.jensen_shannon_divergence(jnp.array([0.0, -jnp.inf]), jnp.array([-jnp.inf, 0.0]), base=2))
        1.0
    """
    name = "jensen_shannon_divergence"
    unit = _checks.unit(name, base)
    options = {"mixture_axis": mixture_axis, "axis": axis, "where": where, "keepdims": keepdims}
    nats, dtype = _jensen_shannon_nats(name, p_logits, q_logits, weight, weights, **options)
    return _numerics.in_units(nats, unit).astype(dtype)


@_checks.measure(*_OPTIONS, "mixture_axis")
def jensen_shannon_distance(
    p_logits: ArrayLike,
    q_logits: ArrayLike | None = None,
    *,
    weight: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    mixture_axis: int = 0,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    keepdims: bool = False,
    base: float | None = None,
) -> jax.Array:
    r"""Jensen-Shannon distance of logits, the square root of the divergence; a metric at `weight=1/2`.

    Args:
        p_logits: Unnormalised log-probabilities `[..., K]`; without `q_logits`, tables stacked along `mixture_axis`.
        q_logits: Unnormalised log-probabilities `[..., K]`; batch axes broadcast.
        weight: The weight of p against q, a scalar in [0, 1], 1/2 by default; may be traced.
        weights: The weights `[N]` of stacked tables, uniform by default; not renormalised.
        mixture_axis: The axis of stacked tables that counts them.
        axis: The axis or axes of a distribution; `None` for all.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether summed axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array over the other axes, between 0 and `sqrt(log 2)` at `weight=1/2`.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes, `axis`, `where` or `base` do not fit.

    **Domain**: finite for all logits, 0 for equal ones.

    **Gradient**: that of the divergence over twice the distance; 0 where all tables are equal.

    Reference: D. M. Endres and J. E. Schindelin, "A new metric for probability distributions", IEEE Transactions on
        Information Theory 49, 2003.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> print(logits.jensen_shannon_distance(jnp.array([0.0, -jnp.inf]), jnp.array([-jnp.inf, 0.0]), base=2))
        1.0
    """
    name = "jensen_shannon_distance"
    unit = _checks.unit(name, base)
    options = {"mixture_axis": mixture_axis, "axis": axis, "where": where, "keepdims": keepdims}
    nats, dtype = _jensen_shannon_nats(name, p_logits, q_logits, weight, weights, **options)
    return _numerics.square_root(_numerics.in_units(nats, unit)).astype(dtype)


@_checks.measure(*_OPTIONS)
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
    table, z_q, axes, dtype = _pair(name, ("p", "q_logits"), p, q_logits, axis, where)
    (kept,) = _numerics.drop(_checks.mask(name, where, table.shape), table)
    return _numerics.finish(_log_domain.cross_entropy_from_probs(axes, kept, z_q), axes, keepdims, unit, dtype)


@_checks.measure(*_OPTIONS)
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
    table, z_q, axes, dtype = _pair(name, ("p", "q_logits"), p, q_logits, axis, where)
    (kept,) = _numerics.drop(_checks.mask(name, where, table.shape), table)
    return _numerics.finish(_log_domain.kl_divergence_from_probs(axes, kept, z_q), axes, keepdims, unit, dtype)


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
    z, axes, dtype = _one(name, "logits", logits, axis, where)
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


@jax.custom_jvp
def _binary_entropy(t: jax.Array) -> jax.Array:
    size = jnp.abs(t)
    rare = jnp.exp(-size)
    return jnp.log1p(rare) + jnp.where(jnp.isinf(t), jnp.zeros_like(t), size) * (rare / (1 + rare))


@_binary_entropy.defjvp
def _binary_entropy_jvp(primals: tuple[jax.Array], tangents: tuple[jax.Array]) -> tuple[jax.Array, jax.Array]:
    (t,), (dt,) = primals, tangents
    finite = jnp.where(jnp.isinf(t), jnp.zeros_like(t), t)
    return _binary_entropy(t), dt * (-finite * jax.nn.sigmoid(t) * jax.nn.sigmoid(-t))


@_checks.measure("base")
def binary_entropy(log_odds: ArrayLike, *, base: float | None = None) -> jax.Array:
    r"""Entropy of a coin from its log-odds $t$: $\log(1 + e^{-|t|}) + |t| / (1 + e^{|t|})$, elementwise.

    Args:
        log_odds: Log-odds of heads, of any shape.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array of the shape of `log_odds`, between 0 and `log 2`; with digits also far from 0, where `p` itself rounds
        to 1.

    Raises:
        TypeError: If `log_odds` is not real.
        ValueError: If `base` is not a positive number other than 1.

    **Domain**: 0 at `-inf` and `inf`.

    **Gradient**: `-t p (1 - p)`; 0 at `-inf` and `inf`.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, equation (2.5).

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> print(logits.binary_entropy(jnp.array([-jnp.inf, 0.0, jnp.inf]), base=2))
        [0. 1. 0.]
    """
    name = "binary_entropy"
    unit, table = _checks.unit(name, base), _checks.floating(name, "log_odds", log_odds)
    return _numerics.in_units(_binary_entropy(_numerics.accumulate(table)), unit).astype(table.dtype)


@_checks.measure(*_OPTIONS)
def joint_entropy(
    logits: ArrayLike,
    *,
    axis: Axis = None,
    where: ArrayLike | None = None,
    keepdims: bool = False,
    base: float | None = None,
) -> jax.Array:
    r"""Joint entropy of a whole table of logits, normalised over all variables.

    Args:
        logits: Unnormalised log-probabilities, one axis for each variable.
        axis: The axes that are variables; all of them by default, the others are batch axes.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether summed axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array over the batch axes, at least 0.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes, `axis`, `where` or `base` do not fit.

    **Domain**: masked outcomes add nothing.

    **Gradient**: as `entropy`.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, equation (2.8).

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> print(logits.joint_entropy(jnp.zeros((2, 4)), base=2))
        3.0
    """
    name = "joint_entropy"
    unit = _checks.unit(name, base)
    z, axes, dtype = _one(name, "logits", logits, axis, where)
    return _numerics.finish(_log_domain.entropy(axes, z), axes, keepdims, unit, dtype)


def _joint(name: str, argument: str, z: ArrayLike, where: ArrayLike | None, rank: int) -> tuple[jax.Array, jnp.dtype]:
    """Checks a joint table; returns it masked and in the accumulation dtype, with the dtype of the result."""
    table = _checks.floating(name, argument, z)
    _checks.rank(name, argument, table, rank)
    return _masked(name, where, table), table.dtype


@_checks.measure(*_JOINT_OPTIONS)
def conditional_entropy(
    logits_xy: ArrayLike, *, where: ArrayLike | None = None, keepdims: bool = False, base: float | None = None
) -> jax.Array:
    r"""Conditional entropy $H(X|Y) = \sum_y p(y) H(X|y)$ of a joint table of logits.

    Args:
        logits_xy: Unnormalised log-probabilities `[..., X, Y]`, normalised over both axes.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether the variables' axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array `[...]`, between 0 and `H(X)`. For `H(Y|X)` swap the axes.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes, `axis`, `where` or `base` do not fit.

    **Domain**: masked outcomes add nothing, nor does a y that is masked throughout.

    **Gradient**: finite always; 0 for a masked logit.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, equation (2.10).

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> print(logits.conditional_entropy(jnp.zeros((4, 2)), base=2))
        2.0
    """
    name = "conditional_entropy"
    unit = _checks.unit(name, base)
    z, dtype = _joint(name, "logits_xy", logits_xy, where, 2)
    value = _log_domain.conditional_entropy((-2, -1), z)
    return _numerics.finish(value, (-2, -1), keepdims, unit, dtype)


@_checks.measure(*_JOINT_OPTIONS)
def mutual_information(
    logits_xy: ArrayLike, *, where: ArrayLike | None = None, keepdims: bool = False, base: float | None = None
) -> jax.Array:
    r"""Mutual information $I(X;Y) = \mathrm{KL}(p_{xy}\|p_x p_y)$ of a joint table of logits.

    Args:
        logits_xy: Unnormalised log-probabilities `[..., X, Y]`, normalised over both axes.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether the variables' axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array `[...]`: at least 0, at most `min(H(X), H(Y))`.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes, `axis`, `where` or `base` do not fit.

    **Domain**: masked outcomes add nothing.

    **Gradient**: `p (log(p / (p_x p_y)) - I)`; 0 for a masked logit.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, section 2.3.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> print(f"{logits.mutual_information(jnp.log(jnp.eye(2)), base=2):.4f}")
        1.0000
    """
    name = "mutual_information"
    unit = _checks.unit(name, base)
    z, dtype = _joint(name, "logits_xy", logits_xy, where, 2)
    value = _log_domain.information((-2, -1), z)
    return _numerics.finish(value, (-2, -1), keepdims, unit, dtype)


@_checks.measure("base")
def pointwise_mutual_information(
    logits_xy: ArrayLike, *, where: ArrayLike | None = None, base: float | None = None
) -> jax.Array:
    r"""Pointwise mutual information $\log \frac{p(x, y)}{p(x) p(y)}$ of each pair of a joint table of logits.

    Args:
        logits_xy: Unnormalised log-probabilities `[..., X, Y]`, normalised over both axes.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array of the shape of `logits_xy`, of either sign.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes, `axis`, `where` or `base` do not fit.

    **Domain**: `-inf` where the pair is masked.

    **Gradient**: that of the log-probability minus those of its marginals; finite also where the value is not.

    Reference: R. M. Fano, "Transmission of Information", MIT Press 1961, chapter 2.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> print(jnp.abs(logits.pointwise_mutual_information(jnp.zeros((2, 2)))).max() < 1e-6)
        True
    """
    name = "pointwise_mutual_information"
    unit = _checks.unit(name, base)
    z, dtype = _joint(name, "logits_xy", logits_xy, where, 2)
    return _numerics.in_units(_log_domain.pointwise_information(z), unit).astype(dtype)


@_checks.measure(*_JOINT_OPTIONS)
def conditional_mutual_information(
    logits_xyz: ArrayLike, *, where: ArrayLike | None = None, keepdims: bool = False, base: float | None = None
) -> jax.Array:
    r"""Conditional mutual information $I(X;Y|Z)$ of a joint table of logits.

    Args:
        logits_xyz: Unnormalised log-probabilities `[..., X, Y, Z]`, normalised over the three axes.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether the variables' axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array `[...]`: at least 0, 0 only where X and Y are independent given Z.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes, `axis`, `where` or `base` do not fit.

    **Domain**: masked outcomes add nothing, nor does a z that is masked throughout.

    **Gradient**: `p (log(p(x,y,z) p(z) / (p(x,z) p(y,z))) - I)`; 0 for a masked logit.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, equation (2.60).

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> xor = jnp.log(jnp.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]]))
        >>> print(f"{logits.conditional_mutual_information(xor, base=2):.4f}")
        1.0000
    """
    name = "conditional_mutual_information"
    unit = _checks.unit(name, base)
    z, dtype = _joint(name, "logits_xyz", logits_xyz, where, 3)
    return _numerics.finish(_log_domain.information((-3, -2, -1), z), (-3, -2, -1), keepdims, unit, dtype)


@_checks.measure("axis", "keepdims")
def is_absolutely_continuous(
    p_logits: ArrayLike, q_logits: ArrayLike, *, axis: Axis = -1, where: ArrayLike | None = None, keepdims: bool = False
) -> jax.Array:
    r"""Whether q is masked only where p is: the set on which `kl_divergence(p_logits, q_logits)` is finite.

    Args:
        p_logits: Unnormalised log-probabilities `[..., K]` of p.
        q_logits: Unnormalised log-probabilities `[..., K]` of q; batch axes broadcast.
        axis: The axis or axes of a distribution; `None` for all.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether summed axes stay, with length 1.

    Returns:
        An array of booleans over the other axes.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes, `axis`, `where` or `base` do not fit.

    **Domain**: `False` for a row that holds NaN or only `-inf`.

    **Gradient**: none, the result is boolean.

    Reference: I. Csiszár, "I-divergence geometry of probability distributions and minimization problems", Annals of
        Probability 3, 1975.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> z = jnp.array([0.0, -jnp.inf])
        >>> print(logits.is_absolutely_continuous(z, jnp.zeros(2)), logits.is_absolutely_continuous(jnp.zeros(2), z))
        True False
    """
    name = "is_absolutely_continuous"
    z_p, z_q, axes, _ = _pair(name, ("p_logits", "q_logits"), p_logits, q_logits, axis, where)
    z_p = _masked(name, where, z_p)
    value = _log_domain.is_inside(z_p, z_q, axes)
    return value if keepdims else jnp.squeeze(value, axes)
