"""The README runs: its Python blocks, the `make` targets it names, the files it points to."""

import doctest
import re
from pathlib import Path

import pytest

from tests import readme_tables
from tests.marks import once
from tests.plain_maths import plain

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")

FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def line_of(match: re.Match[str]) -> int:
    """The line of the README on which the block's code begins."""
    return README.count("\n", 0, match.start(2)) + 1


@once
def test_every_python_block_runs(tmp_path, monkeypatch):
    """All blocks run in order in one namespace, as a reader would paste them one after the other."""
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "readme"}
    blocks = [match for match in FENCE.finditer(README) if match[1] == "python"]
    assert blocks, "the README shows no Python"
    for match in blocks:
        if match[2].lstrip().startswith(">>>"):
            session = doctest.DocTestParser().get_doctest(
                match[2], namespace, "README.md", "README.md", line_of(match) - 1
            )
            runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
            runner.run(session, clear_globs=False)
            assert runner.failures == 0, f"the session at line {line_of(match)} of README.md prints something else"
            namespace.update(session.globs)
        else:
            # The empty lines before it make a traceback name the README's own line.
            exec(compile("\n" * (line_of(match) - 1) + match[2], "README.md", "exec"), namespace)


def test_the_tables_are_what_the_docstrings_say():
    assert readme_tables.rewritten(README) == README, "the README's tables are out of date: run `make readme`"


def test_the_tables_are_rewritten_where_they_stand():
    begin, end = readme_tables.BEGIN, readme_tables.END
    written = readme_tables.rewritten(f"before\n{begin}whatever stood here\n{end}after\n")
    assert written == f"before\n{begin}{readme_tables.markdown()}{end}after\n"
    with pytest.raises(ValueError, match="lacks the lines"):
        readme_tables.rewritten("before\nafter\n")


@pytest.mark.parametrize("latex", [r"\unknown p", "{p}", r"\frac{1}", r"\sqrt{p", "p}", "p_"])
def test_maths_that_has_no_plain_form_is_an_error(latex):
    with pytest.raises(ValueError, match=r"no plain form|lacks its argument|not closed|not opened"):
        plain(latex)


def test_every_make_target_named_exists():
    blocks = [match[2] for match in FENCE.finditer(README) if match[1] != "python"]
    prose = FENCE.sub("", README)
    commands = [line for block in blocks for line in block.splitlines()] + re.findall(r"`([^`\n]+)`", prose)
    named = {target for line in commands for target in re.findall(r"\bmake ([a-z][a-z-]*)", line)}
    targets = set(re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE))
    assert {"demo", "test"} <= named
    assert named <= targets


def test_make_declares_its_targets_phony():
    targets = set(re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE))
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert phony is not None
    assert set(phony[1].split()) == targets


def test_every_file_pointed_to_exists():
    prose = FENCE.sub("", README)
    pointed_to = re.findall(r"\]\(([^)\s]+)\)", prose) + re.findall(r'(?:src|href)="([^"]+)"', prose)
    files = {target.split("#")[0] for target in pointed_to if "://" not in target} - {""}
    assert files, "the README shows no picture"
    assert {file for file in files if not (ROOT / file).is_file()} == set()
