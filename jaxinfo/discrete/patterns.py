"""The pattern language: any combination of entropies and informations of a joint table."""

from __future__ import annotations

import jax
from jax.typing import ArrayLike

from jaxinfo import _checks, _numerics, _patterns
from jaxinfo.discrete import _joint_rows as rows

_RULES = _patterns.Rules(
    marginal=lambda axes, _others, _fine, table: _numerics.row_sum(table, axes, True),
    entropy=lambda axes, table: _numerics.row_sum(_numerics.entropy_term(table), axes, True),
    conditional_entropy=lambda variables, table: rows.conditional_entropy(table, variables),
    information=lambda variables, table: rows.information(table, variables),
    by_slice=False,
)


@_checks.measure("pattern", "base")
def shannon(
    pattern: str, p: ArrayLike, *, where: ArrayLike | None = None, base: float | None = None
) -> jax.Array | tuple[jax.Array, ...]:
    r"""Any linear combination of entropies and informations, $\sum_i c_i H(A_i)$, written as a pattern.

    A pattern names the axes of the table, then says what to compute: `"x y -> I(x; y)"`. In full:

    - `axes -> output, output, ...`: the axes are names, `...` before them stands for leading axes without one;
    - an output is the axes it keeps, in the order of the result, then terms joined by `+` and `-`: in
      `"... t x y -> t ... H(x) - 0.5 H(y)"` every t has its own entropies, and the others are batch axes too;
    - a term is `H(a)`, `H(a | c)`, `I(a; b)` or `I(a; b | c)`, after a number if there is one, with or without `*`;
    - a, b and c are groups of variables: `H(x y | z)` is the joint entropy of x and y given z;
    - `I` of three groups or more is co-information: `I(x; y; z) = I(x; y) - I(x; y | z)`, of either sign;
    - a variable may be in several groups of a term: `I(x; x) = H(x)` and `H(x | x) = 0`.

    Axes that an output neither keeps nor uses are summed out. Each term is computed in the form that has all its
    digits, `I(x; y)` as `mutual_information` does, and an output that adds up to one such term, as `H(x) - H(x | y)`
    does, is computed as that one; `shannon_terms` shows the joint entropies. Marginal tables and terms that occur
    several times, in one output or in several, are computed once.

    Args:
        pattern: What to compute; a constant under `jit`.
        p: A joint table, one axis for each name. Not renormalised: nor is a slice of it along axes that are kept.
        where: Entries to keep; others are dropped, without renormalising.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array with the kept axes, in their order, or a tuple of arrays if the pattern has several outputs.

    Raises:
        TypeError: If `pattern` is not a string, `p` not real or `where` not boolean.
        ValueError: If the pattern is wrong or does not fit the table: the message prints it, points at the character
            and says what was expected. If `where` or `base` do not fit.

    **Domain**: as the measures that a pattern is made of: zeros add nothing, and a negative probability gives NaN
    wherever it is measured, but one that is summed out is a part of the sum. What cancels altogether is 0.

    **Gradient**: that of each measure; infinite derivatives, at zero entries, are 0.

    Reference: R. W. Yeung, "A new outlook on Shannon's information measures", IEEE Transactions on Information Theory
    37, 1991.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> xor = jnp.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]]) / 4
        >>> print(jaxinfo.shannon("x y z -> I(x; y; z)", xor, base=2))
        -1.0
        >>> print(*jaxinfo.shannon("x y z -> H(x y), I(x; y | z), z H(x | y)", xor, base=2))
        2.0 1.0 [0. 0.]
    """
    unit, plan = _checks.unit("shannon", base), _patterns.plan(pattern)
    table = _checks.floating("shannon", "p", p)
    (kept,) = _numerics.drop(_checks.mask("shannon", where, table.shape), _numerics.accumulate(table))
    values = [_numerics.in_units(v, unit).astype(table.dtype) for v in _patterns.evaluate(plan, kept, _RULES)]
    return values[0] if len(values) == 1 else tuple(values)


Terms = dict[tuple[str, ...], float]


def shannon_terms(pattern: str) -> Terms | tuple[Terms, ...]:
    r"""The joint entropies that a pattern of `shannon` reduces to, $\sum_i c_i H(A_i)$.

    Args:
        pattern: A pattern, as for `shannon`.

    Returns:
        The coefficient of each joint entropy by the names of its variables, small sets first: a dictionary, or a tuple
        of them if the pattern has several outputs. What cancels is not there.

    Raises:
        TypeError: If `pattern` is not a string.
        ValueError: If the pattern is wrong; the message points at the character.

    **Domain**: every pattern; no table is asked for.

    **Gradient**: none, these are names and numbers.

    Reference: R. W. Yeung, "A new outlook on Shannon's information measures", IEEE Transactions on Information Theory
    37, 1991.

    Example:
        >>> import jaxinfo
        >>> jaxinfo.shannon_terms("x y z -> I(x; y)")
        {('x',): 1.0, ('y',): 1.0, ('x', 'y'): -1.0}
        >>> jaxinfo.shannon_terms("x y z -> I(x; y; z) + I(x; y | z) - H(y)")
        {('x',): 1.0, ('x', 'y'): -1.0}
    """
    terms = [dict(output.entropies) for output in _patterns.plan(pattern).outputs]
    return terms[0] if len(terms) == 1 else tuple(terms)
