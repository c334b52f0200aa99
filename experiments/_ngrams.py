"""Modified Kneser-Ney smoothing of n-grams of bytes: what is likely after the last few, by counts.

S. F. Chen and J. Goodman, "An Empirical Study of Smoothing Techniques for Language Modeling", Computer Speech and
Language 13, 1999. A gram is known by its rank among the grams of its length, and the sorted keys of length m are
`256 * (rank of the first m - 1 bytes) + last byte`: what followed a context is a range of them.
"""

import dataclasses

import numpy as np

K = 256
LEAST = 0.1


@dataclasses.dataclass(frozen=True)
class Level:
    """Grams of one length: their keys, sorted, and how often they came, or after how many different bytes.

    `kept` is the discounted count of a gram over the total of its context, and `passed_on`, of a context, the share
    that its discounts leave to the next shorter one.
    """

    keys: np.ndarray
    kept: np.ndarray
    passed_on: np.ndarray


@dataclasses.dataclass(frozen=True)
class NGrams:
    """Counts of contexts of up to `order` bytes."""

    counted: tuple[Level, ...]
    continued: tuple[Level, ...]

    @property
    def order(self) -> int:
        return len(self.counted) - 1

    def find(self, length: int, contexts: np.ndarray, symbols: np.ndarray) -> np.ndarray:
        """Ranks of grams of a length, given the ranks of all but their last byte; -1 for one that never came."""
        keys = self.counted[length - 1].keys
        wanted = contexts * K + symbols
        place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return np.where((contexts >= 0) & (keys[place] == wanted), place, -1)

    def log2_probabilities(self, text: bytes, before: bytes) -> np.ndarray:
        """Returns `[order + 1, N]`: of every byte of a text, by contexts of up to 0, 1, ... bytes."""
        symbols = np.frombuffer(before + text, np.uint8).astype(np.int64)
        lower = np.full(len(symbols), 1 / K)
        contexts = np.zeros(len(symbols), np.int64)
        rows = []
        for m in range(self.order + 1):
            grams = self.find(m + 1, contexts, symbols)
            rows.append(np.log2(_interpolated(self.counted[m], contexts, grams, lower))[len(before) :])
            lower = _interpolated(self.continued[m], contexts, grams, lower)
            # The context of the next byte is the gram that ends here.
            contexts = np.concatenate([[-1], grams[:-1]])
        return np.stack(rows)

    def start(self, before: bytes) -> list[int]:
        """Returns the state after some bytes: the rank of the last m of them for each m."""
        state = [0] + [-1] * self.order
        for byte in before:
            state = self.after(state, byte)
        return state

    def after(self, state: list[int], symbol: int) -> list[int]:
        """Returns the state after one more byte."""
        longer = [0]
        for m in range(self.order):
            wanted, keys = state[m] * K + symbol, self.counted[m].keys
            place = int(keys.searchsorted(wanted)) if state[m] >= 0 else len(keys)
            longer.append(place if place < len(keys) and keys[place] == wanted else -1)
        return longer

    def probabilities(self, state: list[int]) -> np.ndarray:
        """Returns those of all bytes after a state."""
        p = np.full(K, 1 / K)
        for m, context in enumerate(state):
            if context < 0:
                break
            level = self.counted[m] if m == self.order else self.continued[m]
            if context < len(level.passed_on) and level.passed_on[context] < 1:
                first, last = self.counted[m].keys.searchsorted((context * K, context * K + K))
                p *= level.passed_on[context]
                p[self.counted[m].keys[first:last] - context * K] += level.kept[first:last]
        return p


def count(text: bytes, before: bytes, order: int) -> NGrams:
    """Counts the n-grams of a text."""
    symbols = np.frombuffer(before + text, np.uint8).astype(np.int64)
    contexts = np.zeros(len(symbols), np.int64)
    keys, grams = [], []
    for m in range(order + 2):
        wanted = contexts * K + symbols
        wanted[contexts < 0] = -1
        known = np.unique(wanted)
        known = known[known >= 0]
        grams.append(np.where(wanted >= 0, np.searchsorted(known, wanted), -1))
        keys.append(known)
        contexts = np.concatenate([[-1], grams[m][:-1]])
    counted, continued = [], []
    for m in range(order + 1):
        size = len(keys[m - 1]) if m else 1
        counts = np.bincount(grams[m][grams[m] >= 0], minlength=len(keys[m]))
        # A gram that is one byte longer ends in this one: one for each byte that came before it.
        ends = np.full(len(keys[m + 1]), -1)
        ends[grams[m + 1][m + 1 :]] = grams[m][m + 1 :]
        different = np.bincount(ends, minlength=len(keys[m]))
        counted.append(_level(keys[m], counts, size))
        continued.append(_level(keys[m], different, size))
    return NGrams(tuple(counted), tuple(continued))


def _level(keys: np.ndarray, counts: np.ndarray, num_contexts: int) -> Level:
    """Discounts the counts: by what those that came once, twice, ... would on average come less in another text."""
    of = [max(1, int(np.sum(counts == i))) for i in range(1, 5)]
    rate = of[0] / (of[0] + 2 * of[1])
    # Of a few counts the formula may say that nothing is taken, and then a byte that never came could not come.
    discounts = np.array([0.0] + [min(i, max(LEAST, i - (i + 1) * rate * of[i] / of[i - 1])) for i in (1, 2, 3)])
    discount = discounts[np.minimum(counts, 3)]
    context = keys // K
    totals = np.bincount(context, counts, num_contexts)
    taken = np.bincount(context, discount, num_contexts)
    some = totals > 0
    return Level(
        keys,
        (counts - discount) / np.where(some, totals, 1)[context],
        np.where(some, taken / np.where(some, totals, 1), 1.0),
    )


def _interpolated(level: Level, contexts: np.ndarray, grams: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """The discounted share of the grams, and of what their contexts pass on."""
    passed_on = np.where(contexts >= 0, level.passed_on[np.maximum(contexts, 0)], 1.0)
    return np.where(grams >= 0, level.kept[np.maximum(grams, 0)], 0.0) + passed_on * lower
