"""Prose that steers, in a real browser: links of a page and the widgets they speak of, computed by the real Python."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from tests.browser import axe, until
from tests.test_steering import ADDRESSES
from tests.views import Watched, rooms
from tests.widget_bridge import Bridge, plain

pytestmark = pytest.mark.browser

NARROW, WIDE = 360, 800


class Prose(Watched):
    """A page with widgets, between which one can write."""

    def show(self, *widgets: tuple[str, dict[str, Any]], theme: str = "light") -> list[Any]:
        made = [self.bridge.do(partial(plain(name), **settings)) for name, settings in widgets]
        self.bridge.open(self.page, *made, theme=theme)
        return made

    def write(self, words: str, address: str, below: int | None = None) -> Any:
        """Write a link above all widgets, or below the widget of this number; return it."""
        self.page.evaluate(
            """([words, address, below]) => {
                const line = document.createElement("p");
                line.innerHTML = `Look: <a href="${address}">${words}</a>.`;
                if (below === null) document.querySelector("h1").after(line);
                else views[below].el.after(line);
            }""",
            [words, address, below],
        )
        return self.page.get_by_role("link", name=words, exact=True)

    def until(self, widget: Any, **values: Any) -> None:
        """Wait until Python has these values."""

        def now() -> dict[str, Any]:
            return self.bridge.do(lambda: {name: getattr(widget, name) for name in values})

        until(self.page, lambda: now() == values, lambda: f"never: {values}; it has {now()}")

    def count(self, expression: str) -> int:
        return int(self.page.evaluate(expression) or 0)


@pytest.fixture
def prose(context: Any) -> Iterator[Prose]:
    yield from rooms(context, WIDE, kind=Prose)


NEURON = ("DragTheNeuron", {"name": "border", "target": "chapter"})
TASK = ".dlcore-task"


def test_the_page_reads_an_address_as_python_does(prose: Prose) -> None:
    prose.show(NEURON)
    read = prose.page.evaluate(
        "async all => { const {steeringOf} = await import('/steer.js'); return all.map(steeringOf) }",
        list(ADDRESSES),
    )
    for (address, expected), found in zip(ADDRESSES.items(), read, strict=True):
        full = {"first": None, "action": None, "goal": None, **(found or {})}
        assert (found and full) == (expected and expected._asdict()), address


def test_a_link_sets_all_at_once_and_leads_nowhere(prose: Prose) -> None:
    (widget,) = prose.show(NEURON)
    link = prose.write("steep", "#steer/border?w1=4&w2=-8&activation=tanh")
    before, address = prose.count("window.sent"), prose.page.url
    link.click()
    prose.until(widget, w1=4, w2=-8, activation="tanh")
    assert prose.count("window.sent") == before + 1
    assert prose.page.url == address
    assert prose.page.evaluate("document.activeElement.textContent") == "steep"
    assert prose.page.locator("[name=w1]").first.input_value() == "4"
    assert "set as the text says" in prose.page.locator(".dlcore-news").inner_text()


def test_the_keyboard_follows_a_link(prose: Prose) -> None:
    (widget,) = prose.show(NEURON)
    prose.write("steep", "#steer/border?w1=4").focus()
    prose.page.keyboard.press("Enter")
    prose.until(widget, w1=4)


def test_an_action_comes_after_the_values_and_the_task_after_both(prose: Prose) -> None:
    (duel,) = prose.show(("PerceptronDuel", {"name": "duel", "data": "xor", "mistakes": 8}))
    assert prose.bridge.do(duel.comes_back)
    prose.write("watch", "#steer/duel?mistakes=2&do=next&goal=circle").click()
    prose.until(duel, mistakes=3, goal="circle", reached=False)
    task = prose.page.locator(TASK)
    assert task.inner_text() == "Task: " + duel.goals["circle"].text
    prose.page.get_by_role("button", name="Next mistake").click()
    prose.until(duel, reached=True)
    prose.page.wait_for_function("document.querySelector('.dlcore-task').dataset.done === 'true'")
    assert task.inner_text() == "Done: " + duel.goals["circle"].text


def test_the_first_action_comes_before_the_values(prose: Prose) -> None:
    (widget,) = prose.show(
        ("DragTheNeuron", {"name": "border", "target": "chapter", "w1": 7, "w2": 7, "b": 7})
    )
    prose.write("half", "#steer/border?first=reset&w1=5").click()
    prose.until(widget, w1=5, w2=1, b=0)  # where the target starts, but for w1


def test_a_task_may_be_set_again(prose: Prose) -> None:
    (widget,) = prose.show(NEURON)
    link = prose.write("lay it on", "#steer/border?do=reset&goal=line")
    for _ in range(2):
        link.click()
        prose.until(widget, w1=1, goal="line", reached=False)
        assert prose.page.locator(TASK).inner_text().startswith("Task: ")
        prose.bridge.do(lambda: widget.set_state({"w1": 1.0, "w2": 2.0, "b": -1.5}))
        prose.page.wait_for_function("document.querySelector('.dlcore-task').textContent.startsWith('Done')")


def test_what_is_refused_is_said(prose: Prose) -> None:
    (widget,) = prose.show(NEURON)
    prose.write("too steep", "#steer/border?w1=99").click()
    refusal = prose.page.locator(".dlcore-refusal:not(:empty)")
    refusal.wait_for()
    assert "received 99" in refusal.inner_text()
    prose.until(widget, w1=1)
    prose.page.wait_for_function("views[0].model.get('w1') === 1")
    prose.write("nothing", "#steer/border?w7=1&w2=3").click()
    prose.until(widget, w2=3)
    prose.page.wait_for_function("document.querySelector('.dlcore-refusal').textContent.includes('w7')")


def test_a_refusal_is_not_hidden_by_the_action_that_the_link_calls(prose: Prose) -> None:
    (widget,) = prose.show(("SkiSlopeRace", {"name": "race"}))
    prose.write("too fast", "#steer/race?learning_rate=99&do=finish").click()
    prose.until(widget, done=100)
    prose.page.wait_for_function("views[0].model.get('done') === 100")
    refusal = prose.page.locator(".dlcore-refusal")
    assert "received 99" in refusal.inner_text()
    prose.page.get_by_role("button", name="Back to the start").click()
    assert refusal.inner_text() == ""


def test_a_value_that_stood_already_outlives_the_first_action(prose: Prose) -> None:
    (widget,) = prose.show(("DragTheNeuron", {"name": "border", "target": "chapter", "w1": 5}))
    prose.until(widget, w1=5)
    prose.write("again", "#steer/border?first=reset&w1=5&goal=line").click()
    prose.until(widget, goal="line", w1=5, w2=1)
    prose.page.wait_for_function("document.querySelector('.dlcore-task').textContent")
    assert prose.page.locator("[name=w1]").first.input_value() == "5"


def test_of_two_links_the_later_one_holds(prose: Prose) -> None:
    (widget,) = prose.show(NEURON)
    for words, value in {"early": "w2=7", "late": "w1=5"}.items():
        prose.write(words, f"#steer/border?first=reset&{value}")
    prose.page.evaluate("[...document.links].filter(a => a.hash).reverse().forEach(a => a.click())")
    prose.until(widget, w1=5, w2=1)


def test_of_two_of_one_name_the_nearest_above_is_meant_else_the_first(prose: Prose) -> None:
    first, second = prose.show(NEURON, NEURON)
    prose.write("above both", "#steer/border?w1=2").click()
    prose.until(first, w1=2)
    prose.write("between", "#steer/border?w1=3", below=0).click()
    prose.until(first, w1=3)
    prose.write("below both", "#steer/border?w1=4", below=1).click()
    prose.until(second, w1=4)
    assert prose.bridge.do(lambda: first.w1) == 3


@pytest.mark.parametrize("address", ["#steer/other?w1=9", "#Steer/border?w1=9", "#a-heading"])
def test_other_links_are_left_alone(prose: Prose, address: str) -> None:
    (widget,) = prose.show(NEURON)
    prose.write("elsewhere", address).click()
    assert prose.page.url.endswith(address)
    assert prose.bridge.do(lambda: widget.w1) == 1


def test_a_widget_without_name_hears_nothing_and_may_get_one(prose: Prose) -> None:
    (widget,) = prose.show(("DragTheNeuron", {"target": "chapter"}))
    link = prose.write("steep", "#steer/border?w1=4")
    link.click()
    assert prose.bridge.do(lambda: widget.w1) == 1
    prose.bridge.do(lambda: setattr(widget, "name", "border"))
    prose.page.wait_for_function("views[0].model.get('name') === 'border'")
    link.click()
    prose.until(widget, w1=4)


@pytest.mark.parametrize("calm", [False, True])
def test_the_widget_comes_into_view_and_shows_that_it_was_meant(chromium: Any, calm: bool) -> None:
    motion = "reduce" if calm else "no-preference"
    with Bridge() as bridge:
        prose = Prose(
            chromium.new_page(viewport={"width": WIDE, "height": 900}, reduced_motion=motion), bridge
        )
        prose.show(NEURON)
        link = prose.write("steep", "#steer/border?w1=4")
        prose.page.evaluate("document.querySelector('p').style.marginBottom = '3000px'")
        box = "const {top, bottom} = views[0].el.getBoundingClientRect()"
        seen = f"(() => {{ {box}; return top >= 0 && bottom <= innerHeight }})()"
        assert not prose.page.evaluate(seen)
        link.click()
        steered = prose.page.locator(".dlcore-steered")
        steered.wait_for()
        animated = steered.evaluate("frame => getComputedStyle(frame).animationName")
        assert animated == ("none" if calm else "dlcore-steered")
        prose.page.wait_for_function(seen)
        steered.wait_for(state="detached")
        scrolled = prose.page.evaluate("scrollY")
        prose.page.evaluate("document.querySelector('a').click()")  # the widget is seen already
        prose.page.wait_for_timeout(300)
        assert prose.page.evaluate("scrollY") == scrolled
        assert prose.complaints == []
        prose.page.close()


def test_fifty_renderings_leave_one_that_listens(prose: Prose) -> None:
    (widget,) = prose.show(NEURON)
    link = prose.write("steep", "#steer/border?w1=4")
    listening = prose.count("views[0].model.listening")
    prose.page.evaluate(
        "() => { for (let i = 0; i < 50; i++) { views[0].cleanup(); views[0].cleanup = views[0].draw(); } }"
    )
    assert prose.count("views[0].model.listening") == listening
    before = prose.count("window.sent")
    link.click()
    prose.until(widget, w1=4)
    assert prose.count("window.sent") == before + 1
    prose.page.evaluate("views[0].cleanup()")
    prose.write("flat", "#steer/border?w1=0").click()
    assert prose.bridge.do(lambda: widget.w1) == 4


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("done", [False, True])
def test_a_task_can_be_read_by_everyone(prose: Prose, theme: str, done: bool) -> None:
    prose.page.set_viewport_size({"width": NARROW, "height": 800})
    (widget,) = prose.show(
        ("DragTheNeuron", {"name": "border", "target": "chapter", "goal": "line"}), theme=theme
    )
    if done:
        prose.bridge.do(lambda: widget.set_state({"w1": 1.0, "w2": 2.0, "b": -1.5}))
        prose.page.wait_for_function("document.querySelector('.dlcore-task').dataset.done === 'true'")
    assert prose.page.locator(TASK).get_attribute("role") == "status"
    assert prose.page.evaluate("document.documentElement.scrollWidth") <= NARROW
    wrong, kept = axe(prose.page)
    assert wrong == []
    assert "color-contrast" in kept


def test_without_a_task_nothing_is_shown(prose: Prose) -> None:
    (widget,) = prose.show(NEURON)
    height = prose.page.locator(TASK).evaluate("line => line.offsetHeight")
    assert height == 0
    prose.bridge.do(lambda: setattr(widget, "goal", "line"))
    prose.page.wait_for_function("document.querySelector('.dlcore-task').offsetHeight > 20")
    prose.bridge.do(lambda: setattr(widget, "goal", ""))
    prose.page.wait_for_function("document.querySelector('.dlcore-task').offsetHeight === 0")
