"""The figures of `mixture_kl_2d`."""

from pathlib import Path
from typing import Any

if __package__:
    from experiments import _branches, _common, _plane_targets
else:
    import _branches
    import _common
    import _plane_targets

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse

Rows = list[dict[str, Any]]

BLUE, ORANGE, GREEN = _common.COLORS[:3]
FORMULAS = {"forward": "KL(p‖q)", "reverse": "KL(q‖p)"}
FAMILIES = {"diagonal": "diagonal", "full": "full covariance"}
# Half the width of a panel, and the height of a line of text in it.
REACH, LINE = 3.6, 0.42


def _color(row: dict[str, Any]) -> str:
    if row["divergence"] == "forward":
        return ORANGE
    return BLUE if row["is_global"] else GREEN if row["kind"] == "minimum" else _common.INK


def draw_gaussian(
    axes: Axes, mean: Any, covariance: Any, color: str, *, widths: tuple[float, ...] = (2.4, 1.3), **look: Any
) -> None:
    """Draws the ellipses at one and two standard deviations, in lines of these widths, and the mean."""
    values, vectors = np.linalg.eigh(np.asarray(covariance))
    angle = float(np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1])))
    for radius, width in enumerate(widths, 1):
        size = 2 * radius * np.sqrt(values[::-1])
        axes.add_patch(Ellipse(tuple(mean), *size, angle=angle, fill=False, color=color, linewidth=width, **look))
    axes.plot(*mean, marker="o", markersize=4, color=color)


@_branches.quick_jit
def _density(target: Any, points: jax.Array) -> jax.Array:
    return jnp.exp(target.log_prob(points))


def draw_target(axes: Axes, target: Any, reach: float = REACH) -> None:
    """Draws the density p, at contours of equal steps."""
    line = np.linspace(-REACH - 0.4, REACH + 0.4, 161)
    density = np.asarray(_density(target, jnp.array(np.stack(np.meshgrid(line, line), axis=-1))), np.float64)
    levels = density.max() * np.linspace(0.03, 1, 9)
    axes.contourf(line, line, density, levels=levels, cmap="Greys", vmin=-0.1 * density.max(), vmax=1.5 * density.max())
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xticks=[], yticks=[])
    axes.spines[["top", "right"]].set_visible(True)


def _lines(rows: Rows) -> list[tuple[str, str]]:
    """Returns what a panel says of its optima, alike ones together: colours and texts."""
    lines: dict[tuple[str, str, str], list[float]] = {}
    for row in rows:
        key = (_color(row), row["kind"], f"{row['value']:.3f}")
        lines.setdefault(key, []).append(row.get("share_of_starts", 1.0))
    texts = []
    for (color, kind, value), shares in lines.items():
        many = {"minimum": "minima"}.get(kind, kind + "s")
        count = f"{len(shares)} {many}" if len(shares) > 1 else kind
        of_starts = f", {sum(shares):.0%} of starts" if kind == "minimum" and color != ORANGE else ""
        texts.append((color, f"{count}, {value} nats{of_starts}"))
    return texts


def draw_optima(axes: Axes, rows: Rows) -> None:
    """Draws every optimum of a panel, and says at the top what each costs and how many starts lead to it."""
    for row in sorted(rows, key=lambda row: row["is_global"]):
        # Of saddles, of which there may be many, only the ellipse at one standard deviation.
        look = {} if row["kind"] == "minimum" else {"linestyle": (0, (2, 2)), "widths": (1.2,)}
        draw_gaussian(axes, row["mean"], row["covariance"], _color(row), **look)
    for number, (color, text) in enumerate(_lines(rows)):
        place = (0.15 - REACH, axes.get_ylim()[1] - 0.12 - LINE * number)
        axes.text(*place, text, color=color, va="top", fontsize=11.5)


def _limits(rows: Rows, panels: list[Rows]) -> tuple[float, float]:
    """Returns the range of y in which ellipses and the lines above them have room."""
    ends = [(row["mean"][1], (2 if row["kind"] == "minimum" else 1) * np.sqrt(row["covariance"][1][1])) for row in rows]
    room = 0.25 + LINE * max(len(_lines(panel)) for panel in panels)
    low, high = min(y - size for y, size in ends), max(y + size for y, size in ends)
    return min(low - 0.2, -2.4), max(high + 0.1, 2.4) + room


def draw_gallery(targets: dict[str, Any], optima: Rows) -> Figure:
    """Draws a row of panels for each target: both directions, each with both families."""
    families = [family for family in FAMILIES if any(row["family"] == family for row in optima)]
    columns = [(name, family) for name in FORMULAS for family in families]
    rows = {title: [row for row in optima if row["target"] == title] for title in targets}
    panels = {
        title: [[r for r in own if (r["divergence"], r["family"]) == column] for column in columns]
        for title, own in rows.items()
    }
    limits = {title: _limits(own, panels[title]) for title, own in rows.items()}
    heights = [high - low for low, high in limits.values()]
    inches = 4.1 / (2 * REACH)
    figure = plt.figure(figsize=(4.1 * len(columns), inches * sum(heights) + 1.3), layout="constrained")
    grid = figure.subplots(len(targets), len(columns), squeeze=False, height_ratios=heights)
    for line, (title, target) in zip(grid, targets.items(), strict=True):
        line[0].set_ylabel(title, fontsize=14, fontweight="bold")
        for axes, panel in zip(line, panels[title], strict=True):
            draw_target(axes, target)
            axes.set_ylim(limits[title])
            draw_optima(axes, panel)
    for axes, (name, family) in zip(grid[0], columns, strict=True):
        axes.set_title(f"{FORMULAS[name]}, {FAMILIES[family]}", fontsize=14, pad=8)
    figure.suptitle("Every optimum found of one Gaussian on the plane", fontsize=20, weight="bold")
    return figure


def draw_by_hand(axes: Axes, target: Any, pair: dict[str, Any], optima: Rows) -> None:
    """Draws the pair at ±(1, 1) with what books draw and what the optima are."""
    draw_target(axes, target, 3.9)
    axes.set_ylim(-3.8, 5.2)
    hand = pair["drawn_by_hand"]
    draw_gaussian(axes, hand["mean"], hand["covariance"], _common.GREY, linestyle=(0, (3, 2)))
    axes.plot([], [], color=_common.GREY, linestyle=(0, (3, 2)), label=f"drawn by hand: {hand['value']:.3f} nats")
    for row, color in ((row, BLUE if row["family"] == "full" else GREEN) for row in optima):
        draw_gaussian(axes, row["mean"], row["covariance"], color)
        label = f"{row['kind']}, {FAMILIES[row['family']]}: {row['value']:.3f} nats"
        axes.plot([], [], color=color, linewidth=2.4, label=label)
    axes.legend(loc="upper left", fontsize=10)
    axes.set_title("Unit covariances: KL(q‖p) has one minimum,\nbetween the modes")


def draw_branches(axes: Axes, curves: dict[str, Any], pair: dict[str, Any]) -> None:
    """Draws where on the diagonal the stationary points are, over the scale of the components."""
    for family, color in (("full", BLUE), ("diagonal", GREEN)):
        for points in curves[family].values():
            scale = np.sqrt(2) / points[:, 2]
            mean = np.abs(points[:, 0]) / points[:, 2]
            # On the way from one branch to the other the points are some hundredths apart.
            stable = points[:, 4] > -0.02
            for part, look in ((stable, {"linewidth": 2.6}), (~stable, {"linewidth": 1.4, "linestyle": ":"})):
                for sign in (-1, 1):
                    # The two families cover alike: a little apart both can be seen.
                    offset = np.where(points[:, 0] == 0, 0.012 if family == "full" else -0.012, 0.0)
                    axes.plot(scale, np.where(part, sign * mean + offset, np.nan), color=color, **look)
        axes.plot([], [], color=color, linewidth=2.6, label=f"minima, {FAMILIES[family]}")
    axes.plot([], [], color=_common.GREY, linestyle=":", label="saddles")
    names = {
        "diagonal_pitchfork": "covering splits",
        "full_fold": "modes appear",
        "full_exchange": "modes become global",
    }
    for name, text in names.items():
        scale = pair[name]["scale"]
        color = GREEN if "diagonal" in name else BLUE
        axes.vlines(scale, -1.2, 2.35, color=color, linewidth=1, linestyle=(0, (5, 3)))
        axes.text(scale + 0.008, 1.12, f"{text}\n{scale:.5f}", fontsize=9.5, rotation=90, va="bottom")
    axes.vlines(1.0, -1.2, 2.35, color=_common.INK, linewidth=1)
    axes.text(1.008, 1.12, "the textbook's pair", fontsize=9.5, rotation=90, va="bottom")
    axes.set(xlim=(0.3, 1.15), ylim=(-1.2, 3.0), xlabel="scale s of the components at ±(1, 1)")
    axes.set_ylabel("mean of q along the diagonal (1 is a mode)")
    axes.set_yticks([-1, -0.5, 0, 0.5, 1])
    axes.legend(loc="upper right", ncols=2, fontsize=10)
    axes.set_title("Where the minima are:\nfactorised fits split, full ones jump")


def draw_values(axes: Axes, curves: dict[str, Any]) -> None:
    """Draws the divergence of the minima over the scale."""
    for family, color in (("full", BLUE), ("diagonal", GREEN)):
        for name, style in (("modes", "solid"), ("covering", (0, (4, 1.5)))):
            points = curves[family][name]
            value = np.where(points[:, 4] > -0.02, points[:, 3], np.nan)
            label = f"{'a mode' if name == 'modes' else 'covering'}, {FAMILIES[family]}"
            axes.plot(np.sqrt(2) / points[:, 2], value, color=color, linestyle=style, linewidth=2.2, label=label)
    axes.axhline(np.log(2), color=_common.GREY, linewidth=1)
    axes.text(1.14, np.log(2) + 0.01, "log 2", ha="right", color=_common.GREY)
    axes.set(xlim=(0.3, 1.15), ylim=(0, 1.1), xlabel="scale s of the components at ±(1, 1)", ylabel="nats")
    axes.legend(loc="upper right", fontsize=10)
    axes.set_title("What they cost, KL(q‖p)")


def draw_correlated(axes: np.ndarray, correlated: dict[str, Any]) -> None:
    """Draws the factorised fits to one correlated Gaussian, and the divergences over the correlation."""
    rows = correlated["2"]
    best = int(np.argmin(np.abs(np.array(rows["correlations"]) - 0.9)))
    rho, deviations = rows["correlations"][best], np.array(rows["deviations"])
    covariance = np.outer(deviations, deviations) * np.array([[1, rho], [rho, 1]])
    draw_gaussian(axes[0], (0, 0), covariance, _common.GREY)
    axes[0].plot([], [], color=_common.GREY, linewidth=2.4, label=f"p, correlation {rho:g}")
    labels = {"forward": "KL(p‖q): marginal variances", "reverse": "KL(q‖p): inverse precisions"}
    for name, color in (("forward", ORANGE), ("reverse", BLUE)):
        draw_gaussian(axes[0], (0, 0), np.diag(rows[name]["fitted_variances"][best]), color)
        axes[0].plot([], [], color=color, linewidth=2.4, label=labels[name])
    axes[0].set(xlim=(-2.4, 2.4), ylim=(-1.5, 2.5), aspect="equal")
    axes[0].legend(loc="upper left", fontsize=10)
    axes[0].set_title("A correlated Gaussian, factorised q")
    for size, look in (("2", "solid"), ("3", (0, (4, 1.5)))):
        if size not in correlated:
            continue
        rows = correlated[size]
        for name, color in (("forward", ORANGE), ("reverse", BLUE)):
            x, y = rows["correlations"], rows[name]["fitted_values"]
            shown = {"linewidth": 4 if (size, name) == ("2", "forward") else 1.8, "linestyle": look}
            axes[1].plot(x, y, color=color, label=f"{FORMULAS[name]}, {size} dimensions", **shown)
            axes[1].plot(x, rows[name]["values"], color=color, marker="o", markersize=5, linestyle="none")
    axes[1].plot([], [], color=_common.GREY, marker="o", linestyle="none", label="closed form")
    axes[1].set(xlabel="correlation", ylabel="nats", ylim=(0, None))
    axes[1].legend(loc="upper left", fontsize=10)
    axes[1].set_title("In two dimensions both cost the total correlation;\nin three only KL(p‖q) does")


def draw_pair(pair: dict[str, Any], curves: dict[str, Any], optima: Rows) -> Figure:
    """Draws the textbook's pair: what is drawn of it, its minima over the scale, and what they cost."""
    figure = plt.figure(figsize=(17.5, 6.6), layout="constrained")
    axes = figure.subplots(1, 3)
    own = [row for row in optima if row["target"] == "overlapping" and row["divergence"] == "reverse"]
    draw_by_hand(axes[0], _plane_targets.make_target("overlapping"), pair, own)
    draw_branches(axes[1], curves, pair)
    draw_values(axes[2], curves)
    figure.suptitle("The textbook's two Gaussians at ±(1, 1)", fontsize=18, weight="bold")
    return figure


def draw(output: Path, targets: dict[str, Any], metrics: dict[str, Any], curves: dict[str, Any]) -> list[Path]:
    """Draws every figure, and returns the files."""
    output.mkdir(parents=True, exist_ok=True)
    correlated = plt.figure(figsize=(13, 6.2), layout="constrained")
    draw_correlated(correlated.subplots(1, 2), metrics["correlated_gaussian"])
    figures = {
        "optima": draw_gallery(targets, metrics["optima"]),
        "textbook_pair": draw_pair(metrics["textbook_pair"], curves, metrics["optima"]),
        "correlated_gaussian": correlated,
    }
    paths = []
    for name, figure in figures.items():
        figure.get_layout_engine().set(w_pad=0.1, h_pad=0.1)
        paths.append(output / f"{name}.png")
        figure.savefig(paths[-1])
        plt.close(figure)
    return paths
