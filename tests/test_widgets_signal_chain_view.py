"""Signal chain in a real browser, computed by the real Python (see widget_bridge.py)."""

from collections.abc import Iterator
from typing import Any

import numpy as np
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

STATES = [
    {},
    {"activation": "relu", "init": "he", "depth": 50, "layer": 20},
    {"activation": "identity", "init": "normal", "scale": 1, "width": 128, "depth": 50, "layer": 50},
    {"activation": "relu", "init": "he", "bias": -1, "depth": 30, "normalization": "none"},
    {"normalization": "batch", "depth": 30},
    {"depth": 1},
]
every_state = pytest.mark.parametrize(
    "settings", STATES, ids=["usual", "deep", "overflow", "dead", "batch", "one"]
)
VIEWS = 4


@pytest.fixture
def room(context: Any) -> Iterator[Room]:
    yield from rooms(context, WIDE)


@pytest.fixture
def phone(context: Any) -> Iterator[Room]:
    yield from rooms(context, NARROW)


def control(room: Room, name: str) -> Any:
    return room.page.locator(f".dlcore-widget [name={name}]")


def slide(room: Room, name: str, value: float) -> None:
    """Drag a slider to a value, in one step."""
    control(room, name).evaluate(
        "(e, v) => { e.value = v; e.dispatchEvent(new Event('input', {bubbles: true})); }", value
    )


def cells(room: Room, table: int) -> list[list[str]]:
    room.page.locator(".dlcore-table summary").nth(table).click()
    room.page.locator(".dlcore-table table").nth(table).locator("tbody tr").first.wait_for()
    read = "t => [...t.querySelectorAll('tbody tr')].map(r => [...r.children].map(c => c.textContent))"
    found: list[list[str]] = room.page.locator(".dlcore-table table").nth(table).evaluate(read)
    return found


# ------------------------------------------------------------------------------------------- what all views must be


@every_state
def test_all_pictures_are_drawn(room: Room, settings: Any) -> None:
    room.show("SignalChain", **settings)
    canvases = room.page.locator("canvas").all()
    assert len(canvases) == VIEWS
    for canvas in canvases:
        assert canvas.evaluate(INKED) > 500
        assert len(canvas.get_attribute("aria-label")) > 40


@every_state
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(room: Room, settings: Any, theme: str) -> None:
    room.show("SignalChain", theme, goal="level", **settings)
    assert_axe_finds_nothing(room)


@every_state
def test_a_phone_needs_no_sideways_scroll(phone: Room, settings: Any) -> None:
    phone.show("SignalChain", **settings)
    assert_nothing_is_wider_than_a_phone(phone)


def test_nothing_is_left_after_fifty_drawings(room: Room) -> None:
    room.show("SignalChain")
    assert_nothing_is_left_after_fifty_drawings(room)


def test_two_on_one_page_do_not_meet(room: Room) -> None:
    first, second = two_on_one_page(room, plain("SignalChain"))
    before = room.bridge.do(lambda: second.get_state())
    room.page.get_by_role("button", name="New draw").first.click()
    room.until(lambda: room.bridge.do(lambda: first.seed) == 1, "the first has another draw")
    assert room.bridge.do(lambda: second.get_state()) == before


def test_the_view_needs_no_python_to_be_drawn_nor_to_look_at_another_layer(room: Room) -> None:
    room.show("SignalChain", activation="tanh", depth=20)
    look = """
        const slider = document.querySelector("[name=layer]");
        slider.value = 7;
        slider.dispatchEvent(new Event("input", {bubbles: true}));
        document.querySelector("canvas").dispatchEvent(new MouseEvent("click", {bubbles: true}));
    """
    assert_drawn_without_python(room, then=look)


def test_the_whole_widget_is_reached_by_the_tab_key(room: Room) -> None:
    room.show("SignalChain", init="normal")
    assert reached_by_tab(room) > 10


# --------------------------------------------------------------------------------------------------- the controls


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("depth", 33, 33),
        ("width", 32, 32),
        ("bias", -0.5, -0.5),
        ("input_scale", 0.5, 3.2),  # the slider goes by powers of ten
        ("scale", -2, 0.01),
    ],
)
def test_every_slider_moves_the_picture(room: Room, name: str, value: float, expected: float) -> None:
    room.show("SignalChain", init="normal", scale=0.2)
    before = pictures(room)
    slide(room, name, value)
    room.until(lambda: room.read(name) == pytest.approx(expected), f"{name} is {expected}")
    room.settled()
    after = pictures(room)
    assert after[0] != before[0]
    assert after[1] != before[1]


@pytest.mark.parametrize(
    ("name", "value"), [("activation", "selu"), ("init", "he"), ("normalization", "layer")]
)
def test_every_choice_moves_the_picture_and_the_words(room: Room, name: str, value: str) -> None:
    room.show("SignalChain", depth=20)
    before, words = pictures(room), room.text(".signal-verdict")
    control(room, name).select_option(value)
    room.until(lambda: room.read(name) == value, f"{name} is {value}")
    room.settled()
    assert pictures(room)[0] != before[0]
    assert room.text(".signal-verdict") != words


def test_arrow_keys_move_a_slider(room: Room) -> None:
    room.show("SignalChain")
    control(room, "depth").focus()
    for _ in range(3):
        room.page.keyboard.press("ArrowRight")
    room.until(lambda: room.read("depth") == 13, "the depth is 13")
    room.settled()
    assert control(room, "depth").get_attribute("aria-valuetext") == "13 layers"
    assert control(room, "layer").get_attribute("max") == "13"


def test_the_scale_is_for_normal_weights_alone(room: Room) -> None:
    room.show("SignalChain")
    assert control(room, "scale").is_disabled()
    control(room, "init").select_option("normal")
    room.settled()
    assert control(room, "scale").is_enabled()


def test_a_slider_that_is_dragged_leaves_no_queue_and_ends_where_it_was_left(room: Room) -> None:
    room.show("SignalChain", depth=2)
    before = room.read("frame")
    room.page.evaluate(
        """() => {
            const slider = document.querySelector("[name=depth]");
            for (let depth = 3; depth <= 50; depth++) {
                slider.value = depth;
                slider.dispatchEvent(new Event("input", {bubbles: true}));
            }
        }"""
    )
    room.until(lambda: room.read("depth") == 50, "the last value arrives")
    room.settled()
    assert room.read("frame") - before <= 3
    assert control(room, "depth").get_attribute("aria-valuetext") == "50 layers"


def test_a_click_chooses_the_layer_in_all_views(room: Room) -> None:
    room.show("SignalChain", activation="tanh", depth=10)
    before = pictures(room)
    box = room.page.locator("canvas").first.bounding_box()
    step = (box["width"] - 46 - 8) / 10
    room.page.mouse.click(box["x"] + 46 + 6.5 * step, box["y"] + 60)
    room.until(lambda: "7 of 10" in room.text(".signal-parts"), "layer 7 is chosen")
    after = pictures(room)
    assert all(old != new for old, new in zip(before, after, strict=True))
    assert room.read("layer") == 1  # Python was not asked


def test_a_chosen_layer_that_is_gone_becomes_the_last(room: Room) -> None:
    room.show("SignalChain", depth=40, layer=30)
    slide(room, "depth", 12)
    room.until(lambda: "12 of 12" in room.text(".signal-parts"), "the last of twelve is shown")


def test_a_new_draw_is_another_chain(room: Room) -> None:
    room.show("SignalChain", activation="relu", init="he")
    before = pictures(room)
    room.press("New draw")
    assert room.read("seed") == 1
    assert pictures(room)[0] != before[0]


# ------------------------------------------------------------------------------------------------------- the words


def test_the_table_says_what_python_measured(room: Room) -> None:
    room.show("SignalChain", activation="relu", init="he", depth=12)
    rows = cells(room, 0)
    levels = np.frombuffer(room.read("levels"), "<f8").reshape(5, 12)
    assert [row[0] for row in rows] == [str(i) for i in range(1, 13)]
    for i, row in enumerate(rows):
        assert [float(cell) for cell in row[1:4]] == pytest.approx(levels[:3, i], rel=5e-3)
        assert row[6:] == [f"{round(100 * levels[3, i])}\u00a0%", f"{round(100 * levels[4, i])}\u00a0%"]


def test_the_second_table_holds_the_bars_of_the_chosen_layer(room: Room) -> None:
    room.show("SignalChain", activation="tanh", depth=4, layer=3)
    rows = cells(room, 1)
    bars = np.frombuffer(room.read("bars"), "<f4").reshape(2, 4, -1)
    assert len(rows) == bars.shape[2]
    assert [share(row[2]) for row in rows] == pytest.approx(100 * bars[0, 2], abs=0.051)
    assert [share(row[4]) for row in rows] == pytest.approx(100 * bars[1, 2], abs=0.051)


def share(words: str) -> float:
    """Return the number in a cell; what is too small for one decimal is said to be below the least."""
    return 0.05 if words == "<\u00a00.1\u00a0%" else float(words.removesuffix("\u00a0%"))


def test_an_overflow_is_told_in_words_and_never_as_nan(room: Room) -> None:
    room.show("SignalChain", **STATES[2])
    assert room.text(".signal-verdict").startswith("Explodes beyond float32.")
    rows = cells(room, 0)
    assert rows[-1][1] == "not finite"
    assert "NaN" not in room.page.locator(".dlcore-widget").inner_text()


def test_batch_normalization_has_no_forecast_and_says_so(room: Room) -> None:
    room.show("SignalChain", depth=3)
    assert "forecast for a wide chain" in room.text(".signal-legend")
    control(room, "normalization").select_option("batch")
    room.settled()
    assert "no forecast for batch normalization" in room.text(".signal-legend")
    assert cells(room, 0)[0][4:6] == ["none", "none"]
