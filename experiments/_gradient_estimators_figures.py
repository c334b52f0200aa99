"""The figure of `gradient_estimators`."""

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

Rows = list[dict[str, Any]]

BLUE, RED, GREEN, PINK, ORANGE, SKY, _ = _common.COLORS
LOOKS = {
    "score function": (RED, "s"),
    "reparameterised": (BLUE, "o"),
    "reparameterised, control variate": (SKY, "D"),
    "sticking the landing": (GREEN, "v"),
    "doubly reparameterised": (GREEN, "v"),
    "draws of the target": (BLUE, "o"),
    "draws of the target, control variate": (SKY, "D"),
    "self-normalised importance": (PINK, "^"),
    "draws of both": (ORANGE, "P"),
}


def _look(name: str, **more: Any) -> dict[str, Any]:
    color, marker = LOOKS[name]
    return {"color": color, "marker": marker, "markersize": 6, "linewidth": 2, **more}


def _names(rows: Rows) -> list[str]:
    return list(dict.fromkeys(row["estimator"] for row in rows))


def draw_samples(axes: Axes, rows: Rows, directions: dict[str, Any], title: str) -> None:
    """Draws how many draws give one digit, against the dimension, where the approximation is farthest off."""
    chosen = [row for row in rows if row["target"] == "normal" and row["direction"] in directions]
    farthest = max(row["distance"] for row in chosen)
    for direction, style in directions.items():
        own = [row for row in chosen if row["direction"] == direction and row["distance"] == farthest]
        for name in _names(own):
            of_name = [row for row in own if row["estimator"] == name]
            x, y = ([row[key] for row in of_name] for key in ("dimension", "draws_for_one_digit"))
            axes.plot(x, y, **_look(name, linestyle=style), label=name if style == "-" else None)
    axes.set(xscale="log", yscale="log", xlabel="dimension", ylabel="draws for one digit of the gradient")
    ticks = sorted({row["dimension"] for row in chosen})
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set_title(title)
    handles, labels = axes.get_legend_handles_labels()
    if len(directions) > 1:
        for direction, style in directions.items():
            handles.append(Line2D([], [], color=_common.GREY, linestyle=style, linewidth=2))
            labels.append(direction)
    axes.legend(handles, labels, loc="upper left")
    low, high = axes.get_ylim()
    # Room for the legend above the lines.
    axes.set_ylim(low, high * (high / low) ** (0.09 * len(labels)))


def draw_distances(axes: Axes, rows: Rows, title: str) -> None:
    """Draws the variance of one draw against the distance from the optimum, on axes that have room for 0."""
    least = min(row["distance"] for row in rows if row["distance"])
    nothing = 1e-7 * max(row["variance_of_one_draw"] for row in rows)
    for name in _names(rows):
        of_name = sorted((row for row in rows if row["estimator"] == name), key=lambda row: row["distance"])
        x = np.array([row["distance"] or 0.3 * least for row in of_name])
        y = np.array([max(row["variance_of_one_draw"], nothing) for row in of_name])
        hollow = _look(name, linestyle="none", markersize=9, markerfacecolor="white", markeredgewidth=2)
        axes.plot(x, y, **_look(name), label=name)
        axes.plot(x[y == nothing], y[y == nothing], **hollow)
    axes.set(xscale="log", yscale="log", xlabel="distance from the optimum", ylabel="variance of one draw")
    distances = sorted({row["distance"] for row in rows})
    axes.set_xticks([d or 0.3 * least for d in distances], [f"{d:g}" for d in distances])
    axes.minorticks_off()
    vanishes = any(row["variance_of_one_draw"] <= nothing for row in rows)
    if vanishes:
        axes.axhline(nothing, color=_common.GREY, linewidth=1, linestyle=":")
        axes.annotate("no variance", (1, nothing), xycoords=("axes fraction", "data"), xytext=(0, 4),
                      textcoords="offset points", ha="right", color=_common.GREY)  # fmt: skip
    axes.set_title(title)
    # Where the variance vanishes the lines leave the lower right free, otherwise the upper left.
    axes.legend(**({"loc": "lower right", "bbox_to_anchor": (1, 0.06)} if vanishes else {"loc": "upper left"}))


def draw_scores(axes: Axes, scores: list[tuple[str, str, np.ndarray]], num_draws: int) -> None:
    """Draws the bias of every coordinate, at every distance and in every dimension, in its standard errors."""
    keys = list(dict.fromkeys((direction, name) for direction, name, _ in scores))
    for height, key in enumerate(reversed(keys)):
        z = np.concatenate([those.ravel() for direction, name, those in scores if (direction, name) == key])
        z = z[z != 0]  # without any variance there is no standard error
        # Golden steps spread the points evenly over the strip.
        shift = 0.6 * ((np.arange(z.size) * 0.618034) % 1 - 0.5)
        axes.plot(z, height + shift, ".", color=LOOKS[key[1]][0], markersize=2.5, alpha=0.5, rasterized=True)
    axes.axvspan(-4, 4, color="#eeeeee", zorder=0)
    labels = [f"{direction}: {name}" for direction, name in reversed(keys)]
    axes.set_yticks(range(len(keys)), labels, fontsize=9)
    axes.set_xscale("symlog", linthresh=4)
    axes.set_xticks([-30, -10, -4, 0, 4, 10, 30], ["-30", "-10", "-4", "0", "4", "10", "30"])
    axes.minorticks_off()
    axes.set(xlabel=f"bias of {num_draws} draws, in standard errors", ylim=(-0.6, len(keys) - 0.4))
    axes.set_title("Bias: unbiased ones stay within 4")


def draw(path: Path, rows: Rows, scores: list[tuple[str, str, np.ndarray]], num_draws: int) -> Path:
    """Draws draws against the dimension above, variances against the distance and biases below."""
    figure = plt.figure(figsize=(18, 11.5), layout="constrained")
    (upper,), (lower,) = figure.subfigures(2, 1, squeeze=False, hspace=0.03)
    # Apart, so that the long labels of the last one take no room above.
    axes = np.stack([upper.subplots(1, 3), lower.subplots(1, 3, width_ratios=(1.25, 1.25, 1))])
    draw_samples(axes[0, 0], rows, {"reverse KL": "-"}, "Reverse KL(q‖p)")
    draw_samples(axes[0, 1], rows, {"forward KL": "-"}, "Forward KL(p‖q)")
    draw_samples(axes[0, 2], rows, {"alpha": "-", "Rényi": "--"}, "Alpha and Rényi divergence")
    reverse = [row for row in rows if row["direction"] == "reverse KL"]
    dimensions = sorted({row["dimension"] for row in reverse})
    dimension = dimensions[len(dimensions) // 2]
    normal = [row for row in reverse if row["target"] == "normal" and row["dimension"] == dimension]
    draw_distances(axes[1, 0], normal, f"A Gaussian target, reverse KL, {dimension} dimensions")
    mixture = [row for row in reverse if row["target"] == "mixture"]
    if mixture:
        draw_distances(axes[1, 1], mixture, "A target that q cannot be: a mixture, reverse KL")
    else:
        axes[1, 1].set_axis_off()
    draw_scores(axes[1, 2], scores, num_draws)
    figure.suptitle("How many draws the gradient of a divergence takes", fontsize=18)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    plt.close(figure)
    return path
