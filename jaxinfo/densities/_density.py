"""What a density is here: an object with `log_prob`, or a bare function, and what can be known about it."""

import dataclasses
import math
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo._pytrees import register_dataclass
from jaxinfo.distributions import VonMises
from jaxinfo.distributions._supports import Integers, Interval, Reals

_LINE = Interval(-math.inf, math.inf)


@register_dataclass
@dataclasses.dataclass(frozen=True)
class LogProb:
    """A function of log-probabilities; what it closes over is not among the leaves."""

    function: Any = dataclasses.field(metadata={"static": True})

    def log_prob(self, x: jax.Array) -> jax.Array:
        return self.function(x)


@register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class PartialLogProb:
    """A `jax.tree_util.Partial`, whose arguments are leaves."""

    function: Any

    def log_prob(self, x: jax.Array) -> jax.Array:
        return self.function(x)


@register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class Independents:
    """The density of `(x, y)` when `x` follows `p_x` and `y` follows `p_y`, one after the other in a vector."""

    p_x: Any
    p_y: Any

    @property
    def _sizes(self) -> tuple[int, int]:
        first, second = (math.prod(event_shape(density)) for density in (self.p_x, self.p_y))
        return first, second

    @property
    def event_shape(self) -> tuple[int, ...]:
        return (sum(self._sizes),)

    @property
    def batch_shape(self) -> tuple[int, ...]:
        return jnp.broadcast_shapes(batch_shape(self.p_x), batch_shape(self.p_y))

    @property
    def mean(self) -> jax.Array:
        return self._join(self.p_x.mean, self.p_y.mean)

    @property
    def variance(self) -> jax.Array:
        return self._join(self.p_x.variance, self.p_y.variance)

    def _join(self, *parts: Any) -> jax.Array:
        wide = [_as_vectors(jnp.asarray(part), d) for part, d in zip(parts, (self.p_x, self.p_y), strict=True)]
        batch = jnp.broadcast_shapes(*(part.shape[:-1] for part in wide))
        return jnp.concatenate([jnp.broadcast_to(part, batch + part.shape[-1:]) for part in wide], axis=-1)

    def log_prob(self, x: jax.Array) -> jax.Array:
        first = self._sizes[0]
        values = (x[..., :first], x[..., first:])
        events = (d.log_prob(_as_events(v, d)) for d, v in zip((self.p_x, self.p_y), values, strict=True))
        log_x, log_y = jnp.broadcast_arrays(*events)
        return log_x + log_y

    def sample(self, key: jax.Array, sample_shape: tuple[int, ...] = ()) -> jax.Array:
        draws = [d.sample(k, sample_shape) for d, k in zip((self.p_x, self.p_y), jax.random.split(key), strict=True)]
        count = len(sample_shape)
        wide = [align(_as_vectors(x, d), count, 1, len(self.batch_shape)) for x, d in zip(draws, (self.p_x, self.p_y))]  # noqa: B905
        return self._join_aligned(wide)

    def _join_aligned(self, wide: list[jax.Array]) -> jax.Array:
        batch = jnp.broadcast_shapes(*(part.shape[:-1] for part in wide))
        return jnp.concatenate([jnp.broadcast_to(part, batch + part.shape[-1:]) for part in wide], axis=-1)


def _as_vectors(x: jax.Array, density: Any) -> jax.Array:
    """Points of a density, of any event shape, as vectors."""
    count = len(event_shape(density))
    return x.reshape(*x.shape[: x.ndim - count], -1) if count else x[..., None]


def _as_events(x: jax.Array, density: Any) -> jax.Array:
    return x.reshape(*x.shape[:-1], *event_shape(density))


def as_density(name: str, density: Any) -> Any:
    """Returns `density`, or a function wrapped as one; an error that carries the caller's name for anything else."""
    if callable(getattr(density, "log_prob", None)):
        return density
    if isinstance(density, jax.tree_util.Partial):
        return PartialLogProb(density)
    if callable(density) and not isinstance(density, type):
        return LogProb(density)
    raise TypeError(f"{name}: a density has log_prob, or is a function of log-probabilities, got {density!r}")


def is_bare(density: Any) -> bool:
    """Whether nothing but `log_prob` is known."""
    return isinstance(density, LogProb | PartialLogProb)


def is_located(density: Any) -> bool:
    """Whether moments tell where the mass is: a foreign density may have none, an image under a map its own word."""
    try:
        return hasattr(density, "mean") and hasattr(density, "variance")
    except TypeError:
        return False


def is_charted(density: Any) -> bool:
    """Whether an integral knows where to go: over what set, and in the plane around which points."""
    known = getattr(density, "support", _LINE) is not None
    return known and (not event_shape(density) or is_located(density))


def event_shape(density: Any) -> tuple[int, ...]:
    """The shape of one value; scalars unless the density says otherwise."""
    return tuple(getattr(density, "event_shape", ()))


def batch_shape(density: Any) -> tuple[int, ...]:
    """The shape of the batch; none unless the density says otherwise."""
    return tuple(getattr(density, "batch_shape", ()))


def support_of(density: Any) -> Interval | Integers:
    """The support of a density of numbers: what it says, or the line if it says nothing that is known here."""
    if isinstance(density, VonMises):
        # It repeats itself, and counts once.
        return Interval(-math.pi, math.pi)
    support = getattr(density, "support", None)
    return support if isinstance(support, Interval | Integers) else _LINE


def is_flat(density: Any) -> bool:
    """Whether the density is one with respect to lengths, areas and volumes, as far as its support says."""
    support = getattr(density, "support", None)
    ours = type(support).__module__ == Reals.__module__
    return not ours or isinstance(support, Reals | Interval)


def moment(density: Any, name: str) -> jax.Array:
    """The mean or the variance, of a whole batch; NaN where it is not known."""
    shape = batch_shape(density) + event_shape(density)
    try:
        value = getattr(density, name)
    except (AttributeError, NotImplementedError, TypeError):
        value = jnp.nan
    return jnp.broadcast_to(jnp.asarray(value), shape)


def is_discrete(density: Any) -> bool:
    """Whether the values are integers."""
    return not event_shape(density) and not is_bare(density) and isinstance(support_of(density), Integers)


def align(draws: jax.Array, num_sample_axes: int, num_event_axes: int, num_batch_axes: int) -> jax.Array:
    """Puts axes of length one between the sample axes and the batch axes, so that there are `num_batch_axes`."""
    missing = num_sample_axes + num_batch_axes + num_event_axes - draws.ndim
    return draws.reshape(draws.shape[:num_sample_axes] + (1,) * missing + draws.shape[num_sample_axes:])
