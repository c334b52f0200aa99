"""Terms of the distances and divergences that are algebraic in p and q: right at zero, each with its derivative.

As in `_numerics`, values are arithmetic without branches; a square root makes NaN of a negative entry.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo import _numerics
from jaxinfo._numerics import quotient


def _nan_if_negative(p: jax.Array, q: jax.Array) -> jax.Array:
    """0, but NaN where an entry is negative."""
    return _numerics.own(0, p) * jnp.sqrt(jnp.minimum(p, q))


@jax.custom_jvp
def total_variation_term(p: jax.Array, q: jax.Array) -> jax.Array:
    """`|p - q| / 2`."""
    return 0.5 * jnp.abs(p - q) + _nan_if_negative(p, q)


def _total_variation_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (p, q), (dp, dq) = _numerics.apart(*primals), tangents
    slopes = (dp, lambda: 0.5 * jnp.sign(p - q)), (dq, lambda: 0.5 * jnp.sign(q - p))
    return total_variation_term(*primals), _numerics.finite_linear(p, *slopes)


total_variation_term.defjvp(_total_variation_jvp, symbolic_zeros=True)


def chi_squared(p: jax.Array, q: jax.Array) -> jax.Array:
    """`(p - q)^2 / q` of two that are not negative: `inf` where only `q` is 0, 0 where both are."""
    difference = p - q
    either = jnp.maximum(_numerics.tiny(p) - p, _numerics.own(0, p))  # positive where p is 0, else 0
    return difference * (difference / (q + either))


@jax.custom_jvp
def chi_squared_term(p: jax.Array, q: jax.Array) -> jax.Array:
    """The same, NaN where one is negative."""
    return chi_squared(p, q) + _nan_if_negative(p, q)


def _chi_squared_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (p, q), (dp, dq) = _numerics.apart(*primals), tangents

    def slope_p() -> jax.Array:
        edge = jnp.where(p == 0, 0.0, jnp.inf).astype(p.dtype)
        return jnp.where(q == 0, edge, 2 * quotient(p - q, q))

    def slope_q() -> jax.Array:
        edge = jnp.where(p == 0, 1.0, -jnp.inf).astype(p.dtype)
        return jnp.where(q == 0, edge, -quotient(p - q, q) * (1 + quotient(p, q)))

    return chi_squared_term(*primals), _numerics.linear(p, (dp, slope_p), (dq, slope_q))


chi_squared_term.defjvp(_chi_squared_jvp, symbolic_zeros=True)


@jax.custom_jvp
def squared_hellinger_term(p: jax.Array, q: jax.Array) -> jax.Array:
    """`(sqrt p - sqrt q)^2 / 2` from the difference of p and q, which keeps the digits of close ones."""
    root = (p - q) / (jnp.sqrt(p) + jnp.sqrt(q) + _numerics.tiny(p))
    return 0.5 * root * root


def _hellinger_slope(p: jax.Array, q: jax.Array) -> jax.Array:
    """d/dp: `(1 - sqrt(q/p)) / 2`; where p is 0 it is infinite, but for p = q = 0."""
    root_p, root_q = _numerics.square_root(p), _numerics.square_root(q)
    inside = 0.5 * quotient(p - q, root_p * (root_p + root_q))
    return jnp.where((p == 0) & (q == 0), 0.5, inside).astype(p.dtype)


def _squared_hellinger_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (p, q), (dp, dq) = _numerics.apart(*primals), tangents
    slopes = (dp, lambda: _hellinger_slope(p, q)), (dq, lambda: _hellinger_slope(q, p))
    return squared_hellinger_term(*primals), _numerics.finite_linear(p, *slopes)


squared_hellinger_term.defjvp(_squared_hellinger_jvp, symbolic_zeros=True)


def triangular(p: jax.Array, q: jax.Array) -> jax.Array:
    """`(p - q)^2 / (p + q)` of two that are not negative, 0 where both are 0."""
    difference = p - q
    return difference * (difference / (p + q + _numerics.tiny(p)))


@jax.custom_jvp
def triangular_term(p: jax.Array, q: jax.Array) -> jax.Array:
    """The same, NaN where one is negative."""
    return triangular(p, q) + _nan_if_negative(p, q)


def _triangular_slope(p: jax.Array, q: jax.Array) -> jax.Array:
    """d/dp: `s (2 - s)` with `s = (p - q)/(p + q)`; 1 where both are 0."""
    s = quotient(p - q, p + q)
    return jnp.where((p == 0) & (q == 0), 1.0, s * (2 - s)).astype(p.dtype)


def _triangular_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (p, q), (dp, dq) = _numerics.apart(*primals), tangents
    slopes = (dp, lambda: _triangular_slope(p, q)), (dq, lambda: _triangular_slope(q, p))
    return triangular_term(*primals), _numerics.finite_linear(p, *slopes)


triangular_term.defjvp(_triangular_jvp, symbolic_zeros=True)
