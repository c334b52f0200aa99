"""Information theory for JAX: pure functions that compose with `jit`, `vmap`, `grad` and sharding.

Measures on tables of probabilities are here (`jaxinfo.kl_divergence(p, q)`); other inputs have a module each, loaded
when first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

from jaxinfo import discrete, generators, logits
from jaxinfo.discrete import *  # noqa: F403

if TYPE_CHECKING:
    from jaxinfo import densities, distributions, interop, projections

__version__ = "0.1.0"

__all__ = ["densities", "discrete", "distributions", "generators", "interop", "logits", "projections"]
__all__ += discrete.__all__


def __getattr__(name: str) -> Any:
    if name in __all__:  # a module that is not loaded yet
        return importlib.import_module(f"jaxinfo.{name}")
    raise AttributeError(f"module 'jaxinfo' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
