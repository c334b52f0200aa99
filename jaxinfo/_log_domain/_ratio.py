"""Divergences `sum q g(log(p/q))` of rows of logits, for any g."""

from __future__ import annotations

import math
from functools import cache, partial
from typing import Protocol

import jax
import jax.numpy as jnp
from jax import lax

from jaxinfo._log_domain._rows import (
    Axes,
    RowFunction,
    adaptive,
    fusible_softmax,
    is_outside,
    present,
    shifted_normalizer,
    total,
)
from jaxinfo._log_domain._rule import row_rule
from jaxinfo._log_domain._softmax import larger_and_log_ratio, log_ratio, weighted_deviation

SMALL = 0.25  # as for the divergences in `_values`


class Ratio(Protocol):
    """What `jaxinfo.generators` knows of `g` as a function of `r = log(p/q)`.

    Slopes grow no faster than `exp(growth |r|)`.
    """

    growth: float
    small: float

    def inside(self, p: jax.Array, q: jax.Array) -> jax.Array:
        """The term of positive p and q."""
        ...

    def split(self, r: jax.Array) -> tuple[jax.Array, jax.Array]:
        """An exponent x and a factor b: the term is `max(p, q) e^x b`."""
        ...

    def slope_p(self, r: jax.Array) -> jax.Array: ...

    def slope_q(self, r: jax.Array) -> jax.Array: ...

    def limits(self, dtype: jnp.dtype) -> tuple[jax.Array, jax.Array]:
        """What a p without q adds, and a q without p."""
        ...


def _fast(form: Ratio, axes: Axes, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    """The divergence of the softmaxes; NaN where it is infinite, which may be a probability that has underflowed."""
    value = total(form.inside(fusible_softmax(z_p, axes), fusible_softmax(z_q, axes)), axes)
    return jnp.where(value < jnp.inf, value, jnp.nan)


def _value(form: Ratio, axes: Axes, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    larger, r, s = larger_and_log_ratio(axes, z_p, z_q)
    exponent, factor = form.split(r)
    return total(jnp.exp(larger + exponent) * factor, axes) / s


def _accurate(form: Ratio, axes: Axes, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    """Where a term is infinite it has underflowed elsewhere, and `0 * inf` tells nothing."""
    value = _value(form, axes, z_p, z_q)
    p_only, q_only = form.limits(z_p.dtype)
    infinite = (is_outside(z_p, z_q, axes) & jnp.isinf(p_only)) | (is_outside(z_q, z_p, axes) & jnp.isinf(q_only))
    mass = shifted_normalizer(z_p, axes)[1] * shifted_normalizer(z_q, axes)[1]  # NaN if one is no distribution
    return jnp.where(infinite & (mass > 0), jnp.inf, value)


def _one_sided(axes: Axes, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    """`sum(max(p - q, 0))` or `sum(max(q - p, 0))`, which are equal: that of the outcomes with the smaller mass.

    An outcome that has nearly all of the mass has lost the digits of its difference.
    """
    larger, r, s = larger_and_log_ratio(axes, z_p, z_q)
    mass, up, down = jnp.exp(larger), jnp.maximum(jnp.sign(r), 0), jnp.maximum(-jnp.sign(r), 0)
    difference = mass * jnp.expm1(-jnp.abs(r))
    heavy = total(mass * up, axes) > total(mass * down, axes)
    return -jnp.where(heavy, total(difference * down, axes), total(difference * up, axes)) / s


def _slope(form: Ratio, swap: bool, axes: Axes, value: jax.Array, z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    """`p (f' - sum(p f'))`, and the same of the reversed in q. A mask has the limit, or 0 if that is infinite."""
    side = form.slope_q if swap else form.slope_p
    r = log_ratio(axes, lax.stop_gradient(value) < SMALL, z_p, z_q)
    both = present(z_p) & present(z_q)
    most = 0.8 * math.log(float(jnp.finfo(r.dtype).max)) / form.growth  # slopes are multiplied and added up
    inside = side(jnp.clip(jnp.where(both, r, jnp.zeros_like(r)), -most, most))
    outer = side(jnp.where(present(z_p), jnp.inf, -jnp.inf).astype(r.dtype))
    at_mask = jnp.where(jnp.isfinite(outer), outer, jnp.zeros_like(outer))
    return weighted_deviation(axes, z_q if swap else z_p, jnp.where(both, inside, at_mask))


@cache
def ratio_divergence(form: Ratio, is_distance: bool = False) -> RowFunction:
    """The row function of a form, which is hashable; a distance is of the first order in the difference."""
    accurate = _one_sided if is_distance else partial(_accurate, form)
    value = adaptive(partial(_fast, form), accurate, form.small)
    return row_rule(value, partial(_slope, form, False), partial(_slope, form, True))
