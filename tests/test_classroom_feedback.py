"""What students get back: lights, remarks, marks by hand; never a hidden check, a path or a traceback."""

from pathlib import Path

import pytest

from classroom.course import ROOT, Course
from classroom.feedback import feedback
from classroom.grade import grade
from classroom.misused import Misused
from classroom.parallel import Engine
from tests import tiny


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """Three submissions, graded as they are: in the sandbox, with the hidden checks."""
    made = tiny.released(tmp_path_factory.mktemp("graded"))
    tiny.hand_in(made, "ada", double="return abs(2 * x)")
    tiny.hand_in(made, "bob").rename(made.step("submitted", "bob", tiny.CHAPTER) / "copy of tiny.ipynb")
    tiny.hand_in(made, "eve", double="import traceback, sys\n    return sys._getframe().f_back.f_globals")
    summary = grade(made, tiny.CHAPTER, Engine(1), quiet=True)
    assert summary.faults == {}
    feedback(made, tiny.CHAPTER, quiet=True)
    return made


def page(made: Course, student: str) -> str:
    return (made.step("feedback", student, tiny.CHAPTER) / "tiny.html").read_text()


def text(made: Course, student: str) -> str:
    """Return what a reader sees."""
    return tiny.seen(page(made, student))


def test_it_has_the_lights_and_the_marks(graded: Course) -> None:
    seen = text(graded, "ada")
    assert "✓ five is doubled ✗ a negative number is doubled: the sign was lost 1 of 2 lights is on." in seen
    assert "tiny (Score: 2.0 / 7.0)" in seen
    assert "open waits for a mark by hand (4 points); the score is without it." in seen


def test_it_has_the_remarks(graded: Course) -> None:
    seen = text(graded, "bob")
    assert "What the grading noticed" in seen
    assert "copy of tiny.ipynb" in seen


@pytest.mark.parametrize("student", ["ada", "bob", "eve"])
def test_no_line_of_the_hidden_checks_no_path(graded: Course, student: str) -> None:
    shown = page(graded, student), text(graded, student)
    for line in filter(None, map(str.strip, tiny.HIDDEN.splitlines())):
        assert not any(" ".join(line.split()) in each for each in shown), line
    for path in (str(ROOT), str(graded.folder), "classroom/", "classroom.hidden", "Traceback (most"):
        assert not any(path in each for each in shown), path


def test_only_what_changed_is_written_again(graded: Course, tmp_path: Path) -> None:
    made = tiny.copied(graded, tmp_path)
    assert feedback(made, tiny.CHAPTER, quiet=True) == (0, 3, 0)
    with made.gradebook() as gradebook:
        mark = gradebook.find_grade("open", tiny.CHAPTER, tiny.CHAPTER, "ada")
        mark.manual_score, mark.needs_manual_grade = 3.5, False
        gradebook.find_comment(
            "open", tiny.CHAPTER, tiny.CHAPTER, "ada"
        ).manual_comment = "Two reasons are right."
        gradebook.db.commit()
    assert feedback(made, tiny.CHAPTER, quiet=True) == (1, 2, 0)
    seen = text(made, "ada")
    assert "waits for a mark" not in seen
    assert "tiny (Score: 5.5 / 7.0)" in seen
    assert "Two reasons are right." in seen


def test_before_anything_is_graded_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(Misused, match="nothing of tiny is graded yet; run: make grade CHAPTER=tiny"):
        feedback(tiny.released(tmp_path), tiny.CHAPTER, quiet=True)
