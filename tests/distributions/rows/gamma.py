"""The gamma family, inverse gamma and chi-squared."""

import math

import mpmath
import scipy.stats
from mpmath import digamma, log, loggamma, mpf

from jaxinfo.distributions import ChiSquared, Gamma, InverseGamma
from tests.distributions.row import Family, Pair

CONCENTRATIONS = (1e-3, 0.3, 1.0, 2.5, 20.0, 1e4)


def _gamma_points(a):
    """Values of a gamma variable of rate 1: around its mean, far above and far below it."""
    return [a * math.exp(t / math.sqrt(a + 1)) for t in (-8.0, -1.0, 0.0, 1.0, 4.0, 0.25)]


def _log_prob(x, a, r):
    return a * log(r) + (a - 1) * log(x) - r * x - loggamma(a)


def _entropy(a, r):
    return a - log(r) + loggamma(a) + (1 - a) * digamma(a)


def _cross_entropy(a, r, b, t):
    return -b * log(t) + loggamma(b) - (b - 1) * (digamma(a) - log(r)) + t * a / r


def _entropy_size(entropy):
    return lambda a, r, *_: entropy(a, r)


def _kl_divergence(a, r, b, t):
    return _cross_entropy(a, r, b, t) - _entropy(a, r)


def _inverse_log_prob(x, a, b):
    return a * log(b) - (a + 1) * log(x) - b / x - loggamma(a)


def _inverse_entropy(a, b):
    return a + log(b) + loggamma(a) - (1 + a) * digamma(a)


def _inverse_cross_entropy(a, s, b, t):
    return -b * log(t) + loggamma(b) + (b + 1) * (log(s) - digamma(a)) + t * a / s


def _renyi(order, a, r, b, t):
    o = mpf(order)
    m, v = o * a + (1 - o) * b, o * r + (1 - o) * t
    if m <= 0 or v <= 0:
        return mpmath.inf
    total = loggamma(m) - m * log(v) - o * (loggamma(a) - a * log(r)) - (1 - o) * (loggamma(b) - b * log(t))
    return total / (o - 1)


def _chi(exact):
    half = mpf(1) / 2
    return lambda k, n: exact(k * half, half, n * half, half)


NEAR = [(a, 2.0, a * (1 + 2.0**-k), 2.0 * (1 - 2.0 ** -(k + 1))) for k in (10, 20) for a in CONCENTRATIONS]
NEAR += [(a, 1e-6, a, 1e-6 * (1 + 2.0**-12)) for a in CONCENTRATIONS]
FAR = [(a, 1.0, b, 3.0) for a in CONCENTRATIONS for b in CONCENTRATIONS[::2]]
FAR += [(0.5, 1e-6, 3.0, 1e6), (3.0, 1e6, 0.5, 1e-6), (40.0, 2.0, 41.0, 2.0), (1e4, 3.0, 9e3, 2.5)]
CHI = [(k, k * f) for k in (2e-3, 1.0, 7.0, 2e4) for f in (1 + 2.0**-20, 1 - 2.0**-10, 1.5, 0.01, 300.0)]

FAMILIES = [
    Family(
        "gamma",
        Gamma,
        [(0.3, 2.0), (1.0, 0.5), (2.5, 1e-6), (20.0, 1e6), (1e4, 3.0), (1e-3, 1.0)],
        _log_prob,
        lambda a, r: [z / r for z in _gamma_points(a)],
        lambda a, r: a / r,
        lambda a, r: a / r**2,
        _entropy,
        outside=(-1.0,),
        cdf=lambda x, a, r: scipy.stats.gamma.cdf(x, a, scale=1 / r),
        sampled=[(0.3, 2.0), (30.0, 0.5)],
        bad=[(0.0, 1.0), (-1.0, 1.0), (1.0, -2.0), (float("nan"), 1.0)],
    ),
    Family(
        "inverse_gamma",
        InverseGamma,
        [(3.0, 2.0), (0.5, 0.5), (1.5, 1e-6), (20.0, 1e6), (1e4, 3.0)],
        _inverse_log_prob,
        lambda a, b: [b / z for z in _gamma_points(a)],
        lambda a, b: b / (a - 1) if a > 1 else mpmath.inf,
        lambda a, b: b**2 / ((a - 1) ** 2 * (a - 2)) if a > 2 else mpmath.inf,
        _inverse_entropy,
        outside=(-1.0, 0.0),
        cdf=lambda x, a, b: scipy.stats.invgamma.cdf(x, a, scale=b),
        sampled=[(0.5, 2.0), (30.0, 0.5)],
        bad=[(0.0, 1.0), (-1.0, 1.0), (1.0, -2.0), (float("nan"), 1.0)],
    ),
    Family(
        "chi_squared",
        ChiSquared,
        [(1.0,), (0.01,), (2.0,), (7.5,), (2e4,)],
        lambda x, k: _log_prob(x, k / 2, mpf(1) / 2),
        lambda k: [2 * z for z in _gamma_points(k / 2)],
        lambda k: k,
        lambda k: 2 * k,
        lambda k: _entropy(k / 2, mpf(1) / 2),
        outside=(-1.0,),
        cdf=scipy.stats.chi2.cdf,
        sampled=[(0.7,), (9.0,)],
        bad=[(0.0,), (-1.0,), (float("nan"),)],
    ),
]
ORDERS = (0.5, 1 - 2.0**-10, 2.5)
PAIRS = [
    Pair("kl_divergence", Gamma, Gamma, NEAR + FAR, _kl_divergence),
    Pair("kl_divergence", InverseGamma, InverseGamma, NEAR + FAR, _kl_divergence),
    Pair("kl_divergence", ChiSquared, ChiSquared, CHI, _chi(_kl_divergence)),
    # Of a concentration of 1e4 the entropy is 5: a sum of it and of the divergence is not less than its parts.
    Pair("cross_entropy", Gamma, Gamma, NEAR + FAR, _cross_entropy, largest_term=_entropy_size(_entropy)),
    Pair(
        "cross_entropy",
        InverseGamma,
        InverseGamma,
        NEAR + FAR,
        _inverse_cross_entropy,
        largest_term=_entropy_size(_inverse_entropy),
    ),
    Pair(
        "kl_divergence",
        ChiSquared,
        Gamma,
        [(3.0, 2.0, 1.0), (3.0, 1.5, 0.5 + 2.0**-20), (1e4, 0.1, 2.0)],
        lambda k, b, t: _kl_divergence(k / 2, mpf(1) / 2, b, t),
    ),
    *(
        Pair(
            "renyi_divergence",
            Gamma,
            Gamma,
            NEAR[::3] + FAR[::2],
            lambda *theta, o=o: _renyi(o, *theta),
            options={"order": o},
        )
        for o in ORDERS
    ),
]
