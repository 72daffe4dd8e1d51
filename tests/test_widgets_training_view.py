"""Ski-slope race and One hundred seeds in a real browser, computed by the real Python (see widget_bridge.py)."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.views import (
    INKED,
    NARROW,
    WIDE,
    Room,
    assert_axe_finds_nothing,
    assert_drawn_without_python,
    assert_nothing_is_left_after_fifty_drawings,
    assert_nothing_is_wider_than_a_phone,
    pictures,
    reached_by_tab,
    rooms,
    two_on_one_page,
)
from tests.widget_bridge import plain

pytestmark = pytest.mark.browser

WIDGETS = {"SkiSlopeRace": 2, "OneHundredSeeds": 3}  # and how many pictures each has
every_widget = pytest.mark.parametrize("name", WIDGETS)


@pytest.fixture
def room(context: Any) -> Iterator[Room]:
    yield from rooms(context, WIDE)


@pytest.fixture
def phone(context: Any) -> Iterator[Room]:
    yield from rooms(context, NARROW)


def shown(room: Room, name: str, theme: str = "light", **settings: Any) -> Any:
    """Show a widget in the middle of what it does."""
    widget = room.show(name, theme, **settings)
    room.bridge.do(widget.do_finish if name == "SkiSlopeRace" else lambda: widget.train(2))
    room.settled()
    return widget


def control(room: Room, name: str) -> Any:
    return room.page.locator(f".dlcore-widget [name={name}]")


def press(room: Room, word: str) -> None:
    room.page.get_by_role("button", name=word, exact=True).click()


def cells(room: Room, which: int) -> list[list[str]]:
    room.page.locator(".dlcore-table summary").nth(which).click()
    room.page.locator(".dlcore-table table").nth(which).locator("tbody tr").first.wait_for()
    read = "t => [...t.querySelectorAll('tbody tr')].map(r => [...r.children].map(c => c.textContent))"
    found: list[list[str]] = room.page.locator(".dlcore-table table").nth(which).evaluate(read)
    return found


# ------------------------------------------------------------------------------------------- what all views must be


@every_widget
def test_all_pictures_are_drawn_and_said(room: Room, name: str) -> None:
    shown(room, name)
    canvases = room.page.locator("canvas").all()
    assert len(canvases) == WIDGETS[name]
    for canvas in canvases:
        assert canvas.evaluate(INKED) > 500
        assert len(canvas.get_attribute("aria-label")) > 40


@every_widget
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(room: Room, name: str, theme: str) -> None:
    more = {"guess": [1, 1]} if name == "SkiSlopeRace" else {}
    shown(room, name, theme, goal=next(iter(plain(name).goals)), **more)
    assert_axe_finds_nothing(room)


@every_widget
def test_a_phone_needs_no_sideways_scroll(phone: Room, name: str) -> None:
    shown(phone, name)
    assert_nothing_is_wider_than_a_phone(phone)


@every_widget
def test_nothing_is_left_after_fifty_drawings(room: Room, name: str) -> None:
    room.show(name)
    assert_nothing_is_left_after_fifty_drawings(room)


@every_widget
def test_the_view_needs_no_python_to_be_drawn(room: Room, name: str) -> None:
    shown(room, name)
    assert_drawn_without_python(room)


@every_widget
def test_two_on_one_page_do_not_meet(room: Room, name: str) -> None:
    first, second = two_on_one_page(room, plain(name))
    before = room.bridge.do(lambda: second.summary)
    room.page.get_by_role(
        "button", name="Step" if name == "SkiSlopeRace" else "One epoch", exact=True
    ).first.click()
    room.until(lambda: room.bridge.do(lambda: first.summary) != before, "the first has moved")
    assert room.bridge.do(lambda: second.summary) == before


@every_widget
def test_the_whole_widget_is_reached_by_the_tab_key(room: Room, name: str) -> None:
    shown(room, name)
    assert reached_by_tab(room) > 10


@every_widget
def test_run_runs_to_the_end_and_says_so(room: Room, name: str) -> None:
    settings = {"steps": 20} if name == "SkiSlopeRace" else {"epochs": 5}
    room.show(name, **settings)
    before = pictures(room)
    press(room, "Run")
    room.until(lambda: not room.read("running") and room.read("frame") > 1, "it has run")
    end = "After 20 of 20 steps" if name == "SkiSlopeRace" else "After 5 of 5 epochs"
    assert room.read("summary").find(end) > 0
    room.settled()
    assert all(old != new for old, new in zip(before, pictures(room), strict=True))


# ------------------------------------------------------------------------------------------------------- the race


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("condition", 10, 10),
        ("tilt", 45, 45),
        ("learning_rate", -2, 0.01),
        ("adaptive_rate", 0, 1),
        ("momentum", 0.5, 0.5),
    ],
)
def test_every_slider_of_the_race_reaches_python(
    room: Room, name: str, value: float, expected: float
) -> None:
    room.show("SkiSlopeRace")
    control(room, name).evaluate(
        "(e, v) => { e.value = v; e.dispatchEvent(new Event('input', {bubbles: true})); }", value
    )
    room.until(lambda: room.read(name) == pytest.approx(expected), f"{name} is {expected}")


def test_another_surface_is_another_picture_and_hides_what_it_has_not(room: Room) -> None:
    room.show("SkiSlopeRace")
    before = pictures(room)[0]
    control(room, "surface").select_option("two_layers")
    room.until(lambda: room.read("surface") == "two_layers", "the surface is another")
    room.settled()
    assert pictures(room)[0] != before
    assert not control(room, "condition").is_visible()


def test_a_click_sets_the_start_or_the_prediction(room: Room) -> None:
    room.show("SkiSlopeRace")
    surface = room.page.locator("canvas").first
    surface.click(position={"x": 250, "y": 200})
    room.until(lambda: room.read("start") != [-2.4, 2.2], "the start has moved")
    room.page.get_by_label("A click on the picture sets").select_option("guess")
    room.until(lambda: room.read("guess") == [0, 0], "there is a prediction")
    surface.click(position={"x": 100, "y": 100})
    room.until(lambda: room.read("guess") not in ([], [0, 0]), "it has moved")
    w1, w2 = room.read("guess")
    assert w1 < 0 < w2
    press(room, "All steps")
    room.until(lambda: "away" in room.text(".ski-judged"), "the prediction is judged")


def test_arrow_keys_and_the_pointer_move_the_start(room: Room) -> None:
    room.show("SkiSlopeRace")
    spot = room.page.locator("[data-spot=start]")
    spot.focus()
    room.page.keyboard.press("ArrowRight")
    room.page.keyboard.press("Shift+ArrowDown")
    room.until(lambda: room.read("start") == [-2.3, 1.7], "it is where the keys brought it")
    box = spot.bounding_box()
    room.page.mouse.move(box["x"] + 13, box["y"] + 13)
    room.page.mouse.down()
    room.page.mouse.move(box["x"] + 90, box["y"] + 60, steps=4)
    room.page.mouse.up()
    room.until(lambda: room.read("start")[0] > -1.8, "it was dragged")
    assert "Now at w₁" in spot.get_attribute("aria-label")


def test_the_tables_of_the_race_say_what_python_has(room: Room) -> None:
    shown(room, "SkiSlopeRace", learning_rate=0.5)
    rows = cells(room, 0)
    assert [row[0] for row in rows] == ["SGD", "Momentum", "RMSProp", "Adam"]
    assert [row[5] for row in rows] == [result["word"] for result in room.read("results")]
    assert rows[0][5] == "diverged"
    assert rows[0][3:5] == ["5", "0.4"]
    losses = cells(room, 1)
    assert [losses[0][0], losses[-1][0]] == ["0", "100"]
    assert "above it" in room.text(".ski-verdict")


def test_a_logarithmic_axis_has_round_numbers(room: Room) -> None:
    room.show("SkiSlopeRace")
    ranges = [[0.25, 3.7], [0.01, 100], [1e-9, 5], [0.2, 0.5], [2.2, 4.4], [1, 1000]]
    assert room.page.evaluate(
        "async all => { const {decades} = await import('/kit.js'); return all.map(r => decades(...r)) }",
        ranges,
    ) == [
        [0.5, 1, 2],
        [0.01, 0.1, 1, 10, 100],
        [1e-8, 1e-6, 1e-4, 1e-2, 1],
        [0.2, 0.5],
        [2.5, 3, 3.5, 4],
        [1, 10, 100, 1000],
    ]


@pytest.mark.parametrize(
    ("name", "field", "label", "limits"),
    [("SkiSlopeRace", "steps", "Steps", (10, 300)), ("OneHundredSeeds", "epochs", "Epochs", (5, 400))],
)
def test_an_empty_field_says_what_it_expects(
    room: Room, name: str, field: str, label: str, limits: tuple[int, int]
) -> None:
    room.show(name)
    kept = room.read(field)
    expected = f"{label}: expected a number from {limits[0]} to {limits[1]}; received"
    for typed, word in (("", "nothing"), ("e", "what is no number")):
        control(room, field).fill("7")
        control(room, field).press("Backspace")
        control(room, field).press_sequentially(typed)
        press(room, "Step" if name == "SkiSlopeRace" else "One epoch")  # the press leaves the field
        assert room.text(".dlcore-refusal") == f"{expected} {word}. The widget keeps {kept}"
        assert control(room, field).input_value() == str(kept)
    room.page.get_by_role("button", name="Reset" if label == "Epochs" else "Back to the start").click()
    assert room.text(".dlcore-refusal") == ""


# ------------------------------------------------------------------------------------------------- a hundred networks


def test_any_network_is_opened_without_python(room: Room) -> None:
    shown(room, "OneHundredSeeds")
    before = pictures(room)
    tiles = room.page.locator("canvas").last
    side = tiles.bounding_box()["width"]
    tiles.click(position={"x": 0.25 * side, "y": 0.75 * side})
    room.until(lambda: "network 73, seed 72" in room.text(".seeds-parts"), "network 73 is open")
    assert all(old != new for old, new in zip(before, pictures(room), strict=True))
    assert room.read("chosen") == 1  # Python was not asked
    control(room, "chosen").focus()
    room.page.keyboard.press("ArrowRight")
    room.until(lambda: "network 74" in room.text(".seeds-parts"), "the keyboard opens the next")
    press(room, "Best")
    best = room.read("order")[0] + 1
    room.until(lambda: f"network {best}," in room.text(".seeds-parts"), "the best is open")


def test_a_result_is_kept_and_compared(room: Room) -> None:
    shown(room, "OneHundredSeeds")
    press(room, "Keep this result")
    room.until(lambda: "Of all pairs" in room.text(".seeds-compared"), "it is compared")
    control(room, "width").select_option("4")
    room.until(lambda: room.read("width") == 4, "the width is 4")
    press(room, "One epoch")
    room.until(lambda: room.read("epoch") == 1, "an epoch is trained")
    press(room, "Forget it")
    room.until(lambda: room.text(".seeds-compared") == "", "it is forgotten")


def test_keeping_nothing_is_refused_in_words(room: Room) -> None:
    room.show("OneHundredSeeds")
    press(room, "Keep this result")
    room.until(lambda: "there is no result yet" in room.text(".dlcore-refusal"), "it is refused")


def test_the_tables_of_the_networks_say_what_python_has(room: Room) -> None:
    shown(room, "OneHundredSeeds", seed=100)
    rows = cells(room, 0)
    assert len(rows) == 100
    assert rows[4][:2] == ["5", "104"]
    assert sum(row[4] == "solved" for row in rows) == room.read("solved")
    assert [row[0] for row in cells(room, 1)] == ["0", "1", "2"]
