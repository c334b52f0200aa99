"""The uniform family."""

from collections.abc import Mapping
from typing import ClassVar, Self

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo.distributions._constraints import REAL
from jaxinfo.distributions._family import HasEntropy, family
from jaxinfo.distributions._supports import Interval


@family
class Uniform(HasEntropy):
    r"""The uniform distribution on an interval.

    .. math:: p(x) = \frac{1}{b - a}, \qquad a \le x \le b

    Its unconstrained parameters are `low` and `log_width`.

    Args:
      low: the lower end $a$, in the support.
      high: the upper end $b$, in the support, above `low`.

    **Domain** `low < x < high`, with both ends. `high < low` gives NaN in its own element; with equal ends it is a
    point mass.

    **Gradient** smooth in both ends where `x` is inside, `sample` pathwise; the step of `log_prob` at an end adds
    nothing.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, example 8.1.1.

    >>> from jaxinfo.distributions import Uniform
    >>> round(float(Uniform(0.0, 4.0).entropy()), 4)
    1.3863
    >>> float(Uniform(0.0, 4.0).log_prob(5.0))
    -inf
    """

    low: ArrayLike
    high: ArrayLike

    constraints: ClassVar = {"low": REAL, "high": REAL}

    @staticmethod
    def _support(low: jax.Array, high: jax.Array) -> Interval:
        return Interval(low, high)

    def _allowed(self, *parameters: jax.Array) -> jax.Array:
        low, high = parameters
        return low <= high

    def to_unconstrained(self) -> dict[str, jax.Array]:
        """Returns `low` and the logarithm of the width, each with the whole batch shape."""
        low, high = self.parameters()
        return {"low": low, "log_width": jnp.log(high - low)}

    def from_unconstrained(self, parameters: Mapping[str, jax.Array]) -> Self:
        """Returns the member of this family with these unconstrained parameters; `self` only names the family."""
        low = parameters["low"]
        return type(self)(low, low + jnp.exp(parameters["log_width"]))

    @staticmethod
    def _mean(low: jax.Array, high: jax.Array) -> jax.Array:
        return 0.5 * low + 0.5 * high

    @staticmethod
    def _variance(low: jax.Array, high: jax.Array) -> jax.Array:
        return jnp.square(high - low) / 12

    @staticmethod
    def _log_prob(_: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        return -jnp.log(high - low)

    @staticmethod
    def _sample(key: jax.Array, shape: tuple[int, ...], low: jax.Array, high: jax.Array) -> jax.Array:
        # Rounding must not carry a draw beyond the upper end.
        return jnp.minimum(low + (high - low) * jax.random.uniform(key, shape, low.dtype), high)

    @staticmethod
    def _entropy(low: jax.Array, high: jax.Array) -> jax.Array:
        return jnp.log(high - low)
