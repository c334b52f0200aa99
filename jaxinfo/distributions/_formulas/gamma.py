"""Closed forms between distributions that are gamma distributions under another name."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from jaxinfo.distributions._arrays import common_dtype
from jaxinfo.distributions._families.gamma import ChiSquared, Gamma
from jaxinfo.distributions._registry import Formula, closed_form, register_rule


def _of_chi_squared(p: ChiSquared) -> Gamma:
    df = jnp.asarray(p.df).astype(common_dtype(p.df))
    return Gamma(0.5 * df, jnp.full_like(df, 0.5))


def _same(p: Gamma) -> Gamma:
    return p


# Types that are gamma distributions, and how each is written as one.
GAMMAS: dict[type, Callable[[Any], Gamma]] = {Gamma: _same, ChiSquared: _of_chi_squared}


def _between_gammas(measure: str, p: Any, q: Any) -> Formula | None:
    """The formula of the two gamma distributions, where the types differ."""
    as_p, as_q = GAMMAS.get(type(p)), GAMMAS.get(type(q))
    if as_p is None or as_q is None or type(p) is type(q):
        return None
    formula = closed_form(measure, as_p(p), as_q(q))
    return None if formula is None else lambda p, q, **numbers: formula(as_p(p), as_q(q), **numbers)


@register_rule("kl_divergence")
def _kl_divergence(p: Any, q: Any) -> Formula | None:
    return _between_gammas("kl_divergence", p, q)


@register_rule("cross_entropy")
def _cross_entropy(p: Any, q: Any) -> Formula | None:
    return _between_gammas("cross_entropy", p, q)


@register_rule("renyi_divergence")
def _renyi_divergence(p: Any, q: Any) -> Formula | None:
    return _between_gammas("renyi_divergence", p, q)
