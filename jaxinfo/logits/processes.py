"""Measures of conditional tables of logits, a row for each x."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import _checks, _log_domain, _numerics
from jaxinfo._expectation import mean_of_rows
from jaxinfo.logits._arguments import JOINT_OPTIONS, masked


def _row_divergence(z_p: jax.Array, z_q: jax.Array) -> jax.Array:
    return jnp.squeeze(_log_domain.kl_divergence((-1,), z_p, z_q), -1)


@_checks.measure(*JOINT_OPTIONS)
def conditional_kl_divergence(
    p_logits: ArrayLike,
    q_logits: ArrayLike,
    p_x: ArrayLike,
    *,
    where: ArrayLike | None = None,
    keepdims: bool = False,
    base: float | None = None,
) -> jax.Array:
    r"""Conditional KL divergence $\sum_x p(x)\,\mathrm{KL}(p(y|x)\|q(y|x))$ of conditional logits.

    With states x and actions y, p the old and q the new policy, it is the trust region of TRPO.

    Args:
        p_logits: Unnormalised log-probabilities `[..., X, Y]`, a row for each x, normalised over Y.
        q_logits: Unnormalised log-probabilities `[..., X, Y]`; batch axes broadcast.
        p_x: Probabilities `[..., X]` of the rows (no logits), `1/X` for the mean over sampled states.
        where: Outcomes y to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether the axes of X and Y stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array `[...]`: at least 0, exactly 0 where the two agree on every x that occurs.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If logits have fewer than two axes, or shapes, `where` or `base` do not fit.

    **Domain**: an x with `p_x = 0` adds nothing, even where its row is infinite or NaN; elsewhere as `kl_divergence`.

    **Gradient**: that of `kl_divergence` times `p_x`, finite always; the row's divergence in `p_x`, or 0 where that is
    infinite and `p_x = 0`.

    Reference: J. Schulman et al., "Trust Region Policy Optimization", ICML 2015.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> p, q = jnp.array([[0.0, -jnp.inf], [0.0, 0.0]]), jnp.zeros((2, 2))
        >>> print(logits.conditional_kl_divergence(p, q, jnp.array([0.25, 0.75]), base=2))
        0.25
    """
    name = "conditional_kl_divergence"
    unit = _checks.unit(name, base)
    weights, (z_p, z_q), dtype = _checks.weighted_rows(name, "p_x", p_x, p_logits=p_logits, q_logits=q_logits)
    z_p, z_q = masked(name, where, z_p), masked(name, where, z_q)
    value = mean_of_rows(_row_divergence, _numerics.accumulate(weights), z_p, z_q)[..., None, None]
    return _numerics.finish(value, (-2, -1), keepdims, unit, dtype)
