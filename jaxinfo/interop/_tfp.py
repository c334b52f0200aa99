"""TensorFlow Probability on JAX: what its classes are here."""

import math
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo import distributions
from jaxinfo.distributions._supports import Integers, Reals
from jaxinfo.interop._foreign import Library
from jaxinfo.interop._rows import (
    Convert,
    Converter,
    chain,
    either,
    image_of_line,
    independent,
    mixture,
    probs_or_logits,
    row,
    transformed,
)

_PROBS = either("probs", "logits", jax.nn.sigmoid)


def _probs_of_failure(original: Any) -> jax.Array:
    return jax.nn.sigmoid(-original.logits) if original.probs is None else 1 - original.probs


def _mean(original: Any) -> jax.Array:
    # The location may be None, which stands for zero.
    return original.mean()


def _full_normal(original: Any, _: Convert) -> Any:
    # A factor of the covariance, in general not a triangular one.
    factor = original.scale.to_dense()
    return distributions.MultivariateNormal.from_covariance(original.mean(), factor @ jnp.swapaxes(factor, -1, -2))


def _wishart(original: Any, convert: Convert) -> Any:
    # With that option a value is the triangular factor of a matrix.
    return None if original.input_output_cholesky else row("Wishart", "df", "scale_tril")(original, convert)


def _plain(constructor: str, *options: str) -> Converter:
    """A row for a map without parameters, unless one of its options is set."""

    def converter(original: Any, convert: Convert) -> Any:
        unset = all(getattr(original, option) is None for option in options)
        return row(constructor)(original, convert) if unset else None

    return converter


_MAPS = {
    "Chain": lambda original, convert: chain(original.bijectors, convert),
    "Exp": row("bijectors.Exp"),
    "Scale": row("bijectors.Affine", loc=lambda _: 0.0, scale=either("scale", "log_scale", jnp.exp)),
    "Shift": row("bijectors.Affine", loc="shift", scale=lambda _: 1.0),
    "Sigmoid": _plain("bijectors.Sigmoid", "low", "high"),
    "Softplus": _plain("bijectors.Softplus", "hinge_softness", "low"),
    "Tanh": row("bijectors.Tanh"),
}

_ROWS = {
    "Bernoulli": probs_or_logits("Bernoulli", "probs", "logits"),
    "Beta": row("Beta", "concentration1", "concentration0"),
    "Binomial": row("Binomial", "total_count", probs=_PROBS),
    "Categorical": probs_or_logits("Categorical", "probs", "logits"),
    "Cauchy": row("Cauchy", "loc", "scale"),
    "Chi2": row("ChiSquared", "df"),
    "Dirichlet": row("Dirichlet", "concentration"),
    "Exponential": row("Exponential", "rate"),
    "Gamma": row("Gamma", "concentration", rate=either("rate", "log_rate", jnp.exp)),
    "Geometric": row("Geometric", probs=_PROBS),
    "Gumbel": row("Gumbel", "loc", "scale"),
    "HalfNormal": row("HalfNormal", "scale"),
    "Independent": independent("distribution", "reinterpreted_batch_ndims"),
    "InverseGamma": row("InverseGamma", "concentration", "scale"),
    "InverseGaussian": row("InverseGaussian", "loc", "concentration"),
    "Laplace": row("Laplace", "loc", "scale"),
    "LogNormal": row("LogNormal", "loc", "scale"),
    "Logistic": row("Logistic", "loc", "scale"),
    "Mixture": mixture("cat", "components"),
    "MixtureSameFamily": mixture("mixture_distribution", "components_distribution"),
    "Multinomial": row("Multinomial", "total_count", probs=either("probs", "logits", jax.nn.softmax)),
    "MultivariateNormalDiag": row(
        "MultivariateNormal.from_diagonal", loc=_mean, scale=lambda original: jnp.abs(original.scale.diag_part())
    ),
    "MultivariateNormalDiagPlusLowRank": _full_normal,
    "MultivariateNormalDiagPlusLowRankCovariance": row(
        "MultivariateNormal.from_low_rank",
        loc=_mean,
        factor=lambda original: original.parameters["cov_perturb_factor"],
        diagonal=lambda original: original.parameters["cov_diag_factor"],
    ),
    "MultivariateNormalFullCovariance": row(
        "MultivariateNormal", loc=_mean, scale_tril=lambda original: original.scale.to_dense()
    ),
    "MultivariateNormalLinearOperator": _full_normal,
    "MultivariateNormalTriL": row("MultivariateNormal", "scale_tril", loc=_mean),
    # As in numpyro, the successes before `total_count` failures.
    "NegativeBinomial": row("NegativeBinomial", "total_count", probs=_probs_of_failure),
    "Normal": row("Normal", "loc", "scale"),
    # One draw of a multinomial distribution, as a vector too.
    "OneHotCategorical": row("Multinomial", total_count=lambda _: 1, probs=either("probs", "logits", jax.nn.softmax)),
    "Pareto": row("Pareto", "scale", "concentration"),
    "Poisson": row("Poisson", rate=either("rate", "log_rate", jnp.exp)),
    "StudentT": row("StudentT", "df", "loc", "scale"),
    "TransformedDistribution": transformed("distribution", "bijector", _MAPS),
    "Uniform": row("Uniform", "low", "high"),
    "VonMises": row("VonMises", "loc", "concentration"),
    "VonMisesFisher": row("VonMisesFisher", "mean_direction", "concentration"),
    "Weibull": row("Weibull", "scale", "concentration"),
    "WishartTriL": _wishart,
}

# The integers of classes without a row; for other discrete ones the support is not known.
_INTEGERS = {
    "BetaBinomial": lambda original: Integers(0, original.total_count),
    "PoissonLogNormalQuadratureCompound": lambda _: Integers(0, math.inf),
    "ProbitBernoulli": lambda _: Integers(0, 1),
    "Skellam": lambda _: Integers(-math.inf, math.inf),
    "Zipf": lambda _: Integers(1, math.inf),
}


def _support(original: Any) -> Any:
    integers = _INTEGERS.get(type(original).__name__)
    if integers is not None:
        return integers(original)
    try:
        # It maps the real numbers onto the support.
        bijector = original.experimental_default_event_space_bijector()
    except NotImplementedError:
        return None
    ndim = len(_event_shape(original))
    if ndim:
        return Reals(ndim) if type(bijector).__name__ == "Identity" else None
    return bijector and image_of_line(bijector, original.dtype)


def _event_shape(original: Any) -> tuple[int, ...]:
    return tuple(original.event_shape)


def _log_prob(original: Any, x: jax.Array) -> jax.Array:
    # TFP takes real values of its own precision only.
    real = jnp.issubdtype(x.dtype, jnp.floating) and jnp.issubdtype(original.dtype, jnp.floating)
    return original.log_prob(x.astype(original.dtype) if real else x)


LIBRARY = Library(
    base="tensorflow_probability.substrates.jax",
    home="tensorflow_probability.substrates.jax",
    rows=_ROWS,
    sample=lambda original, key, shape: original.sample(shape, seed=key),
    mean=lambda original: original.mean(),
    variance=lambda original: original.variance(),
    batch_shape=lambda original: tuple(original.batch_shape),
    event_shape=_event_shape,
    support=_support,
    log_prob=_log_prob,
)
