"""The curves that divide the phase diagram of KL(q‖p) in half-separation a and weight w, for each scale s.

A minimum appears on a fold curve; the two fold curves of a pair of minima end in a cusp, beyond which the two are one.
On an exchange curve two minima are equally deep, the best of all; such a curve begins at the triple point, where
covering and both modes are equally deep, and ends in a cusp, or never. Everything is known for s = 1 by symmetry, and
followed from there to other scales.
"""

import functools
import itertools
from collections.abc import Callable
from typing import Any

if __package__:
    from experiments import _branches, _gaussian_fits
else:
    import _branches
    import _gaussian_fits

import jax
import jax.numpy as jnp
import numpy as np

RULE = _gaussian_fits.Rule(0.03, 400)
# Between points of a curve, in units of a, w and what else is unknown.
LENGTH = 0.04
# How many steps lead from s = 1 to another scale.
NUM_SCALES = 16
NUM_POINTS = 140


def potential_of(log_scale: jax.Array) -> _branches.Potential:
    """Returns KL(q‖p) as a potential whose parameters are a and w."""

    def pair(free: jax.Array, at: jax.Array) -> tuple[Any, Any]:
        return _gaussian_fits.two_modes(at[0], at[1], jnp.exp(log_scale)), _gaussian_fits.gaussian(free)

    return _branches.Potential(
        lambda free, at: _gaussian_fits.reverse_kl(*pair(free, at), rule=RULE),
        lambda free, at: _gaussian_fits.REVERSE_KL.gradient(*pair(free, at), rule=RULE),
    )


Equations = Callable[[_branches.Potential], _branches.System]


def root_at(equations: Equations, start: jax.Array, log_scale: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Returns a root for this scale, from one for s = 1, and the size of the last step of Newton's method."""

    def step(point: jax.Array, log_scale: jax.Array) -> tuple[jax.Array, jax.Array]:
        return _branches.newton(equations(potential_of(log_scale)), point, 6)

    root, moves = jax.lax.scan(step, start, jnp.linspace(0.0, 1.0, NUM_SCALES) * log_scale)
    return root, moves[-1]


def curve(equations: Equations, start: jax.Array, way: jax.Array, log_scale: jax.Array) -> jax.Array:
    """Returns points on a curve of the plane of a and w, the last unknowns."""
    return _branches.follow(equations(potential_of(log_scale)), start, way, LENGTH, NUM_POINTS)


@functools.cache
def programs() -> dict[str, Callable[..., Any]]:
    """Returns the compiled programs, which serve all scales."""
    functions = {
        "cusp": functools.partial(root_at, _branches.cusp),
        "triple": functools.partial(root_at, _branches.triple),
        "fold": functools.partial(curve, _branches.fold),
        "exchange": functools.partial(curve, _branches.exchange),
        "value": lambda free, at, log_scale: potential_of(log_scale).value(free, at),
    }
    return {name: _branches.quick_jit(function) for name, function in functions.items()}


def curves(scale: float, modes: np.ndarray, covering: np.ndarray, exchange: float) -> dict[str, Any]:
    """Returns cusps, triple point, folds and exchanges for one scale.

    Args:
      scale: s.
      modes: the mode at the right of the symmetric p, mean and log deviation, where it is as deep as covering.
      covering: the covering fit there.
      exchange: the half-separation where that is.
    """
    log_scale = jnp.log(jnp.asarray(scale, float))
    # The cusp of the right mode and covering for s = 1 was found by following the fold; that of the left mirrors it.
    cusps = []
    for side in (1, -1):
        start = jnp.array([1.5 * side, 0.4, 2.0, 0.5 - 0.24 * side])
        root, move = programs()["cusp"](start, log_scale)
        if move < 1e-9 and 0 < root[3] < 1:
            cusps.append(np.asarray(root))
    mirrored = modes * np.array([-1.0, 1.0])
    start = np.concatenate([mirrored, covering, modes, [exchange, 0.5]])
    root, move = programs()["triple"](jnp.asarray(start), log_scale)
    triple = np.asarray(root) if move < 1e-9 and 0 < root[7] < 1 else None
    folds = [_inside(fold_through(cusp, log_scale)) for cusp in cusps]
    exchanges = exchanges_from(triple, cusps, log_scale) if triple is not None else [between_modes(cusps, log_scale)]
    return {"cusps": cusps, "triple": triple, "folds": folds, "exchanges": [_inside(part) for part in exchanges]}


def between_modes(cusps: list[np.ndarray], log_scale: jax.Array, furthest: float = 4.3) -> np.ndarray:
    """Returns where both modes are equally deep [points, (a, w)], from far apart to where they become one."""
    start = jnp.stack([-furthest, 0.0, furthest, log_scale, furthest, 0.5])
    way, points = jnp.array([0.0, 0.0, 0.0, 0.0, -1.0, 0.0]), np.zeros((0, 6))
    for _ in range(4):
        points = np.concatenate([points, np.asarray(programs()["exchange"](start, way, log_scale))])
        start, way = jnp.asarray(points[-1]), jnp.asarray(points[-1] - points[-2]) / LENGTH
    return _up_to_cusp(points, cusps)


def fold_through(cusp: np.ndarray, log_scale: jax.Array) -> np.ndarray:
    """Returns the folds [points, (a, w)] on both sides of a cusp, from one end to the other."""
    # In the mean, the log deviation, a and w the curve is smooth; in a and w alone it turns back at the cusp.
    ways = [jnp.array([way, 0.0, 0.0, 0.0]) for way in (-1.0, 1.0)]
    left, right = (np.asarray(programs()["fold"](jnp.asarray(cusp), way, log_scale)) for way in ways)
    return np.concatenate([left[::-1], right])[:, 2:]


def exchanges_from(triple: np.ndarray, cusps: list[np.ndarray], log_scale: jax.Array) -> list[np.ndarray]:
    """Returns the three curves [points, (a, w)] on which two minima are equally deep and the third is less deep."""
    frees, at = triple[:6].reshape(3, 2), triple[6:]
    parts = []
    for first, second in itertools.combinations(range(3), 2):
        third = 3 - first - second
        start = jnp.asarray(np.concatenate([frees[first], frees[second], at]))
        for way in (1.0, -1.0):
            toward = jnp.array([0.0, 0.0, 0.0, 0.0, way, 0.0])
            points = np.asarray(programs()["exchange"](start, toward, log_scale))
            beside = jnp.asarray(points[1, 4:])
            # Near the triple point, to first order, the depth of a minimum changes as if it stayed where it is.
            depths = [float(programs()["value"](jnp.asarray(free), beside, log_scale)) for free in frees]
            if depths[third] > max(depths[first], depths[second]):
                parts.append(_up_to_cusp(points, cusps))
    return parts


def _up_to_cusp(points: np.ndarray, cusps: list[np.ndarray]) -> np.ndarray:
    """Returns the part of an exchange up to where its two minima become one, ended by the cusp."""
    apart = np.abs(points[:, :2] - points[:, 2:4]).max(axis=1)
    merged = ~(apart > 0.15)
    if not merged.any():
        return points[:, 4:]
    end = points[: int(np.argmax(merged)), 4:]
    near = [cusp[2:] for cusp in cusps if np.abs(cusp[2:] - end[-1]).max() < 0.05]
    return np.concatenate([end, *(cusp[None] for cusp in near)])


def _inside(points: np.ndarray) -> np.ndarray:
    """Returns the points whose weight is one."""
    return points[(points[:, 1] > 0) & (points[:, 1] < 1)]
