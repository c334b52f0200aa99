"""The figure of `classification`."""

from pathlib import Path
from typing import Any

if __package__:
    from experiments import _common
else:
    import _common

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

BLUE, RED, GREEN, PINK = _common.COLORS[:4]
Rows = list[dict[str, Any]]


def draw_floor(axes: Axes, titanic: dict[str, Any]) -> None:
    """Draws the cross-entropy of models of the Titanic as the entropy that remains and a divergence."""
    known, ends = titanic["entropies"], {row["model"]: row["minimum"] for row in titanic["rows"]}
    floor = known["given_both"]
    losses = {
        "nothing": known["survived"],
        "class": known["survived"] - known["about_class"],
        "sex": known["survived"] - known["about_sex"],
        "sex + class\n(additive)": ends["additive"],
        "sex * class\n(saturated)": ends["saturated"],
    }
    place = np.arange(len(losses))
    excess = np.array(list(losses.values())) - floor
    axes.bar(place, np.full(len(place), floor), color="#c9d3dc", label="H(survived | sex, class)")
    axes.bar(place, excess, bottom=floor, color=BLUE, label="D(table‖model)")
    for x, value in zip(place, losses.values(), strict=True):
        axes.annotate(f"{value:.4f}", (x, value + 0.008), ha="center", fontsize=10.5)
    axes.axhline(floor, color=_common.INK, linewidth=1, linestyle=":")
    axes.set_xticks(place, list(losses), fontsize=10)
    axes.set(ylim=(0, 0.82), xlabel="what the model knows", ylabel="cross-entropy, nats per passenger")
    axes.set_title("Titanic: likelihood is entropy plus divergence")
    axes.legend(loc="upper right")


def draw_steps(axes: Axes, titanic: dict[str, Any]) -> None:
    """Draws Newton's method on each criterion: what is left above the minimum, and how far the three are apart."""
    looks = {"cross-entropy": ("o", 11), "likelihood": ("s", 7), "divergence": ("x", 6)}
    colors = {"saturated": BLUE, "additive": RED}
    for row in titanic["rows"]:
        own = ("cross-entropy", "likelihood", "divergence").index(row["criterion"])
        values = np.array(row["values"])
        left = np.maximum(values[:, own] - row["minimum"], 0)
        steps = np.flatnonzero(left > 1e-15)
        marker, size = looks[row["criterion"]]
        style = {"color": colors[row["model"]], "linewidth": 1.2, "fillstyle": "none"}
        axes.plot(steps, left[steps], marker=marker, markersize=size, **style)
        apart = np.maximum(np.ptp(values, axis=1), 2e-17)
        axes.plot(np.arange(len(apart)), apart, ".", color=colors[row["model"]], markersize=5, alpha=0.6)
    for model, color in colors.items():
        axes.plot([], [], color=color, label=f"{model} model")
    for name, (marker, size) in looks.items():
        axes.plot([], [], marker, color=_common.GREY, fillstyle="none", markersize=size, label=f"minimised: {name}")
    text = "largest difference of the three, at each step (0 at the bottom)"
    axes.annotate(text, (-0.1, 3e-15), color=_common.INK, fontsize=10)
    axes.axhline(1e-12, color=_common.GREY, linewidth=1, linestyle=":")
    axes.set_yscale("log")
    axes.set(xlabel="step of Newton's method", ylabel="nats above the minimum", ylim=(8e-18, 5))
    axes.set_title("Three criteria, one descent")
    axes.legend(loc="upper right", fontsize=9.5)


def draw_losses(axes: Axes, rows: Rows) -> None:
    """Draws the training loss over epochs, and the entropy of the labels that it comes down to."""
    colors = plt.get_cmap("viridis")(np.linspace(0.1, 0.85, len(rows)))
    for row, color in zip(rows, colors, strict=True):
        history = np.array(row["loss_by_epoch"])
        epochs = np.arange(1, history.shape[1] + 1)
        axes.plot(epochs, history.mean(axis=0), color=color, linewidth=2, label=f"{row['smoothing']:g}")
        axes.axhline(row["entropy_of_labels"], color=color, linewidth=1.2, linestyle="--")
    axes.plot([], [], color=_common.GREY, linestyle="--", label="H(labels)")
    axes.set_xscale("log")
    ticks = [tick for tick in (1, 2, 5, 10, 20, 60, 120) if tick <= epochs[-1]]
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set(xlabel="epoch", ylabel="training loss, nats per digit", ylim=(-0.05, 2.35))
    axes.set_title("Digits: smoothed labels have a floor")
    axes.legend(title="smoothing", loc="upper right", ncols=3)


def draw_reliability(axes: Axes, row: dict[str, Any]) -> None:
    """Draws the reliability diagram of one share, before and after temperature scaling."""
    axes.plot([0, 1], [0, 1], color=_common.GREY, linewidth=1)
    for when, color, marker, label in (("before", RED, "o", "as trained"), ("after", GREEN, "s", "at temperature T")):
        bins = row[when]["bins"]
        error = row[when]["calibration"]["error"]
        confidence, frequency = (np.array(bins[name], float) for name in ("confidence", "frequency"))
        axes.plot(confidence, frequency, marker=marker, color=color, linewidth=1.4, label=f"{label}: error {error:.3f}")
        axes.fill_between(confidence, confidence, frequency, color=color, alpha=0.15, linewidth=0)
    axes.set(xlabel="confidence", ylabel="share that is right", xlim=(0.25, 1.01), ylim=(0.25, 1.03))
    axes.set_title(f"Smoothing {row['smoothing']:g}, accuracy {row['mean_test_accuracy']:.3f}")
    axes.legend(loc="lower right")


def draw_errors(axes: Axes, rows: Rows) -> None:
    """Draws the calibration error over the share of smoothing, with the temperatures that undo it."""
    shares = [row["smoothing"] for row in rows]
    for when, color, marker, label in (("before", RED, "o", "as trained"), ("after", GREEN, "s", "at temperature T")):
        errors = [row[when]["calibration"]["error"] for row in rows]
        axes.plot(shares, errors, color=color, marker=marker, linewidth=2, label=label)
    for row in rows:
        above = row["before"]["calibration"]["error"]
        place = {"xytext": (-9, 4), "textcoords": "offset points", "ha": "right"}
        axes.annotate(f"T = {row['temperature']:.2f}", (row["smoothing"], above), fontsize=10, **place)
    axes.set(xlabel="share of smoothing", ylabel="expected calibration error")
    axes.set_ylim(-0.01, 1.15 * max(row["before"]["calibration"]["error"] for row in rows) + 0.03)
    axes.set_xlim(min(shares) - 0.075, max(shares) + 0.02)
    axes.set_title("Spoiled by smoothing, restored by T")
    axes.legend(loc="upper left")


def draw(path: Path, metrics: dict[str, Any]) -> Path:
    """Draws the Titanic and the loss above, and calibration below."""
    rows = metrics["digits"]["rows"]
    figure, axes = plt.subplots(2, 3, figsize=(18, 10.5), layout="constrained")
    draw_floor(axes[0, 0], metrics["titanic"])
    draw_steps(axes[0, 1], metrics["titanic"])
    draw_losses(axes[0, 2], rows)
    smoothed = min(rows, key=lambda row: abs(row["smoothing"] - 0.2))
    draw_reliability(axes[1, 0], rows[0])
    draw_reliability(axes[1, 1], smoothed)
    draw_errors(axes[1, 2], rows)
    figure.suptitle("Cross-entropy is maximum likelihood, and what label smoothing adds", fontsize=18)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    plt.close(figure)
    return path
