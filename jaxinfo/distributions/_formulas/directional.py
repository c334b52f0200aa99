"""Closed forms between von Mises distributions, and between von Mises-Fisher distributions.

With `f` the logarithm of the normalising constant, convex, the Kullback-Leibler divergence is the divergence
`f(kappa_q) - f(kappa_p) - f'(kappa_p) (kappa_q - kappa_p)` plus `kappa_q f'(kappa_p) (1 - cos)` with the angle between
the mean directions: two terms that are not negative.
"""

import math

import jax
import jax.numpy as jnp

from jaxinfo.distributions._families.von_mises import VonMises
from jaxinfo.distributions._families.von_mises_fisher import VonMisesFisher, order_of
from jaxinfo.distributions._registry import register
from jaxinfo.distributions._special.bessel import (
    bessel_divergence,
    bessel_ratio,
    bessel_ratio_complement,
    log_bessel_scaled,
    log_sphere_area,
)


def _divergence(order: float, depth: jax.Array, p: jax.Array, q: jax.Array) -> jax.Array:
    """By the concentrations and one less the cosine of the angle."""
    return bessel_divergence(order, p, q) + q * bessel_ratio(order, p) * depth


def _cross_entropy_beyond_uniform(order: float, depth: jax.Array, p: jax.Array, q: jax.Array) -> jax.Array:
    expected = bessel_ratio_complement(order, p) + bessel_ratio(order, p) * depth
    return log_bessel_scaled(order, q) + q * expected


def _depth_on_circle(loc_p: jax.Array, loc_q: jax.Array) -> jax.Array:
    return 2 * jnp.square(jnp.sin(0.5 * (loc_p - loc_q)))


def _depth_on_sphere(mean_p: jax.Array, mean_q: jax.Array) -> jax.Array:
    return 0.5 * jnp.sum(jnp.square(mean_p - mean_q), axis=-1)


@register("kl_divergence", VonMises, VonMises)
def _kl_circle(loc_p: jax.Array, p: jax.Array, loc_q: jax.Array, q: jax.Array) -> jax.Array:
    return _divergence(0.0, _depth_on_circle(loc_p, loc_q), p, q)


@register("cross_entropy", VonMises, VonMises)
def _cross_entropy_circle(loc_p: jax.Array, p: jax.Array, loc_q: jax.Array, q: jax.Array) -> jax.Array:
    return math.log(2 * math.pi) + _cross_entropy_beyond_uniform(0.0, _depth_on_circle(loc_p, loc_q), p, q)


@register("kl_divergence", VonMisesFisher, VonMisesFisher)
def _kl_sphere(mean_p: jax.Array, p: jax.Array, mean_q: jax.Array, q: jax.Array) -> jax.Array:
    return _divergence(order_of(mean_p), _depth_on_sphere(mean_p, mean_q), p, q)


@register("cross_entropy", VonMisesFisher, VonMisesFisher)
def _cross_entropy_sphere(mean_p: jax.Array, p: jax.Array, mean_q: jax.Array, q: jax.Array) -> jax.Array:
    beyond = _cross_entropy_beyond_uniform(order_of(mean_p), _depth_on_sphere(mean_p, mean_q), p, q)
    return log_sphere_area(mean_p.shape[-1]) + beyond
