"""The table of what is known: a class for each family, a method for each statistic."""

from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from jaxinfo.distributions._arrays import log_ratio

Arrays = tuple[jax.Array, ...]

_LAWS: dict[type, type["Law"]] = {}


def _infinite(self: "Law", *_: jax.Array) -> jax.Array:
    return jnp.full_like(self.unit, jnp.inf)


# The mean of a statistic whose integral diverges for every member of a family.
infinite: Any = _infinite


class Law:
    """A member of a family by its arrays; a method that is not overridden is not known.

    Arguments `loc` and `unit` are those of the other distribution, in which the statistic measures `x`. Values are
    infinite where the integral diverges.
    """

    kind: ClassVar[type]

    def __init__(self, *parameters: jax.Array) -> None:
        self.parameters = parameters

    @classmethod
    def knows(cls, statistic: str) -> bool:
        """Whether the mean of a statistic is known."""
        return getattr(cls, statistic) is not getattr(Law, statistic)

    @property
    def unit(self) -> jax.Array:
        """The scale of this member itself."""
        raise NotImplementedError

    def standard_entropy(self) -> jax.Array:
        """The entropy of the member of the same shape whose own scale is 1."""
        raise NotImplementedError

    def entropy(self, unit: jax.Array) -> jax.Array:
        """The entropy of `x / unit`."""
        return log_ratio(self.unit, unit) + self.standard_entropy()

    def linear(self, loc: jax.Array, unit: jax.Array) -> jax.Array:
        """`E (x - loc) / unit`."""
        raise NotImplementedError

    def variance(self, unit: jax.Array) -> jax.Array:
        """`Var x / unit^2`."""
        raise NotImplementedError

    def distance(self, loc: jax.Array, unit: jax.Array) -> jax.Array:
        """`E |x - loc| / unit`."""
        raise NotImplementedError

    def exponential(self, loc: jax.Array, unit: jax.Array) -> jax.Array:
        """`E exp(-(x - loc) / unit)`."""
        raise NotImplementedError

    def log1p_square(self, loc: jax.Array, unit: jax.Array) -> jax.Array:
        """`E log(1 + (x - loc)^2 / unit^2)`."""
        raise NotImplementedError

    def log_cosh(self, loc: jax.Array, unit: jax.Array) -> jax.Array:
        """`2 E log(2 cosh((x - loc) / (2 unit)))`."""
        raise NotImplementedError

    def log(self, unit: jax.Array) -> jax.Array:
        """The mean of `log(x / unit)`."""
        raise NotImplementedError

    def log_variance(self) -> jax.Array:
        """`Var log x`."""
        raise NotImplementedError

    def log_complement(self) -> jax.Array:
        """`E log(1 - x)`."""
        raise NotImplementedError

    def inverse(self, unit: jax.Array) -> jax.Array:
        """`E unit / x`."""
        raise NotImplementedError

    def power(self, unit: jax.Array, exponent: jax.Array) -> jax.Array:
        """`E (x / unit)^exponent`."""
        raise NotImplementedError


def law(kind: type) -> Callable[[type[Law]], type[Law]]:
    """Says of which family a class knows something."""

    def add(cls: type[Law]) -> type[Law]:
        cls.kind = kind
        _LAWS[kind] = cls
        return cls

    return add


def law_of(kind: Any) -> type[Law] | None:
    """Returns what is known of a family, None if nothing is."""
    return _LAWS.get(kind)


def laws() -> dict[type, type[Law]]:
    """Returns the table."""
    return dict(_LAWS)


def beyond(parameter: jax.Array, threshold: jax.Array | float, value: Callable[[jax.Array], jax.Array]) -> jax.Array:
    """`value(parameter)` where the parameter exceeds the threshold, and infinity elsewhere, with slope 0."""
    threshold = jnp.broadcast_to(jnp.asarray(threshold, parameter.dtype), parameter.shape)
    finite = parameter > threshold
    held = jnp.where(finite, parameter, jax.lax.stop_gradient(threshold) + 1)
    return jnp.where(finite, value(held), jnp.full_like(parameter, jnp.inf))


def times(moment: jax.Array, factor: jax.Array) -> jax.Array:
    """`moment * factor`, where a moment that is infinite has slope 0, also in the factor."""
    finite = jnp.isfinite(moment)
    return jnp.where(finite, jnp.where(finite, moment, jnp.ones_like(moment)) * factor, moment)
