"""Temperature scaling: the one number that calibrates logits, solved for."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.typing import ArrayLike

from jaxinfo import _checks, _numerics
from jaxinfo.objectives import _kept_examples

_STEPS = 100
# The logarithm of the inverse temperature, in units of the largest difference from the label's logit.
_BRACKET = 40.0


@_checks.measure("axis")
def optimal_temperature(
    labels: ArrayLike,
    logits: ArrayLike,
    *,
    axis: int = -1,
    where: ArrayLike | None = None,
    weights: ArrayLike | None = None,
) -> jax.Array:
    r"""Temperature scaling: the T at which the mean cross-entropy of labels and $\mathrm{softmax}(z / T)$ is least.

    The cross-entropy is convex in $\beta = 1/T$ (in log T it has one minimum, and need not be convex), and its
    derivative

    .. math:: \frac{d}{d\beta} \overline{H(y, \mathrm{softmax}(\beta z))} = \overline{\mathrm{E}_\beta z - z_y}

    rises: at the optimum the mean logit under the model is that of the labels. Newton's method in $\log \beta$ finds
    the root in a bracket, which is halved where a step would leave it. Logits divided by T keep their most probable
    class.

    Args:
        labels: Integers, of the shape of `logits` without `axis`; or a table of probabilities of the shape of `logits`.
        logits: Unnormalised log-probabilities `[..., K]` of held-out examples; a class that cannot be is `-inf`.
        axis: The axis of the classes; all others are examples, which share one temperature.
        where: Examples to keep, broadcast to the shape of `logits` without `axis`.
        weights: Weights of the examples; one of weight 0 is dropped.

    Returns:
        A scalar; temperatures of several models through `vmap`.

    Raises:
        TypeError: If an argument is not real, `where` not boolean, or labels for each example not integers.
        ValueError: If shapes or `axis` do not fit.

    **Domain**: 0 where every label has a largest logit, as no T > 0 is best; `inf` where labels have no larger logits
    than other classes on average, so that the uniform distribution is best. NaN where a label is masked or outside
    `[0, K)`, or nothing is kept.

    **Gradient**: in logits, tables and weights that of the root, by the implicit function theorem, to any order; 0
    where T is 0 or `inf`. Use `jax.lax.stop_gradient` to hold it fixed.

    Reference: C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On Calibration of Modern Neural Networks", ICML, 2017,
        section 4.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import objectives
        >>> logits = jnp.array([[4.0, 0.0]] * 4)  # certain by 4, right three times in four: log 3 would do
        >>> print(f"{objectives.optimal_temperature(jnp.array([0, 0, 0, 1]), logits):.3f}")
        3.641
    """
    name = "optimal_temperature"
    apart, present, share, valid, dtype = _prepare(name, labels, logits, axis, where, weights)
    at_zero = jnp.sum(share * _mean(apart, present, jnp.zeros((), apart.dtype)))
    highest = jnp.max(jnp.where(present, apart, -jnp.inf), axis=-1)
    at_infinity = jnp.sum(share * highest)
    inside = (at_zero < 0) & (at_infinity > 0) & valid
    unit = lax.stop_gradient(jnp.max(jnp.where(share[..., None] > 0, jnp.abs(apart), 0)))
    unit = jnp.where(inside, unit, jnp.ones_like(unit))
    root = _root(apart / unit, present, share, inside)
    edge = jnp.where(at_zero < 0, jnp.zeros_like(unit), jnp.full_like(unit, jnp.inf))
    edge = jnp.where(valid, edge, jnp.nan)
    return jnp.where(inside, unit * jnp.exp(-root), edge).astype(dtype)


def _mean(apart: jax.Array, present: jax.Array, beta: jax.Array) -> jax.Array:
    """The mean of logits under the model at an inverse temperature, less that under the label."""
    return jnp.sum(jax.nn.softmax(beta * apart, axis=-1, where=present) * apart, axis=-1)


def _root(apart: jax.Array, present: jax.Array, share: jax.Array, inside: jax.Array) -> jax.Array:
    """The logarithm of the inverse temperature at which the mean is 0; where there is none, 0 with derivative 0."""
    held = jnp.where(inside, apart, jnp.zeros_like(apart))

    def slope_of_loss(u: jax.Array) -> jax.Array:
        return jnp.where(inside, jnp.sum(share * _mean(held, present, jnp.exp(u))), u)

    one = jnp.ones((), apart.dtype)
    return lax.custom_root(slope_of_loss, 0 * one, _newton, lambda linear, y: y / linear(one))


def _newton(function: Any, start: jax.Array) -> jax.Array:
    """The root of an increasing function: Newton's method in a bracket that halves where a step would leave it."""
    tolerance = 2 * float(jnp.finfo(start.dtype).eps)

    def goes_on(state: Any) -> jax.Array:
        count, u, _, _, moved = state
        return (count < _STEPS) & (moved > tolerance * (1 + jnp.abs(u)))

    def step(state: Any) -> Any:
        count, u, low, high, _ = state
        value, slope = jax.jvp(function, (u,), (jnp.ones_like(u),))
        low, high = jnp.where(value <= 0, u, low), jnp.where(value >= 0, u, high)
        newton = u - value / jnp.where(slope > 0, slope, jnp.ones_like(slope))
        usable = (newton >= low) & (newton <= high) & (slope > 0)
        new = jnp.where(usable, newton, 0.5 * (low + high))
        return count + 1, new, low, high, jnp.abs(new - u)

    edge = jnp.full_like(start, _BRACKET)
    return lax.while_loop(goes_on, step, (0, start, -edge, edge, edge))[1]


def _prepare(
    name: str, labels: ArrayLike, logits: ArrayLike, axis: int, where: ArrayLike | None, weights: ArrayLike | None
) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array, jnp.dtype]:
    """Logits less the label's, 0 where masked; what is not masked; shares; whether all labels can be; the dtype."""
    z, y = _checks.floating(name, "logits", logits), jnp.asarray(labels)
    if z.ndim < 1:
        raise ValueError(f"{name}: logits need an axis of classes, got a scalar")
    (at,) = _checks.axes(name, axis, z.ndim)
    dtype, z = z.dtype, jnp.moveaxis(_numerics.accumulate(z), at, -1)
    if y.ndim == z.ndim:
        y = jnp.moveaxis(_checks.floating(name, "labels", y), at, -1).astype(z.dtype)
    elif not jnp.issubdtype(y.dtype, jnp.integer):
        raise TypeError(f"{name}: labels of shape {y.shape} must be integers, got dtype {y.dtype}")
    if y.shape not in (z.shape, z.shape[:-1]):
        raise ValueError(f"{name}: labels of shape {jnp.shape(labels)} do not fit logits of shape {jnp.shape(logits)}")
    mask, factors = _kept_examples.kept(name, where, weights, z.shape[:-1], z.dtype)
    z = _kept_examples.replaced(_kept_examples.over(mask, (-1,)), z, 0)
    present = z != -jnp.inf
    finite = jnp.where(present, z, jnp.zeros_like(z))
    if y.ndim == z.ndim:
        y = _kept_examples.replaced(_kept_examples.over(mask, (-1,)), y, 0)
        mass, can_be = jnp.sum(y, axis=-1), jnp.all(present | (y == 0))
        at_label = _numerics.quotient(jnp.sum(y * finite, axis=-1), mass)
    else:
        y = _kept_examples.replaced(mask, y, 0)[..., None]
        at_label = jnp.take_along_axis(finite, jnp.clip(y, 0, z.shape[-1] - 1), axis=-1)[..., 0]
        mass = jnp.ones_like(at_label)
        can_be = jnp.all(jnp.take_along_axis(present, y, axis=-1, mode="fill", fill_value=False) & (y >= 0))
    each = _kept_examples.weighted(mass, mask, factors)
    total = jnp.sum(each)
    apart = jnp.where(present, finite - at_label[..., None], jnp.zeros_like(z))
    valid = can_be & (total > 0) & jnp.all(jnp.isfinite(apart))
    return apart, present, each / jnp.where(total > 0, total, 1), valid, dtype
