"""The gamma family and its relatives."""

import jax
import jax.numpy as jnp

from jaxinfo.distributions._expectations.law import Law, beyond, law
from jaxinfo.distributions._expectations.positive import Scaled, exp_of_log_power
from jaxinfo.distributions._families.beta import Beta
from jaxinfo.distributions._families.gamma import Gamma, InverseGamma
from jaxinfo.distributions._special.averages import exponential
from jaxinfo.distributions._special.gamma_steps import digamma_step, log_gamma_step, trigamma_step


@law(Gamma)
class _OfGamma(Scaled):
    @property
    def unit(self) -> jax.Array:
        return 1 / self.parameters[1]

    @property
    def concentration(self) -> jax.Array:
        return self.parameters[0]

    def standard_entropy(self) -> jax.Array:
        return Gamma._entropy(self.concentration, self.number(1.0))

    def standard_mean(self) -> jax.Array:
        return self.concentration

    def standard_variance(self) -> jax.Array:
        return self.concentration

    def standard_log(self) -> jax.Array:
        return jax.lax.digamma(self.concentration)

    def log_variance(self) -> jax.Array:
        return jax.scipy.special.polygamma(1, self.concentration)

    def inverse(self, unit: jax.Array) -> jax.Array:
        return beyond(self.concentration, 1.0, lambda a: (unit * self.parameters[1]) / (a - 1))

    def exponential(self, loc: jax.Array, unit: jax.Array) -> jax.Array:
        return exponential(loc / unit - self.concentration * jnp.log1p(self.unit / unit))

    def power(self, unit: jax.Array, exponent: jax.Array) -> jax.Array:
        return exp_of_log_power(self.unit / unit, exponent, log_gamma_step(self.concentration, exponent))


@law(InverseGamma)
class _OfInverseGamma(Scaled):
    @property
    def unit(self) -> jax.Array:
        return self.parameters[1]

    @property
    def concentration(self) -> jax.Array:
        return self.parameters[0]

    def standard_entropy(self) -> jax.Array:
        return InverseGamma._entropy(self.concentration, self.number(1.0))

    def standard_mean(self) -> jax.Array:
        return beyond(self.concentration, 1.0, lambda a: 1 / (a - 1))

    def standard_variance(self) -> jax.Array:
        return beyond(self.concentration, 2.0, lambda a: 1 / (jnp.square(a - 1) * (a - 2)))

    def standard_log(self) -> jax.Array:
        return -jax.lax.digamma(self.concentration)

    def log_variance(self) -> jax.Array:
        return jax.scipy.special.polygamma(1, self.concentration)

    def inverse(self, unit: jax.Array) -> jax.Array:
        return self.concentration * (unit / self.unit)

    def power(self, unit: jax.Array, exponent: jax.Array) -> jax.Array:
        def value(a: jax.Array) -> jax.Array:
            return exp_of_log_power(self.unit / unit, exponent, -log_gamma_step(a - exponent, exponent))

        return beyond(self.concentration, exponent, value)


@law(Beta)
class _OfBeta(Law):
    @property
    def unit(self) -> jax.Array:
        return jnp.ones_like(self.parameters[0])

    def standard_entropy(self) -> jax.Array:
        return Beta._entropy(*self.parameters)

    def linear(self, loc: jax.Array, unit: jax.Array) -> jax.Array:
        a, b = self.parameters
        return (a / (a + b) - loc) / unit

    def variance(self, unit: jax.Array) -> jax.Array:
        a, b = self.parameters
        total = a + b
        return (a / total) * (b / total) / (total + 1) / unit / unit

    def log(self, unit: jax.Array) -> jax.Array:
        return -jnp.log(unit) - digamma_step(*self.parameters)

    def log_variance(self) -> jax.Array:
        return trigamma_step(*self.parameters)

    def inverse(self, unit: jax.Array) -> jax.Array:
        _, b = self.parameters
        return beyond(self.parameters[0], 1.0, lambda a: unit * (1 + b / (a - 1)))

    def power(self, unit: jax.Array, exponent: jax.Array) -> jax.Array:
        a, b = self.parameters
        moment = log_gamma_step(a, exponent) - log_gamma_step(a + b, exponent)
        return exp_of_log_power(1 / unit, exponent, moment)
