"""Exact values of f-divergences, the skew Jensen-Shannon divergence, conditional KL and the entropy rate.

Written from the definitions, as those of `tests/oracles.py`. A generator is given by its textbook f and f'; the
generalised divergence takes `f'(1) (p - q)` off.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tests import oracles
from tests.oracles import equals, exp, kl_divergence, log, normalise, select, sqrt, through_softmax

mpf, INF = oracles.mpf, np.inf


class Textbook(NamedTuple):
    """f, f', f'(1), the limits of f(t) and f'(t) at 0, and those of f(t)/t and f(t) - t f'(t) at infinity."""

    f: object
    slope: object
    at_one: float
    at_zero: float
    slope_at_zero: float
    at_infinity: float
    intercept: float


def power(t, a):
    return exp(mpf(a) * log(t)) if not isinstance(t, oracles.dd.DoubleDouble) else exp(log(t) * a)


def alpha(a):
    scale = mpf(a) * (mpf(a) - 1)
    return Textbook(
        lambda t: (power(t, a) - 1) / scale,
        lambda t: a * power(t, a - 1) / scale,
        1 / (mpf(a) - 1),
        float(-1 / scale) if a > 0 else INF,
        -INF if a < 1 else 0.0,
        0.0 if a < 1 else INF,
        float(-1 / scale) if a < 0 else -INF,
    )


def jensen_shannon(w):
    def mixture(t):
        return w * t + (1 - w)

    return Textbook(
        lambda t: w * t * log(t) - mixture(t) * log(mixture(t)),
        lambda t: w * (log(t) - log(mixture(t))),
        0.0,
        -(1 - w) * np.log(1 - w),
        -INF,
        -w * np.log(w),
        -INF,
    )


GENERATORS = {
    "kullback_leibler": Textbook(lambda t: t * log(t), lambda t: log(t) + 1, 1.0, 0.0, -INF, INF, -INF),
    "reverse_kullback_leibler": Textbook(lambda t: -log(t), lambda t: -1 / t, -1.0, INF, -INF, 0.0, -INF),
    "jeffreys": Textbook(lambda t: (t - 1) * log(t), lambda t: log(t) + 1 - 1 / t, 0.0, INF, -INF, INF, -INF),
    "total_variation": Textbook(lambda t: abs(t - 1) / 2, lambda t: _sign(t - 1) / 2, 0.0, 0.5, -0.5, 0.5, -0.5),
    "squared_hellinger": Textbook(lambda t: 1 - sqrt(t), lambda t: -1 / (2 * sqrt(t)), -0.5, 1.0, -INF, 0.0, -INF),
    "pearson_chi_squared": Textbook(lambda t: (t - 1) * (t - 1), lambda t: 2 * (t - 1), 0.0, 1.0, -2.0, INF, -INF),
    "neyman_chi_squared": Textbook(
        lambda t: (t - 1) * (t - 1) / t, lambda t: 1 - 1 / (t * t), 0.0, INF, -INF, 1.0, -2.0
    ),
    "triangular_discrimination": Textbook(
        lambda t: (t - 1) * (t - 1) / (t + 1),
        lambda t: (t - 1) * (t + 3) / ((t + 1) * (t + 1)),
        0.0,
        1.0,
        -3.0,
        1.0,
        -3.0,
    ),
}


def _sign(x):
    return oracles.exact(np.sign(oracles.to_floats(x)[0]))


def textbook(name):
    """`name`, or `alpha(a)`, or `jensen_shannon(w)`."""
    if "(" not in name:
        return GENERATORS[name]
    family, number = name.rstrip(")").split("(")
    return {"alpha": alpha, "jensen_shannon": jensen_shannon}[family](float(number))


def _edges(p, q):
    return equals(p, 0), equals(q, 0)


def f_divergence(p, q, generator):
    form, (p_zero, q_zero) = textbook(generator), _edges(p, q)
    only_p, only_q = form.at_infinity - form.at_one, form.at_zero + form.at_one
    if (np.isinf(float(only_p)) and (q_zero & ~p_zero).any()) or (np.isinf(float(only_q)) and (p_zero & ~q_zero).any()):
        return mpf(INF)
    edge = p_zero | q_zero
    x, y = select(edge, 1, p), select(edge, 1, q)
    inside = select(edge, 0, y * form.f(x / y) - form.at_one * (x - y)).sum()
    p_alone, q_alone = select(~(q_zero & ~p_zero), 0, p).sum(), select(~(p_zero & ~q_zero), 0, q).sum()
    # A limit times a mass that is 0 is 0, also if the limit is infinite.
    return (
        inside
        + (0 if np.isinf(float(only_p)) else only_p) * p_alone
        + (0 if np.isinf(float(only_q)) else only_q) * q_alone
    )


def f_divergence_gradient(p, q, generator):
    form, (p_zero, q_zero) = textbook(generator), _edges(p, q)
    only_p, only_q = form.at_infinity - form.at_one, form.at_zero + form.at_one
    edge = p_zero | q_zero
    t = select(edge, 1, p) / select(edge, 1, q)
    inside = form.slope(t) - form.at_one, form.f(t) - t * form.slope(t) + form.at_one
    corner = p_zero & q_zero
    smooth = generator != "total_variation"  # the subgradient where p = q is 0

    def side(interior, own, alone, limit, other_limit):
        # The entry's own zero, then the other's, then both.
        at_own = -INF if np.isinf(float(other_limit)) else (alone if np.isfinite(float(alone)) else 0.0)
        slope = select(own & ~corner, at_own, interior)
        slope = select(edge & ~own & ~corner, limit, slope)
        return select(corner, limit if np.isfinite(float(limit)) and smooth else 0.0, slope)

    return (
        side(inside[0], p_zero, form.slope_at_zero - form.at_one, only_p, only_q),
        side(inside[1], q_zero, form.intercept + form.at_one, only_q, only_p),
    )


def logits_f_divergence(z_p, z_q, generator):
    return f_divergence(normalise(z_p)[0], normalise(z_q)[0], generator)


def logits_f_divergence_gradient(z_p, z_q, generator):
    p, q = normalise(z_p)[0], normalise(z_q)[0]
    return tuple(through_softmax(x, g) for x, g in zip((p, q), f_divergence_gradient(p, q, generator), strict=True))


# --- the skew Jensen-Shannon divergence -------------------------------------------------------------------------


def skew_jensen_shannon_divergence(p, q, weight):
    if weight in (0, 1):
        return kl_divergence(p, q) if weight == 0 else kl_divergence(q, p)
    w = mpf(weight)
    m = w * p + (1 - w) * q if not isinstance(p, oracles.dd.DoubleDouble) else p * weight + q * (1 - weight)
    value = weight * kl_divergence(p, m) + (1 - w) * kl_divergence(q, m)
    return value / (w * (1 - w))


def skew_jensen_shannon_divergence_gradient(p, q, weight):
    if weight == 0:
        return oracles.kl_divergence_gradient(p, q)
    if weight == 1:
        return oracles.kl_divergence_gradient(q, p)[::-1]
    gradients = oracles.jensen_shannon_divergence_gradient(p, q, weight)
    return tuple(g / (mpf(weight) * (1 - mpf(weight))) for g in gradients)


def logits_skew_jensen_shannon_divergence(z_p, z_q, weight):
    return skew_jensen_shannon_divergence(normalise(z_p)[0], normalise(z_q)[0], weight)


def logits_skew_jensen_shannon_divergence_gradient(z_p, z_q, weight):
    p, q = normalise(z_p)[0], normalise(z_q)[0]
    gradients = skew_jensen_shannon_divergence_gradient(p, q, weight)
    return tuple(through_softmax(x, g) for x, g in zip((p, q), gradients, strict=True))


# --- conditional tables -----------------------------------------------------------------------------------------


def _mean(p, q, weights, value):
    rows = [value(x, y) for x, y in zip(p, q, strict=True)]
    return sum((w * v for w, v in zip(weights, rows, strict=True) if w != 0), mpf(0))


def _mean_gradient(p, q, weights, value, gradient):
    rows = [value(x, y) for x, y in zip(p, q, strict=True)]
    pairs = [gradient(x, y) if w != 0 else (x * 0, y * 0) for x, y, w in zip(p, q, weights, strict=True)]
    scaled = [
        [w * g if w != 0 else _zeros(g) for g, w in zip(side, weights, strict=True)]
        for side in zip(*pairs, strict=True)
    ]
    infinite = [w == 0 and np.isinf(float(v)) for v, w in zip(rows, weights, strict=True)]
    own = [mpf(0) if void else v for v, void in zip(rows, infinite, strict=True)]
    return np.stack(scaled[0]), np.stack(scaled[1]), np.asarray(own, dtype=object)


def _zeros(g):
    return oracles.exact(np.zeros(g.shape))


def conditional_kl_divergence(p, q, weights):
    return _mean(p, q, weights, kl_divergence)


def conditional_kl_divergence_gradient(p, q, weights):
    return _mean_gradient(p, q, weights, kl_divergence, oracles.kl_divergence_gradient)


def logits_conditional_kl_divergence(z_p, z_q, weights):
    return _mean(z_p, z_q, weights, oracles.logits_kl_divergence)


def logits_conditional_kl_divergence_gradient(z_p, z_q, weights):
    return _mean_gradient(z_p, z_q, weights, oracles.logits_kl_divergence, oracles.logits_kl_divergence_gradient)


# --- Markov chains ----------------------------------------------------------------------------------------------


def _rates(transition):
    rates = transition.copy()
    for i in range(len(rates)):
        rates[i, i] = -sum((rates[i, j] for j in range(len(rates)) if j != i), mpf(0))
    return rates


def _solve(matrix, right):
    """By elimination with 200 digits, as a chain may hardly mix; NaN if the matrix is singular."""
    context = oracles._context  # noqa: SLF001
    try:
        with context.workdps(200):
            return np.asarray(list(context.lu_solve(context.matrix(matrix.tolist()), right.tolist())), dtype=object)
    except ZeroDivisionError:
        return np.asarray([context.nan] * len(right), dtype=object)


def stationary(transition):
    """`pi Q = 0` and `sum(pi) = 1`, by one linear system; NaN if that is singular."""
    size = len(transition)
    system = _rates(transition).T.copy()
    system[-1] = mpf(1)
    right = np.asarray([mpf(0)] * (size - 1) + [mpf(1)], dtype=object)
    return _solve(system, right)


def _row_entropies(transition):
    return np.asarray([oracles.entropy(row) for row in transition], dtype=object)


def entropy_rate(transition):
    return (stationary(transition) * _row_entropies(transition)).sum()


def entropy_rate_gradient(transition):
    size, pi, entropies = len(transition), stationary(transition), _row_entropies(transition)
    ones = oracles.exact(np.ones((size, 1)))
    bias = _solve(ones * pi[None, :] - _rates(transition), entropies - (pi * entropies).sum())
    own = np.stack([oracles.entropy_gradient(row)[0] for row in transition])
    return (pi[:, None] * (own + bias[None, :] - bias[:, None]),)
