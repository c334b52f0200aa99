"""Divergences of a Gaussian q from a mixture of Gaussians p, and their gradients in q, fit for Newton's method.

Each is a sum of expectations under Gaussians, and those are trapezoid sums in standardised coordinates, x = loc +
scale z: for integrands that are analytic around the real line the error falls exponentially as the step shrinks.
Gradients are written down, since each is one expectation under q: of D = E_q[f(r)], with r = p/q, it is
E_q[(f(r) - r f'(r)) s], where s is the score of q. Autodiff does the rest, up to the third and fourth derivatives of
folds and cusps. Through the panels of `jaxinfo.densities`, which follow any densities and bound their error, these take
ten times as long to compile; here they certify the values in the end.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo.distributions import Mixture, Normal


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Rule:
    """The trapezoid rule for expectations under N(0, 1): `count` nodes on each side of 0, multiples of `step`.

    The step may be traced: with half of it, and so half of the reach, the same program tells what either one leaves.
    """

    step: Any = 0.01
    count: int = dataclasses.field(default=1600, metadata={"static": True})

    def nodes(self) -> jax.Array:
        """Returns the nodes, symmetric around 0."""
        return jnp.asarray(self.step, float) * jnp.arange(-self.count, self.count + 1).astype(float)

    def log_weights(self) -> jax.Array:
        """Returns the logarithms of the weights."""
        return Normal(0.0, 1.0).log_prob(self.nodes()) + jnp.log(jnp.asarray(self.step, float))


DEFAULT = Rule()


def gaussian(free: jax.Array) -> Normal:
    """Returns q of the free parameters, its mean and the logarithm of its standard deviation."""
    return Normal(free[0], jnp.exp(free[1]))


def two_modes(half_separation: Any, weight: Any = 0.5, scale: Any = 1.0) -> Mixture:
    """Returns p = weight N(-a, 1) + (1 - weight) N(a, scale^2)."""
    a, weight, scale = (jnp.asarray(x, float) for x in (half_separation, weight, scale))
    return Mixture(jnp.stack([weight, 1 - weight]), Normal(jnp.stack([-a, a]), jnp.stack([jnp.ones_like(a), scale])))


def _expectation(q: Normal, rule: Rule, integrand: Callable[[jax.Array, jax.Array], jax.Array]) -> jax.Array:
    """Returns the sum of `integrand(x, log_weight)`, which holds the weight as a factor."""
    return jnp.sum(integrand(q.loc + q.scale * rule.nodes(), rule.log_weights()))


def _expectation_p(p: Mixture, rule: Rule, integrand: Callable[[jax.Array, jax.Array], jax.Array]) -> jax.Array:
    """Returns the same under a mixture, each component in its own coordinates."""
    x = p.components.loc[:, None] + p.components.scale[:, None] * rule.nodes()[None]
    return jnp.sum(integrand(x, jnp.log(p.weights)[:, None] + rule.log_weights()[None]))


def reverse_kl(p: Mixture, q: Normal, parameter: Any = None, rule: Rule = DEFAULT) -> jax.Array:
    """Returns KL(q‖p)."""
    del parameter
    return _expectation(q, rule, lambda x, log_weight: jnp.exp(log_weight) * (q.log_prob(x) - p.log_prob(x)))


def jensen_shannon(p: Mixture, q: Normal, weight: Any = 0.5, rule: Rule = DEFAULT) -> jax.Array:
    """Returns w KL(p‖m) + (1 - w) KL(q‖m) with m = w p + (1 - w) q."""
    weight = jnp.asarray(weight, float)

    def relative_to_middle(of: Mixture | Normal) -> Callable[[jax.Array, jax.Array], jax.Array]:
        def integrand(x: jax.Array, log_weight: jax.Array) -> jax.Array:
            middle = jnp.logaddexp(jnp.log(weight) + p.log_prob(x), jnp.log1p(-weight) + q.log_prob(x))
            return jnp.exp(log_weight) * (of.log_prob(x) - middle)

        return integrand

    of_p, of_q = _expectation_p(p, rule, relative_to_middle(p)), _expectation(q, rule, relative_to_middle(q))
    return weight * of_p + (1 - weight) * of_q


def skew_jensen_shannon(p: Mixture, q: Normal, weight: Any, rule: Rule = DEFAULT) -> jax.Array:
    """Returns the Jensen-Shannon divergence over w (1 - w): KL(p‖q) as w -> 0 and KL(q‖p) as w -> 1."""
    weight = jnp.asarray(weight, float)
    return jensen_shannon(p, q, weight, rule) / (weight * (1 - weight))


def alpha_divergence(p: Mixture, q: Normal, alpha: Any, rule: Rule = DEFAULT) -> jax.Array:
    """Returns Minka's (∫ p^α q^(1-α) - 1) / (α (α - 1)), smooth through KL(q‖p) at α = 0 and KL(p‖q) at α = 1.

    Infinite where the integral is. As E_q[(p/q)^α - 1] / α it has no singularity at 0, as E_p[(q/p)^(1-α) - 1] / (1-α)
    none at 1.
    """
    alpha = jnp.asarray(alpha, float)
    near_zero = alpha < 0.5

    def of_q(x: jax.Array, log_weight: jax.Array) -> jax.Array:
        return _weighted_power(log_weight, p.log_prob(x) - q.log_prob(x), alpha)

    def of_p(x: jax.Array, log_weight: jax.Array) -> jax.Array:
        return _weighted_power(log_weight, q.log_prob(x) - p.log_prob(x), 1 - alpha)

    from_q = _expectation(q, rule, of_q) / jnp.where(near_zero, alpha - 1, 1)
    from_p = _expectation_p(p, rule, of_p) / jnp.where(near_zero, 1, -alpha)
    return jnp.where(power_integral_is_finite(p, q, alpha), jnp.where(near_zero, from_q, from_p), jnp.inf)


def _weighted_power(log_weight: jax.Array, log_ratio: jax.Array, power: jax.Array) -> jax.Array:
    """Returns exp(log_weight) (exp(power log_ratio) - 1) / power, which neither cancels nor overflows."""
    exponent = power * log_ratio
    is_small = jnp.abs(exponent) < 1
    small = jnp.exp(log_weight) * jnp.expm1(jnp.where(is_small, exponent, 0.0))
    large = jnp.exp(log_weight + jnp.where(is_small, 0.0, exponent)) - jnp.exp(log_weight)
    # About power 0, two terms of the series are exact, and give the slope in the power too.
    is_zero = jnp.abs(power) < 1e-8
    limit = jnp.exp(log_weight) * (log_ratio + 0.5 * power * log_ratio**2)
    return jnp.where(is_zero, limit, jnp.where(is_small, small, large) / jnp.where(is_zero, 1.0, power))


def renyi_divergence(p: Mixture, q: Normal, order: Any, rule: Rule = DEFAULT) -> jax.Array:
    """Returns log(∫ p^a q^(1-a)) / (a - 1) of order a, not 1, infinite where the integral is: KL(p‖q) as a -> 1."""
    order = jnp.asarray(order, float)
    x = q.loc + q.scale * rule.nodes()
    value = jax.nn.logsumexp(rule.log_weights() + order * (p.log_prob(x) - q.log_prob(x))) / (order - 1)
    return jnp.where(power_integral_is_finite(p, q, order), value, jnp.inf)


@dataclasses.dataclass(frozen=True)
class Divergence:
    """A divergence, and what makes its gradient: `pull` of log weight and log r is weight times f(r) - r f'(r)."""

    name: str
    value: Callable[..., jax.Array]
    pull: Callable[[jax.Array, jax.Array, jax.Array], jax.Array]

    def gradient(self, p: Mixture, q: Normal, parameter: Any = 0.5, rule: Rule = DEFAULT) -> jax.Array:
        """Returns the derivatives in the mean of q and in the logarithm of its standard deviation."""
        z, parameter = rule.nodes(), jnp.asarray(parameter, float)
        x = q.loc + q.scale * z
        pulls = self.pull(rule.log_weights(), p.log_prob(x) - q.log_prob(x), parameter)
        return jnp.stack([jnp.sum(pulls * z) / q.scale, jnp.sum(pulls * (z**2 - 1))])


def _pull_skew(log_weight: jax.Array, log_ratio: jax.Array, weight: jax.Array) -> jax.Array:
    return -jnp.exp(log_weight) * jnp.logaddexp(jnp.log(weight) + log_ratio, jnp.log1p(-weight)) / weight


REVERSE_KL = Divergence("reverse_kl", reverse_kl, lambda log_weight, log_ratio, _: -jnp.exp(log_weight) * log_ratio)
SKEW_JENSEN_SHANNON = Divergence("skew_jensen_shannon", skew_jensen_shannon, _pull_skew)
JENSEN_SHANNON = Divergence(
    "jensen_shannon",
    jensen_shannon,
    lambda log_weight, log_ratio, weight: weight * (1 - weight) * _pull_skew(log_weight, log_ratio, weight),
)
ALPHA = Divergence(
    "alpha", alpha_divergence, lambda log_weight, log_ratio, alpha: -_weighted_power(log_weight, log_ratio, alpha)
)
# The gradient of log ∫ p^a q^(1-a) over a - 1 is minus the score's mean under the normalised p^a q^(1-a).
RENYI = Divergence(
    "renyi", renyi_divergence, lambda log_weight, log_ratio, order: -jax.nn.softmax(log_weight + order * log_ratio)
)


def power_integral_is_finite(p: Mixture | Normal, q: Mixture | Normal, alpha: Any) -> jax.Array:
    """Returns whether ∫ p^α q^(1-α) is finite, for Gaussians and their mixtures and any real α.

    Toward each end of the line a mixture is as its widest component, and among equally wide ones as the furthest out:
    log p = -x²/(2 s²) + loc x/s² + const. The integral is finite if the leading coefficient of
    α log p + (1 - α) log q that is not zero makes it fall, on both sides.
    """
    alpha = jnp.asarray(alpha, float)
    finite = jnp.asarray(True)
    for side in (-1, 1):
        (p_loc, p_scale), (q_loc, q_scale) = (_outermost(density, side) for density in (p, q))
        # Both coefficients times the two variances.
        quadratic = alpha * q_scale**2 + (1 - alpha) * p_scale**2
        linear = side * (alpha * p_loc * q_scale**2 + (1 - alpha) * q_loc * p_scale**2)
        finite &= (quadratic > 0) | ((quadratic == 0) & (linear < 0))
    return finite


def _outermost(density: Mixture | Normal, side: int) -> tuple[jax.Array, jax.Array]:
    """Returns location and scale of the component that outweighs the others as x goes to that end of the line."""
    if isinstance(density, Normal):
        return jnp.asarray(density.loc), jnp.asarray(density.scale)
    weights, locs, scales = jnp.broadcast_arrays(density.weights, density.components.loc, density.components.scale)
    scale = jnp.max(jnp.where(weights > 0, scales, -jnp.inf))
    loc = side * jnp.max(jnp.where((weights > 0) & (scales == scale), side * locs, -jnp.inf))
    return loc, scale


def share_of_first(p: Mixture, q: Normal, rule: Rule = DEFAULT) -> jax.Array:
    """Returns what part of q's mass belongs to p's first component, by the posterior probability at each point."""

    def integrand(x: jax.Array, log_weight: jax.Array) -> jax.Array:
        first = jnp.log(p.weights[0]) + Normal(p.components.loc[0], p.components.scale[0]).log_prob(x)
        return jnp.exp(log_weight + first - p.log_prob(x))

    return _expectation(q, rule, integrand)
