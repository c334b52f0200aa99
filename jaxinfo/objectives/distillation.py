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

from jaxinfo import _checks, logits
from jaxinfo._checks import Axis
from jaxinfo.objectives import _tokens

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
        teacher_logits: Unnormalised log-probabilities `[..., K]` of p. Gradients flow into them, too: an
            `jax.lax.stop_gradient` holds the teacher fixed.
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
    row changes it. In the temperature, too. Division by a temperature rounds, but for powers of 2.

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
    return _tempered(name, divergence, temperature, degree, z_p, z_q, mask)[0].astype(dtype)


def _tempered(
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
    t = _tokens.per_token(name, "temperature", temperature, z_p.shape[:-1], z_p.dtype)
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


def on_policy_distillation_loss(
    teacher_logits: ArrayLike,
    student_logits: ArrayLike,
    tokens: ArrayLike,
    *,
    divergence: Divergence = reverse_kl_divergence,
    temperature: ArrayLike = 1.0,
    degree: float | None = None,
    discount: ArrayLike = 1.0,
    baseline: ArrayLike = 0.0,
    where: ArrayLike | None = None,
) -> jax.Array:
    r"""Distillation loss on sequences that the student wrote, with the gradient of having written them.

    Over sequences $y \sim q$ the mean of $\sum_t D_t$, with $D_t$ the divergence of the two next-token distributions
    after $y_{<t}$, is for the reverse KL the divergence $\mathrm{KL}(q\|p)$ of whole sequences, of less variance than
    the log-ratio of the sampled tokens. Its gradient has two parts,

    $\nabla \sum_t D_t + \sum_t (\gamma D_{t+1} + \gamma^2 D_{t+2} + \dots - b_t) \nabla \log q(y_t | y_{<t})$

    where the second, the policy gradient, says that a token is also to blame for where it leads. With
    `discount` $\gamma = 1$ and one draw or many the gradient is unbiased (MiniLLM); with 0 the sequences count as
    given (generalised knowledge distillation), which is biased and of less variance.

    Args:
        teacher_logits: Unnormalised log-probabilities `[..., T, K]` of p after each prefix of the student's sequences.
        student_logits: Unnormalised log-probabilities `[..., T, K]` of q after the same prefixes.
        tokens: Integers `[..., T]`, what the student drew from `softmax(student_logits / temperature)`.
        divergence: As of `distillation_loss`; with another than reverse KL it is the mean of that under the student.
        temperature: T, a positive number, or an array of them that broadcasts with the tokens; may be traced.
        degree: As of `distillation_loss`.
        discount: How much of what follows is credited to a token, in [0, 1]; may be traced.
        baseline: What is subtracted from that credit, broadcast with the tokens. It leaves the gradient unbiased if it
            does not depend on the token or on what follows, as the mean over the other sequences of a prompt.
        where: Tokens to keep, `[..., T]`; others are padding.

    Returns:
        An array `[..., T]`, one value for each token, that of `distillation_loss`; 0 for padding.

    Raises:
        TypeError: If an argument is not real, `tokens` not integers, `where` not boolean or `divergence` no function.
        ValueError: If shapes or `where` do not fit, a temperature or a discount known while tracing is out of range, or
            `divergence` does not give one value for each token.

    **Domain**: that of `distillation_loss`.

    **Gradient**: as above, to first order; the sequences themselves and what they are credited with are held fixed, and
    an infinite divergence is credited to no earlier token. Finite always.

    Reference: R. Agarwal et al., "On-Policy Distillation of Language Models: Learning from Self-Generated Mistakes",
        ICLR 2024.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import objectives
        >>> teacher, student = jnp.log(jnp.array([[0.75, 0.25], [0.5, 0.5]])), jnp.zeros((2, 2))
        >>> print(objectives.on_policy_distillation_loss(teacher, student, jnp.array([0, 1])).round(3))
        [0.144 0.   ]
    """
    name = "on_policy_distillation_loss"
    (z_p, z_q), mask, dtype = _tokens.rows(name, where, teacher_logits=teacher_logits, student_logits=student_logits)
    _checks.rank(name, "student_logits", z_q, 2)
    index = _tokens.labels(name, tokens, z_q.shape[:-1], mask)
    value, cooled = _tempered(name, divergence, temperature, degree, z_p, z_q, mask)
    log_prob = -logits.cross_entropy_from_labels(index, cooled)
    later = _returns(name, value, discount) - _creditable(value)
    credit = later - _tokens.per_token(name, "baseline", baseline, value.shape, value.dtype)
    return (value + _tokens.kept(mask, _surrogate(credit, log_prob))[0]).astype(dtype)


def sampled_distillation_loss(
    teacher_log_probs: ArrayLike,
    student_log_probs: ArrayLike,
    *,
    discount: ArrayLike = 1.0,
    baseline: ArrayLike = 0.0,
    where: ArrayLike | None = None,
) -> jax.Array:
    r"""Reverse-KL distillation from the log-probabilities of the tokens that the student drew, and nothing else.

    For a teacher that tells no more than these. The mean over $y \sim q$ of $\sum_t \log q(y_t) - \log p(y_t)$ is
    $\mathrm{KL}(q\|p)$ of sequences, and the gradient is that of the score function,

    $\sum_t (r_t + \gamma r_{t+1} + \gamma^2 r_{t+2} + \dots - b_t) \nabla \log q(y_t | y_{<t})$ with
    $r_t = \log q(y_t | y_{<t}) - \log p(y_t | y_{<t})$.

    Same mean as `on_policy_distillation_loss` with reverse KL and the same `discount`, and more variance.

    Args:
        teacher_log_probs: Log-probabilities `[..., T]` of the drawn tokens under the teacher.
        student_log_probs: Log-probabilities `[..., T]` of the same under the student that drew them.
        discount: How much of what follows is credited to a token, in [0, 1]; may be traced.
        baseline: What is subtracted from the credit, broadcast with the tokens; it must not depend on the token or on
            what follows.
        where: Tokens to keep, `[..., T]`; others are padding.

    Returns:
        An array `[..., T]`, one value for each token, of either sign; 0 for padding.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes or `where` do not fit, or a discount known while tracing is outside [0, 1].

    **Domain**: `inf` for a token that the teacher excludes, which is credited to no token.

    **Gradient**: as above in `student_log_probs`, to first order; 0 in `teacher_log_probs`, which shape only the
    credit. Finite always.

    Reference: Y. Gu, L. Dong, F. Wei and M. Huang, "MiniLLM: Knowledge Distillation of Large Language Models", ICLR
        2024.

    Example:
        >>> import jax
        >>> import jax.numpy as jnp
        >>> from jaxinfo import objectives
        >>> teacher, student = jnp.log(jnp.array([0.25, 0.5])), jnp.log(jnp.array([0.5, 0.5]))
        >>> print(objectives.sampled_distillation_loss(teacher, student).round(3))
        [0.693 0.   ]
        >>> print(jax.grad(lambda q: objectives.sampled_distillation_loss(teacher, q).sum())(student).round(3))
        [0.693 0.   ]
    """
    name = "sampled_distillation_loss"
    pair = {"teacher_log_probs": teacher_log_probs, "student_log_probs": student_log_probs}
    (log_p, log_q), mask, dtype = _tokens.rows(name, None, **pair)
    mask = _checks.mask(name, where, log_p.shape)
    log_p, log_q = _tokens.kept(mask, log_p, log_q)
    value = jax.lax.stop_gradient(log_q - log_p)
    credit = _returns(name, value, discount)
    credit = credit - _tokens.per_token(name, "baseline", baseline, value.shape, value.dtype)
    return (value + _tokens.kept(mask, _surrogate(credit, log_q))[0]).astype(dtype)


def _creditable(value: jax.Array) -> jax.Array:
    """The values as numbers; what is infinite would leave no finite gradient to any earlier token."""
    held = jax.lax.stop_gradient(value)
    return jnp.where(jnp.isinf(held), jnp.zeros_like(held), held)


def _returns(name: str, value: jax.Array, discount: ArrayLike) -> jax.Array:
    """`v_t + discount v_{t+1} + discount^2 v_{t+2} + ...` over the last axis."""
    if isinstance(discount, (int, float)) and not 0 <= discount <= 1:
        raise ValueError(f"{name}: discount must lie in [0, 1], got {discount!r}")
    rates = _tokens.per_token(name, "discount", discount, value.shape, value.dtype)

    def combined(
        later: tuple[jax.Array, jax.Array], earlier: tuple[jax.Array, jax.Array]
    ) -> tuple[jax.Array, jax.Array]:
        (rate, total), (own_rate, own) = later, earlier
        return rate * own_rate, own + own_rate * total

    elements = (jax.lax.stop_gradient(rates), _creditable(value))
    return jax.lax.associative_scan(combined, elements, reverse=True, axis=value.ndim - 1)[1]


def _surrogate(credit: jax.Array, log_prob: jax.Array) -> jax.Array:
    """0, with the derivative `credit` in the log-probability of a token that can be drawn."""
    possible = jnp.where(jnp.isfinite(log_prob), log_prob, jnp.zeros_like(log_prob))
    return jax.lax.stop_gradient(credit) * (possible - jax.lax.stop_gradient(possible))
