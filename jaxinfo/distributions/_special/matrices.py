"""Matrices by their structure: triangular factors, log-determinants that keep their digits, rotations."""

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo import _numerics
from jaxinfo.distributions._arrays import exp_remainder, sum_over_last

# Up to this size triangular systems are solved by sums that are written out.
_SMALL = 8
_Map = Callable[[jax.Array, jax.Array], jax.Array]


def product(x: jax.Array, y: jax.Array) -> jax.Array:
    """The matrix product in full precision on every device."""
    return jnp.matmul(x, y, precision=jax.lax.Precision.HIGHEST)


def transpose(x: jax.Array) -> jax.Array:
    """The transpose of the last two axes."""
    return jnp.swapaxes(x, -1, -2)


def diagonal(x: jax.Array) -> jax.Array:
    """The diagonal of the last two axes, which are equally long; by strides, where XLA's own way is to look up."""
    size = x.shape[-1]
    return x.reshape(*x.shape[:-2], size * size)[..., :: size + 1]


def log_determinant(factor: jax.Array) -> jax.Array:
    """The logarithm of the determinant of a triangular factor."""
    return sum_over_last(jnp.log, diagonal(factor))


def identity_like(x: jax.Array) -> jax.Array:
    """The unit matrix of the shape of `x`."""
    return jnp.broadcast_to(jnp.eye(x.shape[-1], dtype=x.dtype), x.shape)


def on_diagonal(x: jax.Array) -> jax.Array:
    """The diagonal matrix of a vector."""
    size = x.shape[-1]
    eye = jnp.broadcast_to(jnp.eye(size, dtype=bool), (*x.shape, size))
    return jnp.where(eye, jnp.broadcast_to(x[..., None], eye.shape), jnp.zeros(eye.shape, x.dtype))


def solve_lower(factor: jax.Array, columns: jax.Array) -> jax.Array:
    """`factor^-1 columns` for a lower triangular factor.

    Small ones row by row: a call of a library for each member of a batch costs more, on a CPU whose cores are busy a
    thousand times more, as the library's threads wait for each other.
    """
    if factor.shape[-1] > _SMALL:
        return jax.scipy.linalg.solve_triangular(factor, columns, lower=True)
    lower = jnp.tril(factor)
    return jax.lax.custom_linear_solve(
        lambda x: product(lower, x),
        columns,
        solve=lambda _, b: _substitute(lower, b),
        transpose_solve=lambda _, b: _substitute_back(lower, b),
    )


def _substitute(lower: jax.Array, columns: jax.Array) -> jax.Array:
    rows: list[jax.Array] = []
    for i in range(lower.shape[-1]):
        known = [lower[..., i, j, None] * row for j, row in enumerate(rows)]
        rows.append(functools.reduce(jnp.subtract, known, columns[..., i, :]) / lower[..., i, i, None])
    return jnp.stack(rows, axis=-2)


def _substitute_back(lower: jax.Array, columns: jax.Array) -> jax.Array:
    """`lower^-T columns`."""
    rows: list[jax.Array] = []  # the last first
    for i in reversed(range(lower.shape[-1])):
        known = [lower[..., -1 - j, i, None] * row for j, row in enumerate(rows)]
        rows.append(functools.reduce(jnp.subtract, known, columns[..., i, :]) / lower[..., i, i, None])
    return jnp.stack(rows[::-1], axis=-2)


def solve_lower_vector(factor: jax.Array, x: jax.Array) -> jax.Array:
    """`factor^-1 x` for vectors of the same batch shape."""
    return solve_lower(factor, x[..., None])[..., 0]


def on_columns(apply: _Map, matrix: jax.Array, x: jax.Array) -> jax.Array:
    """Applies a map of matrices to vectors, whose leading axes beyond the matrix's batch become columns.

    So that a thousand points cost one matrix and a thousand columns, not a thousand matrices.
    """
    batch = matrix.shape[:-2]
    shape = jnp.broadcast_shapes(x.shape[:-1], batch)
    lead = len(shape) - len(batch)
    count, inner = math.prod(shape[:lead]), shape[lead:]
    columns = jnp.broadcast_to(x, (*shape, x.shape[-1])).reshape(count, *inner, x.shape[-1])
    result = apply(jnp.broadcast_to(matrix, inner + matrix.shape[-2:]), jnp.moveaxis(columns, 0, -1))
    return jnp.moveaxis(result, -1, 0).reshape(*shape, result.shape[-2])


def lower_factor(rows: jax.Array) -> jax.Array:
    """The lower triangular `L` with `L L^T = rows^T rows` and a positive diagonal, for tall `rows`.

    By orthogonal reflections: the product would square the ratio of the largest to the smallest number.
    """
    upper = jnp.linalg.qr(rows)[1]
    sign = jnp.where(diagonal(upper) < 0, -1, 1).astype(rows.dtype)
    return transpose(upper * sign[..., None])


@jax.custom_jvp
def log_det_remainder(x: jax.Array) -> jax.Array:
    """`tr x - log det(1 + x) >= 0` of a symmetric `x`, without cancellation where `x` is small."""
    return jnp.sum(exp_remainder(_numerics.log1p(jnp.linalg.eigvalsh(x))), axis=-1)


@log_det_remainder.defjvp
def _log_det_remainder_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    # Not through the eigenvectors, which are lost where eigenvalues meet: the slope is (1 + x)^-1 x.
    (x,), (dx,) = primals, tangents
    slope = jnp.linalg.solve(identity_like(x) + x, x)
    return log_det_remainder(x), jnp.sum(slope * transpose(dx), axis=(-2, -1))


@jax.custom_jvp
def framed_log_det_remainder(frame: jax.Array, middle: jax.Array) -> jax.Array:
    """`log_det_remainder(frame middle frame^T)` for a tall `frame` with few columns, whose rank may be less."""
    small = jnp.linalg.qr(frame, mode="r")
    return log_det_remainder(product(product(small, middle), transpose(small)))


@framed_log_det_remainder.defjvp
def _framed_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    # With N = W^T W and Y = (1 + J N)^-1 J the slope in W J W^T is W Y W^T.
    (frame, middle), (frame_dot, middle_dot) = primals, tangents
    gram = product(transpose(frame), frame)
    turned = product(middle, gram)
    inner = jnp.linalg.solve(identity_like(turned) + turned, middle)
    in_frame = 2 * product(frame, product(product(inner, gram), middle))
    in_middle = product(product(gram, inner), gram)
    slope = jnp.sum(in_frame * frame_dot, axis=(-2, -1)) + jnp.sum(in_middle * middle_dot, axis=(-2, -1))
    return framed_log_det_remainder(frame, middle), slope


def sylvester(h: jax.Array, right: jax.Array) -> jax.Array:
    """The solution of `h x + x h = right` for a symmetric positive semidefinite `h`."""

    def solve(_: Any, columns: jax.Array) -> jax.Array:
        values, vectors = jnp.linalg.eigh(h)
        values = jnp.maximum(values, 0)
        sums = values[..., :, None] + values[..., None, :]
        inner = product(product(transpose(vectors), columns), vectors)
        inner = jnp.where(sums > 0, inner / jnp.where(sums > 0, sums, jnp.ones_like(sums)), jnp.zeros_like(inner))
        return product(product(vectors, inner), transpose(vectors))

    def times(x: jax.Array) -> jax.Array:
        return product(h, x) + product(x, h)

    # The solver is differentiated by its equation, to any order.
    return jax.lax.custom_linear_solve(times, right, solve, symmetric=True)


def triangular_excess(x: jax.Array) -> jax.Array:
    """`N`, lower triangular, with `(1 + N) (1 + N)^T = 1 + x`, accurate for a small symmetric `x`."""
    eye = identity_like(x)
    factor = jnp.linalg.cholesky(eye + x)
    excess = factor - eye
    # What the factor, rounded, has missed; its own factor is to first order the lower half.
    missed = x - (excess + transpose(excess) + product(excess, transpose(excess)))
    inner = solve_lower(factor, transpose(solve_lower(factor, missed)))
    return excess + product(factor, jnp.tril(inner) - 0.5 * eye * inner)


@jax.custom_jvp
def transport_square(p: jax.Array, q: jax.Array, difference: jax.Array) -> jax.Array:
    """The least `|p - q U|^2` over rotations, where `difference = p - q`: a sum that does not cancel.

    It is the trace of `p p^T + q q^T` less twice the nuclear norm of `p^T q`.
    """
    gap = difference - product(q, rotation_excess(p, q, difference))
    return jnp.sum(jnp.square(gap), axis=(-2, -1))


@transport_square.defjvp
def _transport_square_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    # The rotation is the best one: to first order its own change does not count, and would add its rounding.
    (p, q, difference), (_, q_dot, difference_dot) = primals, tangents
    excess = rotation_excess(p, q, difference)
    gap = difference - product(q, excess)
    moved = difference_dot - product(q_dot, excess)
    return transport_square(p, q, difference), 2 * jnp.sum(gap * moved, axis=(-2, -1))


@jax.custom_jvp
def rotation_excess(p: jax.Array, q: jax.Array, difference: jax.Array) -> jax.Array:
    """`U - 1` for the orthogonal `U` that brings `q U` nearest to `p`, accurate also where it is small."""
    size = jnp.sum(jnp.square(q), axis=(-2, -1), keepdims=True)
    near = jnp.sum(jnp.square(difference), axis=(-2, -1), keepdims=True) < size / 64
    shift = product(transpose(q), difference)
    cross = jnp.where(near, product(transpose(q), q) + shift, product(transpose(q), p))
    left, _, right = jnp.linalg.svd(cross, full_matrices=False)
    # Near each other, start from 1: the decomposition has rounded already.
    excess = jnp.where(near, jnp.zeros_like(cross), product(left, right) - identity_like(cross))
    for _ in range(3):
        excess = _turn(excess, cross, jnp.where(near, shift, cross))
    return excess


def _turn(excess: jax.Array, cross: jax.Array, uneven: jax.Array) -> jax.Array:
    """One step towards the rotation that makes `U^T cross` symmetric; `uneven` is `cross` but for a symmetric part."""
    turned = product(transpose(excess), cross)
    symmetric, skew = cross + turned, uneven + turned
    turn = sylvester(0.5 * (symmetric + transpose(symmetric)), skew - transpose(skew))
    # With an antisymmetric A, the rotation (1 + A/2) (1 - A/2)^-1 is 1 + (1 - A/2)^-1 A.
    step = jnp.linalg.solve(identity_like(turn) - 0.5 * turn, turn)
    return excess + step + product(excess, step)


@rotation_excess.defjvp
def _rotation_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (p, q, difference), (_, q_dot, difference_dot) = primals, tangents
    excess = rotation_excess(p, q, difference)
    rotation = identity_like(excess) + excess
    cross = product(transpose(rotation), product(transpose(q), p))
    moved = product(transpose(q_dot), p) + product(transpose(q), q_dot + difference_dot)
    moved = product(transpose(rotation), moved)
    turn = sylvester(0.5 * (cross + transpose(cross)), moved - transpose(moved))
    return excess, product(rotation, turn)
