"""Logits of a marginal table; for information, with the digits of the differences between them."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo import _numerics
from jaxinfo._log_domain._rows import Axes, change, joined, present, row_max, selective, total


def _log_sums(pair: tuple[Axes, Axes], z: jax.Array, m: jax.Array, s: jax.Array) -> jax.Array:
    del pair, z, m
    return jnp.log(s)


def _log_means(pair: tuple[Axes, Axes], rows: jax.Array, z: jax.Array, m: jax.Array, s: jax.Array) -> jax.Array:
    """The logarithm of a sum of n is log n and little else where its terms are close; log n is the same in all sums.

    Hence that of the mean, with what differs in the number of terms that are not masked.
    """
    (axes, others), here = pair, present(z)
    n = jnp.maximum(total(here.astype(z.dtype), axes), 1)
    u = total(jnp.where(here, jnp.expm1(z - m), jnp.zeros_like(z)), axes)
    mean = jnp.where(s > 0.5 * n, _numerics.log1p(u / n), jnp.log(s / n))
    counts = jnp.log(n / jnp.max(n, axis=others, keepdims=True, initial=1))
    return jnp.where(rows, mean + counts, jnp.log(s))


_log_total = selective(_log_sums, _log_means)
_CLOSE = 0.25  # logits of a marginal that differ by more than that may be rounded as such


def _or_zero(m: jax.Array) -> jax.Array:
    """0 where all is masked."""
    return jnp.where(m == -jnp.inf, jnp.zeros_like(m), m)


@partial(jax.custom_jvp, nondiff_argnums=(0, 1, 2))
def marginal(axes: Axes, others: Axes, fine: bool, z: jax.Array) -> jax.Array:
    """`log sum exp(z)` but for an offset of the whole table, whose axes are these and the `others`.

    The offset that all logits share would round those of the marginal. `-inf` where all is masked. If `fine`, logits
    that are close to each other keep the digits of their differences.
    """
    m = row_max(z, axes)
    greatest, m = _or_zero(row_max(m, others)), _or_zero(m)
    s = total(jnp.exp(z - m), axes)
    far = (m - greatest) + jnp.log(s)
    if not fine:
        return far
    highest = row_max(far, others)
    lowest = jnp.min(jnp.where(far == -jnp.inf, highest, far), axis=others, keepdims=True, initial=jnp.inf)
    return (m - greatest) + _log_total((axes, others), highest - lowest < _CLOSE, z, m, s)


@marginal.defjvp
def _marginal_jvp(axes: Axes, others: Axes, fine: bool, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (z,), (dz,) = primals, tangents
    greatest = _or_zero(row_max(z, joined((axes, others))))
    share = jnp.exp((z - greatest) - _or_zero(marginal(axes, others, False, z)))
    return marginal(axes, others, fine, z), change(share * dz, axes)
