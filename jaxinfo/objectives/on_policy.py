"""Distillation on what the student writes itself: losses of tokens, with the gradient of having drawn them."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import _checks, logits
from jaxinfo.objectives import _entries, _tokens
from jaxinfo.objectives.distillation import Divergence, reverse_kl_divergence, tempered


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
    value, cooled = tempered(name, divergence, temperature, degree, z_p, z_q, mask)
    log_prob = -logits.cross_entropy_from_labels(index, cooled)
    later = _returns(name, value, discount) - _creditable(value)
    credit = later - _entries.per_entry(name, "baseline", baseline, value.shape, value.dtype)
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
    credit = credit - _entries.per_entry(name, "baseline", baseline, value.shape, value.dtype)
    return (value + _tokens.kept(mask, _surrogate(credit, log_q))[0]).astype(dtype)


def _creditable(value: jax.Array) -> jax.Array:
    """The values as numbers; what is infinite would leave no finite gradient to any earlier token."""
    held = jax.lax.stop_gradient(value)
    return jnp.where(jnp.isinf(held), jnp.zeros_like(held), held)


def _returns(name: str, value: jax.Array, discount: ArrayLike) -> jax.Array:
    """`v_t + discount v_{t+1} + discount^2 v_{t+2} + ...` over the last axis."""
    if isinstance(discount, (int, float)) and not 0 <= discount <= 1:
        raise ValueError(f"{name}: discount must lie in [0, 1], got {discount!r}")
    rates = _entries.per_entry(name, "discount", discount, value.shape, value.dtype)

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
