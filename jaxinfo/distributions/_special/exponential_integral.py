r"""The scaled exponential integrals $e^z E_n(z) = \int_0^\infty e^{-z t} (1 + t)^{-n} \, dt$."""

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp

_EULER = 0.57721566490153286


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def scaled_exponential_integral(n: int, z: jax.Array) -> jax.Array:
    """Returns `exp(z) E_n(z)` for an integer `n >= 1` and `z > 0`; `inf` at 0 for `n = 1`, 0 at infinity."""
    near = z < 1
    small = jnp.where(near, z, jnp.ones_like(z))
    value = jnp.exp(small) * (complementary_exponential_integral(small) - _EULER - jnp.log(small))
    # n E_{n+1}(z) = e^-z - z E_n(z)
    for k in range(1, n):
        value = (1 - small * value) / k
    return jnp.where(near, value, _continued_fraction(n, jnp.where(near, jnp.ones_like(z), z)))


@scaled_exponential_integral.defjvp
def _scaled_exponential_integral_jvp(n: int, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    # e^z (E_n - E_{n-1}), or by the recurrence where these are nearly equal, at large z.
    (z,), (dz,) = primals, tangents
    value = scaled_exponential_integral(n, z)
    slope = ((n - 1) * value - n * scaled_exponential_integral(n + 1, z)) / z
    if n > 1:
        slope = jnp.where(z < 1, value - scaled_exponential_integral(n - 1, z), slope)
    return value, dz * slope


def complementary_exponential_integral(z: jax.Array) -> jax.Array:
    r"""Returns $\int_0^z (1 - e^{-t}) / t \, dt = E_1(z) + \gamma + \log z$ for `0 <= z <= 1`."""
    num_terms = 10 if z.dtype == jnp.float32 else 18
    value = jnp.zeros_like(z)
    for k in range(num_terms, 0, -1):
        value = value * -z + 1 / (k * math.factorial(k))
    return value * z


def _continued_fraction(n: int, z: jax.Array) -> jax.Array:
    """M. Abramowitz and I. A. Stegun, "Handbook of Mathematical Functions", 5.1.22, contracted; for `z >= 1`."""
    # The error falls like exp(-4 sqrt(levels z)).
    levels = 24 if z.dtype == jnp.float32 else 100

    def step(i: jax.Array, tail: jax.Array) -> jax.Array:
        k = (levels - i).astype(z.dtype)
        return k * (k + (n - 1)) / (z + n + 2 * k - tail)

    tail = jax.lax.fori_loop(0, levels, step, jnp.zeros_like(z))
    return 1 / (z + n - tail)
