"""Rows of the pattern language: patterns that are one measure, in one way of writing or another.

Marginals of tables are tested elsewhere: a negative probability that is summed out is a part of the sum.
"""

import functools

from jaxinfo import discrete, logits
from tests import oracles, oracles_shannon
from tests.rows.measure import Measure, oracle

OPTIONS = frozenset({"where", "base"})


def _measure(module, pattern, kind, name, source=oracles):
    function = functools.partial(module.shannon, pattern)
    function.__name__ = "shannon"  # pyright: ignore[reportAttributeAccessIssue]
    sizes, variant = (1, 2, 3, 10, 128), f"({pattern.split('-> ... ')[1]})"
    return Measure(function, kind, oracle(name, source), OPTIONS, nonnegative=False, sizes=sizes, variant=variant)


PATTERNS = [
    ("... x y -> ... H(x y)", "joint", "entropy"),
    ("... x y -> ... I(y; x)", "joint", "mutual_information"),
    ("... x y -> ... H(x | y)", "joint", "conditional_entropy"),
    ("... x y z -> ... I(x; y | z)", "triple", "conditional_mutual_information"),
]

MEASURES = [
    *(_measure(discrete, *pattern) for pattern in PATTERNS),
    _measure(discrete, "... x y z -> ... I(x; y; z)", "triple", "co_information", oracles_shannon),
    *(_measure(logits, pattern, f"{kind} logits", f"logits_{name}") for pattern, kind, name in PATTERNS),
    *(
        _measure(logits, f"... {pattern}", f"{kind} logits", f"logits_{name}", oracles_shannon)
        for pattern, kind, name in [
            ("x y -> ... H(x)", "joint", "marginal_entropy"),
            ("x y z -> ... I(x; z)", "triple", "marginal_information"),
            ("x y z -> ... I(x; y; z)", "triple", "co_information"),
        ]
    ),
]
