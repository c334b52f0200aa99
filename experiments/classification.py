"""Is training a classifier on cross-entropy maximum likelihood, and what does label smoothing add?

- The same number. On the 1,312 passengers of the Titanic whose class is known, the cross-entropy of a logistic model,
  minus its likelihood per passenger, and the divergence of the table of counts from it plus the entropy of survival
  given sex and class agree to 3e-16 nats at every step of Newton's method on any of the three, whose ends are the same.
  The saturated model ends at H(survived | sex, class) = 0.44037502 nats, below which no model of sex and class gets;
  the additive one at 0.45676830. The difference, a divergence of 0.01639327 nats, is what the interaction of sex and
  class is worth: times twice the number of passengers it is the statistic of the G-test, 43.0 with two degrees of
  freedom. (The one passenger of unknown class, as a class of its own, would make it 0.44003963.)
- Smoothing adds a divergence and a floor. The loss of smoothed labels is their entropy plus the divergence of the model
  from them, to 1e-15 for every share; the first is what the curves of the training loss come down to, and not 0.
- What it spoils. A small network reads scikit-learn's digits right in 0.986 of the cases, and in as many with a share
  of 0.2: means over five seeds, each with test digits of its own, and no seed below 0.977. With that share it says 0.8
  where it is right nearly always: the calibration error is 0.183, all of it underconfidence, where it was 0.005 without
  smoothing. One temperature, 0.41, solved for on held-out digits, brings it to 0.003 and the test loss from 0.242 to
  0.040 nats, which is below the 0.045 without smoothing; what the network says is most probable stays as it was. The
  error grows in proportion to the share, and one temperature undoes it for every share.
- A best temperature need not exist: it is 0 on held-out digits without an error. That is so for one of the five seeds
  by itself with shares up to 0.1; hence one temperature for the held-out digits of all seeds.

    python -m experiments.classification --smoothing 0 0.3 --num-seeds 3
"""

import dataclasses
import json
from pathlib import Path
from typing import Any

if __package__:
    from experiments import _classification_figures, _common, _digits_classifier, _titanic
else:  # run as a script: Python looks in the folder of this file
    import _classification_figures
    import _common
    import _digits_classifier
    import _titanic

import jax
import jax.numpy as jnp
import numpy as np
import tyro
from tqdm import tqdm

import jaxinfo
from jaxinfo import logits, objectives


@dataclasses.dataclass(frozen=True)
class Config:
    """The two parts: logistic models of the Titanic by Newton's method, and a network for digits by AdamW."""

    newton_steps: int = 10
    # Shares of the uniform distribution in the labels.
    smoothing: tuple[float, ...] = (0.0, 0.05, 0.1, 0.2, 0.4)
    num_seeds: int = 5
    # Of 1,797 digits, so many are held out to find the temperature, and so many to test on.
    num_calibration: int = 360
    num_test: int = 360
    num_epochs: int = 60
    batch_size: int = 64
    width: int = 256
    dropout: float = 0.2
    # The standard deviation of noise in the pixels, which range from -1 to 1.
    noise: float = 0.5
    learning_rate: float = 3e-3
    weight_decay: float = 5e-2
    # Bins of the calibration error, of as many forecasts each.
    num_bins: int = 15
    # Two shares, two seeds and few epochs of a narrower network: a check that everything runs, in seconds.
    smoke: bool = False
    output: Path = Path("results/classification")


def run_titanic(config: Config) -> dict[str, Any]:
    """Minimises each criterion on each model, in double precision; returns all values along the way."""
    passengers, rows = _titanic.load(), []
    known = _titanic.as_floats(_titanic.entropies(passengers.counts))
    for model in _titanic.MODELS:
        arguments = (passengers, jnp.asarray(_titanic.design(model)), config.newton_steps)
        program, compile_seconds = _common.timed(lambda a=arguments: _titanic.minimise.lower(*a).compile())
        ends, run_seconds = _common.timed(lambda p=program, a=arguments: p(*a[:2]))
        for kind, found in ends.items():
            values = np.array(found["values"])
            values[:, 2] += known["given_both"]
            rows.append(
                {
                    "model": model,
                    "criterion": kind,
                    "parameters": np.asarray(found["parameters"]).tolist(),
                    "values": values.tolist(),
                    "minimum": values[-1, _titanic.CRITERIA.index(kind)],
                    "largest_difference": float(np.ptp(values, axis=1).max()),
                    "gradient_norm": float(found["gradient"][-1]),
                    "compile_seconds": compile_seconds,
                    "run_seconds": run_seconds,
                }
            )
    log_odds = jnp.asarray(_titanic.design("additive")) @ jnp.array(rows[-1]["parameters"])
    shares = jnp.linspace(0.0, 1.0, 21)
    smoothed = _titanic.as_floats(_titanic.smoothing_identity(passengers.counts, log_odds, shares))
    excess = np.subtract(smoothed["loss"], np.add(smoothed["entropy"], smoothed["divergence"]))
    return {
        "num_passengers": len(passengers.cell),
        "counts": passengers.counts.tolist(),
        "entropies": known,
        "rows": rows,
        "smoothing": {"share": np.asarray(shares).tolist(), **smoothed},
        "largest_excess_of_smoothing": float(np.abs(excess).max()),
    }


def train(config: Config, split: Any) -> tuple[Any, dict[str, float]]:
    """Trains a classifier for every seed and share at once; leading axes are those two."""
    over_shares = jax.vmap(
        lambda part, seed, share: _digits_classifier.train(config, config.num_epochs, part, seed, share),
        in_axes=(None, None, 0),
    )
    program = jax.jit(jax.vmap(over_shares, in_axes=(0, 0, None)))
    arguments = (split, jnp.arange(config.num_seeds), jnp.asarray(config.smoothing))
    compiled, compile_seconds = _common.timed(lambda: program.lower(*arguments).compile())
    trained, run_seconds = _common.timed(lambda: compiled(*arguments))
    return trained, {"compile_seconds": compile_seconds, "run_seconds": run_seconds}


def excess_of_smoothing(labels: jax.Array, scores: jax.Array, share: float) -> dict[str, float]:
    """The training loss, the entropy of the smoothed labels, the divergence from them, and loss less the sum."""
    with jax.enable_x64(True):
        z = jnp.asarray(np.asarray(scores, np.float64))
        target = (1 - share) * jax.nn.one_hot(labels, 10, dtype=z.dtype) + share / 10
        loss = objectives.example_mean(objectives.cross_entropy_loss(labels, z, label_smoothing=share))
        entropy, divergence = jaxinfo.entropy(target).mean(), logits.kl_divergence_from_probs(target, z).mean()
        excess = loss - (entropy + divergence)
    parts = {"train_loss": loss, "entropy_of_labels": entropy, "divergence_from_labels": divergence, "excess": excess}
    return {name: float(part) for name, part in parts.items()}


@jax.jit(static_argnames="num_bins")
def judge(labels: jax.Array, scores: jax.Array, num_bins: int) -> dict[str, Any]:
    """Test loss, calibration error and the bins of a reliability diagram, of the test digits of all seeds together."""
    labels, scores = labels.reshape(-1), scores.reshape(-1, scores.shape[-1])
    q, options = jax.nn.softmax(scores), {"num_bins": num_bins, "binning": "equal_mass"}
    return {
        "test_loss": objectives.example_mean(objectives.cross_entropy_loss(labels, scores)),
        "test_brier_score": objectives.example_mean(objectives.brier_score(labels, q)),
        "classwise_error": objectives.expected_calibration_error(labels, q, events="classwise", **options),
        "calibration": objectives.expected_calibration_error_terms(labels, q, **options)._asdict(),
        "bins": {
            k: v for k, v in objectives.calibration_bins(labels, q, **options)._asdict().items() if k != "bin_index"
        },
    }


def measure(config: Config, split: Any, trained: Any, i: int) -> dict[str, Any]:
    """Returns the row of one share of smoothing."""
    scores = jax.tree.map(lambda leaf: leaf[:, i], trained.logits)
    labels = split.test[1]
    temperature = objectives.optimal_temperature(split.calibration[1], scores.calibration)
    of_seeds = jax.vmap(objectives.optimal_temperature)(split.calibration[1], scores.calibration)
    cooled = scores.test / temperature
    excesses = [
        excess_of_smoothing(split.train[1][seed], scores.train[seed], config.smoothing[i])
        for seed in range(config.num_seeds)
    ]
    accuracy = jnp.mean(jnp.argmax(scores.test, axis=-1) == labels, axis=-1)
    return {
        "smoothing": config.smoothing[i],
        "test_accuracy": accuracy.tolist(),
        "mean_test_accuracy": float(accuracy.mean()),
        "temperature": float(temperature),
        "temperature_of_seeds": of_seeds.tolist(),
        "loss_by_epoch": np.asarray(trained.history[:, i]).tolist(),
        **{name: float(np.mean([row[name] for row in excesses])) for name in excesses[0] if name != "excess"},
        "largest_excess_of_smoothing": max(abs(row["excess"]) for row in excesses),
        "before": _titanic.as_floats(judge(labels, scores.test, config.num_bins)),
        "after": _titanic.as_floats(judge(labels, cooled, config.num_bins)),
    }


def main(config: Config) -> dict[str, Any]:
    """Runs the experiment, writes its files to `config.output`, prints what it found, and returns the metrics."""
    if config.num_seeds < 1 or not all(0 <= share <= 1 for share in config.smoothing):
        raise ValueError(f"a seed at least, and shares of smoothing in [0, 1], got {config}")
    if config.smoke:
        config = dataclasses.replace(config, smoothing=(0.0, 0.2), num_seeds=2, num_epochs=8, width=128)
    with tqdm(total=2 + len(config.smoothing), desc="classification") as bar:
        with jax.enable_x64(True):
            of_titanic = run_titanic(config)
        bar.update()
        with jax.enable_x64(False):
            split = _digits_classifier.load(config.num_seeds, config.num_calibration, config.num_test)
            trained, seconds = train(config, split)
            bar.update()
            rows = []
            for i in range(len(config.smoothing)):
                rows.append(measure(config, split, trained, i))
                bar.update()
    metrics = {"titanic": of_titanic, "digits": {**seconds, "rows": rows}}
    path = _common.write_metrics(config.output, config, metrics)
    with _common.figure_style():
        figure = _classification_figures.draw(config.output / "classification.png", metrics)
    print_table(metrics)
    print(f"\nfigure     {figure}\nmetrics    {path}")
    return json.loads(path.read_text(encoding="utf-8"))


def print_table(metrics: dict[str, Any]) -> None:
    """Prints what the fits have come to."""
    print(f"\nH(survived | sex, class) = {metrics['titanic']['entropies']['given_both']:.8f} nats")
    print(f"{'model':11}{'minimised':15}{'cross-entropy':>15}{'likelihood':>13}{'divergence':>13}{'difference':>12}")
    for row in metrics["titanic"]["rows"]:
        values = "".join(f"{value:13.8f}" for value in row["values"][-1])
        print(f"{row['model']:11}{row['criterion']:17}{values}{row['largest_difference']:12.0e}")
    print(f"\n{'smoothing':>9}{'accuracy':>10}{'least':>8}{'train loss':>12}{'H(labels)':>11}{'excess':>8}", end="")
    print(f"{'T':>7}{'ECE':>9}{'at T':>9}{'test loss':>11}{'at T':>8}")
    for row in metrics["digits"]["rows"]:
        before, after = row["before"], row["after"]
        print(
            f"{row['smoothing']:9.2f}{row['mean_test_accuracy']:10.4f}{min(row['test_accuracy']):8.4f}"
            f"{row['train_loss']:12.4f}{row['entropy_of_labels']:11.4f}{row['largest_excess_of_smoothing']:8.0e}"
            f"{row['temperature']:7.3f}{before['calibration']['error']:9.4f}{after['calibration']['error']:9.4f}"
            f"{before['test_loss']:11.4f}{after['test_loss']:8.4f}"
        )


if __name__ == "__main__":
    main(tyro.cli(Config, description=__doc__))
