"""SciPy's frozen distributions: what they are here. Their parameters are numbers, known on the host."""

import types
from typing import Any, NamedTuple

import numpy as np

from jaxinfo import distributions
from jaxinfo.distributions.bijectors import Affine
from jaxinfo.interop._moved import Moved
from jaxinfo.interop._rows import Row, reciprocal, row


class _Scalar(NamedTuple):
    """A family of SciPy.

    Args:
      row: our family, its parameters read by SciPy's names.
      moved_by: which of SciPy's `loc` and `scale` no parameter of ours stands for: they move and stretch our family.
      origin: the integer where SciPy begins to count and ours with 0.
    """

    row: Row
    moved_by: tuple[str, ...] = ()
    origin: int = 0


_LOC, _LOC_AND_SCALE = ("loc",), ("loc", "scale")

_SCALARS = {
    "bernoulli": _Scalar(row("Bernoulli", probs="p"), _LOC),
    "beta": _Scalar(row("Beta", concentration1="a", concentration0="b"), _LOC_AND_SCALE),
    "binom": _Scalar(row("Binomial", total_count="n", probs="p"), _LOC),
    "cauchy": _Scalar(row("Cauchy", "loc", "scale")),
    "chi2": _Scalar(row("ChiSquared", "df"), _LOC_AND_SCALE),
    "expon": _Scalar(row("Exponential", rate=reciprocal("scale")), _LOC),
    "gamma": _Scalar(row("Gamma", concentration="a", rate=reciprocal("scale")), _LOC),
    # SciPy counts the trials up to the first success, ours the failures before it.
    "geom": _Scalar(row("Geometric", probs="p"), _LOC, origin=1),
    "gumbel_r": _Scalar(row("Gumbel", "loc", "scale")),
    "halfnorm": _Scalar(row("HalfNormal", "scale"), _LOC),
    "invgamma": _Scalar(row("InverseGamma", "scale", concentration="a"), _LOC),
    # The mean, in units of the scale.
    "invgauss": _Scalar(row("InverseGaussian", loc=lambda own: own.mu * own.scale, concentration="scale"), _LOC),
    "laplace": _Scalar(row("Laplace", "loc", "scale")),
    "logistic": _Scalar(row("Logistic", "loc", "scale")),
    "lognorm": _Scalar(row("LogNormal", loc=lambda own: np.log(own.scale), scale="s"), _LOC),
    "nbinom": _Scalar(row("NegativeBinomial", total_count="n", probs="p"), _LOC),
    "norm": _Scalar(row("Normal", "loc", "scale")),
    "pareto": _Scalar(row("Pareto", "scale", concentration="b"), _LOC),
    "poisson": _Scalar(row("Poisson", rate="mu"), _LOC),
    "t": _Scalar(row("StudentT", "df", "loc", "scale")),
    "uniform": _Scalar(row("Uniform", low="loc", high=lambda own: own.loc + own.scale)),
    "vonmises": _Scalar(row("VonMises", "loc", concentration="kappa"), ("scale",)),
    "weibull_min": _Scalar(row("Weibull", "scale", concentration="c"), _LOC),
}

_VECTORS = {
    "dirichlet_frozen": row("Dirichlet", concentration="alpha"),
    "multinomial_frozen": row("Multinomial", total_count="n", probs="p"),
    "multivariate_normal_frozen": row("MultivariateNormal.from_covariance", loc="mean", covariance="cov"),
    "vonmises_fisher_frozen": row("VonMisesFisher", mean_direction="mu", concentration="kappa"),
    "wishart_frozen": row("Wishart", "df", scale_tril=lambda own: np.linalg.cholesky(own.scale)),
}


def is_distribution(obj: Any) -> bool:
    """Whether `obj` is a distribution of SciPy."""
    package = type(obj).__module__.partition(".")[0]
    return package == "scipy" and any(hasattr(obj, name) for name in ("logpdf", "logpmf"))


def convert(obj: Any) -> Any:
    """Returns the distribution of ours that a frozen one of SciPy stands for."""
    kind = type(obj).__name__
    if kind in _VECTORS:
        return _VECTORS[kind](obj, convert)
    frozen_family = getattr(obj, "dist", None)
    scalar = _SCALARS.get(getattr(frozen_family, "name", ""))
    if scalar is None:
        raise TypeError(
            f"interop.as_distribution: no family of jaxinfo stands for {_name(obj)}, and its values cannot be traced; "
            "freeze a distribution by giving its parameters, or write its log_prob in JAX"
        )
    own = _parameters(obj)
    return _moved(obj, scalar.row(own, convert), scalar, own)


def _moved(obj: Any, base: Any, scalar: _Scalar, own: types.SimpleNamespace) -> Any:
    loc = (own.loc if "loc" in scalar.moved_by else 0) + scalar.origin
    scale = own.scale if "scale" in scalar.moved_by else 1
    if np.all(loc == 0) and np.all(scale == 1):
        return base
    if "loc" not in scalar.moved_by:
        raise TypeError(f"interop.as_distribution: no family of jaxinfo stands for {_name(obj)} of another scale")
    kind = Moved if hasattr(obj, "logpmf") and not hasattr(obj, "logpdf") else distributions.Transformed
    return kind(base, Affine(float(loc) if np.ndim(loc) == 0 else loc, 1.0 * scale))


def _parameters(obj: Any) -> types.SimpleNamespace:
    """The parameters of a frozen distribution by name, those that were not given at their defaults."""
    shapes = obj.dist.shapes
    names = [*(shapes.replace(",", " ").split() if shapes else ()), "loc", "scale"]
    given = dict(zip(names, obj.args, strict=False)) | obj.kwds
    return types.SimpleNamespace(**{"loc": 0.0, "scale": 1.0} | given)


def _name(obj: Any) -> str:
    return f"scipy.stats.{getattr(getattr(obj, 'dist', obj), 'name', type(obj).__name__)}"
