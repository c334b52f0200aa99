"""What all variables of a joint table share, signed: synergy counts against redundancy."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import _checks, _numerics
from jaxinfo._checks import Axis
from jaxinfo.discrete import _joint_rows as rows
from jaxinfo.discrete._whole import OPTIONS, on_face, prepare

# So many variables are put into S or left out one after the other, the rest all at once. More take longer to compile,
# fewer need more memory.
_ONE_BY_ONE = 3


class _Split(NamedTuple):
    """How many axes of a table `[..., given, open, rest, X, Y]` are in S, next to be settled, or later."""

    given: int
    open: int
    rest: int

    @property
    def first_given(self) -> int:
        return -self.given - self.open - self.rest - 2

    def without(self, p: jax.Array) -> tuple[jax.Array, _Split]:
        """The table for sets S without the first open variable."""
        return _numerics.row_sum(p, (self.first_given + self.given,)), self._replace(open=self.open - 1)

    def within(self) -> _Split:
        """For sets S that have it."""
        return self._replace(given=self.given + 1, open=self.open - 1)


def _split(count: int) -> _Split:
    one_by_one = min(count - 2, _ONE_BY_ONE)
    return _Split(0, one_by_one, count - 2 - one_by_one)


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def _signed_information(p: jax.Array, count: int) -> jax.Array:
    """`sum_S (-1)^|S| I(X;Y|S)` over sets S of the other variables; X and Y are on the last two axes."""
    return _alternate(p, _split(count))


@_signed_information.defjvp
def _signed_information_jvp(count: int, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (p,), (dp,) = _numerics.apart(*primals), tangents
    change = dp * _alternate_density(p, _split(count))
    return _signed_information(*primals, count), jnp.sum(change, axis=range(-count, 0))


def _alternate(p: jax.Array, split: _Split) -> jax.Array:
    if split.open:
        return _alternate(*split.without(p)) - _alternate(p, split.within())
    z = tuple(range(split.first_given, split.first_given + split.given))
    if not split.rest:
        return jnp.squeeze(rows.information(p, (-2, -1, *z)), (-2, -1, *z))
    if split.given:  # slice by slice, so that only one is extended at a time
        one = partial(_alternate, split=split._replace(given=split.given - 1))
        return jnp.sum(jax.lax.map(one, jnp.moveaxis(p, z[0], 0)), axis=0)
    parts = jnp.squeeze(rows.information(_extended(p, split.rest), (-2, -1)), (-2, -1))
    for _ in range(split.rest):
        parts = parts[..., -1] - jnp.sum(parts[..., :-1], axis=-1)
    return parts


def _extended(p: jax.Array, rest: int) -> jax.Array:
    """With one more entry along each of the rest of the axes, the sum: it stands for the sets without that variable."""
    for axis in range(-rest - 2, -2):
        p = jnp.concatenate([p, _numerics.row_sum(p, (axis,), True)], axis)
    return p


def _alternate_density(p: jax.Array, split: _Split) -> jax.Array:
    """The derivative of `_alternate`, that through each marginal spread over the table."""
    if split.open:
        without, rest = split.without(p)
        spread = jnp.expand_dims(_alternate_density(without, rest), split.first_given + split.given)
        return spread - _alternate_density(p, split.within())
    if not split.rest:
        return rows.plain_density(p, ((-2,), (-1,)))
    if split.given:
        one = partial(_alternate_density, split=split._replace(given=split.given - 1))
        slices = jax.lax.map(one, jnp.moveaxis(p, split.first_given, 0))
        return jnp.moveaxis(slices, 0, split.first_given)
    parts = rows.plain_density(_extended(p, split.rest), ((-2,), (-1,)))
    for axis in range(-split.rest - 2, -2):
        last = parts.shape[axis] - 1
        here, spread = (jax.lax.slice_in_dim(parts, *ends, axis=axis) for ends in ((0, last), (last, last + 1)))
        parts = spread - here
    return parts


def signed_information(p: jax.Array, count: int) -> jax.Array:
    """Co-information of the last axes, so many."""
    if count == 1:
        return jnp.squeeze(rows.conditional_entropy(p[..., None], (-2, -1)), (-2, -1))
    return _signed_information(p, count)


@_checks.measure(*OPTIONS)
def co_information(
    p: ArrayLike,
    *,
    axis: Axis = None,
    where: ArrayLike | None = None,
    keepdims: bool = False,
    base: float | None = None,
) -> jax.Array:
    r"""Co-information $I(X_1; \ldots; X_n) = I(X_1; \ldots; X_{n-1}) - I(X_1; \ldots; X_{n-1} | X_n)$.

    Summed as $\sum_S (-1)^{|S|} I(X_{n-1}; X_n | S)$ over all sets S of other variables: the $2^{n-2}$ marginal tables
    that this takes are parts of one, longer than `p` by one entry along each other axis.

    Args:
        p: A joint table, one axis for each variable.
        axis: The axes that are variables; all of them by default, the others are batch axes.
        where: Entries to keep; others are dropped, without renormalising.
        keepdims: Whether the variables' axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array over the batch axes: of two variables their mutual information, of one its entropy, of three and more
        of either sign.

    Raises:
        TypeError: If `p` is not real or `where` not boolean.
        ValueError: If there is no variable, or `axis`, `where` or `base` do not fit.

    **Domain**: zeros add nothing; a negative probability gives NaN in its table.

    **Gradient**: the alternating sum of the logarithms of all marginals; 0 at `p = 0`.

    Reference: A. J. Bell, "The Co-information Lattice", Proceedings of the Fourth International Workshop on Independent
    Component Analysis and Blind Signal Separation, 2003.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> xor = jnp.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]]) / 4
        >>> print(f"{jaxinfo.co_information(xor, base=2):.4f}")
        -1.0000
    """
    name = "co_information"
    unit = _checks.unit(name, base)
    table, count, variables = prepare(name, p, axis, where)
    value = signed_information(on_face(table), count)
    return variables.finish(value, keepdims, unit)


@_checks.measure(*OPTIONS)
def interaction_information(
    p: ArrayLike,
    *,
    axis: Axis = None,
    where: ArrayLike | None = None,
    keepdims: bool = False,
    base: float | None = None,
) -> jax.Array:
    r"""Interaction information in McGill's sign: $(-1)^n$ times `co_information`.

    Args:
        p: A joint table, one axis for each variable.
        axis: The axes that are variables; all of them by default, the others are batch axes.
        where: Entries to keep; others are dropped, without renormalising.
        keepdims: Whether the variables' axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array over the batch axes: of three variables above 0 where synergy prevails, below 0 where redundancy does.

    Raises:
        TypeError: If `p` is not real or `where` not boolean.
        ValueError: If there is no variable, or `axis`, `where` or `base` do not fit.

    **Domain**: zeros add nothing; a negative probability gives NaN in its table.

    **Gradient**: as `co_information`; 0 at `p = 0`.

    Reference: W. J. McGill, "Multivariate Information Transmission", Psychometrika 19(2), 1954.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> xor = jnp.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]]) / 4
        >>> print(f"{jaxinfo.interaction_information(xor, base=2):.4f}")
        1.0000
    """
    name = "interaction_information"
    unit = _checks.unit(name, base)
    table, count, variables = prepare(name, p, axis, where)
    value = (-1) ** count * signed_information(on_face(table), count)
    return variables.finish(value, keepdims, unit)
