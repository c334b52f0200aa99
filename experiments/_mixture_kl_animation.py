"""The animation of `mixture_kl`: Gaussians on their way down, as densities and in the plane of mean and scale."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

if __package__:
    from experiments import _mixture_kl_figures as _figures
else:
    import _mixture_kl_figures as _figures

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from jaxinfo.distributions import Mixture, Normal
from jaxinfo.projections import Fit


def draw_descent(
    path: Path,
    target: Mixture,
    starts: Normal,
    found: Fit,
    optima: _figures.Rows,
    descents: dict[str, Fit],
    num_frames: int = 40,
) -> Path:
    """Writes the animation: the Gaussians on their way, and the same ways in the plane of mean and scale."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.6, 4), dpi=80, layout="constrained")
    x = _figures.line_of(target, optima)
    p = _figures.density_of(target, x)
    left.fill_between(x, p, color="#d9d9d9", lw=0)
    left.set(xlim=(x[0], x[-1]), ylim=(0, 2.2 * p.max()), xlabel="x", ylabel="density")
    _figures.draw_basins(right, target, starts, found, optima)
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
            curve.set_data(x, _figures.normal_density(x, means[frame], scales[frame]))
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


def _moves(optima: _figures.Rows, descents: dict[str, Fit]) -> list[tuple[np.ndarray, np.ndarray, str, Any]]:
    """Returns means, scales, colour and line style of the descents that are shown: some starts of middling scale."""
    moves, colors = [], _figures.colors_of(optima)
    for name, style in (("reverse", "solid"), ("forward", _figures.DASHES)):
        found = descents[name]
        means, scales = (
            np.asarray(leaf) for leaf in (found.history.distribution.loc, found.history.distribution.scale)
        )
        ends = _figures.nearest(optima, name, found)
        lanes = [lane for lane in range(means.shape[1]) if ends[lane] >= 0]
        shown = lanes[::2] if name == "reverse" else lanes[1:2]
        moves += [(means[:, lane], scales[:, lane], colors[ends[lane]], style) for lane in shown]
    return moves
