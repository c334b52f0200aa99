"""Closed forms between normals with independent coordinates: sums over the coordinates."""

import math

import jax
import jax.numpy as jnp

from jaxinfo._numerics import log1p
from jaxinfo.distributions._arrays import exp_remainder, log_ratio, sum_over_last
from jaxinfo.distributions._special.power_remainder import power_remainder

Member = tuple[jax.Array, ...]


def kl_divergence(p: Member, q: Member) -> jax.Array:
    def term(loc_p: jax.Array, scale_p: jax.Array, loc_q: jax.Array, scale_q: jax.Array) -> jax.Array:
        return power_remainder(scale_p, scale_q, 2) + jnp.square((loc_p - loc_q) / scale_q)

    return 0.5 * sum_over_last(term, *p, *q)


def cross_entropy(p: Member, q: Member) -> jax.Array:
    (loc_p, scale_p), (loc_q, scale_q) = p, q
    squares = jnp.square(scale_p / scale_q) + jnp.square((loc_p - loc_q) / scale_q)
    return jnp.sum(0.5 * (math.log(2 * math.pi) + squares) + jnp.log(scale_q), axis=-1)


def renyi_divergence(p: Member, q: Member, order: jax.Array) -> jax.Array:
    """For a finite order that is not negative, and infinity."""
    unbounded = jnp.isinf(order)
    limit = _largest_log_ratio(p, q)
    order = jnp.where(unbounded, jnp.ones_like(order), order)
    # Below 1/2 the other way round: D_a(p, q) = a / (1 - a) D_(1-a)(q, p), where the rest is not near 1.
    swap = order < 0.5
    flags = jnp.broadcast_to(swap[..., None], p[0].shape)
    (loc_p, scale_p), (loc_q, scale_q) = p, q
    p = jnp.where(flags, loc_q, loc_p), jnp.where(flags, scale_q, scale_p)
    q = jnp.where(flags, loc_p, loc_q), jnp.where(flags, scale_p, scale_q)
    above = jnp.where(swap, 1 - order, order)
    factor = jnp.where(swap, order / jnp.where(swap, 1 - order, jnp.ones_like(order)), jnp.ones_like(order))
    value = factor * jnp.sum(_renyi_terms(p, q, jnp.broadcast_to(above[..., None], p[0].shape)), axis=-1)
    return jnp.where(unbounded, limit, value)


def wasserstein_squared(p: Member, q: Member) -> jax.Array:
    return jnp.sum(jnp.square(p[0] - q[0]) + jnp.square(p[1] - q[1]), axis=-1)


def _renyi_terms(p: Member, q: Member, order: jax.Array) -> jax.Array:
    """Of each coordinate, for an order of at least 1/2.

    With `e = (scale_p / scale_q)^2 - 1`, `b = 1 - order` and `r(e) = e - log(1 + e)` the spread is
    `(r(e) - r(b e) / b) / 2`, which does not cancel where `b e` is small.
    """
    (loc_p, scale_p), (loc_q, scale_q) = p, q
    log = 2 * log_ratio(scale_p, scale_q)
    rest = 1 - order
    change = jnp.expm1(log)
    part = rest * change
    inside = part > -1
    near = (jnp.abs(part) < 0.5) & inside
    zero = jnp.zeros_like(part)
    safe_rest = jnp.where(rest == 0, jnp.ones_like(rest), rest)
    small = jnp.where(near, part, zero)
    close = exp_remainder(log) - jnp.where(rest == 0, zero, exp_remainder(log1p(small)) / safe_rest)
    far = jnp.log1p(jnp.where(near | ~inside, zero, part)) / safe_rest - log
    spread = 0.5 * jnp.where(near, close, far)
    # By the root: the derivative of a quotient squares what it divides by.
    root = jnp.sqrt(jnp.where(inside, 1 + part, jnp.ones_like(part)))
    square = jnp.square((loc_p - loc_q) / scale_q / root)
    return jnp.where(inside, spread + 0.5 * order * square, jnp.inf)


def _largest_log_ratio(p: Member, q: Member) -> jax.Array:
    """The supremum of log(p / q), finite where q is wider."""
    (loc_p, scale_p), (loc_q, scale_q) = p, q
    wider = scale_q > scale_p
    one = jnp.ones_like(scale_p)
    gap = jnp.where(wider, (scale_q - scale_p) * (scale_q + scale_p), one)
    inside = -log_ratio(scale_p, scale_q) + 0.5 * jnp.square(loc_p - loc_q) / gap
    same = (scale_q == scale_p) & (loc_p == loc_q)
    return jnp.sum(jnp.where(wider, inside, jnp.where(same, 0 * one, jnp.inf)), axis=-1)
