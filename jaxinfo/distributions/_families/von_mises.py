"""The von Mises family on the circle."""

import math
from typing import ClassVar

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo._numerics import square_root
from jaxinfo.distributions._constraints import POSITIVE, REAL
from jaxinfo.distributions._family import HasEntropy, family
from jaxinfo.distributions._special.bessel import (
    bessel_excess,
    bessel_ratio_complement,
    log_bessel,
    log_bessel_scaled,
)
from jaxinfo.distributions._supports import Interval

_LOG_TAU = math.log(2 * math.pi)


@family
class VonMises(HasEntropy):
    r"""The von Mises distribution of an angle, the normal's likeness on the circle.

    .. math:: p(x) = \frac{e^{\kappa \cos(x - \mu)}}{2 \pi I_0(\kappa)}

    The density has period :math:`2 \pi` and is taken at any real angle; it integrates to one over one turn. Draws lie
    between :math:`-\pi` and :math:`\pi`. `mean` is the circular mean, the direction of the expectation of
    :math:`e^{i x}`, brought between :math:`-\pi` and :math:`\pi`; `variance` is the circular variance, one less the
    length of that expectation, :math:`1 - I_1(\kappa) / I_0(\kappa)`, without a unit.

    Args:
      loc: the mean direction, in radians.
      concentration: :math:`\kappa`, dimensionless; 0 is the uniform distribution, and for large ones the standard
        deviation is about :math:`1 / \sqrt{\kappa}`.

    **Domain** `concentration >= 0`, finite; negative ones give NaN.

    **Gradient** smooth in both. Draws are differentiable in `loc` only: they are found by rejection.

    Reference: K. V. Mardia and P. E. Jupp, "Directional Statistics", Wiley 2000, section 3.5.4.

    >>> from jaxinfo.distributions import VonMises
    >>> normal_like = VonMises(0.0, 4.0)
    >>> round(float(normal_like.log_prob(0.5)), 4), round(float(normal_like.variance), 4)
    (-0.7525, 0.1365)
    """

    loc: ArrayLike
    concentration: ArrayLike

    constraints: ClassVar = {"loc": REAL, "concentration": POSITIVE}

    @staticmethod
    def _support(*_: jax.Array) -> Interval:
        return Interval(-math.inf, math.inf)

    @staticmethod
    def _mean(loc: jax.Array, _: jax.Array) -> jax.Array:
        return wrapped(loc)

    @staticmethod
    def _variance(_: jax.Array, concentration: jax.Array) -> jax.Array:
        return bessel_ratio_complement(0.0, concentration)

    @staticmethod
    def _log_prob(x: jax.Array, loc: jax.Array, concentration: jax.Array) -> jax.Array:
        # Not jax.scipy.stats.vonmises: kappa (cos(x) - 1) loses its digits near the mean.
        chord = jnp.sin(0.5 * (x - loc))
        return -2 * concentration * jnp.square(chord) - log_bessel_scaled(0.0, concentration) - _LOG_TAU

    @staticmethod
    def _sample(key: jax.Array, shape: tuple[int, ...], loc: jax.Array, concentration: jax.Array) -> jax.Array:
        return wrapped(loc + centred_angles(key, shape, concentration))

    @staticmethod
    def _entropy(_: jax.Array, concentration: jax.Array) -> jax.Array:
        return _LOG_TAU - bessel_excess(0.0, concentration)

    @staticmethod
    def _natural(loc: jax.Array, concentration: jax.Array) -> tuple[jax.Array, jax.Array]:
        return concentration * jnp.cos(loc), concentration * jnp.sin(loc)

    @staticmethod
    def _from_natural(cosine: jax.Array, sine: jax.Array) -> tuple[jax.Array, jax.Array]:
        return jnp.arctan2(sine, cosine), _length(cosine, sine)

    @staticmethod
    def _log_normalizer(cosine: jax.Array, sine: jax.Array) -> jax.Array:
        return _LOG_TAU + log_bessel(0.0, _length(cosine, sine))

    @staticmethod
    def _natural_allowed(cosine: jax.Array, sine: jax.Array) -> jax.Array:
        return jnp.isfinite(cosine) & jnp.isfinite(sine)

    @staticmethod
    def _statistics(x: jax.Array, *_: jax.Array) -> tuple[jax.Array, jax.Array]:
        return jnp.cos(x), jnp.sin(x)


def _length(x: jax.Array, y: jax.Array) -> jax.Array:
    return square_root(jnp.square(x) + jnp.square(y))


def wrapped(angle: jax.Array) -> jax.Array:
    """The same direction between -pi and pi."""
    turns = jax.lax.stop_gradient(jnp.round(angle / (2 * math.pi)))
    inside = angle - 2 * math.pi * turns
    return jnp.where(jnp.abs(angle) <= math.pi, angle, jnp.clip(inside, -math.pi, math.pi))


def centred_angles(key: jax.Array, shape: tuple[int, ...], concentration: jax.Array) -> jax.Array:
    """Angles about 0, by rejection from a wrapped Cauchy distribution, which keeps two of three or more.

    D. J. Best and N. I. Fisher, "Efficient simulation of the von Mises distribution", Applied Statistics 28, 1979,
    with half angles and with what the parameter has beyond 1, so that nothing cancels for large concentrations.
    """
    dtype = concentration.dtype
    kappa = jax.lax.stop_gradient(concentration)
    possible = (kappa >= 0) & jnp.isfinite(kappa)
    double = jnp.where(possible, 2 * kappa, jnp.ones_like(kappa))
    uniform = double < 1e-4
    double = jnp.where(uniform, jnp.ones_like(double), double)
    # The article's r is s + sqrt(1 + s^2), with s = 1 / (2 kappa).
    beyond = 1 / double + 1 / (double * (double + jnp.sqrt(1 + jnp.square(double))))

    def propose(state: tuple[jax.Array, jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array, jax.Array]:
        key, angle, done = state
        key, of_angle, of_choice = jax.random.split(key, 3)
        turn = jax.random.uniform(of_angle, shape, dtype, -0.5 * math.pi, 0.5 * math.pi)
        square = beyond * jnp.square(jnp.sin(turn)) / (beyond + 2 * jnp.square(jnp.cos(turn)))
        value = jnp.where(uniform, 2 * turn, 2 * jnp.arcsin(jnp.sqrt(jnp.clip(square, 0, 1))) * jnp.sign(turn))
        # The ratio of the densities over its greatest value.
        gap = 0.5 * double * (beyond + 2 * square)
        level = jnp.where(uniform, jnp.zeros_like(gap), jnp.log(gap) + 1 - gap)
        accept = jnp.log(jax.random.uniform(of_choice, shape, dtype)) <= level
        return key, jnp.where(done | ~accept, angle, value), done | accept

    start = (key, jnp.where(possible, jnp.zeros_like(kappa), jnp.full_like(kappa, jnp.nan)), ~possible)
    return jax.lax.while_loop(lambda state: ~jnp.all(state[2]), propose, start)[1]
