"""Closed forms between normals of low rank plus diagonal, in O(D R^2).

Everything is taken over the square root of q's diagonal. The covariances are then `1 + G G^T` for q and
`diag(1 + delta) + H H^T` for p, and the change from one to the other is `diag(delta) + V J V^T`, where `V = [G, H - G]`
and `J` has blocks 0 and 1. For close pairs the trace and the log-determinant are arranged around the member
with q's factor and p's diagonal, so that every term is of second order in the change; for distant ones they are summed
as they are.
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxinfo._numerics import log1p
from jaxinfo.distributions import _low_rank
from jaxinfo.distributions._arrays import exp_remainder, log_ratio
from jaxinfo.distributions._special import matrices
from jaxinfo.distributions._special.matrices import product, transpose

# A member is its location, its factor and its diagonal.
Member = tuple[jax.Array, jax.Array, jax.Array]


class _Pair(NamedTuple):
    """Two members over the square root of q's diagonal; `own` is p's diagonal and `delta` what it has beyond 1."""

    shift: jax.Array
    factor_p: jax.Array
    factor_q: jax.Array
    difference: jax.Array
    delta: jax.Array
    own: jax.Array
    log_own: jax.Array


def kl_divergence(p: Member, q: Member) -> jax.Array:
    pair = _pair(p, q)
    basis = _low_rank.basis(pair.factor_q, jnp.ones_like(pair.delta))
    frame, middle = _frame(pair, jnp.ones_like(basis.log_det))
    near = _is_near(basis, pair.delta, frame, middle)
    close = _remainder(pair, basis, frame, middle, near)
    far = _trace(pair, basis) - _log_det(pair) + basis.log_det
    spread = jnp.where(near, close, far)
    return 0.5 * (jnp.maximum(spread, 0) + _square(basis, pair.shift))


def cross_entropy(p: Member, q: Member) -> jax.Array:
    pair = _pair(p, q)
    basis = _low_rank.basis(pair.factor_q, jnp.ones_like(pair.delta))
    log_det = jnp.sum(jnp.log(q[2]), axis=-1) + basis.log_det
    in_factor = jnp.sum(jnp.square(basis.embed(pair.factor_p)), axis=(-2, -1))
    squares = jnp.sum(pair.own * _shares(basis), axis=-1) + in_factor + _square(basis, pair.shift)
    return 0.5 * (p[0].shape[-1] * math.log(2 * math.pi) + log_det + squares)


def renyi_divergence(p: Member, q: Member, order: jax.Array) -> jax.Array:
    """For a finite order that is not negative, and infinity."""
    unbounded = jnp.isinf(order)
    p, q = _same_rank(p, q)
    limit = _largest_log_ratio(p, q, unbounded)
    one = jnp.ones_like(order)
    order = jnp.where(unbounded, one, order)
    # Below 1/2 the other way round: D_a(p, q) = a / (1 - a) D_(1-a)(q, p), where the rest is not near 1.
    swap = order < 0.5
    flags = [jnp.broadcast_to(jnp.expand_dims(swap, tuple(range(swap.ndim, x.ndim))), x.shape) for x in p]
    loc_p, factor_p, diagonal_p = (jnp.where(f, y, x) for f, x, y in zip(flags, p, q, strict=True))
    loc_q, factor_q, diagonal_q = (jnp.where(f, x, y) for f, x, y in zip(flags, p, q, strict=True))
    pair = _pair((loc_p, factor_p, diagonal_p), (loc_q, factor_q, diagonal_q))
    factor = jnp.where(swap, order / jnp.where(swap, 1 - order, one), one)
    return jnp.where(unbounded, limit, factor * _renyi_above(pair, jnp.where(swap, 1 - order, order)))


def _renyi_above(pair: _Pair, order: jax.Array) -> jax.Array:
    """For an order of at least 1/2; arranged as between dense members."""
    rest = 1 - order
    at_one = rest == 0
    basis = _low_rank.basis(pair.factor_q, jnp.ones_like(pair.delta))
    part = pair._replace(delta=rest[..., None] * pair.delta)
    whole_change, part_change = _frame(pair, jnp.ones_like(rest)), _frame(pair, rest)
    near = _is_near(basis, pair.delta, *whole_change) & _is_near(basis, part.delta, *part_change)
    whole = _remainder(pair, basis, *whole_change, near)
    scaled = _remainder(part, basis, *part_change, near)
    safe_rest = jnp.where(at_one, jnp.ones_like(rest), rest)
    close = whole - jnp.where(at_one, jnp.zeros_like(rest), scaled / safe_rest)
    limit = _trace(pair, basis) - _log_det(pair) + basis.log_det
    log_det_p = jnp.sum(pair.log_own, axis=-1) + _log_det(pair)
    log_det, square, inside = _mixed(pair, order)
    far = (log_det - basis.log_det) / safe_rest - (log_det_p - basis.log_det)
    spread = jnp.where(near, close, jnp.where(at_one, limit, far))
    square = jnp.where(at_one, _square(basis, pair.shift), square)
    value = 0.5 * (jnp.maximum(spread, 0) + order * square)
    return jnp.where(inside | at_one, value, jnp.inf)


def _mixed(pair: _Pair, order: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Of `order C_q + (1 - order) C_p`: log-determinant, inverse square of the shift, and whether it is positive."""
    below = order < 1
    weight = jnp.where(below, order, jnp.full_like(order, 0.5))
    columns = [jnp.sqrt(weight)[..., None, None] * pair.factor_q, jnp.sqrt(1 - weight)[..., None, None] * pair.factor_p]
    own = weight[..., None] + (1 - weight)[..., None] * pair.own
    root = jnp.sqrt(own)
    basis = _low_rank.basis(jnp.concatenate(columns, axis=-1), root)
    log_det = jnp.sum(jnp.log(own), axis=-1) + basis.log_det
    outer = jnp.where(order > 1, order, jnp.full_like(order, 2))
    log_det_beyond, square_beyond, inside = _difference(pair, outer, outer - 1)
    return (
        jnp.where(below, log_det, log_det_beyond),
        jnp.where(below, _square(basis, pair.shift / root), square_beyond),
        below | inside,
    )


def _difference(pair: _Pair, weight_q: jax.Array, weight_p: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Of `weight_q C_q - weight_p C_p`: log-determinant, inverse square of the shift, and whether it is positive.

    The signs of its eigenvalues follow, by Haynsworth's rule, from those of the diagonal and of a matrix of size 2 R.
    """
    own = (weight_q - weight_p)[..., None] - weight_p[..., None] * pair.delta
    # None is exactly 0: where both members have the same diagonal, neither is the greater.
    own = jnp.where(own == 0, jnp.full_like(own, -float(jnp.finfo(own.dtype).eps)), own)
    columns = [jnp.sqrt(weight_q)[..., None, None] * pair.factor_q, jnp.sqrt(weight_p)[..., None, None] * pair.factor_p]
    both = jnp.concatenate(columns, axis=-1)
    rank = pair.factor_q.shape[-1]
    signs = jnp.repeat(jnp.array([1, -1], both.dtype), rank)
    over = both / own[..., None]
    inner = product(transpose(both), over) + jnp.broadcast_to(jnp.diag(signs), (*both.shape[:-2], 2 * rank, 2 * rank))
    positive = jnp.sum(jnp.linalg.eigvalsh(jax.lax.stop_gradient(inner)) > 0, axis=-1)
    inside = positive + jnp.sum(own < 0, axis=-1) == rank
    log_det = jnp.sum(jnp.log(jnp.abs(own)), axis=-1) + jnp.linalg.slogdet(inner)[1]
    across = product(transpose(over), pair.shift[..., None])
    removed = jnp.sum(across * jnp.linalg.solve(inner, across), axis=(-2, -1))
    return log_det, jnp.sum(jnp.square(pair.shift) / own, axis=-1) - removed, inside


def _largest_log_ratio(p: Member, q: Member, wanted: jax.Array) -> jax.Array:
    """The supremum of log(p / q), finite where the covariance of q is the greater; any number if not wanted."""
    pair = _pair(p, q)
    basis = _low_rank.basis(pair.factor_q, jnp.ones_like(pair.delta))
    log_det_p = jnp.sum(pair.log_own, axis=-1) + _log_det(pair)
    one = jnp.ones_like(log_det_p)
    # Where it is not wanted, of q's covariance alone, which is never singular.
    _, square, inside = _difference(pair, one, jnp.where(wanted, one, 0 * one))
    value = 0.5 * (square + basis.log_det - log_det_p)
    changed = [jnp.any(pair.shift != 0, axis=-1), jnp.any(pair.delta != 0, axis=-1)]
    same = ~(changed[0] | changed[1] | jnp.any(pair.difference != 0, axis=(-2, -1)))
    return jnp.where(same, jnp.zeros_like(value), jnp.where(inside, value, jnp.inf))


def wasserstein_squared(p: Member, q: Member) -> jax.Array:
    """By triangular factors, in O(D^3): the square root of a product of covariances has no structure.

    For close pairs the difference of the factors comes from that of the covariances, `L_q N` with
    `(1 + N) (1 + N)^T = 1 + L_q^-1 (C_p - C_q) L_q^-T`.
    """
    factor_p, factor_q = _low_rank.dense_factor(*p[1:]), _low_rank.dense_factor(*q[1:])
    (_, own_p, diagonal_p), (_, own_q, diagonal_q) = _same_rank(p, q)
    gap = own_p - own_q
    change = product(gap, transpose(own_q)) + product(own_p, transpose(gap))
    change = change + matrices.on_diagonal(diagonal_p - diagonal_q)
    half = matrices.solve_lower(factor_q, change)
    inner = matrices.solve_lower(factor_q, transpose(half))
    inner = 0.5 * (inner + transpose(inner))
    near = (jnp.sum(jnp.square(inner), axis=(-2, -1)) < 0.25)[..., None, None]
    excess = matrices.triangular_excess(jnp.where(near, inner, jnp.zeros_like(inner)))
    difference = jnp.where(near, product(factor_q, excess), factor_p - factor_q)
    return matrices.transport_square(factor_p, factor_q, difference) + jnp.sum(jnp.square(p[0] - q[0]), axis=-1)


def _pair(p: Member, q: Member) -> _Pair:
    (loc_p, factor_p, diagonal_p), (loc_q, factor_q, diagonal_q) = _same_rank(p, q)
    root = jnp.sqrt(diagonal_q)
    column = root[..., None]
    return _Pair(
        shift=(loc_p - loc_q) / root,
        factor_p=factor_p / column,
        factor_q=factor_q / column,
        difference=(factor_p - factor_q) / column,
        delta=(diagonal_p - diagonal_q) / diagonal_q,
        own=diagonal_p / diagonal_q,
        log_own=log_ratio(diagonal_p, diagonal_q),
    )


def _same_rank(p: Member, q: Member) -> tuple[Member, Member]:
    """Members whose factors have the same number of columns, those added being 0."""
    rank = max(p[1].shape[-1], q[1].shape[-1])

    def padded(member: Member) -> Member:
        factor = member[1]
        zeros = jnp.zeros((*factor.shape[:-1], rank - factor.shape[-1]), factor.dtype)
        return member[0], jnp.concatenate([factor, zeros], axis=-1), member[2]

    return padded(p), padded(q)


def _frame(pair: _Pair, weight: jax.Array) -> tuple[jax.Array, jax.Array]:
    """`V` and `J` with `weight (H H^T - G G^T) = V J V^T`, not a difference of products.

    The columns of the difference are scaled up against the weight in `J`: then the elimination in the slope never
    exchanges the small rows for large ones.
    """
    scale = 4 * jnp.maximum(jnp.abs(weight), 1)[..., None, None]
    frame = jnp.concatenate([pair.factor_q, scale * pair.difference], axis=-1)
    rank = pair.factor_q.shape[-1]
    eye = jnp.broadcast_to(jnp.eye(rank, dtype=frame.dtype), (*weight.shape, rank, rank))
    off = weight[..., None, None] * eye / scale
    upper = jnp.concatenate([jnp.zeros_like(eye), off], axis=-1)
    return frame, jnp.concatenate([upper, jnp.concatenate([off, off / scale], axis=-1)], axis=-2)


def _is_near(basis: _low_rank.Basis, delta: jax.Array, frame: jax.Array, middle: jax.Array) -> jax.Array:
    """Whether no variance of p differs from that of q by more than about half."""
    embedded = basis.embed(frame)
    turned = product(middle, product(transpose(embedded), embedded))
    size = jnp.sum(turned * transpose(turned), axis=(-2, -1))
    return (jnp.max(jnp.abs(delta), axis=-1) < 0.5) & (size < 0.25)


def _remainder(pair: _Pair, basis: _low_rank.Basis, frame: jax.Array, middle: jax.Array, near: jax.Array) -> jax.Array:
    """`tr E - log det(1 + E)` of the change `E = diag(delta) + V J V^T` relative to q; 0 where it is not small."""
    delta = jnp.where(near[..., None], pair.delta, jnp.zeros_like(pair.delta))
    middle = jnp.where(near[..., None, None], middle, jnp.zeros_like(middle))
    own = 1 + delta
    # From q to the member m with p's diagonal and q's factor.
    share = jnp.sum(jnp.square(basis.top), axis=-1)
    inner = product(transpose(basis.top), (delta / own)[..., None] * basis.top)
    on_diagonal = exp_remainder(log1p(delta)) - jnp.square(delta) / own * share
    # From m to p.
    root = jnp.sqrt(own)
    moved = _low_rank.basis(pair.factor_q, root).embed(frame / root[..., None])
    # And what the two have in common, the trace of (C_q^-1 - C_m^-1) V J V^T.
    size = pair.delta.shape[-1]
    by_m = moved[..., :size, :] / root[..., None]
    by_q = basis.embed(frame)[..., :size, :]
    common = jnp.sum(delta * jnp.sum(product(by_m, middle) * by_q, axis=-1), axis=-1)
    along = jnp.sum(on_diagonal, axis=-1) + matrices.log_det_remainder(-inner)
    return along + matrices.framed_log_det_remainder(moved, middle) + common


def _shares(basis: _low_rank.Basis) -> jax.Array:
    """The diagonal of `(1 + G G^T)^-1`."""
    return jnp.maximum(1 - jnp.sum(jnp.square(basis.top), axis=-1), 0)


def _trace(pair: _Pair, basis: _low_rank.Basis) -> jax.Array:
    """`tr(C_q^-1 C_p) - D - log det diag(1 + delta)`, to which each coordinate adds a number of its own."""
    in_factor = jnp.sum(jnp.square(basis.embed(pair.factor_p)), axis=(-2, -1))
    share = jnp.sum(jnp.square(basis.top), axis=-1)
    return jnp.sum(exp_remainder(pair.log_own) - pair.own * share, axis=-1) + in_factor


def _square(basis: _low_rank.Basis, shift: jax.Array) -> jax.Array:
    return jnp.sum(jnp.square(basis.embed(shift[..., None])), axis=(-2, -1))


def _log_det(pair: _Pair) -> jax.Array:
    """The log-determinant of p's covariance beyond its diagonal."""
    return _low_rank.basis(pair.factor_p, jnp.sqrt(pair.own)).log_det
