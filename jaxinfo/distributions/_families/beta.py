"""The beta family and its relative of several shares, the Dirichlet family."""

from typing import ClassVar

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo.distributions._arrays import log_ratio, sum_over_last
from jaxinfo.distributions._constraints import ABOVE_ZERO, ABOVE_ZERO_VECTOR
from jaxinfo.distributions._exponential_family import Arrays, ExponentialFamily
from jaxinfo.distributions._family import HasEntropy, family
from jaxinfo.distributions._special.binary_logarithm import remainder_of_ratio
from jaxinfo.distributions._special.gamma import (
    Step,
    beta_bregman,
    digamma,
    digamma_excess,
    dirichlet_bregman,
    log_beta,
    log_beta_of_vector,
    log_gamma_excess,
    standard_entropy,
)
from jaxinfo.distributions._supports import Interval, Simplex

# From this total concentration on the density is taken relative to its peak: its terms cancel otherwise.
_PEAKED = 16.0


def _total(x: jax.Array) -> jax.Array:
    return jnp.sum(x, axis=-1)


def _log_normalizer(a: jax.Array) -> jax.Array:
    return _total(jax.lax.lgamma(a)) - jax.lax.lgamma(_total(a))


def _entropy(a: jax.Array) -> jax.Array:
    """The entropy of independent gammas of these concentrations, less that of their sum and of the change of scale."""
    whole = _total(a)
    return sum_over_last(standard_entropy, a) - standard_entropy(whole) - (a.shape[-1] - 1) * digamma(whole)


def _largest_log_ratio(a: jax.Array, b: jax.Array) -> jax.Array:
    """The supremum of the log-ratio of Dirichlet densities: finite where no concentration is less."""
    more = jnp.where(a > b, a - b, jnp.zeros_like(a))
    whole = _total(more)[..., None]
    shares = more / jnp.where(whole == 0, jnp.ones_like(whole), whole)
    logs = jnp.log(jnp.where(more > 0, shares, jnp.ones_like(shares)))
    value = log_beta_of_vector(b) - log_beta_of_vector(a) + _total(more * logs)
    return jnp.where(jnp.all(a >= b, axis=-1), value, jnp.full_like(value, jnp.inf))


def _others(a: jax.Array) -> jax.Array:
    """The sum of all but each number, which is not a difference: one may be nearly everything."""
    none = jnp.zeros_like(a[..., :1])
    before = jnp.cumsum(jnp.concatenate([none, a[..., :-1]], axis=-1), axis=-1)
    after = jnp.cumsum(jnp.concatenate([none, jnp.flip(a[..., 1:], -1)], axis=-1), axis=-1)
    return before + jnp.flip(after, -1)


def _pair(first: jax.Array, second: jax.Array) -> jax.Array:
    return jnp.stack([first, second], axis=-1)


def _beta_near_peak(x: jax.Array, a: jax.Array, b: jax.Array) -> jax.Array:
    """The log-density times `x (1 - x)` inside the unit interval: minus a divergence of shares, and a height."""
    gap = x * b - (1 - x) * a
    of_a = a * remainder_of_ratio(gap / a, x * ((a + b) / a))
    of_b = b * remainder_of_ratio(-gap / b, (1 - x) * ((a + b) / b))
    return log_gamma_excess(a + b) - log_gamma_excess(a) - log_gamma_excess(b) - of_a - of_b


@family
class Beta(ExponentialFamily, HasEntropy):
    r"""The beta distribution of concentrations $a$ and $b$ on the unit interval.

    .. math:: p(x) = \frac{\Gamma(a + b)}{\Gamma(a) \, \Gamma(b)} \, x^{a - 1} (1 - x)^{b - 1}

    Args:
      concentration1: $a$, that of `x`, dimensionless, positive: large values draw `x` to 1.
      concentration0: $b$, that of `1 - x`, dimensionless, positive.

    Divergences between members are accurate to ten units in the last place from concentrations of 1e-3 to 1e4, also
    where the members are close, and also where one concentration is far less than the other; so are their gradients,
    but for Rényi divergences of an order above 1 between members far apart, which in single precision lose up to nine
    bits.

    **Domain** both concentrations positive; others give NaN in their own element. At 0 and 1 the density may be
    infinite, and draws of small concentrations may be 0 or 1.

    **Gradient** every quantity is smooth in both parameters; `sample` by implicit differentiation.

    Reference: N. L. Johnson, S. Kotz and N. Balakrishnan, "Continuous Univariate Distributions", vol. 2, 2nd ed., Wiley
    1995, chapter 25.

    >>> from jaxinfo.distributions import Beta
    >>> round(float(Beta(2.0, 3.0).log_prob(0.25)), 4)
    0.5232
    """

    concentration1: ArrayLike
    concentration0: ArrayLike

    constraints: ClassVar = {"concentration1": ABOVE_ZERO, "concentration0": ABOVE_ZERO}
    _statistic_ndims: ClassVar = (0, 0)

    @staticmethod
    def _support(*_: jax.Array) -> Interval:
        return Interval(0.0, 1.0)

    @staticmethod
    def _mean(a: jax.Array, b: jax.Array) -> jax.Array:
        return a / (a + b)

    @staticmethod
    def _variance(a: jax.Array, b: jax.Array) -> jax.Array:
        return (a / (a + b)) * (b / (a + b)) / (a + b + 1)

    @staticmethod
    def _log_prob(x: jax.Array, a: jax.Array, b: jax.Array) -> jax.Array:
        peaked = (a + b > _PEAKED) & (x > 0) & (x < 1)
        few = [jnp.where(peaked, jnp.ones_like(c), c) for c in (a, b)]
        plain = jax.scipy.special.xlogy(few[0] - 1, x) + jax.scipy.special.xlog1py(few[1] - 1, -x) - log_beta(*few)
        inside = jnp.where(peaked, x, jnp.full_like(x, 0.5))
        near = _beta_near_peak(inside, a, b) - jnp.log(inside) - jnp.log1p(-inside)
        return jnp.where(peaked, near, plain)

    @staticmethod
    def _sample(key: jax.Array, shape: tuple[int, ...], a: jax.Array, b: jax.Array) -> jax.Array:
        return jax.random.beta(key, a, b, shape, a.dtype)

    @staticmethod
    def _entropy(a: jax.Array, b: jax.Array) -> jax.Array:
        whole = a + b
        return standard_entropy(a) + standard_entropy(b) - standard_entropy(whole) - digamma(whole)

    @staticmethod
    def _natural(a: jax.Array, b: jax.Array) -> Arrays:
        return a, b

    @staticmethod
    def _from_natural(a: jax.Array, b: jax.Array) -> Arrays:
        return a, b

    @staticmethod
    def _natural_allowed(a: jax.Array, b: jax.Array) -> jax.Array:
        return (a > 0) & (b > 0)

    @staticmethod
    def _log_normalizer(a: jax.Array, b: jax.Array) -> jax.Array:
        return _log_normalizer(_pair(a, b))

    @staticmethod
    def _bregman(start: Arrays, step: Arrays, end: Arrays) -> jax.Array:
        return beta_bregman(*(Step(*each) for each in zip(start, step, end, strict=True)))

    @staticmethod
    def _largest_log_ratio(a: jax.Array, b: jax.Array, c: jax.Array, d: jax.Array) -> jax.Array:
        return _largest_log_ratio(_pair(a, b), _pair(c, d))

    @staticmethod
    def _statistics(x: jax.Array, *_: jax.Array) -> Arrays:
        return jnp.log(x), jnp.log1p(-x)

    @staticmethod
    def _log_base(x: jax.Array, *_: jax.Array) -> jax.Array:
        return -jnp.log(x) - jnp.log1p(-x)

    @staticmethod
    def _mean_log_base(a: jax.Array, b: jax.Array) -> jax.Array:
        return _mean_log_base(_pair(a, b))


def _mean_log_base(a: jax.Array) -> jax.Array:
    whole = _total(a)[..., None]
    return -_total(log_ratio(a, jnp.broadcast_to(whole, a.shape)) + digamma_excess(a) - digamma_excess(whole))


@family
class Dirichlet(ExponentialFamily, HasEntropy):
    r"""The Dirichlet distribution of concentrations $a_1, \dots, a_K$ on the simplex of K shares.

    .. math:: p(x) = \frac{\Gamma(\sum_k a_k)}{\prod_k \Gamma(a_k)} \prod_k x_k^{a_k - 1}

    The density is relative to Lebesgue's measure of the first K - 1 shares.

    Args:
      concentration: `[..., K]`, dimensionless, positive; its last axis is that of the shares.

    Divergences between members are sums of those of beta distributions, and as accurate.

    **Domain** all concentrations positive; others give NaN in their own element. Values are non-negative and sum to one
    up to 2^-8, so that draws in half precision are values.

    **Gradient** every quantity is smooth in the concentrations; `sample` by implicit differentiation.

    Reference: S. Kotz, N. Balakrishnan and N. L. Johnson, "Continuous Multivariate Distributions", vol. 1, 2nd ed.,
    Wiley 2000, chapter 49.

    >>> import jax.numpy as jnp
    >>> from jaxinfo.distributions import Dirichlet
    >>> round(float(Dirichlet(jnp.array([1.0, 2.0, 3.0])).log_prob(jnp.array([0.5, 0.25, 0.25]))), 4)
    -0.0645
    """

    concentration: ArrayLike

    constraints: ClassVar = {"concentration": ABOVE_ZERO_VECTOR}
    _statistic_ndims: ClassVar = (1,)

    @property
    def event_shape(self) -> tuple[int, ...]:
        """The shape of one draw: the number of shares."""
        return jnp.shape(self.concentration)[-1:]

    @staticmethod
    def _support(a: jax.Array) -> Simplex:
        return Simplex(a.shape[-1])

    @staticmethod
    def _mean(a: jax.Array) -> jax.Array:
        return a / _total(a)[..., None]

    @staticmethod
    def _variance(a: jax.Array) -> jax.Array:
        whole = _total(a)[..., None]
        return (a / whole) * (_others(a) / whole) / (whole + 1)

    @staticmethod
    def _log_prob(x: jax.Array, a: jax.Array) -> jax.Array:
        # Not jax.scipy.stats.dirichlet.logpdf, whose terms cancel at large concentrations.
        whole = _total(a)
        peaked = (whole > _PEAKED) & jnp.all(x > 0, axis=-1)
        few = jnp.where(peaked[..., None], jnp.ones_like(a), a)
        plain = _total(jax.scipy.special.xlogy(few - 1, x)) - log_beta_of_vector(few)
        inside = jnp.where(peaked[..., None], x, jnp.ones_like(x))
        height = log_gamma_excess(whole) - _total(log_gamma_excess(a))
        near = _total(a * log_ratio(inside * whole[..., None], a) - jnp.log(inside)) + height
        return jnp.where(peaked, near, plain)

    @staticmethod
    def _sample(key: jax.Array, shape: tuple[int, ...], a: jax.Array) -> jax.Array:
        return jax.random.dirichlet(key, a, shape, a.dtype)

    @staticmethod
    def _entropy(a: jax.Array) -> jax.Array:
        return _entropy(a)

    @staticmethod
    def _natural(a: jax.Array) -> Arrays:
        return (a,)

    @staticmethod
    def _from_natural(a: jax.Array) -> Arrays:
        return (a,)

    @staticmethod
    def _natural_allowed(a: jax.Array) -> jax.Array:
        return jnp.all(a > 0, axis=-1)

    @staticmethod
    def _log_normalizer(a: jax.Array) -> jax.Array:
        return _log_normalizer(a)

    @staticmethod
    def _bregman(start: Arrays, step: Arrays, end: Arrays) -> jax.Array:
        return dirichlet_bregman(Step(start[0], step[0], end[0]))

    @staticmethod
    def _largest_log_ratio(a: jax.Array, b: jax.Array) -> jax.Array:
        return _largest_log_ratio(a, b)

    @staticmethod
    def _statistics(x: jax.Array, *_: jax.Array) -> Arrays:
        return (jnp.log(x),)

    @staticmethod
    def _log_base(x: jax.Array, *_: jax.Array) -> jax.Array:
        return -_total(jnp.log(x))

    @staticmethod
    def _mean_log_base(a: jax.Array) -> jax.Array:
        return _mean_log_base(a)
