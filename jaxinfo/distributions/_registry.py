"""The registry of closed forms: a measure and the types of its arguments name a formula, in nats."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo.distributions._arrays import common_dtype, working_dtype

Formula = Callable[..., jax.Array]
# A rule looks at the arguments themselves and returns a formula for them, or None.
Rule = Callable[..., Formula | None]

_FORMULAS: dict[tuple[str | type, ...], Callable[[], Formula]] = {}
_CONDITIONS: dict[tuple[str | type, ...], Callable[..., bool]] = {}
_RULES: dict[str, list[Rule]] = {}


def register(
    measure: str, *types: type, when: Callable[..., bool] | None = None, whole: bool = False
) -> Callable[[Formula], Formula]:
    """Adds a formula for distributions of exactly these types.

    The formula is given the parameters of each distribution in turn, as arrays of one dtype, of at least 32 bits, and
    one batch shape, and by name numbers like an order. Where a parameter is not allowed its result becomes NaN.

    Args:
      measure: its name.
      types: of the distributions.
      when: looks at the distributions themselves; where it says no, there is no formula for them.
      whole: the formula is given the distributions with such parameters, for families of several parametrisations.
    """

    def add(formula: Formula) -> Formula:
        # Prepared when it is first asked for: there are hundreds, and few of them are used.
        _FORMULAS[measure, *types] = functools.cache(functools.partial(prepared, formula, whole=whole))
        if when is not None:
            _CONDITIONS[measure, *types] = when
        return formula

    return add


def register_rule(measure: str) -> Callable[[Rule], Rule]:
    """Adds a rule for arguments without a formula of their own; rules are asked in the order of their registration."""

    def add(rule: Rule) -> Rule:
        _RULES.setdefault(measure, []).append(rule)
        return rule

    return add


def closed_form(measure: str, *distributions: Any) -> Formula | None:
    """Returns the formula of `measure` between these distributions, or None where there is none."""
    key = (measure, *map(type, distributions))
    formula, condition = _FORMULAS.get(key), _CONDITIONS.get(key)
    if formula is not None and (condition is None or condition(*distributions)):
        return formula()
    found = (rule(*distributions) for rule in _RULES.get(measure, ()))
    return next((formula for formula in found if formula is not None), None)


def registered() -> dict[tuple[str | type, ...], Formula]:
    """Returns the formulas by measure and types."""
    return {key: formula() for key, formula in _FORMULAS.items()}


def prepared(formula: Formula, *, whole: bool = False) -> Formula:
    """Compiles a formula of parameters into one of distributions, whose dtypes and batch shapes it brings together.

    With `whole`, the formula is given the distributions and not their parameters.
    """

    @jax.jit
    @functools.wraps(formula)
    def compiled(*distributions: Any, **numbers: Any) -> jax.Array:
        dtype = common_dtype(*jax.tree.leaves((distributions, numbers)))
        shapes = [*(d.batch_shape for d in distributions), *(jnp.shape(n) for n in numbers.values())]
        batch = jnp.broadcast_shapes(*shapes)
        cast = functools.partial(jax.tree.map, lambda leaf: jnp.asarray(leaf).astype(working_dtype(dtype)))
        members = [cast(d).broadcast_to(batch) for d in distributions]
        options = {name: jnp.broadcast_to(cast(number), batch) for name, number in numbers.items()}
        arguments = members if whole else [array for member in members for array in member.parameters()]
        value = formula(*arguments, **options)
        allowed = jnp.all(jnp.stack([member.is_allowed() for member in members]), axis=0)
        # A value may have axes of its own, as a matrix has.
        allowed = jnp.broadcast_to(allowed.reshape(batch + (1,) * (value.ndim - len(batch))), value.shape)
        return jnp.where(allowed, value, jnp.full_like(value, jnp.nan)).astype(dtype)

    return compiled
