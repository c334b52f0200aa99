"""How heavy the tail of a sample is: the shape of the generalised Pareto distribution that fits its largest numbers."""

import math

import jax
import jax.numpy as jnp

# What the shape is pulled to, and by how many observations' worth: the weakly informative prior of PSIS.
_PRIOR_SHAPE, _PRIOR_COUNT = 0.5, 10


def tail_size(num_samples: int, most: int = 1024) -> int:
    """Returns how many of the largest numbers belong to the tail: at most a fifth, at most `3 sqrt(n)`."""
    return max(5, min(math.ceil(0.2 * num_samples), math.ceil(3 * math.sqrt(num_samples)), most))


def tail_shape(largest: jax.Array) -> jax.Array:
    """Returns the shape k of the tail of positive numbers, given the largest by their logarithms `[M + 1, *batch]`.

    They ascend; the least is the threshold. A tail of shape k has moments up to the order 1/k. Without a tail, when all
    are equal or 0, it is `-inf`.
    """
    top = largest[-1]
    finite = jnp.isfinite(top)
    shift = jnp.where(finite, top, jnp.zeros_like(top))[None]
    scaled = jnp.exp(largest - shift)
    excess = scaled[1:] - scaled[:1]
    # The tiniest excess is a rounding's, and those equal to the threshold are 0.
    least = float(jnp.finfo(excess.dtype).eps)
    flat = ~(excess[-1] > 4 * least)
    shape = _fitted(jnp.where(flat[None], jnp.ones_like(excess), jnp.maximum(excess, least * 1e-3)))
    shape = jnp.where(flat, jnp.full_like(shape, -jnp.inf), shape)
    # An infinite number is a tail as heavy as can be.
    return jnp.where(top == jnp.inf, jnp.full_like(shape, jnp.inf), jnp.where(jnp.isnan(top), top, shape))


def _fitted(excess: jax.Array) -> jax.Array:
    """The posterior mean of Zhang and Stephens, of ascending positive numbers `[M, *batch]`."""
    count = excess.shape[0]
    num_points = 30 + math.isqrt(count)
    quartile, greatest = excess[int(count / 4 + 0.5) - 1], excess[-1]
    points = [1 - math.sqrt(num_points / (i + 0.5)) for i in range(num_points)]
    points = jnp.asarray(points, excess.dtype).reshape(-1, *(1,) * quartile.ndim)
    theta = points / (3 * quartile)[None] + (1 / greatest)[None]

    def shape_at(theta: jax.Array) -> jax.Array:
        return jnp.mean(jnp.log1p(-theta[None] * excess), axis=0)

    shapes = jax.lax.map(shape_at, theta)
    log_likelihood = count * (jnp.log(-theta / shapes) - shapes - 1)
    weights = jax.nn.softmax(jnp.where(jnp.isnan(log_likelihood), -jnp.inf, log_likelihood), axis=0)
    shape = shape_at(jnp.sum(weights * theta, axis=0))
    return (count * shape + _PRIOR_COUNT * _PRIOR_SHAPE) / (count + _PRIOR_COUNT)
