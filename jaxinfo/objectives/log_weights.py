"""Bounds on a marginal likelihood, given importance weights: functions of `log p(x, z_k) - log q(z_k|x)`.

For weights that come in parts, from annealed chains or from models that draw in a way of their own;
`jaxinfo.objectives.importance_weighted_bound` and its kin draw and differentiate themselves.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import _checks
from jaxinfo.objectives import _power_means


def _prepared(
    name: str, log_weights: ArrayLike, axis: int, where: ArrayLike | None
) -> tuple[jax.Array, jax.Array, jnp.dtype]:
    """The log-weights with the draws in front, which of them count, and their dtype."""
    values, dtype = _power_means.accumulated(name, log_weights, axis)
    mask = _checks.mask(name, where, jnp.shape(log_weights))
    kept = jnp.ones(values.shape, bool) if mask is None else jnp.moveaxis(mask, axis, 0)
    return jnp.where(kept, values, jnp.zeros_like(values)), kept, dtype


def _power_mean(
    name: str, log_weights: ArrayLike, power: Callable[[jax.Array], jax.Array], order: Any, axis: int, where: Any
) -> jax.Array:
    """The logarithm of a power mean; the order, of which the power is a function, broadcasts with the batch."""
    values, kept, dtype = _prepared(name, log_weights, axis, where)
    number = _checks.floating(name, "order", order).astype(values.dtype)
    try:
        batch = jnp.broadcast_shapes(number.shape, values.shape[1:])
    except ValueError as error:
        raise ValueError(
            f"{name}: order of shape {number.shape} does not broadcast with the batch shape {values.shape[1:]}"
        ) from error
    values, kept = (_wide(table, batch) for table in (values, kept))
    return _power_means.log_power_mean(values, jnp.broadcast_to(power(number), batch), kept).astype(dtype)


def _wide(table: jax.Array, batch: tuple[int, ...]) -> jax.Array:
    missing = len(batch) + 1 - table.ndim
    return jnp.broadcast_to(table.reshape(len(table), *(1,) * missing, *table.shape[1:]), (len(table), *batch))


@_checks.measure("axis")
def importance_weighted_bound_from_log_weights(
    log_weights: ArrayLike, *, axis: int = 0, where: ArrayLike | None = None
) -> jax.Array:
    r"""Importance-weighted bound log((1/K) Σₖ wₖ), given log-weights.

    Args:
      log_weights: `log p(x, z_k) - log q(z_k|x)`, `[K, ...]`.
      axis: the axis of the draws.
      where: which draws count.

    Returns:
      An array over the other axes. Half precision is summed in float32.

    Raises:
      TypeError: if `log_weights` is not real, `where` not boolean or `axis` no integer.
      ValueError: if shapes or `axis` do not fit.

    **Domain**: weights of 0 (`-inf`) count as draws; all of them give `-inf`, and no draw at all NaN.

    **Gradient**: the weights' shares, which sum to one; 0 where all weights are.

    Reference: Y. Burda, R. Grosse and R. Salakhutdinov, "Importance Weighted Autoencoders", ICLR, 2016.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import objectives
        >>> print(objectives.importance_weighted_bound_from_log_weights(jnp.log(jnp.array([1.0, 3.0]))).round(4))
        0.6931
    """
    values, kept, dtype = _prepared("importance_weighted_bound_from_log_weights", log_weights, axis, where)
    return _power_means.log_mean_exp(values, kept).astype(dtype)


@functools.partial(jax.jit, static_argnames="axis", inline=True)
def _renyi_bound(log_weights: ArrayLike, order: ArrayLike, *, axis: int, where: ArrayLike | None) -> jax.Array:
    return _power_mean("renyi_bound_from_log_weights", log_weights, lambda a: 1 - a, order, axis, where)


def renyi_bound_from_log_weights(
    log_weights: ArrayLike, order: ArrayLike, *, axis: int = 0, where: ArrayLike | None = None
) -> jax.Array:
    r"""Rényi bound (1/(1 − a)) log((1/K) Σₖ wₖ¹⁻ᵃ), given log-weights.

    Args:
      log_weights: `log p(x, z_k) - log q(z_k|x)`, `[K, ...]`.
      order: a, any number, of a shape that broadcasts with the batch: 1 is the mean of the log-weights, 0 the
        importance-weighted bound, `-inf` the greatest and `inf` the least log-weight.
      axis: the axis of the draws.
      where: which draws count.

    Returns:
      An array over the other axes. Half precision is summed in float32.

    Raises:
      TypeError: if `log_weights` is not real, `where` not boolean or `axis` no integer.
      ValueError: if shapes or `axis` do not fit.

    **Domain**: weights of 0 (`-inf`) count as draws, and give `-inf` from order 1 on.

    **Gradient**: shares of the weights to the power 1 − a, and 0 where the bound is `-inf`; smooth in the order, also
    at 1.

    Reference: Y. Li and R. E. Turner, "Rényi Divergence Variational Inference", NeurIPS, 2016.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import objectives
        >>> orders = jnp.array([0.0, 0.5, 1.0, 2.0])
        >>> bounds = objectives.renyi_bound_from_log_weights(jnp.log(jnp.array([1.0, 4.0])), orders)
        >>> print(*(f"{bound:.3f}" for bound in bounds))
        0.916 0.811 0.693 0.470
    """
    return _renyi_bound(log_weights, order, axis=axis, where=where)


@functools.partial(jax.jit, static_argnames="axis", inline=True)
def _chi_upper_bound(log_weights: ArrayLike, order: ArrayLike, *, axis: int, where: ArrayLike | None) -> jax.Array:
    def power(n: jax.Array) -> jax.Array:
        return jnp.where(n >= 1, n, jnp.full_like(n, jnp.nan))

    return _power_mean("chi_upper_bound_from_log_weights", log_weights, power, order, axis, where)


def chi_upper_bound_from_log_weights(
    log_weights: ArrayLike, order: ArrayLike = 2.0, *, axis: int = 0, where: ArrayLike | None = None
) -> jax.Array:
    r"""Chi upper bound (1/n) log((1/K) Σₖ wₖⁿ), given log-weights.

    Args:
      log_weights: `log p(x, z_k) - log q(z_k|x)`, `[K, ...]`.
      order: n, at least 1, of a shape that broadcasts with the batch.
      axis: the axis of the draws.
      where: which draws count.

    Returns:
      An array over the other axes. Half precision is summed in float32.

    Raises:
      TypeError: if `log_weights` is not real, `where` not boolean or `axis` no integer.
      ValueError: if shapes, `axis` or `order` do not fit.

    **Domain**: a traced order below 1 gives NaN. The mean is an upper bound as K grows: with few draws it is too low,
    as the rare large weights that make it are missing.

    **Gradient**: shares of the weights to the power n.

    Reference: A. B. Dieng et al., "Variational Inference via chi Upper Bound Minimization", NeurIPS, 2017.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import objectives
        >>> print(objectives.chi_upper_bound_from_log_weights(jnp.log(jnp.array([1.0, 7.0]))).round(4))
        1.6094
    """
    check_chi_order("chi_upper_bound_from_log_weights", order)
    return _chi_upper_bound(log_weights, order, axis=axis, where=where)


def check_chi_order(name: str, order: object) -> None:
    """An order that is known while tracing is at least 1."""
    if isinstance(order, int | float) and not order >= 1:
        raise ValueError(f"{name}: order must be at least 1, got {order!r}")


@_checks.measure("axis", "upper")
def thermodynamic_bound_from_log_weights(
    log_weights: ArrayLike,
    inverse_temperatures: ArrayLike,
    *,
    upper: bool = False,
    axis: int = 0,
    where: ArrayLike | None = None,
) -> jax.Array:
    r"""Thermodynamic bound Σₜ (bₜ₊₁ − bₜ) E_b[log w], given log-weights, with shares proportional to wᵇ.

    Args:
      log_weights: `log p(x, z_k) - log q(z_k|x)`, `[K, ...]`.
      inverse_temperatures: `[T + 1]`, ascending from 0 to 1.
      upper: whether the means are those at the upper ends of the steps, and not at the lower ones.
      axis: the axis of the draws.
      where: which draws count.

    Returns:
      An array over the other axes: at most `importance_weighted_bound_from_log_weights`, and with `upper` at least
      that. Half precision is summed in float32.

    Raises:
      TypeError: if an array is not real, `where` not boolean or `axis` no integer.
      ValueError: if shapes or `axis` do not fit.

    **Domain**: weights of 0 (`-inf`) give `-inf` as the lower bound, and as the upper one if all are 0.

    **Gradient**: in the log-weights and in the inverse temperatures, to any order. Steps whose mean is `-inf` have none
    in the log-weights.

    Reference: V. Masrani, T. A. Le and F. Wood, "The Thermodynamic Variational Objective", NeurIPS, 2019.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import objectives
        >>> steps, log_weights = jnp.array([0.0, 0.5, 1.0]), jnp.log(jnp.array([1.0, 4.0]))
        >>> print(
        ...     *(objectives.thermodynamic_bound_from_log_weights(log_weights, steps, upper=u).round(3) for u in (0, 1))
        ... )
        0.809 1.017
    """
    name = "thermodynamic_bound_from_log_weights"
    values, kept, dtype = _prepared(name, log_weights, axis, where)
    steps = inverse_temperatures_of(name, inverse_temperatures).astype(values.dtype)
    return _power_means.thermodynamic_sum(values, steps, upper, kept).astype(dtype)


def inverse_temperatures_of(name: str, inverse_temperatures: ArrayLike) -> jax.Array:
    """Inverse temperatures as an array of both ends at least."""
    steps = _checks.floating(name, "inverse_temperatures", inverse_temperatures)
    if steps.ndim != 1 or len(steps) < 2:
        raise ValueError(
            f"{name}: inverse_temperatures must be a vector of at least two, from 0 to 1, got shape {steps.shape}"
        )
    return steps
