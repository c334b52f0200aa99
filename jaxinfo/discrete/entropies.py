"""Surprisal, entropy and cross-entropy of tables of probabilities."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import _checks, _numerics
from jaxinfo._checks import Axis

OPTIONS = ("axis", "keepdims", "base")


def reduce_terms(
    terms: jax.Array, axes: tuple[int, ...], keepdims: bool, base_unit: float, dtype: jnp.dtype
) -> jax.Array:
    """Sums elementwise terms in the accumulation dtype, then unit and dtype of the result."""
    total = _numerics.row_sum(terms, axes, keepdims)
    return _numerics.in_units(total, base_unit).astype(dtype)


def prepare(
    name: str, p: ArrayLike, axis: Axis, where: ArrayLike | None
) -> tuple[jax.Array, tuple[int, ...], jnp.dtype]:
    """Checks one table; returns it masked and wide, with the axes and the dtype of the result."""
    table = _checks.floating(name, "p", p)
    axes = _checks.axes(name, axis, table.ndim)
    (kept,) = _numerics.drop(_checks.mask(name, where, table.shape), _numerics.accumulate(table))
    return kept, axes, table.dtype


@_checks.measure("base")
def surprisal(p: ArrayLike, *, base: float | None = None) -> jax.Array:
    r"""Surprisal (self-information) of each probability, $-\log p$.

    Args:
        p: Probabilities, of any shape.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array of the shape of `p`: at least 0, decreasing in `p`, additive over independent events.

    Raises:
        TypeError: If `p` is not real.
        ValueError: If `base` is not a positive number other than 1.

    **Domain**: 0 at `p = 1`, `inf` at `p = 0`, NaN where `p < 0`.

    **Gradient**: `-1/p`; `-inf` at `p = 0`.

    Reference: C. E. Shannon, "A Mathematical Theory of Communication", Bell System Technical Journal 27, 1948.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> print(jaxinfo.surprisal(jnp.array([1.0, 0.5, 0.25, 0.0]), base=2))
        [ 0.  1.  2. inf]
    """
    name = "surprisal"
    unit, table = _checks.unit(name, base), _checks.floating(name, "p", p)
    nats = _numerics.surprisal_term(_numerics.accumulate(table))
    return _numerics.in_units(nats, unit).astype(table.dtype)


@_checks.measure(*OPTIONS)
def entropy(
    p: ArrayLike, *, axis: Axis = -1, where: ArrayLike | None = None, keepdims: bool = False, base: float | None = None
) -> jax.Array:
    r"""Shannon entropy $H(p) = -\sum_k p_k \log p_k$.

    Args:
        p: Probabilities `[..., K]`. Not renormalised.
        axis: The axis or axes summed over; `None` for all.
        where: Entries to keep; others are dropped, without renormalising.
        keepdims: Whether summed axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array over the other axes, between 0 and `log K`.

    Raises:
        TypeError: If `p` is not real or `where` not boolean.
        ValueError: If `axis`, `where` or `base` do not fit.

    **Domain**: `0 log 0 = 0`; a negative probability gives NaN in its row.

    **Gradient**: `-1 - log p`; 0 at `p = 0`, where it is infinite: the derivative along the face of the simplex that
    holds `p`.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, section 2.1.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> print(jaxinfo.entropy(jnp.array([[0.5, 0.5], [1.0, 0.0]]), base=2))
        [1. 0.]
    """
    name = "entropy"
    unit = _checks.unit(name, base)
    kept, axes, dtype = prepare(name, p, axis, where)
    return reduce_terms(_numerics.entropy_term(kept), axes, keepdims, unit, dtype)


def prepare_pair(
    name: str, p: ArrayLike, q: ArrayLike, axis: Axis, where: ArrayLike | None
) -> tuple[jax.Array, jax.Array, tuple[int, ...], jnp.dtype]:
    """Checks two tables; returns them broadcast, masked and wide, with the axes and the dtype of the result."""
    table_p, table_q = _checks.floating(name, "p", p), _checks.floating(name, "q", q)
    axes = _checks.axes(name, axis, max(table_p.ndim, table_q.ndim))
    table_p, table_q = _checks.broadcast(name, axes, p=table_p, q=table_q)
    dtype = jnp.promote_types(table_p.dtype, table_q.dtype)
    wide = [_numerics.accumulate(t.astype(dtype)) for t in (table_p, table_q)]
    kept_p, kept_q = _numerics.drop(_checks.mask(name, where, table_p.shape), *wide)
    return kept_p, kept_q, axes, dtype


@_checks.measure(*OPTIONS)
def cross_entropy(
    p: ArrayLike,
    q: ArrayLike,
    *,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    keepdims: bool = False,
    base: float | None = None,
) -> jax.Array:
    r"""Cross-entropy $H(p, q) = -\sum_k p_k \log q_k = H(p) + \mathrm{KL}(p\|q)$.

    Args:
        p: Probabilities `[..., K]` under which the mean is taken.
        q: Probabilities `[..., K]` whose surprisal is averaged; batch axes broadcast.
        axis: The axis or axes summed over; `None` for all.
        where: Entries to keep; others are dropped, without renormalising.
        keepdims: Whether summed axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array over the other axes, at least `H(p)`.

    Raises:
        TypeError: If a table is not real or `where` not boolean.
        ValueError: If shapes, `axis`, `where` or `base` do not fit.

    **Domain**: `p = 0` adds nothing, also where `q = 0`; `p > 0, q = 0` gives `inf`.

    **Gradient**: `-log q` in `p`, also where `p = 0` (0 where `p = q = 0`, `inf` where only `q` is 0); `-p/q` in `q`
    (0 where `p = 0`, `-inf` where only `q` is 0).

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, section 5.4.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> print(jaxinfo.cross_entropy(jnp.array([1.0, 0.0]), jnp.array([0.25, 0.75]), base=2))
        2.0
    """
    name = "cross_entropy"
    unit = _checks.unit(name, base)
    kept_p, kept_q, axes, dtype = prepare_pair(name, p, q, axis, where)
    return reduce_terms(_numerics.cross_entropy_term(kept_p, kept_q), axes, keepdims, unit, dtype)


@_checks.measure("axis", "keepdims")
def perplexity(p: ArrayLike, *, axis: Axis = -1, where: ArrayLike | None = None, keepdims: bool = False) -> jax.Array:
    r"""Perplexity $\exp H(p)$, the effective number of equally likely outcomes.

    Args:
        p: Probabilities `[..., K]`.
        axis: The axis or axes summed over; `None` for all.
        where: Entries to keep; others are dropped, without renormalising.
        keepdims: Whether summed axes stay, with length 1.

    Returns:
        An array over the other axes, between 1 and K. It has no unit: the base of the logarithm cancels.

    Raises:
        TypeError: If `p` is not real or `where` not boolean.
        ValueError: If `axis` or `where` do not fit.

    **Domain**: as `entropy`: zeros add nothing, a negative probability gives NaN in its row.

    **Gradient**: perplexity times that of `entropy`; 0 at `p = 0`.

    Reference: F. Jelinek et al., "Perplexity - a measure of the difficulty of speech recognition tasks", JASA 62, 1977.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> print(f"{jaxinfo.perplexity(jnp.full(8, 1 / 8)):.4f}")
        8.0000
    """
    name = "perplexity"
    table = _checks.floating(name, "p", p)
    axes = _checks.axes(name, axis, table.ndim)
    (kept,) = _numerics.drop(_checks.mask(name, where, table.shape), _numerics.accumulate(table))
    return jnp.exp(_numerics.row_sum(_numerics.entropy_term(kept), axes, keepdims)).astype(table.dtype)


@jax.custom_jvp
def _binary_entropy(p: jax.Array) -> jax.Array:
    """From `c = 1 - p` rounded and what rounding took from it, which is exact: a logarithm does, `log1p` need not."""
    c = 1 - p
    lost, log = (1 - c) - p, jnp.log(jnp.where(c == 0, jnp.ones_like(c), c))
    return _numerics.entropy_term(p) - (c * log + lost * (1 + log))


@_binary_entropy.defjvp
def _binary_entropy_jvp(primals: tuple[jax.Array], tangents: tuple[jax.Array]) -> tuple[jax.Array, jax.Array]:
    (p,), (dp,) = _numerics.apart(*primals), tangents
    edge = (p == 0) | (p == 1)
    inside = jnp.where(edge, jnp.full_like(p, 0.5), p)
    return _binary_entropy(*primals), dp * _numerics.log_ratio(1 - inside, inside, 1 - 2 * inside)


@_checks.measure("base")
def binary_entropy(p: ArrayLike, *, base: float | None = None) -> jax.Array:
    r"""Entropy of a coin, $h(p) = -p \log p - (1 - p) \log(1 - p)$, elementwise.

    Args:
        p: Probabilities of heads, of any shape.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array of the shape of `p`, between 0 and `log 2`.

    Raises:
        TypeError: If `p` is not real.
        ValueError: If `base` is not a positive number other than 1.

    **Domain**: 0 at `p = 0` and `p = 1`; NaN outside [0, 1].

    **Gradient**: `log((1 - p)/p)`; 0 at `p = 0` and `p = 1`, where it is infinite.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, equation (2.5).

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> print(jaxinfo.binary_entropy(jnp.array([0.0, 0.5, 1.0]), base=2))
        [0. 1. 0.]
    """
    name = "binary_entropy"
    unit, table = _checks.unit(name, base), _checks.floating(name, "p", p)
    return _numerics.in_units(_binary_entropy(_numerics.accumulate(table)), unit).astype(table.dtype)
