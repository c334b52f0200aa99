"""Checks of what is known at trace time: shape, dtype, axis, options. The same error eager and under `jit`."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

P = ParamSpec("P")
R = TypeVar("R")
Axis = int | Sequence[int] | None


def measure(*static: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Compiles a measure, its options `static`; under a caller's `jit` it is inlined."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        compiled: Any = jax.jit(function, static_argnames=static, inline=True)
        parameters = list(inspect.signature(function).parameters)
        ordered = parameters.index("order") if "order" in parameters else None

        @functools.wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            for name in static:  # a list of axes is as good as a tuple, but cannot be a key of the compilation cache
                if isinstance(kwargs.get(name), list):
                    kwargs[name] = tuple(kwargs[name])  # pyright: ignore[reportArgumentType]
            if kwargs.get("weight") is not None:  # a number here, and a tracer in there
                weight(function.__name__, kwargs["weight"])  # pyright: ignore[reportArgumentType]
            if ordered is not None:
                order(function.__name__, args[ordered] if len(args) > ordered else kwargs.get("order"))
            return compiled(*args, **kwargs)

        return wrapper

    return decorate


def floating(name: str, argument: str, x: ArrayLike) -> jax.Array:
    """`x` as an array of floats: ints and bools go to the default float, other kinds are an error."""
    array = jnp.asarray(x)
    if jnp.issubdtype(array.dtype, jnp.floating):
        return array
    if jnp.issubdtype(array.dtype, jnp.integer) or array.dtype == jnp.bool_:
        return array.astype(jnp.result_type(float))
    raise TypeError(f"{name}: {argument} must hold real numbers, got dtype {array.dtype}")


def axes(name: str, axis: Axis, ndim: int) -> tuple[int, ...]:
    """Axes as sorted negative integers, so that they keep their meaning when batch axes are put in front."""
    if axis is None:
        return tuple(range(-ndim, 0))
    given = (axis,) if not isinstance(axis, Sequence) else tuple(axis)
    for a in given:
        if isinstance(a, bool) or not hasattr(a, "__index__"):
            raise TypeError(f"{name}: axis must be an integer, a tuple of integers or None, got {axis!r}")
        if not -ndim <= a < ndim:
            raise ValueError(f"{name}: axis {a} is out of bounds for a table of {ndim} dimensions")
    negative = tuple(sorted(int(a) - ndim if a >= 0 else int(a) for a in given))
    if len(set(negative)) != len(negative):
        raise ValueError(f"{name}: axis {axis!r} names an axis twice")
    return negative


def broadcast(name: str, reduced: tuple[int, ...], **tables: jax.Array) -> tuple[jax.Array, ...]:
    """Tables broadcast over their batch axes; the axes that are summed must have the same length in each."""
    shapes = {key: table.shape for key, table in tables.items()}
    try:
        shape = jnp.broadcast_shapes(*shapes.values())
    except ValueError as error:
        raise ValueError(f"{name}: shapes do not broadcast: {shapes}") from error
    for axis in reduced:
        if len({s[axis] if len(s) >= -axis else 1 for s in shapes.values()}) > 1:
            raise ValueError(f"{name}: lengths along axis {axis} differ: {shapes}")
    return tuple(jnp.broadcast_to(table, shape) for table in tables.values())


def stacks(name: str, **tables: jax.Array) -> tuple[jax.Array, ...]:
    """Two stacks of tables `[..., N, K]` and `[..., M, K]`, with as many axes each."""
    shapes = {key: table.shape for key, table in tables.items()}
    for key, shape in shapes.items():
        if len(shape) < 2:
            raise ValueError(f"{name}: {key} must be a stack of tables [..., N, K], got shape {shape}")
    if len({shape[-1] for shape in shapes.values()}) > 1:
        raise ValueError(f"{name}: lengths along axis -1 differ: {shapes}")
    try:
        jnp.broadcast_shapes(*(shape[:-2] for shape in shapes.values()))
    except ValueError as error:
        raise ValueError(f"{name}: batch axes do not broadcast: {shapes}") from error
    ndim = max(table.ndim for table in tables.values())
    return tuple(table.reshape((1,) * (ndim - table.ndim) + table.shape) for table in tables.values())


def rank(name: str, argument: str, x: jax.Array, least: int) -> None:
    """A joint table of fixed arity needs an axis for each variable."""
    if x.ndim < least:
        raise ValueError(f"{name}: {argument} needs at least {least} axes, one for each variable, got shape {x.shape}")


def unit(name: str, base: float | None) -> float:
    """The size of the unit in nats: `log(base)`, or 1 for `None`."""
    if base is None:
        return 1.0
    if not isinstance(base, (int, float)) or isinstance(base, bool) or not base > 0 or base == 1 or math.isinf(base):
        raise ValueError(f"{name}: base must be a positive number other than 1, or None for nats, got {base!r}")
    return math.log(base)


def weight(name: str, value: ArrayLike) -> None:
    """A weight that is known while tracing lies in [0, 1]; a traced one outside gives NaN."""
    if isinstance(value, (int, float)) and not 0 <= value <= 1:
        raise ValueError(f"{name}: weight must lie in [0, 1], got {value!r}")
    if jnp.ndim(value) != 0:
        raise ValueError(f"{name}: weight must be a scalar, got shape {jnp.shape(value)}")


def order(name: str, value: object) -> None:
    """An order that is known while tracing is not negative; a traced one below 0 gives NaN."""
    if isinstance(value, (int, float)) and not value >= 0:
        raise ValueError(f"{name}: order must be at least 0, got {value!r}")


def per_row(
    name: str, argument: str, value: ArrayLike, axes: tuple[int, ...], *tables: jax.Array
) -> tuple[jax.Array, ...]:
    """A number for each row of the tables, with the summed axes of length 1, and the tables.

    What broadcasts with the batch axes is fine; if that gives more rows, so does it to the tables.
    """
    array = floating(name, argument, value)
    shape = tables[0].shape
    batch = tuple(n for a, n in zip(range(-len(shape), 0), shape, strict=True) if a not in axes)
    try:
        rows = jnp.broadcast_to(array.astype(tables[0].dtype), jnp.broadcast_shapes(array.shape, batch))
    except ValueError as error:
        raise ValueError(
            f"{name}: {argument} of shape {array.shape} does not broadcast with the batch shape {batch}"
        ) from error
    rows = jnp.expand_dims(rows, axes)
    length = [shape[a] if a in axes else n for a, n in zip(range(-rows.ndim, 0), rows.shape, strict=True)]
    return rows, *(jnp.broadcast_to(t, length) for t in tables)


def orders(name: str, value: ArrayLike, axes: tuple[int, ...], *tables: jax.Array) -> tuple[jax.Array, ...]:
    """`per_row` of an order; NaN below 0."""
    rows, *rest = per_row(name, "order", value, axes, *tables)
    return jnp.where(rows >= 0, rows, jnp.nan), *rest


def mask(name: str, where: ArrayLike | None, shape: tuple[int, ...]) -> jax.Array | None:
    """`where` as booleans, broadcast to the table."""
    if where is None:
        return None
    array = jnp.asarray(where)
    if array.dtype != jnp.bool_:
        raise TypeError(f"{name}: where must be boolean, got dtype {array.dtype}")
    try:
        return jnp.broadcast_to(array, shape)
    except ValueError as error:
        raise ValueError(f"{name}: where of shape {array.shape} does not broadcast to {shape}") from error


def choose_form(name: str, q: object, weight: object, weights: object) -> None:
    """Two tables go with `weight`, a stack of tables with `weights`."""
    if q is not None and weights is not None:
        raise ValueError(f"{name}: weights is for tables stacked along mixture_axis; give two tables a scalar weight")
    if q is None and weight is not None:
        raise ValueError(f"{name}: weight is for two tables; give stacked tables weights, one for each")


def split_axes(name: str, axis: Axis, mixture_axis: int, ndim: int) -> tuple[int, tuple[int, ...]]:
    """The mixture axis, and the summed axes of the table that is left without it, as negative integers."""
    (mixture,) = axes(name, mixture_axis, ndim)
    if axis is None:
        return mixture, tuple(range(1 - ndim, 0))
    summed = axes(name, axis, ndim)
    if mixture in summed:
        raise ValueError(f"{name}: mixture_axis {mixture_axis} is among the summed axes {axis!r}")
    return mixture, tuple(a + 1 if a < mixture else a for a in summed)


def stack_weights(name: str, tables: jax.Array, weights: ArrayLike | None, mixture_axis: int) -> jax.Array:
    """The weights of an n-way mixture, uniform for `None`."""
    count = tables.shape[mixture_axis]
    if weights is None:
        return jnp.full(count, 1 / count if count else 1.0, tables.dtype)
    array = floating(name, "weights", weights)
    if array.shape != (count,):
        raise ValueError(
            f"{name}: weights must have shape ({count},), one for each table along mixture_axis, got {array.shape}"
        )
    return array.astype(tables.dtype)


def generator(name: str, value: object, expected: type) -> None:
    """A generator is an object made by the functions of `jaxinfo.generators`, not one of these functions."""
    if not isinstance(value, expected):
        hint = f"; call it: {value.__name__}()" if callable(value) and hasattr(value, "__name__") else ""
        raise TypeError(f"{name}: generator must be a jaxinfo.generators.Generator, got {value!r}{hint}")


def weighted_rows(
    name: str, weights_name: str, weights: ArrayLike, **tables: ArrayLike
) -> tuple[jax.Array, tuple[jax.Array, ...], jnp.dtype]:
    """Weights `[..., X]` and tables `[..., X, Y]`, broadcast over batch axes and of one dtype."""
    arrays = {key: floating(name, key, table) for key, table in tables.items()}
    for key, table in arrays.items():
        rank(name, key, table, 2)
    share = floating(name, weights_name, weights)
    rank(name, weights_name, share, 1)
    dtype = jnp.result_type(share.dtype, *(table.dtype for table in arrays.values()))
    both = broadcast(name, (-2, -1), **arrays)
    batch = broadcast(name, (-1,), **{weights_name: share, "rows": jnp.zeros(both[0].shape[:-1], dtype)})[0]
    shape = (*batch.shape, both[0].shape[-1])
    return batch.astype(dtype), tuple(jnp.broadcast_to(t.astype(dtype), shape) for t in both), dtype
