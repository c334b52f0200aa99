"""Chernoff information of rows: the greatest of `-log sum p^a q^(1-a)` over the orders a from 0 to 1.

The derivatives of that logarithm are mean and variance of `log(p/q)` under the powers, so the best order is a root of
an increasing function. At the best order the derivative in the order is 0: the value moves with p and q alone.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jaxinfo import _powers
from jaxinfo._log_domain import _power_logits, _renyi
from jaxinfo._log_domain._power_divergence import Pair, pair_of_tables
from jaxinfo._log_domain._rows import Axes, row_max, total
from jaxinfo._log_domain._softmax import surprisal

_STEPS = 64  # a bracket of float64 is exhausted before


def _moments(axes: Axes, t: Pair, a: jax.Array, excess: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Mean of `log(p/q)` under `p^a q^(1-a)`, given the pair's powers of order 0, and its slope in a, the variance.

    Both are less those of `log v` with `v = a sum p + (1-a) sum q`; the excess is `sum p - sum q`. Where p
    and q are close, `sum (w log(p/q) - p + q)` has terms of second order, and the mean the digits of their sum.
    """
    exponent = t.log_power + a * t.log_ratio
    m = row_max(exponent, axes)
    w = jnp.exp(exponent - jnp.where(jnp.isinf(m), jnp.zeros_like(m), m))
    s = total(w, axes)
    s = jnp.where(s == 0, jnp.ones_like(s), s)  # nothing in common
    mean = total(w * t.log_ratio, axes) / s
    variance = total(w * jnp.square(t.log_ratio - mean), axes) / s
    v = total(t.q, axes) + a * excess
    close = _is_close(axes, t)
    r = jnp.where(close, t.log_ratio, jnp.zeros_like(t.log_ratio))
    second = t.q * r * r * (a * _powers.expm1_ratio(a * r) - _powers.exp_excess(r))
    p, q = (jnp.where(t.inside, x, jnp.ones_like(x)) for x in (t.p, t.q))
    gap = jnp.where(t.inside, _powers.power_gap(p, q, r, jnp.exp(jnp.where(close, exponent, 0)), a), 0)
    short = a * (a - 1) * total(gap, axes)  # of the sum of powers from v
    precise = (total(second, axes) - excess * short / v) / jnp.where(close, v + short, 1)
    return jnp.where(close, precise, mean - excess / v), variance + jnp.square(excess / v)


def _is_close(axes: Axes, t: Pair) -> jax.Array:
    """Rows without a zero in one table alone whose ratios are all within a factor of e."""
    far = t.only_p | t.only_q | (jnp.abs(t.log_ratio) > 1)
    return ~jnp.any(far, axis=axes, keepdims=True)


def _root(axes: Axes, t: Pair, excess: jax.Array) -> jax.Array:
    """Newton's method in a bracket that halves where a step would leave it; 0 or 1 where the mean has one sign."""
    spread = jnp.maximum(1, row_max(jnp.abs(t.log_ratio), axes))  # the powers move by as much as the order times that
    tolerance = float(jnp.finfo(t.p.dtype).eps) ** 0.5 / (8 * spread)
    half = 0.5 * jnp.ones_like(spread)

    def unfinished(state: Any) -> jax.Array:
        count, _, _, _, moved = state
        return (count < _STEPS) & jnp.any(moved > tolerance)

    def step(state: Any) -> Any:
        count, a, low, high, moved = state
        mean, slope = _moments(axes, t, a, excess)
        low, high = jnp.where(mean < 0, a, low), jnp.where(mean < 0, high, a)
        newton = a - mean / jnp.where(slope > 0, slope, jnp.ones_like(slope))
        usable = (newton > low) & (newton < high) & (slope > 0)
        new = jnp.where(usable, newton, 0.5 * (low + high))
        new = jnp.where(moved > tolerance, new, a)  # a row that has converged does not wait for the others
        return count + 1, new, low, high, jnp.abs(new - a)

    root = lax.while_loop(unfinished, step, (0, half, 0 * half, 2 * half, 2 * half))[1]
    first, last = _moments(axes, t, 0 * half, excess)[0], _moments(axes, t, 2 * half, excess)[0]
    flat = (first == 0) & (last == 0)
    return jnp.where(flat, half, jnp.where(first >= 0, 0 * half, jnp.where(last <= 0, 2 * half, root)))


def _best_order(axes: Axes, t: Pair, excess: jax.Array) -> jax.Array:
    """The root, with its derivative: that of one Newton step from a fixed point. 0 and 1 stay."""
    root = lax.stop_gradient(_root(axes, *lax.stop_gradient((t, excess))))
    mean, slope = _moments(axes, t, root, excess)
    inner = (root > 0) & (root < 1) & (slope > 0)
    step = mean / jnp.where(inner, lax.stop_gradient(slope), jnp.ones_like(slope))
    return root - jnp.where(inner, step - lax.stop_gradient(step), jnp.zeros_like(step))


def _from_the_nearer_end(axes: Axes, divergence: Any, p: jax.Array, q: jax.Array, a: jax.Array) -> jax.Array:
    """`(1 - a) R_a(p|q)`, which is `a R_(1-a)(q|p)`: an order up to 1/2 is finite wherever p and q meet."""
    swap = a > 0.5
    x, y, b = jnp.where(swap, q, p), jnp.where(swap, p, q), jnp.where(swap, 1 - a, a)
    value = divergence(axes, x, y, b)
    infinite = jnp.isinf(value)  # nothing in common, at whatever order
    return jnp.where(infinite, value, (1 - b) * jnp.where(infinite, jnp.zeros_like(value), value))


def chernoff_of_tables(axes: Axes, p: jax.Array, q: jax.Array) -> jax.Array:
    t = pair_of_tables(p, q, jnp.zeros((1,) * p.ndim, p.dtype))
    best = _best_order(axes, t, total(p - q, axes))
    return _from_the_nearer_end(axes, _renyi.renyi_divergence, p, q, best)


def chernoff_of_logits(axes: Axes, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    t = _power_logits.pair_of_logits(axes, z_p, z_q, jnp.zeros((1,) * z_p.ndim, z_p.dtype))
    # Where p and q are far apart, the ratio of their likeliest outcomes is seen from the others.
    apart = jnp.where(t.inside, surprisal(axes, z_q) - surprisal(axes, z_p), jnp.zeros_like(t.log_ratio))
    t = t._replace(log_ratio=jnp.where(_is_close(axes, t), t.log_ratio, apart))
    best = _best_order(axes, t, jnp.zeros_like(row_max(z_p, axes)))
    return _from_the_nearer_end(axes, _power_logits.renyi_divergence, z_p, z_q, best)
