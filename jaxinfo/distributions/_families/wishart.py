"""The Wishart family of positive definite matrices."""

import math
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo.distributions._constraints import LOWER_TRIANGULAR, POSITIVE
from jaxinfo.distributions._family import HasEntropy, family
from jaxinfo.distributions._special import matrices, multivariate_gamma
from jaxinfo.distributions._special.matrices import product, solve_lower, transpose
from jaxinfo.distributions._supports import PositiveDefinite

_LOG_2 = math.log(2)


@family
class Wishart(HasEntropy):
    r"""The Wishart distribution of D x D positive definite matrices.

    .. math:: p(X) = \frac{(\det X)^{(\nu - D - 1) / 2} e^{-\mathrm{tr}(V^{-1} X) / 2}}
        {2^{\nu D / 2} (\det V)^{\nu / 2} \Gamma_D(\nu / 2)}, \qquad V = L L^T

    It is the distribution of the sum of :math:`x x^T` over :math:`\nu` draws `x` of a normal with covariance `V`. The
    density is with respect to the entries on and below the diagonal.

    Args:
      df: the degrees of freedom :math:`\nu`, more than D - 1, `[...]`.
      scale_tril: the lower triangular factor `L` of the scale matrix, `[..., D, D]`, with a positive diagonal, in the
        units of `x`. What is above the diagonal is not read. The mean is :math:`\nu L L^T`.

    Raises:
      ValueError: when used, if `scale_tril` is not a square matrix.

    **Domain** `df > D - 1`, a positive diagonal; others give NaN. The density is zero where `x` is not symmetric and
    positive definite; only entries on and below the diagonal count. In float32 logarithms of the gamma function keep
    the digits that XLA's have: about 1e-5 relative where it is near one or two.

    **Gradient** smooth in both. Draws are differentiable in both, in `df` by the implicit rule of `jax.random.gamma`.

    Reference: T. W. Anderson, "An Introduction to Multivariate Statistical Analysis", 3rd ed., Wiley 2003, chapter 7;
    W. B. Smith and R. R. Hocking, "Algorithm AS 53: Wishart variate generator", Applied Statistics 21, 1972.

    >>> import jax.numpy as jnp
    >>> from jaxinfo.distributions import Wishart
    >>> wishart = Wishart(4.0, jnp.eye(2))
    >>> wishart.mean.tolist(), round(float(wishart.log_prob(jnp.eye(2))), 4)
    ([[4.0, 0.0], [0.0, 4.0]], -4.2242)
    """

    df: ArrayLike
    scale_tril: ArrayLike

    constraints: ClassVar = {"df": POSITIVE, "scale_tril": LOWER_TRIANGULAR}

    @property
    def event_shape(self) -> tuple[int, ...]:
        """The shape of one draw, `(D, D)`."""
        return jnp.shape(self._given[1][0])[-2:]

    @property
    def _given(self) -> list[tuple[Any, int]]:
        given = super()._given
        shape = jnp.shape(given[1][0])
        if len(shape) < 2 or shape[-1] != shape[-2]:
            raise ValueError(f"Wishart: scale_tril must be square matrices, got shape {shape}")
        return given

    def to_unconstrained(self) -> dict[str, jax.Array]:
        """Returns the parameters mapped to the real numbers: the logarithm of `df - D + 1`, and the factor."""
        free = super().to_unconstrained()
        df = self.parameters()[0]
        return {
            "log_excess_df": jnp.log(df - (self.event_shape[-1] - 1)),
            **{k: free[k] for k in free if k != "log_df"},
        }

    def from_unconstrained(self, parameters: Any) -> "Wishart":
        """Returns the member with these unconstrained parameters; `self` only names the family."""
        factor = LOWER_TRIANGULAR.from_free(parameters["log_diagonal_scale_tril"])
        return Wishart(jnp.exp(parameters["log_excess_df"]) + (factor.shape[-1] - 1), factor)

    def _allowed(self, *parameters: jax.Array) -> jax.Array:
        df, factor = parameters
        return super()._allowed(*parameters) & (df > factor.shape[-1] - 1)

    @staticmethod
    def _support(*_: jax.Array) -> PositiveDefinite:
        return PositiveDefinite()

    @staticmethod
    def _mean(df: jax.Array, scale_tril: jax.Array) -> jax.Array:
        factor = jnp.tril(scale_tril)
        return df[..., None, None] * product(factor, transpose(factor))

    @staticmethod
    def _variance(df: jax.Array, scale_tril: jax.Array) -> jax.Array:
        factor = jnp.tril(scale_tril)
        scale = product(factor, transpose(factor))
        along = matrices.diagonal(scale)
        return df[..., None, None] * (jnp.square(scale) + along[..., :, None] * along[..., None, :])

    @staticmethod
    def _log_prob(x: jax.Array, df: jax.Array, scale_tril: jax.Array) -> jax.Array:
        size = x.shape[-1]
        inner = solve_lower(scale_tril, jnp.linalg.cholesky(x, symmetrize_input=False))
        log_ratio = jnp.sum(jnp.log(matrices.diagonal(inner)), axis=-1)
        log_scale = jnp.sum(jnp.log(matrices.diagonal(scale_tril)), axis=-1)
        constant = 0.5 * df * size * _LOG_2 + multivariate_gamma.log_gamma(half_excess(df, size), size)
        square = jnp.sum(jnp.square(inner), axis=(-2, -1))
        return (df - size - 1) * log_ratio - (size + 1) * log_scale - 0.5 * square - constant

    @staticmethod
    def _sample(key: jax.Array, shape: tuple[int, ...], df: jax.Array, scale_tril: jax.Array) -> jax.Array:
        # Bartlett's decomposition: chi on the diagonal, normal below it.
        size = scale_tril.shape[-1]
        on, below = jax.random.split(key)
        chi = jnp.sqrt(2 * jax.random.gamma(on, multivariate_gamma.arguments(half_excess(df, size), size)[..., ::-1]))
        normal = jax.random.normal(below, (*shape, size, size), df.dtype)
        factor = product(jnp.tril(scale_tril), jnp.tril(normal, -1) + matrices.on_diagonal(chi))
        return product(factor, transpose(factor))

    @staticmethod
    def _entropy(df: jax.Array, scale_tril: jax.Array) -> jax.Array:
        size = scale_tril.shape[-1]
        excess = half_excess(df, size)
        log_scale = jnp.sum(jnp.log(matrices.diagonal(scale_tril)), axis=-1)
        constant = 0.5 * size * (size + 1) * _LOG_2 + 0.5 * df * size
        gammas = multivariate_gamma.log_gamma(excess, size)
        gammas = gammas - 0.5 * (df - size - 1) * multivariate_gamma.digamma(excess, size)
        return (size + 1) * log_scale + constant + gammas


def half_excess(df: jax.Array, size: int) -> jax.Array:
    """Half of what the degrees of freedom have beyond D - 1, 1 where that is not positive."""
    excess = 0.5 * (df - (size - 1))
    return jnp.where(excess > 0, excess, jnp.ones_like(excess))
