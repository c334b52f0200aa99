"""Entropies of an order, and their relatives, of tables of logits."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import _checks, _log_domain, _numerics
from jaxinfo._checks import Axis
from jaxinfo.logits._arguments import OPTIONS, one


@_checks.measure(*OPTIONS)
def renyi_entropy(
    logits: ArrayLike,
    order: ArrayLike,
    *,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    keepdims: bool = False,
    base: float | None = None,
) -> jax.Array:
    r"""Rényi entropy $H_a(p) = \frac{1}{1 - a} \log \sum_k p_k^a$ of $p = \mathrm{softmax}(z)$.

    Order 0 is the logarithm of the number of possible outcomes (Hartley), 1 is Shannon entropy, 2 collision entropy,
    infinity min-entropy.

    Args:
        logits: Unnormalised log-probabilities `[..., K]`.
        order: A number from 0 to infinity, or an array of them that broadcasts with the batch axes; may be traced.
        axis: The axis or axes of a distribution; `None` for all.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether summed axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array over the other axes, between 0 and `log K`, not increasing in the order.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If `order`, `axis`, `where` or `base` do not fit.

    **Domain**: all orders are limits of their neighbours; masked outcomes add nothing; a traced order below 0 gives
    NaN.

    **Gradient**: `-a (w - p) / (a - 1)` with `w = softmax(a z)`, which at order 1 is that of `entropy`; 0 for a masked
    logit. In the order, too.

    Reference: A. Rényi, "On measures of entropy and information", Proc. 4th Berkeley Symposium on Mathematical
        Statistics and Probability 1, 1961.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> print(logits.renyi_entropy(jnp.zeros(4), 2.0, base=2))
        2.0
    """
    name = "renyi_entropy"
    unit = _checks.unit(name, base)
    z, axes, dtype = one(name, "logits", logits, axis, where)
    a, z = _checks.orders(name, order, axes, z)
    return _numerics.finish(_log_domain.renyi_entropy_of_logits(axes, z, a), axes, keepdims, unit, dtype)


@_checks.measure("axis", "keepdims")
def tsallis_entropy(
    logits: ArrayLike,
    order: ArrayLike,
    *,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    keepdims: bool = False,
) -> jax.Array:
    r"""Tsallis entropy $T_a(p) = \frac{1 - \sum_k p_k^a}{a - 1}$ of $p = \mathrm{softmax}(z)$.

    Summed as $(p - p^a) / (a - 1)$, no term of which is negative. Order 1 is Shannon entropy in nats, 2 the
    Gini-Simpson index.

    Args:
        logits: Unnormalised log-probabilities `[..., K]`.
        order: A finite number from 0 on, or an array of them that broadcasts with the batch axes; may be traced.
        axis: The axis or axes of a distribution; `None` for all.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether summed axes stay, with length 1.

    Returns:
        An array over the other axes, at least 0. It has no unit.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If `order`, `axis`, `where` do not fit.

    **Domain**: all orders are limits of their neighbours; masked outcomes add nothing; a traced order below 0 gives
    NaN.

    **Gradient**: `-a sum(p^a) (w - p) / (a - 1)` with `w = softmax(a z)`; 0 for a masked logit. In the order, too.

    Reference: C. Tsallis, "Possible generalization of Boltzmann-Gibbs statistics", Journal of Statistical Physics 52,
        1988.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> print(logits.tsallis_entropy(jnp.zeros(4), 2.0))
        0.75
    """
    name = "tsallis_entropy"
    z, axes, dtype = one(name, "logits", logits, axis, where)
    a, z = _checks.orders(name, order, axes, z)
    return _numerics.finish(_log_domain.tsallis_entropy_of_logits(axes, z, a), axes, keepdims, 1.0, dtype)


@_checks.measure(*OPTIONS)
def min_entropy(
    logits: ArrayLike,
    *,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    keepdims: bool = False,
    base: float | None = None,
) -> jax.Array:
    r"""Min-entropy $H_\infty(p) = -\log \max_k p_k$ of $p = \mathrm{softmax}(z)$.

    Args:
        logits: Unnormalised log-probabilities `[..., K]`.
        axis: The axis or axes of a distribution; `None` for all.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether summed axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array over the other axes, between 0 and `log K`: the least of the Rényi entropies.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If `axis`, `where` or `base` do not fit.

    **Domain**: masked outcomes add nothing; accurate also where one outcome has nearly all the mass.

    **Gradient**: `softmax(z) - 1` at the largest logit, `softmax(z)` elsewhere; shared where several are largest.

    Reference: A. Rényi, "On measures of entropy and information", Proc. 4th Berkeley Symposium on Mathematical
        Statistics and Probability 1, 1961.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> print(logits.min_entropy(jnp.array([0.0, 0.0, -jnp.inf]), base=2))
        1.0
    """
    name = "min_entropy"
    unit = _checks.unit(name, base)
    z, axes, dtype = one(name, "logits", logits, axis, where)
    return _numerics.finish(_log_domain.min_entropy_of_logits(axes, z), axes, keepdims, unit, dtype)


@_checks.measure("axis", "keepdims")
def normalized_entropy(
    logits: ArrayLike,
    *,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    keepdims: bool = False,
) -> jax.Array:
    r"""Normalised entropy $H(p) / \log K$ of $p = \mathrm{softmax}(z)$, the efficiency or evenness.

    K is the number of outcomes that are not masked.

    Args:
        logits: Unnormalised log-probabilities `[..., K]`.
        axis: The axis or axes of a distribution; `None` for all.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether summed axes stay, with length 1.

    Returns:
        An array over the other axes, between 0 and 1. It has no unit.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If `axis`, `where` do not fit.

    **Domain**: 0 for a single outcome.

    **Gradient**: that of `entropy`, over `log K`.

    Reference: E. C. Pielou, "The measurement of diversity in different types of biological collections", Journal of
        Theoretical Biology 13, 1966.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> print(f"{logits.normalized_entropy(jnp.zeros(4)):.4f}")
        1.0000
    """
    name = "normalized_entropy"
    z, axes, dtype = one(name, "logits", logits, axis, where)
    count = jnp.sum((z != -jnp.inf).astype(z.dtype), axis=axes, keepdims=True)
    nats = _log_domain.entropy(axes, z)
    return _numerics.finish(_numerics.evenness(nats, count), axes, keepdims, 1.0, dtype)
