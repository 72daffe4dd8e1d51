"""Each chapter's assignment grades right: the reference gets every light, the stub none, and a typical wrong answer
loses one to a message that names its misconception."""

import importlib
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import v4

from classroom import sandbox
from classroom.kernel import Lost, SandboxedKernel
from classroom.referee import Light, checks, judged
from classroom.release import stub
from tests.assignments import Right, Wrong

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS = sorted(path.stem for path in (ROOT / "assignments").glob("*/*.ipynb"))
# What students might return to please any comparison, or have left over by mistake.
EMPTY = {
    "an object equal to everything": "type('Any', (), {'__eq__': lambda a, b: True, '__getattr__': lambda a, n: a})()",
    "None": "None",
    "not a number": "float('nan')",
    "an array of NaN": "__import__('numpy').full((2, 2), float('nan'))",
    "an empty list": "[]",
}
# Answers that look at no number of their input. `like()` is the solution's own answer, whose shape is filled. One that
# is kept fits the first case of a light for good, where it is of single numbers, which are easily guessed.
IGNORING = {
    "0": "0.0",
    "1": "1.0",
    "two zeros": "(0.0, 0.0)",
    "two ones": "(1.0, 1.0)",
    "zeros of the right shape": "filled(like(), 0.0)",
    "ones of the right shape": "filled(like(), 1.0)",
    "halves of the right shape": "filled(like(), 0.5)",
    "the first argument": "args[0]",
    "the last argument": "args[-1]",
    "the first arguments, as many as are asked for": "args[: len(like())]",
    "the numbers that fit the first case": "kept.setdefault(0, like()) if numbers(like()) else None",
}
SWAPPED = "like()[::-1] if isinstance(like(), tuple) else None"
# Lights that are on by right where the results are swapped, with the reason.
BY_RIGHT = {
    "bias_variance": {"the two parts add up to the squared error, to all digits": "a sum has no order"},
    "dense_backward": {
        "the blame of the weights: inputs times blame, added over the examples": "the second of three keeps its place"
    },
}
INSTEAD = """

import functools as _functools
import numpy as _np

def _filled(like, value):
    if isinstance(like, tuple | list):
        return type(like)(_filled(one, value) for one in like)
    return _np.full(_np.shape(like), value) if _np.ndim(like) else value

def _numbers(like):
    return all(_np.ndim(one) == 0 for one in like) if isinstance(like, tuple | list) else _np.ndim(like) == 0

def {task}(*args, kept={{}}, filled=_filled, numbers=_numbers, solution={task}, **kwargs):
    like = _functools.partial(solution, *args, **kwargs)
    return {value}
"""


def test_each_core_chapter_has_an_assignment() -> None:
    core = [path.stem.partition("_")[2] for path in (ROOT / "chapters").glob("0[1-8]_*.ipynb")]
    assert len(core) == 8
    assert sorted(core) == CHAPTERS


def read(chapter: str) -> Any:
    return nbformat.read(ROOT / "assignments" / chapter / f"{chapter}.ipynb", as_version=4)


def answers(chapter: str, kind: str) -> list[Any]:
    if not (ROOT / "tests" / "assignments" / f"{chapter}.py").exists():
        return []  # which the test that counts them will notice
    return list(getattr(importlib.import_module(f"tests.assignments.{chapter}"), kind, []))


def graded_cells(notebook: Any) -> dict[str, Any]:
    return {cell.metadata.nbgrader.grade_id: cell for cell in notebook.cells if "nbgrader" in cell.metadata}


def tasks(chapter: str) -> list[str]:
    return list(dict.fromkeys(one.task for one in checks(chapter)))


class Room:
    """A notebook that ran once in the sandbox, in which one cell after another is replaced."""

    def __init__(self, chapter: str) -> None:
        self.chapter = chapter
        self.cells = read(chapter).cells
        self.solutions = {name: cell.source for name, cell in graded_cells(read(chapter)).items()}
        self.start()

    def start(self) -> None:
        self.kernel = SandboxedKernel(seconds=3600).start()
        self.ran = [self.kernel.run(cell.source) for cell in self.cells if cell.cell_type == "code"]

    def judged(self, task: str) -> list[Light]:
        return [judged(self.kernel, one) for one in checks(self.chapter) if one.task == task]

    def instead(self, task: str, code: str) -> list[Light]:
        """Return a task's lights with its solution replaced, and put the solution back."""
        try:
            ran = self.kernel.run(code)
            assert not ran.error, f"the answer itself does not run: {ran.error}"
            return self.judged(task)
        except Lost as lost:
            self.kernel.close()
            self.start()
            return [Light(one.says, str(lost)) for one in checks(self.chapter) if one.task == task]
        finally:
            self.kernel.run(self.solutions[task])


class Rooms(dict[str, Room]):
    """The rooms in use, one for each chapter, each opened when first asked for."""

    def __missing__(self, chapter: str) -> Room:
        self[chapter] = Room(chapter)
        return self[chapter]


@pytest.fixture(scope="module")
def rooms() -> Iterator[Rooms]:
    if lacking := sandbox.missing():
        pytest.skip(lacking)
    rooms = Rooms()
    yield rooms
    for room in rooms.values():
        room.kernel.close()


@pytest.fixture
def room(rooms: Rooms, chapter: str) -> Room:
    return rooms[chapter]


def cases(kind: str) -> Any:
    """Return the parameters (chapter, answer) for each answer of a kind, of all chapters."""
    return [
        pytest.param(
            chapter,
            answer,
            id=f"{chapter}-{answer.task}-{getattr(answer, 'misconception', '') or answer.how}",
        )
        for chapter in CHAPTERS
        for answer in answers(chapter, kind)
    ]


every_chapter = pytest.mark.parametrize("chapter", CHAPTERS)


@every_chapter
def test_the_reference_gets_full_marks(room: Room) -> None:
    assert [str(light) for task in tasks(room.chapter) for light in room.judged(task) if light.mistake] == []


@every_chapter
def test_the_visible_lights_are_all_on_for_the_reference(room: Room) -> None:
    assert [ran.error for ran in room.ran if ran.error] == []


@every_chapter
def test_a_stub_says_what_it_is_to_return_and_gets_no_mark(room: Room) -> None:
    for task in tasks(room.chapter):
        lights = room.instead(task, released(room.solutions[task]))
        assert [light.says for light in lights if not light.mistake] == []
        assert all(re.match(rf"{task} is not written yet: it returns \w", light.mistake) for light in lights)


def released(source: str) -> str:
    return re.sub(r"### BEGIN SOLUTION.*### END SOLUTION", lambda _: stub(source), source, flags=re.DOTALL)


@every_chapter
@pytest.mark.parametrize("value", EMPTY.values(), ids=EMPTY.keys())
def test_what_is_nothing_gets_no_mark(room: Room, value: str) -> None:
    for task in tasks(room.chapter):
        lights = room.instead(task, f"def {task}(*args, **kwargs):\n    return {value}")
        assert [light.says for light in lights if not light.mistake] == []


def gained(room: Room, task: str, value: str) -> set[str]:
    """Return the lights that are on if a task's function returns `value`; each light is the first to ask it."""
    code = room.solutions[task] + INSTEAD.format(task=task, value=value)
    found = set()
    try:
        for one in checks(room.chapter):
            if one.task == task:
                ran = room.kernel.run(code)
                assert not ran.error, f"the answer itself does not run: {ran.error}"
                found |= {one.says} if not judged(room.kernel, one).mistake else set()
    finally:
        room.kernel.run(room.solutions[task])
    return found


@every_chapter
@pytest.mark.parametrize("value", IGNORING.values(), ids=IGNORING.keys())
def test_what_ignores_its_input_gains_no_light(room: Room, value: str) -> None:
    assert {task: on for task in tasks(room.chapter) if (on := gained(room, task, value))} == {}


@every_chapter
def test_results_that_are_swapped_gain_no_light(room: Room) -> None:
    by_right = {task: set(lights) for task, lights in BY_RIGHT.items() if task in tasks(room.chapter)}
    assert {task: on for task in tasks(room.chapter) if (on := gained(room, task, SWAPPED))} == by_right


@every_chapter
def test_the_same_answer_with_the_solutions_own_numbers_has_every_light(room: Room) -> None:
    for task in tasks(room.chapter):
        assert gained(room, task, "like()") == {one.says for one in checks(room.chapter) if one.task == task}


@pytest.mark.parametrize(("chapter", "wrong"), cases("WRONG"))
def test_a_wrong_answer_loses_a_light_that_names_the_mistake(room: Room, wrong: Wrong) -> None:
    off = [light.mistake for light in room.instead(wrong.task, wrong.code) if light.mistake]
    assert off, "no light noticed this mistake"
    assert any(re.search(wrong.says, mistake) for mistake in off), f"none of these names the mistake: {off}"


@pytest.mark.parametrize(("chapter", "right"), cases("ALSO_RIGHT"))
def test_another_right_answer_gets_full_marks(room: Room, right: Right) -> None:
    assert [str(light) for light in room.instead(right.task, right.code) if light.mistake] == []


@pytest.mark.parametrize(
    ("chapter", "earlier", "task"),
    [
        ("training", "momentum_step", "train_neuron"),
        ("backprop", "relu_backward", "network_gradients"),
        ("backprop", "dense_backward", "network_gradients"),
    ],
)
def test_what_follows_from_an_earlier_task_is_said_to(room: Room, earlier: str, task: str) -> None:
    wrong = next(answer for answer in answers(room.chapter, "WRONG") if answer.task == earlier)
    try:
        room.kernel.run(wrong.code)
        off = [light.mistake for light in room.judged(task) if light.mistake]
    finally:
        room.kernel.run(room.solutions[earlier])
    assert any(
        f"from your own {earlier}" in mistake or f"and {earlier}: bring" in mistake for mistake in off
    ), off


@every_chapter
def test_points_are_hidden_lights(chapter: str) -> None:
    cells = graded_cells(read(chapter))
    lights = Counter(one.task for one in checks(chapter))
    assert 4 <= len(lights) <= 6
    assert all(3 <= number <= 5 for number in lights.values()), lights
    assert {
        name: cell.metadata.nbgrader.points for name, cell in cells.items() if name.endswith("-lights")
    } == {f"{task}-lights": number for task, number in lights.items()}


@every_chapter
def test_each_light_looks_at_something_else(chapter: str) -> None:
    assert [says for says, number in Counter(one.says for one in checks(chapter)).items() if number > 1] == []


@every_chapter
def test_each_task_has_three_wrong_answers_and_another_right_one(chapter: str) -> None:
    wrong = Counter(answer.task for answer in answers(chapter, "WRONG"))
    assert {task: wrong[task] for task in tasks(chapter) if wrong[task] < 3} == {}
    assert set(wrong) | {answer.task for answer in answers(chapter, "ALSO_RIGHT")} == set(tasks(chapter))


@every_chapter
def test_the_cells_are_what_nbgrader_expects(chapter: str) -> None:
    notebook = read(chapter)
    expected = ["open-task", "open"]
    for task in tasks(chapter)[::-1]:
        expected = [f"{task}-task", task, f"{task}-lights", *expected]
    assert list(graded_cells(notebook)) == expected
    for name, cell in graded_cells(notebook).items():
        assert dict(cell.metadata.nbgrader) == metadata(name, cell)
        assert cell.cell_type == ("markdown" if name.endswith("-task") or name == "open" else "code")
    lights = [cell for name, cell in graded_cells(notebook).items() if name.endswith("-lights")]
    assert all("raises-exception" in cell.metadata.tags and "every_light()" in cell.source for cell in lights)


def metadata(name: str, cell: Any) -> dict[str, Any]:
    solution, grade = not name.endswith(("-task", "-lights")), name == "open" or name.endswith("-lights")
    points = {"points": cell.metadata.nbgrader.get("points")} if grade else {}
    common = {"grade_id": name, "schema_version": 3, "task": False}
    return {"grade": grade, "locked": not solution, "solution": solution} | points | common


@every_chapter
def test_the_open_question_has_a_rubric_that_adds_up(chapter: str) -> None:
    cells = graded_cells(read(chapter))
    points = cells["open"].metadata.nbgrader.points
    assert re.search(rf"\b{points} points\b", cells["open-task"].source)


@every_chapter
def test_the_notebook_is_stored_clean(chapter: str) -> None:
    path = ROOT / "assignments" / chapter / f"{chapter}.ipynb"
    notebook = read(chapter)
    nbformat.validate(notebook)
    assert path.parent.name == chapter
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    assert [
        cell.id
        for cell in notebook.cells
        if cell.cell_type == "code" and (cell.outputs or cell.execution_count)
    ] == []
    assert f"{chapter}.ipynb" in notebook.cells[0].source, "the first cell names the file to hand in"


def test_all_run_in_a_plain_kernel_solved_and_unsolved() -> None:
    """One kernel of Jupyter's own runs them one after another, as "Run All" does: to the end, without nbgrader."""
    cells = [
        one for chapter in CHAPTERS for one in (*plain(chapter, solved=True), *plain(chapter, solved=False))
    ]
    last = v4.new_code_cell("import sys\n{'nbgrader', 'classroom'} & set(sys.modules)")
    kernel = {"name": "python3", "display_name": "Python 3"}
    together = v4.new_notebook(cells=[*cells, last], metadata={"kernelspec": kernel})
    NotebookClient(together, timeout=120).execute()
    assert last.outputs[0].data["text/plain"] == "set()"


def plain(chapter: str, *, solved: bool) -> list[Any]:
    """Return a chapter's code cells, with the tag of those that may raise, if they are unsolved."""
    code = [cell for cell in read(chapter).cells if cell.cell_type == "code"]
    return [
        v4.new_code_cell(cell.source)
        if solved
        else v4.new_code_cell(released(cell.source), metadata={"tags": cell.metadata.get("tags", [])})
        for cell in code
    ]
