"""The log-normal family."""

import math
from typing import ClassVar

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo.distributions._constraints import POSITIVE, REAL
from jaxinfo.distributions._exponential_family import ExponentialFamily
from jaxinfo.distributions._family import HasEntropy, family
from jaxinfo.distributions._supports import Interval

_HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


@family
class LogNormal(ExponentialFamily, HasEntropy):
    r"""The log-normal distribution on the positive numbers: $\log x$ is normal.

    .. math:: p(x) = \frac{1}{x \sigma \sqrt{2 \pi}} \exp\Big(-\frac{(\log x - \mu)^2}{2 \sigma^2}\Big)

    Args:
      loc: the mean of `log x`, the logarithm of the median.
      scale: the standard deviation of `log x`, positive.

    **Domain** `x > 0`, `scale > 0`; `log_prob` is `-inf` at 0. A negative scale gives NaN in its own element. The
    error of `log_prob` grows with the rounding of `log x` over the scale.

    **Gradient** every quantity is smooth in `loc` and in `scale > 0`, `sample` pathwise.

    Reference: N. L. Johnson, S. Kotz and N. Balakrishnan, "Continuous Univariate Distributions 1", 2nd ed., Wiley
    1994, chapter 14.

    >>> from jaxinfo.distributions import LogNormal
    >>> round(float(LogNormal(0.0, 1.0).log_prob(2.0)), 4)
    -1.8523
    >>> round(float(LogNormal(0.0, 1.0).mean), 4)
    1.6487
    """

    loc: ArrayLike
    scale: ArrayLike

    constraints: ClassVar = {"loc": REAL, "scale": POSITIVE}
    _statistic_ndims: ClassVar = (0, 0)

    @staticmethod
    def _support(*_: jax.Array) -> Interval:
        return Interval(0.0, math.inf)

    @staticmethod
    def _mean(loc: jax.Array, scale: jax.Array) -> jax.Array:
        return jnp.exp(loc + 0.5 * jnp.square(scale))

    @staticmethod
    def _variance(loc: jax.Array, scale: jax.Array) -> jax.Array:
        mean = LogNormal._mean(loc, scale)
        return mean * (mean * jnp.expm1(jnp.square(scale)))

    @staticmethod
    def _log_prob(x: jax.Array, loc: jax.Array, scale: jax.Array) -> jax.Array:
        zero = x == 0
        log_x = jnp.log(jnp.where(zero, jnp.ones_like(x), x))
        inside = -0.5 * jnp.square((log_x - loc) / scale) - log_x - jnp.log(scale) - _HALF_LOG_TAU
        return jnp.where(zero, jnp.full_like(x, -jnp.inf), inside)

    @staticmethod
    def _sample(key: jax.Array, shape: tuple[int, ...], loc: jax.Array, scale: jax.Array) -> jax.Array:
        return jnp.exp(loc + scale * jax.random.normal(key, shape, loc.dtype))

    @staticmethod
    def _entropy(loc: jax.Array, scale: jax.Array) -> jax.Array:
        return _HALF_LOG_TAU + 0.5 + jnp.log(scale) + loc

    @staticmethod
    def _natural(loc: jax.Array, scale: jax.Array) -> tuple[jax.Array, ...]:
        return loc / scale / scale, -0.5 / scale / scale

    @staticmethod
    def _from_natural(linear: jax.Array, square: jax.Array) -> tuple[jax.Array, ...]:
        return -0.5 * linear / square, jnp.sqrt(-0.5 / square)

    @staticmethod
    def _log_normalizer(linear: jax.Array, square: jax.Array) -> jax.Array:
        return -0.25 * linear * (linear / square) - 0.5 * jnp.log(-2 * square)

    @staticmethod
    def _natural_allowed(_: jax.Array, square: jax.Array) -> jax.Array:
        return square < 0

    @staticmethod
    def _statistics(x: jax.Array, *_: jax.Array) -> tuple[jax.Array, ...]:
        return jnp.log(x), jnp.square(jnp.log(x))

    @staticmethod
    def _log_base(x: jax.Array, *_: jax.Array) -> jax.Array:
        return -jnp.log(x) - _HALF_LOG_TAU

    @staticmethod
    def _mean_log_base(loc: jax.Array, _: jax.Array) -> jax.Array:
        return -loc - _HALF_LOG_TAU
