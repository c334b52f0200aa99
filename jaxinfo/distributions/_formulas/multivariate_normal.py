"""Closed forms between multivariate normals of any two structures.

A pair of diagonal ones is a sum over coordinates; one that has no full member stays of low rank plus diagonal; any
other pair is taken by triangular factors. With `A = L_q^-1 L_p`, triangular, the Kullback-Leibler divergence is
`1/2 sum_i (a_ii^2 - 1 - 2 log a_ii) + 1/2 sum_(i>j) a_ij^2 + 1/2 |L_q^-1 (mu_p - mu_q)|^2`: no term is negative, and
`A - 1 = L_q^-1 (L_p - L_q)` keeps the digits of close pairs.
"""

import itertools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo import _numerics
from jaxinfo.distributions import _low_rank
from jaxinfo.distributions._families.multivariate_normal import DiagonalNormal, LowRankNormal, MultivariateNormal
from jaxinfo.distributions._formulas import coordinate_normal, dense_normal, low_rank_normal
from jaxinfo.distributions._registry import register
from jaxinfo.distributions._special import matrices

_Formula = Callable[..., jax.Array]
_Parameters = tuple[jax.Array, ...]
_STRUCTURES = (MultivariateNormal, DiagonalNormal, LowRankNormal)


def _coordinates(_: type, parameters: _Parameters) -> _Parameters:
    """Location and scales."""
    return parameters


def _dense(kind: type, parameters: _Parameters) -> _Parameters:
    """Location and triangular factor."""
    loc, *rest = parameters
    if kind is DiagonalNormal:
        return loc, matrices.on_diagonal(rest[0])
    if kind is LowRankNormal:
        return loc, _low_rank.dense_factor(*rest)
    return loc, jnp.tril(rest[0])


def _low_rank_member(kind: type, parameters: _Parameters) -> _Parameters:
    """Location, factor and diagonal."""
    if kind is DiagonalNormal:
        loc, scale = parameters
        return loc, jnp.zeros((*loc.shape, 1), loc.dtype), jnp.square(scale)
    return parameters


def _arrangement(kind_p: type, kind_q: type) -> tuple[Any, Callable[[type, _Parameters], _Parameters]]:
    """The formulas for two structures, and what they take."""
    kinds = {kind_p, kind_q}
    if kinds == {DiagonalNormal}:
        return coordinate_normal, _coordinates
    if MultivariateNormal in kinds:
        return dense_normal, _dense
    return low_rank_normal, _low_rank_member


def _scales(kind: type, parameters: _Parameters) -> jax.Array:
    """The numbers of which one is zero where the member is degenerate."""
    return matrices.diagonal(parameters[1]) if kind is MultivariateNormal else parameters[-1]


def _regular(kind: type, parameters: _Parameters) -> tuple[_Parameters, jax.Array]:
    """The parameters with ones for zero scales, and where a member is degenerate."""
    zero = _scales(kind, parameters) == 0
    last = parameters[-1]
    flags = matrices.on_diagonal(zero) if kind is MultivariateNormal else zero
    return (*parameters[:-1], jnp.where(flags, jnp.ones_like(last), last)), jnp.any(zero, axis=-1)


def _of_pair(formula: _Formula, take: Callable[..., _Parameters], kind_p: type, kind_q: type) -> _Formula:
    """The formula of two members' parameters, infinite where one of them is degenerate and NaN where both are."""
    count = len(kind_p.constraints)

    def of_parameters(*parameters: jax.Array, **numbers: jax.Array) -> jax.Array:
        p, flat_p = _regular(kind_p, parameters[:count])
        q, flat_q = _regular(kind_q, parameters[count:])
        value = formula(take(kind_p, p), take(kind_q, q), **numbers)
        value = jnp.where(flat_p | flat_q, jnp.full_like(value, jnp.inf), value)
        return jnp.where(flat_p & flat_q, jnp.full_like(value, jnp.nan), value)

    return of_parameters


def _renyi(formula: _Formula) -> _Formula:
    def renyi_divergence(p: _Parameters, q: _Parameters, order: jax.Array) -> jax.Array:
        allowed = order >= 0
        value = formula(p, q, jnp.where(allowed, order, jnp.ones_like(order)))
        return jnp.where(allowed, value, jnp.full_like(value, jnp.nan))

    return renyi_divergence


def _bhattacharyya(formula: _Formula) -> _Formula:
    def bhattacharyya_distance(p: _Parameters, q: _Parameters) -> jax.Array:
        batch = p[0].shape[:-1]
        return 0.5 * formula(p, q, jnp.full(batch, 0.5, p[0].dtype))

    return bhattacharyya_distance


def _hellinger(formula: _Formula) -> _Formula:
    def hellinger_distance(p: _Parameters, q: _Parameters) -> jax.Array:
        distance = _bhattacharyya(formula)(p, q)
        # The derivative of expm1 is taken from its value and would cancel where that is near -1.
        near = distance < 0.5
        zero = jnp.zeros_like(distance)
        close = -jnp.expm1(-jnp.where(near, distance, zero))
        return _numerics.square_root(jnp.where(near, close, 1 - jnp.exp(-jnp.where(near, zero, distance))))

    return hellinger_distance


def _transport(kind_p: type, kind_q: type) -> _Formula:
    """The Wasserstein distance of order 2 in the Euclidean metric; NaN for another order."""
    count = len(kind_p.constraints)
    forms, take = _arrangement(kind_p, kind_q)

    def wasserstein_distance(*parameters: jax.Array, order: jax.Array | None = None) -> jax.Array:
        p, q = take(kind_p, parameters[:count]), take(kind_q, parameters[count:])
        value = _numerics.square_root(forms.wasserstein_squared(p, q))
        return value if order is None else jnp.where(order == 2, value, jnp.full_like(value, jnp.nan))

    return wasserstein_distance


for _p, _q in itertools.product(_STRUCTURES, repeat=2):
    _forms, _take = _arrangement(_p, _q)
    _measures = {
        "kl_divergence": _forms.kl_divergence,
        "cross_entropy": _forms.cross_entropy,
        "renyi_divergence": _renyi(_forms.renyi_divergence),
        "bhattacharyya_distance": _bhattacharyya(_forms.renyi_divergence),
        "hellinger_distance": _hellinger(_forms.renyi_divergence),
    }
    for _name, _form in _measures.items():
        register(_name, _p, _q)(_of_pair(_form, _take, _p, _q))
    register("wasserstein_distance", _p, _q)(_transport(_p, _q))
