"""Divergences between tables of probabilities."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import _checks, _numerics
from jaxinfo._checks import Axis
from jaxinfo.discrete.entropies import OPTIONS, prepare_pair, reduce_terms


@_checks.measure(*OPTIONS)
def kl_divergence(
    p: ArrayLike,
    q: ArrayLike,
    *,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    keepdims: bool = False,
    base: float | None = None,
) -> jax.Array:
    r"""Kullback-Leibler divergence $\mathrm{KL}(p\|q) = \sum_k p_k \log(p_k / q_k) - p_k + q_k$.

    On normalised tables the last two terms sum to 0 and this is the relative entropy; off the simplex it is the
    generalised divergence. Every term is at least 0 and accurate when `p` is close to `q`.

    Args:
        p: Probabilities `[..., K]` under which the mean is taken.
        q: Probabilities `[..., K]` of the other distribution; batch axes broadcast.
        axis: The axis or axes summed over; `None` for all.
        where: Entries to keep; others are dropped, without renormalising.
        keepdims: Whether summed axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array over the other axes: at least 0, exactly 0 where `p == q`.

    Raises:
        TypeError: If a table is not real or `where` not boolean.
        ValueError: If shapes, `axis`, `where` or `base` do not fit.

    **Domain**: `p > 0, q = 0` gives `inf` (see `is_absolutely_continuous`); `p = q = 0` adds nothing; a negative entry
    gives NaN in its row.

    **Gradient**: `log(p/q)` in `p`: 0 where `p = 0` (there it is infinite: the derivative along the face of the
    simplex), `inf` where only `q` is 0. `1 - p/q` in `q`: 1 where `p = 0`, `-inf` where only `q` is 0.

    Reference: S. Kullback and R. A. Leibler, "On Information and Sufficiency", Annals of Mathematical Statistics 22,
        1951;
    I. Csiszár, "Why least squares and maximum entropy?", Annals of Statistics 19, 1991, for the generalised form.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> p, q = jnp.array([0.5, 0.5, 0.0]), jnp.array([0.25, 0.25, 0.5])
        >>> print(jaxinfo.kl_divergence(p, q, base=2), jaxinfo.kl_divergence(q, p))
        1.0 inf
    """
    name = "kl_divergence"
    unit = _checks.unit(name, base)
    kept_p, kept_q, axes, dtype = prepare_pair(name, p, q, axis, where)
    return reduce_terms(_numerics.kl_term(kept_p, kept_q), axes, keepdims, unit, dtype)


@_checks.measure(*OPTIONS)
def jeffreys_divergence(
    p: ArrayLike,
    q: ArrayLike,
    *,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    keepdims: bool = False,
    base: float | None = None,
) -> jax.Array:
    r"""Jeffreys divergence $J(p, q) = \mathrm{KL}(p\|q) + \mathrm{KL}(q\|p) = \sum_k (p_k - q_k) \log(p_k / q_k)$.

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
        TypeError: If a table is not real or `where` not boolean.
        ValueError: If shapes, `axis`, `where` or `base` do not fit.

    **Domain**: `inf` where exactly one of `p` and `q` is 0; where both are, nothing is added.

    **Gradient**: `log(p/q) + 1 - q/p` in `p`, and with `p` and `q` exchanged in `q`; infinite where the value is, 0
    where `p = q = 0`.

    Reference: H. Jeffreys, "An invariant form for the prior probability in estimation problems", Proc. Royal Society A
        186, 1946.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> print(f"{jaxinfo.jeffreys_divergence(jnp.array([0.8, 0.2]), jnp.array([0.2, 0.8]), base=2):.4f}")
        2.4000
    """
    name = "jeffreys_divergence"
    unit = _checks.unit(name, base)
    kept_p, kept_q, axes, dtype = prepare_pair(name, p, q, axis, where)
    return reduce_terms(_numerics.jeffreys_term(kept_p, kept_q), axes, keepdims, unit, dtype)


def _jensen_shannon_nats(
    name: str,
    p: ArrayLike,
    q: ArrayLike | None,
    weight: ArrayLike | None,
    weights: ArrayLike | None,
    mixture_axis: int,
    axis: Axis,
    where: ArrayLike | None,
    keepdims: bool,
) -> tuple[jax.Array, jnp.dtype]:
    _checks.choose_form(name, q, weight, weights)
    if q is not None:
        share = 0.5 if weight is None else weight
        _checks.weight(name, share)
        kept_p, kept_q, axes, dtype = prepare_pair(name, p, q, axis, where)
        terms = _numerics.jensen_shannon_terms(kept_p, kept_q, kept_p - kept_q, jnp.asarray(share).astype(kept_p.dtype))
        return _numerics.row_sum(terms, axes, keepdims), dtype
    table = _checks.floating(name, "p", p)
    mixture, axes = _checks.split_axes(name, axis, mixture_axis, table.ndim)
    shares = _checks.stack_weights(name, _numerics.accumulate(table), weights, mixture)
    (kept,) = _numerics.drop(_checks.mask(name, where, table.shape), _numerics.accumulate(table))
    stack = jnp.moveaxis(kept, mixture, 0)
    value = _numerics.stacked_jensen_shannon(stack, stack - stack[:1], shares, axes, keepdims)
    return jnp.expand_dims(value, mixture) if keepdims else value, table.dtype


@_checks.measure(*OPTIONS, "mixture_axis")
def jensen_shannon_divergence(
    p: ArrayLike,
    q: ArrayLike | None = None,
    *,
    weight: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    mixture_axis: int = 0,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    keepdims: bool = False,
    base: float | None = None,
) -> jax.Array:
    r"""Jensen-Shannon divergence $w\,\mathrm{KL}(p\|m) + (1-w)\,\mathrm{KL}(q\|m)$ with $m = w p + (1-w) q$.

    Of a stack of tables it is $\sum_i w_i\,\mathrm{KL}(p_i\|m)$ with $m = \sum_i w_i p_i$: the mutual information
    between the outcome and the choice of table.

    Args:
        p: Probabilities `[..., K]`; without `q`, tables stacked along `mixture_axis`, `[N, ..., K]`.
        q: Probabilities `[..., K]`; batch axes broadcast.
        weight: The weight of `p` against `q`, a scalar in [0, 1], 1/2 by default; may be traced.
        weights: The weights `[N]` of stacked tables, uniform by default; not renormalised.
        mixture_axis: The axis of stacked tables that counts them.
        axis: The axis or axes summed over, as in the stacked table; `None` for all.
        where: Entries to keep; others are dropped, without renormalising.
        keepdims: Whether summed axes (and the mixture axis) stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array over the other axes: at least 0, exactly 0 where all tables are equal, at most the entropy of the
        weights (`log 2` at `weight=1/2`).

    Raises:
        TypeError: If a table is not real or `where` not boolean.
        ValueError: If shapes, `weight`, `weights`, axes, `where` or `base` do not fit, or `weight` and `weights` are
            mixed up.

    **Domain**: finite for all tables, whatever their zeros; a negative entry gives NaN in its row.

    **Gradient**: `w log(p/m)` in `p`; 0 where `p` alone is 0 (there it is infinite), `-w log w` where all tables are 0.

    Reference: J. Lin, "Divergence Measures Based on the Shannon Entropy", IEEE Transactions on Information Theory 37,
        1991.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> p, q = jnp.array([1.0, 0.0]), jnp.array([0.0, 1.0])
        >>> print(jaxinfo.jensen_shannon_divergence(p, q, base=2))
        1.0
        >>> print(jaxinfo.jensen_shannon_divergence(jnp.eye(4), base=2))
        2.0
    """
    name = "jensen_shannon_divergence"
    unit = _checks.unit(name, base)
    nats, dtype = _jensen_shannon_nats(name, p, q, weight, weights, mixture_axis, axis, where, keepdims)
    return _numerics.in_units(nats, unit).astype(dtype)


@_checks.measure(*OPTIONS, "mixture_axis")
def jensen_shannon_distance(
    p: ArrayLike,
    q: ArrayLike | None = None,
    *,
    weight: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    mixture_axis: int = 0,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    keepdims: bool = False,
    base: float | None = None,
) -> jax.Array:
    r"""Jensen-Shannon distance $\sqrt{\mathrm{JS}(p, q)}$, a metric at `weight=1/2`.

    Args:
        p: Probabilities `[..., K]`; without `q`, tables stacked along `mixture_axis`.
        q: Probabilities `[..., K]`; batch axes broadcast.
        weight: The weight of `p` against `q`, a scalar in [0, 1], 1/2 by default.
        weights: The weights `[N]` of stacked tables, uniform by default.
        mixture_axis: The axis of stacked tables that counts them.
        axis: The axis or axes summed over; `None` for all.
        where: Entries to keep; others are dropped, without renormalising.
        keepdims: Whether summed axes stay, with length 1.
        base: Logarithm base of the divergence under the root.

    Returns:
        An array over the other axes, between 0 and `sqrt(log 2)` at `weight=1/2`.

    Raises:
        TypeError: If a table is not real or `where` not boolean.
        ValueError: If shapes, weights, axes, `where` or `base` do not fit.

    **Domain**: finite for all tables, 0 exactly where they are equal.

    **Gradient**: that of the divergence over twice the distance; 0 where all tables are equal.

    Reference: D. M. Endres and J. E. Schindelin, "A new metric for probability distributions", IEEE Transactions on
        Information Theory 49, 2003.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> print(jaxinfo.jensen_shannon_distance(jnp.array([1.0, 0.0]), jnp.array([0.0, 1.0]), base=2))
        1.0
    """
    name = "jensen_shannon_distance"
    unit = _checks.unit(name, base)
    nats, dtype = _jensen_shannon_nats(name, p, q, weight, weights, mixture_axis, axis, where, keepdims)
    return _numerics.square_root(_numerics.in_units(nats, unit)).astype(dtype)


@_checks.measure("axis", "keepdims")
def is_absolutely_continuous(
    p: ArrayLike, q: ArrayLike, *, axis: Axis = -1, where: ArrayLike | None = None, keepdims: bool = False
) -> jax.Array:
    r"""Whether $p \ll q$: `q > 0` wherever `p > 0`, the set on which `kl_divergence(p, q)` is finite.

    Args:
        p: Probabilities `[..., K]`.
        q: Probabilities `[..., K]`; batch axes broadcast.
        axis: The axis or axes that make up a table; `None` for all.
        where: Entries to look at.
        keepdims: Whether those axes stay, with length 1.

    Returns:
        An array of booleans over the other axes.

    Raises:
        TypeError: If a table is not real or `where` not boolean.
        ValueError: If shapes, `axis` or `where` do not fit.

    **Domain**: `False` for a row that holds a negative entry or NaN.

    **Gradient**: none, the result is boolean.

    Reference: I. Csiszár, "I-divergence geometry of probability distributions and minimization problems", Annals of
        Probability 3, 1975.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> p, q = jnp.array([0.5, 0.5, 0.0]), jnp.array([0.25, 0.25, 0.5])
        >>> print(jaxinfo.is_absolutely_continuous(p, q), jaxinfo.is_absolutely_continuous(q, p))
        True False
    """
    kept_p, kept_q, axes, _ = prepare_pair("is_absolutely_continuous", p, q, axis, where)
    # Arithmetic and a minimum, as comparisons of whole tables are slow on a CPU: the difference is negative only where
    # q has nothing and p something; a minimum with p itself is negative where p is, and NaN where one is.
    least = float(jnp.finfo(kept_p.dtype).tiny)
    margin = jnp.minimum(kept_q - jnp.minimum(kept_p, least), kept_p)
    return _numerics.fence(jnp.min(margin, axis=axes, keepdims=keepdims, initial=jnp.inf)) >= 0
