"""The pair below `fit`, for those who own their loop."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo._pytrees import register_dataclass
from jaxinfo.interop._conversion import adapt
from jaxinfo.projections import _arrays, _descent, _fit, _lanes, _methods
from jaxinfo.projections._divergences import Divergence
from jaxinfo.projections._estimators import Method


@register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class FitState:
    """Where a descent is; a pytree, to be carried through a loop.

    Args:
      approximation: the member that it started from, which names the family.
      descent: unconstrained parameters, optimizer state, value, gradient and number of steps.
    """

    approximation: Any
    descent: _descent.State

    @property
    def distribution(self) -> Any:
        """The approximation now."""
        return self.approximation.from_unconstrained(self.descent.parameters)

    @property
    def value(self) -> jax.Array:
        """The divergence now, in nats, as the step computed it."""
        return self.descent.value

    @property
    def gradient_norm(self) -> jax.Array:
        """The Euclidean norm of its gradient in the unconstrained parameters."""
        return self.descent.gradient_norm

    @property
    def num_steps(self) -> jax.Array:
        """The steps taken."""
        return self.descent.num_steps


def init(
    target: Any,
    approximation: Any,
    divergence: Divergence,
    *,
    optimizer: Any,
    method: Method | None = None,
    key: jax.Array | None = None,
    hyperparams: Mapping[str, ArrayLike] | None = None,
) -> FitState:
    """Returns the state of one descent before its first step; `fit` without the loop.

    Args:
      target: a density, `UnnormalizedLogProb` or `Samples`, without a sweep.
      approximation: the start, a distribution without a batch; map over starts with `jax.vmap`.
      divergence: what is minimised.
      optimizer: an Optax transformation.
      method: how the divergence is computed, as in `fit`; its key is folded with the number of steps.
      key: a PRNG key, for `method=None` where only Monte Carlo applies.
      hyperparams: numbers that replace those of an optimizer made by `optax.inject_hyperparams`, by name.

    Returns:
      A `FitState`.

    Raises:
      TypeError, ValueError: as `fit`; also if the target or the approximation has a batch.

    >>> import jax
    >>> import optax
    >>> from jaxinfo.distributions import Normal
    >>> from jaxinfo.projections import ReverseKL, init, step
    >>> target, optimizer = Normal(2.0, 1.0), optax.adam(0.1)
    >>> state = init(target, Normal(0.0, 1.0), ReverseKL(), optimizer=optimizer)
    >>> def body(state, _):
    ...     state = step(state, target, ReverseKL(), optimizer=optimizer)
    ...     return state, state.value
    >>> state, values = jax.lax.scan(body, state, length=200)
    >>> round(float(state.distribution.loc), 2), values.shape
    (2.0, (200,))
    """
    target, approximation = adapt(target), adapt(approximation)
    _fit.check_objects("init", target, approximation, divergence, optimizer)
    dtype = _arrays.dtype_of(target, approximation)
    start = _arrays.as_floats(_arrays.with_full_leaves(approximation), dtype=dtype)
    numbers = {name: jnp.asarray(value, dtype) for name, value in (hyperparams or {}).items()}
    objective = _objective("init", target, start, divergence, method, key)
    return FitState(start, _descent.start(objective, optimizer, numbers, start.to_unconstrained()))


def step(
    state: FitState,
    target: Any,
    divergence: Divergence,
    *,
    optimizer: Any,
    method: Method | None = None,
    key: jax.Array | None = None,
) -> FitState:
    """Returns the state after one update.

    The target may be another at each step, a batch of samples for instance: the update follows the gradient at the last
    one, and the value and the gradient that are returned are those at this one.

    Args:
      state: what `init` or `step` returned.
      target: as for `init`.
      divergence: as for `init`.
      optimizer: the same transformation as for `init`.
      method: as for `init`.
      key: as for `init`.

    Returns:
      A `FitState`.

    Raises:
      TypeError, ValueError: as `init`.

    >>> import optax
    >>> from jaxinfo.distributions import Normal
    >>> from jaxinfo.projections import ForwardKL, init, step
    >>> optimizer = optax.sgd(0.5)
    >>> state = init(Normal(2.0, 1.0), Normal(0.0, 1.0), ForwardKL(), optimizer=optimizer)
    >>> round(float(step(state, Normal(2.0, 1.0), ForwardKL(), optimizer=optimizer).distribution.loc), 4)
    1.0
    """
    target = adapt(target)
    objective = _objective("step", target, state.approximation, divergence, method, key)
    descent, always = state.descent, jnp.asarray(True)
    moved = _descent.step(objective, optimizer, descent, descent.num_steps, always)
    return dataclasses.replace(state, descent=moved)


def _objective(name: str, target: Any, start: Any, divergence: Any, method: Any, key: Any) -> _descent.Objective:
    _methods.check(name, method, key)
    if start.batch_shape or tuple(getattr(target, "batch_shape", ())):
        raise ValueError(f"{name}: one target and one start at a time, without a batch; map over more with jax.vmap")
    dtype = _arrays.dtype_of(target, start)
    target = _arrays.as_floats(target, dtype=dtype)
    divergence = _arrays.as_floats(divergence, dtype=dtype)
    chosen, _ = _methods.choose(divergence, target, start, method, key)

    def value(free: Any, count: jax.Array) -> jax.Array:
        drawn = _methods.at(chosen, jnp.zeros((), jnp.int32), count)
        return _lanes.Problem(divergence, target).estimate(start.from_unconstrained(free), drawn).value

    return value
