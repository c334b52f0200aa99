"""Exact values of terms of the pattern language, from the definitions over sets of axes of one joint table.

A term is `(coefficient, groups, given)`, groups and given being tuples of axes: `(2, ((0,), (1, 2)), (3,))` is
2 I(0; 1 2 | 3). Nothing here knows how a pattern is written or simplified.
"""

from __future__ import annotations

import numpy as np

from tests import oracles
from tests.oracles import ratio_or_zero


def marginal(p, axes):
    """The table summed over all other axes, which stay."""
    others = tuple(a for a in range(p.ndim) if a not in axes)
    return np.broadcast_to(p.sum(axis=others, keepdims=True), p.shape) if others else p


def density(p, groups, given):
    """The logarithm whose mean a term is: `-log p(a | c)`, `log(p(a, b | c) / (p(a | c) p(b | c)))`, and so on.

    0 where what is measured has no mass.
    """
    first, *others = groups
    if len(others) > 1:  # I(a; ...; l | c) = I(a; ...; k | c) - I(a; ...; k | c, l)
        rest = groups[:-1]
        return density(p, rest, given) - density(p, rest, (*given, *groups[-1]))
    measured = marginal(p, {*given, *(a for g in groups for a in g)})
    condition = marginal(p, given) if given or others else np.full(p.shape, oracles.mpf(1))
    if others:
        single = marginal(p, {*first, *given}) * marginal(p, {*others[0], *given})
        ratio = ratio_or_zero(measured * condition, single)
    else:
        ratio = ratio_or_zero(condition, measured)
    return oracles.log(np.where(measured == 0, oracles.mpf(1), ratio))


def combination(p, terms):
    """The mean of the densities."""
    return sum(c * (p * density(p, groups, given)).sum() for c, groups, given in terms)


def combination_gradient(p, terms):
    """Those of densities that are ratios of conditional probabilities cancel; an entropy's own is -1."""
    total = np.full(p.shape, oracles.mpf(0))
    for c, groups, given in terms:
        own = np.full(p.shape, oracles.mpf(0))
        if len(groups) == 1 and not given:
            own = np.where(marginal(p, groups[0]) == 0, oracles.mpf(0), oracles.mpf(1))
        total = total + c * (density(p, groups, given) - own)
    return (total,)


def _of(*terms):
    return (lambda p: combination(p, terms)), (lambda p: combination_gradient(p, terms))


def _of_logits(*terms):
    def value(z):
        return combination(oracles.normalise(z)[0], terms)

    def gradient(z):
        p = oracles.normalise(z)[0]
        return (oracles.through_softmax(p, combination_gradient(p, terms)[0]),)

    return value, gradient


_X = (1, ((0,),), ())
_XZ = (1, ((0,), (2,)), ())
_CO = (1, ((0,), (1,), (2,)), ())
logits_marginal_entropy, logits_marginal_entropy_gradient = _of_logits(_X)
logits_marginal_information, logits_marginal_information_gradient = _of_logits(_XZ)
co_information, co_information_gradient = _of(_CO)
logits_co_information, logits_co_information_gradient = _of_logits(_CO)
