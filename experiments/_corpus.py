"""A real text that every Python carries: what `help()` says of the language, by topic."""

import hashlib
import pydoc_data.topics
from dataclasses import dataclass
from pathlib import Path

import numpy as np

# What stands before the first byte of a text.
START = b"\n"


@dataclass(frozen=True)
class Corpus:
    """Two parts of the text that have no topic in common, as bytes, and the sha256 of the file it is in."""

    train: bytes
    test: bytes
    test_topics: tuple[str, ...]
    sha256: str


def load(share: float, seed: int) -> Corpus:
    """Returns the text with topics drawn at random held out until they are `share` of it."""
    topics = {name: (pydoc_data.topics.topics[name].strip() + "\n\n").encode() for name in pydoc_data.topics.topics}
    names = sorted(topics)
    order = [names[i] for i in np.random.default_rng(seed).permutation(len(names))]
    sizes = np.cumsum([len(topics[name]) for name in order])
    count = int(np.searchsorted(sizes, share * sizes[-1])) + 1
    held_out, rest = sorted(order[:count]), sorted(order[count:])
    digest = hashlib.sha256(Path(pydoc_data.topics.__file__).read_bytes()).hexdigest()
    return Corpus(b"".join(topics[n] for n in rest), b"".join(topics[n] for n in held_out), tuple(held_out), digest)


def characters(text: bytes) -> int:
    """Returns how many characters the bytes are."""
    return len(text.decode())
