"""The pattern language on joint tables of logits."""

from __future__ import annotations

import jax
from jax.typing import ArrayLike

from jaxinfo import _checks, _log_domain, _numerics, _patterns
from jaxinfo.logits._arguments import masked

_RULES = _patterns.Rules(
    marginal=_log_domain.marginal,
    entropy=_log_domain.entropy,
    conditional_entropy=_log_domain.conditional_entropy,
    information=_log_domain.information,
    by_slice=True,
)


@_checks.measure("pattern", "base")
def shannon(
    pattern: str, logits: ArrayLike, *, where: ArrayLike | None = None, base: float | None = None
) -> jax.Array | tuple[jax.Array, ...]:
    r"""Any linear combination of entropies and informations, $\sum_i c_i H(A_i)$, of a joint table of logits.

    The language is that of `jaxinfo.shannon`. An output normalises the logits over all axes that it does not keep:
    along those that it keeps, every slice is a distribution of its own.

    Args:
        pattern: What to compute; a constant under `jit`.
        logits: Unnormalised log-probabilities, one axis for each name.
        where: Outcomes to keep; others are masked, as if their logit were `-inf`.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array with the kept axes, in their order, or a tuple of arrays if the pattern has several outputs.

    Raises:
        TypeError: If `pattern` is not a string, `logits` not real or `where` not boolean.
        ValueError: If the pattern is wrong or does not fit the table: the message prints it, points at the character
            and says what was expected. If `where` or `base` do not fit.

    **Domain**: masked outcomes add nothing; a slice of only `-inf` is NaN. What cancels altogether is 0.

    **Gradient**: that of each measure, finite always; 0 for a masked logit.

    Reference: R. W. Yeung, "A new outlook on Shannon's information measures", IEEE Transactions on Information Theory
    37, 1991.

    Example:
        >>> import jax.numpy as jnp
        >>> from jaxinfo import logits
        >>> xor = jnp.log(jnp.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]]))
        >>> print(f"{logits.shannon('x y z -> I(x; y; z)', xor, base=2):.4f}")
        -1.0000
    """
    unit, plan = _checks.unit("shannon", base), _patterns.plan(pattern)
    table = _checks.floating("shannon", "logits", logits)
    values = _patterns.evaluate(plan, masked("shannon", where, table), _RULES)
    results = [_numerics.in_units(value, unit).astype(table.dtype) for value in values]
    return results[0] if len(results) == 1 else tuple(results)
