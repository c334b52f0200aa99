"""The measures between densities: by closed form where one is known, otherwise by quadrature."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo import distributions
from jaxinfo._checks import unit
from jaxinfo._numerics import in_units
from jaxinfo.densities._estimate import Estimate
from jaxinfo.densities._quadrature import Quadrature, integrate
from jaxinfo.distributions._arrays import common_dtype, exp_remainder, working_dtype
from jaxinfo.distributions._closed_forms import closed_form


@jax.tree_util.register_static
@dataclasses.dataclass(frozen=True)
class ClosedForm:
    """The formula in `jaxinfo.distributions`, exact but for rounding; an error where none is known.

    >>> from jaxinfo import densities
    >>> from jaxinfo.distributions import Normal
    >>> densities.entropy(Normal(0.0, 1.0), method=densities.ClosedForm()).method
    'closed_form'
    """


Method = ClosedForm | Quadrature


def entropy(p: Any, *, method: Method | None = None, base: float | None = None) -> Estimate:
    r"""Returns the differential entropy of a one-dimensional density.

    .. math:: h(p) = -\int p(x) \log p(x) \, dx

    Args:
      p: a distribution, or any pytree with `log_prob`, `mean`, `variance`, `support` and `batch_shape`.
      method: `ClosedForm()`, `Quadrature(...)`, or None for the first of these that applies.
      base: the logarithm's base; None is nats, 2 is bits.

    Returns:
      An `Estimate` of shape `p.batch_shape`. Half precision is integrated, and returned, in float32.

    Raises:
      TypeError: if `p` is no density, or if the closed form that was asked for is not known.
      ValueError: if `base` is not positive or is 1.

    **Domain** normalised densities on the real line; it may be negative. Regions without mass add nothing.

    **Gradient** that of the integral, in every parameter, to any order, forward and reverse.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, section 8.1.

    >>> import jax.numpy as jnp
    >>> from jaxinfo import densities
    >>> from jaxinfo.distributions import Mixture, Normal
    >>> p = Mixture(jnp.array([0.5, 0.5]), Normal(jnp.array([-3.0, 3.0]), 1.0))
    >>> estimate = densities.entropy(p, base=2)
    >>> round(float(estimate.value), 3), estimate.method
    (3.041, 'quadrature')
    """
    return _measure("entropy", method, base, p)


def cross_entropy(p: Any, q: Any, *, method: Method | None = None, base: float | None = None) -> Estimate:
    r"""Returns the cross-entropy of `q` relative to `p`, one-dimensional densities.

    .. math:: h(p, q) = -\int p(x) \log q(x) \, dx

    Args:
      p: a distribution, or any pytree with `log_prob`, `mean`, `variance`, `support` and `batch_shape`.
      q: another, of broadcasting batch shape.
      method: `ClosedForm()`, `Quadrature(...)`, or None for the first of these that applies.
      base: the logarithm's base; None is nats, 2 is bits.

    Returns:
      An `Estimate` of the broadcast batch shape. Half precision is integrated, and returned, in float32.

    Raises:
      TypeError: if an argument is no density, or if the closed form that was asked for is not known.
      ValueError: if `base` is not positive or is 1, or if the batch shapes do not broadcast.

    **Domain** densities on the real line; `+inf` where `q` has no mass and `p` has.

    **Gradient** that of the integral, in every parameter, to any order, forward and reverse.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, section 8.5.

    >>> import jax.numpy as jnp
    >>> from jaxinfo import densities
    >>> from jaxinfo.distributions import Mixture, Normal
    >>> p = Mixture(jnp.array([0.5, 0.5]), Normal(jnp.array([-3.0, 3.0]), 1.0))
    >>> round(float(densities.cross_entropy(p, Normal(0.0, 1.0)).value), 4)
    5.9189
    """
    return _measure("cross_entropy", method, base, p, q)


def kl_divergence(p: Any, q: Any, *, method: Method | None = None, base: float | None = None) -> Estimate:
    r"""Returns KL(p‖q) between one-dimensional densities.

    .. math:: D(p \| q) = \int \Big( p(x) \log \frac{p(x)}{q(x)} - p(x) + q(x) \Big) \, dx

    The integrand is never negative and vanishes with its slope where the densities are equal, so that the value keeps
    its digits when `p` is close to `q`. Off the simplex (weights that do not sum to one) this is the generalised KL.

    Args:
      p: a distribution, or any pytree with `log_prob`, `mean`, `variance`, `support` and `batch_shape`.
      q: another, of broadcasting batch shape.
      method: `ClosedForm()`, `Quadrature(...)`, or None for the first of these that applies.
      base: the logarithm's base; None is nats, 2 is bits.

    Returns:
      An `Estimate` of the broadcast batch shape, never negative. Half precision is integrated in float32, and stays it.

    Raises:
      TypeError: if an argument is no density, or if the closed form that was asked for is not known.
      ValueError: if `base` is not positive or is 1, or if the batch shapes do not broadcast.

    **Domain** densities on the real line; `+inf` where `q` has no mass and `p` has.

    **Gradient** that of the integral, in every parameter, to any order, forward and reverse; 0 where `p` equals `q`.

    Reference: S. Kullback and R. A. Leibler, "On Information and Sufficiency", Annals of Mathematical Statistics 22,
        1951.

    >>> import jax.numpy as jnp
    >>> from jaxinfo import densities
    >>> from jaxinfo.distributions import Mixture, Normal
    >>> p = Mixture(jnp.array([0.5, 0.5]), Normal(jnp.array([-3.0, 3.0]), 1.0))
    >>> round(float(densities.kl_divergence(p, Normal(0.0, 10.0**0.5)).value), 5)
    0.46199
    >>> round(float(densities.kl_divergence(Normal(3.0, 1.0), p).value), 3)
    0.689
    """
    return _measure("kl_divergence", method, base, p, q)


def _measure(measure: str, method: Method | None, base: float | None, *densities: Any) -> Estimate:
    """Checks what is known while tracing, then computes under `jit`."""
    name = f"densities.{measure}"
    divisor = unit(name, base)
    for density in densities:
        if not all(hasattr(density, attribute) for attribute in ("log_prob", "mean", "variance", "batch_shape")):
            raise TypeError(f"{name}: a density has log_prob, mean, variance and batch_shape, got {density!r}")
    shapes = [density.batch_shape for density in densities]
    try:
        jnp.broadcast_shapes(*shapes)
    except ValueError as error:
        raise ValueError(f"{name}: batch shapes {shapes} do not broadcast") from error
    known = closed_form(measure, *densities) is not None
    if method is None:
        method = ClosedForm() if known else Quadrature()
    if isinstance(method, ClosedForm) and not known:
        types = ", ".join(type(density).__name__ for density in densities)
        raise TypeError(f"{name}: no closed form is known for ({types}); use Quadrature()")
    if not isinstance(method, ClosedForm | Quadrature):
        raise TypeError(f"{name}: method must be ClosedForm(), Quadrature(...) or None, got {method!r}")
    estimate = _compute(measure, method, *densities)
    if base is None:
        return estimate
    errors = {key: value for key, value in estimate.diagnostics.items() if key.endswith("_error")}
    value, stderr, errors = jax.tree.map(
        lambda nats: in_units(nats, divisor), (estimate.value, estimate.stderr, errors)
    )
    return dataclasses.replace(estimate, value=value, stderr=jnp.abs(stderr), diagnostics=estimate.diagnostics | errors)


@jax.jit(static_argnums=(0, 1))
def _compute(measure: str, method: Method, *densities: Any) -> Estimate:
    if isinstance(method, ClosedForm):
        value = getattr(distributions, measure)(*densities)
        return Estimate(value, jnp.zeros_like(value), {}, "closed_form")
    dtype = working_dtype(common_dtype(*jax.tree.leaves(densities)))
    densities = jax.tree.map(lambda leaf: jnp.asarray(leaf).astype(dtype), densities)
    return integrate(_INTEGRANDS[measure](*densities), densities, method)


def _entropy_integrand(p: Any) -> Any:
    return _cross_entropy_integrand(p, p)


def _cross_entropy_integrand(p: Any, q: Any) -> Any:
    def integrand(x: jax.Array) -> tuple[jax.Array, jax.Array]:
        log_p, log_q = p.log_prob(x), q.log_prob(x)
        prob = jnp.exp(log_p)
        # Where p is 0 the term is 0, even if log q is infinite.
        present = prob > 0
        log_q = jnp.where(present | jnp.isnan(prob), log_q, jnp.zeros_like(log_q))
        epsilon = jnp.finfo(prob.dtype).eps
        noise = 4 * epsilon * prob * ((1 + jnp.abs(log_p)) * jnp.abs(log_q) + 1)
        return -prob * log_q, jnp.where(present, noise, jnp.zeros_like(noise))

    return integrand


def _kl_integrand(p: Any, q: Any) -> Any:
    def integrand(x: jax.Array) -> tuple[jax.Array, jax.Array]:
        log_p, log_q = jnp.broadcast_arrays(p.log_prob(x), q.log_prob(x))
        p_x, q_x = jnp.exp(log_p), jnp.exp(log_q)
        # With r = log(q/p): p (e^r - 1 - r), which keeps its digits for small r; for large r, where e^r may overflow,
        # q - p (1 + r). Where p is 0 only q is left.
        present = (p_x > 0) | jnp.isnan(p_x)
        log_ratio = jnp.where(present, log_q - log_p, jnp.zeros_like(log_p))
        near = jnp.abs(log_ratio) < 1
        close = p_x * exp_remainder(jnp.where(near, log_ratio, jnp.zeros_like(log_ratio)))
        value = jnp.where(near & present, close, q_x - p_x * (1 + log_ratio))
        # Each logarithm is off by some ulps of its size, and moves the integrand by its slope in it and its curvature.
        error_p, error_q = (4 * jnp.finfo(value.dtype).eps * (1 + jnp.abs(log)) for log in (log_p, log_q))
        error_p = jnp.where(present, error_p, jnp.zeros_like(error_p))
        first = jnp.abs(q_x - p_x) * error_q + p_x * jnp.abs(log_ratio) * error_p
        noise = first + p_x * jnp.square(error_p + error_q)
        return value, noise

    return integrand


_INTEGRANDS = {
    "entropy": _entropy_integrand,
    "cross_entropy": _cross_entropy_integrand,
    "kl_divergence": _kl_integrand,
}
