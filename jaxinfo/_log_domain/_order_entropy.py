"""Tsallis and Rényi entropies of rows, of any order from 0 on, which is a number for each row.

With b = a - 1, Tsallis' T is the sum of `(p - p^a) / b`, and Rényi's is `H = -log(1 - b T / c) / b` with the mass c: on
normalised rows `log(sum p^a) / (1 - a)`. As with the divergences, `1 - b T / c = e^(-b H)` keeps derivatives free of
cancellation at every order.

Reference: A. Rényi, "On measures of entropy and information", Proc. 4th Berkeley Symposium 1, 1961 (distributions of
any mass); C. Tsallis, "Possible generalization of Boltzmann-Gibbs statistics", Journal of Statistical Physics 52, 1988.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.custom_derivatives import SymbolicZero

from jaxinfo import _numerics, _powers
from jaxinfo._log_domain._rows import Axes, adaptive, again, change, floored, of_outcomes, row_max, total, with_limit
from jaxinfo._log_domain._softmax import softmax, surprisal

# Sums beyond that are far enough from 0 for a difference of powers.
_LEAST = 1 / 16


class Table(NamedTuple):
    """A table, its logarithm (0 where p is 0) and its powers `p^a`."""

    p: jax.Array
    log: jax.Array
    power: jax.Array
    here: jax.Array


def from_table(p: jax.Array, a: jax.Array) -> Table:
    here = p != 0
    held = jnp.where(here, jnp.where(p < 0, jnp.nan, p), jnp.ones_like(p))
    return Table(p, jnp.log(held), jnp.where(here, jnp.power(held, a), jnp.zeros_like(p)), here)


def from_logits(axes: Axes, z: jax.Array, a: jax.Array) -> Table:
    here = z != -jnp.inf
    log = -jnp.where(here, surprisal(axes, z), jnp.zeros_like(z))
    return Table(softmax(axes, z), log, jnp.where(here, jnp.exp(a * log), jnp.zeros_like(z)), here)


def _terms(t: Table, a: jax.Array) -> jax.Array:
    """`(p - p^a) / (a - 1)`."""
    b = a - 1
    far = jnp.abs(b * t.log) > 1
    near = -t.p * _powers.deformed_log(b, jnp.where(far, jnp.zeros_like(t.log), t.log))
    return jnp.where(far, (t.p - t.power) / jnp.where(b == 0, jnp.ones_like(b), b), near)


def _log_power_sum(axes: Axes, t: Table, a: jax.Array) -> jax.Array:
    """`log sum p^a`: of the sum if that is a float, else from logarithms."""
    s = total(t.power, axes)
    exponent = jnp.where(t.here, a * t.log, -jnp.inf)
    m = row_max(exponent, axes)
    held = jnp.where(jnp.isinf(m), jnp.zeros_like(m), m)
    apart = held + jnp.log(total(jnp.exp(exponent - held), axes))
    return jnp.where(s > _numerics.tiny(s) * 2.0**30, jnp.log(s), apart)


def _renyi(axes: Axes, t: Table, a: jax.Array, mass: jax.Array) -> jax.Array:
    b = a - 1
    u = _numerics.quotient(total(_terms(t, a), axes), mass)  # 0 without mass
    x = -b * u
    near = ~(jnp.abs(x) >= 0.5)  # NaN stays
    far = (jnp.log(mass) - _log_power_sum(axes, t, a)) / jnp.where(near, jnp.ones_like(b), b)
    return jnp.where(near, u * _powers.log1p_ratio(jnp.where(near, x, jnp.zeros_like(x))), far)


def _renyi_by_order(
    axes: Axes, table: Callable[[jax.Array], Table], a: jax.Array, mass: jax.Array, value: jax.Array
) -> jax.Array:
    """`T' e^(bH) / c + H^2 (e^(bH) - 1 - bH) / (bH)^2`; for a large bH through the mean of `log p` under the powers."""
    b, t = a - 1, table(a)
    y = b * value
    near = jnp.abs(y) < 1
    y = jnp.where(near, y, jnp.zeros_like(y))
    close = jnp.exp(y) * _change_of_order(axes, table, a) / mass + value * value * _powers.exp_excess(y)
    exponent = jnp.where(t.here, a * t.log, -jnp.inf)
    m = row_max(exponent, axes)
    weight = jnp.exp(exponent - jnp.where(jnp.isinf(m), jnp.zeros_like(m), m))
    mean = change(weight * t.log, axes) / change(weight, axes)
    return jnp.where(near, close, -(mean + value) / jnp.where(near, jnp.ones_like(b), b))


def _change_of_order(axes: Axes, table: Callable[[jax.Array], Table], a: jax.Array) -> jax.Array:
    return change(jax.jvp(lambda a: _terms(table(a), a), (a,), (jnp.ones_like(a),))[1], axes)


def _rule(value: Callable, slope: Callable, by_order: Callable) -> Callable:
    """`f(axes, table, a)` with the slope of the row in its entries and in the order."""

    @partial(jax.custom_jvp, nondiff_argnums=(0,))
    def function(axes: Axes, x: jax.Array, a: jax.Array) -> jax.Array:
        return value(axes, x, a)

    def jvp(axes: Axes, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
        (x, a), (dx, da) = _numerics.apart(*primals), tangents
        out = function(axes, *primals)
        tangent = change(_numerics.linear(x, (dx, lambda: slope(axes, out, x, a))), axes)
        if not isinstance(da, SymbolicZero):
            tangent = tangent + by_order(axes, out, x, a) * da
        return out, tangent

    function.defjvp(jvp, symbolic_zeros=True)
    return function


# Tables of probabilities


def _power_sum_fast(axes: Axes, p: jax.Array, a: jax.Array, minus: jax.Array) -> jax.Array:
    """`sum (p^a - minus p)`."""
    largest, least = float(jnp.finfo(p.dtype).max), _numerics.tiny(p)
    power = jnp.minimum(p * largest, 1) * jnp.exp(a * jnp.log(jnp.maximum(p, least)))
    return total(power + (0 * jnp.sqrt(p) - minus * p), axes)


def _tsallis_fast(axes: Axes, p: jax.Array, a: jax.Array) -> jax.Array:
    gap = _power_sum_fast(axes, p, a, jnp.ones_like(a))
    return jnp.where(jnp.abs(gap) > _LEAST, gap / (1 - a), jnp.nan)


def _renyi_fast(axes: Axes, p: jax.Array, a: jax.Array) -> jax.Array:
    log_ratio = jnp.log(_power_sum_fast(axes, p, a, jnp.zeros_like(a)) / total(p, axes))
    return jnp.where((jnp.abs(log_ratio) > 0.125) & (log_ratio > -60), log_ratio / (1 - a), jnp.nan)


def _at_zero(p: jax.Array, a: jax.Array, inside: jax.Array) -> jax.Array:
    """A slope of Tsallis' entropy; at p = 0 it is `1/(a-1)`, or infinite up to order 1, hence 0."""
    b = a - 1
    edge = jnp.where(b > 0, 1 / jnp.where(b > 0, b, jnp.ones_like(b)), jnp.zeros_like(b))
    return jnp.where(p == 0, jnp.zeros_like(p) + edge, inside)


def _tsallis_slope(axes: Axes, _: jax.Array, p: jax.Array, a: jax.Array) -> jax.Array:
    """`(1 - a p^b) / b`."""
    del axes
    b, log = a - 1, from_table(p, a).log
    far = jnp.abs(b * log) > 1
    near = -_powers.deformed_log(b, jnp.where(far, jnp.zeros_like(log), log)) - jnp.exp(jnp.where(far, 0, b * log))
    return _at_zero(p, a, jnp.where(far, (1 - a * jnp.exp(b * log)) / jnp.where(b == 0, jnp.ones_like(b), b), near))


def _renyi_slope(axes: Axes, value: jax.Array, p: jax.Array, a: jax.Array) -> jax.Array:
    """`-(1 + a ((p e^H)^b - 1) / b) / c`."""
    inside = -(1 + a * _powers.deformed_log(a - 1, from_table(p, a).log + value))
    return _numerics.quotient(_at_zero(p, a, inside), jnp.broadcast_to(total(p, axes), p.shape))


def _renyi_of_table(axes: Axes, p: jax.Array, a: jax.Array) -> jax.Array:
    return _renyi(axes, from_table(p, a), a, total(p, axes))


def _renyi_table_by_order(axes: Axes, value: jax.Array, p: jax.Array, a: jax.Array) -> jax.Array:
    return _renyi_by_order(axes, partial(from_table, p), a, total(p, axes), value)


tsallis_of_table = _rule(
    adaptive(_tsallis_fast, lambda axes, p, a: total(_terms(from_table(p, a), a), axes), 0.0),
    _tsallis_slope,
    lambda axes, _, p, a: _change_of_order(axes, partial(from_table, p), a),
)
_finite_of_table = _rule(adaptive(_renyi_fast, _renyi_of_table, 0.0), _renyi_slope, _renyi_table_by_order)


# Tables of logits


def _tilt(axes: Axes, z: jax.Array, a: jax.Array, renyi: jax.Array) -> jax.Array:
    """`(w - p) / (a - 1)` with `w = p^a / sum p^a`: the derivative in the order of a tempered softmax."""
    t, b = from_logits(axes, z, a), a - 1
    x = jnp.where(t.here, t.log + renyi, jnp.zeros_like(z))
    far = b * x > 1
    near = t.p * _powers.deformed_log(b, jnp.where(far, jnp.zeros_like(x), x))
    w = jnp.exp(a * t.log + b * renyi)
    return jnp.where(
        far, (jnp.where(t.here, w, jnp.zeros_like(w)) - t.p) / jnp.where(b == 0, jnp.ones_like(b), b), near
    )


def _log_powers_fast(axes: Axes, z: jax.Array, a: jax.Array) -> jax.Array:
    """`log sum p^a` as `log sum e^(a z) - a log sum e^z`; NaN where the difference is small. The maxima cancel."""
    m = row_max(z, axes)
    s = total(jnp.exp(z - m), axes)
    powers = total(jnp.exp(a * (floored(z) - again(m, s))), axes)
    value = jnp.log(powers) - a * jnp.log(s)
    return jnp.where((jnp.abs(value) > 0.125) & (a != 0), value, jnp.nan)


def _renyi_logits_fast(axes: Axes, z: jax.Array, a: jax.Array) -> jax.Array:
    return _log_powers_fast(axes, z, a) / (1 - a)


def _tsallis_logits_fast(axes: Axes, z: jax.Array, a: jax.Array) -> jax.Array:
    """`(sum p^a - 1) / (1 - a)`; the exponential makes relative errors of absolute ones."""
    value = _log_powers_fast(axes, z, a)
    return jnp.where(value < 4, jnp.expm1(value) / (1 - a), jnp.nan)


def _tsallis_of_logits(axes: Axes, z: jax.Array, a: jax.Array) -> jax.Array:
    return total(_terms(from_logits(axes, z, a), a), axes)


def _renyi_of_logits(axes: Axes, z: jax.Array, a: jax.Array) -> jax.Array:
    return _renyi(axes, from_logits(axes, z, a), a, jnp.ones_like(a))


def _tsallis_logits_slope(axes: Axes, value: jax.Array, z: jax.Array, a: jax.Array) -> jax.Array:
    """`-a sum(p^a) (w - p) / b`."""
    x = -(a - 1) * value
    held = jnp.maximum(x, -0.5)
    renyi = jnp.where(x > -0.5, value * _powers.log1p_ratio(held), _finite_of_logits(axes, z, a))
    return -a * (1 + x) * _tilt(axes, z, a, renyi)


tsallis_of_logits = _rule(
    of_outcomes(adaptive(_tsallis_logits_fast, _tsallis_of_logits, 0.0)),
    _tsallis_logits_slope,
    lambda axes, _, z, a: _change_of_order(axes, partial(from_logits, axes, z), a),
)
_finite_of_logits = _rule(
    of_outcomes(adaptive(_renyi_logits_fast, _renyi_of_logits, 0.0)),
    lambda axes, value, z, a: -a * _tilt(axes, z, a, value),
    lambda axes, value, z, a: _renyi_by_order(axes, partial(from_logits, axes, z), a, jnp.ones_like(a), value),
)


# Infinite order


def min_entropy_of_table(axes: Axes, p: jax.Array) -> jax.Array:
    """`-log max p`; NaN where an entry is negative."""
    largest = jnp.max(p + 0 * jnp.sqrt(lax.stop_gradient(p)), axis=axes, keepdims=True, initial=0)
    return _numerics.surprisal_term(largest)


@of_outcomes
def min_entropy_of_logits(axes: Axes, z: jax.Array) -> jax.Array:
    """The surprisal of the likeliest outcome."""
    return jnp.min(surprisal(axes, z), axis=axes, keepdims=True, initial=jnp.inf)


def renyi_of_table(axes: Axes, p: jax.Array, a: jax.Array) -> jax.Array:
    return with_limit(_finite_of_table, min_entropy_of_table, axes, p, a)


def renyi_of_logits(axes: Axes, z: jax.Array, a: jax.Array) -> jax.Array:
    return with_limit(_finite_of_logits, min_entropy_of_logits, axes, z, a)
