"""Tables of logits of which every axis is a variable unless `axis` says which."""

from __future__ import annotations

import jax
from jax.typing import ArrayLike

from jaxinfo import _checks, _log_domain, _variables
from jaxinfo._checks import Axis
from jaxinfo.logits._arguments import masked

OPTIONS = ("axis", "keepdims", "base")


def prepare(
    name: str, logits: ArrayLike, axis: Axis, where: ArrayLike | None
) -> tuple[jax.Array, int, _variables.Variables]:
    """Checks a table; returns it masked and wide with its variables on the last axes, their number, and which."""
    table = _checks.floating(name, "logits", logits)
    variables = _variables.find(name, "logits", table, axis)
    return variables.last(masked(name, where, table)), len(variables.axes), variables


CHAIN = _variables.Chain(lambda z, axes: _log_domain.information(axes, z), _log_domain.log_mean_exp)
