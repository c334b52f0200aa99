"""The Laplace family."""

import math
from typing import ClassVar

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo.distributions._constraints import POSITIVE, REAL
from jaxinfo.distributions._family import HasEntropy, family
from jaxinfo.distributions._special.absolute_value import absolute
from jaxinfo.distributions._supports import Interval


@family
class Laplace(HasEntropy):
    r"""The Laplace, or double exponential, distribution on the real line.

    .. math:: p(x) = \frac{1}{2 b} \exp\Big(-\frac{|x - \mu|}{b}\Big)

    Args:
      loc: the mean and median.
      scale: the mean distance from `loc`, positive; the standard deviation is $\sqrt 2$ times it.

    **Domain** all real `x`, `scale > 0`. A negative scale gives NaN in its own element.

    **Gradient** smooth in `scale > 0` and in `loc`, but that the derivative of `log_prob` in `x` or `loc`, a step, is 0
    at `x == loc`; `sample` pathwise.

    Reference: S. Kotz, T. J. Kozubowski and K. Podgórski, "The Laplace Distribution and Generalizations", Birkhäuser
    2001, chapter 2.

    >>> from jaxinfo.distributions import Laplace
    >>> round(float(Laplace(0.0, 2.0).log_prob(1.0)), 4)
    -1.8863
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
        return 2 * jnp.square(scale)

    @staticmethod
    def _log_prob(x: jax.Array, loc: jax.Array, scale: jax.Array) -> jax.Array:
        return -absolute((x - loc) / scale) - jnp.log(2 * scale)

    @staticmethod
    def _sample(key: jax.Array, shape: tuple[int, ...], loc: jax.Array, scale: jax.Array) -> jax.Array:
        return loc + scale * jax.random.laplace(key, shape, loc.dtype)

    @staticmethod
    def _entropy(_: jax.Array, scale: jax.Array) -> jax.Array:
        return 1 + jnp.log(2 * scale)
