"""What is integrated: each measure as a function of the logarithms of its densities at a point.

A divergence is the integral of a term that is at least 0, vanishes with its slope where the densities are equal, and
is homogeneous: with `s = -|log q - log p|` it is `max(p, q) e^x b`, where the exponent x and the bounded factor b are
functions of s alone. So nothing cancels for near densities, and nothing overflows before the term itself does.

A term is a small pytree, whose leaves are numbers like an order, of the shape of the batch.
"""

import dataclasses
import math
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from jaxinfo import _numerics, _powers
from jaxinfo._pytrees import register_dataclass
from jaxinfo.distributions._arrays import exp_remainder
from jaxinfo.generators import _forms
from jaxinfo.generators._generator import Generator, form

Pair = tuple[jax.Array, jax.Array]


def term(cls: type) -> Any:
    """Makes a frozen pytree; its fields are the leaves."""
    return register_dataclass(dataclasses.dataclass(frozen=True, eq=False)(cls))


class Term:
    """A measure, up to a monotonic function, as an integral.

    `is_smooth` is whether the integrand of smooth densities is, also where they cross.
    """

    is_smooth: ClassVar[bool] = True

    def integrand(self, *log_probs: jax.Array) -> Pair:
        """Returns the integrand, and a bound on its rounding, given the logarithms of the densities."""
        raise NotImplementedError

    def log_size(self, *log_probs: jax.Array) -> jax.Array:
        """Returns the logarithm of the integrand's size, which is in range where the densities are not."""
        raise NotImplementedError

    def finish(self, integral: jax.Array) -> jax.Array:
        """Returns the measure, which grows with the integral."""
        return integral


@term
class CrossEntropy(Term):
    """`-p log q`, 0 where p is 0."""

    def integrand(self, *log_probs: jax.Array) -> Pair:
        log_p, log_q = jnp.broadcast_arrays(*log_probs)
        prob = jnp.exp(log_p)
        # Where p is 0 the term is 0, even if log q is infinite.
        present = prob > 0
        log_q = jnp.where(present | jnp.isnan(prob), log_q, jnp.zeros_like(log_q))
        epsilon = float(jnp.finfo(prob.dtype).eps)
        noise = 4 * epsilon * prob * ((1 + jnp.abs(log_p)) * jnp.abs(log_q) + 1)
        return -prob * log_q, jnp.where(present, noise, jnp.zeros_like(noise))

    def log_size(self, *log_probs: jax.Array) -> jax.Array:
        log_p, log_q = jnp.broadcast_arrays(*log_probs)
        absent = log_p == -jnp.inf
        return log_p + jnp.log(jnp.abs(jnp.where(absent, jnp.ones_like(log_q), log_q)))


@term
class Entropy(Term):
    """`-p log p`."""

    def integrand(self, *log_probs: jax.Array) -> Pair:
        return CrossEntropy().integrand(log_probs[0], log_probs[0])

    def log_size(self, *log_probs: jax.Array) -> jax.Array:
        return CrossEntropy().log_size(log_probs[0], log_probs[0])


class Divergence(Term):
    """`max(p, q) e^x b`; subclasses give x and b, and their limits."""

    def split(self, s: jax.Array, swap: jax.Array) -> Pair:
        """The exponent and the factor at `s = log(smaller / larger) <= 0`; `swap` where q is the larger."""
        raise NotImplementedError

    def limit(self, swap: jax.Array, dtype: Any) -> jax.Array:
        """The term where the smaller is 0 and the larger is 1."""
        raise NotImplementedError

    def value(self, log_p: jax.Array, log_q: jax.Array) -> jax.Array:
        """The term; 0 where both densities are 0."""
        zero = jnp.zeros_like(log_p)
        no_p, no_q = log_p == -jnp.inf, log_q == -jnp.inf
        alone = no_p | no_q
        log_ratio = jnp.where(alone, zero, log_q) - jnp.where(alone, zero, log_p)
        swap = jnp.where(alone, no_p, log_ratio > 0)
        larger = jnp.where(swap, log_q, log_p)
        exponent, factor = self.split(jnp.where(swap, -log_ratio, log_ratio), swap)
        # Where one has run out of range and the other with it, the term is nothing, not 0 times infinity.
        nowhere = no_p & no_q
        power = jnp.exp(jnp.where(nowhere, zero, larger) + jnp.where(alone, zero, exponent))
        inside = jnp.where(power > 0, power, zero) * factor
        inside = jnp.where((power == 0) & ~jnp.isnan(factor), zero, inside)
        mass = jnp.exp(jnp.where(nowhere, zero, larger))
        limit = jnp.where(alone, self.limit(swap, log_p.dtype), zero)
        outside = jnp.where(mass > 0, mass * limit, zero)
        return jnp.where(nowhere, zero, jnp.where(alone, outside, inside))

    def log_size(self, *log_probs: jax.Array) -> jax.Array:
        log_p, log_q = jnp.broadcast_arrays(*log_probs)
        swap, larger = log_q > log_p, jnp.maximum(log_p, log_q)
        alone = jnp.isinf(log_p) | jnp.isinf(log_q)
        gap = jnp.where(alone, jnp.zeros_like(larger), -jnp.abs(log_q - log_p))
        exponent, factor = self.split(gap, swap)
        size = jnp.where(alone, self.limit(swap, larger.dtype), factor)
        return jnp.where(larger == -jnp.inf, larger, larger + jnp.where(alone, 0.0, exponent) + jnp.log(size))

    def integrand(self, *log_probs: jax.Array) -> Pair:
        log_p, log_q = jnp.broadcast_arrays(*log_probs)
        value = self.value(log_p, log_q)
        fixed_p, fixed_q = jax.lax.stop_gradient((log_p, log_q))
        slope = jax.jvp(lambda log: self.value(fixed_p, log), (fixed_q,), (jnp.ones_like(log_q),))[1]
        # Each logarithm is off by some ulps of its size, and moves the term by its slope in it and its curvature. The
        # slopes in the two add up to the term, which is homogeneous.
        epsilon = 4 * float(jnp.finfo(value.dtype).eps)
        errors = (
            jnp.where(log > -jnp.inf, epsilon * (1 + jnp.abs(log)), jnp.zeros_like(log)) for log in (fixed_p, fixed_q)
        )
        error_p, error_q = (jnp.where(jnp.isfinite(error), error, jnp.zeros_like(error)) for error in errors)
        slope = jnp.abs(slope)
        error = error_p + error_q
        mass = jnp.exp(jnp.maximum(fixed_p, fixed_q))
        curved = mass * jnp.minimum(error, jnp.square(error))
        noise = slope * error_q + (slope + jnp.abs(jax.lax.stop_gradient(value))) * error_p + curved
        return value, jnp.where((mass > 0) & ~jnp.isinf(value), noise, jnp.zeros_like(noise))

    def of_ratio(self, log_ratio: jax.Array) -> jax.Array:
        """The term over p, given `log(q/p)`: its mean over draws from p is the integral where p is positive."""
        return self.value(jnp.zeros_like(log_ratio), log_ratio)

    def over_mixture(self, log_p: jax.Array, log_q: jax.Array) -> jax.Array:
        """The term over `(p + q) / 2`."""
        top = jnp.maximum(log_p, log_q)
        top = jax.lax.stop_gradient(jnp.where(jnp.isfinite(top), top, jnp.zeros_like(top)))
        log_p, log_q = log_p - top, log_q - top
        return self.value(log_p, log_q) / (0.5 * jnp.exp(log_p) + 0.5 * jnp.exp(log_q))


def _chosen(swap: jax.Array, if_q: Any, if_p: Any, dtype: Any) -> jax.Array:
    """A number for where q is the larger and one for where p is, of the batch's shape or none."""
    return jnp.where(swap, *(jnp.broadcast_to(jnp.asarray(x, dtype), swap.shape) for x in (if_q, if_p)))


@term
class KullbackLeibler(Divergence):
    """`p log(p/q) - p + q`."""

    def split(self, s: jax.Array, swap: jax.Array) -> Pair:
        # Where q is the larger: e^s (e^-s - 1 + s) = 1 - e^s (1 - s).
        near = s > -1
        held = jnp.where(near, s, jnp.zeros_like(s))
        above = jnp.where(near, jnp.exp(held) * exp_remainder(-held), 1 - jnp.exp(s) * (1 - s))
        return jnp.zeros_like(s), jnp.where(swap, above, exp_remainder(s))

    def limit(self, swap: jax.Array, dtype: Any) -> jax.Array:
        return _chosen(swap, 1.0, math.inf, dtype)


@term
class Jeffreys(Divergence):
    """`(p - q) log(p/q)`."""

    def split(self, s: jax.Array, swap: jax.Array) -> Pair:
        del swap
        return jnp.zeros_like(s), s * jnp.expm1(s)

    def limit(self, swap: jax.Array, dtype: Any) -> jax.Array:
        return _chosen(swap, math.inf, math.inf, dtype)


@term
class JensenShannon(Divergence):
    """`w (p log(p/m) - p + m) + (1-w) (q log(q/m) - q + m)` with `m = w p + (1-w) q`."""

    weight: Any

    def _share(self, swap: jax.Array, dtype: Any) -> jax.Array:
        weight = jnp.asarray(self.weight, dtype)
        weight = jnp.where((weight >= 0) & (weight <= 1), weight, jnp.full_like(weight, jnp.nan))
        return _chosen(swap, 1 - weight, weight, dtype)

    def split(self, s: jax.Array, swap: jax.Array) -> Pair:
        weight = self._share(swap, s.dtype)
        # The logarithms of the mixture over the larger, at most 0, and over the smaller, at least 0.
        log_large = _numerics.log1p((1 - weight) * jnp.expm1(jnp.where(weight > 0, s, jnp.zeros_like(s))))
        log_large = jnp.where(weight > 0, log_large, s)
        log_small = log_large - s
        near = log_small < 1
        held = jnp.where(near, log_small, jnp.zeros_like(s))
        smaller = jnp.where(near, jnp.exp(s) * exp_remainder(held), jnp.exp(log_large) - jnp.exp(s) * (1 + log_small))
        return jnp.zeros_like(s), weight * exp_remainder(log_large) + (1 - weight) * smaller

    def limit(self, swap: jax.Array, dtype: Any) -> jax.Array:
        return _numerics.entropy_term(self._share(swap, dtype))


@term
class TotalVariation(Divergence):
    """`|p - q| / 2`."""

    is_smooth: ClassVar[bool] = False

    def split(self, s: jax.Array, swap: jax.Array) -> Pair:
        # At equal densities the slopes of the two sides cancel.
        del swap
        return jnp.zeros_like(s), -0.5 * jnp.expm1(jnp.where(s == 0, jax.lax.stop_gradient(s), s))

    def limit(self, swap: jax.Array, dtype: Any) -> jax.Array:
        return _chosen(swap, 0.5, 0.5, dtype)


@term
class SquaredHellinger(Divergence):
    """`(sqrt p - sqrt q)^2 / 2`."""

    def split(self, s: jax.Array, swap: jax.Array) -> Pair:
        del swap
        return jnp.zeros_like(s), 0.5 * jnp.square(jnp.expm1(0.5 * s))

    def limit(self, swap: jax.Array, dtype: Any) -> jax.Array:
        return _chosen(swap, 0.5, 0.5, dtype)


@term
class Hellinger(SquaredHellinger):
    """The distance, a square root."""

    def finish(self, integral: jax.Array) -> jax.Array:
        # A rounding may leave a divergence of equal densities a trifle below 0.
        return _numerics.square_root(jnp.maximum(integral, 0))


@term
class Pearson(Divergence):
    """`(p - q)^2 / q`."""

    def split(self, s: jax.Array, swap: jax.Array) -> Pair:
        return jnp.where(swap, jnp.zeros_like(s), -s), jnp.square(jnp.expm1(s))

    def limit(self, swap: jax.Array, dtype: Any) -> jax.Array:
        return _chosen(swap, 1.0, math.inf, dtype)


@term
class Triangular(Divergence):
    """`(p - q)^2 / (p + q)`."""

    def split(self, s: jax.Array, swap: jax.Array) -> Pair:
        del swap
        return jnp.zeros_like(s), jnp.square(jnp.expm1(s)) / (1 + jnp.exp(s))

    def limit(self, swap: jax.Array, dtype: Any) -> jax.Array:
        return _chosen(swap, 1.0, 1.0, dtype)


@term
class Alpha(Divergence):
    """`(p^a q^(1-a) - a p - (1-a) q) / (a (a-1))`."""

    alpha: Any

    def _exponent_of_smaller(self, swap: jax.Array, dtype: Any) -> jax.Array:
        alpha = jnp.asarray(self.alpha, dtype)
        return _chosen(swap, alpha, 1 - alpha, dtype)

    def split(self, s: jax.Array, swap: jax.Array) -> Pair:
        b = self._exponent_of_smaller(swap, s.dtype)
        power = b * s
        exponent = jax.lax.stop_gradient(jnp.maximum(power, 0))
        large, small, mean = (jnp.exp(x - exponent) for x in (jnp.zeros_like(s), s, power))
        return exponent, _powers.power_gap(large, small, -s, mean, 1 - b)

    def limit(self, swap: jax.Array, dtype: Any) -> jax.Array:
        b = self._exponent_of_smaller(swap, dtype)
        positive = b > 0
        return jnp.where(positive, 1 / jnp.where(positive, b, jnp.ones_like(b)), jnp.full_like(b, jnp.inf))


@term
class Renyi(Alpha):
    """The alpha-divergence times the order: `(p^a q^(1-a) - a p - (1-a) q) / (a-1)`, regular at order 0 too."""

    def _order(self, like: jax.Array) -> jax.Array:
        order = jnp.broadcast_to(jnp.asarray(self.alpha, like.dtype), like.shape)
        return jnp.where(order >= 0, order, jnp.full_like(order, jnp.nan))

    def split(self, s: jax.Array, swap: jax.Array) -> Pair:
        exponent, factor = super().split(s, swap)
        return exponent, self._order(s) * factor

    def limit(self, swap: jax.Array, dtype: Any) -> jax.Array:
        limit = super().limit(swap, dtype)
        # A q without p adds itself, at any order.
        return jnp.where(swap, jnp.ones_like(limit), self._order(limit) * limit)

    def finish(self, integral: jax.Array) -> jax.Array:
        power = (self._order(integral) - 1) * integral
        # Just above -1, where a rounding may have passed it: the overlap is 0 and the divergence infinite.
        inside = power > -1
        held = jnp.where(inside, power, jnp.zeros_like(power))
        infinite = jnp.full_like(power, jnp.inf)
        value = integral * _powers.log1p_ratio(jnp.where(jnp.isinf(held), jnp.zeros_like(held), held))
        return jnp.where(inside | jnp.isnan(power), value, infinite)


@term
class Reversed(Divergence):
    """With the arguments exchanged."""

    other: Divergence

    def split(self, s: jax.Array, swap: jax.Array) -> Pair:
        return self.other.split(s, ~swap)

    def limit(self, swap: jax.Array, dtype: Any) -> jax.Array:
        return self.other.limit(~swap, dtype)


@register_dataclass
@dataclasses.dataclass(frozen=True)
class ByGenerator(Divergence):
    """`q (f(p/q) - f'(1) (p/q - 1))` for a function that a user wrote."""

    ratio_form: Any = dataclasses.field(metadata={"static": True})

    def split(self, s: jax.Array, swap: jax.Array) -> Pair:
        return self.ratio_form.split(jnp.where(swap, s, -s))

    def limit(self, swap: jax.Array, dtype: Any) -> jax.Array:
        p_only, q_only = self.ratio_form.limits(dtype)
        return _chosen(swap, q_only, p_only, dtype)


def of_generator(generator: Generator) -> Divergence:
    """The term of an f-divergence."""
    return _of_form(form(generator))


def _of_form(known: Any) -> Divergence:
    if isinstance(known, _forms.Reversed):
        return Reversed(_of_form(known.form))
    if isinstance(known, _forms.JensenShannon):
        return JensenShannon(known.weight)
    if isinstance(known, _forms.Alpha):
        return Alpha(known.alpha)
    return _PLAIN[type(known)]() if type(known) in _PLAIN else ByGenerator(known)


_PLAIN: dict[type, Any] = {
    _forms.KullbackLeibler: KullbackLeibler,
    _forms.Jeffreys: Jeffreys,
    _forms.TotalVariation: TotalVariation,
    _forms.Pearson: Pearson,
    _forms.SquaredHellinger: SquaredHellinger,
    _forms.Triangular: Triangular,
}
