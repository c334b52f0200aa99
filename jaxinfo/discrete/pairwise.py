"""Measures of all pairs of tables, `[..., N, K] x [..., M, K] -> [..., N, M]`."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax.custom_derivatives import SymbolicZero
from jax.typing import ArrayLike

from jaxinfo import _checks, _numerics, _pairs


def _prepare(name: str, p: ArrayLike, q: ArrayLike, where: ArrayLike | None) -> tuple[jax.Array, jax.Array, jnp.dtype]:
    """Checks two stacks of tables; returns them masked, wide and of the same rank, with the dtype of the result."""
    stack_p, stack_q = _checks.floating(name, "p", p), _checks.floating(name, "q", q)
    dtype = jnp.promote_types(stack_p.dtype, stack_q.dtype)
    stack_p, stack_q = _checks.stacks(name, p=stack_p.astype(dtype), q=stack_q.astype(dtype))
    mask = _checks.mask(name, where, stack_p.shape[-1:])
    over_rows = None if mask is None else mask.reshape((1,) * (stack_p.ndim - 1) + mask.shape)
    kept_p, kept_q = _numerics.drop(over_rows, *map(_numerics.accumulate, (stack_p, stack_q)))
    return kept_p, kept_q, dtype


def _nan_if_negative(p: jax.Array, q: jax.Array) -> jax.Array:
    """0, and NaN in the row or column of a table with a negative entry."""
    p, q = jax.lax.stop_gradient((p, q))
    return 0 * _pairs.of_rows(jnp.sqrt(p)) + 0 * _pairs.of_columns(jnp.sqrt(q))


@_checks.measure("base")
def pairwise_cross_entropy(
    p: ArrayLike, q: ArrayLike, *, where: ArrayLike | None = None, base: float | None = None
) -> jax.Array:
    r"""Cross-entropy of all pairs, $H(p_i, q_j) = -\sum_k p_{ik} \log q_{jk}$, as one matrix product.

    The product is in full precision, also where an accelerator would multiply in less; every term is at least 0 and
    nothing cancels.

    Args:
        p: Probabilities `[..., N, K]` under which the means are taken.
        q: Probabilities `[..., M, K]` whose surprisals are averaged; batch axes broadcast.
        where: Entries `[K]` to keep; others are dropped from all tables, without renormalising.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array `[..., N, M]`.

    Raises:
        TypeError: If a stack is not real or `where` not boolean.
        ValueError: If shapes, `where` or `base` do not fit.

    **Domain**: `p = 0` adds nothing, also where `q = 0`; `p > 0, q = 0` gives `inf`; a negative entry gives NaN in the
    row or column of its table. Zeros in `q` cost a second matrix product.

    **Gradient**: of each pair as that of `cross_entropy`, by matrix products.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, section 5.4.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> p, q = jnp.array([[0.5, 0.5], [1.0, 0.0]]), jnp.array([[0.5, 0.5], [0.25, 0.75], [1.0, 0.0]])
        >>> print(jaxinfo.pairwise_cross_entropy(p, q, base=2)[1])
        [1. 2. 0.]
    """
    name = "pairwise_cross_entropy"
    unit = _checks.unit(name, base)
    stack_p, stack_q, dtype = _prepare(name, p, q, where)
    return _numerics.in_units(_pairs.cross_entropy(stack_p, stack_q), unit).astype(dtype)


@_checks.measure("base")
def pairwise_kl_divergence(
    p: ArrayLike, q: ArrayLike, *, where: ArrayLike | None = None, base: float | None = None
) -> jax.Array:
    r"""Divergence of all pairs, $\mathrm{KL}(p_i\|q_j) = \sum_k p_{ik} \log(p_{ik} / q_{jk}) - p_{ik} + q_{jk}$.

    It is computed as cross-entropy less entropy, one matrix product, which rounds in units of the cross-entropy and not
    of the divergence. Pairs whose divergence is below $\sqrt\epsilon\,(H(p_i, q_j) + H(p_i) + 2)$, with $\epsilon$ the
    spacing of numbers at 1, are computed anew entry by entry; so each divergence has at least about half of the digits
    of its dtype, and close ones have nearly all. `kl_divergence(p[:, None], q)` has all digits of every pair, and takes
    tens of times as long.

    Args:
        p: Probabilities `[..., N, K]` under which the means are taken.
        q: Probabilities `[..., M, K]`; batch axes broadcast.
        where: Entries `[K]` to keep; others are dropped from all tables, without renormalising.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array `[..., N, M]`: at least 0, exactly 0 where two tables are equal.

    Raises:
        TypeError: If a stack is not real or `where` not boolean.
        ValueError: If shapes, `where` or `base` do not fit.

    **Domain**: `p > 0, q = 0` gives `inf`; `p = q = 0` adds nothing; a negative entry gives NaN in the row or column of
    its table. Zeros in `q` cost a second matrix product.

    **Gradient**: of each pair as that of `kl_divergence`, by matrix products; off by roundings of the logarithms, also
    where `p` and `q` are close and the gradient is small.

    Reference: S. Kullback and R. A. Leibler, "On Information and Sufficiency", Annals of Mathematical Statistics 22,
        1951.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> p = jnp.array([[0.5, 0.5], [1.0, 0.0]])
        >>> print(jaxinfo.pairwise_kl_divergence(p, p, base=2))
        [[ 0. inf]
         [ 1.  0.]]
    """
    name = "pairwise_kl_divergence"
    unit = _checks.unit(name, base)
    stack_p, stack_q, dtype = _prepare(name, p, q, where)
    return _numerics.in_units(_kl_divergence(stack_p, stack_q), unit).astype(dtype)


@jax.custom_jvp
def _kl_divergence(p: jax.Array, q: jax.Array) -> jax.Array:
    entropy, mass = _pairs.of_rows(p + _numerics.entropy_term(p)), _pairs.of_columns(q)
    cross = _pairs.cross_entropy(p, q)
    value = (cross - entropy) + mass
    poor = value < _pairs.half_the_digits(value) * (jnp.abs(cross) + jnp.abs(entropy) + mass)
    return _pairs.refine(value, poor, lambda a, b: _numerics.row_sum(_numerics.kl_term(a, b), (-1,)), p, q)


def _kl_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    """Cross-entropy less entropy, but where `p` is 0 the slope in `p` is 0, with the derivative in `q` of p -> 0."""
    (p, q), (dp, dq) = primals, tangents
    tangent = _pairs.cross_entropy_change(p, q, dp, dq)
    if not isinstance(dp, SymbolicZero):
        unseen, log_q = p == 0, jax.lax.stop_gradient(_pairs.log_or_zero(q))
        tangent += jnp.sum(dp * _pairs.log_or_zero(p), -1, keepdims=True)
        at_zero = jnp.where(unseen, dp, jnp.zeros_like(dp))
        tangent += _pairs.or_zeros(jnp.any(unseen), lambda: _pairs.product(at_zero, log_q))
    if not isinstance(dq, SymbolicZero):
        tangent += jnp.sum(dq, -1)[..., None, :]
    return _kl_divergence(p, q), tangent


_kl_divergence.defjvp(_kl_jvp, symbolic_zeros=True)


@_checks.measure("base")
def pairwise_jensen_shannon_divergence(
    p: ArrayLike, q: ArrayLike, *, where: ArrayLike | None = None, base: float | None = None
) -> jax.Array:
    r"""Jensen-Shannon divergence of all pairs, the mean of $\mathrm{KL}(p_i\|m)$ and $\mathrm{KL}(q_j\|m)$.

    With $m = (p_i + q_j) / 2$. It is no product of tables: the terms are computed in blocks of pairs, and every pair
    has the digits of `jensen_shannon_divergence`.

    Args:
        p: Probabilities `[..., N, K]`.
        q: Probabilities `[..., M, K]`; batch axes broadcast.
        where: Entries `[K]` to keep; others are dropped from all tables, without renormalising.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array `[..., N, M]`: at least 0, exactly 0 where two tables are equal, at most `log 2`.

    Raises:
        TypeError: If a stack is not real or `where` not boolean.
        ValueError: If shapes, `where` or `base` do not fit.

    **Domain**: finite for all tables, whatever their zeros; a negative entry gives NaN in the row or column of its
    table.

    **Gradient**: of each pair as that of `jensen_shannon_divergence`, in blocks.

    Reference: J. Lin, "Divergence Measures Based on the Shannon Entropy", IEEE Transactions on Information Theory 37,
        1991.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> print(jaxinfo.pairwise_jensen_shannon_divergence(jnp.eye(2), jnp.eye(2), base=2))
        [[0. 1.]
         [1. 0.]]
    """
    name = "pairwise_jensen_shannon_divergence"
    unit = _checks.unit(name, base)
    stack_p, stack_q, dtype = _prepare(name, p, q, where)
    return _numerics.in_units(_pairs.blocked(_jensen_shannon_term, stack_p, stack_q), unit).astype(dtype)


def _jensen_shannon_term(p: jax.Array, q: jax.Array) -> jax.Array:
    return _numerics.jensen_shannon_terms(p, q, p - q, jnp.asarray(0.5, p.dtype))


@_checks.measure()
def pairwise_total_variation(p: ArrayLike, q: ArrayLike, *, where: ArrayLike | None = None) -> jax.Array:
    r"""Total variation distance of all pairs, $\frac12 \sum_k |p_{ik} - q_{jk}|$, in blocks of pairs.

    Args:
        p: Probabilities `[..., N, K]`.
        q: Probabilities `[..., M, K]`; batch axes broadcast.
        where: Entries `[K]` to keep; others are dropped from all tables, without renormalising.

    Returns:
        An array `[..., N, M]`, between 0 and 1. It has no unit.

    Raises:
        TypeError: If a stack is not real or `where` not boolean.
        ValueError: If shapes or `where` do not fit.

    **Domain**: finite for all tables; a negative entry gives NaN in the row or column of its table.

    **Gradient**: half the sign of `p - q` in `p`, 0 where they are equal, in blocks.

    Reference: D. A. Levin and Y. Peres, "Markov Chains and Mixing Times", 2nd ed., AMS 2017, section 4.1.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> print(jaxinfo.pairwise_total_variation(jnp.eye(2), jnp.array([[0.5, 0.5], [1.0, 0.0]])))
        [[0.5 0. ]
         [0.5 1. ]]
    """
    stack_p, stack_q, dtype = _prepare("pairwise_total_variation", p, q, where)
    value = 0.5 * _pairs.blocked(_distance, stack_p, stack_q)
    return (value + _nan_if_negative(stack_p, stack_q)).astype(dtype)


def _distance(p: jax.Array, q: jax.Array) -> jax.Array:
    """`|p - q|`, with derivative 0 where they are equal."""
    difference = p - q
    return difference * jax.lax.stop_gradient(jnp.sign(difference))


@_checks.measure()
def pairwise_hellinger_distance(p: ArrayLike, q: ArrayLike, *, where: ArrayLike | None = None) -> jax.Array:
    r"""Hellinger distance of all pairs, $\sqrt{\frac12 \sum_k (\sqrt{p_{ik}} - \sqrt{q_{jk}})^2}$.

    On normalised tables it is $\sqrt{1 - \sum_k \sqrt{p_{ik} q_{jk}}}$. Its square is computed from the matrix product
    of the roots, which rounds in units of 1; pairs where it is below $2 \sqrt\epsilon$, with $\epsilon$ the spacing of
    numbers at 1, are computed anew entry by entry. So each distance has at least about half of the digits of its dtype,
    and close ones have nearly all.

    Args:
        p: Probabilities `[..., N, K]`.
        q: Probabilities `[..., M, K]`; batch axes broadcast.
        where: Entries `[K]` to keep; others are dropped from all tables, without renormalising.

    Returns:
        An array `[..., N, M]`, between 0 and 1, exactly 0 where two tables are equal. It has no unit.

    Raises:
        TypeError: If a stack is not real or `where` not boolean.
        ValueError: If shapes or `where` do not fit.

    **Domain**: finite for all tables; a negative entry gives NaN in the row or column of its table.

    **Gradient**: `(1 - sqrt(q/p)) / (4 H)` in `p`, in blocks and with its digits also for close pairs; 0 where it is
    infinite, at `p = 0`, and where two tables are equal.

    Reference: D. Pollard, "A User's Guide to Measure Theoretic Probability", Cambridge 2002, section 3.3.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> print(jaxinfo.pairwise_hellinger_distance(jnp.eye(2), jnp.eye(2)))
        [[0. 1.]
         [1. 0.]]
    """
    stack_p, stack_q, dtype = _prepare("pairwise_hellinger_distance", p, q, where)
    return _numerics.square_root(_squared_hellinger(stack_p, stack_q)).astype(dtype)


@jax.custom_jvp
def _squared_hellinger(p: jax.Array, q: jax.Array) -> jax.Array:
    most = 0.5 * (_pairs.of_rows(p) + _pairs.of_columns(q))
    value = most - _pairs.product(jnp.sqrt(p), jnp.sqrt(q))
    poor = value < 2 * _pairs.half_the_digits(value) * most
    return _pairs.refine(value, poor, lambda a, b: _numerics.row_sum(_root_term(a, b), (-1,)), p, q)


@_squared_hellinger.defjvp
def _squared_hellinger_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    _, tangent = jax.jvp(lambda p, q: _pairs.blocked(_root_term, p, q), primals, tangents)
    return _squared_hellinger(*primals), tangent


@jax.custom_jvp
def _root_term(p: jax.Array, q: jax.Array) -> jax.Array:
    """`(sqrt p - sqrt q)^2 / 2`, from the exact difference of close numbers."""
    ratio = (p - q) / (jnp.sqrt(p) + jnp.sqrt(q) + _numerics.tiny(p))
    return 0.5 * jnp.square(ratio)


@_root_term.defjvp
def _root_term_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (p, q), (dp, dq) = primals, tangents
    return _root_term(p, q), dp * _root_slope(p, q) + dq * _root_slope(q, p)


@jax.custom_jvp
def _root_slope(p: jax.Array, q: jax.Array) -> jax.Array:
    """`(1 - sqrt(q/p)) / 2`, 0 where only `p` is 0."""
    root = jnp.sqrt(p)
    slope = 0.5 * _numerics.quotient(_numerics.quotient(p - q, root), root + jnp.sqrt(q))
    return jnp.where((p == 0) & (q == 0), 0.5, slope)


@_root_slope.defjvp
def _root_slope_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (p, q), (dp, dq) = primals, tangents
    root_p, root_q = _numerics.square_root(p), _numerics.square_root(q)
    in_p = 0.25 * _numerics.quotient(_numerics.quotient(root_q, root_p), p)
    in_q = -0.25 * _numerics.quotient(_numerics.quotient(jnp.ones_like(p), root_p), root_q)
    return _root_slope(p, q), dp * in_p + dq * in_q
