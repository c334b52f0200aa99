"""The geometric family."""

import math
from typing import ClassVar

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo._numerics import log1p
from jaxinfo.distributions._constraints import UNIT
from jaxinfo.distributions._exponential_family import ExponentialFamily
from jaxinfo.distributions._family import HasEntropy, family
from jaxinfo.distributions._special.waiting import geometric_entropy
from jaxinfo.distributions._supports import Integers


@family
class Geometric(ExponentialFamily, HasEntropy):
    r"""The geometric distribution: the number of failures before the first success.

    .. math:: p(x) = p \, (1 - p)^x, \qquad x = 0, 1, 2, \dots

    It counts failures, from 0; counts of trials, from 1, are one more.

    Args:
      probs: the probability of success of one trial, in (0, 1].

    **Domain** `0 < probs <= 1`: at 1 a point mass on 0; at 0 there is no distribution, and mean and entropy are `inf`.
    NaN outside [0, 1].

    **Gradient** smooth in `0 < probs < 1`; at 1 the entropy's and the divergence's is 0, where it is infinite. Draws
    have none.

    Reference: N. L. Johnson, A. W. Kemp and S. Kotz, "Univariate Discrete Distributions", 3rd ed., Wiley 2005,
    chapter 5.

    >>> from jaxinfo.distributions import Geometric
    >>> round(float(Geometric(0.5).log_prob(2)), 4), float(Geometric(0.25).mean)
    (-2.0794, 3.0)
    """

    probs: ArrayLike

    constraints: ClassVar = {"probs": UNIT}

    @staticmethod
    def _support(_: jax.Array) -> Integers:
        return Integers(0, math.inf)

    @staticmethod
    def _mean(probs: jax.Array) -> jax.Array:
        return (1 - probs) / probs

    @staticmethod
    def _variance(probs: jax.Array) -> jax.Array:
        return (1 - probs) / probs / probs

    @staticmethod
    def _log_prob(x: jax.Array, probs: jax.Array) -> jax.Array:
        failures = jax.lax.stop_gradient(x)
        some = failures > 0
        tail = log1p(-jnp.where(some, probs, jnp.zeros_like(probs)))
        return jnp.log(probs) + jnp.where(some, failures * tail, jnp.zeros_like(probs))

    @staticmethod
    def _sample(key: jax.Array, shape: tuple[int, ...], probs: jax.Array) -> jax.Array:
        # Not jax.random.geometric: it counts from 1 and has gaps where the tail is long. An exponential variable,
        # rounded down, is as fine as its float.
        draws = jnp.floor(jax.random.exponential(key, shape, probs.dtype) / -log1p(-probs))
        integer = jnp.result_type(int)
        # The largest float that is an integer of the type.
        most = float(jnp.iinfo(integer).max) * (1 - float(jnp.finfo(probs.dtype).eps))
        return jnp.minimum(draws, most).astype(integer)

    @staticmethod
    def _entropy(probs: jax.Array) -> jax.Array:
        return geometric_entropy(probs)

    @staticmethod
    def _natural(probs: jax.Array) -> tuple[jax.Array, ...]:
        return (log1p(-probs),)

    @staticmethod
    def _from_natural(log_failure: jax.Array) -> tuple[jax.Array, ...]:
        return (-jnp.expm1(log_failure),)

    @staticmethod
    def _natural_allowed(log_failure: jax.Array) -> jax.Array:
        return log_failure < 0

    @staticmethod
    def _log_normalizer(log_failure: jax.Array) -> jax.Array:
        return -jnp.log(-jnp.expm1(log_failure))

    @staticmethod
    def _statistics(x: jax.Array, *_: jax.Array) -> tuple[jax.Array, ...]:
        return (x,)
