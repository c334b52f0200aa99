"""The gamma family and what follows from it: inverse gamma and chi-squared."""

import math
from typing import ClassVar

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo.distributions._constraints import ABOVE_ZERO
from jaxinfo.distributions._exponential_family import Arrays, ExponentialFamily
from jaxinfo.distributions._family import HasEntropy, family
from jaxinfo.distributions._special.binary_logarithm import remainder_of_ratio
from jaxinfo.distributions._special.gamma import (
    Step,
    digamma,
    gamma_bregman,
    log_gamma_excess,
    standard_entropy,
)
from jaxinfo.distributions._supports import Interval

# From this concentration on the density is taken relative to its peak: its terms cancel otherwise.
_PEAKED = 8.0


def log_density(z: jax.Array, a: jax.Array) -> jax.Array:
    """Returns the log-density of a gamma variable of rate 1, times `z`: `a log z - z - log gamma(a)`, for `z > 0`."""
    peaked = (a > _PEAKED) & (z > 0)
    large, near = jnp.where(peaked, a, jnp.full_like(a, _PEAKED)), jnp.where(peaked, z, jnp.full_like(z, _PEAKED))
    of_peak = -large * remainder_of_ratio((near - large) / large, near / large) - log_gamma_excess(large)
    return jnp.where(peaked, of_peak, jax.scipy.special.xlogy(a, z) - z - jax.lax.lgamma(a))


def largest_log_ratio(a: jax.Array, r: jax.Array, b: jax.Array, t: jax.Array) -> jax.Array:
    """Returns the supremum of the log-ratio of gamma densities `(a, r)` and `(b, t)`."""
    more, faster = a - b, r - t
    inner = (more > 0) & (faster > 0)
    x = jnp.where(inner, more, jnp.ones_like(a)) / jnp.where(inner, faster, jnp.ones_like(a))
    ends = a * jnp.log(r) - b * jnp.log(t) - jax.lax.lgamma(a) + jax.lax.lgamma(b)
    value = jnp.where(more == 0, a * jnp.log(r / t), ends + more * (jnp.log(x) - 1))
    return jnp.where(inner | ((more == 0) & (faster >= 0)), value, jnp.full_like(a, jnp.inf))


def _log_normalizer(a: jax.Array, minus_rate: jax.Array) -> jax.Array:
    return jax.lax.lgamma(a) - a * jnp.log(-minus_rate)


def _bregman(start: Arrays, step: Arrays, end: Arrays) -> jax.Array:
    (a, r), (da, dr), (b, t) = start, step, end
    return gamma_bregman(Step(a, da, b), Step(-r, -dr, -t))


@family
class Gamma(ExponentialFamily, HasEntropy):
    r"""The gamma distribution of concentration $a$ and rate $r$ on the positive half line.

    .. math:: p(x) = \frac{r^a}{\Gamma(a)} \, x^{a - 1} e^{-r x}

    Args:
      concentration: the shape $a$, dimensionless, positive.
      rate: the inverse scale $r$, in inverse units of `x`, positive.

    Entropies and divergences between members are accurate to a few units in the last place from concentrations of
    1e-6 to 1e6, also where the members are close.

    **Domain** `concentration > 0`, `rate > 0`; others give NaN in their own element. Draws of a small concentration may
    underflow to 0.

    **Gradient** every quantity is smooth in both parameters; `sample` by implicit differentiation.

    Reference: N. L. Johnson, S. Kotz and N. Balakrishnan, "Continuous Univariate Distributions", vol. 1, 2nd ed., Wiley
    1994, chapter 17.

    >>> from jaxinfo.distributions import Gamma
    >>> round(float(Gamma(2.0, 0.5).log_prob(3.0)), 4)
    -1.7877
    """

    concentration: ArrayLike
    rate: ArrayLike

    constraints: ClassVar = {"concentration": ABOVE_ZERO, "rate": ABOVE_ZERO}
    _statistic_ndims: ClassVar = (0, 0)
    _log_normalizer = staticmethod(_log_normalizer)
    _bregman = staticmethod(_bregman)
    _largest_log_ratio = staticmethod(largest_log_ratio)

    @staticmethod
    def _support(*_: jax.Array) -> Interval:
        return Interval(0.0, math.inf)

    @staticmethod
    def _mean(concentration: jax.Array, rate: jax.Array) -> jax.Array:
        return concentration / rate

    @staticmethod
    def _variance(concentration: jax.Array, rate: jax.Array) -> jax.Array:
        return concentration / rate / rate

    @staticmethod
    def _log_prob(x: jax.Array, concentration: jax.Array, rate: jax.Array) -> jax.Array:
        # Not jax.scipy.stats.gamma.logpdf, whose terms cancel at large concentrations.
        plain = concentration <= _PEAKED
        few, many = (jnp.where(flag, concentration, jnp.ones_like(x)) for flag in (plain, ~plain))
        direct = jax.scipy.special.xlogy(few - 1, x) + few * jnp.log(rate) - rate * x - jax.lax.lgamma(few)
        inside = x > 0
        held = jnp.where(inside, x, jnp.ones_like(x))
        peaked = log_density(rate * held, jnp.where(plain, jnp.full_like(x, 2 * _PEAKED), many)) - jnp.log(held)
        return jnp.where(plain, direct, jnp.where(inside, peaked, jnp.full_like(x, -jnp.inf)))

    @staticmethod
    def _sample(key: jax.Array, shape: tuple[int, ...], concentration: jax.Array, rate: jax.Array) -> jax.Array:
        return jax.random.gamma(key, concentration, shape, concentration.dtype) / rate

    @staticmethod
    def _entropy(concentration: jax.Array, rate: jax.Array) -> jax.Array:
        return standard_entropy(concentration) - jnp.log(rate)

    @staticmethod
    def _natural(concentration: jax.Array, rate: jax.Array) -> Arrays:
        return concentration, -rate

    @staticmethod
    def _from_natural(concentration: jax.Array, minus_rate: jax.Array) -> Arrays:
        return concentration, -minus_rate

    @staticmethod
    def _natural_allowed(concentration: jax.Array, minus_rate: jax.Array) -> jax.Array:
        return (concentration > 0) & (minus_rate < 0)

    @staticmethod
    def _statistics(x: jax.Array, *_: jax.Array) -> Arrays:
        return jnp.log(x), x

    @staticmethod
    def _log_base(x: jax.Array, *_: jax.Array) -> jax.Array:
        return -jnp.log(x)

    @staticmethod
    def _mean_log_base(concentration: jax.Array, rate: jax.Array) -> jax.Array:
        return jnp.log(rate) - mean_log(concentration)


def mean_log(a: jax.Array) -> jax.Array:
    """Returns the mean logarithm of a gamma variable of rate 1, `digamma(a)`."""
    return digamma(a)


@family
class InverseGamma(ExponentialFamily, HasEntropy):
    r"""The inverse gamma distribution: that of $1 / y$ where $y$ is `Gamma(concentration, scale)`.

    .. math:: p(x) = \frac{b^a}{\Gamma(a)} \, x^{-a - 1} e^{-b / x}

    Args:
      concentration: the shape $a$, dimensionless, positive.
      scale: the scale $b$, in the units of `x`, positive; it is the rate of $1 / x$.

    Divergences between members are those of the gamma distributions of $1 / x$, as accurate as these.

    **Domain** `concentration > 0`, `scale > 0`; others give NaN in their own element. The mean is infinite up to
    concentration 1, the variance up to 2.

    **Gradient** every quantity is smooth in both parameters where it is finite; `sample` by implicit differentiation.

    Reference: N. L. Johnson, S. Kotz and N. Balakrishnan, "Continuous Univariate Distributions", vol. 1, 2nd ed., Wiley
    1994, chapter 17.

    >>> from jaxinfo.distributions import InverseGamma
    >>> round(float(InverseGamma(3.0, 2.0).log_prob(0.5)), 4)
    0.1589
    """

    concentration: ArrayLike
    scale: ArrayLike

    constraints: ClassVar = {"concentration": ABOVE_ZERO, "scale": ABOVE_ZERO}
    _statistic_ndims: ClassVar = (0, 0)
    _natural = staticmethod(Gamma._natural)
    _from_natural = staticmethod(Gamma._from_natural)
    _natural_allowed = staticmethod(Gamma._natural_allowed)
    _log_normalizer = staticmethod(_log_normalizer)
    _bregman = staticmethod(_bregman)
    _largest_log_ratio = staticmethod(largest_log_ratio)

    @staticmethod
    def _support(*_: jax.Array) -> Interval:
        return Interval(0.0, math.inf)

    @staticmethod
    def _mean(concentration: jax.Array, scale: jax.Array) -> jax.Array:
        finite = concentration > 1
        excess = jnp.where(finite, concentration - 1, jnp.ones_like(scale))
        return jnp.where(finite, scale / excess, jnp.full_like(scale, jnp.inf))

    @staticmethod
    def _variance(concentration: jax.Array, scale: jax.Array) -> jax.Array:
        finite = concentration > 2
        a = jnp.where(finite, concentration, jnp.full_like(scale, 3))
        return jnp.where(finite, jnp.square(scale / (a - 1)) / (a - 2), jnp.full_like(scale, jnp.inf))

    @staticmethod
    def _log_prob(x: jax.Array, concentration: jax.Array, scale: jax.Array) -> jax.Array:
        inside = (x > 0) & (x < jnp.inf)
        held = jnp.where(inside, x, jnp.ones_like(x))
        value = log_density(scale / held, concentration) - jnp.log(held)
        return jnp.where(inside, value, jnp.full_like(value, -jnp.inf))

    @staticmethod
    def _sample(key: jax.Array, shape: tuple[int, ...], concentration: jax.Array, scale: jax.Array) -> jax.Array:
        # In logarithms: a gamma draw of small concentration may underflow.
        return jnp.exp(jnp.log(scale) - jax.random.loggamma(key, concentration, shape, concentration.dtype))

    @staticmethod
    def _entropy(concentration: jax.Array, scale: jax.Array) -> jax.Array:
        # That of 1 / x, less twice the mean of its logarithm.
        return standard_entropy(concentration) - 2 * digamma(concentration) + jnp.log(scale)

    @staticmethod
    def _statistics(x: jax.Array, *_: jax.Array) -> Arrays:
        return -jnp.log(x), 1 / x

    @staticmethod
    def _log_base(x: jax.Array, *_: jax.Array) -> jax.Array:
        return -jnp.log(x)

    @staticmethod
    def _mean_log_base(concentration: jax.Array, scale: jax.Array) -> jax.Array:
        return mean_log(concentration) - jnp.log(scale)


@family
class ChiSquared(ExponentialFamily, HasEntropy):
    r"""The chi-squared distribution of $k$ degrees of freedom: `Gamma(df / 2, 1 / 2)`.

    .. math:: p(x) = \frac{x^{k / 2 - 1} e^{-x / 2}}{2^{k / 2} \, \Gamma(k / 2)}

    Args:
      df: the degrees of freedom $k$, dimensionless, positive; any real number.

    **Domain** `df > 0`; others give NaN in their own element.

    **Gradient** every quantity is smooth in `df`; `sample` by implicit differentiation.

    Reference: N. L. Johnson, S. Kotz and N. Balakrishnan, "Continuous Univariate Distributions", vol. 1, 2nd ed., Wiley
    1994, chapter 18.

    >>> from jaxinfo.distributions import ChiSquared
    >>> round(float(ChiSquared(3.0).log_prob(2.0)), 4)
    -1.5724
    """

    df: ArrayLike

    constraints: ClassVar = {"df": ABOVE_ZERO}

    @staticmethod
    def _support(*_: jax.Array) -> Interval:
        return Interval(0.0, math.inf)

    @staticmethod
    def _mean(df: jax.Array) -> jax.Array:
        return df

    @staticmethod
    def _variance(df: jax.Array) -> jax.Array:
        return 2 * df

    @staticmethod
    def _log_prob(x: jax.Array, df: jax.Array) -> jax.Array:
        return Gamma._log_prob(x, 0.5 * df, jnp.full_like(df, 0.5))

    @staticmethod
    def _sample(key: jax.Array, shape: tuple[int, ...], df: jax.Array) -> jax.Array:
        return 2 * jax.random.gamma(key, 0.5 * df, shape, df.dtype)

    @staticmethod
    def _entropy(df: jax.Array) -> jax.Array:
        return standard_entropy(0.5 * df) + math.log(2)

    @staticmethod
    def _natural(df: jax.Array) -> Arrays:
        return (0.5 * df,)

    @staticmethod
    def _from_natural(half: jax.Array) -> Arrays:
        return (2 * half,)

    @staticmethod
    def _natural_allowed(half: jax.Array) -> jax.Array:
        return half > 0

    @staticmethod
    def _log_normalizer(half: jax.Array) -> jax.Array:
        return jax.lax.lgamma(half) + half * math.log(2)

    @staticmethod
    def _bregman(start: Arrays, step: Arrays, end: Arrays) -> jax.Array:
        one = jnp.ones_like(start[0])
        return gamma_bregman(Step(start[0], step[0], end[0]), Step(one, 0 * one, one))

    @staticmethod
    def _largest_log_ratio(p: jax.Array, q: jax.Array) -> jax.Array:
        rate = jnp.full_like(p, 0.5)
        return largest_log_ratio(0.5 * p, rate, 0.5 * q, rate)

    @staticmethod
    def _statistics(x: jax.Array, *_: jax.Array) -> Arrays:
        return (jnp.log(x),)

    @staticmethod
    def _log_base(x: jax.Array, *_: jax.Array) -> jax.Array:
        return -jnp.log(x) - 0.5 * x

    @staticmethod
    def _mean_log_base(df: jax.Array) -> jax.Array:
        return -mean_log(0.5 * df) - math.log(2) - 0.5 * df
