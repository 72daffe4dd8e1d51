"""What students get: the stub that says what it returns, and nothing of the solutions or of the hidden checks."""

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from classroom.course import Course
from classroom.grade import grade
from classroom.misused import Misused
from classroom.release import leaks, release, stub
from tests import tiny


@pytest.fixture
def made(tmp_path: Path) -> Course:
    return tiny.released(tmp_path)


def cells(path: Path) -> dict[str, str]:
    return {cell.id: cell.source for cell in nbformat.read(path, as_version=4).cells}


def change(made: Course, cell: str, source: str) -> None:
    path = made.source(tiny.CHAPTER)
    read = nbformat.read(path, as_version=4)
    next(one for one in read.cells if one.id == cell).source = source
    nbformat.write(read, path)


def test_a_stub_says_what_its_function_returns(made: Course) -> None:
    found = cells(made.release(tiny.CHAPTER))
    assert found["double"].splitlines() == [
        "def double(x):",
        '    """Return double of the number x."""',
        '    raise NotImplementedError("double is not written yet: it returns double of the number x.")',
    ]
    assert found["open"] == "*Write your answer here.*"
    with pytest.raises(
        NotImplementedError, match=r"^double is not written yet: it returns double of the number x\.$"
    ):
        exec(found["double"] + "\n\ndouble(2.0)", {})


def test_the_release_is_one_notebook_without_solutions(made: Course) -> None:
    path = made.release(tiny.CHAPTER)
    text = path.read_text()
    assert [found.name for found in path.parent.iterdir()] == ["tiny.ipynb"]
    for secret in ("twice", "the half of it", "model answer", "SOLUTION", "five doubled", "classroom"):
        assert secret not in text
    assert "every_light" in text


def test_released_again_it_is_the_same(made: Course) -> None:
    first = made.release(tiny.CHAPTER).read_text()
    assert release(made, tiny.CHAPTER).read_text() == first


def test_the_release_opens_without_nbgrader(made: Course) -> None:
    """It is a notebook of format 4.5, and its lights need no more than dlcore."""
    path = made.release(tiny.CHAPTER)
    nbformat.validate(json.loads(path.read_text()))
    code = "\n".join(
        cell.source
        for cell in nbformat.read(path, as_version=4).cells
        if cell.cell_type == "code" and "every_light()" not in cell.source
    )
    after = (
        "import sys\nassert not [name for name in sys.modules if name.startswith(('nbgrader', 'classroom'))]"
    )
    subprocess.run([sys.executable, "-c", f"{code}\n{after}"], check=True)


@pytest.mark.parametrize("name", ["", "nothing", "../tiny", "tin*"])
def test_an_unknown_chapter_is_answered_with_those_there_are(made: Course, name: str) -> None:
    with pytest.raises(Misused, match="CHAPTER= and one of these: tiny"):
        release(made, name)


def test_a_solution_outside_its_marks_is_not_released(made: Course) -> None:
    change(made, "halve-task", "Hint:\n\n    return x * 0.5  # the half of it")
    assert (
        "return x * 0.5" in cells(release(made, tiny.CHAPTER))["halve-task"]
    )  # shown on purpose by its author
    made.release(tiny.CHAPTER).write_text(made.source(tiny.CHAPTER).read_text())
    found = leaks(made, tiny.CHAPTER)
    assert "a line of a solution: twice = 2 * x  # the doubled number" in found
    assert "the words 'BEGIN SOLUTION'" in found


def test_a_hidden_check_among_the_visible_is_not_released(made: Course) -> None:
    secret = 'assert double(5.0) == 10.0, "five doubled is ten, and it was something else"'
    change(made, "double-lights", f"{secret}\nevery_light()")
    with pytest.raises(Misused, match="a line of the hidden checks: assert double"):
        release(made, tiny.CHAPTER)
    assert secret not in made.release(tiny.CHAPTER).read_text()  # the earlier release is back
    made.release(tiny.CHAPTER).unlink()
    with pytest.raises(Misused, match="taken back"):
        release(made, tiny.CHAPTER)
    assert not made.release(tiny.CHAPTER).parent.exists()


def test_a_release_with_other_cells_than_what_was_handed_in_is_refused(made: Course) -> None:
    """What students have stays what it is, and they are graded against it."""
    tiny.hand_in(made, "ada")
    grade(made, tiny.CHAPTER, tiny.HERE, quiet=True)
    before = made.release(tiny.CHAPTER).read_text()
    path = made.source(tiny.CHAPTER)
    read = nbformat.read(path, as_version=4)
    read.cells += tiny.task("third", tiny.between("return x"), 1)
    nbformat.write(read, path)
    with pytest.raises(Misused, match="Cannot add or remove cells for notebook 'tiny'"):
        release(made, tiny.CHAPTER)
    assert made.release(tiny.CHAPTER).read_text() == before
    assert grade(made, tiny.CHAPTER, tiny.HERE, quiet=True).as_before == ["ada"]


def test_a_further_file_is_not_released(made: Course) -> None:
    (made.source(tiny.CHAPTER).parent / "answers.csv").write_text("1,2")
    with pytest.raises(Misused, match=r"the file answers\.csv"):
        release(made, tiny.CHAPTER)


def test_a_source_that_nbgrader_refuses_is_said_with_its_reason(made: Course) -> None:
    change(made, "halve", 'def halve(x):\n    """Return half."""\n    ### BEGIN SOLUTION\n    return x')
    with pytest.raises(Misused, match="no end solution statement found"):
        release(made, tiny.CHAPTER)


def test_a_solution_without_a_docstring_is_refused(made: Course) -> None:
    with pytest.raises(Misused, match="docstring in f that says what it returns"):
        stub("def f(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION")
    with pytest.raises(Misused, match="body of a function"):
        stub("### BEGIN SOLUTION\nx = 1\n### END SOLUTION")


def test_the_stub_names_the_innermost_function() -> None:
    source = '''
class Neuron:
    """A neuron."""

    def fire(self):
        """Return whether it "fires"."""
        ### BEGIN SOLUTION
        return True
        ### END SOLUTION
'''
    assert (
        stub(source)
        == 'raise NotImplementedError("fire is not written yet: it returns whether it \\"fires\\".")'
    )


def test_a_folder_with_characters_of_patterns(tmp_path: Path) -> None:
    odd = tmp_path / "a [b] c+d*"
    assert release(tiny.released(odd), tiny.CHAPTER).is_file()
