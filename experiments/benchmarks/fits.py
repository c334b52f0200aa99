"""How fast are fits, next to numpyro's SVI and torch?

256 Gaussians are fitted to a mixture of two by a thousand steps of Adam, in both directions of KL, each step on as many
draws, which are new. All run in one process in a new order every round; what is compared is the median of the ratios
of a round, a peer's time for a step over ours. How near they come to the target at the end is told beside it.

Peers are written as favourably as we can. numpyro's SVI is mapped over the restarts within one compiled scan, with as
many particles, or, which is faster, with a plate of draws that counts as one; forward KL, which is no objective of
SVI, is there the likelihood of draws of the target. torch runs on batches, without checks of arguments, with its fused
Adam, on one thread and on all. Restarts may have their draws in common (`common_random_numbers="lanes"`), and so can
numpyro's, if the states are mapped but for their key; torch's forward draws could be, but each has its own here.

On two cores, with 64 draws, as multiples of our time with draws of their own (and in common):

- reverse KL: numpyro's particles 4 to 5, its plate 1.4 to 1.5 (in common 2.9 times ours in common), torch 4 to 5;
- forward KL: numpyro's plate 1.0 to 1.1, torch 3; draws in common take ours to a third, and numpyro's plate to a
  fifteenth: its likelihood of few draws is little more than two sums, while ours is the divergence with its density of
  the target and its checks.

With common draws ours takes 0.63 (reverse) and 0.33 (forward) of its time, at 8 draws 0.36 and 0.15; so it is 2 to 6
times as fast as numpyro's fastest form with draws of its own, and torch takes 6 to 26 times as long, on one thread as
on all. Where other processes compete for the cores, torch's threads wait for each other, ten times longer still.

A change of learning rate, number of steps, target or seed compiles nothing. With JAX's persistent cache a second
process spends 3 to 8 % of the time of compiling; tracing, of a second or two, stays.
"""

from __future__ import annotations

if __package__:
    from experiments import _common
    from experiments.benchmarks import _fits
else:  # run as a script: Python looks in the folder of this file
    import sys
    from pathlib import Path as _Path

    sys.path.insert(0, str(_Path(__file__).parents[1]))
    import _common
    import _fits

import dataclasses
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

import jax
import jax.monitoring
import jax.numpy as jnp
import numpy as np
import optax
import tyro
from tqdm import tqdm

from jaxinfo.densities import MonteCarlo
from jaxinfo.distributions import Mixture, Normal
from jaxinfo.projections import ForwardKL, ReverseKL, fit

# What peers' times are divided by.
OURS = ("ours", "ours, common draws")
_COMPILE = "/jax/core/compile/backend_compile_duration"


@dataclasses.dataclass(frozen=True)
class Config:
    """What is measured."""

    num_restarts: int = 256
    num_steps: int = 1000
    num_draws: tuple[int, ...] = (8, 64)
    """In one step, of the target or of each approximation."""
    rounds: int = 7
    seconds: float = 60.0
    """A contest ends after so long, if it has had three rounds."""
    short: int = 50
    """Steps of those that take a time for each step and none besides: torch's, and quadrature's."""
    cache: bool = True
    """Whether the compilation cache is measured, in processes of its own."""
    smoke: bool = False
    """Few restarts, steps and rounds."""
    output: pathlib.Path = pathlib.Path("results/fits_benchmark")


def steps_of(name: str, contest: _fits.Contest, config: Config) -> int:
    """Returns how many steps a timed run takes."""
    compiled = name in OURS or name.startswith("numpyro")
    return contest.num_steps if compiled else min(config.short, contest.num_steps)


def divergence_at(contest: _fits.Contest, loc: np.ndarray, scale: np.ndarray) -> float:
    """Returns the mean over restarts of the divergence in nats, by a sum over a grid in double precision."""
    x = np.linspace(-20.0, 20.0, 4001)
    means, weights = (np.array(each)[:, None] for each in (_fits.MEANS, _fits.WEIGHTS))
    log_p = np.logaddexp.reduce(np.log(weights) - 0.5 * (x - means) ** 2, axis=0)
    log_q = -0.5 * ((x - loc[:, None]) / scale[:, None]) ** 2 - np.log(scale[:, None])
    log_r = log_p - log_q
    terms = np.exp(log_p) * log_r if contest.forward else -np.exp(log_q) * log_r
    return float(np.mean(np.sum(terms, axis=1)) * (x[1] - x[0]) / np.sqrt(2 * np.pi))


def measure(contest: _fits.Contest, config: Config) -> dict[str, Any]:
    """Returns the time of a step and what is left of the divergence for each, and peers' times over ours."""
    runs = _fits.contestants(contest)
    if config.smoke:
        del runs["ours, quadrature"]  # takes long to compile
    # The first run compiles, and takes all steps.
    ends = {name: run(contest.num_steps if "quadrature" not in name else config.short) for name, run in runs.items()}
    times: dict[str, list[float]] = {name: [] for name in runs}
    order, began = list(runs), time.perf_counter()
    for round_ in range(1 if config.smoke else config.rounds):
        random.shuffle(order)
        for name in order:
            steps, begin = steps_of(name, contest, config), time.perf_counter()
            runs[name](steps)
            times[name].append((time.perf_counter() - begin) / steps)
        if round_ >= 2 and time.perf_counter() - began > config.seconds:
            break
    ratios = {
        own: {
            name: statistics.median(theirs / mine for theirs, mine in zip(each, times[own], strict=True))
            for name, each in times.items()
            if name != own
        }
        for own in OURS
    }
    return {
        "direction": "forward" if contest.forward else "reverse",
        "num_draws": contest.num_draws,
        "microseconds_per_step": {name: 1e6 * statistics.median(each) for name, each in times.items()},
        "times_as_long_as": ratios,
        "divergence_at_the_end": {name: divergence_at(contest, *end) for name, end in ends.items()},
    }


def compilations(forward: bool, num_restarts: int) -> dict[str, int]:
    """Returns how many programs are compiled at first, and how many after a change."""
    heard: list[str] = []
    jax.monitoring.register_event_duration_secs_listener(lambda event, *_, **__: heard.append(event))
    optimizer = optax.inject_hyperparams(optax.adam)(learning_rate=0.01)
    starts = Normal(jnp.linspace(*_fits.STARTS, num_restarts), 1.0)
    divergence = ForwardKL() if forward else ReverseKL()

    def run(rate: float = 0.01, num_steps: int = 3, separation: float = 3.0, seed: int = 0) -> int:
        heard.clear()
        target = Mixture(jnp.array([0.5, 0.5]), Normal(jnp.array([-separation, separation]), 1.0))
        method = MonteCarlo(jax.random.key(seed), 16, control_variate=0.0)
        options: dict[str, Any] = {"optimizer": optimizer, "method": method, "hyperparams": {"learning_rate": rate}}
        jax.block_until_ready(fit(target, starts, divergence, num_steps=num_steps, **options).optimum.loc)
        return heard.count(_COMPILE)

    return {
        "at first": run(),
        "learning rate": run(rate=0.02),
        "number of steps": run(num_steps=5),
        "target": run(separation=2.0),
        "seed": run(seed=1),
    }


def cache(forward: bool, quadrature: bool, config: Config) -> dict[str, Any]:
    """Returns the seconds of a first fit in a process that finds JAX's cache empty, and in one that finds it filled."""
    script = pathlib.Path(__file__).with_name("_first_fit.py")
    arguments = json.dumps([forward, num_restarts_of(config), config.num_draws[-1], quadrature])
    with tempfile.TemporaryDirectory() as folder:
        # Also what compiles in less than a second is kept.
        environment = os.environ | {
            "JAX_COMPILATION_CACHE_DIR": folder,
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        }
        command = [sys.executable, str(script), arguments]
        found = [
            json.loads(subprocess.run(command, check=True, env=environment, capture_output=True, text=True).stdout)  # noqa: S603
            for _ in range(2)
        ]
    cold, warm = found
    return {"cold": cold, "warm": warm, "share": warm["compiling"] / cold["compiling"]}


def num_restarts_of(config: Config) -> int:
    """Returns how many Gaussians are fitted at once."""
    return 8 if config.smoke else config.num_restarts


def line(row: dict[str, Any]) -> str:
    """Returns a row as it is printed, on three lines."""
    lines = [f"{row['direction']}, {row['num_draws']} draws: {row['microseconds_per_step']['ours']:.0f} us a step"]
    for own, ratios in row["times_as_long_as"].items():
        lines.append(f"  over {own}:  " + "  ".join(f"{name} {ratio:.2f}" for name, ratio in ratios.items()))
    return "\n".join(lines)


def main(config: Config) -> dict[str, Any]:
    """Times every contest, counts compilations and writes `metrics.json`."""
    draws = config.num_draws[:1] if config.smoke else config.num_draws
    steps = 20 if config.smoke else config.num_steps
    contests = [_fits.Contest(forward, n, num_restarts_of(config), steps) for n in draws for forward in (False, True)]
    rows = []
    for contest in tqdm(contests):
        rows.append(measure(contest, config))
        tqdm.write(line(rows[-1]))
    counts = {name: compilations(forward, 8) for name, forward in (("reverse", False), ("forward", True))}
    print("compiled: ", counts)
    caches = {}
    if config.cache:
        caches = {"draws": cache(False, False, config)}
        if not config.smoke:
            caches["quadrature"] = cache(False, True, config)
    for name, found in caches.items():
        cold, warm = found["cold"]["compiling"], found["warm"]["compiling"]
        print(f"compiling a fit by {name}: {cold:.2f} s, with a cache that is filled {warm:.2f} s")
    folder = config.output / "smoke" if config.smoke else config.output
    path = _common.write_metrics(folder, config, {"rows": rows, "compilations": counts, "cache": caches})
    return json.loads(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main(tyro.cli(Config, description=__doc__))
