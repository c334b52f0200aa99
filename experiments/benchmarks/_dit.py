"""A few tables at a time, next to dit, which takes one table at a time and is left out where it is not installed."""

from __future__ import annotations

import importlib
import importlib.util
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

import jaxinfo
from experiments.benchmarks._case import Case

SHAPES = ((64, 128),)


def _each(measure: str) -> Callable[[np.ndarray], np.ndarray]:
    """Dit's measure of each of a stack of joint tables, in nats."""

    def of_tables(p: np.ndarray) -> np.ndarray:
        dit: Any = importlib.import_module("dit")
        function = getattr(dit.shannon if measure == "entropy" else dit.multivariate, measure)
        outcomes = list(itertools.product(*map(range, p.shape[1:])))
        bits = [function(dit.Distribution(outcomes, list(map(float, table.ravel())))) for table in p]
        return np.array(bits) * np.log(2)

    return of_tables


def _case(name: str, ours: Callable[..., Any], measure: str, inputs: str) -> Case:
    host = {"dit": _each(measure)} if importlib.util.find_spec("dit") else {}
    return Case(name, ours, {}, inputs, differentiable=False, host=host, shapes=SHAPES)


DIT = (
    _case("joint_entropy, few", lambda p: jaxinfo.joint_entropy(p, axis=(-2, -1)), "entropy", "p2"),
    _case(
        "total_correlation, few", lambda p: jaxinfo.total_correlation(p, axis=(-3, -2, -1)), "total_correlation", "p3"
    ),
    _case(
        "dual_total_correlation, few",
        lambda p: jaxinfo.dual_total_correlation(p, axis=(-3, -2, -1)),
        "dual_total_correlation",
        "p3",
    ),
    _case("co_information, few", lambda p: jaxinfo.co_information(p, axis=(-3, -2, -1)), "coinformation", "p3"),
    _case("o_information, few", lambda p: jaxinfo.o_information(p, axis=(-3, -2, -1)), "o_information", "p3"),
)
