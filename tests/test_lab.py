"""Widgets in JupyterLab: a real server, a real kernel, a real browser.

What is on trial is the way between page and kernel, which no other test takes; what the widgets compute and how they
look is tested elsewhere.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from tests.browser import CHANGE, CONTROLS, DESK
from tests.lab import Room, Serving, lab

pytest.importorskip("jupyterlab", reason="no JupyterLab: it is not installed")
pytest.importorskip("anywidget", reason="no widgets in JupyterLab: anywidget is not installed")
pytestmark = pytest.mark.browser

PLAYGROUNDS = [
    "from dlcore.widgets import Playground",
    "first = Playground(dataset='xor')\nfirst",
    "second = Playground(dataset='gaussian', seed=5)\nsecond",
]
COUNTS = ("Nodes", "JSEventListeners", "JSHeapUsedSize")
PIXELS = "canvas => canvas.toDataURL()"
# Notes each value that a control is given from outside while the reader holds it.
WATCH_VALUE = """control => {
  const {get, set} = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value");
  window.jumps = [];
  Object.defineProperty(control, "value", {
    get() { return get.call(this); },
    set(value) {
      if (String(value) !== get.call(this)) window.jumps.push([get.call(this), value]);
      set.call(this, value);
    },
  });
}"""


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Start JupyterLab."""
    with lab(tmp_path_factory.mktemp("lab")) as started:
        yield started


@pytest.fixture(scope="module")
def room(serving: Serving, chromium: Any) -> Iterator[Room]:
    """Open a notebook with two playgrounds."""
    context = chromium.new_context(viewport=DESK)
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


@pytest.fixture
def tall(fresh: Room) -> Iterator[Room]:
    """Both playgrounds lie in view: what is not seen is neither drawn nor trained."""
    fresh.page.set_viewport_size({"width": 1280, "height": 2600})
    yield fresh
    fresh.page.set_viewport_size(DESK)


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
    fresh.seen(lambda: picture.evaluate(PIXELS) != before, "another picture")
    fresh.seen(lambda: losses(fresh) != words, "another loss")
    run(fresh).click()
    fresh.until("not first.running")
    frame = fresh.python("print(first.frame)")
    fresh.page.wait_for_timeout(400)
    assert fresh.python("print(first.frame)") == frame
    loss = float(fresh.python("print(first.train_loss)"))
    fresh.seen(
        lambda: float(re.findall(r"\d+\.\d+", losses(fresh))[0]) == pytest.approx(loss, abs=6e-4),
        f"loss {loss}",
    )


def test_a_kernel_is_this_environments_python_and_trains_in_one_thread(fresh: Room) -> None:
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


def test_running_set_in_a_cell_trains_as_the_button_does(fresh: Room) -> None:
    fresh.python("first.running = True")
    fresh.until("first.frame > 5")
    fresh.seen(lambda: run(fresh).inner_text() == "Pause", "the button says Pause")
    fresh.python("first.running = False")
    frame = int(fresh.python("print(first.frame)"))
    fresh.page.wait_for_timeout(400)
    assert int(fresh.python("print(first.frame)")) <= frame + 1
    fresh.seen(lambda: run(fresh).inner_text() == "Run", "the button says Run")


def test_every_control_can_be_changed_while_training_goes_on(fresh: Room) -> None:
    frame = widget(fresh)
    names = frame.evaluate(CONTROLS, ["predict_first", "problem"])
    assert {"learning_rate", "activation", "regularization", "optimizer", "noise", "show_test"} <= set(names)
    run(fresh).click()
    for name in [*names, "problem"]:
        before = fresh.python(f"print(first.frame, repr(first.{name}))").split(maxsplit=1)
        frame.locator(f"[name={name}]").first.evaluate(CHANGE)
        fresh.until(f"first.{name} != {before[1]} and first.running")
        count = int(fresh.python("print(first.frame)"))
        fresh.until(f"first.frame > {count} + 1")
    assert frame.locator(".dlcore-refusal").inner_text() == ""
    shown = {
        name: frame.locator(f"[name={name}]").first for name in ("learning_rate", "activation", "optimizer")
    }
    for name, control in shown.items():
        value = control.input_value()
        assert fresh.python(f"print(str(first.{name}) == str(type(first.{name})({value!r})))") == "True"


def test_the_keyboard_is_enough_and_stays_in_the_widget(fresh: Room) -> None:
    page = fresh.page
    cells = page.locator(".jp-Notebook .jp-Cell").count()
    run(fresh).focus()
    for key in ("x", "a", "ArrowDown", "ArrowUp", "Escape"):  # commands of JupyterLab
        page.keyboard.press(key)
    assert page.locator(".jp-Notebook .jp-Cell").count() == cells
    page.keyboard.press("Enter")
    fresh.until("first.running and first.frame > 3")
    page.keyboard.press("Space")
    fresh.until("not first.running")
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.name"))
        if page.evaluate("document.activeElement.name === 'noise'"):
            break
    assert {"learning_rate", "activation", "noise"} <= reached
    page.keyboard.press("ArrowRight")
    fresh.until("first.noise == 1")


def test_reset_repeats_the_same_numbers(fresh: Room) -> None:
    step, reset = (widget(fresh).get_by_role("button", name=name, exact=True) for name in ("Step", "Reset"))

    def three_steps() -> str:
        for count in (1, 2, 3):
            step.click()
            fresh.until(f"first.epoch == {count}")
        return fresh.python("print(first.train_loss, first.test_loss, hash(first.weights))")

    once = three_steps()
    reset.click()
    fresh.until("first.epoch == 0")
    assert three_steps() == once


def test_a_link_restores_the_same_state(tall: Room) -> None:
    run(tall).click()
    tall.until("first.epoch > 4")
    run(tall).click()
    tall.until("not first.running")
    widget(tall).get_by_role("button", name="Copy link").click()
    field = widget(tall).get_by_label("Link to this very state")
    field.wait_for()
    address = field.input_value()
    assert tall.page.url == address
    link = address.split("#playground=")[1]
    tall.python(f"second.do_open({link!r})")
    same = "[getattr(w, name) for name in ('epoch', 'weights', 'maps', 'curves', 'points', 'learning_rate')]"
    assert tall.python(f"a, b = ({same} for w in (first, second)); print(a == b)") == "True"
    tall.seen(lambda: losses(tall, 0) == losses(tall, 1), "both show the same losses")


def test_a_damaged_link_is_refused_in_the_page(fresh: Room) -> None:
    before = fresh.python("print(first.do_link())")
    fresh.page.evaluate("location.hash = '#playground=damaged'")
    refusal = fresh.page.locator(".dlcore-refusal:not(:empty)").first
    refusal.wait_for()
    assert "link" in refusal.inner_text().lower()
    assert fresh.python("print(first.do_link())") == before
    fresh.page.evaluate("history.replaceState(history.state, '', location.href.split('#')[0])")


def test_two_widgets_do_not_disturb_each_other(tall: Room) -> None:
    run(tall, 0).click()
    run(tall, 1).click()
    tall.until("first.frame > 5 and second.frame > 5")
    run(tall, 0).click()
    tall.until("not first.running")
    seen = tall.python("print(first.frame, second.frame)").split()
    tall.until(f"second.frame > {seen[1]} + 5")
    assert tall.python("print(first.frame)") == seen[0]
    ids = tall.page.evaluate(
        "[...document.querySelectorAll('.dlcore-widget [id]')].map(element => element.id)"
    )
    assert len(ids) == len(set(ids)) > 0


def test_a_bad_value_is_refused_in_a_sentence_and_the_state_kept(fresh: Room) -> None:
    with pytest.raises(Exception, match=r"TraitError: Playground.noise: expected .* received 70.* keeps 0"):
        fresh.python("first.noise = 70")
    slider = widget(fresh).locator("[name=noise]")
    slider.evaluate("control => { control.max = 100; control.value = 70 }")
    slider.dispatch_event("input")
    refusal = widget(fresh).locator(".dlcore-refusal:not(:empty)")
    refusal.wait_for()
    assert "received 70" in refusal.inner_text()
    assert fresh.python("print(first.noise)") == "0"
    fresh.page.wait_for_function("control => control.value === '0'", arg=slider.element_handle())


def test_a_slider_that_is_dragged_never_jumps_back(fresh: Room) -> None:
    run(fresh).click()
    fresh.until("first.frame > 3")
    slider = widget(fresh).locator("[name=batch_size]")
    slider.scroll_into_view_if_needed()
    slider.evaluate(WATCH_VALUE)
    box = slider.bounding_box()
    middle = box["y"] + box["height"] / 2
    fresh.page.mouse.move(box["x"] + 0.1 * box["width"], middle)
    fresh.page.mouse.down()
    for step in range(40):
        fresh.page.mouse.move(box["x"] + box["width"] * (0.1 + 0.02 * step), middle)
        fresh.page.wait_for_timeout(16)
    fresh.page.mouse.up()
    fresh.until(f"first.batch_size == {slider.input_value()}")
    assert fresh.page.evaluate("window.jumps") == []
    assert int(slider.input_value()) > 20


def test_a_slider_shows_its_effect(fresh: Room) -> None:
    """How soon, benchmarks measure."""
    gaussian = widget(fresh, 1)
    slider, picture = gaussian.locator("[name=noise]"), gaussian.locator(".pg-plot canvas").last
    for noise in range(1, 6):
        before = picture.evaluate(PIXELS)
        slider.press("ArrowRight")
        fresh.until(f"second.noise == {noise}")
        fresh.seen(lambda: picture.evaluate(PIXELS) != before, "another picture")  # noqa: B023 - called at once


def test_nothing_is_trained_while_nobody_can_look(fresh: Room) -> None:
    run(fresh).click()
    fresh.until("first.frame > 3")
    fresh.command("launcher:create")  # another tab lies over the notebook's
    run(fresh).wait_for(state="hidden")
    fresh.page.wait_for_timeout(300)
    hidden = int(fresh.python("print(first.frame)"))
    fresh.page.wait_for_timeout(600)
    assert int(fresh.python("print(first.frame)")) <= hidden + 1
    assert fresh.python("print(first.running)") == "True"
    fresh.page.evaluate("window.jupyterapp.shell.activateById(window.notebook.id)")
    fresh.until(f"first.frame > {hidden} + 3")


def kernels(room: Room) -> list[Any]:
    """Return the processes of the kernels that the server has started."""
    children = psutil.Process(room.serving.process.pid).children(recursive=True)
    return [child for child in children if "ipykernel_launcher" in child.cmdline()]


def test_an_interrupt_leaves_a_widget_that_obeys(fresh: Room) -> None:
    run(fresh).click()
    fresh.until("first.frame > 3")
    fresh.command("notebook:interrupt-kernel")
    fresh.page.wait_for_timeout(300)
    assert fresh.python("print(1 + 1)") == "2"
    if fresh.python("print(first.running)") == "True":
        run(fresh).click()
    fresh.until("not first.running")
    frame = int(fresh.python("print(first.frame)"))
    run(fresh).click()
    fresh.until(f"first.frame > {frame} + 3")


def test_a_restart_leaves_no_zombie(fresh: Room) -> None:
    run(fresh).click()
    fresh.until("first.frame > 3")
    before = kernels(fresh)
    fresh.page.evaluate("window.notebook.sessionContext.session.kernel.restart()")
    fresh.page.wait_for_function("window.notebook.sessionContext.session.kernel.status === 'idle'")
    assert len(before) == len(kernels(fresh)) == 1
    assert not before[0].is_running()
    assert fresh.python("print('first' in globals())") == "False"
    fresh.run_all()
    fresh.until("first.frame == 0")
    run(fresh).click()
    fresh.until("first.frame > 3")


def test_a_widget_trains_on_torch(tall: Room) -> None:
    pytest.importorskip("torch", reason="no widget on torch: torch is not installed")
    tall.run_cell(2, "second = Playground(dataset='gaussian', device='cpu')\nsecond")
    tall.until("second.device == 'cpu'")
    before = float(tall.python("print(second.train_loss)"))
    tall.page.locator(".dlcore-widget").nth(1).wait_for()
    run(tall, 1).click()
    tall.until(f"second.train_loss < {before} / 2")
    tall.run_cell(2, PLAYGROUNDS[2])


def test_a_cell_run_fifty_times_leaves_nothing_behind(fresh: Room, record_property: Any) -> None:
    devtools = fresh.page.context.new_cdp_session(fresh.page)
    devtools.send("Performance.enable")

    def counts() -> dict[str, float]:
        fresh.page.wait_for_timeout(300)
        devtools.send("HeapProfiler.collectGarbage")
        found = devtools.send("Performance.getMetrics")["metrics"]
        return {entry["name"]: entry["value"] for entry in found if entry["name"] in COUNTS}

    def rerun(times: int) -> None:
        for _ in range(times):
            fresh.run_cell(1)

    fresh.python("Playground.picture = lambda self: b''")  # slow, and not on trial
    rerun(5)
    before = counts()
    rerun(45)
    after = counts()
    record_property("DOM nodes, listeners, heap after 5 and 50 runs", f"{before} {after}")
    assert after["Nodes"] < 1.1 * before["Nodes"]
    assert after["JSEventListeners"] < 1.1 * before["JSEventListeners"]


def test_a_link_of_the_text_sets_its_widget_and_leads_nowhere(serving: Serving, chromium: Any) -> None:
    context = chromium.new_context(viewport={"width": 1280, "height": 1600})
    room = Room(serving, context)
    room.open(
        "steered",
        [
            "from dlcore.widgets import DragTheNeuron",
            "border = DragTheNeuron(target='chapter', name='border')\nborder",
            "# %% [markdown]\nLay it [on](#steer/border?first=reset&w1=3&activation=tanh&goal=line).",
        ],
    )
    room.run_all()
    widget(room, 0).wait_for()
    where, notebook = room.page.url, room.page.locator(".jp-Notebook .jp-WindowedPanel-outer")
    link = room.page.locator(".jp-RenderedMarkdown a", has_text="on")
    link.wait_for()
    scrolled = notebook.evaluate("panel => panel.scrollTop")
    link.click()
    room.until("(border.w1, border.w2, border.activation) == (3, 1, 'tanh')")
    room.until("border.goal == 'line' and not border.reached")
    assert room.page.url == where
    assert notebook.evaluate("panel => panel.scrollTop") == scrolled
    task = widget(room, 0).locator(".dlcore-task")
    task.get_by_text("Task: Lay the border onto the dashed one.", exact=True).wait_for()
    room.python("border.w1, border.w2, border.b = 1, 2, -1.5")
    room.page.wait_for_function("document.querySelector('.dlcore-task').dataset.done === 'true'")
    assert task.inner_text().startswith("Done: ")
    assert (room.complaints, room.foreign) == ([], [])
    context.close()


def test_the_widgets_of_neurons_live_in_a_notebook_too(serving: Serving, chromium: Any) -> None:
    context = chromium.new_context(viewport={"width": 1280, "height": 2600})
    room = Room(serving, context)
    room.open(
        "neurons",
        [
            "from dlcore.widgets import DragTheNeuron, PerceptronDuel",
            "neuron = DragTheNeuron()\nneuron",
            "duel = PerceptronDuel()\nduel",
        ],
    )
    room.run_all()
    weight = widget(room, 0).locator("input[name=w1]").first
    weight.fill("2.5")
    weight.press("Enter")
    room.until("neuron.w1 == 2.5")
    before = room.python("print(duel.summary)")
    run(room, 1).click()
    room.until(f"duel.summary != {before!r}")
    room.until("not duel.running")  # no mistake is left
    assert (room.complaints, room.foreign) == ([], [])
    context.close()
