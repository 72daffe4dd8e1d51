"""The two widgets of the chapter Neurons in a real browser, computed by the real Python (see widget_bridge.py)."""

import json
import math
import re
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest

from tests.browser import AXE_RULES
from tests.widget_bridge import Bridge, plain

pytestmark = pytest.mark.browser

NAMES = ["DragTheNeuron", "PerceptronDuel"]
every_widget = pytest.mark.parametrize("name", NAMES)
NARROW, WIDE = 360, 800
PLANE = {"left": 30, "right": 6, "top": 20, "bottom": 36}  # line.js's margins
# Pixels that are not transparent: whether anything is drawn.
INKED = """canvas => {
    const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let i = 3; i < data.length; i += 4) count += data[i] > 0;
    return count;
}"""


class Room:
    """A page with widgets in it, what it complains about, and the ways to look and to act."""

    def __init__(self, page: Any, bridge: Bridge) -> None:
        self.page, self.bridge, self.complaints = page, bridge, []
        self.page.set_default_timeout(10_000)
        self.under_way = 0  # messages of the page to Python
        for event, change in (("request", 1), ("requestfinished", -1), ("requestfailed", -1)):
            self.page.on(event, partial(self._count, change))
        self.page.on(
            "console", lambda message: message.type == "error" and self.complaints.append(message.text)
        )
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.widget: Any = None

    def _count(self, change: int, request: Any) -> None:
        self.under_way += change * request.url.endswith("/post")

    def show(self, name: str, theme: str = "light", **settings: Any) -> Any:
        self.widget = self.bridge.do(lambda: plain(name)(**settings))
        self.bridge.open(self.page, self.widget, theme=theme)
        return self.widget

    def read(self, *names: str) -> Any:
        values = self.bridge.do(lambda: [getattr(self.widget, name) for name in names])
        return values if len(values) > 1 else values[0]

    def until(self, holds: Callable[[], bool], what: str) -> None:
        for _ in range(200):
            if holds():
                return
            self.page.wait_for_timeout(30)
        raise AssertionError(f"never: {what}")

    def settled(self) -> None:
        """Wait until the page has said all, Python has answered, and that is drawn."""
        two_pictures = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
        self.page.evaluate(two_pictures)
        self.until(lambda: self.under_way == 0, "all that the page says has arrived")
        self.until(self._agree, "the page has what Python has")
        self.page.evaluate(two_pictures)

    def _agree(self) -> bool:
        state = self.bridge.do(self.widget.get_state)
        known = {name: value for name, value in state.items() if not isinstance(value, bytes)}
        values = "Object.values(window.models)[0].values"
        page = self.page.evaluate(f"names => names.map(n => {values}[n])", list(known))
        return bool(page == json.loads(json.dumps(list(known.values()))))  # tuples are lists there

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()
        self.settled()

    def at(self, x: float, y: float, low: float = -6, high: float = 6) -> tuple[float, float]:
        """Return where the place (x, y) of the plane is on the screen."""
        box = self.page.locator(".line-grips").locator("xpath=..").locator("canvas").bounding_box()
        width = box["width"] - PLANE["left"] - PLANE["right"]
        height = box["height"] - PLANE["top"] - PLANE["bottom"]
        across, up = (x - low) / (high - low), (high - y) / (high - low)
        return box["x"] + PLANE["left"] + across * width, box["y"] + PLANE["top"] + up * height

    def drag(self, handle: str, *places: tuple[float, float]) -> None:
        """Take a handle by its middle and lead it over places of the plane."""
        box = self.page.locator(f".line-grip-{handle}").bounding_box()
        self.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        self.page.mouse.down()
        for place in places:
            self.page.mouse.move(*self.at(*place), steps=4)
        self.page.mouse.up()
        self.settled()

    def click(self, x: float, y: float, **plane: float) -> None:
        self.page.mouse.click(*self.at(x, y, **plane))
        self.settled()

    def text(self, selector: str) -> str:
        return str(self.page.locator(selector).inner_text())


@pytest.fixture
def room(chromium: Any) -> Iterator[Room]:
    with Bridge() as bridge:
        made = Room(chromium.new_page(viewport={"width": WIDE, "height": 900}), bridge)
        yield made
        made.page.close()
        assert made.complaints == []


@pytest.fixture
def phone(chromium: Any) -> Iterator[Room]:
    with Bridge() as bridge:
        made = Room(chromium.new_page(viewport={"width": NARROW, "height": 900}), bridge)
        yield made
        made.page.close()
        assert made.complaints == []


def line(room: Room) -> Any:
    return np.array(room.read("w1", "w2", "b"))


# ------------------------------------------------------------------------------------------- what all views must be


@every_widget
def test_all_pictures_are_drawn(room: Room, name: str) -> None:
    room.show(name)
    for canvas in room.page.locator("canvas").all():
        assert canvas.evaluate(INKED) > 500
        assert len(canvas.get_attribute("aria-label")) > 40


@every_widget
def test_the_plane_is_a_square_so_that_right_angles_are_seen(room: Room, name: str) -> None:
    room.show(name)
    (left, top), (right, bottom) = room.at(-6, 6), room.at(6, -6)
    assert right - left == pytest.approx(bottom - top, abs=1)


@every_widget
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(room: Room, name: str, theme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    settings = (
        {"target": "chapter", "no_bias": True} if name == NAMES[0] else {"own_line": True, "mistakes": 3}
    )
    room.show(name, theme, **settings)
    for folded in room.page.locator("summary").all():
        folded.click()
    found = axe.Axe().run(room.page)
    assert found.violations_count == 0, found.generate_report()
    passed = {rule["id"] for rule in found.response["passes"]}
    assert set(AXE_RULES) - {"link-name", "image-alt"} <= passed  # it has looked


@every_widget
def test_a_phone_needs_no_sideways_scroll(phone: Room, name: str) -> None:
    for settings in (
        {},
        {"target": "steeper"} if name == NAMES[0] else {"data": "xor", "mistakes": 4, "own_line": True},
    ):
        phone.show(name, **settings)
        for folded in phone.page.locator("summary").all():
            folded.click()
        assert phone.page.evaluate("document.documentElement.scrollWidth") <= NARROW
        inside = "[...document.querySelectorAll('.dlcore-widget button, .dlcore-widget input, .dlcore-widget select')]"
        sizes = phone.page.evaluate(
            f"{inside}.map(e => e.getBoundingClientRect()).map(b => [b.left, b.right, b.width])"
        )
        assert all(left >= 0 and right <= NARROW for left, right, width in sizes if width)


@every_widget
def test_nothing_is_left_after_fifty_drawings(room: Room, name: str) -> None:
    room.show(name)
    counts = room.page.evaluate(
        """async () => {
            const {el, model, draw, cleanup} = window.views[0];
            cleanup();
            const before = [model.listening, el.childElementCount];
            for (let i = 0; i < 50; i++) {
                draw()();
                await new Promise(requestAnimationFrame);
            }
            return [before, [model.listening, el.childElementCount]];
        }"""
    )
    assert counts == [[0, 0], [0, 0]]


@every_widget
def test_two_on_one_page_do_not_meet(room: Room, name: str) -> None:
    first, second = (room.bridge.do(plain(name)) for _ in range(2))
    room.bridge.open(room.page, first, second)
    ids = room.page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    before = room.bridge.do(lambda: second.get_state())
    room.page.get_by_role("button", name="New points").first.click()
    room.until(lambda: room.bridge.do(lambda: first.seed) == 1, "the first has other points")
    after = room.bridge.do(lambda: second.get_state())
    assert before == after


@every_widget
def test_the_view_needs_no_python_to_be_drawn(room: Room, name: str) -> None:
    """From the stored state alone, as in a static page before anything is touched."""
    room.show(name, **({"mistakes": 3, "own_line": True} if name == NAMES[1] else {}))
    sent = room.page.evaluate(
        """async () => {
            const {draw, cleanup} = window.views[0];
            cleanup();
            window.sent = 0;
            draw();
            await new Promise(requestAnimationFrame);
            await new Promise(done => setTimeout(done, 200));
            return window.sent;
        }"""
    )
    assert sent == 0
    assert room.page.locator("canvas").first.evaluate(INKED) > 500


@every_widget
def test_the_whole_widget_is_reached_by_the_tab_key(room: Room, name: str) -> None:
    room.show(name, **({"own_line": True} if name == NAMES[1] else {}))
    reachable = ".dlcore-widget :is(button, input, select, summary):not([disabled])"
    wanted = room.page.evaluate(
        f"[...document.querySelectorAll('{reachable}')].filter(e => e.checkVisibility()).length"
    )
    room.page.locator(reachable).first.focus()
    seen = room.page.evaluate("window.visited = new Set([document.activeElement]); 1")
    for _ in range(wanted + 5):
        room.page.keyboard.press("Tab")
        seen = room.page.evaluate(
            f"document.activeElement.matches('{reachable}') && visited.add(document.activeElement), visited.size"
        )
    assert seen == wanted > 10


@every_widget
def test_a_refusal_is_shown_and_the_control_goes_back(room: Room, name: str) -> None:
    room.show(name)
    if name == NAMES[0]:
        box = room.page.get_by_role("spinbutton", name="Weight w1, of x1")
        box.fill("99")
        box.press("Enter")
        words = "DragTheNeuron.w1: expected a number from -20 to 20; received 99. The widget keeps 0.8"
    else:
        room.page.get_by_role("spinbutton", name="x₁").fill("99")
        room.page.get_by_role("button", name="Add").click()
        words = (
            "PerceptronDuel: expected x1 and x2 from -6 to 6 and a class of -1 or +1; received 99, 0 and 1"
        )
    alert = room.page.locator("[role=alert]")
    room.until(lambda: alert.text_content() == words, words)
    if name == NAMES[0]:
        room.page.locator("select").first.focus()
        assert room.page.get_by_role("spinbutton", name="Weight w1, of x1").input_value() == "0.8"
    room.press("Reset")
    assert alert.text_content() == ""


# ------------------------------------------------------------------------------------------------ Drag the neuron


def test_typing_a_weight_moves_everything(room: Room) -> None:
    room.show("DragTheNeuron")
    before = room.page.locator(".neuron-plane canvas").evaluate("c => c.toDataURL()")
    box = room.page.get_by_role("spinbutton", name="Weight w1, of x1")
    box.fill("-2.5")
    box.press("Tab")
    room.until(lambda: "(−2.50)·x₁" in room.text(".neuron-formula"), "the formula moves")
    assert room.read("w1") == -2.5
    assert room.page.get_by_role("slider", name="Weight w1, of x1, slider").input_value() == "-2.5"
    assert room.page.locator(".neuron-plane canvas").evaluate("c => c.toDataURL()") != before
    z = -2.5 * 1.5 - 1.2 * 0.6 + 0.5
    assert room.text(".neuron-cell").replace("\n", " ").startswith(f"z = {z:.2f}".replace("-", "−"))


def test_a_slider_moves_everything(room: Room) -> None:
    room.show("DragTheNeuron")
    bar = room.page.get_by_role("slider", name="Bias b, slider")
    bar.focus()
    for _ in range(10):
        bar.press("ArrowRight")
    room.until(lambda: room.read("b") == pytest.approx(1.0), "the bias is 1")
    room.settled()
    assert room.page.get_by_role("spinbutton", name="Bias b").input_value() == "1"
    assert "+ 1.00" in room.text(".neuron-formula")


def test_the_middle_of_the_line_changes_the_bias_alone(room: Room) -> None:
    room.show("DragTheNeuron", w1=1, w2=2, b=0)
    room.drag("middle", (0.5, 1.0))
    w1, w2, b = line(room)
    assert (w1, w2) == (1, 2)
    assert b == pytest.approx(-2.5, abs=0.15)
    assert room.read("foot")[:3] == [w1, w2, b]  # Python has caught up


def test_an_end_turns_the_line_about_its_middle(room: Room) -> None:
    room.show("DragTheNeuron", w1=0, w2=2, b=0)
    room.drag("end", (3.0, 3.0))
    w1, w2, b = line(room)
    assert math.hypot(w1, w2) == pytest.approx(2, abs=0.01)
    assert (w1, w2) == pytest.approx((-math.sqrt(2), math.sqrt(2)), abs=0.1)
    assert b == pytest.approx(0, abs=0.01)
    room.drag("end", (-3.0, 3.0), (-3.0, -3.0))  # on, past the vertical: w turns with it and does not jump
    w1, w2, b = line(room)
    assert (w1, w2) == pytest.approx((math.sqrt(2), -math.sqrt(2)), abs=0.2)


def test_the_tip_of_w_changes_its_length_and_leaves_the_border(room: Room) -> None:
    room.show("DragTheNeuron", w1=0, w2=1, b=-1)
    room.drag("tip", (0.0, 5.0))
    w1, w2, b = line(room)
    assert w1 == pytest.approx(0, abs=0.06)
    assert w2 == pytest.approx(4, abs=0.1)
    assert -b / w2 == pytest.approx(1, abs=0.02)


def test_the_line_follows_the_pointer_before_python_answers(room: Room) -> None:
    room.show("DragTheNeuron", w1=0, w2=1, b=0)
    room.page.evaluate("window.models[Object.keys(window.models)[0]].save_changes = () => {}")
    handle = room.page.locator(".line-grip-middle")
    box = handle.bounding_box()
    room.page.mouse.move(box["x"] + 13, box["y"] + 13)
    room.page.mouse.down()
    target = room.at(0, 3)
    room.page.mouse.move(*target, steps=3)
    room.page.wait_for_timeout(60)
    box = handle.bounding_box()
    assert box["y"] + 13 == pytest.approx(target[1], abs=2)
    assert room.page.get_by_role("spinbutton", name="Bias b").input_value() == "-3"
    assert room.read("b") == 0  # Python knows nothing of it
    assert "+ 0.00" in room.text(".neuron-formula")  # and so its words are the old ones
    room.page.mouse.up()


def test_a_finger_drags_a_handle(chromium: Any) -> None:
    context = chromium.new_context(viewport={"width": NARROW, "height": 800}, has_touch=True)
    with Bridge() as bridge:
        room = Room(context.new_page(), bridge)
        room.show("DragTheNeuron", w1=1, w2=2, b=0)
        room.page.locator(".line-grip-middle").scroll_into_view_if_needed()
        assert (
            room.page.locator(".line-grip-middle").evaluate("e => getComputedStyle(e).touchAction") == "none"
        )
        (x, y), (u, v) = room.at(0, 0), room.at(0.5, 1)
        session = context.new_cdp_session(room.page)
        for kind, points in (("touchStart", [(x, y)]), ("touchMove", [(u, v)]), ("touchEnd", [])):
            touches = [{"x": a, "y": b} for a, b in points]
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})
        room.until(lambda: abs(line(room)[2] + 2.5) < 0.2, "the bias follows the finger")
        assert room.complaints == []
    context.close()


def test_arrow_keys_do_what_dragging_does(room: Room) -> None:
    room.show("DragTheNeuron", w1=0, w2=1, b=0)
    handle = room.page.get_by_role("button", name=re.compile("^Middle of the border"))
    handle.focus()
    for _ in range(5):
        handle.press("ArrowUp")
    handle.press("Shift+ArrowUp")
    room.settled()
    w1, w2, b = line(room)
    assert (w1, w2) == (0, 1)
    assert b == pytest.approx(-(5 * 0.12 + 0.6))  # a hundredth of the plane a press, five with shift
    tip = room.page.get_by_role("button", name=re.compile("^Tip of w"))
    tip.focus()
    tip.press("Shift+ArrowUp")
    room.settled()
    assert line(room)[1] == pytest.approx(1.6)
    end = room.page.get_by_role("button", name=re.compile("^Other end"))
    end.focus()
    end.press("ArrowUp")
    room.settled()
    assert line(room)[0] < 0


def test_without_a_bias_the_middle_is_gone_and_the_ends_turn_about_the_origin(room: Room) -> None:
    room.show("DragTheNeuron", w1=1, w2=2, b=1, target="chapter")
    room.page.get_by_role("checkbox", name="no bias").check()
    room.settled()
    assert not room.page.locator(".line-grip-middle").is_visible()
    assert room.page.get_by_role("spinbutton", name="Bias b").is_disabled()
    assert room.page.get_by_role("slider", name="Bias b, slider").is_disabled()
    assert "every border goes through the origin" in room.text(".neuron-advice")
    room.drag("end", (3.0, 2.0))
    w1, w2, b = line(room)
    assert b == 0
    assert 3 * w1 + 2 * w2 == pytest.approx(0, abs=0.1)


def test_a_click_chooses_a_point_of_the_data_or_the_place_itself(room: Room) -> None:
    room.show("DragTheNeuron")
    points = np.frombuffer(room.read("points"), "<f4").reshape(-1, 3)
    lonely = points[np.argmax(np.abs(points[:, :2]).sum(axis=1))]  # in a corner, far from the handles
    px, py = room.at(float(lonely[0]), float(lonely[1]))
    room.page.mouse.click(px + 3, py - 3)
    room.settled()
    assert room.read("x1", "x2") == [float(lonely[0]), float(lonely[1])]
    room.click(5.7, 5.8)
    assert room.read("x1", "x2") == pytest.approx([5.7, 5.8], abs=0.05)
    assert "·5.7" in room.text(".neuron-formula")


def test_a_target_is_chosen_hit_and_ticked(room: Room) -> None:
    room.show("DragTheNeuron")
    room.page.get_by_label("Hit this target").select_option("chapter")
    room.until(lambda: "must still be turned" in room.text(".neuron-advice"), "the advice")
    for name, value in (("Weight w1, of x1", "2"), ("Weight w2, of x2", "4"), ("Bias b", "-3")):
        box = room.page.get_by_role("spinbutton", name=name)
        box.fill(value)
        box.press("Enter")
        room.settled()
    room.until(lambda: room.text(".neuron-advice").startswith("Hit:"), "the hit")
    assert room.page.locator("select[name=target] option:checked").inner_text().endswith("✓")
    room.press("Reset")
    assert room.read("w1", "w2", "b") == [1.0, 1.0, 0.0]
    assert room.read("hits") == ["chapter"]


def test_the_table_has_every_point(room: Room) -> None:
    room.show("DragTheNeuron")
    room.page.locator("summary").click()
    rows = room.page.locator("tbody tr")
    points = np.frombuffer(room.read("points"), "<f4").reshape(-1, 3)
    assert rows.count() == len(points)
    cells = rows.nth(0).locator("th, td").all_inner_texts()
    x1, x2, label = (float(v) for v in points[0])
    z = 0.8 * x1 - 1.2 * x2 + 0.5
    wanted = ["1", f"{x1:.2f}", f"{x2:.2f}", f"{label:+.0f}", f"{z:.2f}", f"{1 / (1 + math.exp(-z)):.2f}"]
    assert cells == [w.replace("-", "−") for w in wanted] + ["right" if label * z > 0 else "wrong"]


def test_the_summary_is_told_to_a_screen_reader(room: Room) -> None:
    room.show("DragTheNeuron")
    status = room.page.get_by_role("status").last
    assert status.inner_text() == room.read("summary")
    room.press("New points")
    room.until(lambda: status.inner_text() == room.read("summary"), "the summary is told anew")


# ------------------------------------------------------------------------------------------------ Perceptron duel


def test_next_mistake_tells_its_story(room: Room) -> None:
    room.show("PerceptronDuel", data="xor")
    assert "No line separates the classes" in room.text(".duel-question")
    for mistake in range(1, 5):
        room.press("Next mistake")
        assert room.text(".duel-story").startswith(f"Mistake {mistake}, in pass 1: point {mistake} at")
    assert "It will go round for ever" in room.text(".duel-ending")
    assert room.page.locator(".duel-counters strong").all_inner_texts() == ["4", "1", "4 of 4", "∞"]
    room.press("Back")
    assert room.read("mistakes") == 3
    assert room.text(".duel-ending").startswith("It cannot stop")


def test_run_goes_on_to_the_end_and_stops(room: Room) -> None:
    room.show("PerceptronDuel", data="chapter")
    room.page.get_by_label("Pace of Run").select_option("fast")
    room.page.get_by_role("button", name="Run").click()
    room.until(lambda: room.read("over") and not room.read("running"), "it has stopped")
    room.settled()
    assert room.text(".duel-ending").startswith("It stopped")
    assert room.page.get_by_role("button", name="Next mistake").is_disabled()
    assert room.page.get_by_role("button", name="Run").is_visible()
    assert room.page.get_by_text("widest margin").is_visible()


def test_the_pace_is_kept_and_pause_pauses(room: Room) -> None:
    room.show("PerceptronDuel", data="narrow")
    room.page.get_by_label("Pace of Run").select_option("slow")
    start = time.monotonic()
    room.page.get_by_role("button", name="Run").click()
    room.until(lambda: room.read("mistakes") == 3, "three mistakes")
    assert time.monotonic() - start >= 2  # seconds: one between each two
    room.page.get_by_role("button", name="Pause").click()
    room.until(lambda: not room.read("running"), "paused")
    made = room.read("mistakes")
    room.page.wait_for_timeout(1300)
    assert room.read("mistakes") == made


def test_points_are_placed_and_taken_by_click(room: Room) -> None:
    room.show("PerceptronDuel", data="own")
    room.page.get_by_role("button", name="−1", exact=True).click()
    room.click(2.1, 3.1)
    room.page.get_by_role("button", name="+1", exact=True).click()
    room.click(-4.0, 1.0)
    table = np.frombuffer(room.read("points"), "<f8").reshape(-1, 3)
    np.testing.assert_allclose(table, [[2, 3, -1], [-4, 1, 1]], atol=0.26)
    assert np.all(table % 0.25 == 0)
    assert "A line separates" in room.text(".duel-question")
    room.click(float(table[0, 0]), float(table[0, 1]))
    assert len(room.read("points")) == 24


def test_points_are_placed_and_taken_by_keyboard(room: Room) -> None:
    room.show("PerceptronDuel", data="own")
    for label, x1, x2 in (("−1", "1", "2"), ("+1", "-1.5", "0.25")):
        room.page.get_by_role("button", name=label, exact=True).press("Enter")
        room.page.get_by_role("spinbutton", name="x₁").fill(x1)
        room.page.get_by_role("spinbutton", name="x₂").fill(x2)
        room.page.get_by_role("button", name="Add").press("Enter")
        room.settled()
    assert np.frombuffer(room.read("points"), "<f8").tolist() == [1, 2, -1, -1.5, 0.25, 1]
    room.page.get_by_role("button", name="Remove").press("Enter")
    room.settled()
    assert np.frombuffer(room.read("points"), "<f8").tolist() == [1, 2, -1]
    room.press("Clear")
    assert room.read("points") == b""


def test_the_own_line_is_dragged_and_judged(room: Room) -> None:
    room.show("PerceptronDuel", data="xor")
    assert not room.page.locator(".line-grips").is_visible()
    room.page.get_by_role("checkbox", name="my own line").check()
    room.settled()
    assert "Your line has" in room.text(".duel-duel")
    box = room.page.locator(".line-grip-middle").bounding_box()
    room.page.mouse.move(box["x"] + 13, box["y"] + 13)
    room.page.mouse.down()
    room.page.mouse.move(*room.at(0.5, 0.5, low=-1.5, high=2.5), steps=4)
    room.page.mouse.up()
    room.settled()
    w1, w2, b = room.read("own_w1", "own_w2", "own_b")
    assert (w1, w2) == (1, 0)
    assert b == pytest.approx(-0.5, abs=0.05)
    assert "Your line has 2 of 4 wrong" in room.text(".duel-duel")


def test_the_tables_have_every_mistake_and_every_point(room: Room) -> None:
    room.show("PerceptronDuel", data="xor", mistakes=4)
    for folded in room.page.locator("summary").all():
        folded.click()
    mistakes, points = room.page.locator("table").all()
    rows = [row.locator("th, td").all_inner_texts() for row in mistakes.locator("tbody tr").all()]
    assert rows[0] == ["0", "", "start", "", "", "0.00", "0.00", "0.00"]
    assert rows[3] == ["3", "1", "3", "(1.00, 0.00)", "+1", "1.00", "1.00", "1.00"]
    assert len(rows) == 5
    cells = [row.locator("th, td").all_inner_texts() for row in points.locator("tbody tr").all()]
    assert cells[1] == ["2", "0.00", "1.00", "+1", "wrong"]
    assert len(cells) == 4
