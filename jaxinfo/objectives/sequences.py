"""Sequences of tokens under models that give logits for the next one: their probability, and how far two models are."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import _checks, _numerics, logits
from jaxinfo.densities import Estimate
from jaxinfo.objectives import _tokens


@_checks.measure()
def sequence_log_prob(tokens: ArrayLike, token_logits: ArrayLike, *, where: ArrayLike | None = None) -> jax.Array:
    r"""Log-probability of a sequence, the sum of those of its tokens, from their logits.

    $\log q(y) = \sum_t \log q(y_t | y_{<t})$.

    Args:
        tokens: Integers `[..., T]`.
        token_logits: Unnormalised log-probabilities `[..., T, K]`: row t is about token t, given those before.
        where: Tokens to keep, `[..., T]`; others are padding, whatever stands there.

    Returns:
        An array `[...]`, one value for each sequence, at most 0, in nats.

    Raises:
        TypeError: If `token_logits` are not real, `tokens` not integers or `where` not boolean.
        ValueError: If shapes or `where` do not fit.

    **Domain**: `-inf` if a token is masked; NaN for one outside `[0, K)`; 0 for a sequence of padding.

    **Gradient**: `one_hot(y_t) - softmax(z_t)` in each row, finite also where the value is not; 0 in padding.

    Reference: C. E. Shannon, "Prediction and Entropy of Printed English", Bell System Technical Journal 30, 1951.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import objectives
        >>> z = jnp.log(jnp.array([[0.5, 0.5], [0.25, 0.75]]))
        >>> print(f"{jnp.exp(objectives.sequence_log_prob(jnp.array([0, 1]), z)):.3f}")
        0.375
    """
    name = "sequence_log_prob"
    (z,), mask, dtype = _tokens.rows(name, where, token_logits=token_logits)
    _checks.rank(name, "token_logits", z, 2)
    index = _tokens.labels(name, tokens, z.shape[:-1], mask)
    (surprisals,) = _tokens.kept(mask, logits.cross_entropy_from_labels(index, z))
    return (0 - jnp.sum(surprisals, axis=-1)).astype(dtype)


@_checks.measure("base")
def token_kl_divergence(
    p_logits: ArrayLike, q_logits: ArrayLike, *, where: ArrayLike | None = None, base: float | None = None
) -> jax.Array:
    r"""KL(p‖q) of the next token, one value for each position that is not padding.

    Args:
        p_logits: Unnormalised log-probabilities `[..., T, K]` of p after each prefix.
        q_logits: Unnormalised log-probabilities `[..., T, K]` of q after the same prefixes.
        where: Tokens to keep, `[..., T]`; others are padding.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array `[..., T]`, at least 0; 0 for padding. Whatever wrote the prefixes: their sum is an unbiased estimate
        of the divergence of sequences only if it was p, see `sequence_kl_divergence`.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes, `where` or `base` do not fit.

    **Domain**: `inf` where q is masked and p is not.

    **Gradient**: that of `jaxinfo.logits.kl_divergence`, finite always; 0 in padding.

    Reference: S. Kullback and R. A. Leibler, "On Information and Sufficiency", Annals of Mathematical Statistics 22,
        1951.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import objectives
        >>> p, q = jnp.array([[0.0, -jnp.inf], [0.0, 0.0]]), jnp.zeros((2, 2))
        >>> print(objectives.token_kl_divergence(p, q, base=2))
        [1. 0.]
    """
    unit = _checks.unit("token_kl_divergence", base)
    value, dtype = _token_divergences("token_kl_divergence", p_logits, q_logits, where)
    return _numerics.in_units(value, unit).astype(dtype)


def sequence_kl_divergence(
    p_logits: ArrayLike,
    q_logits: ArrayLike,
    *,
    sample_axis: int = 0,
    where: ArrayLike | None = None,
    base: float | None = None,
) -> Estimate:
    r"""KL(p‖q) of whole sequences, estimated from sequences that p wrote.

    By the chain rule it is $\mathrm{E}_{y \sim p} \sum_t \mathrm{KL}(p(\cdot | y_{<t}) \| q(\cdot | y_{<t}))$. What is
    averaged is exact for each token and random only by the prefix: it is the conditional mean of the log-ratio of the
    sampled token, so that the estimate is unbiased, never negative, and of no more variance than $\log p(y) - \log
    q(y)$ (Rao-Blackwell).

    Args:
        p_logits: Unnormalised log-probabilities `[N, ..., T, K]` of p along N sequences drawn from p.
        q_logits: Unnormalised log-probabilities `[N, ..., T, K]` of q along the same sequences.
        sample_axis: The axis that counts the sequences; not one of the last two.
        where: Tokens to keep, `[N, ..., T]`; others are padding. What is dropped must hang on earlier tokens only, as
            what comes after the end of a sequence.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An `Estimate` with value and standard error `[...]`. Its diagnostics: `largest_share`, how much of the variance
        is one sequence's, and `reliable`, whether that is less than half, so that the standard error means something.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes, `sample_axis`, `where` or `base` do not fit, or there are fewer than two sequences.

    **Domain**: `inf`, with an error of `inf`, if q excludes what p may write after a prefix that was drawn.

    **Gradient**: unbiased in `q_logits`. In `p_logits` it lacks that p wrote the sequences: for the gradient in the
    model that writes, see `on_policy_distillation_loss`.

    Reference: A. Amini, T. Vieira and R. Cotterell, "Better Estimation of the Kullback-Leibler Divergence Between
        Language Models", NeurIPS 2025.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import objectives
        >>> p, q = jnp.log(jnp.array([0.75, 0.25])), jnp.zeros(2)
        >>> estimate = objectives.sequence_kl_divergence(jnp.tile(p, (4, 3, 1)), jnp.tile(q, (4, 3, 1)))
        >>> print(f"{estimate.value:.4f} {estimate.stderr:.4f}")  # three tokens, whatever came before
        0.3924 0.0000
    """
    name = "sequence_kl_divergence"
    unit = _checks.unit(name, base)
    tokens, dtype = _token_divergences(name, p_logits, q_logits, where)
    (axis,) = _checks.axes(name, sample_axis, tokens.ndim + 1)
    if axis > -3 or tokens.shape[axis + 1] < 2:
        raise ValueError(
            f"{name}: sample_axis must count at least two sequences and be none of the last two, got sample_axis "
            f"{sample_axis} of {(*tokens.shape, 'K')}"
        )
    draws = jnp.moveaxis(_numerics.in_units(jnp.sum(tokens, axis=-1), unit), axis + 2, 0)
    value, stderr, diagnostics = _mean(draws)
    return Estimate(value.astype(dtype), stderr.astype(dtype), diagnostics, "monte_carlo")


def _token_divergences(
    name: str, p_logits: ArrayLike, q_logits: ArrayLike, where: ArrayLike | None
) -> tuple[jax.Array, jnp.dtype]:
    (z_p, z_q), mask, dtype = _tokens.rows(name, where, p_logits=p_logits, q_logits=q_logits)
    _checks.rank(name, "q_logits", z_q, 2)
    return _tokens.kept(mask, logits.kl_divergence(z_p, z_q))[0], dtype


def _mean(draws: jax.Array) -> tuple[jax.Array, jax.Array, dict[str, jax.Array]]:
    """The mean over axis 0, its standard error, and whether one of them makes most of that."""
    value, held = jnp.mean(draws, axis=0), jax.lax.stop_gradient(draws)
    infinite = jnp.any(jnp.isinf(held), axis=0)
    finite = jnp.where(jnp.isinf(held), jnp.zeros_like(held), held)
    count = held.shape[0]
    spread = jnp.sqrt(jnp.var(finite, axis=0, ddof=1) / count)
    stderr = jnp.where(infinite, jnp.inf, spread)
    squares = jnp.square(finite - jnp.mean(finite, axis=0, keepdims=True))
    total = jnp.sum(squares, axis=0)
    share = jnp.max(squares, axis=0) / jnp.where(total > 0, total, jnp.ones_like(total))
    return value, stderr, {"largest_share": share, "reliable": (share < 0.5) & jnp.isfinite(stderr)}
