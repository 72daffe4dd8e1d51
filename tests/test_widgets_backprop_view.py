"""The two widgets of the chapter Backprop in a real browser, computed by the real Python (see widget_bridge.py)."""

from collections.abc import Iterator
from typing import Any

import pytest

from dlcore.widgets.break_one_gradient import bug_of
from dlcore.widgets.broken_passes import BUGS
from tests.views import (
    INKED,
    NARROW,
    WIDE,
    Room,
    assert_axe_finds_nothing,
    assert_drawn_without_python,
    assert_nothing_is_left_after_fifty_drawings,
    assert_nothing_is_wider_than_a_phone,
    reached_by_tab,
    rooms,
    two_on_one_page,
)
from tests.widget_bridge import plain

pytestmark = pytest.mark.browser

LEDGER, BROKEN = "BlameLedger", "BreakOneGradient"
every_widget = pytest.mark.parametrize("name", [LEDGER, BROKEN])
# A state in which much is to be seen, and what the reader does next.
FULL: dict[str, dict[str, Any]] = {
    LEDGER: {"at": 8, "rule": "add", "goal": "finish"},
    BROKEN: {"seed": 3, "goal": "name"},
}
NAMES = {bug.key: bug.name for bug in BUGS}


@pytest.fixture
def room(context: Any) -> Iterator[Room]:
    yield from rooms(context, WIDE, height=1000)


@pytest.fixture
def phone(context: Any) -> Iterator[Room]:
    yield from rooms(context, NARROW, height=1000)


def solved(room: Room) -> None:
    """Bring either widget to the state with the most in it."""
    if hasattr(room.widget, "typed"):
        type_in(room, -6)
    else:
        room.press(NAMES["layer"])
        room.press(NAMES[bug_of(3).key])


def type_in(room: Room, number: float) -> None:
    field = room.page.locator("input[name=answer]")
    field.fill(str(number))
    field.press("Enter")
    room.settled()


# ------------------------------------------------------------------------------------------- what every view must be


@every_widget
def test_the_picture_is_drawn(room: Room, name: str) -> None:
    room.show(name, **FULL[name])
    canvas = room.page.locator("canvas")
    assert canvas.evaluate(INKED) > 500
    assert len(canvas.get_attribute("aria-label")) > 40


@every_widget
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(room: Room, name: str, theme: str) -> None:
    room.show(name, theme, **FULL[name])
    solved(room)
    assert_axe_finds_nothing(room, absent=("label",) if name == BROKEN else ())  # it has selects alone


@every_widget
def test_a_phone_needs_no_sideways_scroll(phone: Room, name: str) -> None:
    phone.show(name, **FULL[name])
    solved(phone)
    assert_nothing_is_wider_than_a_phone(phone)


@every_widget
def test_nothing_is_left_after_fifty_drawings(room: Room, name: str) -> None:
    room.show(name, **FULL[name])
    assert_nothing_is_left_after_fifty_drawings(room)


@every_widget
def test_two_on_one_page_do_not_meet(room: Room, name: str) -> None:
    first, second = two_on_one_page(room, plain(name))
    before = room.bridge.do(lambda: second.get_state())
    button, trait = ("All values", "at") if name == LEDGER else ("Next mystery", "seed")
    room.page.get_by_role("button", name=button).first.click()
    room.until(lambda: room.bridge.do(lambda: getattr(first, trait)) > 0, "the first has moved on")
    assert room.bridge.do(lambda: second.get_state()) == before


@every_widget
def test_the_view_needs_no_python_to_be_drawn(room: Room, name: str) -> None:
    room.show(name, **FULL[name])
    assert_drawn_without_python(room)


@every_widget
def test_the_whole_widget_is_reached_by_the_tab_key(room: Room, name: str) -> None:
    room.show(name, **FULL[name])
    assert reached_by_tab(room) > 7


# ------------------------------------------------------------------------------------------------ the ledger


def test_a_ledger_is_filled_by_keyboard_alone(room: Room) -> None:
    room.show(LEDGER, goal="finish")
    room.page.get_by_role("button", name="All values").focus()
    room.page.keyboard.press("Enter")
    room.settled()
    assert room.page.evaluate("document.activeElement.name") == "answer"  # the question is next
    for number in (-4, -6, 1, 1, -10, 2, -3, 24):
        room.page.keyboard.type(str(number))
        room.page.keyboard.press("Enter")
        room.settled()
    assert room.read("done", "slips", "reached") == [True, 0, True]
    assert "every finite difference agrees" in room.text(".blame-story")
    assert room.page.locator(".blame-table").inner_text().count("✓ agrees") == 5
    assert not room.page.locator("input[name=answer]").is_visible()


def test_a_wrong_entry_stays_and_is_answered(room: Room) -> None:
    room.show(LEDGER, at=8)
    type_in(room, -6)
    assert "it has overwritten the first" in room.text(".blame-message")
    assert room.page.locator("input[name=answer]").input_value() == "-6"
    type_in(room, -10)
    assert not room.page.locator(".blame-message").is_visible()
    assert "1 by you, 1 wrong" in room.text(".blame-count")


def test_finite_differences_object_in_the_table(room: Room) -> None:
    room.show(LEDGER, rule="overwrite", at=10)
    assert "✗ differs" in room.page.locator(".blame-table").inner_text()


def test_the_controls_change_the_ledger(room: Room) -> None:
    room.show(LEDGER, at=6)
    room.page.get_by_label("Expression").select_option("neuron")
    room.settled()
    assert room.page.locator(".blame-table tbody tr").count() == 8
    room.press("Start again")
    assert room.read("at") == 0
    room.press("Next")
    room.press("Other numbers")
    assert room.read("seed", "at") == [1, 0]
    room.page.get_by_label("At a fork, shares").select_option("overwrite")
    room.settled()
    assert room.read("rule") == "overwrite"
    room.press("All values")
    room.press("Show me")
    assert room.read("typed") == 0
    assert "a share of −1.00 for q" in room.text(".blame-story")


# ------------------------------------------------------------------------------------------------ the mysteries


def test_a_mystery_is_solved(room: Room) -> None:
    room.show(BROKEN, seed=0, goal="name")
    assert room.page.locator(".broken-check tbody tr").count() == 6
    assert room.page.locator(".broken-wrong").count() == 2
    room.press(NAMES["sign"])
    assert "every row would have the ratio −1" in room.text(".broken-answer")
    assert room.page.get_by_role("button", name=NAMES["sign"]).is_disabled()
    room.press(NAMES["overwrite"])
    assert room.text(".broken-answer").startswith("Yes")
    assert room.page.locator(".broken-code mark").all_inner_texts() == [
        "− g_h1 = g_z2 @ w2.T  # and through layer 2\n",
        "+ g_h1 = g_h1 + g_z2 @ w2.T  # and through layer 2\n",
    ]
    room.press("Next mystery")
    assert room.text(".broken-title") == "Mystery 1"
    assert room.text(".broken-answer") == ""


def test_the_right_pass_can_be_read_before_and_the_broken_one_not(room: Room) -> None:
    room.show(BROKEN)
    room.page.locator("summary", has_text="line by line").click()
    assert room.page.locator(".broken-code pre").count() == 1
    assert "g_h1 = g_h1 + g_z2 @ w2.T" in room.text(".broken-code pre")
    room.press("Tell me")
    assert room.page.locator(".broken-code pre").count() == 2


def test_other_points_and_rates_draw_other_curves(room: Room) -> None:
    room.show(BROKEN)
    room.page.locator("summary", has_text="The curves as a table").click()
    rows = room.page.locator(".dlcore-table tbody")
    before = rows.inner_text()
    room.page.get_by_label("Learning rate").select_option("0.3")
    room.settled()
    slower = rows.inner_text()
    assert slower != before
    room.page.get_by_label("Points").select_option("spiral")
    room.settled()
    assert rows.inner_text() not in (before, slower)
