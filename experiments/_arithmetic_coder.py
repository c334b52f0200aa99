"""Arithmetic coding without rounding: a text as the shortest binary fraction in its own interval.

The interval of a text is as long as its probability under integer frequencies that sum to `TOTAL`. Its ends are kept as
exact integers of any length, so that the code of a text of probability P has less than -log2 P + 2 bits, and not by
any approximation. A coder that is to be fast works in a register, and loses a little more.
"""

import math
from collections.abc import Callable
from typing import TypeVar

import numpy as np

State = TypeVar("State")

BITS = 16
TOTAL = 1 << BITS


def frequencies(probabilities: np.ndarray) -> np.ndarray:
    """Returns integers `[..., K]` in proportion to probabilities, each at least 1, which sum to `TOTAL`."""
    size = probabilities.shape[-1]
    whole = 1 + np.floor(probabilities.astype(np.float64) * (TOTAL - size)).astype(np.int64)
    # What rounding has left goes to the likeliest, which it changes least.
    likeliest = np.argmax(whole, axis=-1, keepdims=True)
    rest = TOTAL - whole.sum(axis=-1, keepdims=True)
    np.put_along_axis(whole, likeliest, np.take_along_axis(whole, likeliest, -1) + rest, -1)
    return whole


def encode(
    symbols: bytes, state: State, table: Callable[[State], np.ndarray], after: Callable[[State, int], State]
) -> tuple[str, float]:
    """Returns the code of a text, a string of 0 and 1, and the bits that its frequencies promise.

    `table(state)` are the frequencies of the next symbol, and `after(state, symbol)` is the state that follows.
    """
    low, width, promised = 0, 1, []  # over 2 to the BITS for every symbol
    for symbol in symbols:
        row = table(state)
        own = int(row[symbol])
        low = (low << BITS) + int(row[:symbol].sum()) * width
        width *= own
        promised.append(BITS - math.log2(own))
        state = after(state, symbol)
    return _shortest(low, width, BITS * len(symbols)), math.fsum(promised)


def _shortest(low: int, width: int, scale: int) -> str:
    """The shortest code all of whose continuations lie in `[low, low + width)` over 2 to the scale."""
    # A length that may do; at the next one there surely is such a code.
    bits = scale - (width.bit_length() - 1)
    while True:
        first = -(-low >> (scale - bits)) if bits <= scale else low << (bits - scale)
        end = (first + 1) << (scale - bits) if bits <= scale else (first + 1) >> (bits - scale)
        if end <= low + width:
            return f"{first:0{bits}b}" if bits else ""
        bits += 1


def decode(
    code: str, count: int, state: State, table: Callable[[State], np.ndarray], after: Callable[[State, int], State]
) -> bytes:
    """Returns the text of a code, given how many symbols it has."""
    rest, width = int(code or "0", 2), 1 << len(code)  # where the code is in what is left, and how long that is
    symbols = bytearray()
    for _ in range(count):
        cumulative = np.cumsum(table(state))
        rest <<= BITS
        symbol = int(np.searchsorted(cumulative, rest // width, side="right"))
        before = int(cumulative[symbol - 1]) if symbol else 0
        rest, width = rest - before * width, width * (int(cumulative[symbol]) - before)
        symbols.append(symbol)
        state = after(state, symbol)
    return bytes(symbols)
