"""Mixtures, of one batched family or of several."""

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jaxinfo.distributions._arrays import common_dtype, working_dtype
from jaxinfo.distributions._composites.composite import Composite, composite
from jaxinfo.distributions._supports import Integers, Interval


@jax.custom_jvp
def _log_mixture(weights: jax.Array, log_probs: jax.Array) -> jax.Array:
    """Returns `log sum_k weights_k exp(log_probs_k)` over the last axis."""
    return jax.nn.logsumexp(jnp.log(weights) + log_probs, axis=-1)


@_log_mixture.defjvp
def _log_mixture_jvp(
    primals: tuple[jax.Array, jax.Array], tangents: tuple[jax.Array, jax.Array]
) -> tuple[jax.Array, jax.Array]:
    # The derivative in a weight is p_k(x) / p(x), finite also where the weight is zero; through log(weights) it is NaN.
    weights, log_probs = primals
    weights_dot, log_probs_dot = tangents
    value = _log_mixture(weights, log_probs)
    log_ratios = log_probs - value[..., None]
    # A component without weight may exceed the mixture by more than a float holds: its ratio stops just short of
    # the largest number of the dtype, so that zero weight times it is still zero.
    ratios = jnp.exp(jnp.minimum(log_ratios, math.log(float(jnp.finfo(value.dtype).max)) - 1))
    return value, jnp.sum(ratios * (weights_dot + weights * log_probs_dot), axis=-1)


# So few components are evaluated one by one: an axis of two numbers is slow to reduce, and keeps XLA from fusing.
_FEW = 8


@jax.custom_jvp
def _log_mixture_of_few(weights: tuple[jax.Array, ...], log_probs: tuple[jax.Array, ...]) -> jax.Array:
    """Returns `log sum_k weights_k exp(log_probs_k)` over the entries of the tuples."""
    terms = [jnp.log(weight) + log_prob for weight, log_prob in zip(weights, log_probs, strict=True)]
    # Finite, so that the difference of two infinities does not appear; without a comparison, which XLA does not fuse.
    greatest = float(jnp.finfo(terms[0].dtype).max)
    top = jnp.maximum(jnp.minimum(functools.reduce(jnp.maximum, terms), greatest), -greatest)
    return jnp.log(functools.reduce(jnp.add, [jnp.exp(term - top) for term in terms])) + top


@_log_mixture_of_few.defjvp
def _log_mixture_of_few_jvp(primals: tuple[Any, Any], tangents: tuple[Any, Any]) -> tuple[jax.Array, jax.Array]:
    # As that of _log_mixture.
    value = _log_mixture_of_few(*primals)
    limit = math.log(float(jnp.finfo(value.dtype).max)) - 1
    slopes = [
        jnp.exp(jnp.minimum(log_prob - value, limit)) * (weight_dot + weight * log_prob_dot)
        for weight, log_prob, weight_dot, log_prob_dot in zip(*primals, *tangents, strict=True)
    ]
    return value, functools.reduce(jnp.add, slopes)


@composite
class Mixture(Composite):
    r"""The mixture $p(x) = \sum_k w_k \, p_k(x)$ of members of one family, or of several.

    Nothing is renormalised: weights that do not sum to one give an unnormalised density. A pytree, with properties
    and methods as in `Normal`. Its entropy has no closed form: `jaxinfo.densities.entropy` integrates it.

    Args:
      weights: the probabilities of the components, `[..., K]`, dimensionless, summing to one over the last axis.
      components: a distribution whose batch shape is `[..., K]`, the last batch axis numbering the components; or a
        tuple of K distributions of any families, with one event shape and batch shapes that broadcast.

    Raises:
      ValueError: when used, if `weights` and `components` disagree about the number of components.

    **Domain** `weights >= 0`; a component of zero weight is absent. A negative weight gives NaN.

    **Gradient** of `log_prob` in a weight is `p_k(x) / p(x)`, also where the weight is zero. Draws are differentiable
    in the components' parameters and not in the weights.

    Reference: G. McLachlan and D. Peel, "Finite Mixture Models", Wiley 2000, chapter 1.

    >>> import jax.numpy as jnp
    >>> from jaxinfo.distributions import Mixture, Normal
    >>> mixture = Mixture(jnp.array([0.5, 0.5]), Normal(jnp.array([-3.0, 3.0]), 1.0))
    >>> float(mixture.mean), float(mixture.variance), mixture.batch_shape
    (0.0, 10.0, ())
    >>> float(Mixture(jnp.array([0.5, 0.5]), (Normal(1.0, 1.0), Normal(-2.0, 3.0))).mean)
    -0.5
    """

    weights: ArrayLike
    components: Any

    @property
    def event_shape(self) -> tuple[int, ...]:
        """The shape of one draw."""
        return self._first.event_shape

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """The shape of the mixtures, without the axis of the components."""
        return self._full_shape[:-1]

    @property
    def support(self) -> Any:
        """The set outside which the density is zero: the least interval that holds those of the components."""
        supports = [part.support for part in self.components] if self._several else [self.components.support]
        if not all(isinstance(support, Interval | Integers) for support in supports):
            return supports[0]
        lows, highs = zip(*supports, strict=True)
        kind = Integers if all(isinstance(support, Integers) for support in supports) else Interval
        return kind(self._extreme(jnp.minimum, lows), self._extreme(jnp.maximum, highs))

    @property
    def mean(self) -> jax.Array:
        """The mean, of shape `batch_shape + event_shape`."""
        weights, means = self._with_weights("mean")
        return jnp.sum(weights * means, axis=self._axis).astype(self._dtype)

    @property
    def variance(self) -> jax.Array:
        """The variance of each number of a draw: the mean of the variances plus the variance of the means."""
        weights, means = self._with_weights("mean")
        _, variances = self._with_weights("variance")
        deviations = means - jnp.sum(weights * means, axis=self._axis, keepdims=True)
        return jnp.sum(weights * (variances + jnp.square(deviations)), axis=self._axis).astype(self._dtype)

    def log_prob(self, x: ArrayLike) -> jax.Array:
        """Returns the log-density at `x`, in nats; the batch axes of `x` broadcast against `batch_shape`."""
        dtype = common_dtype(x, *jax.tree.leaves(self))
        working = working_dtype(dtype)
        cast = functools.partial(jax.tree.map, lambda leaf: jnp.asarray(leaf).astype(working))
        value = jnp.asarray(x).astype(working)
        batch = value.shape[: value.ndim - len(self.event_shape)]
        num_components = self._full_shape[-1]
        shape = jnp.broadcast_shapes(batch, self.batch_shape)
        weights = jnp.broadcast_to(jnp.asarray(self.weights).astype(working), (*shape, num_components))
        if self._several or (self._have_numbers and num_components <= _FEW):
            parts = cast(self.components) if self._several else self._split(cast(self.components))
            log_probs = [jnp.broadcast_to(part.log_prob(value), shape) for part in parts]
            if num_components <= _FEW:
                columns = tuple(weights[..., k] for k in range(num_components))
                return _log_mixture_of_few(columns, tuple(log_probs)).astype(dtype)
            return _log_mixture(weights, jnp.stack(log_probs, axis=-1)).astype(dtype)
        value = jnp.expand_dims(value, len(batch))
        value = jnp.broadcast_to(value, (*shape, num_components, *self.event_shape))
        return _log_mixture(weights, cast(self.components).log_prob(value)).astype(dtype)

    def sample(self, key: jax.Array, sample_shape: tuple[int, ...] = ()) -> jax.Array:
        """Returns draws of shape `sample_shape + batch_shape + event_shape`, each of one component chosen at random."""
        key_component, key_value = jax.random.split(key)
        sample_shape = tuple(sample_shape)
        full = self.broadcast_to(self.batch_shape)
        chosen = _choose(jnp.asarray(full.weights), key_component, sample_shape + self.batch_shape)
        if self._have_numbers:
            # One draw, of the chosen component. Parameters with axes of their own would be copied for every draw.
            draw = _chosen_of(full.components, chosen).sample(key_value)
            return draw if jnp.issubdtype(draw.dtype, jnp.integer) else draw.astype(self._dtype)
        if self._several:
            keys = jax.random.split(key_value, self._full_shape[-1])
            parts = [part.sample(k, sample_shape) for part, k in zip(full.components, keys, strict=True)]
            draws = jnp.stack(_one_dtype(parts), axis=self._axis)
        else:
            draws = full.components.sample(key_value, sample_shape)
        chosen = jnp.expand_dims(chosen[..., None], tuple(range(-len(self.event_shape), 0)))
        draw = jnp.squeeze(jnp.take_along_axis(draws, chosen, axis=self._axis), self._axis)
        return draw if jnp.issubdtype(draw.dtype, jnp.integer) else draw.astype(self._dtype)

    def entropy(self) -> jax.Array:
        """Raises: a mixture's entropy has no closed form.

        Raises:
          TypeError: always; `jaxinfo.densities.entropy` integrates it.
        """
        raise TypeError("Mixture.entropy: the entropy of a mixture has no closed form; use jaxinfo.densities.entropy")

    def is_allowed(self) -> jax.Array:
        """Returns where weights and parameters are in their domain, of shape `batch_shape`."""
        full = self.broadcast_to(self.batch_shape)
        parts = [part.is_allowed() for part in full.components] if self._several else None
        allowed = full.components.is_allowed() if parts is None else jnp.stack(parts, axis=-1)
        return jnp.all(allowed & (jnp.asarray(full.weights) >= 0), axis=-1)

    def broadcast_to(self, batch_shape: tuple[int, ...]) -> "Mixture":
        """Returns this mixture with every leaf of shape `batch_shape` and the axis of the components."""
        shape = (*batch_shape, self._full_shape[-1])
        weights = jnp.asarray(self.weights).astype(working_dtype(self._dtype))
        if self._several:
            components = tuple(part.broadcast_to(batch_shape) for part in self.components)
        else:
            components = self.components.broadcast_to(shape)
        return Mixture(jnp.broadcast_to(weights, shape), components)

    def to_unconstrained(self) -> dict[str, Any]:
        """Returns `{"log_weights": log(weights), "components": ...}`, free to take any real value."""
        full = self.broadcast_to(self.batch_shape)
        parts = tuple(p.to_unconstrained() for p in full.components) if self._several else None
        components = full.components.to_unconstrained() if parts is None else parts
        return {"log_weights": jnp.log(jnp.asarray(full.weights)), "components": components}

    def from_unconstrained(self, parameters: dict[str, Any]) -> "Mixture":
        """Returns the mixture of these unconstrained parameters, normalised; `self` only names the family."""
        weights = jax.nn.softmax(parameters["log_weights"], axis=-1)
        free = parameters["components"]
        if self._several:
            pairs = zip(self.components, free, strict=True)
            return Mixture(weights, tuple(part.from_unconstrained(own) for part, own in pairs))
        return Mixture(weights, self.components.from_unconstrained(free))

    @property
    def _several(self) -> bool:
        """Whether the components are of several families."""
        return isinstance(self.components, tuple | list)

    @property
    def _have_numbers(self) -> bool:
        """Whether the components are of one family, all of whose parameters are numbers."""
        constraints = getattr(self.components, "constraints", None)
        return not self.event_shape and bool(constraints) and all(c.ndim == 0 for c in constraints.values())

    def _split(self, components: Any) -> list[Any]:
        """Returns the components, whose parameters are numbers, one by one."""
        full = components.broadcast_to(self._full_shape)
        return [jax.tree.map(lambda leaf, k=k: leaf[..., k], full) for k in range(self._full_shape[-1])]

    @property
    def _first(self) -> Any:
        return self.components[0] if self._several else self.components

    @property
    def _axis(self) -> int:
        """The axis of the components in an array of points."""
        return -1 - len(self.event_shape)

    @property
    def _full_shape(self) -> tuple[int, ...]:
        weights = jnp.shape(self.weights)
        if self._several:
            batch = np.broadcast_shapes(*(part.batch_shape for part in self.components))
            components = (*batch, len(self.components))
        else:
            components = self.components.batch_shape
        if not weights or not components or weights[-1] != components[-1]:
            raise ValueError(
                "Mixture: the last axis of weights and of components' batch shape is the axis of the components, "
                f"got shapes {weights} and {components}"
            )
        return tuple(np.broadcast_shapes(weights, components))

    def _with_weights(self, name: str) -> tuple[jax.Array, jax.Array]:
        """Returns weights and the components' means or variances in one dtype and shape."""
        dtype, shape = working_dtype(self._dtype), self._full_shape
        if self._several:
            parts = [getattr(part, name).astype(dtype) for part in self.components]
            one = shape[:-1] + self.event_shape
            values = jnp.stack([jnp.broadcast_to(part, one) for part in parts], axis=self._axis)
        else:
            values = jnp.broadcast_to(getattr(self.components, name).astype(dtype), shape + self.event_shape)
        weights = jnp.broadcast_to(jnp.asarray(self.weights).astype(dtype), shape)
        weights = jnp.expand_dims(weights, tuple(range(-len(self.event_shape), 0)))
        return jnp.broadcast_to(weights, values.shape), values

    def _extreme(self, choose: Callable[..., jax.Array], ends: tuple[Any, ...]) -> Any:
        """Returns the outermost of the supports' ends, a number where all are."""
        if all(jnp.ndim(end) == 0 and isinstance(end, int | float) for end in ends):
            return min(ends) if choose is jnp.minimum else max(ends)
        if not self._several:
            return functools.reduce(choose, jnp.moveaxis(jnp.broadcast_to(ends[0], self._full_shape), -1, 0))
        dtype = working_dtype(self._dtype)
        arrays = [jnp.broadcast_to(jnp.asarray(end).astype(dtype), self.batch_shape) for end in ends]
        return functools.reduce(choose, arrays)


def _choose(weights: jax.Array, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """Returns components, in proportion to weights `[..., K]`, from one random number each."""
    ends = jnp.cumsum(weights, axis=-1)
    # A uniform number below 1 times the total is below the total, so that only components with weight are chosen.
    points = jax.random.uniform(key, shape, ends.dtype) * jnp.broadcast_to(ends[..., -1], shape)
    return jnp.sum(jnp.broadcast_to(ends, (*shape, ends.shape[-1])) <= points[..., None], axis=-1, dtype=jnp.int32)


def _chosen_of(components: Any, chosen: jax.Array) -> Any:
    """Returns the chosen one of components of batch shape `[..., K]`, whose parameters are numbers."""

    def pick(leaf: jax.Array) -> jax.Array:
        if leaf.shape[-1] <= _FEW:
            columns = [jnp.broadcast_to(leaf[..., k], chosen.shape) for k in range(leaf.shape[-1])]
            # Selects fuse with what comes before and after, a gather does not.
            return functools.reduce(
                lambda kept, k: jnp.where(chosen == k, columns[k], kept), range(1, len(columns)), columns[0]
            )
        wide = jnp.broadcast_to(leaf, (*chosen.shape, leaf.shape[-1]))
        return jnp.take_along_axis(wide, chosen[..., None], axis=-1)[..., 0]

    return jax.tree.map(pick, components)


def _one_dtype(draws: list[jax.Array]) -> list[jax.Array]:
    if all(jnp.issubdtype(draw.dtype, jnp.integer) for draw in draws):
        return draws
    dtype = common_dtype(*draws)
    return [draw.astype(dtype) for draw in draws]
