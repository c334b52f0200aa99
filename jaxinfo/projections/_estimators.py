"""Estimates of divergences that `jaxinfo.densities` does not make: of targets that are no normalised densities."""

import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp

from jaxinfo import densities
from jaxinfo._pytrees import register_dataclass
from jaxinfo.densities import (
    ClosedForm,
    DoublyReparameterized,
    Estimate,
    ExactSum,
    GaussHermite,
    MonteCarlo,
    Quadrature,
    Reparameterized,
    ScoreFunction,
    _pareto,
    _strata,
    _terms,
)
from jaxinfo.densities._exact_sum import error_of_finished
from jaxinfo.densities._measure import known_formula
from jaxinfo.generators import jeffreys
from jaxinfo.projections._targets import Samples, UnnormalizedLogProb

fixed = jax.lax.stop_gradient
# Weights with a heavier tail than this have a standard error that cannot be trusted.
_TOO_HEAVY = 0.7


@register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class SelfNormalizedImportance:
    r"""Draws from a proposal, weighted, with weights that are divided by their mean.

    The weights are $\tilde p / r$, with r the proposal. It makes any divergence of a target whose constant is unknown:
    with its estimate $\hat Z$, the mean of the weights,

    .. math:: \hat D = \frac{1}{n} \sum_i \frac{q(x_i)}{r(x_i)} \, f\Big(\frac{\tilde p(x_i)}{\hat Z q(x_i)}\Big)

    Draws and weights are held fixed in derivatives. The value is consistent, with a bias of the order of `1 / n`.
    Diagnostics: `effective_sample_size` and `pareto_k` of the weights, and whether the error is `reliable`.

    Args:
      key: a PRNG key.
      num_samples: n.
      proposal: a density that can be sampled and has heavier tails than the target; None is the approximation as it
        is at each step, which finds only what it already covers.

    Raises:
      ValueError: if `num_samples` is not an integer of at least 2.

    Reference: A. B. Owen, "Monte Carlo Theory, Methods and Examples", 2013, chapter 9.

    >>> import jax
    >>> import jax.numpy as jnp
    >>> from jaxinfo.distributions import Normal
    >>> from jaxinfo.projections import ForwardKL, SelfNormalizedImportance, UnnormalizedLogProb
    >>> method = SelfNormalizedImportance(jax.random.key(0), 10_000, Normal(0.0, 2.0))
    >>> target = UnnormalizedLogProb(lambda x: 3.0 - 0.5 * x**2)
    >>> estimate = ForwardKL().estimate(target, Normal(1.0, 1.0), method=method)
    >>> abs(float(estimate.value) - 0.5) < 4 * float(estimate.stderr)
    True
    """

    key: jax.Array
    num_samples: int = dataclasses.field(metadata={"static": True})
    proposal: Any = None

    def __post_init__(self) -> None:
        """Checks what is static."""
        count = self.num_samples
        if not isinstance(count, int) or isinstance(count, bool) or count < 2:
            raise ValueError(
                f"SelfNormalizedImportance: num_samples must be an integer of at least 2, got {self.num_samples!r}"
            )


Method = ClosedForm | ExactSum | Quadrature | GaussHermite | MonteCarlo | SelfNormalizedImportance


def importance(term: _terms.Divergence, target: Any, q: Any, method: SelfNormalizedImportance) -> Estimate:
    """Returns the integral of a divergence's term, which is homogeneous in the two densities, over draws."""
    proposal = fixed(q if method.proposal is None else method.proposal)
    batch = jnp.broadcast_shapes(*(tuple(getattr(d, "batch_shape", ())) for d in (target, q, proposal)))
    shape = (method.num_samples, *batch)
    x = fixed(_strata.aligned_draws(proposal, method.key, method.num_samples, batch))
    log_proposal = fixed(_strata.log_of(proposal, x, shape))
    log_weights = fixed(_strata.log_of(target, x, shape)) - log_proposal
    if isinstance(target, UnnormalizedLogProb):
        log_weights = log_weights - (jax.nn.logsumexp(log_weights, axis=0) - jnp.log(1.0 * method.num_samples))[None]
    log_ratio = _strata.log_of(q, x, shape) - log_proposal
    values = term.value(log_weights, log_ratio)
    mean = jnp.mean(values, axis=0)
    influence = values - mean[None]
    if isinstance(target, UnnormalizedLogProb):
        # What the draws that make the constant add to the error, to first order.
        slope = jax.jvp(lambda log: term.value(log, fixed(log_ratio)), (log_weights,), (jnp.ones_like(values),))[1]
        influence = influence - jnp.mean(slope, axis=0)[None] * jnp.expm1(log_weights)
    error = fixed(jnp.sqrt(jnp.mean(jnp.square(influence), axis=0) / (method.num_samples - 1)))
    return Estimate(
        term.finish(mean), error_of_finished(term, fixed(mean), error), _weights(log_weights, error), "importance"
    )


def _weights(log_weights: jax.Array, error: jax.Array) -> dict[str, jax.Array]:
    """What the weights say about the error: how many draws count, and how heavy their tail is."""
    top = jnp.sort(log_weights, axis=0)[-_pareto.tail_size(len(log_weights)) - 1 :]
    shape = _pareto.tail_shape(top)
    once, twice = (jax.nn.logsumexp(k * log_weights, axis=0) for k in (1, 2))
    reliable = (shape < _TOO_HEAVY) & jnp.isfinite(error)
    return {"pareto_k": shape, "effective_sample_size": jnp.exp(2 * once - twice), "reliable": reliable}


def likelihood(target: Samples, q: Any, method: Any, key: Any) -> Estimate:
    """Returns the cross-entropy of weighted samples; by `MonteCarlo`, over some of them at a time."""
    if key is not None or not (method is None or isinstance(method, MonteCarlo)):
        raise TypeError(f"ForwardKL of Samples takes method=None or MonteCarlo(key, ...), got {method!r}, key={key!r}")
    x = jnp.asarray(target.x)
    event = tuple(getattr(q, "event_shape", ()))
    axis = x.ndim - len(event) - 1
    count = x.shape[axis]
    weights = target.shares(jnp.result_type(float), count)
    if isinstance(method, MonteCarlo):
        if axis or weights.ndim > 1:
            raise ValueError("ForwardKL of Samples: MonteCarlo takes one set of samples at a time; map over sets")
        chosen = jax.random.choice(method.key, count, (method.num_samples,), p=weights)
        x, weights = x[chosen], jnp.full(method.num_samples, 1 / method.num_samples, weights.dtype)
    x = jnp.moveaxis(x, axis, 0)
    batch = jnp.broadcast_shapes(tuple(getattr(q, "batch_shape", ())), x.shape[1 : x.ndim - len(event)])
    log_probs = jnp.broadcast_to(q.log_prob(_aligned(x, batch, event)), (len(x), *batch))
    shares = jnp.moveaxis(weights, -1, 0).astype(log_probs.dtype)
    shares = jnp.broadcast_to(
        shares.reshape(-1, *(1,) * (len(batch) + 1 - shares.ndim), *shares.shape[1:]), (len(x), *batch)
    )
    present = shares > 0
    terms = jnp.where(present, -log_probs, jnp.zeros_like(log_probs))
    value = jnp.sum(shares * terms, axis=0)
    # Of a mean with given weights: each draw counts by the square of its own.
    spread = jnp.sum(jnp.square(shares * (terms - value[None])), axis=0) * (len(x) / max(len(x) - 1, 1))
    return Estimate(value, fixed(jnp.sqrt(spread)), {}, "samples")


def _aligned(x: jax.Array, batch: tuple[int, ...], event: tuple[int, ...]) -> jax.Array:
    missing = len(batch) + 1 + len(event) - x.ndim
    return x.reshape(x.shape[0], *(1,) * missing, *x.shape[1:])


def negative_evidence(target: UnnormalizedLogProb, q: Any, method: Any, key: Any) -> Estimate:
    """Returns the mean of `log q - log p~` under q: KL(q‖p) less the logarithm of the constant."""
    if isinstance(method, MonteCarlo):
        # Its plain form has no part whose mean would be 0 if the target were normalised.
        return densities.kl_divergence(q, target.log_prob, method=dataclasses.replace(method, control_variate=0.0))
    energy = densities.cross_entropy(q, target.log_prob, method=method, key=key)
    if energy.method == "monte_carlo":
        return densities.kl_divergence(q, target.log_prob, key=key)
    entropy = densities.entropy(q, method=None if isinstance(method, ClosedForm) else method)
    return _sum(energy, -1.0, entropy)


def renyi_bound(target: UnnormalizedLogProb, q: Any, order: Any, method: MonteCarlo) -> Estimate:
    r"""Returns `log(mean w^a) / (a - 1)` with `w = p~ / q` over draws from q.

    Of its derivative through the draws half can be left out, whose mean is known from the other half: what remains is
    `-a sum v_i d log w_i`, with the density of q held fixed and `v` proportional to `w^a`.
    """
    shape = (method.num_samples, *tuple(getattr(q, "batch_shape", ())))
    order = jnp.asarray(order, jnp.result_type(float))
    a = jnp.where(order == 1, jnp.full_like(order, jnp.nan), order)
    x = _strata.aligned_draws(q, method.key, method.num_samples, shape[1:])
    kind = method.gradient or Reparameterized()
    x = fixed(x) if isinstance(kind, ScoreFunction) else x
    log_q = _strata.log_of(q, x, shape)
    log_weights = _strata.log_of(target, x, shape) - log_q
    powers = a.astype(log_q.dtype) * log_weights
    log_mean = jax.nn.logsumexp(powers, axis=0) - jnp.log(1.0 * method.num_samples)
    shares = fixed(jax.nn.softmax(powers, axis=0))
    if isinstance(kind, ScoreFunction):
        slope = -jnp.sum((shares - 1 / method.num_samples) * log_q, axis=0)
    elif isinstance(kind, DoublyReparameterized):
        path = _strata.log_of(target, x, shape) - _strata.log_of(fixed(q), x, shape)
        slope = -a * jnp.sum(shares * path, axis=0)
    else:
        slope = log_mean / (a - 1)
    value = fixed(log_mean / (a - 1))
    variance = jnp.sum(jnp.square(shares - 1 / method.num_samples), axis=0)
    error = fixed(jnp.sqrt(variance) / jnp.abs(a - 1))
    return Estimate(value + (slope - fixed(slope)), error, _weights(fixed(powers), error), "monte_carlo")


def scaled(factor: float, estimate: Estimate) -> Estimate:
    """Returns an estimate times a positive number."""
    errors = {k: factor * v for k, v in estimate.diagnostics.items() if k.endswith("_error")}
    diagnostics = estimate.diagnostics | errors
    return Estimate(factor * estimate.value, factor * estimate.stderr, diagnostics, estimate.method)


def both_directions(p: Any, q: Any, **how: Any) -> Estimate:
    """Returns `D(p‖q) + D(q‖p)`: of two closed forms where there are, otherwise of one integral."""
    known = [known_formula("kl_divergence", *pair) for pair in ((p, q), (q, p))]
    method = how.get("method")
    if None in known or not (method is None or isinstance(method, ClosedForm)):
        return densities.f_divergence(p, q, jeffreys(), **how)
    forward, backward = (densities.kl_divergence(*pair, **how) for pair in ((p, q), (q, p)))
    return _sum(forward, 1.0, backward)


def _sum(first: Estimate, sign: float, second: Estimate) -> Estimate:
    """The sum, or difference, of two estimates whose bounds add up."""
    shared = first.diagnostics.keys() & second.diagnostics.keys()
    joined = {
        name: functools.reduce(jnp.logical_and if flag else jnp.add, parts)
        for name in shared
        if (flag := jnp.issubdtype((parts := [e.diagnostics[name] for e in (first, second)])[0].dtype, jnp.bool_))
        or name.endswith("_error")
    }
    diagnostics = first.diagnostics | second.diagnostics | joined
    name = second.method if first.method == "closed_form" else first.method
    return Estimate(first.value + sign * second.value, first.stderr + second.stderr, diagnostics, name)
