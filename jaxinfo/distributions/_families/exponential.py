"""The exponential family of waiting times."""

import math
from typing import ClassVar

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo.distributions._constraints import POSITIVE
from jaxinfo.distributions._exponential_family import ExponentialFamily
from jaxinfo.distributions._family import HasEntropy, family
from jaxinfo.distributions._supports import Interval


@family
class Exponential(ExponentialFamily, HasEntropy):
    r"""The exponential distribution on $[0, \infty)$.

    .. math:: p(x) = \lambda e^{-\lambda x}

    Args:
      rate: the reciprocal of the mean, positive.

    **Domain** `x >= 0`, `rate > 0`. A negative rate gives NaN in its own element.

    **Gradient** every quantity is smooth in `rate > 0`, `sample` pathwise.

    Reference: N. L. Johnson, S. Kotz and N. Balakrishnan, "Continuous Univariate Distributions 1", 2nd ed., Wiley
    1994, chapter 19.

    >>> from jaxinfo.distributions import Exponential
    >>> round(float(Exponential(2.0).log_prob(1.0)), 4)
    -1.3069
    >>> float(Exponential(2.0).mean)
    0.5
    """

    rate: ArrayLike

    constraints: ClassVar = {"rate": POSITIVE}
    _statistic_ndims: ClassVar = (0,)

    @staticmethod
    def _support(*_: jax.Array) -> Interval:
        return Interval(0.0, math.inf)

    @staticmethod
    def _mean(rate: jax.Array) -> jax.Array:
        return 1 / rate

    @staticmethod
    def _variance(rate: jax.Array) -> jax.Array:
        return jnp.square(1 / rate)

    @staticmethod
    def _log_prob(x: jax.Array, rate: jax.Array) -> jax.Array:
        return jnp.log(rate) - rate * x

    @staticmethod
    def _sample(key: jax.Array, shape: tuple[int, ...], rate: jax.Array) -> jax.Array:
        return jax.random.exponential(key, shape, rate.dtype) / rate

    @staticmethod
    def _entropy(rate: jax.Array) -> jax.Array:
        return 1 - jnp.log(rate)

    @staticmethod
    def _natural(rate: jax.Array) -> tuple[jax.Array, ...]:
        return (-rate,)

    @staticmethod
    def _from_natural(linear: jax.Array) -> tuple[jax.Array, ...]:
        return (-linear,)

    @staticmethod
    def _log_normalizer(linear: jax.Array) -> jax.Array:
        return -jnp.log(-linear)

    @staticmethod
    def _natural_allowed(linear: jax.Array) -> jax.Array:
        return linear < 0

    @staticmethod
    def _statistics(x: jax.Array, *_: jax.Array) -> tuple[jax.Array, ...]:
        return (x,)
