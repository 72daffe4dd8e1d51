"""Predict and Quiz in a real browser (see widget_bridge.py)."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser import DESK, PHONE, axe, until
from tests.views import Watched, rooms
from tests.widget_bridge import plain

pytestmark = pytest.mark.browser

KNOTS = [1.0, 7.0, 13.0, 19.0, 26.0, 32.0, 38.0, 44.0, 50.0]
#: Of each form: how it is made, what is measured, and what of that must not be seen before there is a prediction.
FORMS: dict[str, tuple[dict[str, Any], Any, str]] = {
    "number": ({"low": 0, "high": 1000, "unit": "mistakes"}, 126, "126"),
    "log": ({"low": 1, "high": 1e6, "log": True}, 2500, "2,500"),
    "choice": ({"options": ["yes", "no, since $x \\cdot w = 0$", "perhaps"]}, "perhaps", "found"),
    "items": (
        {"items": ["border", "sums"], "options": ["stays", "times ten"]},
        ["stays", "times ten"],
        "found",
    ),
    "curve": (
        {"x": (1, 50), "y": (1e-4, 1), "log_y": True, "x_label": "layer", "y_label": "gradient"},
        ([1, 50], [0.001, 0.777]),
        "0.777",
    ),
}
every_form = pytest.mark.parametrize("kind", list(FORMS))
QUIZ = """
[[question]]
ask = "Which $w$?"
kind = "single"
  [[question.option]]
  text = "one"
  says = "Not *one*."
  [[question.option]]
  text = "two"
  right = true
  says = "Two it is."
[[question]]
ask = "Which of these?"
kind = "multiple"
  [[question.option]]
  text = "a"
  right = true
  says = "Sure of a."
  [[question.option]]
  text = "b"
  says = "Never b."
  [[question.option]]
  text = "c"
  right = true
  says = "Sure of c."
[[question]]
ask = "How long?"
kind = "number"
answer = 0.25
tolerance = 0.005
unit = "cm"
says = "A quarter."
otherwise = "Divide by four."
  [[question.wrong]]
  value = -0.5
  says = "You divided by minus two."
"""


class Room(Watched):
    """A page with a widget in it, and the ways to look and to act."""

    quiz: Path  # the file that a quiz is made of
    widget: Any = None

    def make(self, kind: str) -> Any:
        if kind == "quiz":
            return plain("Quiz")(self.quiz)
        return plain("Predict")(f"What will `it` give, of kind {kind}, if $w = 1$?", **FORMS[kind][0])

    def show(self, kind: str, *, measured: bool = True, theme: str = "light") -> Any:
        def made() -> Any:
            widget = self.make(kind)
            if measured and kind != "quiz":
                widget.reveal(FORMS[kind][1])
            return widget

        self.widget = self.bridge.do(made)
        self.bridge.open(self.page, self.widget, theme=theme)
        return self.widget

    def until(self, holds: Callable[[], bool], what: str) -> None:
        until(self.page, holds, lambda: f"never: {what}")

    def answer(self) -> Any:
        return self.bridge.do(lambda: self.widget.answer)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def commit(self) -> Any:
        self.press("That is my prediction")
        self.until(lambda: self.answer() is not None, "Python has the prediction")
        return self.answer()

    def status(self) -> str:
        return str(self.page.locator(".predict-status").inner_text())

    def text(self) -> str:
        """All that is in the widget, hidden or not."""
        return str(self.page.locator("section.dlcore-widget").evaluate("section => section.textContent"))

    def predict(self, kind: str) -> None:
        """Choose something with what the form offers."""
        page = self.page
        if kind in ("number", "log"):
            page.locator("[name=prediction-number]").fill("40")
        elif kind == "choice":
            page.get_by_role("radio", name="yes").check()
        elif kind == "items":
            for group in page.get_by_role("radiogroup").all():
                group.get_by_role("radio", name="stays").check()
        else:
            page.get_by_role("slider", name="layer 26").press("ArrowUp")


@pytest.fixture(params=[DESK], ids=["desk"])
def room(context: Any, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Room]:
    for made in rooms(context, **request.param, kind=Room):
        made.quiz = tmp_path / "words.toml"
        made.quiz.write_text(QUIZ, encoding="utf-8")
        yield made


on_a_phone = pytest.mark.parametrize("room", [PHONE], indirect=True, ids=["phone"])
every_widget = pytest.mark.parametrize("kind", [*FORMS, "quiz"])


def act(room: Room, kind: str) -> None:
    """Bring a widget to where it shows most."""
    if kind == "quiz":
        for form in room.page.locator("form").all():
            form.locator("input").first.evaluate(
                "input => input.type === 'text' ? input.value = '3' : input.click()"
            )
            form.get_by_role("button").click()
    else:
        room.predict(kind)
        room.commit()
    for folded in room.page.locator("summary").all():
        folded.click()


# ------------------------------------------------------------------------------------------- what all views must be


@every_widget
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_before_and_after(room: Room, kind: str, theme: str) -> None:
    room.show(kind, theme=theme)
    for step in (lambda: None, lambda: act(room, kind)):
        step()
        wrong, kept = axe(room.page)
        assert wrong == []
        assert {"button-name", "color-contrast"} <= kept  # it has looked


@every_widget
@on_a_phone
def test_a_phone_needs_no_sideways_scroll(room: Room, kind: str) -> None:
    room.show(kind)
    for step in (lambda: None, lambda: act(room, kind)):
        step()
        assert room.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        inside = "[...document.querySelectorAll('.dlcore-widget :is(button, input, span, li)')]"
        shown = f"{inside}.filter(e => e.checkVisibility()).map(e => e.getBoundingClientRect())"
        assert room.page.evaluate(f"{shown}.every(box => box.left >= 0 && box.right <= {PHONE['width']})")


@every_widget
def test_nothing_is_left_after_fifty_drawings(room: Room, kind: str) -> None:
    room.show(kind)
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
def test_it_is_drawn_from_its_state_alone_and_asks_python_nothing(room: Room, kind: str) -> None:
    room.show(kind)
    sent = room.page.evaluate(
        """async () => {
            const {draw, cleanup} = window.views[0];
            cleanup();
            window.sent = 0;
            draw();
            await new Promise(done => setTimeout(done, 200));
            return window.sent;
        }"""
    )
    assert sent == 0
    assert room.page.get_by_role("button").count() >= 2


@every_widget
def test_two_on_one_page_do_not_meet(room: Room, kind: str) -> None:
    first, second = (room.bridge.do(lambda: room.make(kind)) for _ in range(2))
    room.bridge.open(room.page, first, second)
    ids = room.page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    names = "s => [...s.querySelectorAll('[type=radio]')].map(e => e.name)"
    groups = room.page.evaluate(f"[...document.querySelectorAll('section')].map({names})")
    assert not set(groups[0]) & set(groups[1])  # else a choice here would undo one there


@every_widget
def test_every_control_has_a_name_and_is_reached_by_the_tab_key(room: Room, kind: str) -> None:
    room.show(kind)
    reachable = ".dlcore-widget :is(button, input):not([disabled])"
    elements = f"[...document.querySelectorAll('{reachable}')].filter(e => e.checkVisibility())"
    # Of a group of radio buttons one is reached, and the arrow keys lead to the others.
    wanted = room.page.evaluate(f"new Set({elements}.map(e => e.type === 'radio' ? e.name : e)).size")
    room.page.evaluate("window.visited = new Set()")
    for _ in range(wanted + 3):
        room.page.keyboard.press("Tab")
        room.page.evaluate(
            f"""(e => e.matches('{reachable}') && visited.add(e.type === 'radio' ? e.name : e))
            (document.activeElement)"""
        )
    assert room.page.evaluate("visited.size") == wanted >= 2
    assert room.page.evaluate(f"{elements}.filter(e => !e.name && e.tagName !== 'BUTTON').length") == 0


# ---------------------------------------------------------------------------------------------------------- Predict


@every_form
def test_the_result_is_nowhere_in_the_page_until_there_is_a_prediction(room: Room, kind: str) -> None:
    room.show(kind)
    early = FORMS[kind][2]
    assert early not in room.text()
    assert room.page.get_by_role("button", name="That is my prediction").is_disabled()
    room.predict(kind)
    assert early not in room.text()
    room.commit()
    assert room.page.evaluate("document.activeElement.textContent") == "Predict again"
    for folded in room.page.locator("summary").all():
        folded.click()
    assert early in room.text()


@every_form
def test_before_the_run_it_says_what_to_do_and_the_result_comes_by_itself(room: Room, kind: str) -> None:
    room.show(kind, measured=False)
    assert room.page.get_by_role("button", name="Show me").count() == 0
    room.predict(kind)
    room.commit()
    assert "Run the cell that measures" in room.status()
    room.bridge.do(lambda: room.widget.reveal(FORMS[kind][1]))
    room.until(lambda: "Run the cell" not in room.status(), "the result is shown")
    assert FORMS[kind][2] in room.text() or kind == "curve"


@every_form
def test_who_does_not_predict_may_look_and_come_back(room: Room, kind: str) -> None:
    room.show(kind)
    room.press("Show me")
    assert room.status().startswith(("Measured: ", "Found: "))
    assert "you" not in room.status().lower().split()
    assert room.answer() is None
    room.press("Predict first")
    assert room.page.get_by_role("button", name="That is my prediction").is_disabled()
    assert FORMS[kind][2] not in room.text()


@every_form
def test_predict_again_forgets_and_asks_anew(room: Room, kind: str) -> None:
    room.show(kind)
    room.predict(kind)
    room.commit()
    room.press("Predict again")
    room.until(lambda: room.answer() is None, "Python has forgotten, too")
    assert FORMS[kind][2] not in room.text()
    room.predict(kind)
    room.commit()


@every_form
def test_a_prediction_survives_a_new_view(room: Room, kind: str) -> None:
    room.show(kind)
    room.predict(kind)
    room.commit()
    body = room.page.locator(".dlcore-body")
    before = body.inner_text()
    room.page.evaluate("(({draw, cleanup}) => { cleanup(); draw(); })(window.views[0])")
    assert body.inner_text() == before


SENTENCES = [
    ("number", "126", "As you predicted: 126 mistakes."),
    ("number", "100", "You predicted 100 mistakes. Measured: 126 mistakes. The difference is 26."),
    (
        "number",
        "3",
        "You predicted 3 mistakes. Measured: 126 mistakes. Your prediction is 42 times too small.",
    ),
    ("log", "5000", "You predicted 5,000. Measured: 2,500. Your prediction is 2 times too large."),
]


@pytest.mark.parametrize(("kind", "typed", "sentence"), SENTENCES)
def test_a_number_is_compared(room: Room, kind: str, typed: str, sentence: str) -> None:
    room.show(kind)
    room.page.locator("[name=prediction-number]").fill(typed)
    assert room.commit() == float(typed)
    assert room.status() == sentence
    low, high = FORMS[kind][0]["low"], FORMS[kind][0]["high"]
    places = room.page.locator(".predict-point").evaluate_all(
        "points => points.map(p => parseFloat(p.style.left))"
    )
    assert len(places) == 2
    if kind == "number":
        assert places == pytest.approx([100 * (float(typed) - low) / (high - low), 12.6])


def test_a_number_beyond_the_scale_is_told_and_not_lost(room: Room) -> None:
    room.show("number", measured=False)
    room.bridge.do(lambda: room.widget.reveal(20_000))
    room.predict("number")
    room.commit()
    assert "Measured: 20,000 mistakes." in room.status()
    assert room.page.locator(".predict-true .predict-label").inner_text() == "measured: 20,000 mistakes →"


def test_a_number_outside_the_scale_cannot_be_predicted(room: Room) -> None:
    room.show("number")
    field = room.page.locator("[name=prediction-number]")
    field.fill("40")
    field.fill("4000")
    assert room.status() == "Expected a number from 0 to 1,000."
    assert room.page.get_by_role("button", name="That is my prediction").is_disabled()
    field.fill("")
    assert room.page.get_by_role("button", name="That is my prediction").is_disabled()


def test_a_number_is_chosen_by_arrow_keys(room: Room) -> None:
    room.show("log")
    bar = room.page.get_by_role("slider")
    assert bar.get_attribute("aria-valuetext") == "nothing chosen"
    for _ in range(10):
        bar.press("ArrowRight")
    assert bar.get_attribute("aria-valuetext") == "4,000"
    assert room.commit() == 4000


def test_a_click_on_the_handle_where_it_lies_is_an_answer(room: Room) -> None:
    room.show("number")
    box = room.page.get_by_role("slider").bounding_box()
    room.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert room.commit() == 500


def test_a_choice_is_made_by_arrow_keys_and_marked(room: Room) -> None:
    room.show("choice")
    room.page.get_by_role("radio", name="yes").focus()
    room.page.keyboard.press("ArrowDown")
    assert room.commit() == "no, since $x \\cdot w = 0$"
    rows = room.page.locator(".predict-verdicts li")
    looks = rows.evaluate_all("rows => rows.map(r => [r.dataset.own, r.dataset.right])")
    assert looks == [["false", "false"], ["true", "false"], ["false", "true"]]
    assert room.page.locator(".predict-verdicts math").count() == 1
    assert room.status().endswith("Found: perhaps.")


def test_every_item_needs_a_choice(room: Room) -> None:
    room.show("items")
    groups = room.page.get_by_role("radiogroup")
    groups.nth(1).get_by_role("radio", name="times ten").check()
    assert room.status() == "1 still to choose."
    assert room.page.get_by_role("button", name="That is my prediction").is_disabled()
    groups.nth(0).get_by_role("radio", name="times ten").check()
    assert room.commit() == ["times ten", "times ten"]
    assert room.status() == "1 of 2 as you predicted. Found: border: stays; sums: times ten."


def test_a_curve_is_drawn_by_the_pointer(room: Room) -> None:
    room.show("curve")
    canvas = room.page.locator(".predict-drawing canvas")
    box = canvas.bounding_box()
    left, right = box["x"] + 46, box["x"] + box["width"] - 10
    top, bottom = box["y"] + 26, box["y"] + box["height"] - 36
    room.page.mouse.move(left + 1, bottom - 1)
    room.page.mouse.down()
    room.page.mouse.move(right - 1, top + 1, steps=3)  # quick: some knots are passed without a stop
    room.page.mouse.up()
    room.page.mouse.move(left + 1, top)  # without a button nothing is drawn
    xs, ys = room.commit()
    assert xs == KNOTS
    wanted = [1e-4 * 10_000 ** ((x - 1) / 49) for x in KNOTS]
    assert ys == pytest.approx(wanted, rel=0.2)
    assert room.status().startswith(
        "Measured: 0.001 at layer 1, 0.777 at 50. Your curve is furthest off at layer 1"
    )


def test_a_curve_is_drawn_by_the_arrow_keys_and_read_as_a_table(room: Room) -> None:
    room.show("curve")
    middle = room.page.get_by_role("slider", name="layer 26")
    assert middle.get_attribute("aria-valuetext") == "nothing drawn"
    for _ in range(25):
        middle.press("ArrowUp")
    assert middle.get_attribute("aria-valuetext") == "0.1"
    last = room.page.get_by_role("slider", name="layer 50")
    last.press("End")
    _, ys = room.commit()
    assert ys == pytest.approx(
        [0.1] * 5 + [0.18, 0.32, 0.56, 1.0], rel=0.05
    )  # between them straight, before them level
    room.page.locator("summary").click()
    room.page.locator("tbody tr").first.wait_for()
    rows = room.page.locator("tbody tr").evaluate_all(
        "rows => rows.map(r => [...r.children].map(c => c.textContent))"
    )
    assert rows[0] == ["1", "0.1", "0.001"]
    assert rows[-1] == ["50", "1", "0.777"]


def test_the_two_curves_are_drawn_differently(room: Room) -> None:
    room.show("curve")
    room.predict("curve")
    dashes = """async () => {
        window.dashes = [];
        const real = CanvasRenderingContext2D.prototype.setLineDash;
        CanvasRenderingContext2D.prototype.setLineDash = function (dash) {
            window.dashes.push([dash.length, this.strokeStyle]);
            return real.call(this, dash);
        };
    }"""
    room.page.evaluate(dashes)
    room.commit()
    room.until(lambda: room.page.evaluate("dashes.length") >= 2, "two lines are drawn")
    lengths = room.page.evaluate("dashes.map(([length]) => length)")
    assert {0, 2} == set(lengths)
    assert room.page.locator(".predict-key").inner_text().split() == ["your", "prediction", "measured"]


# ------------------------------------------------------------------------------------------------------------- Quiz


def said(room: Room, question: int) -> str:
    return str(room.page.locator(".quiz-said").nth(question).inner_text()).replace("\n\n", "\n")


def check(room: Room, question: int, *labels: str) -> None:
    form = room.page.locator("form").nth(question)
    for box in form.locator("[type=checkbox]").all():
        box.uncheck()
    for label in labels:
        form.get_by_label(label, exact=True).check()
    form.get_by_role("button", name="Check").click()


def score(room: Room) -> str:
    return str(room.page.locator(".quiz-score").inner_text())


def test_a_wrong_choice_is_answered_and_a_right_one_counted(room: Room) -> None:
    room.show("quiz")
    assert score(room) == "3 questions."
    room.page.locator("form").nth(0).get_by_role("button").click()
    assert said(room, 0) == "Choose an answer first."
    check(room, 0, "one")
    assert said(room, 0) == "Not yet.\nNot one."
    assert room.page.locator(".quiz-said em").count() == 1
    assert room.page.locator("form").nth(0).locator("[data-mark=wrong]").count() == 1
    room.page.get_by_label("two").check()
    assert said(room, 0) == ""  # what was said belonged to the other answer
    check(room, 0, "two")
    assert said(room, 0) == "Right.\nTwo it is."
    assert score(room) == "0 of 3 right at the first try, 1 right in all, after 2 tries."
    check(room, 0, "one")  # to read what the others say costs nothing
    assert score(room) == "0 of 3 right at the first try, 1 right in all, after 2 tries."


MULTIPLE = [
    (["a", "b"], "Not yet: 1 choice is wrong, and 1 right answer is missing.\nb\nNever b."),
    (["a"], "Not yet: 1 right answer is missing."),
    (["b"], "Not yet: 1 choice is wrong, and 2 right answers are missing.\nb\nNever b."),
    (["a", "b", "c"], "Not yet: 1 choice is wrong.\nb\nNever b."),
    (["a", "c"], "Right, all of them.\na\nSure of a.\nc\nSure of c."),
    ([], "Choose at least one answer first."),
]


@pytest.mark.parametrize(("chosen", "words"), MULTIPLE)
def test_several_choices_are_answered_without_naming_what_is_missing(
    room: Room, chosen: list[str], words: str
) -> None:
    room.show("quiz")
    check(room, 1, *chosen)
    assert said(room, 1) == words
    tries = len(chosen) > 0
    assert room.page.get_by_role("button", name="Start over").is_visible() == tries


NUMBERS = [
    ("0.25", "Right.\nA quarter."),
    ("0,254", "Right.\nA quarter."),
    (" .25 ", "Right.\nA quarter."),
    ("2.5e-1", "Right.\nA quarter."),
    ("0.26", "Not yet.\nDivide by four."),
    ("-0.5", "Not yet.\nYou divided by minus two."),
    ("−0,5", "Not yet.\nYou divided by minus two."),
    ("a quarter", "Expected a number, such as 0.25."),
    ("1.2.3", "Expected a number, such as 0.25."),
    ("", "Type a number first."),
]


@pytest.mark.parametrize(("typed", "words"), NUMBERS)
def test_a_number_is_answered(room: Room, typed: str, words: str) -> None:
    room.show("quiz")
    field = room.page.get_by_role("textbox", name="How long?")
    field.fill(typed)
    field.press("Enter")
    assert said(room, 2) == words
    assert "cm" in room.page.locator("form").nth(2).inner_text()
    right = words.startswith("Right")
    tried = right or words.startswith("Not yet")
    kept = "1 of 3" if right else "0 of 3"
    assert score(room).startswith(kept if tried else "3 questions")


def test_python_hears_of_it_and_answers_survive_a_new_view(room: Room) -> None:
    widget = room.show("quiz")
    check(room, 1, "a", "c")
    room.until(lambda: room.bridge.do(lambda: widget.progress[1]["first"]), "Python knows")
    assert "1 answered rightly, 1 of them at the first try." in room.bridge.do(lambda: widget.summary)
    before = (said(room, 1), score(room))
    room.page.evaluate("(({draw, cleanup}) => { cleanup(); draw(); })(window.views[0])")
    assert (said(room, 1), score(room)) == before
    assert room.page.get_by_label("a", exact=True).is_checked()
    progress = json.loads(room.page.evaluate("JSON.stringify(window.views[0].model.get('progress'))"))
    assert progress[1] == {"chosen": [0, 2], "typed": "", "tries": 1, "solved": True, "first": True}


def test_start_over_forgets_everything(room: Room) -> None:
    widget = room.show("quiz")
    check(room, 0, "one")
    room.page.get_by_role("textbox").fill("7")
    room.page.get_by_role("textbox").press("Enter")
    room.press("Start over")
    assert score(room) == "3 questions."
    assert [said(room, i) for i in range(3)] == ["", "", ""]
    assert room.page.locator("input:checked").count() == 0
    assert room.page.get_by_role("textbox").input_value() == ""
    room.until(
        lambda: room.bridge.do(lambda: not any(one["tries"] for one in widget.progress)), "Python forgets"
    )
    assert room.page.evaluate("document.activeElement.type") == "radio"


def test_what_is_not_in_the_prose_of_a_question_is_not_in_the_page_before_it_is_answered(room: Room) -> None:
    room.show("quiz")
    for words in ("Two it is", "Never b", "A quarter", "Divide by four"):
        assert words not in room.text()
