"""The committed notebooks are run, whole, and in their normal form; and the tool that says so can see.

That their outputs are true is nbval's to say: ``make test`` runs every cell again beside these tests.
"""

import importlib
import os
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tools import notebooks, rounding

CHAPTERS = notebooks.NOTEBOOKS
v4 = nbformat.v4


def test_there_are_chapters() -> None:
    assert CHAPTERS


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_is_executed_and_normal(path: Path) -> None:
    assert list(notebooks.faults(path.read_text(encoding="utf-8"))) == []


def a_notebook(*sources: str, **changes: Any) -> Any:
    """Return a notebook whose code cells were run in order."""
    cells = [v4.new_code_cell(source, execution_count=count) for count, source in enumerate(sources, start=1)]
    notebook = v4.new_notebook(cells=[v4.new_markdown_cell("# A chapter"), *cells])
    for key, value in changes.items():
        notebook.cells[1][key] = value
    return notebook


def faults_of(notebook: Any) -> list[str]:
    return list(notebooks.faults(notebooks.normalize(notebook)))


def test_a_notebook_in_order_has_no_faults() -> None:
    output = v4.new_output("execute_result", {"text/plain": "2"}, execution_count=1)
    assert faults_of(a_notebook("1 + 1", "2 + 2", outputs=[output])) == []


@pytest.mark.parametrize(
    ("outputs", "fault"),
    [
        ([v4.new_output("error", ename="ValueError", evalue="no", traceback=[])], "ends in ValueError"),
        ([v4.new_output("stream", name="stderr", text="a warning")], "writes to stderr"),
        ([v4.new_output("stream", name="stdout", text="<object at 0x7f3a9c0d1e50>")], "prints an address"),
        ([v4.new_output("display_data", {"image/png": "", "text/plain": "a figure"})], "without words"),
    ],
)
def test_a_bad_output_is_a_fault(outputs: list[Any], fault: str) -> None:
    found = faults_of(a_notebook("1 + 1", outputs=outputs))
    assert len(found) == 1
    assert fault in found[0]


def test_a_cell_that_was_not_run_is_a_fault() -> None:
    text = notebooks.normalize(a_notebook("1 + 1", "2 + 2"))
    unrun = text.replace('"execution_count": 2', '"execution_count": null')
    assert unrun != text
    assert any("code cell 2" in fault and "never run" in fault for fault in notebooks.faults(unrun))


def test_a_cell_that_was_run_out_of_order_is_a_fault() -> None:
    text = notebooks.normalize(a_notebook("1 + 1", "2 + 2"))
    swapped = text.replace('"execution_count": 2', '"execution_count": 7')
    assert any("out of order" in fault for fault in notebooks.faults(swapped))


def test_a_file_not_in_its_normal_form_is_a_fault() -> None:
    assert any("normal form" in fault for fault in notebooks.faults(nbformat.writes(a_notebook("1 + 1"))))


def glued(key: str, value: str) -> Any:
    """Return the output of glue(key, …)."""
    record = {"scrapbook": {"mime_prefix": "application/papermill.record/", "name": key}}
    return v4.new_output("display_data", {"application/papermill.record/text/plain": value}, metadata=record)


@pytest.mark.parametrize(
    ("prose", "fault"),
    [
        ("{glue:text}`share:.1f` % are right, and so is $0.954$ and `0.954`", ""),
        ("{glue:text}`share` and {glue:text}`loss`", "the prose inserts loss, which no cell glues"),
        ("nothing is inserted", "share is glued and stands nowhere"),
        ("{glue:text}`share`, which is 0.954", "0.954 in the prose is a result of the run"),
        ("{glue:text}`share`, which is 95.4 %", "95.4 in the prose is a result of the run"),
        ("{glue:text}`share` at a rate of 0.03, and [0.954](#steer/x?y=0.954)", "0.954 in the prose"),
        ("{glue:text}`share` [so](#steer/x?y=0.954)", ""),
    ],
)
def test_prose_and_run_are_tied_together(prose: str, fault: str) -> None:
    printed = v4.new_output("stream", name="stdout", text="right: 0.954, rate 0.03")
    notebook = a_notebook("1 + 1", outputs=[glued("share", "95.4"), printed])
    notebook.cells.append(v4.new_markdown_cell(prose))
    found = faults_of(notebook)
    assert len(found) == (1 if fault else 0), found
    assert all(fault in each for each in found)


LONG = "A curve that falls quickly at first, then slowly, and stays above zero."


@pytest.mark.parametrize(
    ("first", "second", "fault"),
    [
        (LONG, LONG.replace("slowly", "not at all"), ""),
        (LONG, LONG, "say how they differ"),
        (LONG, "A falling curve.", "say what is to be seen"),
    ],
)
def test_the_words_for_a_picture_say_what_is_in_it(first: str, second: str, fault: str) -> None:
    notebook = a_notebook("1 + 1", "2 + 2")
    for cell, words in zip(notebook.cells[1:], (first, second), strict=True):
        cell.metadata = {"mystnb": {"image": {"alt": words}}}
        cell.outputs = [v4.new_output("display_data", {"image/svg+xml": "<svg/>", "text/plain": "a figure"})]
    found = faults_of(notebook)
    assert len(found) == (1 if fault else 0), found
    assert all(fault in each for each in found)


def with_widgets(outer: str, inner: str, stray: str) -> Any:
    """Return a notebook that shows the model ``outer``, which has ``inner``; ``stray`` is shown nowhere."""
    states = {
        stray: {"model_name": "LayoutModel", "state": {}},
        inner: {"model_name": "SliderModel", "state": {"value": 3}},
        outer: {"model_name": "BoxModel", "state": {"children": [f"IPY_MODEL_{inner}"]}},
    }
    view = v4.new_output("display_data", {notebooks.WIDGET_VIEW: {"model_id": outer}, "text/plain": "Box()"})
    notebook = a_notebook("box", outputs=[view])
    notebook.metadata["widgets"] = {
        notebooks.WIDGET_STATE: {"state": states, "version_major": 2, "version_minor": 0}
    }
    return nbformat.from_dict(notebook)


def test_two_runs_of_a_widget_give_the_same_file() -> None:
    once = notebooks.normalize(with_widgets("a" * 32, "b" * 32, "c" * 32))
    again = notebooks.normalize(with_widgets("f" * 32, "e" * 32, "d" * 32))
    assert once == again
    assert "a" * 32 not in once


def test_widgets_of_two_notebooks_have_different_ids() -> None:
    first, second = (with_widgets("a" * 32, "b" * 32, "c" * 32) for _ in range(2))
    second.cells[0].source = "# Another chapter"
    ids = [notebooks.models_by_use(nbformat.reads(notebooks.normalize(n), 4)) for n in (first, second)]
    assert len(ids[0]) == 2
    assert not set(ids[0]) & set(ids[1])


def test_a_widget_that_is_not_shown_is_not_stored() -> None:
    text = notebooks.normalize(with_widgets("a" * 32, "b" * 32, "c" * 32))
    assert "SliderModel" in text
    assert "LayoutModel" not in text


def test_a_stored_widget_carries_todays_code() -> None:
    notebook = with_widgets("a" * 32, "b" * 32, "c" * 32)
    models = notebook.metadata.widgets[notebooks.WIDGET_STATE].state
    models["a" * 32].state |= {"_anywidget_id": "dlcore.widgets.drag_the_neuron.DragTheNeuron", "_esm": "old"}
    text = notebooks.normalize(notebook)
    assert '"_esm": "old"' not in text
    assert "render" in text


def test_normalizing_twice_changes_nothing() -> None:
    once = notebooks.normalize(with_widgets("a" * 32, "b" * 32, "c" * 32))
    assert notebooks.normalize(nbformat.reads(once, as_version=4)) == once


def test_ids_stay_when_a_cell_is_put_before_them() -> None:
    short, longer = a_notebook("x = 1", "x"), a_notebook("import math", "x = 1", "x")
    assert notebooks.cell_ids(short)[1:] == notebooks.cell_ids(longer)[2:]
    assert len(set(notebooks.cell_ids(a_notebook("x", "x", "x")))) == 4


# ---- rounding


FEATURES = """from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__
print([name for name in __cpu_dispatch__ if __cpu_features__[name]])"""
BEYOND = set(rounding.AVX2["NPY_DISABLE_CPU_FEATURES"].split())
same = pytest.mark.skipif(not rounding.can_be_same(), reason=rounding.WHY)


@same
def test_what_numpy_is_told_to_do_without_is_all_that_it_has_above_avx2() -> None:
    dispatched = importlib.import_module("numpy._core._multiarray_umath").__cpu_dispatch__
    assert set(dispatched) == {"X86_V3"} | BEYOND


@same
def test_tests_and_notebooks_compute_with_avx2_and_nothing_above(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = os.environ["NPY_DISABLE_CPU_FEATURES"]
    features = importlib.import_module("numpy._core._multiarray_umath").__cpu_features__
    assert not [name for name in told.split() if features[name]]
    monkeypatch.delenv("NPY_DISABLE_CPU_FEATURES")
    nbformat.write(v4.new_notebook(cells=[v4.new_code_cell(FEATURES)]), tmp_path / "features.ipynb")
    assert notebooks.run(tmp_path / "features.ipynb").cells[0].outputs[0].text == "['X86_V3']\n"
    assert "NPY_DISABLE_CPU_FEATURES" not in os.environ, "a run changes the environment of those after it"


@pytest.mark.parametrize(
    ("system", "machine", "info", "can"),
    [
        ("Linux", "x86_64", "flags : fma sse4_2 avx2", True),
        ("Linux", "x86_64", "flags : fma sse4_2 avx", False),
        ("Linux", "x86_64", "flags : avx512f avx2", False),
        ("Linux", "aarch64", "Features : fp asimd", False),
        ("Darwin", "x86_64", None, False),
    ],
)
def test_a_processor_without_avx2_keeps_its_own_rounding(
    system: str, machine: str, info: str | None, can: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr(rounding, "CPU_INFO", tmp_path / "cpuinfo")
    if info:
        rounding.CPU_INFO.write_text(info, encoding="utf-8")
    assert rounding.can_be_same() == can
    assert ("OPENBLAS_CORETYPE" in rounding.settings()) == can
    monkeypatch.delenv("DIGITS", raising=False)
    assert rounding.compares_digits() == can
    monkeypatch.setenv("DIGITS", "masked")
    assert not rounding.compares_digits()


def test_a_run_leaves_nothing_of_time_and_place(tmp_path: Path) -> None:
    path = tmp_path / "sum.ipynb"
    nbformat.write(
        v4.new_notebook(cells=[v4.new_code_cell("print(1)\nprint(2)"), v4.new_code_cell("1 + 1")]), path
    )
    once, again = (notebooks.normalize(notebooks.run(path)) for _ in range(2))
    assert once == again
    assert str(tmp_path) not in once
    assert list(notebooks.faults(once)) == []
