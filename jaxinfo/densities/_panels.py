"""Gauss-Kronrod panels: what each contributes, how far that may be off, and which to split."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

# The 15-point Kronrod rule and the 7-point Gauss rule inside it (every second node), on [-1, 1]:
# Piessens et al., QUADPACK (1983), routine QK15.
_HALF_NODES = (
    0.991455371120812639206854697526329,
    0.949107912342758524526189684047851,
    0.864864423359769072789712788640926,
    0.741531185599394439863864773280788,
    0.586087235467691130294144691684463,
    0.405845151377397166906606412076961,
    0.207784955007898467600689403773245,
)
_HALF_KRONROD = (
    0.022935322010529224963732008058970,
    0.063092092629978553290700663189204,
    0.104790010322250183839876322541518,
    0.140653259715525918745189590510238,
    0.169004726639267902826583426598550,
    0.190350578064785409913256402421014,
    0.204432940075298892414161999234649,
)
_HALF_GAUSS = (0.0, 0.129484966168869693270611432679082, 0.0, 0.279705391489276667901467771423780)
_HALF_GAUSS += (0.0, 0.381830050505118944950369775488975, 0.0)
NODES = np.array([*(-x for x in _HALF_NODES), 0.0, *reversed(_HALF_NODES)])
KRONROD = np.array([*_HALF_KRONROD, 0.209482141084727828012999174891714, *reversed(_HALF_KRONROD)])
GAUSS = np.array([*_HALF_GAUSS, 0.417959183673469387755102040816327, *reversed(_HALF_GAUSS)])

Errors = Callable[[jax.Array, jax.Array], jax.Array]


def place_nodes(left: jax.Array, right: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Returns the nodes `[15, P, *batch]` of each panel and half its length `[P, *batch]`."""
    # The length is the difference of the two rounded edges, so that neighbouring panels neither gap nor overlap
    # and the lengths add up to the interval exactly: rounding an edge moves it and costs nothing.
    half = 0.5 * (right - left)
    offsets = jnp.asarray(NODES, left.dtype).reshape(-1, *(1,) * left.ndim)
    shape = (offsets.shape[0], *left.shape)
    low, high = jnp.broadcast_to(left, shape), jnp.broadcast_to(right, shape)
    nodes = 0.5 * low + 0.5 * high + jnp.broadcast_to(half, shape) * jnp.broadcast_to(offsets, shape)
    # A node that rounding has put on an edge goes to the next number inside: a density may be infinite on the edge of
    # its support. Not the next after 0, which is subnormal and counts as 0.
    info = jnp.finfo(left.dtype)
    inward = lambda edge: jnp.maximum(float(info.eps) * jnp.abs(edge), float(info.tiny))  # noqa: E731
    nodes = jnp.where(nodes <= low, low + inward(low), nodes)
    return jnp.where(nodes >= high, high - inward(high), nodes), half


def in_panels(values: jax.Array, half: jax.Array) -> jax.Array:
    """The values at the nodes, 0 in empty panels: there a density may be infinite."""
    return jnp.where(jnp.broadcast_to(half == 0, values.shape), jnp.zeros_like(values), values)


def weighted_sum(weights: np.ndarray, values: jax.Array) -> jax.Array:
    """Returns the sum over the nodes of a panel, axis 0."""
    return jnp.tensordot(jnp.asarray(weights, values.dtype), values, axes=1, precision=jax.lax.Precision.HIGHEST)


def panel_errors(values: jax.Array, half: jax.Array) -> jax.Array:
    """Returns an error bound for the Kronrod sum of each panel, by QUADPACK's rule from the Gauss sum beside it."""
    difference = _difference(values, half)
    spread = half * weighted_sum(KRONROD, jnp.abs(values - 0.5 * weighted_sum(KRONROD, values)[None]))
    positive = spread > 0
    ratio = difference / jnp.where(positive, spread, jnp.ones_like(spread))
    return jnp.where(positive, spread * jnp.minimum(1.0, (1000 * ratio) ** 1.5), difference)


def kinked_errors(values: jax.Array, sides: jax.Array, half: jax.Array) -> jax.Array:
    """Returns an error bound for panels of a function that is 0, and has a kink, where its `sides` change.

    The two sums may agree by chance, whatever the kink. Between its neighbours it takes away no more than the triangle
    that they make with it.
    """
    gaps = jnp.asarray(np.diff(NODES), half.dtype).reshape(-1, *(1,) * half.ndim) * half[None]
    triangles = jnp.where(sides[1:] == sides[:-1], jnp.zeros_like(gaps), gaps * (values[1:] + values[:-1]))
    return panel_errors(values, half) + _difference(values, half) + jnp.sum(triangles, axis=0)


def _difference(values: jax.Array, half: jax.Array) -> jax.Array:
    return half * jnp.abs(weighted_sum(KRONROD, values) - weighted_sum(GAUSS, values))


def refine(
    errors_at: Errors, left: jax.Array, right: jax.Array, num_rounds: int, num_splits: int
) -> tuple[jax.Array, jax.Array]:
    """Halves the `num_splits` panels of largest error, `num_rounds` times; returns the edges of all panels.

    `errors_at` gives the errors of panels by their nodes and half their lengths.
    """
    if num_rounds == 0:
        return left, right

    def errors_of(left: jax.Array, right: jax.Array) -> jax.Array:
        nodes, half = place_nodes(left, right)
        return errors_at(nodes, half)

    num_splits = min(num_splits, left.shape[0])
    spare = jnp.full((num_rounds * num_splits, *left.shape[1:]), jnp.nan, left.dtype)
    start = left.shape[0]
    errors = errors_of(left, right)
    # Empty panels at the far right hold the place of those to come.
    end = jnp.broadcast_to(right[-1:], spare.shape)
    state = (
        jnp.concatenate([left, end]),
        jnp.concatenate([right, end]),
        jnp.concatenate([errors, jnp.zeros_like(spare)]),
    )

    def split(index: jax.Array, state: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
        left, right, errors = state
        worst = jnp.moveaxis(jax.lax.top_k(jnp.moveaxis(errors, 0, -1), num_splits)[1], -1, 0)
        low, high = (jnp.take_along_axis(edge, worst, axis=0) for edge in (left, right))
        middle = 0.5 * low + 0.5 * high
        new_left, new_right = jnp.concatenate([low, middle]), jnp.concatenate([middle, high])
        new_errors = errors_of(new_left, new_right)
        slot = start + index * num_splits

        def put(all_panels: jax.Array, new: jax.Array) -> jax.Array:
            replaced = jnp.put_along_axis(all_panels, worst, new[:num_splits], axis=0, inplace=False)
            return jax.lax.dynamic_update_slice_in_dim(replaced, new[num_splits:], slot, axis=0)

        return put(left, new_left), put(right, new_right), put(errors, new_errors)

    left, right, _ = jax.lax.fori_loop(0, num_rounds, split, state)
    return left, right
