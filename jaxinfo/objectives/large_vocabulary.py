"""Losses over vocabularies so large that the logits of all tokens at once would not fit: `[tokens, K]` is never made.

Logits are hidden states times an embedding. They are made for one block of tokens at a time, and made again for the
gradient, which costs a third product of matrices and no memory. Each block is whole rows, so that every loss, any
divergence and every digit is the same as without blocks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import _checks, _numerics, logits
from jaxinfo.objectives import _tokens
from jaxinfo.objectives.distillation import Divergence, distillation_loss


@_checks.measure("block_size")
def large_vocabulary_cross_entropy_loss(
    labels: ArrayLike,
    hidden: ArrayLike,
    embedding: ArrayLike,
    *,
    bias: ArrayLike | None = None,
    block_size: int = 1024,
    where: ArrayLike | None = None,
) -> jax.Array:
    r"""Cross-entropy of labels and logits that are hidden states times an embedding, a block of tokens at a time.

    Args:
        labels: Integers `[...]`.
        hidden: Hidden states `[..., D]`, one for each token.
        embedding: The matrix `[K, D]` that gives each of K outcomes its logit, $z = h E^\top + b$.
        bias: What is added to the logits, `[K]`.
        block_size: How many tokens have their logits made at once: memory is `block_size * K`.
        where: Tokens to keep, `[...]`; others are padding.

    Returns:
        An array `[...]`, one value for each token, in nats; 0 for padding.

    Raises:
        TypeError: If an argument is not real, `labels` not integers or `where` not boolean.
        ValueError: If shapes, `where` or `block_size` do not fit.

    **Domain**: that of `jaxinfo.logits.cross_entropy_from_labels`: NaN for a label outside `[0, K)`.

    **Gradient**: that of the loss on logits, through both factors; hidden states of padding have 0.

    Reference: E. Wijmans et al., "Cut Your Losses in Large-Vocabulary Language Models", ICLR 2025.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import objectives
        >>> hidden, embedding = jnp.ones((3, 2)), jnp.zeros((4, 2))
        >>> loss = objectives.large_vocabulary_cross_entropy_loss(jnp.arange(3), hidden, embedding, block_size=2)
        >>> print(loss.round(3))
        [1.386 1.386 1.386]
    """
    name = "large_vocabulary_cross_entropy_loss"
    h, head, dtype = _head(name, "", hidden, embedding, bias)
    mask = _checks.mask(name, where, h.shape[:-1])
    index = _tokens.labels(name, labels, h.shape[:-1], mask)

    def block(h: jax.Array, index: jax.Array) -> jax.Array:
        return logits.cross_entropy_from_labels(index, _logits(h, *head))

    return _in_blocks(name, block, block_size, mask, _kept_rows(mask, h), index).astype(dtype)


def large_vocabulary_distillation_loss(
    teacher_hidden: ArrayLike,
    teacher_embedding: ArrayLike,
    student_hidden: ArrayLike,
    student_embedding: ArrayLike,
    *,
    teacher_bias: ArrayLike | None = None,
    student_bias: ArrayLike | None = None,
    divergence: Divergence = logits.kl_divergence,
    temperature: ArrayLike = 1.0,
    degree: float | None = None,
    block_size: int = 1024,
    where: ArrayLike | None = None,
) -> jax.Array:
    r"""Distillation loss of logits that are hidden states times embeddings, a block of tokens at a time.

    Args:
        teacher_hidden: Hidden states `[..., D]` of the teacher.
        teacher_embedding: The matrix `[K, D]` that gives each of K outcomes its logit.
        student_hidden: Hidden states `[..., d]` of the student, for the same tokens.
        student_embedding: Its own matrix, `[K, d]`.
        teacher_bias: What is added to the teacher's logits, `[K]`.
        student_bias: What is added to the student's logits, `[K]`.
        divergence: As of `distillation_loss`.
        temperature: T, a positive number; may be traced.
        degree: As of `distillation_loss`.
        block_size: How many tokens have their logits made at once: memory is `block_size * K`, a few times.
        where: Tokens to keep, `[...]`; others are padding.

    Returns:
        An array `[...]`, one value for each token, in nats; 0 for padding.

    Raises:
        TypeError: If an argument is not real, `where` not boolean or `divergence` not a function.
        ValueError: If shapes, `where`, `temperature` or `block_size` do not fit.

    **Domain**: that of `distillation_loss`.

    **Gradient**: that of `distillation_loss`, through all four factors; hidden states of padding have 0.

    Reference: P.-L. Hsu et al., "Liger Kernel: Efficient Triton Kernels for LLM Training", arXiv:2410.10989, 2024.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import objectives
        >>> hidden, embedding = jnp.ones((3, 1)), jnp.array([[0.0], [jnp.log(3.0)]])
        >>> print(objectives.large_vocabulary_distillation_loss(hidden, embedding, 0 * hidden, embedding).round(3))
        [0.131 0.131 0.131]
    """
    name = "large_vocabulary_distillation_loss"
    h_p, head_p, dtype_p = _head(name, "teacher_", teacher_hidden, teacher_embedding, teacher_bias)
    h_q, head_q, dtype_q = _head(name, "student_", student_hidden, student_embedding, student_bias)
    if h_p.shape[:-1] != h_q.shape[:-1] or len(head_p[0]) != len(head_q[0]):
        raise ValueError(
            f"{name}: teacher and student need the same tokens and outcomes, got hidden states {h_p.shape}, "
            f"{h_q.shape} and embeddings {head_p[0].shape}, {head_q[0].shape}"
        )
    if jnp.ndim(temperature):
        raise ValueError(f"{name}: temperature must be a scalar, got shape {jnp.shape(temperature)}")
    mask = _checks.mask(name, where, h_p.shape[:-1])

    def block(h_p: jax.Array, h_q: jax.Array) -> jax.Array:
        p, q = _logits(h_p, *head_p), _logits(h_q, *head_q)
        return distillation_loss(p, q, divergence=divergence, temperature=temperature, degree=degree)

    value = _in_blocks(name, block, block_size, mask, _kept_rows(mask, h_p), _kept_rows(mask, h_q))
    return value.astype(jnp.promote_types(dtype_p, dtype_q))


def _head(
    name: str, whose: str, hidden: ArrayLike, embedding: ArrayLike, bias: ArrayLike | None
) -> tuple[jax.Array, tuple[jax.Array, jax.Array | None], jnp.dtype]:
    """Hidden states, and what makes them logits."""
    h, e = _checks.floating(name, f"{whose}hidden", hidden), _checks.floating(name, f"{whose}embedding", embedding)
    b = None if bias is None else _checks.floating(name, f"{whose}bias", bias)
    _checks.rank(name, f"{whose}hidden", h, 1)
    if e.ndim != 2 or e.shape[1] != h.shape[-1] or (b is not None and b.shape != e.shape[:1]):
        raise ValueError(
            f"{name}: {whose}hidden [..., D], {whose}embedding [K, D] and {whose}bias [K] do not fit, got {h.shape}, "
            f"{e.shape}" + ("" if b is None else f", {b.shape}")
        )
    return h, (e, b), jnp.promote_types(h.dtype, e.dtype)


def _logits(h: jax.Array, embedding: jax.Array, bias: jax.Array | None) -> jax.Array:
    """`h E^T + b`; factors of half precision are multiplied as they are, and summed in float32."""
    dtype = jnp.promote_types(h.dtype, embedding.dtype)
    wide = _numerics.accumulate(jnp.zeros((), dtype)).dtype
    z = jnp.einsum("nd,kd->nk", h.astype(dtype), embedding.astype(dtype), preferred_element_type=wide)
    return z if bias is None else z + bias.astype(wide)[None]


def _kept_rows(mask: jax.Array | None, h: jax.Array) -> jax.Array:
    return _numerics.drop(None if mask is None else mask[..., None], h)[0]


def _in_blocks(
    name: str, block: Callable[..., jax.Array], block_size: int, mask: jax.Array | None, *tokens: jax.Array
) -> jax.Array:
    """`block` of so many tokens at a time, one value for each; nothing of a block is kept for the gradient."""
    if not isinstance(block_size, int) or isinstance(block_size, bool) or block_size < 1:
        raise ValueError(f"{name}: block_size must be a positive integer, got {block_size!r}")
    batch = tokens[0].shape[: tokens[0].ndim - 1]
    count = 1
    for n in batch:
        count *= n
    size = max(1, min(block_size, count))
    num_blocks = -(-count // size)

    def divided(x: jax.Array) -> jax.Array:
        rows = x.reshape(count, *x.shape[len(batch) :])
        filled = jnp.pad(rows, [(0, num_blocks * size - count)] + [(0, 0)] * (rows.ndim - 1))
        return filled.reshape(num_blocks, size, *rows.shape[1:])

    def step(_: None, rows: Any) -> tuple[None, jax.Array]:
        return None, block(*rows)

    values = jax.lax.scan(jax.checkpoint(step), None, tuple(map(divided, tokens)))[1]
    return _tokens.kept(mask, values.reshape(-1)[:count].reshape(batch))[0]
