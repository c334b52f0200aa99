r"""The skew Jensen-Shannon divergence as a divided difference, regular at every weight.

With `F(x) = x log x`, `m = w p + (1-w) q` and `d = p - q` the weighted sum of the divergences from the mixture is the
gap `w F(p) + (1-w) F(q) - F(m)`, which is `w (1-w) d^2 F[p, q, m]`. So the skew divergence, that over `w (1-w)`, is

    d^2 F[p, q, m] = d^2 ((1-w) F[p, m, m] + w F[q, m, m]),

with `F[p, m, m] = (p log(p/m) - p + m) / (p - m)^2`: positive terms, and nothing to divide by where w is 0 or 1. Its
slopes are `d F'[p, m]` in p, `-d F'[q, m]` in q and `d^2 (F[p, m, m] - F[q, m, m])` in w. All come from the even
function `E(s) = (2 atanh(s)/s - 2) / s^2` of `s = (p - m)/(p + m)`, which is regular at 0.

Reference: C. de Boor, "Divided differences", Surveys in Approximation Theory 1, 2005.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo import _numerics
from jaxinfo._numerics import quotient, tiny


def _relative(x: jax.Array, y: jax.Array, difference: jax.Array) -> tuple[jax.Array, jax.Array]:
    """`s = (x - y)/(x + y)` and `s E(s)`."""
    least = _numerics.own(tiny(x), x)
    s = difference / (x + y + least)
    log_ratio = jnp.log((x + least) / (y + least))
    return s, quotient(_numerics.atanh_excess(s, log_ratio, in_slope=True), s)


@jax.custom_jvp
def first_difference(x: jax.Array, y: jax.Array, difference: jax.Array) -> jax.Array:
    """`F'[x, y] = log(x/y) / (x - y)`, the reciprocal of the logarithmic mean; 0 where it is infinite."""
    s, odd = _relative(x, y, difference)
    return jnp.where((x == 0) | (y == 0), jnp.zeros_like(x), quotient(2 + s * odd, x + y))


def _first_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (x, y, difference), (dx, dy, _) = primals, tangents  # the difference has no derivative of its own
    both = x + y

    def slope(a: jax.Array, sign: float) -> jax.Array:
        """`-1 / (a (x + y)) - s E / (x + y)^2`, with the sign of s."""
        _, odd = _relative(x, y, difference)
        inside = -quotient(quotient(jnp.ones_like(a), a), both) - sign * quotient(quotient(odd, both), both)
        return jnp.where((x == 0) | (y == 0), jnp.zeros_like(x), inside)

    terms = (dx, lambda: slope(x, 1.0)), (dy, lambda: slope(y, -1.0))
    return first_difference(x, y, difference), _numerics.linear(x, *terms)


first_difference.defjvp(_first_jvp, symbolic_zeros=True)


@jax.custom_jvp
def second_difference(x: jax.Array, m: jax.Array, difference: jax.Array) -> jax.Array:
    """`F[x, m, m] = (x log(x/m) - x + m) / (x - m)^2`; 0 where `m` is 0."""
    _, odd = _relative(x, m, difference)
    return jnp.where(m == 0, jnp.zeros_like(x), quotient(1 + quotient(x, x + m) * odd, x + m))


def _second_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (x, m, difference), (dx, dm, _) = primals, tangents
    both = x + m

    def even() -> tuple[jax.Array, jax.Array]:
        s, odd = _relative(x, m, difference)
        limit = jnp.asarray(2 / 3, x.dtype)
        return s, jnp.where(jnp.abs(s) < 1e-12, limit, quotient(odd, s))

    def slope_x() -> jax.Array:
        """`F[x, x, m, m] = -E / (x + m)^2`; infinite, hence 0, where x is 0."""
        return jnp.where((x == 0) | (m == 0), jnp.zeros_like(x), -quotient(quotient(even()[1], both), both))

    def slope_m() -> jax.Array:
        """`2 F[x, m, m, m] = ((1 - s^2) E / 2 - 1) (1 - s) / (2 m^2)`."""
        s, e = even()
        return quotient((0.5 * (1 - s * s) * e - 1) * quotient(jnp.ones_like(m), both), m)

    return second_difference(x, m, difference), _numerics.linear(x, (dx, slope_x), (dm, slope_m))


second_difference.defjvp(_second_jvp, symbolic_zeros=True)


@jax.custom_jvp
def skew_term(p: jax.Array, q: jax.Array, difference: jax.Array, weight: jax.Array) -> jax.Array:
    """`d^2 F[p, q, m]`: `p log(p/q) - p + q` at weight 0, `q log(q/p) - q + p` at weight 1.

    Finite also where those are infinite, which `infinite_rows` adds.
    """
    weight = jnp.where((weight >= 0) & (weight <= 1), weight, jnp.nan)
    rest = 1 - weight
    m = weight * p + rest * q
    log_p, log_q = (jnp.log((x + tiny(x)) / jnp.maximum(m, tiny(x))) for x in (p, q))
    return share(p, m, difference, rest, log_p) + share(q, m, -difference, weight, log_q)


def infinite_rows(p: jax.Array, q: jax.Array, weight: jax.Array, axes: tuple[int, ...], keepdims: bool) -> jax.Array:
    """What rows of `skew_term` lack: `inf` where the one without weight is 0 and the other is not, else 0.

    What merely rounds to 0 in the mixture is no zero. A table is only looked at for a weight of 0 or 1.
    """

    def look(_: None) -> jax.Array:
        alone = jnp.where(weight == 0, _alone(p, q), _alone(q, p))
        return jnp.where(_numerics.row_sum(alone, axes, keepdims) > 0, jnp.inf, 0).astype(p.dtype)

    shape = jax.eval_shape(look, None).shape
    rows = jax.lax.cond((weight == 0) | (weight == 1), look, lambda _: jnp.zeros(shape, p.dtype), None)
    return jax.lax.stop_gradient(rows)


def _alone(x: jax.Array, y: jax.Array) -> jax.Array:
    """`x` where `y` is 0, else 0."""
    return x - x * jnp.minimum(y * float(jnp.finfo(y.dtype).max), 1)


def share(x: jax.Array, m: jax.Array, d: jax.Array, part: jax.Array, log_ratio: jax.Array) -> jax.Array:
    """`part d^2 F[x, m, m]` where `x - m` is `part * d`, given `log(x/m)`: infinite where only m is 0.

    `d (d + x excess / part) part / (x + m)`, and the excess is of the order of the square of the part.
    """
    both = x + m + tiny(x)
    moved = part * d / both
    over_part = jnp.where(part == 0, jnp.zeros_like(part), 1 / part)
    return moved * (d + x * _numerics.atanh_excess(moved, log_ratio) * over_part)


def _skew_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (p, q, _, w), (dp, dq, _, dw) = _numerics.apart(*primals), tangents
    d, rest = p - q, 1 - w
    m = w * p + rest * q
    nowhere = (p == 0) & (q == 0)
    apart = ((w == 0) & (q == 0) & (p > 0)) | ((w == 1) & (p == 0) & (q > 0))

    def slope(x: jax.Array, d: jax.Array, own: jax.Array, part: jax.Array) -> jax.Array:
        """`d F'[x, m]`; where p and q are 0, `F'[1, own weight]`."""
        alone = first_difference(jnp.ones_like(w), own, part)
        inside = jnp.where(nowhere, alone, d * first_difference(x, m, part * d))
        return jnp.where(apart, jnp.where(x > 0, jnp.inf, -jnp.inf).astype(x.dtype), inside)

    def slope_w() -> jax.Array:
        inside = d * d * (second_difference(p, m, rest * d) - second_difference(q, m, -w * d))
        return jnp.where(apart, jnp.where(p > 0, -jnp.inf, jnp.inf).astype(p.dtype), inside)

    terms = (dp, lambda: slope(p, d, w, rest)), (dq, lambda: slope(q, -d, rest, w)), (dw, slope_w)
    return skew_term(*primals), _numerics.linear(p, *terms)


skew_term.defjvp(_skew_jvp, symbolic_zeros=True)
