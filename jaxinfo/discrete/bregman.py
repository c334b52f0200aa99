"""Bregman divergences of vectors."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import _checks
from jaxinfo._checks import Axis
from jaxinfo.discrete.entropies import prepare_pair


@_checks.measure("generator", "axis", "keepdims")
def bregman_divergence(
    p: ArrayLike,
    q: ArrayLike,
    generator: Callable[[jax.Array], jax.Array],
    *,
    axis: Axis = -1,
    keepdims: bool = False,
) -> jax.Array:
    r"""Bregman divergence $D_\varphi(p, q) = \varphi(p) - \varphi(q) - \langle \nabla\varphi(q), p - q\rangle$.

    How far the convex function is at p above its tangent at q. The negative entropy $\sum x \log x$ gives the
    generalised KL, the squared norm the squared Euclidean distance, $-\sum \log x$ that of Itakura and Saito,
    $x^\top A x$ that of Mahalanobis, and a log-partition function the KL of two natural parameters, exchanged.

    Args:
        p: Vectors `[..., K]`, of any sign that the generator takes.
        q: Vectors `[..., K]`, the point of the tangent; batch axes broadcast.
        generator: The convex function, of one vector `[K]` to a number; one that is separable sums over its entries. It
            is differentiable and made of JAX operations. Two equal functions compile once, and a lambda equals only
            itself: define it once, outside of what is compiled.
        axis: The axis or axes of a vector, in order and as one; `None` for all.
        keepdims: Whether these axes stay, with length 1.

    Returns:
        An array over the other axes, in the unit of the generator: at least 0, exactly 0 where `p == q`. Accurate to a
        few roundings of `generator(p)`, so vectors that are close lose digits; `kl_divergence` and other divergences
        that have a name keep them.

    Raises:
        TypeError: If an argument is not real, or `generator` not a function.
        ValueError: If shapes or `axis` do not fit, or the generator does not give one number.

    **Domain**: that of the generator, which has a finite value at p and q and a finite gradient at q; NaN elsewhere.

    **Gradient**: `grad(p) - grad(q)` in `p`, from gradients and so with the digits of close vectors, and the Hessian at
    q times `q - p` in `q`.

    Reference: L. M. Bregman, "The relaxation method of finding the common point of convex sets and its application to
        the solution of problems in convex programming", USSR Computational Mathematics and Mathematical Physics 7,
        1967;
    A. Banerjee, S. Merugu, I. S. Dhillon and J. Ghosh, "Clustering with Bregman Divergences", Journal of Machine
        Learning Research 6, 2005.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> def squared_norm(x):
        ...     return jnp.sum(x**2)
        >>> print(jaxinfo.bregman_divergence(jnp.array([1.0, 2.0]), jnp.array([4.0, 6.0]), squared_norm))
        25.0
    """
    name = "bregman_divergence"
    if not callable(generator):
        raise TypeError(f"{name}: generator must be a function of one vector, got {generator!r}")
    wide_p, wide_q, axes, dtype = prepare_pair(name, p, q, axis, None)
    rows_p, rows_q = (_as_vectors(x, axes) for x in (wide_p, wide_q))
    shape = jax.eval_shape(generator, jax.ShapeDtypeStruct(rows_p.shape[-1:], rows_p.dtype)).shape
    if shape:
        raise ValueError(f"{name}: generator must give one number for a vector, got shape {shape}")

    def gap(x: jax.Array, y: jax.Array) -> jax.Array:
        at_y, slope = jax.jvp(generator, (y,), (x - y,))
        difference = generator(x) - at_y - slope
        # A rounding below 0 is 0, with the derivative of the difference.
        return jnp.where(difference < 0, difference - jax.lax.stop_gradient(difference), difference)

    value = gap
    for _ in rows_p.shape[:-1]:
        value = jax.vmap(value)
    result = value(rows_p, rows_q)
    return (jnp.expand_dims(result, axes) if keepdims else result).astype(dtype)


def _as_vectors(x: jax.Array, axes: tuple[int, ...]) -> jax.Array:
    """The axes, moved to the end, as one."""
    moved = jnp.moveaxis(x, axes, tuple(range(-len(axes), 0)))
    return moved.reshape(*moved.shape[: x.ndim - len(axes)], -1)
