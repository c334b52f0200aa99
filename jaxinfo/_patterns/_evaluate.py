"""Evaluates a plan on a table: each marginal table once, from the smallest that holds it, and each measure once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxinfo._log_domain import Axes, Variables
from jaxinfo._patterns._plan import Measure, OutputPlan, Plan

Marginal = frozenset[int]  # the axes of a marginal table, counted from the end


class Rules(NamedTuple):
    """How tables of a kind are summed and measured; what is summed over stays, with length 1.

    Attributes:
      marginal: `f(axes, others, table)`, the table summed over `axes`, of rows that consist of these and `others`.
      entropy: `f(axes, table)`.
      conditional_entropy: `f((x, y), table)`, H(X|Y).
      information: `f((x, y, z), table)`, I(X;Y|Z).
      by_slice: whether marginal tables depend on which axes an output keeps.
    """

    marginal: Callable[[Axes, Axes, jax.Array], jax.Array]
    entropy: Callable[[Axes, jax.Array], jax.Array]
    conditional_entropy: Callable[[Variables, jax.Array], jax.Array]
    information: Callable[[Variables, jax.Array], jax.Array]
    by_slice: bool


def evaluate(plan: Plan, table: jax.Array, rules: Rules) -> list[jax.Array]:
    """The outputs, in nats."""
    axes = plan.axes(table.shape)
    tables: dict[Marginal, dict[Marginal, jax.Array]] = {}
    for scope in dict.fromkeys(_scope(output, axes, rules) for output in plan.outputs):
        same = [output for output in plan.outputs if _scope(output, axes, rules) == scope]
        tables[scope] = _marginals(table, _needed(same, axes), scope, rules)
    values: dict[tuple[Marginal, Measure], jax.Array] = {}
    results = []
    for output in plan.outputs:
        kept = _axes(output.kept, axes)
        for measure, _ in output.measures:
            if (kept, measure) not in values:
                marginal = tables[_scope(output, axes, rules)][kept | _axes(measure.variables, axes)]
                values[kept, measure] = _value(measure, marginal, axes, rules)
        results.append(_combine(output, table, axes, {m: values[kept, m] for m, _ in output.measures}))
    return results


def _axes(names: Iterable[str], axes: dict[str, Axes]) -> Marginal:
    return frozenset(axis for name in names for axis in axes[name])


def _scope(output: OutputPlan, axes: dict[str, Axes], rules: Rules) -> Marginal:
    """Outputs of the same scope have the same marginal tables."""
    return _axes(output.kept, axes) if rules.by_slice else frozenset()


def _needed(outputs: list[OutputPlan], axes: dict[str, Axes]) -> set[Marginal]:
    return {_axes((*output.kept, *m.variables), axes) for output in outputs for m, _ in output.measures}


def _marginals(table: jax.Array, needed: set[Marginal], scope: Marginal, rules: Rules) -> dict[Marginal, jax.Array]:
    """The marginal tables, of the rank of the whole, each summed from the smallest one that has its axes."""
    size = lambda marginal: (math.prod(table.shape[a] for a in marginal), len(marginal))  # noqa: E731
    whole = frozenset(range(-table.ndim, 0))
    known = {whole: table}
    for marginal in sorted(needed - {whole}, key=lambda m: (size(m), sorted(m)), reverse=True):
        smallest = min((m for m in known if marginal < m), key=lambda m: (size(m), sorted(m)))
        dropped, others = tuple(sorted(smallest - marginal)), tuple(sorted(marginal - scope))
        known[marginal] = rules.marginal(dropped, others, known[smallest])
    return known


def _value(measure: Measure, table: jax.Array, axes: dict[str, Axes], rules: Rules) -> jax.Array:
    *groups, given = (tuple(sorted(_axes(names, axes))) for names in (*measure.groups, measure.given))
    if len(groups) == 2:
        return rules.information((*groups, given), table)
    return rules.conditional_entropy((*groups, given), table) if given else rules.entropy(groups[0], table)


def _combine(
    output: OutputPlan, table: jax.Array, axes: dict[str, Axes], values: dict[Measure, jax.Array]
) -> jax.Array:
    """The linear combination, its axes in the order of the output."""
    order = [axis for name in output.kept for axis in axes[name]]
    gone = tuple(a for a in range(-table.ndim, 0) if a not in order)
    if not values:
        return jnp.zeros([table.shape[a] for a in order], table.dtype)
    terms = [values[m] if c == 1 else c * values[m] for m, c in output.measures]
    result = jnp.squeeze(sum(terms[1:], terms[0]), gone)
    position = {axis: i for i, axis in enumerate(sorted(order))}
    return jnp.transpose(result, [position[axis] for axis in order])
