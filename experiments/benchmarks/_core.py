"""The core measures, on tables and logits."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import optax
from jax.scipy.special import entr, rel_entr, xlogy
from scipy import stats
from scipy.spatial.distance import jensenshannon

import jaxinfo
from experiments.benchmarks._case import Case, Function
from jaxinfo import logits


def _log_softmaxes(f: Function) -> Function:
    return lambda p, q: f(jax.nn.log_softmax(p), jax.nn.log_softmax(q))


def jensen_shannon(p: jax.Array, q: jax.Array) -> jax.Array:
    m = 0.5 * (p + q)
    return 0.5 * (rel_entr(p, m) + rel_entr(q, m)).sum(-1)


def _jensen_shannon_logs(log_p: jax.Array, log_q: jax.Array) -> jax.Array:
    log_m = jnp.logaddexp(log_p, log_q) - jnp.log(2.0)
    return 0.5 * (jnp.exp(log_p) * (log_p - log_m) + jnp.exp(log_q) * (log_q - log_m)).sum(-1)


def _product(p: jax.Array) -> jax.Array:
    return p.sum(-2, keepdims=True) * p.sum(-1, keepdims=True)


def _conditional_information(p: jax.Array) -> jax.Array:
    p_xz, p_yz, p_z = p.sum(-2, keepdims=True), p.sum(-3, keepdims=True), p.sum((-3, -2), keepdims=True)
    return rel_entr(p, p_xz * p_yz / p_z).sum((-3, -2, -1))


def _joint(log_p: jax.Array) -> jax.Array:
    return jax.nn.log_softmax(log_p, axis=(-2, -1))


def _information_logs(z: jax.Array) -> jax.Array:
    log_p = _joint(z)
    log_x, log_y = jax.nn.logsumexp(log_p, -1, keepdims=True), jax.nn.logsumexp(log_p, -2, keepdims=True)
    return (jnp.exp(log_p) * (log_p - log_x - log_y)).sum((-2, -1))


def _density_logs(z: jax.Array) -> jax.Array:
    log_p = _joint(z)
    return log_p - jax.nn.logsumexp(log_p, -1, keepdims=True) - jax.nn.logsumexp(log_p, -2, keepdims=True)


def _conditional_entropy_logs(z: jax.Array) -> jax.Array:
    log_p = _joint(z)
    return -(jnp.exp(log_p) * (log_p - jax.nn.logsumexp(log_p, -2, keepdims=True))).sum((-2, -1))


def _conditional_information_logs(z: jax.Array) -> jax.Array:
    log_p = jax.nn.log_softmax(z, axis=(-3, -2, -1))
    log_xz, log_yz = jax.nn.logsumexp(log_p, -2, keepdims=True), jax.nn.logsumexp(log_p, -3, keepdims=True)
    log_z = jax.nn.logsumexp(log_p, (-3, -2), keepdims=True)
    return (jnp.exp(log_p) * (log_p + log_z - log_xz - log_yz)).sum((-3, -2, -1))


def _entropy_logs(z: jax.Array) -> jax.Array:
    log_p = jax.nn.log_softmax(z)
    return -(jnp.exp(log_p) * log_p).sum(-1)


def _binary_entropy_odds(t: jax.Array) -> jax.Array:
    return jax.nn.softplus(t) - t * jax.nn.sigmoid(t)


TABLES = (
    Case("surprisal", jaxinfo.surprisal, {"-log": lambda p: -jnp.log(p)}, "p"),
    Case(
        "entropy",
        jaxinfo.entropy,
        {"entr": lambda p: entr(p).sum(-1)},
        "p",
        host={"scipy": lambda p: stats.entropy(p, axis=-1)},
    ),
    Case("perplexity", jaxinfo.perplexity, {"entr": lambda p: jnp.exp(entr(p).sum(-1))}, "p"),
    Case("binary_entropy", jaxinfo.binary_entropy, {"entr": lambda p: entr(p) + entr(1 - p)}, "p"),
    Case("cross_entropy", jaxinfo.cross_entropy, {"xlogy": lambda p, q: -xlogy(p, q).sum(-1)}),
    Case(
        "kl_divergence",
        jaxinfo.kl_divergence,
        {
            "rel_entr": lambda p, q: rel_entr(p, q).sum(-1),
            "optax": lambda p, q: optax.losses.kl_divergence(jnp.log(q), p),
        },
        host={"scipy": lambda p, q: stats.entropy(p, q, axis=-1)},
    ),
    Case(
        "jeffreys_divergence",
        jaxinfo.jeffreys_divergence,
        {"rel_entr": lambda p, q: (rel_entr(p, q) + rel_entr(q, p)).sum(-1)},
    ),
    Case(
        "jensen_shannon_divergence",
        jaxinfo.jensen_shannon_divergence,
        {"rel_entr": jensen_shannon},
        host={"scipy": lambda p, q: jensenshannon(p, q, axis=-1) ** 2},
    ),
    Case(
        "jensen_shannon_distance",
        jaxinfo.jensen_shannon_distance,
        {"rel_entr": lambda p, q: jnp.sqrt(jensen_shannon(p, q))},
    ),
    Case(
        "is_absolutely_continuous",
        jaxinfo.is_absolutely_continuous,
        {"where": lambda p, q: jnp.where((p > 0) & (q == 0), False, True).all(-1)},
        differentiable=False,
    ),
    Case(
        "joint_entropy",
        lambda p: jaxinfo.joint_entropy(p, axis=(-2, -1)),
        {"entr": lambda p: entr(p).sum((-2, -1))},
        "p2",
    ),
    Case(
        "conditional_entropy",
        jaxinfo.conditional_entropy,
        {"entr": lambda p: entr(p).sum((-2, -1)) - entr(p.sum(-2)).sum(-1)},
        "p2",
    ),
    Case(
        "mutual_information",
        jaxinfo.mutual_information,
        {"rel_entr": lambda p: rel_entr(p, _product(p)).sum((-2, -1))},
        "p2",
    ),
    Case(
        "pointwise_mutual_information",
        jaxinfo.pointwise_mutual_information,
        {"log": lambda p: jnp.log(p / _product(p))},
        "p2",
    ),
    Case(
        "conditional_mutual_information",
        jaxinfo.conditional_mutual_information,
        {"rel_entr": _conditional_information},
        "p3",
    ),
)


LOGITS = (
    Case("logits.surprisal", logits.surprisal, {"log_softmax": lambda z: -jax.nn.log_softmax(z)}, "z"),
    Case("logits.entropy", logits.entropy, {"log_softmax": _entropy_logs}, "z"),
    Case("logits.perplexity", logits.perplexity, {"log_softmax": lambda z: jnp.exp(_entropy_logs(z))}, "z"),
    Case("logits.binary_entropy", logits.binary_entropy, {"softplus": _binary_entropy_odds}, "z"),
    Case(
        "logits.cross_entropy",
        logits.cross_entropy,
        {
            "log_softmax": _log_softmaxes(lambda p, q: -(jnp.exp(p) * q).sum(-1)),
            "optax": lambda p, q: optax.losses.softmax_cross_entropy(q, jax.nn.softmax(p)),
        },
        "zz",
    ),
    Case(
        "logits.kl_divergence",
        logits.kl_divergence,
        {
            "log_softmax": _log_softmaxes(lambda p, q: (jnp.exp(p) * (p - q)).sum(-1)),
            "optax": _log_softmaxes(lambda p, q: optax.losses.kl_divergence_with_log_targets(q, p)),
        },
        "zz",
    ),
    Case(
        "logits.jeffreys_divergence",
        logits.jeffreys_divergence,
        {"log_softmax": _log_softmaxes(lambda p, q: ((jnp.exp(p) - jnp.exp(q)) * (p - q)).sum(-1))},
        "zz",
    ),
    Case(
        "logits.jensen_shannon_divergence",
        logits.jensen_shannon_divergence,
        {"log_softmax": _log_softmaxes(_jensen_shannon_logs)},
        "zz",
    ),
    Case(
        "logits.jensen_shannon_distance",
        logits.jensen_shannon_distance,
        {"log_softmax": _log_softmaxes(lambda p, q: jnp.sqrt(_jensen_shannon_logs(p, q)))},
        "zz",
    ),
    Case(
        "logits.cross_entropy_from_probs",
        logits.cross_entropy_from_probs,
        {
            "log_softmax": lambda p, z: -(p * jax.nn.log_softmax(z)).sum(-1),
            "optax": lambda p, z: optax.losses.softmax_cross_entropy(z, p),
        },
        "pz",
    ),
    Case(
        "logits.cross_entropy_from_labels",
        logits.cross_entropy_from_labels,
        {"optax": lambda y, z: optax.losses.softmax_cross_entropy_with_integer_labels(z, y)},
        "yz",
    ),
    Case(
        "logits.kl_divergence_from_probs",
        logits.kl_divergence_from_probs,
        {
            "log_softmax": lambda p, z: (p * (jnp.log(p) - jax.nn.log_softmax(z))).sum(-1),
            "optax": lambda p, z: optax.losses.kl_divergence(jax.nn.log_softmax(z), p),
        },
        "pz",
    ),
    Case(
        "logits.joint_entropy",
        lambda z: logits.joint_entropy(z, axis=(-2, -1)),
        {"log_softmax": lambda z: -(jnp.exp(_joint(z)) * _joint(z)).sum((-2, -1))},
        "z2",
    ),
    Case("logits.conditional_entropy", logits.conditional_entropy, {"log_softmax": _conditional_entropy_logs}, "z2"),
    Case("logits.mutual_information", logits.mutual_information, {"log_softmax": _information_logs}, "z2"),
    Case(
        "logits.pointwise_mutual_information", logits.pointwise_mutual_information, {"log_softmax": _density_logs}, "z2"
    ),
    Case(
        "logits.conditional_mutual_information",
        logits.conditional_mutual_information,
        {"log_softmax": _conditional_information_logs},
        "z3",
    ),
    Case(
        "logits.is_absolutely_continuous",
        logits.is_absolutely_continuous,
        {"where": lambda p, q: jnp.where((p > -jnp.inf) & (q == -jnp.inf), False, True).all(-1)},
        "zz",
        differentiable=False,
    ),
)
