"""Likelihoods of examples and of texts, and the mean over examples."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import _checks, _numerics
from jaxinfo._checks import Axis
from jaxinfo.densities._density import as_density, event_shape
from jaxinfo.interop._conversion import adapt
from jaxinfo.objectives import _kept_examples


def negative_log_likelihood(
    x: ArrayLike, distribution: Any, *, where: ArrayLike | None = None, weights: ArrayLike | None = None
) -> jax.Array:
    r"""Negative log-likelihood $-\log p(x)$ of each example under a distribution, summed over its event alone.

    Its mean over draws of r is the cross-entropy $H(r, p)$, so that maximising likelihood is minimising
    $D(r \| p)$.

    Args:
        x: Data, `batch_shape + event_shape` of the distribution, or what broadcasts with that.
        distribution: One of `jaxinfo.distributions`, of a library that `jaxinfo.interop` knows, anything with
            `log_prob`, or a function of log-probabilities. Leading axes of its parameters are examples, as of a
            decoder's outputs.
        where: Examples to keep, broadcast to the result; others give 0 and have gradient 0, whatever data and
            parameters hold: the first example that is kept stands in for them. (Parameters of foreign objects are seen
            as they are.)
        weights: Factors of the examples, broadcast to the result; an example of weight 0 is dropped.

    Returns:
        An array of the batch shape, in nats. Densities may exceed 1, so it may be negative.

    Raises:
        TypeError: If the distribution has no `log_prob`, `weights` is not real or `where` not boolean.
        ValueError: If shapes do not fit.

    **Domain**: `inf` outside the support; NaN where data or parameters are NaN or not allowed.

    **Gradient**: that of `-log_prob`; 0 in what is not kept.

    Reference: R. A. Fisher, "On the mathematical foundations of theoretical statistics", Philosophical Transactions of
        the Royal Society A 222, 1922.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import objectives
        >>> from jaxinfo.distributions import Independent, Normal
        >>> x, decoded = jnp.zeros((2, 3)), Independent(Normal(jnp.zeros((2, 3)), 1.0))
        >>> print(objectives.negative_log_likelihood(x, decoded).round(3))
        [2.757 2.757]
    """
    name = "negative_log_likelihood"
    density, data = as_density(name, adapt(distribution)), jnp.asarray(x)
    result = jax.eval_shape(density.log_prob, data)
    mask, factors = _kept_examples.kept(name, where, weights, result.shape, jnp.result_type(float))
    if mask is not None:
        density, data = _without_the_dropped(mask, density, data)
    value = -density.log_prob(data)
    factors = None if factors is None else factors.astype(value.dtype)
    return _kept_examples.weighted(value, mask, factors).astype(result.dtype)


def _without_the_dropped(mask: jax.Array, density: Any, data: jax.Array) -> tuple[Any, jax.Array]:
    """The first example that is kept in the place of those that are not, in the data and the parameters."""
    data = jnp.broadcast_to(data, mask.shape + data.shape[data.ndim - len(event_shape(density)) :])
    (data,) = _kept_examples.one_kept_for_all(mask, (data,))
    if hasattr(density, "broadcast_to"):
        density = _kept_examples.one_kept_for_all(mask, density.broadcast_to(mask.shape))
    return density, data


@_checks.measure("axis", "keepdims")
def perplexity(
    negative_log_likelihoods: ArrayLike, *, axis: Axis = -1, where: ArrayLike | None = None, keepdims: bool = False
) -> jax.Array:
    r"""Perplexity of a text, $\exp(\frac1T \sum_t -\log q(x_t | x_{<t}))$, from the loss of each token.

    Args:
        negative_log_likelihoods: The loss of each token in nats, `[..., T]`, as of `cross_entropy_loss`.
        axis: The axis or axes of the tokens; `None` for all.
        where: Tokens to keep, broadcast; others, such as padding, do not count.
        keepdims: Whether the axes of the tokens stay, with length 1.

    Returns:
        An array over the other axes. It depends on how the text is cut into tokens; `bits_per_byte` does not.

    Raises:
        TypeError: If the losses are not real or `where` not boolean.
        ValueError: If `axis` or `where` do not fit.

    **Domain**: NaN where no token is kept; `inf` where a token that is kept has probability 0, or beyond the largest
    float.

    **Gradient**: the perplexity over the number of tokens; 0 for a token that is not kept.

    Reference: F. Jelinek et al., "Perplexity - a measure of the difficulty of speech recognition tasks", JASA 62, 1977.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import objectives
        >>> losses = -jnp.log(jnp.array([0.5, 0.125, 1.0]))
        >>> print(f"{objectives.perplexity(losses, where=jnp.array([True, True, False])):.3f}")
        4.000
    """
    total, count, dtype = _sums("perplexity", negative_log_likelihoods, axis, where, keepdims)
    return jnp.exp(total / count).astype(dtype)


@_checks.measure("axis", "keepdims")
def bits_per_byte(
    negative_log_likelihoods: ArrayLike,
    num_bytes: ArrayLike,
    *,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    keepdims: bool = False,
) -> jax.Array:
    r"""Bits that a model spends on a byte of text, $\sum_t -\log_2 q(x_t | x_{<t}) / B$, from the loss of each token.

    The length of the text under an ideal code for the model, over its length as it is: comparable between models with
    different tokens, and with a compressor's output over its input.

    Args:
        negative_log_likelihoods: The loss of each token in nats, `[..., T]`.
        num_bytes: The length B of the text that the kept tokens stand for, broadcast with the result (before
            `keepdims`).
        axis: The axis or axes of the tokens; `None` for all.
        where: Tokens to keep, broadcast; others, such as padding, do not count.
        keepdims: Whether the axes of the tokens stay, with length 1.

    Returns:
        An array over the other axes.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes or `axis` do not fit.

    **Domain**: NaN where no token is kept and no byte stands for them; `inf` where a token has probability 0.

    **Gradient**: `1 / (B log 2)`; 0 for a token that is not kept.

    Reference: L. Gao et al., "The Pile: An 800GB Dataset of Diverse Text for Language Modeling", arXiv:2101.00027,
        2020.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import objectives
        >>> print(f"{objectives.bits_per_byte(-jnp.log(jnp.array([0.5, 0.125])), 8):.3f}")  # 4 bits, 8 bytes
        0.500
    """
    name = "bits_per_byte"
    total, _, dtype = _sums(name, negative_log_likelihoods, axis, where, True)
    length = _checks.floating(name, "num_bytes", num_bytes).astype(total.dtype)
    axes = _checks.axes(name, axis, total.ndim)
    nats = jnp.squeeze(total, axes)
    try:
        value = nats / jnp.broadcast_to(length, nats.shape)
    except ValueError as error:
        raise ValueError(f"{name}: num_bytes of shape {length.shape} does not broadcast to {nats.shape}") from error
    value = _numerics.in_units(value, math.log(2))
    return (jnp.expand_dims(value, axes) if keepdims else value).astype(dtype)


def _sums(
    name: str, losses: ArrayLike, axis: Axis, where: ArrayLike | None, keepdims: bool
) -> tuple[jax.Array, jax.Array, Any]:
    """The sum of the losses of tokens, how many they are, and the dtype of the result."""
    table = _checks.floating(name, "negative_log_likelihoods", losses)
    axes = _checks.axes(name, axis, table.ndim)
    mask = _checks.mask(name, where, table.shape)
    (wide,) = _numerics.drop(mask, _numerics.accumulate(table))
    counts = jnp.ones_like(wide) if mask is None else mask.astype(wide.dtype)
    total, count = (_numerics.row_sum(x, axes, keepdims) for x in (wide, counts))
    return total, count, table.dtype


@_checks.measure("axis", "keepdims")
def example_mean(
    losses: ArrayLike,
    *,
    axis: Axis = None,
    where: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    keepdims: bool = False,
) -> jax.Array:
    r"""Mean $\sum_i w_i l_i / \sum_i w_i$ of a loss l over the examples that are kept, 0 where none is.

    Losses come out one for each example; this makes of them the number that is minimised. Give the mask here, too: the
    zeros of examples that a loss has dropped would count.

    Args:
        losses: A value for each example.
        axis: The axis or axes of the examples; `None` for all.
        where: Examples to keep, broadcast to the losses.
        weights: The weights w, broadcast to the losses, which are not weighted yet; an example of weight 0 is dropped.
        keepdims: Whether the axes of the examples stay, with length 1.

    Returns:
        An array over the other axes.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes or `axis` do not fit.

    **Domain**: 0 where no example is kept, so that a batch of nothing but padding changes no parameter.

    **Gradient**: `w / sum(w)` in the losses; 0 in what is not kept.

    Reference: J. Hájek, "Comment on An Essay on the Logical Foundations of Survey Sampling", Foundations of
        Statistical Inference, 1971.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import objectives
        >>> labels = jnp.array([0, 2, -1])
        >>> losses = objectives.cross_entropy_loss(labels, jnp.zeros((3, 4)), ignore_index=-1)
        >>> print(f"{objectives.example_mean(losses, where=labels != -1):.3f}")
        1.386
    """
    name = "example_mean"
    table = _checks.floating(name, "losses", losses)
    axes, wide = _checks.axes(name, axis, table.ndim), _numerics.accumulate(table)
    mask, factors = _kept_examples.kept(name, where, weights, wide.shape, wide.dtype)
    each = _kept_examples.weighted(jnp.ones_like(wide), mask, factors)
    kept = _kept_examples.replaced(mask, wide, 0)
    return _numerics.quotient(
        _numerics.row_sum(each * kept, axes, keepdims), _numerics.row_sum(each, axes, keepdims)
    ).astype(table.dtype)
