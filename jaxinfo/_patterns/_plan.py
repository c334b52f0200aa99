"""What a pattern asks for: joint entropies, and the direct measures that have the digits these lose."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Hashable, Iterable, Iterator
from fractions import Fraction
from typing import NamedTuple, TypeVar

from jaxinfo._patterns._read import ELLIPSIS, Output, Pattern, Term, fail, read

K = TypeVar("K", bound=Hashable)
Entropies = dict[frozenset[str], Fraction]


class Measure(NamedTuple):
    """H(X|Z) or I(X;Y|Z): one group or two that have nothing in common, nor with the condition."""

    groups: tuple[frozenset[str], ...]
    given: frozenset[str]

    @property
    def variables(self) -> frozenset[str]:
        return self.given.union(*self.groups)


class OutputPlan(NamedTuple):
    """The axes kept, in order, and the same number twice: as measures and as joint entropies."""

    kept: tuple[str, ...]
    measures: tuple[tuple[Measure, float], ...]
    entropies: tuple[tuple[tuple[str, ...], float], ...]


class Plan(NamedTuple):
    """A pattern, and how to compute it."""

    text: str
    pattern: Pattern
    outputs: tuple[OutputPlan, ...]

    def names(self, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        """The axes of a table that each name stands for, counted from the end."""
        names, starts, rank = self.pattern.axes, self.pattern.starts, len(shape)
        leading = names[0] == ELLIPSIS
        count = len(names) - leading
        if rank < count or (rank > count and not leading):
            start = starts[leading + rank] if rank < count else starts[-1]
            problem = f"the pattern names {count} axes and the table has {rank}, shape {shape}"
            expected = "at most one name for each" if leading else "one name for each"
            fail(self.text, start, problem, expected + ", or '...'" * (rank > count))
        named = {name: (i - count,) for i, name in enumerate(names[leading:])}
        return {ELLIPSIS: tuple(range(-rank, -count)), **named}


@functools.lru_cache(maxsize=4096)
def plan(pattern: str) -> Plan:
    parsed = read(pattern)
    order = {name: i for i, name in enumerate(parsed.axes)}
    return Plan(pattern, parsed, tuple(_plan_output(output, order) for output in parsed.outputs))


def _plan_output(output: Output, order: dict[str, int]) -> OutputPlan:
    total = _sum(pair for term in output.terms for pair in _entropies(term).items())
    alone = _as_one_term(total)
    terms = [part for term in ([alone] if alone else output.terms) for part in _direct(term)]
    # Two groups in either order are one measure.
    first = lambda group: min(order[name] for name in group)  # noqa: E731
    measures = _sum((Measure(tuple(sorted(t.groups, key=first)), t.given), t.coefficient) for t in terms if total)
    named = {tuple(sorted(names, key=order.__getitem__)): c for names, c in total.items()}
    by_size = sorted(named, key=lambda names: (len(names), [order[name] for name in names]))
    return OutputPlan(
        output.kept,
        tuple((measure, float(c)) for measure, c in measures.items()),
        tuple((names, float(named[names])) for names in by_size),
    )


def _sum(pairs: Iterable[tuple[K, Fraction]]) -> dict[K, Fraction]:
    """Coefficients added up; what cancels vanishes."""
    total: dict[K, Fraction] = {}
    for key, coefficient in pairs:
        total[key] = total.get(key, Fraction(0)) + coefficient
    return {key: coefficient for key, coefficient in total.items() if coefficient}


def _entropies(term: Term) -> Entropies:
    """By inclusion and exclusion: `-sum_S (-1)^|S| H(union of S, given)` over the sets S of groups."""
    subsets = itertools.chain.from_iterable(itertools.combinations(term.groups, n) for n in range(len(term.groups) + 1))
    pairs = ((term.given.union(*s), -((-1) ** len(s)) * term.coefficient) for s in subsets)
    return _sum((names, c) for names, c in pairs if names)


def _as_one_term(entropies: Entropies) -> Term | None:
    """The multiple of one `H(a | c)` or `I(a; b | c)` that the entropies add up to, if there is one."""
    if len(entropies) > 4:
        return None
    for a, b in itertools.product(entropies, [frozenset(), *entropies]):
        for groups, given in ((a - b,), b), ((a - b, b - a), a & b):
            term = Term(entropies[a], groups, given)
            if all(groups) and _entropies(term) == entropies:
                return term
    return None


def _direct(term: Term) -> Iterator[Term]:
    """The same as a sum of `H(a | c)` and `I(a; b | c)` of groups that have nothing in common."""
    c = term.given
    groups = [group - c for group in term.groups]
    if not all(groups):
        return  # what is known has no information
    if len(groups) > 2:  # I(a; ...; k; l | c) = I(a; ...; k | c) - I(a; ...; k | c, l)
        rest = Term(term.coefficient, tuple(groups[:-1]), c)
        yield from _direct(rest)
        yield from _direct(rest._replace(coefficient=-term.coefficient, given=c | groups[-1]))
    elif len(groups) == 2 and (common := groups[0] & groups[1]):  # H(common | c) + I(a; b | c, common)
        yield Term(term.coefficient, (common,), c)
        yield from _direct(Term(term.coefficient, tuple(groups), c | common))
    else:
        yield Term(term.coefficient, tuple(groups), c)
