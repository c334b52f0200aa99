"""The beta family."""

import scipy.stats
from mpmath import digamma, inf, log, loggamma, mpf

from jaxinfo.distributions import Beta
from tests.distributions.row import Family, Pair

CONCENTRATIONS = [(1e-3, 1e-3), (1e4, 1e-3), (0.5, 0.5), (2.0, 7.0), (1e4, 9.0), (1e4, 3e4), (1e-3, 5.0)]


def log_beta(a, b):
    return loggamma(a) + loggamma(b) - loggamma(a + b)


def _log_prob(x, a, b):
    return (a - 1) * log(x) + (b - 1) * log(1 - x) - log_beta(a, b)


def _cross_entropy(a, b, c, d):
    whole = digamma(a + b)
    return log_beta(c, d) - (c - 1) * (digamma(a) - whole) - (d - 1) * (digamma(b) - whole)


def _entropy(a, b):
    return _cross_entropy(a, b, a, b)


def _kl_divergence(a, b, c, d):
    return _cross_entropy(a, b, c, d) - _entropy(a, b)


def _renyi(order, a, b, c, d):
    o = mpf(order)
    m, n = o * a + (1 - o) * c, o * b + (1 - o) * d
    return inf if m <= 0 or n <= 0 else (log_beta(m, n) - o * log_beta(a, b) - (1 - o) * log_beta(c, d)) / (o - 1)


NEAR = [
    (a, b, a * (1 + s * 2.0**-k), b * (1 + t * 2.0**-k))
    for k in (10, 20)
    for s, t in ((1, 0), (0, 1), (1, 1), (-1, 1))
    for a, b in CONCENTRATIONS
]
FAR = [(*first, *second) for first in CONCENTRATIONS for second in CONCENTRATIONS if first != second]
# An order, and what single precision loses in its gradient between members far apart.
ORDERS = {0.5: 32, 2.5: 512}

FAMILIES = [
    Family(
        "beta",
        Beta,
        [(2.0, 3.0), (0.5, 0.5), (1.0, 1.0), (30.0, 0.01), (1e4, 3e4), (1e4, 10.0)],
        _log_prob,
        lambda a, b: [min(max(a / (a + b) * t, 1e-6), 1 - 2.0**-20) for t in (0.5, 0.99, 1.0, 1.01, 2.0)] + [0.375],
        lambda a, b: a / (a + b),
        lambda a, b: a * b / ((a + b) ** 2 * (a + b + 1)),
        _entropy,
        outside=(-0.5, 1.5),
        cdf=scipy.stats.beta.cdf,
        sampled=[(0.5, 2.0), (30.0, 20.0)],
        bad=[(0.0, 1.0), (-1.0, 1.0), (1.0, -2.0), (float("nan"), 1.0)],
    )
]
PAIRS = [
    Pair("kl_divergence", Beta, Beta, NEAR + FAR, _kl_divergence),
    Pair("cross_entropy", Beta, Beta, NEAR + FAR, _cross_entropy, largest_term=lambda a, b, *_: _entropy(a, b)),
    *(
        Pair(
            "renyi_divergence",
            Beta,
            Beta,
            NEAR[::5] + FAR[::3],
            lambda *theta, o=o: _renyi(o, *theta),
            ulps=ulps,
            options={"order": o},
        )
        for o, ulps in ORDERS.items()
    ),
]
