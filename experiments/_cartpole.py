"""A pole on a cart, as a pure function: the equations and limits of gymnasium's CartPole-v1."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

GRAVITY, FORCE, SECONDS = 9.8, 10.0, 0.02
POLE_MASS, CART_MASS, HALF_LENGTH = 0.1, 1.0, 0.5
TOTAL_MASS, POLE_MOMENT = POLE_MASS + CART_MASS, POLE_MASS * HALF_LENGTH
FARTHEST, STEEPEST = 2.4, 12 * 2 * jnp.pi / 360
SIZES = jnp.array([FARTHEST, 2.0, STEEPEST, 2.0])  # of what is observed while the pole stands
NUM_ACTIONS, NUM_OBSERVED, MOST_STEPS = 2, 4, 500


class State(NamedTuple):
    """Place, speed, angle and angular speed `[..., 4]`, and the steps since the reset `[...]`."""

    observation: jax.Array
    num_steps: jax.Array


def reset(key: jax.Array) -> State:
    """Returns the start of an episode: four numbers between -0.05 and 0.05."""
    return State(jax.random.uniform(key, (NUM_OBSERVED,), minval=-0.05, maxval=0.05), jnp.zeros((), jnp.int32))


def step(state: State, action: jax.Array) -> tuple[State, jax.Array]:
    """Returns the state a fiftieth of a second later, and whether the pole has fallen or the cart left the track.

    Every step is worth 1, also that one. What ends after 500 steps is the episode, not the physics: see `is_over`.
    """
    place, speed, angle, turn = (state.observation[..., i] for i in range(NUM_OBSERVED))
    force = jnp.where(action == 1, FORCE, -FORCE).astype(place.dtype)
    cos, sin = jnp.cos(angle), jnp.sin(angle)
    push = (force + POLE_MOMENT * turn**2 * sin) / TOTAL_MASS
    bend = (GRAVITY * sin - cos * push) / (HALF_LENGTH * (4 / 3 - POLE_MASS * cos**2 / TOTAL_MASS))
    pull = push - POLE_MOMENT * bend * cos / TOTAL_MASS
    moved = (place + SECONDS * speed, speed + SECONDS * pull, angle + SECONDS * turn, turn + SECONDS * bend)
    fallen = (jnp.abs(moved[0]) > FARTHEST) | (jnp.abs(moved[2]) > STEEPEST)
    return State(jnp.stack(moved, axis=-1), state.num_steps + 1), fallen


def is_over(state: State, fallen: jax.Array) -> jax.Array:
    """Whether the episode has ended, by a fall or by its length."""
    return fallen | (state.num_steps >= MOST_STEPS)
