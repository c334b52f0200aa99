"""Measures that follow from others, for every pair that has those: overlaps and bounds."""

import math
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo import _numerics
from jaxinfo.distributions._registry import Formula, closed_form, register_rule


@register_rule("bhattacharyya_distance")
def _bhattacharyya_distance(p: Any, q: Any) -> Formula | None:
    """Half the Rényi divergence of order one half."""
    renyi = closed_form("renyi_divergence", p, q)
    return None if renyi is None else lambda p, q: 0.5 * renyi(p, q, order=0.5)


@register_rule("hellinger_distance")
def _hellinger_distance(p: Any, q: Any) -> Formula | None:
    distance = closed_form("bhattacharyya_distance", p, q)
    # At 0 the root has no slope, and the distance is given the slope 0.
    return None if distance is None else lambda p, q: _numerics.square_root(-jnp.expm1(-distance(p, q)))


@register_rule("jensen_shannon_bounds")
def _jensen_shannon_bounds(p: Any, q: Any) -> Formula | None:
    r"""Bounds from the overlap $b = \int \sqrt{p q}$ and from Jeffreys' divergence J, as far as they are known.

    $b$ is the mean of $u = 2 \sqrt{w (1 - w)}$ and the divergence that of $\log 2 - h(w)$, with w the share of p at a
    point. As a function of u, h is convex and lies below its chord, so that by Jensen's inequality the divergence
    is between $(1 - b) \log 2$ and $\log 2 - h$ at $u = b$. Of J, it is at most $\log(2 / (1 + e^{-J/2}))$.
    """
    overlap = closed_form("bhattacharyya_distance", p, q)
    forward, backward = closed_form("kl_divergence", p, q), closed_form("kl_divergence", q, p)
    both = forward is not None and backward is not None
    if overlap is None and not both:
        return None

    def bounds(p: Any, q: Any) -> jax.Array:
        lowers, uppers = [], []
        if overlap is not None:
            distance = overlap(p, q)
            lowers.append(-math.log(2) * jnp.expm1(-distance))
            uppers.append(_coin_information(-jnp.expm1(-2 * distance)))
        if forward is not None and backward is not None:
            half = 0.5 * forward(p, q) + 0.5 * backward(q, p)
            uppers.append(-jnp.log1p(0.5 * jnp.expm1(-half)))
        upper = jnp.min(jnp.stack(uppers), axis=0)
        return jnp.stack([lowers[0] if lowers else jnp.zeros_like(upper), upper])

    return bounds


def _coin_information(square: jax.Array) -> jax.Array:
    """Returns `log 2` less the entropy of a coin of bias `w`, `((1 + w) log(1 + w) + (1 - w) log(1 - w)) / 2`."""
    near = square < 0.25
    small = jnp.where(near, square, jnp.zeros_like(square))
    series = jnp.zeros_like(square)
    for k in range(24, 0, -1):
        series = small * (series + 1 / (2 * k * (2 * k - 1)))
    bias = jnp.sqrt(jnp.where(near, jnp.full_like(square, 0.5), square))
    terms = _numerics.kl_term(1 + bias, jnp.ones_like(bias)) + _numerics.kl_term(1 - bias, jnp.ones_like(bias))
    return jnp.where(near, series, 0.5 * terms)
