"""Rows for the families of a location, a scale or a shape: densities, moments, KL and Wasserstein."""

# ruff: noqa: ARG005 (an oracle takes all parameters, in order, whether its formula has them or not)

import itertools
import math

import mpmath as mp
from scipy import stats

from jaxinfo.distributions import (
    Cauchy,
    Exponential,
    Gumbel,
    HalfNormal,
    InverseGaussian,
    Laplace,
    Logistic,
    LogNormal,
    Normal,
    Pareto,
    StudentT,
    Uniform,
    Weibull,
)
from tests.distributions.row import Family, Pair

STEPS = (0.0, 1e-30, 0.3, -0.7, 1.0, 3.0, -9.0, 25.0, -80.0, 1e4, -1e6)
LOCATIONS = ((0.0, 1.0), (3.0, 2.0), (-1e6, 1e-3), (0.5, 1e-6), (2.0, 1e6), (1e6, 1e6))
BAD = ((0.0, -1.0), (math.nan, 1.0))


def around(loc, scale):
    return [loc + scale * step for step in STEPS]


def log_normal_log_prob(x, m, s):
    return mp.log(mp.npdf(mp.log(x), m, s)) - mp.log(x)


def student_log_prob(x, n, m, s):
    constant = mp.loggamma((n + 1) / 2) - mp.loggamma(n / 2) - mp.log(mp.pi * n) / 2 - mp.log(s)
    return constant - (n + 1) / 2 * mp.log1p(((x - m) / s) ** 2 / n)


def student_entropy(n, _, s):
    half = (n + 1) / 2
    log_beta = mp.loggamma(n / 2) + mp.log(mp.pi) / 2 - mp.loggamma(half)
    return half * (mp.psi(0, half) - mp.psi(0, n / 2)) + mp.log(n) / 2 + log_beta + mp.log(s)


def gumbel_log_prob(x, m, s):
    z = (x - m) / s
    return -z - mp.exp(-z) - mp.log(s)


def weibull_log_prob(x, s, k):
    return mp.log(k / s) + (k - 1) * mp.log(x / s) - (x / s) ** k


def inverse_gaussian_log_prob(x, m, a):
    return mp.log(a / (2 * mp.pi * x**3)) / 2 - a * (x - m) ** 2 / (2 * m**2 * x)


def scaled_exponential_integral(z):
    """`exp(z) E_1(z)`, by its asymptotic series where the exponential would overflow."""
    if z < 1000:
        return mp.exp(z) * mp.e1(z)
    return mp.fsum((-1) ** k * mp.factorial(k) / z ** (k + 1) for k in range(40))


def inverse_gaussian_entropy(m, a):
    return mp.log(2 * mp.pi * mp.e * m**3 / a) / 2 - mp.mpf(3) / 2 * scaled_exponential_integral(2 * a / m)


def weibull_variance(s, k):
    return s**2 * (mp.gamma(1 + 2 / k) - mp.gamma(1 + 1 / k) ** 2)


SHAPED = tuple(itertools.product((1e-6, 2.0, 1e6), (1e-3, 0.5, 1.0, 3.0, 1e4)))
RATIOS = (1e-6, 0.01, 0.5, 1.0, 3.0, 200.0, 1e6)

FAMILIES = [
    Family(
        name="LogNormal",
        make=LogNormal,
        parameters=[(0.0, 1.0), (2.0, 0.5), (-10.0, 3.0), (1.0, 1e-3), (0.0, 1e-6), (5.0, 1e3), (0.0, 1e6)],
        log_prob=log_normal_log_prob,
        # Of unit scale at least: the error of a rounded logarithm is divided by the scale.
        points=lambda m, s: [math.exp(min(max(m + max(s, 1) * z, -40), 40)) for z in (-9, -2, -0.3, 0.4, 1, 5, 20)],
        mean=lambda m, s: mp.exp(m + s**2 / 2),
        variance=lambda m, s: mp.expm1(s**2) * mp.exp(2 * m + s**2),
        entropy=lambda m, s: m + mp.log(2 * mp.pi * mp.e * s**2) / 2,
        outside=(-1.0, 0.0, math.inf),
        cdf=lambda x, m, s: stats.lognorm.cdf(x, s, scale=math.exp(m)),
        sampled=[(0.0, 1.0), (2.0, 0.5)],
        bad=BAD,
    ),
    Family(
        name="HalfNormal",
        make=HalfNormal,
        parameters=[(1.0,), (1e-6,), (1e6,), (3.0,)],
        log_prob=lambda x, s: mp.log(2 * mp.npdf(x, 0, s)),
        points=lambda s: [s * z for z in (0.0, 1e-20, 0.1, 1.0, 7.0, 1e6)],
        mean=lambda s: s * mp.sqrt(2 / mp.pi),
        variance=lambda s: s**2 * (1 - 2 / mp.pi),
        entropy=lambda s: mp.log(mp.pi * s**2 / 2) / 2 + mp.mpf(1) / 2,
        outside=(-1e-6, -1.0, math.inf),
        cdf=lambda x, s: stats.halfnorm.cdf(x, scale=s),
        sampled=[(1.0,), (1e-6,)],
        bad=[(-1.0,), (math.nan,)],
    ),
    Family(
        name="StudentT",
        make=StudentT,
        parameters=[
            (df, *rest)
            for df in (1e-3, 0.3, 1.0, 1.5, 2.0, 3.0, 14.0, 23.0, 24.5, 1e4)
            for rest in ((0.0, 1.0), (3.0, 1e-6), (-2.0, 1e6))
        ]
        + [(1e8, 1.0, 2.0)],
        log_prob=student_log_prob,
        points=lambda _, m, s: around(m, s),
        mean=lambda n, m, s: m if n > 1 else mp.nan,
        variance=lambda n, m, s: s**2 * n / (n - 2) if n > 2 else (mp.inf if n > 1 else mp.nan),
        entropy=student_entropy,
        outside=(math.inf, -math.inf),
        cdf=stats.t.cdf,
        sampled=[(0.7, 1.0, 2.0), (30.0, 1.0, 2.0)],
        bad=[(-1.0, 0.0, 1.0), (1.0, 0.0, -1.0), (1.0, math.nan, 1.0)],
    ),
    Family(
        name="Cauchy",
        make=Cauchy,
        parameters=LOCATIONS,
        log_prob=lambda x, m, s: -mp.log(mp.pi * s * (1 + ((x - m) / s) ** 2)),
        points=around,
        mean=lambda m, s: mp.nan,
        variance=lambda m, s: mp.nan,
        entropy=lambda m, s: mp.log(4 * mp.pi * s),
        outside=(math.inf, -math.inf),
        cdf=stats.cauchy.cdf,
        sampled=[(1.0, 2.0)],
        bad=BAD,
    ),
    Family(
        name="Laplace",
        make=Laplace,
        parameters=LOCATIONS,
        log_prob=lambda x, m, s: -abs(x - m) / s - mp.log(2 * s),
        points=around,
        mean=lambda m, s: m,
        variance=lambda m, s: 2 * s**2,
        entropy=lambda m, s: 1 + mp.log(2 * s),
        outside=(math.inf, -math.inf),
        cdf=stats.laplace.cdf,
        sampled=[(1.0, 2.0)],
        bad=BAD,
    ),
    Family(
        name="Logistic",
        make=Logistic,
        parameters=LOCATIONS,
        log_prob=lambda x, m, s: -mp.log(4 * s * mp.cosh((x - m) / (2 * s)) ** 2),
        points=around,
        mean=lambda m, s: m,
        variance=lambda m, s: (mp.pi * s) ** 2 / 3,
        entropy=lambda m, s: 2 + mp.log(s),
        outside=(math.inf, -math.inf),
        cdf=stats.logistic.cdf,
        sampled=[(1.0, 2.0)],
        bad=BAD,
    ),
    Family(
        name="Gumbel",
        make=Gumbel,
        parameters=LOCATIONS,
        log_prob=gumbel_log_prob,
        # The exponential of the distance below the mode has an error of as many roundings.
        points=lambda m, s: [m + s * z for z in (0.0, 1e-30, 0.3, -0.7, 1.0, 3.0, -9.0, 25.0, 1e4, 1e6)],
        mean=lambda m, s: m + mp.euler * s,
        variance=lambda m, s: (mp.pi * s) ** 2 / 6,
        entropy=lambda m, s: 1 + mp.euler + mp.log(s),
        outside=(math.inf, -math.inf),
        cdf=stats.gumbel_r.cdf,
        sampled=[(1.0, 2.0)],
        bad=BAD,
    ),
    Family(
        name="Exponential",
        make=Exponential,
        parameters=[(1.0,), (1e-6,), (1e6,), (0.3,)],
        log_prob=lambda x, r: mp.log(r) - r * x,
        points=lambda r: [z / r for z in (0.0, 1e-20, 0.1, 1.0, 7.0, 1e6)],
        mean=lambda r: 1 / r,
        variance=lambda r: 1 / r**2,
        entropy=lambda r: 1 - mp.log(r),
        outside=(-1e-6, -1.0, math.inf),
        cdf=lambda x, r: stats.expon.cdf(x, scale=1 / r),
        sampled=[(0.3,), (1e6,)],
        bad=[(-1.0,), (math.nan,)],
    ),
    Family(
        name="Uniform",
        make=Uniform,
        parameters=[(0.0, 1.0), (-3.0, 5.0), (1e6, 1e6 + 1), (-1e-6, 1e-6), (-1e6, 1e6)],
        log_prob=lambda x, a, b: -mp.log(b - a),
        points=lambda a, b: [a, b, (a + b) / 2],
        mean=lambda a, b: (a + b) / 2,
        variance=lambda a, b: (b - a) ** 2 / 12,
        entropy=lambda a, b: mp.log(b - a),
        outside=(-2e6, 2e6, math.inf),
        cdf=lambda x, a, b: stats.uniform.cdf(x, a, b - a),
        sampled=[(-3.0, 5.0)],
        bad=[(1.0, 0.0), (math.nan, 1.0)],
    ),
    Family(
        name="Weibull",
        make=Weibull,
        parameters=SHAPED,
        log_prob=weibull_log_prob,
        points=lambda s, k: [s * math.exp(min(max(z / k, -20), 20)) for z in (-30, -3, -0.1, 0, 0.5, 1, 3)],
        mean=lambda s, k: s * mp.gamma(1 + 1 / k),
        variance=weibull_variance,
        entropy=lambda s, k: mp.euler * (1 - 1 / k) + mp.log(s / k) + 1,
        outside=(-1.0, math.inf),
        cdf=lambda x, s, k: stats.weibull_min.cdf(x, k, scale=s),
        sampled=[(2.0, 0.5), (2.0, 3.0)],
        bad=[(-1.0, 1.0), (1.0, -1.0), (1.0, math.nan)],
    ),
    Family(
        name="Pareto",
        make=Pareto,
        parameters=[*SHAPED, (1.0, 2.0), (1.0, 1.5)],
        log_prob=lambda x, s, k: mp.log(k) + k * mp.log(s) - (k + 1) * mp.log(x),
        points=lambda s, k: [s * math.exp(z / max(k, 0.5)) for z in (0, 1e-3, 0.3, 1, 3, 10)],
        mean=lambda s, k: s * k / (k - 1) if k > 1 else mp.inf,
        variance=lambda s, k: s**2 * k / ((k - 1) ** 2 * (k - 2)) if k > 2 else mp.inf,
        entropy=lambda s, k: mp.log(s / k) + 1 + 1 / k,
        outside=(-1.0, 0.0, 1e-7, math.inf),
        cdf=lambda x, s, k: stats.pareto.cdf(x, k, scale=s),
        sampled=[(2.0, 0.5), (2.0, 3.0)],
        bad=[(-1.0, 1.0), (1.0, -1.0), (1.0, math.nan)],
    ),
    Family(
        name="InverseGaussian",
        make=InverseGaussian,
        parameters=[*((1.0, r) for r in RATIOS), (1e-6, 1e-4), (1e6, 1e5), (1e-6, 1e6), (1e6, 1e-6)],
        log_prob=inverse_gaussian_log_prob,
        points=lambda m, a: [m * z for z in (1e-6, 0.01, 0.5, 1.0, 1.2, 8.0, 1e4)],
        mean=lambda m, a: m,
        variance=lambda m, a: m**3 / a,
        entropy=inverse_gaussian_entropy,
        outside=(-1.0, 0.0, math.inf),
        cdf=lambda x, m, a: stats.invgauss.cdf(x, m / a, scale=a),
        sampled=[(1.0, 0.2), (3.0, 30.0)],
        bad=[(-1.0, 1.0), (1.0, -1.0), (1.0, math.nan)],
    ),
]


# ---------------------------------------------------------------------------------------------------------------------
# KL and cross-entropy within a family

NEAR = tuple(sign * 2.0**-k for k in (10, 14, 17, 20) for sign in (1, -1))
PLANE = [
    (0.0, 1.0, 1.0, 2.0),
    (3.0, 1.0, -3.0, 0.25),
    (0.0, 1e-6, 0.0, 1e6),
    (0.0, 1e6, 1.0, 1e-6),
    (1e6, 1e3, -1e6, 1e6),
    (0.0, 3.0, 0.0, 3.0),
    *((0.5, 1.0, 0.5 * (1 + e), 1 - e / 2) for e in NEAR),
    *((0.75, 1e-6, 0.75, 1e-6 * (1 + e)) for e in NEAR),
    *((2.0, 1e6, 2.0 + 1e6 * e, 1e6) for e in NEAR),
]
SCALES = [(1.0, 2.0), (1e-6, 1e6), (1e6, 1e-6), (3.0, 3.0), (0.1, 0.02), *((0.7, 0.7 * (1 + e)) for e in NEAR)]
# Powers of ratios between shapes far apart overflow, rightly; a Gumbel's or Weibull's exponents are kept small here.
GUMBEL = [
    (0.0, 1.0, 1.0, 2.0),
    (3.0, 1.0, -3.0, 2.0),
    (0.0, 1.0, 2.0, 1.0),
    (1.0, 7.0, 2.0, 1.0),
    (0.0, 1e-6, 1.0, 1e6),
    (0.0, 3.0, 0.0, 3.0),
    (4.0, 1.0, 3.5, 0.4),
    *((0.5, 1.0, 0.5 * (1 + e), 1 - e / 2) for e in NEAR),
    *((0.75, 1e-6, 0.75, 1e-6 * (1 + e)) for e in NEAR),
    *((2.0, 1e6, 2.0 + 1e6 * e, 1e6 * (1 + e)) for e in NEAR),
]
WEIBULL = [
    (1.0, 1.0, 2.0, 2.0),
    (3.0, 0.5, 1.0, 2.0),
    (1e-6, 1e-3, 1e6, 1e-3),
    (1e6, 0.2, 1e-6, 0.1),
    (1.0, 1e4, 1.001, 1e-3),
    (2.0, 3.0, 2.0, 3.0),
    (1.0, 1e4, 1.0001, 1e4),
    (0.3, 2.0, 0.2, 3.1),
    *((0.5, 2.0, 0.5 * (1 + e), 2 - e) for e in NEAR),
    *((1e-6, 1e-3, 1e-6 * (1 + e), 1e-3) for e in NEAR),
    *((1e6, 1e4, 1e6 * (1 + e / 1e3), 1e4 * (1 + e)) for e in NEAR),
]
PARETO = [
    (2.0, 1.0, 1.0, 2.0),
    (3.0, 0.5, 1.0, 5.0),
    (1e6, 1e-3, 1e-6, 1e4),
    (1e6, 1e4, 1e-6, 1e-3),
    (1.0, 1.0, 2.0, 1.0),
    (2.0, 3.0, 2.0, 3.0),
    *((0.5 * (1 + abs(e)), 2.0, 0.5, 2 - e) for e in NEAR),
    *((1.0, 1e4, 1.0, 1e4 * (1 + e)) for e in NEAR),
    *((1.0, 1e-3, 1.0, 1e-3 * (1 + e)) for e in NEAR),
]
UNIFORM = [
    (0.0, 1.0, -1.0, 2.0),
    (0.0, 1.0, 0.0, 1.0),
    (0.0, 1.0, 0.5, 2.0),
    (0.0, 1.0, -2.0, 0.5),
    (0.0, 1e-6, -1e6, 1e6),
    *((0.5, 1.5, 0.5 - abs(e), 1.5 + abs(e)) for e in NEAR[::2]),
    *((1e6, 2e6, 1e6, 2e6 + 1e6 * abs(e)) for e in NEAR[::2]),
]
INVERSE_GAUSSIAN = [
    (1.0, 1.0, 2.0, 2.0),
    (3.0, 0.5, 1.0, 2.0),
    (1e-6, 1e-3, 1e6, 1e4),
    (1e6, 1e4, 1e-6, 1e-3),
    (1.0, 1e-3, 1.0, 1e4),
    (2.0, 3.0, 2.0, 3.0),
    *((0.5, 2.0, 0.5 * (1 + e), 2 - e) for e in NEAR),
    *((1e6, 1e4, 1e6, 1e4 * (1 + e)) for e in NEAR),
    *((1e-6, 1e-3, 1e-6 * (1 + e), 1e-3) for e in NEAR),
]


def normal_kl(m, s, n, t):
    return mp.log(t / s) + (s**2 + (m - n) ** 2) / (2 * t**2) - mp.mpf(1) / 2


def cauchy_kl(m, s, n, t):
    return mp.log(((s + t) ** 2 + (m - n) ** 2) / (4 * s * t))


def laplace_kl(m, s, n, t):
    return mp.log(t / s) + (abs(m - n) + s * mp.exp(-abs(m - n) / s)) / t - 1


def gumbel_cross(m, s, n, t):
    d = (m - n) / t
    return mp.log(t) + d + mp.euler * s / t + mp.exp(-d) * mp.gamma(1 + s / t)


def gumbel_kl(m, s, n, t):
    return mp.mpf(0) if (m, s) == (n, t) else gumbel_cross(m, s, n, t) - mp.log(s) - 1 - mp.euler


def weibull_cross(s, k, t, j):
    mean_log = mp.log(s) - mp.euler / k
    return -mp.log(j / t) - (j - 1) * (mean_log - mp.log(t)) + (s / t) ** j * mp.gamma(1 + j / k)


def weibull_kl(s, k, t, j):
    return mp.mpf(0) if (s, k) == (t, j) else weibull_cross(s, k, t, j) - (mp.euler * (1 - 1 / k) + mp.log(s / k) + 1)


def pareto_cross(s, k, t, j):
    return mp.inf if s < t else -mp.log(j) - j * mp.log(t) + (j + 1) * (mp.log(s) + 1 / k)


def pareto_kl(s, k, t, j):
    return mp.mpf(0) if (s, k) == (t, j) else pareto_cross(s, k, t, j) - (mp.log(s / k) + 1 + 1 / k)


def uniform_cross(a, b, c, d):
    return mp.log(d - c) if c <= a and b <= d else mp.inf


def inverse_gaussian_kl(m, a, n, b):
    mean_square = (m - n) ** 2 / m + n**2 / a
    return mp.log(a / b) / 2 - mp.mpf(1) / 2 + b / (2 * n**2) * mean_square


def _pairs(make, parameters, divergence, cross):
    yield Pair("kl_divergence", make, make, parameters, divergence)
    yield Pair("cross_entropy", make, make, parameters, cross, largest_term=_largest(cross))


def _largest(cross):
    """A cross-entropy may pass through 0; its terms have the size of 1 and of logarithms of the parameters."""

    def size(*parameters):
        logarithms = (abs(mp.log(abs(x))) for x in parameters if x != 0)
        return max(abs(cross(*parameters)), mp.mpf(1), *logarithms)

    return size


def _by_entropy(divergence, entropy):
    return lambda *parameters: divergence(*parameters) + entropy(*parameters[: len(parameters) // 2])


def _entropy(name):
    return next(row.entropy for row in FAMILIES if row.name == name)


PAIRS = [
    *_pairs(LogNormal, PLANE, normal_kl, _by_entropy(normal_kl, _entropy("LogNormal"))),
    *_pairs(
        HalfNormal,
        SCALES,
        lambda s, t: normal_kl(0, s, 0, t),
        lambda s, t: normal_kl(0, s, 0, t) + _entropy("HalfNormal")(s),
    ),
    *_pairs(Cauchy, PLANE, cauchy_kl, _by_entropy(cauchy_kl, _entropy("Cauchy"))),
    *_pairs(Laplace, PLANE, laplace_kl, _by_entropy(laplace_kl, _entropy("Laplace"))),
    *_pairs(Gumbel, GUMBEL, gumbel_kl, gumbel_cross),
    *_pairs(Exponential, SCALES, lambda r, t: mp.log(r / t) + t / r - 1, lambda r, t: t / r - mp.log(t)),
    *_pairs(Uniform, UNIFORM, lambda a, b, c, d: uniform_cross(a, b, c, d) - mp.log(b - a), uniform_cross),
    *_pairs(Weibull, WEIBULL, weibull_kl, weibull_cross),
    *_pairs(Pareto, PARETO, pareto_kl, pareto_cross),
    *_pairs(
        InverseGaussian,
        INVERSE_GAUSSIAN,
        inverse_gaussian_kl,
        _by_entropy(inverse_gaussian_kl, inverse_gaussian_entropy),
    ),
]


# ---------------------------------------------------------------------------------------------------------------------
# Wasserstein distances


def by_moments(mean, variance):
    return lambda m, s, n, t: mp.sqrt((m - n + mean() * (s - t)) ** 2 + variance() * (s - t) ** 2)


def mean_size(folded):
    """`E |a + b z|` from `folded(c) = E |z - c|` of the standard member."""
    return lambda m, s, n, t: abs(m - n) if s == t else abs(s - t) * folded(-(m - n) / (s - t))


def gumbel_folded(c):
    if c < -20:
        return mp.euler - c
    return mp.euler - c + 2 * mp.e1(mp.exp(-c))


def uniform_first(a, b, c, d):
    low, high = a - c, b - d
    return abs(low + high) / 2 if low * high >= 0 else (low**2 + high**2) / (2 * (abs(low) + abs(high)))


def log_normal_second(m, s, n, t):
    squares = mp.exp(2 * m + 2 * s**2) + mp.exp(2 * n + 2 * t**2) - 2 * mp.exp(m + n + (s + t) ** 2 / 2)
    return mp.sqrt(squares)


def pareto_second(s, k, t, j):
    if min(k, j) <= 2:
        return mp.inf
    a, b = 1 / k, 1 / j
    return mp.sqrt(s**2 / (1 - 2 * a) + t**2 / (1 - 2 * b) - 2 * s * t / (1 - a - b))


LOG_NORMAL = [
    (0.0, 1.0, 1.0, 2.0),
    (-1.0, 0.5, 1.0, 0.5),
    (1.0, 0.7, 1.0, 0.3),
    (3.0, 1e-6, 3.0, 1.0),
    (3.0, 0.25, 3.0, 0.25),
    *((0.5, 1.0, 0.5 * (1 + e), 1 - e / 2) for e in NEAR),
]
SQUARE_PARETO = [
    (1.0, 3.0, 2.0, 4.0),
    (1e6, 2.5, 1e-6, 1e4),
    (1.0, 3.0, 1.0, 3.0),
    (1.0, 2.0, 1.0, 3.0),
    *((0.5, 3.0, 0.5 * (1 + e), 3 - e) for e in NEAR),
    *((1.0, 1e4, 1.0, 1e4 * (1 + e)) for e in NEAR),
]
SQUARED = {
    Normal: (lambda: 0, lambda: 1),
    Laplace: (lambda: 0, lambda: 2),
    Logistic: (lambda: 0, lambda: mp.pi**2 / 3),
    Gumbel: (lambda: mp.euler, lambda: mp.pi**2 / 6),
}
FOLDED = {
    Normal: lambda c: mp.sqrt(2 / mp.pi) * mp.exp(-(c**2) / 2) + c * mp.erf(c / mp.sqrt(2)),
    Laplace: lambda c: abs(c) + mp.exp(-abs(c)),
    Logistic: lambda c: abs(c) + 2 * mp.log1p(mp.exp(-abs(c))),
    Gumbel: gumbel_folded,
}
_FIRST = {"order": 1}

PAIRS += [
    *(Pair("wasserstein_distance", make, make, PLANE, by_moments(*of)) for make, of in SQUARED.items()),
    *(
        Pair("wasserstein_distance", make, make, PLANE, mean_size(folded), options=_FIRST)
        for make, folded in FOLDED.items()
    ),
    Pair(
        "wasserstein_distance",
        Uniform,
        Uniform,
        UNIFORM,
        lambda a, b, c, d: mp.sqrt(((a - c) ** 2 + (a - c) * (b - d) + (b - d) ** 2) / 3),
    ),
    Pair("wasserstein_distance", Uniform, Uniform, UNIFORM, uniform_first, options=_FIRST),
    Pair("wasserstein_distance", HalfNormal, HalfNormal, SCALES, lambda s, t: abs(s - t)),
    Pair(
        "wasserstein_distance",
        HalfNormal,
        HalfNormal,
        SCALES,
        lambda s, t: mp.sqrt(2 / mp.pi) * abs(s - t),
        options=_FIRST,
    ),
    Pair("wasserstein_distance", Exponential, Exponential, SCALES, lambda s, t: mp.sqrt(2) * abs(1 / s - 1 / t)),
    Pair("wasserstein_distance", Exponential, Exponential, SCALES, lambda s, t: abs(1 / s - 1 / t), options=_FIRST),
    Pair(
        "wasserstein_distance",
        Cauchy,
        Cauchy,
        [(0.0, 1.0, 3.0, 1.0), (0.0, 1.0, 0.0, 2.0), (1.0, 2.0, 1.0, 2.0)],
        lambda m, s, n, t: abs(m - n) if s == t else mp.inf,
    ),
    Pair("wasserstein_distance", LogNormal, LogNormal, LOG_NORMAL, log_normal_second),
    Pair("wasserstein_distance", Pareto, Pareto, SQUARE_PARETO, pareto_second),
]
