"""Predict and Quiz in JupyterLab: what the reader answers comes to Python, and the keys are the reader's."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser import DESK, ROOT
from tests.lab import Room, Serving, lab

pytest.importorskip("jupyterlab", reason="no JupyterLab: it is not installed")
pytest.importorskip("anywidget", reason="no widgets in JupyterLab: anywidget is not installed")
pytestmark = pytest.mark.browser

CELLS = [
    "from dlcore.widgets import Predict, Quiz\nguess = Predict('How many $x_1$?', low=0, high=1000)\nguess",
    "curve = Predict('Draw', x=(1, 50), y=(0, 1), x_label='layer')\ncurve",
    "quiz = Quiz('neurons.toml')\nquiz",
]


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with lab(tmp_path_factory.mktemp("lab")) as started:
        yield started


@pytest.fixture
def room(serving: Serving, chromium: Any) -> Iterator[Room]:
    context = chromium.new_context(viewport=DESK)
    made = Room(serving, context)
    yield made
    context.close()


def test_answers_come_to_python_and_the_result_to_the_page(room: Room) -> None:
    shutil.copy(ROOT / "chapters" / "quiz" / "neurons.toml", room.serving.folder)
    room.open("asked", CELLS)
    room.run_all()
    predict, curve = (room.page.locator("section[aria-label=Predict]").nth(i) for i in range(2))
    field = predict.locator("[name=prediction-number]")
    field.press_sequentially("100")
    predict.get_by_role("button", name="That is my prediction").press("Enter")
    room.until("guess.answer == 100")
    predict.get_by_text("Run the cell that measures").wait_for()
    room.python("guess.reveal(126)")
    predict.get_by_text("You predicted 100. Measured: 126.").wait_for()
    assert predict.locator("math").count() == 1
    curve.get_by_role("slider", name="layer 26").press(
        "ArrowUp"
    )  # in a notebook the arrow moves to another cell
    curve.get_by_role("button", name="That is my prediction").click()
    room.until("curve.answer is not None and set(curve.answer[1]) == {0.51}")

    form = room.page.locator("section[aria-label=Quiz] form").nth(2)
    form.get_by_role("textbox").press_sequentially("4,0")
    form.get_by_role("textbox").press("Enter")
    form.get_by_text("Right.").wait_for()
    room.until("quiz.progress[2]['first']")
    assert room.python("print(len(quiz.progress), guess.answer)") == "7 100.0"
    assert room.foreign == []
