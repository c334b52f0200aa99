r"""The logarithm of the gamma function about 1 and 2, as the Gumbel and Weibull families need it.

With $r = 1 + u$, $\log \Gamma(1 + r) = (1 - \gamma) u + S(u)$ and $\log \Gamma(r) + \gamma u = u - \log(1 + u) + S(u)$,
where $S(u) = \sum_{k \ge 2} (\zeta(k) - 1) (-u)^k / k$: M. Abramowitz and I. A. Stegun, "Handbook of Mathematical
Functions", 6.1.33.
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxinfo import _numerics
from jaxinfo.distributions._arrays import exp_remainder, quotient_of_many_uses
from jaxinfo.distributions._special.gamma import log_gamma_excess

EULER = 0.57721566490153286


def _zeta_minus_one(k: int) -> float:
    # Euler and Maclaurin behind the first terms.
    n = 50.0
    head = math.fsum(j**-k for j in range(2, 50))
    corrections = n / (k - 1) + 1 / 2 + k / (12 * n) - k * (k + 1) * (k + 2) / (720 * n**3)
    return head + n**-k * (corrections + k * (k + 1) * (k + 2) * (k + 3) * (k + 4) / (30240 * n**5))


_SERIES = tuple((-1) ** k * _zeta_minus_one(k) / k for k in range(2, 29))


class LogGamma(NamedTuple):
    """Two functions of a ratio `r > 0`: `log Gamma(1 + r)`, and `log Gamma(r) + gamma (r - 1) >= 0`."""

    after: jax.Array
    excess: jax.Array


def log_gamma(x: jax.Array, y: jax.Array) -> LogGamma:
    """Returns the functions of `r = x / y`, the second without cancellation where `x` is close to `y`."""
    r, u = jnp.abs(x / y), quotient_of_many_uses(x - y, y)
    near, below, middle = jnp.abs(u) <= 0.5, r < 0.5, jnp.abs(r - 2) < 0.5
    zero, one = jnp.zeros_like(r), jnp.ones_like(r)
    u, small, beyond_two = jnp.where(near, u, zero), jnp.where(below, r, zero), jnp.where(middle, r - 2, zero)
    # At most one of the three is not zero.
    s = _series(u + small + beyond_two)
    logarithm = jnp.log(jnp.where(near, one, r))
    series = near | below | middle
    # Above 3/2, `log Gamma(r)`; below 1/2, `log Gamma(1 + r)`.
    above = jnp.where(middle, (1 - EULER) * beyond_two + s, _log_gamma_beyond_two(jnp.where(series, 3 * one, r)))
    after_small = (1 - EULER) * small - _numerics.log1p(small) + s
    after = jnp.where(near, (1 - EULER) * u + s, jnp.where(below, after_small, above + logarithm))
    far = jnp.where(below, after_small - logarithm, above) + EULER * (r - 1)
    return LogGamma(after, jnp.where(near, exp_remainder(_numerics.log1p(u)) + s, far))


def _log_gamma_beyond_two(r: jax.Array) -> jax.Array:
    # The first part grows like a logarithm: long before its argument leaves its range it is nothing to the second.
    return log_gamma_excess(jnp.minimum(r, 2.0**100)) + r * (jnp.log(r) - 1)


def log_gamma_spread(x: jax.Array, y: jax.Array) -> jax.Array:
    """Returns `log Gamma(1 + 2 r) - 2 log Gamma(1 + r) >= 0` for `r = x / y`, without cancellation at small `r`."""
    r = x / y
    near = r <= 0.25
    small = jnp.where(near, r, jnp.zeros_like(r))
    close = _log_gamma_behind_tangent(2 * small) - 2 * _log_gamma_behind_tangent(small)
    large, one = jnp.where(near, jnp.ones_like(r), r), jnp.ones_like(r)
    return jnp.where(near, close, log_gamma(2 * large, one).after - 2 * log_gamma(large, one).after)


def _log_gamma_behind_tangent(v: jax.Array) -> jax.Array:
    """`log Gamma(1 + v) + gamma v` for `0 <= v <= 1/2`."""
    return exp_remainder(_numerics.log1p(v)) + _series(v)


def _series(u: jax.Array) -> jax.Array:
    """`S(u)` for `|u| <= 1/2`, whose terms fall by four each time."""
    coefficients = _SERIES[:12] if u.dtype == jnp.float32 else _SERIES
    value = jnp.full_like(u, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        value = value * u + coefficient
    return jnp.square(u) * value
