"""One Gaussian for a mixture on the plane: what do KL(p‖q) and KL(q‖p) find, with and without correlations?

- The textbook's picture of two unit Gaussians at ±(1, 1), with a q that hugs one of them under KL(q‖p), is drawn by
  hand: that q costs 0.500 nats and is no optimum. Every descent ends in one and the same minimum, with its mean at 0:
  0.058 nats with full covariance, 0.225 with a factorised q. For modes to be minima the components must be narrower.
- How they come about depends on the family. With full covariance they appear in a fold, far from the covering fit, at
  the scale 0.586268 and are best from 0.505061 on, and covering stays a minimum. A factorised covering fit splits at
  0.755927, in a pitchfork, and is a saddle below that: so factorised fits seek modes sooner, and then do nothing else.
- Three narrow components (a triangle) have six minima with full covariance: three modes (1.088 nats), and three that
  cover two of them each (1.168). What covers all three is a saddle (1.311), though factorised fits take it for a
  minimum, their fifth. There are 13 saddles with full covariance, and 4 of factorised fits.
- Of slanted components a factorised q finds less than there is: one minimum where two of them cross (0.719 nats) and
  one along the heaviest of three (0.582), while full covariance has two each, one along a component (0.367 and 0.649;
  0.581 and 0.754).
- KL(p‖q) has one optimum, which has p's moments, whatever p is.
- A factorised q for one correlated Gaussian has the marginal variances forward and the inverse precisions in reverse.
  In two dimensions both cost the same, the total correlation -log det R / 2. In general only KL(p‖q) costs that:
  KL(q‖p) is the same function of the precision, 1.435 rather than 2.463 nats at a correlation of 0.95 in three.

Minima are what descents from random starts end in, saddles what Newton's method finds between those ends. That none is
missing is not proven, but for every target and family the minima, less the saddles with one way down, plus those with
two, make 1, as they must by Morse's theorem. The pair's branches are followed in one dimension, with q as wide in x as
in y.

    python -m experiments.mixture_kl_2d --num-starts 256
"""

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

if __package__:
    from experiments import (
        _branches,
        _common,
        _correlated_gaussian,
        _mixture_kl_2d_figures,
        _plane_fits,
        _textbook_pair,
    )
    from experiments._plane_targets import FAMILIES, TARGETS, make_target, some_member
else:  # run as a script: Python looks in the folder of this file
    import _branches
    import _common
    import _correlated_gaussian
    import _mixture_kl_2d_figures
    import _plane_fits
    import _textbook_pair
    from _plane_targets import FAMILIES, TARGETS, make_target, some_member

import jax
import jax.numpy as jnp
import numpy as np
import optax
import tyro
from tqdm import tqdm

from jaxinfo.distributions import Mixture, MultivariateNormal
from jaxinfo.projections import Fit, fit, project

moments = _branches.quick_jit(project)
# From few starts Newton's method takes less time than its compilation.
NEWTON, NEWTON_BRIEF = jax.jit(_plane_fits.find_stationary), _branches.quick_jit(_plane_fits.find_stationary)


@dataclasses.dataclass(frozen=True)
class Config:
    """Descents from random starts, and Newton's method from there and from points between; in double precision."""

    targets: tuple[str, ...] = tuple(TARGETS)
    families: tuple[str, ...] = FAMILIES
    num_starts: int = 72
    # Starts of Newton's method between two ends of descents: saddles are found there.
    num_between: int = 96
    num_steps: int = 4000
    learning_rate: float = 0.03
    # Descents end at this norm of the gradient, and Newton's method takes over.
    tolerance: float = 1e-5
    correlations: tuple[float, ...] = (*(round(0.05 * k, 2) for k in range(20)), 0.97)
    seed: int = 0
    # One target, one family and few starts: a check that everything runs, in seconds.
    smoke: bool = False
    output: Path = Path("results/mixture_kl_2d")


def main(config: Config) -> dict[str, Any]:
    """Runs the experiment, writes its files to `config.output`, prints what it found, and returns the metrics."""
    unknown = set(config.targets) - set(TARGETS)
    if unknown or not config.targets:
        raise ValueError(f"targets must be some of {tuple(TARGETS)}, got {config.targets}")
    if max(map(abs, config.correlations)) >= 1:
        raise ValueError(f"correlations must lie between -1 and 1, got {config.correlations}")
    if config.smoke:
        config = dataclasses.replace(config, targets=("narrow",), families=("diagonal",), num_starts=24, num_between=24)
    with jax.enable_x64(True):
        targets = {name: make_target(name) for name in config.targets}
        optima, timings = [], {}
        optimizer = make_optimizer(config)
        pairs = [(name, family) for family in config.families for name in targets]
        for name, family in tqdm(pairs, desc="targets and families", unit="pair"):
            label = {"target": name, "family": family}
            optima.append({**label, **forward_optimum(targets[name], family)})
            rows, timings[f"{name}_{family}"] = reverse_optima(config, targets[name], family, optimizer)
            optima += [{**label, **row} for row in rows]
        pair, curves = _textbook_pair.critical_scales()
        sizes = (2,) if config.smoke else tuple(_correlated_gaussian.DEVIATIONS)
        correlated = {str(size): _correlated_gaussian.fit_correlated(config.correlations, size) for size in sizes}
    metrics = {
        "optima": optima,
        "euler_characteristics": characteristics(optima),
        "textbook_pair": pair,
        "correlated_gaussian": correlated,
        "timings": timings,
    }
    path = _common.write_metrics(config.output, config, metrics)
    with jax.enable_x64(True), _common.figure_style():
        figures = _mixture_kl_2d_figures.draw(config.output, targets, metrics, curves)
    print_table(metrics)
    print("\n" + "\n".join(f"figure     {figure}" for figure in figures) + f"\nmetrics    {path}")
    return json.loads(path.read_text(encoding="utf-8"))


# -- mixtures: every optimum


def make_optimizer(config: Config) -> optax.GradientTransformation:
    """Returns Adam with an `eps` that turns it into plain descent near a minimum; see `mixture_kl`."""
    return optax.adam(config.learning_rate, b1=0.5, b2=0.99, eps=0.1)


def random_starts(config: Config, target: Mixture, family: str) -> MultivariateNormal:
    """Returns normals with means about as far out as the target's mass and scales from a fifth to twice its own."""
    generator, shape = np.random.default_rng(config.seed), (config.num_starts, 2)
    whole = _plane_fits.describe(moments(target, some_member("full")))
    covariance = np.array(whole["covariance"])
    means = whole["mean"] + 1.3 * generator.normal(size=shape) @ np.linalg.cholesky(covariance).T
    size = math.sqrt(np.trace(covariance) / 2)
    scales = size * np.exp(generator.uniform(math.log(0.2), math.log(2.0), size=shape))
    if family == "diagonal":
        return MultivariateNormal.from_diagonal(jnp.array(means), jnp.array(scales))
    turn = generator.uniform(0, np.pi, size=config.num_starts)
    axes = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    factors = np.linalg.cholesky(np.einsum("ijn,nj,kjn->nik", axes, scales**2, axes))
    return MultivariateNormal(jnp.array(means), jnp.array(factors))


def points_between(found: Fit, count: int, seed: int) -> MultivariateNormal:
    """Returns points between two random ends each, in the unconstrained parameters, where saddles are looked for."""
    generator, q = np.random.default_rng(seed), found.optimum
    first, second = generator.integers(q.batch_shape[0], size=(2, count))
    part = generator.uniform(size=count)

    def between(leaf: jax.Array) -> jax.Array:
        one, other = np.asarray(leaf)[first], np.asarray(leaf)[second]
        return jnp.array(one + part.reshape(-1, *[1] * (one.ndim - 1)) * (other - one))

    return q.from_unconstrained(jax.tree.map(between, q.to_unconstrained()))


def reverse_optima(
    config: Config, target: Mixture, family: str, optimizer: Any
) -> tuple[list[dict[str, Any]], dict[str, float]]:
    """Returns one row for each stationary point of KL(q‖p) that was found, the best first, and the seconds."""
    starts, coarse = random_starts(config, target, family), _plane_fits.COARSE

    def descend(num_steps: int) -> Fit:
        options = {"num_steps": num_steps, "tolerance": config.tolerance}
        return fit(target, starts, coarse, optimizer=optimizer, **options)

    _, compile_seconds = _common.timed(lambda: descend(0))
    found, run_seconds = _common.timed(lambda: descend(config.num_steps))
    between = points_between(found, config.num_between, config.seed)
    both = jax.tree.map(lambda *leaves: jnp.concatenate(leaves), found.optimum, between)
    newton = NEWTON_BRIEF if config.smoke else NEWTON
    ends, polish_seconds = _common.timed(lambda: newton(_plane_fits.FINE, target, both))
    optima = ends.local_optima(target, _plane_fits.FINE)
    shares = _plane_fits.shares_of_starts(ends, optima, np.asarray(found.converged))
    rows = []
    for optimum, share in zip(optima, shares, strict=True):
        certified = _plane_fits.certify(optimum.distribution, target)
        rows.append(
            {
                "divergence": "reverse",
                **_plane_fits.describe(optimum.distribution),
                "value": float(optimum.value.value),
                "certified_value": float(certified.value),
                "error_bound": float(certified.stderr),
                "gradient_norm": optimum.gradient_norm,
                "kind": optimum.kind,
                "hessian_eigenvalues": optimum.hessian_eigenvalues.tolist(),
                "is_global": optimum.is_global,
                "share_of_starts": share,
            }
        )
    seconds = {"compile_seconds": compile_seconds, "run_seconds": run_seconds, "newton_seconds": polish_seconds}
    return rows, seconds


def characteristics(optima: list[dict[str, Any]]) -> dict[str, int]:
    """Returns the sum of (-1)^(number of directions down) over the stationary points of KL(q‖p), by target and family.

    Over all stationary points it is 1, by Morse's theorem, since KL(q‖p) grows without bound toward the ends of the
    parameters' space. Another number says that some were not found.
    """
    sums: dict[str, int] = {}
    for row in optima:
        if row["divergence"] == "reverse":
            name = f"{row['target']}_{row['family']}"
            sums[name] = sums.get(name, 0) + (-1) ** sum(value < 0 for value in row["hessian_eigenvalues"])
    return sums


def forward_optimum(target: Mixture, family: str) -> dict[str, Any]:
    """Returns the row of the only stationary point of KL(p‖q), which has the target's moments."""
    q = moments(target, some_member(family))
    estimate = _plane_fits.certify(target, q)
    return {
        "divergence": "forward",
        **_plane_fits.describe(q),
        "value": float(estimate.value),
        "error_bound": float(estimate.stderr),
        "kind": "minimum",
        "is_global": True,
    }


def print_table(metrics: dict[str, Any]) -> None:
    """Prints the optima, the critical scales of the textbook's pair, and the correlated Gaussian."""
    print(f"\n{'':12}{'':9}{'':8}{'mean':>15}{'covariance':>22}{'nats':>11}{'+-':>7}  {'kind':10}{'starts':>7}")
    for row in metrics["optima"]:
        (xx, xy), (_, yy) = row["covariance"]
        mean = " ".join(f"{x + 0.0:7.3f}" for x in row["mean"])
        share = f"{row['share_of_starts']:7.1%}" if "share_of_starts" in row else f"{'only':>7}"
        print(
            f"{row['target']:12}{row['family']:9}{row['divergence']:8}{mean}{xx:8.3f}{yy:7.3f}{xy:7.3f}"
            f"{row['value']:11.6f}{row['error_bound']:7.0e}  {row['kind']:10}{share}"
            f"{'  global' if row['is_global'] else ''}"
        )
    print("\nEuler characteristics:", *(f"{name} {value}" for name, value in metrics["euler_characteristics"].items()))
    pair = metrics["textbook_pair"]
    print(f"\ntwo Gaussians at ±(1, 1): drawn by hand {pair['drawn_by_hand']['value']:.6f} nats; critical scales")
    for name in ("diagonal_pitchfork", "full_fold", "full_exchange"):
        print(f"  {name:20}{pair[name]['scale']:12.8f}")
    for size, rows in metrics["correlated_gaussian"].items():
        for name in ("forward", "reverse"):
            row = rows[name]
            print(
                f"correlated Gaussian in {size} dimensions, {name}: {row['values'][-1]:.6f} nats at "
                f"{rows['correlations'][-1]}; fits are off by {row['largest_error_of_values']:.0e} in nats and "
                f"{row['largest_error_of_variances']:.0e} in variances"
            )


if __name__ == "__main__":
    main(tyro.cli(Config, description=__doc__))
