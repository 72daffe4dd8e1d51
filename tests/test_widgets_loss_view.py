"""Pick a loss in a real browser, computed by the real Python (see widget_bridge.py)."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.views import (
    NARROW,
    WIDE,
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
from tests.widget_bridge import plain

pytestmark = pytest.mark.browser

NAME = "PickALoss"
CLASSES = {"problem": "classification", "loss": "cross_entropy"}
FRAME = {"left": 40, "right": 10, "top": 20, "bottom": 34}  # pick_a_loss.js's margins
both = pytest.mark.parametrize("settings", [{}, CLASSES], ids=["regression", "classes"])


@pytest.fixture
def room(context: Any) -> Iterator[Room]:
    yield from rooms(context, WIDE, height=1000)


@pytest.fixture
def phone(context: Any) -> Iterator[Room]:
    yield from rooms(context, NARROW, height=1000)


def handle(room: Room, number: int) -> Any:
    return room.page.locator(".loss-handle").nth(number - 1)


def drag(room: Room, number: int, x: float, t: float) -> None:
    """Lead a point by the pointer to a place of the plane."""
    low, high = room.read("ends")
    box = room.page.locator(".loss-plane canvas").bounding_box()
    width, height = (
        box["width"] - FRAME["left"] - FRAME["right"],
        box["height"] - FRAME["top"] - FRAME["bottom"],
    )
    place = (
        box["x"] + FRAME["left"] + (x + 6) / 12 * width,
        box["y"] + FRAME["top"] + (high - t) / (high - low) * height,
    )
    here = handle(room, number).bounding_box()
    room.page.mouse.move(here["x"] + here["width"] / 2, here["y"] + here["height"] / 2)
    room.page.mouse.down()
    room.page.mouse.move(*place, steps=4)
    room.page.mouse.up()
    room.settled()


# ------------------------------------------------------------------------------------------- what every view must be


@both
def test_all_pictures_are_drawn(room: Room, settings: dict[str, Any]) -> None:
    room.show(NAME, **settings)
    assert_pictures_are_drawn_and_said(room)


@both
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(room: Room, settings: dict[str, Any], theme: str) -> None:
    room.show(NAME, theme, goal="outlier", **settings)
    assert_axe_finds_nothing(room)


@both
def test_a_phone_needs_no_sideways_scroll(phone: Room, settings: dict[str, Any]) -> None:
    phone.show(NAME, **settings)
    assert_nothing_is_wider_than_a_phone(phone)


def test_nothing_is_left_after_fifty_drawings(room: Room) -> None:
    room.show(NAME)
    assert_nothing_is_left_after_fifty_drawings(room)


def test_two_on_one_page_do_not_meet(room: Room) -> None:
    first, second = two_on_one_page(room, plain(NAME))
    before = room.bridge.do(lambda: second.get_state())
    room.page.get_by_role("button", name="New points").first.click()
    room.until(lambda: room.bridge.do(lambda: first.seed) == 1, "the first has other points")
    assert room.bridge.do(lambda: second.get_state()) == before


@both
def test_the_view_needs_no_python_to_be_drawn(room: Room, settings: dict[str, Any]) -> None:
    room.show(NAME, **settings)
    assert_drawn_without_python(room)
    handle(room, 3).hover()  # what is pointed at is the view's own
    room.page.wait_for_timeout(100)
    assert room.page.evaluate("window.sent") == 0


def test_the_whole_widget_is_reached_by_the_tab_key(room: Room) -> None:
    room.show(NAME)
    assert reached_by_tab(room) > 20


# ------------------------------------------------------------------------------------------------ the points


def test_a_point_is_dragged_and_the_line_follows(room: Room) -> None:
    room.show(NAME, goal="outlier")
    before = room.read("w")
    drag(room, 12, 5.0, -5.0)
    assert room.read("points")[-1] == pytest.approx([5.0, -5.0], abs=0.1)
    assert room.read("w") < before - 0.2
    assert room.read("fitted", "reached") == [True, True]
    assert "normal equations" in room.text(".loss-story")


def test_a_point_is_moved_by_the_arrow_keys(room: Room) -> None:
    room.show(NAME)
    x, t = room.read("points")[2]
    handle(room, 3).focus()
    for key in ("ArrowRight", "ArrowUp", "ArrowUp", "Shift+ArrowDown"):
        room.page.keyboard.press(key)
        room.settled()
    assert room.read("points")[2] == pytest.approx([x + 0.2, t - 0.6])
    assert handle(room, 3).get_attribute("aria-label").startswith("Point 3: x −3.00, t −2.00;")


def test_up_and_down_change_a_class(room: Room) -> None:
    room.show(NAME, **CLASSES)
    handle(room, 1).focus()
    room.page.keyboard.press("ArrowUp")
    room.settled()
    assert room.read("points")[0] == [-4.8, 1]
    drag(room, 1, -2.0, 0.1)
    assert room.read("points")[0] == pytest.approx([-2.0, 0], abs=0.1)


def test_a_drag_is_one_message_for_each_picture(room: Room) -> None:
    room.show(NAME)
    room.page.evaluate("window.sent = 0")
    drag(room, 6, 2.0, 3.0)
    assert (
        0 < room.page.evaluate("window.sent") <= 12
    )  # four moves of the pointer, and the words that all is drawn


# ------------------------------------------------------------------------------------------------ controls


def test_another_problem_brings_its_losses_and_another_loss_its_fit(room: Room) -> None:
    room.show(NAME)
    assert not room.page.get_by_role("slider", name="δ of Huber's loss").is_visible()
    room.page.get_by_label("Loss", exact=True).select_option("huber")
    room.settled()
    assert room.page.get_by_role("slider", name="δ of Huber's loss").is_visible()
    room.page.get_by_label("Task", exact=True).select_option("classification")
    room.settled()
    offered = room.page.get_by_label("Loss", exact=True).locator("option").all_inner_texts()
    assert offered == ["cross-entropy", "MSE of the sigmoid", "hinge"]
    assert room.read("loss") == "cross_entropy"
    assert "of 12 points are right" in room.text(".loss-score")


def test_the_sliders_take_the_line_from_its_fit(room: Room) -> None:
    room.show(NAME)
    bar = room.page.get_by_role("slider", name="w of the line")
    bar.focus()
    for _ in range(4):
        bar.press("ArrowLeft")
    room.settled()
    assert not room.read("fitted")
    assert room.read("w") == pytest.approx(0.4, abs=0.03)
    assert "the loss rose" in room.text(".loss-move")
    room.press("Fit")
    assert room.read("fitted")


def test_it_is_stuck_and_then_gets_away(room: Room) -> None:
    room.show(NAME, problem="classification", loss="mse")
    room.press("Start surely wrong")
    for _ in range(3):
        room.press("Step")
    assert "From a line that is surely wrong: 3 steps of MSE." in room.text(".loss-story")
    assert "2 of 12 points are right" in room.text(".loss-score")
    room.page.get_by_label("Loss", exact=True).select_option("cross_entropy")
    room.settled()
    room.page.get_by_role("button", name="Run").click()
    room.until(lambda: room.read("right") == 10, "ten points are right")
    room.page.get_by_role("button", name="Pause").click()
    room.until(lambda: not room.read("running"), "it pauses")
    room.settled()
    assert room.read("spent")["mse"] == 3


def test_what_is_not_allowed_is_refused_and_the_field_goes_back(room: Room) -> None:
    room.show(NAME)
    box = room.page.get_by_role("spinbutton", name="learning rate")
    box.fill("50")
    box.press("Enter")
    words = "PickALoss.learning_rate: expected a number from 0.001 to 10; received 50. The widget keeps 0.05"
    alert = room.page.locator("[role=alert]")
    room.until(lambda: alert.text_content() == words, words)
    room.until(lambda: box.input_value() == "0.05", "the field has gone back")


def test_the_tables_say_what_the_pictures_show(room: Room) -> None:
    room.show(NAME, **CLASSES)
    room.press("Start at 0")
    room.press("Step")
    for folded in room.page.locator("summary").all():
        folded.click()
    points, steps = room.page.locator("table").all()
    cells = [row.locator("th, td").all_inner_texts() for row in points.locator("tbody tr").all()]
    z, output, cost, slope = np.frombuffer(room.read("rows"), "<f4").reshape(-1, 4)[0]
    shown = ["1", "−4.80", "0.00", f"{z:.2f}", f"{output:.2f}", f"{cost:.3f}", f"{slope:.3f}", "right"]
    assert cells[0] == [word.replace("-", "−") for word in shown]
    assert len(cells) == 12
    rows = [row.locator("th, td").all_inner_texts() for row in steps.locator("tbody tr").all()]
    assert rows[0] == ["0", "0.6931", "50\u00a0%"]
    assert rows[1][0] == "1"
