"""The multinomial family."""

from typing import ClassVar

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo.distributions._constraints import COUNT, PROBABILITIES
from jaxinfo.distributions._exponential_family import ExponentialFamily
from jaxinfo.distributions._family import family
from jaxinfo.distributions._special.counts import log_factorial_excess, table_deviance
from jaxinfo.distributions._supports import Compositions


@family
class Multinomial(ExponentialFamily):
    r"""The multinomial distribution: how often each of K outcomes comes in `total_count` independent trials.

    .. math:: p(x) = \frac{n!}{\prod_k x_k!} \prod_k p_k^{x_k}, \qquad \sum_k x_k = n

    Its entropy has no closed form. Between members of different `total_count` the divergence is `inf`: their draws
    have different sums.

    Args:
      total_count: the number of trials n, an integer, at least 0, of shape `batch_shape`.
      probs: the probabilities of the outcomes, `[..., K]`; they are not renormalised.

    Raises:
      ValueError: when used, if `probs` has no axis of at least one outcome.

    **Domain** `total_count = 0, 1, ...` and `0 <= probs <= 1`; NaN outside.

    **Gradient** of `log_prob` in `probs` is `x / probs`, 0 where both are 0; `total_count` and draws have none.

    Reference: N. L. Johnson, S. Kotz and N. Balakrishnan, "Discrete Multivariate Distributions", Wiley 1997,
    chapter 35.

    >>> import jax.numpy as jnp
    >>> from jaxinfo.distributions import Multinomial
    >>> dice = Multinomial(3, jnp.array([0.5, 0.25, 0.25]))
    >>> round(float(dice.log_prob(jnp.array([1, 1, 1]))), 4), dice.event_shape
    (-1.674, (3,))
    """

    total_count: ArrayLike
    probs: ArrayLike

    constraints: ClassVar = {"total_count": COUNT, "probs": PROBABILITIES}
    _statistic_ndims: ClassVar = (1,)
    _fixed: ClassVar = ("total_count",)

    @property
    def event_shape(self) -> tuple[int, ...]:
        """`(K,)`, the number of outcomes."""
        if not jnp.ndim(self.probs) or not jnp.shape(self.probs)[-1]:
            raise ValueError(f"Multinomial: the last axis of probs holds the outcomes, got {jnp.shape(self.probs)}")
        return jnp.shape(self.probs)[-1:]

    @staticmethod
    def _support(total_count: jax.Array, _: jax.Array) -> Compositions:
        return Compositions(total_count)

    @staticmethod
    def _mean(total_count: jax.Array, probs: jax.Array) -> jax.Array:
        return total_count[..., None] * probs

    @staticmethod
    def _variance(total_count: jax.Array, probs: jax.Array) -> jax.Array:
        return total_count[..., None] * probs * (1 - probs)

    @staticmethod
    def _log_prob(x: jax.Array, total_count: jax.Array, probs: jax.Array) -> jax.Array:
        counts, total = jax.lax.stop_gradient(x), jax.lax.stop_gradient(total_count)
        orders = log_factorial_excess(total) - jnp.sum(log_factorial_excess(counts), axis=-1)
        return orders - table_deviance(counts, total, probs)

    @staticmethod
    def _sample(key: jax.Array, shape: tuple[int, ...], total_count: jax.Array, probs: jax.Array) -> jax.Array:
        draws = jax.random.multinomial(key, total_count, probs, shape=shape + probs.shape[-1:], dtype=probs.dtype)
        return draws.astype(jnp.result_type(int))

    @staticmethod
    def _natural(_: jax.Array, probs: jax.Array) -> tuple[jax.Array, ...]:
        return (jnp.log(probs),)

    @staticmethod
    def _from_natural(log_probs: jax.Array, total_count: jax.Array) -> tuple[jax.Array, ...]:
        return total_count, jax.nn.softmax(log_probs, axis=-1)

    @staticmethod
    def _log_normalizer(log_probs: jax.Array, total_count: jax.Array) -> jax.Array:
        return total_count * jax.nn.logsumexp(log_probs, axis=-1)

    @staticmethod
    def _statistics(x: jax.Array, *_: jax.Array) -> tuple[jax.Array, ...]:
        return (x,)

    @staticmethod
    def _log_base(x: jax.Array, total_count: jax.Array, _: jax.Array) -> jax.Array:
        return jax.lax.lgamma(total_count + 1) - jnp.sum(jax.lax.lgamma(x + 1), axis=-1)
