"""The figure of `policy_optimization`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

if __package__:
    from experiments import _common
else:
    import _common

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

COLORS = {"clip": _common.COLORS[0], "penalty": _common.COLORS[4], "trpo": _common.COLORS[2]}
Results = Mapping[str, Mapping[str, np.ndarray]]
FLOOR = 1e-5  # what is less is drawn here


def draw_returns(axes: Axes, config: Any, names: Mapping[str, str], results: Results) -> None:
    """Draws the greedy return of every seed, thin, and its mean over the seeds."""
    per_evaluation = config.num_updates // config.num_evaluations * config.num_environments * config.num_steps
    steps = per_evaluation * np.arange(1, config.num_evaluations + 1) / 1000
    for method, found in results.items():
        axes.plot(steps, found["return"].T, color=COLORS[method], linewidth=0.8, alpha=0.35)
        axes.plot(
            steps, found["return"].mean(axis=0), color=COLORS[method], linewidth=2.6, marker="o", label=names[method]
        )
    axes.axhline(475, color=_common.INK, linewidth=1, linestyle=":")
    axes.annotate("475", (steps[-1], 475), xytext=(0, -14), textcoords="offset points", ha="right", fontsize=10)
    axes.set(xlabel="thousand steps, per seed", ylabel="greedy return", ylim=(0, 515))
    axes.set_title(f"CartPole, {config.num_seeds} seeds: each, and the mean")
    axes.legend(loc="lower right")


def draw_batches(axes: Axes, config: Any, names: Mapping[str, str], results: Results) -> None:
    """Draws every update as a point: the divergence on the batch it saw, and on the next one."""
    for method, found in results.items():
        here, following = found["kl"][:, :-1].ravel(), found["kl_of_last_update_here"][:, 1:].ravel()
        look = {"s": 7, "alpha": 0.35, "linewidth": 0, "rasterized": True}
        axes.scatter(np.maximum(here, FLOOR), np.maximum(following, FLOOR), color=COLORS[method], **look)
        axes.scatter([], [], color=COLORS[method], label=names[method])
    ends = (FLOOR, 3.0)
    axes.plot(ends, ends, color=_common.GREY, linewidth=1)
    for line in (axes.axvline, axes.axhline):
        line(config.delta, color=_common.INK, linewidth=1, linestyle="--")
    axes.annotate("delta", (config.delta, 1.2 * FLOOR), xytext=(4, 0), textcoords="offset points", fontsize=10)
    axes.set(xscale="log", yscale="log", xlim=ends, ylim=ends)
    axes.set(xlabel="KL(old‖new) on the batch of the update", ylabel="on the next batch")
    axes.set_title("Every update")
    axes.legend(loc="upper left")


def draw_updates(axes: Axes, config: Any, method: str, name: str, found: Mapping[str, np.ndarray]) -> None:
    """Draws the divergence of every update: the median of the seeds, and from the least to the largest."""
    updates = np.arange(1, config.num_updates + 1)
    series = (
        ("on its batch", found["kl"], updates, COLORS[method], "-"),
        ("on the next one", found["kl_of_last_update_here"][:, 1:], updates[:-1], _common.GREY, "--"),
    )
    for label, kl, x, color, style in series:
        held = np.maximum(kl, FLOOR)
        axes.fill_between(x, held.min(axis=0), held.max(axis=0), color=color, alpha=0.25, linewidth=0)
        axes.plot(x, np.median(held, axis=0), color=color, linewidth=2, linestyle=style, label=label)
        axes.plot(x, held.max(axis=0), color=color, linewidth=0.8, linestyle=style)
    axes.axhline(config.delta, color=_common.INK, linewidth=1, linestyle="--")
    largest = found["kl"].max(), found["kl_of_last_update_here"][:, 1:].max()
    axes.set_title(f"{name}: at most {largest[0]:.2g}, and {largest[1]:.2g}")
    axes.set(yscale="log", xlabel="update", xlim=(0, config.num_updates))
    axes.legend(loc="lower left", title="median, and from least to largest")


def draw(path: Path, config: Any, names: Mapping[str, str], results: Results) -> Path:
    """Draws what the policies are worth and how far each update went, above; update by update, below."""
    figure = plt.figure(figsize=(17, 11), layout="constrained")
    (upper,), (lower,) = figure.subfigures(2, 1, squeeze=False, hspace=0.04)
    left, right = upper.subplots(1, 2, gridspec_kw={"width_ratios": (1.5, 1)})
    draw_returns(left, config, names, results)
    draw_batches(right, config, names, results)
    below = lower.subplots(1, len(results), sharey=True)
    for axes, (method, found) in zip(below, results.items(), strict=True):
        draw_updates(axes, config, method, names[method], found)
    below[0].set_ylabel("KL(old‖new), mean over the states")
    below[0].set_ylim(FLOOR, 3)
    figure.suptitle(
        f"How far an update moves a policy: a trust region of {config.delta} nats, and two substitutes", fontsize=18
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    plt.close(figure)
    return path
