"""Submissions of the assignment Neurons, made from a seed: right, partly right, wrong and hostile, with their marks.

A mark is known beforehand as an interval for each task: the points of the task, none, or, where a typical wrong answer
stands, at least one light less than all.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import numpy as np

from tests.assignments import neurons as answers

CHAPTER = "neurons"
SHARES = {"correct": 0.4, "partly right": 0.25, "wrong": 0.2, "hostile": 0.15}
Marks = dict[str, tuple[float, float]]


@dataclass(frozen=True)
class HandedIn:
    """A submission: its kind, what is special, its files, and between which bounds the mark of each task lies."""

    kind: str
    about: str
    files: dict[str, bytes]
    marks: Marks


class Generator:
    """Makes submissions from the source notebook (with solutions) and the released one."""

    def __init__(self, source: Path, release: Path, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.solved, self.stub = (nbformat.read(path, as_version=4) for path in (source, release))
        self.solutions = {cell.id: cell.source for cell in self.solved.cells if _is(cell, "code", "solution")}
        self.points = {
            cell.id.removesuffix("-lights"): float(cell.metadata.nbgrader.points)
            for cell in self.stub.cells
            if _is(cell, "code", "grade")
        }
        self.tasks = list(self.points)
        self.last = self.tasks[-1]

    def class_of(self, number: int) -> list[HandedIn]:
        """Return so many submissions in the shares of SHARES, in an order of the seed's; hostile ones take turns."""
        counts = {kind: round(share * number) for kind, share in SHARES.items()}
        counts["correct"] += number - sum(counts.values())
        makers = {"correct": self.correct, "partly right": self.partly, "wrong": self.wrong}
        made = [makers[kind]() for kind, count in counts.items() if kind != "hostile" for _ in range(count)]
        made += [self.hostile(list(HOSTILE)[n % len(HOSTILE)]) for n in range(counts["hostile"])]
        return [made[n] for n in self.rng.permutation(number)]

    def correct(self) -> HandedIn:
        """Every task right, some of them in another way than the reference's, where no later task builds on the way."""
        chosen = dict(self.solutions)
        for right in answers.ALSO_RIGHT:
            later = self.tasks[self.tasks.index(right.task) + 1 :]
            if self.rng.random() < 0.5 and not any(
                f"{right.task}(" in self.solutions[task] for task in later
            ):
                chosen[right.task] = right.code
        return HandedIn("correct", "all tasks", self.files(chosen), self.full())

    def partly(self) -> HandedIn:
        """The first tasks right, the rest as they were handed out."""
        done = int(self.rng.integers(0, len(self.tasks)))
        chosen = {task: self.solutions[task] for task in self.tasks[:done]}
        marks = self.full() | dict.fromkeys(self.tasks[done:], (0.0, 0.0))
        return HandedIn("partly right", f"{done} tasks", self.files(chosen), marks)

    def wrong(self) -> HandedIn:
        """One task answered as a misconception would; what builds on it may lose lights, too."""
        one = answers.WRONG[int(self.rng.integers(len(answers.WRONG)))]
        marks = self.full()
        for task in self.tasks[self.tasks.index(one.task) :]:
            marks[task] = (0.0, self.points[task])
        marks[one.task] = (0.0, self.points[one.task] - 1)
        files = self.files(self.solutions | {one.task: one.code})
        return HandedIn("wrong", f"{one.task}: {one.misconception}", files, marks)

    def hostile(self, about: str) -> HandedIn:
        """One of HOSTILE: an attack in the last task, whose lights it loses, or a notebook that was spoilt."""
        notebook, marks = self.notebook(self.solutions), self.full()
        files = HOSTILE[about](self, notebook, marks)
        return HandedIn("hostile", about, files or self.written(notebook), marks)

    def full(self) -> Marks:
        """Return the bounds of a submission with all points."""
        return {task: (points, points) for task, points in self.points.items()}

    def files(self, solutions: dict[str, str]) -> dict[str, bytes]:
        """Return the files of a submission with these solutions."""
        return self.written(self.notebook(solutions))

    def notebook(self, solutions: dict[str, str]) -> Any:
        """Return the released notebook with these solutions, and an answer of its own to the open question."""
        made = copy.deepcopy(self.stub)
        for cell in made.cells:
            cell.source = solutions.get(cell.id, cell.source)
            if cell.id == "open":
                cell.source = f"Because of reason {self.rng.integers(10**9)}."
        return made

    def stub_of(self, task: str) -> str:
        """Return a task's cell as it was handed out."""
        return str(_cell(self.stub, task).source)

    def written(self, notebook: Any) -> dict[str, bytes]:
        """Return the files of a submission with this notebook."""
        return {f"{CHAPTER}.ipynb": nbformat.writes(notebook).encode()}


def _is(cell: Any, kind: str, what: str) -> bool:
    return bool(cell.cell_type == kind and cell.metadata.get("nbgrader", {}).get(what))


# ---------------------------------------------------------------------------------------- attacks, accidents

Spoiling = Callable[[Generator, Any, Marks], dict[str, bytes] | None]


def _attack(code: str) -> Spoiling:
    """The last task is replaced by an attack and is worth nothing; everything before it keeps its marks."""

    def spoil(made: Generator, notebook: Any, marks: Marks) -> None:
        _cell(notebook, made.last).source = code
        marks[made.last] = (0.0, 0.0)

    return spoil


def _cell(notebook: Any, name: str) -> Any:
    return next(cell for cell in notebook.cells if cell.id == name)


def _delete_test(made: Generator, notebook: Any, marks: Marks) -> None:
    notebook.cells.remove(_cell(notebook, f"{made.last}-lights"))


def _edit_test(made: Generator, notebook: Any, marks: Marks) -> None:
    _cell(notebook, made.last).source = made.stub_of(made.last)
    _cell(notebook, f"{made.last}-lights").source = "28"
    marks[made.last] = (0.0, 0.0)


def _duplicate(made: Generator, notebook: Any, marks: Marks) -> None:
    where = notebook.cells.index(_cell(notebook, made.last))
    again = copy.deepcopy(notebook.cells[where])
    again.id = "again"
    notebook.cells.insert(where, again)


def _rename(made: Generator, notebook: Any, marks: Marks) -> dict[str, bytes]:
    return {"neurons (1) final.ipynb": nbformat.writes(notebook).encode()}


def _not_json(made: Generator, notebook: Any, marks: Marks) -> dict[str, bytes]:
    marks |= dict.fromkeys(marks, (0.0, 0.0))
    return {f"{CHAPTER}.ipynb": b"<html>I saved the page instead</html>"}


HOSTILE: dict[str, Spoiling] = {
    "ends Python": _attack("import os\nos._exit(0)"),
    "equals everything": _attack(
        "class Right:\n    def __eq__(self, other):\n        return True\n    __array__ = lambda self, *_: 1.0\n\n"
        "def train(*_):\n    return Right(), Right()"
    ),
    "patches NumPy": _attack(
        "np.allclose = np.array_equal = np.testing.assert_allclose = lambda *_, **__: True\n\n"
        "def train(x, *_):\n    return np.ones(x.shape[1]), 1.0"
    ),
    "takes 3 GB": _attack("def train(*_):\n    return bytearray(3 * 10**9), 0.0"),
    "writes without end": _attack("while True:\n    print('x' * 10**6)"),
    "reads the gradebook": _attack(
        "import glob\nfound = [open(name, 'rb').read() for name in glob.glob('/**/gradebook.db', recursive=True)]\n\n"
        "def train(*_):\n    return found, 0.0"
    ),
    "forks": _attack("import os\nwhile True:\n    os.fork()"),
    "deletes a test": _delete_test,
    "edits a test": _edit_test,
    "has a cell twice": _duplicate,
    "renames the file": _rename,
    "is no notebook": _not_json,
    "does not end": _attack("def train(*_):\n    while True:\n        pass"),
}
