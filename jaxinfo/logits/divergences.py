"""Divergences between tables of logits."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import _checks, _log_domain, _numerics
from jaxinfo._checks import Axis
from jaxinfo.logits._arguments import OPTIONS, masked, pair


@_checks.measure(*OPTIONS)
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
    z_p, z_q, axes, dtype = pair(name, ("p_logits", "q_logits"), p_logits, q_logits, axis, where)
    return _numerics.finish(_log_domain.kl_divergence(axes, masked(name, where, z_p), z_q), axes, keepdims, unit, dtype)


@_checks.measure(*OPTIONS)
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
    z_p, z_q, axes, dtype = pair(name, ("p_logits", "q_logits"), p_logits, q_logits, axis, where)
    return _numerics.finish(
        _log_domain.jeffreys_divergence(axes, masked(name, where, z_p), z_q), axes, keepdims, unit, dtype
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
    z = jnp.moveaxis(masked(name, where, table), mixture, 0)
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
    z_p, z_q, axes, dtype = pair(name, ("p_logits", "q_logits"), p, q, options["axis"], where)
    row = (1,) * z_p.ndim
    value = _log_domain.jensen_shannon_divergence(
        axes, masked(name, where, z_p), z_q, jnp.asarray(share).astype(z_p.dtype).reshape(row)
    )
    return _numerics.finish(value, axes, keepdims, 1.0, z_p.dtype), dtype


@_checks.measure(*OPTIONS, "mixture_axis")
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


@_checks.measure(*OPTIONS, "mixture_axis")
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
    z_p, z_q, axes, _ = pair(name, ("p_logits", "q_logits"), p_logits, q_logits, axis, where)
    z_p = masked(name, where, z_p)
    value = _log_domain.is_inside(z_p, z_q, axes)
    return value if keepdims else jnp.squeeze(value, axes)
