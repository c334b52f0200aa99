"""Where panels end: around the parts of a density, at the ends of its support, and out in its tails."""

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxinfo.densities import _density
from jaxinfo.distributions import Mixture, Normal, Transformed

# Toward the end of a support panels shrink by this factor, and in a tail they grow by it: a power of the distance is
# smooth on each, to the accuracy of the rule.
GROWTH = 4.0
# How many of those steps are looked at to tell what is left out.
_NUM_TAIL_POINTS = 12


class Line(NamedTuple):
    """A density of numbers as the panels see it.

    Args:
      centres: the means of its parts, `[J, *batch]`.
      widths: their deviations.
      low: the lower end of the support; None for minus infinity.
      high: the upper end; None for infinity.
      is_light: whether the tails fall like a normal's, known while tracing.
      is_open: whether an end that is given may stand for infinity, since only its value tells.
    """

    centres: jax.Array
    widths: jax.Array
    low: jax.Array | None
    high: jax.Array | None
    is_light: bool
    is_open: bool = False


def line_of(density: Any, batch: tuple[int, ...], dtype: Any) -> Line:
    """Returns the line of a density of numbers."""
    if not _density.is_located(density):
        centres, widths = _located(density.log_prob, dtype)
    else:
        centres, widths = _parts(density)
    support = _density.support_of(density)
    ends = [None if _is_infinite(end) else jnp.broadcast_to(jnp.asarray(end, dtype), batch) for end in support]
    finite = [None if end is None else jnp.where(jnp.isfinite(end), end, jnp.zeros_like(end)) for end in ends]
    centres, widths = repaired(spread(centres, batch), spread(widths, batch), *finite)
    line = Line(centres, widths, None, None, _is_light(density), isinstance(density, Transformed))
    if line.is_open:
        # Where an image ends, as one of a half line under a map of either sign may, at infinity: far out in the tail.
        ends = [
            None if end is None else jnp.where(jnp.isinf(end), far, end)
            for end, far in zip(ends, _cut(line, 1.0), strict=True)
        ]
    return line._replace(low=ends[0], high=ends[1])


def spread(part: jax.Array, batch: tuple[int, ...]) -> jax.Array:
    """Parts `[J, ...]` with the whole batch shape."""
    missing = (1,) * (len(batch) + 1 - part.ndim)
    return jnp.broadcast_to(part.reshape(part.shape[0], *missing, *part.shape[1:]), (part.shape[0], *batch))


def _parts(density: Any) -> tuple[jax.Array, jax.Array]:
    """Centres and widths of the parts of a density, `[J, *batch_shape]`: a mixture's components, or itself."""
    if isinstance(density, Mixture):
        return mixed(density, _parts)
    if isinstance(density, Transformed):
        centre, width = _parts(density.base)
        low, high = (density.bijector.forward(centre + sign * width) for sign in (-1, 1))
        return density.bijector.forward(centre), 0.5 * jnp.abs(high - low)
    centre, variance = (_density.moment(density, name) for name in ("mean", "variance"))
    width = jnp.sqrt(variance.astype(centre.dtype))
    # Heavy tails have no mean or no variance; their families say where they are by `loc` and `scale`.
    loc, scale = (jnp.asarray(getattr(density, name, jnp.nan), centre.dtype) for name in ("loc", "scale"))
    centre = jnp.where(jnp.isfinite(centre), centre, jnp.broadcast_to(loc, centre.shape))
    width = jnp.where(jnp.isfinite(width), width, jnp.broadcast_to(scale, width.shape))
    return centre[None], width[None]


def mixed(mixture: Mixture, parts_of: Callable[[Any], tuple[jax.Array, jax.Array]]) -> tuple[jax.Array, jax.Array]:
    """The parts of all components, each `[J, *batch_shape]`."""
    batch = mixture.batch_shape
    if isinstance(mixture.components, tuple | list):
        pairs = [[spread(part, batch) for part in parts_of(component)] for component in mixture.components]
        centres, widths = (jnp.concatenate(parts) for parts in zip(*pairs, strict=True))
        return centres, widths
    shape = (*batch, jnp.shape(mixture.weights)[-1])
    parts = [jnp.broadcast_to(part, (part.shape[0], *shape)) for part in parts_of(mixture.components)]
    centres, widths = (jnp.moveaxis(part, -1, 0).reshape(-1, *batch) for part in parts)
    return centres, widths


def repaired(
    centres: jax.Array, widths: jax.Array, low: jax.Array | None, high: jax.Array | None
) -> tuple[jax.Array, jax.Array]:
    """Parts of which nothing is known lie at a finite end of the support, or at 0, and have the width 1."""
    home = low if low is not None else high if high is not None else jnp.zeros_like(centres[0])
    centres = jnp.where(jnp.isfinite(centres), centres, jnp.broadcast_to(home, centres.shape))
    return centres, jnp.where(jnp.isfinite(widths), widths, jnp.ones_like(widths))


def _is_infinite(end: Any) -> bool:
    return isinstance(end, float) and math.isinf(end)


def _is_light(density: Any) -> bool:
    if isinstance(density, Mixture):
        several = isinstance(density.components, tuple | list)
        return all(map(_is_light, density.components if several else (density.components,)))
    return isinstance(density, Normal)


def _located(log_prob: Any, dtype: Any) -> tuple[jax.Array, jax.Array]:
    """Finds where a function of log-probabilities has its mass, by three grids, each around the top of the last.

    Only the greatest of several modes is found so; whether all mass is, the panels see for themselves.
    """
    centre, reach = jnp.zeros((), dtype), 30.0
    scale = jnp.ones((), dtype)
    for _ in range(3):
        # Distances from the centre grow from 1e-4 to 1e9 scales.
        steps = jnp.sinh(jnp.linspace(-reach, reach, 1025).astype(dtype)) * 1e-4
        x = centre + scale * steps
        log_probs = jnp.where(jnp.isfinite(log_prob(x)), log_prob(x), -jnp.inf)
        weights = jax.nn.softmax(log_probs + jnp.log(jnp.asarray(jnp.gradient(x))))
        centre = jnp.sum(weights * x)
        scale = jnp.sqrt(jnp.sum(weights * jnp.square(x - centre))) + 1e-4 * scale
        reach = 16.0
    return centre[None], scale[None]


def initial_edges(lines: list[Line], offsets: tuple[float, ...], reach: float) -> jax.Array:
    """Returns sorted panel edges `[E, *batch]`: every centre, and `offsets` scales from it on both its sides.

    The outermost are the ends of the support, or `reach` scales from some centre, or far out in a heavy tail. Each of
    the two stands twice, so that the first and the last panel are empty and their nodes show the integrand where it is
    cut off.
    """
    ends = [_cut(line, reach) for line in lines]
    lowest = functools.reduce(jnp.minimum, (low for low, _ in ends))
    highest = functools.reduce(jnp.maximum, (high for _, high in ends))
    edges = [end[None] for pair in ends for end in pair]
    nearest = functools.reduce(jnp.minimum, (reached(line, reach)[0] for line in lines))
    farthest = functools.reduce(jnp.maximum, (reached(line, reach)[1] for line in lines))
    signed = (*(-offset for offset in offsets), 0.0, *offsets)
    for line in lines:
        near = jnp.concatenate([line.centres + offset * line.widths for offset in signed])
        edges.append(_clip(near, nearest, farthest))
        edges += _growing(line, reach)
    joined = _clip(jnp.concatenate(edges), lowest, highest)
    return jnp.sort(jnp.concatenate([lowest[None], lowest[None], joined, highest[None], highest[None]]), axis=0)


def _clip(edges: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
    return jnp.clip(edges, jnp.broadcast_to(low, edges.shape), jnp.broadcast_to(high, edges.shape))


def reached(line: Line, reach: float) -> tuple[jax.Array, jax.Array]:
    """The two ends of what lies within `reach` scales of the centres."""
    low, high = line.centres - reach * line.widths, line.centres + reach * line.widths
    return jnp.min(low, axis=0), jnp.max(high, axis=0)


def _cut(line: Line, reach: float) -> tuple[jax.Array, jax.Array]:
    """Where the integral over a density ends."""
    low, high = reached(line, reach)
    if not line.is_light:
        far = jnp.max(line.widths, axis=0) * GROWTH ** _count(line)
        low, high = low - far, high + far
    return low if line.low is None else line.low, high if line.high is None else line.high


def _count(line: Line) -> int:
    """How often panels grow before the square of a distance may run out of range."""
    return 24 if line.centres.dtype == jnp.float32 else 40


def _growing(line: Line, reach: float) -> list[jax.Array]:
    """Edges of panels that shrink toward the finite ends of a support and grow in the tails."""
    if line.is_light and line.low is None and line.high is None:
        return []
    count, width = _count(line), jnp.max(line.widths, axis=0)
    near_low, near_high = reached(line, reach)

    def scales(first: int, last: int) -> jax.Array:
        return _stacked(width, [GROWTH**k for k in range(first, last)])

    edges = []
    for sign, end, tail in ((1, line.low, near_low), (-1, line.high, near_high)):
        if end is None or line.is_open:
            edges.append(tail[None] - sign * scales(0, count))
        if end is not None:
            edges.append(end[None] + sign * scales(-2 * count, 0))
    # A half line has its tail too, and its end may be far from the centre in scales.
    low, high = _cut(line, reach)
    if line.low is not None and line.high is None:
        edges.append(line.low[None] + scales(0, count))
    if line.high is not None and line.low is None:
        edges.append(line.high[None] - scales(0, count))
    return [_clip(part, low, high) for part in edges]


def tail_points(line: Line, reach: float) -> list[tuple[jax.Array, jax.Array]]:
    """Points at each end that panels approach by a factor, the outermost first, and their distances, `[M, *batch]`.

    Distances are from the end of the support, or from the middle.
    """
    places = []
    width, count = jnp.max(line.widths, axis=0), _count(line)
    for sign, end, tail in ((1, line.low, reached(line, reach)[0]), (-1, line.high, reached(line, reach)[1])):
        if end is not None:
            step = width * GROWTH ** (-2 * count)
            step = jnp.maximum(step, 16 * float(jnp.finfo(width.dtype).eps) * jnp.abs(end))
            distances = _stacked(step, [GROWTH**k for k in range(_NUM_TAIL_POINTS)])
            places.append((end[None] + sign * distances, distances))
        elif not line.is_light:
            distances = _stacked(width, [GROWTH ** (count - k) for k in range(_NUM_TAIL_POINTS)])
            places.append((tail[None] - sign * distances, distances))
    return places


def _stacked(number: jax.Array, factors: list[float]) -> jax.Array:
    column = jnp.asarray(factors, number.dtype).reshape(-1, *(1,) * number.ndim)
    return column * jnp.broadcast_to(number, (len(factors), *number.shape))
