"""Writes the README's tables of measures, from the public names and their docstrings: `make readme`.

A name is in one table: that of its subject, which is the file that defines it. Its row shows what the first line of
the docstring says, in plain text, the modules that have the name, and the author and year of the reference.
"""

import importlib
import inspect
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import jaxinfo
from tests import closed_form_tables
from tests.plain_maths import plain

README = Path(__file__).parent.parent / "README.md"
BEGIN = "<!-- `make readme` writes what follows from the docstrings -->\n"
END = "<!-- what `make readme` writes ends here -->\n"

# In these the same name is the same measure, of another input; what the others define is theirs alone.
MEASURES = ("discrete", "logits", "distributions", "densities")
PUBLIC = [name for name in jaxinfo.__all__ if isinstance(getattr(jaxinfo, name), ModuleType)]
PUBLIC += ["distributions.bijectors"]
MODULES = sorted(PUBLIC, key=lambda name: (name not in MEASURES, name in MEASURES and MEASURES.index(name), name))

# Each subject with its files of `discrete`, `logits` and `distributions`, or with its modules. A file that is not here
# is a subject of its own, and its first line the title.
SUBJECTS = {
    "Entropies": ("entropies", "orders"),
    "Divergences and distances": ("divergences", "power_divergences", "f_divergences", "overlaps", "bregman"),
    "Probabilities, or labels, against logits": ("mixed",),
    "Joint tables": ("joint", "comparisons", "pointwise", "marginals"),
    "Many variables": ("correlations", "interactions"),
    "Conditional tables and processes": ("processes", "transfer"),
    "Patterns": ("patterns",),
    "All pairs and ragged data": ("pairwise", "segments"),
    "Checks of values": ("validation",),
    "Families of distributions": ("_families",),
    "Distributions made of others": ("_composites", "bijectors"),
    "Distributions and densities": ("distributions", "densities", "interop"),
    "Fits": ("projections",),
    "Classification and likelihood": ("classification", "likelihood"),
    "Calibration and proper scores": ("calibration", "temperature", "scoring_rules", "score_decomposition"),
    "Variational objectives": (
        "variational",
        "variational_bounds",
        "log_weights",
        "aggregate_posteriors",
        "latent_units",
    ),
    "Policies and trust regions": ("policies", "kl_estimators", "trust_region"),
    "Distillation and language models": ("distillation", "on_policy", "sequences", "top_k", "large_vocabulary"),
    "Generators of f-divergences": ("generators",),
}


def summary(documented: Any) -> str:
    """The first paragraph of a docstring, without its full stop and without LaTeX."""
    first = " ".join((inspect.getdoc(documented) or "").split("\n\n")[0].split())
    return re.sub(r"\$(.+?)\$", lambda formula: plain(formula[1]), first).removesuffix(".")


def reference(documented: Any) -> str:
    """Authors and year of the first work that a docstring refers to, with the section if it names one.

    >>> from jaxinfo import mutual_information, surprisal
    >>> reference(surprisal), reference(mutual_information)
    ('Shannon 1948', 'Cover & Thomas 2006, section 2.3')
    """
    section = re.search(r"^Reference: (.*?)(;\s|\n\n|\Z)", inspect.getdoc(documented) or "", re.MULTILINE | re.DOTALL)
    if section is None:
        return ""
    authors, _, work = " ".join(section[1].split()).partition(', "')
    place = r"(?:, (?:section|chapter|equation|theorem|example) (?:\([\d.]+\)|[\d.]*\d))?"
    year = re.match(rf".*\b((?:1[89]|20)\d\d{place})", work.rpartition('"')[2])
    if year is None:
        raise ValueError(f'not in the form `Author, "Title", Journal, year`: {section[1]}')
    names = [re.sub(r"([A-Z]\w?\.[- ]?)+", "", name) for name in re.split(r", | and ", authors)]
    return f"{names[0]} et al. {year[1]}" if len(names) > 2 else f"{' & '.join(names)} {year[1]}"


def signature(name: str, documented: Any) -> str:
    """A distribution is shown with its parameters in order, anything else by its name."""
    if not hasattr(documented, "log_prob"):
        return name
    return f"{name}({', '.join(inspect.signature(documented).parameters)})"


def subject(home: ModuleType) -> tuple[int, int, str]:
    """Where the names that a file defines have their table: its title, after its place and the file's place in it."""
    _, module, *files = home.__name__.split(".")
    known = [file for files in SUBJECTS.values() for file in files]
    file = files[0] if module in ("discrete", "logits", "objectives") or (files and files[0] in known) else module
    titles = [title for title, files in SUBJECTS.items() if file in files]
    if titles:
        return list(SUBJECTS).index(titles[0]), SUBJECTS[titles[0]].index(file), titles[0]
    return len(SUBJECTS), 0, summary(home)


def rows() -> dict[str, list[tuple[str, ...]]]:
    """The rows of each table by its title: a name, what it is, where it is, who wrote about it."""
    modules: dict[tuple[str, str], list[str]] = {}
    for module in MODULES:
        public = importlib.import_module(f"jaxinfo.{module}")
        for name in public.__all__:
            if not isinstance(getattr(public, name), ModuleType):  # such a module has its own names in the tables
                modules.setdefault((name, "" if module in MEASURES else module), []).append(module)
    placed = []
    for (name, _), homes in modules.items():
        documented = getattr(importlib.import_module(f"jaxinfo.{homes[0]}"), name)
        home = importlib.import_module(documented.__module__)
        place = (*subject(home), home.__name__, list(vars(home)).index(name))
        where = ", ".join(f"`{module}`" for module in homes)
        placed.append((place, (f"`{signature(name, documented)}`", summary(documented), where, reference(documented))))
    tables: dict[str, list[tuple[str, ...]]] = {}
    for (_, _, title, *_), row in sorted(placed):
        tables.setdefault(title, []).append(row)
    return tables


def line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def markdown() -> str:
    """All tables. A column without entries is left out."""
    lines = [""]
    for title, table in rows().items():
        columns = zip(("name", "what it is", "in", "reference"), *table, strict=True)
        head, *body = zip(*[column for column in columns if any(column[1:])], strict=True)
        lines += [f"### {title}", "", line(head), "|" + "---|" * len(head), *map(line, body), ""]
        if title == "Distributions made of others":
            lines += closed_form_tables.markdown()
    return "\n".join(lines)


def rewritten(readme: str) -> str:
    """A README with its tables as they must be; the rest stays as it is."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the README lacks the lines between which the tables stand: {BEGIN}{END}")
    return before + begin + markdown() + end + after


if __name__ == "__main__":
    README.write_text(rewritten(README.read_text(encoding="utf-8")), encoding="utf-8")
