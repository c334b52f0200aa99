"""Fits: the member of a family that is closest to a target, found by descent or by its moments."""

from jaxinfo.projections._divergences import (
    Alpha,
    ChiSquared,
    FDivergence,
    ForwardKL,
    Hellinger,
    Jeffreys,
    JensenShannon,
    Renyi,
    ReverseKL,
    TotalVariation,
)
from jaxinfo.projections._estimators import SelfNormalizedImportance
from jaxinfo.projections._fit import Fit, History, fit
from jaxinfo.projections._optima import LocalOptimum
from jaxinfo.projections._project import project
from jaxinfo.projections._steps import FitState, init, step
from jaxinfo.projections._targets import Parameterized, Samples, UnnormalizedLogProb, parameterized

__all__ = [
    "Alpha",
    "ChiSquared",
    "FDivergence",
    "Fit",
    "FitState",
    "ForwardKL",
    "Hellinger",
    "History",
    "Jeffreys",
    "JensenShannon",
    "LocalOptimum",
    "Parameterized",
    "Renyi",
    "ReverseKL",
    "Samples",
    "SelfNormalizedImportance",
    "TotalVariation",
    "UnnormalizedLogProb",
    "fit",
    "init",
    "parameterized",
    "project",
    "step",
]
