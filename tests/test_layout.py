"""The map of the house holds: names, docstrings, what an import costs, and versions that agree."""

import doctest
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import jaxinfo

ROOT = Path(__file__).parent.parent
MODULES = (
    "jaxinfo",
    "jaxinfo.discrete",
    "jaxinfo.logits",
    "jaxinfo.distributions",
    "jaxinfo.distributions.bijectors",
    "jaxinfo.densities",
    "jaxinfo.generators",
    "jaxinfo.interop",
    "jaxinfo.objectives",
    "jaxinfo.projections",
)
PUBLIC = [
    (module, name)
    for module in MODULES
    for name in importlib.import_module(module).__all__
    if name != "__version__"  # documented by its own meaning
]

# These modules' functions return measures, except for checks, predicates and schedules, which have no derivative.
MEASURES = [
    (module, name)
    for module, name in PUBLIC
    if module
    in ("jaxinfo.discrete", "jaxinfo.logits", "jaxinfo.distributions", "jaxinfo.densities", "jaxinfo.objectives")
    and not re.match(r"check|is_|.*_schedule", name)
    and callable(function := getattr(importlib.import_module(module), name))
    and not inspect.isclass(function)
]


def public_object(module, name):
    return getattr(importlib.import_module(module), name)


def readme_tables():
    """For each row of the README's tables, the identifiers it shows as code."""
    rows = [line for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    return [set(re.findall(r"[A-Za-z_]\w*", " ".join(re.findall(r"`([^`]+)`", row)))) for row in rows]


def test_modules_have_measures():
    """The parametrised tests below are not empty by accident."""
    assert {module for module, _ in MEASURES} >= {"jaxinfo.discrete", "jaxinfo.logits", "jaxinfo.densities"}
    assert ("jaxinfo.discrete", "kl_divergence") in MEASURES


@pytest.mark.parametrize("name", sorted({name for _, name in PUBLIC}))
def test_public_name_is_in_a_table_of_the_readme(name):
    assert any(name in row for row in readme_tables())


def test_every_public_module_is_tested():
    assert {f"jaxinfo.{name}" for name in jaxinfo.__all__ if inspect.ismodule(getattr(jaxinfo, name))} < set(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_all_names_what_is_there(module):
    names = list(importlib.import_module(module).__all__)
    assert len(set(names)) == len(names)
    assert not [name for name in names if name.startswith("_") and name != "__version__"]
    assert set(names) <= set(dir(importlib.import_module(module)))


@pytest.mark.parametrize(("module", "name"), PUBLIC)
def test_public_name_has_a_docstring(module, name):
    assert (inspect.getdoc(public_object(module, name)) or "").strip()


@pytest.mark.parametrize(("module", "name"), MEASURES)
@pytest.mark.parametrize("section", ["Domain", "Gradient", "Reference"])
def test_measure_says_what_happens_at_the_boundary_and_who_wrote_about_it(module, name, section):
    documentation = inspect.getdoc(public_object(module, name)) or ""
    assert re.search(rf"^\s*\*{{0,2}}{section}\b", documentation, re.MULTILINE)


@pytest.mark.parametrize(("module", "name"), MEASURES)
def test_measure_shows_an_example_that_is_run(module, name):
    """Found the way `--doctest-modules` finds it: in the module that defines the function, through its decorators."""
    home = sys.modules[public_object(module, name).__module__]
    assert home.__name__.startswith("jaxinfo")
    found = {test.name: test.examples for test in doctest.DocTestFinder().find(home)}
    assert found.get(f"{home.__name__}.{name}")


@pytest.mark.parametrize("name", jaxinfo.discrete.__all__)
def test_the_face_shows_the_measures_of_tables(name):
    assert getattr(jaxinfo, name) is getattr(jaxinfo.discrete, name)


def test_the_face_is_short():
    assert len((ROOT / "jaxinfo" / "__init__.py").read_text(encoding="utf-8").splitlines()) < 60


def modules_loaded_by(statement):
    """The modules a fresh interpreter holds after `statement`."""
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=120)
    return set(run.stdout.split())


def test_importing_the_face_loads_nothing_heavy():
    added = modules_loaded_by("import jaxinfo") - modules_loaded_by("import jax.numpy")
    assert "jaxinfo" in added
    heavy = {"optax", "flax", "scipy", "chex", "matplotlib"}
    assert not {name for name in added if name.split(".")[0] in heavy}


def test_versions_agree():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"\nversion: {jaxinfo.__version__}\n" in citation
    latest = re.search(r"^## (\S+)", changelog, re.MULTILINE)
    assert latest is not None
    assert latest[1] == jaxinfo.__version__
