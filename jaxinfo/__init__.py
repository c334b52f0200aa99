"""Information theory for JAX: pure functions that compose with `jit`, `vmap`, `grad` and sharding.

Measures on tables of probabilities are here (`jaxinfo.kl_divergence(p, q)`); other inputs have a module each. All are
loaded when first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

_MODULES = ("densities", "discrete", "distributions", "generators", "interop", "logits", "objectives", "projections")

__version__ = "0.1.0"

if TYPE_CHECKING:
    from jaxinfo import densities, discrete, distributions, generators, interop, logits, objectives, projections
    from jaxinfo.discrete import *  # noqa: F403

    __all__ = ["densities", "discrete", "distributions", "generators", "interop", "logits", "objectives", "projections"]
    __all__ += discrete.__all__


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"jaxinfo.{name}")
    if name == "__all__" or not name.startswith("_"):
        tables = importlib.import_module("jaxinfo.discrete")
        if name == "__all__":
            return [*_MODULES, *tables.__all__]
        if name in tables.__all__:
            return globals().setdefault(name, getattr(tables, name))
    raise AttributeError(f"module 'jaxinfo' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__getattr__("__all__")})
