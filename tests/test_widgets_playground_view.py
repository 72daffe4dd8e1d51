"""The Playground's view in headless Chromium: what the reader does, and what Python computes of it."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from dlcore.widgets.base import bundle
from tests.browser import axe, drawn, until
from tests.views import Watched, rooms
from tests.widget_bridge import plain

pytestmark = pytest.mark.browser
PARTS = {"train": 0, "test": 1}
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}


class Stage(Watched):
    """A page of the bridge with one playground, `widget`."""

    def show(self, *, fragment: str = "", theme: str = "light", width: str = "auto", **settings: Any) -> Any:
        self.widget = self.bridge.do(lambda: plain("Playground")(**settings))
        self.bridge.open(self.page, self.widget, fragment=fragment, theme=theme, width=width)
        return self.widget

    def until(self, true: Callable[[], Any]) -> None:
        """Wait until something is true of the widget."""
        until(self.page, lambda: self.bridge.do(true), lambda: "never")

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).first.click()

    def train(self, epochs: int = 3) -> None:
        """Run until so many epochs are seen; training goes on."""
        goal = self.widget.epoch + epochs
        self.press("Run")
        self.until(lambda: self.widget.epoch >= goal)

    def unfold(self) -> None:
        self.page.evaluate("document.querySelectorAll('details').forEach(one => (one.open = true))")
        drawn(self.page)

    def seen(self, selector: str) -> None:
        """Wait until the page, which hears of changes a little later than Python, has such an element."""
        self.page.locator(selector).first.wait_for(state="attached")

    def pixels(self, selector: str) -> str:
        return self.page.locator(f"{selector} canvas").last.evaluate("canvas => canvas.toDataURL()")

    def refused(self, words: str) -> None:
        """Wait until the widget says why it does not."""
        said = "words => document.querySelector('.dlcore-refusal').innerText === words"
        self.page.wait_for_function(said, arg=words)

    def text(self, selector: str) -> str:
        return self.page.locator(selector).first.inner_text()


@pytest.fixture
def stage(context: Any) -> Iterator[Stage]:
    yield from rooms(context, WIDE["width"], kind=Stage)


@pytest.fixture
def own_stage(chromium: Any) -> Iterator[Stage]:
    """Return a stage with a page of its own, which no later test gets."""
    with chromium.new_context() as context:
        yield from rooms(context, WIDE["width"], kind=Stage)


def loss_shown(stage: Stage) -> str:
    return stage.page.get_by_label("Test loss", exact=True).inner_text()


# -- training


def test_running_lowers_the_loss_and_changes_every_picture(stage: Stage) -> None:
    widget = stage.show()
    before = [stage.pixels(part) for part in (".pg-plot", ".pg-curves", ".pg-unit", ".pg-stage")]
    loss = widget.test_loss
    stage.train(60)
    stage.press("Pause")
    stage.until(lambda: not widget.running)
    stage.page.wait_for_function(
        "shown => document.querySelector('.pg-epoch output').innerText === shown", arg=f"{widget.epoch:.0f}"
    )
    assert widget.test_loss < 0.8 * loss
    assert loss_shown(stage) == f"{widget.test_loss:.3f}"
    after = [stage.pixels(part) for part in (".pg-plot", ".pg-curves", ".pg-unit", ".pg-stage")]
    assert all(a != b for a, b in zip(before, after, strict=True))


def choose(label: str, value: str) -> Callable[[Any], None]:
    return lambda page: page.get_by_label(label, exact=True).select_option(value)


def slide(label: str, value: int) -> Callable[[Any], None]:
    return lambda page: page.get_by_label(label, exact=True).fill(str(value))


def tick(label: str) -> Callable[[Any], None]:
    return lambda page: page.get_by_label(label, exact=True).check()


def type_in(label: str, value: int) -> Callable[[Any], None]:
    def act(page: Any) -> None:
        page.get_by_label(label, exact=True).fill(str(value))
        page.keyboard.press("Enter")

    return act


def press(name: str) -> Callable[[Any], None]:
    return lambda page: page.get_by_role("button", name=name, exact=True).click()


MID_RUN = [
    ("learning_rate", 0.1, choose("Learning rate", "0.1")),
    ("activation", "relu", choose("Activation", "relu")),
    ("regularization", "L2", choose("Regularization", "L2")),
    ("regularization_rate", 0.001, choose("Regularization rate", "0.001")),
    ("loss", "cross_entropy", choose("Loss", "cross_entropy")),
    ("optimizer", "adam", choose("Optimizer", "adam")),
    ("initialization", "he", choose("Initial weights", "he")),
    ("patience", 400, type_in("Patience (epochs)", 400)),
    ("step_by", "batch", choose("Step by", "batch")),
    ("seed", 7, type_in("Seed", 7)),
    ("dataset", "xor", lambda page: page.get_by_text("XOR", exact=True).click()),
    ("train_share", 60, slide("Train on", 60)),
    ("noise", 10, slide("Noise", 10)),
    ("batch_size", 20, slide("Batch size", 20)),
    ("features", ["x1", "x2", "x1x2"], press("x₁x₂")),
    ("hidden", [4, 3], press("Add a neuron to hidden layer 2")),
    ("hidden", [4, 3, 2], press("Add a hidden layer")),
    ("hidden", [3, 3, 2], press("Remove a neuron from hidden layer 1")),
    ("hidden", [3, 3], press("Remove the last hidden layer")),
    ("show_test", True, tick("Show test points")),
    ("discretize", True, tick("Discretize output")),
    ("show_gradients", True, tick("Gradients on the links")),
    ("band", True, tick("32 seeds")),
]


def test_every_control_acts_while_training_goes_on_and_resets_nothing(stage: Stage) -> None:
    widget = stage.show()
    stage.train()
    for name, value, act in MID_RUN:
        steps = widget.steps
        act(stage.page)
        stage.until(lambda name=name, value=value: getattr(widget, name) == value)
        stage.until(lambda steps=steps: widget.steps > steps)
        assert widget.running, f"{name} stopped the training"
    assert stage.text(".dlcore-refusal") == ""
    stage.press("Pause")
    stage.until(lambda: not widget.running)
    choose("Problem", "regression")(stage.page)
    stage.until(lambda: widget.dataset == "plane")
    stage.seen("[value=plane]:checked")
    assert not stage.page.get_by_text("Spiral", exact=True).is_visible()


def test_reset_repeats_the_numbers(stage: Stage) -> None:
    widget = stage.show(seed=3)
    stage.press("Step")
    stage.until(lambda: widget.epoch == 1)
    stage.press("Step")
    stage.until(lambda: widget.epoch == 2)
    first = bytes(widget.weights)
    stage.press("Reset")
    stage.until(lambda: widget.epoch == 0)
    for epoch in (1, 2):
        stage.press("Step")
        stage.until(lambda epoch=epoch: widget.epoch == epoch)
    assert bytes(widget.weights) == first
    stage.press("New seed")
    stage.until(lambda: widget.seed == 4 and widget.epoch == 0)
    stage.page.wait_for_function("document.querySelector('[name=seed]').value === '4'")


def test_a_refusal_is_shown_and_the_control_goes_back(stage: Stage) -> None:
    widget = stage.show(seed=5)
    type_in("Seed", -1)(stage.page)
    refusal = stage.page.locator(".dlcore-refusal")
    refusal.wait_for(state="visible")
    assert "expected a whole number from 0" in refusal.inner_text()
    stage.page.wait_for_function("document.querySelector('[name=seed]').value === '5'")
    assert widget.seed == 5
    stage.press("Step")
    refusal.wait_for(state="hidden")


def test_the_last_input_cannot_be_switched_off(stage: Stage) -> None:
    widget = stage.show(features=["x1"])
    stage.press("x₁")
    stage.page.locator(".dlcore-refusal").wait_for(state="visible")
    stage.seen(".pg-feature:first-of-type[aria-pressed=true]")
    assert widget.features == ["x1"]


# -- looking closer


def test_pointing_at_a_neuron_fills_the_plot_and_at_a_link_tells_its_value(stage: Stage) -> None:
    widget = stage.show()
    output = stage.pixels(".pg-plot")
    stage.page.get_by_role("button", name="Layer 1, neuron 2", exact=True).hover()
    drawn(stage.page)
    assert stage.text(".pg-plot strong") == "Layer 1, neuron 2"
    assert stage.pixels(".pg-plot") != output
    weights = np.frombuffer(widget.weights, np.float32)
    assert stage.text(".pg-hint") == f"bias {weights[9]:.3f}".replace("-", "−")
    point_at_link(stage, "x₁", "Layer 1, neuron 1", act="hover")
    drawn(stage.page)
    assert stage.text(".pg-hint") == f"weight {weights[0]:.3f}".replace("-", "−")
    sent = stage.page.evaluate("window.sent")
    stage.page.get_by_role("button", name="x₂", exact=True).hover()
    drawn(stage.page)
    assert stage.text(".pg-plot strong") == "x₂"
    assert stage.page.evaluate("window.sent") == sent, "looking must not call Python"


def point_at_link(stage: Stage, source: str, target: str, *, act: str) -> None:
    boxes = [
        stage.page.get_by_role("button", name=name, exact=True).bounding_box() for name in (source, target)
    ]
    x = boxes[0]["x"] + boxes[0]["width"] + 4
    surface = stage.page.locator(".pg-links")
    origin = surface.bounding_box()
    # Near its source a link lies at the source's height, with others; so near its target.
    x = boxes[1]["x"] - 9
    y = boxes[1]["y"] + boxes[1]["height"] / 2
    toward = np.sign(boxes[0]["y"] - boxes[1]["y"])
    getattr(surface, act)(position={"x": x - origin["x"], "y": y + 1.5 * toward - origin["y"]})


def test_a_weight_is_edited_by_clicking_its_link_while_training_goes_on(stage: Stage) -> None:
    widget = stage.show(learning_rate=0.00001)
    stage.train(1)
    point_at_link(stage, "x₁", "Layer 1, neuron 1", act="click")
    field = stage.page.locator(".pg-inspector").get_by_label("x₁", exact=True)
    assert field.evaluate("field => field.matches(':focus')")
    stage.page.keyboard.type("2.5")
    stage.page.keyboard.press("Enter")
    stage.until(lambda: abs(np.frombuffer(widget.weights, np.float32)[0] - 2.5) < 0.05)
    assert widget.running
    stage.page.keyboard.press("ArrowUp")
    stage.until(lambda: abs(np.frombuffer(widget.weights, np.float32)[0] - 2.6) < 0.05)
    field.fill("12345")
    stage.page.keyboard.press("Enter")
    stage.page.locator(".dlcore-refusal").wait_for(state="visible")
    stage.page.wait_for_function("field => Math.abs(field.value - 2.6) < 0.05", arg=field.element_handle())


# -- by keyboard alone


def tab_to(page: Any, name: str) -> None:
    """Press Tab until the element with this accessible name or text has the focus."""
    is_there = """name => { const e = document.activeElement;
        return [e.getAttribute('aria-label'), e.innerText, e.labels?.[0]?.innerText].some(n => n?.trim() === name); }"""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate(is_there, name):
            return
    raise AssertionError(f"Tab does not reach {name}")


def test_everything_is_done_by_keyboard(stage: Stage) -> None:
    widget = stage.show()
    page = stage.page
    tab_to(page, "Run")
    page.keyboard.press("Enter")
    stage.until(lambda: widget.epoch > 2)
    page.keyboard.press("Space")
    stage.until(lambda: not widget.running)
    tab_to(page, "Step")
    epoch = widget.epoch  # which a slow machine shows before it is over
    page.keyboard.press("Enter")
    stage.until(lambda: widget.epoch == math.floor(epoch) + 1)
    tab_to(page, "Learning rate")
    page.keyboard.press("ArrowDown")
    stage.until(lambda: widget.learning_rate == 0.1)
    tab_to(page, "Circle")
    page.keyboard.press("ArrowRight")
    stage.until(lambda: widget.dataset == "xor")
    tab_to(page, "Output")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowDown")
    assert stage.text(".pg-plot strong") == "Layer 2, neuron 2"
    page.keyboard.press("Enter")
    tab_to(page, "bias")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("-1.25")
    page.keyboard.press("Enter")
    stage.until(lambda: np.frombuffer(widget.weights, np.float32)[21] == -1.25)
    tab_to(page, "Points of your own")
    page.keyboard.press("Enter")
    tab_to(page, "x₁")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("1.5")
    tab_to(page, "Add point")
    page.keyboard.press("Enter")
    stage.until(lambda: widget.dataset == "own")
    assert np.frombuffer(widget.points, np.float32).tolist() == [1.5, 0, 1, 0]


# -- points, program, link, prediction


def test_own_points_are_placed_by_click_only_when_asked_for(stage: Stage) -> None:
    widget = stage.show()
    plot = stage.page.locator(".pg-plot canvas")
    plot.click(position={"x": 150, "y": 150})
    stage.page.wait_for_timeout(100)
    assert widget.dataset == "circle"
    stage.page.get_by_text("Points of your own").click()
    plot.click(position={"x": 150, "y": 150})
    stage.until(lambda: len(widget.points) == 16)
    stage.page.get_by_label("class", exact=True).select_option("-1")
    plot.click(position={"x": 60, "y": 60})
    stage.until(lambda: len(widget.points) == 32)
    points = np.frombuffer(widget.points, np.float32).reshape(-1, 4)
    assert sorted(points[:, 2]) == [-1, 1]
    stage.seen("[value=own]:checked")
    area = plot.bounding_box()["width"] - 36
    assert points[points[:, 2] < 0][0, :2] == pytest.approx(
        [(60 - 28) / area * 12 - 6, 6 - (60 - 18) / area * 12], abs=0.06
    )
    stage.press("Clear points")
    stage.until(lambda: len(widget.points) == 0)


def test_own_points_are_seen_though_some_are_for_the_test(stage: Stage) -> None:
    widget = stage.show()
    stage.page.get_by_text("Points of your own").click()
    plot, seen = stage.page.locator(".pg-plot canvas"), set()
    for count in range(1, 5):
        plot.click(position={"x": 60 * count, "y": 150})
        stage.until(lambda count=count: len(widget.points) == 16 * count)  # type: ignore[misc]
        frame = widget.frame
        stage.page.wait_for_function(f"Object.values(window.models)[0].values.frame >= {frame}")
        drawn(stage.page)
        seen.add(stage.pixels(".pg-plot"))
    assert {PARTS["train"], PARTS["test"]} == set(np.frombuffer(widget.points, np.float32)[3::4])
    assert len(seen) == 4
    assert not widget.show_test


@pytest.mark.parametrize(
    ("problem", "label", "limit"),
    [("classification", "x₁", 6), ("regression", "x₂", 6), ("regression", "target", 1)],
)
def test_a_point_without_a_number_is_refused(stage: Stage, problem: str, label: str, limit: int) -> None:
    widget = stage.show(problem=problem)
    dataset = widget.dataset
    stage.page.get_by_text("Points of your own").click()
    stage.page.get_by_role("spinbutton", name=label, exact=True).fill("")
    stage.press("Add point")
    words = (
        f"{label}: expected a number from -{limit} to {limit}; received nothing. The widget keeps its points"
    )
    stage.refused(words)
    assert widget.dataset == dataset
    # A click gives the place; what the point is, is asked of the field all the same.
    stage.page.locator(".pg-plot canvas").click(position={"x": 150, "y": 150})
    if label == "target":
        stage.refused(words)
        assert widget.dataset == dataset
    else:
        stage.until(lambda: widget.dataset == "own")


def test_a_weight_without_a_number_keeps_the_old_one(stage: Stage) -> None:
    widget = stage.show()
    stage.page.locator(".pg-network [tabindex='0']").first.focus()
    tab_to(stage.page, "Output")
    stage.page.keyboard.press("Enter")
    weights = widget.weights
    field = stage.page.locator(".pg-inspector input").first
    shown = field.input_value()
    field.fill("")
    field.press("Tab")
    words = f"bias: expected a number; received nothing. The widget keeps {shown}"
    stage.refused(words)
    stage.page.wait_for_function(
        "shown => document.querySelector('.pg-inspector input').value === shown", arg=shown
    )
    assert widget.weights == weights


def test_the_program_is_shown(stage: Stage) -> None:
    widget = stage.show()
    stage.press("Step")
    stage.until(lambda: widget.epoch == 1)
    stage.page.get_by_text("Show me the code").click()
    stage.page.wait_for_function("document.querySelector('pre').innerText.includes('dlcore')")
    assert stage.text("pre").strip() == stage.bridge.do(widget.do_program).strip()


def test_the_link_holds_the_whole_state(stage: Stage) -> None:
    widget = stage.show(dataset="spiral", hidden=[5, 3], optimizer="adam")
    stage.train(5)
    stage.press("Pause")
    stage.until(lambda: not widget.running)
    stage.press("Copy link")
    field = stage.page.get_by_label("Link to this very state")
    field.wait_for()
    address = field.input_value()
    assert stage.page.evaluate("location.href") == address
    fragment = address[address.index("#") :]
    first, second = (stage.bridge.do(lambda: plain("Playground")(seed=9)) for _ in range(2))
    stage.page.goto("about:blank")
    stage.bridge.open(stage.page, first, second, fragment=fragment)
    stage.until(lambda: first.dataset == "spiral")
    assert (first.weights, first.epoch, first.hidden) == (widget.weights, widget.epoch, [5, 3])
    assert second.dataset == "circle", "one playground takes up the address, not two"


def test_a_damaged_link_is_refused(stage: Stage) -> None:
    widget = stage.show(fragment="#playground=nonsense")
    stage.page.locator(".dlcore-refusal").wait_for(state="visible")
    assert "link" in stage.text(".dlcore-refusal")
    assert widget.epoch == 0


def test_a_prediction_is_asked_for_and_judged(stage: Stage) -> None:
    widget = stage.show(dataset="gaussian", predict_first=True)
    stage.press("Run")
    options = stage.page.locator(".pg-prediction button")
    options.first.wait_for()
    assert widget.epoch == 0
    options.last.click()
    stage.until(lambda: widget.prediction.get("verdict"))
    stage.page.wait_for_function(
        "document.querySelector('.pg-prediction [role=status]').innerText.length > 10"
    )
    assert [option.get_attribute("aria-pressed") for option in options.all()] == ["false", "false", "true"]


def test_the_preset_is_tensorflow_playgrounds_task(stage: Stage) -> None:
    widget = stage.show(dataset="spiral", hidden=[8], learning_rate=1, optimizer="adam")
    stage.press("TensorFlow Playground’s task")
    stage.until(
        lambda: widget.hidden == [4, 2] and widget.dataset == "circle" and widget.learning_rate == 0.03
    )
    stage.seen("[name=learning_rate] > [value='0.03']:checked")
    stage.page.wait_for_function("document.querySelectorAll('.pg-unit').length === 7")


def test_what_goes_wrong_is_said(stage: Stage) -> None:
    stage.show(problem="regression", activation="relu", learning_rate=10)
    stage.press("Run")
    stage.page.locator(".pg-diagnosis").wait_for(state="visible")
    assert "learning rate" in stage.text(".pg-diagnosis")


def test_the_band_of_seeds_is_drawn_and_told(stage: Stage) -> None:
    widget = stage.show(band=True)
    stage.train(3)
    stage.press("Pause")
    stage.until(lambda: not widget.running)
    assert "of 32 networks" in stage.text(".pg-band-words")
    assert "median" in stage.text(".pg-curves .pg-legend")


def test_a_teacher_hides_controls(stage: Stage) -> None:
    from dlcore.widgets.playground.panel import CONTROLS

    stage.show()
    named = set(
        stage.page.locator("[data-control]").evaluate_all("all => all.map(one => one.dataset.control)")
    )
    assert named | {"features"} == set(CONTROLS)
    stage.show(hide=CONTROLS)
    assert stage.page.locator("[data-control]:visible").count() == 0
    assert stage.page.locator(".pg-feature:visible").count() == 2
    assert stage.page.locator(".pg-feature:enabled").count() == 0


def test_tables_hold_the_numbers_of_the_charts(stage: Stage) -> None:
    widget = stage.show()
    stage.press("Step")
    stage.until(lambda: widget.epoch == 1)
    for name in ("Losses as a table", "Weights as a table"):
        stage.page.locator("summary", has_text=name).click()
    rows = stage.page.locator(".dlcore-table").first.locator("tbody tr")
    assert [rows.nth(i).locator("th").inner_text() for i in range(2)] == ["0", "1"]
    assert rows.nth(1).locator("td").nth(1).inner_text() == f"{widget.test_loss:.3f}"
    weights = np.frombuffer(widget.weights, np.float32)
    assert stage.page.locator(".dlcore-table").nth(1).locator("tbody tr").count() == len(weights)


def test_a_loss_that_is_not_0_is_not_shown_as_0(stage: Stage) -> None:
    widget = stage.show(dataset="gaussian", learning_rate=0.3)
    stage.bridge.do(lambda: widget.train(60))
    assert 0 < widget.test_loss < 0.0005
    stage.page.wait_for_function(
        "document.querySelector('output[aria-label=\"Test loss\"]').innerText === '<\\u00a00.001'"
    )
    stage.page.locator("summary", has_text="Losses as a table").click()
    last = stage.page.locator(".dlcore-table").first.locator("tbody tr").last
    assert last.locator("td").nth(1).inner_text() == "<\u00a00.001"


def test_a_single_example_is_a_part_of_an_epoch(stage: Stage) -> None:
    widget = stage.show(step_by="example")
    stage.press("Step")
    stage.until(lambda: widget.steps == 1)
    stage.page.wait_for_function("document.querySelector('output[aria-label=Epoch]').innerText === '0.004'")


# -- life and death


COUNT = """
    window.alive = 0;
    const change = (kind, name, by) => {
      const real = kind.prototype[name];
      kind.prototype[name] = function (...given) {
        if (kind !== EventTarget || !(this instanceof Node) || this === document) window.alive += by;
        return real.apply(this, given);
      };
    };
    change(EventTarget, "addEventListener", 1);
    change(EventTarget, "removeEventListener", -1);
    for (const kind of [ResizeObserver, MutationObserver, IntersectionObserver]) {
      const real = kind.prototype.observe;
      kind.prototype.observe = function (...given) {
        if (!this.seen) window.alive += 1;
        this.seen = true;
        return real.apply(this, given);
      };
      change(kind, "disconnect", -1);
    }
"""


def test_fifty_renderings_leave_nothing_behind(own_stage: Stage) -> None:
    own_stage.page.add_init_script(COUNT)
    widget = own_stage.show()
    left = own_stage.page.evaluate(
        """() => {
            const [view] = window.views;
            const count = () => [window.alive, view.model.listening, document.querySelectorAll("*").length];
            view.cleanup();
            const empty = count();
            for (let i = 0; i < 50; i++) view.draw()();
            const after = count();
            view.cleanup = view.draw();
            return [empty, after, count()];
        }"""
    )
    assert left[1] == left[0]
    assert left[2][1] > left[0][1]
    own_stage.press("Step")
    own_stage.until(lambda: widget.epoch == 1)


def test_two_on_a_page_do_not_meddle(stage: Stage) -> None:
    first, second = (stage.bridge.do(lambda: plain("Playground")()) for _ in range(2))
    stage.bridge.open(stage.page, first, second)
    ids = stage.page.locator("[id]").evaluate_all("all => all.map(one => one.id)")
    assert len(ids) == len(set(ids))
    stage.page.locator(".dlcore-widget").nth(1).get_by_text("XOR", exact=True).click()
    stage.until(lambda: second.dataset == "xor")
    assert first.dataset == "circle"
    assert stage.page.get_by_label("Circle").first.is_checked()


def test_a_new_architecture_keeps_the_focus(stage: Stage) -> None:
    widget = stage.show()
    stage.press("Add a neuron to hidden layer 1")
    stage.until(lambda: widget.hidden == [5, 2])
    stage.page.wait_for_function("document.querySelectorAll('.pg-unit').length === 8")
    focused = stage.page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert focused == "Add a neuron to hidden layer 1"


def test_the_bundle_for_jupyter_is_one_module(stage: Stage) -> None:
    stage.show()
    source = bundle("playground/playground.js")
    kind = stage.page.evaluate(
        """async source => {
            const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
            return typeof (await import(url)).default.render;
        }""",
        source,
    )
    assert kind == "function"


WATCH = """async () => {
    const times = [];
    const real = window.requestAnimationFrame;
    window.requestAnimationFrame = act => real(now => {
        const begin = performance.now();
        act(now);
        times.push(performance.now() - begin);
    });
    const frame = () => Object.values(window.models)[0].get("frame");
    const first = frame();
    await new Promise(done => setInterval(() => frame() - first >= 40 && done(), 20));
    window.requestAnimationFrame = real;
    return [times.sort((a, b) => a - b)[Math.floor(times.length / 2)], frame() - first];
}"""


def test_a_frame_is_drawn_at_once_and_the_page_laid_out_once(stage: Stage) -> None:
    """8-8 with seven inputs must leave most of a frame's 33 ms (30 a second) to the page."""
    stage.show(hidden=[8, 8], features=["x1", "x2", "x1_squared", "x2_squared", "x1x2", "sin_x1", "sin_x2"])
    browser = stage.page.context.new_cdp_session(stage.page)
    browser.send("Performance.enable")

    def layouts() -> float:
        metrics = browser.send("Performance.getMetrics")["metrics"]
        return next(metric["value"] for metric in metrics if metric["name"] == "LayoutCount")

    stage.train(1)
    before = layouts()
    median, frames = stage.page.evaluate(WATCH)
    assert median < 16, f"{median} ms"
    assert layouts() - before <= 2 * frames + 10


# -- for everyone


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_axe_finds_nothing(stage: Stage, theme: str, viewport: dict[str, int]) -> None:
    stage.page.set_viewport_size(viewport)
    stage.show(theme=theme, predict_first=True, band=True, patience=5, hidden=[8] * 6)
    stage.press("Run")
    stage.page.locator(".pg-prediction button").first.wait_for()
    stage.unfold()
    stage.page.get_by_role("button", name="Layer 1, neuron 1", exact=True).click()
    drawn(stage.page)
    wrong, kept = axe(stage.page, ".dlcore-widget")
    assert wrong == []
    assert {"button-name", "color-contrast"} <= kept  # it has looked


@pytest.mark.parametrize("width", ["344px", "560px", "760px", "900px", "1100px"])
@pytest.mark.parametrize("hidden", [[4, 2], [8] * 6])
def test_nothing_is_wider_than_its_place(stage: Stage, width: str, hidden: list[int]) -> None:
    stage.page.set_viewport_size(PHONE if width == "344px" else WIDE)
    stage.show(width=width, hidden=hidden)
    stage.unfold()
    wide = stage.page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0
    cut = stage.page.evaluate(
        """() => [...document.querySelectorAll(".dlcore-widget :is(button, label, legend, summary, output, p)")]
            .filter(e => e.offsetParent && getComputedStyle(e).display !== "inline")
            .filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.outerHTML.slice(0, 120))"""
    )
    assert cut == []
    box = stage.page.locator(".pg-network")
    scrolls = box.evaluate("box => box.scrollWidth > box.clientWidth + 1")
    assert scrolls == (width == "344px" and len(hidden) > 4)
    assert (box.get_attribute("tabindex") == "0") == scrolls


@pytest.mark.parametrize("width", ["344px", "662px"])
def test_what_stands_in_a_field_is_not_cut(stage: Stage, width: str) -> None:
    widget = stage.show(width=width, hidden=[8, 8])
    stage.bridge.do(lambda: widget.do_set_weight(layer=2, source=1, target=0, value=-0.5077))
    stage.unfold()
    stage.page.get_by_role("button", name="Layer 2, neuron 1", exact=True).click()
    drawn(stage.page)
    arrow = 16  # pixels of a choice's arrow, or of a number's two
    cut = stage.page.evaluate(
        """arrow => [...document.querySelectorAll(".pg-fields :is(select, input)")].filter(e => e.checkVisibility())
            .filter(e => {
                const style = getComputedStyle(e);
                const pen = document.createElement("canvas").getContext("2d");
                pen.font = style.font;
                const words = e.options ? [...e.options].map(option => option.text) : [e.value];
                const room = e.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight) - arrow;
                return words.some(word => pen.measureText(word).width > room);
            }).map(e => e.value)""",
        arrow,
    )
    assert cut == []


def test_every_control_has_a_name(stage: Stage) -> None:
    stage.show()
    nameless = stage.page.evaluate(
        """() => [...document.querySelectorAll(".dlcore-widget :is(button, input, select, canvas:not([aria-hidden]))")]
            .filter(e => !(e.getAttribute("aria-label") || e.labels?.[0]?.textContent.trim() || e.textContent.trim()))
            .map(e => e.outerHTML)"""
    )
    assert nameless == []


def test_reduced_motion_moves_nothing_but_the_numbers(own_stage: Stage) -> None:
    own_stage.page.emulate_media(reduced_motion="reduce")
    own_stage.show()
    own_stage.train(2)
    assert own_stage.page.evaluate("document.getAnimations().length") == 0


# -- colours


# Machado, Oliveira and Fernandes, IEEE Trans. Vis. Comput. Graph. 15, 2009: severity 1, on linear RGB.
SEEN_BY = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.01182, 0.04294, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.3039],
    ],
    "all cones": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
}


def linear(rgb: list[int]) -> Any:
    share = np.array(rgb) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def luminance(light: Any) -> float:
    return float(np.clip(light, 0, 1) @ [0.2126, 0.7152, 0.0722])


def lab(light: Any) -> Any:
    """CIE L*a*b* of linear sRGB under D65."""
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = to_xyz @ np.clip(light, 0, 1) / [0.9505, 1, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def apart(a: list[int], b: list[int], eye: str) -> float:
    """Return ΔE (CIE 1976) of two colours as an eye sees them; 2.3 is just noticed."""
    matrix = np.array(SEEN_BY[eye])
    return float(np.linalg.norm(lab(matrix @ linear(a)) - lab(matrix @ linear(b))))


def test_the_measure_of_colours_sees_red_and_green_fall_together() -> None:
    red, green = [190, 80, 50], [120, 120, 40]
    assert apart(red, green, "deuteranopia") < 20 < 40 < apart(red, green, "all cones")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_two_classes_differ_for_every_eye_and_stand_out_from_the_paper(stage: Stage, theme: str) -> None:
    stage.show(theme=theme)
    negative, positive, paper = stage.page.evaluate(
        """async () => {
            const kit = await import("/kit.js");
            const paper = getComputedStyle(document.querySelector(".dlcore-widget")).backgroundColor;
            return [kit.NEGATIVE, kit.POSITIVE, paper.match(/\\d+/g).map(Number)];
        }"""
    )
    for eye in SEEN_BY:
        assert apart(negative, positive, eye) > 50, eye
        for colour in (negative, positive):
            assert apart(colour, paper, eye) > 30, eye
    for colour in (negative, positive):
        darker, lighter = sorted((luminance(linear(colour)), luminance(linear(paper))))
        assert (lighter + 0.05) / (darker + 0.05) >= 3, "contrast of a mark, WCAG 2.2 1.4.11"
