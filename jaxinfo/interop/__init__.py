"""Distributions of numpyro, distrax, TFP (on JAX), flowjax and SciPy, taken for ours or wrapped as densities."""

from jaxinfo.interop._conversion import as_distribution

__all__ = ["as_distribution"]
