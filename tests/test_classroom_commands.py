"""The four commands as a teacher types them: a class from release to marks, on this machine and on a Dask cluster."""

import csv
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest

from benchmarks import handed_in
from benchmarks.classroom import page, unexpected
from classroom import commands, parallel, sandbox
from classroom.course import ROOT, Course
from classroom.grade import grade
from classroom.grading import Assignment, Submission
from classroom.parallel import Engine
from classroom.travel import from_task, to_graded, to_task
from tests import fakes, tiny

CHAPTER = handed_in.CHAPTER


def make(made: Course, *arguments: str) -> int:
    return commands.main([*arguments, "--course", str(made.folder)])


def handed(made: Course) -> dict[str, handed_in.HandedIn]:
    """Hand in one of each kind, and the hostile ones that take no time."""
    generator = handed_in.Generator(made.source(CHAPTER), made.release(CHAPTER), seed=0)
    hostile = ["ends Python", "equals everything", "renames the file", "is no notebook"]
    every = [generator.correct(), generator.partly(), generator.wrong(), *map(generator.hostile, hostile)]
    submissions = {f"{one.kind}, {n}": one for n, one in enumerate(every)}
    for student, one in submissions.items():
        folder = made.step("submitted", student, CHAPTER)
        folder.mkdir(parents=True)
        for name, content in one.files.items():
            (folder / name).write_bytes(content)
    return submissions


@pytest.mark.skipif(bool(sandbox.missing()), reason=str(sandbox.missing()))
def test_from_release_to_marks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = Course(tmp_path / "course")
    assert make(made, "release", CHAPTER) == 0
    submissions = handed(made)
    assert make(made, "grade", CHAPTER, "--jobs", "2") == 0
    said = capsys.readouterr().out
    assert "neurons: 7 graded, 0 as before." in said
    assert "hostile, 5: " in said  # a line about the renamed file
    assert unexpected(made, submissions) == []
    assert make(made, "grade", CHAPTER) == 0
    assert "neurons: 0 graded, 7 as before." in capsys.readouterr().out
    assert make(made, "feedback", CHAPTER) == 0
    assert "7 pages written" in capsys.readouterr().out
    assert not leaked(made, submissions)
    assert make(made, "marks") == 0
    _, *students = csv.reader((made.folder / "marks" / "canvas.csv").read_text().splitlines())
    assert {row[3] for row in students[1:]} == set(submissions)
    with made.gradebook() as gradebook:  # and the check of marks finds what is wrong
        gradebook.find_grade("weighted_sum-lights", CHAPTER, CHAPTER, "correct, 0").auto_score = 3.0
        gradebook.remove_submission(CHAPTER, "hostile, 6")
    assert unexpected(made, submissions) == [
        "correct, 0 (correct, all tasks): weighted_sum 3.0, not 4 to 4",
        "hostile, 6 (hostile, is no notebook): no mark",
    ]


def leaked(made: Course, submissions: dict[str, handed_in.HandedIn]) -> list[str]:
    """Return the lines of the hidden checks that a page of feedback shows, unless the student has or wrote them."""
    lines = [" ".join(line.split()) for line in (made.hidden / f"{CHAPTER}.py").read_text().splitlines()]
    found = []
    for student, one in submissions.items():
        page = tiny.seen((made.step("feedback", student, CHAPTER) / f"{CHAPTER}.html").read_text())
        assert "def weighted_sum(x, w, b)" in page  # so code is seen as it was written
        known = sources(made.release(CHAPTER).read_text()) + "".join(
            sources(text.decode()) for text in one.files.values()
        )
        found += [line for line in lines if len(line) > 8 and line in page and line not in known]
    return found


def sources(text: str) -> str:
    """Return what the cells of a notebook say, with single spaces; nothing where it is no notebook."""
    if not text.startswith("{"):
        return ""
    return " ".join(" ".join(cell.source.split()) for cell in nbformat.reads(text, as_version=4).cells)


def test_the_page_of_the_benchmark_says_what_is_missed() -> None:
    whole = {"number": 2, "wrong": ["ada: no mark"], "memory": [100.0, 100.0, 100.0, 130.0], "clock": 4.0}
    whole |= {"kinds": {"correct": 2}, "hostile": {}}
    stamp = {"machine": "M", "system": "S", "date": "today", "commit": "c"}
    found = {
        "whole": whole,
        "beside": [{"ours": 1.0, "plain": 2.0}, {"ours": 3.0, "plain": 2.0}],
        "jobs": 2,
        "stamp": stamp,
    }
    text = page(found)
    assert "| every mark as expected, none lost | 1 of 2 | **missed** |" in text
    assert "| 1.30 × (100 to 130 MB) | **missed** |" in text
    assert "| 0.50 and 1.50 × | **missed** |" in text
    assert "- ada: no mark" in text


@pytest.mark.parametrize("command", ["release", "grade", "feedback"])
def test_without_a_chapter_it_says_which_there_are(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert make(Course(tmp_path), command) == 2
    assert (
        "no assignment was named; say CHAPTER= and one of these: activations, backprop"
        in capsys.readouterr().err
    )


def test_marks_before_anything_are_empty(tmp_path: Path) -> None:
    made = tiny.released(tmp_path)
    assert make(made, "marks") == 0
    assert (made.folder / "marks" / "moodle.csv").read_text().splitlines() == [
        "Username,ID number,First name,Last name,Email address,tiny"
    ]


def test_a_fault_of_ours_is_told_with_exit_status_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = tiny.released(tmp_path)
    tiny.hand_in(made, "a\x9bda")

    def broken(self: Engine, tasks: Any) -> Iterator[tuple[str, parallel.Outcome]]:
        yield from ((student, RuntimeError("bwrap is missing")) for student, _ in tasks)

    monkeypatch.setattr(Engine, "outcomes", broken)
    monkeypatch.setattr(commands, "_course", lambda _: made)
    tiny.hand_in(made, "ada")
    tiny.hand_in(made, "bob")
    assert make(made, "grade", tiny.CHAPTER) == 1
    told = capsys.readouterr()
    assert "not graded, by no fault of theirs: ada, bob: RuntimeError: bwrap is missing" in told.err
    assert r"submitted/'a\x9bda' was left out" in told.out


def test_without_a_sandbox_nothing_is_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "missing", lambda: "bwrap not found; install bubblewrap")
    assert make(Course(tmp_path / "course"), "grade", CHAPTER) == 2
    assert capsys.readouterr().err == "bwrap not found; install bubblewrap\n"
    assert not (tmp_path / "course").exists()


def test_stopped_from_the_keyboard_it_says_that_it_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: Any) -> int:
        raise KeyboardInterrupt

    monkeypatch.setitem(commands.COMMANDS, "grade", stopped)
    assert make(Course(tmp_path), "grade", CHAPTER) == 130
    assert "goes on where this one was" in capsys.readouterr().err


def test_workers_end_with_a_command_that_is_killed_and_leave_nothing_of_a_student(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from classroom.parallel import Engine; from tests import fakes\nif __name__ == '__main__':\n"
        f"    list(Engine(1, work=fakes.waiting).outcomes([('ada', {str(tmp_path)!r}.encode())]))"
    )
    running = subprocess.Popen([sys.executable, script], env=os.environ | {"PYTHONPATH": str(ROOT)})
    while not (tmp_path / "worker").exists() or "\n" not in (tmp_path / "worker").read_text():
        assert running.poll() is None
        time.sleep(0.05)
    left, number = (tmp_path / "worker").read_text().split("\n")
    worker = psutil.Process(int(number))
    assert Path(left).exists()
    running.kill()
    running.wait()
    worker.wait(timeout=30)
    assert not Path(left).parent.parent.exists()


def test_what_students_choose_does_not_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    commands.say("name \x1b[2J\r\x9b.ipynb")
    assert capsys.readouterr().out == "name �[2J��.ipynb\n"


@pytest.mark.parametrize("jobs", ["0", "-1", "many"])
def test_a_number_of_jobs(jobs: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        make(Course(tmp_path), "grade", CHAPTER, "--jobs", jobs)
    assert "expected a number of processes, 1 or more" in capsys.readouterr().err


def test_make_runs_the_commands() -> None:
    text = (ROOT / "Makefile").read_text()
    for command in commands.COMMANDS:
        assert f"\n{command}: " in text
        assert f"$(CLASSROOM) {command}" in text


# ------------------------------------------------------------------------------------------- more machines


def test_submissions_travel_as_they_are() -> None:
    submission = Submission("o'hara, ann", "tiny", {"tiny.ipynb": bytes(range(256)), "däta.csv": b""})
    assignment = Assignment("tiny", "{}", "# ünicode")
    assert to_task(from_task(submission, assignment)) == (submission, assignment)


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # distributed closes its sockets late
def test_over_a_dask_cluster(tmp_path: Path) -> None:
    from distributed import LocalCluster

    made = tiny.released(tmp_path)
    for number in range(8):
        tiny.hand_in(made, f"s{number}")
    options = {"dashboard_address": None, "host": "127.0.0.1", "processes": True, "threads_per_worker": 1}
    with LocalCluster(n_workers=2, **options) as cluster:
        engine = Engine(1, cluster.scheduler_address, work=fakes.at_a_worker)
        summary = grade(made, tiny.CHAPTER, engine, quiet=True)
    assert sorted(summary.graded) == [f"s{number}" for number in range(8)]
    assert len({remark for remarks in summary.remarks.values() for remark in remarks}) == 2
    again = grade(
        made, tiny.CHAPTER, replace(tiny.HERE, work=lambda task: pytest.fail("graded twice")), quiet=True
    )
    assert len(again.as_before) == 8


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_scheduler_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "DASK_ANSWERS", 0.2)
    from classroom.misused import Misused

    with pytest.raises(
        Misused, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9; start one with: dask"
    ):
        list(Engine(1, "tcp://127.0.0.1:9").outcomes([]))


def test_what_came_back_is_read_with_care() -> None:
    for nonsense in (b"", b"[]", b'{"lights": 3}', b'{"lights": {}, "student": "ada"}'):
        with pytest.raises(ValueError, match="expected the JSON of a graded submission"):
            to_graded(nonsense)
