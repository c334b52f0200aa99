"""A small classifier of digits, Flax NNX, trained for many seeds and shares of smoothing at once."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from sklearn.datasets import load_digits

from jaxinfo import objectives


class Split(NamedTuple):
    """Images `[N, 64]` in [-1, 1] and labels `[N]`: to train on, to calibrate on, and to test on."""

    train: tuple[jax.Array, jax.Array]
    calibration: tuple[jax.Array, jax.Array]
    test: tuple[jax.Array, jax.Array]


def load(num_seeds: int, num_calibration: int, num_test: int) -> Split:
    """Returns splits of scikit-learn's 1,797 digits, another one for each seed, on a leading axis."""
    images, labels = load_digits(return_X_y=True)
    images = (images / 8 - 1).astype(np.float32)
    orders = np.stack([np.random.default_rng(seed).permutation(len(labels)) for seed in range(num_seeds)])
    ends = (num_test, num_test + num_calibration)
    parts = [orders[:, ends[1] :], orders[:, ends[0] : ends[1]], orders[:, : ends[0]]]
    return Split(*((jnp.asarray(images[order]), jnp.asarray(labels[order].astype(np.int32))) for order in parts))


class Classifier(nnx.Module):
    """Two hidden layers with dropout."""

    def __init__(self, width: int, dropout: float, rngs: nnx.Rngs) -> None:
        self.hidden = nnx.List([nnx.Linear(64, width, rngs=rngs), nnx.Linear(width, width, rngs=rngs)])
        self.dropout = nnx.Dropout(dropout, rngs=rngs)
        self.logits = nnx.Linear(width, 10, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Returns the logits `[N, 10]` of images `[N, 64]`."""
        for layer in self.hidden:
            x = self.dropout(nnx.relu(layer(x)))
        return self.logits(x)


class Trained(NamedTuple):
    """Of one seed and share: the loss of the training images with smoothing, by epoch, and the logits of all images."""

    history: jax.Array
    logits: Split


def train(config: Any, num_epochs: int, split: Split, seed: jax.Array, smoothing: jax.Array) -> Trained:
    """Trains one classifier; for use under `vmap`, over seeds and shares of smoothing."""
    model = Classifier(config.width, config.dropout, nnx.Rngs(jax.random.key(seed)))
    images, labels = split.train
    batches = len(labels) // config.batch_size
    schedule = optax.cosine_decay_schedule(config.learning_rate, max(num_epochs, 1) * batches)
    optimizer = nnx.Optimizer(model, optax.adamw(schedule, weight_decay=config.weight_decay), wrt=nnx.Param)
    graph, state = nnx.split((model, optimizer))

    def step(state: Any, batch: tuple[jax.Array, jax.Array]) -> tuple[Any, None]:
        index, key = batch
        model, optimizer = nnx.merge(graph, state)

        def loss(model: Classifier) -> jax.Array:
            logits = model(images[index] + config.noise * jax.random.normal(key, images[index].shape))
            return objectives.example_mean(
                objectives.cross_entropy_loss(labels[index], logits, label_smoothing=smoothing)
            )

        optimizer.update(model, nnx.grad(loss)(model))
        return nnx.state((model, optimizer)), None

    def logits_of(state: Any, x: jax.Array) -> jax.Array:
        model, _ = nnx.merge(graph, state)
        model.eval()
        return model(x)

    def epoch(state: Any, key: jax.Array) -> tuple[Any, jax.Array]:
        key_order, key_noise = jax.random.split(key)
        order = jax.random.permutation(key_order, len(labels))[: batches * config.batch_size].reshape(batches, -1)
        state, _ = jax.lax.scan(step, state, (order, jax.random.split(key_noise, batches)))
        losses = objectives.cross_entropy_loss(labels, logits_of(state, images), label_smoothing=smoothing)
        return state, jnp.mean(losses)

    keys = jax.random.split(jax.random.fold_in(jax.random.key(7), seed), num_epochs)
    state, history = jax.lax.scan(epoch, state, keys)
    every = logits_of(state, jnp.concatenate([part[0] for part in split]))
    ends = np.cumsum([len(part[1]) for part in split])[:-1].tolist()
    return Trained(history, Split(*jnp.split(every, ends)))
