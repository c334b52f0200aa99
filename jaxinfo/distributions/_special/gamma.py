r"""The gamma function's logarithm behind its tangents: Bregman divergences without cancellation.

With $g(x) = \log\Gamma(x) - x \log x + x$, which is convex, and $L(y) = y - \log(1 + y) \ge 0$, the divergence of g,
$R(a, b) = g(b) - g(a) - (b - a) g'(a)$, loses one term when its arguments move up by one:
$R(a, b) = (b + 1) \, L\big((b - a) / (a (b + 1))\big) + R(a + 1, b + 1)$. A few such terms, none negative, lead to
arguments where Stirling's series is exact: $g(x) = \tfrac12 \log(2 \pi / x) + \sum_k B_{2k} / (2k (2k - 1) x^{2k-1})$.
So do g and its derivatives.

Reference: M. Abramowitz and I. A. Stegun, "Handbook of Mathematical Functions", 1964, sections 6.1 and 6.3.
"""

import functools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxinfo import _numerics
from jaxinfo.distributions._special.logarithm import log1p_remainder, remainder_of_ratio

# B_2k / (2k (2k - 1)), the coefficients of 1/x, 1/x^3, ...
_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)
_HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


def _coefficients(x: jax.Array) -> tuple[float, ...]:
    return _STIRLING[:4] if x.dtype == jnp.float32 else _STIRLING


def _large(x: jax.Array) -> int:
    """From there on Stirling's series is exact; and the number of steps that lead there from 0."""
    return 4 if x.dtype == jnp.float32 else 9


def _upwards(x: jax.Array) -> jax.Array:
    """`x`, `x + 1`, ... along a new first axis, up to where the series is exact."""
    return x[None] + jnp.arange(_large(x), dtype=x.dtype).reshape((-1,) + (1,) * x.ndim)


def _series(x: jax.Array, coefficients: Sequence[float]) -> jax.Array:
    """The polynomial in `x^-2` with these coefficients."""
    square = 1 / jnp.square(x)
    return functools.reduce(lambda total, c: total * square + c, reversed(coefficients), jnp.zeros_like(x))


@jax.custom_jvp
def log_gamma_excess(x: jax.Array) -> jax.Array:
    """Returns `g(x) = log gamma(x) - x log x + x` for positive `x`; it grows like a logarithm at both ends."""
    following = _upwards(x) + 1
    steps = jnp.sum(following * remainder_of_ratio(-1 / following, _upwards(x) / following), axis=0)
    far = x + _large(x)
    return steps + (_HALF_LOG_TAU - 0.5 * jnp.log(far)) + _series(far, _coefficients(x)) / far


@log_gamma_excess.defjvp
def _log_gamma_excess_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    return log_gamma_excess(*primals), digamma_excess(*primals) * tangents[0]


@jax.custom_jvp
def digamma_excess(x: jax.Array) -> jax.Array:
    """Returns `g'(x) = digamma(x) - log x`, which is negative."""
    far = x + _large(x)
    slopes = [-(2 * k + 1) * c for k, c in enumerate(_coefficients(x))]
    steps = jnp.sum(log1p_remainder(1 / _upwards(x)), axis=0)
    return _series(far, slopes) / jnp.square(far) - 0.5 / far - steps


@digamma_excess.defjvp
def _digamma_excess_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    return digamma_excess(*primals), trigamma_excess(*primals) * tangents[0]


def trigamma_excess(x: jax.Array) -> jax.Array:
    """Returns `g''(x) = trigamma(x) - 1 / x`, which is positive."""
    far, along = x + _large(x), _upwards(x)
    curvatures = [(2 * k + 1) * (2 * k + 2) * c for k, c in enumerate(_coefficients(x))]
    steps = jnp.sum(1 / along / along / (along + 1), axis=0)
    return steps + (0.5 + _series(far, curvatures) / far) / jnp.square(far)


def standard_entropy(a: jax.Array) -> jax.Array:
    """Returns `a + log gamma(a) + (1 - a) digamma(a)`: the entropy of a gamma distribution of rate 1."""
    return log_gamma_excess(a) + jnp.log(a) + (1 - a) * digamma_excess(a)


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
    return jnp.flip(jnp.cumsum(jnp.flip(x[..., 1:], -1), axis=-1), -1)


class Step(NamedTuple):
    """Two positive numbers and what leads from one to the other: `stop = start + step`, in more digits."""

    start: jax.Array
    step: jax.Array
    stop: jax.Array

    def up(self) -> "Step":
        """The same moved to where Stirling's series is exact."""
        count = _large(self.start)
        return Step(self.start + count, self.step, self.stop + count)

    def along(self) -> "Step":
        """The same at every integer on the way there, along a new first axis."""
        return Step(_upwards(self.start), self.step[None], _upwards(self.stop))

    def still(self) -> "Step":
        """The same at its place, with a new first axis."""
        return Step(self.start[None], self.step[None], self.stop[None])


def excess_bregman(a: Step) -> jax.Array:
    """Returns `R(a, b)`, the Bregman divergence of `log gamma(x) - x log x + x`: never negative, 0 without a step."""
    return _excess_bregman(*a)


@jax.custom_jvp
def _excess_bregman(start: jax.Array, step: jax.Array, stop: jax.Array) -> jax.Array:
    a = Step(start, step, stop)
    on, far = a.along(), a.up()
    following = on.start * (on.stop + 1)
    steps = (on.stop + 1) * remainder_of_ratio(on.step / following, on.stop * (on.start + 1) / following)
    half = 0.5 * remainder_of_ratio(far.step / far.start, far.stop / far.start)
    u, v = 1 / far.start, 1 / far.stop
    return jnp.sum(steps, axis=0) + half + jnp.square(far.step * u) * v * _stirling_bregman(u, v)


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
    a, b = _upwards(low), _upwards(high)
    steps = size[None] / a / b / (b + 1) + log1p_remainder(size[None] / (a * (b + 1)))
    u, v = 1 / (low + _large(low)), 1 / (high + _large(high))
    # Of -c m x^-(m+1) the change is c m (u - v) times the sum of u^i v^(m-i).
    value, total, power = jnp.full_like(u, 0.5), jnp.ones_like(u), jnp.ones_like(u)
    for m in range(1, 2 * len(_coefficients(u))):
        power = power * u
        total = power + v * total
        if m % 2:
            value = value + m * _coefficients(u)[m // 2] * total
    return jnp.sign(step) * (jnp.sum(steps, axis=0) + size * u * v * value)


@digamma_excess_change.defjvp
def _digamma_excess_change_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (start, _, stop), (d_start, _, d_stop) = primals, tangents
    return digamma_excess_change(*primals), trigamma_excess(stop) * d_stop - trigamma_excess(start) * d_start


def gamma_bregman(a: Step, r: Step) -> jax.Array:
    """Returns the Bregman divergence of `log gamma(a) - a log r`, KL between gamma distributions: never negative.

    With `s = a t / (b r)`, of concentrations a and b and rates r and t, it is `b (s - 1 - log s) + R(a, b)`.
    """
    back = a.stop * r.start
    ratio = (a.start / a.stop) * (r.stop / r.start)
    # Of two long steps the products may be alike and their difference has no digits, where the ratio has.
    long = (jnp.abs(a.step) > 0.5 * a.stop) & (jnp.abs(r.step) > 0.5 * r.start)
    relative = jnp.where(long, ratio - 1, (a.start * r.step - a.step * r.start) / back)
    return a.stop * remainder_of_ratio(relative, ratio) + excess_bregman(a)


def dirichlet_bregman(a: Step) -> jax.Array:
    """Returns the Bregman divergence of `log beta` of the last axis, KL between Dirichlets: never negative."""
    # The first share of the whole, the second share of the rest, and so on are independent and of beta distributions.
    if a.start.shape[-1] == 1:
        return jnp.zeros_like(a.start[..., 0])
    return jnp.sum(beta_bregman(Step(*(x[..., :-1] for x in a)), Step(*map(_following, a))), axis=-1)


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


def _beta_bregman_terms(x: Step, y: Step) -> jax.Array:
    both = _sum(x, y)
    return _share_divergence(x, y, both) + excess_bregman(y) + _excess_of_sum(x, y, both)


@_beta_bregman.defjvp
def _beta_bregman_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    # Terms of a long way have derivatives that cancel, and the slopes of a short one do.
    x, y = primals
    long = _is_long(x) | _is_long(y)
    by_terms = jax.jvp(_beta_bregman_terms, (_hold(x, long), _hold(y, long)), tangents)[1]
    by_slopes = _beta_slopes(_hold(x, ~long), _hold(y, ~long), *tangents)
    return _beta_bregman(x, y), jnp.where(long, by_slopes, by_terms)


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
    gap = _cross(x, y) / both.start
    # Where x and y would stop if the shares did not change: b log(b / e) - b + e is b L(e / b - 1).
    growth = both.stop / both.start
    of_x = x.stop * remainder_of_ratio(-gap / x.stop, x.start * growth / x.stop)
    return of_x + y.stop * remainder_of_ratio(gap / y.stop, y.start * growth / y.stop)


def _excess_of_sum(x: Step, y: Step, both: Step) -> jax.Array:
    """`R(x) - R(x + y)`, term by term; `cross` has what the relative steps of x and of the sum differ by."""
    x_on, y_on, sum_on = x.along(), y.still(), both.along()
    cross = _cross(x_on, y_on)
    product = sum_on.stop * (x_on.stop + 1) * x_on.start * (sum_on.start + 1)
    w = (cross * (sum_on.stop + 1) + y_on.stop * x_on.start * sum_on.step) / product
    w_total = x_on.stop * (sum_on.stop + 1) * (x_on.start + 1) * sum_on.start / product
    back = sum_on.stop * (sum_on.start + 1)
    v, v_total = -sum_on.step / back, sum_on.start * (sum_on.stop + 1) / back
    mixed = cross * sum_on.step / (x_on.start * sum_on.start * back)
    terms = (x_on.stop + 1) * remainder_of_ratio(w, w_total) + y_on.stop * remainder_of_ratio(v, v_total) + mixed
    return jnp.sum(terms, axis=0) + _excess_of_sum_far(x.up(), y, both.up())


def _excess_of_sum_far(x: Step, y: Step, both: Step) -> jax.Array:
    """The same by Stirling's series; `d` is a value of x less that of the sum."""
    cross = _cross(x, y)
    relative, total = cross / (x.start * both.stop), x.stop * both.start / (x.start * both.stop)
    half = remainder_of_ratio(relative, total) + cross * both.step / (x.start * both.start * both.stop)
    u, v = (1 / x.start, 1 / both.start), (1 / x.stop, 1 / both.stop)
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
