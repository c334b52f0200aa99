"""Two variables compared through their joint table, as two clusterings of the same points are."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import _checks, _correlations, _numerics
from jaxinfo._log_domain import adaptive, valid_marginal
from jaxinfo._variables import check_normalizer, normalize
from jaxinfo.discrete import _joint_rows as rows
from jaxinfo.discrete._whole import on_face
from jaxinfo.discrete.joint import JOINT_OPTIONS, _prepare

_AXES = (-2, -1)


def _entropy_fast(axes: tuple[int, ...], p: jax.Array) -> jax.Array:
    mass = _numerics.row_sum(p, axes, True) + _numerics.tiny(p)
    return _numerics.row_sum(p * (jnp.log(mass) - jnp.log(p + _numerics.tiny(p))), axes, True)


# Where one outcome has nearly all the mass, the accurate one sees it from the others.
_adaptive_entropy = adaptive(_entropy_fast, lambda axes, p: rows.conditional_entropy(p, (axes,)), 0.5)


@jax.custom_jvp
def _entropy(p: jax.Array) -> jax.Array:
    """`sum p log(c/p)` over the last axis, with c the mass; never negative."""
    return jnp.squeeze(_adaptive_entropy((-1,), p), -1)


@_entropy.defjvp
def _entropy_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (p,), (dp,) = _numerics.apart(*primals), tangents
    mass = _numerics.row_sum(p, (-1,), True)
    zero = p == 0
    share = jnp.where(mass == 0, jnp.ones_like(mass), mass) / jnp.where(zero, jnp.ones_like(p), p)
    return _entropy(*primals), jnp.sum(dp * jnp.where(zero, jnp.zeros_like(p), jnp.log(share)), axis=-1)


@_checks.measure("keepdims", "normalizer")
def normalized_mutual_information(
    p_xy: ArrayLike, *, normalizer: str = "arithmetic", where: ArrayLike | None = None, keepdims: bool = False
) -> jax.Array:
    r"""Normalized mutual information $I(X;Y) / m(H(X), H(Y))$, without a unit.

    Args:
        p_xy: Joint tables `[..., X, Y]`.
        normalizer: What m is: `"min"`, `"max"`, `"arithmetic"` or `"geometric"` mean of the two entropies, or `"joint"`
            for $H(X, Y)$.
        where: Entries to keep; others are dropped, without renormalising.
        keepdims: Whether the two axes stay, with length 1.

    Returns:
        An array `[...]`, between 0 and 1: 1 where each variable is a function of the other, for `"min"` where one is.

    Raises:
        TypeError: If `p_xy` is not real or `where` not boolean.
        ValueError: If `p_xy` has fewer than two axes, `normalizer` is none of these, or `where` does not fit.

    **Domain**: 0 where the normalizer is 0, so where both variables are constant; a negative probability gives NaN in
    its table. The total mass does not matter.

    **Gradient**: that of the quotient; 0 at `p = 0`, where it is infinite.

    Reference: N. X. Vinh, J. Epps and J. Bailey, "Information Theoretic Measures for Clusterings Comparison: Variants,
    Properties, Normalization and Correction for Chance", Journal of Machine Learning Research 11, 2010.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> p_xy = jnp.array([[0.25, 0.25, 0.0], [0.0, 0.0, 0.5]])
        >>> print(jaxinfo.normalized_mutual_information(p_xy, normalizer="min"))
        1.0
    """
    name = "normalized_mutual_information"
    check_normalizer(name, normalizer)
    kept, dtype = _prepare(name, "p_xy", p_xy, where, 2)
    p = on_face(kept)
    if normalizer == "joint":
        of = (_entropy(p.reshape(*p.shape[:-2], -1)),)
    else:
        of = tuple(_entropy(jnp.squeeze(valid_marginal(p, (axis,)), axis)) for axis in (-1, -2))
    value = normalize(normalizer, jnp.squeeze(rows.information(p, _AXES), _AXES), *of)
    return (jnp.expand_dims(value, _AXES) if keepdims else value).astype(dtype)


def _variation_accurate(axes: tuple[int, ...], p: jax.Array) -> jax.Array:
    """The two conditional entropies, which keep their digits where they are small."""
    del axes
    return rows.conditional_entropy(p, (-2, -1)) + rows.conditional_entropy(p, (-1, -2))


_adaptive_variation = adaptive(
    _correlations.variation_of_information, _variation_accurate, _correlations.VARIATION_SMALL
)


@jax.custom_jvp
def _variation(p: jax.Array) -> jax.Array:
    return _adaptive_variation(_AXES, p)


@_variation.defjvp
def _variation_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (p,), (dp,) = _numerics.apart(*primals), tangents
    change = dp * _surprisals(p)  # the changes through the marginals sum to 0
    return _variation(*primals), jnp.sum(change, axis=_AXES, keepdims=True)


@jax.custom_jvp
def _surprisals(p: jax.Array) -> jax.Array:
    """`-log p(x|y) - log p(y|x)`, 0 where `p` is 0."""
    return jnp.where(p == 0, jnp.zeros_like(p), -2 * _correlations.log_root_of_conditionals(p, 0))


@_surprisals.defjvp
def _surprisals_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (p,), (dp,) = primals, tangents
    marginal = sum(rows.relative(*(jnp.sum(t, axis=a, keepdims=True) for t in (dp, p))) for a in _AXES)
    return _surprisals(p), marginal - 2 * rows.relative(dp, p)


@_checks.measure(*JOINT_OPTIONS)
def variation_of_information(
    p_xy: ArrayLike, *, where: ArrayLike | None = None, keepdims: bool = False, base: float | None = None
) -> jax.Array:
    r"""Variation of information $H(X|Y) + H(Y|X) = H(X, Y) - I(X;Y)$, a metric between variables.

    Args:
        p_xy: Joint tables `[..., X, Y]`.
        where: Entries to keep; others are dropped, without renormalising.
        keepdims: Whether the two axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array `[...]`: at least 0, 0 only where each variable is a function of the other, at most `H(X, Y)`.

    Raises:
        TypeError: If `p_xy` is not real or `where` not boolean.
        ValueError: If `p_xy` has fewer than two axes, or `where` or `base` do not fit.

    **Domain**: zeros add nothing; a negative probability gives NaN in its table.

    **Gradient**: `-log p(x|y) - log p(y|x)`; 0 where `p(x, y) = 0`, where it is infinite.

    Reference: M. Meila, "Comparing Clusterings - an Information Based Distance", Journal of Multivariate Analysis
    98(5), 2007.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> p_xy = jnp.array([[0.25, 0.25, 0.0], [0.0, 0.0, 0.5]])
        >>> print(jaxinfo.variation_of_information(p_xy, base=2))
        0.5
    """
    name = "variation_of_information"
    unit = _checks.unit(name, base)
    kept, dtype = _prepare(name, "p_xy", p_xy, where, 2)
    return _numerics.finish(_variation(on_face(kept)), _AXES, keepdims, unit, dtype)
