"""Reverse KL for two equal round Gaussians at -(1, 1) and (1, 1), reduced to one dimension, and its critical scales.

Along the diagonal, in units of the components' scale s, the target is 0.5 N(-a, 1) + 0.5 N(a, 1) with a = sqrt(2) / s,
and across it N(0, 1), independent of the former. A q of full covariance does best across with N(0, 1), which costs
nothing: what is left are the fits on a line. A factorised q that is as wide in x as in y is as wide across as along, by
its standard deviation sigma, and pays (sigma^2 - 1 - log sigma^2) / 2 for that.
"""

import math
from typing import Any

if __package__:
    from experiments import _branches, _gaussian_fits
else:
    import _branches
    import _gaussian_fits

import jax
import jax.numpy as jnp
import numpy as np

from jaxinfo.distributions import Mixture, MultivariateNormal

FAMILIES = ("diagonal", "full")
# Half the step and half the reach must agree where digits are claimed; curves that are drawn need neither.
EXACT, DRAWN = _gaussian_fits.Rule(0.01, 1600), _gaussian_fits.Rule(0.03, 400)
STEPS = (0.01, 0.005)


def potential(family: str, rule: _gaussian_fits.Rule = EXACT) -> _branches.Potential:
    """Returns KL(q‖p) in (mean, log deviation) along the diagonal, with the parameter a; all in units of s."""
    price = 1.0 if family == "diagonal" else 0.0

    def value(free: jax.Array, a: jax.Array) -> jax.Array:
        q = _gaussian_fits.gaussian(free)
        across = 0.5 * (jnp.exp(2 * free[1]) - 1) - free[1]
        return _gaussian_fits.reverse_kl(_gaussian_fits.two_modes(a[0]), q, rule=rule) + price * across

    def gradient(free: jax.Array, a: jax.Array) -> jax.Array:
        p, q = _gaussian_fits.two_modes(a[0]), _gaussian_fits.gaussian(free)
        across = jnp.stack([jnp.zeros_like(free[1]), jnp.exp(2 * free[1]) - 1])
        return _gaussian_fits.REVERSE_KL.gradient(p, q, rule=rule) + price * across

    return _branches.Potential(value, gradient)


def covering(family: str, rule: _gaussian_fits.Rule = EXACT) -> _branches.System:
    """Returns the equation of the branch with mean 0, in (log deviation, a)."""
    whole = potential(family, rule)
    return lambda point: whole.gradient(jnp.stack([jnp.zeros_like(point[0]), point[0]]), point[1:])[1:]


def pitchfork(rule: _gaussian_fits.Rule) -> _branches.System:
    """Returns the equations of the factorised covering fit whose curvature in the mean vanishes, in (log deviation, a).

    With full covariance there is none: the curvature of a stationary point in the mean is 1/sigma^2 (Price's theorem).
    """
    whole = potential("diagonal", rule)

    def system(point: jax.Array) -> jax.Array:
        free = jnp.stack([jnp.zeros_like(point[0]), point[0]])
        curvature = whole.hessian(free, point[1:])[0, 0]
        return jnp.append(covering("diagonal", rule)(point), curvature)

    return system


def follow(family: str, furthest: float = 5.0) -> dict[str, np.ndarray]:
    """Returns the branches of modes, from far apart inward, and of covering fits, as rows (mean, log deviation, a)."""
    modes = _branches.stationary(potential(family, DRAWN))
    start, way = jnp.array([furthest, 0.0, furthest]), jnp.array([0.0, 0.0, -1.0])
    begin, outward = jnp.array([0.0, 0.05]), jnp.array([0.0, 1.0])

    def both() -> tuple[jax.Array, jax.Array]:
        cover = _branches.follow(covering(family, DRAWN), begin, outward, 0.03, 260)
        return _branches.follow(modes, start, way, 0.02, 400), jnp.insert(cover, 0, 0.0, axis=1)

    def judge(points: jax.Array) -> jax.Array:
        whole = potential(family, DRAWN)

        def one(point: jax.Array) -> jax.Array:
            least = jnp.min(jnp.linalg.eigvalsh(whole.hessian(point[:2], point[2:])))
            return jnp.concatenate([point, jnp.stack([whole.value(point[:2], point[2:]), least])])

        return jax.vmap(one)(points)

    rows = _branches.quick_jit(lambda: tuple(judge(points) for points in both()))()
    return dict(zip(("modes", "covering"), map(np.asarray, rows), strict=True))


def solve(system_of: Any, start: Any) -> tuple[np.ndarray, float]:
    """Returns a root by Newton's method, and how far it may be off: the last step and what the other rule changes."""

    def with_step(step: jax.Array) -> tuple[jax.Array, jax.Array]:
        return _branches.newton(system_of(_gaussian_fits.Rule(step, EXACT.count)), jnp.asarray(start))

    roots, moves = _branches.quick_jit(jax.vmap(with_step))(jnp.array(STEPS))
    return np.asarray(roots[0]), float(jnp.max(moves) + jnp.max(jnp.abs(roots[0] - roots[1])))


def on_the_plane(scale: float) -> Mixture:
    """Returns the pair itself."""
    means = jnp.array([[-1.0, -1.0], [1.0, 1.0]])
    return Mixture(jnp.array([0.5, 0.5]), MultivariateNormal.from_diagonal(means, jnp.full((2, 2), scale)))


def scale_of(a: float) -> float:
    """Returns the scale of components at ±(1, 1) of a half-separation in units of it, and the other way round."""
    return math.sqrt(2) / a
