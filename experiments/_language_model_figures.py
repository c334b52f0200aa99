"""The figure of `language_model.py`: bits per character of everyone, and of every character of a passage."""

from pathlib import Path
from typing import Any

if __package__:
    from experiments import _common
else:
    import _common

import matplotlib.pyplot as plt
import numpy as np

LINES, WIDTH = 7, 80


def draw(directory: Path, found: dict[str, Any], text: bytes, by_counts: np.ndarray, by_model: np.ndarray) -> Path:
    """Draws the bits by length of context, those of all methods, other splits, and a passage under two models."""
    figure = plt.figure(figsize=(16, 11), layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=(1.25, 1), hspace=0.02)
    left, middle, right = top.subplots(1, 3, width_ratios=(1, 1.15, 0.9))
    _orders(left, found)
    _methods(middle, found)
    _splits(right, found)
    _passage(bottom, text, by_counts, by_model)
    path = directory / "language_model.png"
    figure.savefig(path)
    plt.close(figure)
    return path


def _of(found: dict[str, Any], name: str) -> float:
    return next(row["bits_per_character"] for row in found["methods"] if row["method"] == name and row["given"])


def _orders(axis: Any, found: dict[str, Any]) -> None:
    orders = np.arange(len(found["ngrams_by_order"]))
    axis.plot(orders, found["ngrams_by_order"], "o-", color=_common.COLORS[0], lw=2, label="smoothed, held-out text")
    axis.plot(
        orders,
        found["plug_in_by_order"],
        "s--",
        color=_common.COLORS[1],
        lw=1.6,
        ms=4,
        label="counts as they are, own text",
    )
    axis.axhline(_of(found, "transformer"), color=_common.COLORS[2], lw=1.6, label="transformer, held-out text")
    axis.set(
        title="What a longer context tells", xlabel="bytes of context", ylabel="bits per character", ylim=(0, None)
    )
    axis.legend()


def _methods(axis: Any, found: dict[str, Any]) -> None:
    rows = found["methods"][::-1]
    colors = [
        _common.GREY
        if not row["given"]
        else _common.COLORS[4]
        if row["method"] in ("zlib", "bz2", "lzma")
        else _common.COLORS[0]
        for row in rows
    ]
    values = [row["bits_per_character"] for row in rows]
    axis.barh(range(len(rows)), values, color=colors, height=0.72)
    axis.set_yticks(range(len(rows)), [_label(row) for row in rows])
    for i, value in enumerate(values):
        axis.text(value, i, f" {value:.2f}", va="center")
    axis.set_xlim(0, 1.12 * max(values))
    axis.set(title="Who needs how much", xlabel="bits per character of the held-out text")


def _label(row: dict[str, Any]) -> str:
    name = row["method"].replace("n-grams and transformer, averaged", "n-grams and\ntransformer")
    if row["method"] not in ("zlib", "bz2", "lzma"):
        return name
    return f"{name}, given\nthe other topics" if row["given"] else f"{name} alone"


def _splits(axis: Any, found: dict[str, Any]) -> None:
    """Other topics held out: one line for each method, a point for each split."""
    rows = sorted(found["splits"], key=lambda row: row["copied_share"])
    share = 100 * np.array([row["copied_share"] for row in rows])
    for name, color, marker in (
        ("lzma", _common.COLORS[4], "s"),
        ("bz2", _common.COLORS[1], "^"),
        ("n-grams", _common.COLORS[0], "o"),
    ):
        given = "" if name == "n-grams" else ", given the other topics"
        axis.plot(share, [row[name] for row in rows], marker, color=color, ms=7, label=name + given)
    axis.set(title="Who wins hangs on what is copied", xlabel="percent of the held-out text that is a copy")
    axis.set(ylabel="bits per character", ylim=(0, 1.35 * max(max(row["lzma"], row["n-grams"]) for row in rows)))
    axis.legend()


def _passage(figure: Any, text: bytes, by_counts: np.ndarray, by_model: np.ndarray) -> None:
    """The same lines under both models, each character on the colour of its bits; those of several bytes add up."""
    lines, begin = _lines(text)
    shade, image = plt.get_cmap("YlOrRd"), None
    for axis, bits, title in zip(
        figure.subplots(1, 2),
        (by_counts, by_model),
        ("Bits of each character: n-grams", "Bits of each character: transformer"),
        strict=True,
    ):
        grid, at, shown = np.full((LINES, WIDTH), np.nan), begin, 0.0
        for i, line in enumerate(lines):
            for j, character in enumerate(line[:WIDTH]):
                size = len(character.encode())
                grid[i, j] = bits[at : at + size].sum()
                shown += grid[i, j]
                at += size
                axis.text(
                    j,
                    i,
                    character,
                    ha="center",
                    va="center",
                    family="DejaVu Sans Mono",
                    fontsize=7.6,
                    color="white" if grid[i, j] > 6.5 else _common.INK,
                )
            at += 1 + len(line[WIDTH:].encode())
        image = axis.imshow(grid, cmap=shade, vmin=0, vmax=10, aspect="auto")
        axis.set_title(f"{title}, {shown / np.isfinite(grid).sum():.2f} on average")
        axis.set_axis_off()
    figure.colorbar(image, ax=figure.axes, label="bits", shrink=0.9, pad=0.01)


def _lines(text: bytes) -> tuple[list[str], int]:
    """Some lines of prose from the middle of the text, and the byte at which they begin."""
    lines = text.decode().split("\n")
    prose = [len(line) > 55 and sum(c.isalpha() or c in " ,." for c in line) > 0.9 * len(line) for line in lines]
    full = [sum(prose[i : i + LINES]) for i in range(len(lines) - LINES + 1)]
    first = max(range(len(full)), key=lambda i: (full[i], -abs(i - len(lines) // 2)))
    begin = len("\n".join(lines[:first]).encode()) + (1 if first else 0)
    return lines[first : first + LINES], begin
