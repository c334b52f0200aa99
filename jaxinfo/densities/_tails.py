"""What lies beyond the outermost panels: a bound on it, or that it has no end.

All of it is seen in logarithms, since far out a density runs out of range before the integrand stops to matter.
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo.densities import _edges
from jaxinfo.densities._terms import Term

# A tail that rises counts as endless if its outermost part has this share: one that rises by rounding has not.
_SHARE = 1e-3
# Where the square of the distance, in the widest scales, settles which way the logarithm of normal tails goes.
_FAR = 1e3

Logarithm = Callable[[jax.Array], jax.Array]


def beyond(
    term: Term, densities: tuple[Any, ...], lines: list[_edges.Line], reach: float, total: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Returns a bound on the part of an integral that its panels leave out, and whether that part is infinite."""

    def log_integrand(x: jax.Array) -> jax.Array:
        return term.log_size(*(jnp.broadcast_to(density.log_prob(x), x.shape) for density in densities))

    def integrand(x: jax.Array) -> jax.Array:
        log_probs = (jnp.broadcast_to(density.log_prob(x), x.shape) for density in densities)
        return jnp.abs(term.integrand(*log_probs)[0])

    if all(line.is_light for line in lines):
        ends = [_normal_end(log_integrand, lines, reach, sign) for sign in (-1, 1)]
    else:
        places = [place for line in lines for place in _edges.tail_points(line, reach)]
        ends = [_power_end(log_integrand, integrand, *place, total) for place in places]
    errors, infinite = zip(*ends, strict=True)
    return functools.reduce(jnp.add, errors), functools.reduce(jnp.logical_or, infinite)


def _power_end(
    log_integrand: Logarithm, integrand: Logarithm, points: jax.Array, distances: jax.Array, total: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """An end that panels approach by constant factors; points from the outermost inward, `[M, *batch]`.

    From point to point the integral gains about the distance times the integrand. What was lost on the way, where the
    densities have run out of range, is the difference of the two forms of the integrand; beyond the outermost point
    the gains are those of a geometric series, whose ratio is that of the last two.
    """
    step = math.log(_edges.GROWTH)
    log_gain = log_integrand(points) + jnp.log(distances) + math.log(step)
    gain = jnp.exp(log_gain)
    lost = jnp.sum(jnp.abs(gain - step * distances * integrand(points))[1:], axis=0)
    ratio = jnp.exp(log_gain[0] - log_gain[1])
    # Rounding of logarithms as large as the densities' own.
    slack = 1 - 256 * float(jnp.finfo(points.dtype).eps)
    rises = ~(ratio < slack)
    rest = jnp.where(rises, jnp.inf, 2 * gain[0] / jnp.where(rises, jnp.ones_like(ratio), 1 - ratio))
    # A term that is nothing everywhere far out.
    rest = jnp.where(gain[0] == 0, jnp.zeros_like(rest), rest)
    return lost + rest, (ratio >= slack) & (gain[0] > _SHARE * jnp.abs(total))


def _normal_end(
    log_integrand: Logarithm, lines: list[_edges.Line], reach: float, sign: int
) -> tuple[jax.Array, jax.Array]:
    """An end where all tails are normals': the logarithm of the integrand is a parabola, which may open upward.

    Where it falls, it falls by e or more within the widest scale; where it rises and opens downward, the top of the
    integrand lies outside. It may dip anywhere, where the densities cross.
    """
    width = functools.reduce(jnp.maximum, (jnp.max(line.widths, axis=0) for line in lines))
    reached = [_edges.reached(line, reach)[(sign + 1) // 2] for line in lines]
    end = functools.reduce(jnp.maximum if sign > 0 else jnp.minimum, reached)
    steps = (0.0, 1.0, 2.0, _FAR, 2 * _FAR, 3 * _FAR)
    here, next_one, after, *far = (log_integrand((end + sign * step * width)[None])[0] for step in steps)
    curvature = far[2] - 2 * far[1] + far[0]
    noise = 32 * float(jnp.finfo(width.dtype).eps) * jnp.abs(far[2])
    infinite = (curvature > noise) & (far[2] > far[1])
    top = jnp.maximum(here, next_one)
    return jnp.where(after > top, jnp.inf, jnp.exp(top) * width), infinite
