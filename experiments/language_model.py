"""How many bits is a character of a real text, and who knows best: counts, a transformer, or zlib, bz2 and lzma?

The text is what `help()` says of the Python language (`pydoc_data.topics`; its hash is in the metrics), with a tenth of
the topics held out. Bits per character of these: cross-entropy of n-grams with modified Kneser-Ney smoothing by length
of the context, and of a small transformer (Flax NNX, trained with `objectives.sequence_log_prob`), both on the rest;
compressors alone, and given the rest, as the size of both together less that of the rest alone. Models cost nothing
here, and compressors are programs of other sizes: what is compared is what they say of the held-out text.

Python 3.11's text, 63,325 characters held out and 402,743 bytes to learn from:

- lzma wins, given the other topics: 1.28 bits per character; then bz2 with 1.46, n-grams with contexts of up to 12
  bytes and the transformer averaged with 1.46, n-grams with 1.50, and the transformer of 577,408 numbers with 1.79.
  zlib, which looks back 32 kB, has 2.21; alone the three need 2.11 (bz2) to 2.30 (zlib).
- It wins by copying. `help()` repeats itself: 42 % of the held-out text is in stretches of 32 bytes or more that other
  topics have, too. Over eight choices of topics lzma goes from 1.57 bits, where 28 % is copied and n-grams need 1.50,
  to 0.65, where 68 % is; on the other seven it needs less than n-grams. An entropy rate is one of a way of sampling.
- Counts as they are know nothing of it: by 12 bytes of context they promise 0.16 bits on their own text, where the
  held-out text takes 1.50. Smoothed, a longer context still helps, and less and less: 2.03 bits by 3 bytes, 1.66 by 6.
- The two models know different things: the transformer where the columns of a table are, n-grams what stood elsewhere
  to the letter. So the average of their probabilities needs less than either.
- Cross-entropy is a code length: 16,384 bytes take 10,960 bits by n-grams (10,958.99 promised by their probabilities
  rounded to 16 bits), 256 bytes take 277 by the transformer (275.49 promised), and all come back.

    python -m experiments.language_model --num-steps 4000 --width 192
"""

import bz2
import dataclasses
import json
import lzma
import math
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

if __package__:
    from experiments import _arithmetic_coder, _common, _corpus, _language_model_figures, _ngrams, _transformer
else:  # run as a script: Python looks in the folder of this file
    import _arithmetic_coder
    import _common
    import _corpus
    import _language_model_figures
    import _ngrams
    import _transformer

import jax
import jax.numpy as jnp
import numpy as np
import tyro
from flax import nnx
from tqdm import tqdm

import jaxinfo

COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "zlib": lambda text: zlib.compress(text, 9),
    "bz2": lambda text: bz2.compress(text, 9),
    "lzma": lambda text: lzma.compress(text, preset=9 | lzma.PRESET_EXTREME),
}
# A stretch of the held-out text as long as this that is in the rest, too, is a copy.
COPIED = 32


@dataclasses.dataclass(frozen=True)
class Config:
    """Contexts of n-grams have up to `order` bytes, windows of the transformer `length`."""

    held_out: float = 0.1
    order: int = 12
    # The transformer.
    length: int = 128
    width: int = 128
    heads: int = 4
    depth: int = 2
    batch: int = 16
    num_steps: int = 1200
    learning_rate: float = 4e-3
    # How many bytes of the held-out text the arithmetic coder is given, with either model.
    coded_by_ngrams: int = 16384
    coded_by_transformer: int = 256
    # Of the topics that are held out and of the transformer.
    seed: int = 0
    # How often other topics are held out, without the transformer.
    num_splits: int = 8
    # A smaller text, model and code: a check that everything runs, in seconds.
    smoke: bool = False
    output: Path = Path("results/language_model")


def compress(corpus: _corpus.Corpus) -> list[dict[str, Any]]:
    """Returns the size of the held-out text for every compressor, alone and given the rest."""
    rows = []
    for name, compressed in COMPRESSORS.items():
        alone, both = len(compressed(corpus.test)), len(compressed(corpus.train + corpus.test))
        rows.append({"method": name, "given": False, "bits": 8 * alone})
        rows.append({"method": name, "given": True, "bits": 8 * (both - len(compressed(corpus.train)))})
    return rows


def copied_share(corpus: _corpus.Corpus) -> float:
    """Returns the share of the held-out bytes that are in a stretch that the rest has, too."""
    seen = {corpus.train[i : i + COPIED] for i in range(len(corpus.train) - COPIED + 1)}
    covered = np.zeros(len(corpus.test), bool)
    for i in range(len(corpus.test) - COPIED + 1):
        if corpus.test[i : i + COPIED] in seen:
            covered[i : i + COPIED] = True
    return float(covered.mean())


def split_row(config: Config, seed: int) -> dict[str, float]:
    """Returns bits per character given the rest, and the share of copies, with other topics held out."""
    corpus = make_corpus(config, seed)
    size, counts = _corpus.characters(corpus.test), _ngrams.count(corpus.train, _corpus.START, config.order)
    bits = {row["method"]: row["bits"] for row in compress(corpus) if row["given"]}
    bits["n-grams"] = -float(counts.log2_probabilities(corpus.test, _corpus.START)[-1].sum())
    return {"seed": seed, "copied_share": copied_share(corpus), **{name: x / size for name, x in bits.items()}}


def make_corpus(config: Config, seed: int) -> _corpus.Corpus:
    corpus = _corpus.load(config.held_out, seed)
    if not config.smoke:
        return corpus
    return dataclasses.replace(corpus, train=corpus.train[:40_000], test=corpus.test[:4000])


def plug_in_entropies(model: _ngrams.NGrams, text: bytes) -> list[float]:
    """Returns, in bits per byte, the entropy of the next byte given 0, 1, ... bytes, as if counts were the truth.

    The differences of the entropies of blocks. Of long contexts, most of which come once, they know everything.
    """
    size = max(len(level.keys) for level in model.counted)
    blocks = [0.0]
    symbols, contexts = np.frombuffer(text, np.uint8).astype(np.int64), np.zeros(len(text), np.int64)
    for m, level in enumerate(model.counted):
        grams = model.find(m + 1, contexts, symbols)
        counts = np.bincount(grams[grams >= 0], minlength=len(level.keys))
        table = np.zeros(size)
        table[: len(counts)] = counts / counts.sum()
        blocks.append(float(jaxinfo.entropy(jnp.asarray(table), base=2)))
        contexts = np.concatenate([[-1], grams[:-1]])
    return np.diff(blocks).tolist()


def train(config: Config, text: bytes) -> tuple[_transformer.Transformer, np.ndarray, dict[str, float]]:
    """Returns the transformer, its losses in bits per byte, and the seconds."""
    key_model, key = jax.random.split(jax.random.key(config.seed))
    model = _transformer.Transformer(config.length, config.width, config.heads, config.depth, nnx.Rngs(key_model))
    state = nnx.Optimizer(model, _transformer.optimizer(config.learning_rate, config.num_steps), wrt=nnx.Param)
    data = jnp.asarray(np.frombuffer(_corpus.START + text, np.uint8).astype(np.int32))
    size = min(50, config.num_steps)
    sizes = {"batch": config.batch, "length": config.length, "steps": size}
    compiled, compile_seconds = _common.timed(
        lambda: _transformer.train.lower(model, state, data, key, **sizes).compile()
    )
    losses, run_seconds = [], 0.0
    for i in tqdm(range(config.num_steps // size), desc="training", unit="chunk"):
        found, seconds = _common.timed(lambda i=i: compiled(model, state, data, jax.random.fold_in(key, i)))
        losses.append(np.asarray(found) / math.log(2))
        run_seconds += seconds
    return model, np.concatenate(losses), {"compile_seconds": compile_seconds, "run_seconds": run_seconds}


def code_with_ngrams(model: _ngrams.NGrams, text: bytes) -> dict[str, Any]:
    """Returns what a text costs in bits, and whether it comes back."""
    table = lambda state: _arithmetic_coder.frequencies(model.probabilities(state))  # noqa: E731
    return _code("n-grams", text, model.start(_corpus.START), table, model.after)


def code_with_transformer(model: _transformer.Transformer, text: bytes, length: int) -> dict[str, Any]:
    """Returns what a text costs in bits, and whether it comes back: one window, run anew for every byte.

    Bytes that are not known yet are 0, and change nothing of what comes before them.
    """

    def table(state: bytes) -> np.ndarray:
        seen = state[-length:]
        window = np.frombuffer(seen.ljust(length, b"\0"), np.uint8).astype(np.int32)[None]
        row = np.asarray(_transformer.log2_softmax(model, window))[0, len(seen) - 1]
        return _arithmetic_coder.frequencies(np.exp2(row.astype(np.float64)))

    return _code("transformer", text, _corpus.START, table, lambda state, symbol: state + bytes([symbol]))


def _code(name: str, text: bytes, state: Any, table: Any, after: Any) -> dict[str, Any]:
    code, promised = _arithmetic_coder.encode(text, state, table, after)
    back = _arithmetic_coder.decode(code, len(text), state, table, after)
    return {"model": name, "bytes": len(text), "bits": len(code), "promised": promised, "round_trip": back == text}


def main(config: Config) -> dict[str, Any]:
    """Runs the experiment, writes its files to `config.output`, prints what it found, and returns the metrics."""
    if not 0 < config.held_out < 1 or config.num_steps < 1 or config.order < 1:
        raise ValueError(f"a share between 0 and 1, a step and a byte of context at least, got {config}")
    if config.smoke:
        shorter = {"order": 5, "length": 32, "width": 32, "depth": 1, "num_steps": 50, "batch": 8, "num_splits": 2}
        config = dataclasses.replace(config, **shorter, coded_by_ngrams=512, coded_by_transformer=16)
    with jax.enable_x64(False):
        return run_and_write(config)


def run_and_write(config: Config) -> dict[str, Any]:
    corpus = make_corpus(config, config.seed)
    size = _corpus.characters(corpus.test)
    counts = _ngrams.count(corpus.train, _corpus.START, config.order)
    by_order = counts.log2_probabilities(corpus.test, _corpus.START)
    model, losses, seconds = train(config, corpus.train)
    rows = _transformer.log2_probabilities(model, corpus.test, _corpus.START, config.length, 32)
    of_model = np.take_along_axis(rows, np.frombuffer(corpus.test, np.uint8)[:, None].astype(np.int64), 1)[:, 0]
    both = np.logaddexp2(by_order[-1], of_model.astype(np.float64)) - 1
    methods = [
        {"method": "n-grams", "given": True, "bits": -float(by_order[-1].sum())},
        {"method": "transformer", "given": True, "bits": -float(of_model.sum())},
        {"method": "n-grams and transformer, averaged", "given": True, "bits": -float(both.sum())},
        *compress(corpus),
    ]
    metrics = {
        "sha256": corpus.sha256,
        "held_out_topics": corpus.test_topics,
        "training_bytes": len(corpus.train),
        "held_out_characters": size,
        "copied_share": copied_share(corpus),
        "methods": sorted(({**m, "bits_per_character": m["bits"] / size} for m in methods), key=lambda m: m["bits"]),
        "ngrams_by_order": (-by_order.sum(axis=1) / size).tolist(),
        "plug_in_by_order": plug_in_entropies(counts, corpus.train),
        "splits": [split_row(config, config.seed + i) for i in tqdm(range(config.num_splits), desc="splits")],
        "coded": [
            code_with_ngrams(counts, corpus.test[: config.coded_by_ngrams]),
            code_with_transformer(model, corpus.test[: config.coded_by_transformer], config.length),
        ],
        "parameters": sum(x.size for x in jax.tree.leaves(nnx.state(model, nnx.Param))),
        "losses": np.round(losses, 4).tolist(),
        **seconds,
    }
    path = _common.write_metrics(config.output, config, metrics)
    found = json.loads(path.read_text(encoding="utf-8"))
    with _common.figure_style():
        figure = _language_model_figures.draw(config.output, found, corpus.test, -by_order[-1], -of_model)
    print_tables(found)
    print(f"\nfigure     {figure}\nmetrics    {path}")
    return found


def print_tables(found: dict[str, Any]) -> None:
    """Prints what everyone needs for the held-out text, the best first, and what the coder did."""
    print(f"\n{found['held_out_characters']} characters held out, {found['copied_share']:.0%} of them copies\n")
    for row in found["methods"]:
        how = "given the training text" if row["given"] else "alone"
        print(f"{row['bits_per_character']:8.3f} bits per character  {row['method']}, {how}")
    won = sum(row["n-grams"] < row["lzma"] for row in found["splits"])
    print(f"\nwith other topics held out, n-grams need less than lzma on {won} of {len(found['splits'])} splits")
    for row in found["coded"]:
        back = "comes back" if row["round_trip"] else "DOES NOT COME BACK"
        print(f"\n{row['bytes']} bytes by {row['model']}: {row['bits']} bits, {row['promised']:.2f} promised; {back}")


if __name__ == "__main__":
    main(tyro.cli(Config, description=__doc__))
