"""All pairs of rows, `[..., N, K] x [..., M, K] -> [..., N, M]`, without an array of N M K entries.

A measure whose terms are products is one matrix product (`product`, `cross_entropy`); another one is summed in blocks
(`blocked`), whose derivatives are computed in the same blocks. A product cancels where two rows are close to each
other; those few pairs are computed anew, entry by entry (`refine`).

Both arguments have the same number of axes (`aligned`), so that an axis in front of both is one more batch axis.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.custom_derivatives import SymbolicZero

from jaxinfo import _numerics

Term = Callable[[jax.Array, jax.Array], jax.Array]
State = tuple[jax.Array, jax.Array]

_TILE = 2**19  # entries of a block; with what derivatives need, it fits into a cache of a few megabytes


def product(a: jax.Array, b: jax.Array) -> jax.Array:
    """`sum_k a_ik b_jk`, in full precision also where an accelerator multiplies in less unless told."""
    return jnp.matmul(a, jnp.swapaxes(b, -1, -2), precision=lax.Precision.HIGHEST)


def of_rows(x: jax.Array) -> jax.Array:
    """One number for each row of the first argument, `[..., N, 1]`."""
    return _numerics.row_sum(x, (-1,), True)


def of_columns(x: jax.Array) -> jax.Array:
    """One number for each row of the second argument, `[..., 1, M]`."""
    return jnp.swapaxes(of_rows(x), -1, -2)


def or_zeros(wanted: jax.Array, function: Callable[[], jax.Array]) -> jax.Array:
    """The function's value if wanted, else zeros: what only zeros in a table call for costs nothing without them."""
    shape = jax.eval_shape(function)
    return lax.cond(wanted, function, lambda: jnp.zeros(shape.shape, shape.dtype))


# ---------------------------------------------------------------------------------------------------------------------
# Products


@jax.custom_batching.custom_vmap
def _infinite_where_they_meet(value: jax.Array, seen: jax.Array, absent: jax.Array) -> jax.Array:
    """`value`, but `inf` for pairs in which some entry is 1 in both tables."""

    def mend() -> jax.Array:
        return jnp.where((product(seen, absent) > 0.5) & ~jnp.isnan(value), jnp.inf, value)

    return lax.cond(jnp.any(absent != 0), mend, lambda: value)


@_infinite_where_they_meet.def_vmap
def _(size: int, batched: list[bool], *tables: jax.Array) -> tuple[jax.Array, bool]:
    """The batch becomes an axis of the tables, and the predicate stays a scalar: only one branch runs."""
    value, *others = (t if b else t[None] for t, b in zip(tables, batched, strict=True))
    return _infinite_where_they_meet(jnp.broadcast_to(value, (size, *value.shape[1:])), *others), True


@jax.custom_jvp
def log_or_zero(p: jax.Array) -> jax.Array:
    """`log p`, and 0 with derivative 0 at 0."""
    return jnp.log(jnp.where(p == 0, jnp.ones_like(p), p))


@log_or_zero.defjvp
def _log_or_zero_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (p,), (dp,) = primals, tangents
    return log_or_zero(p), dp * _numerics.quotient(jnp.ones_like(p), p)


def mean_surprisal(p: jax.Array, surprisal: jax.Array, seen: jax.Array, absent: jax.Array) -> jax.Array:
    """`-sum_k p_ik log q_jk` given `-log q`, finite also where q is 0.

    `seen` is 1 where p has mass, and `absent` where q has none.
    """
    return _infinite_where_they_meet(product(p, surprisal), seen, absent)


@jax.custom_jvp
def cross_entropy(p: jax.Array, q: jax.Array) -> jax.Array:
    """`-sum_k p_ik log q_jk`."""
    surprisal = (q - q) - log_or_zero(q)  # 0 - log 1 is 0 where -log 1 is -0
    return mean_surprisal(p + 0 * jnp.sqrt(p), surprisal, jnp.sign(p), _zeros(q))  # the root of a negative p is NaN


def cross_entropy_change(p: jax.Array, q: jax.Array, dp: Any, dq: Any) -> jax.Array:
    """The tangent of `cross_entropy`; a tangent that is a symbolic zero costs nothing."""
    tangent, one, some, seen = jnp.zeros((), p.dtype), jnp.ones((), p.dtype), jnp.any(q == 0), jnp.sign(p)
    if not isinstance(dp, SymbolicZero):
        tangent = tangent - product(dp, log_or_zero(q))
        tangent += or_zeros(some, lambda: product(_root_of_infinity(dp, seen), _root_of_infinity(one, _zeros(q))))
    if not isinstance(dq, SymbolicZero):
        tangent = tangent - product(p, dq * _numerics.quotient(jnp.ones_like(q), q))
        tangent -= or_zeros(some, lambda: product(_root_of_infinity(one, seen), _root_of_infinity(dq, _zeros(q))))
    return tangent


def _cross_entropy_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    return cross_entropy(*primals), cross_entropy_change(*primals, *tangents)


cross_entropy.defjvp(_cross_entropy_jvp, symbolic_zeros=True)


def _zeros(q: jax.Array) -> jax.Array:
    return (q == 0).astype(q.dtype)


def _root_of_infinity(x: jax.Array, mask: jax.Array) -> jax.Array:
    """`x` times a huge number where the mask is 1, else 0: two of them make an infinite slope, with `0 * inf = 0`.

    Linear in `x`; the mask comes last and so first in the transpose, where the rest may be infinite.
    """
    huge = 2.0 ** (25 * int(jnp.finfo(x.dtype).maxexp) // 32)
    return (x * huge) * mask


# ---------------------------------------------------------------------------------------------------------------------
# Blocks


def blocked(term: Term, p: jax.Array, q: jax.Array) -> jax.Array:
    """`sum_k term(p_ik, q_jk)` in blocks of pairs; derivatives compute a block's terms anew and keep none."""
    batch = jnp.broadcast_shapes(p.shape[:-2], q.shape[:-2])
    shape = (*batch, p.shape[-2], q.shape[-2])
    if not math.prod((*shape, p.shape[-1])):
        return jnp.zeros(shape, p.dtype)
    if math.prod(q.shape[:-2]) == 1:
        return _table(term, p.reshape(-1, p.shape[-1]), q.reshape(q.shape[-2:])).reshape(shape)
    pair = [jnp.broadcast_to(t, (*batch, *t.shape[-2:])).reshape(-1, *t.shape[-2:]) for t in (p, q)]
    together = max(1, _TILE // (shape[-2] * shape[-1] * p.shape[-1]))
    return lax.map(lambda tables: _table(term, *tables), pair, batch_size=together).reshape(shape)


def _table(term: Term, p: jax.Array, q: jax.Array) -> jax.Array:
    """`blocked` of `[N, K]` and `[M, K]`."""
    (n, k), m = p.shape, q.shape[0]
    columns = _share(m, max(1, _TILE // (8 * k)))
    rows = _share(n, max(8, _TILE // (columns * k)))

    @jax.checkpoint
    def tile(p: jax.Array, q: jax.Array) -> jax.Array:
        shape = (rows, columns, k)
        terms = term(jnp.broadcast_to(p[:, None], shape), jnp.broadcast_to(q[None], shape))
        return _numerics.row_sum(terms, (-1,))

    stack_p, stack_q = _stacked(p, rows), _stacked(q, columns)
    tiles = lax.map(lambda a: lax.map(lambda b: tile(a, b), stack_q), stack_p)
    return jnp.moveaxis(tiles, 1, 2).reshape(len(stack_p) * rows, -1)[:n, :m]


def _share(length: int, most: int) -> int:
    """The length of equal blocks of at most `most`, the last one filled up."""
    return math.ceil(length / math.ceil(length / most))


def _stacked(x: jax.Array, rows: int) -> jax.Array:
    """Blocks of rows, the last one filled up with ones."""
    missing = -x.shape[0] % rows
    return jnp.pad(x, ((0, missing), (0, 0)), constant_values=1).reshape(-1, rows, x.shape[1])


# ---------------------------------------------------------------------------------------------------------------------
# The pairs that a product leaves without digits


def half_the_digits(x: jax.Array) -> float:
    """The size, next to that of what was subtracted, below which a difference has fewer than half of its digits."""
    return float(jnp.finfo(x.dtype).eps) ** 0.5


def refine(value: jax.Array, poor: jax.Array, row_value: Term, p: jax.Array, q: jax.Array) -> jax.Array:
    """`value`, with the pairs named as poor replaced by `row_value` of their two rows.

    First the rows that are poor against many others, each against all; then one pair of each row at a time. Without
    poor pairs it costs a look at them.
    """
    if not value.size or not p.shape[-1]:
        return value
    *batch, n, m = value.shape
    k = p.shape[-1]
    p = jnp.broadcast_to(p, (*batch, n, k)).reshape(-1, k)
    q = q.reshape(-1, m, k) if math.prod(q.shape[:-2]) == 1 else jnp.broadcast_to(q, (*batch, m, k)).reshape(-1, m, k)
    row = jnp.arange(len(p))
    group = row // n if len(q) > 1 else jnp.zeros_like(row)

    def against_all(_: jax.Array, state: State) -> State:
        value, left = state
        i = jnp.argmax(left)
        fresh = row_value(jnp.broadcast_to(p[i], (m, k)), q[group[i]])
        return value.at[i].set(jnp.where(poor[i], fresh, value[i])), left.at[i].set(False)

    def one_pair_each(_: jax.Array, state: State) -> State:
        value, left = state
        j = jnp.argmax(left, axis=-1)
        fresh = row_value(p, q[group, j])
        return value.at[row, j].set(jnp.where(left[row, j], fresh, value[row, j])), left.at[row, j].set(False)

    value, poor = value.reshape(-1, m), poor.reshape(-1, m)
    count = jnp.sum(poor, axis=-1)
    many = count > max(4, m // 4)
    value, _ = lax.fori_loop(0, jnp.sum(many), against_all, (value, many))
    rounds = jnp.max(jnp.where(many, 0, count))
    value, _ = lax.fori_loop(0, rounds, one_pair_each, (value, poor & ~many[:, None]))
    return value.reshape(*batch, n, m)
