"""The two widgets of the chapter Neurons in a real browser, computed by the real Python (see widget_bridge.py)."""

import math
import re
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.browser import drawn
from tests.views import (
    NARROW,
    WIDE,
    WRITTEN,
    Room,
    assert_axe_finds_nothing,
    assert_drawn_without_python,
    assert_nothing_is_left_after_fifty_drawings,
    assert_nothing_is_wider_than_a_phone,
    assert_pictures_are_drawn_and_said,
    reached_by_tab,
    rooms,
    two_on_one_page,
)
from tests.widget_bridge import Bridge, plain

pytestmark = pytest.mark.browser

NAMES = ["DragTheNeuron", "PerceptronDuel"]
every_widget = pytest.mark.parametrize("name", NAMES)


@pytest.fixture
def room(context: Any) -> Iterator[Room]:
    yield from rooms(context, WIDE)


@pytest.fixture
def phone(context: Any) -> Iterator[Room]:
    yield from rooms(context, NARROW)


def line(room: Room) -> Any:
    return np.array(room.read("w1", "w2", "b"))


# ------------------------------------------------------------------------------------------- what all views must be


@every_widget
def test_all_pictures_are_drawn(room: Room, name: str) -> None:
    room.show(name)
    assert_pictures_are_drawn_and_said(room)


@every_widget
def test_the_plane_is_a_square_so_that_right_angles_are_seen(room: Room, name: str) -> None:
    room.show(name)
    (left, top), (right, bottom) = room.at(-6, 6), room.at(6, -6)
    assert right - left == pytest.approx(bottom - top, abs=1)


@every_widget
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(room: Room, name: str, theme: str) -> None:
    settings = (
        {"target": "chapter", "no_bias": True} if name == NAMES[0] else {"own_line": True, "mistakes": 3}
    )
    room.show(name, theme, **settings)
    assert_axe_finds_nothing(room)


@every_widget
def test_a_phone_needs_no_sideways_scroll(phone: Room, name: str) -> None:
    for settings in (
        {},
        {"target": "steeper"} if name == NAMES[0] else {"data": "xor", "mistakes": 4, "own_line": True},
    ):
        phone.show(name, **settings)
        assert_nothing_is_wider_than_a_phone(phone)


@every_widget
def test_nothing_is_left_after_fifty_drawings(room: Room, name: str) -> None:
    room.show(name)
    assert_nothing_is_left_after_fifty_drawings(room)


@every_widget
def test_two_on_one_page_do_not_meet(room: Room, name: str) -> None:
    first, second = two_on_one_page(room, plain(name))
    before = room.bridge.do(lambda: second.get_state())
    room.page.get_by_role("button", name="New points").first.click()
    room.until(lambda: room.bridge.do(lambda: first.seed) == 1, "the first has other points")
    after = room.bridge.do(lambda: second.get_state())
    assert before == after


@every_widget
def test_the_view_needs_no_python_to_be_drawn(room: Room, name: str) -> None:
    """From the stored state alone, as in a static page before anything is touched."""
    room.show(name, **({"mistakes": 3, "own_line": True} if name == NAMES[1] else {}))
    assert_drawn_without_python(room)


@every_widget
def test_the_whole_widget_is_reached_by_the_tab_key(room: Room, name: str) -> None:
    room.show(name, **({"own_line": True} if name == NAMES[1] else {}))
    assert reached_by_tab(room) > 10


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
    drawn(room.page)
    box = handle.bounding_box()
    assert box["y"] + 13 == pytest.approx(target[1], abs=2)
    assert room.page.get_by_role("spinbutton", name="Bias b").input_value() == "-3"
    assert room.read("b") == 0  # Python knows nothing of it
    assert "+ 0.00" in room.text(".neuron-formula")  # and so its words are the old ones
    room.page.mouse.up()


def test_a_late_answer_does_not_undo_what_was_moved_since(room: Room) -> None:
    room.show("DragTheNeuron", w1=0, w2=1, b=0)
    move = "w1 => { const [model] = Object.values(models); model.set('w1', w1); model.save_changes(); }"
    with room.bridge.late() as said:
        for w1 in (2, 1.5):  # Python answers the whole number with a float
            room.page.evaluate(move, w1)
            room.until(lambda w1=w1: room.read("w1") == w1, "it has come to Python")
    assert any('"w1": 2.0' in message for message in said)
    room.settled()
    assert room.page.evaluate("Object.values(models)[0].get('w1')") == 1.5


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


def test_the_levels_of_a_steep_neuron_can_be_read(room: Room) -> None:
    """Where they lie on each other, their words must not."""
    room.show("DragTheNeuron", w1=10, w2=10, activation="sigmoid")
    places = {word: (x, y) for word, x, y in room.page.evaluate(WRITTEN)}
    assert math.dist(places["0.1"], places["0.9"]) > 30


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
    rows.first.wait_for()
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


def test_the_bound_is_written_alike_in_words_and_numbers(room: Room) -> None:
    room.show("PerceptronDuel", data="narrow")
    bound = re.search(r"= ([\d,]+) mistakes", room.text(".duel-question"))
    assert bound is not None
    assert len(bound[1]) > 4
    assert room.page.locator(".duel-counters strong").last.inner_text() == bound[1]


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


@pytest.mark.parametrize("action", ["Add", "Remove"])
def test_a_point_without_a_place_is_refused(room: Room, action: str) -> None:
    room.show("PerceptronDuel")
    kept = room.read("points")
    room.page.get_by_role("spinbutton", name="x₂").fill("")
    room.page.get_by_role("button", name=action).press("Enter")
    words = "x₂: expected a number from -6 to 6; received nothing. The widget keeps its points"
    room.until(lambda: room.text(".dlcore-refusal") == words, words)
    assert room.read("points") == kept


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
