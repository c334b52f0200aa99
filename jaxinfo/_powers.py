"""Powers of probability ratios, and what is left of them when their order tends to 0 or 1.

With `r = log(p/q)` the alpha-divergence is the sum of `q r^2 exp[0, r, a r]`, the second divided difference of the
exponential: no order is special to it, and no term negative. Where the three nodes are close it is a series, whose
coefficients are polynomials in the order; elsewhere it is a difference of powers. Derivatives are powers again, or
`deformed_log`.

Reference: T. Minka, "Divergence measures and message passing", MSR-TR-2005-173, 2005; C. de Boor, "Divided
differences", Surveys in Approximation Theory 1, 2005.
"""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo import _numerics

# Nodes count as close below that, beyond it the difference of powers loses a few units; and terms until one is a
# rounding.
_CLOSE = 1.5
_TERMS = {jnp.dtype("float32"): 14, jnp.dtype("float64"): 22}


def _safe(x: jax.Array, wrong: jax.Array) -> jax.Array:
    """1 where the branch is not taken, so that its derivative is finite."""
    return jnp.where(wrong, jnp.ones_like(x), x)


@jax.custom_jvp
def expm1_ratio(x: jax.Array) -> jax.Array:
    """`(e^x - 1) / x`, 1 at 0: the mean of `e^(x t)` over t in [0, 1]."""
    return jnp.where(x == 0, jnp.ones_like(x), jnp.expm1(x) / _safe(x, x == 0))


@expm1_ratio.defjvp
def _expm1_ratio_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (x,), (dx,) = primals, tangents
    return expm1_ratio(x), _expm1_ratio_slope(x) * dx


def _expm1_ratio_slope(x: jax.Array) -> jax.Array:
    """The mean of `t e^(x t)`."""
    near = jnp.abs(x) < 1
    y, z = jnp.where(near, x, jnp.zeros_like(x)), _safe(x, near)
    series = jnp.zeros_like(x)
    for n in range(_TERMS[x.dtype], -1, -1):
        series = series * y + 1 / (math.factorial(n) * (n + 2))
    return jnp.where(near, series, (jnp.exp(z) * (z - 1) + 1) / (z * z))


def exp_excess(x: jax.Array) -> jax.Array:
    """`(e^x - 1 - x) / x^2`, 1/2 at 0."""
    near = jnp.abs(x) < 1
    y, z = jnp.where(near, x, jnp.zeros_like(x)), _safe(x, near)
    series = jnp.zeros_like(x)
    for n in range(_TERMS[x.dtype], -1, -1):
        series = series * y + 1 / math.factorial(n + 2)
    return jnp.where(near, series, (jnp.expm1(z) - z) / (z * z))


def deformed_log(b: jax.Array, x: jax.Array) -> jax.Array:
    """`(e^(b x) - 1) / b`: x at b = 0. Of `x = log t` it is the logarithm of Tsallis and of Box and Cox."""
    return x * expm1_ratio(b * x)


def log1p_ratio(x: jax.Array) -> jax.Array:
    """`log(1 + x) / x`, 1 at 0."""
    return jnp.where(x == 0, jnp.ones_like(x), _numerics.log1p(x) / _safe(x, x == 0))


def _close_nodes(r: jax.Array, a: jax.Array) -> jax.Array:
    """`r^2 exp[0, r, a r]` as `sum r^n (1 + a + ... + a^(n-2)) / n!`."""
    count = _TERMS[r.dtype]
    sums = [jnp.ones_like(a)]
    for _ in range(count - 1):
        sums.append(1 + a * sums[-1])
    series = jnp.zeros_like(r)
    for n in range(count - 1, -1, -1):
        series = series * r + sums[n] * (1 / math.factorial(n + 2))
    return r * r * series


def power_gap(p: jax.Array, q: jax.Array, r: jax.Array, w: jax.Array, a: jax.Array) -> jax.Array:
    """`(p^a q^(1-a) - a p - (1-a) q) / (a (a-1))`, given `r = log(p/q)` and `w = p^a q^(1-a)`; p and q are positive.

    At least 0. Exchanging p and q turns a into 1 - a, so that only orders up to 1/2 need care.
    """
    swap = a > 0.5
    b = jnp.where(swap, 1 - a, a)
    x, y, s = jnp.where(swap, q, p), jnp.where(swap, p, q), jnp.where(swap, -r, r)
    far = jnp.abs(b * s) > 1
    held = jnp.where(far, jnp.zeros_like(s), s)
    powers = jnp.where(far, (w - y) / _safe(b, b == 0), y * deformed_log(b, held))  # y ((x/y)^b - 1) / b
    span = jnp.maximum(jnp.maximum(s, b * s), 0) - jnp.minimum(jnp.minimum(s, b * s), 0)
    near = span < _CLOSE
    series = y * _close_nodes(jnp.where(near, s, jnp.zeros_like(s)), b)
    return jnp.where(near, series, ((x - y) - powers) / (1 - b))
