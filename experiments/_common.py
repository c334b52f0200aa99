"""What every experiment shares. Imported before JAX is: it sets what XLA and OpenBLAS read once."""

import os

# On CPUs with few cores some compiled loops were seen to freeze without this flag.
_FLAG = "--xla_cpu_enable_concurrency_optimized_scheduler=false"
if _FLAG not in os.environ.get("XLA_FLAGS", "").split():
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {_FLAG}".strip()

# XLA's solvers are OpenBLAS's. Its threads wait for each other in loops: of many small solves, on cores that are taken,
# a tenth of a second became a quarter of a minute.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import dataclasses
import importlib.metadata
import json
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import matplotlib as mpl

# Figures go to files: no display is needed, and none is looked for.
mpl.use("agg")

# Okabe and Ito's palette, told apart under every common kind of colour blindness.
INK, GREY = "#222222", "#8a8a8a"
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442")
STYLE = {
    "axes.axisbelow": True,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.labelsize": 12,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 13,
    "axes.titleweight": "bold",
    "figure.facecolor": "white",
    "font.size": 11,
    "legend.fontsize": 10.5,
    "legend.frameon": False,
    "savefig.dpi": 150,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


def figure_style() -> Any:
    """Returns a context in which figures look alike."""
    return mpl.rc_context(STYLE)


def timed(function: Callable[[], Any]) -> tuple[Any, float]:
    """Returns what `function()` returns, once it has been computed, and the seconds that took."""
    begin = time.perf_counter()
    result = jax.block_until_ready(function())
    return result, time.perf_counter() - begin


def environment() -> dict[str, Any]:
    """Returns the versions and the device that results were made with."""
    versions = {"python": platform.python_version()}
    for name in ("jaxinfo", "jax", "jaxlib", "optax", "numpy", "matplotlib"):
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = "not installed"
    device = jax.devices()[0]
    return {
        "versions": versions,
        "device": {"platform": device.platform, "kind": device.device_kind, "cpu_count": os.cpu_count()},
    }


def write_metrics(directory: Path, config: Any, metrics: dict[str, Any]) -> Path:
    """Writes `metrics.json`: the configuration, the environment, and what was found."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "metrics.json"
    content = {"config": dataclasses.asdict(config), **environment(), **metrics}
    path.write_text(json.dumps(content, indent=2, default=str) + "\n", encoding="utf-8")
    return path
