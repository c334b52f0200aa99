"""The figure of `distillation.py`: what the students are on the whole, and what they say after real contexts."""

from pathlib import Path
from typing import Any

if __package__:
    from experiments import _common
else:
    import _common

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

from jaxinfo import logits

SHOWN = 16  # characters


def draw(config: Any, teacher: Any, judged: dict[str, np.ndarray], entropy: float, z: jax.Array) -> Path:
    """Draws the means over contexts along the weight, and four contexts under forward and reverse KL."""
    figure = plt.figure(figsize=(15, 10.5), layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=(1, 1.25), hspace=0.03)
    _means(top, config, judged, entropy)
    _contexts(bottom, config, teacher, z)
    path = config.output / "distillation.png"
    figure.savefig(path)
    plt.close(figure)
    return path


def _means(figure: Any, config: Any, judged: dict[str, np.ndarray], entropy: float) -> None:
    left, middle, right = figure.subplots(1, 3)
    w = np.array(config.weights)

    def band(axis: Any, values: np.ndarray, color: str, label: str) -> None:
        axis.plot(w, values.mean(axis=1), color=color, lw=2.2, marker="o", ms=5, label=label)
        axis.fill_between(w, values.min(axis=1), values.max(axis=1), color=color, alpha=0.25, lw=0)

    band(left, judged["entropy"], _common.INK, "student")
    left.axhline(entropy, color=_common.GREY, ls="--", label="teacher")
    left.set(title="Entropy of the student", ylabel="nats")
    band(
        middle,
        judged["mass_missed"],
        _common.COLORS[0],
        "missed: the teacher's, where the student\nhas less than a tenth of it",
    )
    band(
        middle,
        judged["mass_invented"],
        _common.COLORS[1],
        "invented: the student's, where the\nteacher has less than a tenth of it",
    )
    middle.set(title="Mass missed, mass invented", ylabel="probability")
    middle.set_ylim(0, 1.35 * max(judged["mass_missed"].max(), judged["mass_invented"].max()))
    band(right, judged["forward_kl"], _common.COLORS[0], "forward KL, teacher to student")
    band(right, judged["reverse_kl"], _common.COLORS[1], "reverse KL, student to teacher")
    band(right, judged["jensen_shannon"], _common.COLORS[2], "Jensen-Shannon")
    right.set(title="What each costs under the others", ylabel="nats", yscale="log")
    for axis in (left, middle, right):
        axis.set_xticks([0, 0.5, 1], ["0\nforward KL", "1/2\nJensen-Shannon", "1\nreverse KL"])
        axis.set_xlabel("weight of the teacher in the mixture")
    left.legend(loc="upper right")
    middle.legend(loc="upper center", fontsize=9.5)
    right.legend(loc="best", fontsize=9.5)


def _contexts(figure: Any, config: Any, teacher: Any, z: jax.Array) -> None:
    """Bars are the teacher; the two students of the first seed are steps over them."""
    figure.suptitle(
        f"What comes after …?   Teacher: bars.   Students of rank {config.rank}: lines.",
        x=0.01,
        ha="left",
        weight="bold",
    )
    ends = [config.weights.index(0.0), config.weights.index(1.0)]
    p, q = np.exp(teacher.log_probs), np.asarray(jax.nn.softmax(z[jnp.array(ends), 0]))
    for axis, context in zip(figure.subplots(2, 2).flat, _telling(teacher, z[jnp.array(ends), 0]), strict=True):
        order = np.argsort(-p[context])
        # Those that the teacher says, and of the others those that the forward student does.
        extra = [i for i in np.argsort(-q[0, context]) if i not in order[: SHOWN - 6]][:6]
        shown = [*order[: SHOWN - 6], *extra]
        at = np.arange(len(shown))
        axis.bar(at, p[context, shown], color="#c9ccd1", width=0.85, label="teacher")
        for row, color, name in zip(q, _common.COLORS, ("forward KL", "reverse KL"), strict=False):
            axis.step(at, row[context, shown], where="mid", color=color, lw=2, label=name)
            axis.plot(at, row[context, shown], "o", color=color, ms=4)
        axis.axvline(SHOWN - 6.5, color=_common.GREY, lw=0.8, ls=":")
        axis.set_xticks(
            at, ["␣" if teacher.alphabet[i] == " " else teacher.alphabet[i] for i in shown], family="DejaVu Sans Mono"
        )
        axis.set_title(f"“{teacher.contexts[context].replace(' ', '␣')}”", family="DejaVu Sans Mono")
        axis.set_ylabel("probability")
        axis.set_ylim(0, 1.08 * max(p[context].max(), q[:, context].max()))
    figure.axes[0].legend(loc="upper right")


def _telling(teacher: Any, z: jax.Array) -> np.ndarray:
    """The contexts, among those with a choice of next characters, in which the two students differ most."""
    apart = np.asarray(logits.jensen_shannon_divergence(z[0], z[1]) * jnp.sqrt(teacher.shares))
    choice = np.asarray(logits.entropy(teacher.log_probs)) > 1.2
    return np.sort(np.argsort(-np.where(choice, apart, -1))[:4])
