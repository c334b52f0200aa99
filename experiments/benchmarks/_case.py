"""What is timed: a measure, and what people paste for it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import jax

Function = Callable[..., jax.Array]


@dataclasses.dataclass(frozen=True)
class Case:
    """A measure, the formulas people paste for it, and what it eats."""

    name: str
    ours: Function
    peers: dict[str, Function]
    inputs: str = "pq"
    differentiable: bool = True
    host: dict[str, Function] = dataclasses.field(default_factory=dict)
    """Peers on NumPy arrays, which have no gradient."""
    shapes: tuple[tuple[int, int], ...] = ()
    """Shapes of its own, where those of the tables would not do."""
