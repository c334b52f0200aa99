"""Smoothing, coding and the transformer against what is written out by hand, and the files of a short run."""

import bz2
import collections
import dataclasses
import hashlib
import json
import lzma
import math
import pydoc_data.topics
import zlib
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from PIL import Image

from experiments import _arithmetic_coder, _corpus, _ngrams, _transformer, language_model
from experiments.language_model import Config
from tests.marks import once

TEXT = b"the cat sat on the mat, and the other cat sat on the hat; " * 2 + b"a rat ate that."


@pytest.fixture(scope="module", autouse=True)
def _as_users_have_it():
    """Optax and Flax are not written for strict types and shapes."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


@once
def test_corpus():
    corpus = _corpus.load(0.1, 0)
    assert corpus.sha256 == hashlib.sha256(Path(pydoc_data.topics.__file__).read_bytes()).hexdigest()
    whole = sum(len(text.strip().encode()) + 2 for text in pydoc_data.topics.topics.values())
    assert len(corpus.train) + len(corpus.test) == whole
    assert 0.1 * whole <= len(corpus.test) < 0.25 * whole
    for name in corpus.test_topics:
        text = pydoc_data.topics.topics[name].strip()
        assert text in corpus.test.decode()
        assert text not in corpus.train.decode()
    assert _corpus.characters("…ß\n".encode()) == 3


def kneser_ney(text, order):
    """p(byte, context) by the recursion of Chen and Goodman on dictionaries, for one highest order."""
    grams = [collections.Counter(text[i : i + m] for i in range(len(text) - m + 1)) for m in range(1, order + 3)]

    def counts_of(m, highest):
        if highest:
            return grams[m]
        before = collections.Counter()
        for gram in grams[m + 1]:
            before[gram[1:]] += 1
        return before

    def p(byte, context, highest=True):
        m = len(context)
        lower = 1 / 256 if m == 0 else p(byte, context[1:], False)
        counts = counts_of(m, highest)
        of = [max(1, sum(c == i for c in counts.values())) for i in range(1, 5)]
        rate = of[0] / (of[0] + 2 * of[1])

        def discount(c):
            i = min(c, 3)
            return min(i, max(0.1, i - (i + 1) * rate * of[i] / of[i - 1])) if c else 0

        row = {gram[-1]: c for gram, c in counts.items() if gram[:-1] == context}
        total = sum(row.values())
        if not total:
            return lower
        mine = row.get(byte, 0)
        return (mine - discount(mine) + sum(discount(c) for c in row.values()) * lower) / total

    return p


@once
def test_ngrams_by_hand():
    """Every byte of another text, by contexts of each length, known or not."""
    other = b"the rat sat there"
    model = _ngrams.count(TEXT, b"\n", 3)
    found = np.exp2(model.log2_probabilities(other, b"\n"))
    for order in range(4):
        p = kneser_ney(b"\n" + TEXT, order)
        seen = b"\n" + other
        for i in range(3, len(other)):
            # Contexts that never came fall back to the next shorter one, as counts of continuations.
            expected = p(other[i], seen[i + 1 - order : i + 1])
            np.testing.assert_allclose(found[order, i], expected, rtol=1e-12)


@once
def test_ngrams_are_distributions():
    model = _ngrams.count(TEXT, b"\n", 4)
    state = model.start(b"\n")
    rows = model.log2_probabilities(TEXT, b"\n")
    for i, byte in enumerate(TEXT):
        p = model.probabilities(state)
        np.testing.assert_allclose(p.sum(), 1, rtol=1e-12)
        assert p.min() > 0
        np.testing.assert_allclose(np.log2(p[byte]), rows[-1, i], rtol=1e-12)
        state = model.after(state, byte)
    assert np.all(np.diff(-rows.sum(axis=1)) < 0)  # on its own text a longer context only helps


@once
@pytest.mark.parametrize("seed", range(20))
def test_arithmetic_coder(seed):
    """Random texts under random models: between the promise and two bits more, and back."""
    rng = np.random.default_rng(seed)
    tables = _arithmetic_coder.frequencies(rng.dirichlet(np.full(256, 10.0 ** -(seed % 3)), size=7))
    assert np.all(tables >= 1)
    np.testing.assert_array_equal(tables.sum(axis=1), 2**16)
    text = bytes(int(rng.choice(256, p=tables[i % 7] / 2**16)) for i in range(int(rng.integers(0, 60))))
    text += bytes(rng.integers(0, 256, seed % 5).tolist())  # unlikely ones
    rule = {"state": 0, "table": lambda i: tables[i % 7], "after": lambda i, _: i + 1}
    code, promised = _arithmetic_coder.encode(text, **rule)
    expected = sum(16 - math.log2(int(tables[i % 7, byte])) for i, byte in enumerate(text))
    assert promised == pytest.approx(expected, abs=1e-9)
    assert promised - 1e-9 <= len(code) < promised + 2
    assert _arithmetic_coder.decode(code, len(text), **rule) == text


@once
def test_frequencies_follow_probabilities():
    p = np.random.default_rng(0).dirichlet(np.ones(256), size=5)
    rows = _arithmetic_coder.frequencies(p)
    np.testing.assert_allclose(rows / 2**16, p, atol=256 / 2**16)
    sure = np.zeros(256)
    sure[7] = 1
    np.testing.assert_array_equal(_arithmetic_coder.frequencies(sure), np.where(np.arange(256) == 7, 2**16 - 255, 1))


@pytest.fixture(scope="module")
def model():
    return _transformer.Transformer(8, 16, 2, 1, nnx.Rngs(0))


@once
def test_transformer_sees_only_what_came_before(model):
    text = jnp.arange(8, dtype=jnp.int32)
    other = text.at[5:].set(99)
    first, second = _transformer.log2_softmax(model, jnp.stack([text, other]))
    np.testing.assert_array_equal(first[:5], second[:5])
    assert np.all(np.any(first[5:] != second[5:], axis=1))
    np.testing.assert_allclose(np.exp2(first).sum(axis=1), 1, rtol=1e-5)


@once
def test_transformer_loss_and_windows(model):
    text = bytes(range(60, 90))
    windows = jnp.asarray(np.frombuffer(text, np.uint8).astype(np.int32))[None, :9]
    log2 = np.asarray(_transformer.log2_softmax(model, windows[:, :-1]))[0]
    expected = -np.mean([log2[t, text[t + 1]] for t in range(8)]) * math.log(2)
    np.testing.assert_allclose(_transformer.loss(model, windows), expected, rtol=1e-5)
    rows = _transformer.log2_probabilities(model, text[1:], text[:1], 8, 3)
    assert rows.shape == (29, 256)
    np.testing.assert_allclose(rows[:8], log2, atol=1e-5)
    # Byte 15 of the rest is seen from the window that begins four bytes before the half it is in.
    window = jnp.asarray(np.frombuffer(text[8:16], np.uint8).astype(np.int32))[None]
    np.testing.assert_allclose(rows[12:16], np.asarray(_transformer.log2_softmax(model, window))[0, 4:], atol=1e-5)


@once
def test_plug_in_entropies():
    found = language_model.plug_in_entropies(_ngrams.count(TEXT, b"", 2), TEXT)
    blocks = [0.0]
    for m in (1, 2, 3):
        counts = np.array(list(collections.Counter(TEXT[i : i + m] for i in range(len(TEXT) - m + 1)).values()))
        p = counts / counts.sum()
        blocks.append(-np.sum(p * np.log2(p)))
    np.testing.assert_allclose(found, np.diff(blocks), atol=1e-5)


@once
def test_copied_share():
    corpus = _corpus.Corpus(b"x" * 10 + bytes(range(40)), bytes(range(40)) + b"y" * 40, (), "")
    assert language_model.copied_share(corpus) == pytest.approx(0.5)
    assert language_model.copied_share(dataclasses.replace(corpus, test=bytes(range(31)) + b"y" * 31)) == 0


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    config = Config(smoke=True, output=tmp_path_factory.mktemp("language_model"))
    return config, language_model.main(config)


@once
def test_results(results):
    config, metrics = results
    assert json.loads((config.output / "metrics.json").read_text()) == metrics
    corpus = _corpus.load(0.1, 0)
    train, test = corpus.train[:40_000], corpus.test[:4000]
    bits = {(row["method"], row["given"]): row["bits"] for row in metrics["methods"]}
    for name, compress in (("zlib", lambda x: zlib.compress(x, 9)), ("bz2", bz2.compress)):
        assert bits[name, False] == 8 * len(compress(test))
        assert bits[name, True] == 8 * (len(compress(train + test)) - len(compress(train)))
    assert bits["lzma", False] <= 8 * len(lzma.compress(test))
    size = len(test.decode())
    assert all(row["bits_per_character"] == pytest.approx(row["bits"] / size) for row in metrics["methods"])
    assert [row["bits"] for row in metrics["methods"]] == sorted(bits.values())
    # An average is at most one bit for each byte worse than the better of the two.
    better = min(bits["n-grams", True], bits["transformer", True])
    assert bits["n-grams and transformer, averaged", True] <= better + len(test)
    assert bits["n-grams", True] < 8 * len(test)
    assert bits["n-grams", True] == pytest.approx(metrics["ngrams_by_order"][-1] * size)
    first, second = metrics["splits"]
    assert [first["seed"], second["seed"]] == [0, 1]
    for name in ("lzma", "bz2", "zlib", "n-grams"):
        assert first[name] == pytest.approx(bits[name, True] / size)
        assert first[name] != second[name]
    assert first["copied_share"] == metrics["copied_share"]
    for row in metrics["coded"]:
        assert row["round_trip"]
        assert row["promised"] <= row["bits"] < row["promised"] + 2
    # The promise is the cross-entropy of the same bytes but for what rounding to integers costs.
    counts = _ngrams.count(train, b"\n", 5)
    expected = -counts.log2_probabilities(test[:512], b"\n")[-1].sum()
    assert expected - 1 < metrics["coded"][0]["promised"] < 1.05 * expected
    assert np.mean(metrics["losses"][-5:]) < np.mean(metrics["losses"][:5]) - 1
    assert min(metrics["compile_seconds"], metrics["run_seconds"]) > 0
    with Image.open(config.output / "language_model.png") as image:
        assert min(image.size) > 1000


@once
@pytest.mark.parametrize("options", [{"held_out": 0.0}, {"num_steps": 0}, {"order": 0}])
def test_errors(options, tmp_path):
    with pytest.raises(ValueError, match="at least, got"):
        language_model.main(Config(output=tmp_path, **options))
