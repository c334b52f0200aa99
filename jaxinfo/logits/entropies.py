"""Surprisal, entropy and cross-entropy of tables of logits."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import _checks, _log_domain, _numerics
from jaxinfo._checks import Axis
from jaxinfo.logits._arguments import OPTIONS, masked, one, pair


@_checks.measure("axis", "base")
def surprisal(
    logits: ArrayLike, *, axis: Axis = -1, where: ArrayLike | None = None, base: float | None = None
) -> jax.Array:
    r"""Surprisal of each outcome, $-\log \mathrm{softmax}(z)$.

    Args:
        logits: Unnormalised log-probabilities `[..., K]`.
        axis: The axis or axes of a distribution; `None` for all.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array of the shape of `logits`, at least 0.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes, `axis`, `where` or `base` do not fit.

    **Domain**: `inf` for a masked outcome; the surprisal of an outcome with nearly all the mass keeps its digits.

    **Gradient**: `softmax(z) - 1` on its own logit, `softmax(z)` on the others; finite also where the value is not.

    Reference: C. E. Shannon, "A Mathematical Theory of Communication", Bell System Technical Journal 27, 1948.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> print(logits.surprisal(jnp.array([0.0, 0.0, -jnp.inf]), base=2))
        [ 1.  1. inf]
    """
    name = "surprisal"
    unit = _checks.unit(name, base)
    z, axes, dtype = one(name, "logits", logits, axis, where)
    return _numerics.in_units(_log_domain.surprisal(axes, z), unit).astype(dtype)


@_checks.measure(*OPTIONS)
def entropy(
    logits: ArrayLike,
    *,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    keepdims: bool = False,
    base: float | None = None,
) -> jax.Array:
    r"""Shannon entropy of $p = \mathrm{softmax}(z)$, $\log \sum e^{z} - \sum p z$.

    Args:
        logits: Unnormalised log-probabilities `[..., K]`.
        axis: The axis or axes of a distribution; `None` for all.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether summed axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array over the other axes, between 0 and `log K`.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes, `axis`, `where` or `base` do not fit.

    **Domain**: masked outcomes add nothing; accurate also where one outcome has nearly all the mass.

    **Gradient**: `-p (z - sum(p z))`; 0 for a masked logit.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, section 2.1.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> print(logits.entropy(jnp.array([3.0, 3.0, -jnp.inf]), base=2))
        1.0
    """
    name = "entropy"
    unit = _checks.unit(name, base)
    z, axes, dtype = one(name, "logits", logits, axis, where)
    return _numerics.finish(_log_domain.entropy(axes, z), axes, keepdims, unit, dtype)


@_checks.measure("axis", "keepdims")
def perplexity(
    logits: ArrayLike, *, axis: Axis = -1, where: ArrayLike | None = None, keepdims: bool = False
) -> jax.Array:
    r"""Perplexity $\exp H(p)$ of $p = \mathrm{softmax}(z)$, the effective number of equally likely outcomes.

    Args:
        logits: Unnormalised log-probabilities `[..., K]`.
        axis: The axis or axes of a distribution; `None` for all.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether summed axes stay, with length 1.

    Returns:
        An array over the other axes, between 1 and K.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes, `axis`, `where` or `base` do not fit.

    **Domain**: masked outcomes add nothing.

    **Gradient**: perplexity times that of `entropy`.

    Reference: F. Jelinek et al., "Perplexity - a measure of the difficulty of speech recognition tasks", JASA 62, 1977.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> print(f"{logits.perplexity(jnp.zeros(8)):.4f}")
        8.0000
    """
    z, axes, dtype = one("perplexity", "logits", logits, axis, where)
    return _numerics.finish(jnp.exp(_log_domain.entropy(axes, z)), axes, keepdims, 1.0, dtype)


@jax.custom_jvp
def _binary_entropy(t: jax.Array) -> jax.Array:
    size = jnp.abs(t)
    rare = jnp.exp(-size)
    return jnp.log1p(rare) + jnp.where(jnp.isinf(t), jnp.zeros_like(t), size) * (rare / (1 + rare))


@_binary_entropy.defjvp
def _binary_entropy_jvp(primals: tuple[jax.Array], tangents: tuple[jax.Array]) -> tuple[jax.Array, jax.Array]:
    (t,), (dt,) = primals, tangents
    finite = jnp.where(jnp.isinf(t), jnp.zeros_like(t), t)
    return _binary_entropy(t), dt * (-finite * jax.nn.sigmoid(t) * jax.nn.sigmoid(-t))


@_checks.measure("base")
def binary_entropy(log_odds: ArrayLike, *, base: float | None = None) -> jax.Array:
    r"""Entropy of a coin from its log-odds $t$: $\log(1 + e^{-|t|}) + |t| / (1 + e^{|t|})$, elementwise.

    Args:
        log_odds: Log-odds of heads, of any shape.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array of the shape of `log_odds`, between 0 and `log 2`; with digits also far from 0, where `p` itself rounds
        to 1.

    Raises:
        TypeError: If `log_odds` is not real.
        ValueError: If `base` is not a positive number other than 1.

    **Domain**: 0 at `-inf` and `inf`.

    **Gradient**: `-t p (1 - p)`; 0 at `-inf` and `inf`.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, equation (2.5).

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> print(logits.binary_entropy(jnp.array([-jnp.inf, 0.0, jnp.inf]), base=2))
        [0. 1. 0.]
    """
    name = "binary_entropy"
    unit, table = _checks.unit(name, base), _checks.floating(name, "log_odds", log_odds)
    return _numerics.in_units(_binary_entropy(_numerics.accumulate(table)), unit).astype(table.dtype)


@_checks.measure(*OPTIONS)
def cross_entropy(
    p_logits: ArrayLike,
    q_logits: ArrayLike,
    *,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    keepdims: bool = False,
    base: float | None = None,
) -> jax.Array:
    r"""Cross-entropy $H(p, q) = -\sum p \log q$ of two tables of logits.

    Args:
        p_logits: Unnormalised log-probabilities `[..., K]` of p.
        q_logits: Unnormalised log-probabilities `[..., K]` of q; batch axes broadcast.
        axis: The axis or axes of a distribution; `None` for all.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        keepdims: Whether summed axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array over the other axes, at least the entropy of p.

    Raises:
        TypeError: If an argument is not real or `where` not boolean.
        ValueError: If shapes, `axis`, `where` or `base` do not fit.

    **Domain**: `inf` where q is masked and p is not; where both are, nothing is added.

    **Gradient**: `softmax(q) - softmax(p)` in `q_logits`, always; `-p (log q - sum(p log q))` in `p_logits`.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, section 5.4.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> print(logits.cross_entropy(jnp.array([0.0, -jnp.inf]), jnp.array([0.0, 0.0]), base=2))
        1.0
    """
    name = "cross_entropy"
    unit = _checks.unit(name, base)
    z_p, z_q, axes, dtype = pair(name, ("p_logits", "q_logits"), p_logits, q_logits, axis, where)
    return _numerics.finish(_log_domain.cross_entropy(axes, masked(name, where, z_p), z_q), axes, keepdims, unit, dtype)
