"""Marks as CSV: the columns that Canvas and Moodle want, names as they are, and no cell that is a formula."""

import csv
import io
from pathlib import Path

import pytest

from classroom import tables
from classroom.by_hand import enter, waiting
from classroom.course import Course
from classroom.export import Canvas, marks
from classroom.grade import grade
from classroom.misused import Misused
from tests import tiny

ROSTER = """\ufeffstudent;last_name;first_name;email;lms_user_id
ada;Müller, Dr.;Ada "Countess";ada@example.org;101
bob;=cmd();Bob;@bob;102
cyd;;;;
"""


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Course:
    made = tiny.released(tmp_path_factory.mktemp("graded"))
    tiny.hand_in(made, "ada")
    tiny.hand_in(made, "bob", double="return x")
    tiny.hand_in(made, "=1+1", answer="*Write your answer here.*")
    (made.folder / "roster.csv").write_text(ROSTER, encoding="utf-8")
    grade(made, tiny.CHAPTER, tiny.HERE, quiet=True)
    return made


@pytest.fixture
def made(graded: Course, tmp_path: Path) -> Course:
    return tiny.copied(graded, tmp_path)


def rows(made: Course, name: str) -> list[list[str]]:
    found = {path.name: path for path in marks(made)}
    return list(csv.reader(io.StringIO(found[name].read_text(encoding="utf-8"), newline="")))


def test_canvas(made: Course) -> None:
    assert rows(made, "canvas.csv") == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "tiny"],
        ["    Points Possible", "", "", "", "", "7"],
        ["'=1+1", "", "", "'=1+1", "", "3"],
        ['Müller, Dr., Ada "Countess"', "101", "", "ada", "", "3"],
        ["'=cmd(), Bob", "102", "", "bob", "", "1"],
        ["cyd", "", "", "cyd", "", ""],
    ]


def test_moodle(made: Course) -> None:
    assert rows(made, "moodle.csv") == [
        ["Username", "ID number", "First name", "Last name", "Email address", "tiny"],
        ["'=1+1", "", "", "", "", "3"],
        ["ada", "101", 'Ada "Countess"', "Müller, Dr.", "ada@example.org", "3"],
        ["bob", "102", "Bob", "'=cmd()", "'@bob", "1"],
        ["cyd", "", "", "", "", ""],
    ]


def test_plain(made: Course) -> None:
    head, *students = rows(made, "marks.csv")
    assert head == ["student", "last name", "first name", "email", "tiny (of 7)", "sum (of 7)", "waiting"]
    assert [[row[0], *row[4:]] for row in students] == [
        ["'=1+1", "3", "3", ""],
        ["ada", "3", "3", "tiny"],
        ["bob", "1", "1", "tiny"],
        ["cyd", "", "0", ""],
    ]


def test_the_same_through_nbgraders_export(made: Course, tmp_path: Path) -> None:
    with made.gradebook() as gradebook:
        Canvas(parent=made.app(), to=str(tmp_path / "some.csv"), student=["ada"], assignment=["tiny"]).export(
            gradebook
        )
    assert len((tmp_path / "some.csv").read_text().splitlines()) == 3


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", " =", "\n="])
def test_no_text_is_a_formula(start: str) -> None:
    assert tables.cell(f"{start}cmd()").startswith("'")
    assert tables.cell(-1.0) == "-1"


def test_marks_by_hand(made: Course) -> None:
    (made.folder / "by_hand.csv").write_text(
        "student,chapter,points,comment\nada,tiny,3.5,Two of three reasons.\n"
    )
    assert enter(made) == 1
    assert enter(made) == 0
    assert rows(made, "marks.csv")[2][4:] == ["6.5", "6.5", ""]
    with made.gradebook() as gradebook:
        assert [one.student for one in waiting(gradebook)] == ["bob"]
        assert gradebook.find_comment("open", "tiny", "tiny", "ada").comment == "Two of three reasons."


def test_a_mark_by_hand_of_an_older_answer_is_looked_at_again(made: Course) -> None:
    (made.folder / "by_hand.csv").write_text("student,chapter,points\nada,tiny,3\n")
    enter(made)
    tiny.hand_in(made, "ada", answer="Another reason.")
    grade(made, tiny.CHAPTER, tiny.HERE, quiet=True)
    assert enter(made) == 0
    with made.gradebook() as gradebook:
        assert [one.student for one in waiting(gradebook) if one.marked] == ["ada"]
        assert gradebook.find_grade("open", "tiny", "tiny", "ada").score == 3.0


WRONG = {
    "zed,tiny,1": "line 3: 'zed' has no graded answer 'open' in 'tiny'",
    "bob,relu,1": "line 3: 'bob' has no graded answer 'open' in 'relu'",
    "bob,tiny,5": "line 3: expected 0 to 4 points; received '5'",
    "bob,tiny,-1": "line 3: expected 0 to 4 points; received '-1'",
    "bob,tiny,nan": "line 3: expected 0 to 4 points; received 'nan'",
    "bob,tiny,": "line 3: expected 0 to 4 points; received ''",
}


@pytest.mark.parametrize("row", WRONG)
def test_a_wrong_row_is_named_and_nothing_is_entered(made: Course, row: str) -> None:
    (made.folder / "by_hand.csv").write_text(f"student,chapter,points\nada,tiny,2\n{row}\n")
    with pytest.raises(Misused) as said:
        enter(made)
    assert WRONG[row] in str(said.value)
    with made.gradebook() as gradebook:
        assert gradebook.find_grade("open", "tiny", "tiny", "ada").manual_score is None


@pytest.mark.parametrize("head", ["", "name,points", "student,chapter,points,colour"])
def test_wrong_columns_are_answered_with_the_right_ones(made: Course, head: str) -> None:
    (made.folder / "by_hand.csv").write_text(f"{head}\nada,tiny,2\n")
    with pytest.raises(Misused, match="expected the columns student, chapter, points, cell"):
        enter(made)


def test_a_file_that_is_not_utf8(made: Course) -> None:
    (made.folder / "roster.csv").write_bytes("student\nMüller\n".encode("latin-1"))
    with pytest.raises(Misused, match="save it as “CSV UTF-8”"):
        marks(made)
