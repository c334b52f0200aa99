"""I(X;Y|Z) as the mean of the divergences of p(y|x,z) from p(y|z): no term is negative and no product underflows."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxinfo import _numerics
from jaxinfo._log_domain._rows import Axes, Variables, again, each, joined, present, row_max, total


def divergence_term(p: jax.Array, q: jax.Array) -> jax.Array:
    """`p log(p/q) - p + q` as `|p log1p(|p - q| / min(p, q)) - |p - q||`.

    Accurate to a few units of `p |log(p/q)|`, which is what information changes by when the table does.
    """
    distance = jnp.abs(p - q)
    return jnp.abs(p * jnp.log1p(distance / (jnp.minimum(p, q) + _numerics.tiny(p))) - distance)


def valid_marginal(p: jax.Array, axes: Axes) -> jax.Array:
    """The sum over axes, which stay; NaN if it is negative. The select ends a fusion, as `fence` does."""
    marginal = jnp.sum(p, axis=axes, keepdims=True)
    return jnp.where(marginal >= 0, marginal, jnp.nan)


def information_and_mass(
    variables: Variables, table: Callable[[jax.Array], jax.Array], m: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """I(X;Y|Z) of a table of any mass, and that mass; X and Y are the first two variables.

    The table is a function of a number for each row, `m`, so that each sum computes it anew.
    """
    (x, y), axes = each(variables)[:2], joined(variables)
    p_xz = valid_marginal(table(m), y)
    p_z = total(p_xz, x)
    mass = total(p_z, axes)
    p_yz = jnp.sum(table(again(m, mass)), axis=x, keepdims=True)
    alone = jnp.where(p_yz >= 0, p_yz / jnp.where(p_z == 0, jnp.ones_like(p_z), p_z), jnp.nan)
    p = table(jnp.where(mass >= 0, m, jnp.nan))
    given = p / jnp.maximum(p_xz, _numerics.tiny(p))
    return total(p_xz * divergence_term(given, jnp.broadcast_to(alone, p.shape)), axes), mass


def is_close(axes: Axes, z: jax.Array) -> jax.Array:
    """Tables whose logits differ by less than 1, but for masks. Arithmetic that puts a mask above all logits."""
    low = -float(jnp.finfo(z.dtype).max) / 64
    lifted = jnp.maximum(z, 8 * low)
    lifted = lifted + 4 * ((low - lifted) + jnp.abs(low - lifted))
    least = _numerics.fence(jnp.min(lifted, axis=axes, keepdims=True, initial=jnp.inf))
    gap = row_max(z, axes) - least
    return (gap >= 0) & (gap < 1)


class Close(NamedTuple):
    """Tables whose logits are close: p(x,z), p(y|x,z), p(y|z), and the difference of the last two."""

    p_xz: jax.Array
    given: jax.Array
    alone: jax.Array
    difference: jax.Array


def close_tables(variables: Variables, z: jax.Array) -> Close:
    """With the digits of the differences between logits; X and Y are the first two variables.

    The unit of mass is `exp(max)`. With `u = expm1(z - max)` and counts n of what is not masked, `p(x,y,z) p(z) -
    p(x,z) p(y,z)` is a number of whole numbers, 0 if all or a product is kept, and terms of the order of u.
    """
    (x, y), here = each(variables)[:2], present(z)
    u = jnp.expm1(jnp.where(here, z - row_max(z, joined(variables)), jnp.zeros_like(z)))
    (n_xz, u_xz), (n_yz, u_yz) = ([total(t, a) for t in (here.astype(z.dtype), u)] for a in (y, x))
    n_z, u_z = total(n_xz, x), total(u_xz, x)
    p_xz, p_yz, p_z = (jnp.where(n == 0, jnp.ones_like(n), n + t) for n, t in ((n_xz, u_xz), (n_yz, u_yz), (n_z, u_z)))
    first = (n_z * u - n_yz * u_xz) + (u_z - n_xz * u_yz)
    apart = ((n_z - n_xz * n_yz) + first) + (u * u_z - u_xz * u_yz)
    alone = jnp.broadcast_to(jnp.where(n_yz == 0, jnp.zeros_like(p_yz), p_yz / p_z), z.shape)
    given = jnp.where(here, 1 + u, jnp.zeros_like(u)) / p_xz
    difference = jnp.where(here, apart / (p_xz * p_z), -alone)
    return Close(jnp.where(n_xz == 0, jnp.zeros_like(p_xz), p_xz), given, alone, difference)


def close_information(variables: Variables, z: jax.Array) -> jax.Array:
    """I(X;Y|Z) of tables whose logits are close."""
    axes = joined(variables)
    p_xz, given, alone, difference = close_tables(variables, z)
    ratio = jnp.where(given > 0, _numerics.log1p(difference / jnp.where(alone > 0, alone, 1)), 0)
    s = _numerics.quotient(difference, given + alone)
    terms = _numerics.divergence_from_log_ratio(given, s, difference, ratio)
    return total(p_xz * terms, axes) / total(p_xz, axes)
