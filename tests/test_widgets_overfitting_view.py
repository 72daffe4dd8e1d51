"""Capacity dial in a real browser, computed by the real Python (see widget_bridge.py)."""

from collections.abc import Iterator
from typing import Any

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

NAME = "CapacityDial"
QUICK: dict[str, Any] = {"examples": 20}


@pytest.fixture
def room(context: Any) -> Iterator[Room]:
    yield from rooms(context, WIDE, height=1000)


@pytest.fixture
def phone(context: Any) -> Iterator[Room]:
    yield from rooms(context, NARROW, height=1000)


def run(room: Room) -> None:
    """Press Run and wait for the whole curve."""
    room.page.get_by_role("button", name="Run", exact=True).click()
    room.until(
        lambda: bool(room.bridge.do(lambda: room.widget.complete and not room.widget.running)),
        "a whole curve",
    )
    room.settled()


def sweep(room: Room) -> None:
    """Draw a guess with the pointer, from the upper left to the lower right."""
    box = room.page.locator("canvas.capacity-chart").bounding_box()
    room.page.mouse.move(box["x"] + 42, box["y"] + 60)
    room.page.mouse.down()
    room.page.mouse.move(box["x"] + box["width"] - 14, box["y"] + 160, steps=8)
    room.page.mouse.up()
    room.settled()


# ------------------------------------------------------------------------------------------- what every view must be


def test_all_pictures_are_drawn(room: Room) -> None:
    room.show(NAME, **QUICK)
    assert_pictures_are_drawn_and_said(room)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(room: Room, theme: str) -> None:
    room.show(NAME, theme, goal="guess", **QUICK)
    run(room)
    assert_axe_finds_nothing(room)


def test_a_phone_needs_no_sideways_scroll(phone: Room) -> None:
    phone.show(NAME, **QUICK)
    run(phone)
    assert_nothing_is_wider_than_a_phone(phone)


def test_nothing_is_left_after_fifty_drawings(room: Room) -> None:
    room.show(NAME, **QUICK)
    assert_nothing_is_left_after_fifty_drawings(room)


def test_two_on_one_page_do_not_meet(room: Room) -> None:
    first, second = two_on_one_page(room, lambda: plain(NAME)(**QUICK))
    before = room.bridge.do(lambda: second.get_state())
    room.page.locator("input[name=dropout]").first.focus()
    room.page.keyboard.press("ArrowRight")
    room.until(lambda: room.bridge.do(lambda: first.dropout) == 0.05, "the first has dropout")
    assert room.bridge.do(lambda: second.get_state()) == before


def test_the_view_needs_no_python_to_be_drawn(room: Room) -> None:
    room.show(NAME, **QUICK)
    assert_drawn_without_python(room)


def test_the_whole_widget_is_reached_by_the_tab_key(room: Room) -> None:
    room.show(NAME, **QUICK)
    assert reached_by_tab(room) >= 20


# ------------------------------------------------------------------------------------------- guessing and measuring


def test_a_guess_is_drawn_by_the_pointer_and_then_measured(room: Room) -> None:
    room.show(NAME, goal="guess", **QUICK)
    sweep(room)
    guess = room.read("guess")
    assert len(guess) == 7
    assert guess == sorted(guess, reverse=True)
    assert guess[0] - guess[-1] > 20
    assert room.read("reached") is False
    run(room)
    assert room.read("reached") is True
    assert "points off on average" in room.text(".capacity-course")
    gauge = room.page.locator("progress")
    assert gauge.evaluate("e => e.value === e.max")
    room.press("Erase my curve")
    assert room.read("guess") == []


def test_a_guess_is_made_by_the_arrow_keys(room: Room) -> None:
    room.show(NAME, **QUICK)
    knot = room.page.locator("input[name=guess-3]")
    knot.focus()
    for _ in range(3):
        room.page.keyboard.press("ArrowUp")
        room.settled()
    assert room.read("guess") == [50, 50, 53, 50, 50, 50, 50]
    assert knot.get_attribute("aria-valuetext") == "53\u00a0%"


@pytest.mark.parametrize(
    ("dial", "key", "trait", "value"),
    [
        ("examples", "ArrowRight", "examples", 30),
        ("label_noise", "ArrowRight", "label_noise", 0.25),
        ("penalty", "End", "penalty", 2),
        ("dropout", "ArrowRight", "dropout", 0.05),
        ("stop", "Home", "stop", 0),
        ("width", "End", "width", 600),
    ],
)
def test_every_dial_changes_what_is_said(room: Room, dial: str, key: str, trait: str, value: float) -> None:
    room.show(NAME, **QUICK)
    before = room.read("summary")
    room.page.locator(f"input[name={dial}]").focus()
    room.page.keyboard.press(key)
    room.settled()
    assert room.read(trait) == pytest.approx(value)
    assert room.read("summary") != before


def test_a_dial_moves_the_whole_curve(room: Room) -> None:
    room.show(NAME, **QUICK)
    run(room)
    before = room.bridge.do(lambda: room.widget.curve)
    room.page.locator("input[name=penalty]").focus()
    room.page.keyboard.press("End")
    room.until(lambda: room.read("penalty") > 0, "the page has said it")
    room.until(lambda: room.read("complete") and not room.read("running"), "measured anew")
    assert room.read("curve") != before


def test_other_pictures_are_chosen(room: Room) -> None:
    room.show(NAME, **QUICK)
    before = room.bridge.do(lambda: (room.widget.ends, room.widget.line))
    room.page.locator("select[name=end]").select_option("1")
    room.settled()
    assert room.bridge.do(lambda: (room.widget.ends, room.widget.line)) != before


def test_the_tables_say_what_the_charts_say(room: Room) -> None:
    room.show(NAME, **QUICK)
    run(room)
    for folded in room.page.locator("summary").all():
        folded.click()
    rows = room.page.locator("tbody").first.locator("tr").all_inner_texts()
    assert [int(row.split()[0]) for row in rows] == room.read("places")
    assert all(row.split()[-1] == "yes" for row in rows)
    assert room.page.locator("tbody").nth(1).locator("tr").count() == 9


def test_a_stroke_is_one_message_for_each_picture(room: Room) -> None:
    room.show(NAME, **QUICK)
    room.page.evaluate("window.sent = 0")
    sweep(room)
    assert 1 <= room.page.evaluate("window.sent") <= 12
