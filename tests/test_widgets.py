"""What all widgets share: typed traits, one protocol on two bases, one module of JavaScript, the loop.

The kernel's base (anywidget) and the page's (`plain.PlainWidget`) are run side by side: the same program in two
interpreters, one of which cannot see anywidget, must send the same messages.
"""

import asyncio
import json
import math
import re
import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import traitlets

from dlcore import widgets
from dlcore.widgets.base import FOLDER, Widget, bundle
from dlcore.widgets.plain import PlainWidget
from dlcore.widgets.traits import Choice, Choices, Number, Setting, Switch, Whole, Wholes, real
from tests.helpers import why_not

ROOT = Path(__file__).resolve().parent.parent
NAMES = [name for name in widgets.__all__ if name != "Widget"]
every_widget = pytest.mark.parametrize("name", NAMES)
#: What a widget cannot be made without.
NEEDED: dict[str, dict[str, Any]] = {
    "Predict": {"question": "How many?", "low": 0, "high": 10},
    "Quiz": {"path": ROOT / "chapters" / "quiz" / "neurons.toml"},
}
# Python restores in the page what computes; a still widget is never sent to it (tests/test_live_still.py).
every_computing_widget = pytest.mark.parametrize("name", [name for name in NAMES if name not in NEEDED])


def make(name: str, **settings: Any) -> Any:
    return getattr(widgets, name)(**NEEDED.get(name, {}), **settings)


# ----------------------------------------------------------------------------------------------------- traits


class Sample(traitlets.HasTraits):
    """One of each kind."""

    rate = Number(0.03, low=0.001, high=10)
    size = Whole(10, low=1, high=30)
    shape = Choice("circle", "xor", "spiral")
    batch = Choice("all", "16")
    noisy = Switch(False)
    features = Choices("x1", "x2", "x1x2", default=["x1"], least=1)
    hidden = Wholes([4, 2], least=0, most=3, low=1, high=8)


ALLOWED = [
    ("rate", 1, 1.0),
    ("rate", 0.001, 0.001),
    ("rate", 10, 10.0),
    ("size", 30, 30),
    ("size", 3.0, 3),
    ("shape", "xor", "xor"),
    ("batch", "16", "16"),
    ("batch", 16, "16"),
    ("noisy", True, True),
    ("features", ["x1x2", "x1"], ["x1", "x1x2"]),
    ("features", ("x2",), ["x2"]),
    ("hidden", [], []),
    ("hidden", (8, 1.0), [8, 1]),
]
REFUSED = [
    ("rate", 0, "a number from 0.001 to 10"),
    ("rate", 10.5, "a number from 0.001 to 10"),
    ("rate", math.nan, "a number from 0.001 to 10"),
    ("rate", math.inf, "a number from 0.001 to 10"),
    ("rate", "1", "a number from 0.001 to 10"),
    ("rate", True, "a number from 0.001 to 10"),
    ("rate", None, "a number from 0.001 to 10"),
    ("rate", [1], "a number from 0.001 to 10"),
    ("size", 0, "a whole number from 1 to 30"),
    ("size", 31, "a whole number from 1 to 30"),
    ("size", 2.5, "a whole number from 1 to 30"),
    ("size", "2", "a whole number from 1 to 30"),
    ("size", True, "a whole number from 1 to 30"),
    ("size", math.inf, "a whole number from 1 to 30"),
    ("shape", "moon", "one of circle, xor, spiral"),
    ("shape", 0, "one of circle, xor, spiral"),
    ("shape", ["xor"], "one of circle, xor, spiral"),
    ("batch", 4, "one of all, 16"),
    ("batch", 16.0, "one of all, 16"),
    ("batch", True, "one of all, 16"),
    ("noisy", 1, "True or False"),
    ("noisy", "True", "True or False"),
    ("features", [], "at least 1 of x1, x2, x1x2, each once"),
    ("features", ["x1", "x1"], "at least 1 of x1, x2, x1x2, each once"),
    ("features", ["x3"], "at least 1 of x1, x2, x1x2, each once"),
    ("features", "x1", "at least 1 of x1, x2, x1x2, each once"),
    ("features", 1, "at least 1 of x1, x2, x1x2, each once"),
    ("hidden", [1, 1, 1, 1], "a list of 0 to 3 whole numbers from 1 to 8"),
    ("hidden", [9], "a list of 0 to 3 whole numbers from 1 to 8"),
    ("hidden", "44", "a list of 0 to 3 whole numbers from 1 to 8"),
    ("hidden", 4, "a list of 0 to 3 whole numbers from 1 to 8"),
]


def test_every_kind_of_trait_is_tried_both_ways() -> None:
    kinds = {kind.__name__ for kind in Setting.__subclasses__() if kind.__module__ == "dlcore.widgets.traits"}
    for cases in (ALLOWED, REFUSED):
        assert {type(Sample.class_traits()[case[0]]).__name__ for case in cases} == kinds


@pytest.mark.parametrize(("name", "given", "kept"), ALLOWED)
def test_what_is_allowed_is_stored_clean(name: str, given: Any, kept: Any) -> None:
    sample = Sample(**{name: given})
    assert getattr(sample, name) == kept
    assert type(getattr(sample, name)) is type(kept)


@pytest.mark.parametrize(("name", "given", "expected"), REFUSED)
def test_what_is_not_is_refused_with_one_form_of_message(name: str, given: Any, expected: str) -> None:
    sample = Sample()
    before = getattr(sample, name)
    with pytest.raises(traitlets.TraitError) as caught:
        setattr(sample, name, given)
    wanted = f"Sample.{name}: expected {expected}; received {given!r}. The widget keeps {before!r}"
    assert str(caught.value) == wanted
    assert getattr(sample, name) == before


def test_two_widgets_do_not_share_a_list() -> None:
    first, second = Sample(), Sample()
    first.hidden = [1]
    first.features = ["x2"]
    assert (second.hidden, second.features) == ([4, 2], ["x1"])


# ------------------------------------------------------------------------------------------ one protocol, two bases

PROGRAM = """
import json, sys
if sys.argv[1] == "plain":
    sys.modules["anywidget"] = None
import traitlets
from dlcore.widgets import plain
from dlcore.widgets.base import Base, Widget
from dlcore.widgets.traits import Number, Whole

class Small(Widget):
    rate = Number(0.5, low=0, high=1)
    size = Whole(3, low=1, high=9)
    pixels = traitlets.Bytes(b"ab").tag(sync=True)
    double = traitlets.Int(6).tag(sync=True)

    def __init__(self, **settings):
        super().__init__(**settings)
        self.observe(lambda change: setattr(self, "double", 2 * change["new"]), names="size")

    def do_grow(self, by):
        self.size += by
        return self.size

OURS = set(Small.class_trait_names(sync=True)) - set(Base.class_trait_names())
log = []

def note(content, buffers):
    content = json.loads(json.dumps(content))
    if content["method"] == "echo_update":  # the front end's own value, sent back for other front ends
        return
    if content["method"] == "update":
        content["state"] = {k: v for k, v in content["state"].items() if k in OURS}
    log.append([content, [bytes(b).hex() for b in buffers or []]])

if Base is plain.PlainWidget:
    plain.publish = lambda widget, content, buffers: note(content, buffers)
    def tell(content):
        widget.handle(content, [])
else:
    Widget._send = lambda self, content, buffers=None: note(content, buffers)
    def tell(content):
        widget._handle_msg({"content": {"data": content}, "buffers": []})

widget = Small(rate=0.25)

def held():
    with widget.hold_sync():
        widget.rate, widget.size, widget.pixels = 0.75, 5, b"cd"

def update(**state):
    return lambda: tell({"method": "update", "state": state, "buffer_paths": []})

def custom(**content):
    return lambda: tell({"method": "custom", "content": content})

STEPS = {
    "a value": lambda: setattr(widget, "rate", 0.5),
    "the same value": lambda: setattr(widget, "rate", 0.5),
    "bytes": lambda: setattr(widget, "pixels", b"xyz"),
    "three held": held,
    "the page sets": update(rate=0.1),
    "the page sets, Python follows": update(size=4),
    "the page sets two": update(rate=0.2, size=6),
    "the page is refused": update(rate=7),
    "the page is refused both": update(size=2, rate=7),
    "an action": custom(type="do", action="grow", arguments={"by": 1}, id=1),
    "an action is refused": custom(type="do", action="grow", arguments={"by": 100}, id=2),
    "an action lacks an argument": custom(type="do", action="grow", arguments={}, id=3),
    "no such action": custom(type="do", action="fly", id=4),
    "all is asked for": lambda: tell({"method": "request_state"}),
}
result = {"base": Base.__name__}
for name, step in STEPS.items():
    log.clear()
    step()
    result[name] = {"sent": list(log), "values": [widget.rate, widget.size, widget.double, widget.pixels.decode()]}
print(json.dumps(result))
"""


def played(base: str) -> Any:
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM, base]
    ran = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.fixture(scope="module")
def both() -> tuple[Any, Any]:
    pytest.importorskip(
        "anywidget", reason="the kernel's base cannot be compared: anywidget is not installed"
    )
    return played("anywidget"), played("plain")


def test_the_two_bases_are_two(both: tuple[Any, Any]) -> None:
    assert [result["base"] for result in both] == ["AnyWidget", "PlainWidget"]


def test_the_same_changes_send_the_same_messages(both: tuple[Any, Any]) -> None:
    kernel, page = both
    assert kernel.keys() == page.keys()
    for step in kernel.keys() - {"base"}:
        assert page[step]["values"] == kernel[step]["values"], step
        assert page[step]["sent"] == kernel[step]["sent"], step


def test_the_page_s_messages_are_those_of_the_protocol(both: tuple[Any, Any]) -> None:
    page = both[1]

    def update(*buffers: str, paths: Any = (), **state: Any) -> Any:
        return [{"method": "update", "state": state, "buffer_paths": list(paths)}, list(buffers)]

    assert page["a value"]["sent"] == [update(rate=0.5)]
    assert page["the same value"]["sent"] == []
    assert page["bytes"]["sent"] == [update(b"xyz".hex(), paths=[["pixels"]])]
    [[held, buffers]] = page["three held"]["sent"]
    assert held["state"] == {"rate": 0.75, "size": 5, "double": 10}
    assert (held["buffer_paths"], buffers) == ([["pixels"]], [b"cd".hex()])
    assert page["the page sets"]["sent"] == []  # no echo
    assert page["the page sets, Python follows"]["sent"] == [update(double=8)]


def test_what_is_refused_changes_nothing_and_says_so(both: tuple[Any, Any]) -> None:
    for result in both:
        before = result["the page sets two"]["values"]
        for step in ("the page is refused", "the page is refused both"):
            assert result[step]["values"] == before, step
            refusal, state = (content for content, _ in result[step]["sent"])
            message = "Small.rate: expected a number from 0 to 1; received 7. The widget keeps 0.2"
            assert refusal["content"] == {"type": "refused", "message": message}
            assert state["state"]["rate"] == 0.2  # so that the page's control goes back
        assert result["an action"]["sent"][-1][0]["content"] == {
            "type": "did", "action": "grow", "id": 1, "result": 7,
        }  # fmt: skip
        for step, id_ in (
            ("an action is refused", 2),
            ("an action lacks an argument", 3),
            ("no such action", 4),
        ):
            content = result[step]["sent"][-1][0]["content"]
            assert (content["type"], content["id"]) == ("refused", id_), step
            assert content["message"], step


def test_an_unknown_method_is_an_error() -> None:
    with pytest.raises(ValueError, match="expected a message of method update, request_state or custom"):
        PlainWidget().handle({"method": "fly"}, [])


def test_a_closed_widget_hears_nothing() -> None:
    widget, heard = PlainWidget(), []
    widget.on_msg(lambda *message: heard.append(message))
    widget.handle({"method": "custom", "content": 1}, [])
    widget.close()
    widget.handle({"method": "custom", "content": 2}, [])
    assert [content for _, content, _ in heard] == [1]


# ---------------------------------------------------------------------------------------------------- JavaScript

TOP_LEVEL = re.compile(
    r"^(?:export )?(?:async )?(?:const|let|var|function\*?|class) (?:(\w+)|[\[{]([^=]*)[\]}] =)", re.MULTILINE
)


def top_level_names(module: str) -> list[str]:
    found: list[str] = []
    for single, several in TOP_LEVEL.findall(module):
        found += [single] if single else [part.split(":")[-1].strip() for part in several.split(",")]
    return [name for name in found if name]


def test_the_reader_of_names_sees_them_all() -> None:
    lines = ["const a = 1;", "export let b;", "export async function c() {", "  const inner = 1;", "}"]
    module = "\n".join([*lines, "class D {}", "const [e, f] = g;"])
    assert top_level_names(module) == ["a", "b", "c", "D", "e", "f"]


@every_widget
def test_a_widget_names_a_module_that_is_there(name: str) -> None:
    source = getattr(widgets, name).source
    assert source.endswith(".js")
    assert (FOLDER / source).is_file()


@every_widget
def test_the_bundle_has_no_import_left_and_no_name_twice(name: str) -> None:
    module = bundle(getattr(widgets, name).source)
    assert not re.search(r"^\s*import\b", module, re.MULTILINE), "an import that base.IMPORT does not see"
    assert "import(" not in module
    assert [word for word, times in Counter(top_level_names(module)).items() if times > 1] == []
    exports = re.findall(r"^export .*", module, re.MULTILINE)
    assert [line for line in exports if not line.startswith("export default")] == []
    assert len(exports) == 1


@every_widget
def test_the_bundle_is_a_module_that_parses(name: str, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed: the browser's tests parse the modules instead")
    module = tmp_path / "widget.mjs"
    module.write_text(bundle(getattr(widgets, name).source), encoding="utf-8")
    checked = subprocess.run([node, "--check", module], check=False, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr


def test_a_bundle_takes_each_file_once_and_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.js").write_text("export const a = 1;\n")
    (tmp_path / "b.js").write_text('import { a } from "./a.js";\nexport function b() { return a; }\n')
    (tmp_path / "deep" / "top.js").write_text(
        'import { a } from "../a.js";\nimport {\n  b,\n} from "../b.js";\nexport default { a, b };\n'
    )
    monkeypatch.setattr("dlcore.widgets.base.FOLDER", tmp_path)
    joined = "const a = 1;\n\nfunction b() { return a; }\n\nexport default { a, b };\n"
    assert bundle("deep/top.js") == joined


# ---------------------------------------------------------------------------------------------------- every widget


@every_widget
def test_a_widget_shows_itself_where_no_javascript_runs(name: str) -> None:
    widget = make(name)
    assert widget.picture().startswith(b"\x89PNG\r\n\x1a\n")
    assert widget.summary.endswith(".")
    data = widget._repr_mimebundle_()
    data = data[0] if isinstance(data, tuple) else data
    assert data["text/plain"] == widget.summary == make(name).summary
    assert data["image/png"]
    assert "application/vnd.jupyter.widget-view+json" in data
    assert repr(widget) == f"{name}: {widget.summary}"


@every_widget
def test_a_picture_leaves_no_figure_open(name: str) -> None:
    from matplotlib import pyplot as plt

    before = plt.get_fignums()
    make(name).picture()
    assert plt.get_fignums() == before


@every_widget
def test_the_state_of_a_widget_can_be_stored(name: str) -> None:
    state = make(name).get_state()
    json.dumps({key: value for key, value in state.items() if not isinstance(value, bytes)}, allow_nan=False)


@every_computing_widget
def test_a_widget_is_restored_from_its_state(name: str) -> None:
    state = make(name).get_state()
    restored = getattr(widgets, name).restored(state)
    assert restored.summary == state["summary"]


@every_widget
def test_the_controls_are_told_what_each_setting_may_be(name: str) -> None:
    widget = make(name)
    tasks = {"tasks": {key: goal.text for key, goal in widget.goals.items()}}
    assert widget.choices.get("goal", {"tasks": {}}) == tasks
    for setting in widget.choices.keys() - {"goal"}:
        trait = widget.traits()[setting]
        assert widget.choices[setting] == {
            key: getattr(trait, key)
            for key in ("low", "high", "options", "least", "most")
            if hasattr(trait, key)
        }
    assert "options" in widget.choices["device"]


@every_widget
def test_a_setting_that_is_unknown_is_refused_with_those_that_are_known(name: str) -> None:
    with pytest.raises(TypeError, match=f"{name}: expected settings among .*device.*; received 'colour'"):
        make(name, colour="red")


@every_widget
def test_a_device_that_is_unknown_or_not_here_is_refused(name: str) -> None:
    with pytest.raises(
        ValueError, match="device: expected one of auto, numpy, cpu, cuda, mps; received 'tpu'"
    ):
        make(name, device="tpu")
    if why_not("cuda") is None:
        pytest.skip("this machine has a CUDA device, so it is not refused")
    with pytest.raises(ValueError, match=r"device: 'cuda' (needs torch|is not available on this machine)"):
        make(name, device="cuda")


@every_widget
def test_a_device_set_later_is_checked_as_well(name: str) -> None:
    widget = make(name)
    widget.device = "auto"
    assert widget.device in ("numpy", "cuda")  # a device that there is
    if why_not("cuda") is None:
        pytest.skip("this machine has a CUDA device, so it is not refused")
    with pytest.raises(traitlets.TraitError, match=rf"{name}.device: 'cuda' .* The widget keeps 'numpy'"):
        widget.device = "cuda"
    assert widget.device == "numpy"


@every_computing_widget
def test_a_refused_setting_leaves_the_widget_as_it_was(name: str) -> None:
    widget = make(name)
    before = {key: value for key, value in widget.get_state().items() if not key.startswith("_")}
    whole = next(trait for trait in widget.settings() if isinstance(widget.traits()[trait], Whole))
    with pytest.raises(
        traitlets.TraitError, match=rf"{name}.{whole}: expected a whole number from \d+ to \d+"
    ):
        setattr(widget, whole, -1)
    assert {key: widget.get_state()[key] for key in before} == before


def test_the_package_says_what_it_has() -> None:
    assert set(widgets.__all__) <= set(dir(widgets))
    with pytest.raises(AttributeError, match=r"dlcore.widgets has no 'Slider'; it has .*Playground"):
        _ = widgets.Slider


# -------------------------------------------------------------------------------------------------------- the loop


class Counting(Widget):
    """Counts its steps; may fail at one, or be done after some."""

    def __init__(self, *, fail_at: int = -1, last: int = 10**9) -> None:
        super().__init__()
        self.steps, self.fail_at, self.last = 0, fail_at, last
        self.told: list[Any] = []

    def advance(self) -> bool:
        self.steps += 1
        if self.steps == self.fail_at:
            raise ZeroDivisionError("by the test")
        return self.steps < self.last

    def show(self) -> None:
        self.summary = f"{self.steps} steps."

    def send(self, content: Any, buffers: Any = None) -> None:
        self.told.append(content)

    def drawn(self) -> None:
        self._receive(self, {"type": "drawn"}, [])


async def turns(number: int = 20) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


def in_a_loop(play: Callable[[Counting], Any], **options: Any) -> Counting:
    async def run() -> Counting:
        widget = Counting(**options)
        await play(widget)
        widget.running = False
        await turns()
        return widget

    return asyncio.run(run())


def test_one_picture_is_under_way_at_a_time() -> None:
    async def play(widget: Counting) -> None:
        widget.running = True
        await turns()
        assert (widget.steps, widget.frame) == (1, 1)  # nobody has drawn it, so nobody trains
        for wanted in (2, 3, 4):
            widget.drawn()
            await turns()
            assert (widget.steps, widget.frame) == (wanted, wanted)
            assert widget.summary == f"{wanted} steps."

    in_a_loop(play)


def test_two_views_that_both_say_drawn_do_not_make_two_steps_wait_for_one() -> None:
    async def play(widget: Counting) -> None:
        widget.running = True
        await turns()
        widget.drawn()
        widget.drawn()
        await turns()
        assert widget.steps == 2

    in_a_loop(play)


def test_pause_ends_the_loop_and_run_goes_on() -> None:
    async def play(widget: Counting) -> None:
        widget.running = True
        await turns()
        widget.running = False
        await turns()
        assert widget._loop is not None
        assert widget._loop.done()
        widget.drawn()
        await turns()
        assert widget.steps == 1
        widget.running = True
        await turns()
        assert widget.steps == 2

    in_a_loop(play)


def test_pause_and_run_at_once_keep_one_loop() -> None:
    async def play(widget: Counting) -> None:
        widget.running = True
        await turns()
        loop = widget._loop
        widget.running = False
        widget.running = True
        await turns()
        assert widget._loop is loop
        assert not loop.done()
        assert widget.running

    in_a_loop(play)


def test_who_is_done_stops() -> None:
    async def play(widget: Counting) -> None:
        widget.running = True
        for _ in range(5):
            await turns()
            widget.drawn()
        assert (widget.steps, widget.frame, widget.running) == (3, 3, False)

    in_a_loop(play, last=3)


def test_an_error_in_training_is_told_and_stops() -> None:
    async def play(widget: Counting) -> None:
        widget.running = True
        await turns()
        widget.drawn()
        assert widget._loop is not None
        with pytest.raises(ZeroDivisionError, match="by the test"):
            await widget._loop
        assert not widget.running
        assert widget.told == [{"type": "refused", "message": "Stopped: by the test"}]
        widget.running = True  # and it can be run again
        await turns()
        assert widget.steps == 3

    in_a_loop(play, fail_at=2)


def test_running_needs_an_event_loop() -> None:
    widget = Counting()
    with pytest.raises(RuntimeError, match=r"Counting: running needs an event loop.*call step"):
        widget.running = True
    assert not widget.running


def test_a_widget_that_is_made_running_runs() -> None:
    async def play() -> int:
        widget = make("PerceptronDuel", running=True)
        await asyncio.sleep(0)
        frame = widget.frame
        widget.running = False
        await asyncio.sleep(0.01)
        return int(frame)

    assert asyncio.run(play()) == 1
    with pytest.raises(RuntimeError, match="needs an event loop"):
        make("PerceptronDuel", running=True)


def test_what_is_no_number_is_in_no_range() -> None:
    for value in (None, "3", True, [1], {}, 10**400):
        assert math.isnan(real(value))
    assert (real(3), real(-0.5)) == (3.0, -0.5)


def test_a_message_shows_the_beginning_of_a_long_value() -> None:
    widget = make("Playground")
    with pytest.raises(traitlets.TraitError) as refused:
        widget.hidden = [9] * 10_000
    assert len(str(refused.value)) < 300
    assert "received [9, 9, 9" in str(refused.value)


def test_a_widget_must_say_how_it_trains_and_what_it_shows() -> None:
    widget = Widget()
    for method in (widget.advance, widget.show, widget.picture):
        with pytest.raises(NotImplementedError, match="Widget does"):
            method()


def test_a_message_that_comes_in_another_thread_is_taken_in_the_widget_s_own() -> None:
    pytest.importorskip("anywidget", reason="only a kernel has threads: anywidget is not installed")
    seen: list[int] = []

    class Noting(Counting):
        def _receive(self, widget: Any, content: Any, buffers: list[Any]) -> None:
            seen.append(threading.get_ident())
            super()._receive(widget, content, buffers)

    async def run() -> None:
        widget = Noting()
        message = {"content": {"data": {"method": "custom", "content": {"type": "drawn"}}}, "buffers": []}
        await asyncio.to_thread(widget._handle_msg, message)

    asyncio.run(run())
    assert seen == [threading.get_ident()]
