"""`make feedback`: nbgrader's page for each student, with the lights, the remarks, and what still waits for a mark."""

from __future__ import annotations

import glob
import hashlib
import json
from pathlib import Path
from typing import Any

from nbformat import v4
from nbgrader.api import Gradebook, SubmittedAssignment
from nbgrader.converters import GenerateFeedback, NbGraderException
from nbgrader.exchange import ExchangeError
from nbgrader.preprocessors import NbGraderPreprocessor
from tqdm import tqdm

from classroom.course import Course, errors_of, reason
from classroom.kept import FOUND, replace
from classroom.misused import Misused

SHOWN = "feedback"


class Waiting(NbGraderPreprocessor):  # type: ignore[misc]
    """A cell at the top that says which answers have no mark yet, so that nobody takes the 0 there for a mark."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Return the notebook with the cell, or as it is when nothing waits."""
        about = resources["nbgrader"]
        with Gradebook(about["db_url"]) as gradebook:
            found = gradebook.find_submission_notebook(
                about["notebook"], about["assignment"], about["student"]
            )
            lines = [_says(grade) for grade in found.grades if grade.needs_manual_grade]
        if lines:
            nb.cells.insert(0, v4.new_markdown_cell("\n\n".join(sorted(lines)), id="waiting"))
        return nb, resources


def _says(grade: Any) -> str:
    if grade.manual_score is None:
        return f"**`{grade.name}` waits for a mark by hand** ({grade.max_score:g} points); the score is without it."
    return f"**`{grade.name}` was handed in again after its mark**; a teacher looks at it once more."


class Pages(GenerateFeedback):  # type: ignore[misc]
    """nbgrader's generate_feedback for the submissions whose page is not up to date."""

    def __init__(self, course: Course, chapter: str, states: dict[str, str], quiet: bool) -> None:
        self.course, self.chapter, self.states = course, chapter, states
        self.app = course.app()
        self.app.coursedir.assignment_id = chapter
        super().__init__(coursedir=self.app.coursedir, parent=self.app, force=True)
        self.progress = tqdm(total=len(states), desc=chapter, unit=" pages", disable=quiet or None)

    def init_notebooks(self) -> None:
        """Name the notebooks by their paths, for the reason that Recorder does."""
        folders = {student: self._format_source(self.chapter, student) for student in self.states}
        self.students = {folder: student for student, folder in folders.items()}
        self.assignments = {folder: [f"{folder}/{self.chapter}.ipynb"] for folder in folders.values()}

    def convert_single_notebook(self, notebook_filename: str) -> None:
        """Write one student's page, and note of what."""
        super().convert_single_notebook(notebook_filename)
        student = self.students[str(Path(notebook_filename).parent)]
        replace(self.course.step(FOUND, student, self.chapter) / SHOWN, self.states[student].encode())
        self.progress.update()


def feedback(course: Course, chapter: str, *, quiet: bool = False) -> tuple[int, int, int]:
    """Write feedback/<student>/<chapter>/<chapter>.html for each graded submission.

    Return how many were written, how many were up to date, and how many were released to the exchange. Misused where
    nothing is graded, or where nbgrader cannot write a page.
    """
    course.known(chapter)
    with course.alone():
        states = _states(course, chapter)
        if not states:
            raise Misused(f"nothing of {chapter} is graded yet; run: make grade CHAPTER={chapter}")
        old = {
            student: state for student, state in states.items() if not _shown(course, student, chapter, state)
        }
        if old:
            _write(Pages(course, chapter, old, quiet))
        return len(old), len(states) - len(old), _release(course, chapter, sorted(states))


def _write(pages: Pages) -> None:
    with errors_of(pages.app) as errors, pages.progress:
        try:
            pages.start()
        except NbGraderException:
            raise Misused(f"nbgrader could not write every page: {reason(errors)}") from None


def _states(course: Course, chapter: str) -> dict[str, str]:
    """Return for each graded student what identifies the page: the notebook, the marks, the comments."""
    with course.gradebook() as gradebook:
        if chapter not in {one.name for one in gradebook.assignments}:
            return {}
        found = {one.student.id: _marks(one) for one in gradebook.assignment_submissions(chapter)}
    states = {}
    for student, marks in found.items():
        path = course.step("autograded", student, chapter) / f"{chapter}.ipynb"
        if path.is_file():
            states[student] = hashlib.sha256(path.read_bytes() + json.dumps(marks).encode()).hexdigest()
    return states


def _marks(submission: SubmittedAssignment) -> list[Any]:
    marks: list[Any] = [submission.late_submission_penalty]
    for notebook in submission.notebooks:
        marks += sorted([grade.name, grade.score, grade.needs_manual_grade] for grade in notebook.grades)
        marks += sorted([comment.name, comment.comment] for comment in notebook.comments)
    return marks


def _shown(course: Course, student: str, chapter: str, state: str) -> bool:
    noted = course.step(FOUND, student, chapter) / SHOWN
    page = course.step("feedback", student, chapter) / f"{chapter}.html"
    return page.is_file() and noted.is_file() and noted.read_text() == state


def _release(course: Course, chapter: str, students: list[str]) -> int:
    """Give pages to nbgrader's exchange, where there is one; return how many. Only what came from it goes back."""
    app = course.app()
    app.coursedir.assignment_id = chapter
    releaser = app.exchange.ReleaseFeedback(
        coursedir=app.coursedir, authenticator=app.authenticator, parent=app
    )
    if not (Path(releaser.root) / app.coursedir.course_id).is_dir():
        return 0
    given = 0
    with errors_of(app) as errors:
        for student in students:
            if not (course.step("feedback", student, chapter) / "submission_secret.txt").is_file():
                continue
            app.coursedir.student_id = glob.escape(student)
            try:
                releaser.start()
            except ExchangeError:
                raise Misused(
                    f"the exchange did not take the feedback of {student}: {reason(errors)}"
                ) from None
            given += 1
    return given
