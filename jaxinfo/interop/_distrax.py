"""distrax: what its classes are here."""

from typing import Any

import jax.numpy as jnp

from jaxinfo import distributions
from jaxinfo.interop._foreign import Library
from jaxinfo.interop._rows import (
    Convert,
    chain,
    image_of_line,
    independent,
    mixture,
    probs_or_logits,
    row,
    transformed,
)


def _triangular_normal(original: Any, _: Convert) -> Any:
    if original.is_lower:
        return distributions.MultivariateNormal(original.loc, original.scale_tri)
    return distributions.MultivariateNormal.from_covariance(original.loc, original.covariance())


def _mixture_of_two(original: Any, convert: Convert) -> Any:
    # Its parts have no public names.
    parts = tuple(convert(vars(original)[name]) for name in ("_component_a", "_component_b"))
    if None in parts:
        return None
    weights = jnp.stack(jnp.broadcast_arrays(original.prob_a, original.prob_b), axis=-1)
    return distributions.Mixture(weights, parts)


# Only its private attributes tell which of the two was given; the public ones turn one into the other.
_BERNOULLI = probs_or_logits("Bernoulli", "_probs", "_logits")
_CATEGORICAL = probs_or_logits("Categorical", "_probs", "_logits")
_FULL_NORMAL = row("MultivariateNormal.from_covariance", "loc", covariance=lambda original: original.covariance())

_MAPS = {
    "Chain": lambda original, convert: chain(original.bijectors, convert),
    "ScalarAffine": row("bijectors.Affine", loc="shift", scale="scale"),
    "Shift": row("bijectors.Affine", loc="shift", scale=lambda _: 1.0),
    "Sigmoid": row("bijectors.Sigmoid"),
    "Tanh": row("bijectors.Tanh"),
}

_ROWS = {
    "Bernoulli": _BERNOULLI,
    "Beta": row("Beta", concentration1="alpha", concentration0="beta"),
    "Categorical": _CATEGORICAL,
    "Dirichlet": row("Dirichlet", "concentration"),
    "EpsilonGreedy": _CATEGORICAL,
    "Gamma": row("Gamma", "concentration", "rate"),
    "Greedy": _CATEGORICAL,
    "Gumbel": row("Gumbel", "loc", "scale"),
    "Independent": independent("distribution", "reinterpreted_batch_ndims"),
    "Laplace": row("Laplace", "loc", "scale"),
    "LogStddevNormal": row("Normal", "loc", "scale"),
    "Logistic": row("Logistic", "loc", "scale"),
    "MixtureOfTwo": _mixture_of_two,
    "MixtureSameFamily": mixture("mixture_distribution", "components_distribution"),
    "Multinomial": row("Multinomial", "total_count", "probs"),
    "MultivariateNormalDiag": row("MultivariateNormal.from_diagonal", "loc", scale="scale_diag"),
    "MultivariateNormalDiagPlusLowRank": _FULL_NORMAL,
    "MultivariateNormalFromBijector": _FULL_NORMAL,
    "MultivariateNormalFullCovariance": _FULL_NORMAL,
    "MultivariateNormalTri": _triangular_normal,
    "Normal": row("Normal", "loc", "scale"),
    # One draw of a multinomial distribution, as a vector too.
    "OneHotCategorical": row("Multinomial", "probs", total_count=lambda _: 1),
    "Softmax": _CATEGORICAL,
    "Transformed": transformed("distribution", "bijector", _MAPS),
    "Uniform": row("Uniform", "low", "high"),
    "VonMises": row("VonMises", "loc", "concentration"),
}


def _support(original: Any) -> Any:
    """Known for images of the real line only: distrax has no word for a support."""
    lines = ("Gumbel", "Laplace", "LogStddevNormal", "Logistic", "Normal")
    base = getattr(original, "distribution", None)
    if original.event_shape or type(original).__name__ != "Transformed" or type(base).__name__ not in lines:
        return None
    return image_of_line(original.bijector, original.dtype)


LIBRARY = Library(
    base="distrax",
    home="distrax",
    rows=_ROWS,
    sample=lambda original, key, shape: original.sample(seed=key, sample_shape=shape),
    mean=lambda original: original.mean(),
    variance=lambda original: original.variance(),
    batch_shape=lambda original: tuple(original.batch_shape),
    event_shape=lambda original: tuple(original.event_shape),
    support=_support,
)
