"""The image of a distribution under a smooth one-to-one map."""

from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jaxinfo.distributions._arrays import broadcast_floats, common_dtype, working_dtype
from jaxinfo.distributions._composites.composite import Composite, composite
from jaxinfo.distributions._supports import Interval
from jaxinfo.distributions.bijectors import Affine


@composite
class Transformed(Composite):
    r"""The distribution of $y = f(x)$ where $x$ has the distribution `base` and $f$ is a bijection.

    .. math:: p(y) = p_x(f^{-1}(y)) \, / \, |f'(f^{-1}(y))|

    Divergences between two images under one map are those of the bases: f-divergences do not see coordinates.

    Args:
      base: a distribution.
      bijector: a map of `jaxinfo.distributions.bijectors`, or an object with `forward`, `inverse` and
        `forward_log_det_jacobian`. Elementwise maps act on each number of a draw.

    Raises:
      TypeError: from `mean` and `variance`, unless the map is affine.

    **Domain** a value that is no image has density zero.

    **Gradient** through the map and its inverse, in the parameters of both.

    Reference: G. Papamakarios et al., "Normalizing Flows for Probabilistic Modeling and Inference", JMLR 22, 2021.

    >>> from jaxinfo.distributions import Normal, Transformed, bijectors, kl_divergence
    >>> p, q = (Transformed(Normal(loc, 1.0), bijectors.Exp()) for loc in (0.0, 1.0))
    >>> round(float(p.log_prob(2.0)), 4), float(kl_divergence(p, q))
    (-1.8523, 0.5)
    """

    base: Any
    bijector: Any

    @property
    def event_shape(self) -> tuple[int, ...]:
        """The shape of one draw."""
        return self.base.event_shape

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """The shape in which the parameters of the base and of the map broadcast."""
        own = [jnp.shape(leaf) for leaf in jax.tree.leaves(self.bijector)] if not self.event_shape else []
        return np.broadcast_shapes(self.base.batch_shape, *own)

    @property
    def support(self) -> Any:
        """The image of the base's support where that is an interval, otherwise the base's."""
        support = self.base.support
        if not isinstance(support, Interval):
            return support
        if hasattr(self.bijector, "_image"):
            return Interval(*self.bijector._image(*support))
        ends = [self.bijector.forward(end) for end in broadcast_floats(*support)]
        return Interval(jnp.minimum(*ends), jnp.maximum(*ends))

    @property
    def mean(self) -> jax.Array:
        """The mean, of shape `batch_shape + event_shape`, for an affine map."""
        return self._affine("mean").forward(self.base.mean)

    @property
    def variance(self) -> jax.Array:
        """The variance of each number of a draw, for an affine map."""
        variance, scale = broadcast_floats(self.base.variance, self._affine("variance").scale)
        return (variance * jnp.square(scale)).astype(self._dtype)

    def log_prob(self, x: ArrayLike) -> jax.Array:
        """Returns the log-density at `x`, in nats; the batch axes of `x` broadcast against `batch_shape`."""
        dtype = common_dtype(x, *jax.tree.leaves(self))
        value = jnp.asarray(x).astype(working_dtype(dtype))
        support = self.support
        if not isinstance(support, Interval):
            return self._pulled_back(value).astype(dtype)
        value, low, high = broadcast_floats(value, *support)
        # An end that the map only tends to, like the 0 of the exponential, has density zero: its inverse is infinite.
        closed = Interval(low, high)
        inside = closed.contains(value) & ((low < value) & (value < high) | jnp.isfinite(self.bijector.inverse(value)))
        point = jnp.where(inside, value, closed.inside(jnp.full_like(value, jnp.nan)))
        log_prob = self._pulled_back(point)
        log_prob = jnp.where(inside, log_prob, jnp.full_like(log_prob, -jnp.inf))
        return jnp.where(jnp.isnan(value), jnp.full_like(log_prob, jnp.nan), log_prob).astype(dtype)

    def sample(self, key: jax.Array, sample_shape: tuple[int, ...] = ()) -> jax.Array:
        """Returns draws of shape `sample_shape + batch_shape + event_shape`."""
        return self.bijector.forward(self.base.broadcast_to(self.batch_shape).sample(key, sample_shape))

    def is_allowed(self) -> jax.Array:
        """Returns where the parameters of the base are in their domain, of shape `batch_shape`."""
        return jnp.broadcast_to(self.base.is_allowed(), self.batch_shape)

    def broadcast_to(self, batch_shape: tuple[int, ...]) -> Self:
        """Returns this distribution with the base's leaves of shape `batch_shape`."""
        return type(self)(self.base.broadcast_to(batch_shape), self.bijector)

    def to_unconstrained(self) -> dict[str, Any]:
        """Returns the unconstrained parameters of the base and of the map."""
        return {"base": self.base.to_unconstrained(), "bijector": self.bijector.to_unconstrained()}

    def from_unconstrained(self, parameters: dict[str, Any]) -> Self:
        """Returns the member of this family with these unconstrained parameters."""
        bijector = self.bijector.from_unconstrained(parameters["bijector"])
        return type(self)(self.base.from_unconstrained(parameters["base"]), bijector)

    def _pulled_back(self, value: jax.Array) -> jax.Array:
        x = self.bijector.inverse(value)
        volume = self.bijector.forward_log_det_jacobian(x)
        axes = len(self.event_shape) - getattr(self.bijector, "event_ndims_in", 0)
        if axes:
            volume = jnp.sum(jnp.broadcast_to(volume, jnp.shape(x)), axis=tuple(range(-axes, 0)))
        log_prob, volume = broadcast_floats(self.base.log_prob(x), volume)
        return log_prob - volume

    def _affine(self, what: str) -> Affine:
        if not isinstance(self.bijector, Affine):
            raise TypeError(f"Transformed.{what}: known for an affine map only, got {self.bijector!r}")
        return self.bijector
