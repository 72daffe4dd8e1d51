"""The two widgets of the chapter Layers in a real browser, computed by the real Python (see widget_bridge.py)."""

import math
from collections.abc import Iterator
from typing import Any

import pytest

from tests import browser
from tests.browser import CHANGE
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
    unfold,
)
from tests.widget_bridge import plain

pytestmark = pytest.mark.browser

BUMP = {"joints": [0.75, 1.0, 2.0, 2.25], "slopes": [4.0, -4.0, -4.0, 4.0]}
RACE = {"view": "compare", "depth": 2, "steps": 40}
SHEET = {"steps": 300}
STATES = [
    ("BumpBuilder", BUMP | {"target": "own"}),
    ("BumpBuilder", RACE),
    ("PaperFolding", SHEET | {"depth": 1.5}),
]
every_state = pytest.mark.parametrize(("name", "settings"), STATES, ids=["build", "compare", "paper"])
FRAME = {"left": 34, "right": 10, "top": 10, "bottom": 26}  # around the bump builder's picture
LOW, HIGH = -1.6, 1.6  # of its y axis
SUBPIXEL = 0.02


@pytest.fixture
def room(context: Any) -> Iterator[Room]:
    yield from rooms(context, WIDE)


@pytest.fixture
def phone(context: Any) -> Iterator[Room]:
    yield from rooms(context, NARROW)


@pytest.fixture
def calm(chromium: Any) -> Iterator[Room]:
    with chromium.new_context(reduced_motion="reduce") as context:
        yield from rooms(context, WIDE)


def pictures(room: Room) -> list[Any]:
    return [c for c in room.page.locator("canvas").all() if c.is_visible()]


def drawn(room: Room) -> list[str]:
    browser.drawn(room.page)
    return [c.evaluate("c => c.toDataURL()") for c in pictures(room)]


# ------------------------------------------------------------------------------------------- what all views must be


@every_state
def test_all_pictures_are_drawn(room: Room, name: str, settings: Any) -> None:
    room.show(name, **settings)
    assert len(pictures(room)) == (3 if "view" in settings else 1)
    for canvas in pictures(room):
        assert canvas.evaluate(INKED) > 500
        assert len(canvas.get_attribute("aria-label")) > 40


@every_state
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(room: Room, name: str, settings: Any, theme: str) -> None:
    room.show(name, theme, **settings)
    assert_axe_finds_nothing(room)


@every_state
def test_a_phone_needs_no_sideways_scroll(phone: Room, name: str, settings: Any) -> None:
    phone.show(name, **settings)
    assert_nothing_is_wider_than_a_phone(phone)


@every_state
def test_nothing_is_left_after_fifty_drawings(room: Room, name: str, settings: Any) -> None:
    room.show(name, **settings)
    play = 'if (i % 10 === 0) el.querySelector("[name=play]")?.click();'
    assert_nothing_is_left_after_fifty_drawings(room, between=play)


@every_state
def test_two_on_one_page_do_not_meet(room: Room, name: str, settings: Any) -> None:
    first, second = two_on_one_page(room, lambda: plain(name)(**settings))
    before = room.bridge.do(second.get_state)
    room.page.locator("select:visible, input[type=range]:visible").first.evaluate(CHANGE)
    room.until(
        lambda: room.bridge.do(first.get_state) != before or name == "PaperFolding", "the first has changed"
    )
    assert room.bridge.do(second.get_state) == before


@every_state
def test_the_view_needs_no_python_to_be_drawn(room: Room, name: str, settings: Any) -> None:
    room.show(name, **settings)
    assert_drawn_without_python(room)


@every_state
def test_the_whole_widget_is_reached_by_the_tab_key(room: Room, name: str, settings: Any) -> None:
    room.show(name, **settings)
    assert reached_by_tab(room) > 5


@every_state
def test_a_picture_is_drawn_in_little_time(room: Room, name: str, settings: Any) -> None:
    room.show(name, **settings)
    took = room.page.evaluate(
        """() => {
            const surfaces = [...document.querySelectorAll("canvas")].filter(c => c.checkVisibility());
            const start = performance.now();
            for (let i = 0; i < 20; i++) for (const surface of surfaces) surface.redraw();
            return (performance.now() - start) / 20;
        }"""
    )
    assert took < 50


# --------------------------------------------------------------------------------------------------- Bump builder


def place(room: Room, x: float, y: float) -> tuple[float, float]:
    """Return where a place of the bump builder's plane is on the screen."""
    box = room.page.locator(".bump-plane canvas").bounding_box()
    width = box["width"] - FRAME["left"] - FRAME["right"]
    height = box["height"] - FRAME["top"] - FRAME["bottom"]
    return (
        box["x"] + FRAME["left"] + x / 4 * width,
        box["y"] + FRAME["top"] + (HIGH - y) / (HIGH - LOW) * height,
    )


def drag(room: Room, handle: Any, *places: tuple[float, float]) -> None:
    box = handle.bounding_box()
    room.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    room.page.mouse.down()
    for x, y in places:
        room.page.mouse.move(*place(room, x, y), steps=4)
    room.page.mouse.up()
    room.settled()


def joint(room: Room, unit: int) -> Any:
    return room.page.locator(".bump-joint").nth(unit - 1)


def test_a_joint_is_dragged_along_the_axis(room: Room) -> None:
    room.show("BumpBuilder", **BUMP)
    drag(room, joint(room, 3), (2.0, 0.9), (3.0, -0.5))
    assert room.read("joints") == pytest.approx([0.75, 1, 3, 2.25], abs=SUBPIXEL)
    assert room.read("slopes") == BUMP["slopes"]
    assert room.page.locator("[name=unit]").input_value() == "2"  # it is the chosen one now
    x, y = place(room, 3, 0)
    box = joint(room, 3).bounding_box()
    assert (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2) == pytest.approx((x, y), abs=2)


def test_a_joint_that_is_dragged_out_stays_at_the_edge(room: Room) -> None:
    room.show("BumpBuilder", **BUMP)
    drag(room, joint(room, 1), (-1.0, 0.0))
    assert room.read("joints")[0] == 0
    assert "unit 1 bends at the edge" in room.text(".bump-story")


@pytest.mark.parametrize("weight", [1.0, -1.0])
def test_the_lever_points_along_the_unit_s_slope(room: Room, weight: float) -> None:
    room.show("BumpBuilder", joints=[2.0], slopes=[1.0], weights=[weight])
    lever = room.page.locator(".bump-lever")
    drag(room, lever, (2 + 0.3 * weight, -0.9))
    assert room.read("slopes")[0] == pytest.approx(-3, rel=0.1)
    box = lever.bounding_box()
    x0, y0 = place(room, 2, 0)
    across, up = box["x"] + box["width"] / 2 - x0, y0 - box["y"] - box["height"] / 2
    assert math.hypot(across, up) == pytest.approx(46, abs=2)
    x1, _ = place(room, 3, 0)
    steep = (y0 - place(room, 2, 1)[1]) / (x1 - x0)
    assert up / abs(across) == pytest.approx(room.read("slopes")[0] * steep, rel=0.1)
    assert across * weight > 0


def test_arrow_keys_move_a_joint_and_tilt_it(room: Room) -> None:
    room.show("BumpBuilder", joints=[2.0], slopes=[1.0])
    joint(room, 1).focus()
    for key in ("ArrowRight", "Shift+ArrowRight", "ArrowLeft", "ArrowUp", "ArrowUp", "Shift+ArrowDown"):
        room.page.keyboard.press(key)
        room.settled()
    assert room.read("joints") == pytest.approx([2.25])
    assert room.read("slopes") == pytest.approx([0.7])
    room.page.locator(".bump-lever").focus()
    room.page.keyboard.press("ArrowDown")
    room.settled()
    assert room.read("slopes") == pytest.approx([0.6])


def test_a_click_adds_a_unit_there_and_chooses_it(room: Room) -> None:
    room.show("BumpBuilder", **BUMP)
    room.page.mouse.click(*place(room, 3.0, 0.5))
    room.settled()
    assert room.read("joints")[-1] == pytest.approx(3, abs=SUBPIXEL)
    assert room.page.locator("[name=unit]").input_value() == "4"
    room.press("Remove the unit")
    assert room.read("joints") == BUMP["joints"]


def test_the_bump_is_built_by_hand(room: Room) -> None:
    room.show("BumpBuilder", units=0, goal="bump")
    assert room.text(".dlcore-task").startswith("Task: Build the bump")
    for where, slope in zip(BUMP["joints"], BUMP["slopes"], strict=True):
        room.press("Add a unit")
        for name, value in (("joint", where), ("slope", slope)):
            box = room.page.locator(f"[name={name}]")
            box.fill(str(value))
            box.press("Tab")
            room.settled()
    assert room.read("error") == 0
    assert room.page.locator(".bump-counters strong").all_inner_texts() == ["4", "13", "5", "0.0000"]
    assert room.text(".dlcore-task").startswith("Done:")
    assert room.text(".bump-formula").startswith("ŷ = 0.00 + 4.00·relu(x − 0.75) − 4.00·relu(x − 1.00)")


def test_a_unit_is_turned_round(room: Room) -> None:
    room.show("BumpBuilder", joints=[2.0], slopes=[1.0])
    room.page.locator("[name=left]").click()
    room.settled()
    assert room.read("weights") == [-1]
    assert "relu(−x + 2.00)" in room.text(".bump-formula")


def test_fit_scatter_and_clear_do_what_they_say(room: Room) -> None:
    room.show("BumpBuilder", **BUMP)
    room.page.locator("[name=target]").select_option("sine")
    room.settled()
    before = room.read("error")
    room.press("Fit the heights")
    assert room.read("error") < before / 5
    room.press("Scatter")
    assert room.read("joints") != BUMP["joints"]
    room.press("Clear")
    assert room.read("joints") == []
    assert room.page.locator("[name=joint]").is_disabled()
    assert room.page.locator(".bump-joint:visible").count() == 0


def test_the_reader_draws_a_curve(room: Room) -> None:
    room.show("BumpBuilder", **BUMP, target="own")
    drag(room, room.page.locator(".bump-knot").nth(4), (2.0, 1.0))
    assert room.read("knots")[4] == pytest.approx(1, abs=SUBPIXEL)
    room.page.locator(".bump-knot").nth(0).focus()
    room.page.keyboard.press("ArrowUp")
    room.settled()
    assert room.read("knots")[0] == pytest.approx(0.55)
    room.page.locator("[name=target]").select_option("bump")
    room.settled()
    assert room.page.locator(".bump-knot:visible").count() == 0


def test_training_is_seen_and_paused(room: Room) -> None:
    room.show("BumpBuilder", units=5, target="sine")
    room.press("Fit the heights")
    before, picture = room.read("error"), drawn(room)
    room.page.get_by_role("button", name="Train").click()
    room.until(lambda: room.read("error") < 0.8 * before, "the error falls")
    room.page.get_by_role("button", name="Pause").click()
    room.until(lambda: not room.read("running"), "it pauses")
    room.settled()
    assert drawn(room) != picture


def test_wide_and_deep_are_compared(room: Room) -> None:
    room.show("BumpBuilder", **RACE)
    words = room.page.locator(".bump-panel p").all_inner_texts()
    assert words[0] == "Deep, folded by hand 4 pieces, error 0.0000"
    assert words[1].startswith("Wide, trained: the best of 16 seeds")
    before = drawn(room)
    slider = room.page.get_by_role("slider", name="Hidden layers of the deep network")
    slider.focus()
    slider.press("ArrowRight")
    room.settled()
    assert (room.read("depth"), room.read("steps")) == (3, 0)
    assert "2³ = 8 pieces, more than the 7" in room.text(".bump-verdict")
    assert [a != b for a, b in zip(drawn(room), before, strict=True)] == [True] * 3
    room.page.get_by_role("button", name="Train").locator("visible=true").click()
    room.until(lambda: room.read("steps") >= 30, "they are trained")
    room.page.get_by_role("button", name="Pause").locator("visible=true").click()
    room.until(lambda: not room.read("running") and room.read("entrants")[2]["spread"], "they rest")
    room.settled()
    assert "a whole layer is off" in room.text(".bump-verdict")
    room.press("Build it yourself")
    assert room.page.locator(".bump-plane").is_visible()
    assert not room.page.locator(".bump-panel").first.is_visible()


def test_the_tables_say_what_the_pictures_show(room: Room) -> None:
    room.show("BumpBuilder", **BUMP)
    unfold(room)
    rows = room.page.locator("table:visible tbody tr").all_inner_texts()
    assert rows[0].split("\t") == ["1", "0.75", "4.00", "1.00", "4.00·relu(x − 0.75)"]
    assert len(rows) == 4


# -------------------------------------------------------------------------------------------------- Paper folding


def sent(room: Room) -> int:
    return int(room.page.evaluate("window.sent ?? 0"))


def slide(room: Room, depth: float) -> None:
    room.page.locator("[name=depth]").evaluate(
        "(e, v) => { e.value = v; e.dispatchEvent(new Event('input', {bubbles: true})); }", str(depth)
    )


def test_the_sheet_moves_with_the_slider_and_needs_no_python(room: Room) -> None:
    room.show("PaperFolding", **SHEET)
    before, told = sent(room), set()
    for depth in (0, 0.26, 0.5, 1, 2, 3):
        slide(room, depth)
        told.add((tuple(drawn(room)), room.text(".paper-depth output")))
    assert len(told) == 6
    assert sent(room) == before
    assert room.text(".paper-stage").lower() == "layer 3"
    assert "a straight line here" in room.text(".paper-text")


def test_between_two_stages_the_points_are_on_their_way(room: Room) -> None:
    room.show("PaperFolding", **SHEET)
    slide(room, 0.26)
    drawn(room)
    assert room.text(".paper-depth output") == "input → layer 1, sums"
    slide(room, 0.5)
    drawn(room)
    assert room.text(".paper-depth output") == "layer 1, sums"


def test_page_keys_go_from_stage_to_stage(room: Room) -> None:
    room.show("PaperFolding", **SHEET)
    slider = room.page.locator("[name=depth]")
    slider.focus()
    seen = []
    for key in ("PageUp", "PageUp", "PageDown", "End"):
        slider.press(key)
        drawn(room)
        seen.append(room.text(".paper-depth output"))
    assert seen == ["layer 1, sums", "layer 1", "layer 1, sums", "layer 3"]


def test_play_goes_through_to_the_end_and_stops(room: Room) -> None:
    room.show("PaperFolding", network="plane", layers=1, steps=50)
    room.page.locator("[name=play]").click()
    assert room.text("[name=play]") == "Stop"
    depth = "Object.values(models)[0].get('depth')"
    room.until(lambda: 0.1 < room.page.evaluate(depth) < 0.9, "it is on its way")
    room.until(lambda: room.page.evaluate(depth) == 1, "it is at the end")
    assert room.text("[name=play]") == "Play"
    room.page.locator("[name=play]").click()  # from the beginning
    room.page.locator("[name=play]").click()  # and no farther
    browser.drawn(room.page)
    stopped = room.page.evaluate(depth)
    browser.drawn(room.page)
    assert room.page.evaluate(depth) == stopped < 1


def test_who_wants_no_movement_sees_stage_after_stage(calm: Room) -> None:
    calm.show("PaperFolding", network="plane", layers=2, steps=50)
    calm.page.evaluate(
        "window.depths = []; const m = models[Object.keys(models)[0]];"
        "m.on('change:depth', () => depths.push(m.get('depth')))"
    )
    calm.page.locator("[name=play]").click()
    calm.until(lambda: calm.text("[name=play]") == "Play", "it is at the end")
    assert calm.page.evaluate("depths") == [1, 2]


def test_a_point_is_chosen_by_number_and_by_click(room: Room) -> None:
    room.show("PaperFolding", **SHEET)
    room.page.locator("[name=point]").fill("150")
    drawn(room)
    x1, x2 = room.bridge.do(lambda: room.widget._points[149].tolist())
    shown = f"({x1:.2f}, {x2:.2f})".replace("-", "−")
    assert room.text(".paper-place").startswith(f"At {shown}, class −1.")
    x1, x2 = room.bridge.do(lambda: room.widget._points[59].tolist())
    box = room.page.locator(".paper-sheet canvas").bounding_box()
    # In the picture of the input the middle of all points is in the middle, and the farthest is 1/1.1 away from it.
    unit = min(box["width"], box["height"]) / 2 / 1.14
    middle, size = room.bridge.do(lambda: _input_view(room.widget))
    room.page.mouse.click(
        box["x"] + box["width"] / 2 + unit * (x1 / 2.5 - middle[0]) / size,
        box["y"] + box["height"] / 2 - unit * (x2 / 2.5 - middle[1]) / size,
    )
    drawn(room)
    assert room.page.locator("[name=point]").input_value() == "60"


def _input_view(widget: Any) -> Any:
    scaled = widget._points / 2.5
    middle = scaled.mean(axis=0)
    return middle, float(((scaled - middle) ** 2).sum(axis=1).max() ** 0.5 * 1.1)


def test_the_units_values_are_shown_at_each_stage(room: Room) -> None:
    room.show("PaperFolding", **SHEET, depth=2.0, point=33)
    values = [float(v.replace("−", "-")) for v in room.page.locator(".paper-value").all_inner_texts()]
    model, points = room.bridge.do(lambda: (room.widget._trainer.model, room.widget._points))
    from dlcore.widgets import paper

    wanted = room.bridge.do(lambda: paper.stages(model, points)[4][32])
    assert values == pytest.approx(list(wanted), abs=0.006)
    widths = room.page.locator(".paper-bar i").evaluate_all(
        "bars => bars.map(b => parseFloat(b.style.width))"
    )
    assert [w > 25 for w in widths] == [abs(v) > 0.5 * max(1, *map(abs, values)) for v in values] or max(
        widths
    ) <= 50


def test_the_pointer_is_told_what_is_below_it(room: Room) -> None:
    room.show("PaperFolding", **SHEET)
    box = room.page.locator(".paper-sheet canvas").bounding_box()
    room.page.mouse.move(box["x"] + box["width"] / 2 + 2, box["y"] + box["height"] / 2 + 2)
    assert room.text(".paper-hover").startswith("Point ")
    room.page.mouse.move(box["x"] + 3, box["y"] + 3)
    assert room.text(".paper-hover") == ""


def test_a_task_is_told_what_the_reader_looks_at(room: Room) -> None:
    room.show("PaperFolding", goal="separate")
    assert room.text(".dlcore-task").startswith("Task: Put the depth on the first layer")
    slide(room, 1)
    room.settled()
    assert room.text(".dlcore-task").startswith("Task")
    first = room.bridge.do(lambda: next(s["depth"] for s in room.widget.stages if s["right"] >= 190))
    slide(room, first)
    room.settled()
    assert room.text(".dlcore-task").startswith("Done")


def test_training_again_folds_the_sheet_in_front_of_the_reader(room: Room) -> None:
    room.show("PaperFolding", **SHEET)
    slide(room, 3)
    before = drawn(room)
    room.page.get_by_role("button", name="Train again").click()
    room.until(lambda: room.read("seed") == 2 and room.read("steps") > 30, "it is trained anew")
    room.page.get_by_role("button", name="Pause").click()
    room.until(lambda: not room.read("running"), "it pauses")
    assert drawn(room) != before
    room.settled()
    assert f"seed 2, {room.read('steps'):,} updates" in room.text(".paper-story")
    assert room.page.locator("[name=depth]").input_value() == "3"  # the reader looks where he looked


def test_another_network_is_chosen_and_trained(room: Room) -> None:
    room.show("PaperFolding", **SHEET)
    room.page.locator("[name=network]").select_option("plane")
    room.until(lambda: room.read("network") == "plane" and room.read("steps") > 0, "it is trained")
    room.page.get_by_role("button", name="Pause").click()
    room.until(lambda: not room.read("running"), "it pauses")
    slide(room, 1)
    drawn(room)
    assert room.page.locator(".paper-value").count() == 2
    assert room.page.locator("[name=layers]").input_value() == "3"


def test_the_tables_hold_the_numbers(room: Room) -> None:
    room.show("PaperFolding", **SHEET, point=20)
    unfold(room)
    tables = room.page.locator("table")
    assert [tables.nth(i).locator("tbody tr").count() for i in range(3)] == [7, 7, 200]
    stages = room.read("stages")
    row = tables.nth(0).locator("tbody tr").nth(2).inner_text().split("\t")
    assert row == ["layer 1", "8", f"{round(100 * stages[2]['share'])}\u00a0%", str(stages[2]["right"])]
    first = tables.nth(1).locator("tbody tr").nth(0).inner_text().split("\t")
    x1, x2 = room.bridge.do(lambda: (room.widget._points[19] / 2.5).tolist())
    assert [float(v.replace("−", "-")) for v in first[1:3]] == pytest.approx([x1, x2], abs=0.006)
