"""Closed forms between multivariate normals by triangular factors, in O(D^3)."""

import math

import jax
import jax.numpy as jnp

from jaxinfo.distributions._arrays import log_ratio, sum_over_last
from jaxinfo.distributions._special import matrices
from jaxinfo.distributions._special.matrices import diagonal, identity_like, product, solve_lower, transpose
from jaxinfo.distributions._special.power_remainder import power_remainder

# A member is its location and its lower triangular factor.
Member = tuple[jax.Array, jax.Array]


def kl_divergence(p: Member, q: Member) -> jax.Array:
    (loc_p, factor_p), (loc_q, factor_q) = p, q
    columns = jnp.concatenate([factor_p - factor_q, (loc_p - loc_q)[..., None]], axis=-1)
    white = solve_lower(factor_q, columns)
    below, shift = jnp.tril(white[..., :-1], -1), white[..., -1]
    return 0.5 * (_spread(factor_p, factor_q, below) + jnp.sum(jnp.square(shift), axis=-1))


def cross_entropy(p: Member, q: Member) -> jax.Array:
    (loc_p, factor_p), (loc_q, factor_q) = p, q
    squares = jnp.sum(jnp.square(solve_lower(factor_q, factor_p)), axis=(-2, -1)) + _square(factor_q, loc_p - loc_q)
    return 0.5 * (loc_p.shape[-1] * math.log(2 * math.pi) + squares) + matrices.log_determinant(factor_q)


def renyi_divergence(p: Member, q: Member, order: jax.Array) -> jax.Array:
    """For a finite order that is not negative, and infinity."""
    unbounded = jnp.isinf(order)
    limit = _largest_log_ratio(p, q)
    order = jnp.where(unbounded, jnp.ones_like(order), order)
    # Below 1/2 the other way round: D_a(p, q) = a / (1 - a) D_(1-a)(q, p), where the rest is not near 1.
    swap = order < 0.5
    flags = swap[..., None, None]
    factors = jnp.where(flags, q[1], p[1]), jnp.where(flags, p[1], q[1])
    above = jnp.where(swap, 1 - order, order)
    factor = jnp.where(swap, order / jnp.where(swap, 1 - order, jnp.ones_like(order)), jnp.ones_like(order))
    return jnp.where(unbounded, limit, factor * _renyi_above(p[0] - q[0], *factors, above))


def wasserstein_squared(p: Member, q: Member) -> jax.Array:
    (loc_p, factor_p), (loc_q, factor_q) = p, q
    shift = jnp.sum(jnp.square(loc_p - loc_q), axis=-1)
    return shift + matrices.transport_square(factor_p, factor_q, factor_p - factor_q)


def _square(factor: jax.Array, x: jax.Array) -> jax.Array:
    return jnp.sum(jnp.square(matrices.solve_lower_vector(factor, x)), axis=-1)


def _spread(factor_p: jax.Array, factor_q: jax.Array, below: jax.Array) -> jax.Array:
    """`tr E - log det(1 + E)`, where `1 + E = A A^T` with the part `below` the diagonal of `A = L_q^-1 L_p`."""
    along = sum_over_last(_square_remainder, diagonal(factor_p), diagonal(factor_q))
    return along + jnp.sum(jnp.square(below), axis=(-2, -1))


def _square_remainder(x: jax.Array, y: jax.Array) -> jax.Array:
    return power_remainder(x, y, 2)


def _renyi_above(shift: jax.Array, factor_p: jax.Array, factor_q: jax.Array, order: jax.Array) -> jax.Array:
    """For an order of at least 1/2.

    With `r(E) = tr E - log det(1 + E)` and `b = 1 - order` the spread is `(r(E) - r(b E) / b) / 2`, which does not
    cancel where `b E` is small; elsewhere it is `(log det(1 + b E) / b - log det(1 + E)) / 2`.
    """
    excess = jnp.tril(solve_lower(factor_q, factor_p - factor_q))
    change = excess + transpose(excess) + product(excess, transpose(excess))
    rest = 1 - order
    part = rest[..., None, None] * change
    near = jnp.sum(jnp.square(part), axis=(-2, -1)) < 0.25
    small = jnp.where(near[..., None, None], part, jnp.zeros_like(part))
    mixed, inside = _mixed_factor(excess, change, order, near)
    log_ratios = 2 * jnp.sum(log_ratio(diagonal(factor_p), diagonal(factor_q)), axis=-1)
    safe_rest = jnp.where(rest == 0, jnp.ones_like(rest), rest)
    removed = jnp.where(rest == 0, jnp.zeros_like(rest), matrices.log_det_remainder(small) / safe_rest)
    close = _spread(factor_p, factor_q, jnp.tril(excess, -1)) - removed
    far = 2 * matrices.log_determinant(mixed) / safe_rest - log_ratios
    spread = jnp.where(near, close, far)
    white = matrices.solve_lower_vector(factor_q, shift)
    value = 0.5 * (jnp.maximum(spread, 0) + order * _square(mixed, white))
    return jnp.where(inside, value, jnp.inf)


def _mixed_factor(
    excess: jax.Array, change: jax.Array, order: jax.Array, near: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """The triangular factor of `1 + (1 - order) E`, and where that is positive definite."""
    eye = identity_like(change)
    between = ((order < 1) & ~near)[..., None, None]
    weight = jnp.where(between, order[..., None, None], jnp.full_like(between, 0.5, change.dtype))
    rows = jnp.where(between, excess, jnp.zeros_like(excess))
    stacked = jnp.concatenate([jnp.sqrt(weight) * eye, jnp.sqrt(1 - weight) * transpose(eye + rows)], axis=-2)
    apart = matrices.lower_factor(stacked)
    plain = eye + jnp.where(between, jnp.zeros_like(change), (1 - order)[..., None, None] * change)
    inside = ~jnp.any(jnp.isnan(jnp.linalg.cholesky(jax.lax.stop_gradient(plain))), axis=(-2, -1))
    direct = jnp.linalg.cholesky(jnp.where(inside[..., None, None], plain, eye))
    return jnp.where(between, apart, direct), inside


def _largest_log_ratio(p: Member, q: Member) -> jax.Array:
    """The supremum of log(p / q), finite where the covariance of q is the greater."""
    (loc_p, factor_p), (loc_q, factor_q) = p, q
    excess = jnp.tril(solve_lower(factor_q, factor_p - factor_q))
    change = excess + transpose(excess) + product(excess, transpose(excess))
    white = matrices.solve_lower_vector(factor_q, loc_p - loc_q)
    same = ~jnp.any(change != 0, axis=(-2, -1)) & ~jnp.any(white != 0, axis=-1)
    inside = ~jnp.any(jnp.isnan(jnp.linalg.cholesky(jax.lax.stop_gradient(-change))), axis=(-2, -1))
    gap = jnp.linalg.cholesky(jnp.where(inside[..., None, None], -change, identity_like(change)))
    value = 0.5 * _square(gap, white) - jnp.sum(log_ratio(diagonal(factor_p), diagonal(factor_q)), axis=-1)
    return jnp.where(same, jnp.zeros_like(value), jnp.where(inside, value, jnp.inf))
