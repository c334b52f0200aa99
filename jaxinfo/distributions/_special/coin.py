"""Divergences of two outcomes, in terms that are at least 0 and keep their digits where both members are close.

A coin is given by the probabilities of both faces, so that neither loses digits where the other is close to one.
"""

from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo._numerics import (
    divergence_from_log_ratio,
    linear,
    log1p,
    log_ratio,
    quotient,
)


@jax.custom_jvp
def relative_term(p: jax.Array, q: jax.Array, difference: jax.Array) -> jax.Array:
    """`p log(p/q) - p + q >= 0`, given `p - q` with all its digits; `inf` where only `q` is 0."""
    absent = p == 0
    one = jnp.ones_like(p)
    ratio = jnp.where(absent, one, p) / jnp.where(absent, one, q)
    return divergence_from_log_ratio(p, _relative(p, q, difference), difference, jnp.log(ratio))


def _relative(p: jax.Array, q: jax.Array, difference: jax.Array) -> jax.Array:
    """`(p - q) / (p + q)`, 0 where both are 0.

    Not by adding a tiny number to the sum: where p and q are one less something, a compiler adds that to the ones.
    """
    total = p + q
    # The maximum changes nothing; XLA on a CPU would write a quotient that is used twice out as a table.
    return jnp.maximum(difference / jnp.where(total == 0, jnp.ones_like(total), total), -1)


@relative_term.defjvp
def _relative_term_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (p, q, difference), (dp, dq, _) = primals, tangents  # the difference has no derivative of its own
    in_p, in_q = lambda: log_ratio(p, q, difference), lambda: _one_minus_ratio(p, q, difference)
    return relative_term(*primals), linear(p, (dp, in_p), (dq, in_q))


@jax.custom_jvp
def _one_minus_ratio(p: jax.Array, q: jax.Array, difference: jax.Array) -> jax.Array:
    """`1 - p/q`; at `q = 0` it is 1 or `-inf`."""
    edge = jnp.where(p == 0, jnp.ones_like(p), jnp.full_like(p, -jnp.inf))
    return jnp.where(q == 0, edge, quotient(-difference, q))


@_one_minus_ratio.defjvp
def _one_minus_ratio_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (p, q, _), (dp, dq, _) = primals, tangents
    in_p, in_q = lambda: -quotient(jnp.ones_like(q), q), lambda: quotient(quotient(p, q), q)
    return _one_minus_ratio(*primals), linear(p, (dp, in_p), (dq, in_q))


@jax.custom_jvp
def coin_divergence(p: jax.Array, not_p: jax.Array, q: jax.Array, not_q: jax.Array) -> jax.Array:
    """KL between two coins, each by the probabilities of both faces."""
    difference = _difference(p, not_p, q, not_q)
    return relative_term(p, q, difference) + relative_term(not_p, not_q, -difference)


@coin_divergence.defjvp
def _coin_divergence_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (dp, _, dq, _) = tangents  # the other faces change by as much
    in_p, in_q = (lambda: coin_slope_in_p(*primals)), (lambda: coin_slope_in_q(*primals))
    return coin_divergence(*primals), linear(primals[0], (dp, in_p), (dq, in_q))


def _difference(p: jax.Array, not_p: jax.Array, q: jax.Array, not_q: jax.Array) -> jax.Array:
    return jnp.where(p <= 0.5, p - q, not_q - not_p)


def coin_slope_in_p(p: jax.Array, not_p: jax.Array, q: jax.Array, not_q: jax.Array) -> jax.Array:
    """`log(p/q) - log((1-p)/(1-q))`; 0 where it is infinite and the divergence is not, at `p = 0` and `p = 1`."""
    held = ((p == 0) & (not_q > 0)) | ((not_p == 0) & (q > 0))
    p, not_p, q, not_q = (jnp.where(held, jnp.full_like(x, 0.5), x) for x in (p, not_p, q, not_q))
    difference = _difference(p, not_p, q, not_q)
    return log_ratio(p, q, difference) - log_ratio(not_p, not_q, -difference)


def coin_slope_in_q(p: jax.Array, not_p: jax.Array, q: jax.Array, not_q: jax.Array) -> jax.Array:
    """`(1-p)/(1-q) - p/q`, of the divergence and of the cross-entropy."""
    difference = _difference(p, not_p, q, not_q)
    return _one_minus_ratio(p, q, difference) - _one_minus_ratio(not_p, not_q, -difference)


@jax.custom_jvp
def coin_divergence_from_log_odds(z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    """KL between two coins given by their log-odds, whose difference is taken before anything has rounded."""
    (a, not_a), (b, not_b) = faces(z_p), faces(z_q)
    step = _finite_step(z_p, z_q)
    difference = jnp.tanh(0.5 * step) * (a * not_b + b * not_a)
    # The logarithm of the ratio of probabilities, whose digits count where it is not small; what is common to both
    # faces comes last.
    common = jnp.log((1 + _odds(z_p)) / (1 + _odds(z_q)))
    value = _face(a, b, difference, -_clipped_step(-z_p, -z_q) - common)
    value = value + _face(not_a, not_b, -difference, -_clipped_step(z_p, z_q) - common)
    impossible = jnp.isinf(z_q) & (z_p != z_q)
    return jnp.where(impossible, jnp.full_like(value, jnp.inf), value)


def _face(p: jax.Array, q: jax.Array, difference: jax.Array, log_of_ratio: jax.Array) -> jax.Array:
    return divergence_from_log_ratio(p, _relative(p, q, difference), difference, log_of_ratio)


def _bounded(z: jax.Array) -> jax.Array:
    most = 0.25 * float(jnp.finfo(z.dtype).max)
    return jnp.clip(z, -most, most)


def _finite_step(z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    return _bounded(z_p) - _bounded(z_q)


def _clipped_step(z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    """`max(z_p, 0) - max(z_q, 0)`, exact where both are positive."""
    zero = jnp.zeros_like(z_p)
    return jnp.maximum(_bounded(z_p), zero) - jnp.maximum(_bounded(z_q), zero)


@coin_divergence_from_log_odds.defjvp
def _coin_divergence_from_log_odds_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (z_p, z_q), (dz_p, dz_q) = primals, tangents
    return coin_divergence_from_log_odds(z_p, z_q), dz_p * _slope_in_p(z_p, z_q) - dz_q * _face_difference(z_p, z_q)


def _slope_in_p(z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    """`p (1 - p) (z_p - z_q)`, and 0 where one of the faces is impossible."""
    known = jnp.isfinite(z_p) & jnp.isfinite(z_q)
    zero = jnp.zeros_like(z_p)
    return spread(z_p) * jnp.where(known, jnp.where(known, z_p, zero) - jnp.where(known, z_q, zero), zero)


@jax.custom_jvp
def _face_difference(z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    """`p - q`."""
    (a, not_a), (b, not_b) = faces(z_p), faces(z_q)
    return jnp.tanh(0.5 * _finite_step(z_p, z_q)) * (a * not_b + b * not_a)


@_face_difference.defjvp
def _face_difference_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (z_p, z_q), (dz_p, dz_q) = primals, tangents
    return _face_difference(z_p, z_q), dz_p * spread(z_p) - dz_q * spread(z_q)


@jax.custom_jvp
def faces(log_odds: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The probabilities of both faces, each with all its digits."""
    odds = _odds(log_odds)
    more = jnp.minimum(1 / (1 + odds), 1)
    less = odds * more
    heads = log_odds >= 0
    return jnp.where(heads, more, less), jnp.where(heads, less, more)


@faces.defjvp
def _faces_jvp(primals: Any, tangents: Any) -> tuple[tuple[jax.Array, jax.Array], tuple[jax.Array, jax.Array]]:
    (z,), (dz,) = primals, tangents
    change = dz * spread(z)
    return faces(z), (change, -change)


def _odds(log_odds: jax.Array) -> jax.Array:
    """The probability of the lesser face over that of the greater one.

    The minimum, as that above, changes nothing; XLA on a CPU would write an exponential or a quotient that is used
    twice out as a table.
    """
    return jnp.minimum(jnp.exp(-jnp.abs(log_odds)), 1)


@jax.custom_jvp
def _sigmoid(z: jax.Array) -> jax.Array:
    return jax.nn.sigmoid(z)


@_sigmoid.defjvp
def _sigmoid_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    # The usual rule, p (1 - p), has lost 1 - p where p is close to one.
    (z,), (dz,) = primals, tangents
    return _sigmoid(z), dz * spread(z)


@jax.custom_jvp
def spread(log_odds: jax.Array) -> jax.Array:
    """The product of the probabilities of both faces."""
    p, not_p = faces(log_odds)
    return p * not_p


@spread.defjvp
def _spread_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (z,), (dz,) = primals, tangents
    return spread(z), dz * (-jnp.tanh(0.5 * z) * spread(z))


@jax.custom_jvp
def softplus(z: jax.Array) -> jax.Array:
    """`log(1 + exp(z))`, the surprisal of the face whose log-odds is `-z`."""
    return jnp.maximum(z, jnp.zeros_like(z)) + jnp.log1p(jnp.exp(-jnp.abs(z)))


@softplus.defjvp
def _softplus_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    # The usual rule has a second derivative that is 0 where it is only small.
    (z,), (dz,) = primals, tangents
    return softplus(z), dz * _sigmoid(z)


# ---------------------------------------------------------------------------------------------------------------------
# Cross-entropies


@jax.custom_jvp
def coin_cross_entropy(p: jax.Array, not_p: jax.Array, q: jax.Array, not_q: jax.Array) -> jax.Array:
    """`-p log q - (1 - p) log(1 - q)` of two coins, each by the probabilities of both faces."""
    return weighted_surprisal(p, q, not_q) + weighted_surprisal(not_p, not_q, q)


@coin_cross_entropy.defjvp
def _coin_cross_entropy_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (p, not_p, q, not_q), (dp, _, dq, _) = primals, tangents  # the other faces change by as much

    def in_p() -> jax.Array:
        impossible, sure = q == 0, not_q == 0
        edge = impossible | sure
        half = jnp.full_like(q, 0.5)
        inside = jnp.where(edge, half, q), jnp.where(edge, half, not_q)
        slope = log_ratio(inside[1], inside[0], inside[1] - inside[0])
        infinite, zero = jnp.full_like(q, jnp.inf), jnp.zeros_like(q)
        at_zero, at_one = jnp.where(p == 0, zero, infinite), jnp.where(not_p == 0, zero, -infinite)
        return jnp.where(impossible, at_zero, jnp.where(sure, at_one, slope))

    return coin_cross_entropy(*primals), linear(p, (dp, in_p), (dq, lambda: coin_slope_in_q(*primals)))


@jax.custom_jvp
def coin_cross_entropy_from_log_odds(z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    """`coin_cross_entropy` of two coins given by their log-odds."""
    p, not_p = faces(z_p)
    return _weighted(p, softplus(-z_q)) + _weighted(not_p, softplus(z_q))


@coin_cross_entropy_from_log_odds.defjvp
def _coin_cross_entropy_from_log_odds_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (z_p, z_q), (dz_p, dz_q) = primals, tangents
    finite = jnp.where(jnp.isfinite(z_q), z_q, jnp.zeros_like(z_q))
    tangent = -dz_p * (spread(z_p) * finite) - dz_q * _face_difference(z_p, z_q)
    return coin_cross_entropy_from_log_odds(z_p, z_q), tangent


@jax.custom_jvp
def weighted_surprisal(weight: jax.Array, q: jax.Array, not_q: jax.Array) -> jax.Array:
    """`-weight log q`, 0 where the weight is 0, `inf` where only `q` is; `not_q = 1 - q` has the digits near one."""
    return _weighted(weight, _surprisal(q, not_q))


def _surprisal(q: jax.Array, not_q: jax.Array) -> jax.Array:
    rare = q < 0.5
    one, zero = jnp.ones_like(q), jnp.zeros_like(q)
    return jnp.where(rare, -jnp.log(jnp.where(rare, q, one)), -log1p(-jnp.where(rare, zero, not_q)))


def _weighted(weight: jax.Array, value: jax.Array) -> jax.Array:
    absent = weight == 0
    return jnp.where(absent, jnp.zeros_like(value), weight * jnp.where(absent, jnp.zeros_like(value), value))


@weighted_surprisal.defjvp
def _weighted_surprisal_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (weight, q, not_q), (d_weight, dq, _) = primals, tangents
    absent = weight == 0

    def in_weight() -> jax.Array:
        # Where q is impossible, a weight of 0 is the edge of infinity; the value there is 0, and so is the slope.
        zero = (q == 0) & absent
        one = jnp.ones_like(q)
        return jnp.where(
            zero, jnp.zeros_like(q), weighted_surprisal(one, jnp.where(zero, one, q), jnp.where(zero, 0 * one, not_q))
        )

    def in_q() -> jax.Array:
        edge = jnp.where(absent, jnp.zeros_like(q), jnp.full_like(q, -jnp.inf))
        return jnp.where(q == 0, edge, -quotient(weight, q))

    return weighted_surprisal(*primals), linear(q, (d_weight, in_weight), (dq, in_q))


# ---------------------------------------------------------------------------------------------------------------------
# Remainders


@jax.custom_jvp
def log_remainder(x: jax.Array) -> jax.Array:
    r"""Returns :math:`x - \log(1 + x) \ge 0` for `x >= -1` without cancellation."""
    return divergence_from_log_ratio(jnp.ones_like(x), -x / (2 + x), -x, -log1p(x))


@log_remainder.defjvp
def _log_remainder_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (x,), (dx,) = primals, tangents
    edge = x == -1
    inside = jnp.where(edge, jnp.zeros_like(x), x)
    slope = jnp.where(edge, jnp.full_like(x, -jnp.inf), inside / (1 + inside))
    return log_remainder(x), linear(x, (dx, lambda: slope))
