"""The rest of the family on tables and logits: orders, distances, many variables, the pattern language."""

from __future__ import annotations

import importlib.util

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import entr, logsumexp, rel_entr

import jaxinfo
from experiments.benchmarks._case import Case, Function
from experiments.benchmarks._many import MANY
from jaxinfo import generators, logits

A, B = 0.7, 1.5  # an order of divergences, and one of entropies


def _powers(p: jax.Array, q: jax.Array) -> jax.Array:
    return (p**A * q ** (1 - A)).sum(-1)


def _log_powers(p: jax.Array, q: jax.Array) -> jax.Array:
    return logsumexp(A * jax.nn.log_softmax(p) + (1 - A) * jax.nn.log_softmax(q), axis=-1)


def _chernoff_on_a_grid(p: jax.Array, q: jax.Array) -> jax.Array:
    orders = jnp.linspace(0.0, 1.0, 33)
    return -jax.lax.map(lambda a: jnp.log((p**a * q ** (1 - a)).sum(-1)), orders).min(0)


def _skew(p: jax.Array, q: jax.Array) -> jax.Array:
    m = 0.25 * p + 0.75 * q
    return (0.25 * rel_entr(p, m) + 0.75 * rel_entr(q, m)).sum(-1) / (0.25 * 0.75)


def _softmaxes(f: Function) -> Function:
    return lambda p, q: f(jax.nn.softmax(p), jax.nn.softmax(q))


def _cube(t: jax.Array) -> jax.Array:
    return t**3 - 1


CUBE = generators.Generator(_cube, at_zero=-1.0, slope_at_infinity=float("inf"))

ENTROPIES = (
    Case(
        "renyi_entropy",
        lambda p: jaxinfo.renyi_entropy(p, B),
        {"power": lambda p: jnp.log((p**B).sum(-1)) / (1 - B)},
        "p",
    ),
    Case(
        "tsallis_entropy",
        lambda p: jaxinfo.tsallis_entropy(p, B),
        {"power": lambda p: (1 - (p**B).sum(-1)) / (B - 1)},
        "p",
    ),
    Case("min_entropy", jaxinfo.min_entropy, {"max": lambda p: -jnp.log(p.max(-1))}, "p"),
    Case(
        "normalized_entropy",
        jaxinfo.normalized_entropy,
        {"entr": lambda p: entr(p).sum(-1) / jnp.log(p.shape[-1])},
        "p",
    ),
    Case(
        "logits.renyi_entropy",
        lambda z: logits.renyi_entropy(z, B),
        {"logsumexp": lambda z: (logsumexp(B * z, axis=-1) - B * logsumexp(z, axis=-1)) / (1 - B)},
        "z",
    ),
    Case(
        "logits.tsallis_entropy",
        lambda z: logits.tsallis_entropy(z, B),
        {"softmax": lambda z: (1 - (jax.nn.softmax(z) ** B).sum(-1)) / (B - 1)},
        "z",
    ),
    Case("logits.min_entropy", logits.min_entropy, {"log_softmax": lambda z: -jax.nn.log_softmax(z).max(-1)}, "z"),
)

DIVERGENCES = (
    Case(
        "renyi_divergence",
        lambda p, q: jaxinfo.renyi_divergence(p, q, A),
        {"power": lambda p, q: jnp.log(_powers(p, q)) / (A - 1)},
    ),
    Case(
        "tsallis_divergence",
        lambda p, q: jaxinfo.tsallis_divergence(p, q, A),
        {"power": lambda p, q: (_powers(p, q) - 1) / (A - 1)},
    ),
    Case(
        "alpha_divergence",
        lambda p, q: jaxinfo.alpha_divergence(p, q, A),
        {"power": lambda p, q: (_powers(p, q) - 1) / (A * (A - 1))},
    ),
    Case("total_variation", jaxinfo.total_variation, {"abs": lambda p, q: 0.5 * jnp.abs(p - q).sum(-1)}),
    Case(
        "chi_squared_divergence",
        jaxinfo.chi_squared_divergence,
        {"square": lambda p, q: ((p - q) ** 2 / q).sum(-1)},
    ),
    Case(
        "hellinger_distance",
        jaxinfo.hellinger_distance,
        {"sqrt": lambda p, q: jnp.sqrt(0.5 * ((jnp.sqrt(p) - jnp.sqrt(q)) ** 2).sum(-1))},
    ),
    Case(
        "bhattacharyya_distance",
        jaxinfo.bhattacharyya_distance,
        {"sqrt": lambda p, q: -jnp.log(jnp.sqrt(p * q).sum(-1))},
    ),
    Case("chernoff_information", jaxinfo.chernoff_information, {"33 orders": _chernoff_on_a_grid}),
    Case(
        "skew_jensen_shannon_divergence",
        lambda p, q: jaxinfo.skew_jensen_shannon_divergence(p, q, weight=0.25),
        {"rel_entr": _skew},
    ),
    Case(
        "f_divergence(triangular)",
        lambda p, q: jaxinfo.f_divergence(p, q, generators.triangular_discrimination()),
        {"square": lambda p, q: ((p - q) ** 2 / (p + q)).sum(-1)},
    ),
    Case(
        "f_divergence(a user's)",
        lambda p, q: jaxinfo.f_divergence(p, q, CUBE),
        {"f(p/q)": lambda p, q: (q * _cube(p / q)).sum(-1)},
    ),
    Case(
        "f_divergence(jensen_shannon)",
        lambda p, q: jaxinfo.f_divergence(p, q, generators.jensen_shannon()),
        {"f(p/q)": lambda p, q: (q * _js_generator(p / q)).sum(-1)},
    ),
)


def _js_generator(t: jax.Array) -> jax.Array:
    return 0.5 * (t * jnp.log(t) - (1 + t) * jnp.log((1 + t) / 2))


OF_LOGITS = (
    Case(
        "logits.renyi_divergence",
        lambda p, q: logits.renyi_divergence(p, q, A),
        {"logsumexp": lambda p, q: _log_powers(p, q) / (A - 1)},
        "zz",
    ),
    Case(
        "logits.tsallis_divergence",
        lambda p, q: logits.tsallis_divergence(p, q, A),
        {"logsumexp": lambda p, q: jnp.expm1(_log_powers(p, q)) / (A - 1)},
        "zz",
    ),
    Case(
        "logits.alpha_divergence",
        lambda p, q: logits.alpha_divergence(p, q, A),
        {"logsumexp": lambda p, q: jnp.expm1(_log_powers(p, q)) / (A * (A - 1))},
        "zz",
    ),
    Case(
        "logits.total_variation",
        logits.total_variation,
        {"softmax": _softmaxes(lambda p, q: 0.5 * jnp.abs(p - q).sum(-1))},
        "zz",
    ),
    Case(
        "logits.hellinger_distance",
        logits.hellinger_distance,
        {"softmax": _softmaxes(lambda p, q: jnp.sqrt(0.5 * ((jnp.sqrt(p) - jnp.sqrt(q)) ** 2).sum(-1)))},
        "zz",
    ),
    Case(
        "logits.bhattacharyya_distance",
        logits.bhattacharyya_distance,
        {"softmax": _softmaxes(lambda p, q: -jnp.log(jnp.sqrt(p * q).sum(-1)))},
        "zz",
    ),
    Case(
        "logits.chi_squared_divergence",
        logits.chi_squared_divergence,
        {"softmax": _softmaxes(lambda p, q: ((p - q) ** 2 / q).sum(-1))},
        "zz",
    ),
    Case(
        "logits.skew_jensen_shannon_divergence",
        lambda p, q: logits.skew_jensen_shannon_divergence(p, q, weight=0.25),
        {"softmax": _softmaxes(_skew)},
        "zz",
    ),
)

# The pattern language next to the functions it names.
PATTERNS = (
    Case(
        "shannon(... I(x; y))",
        lambda p: jaxinfo.shannon("... x y -> ... I(x; y)", p),
        {"mutual_information": jaxinfo.mutual_information},
        "p2",
    ),
    Case(
        "shannon(... H(x | y))",
        lambda p: jaxinfo.shannon("... x y -> ... H(x | y)", p),
        {"conditional_entropy": jaxinfo.conditional_entropy},
        "p2",
    ),
    Case(
        "shannon(... I(x; y | z))",
        lambda p: jaxinfo.shannon("... x y z -> ... I(x; y | z)", p),
        {"conditional_mutual_information": jaxinfo.conditional_mutual_information},
        "p3",
    ),
    Case(
        "logits.shannon(... I(x; y))",
        lambda z: logits.shannon("... x y -> ... I(x; y)", z),
        {"mutual_information": logits.mutual_information},
        "z2",
    ),
)


def _with_dit(measure: str) -> Function:
    """Dit takes one table at a time."""
    import dit

    def run(tables: np.ndarray) -> np.ndarray:
        joint = [dit.Distribution.from_ndarray(t.astype(np.float64) / t.sum(dtype=np.float64)) for t in tables]
        variables = [[0], [1], [2]]
        if measure == "coinformation":
            return np.array([dit.multivariate.coinformation(d, variables) for d in joint])
        return np.array([dit.shannon.mutual_information(d, [0], [1]) for d in joint])

    return run


FEW = ((64, 128),)
DIT = (
    (
        Case(
            "mutual_information, few",
            lambda p: jaxinfo.mutual_information(p, base=2),
            {},
            "p2",
            differentiable=False,
            host={"dit": _with_dit("mutual_information")},
            shapes=FEW,
        ),
        Case(
            "shannon(... I(x; y; z)), few",
            lambda p: jaxinfo.shannon("... x y z -> ... I(x; y; z)", p, base=2),
            {},
            "p3",
            differentiable=False,
            host={"dit": _with_dit("coinformation")},
            shapes=FEW,
        ),
    )
    if importlib.util.find_spec("dit")
    else ()
)

FAMILY = (*ENTROPIES, *DIVERGENCES, *OF_LOGITS, *MANY, *PATTERNS, *DIT)
