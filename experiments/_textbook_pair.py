"""Reverse KL for two equal round Gaussians at -(1, 1) and (1, 1), reduced to one dimension, and its critical scales.

Along the diagonal, in units of the components' scale s, the target is 0.5 N(-a, 1) + 0.5 N(a, 1) with a = sqrt(2) / s,
and across it N(0, 1), independent of the former. A q of full covariance does best across with N(0, 1), which costs
nothing: what is left are the fits on a line. A factorised q that is as wide in x as in y is as wide across as along, by
its standard deviation sigma, and pays (sigma^2 - 1 - log sigma^2) / 2 for that.
"""

import math
from typing import Any

if __package__:
    from experiments import _branches, _gaussian_fits, _plane_fits, _plane_targets
else:
    import _branches
    import _gaussian_fits
    import _plane_fits
    import _plane_targets

import jax
import jax.numpy as jnp
import numpy as np

from jaxinfo.distributions import MultivariateNormal

# What a q pays across the diagonal for being as wide there as along it.
PRICES = {"diagonal": 1.0, "full": 0.0}
# Half the step and half the reach must agree where digits are claimed; curves that are drawn need neither.
EXACT, DRAWN = _gaussian_fits.Rule(0.01, 1600), _gaussian_fits.Rule(0.03, 400)
STEPS = (0.01, 0.005)


def potential(family: str, rule: _gaussian_fits.Rule = EXACT) -> _branches.Potential:
    """Returns KL(q‖p) in (mean, log deviation) along the diagonal, with the parameter a; all in units of s."""
    return _potential(PRICES[family], rule)


def _potential(price: Any, rule: _gaussian_fits.Rule) -> _branches.Potential:
    """Returns the same, where what q pays across the diagonal has this weight."""

    def value(free: jax.Array, a: jax.Array) -> jax.Array:
        q = _gaussian_fits.gaussian(free)
        across = 0.5 * (jnp.exp(2 * free[1]) - 1) - free[1]
        return _gaussian_fits.reverse_kl(_gaussian_fits.two_modes(a[0]), q, rule=rule) + price * across

    def gradient(free: jax.Array, a: jax.Array) -> jax.Array:
        p, q = _gaussian_fits.two_modes(a[0]), _gaussian_fits.gaussian(free)
        across = jnp.stack([jnp.zeros_like(free[1]), jnp.exp(2 * free[1]) - 1])
        return _gaussian_fits.REVERSE_KL.gradient(p, q, rule=rule) + price * across

    return _branches.Potential(value, gradient)


def covering(whole: _branches.Potential) -> _branches.System:
    """Returns the equation of the branch with mean 0, in (log deviation, a)."""
    return lambda point: whole.gradient(jnp.stack([jnp.zeros_like(point[0]), point[0]]), point[1:])[1:]


def pitchfork(rule: _gaussian_fits.Rule) -> _branches.System:
    """Returns the equations of the factorised covering fit whose curvature in the mean vanishes, in (log deviation, a).

    With full covariance there is none: the curvature of a stationary point in the mean is 1/sigma^2 (Price's theorem).
    """
    whole = potential("diagonal", rule)

    def system(point: jax.Array) -> jax.Array:
        free = jnp.stack([jnp.zeros_like(point[0]), point[0]])
        curvature = whole.hessian(free, point[1:])[0, 0]
        return jnp.append(covering(whole)(point), curvature)

    return system


def follow(family: str) -> dict[str, np.ndarray]:
    """Returns the branches of modes, from far apart inward, and of covering fits.

    Their rows are mean, log deviation, a, value and least curvature.
    """
    rows = _follow(jnp.asarray(PRICES[family]))
    return dict(zip(("modes", "covering"), map(np.asarray, rows), strict=True))


@_branches.quick_jit
def _follow(price: jax.Array, furthest: float = 5.0) -> tuple[jax.Array, jax.Array]:
    # The price is traced: one program for both families.
    whole = _potential(price, DRAWN)
    start, way = jnp.array([furthest, 0.0, furthest]), jnp.array([0.0, 0.0, -1.0])
    begin, outward = jnp.array([0.0, 0.05]), jnp.array([0.0, 1.0])
    cover = _branches.follow(covering(whole), begin, outward, 0.03, 260)
    modes = _branches.follow(_branches.stationary(whole), start, way, 0.02, 400)

    def judge(point: jax.Array) -> jax.Array:
        least = jnp.min(jnp.linalg.eigvalsh(whole.hessian(point[:2], point[2:])))
        return jnp.concatenate([point, jnp.stack([whole.value(point[:2], point[2:]), least])])

    both = jax.vmap(judge)(jnp.concatenate([modes, jnp.insert(cover, 0, 0.0, axis=1)]))
    return both[: len(modes)], both[len(modes) :]


def solve(system_of: Any, start: Any) -> tuple[np.ndarray, float]:
    """Returns a root by Newton's method, and how far it may be off: the last step and what the other rule changes."""

    def with_step(step: jax.Array) -> tuple[jax.Array, jax.Array]:
        return _branches.newton(system_of(_gaussian_fits.Rule(step, EXACT.count)), jnp.asarray(start))

    roots, moves = _branches.quick_jit(jax.vmap(with_step))(jnp.array(STEPS))
    return np.asarray(roots[0]), float(jnp.max(moves) + jnp.max(jnp.abs(roots[0] - roots[1])))


def scale_of(a: float) -> float:
    """Returns the scale of components at ±(1, 1) of a half-separation in units of it, and the other way round."""
    return math.sqrt(2) / a


def critical_scales() -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns what the pair at ±(1, 1) has in store as its scale shrinks, and the branches."""
    curves = {family: follow(family) for family in PRICES}
    modes, covers = curves["full"]["modes"], curves["full"]["covering"]
    turn = _branches.turning_point(modes[:, :3])
    # Before they turn back, modes are worse than covering from some point on.
    stable = modes[: int(np.argmin(modes[:, 2]))]
    at = stable[int(np.argmax(stable[:, 3] > np.interp(stable[:, 2], covers[:, 2], covers[:, 3])))]
    cover = covers[int(np.argmin(np.abs(covers[:, 2] - at[2])))]
    diagonal = curves["diagonal"]["covering"]
    lost = diagonal[int(np.argmax(diagonal[:, 4] < 0))]
    found = {
        "diagonal_pitchfork": solve(pitchfork, lost[1:3]),
        "full_fold": solve(lambda rule: _branches.fold(potential("full", rule)), turn),
        "full_exchange": solve(
            lambda rule: _branches.exchange(potential("full", rule)), np.concatenate([at[:2], cover[:2], at[2:3]])
        ),
    }
    rows = {
        name: {"scale": scale_of(root[-1]), "half_separation": float(root[-1]), "error": error}
        for name, (root, error) in found.items()
    }
    return rows | {"drawn_by_hand": drawn_by_hand()}, curves


def drawn_by_hand() -> dict[str, Any]:
    """Returns the q that books draw for components of unit scale, on one of them, and what it costs."""
    q = MultivariateNormal.from_diagonal(jnp.ones(2), jnp.ones(2))
    estimate = _plane_fits.certify(q, _plane_targets.make_target("overlapping"))
    return {**_plane_fits.describe(q), "value": float(estimate.value), "error_bound": float(estimate.stderr)}
