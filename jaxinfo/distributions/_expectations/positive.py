"""Families on the positive half line, but for gamma's relatives."""

import math

import jax
import jax.numpy as jnp

from jaxinfo.distributions._arrays import log_ratio
from jaxinfo.distributions._expectations.law import Law, beyond, infinite, law, times
from jaxinfo.distributions._families.exponential import Exponential
from jaxinfo.distributions._families.half_normal import HalfNormal
from jaxinfo.distributions._families.inverse_gaussian import InverseGaussian
from jaxinfo.distributions._families.log_normal import LogNormal
from jaxinfo.distributions._families.pareto import Pareto
from jaxinfo.distributions._families.weibull import Weibull
from jaxinfo.distributions._special.averages import exponential
from jaxinfo.distributions._special.distances import exponential_distance, half_normal_distance, log_normal_distance
from jaxinfo.distributions._special.exponential_integral import scaled_exponential_integral
from jaxinfo.distributions._special.extreme_values import EULER, log_gamma, log_gamma_spread
from jaxinfo.distributions._special.gamma_steps import log_gamma_step


class Scaled(Law):
    """A scale, which is `unit`, and moments of the standard member that may depend on its shape."""

    def standard_mean(self) -> jax.Array:
        raise NotImplementedError

    def standard_variance(self) -> jax.Array:
        raise NotImplementedError

    def standard_log(self) -> jax.Array:
        raise NotImplementedError

    def linear(self, loc: jax.Array, unit: jax.Array) -> jax.Array:
        return times(self.standard_mean(), self.unit / unit) - loc / unit

    def variance(self, unit: jax.Array) -> jax.Array:
        return times(self.standard_variance(), jnp.square(self.unit / unit))

    def log(self, unit: jax.Array) -> jax.Array:
        return log_ratio(self.unit, unit) + self.standard_log()

    def number(self, value: float) -> jax.Array:
        return jnp.full_like(self.unit, value)


def exp_of_log_power(ratio: jax.Array, exponent: jax.Array, log_moment: jax.Array) -> jax.Array:
    """`ratio^exponent exp(log_moment)`, in one exponential: the factors may overflow where the product does not."""
    return exponential(exponent * jnp.log(ratio) + log_moment)


@law(Exponential)
class _OfExponential(Scaled):
    inverse = infinite

    @property
    def unit(self) -> jax.Array:
        return 1 / self.parameters[0]

    def standard_entropy(self) -> jax.Array:
        return self.number(1.0)

    def standard_mean(self) -> jax.Array:
        return self.number(1.0)

    def standard_variance(self) -> jax.Array:
        return self.number(1.0)

    def standard_log(self) -> jax.Array:
        return self.number(-EULER)

    def log_variance(self) -> jax.Array:
        return self.number(math.pi**2 / 6)

    def distance(self, loc: jax.Array, unit: jax.Array) -> jax.Array:
        return (self.unit / unit) * exponential_distance(loc * self.parameters[0])

    def exponential(self, loc: jax.Array, unit: jax.Array) -> jax.Array:
        return exponential(loc / unit - jnp.log1p(self.unit / unit))

    def power(self, unit: jax.Array, exponent: jax.Array) -> jax.Array:
        return exp_of_log_power(self.unit / unit, exponent, log_gamma_step(jnp.ones_like(exponent), exponent))


@law(HalfNormal)
class _OfHalfNormal(Scaled):
    inverse = infinite

    @property
    def unit(self) -> jax.Array:
        return self.parameters[0]

    def standard_entropy(self) -> jax.Array:
        return self.number(0.5 + 0.5 * math.log(math.pi / 2))

    def standard_mean(self) -> jax.Array:
        return self.number(math.sqrt(2 / math.pi))

    def standard_variance(self) -> jax.Array:
        return self.number(1 - 2 / math.pi)

    def standard_log(self) -> jax.Array:
        return self.number(-0.5 * (EULER + math.log(2)))

    def log_variance(self) -> jax.Array:
        return self.number(math.pi**2 / 8)

    def distance(self, loc: jax.Array, unit: jax.Array) -> jax.Array:
        return (self.unit / unit) * half_normal_distance(loc / self.unit)

    def exponential(self, loc: jax.Array, unit: jax.Array) -> jax.Array:
        return exponential(loc / unit + jnp.log(jax.scipy.special.erfcx(self.unit / unit / math.sqrt(2))))

    def power(self, unit: jax.Array, exponent: jax.Array) -> jax.Array:
        moment = log_gamma_step(0.5 * jnp.ones_like(exponent), 0.5 * exponent)
        return exp_of_log_power(math.sqrt(2) * (self.unit / unit), exponent, moment)


@law(LogNormal)
class _OfLogNormal(Law):
    @property
    def unit(self) -> jax.Array:
        return jnp.exp(self.parameters[0])

    def entropy(self, unit: jax.Array) -> jax.Array:
        _, scale = self.parameters
        return self.log(unit) + LogNormal._entropy(jnp.zeros_like(scale), scale)

    def log(self, unit: jax.Array) -> jax.Array:
        return self.parameters[0] - jnp.log(unit)

    def log_variance(self) -> jax.Array:
        return jnp.square(self.parameters[1])

    def linear(self, loc: jax.Array, unit: jax.Array) -> jax.Array:
        return self._moment(unit, jnp.ones_like(unit)) - loc / unit

    def variance(self, unit: jax.Array) -> jax.Array:
        mean = self._moment(unit, jnp.ones_like(unit))
        return jnp.square(mean) * jnp.expm1(self.log_variance())

    def inverse(self, unit: jax.Array) -> jax.Array:
        return self._moment(unit, -jnp.ones_like(unit))

    def power(self, unit: jax.Array, exponent: jax.Array) -> jax.Array:
        return self._moment(unit, exponent)

    def distance(self, loc: jax.Array, unit: jax.Array) -> jax.Array:
        inside = loc > 0
        point = jnp.log(jnp.where(inside, loc / unit, jnp.ones_like(loc)))
        log_median, scale = self.log(unit), self.parameters[1]
        within = log_normal_distance(point, jnp.where(inside, log_median, jnp.zeros_like(loc)), scale)
        return jnp.where(inside, within, self.linear(loc, unit))

    def _moment(self, unit: jax.Array, n: jax.Array) -> jax.Array:
        return exponential(n * self.log(unit) + 0.5 * jnp.square(n * self.parameters[1]))


@law(Weibull)
class _OfWeibull(Scaled):
    @property
    def unit(self) -> jax.Array:
        return self.parameters[0]

    @property
    def concentration(self) -> jax.Array:
        return self.parameters[1]

    def standard_entropy(self) -> jax.Array:
        return Weibull._entropy(self.number(1.0), self.concentration)

    def standard_mean(self) -> jax.Array:
        return jnp.exp(log_gamma(self.number(1.0), self.concentration).after)

    def standard_variance(self) -> jax.Array:
        mean = self.standard_mean()
        return mean * (mean * jnp.expm1(log_gamma_spread(self.number(1.0), self.concentration)))

    def standard_log(self) -> jax.Array:
        return -EULER / self.concentration

    def log_variance(self) -> jax.Array:
        return math.pi**2 / 6 * jnp.square(1 / self.concentration)

    def inverse(self, unit: jax.Array) -> jax.Array:
        def value(k: jax.Array) -> jax.Array:
            # Gamma(1 - r) = (pi r / sin(pi r)) / Gamma(1 + r), r = 1 / k.
            sine = jnp.sin(math.pi * jnp.where(k > 2, 1 / k, (k - 1) / k))
            mean = jnp.exp(log_gamma(jnp.ones_like(k), k).after)
            return (unit / self.unit) * (math.pi / k / sine / mean)

        return beyond(self.concentration, 1.0, value)


@law(Pareto)
class _OfPareto(Scaled):
    @property
    def unit(self) -> jax.Array:
        return self.parameters[0]

    @property
    def concentration(self) -> jax.Array:
        return self.parameters[1]

    def standard_entropy(self) -> jax.Array:
        return Pareto._entropy(self.number(1.0), self.concentration)

    def standard_mean(self) -> jax.Array:
        return beyond(self.concentration, 1.0, lambda a: a / (a - 1))

    def standard_variance(self) -> jax.Array:
        return beyond(self.concentration, 2.0, lambda a: a / (a - 2) / jnp.square(a - 1))

    def standard_log(self) -> jax.Array:
        return 1 / self.concentration

    def log_variance(self) -> jax.Array:
        return jnp.square(1 / self.concentration)

    def inverse(self, unit: jax.Array) -> jax.Array:
        return (unit / self.unit) * (self.concentration / (self.concentration + 1))

    def power(self, unit: jax.Array, exponent: jax.Array) -> jax.Array:
        ratio = self.unit / unit
        return beyond(
            self.concentration,
            exponent,
            lambda a: exp_of_log_power(ratio, exponent, jnp.zeros_like(a)) * (a / (a - exponent)),
        )

    def distance(self, loc: jax.Array, unit: jax.Array) -> jax.Array:
        inside = loc > self.unit
        ratio = jnp.where(inside, self.unit, jnp.ones_like(loc)) / jnp.where(inside, loc, jnp.ones_like(loc))

        def value(a: jax.Array) -> jax.Array:
            mean = (a / (a - 1)) * (self.unit / unit) - loc / unit
            # Twice the mean of what is above `loc`, less the whole.
            return jnp.where(inside, 2 * (loc / unit) * (jnp.power(ratio, a) / (a - 1)) - mean, mean)

        return beyond(self.concentration, 1.0, value)


@law(InverseGaussian)
class _OfInverseGaussian(Scaled):
    @property
    def unit(self) -> jax.Array:
        return self.parameters[0]

    @property
    def ratio(self) -> jax.Array:
        """The concentration of the member of mean 1."""
        return self.parameters[1] / self.parameters[0]

    def standard_entropy(self) -> jax.Array:
        return InverseGaussian._entropy(self.number(1.0), self.ratio)

    def standard_mean(self) -> jax.Array:
        return self.number(1.0)

    def standard_variance(self) -> jax.Array:
        return 1 / self.ratio

    def standard_log(self) -> jax.Array:
        return -scaled_exponential_integral(1, 2 * self.ratio)

    def inverse(self, unit: jax.Array) -> jax.Array:
        return unit / self.parameters[0] + unit / self.parameters[1]

    def exponential(self, loc: jax.Array, unit: jax.Array) -> jax.Array:
        t = self.unit / unit
        return exponential(loc / unit - 2 * t / (1 + jnp.sqrt(1 + 2 * t / self.ratio)))
