"""Marks given by hand: which answers wait for one, and a CSV file that gives them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbgrader.api import Grade, Gradebook, MissingEntry, SubmittedNotebook

from classroom import tables
from classroom.course import Course
from classroom.misused import Misused

FILE = "by_hand.csv"
COLUMNS = ("student", "chapter", "points")


@dataclass(frozen=True)
class Open:
    """An answer that waits for a mark; `marked` says that it had one and was then handed in again."""

    student: str
    chapter: str
    cell: str
    points: float
    marked: bool


def waiting(gradebook: Gradebook, chapter: str = "") -> list[Open]:
    """Return what waits for a mark by hand, in one chapter or in all."""
    query = gradebook.db.query(Grade).filter(Grade.needs_manual_grade).join(SubmittedNotebook)
    found = [
        Open(one.student.id, one.assignment.name, one.name, one.max_score, one.manual_score is not None)
        for one in query.all()
    ]
    return sorted(
        (one for one in found if chapter in ("", one.chapter)), key=lambda one: (one.chapter, one.student)
    )


def enter(course: Course) -> int:
    """Enter the marks of by_hand.csv, where there is one, and return how many were new.

    A mark that stands already is left as it is. Misused, with a line for each row that is wrong, and nothing entered,
    where a row names an unknown student or chapter, or points that the question does not give.
    """
    path = course.folder / FILE
    if not path.is_file():
        return 0
    rows = tables.read(path, COLUMNS, ("cell", "comment"))
    with course.alone(), course.gradebook() as gradebook:
        wrong: list[str] = []
        found = [(row, _grade(gradebook, path, number, row, wrong)) for number, row in rows]
        if wrong:
            raise Misused("\n".join([f"nothing of {path} was entered:", *wrong]))
        new = [(row, grade) for row, grade in found if grade.manual_score != float(row["points"])]
        for row, grade in new:
            grade.manual_score = float(row["points"])
            grade.needs_manual_grade = False
        for row, grade in found:
            if row.get("comment"):
                _comment(gradebook, grade).manual_comment = row["comment"]
        gradebook.db.commit()
    return len(new)


def _grade(gradebook: Gradebook, path: Path, number: int, row: dict[str, str], wrong: list[str]) -> Any:
    """Return the mark that a row is about; a row that is wrong adds a line to `wrong`."""
    cell = row.get("cell") or "open"
    try:
        grade = gradebook.find_grade(cell, row["chapter"], row["chapter"], row["student"])
    except MissingEntry:
        wrong.append(
            f"  line {number}: {row['student']!r} has no graded answer {cell!r} in {row['chapter']!r}"
        )
        return None
    try:
        points = float(row["points"])
    except ValueError:
        points = float("nan")
    if not 0 <= points <= grade.max_score:
        wrong.append(f"  line {number}: expected 0 to {grade.max_score:g} points; received {row['points']!r}")
    return grade


def _comment(gradebook: Gradebook, grade: Any) -> Any:
    return gradebook.find_comment(grade.name, grade.notebook.name, grade.assignment.name, grade.student.id)
