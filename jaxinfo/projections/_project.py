"""The optimum of the forward divergence onto an exponential family, which its moments determine."""

import math
from typing import Any

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

from jaxinfo import densities, distributions
from jaxinfo.distributions import Mixture, MultivariateNormal, Normal
from jaxinfo.distributions._families.multivariate_normal import DiagonalNormal
from jaxinfo.distributions._registry import closed_form
from jaxinfo.interop._conversion import adapt
from jaxinfo.projections import _arrays, _estimators, _lanes
from jaxinfo.projections._divergences import ForwardKL
from jaxinfo.projections._estimators import Method, SelfNormalizedImportance
from jaxinfo.projections._targets import Samples

_FAMILIES = (
    distributions.Bernoulli,
    distributions.Beta,
    distributions.Binomial,
    distributions.Categorical,
    distributions.ChiSquared,
    distributions.Dirichlet,
    distributions.Exponential,
    distributions.Gamma,
    distributions.Geometric,
    distributions.HalfNormal,
    distributions.InverseGamma,
    distributions.InverseGaussian,
    distributions.LogNormal,
    distributions.Multinomial,
    distributions.NegativeBinomial,
    distributions.Poisson,
    distributions.VonMises,
    distributions.VonMisesFisher,
    distributions.Wishart,
    DiagonalNormal,
    MultivariateNormal,
    Normal,
)
# Newton's method in this metric takes fewer than twenty from anywhere near; a target without the moments never ends.
_MOST_STEPS = 200


def project(target: Any, family: Any, *, method: Method | None = None) -> Any:
    r"""Returns the member of an exponential family that minimises KL(target‖member): the one that has its moments.

    .. math:: \operatorname*{argmin}_q D(p \| q): \quad E_q[T(x)] = E_p[T(x)]

    Normals take the target's mean and variance, or covariance, as they are. In other families the moments are matched
    to rounding by Newton's method in the metric of Fisher's information, where steps longer than the metric's unit are
    shortened; the minimum is the only one. The cross-entropy that it minimises is a closed form where one is known, for
    mixtures component by component, and otherwise a sum over integers or quadrature.

    Args:
      target: a density, also of a library that `jaxinfo.interop` knows, or `Samples`; leading axes are a batch.
      family: a member of the family, which gives its shape and what is not fitted, such as the number of trials; for
        families of numbers whose parameters are all fitted the class itself will do.
      method: how the cross-entropy is computed; None is the first that applies.

    Returns:
      A distribution of this family, of the target's batch shape.

    Raises:
      TypeError: if `family` is no exponential family (`fit` takes any), or no method applies to the target.
      ValueError: if `family` is a class that needs a member, or a member with a batch.

    **Domain** a target that is not within the support of the family, or without the moments, gives NaN.

    **Gradient** none is defined: the number of Newton's steps is found while running; normals are smooth.

    Reference: T. Minka, "Divergence measures and message passing", Microsoft Research MSR-TR-2005-173, 2005.

    >>> import jax.numpy as jnp
    >>> from jaxinfo.distributions import Gamma, Mixture, Normal
    >>> from jaxinfo.projections import project
    >>> mixture = Mixture(jnp.array([0.5, 0.5]), Normal(jnp.array([-3.0, 3.0]), 1.0))
    >>> member = project(mixture, Normal)
    >>> round(float(member.loc), 4), round(float(member.scale), 4)
    (0.0, 3.1623)
    >>> member = project(Mixture(jnp.array([0.5, 0.5]), Gamma(jnp.array([2.0, 8.0]), 1.0)), Gamma)
    >>> round(float(member.mean), 4)
    5.0
    """
    target, member = adapt(target), _member(family)
    if not isinstance(target, Samples) and not callable(getattr(target, "log_prob", None)):
        raise TypeError(f"project: target must be a density or Samples(x), got {target!r}")
    dtype = _arrays.dtype_of(target, member)
    target, member = (_arrays.as_floats(each, dtype=dtype) for each in (target, member))
    if isinstance(member, Normal | MultivariateNormal) and _has_moments(target, member):
        return _normal(target, member)
    return _match(target, _arrays.with_full_leaves(member), method)


def _member(family: Any) -> Any:
    """A member of the family to begin with."""
    kind = family if isinstance(family, type) else type(family)
    if kind not in _FAMILIES:
        raise TypeError(f"project: {kind.__name__} is no exponential family with a projection; fit(...) takes any")
    if not isinstance(family, type):
        if family.batch_shape:
            raise ValueError(f"project: give a member without a batch, got batch shape {family.batch_shape}")
        return family
    constraints = family.constraints.values()
    if any(c.ndim or c.prefix + name == "total_count" for name, c in family.constraints.items()) or not constraints:
        raise ValueError(f"project: {kind.__name__} needs a member, for its shape and its fixed parameters")
    return family(*(c.from_free(jnp.zeros(())) for c in constraints))


def _has_moments(target: Any, member: Any) -> bool:
    if isinstance(target, Samples):
        return True
    if isinstance(member, Normal | DiagonalNormal):
        return hasattr(target, "mean") and hasattr(target, "variance")
    components = target.components if isinstance(target, Mixture) else target
    return hasattr(components, "covariance") and hasattr(target, "mean")


def _normal(target: Any, member: Any) -> Any:
    """The normal with the target's mean and covariance."""
    if isinstance(target, Samples):
        mean, covariance = _sample_moments(target, len(member.event_shape))
    elif type(member) is MultivariateNormal:
        mean, covariance = target.mean, _covariance(target)
    else:
        mean, covariance = target.mean, target.variance
    if type(member) is MultivariateNormal:
        return MultivariateNormal.from_covariance(mean, covariance)
    if isinstance(member, DiagonalNormal):
        variance = jnp.diagonal(covariance, axis1=-2, axis2=-1) if isinstance(target, Samples) else covariance
        return MultivariateNormal.from_diagonal(mean, jnp.sqrt(variance))
    return Normal(mean, jnp.sqrt(covariance))


def _covariance(target: Any) -> jax.Array:
    """That of a normal of vectors or a mixture of them: the mean of the covariances and the covariance of the means."""
    if not isinstance(target, Mixture):
        return target.covariance
    weights = jnp.asarray(target.weights)[..., None, None]
    apart = target.components.mean - target.mean[..., None, :]
    within = target.components.covariance + apart[..., :, None] * apart[..., None, :]
    return jnp.sum(weights * within, axis=-3)


def _sample_moments(target: Samples, event_ndim: int) -> tuple[jax.Array, jax.Array]:
    """The weighted mean and the covariance of vectors `[..., N, D]`, or the variance of numbers `[..., N]`."""
    x = jnp.asarray(target.x)
    if not event_ndim:
        x = x[..., None]
    shares = target.shares(x.dtype, x.shape[-2])[..., None]
    mean = jnp.sum(shares * x, axis=-2)
    apart = x - mean[..., None, :]
    covariance = jnp.swapaxes(shares * apart, -1, -2) @ apart
    return (mean, covariance) if event_ndim else (mean[..., 0], covariance[..., 0, 0])


@jax.jit
def _match(target: Any, member: Any, method: Method | None) -> Any:
    lanes = _lanes.Lanes.of(ForwardKL(), target, member)
    start, unravel = ravel_pytree(member.to_unconstrained())

    def at(flat: jax.Array) -> Any:
        return member.from_unconstrained(unravel(flat))

    def matched(problem: _lanes.Problem) -> jax.Array:
        return _newton(lambda flat: _cross_entropy(problem.target, at(flat), method), at, start)

    ends = jax.vmap(matched)(lanes.problems)
    return member.from_unconstrained(lanes.unflatten_problems(jax.vmap(unravel)(ends)))


def _newton(value: Any, at: Any, start: jax.Array) -> jax.Array:
    """Minimises `value` with Fisher's information in place of its curvature, and steps damped by their length."""
    tolerance = 4 * float(jnp.finfo(start.dtype).eps)

    def information(flat: jax.Array) -> jax.Array:
        # The curvature of KL from the member itself.
        here = at(flat)
        return jax.hessian(lambda other: distributions.kl_divergence(here, at(other)))(flat)

    def step(carry: tuple[jax.Array, jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array, jax.Array]:
        flat, _, count = carry
        gradient, metric = jax.grad(value)(flat), information(flat)
        # Directions that change nothing, such as a shift of all log-probabilities, have no information.
        move = -jnp.linalg.pinv(metric, hermitian=True) @ gradient
        length = jnp.sqrt(jnp.maximum(move @ metric @ move, 0))
        return flat + move / (1 + jnp.where(length > 0.25, length, jnp.zeros_like(length))), length, count + 1

    def goes_on(carry: tuple[jax.Array, jax.Array, jax.Array]) -> jax.Array:
        _, length, count = carry
        return (length > tolerance) & (count < _MOST_STEPS)

    begin = (start, jnp.full((), math.inf, start.dtype), jnp.zeros((), jnp.int32))
    return jax.lax.while_loop(goes_on, step, begin)[0]


def _cross_entropy(target: Any, q: Any, method: Method | None) -> jax.Array:
    """That of a mixture is the mean of those of its components, each of which may have a closed form."""
    if isinstance(target, Samples):
        return _estimators.likelihood(target, q, method, None).value
    if method is None and isinstance(target, Mixture) and not isinstance(target.components, tuple):
        formula = closed_form("cross_entropy", target.components, q)
        if formula is not None:
            return jnp.sum(jnp.asarray(target.weights) * formula(target.components, q))
    if isinstance(method, SelfNormalizedImportance):
        raise TypeError("project: SelfNormalizedImportance() is for fit; give a method of jaxinfo.densities")
    return densities.cross_entropy(target, q, method=method).value
