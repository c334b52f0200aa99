"""The figure of `mixture_kl`, made to be read at the width of a page.

Densities and descents are on the left, the basins and a table of the optima on the right. The optima of KL(q‖p) are
numbered from left to right, in a colour each; the optimum of KL(p‖q) is a diamond.
"""

from pathlib import Path
from typing import Any

if __package__:
    from experiments import _common
else:
    import _common

import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import LogNorm, to_rgb

from jaxinfo.distributions import Mixture, Normal
from jaxinfo.projections import Fit

FORWARD = "#D55E00"
# Okabe and Ito's, and more of Tol's for targets of many modes.
REVERSE = ("#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#332288", "#999933", "#882255", "#44AA99")
UNCONVERGED = "#dddddd"
FORMULAS = {"forward": "KL(p‖q)", "reverse": "KL(q‖p)"}
DASHES = (0, (4, 2))
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

Rows = list[dict[str, Any]]


def numbers_of(optima: Rows) -> list[int]:
    """Returns the number of each reverse optimum, from left to right and then from narrow to wide; 0 is forward."""
    order = sorted(
        (i for i, row in enumerate(optima) if row["divergence"] == "reverse"),
        key=lambda i: (optima[i]["mean"], optima[i]["standard_deviation"]),
    )
    return [order.index(i) + 1 if i in order else 0 for i in range(len(optima))]


def colors_of(optima: Rows) -> list[str]:
    """Returns the colour of each optimum: one for the forward ones, one for each number."""
    return [REVERSE[(number - 1) % len(REVERSE)] if number else FORWARD for number in numbers_of(optima)]


def nearest(optima: Rows, name: str, found: Fit) -> np.ndarray:
    """Returns the index in `optima` of the end of each descent, -1 where it has not converged or is none of them."""
    means, scales = np.asarray(found.optimum.loc)[..., None], np.asarray(found.optimum.scale)[..., None]
    at, wide = (np.array([row[key] for row in optima]) for key in ("mean", "standard_deviation"))
    distance = np.hypot((means - at) / wide, np.log(scales / wide))
    distance[..., [row["divergence"] != name for row in optima]] = np.inf
    best = np.argmin(distance, axis=-1)
    return np.where(np.isfinite(means[..., 0]) & (np.min(distance, axis=-1) < 0.1), best, -1)


def normal_density(x: np.ndarray, mean: float, deviation: float) -> np.ndarray:
    """Returns the density of N(mean, deviation^2)."""
    return np.exp(-0.5 * ((x - mean) / deviation) ** 2) / (deviation * np.sqrt(2 * np.pi))


def line_of(target: Mixture, optima: Rows) -> np.ndarray:
    """Returns the stretch of the real line that the densities occupy."""
    centres, widths = np.asarray(target.components.loc), np.asarray(target.components.scale)
    centres = np.concatenate([centres, [row["mean"] for row in optima]])
    widths = np.concatenate([widths, [row["standard_deviation"] for row in optima]])
    return np.linspace((centres - 2.6 * widths).min(), (centres + 2.6 * widths).max(), 1600)


def density_of(target: Mixture, x: np.ndarray) -> np.ndarray:
    """Returns the density of the target."""
    return np.exp(np.asarray(target.log_prob(jnp.asarray(x, target.mean.dtype))))


def reverse_kl(target: Mixture, mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """Returns KL(q‖p) by a plain sum, which is exact enough for lines of equal divergence."""
    z = np.linspace(-6, 6, 241)
    weights = np.exp(-0.5 * z**2) / np.exp(-0.5 * z**2).sum()
    x = jnp.asarray(mean[..., None] + deviation[..., None] * z, target.mean.dtype)
    log_p = np.asarray(target.log_prob(x), np.float64)
    return -0.5 * np.log(2 * np.pi * np.e) - np.log(deviation) - log_p @ weights


def draw_badge(axes: Axes, x: float, y: float, color: str, number: int, size: float = 14, **look: Any) -> None:
    """Draws the mark of an optimum: a diamond, or a disc with its number."""
    look = {"color": color, "mec": "white", "mew": 1.4, "ls": "none", "clip_on": False, **look}
    if not number:
        axes.plot(x, y, marker="D", ms=0.85 * size, zorder=5, **look)
        return
    axes.plot(x, y, marker="o", ms=size, zorder=6, **look)
    options = {"transform": look["transform"]} if "transform" in look else {}
    text = {"color": "white", "fontsize": 0.62 * size, "weight": "bold", "ha": "center", "va": "center_baseline"}
    axes.text(x, y, str(number), zorder=7, **text, **options)


def draw_densities(axes: Axes, target: Mixture, optima: Rows, name: str) -> None:
    """Draws the target and the Gaussian at every optimum of one direction."""
    x = line_of(target, optima)
    p = density_of(target, x)
    axes.fill_between(x, p, color="#d5d5d5", lw=0)
    if name == "forward":
        axes.text(1.0, 0.98, "p in grey", transform=axes.transAxes, ha="right", va="top", fontsize=10, color="#666666")
    peaks, placed = [p.max()], []
    looks = zip(optima, colors_of(optima), numbers_of(optima), strict=True)
    # The narrowest in front.
    shown = sorted(
        (look for look in looks if look[0]["divergence"] == name), key=lambda look: -look[0]["standard_deviation"]
    )
    for row, color, _ in shown:
        q = normal_density(x, row["mean"], row["standard_deviation"])
        peaks.append(q.max())
        axes.plot(x, q, color=color, lw=2.2, ls=DASHES if name == "forward" else "solid")
    # Marks on the peaks; one that would hide another goes above it.
    wide, high = 0.045 * (x[-1] - x[0]), 0.13 * max(peaks)
    for row, color, number in shown:
        y = normal_density(0.0, 0.0, row["standard_deviation"])
        while any(abs(row["mean"] - a) < wide and abs(y - b) < high for a, b in placed):
            y += 0.25 * high
        placed.append((row["mean"], y))
        draw_badge(axes, row["mean"], y, color, number, 12)
    top = max([*peaks, *(y for _, y in placed)])
    axes.set(xlim=(x[0], x[-1]), ylim=(0, 1.14 * top), yticks=[])
    axes.spines["left"].set_visible(False)


def _plain_log_ticks(axis: Axis) -> None:
    """Labels a logarithmic axis with plain numbers: at 1, 2 and 5, or at powers of ten where it is long."""
    low, high = axis.get_view_interval()
    subs = (1, 2, 5) if high < 200 * low else (1,)
    exponents = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    ticks = [sub * 10.0**exponent for exponent in exponents for sub in subs]
    axis.set_ticks([tick for tick in ticks if low <= tick <= high], [f"{t:g}" for t in ticks if low <= t <= high])
    axis.set_ticks([], minor=True)


def spread(levels: np.ndarray, gap: float) -> np.ndarray:
    """Returns levels, which ascend, moved as little as need be so that neighbours are `gap` apart."""
    steps = gap * np.arange(len(levels))
    free, n = levels - steps, len(levels)
    # The closest ascending sequence to `free`.
    best = [max(min(free[j : k + 1].mean() for k in range(i, n)) for j in range(i + 1)) for i in range(n)]
    return np.array(best) + steps


def draw_losses(axes: Axes, optima: Rows, descents: dict[str, Fit]) -> None:
    """Draws the divergence along each descent, in the colour of the optimum where it ends."""
    colors, values = colors_of(optima), [row["value"] for row in optima]
    # A narrow q under the forward divergence starts off any scale that shows the rest: such starts are left out.
    lowest, highest = max(0.9 * min(values), 1e-4), 12 * max(*values, 0.1)
    last = 10
    for name, found in descents.items():
        steps, history = np.asarray(found.history.num_steps), np.asarray(found.history.value)
        ends = nearest(optima, name, found)
        for lane in np.flatnonzero((ends >= 0) & (history[0] < highest)):
            style = DASHES if name == "forward" else "solid"
            axes.plot(steps, history[:, lane], color=colors[ends[lane]], lw=1.3, alpha=0.8, ls=style)
            moving = np.abs(history[:, lane] - history[-1, lane]) > 0.02 * history[-1, lane]
            last = max(last, steps[np.flatnonzero(moving)[-1]] if moving.any() else 0)
    axes.set(yscale="log", xlim=(0, min(last, 150)), ylim=(lowest, highest), xlabel="gradient step")
    levels: dict[str, str] = {}
    for row, color in zip(optima, colors, strict=True):
        levels.setdefault(f"{row['value']:.3f}", color if row["divergence"] == "forward" else _common.INK)
    texts = sorted(levels, key=float)
    at = np.log(np.maximum([float(text) for text in texts], lowest) / lowest) / np.log(highest / lowest)
    for text, height in zip(texts, spread(at, 0.1), strict=True):
        axes.text(1.015, height, text, color=levels[text], transform=axes.transAxes, va="center")
    note = "dashed: KL(p‖q), forward\nsolid: KL(q‖p), reverse"
    axes.text(0.99, 0.98, note, transform=axes.transAxes, ha="right", va="top", fontsize=10)
    _plain_log_ticks(axes.yaxis)


def draw_paths(axes: Axes, optima: Rows, descents: Fit) -> None:
    """Draws the ways that some descents of the reverse divergence take."""
    ends, colors = nearest(optima, "reverse", descents), colors_of(optima)
    ways = descents.history.distribution
    for mean, deviation, end in zip(np.asarray(ways.loc).T, np.asarray(ways.scale).T, ends, strict=True):
        if end >= 0:
            axes.plot(mean, deviation, color=colors[end], lw=1.5)
            axes.plot(mean[0], deviation[0], marker="o", ms=4, color=colors[end], clip_on=False)


def draw_basins(axes: Axes, target: Mixture, starts: Normal, found: Fit, optima: Rows) -> None:
    """Colours each start by the minimum of the reverse divergence where it ends, over lines of equal divergence."""
    means, scales = np.asarray(starts.loc), np.asarray(starts.scale)
    colors, ends = colors_of(optima), nearest(optima, "reverse", found)
    palette = np.array([to_rgb(color) for color in (*colors, UNCONVERGED)])
    axes.pcolormesh(means, scales, 0.45 * palette[ends] + 0.55, shading="nearest", rasterized=True)
    fine = np.meshgrid(np.linspace(means.min(), means.max(), 90), np.geomspace(scales.min(), scales.max(), 60))
    values = reverse_kl(target, *fine)
    least = min(row["value"] for row in optima if row["divergence"] == "reverse")
    levels = np.geomspace(max(1.02 * least, 0.01), values.max(), 14)
    axes.contour(*fine, values, levels=levels, colors="black", linewidths=0.6, alpha=0.3, norm=LogNorm())
    for row, color, number in zip(optima, colors, numbers_of(optima), strict=True):
        draw_badge(axes, row["mean"], row["standard_deviation"], color, number)
    axes.set(yscale="log", xlim=(means.min(), means.max()), ylim=(scales.min(), scales.max()))
    _plain_log_ticks(axes.yaxis)
    axes.spines[["top", "right"]].set_visible(True)


def draw_table(axes: Axes, optima: Rows) -> None:
    """Writes a line for each optimum: what it is, what it costs, and how many starts lead to it."""
    columns = ((0.09, "left", "divergence"), (0.38, "right", "nats"), (0.44, "left", "optimum"))
    columns += ((0.71, "left", "minimum"), (1.0, "right", "starts"))
    height = 1 / (len(optima) + 1)
    for x, align, title in columns:
        axes.text(x, 1 - 0.5 * height, title, ha=align, va="center", color="#666666", fontsize=10)
    lines = sorted(zip(numbers_of(optima), optima, colors_of(optima), strict=True), key=lambda line: line[0])
    for k, (number, row, color) in enumerate(lines):
        y = 1 - (k + 1.5) * height
        draw_badge(axes, 0.035, y, color, number, 12)
        mean, kind = round(row["mean"], 2) + 0.0, row["kind"]
        if kind == "minimum":
            kind = "global" if row["is_global"] else "local"
        texts = (FORMULAS[row["divergence"]], f"{row['value']:.3f}", f"N({mean:.2f}, {row['standard_deviation']:.2f}²)")
        for (x, align, _), text in zip(columns, (*texts, kind, f"{row['share_of_starts']:.0%}"), strict=True):
            axes.text(x, y, text.replace("-", "\N{MINUS SIGN}"), ha=align, va="center", fontsize=10.5)
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.axis("off")


def draw_figure(
    path: Path, target: Mixture, starts: Normal, found: Fit, optima: Rows, descents: dict[str, Fit]
) -> Path:
    """Writes the figure."""
    count = sum(row["divergence"] == "reverse" for row in optima)
    table = 0.26 * (len(optima) + 1)
    figure = plt.figure(figsize=(10, 5.6 + table), layout="constrained")
    both = figure.add_gridspec(1, 2, width_ratios=(1, 1.12))
    left, right = (
        both[0].subgridspec(3, 1, height_ratios=(1, 1.6, 1.9)),
        both[1].subgridspec(2, 1, height_ratios=(4.6, table)),
    )
    number = NUMBERS[count] if count < len(NUMBERS) else str(count)
    panels = {
        "KL(p‖q): q has p's mean and variance": left[0],
        f"KL(q‖p): {number} local {'minimum' if count == 1 else 'minima'}": left[1],
        "Nats along gradient descent": left[2],
        "Where KL(q‖p) leads, by start": right[0],
    }
    forward, reverse, losses, basins = (figure.add_subplot(place) for place in panels.values())
    draw_densities(forward, target, optima, "forward")
    draw_densities(reverse, target, optima, "reverse")
    forward.tick_params(labelbottom=False)
    draw_losses(losses, optima, descents)
    draw_basins(basins, target, starts, found, optima)
    draw_paths(basins, optima, descents["reverse"])
    basins.set(xlabel="mean of the start", ylabel="standard deviation of the start")
    draw_table(figure.add_subplot(right[1]), optima)
    for axes, title in zip((forward, reverse, losses, basins), panels, strict=True):
        axes.set_title(title, fontsize=12.5)
    ends = "depends on the start" if count > 1 else "has one optimum too"
    figure.suptitle(f"One Gaussian q for a mixture p: KL(p‖q) covers, KL(q‖p) {ends}", fontsize=15.5, weight="bold")
    figure.get_layout_engine().set(w_pad=0.08, h_pad=0.06)
    figure.savefig(path, dpi=170)
    plt.close(figure)
    return path
