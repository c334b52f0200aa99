"""Rows of the discrete families with scalar parameters."""

import functools

import mpmath
import scipy.stats
from mpmath import mpf

from jaxinfo.distributions import Bernoulli, Binomial, Geometric, NegativeBinomial, Poisson
from tests.distributions.row import Family, Pair


def from_probs(p):
    return Bernoulli(probs=p)


def from_logits(z):
    return Bernoulli(logits=z)


def of_size(n):
    """A binomial of so many trials, which have no derivative."""

    def binomial(p):
        return Binomial(n, p)

    binomial.__name__ = "Binomial"
    return binomial


def xlogy(x, y):
    return mpf(0) if x == 0 else x * mpmath.log(y)


def sigmoid(z):
    return 1 / (1 + mpmath.exp(-z))


# ---------------------------------------------------------------------------------------------------------------------
# Densities


def coin_log_prob(x, p):
    return xlogy(x, p) + xlogy(1 - x, 1 - p)


def coin_entropy(p):
    return -xlogy(p, p) - xlogy(1 - p, 1 - p)


def log_choose(n, x):
    return mpmath.loggamma(n + 1) - mpmath.loggamma(x + 1) - mpmath.loggamma(n - x + 1)


def binomial_log_prob(x, n, p):
    return log_choose(n, x) + xlogy(x, p) + xlogy(n - x, 1 - p)


def geometric_log_prob(x, p):
    return mpmath.log(p) + xlogy(x, 1 - p)


def geometric_entropy(p):
    return coin_entropy(p) / p


def negative_binomial_log_prob(x, r, p):
    orders = mpmath.loggamma(x + r) - mpmath.loggamma(x + 1) - mpmath.loggamma(r)
    return orders + r * mpmath.log(p) + xlogy(x, 1 - p)


def poisson_log_prob(x, rate):
    return xlogy(x, rate) - rate - mpmath.loggamma(x + 1)


def around(mean, deviation, most=1e7):
    """Integers at the least, in the bulk and in both tails; always as many."""
    points = (0, 1, 2, *(mean + k * deviation for k in (-6, -1, 0, 1, 3, 10, 50)))
    return [float(int(min(max(x, 0), most))) for x in points]


def binomial_points(n, p):
    return [*around(n * p, (n * p * (1 - p)) ** 0.5, n), max(n - 1.0, 0.0), float(n)]


EDGES = ((1e-6,), (0.01,), (0.3,), (0.35,), (0.5,), (0.8,), (0.99,), (1 - 1e-6,))

FAMILIES = [
    Family(
        "Bernoulli from probs",
        from_probs,
        EDGES,
        coin_log_prob,
        lambda _: (0.0, 1.0),
        lambda p: p,
        lambda p: p * (1 - p),
        coin_entropy,
        outside=(-1.0, 0.5, 2.0),
        cdf=scipy.stats.bernoulli.cdf,
        sampled=((0.3,), (0.9,)),
        bad=((-0.1,), (1.1,)),
    ),
    Family(
        "Bernoulli from logits",
        from_logits,
        ((-80.0,), (-10.0,), (-1.0,), (-1e-3,), (0.0,), (1e-6,), (0.5,), (3.0,), (20.0,), (80.0,)),
        lambda x, z: -mpmath.log1p(mpmath.exp(z if x == 0 else -z)),
        lambda _: (0.0, 1.0),
        sigmoid,
        lambda z: sigmoid(z) * sigmoid(-z),
        lambda z: coin_entropy(sigmoid(z)),
        outside=(-1.0, 0.5, 2.0),
        cdf=lambda x, z: scipy.stats.bernoulli.cdf(x, float(sigmoid(z))),
        sampled=((-1.0,), (2.0,)),
    ),
    Family(
        "Binomial",
        Binomial,
        (
            *((0, 0.3), (1, 0.3), (1, 1e-6), (4, 0.5), (10, 1 - 1e-6), (37, 0.01), (100, 0.35), (1000, 1e-6)),
            *((10000, 0.5), (10000, 1e-3), (10000, 0.9), (1000000, 0.2)),
        ),
        binomial_log_prob,
        binomial_points,
        lambda n, p: n * p,
        lambda n, p: n * p * (1 - p),
        None,
        outside=(-1.0, 0.5, 2e6),
        cdf=scipy.stats.binom.cdf,
        sampled=((4, 0.3), (100, 0.7), (1000, 0.01)),
        bad=((-1.0, 0.5), (2.5, 0.5), (3.0, -0.1), (3.0, 1.1)),
    ),
    Family(
        "Geometric",
        Geometric,
        EDGES,
        geometric_log_prob,
        lambda p: around((1 - p) / p, (1 - p) ** 0.5 / p),
        lambda p: (1 - p) / p,
        lambda p: (1 - p) / p**2,
        geometric_entropy,
        outside=(-1.0, 0.5),
        cdf=lambda x, p: scipy.stats.nbinom.cdf(x, 1, p),
        sampled=((0.3,), (0.9,), (0.001,)),
        bad=((-0.1,), (1.1,)),
    ),
    Family(
        "NegativeBinomial",
        NegativeBinomial,
        (
            *((1e-3, 0.5), (1e-3, 1e-3), (0.1, 0.99), (1.0, 0.3), (2.5, 0.35), (2.5, 1 - 1e-6), (40.0, 0.01)),
            *((300.0, 0.5), (1e4, 0.5), (1e4, 0.01), (1e4, 1 - 1e-6)),
        ),
        negative_binomial_log_prob,
        lambda r, p: around(r * (1 - p) / p, (r * (1 - p)) ** 0.5 / p),
        lambda r, p: r * (1 - p) / p,
        lambda r, p: r * (1 - p) / p**2,
        None,
        outside=(-1.0, 0.5),
        cdf=scipy.stats.nbinom.cdf,
        sampled=((2.5, 0.3), (40.0, 0.8), (0.1, 0.1)),
        bad=((-1.0, 0.5), (1.0, -0.1), (1.0, 1.1)),
    ),
    Family(
        "Poisson",
        Poisson,
        ((1e-6,), (1e-3,), (0.3,), (1.0,), (4.5,), (30.0,), (1e3,), (1e4,), (1e6,)),
        poisson_log_prob,
        lambda rate: around(rate, rate**0.5),
        lambda rate: rate,
        lambda rate: rate,
        None,
        outside=(-1.0, 0.5),
        cdf=scipy.stats.poisson.cdf,
        sampled=((0.3,), (4.5,), (200.0,)),
        bad=((-1.0,),),
    ),
]

# ---------------------------------------------------------------------------------------------------------------------
# Closed forms


def coin_kl(p, q):
    return xlogy(p, p / q) + xlogy(1 - p, (1 - p) / (1 - q))


def coin_cross_entropy(p, q):
    return -xlogy(p, q) - xlogy(1 - p, 1 - q)


def logits_kl(z_p, z_q):
    return coin_kl(sigmoid(z_p), sigmoid(z_q))


def coin_to(log_prob):
    """The divergence of a coin from what has this log-probability at 0 and 1."""

    def exact(p, *q):
        return xlogy(p, p) + xlogy(1 - p, 1 - p) - coin_mean(log_prob, p, *q)

    return exact


def coin_cross(log_prob):
    return lambda p, *q: -coin_mean(log_prob, p, *q)


def coin_mean(log_prob, p, *q):
    return (1 - p) * log_prob(mpf(0), *q) + p * log_prob(mpf(1), *q)


def coin_largest(log_prob):
    def largest(p, *q):
        return max(abs(p * mpmath.log(p)), abs(p * log_prob(mpf(1), *q)), abs((1 - p) * log_prob(mpf(0), *q)))

    return largest


def poisson_kl(a, b):
    return b - a + xlogy(a, a / b)


def under_geometric(mean):
    """The cross-entropy of what has this mean, with the geometric's parameter last."""

    def exact(*parameters):
        *p, q = parameters
        return -mpmath.log(q) - xlogy(mean(*p), 1 - q)

    return exact


PROBS = [
    *((0.3, 0.6), (0.9, 0.1), (0.5, 0.501), (0.5, 0.500001), (1e-6, 1 - 1e-6), (1 - 1e-6, 1e-6), (1e-6, 1.001e-6)),
    *((1 - 1e-6, 1 - 2e-6), (0.999, 0.9991), (1e-3, 0.5), (0.35, 0.3501), (0.7, 0.2)),
]
LOGITS = [
    *((-1.0, 2.0), (1e-6, -1e-6), (0.5, 0.500001), (-3.0, -3.003), (12.0, 12.001), (-12.0, 12.0), (60.0, -60.0)),
    *((-80.0, -79.0), (30.0, 31.0), (0.0, 3.0)),
]
RATES = [
    *((1.0, 2.0), (3.0, 3.003), (3.0, 3.000003), (1e-6, 1e6), (1e6, 1e-6), (1e4, 10000.01), (1e-3, 1.001e-3)),
    *((1e4, 2e4), (0.5, 0.1)),
]
COINS = [0.3, 1e-6, 0.5, 0.9, 1 - 1e-6]


def with_coins(*others):
    return [(p, *other) for p in COINS for other in others]


BINOMIALS = {1: (0.3,), 2: (0.15, 1e-6), 5: (0.7,), 100: (1e-3,), 10000: (0.5,)}
NEGATIVE_BINOMIALS = ((1.0, 0.4), (2.5, 0.9), (1e-3, 0.5), (1e4, 1 - 1e-6), (40.0, 1e-3))


def of_trials(n, x, q):
    return binomial_log_prob(x, mpf(n), q)


def times(n, divergence):
    return lambda p, q: n * divergence(p, q)


def infinite(*_):
    return mpmath.inf


def coin_pairs(kind, log_prob, others):
    rows = with_coins(*others)
    return [
        Pair("kl_divergence", from_probs, kind, rows, coin_to(log_prob), coin_largest(log_prob)),
        Pair("cross_entropy", from_probs, kind, rows, coin_cross(log_prob), coin_largest(log_prob)),
    ]


PAIRS = [
    Pair("kl_divergence", from_probs, from_probs, PROBS, coin_kl),
    Pair("cross_entropy", from_probs, from_probs, PROBS, coin_cross_entropy),
    Pair("kl_divergence", from_logits, from_logits, LOGITS, logits_kl),
    Pair("cross_entropy", from_logits, from_logits, LOGITS, lambda a, b: coin_cross_entropy(sigmoid(a), sigmoid(b))),
    Pair("kl_divergence", Poisson, Poisson, RATES, poisson_kl),
    Pair("kl_divergence", Geometric, Geometric, PROBS, lambda p, q: coin_kl(p, q) / p),
    *(Pair("kl_divergence", of_size(n), of_size(n), PROBS, times(n, coin_kl)) for n in (1, 10000)),
    Pair(
        "kl_divergence",
        NegativeBinomial,
        NegativeBinomial,
        [(r, p, r, q) for r in (1e-3, 2.5, 1e4) for p, q in PROBS],
        lambda r, p, _, q: r * coin_kl(p, q) / p,
    ),
    *coin_pairs(Poisson, poisson_log_prob, ((0.3,), (1e-6,), (1.0,), (40.0,))),
    *(
        pair
        for n, probs in BINOMIALS.items()
        for pair in coin_pairs(of_size(n), functools.partial(of_trials, n), [(q,) for q in probs])
    ),
    *coin_pairs(Geometric, geometric_log_prob, ((0.4,), (1e-6,), (0.7,), (1 - 1e-6,))),
    *coin_pairs(NegativeBinomial, negative_binomial_log_prob, NEGATIVE_BINOMIALS),
    Pair("cross_entropy", Geometric, Geometric, PROBS, under_geometric(lambda p: (1 - p) / p)),
    Pair(
        "cross_entropy", Poisson, Geometric, [(0.3, 0.4), (1e6, 1e-6), (1e-6, 0.9)], under_geometric(lambda rate: rate)
    ),
    Pair(
        "cross_entropy",
        Binomial,
        Geometric,
        [(3, 0.3, 0.4), (10000, 1e-6, 1e-6), (1, 0.9, 0.9)],
        under_geometric(lambda n, p: n * p),
    ),
    Pair(
        "cross_entropy",
        NegativeBinomial,
        Geometric,
        [(2.5, 0.3, 0.4), (1e-3, 1e-6, 1e-6), (1e4, 0.9, 0.9)],
        under_geometric(lambda r, p: r * (1 - p) / p),
    ),
    # Counts without bound are not covered by those with one.
    *(
        Pair(measure, p, of_size(3), [(*row, 0.4) for row in rows], infinite)
        for measure in ("kl_divergence", "cross_entropy")
        for p, rows in ((Poisson, [(0.3,)]), (Geometric, [(0.3,)]), (NegativeBinomial, [(2.5, 0.3)]))
    ),
]
