"""`python -m benchmarks.classroom`: a class of 200 graded in one command, its marks checked, and beside nbgrader's own.

The command is what `make grade` runs. Every mark is held against what is known of the submission, and the memory of
the command's own process is read as it goes. Then benign submissions are graded by it and by `nbgrader autograde`, in
turns, each as a command of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks import report
from benchmarks.handed_in import CHAPTER, Generator, HandedIn
from classroom.commands import cores
from classroom.course import Course
from classroom.release import release

RESULTS = report.ROOT / "benchmarks" / "results"
TARGET = 1.0  # of the time of plain autograde
MEMORY = 1.25  # at the end over what it was after a quarter
SEED = 0


@dataclass
class Timed:
    """What a command took by the clock, in seconds, and its memory in MB as it went."""

    clock: float
    memory: list[float]


def main() -> int:
    """Measure, print, and write results/classroom.json and .md; 1 where a mark is not as expected."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.classroom", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="12 submissions; writes no results")
    parser.add_argument("--number", type=int, default=200)
    parser.add_argument("--beside", type=int, default=40, help="benign submissions for the comparison")
    chosen = parser.parse_args()
    number, beside = (12, 4) if chosen.quick else (chosen.number, chosen.beside)
    with tempfile.TemporaryDirectory(prefix="class-") as folder:
        found = {"whole": whole(Path(folder) / "whole", number), "beside": compared(Path(folder), beside)}
    found |= {"stamp": report.stamp("cpu"), "jobs": cores()}
    text = page(found)
    print(text)
    if not chosen.quick:
        (RESULTS / "classroom.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        (RESULTS / "classroom.md").write_text(text, encoding="utf-8")
    return 1 if found["whole"]["wrong"] else 0


def whole(folder: Path, number: int) -> dict[str, Any]:
    """Grade a class in one command and check each mark."""
    made = course(folder)
    submissions = hand_in(made, number, SEED)
    timed = command(
        [sys.executable, "-m", "classroom.commands", "grade", CHAPTER, "--course", str(made.folder)]
    )
    wrong = unexpected(made, submissions)
    kinds = Counter(one.kind for one in submissions.values())
    hostile = Counter(one.about for one in submissions.values() if one.kind == "hostile")
    return {"number": number, "kinds": kinds, "hostile": hostile, "wrong": wrong, **asdict(timed)}


def compared(folder: Path, number: int) -> list[dict[str, float]]:
    """Grade benign submissions with ours and with plain autograde in turns: two rounds, the order changed."""
    rounds = []
    for turn in range(2):
        seconds: dict[str, float] = {}
        ways = {"ours": ours, "plain": plain}
        for name in sorted(ways, reverse=bool(turn)):
            made = course(folder / f"{name}{turn}")
            hand_in(made, number, SEED + 1 + turn, benign=True)
            timed = ways[name](made)
            seconds[name] = timed.clock / number
        rounds.append(seconds)
    return rounds


def ours(made: Course) -> Timed:
    """Grade as `make grade` does."""
    return command(
        [sys.executable, "-m", "classroom.commands", "grade", CHAPTER, "--course", str(made.folder)]
    )


def plain(made: Course) -> Timed:
    """Grade as nbgrader does by itself: no sandbox, one kernel after another, in a folder without our settings."""
    (made.folder / "source").symlink_to(made.assignments)
    autograde = [
        sys.executable,
        "-m",
        "nbgrader",
        "autograde",
        CHAPTER,
        "--CourseDirectory.root",
        str(made.folder),
    ]
    return command(autograde, made.folder)


def course(folder: Path) -> Course:
    """Return a new course with the assignment released."""
    made = Course(folder)
    release(made, CHAPTER)
    return made


def hand_in(made: Course, number: int, seed: int, *, benign: bool = False) -> dict[str, HandedIn]:
    """Put a class's submissions into a course and return them by student; `benign` leaves hostile ones out."""
    generator = Generator(made.source(CHAPTER), made.release(CHAPTER), seed)
    every = generator.class_of(2 * number if benign else number)
    chosen = [one for one in every if not (benign and one.kind == "hostile")][:number]
    submissions = {f"student{n:03}": one for n, one in enumerate(chosen)}
    for student, one in submissions.items():
        folder = made.step("submitted", student, CHAPTER)
        folder.mkdir(parents=True)
        for name, content in one.files.items():
            (folder / name).write_bytes(content)
    return submissions


def unexpected(made: Course, submissions: dict[str, HandedIn]) -> list[str]:
    """Return a line for each mark in the gradebook that is lost or not within what is known of the submission."""
    lines = []
    with made.gradebook() as gradebook:
        graded = {one.student.id: one for one in gradebook.assignment_submissions(CHAPTER)}
        for student, one in submissions.items():
            if student not in graded:
                lines.append(f"{student} ({one.kind}, {one.about}): no mark")
                continue
            found = {grade.name: grade.auto_score for grade in graded[student].notebooks[0].grades}
            for task, (least, most) in one.marks.items():
                mark = found[f"{task}-lights"]
                if mark is None or not least <= mark <= most:
                    lines.append(
                        f"{student} ({one.kind}, {one.about}): {task} {mark}, not {least:g} to {most:g}"
                    )
    return lines


def command(arguments: list[str], folder: Path = report.ROOT) -> Timed:
    """Run a command, reading its memory four times a second; RuntimeError with what it said where it fails."""
    # By the clock alone: the CPU time of a sandbox that is killed is nobody's.
    started = time.perf_counter()
    memory: list[float] = []
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with tempfile.TemporaryFile("w+") as said:
        running = subprocess.Popen(arguments, cwd=folder, stdout=said, stderr=said, env=environment)
        while running.poll() is None:
            try:
                memory.append(psutil.Process(running.pid).memory_info().rss / 1e6)
            except psutil.Error:
                break
            time.sleep(0.25)
        if running.wait():
            said.seek(0)
            raise RuntimeError(f"{' '.join(arguments)} ended in {running.returncode}:\n{said.read()[-3000:]}")
    return Timed(time.perf_counter() - started, memory)


def page(found: dict[str, Any]) -> str:
    """Return the results as Markdown."""
    whole, stamp = found["whole"], found["stamp"]
    ratio = [one["ours"] / one["plain"] for one in found["beside"]]
    kinds = ", ".join(f"{count} {kind}" for kind, count in whole["kinds"].items())
    hostile = ", ".join(f"{about} ({count})" for about, count in whole["hostile"].items())
    lines = [
        "# A class graded",
        "",
        "Written by `python -m benchmarks.classroom`; [how to read it](../README.md#a-class).",
        "",
        f"Machine: {stamp['machine']}; {stamp['system']}. {found['jobs']} submissions at a time.",
        "",
        *targets(whole, ratio),
        "",
        f"{whole['number']} submissions of {CHAPTER}: {kinds}. Hostile: {hostile}.",
        f"One command, {whole['clock']:.0f} s by the clock, {whole['clock'] / whole['number']:.2f} s each.",
        "",
        "| round | ours, seconds each | plain autograde, seconds each | × |",
        "|---|--:|--:|--:|",
    ]
    lines += [
        f"| {n + 1} | {one['ours']:.2f} | {one['plain']:.2f} | {ratio[n]:.2f} |"
        for n, one in enumerate(found["beside"])
    ]
    lines += ["", *(f"- {line}" for line in whole["wrong"])]
    return "\n".join([*lines, f"{stamp['date']}, commit {stamp['commit']}.", ""])


def targets(whole: dict[str, Any], ratio: list[float]) -> list[str]:
    """Return the table of targets."""
    right = whole["number"] - len(whole["wrong"])
    quarter, end = whole["memory"][len(whole["memory"]) // 4], max(whole["memory"])
    grown = f"{end / quarter:.2f} × ({quarter:.0f} to {end:.0f} MB)"
    slower = " and ".join(f"{one:.2f}" for one in ratio) + " ×"
    rows = [
        ("every mark as expected, none lost", f"{right} of {whole['number']}", not whole["wrong"]),
        (
            f"memory at its most over a quarter of the way: at most {MEMORY:g} ×",
            grown,
            end <= MEMORY * quarter,
        ),
        (
            f"time per benign submission over plain autograde's: at most {TARGET:g} ×",
            slower,
            max(ratio) <= TARGET,
        ),
    ]
    return [
        "| target | reached | |",
        "|---|---|---|",
        *(f"| {what} | {said} | {met(on)} |" for what, said, on in rows),
    ]


def met(reached: bool) -> str:
    """Return how a table of targets says it."""
    return "met" if reached else "**missed**"


if __name__ == "__main__":
    raise SystemExit(main())
