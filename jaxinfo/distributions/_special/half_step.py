r"""The ratio of gamma functions half a step apart, $h(x) = \log(\Gamma(x + 1/2) / (\Gamma(x) \sqrt{x})) \le 0$.

Student's normalising constant is this: the difference of two logarithms of gamma functions has no digit left where
`x` is large. Behind twelve steps the asymptotic series is exact to rounding; F. W. J. Olver et al., "NIST Handbook of
Mathematical Functions", 5.11.13.
"""

from typing import Any

import jax
import jax.numpy as jnp

# h(x) = -1 / (8 x) (1 - 1 / (24 x^2) + 1 / (80 x^4) - ...), of the odd powers of 1 / x.
_SERIES = (-1 / 8, 1 / 192, -1 / 640, 17 / 14336, -31 / 18432, 691 / 180224, -5461 / 425984, 929569 / 15728640)
_STEPS = 12


@jax.custom_jvp
def half_step(x: jax.Array) -> jax.Array:
    """Returns `log Gamma(x + 1/2) - log Gamma(x) - log(x) / 2` for `x > 0`; `-inf` at 0, 0 at infinity."""
    far = x >= _STEPS
    near = jnp.where(far, jnp.ones_like(x), x)
    # h(x) - h(x + 1) = log(sqrt(x (x + 1)) / (x + 1/2)), telescoped.
    product = jnp.sqrt(near) * jnp.sqrt(near + _STEPS) / (near + 0.5)
    for i in range(1, _STEPS):
        product = product * ((near + i) / (near + (i + 0.5)))
    by_steps = jnp.log(product)
    return _asymptotic(jnp.where(far, x, near + _STEPS)) + jnp.where(far, jnp.zeros_like(x), by_steps)


@half_step.defjvp
def _half_step_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (x,), (dx,) = primals, tangents
    return half_step(x), half_step_slope(x) * dx


def half_step_slope(x: jax.Array) -> jax.Array:
    """Returns the derivative, `digamma(x + 1/2) - digamma(x) - 1 / (2 x) >= 0`."""
    far = x >= _STEPS
    near = jnp.where(far, jnp.ones_like(x), x)
    # Each step adds (1/x + 1/(x+1)) / 2 - 1 / (x + 1/2), on one denominator.
    total = jnp.zeros_like(x)
    for i in range(_STEPS):
        total = total + 0.5 / ((near + i) * (near + (i + 1)) * (2 * near + (2 * i + 1)))
    return _asymptotic_slope(jnp.where(far, x, near + _STEPS)) + jnp.where(far, jnp.zeros_like(x), total)


def _asymptotic(x: jax.Array) -> jax.Array:
    inverse = 1 / x
    square = jnp.square(inverse)
    value = jnp.full_like(x, _SERIES[-1])
    for coefficient in _SERIES[-2::-1]:
        value = value * square + coefficient
    return value * inverse


def _asymptotic_slope(x: jax.Array) -> jax.Array:
    square = jnp.square(1 / x)
    value = jnp.full_like(x, -(2 * len(_SERIES) - 1) * _SERIES[-1])
    for k in range(len(_SERIES) - 2, -1, -1):
        value = value * square - (2 * k + 1) * _SERIES[k]
    return value * square
