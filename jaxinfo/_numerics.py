"""Boundary-safe primitives: what every measure on tables is summed from.

Each elementwise term is right at the edges of the simplex and carries its own derivative. Three rules shape the code:

* **No cancellation.** `p log(p/q) - p + q` is computed from `s = (p - q)/(p + q)`, where `log(p/q) = 2 atanh(s)`, so
  that it keeps every digit when `p` is close to `q` (`divergence_term`).
* **No branches on the value.** A `select` or a comparison keeps XLA on a CPU from fusing the term into the sum, and the
  whole table is then written out; so is a constant that two sums share, be it 0. Hence arithmetic: `tiny - p`, and its
  size added, is positive only where `p` is 0, and adding `tiny` to an argument matters only where its weight is 0.
  Negative entries fall into a logarithm or a square root of a negative number and give NaN.
* **Safe slopes.** A derivative that is infinite where the value is finite is 0 (the derivative along the face of the
  simplex that holds the point); one that is infinite where the value is infinite stays so, and `_scale` keeps `0 * inf`
  out of its neighbours.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.custom_derivatives import SymbolicZero

Axes = Sequence[int]

# 2 (atanh(s)/s - 1) / s^2 as a polynomial in s^2 for |s| <= 1/4: interpolated at the Chebyshev points of [0, 1/16],
# relative error 4e-8 (single) and 2e-17 (double).
_SINGLE = (0.666666642517170269, 0.400012344054176647, 0.284735594394916172, 0.246714710754513243)
_DOUBLE = (
    *(0.66666666666666668, 0.399999999999964369, 0.285714285729461071, 0.222222219737945585, 0.181818385108353706),
    *(0.153836838242624767, 0.133582794082506017, 0.113792873235879232, 0.136574644672556239),
)
_BLOCK = 1024
_LOG_5_3 = 0.5108256237659907  # log(p/q) where s = 1/4


def accumulate(x: jax.Array) -> jax.Array:
    """Half precision is computed and summed in float32."""
    return x.astype(jnp.float32) if jnp.finfo(x.dtype).bits < 32 else x


def drop(where: jax.Array | None, *tables: jax.Array) -> tuple[jax.Array, ...]:
    """Entries with `where=False` become 0, which adds nothing to any measure; even a NaN there has gradient 0."""
    return tables if where is None else tuple(jnp.where(where, t, jnp.zeros_like(t)) for t in tables)


def in_units(nats: jax.Array, unit: float) -> jax.Array:
    """Nats to the unit. Divides, so that `log 2` nats are exactly one bit."""
    return nats if unit == 1.0 else nats / jnp.asarray(unit, nats.dtype)


def finish(value: jax.Array, axes: Axes, keepdims: bool, unit: float, dtype: jnp.dtype) -> jax.Array:
    """Unit, shape and dtype of the result of a row function, whose axes are still there."""
    return in_units(value if keepdims else jnp.squeeze(value, axes), unit).astype(dtype)


def evenness(entropy: jax.Array, count: jax.Array) -> jax.Array:
    """Entropy over the greatest that so many outcomes can have; 0 for fewer than two."""
    several = count > 1
    return jnp.where(several, entropy / jnp.log(jnp.where(several, count, 2)), 0 * entropy)


def fence(rows: jax.Array) -> jax.Array:
    """The same numbers, one a row, where XLA on a CPU must end a fusion.

    Arithmetic on the result of a sum, were it fused into it, would cost the sum its vector instructions; even a change
    of sign makes it five times slower. A barrier does not help, it is gone by then.
    """
    return jnp.where(rows == rows, rows, jnp.nan)  # noqa: PLR0124


@functools.partial(jax.custom_jvp, nondiff_argnums=(1, 2))
def row_sum(x: jax.Array, axes: tuple[int, ...], keepdims: bool = False) -> jax.Array:
    """The sum over axes counted from the end.

    XLA on a CPU sums one or a few very long rows in as few running totals as it has lanes, which costs float32 ten
    units at a length of 1e6; so such rows are summed in blocks, kept apart by a barrier (XLA would merge the sums).
    """
    trailing = tuple(range(-len(axes), 0))
    length = math.prod(x.shape[a] for a in axes)
    if axes != trailing or length < 8 * _BLOCK or x.size > 64 * length:
        return fence(jnp.sum(x, axis=axes, keepdims=keepdims))
    batch = x.shape[: x.ndim - len(axes)]
    row, whole = x.reshape(*batch, length), length // _BLOCK * _BLOCK
    blocks = jnp.sum(row[..., :whole].reshape(*batch, whole // _BLOCK, _BLOCK), axis=-1)
    value = jnp.sum(jax.lax.optimization_barrier(blocks), axis=-1) + jnp.sum(row[..., whole:], axis=-1)
    return value.reshape(*batch, *(1,) * len(axes)) if keepdims else value


@row_sum.defjvp
def _row_sum_jvp(axes: Any, keepdims: Any, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    return row_sum(primals[0], axes, keepdims), jnp.sum(tangents[0], axis=axes, keepdims=keepdims)


def tiny(x: jax.Array) -> jax.Array:
    """The least normal number of the dtype."""
    return jax.lax.optimization_barrier(jnp.asarray(jnp.finfo(x.dtype).tiny, x.dtype))


def _if_zero(p: jax.Array) -> jax.Array:
    """A positive number where `p` is 0, and 0 where it is a probability."""
    below = tiny(p) - p
    return below + jnp.abs(below)


def _scale(tangent: jax.Array, slope: jax.Array) -> jax.Array:
    """`tangent * slope`, linear in the tangent, with `0 * inf = 0`: an infinite slope is two finite factors."""
    infinite = jnp.isinf(slope)
    largest = jnp.asarray(jnp.finfo(slope.dtype).max, slope.dtype)
    finite = jnp.where(infinite, jnp.sign(slope) * largest, slope)
    return (tangent * finite) * jnp.where(infinite, largest, jnp.ones_like(slope))


def apart(*tables: jax.Array) -> tuple[jax.Array, ...]:
    """The same tables, for the slopes: XLA must not share what value and slope have in common by writing it out."""
    return jax.lax.optimization_barrier(tables)


def own(number: float | jax.Array, like: jax.Array) -> jax.Array:
    """A constant that a value does not share with its slopes, which would have it written out as a table."""
    return jax.lax.optimization_barrier(jnp.asarray(number, like.dtype))


Term = tuple[Any, Callable[[], jax.Array]]


def linear(like: jax.Array, *terms: Term) -> jax.Array:
    """The sum of tangent times slope over the arguments that are differentiated; other slopes are not computed."""
    return _combine(_scale, like, terms)


def finite_linear(like: jax.Array, *terms: Term) -> jax.Array:
    """`linear` for slopes that are never infinite."""
    return _combine(jnp.multiply, like, terms)


def _combine(product: Callable[..., jax.Array], like: jax.Array, terms: Sequence[Term]) -> jax.Array:
    parts = [product(tangent, slope()) for tangent, slope in terms if not isinstance(tangent, SymbolicZero)]
    return functools.reduce(jnp.add, parts) if parts else jnp.zeros_like(like)


def quotient(x: jax.Array, y: jax.Array) -> jax.Array:
    """`x / y`, and 0 with derivative 0 where `y` is 0; never forms `y^2`, which underflows."""
    return _quotient(x, y)


@jax.custom_jvp
def _quotient(x: jax.Array, y: jax.Array) -> jax.Array:
    zero = y == 0
    return jnp.where(zero, jnp.zeros_like(x), x / jnp.where(zero, jnp.ones_like(y), y))


def _quotient_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (x, y), (dx, dy) = primals, tangents
    ratio = quotient(x, y)
    return ratio, linear(ratio, (dx, lambda: quotient(jnp.ones_like(y), y)), (dy, lambda: -quotient(quotient(x, y), y)))


_quotient.defjvp(_quotient_jvp, symbolic_zeros=True)


def log1p(x: jax.Array) -> jax.Array:
    """`log(1 + x)` for x > -1. XLA's own on a CPU, in float64, is off by a hundred units between -0.42 and -0.29."""
    if x.dtype != jnp.float64:
        return jnp.log1p(x)
    far = x < -0.25
    zero = jnp.zeros_like(x)
    return jnp.where(far, jnp.log(1 + jnp.where(far, x, zero)), jnp.log1p(jnp.where(far, zero, x)))


def exact_sum(a: jax.Array, b: jax.Array) -> tuple[jax.Array, jax.Array]:
    """`a + b` and what rounding took from it. D. E. Knuth, The Art of Computer Programming 2, section 4.2.2."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def square_root(x: jax.Array) -> jax.Array:
    """`sqrt(x)` with derivative 0 at 0."""
    zero = x == 0
    return jnp.where(zero, jnp.zeros_like(x), jnp.sqrt(jnp.where(zero, jnp.ones_like(x), x)))


# ---------------------------------------------------------------------------------------------------------------------
# Surprisal, entropy, cross-entropy


@jax.custom_jvp
def surprisal_term(p: jax.Array) -> jax.Array:
    """`-log p`."""
    return (p - p) - jnp.log(p)  # 0 - log 1 is 0 where -log 1 is -0


def _surprisal_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (p,), (dp,) = primals, tangents
    slope = lambda: jnp.where(p == 0, -jnp.inf, -quotient(jnp.ones_like(p), p))  # noqa: E731
    return surprisal_term(p), linear(p, (dp, slope))


surprisal_term.defjvp(_surprisal_jvp, symbolic_zeros=True)


@jax.custom_jvp
def entropy_term(p: jax.Array) -> jax.Array:
    """`-p log p`, 0 at 0."""
    return p * ((p - p) - jnp.log(p + tiny(p)))  # 0 - log 1 is 0, where -(1 log 1) is -0


def _entropy_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (p,), (dp,) = apart(*primals), tangents
    return entropy_term(*primals), linear(p, (dp, lambda: _entropy_slope(p)))


def _entropy_slope(p: jax.Array) -> jax.Array:
    zero = p == 0
    return jnp.where(zero, jnp.zeros_like(p), -1 - jnp.log(jnp.where(zero, jnp.ones_like(p), p)))


entropy_term.defjvp(_entropy_jvp, symbolic_zeros=True)


@jax.custom_jvp
def cross_entropy_term(p: jax.Array, q: jax.Array) -> jax.Array:
    """`-p log q`, 0 where `p` is 0, `inf` where only `q` is."""
    root = jnp.sqrt(p)  # a negative p is NaN here and nowhere else
    return root * (root * ((p - p) - jnp.log(q + _if_zero(p))))


def _cross_entropy_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (p, q), (dp, dq) = apart(*primals), tangents
    edge = q == 0

    def slope_p() -> jax.Array:
        return jnp.where(
            edge, jnp.where(p == 0, 0.0, jnp.inf).astype(p.dtype), -jnp.log(jnp.where(edge, 1.0, q).astype(q.dtype))
        )

    def slope_q() -> jax.Array:
        return jnp.where(edge, jnp.where(p == 0, 0.0, -jnp.inf).astype(p.dtype), -quotient(p, q))

    return cross_entropy_term(*primals), linear(p, (dp, slope_p), (dq, slope_q))


cross_entropy_term.defjvp(_cross_entropy_jvp, symbolic_zeros=True)


# ---------------------------------------------------------------------------------------------------------------------
# Divergences


def atanh_series(like: jax.Array) -> tuple[float, ...]:
    """The coefficients of `2 (atanh(s)/s - 1) / s^2` in powers of `s^2`, for `|s| <= 1/4`."""
    return _DOUBLE if like.dtype == jnp.float64 else _SINGLE


def atanh_excess(s: jax.Array, log_ratio: jax.Array, in_slope: bool = False) -> jax.Array:
    """`log(p/q) / s - 2`, where `s = (p - q)/(p + q)`: even in `s`, at least 0, accurate to a few units for every `s`.

    A series in `s^2` clipped at 1/16, plus what the quotient has beyond; each part is constant where the other moves.
    """
    constants = [jnp.asarray(x, s.dtype) for x in (*atanh_series(s), 1 / 16, 0.25, _LOG_5_3, 4 * _LOG_5_3)]
    # Those that a slope has in common with the value would be written out, each as a table.
    *series, most, least, edge, at_edge = apart(*constants) if in_slope else constants
    clipped = jnp.minimum(s * s, most)
    near = jnp.broadcast_to(series[-1], s.shape)
    for coefficient in series[-2::-1]:
        near = near * clipped + coefficient
    beyond = jnp.maximum(jnp.abs(log_ratio), edge) / jnp.maximum(jnp.abs(s), least) - at_edge
    return clipped * near + beyond


def divergence_from_log_ratio(p: jax.Array, s: jax.Array, difference: jax.Array, log_ratio: jax.Array) -> jax.Array:
    """`p log(p/q) - p + q = s (p - q + p excess(s))`, a sum of two terms of the same sign."""
    return s * (difference + p * atanh_excess(s, log_ratio))


def guarded_log(p: jax.Array, q: jax.Array) -> jax.Array:
    """`log(p/q)`: finite where `p` is 0, `inf` where only `q` is, NaN where either is negative."""
    return jnp.log((p + tiny(p)) / (q + 2.0**64 * _if_zero(p)))


@jax.custom_jvp
def kl_term(p: jax.Array, q: jax.Array) -> jax.Array:
    """`p log(p/q) - p + q`: at least 0, 0 where `p == q`, `q` where `p` is 0, `inf` where only `q` is."""
    difference = p - q
    s = difference / (p + tiny(p) + q)
    return divergence_from_log_ratio(p, s, difference, guarded_log(p, q))


def _kl_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (p, q), (dp, dq) = apart(*primals), tangents

    def slope_q() -> jax.Array:
        edge = jnp.where(p == 0, 1.0, -jnp.inf).astype(p.dtype)
        return jnp.where(q == 0, edge, quotient(q - p, q))

    return kl_term(*primals), linear(p, (dp, lambda: log_ratio(p, q, p - q)), (dq, slope_q))


kl_term.defjvp(_kl_jvp, symbolic_zeros=True)


@jax.custom_jvp
def log_ratio(p: jax.Array, q: jax.Array, difference: jax.Array) -> jax.Array:
    """`log(p/q)` given `p - q`, accurate when they are close; 0 where `p` is 0, `inf` where only `q` is."""
    smaller = jnp.minimum(p, q)
    magnitude = jnp.log1p(jnp.abs(difference) / jnp.where(smaller == 0, jnp.ones_like(p), smaller))
    edge = jnp.where(p == 0, 0.0, jnp.inf).astype(p.dtype)
    return jnp.where(smaller == 0, edge, jnp.sign(difference) * magnitude)


def _log_ratio_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (p, q, difference), (dp, dq, _) = primals, tangents  # the difference has no derivative of its own
    one = jnp.ones_like(p)
    return log_ratio(p, q, difference), linear(p, (dp, lambda: quotient(one, p)), (dq, lambda: -quotient(one, q)))


log_ratio.defjvp(_log_ratio_jvp, symbolic_zeros=True)


@jax.custom_jvp
def jeffreys_term(p: jax.Array, q: jax.Array) -> jax.Array:
    """`(p - q) log(p/q)`: at least 0, 0 where both are 0, `inf` where one is."""
    difference, total = p - q, p + q
    s = difference / (total + tiny(p))
    both = _if_zero(total)
    negative = own(0, p) * jnp.sqrt(jnp.minimum(p, q))  # NaN where one is
    return difference * s * (2 + atanh_excess(s, jnp.log((p + both) / (q + both)))) + negative


def _jeffreys_slope(p: jax.Array, q: jax.Array) -> jax.Array:
    """d/dp of `(p - q) log(p/q)`."""
    interior = log_ratio(p, q, p - q) + quotient(p - q, p)
    at_zero = jnp.where(q == 0, 0.0, -jnp.inf).astype(p.dtype)
    return jnp.where(p == 0, at_zero, jnp.where(q == 0, jnp.inf, interior))


def _jeffreys_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (p, q), (dp, dq) = apart(*primals), tangents
    return jeffreys_term(*primals), linear(p, (dp, lambda: _jeffreys_slope(p, q)), (dq, lambda: _jeffreys_slope(q, p)))


jeffreys_term.defjvp(_jeffreys_jvp, symbolic_zeros=True)


@jax.custom_jvp
def mixture_term(p: jax.Array, m: jax.Array, difference: jax.Array, weight: jax.Array) -> jax.Array:
    """`p log(p/m) - p + m` for a mixture `m` that holds `p` with a weight, given `difference = p - m`.

    The Jensen-Shannon divergence is the weighted sum of these, and `m` minimises it, so the slope in `m` is left out:
    its weighted sum is 0.
    """
    del weight
    s = difference / (p + tiny(p) + m)
    return divergence_from_log_ratio(p, s, difference, jnp.log((p + tiny(p)) / jnp.maximum(m, tiny(p))))


def _mixture_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (p, m, difference, weight), (dp, _, _, _) = apart(*primals), tangents

    def slope() -> jax.Array:
        # Where every component is 0, p log(p / (weight p)) is linear in p.
        alone = jnp.broadcast_to(-jnp.log(jnp.where(weight > 0, weight, jnp.ones_like(weight))), p.shape)
        nowhere = m == 0
        # At p = 0 the second derivative in p itself is infinite, hence 0: p's own share of m must not move.
        others = m - jnp.where(p == 0, weight * p, jnp.zeros_like(p))
        return jnp.where(nowhere, alone, log_ratio(p, jnp.where(nowhere, jnp.ones_like(m), others), difference))

    return mixture_term(*primals), linear(p, (dp, slope))


mixture_term.defjvp(_mixture_jvp, symbolic_zeros=True)


def jensen_shannon_terms(p: jax.Array, q: jax.Array, difference: jax.Array, weight: jax.Array) -> jax.Array:
    """The terms of `w KL(p | m) + (1 - w) KL(q | m)` given `difference = p - q`."""
    weight = jnp.where((weight >= 0) & (weight <= 1), weight, jnp.nan)
    rest = 1 - weight
    m = weight * p + rest * q
    toward_p = mixture_term(p, m, rest * difference, weight)
    return weight * toward_p + rest * mixture_term(q, m, -weight * difference, rest)


def stacked_jensen_shannon(
    p: jax.Array, apart: jax.Array, weights: jax.Array, axes: tuple[int, ...], keepdims: bool
) -> jax.Array:
    """`sum_i w_i KL(p_i | m)`, components on axis 0.

    `apart` is their difference from the first, which keeps the digits of close ones.
    """
    w = weights.reshape(weights.shape + (1,) * (p.ndim - 1))
    m = jnp.sum(w * p, axis=0, keepdims=True)
    difference = apart - jnp.sum(w * apart, axis=0, keepdims=True)
    terms = mixture_term(p, jnp.broadcast_to(m, p.shape), difference, jnp.broadcast_to(w, p.shape))
    return row_sum(jnp.sum(w * terms, axis=0), axes, keepdims)


def minor(p: jax.Array, whole: jax.Array, scale: float = 1.0) -> jax.Array:
    """Each entry that is at most about half of the whole, else 0: arithmetic, for sums.

    Two sums that share a constant have it written out as a table, so a second one takes another `scale`.
    """
    below = _half(whole) - p
    return jnp.minimum(p, (below + jnp.abs(below)) * (scale * float(jnp.finfo(p.dtype).max)))


def _half(whole: jax.Array) -> jax.Array:
    """A half, rounded up, so that two halves both count as minor."""
    return whole * (0.5 + 4 * float(jnp.finfo(whole.dtype).eps))


def others(p: jax.Array, axes: tuple[int, ...]) -> jax.Array:
    """For each entry the sum of the others along the axes.

    The difference from the whole has lost its digits where the entry is more than half of it; at most one is, and there
    it is the sum of all minor ones.
    """
    whole = row_sum(p, axes, True)
    rest = row_sum(minor(p, whole), axes, True)
    # Twice p, as half of the whole would be written out as a table, shared with `minor`.
    return jnp.where(p + p <= whole * (1 + 8 * float(jnp.finfo(p.dtype).eps)), whole - p, rest)
