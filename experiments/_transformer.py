"""A small causal transformer over bytes in Flax NNX, and its training in one compiled loop."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from jaxinfo import objectives

K = 256
RECENT = 6


class Block(nnx.Module):
    """Attention to what came before, and a layer for each byte by itself."""

    def __init__(self, width: int, heads: int, rngs: nnx.Rngs) -> None:
        self.before_attention, self.before_layers = nnx.LayerNorm(width, rngs=rngs), nnx.LayerNorm(width, rngs=rngs)
        self.attention = nnx.MultiHeadAttention(heads, width, decode=False, rngs=rngs)
        self.inner, self.outer = nnx.Linear(width, 4 * width, rngs=rngs), nnx.Linear(4 * width, width, rngs=rngs)

    def __call__(self, x: jax.Array, mask: jax.Array) -> jax.Array:
        x = x + self.attention(self.before_attention(x), mask=mask)
        return x + self.outer(jax.nn.gelu(self.inner(self.before_layers(x))))


class Transformer(nnx.Module):
    """Logits `[..., T, 256]` of the next byte after each of `[..., T]` bytes."""

    def __init__(self, length: int, width: int, heads: int, depth: int, rngs: nnx.Rngs) -> None:
        self.bytes = nnx.Embed(K, width, rngs=rngs)
        # The last few bytes together, which attention takes long to find.
        self.recent = nnx.Linear(RECENT * width, width, rngs=rngs)
        self.places = nnx.Param(0.02 * jax.random.normal(rngs.params(), (length, width)))
        self.blocks = nnx.List([Block(width, heads, rngs) for _ in range(depth)])
        self.norm, self.head = nnx.LayerNorm(width, rngs=rngs), nnx.Linear(width, K, rngs=rngs)

    def __call__(self, text: jax.Array) -> jax.Array:
        length = text.shape[-1]
        x = jnp.pad(self.bytes(text), [(0, 0)] * (text.ndim - 1) + [(RECENT - 1, 0), (0, 0)])
        x = jnp.concatenate([x[..., i : i + length, :] for i in range(RECENT)], axis=-1)
        x = self.recent(x)
        x = x + jnp.broadcast_to(self.places[:length], x.shape)
        mask = jnp.tril(jnp.ones((length, length), bool)).reshape(*(1,) * text.ndim, length, length)
        for block in self.blocks:
            x = block(x, mask)
        return self.head(self.norm(x))


def loss(model: Transformer, text: jax.Array) -> jax.Array:
    """Nats for each byte of windows `[B, T + 1]` after the first, the mean over all: minus their log-probability."""
    given, tokens = text[:, :-1], text[:, 1:]
    return -jnp.mean(objectives.sequence_log_prob(tokens, model(given))) / tokens.shape[1]


def optimizer(learning_rate: float, num_steps: int) -> optax.GradientTransformation:
    """AdamW, warmed up for a tenth of the steps and let down to nothing."""
    schedule = optax.warmup_cosine_decay_schedule(0.0, learning_rate, max(1, num_steps // 10), num_steps)
    return optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(schedule, b2=0.98, weight_decay=0.05))


@nnx.jit(static_argnames=("batch", "length", "steps"))
def train(
    model: Transformer, state: nnx.Optimizer, text: jax.Array, key: jax.Array, *, batch: int, length: int, steps: int
) -> jax.Array:
    """Takes some steps on windows at random places of a text; returns the losses in nats."""

    def step(carry: Any, key: jax.Array) -> tuple[Any, jax.Array]:
        model, state = carry
        starts = jax.random.randint(key, (batch, 1), 0, text.size - length, jnp.int32)
        windows = text[starts + jnp.arange(length + 1, dtype=jnp.int32)[None]]
        value, gradients = nnx.value_and_grad(loss)(model, windows)
        state.update(model, gradients)
        return (model, state), value

    return nnx.scan(step, in_axes=(nnx.Carry, 0), out_axes=(nnx.Carry, 0))(
        (model, state), jax.random.split(key, steps)
    )[1]


@nnx.jit
def log2_softmax(model: Transformer, text: jax.Array) -> jax.Array:
    """Bits of log-probability `[B, T, 256]` of every next byte."""
    return jax.nn.log_softmax(model(text)) / math.log(2)


def log2_probabilities(model: Transformer, text: bytes, before: bytes, length: int, batch: int) -> np.ndarray:
    """Returns `[N, 256]`, after each place of a text, in windows that overlap by half: each byte sees half a window."""
    half = length // 2
    symbols = np.frombuffer(before + text, np.uint8)[:-1].astype(np.int32)
    starts = np.arange(0, max(1, len(symbols) - half), half)
    padded = np.concatenate([symbols, np.zeros(length, np.int32)])
    rows = np.zeros((len(symbols) + length, K), np.float32)
    for chunk in np.array_split(starts, -(-len(starts) // batch)):
        # As many windows every time, so that it is one program.
        windows = padded[np.resize(chunk, batch)[:, None] + np.arange(length)]
        found = np.asarray(log2_softmax(model, windows))
        for start, row in zip(chunk, found[: len(chunk)], strict=True):
            first = half if start else 0
            rows[start + first : start + length] = row[first:]
    return rows[len(before) - 1 : len(symbols)]
