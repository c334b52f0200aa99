"""Executes the notebooks: each percent script `name.py` is the source, `name.ipynb` shows it with its outputs.

`python notebooks/_execute.py` executes every script and writes the .ipynb beside it. With `--check` nothing is written:
every script must run to its last assertion, and every .ipynb must hold the cells of its script, executed in order and
without an error.
"""

import argparse
import base64
import io
import os
import sys
import tempfile
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from PIL import Image

FOLDER = Path(__file__).parent


def read_script(path: Path) -> nbformat.NotebookNode:
    """The notebook a script describes; cells are named by position, so that executing again changes no identifier."""
    notebook = jupytext.read(path)
    for position, cell in enumerate(notebook.cells):
        cell.id = f"cell-{position}"
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        "jupytext": {"formats": "ipynb,py:percent"},
    }
    return notebook


def execute(notebook: nbformat.NotebookNode) -> None:
    """Runs every cell in place, in the notebooks' own folder and with this very interpreter."""
    language_info = dict(notebook.metadata["language_info"])
    NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=600,
        record_timing=False,
        store_widget_state=False,
        # A kernel on this machine's own loopback need not warn that it is not encrypted.
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(FOLDER)}},
    ).execute()
    # The kernel adds its patch version, which would differ from machine to machine.
    notebook.metadata["language_info"] = language_info


def drop_controls(notebook: nbformat.NotebookNode) -> None:
    """Drops sliders, which need a kernel behind them; what they draw is displayed apart from them and stays."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [
                o for o in cell.outputs if "application/vnd.jupyter.widget-view+json" not in o.get("data", {})
            ]


def shrink_pictures(notebook: nbformat.NotebookNode) -> None:
    """Gives every PNG a palette in place of four channels: plots look the same in a third of the bytes."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                with Image.open(io.BytesIO(base64.b64decode(output.data["image/png"]))) as picture:
                    small = picture.convert("RGB").quantize(128, dither=Image.Dither.NONE)
                file = io.BytesIO()
                small.save(file, "PNG", optimize=True)
                output.data["image/png"] = base64.b64encode(file.getvalue()).decode()


def differences(source: nbformat.NotebookNode, path: Path) -> list[str]:
    """What keeps the .ipynb at `path` from being the executed form of `source`."""
    if not path.exists():
        return ["does not exist"]
    shown = nbformat.read(path, as_version=4)
    nbformat.validate(shown)
    if [(c.cell_type, c.source) for c in shown.cells] != [(c.cell_type, c.source) for c in source.cells]:
        return ["does not hold the cells of its script"]
    code = [cell for cell in shown.cells if cell.cell_type == "code" and cell.source.strip()]
    faults = []
    if [cell.execution_count for cell in code] != list(range(1, len(code) + 1)):
        faults.append("is not executed from top to bottom")
    if any(output.output_type == "error" for cell in code for output in cell.outputs):
        faults.append("shows an error")
    return faults


def main() -> int:
    """Executes, and writes or checks; the exit status is the number of notebooks at fault."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; compare with what is there")
    check = parser.parse_args().check

    # The kernel keeps its history in a folder of its own, not in the user's.
    with tempfile.TemporaryDirectory() as home:
        os.environ["IPYTHONDIR"] = home
        at_fault = 0
        for script in sorted(FOLDER.glob("[!_]*.py")):
            target = script.with_suffix(".ipynb")
            notebook = read_script(script)
            faults = [
                f"{target.name} {fault}: run `make notebooks`" for fault in differences(notebook, target) if check
            ]
            try:
                execute(notebook)
            except CellExecutionError as error:
                faults.append(f"{script.name} fails:\n{error}")
            else:
                if not check:
                    drop_controls(notebook)
                    shrink_pictures(notebook)
                    nbformat.write(notebook, target)
            print("\n".join(faults) if faults else f"{script.name}: {'ok' if check else f'wrote {target.name}'}")
            at_fault += bool(faults)
    return at_fault


if __name__ == "__main__":
    sys.exit(main())
