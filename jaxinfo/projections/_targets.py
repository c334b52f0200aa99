"""What can be approximated besides a density: one whose constant is unknown, and one that is known by samples."""

import dataclasses
import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo._pytrees import register_dataclass


@jax.tree_util.register_pytree_node_class
@dataclasses.dataclass(frozen=True, eq=False)
class UnnormalizedLogProb:
    r"""A density known up to a constant.

    .. math:: \log \tilde p(x) = \log p(x) + \log Z

    `ReverseKL` fits it as it is: the value it reports is $D(q \| p) - \log Z$, the negative evidence lower bound.
    So does `Renyi` by Monte Carlo, whose value is off by $\frac{a}{a - 1} \log Z$. Every other divergence needs
    draws that are weighted: `SelfNormalizedImportance`.

    Args:
      log_prob: a function of points, of shape `[..., *event_shape]`, that returns `[...]`. What a
        `jax.tree_util.Partial` carries may change without compiling anew; what a closure holds is part of the program.

    Reference: D. M. Blei, A. Kucukelbir and J. D. McAuliffe, "Variational Inference: A Review for Statisticians", JASA
        112, 2017.

    >>> import optax
    >>> from jaxinfo.distributions import Normal
    >>> from jaxinfo.projections import ReverseKL, UnnormalizedLogProb, fit
    >>> target = UnnormalizedLogProb(lambda x: 5.0 - 0.5 * (x - 1.0) ** 2 / 4.0)
    >>> found = fit(target, Normal(0.0, 1.0), ReverseKL(), optimizer=optax.adam(0.1), num_steps=300)
    >>> round(float(found.optimum.loc), 3), round(float(found.optimum.scale), 3)
    (1.0, 2.0)
    """

    log_prob: Callable[..., jax.Array]

    def tree_flatten(self) -> tuple[tuple[Any, ...], None]:
        """A `Partial` is a pytree whose leaves are its arguments; another function becomes one without any."""
        function = self.log_prob
        return (function if isinstance(function, jax.tree_util.Partial) else jax.tree_util.Partial(function),), None

    @classmethod
    def tree_unflatten(cls, _: None, children: tuple[Any, ...]) -> "UnnormalizedLogProb":
        """Makes one without looking at what it is given."""
        return cls(*children)

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """None: a function says nothing about a batch."""
        return ()


@register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class Samples:
    r"""A target that is known by samples, each with a weight or all alike.

    `ForwardKL` fits it: the value it reports is the cross-entropy $-\sum_i w_i \log q(x_i)$, which is KL up to the
    entropy of the target, and its optimum is the maximum of the likelihood.

    Args:
      x: the samples, `[..., N, *event_shape]`; leading axes are a sweep.
      weights: at least 0, `[..., N]`; they are divided by their sum. None is all alike.

    **Domain** a sample outside the support of the approximation makes the value infinite.

    Reference: R. A. Fisher, "On the Mathematical Foundations of Theoretical Statistics", Philosophical Transactions of
        the Royal Society A 222, 1922.

    >>> import jax.numpy as jnp
    >>> import optax
    >>> from jaxinfo.distributions import Exponential
    >>> from jaxinfo.projections import ForwardKL, Samples, fit
    >>> target = Samples(jnp.array([0.5, 1.5, 4.0]))
    >>> found = fit(target, Exponential(1.0), ForwardKL(), optimizer=optax.adam(0.1), num_steps=300)
    >>> round(float(found.optimum.rate), 3)  # one over the mean
    0.5
    """

    x: ArrayLike
    weights: ArrayLike | None = None

    def batch_shape_for(self, event_shape: tuple[int, ...]) -> tuple[int, ...]:
        """The axes in front of those of the samples and of one sample."""
        own = jnp.ndim(self.x) - len(event_shape) - 1
        if own < 0 or jnp.shape(self.x)[own + 1 :] != tuple(event_shape):
            raise ValueError(
                f"Samples: x must have the shape [..., N, *event_shape] with event shape {tuple(event_shape)}, got "
                f"shape {jnp.shape(self.x)}"
            )
        shape = jnp.shape(self.x)[: own + 1]
        if self.weights is not None and jnp.shape(self.weights)[-1:] != shape[-1:]:
            raise ValueError(f"Samples: weights have shape {jnp.shape(self.weights)} and the samples {shape}")
        weights = () if self.weights is None else jnp.shape(self.weights)[:-1]
        return jnp.broadcast_shapes(shape[:-1], weights)

    def shares(self, dtype: Any, count: int) -> jax.Array:
        """The weights over their sum, `[..., N]`."""
        if self.weights is None:
            return jnp.full((count,), 1 / count, dtype)
        weights = jnp.asarray(self.weights).astype(dtype)
        return weights / jnp.sum(weights, axis=-1, keepdims=True)


@register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class Parameterized:
    """A density that a function makes of free parameters, such as a network's; see `parameterized`.

    Args:
      parameters: a pytree of arrays; leading axes are a batch, of restarts for instance.
      build: the function of one member's parameters; static.
      leaf_ndims: the number of axes of each leaf of one member; static.
    """

    parameters: Any
    build: Callable[[Any], Any] = dataclasses.field(metadata={"static": True})
    leaf_ndims: tuple[int, ...] = dataclasses.field(metadata={"static": True})

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """The axes that every leaf has in front of its own."""
        leaves = jax.tree.leaves(self.parameters)
        shapes = [jnp.shape(leaf)[: jnp.ndim(leaf) - n] for leaf, n in zip(leaves, self.leaf_ndims, strict=True)]
        return jnp.broadcast_shapes(*shapes)

    @property
    def event_shape(self) -> tuple[int, ...]:
        """The shape of one draw."""
        return tuple(getattr(self._one(), "event_shape", ()))

    @property
    def support(self) -> Any:
        """What the density says of its support, where that does not depend on its parameters; None otherwise."""
        return getattr(self._one(), "support", None)

    @property
    def mean(self) -> jax.Array:
        """The mean, where the density knows it."""
        return self._each(lambda density: density.mean)

    @property
    def variance(self) -> jax.Array:
        """The variance, where the density knows it."""
        return self._each(lambda density: density.variance)

    def density(self) -> Any:
        """Returns what `build` makes of the parameters, of one member; `self` of a batch of them."""
        return self if self.batch_shape else self.build(self.parameters)

    def log_prob(self, x: ArrayLike) -> jax.Array:
        """Returns the log-density at `x`, whose batch axes broadcast against `batch_shape`."""
        point, batch, event = jnp.asarray(x), self.batch_shape, self.event_shape
        if not batch:
            return self.build(self.parameters).log_prob(point)
        front = point.shape[: point.ndim - len(event)]
        shape = jnp.broadcast_shapes(front, batch)
        # Sample axes behind those of the batch, so that both can be mapped over.
        rows = jnp.broadcast_to(point, shape + event).reshape(-1, math.prod(batch), *event)
        values = jax.vmap(lambda p, y: self.build(p).log_prob(y), (0, 1), 1)(self._flat(), rows)
        return values.reshape(shape)

    def sample(self, key: jax.Array, sample_shape: tuple[int, ...] = ()) -> jax.Array:
        """Returns draws of shape `sample_shape + batch_shape + event_shape`."""
        batch = self.batch_shape
        if not batch:
            return self.build(self.parameters).sample(key, tuple(sample_shape))
        keys = jax.random.split(key, math.prod(batch))
        one = lambda p, k: self.build(p).sample(k, tuple(sample_shape))  # noqa: E731
        draws = jax.vmap(one, (0, 0), len(sample_shape))(self._flat(), keys)
        return draws.reshape(*sample_shape, *batch, *draws.shape[len(sample_shape) + 1 :])

    def to_unconstrained(self) -> Any:
        """Returns the parameters, which are free as they are, each with the whole batch shape."""
        batch, leaves = self.batch_shape, jax.tree.leaves(self.parameters)
        wide = [
            jnp.broadcast_to(leaf, batch + jnp.shape(leaf)[jnp.ndim(leaf) - n :])
            for leaf, n in zip(leaves, self.leaf_ndims, strict=True)
        ]
        return jax.tree.unflatten(jax.tree.structure(self.parameters), wide)

    def from_unconstrained(self, parameters: Any) -> "Parameterized":
        """Returns the density with these parameters."""
        return dataclasses.replace(self, parameters=parameters)

    def _flat(self) -> Any:
        batch = len(self.batch_shape)
        return jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[batch:]), self.to_unconstrained())

    def _each(self, function: Callable[[Any], jax.Array]) -> jax.Array:
        batch = self.batch_shape
        if not batch:
            return function(self.build(self.parameters))
        values = jax.vmap(lambda p: function(self.build(p)))(self._flat())
        return values.reshape(*batch, *values.shape[1:])

    def _one(self) -> Any:
        """The density of the first member, for what is the same in all."""
        if not self.batch_shape:
            return self.build(self.parameters)
        return self.build(jax.tree.map(lambda leaf: leaf[0], self._flat()))


def parameterized(build: Callable[[Any], Any], parameters: Any, *, batch_ndim: int = 0) -> Parameterized:
    """Returns a density whose family is a function, so that a flow or a Flax module can be fitted.

    Args:
      build: takes the parameters of one member and returns an object with `log_prob(x)` and, where draws are needed,
        `sample(key, sample_shape)`; all that `jaxinfo.densities` knows about, such as `Transformed`. Define it once:
        another function is another program.
      parameters: a pytree of arrays, such as the variables of a Linen module or the state of an NNX module.
      batch_ndim: how many leading axes of every leaf number members, such as restarts.

    Returns:
      A `Parameterized`, to be given to `fit` as its starts.

    Raises:
      ValueError: if a leaf has fewer axes than `batch_ndim`, or the leading axes of two do not broadcast.

    Reference: G. Papamakarios, E. Nalisnick, D. J. Rezende, S. Mohamed and B. Lakshminarayanan, "Normalizing Flows for
        Probabilistic Modeling and Inference", JMLR 22, 2021.

    >>> import jax.numpy as jnp
    >>> from jaxinfo.distributions import Normal
    >>> from jaxinfo.projections import parameterized
    >>> family = parameterized(lambda p: Normal(p["shift"], jnp.exp(p["log_scale"])), {"shift": 1.0, "log_scale": 0.0})
    >>> round(float(family.log_prob(1.0)), 4)
    -0.9189
    """
    leaves = jax.tree.leaves(parameters)
    if not isinstance(batch_ndim, int) or batch_ndim < 0 or any(jnp.ndim(leaf) < batch_ndim for leaf in leaves):
        raise ValueError(f"parameterized: every leaf must have batch_ndim leading axes, got batch_ndim={batch_ndim!r}")
    arrays = jax.tree.map(jnp.asarray, parameters)
    member = Parameterized(arrays, build, tuple(jnp.ndim(leaf) - batch_ndim for leaf in leaves))
    try:
        member.batch_shape  # noqa: B018
    except ValueError as error:
        raise ValueError(f"parameterized: the leading axes do not broadcast: {error}") from error
    return member


def event_shape_of(approximation: Any) -> tuple[int, ...]:
    """The shape of one draw of the approximation."""
    return tuple(getattr(approximation, "event_shape", ()))


def batch_shape(target: Any, approximation: Any) -> tuple[int, ...]:
    """The sweep of a target."""
    if isinstance(target, Samples):
        return target.batch_shape_for(event_shape_of(approximation))
    return tuple(getattr(target, "batch_shape", ()))


def broadcast_to(target: Any, shape: tuple[int, ...], approximation: Any) -> Any:
    """Gives every leaf of a target the sweep's axes; a target without any is kept once for the whole sweep."""
    own = batch_shape(target, approximation)
    if isinstance(target, Samples):
        x = jnp.asarray(target.x)
        x = jnp.broadcast_to(x, shape + x.shape[len(x.shape) - len(event_shape_of(approximation)) - 1 :])
        weights = target.weights
        if weights is not None:
            weights = jnp.broadcast_to(jnp.asarray(weights), shape + jnp.shape(weights)[-1:])
        return Samples(x, weights)
    if hasattr(target, "broadcast_to"):
        return target.broadcast_to(shape)
    if own:
        raise TypeError(f"fit: a target without broadcast_to cannot be swept over, got {target!r}")
    return jax.tree.map(functools.partial(_repeat, shape=shape), target)


def _repeat(leaf: Any, *, shape: tuple[int, ...]) -> jax.Array:
    return jnp.broadcast_to(jnp.asarray(leaf), shape + jnp.shape(leaf))
