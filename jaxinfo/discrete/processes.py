"""Measures of conditional tables: what the chain rule adds for each step, and the entropy rate of a Markov chain."""

from __future__ import annotations

import jax
from jax.typing import ArrayLike

from jaxinfo import _checks, _numerics
from jaxinfo._expectation import mean_of_rows
from jaxinfo.discrete._stationary import stationary_distribution

JOINT_OPTIONS = ("keepdims", "base")


def _row_divergence(p: jax.Array, q: jax.Array) -> jax.Array:
    return _numerics.row_sum(_numerics.kl_term(p, q), (-1,))


def _row_entropy(p: jax.Array) -> jax.Array:
    return _numerics.row_sum(_numerics.entropy_term(p), (-1,))


@_checks.measure(*JOINT_OPTIONS)
def conditional_kl_divergence(
    p_y_given_x: ArrayLike,
    q_y_given_x: ArrayLike,
    p_x: ArrayLike,
    *,
    where: ArrayLike | None = None,
    keepdims: bool = False,
    base: float | None = None,
) -> jax.Array:
    r"""Conditional KL divergence $\sum_x p(x)\,\mathrm{KL}(p(y|x)\|q(y|x))$.

    By the chain rule it is what Y adds to the divergence of two joint distributions, $\mathrm{KL}(p_{xy}\|q_{xy}) =
    \mathrm{KL}(p_x\|q_x) + \mathrm{KL}(p_{y|x}\|q_{y|x} \mid p_x)$; with states x and actions y it is the trust region
    of TRPO. Each row's divergence is generalised, as in `kl_divergence`.

    Args:
        p_y_given_x: Conditional probabilities `[..., X, Y]`, a row for each x.
        q_y_given_x: Conditional probabilities `[..., X, Y]`; batch axes broadcast.
        p_x: Probabilities `[..., X]` of the rows.
        where: Entries of the conditional tables to keep; others are dropped, without renormalising.
        keepdims: Whether the axes of X and Y stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array `[...]`: at least 0, exactly 0 where the two agree on every x that occurs.

    Raises:
        TypeError: If a table is not real or `where` not boolean.
        ValueError: If a conditional table has fewer than two axes, or shapes, `where` or `base` do not fit.

    **Domain**: an x with `p_x = 0` adds nothing, even where its row is infinite or NaN (0/0 of a joint table);
    elsewhere as `kl_divergence`.

    **Gradient**: that of `kl_divergence` times `p_x`; the row's divergence in `p_x`, or 0 where that is infinite and
    `p_x = 0`.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, equation (2.65);
    J. Schulman et al., "Trust Region Policy Optimization", ICML 2015.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> p, q = jnp.array([[1.0, 0.0], [0.5, 0.5]]), jnp.array([[0.5, 0.5], [0.5, 0.5]])
        >>> print(jaxinfo.conditional_kl_divergence(p, q, jnp.array([0.25, 0.75]), base=2))
        0.25
    """
    name = "conditional_kl_divergence"
    unit = _checks.unit(name, base)
    weights, (p, q), dtype = _checks.weighted_rows(name, "p_x", p_x, p_y_given_x=p_y_given_x, q_y_given_x=q_y_given_x)
    p, q = _numerics.drop(_checks.mask(name, where, p.shape), _numerics.accumulate(p), _numerics.accumulate(q))
    value = mean_of_rows(_row_divergence, _numerics.accumulate(weights), p, q)[..., None, None]
    return _numerics.finish(value, (-2, -1), keepdims, unit, dtype)


@_checks.measure(*JOINT_OPTIONS)
def entropy_rate(
    transition: ArrayLike, *, stationary: ArrayLike | None = None, keepdims: bool = False, base: float | None = None
) -> jax.Array:
    r"""Entropy rate of a Markov chain, $\sum_i \pi_i H(P_i)$ with $\pi P = \pi$: its entropy per step in the long run.

    The stationary distribution is found by the elimination of Grassmann, Taksar and Heyman, which takes no differences:
    each of its entries is accurate to rounding, also in a chain that is nearly decomposable.

    Args:
        transition: Transition probabilities `[..., S, S]`, a row for each state, each of sum 1.
        stationary: The distribution `[..., S]` of the states, if it is known; by default that of the chain.
        keepdims: Whether the two axes stay, with length 1.
        base: Logarithm base: `None` for nats, 2 for bits, 10 for hartleys.

    Returns:
        An array `[...]`, between 0 (a deterministic chain) and `log S`.

    Raises:
        TypeError: If an argument is not real.
        ValueError: If `transition` is not square, or `stationary` or `base` do not fit.

    **Domain**: the chain may be periodic and may have transient states, which add nothing; one of several closed
    classes has no single stationary distribution: NaN, unless `stationary` says which is meant. A negative entry gives
    NaN in its table.

    **Gradient**: `pi_i (-log P_ij - 1 + g_j - g_i)`, where the bias g solves `g - P g = H(P_i) - rate` and the diagonal
    of `P` in it is what is missing to 1; where `P_ij = 0` the part of the logarithm, infinite there, is 0.

    Reference: T. M. Cover and J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley 2006, theorem 4.2.4;
    W. K. Grassmann, M. I. Taksar and D. P. Heyman, "Regenerative Analysis and Steady State Distributions for Markov
        Chains", Operations Research 33, 1985;
    C. A. O'Cinneide, "Entrywise perturbation theory and error analysis for Markov chains", Numerische Mathematik 65,
        1993.

    Example:
        >>> import jax.numpy as jnp, jaxinfo
        >>> print(f"{jaxinfo.entropy_rate(jnp.array([[0.5, 0.5], [1.0, 0.0]]), base=2):.4f}")
        0.6667
    """
    name = "entropy_rate"
    unit, table = _checks.unit(name, base), _checks.floating(name, "transition", transition)
    _checks.rank(name, "transition", table, 2)
    if table.shape[-1] != table.shape[-2]:
        raise ValueError(f"{name}: transition must be square, one row and one column for each state, got {table.shape}")
    dtype = table.dtype
    if stationary is None:
        weights = stationary_distribution(_numerics.accumulate(table))
    else:
        weights, (table,), dtype = _checks.weighted_rows(name, "stationary", stationary, transition=table)
    value = mean_of_rows(_row_entropy, _numerics.accumulate(weights), _numerics.accumulate(table))[..., None, None]
    return _numerics.finish(value, (-2, -1), keepdims, unit, dtype)
