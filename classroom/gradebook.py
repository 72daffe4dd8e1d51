"""The second phase: one writer puts what was found into nbgrader's gradebook and its autograded notebooks.

The work is nbgrader's own Autograde, with one step replaced: the notebook is not run, it receives what the first phase
found. Late penalties, marks by hand, comments and the formgrader are nbgrader's and stay as they are.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import nbformat
from nbformat import v4
from nbgrader import preprocessors as nbgraders
from nbgrader.api import MissingEntry
from nbgrader.converters import Autograde, NbGraderException
from nbgrader.converters.base import BaseConverter
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import parse_utc

from classroom.course import Course, errors_of, reason
from classroom.grading import Graded
from classroom.harmless import harmless, inert
from classroom.kept import FOUND, replace
from classroom.misused import Misused
from classroom.referee import Light
from classroom.shared import SharedGradebook
from classroom.submitted import NBGRADERS

WRITTEN = "written"
ENDING = "-lights"
BEFORE = (nbgraders.OverwriteKernelspec, nbgraders.OverwriteCells, nbgraders.CheckCellMetadata)
AFTER = (nbgraders.LimitOutput, nbgraders.SaveAutoGrades, nbgraders.AssignLatePenalties)


class Fault(RuntimeError):
    """Something of ours, not of the student's, kept a submission from being graded."""


class Refuse(NbGraderPreprocessor):  # type: ignore[misc]
    """What `nbgrader autograde` meets here instead of running students' code with the teacher's rights."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Raise Fault, always."""
        raise Fault(
            "grade with: make grade CHAPTER=…; it runs what students wrote in a sandbox, and this would not"
        )


class Recorder(Autograde):  # type: ignore[misc]
    """nbgrader's Autograde over graded/<student>/<chapter>/, where the first phase has left what it found."""

    def __init__(self, course: Course, chapter: str) -> None:
        self.course, self.chapter = course, chapter
        self.app = course.app()
        self.app.coursedir.submitted_directory = "graded"
        self.app.coursedir.assignment_id = chapter
        super().__init__(coursedir=self.app.coursedir, parent=self.app, force=True)
        self.preprocessors: list[Any] = []
        self.gradebook = SharedGradebook(self.app.coursedir.db_url, self.app.coursedir.course_id)
        try:
            self.due = str(self.gradebook.find_assignment(chapter).duedate)
        except MissingEntry:
            raise Misused(f"{chapter} is not in the gradebook; run: make release CHAPTER={chapter}") from None
        every = self.gradebook.assignment_submissions(chapter)
        self.entered = {one.student.id: str(one.extension) for one in every}
        self.released = nbformat.read(course.released(chapter), as_version=4)

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *_: object) -> None:
        self.gradebook.end()

    def recorded(self, graded: Graded) -> bool:
        """Return whether just this stands in the gradebook and in autograded/, with this time of handing in."""
        try:
            key = (self.course.step(FOUND, graded.student, self.chapter) / WRITTEN).read_text()
        except OSError:
            return False
        shown = self.course.step("autograded", graded.student, self.chapter) / f"{self.chapter}.ipynb"
        return key == self._key(graded) and graded.student in self.entered and shown.is_file()

    def record(self, graded: Graded) -> None:
        """Enter a submission into the gradebook and autograded/; Fault where nbgrader cannot.

        Done twice it is as if done once, so a writer that was killed is started again.
        """
        self.graded = graded
        folder = self.course.step("graded", graded.student, self.chapter)
        notebook = nbformat.reads(graded.notebook, as_version=4)
        harmless(notebook, self.released)
        replace(folder / f"{self.chapter}.ipynb", nbformat.writes(notebook).encode())
        handed = handed_in(self.course, graded.student, self.chapter)
        for name in NBGRADERS:
            (folder / name).unlink(missing_ok=True)
        for name, text in handed.items():
            replace(folder / name, text.encode())
        with errors_of(self.app) as errors:
            try:
                with self.gradebook.submission():
                    self.start()
            except NbGraderException:
                raise Fault(reason(errors)) from None
        replace(self.course.step(FOUND, graded.student, self.chapter) / WRITTEN, self._key(graded).encode())

    def _key(self, graded: Graded) -> str:
        """A mark depends on what was found, and with a late penalty on when it was handed in and was due."""
        times = self.due, str(self.entered.get(graded.student))
        parts = graded.digest, graded.remarks, times, handed_in(self.course, graded.student, self.chapter)
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    # ------------------------------------------------------------------ where nbgrader's steps are replaced

    def init_notebooks(self) -> None:
        """Name the one notebook by its path: a student's id may hold what a pattern would take for its own."""
        folder = self._format_source(self.chapter, self.graded.student)
        self.assignments = {folder: [f"{folder}/{self.chapter}.ipynb"]}

    def convert_single_notebook(self, notebook_filename: str) -> None:
        """Convert in one pass; nbgrader's two are there for the kernel that runs in between."""
        self.exporter._preprocessors = []
        for step in (*BEFORE, self._put_in, *AFTER):
            self.exporter.register_preprocessor(step)
        BaseConverter.convert_single_notebook(self, notebook_filename)

    def _put_in(self, notebook: Any, resources: Any) -> tuple[Any, Any]:
        """What stands in place of nbgrader's Execute."""
        for cell in notebook.cells:
            ours = cell.metadata.get("nbgrader", {})
            if cell.cell_type == "code" and ours.get("grade"):
                cell.outputs = shown(self._lights(ours["grade_id"], ours["points"]))
        if self.graded.remarks:
            notebook.cells.insert(0, v4.new_markdown_cell(noticed(self.graded.remarks), id="noticed"))
        return notebook, resources

    def _lights(self, cell: str, points: float) -> list[Light]:
        lights = self.graded.lights.get(cell.removesuffix(ENDING), [])
        if len(lights) != points:
            raise Fault(
                f"{cell} gives {points:g} points, and there are {len(lights)} hidden checks: make them as many in "
                f"assignments/{self.chapter} and classroom/hidden/{self.chapter}.py"
            )
        return lights


def shown(lights: list[Light]) -> list[Any]:
    """Return the outputs of a test cell: the lights, then their number, which nbgrader takes for the points."""
    on = sum(not light.mistake for light in lights)
    said = "\n".join(
        [*map(str, lights), f"{on} of {len(lights)} lights {'is' if on == 1 else 'are'} on.", ""]
    )
    points = v4.new_output("execute_result", {"text/plain": str(on)}, execution_count=None)
    return [v4.new_output("stream", name="stdout", text=said), points]


def noticed(remarks: list[str]) -> str:
    """Return the Markdown that tells the remarks of the grading."""
    return "\n".join(["**What the grading noticed**", "", *(f"- {inert(remark)}" for remark in remarks)])


def handed_in(course: Course, student: str, chapter: str) -> dict[str, str]:
    """Return what the exchange wrote beside a submission: when it came, and the secret that names its feedback."""
    found = {}
    for name in NBGRADERS:
        path = course.step("submitted", student, chapter) / name
        if path.is_file() and not path.is_symlink() and path.stat().st_size < 1000:
            found[name] = path.read_text(errors="replace").strip()
    try:
        parse_utc(found.get("timestamp.txt"))
    except (ValueError, OverflowError):  # a time that cannot be read is no lateness
        del found["timestamp.txt"]
    return found
