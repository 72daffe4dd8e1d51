"""A slider in JupyterLab with a live kernel: how soon the page shows what Python makes of it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.page.browser import chromium
from benchmarks.page.race import WARM_UP
from benchmarks.page.report import quartiles
from benchmarks.page.rows import Target
from tests.lab import Room, lab

TITLE = "A slider in JupyterLab with a live kernel"
NOTES = [
    "From the input event of DragTheNeuron's slider of w1 to the painted frame with the sum that Python computed."
]
CELL = "from dlcore.widgets import DragTheNeuron\nDragTheNeuron()"
REDRAWN = "slider to redraw after Python's answer, ms"
MOVES = 30
# The sum z beside the slider is Python's answer; it is painted in the animation frame after that.
MOVE = """async (moves) => {
  const widget = document.querySelector(".jp-OutputArea .dlcore-widget");
  const slider = widget.querySelector("input[type=range]");
  const answer = widget.querySelector("output");
  const waits = [];
  for (let i = 0; i < moves; i++) {
    slider.value = (i % 2 ? 1 : -1) * (1 + i / moves);
    const answered = new Promise((resolve) => {
      const observer = new MutationObserver(() => { observer.disconnect(); resolve(); });
      observer.observe(answer, { childList: true, characterData: true, subtree: true });
    });
    const start = performance.now();
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    await answered;
    await new Promise(requestAnimationFrame);
    await new Promise((resolve) => setTimeout(resolve)); // painted
    waits.push(performance.now() - start);
    await new Promise((resolve) => setTimeout(resolve, 50 + 7 * (i % 8)));
  }
  return waits;
}"""


def measure(rounds: int) -> tuple[dict[str, list[float]], list[Target]]:
    """Move the slider of w1 in a real JupyterLab, `rounds` times 30 moves."""
    with tempfile.TemporaryDirectory() as folder, lab(Path(folder) / "lab") as serving, chromium() as browser:
        room = Room(serving, browser.new_context(viewport={"width": 1400, "height": 1000}))
        room.open("slider", [CELL])
        room.run_all()
        room.page.locator(".jp-OutputArea .dlcore-widget").first.wait_for()
        room.page.wait_for_timeout(WARM_UP)
        room.page.evaluate(MOVE, 5)
        waits = [float(wait) for _ in range(rounds) for wait in room.page.evaluate(MOVE, MOVES)]
    values = {REDRAWN: waits}
    target = Target(
        "slider to redraw in JupyterLab with a live kernel", quartiles(waits), 50, "ms", least=False
    )
    return values, [target]
