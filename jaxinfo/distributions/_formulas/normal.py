"""Closed forms between normal distributions."""

import math

import jax
import jax.numpy as jnp

from jaxinfo.distributions._arrays import log_ratio
from jaxinfo.distributions._families.normal import Normal
from jaxinfo.distributions._registry import register
from jaxinfo.distributions._special.logarithm import log1p_remainder_over
from jaxinfo.distributions._special.power_remainder import power_remainder


@register("kl_divergence", Normal, Normal)
def kl_divergence(loc_p: jax.Array, scale_p: jax.Array, loc_q: jax.Array, scale_q: jax.Array) -> jax.Array:
    # With r = scale_p / scale_q: (r^2 - 1 - 2 log r + ((loc_p - loc_q) / scale_q)^2) / 2, two terms that are >= 0.
    spread = power_remainder(scale_p, scale_q, 2)
    # Between a point mass and a density it is infinite, wherever they are.
    return jnp.where(jnp.isinf(spread), spread, 0.5 * (spread + jnp.square((loc_p - loc_q) / scale_q)))


@register("cross_entropy", Normal, Normal)
def cross_entropy(loc_p: jax.Array, scale_p: jax.Array, loc_q: jax.Array, scale_q: jax.Array) -> jax.Array:
    squares = jnp.square(scale_p / scale_q) + jnp.square((loc_p - loc_q) / scale_q)
    return 0.5 * (math.log(2 * math.pi) + squares) + jnp.log(scale_q)


@register("renyi_divergence", Normal, Normal)
def _renyi_divergence(
    loc_p: jax.Array, scale_p: jax.Array, loc_q: jax.Array, scale_q: jax.Array, order: jax.Array
) -> jax.Array:
    known = jnp.where(jnp.isfinite(order) & (order >= 0), order, jnp.ones_like(order))
    weight = _mixed_square(known, scale_p, scale_q)
    inside = weight > 0
    weight = jnp.where(inside, weight, jnp.ones_like(weight))
    squares = known * jnp.square((loc_p - loc_q) / scale_q) / weight
    value = 0.5 * (_renyi_of_scales(known, inside, weight, scale_p, scale_q) + squares)
    value = jnp.where(inside, value, jnp.full_like(value, jnp.inf))
    value = jnp.where(jnp.isposinf(order), _largest_log_ratio(loc_p, scale_p, loc_q, scale_q), value)
    return jnp.where(order >= 0, value, jnp.full_like(value, jnp.nan))


def _mixed_square(order: jax.Array, scale_p: jax.Array, scale_q: jax.Array) -> jax.Array:
    """`v = a + (1 - a) (scale_p / scale_q)^2`: where it is not positive, the integral is infinite."""
    u = (scale_p - scale_q) / scale_q * ((scale_p + scale_q) / scale_q)
    return jnp.where(order < 1, order + (1 - order) * jnp.square(scale_p / scale_q), 1 + (1 - order) * u)


def _renyi_of_scales(
    order: jax.Array, inside: jax.Array, v: jax.Array, scale_p: jax.Array, scale_q: jax.Array
) -> jax.Array:
    # With u = (scale_p / scale_q)^2 - 1, v = 1 + (1 - a) u, z = -u / v and L(x) = x - log(1 + x), twice the divergence
    # is a L((1 - a) z) / (1 - a) + L(-a z) up to order 1 and L(u) + L((1 - a) u) / (a - 1) beyond: no term is negative.
    # There are 1 + (1 - a) z = 1 / v and 1 - a z = (1 + u) / v.
    inner = order < 1
    held = jnp.where(inside, scale_p, scale_q)
    u = (held - scale_q) / scale_q * ((held + scale_q) / scale_q)
    x = jnp.where(inner, -u / v, u)
    first = log1p_remainder_over(1 - order, x, jnp.where(inner, 1 / v, v))
    ratio = jnp.square(held / scale_q) / v
    second = -order * log1p_remainder_over(-order, x, ratio)
    return jnp.where(inner, order * first + second, 2 * _log_scale_part(held, scale_q) - first)


def _log_scale_part(scale_p: jax.Array, scale_q: jax.Array) -> jax.Array:
    """KL between normals of equal mean."""
    return 0.5 * power_remainder(scale_p, scale_q, 2)


def _largest_log_ratio(loc_p: jax.Array, scale_p: jax.Array, loc_q: jax.Array, scale_q: jax.Array) -> jax.Array:
    """The supremum of log(p / q): finite where q is the wider one, or the same."""
    wider = scale_q > scale_p
    gap = jnp.where(wider, (scale_q - scale_p) * (scale_q + scale_p), jnp.ones_like(scale_p))
    finite = log_ratio(scale_q, scale_p) + 0.5 * jnp.square(loc_p - loc_q) / gap
    same = (scale_p == scale_q) & (loc_p == loc_q)
    return jnp.where(wider, finite, jnp.where(same, jnp.zeros_like(finite), jnp.full_like(finite, jnp.inf)))


@register("fisher_information", Normal)
def _fisher_information(_: jax.Array, scale: jax.Array) -> jax.Array:
    inverse = 1 / jnp.square(scale)
    zero = jnp.zeros_like(scale)
    return jnp.stack([jnp.stack([inverse, zero], -1), jnp.stack([zero, 2 * inverse], -1)], -2)
