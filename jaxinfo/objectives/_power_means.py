"""Means of importance weights, in the log domain: their logarithms, and the first and second derivatives of these.

A bound is a function of the logarithms l of K weights on the first axis. Its slopes `v_i` are the derivatives in `l_i`,
its curvatures `h_i` the second ones; `v_i - h_i` is what the doubly reparameterised gradient multiplies the path by.
"""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import _checks, _log_domain, _numerics, _powers
from jaxinfo.objectives._loss_parts import part

# Inlined under a caller's jit; alone, one program in place of dozens.
_compiled = functools.partial(jax.jit, inline=True)
_compiled_for_a_side = functools.partial(jax.jit, inline=True, static_argnames="upper")


def _count(kept: jax.Array, dtype: jnp.dtype) -> jax.Array:
    return jnp.sum(kept, axis=0).astype(dtype)


def mean(values: jax.Array, kept: jax.Array) -> jax.Array:
    """The mean over the first axis of the values that are kept."""
    return jnp.sum(jnp.where(kept, values, jnp.zeros_like(values)), axis=0) / _count(kept, values.dtype)


def log_mean_exp(values: jax.Array, kept: jax.Array) -> jax.Array:
    """`log mean exp` over the first axis of the values that are kept; NaN if none is."""
    infinite = jnp.any(kept & (values == jnp.inf), axis=0)
    masked = jnp.where(kept & ~infinite[None], values, jnp.full_like(values, -jnp.inf))
    share = _count(kept, values.dtype) / len(values)
    finite = _log_domain.log_mean_exp(masked, (-values.ndim,)) - jnp.log(share)
    return jnp.where(infinite, jnp.full_like(finite, jnp.inf), finite)


def _zeros_apart(values: jax.Array, power: jax.Array, kept: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """What weights of zero leave to be computed with numbers that are finite, for which derivatives are.

    Returns:
      The logarithms, 0 for those that are `-inf` or not kept; those that are part of the sum; and the rows that come to
      `-inf`: of weights that are all zero, and with a power that is not positive those that hold any. These get a sum
      of ones, that nothing is NaN.
    """
    zero = kept & (values == -jnp.inf)
    lost = jnp.any(zero, axis=0) & ((power <= 0) | jnp.all(zero | ~kept, axis=0))
    return jnp.where(kept & ~zero, values, jnp.zeros_like(values)), kept & (~zero | lost[None]), lost


@_compiled
def log_power_mean(values: jax.Array, power: jax.Array, kept: jax.Array) -> jax.Array:
    """`(1/t) log mean exp(t l)`: the mean at t = 0, the greatest at infinity and the least at minus infinity.

    Where all `t (l - mean l)` are small it is `m + log1p(s) / t` with `s = mean(exp(t c) - 1 - t c)` and `c = l - m`,
    which is smooth in t through 0 and does not cancel.
    """
    infinite = jnp.isinf(power)
    finite_power = jnp.where(infinite, jnp.ones_like(power), power)
    held, summed, lost = _zeros_apart(values, finite_power, kept)
    middle = mean(held, kept)
    scaled = finite_power[None] * jnp.where(kept, held - middle[None], jnp.zeros_like(held))
    near = jnp.max(jnp.where(kept, jnp.abs(scaled), jnp.zeros_like(scaled)), axis=0) < 1
    near = near & jnp.all(summed == kept, axis=0)
    # Each branch is given numbers for which it is finite, so that its derivative is.
    centred = jnp.where(kept & near[None], held - middle[None], jnp.zeros_like(held))
    small = jnp.where(near, finite_power, jnp.zeros_like(power))
    spread = mean(jnp.square(centred) * _powers.exp_excess(small[None] * centred), kept)
    close = middle + small * spread * _powers.log1p_ratio(jnp.square(small) * spread)
    large = jnp.where(near | (finite_power == 0), jnp.ones_like(power), finite_power)
    far = log_mean_exp(jnp.where(summed, large[None] * held, jnp.full_like(held, -jnp.inf)), kept) / large
    # At power 0 only an infinite logarithm comes here, and the mean is that.
    value = jnp.where(near, close, jnp.where(finite_power == 0, middle, far))
    value = jnp.where(lost, jnp.full_like(value, -jnp.inf), value)
    return jnp.where(infinite, _extreme(values, power > 0, kept), value)


def _extreme(values: jax.Array, greatest: jax.Array, kept: jax.Array) -> jax.Array:
    sign = jnp.where(greatest, jnp.ones(greatest.shape, values.dtype), -jnp.ones(greatest.shape, values.dtype))
    signed = jnp.where(kept, sign[None] * values, jnp.full_like(values, -jnp.inf))
    return sign * jnp.max(signed, axis=0)


@_compiled
def power_slopes(values: jax.Array, power: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Slopes and curvatures of `log_power_mean`, of a finite power; 0 where that is `-inf`."""
    held, summed, lost = _zeros_apart(values, power, jnp.ones(values.shape, bool))
    slopes = _shares(power[None] * held, summed, lost)
    return slopes, power[None] * slopes * (1 - slopes)


def _shares(logits: jax.Array, summed: jax.Array, lost: jax.Array) -> jax.Array:
    shares = _log_domain.softmax((-logits.ndim,), jnp.where(summed, logits, jnp.full_like(logits, -jnp.inf)))
    return jnp.where(lost[None], jnp.zeros_like(shares), shares)


def tempered_means(values: jax.Array, inverse_temperatures: jax.Array, kept: jax.Array) -> jax.Array:
    """The mean of l with shares proportional to `exp(b l)`, for each of the inverse temperatures b on a new axis."""

    def one(b: jax.Array) -> jax.Array:
        # At 0 all weights count the same, also those of 0.
        held, summed, lost = _zeros_apart(values, b, kept)
        means = jnp.sum(_shares(b * held, summed, lost) * held, axis=0)
        return jnp.where(lost, jnp.full_like(means, -jnp.inf), means)

    return jax.vmap(one)(inverse_temperatures)


@_compiled_for_a_side
def thermodynamic_sum(values: jax.Array, inverse_temperatures: jax.Array, upper: bool, kept: jax.Array) -> jax.Array:
    """The sum of steps of the inverse temperature times the mean at the lower, or the upper, end of each."""
    ends = inverse_temperatures[1:] if upper else inverse_temperatures[:-1]
    means = tempered_means(values, ends, kept)
    steps = jnp.diff(inverse_temperatures).reshape(-1, *(1,) * (means.ndim - 1))
    return jnp.sum(part(steps, means), axis=0)


@_compiled_for_a_side
def thermodynamic_slopes(
    values: jax.Array, inverse_temperatures: jax.Array, upper: bool
) -> tuple[jax.Array, jax.Array]:
    """Slopes and curvatures of `thermodynamic_sum`: with shares s and mean m at b, `v = s (1 + b (l - m))`.

    Steps whose mean is `-inf` have none.
    """
    ends = inverse_temperatures[1:] if upper else inverse_temperatures[:-1]

    def one(b: jax.Array) -> tuple[jax.Array, jax.Array]:
        held, summed, lost = _zeros_apart(values, b, jnp.ones(values.shape, bool))
        shares = _shares(b * held, summed, lost)
        centred = held - jnp.sum(shares * held, axis=0, keepdims=True)
        slopes = shares * (1 + b * centred)
        return slopes, b * ((1 - shares) * slopes + shares * (1 - slopes))

    steps = jnp.diff(inverse_temperatures)
    slopes, curvatures = (jnp.tensordot(steps, parts, axes=1) for parts in jax.vmap(one)(ends))
    return slopes, curvatures


def accumulated(name: str, log_weights: ArrayLike, axis: int) -> tuple[jax.Array, jnp.dtype]:
    """Log-weights with the draws on the first axis, of at least 32 bits, and the dtype that they had."""
    array = _checks.floating(name, "log_weights", log_weights)
    if array.ndim == 0:
        raise ValueError(f"{name}: log_weights needs an axis of draws, got a scalar")
    if isinstance(axis, bool) or not hasattr(axis, "__index__"):
        raise TypeError(f"{name}: axis must be an integer, got {axis!r}")
    if not -array.ndim <= axis < array.ndim:
        raise ValueError(f"{name}: axis {axis} is out of bounds for log_weights of {array.ndim} dimensions")
    moved = jnp.moveaxis(array, axis, 0)
    if moved.shape[0] == 0:
        raise ValueError(f"{name}: log_weights has no draws on axis {axis}, its shape is {array.shape}")
    return _numerics.accumulate(moved), array.dtype
