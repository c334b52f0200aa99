"""Quadrature on the real line, on panels that follow the densities, with a bound on its own error."""

import dataclasses
import functools
import itertools
import math
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo.densities import _density, _edges, _panels, _tails
from jaxinfo.densities._estimate import Estimate
from jaxinfo.densities._exact_sum import error_of_finished
from jaxinfo.densities._terms import Term


@jax.tree_util.register_static
@dataclasses.dataclass(frozen=True)
class Quadrature:
    """Numerical integration of densities of one or two dimensions by Gauss-Kronrod panels that follow them.

    Panels end at every centre of every component of both arguments and at `offsets` multiples of its scale on both its
    sides: a component a thousand times narrower than its neighbour, or a narrow `q` under a wide `p`, has its own
    panels, and further out they widen in proportion to the distance. Toward a finite end of a support they shrink, and
    in tails that are not a normal's they grow, by a constant factor, which amounts to a logarithmic change of
    variables. Then the `num_splits` panels of largest error are halved, `num_rounds` times, which resolves what no
    scale announces, such as the kink of a mixture's log-density half way between far components. The nodes follow the
    parameters but are held fixed in derivatives, since the integral does not depend on them.

    In two dimensions the panels of both axes form a product, without the halving. Where the mass of a bare function of
    log-probabilities is, is found on grids; if its integral is not 1, the estimate has not `converged`.

    `stderr` of the estimate bounds the error by the sum of three parts: discretisation (each panel's 15-point Kronrod
    sum against the 7-point Gauss sum inside it, by QUADPACK's rule), truncation of the tails (beyond the outermost
    panels the integral is taken to fall, from panel to panel, as it does there), and rounding. Where it does not fall,
    or where normal tails make a parabola that opens upward, the integral is infinite, and so is the value.

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


@jax.tree_util.register_static
@dataclasses.dataclass(frozen=True)
class PanelSum(Quadrature):
    """The sum over the panels as it is, for descents: from where the integral has no end it shows the way out."""


def integrate(term: Term, densities: tuple[Any, ...], batch: tuple[int, ...], method: Quadrature) -> Estimate:
    """Returns the integral of a term over the real line, or wherever one of the densities may have mass."""
    dtype = jnp.result_type(float, *(jnp.asarray(leaf) for leaf in jax.tree.leaves(densities)))
    lines = [_edges.line_of(density, batch, dtype) for density in jax.lax.stop_gradient(densities)]

    def integrand(x: jax.Array) -> tuple[jax.Array, ...]:
        log_probs = [jnp.broadcast_to(density.log_prob(x), x.shape) for density in densities]
        return *term.integrand(*log_probs), *(jnp.exp(log) for log in log_probs)

    edges = _edges.initial_edges(lines, method.offsets, method.reach)

    def errors(values: jax.Array, probs: list[jax.Array], half: jax.Array) -> jax.Array:
        if term.is_smooth:
            return _panels.panel_errors(values, half)
        return _panels.kinked_errors(values, probs[0] > probs[1], half)

    def errors_at(nodes: jax.Array, half: jax.Array) -> jax.Array:
        values, _, *probs = jax.lax.stop_gradient(integrand(nodes))
        return errors(_panels.in_panels(values, half), probs, half)

    left, right = _panels.refine(errors_at, edges[:-1], edges[1:], method.num_rounds, method.num_splits)
    nodes, half = _panels.place_nodes(*jax.lax.stop_gradient((left, right)))
    raw, noise, *probs = integrand(nodes)
    values, noise, *probs = (_panels.in_panels(part, half) for part in (raw, noise, *probs))
    sums = half * _panels.weighted_sum(_panels.KRONROD, values)
    total = jnp.sum(sums, axis=0)
    left_out = jnp.zeros_like(total)
    if not isinstance(method, PanelSum):
        left_out, infinite = _tails.beyond(*jax.lax.stop_gradient((term, densities)), lines, method.reach, total)
        total = jnp.where(infinite, jnp.inf, total)
    parts = {
        "discretization_error": jnp.sum(errors(values, probs, half), axis=0),
        "truncation_error": left_out,
        "rounding_error": jnp.sum(rounding(values, noise, nodes, half), axis=0) + unresolved(lines),
    }
    masses = [jnp.sum(half * _panels.weighted_sum(_panels.KRONROD, prob), axis=0) for prob in probs]
    unseen = [mass for mass, density in zip(masses, densities, strict=True) if not _density.is_located(density)]
    return summarise(term, total, parts, unseen, method.tolerance)


def summarise(
    term: Term, total: jax.Array, parts: dict[str, jax.Array], masses: list[jax.Array], tolerance: float | None
) -> Estimate:
    """Returns the estimate of a measure, given its integral, the parts of the bound, and masses that must be 1."""
    total_error = functools.reduce(jnp.add, parts.values())
    value, infinite = term.finish(total), jnp.isinf(total)
    root = math.sqrt(float(jnp.finfo(value.dtype).eps))
    stderr = jnp.where(infinite, jnp.inf, error_of_finished(term, total, total_error))
    converged = stderr <= (root if tolerance is None else tolerance) * (1 + jnp.abs(value))
    for mass in masses:
        # Of a bare function nobody knows where it is large: what was missed shows in its integral.
        converged &= jnp.abs(mass - 1) <= root
    parts = {name: error_of_finished(term, total, part) for name, part in parts.items()}
    parts = {name: jnp.where(infinite, jnp.full_like(part, jnp.inf), part) for name, part in parts.items()}
    stderr, diagnostics = jax.lax.stop_gradient((stderr, {"converged": converged, **parts}))
    return Estimate(value, stderr, diagnostics, "quadrature")


def unresolved(lines: list[_edges.Line]) -> jax.Array:
    """Infinite where floats lie further apart than a quarter of a scale, so that nodes near a centre coincide."""

    def gap(line: _edges.Line) -> jax.Array:
        epsilon = float(jnp.finfo(line.widths.dtype).eps)
        return jnp.any(epsilon * jnp.abs(line.centres) > 0.25 * line.widths, axis=0)

    return jnp.where(functools.reduce(jnp.logical_or, map(gap, lines)), jnp.inf, 0.0)


def rounding(values: jax.Array, noise: jax.Array, nodes: jax.Array, half: jax.Array) -> jax.Array:
    """Bounds the rounding of the integrand, of the sum, and of the nodes (half an ulp of x, times the slope)."""
    epsilon = float(jnp.finfo(values.dtype).eps)
    of_values = half * _panels.weighted_sum(_panels.KRONROD, noise + 4 * epsilon * jnp.abs(values))
    variation = jnp.sum(jnp.abs(jnp.diff(values, axis=0)), axis=0)
    return of_values + epsilon * jnp.max(jnp.abs(nodes), axis=0) * variation
