"""The test table: one row per public function, and what the generic tests of `tests/test_measures.py` may expect of it.

Every name of `jaxinfo.discrete.__all__` and `jaxinfo.logits.__all__` has a row here or in `CHECKS`;
`test_measures.py::test_every_public_function_has_a_row` sees to it.
"""

from __future__ import annotations

import jax
import numpy as np

from tests import inputs
from tests.rows import core, f_divergences, many, orders, shannon
from tests.rows.measure import Measure

AREAS = (core, f_divergences, many, orders, shannon)

MEASURES: list[Measure] = [row for area in AREAS for row in area.MEASURES]

# What answers with no number or a plain table, or takes a function, has tests of its own.
CHECKS = frozenset(
    {
        "discrete.bregman_divergence",
        "discrete.is_absolutely_continuous",
        "discrete.check_absolutely_continuous",
        "discrete.check_logits",
        "discrete.check_probabilities",
        "discrete.checkify_absolutely_continuous",
        "discrete.checkify_logits",
        "discrete.checkify_probabilities",
        "discrete.shannon_terms",
        "discrete.conditional",
        "discrete.marginal",
        "logits.conditional",
        "logits.is_absolutely_continuous",
        "logits.marginal",
    }
)


# What takes stacks or ragged tables has tests of its own too, on the oracles of one table: tests/test_pairwise.py and
# tests/test_segments.py.
CHECKS |= {
    *(f"discrete.pairwise_{name}" for name in ("cross_entropy", "kl_divergence", "jensen_shannon_divergence")),
    *(f"discrete.pairwise_{name}" for name in ("hellinger_distance", "total_variation")),
    *(f"logits.pairwise_{name}" for name in ("cross_entropy", "kl_divergence")),
    *(f"{module}.segment_{name}" for module in ("discrete", "logits") for name in ("entropy", "cross_entropy")),
    *(f"{module}.segment_kl_divergence" for module in ("discrete", "logits")),
}


def default_float() -> type:
    """The working precision: float64 when x64 is on."""
    return np.float64 if jax.config.jax_enable_x64 else np.float32


def expected_value(measure: Measure, row: inputs.Row) -> np.ndarray:
    """The oracle's answer to one problem, rounded to float64; NaN outside the domain."""
    if inputs.outside_domain(row, measure.kind):
        return np.full(row.arguments[-1].shape[: measure.output_rank], np.nan)
    return np.asarray(measure.oracle(*row.arguments)).astype(np.float64)
