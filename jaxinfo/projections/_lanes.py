"""Many descents at once: every problem of a sweep from every start."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo._pytrees import register_dataclass
from jaxinfo.densities import ClosedForm, Estimate
from jaxinfo.projections import _targets
from jaxinfo.projections._divergences import Divergence
from jaxinfo.projections._estimators import Method


@register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class Problem:
    """A target, and the divergence to it."""

    divergence: Divergence
    target: Any

    def estimate(self, approximation: Any, method: Method | None) -> Estimate:
        if isinstance(method, ClosedForm):
            approximation = _with_fixed(approximation)
        return self.divergence.estimate(self.target, approximation, method=method)


@dataclasses.dataclass(frozen=True, eq=False)
class Lanes:
    """Problems `[S, ...]`, starts `[R, ...]`, the number of each lane `[S, R]`, and the shapes that they were given."""

    problems: Problem
    starts: Any
    numbers: jax.Array
    shape: tuple[int, ...]
    init: Any

    @classmethod
    def of(cls, divergence: Divergence, target: Any, init: Any) -> "Lanes":
        sweep = jnp.broadcast_shapes(
            _targets.batch_shape(target, init), *(jnp.shape(leaf) for leaf in jax.tree.leaves(divergence))
        )
        wide = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, sweep), divergence)
        problems = _flatten(Problem(wide, _targets.broadcast_to(target, sweep, init)), len(sweep))
        starts = _flatten(init.to_unconstrained(), len(init.batch_shape))
        count = (math.prod(sweep), math.prod(init.batch_shape))
        numbers = jnp.arange(math.prod(count), dtype=jnp.int32).reshape(count)
        return cls(problems, starts, numbers, (*sweep, *init.batch_shape), init)

    @property
    def first(self) -> tuple[Divergence, Any, Any]:
        """A divergence, a target and an approximation."""
        problem, free = (jax.tree.map(lambda leaf: leaf[0], tree) for tree in (self.problems, self.starts))
        return problem.divergence, problem.target, self.init.from_unconstrained(free)

    def begin(self, function: Callable[..., Any]) -> Any:
        """Maps `function(problem, number, start)` over problems and, within each, over starts."""
        within = jax.vmap(function, in_axes=(None, 0, 0))
        return jax.vmap(within, in_axes=(0, 0, None))(self.problems, self.numbers, self.starts)

    def each(self, function: Callable[..., Any], states: Any, *common: Any) -> Any:
        """Maps `function(problem, number, state, *common)` over all lanes."""
        rest = (None,) * len(common)
        within = jax.vmap(function, in_axes=(None, 0, 0, *rest))
        return jax.vmap(within, in_axes=(0, 0, 0, *rest))(self.problems, self.numbers, states, *common)

    def own(self, function: Callable[..., Any], states: Any) -> Any:
        """Maps a function of a state over all lanes."""
        return jax.vmap(jax.vmap(function))(states)

    def unflatten_problems(self, tree: Any) -> Any:
        """Splits the axis of problems into those of the sweep."""
        sweep = self.shape[: len(self.shape) - len(self.init.batch_shape)]
        return jax.tree.map(lambda leaf: leaf.reshape(*sweep, *leaf.shape[1:]), tree)

    def unflatten(self, tree: Any, axis: int = 0) -> Any:
        """Splits the two axes of lanes, from `axis` on, into those of the sweep and those of the restarts."""
        return jax.tree.map(lambda leaf: leaf.reshape(*leaf.shape[:axis], *self.shape, *leaf.shape[axis + 2 :]), tree)


def _with_fixed(approximation: Any) -> Any:
    """Holds what the formula takes to be the same in both members: how many failures end a negative binomial."""
    names = getattr(approximation, "_fixed", ())
    if not names:
        return approximation
    return dataclasses.replace(
        approximation, **{name: jax.lax.stop_gradient(getattr(approximation, name)) for name in names}
    )


def _flatten(tree: Any, count: int) -> Any:
    """Joins the batch axes, in front in every leaf, into one."""
    return jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[count:]), tree)
