"""Matrices of low rank plus diagonal, `diag(d) + F F^T`, by an orthogonal basis of the factor over the diagonal.

With `G = F / sqrt(d)`, the tall matrix `[G; 1]` has orthonormal columns `Q = [top; bottom]` times a triangular `S`.
Then `1 + G^T G = S^T S`, so that the log-determinant is that of `S`, and the inverse of `1 + G G^T` is `1 - top top^T`.
A vector `x` becomes `[x; 0] - Q top^T x`, whose squares sum to `x^T (1 + G G^T)^-1 x`: a sum that does not cancel,
which the formula of Sherman, Morrison and Woodbury would be a difference for.

Reference: N. J. Higham, "Accuracy and Stability of Numerical Algorithms", 2nd ed., SIAM 2002, chapter 20.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxinfo.distributions._special.matrices import diagonal as diagonal_of
from jaxinfo.distributions._special.matrices import lower_factor, on_diagonal, product, transpose


class Basis(NamedTuple):
    """Orthonormal columns `[top; bottom]`, and the log-determinant of `1 + G G^T`."""

    top: jax.Array
    bottom: jax.Array
    log_det: jax.Array

    def embed(self, x: jax.Array) -> jax.Array:
        """Maps columns, over the square root of the diagonal, to columns whose products are those of the inverse."""
        inside = product(transpose(self.top), x)
        return jnp.concatenate([x - product(self.top, inside), -product(self.bottom, inside)], axis=-2)


def basis(factor: jax.Array, root: jax.Array) -> Basis:
    """The basis of a factor over the square root of the diagonal."""
    over = factor / root[..., None]
    rank = factor.shape[-1]
    eye = jnp.broadcast_to(jnp.eye(rank, dtype=factor.dtype), (*factor.shape[:-2], rank, rank))
    columns, upper = jnp.linalg.qr(jnp.concatenate([over, eye], axis=-2))
    log_det = 2 * jnp.sum(jnp.log(jnp.abs(diagonal_of(upper))), axis=-1)
    return Basis(columns[..., :-rank, :], columns[..., -rank:, :], log_det)


def dense_factor(factor: jax.Array, diagonal: jax.Array) -> jax.Array:
    """The lower triangular factor of the covariance, in O(D^3)."""
    return lower_factor(jnp.concatenate([transpose(factor), on_diagonal(jnp.sqrt(diagonal))], axis=-2))
