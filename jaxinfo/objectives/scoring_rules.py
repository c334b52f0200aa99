"""Proper scoring rules, what their mean is made of, and Murphy's decomposition. Less is better."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import _checks, _numerics, discrete
from jaxinfo.objectives import _forecasts


class ScoreTerms(NamedTuple):
    """A mean score $S(p, q)$ and its two parts, $G(p) + d(p, q)$; the shape of each is that of the batch."""

    score: jax.Array
    """The mean score of the forecast q where outcomes follow p: the sum of the other two."""
    entropy: jax.Array
    """The generalised entropy G(p), the mean score of the forecast p itself: what no forecast can avoid."""
    divergence: jax.Array
    """The divergence d(p, q) >= 0, what is lost by a forecast other than p; 0 for p alone if the rule is strict."""


@_checks.measure("axis", "base")
def log_score(labels: ArrayLike, q: ArrayLike, *, axis: int = -1, base: float | None = None) -> jax.Array:
    r"""Logarithmic score $-\log q_y$ of a forecast: the surprisal of what came about.

    Args:
        labels: Integers, of the shape of `q` without `axis`; or a table of probabilities p, for the mean score
            $-\sum_k p_k \log q_k$.
        q: Forecasts, probabilities `[..., K]`. From logits, `cross_entropy_loss`.
        axis: The axis of the outcomes.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array over the other axes, at least 0: a score for each forecast.

    Raises:
        TypeError: If `q` is not real, or labels for each forecast are not integers.
        ValueError: If shapes, `axis` or `base` do not fit.

    **Domain**: `inf` where what was given no chance came about; NaN for a label outside `[0, K)`.

    **Gradient**: `-1 / q_y` in the entry of the label, 0 in the others; `-inf` where that is 0.

    Reference: I. J. Good, "Rational Decisions", Journal of the Royal Statistical Society B 14, 1952.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import objectives
        >>> print(objectives.log_score(jnp.array([0, 1]), jnp.array([[0.5, 0.5], [0.75, 0.25]]), base=2))
        [1. 2.]
    """
    name = "log_score"
    _checks.unit(name, base)
    p, forecast, axes, dtype = _forecasts.tables(name, labels, q, axis)
    return discrete.cross_entropy(p, forecast, axis=axes, base=base).astype(dtype)


@_checks.measure("axis")
def brier_score(labels: ArrayLike, q: ArrayLike, *, axis: int = -1) -> jax.Array:
    r"""Brier score $\sum_k (q_k - 1[y = k])^2$ of a forecast, Brier's own: from 0 to 2, over all classes.

    For two classes it is twice the square of one probability's error, which goes by that name, too.

    Args:
        labels: Integers, of the shape of `q` without `axis`; or a table of probabilities p, for the mean score
            $\sum_k p_k (1 - 2 q_k) + \sum_k q_k^2$, which is more than the squared distance of p and q, its divergence.
        q: Forecasts, probabilities `[..., K]`; from logits, their softmax.
        axis: The axis of the outcomes.

    Returns:
        An array over the other axes: a score for each forecast.

    Raises:
        TypeError: If `q` is not real, or labels for each forecast are not integers.
        ValueError: If shapes or `axis` do not fit.

    **Domain**: finite for every forecast; NaN for a label outside `[0, K)`.

    **Gradient**: $2 (q - p)$ in `q`.

    Reference: G. W. Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather Review 78,
        1950.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import objectives
        >>> print(objectives.brier_score(jnp.array([0, 1]), jnp.array([[0.5, 0.5], [0.75, 0.25]])))
        [0.5   1.125]
    """
    p, forecast, axes, dtype = _forecasts.tables("brier_score", labels, q, axis)
    parts = _brier_terms(p, forecast, axes)
    return parts.score.astype(dtype)


@_checks.measure("axis", "base")
def log_score_terms(p: ArrayLike, q: ArrayLike, *, axis: int = -1, base: float | None = None) -> ScoreTerms:
    r"""Mean logarithmic score where outcomes follow p, as entropy and divergence: $H(p) + D(p \| q)$.

    Args:
        p: The probabilities `[..., K]` of the outcomes.
        q: Forecasts, probabilities `[..., K]`; batch axes broadcast.
        axis: The axis of the outcomes.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        `ScoreTerms(score, entropy, divergence)`, arrays over the other axes, each at least 0.

    Raises:
        TypeError: If an argument is not real.
        ValueError: If shapes, `axis` or `base` do not fit.

    **Domain**: score and divergence are `inf` where q is 0 and p is not.

    **Gradient**: as `jaxinfo.entropy`, `jaxinfo.kl_divergence` and `jaxinfo.cross_entropy`.

    Reference: T. Gneiting and A. E. Raftery, "Strictly Proper Scoring Rules, Prediction, and Estimation", JASA 102,
        2007, section 3.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import objectives
        >>> terms = objectives.log_score_terms(jnp.array([0.5, 0.5]), jnp.array([0.25, 0.75]), base=2)
        >>> print(f"{terms.score:.4f} = {terms.entropy:.4f} + {terms.divergence:.4f}")
        1.2075 = 1.0000 + 0.2075
    """
    name = "log_score_terms"
    _checks.unit(name, base)
    table, forecast, axes, dtype = _two_tables(name, p, q, axis)
    options: Any = {"axis": axes, "base": base}
    entropy = discrete.entropy(table, **options)
    divergence = discrete.kl_divergence(table, forecast, **options)
    score = discrete.cross_entropy(table, forecast, **options)
    return ScoreTerms(*(part.astype(dtype) for part in (score, entropy, divergence)))


def _two_tables(name: str, p: ArrayLike, q: ArrayLike, axis: int) -> _forecasts.Tables:
    """Two tables, of any numbers of axes."""
    x, y = _checks.floating(name, "p", p), _checks.floating(name, "q", q)
    rank = max(x.ndim, y.ndim)
    x, y = (t.reshape((1,) * (rank - t.ndim) + t.shape) for t in (x, y))
    return _forecasts.tables(name, x, y, axis, argument="p")


def _brier_terms(p: jax.Array, q: jax.Array, axes: tuple[int, ...]) -> ScoreTerms:
    """`sum p (1 - p)` and `sum (p - q)^2`: no difference of large numbers."""
    entropy = _numerics.row_sum(p * (1 - p), axes)
    divergence = _numerics.row_sum(jnp.square(p - q), axes)
    return ScoreTerms(entropy + divergence, entropy, divergence)


@_checks.measure("axis")
def brier_score_terms(p: ArrayLike, q: ArrayLike, *, axis: int = -1) -> ScoreTerms:
    r"""Mean Brier score where outcomes follow p, as entropy and divergence: $(1 - \sum p^2) + \sum (p - q)^2$.

    Args:
        p: The probabilities `[..., K]` of the outcomes.
        q: Forecasts, probabilities `[..., K]`; batch axes broadcast.
        axis: The axis of the outcomes.

    Returns:
        `ScoreTerms(score, entropy, divergence)`, arrays over the other axes; the entropy is Gini's and Simpson's index.

    Raises:
        TypeError: If an argument is not real.
        ValueError: If shapes or `axis` do not fit.

    **Domain**: finite.

    **Gradient**: of the divergence `2 (q - p)` in `q`.

    Reference: T. Gneiting and A. E. Raftery, "Strictly Proper Scoring Rules, Prediction, and Estimation", JASA 102,
        2007, section 3.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import objectives
        >>> terms = objectives.brier_score_terms(jnp.array([0.5, 0.5]), jnp.array([0.25, 0.75]))
        >>> print(f"{terms.score:.3f} = {terms.entropy:.3f} + {terms.divergence:.3f}")
        0.625 = 0.500 + 0.125
    """
    name = "brier_score_terms"
    table, forecast, axes, dtype = _two_tables(name, p, q, axis)
    return ScoreTerms(*(part.astype(dtype) for part in _brier_terms(table, forecast, axes)))


@_checks.measure("generator", "axis")
def proper_score_terms(
    p: ArrayLike, q: ArrayLike, generator: Callable[[jax.Array], jax.Array], *, axis: int = -1
) -> ScoreTerms:
    r"""Mean of the proper score of a convex function $\varphi$, in two parts: $-\varphi(p) + D_\varphi(p, q)$.

    Every proper scoring rule is of this form: a forecast q scores $-\varphi(q) - \langle \nabla\varphi(q), e_y -
    q\rangle$ when y comes about. The negative entropy gives the logarithmic score, the squared norm Brier's (less 1),
    the norm the spherical score.

    Args:
        p: The probabilities `[..., K]` of the outcomes; a one-hot row for an outcome, and then the score is its own.
        q: Forecasts, probabilities `[..., K]`; batch axes broadcast.
        generator: The convex function, as `jaxinfo.bregman_divergence` takes it.
        axis: The axis of the outcomes.

    Returns:
        `ScoreTerms(score, entropy, divergence)`, arrays over the other axes.

    Raises:
        TypeError: If an argument is not real, or `generator` not a function.
        ValueError: If shapes or `axis` do not fit, or the generator does not give one number.

    **Domain**: that of the generator and its gradient.

    **Gradient**: as `jaxinfo.bregman_divergence`.

    Reference: L. J. Savage, "Elicitation of Personal Probabilities and Expectations", JASA 66, 1971;
    T. Gneiting and A. E. Raftery, "Strictly Proper Scoring Rules, Prediction, and Estimation", JASA 102, 2007, theorem
        1.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import objectives
        >>> terms = objectives.proper_score_terms(jnp.array([1.0, 0.0]), jnp.array([0.6, 0.8]), jnp.linalg.norm)
        >>> print(f"{terms.score:.2f}")  # the spherical score -q_y / |q|
        -0.60
    """
    name = "proper_score_terms"
    table, forecast, axes, dtype = _two_tables(name, p, q, axis)
    divergence = discrete.bregman_divergence(table, forecast, generator, axis=axes[0])
    value: Any = generator
    for _ in divergence.shape:
        value = jax.vmap(value)
    entropy = -value(jnp.moveaxis(table, axes[0], -1))
    return ScoreTerms(*(part.astype(dtype) for part in (entropy + divergence, entropy, divergence)))
