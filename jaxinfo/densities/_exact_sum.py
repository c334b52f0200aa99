"""Sums over integers: all of a finite support, or a window where the mass is and a bound on the rest."""

import dataclasses
import functools
import math
import operator
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo.densities._density import moment, support_of
from jaxinfo.densities._estimate import Estimate
from jaxinfo.densities._terms import Term


@jax.tree_util.register_static
@dataclasses.dataclass(frozen=True)
class ExactSum:
    r"""Summation over the integers of discrete distributions.

    A support of at most `num_terms` integers is summed as a whole. Of a larger one, a window of that many integers
    around the mean of each argument is summed, and what lies outside is bounded: beyond each end of a window the terms
    are taken to fall, from block to block of twice the length, at least as fast as they do inside it, and the geometric
    series that results is doubled. Terms that do not fall give an infinite bound.

    `stderr` of the estimate is that bound plus one on rounding, in which the distance of the summed probabilities from
    one counts too. The window follows the parameters but is held fixed in derivatives.

    Args:
      num_terms: how many integers a window holds.
      tolerance: `converged` means `stderr <= tolerance * (1 + |value|)`; None is the root of the dtype's epsilon.

    Raises:
      ValueError: if an option is out of range.

    Reference: K. Knopp, "Theory and Application of Infinite Series", Blackie 1928, section 14 (ratio comparison).

    >>> from jaxinfo import densities
    >>> densities.ExactSum(num_terms=256)
    ExactSum(num_terms=256, tolerance=None)
    """

    num_terms: int = 4096
    tolerance: float | None = None

    def __post_init__(self) -> None:
        """Checks the options, which are static."""
        if not isinstance(self.num_terms, int) or isinstance(self.num_terms, bool) or self.num_terms < 16:
            raise ValueError(f"ExactSum: num_terms must be an integer of at least 16, got {self.num_terms!r}")
        if self.tolerance is not None and not 0 < self.tolerance < math.inf:
            raise ValueError(f"ExactSum: tolerance must be a positive number, got {self.tolerance!r}")


def add_up(term: Term, densities: tuple[Any, ...], batch: tuple[int, ...], method: ExactSum) -> Estimate:
    """Returns the sum of a term over the integers where a density has mass."""
    dtype = jnp.result_type(*(jnp.asarray(leaf) for leaf in jax.tree.leaves(densities)))
    bounds = _bounds(densities, batch, dtype)
    count = min(method.num_terms, _known_size(densities))
    starts = [_start(density, count, *bounds) for density in jax.lax.stop_gradient(densities)]
    starts = starts[:1] if count < method.num_terms else starts
    value = noise = truncation = jnp.zeros(batch, dtype)
    masses = [jnp.zeros(batch, dtype) for _ in densities]
    for index, start in enumerate(starts):
        x = start[None] + jnp.arange(count, dtype=dtype).reshape(-1, *(1,) * len(batch))
        log_probs = [jnp.broadcast_to(density.log_prob(x), x.shape) for density in densities]
        parts = term.integrand(*log_probs)
        # An integer counts once, in the first window that holds it.
        inside, earlier = x <= bounds[1][None], [s[None] for s in starts[:index]]
        new = functools.reduce(jnp.logical_and, ((x < s) | (x >= s + count) for s in earlier), inside)
        terms, errors, *probs = (_kept(new, part) for part in (*parts, *map(jnp.exp, log_probs)))
        value, noise = value + jnp.sum(terms, axis=0), noise + jnp.sum(errors, axis=0)
        masses = [mass + jnp.sum(prob, axis=0) for mass, prob in zip(masses, probs, strict=True)]
        sizes = jnp.abs(jax.lax.stop_gradient(_kept(inside, parts[0])))
        truncation = truncation + _beyond(sizes, start, starts[:index] + starts[index + 1 :], bounds)
    return _estimate(term, value, noise, truncation, masses, method)


def _estimate(
    term: Term, total: jax.Array, noise: jax.Array, truncation: jax.Array, masses: list[jax.Array], method: ExactSum
) -> Estimate:
    epsilon = float(jnp.finfo(total.dtype).eps)
    missing = functools.reduce(jnp.maximum, (jnp.abs(1 - mass) for mass in masses))
    rounding = noise + (8 * epsilon + missing) * jnp.abs(total)
    value = term.finish(total)
    stderr = error_of_finished(term, total, rounding + truncation)
    tolerance = math.sqrt(epsilon) if method.tolerance is None else method.tolerance
    diagnostics = {
        "converged": stderr <= tolerance * (1 + jnp.abs(value)),
        "truncation_error": error_of_finished(term, total, truncation),
        "rounding_error": error_of_finished(term, total, rounding),
    }
    stderr, diagnostics = jax.lax.stop_gradient((stderr, diagnostics))
    return Estimate(value, stderr, diagnostics, "exact_sum")


def _kept(where: jax.Array, values: jax.Array) -> jax.Array:
    return jnp.where(where, values, jnp.zeros_like(values))


def error_of_finished(term: Term, integral: jax.Array, error: jax.Array) -> jax.Array:
    """How far `finish` of an integral may be off, given how far the integral may be: to the farther of both ends."""
    if type(term).finish is Term.finish:
        return error
    value = term.finish(integral)
    ends = (jnp.abs(term.finish(integral + sign * error) - value) for sign in (1, -1))
    return functools.reduce(jnp.maximum, ends)


def _bounds(densities: tuple[Any, ...], batch: tuple[int, ...], dtype: Any) -> tuple[jax.Array, jax.Array]:
    """The least and the greatest integer where a density has mass."""
    supports = [support_of(density) for density in densities]
    lows, highs = (
        [jnp.broadcast_to(jnp.asarray(b, dtype), batch) for b in bound] for bound in zip(*supports, strict=True)
    )
    return functools.reduce(jnp.minimum, lows), functools.reduce(jnp.maximum, highs)


def _known_size(densities: tuple[Any, ...]) -> int:
    """How many integers the supports hold together, as far as it is known while tracing."""
    supports = [support_of(density) for density in densities]
    try:
        low, high = min(operator.index(s.low) for s in supports), max(operator.index(s.high) for s in supports)  # pyright: ignore[reportArgumentType]
    except TypeError:
        # A float, perhaps an infinite one, or an array.
        return 2**62
    return high - low + 1


def _start(density: Any, count: int, low: jax.Array, high: jax.Array) -> jax.Array:
    """Where the window of a density begins: its mean is in the middle, or the window ends at an end of the support."""
    mean = jnp.broadcast_to(moment(density, "mean").astype(low.dtype), low.shape)
    mean = jnp.where(jnp.isfinite(mean), mean, jnp.where(jnp.isfinite(low), low, jnp.zeros_like(low)))
    first = jnp.minimum(jnp.round(mean) - count // 2, high - (count - 1))
    return jnp.maximum(first, low)


def _beyond(
    terms: jax.Array, start: jax.Array, others: list[jax.Array], bounds: tuple[jax.Array, jax.Array]
) -> jax.Array:
    """Bounds the sum of what lies beyond both ends of a window, but for what the other windows hold."""
    count = terms.shape[0]
    above, below = start + count, start - 1
    total = jnp.zeros_like(start)
    for inward, next_one, past in ((terms[::-1], above, above > bounds[1]), (terms, below, below < bounds[0])):
        covered = functools.reduce(jnp.logical_or, ((next_one >= s) & (next_one < s + count) for s in others), past)
        total = total + jnp.where(covered, jnp.zeros_like(start), _tail(inward))
    return total


def _tail(inward: jax.Array) -> jax.Array:
    """Bounds the sum beyond the first of the terms, which are numbered inward from there to the far end.

    Blocks of twice the length each have a constant ratio if terms fall like a power, and a falling one if they fall
    faster. Distances count from the middle of the window, or from its far end, where a half infinite support begins.
    """
    half, quarter, eighth = (inward.shape[0] // k for k in (2, 4, 8))
    sums = lambda first, second: (jnp.sum(inward[:first], axis=0), jnp.sum(inward[first:second], axis=0))  # noqa: E731
    return 2 * jnp.minimum(_geometric(*sums(quarter, quarter + eighth)), _geometric(*sums(half, half + quarter)))


def _geometric(term: jax.Array, before: jax.Array) -> jax.Array:
    """`term r / (1 - r)` with the ratio `r = term / before`; infinite where terms do not fall, 0 where they are 0."""
    falls = term < before
    ratio = jnp.where(falls, term, jnp.zeros_like(term)) / jnp.where(falls, before, jnp.ones_like(before))
    bound = jnp.where(falls, term * ratio / (1 - ratio), jnp.full_like(term, jnp.inf))
    return jnp.where(term == 0, jnp.zeros_like(term), bound)
