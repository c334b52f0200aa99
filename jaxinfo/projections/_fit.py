"""Fits: descend a divergence between a target and a family, from many starts at once."""

import dataclasses
import functools
import math
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.core
import jax.numpy as jnp
from jax.typing import ArrayLike, DTypeLike

from jaxinfo.densities import ClosedForm, Estimate, Quadrature
from jaxinfo.distributions._arrays import common_dtype, working_dtype
from jaxinfo.distributions._registry import closed_form
from jaxinfo.projections import _descent
from jaxinfo.projections._divergences import Divergence, ForwardKL, ReverseKL

# In the loop the panels are not refined: they follow both densities at every step, which is exact to rounding but for
# extreme pairs. The value of the optimum, taken once, is refined and carries its bound.
_PANELS_OF_STEPS = Quadrature(num_rounds=0)

Method = ClosedForm | Quadrature


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class History:
    """What a fit went through: `T + 1` rows, the start and every `record_every` steps; rows are the leading axis.

    Args:
      num_steps: the steps taken before each row, `[T + 1]`; a lane that converged earlier repeats its last row.
      value: the divergence in nats, `[T + 1, *sweep, *restarts]`.
      gradient_norm: the norm of its gradient in the unconstrained parameters, of the same shape.
      distribution: the approximation, of batch shape `[T + 1, *sweep, *restarts]`.
    """

    num_steps: jax.Array
    value: jax.Array
    gradient_norm: jax.Array
    distribution: Any


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class Fit:
    """Where a fit ended; every leaf has the shape `[*sweep, *restarts]` in front.

    Args:
      optimum: the approximation at the end, a distribution of the family of `init`.
      value: the divergence there, an `Estimate` in nats.
      history: the way there, a `History`, or None unless `record_every` was given.
      gradient_norm: the Euclidean norm of the gradient in the unconstrained parameters.
      converged: whether `gradient_norm` is within the tolerance. A stationary point need not be a minimum.
      num_steps: the steps that each lane took.
    """

    optimum: Any
    value: Estimate
    history: History | None
    gradient_norm: jax.Array
    converged: jax.Array
    num_steps: jax.Array


def fit(
    target: Any,
    init: Any,
    divergence: Divergence,
    *,
    optimizer: Any,
    num_steps: ArrayLike,
    method: Method | None = None,
    hyperparams: Mapping[str, ArrayLike] | None = None,
    record_every: int | None = None,
    tolerance: ArrayLike | None = None,
) -> Fit:
    """Minimises a divergence between `target` and the family of `init`, from every start in `init`.

    One compiled loop takes all steps of all lanes. The batch shape of `init` counts restarts and that of `target` a
    sweep; every target is fitted from every start, and what comes back has the shape `[*sweep, *restarts]`. A lane
    that has converged stays where it is while others move. Calling again with the same `optimizer` object and shapes
    compiles nothing; targets, starts, `num_steps`, `hyperparams` and `tolerance` may change. Memory does not grow with
    `num_steps` unless a history is asked for.

    Args:
      target: the density to approximate.
      init: the starts, a distribution; its family is what is fitted, in its own unconstrained parameters.
      divergence: `ForwardKL()` or `ReverseKL()`.
      optimizer: an Optax transformation; those that search along a line (`optax.lbfgs`) are given what they need.
      num_steps: the most steps a lane takes.
      method: how the divergence is computed; None is a closed form where one is known, otherwise quadrature.
      hyperparams: numbers that replace those of an optimizer made by `optax.inject_hyperparams`, by name.
      record_every: steps between the rows of `history`; None keeps no history. Then `num_steps` must be known while
        tracing, and a change of it compiles anew.
      tolerance: a lane stops once its gradient's norm is at most this. None takes every step, and `converged` then
        compares with the square root of the dtype's epsilon.

    Returns:
      A `Fit`.

    Raises:
      TypeError: if `divergence`, `optimizer`, `init` or `target` is not what it must be.
      ValueError: if `num_steps`, `record_every` or `tolerance` is out of range, or if the optimizer lacks one of the
        `hyperparams`.

    **Domain** a start where the divergence or its gradient is not finite takes no step and has not converged.

    **Gradient** none in reverse mode: the number of steps is found while running.

    Reference: D. M. Blei, A. Kucukelbir and J. D. McAuliffe, "Variational Inference: A Review for Statisticians", JASA
        112, 2017.

    >>> import jax.numpy as jnp
    >>> import optax
    >>> from jaxinfo.distributions import Mixture, Normal
    >>> from jaxinfo.projections import ReverseKL, fit
    >>> target = Mixture(jnp.array([0.5, 0.5]), Normal(jnp.array([-3.0, 3.0]), 1.0))
    >>> starts = Normal(jnp.array([-2.0, 0.0, 2.0]), 1.0)
    >>> found = fit(target, starts, ReverseKL(), optimizer=optax.adam(0.1), num_steps=300)
    >>> [round(float(mean) + 0.0, 2) for mean in found.optimum.loc]
    [-2.98, 0.0, 2.98]
    >>> [round(float(value), 3) for value in found.value.value]
    [0.689, 0.841, 0.689]
    """
    _check_objects(target, init, divergence, optimizer, method)
    num_records = _check_counts(num_steps, record_every)
    if tolerance is not None and _is_known(tolerance) and not 0 < float(jnp.asarray(tolerance)) < math.inf:
        raise ValueError(f"fit: tolerance must be a positive number or None, got {tolerance!r}")
    for name, number in (hyperparams or {}).items():
        if jnp.ndim(number) != 0:
            raise ValueError(f"fit: hyperparameter {name!r} must be a scalar, got shape {jnp.shape(number)}")
    dtype = working_dtype(common_dtype(*jax.tree.leaves((target, init))))
    cast = lambda tree: jax.tree.map(lambda leaf: jnp.asarray(leaf).astype(dtype), tree)  # noqa: E731
    return _run(
        cast(_with_full_leaves(target)),
        cast(_with_full_leaves(init)),
        jnp.asarray(num_steps, jnp.int32),
        None if tolerance is None else cast(tolerance),
        cast(dict(hyperparams or {})),
        divergence=divergence,
        optimizer=optimizer,
        method=method,
        record_every=record_every or 0,
        num_records=num_records,
    )


@functools.partial(jax.jit, static_argnames=("divergence", "optimizer", "method", "record_every", "num_records"))
def _run(
    target: Any,
    init: Any,
    num_steps: jax.Array,
    tolerance: jax.Array | None,
    hyperparams: dict[str, jax.Array],
    *,
    divergence: Divergence,
    optimizer: Any,
    method: Method | None,
    record_every: int,
    num_records: int,
) -> Fit:
    targets, starts = _flatten(target, target.batch_shape), _flatten(init.to_unconstrained(), init.batch_shape)
    limit, threshold = _tolerances(tolerance, init.mean.dtype)
    method_of_steps = _method_of_steps(method, divergence.arguments(target, init))

    def objective(target: Any) -> _descent.Objective:
        return lambda free: divergence.estimate(target, init.from_unconstrained(free), method=method_of_steps).value

    def begin(target: Any, free: Any) -> _descent.State:
        return _descent.start(objective(target), optimizer, hyperparams, free)

    def advance(target: Any, lane: _descent.State) -> _descent.State:
        return _descent.step(objective(target), optimizer, lane, _descent.is_active(lane, num_steps, limit))

    def finish(target: Any, lane: _descent.State) -> Estimate:
        return divergence.estimate(target, init.from_unconstrained(lane.parameters), method=method)

    state, rows = _descent.descend(
        lambda state: _over_lanes(advance, 0)(targets, state),
        lambda state: jnp.any(_of_each(lambda lane: _descent.is_active(lane, num_steps, limit))(state)),
        _over_lanes(begin, None)(targets, starts),
        _of_each(_row) if record_every else None,
        record_every,
        num_records,
    )
    parameters, _, norms = _of_each(_row)(state)
    values = _over_lanes(finish, 0)(targets, state)
    # Where the integral itself has been lost, a small gradient means nothing.
    converged = (norms <= threshold) & jnp.isfinite(values.value) & jnp.isfinite(values.stderr)
    ends = _unflatten((parameters, values, norms, converged, state.num_steps), 0, target, init)
    history = None
    if record_every:
        taken = jnp.minimum(jnp.arange(num_records + 1, dtype=jnp.int32) * record_every, num_steps)
        passed, trace, norm_trace = _unflatten(rows, 1, target, init)
        history = History(taken, trace, norm_trace, init.from_unconstrained(passed))
    return Fit(init.from_unconstrained(ends[0]), ends[1], history, *ends[2:])


def _tolerances(tolerance: jax.Array | None, dtype: DTypeLike) -> tuple[jax.Array, jax.Array]:
    """Returns the norm below which a lane stops, and the one below which it counts as converged."""
    if tolerance is not None:
        return tolerance, tolerance
    # Without a tolerance no lane ends early: no norm is negative.
    return jnp.full((), -1.0, dtype), jnp.full((), math.sqrt(float(jnp.finfo(dtype).eps)), dtype)


def _row(lane: _descent.State) -> tuple[Any, jax.Array, jax.Array]:
    """What a history keeps of one lane."""
    return lane.parameters, lane.value, lane.gradient_norm


def _over_lanes(function: Callable[..., Any], lane_axis: int | None) -> Callable[..., Any]:
    """Maps `function(target, lane)` over targets and, within each, over restarts.

    With `lane_axis=None` every target meets the same lanes; with 0 each has its own.
    """
    return jax.vmap(jax.vmap(function, in_axes=(None, 0)), in_axes=(0, lane_axis))


def _of_each(function: Callable[..., Any]) -> Callable[..., Any]:
    """Maps a function of one lane over targets and restarts."""
    return jax.vmap(jax.vmap(function))


def _flatten(tree: Any, batch_shape: tuple[int, ...]) -> Any:
    """Joins the batch axes, in front in every leaf, into one."""
    return jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[len(batch_shape) :]), tree)


def _unflatten(tree: Any, axis: int, target: Any, init: Any) -> Any:
    """Splits the two axes of lanes, from `axis` on, into those of the sweep and those of the restarts."""
    shape = (*target.batch_shape, *init.batch_shape)
    return jax.tree.map(lambda leaf: leaf.reshape(*leaf.shape[:axis], *shape, *leaf.shape[axis + 2 :]), tree)


def _method_of_steps(method: Method | None, pair: tuple[Any, Any]) -> Method | None:
    """The method in the loop: as asked for, a closed form where one is known, otherwise panels without refinement."""
    if method is not None or closed_form("kl_divergence", *pair) is not None:
        return method
    return _PANELS_OF_STEPS


def _with_full_leaves(distribution: Any) -> Any:
    """Gives every leaf the batch axes, so that they can be mapped over."""
    if hasattr(distribution, "broadcast_to"):
        return distribution.broadcast_to(distribution.batch_shape)
    if distribution.batch_shape:
        raise TypeError(f"fit: a target without broadcast_to cannot be swept over, got {distribution!r}")
    return distribution


def _check_objects(target: Any, init: Any, divergence: Any, optimizer: Any, method: Any) -> None:
    if not isinstance(divergence, ForwardKL | ReverseKL):
        raise TypeError(f"fit: divergence must be ForwardKL() or ReverseKL(), got {divergence!r}")
    if not all(callable(getattr(optimizer, name, None)) for name in ("init", "update")):
        raise TypeError(f"fit: optimizer must be an Optax transformation, got {optimizer!r}")
    if not all(hasattr(init, name) for name in ("to_unconstrained", "from_unconstrained", "batch_shape")):
        raise TypeError(f"fit: init must be a distribution of a family that knows its bijection, got {init!r}")
    if not all(hasattr(target, name) for name in ("log_prob", "mean", "variance", "batch_shape")):
        raise TypeError(f"fit: {divergence} needs a target with log_prob, mean and variance, got {target!r}")
    if method is not None and not isinstance(method, ClosedForm | Quadrature):
        raise TypeError(f"fit: method must be ClosedForm(), Quadrature(...) or None, got {method!r}")


def _check_counts(num_steps: Any, record_every: Any) -> int:
    """Returns how many rows the history has after the first, 0 without a history."""
    if jnp.shape(num_steps) != () or not jnp.issubdtype(jnp.result_type(num_steps), jnp.integer):
        raise TypeError(f"fit: num_steps must be an integer, got {num_steps!r}")
    if _is_known(num_steps) and int(num_steps) < 0:
        raise ValueError(f"fit: num_steps must not be negative, got {num_steps!r}")
    if record_every is None:
        return 0
    if not isinstance(record_every, int) or isinstance(record_every, bool) or record_every < 1:
        raise ValueError(f"fit: record_every must be a positive integer or None, got {record_every!r}")
    if not _is_known(num_steps):
        raise TypeError(f"fit: with record_every the history's size must be known while tracing, got {num_steps!r}")
    return -(-int(num_steps) // record_every)


def _is_known(number: Any) -> bool:
    return not isinstance(number, jax.core.Tracer)
