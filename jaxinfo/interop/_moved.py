"""Integers that do not begin where those of our families do."""

import jax
import jax.numpy as jnp

from jaxinfo.distributions import Transformed
from jaxinfo.distributions._composites.composite import composite
from jaxinfo.distributions._supports import Integers


@composite
class Moved(Transformed):
    """A distribution of integers, moved by the whole number that its map adds; what is known of images holds for it."""

    @property
    def support(self) -> Integers:
        """The integers of the base, moved."""
        low, high = self.base.support
        return Integers(low + self.bijector.loc, high + self.bijector.loc)

    def sample(self, key: jax.Array, sample_shape: tuple[int, ...] = ()) -> jax.Array:
        """Returns draws of shape `sample_shape + batch_shape`, integers."""
        return super().sample(key, sample_shape).astype(jnp.result_type(int))
