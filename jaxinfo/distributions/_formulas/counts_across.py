"""Closed forms between different families of counts.

Three kinds: a coin compared with anything whose probabilities of 0 and 1 are elementary; anything of known mean under
a geometric distribution, whose logarithm is linear; and a support that the other does not cover, where only a point
mass on 0 is finite. Whatever needs the mean of the logarithm of a factorial has no formula.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from jaxinfo.distributions._families.bernoulli import Bernoulli
from jaxinfo.distributions._families.binomial import Binomial
from jaxinfo.distributions._families.geometric import Geometric
from jaxinfo.distributions._families.negative_binomial import NegativeBinomial
from jaxinfo.distributions._families.poisson import Poisson
from jaxinfo.distributions._formulas.counts import known, times
from jaxinfo.distributions._registry import Formula, closed_form, register, register_rule
from jaxinfo.distributions._special.coin import (
    coin_cross_entropy,
    coin_divergence,
    relative_term,
    weighted_surprisal,
)
from jaxinfo.distributions._special.coin_and_count import coin_to_binomial, coin_to_waiting
from jaxinfo.distributions._special.waiting import mean_cross_entropy

Count = Bernoulli | Binomial | Geometric | NegativeBinomial | Poisson

# ---------------------------------------------------------------------------------------------------------------------
# A coin and a family of counts: the coin against the other's odds of 1 to 0, and what the other spends elsewhere


@register("kl_divergence", Bernoulli, Poisson, whole=True)
def _coin_to_poisson(p: Bernoulli, q: Poisson) -> jax.Array:
    # p log(p / rate) - p + rate and (1 - p) log(1 - p) + p.
    (heads, tails), (rate,) = p.faces(), q.parameters()
    return relative_term(heads, rate, heads - rate) + relative_term(tails, jnp.ones_like(tails), -heads)


@register("kl_divergence", Bernoulli, Binomial, whole=True)
def _coin_to_binomial(p: Bernoulli, q: Binomial) -> jax.Array:
    n, probs = q.parameters()
    return coin_to_binomial(*p.faces(), jax.lax.stop_gradient(n), probs)


@register("kl_divergence", Bernoulli, Geometric, whole=True)
def _coin_to_geometric(p: Bernoulli, q: Geometric) -> jax.Array:
    (probs,) = q.parameters()
    return coin_to_waiting(*p.faces(), jnp.ones_like(probs), probs)


@register("kl_divergence", Bernoulli, NegativeBinomial, whole=True)
def _coin_to_negative_binomial(p: Bernoulli, q: NegativeBinomial) -> jax.Array:
    return coin_to_waiting(*p.faces(), *q.parameters())


@register("cross_entropy", Bernoulli, Poisson, whole=True)
def _cross_coin_to_poisson(p: Bernoulli, q: Poisson) -> jax.Array:
    (heads, _), (rate,) = p.faces(), q.parameters()
    # With a rate above one, -log(rate) is negative.
    return rate + weighted_surprisal(heads, rate, 1 - rate)


@register("cross_entropy", Bernoulli, Binomial, whole=True)
def _cross_coin_to_binomial(p: Bernoulli, q: Binomial) -> jax.Array:
    (heads, tails), (n, probs) = p.faces(), q.parameters()
    none = n == 0
    trials = jnp.where(none, jnp.ones_like(n), jax.lax.stop_gradient(n))
    # Of the trials of the other, `heads` succeed on the average.
    failures = weighted_surprisal((trials - 1) + tails, 1 - probs, probs)
    value = (failures - heads * jnp.log(trials)) + weighted_surprisal(heads, probs, 1 - probs)
    impossible = jnp.where(heads == 0, jnp.zeros_like(value), jnp.full_like(value, jnp.inf))
    return jnp.where(none, impossible, value)


@register("cross_entropy", Bernoulli, NegativeBinomial, whole=True)
def _cross_coin_to_negative_binomial(p: Bernoulli, q: NegativeBinomial) -> jax.Array:
    (heads, _), (r, probs) = p.faces(), q.parameters()
    spent = weighted_surprisal(r, probs, 1 - probs) + weighted_surprisal(heads, 1 - probs, probs)
    return spent - times(heads, jnp.log(r))


# ---------------------------------------------------------------------------------------------------------------------
# A mean under the geometric


def _register_mean(kind: type) -> None:
    @register("cross_entropy", kind, Geometric, whole=True)
    def _cross_to_geometric(p: Count, q: Geometric) -> jax.Array:
        (probs,) = q.parameters()
        return mean_cross_entropy(p._mean(*p.parameters()), probs)


for _kind in (Bernoulli, Binomial, NegativeBinomial, Poisson):
    _register_mean(_kind)


# ---------------------------------------------------------------------------------------------------------------------
# Supports that are not covered: infinite, but for a point mass on 0


def _never_waits(p: Geometric) -> jax.Array:
    return p.parameters()[0] == 1


def _never_fails(p: NegativeBinomial) -> jax.Array:
    successes, probs = p.parameters()
    return (successes == 0) | (probs == 1)


def _never_comes(p: Poisson) -> jax.Array:
    return p.parameters()[0] == 0


def _register_uncovered(kind: type, is_zero: Callable[..., jax.Array]) -> None:
    def to_coin(p: Count, q: Bernoulli) -> jax.Array:
        heads, tails = q.faces()
        return _point_or_infinite(is_zero(p), weighted_surprisal(jnp.ones_like(tails), tails, heads))

    def to_binomial(p: Count, q: Binomial) -> jax.Array:
        n, probs = q.parameters()
        return _point_or_infinite(is_zero(p), weighted_surprisal(n, 1 - probs, probs))

    # The entropy of a point mass is 0, so both measures are one.
    for measure in ("kl_divergence", "cross_entropy"):
        register(measure, kind, Bernoulli, whole=True)(to_coin)
        register(measure, kind, Binomial, whole=True)(to_binomial)


def _point_or_infinite(is_zero: jax.Array, value: jax.Array) -> jax.Array:
    return jnp.where(is_zero, value, jnp.full_like(value, jnp.inf))


for _kind, _is_zero in ((Geometric, _never_waits), (NegativeBinomial, _never_fails), (Poisson, _never_comes)):
    _register_uncovered(_kind, _is_zero)


@register("kl_divergence", Binomial, Bernoulli, whole=True)
def _binomial_to_coin(p: Binomial, q: Bernoulli) -> jax.Array:
    (n, probs), (heads, tails) = p.parameters(), q.faces()
    n = jax.lax.stop_gradient(n)
    never = weighted_surprisal(jnp.ones_like(tails), tails, heads)
    value = _point_or_infinite((n == 0) | (probs == 0), never)
    return jnp.where(n == 1, coin_divergence(probs, 1 - probs, heads, tails), value)


@register("cross_entropy", Binomial, Bernoulli, whole=True)
def _cross_binomial_to_coin(p: Binomial, q: Bernoulli) -> jax.Array:
    (n, probs), (heads, tails) = p.parameters(), q.faces()
    n = jax.lax.stop_gradient(n)
    never = weighted_surprisal(jnp.ones_like(tails), tails, heads)
    value = _point_or_infinite((n == 0) | (probs == 0), never)
    return jnp.where(n == 1, coin_cross_entropy(probs, 1 - probs, heads, tails), value)


# ---------------------------------------------------------------------------------------------------------------------
# Aliases, where a number is known to be one: a binomial of one trial is a coin, one success a geometric distribution


def _simpler(p: Count) -> Count:
    if isinstance(p, Binomial) and _is_one(p.total_count):
        return Bernoulli(probs=p.probs)
    if isinstance(p, NegativeBinomial) and _is_one(p.total_count):
        return Geometric(p.probs)
    return p


def _is_one(value: jax.typing.ArrayLike) -> bool:
    # An array of ones has a batch shape of its own, which the simpler family would lose.
    numbers = known(value)
    return numbers is not None and numbers[0].ndim == 0 and bool(np.all(numbers[0] == 1))


def _alias(measure: str, *members: Count) -> Formula | None:
    simpler = [_simpler(member) for member in members]
    if all(x is y for x, y in zip(simpler, members, strict=True)):
        return None
    formula = closed_form(measure, *simpler)
    return None if formula is None else lambda *given: formula(*(_simpler(member) for member in given))


@register_rule("kl_divergence")
def _kl_rule(p: Count, q: Count) -> Formula | None:
    return _alias("kl_divergence", p, q)


@register_rule("cross_entropy")
def _cross_entropy_rule(p: Count, q: Count) -> Formula | None:
    return _alias("cross_entropy", p, q)


@register_rule("entropy")
def _entropy_rule(p: Count) -> Formula | None:
    return _alias("entropy", p)
