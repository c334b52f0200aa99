"""The Weibull family."""

import math
from typing import ClassVar

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo.distributions._arrays import log_ratio
from jaxinfo.distributions._constraints import POSITIVE
from jaxinfo.distributions._family import HasEntropy, family
from jaxinfo.distributions._special.extreme_values import EULER, log_gamma, log_gamma_spread
from jaxinfo.distributions._supports import Interval


@family
class Weibull(HasEntropy):
    r"""The Weibull distribution on $[0, \infty)$.

    .. math:: p(x) = \frac{k}{\lambda} \Big(\frac{x}{\lambda}\Big)^{k-1} e^{-(x / \lambda)^k}

    Parameters are in the order of `jax.random.weibull_min`: the scale first, then the shape.

    Args:
      scale: $\lambda$, in the units of `x`, positive; the quantile at $1 - 1/e$.
      concentration: the shape $k$, positive; 1 is the exponential distribution of mean `scale`.

    **Domain** `x >= 0`, positive parameters; at 0 the density is infinite below `concentration` 1 and 0 above it. A
    negative parameter gives NaN in its own element. The relative error of `mean`, `variance` and `kl_divergence` is
    that of the exponents of their powers and gamma functions: as many roundings as these are large (seen: 63 units in
    single precision and 850, or 2e-13, in double).

    **Gradient** every quantity is smooth in positive parameters, `sample` pathwise; at `x = 0` `log_prob` is
    a constant to it. Where `kl_divergence` is beyond the largest number its slope is that at
    the root of this number, of the right sign.

    Reference: N. L. Johnson, S. Kotz and N. Balakrishnan, "Continuous Univariate Distributions 1", 2nd ed., Wiley
    1994, chapter 21.

    >>> from jaxinfo.distributions import Weibull
    >>> round(float(Weibull(2.0, 1.5).log_prob(1.0)), 4)
    -0.9878
    >>> round(float(Weibull(2.0, 1.5).mean), 4)
    1.8055
    """

    scale: ArrayLike
    concentration: ArrayLike

    constraints: ClassVar = {"scale": POSITIVE, "concentration": POSITIVE}

    @staticmethod
    def _support(*_: jax.Array) -> Interval:
        return Interval(0.0, math.inf)

    @staticmethod
    def _mean(scale: jax.Array, concentration: jax.Array) -> jax.Array:
        return scale * jnp.exp(log_gamma(jnp.ones_like(scale), concentration).after)

    @staticmethod
    def _variance(scale: jax.Array, concentration: jax.Array) -> jax.Array:
        mean = Weibull._mean(scale, concentration)
        return mean * (mean * jnp.expm1(log_gamma_spread(jnp.ones_like(scale), concentration)))

    @staticmethod
    def _log_prob(x: jax.Array, scale: jax.Array, concentration: jax.Array) -> jax.Array:
        zero = x == 0
        log_x = log_ratio(jnp.where(zero, scale, x), scale)
        constant = jnp.log(concentration / scale)
        inside = constant + (concentration - 1) * log_x - jnp.exp(concentration * log_x)
        steep = jnp.where(concentration < 1, jnp.full_like(x, jnp.inf), jnp.full_like(x, -jnp.inf))
        return jnp.where(zero, jnp.where(concentration == 1, constant, steep), inside)

    @staticmethod
    def _sample(key: jax.Array, shape: tuple[int, ...], scale: jax.Array, concentration: jax.Array) -> jax.Array:
        return scale * jnp.power(jax.random.exponential(key, shape, scale.dtype), 1 / concentration)

    @staticmethod
    def _entropy(scale: jax.Array, concentration: jax.Array) -> jax.Array:
        return 1 + EULER * (concentration - 1) / concentration + jnp.log(scale / concentration)
