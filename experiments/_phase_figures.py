"""Drawing for `mode_seeking_phase_diagram`: phase diagrams over separation and weight, and bifurcation diagrams."""

from pathlib import Path
from typing import Any

if __package__:
    from experiments import _common
else:
    import _common

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

COVERING, LEFT, RIGHT = _common.COLORS[0], _common.COLORS[1], _common.COLORS[2]
# What the global minimum covers: only the right mode, both as p does, only the left one.
SHARES = LinearSegmentedColormap.from_list("shares", ["#8fd4bd", "#a9cdea", "#f2b48c"])
TITLES = {"reverse_kl": "reverse KL", "jensen_shannon": "Jensen-Shannon"}
Grid = dict[str, np.ndarray]


def draw(
    path: Path,
    diagrams: list[dict[str, Any]],
    branches: dict[str, Any],
    locations: dict[str, np.ndarray],
    points: dict[str, Any],
) -> Path:
    """Writes the figure: phase diagrams above, the triple point's three fits and two bifurcation diagrams below."""
    columns = max(3, len(diagrams))
    figure, axes = plt.subplots(2, columns, figsize=(5.6 * columns, 11), layout="constrained", squeeze=False)
    for ax, part in zip(axes[0], diagrams, strict=False):
        draw_diagram(ax, part)
    for ax in axes[0, len(diagrams) :]:
        ax.axis("off")
    axes[0, 0].set_ylabel("weight w of the left mode N(-a, 1)")
    draw_triple_point(axes[1, 0], points["reverse_kl_exchange"])
    for ax, name in zip(axes[1, 1:], branches, strict=False):
        draw_bifurcation(ax, name, branches[name], locations[name], points)
    for ax in axes[1, 3:]:
        ax.axis("off")
    figure.legend(*_legend(), loc="outside lower center", ncols=5, fontsize=11.5, columnspacing=1.8)
    figure.suptitle(
        "KL(q‖p) seeks modes beyond a first-order transition: covering and modes coexist, and take turns",
        fontsize=19,
        weight="bold",
    )
    figure.get_layout_engine().set(w_pad=0.14, h_pad=0.12)
    figure.savefig(path)
    plt.close(figure)
    return path


def draw_diagram(ax: Axes, part: dict[str, Any]) -> None:
    """Colours by what the global minimum covers, with numbers of minima, and the curves where these change."""
    grid = part["grid"]
    a, w = grid["separations"], grid["weights"]
    ax.pcolormesh(a, w, grid["coverage"].T, cmap=SHARES, vmin=-1, vmax=1, shading="nearest", rasterized=True)
    for fold in part["folds"]:
        ax.plot(*fold.T, color=_common.INK, lw=1.3)
    for exchange in part["exchanges"]:
        ax.plot(*exchange.T, color=_common.INK, lw=3.6, solid_capstyle="round")
    for cusp in part["cusps"]:
        ax.plot(*cusp[2:], "o", color="white", mec=_common.INK, mew=1.6, ms=8, zorder=5)
    if part["triple"] is not None:
        ax.plot(*part["triple"][6:], "*", color="white", mec=_common.INK, mew=1.4, ms=17, zorder=5)
    for column, row, count in label_places(grid):
        ax.text(a[column], w[row], str(count), ha="center", va="center", fontsize=15, weight="bold", alpha=0.75)
    ax.set(xlim=(a[0], a[-1]), ylim=(w[0], w[-1]), xlabel="half-separation a")
    right = "1" if part["scale"] == 1 else f"{part['scale']:g}²"
    ax.set_title(f"p = w N(-a, 1) + (1 - w) N(a, {right})")
    ax.spines[["top", "right"]].set_visible(True)


def label_places(grid: Grid) -> list[tuple[int, int, int]]:
    """Returns column, row and number of minima where each region of one number and one kind of best fit is thickest."""
    kind = np.digitize(grid["coverage"], [-0.5, 0.5])
    places = []
    for count in np.unique(grid["counts"]):
        for which in range(3):
            mask = (grid["counts"] == count) & (kind == which)
            # Regions are peeled until little is left; those of a few points have no room for a number.
            last, depth = mask, 0
            while mask.any():
                last, depth = mask, depth + 1
                inner = np.pad(mask, 1)
                mask = mask & inner[2:, 1:-1] & inner[:-2, 1:-1] & inner[1:-1, 2:] & inner[1:-1, :-2]
            if depth > 2:
                columns, rows = np.nonzero(last)
                middle = np.argmin(np.hypot(columns - columns.mean(), rows - rows.mean()))
                places.append((int(columns[middle]), int(rows[middle]), int(count)))
    return places


def draw_triple_point(ax: Axes, exchange: dict[str, Any]) -> None:
    """Draws the symmetric p where its three fits are equally good."""
    a = exchange["half_separation"]
    x = np.linspace(-8, 8, 801)

    def density(mean: float, deviation: float) -> np.ndarray:
        return np.exp(-0.5 * ((x - mean) / deviation) ** 2) / (deviation * np.sqrt(2 * np.pi))

    ax.fill_between(x, 0.5 * (density(-a, 1) + density(a, 1)), color="#d5d5d5", lw=0, label="p")
    mode, cover = exchange["modes"], exchange["covering"]
    ax.plot(x, density(-mode["mean"], mode["standard_deviation"]), color=LEFT, lw=2.6)
    ax.plot(x, density(cover["mean"], cover["standard_deviation"]), color=COVERING, lw=2.6)
    ax.plot(x, density(mode["mean"], mode["standard_deviation"]), color=RIGHT, lw=2.6)
    ax.set(xlim=(x[0], x[-1]), ylim=(0, 0.45), xlabel="x", ylabel="density")
    ax.set_title(f"★ a = {a:.4f}, w = 1/2: three equally good fits")


def draw_bifurcation(
    ax: Axes, name: str, branches: dict[str, Any], location: np.ndarray, points: dict[str, Any]
) -> None:
    """Draws the means of stationary fits over a, stable ones solid, with those of unit variance behind."""
    pitchfork = points["location_only_pitchfork" if name == "reverse_kl" else f"location_only_pitchfork_{name}"]
    begin = pitchfork["half_separation"]
    # The branch of modes is followed inward, through the pitchfork, and out on the other side.
    outer = np.concatenate([location[location[:, 0] > 0], [[0.0, begin]]])
    for sign in (-1, 1):
        ax.plot(outer[:, 1], sign * outer[:, 0], color=_common.GREY, lw=1.6)
    ax.plot(begin, 0, "s", color="white", mec=_common.GREY, mew=1.5, ms=7, zorder=4)
    fold, exchange = (points[f"{name}_{kind}"] for kind in ("fold", "exchange"))
    first, second = fold["half_separation"], exchange["half_separation"]
    modes = branches["modes"]["points"]
    # The branch comes in from far away as a minimum and goes out again, from the fold on, as a saddle.
    turn = int(np.argmin(modes[:, 2]))
    for sign, color in ((-1, LEFT), (1, RIGHT)):
        best = modes[: turn + 1, 2] > second
        ax.plot(modes[: turn + 1, 2], sign * modes[: turn + 1, 0], color=color, lw=1.8)
        ax.plot(modes[: turn + 1, 2][best], sign * modes[: turn + 1, 0][best], color=color, lw=4.2)
        ax.plot(modes[turn:, 2], sign * modes[turn:, 0], color=color, lw=1.6, ls=(0, (3, 2)))
    ax.plot([0, second], [0, 0], color=COVERING, lw=4.2, solid_capstyle="butt")
    ax.plot([second, 6], [0, 0], color=COVERING, lw=1.8)
    for sign in (-1, 1):
        ax.plot(first, sign * fold["mean"], "o", color="white", mec=_common.INK, mew=1.6, ms=8, zorder=5)
    ax.axvline(second, color=_common.INK, lw=1, ls=":")
    ax.annotate(f"fold\na = {first:.5f}", (first, fold["mean"]), (0.3, 3.2), arrowprops={"arrowstyle": "-", "lw": 0.8})
    ax.annotate(f"exchange\na = {second:.5f}", (second, 0.45), xytext=(7, 0), textcoords="offset points")
    ax.annotate(
        f"unit variance:\npitchfork\na = {begin:.5f}",
        (begin, 0),
        (0.15, -2.9),
        color="#6a6a6a",
        arrowprops={"arrowstyle": "-", "lw": 0.8, "color": _common.GREY},
    )
    ax.set(xlim=(0, 6), ylim=(-5.2, 5.2), xlabel="half-separation a", ylabel="mean of q")
    ax.set_title(f"Stationary fits under {TITLES[name]}, w = 1/2")


def _legend() -> tuple[list[Any], list[str]]:
    entries = [
        (Patch(color=SHARES(0.5)), "covering is best"),
        (Patch(color=SHARES(1.0)), "left mode is best"),
        (Patch(color=SHARES(0.0)), "right mode is best"),
        (Line2D([], [], color="none", marker="$1$", ms=9, mec=_common.INK, mfc=_common.INK), "number of minima"),
        (Line2D([], [], color=_common.INK, lw=3.6), "exchange: two best fits"),
        (Line2D([], [], color=_common.INK, lw=1.3), "fold: a minimum appears"),
        (Line2D([], [], color="none", marker="o", ms=8, mec=_common.INK, mfc="white"), "cusp (above), fold (below)"),
        (Line2D([], [], color=_common.INK, lw=1.6, ls=(0, (3, 2))), "saddle (below); thick: the best fit"),
        (Line2D([], [], color="none", marker="*", ms=14, mec=_common.INK, mfc="white"), "triple point"),
    ]
    handles, labels = zip(*entries, strict=True)
    return list(handles), list(labels)
