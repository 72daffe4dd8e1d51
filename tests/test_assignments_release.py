"""What students get of every assignment: nbgrader releases it, with a stub for each task and nothing of the answers."""

from pathlib import Path
from typing import Any

import nbformat
import pytest

from classroom.course import Course
from classroom.referee import checks
from classroom.release import ANSWER, leaks, release

CHAPTERS = sorted(path.parent.name for path in Path(__file__).parent.parent.glob("assignments/*/*.ipynb"))


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    return Course(tmp_path_factory.mktemp("course"))


@pytest.fixture(scope="module", params=CHAPTERS)
def released(request: pytest.FixtureRequest, course: Course) -> tuple[str, dict[str, Any]]:
    """A chapter's name, and its released cells by their grade id."""
    cells = nbformat.read(release(course, request.param), as_version=4).cells
    return request.param, {
        cell.metadata.nbgrader.grade_id: cell for cell in cells if "nbgrader" in cell.metadata
    }


def test_no_line_of_an_answer_goes_out(course: Course, released: tuple[str, dict[str, Any]]) -> None:
    assert leaks(course, released[0]) == []


def test_each_task_is_a_stub_and_the_open_question_is_open(released: tuple[str, dict[str, Any]]) -> None:
    chapter, cells = released
    for task in {one.task for one in checks(chapter)}:
        assert cells[task].source.count("raise NotImplementedError(") == 1
        assert cells[task].source.splitlines()[-1].lstrip().startswith("raise NotImplementedError(")
    assert cells["open"].source == ANSWER


def test_nothing_was_run_before(released: tuple[str, dict[str, Any]]) -> None:
    code = [cell for cell in released[1].values() if cell.cell_type == "code"]
    assert [cell.id for cell in code if cell.outputs or cell.execution_count] == []
