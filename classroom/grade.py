"""`make grade`: submissions are examined in parallel and entered by one writer; killed, it goes on where it was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from tqdm import tqdm

from classroom.course import Course
from classroom.export import enrol
from classroom.gradebook import Fault, Recorder
from classroom.grading import Assignment, Graded, digest
from classroom.kept import keep, kept
from classroom.misused import Misused
from classroom.parallel import Engine, Outcome
from classroom.submitted import students, submission
from classroom.travel import from_task, to_graded


@dataclass
class Summary:
    """What a grading did; `faults` are ours, `remarks` are of what students handed in."""

    chapter: str
    graded: list[str] = field(default_factory=list)
    as_before: list[str] = field(default_factory=list)
    remarks: dict[str, list[str]] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)


def grade(course: Course, chapter: str, engine: Engine, *, student: str = "", quiet: bool = False) -> Summary:
    """Grade what is in submitted/ and not yet graded as it is now; return what was done.

    Misused where there is no release, nothing handed in, or no such student.
    """
    assignment = the_assignment(course, chapter)
    summary = Summary(chapter)
    with course.alone():
        there, summary.left_out = students(course, chapter)
        chosen = _chosen(there, student, course, chapter)
        progress = tqdm(total=len(chosen), desc=chapter, unit=" submissions", disable=quiet or None)
        with Recorder(course, chapter) as recorder, progress:
            enrol(course, recorder.gradebook)
            summary.absent = sorted({one.id for one in recorder.gradebook.students} - set(there))
            for found in _found(course, assignment, chosen, engine, summary):
                _enter(recorder, found, summary)
                progress.update()
    return summary


def the_assignment(course: Course, chapter: str) -> Assignment:
    """Return what submissions of a chapter are held against; Misused where it was not released."""
    released = course.released(chapter).read_text(encoding="utf-8")
    hidden = course.hidden / f"{chapter}.py"
    if not hidden.is_file():
        raise Misused(f"expected the hidden checks of {chapter} in {hidden}; there is no such file")
    return Assignment(chapter, released, hidden.read_text(encoding="utf-8"))


def _chosen(there: list[str], student: str, course: Course, chapter: str) -> list[str]:
    if student and student not in there:
        raise Misused(
            f"expected {student!r} to have a folder submitted/{student}/{chapter} in {course.folder}"
        )
    if not there:
        raise Misused(
            f"nothing to grade: put what was handed in into {course.folder}/submitted/<student>/{chapter}/"
        )
    return [student] if student else there


def _found(
    course: Course, assignment: Assignment, chosen: list[str], engine: Engine, summary: Summary
) -> Iterator[Graded]:
    """Yield what was found in each submission, first what is known from earlier; faults go to the summary."""
    chapter, left = assignment.chapter, []
    for student in chosen:
        handed_in, _ = submission(course, student, chapter)
        earlier = kept(course, student, chapter)
        if earlier and earlier.digest == digest(handed_in, assignment):
            yield earlier
        else:
            left.append(student)
    read: dict[str, tuple[str, list[str]]] = {}

    def tasks() -> Iterator[tuple[str, bytes]]:
        for student in left:
            handed_in, remarks = submission(course, student, chapter)
            read[student] = digest(handed_in, assignment), remarks
            yield student, from_task(handed_in, assignment)

    for student, outcome in engine.outcomes(tasks()):
        try:
            found = _checked(student, outcome, *read.pop(student))
            keep(course, found)
        except (Fault, OSError) as fault:
            summary.faults[student] = str(fault)
            continue
        yield found


def _checked(student: str, outcome: Outcome, expected: str, remarks: list[str]) -> Graded:
    """Return what a worker sent, with the remarks of reading the files; Fault if it is not what was asked for."""
    if isinstance(outcome, Exception):
        raise Fault(f"{type(outcome).__name__}: {outcome}") from outcome
    try:
        found = to_graded(outcome)
    except ValueError as error:
        raise Fault(f"a worker answered nonsense: {error}") from None
    if (found.student, found.digest) != (student, expected):
        raise Fault(
            "a worker graded something else than it was given; has it another version of this repository?"
        )
    return replace(found, remarks=list(dict.fromkeys([*remarks, *found.remarks])))


def _enter(recorder: Recorder, found: Graded, summary: Summary) -> None:
    if found.remarks:
        summary.remarks[found.student] = found.remarks
    try:
        if recorder.recorded(found):
            summary.as_before.append(found.student)
        else:
            recorder.record(found)
            summary.graded.append(found.student)
    except Fault as fault:
        summary.faults[found.student] = str(fault)
    except Exception as error:  # whatever it is, it is not to stop the others
        recorder.app.log.exception("entering %r failed", found.student)
        summary.faults[found.student] = f"{type(error).__name__}: {error}"
