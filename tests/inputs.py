"""Inputs for the test table: random ones over the whole range of sizes and scales, and the boundary by name.

Everything is NumPy, made from fixed seeds, rounded to the wanted dtype before anyone looks at it. Subnormal numbers are
replaced by zero, because XLA on a CPU may flush them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

SIZES = (1, 2, 3, 10, 128, 1000, 10_000, 1_000_000)
CONCENTRATIONS = (1e-2, 1e-1, 1.0, 1e1, 1e2)
SCALES = (1e-3, 1e-1, 1.0, 10.0, 100.0, 1e3, 1e4)
CLOSENESS = (1e-3, 1e-4, 1e-5, 1e-6)
JOINT_SHAPES = {
    1: (1, 1),
    2: (2, 1),
    3: (1, 3),
    10: (2, 5),
    128: (8, 16),
    1000: (25, 40),
    10_000: (100, 100),
    1_000_000: (1000, 1000),
}
TRIPLE_SHAPES = {
    1: (1, 1, 1),
    2: (1, 1, 2),
    3: (3, 1, 1),
    10: (5, 1, 2),
    128: (4, 8, 4),
    1000: (10, 10, 10),
    10_000: (20, 25, 20),
    1_000_000: (100, 100, 100),
}
FOUR_SHAPES = {1: (1, 1, 1, 1), 10: (5, 1, 2, 1), 128: (4, 4, 2, 4), 1000: (5, 8, 5, 5)}


class Row(NamedTuple):
    """One problem: a label to find it by, its arguments, and whether q is a hair away from p."""

    label: str
    arguments: tuple[np.ndarray, ...]
    close: bool = False


def _choose(size: int, values: tuple[float, ...]) -> tuple[float, ...]:
    """All of them on small tables, fewer where the oracle takes long."""
    if size <= 128:
        return values
    middle = len(values) // 2 - 1
    step = 3 if len(values) > 5 else len(values) - 1
    return values[::step] if size <= 1000 else values[middle : middle + 1]


def round_to(x: np.ndarray, dtype) -> np.ndarray:
    """To the dtype, without subnormals."""
    x = np.asarray(x, np.float64).astype(dtype)
    smallest = float(np.finfo(np.float32).tiny) if x.dtype.itemsize < 8 else float(np.finfo(np.float64).tiny)
    return np.where(np.abs(x.astype(np.float64)) < smallest, np.zeros_like(x), x)


def dirichlet(generator: np.random.Generator, concentration: float, size: int) -> np.ndarray:
    """A Dirichlet draw through logarithms, so that a spiky one underflows to zeros and never to NaN."""
    log_gamma = np.log(generator.gamma(concentration + 1.0, size=size)) + np.log(generator.random(size)) / concentration
    weights = np.exp(log_gamma - log_gamma.max())
    return weights / math.fsum(weights)


def tables(size: int, dtype) -> Iterator[Row]:
    generator = np.random.default_rng([size, 1])
    for concentration in _choose(size, CONCENTRATIONS):
        yield Row(f"Dirichlet({concentration:g})", (round_to(dirichlet(generator, concentration, size), dtype),))


def table_pairs(size: int, dtype) -> Iterator[Row]:
    generator = np.random.default_rng([size, 2])
    for concentration in _choose(size, CONCENTRATIONS):
        p = round_to(dirichlet(generator, concentration, size), dtype)
        q = round_to(dirichlet(generator, concentration, size), dtype)
        name = f"Dirichlet({concentration:g})"
        positive = np.where(q == 0, np.asarray(1e-30, dtype), q)
        yield Row(f"{name}, positive q", (p, positive))
        if size <= 1000:
            yield Row(f"{name}, zeros of their own", (p, q))
            shared = (p == 0) | (q == 0)
            yield Row(
                f"{name}, the same zeros", (np.where(shared, 0, p).astype(dtype), np.where(shared, 0, q).astype(dtype))
            )
            yield Row(f"{name}, equal", (p, p), close=True)
        for delta in _choose(size, CLOSENESS):
            factor = 1 + delta * generator.uniform(-1, 1, size)
            yield Row(f"{name}, q = p (1 + {delta:g} u)", (p, round_to(p * factor, dtype)), close=True)


def mixtures(size: int, dtype) -> Iterator[Row]:
    """Four tables at once, [4, size]."""
    generator = np.random.default_rng([size, 3])
    for concentration in _choose(size, CONCENTRATIONS):
        drawn = [dirichlet(generator, concentration, size) for _ in range(4)]
        yield Row(f"four Dirichlet({concentration:g})", (round_to(np.stack(drawn), dtype),))
        for delta in _choose(size, CLOSENESS):
            close = drawn[0] * (1 + delta * generator.uniform(-1, 1, (4, size)))
            yield Row(f"four Dirichlet({concentration:g}) within {delta:g}", (round_to(close, dtype),), close=True)


def probabilities(size: int, dtype) -> Iterator[Row]:
    """Single probabilities, from tiny to one less than one."""
    generator = np.random.default_rng([size, 4])
    small = 10.0 ** generator.uniform(-30, -1, size)
    yield Row("uniform", (round_to(generator.random(size), dtype),))
    yield Row("small", (round_to(small, dtype),))
    yield Row("close to one", (round_to(1 - 10.0 ** generator.uniform(-6, -1, size), dtype),))


def _joint(generator: np.random.Generator, shape: tuple[int, ...], dtype) -> Iterator[Row]:
    size = math.prod(shape)
    for concentration in _choose(size, CONCENTRATIONS):
        yield Row(
            f"Dirichlet({concentration:g})",
            (round_to(dirichlet(generator, concentration, size), dtype).reshape(shape),),
        )
    if size > 1000:
        return
    product = np.ones(shape)
    for axis, length in enumerate(shape):
        marginal = dirichlet(generator, 1.0, length)
        product = product * marginal.reshape([-1 if a == axis else 1 for a in range(len(shape))])
    for delta in CLOSENESS:
        noise = 1 + delta * generator.uniform(-1, 1, shape)
        yield Row(f"independent within {delta:g}", (round_to(product * noise, dtype),))
        # The first variable is a function of the others, but for a little mass.
        noise = generator.random(shape) * delta
        noise[0] += 1
        sure = noise / noise.sum()
        yield Row(f"first variable sure within {delta:g}", (round_to(sure, dtype),))
        chosen = generator.integers(shape[0], size=shape[1:])
        spread = generator.random(shape) * delta
        np.put_along_axis(spread, chosen[None], generator.random((1, *shape[1:])) + 0.5, axis=0)
        yield Row(f"deterministic within {delta:g}", (round_to(spread / spread.sum(), dtype),))


def joints(size: int, dtype) -> Iterator[Row]:
    return _joint(np.random.default_rng([size, 5]), JOINT_SHAPES[size], dtype)


def triples(size: int, dtype) -> Iterator[Row]:
    return _joint(np.random.default_rng([size, 6]), TRIPLE_SHAPES[size], dtype)


def fours(size: int, dtype) -> Iterator[Row]:
    return _joint(np.random.default_rng([size, 15]), FOUR_SHAPES[size], dtype)


def _mask(generator: np.random.Generator, z: np.ndarray) -> np.ndarray:
    """A third of the entries at minus infinity, never all of them."""
    masked = generator.random(z.shape) < 1 / 3
    masked.flat[int(np.argmax(z))] = False
    return np.where(masked, -np.inf, z)


def _logits(generator: np.random.Generator, shape: tuple[int, ...], dtype) -> Iterator[Row]:
    for scale in _choose(math.prod(shape), SCALES):
        z = scale * generator.normal(size=shape)
        yield Row(f"scale {scale:g}", (round_to(z, dtype),))
        if math.prod(shape) < 100_000:
            yield Row(f"scale {scale:g}, masked", (round_to(_mask(generator, z), dtype),))
    if math.prod(shape) > 1000:
        return
    for offset in (-100.0, 1000.0):
        yield Row(f"offset {offset:g}", (round_to(generator.normal(size=shape) + offset, dtype),))
    for gap in (5.0, 15.0, 30.0, 60.0):
        z = generator.normal(size=shape)
        z.flat[0] = z.max() + gap
        yield Row(f"nearly one-hot, gap {gap:g}", (round_to(z, dtype),))
        yield Row(f"nearly one-hot at 0, gap {gap:g}", (round_to(z - z.flat[0], dtype),))


def logits(size: int, dtype) -> Iterator[Row]:
    return _logits(np.random.default_rng([size, 7]), (size,), dtype)


def joint_logits(size: int, dtype) -> Iterator[Row]:
    return _logits(np.random.default_rng([size, 8]), JOINT_SHAPES[size], dtype)


def triple_logits(size: int, dtype) -> Iterator[Row]:
    return _logits(np.random.default_rng([size, 9]), TRIPLE_SHAPES[size], dtype)


def four_logits(size: int, dtype) -> Iterator[Row]:
    return _logits(np.random.default_rng([size, 16]), FOUR_SHAPES[size], dtype)


def log_odds(size: int, dtype) -> Iterator[Row]:
    generator = np.random.default_rng([size, 10])
    for scale in SCALES:
        yield Row(f"scale {scale:g}", (round_to(scale * generator.normal(size=size), dtype),))


def logit_pairs(size: int, dtype) -> Iterator[Row]:
    generator = np.random.default_rng([size, 11])
    for scale in _choose(size, SCALES):
        z_p, z_q = scale * generator.normal(size=(2, size))
        yield Row(f"scale {scale:g}", (round_to(z_p, dtype), round_to(z_q, dtype)))
        if size <= 1000:
            mask = np.where(np.isinf(_mask(generator, z_p)), -np.inf, 0.0)
            yield Row(f"scale {scale:g}, the same mask", (round_to(z_p + mask, dtype), round_to(z_q + mask, dtype)))
            yield Row(f"scale {scale:g}, q masked", (round_to(z_p, dtype), round_to(_mask(generator, z_q), dtype)))
        if size <= 128:
            yield Row(f"scale {scale:g}, p masked", (round_to(z_p + mask, dtype), round_to(z_q, dtype)))
            yield Row(f"scale {scale:g}, equal", (round_to(z_p + mask, dtype),) * 2, close=True)
    yield from list(_close_logits(generator, size, dtype))[:: 1 if size < 100_000 else 2]
    if size > 1000:
        return
    for gap in (5.0, 30.0, 60.0):
        z = generator.normal(size=(2, size))
        z[:, 0] = z.max() + gap
        yield Row(f"both nearly one-hot, gap {gap:g}", (round_to(z[0], dtype), round_to(z[1], dtype)))


def _close_logits(generator: np.random.Generator, size: int, dtype) -> Iterator[Row]:
    for scale in _choose(size, (1.0, 1e-2, 3.0)):
        z = round_to(np.clip(scale * generator.normal(size=size), -10, 10), dtype)
        for delta in _choose(size, CLOSENESS):
            noisy = round_to(z + delta * generator.normal(size=size), dtype)
            yield Row(f"scale {scale:g}, z_q = z_p (1 + {delta:g})", (z, round_to(z * (1 + delta), dtype)), close=True)
            yield Row(f"scale {scale:g}, z_q = z_p + {delta:g} noise", (z, noisy), close=True)


def logit_mixtures(size: int, dtype) -> Iterator[Row]:
    generator = np.random.default_rng([size, 12])
    for scale in _choose(size, SCALES):
        z = scale * generator.normal(size=(4, size))
        yield Row(f"four of scale {scale:g}", (round_to(z, dtype),))
        yield Row(f"four of scale {scale:g}, masked", (round_to(np.stack([_mask(generator, r) for r in z]), dtype),))
    z = np.clip(generator.normal(size=size), -10, 10)
    for delta in CLOSENESS:
        close = z + delta * generator.normal(size=(4, size))
        yield Row(f"four within {delta:g}", (round_to(close, dtype),), close=True)


def probs_with_logits(size: int, dtype) -> Iterator[Row]:
    generator = np.random.default_rng([size, 13])
    for concentration in _choose(size, CONCENTRATIONS):
        p = round_to(dirichlet(generator, concentration, size), dtype)
        for scale in _choose(size, (1e-2, 1.0, 30.0, 1e3)):
            z = scale * generator.normal(size=size)
            yield Row(f"Dirichlet({concentration:g}), scale {scale:g}", (p, round_to(z, dtype)))
        if size <= 1000:
            z = np.where(p == 0, -np.inf, generator.normal(size=size))
            yield Row(f"Dirichlet({concentration:g}), masked where p is 0", (p, round_to(z, dtype)))
    z = round_to(generator.normal(size=size), dtype)
    p = np.exp(z.astype(np.float64) - z.max()) * (1 + 1e-3 * generator.uniform(-1, 1, size))
    yield Row("p = softmax(q) within 1e-3", (round_to(p / p.sum(), dtype), z))


def labelled_logits(size: int, dtype) -> Iterator[Row]:
    generator = np.random.default_rng([size, 14])
    for label, (z,), _ in _logits(generator, (size,), dtype):
        likely = np.asarray(int(np.argmax(z)), np.int32)
        yield Row(f"{label}, the likeliest", (likely, z))
        yield Row(f"{label}, any", (np.asarray(generator.integers(size), np.int32), z))


def conditionals(size: int, dtype) -> Iterator[Row]:
    """Pairs of conditional tables [X, Y], a row for each x, and the probabilities of the rows."""
    generator, shape = np.random.default_rng([size, 15]), JOINT_SHAPES[size]
    for concentration in _choose(size, CONCENTRATIONS):
        p, q = (np.stack([dirichlet(generator, concentration, shape[1]) for _ in range(shape[0])]) for _ in range(2))
        p, q = round_to(p, dtype), round_to(np.maximum(q, 1e-30), dtype)
        weights = round_to(dirichlet(generator, concentration, shape[0]), dtype)
        yield Row(f"Dirichlet({concentration:g})", (p, q, weights))
        for delta in _choose(size, CLOSENESS):
            close = round_to(p * (1 + delta * generator.uniform(-1, 1, shape)), dtype)
            yield Row(f"Dirichlet({concentration:g}), q = p (1 + {delta:g} u)", (p, close, weights), close=True)


def conditional_logits(size: int, dtype) -> Iterator[Row]:
    generator, shape = np.random.default_rng([size, 16]), JOINT_SHAPES[size]
    for scale in _choose(size, SCALES):
        z_p, z_q = (round_to(scale * generator.normal(size=shape), dtype) for _ in range(2))
        weights = round_to(dirichlet(generator, 1.0, shape[0]), dtype)
        yield Row(f"scale {scale:g}", (z_p, z_q, weights))
    z = round_to(np.clip(generator.normal(size=shape), -10, 10), dtype)
    for delta in CLOSENESS:
        yield Row(f"z_q = z_p (1 + {delta:g})", (z, round_to(z * (1 + delta), dtype), weights), close=True)


def transitions(size: int, dtype) -> Iterator[Row]:
    """Square tables of about `size` entries whose rows sum to 1, some with a chain that hardly mixes."""
    generator, states = np.random.default_rng([size, 17]), math.isqrt(size)
    for concentration in (0.3, 1.0, 10.0, 100.0):
        table = np.stack([dirichlet(generator, concentration, states) for _ in range(states)])
        yield Row(f"Dirichlet({concentration:g})", (round_to(table, dtype),))
        for rate in (1e-3, 1e-7):
            lazy = (1 - rate) * np.eye(states) + rate * table
            yield Row(f"Dirichlet({concentration:g}) once in {1 / rate:g}", (round_to(lazy, dtype),))


# --- the boundary -----------------------------------------------------------------------------------------------

_NAN, _INF = np.nan, np.inf

TABLE_BOUNDARY = {
    "interior": [0.1, 0.2, 0.3, 0.4],
    "not normalised": [0.3, 0.9, 1.5, 0.6],
    "zero": [0.0, 0.5, 0.25, 0.25],
    "two zeros": [0.5, 0.0, 0.0, 0.5],
    "one-hot": [0.0, 1.0, 0.0, 0.0],
    "uniform": [0.25, 0.25, 0.25, 0.25],
    "no mass": [0.0, 0.0, 0.0, 0.0],
    "NaN": [0.25, _NAN, 0.25, 0.25],
    "NaN beside zeros": [0.0, _NAN, 0.0, 1.0],
    "negative": [-0.25, 0.5, 0.5, 0.25],
}

PAIR_BOUNDARY = {
    "interior": ([0.1, 0.2, 0.3, 0.4], [0.3, 0.3, 0.3, 0.1]),
    "not normalised": ([0.3, 0.9, 1.5, 0.6], [0.2, 0.4, 0.4, 2.0]),
    "zero in p": ([0.0, 0.5, 0.25, 0.25], [0.25, 0.25, 0.3, 0.2]),
    "zero in q": ([0.25, 0.25, 0.3, 0.2], [0.0, 0.5, 0.25, 0.25]),
    "zero in both": ([0.0, 0.5, 0.3, 0.2], [0.0, 0.2, 0.3, 0.5]),
    "zeros in p, q and both": ([0.0, 0.6, 0.0, 0.4], [0.0, 0.0, 0.5, 0.5]),
    "disjoint": ([0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5]),
    "one-hot p": ([0.0, 1.0, 0.0, 0.0], [0.25, 0.5, 0.125, 0.125]),
    "one-hot q": ([0.25, 0.5, 0.125, 0.125], [0.0, 1.0, 0.0, 0.0]),
    "one-hot both": ([0.0, 1.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]),
    "equal": ([0.1, 0.2, 0.3, 0.4], [0.1, 0.2, 0.3, 0.4]),
    "p without mass": ([0.0, 0.0, 0.0, 0.0], [0.25, 0.25, 0.25, 0.25]),
    "NaN in p": ([0.25, _NAN, 0.25, 0.25], [0.25, 0.25, 0.25, 0.25]),
    "NaN in q": ([0.25, 0.25, 0.25, 0.25], [0.25, 0.25, _NAN, 0.25]),
    "NaN in q where p is 0": ([0.0, 0.5, 0.25, 0.25], [_NAN, 0.25, 0.25, 0.25]),
    "NaN in p where q is 0": ([_NAN, 0.5, 0.25, 0.25], [0.0, 0.5, 0.25, 0.25]),
    "negative in p": ([-0.25, 0.5, 0.5, 0.25], [0.25, 0.25, 0.25, 0.25]),
    "negative in q": ([0.25, 0.25, 0.25, 0.25], [-0.25, 0.5, 0.5, 0.25]),
    "negative in p where q is 0": ([-0.25, 0.5, 0.5, 0.25], [0.0, 0.5, 0.25, 0.25]),
    "negative in q where p is 0": ([0.0, 0.5, 0.25, 0.25], [-0.25, 0.5, 0.5, 0.25]),
    "negative in both": ([-0.25, 0.5, 0.5, 0.25], [-0.25, 0.5, 0.5, 0.25]),
}

MIXTURE_BOUNDARY = {
    "interior": [[0.1, 0.2, 0.7], [0.3, 0.3, 0.4], [0.5, 0.25, 0.25], [0.6, 0.3, 0.1]],
    "zeros": [[0.0, 0.2, 0.8], [0.0, 0.6, 0.4], [0.5, 0.25, 0.25], [0.6, 0.4, 0.0]],
    "zero in all": [[0.0, 0.2, 0.8], [0.0, 0.6, 0.4], [0.0, 0.75, 0.25], [0.0, 0.5, 0.5]],
    "disjoint": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 1.0]],
    "equal": [[0.2, 0.3, 0.5]] * 4,
    "NaN": [[0.1, 0.2, 0.7], [0.3, _NAN, 0.4], [0.5, 0.25, 0.25], [0.6, 0.3, 0.1]],
    "negative": [[0.1, 0.2, 0.7], [0.3, 0.3, 0.4], [0.5, 0.25, 0.25], [0.6, 0.5, -0.1]],
}

PROBABILITY_BOUNDARY = {
    "interior": 0.3,
    "large": 0.875,
    "half": 0.5,
    "zero": 0.0,
    "one": 1.0,
    "NaN": _NAN,
    "negative": -0.25,
}

JOINT_BOUNDARY = {
    "interior": [[0.1, 0.2], [0.05, 0.25], [0.3, 0.1]],
    "not normalised": [[0.3, 0.2], [0.5, 0.25], [0.3, 1.0]],
    "zero": [[0.0, 0.2], [0.15, 0.25], [0.3, 0.1]],
    "empty row": [[0.0, 0.0], [0.15, 0.25], [0.4, 0.2]],
    "empty column": [[0.0, 0.5], [0.0, 0.2], [0.0, 0.3]],
    "deterministic": [[0.25, 0.0], [0.0, 0.5], [0.25, 0.0]],
    "single cell": [[0.0, 0.0], [0.0, 1.0], [0.0, 0.0]],
    "independent": [[0.125, 0.125], [0.25, 0.25], [0.125, 0.125]],
    "no mass": [[0.0, 0.0], [0.0, 0.0], [0.0, 0.0]],
    "NaN": [[0.1, _NAN], [0.05, 0.25], [0.3, 0.1]],
    "NaN beside zeros": [[0.0, _NAN], [0.0, 0.0], [0.5, 0.5]],
    "negative": [[-0.1, 0.3], [0.05, 0.25], [0.4, 0.1]],
}

TRIPLE_BOUNDARY = {
    "interior": [[[0.1, 0.15], [0.05, 0.2]], [[0.2, 0.1], [0.05, 0.15]]],
    "not normalised": [[[0.3, 0.15], [0.5, 0.2]], [[0.2, 1.0], [0.05, 0.15]]],
    "zero": [[[0.0, 0.15], [0.15, 0.2]], [[0.2, 0.1], [0.05, 0.15]]],
    "zeros": [[[0.0, 0.15], [0.0, 0.2]], [[0.2, 0.0], [0.0, 0.45]]],
    "empty slice": [[[0.0, 0.15], [0.0, 0.2]], [[0.0, 0.25], [0.0, 0.4]]],
    "parity": [[[0.25, 0.0], [0.0, 0.25]], [[0.0, 0.25], [0.25, 0.0]]],
    "single cell": [[[0.0, 0.0], [0.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]]],
    "no mass": [[[0.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]],
    "NaN": [[[_NAN, 0.15], [0.05, 0.2]], [[0.2, 0.1], [0.05, 0.15]]],
    "negative": [[[-0.1, 0.15], [0.25, 0.2]], [[0.2, 0.1], [0.05, 0.15]]],
}

FOUR_BOUNDARY = {
    "interior": [[[[0.05, 0.1], [0.05, 0.05]], [[0.1, 0.05], [0.05, 0.05]]], [[[0.15, 0.1], [0.05, 0.2]]] * 2],
    "zeros": [
        [[[0.0, 0.1], [0.0, 0.2]], [[0.2, 0.0], [0.0, 0.0]]],
        [[[0.0, 0.1], [0.05, 0.0]], [[0.0, 0.15], [0.2, 0.0]]],
    ],
    "parity": [
        [[[0.125, 0.0], [0.0, 0.125]], [[0.0, 0.125], [0.125, 0.0]]],
        [[[0.0, 0.125], [0.125, 0.0]], [[0.125, 0.0], [0.0, 0.125]]],
    ],
    "four equal bits": [[[[0.5, 0.0], [0.0, 0.0]], [[0.0, 0.0]] * 2], [[[0.0, 0.0]] * 2, [[0.0, 0.0], [0.0, 0.5]]]],
    "single cell": [[[[0.0, 0.0], [0.0, 1.0]], [[0.0, 0.0]] * 2], [[[0.0, 0.0]] * 2] * 2],
    "no mass": [[[[0.0, 0.0]] * 2] * 2] * 2,
    "NaN": [[[[_NAN, 0.1], [0.05, 0.05]], [[0.1, 0.05], [0.05, 0.05]]], [[[0.15, 0.1], [0.05, 0.2]]] * 2],
    "negative": [[[[-0.1, 0.1], [0.05, 0.2]], [[0.1, 0.05], [0.05, 0.05]]], [[[0.15, 0.1], [0.05, 0.2]]] * 2],
}

LOGITS_BOUNDARY = {
    "interior": [0.5, -1.0, 2.0, 0.25],
    "equal logits": [1.5, 1.5, 1.5, 1.5],
    "masked": [0.5, -_INF, 2.0, 0.25],
    "one left": [-_INF, -_INF, 3.0, -_INF],
    "huge": [1e4, -1e4, 9999.0, 0.0],
    "far below": [0.0, -1e4, -1e4, -1e4],
    "all masked": [-_INF, -_INF, -_INF, -_INF],
    "NaN": [0.5, _NAN, 2.0, 0.25],
    "NaN beside masks": [-_INF, _NAN, -_INF, 0.25],
}

LOGIT_PAIR_BOUNDARY = {
    "interior": ([0.5, -1.0, 2.0, 0.25], [1.0, 0.5, -0.5, 0.0]),
    "p masked": ([0.5, -_INF, 2.0, 0.25], [1.0, 0.5, -0.5, 0.0]),
    "q masked": ([0.5, -1.0, 2.0, 0.25], [1.0, 0.5, -_INF, 0.0]),
    "both masked": ([0.5, -_INF, 2.0, 0.25], [1.0, -_INF, -0.5, 0.0]),
    "masks of all kinds": ([-_INF, -_INF, 2.0, 0.25], [-_INF, 0.5, -_INF, 0.0]),
    "disjoint": ([0.5, 1.0, -_INF, -_INF], [-_INF, -_INF, 0.5, 1.0]),
    "one-hot p": ([-_INF, 0.5, -_INF, -_INF], [1.0, 0.5, -0.5, 0.0]),
    "one-hot both": ([-_INF, 0.5, -_INF, -_INF], [-_INF, 2.0, -_INF, -_INF]),
    "equal": ([0.5, -1.0, 2.0, 0.25], [0.5, -1.0, 2.0, 0.25]),
    "equal up to an offset": ([0.5, -1.0, 2.0, 0.25], [4.5, 3.0, 6.0, 4.25]),
    "equal and masked": ([0.5, -_INF, 2.0, 0.25], [0.5, -_INF, 2.0, 0.25]),
    "far apart": ([200.0, 0.0, -50.0, 10.0], [-100.0, 0.0, 150.0, 20.0]),
    "p all masked": ([-_INF] * 4, [1.0, 0.5, -0.5, 0.0]),
    "q all masked": ([1.0, 0.5, -0.5, 0.0], [-_INF] * 4),
    "both all masked": ([-_INF] * 4, [-_INF] * 4),
    "NaN in p": ([0.5, _NAN, 2.0, 0.25], [1.0, 0.5, -0.5, 0.0]),
    "NaN in q": ([0.5, 1.0, 2.0, 0.25], [1.0, _NAN, -0.5, 0.0]),
    "NaN in q where p is masked": ([0.5, -_INF, 2.0, 0.25], [1.0, _NAN, -0.5, 0.0]),
}

LOGIT_MIXTURE_BOUNDARY = {
    "interior": [[0.5, -1.0, 2.0], [1.0, 0.5, -0.5], [0.0, 0.25, 1.0], [-1.0, 1.0, 0.0]],
    "masked": [[0.5, -_INF, 2.0], [1.0, 0.5, -0.5], [-_INF, 0.25, 1.0], [-1.0, 1.0, -_INF]],
    "masked in all": [[0.5, -_INF, 2.0], [1.0, -_INF, -0.5], [0.0, -_INF, 1.0], [-1.0, -_INF, 0.0]],
    "disjoint": [[0.5, -_INF, -_INF], [-_INF, 0.5, -_INF], [-_INF, -_INF, 1.0], [-_INF, -_INF, 0.0]],
    "equal": [[0.5, -1.0, 2.0]] * 4,
    "one all masked": [[0.5, -1.0, 2.0], [-_INF, -_INF, -_INF], [0.0, 0.25, 1.0], [-1.0, 1.0, 0.0]],
    "NaN": [[0.5, _NAN, 2.0], [1.0, 0.5, -0.5], [0.0, 0.25, 1.0], [-1.0, 1.0, 0.0]],
}

LOG_ODDS_BOUNDARY = {
    "interior": 0.75,
    "below": -2.5,
    "zero": 0.0,
    "far": 80.0,
    "farther": -1e4,
    "sure": _INF,
    "impossible": -_INF,
    "NaN": _NAN,
}

JOINT_LOGITS_BOUNDARY = {
    "interior": [[0.5, -1.0], [2.0, 0.25], [1.0, 0.0]],
    "masked": [[-_INF, -1.0], [2.0, 0.25], [1.0, 0.0]],
    "empty row": [[-_INF, -_INF], [2.0, 0.25], [1.0, 0.0]],
    "empty column": [[-_INF, -1.0], [-_INF, 0.25], [-_INF, 0.0]],
    "deterministic": [[0.5, -_INF], [-_INF, 0.25], [1.0, -_INF]],
    "single cell": [[-_INF, -_INF], [-_INF, 0.25], [-_INF, -_INF]],
    "all masked": [[-_INF, -_INF], [-_INF, -_INF], [-_INF, -_INF]],
    "NaN": [[0.5, _NAN], [2.0, 0.25], [1.0, 0.0]],
}

TRIPLE_LOGITS_BOUNDARY = {
    "interior": [[[0.5, -1.0], [2.0, 0.25]], [[1.0, 0.0], [-0.5, 0.75]]],
    "masked": [[[-_INF, -1.0], [2.0, 0.25]], [[1.0, 0.0], [-0.5, 0.75]]],
    "empty slice": [[[-_INF, -1.0], [-_INF, 0.25]], [[-_INF, 0.0], [-_INF, 0.75]]],
    "parity": [[[0.0, -_INF], [-_INF, 0.0]], [[-_INF, 0.0], [0.0, -_INF]]],
    "all masked": [[[-_INF, -_INF], [-_INF, -_INF]], [[-_INF, -_INF], [-_INF, -_INF]]],
    "NaN": [[[0.5, -1.0], [2.0, 0.25]], [[1.0, _NAN], [-0.5, 0.75]]],
}

FOUR_LOGITS_BOUNDARY = {
    "interior": [[[[0.5, -1.0], [2.0, 0.25]], [[1.0, 0.0], [-0.5, 0.75]]], [[[0.0, 1.5], [-1.0, 0.5]]] * 2],
    "masked": [[[[-_INF, -1.0], [2.0, 0.25]], [[1.0, 0.0], [-0.5, -_INF]]], [[[0.0, 1.5], [-_INF, 0.5]]] * 2],
    "empty slice": [
        [[[-_INF, -1.0], [-_INF, 0.25]], [[-_INF, 0.0], [-_INF, 0.75]]],
        [[[-_INF, 1.5], [-_INF, 0.5]]] * 2,
    ],
    "all masked": [[[[-_INF, -_INF]] * 2] * 2] * 2,
    "NaN": [[[[0.5, -1.0], [2.0, _NAN]], [[1.0, 0.0], [-0.5, 0.75]]], [[[0.0, 1.5], [-1.0, 0.5]]] * 2],
}

PROBS_LOGITS_BOUNDARY = {
    "interior": ([0.1, 0.2, 0.3, 0.4], [1.0, 0.5, -0.5, 0.0]),
    "not normalised": ([0.3, 0.9, 1.5, 0.6], [1.0, 0.5, -0.5, 0.0]),
    "zero in p": ([0.0, 0.5, 0.25, 0.25], [1.0, 0.5, -0.5, 0.0]),
    "q masked": ([0.25, 0.25, 0.3, 0.2], [1.0, -_INF, -0.5, 0.0]),
    "q masked where p is 0": ([0.0, 0.5, 0.25, 0.25], [-_INF, 0.5, -0.5, 0.0]),
    "one-hot p": ([0.0, 1.0, 0.0, 0.0], [1.0, 0.5, -0.5, 0.0]),
    "one-hot both": ([0.0, 1.0, 0.0, 0.0], [-_INF, 0.5, -_INF, -_INF]),
    "q all masked": ([0.1, 0.2, 0.3, 0.4], [-_INF] * 4),
    "NaN in p": ([0.25, _NAN, 0.25, 0.25], [1.0, 0.5, -0.5, 0.0]),
    "NaN in q": ([0.25, 0.25, 0.25, 0.25], [1.0, _NAN, -0.5, 0.0]),
    "NaN in q where p is 0": ([0.25, 0.0, 0.5, 0.25], [1.0, _NAN, -0.5, 0.0]),
    "negative in p": ([-0.25, 0.5, 0.5, 0.25], [1.0, 0.5, -0.5, 0.0]),
    "negative in p where q is masked": ([-0.25, 0.5, 0.5, 0.25], [-_INF, 0.5, -0.5, 0.0]),
}

LABELLED_BOUNDARY = {
    "interior": (1, [0.5, -1.0, 2.0, 0.25]),
    "another masked": (2, [0.5, -_INF, 2.0, 0.25]),
    "chosen masked": (1, [0.5, -_INF, 2.0, 0.25]),
    "one left": (2, [-_INF, -_INF, 3.0, -_INF]),
    "far below": (0, [0.0, -1e4, -1e4, -1e4]),
    "all masked": (0, [-_INF] * 4),
    "NaN chosen": (1, [0.5, _NAN, 2.0, 0.25]),
    "NaN elsewhere": (0, [0.5, _NAN, 2.0, 0.25]),
}


CONDITIONAL_BOUNDARY = {
    "interior": ([[0.3, 0.7], [0.5, 0.5], [0.1, 0.9]], [[0.5, 0.5], [0.2, 0.8], [0.3, 0.7]], [0.2, 0.3, 0.5]),
    "not normalised": ([[0.3, 0.9], [0.5, 0.5], [0.1, 0.9]], [[0.5, 0.5], [1.2, 0.8], [0.3, 0.7]], [0.2, 1.3, 0.5]),
    "zero in p": ([[0.0, 1.0], [0.5, 0.5], [0.1, 0.9]], [[0.5, 0.5], [0.2, 0.8], [0.3, 0.7]], [0.2, 0.3, 0.5]),
    "zero in q": ([[0.3, 0.7], [0.5, 0.5], [0.1, 0.9]], [[0.0, 1.0], [0.2, 0.8], [0.3, 0.7]], [0.2, 0.3, 0.5]),
    "unseen row": ([[0.3, 0.7], [0.5, 0.5], [0.1, 0.9]], [[0.5, 0.5], [0.2, 0.8], [0.3, 0.7]], [0.0, 0.3, 0.7]),
    "infinite unseen row": (
        [[0.3, 0.7], [0.5, 0.5], [0.1, 0.9]],
        [[0.0, 1.0], [0.2, 0.8], [0.3, 0.7]],
        [0.0, 0.5, 0.5],
    ),
    "equal": ([[0.3, 0.7], [0.5, 0.5], [0.1, 0.9]], [[0.3, 0.7], [0.5, 0.5], [0.1, 0.9]], [0.2, 0.3, 0.5]),
    "no mass": ([[0.3, 0.7], [0.5, 0.5], [0.1, 0.9]], [[0.5, 0.5], [0.2, 0.8], [0.3, 0.7]], [0.0, 0.0, 0.0]),
    "NaN": ([[0.3, _NAN], [0.5, 0.5], [0.1, 0.9]], [[0.5, 0.5], [0.2, 0.8], [0.3, 0.7]], [0.2, 0.3, 0.5]),
    "NaN weight": ([[0.3, 0.7], [0.5, 0.5], [0.1, 0.9]], [[0.5, 0.5], [0.2, 0.8], [0.3, 0.7]], [_NAN, 0.3, 0.5]),
    "negative": ([[0.3, 0.7], [0.5, 0.5], [0.1, 0.9]], [[0.5, 0.5], [-0.2, 1.2], [0.3, 0.7]], [0.2, 0.3, 0.5]),
    "negative weight": ([[0.3, 0.7], [0.5, 0.5], [0.1, 0.9]], [[0.5, 0.5], [0.2, 0.8], [0.3, 0.7]], [-0.2, 0.7, 0.5]),
}

CONDITIONAL_LOGITS_BOUNDARY = {
    "interior": ([[0.5, -1.0], [2.0, 0.25], [1.0, 0.0]], [[1.0, 0.5], [-0.5, 0.0], [0.0, 0.0]], [0.2, 0.3, 0.5]),
    "p masked": ([[0.5, -_INF], [2.0, 0.25], [1.0, 0.0]], [[1.0, 0.5], [-0.5, 0.0], [0.0, 0.0]], [0.2, 0.3, 0.5]),
    "q masked": ([[0.5, -1.0], [2.0, 0.25], [1.0, 0.0]], [[1.0, -_INF], [-0.5, 0.0], [0.0, 0.0]], [0.2, 0.3, 0.5]),
    "unseen row": ([[0.5, -1.0], [2.0, 0.25], [1.0, 0.0]], [[1.0, 0.5], [-0.5, 0.0], [0.0, 0.0]], [0.0, 0.5, 0.5]),
    "infinite unseen row": (
        [[0.5, -1.0], [2.0, 0.25], [1.0, 0.0]],
        [[1.0, -_INF], [-0.5, 0.0], [0.0, 0.0]],
        [0.0, 0.5, 0.5],
    ),
    "equal": ([[0.5, -1.0], [2.0, 0.25], [1.0, 0.0]], [[0.5, -1.0], [2.0, 0.25], [1.0, 0.0]], [0.2, 0.3, 0.5]),
    "NaN": ([[0.5, _NAN], [2.0, 0.25], [1.0, 0.0]], [[1.0, 0.5], [-0.5, 0.0], [0.0, 0.0]], [0.2, 0.3, 0.5]),
    "negative weight": ([[0.5, 1.0], [2.0, 0.25], [1.0, 0.0]], [[1.0, 0.5], [-0.5, 0.0], [0.0, 0.0]], [-0.2, 0.7, 0.5]),
}

TRANSITION_BOUNDARY = {
    "interior": [[0.2, 0.3, 0.5], [0.1, 0.6, 0.3], [0.25, 0.25, 0.5]],
    "not normalised": [[0.2, 0.3, 0.9], [0.1, 0.1, 0.3], [0.25, 0.25, 0.5]],
    "zero": [[0.0, 0.5, 0.5], [0.1, 0.6, 0.3], [0.25, 0.25, 0.5]],
    "periodic": [[0.0, 0.5, 0.5], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]],
    "deterministic": [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]],
    "first state transient": [[0.5, 0.25, 0.25], [0.0, 0.5, 0.5], [0.0, 0.25, 0.75]],
    "last state transient": [[0.5, 0.5, 0.0], [0.75, 0.25, 0.0], [0.25, 0.25, 0.5]],
    "absorbing": [[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.0, 0.0, 1.0]],
    "absorbing in the middle": [[0.5, 0.25, 0.25], [0.0, 1.0, 0.0], [0.25, 0.25, 0.5]],
    "NaN": [[0.2, _NAN, 0.5], [0.1, 0.6, 0.3], [0.25, 0.25, 0.5]],
    "NaN on the diagonal": [[_NAN, 0.3, 0.5], [0.1, 0.6, 0.3], [0.25, 0.25, 0.5]],
    "negative": [[0.2, -0.3, 1.1], [0.1, 0.6, 0.3], [0.25, 0.25, 0.5]],
}


class Kind(NamedTuple):
    """What a measure takes: the rank of each argument's one problem, makers, and the boundary by name."""

    ranks: tuple[int, ...]
    make: Callable[[int, type], Iterator[Row]]
    boundary: dict
    logits: tuple[bool, ...] = (False,)  # which arguments are logits


KINDS = {
    "table": Kind((1,), tables, TABLE_BOUNDARY),
    "pair": Kind((1, 1), table_pairs, PAIR_BOUNDARY, (False, False)),
    "mixture": Kind((2,), mixtures, MIXTURE_BOUNDARY),
    "probability": Kind((0,), probabilities, PROBABILITY_BOUNDARY),
    "joint": Kind((2,), joints, JOINT_BOUNDARY),
    "triple": Kind((3,), triples, TRIPLE_BOUNDARY),
    "three variables": Kind((3,), triples, TRIPLE_BOUNDARY),
    "four variables": Kind((4,), fours, FOUR_BOUNDARY),
    "logits": Kind((1,), logits, LOGITS_BOUNDARY, (True,)),
    "logit pair": Kind((1, 1), logit_pairs, LOGIT_PAIR_BOUNDARY, (True, True)),
    "logit mixture": Kind((2,), logit_mixtures, LOGIT_MIXTURE_BOUNDARY, (True,)),
    "log odds": Kind((0,), log_odds, LOG_ODDS_BOUNDARY, (True,)),
    "joint logits": Kind((2,), joint_logits, JOINT_LOGITS_BOUNDARY, (True,)),
    "triple logits": Kind((3,), triple_logits, TRIPLE_LOGITS_BOUNDARY, (True,)),
    "three variables of logits": Kind((3,), triple_logits, TRIPLE_LOGITS_BOUNDARY, (True,)),
    "four variables of logits": Kind((4,), four_logits, FOUR_LOGITS_BOUNDARY, (True,)),
    "probs and logits": Kind((1, 1), probs_with_logits, PROBS_LOGITS_BOUNDARY, (False, True)),
    "conditional": Kind((2, 2, 1), conditionals, CONDITIONAL_BOUNDARY, (False, False, False)),
    "conditional logits": Kind((2, 2, 1), conditional_logits, CONDITIONAL_LOGITS_BOUNDARY, (True, True, False)),
    "transition": Kind((2,), transitions, TRANSITION_BOUNDARY),
    "labels and logits": Kind((0, 1), labelled_logits, LABELLED_BOUNDARY, (False, True)),
}


def rows(kind: str, size: int, dtype) -> list[Row]:
    """The random problems of a kind."""
    return list(KINDS[kind].make(size, dtype))


def boundary_rows(kind: str, dtype) -> list[Row]:
    """The named problems of a kind, on the boundary and outside the domain."""
    found = []
    for label, arguments in KINDS[kind].boundary.items():
        several = arguments if len(KINDS[kind].ranks) > 1 else (arguments,)
        typed = [np.asarray(x, np.int32 if isinstance(x, int) else dtype) for x in several]
        found.append(Row(label, tuple(typed)))
    return found


def stack(problems: list[Row]) -> tuple[np.ndarray, ...]:
    """The problems as one batch, one array per argument."""
    return tuple(np.stack(column) for column in zip(*(row.arguments for row in problems), strict=True))


def outside_domain(row: Row, kind: str) -> bool:
    """Whether the problem has a NaN, a negative probability or a distribution with every logit masked."""
    ranks, is_logits = KINDS[kind].ranks, KINDS[kind].logits
    return any(_is_wrong(x, rank, z, kind) for x, rank, z in zip(row.arguments, ranks, is_logits, strict=True))


def _is_wrong(x: np.ndarray, rank: int, is_logits: bool, kind: str) -> bool:
    if np.isnan(x).any():
        return True
    if not is_logits:
        return bool((x < 0).any())
    axes = (-1,) if kind == "logit mixture" else tuple(range(rank))
    return bool(rank and (x == -np.inf).all(axis=axes).any())
