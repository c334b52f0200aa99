r"""Exponential families: what a log-normaliser gives by differentiation, for every family that has one.

A member has the density $h(x) \exp(\eta \cdot T(x) - A(\eta))$. With the Bregman divergence of the log-normaliser,
$B(\eta', \eta) = A(\eta') - A(\eta) - (\eta' - \eta) \cdot \nabla A(\eta) \ge 0$, the Kullback-Leibler divergence of
$p$ and $q$ is $B(\eta_q, \eta_p)$, and the Rényi divergence is a sum of two such terms of the same sign.

Reference: F. Nielsen and R. Nock, "Entropies and cross-entropies of exponential families", IEEE ICIP 2010; M. Gil,
F. Alajaji and T. Linder, "Rényi divergence measures for commonly used univariate continuous distributions",
Information Sciences 249, 2013.
"""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jax.flatten_util import ravel_pytree

from jaxinfo.distributions._family import Distribution, HasEntropy
from jaxinfo.distributions._registry import Formula, prepared, register_rule

Arrays = tuple[jax.Array, ...]


class ExponentialFamily(Distribution):
    """A family whose density is `h(x) exp(eta . T(x) - A(eta))`.

    Subclasses give the static methods below on arrays of one dtype and one batch shape, and state in `_fixed` the
    parameters that are carried along and the same in both members of a pair (a number of trials). Those follow the
    natural parameters where these are the arguments.
    """

    # The number of trailing axes of each natural parameter that are one value.
    _statistic_ndims: ClassVar[tuple[int, ...]] = (0,)
    _fixed: ClassVar[tuple[str, ...]] = ()

    @staticmethod
    def _natural(*_: Any, **__: Any) -> Arrays:
        """The natural parameters, of the constructor's parameters."""
        raise NotImplementedError

    @staticmethod
    def _from_natural(*_: Any, **__: Any) -> Arrays:
        """The constructor's parameters, of the natural and the fixed ones."""
        raise NotImplementedError

    @staticmethod
    def _log_normalizer(*_: Any, **__: Any) -> jax.Array:
        """A, of the natural and the fixed parameters."""
        raise NotImplementedError

    @staticmethod
    def _statistics(*_: Any, **__: Any) -> Arrays:
        """T, of the point and the constructor's parameters."""
        raise NotImplementedError

    @staticmethod
    def _log_base(*_: Any, **__: Any) -> jax.Array:
        """The logarithm of h, of the point and the constructor's parameters; 0 unless a family says otherwise."""
        return jnp.zeros(())

    @staticmethod
    def _mean_log_base(*_: Any, **__: Any) -> jax.Array | None:
        """The expectation of log h, of the constructor's parameters; None where h is 1."""
        return None

    @staticmethod
    def _natural_allowed(*_: Any, **__: Any) -> jax.Array:
        """Where A is finite, of the natural and the fixed parameters: everywhere, unless a family says otherwise."""
        raise NotImplementedError

    @staticmethod
    def _bregman(*_: Any, **__: Any) -> jax.Array:
        """The Bregman divergence of A where a family has it without cancellation, and then KL and Rényi are exact too.

        Of three tuples, the natural parameters at the start, their steps, and those at the end, and of the fixed ones.
        """
        raise NotImplementedError

    @staticmethod
    def _largest_log_ratio(*_: Any, **__: Any) -> jax.Array | None:
        """The supremum of log(p / q), of the parameters of p and of q: the Rényi divergence of infinite order."""
        return None


def has_entropy(kind: type[ExponentialFamily]) -> bool:
    """Whether the mean of the base measure's logarithm is known: it is 1, or the family says so."""
    plain = kind._log_base is ExponentialFamily._log_base
    return plain or kind._mean_log_base is not ExponentialFamily._mean_log_base


class Member:
    """A member by its arrays: natural parameters, fixed ones, and sums over their own axes."""

    def __init__(self, kind: type[ExponentialFamily], parameters: Sequence[jax.Array]) -> None:
        names = tuple(kind.constraints)
        self.kind = kind
        self.parameters = tuple(parameters)
        self.natural = kind._natural(*parameters)
        self.fixed = tuple(parameters[names.index(name)] for name in kind._fixed)

    def log_normalizer(self, *eta: jax.Array) -> jax.Array:
        return self.kind._log_normalizer(*eta, *self.fixed_for(eta))

    def fixed_for(self, eta: Arrays) -> Arrays:
        """The fixed parameters, with the axes that these natural ones have in front of the batch."""
        extra = eta[0].ndim - self.natural[0].ndim
        return tuple(jnp.broadcast_to(value, eta[0].shape[:extra] + value.shape) for value in self.fixed)

    def allows(self, eta: Arrays) -> jax.Array:
        if self.kind._natural_allowed is ExponentialFamily._natural_allowed:
            return jnp.ones_like(self.log_normalizer(*self.natural), bool)
        return self.kind._natural_allowed(*eta, *self.fixed)

    def dot(self, x: Arrays, y: Arrays) -> jax.Array:
        ndims = self.kind._statistic_ndims
        products = (jnp.sum(a * b, axis=tuple(range(-n, 0))) for a, b, n in zip(x, y, ndims, strict=True))
        return functools.reduce(jnp.add, products)

    def mean_statistics(self, eta: Arrays) -> Arrays:
        return jax.grad(lambda x: jnp.sum(self.log_normalizer(*x)))(eta)

    def mean_log_base(self) -> jax.Array:
        mean = self.kind._mean_log_base(*self.parameters)
        return jnp.zeros_like(self.log_normalizer(*self.natural)) if mean is None else mean

    def column(self, value: jax.Array, like: Arrays) -> Arrays:
        """A number for each member of the batch, of the shape of each natural parameter."""
        ndims = self.kind._statistic_ndims
        return tuple(
            jnp.broadcast_to(jnp.expand_dims(value, tuple(range(-n, 0))), x.shape)
            for x, n in zip(like, ndims, strict=True)
        )


def _nodes(dtype: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nodes `t` of the unit interval, `1 - t` and the weights of the double-exponential rule times `1 - t`.

    On 1/x between ends of a ratio of ten the rule is off by 4e-8 in single and 4e-13 in double precision; beyond,
    the plain difference has the digits. H. Takahasi and M. Mori, Publ. RIMS 9, 1974.
    """
    count, end = (24, 2.4) if dtype == jnp.float32 else (48, 3.4)
    k = np.linspace(-end, end, count)
    spread = math.pi * np.sinh(k)
    below, above = 1 / (1 + np.exp(-spread)), 1 / (1 + np.exp(spread))
    weights = (k[1] - k[0]) * math.pi * np.cosh(k) * below * above
    return below, above, weights * above


def bregman(member: Member, start: Arrays, step: Arrays, end: Arrays) -> jax.Array:
    """Returns `B(end, start)` where `end = start + step`."""
    kind = member.kind
    if kind._bregman is not ExponentialFamily._bregman:
        return kind._bregman(start, step, end, *member.fixed_for(start))
    return _bregman_over(member, start, step, jnp.ones_like(member.log_normalizer(*start)), end)


def bregman_over(member: Member, start: Arrays, direction: Arrays, s: jax.Array, end: Arrays) -> jax.Array:
    """Returns `B(end, start) / s` where `end = start + s direction`; at `s = 0` its limit, 0."""
    if member.kind._bregman is ExponentialFamily._bregman:
        return _bregman_over(member, start, direction, s, end)
    # Its slope in s at 0 is half the variance of the log-ratio.
    speed = jax.jvp(lambda *x: member.dot(direction, member.mean_statistics(x)), start, direction)[1]
    zero = s == 0
    held = jnp.where(zero, jnp.ones_like(s), s)
    steps = tuple(a * d for a, d in zip(member.column(held, direction), direction, strict=True))
    return jnp.where(zero, 0.5 * s * speed, bregman(member, start, steps, end) / held)


def _bregman_over(member: Member, start: Arrays, direction: Arrays, s: jax.Array, end: Arrays) -> jax.Array:
    """`bregman_over` of the log-normaliser itself.

    The difference where it has the size of its terms, and otherwise the integral of the second derivative along the
    segment, which cannot cancel: its terms are variances.
    """
    means = member.mean_statistics(start)
    slope = member.dot(direction, means)
    values = member.log_normalizer(*end), member.log_normalizer(*start)
    zero = s == 0
    step = jnp.where(zero, jnp.ones_like(s), s)
    plain = ((values[0] - values[1]) - s * slope) / step
    # What rounding does to a value of A: in it, and in its argument.
    rounding = jnp.abs(values[0]) + jnp.abs(values[1]) + member.dot(_sizes(start), _sizes(means))
    size = rounding / jnp.abs(step) + jnp.abs(slope)
    # Sixteen: the difference loses no more than four bits. What is infinite is far.
    far = ~((jnp.abs(plain) * 16 <= size) & jnp.isfinite(size)) & ~zero
    held = member.column(far, start)
    # Where the integral is not taken it runs from start to start, so that nothing infinite comes near.
    stop = tuple(jnp.where(flag, x, y) for flag, x, y in zip(held, start, end, strict=True))
    along = tuple(jnp.where(flag, jnp.zeros_like(x), x) for flag, x in zip(held, direction, strict=True))
    integral = s * _weighted_curvature(member, start, along, stop)
    return jnp.where(far, plain, integral)


def _weighted_curvature(member: Member, start: Arrays, direction: Arrays, end: Arrays) -> jax.Array:
    """The integral over t in [0, 1] of `(1 - t)` times the second derivative of A in a direction, at `t`."""
    below, above, weights = _nodes(start[0].dtype)

    def stack(x: np.ndarray, like: jax.Array) -> jax.Array:
        return jnp.asarray(x, like.dtype).reshape((-1,) + (1,) * like.ndim)

    points = tuple(stack(above, x) * x[None] + stack(below, x) * y[None] for x, y in zip(start, end, strict=True))
    tangents = tuple(jnp.broadcast_to(d[None], x.shape) for d, x in zip(direction, points, strict=True))

    def first(*eta: jax.Array) -> jax.Array:
        return jax.jvp(member.log_normalizer, eta, tangents)[1]

    curvature = jax.jvp(first, points, tangents)[1]
    # Rounding may leave a variance below 0.
    positive = jnp.where(curvature < 0, jnp.zeros_like(curvature), curvature)
    return jnp.sum(stack(weights, curvature[0]) * positive, axis=0)


def _sizes(x: Arrays) -> Arrays:
    return tuple(map(jnp.abs, x))


def _twice(x: Arrays, y: Arrays) -> Arrays:
    return tuple(jnp.stack([a, b]) for a, b in zip(x, y, strict=True))


def _difference(x: Arrays, y: Arrays) -> Arrays:
    return tuple(a - b for a, b in zip(x, y, strict=True))


def _kl_divergence(member: Member, other: Member) -> jax.Array:
    value = bregman(member, member.natural, _difference(other.natural, member.natural), other.natural)
    return jnp.where(value < 0, jnp.zeros_like(value), value)


def _between(a: jax.Array, x: jax.Array, y: jax.Array) -> jax.Array:
    """`a x + (1 - a) y`: where the two are equal, so is what lies between, to the last digit."""
    return jnp.where(x == y, x + (1 - a) * (y - x), a * x + (1 - a) * y)


def _renyi_divergence(member: Member, other: Member, order: jax.Array) -> jax.Array:
    """The Rényi divergence by Bregman divergences from the middle of three points, which are of one sign.

    Up to order 1 the middle is `m = a p + (1-a) q` and the value `a/(1-a) B(p, m) + B(q, m)`; beyond, it is p between
    q and m, and the value `B(q, p) + B(m, p) / (a-1)`.
    """
    p, q = member.natural, other.natural
    finite = jnp.where(jnp.isfinite(order) & (order >= 0), order, jnp.ones_like(order))
    mixed = tuple(_between(a, x, y) for a, x, y in zip(member.column(finite, p), p, q, strict=True))
    inside = member.allows(mixed)
    mixed = tuple(jnp.where(f, m, x) for f, m, x in zip(member.column(inside, p), mixed, p, strict=True))
    inner = finite < 1
    flags = member.column(inner, p)
    start = tuple(jnp.where(f, m, x) for f, m, x in zip(flags, mixed, p, strict=True))
    end = tuple(jnp.where(f, x, m) for f, x, m in zip(flags, p, mixed, strict=True))
    direction = _difference(p, q)
    # The two from the middle, one above the other: p or m with a positive step, q with a negative one.
    s = jnp.stack([jnp.abs(finite - 1), -jnp.where(inner, finite, jnp.ones_like(finite))])
    parts = bregman_over(member, _twice(start, start), _twice(direction, direction), s, _twice(end, q))
    value = jnp.where(inner, finite, jnp.ones_like(finite)) * (parts[0] - parts[1])
    value = jnp.where(value < 0, jnp.zeros_like(value), value)
    value = jnp.where(inside, value, jnp.full_like(value, jnp.inf))
    largest = member.kind._largest_log_ratio(*member.parameters, *other.parameters)
    largest = jnp.full_like(value, jnp.nan) if largest is None else largest
    value = jnp.where(jnp.isposinf(order), largest, value)
    return jnp.where(order >= 0, value, jnp.full_like(value, jnp.nan))


def _cross_entropy(member: Member, other: Member) -> jax.Array:
    kind = member.kind
    if kind._bregman is not ExponentialFamily._bregman and issubclass(kind, HasEntropy):
        return kind._entropy(*member.parameters) + _kl_divergence(member, other)
    expected = other.dot(other.natural, member.mean_statistics(member.natural))
    return other.log_normalizer(*other.natural) - expected - member.mean_log_base()


def _fisher_information(kind: type[ExponentialFamily], *parameters: jax.Array) -> jax.Array:
    """J^T (grad^2 A) J, with J the derivative of the natural parameters in the flattened parameters not fixed."""
    names = tuple(kind.constraints)
    free = [i for i, name in enumerate(names) if name not in kind._fixed]

    def of_one(*one: jax.Array) -> jax.Array:
        flat, back = ravel_pytree([one[i] for i in free])

        def natural(x: jax.Array) -> jax.Array:
            moved = dict(zip(free, back(x), strict=True))
            return ravel_pytree(Member(kind, [moved.get(i, value) for i, value in enumerate(one)]).natural)[0]

        member = Member(kind, one)
        eta, unravel = ravel_pytree(member.natural)
        curvature = jax.hessian(lambda x: member.log_normalizer(*unravel(x)))(eta)
        jacobian = jax.jacfwd(natural)(flat)
        return jacobian.T @ curvature @ jacobian

    num_batch_axes = parameters[0].ndim - kind.constraints[names[0]].ndim
    for _ in range(num_batch_axes):
        of_one = jax.vmap(of_one)
    return of_one(*parameters)


# ---------------------------------------------------------------------------------------------------------------------
# Rules: two members of one family


@functools.cache
def _formula(measure: str, kind: type[ExponentialFamily]) -> Formula:
    """The compiled formula of a measure; one object for each family, so that it is compiled once."""
    pairs: dict[str, Callable[..., jax.Array]] = {
        "kl_divergence": _kl_divergence,
        "cross_entropy": _cross_entropy,
        "renyi_divergence": _renyi_divergence,
    }

    def formula(*parameters: jax.Array, **numbers: jax.Array) -> jax.Array:
        count = len(kind.constraints)
        p, q = Member(kind, parameters[:count]), Member(kind, parameters[count:])
        value = pairs[measure](p, q, **numbers)
        for x, y in zip(p.fixed, q.fixed, strict=True):
            value = jnp.where(x == y, value, jnp.full_like(value, jnp.nan))
        return value

    return prepared(formula)


def _same_family(measure: str, p: Any, q: Any) -> Formula | None:
    if type(p) is not type(q) or not isinstance(p, ExponentialFamily):
        return None
    if p.event_shape != q.event_shape or not _may_agree(p, q):
        return None
    return _formula(measure, type(p))


def _may_agree(p: ExponentialFamily, q: ExponentialFamily) -> bool:
    """Whether the fixed parameters are equal, or not known yet (those then give NaN where they differ)."""
    for name in p._fixed:
        x, y = getattr(p, name), getattr(q, name)
        if isinstance(x, Tracer) or isinstance(y, Tracer):
            continue
        if not np.all(np.asarray(x) == np.asarray(y)):
            return False
    return True


@register_rule("kl_divergence")
def _kl_rule(p: Any, q: Any) -> Formula | None:
    return _same_family("kl_divergence", p, q)


@register_rule("renyi_divergence")
def _renyi_rule(p: Any, q: Any) -> Formula | None:
    return _same_family("renyi_divergence", p, q)


@register_rule("cross_entropy")
def _cross_entropy_rule(p: Any, q: Any) -> Formula | None:
    known = isinstance(p, ExponentialFamily) and has_entropy(type(p))
    return _same_family("cross_entropy", p, q) if known else None


@functools.cache
def _formula_of_one(measure: str, kind: type[ExponentialFamily]) -> Formula:
    if measure == "fisher_information":
        return prepared(functools.partial(_fisher_information, kind))

    def entropy(*parameters: jax.Array) -> jax.Array:
        return _cross_entropy(Member(kind, parameters), Member(kind, parameters))

    return prepared(entropy)


@register_rule("fisher_information")
def _fisher_rule(p: Any) -> Formula | None:
    return _formula_of_one("fisher_information", type(p)) if isinstance(p, ExponentialFamily) else None


@register_rule("entropy")
def _entropy_rule(p: Any) -> Formula | None:
    known = isinstance(p, ExponentialFamily) and not isinstance(p, HasEntropy) and has_entropy(type(p))
    return _formula_of_one("entropy", type(p)) if known else None
