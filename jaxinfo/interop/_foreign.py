"""A foreign distribution that no family of ours stands for, as a density."""

import contextlib
import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

import jax
import jax.core
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jaxinfo.distributions._composites.composite import composite, static
from jaxinfo.distributions._supports import Integers, Interval
from jaxinfo.interop._rows import Converter


@dataclasses.dataclass(frozen=True, eq=False)
class Library:
    """What is to be known about a library.

    Args:
      base: the package, all of whose distributions compute with JAX.
      home: the package of its own distributions.
      rows: by the name of a class, how it becomes one of ours.
      sample, mean, variance, batch_shape, event_shape, support: how its distributions are asked for these; a mean or
        variance that is not known is a `NotImplementedError`, a support that is not known is None.
      plain: turns a distribution into one whose attributes are numbers and arrays.
      log_prob: its log-density at an array.
    """

    base: str
    home: str
    rows: Mapping[str, Converter]
    sample: Callable[[Any, jax.Array, tuple[int, ...]], jax.Array]
    mean: Callable[[Any], Any]
    variance: Callable[[Any], Any]
    batch_shape: Callable[[Any], tuple[int, ...]]
    event_shape: Callable[[Any], tuple[int, ...]]
    support: Callable[[Any], Any]
    plain: Callable[[Any], Any] = lambda original: original
    log_prob: Callable[[Any, jax.Array], jax.Array] = lambda original, x: original.log_prob(x)


@contextlib.contextmanager
def lenient() -> Iterator[None]:
    """Lets foreign code mix dtypes and ranks, as it may by JAX's defaults, under whatever the user has set."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


@composite
class Foreign:
    """A foreign distribution with the names of ours: `log_prob`, `sample`, shapes, and what else its library knows.

    A pytree also where the foreign object is not a clean one: numbers and arrays of floats are its leaves, all else
    is part of its structure. `mean` and `variance` are missing where the library has none, `support` is None where
    it cannot be read off.
    """

    leaves: tuple[Any, ...]
    # One for each part of the foreign object, None for the leaves.
    constants: tuple[Any, ...] = static()
    structure: Any = static()
    library: Library = static()
    # Which ends of the support are infinite: known while tracing, so that an integral knows where it goes.
    infinite: tuple[bool, bool] = static(default=(False, False))

    @classmethod
    def wrap(cls, original: Any, library: Library) -> Self:
        """Returns the density of a foreign object."""
        parts, structure = jax.tree.flatten(original)
        leaves = tuple(part for part in parts if _is_leaf(part))
        constants = tuple(None if _is_leaf(part) else _Constant(part) for part in parts)
        density = cls(leaves, constants, structure, library)
        return dataclasses.replace(density, infinite=density._infinite_ends())

    def __repr__(self) -> str:
        return f"Foreign({self.original!r})"

    def __getattr__(self, name: str) -> Any:
        # What says where a density is and how wide when it has no mean or no variance.
        value = getattr(self.original, name) if name in ("loc", "scale") else None
        if isinstance(value, jax.Array | np.ndarray | float):
            return value
        raise AttributeError(f"{type(self.original).__name__}: its library does not tell its {name}")

    @property
    def original(self) -> Any:
        """The foreign object."""
        leaves = iter(self.leaves)
        parts = [next(leaves) if constant is None else constant.value for constant in self.constants]
        return jax.tree.unflatten(self.structure, parts)

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """The shape of the batch."""
        return self._ask(self.library.batch_shape)

    @property
    def event_shape(self) -> tuple[int, ...]:
        """The shape of one draw."""
        return self._ask(self.library.event_shape)

    @property
    def support(self) -> Any:
        """The set outside which the density is zero, None where it is not known."""
        support = self._ask(self.library.support)
        if not isinstance(support, Interval | Integers):
            return support
        signs = (-math.inf, math.inf)
        ends = (inf if infinite else end for end, inf, infinite in zip(support, signs, self.infinite, strict=True))
        return type(support)(*ends)

    @property
    def mean(self) -> jax.Array:
        """The mean, of shape `batch_shape + event_shape`."""
        return self._moment("mean")

    @property
    def variance(self) -> jax.Array:
        """The variance of each number of a draw."""
        return self._moment("variance")

    def log_prob(self, x: ArrayLike) -> jax.Array:
        """Returns the log-density at `x`, in nats; `-inf` outside the support, where some libraries are not."""
        value, support = jnp.asarray(x), self.support
        if not isinstance(support, Interval | Integers):
            return self._ask(lambda original: self.library.log_prob(original, value))
        inside = support.contains(value)
        log_prob = self._ask(lambda original: self.library.log_prob(original, support.inside(value)))
        log_prob = jnp.where(inside, log_prob, jnp.full_like(log_prob, -jnp.inf))
        return jnp.where(jnp.isnan(value), jnp.full_like(log_prob, jnp.nan), log_prob)

    def sample(self, key: jax.Array, sample_shape: tuple[int, ...] = ()) -> jax.Array:
        """Returns draws of shape `sample_shape + batch_shape + event_shape`."""
        return self._ask(lambda original: self.library.sample(original, key, tuple(sample_shape)))

    def _infinite_ends(self) -> tuple[bool, bool]:
        # A parameter that is traced stands at one: where a support ends depends on it, hardly ever whether it does.
        known = [jnp.ones(jnp.shape(x)) if isinstance(x, jax.core.Tracer) else x for x in self.leaves]
        with jax.ensure_compile_time_eval():
            support = dataclasses.replace(self, leaves=tuple(known)).support
            if not isinstance(support, Interval | Integers):
                return (False, False)
            low, high = (bool(jnp.all(jnp.isinf(jnp.asarray(end, float)))) for end in support)
        return low, high

    def _ask(self, question: Callable[[Any], Any]) -> Any:
        with lenient():
            return question(self.original)

    def _moment(self, name: str) -> jax.Array:
        try:
            value = self._ask(getattr(self.library, name))
        except NotImplementedError as error:
            # A property that is not there, so that `hasattr` says so.
            raise AttributeError(name) from error
        return jnp.broadcast_to(jnp.asarray(value), self.batch_shape + self.event_shape)


def _is_leaf(part: Any) -> bool:
    """Whether a part of a foreign object is data: a float, or an array of them; integers count, index or name."""
    if isinstance(part, jax.Array | np.ndarray | np.generic):
        return jnp.issubdtype(part.dtype, jnp.floating) or isinstance(part, jax.core.Tracer)
    return isinstance(part, float)


class _Constant:
    """A part of a foreign object that is no leaf, compared by value: arrays as wholes, all else by its own equality."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Constant):
            return NotImplemented
        if hasattr(self.value, "dtype") and hasattr(other.value, "dtype"):
            return self.value.dtype == other.value.dtype and np.array_equal(self.value, other.value)
        return type(self.value) is type(other.value) and bool(self.value == other.value)

    def __hash__(self) -> int:
        return hash(np.shape(self.value)) if hasattr(self.value, "dtype") else hash(self.value)
