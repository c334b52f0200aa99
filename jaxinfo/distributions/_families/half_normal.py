"""The half-normal family."""

import math
from typing import ClassVar

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo.distributions._constraints import POSITIVE
from jaxinfo.distributions._exponential_family import ExponentialFamily
from jaxinfo.distributions._family import HasEntropy, family
from jaxinfo.distributions._supports import Interval

_LOG_CONSTANT = 0.5 * math.log(2 / math.pi)


@family
class HalfNormal(ExponentialFamily, HasEntropy):
    r"""The half-normal distribution on $[0, \infty)$: the size of a normal variable of mean 0.

    .. math:: p(x) = \frac{1}{\sigma} \sqrt{\frac{2}{\pi}} \exp\Big(-\frac{x^2}{2 \sigma^2}\Big)

    Args:
      scale: the standard deviation of the normal variable (not of its size), positive.

    **Domain** `x >= 0`, `scale > 0`. A negative scale gives NaN in its own element.

    **Gradient** every quantity is smooth in `scale > 0`, `sample` pathwise.

    Reference: N. L. Johnson, S. Kotz and N. Balakrishnan, "Continuous Univariate Distributions 1", 2nd ed., Wiley
    1994, chapter 13.

    >>> from jaxinfo.distributions import HalfNormal
    >>> round(float(HalfNormal(2.0).log_prob(1.0)), 4)
    -1.0439
    >>> round(float(HalfNormal(2.0).mean), 4)
    1.5958
    """

    scale: ArrayLike

    constraints: ClassVar = {"scale": POSITIVE}
    _statistic_ndims: ClassVar = (0,)

    @staticmethod
    def _support(*_: jax.Array) -> Interval:
        return Interval(0.0, math.inf)

    @staticmethod
    def _mean(scale: jax.Array) -> jax.Array:
        return scale * math.sqrt(2 / math.pi)

    @staticmethod
    def _variance(scale: jax.Array) -> jax.Array:
        return jnp.square(scale) * (1 - 2 / math.pi)

    @staticmethod
    def _log_prob(x: jax.Array, scale: jax.Array) -> jax.Array:
        return -0.5 * jnp.square(x / scale) - jnp.log(scale) + _LOG_CONSTANT

    @staticmethod
    def _sample(key: jax.Array, shape: tuple[int, ...], scale: jax.Array) -> jax.Array:
        return scale * jnp.abs(jax.random.normal(key, shape, scale.dtype))

    @staticmethod
    def _entropy(scale: jax.Array) -> jax.Array:
        return jnp.log(scale) + (0.5 - _LOG_CONSTANT)

    @staticmethod
    def _natural(scale: jax.Array) -> tuple[jax.Array, ...]:
        return (-0.5 / scale / scale,)

    @staticmethod
    def _from_natural(square: jax.Array) -> tuple[jax.Array, ...]:
        return (jnp.sqrt(-0.5 / square),)

    @staticmethod
    def _log_normalizer(square: jax.Array) -> jax.Array:
        return -0.5 * jnp.log(-2 * square)

    @staticmethod
    def _natural_allowed(square: jax.Array) -> jax.Array:
        return square < 0

    @staticmethod
    def _statistics(x: jax.Array, *_: jax.Array) -> tuple[jax.Array, ...]:
        return (jnp.square(x),)

    @staticmethod
    def _log_base(x: jax.Array, *_: jax.Array) -> jax.Array:
        return jnp.full_like(x, _LOG_CONSTANT)

    @staticmethod
    def _mean_log_base(scale: jax.Array) -> jax.Array:
        return jnp.full_like(scale, _LOG_CONSTANT)
