"""The skew Jensen-Shannon divergence of rows of logits, regular at every weight; see `jaxinfo._skew`."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
from jax import lax

from jaxinfo import _numerics, _skew
from jaxinfo._log_domain import _values
from jaxinfo._log_domain._ratio import SMALL
from jaxinfo._log_domain._rows import Axes, adaptive, change, is_outside, present, shifted_normalizer, total
from jaxinfo._log_domain._rule import row_rule
from jaxinfo._log_domain._softmax import larger_and_log_ratio, log_ratio, softmax


def _one_minus_exp(r: jax.Array) -> jax.Array:
    """`p - q` over the larger of the two, given `r = log(p/q)`; smooth from the right at 0."""
    below = r < 0
    zero = jnp.zeros_like(r)
    return jnp.where(below, jnp.expm1(jnp.where(below, r, zero)), -jnp.expm1(-jnp.where(below, zero, r)))


def _scaled(r: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """p, q and their difference over the larger one."""
    zero = jnp.zeros_like(r)
    return jnp.exp(jnp.where(r < 0, r, zero)), jnp.exp(-jnp.where(r < 0, zero, r)), _one_minus_exp(r)


def _fast(axes: Axes, z_p: jax.Array, z_q: jax.Array, weight: jax.Array) -> jax.Array:
    """The Jensen-Shannon divergence over `w (1 - w)`; NaN at the ends of the weight."""
    variance = weight * (1 - weight)
    inner = variance > 1e-3
    value = _values.jensen_shannon_fast(axes, z_p, z_q, jnp.where(inner, weight, 0.5))
    return jnp.where(inner, value / jnp.where(inner, variance, 1), jnp.nan)


def _value(axes: Axes, z_p: jax.Array, z_q: jax.Array, weight: jax.Array) -> jax.Array:
    weight = jnp.where((weight >= 0) & (weight <= 1), weight, jnp.nan)
    rest = 1 - weight
    larger, r, s = larger_and_log_ratio(axes, z_p, z_q)
    p, q, d = _scaled(r)
    m = weight * p + rest * q
    log_weight, log_rest = jnp.log(weight), _numerics.log1p(-weight)
    from_p = _skew.share(p, m, d, rest, -jnp.logaddexp(log_weight, log_rest - r))
    from_q = _skew.share(q, m, -d, weight, -jnp.logaddexp(log_rest, log_weight + r))
    return total(jnp.exp(larger) * (from_p + from_q), axes) / s


def _accurate(axes: Axes, z_p: jax.Array, z_q: jax.Array, weight: jax.Array) -> jax.Array:
    value = _value(axes, z_p, z_q, weight)
    infinite = (is_outside(z_p, z_q, axes) & (weight == 0)) | (is_outside(z_q, z_p, axes) & (weight == 1))
    mass = shifted_normalizer(z_p, axes)[1] * shifted_normalizer(z_q, axes)[1]  # NaN if one is no distribution
    return jnp.where(infinite & (mass > 0), jnp.inf, value)


def _scaled_slope(r: jax.Array, weight: jax.Array) -> jax.Array:
    """`log(p/m) / (1 - w)`, which is `1 - q/p` at w = 1, times p over the larger of p and q."""
    most = math.log(float(jnp.finfo(r.dtype).max)) - 8
    capped = jnp.clip(r, -most, most)
    far = (capped > 0.5) & (weight < 0.5)
    outer, inner = jnp.where(far, capped, 1.0), jnp.where(far, 0.0, capped)
    beyond = jnp.where(far & (weight * math.exp(most) < 1), r - capped, 0.0)
    low = jnp.where(weight < 0.5, weight, 0.0)
    spread = (outer + beyond - jnp.log1p(low * jnp.expm1(outer))) / (1 - low)
    x = jnp.expm1(-inner)
    y = (1 - weight) * x
    flat = jnp.abs(y) < jnp.finfo(r.dtype).eps
    slope = jnp.where(flat, 1 - 0.5 * y, _numerics.log1p(jnp.where(flat, 1.0, y)) / jnp.where(flat, 1.0, y))
    return jnp.where(far, spread, _one_minus_exp(inner) * slope)


def _ratio(axes: Axes, value: jax.Array, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    return log_ratio(axes, lax.stop_gradient(value) < SMALL, z_p, z_q)


def _slope(axes: Axes, r: jax.Array, z_p: jax.Array, z_q: jax.Array, weight: jax.Array) -> jax.Array:
    """d/dz_p; p has a slope also where q is masked, unless that is infinite."""
    alone = _skew.first_difference(jnp.ones_like(weight), weight, 1 - weight)
    both = present(z_p) & present(z_q)
    inside = _scaled_slope(jnp.where(both, r, jnp.zeros_like(r)), weight)
    slope = jnp.where(both, inside, jnp.where(present(z_p), alone, jnp.zeros_like(r)))
    p = softmax(axes, z_p)
    moved = jnp.where(both & (r < 0), softmax(axes, z_q), p) * slope
    return moved - p * change(moved, axes)


def _toward_p(axes: Axes, value: jax.Array, z_p: jax.Array, z_q: jax.Array, weight: jax.Array) -> jax.Array:
    return _slope(axes, _ratio(axes, value, z_p, z_q), z_p, z_q, weight)


def _toward_q(axes: Axes, value: jax.Array, z_p: jax.Array, z_q: jax.Array, weight: jax.Array) -> jax.Array:
    return _slope(axes, -_ratio(axes, value, z_p, z_q), z_q, z_p, 1 - weight)


def _weight_slope(axes: Axes, value: jax.Array, z_p: jax.Array, z_q: jax.Array, weight: jax.Array) -> jax.Array:
    """d/dw, spread over the row: `d^2 (F[p, m, m] - F[q, m, m])`."""
    r = _ratio(axes, value, z_p, z_q)
    larger = jnp.where(r < 0, softmax(axes, z_q), softmax(axes, z_p))
    p, q, d = _scaled(r)
    m = weight * p + (1 - weight) * q
    from_p = _skew.second_difference(p, m, (1 - weight) * d)
    return larger * d * d * (from_p - _skew.second_difference(q, m, -weight * d))


skew_jensen_shannon_divergence = row_rule(adaptive(_fast, _accurate, SMALL), _toward_p, _toward_q, _weight_slope)
