"""Cross-entropies and divergences between different families in mpmath, from textbooks' moments.

`UNIT`, `ENTROPY` and `MEANS` are of the parameters of p; `TERMS` of the means and the parameters of q: the terms of the
cross-entropy in the unit of q. `SCIPY` has the same families, for integrals.
"""

# ruff: noqa: ARG001, ARG002, ARG005, E741, PLW0108 (an oracle takes all parameters, in order, by the names of books)

import math

import mpmath as mp
import scipy.stats
from mpmath import mpf

inf = mp.inf

UNIT = {
    "Normal": lambda m, s: s,
    "Laplace": lambda m, s: s,
    "Logistic": lambda m, s: s,
    "Gumbel": lambda m, s: s,
    "Cauchy": lambda m, s: s,
    "StudentT": lambda v, m, s: s,
    "Exponential": lambda r: 1 / r,
    "HalfNormal": lambda s: s,
    "LogNormal": lambda m, s: mp.exp(m),
    "Weibull": lambda s, k: s,
    "Pareto": lambda s, a: s,
    "InverseGaussian": lambda m, l: m,
    "Gamma": lambda a, r: 1 / r,
    "InverseGamma": lambda a, s: s,
    "ChiSquared": lambda d: mpf(2),
    "Beta": lambda a, b: mpf(1),
    "Uniform": lambda l, h: h - l,
}


def _entropy_t(v, m, s):
    return (
        (v + 1) / 2 * (mp.digamma((v + 1) / 2) - mp.digamma(v / 2)) + mp.log(mp.sqrt(v)) + _log_beta(v / 2, mpf(1) / 2)
    )


def _log_beta(a, b):
    return mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)


def _entropy_inverse_gaussian(m, l):
    z = 2 * l / m
    scaled = mp.exp(z) * mp.e1(z) if z < 1000 else mp.hyperu(1, 1, z)
    return mp.log(2 * mp.pi * mp.e * m / l) / 2 - 3 * scaled / 2


# Of the member whose unit is 1.
ENTROPY = {
    "Normal": lambda m, s: mp.log(2 * mp.pi * mp.e) / 2,
    "Laplace": lambda m, s: 1 + mp.log(2),
    "Logistic": lambda m, s: mpf(2),
    "Gumbel": lambda m, s: 1 + mp.euler,
    "Cauchy": lambda m, s: mp.log(4 * mp.pi),
    "StudentT": _entropy_t,
    "Exponential": lambda r: mpf(1),
    "HalfNormal": lambda s: mp.log(mp.pi * mp.e / 2) / 2,
    "LogNormal": lambda m, s: mp.log(2 * mp.pi * mp.e * s**2) / 2,
    "Weibull": lambda s, k: mp.euler * (1 - 1 / k) - mp.log(k) + 1,
    "Pareto": lambda s, a: 1 + 1 / a - mp.log(a),
    "InverseGaussian": _entropy_inverse_gaussian,
    "Gamma": lambda a, r: a + mp.loggamma(a) + (1 - a) * mp.digamma(a),
    "InverseGamma": lambda a, s: a + mp.loggamma(a) - (1 + a) * mp.digamma(a),
    "ChiSquared": lambda d: d / 2 + mp.loggamma(d / 2) + (1 - d / 2) * mp.digamma(d / 2),
    "Beta": lambda a, b: (
        _log_beta(a, b) - (a - 1) * mp.digamma(a) - (b - 1) * mp.digamma(b) + (a + b - 2) * mp.digamma(a + b)
    ),
    "Uniform": lambda l, h: mpf(0),
}


class Means:
    """Raw moments; where a method is missing there is no closed form."""

    def __init__(self, *parameters):
        self.parameters = parameters


class OfNormal(Means):
    def mean(self):
        return self.parameters[0]

    def second(self):
        m, s = self.parameters
        return m**2 + s**2

    def distance(self, c):
        m, s = self.parameters
        return s * mp.sqrt(2 / mp.pi) * mp.exp(-((m - c) ** 2) / (2 * s**2)) + (m - c) * mp.erf(
            (m - c) / s / mp.sqrt(2)
        )

    def log_laplace(self, t):
        m, s = self.parameters
        return -m * t + (s * t) ** 2 / 2


class OfLaplace(Means):
    def mean(self):
        return self.parameters[0]

    def second(self):
        m, b = self.parameters
        return m**2 + 2 * b**2

    def log_laplace(self, t):
        m, b = self.parameters
        return inf if b * t >= 1 else -m * t - mp.log(1 - (b * t) ** 2)


class OfLogistic(Means):
    def mean(self):
        return self.parameters[0]

    def second(self):
        m, s = self.parameters
        return m**2 + s**2 * mp.pi**2 / 3

    def distance(self, c):
        m, s = self.parameters
        return 2 * s * mp.log(2 * mp.cosh((m - c) / s / 2)) if abs(m - c) < 500 * s else abs(m - c)

    def log_laplace(self, t):
        m, s = self.parameters
        return inf if s * t >= 1 else -m * t + mp.loggamma(1 - s * t) + mp.loggamma(1 + s * t)


class OfGumbel(Means):
    def mean(self):
        m, b = self.parameters
        return m + mp.euler * b

    def second(self):
        m, b = self.parameters
        return (m + mp.euler * b) ** 2 + mp.pi**2 / 6 * b**2

    def distance(self, c):
        m, b = self.parameters
        y = (c - m) / b
        return b * (mp.euler - y + (2 * mp.e1(mp.exp(-y)) if y > -12 else 0))


class OfStudentT(Means):
    def mean(self):
        return self.parameters[1]

    def second(self):
        v, m, s = self.parameters
        return m**2 + s**2 * v / (v - 2) if v > 2 else inf

    def log_laplace(self, t):
        return inf


class OfCauchy(Means):
    def mean(self):
        return self.parameters[0]

    def second(self):
        return inf

    def distance(self, c):
        return inf

    def log_laplace(self, t):
        return inf

    def log_cosh(self, c, s):
        return inf

    def log_square(self, c, d):
        """`E log((x - c)^2 + d^2)`."""
        m, s = self.parameters
        return mp.log((m - c) ** 2 + (s + d) ** 2)


class OfGamma(Means):
    def shape(self):
        return self.parameters

    def mean(self):
        a, r = self.shape()
        return a / r

    def second(self):
        a, r = self.shape()
        return a * (a + 1) / r**2

    def log(self):
        a, r = self.shape()
        return mp.digamma(a) - mp.log(r)

    def log_variance(self):
        return mp.polygamma(1, self.shape()[0])

    def log_power(self, k):
        a, r = self.shape()
        return inf if a + k <= 0 else mp.loggamma(a + k) - mp.loggamma(a) - k * mp.log(r)

    def log_laplace(self, t):
        a, r = self.shape()
        return a * mp.log(r / (r + t))


class OfExponential(OfGamma):
    def shape(self):
        return mpf(1), self.parameters[0]

    def distance(self, c):
        (r,) = self.parameters
        return c - 1 / r + 2 * mp.exp(-r * c) / r if c > 0 else 1 / r - c


class OfChiSquared(OfGamma):
    def shape(self):
        return self.parameters[0] / 2, mpf(1) / 2


class OfInverseGamma(Means):
    def mean(self):
        a, s = self.parameters
        return s / (a - 1) if a > 1 else inf

    def second(self):
        a, s = self.parameters
        return s**2 / ((a - 1) * (a - 2)) if a > 2 else inf

    def log(self):
        a, s = self.parameters
        return mp.log(s) - mp.digamma(a)

    def log_variance(self):
        return mp.polygamma(1, self.parameters[0])

    def log_power(self, k):
        a, s = self.parameters
        return inf if a <= k else mp.loggamma(a - k) - mp.loggamma(a) + k * mp.log(s)


class OfHalfNormal(Means):
    def mean(self):
        return self.parameters[0] * mp.sqrt(2 / mp.pi)

    def second(self):
        return self.parameters[0] ** 2

    def log(self):
        return mp.log(self.parameters[0]) - (mp.euler + mp.log(2)) / 2

    def log_variance(self):
        return mp.pi**2 / 8

    def log_power(self, k):
        if k <= -1:
            return inf
        return k * mp.log(self.parameters[0]) + k / 2 * mp.log(2) + mp.loggamma((k + 1) / 2) - mp.log(mp.pi) / 2

    def log_laplace(self, t):
        y = self.parameters[0] * t
        return mp.log(mp.erfc(y / mp.sqrt(2))) + y**2 / 2 if y < 40 else mp.log(_mills(y))

    def distance(self, c):
        (s,) = self.parameters
        y = max(c, 0) / s
        area = y * mp.erf(y / mp.sqrt(2)) + mp.sqrt(2 / mp.pi) * (mp.exp(-(y**2) / 2) - 1)
        return s * (mp.sqrt(2 / mp.pi) + 2 * area) - c


def _mills(y):
    """`exp(y^2 / 2) erfc(y / sqrt(2))` for large `y`, by Laplace's continued fraction."""
    tail = y
    for k in range(200, 0, -1):
        tail = y + k / tail
    return mp.sqrt(2 / mp.pi) / tail


class OfLogNormal(Means):
    def mean(self):
        return mp.exp(self.log_power(1))

    def second(self):
        return mp.exp(self.log_power(2))

    def log(self):
        return self.parameters[0]

    def log_variance(self):
        return self.parameters[1] ** 2

    def log_power(self, k):
        m, s = self.parameters
        return k * m + (k * s) ** 2 / 2

    def distance(self, c):
        m, s = self.parameters
        if c <= 0:
            return self.mean() - c
        y = (mp.log(c) - m) / s
        return c * mp.erf(y / mp.sqrt(2)) - self.mean() * mp.erf((y - s) / mp.sqrt(2))


class OfWeibull(Means):
    def mean(self):
        return mp.exp(self.log_power(1))

    def second(self):
        return mp.exp(self.log_power(2))

    def log(self):
        s, k = self.parameters
        return mp.log(s) - mp.euler / k

    def log_variance(self):
        return mp.pi**2 / 6 / self.parameters[1] ** 2

    def log_power(self, n):
        s, k = self.parameters
        return inf if 1 + n / k <= 0 else n * mp.log(s) + mp.loggamma(1 + n / k)


class OfPareto(Means):
    def mean(self):
        s, a = self.parameters
        return s * a / (a - 1) if a > 1 else inf

    def second(self):
        s, a = self.parameters
        return s**2 * a / (a - 2) if a > 2 else inf

    def log(self):
        s, a = self.parameters
        return mp.log(s) + 1 / a

    def log_variance(self):
        return 1 / self.parameters[1] ** 2

    def log_power(self, k):
        s, a = self.parameters
        return k * mp.log(s) + mp.log(a / (a - k)) if k < a else inf

    def distance(self, c):
        s, a = self.parameters
        if a <= 1:
            return inf
        return self.mean() - c if c <= s else c - self.mean() + 2 * c * (s / c) ** a / (a - 1)


class OfInverseGaussian(Means):
    def mean(self):
        return self.parameters[0]

    def second(self):
        m, l = self.parameters
        return m**2 + m**3 / l

    def log(self):
        m, l = self.parameters
        z = 2 * l / m
        return mp.log(m) - (mp.exp(z) * mp.e1(z) if z < 1000 else mp.hyperu(1, 1, z))

    def log_power(self, k):
        m, l = self.parameters
        assert k == -1
        return mp.log(1 / m + 1 / l)

    def log_laplace(self, t):
        m, l = self.parameters
        return l / m * (1 - mp.sqrt(1 + 2 * m**2 * t / l))


class OfBeta(Means):
    def mean(self):
        a, b = self.parameters
        return a / (a + b)

    def second(self):
        a, b = self.parameters
        return a * (a + 1) / ((a + b) * (a + b + 1))

    def log(self):
        a, b = self.parameters
        return mp.digamma(a) - mp.digamma(a + b)

    def log_variance(self):
        a, b = self.parameters
        return mp.polygamma(1, a) - mp.polygamma(1, a + b)

    def log_power(self, k):
        a, b = self.parameters
        return inf if a + k <= 0 else _log_beta(a + k, b) - _log_beta(a, b)


class OfUniform(Means):
    def mean(self):
        low, high = self.parameters
        return (low + high) / 2

    def second(self):
        low, high = self.parameters
        return (low**2 + low * high + high**2) / 3

    def _average(self, integral):
        low, high = self.parameters
        return (integral(high) - integral(low)) / (high - low)

    def log(self):
        return self._average(lambda x: x * mp.log(x) - x if x else mpf(0))

    def log_variance(self):
        return self._average(lambda x: x * (mp.log(x) ** 2 - 2 * mp.log(x) + 2) if x else mpf(0)) - self.log() ** 2

    def log_complement(self):
        return self._average(lambda x: -x - (1 - x) * mp.log(1 - x) if x != 1 else -x)

    def log_power(self, k):
        if k == -1:
            return inf if self.parameters[0] == 0 else mp.log(self._average(mp.log))
        return mp.log(self._average(lambda x: x ** (k + 1) / (k + 1)))

    def log_laplace(self, t):
        # The lower end in front, that the rest is of the size of 1.
        low, high = self.parameters
        return -low * t + mp.log(-mp.expm1(-(high - low) * t) / ((high - low) * t))

    def distance(self, c):
        return self._average(lambda x: (x - c) * abs(x - c) / 2)

    def log_square(self, c, d):
        def integral(x):
            z = (x - c) / d
            return (x - c) * (mp.log(1 + z**2) - 2) + 2 * d * mp.atan(z) + x * 2 * mp.log(d)

        return self._average(integral)

    def log_cosh(self, c, s):
        """`E 2 log(2 cosh((x - c) / (2 s)))`."""

        def integral(x):
            z = abs(x - c) / s
            value = z**2 / 2 + 2 * (mp.pi**2 / 12 + (mp.polylog(2, -mp.exp(-z)) if z < 300 else 0))
            return s * mp.sign(x - c) * value

        return mp.re(self._average(integral))


MEANS = {name: globals()[f"Of{name}"] for name in UNIT}


def _power(p, unit, k):
    """`E (x / unit)^k`, and what its exponent loses: as many roundings as it is large."""
    exponent = p.log_power(k) - k * mp.log(unit)
    return [mp.exp(exponent)]


def _laplace_transform(p, loc, unit):
    return [mp.exp(p.log_laplace(1 / unit) + loc / unit)]


def _square(p, m, s):
    second = p.second()
    return [inf] if second == inf else [(second - 2 * m * p.mean() + m**2) / s**2 / 2]


def _t_constant(v):
    return mp.loggamma(v / 2) - mp.loggamma((v + 1) / 2) + mp.log(v * mp.pi) / 2


# The unit of q, and the terms of the cross-entropy in that unit.
TERMS = {
    "Normal": lambda p, m, s: (s, [mp.log(2 * mp.pi) / 2, *_square(p, m, s)]),
    "HalfNormal": lambda p, s: (s, [mp.log(mp.pi / 2) / 2, *_square(p, 0, s)]),
    "Laplace": lambda p, m, s: (s, [mp.log(2), p.distance(m) / s]),
    "Logistic": lambda p, m, s: (s, [p.log_cosh(m, s)]),
    "Gumbel": lambda p, m, s: (s, [(p.mean() - m) / s, *_laplace_transform(p, m, s)]),
    "Cauchy": lambda p, m, s: (s, [mp.log(mp.pi), p.log_square(m, s) - 2 * mp.log(s)]),
    "StudentT": lambda p, v, m, s: (
        s,
        [_t_constant(v), (v + 1) / 2 * (p.log_square(m, s * mp.sqrt(v)) - mp.log(v * s**2))],
    ),
    "Exponential": lambda p, r: (1 / r, [p.mean() * r]),
    "Gamma": lambda p, a, r: (1 / r, [mp.loggamma(a), (1 - a) * (p.log() + mp.log(r)), p.mean() * r]),
    "InverseGamma": lambda p, a, s: (
        s,
        [mp.loggamma(a), (a + 1) * (p.log() - mp.log(s)), *_power(p, s, mpf(-1))],
    ),
    "InverseGaussian": lambda p, m, l: (
        l,
        [
            mp.log(2 * mp.pi) / 2,
            (p.log() - mp.log(l)) * 3 / 2,
            l * p.mean() / m**2 / 2,
            -l / m,
            *(x / 2 for x in _power(p, l, mpf(-1))),
        ],
    ),
    "LogNormal": lambda p, m, s: (
        mpf(1),
        [p.log(), mp.log(2 * mp.pi) / 2 + mp.log(s), ((p.log() - m) ** 2 + p.log_variance()) / (2 * s**2)],
    ),
    "Weibull": lambda p, s, k: (
        s,
        [-mp.log(k), (1 - k) * (p.log() - mp.log(s)), *_power(p, s, k)],
    ),
    "Pareto": lambda p, s, a: (s, [-mp.log(a), (a + 1) * (p.log() - mp.log(s))]),
    "Uniform": lambda p, l, h: (h - l, []),
    "Beta": lambda p, a, b: (mpf(1), [_log_beta(a, b), (1 - a) * p.log(), (1 - b) * p.log_complement()]),
}
TERMS["ChiSquared"] = lambda p, d: TERMS["Gamma"](p, d / 2, mpf(1) / 2)

SUPPORT = {
    "Beta": lambda a, b: (0, 1),
    "Uniform": lambda l, h: (l, h),
    "Pareto": lambda s, a: (s, inf),
}
REAL_LINE = ("Normal", "Laplace", "Logistic", "Gumbel", "StudentT", "Cauchy")


def support(name, *parameters):
    if name in SUPPORT:
        return SUPPORT[name](*parameters)
    return (-inf, inf) if name in REAL_LINE else (0, inf)


def _parts(p_name, q_name, p, q):
    unit, terms = TERMS[q_name](MEANS[p_name](*p), *q)
    return unit, terms


def _is_covered(p_name, q_name, p, q):
    (low_p, high_p), (low_q, high_q) = support(p_name, *p), support(q_name, *q)
    return low_q <= low_p and high_p <= high_q


def functions(p_name, q_name, count):
    """The divergence, the cross-entropy and the largest term of each, of `count` parameters of p and those of q."""

    def cross_entropy(*theta):
        p, q = theta[:count], theta[count:]
        if not _is_covered(p_name, q_name, p, q):
            return inf
        unit, terms = _parts(p_name, q_name, p, q)
        return inf if inf in terms else mp.log(unit) + mp.fsum(terms)

    def kl_divergence(*theta):
        p = theta[:count]
        cross = cross_entropy(*theta)
        return inf if cross == inf else cross - ENTROPY[p_name](*p) - mp.log(UNIT[p_name](*p))

    def largest_term(*theta):
        p, q = theta[:count], theta[count:]
        if not _is_covered(p_name, q_name, p, q):
            return mpf(1)
        unit, terms = _parts(p_name, q_name, p, q)
        if inf in terms:
            return mpf(1)
        own = UNIT[p_name](*p)
        return max(1, abs(mp.log(unit / own)), abs(ENTROPY[p_name](*p)), *map(abs, terms))

    def largest_term_of_cross_entropy(*theta):
        q = theta[count:]
        if not _is_covered(p_name, q_name, theta[:count], q):
            return mpf(1)
        unit, _ = _parts(p_name, q_name, theta[:count], q)
        return max(largest_term(*theta), abs(mp.log(unit)))

    return kl_divergence, cross_entropy, largest_term, largest_term_of_cross_entropy


SCIPY = {
    "Normal": lambda m, s: scipy.stats.norm(m, s),
    "Laplace": lambda m, s: scipy.stats.laplace(m, s),
    "Logistic": lambda m, s: scipy.stats.logistic(m, s),
    "Gumbel": lambda m, s: scipy.stats.gumbel_r(m, s),
    "Cauchy": lambda m, s: scipy.stats.cauchy(m, s),
    "StudentT": lambda v, m, s: scipy.stats.t(v, m, s),
    "Exponential": lambda r: scipy.stats.expon(scale=1 / r),
    "HalfNormal": lambda s: scipy.stats.halfnorm(scale=s),
    "LogNormal": lambda m, s: scipy.stats.lognorm(s, scale=math.exp(m)),
    "Weibull": lambda s, k: scipy.stats.weibull_min(k, scale=s),
    "Pareto": lambda s, a: scipy.stats.pareto(a, scale=s),
    "InverseGaussian": lambda m, l: scipy.stats.invgauss(m / l, scale=l),
    "Gamma": lambda a, r: scipy.stats.gamma(a, scale=1 / r),
    "InverseGamma": lambda a, s: scipy.stats.invgamma(a, scale=s),
    "ChiSquared": lambda d: scipy.stats.chi2(d),
    "Beta": lambda a, b: scipy.stats.beta(a, b),
    "Uniform": lambda l, h: scipy.stats.uniform(l, h - l),
}
