"""Quadrature on the real line, on panels that follow the densities, with a bound on its own error."""

import dataclasses
import functools
import itertools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo.densities import _panels
from jaxinfo.densities._estimate import Estimate


@jax.tree_util.register_static
@dataclasses.dataclass(frozen=True)
class Quadrature:
    """Numerical integration of one-dimensional densities by Gauss-Kronrod panels that follow them.

    Panels end at every centre of every component of both arguments and at `offsets` multiples of its scale on both its
    sides: a component a thousand times narrower than its neighbour, or a narrow `q` under a wide `p`, has its own
    panels, and further out they widen in proportion to the distance. Then the `num_splits` panels of largest error
    are halved, `num_rounds` times, which resolves what no scale announces, such as the kink of a mixture's log-density
    half way between far components. The nodes follow the parameters but are held fixed in derivatives, since the
    integral does not depend on them.

    `stderr` of the estimate bounds the error by the sum of three parts: discretisation (each panel's 15-point Kronrod
    sum against the 7-point Gauss sum inside it, by QUADPACK's rule), truncation of the tails, and rounding.

    Args:
      offsets: where panels end, in scales from each centre, ascending.
      reach: how many scales beyond the outermost centres the integral is cut off; a normal tail beyond 9 holds 1e-19.
      num_rounds: how many times the worst panels are halved.
      num_splits: how many panels are halved each time.
      tolerance: `converged` means `stderr <= tolerance * (1 + |value|)`; None is the root of the dtype's epsilon.

    Raises:
      ValueError: if an option is out of range.

    Reference: R. Piessens et al., "QUADPACK", Springer 1983, chapter 2.

    >>> import jax.numpy as jnp
    >>> from jaxinfo import densities
    >>> from jaxinfo.distributions import Mixture, Normal
    >>> p = Mixture(jnp.array([0.5, 0.5]), Normal(jnp.array([-3.0, 3.0]), 1.0))
    >>> estimate = densities.kl_divergence(p, Normal(0.0, 10.0**0.5), method=densities.Quadrature(num_rounds=4))
    >>> round(float(estimate.value), 4), bool(estimate.diagnostics["converged"])
    (0.462, True)
    """

    offsets: tuple[float, ...] = (1.5, 3.0, 4.5, 6.0, 9.0, 27.0, 81.0, 243.0, 729.0, 2187.0)
    reach: float = 9.0
    num_rounds: int = 8
    num_splits: int = 8
    tolerance: float | None = None

    def __post_init__(self) -> None:
        """Checks the options, which are static: no leaf of a pytree is among them."""
        ascending = all(low < high for low, high in itertools.pairwise((0.0, *self.offsets)))
        if not isinstance(self.offsets, tuple) or not self.offsets or not ascending:
            raise ValueError(f"Quadrature: offsets must be a tuple of ascending positive numbers, got {self.offsets!r}")
        for name, least in (("num_rounds", 0), ("num_splits", 1)):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise ValueError(f"Quadrature: {name} must be an integer of at least {least}, got {value!r}")
        for name in ("reach", "tolerance"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise ValueError(f"Quadrature: {name} must be a positive number, got {value!r}")


# Nodes to the values of the integrand there and bounds on their rounding.
Integrand = Callable[[jax.Array], tuple[jax.Array, jax.Array]]


def integrate(integrand: Integrand, densities: tuple[Any, ...], method: Quadrature) -> Estimate:
    """Returns the integral over the real line, or the densities' common support, of a function that follows them."""
    support = (
        max(density.support[0] for density in densities),
        min(density.support[1] for density in densities),
    )
    fixed = jax.lax.stop_gradient(densities)
    parts = [_panels.landmarks(density) for density in fixed]
    edges = _panels.initial_edges(parts, method.offsets, method.reach, support)
    left, right = _panels.refine(
        lambda x: jax.lax.stop_gradient(integrand(x)[0]), edges[:-1], edges[1:], method.num_rounds, method.num_splits
    )
    left, right = jax.lax.stop_gradient((left, right))
    nodes, half = _panels.place_nodes(left, right)
    values, noise = integrand(nodes)
    value = jnp.sum(half * _panels.weighted_sum(_panels.KRONROD, values), axis=0)
    discretization = jnp.sum(_panels.panel_errors(values, half), axis=0)
    truncation = _truncation(values, edges, parts, support)
    rounding = _rounding(values, noise, nodes, half) + _unresolved(parts)
    stderr = discretization + truncation + rounding
    tolerance = math.sqrt(float(jnp.finfo(value.dtype).eps)) if method.tolerance is None else method.tolerance
    diagnostics = {
        "converged": stderr <= tolerance * (1 + jnp.abs(value)),
        "discretization_error": discretization,
        "truncation_error": truncation,
        "rounding_error": rounding,
    }
    stderr, diagnostics = jax.lax.stop_gradient((stderr, diagnostics))
    return Estimate(value, stderr, diagnostics, "quadrature")


def _truncation(
    values: jax.Array, edges: jax.Array, parts: list[_panels.Parts], support: tuple[float, float]
) -> jax.Array:
    """Bounds what lies beyond the outermost edges: there the integrand falls by e or more within the widest scale."""
    ends = jnp.abs(jnp.stack([values[0, 0], values[0, edges.shape[0] - 2]]))
    inside = jnp.stack([edges[0] > support[0], edges[-1] < support[1]])
    width = functools.reduce(jnp.maximum, jnp.broadcast_arrays(*(jnp.max(widths, axis=0) for _, widths in parts)))
    return jnp.sum(jnp.where(inside, ends, jnp.zeros_like(ends)), axis=0) * width


def _unresolved(parts: list[_panels.Parts]) -> jax.Array:
    """Infinite where floats lie further apart than a quarter of a scale, so that nodes near a centre coincide."""

    def gap(centres: jax.Array, widths: jax.Array) -> jax.Array:
        return jnp.any(float(jnp.finfo(widths.dtype).eps) * jnp.abs(centres) > 0.25 * widths, axis=0)

    lost = functools.reduce(jnp.logical_or, jnp.broadcast_arrays(*(gap(*part) for part in parts)))
    return jnp.where(lost, jnp.inf, 0.0)


def _rounding(values: jax.Array, noise: jax.Array, nodes: jax.Array, half: jax.Array) -> jax.Array:
    """Bounds the rounding of the integrand, of the sum, and of the nodes (half an ulp of x, times the slope)."""
    epsilon = float(jnp.finfo(values.dtype).eps)
    of_values = half * _panels.weighted_sum(_panels.KRONROD, noise + 4 * epsilon * jnp.abs(values))
    variation = jnp.sum(jnp.abs(jnp.diff(values, axis=0)), axis=0)
    of_nodes = epsilon * jnp.max(jnp.abs(nodes), axis=0) * variation
    return jnp.sum(of_values + of_nodes, axis=0)
