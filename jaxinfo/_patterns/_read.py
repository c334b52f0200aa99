"""Reads a pattern. Whatever is wrong with it is a `ValueError` that points at the character.

pattern   =  axes '->' output {',' output}
axes      =  ['...'] {name}
output    =  {name | '...'} ['+' | '-'] term {('+' | '-') term}
term      =  [number ['*']] ('H' | 'I') '(' group {';' group} ['|' group] ')'
group     =  name {name}
"""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import NamedTuple, NoReturn

ELLIPSIS = "..."
_NUMBER = r"\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?"
_TOKEN = re.compile(rf"(?P<space>\s+)|(?P<sign>->|\.\.\.)|(?P<number>{_NUMBER})|(?P<name>[^\W\d]\w*)|(?P<other>.)")


class Token(NamedTuple):
    """A word of a pattern, and where it starts; the end is an empty one."""

    kind: str
    text: str
    start: int


class Term(NamedTuple):
    """`coefficient * H(group | given)`, or `I` of several groups."""

    coefficient: Fraction
    groups: tuple[frozenset[str], ...]
    given: frozenset[str]


class Output(NamedTuple):
    """The axes kept, in order, and the terms."""

    kept: tuple[str, ...]
    terms: tuple[Term, ...]


class Pattern(NamedTuple):
    """A pattern that is right in itself; `starts` are those of the axes and of the arrow."""

    axes: tuple[str, ...]
    starts: tuple[int, ...]
    outputs: tuple[Output, ...]


def fail(pattern: str, start: int, problem: str, expected: str) -> NoReturn:
    shown = re.sub(r"\s", " ", pattern)
    raise ValueError(f"shannon: {problem}; expected {expected}\n    {shown}\n    {' ' * start}^")


def read(pattern: str) -> Pattern:
    if not isinstance(pattern, str):
        raise TypeError(f"shannon: pattern must be a string, got {pattern!r}")
    return _Reader(pattern).pattern()


class _Reader:
    """Walks through the tokens of a pattern; each method reads what it is named after."""

    def __init__(self, pattern: str) -> None:
        self._text = pattern
        words = [Token(m.lastgroup or "", m[0], m.start()) for m in _TOKEN.finditer(pattern)]
        self._tokens = [t for t in words if t.kind != "space"] + [Token("end", "", len(pattern.rstrip()))]
        self._position = 0
        self._axes: tuple[str, ...] = ()

    @property
    def _next(self) -> Token:
        return self._tokens[self._position]

    def _take(self) -> Token:
        self._position += 1
        return self._tokens[self._position - 1]

    def _skip(self, *texts: str) -> str:
        """The next token if it is one of these, else nothing."""
        return self._take().text if self._next.text in texts else ""

    def _fail(self, problem: str, expected: str, at: Token | None = None) -> NoReturn:
        fail(self._text, (at or self._next).start, problem, expected)

    def _unexpected(self, expected: str) -> NoReturn:
        self._fail(f"unexpected {self._next.text!r}" if self._next.text else "the pattern ends early", expected)

    def pattern(self) -> Pattern:
        starts = self._input()
        outputs = [self._output()]
        while self._skip(","):
            outputs.append(self._output())
        if self._next.kind != "end":
            self._unexpected("'+', '-', ',' or the end")
        return Pattern(self._axes, starts, tuple(outputs))

    def _input(self) -> tuple[int, ...]:
        axes: list[Token] = []
        while (token := self._next).kind == "name" or token.text == ELLIPSIS:
            if token.text == ELLIPSIS and axes:
                self._fail("'...' stands for the leading axes", "it before all names, once")
            if token.text in [a.text for a in axes]:
                self._fail(f"axis {token.text} is named twice", "another name")
            axes.append(self._take())
        if self._next.text != "->" or not axes:
            self._unexpected("the name of an axis" + (" or '->'" if axes else ""))
        self._axes = tuple(a.text for a in axes)
        return (*(a.start for a in axes), self._take().start)

    def _known(self, token: Token, names: tuple[str, ...]) -> None:
        if token.text not in self._axes:
            what = "the input has no '...'" if token.text == ELLIPSIS else f"unknown axis {token.text}"
            self._fail(what, f"one of {', '.join(names)}" if names else "one that is not kept", token)

    def _output(self) -> Output:
        kept: list[str] = []
        while self._next.text == ELLIPSIS or (self._next.kind == "name" and not self._is_function()):
            self._known(self._next, self._axes)
            if self._next.text in kept:
                self._fail(f"{self._next.text} is kept twice", "another axis, H(...) or I(...)")
            kept.append(self._take().text)
        terms = [self._term(self._skip("+", "-"), tuple(kept))]
        while sign := self._skip("+", "-"):
            terms.append(self._term(sign, tuple(kept)))
        return Output(tuple(kept), tuple(terms))

    def _is_function(self) -> bool:
        return self._next.kind == "name" and self._tokens[self._position + 1].text == "("

    def _term(self, sign: str, kept: tuple[str, ...]) -> Term:
        coefficient = Fraction(-1 if sign == "-" else 1)
        expected = "H(...) or I(...)"
        if self._next.kind == "number":
            coefficient *= self._number()
            expected = expected if self._skip("*") else f"'*', {expected}"
        if not self._is_function():
            self._unexpected(expected)
        function = self._take()
        if function.text not in ("H", "I"):
            self._fail(f"unknown function {function.text}", "H or I", function)
        self._take()
        groups, given = self._groups(function.text, kept)
        return Term(coefficient, groups, given)

    def _number(self) -> Fraction:
        """As it is written: decimal fractions cancel."""
        token = self._take()
        rounded = float(token.text)
        if math.isinf(rounded):
            self._fail("the number is infinite", "a finite one", token)
        return Fraction(token.text) if rounded else Fraction(0)

    def _groups(self, function: str, kept: tuple[str, ...]) -> tuple[tuple[frozenset[str], ...], frozenset[str]]:
        """What stands between the brackets, and the closing one."""
        after = ";|)" if function == "I" else "|)"
        groups = [self._group(kept, after)]
        while self._skip(";"):
            groups.append(self._group(kept, after))
        if function == "I" and len(groups) == 1:
            self._fail("I takes two groups or more", "';'")
        given = self._group(kept, ")") if self._skip("|") else frozenset()
        self._take()
        return tuple(groups), given

    def _group(self, kept: tuple[str, ...], after: str) -> frozenset[str]:
        """Names of variables, up to one of the signs that may come after."""
        names: list[str] = []
        free = tuple(a for a in self._axes if a not in kept and a != ELLIPSIS)
        while self._next.kind == "name":
            self._known(self._next, free)
            if self._next.text in kept:
                self._fail(f"axis {self._next.text} is kept by this output", "an axis that is not")
            if self._next.text in names:
                self._fail(f"axis {self._next.text} is twice in one group", "another axis")
            names.append(self._take().text)
        if self._next.text == ELLIPSIS:
            self._fail("'...' has no name to be measured by", "the name of an axis")
        if not names:
            self._fail("empty group", "the name of an axis")
        if self._next.kind == "end" or self._next.text not in after:
            *signs, last = (f"'{sign}'" for sign in after)
            expected = ", ".join(["the name of an axis", *signs]) + f" or {last}"
            if self._next.kind == "end":
                self._fail("the bracket is not closed", expected)
            self._unexpected(expected)
        return frozenset(names)
