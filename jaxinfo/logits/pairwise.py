"""Measures of all pairs of tables of logits, `[..., N, K] x [..., M, K] -> [..., N, M]`."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.custom_derivatives import SymbolicZero
from jax.typing import ArrayLike

from jaxinfo import _checks, _log_domain, _numerics, _pairs
from jaxinfo.logits._arguments import masked

_LAST = (-1,)


def _prepare(
    name: str, p_logits: ArrayLike, q_logits: ArrayLike, where: ArrayLike | None
) -> tuple[jax.Array, jax.Array, jnp.dtype]:
    """Checks two stacks of logits; returns them masked, wide and of the same rank, with the dtype of the result."""
    z_p, z_q = _checks.floating(name, "p_logits", p_logits), _checks.floating(name, "q_logits", q_logits)
    dtype = jnp.promote_types(z_p.dtype, z_q.dtype)
    z_p, z_q = _checks.stacks(name, p_logits=z_p.astype(dtype), q_logits=z_q.astype(dtype))
    mask = _checks.mask(name, where, z_p.shape[-1:])
    return masked(name, _over_rows(mask, z_p), z_p), masked(name, _over_rows(mask, z_q), z_q), dtype


def _over_rows(mask: jax.Array | None, z: jax.Array) -> jax.Array | None:
    return None if mask is None else mask.reshape((1,) * (z.ndim - 1) + mask.shape)


def _log_softmax(z: jax.Array) -> jax.Array:
    """0 with derivative 0 where masked, but NaN for a row that is no distribution."""
    away = ~_log_domain.present(z) & jnp.any(_log_domain.present(z), axis=-1, keepdims=True)
    return jnp.where(away, jnp.zeros_like(z), -_log_domain.surprisal(_LAST, z))


@_checks.measure("base")
def pairwise_cross_entropy(
    p_logits: ArrayLike, q_logits: ArrayLike, *, where: ArrayLike | None = None, base: float | None = None
) -> jax.Array:
    r"""Cross-entropy of all pairs of tables of logits, $-\sum_k p_{ik} \log q_{jk}$, as one matrix product.

    Args:
        p_logits: Unnormalised log-probabilities `[..., N, K]` of the tables p.
        q_logits: Unnormalised log-probabilities `[..., M, K]` of the tables q; batch axes broadcast.
        where: Outcomes `[K]` to keep; others are masked, as if their logits were `-inf`.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array `[..., N, M]`.

    Raises:
        TypeError: If a stack is not real or `where` not boolean.
        ValueError: If shapes, `where` or `base` do not fit.

    **Domain**: `inf` where q is masked and p is not; where both are, nothing is added. Masks in q cost a second matrix
    product. A table of only `-inf` gives NaN in its row or column.

    **Gradient**: `softmax(q) - softmax(p)` in `q_logits`, always; `-p (log q - sum(p log q))` in `p_logits`, finite
    also where the value is not; by matrix products.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, section 5.4.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> z = jnp.array([[0.0, 0.0], [0.0, -jnp.inf]])
        >>> print(logits.pairwise_cross_entropy(z, z, base=2))
        [[ 1. inf]
         [ 1.  0.]]
    """
    name = "pairwise_cross_entropy"
    unit = _checks.unit(name, base)
    z_p, z_q, dtype = _prepare(name, p_logits, q_logits, where)
    return _numerics.in_units(_cross_entropy(z_p, z_q), unit).astype(dtype)


@jax.custom_jvp
def _cross_entropy(z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    if not z_p.shape[-1]:
        return jnp.full_like(_pairs.product(z_p, z_q), jnp.nan)  # no outcome is no distribution
    seen, absent = _log_domain.present(z_p).astype(z_p.dtype), (~_log_domain.present(z_q)).astype(z_q.dtype)
    return _pairs.mean_surprisal(_log_domain.softmax(_LAST, z_p), 0 - _log_softmax(z_q), seen, absent)


def _change(z_p: jax.Array, z_q: jax.Array, dz_p: Any, dz_q: Any) -> jax.Array:
    """The tangent of the cross-entropy: `dp = p (dz_p - sum(p dz_p))` goes with `-log q`, and `dz_q` with `q - p`."""
    tangent = jnp.zeros((), z_p.dtype)
    if not isinstance(dz_p, SymbolicZero):
        tangent = tangent - _pairs.product(_softmax_change(z_p, dz_p), _log_softmax(z_q))
    if not isinstance(dz_q, SymbolicZero):
        tangent += jnp.sum(_log_domain.softmax(_LAST, z_q) * dz_q, -1)[..., None, :]
        tangent -= _pairs.product(_log_domain.softmax(_LAST, z_p), dz_q)
    return tangent


def _softmax_change(z: jax.Array, dz: jax.Array) -> jax.Array:
    return jax.jvp(partial(_log_domain.softmax, _LAST), (z,), (dz,))[1]


def _cross_entropy_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    return _cross_entropy(*primals), _change(*primals, *tangents)


_cross_entropy.defjvp(_cross_entropy_jvp, symbolic_zeros=True)


@_checks.measure("base")
def pairwise_kl_divergence(
    p_logits: ArrayLike, q_logits: ArrayLike, *, where: ArrayLike | None = None, base: float | None = None
) -> jax.Array:
    r"""Divergence of all pairs of tables of logits, $\mathrm{KL}(p_i\|q_j) = H(p_i, q_j) - H(p_i)$.

    One matrix product, as `jaxinfo.pairwise_kl_divergence`, which says how many digits it has: at least about half of
    those of the dtype, as pairs whose divergence is below $\sqrt\epsilon\,(H(p_i, q_j) + H(p_i))$ are computed anew by
    the formula of `kl_divergence`.

    Args:
        p_logits: Unnormalised log-probabilities `[..., N, K]` of the tables p.
        q_logits: Unnormalised log-probabilities `[..., M, K]` of the tables q; batch axes broadcast.
        where: Outcomes `[K]` to keep; others are masked, as if their logits were `-inf`.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array `[..., N, M]`: at least 0, exactly 0 where two tables of logits are equal.

    Raises:
        TypeError: If a stack is not real or `where` not boolean.
        ValueError: If shapes, `where` or `base` do not fit.

    **Domain**: `inf` where q is masked and p is not (a finite logit is a positive probability, however small); where
    both are, nothing is added. Masks in q cost a second matrix product. A table of only `-inf` gives NaN in its row or
    column.

    **Gradient**: `softmax(q) - softmax(p)` in `q_logits`, always; `p (log(p/q) - KL)` in `p_logits`, finite also where
    the value is not; by matrix products, off by roundings of the logarithms.

    Reference: S. Kullback and R. A. Leibler, "On Information and Sufficiency", Annals of Mathematical Statistics 22,
        1951.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> z = jnp.array([[0.0, 0.0], [0.0, -jnp.inf]])
        >>> print(logits.pairwise_kl_divergence(z, z, base=2))
        [[ 0. inf]
         [ 1.  0.]]
    """
    name = "pairwise_kl_divergence"
    unit = _checks.unit(name, base)
    z_p, z_q, dtype = _prepare(name, p_logits, q_logits, where)
    return _numerics.in_units(_kl_divergence(z_p, z_q), unit).astype(dtype)


@jax.custom_jvp
def _kl_divergence(z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    cross, entropy = _cross_entropy(z_p, z_q), _log_domain.entropy(_LAST, z_p)
    value = cross - entropy
    poor = (value <= 0) | (value < _pairs.half_the_digits(value) * (cross + entropy))
    return _pairs.refine(value, poor, lambda a, b: _log_domain.kl_divergence(_LAST, a, b)[..., 0], z_p, z_q)


def _kl_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (z_p, _), (dz_p, _) = primals, tangents
    tangent = _change(*primals, *tangents)
    if not isinstance(dz_p, SymbolicZero):
        tangent += jnp.sum(_softmax_change(z_p, dz_p) * _log_softmax(z_p), -1, keepdims=True)
    return _kl_divergence(*primals), tangent


_kl_divergence.defjvp(_kl_jvp, symbolic_zeros=True)
