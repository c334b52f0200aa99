"""How fast are closed forms, next to numpyro, distrax, TFP and torch?

Entropies and KL divergences of 100000 pairs of parameters (10000 of vectors), each library as its users would call it:
JAX's under `jit`, torch's on tensors. All run in turn in one process, after a warm-up, on the same numbers in float32;
what is compared is the median of the ratios of neighbouring runs, ours over the peer's: below 1 ours is faster. Peers
that are not installed are left out: `pip install numpyro distrax tfp-nightly torch`.

Importing is compared by the CPU time of fresh interpreters, over that of `import jax.numpy`.
"""

from __future__ import annotations

if __package__:
    from experiments import _common
else:  # run as a script: Python looks in the folder of this file
    import sys
    from pathlib import Path as _Path

    sys.path.insert(0, str(_Path(__file__).parents[1]))
    import _common

import dataclasses
import importlib
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import tyro
from tqdm import tqdm

from jaxinfo import distributions

Run = Callable[[], Any]


@dataclasses.dataclass(frozen=True)
class Config:
    """What is measured."""

    size: int = 100_000
    repeats: int = 15
    only: str = ""
    """Families whose name holds this."""
    smoke: bool = False
    """Small batches and few repeats."""
    output: pathlib.Path = pathlib.Path("results/distributions_benchmark")


@dataclasses.dataclass(frozen=True)
class Case:
    """A family: its parameters in order, by kind, which all libraries take in this order or by these names."""

    name: str
    kinds: tuple[str, ...]
    keywords: tuple[str, ...] = ()
    aliases: dict[str, str] = dataclasses.field(default_factory=dict)
    entropy: bool = True


CASES = (
    Case("Normal", ("real", "positive")),
    Case("Laplace", ("real", "positive")),
    Case("Gumbel", ("real", "positive")),
    Case("LogNormal", ("real", "positive")),
    Case("HalfNormal", ("positive",)),
    Case("Exponential", ("positive",)),
    Case("Gamma", ("positive", "positive")),
    Case("Beta", ("positive", "positive")),
    Case("Dirichlet", ("positive vector",)),
    Case("Pareto", ("positive", "positive")),
    Case("Weibull", ("positive", "positive")),
    Case("Poisson", ("positive",), entropy=False),
    Case("Geometric", ("unit",), ("probs",)),
    Case("Bernoulli", ("real",), ("logits",)),
    Case("Categorical", ("real vector",), ("logits",)),
    Case("MultivariateNormal", ("real vector", "factor"), aliases={"distrax": "MultivariateNormalTri"}),
)
PEERS = {
    "numpyro": "numpyro.distributions",
    "distrax": "distrax",
    "TFP": "tensorflow_probability.substrates.jax.distributions",
    "torch": "torch.distributions",
}
TRIL = {"TFP": "MultivariateNormalTriL", "numpyro": "MultivariateNormal", "torch": "MultivariateNormal"}


def draw(kind: str, size: int, key: jax.Array) -> jax.Array:
    """Returns parameters of a kind: a number for each member of the batch, or a vector or triangle of 8."""
    shape = (size,) if "vector" not in kind and kind != "factor" else (size // 10, 8)
    noise = jax.random.normal(key, shape)
    if kind == "factor":
        lower = jnp.tril(0.2 * jax.random.normal(key, (*shape, 8)), -1)
        return lower + jnp.exp(0.3 * noise)[..., None] * jnp.eye(8)
    if kind.startswith("positive"):
        return jnp.exp(noise)
    return jax.nn.sigmoid(noise) if kind == "unit" else noise


def make(case: Case, library: str, module: Any, parameters: list[Any]) -> Any:
    """Returns the library's distribution, or None where it has no such family."""
    name = case.aliases.get(library, case.name)
    if case.name == "MultivariateNormal":
        name = TRIL.get(library, name)
    family = getattr(module, name, None)
    if family is None:
        return None
    if case.name == "MultivariateNormal" and library in ("numpyro", "torch"):
        return family(parameters[0], scale_tril=parameters[1])
    if case.keywords:
        return family(**dict(zip(case.keywords, parameters, strict=True)))
    return family(*parameters)


def measure_of(measure: str, library: str, module: Any) -> Callable[..., Any]:
    """Returns the library's entropy of one distribution or KL of two."""
    if library == "ours":
        return getattr(distributions, measure)
    if measure == "entropy":
        return lambda p: p.entropy()
    if library in ("numpyro", "torch"):
        return module.kl_divergence
    return lambda p, q: p.kl_divergence(q)


def runner(case: Case, measure: str, library: str, module: Any, parameters: list[list[jax.Array]]) -> Run | None:
    """Returns a run of `measure` from parameters to a result that is there, or None where the library has none."""
    function = measure_of(measure, library, module)

    def compute(*members: Any) -> Any:
        return function(*(make(case, library, module, list(member)) for member in members))

    if library == "torch":
        torch = importlib.import_module("torch")
        tensors = [[torch.from_numpy(np.array(leaf)) for leaf in member] for member in parameters]
        run: Run = lambda: compute(*tensors)  # noqa: E731
    else:
        compiled = jax.jit(compute)
        run = lambda: jax.block_until_ready(compiled(*parameters))  # noqa: E731
    try:
        run()
    except (AttributeError, NotImplementedError, TypeError, ValueError):  # what libraries raise for a missing formula
        return None
    return run


def ratios(runs: dict[str, Run], repeats: int) -> dict[str, float]:
    """Returns the median over rounds of ours over each peer's time, all of a round run one after another."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            begin = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - begin)
    peers = [name for name in runs if name != "ours"]
    return {name: statistics.median(a / b for a, b in zip(times["ours"], times[name], strict=True)) for name in peers}


def measure_case(case: Case, modules: dict[str, Any], config: Config) -> list[dict[str, Any]]:
    """Returns a row for the entropy, where there is a closed form, and one for KL."""
    size = 1000 if config.smoke else config.size
    keys = jax.random.split(jax.random.key(0), (2, len(case.kinds)))
    parameters = [[draw(kind, size, k) for kind, k in zip(case.kinds, pair, strict=True)] for pair in keys]
    rows = []
    for measure, members in (("entropy", parameters[:1]), ("kl_divergence", parameters)):
        if measure == "entropy" and not case.entropy:
            continue
        found = {name: runner(case, measure, name, module, members) for name, module in modules.items()}
        runs = {name: run for name, run in found.items() if run is not None}
        if "ours" not in runs:
            raise RuntimeError(f"no {measure} of {case.name}")
        row = {"family": case.name, "measure": measure, "ratios": ratios(runs, 2 if config.smoke else config.repeats)}
        rows.append(row)
    return rows


def available() -> dict[str, Any]:
    """Returns the libraries that can be imported, ours first."""
    modules: dict[str, Any] = {"ours": distributions}
    for name, path in PEERS.items():
        try:
            modules[name] = importlib.import_module(path)
        except ImportError:
            print(f"{name} is not installed: left out")
    return modules


def import_ratios(modules: dict[str, Any], repeats: int) -> dict[str, float]:
    """Returns the CPU time of importing each, in fresh interpreters, over that of `import jax.numpy`."""
    paths = {"jax.numpy": "jax.numpy", "jaxinfo": "jaxinfo", "jaxinfo.distributions": "jaxinfo.distributions"}
    paths |= {name: path for name, path in PEERS.items() if name in modules}
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


def main(config: Config) -> dict[str, Any]:
    """Runs every case and writes `metrics.json`."""
    modules = available()
    rows = []
    for case in tqdm([case for case in CASES if config.only in case.name]):
        rows += measure_case(case, modules, config)
    for row in rows:
        peers = "  ".join(f"{peer} {ratio:.3g}" for peer, ratio in row["ratios"].items())
        print(f"{row['family']:20s} {row['measure']:16s} ours / {peers or 'no peer'}")
    imports = import_ratios(modules, 1 if config.smoke else 5)
    print("import, over jax.numpy:  " + "  ".join(f"{name} {ratio:.2f}" for name, ratio in imports.items()))
    folder = config.output / "smoke" if config.smoke else config.output
    path = _common.write_metrics(folder, config, {"rows": rows, "imports": imports})
    return json.loads(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main(tyro.cli(Config, description=__doc__))
