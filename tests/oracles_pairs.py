"""Exact values and gradients of the measures of all pairs that have no elementwise form in the test table."""

import numpy as np

from tests.oracles import equals, ratio_or_zero, select, sqrt


def total_variation(p, q):
    return abs(p - q).sum() / 2


def total_variation_gradient(p, q):
    sign = np.sign((p - q).astype(np.float64))
    return sign / 2, -sign / 2


def hellinger_distance(p, q):
    """From `1/2 sum (sqrt p - sqrt q)^2`, which on normalised tables is `1 - sum sqrt(p q)`."""
    return sqrt(((sqrt(p) - sqrt(q)) ** 2).sum() / 2)


def hellinger_distance_gradient(p, q):
    """`(1 - sqrt(q/p)) / 2 / (2 H)`: 0 where it is infinite, at p = 0 < q, and where the tables are equal."""
    distance = hellinger_distance(p, q)
    if distance == 0:
        return p * 0, q * 0
    slopes = []
    for x, y in ((p, q), (q, p)):
        slope = (1 - ratio_or_zero(sqrt(y), sqrt(x))) / (4 * distance)
        slopes.append(select(equals(x, 0) & ~equals(y, 0), 0, slope))
    return tuple(slopes)
