"""flowjax: what its classes are here."""

import importlib
import math
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo import distributions
from jaxinfo.distributions._supports import Interval, Reals
from jaxinfo.interop._foreign import Library
from jaxinfo.interop._rows import Convert, Converter, reciprocal, row


def _plain(original: Any) -> Any:
    """Parameters of flowjax are kept unconstrained; this puts them back in their domains."""
    if original.cond_shape is not None:
        raise TypeError(f"interop.as_distribution: the density of {type(original).__name__} depends on a condition")
    return importlib.import_module("paramax").unwrap(original)


def _of_shape(converter: Converter) -> Converter:
    """A row for a library of draws of any shape and no batches: the axes of parameters are those of one draw."""

    def converted(original: Any, convert: Convert) -> Any:
        base = converter(original, convert)
        return distributions.Independent(base, len(original.shape)) if original.shape else base

    return converted


def _mixture(original: Any, convert: Convert) -> Any:
    # The parameters of all components are stacked, in front of the axes of one draw.
    components = convert(original.dist)
    return components and distributions.Mixture(jnp.exp(original.log_normalized_weights), components)


def _standard_normal(original: Any, _: Convert) -> Any:
    return distributions.Normal(jnp.zeros(original.shape), jnp.ones(original.shape))


_ROWS = {
    "Beta": _of_shape(row("Beta", concentration1="alpha", concentration0="beta")),
    "Cauchy": _of_shape(row("Cauchy", "loc", "scale")),
    "Exponential": _of_shape(row("Exponential", rate=reciprocal("bijection.scale"))),
    "Gamma": _of_shape(row("Gamma", concentration="base_dist.concentration", rate=reciprocal("bijection.scale"))),
    "Gumbel": _of_shape(row("Gumbel", "loc", "scale")),
    "Laplace": _of_shape(row("Laplace", "loc", "scale")),
    "LogNormal": _of_shape(row("LogNormal", loc="base_dist.loc", scale="base_dist.scale")),
    "Logistic": _of_shape(row("Logistic", "loc", "scale")),
    "MultivariateNormal": row("MultivariateNormal", "loc", scale_tril="bijection.triangular"),
    "Normal": _of_shape(row("Normal", "loc", "scale")),
    "StandardNormal": _of_shape(_standard_normal),
    "StudentT": _of_shape(row("StudentT", "df", "loc", "scale")),
    "Uniform": _of_shape(row("Uniform", low="minval", high="maxval")),
    "VmapMixture": _mixture,
}


def _unknown(original: Any) -> Any:
    raise NotImplementedError


def _sample(original: Any, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    # flowjax takes keys of the new kind only.
    typed = key if jnp.issubdtype(key.dtype, jax.dtypes.prng_key) else jax.random.wrap_key_data(key)
    return original.sample(typed, shape)


LIBRARY = Library(
    base="flowjax",
    home="flowjax.distributions",
    rows=_ROWS,
    sample=_sample,
    mean=_unknown,
    variance=_unknown,
    batch_shape=lambda _: (),
    event_shape=lambda original: tuple(original.shape),
    # Outside its support a density of flowjax is zero, and it does not say where that is.
    support=lambda original: Reals(len(original.shape)) if original.shape else Interval(-math.inf, math.inf),
    plain=_plain,
)
