"""One row for each family, and one for each closed form between two: what the generic tests ask of them.

Oracles are mpmath functions of mpf parameters, in the constructor's order, written from the textbook's formula and not
from the code under test.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

Numbers = Sequence[float]


@dataclasses.dataclass(frozen=True)
class Family:
    """A family with scalar parameters and values.

    Args:
      make: the constructor, of arrays in order; values are broadcast, so it may be a class.
      parameters: members to test, extreme ones too, a tuple of numbers each.
      log_prob: `(x, *parameters)`.
      points: `(*parameters)`, in floats, to values at which the density is taken: in the bulk and far in the tails.
      mean, variance, entropy: of the parameters; None where there is none.
      outside: values at which the density is zero.
      largest_term: `(x, *parameters)`, the size of the largest term of the log-density, where terms cancel; errors are
        relative to it and to 1.
      cdf: `(x, *parameters)` in floats, for draws from the members `sampled`; SciPy's will do.
      sampled: the members whose draws are compared to `cdf`.
      bad: parameters that are not allowed, a tuple of numbers each.
    """

    name: str
    make: Callable[..., Any]
    parameters: Sequence[Numbers]
    log_prob: Callable[..., Any]
    points: Callable[..., Numbers]
    mean: Callable[..., Any] | None
    variance: Callable[..., Any] | None
    entropy: Callable[..., Any] | None
    outside: Numbers = ()
    largest_term: Callable[..., Any] | None = None
    cdf: Callable[..., Any] | None = None
    sampled: Sequence[Numbers] = ()
    bad: Sequence[Numbers] = ()


@dataclasses.dataclass(frozen=True)
class Pair:
    """A closed form between two families with scalar parameters.

    Args:
      measure: its name in `jaxinfo.distributions`.
      p, q: the constructors.
      parameters: pairs to test: the parameters of p, then those of q; far apart, near, extreme.
      exact: the oracle, of the parameters of p and then of q.
      largest_term: of the same, the size of the largest term of the formula when terms may cancel for this pair of
        families (different families only); errors are relative to it. None: relative to the value.
      ulps: allowed in float32, where its special functions limit it; the docstring of the family says so too.
      options: numbers such as an order, by name.
    """

    measure: str
    p: Callable[..., Any]
    q: Callable[..., Any]
    parameters: Sequence[Numbers]
    exact: Callable[..., Any]
    largest_term: Callable[..., Any] | None = None
    ulps: float = 32
    options: dict[str, float] = dataclasses.field(default_factory=dict)
