"""Stationary points of a potential V(free, parameter): their branches, and the critical points where these change.

`free` is the mean and the logarithm of the standard deviation of a Gaussian. Where a minimum and a saddle meet and
vanish there is a fold; where two minima are equally deep the global minimum is exchanged, and where three are there is
a triple point; where two folds meet there is a cusp, and two minima become one. Each is a system of equations with as
many unknowns, solved by Newton's method with derivatives by autodiff; with one unknown more it is a curve to follow.
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

System = Callable[[jax.Array], jax.Array]
# A quarter of the time to compile: LLVM's optimiser is off, and loops are written by the plainer of XLA's emitters.
QUICK = {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False}


@functools.cache
def _known_options() -> dict[str, int | bool]:
    """Returns those of the options that the XLA in use knows; newer ones lost some."""

    def is_known(name: str) -> bool:
        try:
            jax.jit(lambda x: x, compiler_options={name: QUICK[name]})(0.0)
        except jax.errors.JaxRuntimeError:
            return False
        return True

    return {name: value for name, value in QUICK.items() if is_known(name)}


def quick_jit(function: Callable[..., Any]) -> Any:
    """Compiles what runs for less time than it takes to compile."""
    return jax.jit(function, compiler_options=_known_options())


@dataclasses.dataclass(frozen=True)
class Potential:
    """V and its gradient in `free`, functions of `free` and of an array of parameters."""

    value: Callable[[jax.Array, jax.Array], jax.Array]
    gradient: Callable[[jax.Array, jax.Array], jax.Array]

    def hessian(self, free: jax.Array, parameters: jax.Array) -> jax.Array:
        """Returns the second derivatives in `free`."""
        return jax.jacfwd(self.gradient)(free, parameters)

    def determinant(self, free: jax.Array, parameters: jax.Array) -> jax.Array:
        """Returns the Hessian's determinant."""
        hessian = self.hessian(free, parameters)
        return hessian[0, 0] * hessian[1, 1] - hessian[0, 1] * hessian[1, 0]


def _with_jacobian(system: System, point: jax.Array) -> tuple[jax.Array, jax.Array]:
    def twice(point: jax.Array) -> tuple[jax.Array, jax.Array]:
        value = system(point)
        return value, value

    jacobian, value = jax.jacfwd(twice, has_aux=True)(point)
    return value, jacobian


def newton(system: System, start: jax.Array, num_steps: int = 12) -> tuple[jax.Array, jax.Array]:
    """Returns the root that Newton's method finds from a start nearby, and the size of its last step."""

    def step(point: jax.Array, _: None) -> tuple[jax.Array, jax.Array]:
        value, jacobian = _with_jacobian(system, point)
        move = jnp.linalg.solve(jacobian, value)
        return point - move, jnp.max(jnp.abs(move))

    root, moves = jax.lax.scan(step, start, None, length=num_steps)
    return root, moves[-1]


def fold(potential: Potential) -> System:
    """Returns the equations of a fold in (mean, log deviation, parameters): no gradient, and a singular Hessian."""

    def system(point: jax.Array) -> jax.Array:
        free, parameters = point[:2], point[2:]
        return jnp.append(potential.gradient(free, parameters), potential.determinant(free, parameters))

    return system


def cusp(potential: Potential) -> System:
    """Returns the equations of a cusp: those of a fold, and the third derivative is zero along the flat direction."""

    def system(point: jax.Array) -> jax.Array:
        free, parameters = point[:2], point[2:]
        hessian = potential.hessian(free, parameters)
        flat = jnp.stack([-hessian[0, 1], hessian[0, 0]])
        slope = jax.grad(lambda free: potential.determinant(free, parameters))(free)
        return jnp.append(fold(potential)(point), slope @ flat)

    return system


def exchange(potential: Potential) -> System:
    """Returns the equations of an exchange, in two Gaussians and the parameters: both stationary, and equally deep."""

    def system(point: jax.Array) -> jax.Array:
        gradients, values = _at_each(potential, point[:4].reshape(2, 2), point[4:])
        return jnp.append(gradients.ravel(), values[0] - values[1])

    return system


def triple(potential: Potential) -> System:
    """Returns the equations of a triple point, in three Gaussians and the parameters: three equally deep minima."""

    def system(point: jax.Array) -> jax.Array:
        gradients, values = _at_each(potential, point[:6].reshape(3, 2), point[6:])
        return jnp.append(gradients.ravel(), values[1:] - values[0])

    return system


def _at_each(potential: Potential, frees: jax.Array, parameters: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Returns gradients and values at some Gaussians."""
    return jax.vmap(lambda free: (potential.gradient(free, parameters), potential.value(free, parameters)))(frees)


def stationary(potential: Potential) -> System:
    """Returns the equations of a branch of stationary points, in (mean, log deviation, parameter)."""
    return lambda point: potential.gradient(point[:2], point[2:])


def follow(system: System, start: jax.Array, toward: jax.Array, length: float, num_points: int) -> jax.Array:
    """Returns points on the curve `system = 0`, one unknown more than equations, by pseudo-arclength continuation.

    Args:
      system: the equations.
      start: a point near the curve.
      toward: a direction that tells which way along the curve.
      length: the distance from one point to the next.
      num_points: how many.
    """

    def bordered(point: jax.Array, row: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Returns the Newton step across `row`, and the solution of J t = 0, row t = 1: along the curve."""
        value, jacobian = _with_jacobian(system, point)
        unit = jnp.zeros_like(point).at[-1].set(1.0)
        right = jnp.stack([jnp.append(value, 0.0), unit], axis=1)
        return tuple(jnp.linalg.solve(jnp.concatenate([jacobian, row[None]]), right).T)

    def correct(_: int, state: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        point, tangent = state
        move, along = bordered(point, tangent)
        # With a row of nearly the same direction, of the two ways along the curve it is the one that goes on.
        return point - move, along / jnp.linalg.norm(along)

    def step(state: tuple[jax.Array, jax.Array], _: None) -> tuple[tuple[jax.Array, jax.Array], jax.Array]:
        point, tangent = jax.lax.fori_loop(0, 3, correct, state)
        return (point + length * tangent, tangent), point

    _, points = jax.lax.scan(step, (start, toward), None, length=num_points)
    return points


def turning_point(points: np.ndarray) -> np.ndarray:
    """Returns the point of a followed branch after which its parameter, the last unknown, first turns back."""
    steps = np.sign(np.diff(points[:, -1]))
    return points[int(np.argmax(steps != steps[0]))]


def descend(potential: Potential, free: jax.Array, parameters: jax.Array, num_steps: int = 24) -> jax.Array:
    """Returns the minimum that a descent ends in: Newton's steps with |eigenvalues|, within a radius, never upward."""
    # Rounding of the potential: a step that raises it by no more than this is taken.
    slack = 1e-13

    def move(free: jax.Array, radius: jax.Array) -> jax.Array:
        gradient, hessian = _with_jacobian(lambda free: potential.gradient(free, parameters), free)
        eigenvalues, vectors = jnp.linalg.eigh(hessian)
        slopes = vectors.T @ gradient
        step = -vectors @ (slopes / jnp.maximum(jnp.abs(eigenvalues), 1e-6))
        return step * jnp.minimum(1.0, radius / jnp.maximum(jnp.linalg.norm(step), 1e-300))

    def step(state: tuple[jax.Array, ...], _: None) -> tuple[tuple[jax.Array, ...], None]:
        free, value, radius = state
        candidate = free + move(free, radius)
        new = potential.value(candidate, parameters)
        accepted = new <= value + slack
        radius = jnp.where(accepted, jnp.minimum(1.5 * radius, 1.0), 0.3 * radius)
        return (jnp.where(accepted, candidate, free), jnp.where(accepted, new, value), radius), None

    start = (free, potential.value(free, parameters), jnp.asarray(0.3, free.dtype))
    (free, _, _), _ = jax.lax.scan(step, start, None, length=num_steps)
    return free
