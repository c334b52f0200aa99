"""The negative binomial family."""

import math
from typing import ClassVar

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo._numerics import log1p
from jaxinfo.distributions._constraints import POSITIVE, UNIT
from jaxinfo.distributions._exponential_family import ExponentialFamily
from jaxinfo.distributions._family import family
from jaxinfo.distributions._special.counts import negative_binomial_log_prob
from jaxinfo.distributions._supports import Integers


@family
class NegativeBinomial(ExponentialFamily):
    r"""The negative binomial distribution: the number of failures before `total_count` successes.

    .. math:: p(x) = \frac{\Gamma(x + r)}{x! \, \Gamma(r)} \, p^r (1 - p)^x, \qquad x = 0, 1, 2, \dots

    `probs` is the probability of a success, as in SciPy's `nbinom`, and the mean is `r (1 - p) / p`; elsewhere it may
    be that of a failure. Its entropy has no closed form, nor has the divergence between members of different
    `total_count`: `jaxinfo.densities` sums them.

    Args:
      total_count: the number of successes r that ends the count, any positive number.
      probs: the probability of success of one trial, in (0, 1].

    **Domain** `total_count >= 0` and `0 < probs <= 1`: at `total_count = 0` or `probs = 1` a point mass on 0. NaN
    outside.

    **Gradient** smooth in both parameters; in float32 that in `total_count` has the accuracy of the difference of two
    digamma functions of JAX. Draws have none.

    Reference: N. L. Johnson, A. W. Kemp and S. Kotz, "Univariate Discrete Distributions", 3rd ed., Wiley 2005,
    chapter 5.

    >>> from jaxinfo.distributions import NegativeBinomial
    >>> round(float(NegativeBinomial(2.0, 0.5).log_prob(1)), 4), float(NegativeBinomial(3.0, 0.25).mean)
    (-1.3863, 9.0)
    """

    total_count: ArrayLike
    probs: ArrayLike

    constraints: ClassVar = {"total_count": POSITIVE, "probs": UNIT}
    _fixed: ClassVar = ("total_count",)

    @staticmethod
    def _support(*_: jax.Array) -> Integers:
        return Integers(0, math.inf)

    @staticmethod
    def _mean(total_count: jax.Array, probs: jax.Array) -> jax.Array:
        return total_count * ((1 - probs) / probs)

    @staticmethod
    def _variance(total_count: jax.Array, probs: jax.Array) -> jax.Array:
        return total_count * ((1 - probs) / probs) / probs

    @staticmethod
    def _log_prob(x: jax.Array, total_count: jax.Array, probs: jax.Array) -> jax.Array:
        return negative_binomial_log_prob(jax.lax.stop_gradient(x), total_count, probs)

    @staticmethod
    def _sample(key: jax.Array, shape: tuple[int, ...], total_count: jax.Array, probs: jax.Array) -> jax.Array:
        # A Poisson variable whose rate is a gamma variable.
        of_rate, of_draw = jax.random.split(key)
        rate = jax.random.gamma(of_rate, total_count, shape, total_count.dtype) * ((1 - probs) / probs)
        return jax.random.poisson(of_draw, rate, shape).astype(jnp.result_type(int))

    @staticmethod
    def _natural(_: jax.Array, probs: jax.Array) -> tuple[jax.Array, ...]:
        return (log1p(-probs),)

    @staticmethod
    def _from_natural(log_failure: jax.Array, total_count: jax.Array) -> tuple[jax.Array, ...]:
        return total_count, -jnp.expm1(log_failure)

    @staticmethod
    def _natural_allowed(log_failure: jax.Array, _: jax.Array) -> jax.Array:
        return log_failure < 0

    @staticmethod
    def _log_normalizer(log_failure: jax.Array, total_count: jax.Array) -> jax.Array:
        return -total_count * jnp.log(-jnp.expm1(log_failure))

    @staticmethod
    def _statistics(x: jax.Array, *_: jax.Array) -> tuple[jax.Array, ...]:
        return (x,)

    @staticmethod
    def _log_base(x: jax.Array, total_count: jax.Array, _: jax.Array) -> jax.Array:
        # At one half every order of failures and successes has the same probability.
        one_order = -math.log(2) * (total_count + x)
        return negative_binomial_log_prob(x, total_count, jnp.full_like(x, 0.5)) - one_order
