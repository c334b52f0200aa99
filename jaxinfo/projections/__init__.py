"""Fits: the member of a family that is closest to a target, found by descent."""

from jaxinfo.projections._divergences import ForwardKL, ReverseKL
from jaxinfo.projections._fit import Fit, History, fit

__all__ = ["Fit", "ForwardKL", "History", "ReverseKL", "fit"]
