"""What distributions made of others have in common."""

import dataclasses
from typing import Any, dataclass_transform

import jax
from jax.typing import DTypeLike

from jaxinfo._pytrees import register_dataclass
from jaxinfo.distributions._arrays import common_dtype


def static(**options: Any) -> Any:
    """A field that is no leaf of the pytree: part of the type, as it were."""
    return dataclasses.field(metadata={"static": True}, **options)


@dataclass_transform(frozen_default=True, eq_default=False, field_specifiers=(dataclasses.field, static))
def composite(cls: type) -> Any:
    """Makes a frozen dataclass that is a pytree."""
    return register_dataclass(dataclasses.dataclass(frozen=True, eq=False)(cls))


class Composite:
    """A distribution made of others."""

    @property
    def _dtype(self) -> DTypeLike:
        return common_dtype(*jax.tree.leaves(self))
