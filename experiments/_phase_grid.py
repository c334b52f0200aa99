"""The minima of KL(q‖p) on a grid of half-separations and weights, by descents from five starts each."""

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
from tqdm import tqdm

# Off by 1e-6: minima are counted here, and not measured.
RULE = _gaussian_fits.Rule(0.07, 100)


def potential_of(scale: jax.Array) -> _branches.Potential:
    """Returns KL(q‖p) as a potential whose parameters are a and w."""

    def pair(free: jax.Array, at: jax.Array) -> tuple[Any, Any]:
        return _gaussian_fits.two_modes(at[0], at[1], scale), _gaussian_fits.gaussian(free)

    return _branches.Potential(
        lambda free, at: _gaussian_fits.reverse_kl(*pair(free, at), rule=RULE),
        lambda free, at: _gaussian_fits.REVERSE_KL.gradient(*pair(free, at), rule=RULE),
    )


def search_column(scale: jax.Array, a: jax.Array, weights: jax.Array) -> dict[str, jax.Array]:
    """Returns where descents from five starts end, for one a and all weights: arrays [weights, starts]."""
    potential = potential_of(scale)

    def ends(weight: jax.Array) -> dict[str, jax.Array]:
        p = _gaussian_fits.two_modes(a, weight, scale)
        whole = jnp.stack([p.mean, 0.5 * jnp.log(p.variance)])
        modes = jnp.stack([jnp.stack([-a, jnp.zeros_like(a)]), jnp.stack([a, jnp.log(scale)])])
        starts = jnp.concatenate([modes, whole[None], 0.5 * (modes + whole[None])])
        return jax.vmap(lambda start: end(start, jnp.stack([a, weight]), p))(starts)

    def end(start: jax.Array, at: jax.Array, p: Any) -> dict[str, jax.Array]:
        free = _branches.descend(potential, start, at)
        steepness = jnp.max(jnp.abs(potential.gradient(free, at)))
        least = jnp.linalg.eigvalsh(potential.hessian(free, at))[0]
        share = _gaussian_fits.share_of_first(p, _gaussian_fits.gaussian(free), RULE)
        is_minimum = (steepness < 1e-7) & (least > 0)
        return {"free": free, "value": potential.value(free, at), "share": share, "is_minimum": is_minimum}

    return jax.vmap(ends)(weights)


def grid_of_minima(
    separations: np.ndarray, weights: np.ndarray, scale: float, column: Callable[..., Any]
) -> dict[str, np.ndarray]:
    """Returns, on the grid [half-separations, weights], the number of minima and what the global one covers."""
    columns = [
        jax.device_get(column(jnp.asarray(scale), jnp.asarray(a), jnp.asarray(weights)))
        for a in tqdm(separations, desc=f"minima for s = {scale:g}", unit="column")
    ]
    found = {name: np.stack([part[name] for part in columns]) for name in columns[0]}
    free, good = found["free"], found["is_minimum"]
    # A start counts unless an earlier one ended in the same place.
    distance = np.abs(free[..., :, None, :] - free[..., None, :, :]).max(axis=-1)
    earlier = np.tril(np.ones(distance.shape[-2:], bool), -1)
    repeated = ((distance < 1e-3) & good[..., None, :] & earlier).any(axis=-1)
    best = np.argmin(np.where(good, found["value"], np.inf), axis=-1)
    share = np.take_along_axis(found["share"], best[..., None], axis=-1)[..., 0]
    return {
        "separations": separations,
        "weights": weights,
        "counts": (good & ~repeated).sum(axis=-1),
        "coverage": coverage(share, weights[None]),
    }


def coverage(share: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Returns -1 where q has no share in the first mode, 1 where none in the second, and 0 where its shares are p's."""
    return np.where(share < weight, share / weight - 1, (share - weight) / (1 - weight))


def kinds(grid: dict[str, np.ndarray]) -> dict[str, dict[str, float]]:
    """Returns which part of the grid has how many minima, and where the global one covers or is a mode."""
    counts, covers = grid["counts"], np.abs(grid["coverage"]) < 0.5
    parts = {}
    for count in np.unique(counts):
        parts[str(count)] = {
            "covering_is_global": float(np.mean((counts == count) & covers)),
            "mode_is_global": float(np.mean((counts == count) & ~covers)),
        }
    return parts
