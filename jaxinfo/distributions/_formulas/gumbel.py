"""Closed forms between Gumbel distributions."""

import math
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo.distributions._arrays import exp_remainder, quotient_of_many_uses
from jaxinfo.distributions._families.gumbel import Gumbel
from jaxinfo.distributions._registry import register
from jaxinfo.distributions._special.extreme_values import EULER, log_gamma


@register("kl_divergence", Gumbel, Gumbel)
def _kl_divergence(loc_p: jax.Array, scale_p: jax.Array, loc_q: jax.Array, scale_q: jax.Array) -> jax.Array:
    return divergence(scale_p, scale_q, quotient_of_many_uses(loc_p - loc_q, scale_q))


@register("cross_entropy", Gumbel, Gumbel)
def _cross_entropy(loc_p: jax.Array, scale_p: jax.Array, loc_q: jax.Array, scale_q: jax.Array) -> jax.Array:
    distance = (loc_p - loc_q) / scale_q
    power = jnp.exp(log_gamma(scale_p, scale_q).after - distance)
    return jnp.log(scale_q) + distance + EULER * (scale_p / scale_q) + power


def divergence(x: jax.Array, y: jax.Array, distance: jax.Array) -> jax.Array:
    r"""Returns KL where the ratio of the scales is $r = x / y$ and the modes are `distance` scales of q apart.

    It is $-\log r + \gamma (r - 1) + d + e^{-d} \Gamma(1 + r) - 1$. With $c = \log \Gamma(1 + r) - d$ that is
    $(e^c - 1 - c) + (\log \Gamma(r) + \gamma (r - 1))$, each at least 0: the second is what a convex function has
    above its tangent at 1.
    """
    logarithms = log_gamma(x, y)
    value = _power_remainder(logarithms.after - distance) + logarithms.excess
    # A power beyond the largest number, or a point mass.
    infinite = jnp.isinf(logarithms.excess) | jnp.isinf(distance)
    return jnp.where(infinite, jnp.full_like(value, jnp.inf), value)


@jax.custom_jvp
def _power_remainder(c: jax.Array) -> jax.Array:
    return exp_remainder(c)


@_power_remainder.defjvp
def _power_remainder_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    # Where the power overflows its slope is large and finite: infinite slopes in two parameters would meet as NaN.
    (c,) = primals
    most = math.log(float(jnp.finfo(c.dtype).max))
    slope = jnp.expm1(jnp.where(c < most, c, jnp.full_like(c, 0.5 * most)))
    return _power_remainder(c), slope * tangents[0]
