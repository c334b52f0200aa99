"""Which measures of which distributions have closed forms: tables for the README, asked of the registry itself.

What a table calls a formula cannot raise (`tests/distributions/test_closed_form_tables.py`), and what it does not, is
answered by `jaxinfo.densities`.
"""

from typing import Any

import numpy as np

from jaxinfo import distributions
from jaxinfo.distributions import _exponential_family
from jaxinfo.distributions._formulas.crosses_shared import INFINITE
from jaxinfo.distributions._registry import closed_form

FORMULA, GENERIC, INFINITY, NUMERICAL = "formula", "generic", "∞", "numerical"

OF_ONE = ("entropy", "fisher_information")
OF_TWO = (
    *("cross_entropy", "kl_divergence", "renyi_divergence", "bhattacharyya_distance", "hellinger_distance"),
    *("jensen_shannon_bounds", "wasserstein_distance"),
)
# Those that are computed from another, and are of its kind.
_DERIVED = {"bhattacharyya_distance": "renyi_divergence", "hellinger_distance": "renyi_divergence"}

_SHARES = np.array([0.25, 0.75])
# A member of each family; a family of the library that is not here is an error in the tests.
MEMBERS: dict[str, dict[str, Any]] = {
    "Bernoulli": {"probs": 0.25},
    "Categorical": {"probs": _SHARES},
    "Binomial": {"total_count": 3, "probs": 0.25},
    "Geometric": {"probs": 0.25},
    "NegativeBinomial": {"total_count": 3.0, "probs": 0.25},
    "Poisson": {"rate": 1.5},
    "Multinomial": {"total_count": 3, "probs": _SHARES},
    "Normal": {"loc": 0.5, "scale": 1.0},
    "Laplace": {"loc": 0.5, "scale": 1.0},
    "Logistic": {"loc": 0.5, "scale": 0.5},
    "Gumbel": {"loc": 0.5, "scale": 1.5},
    "StudentT": {"df": 5.0, "loc": 0.5, "scale": 1.0},
    "Cauchy": {"loc": 0.5, "scale": 1.0},
    "Exponential": {"rate": 1.5},
    "Gamma": {"concentration": 2.5, "rate": 1.5},
    "InverseGamma": {"concentration": 2.5, "scale": 1.5},
    "ChiSquared": {"df": 3.0},
    "Weibull": {"scale": 1.5, "concentration": 2.0},
    "LogNormal": {"loc": 0.5, "scale": 0.75},
    "HalfNormal": {"scale": 1.5},
    "InverseGaussian": {"loc": 1.5, "concentration": 2.0},
    "Pareto": {"scale": 0.5, "concentration": 5.0},
    "Beta": {"concentration1": 2.5, "concentration0": 1.5},
    "Uniform": {"low": 0.5, "high": 0.75},
    "VonMises": {"loc": 0.5, "concentration": 1.5},
    "Dirichlet": {"concentration": np.array([2.5, 1.5])},
    "VonMisesFisher": {"mean_direction": np.array([0.6, 0.8]), "concentration": 1.5},
    "MultivariateNormal": {"loc": np.zeros(2), "scale_tril": np.eye(2)},
    "Wishart": {"df": 4.0, "scale_tril": np.eye(2)},
}
COUNTS = ("Bernoulli", "Categorical", "Binomial", "Geometric", "NegativeBinomial", "Poisson")
# Of these no two families have values in common.
VECTORS = ("Multinomial", "VonMises", "Dirichlet", "VonMisesFisher", "MultivariateNormal", "Wishart")


def families() -> list[str]:
    """The families that the library has, in the order of `MEMBERS`."""
    return [name for name in MEMBERS if name in distributions.__all__]


def member(name: str) -> Any:
    parameters = {key: np.asarray(value, np.float32) for key, value in MEMBERS[name].items()}
    return getattr(distributions, name)(**parameters)


def answer(measure: str, *names: str) -> str:
    """How the library knows a measure of members of these families."""
    members = [member(name) for name in names]
    found = closed_form(measure, *members)
    if found is None:
        return NUMERICAL
    if found is INFINITE:
        return INFINITY
    kind = type(members[0])
    if measure in _DERIVED:
        return answer(_DERIVED[measure], *names)
    family = _exponential_family.ExponentialFamily
    if not issubclass(kind, family):
        return FORMULA
    if measure in ("kl_divergence", "renyi_divergence") and kind._bregman is not family._bregman:  # noqa: SLF001
        return FORMULA  # the generic route, but for a Bregman divergence of its own
    by_generic = _exponential_family._formula if len(names) > 1 else _exponential_family._formula_of_one  # noqa: SLF001
    is_generic = (len(names) > 1 or measure in OF_ONE) and found is by_generic(measure, kind)
    return GENERIC if is_generic else FORMULA


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    lines = ["| " + " | ".join(cells) + " |" for cells in (head, *rows)]
    return [lines[0], "|" + "---|" * len(head), *lines[1:], ""]


def _by_measure() -> list[str]:
    rows = []
    for name in families():
        cells = [answer(measure, name) for measure in OF_ONE]
        cells += [answer(measure, name, name) for measure in OF_TWO]
        rows.append([f"`{name}`", *("-" if cell == NUMERICAL else cell for cell in cells)])
    return _table(["family", *(f"`{measure}`" for measure in (*OF_ONE, *OF_TWO))], rows)


def _by_pair(names: list[str]) -> list[str]:
    signs = {FORMULA: "✓", GENERIC: "✓", INFINITY: "∞", NUMERICAL: "-"}
    rows = [[f"`{p}`", *(signs[answer("kl_divergence", p, q)] for q in names)] for p in names]
    return _table(["p \\ q", *(f"`{q}`" for q in names)], rows)


def markdown() -> list[str]:
    """The lines of both tables."""
    counts = [name for name in families() if name in COUNTS]
    line = [name for name in families() if name not in (*COUNTS, *VECTORS)]
    return [
        *("### Closed forms", ""),
        "Between two members of a family: by a formula of its own, or by the generic one of exponential families. A",
        "dash is a question for `jaxinfo.densities`.",
        *("", *_by_measure()),
        "Of `kl_divergence(p, q)` between families: ✓ a formula (which gives `inf` where the parameters make it so),",
        "∞ infinite whatever the parameters.",
        *("", *_by_pair(line), *_by_pair(counts)),
    ]
