"""Closed forms of Bernoulli and categorical distributions: those of `jaxinfo.discrete` and `jaxinfo.logits`."""

import itertools

import jax
import jax.numpy as jnp

from jaxinfo import _log_domain, discrete, logits
from jaxinfo.distributions._families.bernoulli import Bernoulli
from jaxinfo.distributions._families.categorical import Categorical
from jaxinfo.distributions._registry import register
from jaxinfo.distributions._special.coin import (
    coin_cross_entropy,
    coin_cross_entropy_from_log_odds,
    coin_divergence,
    coin_divergence_from_log_odds,
    spread,
)

# Outcomes that are faster taken one by one, each of all members of a batch.
_FEW = 16


def only(distribution: Bernoulli | Categorical) -> jax.Array:
    """The parameter of a distribution that has one."""
    (value,) = distribution.parameters()
    return value


@register("kl_divergence", Bernoulli, Bernoulli, whole=True)
def _kl_of_coins(p: Bernoulli, q: Bernoulli) -> jax.Array:
    if p.by_logits and q.by_logits:
        return coin_divergence_from_log_odds(only(p), only(q))
    if q.by_logits:
        # A log-odds has more digits than its probability, and a table of two keeps them.
        return logits.kl_divergence_from_probs(jnp.stack(p.faces(), axis=-1), _two_logits(only(q)))
    return coin_divergence(*p.faces(), *q.faces())


def _two_logits(log_odds: jax.Array) -> jax.Array:
    """Logits of 1 and 0, of which the larger is 0."""
    zero = jnp.zeros_like(log_odds)
    return jnp.stack([jnp.minimum(log_odds, zero), jnp.minimum(-log_odds, zero)], axis=-1)


@register("cross_entropy", Bernoulli, Bernoulli, whole=True)
def _cross_entropy_of_coins(p: Bernoulli, q: Bernoulli) -> jax.Array:
    if p.by_logits and q.by_logits:
        return coin_cross_entropy_from_log_odds(only(p), only(q))
    if q.by_logits:
        return logits.cross_entropy_from_probs(jnp.stack(p.faces(), axis=-1), _two_logits(only(q)))
    return coin_cross_entropy(*p.faces(), *q.faces())


@register("kl_divergence", Categorical, Categorical, whole=True)
def _kl_of_tables(p: Categorical, q: Categorical) -> jax.Array:
    p, q = _of_one_length(p, q)
    if not q.by_logits:
        return discrete.kl_divergence(p.table(), only(q))
    if p.by_logits and only(p).shape[-1] <= _FEW:
        z_p, z_q = jnp.broadcast_arrays(only(p), only(q))
        return _log_domain.kl_divergence_of_few((-1,), z_p, z_q)[..., 0]
    return (logits.kl_divergence if p.by_logits else logits.kl_divergence_from_probs)(only(p), only(q))


@register("cross_entropy", Categorical, Categorical, whole=True)
def _cross_entropy_of_tables(p: Categorical, q: Categorical) -> jax.Array:
    p, q = _of_one_length(p, q)
    if not q.by_logits:
        return discrete.cross_entropy(p.table(), only(q))
    return (logits.cross_entropy if p.by_logits else logits.cross_entropy_from_probs)(only(p), only(q))


def _of_one_length(p: Categorical, q: Categorical) -> tuple[Categorical, Categorical]:
    """Both on as many outcomes; those that one of them lacks are impossible."""
    length = max(only(p).shape[-1], only(q).shape[-1])
    return _lengthened(p, length), _lengthened(q, length)


def _lengthened(p: Categorical, length: int) -> Categorical:
    value = only(p)
    missing = (*value.shape[:-1], length - value.shape[-1])
    if p.by_logits:
        return Categorical(logits=jnp.concatenate([value, jnp.full(missing, -jnp.inf, value.dtype)], axis=-1))
    return Categorical(probs=jnp.concatenate([value, jnp.zeros(missing, value.dtype)], axis=-1))


def _as_categorical(p: Bernoulli | Categorical) -> Categorical:
    if isinstance(p, Categorical):
        return p
    if p.by_logits:
        return Categorical(logits=_two_logits(only(p))[..., ::-1])
    return Categorical(probs=jnp.stack(p.faces()[::-1], axis=-1))


for _pair in (Bernoulli, Categorical), (Categorical, Bernoulli):

    @register("kl_divergence", *_pair, whole=True)
    def _kl_of_both(p: Bernoulli | Categorical, q: Bernoulli | Categorical) -> jax.Array:
        return _kl_of_tables(_as_categorical(p), _as_categorical(q))

    @register("cross_entropy", *_pair, whole=True)
    def _cross_entropy_of_both(p: Bernoulli | Categorical, q: Bernoulli | Categorical) -> jax.Array:
        return _cross_entropy_of_tables(_as_categorical(p), _as_categorical(q))


def _renyi(p: Bernoulli | Categorical, q: Bernoulli | Categorical, *, order: jax.Array) -> jax.Array:
    p, q = _of_one_length(_as_categorical(p), _as_categorical(q))
    if p.by_logits and q.by_logits:
        return logits.renyi_divergence(only(p), only(q), order)
    return discrete.renyi_divergence(p.table(), q.table(), order)


for _kinds in itertools.product((Bernoulli, Categorical), repeat=2):
    register("renyi_divergence", *_kinds, whole=True)(_renyi)


@register("fisher_information", Bernoulli, whole=True)
def _information_of_coin(p: Bernoulli) -> jax.Array:
    (value,) = p.parameters()
    variance = spread(value) if p.by_logits else value * (1 - value)
    return (variance if p.by_logits else 1 / variance)[..., None, None]
