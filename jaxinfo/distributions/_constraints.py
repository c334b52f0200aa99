"""What a parameter may be, and its bijection to the real numbers."""

import dataclasses
import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp

from jaxinfo.distributions._arrays import SHORT

_Map = Callable[[jax.Array], jax.Array]


@dataclasses.dataclass(frozen=True)
class Constraint:
    """A set of parameters, and the map to unconstrained ones and back.

    Args:
      ndim: how many trailing axes of the parameter are one value: 0 for a scalar, 1 for a vector.
      prefix: what the map puts before the parameter's name.
      contains: which values are allowed, a boolean for every number.
      to_free: the map to the real numbers.
      from_free: its inverse.
      alone: whether each number of a value is allowed or not by itself.
    """

    ndim: int
    prefix: str
    contains: _Map
    to_free: _Map
    from_free: _Map
    alone: bool = True

    def holds(self, value: jax.Array) -> jax.Array:
        """Returns where a parameter is allowed, one boolean for every value."""
        if self.ndim == 1 and self.alone and 0 < value.shape[-1] <= SHORT:
            # Number by number for many members of the batch at once.
            return functools.reduce(jnp.logical_and, (self.contains(value[..., i]) for i in range(value.shape[-1])))
        axes = tuple(range(value.ndim - self.ndim, value.ndim))
        return jnp.all(self.contains(value), axis=axes)


@dataclasses.dataclass(frozen=True)
class _Triangular(Constraint):
    """Of lower triangular matrices, the small ones of which are looked at number by number for many members at once."""

    def holds(self, value: jax.Array) -> jax.Array:
        size = value.shape[-1]
        if not 0 < size <= 10:
            return super().holds(value)
        below = [jnp.abs(value[..., i, j]) for i in range(size) for j in range(i)]
        # The least of them is NaN where one is.
        return functools.reduce(jnp.minimum, below + [value[..., i, i] for i in range(size)]) >= 0


def _real(ndim: int) -> Constraint:
    return Constraint(ndim, "", lambda x: ~jnp.isnan(x), lambda x: x, lambda x: x)


def _positive(ndim: int) -> Constraint:
    # Zero is the limit, a point mass or an improper member: the formulas say what becomes of it.
    return Constraint(ndim, "log_", lambda x: x >= 0, jnp.log, jnp.exp)


def _above_zero(ndim: int) -> Constraint:
    # For parameters without a limit at zero.
    return Constraint(ndim, "log_", lambda x: x > 0, jnp.log, jnp.exp)


def _unit(ndim: int) -> Constraint:
    # Looked up in use: it takes long to import.
    to_free = lambda x: jax.scipy.special.logit(x)  # noqa: E731, PLW0108
    return Constraint(ndim, "logit_", lambda x: (x >= 0) & (x <= 1), to_free, jax.nn.sigmoid)


def _is_count(x: jax.Array) -> jax.Array:
    return (x >= 0) & (x == jnp.floor(x))


def _lower_contains(x: jax.Array) -> jax.Array:
    return ~jnp.isnan(x) & ((x >= 0) | ~_on_diagonal(x)) | _above_diagonal(x)


def _lower_to_free(x: jax.Array) -> jax.Array:
    on = _on_diagonal(x)
    return jnp.tril(jnp.where(on, jnp.log(jnp.where(on, x, jnp.ones_like(x))), x))


def _lower_from_free(x: jax.Array) -> jax.Array:
    on = _on_diagonal(x)
    return jnp.tril(jnp.where(on, jnp.exp(jnp.where(on, x, jnp.zeros_like(x))), x))


def _on_diagonal(x: jax.Array) -> jax.Array:
    return jnp.broadcast_to(jnp.eye(x.shape[-1], dtype=bool), x.shape)


def _above_diagonal(x: jax.Array) -> jax.Array:
    return ~jnp.broadcast_to(jnp.tri(x.shape[-1], dtype=bool), x.shape)


def _is_unit(x: jax.Array) -> jax.Array:
    # As wide as the rounding of the shortest dtype asks.
    excess = jnp.abs(jnp.sum(jnp.square(x), axis=-1, keepdims=True) - 1)
    return jnp.broadcast_to(excess < 1 / 64, x.shape)


def _direction(x: jax.Array) -> jax.Array:
    return x / jnp.sqrt(jnp.sum(jnp.square(x), axis=-1, keepdims=True))


REAL, REAL_VECTOR, REAL_MATRIX = _real(0), _real(1), _real(2)
POSITIVE, POSITIVE_VECTOR = _positive(0), _positive(1)
ABOVE_ZERO, ABOVE_ZERO_VECTOR = _above_zero(0), _above_zero(1)
UNIT = _unit(0)
# A lower triangular matrix with a diagonal that is not negative; what is above the diagonal is not read.
LOWER_TRIANGULAR = _Triangular(2, "log_diagonal_", _lower_contains, _lower_to_free, _lower_from_free)
# A vector of length one; free is any multiple of it that is not zero.
DIRECTION = Constraint(1, "free_", _is_unit, lambda x: x, _direction, alone=False)
# A number of trials is an integer and no fit moves it: it has no gradient, and what is near it is rounded.
COUNT = Constraint(0, "", _is_count, lambda x: x, lambda x: jax.lax.stop_gradient(jnp.maximum(jnp.round(x), 0)))
# Nothing is renormalised: that the probabilities sum to one is up to the user, and the map back sees to it.
PROBABILITIES = Constraint(1, "log_", lambda x: (x >= 0) & (x <= 1), jnp.log, jax.nn.softmax)
