"""Quadrature on the plane: for every node along the first axis, an integral along the second."""

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo.densities import _density, _edges, _panels
from jaxinfo.densities._estimate import Estimate
from jaxinfo.densities._quadrature import Quadrature, rounding, summarise, unresolved
from jaxinfo.densities._terms import Term
from jaxinfo.distributions import Mixture
from jaxinfo.distributions._supports import Interval


def integrate_plane(term: Term, densities: tuple[Any, ...], batch: tuple[int, ...], method: Quadrature) -> Estimate:
    """Returns the integral of a term of densities of two numbers, by the product of two rules, neither refined."""
    dtype = jnp.result_type(float, *(jnp.asarray(leaf) for leaf in jax.tree.leaves(densities)))
    seen = [density for density in jax.lax.stop_gradient(densities) if not _density.is_bare(density)]
    lines = [[_line_along(axis, density, batch, dtype) for density in seen] for axis in (0, 1)]
    edges = [_edges.initial_edges(along, method.offsets, method.reach) for along in lines]
    (nodes_x, half_x), (nodes_y, half_y) = (
        _panels.place_nodes(*jax.lax.stop_gradient((along[:-1], along[1:]))) for along in edges
    )
    widths = [functools.reduce(jnp.maximum, (jnp.max(line.widths, axis=0) for line in along)) for along in lines]

    @jax.checkpoint
    def along_y(x: jax.Array) -> tuple[jax.Array, ...]:
        points = jnp.stack([jnp.broadcast_to(x, nodes_y.shape), nodes_y], axis=-1)
        log_probs = [jnp.broadcast_to(density.log_prob(points), nodes_y.shape) for density in densities]
        raw, noise = term.integrand(*log_probs)
        values, noise = (_panels.in_panels(part, half_y) for part in (raw, noise))
        ends = jnp.abs(raw[0, 0]) + jnp.abs(raw[0, -1])
        return (
            jnp.sum(half_y * _panels.weighted_sum(_panels.KRONROD, values), axis=0),
            jnp.sum(_panels.panel_errors(values, half_y), axis=0),
            jnp.sum(rounding(values, noise, nodes_y, half_y), axis=0),
            ends * widths[1],
        )

    rows = jax.lax.map(along_y, nodes_x.reshape(-1, *batch))
    raw, *errors = (row.reshape(nodes_x.shape) for row in rows)
    values, *errors = (_panels.in_panels(part, half_x) for part in (raw, *errors))
    over_x = lambda part: jnp.sum(half_x * _panels.weighted_sum(_panels.KRONROD, part), axis=0)  # noqa: E731
    discretization, noise, ends = map(over_x, errors)
    outer = jnp.sum(rounding(values, jnp.zeros_like(values), nodes_x, half_x), axis=0)
    parts = {
        "discretization_error": discretization + jnp.sum(_panels.panel_errors(values, half_x), axis=0),
        "truncation_error": ends + (jnp.abs(raw[0, 0]) + jnp.abs(raw[0, -1])) * widths[0],
        "rounding_error": noise + outer + unresolved([line for along in lines for line in along]),
    }
    return summarise(term, over_x(values), parts, [], method.tolerance)


def _line_along(axis: int, density: Any, batch: tuple[int, ...], dtype: Any) -> _edges.Line:
    """The line of one coordinate."""
    if isinstance(density, _density.Independents):
        return _edges.line_of((density.p_x, density.p_y)[axis], batch, dtype)
    centres, widths = (_edges.spread(part, batch) for part in _parts_along(axis, density))
    ends = [_end_along(axis, end, batch, dtype) for end in _support_of_vectors(density)]
    centres, widths = _edges.repaired(centres, widths, ends[0], ends[1])
    return _edges.Line(centres, widths, ends[0], ends[1], True)


def _support_of_vectors(density: Any) -> Interval:
    support = getattr(density, "support", None)
    return support if isinstance(support, Interval) else Interval(-math.inf, math.inf)


def _end_along(axis: int, end: Any, batch: tuple[int, ...], dtype: Any) -> jax.Array | None:
    """An end of the interval that each coordinate lies in; None for infinity."""
    if isinstance(end, float) and math.isinf(end):
        return None
    end = jnp.asarray(end, dtype)
    return jnp.broadcast_to(end if end.ndim == 0 else end[..., axis], batch)


def _parts_along(axis: int, density: Any) -> tuple[jax.Array, jax.Array]:
    """Centres and widths of the parts of a density along one axis, `[J, *batch_shape]`."""
    if isinstance(density, Mixture):
        return _edges.mixed(density, functools.partial(_parts_along, axis))
    mean, variance = (_density.moment(density, name)[..., axis] for name in ("mean", "variance"))
    return mean[None], jnp.sqrt(variance)[None]
