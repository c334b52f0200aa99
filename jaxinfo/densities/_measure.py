"""From a verb to its estimate: what is checked while tracing, and the choice of the method."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo._checks import unit
from jaxinfo._numerics import in_units
from jaxinfo.densities import _density
from jaxinfo.densities._estimate import Estimate
from jaxinfo.densities._exact_sum import ExactSum, add_up
from jaxinfo.densities._hermite import GaussHermite, integrate_normal
from jaxinfo.densities._monte_carlo import MonteCarlo, average, check_draws, draws_integers
from jaxinfo.densities._plane import integrate_plane
from jaxinfo.densities._quadrature import Quadrature, integrate
from jaxinfo.densities._terms import Term
from jaxinfo.distributions._arrays import common_dtype, working_dtype
from jaxinfo.distributions._registry import closed_form
from jaxinfo.interop._conversion import adapt


@jax.tree_util.register_static
@dataclasses.dataclass(frozen=True)
class ClosedForm:
    """The formula in `jaxinfo.distributions`, exact but for rounding; an error where none is known.

    >>> from jaxinfo import densities
    >>> from jaxinfo.distributions import Normal
    >>> densities.entropy(Normal(0.0, 1.0), method=densities.ClosedForm()).method
    'closed_form'
    """


Method = ClosedForm | ExactSum | Quadrature | GaussHermite | MonteCarlo
# Draws that are taken where nothing else applies and only a key was given.
_NUM_SAMPLES = 2**14
Formula = Callable[..., jax.Array]


def measure(
    name: str,
    term: Term,
    densities: tuple[Any, ...],
    *,
    method: Method | None,
    key: jax.Array | None = None,
    base: float | None = None,
    formula: Formula | None = None,
) -> Estimate:
    """Returns the measure of a term between densities by `method`, or by the best that applies.

    `formula` is the closed form, if one is known, of the densities.
    """
    name = f"densities.{name}"
    divisor = unit(name, base)
    densities = tuple(_density.as_density(name, adapt(density)) for density in densities)
    batch = _batch(name, term, densities)
    method = _choose(name, method, key, densities, formula)
    if isinstance(method, ClosedForm):
        estimate = _by_formula(formula, densities)
    else:
        if isinstance(method, MonteCarlo):
            method = check_draws(name, term, densities, method)
        estimate = _compute(term, method, densities, batch=batch, kinds=tuple(map(type, densities)))
    return estimate if base is None else _in_units(estimate, divisor)


def known_formula(name: str, *densities: Any, **numbers: Any) -> Formula | None:
    """The closed form of a measure between these densities, with its numbers put in; None where there is none."""
    formula = closed_form(name, *map(adapt, densities))
    if formula is None:
        return None
    return lambda *members: formula(*members, **numbers)


def _batch(name: str, term: Term, densities: tuple[Any, ...]) -> tuple[int, ...]:
    events = {_density.event_shape(density) for density in densities if not _density.is_bare(density)}
    if len(events) > 1:
        raise ValueError(f"{name}: event shapes differ: {[_density.event_shape(density) for density in densities]}")
    shapes = [_density.batch_shape(density) for density in densities]
    try:
        return jnp.broadcast_shapes(*shapes, *(jnp.shape(leaf) for leaf in jax.tree.leaves(term)))
    except ValueError as error:
        raise ValueError(f"{name}: batch shapes {shapes} do not broadcast") from error


def _choose(
    name: str, method: Any, key: jax.Array | None, densities: tuple[Any, ...], formula: Formula | None
) -> Method:
    """Checks a method that was asked for; without one, takes the first that applies."""
    kinds = {_density.is_discrete(density) for density in densities if not _density.is_bare(density)}
    if len(kinds) > 1:
        raise TypeError(f"{name}: one of {_types(densities)} is discrete and the other is not")
    discrete = True in kinds
    if method is None:
        return _best(name, key, densities, formula, discrete)
    if key is not None:
        raise ValueError(f"{name}: key is for method=None; a method that needs one holds it, as MonteCarlo(key, ...)")
    if isinstance(method, ClosedForm) and formula is None:
        other = "ExactSum()" if discrete else "Quadrature()"
        raise TypeError(f"{name}: no closed form is known for {_types(densities)}; use {other}")
    if not isinstance(method, Method):
        options = "ClosedForm(), ExactSum(...), Quadrature(...), GaussHermite(...), MonteCarlo(key, ...) or None"
        raise TypeError(f"{name}: method must be {options}, got {method!r}")
    if isinstance(method, ExactSum) and not discrete:
        raise TypeError(f"{name}: ExactSum needs distributions of integers, got {_types(densities)}")
    if isinstance(method, GaussHermite) and (discrete or any(map(_has_no_scale, densities[:1]))):
        raise TypeError(
            f"{name}: GaussHermite needs densities of numbers with mean and variance, got {_types(densities)}"
        )
    if isinstance(method, Quadrature) and (discrete or _num_dimensions(densities) > 2):
        raise TypeError(f"{name}: Quadrature needs densities of one or two dimensions, got {_types(densities)}")
    return method


def _best(
    name: str, key: jax.Array | None, densities: tuple[Any, ...], formula: Formula | None, discrete: bool
) -> Method:
    """The first method that applies."""
    if formula is not None:
        return ClosedForm()
    if discrete:
        return ExactSum()
    is_charted = all(map(_density.is_charted, densities))
    if _num_dimensions(densities) <= 2 and is_charted and not _draws_integers(densities):
        return Quadrature()
    if key is None:
        raise ValueError(f"{name}: between {_types(densities)} only Monte Carlo applies, which needs key=")
    return MonteCarlo(key, _NUM_SAMPLES)


def _has_no_scale(density: Any) -> bool:
    return _density.event_shape(density) != () or not hasattr(density, "mean") or not hasattr(density, "variance")


def _num_dimensions(densities: tuple[Any, ...]) -> int:
    """One for numbers, two for pairs of them that fill the plane, otherwise too many."""
    events = [_density.event_shape(density) for density in densities]
    flat = all(map(_density.is_flat, densities))
    return max(1 if event == () else 2 if event == (2,) and flat else 3 for event in events)


def _draws_integers(densities: tuple[Any, ...]) -> bool:
    return any(_density.event_shape(d) and hasattr(d, "sample") and draws_integers(d) for d in densities)


def _types(densities: tuple[Any, ...]) -> str:
    return "(" + ", ".join(type(density).__name__ for density in densities) + ")"


def _by_formula(formula: Any, densities: tuple[Any, ...]) -> Estimate:
    value = formula(*densities)
    return Estimate(value, jnp.zeros_like(value), {}, "closed_form")


def _in_units(estimate: Estimate, divisor: float) -> Estimate:
    errors = {key: value for key, value in estimate.diagnostics.items() if key.endswith("_error")}
    value, stderr, errors = jax.tree.map(
        lambda nats: in_units(nats, divisor), (estimate.value, estimate.stderr, errors)
    )
    errors = jax.tree.map(jnp.abs, errors)
    return dataclasses.replace(estimate, value=value, stderr=jnp.abs(stderr), diagnostics=estimate.diagnostics | errors)


@jax.jit(static_argnames=("batch", "kinds"))
def _compute(
    term: Term, method: Any, densities: tuple[Any, ...], *, batch: tuple[int, ...], kinds: tuple[type, ...]
) -> Estimate:
    # JAX may confuse classes that users registered with `jax.tree_util.register_dataclass`, but not static arguments.
    del kinds
    dtype = working_dtype(common_dtype(*jax.tree.leaves(densities)))
    term, densities = jax.tree.map(lambda leaf: jnp.asarray(leaf).astype(dtype), (term, densities))
    term = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, batch), term)
    if isinstance(method, ExactSum):
        return add_up(term, densities, batch, method)
    if isinstance(method, MonteCarlo):
        return average(term, densities, batch, method)
    event = next((_density.event_shape(density) for density in densities if not _density.is_bare(density)), ())
    if isinstance(method, GaussHermite):
        return integrate_normal(term, densities, batch, method)
    return (integrate if event == () else integrate_plane)(term, densities, batch, method)
