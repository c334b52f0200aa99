"""Mixtures of a batched family."""

import dataclasses
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jaxinfo.distributions._arrays import common_dtype, working_dtype


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


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class Mixture:
    r"""The mixture $p(x) = \sum_k w_k \, p_k(x)$ of one family's members.

    Nothing is renormalised: weights that do not sum to one give an unnormalised density. A pytree, with properties
    and methods as in `Normal`. Its entropy has no closed form: `jaxinfo.densities.entropy` integrates it.

    Args:
      weights: the probabilities of the components, `[..., K]`, dimensionless, summing to one over the last axis.
      components: a distribution whose batch shape is `[..., K]`: the last batch axis numbers the components.

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
    """

    weights: ArrayLike
    components: Any

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """The shape of the mixtures, without the axis of the components."""
        return self._full_shape[:-1]

    @property
    def support(self) -> tuple[float, float]:
        """The interval outside which the density is zero."""
        return self.components.support

    @property
    def mean(self) -> jax.Array:
        """The mean, of shape `batch_shape`."""
        weights, means = self._with_weights(self.components.mean)
        return jnp.sum(weights * means, axis=-1).astype(self._dtype)

    @property
    def variance(self) -> jax.Array:
        """The variance, of shape `batch_shape`: the mean of the variances plus the variance of the means."""
        weights, means = self._with_weights(self.components.mean)
        _, variances = self._with_weights(self.components.variance)
        deviations = means - jnp.sum(weights * means, axis=-1, keepdims=True)
        return jnp.sum(weights * (variances + jnp.square(deviations)), axis=-1).astype(self._dtype)

    def log_prob(self, x: ArrayLike) -> jax.Array:
        """Returns the log-density at `x`, in nats: `x` broadcasts against `batch_shape`."""
        dtype = common_dtype(x, *jax.tree.leaves(self))
        working = working_dtype(dtype)
        components = jax.tree.map(lambda leaf: jnp.asarray(leaf).astype(working), self.components)
        shape = (*jnp.broadcast_shapes(jnp.shape(x), self.batch_shape), self._full_shape[-1])
        log_probs = components.log_prob(jnp.broadcast_to(jnp.asarray(x).astype(working)[..., None], shape))
        weights = jnp.broadcast_to(jnp.asarray(self.weights).astype(working), shape)
        return _log_mixture(weights, log_probs).astype(dtype)

    def sample(self, key: jax.Array, sample_shape: tuple[int, ...] = ()) -> jax.Array:
        """Returns draws of shape `sample_shape + batch_shape`; draws from every component and keeps one."""
        key_component, key_value = jax.random.split(key)
        shape = tuple(sample_shape) + self._full_shape
        draws = self.components.sample(key_value, tuple(sample_shape))
        draws = jnp.broadcast_to(_align(draws, len(sample_shape), len(shape)), shape)
        log_weights = jnp.log(jnp.asarray(self.weights).astype(working_dtype(self._dtype)))
        chosen = jax.random.categorical(key_component, jnp.broadcast_to(log_weights, shape))
        return jnp.take_along_axis(draws, chosen[..., None], axis=-1)[..., 0].astype(self._dtype)

    def entropy(self) -> jax.Array:
        """Raises: a mixture's entropy has no closed form.

        Raises:
          TypeError: always; `jaxinfo.densities.entropy` integrates it.
        """
        raise TypeError("Mixture.entropy: the entropy of a mixture has no closed form; use jaxinfo.densities.entropy")

    def broadcast_to(self, batch_shape: tuple[int, ...]) -> "Mixture":
        """Returns this mixture with every leaf of shape `batch_shape` and the axis of the components."""
        shape = (*batch_shape, self._full_shape[-1])
        weights = jnp.asarray(self.weights).astype(working_dtype(self._dtype))
        return Mixture(jnp.broadcast_to(weights, shape), self.components.broadcast_to(shape))

    def to_unconstrained(self) -> dict[str, Any]:
        """Returns `{"log_weights": log(weights), "components": ...}`, free to take any real value."""
        full = self.broadcast_to(self.batch_shape)
        return {"log_weights": jnp.log(jnp.asarray(full.weights)), "components": full.components.to_unconstrained()}

    def from_unconstrained(self, parameters: dict[str, Any]) -> "Mixture":
        """Returns the mixture of these unconstrained parameters, normalised; `self` only names the family."""
        weights = jax.nn.softmax(parameters["log_weights"], axis=-1)
        return Mixture(weights, self.components.from_unconstrained(parameters["components"]))

    @property
    def _full_shape(self) -> tuple[int, ...]:
        weights, components = jnp.shape(self.weights), self.components.batch_shape
        if not weights or not components or weights[-1] != components[-1]:
            raise ValueError(
                "Mixture: the last axis of weights and of components' batch shape is the axis of the components, "
                f"got shapes {weights} and {components}"
            )
        return tuple(np.broadcast_shapes(weights, components))

    @property
    def _dtype(self) -> Any:
        return common_dtype(*jax.tree.leaves(self))

    def _with_weights(self, values: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Returns weights and `values` of the components in one dtype and shape."""
        dtype, shape = working_dtype(self._dtype), self._full_shape
        weights = jnp.broadcast_to(jnp.asarray(self.weights).astype(dtype), shape)
        return weights, jnp.broadcast_to(values.astype(dtype), shape)


def _align(draws: jax.Array, num_sample_axes: int, ndim: int) -> jax.Array:
    """Returns `draws` with axes of length one between the sample axes and the batch axes, `ndim` axes in all."""
    sample_shape, batch_shape = draws.shape[:num_sample_axes], draws.shape[num_sample_axes:]
    return draws.reshape(sample_shape + (1,) * (ndim - draws.ndim) + batch_shape)
