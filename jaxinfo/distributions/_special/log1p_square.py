r"""$\log(1 + t^2)$, the logarithm of a Cauchy density's tail, also where the square overflows."""

from typing import Any

import jax
import jax.numpy as jnp


@jax.custom_jvp
def log1p_square(t: jax.Array) -> jax.Array:
    """Returns `log(1 + t^2)`, even in `t`."""
    far = jnp.abs(t) > 1e4
    large = jnp.where(far, jnp.abs(t), jnp.ones_like(t))
    near = jnp.log1p(jnp.square(jnp.where(far, jnp.zeros_like(t), t)))
    return jnp.where(far, 2 * jnp.log(large) + jnp.square(1 / large), near)


@log1p_square.defjvp
def _log1p_square_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (t,), (dt,) = primals, tangents
    far = jnp.abs(t) > 1
    inverse = 1 / jnp.where(far, t, jnp.ones_like(t))
    small = jnp.where(far, jnp.zeros_like(t), t)
    slope = jnp.where(far, 2 * inverse / (1 + jnp.square(inverse)), 2 * small / (1 + jnp.square(small)))
    return log1p_square(t), slope * dt
