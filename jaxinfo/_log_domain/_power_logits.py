"""Alpha, Tsallis and Rényi divergences of rows of logits, of any real order.

Their derivatives are differences of three softmaxes: those of p and q, and that of the powers `w = p^a q^(1-a) / S`,
which lies on the curve between them: `(w - p) / (a - 1)` in the logits of p and `(w - q) / a` in those of q.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jaxinfo import _numerics, _powers
from jaxinfo._log_domain import _renyi
from jaxinfo._log_domain._power_divergence import Pair, alpha_terms, change_of_order, gap_fast, rule, tsallis_terms
from jaxinfo._log_domain._rows import (
    Axes,
    adaptive,
    change,
    floored,
    fusible_softmax,
    of_outcomes,
    present,
    selective,
    total,
    with_limit,
)
from jaxinfo._log_domain._softmax import log_ratio, log_softmax_ratio, softmax, surprisal, surprisal_slope


def _pair(axes: Axes, z_p: jax.Array, z_q: jax.Array, a: jax.Array, log_ratio: jax.Array, log_q: jax.Array) -> Pair:
    here_p, here_q = present(z_p), present(z_q)
    inside = here_p & here_q
    p, q = softmax(axes, z_p), softmax(axes, z_q)
    ratio, log_q = (jnp.where(inside, x, jnp.zeros_like(x)) for x in (log_ratio, log_q))
    log_power = jnp.where(inside, log_q + a * ratio, -jnp.inf)
    return Pair(p, q, ratio, jnp.exp(log_power), log_power, inside, here_q & ~here_p, here_p & ~here_q)


def pair_of_logits(axes: Axes, z_p: jax.Array, z_q: jax.Array, a: jax.Array) -> Pair:
    return _pair(axes, z_p, z_q, a, log_softmax_ratio(axes, z_p, z_q), -surprisal(axes, z_q))


def _pair_for_slopes(axes: Axes, gap: jax.Array, z_p: jax.Array, z_q: jax.Array, a: jax.Array) -> Pair:
    """The same, given how far the sum of the powers is from 1: far apart, the digits of the ratio do not matter."""
    close = ~(jnp.abs(lax.stop_gradient(gap)) > 1 / 16)
    return _pair(axes, z_p, z_q, a, log_ratio(axes, close, z_p, z_q), -surprisal_slope(axes, z_q))


def _toward(axes: Axes, weight: jax.Array, power: jax.Array, t: Pair, order: jax.Array, x: jax.Array) -> jax.Array:
    """`(power - weight) / order`, where the power is `weight e^(order x)`; it is 0 outside.

    Both are distributions: their difference at an outcome nearly sure in both is minus that at the others.
    """
    held = jnp.where(order == 0, jnp.ones_like(order), order)
    far = order * x > 1
    near = weight * _powers.deformed_log(order, jnp.where(far, jnp.zeros_like(x), x))
    difference = jnp.where(t.inside, jnp.where(far, (power - weight) / held, near), -weight / held)
    sure = (weight > 0.75) & (power > 0.75)
    others = change(jnp.where(sure, jnp.zeros_like(difference), difference), axes)
    return jnp.where(sure, -others, difference)


def _slopes(axes: Axes, t: Pair, a: jax.Array, renyi: jax.Array) -> tuple[jax.Array, jax.Array]:
    """`(w - p) / (a - 1)`, and `w - q`."""
    b = a - 1
    finite = jnp.where(jnp.isinf(renyi), jnp.zeros_like(renyi), renyi)
    w = jnp.exp(t.log_power - b * finite)
    one = jnp.ones_like(a)
    x = a * t.log_ratio - b * finite
    return _toward(axes, t.p, w, t, b, t.log_ratio - finite), _toward(axes, t.q, w, t, one, x)


Slopes = Callable[..., tuple[jax.Array, jax.Array]]  # (axes, value, z_p, z_q, a): in z_p and in z_q
Number = Callable[[jax.Array, jax.Array], jax.Array]  # of the value and the order


def _slope(accurate: Slopes, gap: Number, scale: Number, which: int) -> Callable[..., jax.Array]:
    """One of the slopes; where the sum of powers is far enough from 1 it is `scale (w - p)` or `scale (w - q)`."""

    def plain(axes: Axes, value: jax.Array, z_p: jax.Array, z_q: jax.Array, a: jax.Array) -> jax.Array:
        w = fusible_softmax(a * floored(z_p, 8) + (1 - a) * floored(z_q, 8), axes)
        return scale(value, a) * (w - fusible_softmax((z_p, z_q)[which], axes))

    def exact(axes: Axes, value: jax.Array, z_p: jax.Array, z_q: jax.Array, a: jax.Array) -> jax.Array:
        return accurate(axes, value, z_p, z_q, a)[which]

    chosen = selective(plain, lambda axes, rows, *x: jnp.where(rows, exact(axes, *x), plain(axes, *x)))

    @partial(jax.custom_jvp, nondiff_argnums=(0,))
    def slope(axes: Axes, value: jax.Array, z_p: jax.Array, z_q: jax.Array, a: jax.Array) -> jax.Array:
        short = -gap(value, a)
        apart = (short > 1 / 16) & (short < 0.999) & (a > 0) & (a < 1)
        return chosen(axes, ~apart, value, z_p, z_q, a)

    @slope.defjvp
    def _(axes: Axes, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
        return slope(axes, *primals), jax.jvp(partial(exact, axes), primals, tangents)[1]

    return slope


def _tangent(accurate: Slopes, gap: Number, scale_p: Number, scale_q: Number) -> Callable[..., jax.Array]:
    slope_p, slope_q = _slope(accurate, gap, scale_p, 0), _slope(accurate, gap, scale_q, 1)

    def tangent(
        axes: Axes, value: Any, z_p: jax.Array, z_q: jax.Array, a: jax.Array, dz_p: Any, dz_q: Any
    ) -> jax.Array:
        x = (axes, value, z_p, z_q, a)
        return change(_numerics.finite_linear(z_p, (dz_p, lambda: slope_p(*x)), (dz_q, lambda: slope_q(*x))), axes)

    return tangent


def _renyi_slopes(axes: Axes, value: jax.Array, z_p: jax.Array, z_q: jax.Array, a: jax.Array) -> Any:
    t = _pair_for_slopes(axes, (a - 1) * value, z_p, z_q, a)
    to_p, to_q = _slopes(axes, t, a, value)
    return a * to_p, -to_q


def _tsallis_slopes(axes: Axes, value: jax.Array, z_p: jax.Array, z_q: jax.Array, a: jax.Array) -> Any:
    finite = jnp.where(jnp.isinf(value), jnp.zeros_like(value), value)
    s = 1 + (a - 1) * finite
    t = _pair_for_slopes(axes, (a - 1) * value, z_p, z_q, a)
    to_p, to_q = _slopes(axes, t, a, _finite_renyi(axes, z_p, z_q, a))
    return s * a * to_p, -s * to_q


def _alpha_slopes(axes: Axes, value: jax.Array, z_p: jax.Array, z_q: jax.Array, a: jax.Array) -> Any:
    """`S (w - p) / (a - 1)` and `S (q - w) / a`; with `y = log S` as exponent, y / a and y / (a - 1) have limits.

    Where the value is infinite S counts as 1.
    """
    b = a - 1
    t = _pair_for_slopes(axes, a * b * value, z_p, z_q, a)
    infinite = jnp.isinf(value)
    x = a * b * jnp.where(infinite, jnp.full_like(value, -1), value)
    usual = (x > -0.5) & ~infinite
    ratio = jnp.where(infinite, jnp.zeros_like(value), value) * _powers.log1p_ratio(jnp.where(usual, x, 0 * x))
    y = jnp.where(usual, b * a * ratio, _renyi.log_power_sum(axes, t))
    over_a = jnp.where(usual, b * ratio, y / jnp.where(a == 0, jnp.ones_like(a), a))
    over_b = jnp.where(usual, a * ratio, y / jnp.where(b == 0, jnp.ones_like(b), b))
    common = jnp.isfinite(y)
    y = jnp.where(common, y, jnp.zeros_like(y))
    s = jnp.where(infinite, jnp.ones_like(y), jnp.where(common, jnp.exp(y), jnp.zeros_like(y)))
    w = jnp.exp(t.log_power - y)
    over_a, over_b = (jnp.where(jnp.isfinite(o), o, jnp.zeros_like(o)) for o in (over_a, over_b))
    to_p = _toward(axes, t.p, w, t, b, t.log_ratio - over_b)
    return s * to_p, -s * _toward(axes, t.q, w, t, a, t.log_ratio - over_a)


def _fast_gap(axes: Axes, z_p: jax.Array, z_q: jax.Array, a: jax.Array) -> jax.Array:
    """`sum p^a q^(1-a) - 1`, each term less its share of the 1; NaN where the formula does not do."""
    return gap_fast(axes, fusible_softmax(z_p, axes), fusible_softmax(z_q, axes), a)


def _sum_of(terms: Callable[[Pair, jax.Array], jax.Array], tangent: Callable[..., Any], scale: Callable) -> Callable:
    """The sum of the terms, which is `(S - 1) / scale(a)`."""

    def fast(axes: Axes, z_p: jax.Array, z_q: jax.Array, a: jax.Array) -> jax.Array:
        return _fast_gap(axes, z_p, z_q, a) / scale(a)

    def accurate(axes: Axes, z_p: jax.Array, z_q: jax.Array, a: jax.Array) -> jax.Array:
        return total(terms(pair_of_logits(axes, z_p, z_q, a), a), axes)

    def by_order(axes: Axes, _: Any, z_p: jax.Array, z_q: jax.Array, a: jax.Array) -> jax.Array:
        return change_of_order(terms, axes, partial(pair_of_logits, axes, z_p, z_q), a)

    return rule(of_outcomes(adaptive(fast, accurate, 0.0)), tangent, by_order)


def _renyi_fast(axes: Axes, z_p: jax.Array, z_q: jax.Array, a: jax.Array) -> jax.Array:
    gap = _fast_gap(axes, z_p, z_q, a)
    return jnp.where(gap > -0.98, _numerics.log1p(jnp.maximum(gap, -0.99)) / (a - 1), jnp.nan)


def _renyi_accurate(axes: Axes, z_p: jax.Array, z_q: jax.Array, a: jax.Array) -> jax.Array:
    return _renyi.of_pair(axes, pair_of_logits(axes, z_p, z_q, a), a, jnp.ones_like(a))


def _renyi_by_order(axes: Axes, value: jax.Array, z_p: jax.Array, z_q: jax.Array, a: jax.Array) -> jax.Array:
    pair = partial(pair_of_logits, axes, z_p, z_q)
    return _renyi.by_order(axes, pair, a, value, jnp.ones_like(a), jnp.zeros_like(a))


_alpha_tangent = _tangent(
    _alpha_slopes,
    lambda value, a: a * (a - 1) * value,
    lambda value, a: (1 + a * (a - 1) * value) / (a - 1),
    lambda value, a: -(1 + a * (a - 1) * value) / a,
)
_tsallis_tangent = _tangent(
    _tsallis_slopes,
    lambda value, a: (a - 1) * value,
    lambda value, a: (1 + (a - 1) * value) * a / (a - 1),
    lambda value, a: -(1 + (a - 1) * value),
)
_renyi_tangent = _tangent(
    _renyi_slopes,
    lambda value, a: jnp.expm1((a - 1) * value),
    lambda _, a: a / (a - 1),
    lambda _, a: -jnp.ones_like(a),
)

alpha_divergence = _sum_of(alpha_terms, _alpha_tangent, lambda a: a * (a - 1))
tsallis_divergence = _sum_of(tsallis_terms, _tsallis_tangent, lambda a: a - 1)
_finite_renyi = rule(of_outcomes(adaptive(_renyi_fast, _renyi_accurate, 0.0)), _renyi_tangent, _renyi_by_order)


def _of_infinite_order(axes: Axes, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    """`max log(p/q)`."""
    t = pair_of_logits(axes, z_p, z_q, jnp.ones((1,) * z_p.ndim, z_p.dtype))
    ratio = jnp.where(t.inside | jnp.isnan(t.p), t.log_ratio, jnp.where(t.only_p, jnp.inf, -jnp.inf))
    return jnp.max(ratio, axis=axes, keepdims=True, initial=-jnp.inf)


def renyi_divergence(axes: Axes, z_p: jax.Array, z_q: jax.Array, a: jax.Array) -> jax.Array:
    return with_limit(_finite_renyi, _of_infinite_order, axes, z_p, z_q, a)
