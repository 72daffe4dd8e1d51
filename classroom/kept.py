"""What the first phase found, on disk: one file for each submission, replaced in one step.

A grading that is killed leaves whole files or none, so it goes on where it was.
"""

from __future__ import annotations

from pathlib import Path

from classroom.course import Course
from classroom.grading import Graded
from classroom.travel import from_graded, to_graded

FOUND, JSON = "found", "found.json"


def keep(course: Course, graded: Graded) -> None:
    """Write what was found to the course's folder."""
    replace(course.step(FOUND, graded.student, graded.chapter) / JSON, from_graded(graded))


def kept(course: Course, student: str, chapter: str) -> Graded | None:
    """Return what was found earlier; None where nothing was, or where the file cannot be read."""
    try:
        return to_graded((course.step(FOUND, student, chapter) / JSON).read_bytes())
    except (OSError, ValueError):
        return None


def replace(path: Path, data: bytes) -> None:
    """Write a file so that at any moment it is the old one or the new one, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    beside.write_bytes(data)
    beside.replace(path)
