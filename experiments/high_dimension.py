"""Mode-covering and mode-seeking in 2 to 512 dimensions: what is left of the picture that one dimension gives?

A diagonal Gaussian is fitted to 0.3 N(-m, I) + 0.7 N(m, I), where every coordinate of m is 3, with fresh draws at every
step, in both directions of KL, from eight starts. Both optima are known: forward the target's moments, reverse one of
the components but for exponentially little.

- Reverse KL stays as it is. Every start ends on one component, often the lighter one (1.204 nats rather than 0.357),
  and loses the other: 0.3 or 0.7 of the mass, in any dimension, and nothing in the value grows. As sticking the landing
  has no noise there, 32 draws a step find the component to 1e-5 of its width or better; in two dimensions the other one
  still shifts it by 4e-4.
- Forward KL covers both modes in two dimensions, and does not in many. Its value grows by 1.07 nats for each dimension.
  From 8 dimensions on all its draws lie where the target has next to nothing: a shell around the mean, of a radius that
  no draw of the target has. Neither does its own region of highest density, which holds 99 % of it, contain the lighter
  mode from 32 dimensions on: 0.3 of the mass is outside it. "Mode-covering" is about densities that are nowhere too
  low, and not about draws that look like the target's.

    python -m experiments.high_dimension --weights 0.5 0.5 --dimensions 4 64 1024
"""

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

if __package__:
    from experiments import _common, _high_dimension_figures
else:  # run as a script: Python looks in the folder of this file
    import _common
    import _high_dimension_figures

import jax
import jax.numpy as jnp
import numpy as np
import optax
import tyro
from tqdm import tqdm

from jaxinfo.densities import MonteCarlo, StickingTheLanding
from jaxinfo.distributions import Mixture, MultivariateNormal
from jaxinfo.projections import Fit, ForwardKL, ReverseKL, fit, project

DIVERGENCES = {"forward": ForwardKL(), "reverse": ReverseKL()}
# A region of highest density holds this much of its distribution.
REGION = 0.99


@dataclasses.dataclass(frozen=True)
class Config:
    """The target is `w N(-m, I) + (1 - w) N(m, I)` with every coordinate of m equal to `offset`."""

    dimensions: tuple[int, ...] = (2, 8, 32, 128, 512)
    weights: tuple[float, float] = (0.3, 0.7)
    # Modes are 2 offset sqrt(D) apart: so far that each is an optimum of reverse KL but for exponentially little.
    offset: float = 3.0
    num_restarts: int = 8
    # Draws of one step of one restart, from the approximation or from the target.
    num_draws: int = 32
    num_steps: int = 2000
    learning_rate: float = 0.1
    # Draws that the fits are judged by.
    num_judged: int = 4096
    seed: int = 0
    x64: bool = False
    # One dimension and few steps: a check that everything runs, in seconds.
    smoke: bool = False
    output: Path = Path("results/high_dimension")


def make_target(config: Config, dimension: int) -> Mixture:
    """Returns the mixture of two normals with independent coordinates of unit variance."""
    modes = config.offset * jnp.array([[-1.0], [1.0]]) * jnp.ones((1, dimension))
    return Mixture(jnp.array(config.weights), MultivariateNormal.from_diagonal(modes, jnp.ones((2, dimension))))


def known_optima(config: Config, target: Mixture, name: str) -> tuple[Any, list[float]]:
    """Returns the optima of a direction, a batch of normals, and their values.

    Forward: the target's moments; with modes this far apart its entropy is that of a component and of the weights.
    Reverse: one component, at minus the logarithm of its weight.
    """
    if name == "reverse":
        return target.components, [-math.log(w) for w in config.weights]
    dimension = target.event_shape[0]
    optimum = project(target, MultivariateNormal.from_diagonal(jnp.zeros(dimension), jnp.ones(dimension)))
    variance = 1 + 4 * math.prod(config.weights) * config.offset**2
    of_weights = -sum(w * math.log(w) for w in config.weights)
    batched = MultivariateNormal.from_diagonal(optimum.loc[None], optimum.scale[None])
    return batched, [0.5 * dimension * math.log(variance) - of_weights]


def make_optimizer(config: Config) -> optax.GradientTransformation:
    """Adam, whose steps shrink: what is left at the end is the noise of the last ones."""
    return optax.adam(optax.cosine_decay_schedule(config.learning_rate, config.num_steps, alpha=1e-3), b2=0.99)


def run_fit(
    config: Config, target: Mixture, name: str, optimizer: optax.GradientTransformation
) -> tuple[Fit, dict[str, float]]:
    """Fits a diagonal normal from every start with fresh draws at every step; returns the fits and the seconds."""
    key_starts, key = jax.random.split(jax.random.key(config.seed))
    starts = jax.random.normal(key_starts, (config.num_restarts, target.event_shape[0]))
    init = MultivariateNormal.from_diagonal(starts, jnp.full_like(starts, 2.0))
    gradient = StickingTheLanding() if name == "reverse" else None
    method = MonteCarlo(key, config.num_draws, gradient, control_variate=0.0)

    def run(num_steps: int) -> Fit:
        return fit(target, init, DIVERGENCES[name], optimizer=optimizer, num_steps=num_steps, method=method)

    # The number of steps is traced: without any, the same program is compiled.
    _, compile_seconds = _common.timed(lambda: run(0))
    found, run_seconds = _common.timed(lambda: run(config.num_steps))
    return found, {
        "compile_seconds": compile_seconds,
        "run_seconds": run_seconds,
        "seconds_per_step": run_seconds / config.num_steps,
    }


def distance_to_known(found: Fit, optima: Any) -> dict[str, Any]:
    """Returns how far the restarts are from the optimum next to each, and that in their own standard errors.

    The error of each parameter is the spread of the restarts, which have draws of their own, over the root of their
    number; over many parameters the ratio then has the root mean square of Student's t. A rounding of the parameters
    is the least error.
    """
    loc, scale = np.asarray(found.optimum.loc, np.float64), np.asarray(found.optimum.scale, np.float64)
    at, wide = np.asarray(optima.loc, np.float64), np.asarray(optima.scale, np.float64)
    nearest = np.argmin(np.linalg.norm(loc[:, None] - at, axis=-1), axis=1)
    # In standard deviations of the optimum, and sqrt(2) times the logarithm of the scale: Fisher's metric.
    apart = np.concatenate([(loc - at[nearest]) / wide[nearest], math.sqrt(2) * np.log(scale / wide[nearest])], axis=1)
    count, epsilon = len(apart), float(jnp.finfo(found.optimum.loc.dtype).eps)
    rounding = 4 * epsilon * (1 + np.abs(at).max())
    error = np.sqrt(apart.var(axis=0, ddof=1) / count + rounding**2)
    z = apart.mean(axis=0) / error
    return {
        "nearest_optimum": nearest.tolist(),
        "root_mean_square_distance_per_parameter": float(np.sqrt(np.mean(apart**2))),
        "root_mean_square_z": float(np.sqrt(np.mean(z**2))),
        "expected_root_mean_square_z": math.sqrt((count - 1) / (count - 3)),
        "largest_z": float(np.abs(z).max()),
    }


@jax.jit(static_argnames="count")
def judge(target: Mixture, optimum: Any, key: jax.Array, forward: jax.Array, *, count: int) -> dict[str, jax.Array]:
    """Returns, for every restart, its divergence and what one distribution has outside the other's region.

    By draws that no fit has seen, as many from each.
    """
    keys = jax.random.split(key, 3)
    ours, modes = target.sample(keys[0], (count,)), target.components.sample(keys[1], (count,))
    own_region = jnp.quantile(target.log_prob(ours), 1 - REGION)

    def one(approximation: Any) -> dict[str, jax.Array]:
        theirs = approximation.sample(keys[2], (count,))
        region = jnp.quantile(approximation.log_prob(theirs), 1 - REGION)
        inside = jnp.mean(approximation.log_prob(modes) >= region, axis=0)
        # The direction is traced, so that both are one program.
        x, sign = jnp.where(forward, ours, theirs), jnp.where(forward, 1.0, -1.0)
        log_ratio = sign * (target.log_prob(x) - approximation.log_prob(x))
        return {
            "value": jnp.mean(log_ratio),
            "value_standard_error": jnp.std(log_ratio) / math.sqrt(count - 1),
            "mass_lost": jnp.mean(approximation.log_prob(ours) < region),
            "mass_wasted": jnp.mean(target.log_prob(theirs) < own_region),
            "modes_covered": jnp.sum(inside > 0.5),
        }

    return jax.lax.map(one, optimum)


def measure(config: Config, dimension: int, name: str, optimizer: Any) -> tuple[dict[str, Any], Fit]:
    """Returns the row of a dimension and a direction, and the fits."""
    target = make_target(config, dimension)
    optima, known = known_optima(config, target, name)
    found, seconds = run_fit(config, target, name, optimizer)
    apart = distance_to_known(found, optima)
    key = jax.random.key(config.seed + 1)
    judged = judge(target, found.optimum, key, jnp.array(name == "forward"), count=config.num_judged)
    row = {
        "direction": name,
        "dimension": dimension,
        "value_of_known_optimum": [known[i] for i in apart["nearest_optimum"]],
        "variances_known": (np.asarray(optima.scale)[:, 0] ** 2).tolist(),
        **apart,
        **{key: np.asarray(leaf).tolist() for key, leaf in judged.items()},
        **seconds,
    }
    return row, found


def main(config: Config) -> dict[str, Any]:
    """Runs the experiment, writes its files to `config.output`, prints what it found, and returns the metrics."""
    if not math.isclose(sum(config.weights), 1, abs_tol=1e-6) or min(config.weights) <= 0:
        raise ValueError(f"weights must be positive and sum to one, got {config.weights}")
    if min(config.dimensions) < 1 or config.num_restarts < 4:
        raise ValueError(f"a dimension at least, and four restarts for a standard error, got {config}")
    if config.smoke:
        config = dataclasses.replace(config, dimensions=(8,), num_steps=300, num_judged=1024)
    rows, fits = [], {}
    optimizer = make_optimizer(config)
    with jax.enable_x64(config.x64):
        pairs = [(dimension, name) for dimension in config.dimensions for name in DIVERGENCES]
        for dimension, name in tqdm(pairs, desc="fits", unit="fit"):
            row, fits[dimension, name] = measure(config, dimension, name, optimizer)
            rows.append(row)
        targets = {dimension: make_target(config, dimension) for dimension in config.dimensions}
        path = _common.write_metrics(config.output, config, {"rows": rows})
        with _common.figure_style():
            figure = _high_dimension_figures.draw(config.output / "high_dimension.png", rows, targets, fits)
    print_table(rows)
    print(f"\nfigure     {figure}\nmetrics    {path}")
    return json.loads(path.read_text(encoding="utf-8"))


def print_table(rows: list[dict[str, Any]]) -> None:
    """Prints what the fits have come to."""
    print(f"\n{'':9}{'D':>5}{'nats':>10}{'optimum':>10}{'modes':>7}{'lost':>7}{'wasted':>8}", end="")
    print(f"{'distance [se]':>15}{'ms/step':>9}")
    for row in rows:
        means = {key: np.mean(row[key]) for key in ("value", "value_of_known_optimum", "mass_lost", "mass_wasted")}
        print(
            f"{row['direction']:9}{row['dimension']:5}{means['value']:10.3f}{means['value_of_known_optimum']:10.3f}"
            f"{np.mean(row['modes_covered']):7.1f}{means['mass_lost']:7.2f}{means['mass_wasted']:8.2f}"
            f"{row['root_mean_square_z']:15.2f}{1e3 * row['seconds_per_step']:9.2f}"
        )


if __name__ == "__main__":
    main(tyro.cli(Config, description=__doc__))
