"""Closed forms between Cauchy distributions.

Reference: F. Chyzak and F. Nielsen, "A closed-form formula for the Kullback-Leibler divergence between Cauchy
distributions", arXiv:1905.10965, 2019.
"""

import math

import jax
import jax.numpy as jnp

from jaxinfo.distributions._families.cauchy import Cauchy
from jaxinfo.distributions._registry import register


@register("kl_divergence", Cauchy, Cauchy)
def _kl_divergence(loc_p: jax.Array, scale_p: jax.Array, loc_q: jax.Array, scale_q: jax.Array) -> jax.Array:
    # log(((s_p + s_q)^2 + (m_p - m_q)^2) / (4 s_p s_q)), where the fraction is 1 and what is written here.
    scales, locs = scale_p - scale_q, loc_p - loc_q
    value = jnp.log1p(0.25 * ((scales / scale_p) * (scales / scale_q) + (locs / scale_p) * (locs / scale_q)))
    return jnp.where((scale_p == 0) != (scale_q == 0), jnp.full_like(value, jnp.inf), value)


@register("cross_entropy", Cauchy, Cauchy)
def _cross_entropy(loc_p: jax.Array, scale_p: jax.Array, loc_q: jax.Array, scale_q: jax.Array) -> jax.Array:
    # The logarithm of pi ((s_p + s_q)^2 + (m_p - m_q)^2) / s_q.
    scales, locs = scale_p + scale_q, loc_p - loc_q
    return jnp.log(math.pi * ((scales / scale_q) * scales + (locs / scale_q) * locs))
