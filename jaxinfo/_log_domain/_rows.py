"""Rows of logits: their normalisers, and the choice between a fast and an accurate formula."""

from __future__ import annotations

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax

from jaxinfo import _numerics

Axes = tuple[int, ...]
Variables = tuple[int | Axes, ...]  # a variable of a joint table is an axis, or a tuple of them
RowFunction = Callable[..., jax.Array]


def each(variables: Variables) -> tuple[Axes, ...]:
    """The axes of each variable."""
    return tuple(v if isinstance(v, tuple) else (v,) for v in variables)


def joined(variables: Variables) -> Axes:
    """The axes of all variables."""
    return tuple(sorted(a for v in each(variables) for a in v))


def _batchable(on_cpu: RowFunction, elsewhere: RowFunction) -> RowFunction:
    """A row function whose `cond` keeps its scalar predicate under `vmap`: the batch becomes an axis of the tables.

    Axes are counted from the end, so an axis in front changes nothing. Called as `f(axes, *tables)`.
    """

    @functools.cache
    def batched(axes: Axes) -> RowFunction:
        cpu, default = functools.partial(on_cpu, axes), functools.partial(elsewhere, axes)

        @jax.custom_batching.custom_vmap
        def call(*tables: jax.Array) -> jax.Array:
            return lax.platform_dependent(*tables, cpu=cpu, default=default)

        @call.def_vmap
        def _(axis_size: int, in_batched: list[bool], *tables: jax.Array) -> tuple[jax.Array, bool]:
            pairs = zip(tables, in_batched, strict=True)
            return call(*(t if b else jnp.broadcast_to(t, (axis_size, *t.shape)) for t, b in pairs)), True

        return call

    return lambda axes, *tables: batched(axes)(*tables)


def adaptive(fast: RowFunction, accurate: RowFunction, small: float) -> RowFunction:
    """`fast`, but `accurate` in the rows whose value is below `small` or NaN."""
    return mended(fast, accurate, lambda value: value >= small)


def mended(fast: RowFunction, accurate: RowFunction, is_good: Callable[[jax.Array], jax.Array]) -> RowFunction:
    """`fast`, but `accurate` in the rows whose value is not good."""

    def on_cpu(axes: Axes, *tables: jax.Array) -> jax.Array:
        value = fast(axes, *tables)
        poor = ~is_good(value)
        return lax.cond(jnp.any(poor), lambda: jnp.where(poor, accurate(axes, *tables), value), lambda: value)

    return _batchable(on_cpu, accurate)


def selective(fast: RowFunction, accurate: RowFunction) -> RowFunction:
    """`f(axes, rows, *tables)`: `fast` if no row is named, else `accurate`.

    `accurate` is told the rows too, and agrees with `fast` in the others.
    """

    def on_cpu(axes: Axes, rows: jax.Array, *tables: jax.Array) -> jax.Array:
        return lax.cond(jnp.any(rows), lambda: accurate(axes, rows, *tables), lambda: fast(axes, *tables))

    return _batchable(on_cpu, accurate)


def of_outcomes(value: RowFunction) -> RowFunction:
    """A function of rows of logits; no outcome is no distribution: NaN."""
    return lambda axes, *tables: value(axes, *tables) if tables[0].size else jnp.nan * total(tables[0], axes)


def with_limit(finite: RowFunction, infinite: RowFunction, axes: Axes, *arguments: jax.Array) -> jax.Array:
    """A function of tables and an order, where the order is infinite another function of the tables."""
    *tables, order = arguments
    at_limit = order == jnp.inf
    value = finite(axes, *tables, jnp.where(at_limit, jnp.full_like(order, 2), order))
    limit = lambda: jnp.where(at_limit, infinite(axes, *tables), value)  # noqa: E731
    return lax.cond(jnp.any(at_limit), limit, lambda: value)


def total(x: jax.Array, axes: Axes) -> jax.Array:
    """The sum over a row, its axes kept."""
    return _numerics.row_sum(x, axes, True)


def change(tangents: jax.Array, axes: Axes) -> jax.Array:
    """The sum over a row of tangents: linear, so that it can be transposed."""
    return jnp.sum(tangents, axis=axes, keepdims=True)


def row_max(z: jax.Array, axes: Axes) -> jax.Array:
    """The largest logit of a row; `-inf` for an empty one."""
    return _numerics.fence(jnp.max(lax.stop_gradient(z), axis=axes, keepdims=True, initial=-jnp.inf))


def again(m: jax.Array, x: jax.Array) -> jax.Array:
    """`m`, or NaN with `x`, as another variable: `z - m` is computed anew and not written out as a table."""
    return jnp.where(x == x, m, jnp.nan)  # noqa: PLR0124


def shifted_normalizer(z: jax.Array, axes: Axes) -> tuple[jax.Array, jax.Array]:
    """The row maximum and the sum of `exp(z - max)`; both NaN for a row that is no distribution."""
    m = row_max(z, axes)
    s = total(jnp.exp(z - m), axes)
    return again(m, s), s


def fusible_normalizer(z: jax.Array, axes: Axes) -> tuple[jax.Array, jax.Array]:
    """The same, unfenced: with one sum after it, XLA on a CPU runs all over a row while that is in the cache."""
    m = jnp.max(z, axis=axes, keepdims=True, initial=-jnp.inf)
    s = jnp.sum(jnp.exp(z - m), axis=axes, keepdims=True)
    return m + 0 * s, s  # another variable than `m`, as in `again`


def fusible_softmax(z: jax.Array, axes: Axes) -> jax.Array:
    """The table of a row, unfenced: with one sum after it, XLA on a CPU keeps its exponentials in the cache."""
    e = jnp.exp(z - jnp.max(z, axis=axes, keepdims=True, initial=-jnp.inf))
    return e / jnp.sum(e, axis=axes, keepdims=True)


def _plus_log_fast(axes: Axes, rest: jax.Array, z: jax.Array, m: jax.Array, s: jax.Array) -> jax.Array:
    del axes, z, m
    return rest + jnp.log(s)


def accurate_plus_log_normalizer(axes: Axes, rest: jax.Array, z: jax.Array, m: jax.Array, s: jax.Array) -> jax.Array:
    """Below 1.25 one logit alone is the largest: the others, below -1.3 there, are summed without it."""
    a = z - again(m, rest)
    others = total(jnp.minimum(jnp.exp(a), -a), axes)
    return rest + jnp.where(s < 1.25, jnp.log1p(others), jnp.log(s))


# rest + log sum exp(z - m), given that sum. Where one logit has nearly all the mass its logarithm is small and shows
# its rounding, if the rest is small too.
plus_log_normalizer = adaptive(_plus_log_fast, accurate_plus_log_normalizer, 0.22)


def highest(x: jax.Array) -> float:
    """A large number whose product with a probability is finite."""
    return float(jnp.finfo(x.dtype).max) / 4


def floored(z: jax.Array, part: int = 4) -> jax.Array:
    """Logits with a finite number for `-inf`, so that `0 * inf` is 0; another `part` is another variable."""
    return jnp.maximum(z, -float(jnp.finfo(z.dtype).max) / part)


def _exposure(z_p: jax.Array, z_q: jax.Array, axes: Axes) -> jax.Array:
    """1 if q is masked somewhere where p is not, else about 0; -1 or less if all of p is masked; NaN if one is.

    Arithmetic, as comparisons of whole tables are slow on a CPU. A finite logit is a positive probability, also where
    its exponential underflows; so logits are scaled down far enough that a mask stands out from any of them.
    """
    half = jnp.finfo(z_p.dtype).maxexp // 2
    scale, mask = 2.0**-half, 2.0 ** (half + 6)
    entries = jnp.maximum(z_p * scale, -2 * mask) + jnp.minimum(z_q * -scale, mask)
    return _numerics.fence(jnp.max(entries, axis=axes, keepdims=True, initial=-jnp.inf)) / mask


def is_outside(z_p: jax.Array, z_q: jax.Array, axes: Axes) -> jax.Array:
    """Whether q is masked somewhere where p is not."""
    return _exposure(z_p, z_q, axes) > 0.5


def is_inside(z_p: jax.Array, z_q: jax.Array, axes: Axes) -> jax.Array:
    """Whether both are distributions and q is masked only where p is."""
    return jnp.abs(_exposure(z_p, z_q, axes)) < 0.5


def present(z: jax.Array) -> jax.Array:
    """Not masked. NaN is present, so that it stays in its row."""
    return z != -jnp.inf
