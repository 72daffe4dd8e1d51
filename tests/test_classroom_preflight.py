"""Whatever a student does to the notebook, what is run is the release with the student's answers in it."""

import json
from typing import Any

import nbformat
import pytest
from nbformat import v4

from classroom import preflight
from classroom.preflight import Repaired, grade_id, repaired
from tests.handed_in import CHAPTER, NAME, RELEASE, by_name, content, function, notebook, solved, stub


def read(one: Any, **files: bytes) -> Repaired:
    return repaired({NAME: content(one), **files}, CHAPTER, RELEASE)


def names(found: Repaired) -> list[str]:
    return [grade_id(cell) for cell in found.notebook.cells if grade_id(cell)]


ALL = [grade_id(cell) for cell in notebook().cells if grade_id(cell)]


def test_an_untouched_submission_passes_without_a_remark() -> None:
    found = read(solved())
    assert found.remarks == []
    assert [cell.source for cell in found.notebook.cells] == [cell.source for cell in solved().cells]
    nbformat.validate(found.notebook)


def test_what_was_put_out_and_attached_is_dropped() -> None:
    one = solved()
    by_name(one)["double"].outputs = [v4.new_output("stream", text="x" * 100_000)]
    by_name(one)["double"].execution_count = 7
    by_name(one)["open"].attachments = {"a.png": {"image/png": "AAAA"}}
    found = by_name(read(one).notebook)
    assert (found["double"].outputs, found["double"].execution_count) == ([], None)
    assert "attachments" not in found["open"]


def test_an_edited_test_cell_is_put_back() -> None:
    one = solved()
    by_name(one)["double-lights"].source = "print('2 of 2 lights are on.')"
    by_name(one)["double-lights"].metadata.nbgrader.points = 100
    found = read(one)
    assert by_name(found.notebook)["double-lights"] == by_name(notebook())["double-lights"]
    assert found.remarks == ["the test cell `double-lights` was edited; the released one was put back"]


def test_an_edited_task_is_put_back() -> None:
    one = solved()
    by_name(one)["open-task"].source = "Why? 400 points."
    found = read(one)
    assert by_name(found.notebook)["open-task"].source == by_name(notebook())["open-task"].source
    assert found.remarks == ["the cell `open-task` was edited; the released one was put back"]


def test_spaces_at_the_ends_of_lines_are_no_edit() -> None:
    one = solved()
    by_name(one)["double-lights"].source += "  \n\n"
    assert read(one).remarks == []


@pytest.mark.parametrize("name", ["double-lights", "double", "open", "imports"])
def test_a_deleted_cell_is_put_back_where_it_was(name: str) -> None:
    one = solved()
    one.cells = [cell for cell in one.cells if cell.id != name]
    found = read(one)
    assert [cell.id for cell in found.notebook.cells] == [cell.id for cell in notebook().cells]
    assert by_name(found.notebook)[name].source == by_name(notebook())[name].source
    assert found.remarks == [f"the cell `{name}` was missing; the released one was put in"]


def test_everything_deleted_is_the_release_again() -> None:
    found = read(v4.new_notebook())
    assert [cell.source for cell in found.notebook.cells] == [cell.source for cell in notebook().cells]
    assert len(found.remarks) == 6  # the imports, two solutions, two test cells, the open answer


def test_of_two_answers_the_last_counts_and_the_first_stays_as_a_cell_of_the_students() -> None:
    one = solved()
    again = v4.new_code_cell(function("double", "    return x + x"), metadata=by_name(one)["double"].metadata)
    one.cells.insert(6, again)
    found = read(one)
    in_order = [
        "double-task",
        "double-lights",
        "halve-task",
        "double",
        "halve",
        "halve-lights",
        "open-task",
        "open",
    ]
    assert names(found) == in_order
    assert "x + x" in by_name(found.notebook)["double"].source
    assert sum("2 * x" in cell.source for cell in found.notebook.cells) == 1
    assert found.remarks == ["the cell `double` was there 2 times; the last one with an answer counts"]


def test_a_stub_below_the_answer_does_not_undo_it() -> None:
    one = solved()
    one.cells.insert(4, v4.new_code_cell(stub("double"), metadata=by_name(one)["double"].metadata))
    found = read(one)
    assert names(found) == ALL
    assert "2 * x" in by_name(found.notebook)["double"].source
    assert not any("double is not written" in cell.source for cell in found.notebook.cells)


def test_a_copied_test_cell_counts_once() -> None:
    one = solved()
    one.cells.append(by_name(one)["double-lights"].copy() | {"id": "copy"})
    assert names(read(one)) == ALL


def test_names_that_are_not_ours_are_taken_from_a_cell() -> None:
    one = solved()
    ours = by_name(one)["double"].metadata.nbgrader | {"grade_id": "gift", "points": 50, "grade": True}
    one.cells.append(v4.new_code_cell("40 + 2", metadata={"nbgrader": ours}))
    found = read(one)
    assert names(found) == ALL
    assert found.notebook.cells[-1].metadata == {}


def test_an_answer_that_became_text_is_read_as_code() -> None:
    one = solved()
    at = one.cells.index(by_name(one)["double"])
    was = one.cells[at]
    one.cells[at] = v4.new_markdown_cell(was.source, id=was.id, metadata=was.metadata)
    found = read(one)
    assert by_name(found.notebook)["double"].cell_type == "code"
    assert found.remarks == ["the cell `double` had become markdown; it was read as code"]


def test_a_renamed_file_is_found() -> None:
    found = repaired({"small (1).IPYNB": content(solved())}, CHAPTER, RELEASE)
    assert "2 * x" in by_name(found.notebook)["double"].source
    assert found.remarks == ["the notebook was called small (1).IPYNB rather than small.ipynb"]


def test_a_name_cannot_steer_a_terminal() -> None:
    remarks = repaired({"\x1b[31m.ipynb": content(solved()), "\n.ipynb": b""}, CHAPTER, RELEASE).remarks
    assert remarks[0].startswith("?.ipynb could not be read")
    assert remarks[1].startswith("the notebook was called ?[31m.ipynb rather than")


def test_of_several_renamed_files_the_one_with_most_tasks_counts() -> None:
    files = {"a.ipynb": content(v4.new_notebook()), "b.ipynb": content(solved()), "c.ipynb": b"junk"}
    found = repaired(files, CHAPTER, RELEASE)
    assert "2 * x" in by_name(found.notebook)["double"].source
    assert found.remarks[0].startswith("c.ipynb could not be read: it is not JSON")
    assert found.remarks[1] == (
        "the notebook was called b.ipynb rather than small.ipynb, and of 2 notebooks it has the most of the tasks"
    )
    assert found.files == {}


def test_a_broken_notebook_beside_a_whole_one_is_passed_over() -> None:
    found = repaired({NAME: b"{", "copy.ipynb": content(solved())}, CHAPTER, RELEASE)
    assert "2 * x" in by_name(found.notebook)["double"].source


UNREADABLE = {
    "not JSON": (b"PK\x03\x04", "it is not JSON, so no notebook"),
    "cut off": (content(solved())[:500], "it is not JSON, so no notebook"),
    "nothing": (b"", "it is not JSON, so no notebook"),
    "a list": (b"[1, 2]", "it has no cells"),
    "nested too deep": (b"[" * 200_000, "it is not JSON, so no notebook"),
    "format 3": (
        b'{"nbformat": 3, "worksheets": []}',
        "it is a notebook of format 3; save it with a newer Jupyter",
    ),
    "a million cells": (
        b'{"nbformat": 4, "cells": [' + b"1," * 10**6 + b"1]}",
        "it has 1,000,001 cells, more than 2,000",
    ),
    "format 9": (b'{"nbformat": 9, "cells": []}', "expected a notebook of format 4; received format 9"),
}


@pytest.mark.parametrize(("file", "says"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_is_no_notebook_is_the_release_and_a_remark(file: bytes, says: str) -> None:
    found = repaired({NAME: file}, CHAPTER, RELEASE)
    assert [cell.source for cell in found.notebook.cells] == [cell.source for cell in notebook().cells]
    assert found.remarks[0].startswith(f"{NAME} could not be read: {says}")
    assert found.remarks[1] == f"no notebook could be read, so every light is off; expected {NAME}"


def test_too_large_a_notebook_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "LARGEST", 1000)
    assert "clear its outputs and hand it in again" in read(solved()).remarks[0]


def test_no_notebook_at_all() -> None:
    assert repaired({}, CHAPTER, RELEASE).remarks == [
        f"no notebook was handed in, so every light is off; expected {NAME}"
    ]


STRANGE: dict[str, Any] = {
    "a cell that is no cell": 7,
    "a cell of an unknown kind": {"cell_type": "poem", "source": "x"},
    "metadata that is no dict": {"cell_type": "code", "source": "1", "metadata": [1]},
    "names that are no names": {
        "cell_type": "code",
        "source": "1",
        "metadata": {"nbgrader": {"grade_id": [1]}},
    },
    "nbgrader that is a number": {"cell_type": "code", "source": "1", "metadata": {"nbgrader": 3}},
    "a source that is a number": {"cell_type": "code", "source": 5, "metadata": {}},
    "a source of lines": {"cell_type": "code", "source": ["a = 1\n", "b = 2"], "metadata": {}},
    "half a character": {"cell_type": "markdown", "source": "\ud800", "metadata": {}},
    "an id that is none": {"cell_type": "code", "source": "1", "metadata": {}, "id": {"a": 1}},
    "the id of another": {"cell_type": "code", "source": "1", "metadata": {}, "id": "double"},
    "the id of our imports": {"cell_type": "code", "source": "1", "metadata": {}, "id": "imports"},
    "no source": {"cell_type": "raw"},
}


@pytest.mark.parametrize("strange", STRANGE.values(), ids=STRANGE.keys())
def test_a_strange_cell_does_no_harm(strange: Any) -> None:
    one = json.loads(content(solved()))
    one["cells"].insert(3, strange)
    found = repaired({NAME: json.dumps(one).encode()}, CHAPTER, RELEASE)
    assert names(found) == ALL
    assert found.remarks == []
    nbformat.validate(nbformat.reads(nbformat.writes(found.notebook), as_version=4))
    assert len({cell.id for cell in found.notebook.cells}) == len(found.notebook.cells)


def test_other_files_are_kept_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "MOST_FILES", 3)
    monkeypatch.setattr(preflight, "LARGEST", 50_000)
    files = {
        "a.csv": b"1",
        "data/b.csv": b"2",
        "big": b"0" * 60_000,
        "../up": b"",
        "/abs": b"",
        "z": b"",
        "zz": b"",
    }
    found = read(solved(), **files)
    assert sorted(found.files) == ["a.csv", "data/b.csv", "z"]
    assert found.remarks == [
        "the file '../up' was left out: its name is no plain name of a file",
        "the file '/abs' was left out: its name is no plain name of a file",
        "the file 'big' was left out: all files together may have 50,000 bytes",
        "the file 'zz' was left out: at most 3 files are read",
    ]
