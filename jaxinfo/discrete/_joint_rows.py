"""H(X|Y), I(X;Y|Z) and pointwise information of joint tables, with their derivatives; what they sum over stays an axis.

A variable of a joint table is an axis, or a tuple of axes.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo import _numerics
from jaxinfo._log_domain import Axes, Variables, each, information_and_mass, joined


def relative(tangent: jax.Array, p: jax.Array) -> jax.Array:
    """`dp / p`, 0 where `p` is 0."""
    return tangent * _numerics.quotient(jnp.ones_like(p), p)


def _own(p: jax.Array, dp: jax.Array) -> jax.Array:
    """What a zero entry adds to its marginals: the second derivative in such an entry is infinite, hence 0."""
    return jnp.where(p == 0, dp, jnp.zeros_like(dp))


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def _conditional_surprisal(p: jax.Array, x: Axes) -> jax.Array:
    """`log(p(y) / p(x, y))`, accurate where one x has nearly all of p(y); 0 where `p` is 0."""
    return jnp.log1p(_numerics.quotient(_numerics.others(p, x), p))


@_conditional_surprisal.defjvp
def _conditional_surprisal_jvp(x: Axes, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (p,), (dp,) = primals, tangents
    p_y, dp_y = (jnp.sum(t, axis=x, keepdims=True) for t in (p, dp))
    return _conditional_surprisal(p, x), relative(dp_y - _own(p, dp), p_y) - relative(dp, p)


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def conditional_entropy(p: jax.Array, variables: Variables) -> jax.Array:
    """`sum p(x, y) log(p(y) / p(x, y))`, X the first variable; the derivative through p(y) sums to 0.

    An x that has more than half of p(y) adds `p log1p(rest / p)`, and keeps its digits where X is a function of Y.
    """
    x, axes = each(variables)[0], joined(variables)
    p_y = _numerics.row_sum(p, x, True)
    rest = _numerics.row_sum(_numerics.minor(p, p_y), x, True)
    major, alone = p_y - rest, rest < 0.5 * p_y
    surprisal = jnp.log1p(rest / jnp.where(alone, major, jnp.ones_like(major)))
    own = jnp.where(alone, major * surprisal, jnp.zeros_like(rest))
    p_y = jnp.where(rest >= 0, p_y, jnp.nan)  # of a negative marginal too; and another variable than above
    ratio = (p_y + _numerics.tiny(p)) / (p + _numerics.tiny(p))
    spread = _numerics.row_sum(_numerics.minor(p, p_y, 0.5) * jnp.log(ratio), axes, True)
    return spread + jnp.sum(own, axis=axes, keepdims=True)


@conditional_entropy.defjvp
def _conditional_entropy_jvp(variables: Variables, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (p,), (dp,) = primals, tangents
    change = dp * _conditional_surprisal(p, each(variables)[0])
    return conditional_entropy(p, variables), jnp.sum(change, axis=joined(variables), keepdims=True)


Pair = tuple[Axes, Axes]  # the axes of X and Y; Z is what is left of the joint table


def marginals(p: jax.Array, pair: Pair) -> tuple[jax.Array, jax.Array, jax.Array]:
    """p(x, z), p(y, z) and p(z) of p(x, y, z), with axes kept."""
    x, y = pair
    p_xz, p_yz = _numerics.row_sum(p, y, True), _numerics.row_sum(p, x, True)
    return p_xz, p_yz, _numerics.row_sum(p_xz, x, True)


def changes(dp: jax.Array, pair: Pair) -> tuple[jax.Array, jax.Array, jax.Array]:
    """The tangents of the marginals; linear, so that they can be transposed."""
    x, y = pair
    dp_xz, dp_yz = jnp.sum(dp, axis=y, keepdims=True), jnp.sum(dp, axis=x, keepdims=True)
    return dp_xz, dp_yz, jnp.sum(dp_xz, axis=x, keepdims=True)


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def information_density(p: jax.Array, pair: Pair) -> jax.Array:
    """`log(p(x,y,z) p(z) / (p(x,z) p(y,z)))` as a slope: 0 where a probability is."""
    p_xz, p_yz, p_z = marginals(p, pair)
    given, alone = _numerics.quotient(p, p_xz), jnp.broadcast_to(_numerics.quotient(p_yz, p_z), p.shape)
    return _numerics.log_ratio(given, alone, given - alone)


def _change_of_density(pair: Pair, p: jax.Array, dp: jax.Array) -> jax.Array:
    own, (dp_xz, dp_yz, dp_z) = _own(p, dp), changes(dp, pair)
    p_xz, p_yz, p_z = marginals(p, pair)
    marginal = relative(dp_z - own, p_z) - relative(dp_xz - own, p_xz) - relative(dp_yz - own, p_yz)
    return relative(dp, p) + marginal


@information_density.defjvp
def _information_density_jvp(pair: Pair, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    return information_density(*primals, pair), _change_of_density(pair, *primals, *tangents)


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def plain_density(p: jax.Array, pair: Pair) -> jax.Array:
    """The same without the digits of a ratio close to 1, for sums of either sign."""
    p_xz, p_yz, p_z = marginals(p, pair)
    least = _numerics.tiny(p)
    given, alone = _numerics.fence(1 / jnp.maximum(p_xz, least)), _numerics.fence(p_z / jnp.maximum(p_yz, least))
    return jnp.where(p == 0, jnp.zeros_like(p), jnp.log((p * given) * alone))


@plain_density.defjvp
def _plain_density_jvp(pair: Pair, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    return plain_density(*primals, pair), _change_of_density(pair, *primals, *tangents)


@jax.custom_jvp
def pointwise(p: jax.Array) -> jax.Array:
    """`log(p(x,y) / (p(x) p(y)))`, all of it one fusion, hence no fences; `-inf` where a marginal is 0, too."""
    p_x, p_y = (1 / jnp.maximum(jnp.sum(p, axis=a, keepdims=True), _numerics.tiny(p)) for a in (-1, -2))
    return jnp.log((p * p_x) * p_y)


@pointwise.defjvp
def _pointwise_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (p,), (dp,) = primals, tangents
    slope = jnp.where(p == 0, jnp.inf, _numerics.quotient(jnp.ones_like(p), p))
    marginal = sum(relative(*(jnp.sum(t, axis=a, keepdims=True) for t in (dp, p))) for a in (-1, -2))
    return pointwise(p), _numerics.linear(p, (dp, lambda: slope)) - marginal


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def information(p: jax.Array, variables: Variables) -> jax.Array:
    """I(X;Y|Z), X and Y the first two variables."""
    return information_and_mass(variables, lambda _: p, jnp.zeros((), p.dtype))[0]


@information.defjvp
def _information_jvp(variables: Variables, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (p,), (dp,) = _numerics.apart(*primals), tangents
    x, y = each(variables)[:2]
    # Summed over the table, the derivatives through the marginals cancel.
    change = dp * information_density(p, (x, y))
    return information(*primals, variables), jnp.sum(change, axis=joined(variables), keepdims=True)
