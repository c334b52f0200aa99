"""Means over draws, block by block, with their standard error and a word on whether it can be trusted."""

import dataclasses
import functools
import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxinfo._pytrees import register_dataclass
from jaxinfo.densities import _density, _pareto, _strata
from jaxinfo.densities._estimate import Estimate
from jaxinfo.densities._exact_sum import error_of_finished
from jaxinfo.densities._gradients import (
    DoublyReparameterized,
    Gradient,
    Reparameterized,
    ScoreFunction,
    StickingTheLanding,
)
from jaxinfo.densities._strata import Draws, Stratum, fixed
from jaxinfo.densities._terms import CrossEntropy, Divergence, Entropy, KullbackLeibler, Term
from jaxinfo.distributions._supports import Integers, Interval, Reals

_PILOT = 4096
# Numbers of a block, over all of a batch, unless its size is given.
_NUMBERS = 2**18
_FIRST = 255
# A tail of this shape or heavier has no variance.
_HEAVY = 0.5
# From here on the error bar is of no use in practice, says the paper on Pareto smoothing; earlier for few draws.
_TOO_HEAVY = 0.7


@register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class MonteCarlo:
    r"""The mean over draws, with its standard error.

    Entropies and KL draw from `p`. Other divergences draw as often from `q`, if that can be sampled, and average their
    term over the mean of the two densities, which no weight then makes large. Draws are taken in blocks, each of which
    is reduced to its moments and its largest numbers, so that memory does not grow with `num_samples`, also under
    differentiation.

    KL is the mean of $-\log r + c (r - 1)$ with $r = q(x) / p(x)$: plain at $c = 0$, never negative at $c = 1$. By
    default $c$ is what makes the variance least, measured on draws of its own. It is 0 where `q` may have mass that `p`
    has not, since then $r - 1$ has not the mean 0, where $r$ varies much, as its rare large values would then be
    missed, and where `q` cannot be sampled.

    Both densities are taken to be normalised.

    Diagnostics: `pareto_k` is the shape of the tail of what is averaged. From 1/2 on it has no variance; from 0.7 on,
    or `1 - 1 / log10(num_samples)` if that is less, the error bar cannot be trusted, and `reliable` is false, unless
    what is averaged is bounded and the bound, for one draw, within the error bar. `effective_sample_size` and
    `weight_pareto_k` are those of the weights r, and `control_variate` is c.

    Args:
      key: a PRNG key.
      num_samples: how many draws, from each density that is drawn from.
      gradient: how to differentiate, `Reparameterized()`, `StickingTheLanding()`, `ScoreFunction()` or
        `DoublyReparameterized()`; None is the first for densities and the third for integers.
      block_size: draws in a block; None is as many as make about a quarter of a million numbers.
      control_variate: c; None is measured.

    Raises:
      ValueError: if an option is out of range.

    Reference: A. B. Owen, "Monte Carlo Theory, Methods and Examples", 2013, chapters 2 and 8; A. Vehtari, D. Simpson,
        A. Gelman, Y. Yao and J. Gabry, "Pareto Smoothed Importance Sampling", JMLR 25, 2024.

    >>> import jax
    >>> from jaxinfo import densities
    >>> from jaxinfo.distributions import Normal
    >>> method = densities.MonteCarlo(jax.random.key(0), 10_000)
    >>> estimate = densities.kl_divergence(Normal(0.0, 1.0), Normal(1.0, 2.0), method=method)
    >>> abs(float(estimate.value) - 0.4431) < 4 * float(estimate.stderr), bool(estimate.diagnostics["reliable"])
    (True, True)
    """

    key: jax.Array
    num_samples: int = dataclasses.field(metadata={"static": True})
    gradient: Gradient | None = dataclasses.field(default=None, metadata={"static": True})
    block_size: int | None = dataclasses.field(default=None, metadata={"static": True})
    control_variate: float | None = dataclasses.field(default=None, metadata={"static": True})

    def __post_init__(self) -> None:
        """Checks the options, which are static."""
        for name, least in (("num_samples", 2), ("block_size", 2)):
            value = getattr(self, name)
            if name == "block_size" and value is None:
                continue
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise ValueError(f"MonteCarlo: {name} must be an integer of at least {least}, got {value!r}")
        if self.gradient is not None and not isinstance(self.gradient, Gradient):
            raise ValueError(f"MonteCarlo: gradient must be one of {Gradient}, got {self.gradient!r}")
        if self.control_variate is not None and not 0 <= self.control_variate <= 1:
            raise ValueError(f"MonteCarlo: control_variate must lie in [0, 1], got {self.control_variate!r}")


def check_draws(name: str, term: Term, densities: tuple[Any, ...], method: MonteCarlo) -> MonteCarlo:
    """Returns the method with its gradient chosen; an error where the densities cannot be drawn from so."""
    for density in densities[:1]:
        if not callable(getattr(density, "sample", None)):
            raise TypeError(f"{name}: MonteCarlo draws from {type(density).__name__}, which has no sample")
    path = Reparameterized | StickingTheLanding | DoublyReparameterized
    both = _strata.takes_both(term, densities, method.gradient or Reparameterized())
    drawn = densities if both else densities[:1]
    integers = any(draws_integers(density) for density in drawn)
    if integers and isinstance(method.gradient, path):
        raise TypeError(f"{name}: draws of integers have no derivative; use ScoreFunction(), not {method.gradient!r}")
    known = isinstance(term, Entropy | CrossEntropy | KullbackLeibler)
    if isinstance(method.gradient, StickingTheLanding) and not known:
        raise TypeError(f"{name}: StickingTheLanding() is for entropies and KL; use DoublyReparameterized()")
    if method.gradient is not None:
        return method
    return dataclasses.replace(method, gradient=ScoreFunction() if integers else Reparameterized())


def draws_integers(density: Any) -> bool:
    draws = jax.eval_shape(lambda: density.sample(jax.random.key(0), ()))
    return jnp.issubdtype(draws.dtype, jnp.integer)


class Moments(NamedTuple):
    """What is kept of the draws of a stratum."""

    number: jax.Array
    mean: jax.Array
    squares: jax.Array
    infinite: jax.Array
    surrogate: jax.Array
    centre: jax.Array
    largest: jax.Array
    weights: tuple[jax.Array, ...]


def average(term: Term, densities: tuple[Any, ...], batch: tuple[int, ...], method: MonteCarlo) -> Estimate:
    """Returns the mean of a term's integrand over draws."""
    dtype = jnp.result_type(float, *(jnp.asarray(leaf) for leaf in jax.tree.leaves(densities)))
    gradient = method.gradient or Reparameterized()
    pilot_key, key = jax.random.split(method.key)
    control = None
    if isinstance(term, KullbackLeibler):
        control = _control_variate(densities, batch, method, pilot_key, dtype)
    strata = _strata.strata_of(term, densities, gradient, control)
    keys = jax.random.split(key, len(strata))
    moments = [_moments(stratum, k, batch, method, dtype) for stratum, k in zip(strata, keys, strict=True)]
    n = float(method.num_samples)
    total = variance = jnp.zeros(batch, dtype)
    for stratum, kept in zip(strata, moments, strict=True):
        # The value is the mean; its derivative, that of the surrogate.
        mean = fixed(kept.mean) + (kept.surrogate - fixed(kept.surrogate)) / n
        total = total + stratum.weight * jnp.where(kept.infinite, jnp.full_like(mean, jnp.inf), mean)
        spread = jnp.where(kept.infinite, jnp.full_like(mean, jnp.inf), kept.squares / (n - 1) / n)
        variance = variance + stratum.weight**2 * spread
    return _estimate(term, total, jnp.sqrt(variance), moments, control, method.num_samples)


def _estimate(
    term: Term,
    total: jax.Array,
    error: jax.Array,
    moments: list[Moments],
    control: jax.Array | None,
    num_samples: int,
) -> Estimate:
    stderr = jnp.where(jnp.isinf(total), jnp.inf, error_of_finished(term, total, error))
    shapes = [_pareto.tail_shape(jnp.log(kept.largest)) for kept in moments]
    shape = jnp.max(jnp.stack(shapes), axis=0)
    bounded = jnp.full_like(error, False, bool)
    if isinstance(term, Divergence) and len(moments) > 1:
        # What is averaged is bounded: one more draw, as large as can be, moves the mean by less than the error bar.
        greatest = 2 * functools.reduce(
            jnp.maximum, (term.limit(jnp.full(error.shape, x), error.dtype) for x in (True, False))
        )
        bounded = greatest / num_samples < error
    limit = min(1 - 1 / math.log10(max(num_samples, 11)), _TOO_HEAVY)
    diagnostics = {"pareto_k": shape, "reliable": ((shape < limit) | bounded) & jnp.isfinite(stderr)}
    if moments[0].weights:
        once, twice, largest = moments[0].weights
        diagnostics["effective_sample_size"] = jnp.exp(2 * once - twice)
        diagnostics["weight_pareto_k"] = _pareto.tail_shape(largest)
    if control is not None:
        diagnostics["control_variate"] = control
    stderr, diagnostics = fixed((stderr, diagnostics))
    return Estimate(term.finish(total), stderr, diagnostics, "monte_carlo")


def _moments(stratum: Stratum, key: jax.Array, batch: tuple[int, ...], method: MonteCarlo, dtype: Any) -> Moments:
    """Goes through the blocks; in reverse mode each block is computed again, and nothing of it is kept."""
    n = method.num_samples
    width = max(1, math.prod(batch) * math.prod(_density.event_shape(stratum.density)))
    size = method.block_size or max(256, _NUMBERS // width)
    num_blocks = -(-n // size)
    size = -(-n // num_blocks)
    tail = _pareto.tail_size(n)

    def block(kept: Moments | None, index: jax.Array) -> tuple[Moments, None]:
        x = _strata.aligned_draws(stratum.density, jax.random.fold_in(key, index), size, batch)
        # Blocks that come out even have a mask that is known while compiling, and so costs nothing.
        even = jnp.ones(size, bool)
        counts = even if size * num_blocks == n else jnp.arange(size, dtype=jnp.int32) < n - index * size
        mask = jnp.broadcast_to(counts.reshape(-1, *(1,) * len(batch)), (size, *batch))
        new = _reduced(stratum.evaluate(x, mask.astype(dtype), (size, *batch)), mask, kept)
        return _merged(kept, new, tail), None

    first, _ = block(None, jnp.zeros((), jnp.int32))
    if num_blocks == 1:
        return first
    return jax.lax.scan(jax.checkpoint(block), first, jnp.arange(1, num_blocks, dtype=jnp.int32))[0]


def _reduced(draws: Draws, mask: jax.Array, kept: Moments | None) -> Moments:
    """The moments of one block, and its numbers, of which the largest are to be kept."""
    values, zero = fixed(draws.values), jnp.zeros_like(draws.values)
    infinite = mask & (values == jnp.inf)
    finite = jnp.where(mask & ~infinite, values, zero)
    count = jnp.sum(mask, axis=0).astype(values.dtype)
    mean = jnp.sum(finite, axis=0) / count
    deviations = jnp.where(mask, finite - mean[None], zero)
    surrogate = jnp.sum(jnp.where(mask, draws.surrogate, zero), axis=0)
    # The tail is that of the distances from a centre, a median of the first draws; roundings are no tail.
    centre = (jnp.sort(finite[:_FIRST], axis=0)[min(_FIRST, len(finite)) // 2] if kept is None else kept.centre)[None]
    sizes = jnp.where(mask, jnp.abs(values - centre), zero)
    sizes = jnp.where(sizes > 256 * float(jnp.finfo(sizes.dtype).eps) * jnp.abs(centre), sizes, zero)
    weights = ()
    if draws.log_weights is not None:
        log_weights = jnp.where(mask, fixed(draws.log_weights), jnp.full_like(zero, -jnp.inf))
        weights = (*(jax.nn.logsumexp(k * log_weights, axis=0) for k in (1, 2)), log_weights)
    squares = jnp.sum(jnp.square(deviations), axis=0)
    # A maximum of numbers: one of truth values took a fifth of a step of a fit on a CPU.
    some_infinite = jnp.max(jnp.where(mask, values, zero), axis=0) == jnp.inf
    return Moments(count, mean, squares, some_infinite, surrogate, centre[0], sizes, weights)


def _merged(kept: Moments | None, new: Moments, tail: int) -> Moments:
    """The moments of two sets of draws together, by the formula of Chan, Golub and LeVeque."""
    if kept is None:
        shortened = (*new.weights[:2], _top(tail, new.weights[2])) if new.weights else ()
        return new._replace(largest=_top(tail, new.largest), weights=shortened)
    number = kept.number + new.number
    gap = new.mean - kept.mean
    weights = ()
    if new.weights:
        sums = (jnp.logaddexp(a, b) for a, b in zip(kept.weights[:2], new.weights[:2], strict=True))
        weights = (*sums, _top(tail, kept.weights[2], new.weights[2]))
    return Moments(
        number,
        kept.mean + gap * (new.number / number),
        kept.squares + new.squares + jnp.square(gap) * (kept.number * (new.number / number)),
        kept.infinite | new.infinite,
        kept.surrogate + new.surrogate,
        kept.centre,
        _top(tail, kept.largest, new.largest),
        weights,
    )


def _top(tail: int, *parts: jax.Array) -> jax.Array:
    """The largest numbers, one more than the tail has, ascending on axis 0; filled up below where there are fewer."""
    joined = jnp.moveaxis(jnp.concatenate(parts), 0, -1)
    count = min(tail + 1, joined.shape[-1])
    top = jnp.moveaxis(jax.lax.top_k(joined, count)[0], -1, 0)[::-1]
    missing = jnp.broadcast_to(top[:1], (tail + 1 - count, *top.shape[1:]))
    return jnp.concatenate([missing, top])


def _control_variate(
    densities: tuple[Any, ...], batch: tuple[int, ...], method: MonteCarlo, key: jax.Array, dtype: Any
) -> jax.Array:
    """The coefficient of `r - 1` that makes the variance of KL least, by regression on draws of their own."""
    if method.control_variate is not None:
        return jnp.full(batch, method.control_variate, dtype)
    p, q = fixed(densities)
    inside = _is_within(q, p, batch)
    if inside is None or not hasattr(q, "sample"):
        return jnp.zeros(batch, dtype)
    count = min(method.num_samples, max(64, min(_PILOT, _NUMBERS // max(1, math.prod(batch)))))

    def log_ratios(density: Any, key: jax.Array) -> jax.Array:
        x = _strata.aligned_draws(density, key, count, batch)
        return _strata.log_of(q, x, (count, *batch)) - _strata.log_of(p, x, (count, *batch))

    log_ratio, of_q = (log_ratios(*pair) for pair in zip((p, q), jax.random.split(key), strict=True))
    excess = jnp.expm1(log_ratio)
    centred = excess - jnp.mean(excess, axis=0, keepdims=True)
    variance = jnp.mean(jnp.square(centred), axis=0)
    # Equal densities: the always positive form is exactly 0.
    varies = variance > 0
    slope = jnp.mean(centred * log_ratio, axis=0) / jnp.where(varies, variance, jnp.ones_like(variance))
    best = jnp.clip(jnp.where(varies, slope, jnp.where(jnp.all(excess == 0, axis=0), 1.0, 0.0)), 0, 1)
    # Only where r varies little; elsewhere there is little to gain. Draws from p need not show where q has mass and p
    # next to none, so that r is rarely large and then very; draws from q do, and their mean of r - 1 is its variance.
    shape = _pareto.tail_shape(_top(_pareto.tail_size(count), log_ratio))
    steady = (shape < 0.5 * _HEAVY) & (jnp.mean(jnp.expm1(of_q), axis=0) < 0.5)
    usable = inside & steady & jnp.isfinite(best)
    return fixed(jnp.where(usable, best, jnp.zeros_like(best)).astype(dtype))


def _is_within(q: Any, p: Any, batch: tuple[int, ...]) -> jax.Array | None:
    """Whether the support of q lies inside that of p; None where that is not known."""
    supports: list[Any] = [getattr(density, "support", None) for density in (q, p)]
    if all(isinstance(support, Reals) for support in supports):
        return jnp.ones(batch, bool)
    if any(_density.event_shape(density) for density in (q, p)):
        return None
    if not all(isinstance(support, Interval | Integers) for support in supports):
        return None
    (low_q, high_q), (low_p, high_p) = (tuple(map(jnp.asarray, support)) for support in supports)
    dtype = jnp.result_type(float)
    low_q, high_q, low_p, high_p = (
        jnp.broadcast_to(end.astype(dtype), batch) for end in (low_q, high_q, low_p, high_p)
    )
    return (low_p <= low_q) & (high_p >= high_q)
