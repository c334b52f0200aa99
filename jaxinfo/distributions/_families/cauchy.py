"""The Cauchy family."""

import math
from typing import ClassVar

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo.distributions._constraints import POSITIVE, REAL
from jaxinfo.distributions._family import HasEntropy, family
from jaxinfo.distributions._special.log1p_square import log1p_square
from jaxinfo.distributions._supports import Interval


@family
class Cauchy(HasEntropy):
    r"""The Cauchy distribution on the real line.

    .. math:: p(x) = \frac{1}{\pi \gamma} \Big(1 + \frac{(x - \mu)^2}{\gamma^2}\Big)^{-1}

    Args:
      loc: the median; the mean is not defined (NaN), nor is the variance.
      scale: half the distance between the quartiles, positive.

    **Domain** all real `x`, `scale > 0`. A negative scale gives NaN in its own element.

    **Gradient** every quantity is smooth in `loc` and in `scale > 0`, `sample` pathwise.

    Reference: N. L. Johnson, S. Kotz and N. Balakrishnan, "Continuous Univariate Distributions 1", 2nd ed., Wiley
    1994, chapter 16.

    >>> from jaxinfo.distributions import Cauchy
    >>> round(float(Cauchy(0.0, 1.0).log_prob(1.0)), 4)
    -1.8379
    """

    loc: ArrayLike
    scale: ArrayLike

    constraints: ClassVar = {"loc": REAL, "scale": POSITIVE}

    @staticmethod
    def _support(*_: jax.Array) -> Interval:
        return Interval(-math.inf, math.inf)

    @staticmethod
    def _mean(loc: jax.Array, _: jax.Array) -> jax.Array:
        return jnp.full_like(loc, jnp.nan)

    @staticmethod
    def _variance(loc: jax.Array, _: jax.Array) -> jax.Array:
        return jnp.full_like(loc, jnp.nan)

    @staticmethod
    def _log_prob(x: jax.Array, loc: jax.Array, scale: jax.Array) -> jax.Array:
        return -log1p_square((x - loc) / scale) - jnp.log(math.pi * scale)

    @staticmethod
    def _sample(key: jax.Array, shape: tuple[int, ...], loc: jax.Array, scale: jax.Array) -> jax.Array:
        return loc + scale * jax.random.cauchy(key, shape, loc.dtype)

    @staticmethod
    def _entropy(_: jax.Array, scale: jax.Array) -> jax.Array:
        return jnp.log(4 * math.pi * scale)
