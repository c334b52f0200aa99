"""numpyro: what its classes are here."""

import math
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo.distributions._supports import Integers, Interval, Reals
from jaxinfo.interop._foreign import Library
from jaxinfo.interop._rows import (
    Convert,
    chain,
    complement,
    independent,
    mixture,
    row,
    sigmoid_of,
    transformed,
)


def _expanded(original: Any, convert: Convert) -> Any:
    base = convert(original.base_dist)
    return base and base.broadcast_to(original.batch_shape)


def _gamma_poisson(original: Any) -> jax.Array:
    # With a rate r of the gamma variable a failure has probability 1 / (1 + r); at r = inf there is none.
    return 1 / (1 + 1 / jnp.asarray(original.rate))


_MAPS = {
    "AffineTransform": row("bijectors.Affine", "loc", "scale"),
    "ComposeTransform": lambda original, convert: chain(original.parts[::-1], convert),
    "ExpTransform": row("bijectors.Exp"),
    "SigmoidTransform": row("bijectors.Sigmoid"),
    "SoftplusTransform": row("bijectors.Softplus"),
}

_ROWS = {
    "BernoulliLogits": row("Bernoulli", "logits"),
    "BernoulliProbs": row("Bernoulli", "probs"),
    "Beta": row("Beta", "concentration1", "concentration0"),
    "BinomialLogits": row("Binomial", "total_count", probs=sigmoid_of("logits")),
    "BinomialProbs": row("Binomial", "total_count", "probs"),
    "CategoricalLogits": row("Categorical", "logits"),
    "CategoricalProbs": row("Categorical", "probs"),
    "Cauchy": row("Cauchy", "loc", "scale"),
    "Chi2": row("ChiSquared", "df"),
    "Dirichlet": row("Dirichlet", "concentration"),
    "ExpandedDistribution": _expanded,
    "Exponential": row("Exponential", "rate"),
    "Gamma": row("Gamma", "concentration", "rate"),
    # Of negative binomials, numpyro counts the successes before `total_count` failures, and jaxinfo the failures.
    "GammaPoisson": row("NegativeBinomial", total_count="concentration", probs=_gamma_poisson),
    "GeometricLogits": row("Geometric", probs=sigmoid_of("logits")),
    "GeometricProbs": row("Geometric", "probs"),
    "Gumbel": row("Gumbel", "loc", "scale"),
    "HalfNormal": row("HalfNormal", "scale"),
    "Independent": independent("base_dist", "reinterpreted_batch_ndims"),
    # Its rate is that of the gamma variable of which it is the reciprocal: a scale of its own.
    "InverseGamma": row("InverseGamma", "concentration", scale="rate"),
    "Laplace": row("Laplace", "loc", "scale"),
    "LogNormal": row("LogNormal", "loc", "scale"),
    "Logistic": row("Logistic", "loc", "scale"),
    "LowRankMultivariateNormal": row(
        "MultivariateNormal.from_low_rank", "loc", factor="cov_factor", diagonal="cov_diag"
    ),
    "MixtureGeneral": mixture("mixing_distribution", "component_distributions"),
    "MixtureSameFamily": mixture("mixing_distribution", "component_distribution"),
    "MultinomialLogits": row("Multinomial", "total_count", "probs"),
    "MultinomialProbs": row("Multinomial", "total_count", "probs"),
    "MultivariateNormal": row("MultivariateNormal", "loc", "scale_tril"),
    "NegativeBinomial2": row("NegativeBinomial", total_count="concentration", probs=_gamma_poisson),
    "NegativeBinomialLogits": row("NegativeBinomial", "total_count", probs=sigmoid_of("logits", -1)),
    "NegativeBinomialProbs": row("NegativeBinomial", "total_count", probs=complement("probs")),
    "Normal": row("Normal", "loc", "scale"),
    "Pareto": row("Pareto", "scale", concentration="alpha"),
    "Poisson": row("Poisson", "rate"),
    "StudentT": row("StudentT", "df", "loc", "scale"),
    "TransformedDistribution": transformed("base_dist", "transforms", _MAPS),
    "Uniform": row("Uniform", "low", "high"),
    "VonMises": row("VonMises", "loc", "concentration"),
    "Weibull": row("Weibull", "scale", "concentration"),
    "Wishart": row("Wishart", "scale_tril", df="concentration"),
}


def _batch_shape(original: Any) -> tuple[int, ...]:
    # Not the shape that numpyro remembers: under vmap it has the mapped axis too, and the parameters have not.
    discrete = getattr(original.support, "is_discrete", False)
    point = jnp.zeros(original.event_shape, int if discrete else float)
    return jax.eval_shape(original.log_prob, point).shape


def _support(original: Any) -> Any:
    constraint, event = original.support, len(original.event_shape)
    kind = type(constraint).__name__
    if kind == "_Boolean" and not event:
        return Integers(0, 1)
    if event:
        return Reals(event) if kind in ("_RealVector", "_RealMatrix") else None
    ends = getattr(constraint, "lower_bound", None), getattr(constraint, "upper_bound", None)
    if all(end is None for end in ends) and kind != "_Real":
        return None
    low, high = (default if end is None else end for end, default in zip(ends, (-math.inf, math.inf), strict=True))
    return (Integers if constraint.is_discrete else Interval)(low, high)


LIBRARY = Library(
    base="numpyro",
    home="numpyro.distributions",
    rows=_ROWS,
    sample=lambda original, key, shape: original.sample(key, shape),
    mean=lambda original: original.mean,
    variance=lambda original: original.variance,
    batch_shape=_batch_shape,
    event_shape=lambda original: tuple(original.event_shape),
    support=_support,
)
