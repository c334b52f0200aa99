"""The exact values of the measures, from their definitions, on the very floats that the library is given.

Every oracle takes exact arrays (`exact(x)`): mpmath numbers of 60 digits up to 1000 entries, double-doubles of 31
digits above. Both have the same operators, so each definition is written once. For every measure there are

- `value`: the definition, with `0 log 0 = 0`;
- `gradient`: its derivative in every argument by the textbook formula, continued to the boundary by the library's
  convention: a finite one-sided derivative as it is, an infinite derivative of a finite value as 0, and of an infinite
  value as itself. In the interior `tests/test_oracles.py` holds it against numerical differentiation of `value` at 60
  digits. It also serves the condition number `sum |x_i df/dx_i| / |f|`, the factor by which an answer may lose digits
  merely because its inputs are rounded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np

from tests import double_double as dd

_context = mpmath.MPContext()
_context.dps = 60
mpf = _context.mpf

# Up to this many entries an array is one of mpmath numbers.
MPMATH_SIZE = 1000

_to_mpmath = np.frompyfunc(lambda x: mpf(float(x)), 1, 1)
_mp_log = np.frompyfunc(lambda x: _context.log(x) if x >= 0 else _context.nan, 1, 1)
_mp_exp = np.frompyfunc(_context.exp, 1, 1)
_mp_sqrt = np.frompyfunc(_context.sqrt, 1, 1)

Exact = Any  # an object array of mpmath numbers, or a DoubleDouble


# --- exact arrays -----------------------------------------------------------------------------------------------


def exact(x) -> Exact:
    """The floats `x` as exact numbers (every bfloat16, float16 and float32 is a float64)."""
    x = np.asarray(x).astype(np.float64)
    return dd.DoubleDouble(x) if x.size > MPMATH_SIZE else np.asarray(_to_mpmath(x), dtype=object)


def _is_double_double(x) -> bool:
    return isinstance(x, dd.DoubleDouble)


def log(x: Exact) -> Exact:
    return dd.log(x) if _is_double_double(x) else _mp_log(x)


def exp(x: Exact) -> Exact:
    return dd.exp(x) if _is_double_double(x) else _mp_exp(x)


def sqrt(x: Exact) -> Exact:
    return dd.sqrt(x) if _is_double_double(x) else _mp_sqrt(x)


def equals(x: Exact, number: float) -> np.ndarray:
    """Where every entry is exactly that float."""
    return x.high == number if _is_double_double(x) else np.asarray(x == number).astype(bool)


def select(condition: np.ndarray, number: float, x: Exact) -> Exact:
    """`number` where the condition holds, `x` elsewhere."""
    if _is_double_double(x):
        return dd.DoubleDouble(np.where(condition, number, x.high), np.where(condition, 0.0, x.low))
    return np.where(condition, mpf(number), x)


def log_or_zero(x: Exact) -> Exact:
    """log x, and 0 at 0: for use under a weight that is 0 there."""
    zero = equals(x, 0)
    return select(zero, 0, log(select(zero, 1, x)))


def weighted_log(weight: Exact, x: Exact) -> Exact:
    """`weight log x` with `0 log 0 = 0`; `-inf` at a positive weight and x = 0."""
    zero = equals(x, 0)
    term = weight * log_or_zero(x)
    return select(zero & ~equals(weight, 0), -np.inf, term) if zero.any() else term


def ratio_or_zero(x: Exact, y: Exact) -> Exact:
    """x / y, and 0 at y = 0."""
    zero = equals(y, 0)
    return select(zero, 0, x / select(zero, 1, y))


def chop(value: Exact) -> Exact:
    """0 for what cancellation at the working precision has left of a sum that is 0 or too small to resolve."""
    unresolved = mpf(10) ** (15 - _context.dps)
    return mpf(0) if not _is_double_double(value) and abs(value) < unresolved else value


# --- probability tables -----------------------------------------------------------------------------------------


def entropy(p):
    return -weighted_log(p, p).sum()


def entropy_gradient(p):
    return (select(equals(p, 0), 0, -1 - log_or_zero(p)),)


def perplexity(p):
    return exp(entropy(p))


def perplexity_gradient(p):
    return (perplexity(p) * entropy_gradient(p)[0],)


def surprisal(p):
    return select(equals(p, 0), np.inf, -log_or_zero(p))


def surprisal_gradient(p):
    return (select(equals(p, 0), -np.inf, -ratio_or_zero(p, p * p)),)


def binary_entropy(p):
    return -weighted_log(p, p) - weighted_log(1 - p, 1 - p)


def binary_entropy_gradient(p):
    return (log_or_zero(1 - p) - log_or_zero(p),)


def cross_entropy(p, q):
    return mpf(np.inf) if _uncovered(p, q).any() else -weighted_log(p, q).sum()


def _uncovered(p, q):
    """Where p has mass and q has none: the divergence is infinite."""
    return equals(q, 0) & ~equals(p, 0)


def cross_entropy_gradient(p, q):
    uncovered = _uncovered(p, q)
    return select(uncovered, np.inf, -log_or_zero(q)), select(uncovered, -np.inf, -ratio_or_zero(p, q))


def kl_terms(p, q):
    """p log(p / q) - p + q: the generalised divergence, entry by entry."""
    return weighted_log(p, p) - weighted_log(p, q) - p + q


def kl_divergence(p, q):
    return mpf(np.inf) if _uncovered(p, q).any() else kl_terms(p, q).sum()


def kl_divergence_gradient(p, q):
    uncovered = _uncovered(p, q)
    log_ratio = select(equals(p, 0), 0, log_or_zero(p) - log_or_zero(q))
    return select(uncovered, np.inf, log_ratio), select(uncovered, -np.inf, 1 - ratio_or_zero(p, q))


def jeffreys_divergence(p, q):
    if (equals(p, 0) != equals(q, 0)).any():
        return mpf(np.inf)
    return kl_divergence(p, q) + kl_divergence(q, p)


def jeffreys_divergence_gradient(p, q):
    log_ratio = log_or_zero(p) - log_or_zero(q)
    inside = log_ratio + 1 - ratio_or_zero(q, p), 1 - log_ratio - ratio_or_zero(p, q)
    p_alone, q_alone, neither = _uncovered(p, q), _uncovered(q, p), equals(p, 0) & equals(q, 0)
    return (
        select(neither, 0, select(p_alone, np.inf, select(q_alone, -np.inf, inside[0]))),
        select(neither, 0, select(q_alone, np.inf, select(p_alone, -np.inf, inside[1]))),
    )


def jensen_shannon_divergence(p, q, weight=0.5):
    mixture = weight * p + (1 - weight) * q
    return chop(weight * kl_divergence(p, mixture) + (1 - weight) * kl_divergence(q, mixture))


def jensen_shannon_divergence_gradient(p, q, weight=0.5):
    log_mixture = log_or_zero(weight * p + (1 - weight) * q)
    neither = equals(p, 0) & equals(q, 0)
    return tuple(
        select(neither, -w * np.log(w), w * select(equals(x, 0), 0, log_or_zero(x) - log_mixture))
        for w, x in ((weight, p), (1 - weight, q))
    )


def jensen_shannon_distance(p, q, weight=0.5):
    return sqrt(jensen_shannon_divergence(p, q, weight))


def jensen_shannon_distance_gradient(p, q, weight=0.5):
    distance = jensen_shannon_distance(p, q, weight)
    if equals(distance, 0):
        return p * 0, q * 0
    return tuple(g / (2 * distance) for g in jensen_shannon_divergence_gradient(p, q, weight))


def _weights(count, weights):
    """Weights as exact numbers, uniform ones by division."""
    return [mpf(1) / count] * count if weights is None else [mpf(float(w)) for w in weights]


def mixture_jensen_shannon(tables, weights=None):
    """Several tables [N, K] with weights [N]: sum_i w_i KL(p_i | sum_j w_j p_j)."""
    weights = _weights(len(tables), weights)
    mixture = sum(w * p for w, p in zip(weights, tables, strict=True))
    return chop(sum(w * kl_divergence(p, mixture) for w, p in zip(weights, tables, strict=True)))


def mixture_jensen_shannon_gradient(tables, weights=None):
    weights = _weights(len(tables), weights)
    mixture = sum(w * p for w, p in zip(weights, tables, strict=True))
    log_mixture, nowhere = log_or_zero(mixture), equals(mixture, 0)
    rows = []
    for w, p in zip(weights, tables, strict=True):
        slope = w * select(equals(p, 0), 0, log_or_zero(p) - log_mixture)
        rows.append(select(nowhere, -w * np.log(float(w)), slope))
    return (np.stack(rows),)


# --- joint tables -----------------------------------------------------------------------------------------------


def conditional_entropy(p_xy):
    p_y = p_xy.sum(axis=0, keepdims=True)
    return -(weighted_log(p_xy, p_xy) - weighted_log(p_xy, p_y)).sum()


def conditional_entropy_gradient(p_xy):
    p_y = p_xy.sum(axis=0, keepdims=True)
    return (select(equals(p_xy, 0), 0, log_or_zero(p_y) - log_or_zero(p_xy)),)


def _density(p_xy):
    """log(p c / (p_x p_y)) with c the total mass; 0 where p is 0."""
    p_x, p_y = p_xy.sum(axis=1, keepdims=True), p_xy.sum(axis=0, keepdims=True)
    value = log_or_zero(p_xy) + log_or_zero(p_xy.sum(axis=(0, 1), keepdims=True)) - log_or_zero(p_x) - log_or_zero(p_y)
    return select(equals(p_xy, 0), 0, value)


def pointwise_mutual_information(p_xy):
    """log(p / (p_x p_y)); -inf at a zero."""
    p_x, p_y = p_xy.sum(axis=1, keepdims=True), p_xy.sum(axis=0, keepdims=True)
    value = log_or_zero(p_xy) - log_or_zero(p_x) - log_or_zero(p_y)
    return select(equals(p_xy, 0), -np.inf, value)


def mutual_information(p_xy):
    return chop((p_xy * _density(p_xy)).sum())


def mutual_information_gradient(p_xy):
    return (_density(p_xy),)


def _conditional_pointwise(p_xyz):
    """log(p p_z / (p_xz p_yz)); 0 where p is 0."""
    p_z = p_xyz.sum(axis=(0, 1), keepdims=True)
    p_xz, p_yz = p_xyz.sum(axis=1, keepdims=True), p_xyz.sum(axis=0, keepdims=True)
    value = log_or_zero(p_xyz) + log_or_zero(p_z) - log_or_zero(p_xz) - log_or_zero(p_yz)
    return select(equals(p_xyz, 0), 0, value)


def conditional_mutual_information(p_xyz):
    return chop((p_xyz * _conditional_pointwise(p_xyz)).sum())


def conditional_mutual_information_gradient(p_xyz):
    return (_conditional_pointwise(p_xyz),)


# --- logits -----------------------------------------------------------------------------------------------------


def _maximum(z):
    if _is_double_double(z):
        return dd.DoubleDouble(z.high.max())
    return max(z.ravel())


def _log_one_plus(x):
    """log(1 + x), also for an x so small that 1 + x is 1 at 60 digits."""
    return log(1 + x) if _is_double_double(x) else _context.log1p(x)


def normalise(z):
    """Probabilities, their logarithms (0 for masked entries) and the mask, from logits of any shape.

    The sum of exponentials is taken without its largest, which is 1, so that the logarithm of a probability close to
    one keeps its digits.
    """
    masked = equals(z, -np.inf)
    maximum = _maximum(z)
    shifted = select(masked, 0, select(masked, 0, z) - maximum)
    exponentials = select(masked, 0, exp(shifted))
    first = np.unravel_index(int(np.argmax(equals(shifted, 0) & ~masked)), z.shape)
    others = np.zeros(z.shape, bool)
    others[first] = True
    others_sum = select(others, 0, exponentials).sum()
    log_p = select(masked, 0, shifted - _log_one_plus(others_sum))
    return exponentials / (1 + others_sum), log_p, masked


def through_softmax(p, gradient):
    """A gradient in probabilities, pulled back to logits."""
    return p * (gradient - (p * gradient).sum())


def logits_surprisal(z):
    _, log_p, masked = normalise(z)
    return select(masked, np.inf, -log_p)


def logits_entropy(z):
    p, log_p, _ = normalise(z)
    return -(p * log_p).sum()


def logits_entropy_gradient(z):
    p, log_p, _ = normalise(z)
    return (p * (-log_p - logits_entropy(z)),)


def logits_perplexity(z):
    return exp(logits_entropy(z))


def logits_perplexity_gradient(z):
    return (logits_perplexity(z) * logits_entropy_gradient(z)[0],)


def logits_binary_entropy(z):
    """h(sigmoid(z)) = log(1 + e^-z) + z e^-z / (1 + e^-z), which is even in z."""
    z = abs(z)
    infinite = equals(z, np.inf)
    z = select(infinite, 0, z)
    e = exp(-z)
    return select(infinite, 0, np.frompyfunc(_context.log1p, 1, 1)(e) + z * e / (1 + e))


def logits_binary_entropy_gradient(z):
    infinite = equals(abs(z), np.inf)
    z = select(infinite, 0, z)
    e = exp(-abs(z))
    return (-z * e / ((1 + e) * (1 + e)),)


def _cross(p, log_q, q_masked):
    """-p log q with -inf for a masked q, term by term."""
    term = -(p * log_q)
    return select(q_masked & ~equals(p, 0), np.inf, term) if q_masked.any() else term


def logits_cross_entropy(z_p, z_q):
    (p, _, _), (_, log_q, q_masked) = normalise(z_p), normalise(z_q)
    return _cross(p, log_q, q_masked).sum()


def logits_cross_entropy_gradient(z_p, z_q):
    (p, _, _), (q, log_q, _) = normalise(z_p), normalise(z_q)
    return through_softmax(p, -log_q), q - p


def logits_kl_divergence(z_p, z_q):
    (p, log_p, _), (_, log_q, q_masked) = normalise(z_p), normalise(z_q)
    return (p * log_p + _cross(p, log_q, q_masked)).sum()


def logits_kl_divergence_gradient(z_p, z_q):
    (p, log_p, _), (q, log_q, _) = normalise(z_p), normalise(z_q)
    return through_softmax(p, log_p - log_q), q - p


def logits_jeffreys_divergence(z_p, z_q):
    return logits_kl_divergence(z_p, z_q) + logits_kl_divergence(z_q, z_p)


def logits_jeffreys_divergence_gradient(z_p, z_q):
    (p, log_p, _), (q, log_q, _) = normalise(z_p), normalise(z_q)
    log_ratio = log_p - log_q
    return through_softmax(p, log_ratio) + p - q, through_softmax(q, -log_ratio) + q - p


def logits_jensen_shannon_divergence(z_p, z_q, weight=0.5):
    (p, log_p, _), (q, log_q, _) = normalise(z_p), normalise(z_q)
    log_mixture = log_or_zero(weight * p + (1 - weight) * q)
    return chop((weight * p * (log_p - log_mixture) + (1 - weight) * q * (log_q - log_mixture)).sum())


def logits_jensen_shannon_divergence_gradient(z_p, z_q, weight=0.5):
    (p, log_p, _), (q, log_q, _) = normalise(z_p), normalise(z_q)
    log_mixture = log_or_zero(weight * p + (1 - weight) * q)
    return (
        weight * through_softmax(p, log_p - log_mixture),
        (1 - weight) * through_softmax(q, log_q - log_mixture),
    )


def logits_jensen_shannon_distance(z_p, z_q, weight=0.5):
    return sqrt(logits_jensen_shannon_divergence(z_p, z_q, weight))


def logits_jensen_shannon_distance_gradient(z_p, z_q, weight=0.5):
    distance = logits_jensen_shannon_distance(z_p, z_q, weight)
    if equals(distance, 0):
        return normalise(z_p)[0] * 0, normalise(z_q)[0] * 0
    return tuple(g / (2 * distance) for g in logits_jensen_shannon_divergence_gradient(z_p, z_q, weight))


def logits_mixture_jensen_shannon(z, weights=None):
    return mixture_jensen_shannon(np.stack([normalise(row)[0] for row in z]), weights)


def logits_mixture_jensen_shannon_gradient(z, weights=None):
    tables = np.stack([normalise(row)[0] for row in z])
    (gradient,) = mixture_jensen_shannon_gradient(tables, weights)
    return (np.stack([through_softmax(p, g) for p, g in zip(tables, gradient, strict=True)]),)


def cross_entropy_from_probs(p, z_q):
    _, log_q, q_masked = normalise(z_q)
    return _cross(p, log_q, q_masked).sum()


def cross_entropy_from_probs_gradient(p, z_q):
    q, log_q, masked = normalise(z_q)
    return select(masked & ~equals(p, 0), np.inf, -log_q), p.sum() * q - p


def kl_divergence_from_probs(p, z_q):
    """sum p log(p / q) - p + q with q = softmax(z_q)."""
    q, log_q, q_masked = normalise(z_q)
    return (weighted_log(p, p) + _cross(p, log_q, q_masked) - p + q).sum()


def kl_divergence_from_probs_gradient(p, z_q):
    q, log_q, masked = normalise(z_q)
    unseen = equals(p, 0)
    return select(masked & ~unseen, np.inf, select(unseen, 0, log_or_zero(p) - log_q)), p.sum() * q - p


def cross_entropy_from_labels(label, z):
    return logits_surprisal(z)[int(label)]


def cross_entropy_from_labels_gradient(label, z):
    chosen = np.arange(z.shape[0]) == int(label)
    others = select(chosen, 0, normalise(z)[0])
    # p - 1 of the chosen entry is minus the sum of the others, which keeps its digits.
    return np.zeros(()), others - exact(chosen) * others.sum()


def _logits_joint(value):
    """A measure of a joint table from joint logits: scale invariant ones lose nothing at 60 digits."""

    def measure(z):
        return value(normalise(z)[0])

    return measure


def _logits_joint_gradient(gradient):
    def measure(z):
        p = normalise(z)[0]
        return (through_softmax(p, gradient(p)[0]),)

    return measure


logits_conditional_entropy = _logits_joint(conditional_entropy)
logits_conditional_entropy_gradient = _logits_joint_gradient(conditional_entropy_gradient)
logits_mutual_information = _logits_joint(mutual_information)
logits_mutual_information_gradient = _logits_joint_gradient(mutual_information_gradient)
logits_pointwise_mutual_information = _logits_joint(lambda p: select(equals(p, 0), -np.inf, _density(p)))
logits_conditional_mutual_information = _logits_joint(conditional_mutual_information)
logits_conditional_mutual_information_gradient = _logits_joint_gradient(conditional_mutual_information_gradient)


def is_absolutely_continuous(p, q):
    return not bool(np.any(~equals(p, 0) & equals(q, 0)))


def logits_is_absolutely_continuous(z_p, z_q):
    return not bool(np.any(~equals(z_p, -np.inf) & equals(z_q, -np.inf)))


# --- answers ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Oracle:
    """A definition and its derivative on exact arrays.

    A measure that answers with a table has no single condition number: `entry_conditions` gives one for each entry, in
    float64, since a factor needs few digits.
    """

    value: Callable[..., Exact]
    gradient: Callable[..., tuple[Exact, ...]] | None = None
    entry_conditions: Callable[..., np.ndarray] | None = None

    def __call__(self, *arguments) -> Exact:
        """The value on floats, as exact numbers."""
        points = [exact(x) for x in arguments]
        with self.precision(points):
            return self.value(*points)

    def precision(self, points: list[Exact]) -> Any:
        """The context in which the value and the gradient at these points have digits enough."""
        return _context.workdps(self._digits(points))

    def _digits(self, points: list[Exact]) -> int:
        """60, or 400 for an answer so small, or made of numbers so large, that 60 may not resolve it."""
        if any(_is_double_double(x) for x in points):
            return _context.dps
        size = np.abs(np.asarray(self.value(*points), dtype=object).ravel())
        return 400 if any(x < 1e-20 or 1e20 < x < np.inf for x in size) else _context.dps

    def condition(self, *arguments) -> np.ndarray:
        """sum_i |x_i df/dx_i| / |f| over all inputs; infinite where f is 0, 1 where f is infinite."""
        if self.entry_conditions is not None:
            with np.errstate(all="ignore"):
                return self.entry_conditions(*(np.asarray(x, np.float64) for x in arguments))
        points = [exact(x) for x in arguments]
        with _context.workdps(self._digits(points)):
            value = abs(float(self.value(*points)))
            if np.isinf(value):
                return np.ones(())
            if value == 0:
                return np.asarray(np.inf)
            gradients = self.gradient(*points)
            return np.asarray(sum(_magnitude(x, g) for x, g in zip(points, gradients, strict=True) if g.shape) / value)


# Conditions of measures that answer with a table; entries where the value is infinite have none.


def _finite(condition: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(condition), condition, 1.0)


def surprisal_conditions(p):
    return _finite(1 / np.abs(np.log(p)))


def binary_entropy_conditions(p):
    entropy = -p * np.log(p) - (1 - p) * np.log1p(-p)
    return _finite(np.abs(p * (np.log1p(-p) - np.log(p))) / entropy)


def logits_binary_entropy_conditions(z):
    z = np.abs(z)
    e = np.exp(-z)
    return _finite(z * z / (1 + e) ** 2 / ((np.log1p(e) + z * e / (1 + e)) / e))


def _softmax(z):
    e = np.exp(z - z.max())
    return e / e.sum()


def logits_surprisal_conditions(z):
    p, size = _softmax(z), np.where(np.isfinite(z), np.abs(z), 0)
    others = (size * p).sum() - size * p  # the derivative is p_i - [i = j]
    surprisal, _ = to_floats(logits_surprisal(exact(z)))
    rest = -np.expm1(-surprisal)  # 1 - p
    return _finite((np.abs(others) + size * rest) / surprisal)


def _over(total, value):
    total, value = to_floats(total)[0], np.abs(to_floats(value)[0])
    return np.where(np.isfinite(value), total / value, 1.0)


def pointwise_mutual_information_conditions(p):
    """sum over cells of |x d pmi(x, y) / dx| over |pmi|, for every (x, y)."""
    p = exact(p)
    given_x, given_y = (ratio_or_zero(p, p.sum(axis=a, keepdims=True) + p * 0) for a in (1, 0))
    return _over(abs(1 - given_x - given_y) + (1 - given_x) + (1 - given_y), pointwise_mutual_information(p))


def logits_pointwise_mutual_information_conditions(z):
    """The same; exact, since `1 + p - p/p_x - p/p_y` cancels where one cell has nearly all the mass."""
    z = exact(z)
    p, _, masked = normalise(z)
    size = abs(select(masked, 0, z))
    p_x, p_y = p.sum(axis=1, keepdims=True), p.sum(axis=0, keepdims=True)
    given_x, given_y = ratio_or_zero(p, p_x + p * 0), ratio_or_zero(p, p_y + p * 0)
    w, w_x, w_y = size * p, size * given_x, size * given_y
    total = (
        size * abs(1 + p - given_x - given_y)
        + (w_x.sum(axis=1, keepdims=True) - w_x) * (1 - p_x)
        + (w_y.sum(axis=0, keepdims=True) - w_y) * (1 - p_y)
        + (w.sum(axis=(0, 1), keepdims=True) - w.sum(axis=1, keepdims=True) - w.sum(axis=0, keepdims=True) + w)
    )
    return _over(total, logits_pointwise_mutual_information(z))


def _magnitude(x, gradient) -> float:
    """sum |x g|, where a zero and a masked logit have no weight."""
    idle = equals(x, -np.inf) | equals(x, 0)
    return float(abs(select(idle, 0, x) * select(idle, 0, gradient)).sum())


def relative_error(actual, expected: Exact) -> np.ndarray:
    """|actual / expected - 1|, entry by entry; infinite where only one of them is 0, infinite or NaN."""
    high, low = to_floats(expected)
    actual = np.asarray(actual).astype(np.float64)
    special = (high == 0) | ~np.isfinite(high) | ~np.isfinite(actual)
    same = (actual == high) | (np.isnan(actual) & np.isnan(high))
    # The difference of nearby floats is exact, so the low part of the expected value is not lost.
    error = np.abs((np.where(special, 1, actual) - np.where(special, 1, high)) - low) / np.where(
        special, 1, np.abs(high)
    )
    return np.where(special, np.where(same, 0.0, np.inf), error)


def to_floats(x: Exact) -> tuple[np.ndarray, np.ndarray]:
    """Exact numbers as unevaluated sums of two float64."""
    if _is_double_double(x):
        return x.high, x.low
    x = np.asarray(x, dtype=object)
    high = x.astype(np.float64)
    usual = np.isfinite(high)
    low = np.where(usual, x - np.asarray(_to_mpmath(np.where(usual, high, 0.0)), dtype=object), mpf(0))
    return high, low.astype(np.float64)


def differentiate(function: Callable[..., Exact], arguments: list[np.ndarray]) -> list[np.ndarray]:
    """The gradient of a scalar function of exact arrays by central differences at 60 digits (error about 1e-35)."""
    step = mpf(10) ** -18
    points = [exact(x) for x in arguments]
    gradients = []
    for i, point in enumerate(points):
        gradient = np.empty(point.shape, object)
        for index in np.ndindex(point.shape):
            values = []
            for sign in (1, -1):
                moved = point.copy()
                moved[index] = moved[index] + sign * step
                values.append(function(*points[:i], moved, *points[i + 1 :]))
            gradient[index] = (values[0] - values[1]) / (2 * step)
        gradients.append(gradient)
    return gradients
