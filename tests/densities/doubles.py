"""Small densities for the tests: what any object with the right methods may be."""

import dataclasses
import math

import jax
import jax.numpy as jnp

from jaxinfo._pytrees import register_dataclass
from jaxinfo.distributions._supports import Integers, Interval


def pytree(cls):
    return register_dataclass(dataclasses.dataclass(frozen=True, eq=False)(cls))


@pytree
class Poisson:
    rate: jax.Array

    @property
    def batch_shape(self):
        return self.rate.shape

    @property
    def support(self):
        return Integers(0, math.inf)

    @property
    def mean(self):
        return self.rate

    @property
    def variance(self):
        return self.rate

    def log_prob(self, x):
        x = x.astype(self.rate.dtype)
        rate = jnp.broadcast_to(self.rate, x.shape)
        inside = (x >= 0) & (x == jnp.floor(x))
        k = jnp.where(inside, x, jnp.zeros_like(x))
        return jnp.where(inside, k * jnp.log(rate) - rate - jax.lax.lgamma(k + 1), -jnp.inf)

    def sample(self, key, sample_shape=()):
        return jax.random.poisson(key, self.rate, (*sample_shape, *self.batch_shape))


@pytree
class Zeta:
    """Proportional to `k^-exponent` for k = 1, 2, ...: the tail is a power. Normalised for the exponent 2."""

    exponent: jax.Array

    batch_shape = ()
    mean = jnp.asarray(jnp.inf)
    variance = jnp.asarray(jnp.inf)
    support = Integers(1, math.inf)

    def log_prob(self, x):
        inside = x >= 1
        log = -self.exponent * jnp.log(jnp.where(inside, x, jnp.ones_like(x))) - math.log(math.pi**2 / 6)
        return jnp.where(inside, log, -jnp.inf)


@pytree
class Coin:
    prob: jax.Array

    support = Integers(0, 1)

    @property
    def batch_shape(self):
        return self.prob.shape

    @property
    def mean(self):
        return self.prob

    @property
    def variance(self):
        return self.prob * (1 - self.prob)

    def log_prob(self, x):
        prob = jnp.broadcast_to(self.prob, x.shape)
        inside = (x == 0) | (x == 1)
        return jnp.where(inside, jnp.log(jnp.where(x == 1, prob, 1 - prob)), -jnp.inf)


@pytree
class Gamma:
    """By shape and rate; a singularity at 0 for shapes below 1."""

    shape: jax.Array
    rate: jax.Array

    @property
    def batch_shape(self):
        return jnp.broadcast_shapes(self.shape.shape, self.rate.shape)

    @property
    def support(self):
        return Interval(0, math.inf)

    @property
    def mean(self):
        return self.shape / self.rate

    @property
    def variance(self):
        return self.shape / self.rate**2

    def log_prob(self, x):
        shape, rate = jnp.broadcast_to(self.shape, x.shape), jnp.broadcast_to(self.rate, x.shape)
        inside = x > 0
        y = jnp.where(inside, x, jnp.ones_like(x))
        log = shape * jnp.log(rate) + (shape - 1) * jnp.log(y) - rate * y - jax.lax.lgamma(shape)
        return jnp.where(inside, log, -jnp.inf)


@pytree
class Uniform:
    low: jax.Array
    high: jax.Array

    @property
    def batch_shape(self):
        return self.low.shape

    @property
    def support(self):
        return Interval(self.low, self.high)

    @property
    def mean(self):
        return 0.5 * (self.low + self.high)

    @property
    def variance(self):
        return (self.high - self.low) ** 2 / 12

    def log_prob(self, x):
        low, high = jnp.broadcast_to(self.low, x.shape), jnp.broadcast_to(self.high, x.shape)
        return jnp.where((x >= low) & (x <= high), -jnp.log(high - low), -jnp.inf)

    def sample(self, key, sample_shape=()):
        unit = jax.random.uniform(key, (*sample_shape, *self.batch_shape), self.low.dtype)
        return self.low + unit * (self.high - self.low)


@pytree
class StudentT:
    """By degrees of freedom, 1 for a Cauchy, with location and scale."""

    df: jax.Array
    loc: jax.Array
    scale: jax.Array

    support = Interval(-math.inf, math.inf)

    @property
    def batch_shape(self):
        return self.loc.shape

    @property
    def mean(self):
        return jnp.where(self.df > 1, self.loc, jnp.nan)

    @property
    def variance(self):
        heavy = self.df <= 2
        return jnp.where(heavy, jnp.inf, self.scale**2 * self.df / jnp.where(heavy, 1.0, self.df - 2))

    def log_prob(self, x):
        df, loc, scale = (jnp.broadcast_to(leaf, x.shape) for leaf in (self.df, self.loc, self.scale))
        log_norm = jax.lax.lgamma((df + 1) / 2) - jax.lax.lgamma(df / 2) - 0.5 * jnp.log(df * math.pi) - jnp.log(scale)
        return log_norm - (df + 1) / 2 * jnp.log1p(((x - loc) / scale) ** 2 / df)

    def sample(self, key, sample_shape=()):
        shape = (*sample_shape, *self.batch_shape)
        return self.loc + self.scale * jax.random.t(key, jnp.broadcast_to(self.df, shape), shape, self.loc.dtype)


@pytree
class Plane:
    """A normal distribution on the plane by its mean and the factor of its covariance."""

    loc: jax.Array
    factor: jax.Array

    event_shape = (2,)

    @property
    def batch_shape(self):
        return self.loc.shape[:-1]

    @property
    def mean(self):
        return self.loc

    @property
    def variance(self):
        return jnp.sum(self.factor**2, axis=-1)

    def log_prob(self, x):
        a, b, c = self.factor[..., 0, 0], self.factor[..., 1, 0], self.factor[..., 1, 1]
        shape = jnp.broadcast_shapes(x.shape[:-1], self.batch_shape)
        a, b, c = (jnp.broadcast_to(leaf, shape) for leaf in (a, b, c))
        u, v = (jnp.broadcast_to(x[..., i], shape) - jnp.broadcast_to(self.loc[..., i], shape) for i in (0, 1))
        first = u / a
        second = (v - b * first) / c
        return -0.5 * (first**2 + second**2) - jnp.log(a * c) - math.log(2 * math.pi)

    def sample(self, key, sample_shape=()):
        normal = jax.random.normal(key, (*sample_shape, *self.batch_shape, 2), self.loc.dtype)
        factor = jnp.broadcast_to(self.factor, (*normal.shape, 2))
        return jnp.broadcast_to(self.loc, normal.shape) + jnp.sum(factor * normal[..., None, :], axis=-1)
