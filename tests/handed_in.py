"""A small release with two tasks, and what a student might hand in for it, for the tests of the grading."""

from __future__ import annotations

import json
from typing import Any

import nbformat
from nbformat import v4

from classroom.grading import Assignment, Submission

CHAPTER = "small"
NAME = f"{CHAPTER}.ipynb"
HIDDEN = """
import numpy as np

from classroom.referee import check, close, shown


@check("double", "a number is doubled")
def number(double):
    found = double(3.0)
    assert not close(found, 9.0), "the number was squared, not doubled: expected 6 for 3; received 9"
    assert close(found, 6.0), f"expected 6 for 3; received {shown(found)}"


@check("double", "every entry of an array is doubled")
def entries(double):
    found = double(np.array([[1.0, -2.0, 0.5]]))
    assert close(found, [[2.0, -4.0, 1.0]]), f"expected the secret 2, -4, 1; received {shown(found)}"


@check("halve", "a number is halved")
def half(halve):
    found = halve(7.0)
    assert close(found, 3.5), f"expected 3.5 for 7; received {shown(found)}"
"""
SOLVED = {"double": "    return 2 * x", "halve": "    return x / 2"}
MODEL = "Because two halves make a whole."


def function(name: str, body: str) -> str:
    """Return a task's solution cell."""
    return f'def {name}(x):\n    """Return {name} of the number x."""\n{body}'


def stub(name: str) -> str:
    """Return a task's solution cell as students get it."""
    return function(
        name, f'    raise NotImplementedError("{name} is not written yet: it returns {name} of x.")'
    )


def cell(kind: str, name: str, source: str, points: int | None = None, **flags: bool) -> Any:
    """Return a cell as nbgrader wants it."""
    ours = {"grade": False, "locked": False, "solution": False, "task": False} | flags
    ours |= {"grade_id": name, "schema_version": 3} | ({} if points is None else {"points": points})
    make = v4.new_code_cell if kind == "code" else v4.new_markdown_cell
    return make(source, id=name, metadata={"nbgrader": ours})


def notebook(**answers: str) -> Any:
    """Return the release with these sources in place of solution cells, or of the answer `open`."""
    cells = [
        v4.new_markdown_cell(f"# Small\n\nHand in {NAME}.", id="title"),
        v4.new_code_cell("import numpy as np\n\nfrom dlcore.lights import every_light, light", id="imports"),
    ]
    for name, points in (("double", 2), ("halve", 1)):
        lights = f'@light("two")\ndef two():\n    assert {name}(2.0) in (1.0, 4.0)\n\n\nevery_light()'
        test = cell("code", f"{name}-lights", lights, points, grade=True, locked=True)
        test.metadata["tags"] = ["raises-exception"]
        task = cell("markdown", f"{name}-task", f"## {name}", locked=True)
        cells += [task, cell("code", name, answers.get(name, stub(name)), solution=True), test]
    cells.append(cell("markdown", "open-task", "Why? 4 points: one for each reason.", locked=True))
    text = answers.get("open", "*Write your answer here.*")
    cells.append(cell("markdown", "open", text, 4, grade=True, solution=True))
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def solved(**answers: str) -> Any:
    """Return the notebook of a student who got everything right, but for the sources given."""
    right = {name: function(name, body) for name, body in SOLVED.items()} | {"open": MODEL}
    return notebook(**right | answers)


def by_name(one: Any) -> dict[str, Any]:
    """Return the cells of a notebook by their ids."""
    return {found.id: found for found in one.cells}


def content(one: Any) -> bytes:
    """Return a notebook's file."""
    return json.dumps(one).encode()


RELEASE = nbformat.writes(notebook())
ASSIGNMENT = Assignment(CHAPTER, RELEASE, HIDDEN)


def handed_in(one: Any, **files: bytes) -> Submission:
    """Return the submission of a notebook, with further files."""
    return Submission("ada", CHAPTER, {NAME: content(one), **files})
