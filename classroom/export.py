"""`make marks`: the gradebook as CSV, in the forms that Canvas and Moodle import, and a plain one.

`nbgrader export --exporter=classroom.export.Canvas --to marks.csv` gives the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook
from nbgrader.plugins import ExportPlugin

from classroom import tables
from classroom.by_hand import waiting
from classroom.course import Course

ROSTER = "roster.csv"
NAMES = ("last_name", "first_name", "email", "lms_user_id")
Row = list[str | float | None]


class Marks(ExportPlugin):  # type: ignore[misc]
    """What the forms share: students in the order of their ids, chapters as columns, late penalties taken off.

    A student who handed in nothing has an empty cell, which an import leaves alone. An answer that still waits for its
    mark by hand counts nothing yet.
    """

    file = ""

    def export(self, gradebook: Gradebook) -> None:
        """Write the file named by `to`."""
        tables.write(Path(self.to or self.file), self.rows(gradebook))

    def rows(self, gradebook: Gradebook) -> Iterator[Row]:
        """Yield the header and the students."""
        chapters = [
            one for one in gradebook.assignments if not self.assignment or one.name in self.assignment
        ]
        marks = {chapter.name: _marks(gradebook, chapter.name) for chapter in chapters}
        yield from self.head({chapter.name: chapter.max_score for chapter in chapters})
        for student in sorted(gradebook.students, key=lambda one: str(one.id)):
            if not self.student or student.id in map(str, self.student):
                yield [*self.who(student), *self.points(student.id, marks)]

    def head(self, chapters: dict[str, float]) -> Iterator[Row]:
        """Yield the rows above the students; `chapters` are the columns with their points possible."""
        raise NotImplementedError

    def who(self, student: Any) -> Row:
        """Return the columns that say who it is."""
        raise NotImplementedError

    def points(self, student: str, marks: dict[str, dict[str, float]]) -> Row:
        """Return the columns of the chapters."""
        return [marks[chapter].get(student) for chapter in marks]


class Canvas(Marks):
    """Canvas: five columns that say who, the second row with the points possible. It matches by SIS Login ID or ID."""

    file = "canvas.csv"

    def head(self, chapters: dict[str, float]) -> Iterator[Row]:
        """Yield Canvas's two rows."""
        yield ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *chapters]
        yield ["    Points Possible", "", "", "", "", *chapters.values()]

    def who(self, student: Any) -> Row:
        """Return "last, first", Canvas's own number where the roster has it, and the login."""
        name = ", ".join(part for part in (student.last_name, student.first_name) if part)
        return [name or student.id, student.lms_user_id, "", student.id, ""]


class Moodle(Marks):
    """Moodle: its import asks which column says who; choose Username, ID number or Email address."""

    file = "moodle.csv"

    def head(self, chapters: dict[str, float]) -> Iterator[Row]:
        """Yield Moodle's one row; the points possible are set in its grade items."""
        yield ["Username", "ID number", "First name", "Last name", "Email address", *chapters]

    def who(self, student: Any) -> Row:
        """Return the columns under those names."""
        return [student.id, student.lms_user_id, student.first_name, student.last_name, student.email]


class Plain(Marks):
    """For a spreadsheet: the points possible stand in the header, the sum and what still waits at the end."""

    file = "marks.csv"

    def head(self, chapters: dict[str, float]) -> Iterator[Row]:
        """Yield one row."""
        named = [f"{chapter} (of {points:g})" for chapter, points in chapters.items()]
        yield [
            "student",
            "last name",
            "first name",
            "email",
            *named,
            f"sum (of {sum(chapters.values()):g})",
            "waiting",
        ]

    def who(self, student: Any) -> Row:
        """Return the columns under those names."""
        return [student.id, student.last_name, student.first_name, student.email]

    def rows(self, gradebook: Gradebook) -> Iterator[Row]:
        """Yield the header and the students, and with each the chapters whose answers wait for a mark by hand."""
        self.open: dict[str, list[str]] = {}
        for one in waiting(gradebook):
            self.open.setdefault(one.student, []).append(one.chapter)
        yield from super().rows(gradebook)

    def points(self, student: str, marks: dict[str, dict[str, float]]) -> Row:
        """Return the chapters, their sum, and what waits."""
        each = super().points(student, marks)
        return [
            *each,
            sum(one for one in each if isinstance(one, float)),
            " ".join(self.open.get(student, [])),
        ]


def marks(course: Course) -> list[Path]:
    """Write all three files to the course's folder marks/, with the names of roster.csv; return where they are."""
    app = course.app()
    paths = []
    with course.alone(), course.gradebook() as gradebook:
        enrol(course, gradebook)
        for form in (Canvas, Moodle, Plain):
            paths.append(course.folder / "marks" / form.file)
            form(parent=app, to=str(paths[-1])).export(gradebook)
    return paths


def enrol(course: Course, gradebook: Gradebook) -> None:
    """Enter the students of roster.csv, where there is one, with names, e-mail addresses and the LMS's own numbers."""
    path = course.folder / ROSTER
    if not path.is_file():
        return
    for _, row in tables.read(path, ["student"], NAMES):
        if row["student"]:
            known = {key: value for key, value in row.items() if key in NAMES and value}
            gradebook.update_or_create_student(row["student"], **known)


def _marks(gradebook: Gradebook, chapter: str) -> dict[str, float]:
    found = {}
    for submission in gradebook.assignment_submissions(chapter):
        penalty = submission.late_submission_penalty or 0.0
        found[submission.student.id] = max(0.0, float(submission.score - penalty))
    return found
