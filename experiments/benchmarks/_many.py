"""Measures of many variables, next to sums and differences of entropies."""

from __future__ import annotations

from collections.abc import Callable

import jax
from jax.scipy.special import entr

import jaxinfo
from experiments.benchmarks._case import Case, Function
from jaxinfo import logits

ALL = (-3, -2, -1)


def _entropies(p: jax.Array) -> tuple[list[jax.Array], list[jax.Array], jax.Array]:
    """H of each of three variables, of each pair, and of all."""
    singles = [entr(p.sum(axes)).sum(-1) for axes in ((-2, -1), (-3, -1), (-3, -2))]
    pairs = [entr(p.sum(axis)).sum((-2, -1)) for axis in ALL]
    return singles, pairs, entr(p).sum(ALL)


def _total_correlation(p: jax.Array) -> jax.Array:
    singles, _, whole = _entropies(p)
    return sum(singles) - whole


def _dual_total_correlation(p: jax.Array) -> jax.Array:
    _, pairs, whole = _entropies(p)
    return sum(pairs) - 2 * whole


def _co_information(p: jax.Array) -> jax.Array:
    singles, pairs, whole = _entropies(p)
    return sum(singles) - sum(pairs) + whole


def _transfer_entropy(p: jax.Array) -> jax.Array:
    past = entr(p.sum((-3, -1))).sum(-1)
    return entr(p.sum(-1)).sum((-2, -1)) + entr(p.sum(-3)).sum((-2, -1)) - past - entr(p).sum(ALL)


def _two(p: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    return entr(p.sum(-1)).sum(-1), entr(p.sum(-2)).sum(-1), entr(p).sum((-2, -1))


def _normalized(p: jax.Array) -> jax.Array:
    h_x, h_y, h_xy = _two(p)
    return 2 * (h_x + h_y - h_xy) / (h_x + h_y)


def _variation(p: jax.Array) -> jax.Array:
    h_x, h_y, h_xy = _two(p)
    return 2 * h_xy - h_x - h_y


def _softmaxed(f: Function, axes: tuple[int, ...]) -> Function:
    return lambda z: f(jax.nn.softmax(z, axis=axes))


def _of_three(measure: Callable[..., jax.Array]) -> Function:
    return lambda p: measure(p, axis=ALL)


MANY = (
    Case("total_correlation", _of_three(jaxinfo.total_correlation), {"entr": _total_correlation}, "p3"),
    Case("dual_total_correlation", _of_three(jaxinfo.dual_total_correlation), {"entr": _dual_total_correlation}, "p3"),
    Case("co_information", _of_three(jaxinfo.co_information), {"entr": _co_information}, "p3"),
    Case("o_information", _of_three(jaxinfo.o_information), {"entr": _co_information}, "p3"),
    Case("transfer_entropy", jaxinfo.transfer_entropy, {"entr": _transfer_entropy}, "p3"),
    Case("normalized_mutual_information", jaxinfo.normalized_mutual_information, {"entr": _normalized}, "p2"),
    Case("variation_of_information", jaxinfo.variation_of_information, {"entr": _variation}, "p2"),
    Case(
        "logits.total_correlation",
        _of_three(logits.total_correlation),
        {"softmax": _softmaxed(_total_correlation, ALL)},
        "z3",
    ),
    Case(
        "logits.dual_total_correlation",
        _of_three(logits.dual_total_correlation),
        {"softmax": _softmaxed(_dual_total_correlation, ALL)},
        "z3",
    ),
    Case(
        "logits.variation_of_information",
        logits.variation_of_information,
        {"softmax": _softmaxed(_variation, (-2, -1))},
        "z2",
    ),
)
