"""The exact values of the measures of many variables, each from entropies of marginal tables.

All are sums `sum_S a_S H(S)` with the entropies of sets of variables that the textbook names; the chain rules that the
library sums by are not used. Of a table of mass c, `H(S) = -sum p_S log(p_S / c)`, which is that of the normalised
table times c; its derivative is `log(c / p_S)`.
"""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np

from tests.oracles import (
    chop,
    equals,
    exact,
    log_or_zero,
    mpf,
    normalise,
    ratio_or_zero,
    select,
    sqrt,
    through_softmax,
    to_floats,
    weighted_log,
)


def _marginal(p, kept):
    others = tuple(axis for axis in range(p.ndim) if axis not in kept)
    return p.sum(axis=others, keepdims=True) if others else p


def _entropy(p, kept):
    marginal = _marginal(p, kept)
    mass = _marginal(p, ())
    return (marginal * log_or_zero(mass + 0 * marginal)).sum() - weighted_log(marginal, marginal).sum()


def _sum(coefficients, p):
    return chop(sum(a * _entropy(p, kept) for kept, a in coefficients(p.ndim).items() if a))


def _slope(coefficients, p):
    """Its derivative; 0 where p is 0."""
    log_mass = log_or_zero(_marginal(p, ()))
    slope = sum(a * (log_mass - log_or_zero(_marginal(p, kept)) + 0 * p) for kept, a in coefficients(p.ndim).items())
    return select(equals(p, 0), 0, slope)


def _rest(n):
    return [tuple(j for j in range(n) if j != i) for i in range(n)]


def _times(number, sets):
    counted = Counter()
    for kept in sets:
        counted[kept] += number
    return counted


def _added(*parts):
    total = Counter()
    for part in parts:
        for kept, a in part.items():
            total[kept] += a
    return total


def total_correlation_terms(n):
    """sum_i H(X_i) - H(X)."""
    return _added(_times(1, [(i,) for i in range(n)]), _times(-1, [tuple(range(n))]))


def dual_total_correlation_terms(n):
    """H(X) - sum_i H(X_i | X_-i), where H(X_i | X_-i) = H(X) - H(X_-i)."""
    return _added(_times(1 - n, [tuple(range(n))]), _times(1, _rest(n)))


def s_information_terms(n):
    """sum_i I(X_i; X_-i)."""
    return _added(_times(1, [(i,) for i in range(n)]), _times(1, _rest(n)), _times(-n, [tuple(range(n))]))


def o_information_terms(n):
    """(n - 2) H(X) + sum_i H(X_i) - H(X_-i)."""
    return _added(_times(n - 2, [tuple(range(n))]), _times(1, [(i,) for i in range(n)]), _times(-1, _rest(n)))


def co_information_terms(n):
    """-sum_S (-1)^|S| H(S)."""
    sets = [s for size in range(1, n + 1) for s in itertools.combinations(range(n), size)]
    return Counter({s: (-1) ** (len(s) + 1) for s in sets})


def interaction_information_terms(n):
    return Counter({s: (-1) ** n * a for s, a in co_information_terms(n).items()})


def transfer_entropy_terms(n):
    """H(next | past) - H(next | past, source) of the axes next, past, source."""
    del n
    return Counter({(0, 1): 1, (1,): -1, (0, 1, 2): -1, (1, 2): 1})


def active_information_storage_terms(n):
    """H(next) - H(next | past)."""
    del n
    return Counter({(0,): 1, (0, 1): -1, (1,): 1})


def variation_of_information_terms(n):
    """H(X|Y) + H(Y|X)."""
    del n
    return Counter({(0, 1): 2, (0,): -1, (1,): -1})


def _of_tables(coefficients):
    return (lambda p: _sum(coefficients, p)), (lambda p: (_slope(coefficients, p),))


def _of_logits(coefficients):
    def value(z):
        return _sum(coefficients, normalise(z)[0])

    def gradient(z):
        p = normalise(z)[0]
        return (through_softmax(p, _slope(coefficients, p)),)

    return value, gradient


total_correlation, total_correlation_gradient = _of_tables(total_correlation_terms)
dual_total_correlation, dual_total_correlation_gradient = _of_tables(dual_total_correlation_terms)
s_information, s_information_gradient = _of_tables(s_information_terms)
o_information, o_information_gradient = _of_tables(o_information_terms)
co_information, co_information_gradient = _of_tables(co_information_terms)
interaction_information, interaction_information_gradient = _of_tables(interaction_information_terms)
transfer_entropy, transfer_entropy_gradient = _of_tables(transfer_entropy_terms)
active_information_storage, active_information_storage_gradient = _of_tables(active_information_storage_terms)
variation_of_information, variation_of_information_gradient = _of_tables(variation_of_information_terms)

logits_total_correlation, logits_total_correlation_gradient = _of_logits(total_correlation_terms)
logits_dual_total_correlation, logits_dual_total_correlation_gradient = _of_logits(dual_total_correlation_terms)
logits_s_information, logits_s_information_gradient = _of_logits(s_information_terms)
logits_o_information, logits_o_information_gradient = _of_logits(o_information_terms)
logits_co_information, logits_co_information_gradient = _of_logits(co_information_terms)
logits_interaction_information, logits_interaction_information_gradient = _of_logits(interaction_information_terms)
logits_transfer_entropy, logits_transfer_entropy_gradient = _of_logits(transfer_entropy_terms)
logits_active_information_storage, logits_active_information_storage_gradient = _of_logits(
    active_information_storage_terms
)
logits_variation_of_information, logits_variation_of_information_gradient = _of_logits(variation_of_information_terms)


# --- normalised information -------------------------------------------------------------------------------------

_X, _Y, _XY = Counter({(0,): 1}), Counter({(1,): 1}), Counter({(0, 1): 1})


def _mean(normalizer, x, y, xy):
    """The mean, and its derivatives in the three entropies."""
    half, zero, one = mpf(0.5), mpf(0), mpf(1)
    if normalizer == "joint":
        return xy, (zero, zero, one)
    if normalizer == "arithmetic":
        return half * (x + y), (half, half, zero)
    if normalizer == "geometric":
        root = sqrt(x * y)
        if root == 0:
            return zero, (zero, zero, zero)
        return root, (half * y / root, half * x / root, zero)
    first = (x <= y) == (normalizer == "min")
    return (x, (one, zero, zero)) if first else (y, (zero, one, zero))


def normalized_mutual_information(p, normalizer):
    x, y, xy = (_sum(lambda _, t=t: t, p) for t in (_X, _Y, _XY))
    mean, _ = _mean(normalizer, x, y, xy)
    return chop(_sum(active_information_storage_terms, p) / mean) if mean != 0 else mpf(0)


def normalized_mutual_information_gradient(p, normalizer):
    terms = (_X, _Y, _XY)
    mean, slopes = _mean(normalizer, *(_sum(lambda _, t=t: t, p) for t in terms))
    if mean == 0:
        return (0 * p,)
    value = _sum(active_information_storage_terms, p) / mean
    d_mean = sum(s * _slope(lambda _, t=t: t, p) for s, t in zip(slopes, terms, strict=True))
    return ((_slope(active_information_storage_terms, p) - value * d_mean) / mean,)


def logits_normalized_mutual_information(z, normalizer):
    return normalized_mutual_information(normalise(z)[0], normalizer)


def logits_normalized_mutual_information_gradient(z, normalizer):
    p = normalise(z)[0]
    return (through_softmax(p, normalized_mutual_information_gradient(p, normalizer)[0]),)


# --- pointwise --------------------------------------------------------------------------------------------------


def pointwise_total_correlation(p):
    """log(p / prod p_i); -inf at a zero."""
    marginals = sum(log_or_zero(_marginal(p, (i,))) + 0 * p for i in range(p.ndim))
    return select(equals(p, 0), -np.inf, log_or_zero(p) - marginals)


def pointwise_conditional_mutual_information(p):
    """log(p p_z / (p_xz p_yz)); -inf at a zero."""
    p_z, p_xz, p_yz = (_marginal(p, kept) for kept in ((2,), (0, 2), (1, 2)))
    value = log_or_zero(p) + log_or_zero(p_z) - log_or_zero(p_xz) - log_or_zero(p_yz)
    return select(equals(p, 0), -np.inf, value)


def _relative_to(total, value):
    total, value = to_floats(total)[0], np.abs(to_floats(value)[0])
    return np.where(np.isfinite(total / value), total / value, 1.0)


def pointwise_total_correlation_conditions(p):
    """For every outcome, sum over cells of |x d/dx| over the value."""
    p = exact(p)
    shares = [ratio_or_zero(p, _marginal(p, (i,)) + 0 * p) for i in range(p.ndim)]
    return _relative_to(abs(1 - sum(shares)) + sum(1 - s for s in shares), pointwise_total_correlation(p))


def pointwise_conditional_mutual_information_conditions(p):
    """The same: the own cell, those beside it in x, those beside it in y, and the rest of its z."""
    p = exact(p)
    p_z, p_xz, p_yz = (_marginal(p, kept) + 0 * p for kept in ((2,), (0, 2), (1, 2)))
    z, xz, yz = (ratio_or_zero(p, m) for m in (p_z, p_xz, p_yz))
    beside = sum(ratio_or_zero(m - p, m) - ratio_or_zero(m - p, p_z) for m in (p_xz, p_yz))
    rest = ratio_or_zero(p_z - p_xz - p_yz + p, p_z)
    return _relative_to(abs(1 + z - xz - yz) + beside + rest, pointwise_conditional_mutual_information(p))
