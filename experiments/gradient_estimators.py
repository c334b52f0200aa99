"""How many draws does the gradient of a divergence need, by which estimator, in how many dimensions?

Every estimator is held against the exact gradient, of a closed form or of quadrature, for Gaussians q about a Gaussian
p in 1 to 100 dimensions, and about a mixture in one. One digit is a relative error of 0.1 (root mean square, over all
coordinates), here one standard deviation away from the optimum:

- Reverse KL. Reparameterised draws: 630 in one dimension and 29 000 in a hundred. On the path alone ("sticking the
  landing"): 180 and 140, as its noise dies with the distance to p and not with the dimension. At q = p its variance
  is exactly 0, that of plain draws three for every coordinate. That is no privilege: the score function with a baseline
  and the control variate have none there either, but one deviation away they are as noisy as plain draws or noisier.
- It takes a target that q can be. At the best Gaussian for a mixture nothing vanishes: a variance of 6 against 14.
- Forward KL. Draws of the target: 650 and 29 000. The control variate q/p - 1 leaves no variance at the optimum, but
  here twice that of plain draws in a hundred dimensions and fifty times it in one; from a q of sqrt(2) times the width
  of p on it is infinite. Self-normalised importance takes up to a third more, and is biased.
- Order 2. Doubly reparameterised: 230 and 4 000 draws; reparameterised: 1 800 and 600 000. Of the Rényi bound: 180 and
  880 against 4 300 and 230 000; there all are biased by the logarithm of a mean, which 4096 times 32 draws show by
  ten standard errors.

No estimator that is unbiased is more than four of its standard errors from the exact gradient, in any coordinate.

    python -m experiments.gradient_estimators --alpha 0.5 --num-repeats 8192
"""

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

if __package__:
    from experiments import _common, _gradient_estimators_figures
    from experiments._gradient_estimators import Estimator, make_estimators
else:  # run as a script: Python looks in the folder of this file
    import _common
    import _gradient_estimators_figures
    from _gradient_estimators import Estimator, make_estimators

import jax
import jax.numpy as jnp
import numpy as np
import optax
import tyro
from jax.flatten_util import ravel_pytree
from tqdm import tqdm

from jaxinfo.distributions import Mixture, MultivariateNormal, Normal
from jaxinfo.projections import Alpha, ForwardKL, Renyi, ReverseKL, fit, project


@dataclasses.dataclass(frozen=True)
class Config:
    """Gaussian targets, and a mixture of two in one dimension, with Gaussian approximations around the optimum."""

    dimensions: tuple[int, ...] = (1, 5, 20, 100)
    # How far the approximation is from the optimum, over all coordinates together: in standard deviations for the
    # means, and `sqrt(2)` times the logarithm for the scales, as Fisher's metric has it near the optimum.
    distances: tuple[float, ...] = (0.0, 0.03, 0.1, 0.3, 1.0)
    # The share of the squared distance that is in the scales, which are too wide: weights p/q then have all moments.
    scale_share: float = 0.1
    # That of the alpha and Rényi divergences, positive and not 1.
    alpha: float = 2.0
    # The relative error that counts as one digit.
    digit: float = 0.1
    # Half the distance between the modes of the mixture, in their scales.
    half_separation: float = 2.0
    # Every gradient is the mean of so many draws, and is estimated so many times.
    num_draws: int = 32
    num_repeats: int = 4096
    # Repeats at a time, over all distances.
    block: int = 64
    seed: int = 0
    x64: bool = False
    # One dimension, no mixture and few repeats: a check that everything runs, in seconds.
    smoke: bool = False
    output: Path = Path("results/gradient_estimators")


@dataclasses.dataclass(frozen=True)
class Problem:
    """A target, and an optimum for each direction, around which the approximations lie."""

    name: str
    dimension: int
    target: Any
    optimum: dict[str, Any]


def divergences(config: Config) -> dict[str, Any]:
    """Returns the divergences by name."""
    forward, reverse = ForwardKL(), ReverseKL()
    return {"reverse KL": reverse, "forward KL": forward, "alpha": Alpha(config.alpha), "Rényi": Renyi(config.alpha)}


def make_problems(config: Config) -> list[Problem]:
    """Returns a Gaussian target for each dimension, and the mixture, whose optima are none of its own kind."""
    problems = []
    for dimension in config.dimensions:
        # Of independent coordinates in units of their own: no other diagonal Gaussian is more general.
        normal = MultivariateNormal.from_diagonal(jnp.zeros(dimension), jnp.ones(dimension))
        problems.append(Problem("normal", dimension, normal, dict.fromkeys(divergences(config), normal)))
    return problems if config.smoke else [*problems, mixture_problem(config)]


def mixture_problem(config: Config) -> Problem:
    """Returns the mixture of two modes, with the optimum of forward KL and the covering one of reverse KL."""
    half = config.half_separation
    mixture = Mixture(jnp.array([0.5, 0.5]), Normal(jnp.array([-half, half]), 1.0))
    covering = project(mixture, Normal)
    reverse = fit(mixture, covering, ReverseKL(), optimizer=optax.lbfgs(), num_steps=60).optimum
    return Problem("mixture", 1, mixture, {"forward KL": covering, "reverse KL": reverse})


def displaced(config: Config, optimum: Any, distance: jax.Array) -> Any:
    """Returns the unconstrained parameters at a distance from an optimum, the same in every coordinate."""
    free = optimum.to_unconstrained()
    each = distance / math.sqrt(max(1, free["loc"].size))
    loc = free["loc"] + each * math.sqrt(1 - config.scale_share) * jnp.exp(free["log_scale"])
    return {"loc": loc, "log_scale": free["log_scale"] + each * math.sqrt(config.scale_share / 2)}


def exact_gradients(config: Config, problem: Problem, direction: str) -> np.ndarray:
    """Returns the gradients at every distance, `[distances, coordinates]`: of closed forms, or of quadrature."""
    divergence, optimum = divergences(config)[direction], problem.optimum[direction]

    def gradient(distance: jax.Array) -> jax.Array:
        free = displaced(config, optimum, distance)
        value = lambda free: divergence.estimate(problem.target, optimum.from_unconstrained(free)).value  # noqa: E731
        return ravel_pytree(jax.grad(value)(free))[0]

    distances = jnp.array(config.distances)
    # One call of a large program, that of refined panels for the mixture.
    compiled = compile_quickly(jax.jit(jax.vmap(gradient)).lower(distances), 0)
    return np.asarray(compiled(distances), np.float64)


def estimated_gradients(config: Config, problem: Problem, estimator: Estimator) -> tuple[np.ndarray, dict[str, float]]:
    """Returns independent estimates, `[repeats, distances, coordinates]`, and the seconds they took.

    All distances see the same draws; repeats go through in blocks, so that memory holds but one block's draws.
    """
    optimum = problem.optimum[estimator.direction]

    def gradient(free: Any, target: Any, key: jax.Array) -> jax.Array:
        def value(free: Any) -> jax.Array:
            return estimator.value(target, optimum.from_unconstrained(free), key, config.num_draws)

        return ravel_pytree(jax.grad(value)(free))[0]

    def all_repeats(free: Any, target: Any, keys: jax.Array) -> jax.Array:
        every = jax.vmap(gradient, (0, None, None))
        return jax.lax.map(lambda key: every(free, target, key), keys, batch_size=config.block)

    free = jax.vmap(lambda distance: displaced(config, optimum, distance))(jnp.array(config.distances))
    keys = jax.random.split(jax.random.key(config.seed), config.num_repeats)
    lowered = jax.jit(all_repeats).lower(free, problem.target, keys)
    compiled, compile_seconds = _common.timed(lambda: compile_quickly(lowered, 0 if config.smoke else 1))
    gradients, run_seconds = _common.timed(lambda: compiled(free, problem.target, keys))
    return np.asarray(gradients, np.float64), {"compile_seconds": compile_seconds, "run_seconds": run_seconds}


def compile_quickly(lowered: Any, level: int) -> Any:
    """Compiles one of many programs that run for a second each: LLVM's optimiser would take several."""
    options: dict[str, Any] = {"xla_backend_optimization_level": level}
    try:
        return lowered.compile(compiler_options=options | {"xla_cpu_use_fusion_emitters": False})
    except jax.errors.JaxRuntimeError:  # newer XLA has no choice of emitters left
        return lowered.compile(compiler_options=options)


def samples_for(relative: float, norm: float, variance: float, bias: float) -> float | None:
    """Returns the draws n for which `variance / n + (bias / n)^2` is the square of a relative error of the gradient.

    A bias falls as 1/n. Where the gradient is 0 there is no relative error: None.
    """
    allowed = (relative * norm) ** 2
    return (variance + math.sqrt(variance**2 + 4 * allowed * bias**2)) / (2 * allowed) if allowed > 0 else None


def z_scores(mean: np.ndarray, exact: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Returns the bias in its own standard errors; 0 where neither is more than a rounding."""
    bias = mean - exact
    known = error > 1e-6 * np.maximum(1, np.abs(exact))
    return np.where(known, bias, 0) / np.where(known, error, 1)


def measure(
    config: Config, problem: Problem, estimator: Estimator, exact: np.ndarray
) -> tuple[list[dict[str, Any]], np.ndarray]:
    """Returns a row for every distance, and the z-scores `[distances, coordinates]`."""
    found, seconds = estimated_gradients(config, problem, estimator)
    mean, spread = found.mean(axis=0), found.var(axis=0, ddof=1)
    scores = z_scores(mean, exact, np.sqrt(spread / len(found)))
    rows = []
    for i, distance in enumerate(config.distances):
        total, bias = float(spread[i].sum()), mean[i] - exact[i]
        draws, norm = estimator.cost * config.num_draws, float(np.linalg.norm(exact[i]))
        # n times the bias of n draws, as far as it is more than its own noise.
        beyond = max(0.0, float(bias @ bias) - total / len(found))
        of_one = 0.0 if estimator.unbiased else draws * math.sqrt(beyond)
        # At the optimum the exact gradient is 0, or a rounding.
        count = samples_for(config.digit, norm if distance else 0.0, draws * total, of_one)
        free = displaced(config, problem.optimum[estimator.direction], jnp.asarray(distance))
        finite = float(jnp.exp(free["log_scale"]).max()) < estimator.widest
        rows.append(
            {
                "direction": estimator.direction,
                "estimator": estimator.name,
                "target": problem.name,
                "dimension": problem.dimension,
                "distance": distance,
                "exact_gradient_norm": norm,
                "variance_of_one_draw": draws * total if finite else None,
                "bias": float(np.linalg.norm(bias)),
                "bias_standard_error": math.sqrt(total / len(found)),
                "root_mean_square_z": float(np.sqrt(np.mean(scores[i] ** 2))),
                "largest_z": float(np.max(np.abs(scores[i]))),
                "draws_for_one_digit": count if finite else None,
                **seconds,
            }
        )
    return rows, scores


def main(config: Config) -> dict[str, Any]:
    """Runs the experiment, writes its files to `config.output`, prints what it found, and returns the metrics."""
    if config.alpha <= 0 or config.alpha == 1 or min(config.dimensions) < 1 or min(config.distances) < 0:
        raise ValueError(f"alpha must be positive and not 1, dimensions at least 1, distances at least 0, got {config}")
    if config.smoke:
        config = dataclasses.replace(config, dimensions=(4,), distances=(0.0, 0.1, 1.0), num_repeats=256)
    rows, scores = [], []
    with jax.enable_x64(config.x64):
        problems = make_problems(config)
        exact = {(p.name, p.dimension, d): exact_gradients(config, p, d) for p in problems for d in p.optimum}
        pairs = [(p, each) for p in problems for each in make_estimators(config.alpha) if each.direction in p.optimum]
        for problem, estimator in tqdm(pairs, desc="estimators and dimensions", unit="pair"):
            truth = exact[problem.name, problem.dimension, estimator.direction]
            more, those = measure(config, problem, estimator, truth)
            rows += more
            scores.append((estimator.direction, estimator.name, those))
    metrics = {"draws_each": config.num_draws, "repeats": config.num_repeats, "rows": rows}
    path = _common.write_metrics(config.output, config, metrics)
    with _common.figure_style():
        figure = _gradient_estimators_figures.draw(
            config.output / "gradient_estimators.png", rows, scores, config.num_draws
        )
    print_table(rows, max(config.dimensions), max(config.distances))
    print(f"\nfigure     {figure}\nmetrics    {path}")
    return json.loads(path.read_text(encoding="utf-8"))


def print_table(rows: list[dict[str, Any]], dimension: int, distance: float) -> None:
    """Prints the draws that each estimator needs in the highest dimension, and its variance at the optimum."""
    print(f"\n{dimension} dimensions{'':38}draws for one digit   variance at the optimum   bias [se]")
    of_normal = [row for row in rows if row["target"] == "normal" and row["dimension"] == dimension]
    ends = [[row for row in of_normal if row["distance"] == d] for d in (distance, 0.0)]
    for far, near in zip(*ends, strict=True):
        count, variance = far["draws_for_one_digit"], near["variance_of_one_draw"]
        numbers = [math.nan if x is None else x for x in (count, variance, far["root_mean_square_z"])]
        print(f"{far['direction']:11}{far['estimator']:38}{numbers[0]:19.0f}{numbers[1]:26.3g}{numbers[2]:12.2f}")


if __name__ == "__main__":
    main(tyro.cli(Config, description=__doc__))
