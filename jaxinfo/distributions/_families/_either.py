"""Families that are given by probabilities or by unnormalised log-probabilities."""

from collections.abc import Mapping
from typing import Any, ClassVar

from jaxinfo.distributions._constraints import Constraint
from jaxinfo.distributions._family import HasEntropy


class ProbsOrLogits(HasEntropy):
    """A family with the fields `probs` and `logits`, of which exactly one is given.

    Neither is turned into the other where that would cost digits, so the equations ask which one they got.
    """

    _choices: ClassVar[Mapping[str, Constraint]]
    probs: Any
    logits: Any

    @property
    def by_logits(self) -> bool:
        """Whether the distribution was given by `logits`."""
        if (self.probs is None) == (self.logits is None):
            count = "neither" if self.probs is None else "both"
            raise ValueError(f"{type(self).__name__}: give exactly one of probs and logits, got {count}")
        return self.probs is None

    @property
    def constraints(self) -> Mapping[str, Constraint]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The constraint of the parameter that was given."""
        name = "logits" if self.by_logits else "probs"
        return {name: self._choices[name]}
