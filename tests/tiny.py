"""A tiny assignment, two tasks and an open question, and a course around it, for the tests of the classroom."""

from __future__ import annotations

import atexit
import functools
import html
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbformat import v4

from classroom.course import Course
from classroom.parallel import Engine, Outcome
from classroom.release import release
from tests import fakes
from tests.fakes import CHAPTER, SOLUTIONS

HIDDEN = """
from classroom.referee import check


@check("double", "five is doubled")
def five(double):
    assert double(5.0) == 10.0, "five doubled is ten, and it was something else"


@check("double", "a negative number is doubled")
def negative(double):
    assert double(-3.0) == -6.0, "the sign was lost"


@check("halve", "seven is halved")
def seven(halve):
    assert halve(7.0) == 3.5, "the half was rounded"
"""


def task(name: str, body: str, points: int) -> list[Any]:
    """Return the three cells of a task."""
    code = f'def {name}(x):\n    """Return {name} of the number x."""\n    {body}'
    lights = f'@light("one")\ndef one():\n    assert {name}(2.0) in (1.0, 4.0)\n\n\nevery_light()'
    test = cell("code", f"{name}-lights", lights, grade=True, locked=True, points=points)
    test.metadata["tags"] = ["raises-exception"]
    return [
        cell("markdown", f"{name}-task", f"## {name}", locked=True),
        cell("code", name, code, solution=True),
        test,
    ]


def cell(kind: str, name: str, source: str, points: int | None = None, **flags: bool) -> Any:
    """Return a cell as nbgrader wants it."""
    ours = {"grade": False, "locked": False, "solution": False, "task": False} | flags
    ours |= {"grade_id": name, "schema_version": 3} | ({} if points is None else {"points": points})
    make = v4.new_code_cell if kind == "code" else v4.new_markdown_cell
    return make(source, id=name, metadata={"nbgrader": ours})


def notebook(solutions: dict[str, str], answer: str) -> Any:
    """Return the assignment with these bodies and this answer."""
    cells = [
        v4.new_markdown_cell("# Tiny", id="title"),
        v4.new_code_cell("from dlcore.lights import every_light, light", id="imports"),
        *task("double", solutions["double"], 2),
        *task("halve", solutions["halve"], 1),
        cell("markdown", "open-task", "Why? 4 points: one for each reason.", locked=True),
        cell("markdown", "open", answer, grade=True, solution=True, points=4),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def between(text: str) -> str:
    """Return a solution between nbgrader's marks."""
    return f"### BEGIN SOLUTION\n    {text}\n    ### END SOLUTION"


def source() -> Any:
    """Return the source notebook, solutions inside."""
    model = "### BEGIN SOLUTION\nThe model answer says why.\n### END SOLUTION"
    return notebook({name: between(body) for name, body in SOLUTIONS.items()}, model)


def course(folder: Path) -> Course:
    """Return a course with the tiny assignment, not yet released."""
    (folder / "assignments" / CHAPTER).mkdir(parents=True)
    nbformat.write(source(), folder / "assignments" / CHAPTER / f"{CHAPTER}.ipynb")
    (folder / "hidden").mkdir()
    (folder / "hidden" / f"{CHAPTER}.py").write_text(HIDDEN)
    return Course(folder / "course", folder / "assignments", folder / "hidden")


def released(folder: Path) -> Course:
    """Return a course whose tiny assignment was released: a copy, since a new gradebook takes seconds."""
    return copied(_released(), folder)


@functools.cache
def _released() -> Course:
    folder = Path(tempfile.mkdtemp(prefix="tiny-"))
    atexit.register(shutil.rmtree, folder)
    made = course(folder)
    release(made, CHAPTER)
    return made


def copied(made: Course, folder: Path) -> Course:
    """Return a copy of a course in a folder."""
    shutil.copytree(made.folder.parent, folder, dirs_exist_ok=True)
    return Course(*(folder / one.name for one in (made.folder, made.assignments, made.hidden)))


def hand_in(made: Course, student: str, answer: str = "Because.", **solutions: str) -> Path:
    """Put a submission where the exchange would; tasks not named are solved. Return the notebook's path."""
    read = nbformat.read(made.release(CHAPTER), as_version=4)
    for one in read.cells:
        name = one.metadata.get("nbgrader", {}).get("grade_id", "")
        if name in SOLUTIONS:
            head = one.source[: one.source.index("raise")]
            one.source = head + (SOLUTIONS | solutions)[name]
        if name == "open":
            one.source = answer
    path = made.step("submitted", student, CHAPTER) / f"{CHAPTER}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(read, path)
    return path


class Here(Engine):
    """An engine that grades in this process with `fake`, one after another."""

    def outcomes(self, tasks: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, Outcome]]:
        for student, task in tasks:
            yield student, self.work(task)


HERE = Here(1, work=fakes.fake)


def seen(page: str) -> str:
    """Return what a reader of a page of HTML sees, with single spaces."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", "", page.partition("<body")[2])))
