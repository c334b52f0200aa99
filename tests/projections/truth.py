"""Optima by SciPy: divergences of densities on the line by the trapezoid rule, minimised without derivatives.

The rule converges exponentially for these densities, which are analytic and vanish at both ends of the line.
"""

import numpy as np
import scipy.optimize

X = np.linspace(-40, 40, 16001)
STEP = X[1] - X[0]


def log_normal_density(mean, scale):
    return -0.5 * ((X - mean) / scale) ** 2 - np.log(scale) - 0.5 * np.log(2 * np.pi)


def log_mixture(weights, means, scales):
    parts = [np.log(w) + log_normal_density(m, s) for w, m, s in zip(weights, means, scales, strict=True)]
    return np.logaddexp.reduce(parts)


def integral(values):
    return float(np.sum(values) * STEP)


def forward_kl(p, q):
    return integral(np.exp(p) * (p - q))


def reverse_kl(p, q):
    return forward_kl(q, p)


def jeffreys(p, q):
    return forward_kl(p, q) + reverse_kl(p, q)


def jensen_shannon(weight):
    def divergence(p, q):
        m = np.logaddexp(np.log(weight) + p, np.log1p(-weight) + q)
        return weight * forward_kl(p, m) + (1 - weight) * forward_kl(q, m)

    return divergence


def overlap(order, p, q):
    return integral(np.exp(order * p + (1 - order) * q))


def alpha(order):
    return lambda p, q: (overlap(order, p, q) - 1) / (order * (order - 1))


def renyi(order):
    return lambda p, q: np.log(overlap(order, p, q)) / (order - 1)


def chi_squared(p, q):
    return overlap(2, p, q) - 1


def squared_hellinger(p, q):
    return 1 - overlap(0.5, p, q)


def total_variation(p, q):
    return 0.5 * integral(np.abs(np.exp(p) - np.exp(q)))


def triangular(p, q):
    return integral((np.exp(p) - np.exp(q)) ** 2 / (np.exp(p) + np.exp(q)))


def optimum(divergence, log_target, start):
    """The mean, the deviation and the value of the normal at the local minimum next to a start."""

    def value(free):
        return divergence(log_target, log_normal_density(free[0], np.exp(free[1])))

    begin = np.array([start[0], np.log(start[1])])
    options = {"xatol": 1e-10, "fatol": 1e-15, "maxiter": 4000, "maxfev": 4000}
    found = scipy.optimize.minimize(value, begin, method="Nelder-Mead", options=options)
    return found.x[0], np.exp(found.x[1]), found.fun
