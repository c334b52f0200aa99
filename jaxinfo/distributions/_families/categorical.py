"""The categorical family."""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import discrete, logits
from jaxinfo.distributions._arrays import working_dtype
from jaxinfo.distributions._constraints import PROBABILITIES, REAL_VECTOR
from jaxinfo.distributions._families._either import ProbsOrLogits
from jaxinfo.distributions._family import family
from jaxinfo.distributions._supports import Integers


@family
class Categorical(ProbsOrLogits):
    r"""The categorical distribution on the integers 0, 1, ..., K - 1.

    .. math:: p(k) = p_k = e^{z_k} / \sum_j e^{z_j}

    Exactly one of `probs` and `logits` is given, by keyword; the other stays None. Measures are those of
    `jaxinfo.discrete` on probabilities and of `jaxinfo.logits` on logits, with their accuracy and their gradients.

    Args:
      probs: the probabilities `[..., K]`; they are not renormalised.
      logits: unnormalised log-probabilities `[..., K]`; `-inf` masks an outcome.

    Raises:
      ValueError: when used, unless exactly one is given, with an axis of at least one outcome.

    **Domain** `0 <= probs <= 1`; NaN outside, and where a row of logits has nothing but `-inf`.

    **Gradient** finite in `logits`; in `probs` the divergence's is 0 at 0, as on tables. Draws have none.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, chapter 2.

    >>> import jax.numpy as jnp
    >>> from jaxinfo.distributions import Categorical
    >>> round(float(Categorical(probs=jnp.array([0.5, 0.25, 0.25])).log_prob(2)), 4)
    -1.3863
    >>> Categorical(logits=jnp.zeros((7, 4))).batch_shape
    (7,)
    """

    _: dataclasses.KW_ONLY
    probs: ArrayLike | None = None
    logits: ArrayLike | None = None

    _choices: ClassVar = {"probs": PROBABILITIES, "logits": REAL_VECTOR}

    def parameters(self, *values: ArrayLike) -> list[jax.Array]:
        """Returns `values` and then the table, of one float dtype of at least 32 bits and one batch shape."""
        ((table, _),) = self._given
        if not jnp.ndim(table) or not jnp.shape(table)[-1]:
            raise ValueError(f"Categorical: the last axis holds the outcomes, got shape {jnp.shape(table)}")
        return super().parameters(*values)

    def table(self) -> jax.Array:
        """Returns the probabilities, of shape `batch_shape + (K,)`."""
        (value,) = self.parameters()
        return self._table(value)

    def log_prob(self, x: ArrayLike) -> jax.Array:
        """Returns the logarithm of the probability of the integers `x`, in nats; `x` broadcasts against `batch_shape`.

        It is `-inf` outside 0, ..., K - 1, and NaN where `x` or a parameter is not a number or not allowed.
        """
        # Every logarithm once, and then a choice for every point: the points may be many more than the members.
        dtype = self._dtype(x)
        (value,) = (v.astype(working_dtype(dtype)) for v in self.parameters())
        point = (
            jnp.asarray(x).astype(value.dtype) if jnp.issubdtype(jnp.result_type(x), jnp.floating) else jnp.asarray(x)
        )
        table = -logits.surprisal(value) if self.by_logits else jnp.log(value)
        table = jnp.where(self._allowed(value)[..., None], table, jnp.full_like(table, jnp.nan))
        shape = jnp.broadcast_shapes(point.shape, self.batch_shape)
        point = jnp.broadcast_to(point, shape)
        integers = Integers(0, value.shape[-1] - 1)
        index = integers.inside(point).astype(jnp.int32)  # of NaN, as of what lies outside, the least
        table = table.reshape((1,) * (len(shape) - len(self.batch_shape)) + table.shape)
        log_prob = jnp.take_along_axis(table, index[..., None], axis=-1, mode="clip")[..., 0]
        outside = ~integers.contains(point) & ~jnp.isnan(log_prob)
        log_prob = jnp.where(outside, jnp.full_like(log_prob, -jnp.inf), log_prob)
        return jnp.where(jnp.isnan(point), jnp.full_like(log_prob, jnp.nan), log_prob).astype(dtype)

    def _table(self, value: jax.Array) -> jax.Array:
        return jax.nn.softmax(value, axis=-1) if self.by_logits else value

    def _support(self, value: jax.Array) -> Integers:
        return Integers(0, value.shape[-1] - 1)

    def _mean(self, value: jax.Array) -> jax.Array:
        p = self._table(value)
        return jnp.sum(p * _outcomes(p), axis=-1)

    def _variance(self, value: jax.Array) -> jax.Array:
        p = self._table(value)
        return jnp.sum(p * jnp.square(_outcomes(p) - jnp.sum(p * _outcomes(p), axis=-1, keepdims=True)), axis=-1)

    def _sample(self, key: jax.Array, shape: tuple[int, ...], value: jax.Array) -> jax.Array:
        log_probs = value if self.by_logits else jnp.log(value)
        return jax.random.categorical(key, log_probs, axis=-1, shape=shape).astype(jnp.result_type(int))

    def _entropy(self, value: jax.Array) -> jax.Array:
        return logits.entropy(value) if self.by_logits else discrete.entropy(value)


def _outcomes(p: jax.Array) -> jax.Array:
    return jnp.broadcast_to(jnp.arange(p.shape[-1], dtype=p.dtype), p.shape)
