"""All rows of families and of closed forms, gathered from the files in `rows`."""

import importlib
import pkgutil

from tests.distributions import rows
from tests.distributions.row import Family, Pair

_MODULES = [importlib.import_module(f"{rows.__name__}.{m.name}") for m in pkgutil.iter_modules(rows.__path__)]

FAMILIES: list[Family] = [row for module in _MODULES for row in module.FAMILIES]
PAIRS: list[Pair] = [row for module in _MODULES for row in module.PAIRS]
