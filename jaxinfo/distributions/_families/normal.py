"""The normal family."""

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
class Normal(ExponentialFamily, HasEntropy):
    r"""The normal distribution $N(\mu, \sigma^2)$ on the real line.

    .. math:: p(x) = \frac{1}{\sigma \sqrt{2 \pi}} \exp\Big(-\frac{(x - \mu)^2}{2 \sigma^2}\Big)

    A pytree whose leaves are kept as given and converted when used. What is an attribute of the distribution
    (`batch_shape`, `support`, `mean`, `variance`) is a property; what takes an argument or computes an information
    measure (`log_prob`, `sample`, `entropy`) is a method.

    Args:
      loc: the mean, in the units of `x`; any shape that broadcasts against `scale`.
      scale: the standard deviation, in the units of `x`, positive.

    **Domain** `scale > 0`. A negative scale gives NaN in its own element; a zero scale is a point mass.

    **Gradient** every quantity is smooth in `loc` and in `scale > 0`, `sample` pathwise.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, chapter 8.

    >>> import jax.numpy as jnp
    >>> from jaxinfo.distributions import Normal
    >>> round(float(Normal(0.0, 2.0).log_prob(1.0)), 4)
    -1.7371
    >>> Normal(jnp.array([0.0, 1.0, 2.0]), 1.0).batch_shape
    (3,)
    """

    loc: ArrayLike
    scale: ArrayLike

    constraints: ClassVar = {"loc": REAL, "scale": POSITIVE}
    _statistic_ndims: ClassVar = (0, 0)

    @staticmethod
    def _support(*_: jax.Array) -> Interval:
        return Interval(-math.inf, math.inf)

    @staticmethod
    def _mean(loc: jax.Array, _: jax.Array) -> jax.Array:
        return loc

    @staticmethod
    def _variance(_: jax.Array, scale: jax.Array) -> jax.Array:
        return jnp.square(scale)

    @staticmethod
    def _log_prob(x: jax.Array, loc: jax.Array, scale: jax.Array) -> jax.Array:
        # Not jax.scipy.stats.norm.logpdf: it squares the scale, which underflows early.
        return -0.5 * jnp.square((x - loc) / scale) - jnp.log(scale) - _HALF_LOG_TAU

    @staticmethod
    def _sample(key: jax.Array, shape: tuple[int, ...], loc: jax.Array, scale: jax.Array) -> jax.Array:
        return loc + scale * jax.random.normal(key, shape, loc.dtype)

    @staticmethod
    def _entropy(_: jax.Array, scale: jax.Array) -> jax.Array:
        return _HALF_LOG_TAU + 0.5 + jnp.log(scale)

    @staticmethod
    def _natural(loc: jax.Array, scale: jax.Array) -> tuple[jax.Array, jax.Array]:
        return loc / scale / scale, -0.5 / scale / scale

    @staticmethod
    def _from_natural(linear: jax.Array, quadratic: jax.Array) -> tuple[jax.Array, jax.Array]:
        return -0.5 * linear / quadratic, jnp.sqrt(-0.5 / quadratic)

    @staticmethod
    def _natural_allowed(_: jax.Array, quadratic: jax.Array) -> jax.Array:
        return quadratic < 0

    @staticmethod
    def _log_normalizer(linear: jax.Array, quadratic: jax.Array) -> jax.Array:
        return -0.25 * jnp.square(linear) / quadratic - 0.5 * jnp.log(-2 * quadratic) + _HALF_LOG_TAU

    @staticmethod
    def _statistics(x: jax.Array, *_: jax.Array) -> tuple[jax.Array, jax.Array]:
        return x, jnp.square(x)
