"""A widget in a real browser: the room it is shown in, and what the view of every widget must be."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from tests import browser
from tests.browser import AXE_RULES, PATIENCE, axe, drawn
from tests.widget_bridge import Bridge, plain

NARROW, WIDE = 360, 800
PLANE = {"left": 30, "right": 6, "top": 20, "bottom": 36}  # line.js's margins
# Pixels that are not transparent: whether anything is drawn.
INKED = """canvas => {
    const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let i = 3; i < data.length; i += 4) count += data[i] > 0;
    return count;
}"""


# What is written on canvases, and where: all of it is drawn anew when the page turns dark.
WRITTEN = """async () => {
    const written = [];
    const write = CanvasRenderingContext2D.prototype.fillText;
    CanvasRenderingContext2D.prototype.fillText = (...given) => written.push(given);
    document.documentElement.dataset.theme = "dark";
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
    CanvasRenderingContext2D.prototype.fillText = write;
    return written.map(given => given.slice(0, 3));
}"""


T = TypeVar("T", bound="Watched")


class Watched:
    """A page with widgets in it, and what it complains about. It may be the page of the test before, emptied."""

    def __init__(self, page: Any, bridge: Bridge) -> None:
        self.page, self.bridge = page, bridge
        self.page.set_default_timeout(1000 * PATIENCE)
        self.complaints: list[str] = []
        self._hears: dict[str, Callable[[Any], Any]] = {}
        self.hear("console", lambda said: said.type == "error" and self.complaints.append(said.text))
        self.hear("pageerror", lambda error: self.complaints.append(str(error)))

    def hear(self, event: str, handler: Callable[[Any], Any]) -> None:
        self._hears[event] = handler
        self.page.on(event, handler)

    def leave(self) -> None:
        """Empty the page, and hear no more of it."""
        self.page.goto("about:blank")
        for event, handler in self._hears.items():
            self.page.remove_listener(event, handler)


class Room(Watched):
    """A page with one widget, and the ways to look and to act."""

    widget: Any = None

    def show(self, name: str, theme: str = "light", **settings: Any) -> Any:
        self.widget = self.bridge.do(lambda: plain(name)(**settings))
        self.bridge.open(self.page, self.widget, theme=theme)
        return self.widget

    def read(self, *names: str) -> Any:
        values = self.bridge.do(lambda: [getattr(self.widget, name) for name in names])
        return values if len(values) > 1 else values[0]

    def until(self, holds: Callable[[], bool], what: str, instead: Callable[[], Any] = lambda: "") -> None:
        browser.until(
            self.page, holds, lambda: f"never: {what} {instead()} {self.complaints} {self.bridge.errors}"
        )

    def settled(self) -> None:
        """Wait until the page has said all, Python has answered, and that is drawn."""
        drawn(self.page)
        self.until(lambda: not self.page.evaluate("window.underWay"), "all that the page says has arrived")
        self.until(lambda: not self._differing(), "the page has what Python has", self._differing)
        drawn(self.page)

    def _differing(self) -> dict[str, tuple[Any, Any]]:
        """Return what the page has and what Python has, where that is not the same."""
        state = self.bridge.do(self.widget.get_state)
        known = {name: value for name, value in state.items() if not isinstance(value, bytes)}
        values = "Object.values(window.models)[0].values"
        page = self.page.evaluate(f"names => names.map(n => {values}[n])", list(known))
        python = json.loads(json.dumps(list(known.values())))  # tuples are lists there
        pairs = zip(known, zip(page, python, strict=True), strict=True)
        return {name: (here, there) for name, (here, there) in pairs if here != there}

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()
        self.settled()

    def at(self, x: float, y: float, low: float = -6, high: float = 6) -> tuple[float, float]:
        """Return where the place (x, y) of the plane is on the screen."""
        box = self.page.locator(".line-grips").locator("xpath=..").locator("canvas").bounding_box()
        width = box["width"] - PLANE["left"] - PLANE["right"]
        height = box["height"] - PLANE["top"] - PLANE["bottom"]
        across, up = (x - low) / (high - low), (high - y) / (high - low)
        return box["x"] + PLANE["left"] + across * width, box["y"] + PLANE["top"] + up * height

    def drag(self, handle: str, *places: tuple[float, float]) -> None:
        """Take a handle by its middle and lead it over places of the plane."""
        box = self.page.locator(f".line-grip-{handle}").bounding_box()
        self.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        self.page.mouse.down()
        for place in places:
            self.page.mouse.move(*self.at(*place), steps=4)
        self.page.mouse.up()
        self.settled()

    def click(self, x: float, y: float, **plane: float) -> None:
        self.page.mouse.click(*self.at(x, y, **plane))
        self.settled()

    def text(self, selector: str) -> str:
        return str(self.page.locator(selector).inner_text())


def rooms(context: Any, width: int, *, height: int = 900, kind: type[T] = Room) -> Iterator[T]:  # type: ignore[assignment]
    """Yield a room of that width, for a fixture; in the end nothing may have been complained about.

    It is in the page of the test before: a new window costs more than a widget in it.
    """
    page = context.pages[0] if context.pages else context.new_page()
    page.set_viewport_size({"width": width, "height": height})
    page.mouse.move(0, 0)
    with Bridge() as bridge:
        made = kind(page, bridge)
        yield made
        made.leave()
        assert made.complaints == []


def pictures(room: Room) -> list[str]:
    """Return what is drawn on each canvas, as soon as it is."""
    drawn(room.page)
    return [canvas.evaluate("c => c.toDataURL()") for canvas in room.page.locator("canvas").all()]


# ---------------------------------------------------------------------------------------- what every view must be

REACHABLE = ".dlcore-widget :is(button, input, select, summary, [tabindex='0']):not([disabled], [hidden])"


def unfold(room: Room) -> None:
    """Open all that is folded away."""
    for folded in room.page.query_selector_all("details:not([open]) > summary"):
        if folded.is_visible():
            folded.click()


def assert_pictures_are_drawn_and_said(room: Room) -> None:
    """Every picture has something on it, and says in words what."""
    for canvas in room.page.locator("canvas").all():
        assert canvas.evaluate(INKED) > 500
        assert len(canvas.get_attribute("aria-label")) > 40


def assert_axe_finds_nothing(room: Room, *, absent: tuple[str, ...] = ()) -> None:
    """All is accessible, also what was folded away; `absent` are rules that nothing here is subject to."""
    unfold(room)
    wrong, kept = axe(room.page)
    assert wrong == []
    assert set(AXE_RULES) - {"link-name", "image-alt", *absent} <= kept  # it has looked


def assert_nothing_is_wider_than_a_phone(room: Room) -> list[list[float]]:
    """Nothing scrolls sideways; return left, right, width and height of every control that is seen."""
    unfold(room)
    assert room.page.evaluate("document.documentElement.scrollWidth") <= NARROW
    boxes = f'[...document.querySelectorAll("{REACHABLE}")].map(e => e.getBoundingClientRect())'
    sizes = room.page.evaluate(f"{boxes}.map(b => [b.left, b.right, b.width, b.height])")
    seen: list[list[float]] = [size for size in sizes if size[2]]
    assert seen
    assert all(left >= 0 and right <= NARROW for left, right, _, _ in seen)
    return seen


def assert_nothing_is_left_after_fifty_drawings(room: Room, between: str = "") -> None:
    """A view that ends takes all its listeners and elements along; `between` is run (JavaScript) while it is there."""
    counts = room.page.evaluate(
        """async () => {
            const {el, model, draw, cleanup} = window.views[0];
            cleanup();
            const before = [model.listening, el.childElementCount];
            for (let i = 0; i < 50; i++) {
                const end = draw();
                BETWEEN
                end();
                await new Promise(requestAnimationFrame);
            }
            return [before, [model.listening, el.childElementCount]];
        }""".replace("BETWEEN", between)
    )
    assert counts == [[0, 0], [0, 0]]


def assert_drawn_without_python(room: Room, then: str = "") -> None:
    """A view is drawn from the stored state alone, as in a static page; `then` (JavaScript) is of the view, too."""
    sent = room.page.evaluate(
        """async () => {
            const {draw, cleanup} = window.views[0];
            cleanup();
            window.sent = 0;
            draw();
            THEN
            await new Promise(requestAnimationFrame);
            await new Promise(done => setTimeout(done, 200));
            return window.sent;
        }""".replace("THEN", then)
    )
    assert sent == 0
    for canvas in room.page.locator("canvas:visible").all():
        assert canvas.evaluate(INKED) > 500


def two_on_one_page(room: Room, make: Callable[[], Any]) -> tuple[Any, Any]:
    """Show two widgets on one page, which must not share an id, and return them."""
    first, second = (room.bridge.do(make) for _ in range(2))
    room.bridge.open(room.page, first, second)
    ids = room.page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    return first, second


def reached_by_tab(room: Room) -> int:
    """Go through the widget with the Tab key, which must reach every control that is seen; return how many."""
    wanted = room.page.evaluate(
        f'[...document.querySelectorAll("{REACHABLE}")].filter(e => e.checkVisibility()).length'
    )
    room.page.locator(f"{REACHABLE}:visible").first.focus()
    room.page.evaluate("() => { window.visited = new Set([document.activeElement]); }")
    for _ in range(wanted + 8):
        room.page.keyboard.press("Tab")
        room.page.evaluate(
            f'() => document.activeElement.matches("{REACHABLE}") && visited.add(document.activeElement)'
        )
    seen = int(room.page.evaluate("visited.size"))
    assert seen == wanted
    return seen
