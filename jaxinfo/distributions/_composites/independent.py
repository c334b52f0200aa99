"""Batch axes taken as one draw."""

from typing import Any, Self

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo.distributions._composites.composite import Composite, composite, static


@composite
class Independent(Composite):
    r"""The joint distribution of independent variables: the last `ndim` batch axes of `base` become one draw.

    .. math:: p(x) = \prod_i p_i(x_i)

    Args:
      base: a distribution with at least `ndim` batch axes.
      ndim: how many of them are one draw; static.

    Raises:
      ValueError: when used, if `base` has fewer batch axes.

    **Domain** and **Gradient** are those of `base`.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, section 2.5.

    >>> import jax.numpy as jnp
    >>> from jaxinfo.distributions import Independent, Normal, kl_divergence
    >>> p, q = (Independent(Normal(jnp.full(3, loc), 1.0)) for loc in (0.0, 1.0))
    >>> p.event_shape, round(float(kl_divergence(p, q)), 4)
    ((3,), 1.5)
    """

    base: Any
    ndim: int = static(default=1)

    @property
    def event_shape(self) -> tuple[int, ...]:
        """The shape of one draw."""
        return (*self._full_shape[len(self.batch_shape) :], *self.base.event_shape)

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """The batch axes that are left."""
        return self._full_shape[: len(self._full_shape) - self.ndim]

    @property
    def support(self) -> Any:
        """The support of each variable."""
        return self.base.support

    @property
    def mean(self) -> jax.Array:
        """The mean, of shape `batch_shape + event_shape`."""
        return self.base.mean

    @property
    def variance(self) -> jax.Array:
        """The variance of each number of a draw, of shape `batch_shape + event_shape`."""
        return self.base.variance

    def log_prob(self, x: ArrayLike) -> jax.Array:
        """Returns the log-density at `x`, in nats; the batch axes of `x` broadcast against `batch_shape`."""
        return self.sum(self.base.log_prob(x))

    def sample(self, key: jax.Array, sample_shape: tuple[int, ...] = ()) -> jax.Array:
        """Returns draws of shape `sample_shape + batch_shape + event_shape`."""
        return self.base.sample(key, sample_shape)

    def is_allowed(self) -> jax.Array:
        """Returns where all parameters are in their domain, of shape `batch_shape`."""
        allowed = self.base.is_allowed()
        return jnp.all(allowed, axis=self._axes)

    def broadcast_to(self, batch_shape: tuple[int, ...]) -> Self:
        """Returns this distribution with every leaf of shape `batch_shape` and the axes of a draw."""
        own = self._full_shape[len(self.batch_shape) :]
        return type(self)(self.base.broadcast_to((*batch_shape, *own)), self.ndim)

    def to_unconstrained(self) -> Any:
        """Returns the unconstrained parameters of `base`."""
        return self.base.to_unconstrained()

    def from_unconstrained(self, parameters: Any) -> Self:
        """Returns the member of this family with these unconstrained parameters."""
        return type(self)(self.base.from_unconstrained(parameters), self.ndim)

    def sum(self, values: jax.Array) -> jax.Array:
        """Returns the sum of the variables' `values`, over the axes of one draw."""
        return jnp.sum(values, axis=self._axes)

    @property
    def _axes(self) -> tuple[int, ...]:
        """The axes of one draw in an array of the base's batch shape."""
        return tuple(range(len(self.batch_shape) - len(self._full_shape), 0))

    @property
    def _full_shape(self) -> tuple[int, ...]:
        shape = self.base.batch_shape
        if not 0 < self.ndim <= len(shape):
            raise ValueError(f"Independent: ndim {self.ndim} of a distribution of batch shape {shape}")
        return shape
