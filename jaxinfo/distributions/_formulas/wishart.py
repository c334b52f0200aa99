"""Closed forms between Wishart distributions.

With `A = sqrt(nu_p / nu_q) L_q^-1 L_p`, the ratio of the means, the Kullback-Leibler divergence is
`nu_q / 2 (tr A A^T - D - log det A A^T)` plus the divergence between the degrees of freedom of the convex function
`log gamma_D(a) - D (a log a - a)` of `a = nu / 2`: two terms that are not negative, and keep the digits of close pairs.
"""

import math

import jax
import jax.numpy as jnp

from jaxinfo.distributions._arrays import exp_remainder, log_ratio
from jaxinfo.distributions._families.wishart import Wishart, half_excess
from jaxinfo.distributions._registry import register
from jaxinfo.distributions._special import multivariate_gamma
from jaxinfo.distributions._special.matrices import diagonal, solve_lower


@register("kl_divergence", Wishart, Wishart)
def _kl_divergence(df_p: jax.Array, tril_p: jax.Array, df_q: jax.Array, tril_q: jax.Array) -> jax.Array:
    size = tril_p.shape[-1]
    factor_p, factor_q = jnp.tril(tril_p), jnp.tril(tril_q)
    below = jnp.tril(solve_lower(factor_q, factor_p - factor_q), -1)
    log_scale = log_ratio(df_p, df_q)
    along = 2 * log_ratio(diagonal(factor_p), diagonal(factor_q)) + log_scale[..., None]
    spread = jnp.sum(exp_remainder(along), axis=-1) + df_p / df_q * jnp.sum(jnp.square(below), axis=(-2, -1))
    p, q = half_excess(df_p, size), half_excess(df_q, size)
    return 0.5 * df_q * spread + multivariate_gamma.excess_divergence(p, q, 0.5 * (df_q - df_p), size)


@register("cross_entropy", Wishart, Wishart)
def _cross_entropy(df_p: jax.Array, tril_p: jax.Array, df_q: jax.Array, tril_q: jax.Array) -> jax.Array:
    size = tril_p.shape[-1]
    factor_p, factor_q = jnp.tril(tril_p), jnp.tril(tril_q)
    squares = jnp.sum(jnp.square(solve_lower(factor_q, factor_p)), axis=(-2, -1))
    log_p, log_q = (jnp.sum(jnp.log(diagonal(factor)), axis=-1) for factor in (factor_p, factor_q))
    expected = multivariate_gamma.digamma(half_excess(df_p, size), size) + size * math.log(2) + 2 * log_p
    constant = 0.5 * df_q * size * math.log(2) + df_q * log_q
    constant = constant + multivariate_gamma.log_gamma(half_excess(df_q, size), size)
    return constant + 0.5 * df_p * squares - 0.5 * (df_q - size - 1) * expected
