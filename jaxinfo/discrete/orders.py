"""Entropies of an order, and their relatives, of tables of probabilities."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import _checks, _log_domain, _numerics
from jaxinfo._checks import Axis
from jaxinfo.discrete.entropies import OPTIONS, prepare


@_checks.measure(*OPTIONS)
def renyi_entropy(
    p: ArrayLike,
    order: ArrayLike,
    *,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    keepdims: bool = False,
    base: float | None = None,
) -> jax.Array:
    r"""Rényi entropy $H_a(p) = \frac{1}{1 - a} \log \sum_k p_k^a$.

    Order 0 is the logarithm of the number of possible outcomes (Hartley), 1 is Shannon entropy, 2 collision entropy,
    infinity min-entropy. Of a table of mass c the sum is divided by c, as Rényi has it.

    Args:
        p: Probabilities `[..., K]`.
        order: A number from 0 to infinity, or an array of them that broadcasts with the batch axes; may be traced.
        axis: The axis or axes summed over; `None` for all.
        where: Entries to keep; others are dropped, without renormalising.
        keepdims: Whether summed axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array over the other axes, between 0 and `log K`, not increasing in the order.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If `order`, `axis`, `where` or `base` do not fit.

    **Domain**: all orders are limits of their neighbours; zeros add nothing, at order 0 too; a negative probability
    gives NaN in its row; a traced order below 0 gives NaN.

    **Gradient**: `-(1 + a ((p e^H)^(a-1) - 1) / (a - 1)) / c`; 0 at `p = 0` up to order 1, where it is infinite. In the
    order, too.

    Reference: A. Rényi, "On measures of entropy and information", Proc. 4th Berkeley Symposium on Mathematical
        Statistics and Probability 1, 1961.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> print(jaxinfo.renyi_entropy(jnp.full(4, 0.25), 2.0, base=2))
        2.0
    """
    name = "renyi_entropy"
    unit = _checks.unit(name, base)
    kept, axes, dtype = prepare(name, p, axis, where)
    a, kept = _checks.orders(name, order, axes, kept)
    return _numerics.finish(_log_domain.renyi_entropy_of_table(axes, kept, a), axes, keepdims, unit, dtype)


@_checks.measure("axis", "keepdims")
def tsallis_entropy(
    p: ArrayLike,
    order: ArrayLike,
    *,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    keepdims: bool = False,
) -> jax.Array:
    r"""Tsallis entropy $T_a(p) = \frac{1 - \sum_k p_k^a}{a - 1}$.

    Summed as $(p - p^a) / (a - 1)$, no term of which is negative. Order 1 is Shannon entropy in nats, 2 the
    Gini-Simpson index.

    Args:
        p: Probabilities `[..., K]`.
        order: A finite number from 0 on, or an array of them that broadcasts with the batch axes; may be traced.
        axis: The axis or axes summed over; `None` for all.
        where: Entries to keep; others are dropped, without renormalising.
        keepdims: Whether summed axes stay, with length 1.

    Returns:
        An array over the other axes, at least 0. It has no unit.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If `order`, `axis`, `where` do not fit.

    **Domain**: all orders are limits of their neighbours; zeros add nothing, at order 0 too; a negative probability
    gives NaN in its row; a traced order below 0 gives NaN.

    **Gradient**: `(1 - a p^(a-1)) / (a - 1)`; 0 at `p = 0` up to order 1, where it is infinite. In the order, too.

    Reference: C. Tsallis, "Possible generalization of Boltzmann-Gibbs statistics", Journal of Statistical Physics 52,
        1988.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> print(jaxinfo.tsallis_entropy(jnp.full(4, 0.25), 2.0))
        0.75
    """
    name = "tsallis_entropy"
    kept, axes, dtype = prepare(name, p, axis, where)
    a, kept = _checks.orders(name, order, axes, kept)
    return _numerics.finish(_log_domain.tsallis_entropy_of_table(axes, kept, a), axes, keepdims, 1.0, dtype)


@_checks.measure(*OPTIONS)
def min_entropy(
    p: ArrayLike,
    *,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    keepdims: bool = False,
    base: float | None = None,
) -> jax.Array:
    r"""Min-entropy $H_\infty(p) = -\log \max_k p_k$.

    Args:
        p: Probabilities `[..., K]`.
        axis: The axis or axes summed over; `None` for all.
        where: Entries to keep; others are dropped, without renormalising.
        keepdims: Whether summed axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array over the other axes, between 0 and `log K`: the least of the Rényi entropies.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If `axis`, `where` or `base` do not fit.

    **Domain**: a negative probability gives NaN in its row.

    **Gradient**: `-1/p` at the largest entry, shared where several are, and 0 elsewhere.

    Reference: A. Rényi, "On measures of entropy and information", Proc. 4th Berkeley Symposium on Mathematical
        Statistics and Probability 1, 1961.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> print(jaxinfo.min_entropy(jnp.array([0.5, 0.25, 0.25]), base=2))
        1.0
    """
    name = "min_entropy"
    unit = _checks.unit(name, base)
    kept, axes, dtype = prepare(name, p, axis, where)
    return _numerics.finish(_log_domain.min_entropy_of_table(axes, kept), axes, keepdims, unit, dtype)


@_checks.measure("axis", "keepdims")
def normalized_entropy(
    p: ArrayLike,
    *,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    keepdims: bool = False,
) -> jax.Array:
    r"""Normalised entropy $H(p) / \log K$, the efficiency or evenness.

    K is the number of outcomes that `where` keeps.

    Args:
        p: Probabilities `[..., K]`.
        axis: The axis or axes summed over; `None` for all.
        where: Entries to keep; others are dropped, without renormalising.
        keepdims: Whether summed axes stay, with length 1.

    Returns:
        An array over the other axes, between 0 and 1. It has no unit.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If `axis`, `where` do not fit.

    **Domain**: 0 for a single outcome; a negative probability gives NaN in its row.

    **Gradient**: that of `entropy`, over `log K`.

    Reference: E. C. Pielou, "The measurement of diversity in different types of biological collections", Journal of
        Theoretical Biology 13, 1966.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> print(f"{jaxinfo.normalized_entropy(jnp.full(4, 0.25)):.4f}")
        1.0000
    """
    name = "normalized_entropy"
    kept, axes, dtype = prepare(name, p, axis, where)
    outcomes = jnp.ones_like(kept) if where is None else jnp.broadcast_to(where, kept.shape).astype(kept.dtype)
    count = jnp.sum(outcomes, axis=axes, keepdims=True)
    nats = _numerics.row_sum(_numerics.entropy_term(kept), axes, True)
    return _numerics.finish(_numerics.evenness(nats, count), axes, keepdims, 1.0, dtype)
