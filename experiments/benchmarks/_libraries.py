"""The same distribution of parameters in each library, and its entropy and KL as their users would ask for them."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo import distributions

PEERS = {
    "numpyro": "numpyro.distributions",
    "distrax": "distrax",
    "TFP": "tensorflow_probability.substrates.jax.distributions",
    "torch": "torch.distributions",
}


@dataclasses.dataclass(frozen=True)
class Family:
    """A family: its parameters in order, by kind, which all libraries take in this order or by these names.

    Args:
      name: ours, and that of the libraries that are not in `aliases`.
      kinds: of the parameters, see `draw`.
      keywords: the parameters' names, if they are passed by name.
      aliases: the family's name in some libraries; "" where one has none that takes such parameters.
      entropy, kl: whether there is a closed form.
      reversed_in: libraries that take the parameters the other way round.
    """

    name: str
    kinds: tuple[str, ...]
    keywords: tuple[str, ...] = ()
    aliases: dict[str, str] = dataclasses.field(default_factory=dict)
    entropy: bool = True
    kl: bool = True
    reversed_in: tuple[str, ...] = ()


_CHI2: dict[str, str] = dict.fromkeys(("numpyro", "TFP", "torch"), "Chi2")
_FULL = {
    "numpyro": "MultivariateNormal",
    "distrax": "MultivariateNormalTri",
    "TFP": "MultivariateNormalTriL",
    "torch": "MultivariateNormal",
}
_DIAGONAL = {"numpyro": "", "distrax": "MultivariateNormalDiag", "TFP": "MultivariateNormalDiag", "torch": ""}
LOCATION_AND_SCALE = ("real", "positive")

FAMILIES = (
    Family("Normal", LOCATION_AND_SCALE),
    Family("Laplace", LOCATION_AND_SCALE),
    Family("Gumbel", LOCATION_AND_SCALE),
    Family("Cauchy", LOCATION_AND_SCALE),
    Family("Logistic", LOCATION_AND_SCALE, kl=False),
    Family("StudentT", ("positive", *LOCATION_AND_SCALE), kl=False),
    Family("Uniform", ("real", "above")),
    Family("VonMises", LOCATION_AND_SCALE),
    Family("LogNormal", LOCATION_AND_SCALE),
    Family("HalfNormal", ("positive",)),
    Family("Exponential", ("positive",)),
    Family("Gamma", ("positive", "positive")),
    Family("InverseGamma", ("positive", "positive")),
    Family("ChiSquared", ("positive",), aliases=_CHI2),
    Family("Beta", ("positive", "positive")),
    Family("Dirichlet", ("positive vector",)),
    Family("Pareto", ("positive", "positive"), reversed_in=("TFP",)),
    Family("Weibull", ("positive", "positive"), reversed_in=("TFP",)),
    Family("Poisson", ("positive",), entropy=False),
    Family("Geometric", ("unit",), ("probs",)),
    Family("Binomial", ("count", "unit"), ("total_count", "probs"), entropy=False),
    Family("Bernoulli", ("real",), ("logits",)),
    Family("Categorical", ("real vector",), ("logits",)),
    Family("MultivariateNormal", ("real vector", "factor"), aliases=_FULL),
    Family("DiagonalNormal", ("real vector", "positive vector"), aliases=_DIAGONAL),
)
# Pairs of two families, of which torch alone among the peers has more than one or two.
CROSSES = tuple(
    (by_name[p], by_name[q])
    for by_name in ({family.name: family for family in FAMILIES},)
    for p, q in (
        ("Normal", "Laplace"),
        ("Normal", "Gumbel"),
        ("Laplace", "Normal"),
        ("Gumbel", "Normal"),
        ("Uniform", "Normal"),
        ("Uniform", "Gumbel"),
        ("Exponential", "Normal"),
        ("Exponential", "Gamma"),
        ("Exponential", "Gumbel"),
        ("Gamma", "Exponential"),
        ("Gamma", "Gumbel"),
        ("Gamma", "Normal"),
        ("Beta", "Gamma"),
        ("Beta", "Normal"),
        ("Pareto", "Exponential"),
        ("Bernoulli", "Poisson"),
    )
)


def draw(kind: str, size: int, key: jax.Array, before: list[jax.Array]) -> jax.Array:
    """Returns parameters of a kind: a number for each member of the batch, or a vector or triangle of 8."""
    shape = (size,) if "vector" not in kind and kind != "factor" else (size // 10, 8)
    noise = jax.random.normal(key, shape)
    if kind == "factor":
        lower = jnp.tril(0.2 * jax.random.normal(key, (*shape, 8)), -1)
        return lower + jnp.exp(0.3 * noise)[..., None] * jnp.eye(8)
    if kind == "above":
        return before[-1] + jnp.exp(noise)
    if kind == "count":
        return jnp.full(shape, 20.0)
    if kind.startswith("positive"):
        return jnp.exp(noise)
    return jax.nn.sigmoid(noise) if kind == "unit" else noise


def draw_all(family: Family, size: int, key: jax.Array) -> list[jax.Array]:
    """Returns the parameters of a batch of members, in order."""
    found: list[jax.Array] = []
    for kind, each in zip(family.kinds, jax.random.split(key, len(family.kinds)), strict=True):
        found.append(draw(kind, size, each, found))
    return found


def make(family: Family, library: str, module: Any, parameters: list[Any]) -> Any:
    """Returns the library's distribution, or None where it has no such family."""
    if library == "ours" and family.name == "DiagonalNormal":
        return distributions.MultivariateNormal.from_diagonal(*parameters)
    name = family.name if library == "ours" else family.aliases.get(library, family.name)
    constructor = getattr(module, name, None)
    if constructor is None:
        return None
    if family.name == "MultivariateNormal" and library in ("numpyro", "torch"):
        return constructor(parameters[0], scale_tril=parameters[1])
    if family.keywords:
        return constructor(**dict(zip(family.keywords, parameters, strict=True)))
    return constructor(*(reversed(parameters) if library in family.reversed_in else parameters))


def measure_of(measure: str, library: str, module: Any) -> Callable[..., Any]:
    """Returns the library's entropy of one distribution or KL of two."""
    if library == "ours":
        return getattr(distributions, measure)
    if measure == "entropy":
        return lambda p: p.entropy()
    if library in ("numpyro", "torch"):
        return module.kl_divergence
    return lambda p, q: p.kl_divergence(q)


def available() -> dict[str, Any]:
    """Returns the libraries that can be imported, ours first."""
    modules: dict[str, Any] = {"ours": distributions}
    for name, path in PEERS.items():
        try:
            modules[name] = importlib.import_module(path)
        except ImportError:
            print(f"{name} is not installed: left out")
    return modules
