r"""The absolute value and its smooth companions, with the derivatives they have, or the middle of the two, at 0."""

from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo.distributions._arrays import exp_remainder


def absolute(x: jax.Array) -> jax.Array:
    """Returns `|x|` with derivative 0 at 0, where JAX's own has 1."""
    zero = x == 0
    return jnp.where(zero, jnp.zeros_like(x), jnp.abs(jnp.where(zero, jnp.ones_like(x), x)))


@jax.custom_jvp
def saturation(x: jax.Array) -> jax.Array:
    """Returns `1 - exp(-|x|)` with the sign of `x`."""
    return -jnp.sign(x) * jnp.expm1(-jnp.abs(x))


@saturation.defjvp
def _saturation_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    return saturation(primals[0]), jnp.exp(-jnp.abs(primals[0])) * tangents[0]


@jax.custom_jvp
def blunt_excess(x: jax.Array, width: jax.Array) -> jax.Array:
    """Returns `|x| - width (1 - exp(-|x| / width)) >= 0`, which has two derivatives at 0."""
    return width * exp_remainder(-jnp.abs(x) / width)


@blunt_excess.defjvp
def _blunt_excess_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (x, width), (dx, dwidth) = primals, tangents
    ratio = absolute(x / width)
    # 1 - e^-t (1 + t), where the product would cancel or overflow.
    far = ratio > 20
    near = jnp.where(far, jnp.zeros_like(x), ratio)
    by_width = jnp.where(far, 1 - jnp.exp(-ratio) * (1 + ratio), jnp.exp(-near) * exp_remainder(near))
    return blunt_excess(x, width), saturation(x / width) * dx - by_width * dwidth
