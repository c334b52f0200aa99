"""Distances of overlap between tables of logits: Hellinger, Bhattacharyya, Chernoff."""

from __future__ import annotations

import jax
from jax.typing import ArrayLike

from jaxinfo import _checks, _log_domain, _numerics
from jaxinfo._checks import Axis
from jaxinfo.generators._forms import SquaredHellinger
from jaxinfo.logits._arguments import OPTIONS, masked, pair


@_checks.measure("axis", "keepdims")
def hellinger_distance(
    p_logits: ArrayLike,
    q_logits: ArrayLike,
    *,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    keepdims: bool = False,
) -> jax.Array:
    r"""Hellinger distance $\sqrt{\frac{1}{2} \sum_k (\sqrt{p_k} - \sqrt{q_k})^2} = \sqrt{1 - \sum_k \sqrt{p_k q_k}}$.

    Args:
        p_logits: Unnormalised log-probabilities `[..., K]` of p.
        q_logits: Unnormalised log-probabilities `[..., K]` of q; batch axes broadcast.
        axis: The axis or axes of a distribution; `None` for all.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether summed axes stay, with length 1.

    Returns:
        An array over the other axes: a metric between 0 and 1, exactly 0 where `p == q`. It has no unit.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes, `axis`, `where` do not fit.

    **Domain**: finite for all logits, 1 where they have nothing in common.

    **Gradient**: that of the square over twice the distance; 0 where p and q are equal.

    Reference: E. Hellinger, "Neue Begründung der Theorie quadratischer Formen von unendlichvielen Veränderlichen",
        Journal für die reine und angewandte Mathematik 136, 1909.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> print(logits.hellinger_distance(jnp.array([0.0, -jnp.inf]), jnp.array([-jnp.inf, 0.0])))
        1.0
    """
    name = "hellinger_distance"
    z_p, z_q, axes, dtype = pair(name, ("p_logits", "q_logits"), p_logits, q_logits, axis, where)
    z_p = masked(name, where, z_p)
    square = SquaredHellinger().row(axes, z_p, z_q)
    return _numerics.finish(_numerics.square_root(square), axes, keepdims, 1.0, dtype)


@_checks.measure(*OPTIONS)
def bhattacharyya_distance(
    p_logits: ArrayLike,
    q_logits: ArrayLike,
    *,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    keepdims: bool = False,
    base: float | None = None,
) -> jax.Array:
    r"""Bhattacharyya distance $-\log \sum_k \sqrt{p_k q_k}$.

    It keeps its digits where p and q are close.

    Args:
        p_logits: Unnormalised log-probabilities `[..., K]` of p.
        q_logits: Unnormalised log-probabilities `[..., K]` of q; batch axes broadcast.
        axis: The axis or axes of a distribution; `None` for all.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether summed axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array over the other axes: symmetric, at least 0, exactly 0 where `p == q`.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes, `axis`, `where` or `base` do not fit.

    **Domain**: `inf` where p and q have nothing in common.

    **Gradient**: `(p - w) / 2` in `p_logits` and `(q - w) / 2` in `q_logits`, with w the normalised `sqrt(p q)`.

    Reference: A. Bhattacharyya, "On a measure of divergence between two statistical populations defined by their
        probability distributions", Bulletin of the Calcutta Mathematical Society 35, 1943.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> print(logits.bhattacharyya_distance(jnp.zeros(4), jnp.array([0.0, -jnp.inf, -jnp.inf, -jnp.inf]), base=2))
        1.0
    """
    name = "bhattacharyya_distance"
    unit = _checks.unit(name, base)
    z_p, z_q, axes, dtype = pair(name, ("p_logits", "q_logits"), p_logits, q_logits, axis, where)
    z_p = masked(name, where, z_p)
    half, *_ = _checks.orders(name, 0.5, axes, z_p)
    return _numerics.finish(
        0.5 * _log_domain.renyi_divergence_of_logits(axes, z_p, z_q, half), axes, keepdims, unit, dtype
    )


@_checks.measure(*OPTIONS)
def chernoff_information(
    p_logits: ArrayLike,
    q_logits: ArrayLike,
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
        p_logits: Unnormalised log-probabilities `[..., K]` of p.
        q_logits: Unnormalised log-probabilities `[..., K]` of q; batch axes broadcast.
        axis: The axis or axes of a distribution; `None` for all.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether summed axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array over the other axes: symmetric, at least 0, exactly 0 where `p == q`, at most either divergence.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes, `axis`, `where` or `base` do not fit.

    **Domain**: `inf` where p and q have nothing in common.

    **Gradient**: that of `(1 - a) R_a(p|q)` at the best order, which does not add to it (envelope theorem); second
    derivatives follow the order.

    Reference: H. Chernoff, "A measure of asymptotic efficiency for tests of a hypothesis based on the sum of
        observations", Annals of Mathematical Statistics 23, 1952.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> print(f"{logits.chernoff_information(jnp.array([0.0, -jnp.inf]), jnp.zeros(2), base=2):.4f}")
        1.0000
    """
    name = "chernoff_information"
    unit = _checks.unit(name, base)
    z_p, z_q, axes, dtype = pair(name, ("p_logits", "q_logits"), p_logits, q_logits, axis, where)
    z_p = masked(name, where, z_p)
    return _numerics.finish(_log_domain.chernoff_of_logits(axes, z_p, z_q), axes, keepdims, unit, dtype)
