"""The autoencoder of `vae` and its training: Flax, Optax and `jaxinfo.objectives`, many models in one program."""

import dataclasses
import functools
import math
from typing import Any, NamedTuple

if __package__:
    from experiments import _common
else:
    import _common

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from tqdm import tqdm

from jaxinfo import objectives
from jaxinfo.distributions import Binomial, Independent, Normal


class Data(NamedTuple):
    """Intensities from 0 to 1, and of how many trials a pixel is the number of successes."""

    train: np.ndarray
    test: np.ndarray
    num_trials: int


@dataclasses.dataclass(frozen=True)
class Architecture:
    """Two hidden layers in each direction, and how they are trained."""

    width: int
    latent: int
    num_steps: int
    batch_size: int
    learning_rate: float
    # The share of the steps during which the KL term is brought in.
    warm_up: float = 0.1


class Vae(nnx.Module):
    """Encoder and decoder; a posterior is a normal with independent coordinates."""

    def __init__(self, num_pixels: int, sizes: Architecture, *, rngs: nnx.Rngs) -> None:
        layer = functools.partial(nnx.Linear, rngs=rngs)
        wide = sizes.width
        self.encoder = nnx.List([layer(num_pixels, wide), layer(wide, wide), layer(wide, 2 * sizes.latent)])
        self.decoder = nnx.List([layer(sizes.latent, wide), layer(wide, wide), layer(wide, num_pixels)])

    def posterior(self, x: jax.Array) -> Independent:
        """The distribution of the latent variable given intensities `[..., num_pixels]`."""
        loc, log_scale = jnp.split(_through(self.encoder, 2 * x - 1), 2, axis=-1)
        return Independent(Normal(loc, jnp.exp(log_scale)))

    def logits(self, z: jax.Array) -> jax.Array:
        """Of the probability of each pixel's trials, `[..., num_pixels]`."""
        return _through(self.decoder, z)


def _through(layers: Any, x: jax.Array) -> jax.Array:
    *hidden, last = layers
    for layer in hidden:
        x = nnx.gelu(layer(x))
    return last(x)


def prior(latent: int) -> Independent:
    return Independent(Normal(jnp.zeros(latent), 1.0))


def log_likelihood(successes: jax.Array, logits: jax.Array, num_trials: int) -> jax.Array:
    """The log-probability of an image, in nats, each pixel a `Binomial(num_trials, sigmoid(logits))`.

    From logits, so that a pixel that is always off keeps its digits.
    """
    even = Binomial(num_trials, 0.5).log_prob(successes) + num_trials * math.log(2)
    fair = successes * jax.nn.log_sigmoid(logits) + (num_trials - successes) * jax.nn.log_sigmoid(-logits)
    return jnp.sum(even + fair, axis=-1)


class Models(NamedTuple):
    """Trained models, their parameters stacked, and what training was like."""

    graph: Any
    params: Any
    losses: np.ndarray
    compile_seconds: float
    run_seconds: float

    def one(self, index: int) -> Vae:
        return nnx.merge(self.graph, jax.tree.map(lambda leaf: leaf[index], self.params))


def train(data: Data, sizes: Architecture, betas: list[float], keys: jax.Array, binarise: bool) -> Models:
    """Trains one model for each beta and key, all in one program, with fresh minibatches and draws at every step."""
    num_pixels = data.train.shape[1]
    graph, _ = nnx.split(Vae(num_pixels, sizes, rngs=nnx.Rngs(0)))
    images = jnp.asarray(data.train, jnp.float32)
    schedule = optax.warmup_cosine_decay_schedule(
        0.0, sizes.learning_rate, min(100, sizes.num_steps // 10), sizes.num_steps
    )
    # All parameters in one vector: half of the time to compile.
    optimizer = optax.flatten(optax.chain(optax.clip_by_global_norm(50.0), optax.adam(schedule, b2=0.99)))
    annealing = objectives.kl_annealing_schedule(max(1, round(sizes.warm_up * sizes.num_steps)), initial_value=0.05)
    latent_prior = prior(sizes.latent)

    def step(carry: Any, index: jax.Array, beta: jax.Array, key: jax.Array) -> tuple[Any, jax.Array]:
        params, state = carry
        batch_key, pixel_key, draw_key = jax.random.split(jax.random.fold_in(key, index), 3)
        chosen = jax.random.randint(batch_key, (sizes.batch_size,), 0, len(images))
        x = images[chosen]
        x = jax.random.bernoulli(pixel_key, x).astype(x.dtype) if binarise else x

        def loss(params: Any) -> jax.Array:
            model = nnx.merge(graph, params)

            def of_image(z: jax.Array) -> jax.Array:
                return log_likelihood(data.num_trials * x[None], model.logits(z), data.num_trials)

            bound = objectives.elbo(
                model.posterior(x), latent_prior, of_image, key=draw_key, beta=beta * annealing(index)
            )
            return -jnp.mean(bound)

        value, slope = jax.value_and_grad(loss)(params)
        updates, state = optimizer.update(slope, state, params)
        return (optax.apply_updates(params, updates), state), value

    num_chunks = min(10, sizes.num_steps)
    length = sizes.num_steps // num_chunks

    @jax.jit
    def advance(carry: Any, start: jax.Array) -> tuple[Any, jax.Array]:
        def one(carry: Any, beta: jax.Array, key: jax.Array) -> tuple[Any, jax.Array]:
            return jax.lax.scan(lambda c, i: step(c, i, beta, key), carry, start + jnp.arange(length))

        return jax.vmap(one)(carry, jnp.asarray(betas, jnp.float32), keys)

    def start(key: jax.Array) -> tuple[Any, Any]:
        params = nnx.split(Vae(num_pixels, sizes, rngs=nnx.Rngs(params=key)))[1]
        return params, optimizer.init(params)

    carry = jax.jit(jax.vmap(start))(keys)
    compiled, compile_seconds = _common.timed(lambda: advance.lower(carry, jnp.asarray(0)).compile())
    losses, run_seconds = [], 0.0
    for chunk in tqdm(range(num_chunks), desc=f"training {len(betas)}", unit=f"{length} steps"):
        (carry, part), seconds = _common.timed(lambda c=carry, i=chunk: compiled(c, jnp.asarray(i * length)))
        losses.append(np.asarray(part))
        run_seconds += seconds
    return Models(graph, carry[0], np.concatenate(losses, axis=1), compile_seconds, run_seconds)


def evaluate(
    models: Models, images: np.ndarray, key: jax.Array, num_trials: int, *, num_draws: int = 64, num_weights: int = 0
) -> dict[str, np.ndarray]:
    """Returns rate, distortion and evidence lower bound `[models, images]` by `num_draws`, 16 of them at a time.

    With `num_weights` also the importance-weighted bound, 50 draws at a time: the mean of means is the mean.
    """
    x = jnp.asarray(images, jnp.float32)
    counts = {"num_trials": num_trials, "num_draws": num_draws, "num_weights": num_weights}
    return jax.tree.map(np.asarray, _evaluate(models.graph, models.params, x, key, **counts))


@jax.jit(static_argnames=("graph", "num_trials", "num_draws", "num_weights"))
def _evaluate(
    graph: Any, params: Any, x: jax.Array, key: jax.Array, *, num_trials: int, num_draws: int, num_weights: int
) -> dict[str, jax.Array]:
    draw_key, weight_key = jax.random.split(key)

    def one(params: Any) -> dict[str, jax.Array]:
        model = nnx.merge(graph, params)
        posterior = model.posterior(x)
        latent_prior = prior(posterior.event_shape[0])

        def of_image(z: jax.Array) -> jax.Array:
            return log_likelihood(num_trials * x[None], model.logits(z), num_trials)

        def parts(key: jax.Array) -> jax.Array:
            terms = objectives.elbo_terms(posterior, latent_prior, of_image, key=key, num_samples=16)
            return jnp.stack([terms.rate, terms.distortion])

        def weighted(key: jax.Array) -> jax.Array:
            return objectives.importance_weighted_bound(posterior, latent_prior, of_image, key=key, num_samples=50)

        rate, distortion = jnp.mean(jax.lax.map(parts, jax.random.split(draw_key, num_draws // 16)), axis=0)
        found = {"rate": rate, "distortion": distortion, "elbo": -rate - distortion}
        if num_weights:
            blocks = jax.lax.map(weighted, jax.random.split(weight_key, num_weights // 50))
            found["importance_weighted"] = objectives.importance_weighted_bound_from_log_weights(blocks)
        return found

    return jax.lax.map(one, params)
