"""Drawing for `divergence_path`: what becomes of the fits on the way from KL(q‖p) to KL(p‖q)."""

from pathlib import Path
from typing import Any

if __package__:
    from experiments import _common
else:
    import _common

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

COVERING, MODES = _common.COLORS[0], _common.COLORS[1]
DASHES = (0, (3, 2))
ROWS = {
    "alpha": ("alpha-divergences and Rényi divergences", "alpha, or Rényi order"),
    "skew_jensen_shannon_weight": ("skewed Jensen-Shannon", "weight of p in the middle"),
}
Branches = dict[str, dict[str, np.ndarray]]


def draw(
    path: Path, a: float, branches: dict[str, Branches], points: dict[str, Any], curves: dict[str, dict[str, Any]]
) -> Path:
    """Writes the figure: the fits at some alphas above; means, spreads and critical points of both routes below."""
    figure = plt.figure(figsize=(17, 14), layout="constrained")
    grid = figure.add_gridspec(3, 1, height_ratios=(0.62, 1, 1))
    top, *rows = (grid[k].subgridspec(1, count) for k, count in enumerate((5, 3, 3)))
    chosen = (0.0, points["alpha_exchange"]["parameter"], points["alpha_fold"]["parameter"], 1.0, 1.5)
    for k, (alpha, note) in enumerate(
        zip(chosen, ("KL(q‖p)", "equally good", "the modes die", "KL(p‖q)", "beyond"), strict=True)
    ):
        draw_fits(figure.add_subplot(top[k]), a, branches["alpha"], alpha, note)
    for row, (symbol, (name, label)) in zip(rows, ROWS.items(), strict=True):
        critical = {kind: points[f"{symbol}_{kind}"] for kind in ("fold", "exchange")}
        mean, spread, plane = (figure.add_subplot(row[k]) for k in range(3))
        draw_means(mean, branches[symbol], critical)
        mean.set_title(f"Under {name}", fontsize=13)
        draw_spreads(spread, branches[symbol], critical, is_alpha=symbol == "alpha")
        for ax in (mean, spread):
            ax.set_xlabel(f"{label}: KL(q‖p) on the left" if symbol != "alpha" else label)
            if symbol != "alpha":
                ax.invert_xaxis()
        draw_plane(plane, a, symbol, critical, curves.get(symbol), label)
    figure.legend(*_legend(), loc="outside lower center", ncols=6, fontsize=12)
    figure.suptitle(
        f"From KL(q‖p) to KL(p‖q) at a = {a:g}: covering takes over long before the modes die",
        fontsize=19,
        weight="bold",
    )
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.1)
    figure.savefig(path)
    plt.close(figure)
    return path


def _density(x: np.ndarray, mean: float, deviation: float) -> np.ndarray:
    return np.exp(-0.5 * ((x - mean) / deviation) ** 2) / (deviation * np.sqrt(2 * np.pi))


def _stable(points: np.ndarray) -> int:
    """Returns the number of points of the branch of modes up to the fold."""
    return int(np.argmax(np.abs(points[:, 2] - points[0, 2]))) + 1


def draw_fits(ax: Axes, a: float, branches: Branches, alpha: float, note: str) -> None:
    """Draws p and the minima of one alpha-divergence, the best ones bold."""
    x = np.linspace(-2.9 * a, 2.9 * a, 601)
    ax.fill_between(x, 0.5 * (_density(x, -a, 1) + _density(x, a, 1)), color="#d5d5d5", lw=0)
    minima, modes = [], branches["modes"]
    for name, color in (("modes", MODES), ("covering", COVERING)):
        points, values = branches[name]["points"], branches[name]["values"]
        end = _stable(points) if name == "modes" else len(points)
        # At the fold the modes are there for the last time.
        if alpha <= points[:end, 2].max() + 1e-3:
            numbers = [np.interp(alpha, points[:end, 2], column[:end]) for column in (*points.T[:2], values)]
            minima.append((color, *numbers))
    lowest = min(value for *_, value in minima)
    for color, mean, log_deviation, value in minima:
        width = 3.2 if value < lowest + 1e-3 else 1.4
        for side in (-1, 1) if modes and color == MODES else (1,):
            ax.plot(x, _density(x, side * mean, np.exp(log_deviation)), color=color, lw=width)
    ax.set(xlim=(x[0], x[-1]), ylim=(0, 0.42), yticks=[])
    ax.spines["left"].set_visible(False)
    ax.set_title(rf"$\alpha$ = {alpha:.4g}: {note}", fontsize=12)


def draw_means(ax: Axes, branches: Branches, critical: dict[str, Any]) -> None:
    """Draws the means of all branches."""
    for sign in (-1, 1):
        _draw_branches(ax, branches, critical, lambda free, sign=sign: sign * free[:, 0])
        ax.plot(critical["fold"]["parameter"], sign * critical["fold"]["mean"], **_marker("o"))
        ax.plot(critical["exchange"]["parameter"], sign * critical["exchange"]["modes"]["mean"], **_marker("D"))
    ax.plot(critical["exchange"]["parameter"], 0, **_marker("D"))
    ax.set(ylabel="mean of q")


def draw_spreads(ax: Axes, branches: Branches, critical: dict[str, Any], *, is_alpha: bool) -> None:
    """Draws the standard deviations of all branches, and where an alpha-divergence is infinite."""
    _draw_branches(ax, branches, critical, lambda free: np.exp(free[:, 1]))
    fold, exchange = critical["fold"], critical["exchange"]
    ax.plot(fold["parameter"], fold["standard_deviation"], **_marker("o"))
    ax.annotate(
        f"fold {fold['parameter']:.7f}",
        (fold["parameter"], fold["standard_deviation"]),
        xytext=(10, -4),
        textcoords="offset points",
    )
    for kind in ("modes", "covering"):
        ax.plot(exchange["parameter"], exchange[kind]["standard_deviation"], **_marker("D"))
    ax.annotate(
        f"exchange {exchange['parameter']:.7f}",
        (exchange["parameter"], exchange["covering"]["standard_deviation"]),
        xytext=(10, -16),
        textcoords="offset points",
    )
    ax.set(ylabel="standard deviation of q", ylim=(0, 3.6))
    if is_alpha:
        alpha = np.linspace(1, ax.get_xlim()[1], 200)
        ax.fill_between(alpha, 0, np.sqrt((alpha - 1) / alpha), color="#c9c9c9", hatch="//", edgecolor="white", lw=0)
        ax.text(1.02, 0.75, "infinite:\nq too narrow", color="#5c5c5c")
    ax.set_title("Spread of the fits")


def _draw_branches(ax: Axes, branches: Branches, critical: dict[str, Any], height: Any) -> None:
    """Draws the global minimum thick, other minima thin, and saddles dashed."""
    change, modes = critical["exchange"]["parameter"], branches["modes"]["points"]
    way, end = np.sign(critical["fold"]["parameter"] - modes[0, 2]), _stable(modes)
    minima, saddles, covering = modes[:end], modes[end - 1 :], branches["covering"]["points"]
    for points, color, is_best in (
        (minima, MODES, way * (minima[:, 2] - change) <= 0),
        (covering, COVERING, way * (covering[:, 2] - change) >= 0),
    ):
        ax.plot(points[:, 2], height(points), color=color, lw=1.6)
        ax.plot(points[is_best, 2], height(points[is_best]), color=color, lw=4.4)
    ax.plot(saddles[:, 2], height(saddles), color=MODES, lw=1.5, ls=DASHES)
    for parameter in (change, critical["fold"]["parameter"]):
        ax.axvline(parameter, color=_common.INK, lw=0.8, ls=":")


def draw_plane(
    ax: Axes, a: float, symbol: str, critical: dict[str, Any], curves: dict[str, Any] | None, label: str
) -> None:
    """Draws, over separations, where modes die and where covering takes over."""
    for kind, width in (("fold", 1.4), ("exchange", 3.6)):
        if curves is not None:
            ax.plot(*curves[kind].T, color=_common.INK, lw=width)
        ax.plot(a, critical[kind]["parameter"], **_marker("o" if kind == "fold" else "D"))
    begin = 0.0 if symbol == "alpha" else 1.0
    ax.set(xlim=(2.2, 4.75), ylim=(begin, 1 - begin), xlabel="half-separation a", ylabel=label)
    ax.set_title("Which fit is best")
    if curves is None:
        return
    a_line = np.linspace(2.2, 4.75, 300)
    far = 1 - begin
    exchange, fold = (
        np.interp(a_line, *curve[np.argsort(curve[:, 0])].T, left=begin)
        for curve in (curves["exchange"], curves["fold"])
    )
    ax.fill_between(a_line, begin, exchange, color="#f2b48c", lw=0)
    ax.fill_between(a_line, exchange, fold, color="#a9cdea", lw=0)
    ax.fill_between(a_line, fold, far, color="#d6e7f5", lw=0)
    # In both planes the way from KL(q‖p) to KL(p‖q) goes up.
    heights = (0.2, 0.56, 0.72) if symbol == "alpha" else (0.85, 0.33, 0.3)
    ax.text(4.0 if symbol == "alpha" else 3.7, heights[0], "modes are best", fontsize=12)
    ax.text(3.72 if symbol == "alpha" else 3.3, heights[1], "covering is best,\nmodes are local minima", fontsize=11)
    ax.text(2.26, heights[2], "covering\nis the only\nminimum", fontsize=11)


def _marker(shape: str) -> dict[str, Any]:
    size = 9 if shape == "o" else 8
    return {"marker": shape, "ms": size, "mec": _common.INK, "mew": 1.6, "color": "white", "ls": "none", "zorder": 5}


def _legend() -> tuple[list[Any], list[str]]:
    entries = [
        (Line2D([], [], color=MODES, lw=4), "modes"),
        (Line2D([], [], color=COVERING, lw=4), "covering (thick: the best fit)"),
        (Line2D([], [], color=MODES, lw=1.5, ls=DASHES), "saddle between them"),
        (Line2D([], [], **_marker("D")), "exchange of the best"),
        (Line2D([], [], **_marker("o")), "fold: the modes die"),
    ]
    handles, labels = zip(*entries, strict=True)
    return list(handles), list(labels)
