"""Closed forms between Weibull distributions: the negative logarithm is Gumbel, and KL does not see a bijection.

Reference: C. Bauckhage, "Computing the Kullback-Leibler divergence between two Weibull distributions",
arXiv:1310.3713, 2013.
"""

import jax

from jaxinfo.distributions._arrays import log_ratio
from jaxinfo.distributions._families.weibull import Weibull
from jaxinfo.distributions._formulas import gumbel
from jaxinfo.distributions._registry import register


@register("kl_divergence", Weibull, Weibull)
def _kl_divergence(scale_p: jax.Array, shape_p: jax.Array, scale_q: jax.Array, shape_q: jax.Array) -> jax.Array:
    return gumbel.divergence(shape_q, shape_p, shape_q * log_ratio(scale_q, scale_p))


@register("cross_entropy", Weibull, Weibull)
def _cross_entropy(scale_p: jax.Array, shape_p: jax.Array, scale_q: jax.Array, shape_q: jax.Array) -> jax.Array:
    # The sum, since terms of the derivatives of its own formula cancel where the shapes are large.
    return _kl_divergence(scale_p, shape_p, scale_q, shape_q) + Weibull._entropy(scale_p, shape_p)
