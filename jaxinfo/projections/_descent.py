"""The loop: one step of all lanes, chunks of steps, and what is kept of them."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import optax

from jaxinfo._pytrees import register_dataclass

# Steps between two looks at whether any lane still moves; a step in which none does costs nothing.
_CHUNK = 32

# Of the unconstrained parameters and the number of steps taken, which numbers the draws.
Objective = Callable[[Any, jax.Array], jax.Array]


@register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class State:
    """Where the lanes are: every leaf has the lanes in front."""

    parameters: Any
    optimizer_state: Any
    value: jax.Array
    gradient: Any
    num_steps: jax.Array

    @property
    def gradient_norm(self) -> jax.Array:
        """The Euclidean norm of the gradient of one lane."""
        return jnp.sqrt(sum(jnp.sum(jnp.square(leaf)) for leaf in jax.tree.leaves(self.gradient)))


@contextlib.contextmanager
def _optax_promotion() -> Iterator[None]:
    """Optax mixes step counts with floats, which a caller who has asked JAX for strict promotion would see refused."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


def set_hyperparams(optimizer_state: Any, hyperparams: dict[str, jax.Array]) -> Any:
    """Puts traced numbers where `optax.inject_hyperparams` keeps them."""
    for name, value in hyperparams.items():

        def injected(path: Any, old: Any) -> bool:
            del old
            return any(getattr(key, "name", None) == "hyperparams" for key in path)

        found = optax.tree_utils.tree_get_all_with_path(optimizer_state, name, injected)
        if not found:
            raise ValueError(
                f"fit: the optimizer has no hyperparameter {name!r}: build it with optax.inject_hyperparams"
                f"(...)({name}=...)"
            )
        if optax.tree_utils.tree_get_all_with_path(optimizer_state, name, _scheduled):
            raise ValueError(f"fit: hyperparameter {name!r} follows a schedule of the optimizer, which would undo it")
        dtype = jnp.asarray(found[0][1]).dtype
        optimizer_state = optax.tree_utils.tree_set(optimizer_state, injected, **{name: value.astype(dtype)})
    return optimizer_state


def _scheduled(path: Any, value: Any) -> bool:
    del value
    return any(getattr(key, "name", None) == "hyperparams_states" for key in path)


def start(objective: Objective, optimizer: Any, hyperparams: dict[str, jax.Array], parameters: Any) -> State:
    """Returns the state of one lane before its first step."""
    count = jnp.zeros((), jnp.int32)
    value, gradient = jax.value_and_grad(objective)(parameters, count)
    with _optax_promotion():
        optimizer_state = set_hyperparams(optimizer.init(parameters), hyperparams)
    return State(parameters, optimizer_state, value, gradient, count)


def is_active(state: State, num_steps: jax.Array, tolerance: jax.Array) -> jax.Array:
    """Whether a lane goes on: neither out of steps, nor converged, nor lost to a NaN or an infinity."""
    norm = state.gradient_norm
    return (state.num_steps < num_steps) & (norm > tolerance) & jnp.isfinite(norm) & jnp.isfinite(state.value)


def step(objective: Objective, optimizer: Any, state: State, count: jax.Array, active: jax.Array) -> State:
    """Returns the state of one lane after one update, or unchanged where it is not active.

    The lanes that are active have all taken the same number of steps, `count`: one number, which serves draws that
    they have in common.
    """
    with _optax_promotion():
        updates, optimizer_state = optax.with_extra_args_support(optimizer).update(
            state.gradient,
            state.optimizer_state,
            state.parameters,
            value=state.value,
            grad=state.gradient,
            # A search along the line looks at one function: that of this step's draws.
            value_fn=lambda parameters: objective(parameters, count),
        )
    parameters = optax.apply_updates(state.parameters, updates)
    value, gradient = jax.value_and_grad(objective)(parameters, count + 1)
    moved = State(parameters, optimizer_state, value, gradient, count + 1)
    return jax.tree.map(lambda new, old: jnp.where(active, new, old), moved, state)


def descend(
    advance: Callable[[State, jax.Array], State],
    any_active: Callable[[State], jax.Array],
    state: State,
    record: Callable[[State], Any] | None,
    record_every: int,
    num_records: int,
) -> tuple[State, Any]:
    """Runs chunks of steps while any lane is active; returns the last state and the rows that were recorded.

    Row 0 is the start and row `i` the state after `i * record_every` steps; where the loop ends before, the last state.
    """
    length = record_every if record is not None else _CHUNK

    def maybe_advance(state: State, _: None) -> tuple[State, None]:
        count = jnp.max(state.num_steps)
        return jax.lax.cond(any_active(state), advance, lambda same, _: same, state, count), None

    def chunk(carry: tuple[State, Any, jax.Array]) -> tuple[State, Any, jax.Array]:
        state, rows, index = carry
        state, _ = jax.lax.scan(maybe_advance, state, length=length)
        if record is not None:
            rows = jax.tree.map(
                lambda all_rows, row: jax.lax.dynamic_update_index_in_dim(all_rows, row, index, axis=0),
                rows,
                record(state),
            )
        return state, rows, index + 1

    rows = None
    if record is not None:
        rows = jax.tree.map(lambda row: jnp.broadcast_to(row, (num_records + 1, *row.shape)), record(state))
    state, rows, index = jax.lax.while_loop(
        lambda carry: any_active(carry[0]), chunk, (state, rows, jnp.ones((), jnp.int32))
    )
    if record is not None:
        written = jnp.arange(num_records + 1, dtype=jnp.int32) < index
        rows = jax.tree.map(
            lambda all_rows, row: jnp.where(
                written.reshape(-1, *(1,) * row.ndim), all_rows, jnp.broadcast_to(row, all_rows.shape)
            ),
            rows,
            record(state),
        )
    return state, rows
