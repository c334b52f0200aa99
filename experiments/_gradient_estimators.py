"""The estimators that `gradient_estimators` compares, as functions of draws."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import jax

from jaxinfo import densities
from jaxinfo.densities import DoublyReparameterized, MonteCarlo, Reparameterized, ScoreFunction, StickingTheLanding
from jaxinfo.projections import Alpha, ForwardKL, Renyi, ReverseKL, SelfNormalizedImportance, UnnormalizedLogProb

# Of the target, the approximation, a key and the number of draws.
Value = Callable[[Any, Any, jax.Array, int], jax.Array]


@dataclasses.dataclass(frozen=True)
class Estimator:
    """A way to estimate the gradient of a divergence."""

    direction: str
    name: str
    value: Value
    # Draws for each one that is asked for.
    cost: int = 1
    unbiased: bool = True
    # From this scale on, in that of the target's tails, which is 1, the variance is infinite whatever draws say.
    widest: float = math.inf


def make_estimators(order: float) -> list[Estimator]:
    """Returns all estimators, in the order of the figure."""
    reparameterized, score = Reparameterized(), ScoreFunction()
    landing, doubly = StickingTheLanding(), DoublyReparameterized()
    reverse, forward, alpha, renyi = "reverse KL", "forward KL", "alpha", "Rényi"
    return [
        Estimator(reverse, "score function", _of_kl(ReverseKL(), score)),
        Estimator(reverse, "reparameterised", _of_kl(ReverseKL(), reparameterized)),
        Estimator(reverse, "reparameterised, control variate", _of_kl(ReverseKL(), reparameterized, control=1.0)),
        Estimator(reverse, "sticking the landing", _of_kl(ReverseKL(), landing)),
        Estimator(forward, "draws of the target", _of_kl(ForwardKL(), reparameterized)),
        Estimator(
            forward,
            "draws of the target, control variate",
            _of_kl(ForwardKL(), reparameterized, control=1.0),
            widest=math.sqrt(2),  # that of q^2 / p
        ),
        Estimator(forward, "self-normalised importance", _self_normalized, unbiased=False),
        Estimator(alpha, "score function", _of_alpha(order, score)),
        Estimator(alpha, "reparameterised", _of_alpha(order, reparameterized)),
        Estimator(alpha, "doubly reparameterised", _of_alpha(order, doubly)),
        Estimator(alpha, "draws of both", _of_both(order), cost=2),
        Estimator(renyi, "score function", _of_renyi(order, score), unbiased=False),
        Estimator(renyi, "reparameterised", _of_renyi(order, reparameterized), unbiased=False),
        Estimator(renyi, "doubly reparameterised", _of_renyi(order, doubly), unbiased=False),
    ]


def _of_kl(divergence: Any, gradient: Any, control: float = 0.0) -> Value:
    def value(p: Any, q: Any, key: jax.Array, n: int) -> jax.Array:
        return divergence.estimate(p, q, method=MonteCarlo(key, n, gradient, control_variate=control)).value

    return value


def _self_normalized(p: Any, q: Any, key: jax.Array, n: int) -> jax.Array:
    """By draws from the approximation itself, with weights in which the target's constant is unknown."""
    return ForwardKL().estimate(UnnormalizedLogProb(p.log_prob), q, method=SelfNormalizedImportance(key, n)).value


def _of_alpha(alpha: float, gradient: Any) -> Value:
    """By draws from the approximation, which is the first argument if the order is reversed; the target has none."""

    def value(p: Any, q: Any, key: jax.Array, n: int) -> jax.Array:
        return densities.alpha_divergence(q, p.log_prob, 1 - alpha, method=MonteCarlo(key, n, gradient)).value

    return value


def _of_both(alpha: float) -> Value:
    def value(p: Any, q: Any, key: jax.Array, n: int) -> jax.Array:
        return Alpha(alpha).estimate(p, q, method=MonteCarlo(key, n, Reparameterized())).value

    return value


def _of_renyi(alpha: float, gradient: Any) -> Value:
    def value(p: Any, q: Any, key: jax.Array, n: int) -> jax.Array:
        target = UnnormalizedLogProb(p.log_prob)
        return Renyi(alpha).estimate(target, q, method=MonteCarlo(key, n, gradient)).value

    return value
