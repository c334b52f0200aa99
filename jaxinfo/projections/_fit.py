"""Fits: descend a divergence between a target and a family, from many starts at once."""

import dataclasses
import functools
import math
from collections.abc import Mapping
from typing import Any

import jax
import jax.core
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike, DTypeLike

from jaxinfo._pytrees import register_dataclass
from jaxinfo.densities import Estimate
from jaxinfo.interop._conversion import adapt
from jaxinfo.projections import _arrays, _descent, _lanes, _methods
from jaxinfo.projections._divergences import Divergence
from jaxinfo.projections._estimators import Method
from jaxinfo.projections._one import Descent
from jaxinfo.projections._optima import LocalOptimum, find_optima
from jaxinfo.projections._targets import Samples


@register_dataclass
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


@register_dataclass
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

    def local_optima(
        self, target: Any, divergence: Divergence, *, method: Method | None = None, distance: float = 1e-2
    ) -> tuple[LocalOptimum, ...]:
        r"""Returns the distinct ends of the descents that converged, the best first; on the host.

        Two ends are one optimum if $\sqrt{D(q_1 \| q_2) + D(q_2 \| q_1)}$, the distance in the Fisher metric, is at
        most `distance`: this neither depends on the parameters' units nor on the order of a mixture's components.

        Args:
          target: what was fitted, without a sweep.
          divergence: the divergence that was fitted.
          method: how the Hessian is computed; None is as in `fit`, and Monte Carlo needs one that is given.
          distance: between ends that count as one.

        Returns:
          One `LocalOptimum` for each, with its share of all starts.

        Raises:
          ValueError: if the fit was a sweep.
          TypeError: if the method has no second derivatives.

        >>> import jax.numpy as jnp
        >>> import optax
        >>> from jaxinfo.distributions import Mixture, Normal
        >>> from jaxinfo.projections import ReverseKL, fit
        >>> target = Mixture(jnp.array([0.5, 0.5]), Normal(jnp.array([-3.0, 3.0]), 1.0))
        >>> starts = Normal(jnp.array([-2.0, -1.8, 0.0, 2.0]), 1.0)
        >>> found = fit(target, starts, ReverseKL(), optimizer=optax.lbfgs(), num_steps=50)
        >>> for optimum in found.local_optima(target, ReverseKL()):
        ...     print(optimum.kind, round(float(optimum.value.value), 3), optimum.share)
        minimum 0.689 0.5
        minimum 0.689 0.25
        minimum 0.841 0.25
        """
        return find_optima(self, adapt(target), divergence, method, distance)


def fit(
    target: Any,
    init: Any,
    divergence: Divergence,
    *,
    optimizer: Any,
    num_steps: ArrayLike,
    method: Method | None = None,
    key: jax.Array | None = None,
    hyperparams: Mapping[str, ArrayLike] | None = None,
    record_every: int | None = None,
    tolerance: ArrayLike | None = None,
    common_random_numbers: bool | _methods.Common = "none",
) -> Fit:
    """Minimises a divergence between `target` and the family of `init`, from every start in `init`.

    One compiled loop takes all steps of all lanes. The batch shape of `init` counts restarts; that of `target`, and of
    the numbers of `divergence`, a sweep. Every target is fitted from every start, and what comes back has the shape
    `[*sweep, *restarts]`. A lane that has converged stays where it is while others move. Calling again with the same
    `optimizer` object and shapes compiles nothing; targets, starts, orders and weights of divergences, `num_steps`,
    `hyperparams`, keys and `tolerance` may change. Memory does not grow with `num_steps` unless a history is asked for.

    Args:
      target: a density, also of a library that `jaxinfo.interop` knows, `UnnormalizedLogProb` or `Samples`.
      init: the starts, a distribution or what `parameterized` makes; its family is what is fitted, in its own
        unconstrained parameters.
      divergence: `ForwardKL()`, `ReverseKL()` or another of this module.
      optimizer: an Optax transformation; those that search along a line (`optax.lbfgs`) are given what they need.
      num_steps: the most steps a lane takes.
      method: how the divergence is computed: a method of `jaxinfo.densities`, whose key is folded with the lane and the
        step, or `SelfNormalizedImportance(...)`. None is a closed form where one is known, otherwise a sum over
        integers, quadrature in one or two dimensions, or Monte Carlo with 256 draws a step, which needs `key`.
      key: a PRNG key, for `method=None` where only Monte Carlo applies.
      hyperparams: numbers that replace those of an optimizer made by `optax.inject_hyperparams`, by name.
      record_every: steps between the rows of `history`; None keeps no history. Then `num_steps` must be known while
        tracing, and a change of it compiles anew.
      tolerance: a lane stops once its gradient's norm is at most this. None takes every step, and `converged` then
        compares with the square root of the dtype's epsilon. Of fresh draws at every step a gradient does not vanish.
      common_random_numbers: what shares its draws. `"steps"`, or True: every step has the same, which makes the
        objective a function that descents can minimise, off by the error of its draws. `"lanes"`: every start and every
        problem of a sweep has the same, new at each step, so that random numbers are made once instead of once a lane
        and the ends differ by less noise. `"both"`, or `"none"`, or False.

    Returns:
      A `Fit`.

    Raises:
      TypeError: if `divergence`, `optimizer`, `init` or `target` is not what it must be, or if a divergence, a target
        and a method do not go together.
      ValueError: if `num_steps`, `record_every`, `tolerance` or `common_random_numbers` is not one that may be, if the
        optimizer lacks one of the `hyperparams`, or if `key` is missing or given beside a method.

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
    target, init = (adapt(each) for each in (target, init))
    check_objects("fit", target, init, divergence, optimizer)
    _methods.check("fit", method, key)
    num_records = _check_counts(num_steps, record_every)
    common = _methods.common(common_random_numbers)
    if tolerance is not None and _is_known(tolerance) and not 0 < float(np.asarray(tolerance)) < math.inf:
        raise ValueError(f"fit: tolerance must be a positive number or None, got {tolerance!r}")
    for name, number in (hyperparams or {}).items():
        if jnp.ndim(number) != 0:
            raise ValueError(f"fit: hyperparameter {name!r} must be a scalar, got shape {jnp.shape(number)}")
    dtype = _arrays.dtype_of(target, init)
    cast = functools.partial(_arrays.as_floats, dtype=dtype)
    return _run(
        cast(divergence),
        cast(target),
        cast(_arrays.with_full_leaves(init)),
        jnp.asarray(num_steps, jnp.int32),
        None if tolerance is None else cast(tolerance),
        cast(dict(hyperparams or {})),
        method,
        key,
        optimizer=optimizer,
        record_every=record_every or 0,
        num_records=num_records,
        common=common,
        kinds=(type(target), type(init)),
    )


@jax.jit(static_argnames=("optimizer", "record_every", "num_records", "common", "kinds"))
def _run(
    divergence: Divergence,
    target: Any,
    init: Any,
    num_steps: jax.Array,
    tolerance: jax.Array | None,
    hyperparams: dict[str, jax.Array],
    method: Method | None,
    key: jax.Array | None,
    *,
    optimizer: Any,
    record_every: int,
    num_records: int,
    common: _methods.Common,
    kinds: tuple[type, ...],
) -> Fit:
    # JAX may confuse classes that users registered with `jax.tree_util.register_dataclass`, but not static arguments.
    del kinds
    lanes = _lanes.Lanes.of(divergence, target, init)
    limit, threshold = _tolerances(tolerance, _arrays.dtype_of(target, init))
    of_steps, of_value = _methods.choose(*lanes.first, method, key)
    one = Descent(init, of_steps, of_value, optimizer, hyperparams, num_steps, limit, common)
    state, rows = _descent.descend(
        functools.partial(lanes.each, one.advance),
        lambda state: jnp.any(lanes.own(one.is_active, state)),
        lanes.begin(one.begin),
        functools.partial(lanes.own, _row) if record_every else None,
        record_every,
        num_records,
    )
    parameters, _, norms = lanes.own(_row, state)
    values = lanes.each(one.finish, state)
    # Where the integral itself has been lost, a small gradient means nothing.
    converged = (norms <= threshold) & jnp.isfinite(values.value) & jnp.isfinite(values.stderr)
    ends = lanes.unflatten((parameters, values, norms, converged, state.num_steps))
    history = None
    if record_every:
        taken = jnp.minimum(jnp.arange(num_records + 1, dtype=jnp.int32) * record_every, num_steps)
        passed, trace, norm_trace = lanes.unflatten(rows, axis=1)
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


def check_objects(name: str, target: Any, init: Any, divergence: Any, optimizer: Any) -> None:
    """An error, with the name of the caller, for what cannot be fitted."""
    if not isinstance(divergence, Divergence):
        raise TypeError(f"{name}: divergence must be an object such as ForwardKL() or ReverseKL(), got {divergence!r}")
    if not all(callable(getattr(optimizer, method, None)) for method in ("init", "update")):
        raise TypeError(f"{name}: optimizer must be an Optax transformation, got {optimizer!r}")
    if not all(hasattr(init, part) for part in ("to_unconstrained", "from_unconstrained", "batch_shape")):
        raise TypeError(f"{name}: init must be a distribution of a family that knows its bijection, got {init!r}")
    if not isinstance(target, Samples) and not callable(getattr(target, "log_prob", None)):
        raise TypeError(
            f"{name}: {divergence} needs a target with log_prob (a function is UnnormalizedLogProb(function)), "
            f"or Samples(x), got {target!r}"
        )


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
