"""The figure and the animation of `mixture_kl`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

if __package__:
    from experiments import _common
else:
    import _common

import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LogNorm, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter
from PIL import Image

from jaxinfo import densities
from jaxinfo.distributions import Mixture, Normal
from jaxinfo.projections import Fit

FORWARD = "#D55E00"
REVERSE = ("#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442")
UNCONVERGED = "#dddddd"

Rows = list[dict[str, Any]]


def colors_of(optima: Rows) -> list[str]:
    """Returns the colour of each optimum: one for the forward ones, one for each reverse one, from left to right."""
    reverse = sorted(
        (i for i, row in enumerate(optima) if row["divergence"] == "reverse"), key=lambda i: optima[i]["mean"]
    )
    return [
        FORWARD if row["divergence"] == "forward" else REVERSE[reverse.index(i) % len(REVERSE)]
        for i, row in enumerate(optima)
    ]


def nearest(optima: Rows, name: str, found: Fit) -> np.ndarray:
    """Returns the index in `optima` of the end of each descent, -1 where it has not converged or is none of them."""
    means, scales = np.asarray(found.optimum.loc)[..., None], np.asarray(found.optimum.scale)[..., None]
    at, wide = (np.array([row[key] for row in optima]) for key in ("mean", "standard_deviation"))
    distance = np.hypot((means - at) / wide, np.log(scales / wide))
    distance[..., [row["divergence"] != name for row in optima]] = np.inf
    best = np.argmin(distance, axis=-1)
    return np.where(np.isfinite(means[..., 0]) & (np.min(distance, axis=-1) < 0.1), best, -1)


def _curve(x: np.ndarray, mean: float, deviation: float) -> np.ndarray:
    return np.exp(-0.5 * ((x - mean) / deviation) ** 2) / (deviation * np.sqrt(2 * np.pi))


def _line(target: Mixture, optima: Rows) -> np.ndarray:
    """Returns the stretch of the real line that the densities occupy."""
    centres, widths = np.asarray(target.components.loc), np.asarray(target.components.scale)
    centres = np.concatenate([centres, [row["mean"] for row in optima]])
    widths = np.concatenate([widths, [row["standard_deviation"] for row in optima]])
    return np.linspace((centres - 2.6 * widths).min(), (centres + 2.6 * widths).max(), 1200)


def _label(row: dict[str, Any]) -> str:
    kind = "global minimum" if row["is_global"] else f"local {row['kind']}" if row["kind"] == "minimum" else row["kind"]
    formula = "KL(p‖q)" if row["divergence"] == "forward" else "KL(q‖p)"
    return f"{formula} = {row['value']:.3f} nat, {kind}"


def draw_densities(axes: Axes, target: Mixture, optima: Rows) -> None:
    """Draws the target and the Gaussian at every optimum."""
    x = _line(target, optima)
    p = np.exp(np.asarray(target.log_prob(jnp.asarray(x, target.mean.dtype))))
    axes.fill_between(x, p, color="#d9d9d9", lw=0, label="target p")
    top = p.max()
    for row, color in zip(optima, colors_of(optima), strict=True):
        q = _curve(x, row["mean"], row["standard_deviation"])
        top = max(top, q.max())
        style = (0, (5, 2)) if row["divergence"] == "forward" else "solid"
        axes.plot(x, q, color=color, lw=2.4, ls=style, label=_label(row))
    axes.set(xlim=(x[0], x[-1]), ylim=(0, 1.05 * top), xlabel="x", ylabel="density")
    axes.set_title("A Gaussian q fitted to a mixture p")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=2, handlelength=2.2, columnspacing=1.6)


def _plain_log_ticks(axis: Axis) -> None:
    """Labels a short logarithmic axis with plain numbers at 1, 2 and 5."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_minor_formatter(NullFormatter())


def draw_losses(axes: Axes, optima: Rows, descents: dict[str, Fit]) -> None:
    """Draws the divergence along each descent, in the colour of the optimum where it ends."""
    colors = colors_of(optima)
    # A narrow q under the forward divergence starts off any scale that shows the rest: such starts are left out.
    highest = 12 * max(row["value"] for row in optima)
    lowest = 0.9 * min(row["value"] for row in optima)
    last = 10
    for name, found in descents.items():
        steps, values = np.asarray(found.history.num_steps), np.asarray(found.history.value)
        ends = nearest(optima, name, found)
        for lane in np.flatnonzero((ends >= 0) & (values[0] < highest)):
            style = (0, (5, 2)) if name == "forward" else "solid"
            axes.plot(steps, values[:, lane], color=colors[ends[lane]], lw=1.4, alpha=0.8, ls=style)
            moving = np.abs(values[:, lane] - values[-1, lane]) > 0.02 * values[-1, lane]
            last = max(last, steps[np.flatnonzero(moving)[-1]] if moving.any() else 0)
    levels: dict[str, str] = {}
    for row, color in zip(optima, colors, strict=True):
        levels.setdefault(f"{row['value']:.3f}", color if row["divergence"] == "forward" else _common.INK)
    for text, color in levels.items():
        axes.annotate(
            text,
            (1, float(text)),
            xycoords=("axes fraction", "data"),
            xytext=(5, 0),
            color=color,
            textcoords="offset points",
            va="top" if color == FORWARD else "bottom",
            annotation_clip=False,
        )
    axes.set(yscale="log", xlim=(0, min(last, 200)), ylim=(lowest, highest))
    axes.set(xlabel="gradient step", ylabel="divergence [nat]")
    _plain_log_ticks(axes.yaxis)
    axes.set_title("The descent, from a range of starts")
    handles = [Line2D([], [], color=FORWARD, lw=2, ls=(0, (5, 2))), Line2D([], [], color=_common.INK, lw=2)]
    labels = ["KL(p‖q), forward", "KL(q‖p), reverse, coloured by where it ends"]
    axes.legend(handles, labels, loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=2, columnspacing=1.6)


def draw_basins(axes: Axes, target: Mixture, starts: Normal, found: Fit, optima: Rows) -> None:
    """Colours each start by the minimum of the reverse divergence where it ends, over lines of equal divergence."""
    means, scales = np.asarray(starts.loc), np.asarray(starts.scale)
    colors, ends = colors_of(optima), nearest(optima, "reverse", found)
    palette = np.array([to_rgb(color) for color in (*colors, UNCONVERGED)])
    tint = 0.45 * palette[ends] + 0.55
    axes.pcolormesh(means, scales, tint, shading="gouraud" if means.size < 4 else "nearest", rasterized=True)
    fine = np.meshgrid(np.linspace(means.min(), means.max(), 90), np.geomspace(scales.min(), scales.max(), 60))
    loc, scale = (jnp.asarray(axis, target.mean.dtype) for axis in fine)
    values = np.asarray(densities.kl_divergence(Normal(loc, scale), target).value)
    levels = np.geomspace(
        min(row["value"] for row in optima if row["divergence"] == "reverse") * 1.02, values.max(), 14
    )
    axes.contour(*fine, values, levels=levels, colors="black", linewidths=0.6, alpha=0.35, norm=LogNorm())
    for row, color in zip(optima, colors, strict=True):
        forward = row["divergence"] == "forward"
        axes.plot(
            row["mean"],
            row["standard_deviation"],
            marker="D" if forward else "o",
            ms=9 if forward else 11,
            color=color,
            mec="white",
            mew=1.8,
            ls="none",
            clip_on=False,
            zorder=5,
        )
    axes.set(yscale="log", xlim=(means.min(), means.max()), ylim=(scales.min(), scales.max()))
    axes.set(xlabel="mean of the start", ylabel="standard deviation of the start")
    _plain_log_ticks(axes.yaxis)
    axes.set_title("Where KL(q‖p) leads, by start")
    axes.spines[["top", "right"]].set_visible(True)


def _basin_legend(axes: Axes, optima: Rows, found: Fit) -> None:
    entries = []
    for row, color in zip(optima, colors_of(optima), strict=True):
        forward = row["divergence"] == "forward"
        mean, deviation = round(row["mean"], 2) + 0.0, row["standard_deviation"]
        reached = f"q = N({mean:.2f}, {deviation:.2f}²): {row['share_of_starts']:.0%} of starts"
        share = f"optimum of KL(p‖q): {row['share_of_starts']:.0%} of starts"
        text = share if forward else reached
        marker = Line2D([], [], color=color, marker="D" if forward else "o", ms=9, mec="white", mew=1.5, ls="none")
        entries.append((marker, text))
    if (nearest(optima, "reverse", found) < 0).any():
        entries.append((Line2D([], [], color=UNCONVERGED, marker="s", ms=10, ls="none"), "not converged"))
    axes.legend(
        *zip(*entries, strict=True), loc="upper center", bbox_to_anchor=(0.5, -0.09), ncols=2, columnspacing=1.6
    )


def draw_figure(
    path: Path, target: Mixture, starts: Normal, found: Fit, optima: Rows, descents: dict[str, Fit]
) -> Path:
    """Writes the figure: densities and fits, loss curves, and the basins of the reverse divergence."""
    figure = plt.figure(figsize=(15, 9.2), layout="constrained")
    grid = figure.add_gridspec(2, 2, width_ratios=(1, 1.08))
    draw_densities(figure.add_subplot(grid[0, 0]), target, optima)
    draw_losses(figure.add_subplot(grid[1, 0]), optima, descents)
    basins = figure.add_subplot(grid[:, 1])
    draw_basins(basins, target, starts, found, optima)
    _basin_legend(basins, optima, found)
    figure.suptitle(
        "One Gaussian, two divergences: KL(p‖q) covers, KL(q‖p) depends on where you start", fontsize=18, weight="bold"
    )
    figure.get_layout_engine().set(w_pad=0.14, h_pad=0.12)
    figure.savefig(path)
    plt.close(figure)
    return path


def draw_descent(
    path: Path,
    target: Mixture,
    starts: Normal,
    found: Fit,
    optima: Rows,
    descents: dict[str, Fit],
    num_frames: int = 40,
) -> Path:
    """Writes the animation: the Gaussians on their way, and the same ways in the plane of mean and scale."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.6, 4), dpi=80, layout="constrained")
    x = _line(target, optima)
    p = np.exp(np.asarray(target.log_prob(jnp.asarray(x, target.mean.dtype))))
    left.fill_between(x, p, color="#d9d9d9", lw=0)
    left.set(xlim=(x[0], x[-1]), ylim=(0, 2.2 * p.max()), xlabel="x", ylabel="density")
    draw_basins(right, target, starts, found, optima)
    right.set(xlabel="mean of q", ylabel="standard deviation of q")
    moves = _moves(optima, descents)
    steps = np.asarray(descents["reverse"].history.num_steps)
    # Descents are fast at first: frames are spaced evenly in the square root of the step.
    last = min(len(steps) - 1, 1 + np.searchsorted(steps, 160))
    frames = np.unique((np.linspace(0, 1, num_frames) ** 2 * last).astype(int))
    title = left.set_title(" ", animated=True)
    curves = [left.plot([], [], color=color, lw=1.4, ls=style, animated=True)[0] for _, _, color, style in moves]
    trails = [right.plot([], [], color=color, lw=1.2, ls=style, animated=True)[0] for _, _, color, style in moves]
    dots = [right.plot([], [], "o", color=color, ms=5, mec="white", animated=True)[0] for _, _, color, _ in moves]

    def update(frame: int) -> None:
        title.set_text(f"step {steps[frame]}")
        for (means, scales, _, _), curve, trail, dot in zip(moves, curves, trails, dots, strict=True):
            curve.set_data(x, _curve(x, means[frame], scales[frame]))
            trail.set_data(means[: frame + 1], scales[: frame + 1])
            dot.set_data(means[frame : frame + 1], scales[frame : frame + 1])

    _write_gif(path, figure, frames, update, [title, *curves, *trails, *dots])
    plt.close(figure)
    return path


def _write_gif(
    path: Path, figure: Figure, frames: np.ndarray, update: Callable[[int], None], moving: list[Artist]
) -> None:
    """Draws what stands still once and what moves for every frame, and lingers on the last."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    background = canvas.copy_from_bbox(figure.bbox)
    images = []
    for frame in frames:
        canvas.restore_region(background)
        update(frame)
        for artist in moving:
            artist.axes.draw_artist(artist)
        images.append(Image.fromarray(np.asarray(canvas.buffer_rgba()).copy()).convert("RGB"))
    # One palette for all frames, and no dithering: then only what moves changes from frame to frame.
    palette = images[-1].quantize(96)
    images = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
    durations = [80] * (len(images) - 1) + [1500]
    images[0].save(path, save_all=True, append_images=images[1:], duration=durations, loop=0, optimize=True)


def _moves(optima: Rows, descents: dict[str, Fit]) -> list[tuple[np.ndarray, np.ndarray, str, Any]]:
    """Returns means, scales, colour and line style of the descents that are shown: some starts of middling scale."""
    moves, colors = [], colors_of(optima)
    for name, style in (("reverse", "solid"), ("forward", (0, (4, 2)))):
        found = descents[name]
        means, scales = (
            np.asarray(leaf) for leaf in (found.history.distribution.loc, found.history.distribution.scale)
        )
        ends = nearest(optima, name, found)
        lanes = [lane for lane in range(means.shape[1]) if ends[lane] >= 0]
        shown = lanes[::2] if name == "reverse" else lanes[1:2]
        moves += [(means[:, lane], scales[:, lane], colors[ends[lane]], style) for lane in shown]
    return moves
