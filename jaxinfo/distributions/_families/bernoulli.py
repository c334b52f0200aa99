"""The Bernoulli family."""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import discrete, logits
from jaxinfo._numerics import log1p
from jaxinfo.distributions._constraints import REAL, UNIT
from jaxinfo.distributions._families._either import ProbsOrLogits
from jaxinfo.distributions._family import family
from jaxinfo.distributions._special.coin import faces, softplus, spread
from jaxinfo.distributions._supports import Integers


@family
class Bernoulli(ProbsOrLogits):
    r"""The Bernoulli distribution on 0 and 1: one toss of a coin.

    .. math:: p(1) = p, \quad p(0) = 1 - p, \qquad p = 1 / (1 + e^{-z})

    Exactly one of `probs` and `logits` is given, by keyword; the other stays None. Neither is turned into the other:
    `probs` keeps its digits near 0, `logits` near 0 and 1. Between two members by probabilities, or two by log-odds,
    measures are accurate however close they are; between one of each, to the rounding of the log-odds.

    Args:
      probs: the probability of 1, in [0, 1].
      logits: the log-odds of 1, any real number or infinite.

    Raises:
      ValueError: when used, unless exactly one is given.

    **Domain** `0 <= probs <= 1`, also the ends; NaN outside.

    **Gradient** of the divergence and the entropy in `probs` is 0 at 0 and 1, where it is infinite and the value is
    not; in `logits` it is finite always. Draws have none.

    Reference: N. L. Johnson, A. W. Kemp and S. Kotz, "Univariate Discrete Distributions", 3rd ed., Wiley 2005,
    chapter 3.

    >>> from jaxinfo.distributions import Bernoulli
    >>> round(float(Bernoulli(probs=0.25).log_prob(1)), 4), float(Bernoulli(logits=0.0).mean)
    (-1.3863, 0.5)
    """

    _: dataclasses.KW_ONLY
    probs: ArrayLike | None = None
    logits: ArrayLike | None = None

    _choices: ClassVar = {"probs": UNIT, "logits": REAL}

    def faces(self) -> tuple[jax.Array, jax.Array]:
        """Returns the probabilities of 1 and of 0, both with the digits that were given."""
        (value,) = self.parameters()
        return self._faces(value)

    def _faces(self, value: jax.Array) -> tuple[jax.Array, jax.Array]:
        return faces(value) if self.by_logits else (value, 1 - value)

    def _support(self, *_: jax.Array) -> Integers:
        return Integers(0, 1)

    def _mean(self, value: jax.Array) -> jax.Array:
        return self._faces(value)[0]

    def _variance(self, value: jax.Array) -> jax.Array:
        return spread(value) if self.by_logits else value * (1 - value)

    def _log_prob(self, x: jax.Array, value: jax.Array) -> jax.Array:
        one = x == 1
        if self.by_logits:
            return -softplus(jnp.where(one, -value, value))
        # The logarithm that is not wanted is that of 1, so that an infinite slope of it gets nowhere.
        heads, tails = jnp.where(one, value, jnp.ones_like(value)), jnp.where(one, jnp.zeros_like(value), value)
        return jnp.log(heads) + log1p(-tails)

    def _sample(self, key: jax.Array, shape: tuple[int, ...], value: jax.Array) -> jax.Array:
        return jax.random.bernoulli(key, self._faces(value)[0], shape).astype(jnp.result_type(int))

    def _entropy(self, value: jax.Array) -> jax.Array:
        return logits.binary_entropy(value) if self.by_logits else discrete.binary_entropy(value)
