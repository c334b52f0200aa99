"""The distinct optima among the ends of many descents, and what each of them is."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from jaxinfo import densities
from jaxinfo.densities import Estimate, MonteCarlo
from jaxinfo.distributions._registry import closed_form
from jaxinfo.projections import _methods
from jaxinfo.projections._divergences import Divergence

if TYPE_CHECKING:
    from jaxinfo.projections._fit import Fit

# Curvatures below this share of the largest are nothing that a Hessian with rounding can tell from flat.
_FLAT = 1e-5


@dataclasses.dataclass(frozen=True, eq=False)
class LocalOptimum:
    """One of the places where descents ended, as numbers on the host.

    Args:
      distribution: the approximation there.
      value: the divergence there, an `Estimate` in nats.
      gradient_norm: that of the end which was closest to stationary.
      share: of all starts, those that ended here.
      hessian_eigenvalues: of the divergence in the unconstrained parameters that the family reads, ascending.
      is_global: whether no other end is better, by more than the errors of both.
    """

    distribution: Any
    value: Estimate
    gradient_norm: float
    share: float
    hessian_eigenvalues: np.ndarray
    is_global: bool

    @property
    def kind(self) -> str:
        """What it is, by the signs of its eigenvalues: "minimum", "saddle", "maximum" or "degenerate"."""
        eigenvalues = self.hessian_eigenvalues
        flat = _FLAT * np.max(np.abs(eigenvalues), initial=0.0)
        if not np.all(np.isfinite(eigenvalues)) or np.any(np.abs(eigenvalues) <= flat):
            return "degenerate"
        return "minimum" if np.all(eigenvalues > 0) else "maximum" if np.all(eigenvalues < 0) else "saddle"


def find_optima(
    found: Fit, target: Any, divergence: Divergence, method: Any, distance: float
) -> tuple[LocalOptimum, ...]:
    """Returns the distinct ends that converged, the best first."""
    shape = found.optimum.batch_shape
    if found.num_steps.shape != shape or getattr(target, "batch_shape", ()) != ():
        raise ValueError(f"local_optima: one target at a time, got a target of batch shape {target.batch_shape}")
    free = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[len(shape) :]), found.optimum.to_unconstrained())
    ends = found.optimum.from_unconstrained(free)
    values, norms, converged = (
        np.asarray(leaf, np.float64).ravel() for leaf in (found.value.value, found.gradient_norm, found.converged)
    )
    left, groups = np.flatnonzero(converged), []
    while left.size:
        best = left[np.argmin(norms[left])]
        near = _distances(ends, int(best))[left] <= distance
        near |= left == best
        groups.append((int(best), int(np.sum(near))))
        left = left[~near]
    if not groups:
        return ()
    index = np.array([best for best, _ in groups])
    members = found.optimum.from_unconstrained(jax.tree.map(lambda leaf: leaf[index], free))
    curvatures = _eigenvalues(divergence, target, members, method)
    errors = np.asarray(found.value.stderr, np.float64).ravel()[index]
    bound = np.min(values[index] + errors) + 1e-5 * (1 + abs(np.min(values[index])))
    rows = [
        LocalOptimum(
            jax.tree.map(lambda leaf, i=i: leaf[i], members),
            jax.tree.map(lambda leaf, i=best: leaf.ravel()[i], found.value),
            float(norms[best]),
            count / values.size,
            curvatures[i],
            bool(values[best] - errors[i] <= bound),
        )
        for i, (best, count) in enumerate(groups)
    ]
    # Of equal values, as far as descents tell them apart, the one of most starts comes first.
    return tuple(sorted(rows, key=lambda row: (not row.is_global, round(float(row.value.value), 4), -row.share)))


def _distances(ends: Any, index: int) -> np.ndarray:
    """The distance of every end from one, in the Fisher metric where they are close."""
    one = jax.tree.map(lambda leaf: leaf[index], ends.to_unconstrained())
    one = ends.from_unconstrained(one)
    if closed_form("kl_divergence", ends, one) is None and _has_no_integral(ends):
        # Nothing better is known of a density of many dimensions than its parameters.
        gaps = jax.tree.map(lambda a, b: a - b[None], ends.to_unconstrained(), one.to_unconstrained())
        squares = (jnp.sum(jnp.square(gap.reshape(len(gap), -1)), axis=-1) for gap in jax.tree.leaves(gaps))
        return np.sqrt(np.asarray(sum(squares), np.float64))
    both = (densities.kl_divergence(*pair).value for pair in ((ends, one), (one, ends)))
    return np.sqrt(np.asarray(sum(both), np.float64))


def _has_no_integral(ends: Any) -> bool:
    event = tuple(getattr(ends, "event_shape", ()))
    return len(event) > 1 or (len(event) == 1 and event[0] > 2) or not hasattr(ends, "mean")


def _eigenvalues(divergence: Divergence, target: Any, members: Any, method: Any) -> list[np.ndarray]:
    """The curvatures at every member, ascending, in the parameters that the family reads."""
    first = jax.tree.map(lambda leaf: leaf[0], members.to_unconstrained())
    of_steps, _ = _methods.choose(divergence, target, members.from_unconstrained(first), method, None)
    of_steps = _methods.for_curvature(of_steps)
    hessians, is_read = jax.jit(_curvatures)(divergence, target, members, of_steps)
    pairs = zip(np.asarray(hessians, np.float64), np.asarray(is_read), strict=True)
    return [_spectrum(hessian[np.ix_(read, read)]) for hessian, read in pairs]


def _spectrum(hessian: np.ndarray) -> np.ndarray:
    return np.linalg.eigvalsh(hessian) if np.all(np.isfinite(hessian)) else np.full(len(hessian), np.nan)


def _curvatures(
    divergence: Divergence, target: Any, members: Any, method: MonteCarlo | None
) -> tuple[jax.Array, jax.Array]:
    """The Hessian at every member, and which of the unconstrained parameters are read.

    What is above the diagonal of a triangular factor is not: it is flat there, and yet the optimum is not degenerate.
    """

    def at(free: Any) -> tuple[jax.Array, jax.Array]:
        flat, unravel = ravel_pytree(free)
        value = lambda x: divergence.estimate(target, members.from_unconstrained(unravel(x)), method=method).value  # noqa: E731
        constrained = lambda x: ravel_pytree(members.from_unconstrained(unravel(x)))[0]  # noqa: E731
        return jax.hessian(value)(flat), jnp.any(jax.jacfwd(constrained)(flat) != 0, axis=0)

    return jax.lax.map(at, members.to_unconstrained())
