"""Supports: the sets outside which a density is zero, each with a test and a point inside."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike


class Interval(NamedTuple):
    """The closed interval from `low` to `high`, real numbers or infinite; arrays broadcast with the batch."""

    low: ArrayLike
    high: ArrayLike

    def contains(self, x: jax.Array) -> jax.Array:
        """Returns which of `x` lie inside; infinity never does, and every density is zero there."""
        low, high = _like(x, self.low), _like(x, self.high)
        return (x >= low) & (x <= high) & jnp.isfinite(x)

    def inside(self, x: jax.Array) -> jax.Array:
        """Returns `x` where it lies inside and a point of the interior elsewhere."""
        return jnp.where(self.contains(x), x, _between(_like(x, self.low), _like(x, self.high)))


class Integers(NamedTuple):
    """The integers from `low` to `high`, both included; `high` may be infinite."""

    low: ArrayLike
    high: ArrayLike

    def contains(self, x: jax.Array) -> jax.Array:
        """Returns which of `x` are integers inside."""
        low, high = _like(x, self.low), _like(x, self.high)
        return (x >= low) & (x <= high) & (x == jnp.floor(x))

    def inside(self, x: jax.Array) -> jax.Array:
        """Returns `x` where it is an integer inside and the least one elsewhere."""
        return jnp.where(self.contains(x), x, _like(x, self.low))


class Compositions(NamedTuple):
    """Vectors of integers, none negative, that sum to `total`; the last axis of a value is one point."""

    total: ArrayLike

    def contains(self, x: jax.Array) -> jax.Array:
        """Returns which points lie inside."""
        counts = jnp.all((x >= 0) & (x == jnp.floor(x)), axis=-1)
        return counts & (jnp.sum(x, axis=-1) == _like(x[..., 0], self.total))

    def inside(self, x: jax.Array) -> jax.Array:
        """Returns `x` where it lies inside and elsewhere a point that has everything in its first entry."""
        total = _like(x[..., 0], self.total)[..., None]
        first = jnp.concatenate([total, jnp.zeros_like(x[..., 1:])], axis=-1)
        return jnp.where(self.contains(x)[..., None], x, first)


class Reals(NamedTuple):
    """All vectors, or arrays, of real numbers; the last `ndim` axes of a value are one point."""

    ndim: int

    def contains(self, x: jax.Array) -> jax.Array:
        """Returns true for every point."""
        return jnp.ones(x.shape[: x.ndim - self.ndim], bool)

    def inside(self, x: jax.Array) -> jax.Array:
        """Returns `x`."""
        return x


class Simplex(NamedTuple):
    """Vectors of numbers from 0 that sum to one, up to the rounding of half precision."""

    size: int

    def contains(self, x: jax.Array) -> jax.Array:
        """Returns which of `x` lie inside, one boolean for every vector."""
        return jnp.all(x >= 0, axis=-1) & (jnp.abs(jnp.sum(x, axis=-1) - 1) <= 2.0**-8)

    def inside(self, x: jax.Array) -> jax.Array:
        """Returns `x` where it lies inside and the centre elsewhere."""
        return jnp.where(self.contains(x)[..., None], x, jnp.full_like(x, 1 / self.size))


class Sphere(NamedTuple):
    """Vectors of length one, up to the rounding of the shortest dtype; the last axis of a value is one point."""

    def contains(self, x: jax.Array) -> jax.Array:
        """Returns which points have length one."""
        return jnp.abs(jnp.sum(jnp.square(x), axis=-1) - 1) < 1 / 64

    def inside(self, x: jax.Array) -> jax.Array:
        """Returns `x` where it has length one and the first unit vector elsewhere."""
        first = jnp.zeros_like(x).at[..., 0].set(1)
        return jnp.where(self.contains(x)[..., None], x, first)


class PositiveDefinite(NamedTuple):
    """Symmetric positive definite matrices; the last two axes of a value are one point."""

    def contains(self, x: jax.Array) -> jax.Array:
        """Returns which matrices are symmetric, up to rounding, and positive definite."""
        turned = jnp.swapaxes(x, -1, -2)
        size = jnp.max(jnp.abs(x), axis=(-2, -1), keepdims=True)
        even = jnp.all(jnp.abs(x - turned) <= size / 64, axis=(-2, -1))
        factor = jnp.linalg.cholesky(jax.lax.stop_gradient(x))
        return even & ~jnp.any(jnp.isnan(factor), axis=(-2, -1))

    def inside(self, x: jax.Array) -> jax.Array:
        """Returns `x` where it is positive definite and the unit matrix elsewhere."""
        eye = jnp.broadcast_to(jnp.eye(x.shape[-1], dtype=x.dtype), x.shape)
        return jnp.where(self.contains(x)[..., None, None], x, eye)


def _like(x: jax.Array, bound: ArrayLike) -> jax.Array:
    """`bound` as an array of the shape and dtype of `x`."""
    return jnp.broadcast_to(jnp.asarray(bound).astype(x.dtype), x.shape)


def _between(low: jax.Array, high: jax.Array) -> jax.Array:
    """A point between two bounds, of which either may be infinite."""
    below, above = jnp.isfinite(low), jnp.isfinite(high)
    zero = jnp.zeros_like(low)
    middle = 0.5 * jnp.where(below, low, zero) + 0.5 * jnp.where(above, high, zero)
    one_sided = jnp.where(below, low + 1, jnp.where(above, high - 1, zero))
    return jnp.where(below & above, middle, one_sided)
