r"""Differences of the logarithm of the gamma function and of its derivatives a step apart, without cancellation.

Each is a sum over some steps of one, whose terms have one sign, and the same difference of the asymptotic series
there: M. Abramowitz and I. A. Stegun, "Handbook of Mathematical Functions", 6.1.41, 6.3.18 and 6.4.12.
"""

from typing import Any

import jax
import jax.numpy as jnp

# B_2k / (2k (2k-1)), of Stirling's series in odd powers of 1/x.
_STIRLING = (
    *(1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400),
    *(43867 / 244188, -174611 / 125400),
)


def _steps(dtype: Any) -> tuple[int, int]:
    """How many steps lead to where the series holds, and how many of its terms are wanted there."""
    return (5, 4) if dtype == jnp.float32 else (9, 10)


@jax.custom_jvp
def log_gamma_step(x: jax.Array, step: jax.Array) -> jax.Array:
    """Returns `log Gamma(x + step) - log Gamma(x)` for `x > 0`, `x + step > 0`."""
    shift, num_terms = _steps(x.dtype)
    y, z = x + shift, x + shift + step
    powers = -step / (y * z)
    total = jnp.zeros_like(x)
    for k in range(num_terms):
        total = total + _STIRLING[k] * _power_difference(y, z, 2 * k + 1, powers)
    main = (y - 0.5) * jnp.log1p(step / y) + step * (jnp.log(z) - 1)
    below = jnp.zeros_like(x)
    for i in range(shift):
        below = below + jnp.log1p(step / (x + i))
    return main + total - below


@log_gamma_step.defjvp
def _log_gamma_step_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (x, step), (dx, dstep) = primals, tangents
    return log_gamma_step(x, step), dx * digamma_step(x, step) + dstep * jax.lax.digamma(x + step)


@jax.custom_jvp
def digamma_step(x: jax.Array, step: jax.Array) -> jax.Array:
    """Returns `digamma(x + step) - digamma(x)`."""
    shift, num_terms = _steps(x.dtype)
    y, z = x + shift, x + shift + step
    powers = -step / (y * z)
    total = jnp.log1p(step / y) - 0.5 * powers
    for k in range(num_terms):
        total = total - (2 * k + 1) * _STIRLING[k] * _power_difference(y, z, 2 * k + 2, powers)
    for i in range(shift):
        total = total + step / ((x + i) * (x + i + step))
    return total


@digamma_step.defjvp
def _digamma_step_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (x, step), (dx, dstep) = primals, tangents
    return digamma_step(x, step), dstep * jax.scipy.special.polygamma(1, x + step) - dx * trigamma_step(x, step)


@jax.custom_jvp
def trigamma_step(x: jax.Array, step: jax.Array) -> jax.Array:
    """Returns `trigamma(x) - trigamma(x + step)`."""
    return _trigamma_step(x, step)


@trigamma_step.defjvp
def _trigamma_step_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (x, step), (dx, dstep) = primals, tangents
    # In `x` all terms have one sign again; in `step` they have not.
    _, along = jax.jvp(lambda x: _trigamma_step(x, step), (x,), (dx,))
    return trigamma_step(x, step), along - dstep * jax.scipy.special.polygamma(2, x + step)


def _trigamma_step(x: jax.Array, step: jax.Array) -> jax.Array:
    shift, num_terms = _steps(x.dtype)
    y, z = x + shift, x + shift + step
    powers = -step / (y * z)
    total = -powers - 0.5 * _power_difference(y, z, 2, powers)
    for k in range(num_terms):
        total = total - (2 * k + 1) * (2 * k + 2) * _STIRLING[k] * _power_difference(y, z, 2 * k + 3, powers)
    for i in range(shift):
        a, b = x + i, x + i + step
        total = total + (step / (a * b)) * (1 / a + 1 / b)
    return total


def _power_difference(y: jax.Array, z: jax.Array, n: int, first: jax.Array) -> jax.Array:
    """`z^-n - y^-n`, of which `first` is the one for `n = 1`: it divides the others."""
    # The other factor is the sum of b^i a^(n-1-i), by Horner's scheme in homogeneous form.
    a, b = 1 / y, 1 / z
    total, power = jnp.zeros_like(y), jnp.ones_like(y)
    for _ in range(n):
        total = total * a + power
        power = power * b
    return first * total
