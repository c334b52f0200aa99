"""The Pareto family."""

import math
from typing import ClassVar

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo.distributions._arrays import log_ratio
from jaxinfo.distributions._constraints import POSITIVE
from jaxinfo.distributions._family import HasEntropy, family
from jaxinfo.distributions._supports import Interval


@family
class Pareto(HasEntropy):
    r"""The Pareto distribution on $[m, \infty)$, of the first kind.

    .. math:: p(x) = \frac{\alpha}{x} \Big(\frac{m}{x}\Big)^{\alpha}, \qquad x \ge m

    Args:
      scale: $m$, where the support starts, positive.
      concentration: the tail index $\alpha$, positive. The mean is infinite up to 1, the variance up to 2.

    **Domain** `x >= scale`, positive parameters. A negative parameter gives NaN in its own element.

    **Gradient** every quantity is smooth in positive parameters where `x` is inside, `sample` pathwise; the step of
    `log_prob` at `x == scale` adds nothing.

    Reference: N. L. Johnson, S. Kotz and N. Balakrishnan, "Continuous Univariate Distributions 1", 2nd ed., Wiley
    1994, chapter 20.

    >>> from jaxinfo.distributions import Pareto
    >>> round(float(Pareto(1.0, 3.0).log_prob(2.0)), 4)
    -1.674
    >>> float(Pareto(1.0, 3.0).mean)
    1.5
    """

    scale: ArrayLike
    concentration: ArrayLike

    constraints: ClassVar = {"scale": POSITIVE, "concentration": POSITIVE}

    @staticmethod
    def _support(scale: jax.Array, _: jax.Array) -> Interval:
        return Interval(scale, math.inf)

    @staticmethod
    def _mean(scale: jax.Array, concentration: jax.Array) -> jax.Array:
        finite = concentration > 1
        above = jnp.where(finite, concentration, 2 * jnp.ones_like(scale))
        return jnp.where(finite, scale * (above / (above - 1)), jnp.full_like(scale, jnp.inf))

    @staticmethod
    def _variance(scale: jax.Array, concentration: jax.Array) -> jax.Array:
        finite = concentration > 2
        above = jnp.where(finite, concentration, 3 * jnp.ones_like(scale))
        value = jnp.square(scale / (above - 1)) * (above / (above - 2))
        return jnp.where(finite, value, jnp.full_like(scale, jnp.inf))

    @staticmethod
    def _log_prob(x: jax.Array, scale: jax.Array, concentration: jax.Array) -> jax.Array:
        return jnp.log(concentration / scale) - (concentration + 1) * log_ratio(x, scale)

    @staticmethod
    def _sample(key: jax.Array, shape: tuple[int, ...], scale: jax.Array, concentration: jax.Array) -> jax.Array:
        return scale * jnp.exp(jax.random.exponential(key, shape, scale.dtype) / concentration)

    @staticmethod
    def _entropy(scale: jax.Array, concentration: jax.Array) -> jax.Array:
        return jnp.log(scale / concentration) + 1 + 1 / concentration
