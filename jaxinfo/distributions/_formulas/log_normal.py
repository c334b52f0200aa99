"""Closed forms between log-normal distributions: the logarithm is a bijection, so KL is that of the normal ones."""

import jax

from jaxinfo.distributions._families.log_normal import LogNormal
from jaxinfo.distributions._formulas import normal
from jaxinfo.distributions._registry import register

register("kl_divergence", LogNormal, LogNormal)(normal.kl_divergence)


@register("cross_entropy", LogNormal, LogNormal)
def _cross_entropy(loc_p: jax.Array, scale_p: jax.Array, loc_q: jax.Array, scale_q: jax.Array) -> jax.Array:
    return normal.cross_entropy(loc_p, scale_p, loc_q, scale_q) + loc_p
