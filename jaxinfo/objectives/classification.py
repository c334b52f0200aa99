"""Losses of classification: one value per example, nothing reduced. `example_mean` reduces them."""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import _checks, _numerics
from jaxinfo import logits as log_domain
from jaxinfo.objectives import _kept_examples
from jaxinfo.objectives._loss_parts import coin_loss, in_unit, part


class CrossEntropyLossTerms(NamedTuple):
    r"""What `cross_entropy_loss` is made of, before weights; the shape of each is that of the loss.

    Without weights, $\mathrm{loss} = (1 - \epsilon)\, \mathrm{cross\_entropy} + \epsilon\, (\mathrm{uniform\_entropy} +
    \mathrm{uniform\_divergence}) + \mathrm{z\_loss}$. A part that has no share in the loss is computed all the same,
    but for `z_loss`, which is 0 without a coefficient.
    """

    loss: jax.Array
    """What is minimised, with weights."""
    cross_entropy: jax.Array
    """Cross-entropy of the labels as given, without smoothing: what to report."""
    uniform_entropy: jax.Array
    """Entropy log K of the uniform distribution over the K classes that are not masked: nothing moves it."""
    uniform_divergence: jax.Array
    """KL(u‖q), from the uniform distribution to the model: what smoothing adds to what is minimised."""
    z_loss: jax.Array
    """The coefficient times the square of the logarithm of the normaliser."""


_STATIC = ("name", "axis", "is_smoothed", "has_z_loss", "ignore_index", "has_parts")


@functools.partial(jax.jit, static_argnames=_STATIC, inline=True)
def _terms(
    labels: jax.Array,
    logits: jax.Array,
    where: ArrayLike | None,
    weights: ArrayLike | None,
    label_smoothing: ArrayLike,
    z_loss: ArrayLike,
    *,
    name: str,
    axis: int,
    is_smoothed: bool,
    has_z_loss: bool,
    ignore_index: int | None,
    has_parts: bool = True,
) -> CrossEntropyLossTerms:
    (at,) = _checks.axes(name, axis, logits.ndim)
    z, is_table = _numerics.accumulate(logits), labels.ndim == logits.ndim
    shape = tuple(n for a, n in zip(range(-z.ndim, 0), z.shape, strict=True) if a != at)
    mask, factors = _kept_examples.kept(name, where, weights, shape, z.dtype)
    if ignore_index is not None:
        # Compared in the labels' dtype, -1 would be one of its own integers if that has no sign.
        info = jnp.iinfo(labels.dtype)
        counts = labels != ignore_index if info.min <= ignore_index <= info.max else jnp.ones(labels.shape, bool)
        mask = counts if mask is None else mask & counts
    rows = _kept_examples.over(mask, (at,))
    z = _kept_examples.replaced(rows, z, 0)
    y = _kept_examples.replaced(rows if is_table else mask, labels, 0)
    of = log_domain.cross_entropy_from_probs if is_table else log_domain.cross_entropy_from_labels
    cross_entropy = of(y.astype(z.dtype) if is_table else y, z, axis=at)
    loss, normalizer = cross_entropy, jnp.zeros_like(cross_entropy)
    if is_smoothed:
        share = in_unit(jnp.asarray(label_smoothing).astype(z.dtype))
        # A share of exactly 0 leaves out what may be infinite.
        loss = part(1 - share, cross_entropy) + part(share, _mean_surprisal(z, at))
    if has_z_loss:
        square = jnp.square(jax.nn.logsumexp(z, axis=at))
        normalizer = part(jnp.asarray(z_loss).astype(z.dtype), square)
        loss = loss + normalizer
    found = CrossEntropyLossTerms(_kept_examples.weighted(loss, mask, factors), *([normalizer] * 4))
    if has_parts:
        available = (z != -jnp.inf).astype(z.dtype)
        count = jnp.maximum(jnp.sum(available, axis=at, keepdims=True), 1)
        divergence = log_domain.kl_divergence_from_probs(available / count, z, axis=at)
        parts = (cross_entropy, jnp.log(jnp.squeeze(count, at)), divergence, normalizer)
        found = CrossEntropyLossTerms(found.loss, *(_kept_examples.weighted(x, mask, None) for x in parts))
    return CrossEntropyLossTerms(*(x.astype(logits.dtype) for x in found))


def _mean_surprisal(z: jax.Array, at: int) -> jax.Array:
    """The mean of `-log softmax(z)` over the classes that are not masked: a sum of numbers that are at least 0."""
    highest = jax.lax.stop_gradient(jnp.max(z, axis=at, keepdims=True))
    available = z != -jnp.inf
    below = highest - jnp.where(available, z, highest)
    count = jnp.maximum(jnp.sum(available, axis=at), 1).astype(z.dtype)
    return jnp.log(jnp.sum(jnp.exp(z - highest), axis=at)) + jnp.sum(below, axis=at) / count


_loss = jax.jit(
    lambda *arguments, **options: _terms(*arguments, has_parts=False, **options).loss,
    static_argnames=_STATIC[:-1],
    inline=True,
)


def _call(function: Any, name: str, labels: ArrayLike, logits: ArrayLike, options: dict[str, Any]) -> Any:
    """Checks what is known while tracing, and decides which parts are computed."""
    z, y = _checks.floating(name, "logits", logits), jnp.asarray(labels)
    if z.ndim == 0:
        raise ValueError(f"{name}: logits need an axis of classes, got a scalar")
    (at,) = _checks.axes(name, options["axis"], z.ndim)
    shape = tuple(n for a, n in zip(range(-z.ndim, 0), z.shape, strict=True) if a != at)
    if y.shape not in (shape, z.shape):
        raise ValueError(
            f"{name}: labels must have shape {shape}, one integer for each example, or {z.shape}, a table, "
            f"got {y.shape}"
        )
    ignored, smoothing, coefficient = (options.pop(key) for key in ("ignore_index", "label_smoothing", "z_loss"))
    if y.ndim == z.ndim:
        y = _checks.floating(name, "labels", y)
        if ignored is not None:
            raise ValueError(f"{name}: ignore_index is for integer labels, got a table of shape {y.shape}")
    elif not jnp.issubdtype(y.dtype, jnp.integer):
        raise TypeError(f"{name}: labels of shape {y.shape} must be integers, got dtype {y.dtype}")
    _kept_examples.number_in_unit(name, "label_smoothing", smoothing)
    if isinstance(coefficient, (int, float)) and not 0 <= coefficient < math.inf:
        raise ValueError(f"{name}: z_loss must be a finite number that is not negative, got {coefficient!r}")
    _kept_examples.scalar(name, "z_loss", coefficient)
    parts = {"is_smoothed": not _is_zero(smoothing), "has_z_loss": not _is_zero(coefficient), "ignore_index": ignored}
    where, weights = options.pop("where"), options.pop("weights")
    return function(y, z, where, weights, smoothing, coefficient, name=name, axis=at, **parts)


def _is_zero(value: Any) -> bool:
    """Whether a number is known to be 0 while tracing."""
    return isinstance(value, (int, float)) and value == 0


def cross_entropy_loss(
    labels: ArrayLike,
    logits: ArrayLike,
    *,
    axis: int = -1,
    where: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    label_smoothing: ArrayLike = 0.0,
    z_loss: ArrayLike = 0.0,
    ignore_index: int | None = None,
) -> jax.Array:
    r"""Cross-entropy of labels and $q = \mathrm{softmax}(z)$, $-\sum_k y_k \log q_k$, with smoothing and z-loss.

    Label smoothing replaces y by $(1 - \epsilon) y + \epsilon u$ with u uniform, which adds a divergence:

    .. math:: (1 - \epsilon) H(y, q) + \epsilon H(u, q) = (1 - \epsilon) H(y, q) + \epsilon (\log K + D(u \| q))

    u is uniform over the K classes that are not masked (whose logit is not `-inf`), so that the divergence is finite;
    where nothing is masked that is the usual one. The z-loss adds its coefficient times $(\log \sum_k e^{z_k})^2$.

    Args:
        labels: Integers, of the shape of `logits` without `axis`; or a table of probabilities of the shape of `logits`.
            Which of the two is told by the number of axes, never by the dtype.
        logits: Unnormalised log-probabilities `[..., K]`; a class that cannot be is `-inf`.
        axis: The axis of the classes.
        where: Examples to keep, broadcast to the result; others give 0, whatever they hold.
        weights: Factors of the examples, broadcast to the result; an example of weight 0 is dropped. For weights of
            classes, `class_weights[labels]`.
        label_smoothing: The share of u in [0, 1]; may be traced.
        z_loss: The coefficient, at least 0; may be traced. PaLM took 1e-4.
        ignore_index: An integer label that stands for no label; such examples give 0.

    Returns:
        An array of the shape of `logits` without `axis`: a loss for each example. `example_mean` reduces it.

    Raises:
        TypeError: If an argument is not real, `where` not boolean, or labels for each example not integers.
        ValueError: If shapes or `axis` do not fit, or an option is out of its range.

    **Domain**: a masked class of probability 0 adds nothing; a label that is masked gives `inf`; NaN for an integer
    outside `[0, K)` that is not ignored. Tables are not renormalised.

    **Gradient**: $\mathrm{softmax}(z) \sum_k t_k - t$ in `logits` with the smoothed label t, finite also where the
    value is not; 0 in what is not kept.

    Reference: C. Szegedy, V. Vanhoucke, S. Ioffe, J. Shlens and Z. Wojna, "Rethinking the Inception Architecture for
        Computer Vision", CVPR, 2016, section 7;
    A. Chowdhery et al., "PaLM: Scaling Language Modeling with Pathways", JMLR 24, 2023.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import objectives
        >>> logits = jnp.array([[0.0, 0.0, -jnp.inf], [0.0, 0.0, 0.0]])
        >>> print(objectives.cross_entropy_loss(jnp.array([1, 2]), logits).round(3))
        [0.693 1.099]
        >>> table = jnp.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]])
        >>> print(objectives.cross_entropy_loss(table, logits, where=jnp.array([True, False])).round(3))
        [0.693 0.   ]
    """
    options = {"axis": axis, "where": where, "weights": weights}
    options |= {"label_smoothing": label_smoothing, "z_loss": z_loss, "ignore_index": ignore_index}
    return _call(_loss, "cross_entropy_loss", labels, logits, options)


def cross_entropy_loss_terms(
    labels: ArrayLike,
    logits: ArrayLike,
    *,
    axis: int = -1,
    where: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    label_smoothing: ArrayLike = 0.0,
    z_loss: ArrayLike = 0.0,
    ignore_index: int | None = None,
) -> CrossEntropyLossTerms:
    r"""The parts of `cross_entropy_loss`: cross-entropy of the labels, what smoothing adds, and the z-loss.

    .. math:: (1 - \epsilon) H(y, q) + \epsilon (\log K + D(u \| q)) + c (\log \sum_k e^{z_k})^2

    Args:
        labels: As in `cross_entropy_loss`, as are all others.
        logits: Unnormalised log-probabilities `[..., K]`.
        axis: The axis of the classes.
        where: Examples to keep; others give 0 in every part.
        weights: Factors of the examples; they change the loss alone.
        label_smoothing: The share of the uniform distribution.
        z_loss: The coefficient.
        ignore_index: An integer label that stands for no label.

    Returns:
        `CrossEntropyLossTerms(loss, cross_entropy, uniform_entropy, uniform_divergence, z_loss)`, each of the shape of
        `logits` without `axis`.

    Raises:
        TypeError, ValueError: As `cross_entropy_loss`.

    **Domain**: as `cross_entropy_loss`; the cross-entropy and the divergence are at least 0.

    **Gradient**: of each part, finite; the entropy's is 0.

    Reference: C. Szegedy, V. Vanhoucke, S. Ioffe, J. Shlens and Z. Wojna, "Rethinking the Inception Architecture for
        Computer Vision", CVPR, 2016, section 7.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import objectives
        >>> parts = objectives.cross_entropy_loss_terms(0, jnp.log(jnp.array([0.8, 0.2])), label_smoothing=0.5)
        >>> print(f"{parts.loss:.3f} = ({parts.cross_entropy:.3f} + 0.693 + {parts.uniform_divergence:.3f}) / 2")
        0.570 = (0.223 + 0.693 + 0.223) / 2
    """
    options = {"axis": axis, "where": where, "weights": weights}
    options |= {"label_smoothing": label_smoothing, "z_loss": z_loss, "ignore_index": ignore_index}
    return _call(_terms, "cross_entropy_loss_terms", labels, logits, options)


@_checks.measure()
def binary_cross_entropy_loss(
    labels: ArrayLike, logits: ArrayLike, *, where: ArrayLike | None = None, weights: ArrayLike | None = None
) -> jax.Array:
    r"""Cross-entropy of two outcomes from log-odds z: $-y \log \sigma(z) - (1 - y) \log(1 - \sigma(z))$, elementwise.

    Args:
        labels: The probability y of the outcome, in [0, 1]: 0 and 1, booleans, or anything between.
        logits: Log-odds, also infinite; labels and logits broadcast.
        where: Examples to keep, broadcast to the result; others give 0, whatever they hold.
        weights: Factors of the examples, broadcast to the result; an example of weight 0 is dropped.

    Returns:
        An array of the shape of both, at least 0.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes do not fit.

    **Domain**: 0 where the log-odds are infinite and right, `inf` where they are infinite and `y` is not the face that
    they are certain of; NaN for a label outside [0, 1].

    **Gradient**: `sigmoid(z) - y` in `logits`, finite always; `-z` in `labels`, 0 where `z` is infinite and the value
    0.

    Reference: I. J. Good, "Rational Decisions", Journal of the Royal Statistical Society B 14, 1952.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import objectives
        >>> print(objectives.binary_cross_entropy_loss(jnp.array([1, 1, 0]), jnp.array([jnp.inf, 0.0, 0.0])).round(3))
        [0.    0.693 0.693]
    """
    name = "binary_cross_entropy_loss"
    y, z = _checks.floating(name, "labels", labels), _checks.floating(name, "logits", logits)
    dtype = (
        z.dtype if not jnp.issubdtype(jnp.asarray(labels).dtype, jnp.floating) else jnp.promote_types(y.dtype, z.dtype)
    )
    y, z = _checks.broadcast(name, (), labels=y, logits=z)
    wide = _numerics.accumulate(z.astype(dtype))
    mask, factors = _kept_examples.kept(name, where, weights, z.shape, wide.dtype)
    y = _kept_examples.replaced(mask, y.astype(wide.dtype), 0)
    value = coin_loss(y, _kept_examples.replaced(mask, wide, 0))
    return _kept_examples.weighted(value, mask, factors).astype(dtype)
