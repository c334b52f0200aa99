"""The registry of closed forms, and the verbs that look into it."""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo._checks import unit
from jaxinfo._numerics import in_units
from jaxinfo.distributions._arrays import broadcast_floats, common_dtype, exp_remainder, log_ratio
from jaxinfo.distributions._normal import Normal

_Formula = Callable[..., jax.Array]
# A measure and the types of its arguments name the formula, in nats.
_FORMULAS: dict[tuple[str | type, ...], _Formula] = {}


def _register(measure: str, *types: type) -> Callable[[_Formula], _Formula]:
    def add(formula: _Formula) -> _Formula:
        _FORMULAS[measure, *types] = jax.jit(formula)
        return formula

    return add


def closed_form(measure: str, *distributions: Any) -> _Formula | None:
    """Returns the formula of `measure` between these distributions' types, or None where there is none."""
    return _FORMULAS.get((measure, *map(type, distributions)))


def entropy(p: Any, *, base: float | None = None) -> jax.Array:
    r"""Returns the differential entropy of `p` by its closed form.

    .. math:: h(p) = -\int p(x) \log p(x) \, dx

    Args:
      p: a distribution of this module.
      base: the logarithm's base; None is nats, 2 is bits.

    Returns:
      An array of shape `p.batch_shape`.

    Raises:
      TypeError: if no closed form is known for `p` (`jaxinfo.densities.entropy` integrates).
      ValueError: if `base` is not positive or is 1.

    **Domain** positive scales; `-inf` at scale 0, NaN below.

    **Gradient** smooth in the parameters: for a normal, 0 in `loc` and `1 / scale` in `scale`.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, example 8.1.2.

    >>> from jaxinfo import distributions
    >>> round(float(distributions.entropy(distributions.Normal(0.0, 1.0))), 4)
    1.4189
    """
    return _apply("entropy", base, p)


def cross_entropy(p: Any, q: Any, *, base: float | None = None) -> jax.Array:
    r"""Returns the cross-entropy of `q` relative to `p` by its closed form.

    .. math:: h(p, q) = -\int p(x) \log q(x) \, dx

    Args:
      p: a distribution of this module.
      q: another, of broadcasting batch shape.
      base: the logarithm's base; None is nats, 2 is bits.

    Returns:
      An array of the broadcast batch shape.

    Raises:
      TypeError: if no closed form is known for the pair (`jaxinfo.densities.cross_entropy` integrates).
      ValueError: if `base` is not positive or is 1, or if the batch shapes do not broadcast.

    **Domain** positive scales; `+inf` where `q` is a point mass and `p` is not on it.

    **Gradient** smooth in the parameters of both.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, section 8.5.

    >>> from jaxinfo import distributions
    >>> p, q = distributions.Normal(0.0, 1.0), distributions.Normal(1.0, 2.0)
    >>> round(float(distributions.cross_entropy(p, q)), 4)
    1.8621
    """
    return _apply("cross_entropy", base, p, q)


def kl_divergence(p: Any, q: Any, *, base: float | None = None) -> jax.Array:
    r"""Returns KL(p‖q) by its closed form, without cancellation where `p` is close to `q`.

    .. math:: D(p \| q) = \int p(x) \log \frac{p(x)}{q(x)} \, dx

    Args:
      p: a distribution of this module.
      q: another, of broadcasting batch shape.
      base: the logarithm's base; None is nats, 2 is bits.

    Returns:
      An array of the broadcast batch shape, never negative and exactly 0 for equal parameters.

    Raises:
      TypeError: if no closed form is known for the pair (`jaxinfo.densities.kl_divergence` integrates).
      ValueError: if `base` is not positive or is 1, or if the batch shapes do not broadcast.

    **Domain** positive scales; `+inf` where one of the two is a point mass, NaN where both are or a scale is negative.

    **Gradient** smooth in the parameters of both, 0 where they are equal.

    Reference: S. Kullback, "Information Theory and Statistics", Wiley 1959, chapter 9.

    >>> from jaxinfo import distributions
    >>> p, q = distributions.Normal(0.0, 1.0), distributions.Normal(1.0, 2.0)
    >>> round(float(distributions.kl_divergence(p, q)), 4)
    0.4431
    """
    return _apply("kl_divergence", base, p, q)


def _apply(measure: str, base: float | None, *distributions: Any) -> jax.Array:
    formula = closed_form(measure, *distributions)
    if formula is None:
        names = ", ".join(type(distribution).__name__ for distribution in distributions)
        raise TypeError(
            f"distributions.{measure}: no closed form is known for ({names}); use jaxinfo.densities.{measure}"
        )
    divisor = unit(f"distributions.{measure}", base)
    shapes = [distribution.batch_shape for distribution in distributions]
    try:
        jnp.broadcast_shapes(*shapes)
    except ValueError as error:
        raise ValueError(f"distributions.{measure}: batch shapes {shapes} do not broadcast") from error
    return in_units(formula(*distributions), divisor)


def _inside(value: jax.Array, *scales: jax.Array) -> jax.Array:
    """Returns `value`, NaN where a scale is negative: squares and ratios of scales hide the sign."""
    inside = jnp.all(jnp.stack(scales) >= 0, axis=0)
    return jnp.where(inside, value, jnp.full_like(value, jnp.nan))


@_register("entropy", Normal)
def _entropy_normal(p: Normal) -> jax.Array:
    return p.entropy()


@_register("kl_divergence", Normal, Normal)
def _kl_normal_normal(p: Normal, q: Normal) -> jax.Array:
    # With r = log(sigma_p / sigma_q): (e^(2r) - 1 - 2r + ((mu_p - mu_q) / sigma_q)^2) / 2, two terms that are >= 0.
    loc_p, scale_p, loc_q, scale_q = broadcast_floats(p.loc, p.scale, q.loc, q.scale)
    spread = exp_remainder(2 * log_ratio(scale_p, scale_q))
    value = _inside(0.5 * (spread + jnp.square((loc_p - loc_q) / scale_q)), scale_p, scale_q)
    return value.astype(common_dtype(p.loc, p.scale, q.loc, q.scale))


@_register("cross_entropy", Normal, Normal)
def _cross_entropy_normal_normal(p: Normal, q: Normal) -> jax.Array:
    loc_p, scale_p, loc_q, scale_q = broadcast_floats(p.loc, p.scale, q.loc, q.scale)
    squares = jnp.square(scale_p / scale_q) + jnp.square((loc_p - loc_q) / scale_q)
    value = _inside(0.5 * (math.log(2 * math.pi) + squares) + jnp.log(scale_q), scale_p, scale_q)
    return value.astype(common_dtype(p.loc, p.scale, q.loc, q.scale))
