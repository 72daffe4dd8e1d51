"""Every widget of the book in JupyterLab: its controls reach the kernel, and what the kernel answers is seen.

How a widget lives there at length, the Playground shows in test_lab.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import dlcore.widgets
from tests.browser import CHANGE, DESK
from tests.lab import Room, lab

pytest.importorskip("jupyterlab", reason="no JupyterLab: it is not installed")
pytest.importorskip("anywidget", reason="no widgets in JupyterLab: anywidget is not installed")
pytestmark = pytest.mark.browser

#: Of each widget: a button to press, and the controls that set a trait of their name.
WIDGETS = {
    "BlameLedger": ("Other numbers", "expression rule"),
    "BreakOneGradient": ("Next mystery", "data learning_rate"),
    "BumpBuilder": ("Add a unit", "target learning_rate bias depth"),
    "CapacityDial": ("Run", "width examples label_noise penalty dropout stop start end"),
    "CleverHans": ("Another 4", "network percent marked forgotten cut covered"),
    "DragTheNeuron": ("New points", "target activation no_bias"),
    "OneHundredSeeds": ("One epoch", "dataset width optimizer learning_rate"),
    "PaperFolding": ("Train on", "data network layers activation"),
    "PerceptronDuel": ("Next mistake", "data own_line"),
    "PickALoss": ("New points", "problem loss delta others w b"),
    "Playground": ("Step", "problem learning_rate"),  # the others in test_lab
    "SignalChain": ("New draw", "activation init normalization depth bias width input_scale"),
    "SkiSlopeRace": ("Step", "surface condition tilt batch whom learning_rate adaptive_rate momentum"),
    "WatchItLearn": ("Run", ""),
}
ELSEWHERE = {"Predict", "Quiz", "Widget"}  # the first two in test_lab_still; the third is their base

LOOK = "frame => frame.innerText + [...frame.querySelectorAll('canvas')].map(one => one.toDataURL())"


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory, chromium: Any) -> Iterator[Room]:
    """Open a notebook with a cell for each widget, and run it."""
    with lab(tmp_path_factory.mktemp("lab")) as serving, chromium.new_context(viewport=DESK) as context:
        made = Room(serving, context)
        made.open("all", ["from dlcore import widgets\nshown = {}", *map(cell, WIDGETS)])
        made.run_all()
        yield made


def cell(name: str) -> str:
    return f"shown['{name}'] = widgets.{name}()\nshown['{name}']"


def test_no_widget_is_forgotten() -> None:
    assert set(WIDGETS) | ELSEWHERE == set(dlcore.widgets.__all__)


@pytest.mark.parametrize("name", WIDGETS)
def test_a_widget_lives_in_a_notebook(room: Room, name: str) -> None:
    button, controls = WIDGETS[name]
    place = list(WIDGETS).index(name) + 1
    room.complaints.clear()
    room.page.evaluate("place => window.notebook.content.scrollToItem(place)", place)
    frame = room.page.locator(".jp-Notebook .jp-Cell").nth(place).locator(".dlcore-widget")
    frame.wait_for()

    room.python(f"widget = shown['{name}']")
    before, look = room.python("print(widget.summary)"), frame.evaluate(LOOK)
    frame.get_by_role("button", name=button, exact=True).click()
    room.until(f"widget.summary != {before!r}")
    room.seen(lambda: frame.evaluate(LOOK) != look, f"another picture of {name}")
    room.python("if widget.has_trait('running'): widget.running = False")

    for control in controls.split():
        value = room.python(f"print(repr(widget.{control}))")
        frame.locator(f"[name={control}]").first.evaluate(CHANGE)
        room.until(f"repr(widget.{control}) != {value!r}")
    assert frame.locator(".dlcore-refusal").all_inner_texts() in ([], [""])
    assert (room.complaints, room.foreign) == ([], [])
