"""The test table: one row per public function, and what the generic tests of `tests/test_measures.py` may expect of it.

Every name of `jaxinfo.discrete.__all__` and `jaxinfo.logits.__all__` has a row here or in `CHECKS`;
`test_measures.py::test_every_public_function_has_a_row` sees to it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from jaxinfo import discrete, logits
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


def _oracle(name: str, **options) -> Oracle:
    """The oracle of that name, with its options bound."""
    gradient = getattr(oracles, f"{name}_gradient", None)
    value = getattr(oracles, name)
    return Oracle(
        functools.partial(value, **options),
        gradient and functools.partial(gradient, **options),
        getattr(oracles, f"{name}_conditions", None),
    )


def _discrete() -> list[Measure]:
    weighted = {"weight": 0.25}
    four = {"mixture_axis": -2}
    divergence = {"divergence": True}
    return [
        Measure(discrete.surprisal, "probability", _oracle("surprisal"), frozenset({"base"}), sizes=(1000,)),
        Measure(discrete.entropy, "table", _oracle("entropy")),
        Measure(discrete.cross_entropy, "pair", _oracle("cross_entropy")),
        Measure(discrete.kl_divergence, "pair", _oracle("kl_divergence"), **divergence),
        Measure(
            discrete.jeffreys_divergence, "pair", _oracle("jeffreys_divergence"), sizes=inputs.SIZES[:-1], **divergence
        ),
        Measure(discrete.jensen_shannon_divergence, "pair", _oracle("jensen_shannon_divergence"), **divergence),
        Measure(
            discrete.jensen_shannon_divergence,
            "pair",
            _oracle("jensen_shannon_divergence", **weighted),
            arguments=weighted,
            variant="(weight=0.25)",
            sizes=(3, 128),
            **divergence,
        ),
        Measure(
            discrete.jensen_shannon_divergence,
            "mixture",
            _oracle("mixture_jensen_shannon"),
            arguments=four,
            variant="(four tables)",
            sizes=(1, 2, 3, 10, 128),  # more entries than that are double-doubles, and the oracle wants mpmath numbers
            **divergence,
        ),
        Measure(
            discrete.jensen_shannon_distance,
            "pair",
            _oracle("jensen_shannon_distance"),
            unit=0.5,
            sizes=(3, 128),
            **divergence,
        ),
        Measure(discrete.perplexity, "table", _oracle("perplexity"), REDUCES - {"base"}),
        Measure(discrete.binary_entropy, "probability", _oracle("binary_entropy"), frozenset({"base"}), sizes=(1000,)),
        Measure(discrete.joint_entropy, "table", _oracle("entropy"), arguments={"axis": -1}, sizes=(3, 128)),
        Measure(discrete.conditional_entropy, "joint", _oracle("conditional_entropy"), WHOLE_TABLE),
        Measure(discrete.mutual_information, "joint", _oracle("mutual_information"), WHOLE_TABLE, nonnegative=False),
        Measure(
            discrete.pointwise_mutual_information,
            "joint",
            _oracle("pointwise_mutual_information"),
            frozenset({"base", "where"}),
            sizes=inputs.SIZES[:-1],
            nonnegative=False,
            output_rank=2,
        ),
        Measure(
            discrete.conditional_mutual_information,
            "triple",
            _oracle("conditional_mutual_information"),
            WHOLE_TABLE,
            sizes=inputs.SIZES[:-1],
            nonnegative=False,
        ),
    ]


def _logits() -> list[Measure]:
    weighted = {"weight": 0.25}
    four = {"mixture_axis": -2}
    divergence = {"divergence": True}
    shannon = "logits_jensen_shannon_divergence"
    return [
        Measure(logits.surprisal, "logits", _oracle("logits_surprisal"), REDUCES - {"keepdims"}, output_rank=1),
        Measure(logits.entropy, "logits", _oracle("logits_entropy")),
        Measure(logits.cross_entropy, "logit pair", _oracle("logits_cross_entropy")),
        Measure(logits.kl_divergence, "logit pair", _oracle("logits_kl_divergence"), **divergence),
        Measure(
            logits.jeffreys_divergence,
            "logit pair",
            _oracle("logits_jeffreys_divergence"),
            sizes=inputs.SIZES[:-1],
            **divergence,
        ),
        Measure(
            logits.jensen_shannon_divergence, "logit pair", _oracle(shannon), sizes=inputs.SIZES[:-1], **divergence
        ),
        Measure(
            logits.jensen_shannon_divergence,
            "logit pair",
            _oracle(shannon, **weighted),
            arguments=weighted,
            variant="(weight=0.25)",
            sizes=(3, 128),
            **divergence,
        ),
        Measure(
            logits.jensen_shannon_divergence,
            "logit mixture",
            _oracle("logits_mixture_jensen_shannon"),
            arguments=four,
            variant="(four tables)",
            sizes=(1, 2, 3, 10, 128),  # more entries than that are double-doubles, and the oracle wants mpmath numbers
            **divergence,
        ),
        Measure(
            logits.jensen_shannon_distance,
            "logit pair",
            _oracle("logits_jensen_shannon_distance"),
            unit=0.5,
            sizes=(3, 128),
            **divergence,
        ),
        Measure(logits.perplexity, "logits", _oracle("logits_perplexity"), REDUCES - {"base"}, sizes=inputs.SIZES[:-1]),
        Measure(
            logits.binary_entropy, "log odds", _oracle("logits_binary_entropy"), frozenset({"base"}), sizes=(1000,)
        ),
        Measure(logits.joint_entropy, "logits", _oracle("logits_entropy"), arguments={"axis": -1}, sizes=(3, 128)),
        Measure(
            logits.conditional_entropy,
            "joint logits",
            _oracle("logits_conditional_entropy"),
            WHOLE_TABLE,
            sizes=inputs.SIZES[:-1],
        ),
        Measure(
            logits.mutual_information,
            "joint logits",
            _oracle("logits_mutual_information"),
            WHOLE_TABLE,
            nonnegative=False,
        ),
        Measure(
            logits.pointwise_mutual_information,
            "joint logits",
            _oracle("logits_pointwise_mutual_information"),
            frozenset({"base", "where"}),
            sizes=inputs.SIZES[:-1],
            nonnegative=False,
            output_rank=2,
        ),
        Measure(
            logits.conditional_mutual_information,
            "triple logits",
            _oracle("logits_conditional_mutual_information"),
            WHOLE_TABLE,
            sizes=inputs.SIZES[:-1],
            nonnegative=False,
        ),
        Measure(
            logits.cross_entropy_from_probs,
            "probs and logits",
            _oracle("cross_entropy_from_probs"),
            sizes=inputs.SIZES[:-1],
        ),
        Measure(logits.cross_entropy_from_labels, "labels and logits", _oracle("cross_entropy_from_labels")),
        Measure(
            logits.kl_divergence_from_probs,
            "probs and logits",
            _oracle("kl_divergence_from_probs"),
            sizes=inputs.SIZES[:-1],
        ),
    ]


MEASURES: list[Measure] = [*_discrete(), *_logits()]

# What answers with no number has tests of its own, in tests/discrete/ and tests/logits/.
CHECKS = frozenset(
    {
        "discrete.is_absolutely_continuous",
        "discrete.check_absolutely_continuous",
        "discrete.check_logits",
        "discrete.check_probabilities",
        "discrete.checkify_absolutely_continuous",
        "discrete.checkify_logits",
        "discrete.checkify_probabilities",
        "logits.is_absolutely_continuous",
    }
)


def default_float() -> type:
    """The working precision: float64 when x64 is on."""
    return np.float64 if jax.config.jax_enable_x64 else np.float32


def expected_value(measure: Measure, row: inputs.Row) -> np.ndarray:
    """The oracle's answer to one problem, rounded to float64; NaN outside the domain."""
    if inputs.outside_domain(row, measure.kind):
        return np.full(row.arguments[-1].shape[: measure.output_rank], np.nan)
    return np.asarray(measure.oracle(*row.arguments)).astype(np.float64)
