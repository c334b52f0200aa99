"""Masses by hand on two contexts, the teacher against counts, and the files of a short run."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from experiments import distillation
from experiments.distillation import Config, Teacher
from tests.marks import once


@pytest.fixture(scope="module", autouse=True)
def _as_users_have_it():
    """Optax and Flax are not written for strict types and shapes."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    config = Config(smoke=True, output=tmp_path_factory.mktemp("distillation"))
    return config, distillation.main(config)


@once
def test_judge_by_hand():
    """Of three outcomes the student has next to nothing of one, and one that the teacher hardly has."""
    p = np.array([[0.5, 0.49, 0.01], [0.25, 0.25, 0.5]])
    q = np.array([[0.7, 0.02, 0.28], [0.25, 0.25, 0.5]])
    shares = np.array([0.75, 0.25])
    teacher = Teacher(("a", "b"), "xyz", jnp.log(jnp.asarray(p)), jnp.asarray(shares), "")
    found = distillation.judge(teacher, jnp.log(jnp.asarray(q)))
    expected = {
        "mass_missed": 0.75 * 0.49,
        "mass_invented": 0.75 * 0.28,
        "entropy": shares @ -np.sum(q * np.log(q), axis=1),
        "forward_kl": shares @ np.sum(p * np.log(p / q), axis=1),
        "reverse_kl": shares @ np.sum(q * np.log(q / p), axis=1),
        "total_variation": 0.75 * 0.47,
        "contexts_with_more_entropy": 0.0,
    }
    for name, value in expected.items():
        assert float(found[name]) == pytest.approx(value, abs=1e-6), name
    # A tenth is not less than a tenth.
    edge = Teacher(("a",), "xy", jnp.log(jnp.array([[0.5, 0.5]])), jnp.ones(1), "")
    assert float(distillation.judge(edge, jnp.log(jnp.array([[0.949, 0.051]])))["mass_missed"]) == 0
    assert float(distillation.judge(edge, jnp.log(jnp.array([[0.951, 0.049]])))["mass_missed"]) == pytest.approx(0.5)


@once
def test_teacher():
    teacher = distillation.make_teacher(Config(num_contexts=32))
    p = np.exp(np.asarray(teacher.log_probs, np.float64))
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)
    assert p.min() > 0
    np.testing.assert_allclose(teacher.shares.sum(), 1, rtol=1e-5)
    assert np.all(np.diff(teacher.shares) <= 0)
    assert all(len(context) == 3 for context in teacher.contexts)
    assert len(set(teacher.contexts)) == 32
    # After "th" preceded by a space an e is likeliest.
    row = p[teacher.contexts.index(" th")]
    assert teacher.alphabet[int(np.argmax(row))] == "e"


@once
def test_both_behaviours(results):
    """On every seed: more entropy than the teacher and little missed under forward, less and much under reverse."""
    _, metrics = results
    of_teacher = metrics["teacher"]["entropy"]
    of = {(row["weight"], row["seed"]): row for row in metrics["rows"]}
    assert len(of) == 3 * 4
    for seed in range(4):
        forward, middle, reverse = (of[w, seed] for w in (0.0, 0.5, 1.0))
        assert forward["entropy"] > of_teacher > reverse["entropy"]
        assert reverse["entropy"] < middle["entropy"] < forward["entropy"]
        assert forward["mass_missed"] < 0.05
        assert reverse["mass_missed"] > 0.1
        assert forward["mass_invented"] > middle["mass_invented"]
        assert forward["forward_kl"] == min(of[w, seed]["forward_kl"] for w in (0.0, 0.5, 1.0))
        # What was minimised is what is judged, but for the last step.
        assert forward["loss"] == pytest.approx(forward["forward_kl"], rel=0.02)
        assert middle["loss"] == pytest.approx(4 * middle["jensen_shannon"], rel=0.02)
        assert reverse["loss"] == pytest.approx(reverse["reverse_kl"], rel=0.02)
    assert metrics["teacher"]["rank_of_logits"] > 2 * 4


@once
def test_files(results):
    config, metrics = results
    assert json.loads((config.output / "metrics.json").read_text()) == metrics
    assert min(metrics["compile_seconds"], metrics["run_seconds"]) > 0
    assert len(metrics["teacher"]["sha256"]) == 64
    with Image.open(config.output / "distillation.png") as image:
        assert min(image.size) > 1000


@once
def test_errors(tmp_path):
    with pytest.raises(ValueError, match="weights must hold 0, 1/2 and 1"):
        distillation.main(Config(weights=(0.0, 1.0), output=tmp_path))
