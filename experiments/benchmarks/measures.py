"""How fast are the measures, next to what people paste today?

Each measure and its peers run in turn in one process, after a warm-up, on the same arrays: value, and value with
gradient, on (100000, 128) and (4096, 32768) tables and logits in float32. What is compared is the median of the ratios
of neighbouring runs, ours over the peer's: below 1 ours is faster. Joint tables split the last axis into variables.

Answer: nearly all are as fast as the pasted formula, within a tenth, or up to four times faster. Slower are pointwise
information (1.5 times the pasted logarithm, 4 where a row or column holds most of some table, as that loses all digits
there), and surprisal and labels among narrow rows if one of them is nearly sure (1.3), which costs one more sum.

All pairs of (4096, 512) tables are measured against the bare matrix product, without any logarithm: cross-entropy takes
as long, KL 1.6 times (with gradients 1.1), Hellinger 1.4. Ragged tables are measured against `segment_sum`, which adds
a long segment one by one: lanes that keep its digits cost about 1.4 times, and the digits of KL from logits twice.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
import statistics
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import tyro
from jax.scipy.special import entr, rel_entr, xlogy
from scipy.spatial.distance import cdist
from tqdm import tqdm

import jaxinfo
from jaxinfo import logits

Function = Callable[..., jax.Array]


@dataclasses.dataclass(frozen=True)
class Config:
    """What is measured."""

    shapes: tuple[tuple[int, int], ...] = ((100_000, 128), (4096, 32768))
    repeats: int = 9
    scale: float = 2.0
    """Standard deviation of the logits; at 2 a few of 100000 rows are nearly sure of one outcome, at 1 none is."""
    only: str = ""
    """Measures whose name holds this."""
    smoke: bool = False
    """Small shapes and few repeats."""
    output: pathlib.Path = pathlib.Path("results/measures_benchmark")


@dataclasses.dataclass(frozen=True)
class Case:
    """A measure, the formulas people paste for it, and what it eats."""

    name: str
    ours: Function
    peers: dict[str, Function]
    inputs: str = "pq"
    differentiable: bool = True
    host: dict[str, Function] = dataclasses.field(default_factory=dict)
    """Peers on NumPy arrays, which have no gradient."""
    shapes: tuple[tuple[int, int], ...] = ()
    """Shapes of its own, where those of the tables would not do."""


def _log_softmaxes(f: Function) -> Function:
    return lambda p, q: f(jax.nn.log_softmax(p), jax.nn.log_softmax(q))


def _jensen_shannon(p: jax.Array, q: jax.Array) -> jax.Array:
    m = 0.5 * (p + q)
    return 0.5 * (rel_entr(p, m) + rel_entr(q, m)).sum(-1)


def _jensen_shannon_logs(log_p: jax.Array, log_q: jax.Array) -> jax.Array:
    log_m = jnp.logaddexp(log_p, log_q) - jnp.log(2.0)
    return 0.5 * (jnp.exp(log_p) * (log_p - log_m) + jnp.exp(log_q) * (log_q - log_m)).sum(-1)


def _product(p: jax.Array) -> jax.Array:
    return p.sum(-2, keepdims=True) * p.sum(-1, keepdims=True)


def _conditional_information(p: jax.Array) -> jax.Array:
    p_xz, p_yz, p_z = p.sum(-2, keepdims=True), p.sum(-3, keepdims=True), p.sum((-3, -2), keepdims=True)
    return rel_entr(p, p_xz * p_yz / p_z).sum((-3, -2, -1))


def _joint(log_p: jax.Array) -> jax.Array:
    return jax.nn.log_softmax(log_p, axis=(-2, -1))


def _information_logs(z: jax.Array) -> jax.Array:
    log_p = _joint(z)
    log_x, log_y = jax.nn.logsumexp(log_p, -1, keepdims=True), jax.nn.logsumexp(log_p, -2, keepdims=True)
    return (jnp.exp(log_p) * (log_p - log_x - log_y)).sum((-2, -1))


def _density_logs(z: jax.Array) -> jax.Array:
    log_p = _joint(z)
    return log_p - jax.nn.logsumexp(log_p, -1, keepdims=True) - jax.nn.logsumexp(log_p, -2, keepdims=True)


def _conditional_entropy_logs(z: jax.Array) -> jax.Array:
    log_p = _joint(z)
    return -(jnp.exp(log_p) * (log_p - jax.nn.logsumexp(log_p, -2, keepdims=True))).sum((-2, -1))


def _conditional_information_logs(z: jax.Array) -> jax.Array:
    log_p = jax.nn.log_softmax(z, axis=(-3, -2, -1))
    log_xz, log_yz = jax.nn.logsumexp(log_p, -2, keepdims=True), jax.nn.logsumexp(log_p, -3, keepdims=True)
    log_z = jax.nn.logsumexp(log_p, (-3, -2), keepdims=True)
    return (jnp.exp(log_p) * (log_p + log_z - log_xz - log_yz)).sum((-3, -2, -1))


def _entropy_logs(z: jax.Array) -> jax.Array:
    log_p = jax.nn.log_softmax(z)
    return -(jnp.exp(log_p) * log_p).sum(-1)


def _binary_entropy_odds(t: jax.Array) -> jax.Array:
    return jax.nn.softplus(t) - t * jax.nn.sigmoid(t)


TABLES = (
    Case("surprisal", jaxinfo.surprisal, {"-log": lambda p: -jnp.log(p)}, "p"),
    Case("entropy", jaxinfo.entropy, {"entr": lambda p: entr(p).sum(-1)}, "p"),
    Case("perplexity", jaxinfo.perplexity, {"entr": lambda p: jnp.exp(entr(p).sum(-1))}, "p"),
    Case("binary_entropy", jaxinfo.binary_entropy, {"entr": lambda p: entr(p) + entr(1 - p)}, "p"),
    Case("cross_entropy", jaxinfo.cross_entropy, {"xlogy": lambda p, q: -xlogy(p, q).sum(-1)}),
    Case(
        "kl_divergence",
        jaxinfo.kl_divergence,
        {
            "rel_entr": lambda p, q: rel_entr(p, q).sum(-1),
            "optax": lambda p, q: optax.losses.kl_divergence(jnp.log(q), p),
        },
    ),
    Case(
        "jeffreys_divergence",
        jaxinfo.jeffreys_divergence,
        {"rel_entr": lambda p, q: (rel_entr(p, q) + rel_entr(q, p)).sum(-1)},
    ),
    Case("jensen_shannon_divergence", jaxinfo.jensen_shannon_divergence, {"rel_entr": _jensen_shannon}),
    Case(
        "jensen_shannon_distance",
        jaxinfo.jensen_shannon_distance,
        {"rel_entr": lambda p, q: jnp.sqrt(_jensen_shannon(p, q))},
    ),
    Case(
        "is_absolutely_continuous",
        jaxinfo.is_absolutely_continuous,
        {"where": lambda p, q: jnp.where((p > 0) & (q == 0), False, True).all(-1)},
        differentiable=False,
    ),
    Case(
        "joint_entropy",
        lambda p: jaxinfo.joint_entropy(p, axis=(-2, -1)),
        {"entr": lambda p: entr(p).sum((-2, -1))},
        "p2",
    ),
    Case(
        "conditional_entropy",
        jaxinfo.conditional_entropy,
        {"entr": lambda p: entr(p).sum((-2, -1)) - entr(p.sum(-2)).sum(-1)},
        "p2",
    ),
    Case(
        "mutual_information",
        jaxinfo.mutual_information,
        {"rel_entr": lambda p: rel_entr(p, _product(p)).sum((-2, -1))},
        "p2",
    ),
    Case(
        "pointwise_mutual_information",
        jaxinfo.pointwise_mutual_information,
        {"log": lambda p: jnp.log(p / _product(p))},
        "p2",
    ),
    Case(
        "conditional_mutual_information",
        jaxinfo.conditional_mutual_information,
        {"rel_entr": _conditional_information},
        "p3",
    ),
)

LOGITS = (
    Case("logits.surprisal", logits.surprisal, {"log_softmax": lambda z: -jax.nn.log_softmax(z)}, "z"),
    Case("logits.entropy", logits.entropy, {"log_softmax": _entropy_logs}, "z"),
    Case("logits.perplexity", logits.perplexity, {"log_softmax": lambda z: jnp.exp(_entropy_logs(z))}, "z"),
    Case("logits.binary_entropy", logits.binary_entropy, {"softplus": _binary_entropy_odds}, "z"),
    Case(
        "logits.cross_entropy",
        logits.cross_entropy,
        {
            "log_softmax": _log_softmaxes(lambda p, q: -(jnp.exp(p) * q).sum(-1)),
            "optax": lambda p, q: optax.losses.softmax_cross_entropy(q, jax.nn.softmax(p)),
        },
        "zz",
    ),
    Case(
        "logits.kl_divergence",
        logits.kl_divergence,
        {
            "log_softmax": _log_softmaxes(lambda p, q: (jnp.exp(p) * (p - q)).sum(-1)),
            "optax": _log_softmaxes(lambda p, q: optax.losses.kl_divergence_with_log_targets(q, p)),
        },
        "zz",
    ),
    Case(
        "logits.jeffreys_divergence",
        logits.jeffreys_divergence,
        {"log_softmax": _log_softmaxes(lambda p, q: ((jnp.exp(p) - jnp.exp(q)) * (p - q)).sum(-1))},
        "zz",
    ),
    Case(
        "logits.jensen_shannon_divergence",
        logits.jensen_shannon_divergence,
        {"log_softmax": _log_softmaxes(_jensen_shannon_logs)},
        "zz",
    ),
    Case(
        "logits.jensen_shannon_distance",
        logits.jensen_shannon_distance,
        {"log_softmax": _log_softmaxes(lambda p, q: jnp.sqrt(_jensen_shannon_logs(p, q)))},
        "zz",
    ),
    Case(
        "logits.cross_entropy_from_probs",
        logits.cross_entropy_from_probs,
        {
            "log_softmax": lambda p, z: -(p * jax.nn.log_softmax(z)).sum(-1),
            "optax": lambda p, z: optax.losses.softmax_cross_entropy(z, p),
        },
        "pz",
    ),
    Case(
        "logits.cross_entropy_from_labels",
        logits.cross_entropy_from_labels,
        {"optax": lambda y, z: optax.losses.softmax_cross_entropy_with_integer_labels(z, y)},
        "yz",
    ),
    Case(
        "logits.kl_divergence_from_probs",
        logits.kl_divergence_from_probs,
        {
            "log_softmax": lambda p, z: (p * (jnp.log(p) - jax.nn.log_softmax(z))).sum(-1),
            "optax": lambda p, z: optax.losses.kl_divergence(jax.nn.log_softmax(z), p),
        },
        "pz",
    ),
    Case(
        "logits.joint_entropy",
        lambda z: logits.joint_entropy(z, axis=(-2, -1)),
        {"log_softmax": lambda z: -(jnp.exp(_joint(z)) * _joint(z)).sum((-2, -1))},
        "z2",
    ),
    Case("logits.conditional_entropy", logits.conditional_entropy, {"log_softmax": _conditional_entropy_logs}, "z2"),
    Case("logits.mutual_information", logits.mutual_information, {"log_softmax": _information_logs}, "z2"),
    Case(
        "logits.pointwise_mutual_information", logits.pointwise_mutual_information, {"log_softmax": _density_logs}, "z2"
    ),
    Case(
        "logits.conditional_mutual_information",
        logits.conditional_mutual_information,
        {"log_softmax": _conditional_information_logs},
        "z3",
    ),
    Case(
        "logits.is_absolutely_continuous",
        logits.is_absolutely_continuous,
        {"where": lambda p, q: jnp.where((p > -jnp.inf) & (q == -jnp.inf), False, True).all(-1)},
        "zz",
        differentiable=False,
    ),
)


def _matmul(p: jax.Array, q: jax.Array) -> jax.Array:
    return jnp.matmul(p, q.T, precision=jax.lax.Precision.HIGHEST)


def _broadcast(f: Function) -> Function:
    """The formula on all pairs at once, which writes out N M K terms."""
    return lambda p, q: f(p[:, None], q[None])


def _hellinger(p: jax.Array, q: jax.Array) -> jax.Array:
    return jnp.sqrt(0.5 * jnp.square(jnp.sqrt(p) - jnp.sqrt(q)).sum(-1))


MANY_PAIRS, FEW_PAIRS = ((4096, 512),), ((512, 512),)
# A product against the bare product; on fewer pairs, each against the formula on all pairs at once, and SciPy.
PAIRS = (
    Case("pairwise_cross_entropy", jaxinfo.pairwise_cross_entropy, {"matmul": _matmul}, shapes=MANY_PAIRS),
    Case("pairwise_kl_divergence", jaxinfo.pairwise_kl_divergence, {"matmul": _matmul}, shapes=MANY_PAIRS),
    Case(
        "pairwise_kl_divergence(p, p)",
        lambda p: jaxinfo.pairwise_kl_divergence(p, p),
        {"matmul": lambda p: _matmul(p, p)},
        "p",
        shapes=MANY_PAIRS,
    ),
    Case("logits.pairwise_kl_divergence", logits.pairwise_kl_divergence, {"matmul": _matmul}, "zz", shapes=MANY_PAIRS),
    Case(
        "pairwise_hellinger_distance",
        jaxinfo.pairwise_hellinger_distance,
        {"matmul": _matmul},
        differentiable=False,  # its gradient takes blocks: below, on fewer pairs
        shapes=MANY_PAIRS,
    ),
    Case(
        "pairwise_kl_divergence, few",
        jaxinfo.pairwise_kl_divergence,
        {"broadcast": _broadcast(lambda p, q: rel_entr(p, q).sum(-1))},
        shapes=FEW_PAIRS,
    ),
    Case(
        "pairwise_jensen_shannon_divergence",
        jaxinfo.pairwise_jensen_shannon_divergence,
        {"broadcast": _broadcast(_jensen_shannon)},
        host={"cdist": lambda p, q: cdist(p, q, "jensenshannon") ** 2},
        shapes=FEW_PAIRS,
    ),
    Case(
        "pairwise_hellinger_distance, few",
        jaxinfo.pairwise_hellinger_distance,
        {"broadcast": _broadcast(_hellinger)},
        host={"cdist": lambda p, q: cdist(p**0.5, q**0.5) / 2**0.5},
        shapes=FEW_PAIRS,
    ),
    Case(
        "pairwise_total_variation",
        jaxinfo.pairwise_total_variation,
        {"broadcast": _broadcast(lambda p, q: 0.5 * jnp.abs(p - q).sum(-1))},
        host={"cdist": lambda p, q: cdist(p, q, "cityblock") / 2},
        shapes=FEW_PAIRS,
    ),
)


def _segment_softmax(z: jax.Array, ids: jax.Array, number: int) -> jax.Array:
    away = z - jax.ops.segment_max(z, ids, number)[ids]
    return away - jnp.log(jax.ops.segment_sum(jnp.exp(away), ids, number))[ids]


def _segment_kl_logs(p: jax.Array, q: jax.Array, ids: jax.Array) -> jax.Array:
    number = p.size // 128
    log_p, log_q = _segment_softmax(p, ids, number), _segment_softmax(q, ids, number)
    return jax.ops.segment_sum(jnp.exp(log_p) * (log_p - log_q), ids, number)


RAGGED = ((10_000, 128),)
SEGMENTS = (
    Case(
        "segment_entropy",
        lambda p, ids: jaxinfo.segment_entropy(p, ids, num_segments=p.size // 128),
        {"entr": lambda p, ids: jax.ops.segment_sum(entr(p), ids, p.size // 128)},
        "fi",
        shapes=RAGGED,
    ),
    Case(
        "segment_kl_divergence",
        lambda p, q, ids: jaxinfo.segment_kl_divergence(p, q, ids, num_segments=p.size // 128),
        {"rel_entr": lambda p, q, ids: jax.ops.segment_sum(rel_entr(p, q), ids, p.size // 128)},
        "ffi",
        shapes=RAGGED,
    ),
    Case(
        "logits.segment_kl_divergence",
        lambda p, q, ids: logits.segment_kl_divergence(p, q, ids, num_segments=p.size // 128),
        {"log_softmax": _segment_kl_logs},
        "ggi",
        shapes=RAGGED,
    ),
)


def _inputs(kind: str, shape: tuple[int, int], scale: float) -> tuple[jax.Array, ...]:
    """Tables (p, q), normal logits (z), labels (y); a digit splits the last axis into that many variables.

    Ragged ones are tables (f) and logits (g) end to end, with the segment of each entry (i).
    """
    keys = jax.random.split(jax.random.key(0), 3)
    split = {128: {"2": (8, 16), "3": (4, 4, 8)}, 32768: {"2": (128, 256), "3": (32, 32, 32)}}
    variables = split.get(shape[1], {"2": (2, shape[1] // 2), "3": (2, 2, shape[1] // 4)}).get(kind[-1], (shape[1],))

    def make(letter: str, k: jax.Array) -> jax.Array:
        if letter == "y":
            return jax.random.randint(k, shape[:1], 0, shape[1])
        if letter == "i":
            return jnp.repeat(jnp.arange(shape[0]), shape[1])
        z = scale * jax.random.normal(k, shape)
        if letter in "fg":
            return (z if letter == "g" else jax.nn.softmax(z)).reshape(-1)
        return (z if letter == "z" else jax.nn.softmax(z)).reshape(shape[0], *variables)

    return tuple(jax.jit(make, static_argnums=0)(letter, k) for letter, k in zip(kind.rstrip("23"), keys, strict=False))


def _with_gradient(function: Function, arguments: tuple[jax.Array, ...]) -> Function:
    floats = tuple(i for i, a in enumerate(arguments) if jnp.issubdtype(a.dtype, jnp.floating))
    return jax.value_and_grad(lambda *a: function(*a).sum(), floats)


def _on_host(function: Function) -> Function:
    return lambda *arguments: function(*map(np.asarray, arguments))


def _ratios(
    functions: dict[str, Function], host: dict[str, Function], arguments: tuple[jax.Array, ...], repeats: int
) -> dict[str, float]:
    """Median over rounds of ours over each peer's time, all of a round run one after another."""
    runs = {name: jax.jit(f) for name, f in functions.items()} | {name: _on_host(f) for name, f in host.items()}
    for f in runs.values():
        jax.block_until_ready(f(*arguments))
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats):
        for name, f in runs.items():
            start = time.perf_counter()
            jax.block_until_ready(f(*arguments))
            times[name].append(time.perf_counter() - start)
    return {
        peer: statistics.median(a / b for a, b in zip(times["ours"], times[peer], strict=True))
        for peer in runs
        if peer != "ours"
    }


def measure(case: Case, shape: tuple[int, int], scale: float, repeats: int) -> list[dict[str, Any]]:
    """The rows of one measure on one shape: value, and value with gradient."""
    arguments = _inputs(case.inputs, shape, scale)
    modes = {"value": lambda f: f, "value and gradient": lambda f: _with_gradient(f, arguments)}
    rows = []
    for mode, wrap in modes.items() if case.differentiable else [("value", modes["value"])]:
        functions = {name: wrap(f) for name, f in {"ours": case.ours, **case.peers}.items()}
        ratios = _ratios(functions, case.host if mode == "value" else {}, arguments, repeats)
        rows.append({"measure": case.name, "shape": list(shape), "mode": mode, "ratios": ratios})
    return rows


def main(config: Config) -> dict[str, Any]:
    """Runs every case and writes `metrics.json`."""
    small = ((256, 128), (32, 512))
    repeats = 2 if config.smoke else config.repeats
    rows: list[dict[str, Any]] = []
    for case in tqdm([c for c in (*TABLES, *LOGITS, *PAIRS, *SEGMENTS) if config.only in c.name]):
        usual = case.shapes or config.shapes
        for shape in small[: len(usual)] if config.smoke else usual:
            rows += measure(case, shape, config.scale, repeats)
    for row in rows:
        peers = "  ".join(f"{peer} {ratio:.2f}" for peer, ratio in row["ratios"].items())
        print(f"{row['measure']:40s} {tuple(row['shape'])!s:16s} {row['mode']:20s} ours / {peers}")
    result = {
        "config": {**dataclasses.asdict(config), "output": str(config.output)},
        "versions": {"jax": jax.__version__, "optax": optax.__version__, "jaxinfo": jaxinfo.__version__},
        "device": jax.devices()[0].device_kind,
        "rows": rows,
    }
    folder = config.output / "smoke" if config.smoke else config.output
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metrics.json").write_text(json.dumps(result, indent=1))
    return result


if __name__ == "__main__":
    main(tyro.cli(Config))
