"""The normal family."""

import mpmath
import scipy.stats

from jaxinfo.distributions import Normal
from tests.distributions.row import Family, Pair

NEAR = [(0.5, 1.0, 0.5 + 2.0**-k, 1.0 + 2.0 ** -(k + 1)) for k in (10, 15, 20)]
FAR = [
    (0.0, 1.0, 1.0, 2.0),
    (3.0, 1.0, -3.0, 1.0),
    (1.0, 2.0**-20, 1.0, 2.0**20),
    (1.0, 2.0**20, 1.0, 2.0**-20),
    (1e6, 1e-6, 1e6, 3e-6),
    (0.0, 3.0, 0.0, 2.0),
]

# The fourth power of a ratio of scales, which derivatives of Rényi divergences hold, leaves single precision at 2^32.
MODERATE = [row for row in FAR if row[1] < 2.0**30 * row[3]]


def _log_prob(x, loc, scale):
    return mpmath.log(mpmath.npdf(x, loc, scale)) if abs(x - loc) < 20 * scale else _tail(x, loc, scale)


def _tail(x, loc, scale):
    return -(((x - loc) / scale) ** 2) / 2 - mpmath.log(scale) - mpmath.log(2 * mpmath.pi) / 2


def _entropy(_, scale):
    return mpmath.log(2 * mpmath.pi * mpmath.e * scale**2) / 2


def _cross_entropy(loc_p, scale_p, loc_q, scale_q):
    return mpmath.log(2 * mpmath.pi * scale_q**2) / 2 + (scale_p**2 + (loc_p - loc_q) ** 2) / (2 * scale_q**2)


def _kl_divergence(loc_p, scale_p, loc_q, scale_q):
    return _cross_entropy(loc_p, scale_p, loc_q, scale_q) - _entropy(loc_p, scale_p)


def _renyi(order, loc_p, scale_p, loc_q, scale_q):
    a = mpmath.mpf(order)
    v = a * scale_q**2 + (1 - a) * scale_p**2
    if v <= 0:
        return mpmath.inf
    spread = mpmath.log(scale_q / scale_p) + mpmath.log(scale_q**2 / v) / (2 * (a - 1))
    return spread + a * (loc_p - loc_q) ** 2 / (2 * v)


FAMILIES = [
    Family(
        "normal",
        Normal,
        [(0.0, 1.0), (0.5, 2.0), (-3.0, 1e-6), (1e3, 1e6)],
        _log_prob,
        lambda loc, scale: [loc + t * scale for t in (-40.0, -3.0, 0.0, 0.25, 5.0)],
        lambda loc, _: loc,
        lambda _, scale: scale**2,
        _entropy,
        cdf=scipy.stats.norm.cdf,
        sampled=[(0.5, 2.0)],
        bad=[(0.0, -1.0), (float("nan"), 1.0)],
    )
]
PAIRS = [
    Pair("kl_divergence", Normal, Normal, NEAR + FAR, _kl_divergence),
    Pair("cross_entropy", Normal, Normal, NEAR + FAR, _cross_entropy),
    *(
        Pair(
            "renyi_divergence",
            Normal,
            Normal,
            NEAR + MODERATE,
            lambda *theta, o=o: _renyi(o, *theta),
            options={"order": o},
        )
        for o in (0.5, 1 - 2.0**-10, 2.5)
    ),
]
