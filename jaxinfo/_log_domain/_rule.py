"""A function of rows and its slopes: one derivative rule for all measures of logits."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo import _numerics
from jaxinfo._log_domain._rows import Axes, RowFunction, change, total

Slope = Callable[..., jax.Array]


def rule(value: RowFunction, *slopes: Slope, infinite: tuple[int, ...] = ()) -> RowFunction:
    """A row function `f(axes, *tables)` whose derivative in table i is the row sum of `slopes[i] * tangent`.

    A slope is called with the axes, the value and the tables; it is finite except in the tables named in `infinite`.
    """

    @partial(jax.custom_jvp, nondiff_argnums=(0,))
    def function(axes: Axes, *tables: jax.Array) -> jax.Array:
        if not tables[0].size:
            return jnp.nan * total(tables[0], axes)  # no outcome is no distribution
        return value(axes, *tables)

    def jvp(axes: Axes, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
        out, tables = function(axes, *primals), _numerics.apart(*primals)
        rules = [partial(slope, axes, out, *tables) for slope in slopes]
        pairs = list(zip(tangents, rules, strict=True))
        finite = [pair for i, pair in enumerate(pairs) if i not in infinite]
        others = [pair for i, pair in enumerate(pairs) if i in infinite]
        tangent = _numerics.finite_linear(primals[0], *finite) + _numerics.linear(primals[0], *others)
        return out, change(tangent, axes)

    function.defjvp(jvp, symbolic_zeros=True)
    return function
