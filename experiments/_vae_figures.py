"""The figures of `vae`."""

from pathlib import Path
from typing import Any

if __package__:
    from experiments import _common
    from experiments._vae_model import Data, Vae
else:
    import _common
    from _vae_model import Data, Vae

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
from flax import nnx
from matplotlib.axes import Axes

BLUE, ORANGE, GREEN = _common.COLORS[:3]


def _means(rows: list[dict[str, Any]], name: str) -> np.ndarray:
    return np.array([row[name]["mean"] for row in rows])


def _curve(digits: dict[str, Any]) -> list[dict[str, Any]]:
    """The models of the first seed, by beta."""
    first = digits["rows"][0]["seed"]
    return sorted((row for row in digits["rows"] if row["seed"] == first), key=lambda row: row["beta"])


def draw_rate_distortion(axes: Axes, digits: dict[str, Any]) -> None:
    """Draws distortion over rate, with the lines on which the bound is the same."""
    rows = _curve(digits)
    rate, distortion = _means(rows, "rate"), _means(rows, "distortion")
    span = np.array([-1.5, 1.12 * rate.max()])
    best = int(np.argmin(rate + distortion))
    for level in np.arange(0, 400, 20):
        axes.plot(span, level - span, color="#dddddd", linewidth=1, zorder=0)
    axes.plot(span, rate[best] + distortion[best] - span, color=ORANGE, linestyle="--", linewidth=1.5)
    axes.annotate(
        f"bound {-rate[best] - distortion[best]:.1f} nats",
        (0.55 * span[1], rate[best] + distortion[best] - 0.55 * span[1]),
        xytext=(-8, -10),
        textcoords="offset points",
        ha="right",
        va="top",
        color=ORANGE,
    )
    axes.plot(rate, distortion, color=BLUE, marker="o", linewidth=2)
    for row, x, y in zip(rows, rate, distortion, strict=True):
        axes.annotate(f"{row['beta']:g}", (x, y), xytext=(7, 5), textcoords="offset points", fontsize=11)
    axes.axhline(digits["marginal_distortion"], color=_common.GREY, linestyle=":", linewidth=1.5)
    axes.text(
        span[1], digits["marginal_distortion"] - 3, "pixels on their own", ha="right", va="top", color=_common.GREY
    )
    low, high = distortion.min(), max(distortion.max(), digits["marginal_distortion"])
    axes.set(xlim=tuple(span), ylim=(low - 0.1 * (high - low), high + 0.12 * (high - low)))
    axes.set(xlabel="rate: KL(posterior‖prior) [nats]", ylabel="distortion: -log likelihood [nats]")
    axes.set_title("Rate and distortion, by beta")


def draw_bound(axes: Axes, digits: dict[str, Any]) -> None:
    """Draws the evidence lower bound over beta."""
    rows = _curve(digits)
    beta = np.array([row["beta"] for row in rows])
    axes.errorbar(
        beta,
        _means(rows, "elbo"),
        yerr=[row["elbo"]["standard_error"] for row in rows],
        color=BLUE,
        marker="o",
        linewidth=2,
        capsize=3,
        label="evidence lower bound",
    )
    axes.plot(
        beta,
        _means(rows, "importance_weighted"),
        color=ORANGE,
        marker="D",
        markersize=5,
        linewidth=1.2,
        label=f"importance-weighted, {digits['num_weights']} draws",
    )
    others = [row for row in digits["rows"] if row["seed"] != rows[0]["seed"]]
    for name, color in (("elbo", BLUE), ("importance_weighted", ORANGE)):
        axes.plot([row["beta"] for row in others], _means(others, name), "o", color=color, markersize=3)
    _over_beta(axes, beta)
    bounds, weighted = _means(rows, "elbo"), _means(rows, "importance_weighted")
    low, high = bounds.max() - 40, weighted.max()
    axes.set_ylim(low, high + 4)
    below = [f"beta = {b:g}: {bound:.0f}" for b, bound in zip(beta, bounds, strict=True) if bound < low]
    axes.text(1, 0.98, "\n".join(["below:", *below]), transform=axes.transAxes, ha="right", va="top", color=BLUE)
    axes.set_ylabel("nats for each held-out image")
    axes.set_title(f"The bound is best at beta = {beta[np.argmax(bounds)]:g}")
    axes.legend(loc="lower left")


def draw_split(axes: Axes, digits: dict[str, Any]) -> None:
    """Draws the two parts of the rate, stacked."""
    rows = _curve(digits)
    split = [row["on_training_images"] for row in rows]
    at = np.arange(len(rows))
    information, rest = (np.array([s[name] for s in split]) for name in ("mutual_information", "aggregate_kl"))
    axes.bar(at, information, color=BLUE, label="I(n; z): which image it was")
    axes.bar(at, rest, bottom=information, color=ORANGE, label="KL(q(z)‖p(z)): aggregate and prior")
    greatest = np.log(digits["num_training_images"])
    axes.axhline(greatest, color=_common.GREY, linestyle="--", linewidth=1.2)
    count = digits["num_training_images"]
    axes.text(at[-1] + 0.5, greatest + 0.3, f"log {count:,} images", ha="right", color=_common.GREY)
    axes.set_xticks(at, [f"{row['beta']:g}" for row in rows])
    axes.set(xlabel="beta", ylabel="nats")
    axes.set_title("What the rate is spent on")
    axes.legend(loc="upper right")


def draw_units(figure: Any, axes: Axes, digits: dict[str, Any]) -> None:
    """Draws the rate of every latent unit, sorted, and how many are active."""
    rows = _curve(digits)
    table = np.array([np.sort(row["on_training_images"]["rate_of_units"])[::-1] for row in rows])
    image = axes.imshow(table, aspect="auto", cmap="viridis", vmin=0)
    figure.colorbar(image, ax=axes, label="KL of the unit [nats]", pad=0.02)
    units = table.shape[1]
    axes.set_yticks(range(len(rows)), [f"{row['beta']:g}: {row['num_active']} active" for row in rows])
    axes.set(xlabel="latent unit, by its rate", ylabel="beta: units whose mean varies by more than 0.01")
    axes.set_xticks([0, units - 1], ["1", str(units)])
    axes.spines[:].set_visible(False)
    axes.set_title("Units fall silent one by one")


def draw_scores(axes: Axes, kl: dict[str, Any]) -> None:
    """Draws the z-scores of the drawn KL term against the normal distribution."""
    z = np.array(kl["z"])
    axes.hist(z, bins=np.linspace(-4, 4, 33), density=True, color=BLUE, alpha=0.6, label=f"{len(z)} images")
    grid = np.linspace(-4, 4, 200)
    axes.plot(grid, np.exp(-(grid**2) / 2) / np.sqrt(2 * np.pi), color=_common.INK, label="N(0, 1)")
    axes.set(xlabel="(drawn - closed form) / standard error", ylabel="density")
    axes.set_title(f"KL by draws: z has spread {kl['z_standard_deviation']:.2f}")
    axes.legend(loc="upper left")


def draw_agreement(axes: Axes, kl: dict[str, Any]) -> None:
    """Draws the drawn KL term over its closed form."""
    exact, drawn = np.array(kl["closed_form"]), np.array(kl["monte_carlo"])
    axes.plot(exact, drawn - exact, ".", color=BLUE, markersize=4)
    axes.axhline(0, color=_common.INK, linewidth=1)
    axes.set(xlabel="KL by its closed form [nats]", ylabel="drawn - closed form [nats]")
    axes.set_title("The KL term of every held-out image")


def _over_beta(axes: Axes, beta: np.ndarray) -> None:
    axes.set_xscale("log", base=2)
    axes.set_xticks(beta, [f"{b:g}" for b in beta])
    axes.minorticks_off()
    axes.set_xlabel("beta")


def draw_numbers(path: Path, digits: dict[str, Any]) -> Path:
    """Draws all that was measured of the digits."""
    figure, axes = plt.subplots(2, 3, figsize=(19, 11), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.12)
    draw_rate_distortion(axes[0, 0], digits)
    draw_bound(axes[0, 1], digits)
    draw_split(axes[0, 2], digits)
    draw_units(figure, axes[1, 0], digits)
    draw_agreement(axes[1, 1], digits["kl"])
    draw_scores(axes[1, 2], digits["kl"])
    figure.suptitle("A variational autoencoder of handwritten digits: what its KL term does", fontsize=18)
    return _save(figure, path)


@nnx.jit
def _pictures(model: Vae, x: jax.Array) -> list[jax.Array]:
    """Images, what becomes of them, and as many draws from the prior."""
    posterior = model.posterior(x)
    z = jax.random.normal(jax.random.key(5), posterior.mean.shape)
    return [x, *(jax.nn.sigmoid(model.logits(latent)) for latent in (posterior.mean, z))]


def draw_images(path: Path, parts: list[tuple[Data, Vae]]) -> Path:
    """Draws held-out images, their reconstructions, and samples from the prior, for both sets of digits."""
    columns, names = 14, ("held out", "reconstructed", "sampled")
    figure, axes = plt.subplots(len(parts), 1, figsize=(14, 7), layout="constrained")
    for frame, (data, model) in zip(axes, parts, strict=True):
        rows = _pictures(model, jnp.asarray(data.test[:columns], jnp.float32))
        side = round(data.test.shape[1] ** 0.5)
        gap = side // 8
        tiles = np.zeros((3, columns, side + 2 * gap, side + 2 * gap))
        tiles[:, :, gap:-gap, gap:-gap] = np.stack(rows).reshape(3, columns, side, side)
        frame.imshow(tiles.transpose(0, 2, 1, 3).reshape(3 * tiles.shape[2], -1), cmap="gray_r", vmin=0, vmax=1)
        frame.set_xticks([])
        frame.set_yticks((np.arange(3) + 0.5) * tiles.shape[2], names, fontsize=13)
        frame.tick_params(length=0)
        frame.spines[:].set_visible(False)
    figure.suptitle("Digits of 8 by 8 pixels, above, and MNIST's, below: means of the pixels", fontsize=17)
    return _save(figure, path)


def _save(figure: Any, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    plt.close(figure)
    return path
