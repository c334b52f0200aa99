"""Logarithms of the probabilities of counts, as sums of terms of one sign.

A difference of logarithms of gamma functions has lost its digits at counts of some thousands. The saddle-point form
compares the count with its mean, and what is left of the factorials is a slowly growing function.

Reference: C. Loader, "Fast and Accurate Computation of Binomial Probabilities", 2000.
"""

import math
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo._numerics import exact_sum, linear, log_ratio, quotient
from jaxinfo.distributions._special.coin import relative_term

# B_2k / (2k (2k-1)), the coefficients of Stirling's series.
_STIRLING = (
    *(1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400),
    *(43867 / 244188, -174611 / 125400),
)


def log_factorial_excess(x: jax.Array) -> jax.Array:
    r"""Returns :math:`\log \Gamma(x + 1) - x \log x + x \ge 0`, about half of `log(2 pi x)`; 0 at 0.

    Stirling's series at a shifted argument; what the shift adds stays small.
    """
    shift, num_terms = (4, 4) if x.dtype == jnp.float32 else (8, 10)
    y = x + shift
    inverse = 1 / y
    square = inverse * inverse
    series = jnp.full_like(x, _STIRLING[num_terms - 1])
    for coefficient in _STIRLING[num_terms - 2 :: -1]:
        series = series * square + coefficient
    factors = jnp.ones_like(x)
    for k in range(1, shift):
        factors = factors * (1 - (shift - k) * inverse)
    zero = x == 0
    held = jnp.where(zero, jnp.ones_like(x), x)
    value = 0.5 * jnp.log(2 * math.pi * y) + series * inverse + (held * jnp.log1p(shift / held) - shift)
    return jnp.where(zero, jnp.zeros_like(x), value - jnp.log(factors))


@jax.custom_jvp
def excess(successes: jax.Array, failures: jax.Array, p: jax.Array) -> jax.Array:
    """`successes - (successes + failures) p`, as if it were rounded once: products and sums are split exactly."""
    (p_high, p_low), (a_high, a_low), (b_high, b_low) = _split(p), _split(successes), _split(failures)
    products = (
        *(a_high * p_high, b_high * p_high, a_high * p_low, b_high * p_low, a_low * p_high, b_low * p_high),
        (a_low + b_low) * p_low,
    )
    # A compiler takes a sum with a constant, less that constant, for the other summand: so the number that may be
    # one, of successes, comes last, and second.
    total, lost = -products[0], jnp.zeros_like(p)
    for term in (*(-product for product in products[1:]), successes):
        total, error = exact_sum(total, term)
        lost = lost + error
    return total + lost


@excess.defjvp
def _excess_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (successes, failures, p), (da, db, dp) = primals, tangents
    return excess(*primals), da * (1 - p) - db * p - dp * (successes + failures)


def _split(x: jax.Array) -> tuple[jax.Array, jax.Array]:
    """`x` as a number of half as many digits, so that products of two are exact, and the rest."""
    integer, bits = (jnp.uint32, 12) if x.dtype == jnp.float32 else (jnp.uint64, 27)
    mask = jnp.asarray(~((1 << bits) - 1) & int(jnp.iinfo(integer).max), integer)
    high = jax.lax.bitcast_convert_type(jax.lax.bitcast_convert_type(x, integer) & mask, x.dtype)
    return high, x - high


@jax.custom_jvp
def deviance(successes: jax.Array, failures: jax.Array, p: jax.Array) -> jax.Array:
    """`a log(a / (n p)) + b log(b / (n (1 - p)))` of a successes and b failures, n in all; at least 0."""
    total, difference = successes + failures, excess(successes, failures, p)
    heads = relative_term(successes, total * p, difference)
    return heads + relative_term(failures, total * (1 - p), -difference)


@deviance.defjvp
def _deviance_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (a, b, p), (da, db, dp) = primals, tangents
    total, difference = a + b, excess(a, b, p)
    slopes = (
        (da, lambda: log_ratio(a, total * p, difference)),
        (db, lambda: log_ratio(b, total * (1 - p), -difference)),
        (dp, lambda: deviance_slope(a, b, p, difference)),
    )
    return deviance(a, b, p), linear(p, *slopes)


@jax.custom_jvp
def deviance_slope(successes: jax.Array, failures: jax.Array, p: jax.Array, difference: jax.Array) -> jax.Array:
    """The derivative in p, `b / (1 - p) - a / p`, from `difference = a - (a + b) p`; infinite where p is impossible."""
    none, all_of_them = p == 0, p == 1
    infinite = jnp.full_like(p, jnp.inf)
    at_zero = jnp.where(successes == 0, failures, -infinite)
    at_one = jnp.where(failures == 0, -successes, infinite)
    inside = jnp.where(none | all_of_them, jnp.full_like(p, 0.5), p)
    value = -(difference / inside) / (1 - inside)
    return jnp.where(none, at_zero, jnp.where(all_of_them, at_one, value))


@deviance_slope.defjvp
def _deviance_slope_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (a, b, p, difference), (da, db, dp, _) = primals, tangents
    one = jnp.ones_like(p)
    slopes = (
        (da, lambda: -quotient(one, p)),
        (db, lambda: quotient(one, 1 - p)),
        (dp, lambda: quotient(quotient(a, p), p) + quotient(quotient(b, 1 - p), 1 - p)),
    )
    return deviance_slope(a, b, p, difference), linear(p, *slopes)


@jax.custom_jvp
def negative_binomial_log_prob(failures: jax.Array, successes: jax.Array, p: jax.Array) -> jax.Array:
    """The probability of so many failures before a real number of successes, of probability p each, in nats."""
    some = failures > 0
    held = jnp.where(some, successes, jnp.ones_like(successes))
    last = jnp.where(some, -jnp.log1p(failures / held), jnp.zeros_like(p))
    together = log_factorial_excess(successes + failures)
    orders = together - log_factorial_excess(successes) - log_factorial_excess(failures)
    # Fewer than no successes cannot be; none at all are there before any failure.
    orders = jnp.where((successes == 0) & some, jnp.zeros_like(p), orders)
    return (last + orders) - deviance(successes, failures, p)


@negative_binomial_log_prob.defjvp
def _negative_binomial_log_prob_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (b, a, p), (_, da, dp) = primals, tangents  # a count has no derivative
    slopes = (
        (da, lambda: _slope_in_successes(b, a, p)),
        (dp, lambda: -deviance_slope(a, b, p, excess(a, b, p))),
    )
    return negative_binomial_log_prob(b, a, p), linear(p, *slopes)


def _slope_in_successes(failures: jax.Array, successes: jax.Array, p: jax.Array) -> jax.Array:
    some = (failures > 0) & (successes > 0)
    held = jnp.where(some, successes, jnp.ones_like(successes))
    infinite = jnp.where(failures > 0, jnp.full_like(p, jnp.inf), jnp.zeros_like(p))
    return jnp.where(some, digamma_rise(held, failures), infinite) + jnp.log(p)


def digamma_rise(x: jax.Array, step: jax.Array) -> jax.Array:
    r"""Returns :math:`\psi(x + s) - \psi(x)` for `x > 0`, `s >= 0`, as a sum of terms that are at least 0.

    The recurrence moves `x` to where the asymptotic series holds, of which differences are taken term by term.
    """
    shift, num_terms = (4, 4) if x.dtype == jnp.float32 else (8, 10)
    y = x + shift
    value = jnp.log1p(step / y) + 0.5 * (step / y) / (y + step)
    for k in range(shift):
        value = value + (step / (x + k)) / (x + k + step)
    # The digamma function is log y - 1/(2y) - sum B_2k / (2k y^2k).
    lower, upper = 1 / jnp.square(y), 1 / jnp.square(y + step)
    near, far = jnp.zeros_like(x), jnp.zeros_like(x)
    for k in range(num_terms, 0, -1):
        coefficient = (2 * k - 1) * _STIRLING[k - 1]
        near, far = (near + coefficient) * lower, (far + coefficient) * upper
    # A fused product leaves the rounding of one of two equal numbers.
    return jnp.where(step == 0, jnp.zeros_like(x), value + (near - far))


@jax.custom_jvp
def table_deviance(counts: jax.Array, total: jax.Array, p: jax.Array) -> jax.Array:
    """`sum x log(x / (n p))` over the last axis, of counts x, n in all.

    A sum of `x log(x / (n p)) - x + n p`, less `n` times what the probabilities sum to beyond one.
    """
    total = jnp.broadcast_to(total[..., None], p.shape)
    terms = relative_term(counts, total * p, excess(counts, total - counts, p))
    return jnp.sum(terms, axis=-1) - total[..., 0] * _beyond_one(p)


def _beyond_one(p: jax.Array) -> jax.Array:
    """`sum(p) - 1` over the last axis, as if it were rounded once."""

    def add(x: Any, y: Any) -> Any:
        total, lost = exact_sum(x[0], y[0])
        return total, lost + (x[1] + y[1])

    zero = jnp.zeros((), p.dtype)
    total, lost = jax.lax.reduce((p, jnp.zeros_like(p)), (zero, zero), add, (p.ndim - 1,))
    beyond, more = exact_sum(total, -jnp.ones_like(total))
    return beyond + (more + lost)


@table_deviance.defjvp
def _table_deviance_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (counts, total, p), (_, _, dp) = primals, tangents  # counts have no derivative
    # Of -sum x log p: where an outcome is impossible it is infinite if it came, and 0 if not.
    edge = jnp.where(counts == 0, jnp.zeros_like(p), jnp.full_like(p, -jnp.inf))
    slope = jnp.where(p == 0, edge, -quotient(counts, p))
    return table_deviance(counts, total, p), jnp.sum(linear(p, (dp, lambda: slope)), axis=-1)
