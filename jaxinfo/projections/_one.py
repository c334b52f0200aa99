"""One descent of many: its objective, its first state, its steps, and the value where it ends."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo.densities import Estimate
from jaxinfo.projections import _descent, _methods
from jaxinfo.projections._estimators import Method
from jaxinfo.projections._lanes import Problem


@dataclasses.dataclass(frozen=True, eq=False)
class Descent:
    """What all lanes have in common; a lane is a problem, its number, and a state."""

    family: Any
    of_steps: Method | None
    of_value: Method | None
    optimizer: Any
    hyperparams: dict[str, jax.Array]
    num_steps: jax.Array
    limit: jax.Array
    common: _methods.Common

    def objective(self, problem: Problem, lane: jax.Array) -> _descent.Objective:
        """Returns the divergence as a function of the unconstrained parameters and of the step."""

        def value(free: Any, count: jax.Array) -> jax.Array:
            drawn = _methods.at(self.of_steps, lane, count, self.common)
            return problem.estimate(self.family.from_unconstrained(free), drawn).value

        return value

    def is_active(self, state: _descent.State) -> jax.Array:
        """Whether the lane goes on."""
        return _descent.is_active(state, self.num_steps, self.limit)

    def begin(self, problem: Problem, lane: jax.Array, free: Any) -> _descent.State:
        """Returns the state before the first step."""
        return _descent.start(self.objective(problem, lane), self.optimizer, self.hyperparams, free)

    def advance(self, problem: Problem, lane: jax.Array, state: _descent.State, count: jax.Array) -> _descent.State:
        """Returns the state after one more step than `count`, those that the active lanes have taken."""
        return _descent.step(self.objective(problem, lane), self.optimizer, state, count, self.is_active(state))

    def finish(self, problem: Problem, lane: jax.Array, state: _descent.State) -> Estimate:
        """Returns the value at the end, of draws that no step has seen."""
        common = "lanes" if self.common in ("lanes", "both") else "none"
        drawn = _methods.at(self.of_value, lane, jnp.full((), -1, jnp.int32), common)
        return problem.estimate(self.family.from_unconstrained(state.parameters), drawn)
