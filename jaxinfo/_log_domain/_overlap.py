"""The overlap `sum sqrt(p q)` of two rows, and what is short of it: Hellinger and Bhattacharyya.

Half of `sum (sqrt p - sqrt q)^2` is the mean mass v less the overlap, every term at least 0; roots are cheap, so these
need neither powers nor logarithms.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo import _numerics
from jaxinfo._log_domain._rows import Axes, adaptive, change, total


@jax.custom_jvp
def hellinger_term(p: jax.Array, q: jax.Array) -> jax.Array:
    """`(sqrt p - sqrt q)^2`, from the difference of p and q."""
    root = (p - q) / (jnp.sqrt(p) + jnp.sqrt(q) + jnp.sqrt(_numerics.tiny(p)))
    return root * root


def _root_slope(p: jax.Array, q: jax.Array) -> jax.Array:
    """`1 - sqrt(q / p)`; infinite at p = 0, hence 0, and 1 where q is 0 too."""
    roots = _numerics.square_root(p) * (_numerics.square_root(p) + _numerics.square_root(q))
    return jnp.where((p == 0) & (q == 0), jnp.ones_like(p), _numerics.quotient(p - q, roots))


def _hellinger_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (p, q), (dp, dq) = _numerics.apart(*primals), tangents
    slopes = (dp, lambda: _root_slope(p, q)), (dq, lambda: _root_slope(q, p))
    return hellinger_term(*primals), _numerics.linear(p, *slopes)


hellinger_term.defjvp(_hellinger_jvp, symbolic_zeros=True)


def _bhattacharyya_fast(axes: Axes, p: jax.Array, q: jax.Array) -> jax.Array:
    mass = 0.5 * (total(p, axes) + total(q, axes))
    return -jnp.log(total(jnp.sqrt(p) * jnp.sqrt(q), axes) / mass)


def _bhattacharyya_accurate(axes: Axes, p: jax.Array, q: jax.Array) -> jax.Array:
    mass = 0.5 * (total(p, axes) + total(q, axes))
    return -_numerics.log1p(-0.5 * _numerics.quotient(total(hellinger_term(p, q), axes), mass))


_bhattacharyya = adaptive(_bhattacharyya_fast, _bhattacharyya_accurate, 0.25)


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def bhattacharyya_distance(axes: Axes, p: jax.Array, q: jax.Array) -> jax.Array:
    """`-log(sum sqrt(p q) / v)`."""
    return _bhattacharyya(axes, p, q)


def _bhattacharyya_jvp(axes: Axes, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    """`(1 - sqrt(q/p) e^B) / (2 v)` in p: the slope of the root, and what the logarithm adds."""
    (p, q), (dp, dq) = _numerics.apart(*primals), tangents
    value = bhattacharyya_distance(axes, *primals)
    mass = change(p, axes) + change(q, axes)
    infinite = jnp.isinf(value)
    excess = jnp.expm1(jnp.where(infinite, jnp.zeros_like(value), value))

    def slope(p: jax.Array, q: jax.Array) -> jax.Array:
        ratio = _numerics.quotient(_numerics.square_root(q), _numerics.square_root(p))
        steep = jnp.where(infinite & (p == 0) & (q > 0), -jnp.inf, jnp.zeros_like(p))
        return _numerics.quotient(_root_slope(p, q) - ratio * excess, jnp.broadcast_to(mass, p.shape)) + steep

    return value, change(_numerics.linear(p, (dp, lambda: slope(p, q)), (dq, lambda: slope(q, p))), axes)


bhattacharyya_distance.defjvp(_bhattacharyya_jvp, symbolic_zeros=True)
