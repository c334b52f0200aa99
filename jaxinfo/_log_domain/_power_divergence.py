"""Alpha, Tsallis and Rényi divergences of rows, of any real order, which is a number for each row.

With `w = p^a q^(1-a)` the alpha-divergence is the sum of `(w - a p - (1-a) q) / (a (a-1))`, and Tsallis' U is a times
that. Rényi's is `log(1 + (a-1) U / v) / (a-1)` with the mass `v = a sum p + (1-a) sum q` up to order 1, `sum p` beyond:
on normalised tables `log sum w / (a-1)`, and 0 for equal ones of any mass.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.custom_derivatives import SymbolicZero

from jaxinfo import _numerics, _powers
from jaxinfo._log_domain._rows import Axes, adaptive, change, total


class Pair(NamedTuple):
    """Two tables, `log(p/q)` (0 where one of them is 0), and their powers `p^a q^(1-a)` as they are and in logarithms.

    The powers are 0 and `-inf` where p or q is 0.
    """

    p: jax.Array
    q: jax.Array
    log_ratio: jax.Array
    power: jax.Array
    log_power: jax.Array
    inside: jax.Array
    only_q: jax.Array
    only_p: jax.Array


def _one_unless(condition: jax.Array, x: jax.Array) -> jax.Array:
    return jnp.where(condition, x, jnp.ones_like(x))


def pair_of_tables(p: jax.Array, q: jax.Array, a: jax.Array) -> Pair:
    inside = (p != 0) & (q != 0)
    x, y = _one_unless(inside, p), _one_unless(inside, q)
    log_ratio = _numerics.log_ratio(x, y, x - y)
    # From the side on which the exponent is least.
    swap = a > 0.5
    power = jnp.where(swap, x * jnp.power(y / x, 1 - a), y * jnp.power(x / y, a))
    log_power = jnp.log(y) + a * log_ratio
    zero = jnp.zeros_like(p)
    return Pair(
        p,
        q,
        log_ratio,
        jnp.where(inside, power, zero),
        jnp.where(inside, log_power, -jnp.inf),
        inside,
        (p == 0) & (q > 0),
        (q == 0) & (p > 0),
    )


def edges(t: Pair, at_p: jax.Array, at_q: jax.Array, neither: jax.Array, inside: jax.Array) -> jax.Array:
    """`inside` where both are positive, the others where only q is, only p is, and neither."""
    outside = jnp.where(t.only_q, at_p, jnp.where(t.only_p, at_q, neither))
    valid = (t.p >= 0) & (t.q >= 0)
    return jnp.where(valid, jnp.where(t.inside, inside, outside), jnp.nan)


def _over(x: jax.Array, order: jax.Array) -> jax.Array:
    """`x / order`, infinite for orders up to 0."""
    return jnp.where(order > 0, x / _one_unless(order > 0, order), jnp.inf)


def _gap(t: Pair, a: jax.Array) -> jax.Array:
    p, q, w = (_one_unless(t.inside, x) for x in (t.p, t.q, t.power))
    return _powers.power_gap(p, q, t.log_ratio, w, a)


def alpha_terms(t: Pair, a: jax.Array) -> jax.Array:
    zero = jnp.zeros_like(t.p)
    return edges(t, _over(t.q, a), _over(t.p, 1 - a), zero, _gap(t, a))


def tsallis_terms(t: Pair, a: jax.Array) -> jax.Array:
    zero = jnp.zeros_like(t.p)
    return edges(t, t.q, _over(a * t.p, 1 - a), zero, a * _gap(t, a))


# Slopes. That of the alpha-divergence in q is that in p of order 1 - a, with p and q exchanged.


def _slope(
    t: Pair, a: jax.Array, rest: jax.Array, log_ratio: jax.Array, p_zero: jax.Array, q_zero: jax.Array
) -> jax.Array:
    """d/dp of the alpha-divergence, `rest` being 1 - a. An infinite slope of a finite value is 0."""
    zero = jnp.zeros_like(t.p)
    steep = jnp.where(a > 0, zero, -jnp.inf)
    falling = jnp.where(rest < 0, 1 / _one_unless(rest != 0, rest), steep)
    rising = _over(1 + zero, rest)
    outside = jnp.where(p_zero, falling, jnp.where(q_zero, rising, jnp.where(rest > 0, rising, zero)))
    return jnp.where(t.inside, _powers.deformed_log(-rest, log_ratio), outside)


def _alpha_slope_p(t: Pair, a: jax.Array) -> jax.Array:
    return _slope(t, a, 1 - a, t.log_ratio, t.only_q, t.only_p)


def _alpha_slope_q(t: Pair, a: jax.Array) -> jax.Array:
    return _slope(t, 1 - a, a, -t.log_ratio, t.only_p, t.only_q)


def _tsallis_slope_p(t: Pair, a: jax.Array) -> jax.Array:
    """0 at a = 0, where the powers are constant."""
    return jnp.where(a == 0, jnp.zeros_like(t.p), a * _alpha_slope_p(t, _one_unless(a != 0, a)))


def _tsallis_slope_q(t: Pair, a: jax.Array) -> jax.Array:
    """Where p is 0 the factor a and the slope's 1/a cancel."""
    slope = jnp.where(a == 0, jnp.zeros_like(t.p), a * _alpha_slope_q(t, _one_unless(a != 0, a)))
    return jnp.where(t.inside | t.only_p, slope, jnp.ones_like(t.p))


# Row functions


Terms = Callable[[Pair, jax.Array], jax.Array]


def rule(value: Callable, tangent_of_tables: Callable, slope_in_order: Callable) -> Callable:
    """`f(axes, p, q, a)` with the row's tangent for those of the tables, and its slope in the order."""

    @partial(jax.custom_jvp, nondiff_argnums=(0,))
    def function(axes: Axes, p: jax.Array, q: jax.Array, a: jax.Array) -> jax.Array:
        return value(axes, p, q, a)

    def jvp(axes: Axes, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
        (p, q, a), (dp, dq, da) = _numerics.apart(*primals), tangents
        out = function(axes, *primals)
        tangent = tangent_of_tables(axes, out, p, q, a, dp, dq)
        if not isinstance(da, SymbolicZero):
            tangent = tangent + slope_in_order(axes, out, p, q, a) * da
        return out, tangent

    function.defjvp(jvp, symbolic_zeros=True)
    return function


def change_of_order(terms: Terms, axes: Axes, pair: Callable[[jax.Array], Pair], a: jax.Array) -> jax.Array:
    """The derivative of the sum of the terms in the order."""
    return change(jax.jvp(lambda a: terms(pair(a), a), (a,), (jnp.ones_like(a),))[1], axes)


def _sum_of(terms: Terms, slope_p: Terms, slope_q: Terms, fast: Callable[..., jax.Array]) -> Callable:
    """The row sum of the terms, `fast` where that does."""

    def tangent(axes: Axes, _: Any, p: jax.Array, q: jax.Array, a: jax.Array, dp: Any, dq: Any) -> jax.Array:
        t = pair_of_tables(p, q, a)
        return change(_numerics.linear(p, (dp, lambda: slope_p(t, a)), (dq, lambda: slope_q(t, a))), axes)

    accurate = lambda axes, p, q, a: total(terms(pair_of_tables(p, q, a), a), axes)  # noqa: E731
    slope = lambda axes, _, p, q, a: change_of_order(terms, axes, partial(pair_of_tables, p, q), a)  # noqa: E731
    return rule(adaptive(fast, accurate, 0.0), tangent, slope)


# Sums in between are far enough from 0 for the difference of powers, and the exponents in them small enough.
_LEAST, _MOST = 1 / 16, 64.0


def _fast_powers(p: jax.Array, q: jax.Array, a: jax.Array) -> jax.Array:
    """`p^a q^(1-a)` through a logarithm; more than `_MOST` where the order decides at a zero, NaN below it."""
    largest, least = float(jnp.finfo(p.dtype).max), _numerics.tiny(p)
    has_p, has_q = jnp.minimum(p * largest, 1), jnp.minimum(q * largest, 1)
    beyond = (a >= 1).astype(p.dtype) * has_p * (1 - has_q) + (a <= 0).astype(p.dtype) * has_q * (1 - has_p)
    power = has_p * (q * jnp.exp(a * jnp.log(jnp.maximum(p, least) / jnp.maximum(q, least))))
    return power + (256 * beyond + 0 * jnp.sqrt(jnp.minimum(p, q)))


def fast_power_sum(axes: Axes, p: jax.Array, q: jax.Array, a: jax.Array) -> jax.Array:
    return total(_fast_powers(p, q, a), axes)


def gap_fast(axes: Axes, p: jax.Array, q: jax.Array, a: jax.Array) -> jax.Array:
    """`sum (p^a q^(1-a) - a p - (1-a) q)`; NaN where the formula does not do."""
    gap = total(_fast_powers(p, q, a) - (a * p + (1 - a) * q), axes)
    return jnp.where((jnp.abs(gap) >= _LEAST) & (jnp.abs(gap) <= _MOST), gap, jnp.nan)


alpha_divergence = _sum_of(
    alpha_terms, _alpha_slope_p, _alpha_slope_q, lambda axes, p, q, a: gap_fast(axes, p, q, a) / (a * (a - 1))
)
tsallis_divergence = _sum_of(
    tsallis_terms, _tsallis_slope_p, _tsallis_slope_q, lambda axes, p, q, a: gap_fast(axes, p, q, a) / (a - 1)
)
