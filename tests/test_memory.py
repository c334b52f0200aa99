"""A sum over a table needs no second table: XLA on a CPU computes the terms as it adds them, if they are written so."""

import jax
import jax.numpy as jnp
import pytest

import jaxinfo
from jaxinfo import logits

SHAPE = (4096, 512)
MEASURES = {
    "entropy": (jaxinfo.entropy, "p"),
    "cross_entropy": (jaxinfo.cross_entropy, "pp"),
    "kl_divergence": (jaxinfo.kl_divergence, "pp"),
    "jeffreys_divergence": (jaxinfo.jeffreys_divergence, "pp"),
    "jensen_shannon_divergence": (jaxinfo.jensen_shannon_divergence, "pp"),
    "is_absolutely_continuous": (jaxinfo.is_absolutely_continuous, "pp"),
    "conditional_entropy": (jaxinfo.conditional_entropy, "j"),
    "mutual_information": (jaxinfo.mutual_information, "j"),
    "shannon": (lambda p: jaxinfo.shannon("n x y -> n I(x; y), n H(x), n H(x y)", p), "j"),
    "logits.entropy": (logits.entropy, "p"),
    "logits.cross_entropy": (logits.cross_entropy, "pp"),
    "logits.cross_entropy_from_labels": (logits.cross_entropy_from_labels, "yp"),
    "logits.kl_divergence": (logits.kl_divergence, "pp"),
    "logits.kl_divergence_from_probs": (logits.kl_divergence_from_probs, "pp"),
    "logits.conditional_entropy": (logits.conditional_entropy, "j"),
    "logits.shannon": (lambda z: logits.shannon("n x y -> n H(x y), n H(x | y)", z), "j"),
}


def shaped(kind):
    joint = (SHAPE[0], 32, SHAPE[1] // 32)
    return {
        "p": jax.ShapeDtypeStruct(SHAPE, jnp.float32),
        "j": jax.ShapeDtypeStruct(joint, jnp.float32),
        "y": jax.ShapeDtypeStruct(SHAPE[:1], jnp.int32),
    }[kind]


@pytest.mark.parametrize("name", MEASURES)
def test_no_table_is_written_out(name):
    measure, kinds = MEASURES[name]
    compiled = jax.jit(measure).lower(*map(shaped, kinds)).compile()
    table = SHAPE[0] * SHAPE[1] * 4
    # Marginals and other results of rows are allowed, in all at most half a table here.
    assert compiled.memory_analysis().temp_size_in_bytes < table / 2
