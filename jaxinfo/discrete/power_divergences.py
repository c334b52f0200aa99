"""Divergences of an order between tables of probabilities."""

from __future__ import annotations

import jax
from jax.typing import ArrayLike

from jaxinfo import _checks, _log_domain, _numerics
from jaxinfo._checks import Axis
from jaxinfo.discrete.entropies import OPTIONS, prepare_pair


@_checks.measure(*OPTIONS)
def renyi_divergence(
    p: ArrayLike,
    q: ArrayLike,
    order: ArrayLike,
    *,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    keepdims: bool = False,
    base: float | None = None,
) -> jax.Array:
    r"""Rényi divergence $R_a(p\|q) = \frac{1}{a - 1} \log \sum_k p_k^a q_k^{1-a}$.

    Order 0 is $-\log q(p > 0)$, 1/2 twice the Bhattacharyya distance, 1 the Kullback-Leibler divergence, infinity $\log
    \max p/q$. Computed as $\log(1 + (a-1) U / v) / (a - 1)$ from the Tsallis divergence U and the mass $v = a \sum p +
    (1-a) \sum q$ (beyond order 1, $\sum p$): 1 for normalised tables. It keeps its digits where p and q are close.

    Args:
        p: Probabilities `[..., K]`.
        q: Probabilities `[..., K]`; batch axes broadcast.
        order: A number from 0 to infinity, or an array of them that broadcasts with the batch axes; may be traced.
        axis: The axis or axes summed over; `None` for all.
        where: Entries to keep; others are dropped, without renormalising.
        keepdims: Whether summed axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array over the other axes: at least 0, exactly 0 where `p == q`, not decreasing in the order.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes, `order`, `axis`, `where` or `base` do not fit.

    **Domain**: `inf` from order 1 on where `p > 0, q = 0`, and at every order where they have nothing in common; a
    negative probability gives NaN in its row; a traced order below 0 gives NaN.

    **Gradient**: `(a/v) ((p e^-R / q)^(a-1) - 1) / (a - 1)` in `p`, `(1 - (p/q)^a e^(-(a-1) R)) / v` in `q` (of
    normalised tables); an infinite derivative of a finite value is 0. In the order, too.

    Reference: T. van Erven and P. Harremoës, "Rényi Divergence and Kullback-Leibler Divergence", IEEE Transactions on
        Information Theory 60, 2014.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> print(jaxinfo.renyi_divergence(jnp.array([1.0, 0.0]), jnp.array([0.5, 0.5]), 2.0, base=2))
        1.0
    """
    name = "renyi_divergence"
    unit = _checks.unit(name, base)
    kept_p, kept_q, axes, dtype = prepare_pair(name, p, q, axis, where)
    a, kept_p, kept_q = _checks.orders(name, order, axes, kept_p, kept_q)
    return _numerics.finish(
        _log_domain.renyi_divergence_of_tables(axes, kept_p, kept_q, a), axes, keepdims, unit, dtype
    )


@_checks.measure("axis", "keepdims")
def tsallis_divergence(
    p: ArrayLike,
    q: ArrayLike,
    order: ArrayLike,
    *,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    keepdims: bool = False,
) -> jax.Array:
    r"""Tsallis divergence $U_a(p\|q) = \frac{\sum_k p_k^a q_k^{1-a} - 1}{a - 1}$.

    Summed as $(p^a q^{1-a} - a p - (1-a) q) / (a - 1)$, no term of which is negative. Order 1 is the Kullback-Leibler
    divergence in nats.

    Args:
        p: Probabilities `[..., K]`.
        q: Probabilities `[..., K]`; batch axes broadcast.
        order: A finite number from 0 on, or an array of them that broadcasts with the batch axes; may be traced.
        axis: The axis or axes summed over; `None` for all.
        where: Entries to keep; others are dropped, without renormalising.
        keepdims: Whether summed axes stay, with length 1.

    Returns:
        An array over the other axes: at least 0, exactly 0 where `p == q`. It has no unit.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes, `order`, `axis`, `where` do not fit.

    **Domain**: `inf` from order 1 on where `p > 0, q = 0`; a negative probability gives NaN in its row; a traced order
    below 0 gives NaN.

    **Gradient**: `a ((p/q)^(a-1) - 1) / (a - 1)` in `p` and `1 - (p/q)^a` in `q`; an infinite derivative of a finite
    value is 0. In the order, too.

    Reference: C. Tsallis, "Generalized entropy-based criterion for consistent testing", Physical Review E 58, 1998.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> print(jaxinfo.tsallis_divergence(jnp.array([1.0, 0.0]), jnp.array([0.5, 0.5]), 2.0))
        1.0
    """
    name = "tsallis_divergence"
    kept_p, kept_q, axes, dtype = prepare_pair(name, p, q, axis, where)
    a, kept_p, kept_q = _checks.orders(name, order, axes, kept_p, kept_q)
    return _numerics.finish(
        _log_domain.tsallis_divergence_of_tables(axes, kept_p, kept_q, a), axes, keepdims, 1.0, dtype
    )


@_checks.measure("axis", "keepdims")
def alpha_divergence(
    p: ArrayLike,
    q: ArrayLike,
    alpha: ArrayLike,
    *,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    keepdims: bool = False,
) -> jax.Array:
    r"""Alpha-divergence $D_a(p\|q) = \sum_k \frac{p_k^a q_k^{1-a} - a p_k - (1-a) q_k}{a (a - 1)}$.

    Of alpha = 1 it is KL(p‖q), of 0 KL(q‖p), of 1/2 four times the squared Hellinger distance, of 2 half of
    chi-squared. Every term is $q r^2 \exp[0, r, a r]$ with $r = \log(p/q)$, a divided difference that no alpha is
    special to.

    Args:
        p: Probabilities `[..., K]`.
        q: Probabilities `[..., K]`; batch axes broadcast.
        alpha: A finite number, or an array of them that broadcasts with the batch axes; may be traced.
        axis: The axis or axes summed over; `None` for all.
        where: Entries to keep; others are dropped, without renormalising.
        keepdims: Whether summed axes stay, with length 1.

    Returns:
        An array over the other axes: at least 0, exactly 0 where `p == q`. It has no unit.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes, `alpha`, `axis`, `where` do not fit.

    **Domain**: `inf` where `p > 0, q = 0` from alpha = 1 on, and where `p = 0, q > 0` down from alpha = 0; a negative
    probability gives NaN in its row.

    **Gradient**: `((p/q)^(a-1) - 1) / (a - 1)` in `p` and `-((p/q)^a - 1) / a` in `q`; an infinite derivative of a
    finite value is 0. In alpha, too.

    Reference: T. Minka, "Divergence measures and message passing", Microsoft Research MSR-TR-2005-173, 2005.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> print(f"{jaxinfo.alpha_divergence(jnp.array([1.0, 0.0]), jnp.array([0.5, 0.5]), 2.0):.4f}")
        0.5000
    """
    name = "alpha_divergence"
    kept_p, kept_q, axes, dtype = prepare_pair(name, p, q, axis, where)
    a, kept_p, kept_q = _checks.per_row(name, "alpha", alpha, axes, kept_p, kept_q)
    return _numerics.finish(_log_domain.alpha_divergence_of_tables(axes, kept_p, kept_q, a), axes, keepdims, 1.0, dtype)
