"""Calibration of forecasts: how far confidence is from the share that is right, bin by bin."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import _checks, _numerics
from jaxinfo.objectives import _forecasts

Binning = Literal["equal_width", "equal_mass"]
Events = Literal["top_label", "classwise"]


class CalibrationBins(NamedTuple):
    """What a reliability diagram shows, `[num_bins]` each; for `classwise`, `[K, num_bins]`. NaN in an empty bin."""

    num_forecasts: jax.Array
    """How many forecasts lie in the bin."""
    confidence: jax.Array
    """Their mean."""
    frequency: jax.Array
    """The share of them that came about."""
    bin_index: jax.Array
    """The bin of each forecast, `[N]`, or `[N, K]` for `classwise`; -1 for one that is not kept."""


class CalibrationErrorTerms(NamedTuple):
    """The calibration error of bins and what it is made of; scalars, for `classwise` the mean over the classes."""

    error: jax.Array
    """Mean distance of confidence and frequency: `overconfidence + underconfidence`."""
    overconfidence: jax.Array
    """The part of bins in which confidence is above frequency."""
    underconfidence: jax.Array
    """The part of bins in which it is below. Over- less underconfidence is mean confidence less mean frequency."""
    largest: jax.Array
    """The distance in the worst bin (for `classwise` of the worst class)."""
    squared: jax.Array
    """Mean squared distance: the reliability part of the Brier score of one event."""
    debiased_squared: jax.Array
    """That less what the sampling of frequencies adds to it; it may be negative, and 0 is within its noise."""


def _option(name: str, argument: str, value: Any, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"{name}: {argument} must be one of {', '.join(map(repr, known))}, got {value!r}")


def _bin_index(confidence: jax.Array, kept: jax.Array, num_bins: int, binning: Binning) -> jax.Array:
    """The bin of each forecast `[N]`, -1 for one that is not kept. It has no derivative."""
    held = jax.lax.stop_gradient(confidence)
    if binning == "equal_width":
        edges = jnp.arange(1, num_bins, dtype=held.dtype) / num_bins
        index = jnp.searchsorted(edges, held, side="left")
    else:
        # Those that are equal share a bin, that of the middle one, so that their order does not matter.
        ordered = jnp.sort(jnp.where(kept, held, jnp.inf))
        twice_rank = jnp.searchsorted(ordered, held, side="left") + jnp.searchsorted(ordered, held, side="right")
        # The bin is twice_rank * num_bins // twice_count, by its edges, as that product may not fit into an integer.
        twice_count = 2 * jnp.sum(kept, dtype=twice_rank.dtype)
        whole, rest = twice_count // num_bins, twice_count % num_bins
        steps = jnp.arange(1, num_bins, dtype=twice_rank.dtype)
        index = jnp.searchsorted(whole * steps - (-rest * steps) // num_bins, twice_rank, side="right")
    return jnp.where(kept, index, -1)


def _bins(
    confidence: jax.Array, hits: jax.Array, kept: jax.Array, num_bins: int, binning: Binning
) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
    """Of one event: counts, sums of confidence, sums of hits, and the bin of each forecast."""
    index = _bin_index(confidence, kept, num_bins, binning)
    at = jnp.where(kept, index, num_bins)  # beyond the last: dropped
    sums = jax.ops.segment_sum(jnp.stack([confidence, hits], axis=-1), at, num_bins)
    return jax.ops.segment_sum(kept.astype(jnp.int32), at, num_bins), sums[:, 0], sums[:, 1], index


def _events(
    name: str, labels: ArrayLike, q: ArrayLike, num_bins: Any, binning: Any, events: Any, where: ArrayLike | None
) -> tuple[Any, jax.Array, jnp.dtype]:
    """The bins of each event, `[num_bins]` or `[K, num_bins]`, the mask and the dtype of the result."""
    if isinstance(num_bins, bool) or not isinstance(num_bins, int) or num_bins < 1:
        raise ValueError(f"{name}: num_bins must be a positive integer, got {num_bins!r}")
    _option(name, "binning", binning, ("equal_width", "equal_mass"))
    _option(name, "events", events, ("top_label", "classwise"))
    if jnp.ndim(q) != 2:
        raise ValueError(f"{name}: q must be a table [N, K], a forecast for each example, got shape {jnp.shape(q)}")
    mask = _checks.mask(name, where, jnp.shape(q)[:1])
    outcomes, forecasts, _, dtype = _forecasts.tables(name, labels, q, -1, mask)
    kept = jnp.ones(forecasts.shape[:1], jnp.bool_) if mask is None else mask
    if events == "classwise":
        one = jax.vmap(_bins, in_axes=(1, 1, None, None, None), out_axes=(0, 0, 0, 1))
        return one(forecasts, outcomes, kept, num_bins, binning), kept, dtype
    top = jnp.argmax(forecasts, axis=1, keepdims=True)
    confidence, hits = (jnp.take_along_axis(table, top, axis=1)[:, 0] for table in (forecasts, outcomes))
    return _bins(confidence, hits, kept, num_bins, binning), kept, dtype


@_checks.measure("num_bins", "binning", "events")
def calibration_bins(
    labels: ArrayLike,
    q: ArrayLike,
    *,
    num_bins: int = 15,
    binning: Binning = "equal_width",
    events: Events = "top_label",
    where: ArrayLike | None = None,
) -> CalibrationBins:
    r"""Reliability diagram: forecasts in bins, with mean confidence and observed frequency of each bin.

    Args:
        labels: Integers `[N]`, or a table of probabilities `[N, K]`.
        q: Forecasts, probabilities `[N, K]`.
        num_bins: The number of bins, static.
        binning: "equal_width": the bins are $(i/B, (i+1)/B]$, and 0 is in the first; "equal_mass": each holds the same
            number of forecasts, but for forecasts that are equal, which are kept together.
        events: What is binned: "top_label", the probability of the most probable class, which is right or wrong; or
            "classwise", for each class its probability.
        where: Forecasts to keep.

    Returns:
        `CalibrationBins(num_forecasts, confidence, frequency, bin_index)`; the indices are groups for
        `brier_score_decomposition`.

    Raises:
        TypeError: If `q` is not real, labels for each forecast are not integers, or `where` not boolean.
        ValueError: If shapes do not fit, or an option is unknown.

    **Domain**: confidence and frequency are NaN in an empty bin.

    **Gradient**: of the confidence `1 / count` in the forecasts of the bin; what bin a forecast is in and what class is
    its most probable are held fixed.

    Reference: M. H. DeGroot and S. E. Fienberg, "The Comparison and Evaluation of Forecasters", The Statistician 32,
        1983.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import objectives
        >>> q = jnp.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [0.3, 0.7]])
        >>> bins = objectives.calibration_bins(jnp.array([0, 0, 0, 1]), q, num_bins=2, binning="equal_mass")
        >>> print(bins.num_forecasts, bins.confidence.round(2), bins.frequency)
        [2 2] [0.65 0.85] [0.5 1. ]
    """
    (count, confidence, hits, index), _, dtype = _events(
        "calibration_bins", labels, q, num_bins, binning, events, where
    )
    held = jnp.where(count == 0, jnp.nan, count.astype(confidence.dtype))
    confidence, frequency = (x / held for x in (confidence, hits))
    return CalibrationBins(count, confidence.astype(dtype), frequency.astype(dtype), index)


@_checks.measure("num_bins", "binning", "events")
def expected_calibration_error_terms(
    labels: ArrayLike,
    q: ArrayLike,
    *,
    num_bins: int = 15,
    binning: Binning = "equal_width",
    events: Events = "top_label",
    where: ArrayLike | None = None,
) -> CalibrationErrorTerms:
    r"""Calibration error and its parts: over- and underconfidence, the worst bin, and squared errors with their bias.

    With shares w, confidence c and frequency f of bins: $\sum_b w_b |c_b - f_b|$, its parts $\sum_b w_b (c_b - f_b)_+$
    and $\sum_b w_b (f_b - c_b)_+$, $\max_b |c_b - f_b|$, $\sum_b w_b (c_b - f_b)^2$, and that less $\sum_b w_b f_b (1 -
    f_b) / (n_b - 1)$.

    Args:
        labels: Integers `[N]`, or a table of probabilities `[N, K]`.
        q: Forecasts, probabilities `[N, K]`.
        num_bins: The number of bins, static.
        binning: "equal_width" or "equal_mass"; see `calibration_bins`.
        events: "top_label" or "classwise"; see `calibration_bins`.
        where: Forecasts to keep.

    Returns:
        `CalibrationErrorTerms(error, overconfidence, underconfidence, largest, squared, debiased_squared)`, scalars.

    Raises:
        TypeError: If `q` is not real, labels for each forecast are not integers, or `where` not boolean.
        ValueError: If shapes do not fit, or an option is unknown.

    **Domain**: all but the last are at least 0, and are so by chance also for a calibrated model: the error of N
    forecasts in B bins is of the order of the square root of B / N. Bins of one forecast are left out of the bias. NaN
    where nothing is kept.

    **Gradient**: in `q`, with bins and most probable classes held fixed; 0 where confidence and frequency agree.

    Reference: A. Kumar, P. Liang and T. Ma, "Verified Uncertainty Calibration", NeurIPS, 2019;
    C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On Calibration of Modern Neural Networks", ICML, 2017.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import objectives
        >>> q = jnp.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [0.3, 0.7]])
        >>> terms = objectives.expected_calibration_error_terms(jnp.array([0, 0, 0, 1]), q, num_bins=5)
        >>> print(f"{terms.error:.2f} = {terms.overconfidence:.2f} + {terms.underconfidence:.2f}; {terms.largest:.2f}")
        0.30 = 0.15 + 0.15; 0.60
    """
    name = "expected_calibration_error_terms"
    (count, confidence, hits, _), _, dtype = _events(name, labels, q, num_bins, binning, events, where)
    return CalibrationErrorTerms(*(part.astype(dtype) for part in _error_terms(count, confidence, hits)))


def _error_terms(count: jax.Array, confidence: jax.Array, hits: jax.Array) -> CalibrationErrorTerms:
    """From the sums of bins, whose axis is the last."""
    count = count.astype(confidence.dtype)
    share = count / jnp.sum(count, axis=-1, keepdims=True)
    gap, frequency = _numerics.quotient(confidence - hits, count), _numerics.quotient(hits, count)
    several = count > 1
    noise = jnp.where(several, frequency * (1 - frequency) / jnp.where(several, count - 1, 1), 0)
    over, under = (jnp.sum(share * jax.nn.relu(x), axis=-1) for x in (gap, -gap))
    squared, bias = jnp.sum(share * jnp.square(gap), axis=-1), jnp.sum(share * noise, axis=-1)
    largest = jnp.max(jnp.abs(gap) + 0 * share)  # NaN where nothing is kept
    over, under, squared, bias = (jnp.mean(x) for x in (over, under, squared, bias))
    return CalibrationErrorTerms(over + under, over, under, largest, squared, squared - bias)


@_checks.measure("num_bins", "binning", "events")
def expected_calibration_error(
    labels: ArrayLike,
    q: ArrayLike,
    *,
    num_bins: int = 15,
    binning: Binning = "equal_width",
    events: Events = "top_label",
    where: ArrayLike | None = None,
) -> jax.Array:
    r"""Expected calibration error, the mean distance of confidence and frequency in bins, $\sum_b w_b |c_b - f_b|$.

    Args:
        labels: Integers `[N]`, or a table of probabilities `[N, K]`.
        q: Forecasts, probabilities `[N, K]`.
        num_bins: The number of bins, static.
        binning: "equal_width" or "equal_mass"; see `calibration_bins`.
        events: "top_label", which others call the confidence; or "classwise", the mean over classes. See
            `calibration_bins`.
        where: Forecasts to keep.

    Returns:
        A scalar between 0 and 1; batches through `vmap`.

    Raises:
        TypeError: If `q` is not real, labels for each forecast are not integers, or `where` not boolean.
        ValueError: If shapes do not fit, or an option is unknown.

    **Domain**: above 0 by chance also for a calibrated model; `expected_calibration_error_terms` has a square without
    that bias. NaN where nothing is kept.

    **Gradient**: in `q`, with bins and most probable classes held fixed: a bin's share over its count, with the sign of
    its error; 0 where confidence and frequency agree.

    Reference: M. P. Naeini, G. F. Cooper and M. Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian
        Binning", AAAI, 2015;
    C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On Calibration of Modern Neural Networks", ICML, 2017;
    M. Kull et al., "Beyond temperature scaling", NeurIPS, 2019 (classwise).

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import objectives
        >>> q = jnp.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [0.3, 0.7]])
        >>> print(f"{objectives.expected_calibration_error(jnp.array([0, 0, 0, 1]), q, num_bins=5):.3f}")
        0.300
    """
    name = "expected_calibration_error"
    (count, confidence, hits, _), _, dtype = _events(name, labels, q, num_bins, binning, events, where)
    return _error_terms(count, confidence, hits).error.astype(dtype)
