"""Watch it learn in a real browser, computed by the real Python (see widget_bridge.py)."""

from collections.abc import Iterator
from typing import Any

import pytest

from dlcore.widgets.watch_it_learn import EPOCH, MOST, MOST_WHICH
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
    reached_by_tab,
    rooms,
    two_on_one_page,
)
from tests.widget_bridge import plain

pytestmark = pytest.mark.browser

NAME = "WatchItLearn"
SEVEN = [[300, 200, 700, 200, 450, 500, 450, 850]]
STATES: list[dict[str, Any]] = [{}, {"steps": 300, "strokes": SEVEN}]


@pytest.fixture
def room(context: Any) -> Iterator[Room]:
    yield from rooms(context, WIDE)


@pytest.fixture
def phone(chromium: Any) -> Iterator[Room]:
    with chromium.new_context(has_touch=True) as context:
        yield from rooms(context, NARROW)


def draw(room: Room, *places: tuple[float, float]) -> None:
    """Lead the pen over places of the pad, in shares of its sides."""
    box = room.page.locator(".learn-paper").bounding_box()
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in places]
    room.page.mouse.move(*points[0])
    room.page.mouse.down()
    for point in points[1:]:
        room.page.mouse.move(*point, steps=8)
    room.page.mouse.up()
    room.settled()


def bars(room: Room) -> list[float]:
    """Return how long the ten bars are, as shares of the longest possible."""
    lengths = """[...document.querySelectorAll('.learn-bar')].map(bar =>
        bar.getBoundingClientRect().width / bar.parentElement.clientWidth)"""
    return [float(share) for share in room.page.evaluate(lengths)]


# ------------------------------------------------------------------------------------------- what all views must be


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("settings", STATES, ids=["new", "drawn"])
def test_axe_finds_nothing(room: Room, theme: str, settings: dict[str, Any]) -> None:
    room.show(NAME, theme, goal="learn", **settings)
    assert_axe_finds_nothing(room)


@pytest.mark.parametrize("settings", STATES, ids=["new", "drawn"])
def test_a_phone_needs_no_sideways_scroll(phone: Room, settings: dict[str, Any]) -> None:
    phone.show(NAME, **settings)
    sizes = assert_nothing_is_wider_than_a_phone(phone)
    assert min(min(width, height) for _, _, width, height in sizes) >= 20


def test_pad_answers_and_run_stand_together_on_a_phone(phone: Room) -> None:
    """The page begins with this widget: all three must be seen at once below its title."""
    phone.show(NAME)
    frame = phone.page.locator(".dlcore-widget").bounding_box()
    for part in (".dlcore-run", ".learn-paper", ".learn-answers"):
        box = phone.page.locator(part).bounding_box()
        assert box["y"] + box["height"] - frame["y"] < 400, part


def test_the_view_needs_no_python_to_be_drawn(room: Room) -> None:
    room.show(NAME, steps=50)
    assert_drawn_without_python(room)
    assert max(bars(room)) > 0.1


def test_nothing_is_left_after_fifty_drawings(room: Room) -> None:
    room.show(NAME)
    assert_nothing_is_left_after_fifty_drawings(room)


def test_two_on_one_page_do_not_meet(room: Room) -> None:
    first, second = two_on_one_page(room, plain(NAME))
    before = room.bridge.do(second.get_state)
    room.page.get_by_role("button", name="Show an 8").first.click()
    room.until(lambda: room.bridge.do(lambda: first.digit) == 8, "the first shows an 8")
    assert room.bridge.do(second.get_state) == before


def test_the_whole_widget_is_reached_by_the_tab_key(room: Room) -> None:
    room.show(NAME, strokes=SEVEN)
    assert reached_by_tab(room) == 3 + 10 + 1 + 1


# ---------------------------------------------------------------------------------------------------------- learning


def test_run_learns_before_the_readers_eyes_and_stops_at_the_end(room: Room) -> None:
    room.show(NAME, seed=1)
    before = room.page.locator(".learn-progress canvas").evaluate("c => c.toDataURL()")
    room.page.get_by_role("button", name="Run").click()
    room.until(lambda: 10 < room.read("steps") < MOST, "it is under way")
    assert room.page.get_by_role("button", name="Pause").is_visible()
    room.until(lambda: room.read("steps") == MOST and not room.read("running"), "ten rounds are over")
    room.settled()
    told = room.text(".learn-readouts")
    assert "2,500" in told
    assert f"{100 * room.read('accuracy'):.1f}\u00a0%" in told
    assert room.page.locator(".learn-progress canvas").evaluate("c => c.toDataURL()") != before
    assert room.page.get_by_role("button", name="Run").is_visible()
    assert max(bars(room)) == pytest.approx(max(room.read("probabilities")), abs=0.02)


def test_pause_and_reset(room: Room) -> None:
    room.show(NAME)
    room.page.get_by_role("button", name="Run").click()
    room.until(lambda: room.read("steps") > 5, "it learns")
    room.page.get_by_role("button", name="Pause").click()
    room.until(lambda: not room.read("running"), "it pauses")
    room.settled()
    steps = room.read("steps")
    room.page.wait_for_timeout(200)
    assert room.read("steps") == steps > 5
    room.press("Reset")
    assert room.read("steps") == 0
    assert room.text(".learn-readouts").startswith("0")


def test_a_task_is_told_and_done(room: Room) -> None:
    room.show(NAME, goal="learn", steps=EPOCH // 2)
    assert "Task: Run it until" in room.text(".dlcore-task")
    room.page.get_by_role("button", name="Run").click()
    room.until(lambda: room.read("reached"), "nine of ten")
    room.page.get_by_role("button", name="Pause").click()
    room.until(lambda: "Done" in room.text(".dlcore-task"), "the task is said to be done")


# --------------------------------------------------------------------------------------------------------- the picture


def test_a_mouse_draws_and_the_network_reads_it(room: Room) -> None:
    room.show(NAME, steps=MOST)
    before = room.page.locator(".learn-paper").evaluate("c => c.toDataURL()")
    draw(room, (0.3, 0.2), (0.7, 0.2), (0.45, 0.5), (0.45, 0.85))
    (stroke,) = room.read("strokes")
    assert stroke[:2] == pytest.approx([300, 200], abs=15)
    assert stroke[-2:] == pytest.approx([450, 850], abs=40)
    assert len(stroke) > 12
    assert room.text(".learn-verdict").startswith("It takes your drawing for a 7")
    assert room.page.locator(".learn-answers [data-best=true] th").inner_text() == "7"
    assert room.page.locator(".learn-paper").evaluate("c => c.toDataURL()") != before
    draw(room, (0.3, 0.5), (0.6, 0.5))
    assert len(room.read("strokes")) == 2
    room.press("Clear")
    assert room.read("strokes") == []
    assert room.text(".learn-caption").startswith("a 3 of the test digits")


def test_a_line_is_seen_before_python_answers(room: Room) -> None:
    room.show(NAME)
    room.page.evaluate("Object.values(window.models)[0].save_changes = () => {}")
    before = room.page.locator(".learn-paper").evaluate("c => c.toDataURL()")
    box = room.page.locator(".learn-paper").bounding_box()
    room.page.mouse.move(box["x"] + 20, box["y"] + 20)
    room.page.mouse.down()
    room.page.mouse.move(box["x"] + 90, box["y"] + 90, steps=5)
    drawn(room.page)
    assert room.page.locator(".learn-paper").evaluate("c => c.toDataURL()") != before
    assert room.read("strokes") == []
    room.page.mouse.up()


def test_a_finger_draws_and_the_page_stays(phone: Room) -> None:
    phone.show(NAME)
    pad = phone.page.locator(".learn-paper")
    assert pad.evaluate("c => getComputedStyle(c).touchAction") == "none"
    box = pad.bounding_box()
    phone.page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    phone.until(lambda: phone.read("strokes") != [], "a dot is drawn")
    assert phone.read("strokes")[0] == pytest.approx([500, 500], abs=20)


def test_an_endless_drawing_ends_at_what_is_allowed(room: Room) -> None:
    full = [[(37 * i) % 1000 for i in range(1198)]]
    room.show(NAME, strokes=full)
    draw(room, (0.1, 0.1), (0.9, 0.9), (0.1, 0.9))
    assert sum(map(len, room.read("strokes"))) <= 1200
    assert room.text("[role=alert]") == ""


def test_the_keyboard_takes_test_digits_and_another_press_takes_the_next(room: Room) -> None:
    room.show(NAME, strokes=SEVEN, which=MOST_WHICH)
    eight = room.page.get_by_role("button", name="Show an 8 of the test digits")
    eight.focus()
    room.page.keyboard.press("Enter")
    room.settled()
    assert room.read("digit", "which", "strokes") == [8, MOST_WHICH, []]
    assert eight.get_attribute("aria-pressed") == "true"
    room.page.keyboard.press("Enter")
    room.settled()
    assert room.read("digit", "which") == [8, 0]


def test_the_table_of_answers_says_what_the_bars_show(room: Room) -> None:
    room.show(NAME, steps=100)
    rows = room.page.locator(".learn-answers tbody tr").all()
    told = [row.inner_text().split() for row in rows]
    assert [row[0] for row in told] == [str(digit) for digit in range(10)]
    for row, share, length in zip(told, room.read("probabilities"), bars(room), strict=True):
        assert float(row[1]) == pytest.approx(100 * share, abs=0.51)
        assert length == pytest.approx(share, abs=0.02)


def test_no_probability_is_told_as_none_or_all(room: Room) -> None:
    widget = room.show(NAME)
    room.bridge.do(
        lambda: setattr(widget, "probabilities", [0.995, 0.0046, 0.0004, 1.0, 0.99996, *[0.0] * 5])
    )
    cells = room.page.locator(".learn-answers tbody td:last-child")
    words = ["99.5 %", "0.5 %", "< 0.1 %", "> 99.9 %", "> 99.9 %", *["< 0.1 %"] * 5]
    room.until(lambda: [text.replace("\u00a0", " ") for text in cells.all_inner_texts()] == words, "said so")


def test_the_name_of_an_axis_lies_above_its_numbers(room: Room) -> None:
    room.show(NAME)
    height = {word: y for word, _, y in room.page.evaluate(WRITTEN)}
    assert height["100"] - height["test digits read right, %"] >= 6  # half of the height of a number


def test_the_table_of_the_curve(room: Room) -> None:
    room.show(NAME, steps=30)
    room.page.locator("summary").click()
    room.page.locator("details tbody tr").first.wait_for()
    rows = room.page.locator("details tbody tr").all()
    assert [row.locator("th").inner_text() for row in rows] == ["0", "10", "20", "30"]


def test_a_refused_seed_is_said_and_put_back(room: Room) -> None:
    room.show(NAME)
    field = room.page.get_by_role("spinbutton", name="seed")
    field.fill("-1")
    field.press("Enter")
    words = "WatchItLearn.seed: expected a whole number from 0 to 9999; received -1. The widget keeps 0"
    room.until(lambda: room.page.locator("[role=alert]").text_content() == words, words)
    room.until(lambda: field.input_value() == "0", "the field goes back")
