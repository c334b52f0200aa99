"""Fit one Gaussian to a mixture of Gaussians by gradient descent: what do KL(p‖q) and KL(q‖p) make of it?

The forward divergence KL(p‖q) has a single optimum, which matches the mixture's mean and variance and so covers
every mode, wherever the descent starts. The reverse divergence KL(q‖p) has several local minima. For two equal modes at
-3 and 3 with unit scales there are three: one on each mode (0.689 nats, both of them global) and one that
covers them (0.841 nats, worse than either). "Reverse KL seeks modes" is thus half of the story: a start at N(0, 1), or
even N(1, 1), ends in the covering minimum. The basins show which start ends where.

    python -m experiments.mixture_kl --weights 0.3 0.7 --means -2 4 --scales 1 0.5 --x64
"""

import dataclasses
import json
import math
from pathlib import Path
from typing import Any, Literal

if __package__:
    from experiments import _common, _mixture_kl_animation, _mixture_kl_figures
else:  # run as a script: Python looks in the folder of this file
    import _common
    import _mixture_kl_animation
    import _mixture_kl_figures

import jax
import jax.numpy as jnp
import numpy as np
import optax
import tyro
from tqdm import tqdm

from jaxinfo.distributions import Mixture, Normal
from jaxinfo.projections import Fit, ForwardKL, ReverseKL, fit

DIVERGENCES = {"forward": ForwardKL(), "reverse": ReverseKL()}
FORMULAS = {"forward": "KL(p‖q)", "reverse": "KL(q‖p)"}
# Starts that are fitted at once. A batch ends when its last start has converged.
LANES = 256


@dataclasses.dataclass(frozen=True)
class Config:
    """The target p is the mixture of N(means[k], scales[k]^2) with weights[k], of any number of components."""

    weights: tuple[float, ...] = (0.5, 0.5)
    means: tuple[float, ...] = (-3.0, 3.0)
    scales: tuple[float, ...] = (1.0, 1.0)
    # The grid of starts: `num_means` means within `width` standard deviations of the target's mean, and `num_scales`
    # scales, geometrically, between these two multiples of the target's standard deviation; further where components
    # are further out or narrower.
    num_means: int = 48
    num_scales: int = 32
    width: float = 2.0
    narrowest: float = 0.06
    widest: float = 2.5
    optimizer: Literal["adam", "sgd", "lbfgs"] = "adam"
    learning_rate: float = 0.05
    num_steps: int = 3000
    # A start is done once the gradient's norm is below this; None is 1e-6 in single and 1e-10 in double precision.
    tolerance: float | None = None
    # Moves the lines of the grid at random by up to half a cell, with the seed; 0 leaves them regular.
    jitter: float = 0.0
    seed: int = 0
    x64: bool = False
    # Few starts and frames: a check that everything runs, in seconds.
    smoke: bool = False
    output: Path = Path("results/mixture_kl")


def main(config: Config) -> dict[str, Any]:
    """Runs the experiment, writes its files to `config.output`, prints what it found, and returns the metrics."""
    _check(config)
    if config.smoke:
        config = dataclasses.replace(config, num_means=16, num_scales=16)
    with jax.enable_x64(config.x64):
        target = Mixture(jnp.asarray(config.weights, float), Normal(jnp.array(config.means), jnp.array(config.scales)))
        starts, optimizer = grid_of_starts(config, target), make_optimizer(config)
        fits, timings = {}, {}
        for name in DIVERGENCES:
            # The forward divergence has one basin: a sparse part of the grid shows it.
            some = jax.tree.map(lambda leaf: leaf[::3, ::2], starts) if name == "forward" else starts
            fits[name], timings[name] = fit_grid(config, target, some, name, optimizer)
        optima = [row for name in DIVERGENCES for row in local_optima(target, name, fits[name])]
        metrics = {
            "optima": optima,
            "starts": {name: summarize_starts(found) for name, found in fits.items()},
            "timings": timings | {"seconds_per_restart": cost_per_restart(config, target, optimizer)},
        }
        path = _common.write_metrics(config.output, config, metrics)
        descents = {name: some_descents(found) for name, found in fits.items()}
        with _common.figure_style():
            figure = _mixture_kl_figures.draw_figure(
                config.output / "mixture_kl.png", target, starts, fits["reverse"], optima, descents
            )
            animation = _mixture_kl_animation.draw_descent(
                config.output / "descent.gif", target, starts, fits["reverse"], optima, descents
            )
    print_table(metrics)
    print(f"\nfigure     {figure}\nanimation  {animation}\nmetrics    {path}")
    return json.loads(path.read_text(encoding="utf-8"))


def _check(config: Config) -> None:
    counts = {len(config.weights), len(config.means), len(config.scales)}
    if len(counts) != 1 or 0 in counts:
        raise ValueError(f"weights, means and scales must have one number for each component, got {config}")
    if not math.isclose(sum(config.weights), 1, abs_tol=1e-6) or min(config.weights) < 0:
        raise ValueError(f"weights must be probabilities that sum to one, got {config.weights}")
    if min(config.scales) <= 0:
        raise ValueError(f"scales must be positive, got {config.scales}")


def grid_of_starts(config: Config, target: Mixture) -> Normal:
    """Returns the starts, of batch shape `[num_means, num_scales]`; they reach every component, also a light one."""
    parts = target.components
    deviation = jnp.sqrt(target.variance)
    low = jnp.minimum(target.mean - config.width * deviation, jnp.min(parts.loc - config.width * parts.scale))
    high = jnp.maximum(target.mean + config.width * deviation, jnp.max(parts.loc + config.width * parts.scale))
    narrow = jnp.minimum(config.narrowest * deviation, 0.5 * jnp.min(parts.scale))
    ends = ((low, high), (jnp.log(narrow), jnp.log(config.widest * deviation)))
    axes = []
    for key, (first, last), count in zip(
        jax.random.split(jax.random.key(config.seed)), ends, (config.num_means, config.num_scales), strict=True
    ):
        noise = jax.random.uniform(key, (count,), minval=-0.5, maxval=0.5)
        axes.append(jnp.linspace(first, last, count) + config.jitter * (last - first) / count * noise)
    means, scales = jnp.meshgrid(*axes, indexing="ij")
    return Normal(means, jnp.exp(scales))


def make_optimizer(config: Config) -> optax.GradientTransformation:
    """Returns the optimizer; its learning rate can be changed without compiling again.

    Adam's large `eps` turns it into plain descent once gradients are small. With the usual 1e-8 its steps keep their
    size there, and it circles a minimum at the distance of a step instead of converging. Its small `b1` keeps it from
    running over the rim of a basin, so that the basins are nearly those of gradient descent in small steps.
    """
    if config.optimizer == "lbfgs":
        return optax.lbfgs()
    if config.optimizer == "sgd":
        return optax.inject_hyperparams(optax.sgd)(learning_rate=config.learning_rate, momentum=0.9)
    return optax.inject_hyperparams(optax.adam)(learning_rate=config.learning_rate, b1=0.5, b2=0.99, eps=0.1)


def fit_with(config: Config, target: Mixture, starts: Normal, name: str, optimizer: Any, **options: Any) -> Fit:
    """Fits with the configured options; keyword arguments replace them."""
    default = 1e-10 if config.x64 else 1e-6
    hyperparams = {} if config.optimizer == "lbfgs" else {"learning_rate": config.learning_rate}
    options = {"tolerance": config.tolerance or default, "record_every": 2, **options}
    return fit(
        target,
        starts,
        DIVERGENCES[name],
        optimizer=optimizer,
        num_steps=config.num_steps,
        hyperparams=hyperparams,
        **options,
    )


def join(parts: list[Fit], shape: tuple[int, ...]) -> Fit:
    """Returns fits of one axis of lanes as one fit of this batch shape, without what filled up the last part."""
    count = math.prod(shape)
    ends = [dataclasses.replace(part, history=None) for part in parts]
    whole = jax.tree.map(lambda *leaves: jnp.concatenate(leaves)[:count].reshape(shape), *ends)
    # Of a history the first axis is time, and the steps of its rows are those of every part.
    steps = parts[0].history.num_steps
    lanes = [dataclasses.replace(part.history, num_steps=None) for part in parts]
    joined = jax.tree.map(lambda *rows: jnp.concatenate(rows, axis=1)[:, :count].reshape(-1, *shape), *lanes)
    return dataclasses.replace(whole, history=dataclasses.replace(joined, num_steps=steps))


def fit_grid(
    config: Config, target: Mixture, starts: Normal, name: str, optimizer: Any
) -> tuple[Fit, dict[str, float]]:
    """Fits from every start, some lanes at a time; returns the fits, of the grid's batch shape, and the seconds."""
    shape, count = starts.batch_shape, math.prod(starts.batch_shape)
    lanes = min(LANES, count)
    # The last batch is filled up with starts from the beginning, so that all have one shape and compile once.
    index = np.arange(-(-count // lanes) * lanes) % count
    batches = [jax.tree.map(lambda leaf, i=i: leaf.ravel()[i], starts) for i in np.split(index, len(index) // lanes)]
    # The tolerance is traced: with one that every start meets, the same program is compiled and takes no step.
    _, compile_seconds = _common.timed(lambda: fit_with(config, target, batches[0], name, optimizer, tolerance=1e30))
    parts, run_seconds = [], 0.0
    for batch in tqdm(batches, desc=f"{FORMULAS[name]} from {count} starts", unit="batch"):
        part, seconds = _common.timed(lambda batch=batch: fit_with(config, target, batch, name, optimizer))
        parts.append(part)
        run_seconds += seconds
    return join(parts, shape), {"compile_seconds": compile_seconds, "run_seconds": run_seconds}


def local_optima(target: Mixture, name: str, found: Fit) -> list[dict[str, Any]]:
    """Returns one row for each distinct end of a descent that converged, the best first and then from the left."""
    rows = [
        {
            "divergence": name,
            "mean": float(optimum.distribution.loc),
            "standard_deviation": float(optimum.distribution.scale),
            "value": float(optimum.value.value),
            "error_bound": float(optimum.value.stderr),
            "gradient_norm": optimum.gradient_norm,
            "kind": optimum.kind,
            "hessian_eigenvalues": optimum.hessian_eigenvalues.tolist(),
            "share_of_starts": optimum.share,
            "is_global": optimum.is_global,
        }
        for optimum in found.local_optima(target, DIVERGENCES[name])
    ]
    return sorted(rows, key=lambda row: (not row["is_global"], round(row["value"], 5), row["mean"]))


def summarize_starts(found: Fit) -> dict[str, Any]:
    """Returns how the descents went, over all starts."""
    steps = np.asarray(found.num_steps)
    return {
        "count": int(steps.size),
        "converged": float(np.mean(np.asarray(found.converged))),
        "median_steps": float(np.median(steps)),
        "most_steps": int(steps.max()),
    }


def cost_per_restart(config: Config, target: Mixture, optimizer: Any) -> dict[str, float]:
    """Returns the seconds that a restart takes after compilation, alone and among 256 of the same start."""
    seconds = {}
    for count in (1, LANES):
        starts = Normal(jnp.broadcast_to(target.mean, count), jnp.ones(count))

        def run(starts: Normal = starts, **options: Any) -> Fit:
            return fit_with(config, target, starts, "reverse", optimizer, **options)

        run(tolerance=1e30)
        seconds[str(count)] = min(_common.timed(run)[1] for _ in range(1 if config.smoke else 3)) / count
    return seconds


def some_descents(found: Fit, num_rows: int = 9, num_columns: int = 3) -> Fit:
    """Returns the fits from a sparse part of the grid, on one axis, with the first part of their history."""
    shape = found.num_steps.shape
    index = np.ix_(
        *(
            np.unique(np.linspace(0.04, 0.96, n) * (size - 1) + 0.5).astype(int)
            for n, size in zip((num_rows, num_columns), shape, strict=True)
        )
    )
    ends = jax.tree.map(lambda leaf: leaf[index].ravel(), dataclasses.replace(found, history=None))
    rows = slice(0, 201)
    steps = found.history.num_steps[rows]
    lanes = dataclasses.replace(found.history, num_steps=None)
    lanes = jax.tree.map(lambda leaf: leaf[rows][:, *index].reshape(len(steps), -1), lanes)
    return dataclasses.replace(ends, history=dataclasses.replace(lanes, num_steps=steps))


def print_table(metrics: dict[str, Any]) -> None:
    """Prints the optima, how many starts lead to each, and what it cost."""
    print(f"\n{'':10}{'mean':>12}{'deviation':>12}{'value [nat]':>13}{'+-':>9}  {'kind':10}{'starts':>7}")
    for row in metrics["optima"]:
        print(
            f"{FORMULAS[row['divergence']]:10}{row['mean'] + 0.0:12.6f}{row['standard_deviation']:12.6f}"
            f"{row['value']:13.8f}{row['error_bound']:9.0e}  {row['kind']:10}{row['share_of_starts']:7.1%}"
            f"{'  global' if row['is_global'] else ''}"
        )
    print()
    for name, seconds in metrics["timings"].items():
        if name in DIVERGENCES:
            starts = metrics["starts"][name]
            print(
                f"{FORMULAS[name]}: {starts['converged']:.1%} of {starts['count']} starts converged, in "
                f"{starts['median_steps']:.0f} steps (median); compile {seconds['compile_seconds']:.1f} s, "
                f"run {seconds['run_seconds']:.1f} s"
            )
    alone, together = (1e3 * value for value in metrics["timings"]["seconds_per_restart"].values())
    print(f"one restart: {alone:.2f} ms alone, {together:.2f} ms among {LANES}")


if __name__ == "__main__":
    main(tyro.cli(Config, description=__doc__))
