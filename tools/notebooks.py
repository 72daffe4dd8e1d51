"""Run the committed notebooks, write them back in a normal form, or check that they are in it.

    python tools/notebooks.py                        run and normalize every chapter
    python tools/notebooks.py chapters/01_neurons.ipynb
    python tools/notebooks.py --refresh              run nothing, write them back normalized
    python tools/notebooks.py --check                only look, and fail where something is wrong

In the normal form two runs of the same notebook give the same file, so that a diff shows only what changed:
cell ids come from the cells' text, widget models are numbered in the order of their use, nothing tells when or
where it was run, and a stored widget carries the JavaScript that the package has today.
"""

import argparse
import hashlib
import importlib
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # so that it runs as a script, too

from tools import rounding  # noqa: E402

CHAPTERS = ROOT / "chapters"
NOTEBOOKS = sorted([*ROOT.glob("*.ipynb"), *CHAPTERS.glob("*.ipynb")])
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
LANGUAGE = {
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "pygments_lexer": "ipython3",
}
PASSING_METADATA = {"ExecuteTime", "collapsed", "editable", "execution", "scrolled", "trusted"}
MODEL_REFERENCE = re.compile(r"IPY_MODEL_([0-9a-f]{32})")
WORDS = '{"mystnb": {"image": {"alt": "…"}}}'
SHORTEST = 40  # letters of a picture's description
GLUED = re.compile(r"\{glue:\w*\}`([^`]+)`")
# What the prose says that it did not measure: formulas, code, links, what is inserted from the run.
NO_PROSE = re.compile(r"\$\$.*?\$\$|\$[^$]*\$|(`+)[^`].*?\1|\]\([^)]*\)", re.DOTALL)
DECIMAL = re.compile(r"(?<![\w.,-])\d+\.\d+(?![\w.]\d)")
ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}\b")

Notebook = Any  # nbformat's NotebookNode: nested dicts whose keys are attributes too


def run(path: Path) -> Notebook:
    """Run the notebook at ``path`` from its first cell to its last, and return it with its outputs.

    Raises:
        nbclient.exceptions.CellExecutionError: if a cell fails.
    """
    # Without the epoch SVG figures carry a date.
    environment = os.environ | rounding.settings() | {"SOURCE_DATE_EPOCH": "0"}
    notebook = nbformat.read(path, as_version=4)
    place = {"metadata": {"path": str(path.parent)}}
    quiet = ["--log-level=40"]
    client = NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources=place, extra_arguments=quiet
    )
    client.execute(env=environment)
    return notebook


def normalize(notebook: Notebook) -> str:
    """Return the text of ``notebook`` in its normal form. Normalizing twice changes nothing."""
    notebook = nbformat.from_dict(json.loads(json.dumps(notebook)))
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for cell, name in zip(notebook.cells, cell_ids(notebook), strict=True):
        cell.id = name
        for key in PASSING_METADATA & cell.metadata.keys():
            del cell.metadata[key]
        if cell.cell_type == "code":
            cell.outputs = merge_streams(cell.outputs)
    for count, cell in enumerate(executed_cells(notebook), start=1):
        cell.execution_count = count
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count
    state = notebook.metadata.get("widgets")
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": LANGUAGE})
    models: list[str] = []
    if state:
        notebook.metadata["widgets"] = with_todays_code(state)
        models = models_by_use(notebook)
        stored = state[WIDGET_STATE]["state"]
        for model in stored.keys() - set(models):  # made and never shown
            del stored[model]
    text = json.dumps(notebook)
    for position, model in enumerate(models):
        # With the title's id: the pages of a book share one space of names.
        name = f"{notebook.cells[0].id} model {position}"
        text = text.replace(model, hashlib.sha256(name.encode()).hexdigest()[:32])
    # Keys are sorted, and with them the widget models.
    return json.dumps(json.loads(text), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def with_todays_code(widgets: Notebook) -> Notebook:
    """Return the stored widgets with the JavaScript and the style of the classes they are of."""
    for model in widgets.get(WIDGET_STATE, {}).get("state", {}).values():
        module, _, name = model["state"].get("_anywidget_id", "").rpartition(".")
        if module.startswith("dlcore.widgets"):
            widget = getattr(importlib.import_module(module), name)
            model["state"] |= {"_esm": widget._esm, "_css": widget._css}
    return widgets


def cell_ids(notebook: Notebook) -> list[str]:
    """Return an id per cell, made from its text: it stays when cells are added before or after it."""
    seen: dict[str, int] = {}
    names = []
    for cell in notebook.cells:
        name = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:8]
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return names


def merge_streams(outputs: list[Notebook]) -> list[Notebook]:
    """Join neighbouring pieces of the same stream: where a kernel cuts them depends on timing."""
    merged: list[Notebook] = []
    for output in outputs:
        if (
            merged
            and output.output_type == merged[-1].output_type == "stream"
            and output.name == merged[-1].name
        ):
            merged[-1].text += output.text
        else:
            merged.append(output)
    return merged


def models_by_use(notebook: Notebook) -> list[str]:
    """Return the ids of the widget models that are shown: each with those it refers to, in order of their use."""
    states = notebook.metadata.get("widgets", {}).get(WIDGET_STATE, {}).get("state", {})
    shown = [
        output.data[WIDGET_VIEW]["model_id"]
        for cell in executed_cells(notebook)
        for output in cell.outputs
        if WIDGET_VIEW in output.get("data", {})
    ]
    order: dict[str, None] = {}
    waiting = shown[::-1]
    while waiting:
        model = waiting.pop()
        if model not in order:
            order[model] = None
            waiting += MODEL_REFERENCE.findall(json.dumps(states.get(model, {}), sort_keys=True))[::-1]
    return list(order)


def executed_cells(notebook: Notebook) -> list[Notebook]:
    """Return the code cells that hold anything to run."""
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def faults(text: str) -> Iterator[str]:
    """Yield what is wrong with the notebook in ``text``, each in a sentence that says how to repair it."""
    notebook = nbformat.reads(text, as_version=4)
    cells = executed_cells(notebook)
    for number, cell in enumerate(cells, start=1):
        place = f"code cell {number} ({cell.source.strip().splitlines()[0][:40]!r})"
        if cell.execution_count is None:
            yield f"{place} was never run; make notebooks"
        elif cell.execution_count != number:
            yield f"{place} was run out of order, as [{cell.execution_count}]; make notebooks"
        for output in cell.outputs:
            yield from output_faults(output, place, cell.metadata)
    yield from glue_faults(notebook)
    yield from picture_faults(cells)
    if text != normalize(notebook):
        yield "the file is not in its normal form; make notebooks"


def output_faults(output: Notebook, place: str, metadata: Notebook) -> Iterator[str]:
    """Yield what is wrong with one output of a cell."""
    shown = output.get("text", "") or output.get("data", {}).get("text/plain", "")
    if output.output_type == "error":
        yield f"{place} ends in {output.ename}: {output.evalue}"
    if output.output_type == "stream" and output.name == "stderr":
        yield f"{place} writes to stderr, a warning or a progress bar: {output.text.strip()[:80]!r}"
    if ADDRESS.search(shown):
        yield f"{place} prints an address, another one in each run: {shown[:80]!r}"
    kinds = output.get("data", {})
    pictured = (
        any(kind.startswith("image/") for kind in kinds) and WIDGET_VIEW not in kinds
    )  # a widget has its summary
    if pictured and not metadata.get("mystnb", {}).get("image", {}).get("alt", "").strip():
        yield f"{place} shows a picture without words for it; set the cell's metadata to {WORDS}"


def glue_faults(notebook: Notebook) -> Iterator[str]:
    """Yield where the prose and the run are not tied together: by a key that is glued, each key used."""
    glued: set[str] = set()
    printed: set[str] = set()
    for cell in executed_cells(notebook):
        for output in cell.outputs:
            glued |= {output.metadata.scrapbook.name} if "scrapbook" in output.get("metadata", {}) else set()
            shown = output.get("text", "") or output.get("data", {}).get("text/plain", "")
            printed |= set(measured(shown))
    words = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    used = {key.partition(":")[0] for key in GLUED.findall(words)}
    for key in sorted(used - glued):
        yield f"the prose inserts {key}, which no cell glues; glue({key!r}, …, display=False)"
    for key in sorted(glued - used):
        yield f"{key} is glued and stands nowhere in the prose; insert it, or glue nothing"
    for number in sorted(set(measured(NO_PROSE.sub(" ", words)))):
        share = f"{float(number) / 100:.{len(number.partition('.')[2]) + 2}f}"  # 95.4 % is 0.954
        if number in printed or share in printed:
            yield f"{number} in the prose is a result of the run; insert it with glue, or write it as $…$ if it is none"


def measured(text: str) -> list[str]:
    """Return the decimal numbers with three digits or more that count: too exact to have been chosen."""
    return [number for number in DECIMAL.findall(text) if len(number.replace(".", "").lstrip("0")) > 2]


def picture_faults(cells: list[Notebook]) -> Iterator[str]:
    """Yield descriptions of pictures that say too little, or the same as another."""
    seen: set[str] = set()
    for cell in cells:
        words = " ".join(cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "").split())
        if words and len(words) < SHORTEST:
            yield f"a picture is described as {words!r}; say what is to be seen in it, in {SHORTEST} letters at least"
        if words in seen:
            yield f"two pictures are described as {words[:40]!r}…; say how they differ"
        seen |= {words} if words else set()


def main() -> None:
    """Run or check the notebooks named, by default every chapter."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("notebooks", nargs="*", type=Path, default=NOTEBOOKS)
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--refresh", action="store_true", help="write them back normalized without running them")
    how.add_argument("--check", action="store_true", help="only look, and fail where something is wrong")
    options = parser.parse_args()
    if not options.notebooks:
        parser.error("there is no notebook to look at")
    wrong = 0
    for path in options.notebooks:
        if not options.check:
            print(f"{'refreshing' if options.refresh else 'running'} {path.name}", flush=True)
            notebook = nbformat.read(path, as_version=4) if options.refresh else run(path)
            path.write_text(normalize(notebook), encoding="utf-8")
        for fault in faults(path.read_text(encoding="utf-8")):
            wrong += 1
            print(f"{path.name}: {fault}", file=sys.stderr)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
