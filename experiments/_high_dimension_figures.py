"""The figure of `high_dimension`."""

from pathlib import Path
from typing import Any

if __package__:
    from experiments import _common
else:
    import _common

import jax
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

Rows = list[dict[str, Any]]

COLORS = {"forward": _common.COLORS[1], "reverse": _common.COLORS[0]}
FORMULAS = {"forward": "forward KL(p‖q)", "reverse": "reverse KL(q‖p)"}
NUM_POINTS = 600


def _plane(density: Any, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draws as two numbers each: the mean of the coordinates, on the axis of the modes, and the distance from it."""
    draws = np.asarray(density.sample(jax.random.key(seed), (NUM_POINTS,)), np.float64)
    along = draws.mean(axis=-1)
    return along, draws.std(axis=-1)


def draw_plane(axes: Axes, dimension: int, target: Any, fits: dict[tuple[int, str], Any]) -> None:
    """Draws where the draws of the target and of one fit of each direction lie."""
    look = {"s": 9, "linewidth": 0, "rasterized": True}
    axes.scatter(*_plane(target, 0), color="#9a9a9a", label="target p", **look)
    for name, color in COLORS.items():
        # The restart that has come to the mode on the right, where there is one.
        best = int(np.argmax(np.asarray(fits[dimension, name].optimum.loc).mean(axis=-1)))
        member = jax.tree.map(lambda leaf, i=best: leaf[i], fits[dimension, name].optimum)
        axes.scatter(*_plane(member, 1), color=color, alpha=0.45, label=f"q of {FORMULAS[name]}", **look)
    axes.set_title(f"{dimension} dimensions")
    axes.set(xlabel="along the modes, per coordinate", xlim=(-9, 9), ylim=(0, 6))


def draw_line(axes: Axes, rows: Rows, key: str, **look: Any) -> None:
    """Draws one number for every restart, and a line for every optimum that they have come to."""
    for name, color in COLORS.items():
        own = [row for row in rows if row["direction"] == name]
        style = {"color": color, "linewidth": 2, "marker": "o", "markersize": 5, "label": FORMULAS[name], **look}
        for optimum in sorted({i for row in own for i in row["nearest_optimum"]}):
            found = [(row, np.array(row["nearest_optimum"]) == optimum) for row in own]
            found = [(row["dimension"], np.asarray(row[key])[there]) for row, there in found if there.any()]
            axes.plot([x for x, _ in found], [y.mean() for _, y in found], **style)
            style["label"] = None  # one for all of a direction
            for x, y in found:
                axes.plot(np.full(y.size, x), y, color=color, linestyle="none", marker="o", markersize=3, alpha=0.5)


def _lines(axes: Axes, rows: Rows, key: str, factor: float) -> None:
    """Draws what is one number for a direction and a dimension."""
    for name, color in COLORS.items():
        own = [row for row in rows if row["direction"] == name]
        x, y = [row["dimension"] for row in own], [factor * row[key] for row in own]
        axes.plot(x, y, color=color, linewidth=2, marker="o", label=FORMULAS[name])


def _by_dimension(axes: Axes, rows: Rows, title: str, label: str) -> None:
    ticks = sorted({row["dimension"] for row in rows})
    axes.set_xscale("log")
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set(xlabel="dimension", ylabel=label)
    axes.set_title(title)


def draw_numbers(axes: np.ndarray, rows: Rows) -> None:
    """Draws the masses, the divergence, the distance to the known optimum, and the time."""
    draw_line(axes[0], rows, "mass_lost", linestyle="-")
    draw_line(axes[0], rows, "mass_wasted", linestyle=":", label=None, marker="s")
    axes[0].plot([], [], color=_common.GREY, linestyle="-", label="mass of p lost by q")
    axes[0].plot([], [], color=_common.GREY, linestyle=":", marker="s", label="mass of q wasted outside p")
    axes[0].set_ylim(-0.04, 1.75)
    axes[0].set_yticks([0, 0.25, 0.5, 0.75, 1])
    axes[0].legend(loc="upper left", fontsize=9.5)
    _by_dimension(axes[0], rows, "Mass outside the other's 99 %", "share of the draws")
    draw_line(axes[1], rows, "value", linestyle="none")
    draw_line(axes[1], rows, "value_of_known_optimum", marker="", label=None, linewidth=1.2)
    axes[1].plot([], [], color=_common.GREY, linewidth=1.2, label="known optimum")
    axes[1].set_yscale("log")
    axes[1].legend(loc="upper left", fontsize=9.5)
    _by_dimension(axes[1], rows, "The divergence at the end", "nats")
    _lines(axes[2], rows, "root_mean_square_z", 1.0)
    axes[2].axhline(rows[0]["expected_root_mean_square_z"], color=_common.GREY, linestyle="--", label="Student's t")
    axes[2].axhline(4, color=_common.INK, linewidth=1, linestyle=":", label="four")
    axes[2].set_ylim(0, 6)
    axes[2].legend(loc="upper left", fontsize=9.5)
    _by_dimension(axes[2], rows, "Distance to the known optimum", "in standard errors (root mean square)")
    _lines(axes[3], rows, "seconds_per_step", 1e3)
    axes[3].set_yscale("log")
    axes[3].legend(loc="best", fontsize=9.5)
    _by_dimension(axes[3], rows, "Time", f"milliseconds a step of {len(rows[0]['value'])} restarts")


def draw(path: Path, rows: Rows, targets: dict[int, Any], fits: dict[tuple[int, str], Any]) -> Path:
    """Draws where draws lie, above, and what was measured, below."""
    figure = plt.figure(figsize=(18, 10.5), layout="constrained")
    (upper,), (lower,) = figure.subfigures(2, 1, squeeze=False, hspace=0.04)
    dimensions = sorted(targets)
    shown = sorted({dimensions[0], dimensions[len(dimensions) // 2], dimensions[-1]})
    planes = np.atleast_1d(upper.subplots(1, len(shown), sharey=True))
    for axes, dimension in zip(planes, shown, strict=True):
        draw_plane(axes, dimension, targets[dimension], fits)
    planes[0].set_ylabel("away from that axis, per coordinate")
    planes[0].legend(loc="upper left", markerscale=2.5)
    draw_numbers(lower.subplots(1, 4), rows)
    figure.suptitle("One Gaussian for two modes, from 2 to many dimensions", fontsize=18)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    plt.close(figure)
    return path
