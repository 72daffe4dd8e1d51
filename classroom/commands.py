"""What `make release`, `make grade`, `make feedback` and `make marks` run: `python -m classroom.commands …`.

The modules that do the work are imported once it is known which: every process that grades starts this file again.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from classroom.misused import Misused

if TYPE_CHECKING:
    from classroom.by_hand import Open
    from classroom.course import Course
    from classroom.grade import Summary


def main(arguments: list[str] | None = None) -> int:
    """Carry out a command and return its exit status: 0, 1 after a fault of ours, 2 where it was asked wrongly."""
    chosen = _parser().parse_args(arguments)
    try:
        return COMMANDS[chosen.command](_course(chosen.course), chosen)
    except Misused as error:
        say(str(error), to=sys.stderr)
        return 2
    except KeyboardInterrupt:
        say("Stopped. The same command goes on where this one was.", to=sys.stderr)
        return 130


def _course(folder: str) -> Course:
    from classroom.course import Course

    return Course(Path(folder).resolve())


def say(text: str, to: object = None) -> None:
    """Write a line. What students chose, such as the name of a file, must not steer the terminal."""
    shown = "".join(one if one.isprintable() or one == "\n" else "�" for one in text)
    stream = sys.stdout if to is None else sys.stderr
    stream.write(
        shown.encode(stream.encoding or "utf-8", "replace").decode(stream.encoding or "utf-8") + "\n"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m classroom.commands", description=__doc__)
    parser.add_argument("command", choices=sorted(COMMANDS))
    parser.add_argument("chapter", nargs="?", default="", help="the assignment; `marks` is about all of them")
    parser.add_argument("--course", default=os.environ.get("COURSE") or "course", help="the course's folder")
    parser.add_argument("--student", default="", help="grade this one alone")
    parser.add_argument("--jobs", type=_jobs, default=cores(), help="submissions at a time")
    parser.add_argument(
        "--scheduler", default="", help="address of a Dask scheduler, such as tcp://10.0.0.5:8786"
    )
    return parser


def cores() -> int:
    """Return how many cores this process may use: in a container, often fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _jobs(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number of processes, 1 or more; received {text!r}")
    return int(text)


def _release(course: Course, chosen: argparse.Namespace) -> int:
    from classroom.release import release

    say(f"{release(course, chosen.chapter)} is ready for students.")
    return 0


def _grade(course: Course, chosen: argparse.Namespace) -> int:
    from classroom.by_hand import waiting
    from classroom.grade import grade
    from classroom.parallel import Engine
    from classroom.sandbox import missing

    if not chosen.scheduler and (lacking := missing()):
        raise Misused(lacking)
    engine = Engine(chosen.jobs, chosen.scheduler)
    summary = grade(course, chosen.chapter, engine, student=chosen.student)
    _tell(summary)
    with course.gradebook() as gradebook:
        _tell_waiting(course, waiting(gradebook, chosen.chapter))
    return 1 if summary.faults else 0


def _tell(summary: Summary) -> None:
    say(f"{summary.chapter}: {len(summary.graded)} graded, {len(summary.as_before)} as before.")
    for student in sorted(summary.remarks):
        say("\n".join(f"  {student}: {remark}" for remark in summary.remarks[student]))
    for line in summary.left_out:
        say(f"  {line}")
    if summary.absent:
        say(f"Nothing handed in: {', '.join(summary.absent)}.")
    for fault in sorted(set(summary.faults.values())):
        students = sorted(student for student, found in summary.faults.items() if found == fault)
        say(f"  not graded, by no fault of theirs: {', '.join(students)}: {fault}", to=sys.stderr)


def _tell_waiting(course: Course, found: list[Open]) -> None:
    if not found:
        return
    from classroom.by_hand import FILE

    again = sum(one.marked for one in found)
    cells = ", ".join(sorted({f"{one.chapter}/{one.cell}" for one in found}))
    many = "1 answer waits" if len(found) == 1 else f"{len(found)} answers wait"
    say(f"{many} for a mark by hand ({cells}){f', {again} of them changed since' if again else ''}.")
    say(
        f"Give them in the formgrader, or as lines student,chapter,points in {course.folder / FILE} and: make marks"
    )


def _feedback(course: Course, chosen: argparse.Namespace) -> int:
    from classroom.by_hand import waiting
    from classroom.feedback import feedback

    written, as_before, given = feedback(course, chosen.chapter)
    say(f"{chosen.chapter}: {written} pages written, {as_before} as before, in {course.folder / 'feedback'}.")
    if given:
        say(f"{given} given to the exchange; students fetch them there.")
    with course.gradebook() as gradebook:
        _tell_waiting(course, waiting(gradebook, chosen.chapter))
    return 0


def _marks(course: Course, _: argparse.Namespace) -> int:
    from classroom.by_hand import FILE, enter, waiting
    from classroom.export import marks

    new = enter(course)
    if new:
        say(f"{new} marks of {FILE} entered.")
    for path in marks(course):
        say(str(path))
    with course.gradebook() as gradebook:
        _tell_waiting(course, waiting(gradebook))
    return 0


COMMANDS = {"release": _release, "grade": _grade, "feedback": _feedback, "marks": _marks}

if __name__ == "__main__":
    sys.exit(main())
