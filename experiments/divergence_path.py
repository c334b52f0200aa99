"""On the way from KL(q‖p) to KL(p‖q), where do the modes die, and where does covering take over?

For p = 0.5 N(-3, 1) + 0.5 N(3, 1) a Gaussian q has three minima under KL(q‖p), the modes being best, and one under
KL(p‖q). Along alpha-divergences (Minka's: alpha = 0 is KL(q‖p), alpha = 1 is KL(p‖q)) the covering fit becomes the best
at alpha = 0.1148961, very early; the modes stay local minima up to alpha = 0.4679489, just before the symmetric middle,
Hellinger's 1/2, and vanish there in a fold with the saddles that part them from covering. Rényi divergences D_r(p‖q)
of order r = alpha are monotone functions of these, (log of 1 + alpha (alpha - 1) D) / (alpha - 1), so that they have
the same stationary points, fold and exchange; found from integrals of their own they agree to 1e-12. (D_r(p‖q) goes to
0 with r, D_r(p‖q) / r to KL(q‖p); the other orientation, D_r(q‖p), has everything at 1 - r.) Along skewed
Jensen-Shannon divergences, whose weight w of p goes from 1 to 0, covering is best from w = 0.9373485 on and the modes
die at w = 0.2225015. The further apart the modes, the later both happen.

Above alpha = 1 a q whose standard deviation is below sqrt((alpha - 1) / alpha) is infinitely far from p, which the
exponents of the tails tell; a grid that is cut off anywhere would show a finite number, and may show an optimum.

    python -m experiments.divergence_path --half-separation 3.5
"""

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

if __package__:
    from experiments import _branches, _common, _gaussian_fits, _path_figures
else:  # run as a script: Python looks in the folder of this file
    import _branches
    import _common
    import _gaussian_fits
    import _path_figures

import jax
import jax.numpy as jnp
import numpy as np
import tyro
from tqdm import tqdm

from jaxinfo import densities
from jaxinfo.distributions import Normal

# Half the step and half the reach: where both rules agree, neither the step nor the reach of the first matters.
STEPS = (0.02, 0.01)
FINE, MEDIUM = _gaussian_fits.Rule(0.02, 1200), _gaussian_fits.Rule(0.04, 600)
# Between points of a curve.
LENGTH = 0.01

# Many panels from the start instead of rounds of halving, which take long to compile.
OFFSETS = (*(0.5 * k for k in range(1, 20)), 27.0, 81.0)


@dataclasses.dataclass(frozen=True)
class Config:
    """The target is p = 0.5 N(-a, 1) + 0.5 N(a, 1); below a = 2.81 reverse KL itself prefers to cover."""

    half_separation: float = 3.0
    # How far the paths are followed beyond KL(p‖q), which is alpha = 1.
    largest_alpha: float = 1.6
    # Shorter curves: a check that everything runs, in seconds.
    smoke: bool = False
    output: Path = Path("results/divergence_path")


def potential(
    divergence: _gaussian_fits.Divergence, a: Any = None, rule: _gaussian_fits.Rule = FINE
) -> _branches.Potential:
    """Returns a divergence as a potential whose parameter is its own, or, without `a`, that and a before it."""

    def pair(free: jax.Array, at: jax.Array) -> tuple[Any, Normal]:
        return _gaussian_fits.two_modes(at[0] if a is None else a), _gaussian_fits.gaussian(free)

    return _branches.Potential(
        lambda free, at: divergence.value(*pair(free, at), at[-1], rule),
        lambda free, at: divergence.gradient(*pair(free, at), at[-1], rule),
    )


@dataclasses.dataclass(frozen=True)
class Route:
    """A family of divergences along its parameter: KL(q‖p) at `reverse`, then on to `last`."""

    divergence: _gaussian_fits.Divergence
    symbol: str
    reverse: float
    last: float


def routes(config: Config) -> tuple[Route, ...]:
    """Returns the three routes; the Rényi divergence of order 0 is zero, and only over the order is it KL(q‖p)."""
    return (
        Route(_gaussian_fits.ALPHA, "alpha", 0.0, config.largest_alpha),
        Route(_gaussian_fits.RENYI, "renyi_order", 0.02, 0.98),
        Route(_gaussian_fits.SKEW_JENSEN_SHANNON, "skew_jensen_shannon_weight", 0.999, 0.001),
    )


def follow(route: Route, a: float) -> dict[str, dict[str, np.ndarray]]:
    """Returns the branches of modes, which turn to saddles, and of covering fits, from KL(q‖p) on."""
    law = potential(route.divergence, a, MEDIUM)
    way = jnp.array([0.0, 0.0, math.copysign(1.0, route.last - route.reverse)])
    # Near KL(q‖p) the modes' fits are close to the modes, and covering has 0.91 a of the standard deviation.
    starts, begin = jnp.array([[a, 0.0], [0.0, math.log(0.91 * a)]]), jnp.array([route.reverse])

    def one(free: jax.Array) -> tuple[jax.Array, jax.Array]:
        free, _ = _branches.newton(lambda free: law.gradient(free, begin), free)
        points = _branches.follow(_branches.stationary(law), jnp.concatenate([free, begin]), way, LENGTH, 220)
        return points, jax.vmap(lambda point: law.value(point[:2], point[2:]))(points)

    branches = {}
    for name, points, values in zip(("modes", "covering"), *_branches.quick_jit(jax.vmap(one))(starts), strict=True):
        low, high = sorted((route.reverse, route.last))
        kept = np.asarray((points[:, 2] >= low - 1e-9) & (points[:, 2] <= high + 1e-9) & jnp.isfinite(values))
        # What comes after a branch has left the route is none of it.
        kept = np.logical_and.accumulate(kept)
        branches[name] = {"points": np.asarray(points)[kept], "values": np.asarray(values)[kept]}
    return branches


def solve(system_of: Any, start: Any) -> tuple[np.ndarray, dict[str, float]]:
    """Returns a root by Newton's method, and how far it may be off: the last step, and what the other rule changes."""

    def with_step(step: jax.Array) -> tuple[jax.Array, jax.Array]:
        return _branches.newton(system_of(_gaussian_fits.Rule(step, FINE.count)), jnp.asarray(start))

    roots, moves = _branches.quick_jit(jax.vmap(with_step))(jnp.array(STEPS))
    errors = {"newton_step": float(moves.max()), "quadrature_error": float(jnp.max(jnp.abs(roots[0] - roots[1])))}
    return np.asarray(roots[0]), errors


def critical_points(route: Route, branches: dict[str, dict[str, np.ndarray]], a: float) -> dict[str, dict[str, Any]]:
    """Returns where on the route the modes die and where covering becomes the global minimum."""
    points, values = branches["modes"]["points"], branches["modes"]["values"]
    start = _branches.turning_point(points)
    fold, errors = solve(lambda rule: _branches.fold(potential(route.divergence, a, rule)), start)
    rows = {"fold": {"parameter": fold[2], **describe(fold[:2]), **errors}}
    covering = branches["covering"]
    order = np.argsort(covering["points"][:, 2])
    excess = values - np.interp(points[:, 2], covering["points"][order, 2], covering["values"][order])
    mode = points[int(np.argmax(excess > 0))]
    cover = covering["points"][int(np.argmin(np.abs(covering["points"][:, 2] - mode[2])))]
    start = np.concatenate([mode[:2], cover[:2], mode[2:]])
    found, errors = solve(lambda rule: _branches.exchange(potential(route.divergence, a, rule)), start)
    both = {"modes": describe(found[:2]), "covering": describe(found[2:4])}
    rows["exchange"] = {"parameter": found[4], **both, **errors}
    return {f"{route.symbol}_{kind}": row for kind, row in rows.items()}


def describe(free: np.ndarray) -> dict[str, float]:
    """Returns a Gaussian's parameters by name."""
    return {"mean": float(free[0]) + 0.0, "standard_deviation": float(np.exp(free[1]))}


def over_separation(route: Route, points: dict[str, dict[str, Any]], a: float) -> dict[str, np.ndarray]:
    """Returns fold and exchange as curves [points, (a, parameter)], down to KL(q‖p) and up as far as they lead."""
    fold, exchange = points[f"{route.symbol}_fold"], points[f"{route.symbol}_exchange"]
    of_fold = [fold["mean"], math.log(fold["standard_deviation"])]
    of_exchange = [
        number
        for kind in ("modes", "covering")
        for number in (exchange[kind]["mean"], math.log(exchange[kind]["standard_deviation"]))
    ]
    law, curves = potential(route.divergence, rule=MEDIUM), {}
    for name, system, free, row in (
        ("fold", _branches.fold(law), of_fold, fold),
        ("exchange", _branches.exchange(law), of_exchange, exchange),
    ):
        start = jnp.array([*free, a, row["parameter"]])
        ways = jnp.zeros((2, len(start))).at[:, -2].set(jnp.array([-1.0, 1.0]))
        follow = _branches.quick_jit(
            jax.vmap(lambda way, system=system, start=start: _branches.follow(system, start, way, 0.03, 90))
        )
        inward, outward = np.asarray(follow(ways))
        curves[name] = np.concatenate([inward[::-1], outward])[:, -2:]
    return {name: _on_route(curve, route) for name, curve in curves.items()}


def _on_route(curve: np.ndarray, route: Route) -> np.ndarray:
    low, high = sorted((route.reverse, 1 - route.reverse))
    return curve[(curve[:, 1] >= low - 0.03) & (curve[:, 1] <= high + 0.03)]


def infinite_fits(a: float) -> list[dict[str, Any]]:
    """Returns, for some alpha above 1, how narrow a q has an infinite divergence, and the divergence on both sides.

    The integrand p^alpha q^(1 - alpha) has the leading exponent -(alpha + (1 - alpha) / sigma^2) x^2 / 2 here.
    """
    alphas = np.repeat([1.25, 1.5, 2.0], 2)
    edges = np.sqrt((alphas - 1) / alphas)
    deviations = np.where(np.arange(alphas.size) % 2 == 0, 0.9 * edges, 1.5 * a)

    def value(alpha: jax.Array, deviation: jax.Array) -> jax.Array:
        return _gaussian_fits.alpha_divergence(_gaussian_fits.two_modes(a), Normal(0.0, deviation), alpha, FINE)

    values = _branches.quick_jit(jax.vmap(value))(jnp.asarray(alphas), jnp.asarray(deviations))
    names = ("alpha", "least_deviation", "standard_deviation", "value")
    return [
        dict(zip(names, map(float, row), strict=True)) for row in zip(alphas, edges, deviations, values, strict=True)
    ]


def certify(a: float, points: dict[str, dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Returns the values of both fits at each exchange by the quadrature of `jaxinfo.densities`, with error bounds."""
    measures = {
        "alpha": densities.alpha_divergence,
        "renyi_order": densities.renyi_divergence,
        "skew_jensen_shannon_weight": lambda p, q, weight, method: densities.jensen_shannon_divergence(
            p, q, weight=weight, method=method
        ),
    }
    p, method, rows = _gaussian_fits.two_modes(a), densities.Quadrature(offsets=OFFSETS, num_rounds=0), {}
    for symbol, measure in measures.items():
        row = points[f"{symbol}_exchange"]
        # One batch of two fits: one program.
        mean, deviation = (jnp.array([row[kind][name] for kind in ("modes", "covering")]) for name in row["modes"])
        estimate = measure(p, Normal(mean, deviation), row["parameter"], method=method)
        rows[symbol] = {
            "modes": float(estimate.value[0]),
            "covering": float(estimate.value[1]),
            "error_bound": float(estimate.stderr.max()),
        }
    return rows


def main(config: Config) -> dict[str, Any]:
    """Runs the experiment, writes its files to `config.output`, prints what it found, and returns the metrics."""
    a = config.half_separation
    if a < 2.81:
        raise ValueError(f"half_separation must be at least 2.81, where KL(q‖p) prefers modes, got {a}")
    with jax.enable_x64(True):
        (branches, points, curves), seconds = _common.timed(lambda: along_routes(config))
        metrics = {
            **{name: row["parameter"] for name, row in points.items()},
            "critical_points": points,
            "certificates": {} if config.smoke else certify(a, points),
            "renyi_minus_alpha": {
                kind: points[f"renyi_order_{kind}"]["parameter"] - points[f"alpha_{kind}"]["parameter"]
                for kind in ("fold", "exchange")
            },
            "ends": ends(branches),
            "infinite": infinite_fits(a),
            "timings": {"compile_and_run_seconds": seconds},
        }
    path = _common.write_metrics(config.output, config, metrics)
    with _common.figure_style():
        figure = _path_figures.draw(config.output / "divergence_path.png", a, branches, points, curves)
    print_table(metrics)
    print(f"\nfigure   {figure}\nmetrics  {path}")
    return json.loads(path.read_text(encoding="utf-8"))


def along_routes(config: Config) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Returns branches and critical points of each route, and, unless it is a smoke test, curves over separations."""
    branches, points, curves = {}, {}, {}
    for route in tqdm(routes(config), desc="routes", unit="route"):
        branches[route.symbol] = follow(route, config.half_separation)
        points |= critical_points(route, branches[route.symbol], config.half_separation)
        # The Rényi divergence has the same.
        if not config.smoke and route.symbol != "renyi_order":
            curves[route.symbol] = over_separation(route, points, config.half_separation)
    return branches, points, curves


def ends(branches: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Returns the fits under KL(q‖p), where the branches begin, and the covering one under KL(p‖q), alpha = 1."""
    modes, covering = (branches["alpha"][kind]["points"] for kind in ("modes", "covering"))
    free = [np.interp(1.0, covering[:, 2], covering[:, column]) for column in (0, 1)]
    return {
        "modes_under_reverse_kl": describe(modes[0]),
        "covering_under_reverse_kl": describe(covering[0]),
        "covering_under_forward_kl": describe(np.array(free)),
    }


def print_table(metrics: dict[str, Any]) -> None:
    """Prints the critical points and what is infinite."""
    print(f"\n{'critical point':42}{'parameter':>16}{'quadrature':>12}{'Newton':>9}")
    for name, row in metrics["critical_points"].items():
        print(f"{name:42}{row['parameter']:16.12f}{row['quadrature_error']:12.0e}{row['newton_step']:9.0e}")
    print("\nalpha-divergences of N(0, sigma^2), infinite where sigma is too small:")
    for row in metrics["infinite"]:
        deviation = f"sigma = {row['standard_deviation']:.3f}"
        print(f"  alpha = {row['alpha']:<5g} {deviation:15} {row['value']:.6g}")


if __name__ == "__main__":
    main(tyro.cli(Config, description=__doc__))
