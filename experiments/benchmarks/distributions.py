"""How fast are closed forms, next to numpyro, distrax, TFP and torch?

Entropies and KL divergences of 100000 pairs of parameters (10000 of vectors of 8), each library as its users would call
it: JAX's under `jit`, torch's on tensors. All run in one process on the same numbers in float32, in a new order every
round (threads of one library that wait for work slow down the next), each once before it is timed. What is compared is
the median of the ratios of a round, ours over the peer's: below 1 ours is faster. Every time holds the same twenty to
forty microseconds of calling a compiled function and of touching new memory.

A peer's values are compared with ours: the share of members that it has wrong by more than a hundredth of the value, or
not a number, is told beside its ratio. Those are mostly pairs of members that are close, of which a difference of large
terms has no digits left. Peers that are not installed are left out: `pip install numpyro distrax tfp-nightly torch`.

Importing is compared by the CPU time of fresh interpreters, over that of `import jax.numpy`.
"""

from __future__ import annotations

if __package__:
    from experiments import _common
    from experiments.benchmarks import _libraries
else:  # run as a script: Python looks in the folder of this file
    import sys
    from pathlib import Path as _Path

    sys.path.insert(0, str(_Path(__file__).parents[1]))
    import _common
    import _libraries

import dataclasses
import importlib
import json
import os
import pathlib
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import tyro
from tqdm import tqdm

Run = Callable[[], Any]


@dataclasses.dataclass(frozen=True)
class Config:
    """What is measured."""

    size: int = 100_000
    repeats: int = 60
    seconds: float = 2.0
    """A case ends after so long, if it has had ten rounds."""
    only: str = ""
    """Cases whose name holds this: `Normal`, `Beta || Gamma`."""
    imports: bool = True
    smoke: bool = False
    """Small batches and few repeats."""
    output: pathlib.Path = pathlib.Path("results/distributions_benchmark")


@dataclasses.dataclass(frozen=True)
class Case:
    """A measure of one family or two."""

    measure: str
    families: tuple[_libraries.Family, ...]

    @property
    def name(self) -> str:
        """The family, or the two of them."""
        return " || ".join(dict.fromkeys(family.name for family in self.families))


def cases() -> list[Case]:
    """Returns the entropies, then divergences within and across families."""
    entropies = [Case("entropy", (family,)) for family in _libraries.FAMILIES if family.entropy]
    divergences = [Case("kl_divergence", (family, family)) for family in _libraries.FAMILIES if family.kl]
    return [*entropies, *divergences, *(Case("kl_divergence", pair) for pair in _libraries.CROSSES)]


def runner(case: Case, library: str, module: Any, parameters: list[list[jax.Array]]) -> Run | None:
    """Returns a run of the measure from parameters to a result that is there, or None where the library has none."""
    function = _libraries.measure_of(case.measure, library, module)

    def compute(*members: Any) -> Any:
        made = (_libraries.make(f, library, module, list(m)) for f, m in zip(case.families, members, strict=True))
        return function(*made)

    if library == "torch":
        torch = importlib.import_module("torch")
        tensors = [[torch.from_numpy(np.array(leaf)) for leaf in member] for member in parameters]
        run: Run = lambda: compute(*tensors)  # noqa: E731
    else:
        compiled = jax.jit(compute)
        run = lambda: jax.block_until_ready(compiled(*parameters))  # noqa: E731
    try:
        run()
    except Exception:  # what libraries raise for a missing formula is of every kind
        if library == "ours":
            raise
        return None
    return run


def share_of_wrong(value: np.ndarray, ours: np.ndarray) -> float:
    """Returns how many members differ by more than a hundredth, or are not a number."""
    near = (value == ours) | (np.abs(value - ours) <= 0.01 * np.abs(ours))
    return float(np.mean(~near))


def ratios(runs: dict[str, Run], config: Config) -> dict[str, float]:
    """Returns the median over rounds of ours over each peer's time."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    order, began = list(runs), time.perf_counter()
    for round_ in range(2 if config.smoke else config.repeats):
        random.shuffle(order)
        for name in order:
            runs[name]()
            begin = time.perf_counter()
            runs[name]()
            times[name].append(time.perf_counter() - begin)
        if round_ >= 10 and time.perf_counter() - began > config.seconds:
            break
    peers = [name for name in runs if name != "ours"]
    return {name: statistics.median(a / b for a, b in zip(times["ours"], times[name], strict=True)) for name in peers}


def measure_case(case: Case, modules: dict[str, Any], config: Config) -> dict[str, Any]:
    """Returns the ratios of a measure, and the share of its values that each peer has wrong."""
    size = 1000 if config.smoke else config.size
    keys = jax.random.split(jax.random.key(0), len(case.families))
    parameters = [_libraries.draw_all(family, size, key) for family, key in zip(case.families, keys, strict=True)]
    found = {name: runner(case, name, module, parameters) for name, module in modules.items()}
    runs = {name: run for name, run in found.items() if run is not None}
    values = {name: np.asarray(run()) for name, run in runs.items()}
    wrong = {name: share_of_wrong(value, values["ours"]) for name, value in values.items() if name != "ours"}
    return {"case": case.name, "measure": case.measure, "ratios": ratios(runs, config), "wrong": wrong}


def import_ratios(modules: dict[str, Any], repeats: int) -> dict[str, float]:
    """Returns the CPU time of importing each, in fresh interpreters, over that of `import jax.numpy`."""
    paths = {
        "jax.numpy": "jax.numpy",
        "jaxinfo": "jaxinfo",
        "jaxinfo.discrete": "jaxinfo.discrete",
        "jaxinfo.distributions": "jaxinfo.distributions",
    }
    paths |= {name: path for name, path in _libraries.PEERS.items() if name in modules}
    # As for anybody who has imported them before: compiled to bytecode, which the first round writes.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    times: dict[str, list[float]] = {name: [] for name in paths}
    for round_ in range(repeats + 1):
        for name, path in paths.items():
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([sys.executable, "-c", f"import {path}"], check=True, env=environment)  # noqa: S603
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            if round_:
                times[name].append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    base = statistics.median(times["jax.numpy"])
    return {name: statistics.median(each) / base for name, each in times.items() if name != "jax.numpy"}


def line(row: dict[str, Any]) -> str:
    """Returns a row as it is printed: `peer ratio`, and what the peer has wrong."""
    wrong = {peer: f" ({share:.1g} wrong)" if share else "" for peer, share in row["wrong"].items()}
    peers = "  ".join(f"{peer} {ratio:.2f}{wrong[peer]}" for peer, ratio in row["ratios"].items())
    return f"{row['case']:24s} {row['measure']:14s} ours / {peers or 'no peer'}"


def main(config: Config) -> dict[str, Any]:
    """Runs every case and writes `metrics.json`."""
    modules = _libraries.available()
    rows = []
    for case in tqdm([case for case in cases() if config.only in case.name]):
        rows.append(measure_case(case, modules, config))
        tqdm.write(line(rows[-1]))
    imports = import_ratios(modules, 1 if config.smoke else 11) if config.imports else {}
    print("import, over jax.numpy:  " + "  ".join(f"{name} {ratio:.2f}" for name, ratio in imports.items()))
    folder = config.output / "smoke" if config.smoke else config.output
    path = _common.write_metrics(folder, config, {"rows": rows, "imports": imports})
    return json.loads(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main(tyro.cli(Config, description=__doc__))
