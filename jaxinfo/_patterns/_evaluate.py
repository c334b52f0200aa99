"""Evaluates a plan on a table: each marginal table once, from the smallest that holds it, and each measure once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxinfo._log_domain import Axes, Variables, joined
from jaxinfo._patterns._plan import Measure, OutputPlan, Plan

Names = dict[str, Axes]  # the axes of a table that each name stands for, counted from the end
Marginal = frozenset[int]  # the axes of a marginal table; the others stay, with length 1


class Rules(NamedTuple):
    """How tables of a kind are summed and measured; what is summed over stays, with length 1.

    Attributes:
      marginal: `f(axes, others, fine, table)`, the table summed over `axes`, of rows that consist of these and
        `others`; `fine` if information is to be had of it, which is made of differences.
      entropy: `f(axes, table)`.
      conditional_entropy: `f((x, y), table)`, H(X|Y).
      information: `f((x, y, z), table)`, I(X;Y|Z).
      by_slice: whether marginal tables depend on which axes an output keeps.
    """

    marginal: Callable[[Axes, Axes, bool, jax.Array], jax.Array]
    entropy: Callable[[Axes, jax.Array], jax.Array]
    conditional_entropy: Callable[[Variables, jax.Array], jax.Array]
    information: Callable[[Variables, jax.Array], jax.Array]
    by_slice: bool


def evaluate(plan: Plan, table: jax.Array, rules: Rules) -> list[jax.Array]:
    """The outputs, in nats."""
    names = plan.names(table.shape)
    scopes = [_axes(output.kept, names) if rules.by_slice else frozenset[int]() for output in plan.outputs]
    marginals: dict[Marginal, dict[Marginal, jax.Array]] = {}
    for scope in dict.fromkeys(scopes):
        outputs = [output for output, its in zip(plan.outputs, scopes, strict=True) if its == scope]
        marginals[scope] = _marginals(table, _needed(outputs, names, 1), _needed(outputs, names, 2), scope, rules)
    values: dict[tuple[Marginal, Measure], jax.Array] = {}
    results = []
    for output, scope in zip(plan.outputs, scopes, strict=True):
        kept = _axes(output.kept, names)
        for measure, _ in output.measures:
            if (kept, measure) not in values:
                marginal = marginals[scope][kept | _axes(measure.variables, names)]
                values[kept, measure] = _value(measure, kept, marginal, names, rules)
        order = [axis for name in output.kept for axis in names[name]]
        terms = [(values[kept, measure], coefficient) for measure, coefficient in output.measures]
        results.append(_combine(terms, order, table))
    return results


def _axes(chosen: Iterable[str], names: Names) -> Marginal:
    return frozenset(axis for name in chosen for axis in names[name])


def _needed(outputs: list[OutputPlan], names: Names, count: int) -> set[Marginal]:
    """The marginal tables of measures of that many groups."""
    measured = [(output.kept, m) for output in outputs for m, _ in output.measures if len(m.groups) == count]
    return {_axes((*kept, *measure.variables), names) for kept, measure in measured}


def _marginals(
    table: jax.Array, coarse: set[Marginal], fine: set[Marginal], scope: Marginal, rules: Rules
) -> dict[Marginal, jax.Array]:
    """Each summed from the smallest one that has its axes; it is fine if it or what is summed from it shall be."""

    def size(marginal: Marginal) -> tuple[int, int, list[int]]:
        return math.prod(table.shape[a] for a in marginal), len(marginal), sorted(marginal)

    known = {frozenset(range(-table.ndim, 0)): table}
    for marginal in sorted((coarse | fine) - known.keys(), key=size, reverse=True):
        smallest = min((m for m in known if marginal < m), key=size)
        dropped, others = tuple(sorted(smallest - marginal)), tuple(sorted(marginal - scope))
        known[marginal] = rules.marginal(dropped, others, any(f <= marginal for f in fine), known[smallest])
    return known


def _value(measure: Measure, kept: Marginal, table: jax.Array, names: Names, rules: Rules) -> jax.Array:
    """The measure, over the axes that are kept, in the order of the table."""
    groups = [_axes(group, names) for group in (*measure.groups, measure.given)]
    shape, variables = _merge(table.shape, kept, groups)
    table = table.reshape(shape)
    if len(measure.groups) == 2:
        value = rules.information(variables, table)
    elif measure.given:
        value = rules.conditional_entropy(variables, table)
    else:
        value = rules.entropy(variables[0], table)
    return jnp.squeeze(value, joined(variables))


def _merge(shape: tuple[int, ...], kept: Marginal, groups: list[Marginal]) -> tuple[list[int], tuple[Axes, ...]]:
    """The shape without what was summed over, adjacent axes of one group as one; and the axes of each group.

    XLA on a CPU is up to five times slower with an axis of length 1 between the others. Axes that are kept stay apart:
    several may be sharded.
    """
    lengths: list[int] = []
    owners: list[Marginal | None] = []
    for axis in range(-len(shape), 0):
        owner = next((group for group in groups if axis in group), None)
        if owner and owners and owners[-1] is owner:
            lengths[-1] *= shape[axis]
        elif owner or axis in kept:
            lengths.append(shape[axis])
            owners.append(owner)
    rank = len(lengths)
    return lengths, tuple(tuple(i - rank for i, owner in enumerate(owners) if owner is group) for group in groups)


def _combine(terms: list[tuple[jax.Array, float]], order: list[int], table: jax.Array) -> jax.Array:
    """The linear combination, its axes in the order of the output; 0 if there are no terms."""
    if not terms:
        return jnp.zeros([table.shape[axis] for axis in order], table.dtype)
    first, *others = (value if coefficient == 1 else coefficient * value for value, coefficient in terms)
    position = {axis: i for i, axis in enumerate(sorted(order))}
    return jnp.transpose(sum(others, first), [position[axis] for axis in order])
