r"""The multivariate gamma function: its logarithm, and a divergence of what that is beyond its main part.

.. math:: \log \Gamma_D(a) = \frac{D (D - 1)}{4} \log \pi + \sum_{i=0}^{D-1} \log \Gamma(a - i / 2)
"""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


def arguments(half_excess: jax.Array, dimension: int) -> jax.Array:
    """The arguments `a - i / 2`, of which `half_excess` is the least, `a - (D - 1) / 2`; on a last axis."""
    halves = 0.5 * jnp.arange(dimension, dtype=half_excess.dtype)
    return half_excess[..., None] + halves.reshape((1,) * half_excess.ndim + (-1,))


def log_gamma(half_excess: jax.Array, dimension: int) -> jax.Array:
    """`log gamma_D(a)`, of `a - (D - 1) / 2 > 0`."""
    constant = 0.25 * dimension * (dimension - 1) * math.log(math.pi)
    return constant + jnp.sum(jax.lax.lgamma(arguments(half_excess, dimension)), axis=-1)


def digamma(half_excess: jax.Array, dimension: int) -> jax.Array:
    """The derivative of `log_gamma`."""
    return jnp.sum(jax.lax.digamma(arguments(half_excess, dimension)), axis=-1)


def excess_divergence(p: jax.Array, q: jax.Array, difference: jax.Array, dimension: int) -> jax.Array:
    """`G(q) - G(p) - G'(p) (q - p) >= 0` of the convex `G(a) = log gamma_D(a) - D (a log a - a)`.

    It is given `a - (D - 1) / 2` for both, and `difference = q - p`. By Gauss's rule on the integral of the second
    derivative while each pair of arguments is within a factor of four: its terms are positive, and the rule's error
    falls by a factor of 9 a node.
    """
    below, above = arguments(p, dimension), arguments(q, dimension)
    lacking = 0.5 * jnp.arange(dimension - 1, -1, -1, dtype=p.dtype)
    lacking = jnp.broadcast_to(lacking.reshape((1,) * p.ndim + (-1,)), below.shape)
    step = jnp.broadcast_to(difference[..., None], below.shape)
    near = jnp.abs(step) <= 0.75 * jnp.maximum(below, above)
    nodes, weights = np.polynomial.legendre.leggauss(9 if p.dtype == jnp.float32 else 18)
    column = (-1,) + (1,) * below.ndim
    t = jnp.asarray(0.5 + 0.5 * nodes, p.dtype).reshape(column)
    w = jnp.asarray(0.25 * weights * (1 - nodes), p.dtype).reshape(column)
    points = below[None] + t * jnp.where(near, step, jnp.zeros_like(step))[None]
    curvature = _trigamma_excess(points) + lacking[None] / points / (points + lacking[None])
    close = jnp.square(step) * jnp.sum(w * curvature, axis=0)
    slope = _digamma_excess(below) - jnp.log1p(lacking / below)
    far = _term(above, lacking) - _term(below, lacking) - slope * step
    return jnp.sum(jnp.where(near, close, jnp.maximum(far, 0)), axis=-1)


def _term(x: jax.Array, lacking: jax.Array) -> jax.Array:
    """`log gamma(x) - a log a + a` for `a = x + lacking`."""
    return _log_gamma_excess(x) - x * jnp.log1p(lacking / x) - lacking * jnp.log(x + lacking) + lacking


# What the logarithm of the gamma function has beyond x log x - x, and its two derivatives: from Stirling's series at an
# argument above 16, and from there down by recurrences whose terms have one sign.
_SHIFT = 16


def _polynomial(coefficients: tuple[float, ...], x: jax.Array) -> jax.Array:
    value = jnp.full_like(x, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        value = value * x + coefficient
    return value


@jax.custom_jvp
def _log_gamma_excess(x: jax.Array) -> jax.Array:
    top = x + _SHIFT
    series = _polynomial((1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188), 1 / jnp.square(top)) / top
    value = 0.5 * (math.log(2 * math.pi) - jnp.log(top)) + series
    for k in reversed(range(_SHIFT)):
        value = value + ((x + k + 1) * jnp.log1p(1 / (x + k)) - 1)
    return value


@_log_gamma_excess.defjvp
def _log_gamma_excess_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    return _log_gamma_excess(*primals), _digamma_excess(*primals) * tangents[0]


@jax.custom_jvp
def _digamma_excess(x: jax.Array) -> jax.Array:
    top = x + _SHIFT
    square = 1 / jnp.square(top)
    value = -0.5 / top - square * _polynomial((1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132), square)
    for k in reversed(range(_SHIFT)):
        value = value + (jnp.log1p(1 / (x + k)) - 1 / (x + k))
    return value


@_digamma_excess.defjvp
def _digamma_excess_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    return _digamma_excess(*primals), _trigamma_excess(*primals) * tangents[0]


def _trigamma_excess(x: jax.Array) -> jax.Array:
    top = x + _SHIFT
    square = 1 / jnp.square(top)
    series = _polynomial((1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66), square) / top
    value = square * (0.5 + series)
    for k in reversed(range(_SHIFT)):
        value = value + 1 / (jnp.square(x + k) * (x + k + 1))
    return value
