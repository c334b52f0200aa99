"""What the mean score of grouped forecasts is made of: uncertainty, resolution and reliability."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import _checks, _numerics, discrete
from jaxinfo.objectives import _forecasts, _kept_examples


class ScoreDecomposition(NamedTuple):
    """A mean score and its parts: `score = uncertainty - resolution + reliability + spread`; scalars."""

    score: jax.Array
    """The mean score of the forecasts."""
    uncertainty: jax.Array
    """The entropy of the mean outcome: the score of a forecaster who knows that alone."""
    resolution: jax.Array
    """How far the outcomes of groups are from the mean outcome, at least 0: what knowing the group is worth."""
    reliability: jax.Array
    """How far the mean forecasts of groups are from their outcomes, at least 0: what being miscalibrated costs."""
    spread: jax.Array
    """What forecasts that differ from the mean forecast of their group add; 0 where those of a group are equal."""


class _Rule(NamedTuple):
    """A scoring rule on rows of tables: entropy, divergence, score, and `score(y, q) - score(y, other)`."""

    entropy: Callable[[jax.Array], jax.Array]
    divergence: Callable[[jax.Array, jax.Array], jax.Array]
    score: Callable[[jax.Array, jax.Array], jax.Array]
    gap: Callable[[jax.Array, jax.Array, jax.Array], jax.Array]


def _log_gap(y: jax.Array, q: jax.Array, other: jax.Array) -> jax.Array:
    """`sum y log(other / q)`."""
    one, never = jnp.ones_like(q), y == 0
    there = jnp.where(never, one, other)
    ratio = _numerics.log_ratio(there, jnp.where(never, one, q), jnp.where(never, 0 * one, other - q))
    return jnp.sum(y * ratio, axis=-1)


_LOG = _Rule(discrete.entropy, discrete.kl_divergence, discrete.cross_entropy, _log_gap)
_BRIER = _Rule(
    lambda p: jnp.sum(p * (1 - p), axis=-1),
    lambda p, q: jnp.sum(jnp.square(p - q), axis=-1),
    lambda y, q: jnp.sum(y * (1 - y) + jnp.square(y - q), axis=-1),
    lambda y, q, other: jnp.sum((q - other) * (q + other - 2 * y), axis=-1),
)


def _decompose(
    rule: _Rule,
    name: str,
    labels: ArrayLike,
    q: ArrayLike,
    groups: ArrayLike,
    num_groups: int,
    where: ArrayLike | None,
    weights: ArrayLike | None,
    unit: float,
) -> ScoreDecomposition:
    y, forecast, index, share, dtype = _prepare(name, labels, q, groups, num_groups, where, weights)
    mean = jnp.sum(share[:, None] * y, axis=0)
    mass, outcomes, forecasts = _means_of_groups(y, forecast, index, share, num_groups, mean)
    resolution = jnp.sum(mass * rule.divergence(outcomes, jnp.broadcast_to(mean, outcomes.shape)))
    reliability = jnp.sum(_shared(mass, rule.divergence(outcomes, forecasts)))
    score = jnp.sum(_shared(share, rule.score(y, forecast)))
    spread = jnp.sum(_shared(share, rule.gap(y, forecast, forecasts[index])))
    parts = (score, rule.entropy(mean), resolution, reliability, spread)
    return ScoreDecomposition(*(_numerics.in_units(part, unit).astype(dtype) for part in parts))


def _shared(share: jax.Array, value: jax.Array) -> jax.Array:
    """`share * value`, 0 where there is no share."""
    none = share == 0
    return share * jnp.where(none, jnp.zeros_like(value), value)


def _means_of_groups(
    y: jax.Array, q: jax.Array, index: jax.Array, share: jax.Array, count: int, mean: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """The share of each group, its mean outcome and its mean forecast; both are the mean outcome where it is empty."""
    mass = jax.ops.segment_sum(share, index, count)
    none = mass[:, None] == 0
    tables = (jax.ops.segment_sum(share[:, None] * x, index, count) for x in (y, q))
    outcomes, forecasts = (
        jnp.where(none, mean, table / jnp.where(none, jnp.ones_like(mass[:, None]), mass[:, None])) for table in tables
    )
    return mass, outcomes, forecasts


def _prepare(
    name: str, labels: ArrayLike, q: ArrayLike, groups: ArrayLike, num_groups: Any, where: Any, weights: Any
) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array, jnp.dtype]:
    """Outcomes and forecasts `[N, K]`, the group of each, its share of the weight, and the dtype of the result."""
    if isinstance(num_groups, bool) or not isinstance(num_groups, int) or num_groups < 1:
        raise ValueError(f"{name}: num_groups must be a positive integer, got {num_groups!r}")
    shape, index = jnp.shape(q)[:1], jnp.asarray(groups)
    if jnp.ndim(q) != 2:
        raise ValueError(f"{name}: q must be a table [N, K], a forecast for each example, got shape {jnp.shape(q)}")
    if not jnp.issubdtype(index.dtype, jnp.integer):
        raise TypeError(f"{name}: groups must be integers, got dtype {index.dtype}")
    if index.shape != shape:
        raise ValueError(f"{name}: groups must have shape {shape}, one for each forecast, got {index.shape}")
    mask, factors = _kept_examples.kept(name, where, weights, shape, jnp.result_type(float))
    inside = (index >= 0) & (index < num_groups)
    mask = inside if mask is None else mask & inside
    y, forecast, _, dtype = _forecasts.tables(name, labels, q, -1, mask)
    factors = None if factors is None else factors.astype(forecast.dtype)
    each = _kept_examples.weighted(jnp.ones(shape, forecast.dtype), mask, factors)
    return y, forecast, jnp.where(inside, index, 0), each / jnp.sum(each), dtype


@_checks.measure("num_groups", "base")
def log_score_decomposition(
    labels: ArrayLike,
    q: ArrayLike,
    groups: ArrayLike,
    *,
    num_groups: int,
    where: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    base: float | None = None,
) -> ScoreDecomposition:
    r"""Mean logarithmic score as uncertainty less resolution plus reliability: $H(Y) - I(Y; G) + D(Y|G \| q_G)$.

    With g for groups of forecasts, w for their shares, and bars for means:

    .. math:: -\overline{\log q_y} = H(\bar y) - \sum_g w_g D(\bar y_g \| \bar y) + \sum_g w_g D(\bar y_g \| \bar q_g)
        + \mathrm{spread}

    The resolution is the mutual information of outcome and group. For groups of equal forecasts the spread is 0, and
    the rest is Murphy's decomposition; for bins it is what binning hides.

    Args:
        labels: Integers `[N]`, or a table of probabilities `[N, K]`.
        q: Forecasts, probabilities `[N, K]`.
        groups: Integers `[N]`, the group of each forecast; forecasts of groups outside `[0, num_groups)` are dropped.
        num_groups: The number of groups, static; a group may be empty.
        where: Forecasts to keep.
        weights: Weights of the forecasts; one of weight 0 is dropped.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        `ScoreDecomposition(score, uncertainty, resolution, reliability, spread)`, scalars; batches through `vmap`.

    Raises:
        TypeError: If `q` is not real, groups or labels for each forecast are not integers, or `where` not boolean.
        ValueError: If shapes, `num_groups` or `base` do not fit.

    **Domain**: score and spread are `inf` where a forecast gave no chance to what came about, the reliability where all
    of a group did; NaN where nothing is kept.

    **Gradient**: in `q`, along the simplex, that of the score, of which reliability and spread have their shares;
    groups are held fixed.

    Reference: S. V. Weijs, R. van Nooijen and N. van de Giesen, "Kullback-Leibler Divergence as a Forecast Skill Score
        with Classic Reliability-Resolution-Uncertainty Decomposition", Monthly Weather Review 138, 2010;
    J. Bröcker, "Reliability, sufficiency, and the decomposition of proper scores", Quarterly Journal of the Royal
        Meteorological Society 135, 2009.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import objectives
        >>> q = jnp.array([[0.5, 0.5], [0.5, 0.5], [0.25, 0.75], [0.25, 0.75]])
        >>> parts = objectives.log_score_decomposition(
        ...     jnp.array([0, 1, 1, 1]), q, jnp.array([0, 0, 1, 1]), num_groups=2, base=2
        ... )
        >>> print(f"{parts.score:.3f} = {parts.uncertainty:.3f} - {parts.resolution:.3f} + {parts.reliability:.3f}")
        0.708 = 0.811 - 0.311 + 0.208
    """
    name = "log_score_decomposition"
    unit = _checks.unit(name, base)
    return _decompose(_LOG, name, labels, q, groups, num_groups, where, weights, unit)


@_checks.measure("num_groups")
def brier_score_decomposition(
    labels: ArrayLike,
    q: ArrayLike,
    groups: ArrayLike,
    *,
    num_groups: int,
    where: ArrayLike | None = None,
    weights: ArrayLike | None = None,
) -> ScoreDecomposition:
    r"""Mean Brier score as uncertainty less resolution plus reliability, Murphy's decomposition.

    With g for groups of forecasts, w for their shares, and bars for means, over all classes:

    .. math:: \overline{|q - y|^2} = \sum_k \bar y_k (1 - \bar y_k) - \sum_g w_g |\bar y_g - \bar y|^2 + \sum_g w_g
        |\bar y_g - \bar q_g|^2 + \mathrm{spread}

    For groups of equal forecasts the spread is 0; for bins it is the variance of forecasts within them less twice their
    covariance with the outcomes.

    Args:
        labels: Integers `[N]`, or a table of probabilities `[N, K]`.
        q: Forecasts, probabilities `[N, K]`.
        groups: Integers `[N]`, the group of each forecast; forecasts of groups outside `[0, num_groups)` are dropped.
        num_groups: The number of groups, static; a group may be empty.
        where: Forecasts to keep.
        weights: Weights of the forecasts; one of weight 0 is dropped.

    Returns:
        `ScoreDecomposition(score, uncertainty, resolution, reliability, spread)`, scalars; batches through `vmap`.

    Raises:
        TypeError: If `q` is not real, groups or labels for each forecast are not integers, or `where` not boolean.
        ValueError: If shapes or `num_groups` do not fit.

    **Domain**: finite; NaN where nothing is kept.

    **Gradient**: in `q`, along the simplex, that of the score, of which reliability and spread have their shares;
    groups are held fixed.

    Reference: A. H. Murphy, "A New Vector Partition of the Probability Score", Journal of Applied Meteorology 12, 1973;
    D. B. Stephenson, C. A. S. Coelho and I. T. Jolliffe, "Two Extra Components in the Brier Score Decomposition",
        Weather and Forecasting 23, 2008.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import objectives
        >>> q = jnp.array([[0.5, 0.5], [0.5, 0.5], [0.25, 0.75], [0.25, 0.75]])
        >>> parts = objectives.brier_score_decomposition(
        ...     jnp.array([0, 1, 1, 1]), q, jnp.array([0, 0, 1, 1]), num_groups=2
        ... )
        >>> print(f"{parts.score:.4f} = {parts.uncertainty:.4f} - {parts.resolution:.4f} + {parts.reliability:.4f}")
        0.3125 = 0.3750 - 0.1250 + 0.0625
    """
    name = "brier_score_decomposition"
    return _decompose(_BRIER, name, labels, q, groups, num_groups, where, weights, 1.0)
