"""Clever Hans in a real browser, computed by the real Python (see widget_bridge.py)."""

from collections.abc import Iterator
from typing import Any

import pytest

from dlcore.widgets.hans import COLUMN, FAR, MAPS, MOST, ROW, SIDE, SIZE
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

NAME = "CleverHans"
STATES: list[dict[str, Any]] = [
    {},
    {"network": "conv", "steps": 100, "forgotten": 2, "cut": 3, "goal": "sanity"},
]
PIXELS = "c => c.toDataURL()"


@pytest.fixture
def room(context: Any) -> Iterator[Room]:
    yield from rooms(context, WIDE)


@pytest.fixture
def phone(chromium: Any) -> Iterator[Room]:
    with chromium.new_context(has_touch=True) as context:
        yield from rooms(context, NARROW)


def tile(room: Room, name: str) -> Any:
    return room.page.locator(".hans-tile").filter(has=room.page.get_by_text(name, exact=True))


# ------------------------------------------------------------------------------------------- what all views must be


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("settings", STATES, ids=["new", "forgotten"])
def test_axe_finds_nothing(room: Room, theme: str, settings: dict[str, Any]) -> None:
    room.show(NAME, theme, **settings)
    assert_axe_finds_nothing(room)


@pytest.mark.parametrize("settings", STATES, ids=["new", "forgotten"])
def test_a_phone_needs_no_sideways_scroll(phone: Room, settings: dict[str, Any]) -> None:
    phone.show(NAME, **settings)
    assert_nothing_is_wider_than_a_phone(phone)


def test_the_view_needs_no_python_to_be_drawn(room: Room) -> None:
    room.show(NAME, network="conv", steps=50, forgotten=1)
    assert_drawn_without_python(room)
    canvases = room.page.locator("canvas").all()
    assert len(canvases) == 1 + 2 + 2 * len(MAPS) + 2
    for canvas in canvases:
        assert canvas.evaluate(INKED) > 500


def test_nothing_is_left_after_fifty_drawings(room: Room) -> None:
    room.show(NAME, steps=50)
    assert_nothing_is_left_after_fifty_drawings(room)


def test_two_on_one_page_do_not_meet(room: Room) -> None:
    first, second = two_on_one_page(room, lambda: plain(NAME)(steps=50))
    before = room.bridge.do(second.get_state)
    room.page.get_by_role("button", name="Another 9").first.click()
    room.until(lambda: room.bridge.do(lambda: first.digit) == "9", "the first shows a 9")
    assert room.bridge.do(second.get_state) == before


def test_the_whole_widget_is_reached_by_the_tab_key(room: Room) -> None:
    room.show(NAME, steps=50, row=3)
    assert reached_by_tab(room) == 5 + 1 + 4 + 1 + len(MAPS) + 2 + 3


# ------------------------------------------------------------------------------------------------------- the mark


def test_the_mark_is_dragged_and_the_answer_turns(room: Room) -> None:
    room.show(NAME)
    assert room.text(".hans-verdict").startswith("It says 9")
    box = room.page.locator(".hans-paper canvas").bounding_box()
    handle = room.page.locator(".hans-grip").bounding_box()
    pixel = box["width"] / SIDE
    assert handle["x"] == pytest.approx(box["x"] + COLUMN * pixel, abs=1)
    assert handle["width"] == pytest.approx(SIZE * pixel, abs=1)
    room.page.mouse.move(handle["x"] + 10, handle["y"] + 10)
    room.page.mouse.down()
    room.page.mouse.move(handle["x"] + 10 + 20 * pixel, handle["y"] + 10 - 21 * pixel, steps=6)
    room.until(lambda: room.read("dragging"), "Python knows that the mark is in the hand")
    room.page.mouse.up()
    room.until(lambda: not room.read("dragging"), "it was let go")
    room.settled()
    assert room.read("row", "column") == [ROW - 21, COLUMN + 20]
    assert room.read("p") < 0.5
    assert room.text(".hans-verdict").startswith("It says 4")
    assert room.page.locator(".hans-tile[data-fresh=true]").count() == len(MAPS) - 1
    room.press("Mark to its corner")
    assert room.read("row", "column") == [ROW, COLUMN]


def test_the_picture_follows_the_hand_before_python_answers(room: Room) -> None:
    room.show(NAME, steps=50)
    room.page.evaluate("Object.values(window.models)[0].save_changes = () => {}")
    picture = room.page.locator(".hans-paper canvas")
    before = picture.evaluate(PIXELS)
    room.page.locator(".hans-grip").focus()
    room.page.keyboard.press("Shift+ArrowUp")
    room.until(lambda: picture.evaluate(PIXELS) != before, "the mark is elsewhere")
    assert room.read("row") == ROW


def test_the_mark_by_keyboard(room: Room) -> None:
    room.show(NAME, steps=50)
    grip = room.page.locator(".hans-grip")
    grip.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowDown", "ArrowDown"):
        room.page.keyboard.press(key)
    room.settled()
    assert room.read("row", "column") == [FAR, COLUMN + 2]
    assert grip.get_attribute("aria-label").startswith(f"The mark, at row {FAR}, column {COLUMN + 2}.")
    room.page.keyboard.press("Delete")
    room.settled()
    assert room.read("marked") is False
    assert not grip.is_visible()
    box = room.page.get_by_role("checkbox", name="mark on the picture")
    assert not box.is_checked()
    box.check()
    room.settled()
    assert grip.is_visible()


def test_another_digit_of_the_same_kind_is_the_next_one(room: Room) -> None:
    room.show(NAME, steps=50, which=99)
    room.press("Another 4")
    assert room.read("digit", "which") == ["4", 0]
    room.press("Another 9")
    assert room.read("digit", "which") == ["9", 0]


def test_the_bars_say_what_the_network_says(room: Room) -> None:
    room.show(NAME)
    lengths = room.page.evaluate(
        "[...document.querySelectorAll('.hans-fill')].map(bar =>"
        " bar.getBoundingClientRect().width / bar.parentElement.clientWidth)"
    )
    assert lengths == pytest.approx(room.read("p", "p_clean"), abs=0.02)
    told = [row.inner_text().split("\t")[-1] for row in room.page.locator(".hans-bars tbody tr").all()]
    assert [float(text.split()[0]) for text in told] == pytest.approx(
        [100 * p for p in room.read("p", "p_clean")], abs=0.051
    )


# ------------------------------------------------------------------------------------------------------- the maps


def test_a_map_is_shown_large_without_python(room: Room) -> None:
    room.show(NAME)
    room.page.evaluate("window.sent = 0")
    large = room.page.locator(".hans-map").first
    before = large.evaluate(PIXELS)
    tile(room, "saliency").click()
    room.until(lambda: large.evaluate(PIXELS) != before, "another map is large")
    assert tile(room, "saliency").get_attribute("aria-pressed") == "true"
    assert room.text(".hans-name") == "saliency"
    assert room.page.evaluate("window.sent") == 0
    assert room.read("method") == "gradient_x_input"


def test_a_task_hears_of_the_map_that_is_chosen(room: Room) -> None:
    room.show(NAME, goal="where", method="saliency")
    best = max(room.read("maps"), key=lambda entry: entry["share"] or 0)
    tile(room, best["name"]).focus()
    room.page.keyboard.press("Enter")
    room.until(lambda: room.read("reached"), "the map with the largest share")
    room.until(lambda: "Done" in room.text(".dlcore-task"), "the task is said to be done")


def test_layers_forget_and_both_maps_stand_side_by_side(room: Room) -> None:
    room.show(NAME, steps=100)
    assert room.page.locator(".hans-map:visible").count() == 1
    slider = room.page.get_by_role("slider", name="Let layers forget")
    slider.focus()
    room.page.keyboard.press("ArrowRight")
    room.settled()
    assert room.read("forgotten") == 1
    assert room.page.locator(".hans-map:visible").count() == 2
    assert slider.get_attribute("max") == "3"
    entry = next(e for e in room.read("maps") if e["key"] == "saliency")
    assert f"likeness {entry['similar']:.2f}".replace("-", "−") in tile(room, "saliency").inner_text()


def test_the_completeness_is_said_and_a_pixel_tells_its_value(room: Room) -> None:
    room.show(NAME)
    tile(room, "integrated gradients").click()
    room.until(lambda: "adds up to" in room.text(".hans-about"), "both numbers")
    large = room.page.locator(".hans-map").first
    large.scroll_into_view_if_needed()
    box = large.bounding_box()
    room.page.mouse.move(
        box["x"] + (COLUMN + 1.5) * box["width"] / SIDE, box["y"] + (ROW + 1.5) * box["height"] / SIDE
    )
    assert room.text(".hans-hover").startswith(f"row {ROW + 1}, column {COLUMN + 1}: ")


def test_without_a_convolution_grad_cam_says_why_it_is_empty(room: Room) -> None:
    room.show(NAME, steps=50)
    assert "not drawn" in tile(room, "Grad-CAM").inner_text()
    tile(room, "Grad-CAM").click()
    room.until(lambda: "has none" in room.text(".hans-about"), "the reason")


# ------------------------------------------------------------------------------------------- training, exam, remedies


def test_another_share_of_marks_is_trained_before_the_readers_eyes(room: Room) -> None:
    room.show(NAME)
    curve = room.page.locator(".hans-part canvas[aria-label^='Three curves']")
    before = curve.evaluate(PIXELS)
    room.page.locator("select[name=percent]").select_option("50")
    room.until(lambda: room.read("percent") == 50 and room.read("steps") == MOST, "it has learnt anew")
    room.until(lambda: not room.read("running"), "and rests")
    room.settled()
    assert curve.evaluate(PIXELS) != before
    told = [cell.inner_text() for cell in room.page.locator(".hans-exam").first.locator("tbody td").all()]
    assert told == [str(right) for right in room.read("scores")]
    assert room.text(".hans-steps") == f"{MOST} of {MOST} steps"


def test_run_pause_and_reset(room: Room) -> None:
    room.show(NAME, network="conv")
    room.page.get_by_role("button", name="Run").click()
    room.until(lambda: 0 < room.read("steps") < MOST and room.read("running"), "it begins anew")
    room.page.get_by_role("button", name="Pause").click()
    room.until(lambda: not room.read("running"), "it pauses")
    room.settled()
    assert 0 < room.read("steps") <= MOST
    room.press("Reset")
    assert room.read("steps") == 0


def test_remedies_are_told_in_the_exam(room: Room) -> None:
    room.show(NAME, percent=50)
    room.page.get_by_role("checkbox", name="paint the corner over").check()
    room.settled()
    assert room.read("covered") is True
    assert "with the remedies" in room.text(".hans-note")
    slider = room.page.get_by_role("slider", name="Cut units")
    slider.focus()
    room.page.keyboard.press("End")
    room.settled()
    assert room.read("cut") == 12
    told = [cell.inner_text() for cell in room.page.locator(".hans-exam").first.locator("tbody td").all()]
    assert told == ["100", "100", "100"]


def test_the_tables_say_what_the_pictures_show(room: Room) -> None:
    room.show(NAME, forgotten=1, cut=1)
    for folded in room.page.locator("summary").all():
        folded.click()
    maps, exams, units = (folded.locator("tbody tr") for folded in room.page.locator("details").all())
    rows = [row.inner_text().split("\t") for row in maps.all()]
    for row, entry in zip(rows, room.read("maps"), strict=True):
        assert row[0] == entry["name"]
        assert row[2] == ("–" if entry["similar"] is None else f"{entry['similar']:.2f}".replace("-", "−"))
    assert [row.locator("th").inner_text() for row in exams.all()] == [str(k) for k in range(0, 301, 25)]
    assert [row.inner_text().split("\t")[2] for row in units.all()] == ["cut"] + 11 * ["kept"]


def test_a_refused_seed_is_said_and_put_back(room: Room) -> None:
    room.show(NAME, steps=50)
    field = room.page.get_by_role("spinbutton", name="Seed")
    field.fill("-1")
    field.press("Enter")
    words = "CleverHans.seed: expected a whole number from 0 to 9999; received -1. The widget keeps 0"
    room.until(lambda: room.page.locator("[role=alert]").text_content() == words, words)
    room.until(lambda: field.input_value() == "0", "the field goes back")
    assert room.read("steps", "running") == [50, False]
