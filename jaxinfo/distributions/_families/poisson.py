"""The Poisson family."""

import math
from typing import ClassVar

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo.distributions._constraints import POSITIVE
from jaxinfo.distributions._exponential_family import ExponentialFamily
from jaxinfo.distributions._family import family
from jaxinfo.distributions._special.coin import relative_term
from jaxinfo.distributions._special.counts import log_factorial_excess
from jaxinfo.distributions._supports import Integers


@family
class Poisson(ExponentialFamily):
    r"""The Poisson distribution: how many independent events fall into a time in which `rate` are expected.

    .. math:: p(x) = \frac{\lambda^x e^{-\lambda}}{x!}, \qquad x = 0, 1, 2, \dots

    Its entropy has no closed form: `jaxinfo.densities` sums it.

    Args:
      rate: the mean, positive.

    **Domain** `rate >= 0`: at 0 a point mass on 0. A negative rate gives NaN.

    **Gradient** smooth in `rate > 0`; draws have none.

    Reference: N. L. Johnson, A. W. Kemp and S. Kotz, "Univariate Discrete Distributions", 3rd ed., Wiley 2005,
    chapter 4.

    >>> from jaxinfo.distributions import Poisson
    >>> round(float(Poisson(2.0).log_prob(1)), 4), float(Poisson(2.0).variance)
    (-1.3069, 2.0)
    """

    rate: ArrayLike

    constraints: ClassVar = {"rate": POSITIVE}

    @staticmethod
    def _support(_: jax.Array) -> Integers:
        return Integers(0, math.inf)

    @staticmethod
    def _mean(rate: jax.Array) -> jax.Array:
        return rate

    @staticmethod
    def _variance(rate: jax.Array) -> jax.Array:
        return rate

    @staticmethod
    def _log_prob(x: jax.Array, rate: jax.Array) -> jax.Array:
        # Not jax.scipy.stats.poisson: its terms cancel at large rates. These have one sign.
        count = jax.lax.stop_gradient(x)
        return -relative_term(count, rate, count - rate) - log_factorial_excess(count)

    @staticmethod
    def _sample(key: jax.Array, shape: tuple[int, ...], rate: jax.Array) -> jax.Array:
        return jax.random.poisson(key, rate, shape).astype(jnp.result_type(int))

    @staticmethod
    def _natural(rate: jax.Array) -> tuple[jax.Array, ...]:
        return (jnp.log(rate),)

    @staticmethod
    def _from_natural(log_rate: jax.Array) -> tuple[jax.Array, ...]:
        return (jnp.exp(log_rate),)

    @staticmethod
    def _log_normalizer(log_rate: jax.Array) -> jax.Array:
        return jnp.exp(log_rate)

    @staticmethod
    def _statistics(x: jax.Array, *_: jax.Array) -> tuple[jax.Array, ...]:
        return (x,)

    @staticmethod
    def _log_base(x: jax.Array, _: jax.Array) -> jax.Array:
        return -jax.lax.lgamma(x + 1)
