"""f-divergences of logits: any generator, total variation, chi-squared, and the skew Jensen-Shannon divergence."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import _checks, _log_domain, _numerics, generators
from jaxinfo._checks import Axis
from jaxinfo.generators._generator import Generator, form
from jaxinfo.logits._arguments import OPTIONS, masked, pair

UNITLESS = ("axis", "keepdims")


def _divergence(
    name: str,
    generator: Generator,
    p_logits: ArrayLike,
    q_logits: ArrayLike,
    axis: Axis,
    where: ArrayLike | None,
    keepdims: bool,
) -> jax.Array:
    z_p, z_q, axes, dtype = pair(name, ("p_logits", "q_logits"), p_logits, q_logits, axis, where)
    value = form(generator).row(axes, masked(name, where, z_p), z_q)
    return _numerics.finish(value, axes, keepdims, 1.0, dtype)


@_checks.measure(*UNITLESS, "generator")
def f_divergence(
    p_logits: ArrayLike,
    q_logits: ArrayLike,
    generator: Generator,
    *,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    keepdims: bool = False,
) -> jax.Array:
    r"""f-divergence $D_f(p, q) = \sum_k q_k f(p_k / q_k)$ of two tables of logits.

    Summed from the logarithms of the ratios, so that a probability that underflows is no zero.

    Args:
        p_logits: Unnormalised log-probabilities `[..., K]` of p.
        q_logits: Unnormalised log-probabilities `[..., K]` of q; batch axes broadcast.
        generator: The function and its limits, from `jaxinfo.generators` or a `Generator` of one's own. Those keep
            their digits where the logits are close.
        axis: The axis or axes of a distribution; `None` for all.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether summed axes stay, with length 1.

    Returns:
        An array over the other axes: at least 0, exactly 0 for equal logits.

    Raises:
        TypeError: If an argument is not real, `where` not boolean or `generator` not a `Generator`.
        ValueError: If shapes, `axis` or `where` do not fit.

    **Domain**: an outcome that only q masks adds `p * slope_at_infinity`, one that only p masks `q * at_zero`. Of a
    function of one's own, a ratio beyond the range of the dtype counts as infinite.

    **Gradient**: `p (f' - sum(p f'))` in `p_logits`, and that of the reversed divergence in `q_logits`: finite always;
    where the divergence exceeds the fourth root of the largest number, too small.

    Reference: I. Csiszár, "Information-type measures of difference of probability distributions and indirect
        observations", Studia Scientiarum Mathematicarum Hungarica 2, 1967.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import generators, logits
        >>> z = jnp.array([0.0, 0.0, -jnp.inf])
        >>> other = jnp.log(jnp.array([1.0, 1.0, 2.0]))
        >>> print(f"{logits.f_divergence(z, other, generators.pearson_chi_squared()):.4f}")
        1.0000
    """
    _checks.generator("f_divergence", generator, Generator)
    return _divergence("f_divergence", generator, p_logits, q_logits, axis, where, keepdims)


@_checks.measure(*UNITLESS)
def total_variation(
    p_logits: ArrayLike, q_logits: ArrayLike, *, axis: Axis = -1, where: ArrayLike | None = None, keepdims: bool = False
) -> jax.Array:
    r"""Total variation distance $\tfrac12 \sum_k |p_k - q_k|$ of two tables of logits.

    Args:
        p_logits: Unnormalised log-probabilities `[..., K]` of p.
        q_logits: Unnormalised log-probabilities `[..., K]` of q; batch axes broadcast.
        axis: The axis or axes of a distribution; `None` for all.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether summed axes stay, with length 1.

    Returns:
        An array over the other axes, between 0 and 1. It has no unit.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes, `axis` or `where` do not fit.

    **Domain**: finite for all logits, whatever is masked.

    **Gradient**: `p (s - sum(p s))` with `s = sign(p - q) / 2`, in `p_logits`.

    Reference: D. A. Levin and Y. Peres, "Markov Chains and Mixing Times", 2nd ed., AMS 2017, section 4.1.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> z = jnp.log(jnp.array([0.75, 0.25]))
        >>> print(f"{logits.total_variation(z, z[::-1]):.4f}")
        0.5000
    """
    return _divergence("total_variation", generators.total_variation(), p_logits, q_logits, axis, where, keepdims)


@_checks.measure(*UNITLESS)
def chi_squared_divergence(
    p_logits: ArrayLike, q_logits: ArrayLike, *, axis: Axis = -1, where: ArrayLike | None = None, keepdims: bool = False
) -> jax.Array:
    r"""Pearson's chi-squared divergence $\sum_k (p_k - q_k)^2 / q_k$ of two tables of logits.

    Args:
        p_logits: Unnormalised log-probabilities `[..., K]` of p.
        q_logits: Unnormalised log-probabilities `[..., K]` of q; batch axes broadcast.
        axis: The axis or axes of a distribution; `None` for all.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether summed axes stay, with length 1.

    Returns:
        An array over the other axes: at least 0, exactly 0 for equal logits. It has no unit.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes, `axis` or `where` do not fit.

    **Domain**: `inf` where q is masked and p is not, and where it is beyond the range of the dtype: it grows with the
    exponential of the logits.

    **Gradient**: `2 p (p/q - sum(p^2/q))` in `p_logits`, `q sum(p^2/q) - p^2/q` in `q_logits`; finite always, as of
    `f_divergence`.

    Reference: A. L. Gibbs and F. E. Su, "On Choosing and Bounding Probability Metrics", International Statistical
        Review 70, 2002.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> z = jnp.log(jnp.array([0.75, 0.25]))
        >>> print(f"{logits.chi_squared_divergence(z, z[::-1]):.4f}")
        1.3333
    """
    name = "chi_squared_divergence"
    return _divergence(name, generators.pearson_chi_squared(), p_logits, q_logits, axis, where, keepdims)


@_checks.measure(*OPTIONS)
def skew_jensen_shannon_divergence(
    p_logits: ArrayLike,
    q_logits: ArrayLike,
    *,
    weight: ArrayLike = 0.5,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    keepdims: bool = False,
    base: float | None = None,
) -> jax.Array:
    r"""Skew Jensen-Shannon divergence of two tables of logits: see `jaxinfo.skew_jensen_shannon_divergence`.

    Args:
        p_logits: Unnormalised log-probabilities `[..., K]` of p.
        q_logits: Unnormalised log-probabilities `[..., K]` of q; batch axes broadcast.
        weight: The weight w of p in the mixture, a scalar in [0, 1]; may be traced.
        axis: The axis or axes of a distribution; `None` for all.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether summed axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array over the other axes: at least 0, exactly 0 for equal logits; KL(p‖q) at weight 0, KL(q‖p) at weight 1.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes, `weight`, `axis`, `where` or `base` do not fit.

    **Domain**: finite for `0 < w < 1`; `inf` at `w = 0` where only q is masked, at `w = 1` where only p is.

    **Gradient**: `p (x - sum(p x))` with `x = log(p/m) / (1 - w)` in `p_logits`, and the limit of that at `w = 1`;
    likewise in `q_logits`; finite always.

    Reference: F. Nielsen, "A family of statistical symmetric divergences based on Jensen's inequality",
        arXiv:1009.4004, 2010.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> z = jnp.log(jnp.array([[1.0, 1.0], [1.0, 3.0]]))
        >>> print(f"{logits.skew_jensen_shannon_divergence(z[0], z[1], weight=0.0):.4f}")
        0.1438
    """
    name = "skew_jensen_shannon_divergence"
    unit = _checks.unit(name, base)
    _checks.weight(name, weight)
    z_p, z_q, axes, dtype = pair(name, ("p_logits", "q_logits"), p_logits, q_logits, axis, where)
    share = jnp.asarray(weight).astype(z_p.dtype).reshape((1,) * z_p.ndim)
    value = _log_domain.skew_jensen_shannon_divergence(axes, masked(name, where, z_p), z_q, share)
    return _numerics.finish(value, axes, keepdims, unit, dtype)
