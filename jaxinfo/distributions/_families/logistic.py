"""The logistic family."""

import math
from typing import ClassVar

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo.distributions._constraints import POSITIVE, REAL
from jaxinfo.distributions._family import HasEntropy, family
from jaxinfo.distributions._supports import Interval


@family
class Logistic(HasEntropy):
    r"""The logistic distribution on the real line, whose distribution function is a sigmoid.

    .. math:: p(x) = \frac{1}{4 s} \operatorname{sech}^2\Big(\frac{x - \mu}{2 s}\Big)

    Args:
      loc: the mean and median.
      scale: the width of the sigmoid, positive; the standard deviation is $\pi / \sqrt 3$ times it.

    **Domain** all real `x`, `scale > 0`. A negative scale gives NaN in its own element.

    **Gradient** every quantity is smooth in `loc` and in `scale > 0`, `sample` pathwise.

    Reference: N. L. Johnson, S. Kotz and N. Balakrishnan, "Continuous Univariate Distributions 2", 2nd ed., Wiley
    1995, chapter 23.

    >>> from jaxinfo.distributions import Logistic
    >>> round(float(Logistic(0.0, 2.0).log_prob(1.0)), 4)
    -2.1413
    """

    loc: ArrayLike
    scale: ArrayLike

    constraints: ClassVar = {"loc": REAL, "scale": POSITIVE}

    @staticmethod
    def _support(*_: jax.Array) -> Interval:
        return Interval(-math.inf, math.inf)

    @staticmethod
    def _mean(loc: jax.Array, _: jax.Array) -> jax.Array:
        return loc

    @staticmethod
    def _variance(_: jax.Array, scale: jax.Array) -> jax.Array:
        return jnp.square(scale) * (math.pi**2 / 3)

    @staticmethod
    def _log_prob(x: jax.Array, loc: jax.Array, scale: jax.Array) -> jax.Array:
        half = 0.5 * (x - loc) / scale
        # The logarithm of 2 cosh, even and smooth at 0.
        return -2 * jnp.logaddexp(half, -half) - jnp.log(scale)

    @staticmethod
    def _sample(key: jax.Array, shape: tuple[int, ...], loc: jax.Array, scale: jax.Array) -> jax.Array:
        return loc + scale * jax.random.logistic(key, shape, loc.dtype)

    @staticmethod
    def _entropy(_: jax.Array, scale: jax.Array) -> jax.Array:
        return 2 + jnp.log(scale)
