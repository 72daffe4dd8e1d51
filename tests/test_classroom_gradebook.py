"""Marks in nbgrader's gradebook: put there by one writer, once, whatever kills it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbgrader.api import Gradebook

from classroom.by_hand import waiting
from classroom.course import Course
from classroom.grade import grade
from classroom.gradebook import Fault, Recorder
from classroom.grading import Graded
from classroom.harmless import NOTHING, harmless
from classroom.kept import kept
from classroom.misused import Misused
from classroom.parallel import Engine, Outcome
from classroom.referee import Light
from classroom.submitted import LARGEST, MOST_FILES
from tests import fakes, tiny

ODD = ["o'hara, ann", "[x] *?", "=cmd()", "Zoë Müller", "-1", "{student}", "a" * 200]


@pytest.fixture
def made(tmp_path: Path) -> Course:
    return tiny.released(tmp_path)


@pytest.fixture
def gradebook(made: Course) -> Iterator[Gradebook]:
    with made.gradebook() as found:
        yield found


def marks(made: Course) -> dict[str, float]:
    with made.gradebook() as gradebook:
        return {one.student.id: one.score for one in gradebook.assignment_submissions(tiny.CHAPTER)}


def shown(made: Course, student: str) -> Any:
    return nbformat.read(made.step("autograded", student, tiny.CHAPTER) / "tiny.ipynb", as_version=4)


def test_lights_are_points(made: Course) -> None:
    tiny.hand_in(made, "ada")
    tiny.hand_in(made, "bob", double="return x")
    tiny.hand_in(made, "cyd", double="return x", halve="return x")
    summary = grade(made, tiny.CHAPTER, tiny.HERE, quiet=True)
    assert (summary.graded, summary.as_before, summary.faults) == (["ada", "bob", "cyd"], [], {})
    assert marks(made) == {"ada": 3.0, "bob": 1.0, "cyd": 0.0}
    cells = {cell.id: cell for cell in shown(made, "bob").cells}
    first, last = cells["double-lights"].outputs
    assert first.text.splitlines() == [
        "✗ five is doubled: double is wrong",
        "✗ a negative number is doubled: double is wrong",
        "0 of 2 lights are on.",
    ]
    assert last.data == {"text/plain": "0"}


def test_graded_once(made: Course) -> None:
    for student in ("ada", "bob"):
        tiny.hand_in(made, student)
    grade(made, tiny.CHAPTER, tiny.HERE, student="bob", quiet=True)
    assert list(marks(made)) == ["bob"]
    again = grade(made, tiny.CHAPTER, tiny.HERE, quiet=True)
    assert (again.graded, again.as_before) == (["ada"], ["bob"])
    never = replace(tiny.HERE, work=lambda task: pytest.fail("graded twice"))
    assert grade(made, tiny.CHAPTER, never, quiet=True).as_before == ["ada", "bob"]


def test_what_is_lost_is_written_again_without_grading_again(made: Course) -> None:
    tiny.hand_in(made, "ada")
    grade(made, tiny.CHAPTER, tiny.HERE, quiet=True)
    never = replace(tiny.HERE, work=lambda task: pytest.fail("graded twice"))
    (made.step("autograded", "ada", tiny.CHAPTER) / "tiny.ipynb").unlink()
    assert grade(made, tiny.CHAPTER, never, quiet=True).graded == ["ada"]
    with made.gradebook() as found:
        found.remove_submission(tiny.CHAPTER, "ada")
    assert grade(made, tiny.CHAPTER, never, quiet=True).graded == ["ada"]
    assert marks(made) == {"ada": 3.0}


def test_a_half_written_file_is_as_good_as_none(made: Course) -> None:
    tiny.hand_in(made, "ada")
    grade(made, tiny.CHAPTER, tiny.HERE, quiet=True)
    for broken in (b"", b'{"student": "ada"', b"[]", b'{"lights": {"double": [{"mark": 3}]}}'):
        (made.step("found", "ada", tiny.CHAPTER) / "found.json").write_bytes(broken)
        assert kept(made, "ada", tiny.CHAPTER) is None
    assert grade(made, tiny.CHAPTER, tiny.HERE, quiet=True).as_before == ["ada"]


def test_changed_it_is_graded_again_and_marks_by_hand_stay(made: Course, gradebook: Gradebook) -> None:
    tiny.hand_in(made, "ada", halve="return x")
    grade(made, tiny.CHAPTER, tiny.HERE, quiet=True)
    assert [one.cell for one in waiting(gradebook)] == ["open"]
    by_hand = gradebook.find_grade("open", tiny.CHAPTER, tiny.CHAPTER, "ada")
    by_hand.manual_score, by_hand.needs_manual_grade = 2.5, False
    gradebook.db.commit()
    assert waiting(gradebook) == []
    tiny.hand_in(made, "ada", answer="Because of something else.")
    assert grade(made, tiny.CHAPTER, tiny.HERE, quiet=True).graded == ["ada"]
    gradebook.db.expire_all()
    assert marks(made) == {"ada": 5.5}
    assert [one.marked for one in waiting(gradebook)] == [True]


def test_changed_checks_grade_everybody_again(made: Course) -> None:
    tiny.hand_in(made, "ada")
    grade(made, tiny.CHAPTER, tiny.HERE, quiet=True)
    hidden = made.hidden / f"{tiny.CHAPTER}.py"
    hidden.write_text(hidden.read_text() + "# stricter\n")
    assert grade(made, tiny.CHAPTER, tiny.HERE, quiet=True).graded == ["ada"]


def test_an_answer_left_empty_is_no_work_for_the_teacher(made: Course, gradebook: Gradebook) -> None:
    tiny.hand_in(made, "ada", answer="*Write your answer here.*")
    grade(made, tiny.CHAPTER, tiny.HERE, quiet=True)
    assert waiting(gradebook) == []


def test_late_work_is_nbgraders(made: Course, gradebook: Gradebook) -> None:
    gradebook.update_or_create_assignment(tiny.CHAPTER, duedate="2026-03-01 12:00:00 UTC")
    (made.folder / "nbgrader_config.py").write_text(
        "get_config().LateSubmissionPlugin.penalty_method = 'zero'\n"
    )
    for student, time in (
        ("ada", "2026-03-01 11:00:00 UTC"),
        ("bob", "2026-03-01 13:00:00 UTC"),
        ("cyd", "soon"),
    ):
        at = tiny.hand_in(made, student).with_name("timestamp.txt")
        at.write_text(time)
    grade(made, tiny.CHAPTER, tiny.HERE, quiet=True)
    gradebook.db.expire_all()
    late = {
        one.student.id: one.late_submission_penalty for one in gradebook.assignment_submissions(tiny.CHAPTER)
    }
    assert late == {"ada": 0.0, "bob": 3.0, "cyd": 0.0}
    gradebook.update_or_create_assignment(tiny.CHAPTER, duedate="2026-03-01 10:00:00 UTC")
    never = replace(tiny.HERE, work=lambda task: pytest.fail("graded twice"))
    assert grade(made, tiny.CHAPTER, never, quiet=True).graded == ["ada", "bob", "cyd"]
    gradebook.db.expire_all()
    assert gradebook.find_submission(tiny.CHAPTER, "ada").late_submission_penalty == 3.0


def test_students_of_any_name(made: Course) -> None:
    for student in ODD:
        tiny.hand_in(made, student)
    (made.folder / "submitted" / "empty" / tiny.CHAPTER).mkdir(parents=True)
    (made.folder / "submitted" / "absent").mkdir()
    (made.folder / "submitted" / "note.txt").write_text("not a folder")
    (made.folder / "submitted" / "two\nlines" / tiny.CHAPTER).mkdir(parents=True)
    (made.folder / "submitted" / "linked").symlink_to(made.folder / "submitted" / "-1")
    (made.folder / "roster.csv").write_text("student\nabsent\n-1\n")
    summary = grade(made, tiny.CHAPTER, tiny.HERE, quiet=True)
    assert marks(made) == dict.fromkeys(ODD, 3.0) | {"empty": 0.0}
    assert summary.remarks == {"empty": ["no notebook was handed in"]}
    assert summary.absent == ["absent"]
    assert [line.partition(" was left out")[0] for line in summary.left_out] == [
        "submitted/linked",
        r"submitted/'two\nlines'",
    ]


def test_links_and_floods_are_not_read(made: Course) -> None:
    folder = tiny.hand_in(made, "eve").parent
    (folder / "gradebook.csv").symlink_to(made.folder / "gradebook.db")
    (folder / "large.bin").touch()
    with (folder / "large.bin").open("r+b") as file:
        file.truncate(LARGEST + 1)
    for number in range(MOST_FILES + 50):
        (folder / f"z{number}").touch()
    summary = grade(made, tiny.CHAPTER, tiny.HERE, quiet=True)
    assert summary.remarks["eve"] == [
        "the file 'gradebook.csv' was left out: it is a link, which could point at anything",
        f"the file 'large.bin' was left out: all files together may have {LARGEST:,} bytes",
        f"only the first {MOST_FILES} files were read",
    ]
    autograded = made.step("autograded", "eve", tiny.CHAPTER)
    assert [path.name for path in autograded.iterdir()] == ["tiny.ipynb"]


SCRIPT = "<script>steal()</script>"


def test_nothing_a_student_wrote_acts_in_the_teachers_browser(made: Course) -> None:
    path = tiny.hand_in(
        made, "eve", answer=f"1 < 2 {SCRIPT} [here](javascript:steal())\n\n[x]: javascript:steal()"
    )
    read = nbformat.read(path, as_version=4)
    read.metadata["title"] = SCRIPT
    solution = next(cell for cell in read.cells if cell.id == "double")
    solution.metadata["tags"] = [SCRIPT]
    html = nbformat.v4.new_output(
        "display_data", {"text/html": SCRIPT, "text/plain": "shown", "image/png": f'"{SCRIPT}'}
    )
    code = nbformat.v4.new_output("execute_result", {"application/javascript": "steal()"})
    solution.outputs = [html, code]
    nbformat.write(read, path)
    grade(made, tiny.CHAPTER, tiny.HERE, quiet=True)
    found = {cell.id: cell for cell in shown(made, "eve").cells}
    assert [output.data for output in found["double"].outputs] == [{"text/plain": "shown"}]
    assert "tags" not in found["double"].metadata
    text = found["open"].source
    assert text.replace(NOTHING, "").startswith(f"1 < 2 {SCRIPT} [here](javascript")
    assert "<script" not in text
    assert "](" not in text
    assert "]:" not in text
    assert "title" not in shown(made, "eve").metadata


def test_a_cell_that_says_it_is_ours_is_looked_at_all_the_same(made: Course) -> None:
    release = nbformat.read(made.release(tiny.CHAPTER), as_version=4)
    forged = nbformat.read(made.release(tiny.CHAPTER), as_version=4)
    forged.cells += [tiny.cell("markdown", "mine", SCRIPT, locked=True)]
    forged.cells[-1].metadata.nbgrader["grade_id"] += SCRIPT
    task = next(cell for cell in forged.cells if cell.id == "double-task")
    task.source += SCRIPT
    harmless(forged, release)
    assert forged.cells[-1].source == f"<{NOTHING}script>steal()<{NOTHING}/script>"
    assert forged.cells[-1].metadata == {}
    assert forged.cells[-1].id == f"cell-{len(forged.cells) - 1}"
    assert "<script" not in task.source
    assert [cell.source for cell in forged.cells[:2]] == [cell.source for cell in release.cells[:2]]


def test_an_error_of_any_kind_stops_nobody_else(made: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    for student in ("ada", "bob", "cyd"):
        tiny.hand_in(made, student)
    entered = Recorder.record

    def record(self: Recorder, found: Graded) -> None:
        if found.student == "bob":
            raise OSError("no space left")
        entered(self, found)

    monkeypatch.setattr(Recorder, "record", record)
    summary = grade(made, tiny.CHAPTER, tiny.HERE, quiet=True)
    assert (summary.graded, summary.faults) == (["ada", "cyd"], {"bob": "OSError: no space left"})


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # nbgrader's own steps give some
def test_nbgraders_own_autograde_refuses_to_run_students_code(made: Course) -> None:
    from nbgrader.converters import Autograde, NbGraderException

    tiny.hand_in(made, "eve", double="open('ran', 'w')")
    app = made.app()
    app.coursedir.assignment_id = tiny.CHAPTER
    with pytest.raises(NbGraderException):
        Autograde(coursedir=app.coursedir, parent=app).start()
    assert "make grade" in (made.folder / "nbgrader.log").read_text()
    assert marks(made) == {"eve": 0.0}  # entered, without marks


class Breaking(tiny.Here):
    """An engine that has an error of ours for one student, and nonsense for another."""

    def outcomes(self, tasks: Any) -> Iterator[tuple[str, Outcome]]:
        for student, outcome in super().outcomes(tasks):
            wrong: dict[str, Outcome] = {"bob": RuntimeError("no sandbox"), "cyd": b"{}"}
            yield student, wrong.get(student, outcome)


def test_a_fault_of_ours_is_no_mark_and_stops_nobody_else(made: Course) -> None:
    for student in ("ada", "bob", "cyd", "dan"):
        tiny.hand_in(made, student)
    summary = grade(made, tiny.CHAPTER, Breaking(1, work=fakes.fake), quiet=True)
    assert summary.faults["bob"] == "RuntimeError: no sandbox"
    assert "nonsense" in summary.faults["cyd"]
    assert marks(made) == {"ada": 3.0, "dan": 3.0}
    assert grade(made, tiny.CHAPTER, tiny.HERE, quiet=True).graded == ["bob", "cyd"]


def test_an_answer_for_somebody_else_is_refused(made: Course) -> None:
    def swapped(task: bytes) -> bytes:
        return fakes.fake(task).replace(b'"student": "ada"', b'"student": "bob"')

    tiny.hand_in(made, "ada")
    summary = grade(made, tiny.CHAPTER, replace(tiny.HERE, work=swapped), quiet=True)
    assert "something else than it was given" in summary.faults["ada"]
    assert marks(made) == {}


def test_as_many_points_as_hidden_checks(made: Course) -> None:
    tiny.hand_in(made, "ada")
    found = kept_of(made, "ada")
    more = replace(found, lights=found.lights | {"halve": [Light("one"), Light("two")]})
    with (
        Recorder(made, tiny.CHAPTER) as recorder,
        pytest.raises(Fault, match="1 points, and there are 2 hidden checks"),
    ):
        recorder.record(more)
    assert marks(made) == {}  # all of it was taken back


def kept_of(made: Course, student: str) -> Graded:
    grade(made, tiny.CHAPTER, tiny.HERE, quiet=True)
    with made.gradebook() as gradebook:
        gradebook.remove_submission(tiny.CHAPTER, student)
    found = kept(made, student, tiny.CHAPTER)
    assert found is not None
    return found


def test_what_is_missing_is_said(made: Course) -> None:
    with pytest.raises(
        Misused, match=r"nothing to grade: put what was handed in into .*/submitted/<student>/tiny/"
    ):
        grade(made, tiny.CHAPTER, tiny.HERE, quiet=True)
    tiny.hand_in(made, "ada")
    with pytest.raises(Misused, match="expected 'bob' to have a folder submitted/bob/tiny"):
        grade(made, tiny.CHAPTER, tiny.HERE, student="bob", quiet=True)
    with made.alone(), pytest.raises(Misused, match="another make is writing"):
        grade(made, tiny.CHAPTER, tiny.HERE, quiet=True)
    with made.gradebook() as gradebook:
        gradebook.remove_assignment(tiny.CHAPTER)
    with pytest.raises(Misused, match="not in the gradebook; run: make release CHAPTER=tiny"):
        grade(made, tiny.CHAPTER, tiny.HERE, quiet=True)
    made.release(tiny.CHAPTER).unlink()
    with pytest.raises(Misused, match="not released yet; run: make release CHAPTER=tiny"):
        grade(made, tiny.CHAPTER, tiny.HERE, quiet=True)


def test_killed_at_any_moment_nothing_is_lost_and_nobody_graded_twice(made: Course, tmp_path: Path) -> None:
    """One process is killed at its first effect on the disk, the next at its second, until one comes to the end."""
    students = ["ada", "bob", "cyd"]
    for student in students:
        tiny.hand_in(made, student, halve="return x" if student == "bob" else tiny.SOLUTIONS["halve"])
    arguments = [sys.executable, "-W", "error", "-m", "tests.killed", str(made.folder.parent)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    assert told["kills"] > 10
    assert told["twice"] == []
    assert marks(made) == {"ada": 3.0, "bob": 2.0, "cyd": 3.0}
    for student in students:
        assert shown(made, student).cells
    never = replace(tiny.HERE, work=lambda task: pytest.fail("graded twice"))
    assert grade(made, tiny.CHAPTER, never, quiet=True).as_before == students
    assert not list(made.folder.rglob("*.new"))


def test_a_worker_that_is_killed_costs_nobody_else_a_mark(made: Course) -> None:
    for student in ("ada", "killer", "dan"):
        tiny.hand_in(made, student)
    summary = grade(made, tiny.CHAPTER, Engine(2, work=fakes.killing), quiet=True)
    assert sorted(summary.graded) == ["ada", "dan"]
    assert list(summary.faults) == ["killer"]
