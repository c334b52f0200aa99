"""Measures of joint tables of logits: X on axis -2 and Y on axis -1, or X, Y, Z on the last three."""

from __future__ import annotations

import jax
from jax.typing import ArrayLike

from jaxinfo import _checks, _log_domain, _numerics
from jaxinfo._checks import Axis
from jaxinfo.logits._arguments import JOINT_OPTIONS, OPTIONS, joint, one


@_checks.measure(*OPTIONS)
def joint_entropy(
    logits: ArrayLike,
    *,
    axis: Axis = None,
    where: ArrayLike | None = None,
    keepdims: bool = False,
    base: float | None = None,
) -> jax.Array:
    r"""Joint entropy of a whole table of logits, normalised over all variables.

    Args:
        logits: Unnormalised log-probabilities, one axis for each variable.
        axis: The axes that are variables; all of them by default, the others are batch axes.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether summed axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array over the batch axes, at least 0.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes, `axis`, `where` or `base` do not fit.

    **Domain**: masked outcomes add nothing.

    **Gradient**: as `entropy`.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, equation (2.8).

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> print(logits.joint_entropy(jnp.zeros((2, 4)), base=2))
        3.0
    """
    name = "joint_entropy"
    unit = _checks.unit(name, base)
    z, axes, dtype = one(name, "logits", logits, axis, where)
    return _numerics.finish(_log_domain.entropy(axes, z), axes, keepdims, unit, dtype)


@_checks.measure(*JOINT_OPTIONS)
def conditional_entropy(
    logits_xy: ArrayLike, *, where: ArrayLike | None = None, keepdims: bool = False, base: float | None = None
) -> jax.Array:
    r"""Conditional entropy $H(X|Y) = \sum_y p(y) H(X|y)$ of a joint table of logits.

    Args:
        logits_xy: Unnormalised log-probabilities `[..., X, Y]`, normalised over both axes.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether the variables' axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array `[...]`, between 0 and `H(X)`. For `H(Y|X)` swap the axes.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes, `axis`, `where` or `base` do not fit.

    **Domain**: masked outcomes add nothing, nor does a y that is masked throughout.

    **Gradient**: finite always; 0 for a masked logit.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, equation (2.10).

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> print(logits.conditional_entropy(jnp.zeros((4, 2)), base=2))
        2.0
    """
    name = "conditional_entropy"
    unit = _checks.unit(name, base)
    z, dtype = joint(name, "logits_xy", logits_xy, where, 2)
    value = _log_domain.conditional_entropy((-2, -1), z)
    return _numerics.finish(value, (-2, -1), keepdims, unit, dtype)


@_checks.measure(*JOINT_OPTIONS)
def mutual_information(
    logits_xy: ArrayLike, *, where: ArrayLike | None = None, keepdims: bool = False, base: float | None = None
) -> jax.Array:
    r"""Mutual information $I(X;Y) = \mathrm{KL}(p_{xy}\|p_x p_y)$ of a joint table of logits.

    Args:
        logits_xy: Unnormalised log-probabilities `[..., X, Y]`, normalised over both axes.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether the variables' axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array `[...]`: at least 0, at most `min(H(X), H(Y))`.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes, `axis`, `where` or `base` do not fit.

    **Domain**: masked outcomes add nothing.

    **Gradient**: `p (log(p / (p_x p_y)) - I)`; 0 for a masked logit.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, section 2.3.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> print(f"{logits.mutual_information(jnp.log(jnp.eye(2)), base=2):.4f}")
        1.0000
    """
    name = "mutual_information"
    unit = _checks.unit(name, base)
    z, dtype = joint(name, "logits_xy", logits_xy, where, 2)
    value = _log_domain.information((-2, -1), z)
    return _numerics.finish(value, (-2, -1), keepdims, unit, dtype)


@_checks.measure("base")
def pointwise_mutual_information(
    logits_xy: ArrayLike, *, where: ArrayLike | None = None, base: float | None = None
) -> jax.Array:
    r"""Pointwise mutual information $\log \frac{p(x, y)}{p(x) p(y)}$ of each pair of a joint table of logits.

    Args:
        logits_xy: Unnormalised log-probabilities `[..., X, Y]`, normalised over both axes.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array of the shape of `logits_xy`, of either sign.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes, `axis`, `where` or `base` do not fit.

    **Domain**: `-inf` where the pair is masked.

    **Gradient**: that of the log-probability minus those of its marginals; finite also where the value is not.

    Reference: R. M. Fano, "Transmission of Information", MIT Press 1961, chapter 2.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> print(jnp.abs(logits.pointwise_mutual_information(jnp.zeros((2, 2)))).max() < 1e-6)
        True
    """
    name = "pointwise_mutual_information"
    unit = _checks.unit(name, base)
    z, dtype = joint(name, "logits_xy", logits_xy, where, 2)
    return _numerics.in_units(_log_domain.pointwise_information(z), unit).astype(dtype)


@_checks.measure(*JOINT_OPTIONS)
def conditional_mutual_information(
    logits_xyz: ArrayLike, *, where: ArrayLike | None = None, keepdims: bool = False, base: float | None = None
) -> jax.Array:
    r"""Conditional mutual information $I(X;Y|Z)$ of a joint table of logits.

    Args:
        logits_xyz: Unnormalised log-probabilities `[..., X, Y, Z]`, normalised over the three axes.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether the variables' axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array `[...]`: at least 0, 0 only where X and Y are independent given Z.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes, `axis`, `where` or `base` do not fit.

    **Domain**: masked outcomes add nothing, nor does a z that is masked throughout.

    **Gradient**: `p (log(p(x,y,z) p(z) / (p(x,z) p(y,z))) - I)`; 0 for a masked logit.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, equation (2.60).

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> xor = jnp.log(jnp.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]]))
        >>> print(f"{logits.conditional_mutual_information(xor, base=2):.4f}")
        1.0000
    """
    name = "conditional_mutual_information"
    unit = _checks.unit(name, base)
    z, dtype = joint(name, "logits_xyz", logits_xyz, where, 3)
    return _numerics.finish(_log_domain.information((-3, -2, -1), z), (-3, -2, -1), keepdims, unit, dtype)
