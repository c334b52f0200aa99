"""How the divergence is computed in the loop, and with which draws."""

import dataclasses
from typing import Any, Literal, get_args

import jax
import jax.numpy as jnp

from jaxinfo.densities import (
    ClosedForm,
    MonteCarlo,
    Quadrature,
    Reparameterized,
    ScoreFunction,
    StickingTheLanding,
)
from jaxinfo.densities._quadrature import PanelSum
from jaxinfo.projections._divergences import Divergence, ReverseKL
from jaxinfo.projections._estimators import Method, SelfNormalizedImportance
from jaxinfo.projections._targets import Samples

# What has the same draws.
Common = Literal["none", "steps", "lanes", "both"]

# In the loop the panels are not refined: they follow both densities at every step, which is exact to rounding but for
# extreme pairs. The value of the optimum, taken once, is refined and carries its bound.
_PANELS_OF_STEPS = PanelSum(num_rounds=0)
# Draws of a step, and of the value at the end, where only a key was given.
_DRAWS_OF_STEPS, _DRAWS_OF_VALUE = 2**8, 2**14


def check(name: str, method: Any, key: Any) -> None:
    """An error for what is no method, or for a key beside one."""
    if method is not None and not isinstance(method, Method):
        raise TypeError(
            f"{name}: method must be ClosedForm(), ExactSum(...), Quadrature(...), MonteCarlo(key, ...), "
            f"SelfNormalizedImportance(key, ...) or None, got {method!r}"
        )
    if method is not None and key is not None:
        raise ValueError(f"{name}: key is for method=None; a method that needs one holds it, got {method!r} and a key")


def common(given: Any) -> Common:
    """What `common_random_numbers` means, or an error."""
    if isinstance(given, bool):
        return "steps" if given else "none"
    if given not in get_args(Common):
        raise ValueError(f"fit: common_random_numbers must be a bool or one of {get_args(Common)}, got {given!r}")
    return given


def choose(
    divergence: Divergence, target: Any, approximation: Any, method: Any, key: Any
) -> tuple[Method | None, Method | None]:
    """Returns the methods of the steps and of the value at the end, given one member of each."""
    if isinstance(method, Quadrature):
        return PanelSum(**dataclasses.asdict(method)), method
    if method is not None or isinstance(target, Samples):
        return method, method
    # Only shapes are computed: the estimate says how it was made.
    chosen = jax.eval_shape(lambda: divergence.estimate(target, approximation, key=key)).method
    if chosen == "quadrature":
        return _PANELS_OF_STEPS, None
    if chosen != "monte_carlo":
        known = ClosedForm() if chosen == "closed_form" else None
        return known, known
    steps = MonteCarlo(key, _DRAWS_OF_STEPS, _gradient(divergence, target, approximation), control_variate=0.0)
    return steps, MonteCarlo(key, _DRAWS_OF_VALUE)


def _gradient(divergence: Divergence, target: Any, approximation: Any) -> Any:
    """The gradient of least variance that applies."""
    drawn = [d for d in (target, approximation) if callable(getattr(d, "sample", None))]
    draws = [jax.eval_shape(lambda d=d: d.sample(jax.random.key(0), ())) for d in drawn]
    if any(jnp.issubdtype(draw.dtype, jnp.integer) for draw in draws):
        return ScoreFunction()
    return StickingTheLanding() if isinstance(divergence, ReverseKL) else Reparameterized()


def at(method: Method | None, lane: jax.Array, step: jax.Array, common: Common = "none") -> Method | None:
    """Returns the method with the draws of a lane and a step, unless they are common to all of them."""
    if not isinstance(method, MonteCarlo | SelfNormalizedImportance):
        return method
    key = method.key
    for number, shared in ((lane, ("lanes", "both")), (step, ("steps", "both"))):
        key = key if common in shared else jax.random.fold_in(key, number)
    return dataclasses.replace(method, key=key)


def for_curvature(method: Method | None) -> Method | None:
    """The method with derivatives of second order; an error where its draws have none."""
    if not isinstance(method, MonteCarlo):
        return method
    if isinstance(method.gradient, ScoreFunction):
        raise TypeError("local_optima: draws by ScoreFunction() have no second derivative; give another method")
    return dataclasses.replace(method, gradient=Reparameterized())
