r"""The gamma function's logarithm behind its tangents: Bregman divergences without cancellation.

With $g(x) = \log\Gamma(x) - x \log x + x$, which is convex, and $L(y) = y - \log(1 + y) \ge 0$, the divergence of g,
$R(a, b) = g(b) - g(a) - (b - a) g'(a)$, loses one term when its arguments move up by one:
$R(a, b) = (b + 1) \, L\big((b - a) / (a (b + 1))\big) + R(a + 1, b + 1)$. A few such terms, none negative, lead to
arguments where Stirling's series is exact: $g(x) = \tfrac12 \log(2 \pi / x) + \sum_k B_{2k} / (2k (2k - 1) x^{2k-1})$.
So do g and its derivatives.

Reference: M. Abramowitz and I. A. Stegun, "Handbook of Mathematical Functions", 1964, sections 6.1 and 6.3.
"""

import functools
import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxinfo import _numerics
from jaxinfo.distributions._arrays import SHORT
from jaxinfo.distributions._special.binary_logarithm import remainder_of_ratio
from jaxinfo.distributions._special.logarithm import log1p_remainder

# B_2k / (2k (2k - 1)), the coefficients of 1/x, 1/x^3, ...
_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)
_HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


def _coefficients(x: jax.Array) -> tuple[float, ...]:
    return _STIRLING[:4] if x.dtype == jnp.float32 else _STIRLING


def _large(x: jax.Array) -> int:
    """From there on Stirling's series is exact; and the number of steps that lead there from 0."""
    return 4 if x.dtype == jnp.float32 else 9


def _upwards(x: jax.Array) -> list[jax.Array]:
    """`x`, `x + 1`, ... up to where the series is exact."""
    return [x + k for k in range(_large(x))]


def _add(terms: Iterable[jax.Array]) -> jax.Array:
    """The sum of a few arrays, which are computed where it is and not written out as one table."""
    return functools.reduce(jnp.add, terms)


def _sum_of(term: Callable[..., jax.Array], *along: Sequence[Any], in_slope: bool = False) -> jax.Array:
    """The sum of an elementwise function of what is along the way.

    Of one table with the steps in front, which compiles sooner, in slopes and in double precision, where the way is
    twice as long.
    """
    if jax.tree.leaves(along)[0].dtype == jnp.float32 and not in_slope:
        return _add(map(term, *along))
    tables = (jax.tree.map(lambda *each: jnp.stack(each), *steps) for steps in along)
    return jnp.sum(term(*tables), axis=0)


def _inverse(x: jax.Array) -> jax.Array:
    """`1 / x` for positive `x`; XLA on a CPU writes a quotient that is used twice out as a table, but no size."""
    return jnp.abs(1 / x)


def _series(inverse: jax.Array, coefficients: Sequence[float]) -> jax.Array:
    """The polynomial in the square of `1 / x` with these coefficients."""
    square = jnp.square(inverse)
    return functools.reduce(lambda total, c: total * square + c, reversed(coefficients), jnp.zeros_like(inverse))


@jax.custom_jvp
def log_gamma_excess(x: jax.Array) -> jax.Array:
    """Returns `g(x) = log gamma(x) - x log x + x` for positive `x`; it grows like a logarithm at both ends."""
    steps = _sum_of(lambda k: (k + 1) * remainder_of_ratio(-1 / (k + 1), k / (k + 1)), _upwards(x))
    inverse = _inverse(x + _large(x))
    return steps + (_HALF_LOG_TAU + 0.5 * jnp.log(inverse)) + _series(inverse, _coefficients(x)) * inverse


@log_gamma_excess.defjvp
def _log_gamma_excess_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    return log_gamma_excess(*primals), digamma_excess(*primals) * tangents[0]


@jax.custom_jvp
def digamma_excess(x: jax.Array) -> jax.Array:
    """Returns `g'(x) = digamma(x) - log x`, which is negative."""
    inverse = _inverse(x + _large(x))
    steps = _sum_of(lambda k: remainder_of_ratio(1 / k, (k + 1) / k), _upwards(x))
    return -_digamma_tail(inverse) - steps


def _digamma_tail(inverse: jax.Array) -> jax.Array:
    """`log x - digamma(x)` where Stirling's series is exact, of `1 / x`."""
    slopes = [(2 * k + 1) * c for k, c in enumerate(_coefficients(inverse))]
    return inverse * (0.5 + inverse * _series(inverse, slopes))


@digamma_excess.defjvp
def _digamma_excess_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    return digamma_excess(*primals), trigamma_excess(*primals) * tangents[0]


def trigamma_excess(x: jax.Array) -> jax.Array:
    """Returns `g''(x) = trigamma(x) - 1 / x`, which is positive."""
    inverse = _inverse(x + _large(x))
    curvatures = [(2 * k + 1) * (2 * k + 2) * c for k, c in enumerate(_coefficients(x))]
    steps = _add(1 / k / k / (k + 1) for k in _upwards(x))
    return steps + (0.5 + _series(inverse, curvatures) * inverse) * jnp.square(inverse)


@jax.custom_jvp
def digamma(x: jax.Array) -> jax.Array:
    """Returns the derivative of `log gamma(x)`, accurate to a few units of the size of one."""
    far = x + _large(x)
    return jnp.log(far) - _digamma_tail(_inverse(far)) - _add(1 / k for k in _upwards(x))


@digamma.defjvp
def _digamma_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (x,), (dx,) = primals, tangents
    return digamma(x), (1 / x + trigamma_excess(x)) * dx


@jax.custom_jvp
def standard_entropy(a: jax.Array) -> jax.Array:
    """Returns `a + log gamma(a) + (1 - a) digamma(a)`: the entropy of a gamma distribution of rate 1.

    Of the terms that lead to a large `x`, the large logarithms cancel, and what is left of the others are inverses.
    """
    inverse, along = _inverse(a + _large(a)), _upwards(a)
    shares = functools.reduce(jnp.multiply, (k * inverse for k in along))
    height = _HALF_LOG_TAU - jnp.log(shares * jnp.sqrt(inverse)) + _series(inverse, _coefficients(a)) * inverse
    return height - (1 - a) * _digamma_tail(inverse) - _add((1 + k) / x for k, x in enumerate(along))


@standard_entropy.defjvp
def _standard_entropy_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (a,), (da,) = primals, tangents
    return standard_entropy(a), (1 / a + (1 - a) * trigamma_excess(a)) * da


def log_beta(a: jax.Array, b: jax.Array) -> jax.Array:
    """Returns `log gamma(a) + log gamma(b) - log gamma(a + b)`, whose large parts are put together first."""
    shares = a * jnp.log1p(b / a) + b * jnp.log1p(a / b)
    return log_gamma_excess(a) + log_gamma_excess(b) - log_gamma_excess(a + b) - shares


def log_beta_of_vector(a: jax.Array) -> jax.Array:
    """Returns `sum log gamma(a_i) - log gamma(sum a_i)` over the last axis: of each and of all that follow."""
    if a.shape[-1] == 1:
        return jnp.zeros_like(a[..., 0])
    return jnp.sum(log_beta(a[..., :-1], _following(a)), axis=-1)


def _following(x: jax.Array) -> jax.Array:
    """The sums of what follows each number but the last."""
    if x.shape[-1] > SHORT:
        return jax.lax.cumsum(x[..., 1:], axis=x.ndim - 1, reverse=True)
    backwards = itertools.accumulate(x[..., i] for i in range(x.shape[-1] - 1, 0, -1))
    return jnp.stack(list(backwards)[::-1], axis=-1)


class Step(NamedTuple):
    """Two positive numbers and what leads from one to the other: `stop = start + step`, in more digits."""

    start: jax.Array
    step: jax.Array
    stop: jax.Array

    def up(self) -> "Step":
        """The same moved to where Stirling's series is exact."""
        count = _large(self.start)
        return Step(self.start + count, self.step, self.stop + count)

    def along(self) -> "list[Step]":
        """The same at every integer on the way there."""
        return [Step(a, self.step, b) for a, b in zip(_upwards(self.start), _upwards(self.stop), strict=True)]


def excess_bregman(a: Step) -> jax.Array:
    """Returns `R(a, b)`, the Bregman divergence of `log gamma(x) - x log x + x`: never negative, 0 without a step."""
    return _excess_bregman(*a)


@jax.custom_jvp
def _excess_bregman(start: jax.Array, step: jax.Array, stop: jax.Array) -> jax.Array:
    a = Step(start, step, stop)
    far = a.up()
    half = 0.5 * remainder_of_ratio(far.step / far.start, far.stop / far.start)
    u, v = _inverse(far.start), _inverse(far.stop)
    return _sum_of(_excess_step, a.along()) + half + jnp.square(far.step * u) * v * _stirling_bregman(u, v)


def _excess_step(a: Step) -> jax.Array:
    following = a.start * (a.stop + 1)
    return (a.stop + 1) * remainder_of_ratio(a.step / following, a.stop * (a.start + 1) / following)


@_excess_bregman.defjvp
def _excess_bregman_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    # The step is the difference of the ends and moves with them.
    (start, step, _), (d_start, _, d_stop) = primals, tangents
    slope = digamma_excess_change(*primals) * d_stop - step * trigamma_excess(start) * d_start
    return _excess_bregman(*primals), slope


@jax.custom_jvp
def digamma_excess_change(start: jax.Array, step: jax.Array, stop: jax.Array) -> jax.Array:
    """Returns `g'(stop) - g'(start)`, of the sign of the step: all terms are."""
    low, size = jnp.minimum(start, stop), jnp.abs(step)
    high = jnp.maximum(start, stop)
    count = _large(start)
    steps = _sum_of(_digamma_excess_step, _upwards(low), _upwards(high), [size] * count, in_slope=True)
    u, v = _inverse(low + _large(low)), _inverse(high + _large(high))
    # Of -c m x^-(m+1) the change is c m (u - v) times the sum of u^i v^(m-i).
    value, total, power = jnp.full_like(u, 0.5), jnp.ones_like(u), jnp.ones_like(u)
    for m in range(1, 2 * len(_coefficients(u))):
        power = power * u
        total = power + v * total
        if m % 2:
            value = value + m * _coefficients(u)[m // 2] * total
    return jnp.sign(step) * (steps + size * u * v * value)


def _digamma_excess_step(a: jax.Array, b: jax.Array, size: jax.Array) -> jax.Array:
    return size / a / b / (b + 1) + log1p_remainder(size / (a * (b + 1)))


@digamma_excess_change.defjvp
def _digamma_excess_change_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (start, _, stop), (d_start, _, d_stop) = primals, tangents
    return digamma_excess_change(*primals), trigamma_excess(stop) * d_stop - trigamma_excess(start) * d_start


def gamma_bregman(a: Step, r: Step) -> jax.Array:
    """Returns the Bregman divergence of `log gamma(a) - a log r`, KL between gamma distributions: never negative.

    With `s = a t / (b r)`, of concentrations a and b and rates r and t, it is `b (s - 1 - log s) + R(a, b)`.
    """
    back = a.stop * r.start
    ratio = jnp.abs((a.start / a.stop) * (r.stop / r.start))
    # Of two long steps the products may be alike and their difference has no digits, where the ratio has.
    long = (jnp.abs(a.step) > 0.5 * a.stop) & (jnp.abs(r.step) > 0.5 * r.start)
    relative = jnp.where(long, ratio - 1, (a.start * r.step - a.step * r.start) / back)
    return a.stop * remainder_of_ratio(relative, ratio) + excess_bregman(a)


def dirichlet_bregman(a: Step) -> jax.Array:
    """Returns the Bregman divergence of `log beta` of the last axis, KL between Dirichlets: never negative."""
    # The first share of the whole, the second share of the rest, and so on are independent and of beta distributions.
    if a.start.shape[-1] == 1:
        return jnp.zeros_like(a.start[..., 0])
    return jnp.sum(_beta_bregmans(Step(*(x[..., :-1] for x in a)), Step(*map(_following, a))), axis=-1)


def _stirling_bregman(u: jax.Array, v: jax.Array) -> jax.Array:
    """The Bregman divergence of Stirling's series between `1/u` and `1/v`, over `(1/v - 1/u)^2 u^2 v`.

    That of `x^-m` is this factor times `sum_i (m - i) u^(m-1-i) v^i`, a sum that follows from the one before.
    """
    value, power, total = jnp.zeros_like(u), jnp.ones_like(u), jnp.zeros_like(u)
    coefficients = _coefficients(u)
    for m in range(1, 2 * len(coefficients)):
        total = m * power + v * total
        power = power * u
        if m % 2:
            value = value + coefficients[m // 2] * total
    return value


def beta_bregman(x: Step, y: Step) -> jax.Array:
    """Returns the Bregman divergence of `log beta(x, y)`: KL between beta distributions, never negative.

    With shares `x / (x + y)` it is a divergence of shares and `R(x) + R(y) - R(x + y)`. Let y be the lesser one: the
    terms of `R(x)` and `R(x + y)` are subtracted one by one, in a form whose parts do not cancel.
    """
    swap = x.start < y.start
    more = Step(*(jnp.where(swap, b, a) for a, b in zip(x, y, strict=True)))
    less = Step(*(jnp.where(swap, a, b) for a, b in zip(x, y, strict=True)))
    return _beta_bregman(more, less)


@jax.custom_jvp
def _beta_bregman(x: Step, y: Step) -> jax.Array:
    return _beta_bregman_terms(x, y)


def _beta_bregman_terms(x: Step, y: Step, in_slope: bool = False) -> jax.Array:
    both = _sum(x, y)
    return _share_divergence(x, y, both) + excess_bregman(y) + _excess_of_sum(x, y, both, in_slope)


@_beta_bregman.defjvp
def _beta_bregman_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    # Terms of a long way have derivatives that cancel, and the slopes of a short one do.
    x, y = primals
    long = _is_long(x) | _is_long(y)
    terms = functools.partial(_beta_bregman_terms, in_slope=True)
    by_terms = jax.jvp(terms, (_hold(x, long), _hold(y, long)), tangents)[1]
    by_slopes = _beta_slopes(_hold(x, ~long), _hold(y, ~long), *tangents)
    return _beta_bregman(x, y), jnp.where(long, by_slopes, by_terms)


@jax.custom_jvp
def _beta_bregmans(x: Step, y: Step) -> jax.Array:
    """`beta_bregman` of parts of tables."""
    return _of_parts(*x, *y)


@_beta_bregmans.defjvp
def _beta_bregmans_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    return _beta_bregmans(*primals), jax.jvp(beta_bregman, primals, tangents)[1]


@jax.custom_batching.custom_vmap
def _of_parts(*steps: jax.Array) -> jax.Array:
    # XLA on a CPU does not fuse what begins with a slice into one loop, unless it begins in a branch. There is always a
    # step, or nothing to compute.
    def compute(*steps: jax.Array) -> jax.Array:
        return beta_bregman(Step(*steps[:3]), Step(*steps[3:]))

    moved = jnp.any(steps[1] != 0) | jnp.any(steps[4] != 0)
    return jax.lax.cond(moved, compute, lambda *steps: jnp.zeros_like(steps[0]), *steps)


@_of_parts.def_vmap
def _of_parts_vmap(size: int, batched: Sequence[bool], *steps: jax.Array) -> tuple[jax.Array, bool]:
    whole = (x if flag else jnp.broadcast_to(x, (size, *x.shape)) for x, flag in zip(steps, batched, strict=True))
    return _of_parts(*whole), True


def _is_long(a: Step) -> jax.Array:
    return jnp.maximum(a.start, a.stop) > 30 * jnp.minimum(a.start, a.stop)


def _hold(a: Step, where: jax.Array) -> Step:
    """The same but for where there is no step."""
    return Step(a.start, jnp.where(where, jnp.zeros_like(a.step), a.step), jnp.where(where, a.start, a.stop))


def _beta_slopes(x: Step, y: Step, d_x: Step, d_y: Step) -> jax.Array:
    """The derivative of `beta_bregman`, along these tangents."""
    both, cross = _sum(x, y), _cross(x, y)
    parts = Step(*(jnp.stack(three) for three in zip(x, y, both, strict=True)))
    ends, starts = digamma_excess_change(*parts), parts.step * trigamma_excess(parts.start)
    # log(b / a) of each less that of the sum, and the same of the slopes step / a, without their common part.
    gaps = jnp.stack([cross, -cross]) / parts.start[:2]
    relative = gaps / both.stop[None]
    near = jnp.abs(relative) < 0.25
    ratio = (parts.stop[:2] / parts.start[:2]) * (both.start / both.stop)[None]
    of_near = _numerics.log1p(jnp.where(near, relative, jnp.zeros_like(ratio)))
    shares = jnp.where(near, of_near, jnp.log(jnp.where(near, jnp.ones_like(ratio), ratio)))
    of_stop = shares + (ends[:2] - ends[2:])
    of_start = gaps / both.start[None] + (starts[:2] - starts[2:])
    moves = jnp.stack([d_x.stop, d_y.stop]), jnp.stack([d_x.start, d_y.start])
    return jnp.sum(of_stop * moves[0] - of_start * moves[1], axis=0)


def _sum(x: Step, y: Step) -> Step:
    return Step(x.start + y.start, x.step + y.step, x.stop + y.stop)


def _cross(x: Step, y: Step) -> jax.Array:
    """`x.stop y.start - y.stop x.start`, from the steps or from the stops, whichever are less."""
    near = jnp.abs(x.step * y.start) + jnp.abs(y.step * x.start) <= x.stop * y.start + y.stop * x.start
    of_x, of_y = jnp.where(near, x.step, x.stop), jnp.where(near, y.step, y.stop)
    return of_x * y.start - of_y * x.start


def _share_divergence(x: Step, y: Step, both: Step) -> jax.Array:
    """The sum of `b log(b / a)` over x and y less that of their sum: `both.stop` times KL of the shares."""
    back = _inverse(both.start)
    gap = _cross(x, y) * back
    # Where x and y would stop if the shares did not change: b log(b / e) - b + e is b L(e / b - 1).
    growth = both.stop * back
    of_x = x.stop * remainder_of_ratio(-gap / x.stop, x.start * growth / x.stop)
    return of_x + y.stop * remainder_of_ratio(gap / y.stop, y.start * growth / y.stop)


def _excess_of_sum(x: Step, y: Step, both: Step, in_slope: bool) -> jax.Array:
    """`R(x) - R(x + y)`, term by term; `cross` has what the relative steps of x and of the sum differ by."""
    steps = _sum_of(_excess_of_sum_step, x.along(), [y] * _large(y.start), both.along(), in_slope=in_slope)
    return steps + _excess_of_sum_far(x.up(), y, both.up())


def _excess_of_sum_step(x: Step, y: Step, both: Step) -> jax.Array:
    cross = _cross(x, y)
    product = both.stop * (x.stop + 1) * x.start * (both.start + 1)
    w = (cross * (both.stop + 1) + y.stop * x.start * both.step) / product
    w_total = x.stop * (both.stop + 1) * (x.start + 1) * both.start / product
    back = both.stop * (both.start + 1)
    v, v_total = -both.step / back, both.start * (both.stop + 1) / back
    mixed = cross * both.step / (x.start * both.start * back)
    return (x.stop + 1) * remainder_of_ratio(w, w_total) + y.stop * remainder_of_ratio(v, v_total) + mixed


def _excess_of_sum_far(x: Step, y: Step, both: Step) -> jax.Array:
    """The same by Stirling's series; `d` is a value of x less that of the sum."""
    cross = _cross(x, y)
    relative, total = cross / (x.start * both.stop), x.stop * both.start / (x.start * both.stop)
    half = remainder_of_ratio(relative, total) + cross * both.step / (x.start * both.start * both.stop)
    u, v = (_inverse(x.start), _inverse(both.start)), (_inverse(x.stop), _inverse(both.stop))
    du, dv = y.start * u[0] * u[1], y.stop * v[0] * v[1]
    series, d_series = _stirling_bregman(u[1], v[1]), _stirling_bregman_difference(u, v, du, dv)
    speeds = x.step * u[0], both.step * u[1]
    d_speed = cross * u[0] * u[1]
    factor, d_factor = (
        jnp.square(speeds[0]) * v[0],
        (d_speed * (speeds[0] + speeds[1]) * v[0] + jnp.square(speeds[1]) * dv),
    )
    return 0.5 * half + factor * d_series + d_factor * series


def _stirling_bregman_difference(
    u: tuple[jax.Array, jax.Array], v: tuple[jax.Array, jax.Array], du: jax.Array, dv: jax.Array
) -> jax.Array:
    """`_stirling_bregman(u[0], v[0]) - _stirling_bregman(u[1], v[1])`, given the differences of the arguments."""
    zero, one = jnp.zeros_like(du), jnp.ones_like(du)
    value, power, d_power, total, d_total = zero, one, zero, zero, zero
    coefficients = _coefficients(du)
    for m in range(1, 2 * len(coefficients)):
        # `power` and `total` are those of the first, the second of each difference's factors that of the second.
        d_total = m * d_power + dv * total + v[1] * d_total
        total = m * power + v[0] * total
        d_power = du * power + u[1] * d_power
        power = power * u[0]
        if m % 2:
            value = value + coefficients[m // 2] * d_total
    return value
