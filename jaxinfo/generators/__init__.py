"""Generators of f-divergences, for `jaxinfo.f_divergence` and `jaxinfo.logits.f_divergence`.

Each function makes a `Generator`; two made with the same numbers are equal, so that a measure is compiled once.
"""

from jaxinfo.generators._generator import Generator
from jaxinfo.generators._usual import (
    alpha,
    jeffreys,
    jensen_shannon,
    kullback_leibler,
    neyman_chi_squared,
    pearson_chi_squared,
    reverse_kullback_leibler,
    squared_hellinger,
    total_variation,
    triangular_discrimination,
)

__all__ = [
    "Generator",
    "alpha",
    "jeffreys",
    "jensen_shannon",
    "kullback_leibler",
    "neyman_chi_squared",
    "pearson_chi_squared",
    "reverse_kullback_leibler",
    "squared_hellinger",
    "total_variation",
    "triangular_discrimination",
]
