"""The von Mises-Fisher family on the sphere."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo.distributions._constraints import DIRECTION, POSITIVE
from jaxinfo.distributions._family import HasEntropy, family
from jaxinfo.distributions._special.bessel import (
    bessel_excess,
    bessel_ratio,
    bessel_ratio_slope,
    log_bessel_scaled,
    log_sphere_area,
)
from jaxinfo.distributions._supports import Sphere


@family
class VonMisesFisher(HasEntropy):
    r"""The von Mises-Fisher distribution of unit vectors in D dimensions.

    .. math:: p(x) = \frac{\kappa^v}{(2 \pi)^{v + 1} I_v(\kappa)} e^{\kappa \mu \cdot x}, \qquad v = D / 2 - 1

    The density is with respect to the area of the sphere. It is taken by the distance of `x` from the mean direction,
    :math:`\mu \cdot x = 1 - |x - \mu|^2 / 2`, which keeps the digits near it.

    Args:
      mean_direction: :math:`\mu`, `[..., D]` with D at least 2, of length one.
      concentration: :math:`\kappa`, dimensionless, `[...]`; 0 is the uniform distribution.

    Raises:
      ValueError: when used, if `mean_direction` is not a vector of at least two numbers.

    **Domain** `concentration >= 0`, finite, and a direction of length one within a hundredth; others give NaN. Nothing
    is renormalised.

    **Gradient** smooth in both; in `mean_direction` and `x` along the sphere, what points off it depends on the form
    chosen. Draws are not differentiable: they are found by rejection.

    Reference: K. V. Mardia and P. E. Jupp, "Directional Statistics", Wiley 2000, section 9.3.2; A. T. A. Wood,
    "Simulation of the von Mises Fisher distribution", Communications in Statistics 23, 1994.

    >>> import jax.numpy as jnp
    >>> from jaxinfo.distributions import VonMisesFisher
    >>> north = VonMisesFisher(jnp.array([0.0, 0.0, 1.0]), 2.0)
    >>> round(float(north.log_prob(jnp.array([0.0, 0.6, 0.8]))), 4)
    -1.5263
    """

    mean_direction: ArrayLike
    concentration: ArrayLike

    constraints: ClassVar = {"mean_direction": DIRECTION, "concentration": POSITIVE}

    @property
    def event_shape(self) -> tuple[int, ...]:
        """The shape of one draw, `(D,)`."""
        return (jnp.shape(self._given[0][0])[-1],)

    @property
    def _given(self) -> list[tuple[Any, int]]:
        given = super()._given
        shape = jnp.shape(given[0][0])
        if not shape or shape[-1] < 2:
            raise ValueError(f"VonMisesFisher: mean_direction must be a vector of at least two numbers, got {shape}")
        return given

    @staticmethod
    def _support(*_: jax.Array) -> Sphere:
        return Sphere()

    @staticmethod
    def _mean(mean_direction: jax.Array, concentration: jax.Array) -> jax.Array:
        return bessel_ratio(order_of(mean_direction), concentration)[..., None] * mean_direction

    @staticmethod
    def _variance(mean_direction: jax.Array, concentration: jax.Array) -> jax.Array:
        order = order_of(mean_direction)
        along = bessel_ratio_slope(order, concentration)
        # The ratio over the concentration, without a division by zero.
        across = 1 / (2 * (order + 1) + concentration * bessel_ratio(order + 1, concentration))
        squares = jnp.square(mean_direction)
        others = jnp.sum(squares, axis=-1, keepdims=True) - squares
        return along[..., None] * squares + across[..., None] * others

    @staticmethod
    def _log_prob(x: jax.Array, mean_direction: jax.Array, concentration: jax.Array) -> jax.Array:
        order = order_of(mean_direction)
        square = jnp.sum(jnp.square(x - mean_direction), axis=-1)
        constant = log_bessel_scaled(order, concentration) + log_sphere_area(x.shape[-1])
        return -0.5 * concentration * square - constant

    @staticmethod
    def _sample(
        key: jax.Array, shape: tuple[int, ...], mean_direction: jax.Array, concentration: jax.Array
    ) -> jax.Array:
        mean_direction, concentration = jax.lax.stop_gradient((mean_direction, concentration))
        of_height, of_side = jax.random.split(key)
        size = mean_direction.shape[-1]
        depth = _depths(of_height, shape, concentration, size)[..., None]
        side = jax.random.normal(of_side, (*shape, size), mean_direction.dtype)
        side = side - jnp.sum(side * mean_direction, axis=-1, keepdims=True) * mean_direction
        side = side / jnp.sqrt(jnp.sum(jnp.square(side), axis=-1, keepdims=True))
        draws = (1 - depth) * mean_direction + jnp.sqrt(depth * (2 - depth)) * side
        return draws / jnp.sqrt(jnp.sum(jnp.square(draws), axis=-1, keepdims=True))

    @staticmethod
    def _entropy(mean_direction: jax.Array, concentration: jax.Array) -> jax.Array:
        area = log_sphere_area(mean_direction.shape[-1])
        return area - bessel_excess(order_of(mean_direction), concentration)


def order_of(mean_direction: jax.Array) -> float:
    """The order of the Bessel function for a direction in D dimensions."""
    return 0.5 * mean_direction.shape[-1] - 1


def _depths(key: jax.Array, shape: tuple[int, ...], concentration: jax.Array, size: int) -> jax.Array:
    """`1 - mu . x` of draws, by Wood's rejection, arranged so that it keeps its digits for large concentrations."""
    dtype = concentration.dtype
    possible = (concentration >= 0) & jnp.isfinite(concentration)
    kappa = jnp.where(possible, concentration, jnp.ones_like(concentration))
    rest = size - 1
    b = rest / (2 * kappa + jnp.sqrt(4 * jnp.square(kappa) + rest**2))
    level = 2 * b / (1 + b)

    def propose(state: tuple[jax.Array, jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array, jax.Array]:
        key, depth, done = state
        key, of_depth, of_choice = jax.random.split(key, 3)
        beta = jax.random.beta(of_depth, 0.5 * rest, 0.5 * rest, shape, dtype)
        value = 2 * b * beta / (1 - beta + b * beta)
        ratio = (level + value - level * value) / (level * (2 - level))
        log_ratio = kappa * (level - value) + rest * jnp.log(ratio)
        accept = jnp.log(jax.random.uniform(of_choice, shape, dtype)) <= log_ratio
        return key, jnp.where(done | ~accept, depth, value), done | accept

    start = (key, jnp.where(possible, jnp.zeros_like(kappa), jnp.full_like(kappa, jnp.nan)), ~possible)
    return jax.lax.while_loop(lambda state: ~jnp.all(state[2]), propose, start)[1]
