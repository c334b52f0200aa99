"""Rows of the measures of many variables."""

from functools import partial
from types import ModuleType

from jaxinfo import discrete, logits
from tests import inputs, oracles_many
from tests.rows.measure import WHOLE_TABLE, Measure, oracle

_known = partial(oracle, module=oracles_many)
_SIZES = inputs.SIZES[:6]  # the oracles want mpmath numbers
_FOUR = tuple(inputs.FOUR_SHAPES)
_NEVER_NEGATIVE = ("total_correlation", "dual_total_correlation", "s_information")
_OF_EITHER_SIGN = ("o_information", "co_information", "interaction_information")
_NORMALIZERS = ("min", "max", "arithmetic", "geometric", "joint")


def _whole_tables(module: ModuleType, prefix: str, kind: str) -> list[Measure]:
    """Three and four variables; more have tests of their own."""
    rows = []
    for name in (n for n in (*_NEVER_NEGATIVE, *_OF_EITHER_SIGN) if hasattr(module, n)):
        for rank, number, sizes in ((3, "three", _SIZES), (4, "four", _FOUR)):
            row = Measure(
                getattr(module, name),
                f"{number} variables{kind}",
                _known(prefix + name),
                WHOLE_TABLE,
                arguments={"axis": tuple(range(-rank, 0))},
                variant=f"({number})",
                nonnegative=name in _NEVER_NEGATIVE,
                sizes=sizes,
            )
            rows.append(row)
    return rows


def _pairs(module: ModuleType, prefix: str, kind: str) -> list[Measure]:
    normalized = [
        Measure(
            module.normalized_mutual_information,
            "joint" + kind,
            _known(f"{prefix}normalized_mutual_information", normalizer=normalizer),
            WHOLE_TABLE - {"base"},
            arguments={"normalizer": normalizer},
            variant=f"({normalizer})",
            sizes=_SIZES,
        )
        for normalizer in _NORMALIZERS
        if module is discrete
    ]
    return [
        *normalized,
        Measure(
            module.variation_of_information,
            "joint" + kind,
            _known(f"{prefix}variation_of_information"),
            WHOLE_TABLE,
            sizes=_SIZES,
        ),
        Measure(
            module.transfer_entropy, "triple" + kind, _known(f"{prefix}transfer_entropy"), WHOLE_TABLE, sizes=_SIZES
        ),
        Measure(
            module.active_information_storage,
            "joint" + kind,
            _known(f"{prefix}active_information_storage"),
            WHOLE_TABLE,
            sizes=(3, 128),
        ),
    ]


def _pointwise() -> list[Measure]:
    options = {"nonnegative": False, "sizes": _SIZES}
    rows = [
        Measure(
            discrete.pointwise_total_correlation,
            f"{number} variables",
            _known("pointwise_total_correlation"),
            frozenset({"base", "where"}),
            arguments={"axis": tuple(range(-rank, 0))},
            variant=f"({number})",
            output_rank=rank,
            **{**options, "sizes": sizes},
        )
        for rank, number, sizes in ((3, "three", _SIZES), (4, "four", _FOUR))
    ]
    conditional = Measure(
        discrete.pointwise_conditional_mutual_information,
        "triple",
        _known("pointwise_conditional_mutual_information"),
        frozenset({"base", "where"}),
        output_rank=3,
        **options,
    )
    return [*rows, conditional]


MEASURES = [
    *_whole_tables(discrete, "", ""),
    *_pairs(discrete, "", ""),
    *_pointwise(),
    *_whole_tables(logits, "logits_", " of logits"),
    *_pairs(logits, "logits_", " logits"),
]
