"""Divergences of an order between tables of logits."""

from __future__ import annotations

import jax
from jax.typing import ArrayLike

from jaxinfo import _checks, _log_domain, _numerics
from jaxinfo._checks import Axis
from jaxinfo.logits._arguments import OPTIONS, masked, pair


@_checks.measure(*OPTIONS)
def renyi_divergence(
    p_logits: ArrayLike,
    q_logits: ArrayLike,
    order: ArrayLike,
    *,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    keepdims: bool = False,
    base: float | None = None,
) -> jax.Array:
    r"""Rényi divergence $R_a(p\|q) = \frac{1}{a - 1} \log \sum_k p_k^a q_k^{1-a}$.

    Order 0 is $-\log q(p > 0)$, 1/2 twice the Bhattacharyya distance, 1 the Kullback-Leibler divergence, infinity $\log
    \max p/q$. It keeps its digits where p and q are close.

    Args:
        p_logits: Unnormalised log-probabilities `[..., K]` of p.
        q_logits: Unnormalised log-probabilities `[..., K]` of q; batch axes broadcast.
        order: A number from 0 to infinity, or an array of them that broadcasts with the batch axes; may be traced.
        axis: The axis or axes of a distribution; `None` for all.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether summed axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array over the other axes: at least 0, exactly 0 where `p == q`, not decreasing in the order.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes, `order`, `axis`, `where` or `base` do not fit.

    **Domain**: `inf` from order 1 on where q is masked and p is not, and at every order where they have nothing in
    common; a traced order below 0 gives NaN.

    **Gradient**: `a (w - p) / (a - 1)` in `p_logits` and `q - w` in `q_logits`, with w the normalised `p^a q^(1-a)`;
    finite always. In the order, too.

    Reference: T. van Erven and P. Harremoës, "Rényi Divergence and Kullback-Leibler Divergence", IEEE Transactions on
        Information Theory 60, 2014.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> print(logits.renyi_divergence(jnp.array([0.0, -jnp.inf]), jnp.zeros(2), 2.0, base=2))
        1.0
    """
    name = "renyi_divergence"
    unit = _checks.unit(name, base)
    z_p, z_q, axes, dtype = pair(name, ("p_logits", "q_logits"), p_logits, q_logits, axis, where)
    z_p = masked(name, where, z_p)
    a, z_p, z_q = _checks.orders(name, order, axes, z_p, z_q)
    return _numerics.finish(_log_domain.renyi_divergence_of_logits(axes, z_p, z_q, a), axes, keepdims, unit, dtype)


@_checks.measure("axis", "keepdims")
def tsallis_divergence(
    p_logits: ArrayLike,
    q_logits: ArrayLike,
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
        p_logits: Unnormalised log-probabilities `[..., K]` of p.
        q_logits: Unnormalised log-probabilities `[..., K]` of q; batch axes broadcast.
        order: A finite number from 0 on, or an array of them that broadcasts with the batch axes; may be traced.
        axis: The axis or axes of a distribution; `None` for all.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether summed axes stay, with length 1.

    Returns:
        An array over the other axes: at least 0, exactly 0 where `p == q`. It has no unit.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes, `order`, `axis`, `where` do not fit.

    **Domain**: `inf` from order 1 on where q is masked and p is not; a traced order below 0 gives NaN.

    **Gradient**: `a S (w - p) / (a - 1)` in `p_logits` and `S (q - w)` in `q_logits`, with S the sum of `p^a q^(1-a)`
    and w that over S; finite where the value is. In the order, too.

    Reference: C. Tsallis, "Generalized entropy-based criterion for consistent testing", Physical Review E 58, 1998.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> print(logits.tsallis_divergence(jnp.array([0.0, -jnp.inf]), jnp.zeros(2), 2.0))
        1.0
    """
    name = "tsallis_divergence"
    z_p, z_q, axes, dtype = pair(name, ("p_logits", "q_logits"), p_logits, q_logits, axis, where)
    z_p = masked(name, where, z_p)
    a, z_p, z_q = _checks.orders(name, order, axes, z_p, z_q)
    return _numerics.finish(_log_domain.tsallis_divergence_of_logits(axes, z_p, z_q, a), axes, keepdims, 1.0, dtype)


@_checks.measure("axis", "keepdims")
def alpha_divergence(
    p_logits: ArrayLike,
    q_logits: ArrayLike,
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
        p_logits: Unnormalised log-probabilities `[..., K]` of p.
        q_logits: Unnormalised log-probabilities `[..., K]` of q; batch axes broadcast.
        alpha: A finite number, or an array of them that broadcasts with the batch axes; may be traced.
        axis: The axis or axes of a distribution; `None` for all.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether summed axes stay, with length 1.

    Returns:
        An array over the other axes: at least 0, exactly 0 where `p == q`. It has no unit.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes, `alpha`, `axis`, `where` do not fit.

    **Domain**: `inf` where q alone is masked from alpha = 1 on, and where p alone is down from alpha = 0.

    **Gradient**: `S (w - p) / (a - 1)` in `p_logits` and `S (q - w) / a` in `q_logits`, with S the sum of `p^a q^(1-a)`
    and w that over S; finite where the value is. In alpha, too.

    Reference: T. Minka, "Divergence measures and message passing", Microsoft Research MSR-TR-2005-173, 2005.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> print(f"{logits.alpha_divergence(jnp.array([0.0, -jnp.inf]), jnp.zeros(2), 2.0):.4f}")
        0.5000
    """
    name = "alpha_divergence"
    z_p, z_q, axes, dtype = pair(name, ("p_logits", "q_logits"), p_logits, q_logits, axis, where)
    z_p = masked(name, where, z_p)
    a, z_p, z_q = _checks.per_row(name, "alpha", alpha, axes, z_p, z_q)
    return _numerics.finish(_log_domain.alpha_divergence_of_logits(axes, z_p, z_q, a), axes, keepdims, 1.0, dtype)
