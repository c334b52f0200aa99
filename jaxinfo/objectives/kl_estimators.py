"""KL from the log-probabilities of what was drawn, by estimators that are right in value, in gradient, or in both."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import _checks, _numerics, _powers
from jaxinfo.objectives._entries import entries, finished


@_checks.measure("estimator", "base")
def sampled_kl(
    p_log_prob: ArrayLike,
    q_log_prob: ArrayLike,
    *,
    estimator: str = "k3",
    where: ArrayLike | None = None,
    base: float | None = None,
) -> jax.Array:
    r"""One draw's estimate of KL(p‖q), from the log-probabilities of a draw of p.

    .. math:: k_1 = l, \qquad k_2 = \tfrac12 l^2, \qquad k_3 = e^{-l} - 1 + l, \qquad l = \log p(x) - \log q(x)

    `k1` and `k3` have the right mean; `k2` has mean KL only up to third order in the difference of p and q. `k2` and
    `k3` are never negative. Where p and q are close the standard deviation of `k1` is `sqrt(2 KL)`, far above KL, and
    that of `k2` and `k3` is of the order of KL. For p = N(0, 1) and q = N(1, 1), where KL is 1/2, the standard
    deviations over KL are 2, sqrt(3) = 1.7321 and sqrt(4 e - 8) = 1.6950, and the bias of `k2` over KL is 1/4; for p =
    N(0, 1) and q = N(0.1, 1) they are 20, 1.4177 and 1.4166, and 0.0025.

    A right value is not a right gradient, because what is drawn does not move with the parameters. With parameters in
    both, KL has the gradient `E_p[(l + c) grad log p]` for any c, and `-E_p[grad log q]`. What these have instead:

    | | mean gradient through `p_log_prob` | mean gradient through `q_log_prob` |
    |---|---|---|
    | `k1` | 0, only noise: wrong | that of KL(p‖q): right |
    | `k2` | `E_p[l grad log p]`, that of KL(p‖q): right | `-E_p[l grad log q]`: wrong |
    | `k3` | `E_p[(1 - q/p) grad log p]`, that of KL(q‖p): wrong | that of KL(p‖q): right, and little noise nearby |

    The variance of these gradients, at q = p: that of `grad log p` for `k1`, in both columns, and 0 for `k2` and `k3`.
    Draws of a policy that is trained, or of another one, want `importance_weighted_kl`.

    Args:
        p_log_prob: `log p(x)` of draws of p, `[...]`; of an action, a token or a sequence.
        q_log_prob: Their `log q(x)`, `[...]`.
        estimator: `"k1"`, `"k2"` or `"k3"`.
        where: Draws to keep; others have the value 0.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array of the broadcast shape, one value for each draw. Nothing is averaged.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes do not broadcast, or `estimator` or `base` is none that is known.

    **Domain**: `inf` where `q_log_prob` is `-inf`; infinite where `p_log_prob` is, which no draw of p has. `k3` keeps
    its digits where l is small, and is `inf` where the ratio q/p is too large for the dtype.

    **Gradient**: That of the formula: 1, l and `1 - e^-l` in `p_log_prob`, and minus that in `q_log_prob`. Entries with
    `where=False` have gradient 0, also if they are NaN.

    Reference: J. Schulman, "Approximating KL Divergence", joschu.net/blog/kl-approx.html, 2020 (there the draws are
    those of q, and KL is that from q to p); Y. Tang and R. Munos, "On a few pitfalls in KL divergence gradient
    estimation for RL", arXiv:2506.09477, 2025.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo.objectives import sampled_kl
        >>> p, q = jnp.array([0.5, 0.5]), jnp.array([0.25, 0.75])
        >>> for estimator in ("k1", "k2", "k3"):  # KL(p‖q) is 0.1438
        ...     print((p * sampled_kl(jnp.log(p), jnp.log(q), estimator=estimator)).sum().round(4))
        0.1438
        0.1612
        0.1438
    """
    name = "sampled_kl"
    _known(name, estimator, ("k1", "k2", "k3"))
    unit = _checks.unit(name, base)
    mask, (log_p, log_q), dtype = entries(name, where, p_log_prob=p_log_prob, q_log_prob=q_log_prob)
    return finished(_estimate(estimator, log_p, log_q), mask, dtype, unit)


@_checks.measure("estimator", "base")
def importance_weighted_kl(
    p_log_prob: ArrayLike,
    q_log_prob: ArrayLike,
    sampler_log_prob: ArrayLike | None = None,
    *,
    estimator: str = "k3",
    where: ArrayLike | None = None,
    base: float | None = None,
) -> jax.Array:
    r"""One draw's estimate of KL(p‖q) with an unbiased gradient, from a draw of p or of any other policy.

    .. math:: \frac{p(x)}{b(x)} k(x), \qquad x \sim b, \qquad k = k_1 \text{ or } k_3

    The weight moves with the parameters of p, and so the mean does: value and gradient are unbiased in the parameters
    of p and of q, on draws of p itself (where the weight is 1 and only its derivative matters) and on those of an older
    policy. Higher derivatives are, too. Through `p_log_prob` the gradient is `w l grad log p` for `k3`, and `w (l + 1)
    grad log p` for `k1`: the same mean, and at q = p the former has no variance. Weights far from 1 make the variance
    large: it is finite only if `E_b[w^2 k^2]` is.

    Args:
        p_log_prob: `log p(x)` of the draws, `[...]`.
        q_log_prob: Their `log q(x)`, `[...]`.
        sampler_log_prob: Their `log b(x)` under the policy that drew them, `[...]`, through which no gradient flows;
            `None` if that is p.
        estimator: `"k1"` or `"k3"`.
        where: Draws to keep; others have the value 0.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array of the broadcast shape, one value for each draw. Nothing is averaged.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes do not broadcast, or `base` is none that is known, or `estimator`: `"k2"` has the wrong
            mean under any weights.

    **Domain**: 0 where `p_log_prob` is `-inf`, as a draw of b may have; `inf` where only `q_log_prob` is. Every draw
    that p may make, b must.

    **Gradient**: `w l` (or `w (l + 1)`) in `p_log_prob`; `w (q/p - 1)` (or `-w`) in `q_log_prob`; none in
    `sampler_log_prob`. Entries with `where=False` have gradient 0, also if they are NaN.

    Reference: Y. Tang and R. Munos, "On a few pitfalls in KL divergence gradient estimation for RL", arXiv:2506.09477,
    2025; DeepSeek-AI, "DeepSeek-V3.2: Pushing the Frontier of Open Large Language Models", arXiv:2512.02556, 2025,
    section 3.1.

    Example:
        >>> import jax
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> from jaxinfo.objectives import importance_weighted_kl
        >>> z, q, b = jnp.array([0.0, 1.0]), jnp.log(jnp.array([0.25, 0.75])), jnp.log(jnp.array([0.9, 0.1]))
        >>> def mean(z):  # over draws of b
        ...     return jnp.sum(jnp.exp(b) * importance_weighted_kl(jax.nn.log_softmax(z), q, b))
        >>> print(jax.grad(mean)(z).round(4), jax.grad(logits.kl_divergence)(z, q).round(4))
        [ 0.0194 -0.0194] [ 0.0194 -0.0194]
    """
    name = "importance_weighted_kl"
    _known(name, estimator, ("k1", "k3"))
    unit = _checks.unit(name, base)
    drawn = p_log_prob if sampler_log_prob is None else sampler_log_prob
    mask, (log_p, log_q, log_b), dtype = entries(
        name, where, p_log_prob=p_log_prob, q_log_prob=q_log_prob, sampler_log_prob=drawn
    )
    # A draw that p never makes has weight 0, whatever else is infinite.
    never = log_p == -jnp.inf
    log_p, log_q, log_b = _numerics.drop(~never, log_p, log_q, jax.lax.stop_gradient(log_b))
    weight = jnp.exp(log_p - log_b)
    if estimator == "k1":
        value = weight * _estimate(estimator, log_p, log_q)
    else:
        value = _weighted_excess(weight, log_p, log_q, log_b)
    return finished(jnp.where(never, jnp.zeros_like(value), value), mask, dtype, unit)


def _weighted_excess(weight: jax.Array, log_p: jax.Array, log_q: jax.Array, log_b: jax.Array) -> jax.Array:
    """`w (e^d - 1 - d)` with `d = log(q/p)`; where q is the larger as `q/b - w (1 + d)`, which no overflow spoils."""
    d = log_q - log_p
    far = d > 1
    near_form = weight * _excess(jnp.where(far, jnp.zeros_like(d), d))
    return jnp.where(far, jnp.exp(log_q - log_b) - weight * (1 + jnp.where(far, d, jnp.zeros_like(d))), near_form)


def _known(name: str, estimator: str, choices: tuple[str, ...]) -> None:
    if estimator not in choices:
        raise ValueError(f"{name}: estimator must be one of {choices}, got {estimator!r}")


def _estimate(estimator: str, log_p: jax.Array, log_q: jax.Array) -> jax.Array:
    if estimator == "k1":
        return log_p - log_q
    return 0.5 * jnp.square(log_p - log_q) if estimator == "k2" else _excess(log_q - log_p)


@jax.custom_jvp
def _excess(d: jax.Array) -> jax.Array:
    """`e^d - 1 - d`, by a series where that cancels."""
    near = jnp.abs(d) < 1
    close = jnp.where(near, d, jnp.zeros_like(d))
    far = jnp.expm1(d) - jnp.where(d < jnp.inf, d, jnp.zeros_like(d))  # of infinity, not infinity less infinity
    return jnp.where(near, jnp.square(close) * _powers.exp_excess(close), far)


@_excess.defjvp
def _excess_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (d,), (d_dot,) = primals, tangents
    return _excess(d), jnp.expm1(d) * d_dot
