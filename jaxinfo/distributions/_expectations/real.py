"""Families on the whole real line."""

import math

import jax
import jax.numpy as jnp

from jaxinfo.distributions._expectations.law import Law, beyond, infinite, law
from jaxinfo.distributions._families.cauchy import Cauchy
from jaxinfo.distributions._families.gumbel import Gumbel
from jaxinfo.distributions._families.laplace import Laplace
from jaxinfo.distributions._families.logistic import Logistic
from jaxinfo.distributions._families.normal import Normal
from jaxinfo.distributions._families.student_t import StudentT
from jaxinfo.distributions._special.averages import exponential
from jaxinfo.distributions._special.distances import gumbel_distance, normal_distance
from jaxinfo.distributions._special.extreme_values import EULER
from jaxinfo.distributions._special.log1p_square import log1p_square


class _LocationScale(Law):
    """A location and a scale of a standard member, whose moments are numbers."""

    standard_mean: float = 0.0
    standard_variance: float

    @property
    def loc(self) -> jax.Array:
        return self.parameters[-2]

    @property
    def unit(self) -> jax.Array:
        return self.parameters[-1]

    def linear(self, loc: jax.Array, unit: jax.Array) -> jax.Array:
        centre = (self.loc - loc) / unit
        return centre + self.standard_mean * (self.unit / unit) if self.standard_mean else centre

    def variance(self, unit: jax.Array) -> jax.Array:
        return self.standard_variance * jnp.square(self.unit / unit)

    def standard_entropy(self) -> jax.Array:
        zero = jnp.zeros_like(self.unit)
        return self.kind._entropy(*self.parameters[:-2], zero, zero + 1)

    def _from(self, loc: jax.Array) -> jax.Array:
        """How far this location is from another, in its own scale."""
        return (self.loc - loc) / self.unit


@law(Normal)
class _OfNormal(_LocationScale):
    standard_variance = 1.0

    def distance(self, loc: jax.Array, unit: jax.Array) -> jax.Array:
        return (self.unit / unit) * normal_distance(self._from(loc))

    def exponential(self, loc: jax.Array, unit: jax.Array) -> jax.Array:
        return exponential(0.5 * jnp.square(self.unit / unit) - (self.loc - loc) / unit)


@law(Laplace)
class _OfLaplace(_LocationScale):
    standard_variance = 2.0

    def exponential(self, loc: jax.Array, unit: jax.Array) -> jax.Array:
        def value(unit: jax.Array) -> jax.Array:
            # 1 / (1 - r^2), and 1 - r by a difference that is exact where r is close to 1.
            gap = ((unit - self.unit) / unit) * (1 + self.unit / unit)
            return exponential(-jnp.log(gap) - (self.loc - loc) / unit)

        return beyond(unit, self.unit, value)


@law(Logistic)
class _OfLogistic(_LocationScale):
    standard_variance = math.pi**2 / 3

    def distance(self, loc: jax.Array, unit: jax.Array) -> jax.Array:
        half = 0.5 * self._from(loc)
        return (self.unit / unit) * (2 * jnp.logaddexp(half, -half))

    def exponential(self, loc: jax.Array, unit: jax.Array) -> jax.Array:
        def value(unit: jax.Array) -> jax.Array:
            # Gamma(1 + r) Gamma(1 - r) = pi r / sin(pi r)
            ratio = self.unit / unit
            near = ratio < 0.5
            sine = jnp.sin(math.pi * jnp.where(near, ratio, (unit - self.unit) / unit))
            return exponential(jnp.log(math.pi * ratio / sine) - (self.loc - loc) / unit)

        return beyond(unit, self.unit, value)


@law(Gumbel)
class _OfGumbel(_LocationScale):
    standard_mean = EULER
    standard_variance = math.pi**2 / 6

    def distance(self, loc: jax.Array, unit: jax.Array) -> jax.Array:
        return (self.unit / unit) * gumbel_distance(-self._from(loc))


@law(StudentT)
class _OfStudentT(_LocationScale):
    exponential = infinite

    @property
    def df(self) -> jax.Array:
        return self.parameters[0]

    def variance(self, unit: jax.Array) -> jax.Array:
        # Written so that an infinite number of degrees is no infinity over another.
        return beyond(self.df, 2.0, lambda df: jnp.square(self.unit / unit) / (1 - 2 / df))


@law(Cauchy)
class _OfCauchy(_LocationScale):
    # Its mean, which has no value, is wanted only beside what is infinite.
    variance = infinite
    distance = infinite
    exponential = infinite
    log_cosh = infinite

    def log1p_square(self, loc: jax.Array, unit: jax.Array) -> jax.Array:
        wider = self.unit + unit
        return log1p_square((self.loc - loc) / wider) + 2 * jnp.log1p(self.unit / unit)
