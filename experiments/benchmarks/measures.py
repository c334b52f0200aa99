"""How fast are the measures, next to what people paste today?

Each measure and its peers run in turn in one process, after a warm-up, on the same arrays: value, and value with
gradient, on (100000, 128) and (4096, 32768) tables and logits in float32. What is compared is the median of the ratios
of neighbouring runs, ours over the peer's: below 1 ours is faster. Joint tables split the last axis into variables.

Answer, of (100000, 128) at deviation 1: nearly all are as fast as the pasted formula, within a tenth, or up to five
times faster. Slower are terms of so few operations that looking for zeros and negative entries shows (chi-squared 2,
triangular discrimination 1.6, a generator of a user's own 2, the least entropy 2, with gradients 1.2, 0.6, 1.2 and
1.3), KL with gradients next to optax's, which shares a table of logarithms between the two (1.3; 0.7 of `rel_entr`),
surprisal from logits and entropies with gradients (1.1), and with gradients of many variables normalised information
1.4, dual total correlation 1.25 and, from logits, the correlations 1.7, variation of information 1.35, Hellinger 1.2.
Pointwise information from logits of deviation 2 takes 4.7 times as long where a row or column holds most of some table.
Where some rows are so close that the fast form would lose digits, both forms run: Bhattacharyya 1.9 to 2.7, Rényi 1.8,
and the generator of Jensen-Shannon 4 times as long as a formula that has no digits there. Of the core on (4096, 32768)
no measure is above 1.2, but for KL with gradients next to optax's, 1.3; most are at or below 1.

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
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import tyro
from tqdm import tqdm

import jaxinfo
from experiments.benchmarks._case import Case, Function
from experiments.benchmarks._core import LOGITS, TABLES
from experiments.benchmarks._dit import DIT
from experiments.benchmarks._family import FAMILY
from experiments.benchmarks._pairs import PAIRS, SEGMENTS


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
    for case in tqdm([c for c in (*TABLES, *LOGITS, *FAMILY, *PAIRS, *SEGMENTS, *DIT) if config.only in c.name]):
        usual = case.shapes or config.shapes
        for shape in small[: len(usual)] if config.smoke else usual:
            rows += measure(case, shape, config.scale, repeats)
    for row in rows:
        peers = "  ".join(f"{peer} {ratio:.3g}" for peer, ratio in row["ratios"].items())
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
