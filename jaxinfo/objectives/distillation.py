"""Distillation: what a student pays for not being its teacher, one value for each token.

A divergence is a function of two tables of logits, teacher first, that sums over the last axis: those of
`jaxinfo.logits` as they are. So the measures have the same names here as everywhere, a weight or an order is
bound by `functools.partial` and may be traced, and anyone's own function will do.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import logits
from jaxinfo._checks import Axis
from jaxinfo.objectives import _entries, _tokens

Divergence = Callable[[jax.Array, jax.Array], jax.Array]

# Those that grow with the first power of a small difference; all others of `jaxinfo.logits` with its square.
_LINEAR = (logits.total_variation, logits.hellinger_distance, logits.jensen_shannon_distance)


def reverse_kl_divergence(
    p_logits: ArrayLike,
    q_logits: ArrayLike,
    *,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    keepdims: bool = False,
    base: float | None = None,
) -> jax.Array:
    r"""Kullback-Leibler divergence with its arguments exchanged, $\mathrm{KL}(q\|p)$: what a mode-seeking student pays.

    Args:
        p_logits: Unnormalised log-probabilities `[..., K]` of p, the teacher.
        q_logits: Unnormalised log-probabilities `[..., K]` of q, the student; batch axes broadcast.
        axis: The axis or axes of a distribution; `None` for all.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether summed axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array over the other axes: at least 0, exactly 0 for equal logits.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes, `axis`, `where` or `base` do not fit.

    **Domain**: `inf` where p is masked and q is not; where both are, nothing is added.

    **Gradient**: `q (log(q/p) - KL)` in `q_logits`, over the outcomes both have where the value is `inf`; `p - q` in
    `p_logits`, always.

    Reference: Y. Gu, L. Dong, F. Wei and M. Huang, "MiniLLM: Knowledge Distillation of Large Language Models", ICLR
        2024.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import objectives
        >>> teacher, student = jnp.log(jnp.array([1.0, 1.0, 2.0])), jnp.array([0.0, 0.0, -jnp.inf])
        >>> print(objectives.reverse_kl_divergence(teacher, student, base=2))
        1.0
    """
    return logits.kl_divergence(q_logits, p_logits, axis=axis, where=where, keepdims=keepdims, base=base)


def distillation_loss(
    teacher_logits: ArrayLike,
    student_logits: ArrayLike,
    *,
    divergence: Divergence = logits.kl_divergence,
    temperature: ArrayLike = 1.0,
    degree: float | None = None,
    where: ArrayLike | None = None,
) -> jax.Array:
    r"""Distillation loss of each token: a divergence of softmaxes at a temperature, times a power of it.

    $T^d\,D(\mathrm{softmax}(z_p / T), \mathrm{softmax}(z_q / T))$, with D any of

    - forward KL, which covers what the teacher says: `logits.kl_divergence`, the default;
    - reverse KL, which avoids what the teacher does not say: `reverse_kl_divergence`;
    - Jeffreys, the sum of both: `logits.jeffreys_divergence`;
    - Jensen-Shannon, from a mixture $w p + (1 - w) q$: `partial(logits.jensen_shannon_divergence, weight=w)`;
    - the same over $w (1 - w)$, from forward KL at 0 to reverse at 1: `logits.skew_jensen_shannon_divergence`;
    - alpha, from reverse KL at 0 to forward at 1: `lambda p, q: logits.alpha_divergence(p, q, a)`;
    - total variation: `logits.total_variation`.

    The mixture form vanishes at both ends, like w times the forward and like (1 - w) times the reverse KL; the one over
    $w (1 - w)$ joins the two without a jump. The beta of generalised knowledge distillation is this w.

    A temperature flattens both distributions. Every divergence that is smooth where they agree has $D = f''(1)/2 \sum
    (p - q)^2 / q + \dots$ there, so that its gradient falls with $1 / T^2$, and $T^2$ keeps its size: as T grows it
    comes to $f''(1) (\bar z_q - \bar z_p) / K$ of the centred logits, with $f''(1)$ 1 for KL, alpha and the skew
    form, 2 for Jeffreys and $w (1 - w)$ for Jensen-Shannon. Total variation, and distances that are square roots, grow
    with the first power of the difference: for these it is T.

    Args:
        teacher_logits: Unnormalised log-probabilities `[..., K]` of p. Gradients flow into them, too:
            `jax.lax.stop_gradient` holds a teacher fixed.
        student_logits: Unnormalised log-probabilities `[..., K]` of q; batch axes broadcast.
        divergence: A function of the two that sums over the last axis.
        temperature: T, a positive number, or an array of them that broadcasts with the tokens; may be traced.
        degree: The power d of T. `None` is 1 for `total_variation`, `hellinger_distance` and `jensen_shannon_distance`
            of `jaxinfo.logits`, and 2 for every other function; 0 leaves the divergence as it is.
        where: Tokens to keep, `[...]`; others are padding.

    Returns:
        An array `[...]`, one value for each token, in nats; 0 for padding.

    Raises:
        TypeError: If an argument is not real, `where` not boolean or `divergence` not a function.
        ValueError: If shapes or `where` do not fit, a temperature known while tracing is not positive, or `divergence`
            does not give one value for each token.

    **Domain**: that of the divergence; a masked (`-inf`) logit is masked at every temperature, and a traced
    temperature that is not positive gives NaN.

    **Gradient**: that of the divergence, finite always for those of `jaxinfo.logits`; nothing that stands in a padded
    row changes it. In the temperature, too, where the value is finite. Division by a temperature rounds, but for powers
    of 2.

    Reference: G. Hinton, O. Vinyals and J. Dean, "Distilling the Knowledge in a Neural Network", arXiv:1503.02531,
        2015.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits, objectives
        >>> teacher, student = jnp.log(jnp.array([[0.5, 0.5, 0.0], [0.2, 0.2, 0.6]])), jnp.zeros((2, 3))
        >>> print(objectives.distillation_loss(teacher, student, where=jnp.array([True, False])).round(3))
        [0.405 0.   ]
        >>> print(objectives.distillation_loss(teacher, student, divergence=logits.total_variation).round(3))
        [0.333 0.267]
    """
    name = "distillation_loss"
    (z_p, z_q), mask, dtype = _tokens.rows(name, where, teacher_logits=teacher_logits, student_logits=student_logits)
    return tempered(name, divergence, temperature, degree, z_p, z_q, mask)[0].astype(dtype)


def tempered(
    name: str,
    divergence: Divergence,
    temperature: ArrayLike,
    degree: float | None,
    z_p: jax.Array,
    z_q: jax.Array,
    mask: jax.Array | None,
) -> tuple[jax.Array, jax.Array]:
    """The loss of each token, and the student's logits over the temperature."""
    if not callable(divergence):
        raise TypeError(f"{name}: divergence must be a function of two tables of logits, got {divergence!r}")
    if isinstance(temperature, (int, float)) and not temperature > 0:
        raise ValueError(f"{name}: temperature must be positive, got {temperature!r}")
    t = _entries.per_entry(name, "temperature", temperature, z_p.shape[:-1], z_p.dtype)
    t = jnp.where(t > 0, t, jnp.nan)
    p, q = _cooled(z_p, t), _cooled(z_q, t)
    value = divergence(p, q)
    if jnp.shape(value) != z_p.shape[:-1]:
        raise ValueError(
            f"{name}: divergence must sum over the last axis and give one value for each token, shape "
            f"{z_p.shape[:-1]}, got {jnp.shape(value)}"
        )
    power = _degree(divergence) if degree is None else degree
    return _tokens.kept(mask, value * t**power)[0], q


def _cooled(z: jax.Array, temperature: jax.Array) -> jax.Array:
    """`z / T`; a masked logit stays masked and adds nothing to the derivative in T."""
    rows = temperature[..., None]
    return z / jnp.where(z == -jnp.inf, jax.lax.stop_gradient(rows), rows)


def _degree(divergence: Divergence) -> int:
    while isinstance(divergence, functools.partial):
        divergence = divergence.func
    return 1 if divergence in _LINEAR else 2
