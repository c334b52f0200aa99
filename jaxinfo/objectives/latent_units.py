"""Which dimensions of a latent variable a model uses."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import _checks
from jaxinfo.objectives._latent_draws import in_32_bits


def unit_activity(posterior_means: ArrayLike, *, axis: int = 0, weights: ArrayLike | None = None) -> jax.Array:
    r"""Activity of each latent dimension, the variance over examples of its posterior mean, Varₙ E[z|xₙ].

    Args:
      posterior_means: the posteriors' means, `[N, ..., D]`.
      axis: the axis of the examples.
      weights: `[N]`, the examples' shares, which sum to one; uniform for None.

    Returns:
      An array over the other axes.

    Raises:
      TypeError: if an argument is not real.
      ValueError: if `axis` or `weights` do not fit.

    **Domain**: finite means, but for examples without weight; 0 for a dimension whose posterior does not know of the
    example.

    **Gradient**: smooth.

    Reference: Y. Burda, R. Grosse and R. Salakhutdinov, "Importance Weighted Autoencoders", ICLR, 2016, section 5.2.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import objectives
        >>> print(objectives.unit_activity(jnp.array([[1.0, 0.0], [-1.0, 0.0]])))
        [1. 0.]
    """
    name = "unit_activity"
    means = _checks.floating(name, "posterior_means", posterior_means)
    (examples,) = _checks.axes(name, axis, means.ndim)
    rows = jnp.moveaxis(in_32_bits(means), examples, 0)
    shares = jnp.full(len(rows), 1 / max(len(rows), 1), rows.dtype)
    if weights is not None:
        shares = _checks.floating(name, "weights", weights).astype(rows.dtype)
    if shares.shape != rows.shape[:1]:
        raise ValueError(f"{name}: weights must have shape {rows.shape[:1]}, one for each example, got {shares.shape}")
    # What has no share adds nothing, though it may not be finite.
    absent = (shares == 0).reshape(-1, *(1,) * (rows.ndim - 1)) & ~jnp.isfinite(rows)
    rows = jnp.where(absent, jnp.zeros_like(rows), rows)
    centred = rows - jnp.tensordot(shares, rows, axes=1)[None]
    return jnp.tensordot(shares, jnp.square(centred), axes=1).astype(means.dtype)


def active_units(
    posterior_means: ArrayLike, *, threshold: float = 0.01, axis: int = 0, weights: ArrayLike | None = None
) -> jax.Array:
    r"""Which latent dimensions are active: those whose posterior mean varies over examples, Varₙ E[z|xₙ] > threshold.

    Args:
      posterior_means: the posteriors' means, `[N, ..., D]`.
      threshold: the least variance, in the squared units of z; the usual one is for a prior of variance 1.
      axis: the axis of the examples.
      weights: as in `unit_activity`.

    Returns:
      A boolean array over the other axes; its sum is their number.

    Raises:
      TypeError: if an argument is not real.
      ValueError: if `axis` or `weights` do not fit.

    **Domain**: finite means; NaN is not active.

    **Gradient**: none, it is a truth value; `unit_activity` has one.

    Reference: Y. Burda, R. Grosse and R. Salakhutdinov, "Importance Weighted Autoencoders", ICLR, 2016, section 5.2.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import objectives
        >>> print(objectives.active_units(jnp.array([[1.0, 0.0], [-1.0, 0.1]])))
        [ True False]
    """
    return unit_activity(posterior_means, axis=axis, weights=weights) > threshold
