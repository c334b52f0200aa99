"""Tables of many variables: which axes they are, and the chains of informations that their measures are sums of.

A chain is the same for tables of probabilities and of logits. It is told how to take the information of two groups of
variables, I(X;Y|Z) with X, Y and Z on the axes given, which stay, and how to sum variables out. Groups are consecutive
axes, so that a reshape makes one axis of each.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxinfo import _checks, _numerics
from jaxinfo._checks import Axis

Axes = tuple[int, ...]


class Variables(NamedTuple):
    """Where the variables of a table are, and the dtype of the result."""

    axes: Axes
    dtype: jnp.dtype

    def last(self, table: jax.Array) -> jax.Array:
        """The table with its variables on the last axes."""
        return jnp.moveaxis(table, self.axes, range(-len(self.axes), 0))

    def back(self, table: jax.Array) -> jax.Array:
        """The reverse of `last`, for a result with an axis for each variable."""
        return jnp.moveaxis(table, range(-len(self.axes), 0), self.axes)

    def finish(self, value: jax.Array, keepdims: bool, unit: float) -> jax.Array:
        """Shape, unit and dtype of a result over the batch."""
        kept = jnp.expand_dims(value, self.axes) if keepdims else value
        return _numerics.in_units(kept, unit).astype(self.dtype)


def find(name: str, argument: str, table: jax.Array, axis: Axis, least: int = 1) -> Variables:
    """The axes named by `axis`, so many at least."""
    axes = _checks.axes(name, axis, table.ndim)
    if len(axes) < least:
        number = "one variable" if least == 1 else f"{least} variables"
        raise ValueError(f"{name}: {argument} needs at least {number}, got axis {axis!r} and shape {table.shape}")
    return Variables(axes, table.dtype)


class Chain(NamedTuple):
    """How to take I(X;Y|Z) on `(x, y, z)` axes, or I(X;Y) on `(x, y)`, and how to sum out axes, which then go."""

    information: Callable[[jax.Array, Axes], jax.Array]
    marginal: Callable[[jax.Array, Axes], jax.Array]

    def between(self, table: jax.Array) -> jax.Array:
        """I(X;Y) of the last two axes; the group on the longer stretch comes first, which is the faster order."""
        return jnp.squeeze(self.information(table, (-1, -2)), (-2, -1))

    def given_first(self, table: jax.Array) -> jax.Array:
        """I(X;Y|Z) of the last three axes, Z in front."""
        return jnp.squeeze(self.information(table, (-1, -2, -3)), (-3, -2, -1))


def grouped(table: jax.Array, count: int, *cuts: int) -> jax.Array:
    """The last `count` axes as consecutive groups, cut in front of the variables numbered so; an empty group has 1."""
    batch, shape = table.shape[: table.ndim - count], table.shape[table.ndim - count :]
    groups = (math.prod(shape[i:j]) for i, j in itertools.pairwise((0, *cuts, count)))
    return table.reshape(*batch, *groups)


def total_correlation(chain: Chain, table: jax.Array, count: int) -> jax.Array:
    """`sum_i I(X_i; X_i+1 .. X_n)`, the first variables summed out one by one."""
    value = chain.between(grouped(table, count, 1))
    for left in range(count - 1, 1, -1):
        table = chain.marginal(table, (-left - 1,))
        value = value + chain.between(grouped(table, left, 1))
    return value


def dual_total_correlation(chain: Chain, table: jax.Array, count: int) -> jax.Array:
    """`sum_i I(X_i; X_i+1 .. X_n | X_1 .. X_i-1)`.

    By the chain rule H(X) is the sum of `H(X_i | X_1 .. X_i-1)`, and `H(X_i | all others)` is taken from each.
    """
    terms = [chain.between(grouped(table, count, 1))]
    terms += [chain.given_first(grouped(table, count, i, i + 1)) for i in range(1, count - 1)]
    return sum(terms[1:], terms[0])


def o_information(chain: Chain, table: jax.Array, count: int) -> jax.Array:
    """`sum_i I(X_i; X_i+1 .. X_n) - I(X_i; X_i+1 .. X_n | X_1 .. X_i-1)` over all but the first and last variable.

    The two sums above have their first term in common, so it is left out.
    """
    if count < 3:
        return 0 * chain.between(grouped(table, count, 1))
    differences, marginal = [], table
    for i in range(1, count - 1):
        marginal = chain.marginal(marginal, (i - count - 1,))
        alone = chain.between(grouped(marginal, count - i, 1))
        differences.append(alone - chain.given_first(grouped(table, count, i, i + 1)))
    return sum(differences[1:], differences[0])


def co_information(chain: Chain, table: jax.Array, count: int, given: int = 0) -> jax.Array:
    """`sum_S (-1)^|S| I(X;Y|S)` over the sets S of other variables than the last two, X and Y.

    The first so many of the others are in S; the next one is summed out, or given too.
    """
    if given == count - 2:
        groups = grouped(table, count, given, given + 1)
        return chain.given_first(groups) if given else chain.between(grouped(table, count, 1))
    without = co_information(chain, chain.marginal(table, (given - count,)), count - 1, given)
    return without - co_information(chain, table, count, given + 1)


_MEANS: dict[str, Callable[..., jax.Array]] = {
    "min": jnp.minimum,
    "max": jnp.maximum,
    "arithmetic": lambda h_x, h_y: 0.5 * (h_x + h_y),
    "geometric": lambda h_x, h_y: _numerics.square_root(h_x) * _numerics.square_root(h_y),
    "joint": lambda h_xy: h_xy,
}


def check_normalizer(name: str, normalizer: str) -> None:
    """It is one of the means."""
    if normalizer not in _MEANS:
        raise ValueError(f"{name}: normalizer must be one of {', '.join(map(repr, _MEANS))}, got {normalizer!r}")


def normalize(normalizer: str, information: jax.Array, *entropies: jax.Array) -> jax.Array:
    """Information over a mean of entropies; 0 where that is 0."""
    return _numerics.quotient(information, _MEANS[normalizer](*entropies))
