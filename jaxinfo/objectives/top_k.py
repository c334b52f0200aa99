"""A distribution of which only the k likeliest outcomes are known, as of a teacher behind an interface."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import _checks, _log_domain, _numerics, logits
from jaxinfo.objectives import _tokens


@_checks.measure()
def top_k_with_tail(
    p_log_probs: ArrayLike, tokens: ArrayLike, q_logits: ArrayLike, *, where: ArrayLike | None = None
) -> tuple[jax.Array, jax.Array]:
    r"""Two distributions over k known outcomes and one more, the tail, which stands for all others.

    Any divergence of `jaxinfo.logits` between the two, `distillation_loss` included, is a lower bound on that of the
    whole distributions (data processing).

    Args:
        p_log_probs: Log-probabilities `[..., k]` of p, normalised over all K outcomes.
        tokens: Integers `[..., k]`, which outcomes these are, each once.
        q_logits: Unnormalised log-probabilities `[..., K]` of q.
        where: Rows to keep, `[...]`; others are padding, and two equal distributions there.

    Returns:
        The log-probabilities `[..., k + 1]` of p, and unnormalised ones of q; the tail is last.

    Raises:
        TypeError: If an argument is not real, `tokens` not integers or `where` not boolean.
        ValueError: If shapes or `where` do not fit, or k exceeds K.

    **Domain**: p's tail is what is missing to one, and counts as 0 where that is no more than a rounding of the k, or
    if k = K; NaN if they sum to more than one. A token outside `[0, K)` gives NaN.

    **Gradient**: in `p_log_probs` the tail falls as they rise; 0 where the tail is. Finite always.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, section 2.8.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import objectives
        >>> p, q = objectives.top_k_with_tail(jnp.log(jnp.array([0.5, 0.25])), jnp.array([2, 0]), jnp.zeros(4))
        >>> print(jnp.exp(p).round(3), jnp.exp(q).round(3))
        [0.5  0.25 0.25] [1. 1. 2.]
    """
    log_p, index, z_q, mask, dtype = _arguments("top_k_with_tail", p_log_probs, tokens, q_logits, where)
    pair = _coarsened(log_p, index, z_q, _epsilon(dtype))
    return tuple(_numerics.drop(None if mask is None else mask[..., None], *(z.astype(dtype) for z in pair)))  # pyright: ignore[reportReturnType]


@_checks.measure("base")
def top_k_kl_divergence(
    p_log_probs: ArrayLike,
    tokens: ArrayLike,
    q_logits: ArrayLike,
    *,
    where: ArrayLike | None = None,
    base: float | None = None,
) -> jax.Array:
    r"""KL(p‖q) of the k likeliest outcomes of p and the tail, a lower bound on the divergence of all.

    $\sum_{i \le k} p_i \log(p_i / q_i) + p_+ \log(p_+ / q_+)$, where $p_+$ and $q_+$ is what is left of each. It falls
    short by $p_+$ times the divergence within the tail; `top_k_kl_divergence_bounds` says by how much at most.

    Args:
        p_log_probs: Log-probabilities `[..., k]` of p, normalised over all K outcomes.
        tokens: Integers `[..., k]`, which outcomes these are, each once.
        q_logits: Unnormalised log-probabilities `[..., K]` of q.
        where: Rows to keep, `[...]`; others are padding.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array `[...]`: at least 0, at most KL(p‖q), and equal to it if q is to p in the tail as a whole what it is to
        each outcome there.

    Raises:
        TypeError: If an argument is not real, `tokens` not integers or `where` not boolean.
        ValueError: If shapes, `where` or `base` do not fit, or k exceeds K.

    **Domain**: that of `top_k_with_tail`; `inf` where q excludes a known outcome, or the tail while p does not.

    **Gradient**: q less p over the k, and less p's tail in proportion to q within the tail, in `q_logits`; finite
    always.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, section 2.8.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import objectives
        >>> top = jnp.log(jnp.array([0.5, 0.25]))
        >>> print(f"{objectives.top_k_kl_divergence(top, jnp.array([2, 0]), jnp.zeros(4), base=2):.3f}")
        0.250
    """
    name = "top_k_kl_divergence"
    unit = _checks.unit(name, base)
    log_p, index, z_q, mask, dtype = _arguments(name, p_log_probs, tokens, q_logits, where)
    value = logits.kl_divergence(*_coarsened(log_p, index, z_q, _epsilon(dtype)))
    return _numerics.in_units(_tokens.kept(mask, value)[0], unit).astype(dtype)


@_checks.measure("base")
def top_k_kl_divergence_bounds(
    p_log_probs: ArrayLike,
    tokens: ArrayLike,
    q_logits: ArrayLike,
    *,
    where: ArrayLike | None = None,
    base: float | None = None,
) -> tuple[jax.Array, jax.Array]:
    r"""Lower and upper bound on KL(p‖q), where of p only the k likeliest outcomes are known.

    Both are the best that can be said. The lower one, `top_k_kl_divergence`, is reached where p's tail has the shape of
    q's. None of the tail can exceed the least of the known; of all such tails the divergence, which is convex, is
    greatest where as many outcomes as the mass allows have just that, and these are the ones that q holds least likely.

    Args:
        p_log_probs: Log-probabilities `[..., k]` of p, normalised over all K outcomes.
        tokens: Integers `[..., k]`, the k likeliest outcomes, each once.
        q_logits: Unnormalised log-probabilities `[..., K]` of q.
        where: Rows to keep, `[...]`; others are padding.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        The lower and the upper bound, each `[...]`.

    Raises:
        TypeError: If an argument is not real, `tokens` not integers or `where` not boolean.
        ValueError: If shapes, `where` or `base` do not fit, or k exceeds K.

    **Domain**: that of `top_k_with_tail`. The upper bound is `inf` where q excludes an outcome of the tail, as p may
    have it, and NaN if the tail has more mass than its outcomes can hold, so that the k were not the likeliest.

    **Gradient**: of the upper bound that of KL from the worst tail, which is held fixed; finite always in `q_logits`.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, section 2.7.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import objectives
        >>> top = jnp.log(jnp.array([0.5, 0.25]))
        >>> lower, upper = objectives.top_k_kl_divergence_bounds(top, jnp.array([2, 0]), jnp.zeros(4), base=2)
        >>> print(f"{lower:.3f} {upper:.3f}")
        0.250 0.500
    """
    name = "top_k_kl_divergence_bounds"
    unit = _checks.unit(name, base)
    log_p, index, z_q, mask, dtype = _arguments(name, p_log_probs, tokens, q_logits, where)
    z_p, coarse_q = _coarsened(log_p, index, z_q, _epsilon(dtype))
    lower = logits.kl_divergence(z_p, coarse_q)
    upper = lower + _gap(log_p, jnp.exp(z_p[..., -1]), index, z_q, _epsilon(dtype) ** 0.5)
    lower, upper = (_numerics.in_units(x, unit).astype(dtype) for x in _tokens.kept(mask, lower, upper))
    return lower, upper


def _epsilon(dtype: jnp.dtype) -> float:
    """What the log-probabilities were rounded to, in the precision in which they came."""
    return float(jnp.finfo(dtype).eps)


def _arguments(
    name: str, p_log_probs: ArrayLike, tokens: ArrayLike, q_logits: ArrayLike, where: ArrayLike | None
) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array | None, jnp.dtype]:
    """Wide tables with the same batch axes; rows of padding are those of zeros, that is of one outcome."""
    log_p = _checks.floating(name, "p_log_probs", p_log_probs)
    z_q = _checks.floating(name, "q_logits", q_logits)
    for argument, table in (("p_log_probs", log_p), ("q_logits", z_q)):
        _checks.rank(name, argument, table, 1)
    k, length = log_p.shape[-1], z_q.shape[-1]
    if not 1 <= k <= length:
        raise ValueError(f"{name}: k must be between 1 and the number of outcomes {length}, got {k}")
    dtype = jnp.promote_types(log_p.dtype, z_q.dtype)
    try:
        batch = jnp.broadcast_shapes(log_p.shape[:-1], z_q.shape[:-1])
    except ValueError as error:
        raise ValueError(f"{name}: batch axes do not broadcast: {log_p.shape}, {z_q.shape}") from error
    mask = _checks.mask(name, where, batch)
    log_p, z_q = (jnp.broadcast_to(t.astype(dtype), (*batch, t.shape[-1])) for t in (log_p, z_q))
    index = _tokens.labels(name, tokens, log_p.shape, None)
    if mask is not None:
        log_p = jnp.where(mask[..., None], log_p, jnp.full_like(log_p, -jnp.log(length)))
        z_q, index = (
            jnp.where(mask[..., None], z_q, 0),
            jnp.where(mask[..., None], index, jnp.arange(k, dtype=index.dtype)),
        )
    return _numerics.accumulate(log_p), index, _numerics.accumulate(z_q), mask, dtype


def _coarsened(log_p: jax.Array, index: jax.Array, z_q: jax.Array, precision: float) -> tuple[jax.Array, jax.Array]:
    """Log-probabilities of p and logits of q, over the k known outcomes and the tail."""
    length = z_q.shape[-1]
    chosen = jnp.where((index >= 0) & (index < length), index, length)  # negative indices would count from the end
    at_top = jnp.take_along_axis(z_q, chosen, axis=-1, mode="fill", fill_value=jnp.nan)
    if log_p.shape[-1] == length:
        nothing = jnp.full((*z_q.shape[:-1], 1), -jnp.inf, z_q.dtype)
        return jnp.concatenate([log_p, nothing], -1), jnp.concatenate([at_top, nothing], -1)
    q_tail = _log_domain.log_mean_exp(_with(-jnp.inf, chosen, z_q), (-1,)) + jnp.log(jnp.asarray(length, z_q.dtype))
    return (
        jnp.concatenate([log_p, _log_tail(log_p, precision)], -1),
        jnp.concatenate([at_top, q_tail[..., None]], -1),
    )


def _with(value: float, chosen: jax.Array, z: jax.Array) -> jax.Array:
    """The logits with others for the known outcomes."""
    return jnp.put_along_axis(z, chosen, jnp.asarray(value, z.dtype), axis=-1, inplace=False, mode="drop")


def _log_tail(log_p: jax.Array, precision: float) -> jax.Array:
    """`log(1 - sum p)`; `-inf` within a rounding of 0, and NaN beyond that."""
    rest = 1 - jnp.sum(jnp.exp(log_p), axis=-1, keepdims=True)
    some = rest > 2 * precision
    value = jnp.where(some, jnp.log(jnp.where(some, rest, jnp.ones_like(rest))), -jnp.inf)
    return jnp.where(rest >= -(precision**0.5), value, jnp.nan)


def _gap(log_p: jax.Array, mass: jax.Array, index: jax.Array, z_q: jax.Array, tolerance: float) -> jax.Array:
    """The mass of the tail times the greatest divergence within it."""
    count = z_q.shape[-1] - log_p.shape[-1]
    if count == 0:
        return jnp.zeros_like(mass)
    # Ascending, and the known ones at the end, where they are cut off.
    order = jnp.argsort(_with(jnp.inf, index, jax.lax.stop_gradient(z_q)), axis=-1)[..., :count]
    tail = jnp.take_along_axis(z_q, order, axis=-1)
    tail = jnp.where(tail[..., -1:] == -jnp.inf, jnp.zeros_like(tail), tail)  # the lower bound says inf already
    most, some = jnp.exp(jnp.min(log_p, axis=-1)), mass > 0
    before = most[..., None] * jnp.arange(count, dtype=mass.dtype).reshape(*(1,) * mass.ndim, count)
    worst = jnp.where(some[..., None], jnp.clip(mass[..., None] - before, 0, most[..., None]), 1 / count)
    share = jax.lax.stop_gradient(worst / jnp.sum(worst, axis=-1, keepdims=True))
    value = jnp.where(some, mass, jnp.zeros_like(mass)) * logits.kl_divergence_from_probs(share, tail)
    value = jnp.where(some, value, jnp.zeros_like(value))
    return jnp.where(mass > most * (count * (1 + tolerance)), jnp.nan, value)
