"""Student's t family."""

import math
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import _numerics
from jaxinfo.distributions._constraints import POSITIVE, REAL
from jaxinfo.distributions._family import HasEntropy, family
from jaxinfo.distributions._special.half_step import half_step, half_step_slope
from jaxinfo.distributions._special.log1p_square import log1p_square
from jaxinfo.distributions._supports import Interval

_HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)
# From here on Student's density is the normal one to the last digit, and infinity would meet zero.
_MOST_DF = 1e30


@family
class StudentT(HasEntropy):
    r"""Student's t distribution on the real line, with a location and a scale.

    .. math:: p(x) = \frac{\Gamma((\nu + 1) / 2)}{\Gamma(\nu / 2) \sqrt{\pi \nu} \, \sigma}
        \Big(1 + \frac{(x - \mu)^2}{\nu \sigma^2}\Big)^{-(\nu + 1) / 2}

    Args:
      df: the degrees of freedom $\nu$, positive; 1 is the Cauchy distribution, infinity the normal one.
      loc: the median, and the mean where there is one (`df > 1`, else NaN).
      scale: positive; not the standard deviation, whose square is `scale**2 * df / (df - 2)` where `df > 2`. The
        variance is infinite where `1 < df <= 2` and not defined (NaN) below.

    **Domain** all real `x`, positive `df` and `scale`. A negative one gives NaN in its own element.

    **Gradient** every quantity is smooth in all parameters, also for large `df`; `sample` pathwise, in `df` by
    implicit differentiation.

    Reference: N. L. Johnson, S. Kotz and N. Balakrishnan, "Continuous Univariate Distributions 2", 2nd ed., Wiley
    1995, chapter 28.

    >>> from jaxinfo.distributions import StudentT
    >>> round(float(StudentT(3.0, 0.0, 1.0).log_prob(1.0)), 4)
    -1.5762
    >>> float(StudentT(3.0, 0.0, 1.0).variance)
    3.0
    """

    df: ArrayLike
    loc: ArrayLike
    scale: ArrayLike

    constraints: ClassVar = {"df": POSITIVE, "loc": REAL, "scale": POSITIVE}

    @staticmethod
    def _support(*_: jax.Array) -> Interval:
        return Interval(-math.inf, math.inf)

    @staticmethod
    def _mean(df: jax.Array, loc: jax.Array, _: jax.Array) -> jax.Array:
        return jnp.where(df > 1, loc, jnp.full_like(loc, jnp.nan))

    @staticmethod
    def _variance(df: jax.Array, _: jax.Array, scale: jax.Array) -> jax.Array:
        finite = df > 2
        above = jnp.where(finite, jnp.minimum(df, _MOST_DF), 3 * jnp.ones_like(df))
        none = jnp.where(df > 1, jnp.full_like(df, jnp.inf), jnp.full_like(df, jnp.nan))
        return jnp.where(finite, jnp.square(scale) * (above / (above - 2)), none)

    @staticmethod
    def _log_prob(x: jax.Array, df: jax.Array, loc: jax.Array, scale: jax.Array) -> jax.Array:
        df = jnp.minimum(df, _MOST_DF)
        return half_step(0.5 * df) - _HALF_LOG_TAU - jnp.log(scale) - _tail((x - loc) / scale, df)

    @staticmethod
    def _sample(key: jax.Array, shape: tuple[int, ...], df: jax.Array, loc: jax.Array, scale: jax.Array) -> jax.Array:
        return loc + scale * jax.random.t(key, jnp.minimum(df, _MOST_DF), shape, df.dtype)

    @staticmethod
    def _entropy(df: jax.Array, _: jax.Array, scale: jax.Array) -> jax.Array:
        half = 0.5 * jnp.minimum(df, _MOST_DF)
        # (nu + 1) / 2 times the difference of two digammas, half a step apart: 1 / (2 x) and the slope of the rest.
        rest = (half + 0.5) * half_step_slope(half) + 0.25 / half
        return (_HALF_LOG_TAU + 0.5) + rest - half_step(half) + jnp.log(scale)


@jax.custom_jvp
def _tail(z: jax.Array, df: jax.Array) -> jax.Array:
    """`(df + 1) / 2 log(1 + z^2 / df)`, whose slope in `df` is a difference of nearly equal terms if left alone."""
    return 0.5 * (df + 1) * log1p_square(z / jnp.sqrt(df))


@_tail.defjvp
def _tail_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (z, df), (dz, ddf) = primals, tangents
    t = z / jnp.sqrt(df)
    # With w = t^2 and the excess (1 + w) log(1 + w) - w >= 0: (excess - w / df) / (2 (1 + w)).
    near = jnp.abs(t) < 1
    inside, outside = jnp.where(near, t, jnp.zeros_like(t)), jnp.where(near, jnp.ones_like(t), t)
    w, inverse = jnp.square(inside), jnp.square(1 / outside)
    excess = _numerics.divergence_from_log_ratio(1 + w, w / (2 + w), w, _numerics.log1p(w))
    by_df_inside = (excess - w / df) / (1 + w)
    by_df = jnp.where(near, by_df_inside, log1p_square(outside) - (1 + 1 / df) / (1 + inverse))
    # By z it is (df + 1) z over df + z^2.
    by_z = jnp.where(near, inside / (1 + w), 1 / (outside * (1 + inverse))) / jnp.sqrt(df)
    return _tail(z, df), (df + 1) * by_z * dz + 0.5 * by_df * ddf
