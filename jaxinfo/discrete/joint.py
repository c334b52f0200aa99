"""Measures of joint tables: X on axis -2 and Y on axis -1, or X, Y, Z on the last three."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import _checks, _numerics
from jaxinfo._checks import Axis
from jaxinfo.discrete import _joint_rows as rows
from jaxinfo.discrete.entropies import OPTIONS, reduce_terms

JOINT_OPTIONS = ("keepdims", "base")


def _prepare(name: str, argument: str, p: ArrayLike, where: ArrayLike | None, rank: int) -> tuple[jax.Array, jnp.dtype]:
    table = _checks.floating(name, argument, p)
    _checks.rank(name, argument, table, rank)
    (kept,) = _numerics.drop(_checks.mask(name, where, table.shape), _numerics.accumulate(table))
    return kept, table.dtype


@_checks.measure(*OPTIONS)
def joint_entropy(
    p: ArrayLike,
    *,
    axis: Axis = None,
    where: ArrayLike | None = None,
    keepdims: bool = False,
    base: float | None = None,
) -> jax.Array:
    r"""Joint entropy $H(X, Y, \ldots) = -\sum p(x, y, \ldots) \log p(x, y, \ldots)$ of a whole table.

    Args:
        p: A joint table, one axis for each variable.
        axis: The axes that are variables; all of them by default, the others are batch axes.
        where: Entries to keep; others are dropped, without renormalising.
        keepdims: Whether the variables' axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array over the batch axes, at least 0 and at least the entropy of each marginal.

    Raises:
        TypeError: If `p` is not real or `where` not boolean.
        ValueError: If `axis`, `where` or `base` do not fit.

    **Domain**: `0 log 0 = 0`; a negative probability gives NaN in its table.

    **Gradient**: `-1 - log p`; 0 at `p = 0`, where it is infinite.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, equation (2.8).

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> print(jaxinfo.joint_entropy(jnp.full((2, 4), 1 / 8), base=2))
        3.0
    """
    name = "joint_entropy"
    unit = _checks.unit(name, base)
    kept, dtype = _prepare(name, "p", p, where, 0)
    return reduce_terms(_numerics.entropy_term(kept), _checks.axes(name, axis, kept.ndim), keepdims, unit, dtype)


@_checks.measure(*JOINT_OPTIONS)
def conditional_entropy(
    p_xy: ArrayLike, *, where: ArrayLike | None = None, keepdims: bool = False, base: float | None = None
) -> jax.Array:
    r"""Conditional entropy $H(X|Y) = \sum p(x, y) \log \frac{p(y)}{p(x, y)} = H(X, Y) - H(Y)$.

    Args:
        p_xy: Joint tables `[..., X, Y]`.
        where: Entries to keep; others are dropped, without renormalising.
        keepdims: Whether the two axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array `[...]`, between 0 and `H(X)`: 0 where X is a function of Y. For `H(Y|X)` swap the axes.

    Raises:
        TypeError: If `p_xy` is not real or `where` not boolean.
        ValueError: If `p_xy` has fewer than two axes, or `where` or `base` do not fit.

    **Domain**: zeros add nothing, nor does a y that never occurs; a negative probability gives NaN in its table.

    **Gradient**: `-log p(x|y)`; 0 where `p(x, y) = 0`, where it is infinite.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, equation (2.10).

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> print(jaxinfo.conditional_entropy(jnp.array([[0.25, 0.5], [0.25, 0.0]]), base=2))
        0.5
    """
    name = "conditional_entropy"
    unit = _checks.unit(name, base)
    kept, dtype = _prepare(name, "p_xy", p_xy, where, 2)
    return _numerics.finish(rows.conditional_entropy(kept, (-2, -1)), (-2, -1), keepdims, unit, dtype)


@_checks.measure(*JOINT_OPTIONS)
def mutual_information(
    p_xy: ArrayLike, *, where: ArrayLike | None = None, keepdims: bool = False, base: float | None = None
) -> jax.Array:
    r"""Mutual information $I(X;Y) = \mathrm{KL}(p_{xy} \| p_x p_y) = \sum p(x, y) \log \frac{p(x, y)}{p(x) p(y)}$.

    Summed as the mean of the divergences of $p(y|x)$ from $p(y)$, so that no term is negative and no product
    underflows. Of a table of total mass c it is $\sum p \log (p\,c / (p_x p_y))$.

    Args:
        p_xy: Joint tables `[..., X, Y]`.
        where: Entries to keep; others are dropped, without renormalising.
        keepdims: Whether the two axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array `[...]`: at least 0, 0 only under independence, at most `min(H(X), H(Y))`.

    Raises:
        TypeError: If `p_xy` is not real or `where` not boolean.
        ValueError: If `p_xy` has fewer than two axes, or `where` or `base` do not fit.

    **Domain**: zeros add nothing; a negative probability gives NaN in its table.

    **Gradient**: `log(p(x,y) / (p(x) p(y)))`; 0 where `p(x, y) = 0`, where it is infinite.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, section 2.3.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> print(jaxinfo.mutual_information(jnp.eye(2) / 2, base=2))
        1.0
    """
    name = "mutual_information"
    unit = _checks.unit(name, base)
    kept, dtype = _prepare(name, "p_xy", p_xy, where, 2)
    return _numerics.finish(rows.information(kept, (-2, -1)), (-2, -1), keepdims, unit, dtype)


@_checks.measure("base")
def pointwise_mutual_information(
    p_xy: ArrayLike, *, where: ArrayLike | None = None, base: float | None = None
) -> jax.Array:
    r"""Pointwise mutual information $\log \frac{p(x, y)}{p(x) p(y)}$ of each pair, whose mean is `mutual_information`.

    Args:
        p_xy: Joint tables `[..., X, Y]`.
        where: Entries to keep; others count as probability 0.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array of the shape of `p_xy`, of either sign.

    Raises:
        TypeError: If `p_xy` is not real or `where` not boolean.
        ValueError: If `p_xy` has fewer than two axes, or `where` or `base` do not fit.

    **Domain**: `-inf` where `p(x, y) = 0`: the pair never occurs; NaN for a negative probability.

    **Gradient**: that of the logarithm, through the marginals too; `inf` in `p(x, y)` where the value is `-inf`.

    Reference: R. M. Fano, "Transmission of Information", MIT Press 1961, chapter 2.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> print(jaxinfo.pointwise_mutual_information(jnp.eye(2) / 2, base=2))
        [[  1. -inf]
         [-inf   1.]]
    """
    name = "pointwise_mutual_information"
    unit = _checks.unit(name, base)
    kept, dtype = _prepare(name, "p_xy", p_xy, where, 2)
    return _numerics.in_units(rows.pointwise(kept), unit).astype(dtype)


@_checks.measure(*JOINT_OPTIONS)
def conditional_mutual_information(
    p_xyz: ArrayLike, *, where: ArrayLike | None = None, keepdims: bool = False, base: float | None = None
) -> jax.Array:
    r"""Conditional mutual information $I(X;Y|Z) = \sum p(x, y, z) \log \frac{p(x, y, z)\, p(z)}{p(x, z)\, p(y, z)}$.

    Args:
        p_xyz: Joint tables `[..., X, Y, Z]`.
        where: Entries to keep; others are dropped, without renormalising.
        keepdims: Whether the three axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array `[...]`: at least 0, 0 only where X and Y are independent given Z.

    Raises:
        TypeError: If `p_xyz` is not real or `where` not boolean.
        ValueError: If `p_xyz` has fewer than three axes, or `where` or `base` do not fit.

    **Domain**: zeros add nothing; a negative probability gives NaN in its table.

    **Gradient**: `log(p(x,y,z) p(z) / (p(x,z) p(y,z)))`; 0 where `p(x, y, z) = 0`, where it is infinite.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, equation (2.60).

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> xor = jnp.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]]) / 4
        >>> print(jaxinfo.conditional_mutual_information(xor, base=2))
        1.0
    """
    name = "conditional_mutual_information"
    unit = _checks.unit(name, base)
    kept, dtype = _prepare(name, "p_xyz", p_xyz, where, 3)
    return _numerics.finish(rows.information(kept, (-3, -2, -1)), (-3, -2, -1), keepdims, unit, dtype)
