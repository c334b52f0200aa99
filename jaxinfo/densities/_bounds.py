"""Bounds on the entropy of a mixture and on the divergence of two, from closed forms between their components."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo._checks import unit
from jaxinfo._numerics import in_units
from jaxinfo.distributions import Mixture, MultivariateNormal, Normal
from jaxinfo.distributions._arrays import common_dtype, working_dtype
from jaxinfo.distributions._registry import closed_form

# Alternations of the two sets of weights of the variational bound, which is a bound after any number of them.
_NUM_ALTERNATIONS = 32


def entropy_bounds(mixture: Any, *, base: float | None = None) -> tuple[jax.Array, jax.Array]:
    r"""Returns a lower and an upper bound on the entropy of a mixture.

    .. math:: \sum_i w_i h(p_i) - \sum_i w_i \log \sum_j w_j e^{-C(p_i, p_j)} \le h(p) \le
        \sum_i w_i h(p_i) - \sum_i w_i \log \sum_j w_j e^{-D(p_i \| p_j)}

    Below with the Bhattacharyya distance C (Kolchinsky and Tracey), or, for normal components, with the overlap
    $\int p_i p_j$ in the place of $e^{-h(p_i) - C}$ (Huber et al.), whichever is greater. Above with KL, which is below
    Huber's $\sum_i w_i (h(p_i) - \log w_i)$. Both are exact where components coincide, and where they are far apart.

    Args:
      mixture: a `Mixture` of a family with closed forms of entropy, KL and Rényi divergence, such as `Normal`.
      base: the logarithm's base; None is nats, 2 is bits.

    Returns:
      The two bounds, each of shape `mixture.batch_shape`.

    Raises:
      TypeError: if this is no mixture, or if a closed form between components is not known.
      ValueError: if `base` is not positive or is 1.

    **Domain** weights that sum to one; a component of zero weight is absent.

    **Gradient** of each bound, smooth in the parameters but where the greater of two lower bounds changes.

    Reference: A. Kolchinsky and B. D. Tracey, "Estimating Mixture Entropy with Pairwise Distances", Entropy 19, 2017;
        M. F. Huber et al., "On Entropy Approximation for Gaussian Mixture Random Vectors", IEEE MFI 2008.

    >>> import jax.numpy as jnp
    >>> from jaxinfo import densities
    >>> from jaxinfo.distributions import Mixture, Normal
    >>> p = Mixture(jnp.array([0.5, 0.5]), Normal(jnp.array([-1.0, 1.0]), 1.0))
    >>> lower, upper = densities.entropy_bounds(p)
    >>> round(float(lower), 3), round(float(densities.entropy(p).value), 3), round(float(upper), 3)
    (1.645, 1.756, 1.985)
    """
    name = "densities.entropy_bounds"
    divisor = unit(name, base)
    _check(name, mixture)
    lower, upper = _entropy_bounds(name, mixture)
    return in_units(lower, divisor), in_units(upper, divisor)


def kl_bounds(p: Any, q: Any, *, base: float | None = None) -> tuple[jax.Array, jax.Array]:
    r"""Returns a lower and an upper bound on KL(p‖q) between mixtures.

    The upper bound is the least of the variational one of Hershey and Olsen, which includes that by matched pairs of
    components, with whatever matching,

    .. math:: D(p \| q) \le \sum_{ij} \phi_{ij} \Big( \log \frac{\phi_{ij}}{\psi_{ij}} + D(p_i \| q_j) \Big), \qquad
        \sum_j \phi_{ij} = w_i, \quad \sum_i \psi_{ij} = v_j,

    and of an upper bound on the cross-entropy, $-\sum_i w_i \log \sum_j v_j e^{-h(p_i, q_j)}$, less the lower one of
    `entropy_bounds`. The lower bound is one on the cross-entropy, $-\sum_i w_i \log \sum_j v_j \int p_i q_j$, less the
    upper one of `entropy_bounds`, or 0; of components that are not normal it is 0.

    Args:
      p: a `Mixture` of normals or another family with closed forms, or a single member of it.
      q: another, of broadcasting batch shape.
      base: the logarithm's base; None is nats, 2 is bits.

    Returns:
      The two bounds, each of the broadcast batch shape, the lower at least 0.

    Raises:
      TypeError: if a closed form between components is not known.
      ValueError: if `base` is not positive or is 1, or if the batch shapes do not broadcast.

    **Domain** weights that sum to one; a component of zero weight is absent.

    **Gradient** of each bound, smooth in the parameters but where another bound becomes the best. The variational
    weights are held fixed, as they are stationary.

    Reference: J. R. Hershey and P. A. Olsen, "Approximating the Kullback Leibler Divergence Between Gaussian Mixture
        Models", ICASSP 2007; J.-L. Durrieu, J.-P. Thiran and F. Kelly, "Lower and Upper Bounds for Approximation of the
        Kullback-Leibler Divergence Between Gaussian Mixture Models", ICASSP 2012.

    >>> import jax.numpy as jnp
    >>> from jaxinfo import densities
    >>> from jaxinfo.distributions import Mixture, Normal
    >>> p = Mixture(jnp.array([0.5, 0.5]), Normal(jnp.array([-3.0, 3.0]), 1.0))
    >>> q = Mixture(jnp.array([0.25, 0.75]), Normal(jnp.array([-3.0, 2.0]), 1.0))
    >>> lower, upper = densities.kl_bounds(p, q)
    >>> bool(lower <= densities.kl_divergence(p, q).value <= upper), round(float(upper), 3)
    (True, 0.394)
    """
    name = "densities.kl_bounds"
    divisor = unit(name, base)
    p, q = (density if isinstance(density, Mixture) else _single(density) for density in (p, q))
    for mixture in (p, q):
        _check(name, mixture)
    try:
        batch = jnp.broadcast_shapes(p.batch_shape, q.batch_shape)
    except ValueError as error:
        raise ValueError(f"{name}: batch shapes {p.batch_shape} and {q.batch_shape} do not broadcast") from error
    lower, upper = _kl_bounds(name, p.broadcast_to(batch), q.broadcast_to(batch))
    return in_units(lower, divisor), in_units(upper, divisor)


@jax.jit(static_argnums=0)
def _kl_bounds(name: str, p: Mixture, q: Mixture) -> tuple[jax.Array, jax.Array]:
    log_w, log_v = (_log_weights(mixture) for mixture in (p, q))
    divergences = _pairwise(name, "kl_divergence", p, q)
    entropies = _of_components(name, p)
    least_entropy, most_entropy = _entropy_bounds(name, p)
    w = jnp.exp(log_w)
    most_cross = -_mean(w, _log_sum(log_v[..., None, :] - (entropies[..., :, None] + divergences)))
    upper = jnp.minimum(_variational(log_w, log_v, divergences), most_cross - least_entropy)
    overlaps, lower = _log_overlaps(p, q), jnp.zeros_like(upper)
    if overlaps is not None:
        lower = jnp.maximum(-_mean(w, _log_sum(log_v[..., None, :] + overlaps)) - most_entropy, 0)
    return lower, upper


@jax.jit(static_argnums=0)
def _entropy_bounds(name: str, mixture: Mixture) -> tuple[jax.Array, jax.Array]:
    mixture = mixture.broadcast_to(mixture.batch_shape)
    log_w = _log_weights(mixture)
    w, entropies = jnp.exp(log_w), _of_components(name, mixture)
    own = jnp.sum(jnp.where(w > 0, w * entropies, jnp.zeros_like(w)), axis=-1)
    among = log_w[..., None, :]
    upper = own - _mean(w, _log_sum(among - _pairwise(name, "kl_divergence", mixture, mixture)))
    lower = own - _mean(w, _log_sum(among - _bhattacharyya(name, mixture, mixture)))
    overlaps = _log_overlaps(mixture, mixture)
    if overlaps is not None:
        lower = jnp.maximum(lower, -_mean(w, _log_sum(among + overlaps)))
    return lower, upper


def _variational(log_w: jax.Array, log_v: jax.Array, divergences: jax.Array) -> jax.Array:
    """The upper bound of Hershey and Olsen, by alternation between its two sets of weights."""
    fixed = jax.lax.stop_gradient
    shape = divergences.shape
    rows, columns = (jnp.broadcast_to(x, shape) for x in (log_w[..., :, None], log_v[..., None, :]))

    def normalised(logs: jax.Array, axis: int, totals: jax.Array) -> jax.Array:
        sums = _log_sum(logs, axis)
        sums = jnp.where(jnp.isfinite(sums), sums, jnp.zeros_like(sums))
        return totals + logs - jnp.expand_dims(sums, axis)

    def alternate(_: int, log_psi: jax.Array) -> jax.Array:
        log_phi = normalised(log_psi - divergences_, -1, rows_)
        return normalised(log_phi, -2, columns_)

    divergences_, rows_, columns_ = fixed((divergences, rows, columns))
    log_psi = jax.lax.fori_loop(0, _NUM_ALTERNATIONS, alternate, fixed(rows + columns))
    log_share_phi = normalised(log_psi - divergences_, -1, jnp.zeros_like(rows_))
    log_share_psi = normalised(log_psi, -2, jnp.zeros_like(columns_))
    share_phi = jnp.exp(log_share_phi)
    phi = jnp.exp(rows) * share_phi
    # The shares are held fixed and the weights of the mixtures are not.
    ratio = (rows + log_share_phi) - (columns + log_share_psi) + divergences
    return jnp.sum(jnp.where(share_phi > 0, phi * jnp.where(share_phi > 0, ratio, 0), 0), axis=(-2, -1))


def _mean(weights: jax.Array, values: jax.Array) -> jax.Array:
    """The mean over components, of which one without weight adds nothing."""
    present = weights > 0
    return jnp.sum(jnp.where(present, weights * jnp.where(present, values, 0), 0), axis=-1)


def _log_sum(logs: jax.Array, axis: int = -1) -> jax.Array:
    return jax.nn.logsumexp(logs, axis=axis)


def _log_weights(mixture: Mixture) -> jax.Array:
    weights = jnp.asarray(mixture.weights)
    present = weights > 0
    logs = jnp.log(jnp.where(present | (weights < 0), weights, jnp.ones_like(weights)))
    return jnp.where(present | (weights < 0), logs, jnp.full_like(logs, -jnp.inf))


def _single(density: Any) -> Mixture:
    """A family's member as a mixture of one."""
    if not hasattr(density, "broadcast_to"):
        raise TypeError(f"densities.kl_bounds: a mixture, or a member of a family, is needed, got {density!r}")
    batch = density.batch_shape
    full = density.broadcast_to(batch)
    one = jax.tree.map(lambda leaf: jnp.expand_dims(leaf, len(batch)), full)
    dtype = working_dtype(common_dtype(*jax.tree.leaves(density)))
    return Mixture(jnp.ones((*batch, 1), dtype), one)


def _check(name: str, mixture: Any) -> None:
    if not isinstance(mixture, Mixture) or isinstance(mixture.components, tuple | list):
        raise TypeError(f"{name}: a Mixture is needed, of one family, got {mixture!r}")


def _of_components(name: str, mixture: Mixture) -> jax.Array:
    return _formula(name, "entropy", mixture.components)(mixture.components)


def _formula(name: str, measure: str, *components: Any) -> Callable[..., jax.Array]:
    formula = closed_form(measure, *components)
    if formula is None:
        types = ", ".join(type(component).__name__ for component in components)
        raise TypeError(f"{name}: no closed form of {measure} is known for components ({types})")
    return formula


def _spread(p: Mixture, q: Mixture) -> tuple[Any, Any]:
    """The components of both with axes for all pairs: the batch, then those of p, then those of q."""
    num_batch = len(p.batch_shape)
    first = jax.tree.map(lambda leaf: jnp.expand_dims(leaf, num_batch + 1), p.components)
    second = jax.tree.map(lambda leaf: jnp.expand_dims(leaf, num_batch), q.components)
    return first, second


def _pairwise(name: str, measure: str, p: Mixture, q: Mixture, **numbers: Any) -> jax.Array:
    first, second = _spread(p, q)
    return _formula(name, measure, first, second)(first, second, **numbers)


def _bhattacharyya(name: str, p: Mixture, q: Mixture) -> jax.Array:
    """`-log integral sqrt(p_i q_j)`, half the Rényi divergence of order 1/2."""
    return 0.5 * _pairwise(name, "renyi_divergence", p, q, order=0.5)


def _log_overlaps(p: Mixture, q: Mixture) -> jax.Array | None:
    """`log integral p_i q_j`, of normal components; None for others."""
    first, second = _spread(p, q)
    if isinstance(first, Normal) and isinstance(second, Normal):
        a, b, c, d = jnp.broadcast_arrays(*first.parameters(), *second.parameters())
        return Normal(a, jnp.sqrt(jnp.square(b) + jnp.square(d))).log_prob(c)
    if isinstance(first, MultivariateNormal) and isinstance(second, MultivariateNormal):
        total = MultivariateNormal.from_covariance(first.loc, first.covariance + second.covariance)
        return total.log_prob(second.loc)
    return None
