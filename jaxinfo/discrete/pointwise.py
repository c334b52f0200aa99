"""What each single outcome of a joint table tells: the terms whose mean is a measure of the table."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import _checks, _numerics, _variables
from jaxinfo._checks import Axis
from jaxinfo.discrete import _joint_rows as rows
from jaxinfo.discrete._whole import prepare
from jaxinfo.discrete.joint import _prepare

_PAIR = ((-3,), (-2,))  # the axes of X and Y


@jax.custom_jvp
def _conditional_pointwise(p: jax.Array) -> jax.Array:
    """`log(p(x,y,z) p(z) / (p(x,z) p(y,z)))`, `-inf` where `p` is 0.

    With a and b what else there is of p(x,z) and of p(y,z), and d what is in neither, the quotient exceeds 1 by
    `(p d - a b) / (p(x,z) p(y,z))`, which keeps its digits where the quotient is close to 1.
    """
    p_xz, p_yz, p_z = rows.marginals(p, _PAIR)
    over_x, over_y = (1 / jnp.maximum(m, _numerics.tiny(p)) for m in (p_xz, p_yz))
    a, b = _numerics.others(p, (-2,)), _numerics.others(p, (-3,))
    excess = (p * over_x) * (_numerics.others(a, (-3,)) * over_y) - (a * over_x) * (b * over_y)
    near = (jnp.abs(excess) < 0.5) & (p != 0)
    ratio = jnp.where(near, jnp.ones_like(p), (p * over_y) * (p_z * over_x))
    return jnp.where(near, _numerics.log1p(jnp.where(near, excess, jnp.zeros_like(p))), jnp.log(ratio))


@_conditional_pointwise.defjvp
def _conditional_pointwise_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (p,), (dp,) = primals, tangents
    slope = jnp.where(p == 0, jnp.inf, _numerics.quotient(jnp.ones_like(p), p))
    changes = zip(rows.changes(dp, _PAIR), rows.marginals(p, _PAIR), strict=True)
    d_xz, d_yz, d_z = (rows.relative(*pair) for pair in changes)
    return _conditional_pointwise(p), _numerics.linear(p, (dp, lambda: slope)) - d_xz - d_yz + d_z


@_checks.measure("base")
def pointwise_conditional_mutual_information(
    p_xyz: ArrayLike, *, where: ArrayLike | None = None, base: float | None = None
) -> jax.Array:
    r"""Pointwise conditional information $\log \frac{p(x, y, z)\, p(z)}{p(x, z)\, p(y, z)}$ of each outcome.

    Its mean is `conditional_mutual_information`. Of a process, with its next state, a source and its own past for X, Y
    and Z, it is the local transfer entropy.

    Args:
        p_xyz: Joint tables `[..., X, Y, Z]`.
        where: Entries to keep; others count as probability 0.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array of the shape of `p_xyz`, of either sign.

    Raises:
        TypeError: If `p_xyz` is not real or `where` not boolean.
        ValueError: If `p_xyz` has fewer than three axes, or `where` or `base` do not fit.

    **Domain**: `-inf` where `p(x, y, z) = 0`: the outcome never occurs; NaN for a negative probability.

    **Gradient**: that of the logarithm, through the marginals too; `inf` in `p(x, y, z)` where the value is `-inf`.

    Reference: R. M. Fano, "Transmission of Information", MIT Press 1961, chapter 2.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> xor = jnp.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]]) / 4
        >>> print(jaxinfo.pointwise_conditional_mutual_information(xor, base=2)[0])
        [[  1. -inf]
         [-inf   1.]]
    """
    name = "pointwise_conditional_mutual_information"
    unit = _checks.unit(name, base)
    kept, dtype = _prepare(name, "p_xyz", p_xyz, where, 3)
    return _numerics.in_units(_conditional_pointwise(kept), unit).astype(dtype)


def _pointwise_total(p: jax.Array, count: int) -> jax.Array:
    """`sum_i log(p(x_i .. x_n) / (p(x_i) p(x_i+1 .. x_n)))`, whose quotients stay in range."""
    value = rows.pointwise(_variables.grouped(p, count, 1)).reshape(p.shape)
    if count == 2:
        return value
    return value + jnp.expand_dims(_pointwise_total(_numerics.row_sum(p, (-count,)), count - 1), -count)


@_checks.measure("axis", "base")
def pointwise_total_correlation(
    p: ArrayLike, *, axis: Axis = None, where: ArrayLike | None = None, base: float | None = None
) -> jax.Array:
    r"""Pointwise total correlation $\log \frac{p(x_1, \ldots, x_n)}{p(x_1) \cdots p(x_n)}$ of each outcome.

    Its mean is `total_correlation`; of two variables it is `pointwise_mutual_information`.

    Args:
        p: A joint table, one axis for each variable.
        axis: The axes that are variables; all of them by default, the others are batch axes.
        where: Entries to keep; others count as probability 0.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array of the shape of `p`, of either sign.

    Raises:
        TypeError: If `p` is not real or `where` not boolean.
        ValueError: If there are fewer than two variables, or `axis`, `where` or `base` do not fit.

    **Domain**: `-inf` where `p = 0`: the outcome never occurs; NaN for a negative probability.

    **Gradient**: that of the logarithm, through the marginals too; `inf` in `p` where the value is `-inf`.

    Reference: T. Van de Cruys, "Two Multivariate Generalizations of Pointwise Mutual Information", Proceedings of the
    Workshop on Distributional Semantics and Compositionality, 2011.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> three_equal_bits = jnp.zeros((2, 2, 2)).at[0, 0, 0].set(0.5).at[1, 1, 1].set(0.5)
        >>> print(jaxinfo.pointwise_total_correlation(three_equal_bits, base=2)[0])
        [[  2. -inf]
         [-inf -inf]]
    """
    name = "pointwise_total_correlation"
    unit = _checks.unit(name, base)
    table, count, variables = prepare(name, p, axis, where, least=2)
    value = variables.back(_pointwise_total(table, count))
    return _numerics.in_units(value, unit).astype(variables.dtype)
