"""f-divergences of tables: any generator, total variation, chi-squared, and the skew Jensen-Shannon divergence."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import _checks, _distances, _numerics, _skew
from jaxinfo._checks import Axis
from jaxinfo.discrete.entropies import OPTIONS, prepare_pair, reduce_terms
from jaxinfo.generators._generator import Generator, form

UNITLESS = ("axis", "keepdims")


@_checks.measure(*UNITLESS, "generator")
def f_divergence(
    p: ArrayLike,
    q: ArrayLike,
    generator: Generator,
    *,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    keepdims: bool = False,
) -> jax.Array:
    r"""f-divergence $D_f(p, q) = \sum_k q_k f(p_k / q_k)$ of a convex function with $f(1) = 0$.

    Off the simplex it is the generalised divergence, $\sum_k q_k f(p_k / q_k) - f'(1) (p_k - q_k)$, every term at least
    0; the last part sums to 0 on normalised tables.

    Args:
        p: Probabilities `[..., K]`.
        q: Probabilities `[..., K]`; batch axes broadcast.
        generator: The function and its limits, from `jaxinfo.generators` or a `Generator` of one's own. Those keep
            their digits where p and q are close; of one's own, see there.
        axis: The axis or axes summed over; `None` for all.
        where: Entries to keep; others are dropped, without renormalising.
        keepdims: Whether summed axes stay, with length 1.

    Returns:
        An array over the other axes, in the unit of f (nats for the logarithmic ones): at least 0, exactly 0 where
        `p == q`.

    Raises:
        TypeError: If a table is not real, `where` not boolean or `generator` not a `Generator`.
        ValueError: If shapes, `axis` or `where` do not fit.

    **Domain**: `p > 0, q = 0` adds `p * slope_at_infinity`, `p = 0, q > 0` adds `q * at_zero` (each with its share of
    `f'(1)`), `p = q = 0` nothing; a negative entry gives NaN in its row.

    **Gradient**: `f'(p/q) - f'(1)` in `p`, `f(p/q) - p/q f'(p/q) + f'(1)` in `q`. At a zero their limits: an infinite
    one is 0 where the value is finite. Of a function of one's own the limit at `p = 0` is `f'(0)`, and that at `q = 0`
    counts as infinite.

    Reference: I. Csiszár, "Information-type measures of difference of probability distributions and indirect
        observations", Studia Scientiarum Mathematicarum Hungarica 2, 1967.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> p, q = jnp.array([0.5, 0.5, 0.0]), jnp.array([0.25, 0.25, 0.5])
        >>> print(jaxinfo.f_divergence(p, q, jaxinfo.generators.pearson_chi_squared()))
        1.0
    """
    name = "f_divergence"
    _checks.generator(name, generator, Generator)
    kept_p, kept_q, axes, dtype = prepare_pair(name, p, q, axis, where)
    return _numerics.finish(form(generator).table(axes, kept_p, kept_q), axes, keepdims, 1.0, dtype)


@_checks.measure(*UNITLESS)
def total_variation(
    p: ArrayLike, q: ArrayLike, *, axis: Axis = -1, where: ArrayLike | None = None, keepdims: bool = False
) -> jax.Array:
    r"""Total variation distance $\tfrac12 \sum_k |p_k - q_k|$, the largest difference in the probability of an event.

    Args:
        p: Probabilities `[..., K]`.
        q: Probabilities `[..., K]`; batch axes broadcast.
        axis: The axis or axes summed over; `None` for all.
        where: Entries to keep; others are dropped, without renormalising.
        keepdims: Whether summed axes stay, with length 1.

    Returns:
        An array over the other axes: a metric between 0 and 1. It has no unit.

    Raises:
        TypeError: If a table is not real or `where` not boolean.
        ValueError: If shapes, `axis` or `where` do not fit.

    **Domain**: finite for all tables; a negative entry gives NaN in its row.

    **Gradient**: `sign(p - q) / 2` in `p`, the subgradient 0 where `p == q`.

    Reference: D. A. Levin and Y. Peres, "Markov Chains and Mixing Times", 2nd ed., AMS 2017, section 4.1.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> print(jaxinfo.total_variation(jnp.array([0.5, 0.5, 0.0]), jnp.array([0.25, 0.25, 0.5])))
        0.5
    """
    kept_p, kept_q, axes, dtype = prepare_pair("total_variation", p, q, axis, where)
    return reduce_terms(_distances.total_variation_term(kept_p, kept_q), axes, keepdims, 1.0, dtype)


@_checks.measure(*UNITLESS)
def chi_squared_divergence(
    p: ArrayLike, q: ArrayLike, *, axis: Axis = -1, where: ArrayLike | None = None, keepdims: bool = False
) -> jax.Array:
    r"""Pearson's chi-squared divergence $\chi^2(p\|q) = \sum_k (p_k - q_k)^2 / q_k$.

    Args:
        p: Probabilities `[..., K]`.
        q: Probabilities `[..., K]` of the reference; batch axes broadcast.
        axis: The axis or axes summed over; `None` for all.
        where: Entries to keep; others are dropped, without renormalising.
        keepdims: Whether summed axes stay, with length 1.

    Returns:
        An array over the other axes: at least 0, exactly 0 where `p == q`, the variance of `p/q` under q. It has no
        unit, and bounds KL(p‖q) through `log(1 + chi^2)`.

    Raises:
        TypeError: If a table is not real or `where` not boolean.
        ValueError: If shapes, `axis` or `where` do not fit.

    **Domain**: `p > 0, q = 0` gives `inf`; `p = q = 0` adds nothing; a negative entry gives NaN in its row.

    **Gradient**: `2 (p - q) / q` in `p` (`inf` where only `q` is 0), `1 - (p/q)^2` in `q` (1 where `p = 0`, `-inf`
    where only `q` is 0).

    Reference: A. L. Gibbs and F. E. Su, "On Choosing and Bounding Probability Metrics", International Statistical
        Review 70, 2002.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> p, q = jnp.array([0.5, 0.5, 0.0]), jnp.array([0.25, 0.25, 0.5])
        >>> print(jaxinfo.chi_squared_divergence(p, q), jaxinfo.chi_squared_divergence(q, p))
        1.0 inf
    """
    kept_p, kept_q, axes, dtype = prepare_pair("chi_squared_divergence", p, q, axis, where)
    return reduce_terms(_distances.chi_squared_term(kept_p, kept_q), axes, keepdims, 1.0, dtype)


@_checks.measure(*OPTIONS)
def skew_jensen_shannon_divergence(
    p: ArrayLike,
    q: ArrayLike,
    *,
    weight: ArrayLike = 0.5,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    keepdims: bool = False,
    base: float | None = None,
) -> jax.Array:
    r"""Skew Jensen-Shannon divergence $(w\,\mathrm{KL}(p\|m) + (1-w)\,\mathrm{KL}(q\|m)) / (w (1-w))$.

    The mixture is $m = w p + (1-w) q$. It goes from $\mathrm{KL}(p\|q)$ at $w = 0$ to $\mathrm{KL}(q\|p)$ at $w = 1$,
    smoothly: it is computed as $\sum (p - q)^2 F[p, q, m]$, a divided difference of $F(x) = x \log x$, and nothing is
    divided by w.

    Args:
        p: Probabilities `[..., K]`.
        q: Probabilities `[..., K]`; batch axes broadcast.
        weight: The weight w of `p` in the mixture, a scalar in [0, 1]; may be traced.
        axis: The axis or axes summed over; `None` for all.
        where: Entries to keep; others are dropped, without renormalising.
        keepdims: Whether summed axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array over the other axes: at least 0, exactly 0 where `p == q`. At `weight=1/2` it is 4 times
        `jensen_shannon_divergence`.

    Raises:
        TypeError: If a table is not real or `where` not boolean.
        ValueError: If shapes, `weight`, `axis`, `where` or `base` do not fit.

    **Domain**: finite for `0 < w < 1`; at `w = 0` infinite where only `q` is 0, at `w = 1` where only `p` is; a traced
    weight outside [0, 1] and a negative entry give NaN.

    **Gradient**: `log(p/m) / (1 - w)` in `p`, `log(q/m) / w` in `q`, and at `w = 1` and `w = 0` their limits `1 - q/p`
    and `1 - p/q`; 0 where `p` alone is 0 (there it is infinite), `-log(w) / (1 - w)` where both are. In the weight
    `sum (p - q)^2 (F[p, m, m] - F[q, m, m])`; `-inf` and `inf` at 0 and 1 where the value is infinite.

    Reference: F. Nielsen, "A family of statistical symmetric divergences based on Jensen's inequality",
        arXiv:1009.4004, 2010.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> p, q = jnp.array([0.5, 0.5]), jnp.array([0.25, 0.75])
        >>> for w in (0.0, 1e-6, 0.5):
        ...     print(f"{jaxinfo.skew_jensen_shannon_divergence(p, q, weight=w):.5f}")
        0.14384
        0.14384
        0.13529
    """
    name = "skew_jensen_shannon_divergence"
    unit = _checks.unit(name, base)
    _checks.weight(name, weight)
    kept_p, kept_q, axes, dtype = prepare_pair(name, p, q, axis, where)
    share = jnp.asarray(weight).astype(kept_p.dtype)
    nats = _numerics.row_sum(_skew.skew_term(kept_p, kept_q, kept_p - kept_q, share), axes, keepdims)
    infinite = _skew.infinite_rows(*jax.lax.stop_gradient((kept_p, kept_q, share)), axes, keepdims)
    return _numerics.in_units(nats + infinite, unit).astype(dtype)
