"""The normal family."""

import dataclasses
import math

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo.distributions._arrays import as_floats, broadcast_floats, common_dtype

_HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class Normal:
    r"""The normal distribution $N(\mu, \sigma^2)$ on the real line.

    .. math:: p(x) = \frac{1}{\sigma \sqrt{2 \pi}} \exp\Big(-\frac{(x - \mu)^2}{2 \sigma^2}\Big)

    A pytree whose leaves are kept as given and converted when used. What is an attribute of the distribution
    (`batch_shape`, `support`, `mean`, `variance`) is a property; what takes an argument or computes an information
    measure (`log_prob`, `sample`, `entropy`) is a method.

    Args:
      loc: the mean, in the units of `x`; any shape that broadcasts against `scale`.
      scale: the standard deviation, in the units of `x`, positive.

    **Domain** `scale > 0`. A negative scale gives NaN in its own element; a zero scale is a point mass.

    **Gradient** every quantity is smooth in `loc` and in `scale > 0`, `sample` pathwise.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, chapter 8.

    >>> import jax.numpy as jnp
    >>> from jaxinfo.distributions import Normal
    >>> round(float(Normal(0.0, 2.0).log_prob(1.0)), 4)
    -1.7371
    >>> Normal(jnp.array([0.0, 1.0, 2.0]), 1.0).batch_shape
    (3,)
    """

    loc: ArrayLike
    scale: ArrayLike

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """The shape in which the parameters broadcast."""
        return jnp.broadcast_shapes(jnp.shape(self.loc), jnp.shape(self.scale))

    @property
    def support(self) -> tuple[float, float]:
        """The interval outside which the density is zero."""
        return (-math.inf, math.inf)

    @property
    def mean(self) -> jax.Array:
        """The mean, of shape `batch_shape`."""
        loc, _ = broadcast_floats(self.loc, self.scale)
        return loc.astype(common_dtype(self.loc, self.scale))

    @property
    def variance(self) -> jax.Array:
        """The variance, of shape `batch_shape`."""
        _, scale = broadcast_floats(self.loc, self.scale)
        return jnp.square(scale).astype(common_dtype(self.loc, self.scale))

    def log_prob(self, x: ArrayLike) -> jax.Array:
        """Returns the log-density at `x`, in nats: `x` broadcasts against `batch_shape`."""
        value, loc, scale = broadcast_floats(x, self.loc, self.scale)
        # Not jax.scipy.stats.norm.logpdf: it squares the scale, which hides a negative one and underflows early.
        log_prob = -0.5 * jnp.square((value - loc) / scale) - jnp.log(scale) - _HALF_LOG_TAU
        return log_prob.astype(common_dtype(x, self.loc, self.scale))

    def sample(self, key: jax.Array, sample_shape: tuple[int, ...] = ()) -> jax.Array:
        """Returns draws of shape `sample_shape + batch_shape`, differentiable in `loc` and `scale`."""
        loc, scale = broadcast_floats(self.loc, self.scale)
        shape = tuple(sample_shape) + self.batch_shape
        noise = jax.random.normal(key, shape, loc.dtype)
        draws = jnp.broadcast_to(loc, shape) + jnp.broadcast_to(scale, shape) * noise
        return draws.astype(common_dtype(self.loc, self.scale))

    def entropy(self) -> jax.Array:
        r"""Returns the differential entropy :math:`\frac{1}{2} \log(2 \pi e \sigma^2)`, in nats."""
        _, scale = broadcast_floats(self.loc, self.scale)
        return (_HALF_LOG_TAU + 0.5 + jnp.log(scale)).astype(common_dtype(self.loc, self.scale))

    def broadcast_to(self, batch_shape: tuple[int, ...]) -> "Normal":
        """Returns this distribution with every leaf of shape `batch_shape`."""
        loc, scale = as_floats(self.loc, self.scale)
        return Normal(jnp.broadcast_to(loc, batch_shape), jnp.broadcast_to(scale, batch_shape))

    def to_unconstrained(self) -> dict[str, jax.Array]:
        """Returns `{"loc": loc, "log_scale": log(scale)}`, each of shape `batch_shape`, free to take any real value."""
        loc, scale = broadcast_floats(self.loc, self.scale)
        return {"loc": loc, "log_scale": jnp.log(scale)}

    def from_unconstrained(self, parameters: dict[str, jax.Array]) -> "Normal":
        """Returns the normal distribution of these unconstrained parameters; `self` only names the family."""
        loc, log_scale = as_floats(parameters["loc"], parameters["log_scale"])
        return Normal(loc, jnp.exp(log_scale))
