"""Families on an interval."""

import jax
import jax.numpy as jnp

from jaxinfo.distributions._arrays import log_ratio
from jaxinfo.distributions._expectations.law import Law, law
from jaxinfo.distributions._families.uniform import Uniform
from jaxinfo.distributions._special import averages


@law(Uniform)
class OfUniform(Law):
    @property
    def unit(self) -> jax.Array:
        low, high = self.parameters
        return high - low

    def standard_entropy(self) -> jax.Array:
        return jnp.zeros_like(self.unit)

    def linear(self, loc: jax.Array, unit: jax.Array) -> jax.Array:
        low, high = self._ends(loc, unit)
        return 0.5 * (low + high)

    def variance(self, unit: jax.Array) -> jax.Array:
        return jnp.square(self.unit / unit) / 12

    def distance(self, loc: jax.Array, unit: jax.Array) -> jax.Array:
        return averages.distance_average(self.linear(loc, unit), self._half(unit))

    def exponential(self, loc: jax.Array, unit: jax.Array) -> jax.Array:
        return averages.exponential_average((self.parameters[0] - loc) / unit, self.unit / unit)

    def log1p_square(self, loc: jax.Array, unit: jax.Array) -> jax.Array:
        return averages.log1p_square_average(*self._ends(loc, unit), self._half(unit))

    def log_cosh(self, loc: jax.Array, unit: jax.Array) -> jax.Array:
        return averages.log_cosh_average(*self._ends(loc, unit), self._half(unit))

    def log(self, unit: jax.Array) -> jax.Array:
        return _log_of(*self._positive(), unit)

    def log_variance(self) -> jax.Array:
        return averages.log_spread(*_ratios(*self._positive()))

    def log_complement(self) -> jax.Array:
        low, high = self.parameters
        one = jnp.ones_like(low)
        inside = high <= 1
        return _log_of(jnp.where(inside, 1 - high, one), jnp.where(inside, 1 - low, 2 * one), one)

    def inverse(self, unit: jax.Array) -> jax.Array:
        low, high = self._positive()
        return (unit / (0.5 * low + 0.5 * high)) * averages.inverse_average(*_ratios(low, high))

    def power(self, unit: jax.Array, exponent: jax.Array) -> jax.Array:
        low, high = self._positive()
        moment = jnp.log(averages.power_average(*_ratios(low, high), exponent))
        return averages.exponential(exponent * jnp.log((0.5 * low + 0.5 * high) / unit) + moment)

    def _ends(self, loc: jax.Array, unit: jax.Array) -> tuple[jax.Array, jax.Array]:
        low, high = self.parameters
        return (low - loc) / unit, (high - loc) / unit

    def _half(self, unit: jax.Array) -> jax.Array:
        return 0.5 * (self.unit / unit)

    def _positive(self) -> tuple[jax.Array, jax.Array]:
        """The ends where both are positive, and others where they are not: those means are not wanted."""
        low, high = self.parameters
        inside = low >= 0
        return jnp.where(inside, low, jnp.ones_like(low)), jnp.where(inside, high, 2 * jnp.ones_like(high))


def _ratios(low: jax.Array, high: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The half width over the middle, and what it lacks to 1."""
    middle = 0.5 * low + 0.5 * high
    return 0.5 * (high - low) / middle, low / middle


def _log_of(low: jax.Array, high: jax.Array, unit: jax.Array) -> jax.Array:
    """The average of `log(x / unit)`."""
    return log_ratio(0.5 * low + 0.5 * high, unit) + averages.log_average(*_ratios(low, high))
