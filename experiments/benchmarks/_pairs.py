"""All pairs of tables, and tables of uneven length."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.scipy.special import entr, rel_entr
from scipy.spatial.distance import cdist

import jaxinfo
from experiments.benchmarks._case import Case, Function
from experiments.benchmarks._core import jensen_shannon
from jaxinfo import logits


def _matmul(p: jax.Array, q: jax.Array) -> jax.Array:
    return jnp.matmul(p, q.T, precision=jax.lax.Precision.HIGHEST)


def _broadcast(f: Function) -> Function:
    """The formula on all pairs at once, which writes out N M K terms."""
    return lambda p, q: f(p[:, None], q[None])


def _hellinger(p: jax.Array, q: jax.Array) -> jax.Array:
    return jnp.sqrt(0.5 * jnp.square(jnp.sqrt(p) - jnp.sqrt(q)).sum(-1))


MANY_PAIRS, FEW_PAIRS = ((4096, 512),), ((512, 512),)


PAIRS = (
    Case("pairwise_cross_entropy", jaxinfo.pairwise_cross_entropy, {"matmul": _matmul}, shapes=MANY_PAIRS),
    Case("pairwise_kl_divergence", jaxinfo.pairwise_kl_divergence, {"matmul": _matmul}, shapes=MANY_PAIRS),
    Case(
        "pairwise_kl_divergence(p, p)",
        lambda p: jaxinfo.pairwise_kl_divergence(p, p),
        {"matmul": lambda p: _matmul(p, p)},
        "p",
        shapes=MANY_PAIRS,
    ),
    Case("logits.pairwise_kl_divergence", logits.pairwise_kl_divergence, {"matmul": _matmul}, "zz", shapes=MANY_PAIRS),
    Case(
        "pairwise_hellinger_distance",
        jaxinfo.pairwise_hellinger_distance,
        {"matmul": _matmul},
        differentiable=False,  # its gradient takes blocks: below, on fewer pairs
        shapes=MANY_PAIRS,
    ),
    Case(
        "pairwise_kl_divergence, few",
        jaxinfo.pairwise_kl_divergence,
        {"broadcast": _broadcast(lambda p, q: rel_entr(p, q).sum(-1))},
        shapes=FEW_PAIRS,
    ),
    Case(
        "pairwise_jensen_shannon_divergence",
        jaxinfo.pairwise_jensen_shannon_divergence,
        {"broadcast": _broadcast(jensen_shannon)},
        host={"cdist": lambda p, q: cdist(p, q, "jensenshannon") ** 2},
        shapes=FEW_PAIRS,
    ),
    Case(
        "pairwise_hellinger_distance, few",
        jaxinfo.pairwise_hellinger_distance,
        {"broadcast": _broadcast(_hellinger)},
        host={"cdist": lambda p, q: cdist(p**0.5, q**0.5) / 2**0.5},
        shapes=FEW_PAIRS,
    ),
    Case(
        "pairwise_total_variation",
        jaxinfo.pairwise_total_variation,
        {"broadcast": _broadcast(lambda p, q: 0.5 * jnp.abs(p - q).sum(-1))},
        host={"cdist": lambda p, q: cdist(p, q, "cityblock") / 2},
        shapes=FEW_PAIRS,
    ),
)


def _segment_softmax(z: jax.Array, ids: jax.Array, number: int) -> jax.Array:
    away = z - jax.ops.segment_max(z, ids, number)[ids]
    return away - jnp.log(jax.ops.segment_sum(jnp.exp(away), ids, number))[ids]


def _segment_kl_logs(p: jax.Array, q: jax.Array, ids: jax.Array) -> jax.Array:
    number = p.size // 128
    log_p, log_q = _segment_softmax(p, ids, number), _segment_softmax(q, ids, number)
    return jax.ops.segment_sum(jnp.exp(log_p) * (log_p - log_q), ids, number)


RAGGED = ((10_000, 128),)


SEGMENTS = (
    Case(
        "segment_entropy",
        lambda p, ids: jaxinfo.segment_entropy(p, ids, num_segments=p.size // 128),
        {"entr": lambda p, ids: jax.ops.segment_sum(entr(p), ids, p.size // 128)},
        "fi",
        shapes=RAGGED,
    ),
    Case(
        "segment_kl_divergence",
        lambda p, q, ids: jaxinfo.segment_kl_divergence(p, q, ids, num_segments=p.size // 128),
        {"rel_entr": lambda p, q, ids: jax.ops.segment_sum(rel_entr(p, q), ids, p.size // 128)},
        "ffi",
        shapes=RAGGED,
    ),
    Case(
        "logits.segment_kl_divergence",
        lambda p, q, ids: logits.segment_kl_divergence(p, q, ids, num_segments=p.size // 128),
        {"log_softmax": _segment_kl_logs},
        "ggi",
        shapes=RAGGED,
    ),
)
