"""Exact entropies and divergences of an order, from their definitions; see `tests/oracles.py`."""

import math

import numpy as np

from tests.oracles import (
    _is_double_double,
    chop,
    entropy,
    entropy_gradient,
    equals,
    exp,
    kl_terms,
    log,
    log_or_zero,
    mpf,
    normalise,
    select,
    sqrt,
    through_softmax,
)


def power(x, a):
    """x^a for positive x, 0 at 0."""
    zero = equals(x, 0)
    return select(zero, 0, exp(log_or_zero(x) * mpf(a)))


def _largest(x):
    return x.high.max() if _is_double_double(x) else max(x.ravel())


# --- entropies --------------------------------------------------------------------------------------------------


def _is_zero(x):
    return bool(equals(np.asarray(x, dtype=object) if not _is_double_double(x) else x, 0).all())


def renyi_entropy(p, order):
    """0 of a table without mass."""
    c = p.sum()
    if _is_zero(c):
        return c
    if order == 1:
        return entropy(p) / c
    if math.isinf(order):
        return -log(_largest(p) + p.sum() * 0)
    return log(power(p, order).sum() / c) / (1 - mpf(order))


def renyi_entropy_gradient(p, order):
    c, zero = p.sum(), equals(p, 0)
    if _is_zero(c):
        return (p,)
    if order == 1:
        return (select(zero, 0, -(log_or_zero(p) + renyi_entropy(p, 1) + 1) / c),)
    a = mpf(order)
    slope = (power(p, order - 1) * (a / power(p, order).sum()) - 1 / c) / (1 - a)
    return (select(zero, float(-1 / c / (1 - a)) if order > 1 else 0, slope),)


def tsallis_entropy(p, order):
    if order == 1:
        return entropy(p)
    return (p - power(p, order)).sum() / (mpf(order) - 1)


def tsallis_entropy_gradient(p, order):
    if order == 1:
        return entropy_gradient(p)
    a = mpf(order)
    slope = (1 - power(p, order - 1) * a) / (a - 1)
    return (select(equals(p, 0), float(1 / (a - 1)) if order > 1 else 0, slope),)


def min_entropy(p):
    return -log(_largest(p) + p.sum() * 0)


def min_entropy_gradient(p):
    largest = equals(p - _largest(p), 0)
    if _is_zero(p):
        return (select(largest, -np.inf, p),)
    return (select(~largest, 0, -1 / select(~largest, 1, p) / int(largest.sum())),)


def normalized_entropy(p):
    return entropy(p) / log(mpf(p.size) + p.sum() * 0) if p.size > 1 else p.sum() * 0


def normalized_entropy_gradient(p):
    if p.size == 1:
        return (p * 0,)
    scale = log(mpf(p.size) + p.sum() * 0)
    return (entropy_gradient(p)[0] / scale,)


# --- divergences ------------------------------------------------------------------------------------------------


def _gap(p, q, a):
    """`p^a q^(1-a) - a p - (1-a) q`, entry by entry."""
    return power(p, a) * power(q, 1 - a) - p * mpf(a) - q * (1 - mpf(a))


def _infinite(p, q, a):
    only_p, only_q = equals(q, 0) & ~equals(p, 0), equals(p, 0) & ~equals(q, 0)
    return bool((a >= 1 and only_p.any()) or (a <= 0 and only_q.any()))


def alpha_divergence(p, q, alpha):
    if _infinite(p, q, alpha):
        return mpf(np.inf)
    if alpha in (0, 1):
        return chop(kl_terms(*((p, q) if alpha else (q, p))).sum())
    return chop(_gap(p, q, alpha).sum() / (mpf(alpha) * (mpf(alpha) - 1)))


def _slope(p, q, a):
    """((p/q)^(a-1) - 1) / (a-1), and what it tends to at zeros of p and q: an infinite slope of a finite value is 0."""
    at_p, at_q = equals(p, 0), equals(q, 0)
    ratio = select(at_p | at_q, 1, select(at_p | at_q, 1, p) / select(at_q, 1, q))
    inside = log(ratio) if a == 1 else (power(ratio, a - 1) - 1) / (mpf(a) - 1)
    rising = 1 / (1 - a) if a < 1 else np.inf
    falling = 1 / (1 - a) if a > 1 else (0 if a > 0 else -np.inf)
    nowhere = 1 / (1 - a) if a < 1 else 0
    return select(at_p & at_q, nowhere, select(at_q, rising, select(at_p, falling, inside)))


def alpha_divergence_gradient(p, q, alpha):
    return _slope(p, q, alpha), _slope(q, p, 1 - alpha)


def tsallis_divergence(p, q, order):
    if order == 0:
        return select(~equals(p, 0), 0, q).sum()
    return alpha_divergence(p, q, order) * mpf(order)


def tsallis_divergence_gradient(p, q, order):
    return tuple(g * mpf(order) for g in alpha_divergence_gradient(p, q, order))


def _mass(p, q, a):
    b = min(a, 1)
    return p.sum() * mpf(b) + q.sum() * (1 - mpf(b))


def _power_sum(p, q, a):
    """v + (a-1) U: beyond order 1 the difference in mass comes off."""
    excess = (p.sum() - q.sum()) * (mpf(a) - 1) if a > 1 else 0
    return (power(p, a) * power(q, 1 - a)).sum() - excess


def renyi_divergence(p, q, order):
    if order >= 1 and _infinite(p, q, order):
        return mpf(np.inf)
    v, u = _mass(p, q, order), tsallis_divergence(p, q, order)
    if _is_zero(v):
        return mpf(0 if _is_zero(u) else np.inf)
    if order == 1:
        return u / v
    inside = _power_sum(p, q, order) / v
    return mpf(np.inf) if _is_zero(inside) else chop(log(inside) / (mpf(order) - 1))


def renyi_divergence_gradient(p, q, order):
    """Of log(1 + (a-1) U / v) / (a-1): through U, and through the mass v."""
    value, v = renyi_divergence(p, q, order), _mass(p, q, order)
    u, through = tsallis_divergence(p, q, order), tsallis_divergence_gradient(p, q, order)
    if _is_zero(v):
        return p * 0, p * 0
    only_p, only_q = equals(q, 0) & ~equals(p, 0), equals(p, 0) & ~equals(q, 0)
    if np.isinf(float(value)):  # from order 1 on that of U, as for the divergence of order 1
        steep = (order >= 1) * np.ones(p.shape, bool)
        return select(only_q & ~steep, -np.inf, through[0] / v), select(only_p & ~steep, -np.inf, through[1] / v)
    total, b = _power_sum(p, q, order), min(order, 1)
    of_mass = [u * mpf(share) / (v * total) for share in (b, 1 - b)]
    neither = equals(p, 0) & equals(q, 0)
    infinite = only_q & (order <= 1) | neither & (order >= 1), only_p & (order < 1)
    return tuple(select(i, 0, g / total - m) for i, g, m in zip(infinite, through, of_mass, strict=True))


def hellinger_distance(p, q):
    return sqrt(_half_square(p, q))


def _half_square(p, q):
    return chop((p + q - sqrt(p * q) * 2).sum() / 2)


def hellinger_distance_gradient(p, q):
    distance = hellinger_distance(p, q)
    if _is_zero(distance):
        return p * 0, q * 0
    return tuple(g / (4 * distance) for g in _root_slopes(p, q))


def _root_slopes(p, q):
    """1 - sqrt(q/p); 0 where it is infinite, 1 where both are 0."""
    slopes = []
    for x, y in ((p, q), (q, p)):
        zero = equals(x, 0)
        inside = 1 - sqrt(y / select(zero, 1, x))
        slopes.append(select(zero & equals(y, 0), 1, select(zero, 0, inside)))
    return tuple(slopes)


def bhattacharyya_distance(p, q):
    overlap = sqrt(p * q).sum()
    if _is_zero(overlap):
        return mpf(np.inf)
    mass = (p.sum() + q.sum()) / 2
    return chop(-log(overlap / mass))


def bhattacharyya_distance_gradient(p, q):
    overlap, mass = sqrt(p * q).sum(), (p.sum() + q.sum()) / 2
    slopes = []
    for x, y in ((p, q), (q, p)):
        zero = equals(x, 0)
        if _is_zero(overlap):
            slopes.append(select(zero & ~equals(y, 0), -np.inf, p * 0 + 1 / (2 * mass)))
            continue
        inside = 1 / (2 * mass) - sqrt(y / select(zero, 1, x)) / (2 * overlap)
        slopes.append(select(zero & equals(y, 0), float(1 / (2 * mass)), select(zero, 0, inside)))
    return tuple(slopes)


# --- Chernoff ---------------------------------------------------------------------------------------------------


def _log_mass(p, q, a):
    """log of `sum p^a q^(1-a)` over `a sum p + (1-a) sum q`, and its first two derivatives in a."""
    inside = ~(equals(p, 0) | equals(q, 0))
    x, y = select(~inside, 1, p), select(~inside, 1, q)
    ratio = select(~inside, 0, log(x) - log(y))
    w = select(~inside, 0, exp(ratio * a) * y)
    s, v, dv = w.sum(), p.sum() * a + q.sum() * (1 - a), p.sum() - q.sum()
    mean = (w * ratio).sum() / s
    variance = (w * (ratio - mean) * (ratio - mean)).sum() / s
    return log(s / v), mean - dv / v, variance + (dv / v) * (dv / v)


def _best_order(p, q):
    """Newton's method in a bracket, until the bracket or the step is a rounding at 60 digits."""
    low, high = mpf(0), mpf(1)
    if _log_mass(p, q, low)[1] >= 0 and _log_mass(p, q, high)[1] > 0:
        return low
    if _log_mass(p, q, high)[1] <= 0 and _log_mass(p, q, low)[1] < 0:
        return high
    a = mpf(1) / 2
    for _ in range(300):
        _, mean, variance = _log_mass(p, q, a)
        if mean == 0:
            break
        low, high = (a, high) if mean < 0 else (low, a)
        new = a - mean / variance if variance > 0 else a
        new = new if low < new < high else (low + high) / 2
        if abs(new - a) < mpf(10) ** -50:
            break
        a = new
    return a


def chernoff_information(p, q):
    if (equals(p, 0) | equals(q, 0)).all():
        return mpf(0) if _is_zero(p) and _is_zero(q) else mpf(np.inf)
    return chop(-_log_mass(p, q, _best_order(p, q))[0])


def chernoff_information_gradient(p, q):
    """Of minus the logarithm at the best order, held fixed."""
    value = float(chernoff_information(p, q))
    if _is_zero(p) and _is_zero(q):
        return p * 0, q * 0
    if _is_zero(p) or _is_zero(q):  # one of them has no mass: the order is at its end
        ends = [
            (p * 0 + 1 / x.sum()) if not _is_zero(x) else select(~equals(y, 0), -np.inf, p) for x, y in ((p, q), (q, p))
        ]
        return tuple(ends)
    if np.isinf(value):  # that of the divergence of order 1/2
        return renyi_divergence_gradient(p, q, 0.5)
    a = _best_order(p, q)
    s, v = (power(p, a) * power(q, 1 - a)).sum(), p.sum() * a + q.sum() * (1 - a)
    slopes = []
    for x, y, b in ((p, q, a), (q, p, 1 - a)):
        at_x, at_y = equals(x, 0), equals(y, 0)
        ratio = power(select(at_y, 0, y) / select(at_x, 1, x), 1 - b)
        steep = at_x & ~at_y & (b < 1)  # at the end of the orders the slope is finite there
        slopes.append(select(steep, 0, b / v - ratio * b / s))
    return tuple(slopes)


# --- logits -----------------------------------------------------------------------------------------------------


_is_finite_number = np.frompyfunc(lambda x: abs(x) < mpf("inf"), 1, 1)


def _is_finite(x):
    """Also numbers too large for a float."""
    return np.isfinite(x.high) if _is_double_double(x) else np.asarray(_is_finite_number(x)).astype(bool)


def _of_one(value, gradient):
    """A measure of a table as one of logits, and its gradient; the masked outcomes left out of the gradient."""

    def measure(z, **options):
        return value(normalise(z)[0], **options)

    def slope(z, **options):
        p = normalise(z)[0]
        return (through_softmax(p, gradient(p, **options)[0]),)

    return measure, slope


def _of_two(value, gradient):
    def measure(z_p, z_q, **options):
        return value(normalise(z_p)[0], normalise(z_q)[0], **options)

    def slope(z_p, z_q, **options):
        p, q = normalise(z_p)[0], normalise(z_q)[0]
        finite = [select(~_is_finite(g), 0, g) for g in gradient(p, q, **options)]
        return through_softmax(p, finite[0]), through_softmax(q, finite[1])

    return measure, slope


logits_renyi_entropy, logits_renyi_entropy_gradient = _of_one(renyi_entropy, renyi_entropy_gradient)
logits_tsallis_entropy, logits_tsallis_entropy_gradient = _of_one(tsallis_entropy, tsallis_entropy_gradient)
logits_min_entropy, logits_min_entropy_gradient = _of_one(min_entropy, min_entropy_gradient)


def logits_normalized_entropy(z):
    """Over the logarithm of the number of outcomes that are not masked."""
    p, _, masked = normalise(z)
    return entropy(p) / log(mpf(p.size - int(masked.sum())) + p.sum() * 0) if p.size > masked.sum() + 1 else p.sum() * 0


def logits_normalized_entropy_gradient(z):
    p, _, masked = normalise(z)
    if p.size == masked.sum() + 1:
        return (p * 0,)
    scale = log(mpf(p.size - int(masked.sum())) + p.sum() * 0)
    return (through_softmax(p, entropy_gradient(p)[0]) / scale,)


logits_renyi_divergence, logits_renyi_divergence_gradient = _of_two(renyi_divergence, renyi_divergence_gradient)
logits_tsallis_divergence, logits_tsallis_divergence_gradient = _of_two(tsallis_divergence, tsallis_divergence_gradient)
logits_alpha_divergence, logits_alpha_divergence_gradient = _of_two(alpha_divergence, alpha_divergence_gradient)
logits_hellinger_distance, logits_hellinger_distance_gradient = _of_two(hellinger_distance, hellinger_distance_gradient)
logits_bhattacharyya_distance, logits_bhattacharyya_distance_gradient = _of_two(
    bhattacharyya_distance, bhattacharyya_distance_gradient
)
logits_chernoff_information, logits_chernoff_information_gradient = _of_two(
    chernoff_information, chernoff_information_gradient
)
