"""What all distributions have in common: parameters, shapes, dtypes, the edge of the support, and the bijection.

A family states its parameters with their constraints, its support, and the equations of `_log_prob`, `_sample`,
`_mean`, `_variance` and, where there is one, `_entropy`, on arrays of one dtype and batch shape.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar, Self, dataclass_transform

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike, DTypeLike

from jaxinfo._pytrees import register_dataclass
from jaxinfo.distributions._arrays import common_dtype, working_dtype
from jaxinfo.distributions._constraints import Constraint


@dataclass_transform(frozen_default=True, eq_default=False)
def family(cls: type) -> Any:
    """Makes a frozen dataclass that is a pytree; its fields are the leaves."""
    return register_dataclass(dataclasses.dataclass(frozen=True, eq=False)(cls))


class Distribution:
    """A distribution whose parameters are arrays; leading axes are a batch.

    Subclasses give the equations below as static methods: of the point, or the key and the shape of the draws, and
    then the parameters in the order of `constraints`.
    """

    constraints: ClassVar[Mapping[str, Constraint]]

    @staticmethod
    def _support(*_: Any, **__: Any) -> Any:
        raise NotImplementedError

    @staticmethod
    def _log_prob(*_: Any, **__: Any) -> jax.Array:
        raise NotImplementedError

    @staticmethod
    def _sample(*_: Any, **__: Any) -> jax.Array:
        raise NotImplementedError

    @staticmethod
    def _mean(*_: Any, **__: Any) -> jax.Array:
        raise NotImplementedError

    @staticmethod
    def _variance(*_: Any, **__: Any) -> jax.Array:
        raise NotImplementedError

    @property
    def event_shape(self) -> tuple[int, ...]:
        """The shape of one draw."""
        return ()

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """The shape in which the parameters broadcast."""
        shapes = [jnp.shape(value)[: jnp.ndim(value) - ndim] for value, ndim in self._given]
        return jnp.broadcast_shapes(*shapes)

    @property
    def support(self) -> Any:
        """The set outside which the density is zero."""
        return self._support(*self.parameters())

    @property
    def mean(self) -> jax.Array:
        """The mean, of shape `batch_shape + event_shape`."""
        return self._result(self._mean(*self.parameters()))

    @property
    def variance(self) -> jax.Array:
        """The variance, of shape `batch_shape + event_shape`: of each number of a draw."""
        return self._result(self._variance(*self.parameters()))

    def log_prob(self, x: ArrayLike) -> jax.Array:
        """Returns the log-density at `x`, in nats; the batch axes of `x` broadcast against `batch_shape`.

        It is `-inf` outside the support, and NaN where `x` or a parameter is not a number or a parameter is not
        allowed.
        """
        value, *parameters = self.parameters(x)
        support = self._support(*parameters)
        # Outside, the formula is given a point inside, so that no NaN of its derivative gets through.
        inside = support.contains(value)
        log_prob = self._log_prob(support.inside(value), *parameters)
        log_prob = jnp.where(inside, log_prob, jnp.full_like(log_prob, -jnp.inf))
        event_axes = tuple(range(value.ndim - len(self.event_shape), value.ndim))
        known = self._allowed(*parameters) & ~jnp.any(jnp.isnan(value), axis=event_axes)
        return jnp.where(known, log_prob, jnp.full_like(log_prob, jnp.nan)).astype(self._dtype(x))

    def sample(self, key: jax.Array, sample_shape: tuple[int, ...] = ()) -> jax.Array:
        """Returns draws of shape `sample_shape + batch_shape + event_shape`."""
        shape = (*sample_shape, *self.batch_shape)
        parameters = [
            jnp.broadcast_to(value, shape + value.shape[value.ndim - c.ndim :])
            for value, c in zip(self.parameters(), self.constraints.values(), strict=True)
        ]
        draws = self._sample(key, shape, *parameters)
        return draws if jnp.issubdtype(draws.dtype, jnp.integer) else draws.astype(self._dtype())

    def broadcast_to(self, batch_shape: tuple[int, ...]) -> Self:
        """Returns this distribution with every leaf of shape `batch_shape` and its own trailing axes."""
        leaves = dict(zip(self.constraints, self.parameters(), strict=True))
        return dataclasses.replace(
            self,  # pyright: ignore[reportArgumentType]
            **{
                name: jnp.broadcast_to(leaf, batch_shape + leaf.shape[leaf.ndim - self.constraints[name].ndim :])
                for name, leaf in leaves.items()
            },
        )

    def to_unconstrained(self) -> dict[str, jax.Array]:
        """Returns the parameters mapped to the real numbers, by name (`log_scale`), each with the whole batch shape."""
        items = zip(self.constraints.items(), self.parameters(), strict=True)
        return {c.prefix + name: c.to_free(value) for (name, c), value in items}

    def from_unconstrained(self, parameters: Mapping[str, jax.Array]) -> Self:
        """Returns the member of this family with these unconstrained parameters; `self` only names the family."""
        leaves = {name: c.from_free(parameters[c.prefix + name]) for name, c in self.constraints.items()}
        return dataclasses.replace(self, **leaves)  # pyright: ignore[reportArgumentType]

    def is_allowed(self) -> jax.Array:
        """Returns where all parameters are in their domain, of shape `batch_shape`."""
        return self._allowed(*self.parameters())

    @property
    def _given(self) -> list[tuple[Any, int]]:
        """The parameters as they were given, each with the number of its own axes."""
        return [(getattr(self, name), constraint.ndim) for name, constraint in self.constraints.items()]

    def _dtype(self, *values: Any) -> DTypeLike:
        return common_dtype(*values, *(value for value, _ in self._given))

    def parameters(self, *values: ArrayLike) -> list[jax.Array]:
        """Returns `values` and then the parameters, of one float dtype of at least 32 bits and one batch shape."""
        given = [*((value, len(self.event_shape)) for value in values), *self._given]
        dtype = working_dtype(self._dtype(*values))
        arrays = [(jnp.asarray(value).astype(dtype), ndim) for value, ndim in given]
        batch = jnp.broadcast_shapes(*(a.shape[: a.ndim - ndim] for a, ndim in arrays))
        return [jnp.broadcast_to(a, batch + a.shape[a.ndim - ndim :]) for a, ndim in arrays]

    def _allowed(self, *parameters: jax.Array) -> jax.Array:
        holds = [c.holds(value) for c, value in zip(self.constraints.values(), parameters, strict=True)]
        return jnp.all(jnp.stack(holds), axis=0)

    def _result(self, value: jax.Array) -> jax.Array:
        """Returns what a formula gave in the parameters' dtype, NaN where a parameter is not allowed."""
        allowed = self.is_allowed().reshape(self.batch_shape + (1,) * (value.ndim - len(self.batch_shape)))
        allowed = jnp.broadcast_to(allowed, value.shape)
        return jnp.where(allowed, value, jnp.full_like(value, jnp.nan)).astype(self._dtype())


class HasEntropy(Distribution):
    """A distribution whose entropy has a closed form."""

    @staticmethod
    def _entropy(*_: Any, **__: Any) -> jax.Array:
        raise NotImplementedError

    def entropy(self) -> jax.Array:
        """Returns the entropy by its closed form, in nats, of shape `batch_shape`."""
        return self._result(self._entropy(*self.parameters()))
