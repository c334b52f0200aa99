"""The passengers of the Titanic as a contingency table, and logistic models of who survived."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from bokeh_sampledata import titanic

import jaxinfo
from jaxinfo import logits, objectives
from jaxinfo.distributions import Bernoulli

SEXES, CLASSES = ("female", "male"), ("1st", "2nd", "3rd")
CELLS = [(sex, passenger_class) for sex in SEXES for passenger_class in CLASSES]
MODELS = ("saturated", "additive")
CRITERIA = ("cross-entropy", "likelihood", "divergence")


class Passengers(NamedTuple):
    """The cell (sex and class) of each passenger and whether they survived; counts `[cells, died or survived]`."""

    cell: np.ndarray
    survived: np.ndarray
    counts: np.ndarray


def load() -> Passengers:
    """Returns all passengers whose class is known: 1,312 of 1,313."""
    rows = titanic.data
    known = [
        (s, c, int(y)) for s, c, y in zip(rows["sex"], rows["class"], rows["survived"], strict=True) if c in CLASSES
    ]
    cell = np.array([CELLS.index((s, c)) for s, c, _ in known])
    survived = np.array([y for *_, y in known])
    counts = np.zeros((len(CELLS), 2), int)
    np.add.at(counts, (cell, survived), 1)
    return Passengers(cell, survived, counts)


def design(model: str) -> np.ndarray:
    """Returns a row of features for each cell: one for the cell itself, or those of its sex and its class."""
    if model == "saturated":
        return np.eye(len(CELLS))
    return np.array([[1.0, s == "male", c == "2nd", c == "3rd"] for s, c in CELLS], float)


def criterion(kind: str, passengers: Passengers, features: jax.Array, parameters: jax.Array) -> jax.Array:
    """Returns what is minimised: each of the three by its own function of the library and its own form of the data.

    Cross-entropy of labels and two logits; minus the likelihood of coins; and the divergence of the table of counts
    from the model's, both joint tables of cell and survival.
    """
    log_odds = features @ parameters
    if kind == "cross-entropy":
        pairs = jnp.stack([jnp.zeros_like(log_odds), log_odds], axis=-1)[passengers.cell]
        return objectives.example_mean(objectives.cross_entropy_loss(passengers.survived, pairs))
    if kind == "likelihood":
        coins = Bernoulli(logits=log_odds[passengers.cell])
        return objectives.example_mean(objectives.negative_log_likelihood(passengers.survived, coins))
    empirical = jnp.asarray(passengers.counts / passengers.counts.sum())
    coin = jnp.stack([jax.nn.sigmoid(-log_odds), jax.nn.sigmoid(log_odds)], axis=-1)
    return jaxinfo.kl_divergence(empirical, jnp.sum(empirical, axis=-1, keepdims=True) * coin, axis=None)


@jax.jit(static_argnames="steps")
def minimise(passengers: Passengers, features: jax.Array, steps: int) -> dict[str, dict[str, jax.Array]]:
    """Newton's method on each criterion; all three are recorded at every step."""

    def every(parameters: jax.Array) -> jax.Array:
        return jnp.stack([criterion(kind, passengers, features, parameters) for kind in CRITERIA])

    def step(parameters: jax.Array, _: None) -> tuple[jax.Array, dict[str, jax.Array]]:
        """One row of parameters for each criterion."""
        own = jnp.arange(len(CRITERIA))
        gradient = jax.vmap(jax.jacrev(every))(parameters)[own, own]
        curvature = jax.vmap(jax.hessian(every))(parameters)[own, own]
        record = {"values": jax.vmap(every)(parameters), "gradient": jnp.linalg.norm(gradient, axis=-1)}
        return parameters - jnp.linalg.solve(curvature, gradient[..., None])[..., 0], record

    start = jnp.zeros((len(CRITERIA), features.shape[1]))
    parameters, history = jax.lax.scan(step, start, None, length=steps)
    columns = {"parameters": parameters, **{name: jnp.moveaxis(x, 1, 0) for name, x in history.items()}}
    return {kind: {name: x[i] for name, x in columns.items()} for i, kind in enumerate(CRITERIA)}


def entropies(counts: np.ndarray) -> dict[str, jax.Array]:
    """Returns what the table says: the uncertainty about survival, and what sex and class say about it, in nats."""
    p = jnp.asarray(counts / counts.sum()).reshape(len(SEXES), len(CLASSES), 2)
    pattern = "s c y -> H(y), I(y; s), I(y; c), I(y; s c), H(y | s c)"
    names = ("survived", "about_sex", "about_class", "about_both", "given_both")
    return dict(zip(names, jaxinfo.shannon(pattern, p), strict=True))


def smoothing_identity(counts: np.ndarray, log_odds: jax.Array, shares: jax.Array) -> dict[str, jax.Array]:
    """The loss with every share of smoothing, and entropy plus divergence of the smoothed labels; means over people."""
    pairs = jnp.stack([jnp.zeros_like(log_odds), log_odds], axis=-1)
    weights = jnp.asarray(counts.astype(float)).reshape(-1)
    cells = jnp.repeat(jnp.arange(len(counts)), 2)
    labels = jnp.tile(jnp.arange(2), len(counts))

    def at(share: jax.Array) -> dict[str, jax.Array]:
        losses = objectives.cross_entropy_loss(labels, pairs[cells], label_smoothing=share)
        target = (1 - share) * jnp.eye(2)[labels] + share / 2
        divergence = logits.kl_divergence_from_probs(target, pairs[cells])
        parts = {"loss": losses, "entropy": jaxinfo.entropy(target), "divergence": divergence}
        return {name: objectives.example_mean(part, weights=weights) for name, part in parts.items()}

    return jax.lax.map(at, shares)


def as_floats(tree: Any) -> Any:
    """Arrays as lists of numbers."""
    return jax.tree.map(lambda leaf: np.asarray(leaf).tolist(), tree)
