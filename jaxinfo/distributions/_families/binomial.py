"""The binomial family."""

import math
from typing import ClassVar

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo.distributions._constraints import COUNT, UNIT
from jaxinfo.distributions._exponential_family import ExponentialFamily
from jaxinfo.distributions._family import family
from jaxinfo.distributions._special.counts import deviance, log_factorial_excess
from jaxinfo.distributions._supports import Integers


@family
class Binomial(ExponentialFamily):
    r"""The binomial distribution: how many of `total_count` independent trials succeed.

    .. math:: p(x) = \binom{n}{x} p^x (1 - p)^{n - x}, \qquad x = 0, 1, \dots, n

    Its entropy has no closed form, nor has the divergence from one of more trials: `jaxinfo.densities` sums them.

    Args:
      total_count: the number of trials n, an integer, at least 0.
      probs: the probability of success of one trial, in [0, 1].

    **Domain** `total_count = 0, 1, ...` and `0 <= probs <= 1`, also the ends; NaN outside.

    **Gradient** smooth in `probs`; `total_count` is an integer and has none, nor do draws.

    Reference: N. L. Johnson, A. W. Kemp and S. Kotz, "Univariate Discrete Distributions", 3rd ed., Wiley 2005,
    chapter 3.

    >>> from jaxinfo.distributions import Binomial
    >>> round(float(Binomial(4, 0.5).log_prob(2)), 4), float(Binomial(4, 0.5).variance)
    (-0.9808, 1.0)
    """

    total_count: ArrayLike
    probs: ArrayLike

    constraints: ClassVar = {"total_count": COUNT, "probs": UNIT}
    _fixed: ClassVar = ("total_count",)

    @staticmethod
    def _support(total_count: jax.Array, _: jax.Array) -> Integers:
        return Integers(0, total_count)

    @staticmethod
    def _mean(total_count: jax.Array, probs: jax.Array) -> jax.Array:
        return total_count * probs

    @staticmethod
    def _variance(total_count: jax.Array, probs: jax.Array) -> jax.Array:
        return total_count * probs * (1 - probs)

    @staticmethod
    def _log_prob(x: jax.Array, total_count: jax.Array, probs: jax.Array) -> jax.Array:
        # Not jax.scipy.stats.binom: differences of logarithms of gamma functions lose digits at large counts.
        heads = jax.lax.stop_gradient(x)
        tails = jax.lax.stop_gradient(total_count) - heads
        return _log_orders(heads, tails) - deviance(heads, tails, probs)

    @staticmethod
    def _sample(key: jax.Array, shape: tuple[int, ...], total_count: jax.Array, probs: jax.Array) -> jax.Array:
        draws = jax.random.binomial(key, total_count, probs, shape, total_count.dtype)
        return draws.astype(jnp.result_type(int))

    @staticmethod
    def _natural(_: jax.Array, probs: jax.Array) -> tuple[jax.Array, ...]:
        return (jax.scipy.special.logit(probs),)

    @staticmethod
    def _from_natural(log_odds: jax.Array, total_count: jax.Array) -> tuple[jax.Array, ...]:
        return total_count, jax.nn.sigmoid(log_odds)

    @staticmethod
    def _log_normalizer(log_odds: jax.Array, total_count: jax.Array) -> jax.Array:
        return total_count * jax.nn.softplus(log_odds)

    @staticmethod
    def _statistics(x: jax.Array, *_: jax.Array) -> tuple[jax.Array, ...]:
        return (x,)

    @staticmethod
    def _log_base(x: jax.Array, total_count: jax.Array, _: jax.Array) -> jax.Array:
        # At one half every order of heads and tails has the same probability.
        one_order = -math.log(2) * total_count
        return Binomial._log_prob(x, total_count, jnp.full_like(x, 0.5)) - one_order


def _log_orders(heads: jax.Array, tails: jax.Array) -> jax.Array:
    """The logarithm of the probability of so many heads, were it the mean number."""
    orders = log_factorial_excess(heads + tails)
    return orders - log_factorial_excess(heads) - log_factorial_excess(tails)
