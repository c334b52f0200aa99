"""Closed forms between a categorical distribution and a family of counts: sums over its outcomes.

Either is compared with the other's part on the outcomes 0, ..., K - 1 in the log domain; what a count has beyond them
is one more term that is not negative.
"""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo import logits
from jaxinfo.distributions._families.binomial import Binomial
from jaxinfo.distributions._families.categorical import Categorical
from jaxinfo.distributions._families.geometric import Geometric
from jaxinfo.distributions._families.negative_binomial import NegativeBinomial
from jaxinfo.distributions._families.poisson import Poisson
from jaxinfo.distributions._registry import register


def _log_table(p: Categorical) -> jax.Array:
    """Unnormalised logarithms of the probabilities; one that is 0 has slope 0."""
    (value,) = p.parameters()
    if p.by_logits:
        return value
    some = value > 0
    return jnp.where(some, jnp.log(jnp.where(some, value, jnp.ones_like(value))), jnp.full_like(value, -jnp.inf))


def _log_probs(q: Any, count: int) -> jax.Array:
    """The logarithms of the probabilities of 0, ..., count - 1, along a new last axis."""
    leaves = dict(zip(q.constraints, q.parameters(), strict=True))
    along = dataclasses.replace(q, **{name: leaf[..., None] for name, leaf in leaves.items()})
    return along.log_prob(jnp.arange(count))


def _infinite_unless(known: jax.Array, value: jax.Array) -> jax.Array:
    return jnp.where(known, value, jnp.full_like(value, jnp.inf))


def _to_count(p: Categorical, q: Any) -> jax.Array:
    table = _log_table(p)
    others = _log_probs(q, table.shape[-1])
    mass = jax.scipy.special.logsumexp(others, axis=-1)
    some = jnp.isfinite(mass)
    others = jnp.where(some[..., None], others, jnp.zeros_like(others))
    # Rounding may carry the mass beyond one.
    beyond = jnp.where(some & (mass < 0), -mass, jnp.zeros_like(mass))
    return _infinite_unless(some, logits.kl_divergence(table, others) + beyond)


def _from_count(p: Any, q: Categorical) -> jax.Array:
    table = _log_table(q)
    own = _log_probs(p, table.shape[-1])
    inside = _fits(p, table.shape[-1])
    own = jnp.where(inside[..., None], own, jnp.zeros_like(own))
    return _infinite_unless(inside, logits.kl_divergence(own, table))


def _fits(p: Any, count: int) -> jax.Array:
    """Whether all mass is on 0, ..., count - 1; that of a point mass on 0 always is."""
    high = jnp.broadcast_to(jnp.asarray(p.support.high, p.mean.dtype), p.mean.shape)
    return (high < count) | (p.mean == 0)


def _cross_to_count(p: Categorical, q: Any) -> jax.Array:
    table = _log_table(p)
    return _cross(jax.nn.softmax(table, axis=-1), _log_probs(q, table.shape[-1]))


def _cross_from_count(p: Any, q: Categorical) -> jax.Array:
    table = jax.nn.log_softmax(_log_table(q), axis=-1)
    value = _cross(jnp.exp(_log_probs(p, table.shape[-1])), table)
    return _infinite_unless(_fits(p, table.shape[-1]), value)


def _cross(p: jax.Array, log_q: jax.Array) -> jax.Array:
    some = p > 0
    return jnp.sum(jnp.where(some, -p * jnp.where(some, log_q, jnp.zeros_like(p)), jnp.zeros_like(p)), axis=-1)


for _kind in (Binomial, Geometric, NegativeBinomial, Poisson):
    register("kl_divergence", Categorical, _kind, whole=True)(_to_count)
    register("kl_divergence", _kind, Categorical, whole=True)(_from_count)
    register("cross_entropy", Categorical, _kind, whole=True)(_cross_to_count)
    register("cross_entropy", _kind, Categorical, whole=True)(_cross_from_count)
