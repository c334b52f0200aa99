"""The targets and the families of `mixture_kl_2d`."""

import math

import jax.numpy as jnp
import numpy as np

from jaxinfo.distributions import Mixture, MultivariateNormal

FAMILIES = ("diagonal", "full")
# Weights, means, and standard deviations along two axes with the angle of the first, in degrees.
TARGETS = {
    "overlapping": ((0.5, 0.5), ((-1, -1), (1, 1)), ((1, 1, 0), (1, 1, 0))),
    "narrow": ((0.5, 0.5), ((-1, -1), (1, 1)), ((0.5, 0.5, 0), (0.5, 0.5, 0))),
    "crossed": ((0.6, 0.4), ((-0.9, 0), (0.9, 0)), ((1.4, 0.35, 60), (1.4, 0.35, -60))),
    "triangle": (
        (1 / 3, 1 / 3, 1 / 3),
        tuple((1.7 * math.cos(t), 1.7 * math.sin(t)) for t in (math.pi / 2, math.pi * 7 / 6, math.pi * 11 / 6)),
        ((0.5, 0.5, 0),) * 3,
    ),
    "propeller": (
        (0.45, 0.35, 0.2),
        tuple((1.3 * math.cos(t), 1.3 * math.sin(t)) for t in (math.pi / 2, math.pi * 7 / 6, math.pi * 11 / 6)),
        ((1.0, 0.25, 90), (1.0, 0.25, 210), (1.0, 0.25, 330)),
    ),
}


def make_target(name: str) -> Mixture:
    """Returns a mixture of three components; of two, one is cut in half, so that one program serves all targets."""
    weights, means, shapes = TARGETS[name]
    if len(weights) == 2:
        weights, means, shapes = ((weights[0], weights[1] / 2, weights[1] / 2), *((*x, x[1]) for x in (means, shapes)))
    covariances = []
    for first, second, angle in shapes:
        c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        turn = np.array([[c, -s], [s, c]])
        covariances.append(turn @ np.diag([first**2, second**2]) @ turn.T)
    components = MultivariateNormal.from_covariance(jnp.array(means, float), jnp.array(covariances))
    return Mixture(jnp.array(weights), components)


def some_member(family: str) -> MultivariateNormal:
    """Returns a member of the family."""
    if family == "diagonal":
        return MultivariateNormal.from_diagonal(jnp.zeros(2), jnp.ones(2))
    return MultivariateNormal(jnp.zeros(2), jnp.eye(2))
