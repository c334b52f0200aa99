"""What a row of the test table says."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import jax

from tests import inputs, oracles
from tests.oracles import Oracle

REDUCES = frozenset({"axis", "where", "keepdims", "base"})
WHOLE_TABLE = frozenset({"where", "keepdims", "base"})


@dataclass(frozen=True, eq=False)
class Measure:
    """A public function with its inputs, its oracle and its promises.

    Attributes:
      function: what is called.
      name: the public name, which its errors must carry.
      kind: a key of `inputs.KINDS`.
      oracle: the exact value and gradient of one problem.
      options: the keyword options of the common set that it takes.
      arguments: keyword arguments of every call.
      unit: the power of `log(base)` that a unit divides by; a distance is the root of something with a unit.
      divergence: never negative, exactly 0 at p = q, and accurate without a condition number when q is close to p.
      nonnegative: never negative on normalised input.
      output_rank: 0 where one problem gives a number, else the rank of the table it gives.
      variant: what tells it from another row of the same function.
      sizes: the lengths of its tables, fewer where another row already sums the same terms.
      nothing: the answer of a table without mass.
      kink: whether it has no second derivative at these arguments.
    """

    function: Callable[..., jax.Array]
    kind: str
    oracle: Oracle
    options: frozenset[str] = REDUCES
    arguments: dict[str, Any] = field(default_factory=dict)
    unit: float = 1.0
    divergence: bool = False
    nonnegative: bool = True
    output_rank: int = 0
    variant: str = ""
    sizes: tuple[int, ...] = inputs.SIZES
    nothing: float = 0.0
    kink: Callable[..., bool] | None = None

    @property
    def name(self) -> str:
        return self.function.__name__

    @property
    def module(self) -> str:
        return "logits" if any(self.is_logits) else "discrete"

    @property
    def identifier(self) -> str:
        return f"{self.module}.{self.name}{self.variant}"

    @property
    def ranks(self) -> tuple[int, ...]:
        return inputs.KINDS[self.kind].ranks

    @property
    def is_logits(self) -> tuple[bool, ...]:
        return inputs.KINDS[self.kind].logits

    @property
    def differentiable(self) -> tuple[int, ...]:
        """The positions of the arguments that have a derivative."""
        return (1,) if self.kind == "labels and logits" else tuple(range(len(self.ranks)))

    def __call__(self, *arrays, **options) -> jax.Array:
        return self.function(*arrays, **{**self.arguments, **options})

    def rows(self, size: int, dtype) -> list[inputs.Row]:
        return inputs.rows(self.kind, size, dtype)


def oracle(name: str, module: ModuleType = oracles, **options) -> Oracle:
    """The oracle of that name, with its options bound."""
    gradient = getattr(module, f"{name}_gradient", None)
    value = getattr(module, name)
    return Oracle(
        functools.partial(value, **options),
        gradient and functools.partial(gradient, **options),
        getattr(module, f"{name}_conditions", None),
    )
