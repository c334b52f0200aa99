"""Which distribution is the most uncertain, given what is known? Gradient ascent on entropy finds the textbook answers.

A density on a grid climbs its entropy with Adam while multipliers hold the constraints (the augmented Lagrangian). On a
finite set nothing is known and the uniform distribution comes out; a known mean on the half line gives the
exponential; a known mean and variance the normal; a known circular mean the von Mises distribution. Nobody told the
grid any of these formulas. The multipliers come out too: they are the natural parameters of the family, as Boltzmann
and Jaynes have it.

    python -m experiments.maximum_entropy --mean 2 --deviation 1.5 --concentration 2
"""

import dataclasses
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

if __package__:
    from experiments import _common
else:  # run as a script: Python looks in the folder of this file
    import _common

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax
import tyro
from tqdm import tqdm

import jaxinfo
from jaxinfo import distributions, logits


@dataclasses.dataclass(frozen=True)
class Config:
    """What is known of each variable, and how the ascent goes."""

    num_values: int = 8
    mean: float = 2.0
    deviation: float = 1.5
    concentration: float = 2.0
    learning_rate: float = 0.3
    # The multipliers are moved `num_rounds` times, after `num_steps` steps of Adam each.
    num_steps: int = 400
    num_rounds: int = 25
    penalty: float = 10.0
    seed: int = 0
    x64: bool = True
    # Fewer steps: a check that everything runs, in seconds.
    smoke: bool = False
    output: Path = Path("results/maximum_entropy")


@dataclasses.dataclass(frozen=True)
class Problem:
    """A grid with the weight of each point in an integral, what is known, and the answer."""

    title: str
    known: str
    points: np.ndarray
    weights: np.ndarray
    statistics: np.ndarray
    values: np.ndarray
    # The sizes of the statistics: constraints are held in these units.
    sizes: np.ndarray
    log_density: np.ndarray
    entropy: float
    multipliers: np.ndarray


def panels(low: float, high: float, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the points and weights of Gauss's rule of 16 points on each of `count` panels."""
    nodes, weights = np.polynomial.legendre.leggauss(16)
    edges = np.linspace(low, high, count + 1)
    half, centre = 0.5 * np.diff(edges), 0.5 * (edges[1:] + edges[:-1])
    return (centre[:, None] + half[:, None] * nodes).ravel(), (half[:, None] * weights).ravel()


def make_problems(config: Config) -> list[Problem]:
    """Returns the four problems; the multiplier of a statistic is minus its natural parameter."""
    points = np.arange(config.num_values, dtype=float)
    count = len(points)
    uniform = Problem(
        f"{count} values",
        "nothing",
        points,
        np.ones(count),
        np.zeros((count, 0)),
        np.zeros(0),
        np.zeros(0),
        np.full(count, -math.log(count)),
        math.log(count),
        np.zeros(0),
    )
    return [uniform, _half_line(config), _line(config), _circle(config)]


def _half_line(config: Config) -> Problem:
    # Beyond 25 times the mean an exponential has a mass of 1e-11.
    points, weights = panels(0.0, 25 * config.mean, 8)
    answer = distributions.Exponential(1 / config.mean)
    return _problem(
        "half line",
        f"mean {config.mean:g}",
        points,
        weights,
        points[:, None],
        [config.mean],
        answer,
        [1 / config.mean],
        [config.mean],
    )


def _line(config: Config) -> Problem:
    points, weights = panels(-7 * config.deviation, 7 * config.deviation, 8)
    statistics, variance = np.stack([points, points**2], axis=1), config.deviation**2
    answer = distributions.Normal(0.0, config.deviation)
    known = f"mean 0, variance {variance:g}"
    sizes = [config.deviation, variance]
    return _problem("line", known, points, weights, statistics, [0.0, variance], answer, [0.0, 0.5 / variance], sizes)


def _circle(config: Config) -> Problem:
    points, weights = panels(-math.pi, math.pi, 6)
    statistics = np.stack([np.cos(points), np.sin(points)], axis=1)
    kappa = config.concentration
    length = float(jax.scipy.special.i1e(kappa) / jax.scipy.special.i0e(kappa))
    answer = distributions.VonMises(0.0, kappa)
    known = f"mean of cos {length:.4f}, of sin 0"
    return _problem("circle", known, points, weights, statistics, [length, 0.0], answer, [-kappa, 0.0], [1.0, 1.0])


def _problem(
    title: str,
    known: str,
    points: np.ndarray,
    weights: np.ndarray,
    statistics: np.ndarray,
    values: list[float],
    answer: Any,
    multipliers: list[float],
    sizes: list[float],
) -> Problem:
    log_density, entropy = np.asarray(answer.log_prob(points)), float(distributions.entropy(answer))
    arrays = (np.array(values), np.array(sizes), log_density, entropy, np.array(multipliers))
    return Problem(title, known, points, weights, statistics, *arrays)


def climb(config: Config, problem: Problem) -> Callable[[jax.Array], tuple[jax.Array, jax.Array, jax.Array]]:
    """Returns the compiled ascent: from logits to logits, multipliers, and the entropy after every step."""
    log_weights, penalty = jnp.log(jnp.asarray(problem.weights)), config.penalty
    statistics, values = (jnp.asarray(x / problem.sizes) for x in (problem.statistics, problem.values))

    def excess(free: jax.Array) -> jax.Array:
        return jax.nn.softmax(free + log_weights) @ statistics - values

    def lagrangian(free: jax.Array, multipliers: jax.Array) -> jax.Array:
        gap = excess(free)
        return -entropy_of(problem, free) + multipliers @ gap + 0.5 * penalty * jnp.sum(gap**2)

    schedule = optax.exponential_decay(config.learning_rate, config.num_steps * config.num_rounds, 1e-4)
    optimizer = optax.adam(schedule, b1=0.9, b2=0.99)

    def step(state: Any, _: None) -> tuple[Any, jax.Array]:
        free, memory, multipliers = state
        updates, memory = optimizer.update(jax.grad(lagrangian)(free, multipliers), memory)
        free = optax.apply_updates(free, updates)
        return (free, memory, multipliers), entropy_of(problem, free)

    def one_round(state: Any, _: None) -> tuple[Any, jax.Array]:
        (free, memory, multipliers), heights = jax.lax.scan(step, state, None, length=config.num_steps)
        return (free, memory, multipliers + penalty * excess(free)), heights

    def run(start: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        state = (start, optimizer.init(start), jnp.zeros(len(values), start.dtype))
        (free, _, multipliers), heights = jax.lax.scan(one_round, state, None, length=config.num_rounds)
        return free, multipliers, heights.ravel()

    return jax.jit(run)


def entropy_of(problem: Problem, free: jax.Array) -> jax.Array:
    r"""Returns the entropy of the density `exp(free)`, normalised on the grid: the log of its length minus a KL.

    With the masses $m_i = w_i p(x_i)$ it is $-\sum_i m_i \log(m_i / w_i)$: least divergence from the even density.
    """
    log_weights = jnp.log(jnp.asarray(problem.weights))
    return jnp.log(jnp.sum(jnp.asarray(problem.weights))) - logits.kl_divergence(free + log_weights, log_weights)


def solve(config: Config, problem: Problem) -> tuple[dict[str, Any], np.ndarray, np.ndarray]:
    """Returns what was found, the density and the entropy after every step."""
    start = jax.random.normal(jax.random.key(config.seed), problem.points.shape)
    ascend = climb(config, problem)
    compiled, compile_seconds = _common.timed(lambda: ascend.lower(start).compile())
    (free, multipliers, heights), run_seconds = _common.timed(lambda: compiled(start))
    masses = jax.nn.softmax(free + jnp.log(jnp.asarray(problem.weights)))
    exact = jnp.asarray(np.exp(problem.log_density) * problem.weights)
    row = {
        "problem": problem.title,
        "known": problem.known,
        "entropy": float(heights[-1]),
        "entropy_of_answer": problem.entropy,
        "entropy_error": float(heights[-1]) - problem.entropy,
        "total_variation": float(jaxinfo.total_variation(masses, exact)),
        "kl_divergence": float(jaxinfo.kl_divergence(masses, exact)),
        "constraint_violation": float(np.max(np.abs(masses @ problem.statistics - problem.values), initial=0.0)),
        "multipliers": (np.asarray(multipliers) / problem.sizes).tolist(),
        "multipliers_of_answer": problem.multipliers.tolist(),
        "compile_seconds": compile_seconds,
        "run_seconds": run_seconds,
    }
    return row, np.asarray(masses / problem.weights), np.asarray(heights)


def second_order(count: int) -> dict[str, float]:
    """Checks the uniform distribution by autodiff, as an extremum of the entropy on the simplex.

    Lagrange's condition: the gradient has one value everywhere, so that no direction within the simplex climbs. And the
    Hessian, diag(-1/p), is negative definite: -K in every direction.
    """
    uniform = jnp.full(count, 1 / count)
    gradient, hessian = jax.grad(jaxinfo.entropy)(uniform), jax.hessian(jaxinfo.entropy)(uniform)
    # An orthonormal basis of the directions in which the sum stays one.
    basis = np.linalg.svd(np.ones((1, count)))[2][1:]
    eigenvalues = np.linalg.eigvalsh(basis @ np.asarray(hessian, float) @ basis.T)
    return {
        "lagrange_spread": float(jnp.max(gradient) - jnp.min(gradient)),
        "gradient": float(gradient[0]),
        "largest_eigenvalue": float(eigenvalues.max(initial=-np.inf)),
        "smallest_eigenvalue": float(eigenvalues.min(initial=np.inf)),
    }


def main(config: Config) -> dict[str, Any]:
    """Runs the experiment, writes its files to `config.output`, prints what it found, and returns the metrics."""
    if config.num_values < 2 or min(config.mean, config.deviation, config.concentration) <= 0:
        raise ValueError(f"two values at least, and a positive mean, deviation and concentration, got {config}")
    if config.smoke:
        config = dataclasses.replace(config, num_steps=200, num_rounds=15)
    with jax.enable_x64(config.x64):
        problems = make_problems(config)
        solved = [solve(config, problem) for problem in tqdm(problems, desc="ascents", unit="problem")]
        rows = [row for row, _, _ in solved]
        metrics = {"problems": rows, "uniform": second_order(config.num_values)}
    path = _common.write_metrics(config.output, config, metrics)
    with _common.figure_style():
        figure = draw(config.output / "maximum_entropy.png", problems, solved)
    print_table(metrics)
    print(f"\nfigure     {figure}\nmetrics    {path}")
    return json.loads(path.read_text(encoding="utf-8"))


def print_table(metrics: dict[str, Any]) -> None:
    """Prints, for each problem, how far the density that was found is from the textbook's."""
    print(f"\n{'':12}{'entropy [nat]':>15}{'error':>10}{'TV':>10}{'KL [nat]':>10}{'constraint':>12}  known")
    for row in metrics["problems"]:
        print(
            f"{row['problem']:12}{row['entropy']:15.8f}{row['entropy_error']:10.0e}{row['total_variation']:10.0e}"
            f"{row['kl_divergence']:10.0e}{row['constraint_violation']:12.0e}  {row['known']}"
        )
    uniform = metrics["uniform"]
    print(
        f"\nuniform: the gradient varies by {uniform['lagrange_spread']:.0e} over the simplex, the Hessian's "
        f"eigenvalues lie between {uniform['smallest_eigenvalue']:.6f} and {uniform['largest_eigenvalue']:.6f}"
    )


ANSWERS = ("uniform", "exponential", "normal", "von Mises")


def draw(path: Path, problems: list[Problem], solved: list[tuple[dict[str, Any], np.ndarray, np.ndarray]]) -> Path:
    """Draws each density that was found over the textbook's, and how its entropy rose."""
    figure, axes = plt.subplots(2, len(problems), figsize=(15, 7), height_ratios=(3, 2), layout="constrained")
    for column, (problem, (row, density, heights)) in enumerate(zip(problems, solved, strict=True)):
        upper, lower = axes[:, column]
        color, answer = _common.COLORS[column], ANSWERS[column]
        exact = np.exp(problem.log_density)
        shown = exact > 1e-4 * exact.max()
        found = {"color": color, "marker": "o", "linestyle": "none", "markersize": 4}
        upper.plot(problem.points[shown], density[shown], **found, label="found by ascent")
        upper.plot(problem.points[shown], exact[shown], color=_common.INK, linewidth=1, label=answer)
        upper.set(title=f"{problem.title}: {answer}", ylim=(0, 1.35 * exact.max()))
        upper.set_xlabel(f"known: {problem.known}", fontsize=10.5)
        upper.legend(loc="upper right")
        steps = np.arange(1, len(heights) + 1)
        lower.plot(steps, np.abs(heights - row["entropy_of_answer"]), color=color, linewidth=1.2)
        lower.set(xscale="log", yscale="log", xlabel="step", ylim=(1e-16, 30))
        if column == 0:
            upper.set_ylabel("density")
            lower.set_ylabel("distance from the greatest\nentropy [nat]")
    figure.suptitle("Climb the entropy, hold what is known: the families of the textbook come out", fontsize=16)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    plt.close(figure)
    return path


if __name__ == "__main__":
    main(tyro.cli(Config, description=__doc__))
