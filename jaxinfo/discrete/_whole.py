"""Tables of which every axis is a variable unless `axis` says which."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxinfo import _checks, _numerics, _variables
from jaxinfo._checks import Axis
from jaxinfo.discrete import _joint_rows as rows


@jax.custom_jvp
def on_face(p: jax.Array) -> jax.Array:
    """The same table, of which a derivative sees no zero entry: it is along the face of the simplex that holds `p`."""
    return p


@on_face.defjvp
def _on_face_jvp(primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (p,), (dp,) = primals, tangents
    return p, jnp.where(p == 0, jnp.zeros_like(dp), dp)


def prepare(
    name: str, p: ArrayLike, axis: Axis, where: ArrayLike | None, least: int = 1
) -> tuple[jax.Array, int, _variables.Variables]:
    """Checks a table; returns it masked and wide with its variables on the last axes, their number, and which."""
    table = _checks.floating(name, "p", p)
    variables = _variables.find(name, "p", table, axis, least)
    (kept,) = _numerics.drop(_checks.mask(name, where, table.shape), _numerics.accumulate(table))
    return variables.last(kept), len(variables.axes), variables


OPTIONS = ("axis", "keepdims", "base")
CHAIN = _variables.Chain(rows.information, _numerics.row_sum)
