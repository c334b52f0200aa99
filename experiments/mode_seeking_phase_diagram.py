"""When does KL(q‖p) seek modes? The phase diagram of a Gaussian q fitted to p = w N(-a, 1) + (1 - w) N(a, s^2).

Through a first-order transition, like water to ice. For two equal modes there is only the covering fit up to a =
2.412230. There, in a fold, the modes appear as local minima, far from the covering fit, which stays the best up to a =
2.800082. Beyond, the modes are best, and covering stays a local minimum for ever: where KL(q‖p) is stationary its
second derivative in the mean of q is 1/sigma^2, for any p whatever (Price's theorem), so that no fit of free scale
loses its stability along the mean. The pitchfork of textbooks, at a = 1.460834, belongs to fits of fixed variance.
Under Jensen-Shannon modes appear at 2.756841 and are best only from 4.244711 on; there, too, covering stays a minimum.

Over the weight w the point (2.800, 1/2) is a triple point, from which three lines lead on which two fits are equally
good: one between the modes, without end, and two between covering and a mode, which end at cusps (2.001763, 0.257096)
and its mirror image. Around those the covering fit turns into a mode without any transition. There are up to three
minima. With a narrower right mode the line between covering and the left mode shrinks, and at s = 1/4 it is gone with
the triple point.

    python -m experiments.mode_seeking_phase_diagram --scales 1 0.7
"""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

if __package__:
    from experiments import _branches, _common, _gaussian_fits, _phase_curves, _phase_figures, _phase_grid
else:  # run as a script: Python looks in the folder of this file
    import _branches
    import _common
    import _gaussian_fits
    import _phase_curves
    import _phase_figures
    import _phase_grid

import jax
import jax.numpy as jnp
import numpy as np
import tyro
from tqdm import tqdm

from jaxinfo import densities
from jaxinfo.distributions import Normal

DIVERGENCES = (_gaussian_fits.REVERSE_KL, _gaussian_fits.JENSEN_SHANNON)
# Half the step and half the reach: where both rules agree, neither the step nor the reach of the first matters.
STEPS = (0.01, 0.005)
# The rule for curves that are drawn is off by up to 1e-7.
FINE, MEDIUM = _gaussian_fits.Rule(0.01, 1600), _gaussian_fits.Rule(0.03, 400)

FURTHEST_STABILITY = 5.0
# Many panels from the start instead of rounds of halving, which take long to compile.
OFFSETS = (*(0.5 * k for k in range(1, 20)), 27.0, 81.0)


@dataclasses.dataclass(frozen=True)
class Config:
    """The grid of the diagrams: half-separations a and weights w, one diagram for each scale s."""

    scales: tuple[float, ...] = (1.0, 0.5, 0.25)
    nearest: float = 0.4
    furthest: float = 4.2
    num_separations: int = 84
    num_weights: int = 50
    # One diagram of few points: a check that everything runs, in seconds.
    smoke: bool = False
    output: Path = Path("results/mode_seeking_phase_diagram")


def symmetric(divergence: _gaussian_fits.Divergence, rule: _gaussian_fits.Rule = FINE) -> _branches.Potential:
    """Returns the potential for w = 1/2 and s = 1, whose parameter is a."""
    return _branches.Potential(
        lambda free, a: divergence.value(*_pair(free, a[0]), 0.5, rule),
        lambda free, a: divergence.gradient(*_pair(free, a[0]), 0.5, rule),
    )


def _pair(free: jax.Array, *parameters: Any) -> tuple[Any, Normal]:
    return _gaussian_fits.two_modes(*parameters), _gaussian_fits.gaussian(free)


def solve(
    system_of: Callable[[_gaussian_fits.Rule], _branches.System], start: Any
) -> tuple[np.ndarray, dict[str, float]]:
    """Returns a root by Newton's method, and how far it may be off: the last step, and what the other rule changes."""

    def with_step(step: jax.Array) -> tuple[jax.Array, jax.Array]:
        return _branches.newton(system_of(_gaussian_fits.Rule(step, FINE.count)), jnp.asarray(start))

    roots, moves = _branches.quick_jit(jax.vmap(with_step))(jnp.array(STEPS))
    errors = {"newton_step": float(moves.max()), "quadrature_error": float(jnp.max(jnp.abs(roots[0] - roots[1])))}
    return np.asarray(roots[0]), errors


# -- the symmetric p: branches over a, and where they change


def follow_symmetric(divergence: _gaussian_fits.Divergence, furthest: float = 6.0) -> dict[str, Any]:
    """Returns the branches [points, (mean, log deviation, a)] of modes, which turn to saddles, and of covering fits."""
    potential = symmetric(divergence, MEDIUM)
    starts = jnp.array([[furthest, 0.0, furthest], [0.0, 0.0, 0.05]])
    ways = jnp.array([[0.0, 0.0, -1.0], [0.0, 0.0, 1.0]])

    def follow(start: jax.Array, way: jax.Array) -> tuple[jax.Array, ...]:
        points = _branches.follow(_branches.stationary(potential), start, way, 0.03, 360)
        split = jax.vmap(lambda point: (potential.hessian(point[:2], point[2:]), potential.value(point[:2], point[2:])))
        return points, *split(points)

    points, hessians, values = (np.asarray(part) for part in _branches.quick_jit(jax.vmap(follow))(starts, ways))
    names = ("modes", "covering")
    return {name: {"points": points[k], "hessians": hessians[k], "values": values[k]} for k, name in enumerate(names)}


def critical_points(divergence: _gaussian_fits.Divergence, branches: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Returns the fold where modes appear and the exchange where they become global."""
    modes, covering = branches["modes"], branches["covering"]
    fold, errors = solve(
        lambda rule: _branches.fold(symmetric(divergence, rule)), _branches.turning_point(modes["points"])
    )
    rows = {"fold": {"half_separation": fold[2], **describe(fold[:2]), **errors}}
    # The modes are followed from far away inward, down to the fold; there they are still worse than covering.
    stable = slice(0, int(np.argmin(modes["points"][:, 2])))
    excess = modes["values"][stable] - np.interp(
        modes["points"][stable, 2], covering["points"][:, 2], covering["values"]
    )
    mode = modes["points"][int(np.argmax(excess > 0))]
    cover = covering["points"][int(np.argmin(np.abs(covering["points"][:, 2] - mode[2])))]
    start = np.concatenate([mode[:2], cover[:2], mode[2:]])
    found, errors = solve(lambda rule: _branches.exchange(symmetric(divergence, rule)), start)
    both = {"modes": describe(found[:2]), "covering": describe(found[2:4])}
    rows["exchange"] = {"half_separation": found[4], **both, **errors}
    return {f"{divergence.name}_{kind}": row for kind, row in rows.items()}


def describe(free: np.ndarray) -> dict[str, float]:
    """Returns a Gaussian's parameters by name."""
    return {"mean": float(free[0]) + 0.0, "standard_deviation": float(np.exp(free[1]))}


def location_only(divergence: _gaussian_fits.Divergence, furthest: float = 6.0) -> tuple[dict[str, Any], np.ndarray]:
    """Returns the pitchfork of fits N(m, 1), and their branch of modes [points, (mean, a)]."""

    def slope(m: jax.Array, a: jax.Array, rule: _gaussian_fits.Rule = FINE) -> jax.Array:
        return symmetric(divergence, rule).gradient(jnp.stack([m, jnp.zeros_like(m)]), a)[0]

    def curvature(rule: _gaussian_fits.Rule) -> _branches.System:
        return lambda a: jax.jacfwd(slope)(jnp.zeros(()), a, rule)[None]

    def modes(start: jax.Array) -> jax.Array:
        return _branches.follow(lambda at: slope(at[0], at[1:], MEDIUM)[None], start, jnp.array([0.0, -1.0]), 0.03, 300)

    found, errors = solve(curvature, np.array([1.5]))
    branch = np.asarray(_branches.quick_jit(modes)(jnp.array([furthest, furthest])))
    row = {"half_separation": found[0], "least_half_separation_of_modes": branch[:, 1].min(), **errors}
    return row, branch


def stability_of_covering(branches: dict[str, Any]) -> dict[str, Any]:
    """Returns curvatures of the covering branch, in units of q's scale: while positive, it is a minimum."""
    # Further out q is so wide that the rule's step no longer resolves the kink of log p in the middle.
    near = branches["covering"]["points"][:, 2] < FURTHEST_STABILITY
    points, hessians = (branches["covering"][name][near] for name in ("points", "hessians"))
    along_mean = hessians[:, 0, 0] * np.exp(2 * points[:, 1])
    return {
        "up_to_half_separation": points[-1, 2],
        "least_curvature_in_mean": along_mean.min(),
        "greatest_curvature_in_mean": along_mean.max(),
        "least_curvature_in_log_deviation": hessians[:, 1, 1].min(),
    }


def main(config: Config) -> dict[str, Any]:
    """Runs the experiment, writes its files to `config.output`, prints what it found, and returns the metrics."""
    if config.smoke:
        config = dataclasses.replace(config, scales=config.scales[:1], num_separations=12, num_weights=14)
    with jax.enable_x64(True):
        (branches, locations, points, stability), seconds = _common.timed(symmetric_results)
        exchanges = {name: row for name, row in points.items() if "exchange" in name and not config.smoke}
        certificates = {name: certify(name, row) for name, row in exchanges.items()}
        column = (_branches.quick_jit if config.smoke else jax.jit)(_phase_grid.search_column)
        first = (jnp.asarray(1.0), jnp.asarray(1.0), jnp.full(config.num_weights, 0.5))
        column, compile_seconds = _common.timed(lambda: column.lower(*first).compile())
        diagrams, grid_seconds = _common.timed(
            lambda: [diagram(config, scale, column, points) for scale in config.scales]
        )
    metrics = {
        "critical_half_separations": {name: row["half_separation"] for name, row in points.items()},
        "critical_points": points,
        "certificates": certificates,
        "covering_branch": stability,
        "diagrams": [summary(part) for part in diagrams],
        "timings": {
            "symmetric_seconds": seconds,
            "compile_seconds": compile_seconds,
            "run_seconds": grid_seconds,
        },
    }
    path = _common.write_metrics(config.output, config, metrics)
    with _common.figure_style():
        figure = _phase_figures.draw(config.output / "phase_diagram.png", diagrams, branches, locations, points)
    print_table(metrics)
    print(f"\nfigure   {figure}\nmetrics  {path}")
    return json.loads(path.read_text(encoding="utf-8"))


def symmetric_results() -> tuple[dict[str, Any], dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Returns, of the symmetric p: branches, those of location-only fits, critical points, and curvatures."""
    branches, locations, points, stability = {}, {}, {}, {}
    for divergence in tqdm(DIVERGENCES, desc="critical points", unit="divergence"):
        name = divergence.name
        branches[name] = follow_symmetric(divergence)
        points |= critical_points(divergence, branches[name])
        stability[name] = stability_of_covering(branches[name])
        row, locations[name] = location_only(divergence)
        points["location_only_pitchfork" if name == "reverse_kl" else f"location_only_pitchfork_{name}"] = row
    return branches, locations, points, stability


def certify(name: str, row: dict[str, Any]) -> dict[str, Any]:
    """Returns the values of both fits at an exchange by the quadrature of `jaxinfo.densities`, with error bounds."""
    p = _gaussian_fits.two_modes(row["half_separation"])
    # One batch of two fits: one program.
    mean, deviation = (jnp.array([row[kind][number] for kind in ("modes", "covering")]) for number in row["modes"])
    pair, method = (p, Normal(mean, deviation)), densities.Quadrature(offsets=OFFSETS, num_rounds=0)
    if name.startswith("reverse"):
        estimate = densities.kl_divergence(*reversed(pair), method=method)
    else:
        estimate = densities.jensen_shannon_divergence(*pair, method=method)
    values = {"modes": float(estimate.value[0]), "covering": float(estimate.value[1])}
    return {**values, "error_bound": float(estimate.stderr.max())}


def diagram(config: Config, scale: float, column: Callable[..., Any], points: dict[str, Any]) -> dict[str, Any]:
    """Returns grid and curves for one scale."""
    exchange = points["reverse_kl_exchange"]
    modes, covering = (
        np.array([row["mean"], np.log(row["standard_deviation"])]) for row in (exchange["modes"], exchange["covering"])
    )
    drawn = _phase_curves.curves(scale, modes, covering, exchange["half_separation"])
    separations = np.linspace(config.nearest, config.furthest, config.num_separations)
    # No weight is 0 or 1, nor 1/2, where two modes of the same scale are equally deep.
    weights = (np.arange(config.num_weights) + 0.5) / config.num_weights
    return {"scale": scale, "grid": _phase_grid.grid_of_minima(separations, weights, scale, column), **drawn}


def summary(part: dict[str, Any]) -> dict[str, Any]:
    """Returns what metrics tell of a diagram."""
    triple = part["triple"]
    return {
        "scale": part["scale"],
        "cusps": [{"half_separation": cusp[2], "weight": cusp[3], **describe(cusp[:2])} for cusp in part["cusps"]],
        "triple_point": None if triple is None else {"half_separation": triple[6], "weight": triple[7]},
        "parts_of_grid": _phase_grid.kinds(part["grid"]),
    }


def print_table(metrics: dict[str, Any]) -> None:
    """Prints the critical points, and the parts of the diagrams."""
    print(f"\n{'critical point, w = 1/2, s = 1':42}{'a':>16}{'quadrature':>12}{'Newton':>9}")
    for name, row in metrics["critical_points"].items():
        errors = f"{row['quadrature_error']:12.0e}{row['newton_step']:9.0e}"
        print(f"{name:42}{row['half_separation']:16.12f}{errors}")
    for row in metrics["diagrams"]:
        ends = ", ".join(f"({cusp['half_separation']:.6f}, {cusp['weight']:.6f})" for cusp in row["cusps"])
        triple = row["triple_point"]
        where = f"({triple['half_separation']:.6f}, {triple['weight']:.6f})" if triple else "none"
        print(f"\ns = {row['scale']:g}: cusps (a, w) {ends}; triple point {where}")
        for count, parts in row["parts_of_grid"].items():
            print(
                f"  {count} minima: {parts['covering_is_global']:5.1%} of the grid where covering is best, "
                f"{parts['mode_is_global']:5.1%} where a mode is"
            )


if __name__ == "__main__":
    main(tyro.cli(Config, description=__doc__))
