"""Independent variables of several families."""

import functools
from collections.abc import Sequence
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np

from jaxinfo.distributions._arrays import broadcast_floats, common_dtype
from jaxinfo.distributions._composites.composite import Composite, composite


@composite
class Product(Composite):
    r"""The joint distribution of independent variables, each of a family and shape of its own.

    .. math:: p(x_1, \ldots, x_n) = \prod_i p_i(x_i)

    A value is a tuple, with one array for each factor. Entropies, divergences and Bhattacharyya distances add up.

    Args:
      factors: a tuple of distributions whose batch shapes broadcast.

    **Domain** and **Gradient** are those of the factors.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, section 2.5.

    >>> from jaxinfo.distributions import Normal, Product, kl_divergence
    >>> p = Product((Normal(0.0, 1.0), Normal(0.0, 2.0)))
    >>> q = Product((Normal(1.0, 1.0), Normal(0.0, 2.0)))
    >>> float(kl_divergence(p, q)), round(float(p.log_prob((0.0, 0.0))), 4)
    (0.5, -2.531)
    """

    factors: tuple[Any, ...]

    @property
    def event_shape(self) -> tuple[tuple[int, ...], ...]:
        """The shape of each factor's draw."""
        return tuple(factor.event_shape for factor in self.factors)

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """The shape in which the factors' batch shapes broadcast."""
        return np.broadcast_shapes(*(factor.batch_shape for factor in self.factors))

    @property
    def support(self) -> tuple[Any, ...]:
        """The support of each factor."""
        return tuple(factor.support for factor in self.factors)

    @property
    def mean(self) -> tuple[jax.Array, ...]:
        """The mean of each factor."""
        return tuple(factor.mean for factor in self._full.factors)

    @property
    def variance(self) -> tuple[jax.Array, ...]:
        """The variance of each factor."""
        return tuple(factor.variance for factor in self._full.factors)

    def log_prob(self, x: Sequence[Any]) -> jax.Array:
        """Returns the log-density at a tuple of values, in nats."""
        return self.sum([factor.log_prob(value) for factor, value in zip(self.factors, x, strict=True)])

    def sample(self, key: jax.Array, sample_shape: tuple[int, ...] = ()) -> tuple[jax.Array, ...]:
        """Returns a tuple of draws, each of shape `sample_shape + batch_shape` and the factor's event shape."""
        keys = jax.random.split(key, len(self.factors))
        return tuple(factor.sample(k, sample_shape) for factor, k in zip(self._full.factors, keys, strict=True))

    def is_allowed(self) -> jax.Array:
        """Returns where all parameters are in their domain, of shape `batch_shape`."""
        return jnp.all(jnp.stack([factor.is_allowed() for factor in self._full.factors]), axis=0)

    def broadcast_to(self, batch_shape: tuple[int, ...]) -> Self:
        """Returns this distribution with every leaf of shape `batch_shape` and its own trailing axes."""
        return type(self)(tuple(factor.broadcast_to(batch_shape) for factor in self.factors))

    def to_unconstrained(self) -> tuple[Any, ...]:
        """Returns the unconstrained parameters of each factor."""
        return tuple(factor.to_unconstrained() for factor in self._full.factors)

    def from_unconstrained(self, parameters: Sequence[Any]) -> Self:
        """Returns the member of this family with these unconstrained parameters."""
        pairs = zip(self.factors, parameters, strict=True)
        return type(self)(tuple(factor.from_unconstrained(free) for factor, free in pairs))

    @property
    def _full(self) -> Self:
        return self.broadcast_to(self.batch_shape)

    def sum(self, values: Sequence[jax.Array]) -> jax.Array:
        """Returns the sum of the factors' `values`, broadcast against each other."""
        return functools.reduce(jnp.add, broadcast_floats(*values)).astype(common_dtype(*values))
