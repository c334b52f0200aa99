"""Losses of policy optimisation: the surrogates, the divergence that holds a policy near the old one, and entropy."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import _checks, distributions
from jaxinfo.interop._conversion import adapt
from jaxinfo.objectives._entries import entries, finished, per_entry
from jaxinfo.objectives._loss_parts import part
from jaxinfo.objectives._masked_states import entropy, kept_states


def policy_kl(p: Any, q: Any, *, where: ArrayLike | None = None, base: float | None = None) -> jax.Array:
    r"""KL(p‖q) of an old policy and a new one at every state, by its closed form.

    .. math:: D(p(\cdot | s) \| q(\cdot | s)) = \mathrm{E}_{a \sim p(\cdot | s)} \log \frac{p(a | s)}{q(a | s)}

    A policy over a batch of states is a distribution whose batch axes are the states: `Categorical(logits=...)`,
    with `-inf` for an action that a state forbids, `Independent(Normal(...))` for a diagonal Gaussian,
    `MultivariateNormal`, or their images. A divergence does not see coordinates, so that of two squashed Gaussians,
    `Transformed(Independent(Normal(...)), bijectors.Tanh())`, is that of the Gaussians: exact also where the map is so
    flat that actions are rounded to its ends.

    Args:
        p: The policy that actions were drawn from, a distribution over the states `[...]`.
        q: The policy that is trained, another of broadcasting batch shape. Two images have one map: the same object, or
            maps whose parameters are numbers and not traced.
        where: States to keep, `[...]`; others have the value 0.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array over the states, never negative, exactly 0 where the policies are equal. Nothing is averaged.

    Raises:
        TypeError: If no closed form is known for the pair, or `where` is not boolean.
        ValueError: If batch shapes, `where` or `base` do not fit.

    **Domain**: `inf` where p takes an action that q forbids; an action that both forbid adds nothing.

    **Gradient**: That of the closed form, 0 where the policies are equal. A state with `where=False` has gradient 0,
    also if its parameters are NaN.

    Reference: J. Schulman, S. Levine, P. Moritz, M. Jordan and P. Abbeel, "Trust Region Policy Optimization", ICML,
    2015.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo.distributions import Independent, Normal, Transformed, bijectors
        >>> from jaxinfo.objectives import policy_kl
        >>> old, new = (
        ...     Transformed(Independent(Normal(jnp.full((2, 3), m), 1.0)), bijectors.Tanh()) for m in (0.0, 1.0)
        ... )
        >>> print(policy_kl(old, new, where=jnp.array([True, False])))
        [1.5 0. ]
    """
    old, new = adapt(p), adapt(q)
    if where is None:
        return distributions.kl_divergence(old, new, base=base)
    mask, old, new = kept_states("policy_kl", where, old, new)
    value = distributions.kl_divergence(old, new, base=base)
    return jnp.where(mask, value, jnp.zeros_like(value))


def entropy_bonus(
    policy: Any, *, key: jax.Array | None = None, num_samples: int = 1, where: ArrayLike | None = None
) -> jax.Array:
    r"""Entropy of a policy at every state in nats, to be added to what is maximised so that it keeps exploring.

    .. math:: H(\pi(\cdot | s)) = -\mathrm{E}_{a \sim \pi(\cdot | s)} \log \pi(a | s)

    By its closed form where there is one. There is none for a squashed Gaussian, whose entropy is that of what is
    squashed plus the mean logarithm of the map's slope; that mean is over draws of `key`, with reparameterised
    gradients, and the rest is exact.

    Args:
        policy: A distribution over the states `[...]`.
        key: A PRNG key, for the image of a distribution under an elementwise map.
        num_samples: How many draws the mean is over; static.
        where: States to keep, `[...]`; others have the value 0.

    Returns:
        An array over the states. Nothing is averaged.

    Raises:
        TypeError: If no closed form is known and `policy` is not such an image, or `where` is not boolean.
        ValueError: If draws are needed and `key` is missing, `num_samples` is not positive, or `where` does not fit.

    **Domain**: A differential entropy may be negative, and is `-inf` at scale 0.

    **Gradient**: That of the closed form, finite also in logits with masked actions; of a squashed Gaussian an unbiased
    estimate. A state with `where=False` has gradient 0, also if its parameters are NaN.

    Reference: R. J. Williams and J. Peng, "Function Optimization Using Connectionist Reinforcement Learning
    Algorithms", Connection Science 3, 1991.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo.distributions import Categorical
        >>> from jaxinfo.objectives import entropy_bonus
        >>> print(entropy_bonus(Categorical(logits=jnp.array([[0.0, 0.0], [0.0, -jnp.inf]]))).round(4))
        [0.6931 0.    ]
    """
    if not isinstance(num_samples, int) or isinstance(num_samples, bool) or num_samples < 1:
        raise ValueError(f"entropy_bonus: num_samples must be a positive integer, got {num_samples!r}")
    held = adapt(policy)
    mask = None
    if where is not None:
        mask, held = kept_states("entropy_bonus", where, held)
    value = entropy(held, key, num_samples)
    return value if mask is None else jnp.where(mask, value, jnp.zeros_like(value))


def ppo_clip_loss(
    p_log_prob: ArrayLike,
    q_log_prob: ArrayLike,
    advantage: ArrayLike,
    *,
    clip: ArrayLike = 0.2,
    clip_above: ArrayLike | None = None,
    where: ArrayLike | None = None,
) -> jax.Array:
    r"""Loss of proximal policy optimisation with a clipped ratio of probabilities.

    .. math:: -\min(r A, \mathrm{clip}(r, 1 - \epsilon, 1 + \epsilon) A), \qquad r = q(a | s) / p(a | s)

    What moves the ratio further than the clip in the direction of its advantage is not rewarded. Nothing pulls it back,
    so the divergence of the policies is not bounded: measure it with `policy_kl`.

    Args:
        p_log_prob: `log p(a | s)` of the actions taken, under the policy that took them, `[...]`.
        q_log_prob: Their `log q(a | s)` under the policy that is trained, `[...]`.
        advantage: How much better than the policy's mean the action was, `[...]`.
        clip: The half-width of the interval of ratios; may be traced.
        clip_above: Its width above 1, if that is another.
        where: Actions to keep; others have the value 0.

    Returns:
        An array of the broadcast shape, one value for each action: less is better. Nothing is averaged.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes do not broadcast, or a clip that is known while tracing is negative.

    **Domain**: Log-probabilities that are finite. The value is finite for any ratio if the advantage is not negative;
    otherwise it grows like the ratio, as the loss does.

    **Gradient**: `-A r` in `q_log_prob`, and 0 where the clip is active, however large the ratio. Entries with
    `where=False` have gradient 0, also if they are NaN.

    Reference: J. Schulman, F. Wolski, P. Dhariwal, A. Radford and O. Klimov, "Proximal Policy Optimization Algorithms",
    arXiv:1707.06347, 2017.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo.objectives import ppo_clip_loss
        >>> old, new = jnp.log(jnp.array([0.5, 0.5])), jnp.log(jnp.array([0.75, 0.75]))
        >>> print(ppo_clip_loss(old, new, jnp.array([1.0, -1.0])))
        [-1.2  1.5]
    """
    for option, number in (("clip", clip), ("clip_above", clip_above)):
        if isinstance(number, int | float) and not number >= 0:
            raise ValueError(f"ppo_clip_loss: {option} must be at least 0, got {number!r}")
    return _clipped(p_log_prob, q_log_prob, advantage, clip, clip if clip_above is None else clip_above, where)


@_checks.measure()
def _clipped(
    p_log_prob: ArrayLike,
    q_log_prob: ArrayLike,
    advantage: ArrayLike,
    below: ArrayLike,
    above: ArrayLike,
    where: ArrayLike | None,
) -> jax.Array:
    """The smaller of two products is one product with the ratio bounded on one side.

    Bounding its logarithm keeps an overflow out of the derivative where the bound is active.
    """
    mask, (log_p, log_q, gain), dtype = entries(
        "ppo_clip_loss", where, p_log_prob=p_log_prob, q_log_prob=q_log_prob, advantage=advantage
    )
    below, above = (per_entry("ppo_clip_loss", "clip", width, gain.shape, gain.dtype) for width in (below, above))
    low, high = jnp.log1p(-jnp.minimum(below, 1)), jnp.log1p(above)
    log_ratio = log_q - log_p
    bounded = jnp.where(gain >= 0, jnp.minimum(log_ratio, high), jnp.maximum(log_ratio, low))
    return finished(-gain * jnp.exp(bounded), mask, dtype)


@_checks.measure()
def ppo_kl_penalty_loss(
    p_log_prob: ArrayLike,
    q_log_prob: ArrayLike,
    advantage: ArrayLike,
    kl: ArrayLike,
    *,
    coefficient: ArrayLike,
    where: ArrayLike | None = None,
) -> jax.Array:
    r"""Loss of proximal policy optimisation with a penalty on the divergence from the old policy.

    .. math:: -\frac{q(a | s)}{p(a | s)} A + \beta \, D(p(\cdot | s) \| q(\cdot | s))

    Args:
        p_log_prob: `log p(a | s)` of the actions taken, under the policy that took them, `[...]`.
        q_log_prob: Their `log q(a | s)` under the policy that is trained, `[...]`.
        advantage: How much better than the policy's mean the action was, `[...]`.
        kl: The divergence at each state, `[...]`: `policy_kl(p, q)`, or `sampled_kl` of the log-probabilities.
        coefficient: The weight of the divergence, which `adaptive_kl_coefficient` updates; may be traced.
        where: Actions to keep; others have the value 0.

    Returns:
        An array of the broadcast shape, one value for each action: less is better. Nothing is averaged.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes do not broadcast.

    **Domain**: Log-probabilities that are finite. A divergence of weight 0 and a ratio of advantage 0 add nothing, also
    if they are infinite.

    **Gradient**: `-A r` in `q_log_prob` and the coefficient in `kl`. Entries with `where=False` have gradient 0, also
    if they are NaN.

    Reference: J. Schulman, F. Wolski, P. Dhariwal, A. Radford and O. Klimov, "Proximal Policy Optimization Algorithms",
    arXiv:1707.06347, 2017.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo.objectives import ppo_kl_penalty_loss
        >>> print(ppo_kl_penalty_loss(jnp.log(0.5), jnp.log(0.75), 1.0, 0.25, coefficient=2.0))
        -1.0
    """
    mask, (log_p, log_q, gain, divergence), dtype = entries(
        "ppo_kl_penalty_loss", where, p_log_prob=p_log_prob, q_log_prob=q_log_prob, advantage=advantage, kl=kl
    )
    weight = per_entry("ppo_kl_penalty_loss", "coefficient", coefficient, gain.shape, gain.dtype)
    log_ratio = log_q - log_p
    # A ratio that is out of range has no share in an advantage of 0, nor in its derivative.
    nothing = (gain == 0) & jnp.isinf(jnp.exp(jax.lax.stop_gradient(log_ratio)))
    ratio = jnp.exp(jnp.where(nothing, jnp.zeros_like(log_ratio), log_ratio))
    return finished(part(weight, divergence) - gain * ratio, mask, dtype)


def adaptive_kl_coefficient(
    coefficient: ArrayLike, kl: ArrayLike, *, target: ArrayLike, tolerance: ArrayLike = 1.5, factor: ArrayLike = 2.0
) -> jax.Array:
    r"""The next weight of the penalty on KL: larger if the policy has moved too far, smaller if not far enough.

    .. math:: \beta' = \beta f \text{ if } d > \tau t, \quad \beta / f \text{ if } d < t / \tau, \quad \beta
        \text{ otherwise}

    Args:
        coefficient: The weight of the penalty that the policy was trained with, `[...]`.
        kl: The divergence from the old policy that this has come to, its mean over the states, `[...]`.
        target: The divergence aimed at.
        tolerance: By what factor the divergence may miss the target before the weight changes.
        factor: By what the weight is multiplied or divided.

    Returns:
        An array of the broadcast shape.

    Raises:
        TypeError: If an argument is not real.
        ValueError: If shapes do not broadcast, or `target` is known while tracing and not positive.

    **Domain**: A divergence that is NaN leaves the weight as it is; an infinite one raises it.

    **Gradient**: None is meant: the update is a step function of the divergence.

    Reference: J. Schulman, F. Wolski, P. Dhariwal, A. Radford and O. Klimov, "Proximal Policy Optimization Algorithms",
    arXiv:1707.06347, 2017, section 4.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo.objectives import adaptive_kl_coefficient
        >>> print(adaptive_kl_coefficient(1.0, jnp.array([0.005, 0.01, 0.02]), target=0.01))
        [0.5 1.  2. ]
    """
    if isinstance(target, int | float) and not target > 0:
        raise ValueError(f"adaptive_kl_coefficient: target must be positive, got {target!r}")
    _, (weight, divergence), dtype = entries("adaptive_kl_coefficient", None, coefficient=coefficient, kl=kl)
    aim, band, step = (jnp.asarray(number).astype(weight.dtype) for number in (target, tolerance, factor))
    raised = jnp.where(divergence > aim * band, weight * step, weight)
    return jnp.where(divergence < aim / band, weight / step, raised).astype(dtype)
