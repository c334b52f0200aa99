"""The inverse Gaussian family."""

import math
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo.distributions._constraints import POSITIVE
from jaxinfo.distributions._exponential_family import ExponentialFamily
from jaxinfo.distributions._family import HasEntropy, family
from jaxinfo.distributions._special.exponential_integral import scaled_exponential_integral
from jaxinfo.distributions._supports import Interval

_HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


@family
class InverseGaussian(ExponentialFamily, HasEntropy):
    r"""The inverse Gaussian, or Wald, distribution on the positive numbers.

    .. math:: p(x) = \sqrt{\frac{\lambda}{2 \pi x^3}} \exp\Big(-\frac{\lambda (x - \mu)^2}{2 \mu^2 x}\Big)

    The first time at which a Brownian motion with drift reaches a level.

    Args:
      loc: the mean $\mu$, in the units of `x`, positive.
      concentration: the shape $\lambda$, in the units of `x` too, positive; the variance is $\mu^3 / \lambda$.

    **Domain** `x > 0`, positive parameters; `log_prob` is `-inf` at 0. A negative parameter gives NaN in its own
    element.

    **Gradient** every quantity is smooth in positive parameters, `sample` by implicit differentiation (of the first
    order).

    Reference: R. S. Chhikara and J. L. Folks, "The Inverse Gaussian Distribution", Marcel Dekker 1989;
    J. R. Michael, W. R. Schucany and R. W. Haas, "Generating random variates using transformations with multiple
    roots", The American Statistician 30, 1976.

    >>> from jaxinfo.distributions import InverseGaussian
    >>> round(float(InverseGaussian(1.0, 2.0).log_prob(0.5)), 4)
    -0.0326
    >>> round(float(InverseGaussian(1.0, 2.0).entropy()), 4)
    0.7627
    """

    loc: ArrayLike
    concentration: ArrayLike

    constraints: ClassVar = {"loc": POSITIVE, "concentration": POSITIVE}
    _statistic_ndims: ClassVar = (0, 0)

    @staticmethod
    def _support(*_: jax.Array) -> Interval:
        return Interval(0.0, math.inf)

    @staticmethod
    def _mean(loc: jax.Array, _: jax.Array) -> jax.Array:
        return loc

    @staticmethod
    def _variance(loc: jax.Array, concentration: jax.Array) -> jax.Array:
        return jnp.square(loc) * (loc / concentration)

    @staticmethod
    def _log_prob(x: jax.Array, loc: jax.Array, concentration: jax.Array) -> jax.Array:
        zero = x == 0
        x = jnp.where(zero, loc, x)
        square = (concentration / x) * jnp.square((x - loc) / loc)
        inside = 0.5 * (jnp.log(concentration / x) - square) - jnp.log(x) - _HALF_LOG_TAU
        return jnp.where(zero, jnp.full_like(x, -jnp.inf), inside)

    @staticmethod
    def _sample(key: jax.Array, shape: tuple[int, ...], loc: jax.Array, concentration: jax.Array) -> jax.Array:
        return loc * _draw(key, shape, concentration / loc)

    @staticmethod
    def _entropy(loc: jax.Array, concentration: jax.Array) -> jax.Array:
        spread = 0.5 * jnp.log(loc / concentration) + _HALF_LOG_TAU + 0.5
        return spread + jnp.log(loc) - 1.5 * _mean_log_below(loc, concentration)

    @staticmethod
    def _natural(loc: jax.Array, concentration: jax.Array) -> tuple[jax.Array, ...]:
        return -0.5 * concentration / loc / loc, -0.5 * concentration

    @staticmethod
    def _from_natural(linear: jax.Array, inverse: jax.Array) -> tuple[jax.Array, ...]:
        return jnp.sqrt(inverse / linear), -2 * inverse

    @staticmethod
    def _log_normalizer(linear: jax.Array, inverse: jax.Array) -> jax.Array:
        return -2 * jnp.sqrt(-linear) * jnp.sqrt(-inverse) - 0.5 * jnp.log(-2 * inverse)

    @staticmethod
    def _natural_allowed(linear: jax.Array, inverse: jax.Array) -> jax.Array:
        return (linear < 0) & (inverse < 0)

    @staticmethod
    def _statistics(x: jax.Array, *_: jax.Array) -> tuple[jax.Array, ...]:
        return x, 1 / x

    @staticmethod
    def _log_base(x: jax.Array, *_: jax.Array) -> jax.Array:
        return -1.5 * jnp.log(x) - _HALF_LOG_TAU

    @staticmethod
    def _mean_log_base(loc: jax.Array, concentration: jax.Array) -> jax.Array:
        return 1.5 * _mean_log_below(loc, concentration) - 1.5 * jnp.log(loc) - _HALF_LOG_TAU


def _mean_log_below(loc: jax.Array, concentration: jax.Array) -> jax.Array:
    """`log(mean) - E log x >= 0`, which is `exp(z) E_1(z)` at `z = 2 concentration / loc`."""
    return scaled_exponential_integral(1, 2 * concentration / loc)


def _draw(key: jax.Array, shape: tuple[int, ...], ratio: jax.Array) -> jax.Array:
    """A draw of mean 1 and concentration `ratio`."""
    normal_key, uniform_key = jax.random.split(key)
    normal = jax.random.normal(normal_key, shape, ratio.dtype)
    return _from_noise(ratio, normal, jax.random.uniform(uniform_key, shape, ratio.dtype))


@jax.custom_jvp
def _from_noise(ratio: jax.Array, normal: jax.Array, uniform: jax.Array) -> jax.Array:
    half = 0.5 * jnp.square(normal) / ratio
    # The smaller root of a quadratic, whose two roots have product 1.
    root = 1 / (1 + half + jnp.sqrt(half * (half + 2)))
    return jnp.where(uniform * (1 + root) <= 1, root, 1 / root)


@_from_noise.defjvp
def _from_noise_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    # Which root is taken depends on the ratio too, so the derivative is that of the quantile, -(dF/dratio) / p, with
    # F(y) = Phi(a) + exp(2 ratio) Phi(-b), a, b = sqrt(ratio / y) (y -+ 1), and Mills' ratio m of the normal at b:
    # y / ratio - 2 m sqrt(y^3 / ratio).
    ratio, _, _ = primals
    y = _from_noise(*primals)
    b = jnp.sqrt(ratio / y) * (1 + y)
    mills = math.sqrt(math.pi / 2) * jax.scipy.special.erfcx(b * math.sqrt(0.5))
    slope = y / ratio - 2 * mills * y * jnp.sqrt(y / ratio)
    return y, slope * tangents[0]
