"""The multivariate normal family, in three structures: full, diagonal, and low rank plus diagonal."""

# A subclass states its equations in parameters of its own.
# pyright: reportIncompatibleMethodOverride=false

import math
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo.distributions import _low_rank
from jaxinfo.distributions._arrays import common_dtype, sum_over_last, working_dtype
from jaxinfo.distributions._constraints import LOWER_TRIANGULAR, POSITIVE_VECTOR, REAL_MATRIX, REAL_VECTOR
from jaxinfo.distributions._family import HasEntropy, family
from jaxinfo.distributions._special import matrices
from jaxinfo.distributions._special.matrices import on_columns, product, transpose
from jaxinfo.distributions._supports import Reals

_LOG_TAU = math.log(2 * math.pi)


@family
class MultivariateNormal(HasEntropy):
    r"""The normal distribution $N(\mu, \Sigma)$ of vectors.

    .. math:: p(x) = \frac{1}{\sqrt{(2 \pi)^D \det \Sigma}}
        \exp\Big(-\frac{1}{2} (x - \mu)^T \Sigma^{-1} (x - \mu)\Big)

    The constructor takes the lower triangular factor $L$ of the covariance $\Sigma = L L^T$. `from_covariance` finds
    it; `from_diagonal` and `from_low_rank` give members of subclasses that keep their structure, with the same
    methods: a diagonal one costs O(D), one of low rank plus diagonal O(D R^2), and a D x D array is made only when
    `covariance` or `scale_tril` is asked for.

    Args:
      loc: the mean, `[..., D]`, in the units of `x`.
      scale_tril: the lower triangular factor of the covariance, `[..., D, D]`, in the units of `x`, with a positive
        diagonal. What is above the diagonal is not read.

    Raises:
      ValueError: when used, if `loc` is not a vector or the sizes disagree.

    **Domain** a positive diagonal; a negative number on it gives NaN in that member alone, a zero is a degenerate one.

    **Gradient** every quantity is smooth in `loc` and in the factor, `sample` pathwise.

    Reference: K. P. Murphy, "Probabilistic Machine Learning: An Introduction", MIT Press 2022, section 3.2.

    >>> import jax.numpy as jnp
    >>> from jaxinfo.distributions import MultivariateNormal
    >>> normal = MultivariateNormal(jnp.zeros(2), jnp.array([[1.0, 0.0], [1.0, 2.0]]))
    >>> round(float(normal.log_prob(jnp.array([1.0, 1.0]))), 4)
    -3.031
    >>> MultivariateNormal.from_low_rank(jnp.zeros(3), jnp.ones((3, 1)), jnp.ones(3)).variance.tolist()
    [2.0, 2.0, 2.0]
    """

    loc: ArrayLike
    scale_tril: ArrayLike

    constraints: ClassVar = {"loc": REAL_VECTOR, "scale_tril": LOWER_TRIANGULAR}
    _statistic_ndims: ClassVar = (1, 2)

    @classmethod
    def from_diagonal(cls, loc: ArrayLike, scale: ArrayLike) -> "MultivariateNormal":
        """Returns the normal with independent coordinates of standard deviations `scale`, `[..., D]`."""
        return DiagonalNormal(loc, scale)

    @classmethod
    def from_covariance(cls, loc: ArrayLike, covariance: ArrayLike) -> "MultivariateNormal":
        """Returns the normal with this covariance, `[..., D, D]`; NaN if it is not positive definite."""
        matrix = jnp.asarray(covariance)
        matrix = matrix.astype(common_dtype(covariance))
        factor = jnp.linalg.cholesky(matrix.astype(working_dtype(matrix.dtype)))
        return MultivariateNormal(loc, factor.astype(matrix.dtype))

    @classmethod
    def from_low_rank(cls, loc: ArrayLike, factor: ArrayLike, diagonal: ArrayLike) -> "MultivariateNormal":
        """Returns the normal with covariance `factor factor^T + diag(diagonal)`.

        The factor is `[..., D, R]`, in the units of `x`; the diagonal, `[..., D]`, holds variances and is positive.
        """
        return LowRankNormal(loc, factor, diagonal)

    @property
    def event_shape(self) -> tuple[int, ...]:
        """The shape of one draw, `(D,)`."""
        return (jnp.shape(self._given[0][0])[-1],)

    @property
    def covariance(self) -> jax.Array:
        """The covariance, of shape `batch_shape + (D, D)`."""
        return self._result(self._covariance(*self.parameters()))

    def log_prob(self, x: ArrayLike) -> jax.Array:
        """Returns the log-density at `x`, `[..., D]`, in nats; its batch axes broadcast against `batch_shape`.

        Many points cost one factorisation and a solution each.
        """
        dtype = self._dtype(x)
        # Not broadcast against the points, of which there may be many.
        parameters = [value.astype(working_dtype(dtype)) for value in self.parameters()]
        value = jnp.asarray(x).astype(working_dtype(dtype))
        shape = jnp.broadcast_shapes(value.shape[:-1], self.batch_shape)
        value = jnp.broadcast_to(value, shape + self.event_shape)
        finite = jnp.all(jnp.isfinite(value), axis=-1)
        bounded = jnp.where(jnp.broadcast_to(finite[..., None], value.shape), value, jnp.zeros_like(value))
        log_prob = jnp.broadcast_to(self._log_prob(bounded, *parameters), shape)
        log_prob = jnp.where(finite, log_prob, jnp.full_like(log_prob, -jnp.inf))
        known = jnp.broadcast_to(self._allowed(*parameters), shape) & ~jnp.any(jnp.isnan(value), axis=-1)
        return jnp.where(known, log_prob, jnp.full_like(log_prob, jnp.nan)).astype(dtype)

    def sample(self, key: jax.Array, sample_shape: tuple[int, ...] = ()) -> jax.Array:
        """Returns draws of shape `sample_shape + batch_shape + (D,)`."""
        return self._sample(key, (*sample_shape, *self.batch_shape), *self.parameters()).astype(self._dtype())

    @property
    def _given(self) -> list[tuple[Any, int]]:
        given = super()._given
        shapes = [jnp.shape(value) for value, _ in given]
        enough = all(len(shape) >= ndim for shape, (_, ndim) in zip(shapes, given, strict=True))
        sizes = {shape[len(shape) - ndim] for shape, (_, ndim) in zip(shapes, given, strict=True)} if enough else ()
        full = type(self) is MultivariateNormal
        if len(sizes) != 1 or (full and shapes[1][-1] != shapes[1][-2]):
            names = ", ".join(self.constraints)
            raise ValueError(f"MultivariateNormal: {names} must have the same size D >= 1, got shapes {shapes}")
        return given

    @staticmethod
    def _support(*_: jax.Array) -> Reals:
        return Reals(1)

    @staticmethod
    def _mean(loc: jax.Array, *_: jax.Array) -> jax.Array:
        return loc

    @staticmethod
    def _variance(_: jax.Array, scale_tril: jax.Array) -> jax.Array:
        return jnp.sum(jnp.square(jnp.tril(scale_tril)), axis=-1)

    @staticmethod
    def _covariance(_: jax.Array, scale_tril: jax.Array) -> jax.Array:
        factor = jnp.tril(scale_tril)
        return product(factor, transpose(factor))

    @staticmethod
    def _log_prob(x: jax.Array, loc: jax.Array, scale_tril: jax.Array) -> jax.Array:
        # Not jax.scipy.stats.multivariate_normal: it takes the covariance, and factors it for every point.
        white = on_columns(matrices.solve_lower, scale_tril, x - _lead(loc, x.ndim))
        log_det = matrices.log_determinant(scale_tril)
        constant = log_det + 0.5 * x.shape[-1] * _LOG_TAU
        return -0.5 * jnp.sum(jnp.square(white), axis=-1) - _lead(constant, x.ndim - 1)

    @staticmethod
    def _sample(key: jax.Array, shape: tuple[int, ...], loc: jax.Array, scale_tril: jax.Array) -> jax.Array:
        white = jax.random.normal(key, (*shape, loc.shape[-1]), loc.dtype)
        return _lead(loc, white.ndim) + on_columns(product, jnp.tril(scale_tril), white)

    @staticmethod
    def _entropy(loc: jax.Array, scale_tril: jax.Array) -> jax.Array:
        log_det = matrices.log_determinant(scale_tril)
        return log_det + 0.5 * loc.shape[-1] * (1 + _LOG_TAU)

    @staticmethod
    def _natural(loc: jax.Array, scale_tril: jax.Array) -> tuple[jax.Array, jax.Array]:
        inverse = matrices.solve_lower(scale_tril, matrices.identity_like(scale_tril))
        precision = product(transpose(inverse), inverse)
        return product(precision, loc[..., None])[..., 0], -0.5 * precision

    @staticmethod
    def _from_natural(linear: jax.Array, quadratic: jax.Array) -> tuple[jax.Array, jax.Array]:
        factor = jnp.linalg.cholesky(-2 * quadratic)
        inverse = matrices.solve_lower(factor, matrices.identity_like(factor))
        loc = product(transpose(inverse), product(inverse, linear[..., None]))[..., 0]
        return loc, matrices.lower_factor(inverse)

    @staticmethod
    def _log_normalizer(linear: jax.Array, quadratic: jax.Array) -> jax.Array:
        factor = jnp.linalg.cholesky(-2 * quadratic)
        white = matrices.solve_lower_vector(factor, linear)
        log_det = matrices.log_determinant(factor)
        return 0.5 * jnp.sum(jnp.square(white), axis=-1) - log_det + 0.5 * linear.shape[-1] * _LOG_TAU

    @staticmethod
    def _natural_allowed(linear: jax.Array, quadratic: jax.Array) -> jax.Array:
        del linear
        return ~jnp.any(jnp.isnan(jnp.linalg.cholesky(-2 * quadratic)), axis=(-2, -1))

    @staticmethod
    def _statistics(x: jax.Array, *_: jax.Array) -> tuple[jax.Array, jax.Array]:
        return x, x[..., :, None] * x[..., None, :]


@family
class DiagonalNormal(MultivariateNormal):
    """The multivariate normal with independent coordinates: `MultivariateNormal.from_diagonal(loc, scale)`.

    Args:
      loc: the mean, `[..., D]`.
      scale: the standard deviations, `[..., D]`, positive.
    """

    loc: ArrayLike
    scale: ArrayLike
    scale_tril: ClassVar[Any] = property(lambda self: matrices.on_diagonal(self.parameters()[1]))

    constraints: ClassVar = {"loc": REAL_VECTOR, "scale": POSITIVE_VECTOR}
    _statistic_ndims: ClassVar = (1, 1)

    @staticmethod
    def _variance(_: jax.Array, scale: jax.Array) -> jax.Array:
        return jnp.square(scale)

    @staticmethod
    def _covariance(_: jax.Array, scale: jax.Array) -> jax.Array:
        return matrices.on_diagonal(jnp.square(scale))

    @staticmethod
    def _log_prob(x: jax.Array, loc: jax.Array, scale: jax.Array) -> jax.Array:
        white = (x - _lead(loc, x.ndim)) / _lead(scale, x.ndim)
        constant = jnp.sum(jnp.log(scale), axis=-1) + 0.5 * x.shape[-1] * _LOG_TAU
        return -0.5 * jnp.sum(jnp.square(white), axis=-1) - _lead(constant, x.ndim - 1)

    @staticmethod
    def _sample(key: jax.Array, shape: tuple[int, ...], loc: jax.Array, scale: jax.Array) -> jax.Array:
        white = jax.random.normal(key, (*shape, loc.shape[-1]), loc.dtype)
        return _lead(loc, white.ndim) + _lead(scale, white.ndim) * white

    @staticmethod
    def _entropy(loc: jax.Array, scale: jax.Array) -> jax.Array:
        return sum_over_last(jnp.log, scale) + 0.5 * loc.shape[-1] * (1 + _LOG_TAU)

    @staticmethod
    def _natural(loc: jax.Array, scale: jax.Array) -> tuple[jax.Array, jax.Array]:
        return loc / scale / scale, -0.5 / scale / scale

    @staticmethod
    def _from_natural(linear: jax.Array, quadratic: jax.Array) -> tuple[jax.Array, jax.Array]:
        return -0.5 * linear / quadratic, jnp.sqrt(-0.5 / quadratic)

    @staticmethod
    def _log_normalizer(linear: jax.Array, quadratic: jax.Array) -> jax.Array:
        terms = -0.25 * jnp.square(linear) / quadratic - 0.5 * jnp.log(-2 * quadratic) + 0.5 * _LOG_TAU
        return jnp.sum(terms, axis=-1)

    @staticmethod
    def _natural_allowed(linear: jax.Array, quadratic: jax.Array) -> jax.Array:
        del linear
        return jnp.all(quadratic < 0, axis=-1)

    @staticmethod
    def _statistics(x: jax.Array, *_: jax.Array) -> tuple[jax.Array, jax.Array]:
        return x, jnp.square(x)


@family
class LowRankNormal(MultivariateNormal):
    """The multivariate normal of low rank plus diagonal: `MultivariateNormal.from_low_rank(loc, factor, diagonal)`.

    Densities, draws and entropies cost O(D R^2). They are taken by an orthogonal basis of the factor over the
    diagonal, so that a factor may be far larger than the diagonal: numbers lose what the condition of the whitened
    factor takes, not its square.

    Args:
      loc: the mean, `[..., D]`.
      factor: `[..., D, R]`.
      diagonal: the variances of what the factor leaves, `[..., D]`, positive.
    """

    loc: ArrayLike
    factor: ArrayLike
    diagonal: ArrayLike
    scale_tril: ClassVar[Any] = property(
        lambda self: _low_rank.dense_factor(*self.parameters()[1:]).astype(self._dtype())
    )

    constraints: ClassVar = {"loc": REAL_VECTOR, "factor": REAL_MATRIX, "diagonal": POSITIVE_VECTOR}

    @staticmethod
    def _variance(_: jax.Array, factor: jax.Array, diagonal: jax.Array) -> jax.Array:
        return jnp.sum(jnp.square(factor), axis=-1) + diagonal

    @staticmethod
    def _covariance(_: jax.Array, factor: jax.Array, diagonal: jax.Array) -> jax.Array:
        return product(factor, transpose(factor)) + matrices.on_diagonal(diagonal)

    @staticmethod
    def _log_prob(x: jax.Array, loc: jax.Array, factor: jax.Array, diagonal: jax.Array) -> jax.Array:
        basis = _low_rank.basis(factor, jnp.sqrt(diagonal))
        residual = (x - _lead(loc, x.ndim)) / _lead(jnp.sqrt(diagonal), x.ndim)
        top, bottom = basis.top, basis.bottom
        inside = on_columns(product, transpose(top), residual)
        squares = jnp.sum(jnp.square(residual - on_columns(product, top, inside)), axis=-1)
        squares = squares + jnp.sum(jnp.square(on_columns(product, bottom, inside)), axis=-1)
        constant = 0.5 * (jnp.sum(jnp.log(diagonal), axis=-1) + basis.log_det + x.shape[-1] * _LOG_TAU)
        return -0.5 * squares - _lead(constant, x.ndim - 1)

    @staticmethod
    def _sample(
        key: jax.Array, shape: tuple[int, ...], loc: jax.Array, factor: jax.Array, diagonal: jax.Array
    ) -> jax.Array:
        of_factor, own = jax.random.split(key)
        white = jax.random.normal(own, (*shape, loc.shape[-1]), loc.dtype)
        common = jax.random.normal(of_factor, (*shape, factor.shape[-1]), loc.dtype)
        spread = _lead(jnp.sqrt(diagonal), white.ndim) * white
        return _lead(loc, white.ndim) + on_columns(product, factor, common) + spread

    @staticmethod
    def _entropy(loc: jax.Array, factor: jax.Array, diagonal: jax.Array) -> jax.Array:
        log_det = _low_rank.basis(factor, jnp.sqrt(diagonal)).log_det + jnp.sum(jnp.log(diagonal), axis=-1)
        return 0.5 * (log_det + loc.shape[-1] * (1 + _LOG_TAU))

    @staticmethod
    def _natural(loc: jax.Array, factor: jax.Array, diagonal: jax.Array) -> tuple[jax.Array, jax.Array]:
        dense = MultivariateNormal._natural
        return dense(loc, _low_rank.dense_factor(factor, diagonal))


def _lead(x: jax.Array, ndim: int) -> jax.Array:
    """`x` with axes of length one in front, `ndim` in all."""
    return x.reshape((1,) * (ndim - x.ndim) + x.shape)
