"""Widgets in JupyterLab: a real server, a real kernel, a real browser.

What is on trial is the way between page and kernel, which no other test takes; what the widgets compute and how they
look is tested elsewhere.
"""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser import DESK
from tests.lab import Room, lab

pytest.importorskip("jupyterlab", reason="no JupyterLab: it is not installed")
pytest.importorskip("anywidget", reason="no widgets in JupyterLab: anywidget is not installed")
pytestmark = pytest.mark.browser

PLAYGROUNDS = [
    "from dlcore.widgets import DragTheNeuron, PerceptronDuel, Playground",
    "first = Playground(dataset='xor')\nfirst",
    "second = Playground(dataset='gaussian', seed=5, device='auto')\nsecond",
]
CHOSEN = "cell => window.notebook.content.activeCellIndex = cell"
PIXELS = "canvas => canvas.toDataURL()"
REDRAWN = """([range, presses]) => new Promise(done => {
  const times = [];
  let pressed = null;
  const put = CanvasRenderingContext2D.prototype.putImageData;
  const again = () => {
    if (times.length === presses) {
      CanvasRenderingContext2D.prototype.putImageData = put;
      done(times);
      return;
    }
    pressed = performance.now();
    range.value = Number(range.value) + 1;
    range.dispatchEvent(new Event("input", {bubbles: true}));
  };
  CanvasRenderingContext2D.prototype.putImageData = function (...given) {
    if (pressed !== null) {
      times.push(performance.now() - pressed);
      pressed = null;
      setTimeout(again, 150);
    }
    return put.apply(this, given);
  };
  again();
})"""


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory, chromium: Any) -> Iterator[Room]:
    """Open JupyterLab on a notebook with two playgrounds."""
    with lab(tmp_path_factory.mktemp("lab")) as serving:
        context = chromium.new_context(viewport=DESK)
        context.set_default_timeout(30_000)
        made = Room(serving, context)
        made.open("playgrounds", PLAYGROUNDS)
        yield made
        context.close()


@pytest.fixture
def fresh(room: Room) -> Iterator[Room]:
    """Run all cells anew; afterwards nothing must have complained, or have been asked of another host."""
    room.complaints.clear()
    room.run_all()
    room.page.locator(".dlcore-widget").nth(1).wait_for()
    yield room
    assert room.complaints == []
    assert room.foreign == []


def widget(room: Room, which: int = 0) -> Any:
    return room.page.locator(".dlcore-widget").nth(which)


def run(room: Room, which: int = 0) -> Any:
    """Return the button that says Run or Pause."""
    return widget(room, which).locator(".dlcore-run")


def losses(room: Room, which: int = 0) -> str:
    """Return the losses as the page shows them."""
    return str(widget(room, which).locator(".pg-readouts").inner_text())


def test_training_is_seen_and_can_be_paused(fresh: Room) -> None:
    picture = widget(fresh).locator(".pg-output canvas").first
    before, words = picture.evaluate(PIXELS), losses(fresh)
    start = float(fresh.python("print(first.train_loss)"))
    run(fresh).click()
    fresh.until(f"first.train_loss < {start} / 2")
    assert picture.evaluate(PIXELS) != before
    assert losses(fresh) != words
    run(fresh).click()
    fresh.until("not first.running")
    frame = fresh.python("print(first.frame)")
    fresh.page.wait_for_timeout(400)
    assert fresh.python("print(first.frame)") == frame
    shown = float(re.findall(r"\d+\.\d+", losses(fresh))[0])
    assert shown == pytest.approx(float(fresh.python("print(first.train_loss)")), abs=6e-4)


def test_a_kernel_is_this_environments_python_and_trains_in_one_thread(fresh: Room) -> None:
    import sys

    assert fresh.python("import sys; print(sys.executable)") == sys.executable
    fresh.python(
        "import threading; threads = set(); taken = first.advance\n"
        "first.advance = lambda: (threads.add(threading.current_thread().name), taken())[1]\n"
        "first.observe(lambda change: threads.add(threading.current_thread().name))"
    )
    run(fresh).click()
    fresh.until("first.frame > 5")
    widget(fresh).locator("[name=learning_rate]").select_option("0.3")
    fresh.until("first.learning_rate == 0.3")
    assert fresh.python("print(threads)") == "{'MainThread'}"
