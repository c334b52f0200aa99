"""One Gaussian for a mixture on the plane: what do KL(p‖q) and KL(q‖p) find, with and without correlations?

- The textbook's picture of two unit Gaussians at ±(1, 1), with a q that hugs one of them under KL(q‖p), is drawn by
  hand: that q costs 0.500 nats and is no optimum. Every descent ends in one and the same minimum, with its mean at 0:
  0.058 nats with full covariance, 0.225 with a factorised q. For modes to be minima the components must be narrower.
- How they come about depends on the family. With full covariance they appear in a fold, far from the covering fit, at
  the scale 0.586268 and are best from 0.505061 on, and covering stays a minimum. A factorised covering fit splits at
  0.755927, in a pitchfork, and is a saddle below that: so factorised fits seek modes sooner, and then do nothing else.
- Three narrow components (a triangle) have six minima with full covariance: three modes (1.088 nats), and three that
  cover two of them each (1.168). To cover all three is a saddle (1.311), though factorised fits take it for a minimum.
- Of slanted components a factorised q finds less than there is: one minimum (0.719 nats, where they cross), while full
  covariance has two, one along each component (0.367 and 0.649).
- KL(p‖q) has one optimum, which has p's moments, whatever p is.
- A factorised q for one correlated Gaussian has the marginal variances forward and the inverse precisions in reverse.
  In two dimensions both cost the same, the total correlation -log det R / 2. In general only KL(p‖q) costs that:
  KL(q‖p) is the same function of the precision, 1.435 rather than 2.463 nats at a correlation of 0.95 in three.

Minima are what descents from random starts end in, saddles what Newton's method finds between those ends: no search
shows that there are no others. The pair's branches are followed in one dimension, with q as wide in x as in y.

    python -m experiments.mixture_kl_2d --num-starts 256
"""

import dataclasses
import functools
import json
import math
from pathlib import Path
from typing import Any

if __package__:
    from experiments import _branches, _common, _mixture_kl_2d_figures, _plane_fits, _textbook_pair
else:  # run as a script: Python looks in the folder of this file
    import _branches
    import _common
    import _mixture_kl_2d_figures
    import _plane_fits
    import _textbook_pair

import jax
import jax.numpy as jnp
import numpy as np
import optax
import tyro
from tqdm import tqdm

from jaxinfo import densities, distributions
from jaxinfo.distributions import Mixture, MultivariateNormal
from jaxinfo.projections import Fit, ForwardKL, ReverseKL, fit, project

FAMILIES = ("diagonal", "full")
# Weights, means, and standard deviations along two axes with the angle of the first, in degrees.
TARGETS = {
    "overlapping": ((0.5, 0.5), ((-1, -1), (1, 1)), ((1, 1, 0), (1, 1, 0))),
    "narrow": ((0.5, 0.5), ((-1, -1), (1, 1)), ((0.5, 0.5, 0), (0.5, 0.5, 0))),
    "crossed": ((0.6, 0.4), ((-0.9, 0), (0.9, 0)), ((1.4, 0.35, 60), (1.4, 0.35, -60))),
    "triangle": (
        (1 / 3, 1 / 3, 1 / 3),
        tuple((1.7 * math.cos(t), 1.7 * math.sin(t)) for t in (math.pi / 2, math.pi * 7 / 6, math.pi * 11 / 6)),
        ((0.5, 0.5, 0),) * 3,
    ),
    "propeller": (
        (0.45, 0.35, 0.2),
        tuple((1.3 * math.cos(t), 1.3 * math.sin(t)) for t in (math.pi / 2, math.pi * 7 / 6, math.pi * 11 / 6)),
        ((1.0, 0.25, 90), (1.0, 0.25, 210), (1.0, 0.25, 330)),
    ),
}
# Fewer panels than by default: a product of two rules has the square of their number.
PANELS = densities.Quadrature(offsets=(1.5, 3.0, 6.0), num_rounds=0)
# Of the correlated Gaussian: in two dimensions any deviations will do.
DEVIATIONS = {2: (1.0, 0.6), 3: (1.0, 1.0, 1.0)}


@dataclasses.dataclass(frozen=True)
class Config:
    """Descents from random starts, and Newton's method from there and from points between; in double precision."""

    targets: tuple[str, ...] = tuple(TARGETS)
    families: tuple[str, ...] = FAMILIES
    num_starts: int = 72
    # Starts of Newton's method between two ends of descents: saddles are found there.
    num_between: int = 24
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
        config = dataclasses.replace(config, targets=("narrow",), families=("diagonal",), num_starts=24, num_between=8)
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
        pair, curves = textbook_pair()
        sizes = (2,) if config.smoke else tuple(DEVIATIONS)
        correlated = {str(size): correlated_gaussian(config, size) for size in sizes}
    metrics = {"optima": optima, "textbook_pair": pair, "correlated_gaussian": correlated, "timings": timings}
    path = _common.write_metrics(config.output, config, metrics)
    with _common.figure_style():
        figures = _mixture_kl_2d_figures.draw(config.output, targets, metrics, curves)
    print_table(metrics)
    print("\n" + "\n".join(f"figure     {figure}" for figure in figures) + f"\nmetrics    {path}")
    return json.loads(path.read_text(encoding="utf-8"))


# -- mixtures: every optimum


def make_target(name: str) -> Mixture:
    """Returns a mixture of three components; of two, one is cut in half, so that one program serves all targets."""
    weights, means, shapes = TARGETS[name]
    if len(weights) == 2:
        weights, means, shapes = ((weights[0], weights[1] / 2, weights[1] / 2), *((*x, x[1]) for x in (means, shapes)))
    covariances = []
    for first, second, angle in shapes:
        c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        turn = np.array([[c, -s], [s, c]])
        covariances.append(turn @ np.diag([first**2, second**2]) @ turn.T)
    components = MultivariateNormal.from_covariance(jnp.array(means, float), jnp.array(covariances))
    return Mixture(jnp.array(weights), components)


def make_optimizer(config: Config) -> optax.GradientTransformation:
    """Returns Adam with an `eps` that turns it into plain descent near a minimum; see `mixture_kl`."""
    return optax.adam(config.learning_rate, b1=0.5, b2=0.99, eps=0.1)


def some_member(family: str) -> MultivariateNormal:
    """Returns a member of the family."""
    if family == "diagonal":
        return MultivariateNormal.from_diagonal(jnp.zeros(2), jnp.ones(2))
    return MultivariateNormal(jnp.zeros(2), jnp.eye(2))


def random_starts(config: Config, target: Mixture, family: str) -> MultivariateNormal:
    """Returns normals with means about as far out as the target's mass and scales from a fifth to twice its own."""
    return _random_starts(target, jax.random.key(config.seed), config.num_starts, family == "diagonal")


@functools.partial(jax.jit, static_argnums=(2, 3))
def _random_starts(target: Mixture, key: jax.Array, count: int, is_diagonal: bool) -> MultivariateNormal:
    keys = jax.random.split(key, 3)
    whole = project(target, some_member("full"))
    means = jnp.asarray(whole.loc)[None] + 1.3 * jax.random.normal(keys[0], (count, 2)) @ whole.scale_tril.T
    size = jnp.sqrt(jnp.mean(whole.variance))
    scales = size * jnp.exp(jax.random.uniform(keys[1], means.shape, minval=math.log(0.2), maxval=math.log(2.0)))
    if is_diagonal:
        return MultivariateNormal.from_diagonal(means, scales)
    turn = jax.random.uniform(keys[2], means.shape[:1], maxval=jnp.pi)
    axes = jnp.stack([jnp.stack([jnp.cos(turn), jnp.sin(turn)], 1), jnp.stack([-jnp.sin(turn), jnp.cos(turn)], 1)], 2)
    covariances = jnp.einsum("nij,nj,nkj->nik", axes, scales**2, axes)
    return MultivariateNormal.from_covariance(means, covariances)


def points_between(found: Fit, count: int, seed: int) -> MultivariateNormal:
    """Returns the moments of equal mixtures of two random ends each, where saddles are looked for."""
    generator = np.random.default_rng(seed)
    q = found.optimum
    pairs = generator.integers(q.batch_shape[0], size=(count, 2))
    ends = [jax.tree.map(lambda leaf, i=i: leaf[i], q) for i in pairs.T]
    weights = jnp.full((count, 2), 0.5)
    joined = jax.tree.map(lambda *leaves: jnp.stack(leaves, axis=1), *ends)
    member = some_member("diagonal" if hasattr(q, "scale") else "full")
    return _branches.quick_jit(project)(Mixture(weights, joined), member)


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
    ends, polish_seconds = _common.timed(lambda: _plane_fits.find_stationary(_plane_fits.FINE, target, both))
    optima = ends.local_optima(target, _plane_fits.FINE)
    shares = shares_of_starts(ends, optima, np.asarray(found.converged))
    rows = []
    for optimum, share in zip(optima, shares, strict=True):
        certified = certify(optimum.distribution, target)
        rows.append(
            {
                "divergence": "reverse",
                **describe(optimum.distribution),
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


def shares_of_starts(ends: Fit, optima: Any, converged: np.ndarray) -> list[float]:
    """Returns the share of the descents that ended at each optimum; points between, which come last, do not count."""
    count = len(converged)
    q = jax.tree.map(lambda leaf: leaf[:count], ends.optimum)
    members = jax.tree.map(lambda *leaves: jnp.stack(leaves)[:, None], *(optimum.distribution for optimum in optima))
    lanes = jax.tree.map(lambda leaf: leaf[None], q)
    apart = distributions.kl_divergence(lanes, members) + distributions.kl_divergence(members, lanes)
    same = (np.asarray(apart) < 1e-4) & (converged & np.asarray(ends.converged)[:count])[None]
    return same.mean(axis=1).tolist()


def forward_optimum(target: Mixture, family: str) -> dict[str, Any]:
    """Returns the row of the only stationary point of KL(p‖q), which has the target's moments."""
    q = _branches.quick_jit(project)(target, some_member(family))
    estimate = certify(target, q)
    return {
        "divergence": "forward",
        **describe(q),
        "value": float(estimate.value),
        "error_bound": float(estimate.stderr),
        "kind": "minimum",
        "is_global": True,
    }


@jax.jit
def certify(p: Any, q: Any) -> densities.Estimate:
    """Returns KL(p‖q) by the product panels, which bound their error."""
    return densities.kl_divergence(p, q, method=PANELS)


def describe(q: MultivariateNormal) -> dict[str, Any]:
    """Returns a Gaussian's parameters by name."""
    return {"mean": np.asarray(q.loc).tolist(), "covariance": np.asarray(q.covariance).tolist()}


# -- the textbook's pair


def textbook_pair() -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns what the pair at ±(1, 1) has in store as its scale shrinks, and the branches."""
    curves = {family: _textbook_pair.follow(family) for family in FAMILIES}
    full = _textbook_pair.potential
    modes, covers = curves["full"]["modes"], curves["full"]["covering"]
    turn = _branches.turning_point(modes[:, :3])
    fold, fold_error = _textbook_pair.solve(lambda rule: _branches.fold(full("full", rule)), turn)
    # Before they turn back, modes are worse than covering from some point on.
    stable = modes[: int(np.argmin(modes[:, 2]))]
    at = stable[int(np.argmax(stable[:, 3] > np.interp(stable[:, 2], covers[:, 2], covers[:, 3])))]
    cover = covers[int(np.argmin(np.abs(covers[:, 2] - at[2])))]
    start = np.concatenate([at[:2], cover[:2], at[2:3]])
    exchange, exchange_error = _textbook_pair.solve(lambda rule: _branches.exchange(full("full", rule)), start)
    diagonal = curves["diagonal"]["covering"]
    lost = diagonal[int(np.argmax(diagonal[:, 4] < 0))]
    pitchfork, pitchfork_error = _textbook_pair.solve(_textbook_pair.pitchfork, lost[1:3])
    found = {
        "diagonal_pitchfork": (pitchfork[-1], pitchfork_error),
        "full_fold": (fold[-1], fold_error),
        "full_exchange": (exchange[-1], exchange_error),
    }
    rows = {
        name: {"scale": _textbook_pair.scale_of(a), "half_separation": float(a), "error": error}
        for name, (a, error) in found.items()
    }
    hand = MultivariateNormal.from_diagonal(jnp.ones(2), jnp.ones(2))
    by_hand = certify(hand, make_target("overlapping"))
    rows["drawn_by_hand"] = {**describe(hand), "value": float(by_hand.value), "error_bound": float(by_hand.stderr)}
    return rows, curves


# -- the correlated Gaussian


def correlated_gaussian(config: Config, size: int) -> dict[str, Any]:
    """Fits a factorised q to Gaussians whose coordinates all have the same correlation, against the closed forms.

    Forward, q has the marginal variances C_ii and KL(p‖q) is the total correlation -log det R / 2, of the correlation
    matrix R. Reverse it has the inverse precisions 1 / K_ii with K = C^-1, and KL(q‖p) is the same function of K.
    """
    rho = np.array(config.correlations)[:, None, None]
    deviations = np.array(DEVIATIONS[size])
    correlation = (1 - rho) * np.eye(size) + rho
    covariance = deviations[:, None] * correlation * deviations
    if np.linalg.eigvalsh(correlation).min() <= 0:
        raise ValueError(f"of {size} coordinates some correlations cannot be had: {config.correlations}")
    precision = np.linalg.inv(covariance)
    target = MultivariateNormal.from_covariance(jnp.zeros((len(rho), size)), jnp.array(covariance))
    start = MultivariateNormal.from_diagonal(jnp.full((1, size), 0.5), jnp.full((1, size), 0.7))
    exact = {
        "forward": (covariance, total_correlation(covariance)),
        "reverse": (precision, total_correlation(precision)),
    }
    # Plain descent, in steps that the largest curvature allows: of the means the precision, of the log scales 2.
    rate = 1 / max(np.linalg.eigvalsh(precision).max(), 2.0)
    options = {"optimizer": optax.sgd(rate), "num_steps": 20_000, "tolerance": 1e-11}
    rows: dict[str, Any] = {"correlations": list(config.correlations), "deviations": deviations.tolist()}
    for divergence, (name, (matrix, value)) in zip((ForwardKL(), ReverseKL()), exact.items(), strict=True):
        found = fit(target, start, divergence, **options)
        variances = np.diagonal(matrix, axis1=1, axis2=2) ** (1 if name == "forward" else -1)
        fitted, values = np.asarray(found.optimum.variance)[:, 0], np.asarray(found.value.value)[:, 0]
        rows[name] = {
            "variances": variances.tolist(),
            "values": value.tolist(),
            "fitted_variances": fitted.tolist(),
            "fitted_values": values.tolist(),
            "largest_error_of_variances": float(np.max(np.abs(fitted / variances - 1))),
            "largest_error_of_values": float(np.max(np.abs(values - value))),
            "converged": float(np.mean(np.asarray(found.converged))),
        }
    return rows


def total_correlation(matrix: np.ndarray) -> np.ndarray:
    """Returns -log det R / 2 of the correlation matrix R that belongs to each matrix."""
    diagonal = np.diagonal(matrix, axis1=-2, axis2=-1)
    return 0.5 * (np.log(diagonal).sum(axis=-1) - np.linalg.slogdet(matrix)[1])


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
