"""Prose that steers: names, tasks, what a link asks for, and every link of the book applied to its widget."""

import asyncio
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

import pytest
import traitlets

pytest.importorskip("sphinx", reason="links are checked by an extension of Sphinx: sphinx is not installed")

import dlcore.widgets
from dlcore.live import pages, steering
from dlcore.live.steering import Steering, parse
from tests.browser import ROOT
from tests.widget_bridge import plain

LINK = re.compile(r"\]\((#steer/[^)\s]*)\)")
BOOK = sorted([*ROOT.glob("*.ipynb"), *ROOT.glob("chapters/*.ipynb")])
ADDRESSES = {
    "#steer/bump": Steering("bump", {}),
    "#steer/bump?units=3&w=-1.5": Steering("bump", {"units": 3, "w": -1.5}),
    "#steer/b-2?activation=tanh&on=true&hidden=%5B8,8%5D": Steering(
        "b-2", {"activation": "tanh", "on": True, "hidden": [8, 8]}
    ),
    "#steer/bump?text=two%20words&quoted=%223%22": Steering("bump", {"text": "two words", "quoted": "3"}),
    "#steer/bump?none=null&odd=NaN&empty=": Steering("bump", {"none": None, "odd": "NaN", "empty": ""}),
    "#steer/bump?do=next&goal=bends": Steering("bump", {}, None, "next", "bends"),
    "#steer/bump?goal=": Steering("bump", {}, None, None, ""),
    "#steer/bump?first=clear&a=1&do=next": Steering("bump", {"a": 1}, "clear", "next"),
    "#steer/Bump?w=1": None,
    "#steer/?w=1": None,
    "#steering": None,
}


# ---- names and tasks


def neuron(**settings: Any) -> Any:
    return plain("DragTheNeuron")(**settings)


@pytest.mark.parametrize("name", ["Neuron", "3d", "a b", "a_b", 3])
def test_a_name_that_cannot_stand_in_a_link_is_refused(name: Any) -> None:
    widget = neuron(name="fine-2")
    with pytest.raises(
        traitlets.TraitError, match=r"DragTheNeuron\.name: expected small letters.*'fine-2'"
    ) as error:
        widget.name = name
    assert repr(name) in str(error.value)
    assert widget.name == "fine-2"


def test_an_unknown_goal_is_refused_with_those_that_are() -> None:
    with pytest.raises(traitlets.TraitError, match=r"goal: expected one of line, flip.*received 'win'"):
        neuron(goal="win")

    class Idle(type(neuron())):  # type: ignore[misc]
        goals: ClassVar[dict[str, Any]] = {}

    with pytest.raises(traitlets.TraitError, match="it has no goals"):
        Idle(goal="line")


def test_a_task_is_done_once_and_stays_done() -> None:
    widget = neuron(target="chapter", goal="line")
    assert widget.task == widget.goals["line"].text
    assert not widget.reached
    widget.w1, widget.w2, widget.b = 1, 2, -1.5
    assert widget.hit
    assert widget.reached
    widget.b = 3
    assert not widget.hit
    assert widget.reached


def test_a_task_that_is_set_anew_is_to_be_done_anew() -> None:
    widget = neuron(target="chapter", goal="line")
    widget.w1, widget.w2, widget.b = 1, 2, -1.5
    assert widget.reached
    widget.set_state({"goal": "line", "reached": False, "b": 3.0})  # the link comes with a state of its own
    assert not widget.reached
    widget.b = -1.5
    assert widget.reached
    widget.goal = "turn"
    assert not widget.reached
    widget.goal = ""
    assert (widget.task, widget.reached) == ("", False)


def test_a_task_that_is_done_already_says_so() -> None:
    widget = neuron(target="chapter", w1=1, w2=2, b=-1.5)
    widget.goal = "line"
    assert widget.reached
    assert neuron(target="chapter", w1=1, w2=2, b=-1.5, goal="line").reached


def test_name_and_task_survive_the_way_into_the_page() -> None:
    widget = neuron(target="chapter", name="border", goal="line")
    cls = type(widget)
    reopened = cls.reopened(widget.get_state())
    assert (reopened.name, reopened.goal, reopened.reached) == ("border", "line", False)
    assert cls.reopened({**widget.get_state(), "reached": True}).reached


def played(**settings: Any) -> Any:
    return plain("Playground")(**settings)


def test_every_goal_of_the_neuron_can_be_reached() -> None:
    for goal, (w1, w2, b), settings in [
        ("line", (1, 2, -1.5), {"target": "chapter"}),
        ("flip", (-1, -2, 1.5), {"target": "flipped"}),
        ("surer", (2, 4, -3), {"target": "steeper"}),
        ("turn", (-0.6, 1.5, 0), {"no_bias": True, "x1": 1.5, "x2": 0.6}),
    ]:
        widget = neuron(goal=goal, **settings)
        assert not widget.reached, goal
        widget.w1, widget.w2 = w1, w2
        widget.b = b
        assert widget.reached, goal
    assert set(type(widget).goals) == {"line", "flip", "surer", "turn"}


def test_turning_to_the_origin_is_no_task() -> None:
    assert not neuron(no_bias=True, x1=0, x2=0, goal="turn").reached
    assert not neuron(x1=1.5, x2=0.6, w1=-0.6, w2=1.5, b=0, goal="turn").reached  # the bias is not locked


def test_every_goal_of_the_duel_can_be_reached() -> None:
    duel = plain("PerceptronDuel")
    room = duel(data="separable", mistakes=2000, own_line=True, goal="room")
    assert room.over
    assert not room.reached
    widest = room.widest
    room.own_w1, room.own_w2, room.own_b = (value / max(map(abs, widest)) for value in widest)
    assert room.reached

    twenty = duel(data="own", goal="twenty")
    for point in [(0.25, 5.5, 1), (0, 5.5, -1), (5.5, 0, 1), (-5.5, 0, -1)]:
        twenty.do_add(*point)
    twenty.mistakes = 2000
    assert twenty.over
    assert twenty.counts["mistakes"] >= 20
    assert twenty.reached

    mend = duel(data="xor", goal="mend", mistakes=4)
    mend.do_remove(1, 1)
    mend.mistakes = 2000
    assert mend.reached

    circle = duel(data="xor", goal="circle", mistakes=3)
    assert not circle.reached
    circle.do_next()
    assert circle.reached


@pytest.mark.parametrize(
    ("goal", "settings", "epochs"),
    [
        ("circle", {"hidden": [3], "activation": "relu"}, 100),
        ("no-hidden", {"hidden": [], "features": ["x1_squared", "x2_squared"]}, 40),
        (
            "spiral",
            {
                "dataset": "spiral",
                "hidden": [8, 8],
                "features": ["x1", "x2", "sin_x1", "sin_x2"],
                "optimizer": "adam",
            },
            200,
        ),
        (
            "overfit",
            {"noise": 30, "train_share": 10, "hidden": [8, 8], "optimizer": "adam", "learning_rate": 0.03},
            100,
        ),
        ("collapse", {"regularization": "L2", "regularization_rate": 0.3}, 40),
    ],
)
def test_every_goal_of_the_playground_can_be_reached(
    goal: str, settings: dict[str, Any], epochs: int
) -> None:
    widget = played(goal=goal, **settings)
    assert not widget.reached
    while widget.epoch < epochs and not widget.reached:
        widget.train(10)
    assert widget.reached, widget.summary


def test_a_playground_too_large_has_not_solved_the_circle() -> None:
    widget = played(goal="circle", hidden=[4, 2])
    widget.train(200)
    assert widget.test_loss < 0.05
    assert not widget.reached


# ---- what a link asks for


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_is_read(address: str) -> None:
    assert parse(address) == ADDRESSES[address]


def model(**settings: Any) -> pages.Model:
    """Return a widget as a page stores it."""
    state = neuron(**settings).get_state()
    plain_state = {name: value for name, value in state.items() if not isinstance(value, bytes)}
    return pages.Model("dlcore.widgets.drag_the_neuron.DragTheNeuron", "drag_the_neuron.js", plain_state, {})


@pytest.mark.parametrize(
    ("address", "complaint"),
    [
        ("#steer/border?w1=2&do=reset&goal=line", ""),
        ("#steer/border?goal=", ""),
        ("#steer/Border?w1=2", "expected #steer/name?first=action"),
        ("#steer/line?w1=2", "no widget of this page is named 'line'. Those that are: border"),
        ("#steer/border?w3=2", "no trait 'w3'"),
        ("#steer/border?do=jump", "no action 'jump'"),
        ("#steer/border?goal=win", "no goal 'win'. Its goals: line, flip"),
    ],
)
def test_a_link_that_cannot_work_is_found(address: str, complaint: str) -> None:
    found = steering.fault(address, [model(), model(name="border")])
    assert complaint in found
    assert bool(found) == bool(complaint)


CONF = """
project = "A page"
extensions = ["myst_nb", "dlcore.live"]
nb_execution_mode = "off"
nb_ipywidgets_js = {}
myst_heading_anchors = 2
live_pyodide = "https://example.org/"
"""


def page(words: str) -> dict[str, Any]:
    """Return a notebook that shows one widget and says `words`."""
    stored = model(name="border")
    entry = {
        "model_name": "AnyModel",
        "model_module": "anywidget",
        "model_module_version": "*",
        "state": {"_anywidget_id": stored.name, **stored.state},
    }
    data = {pages.VIEW: {"model_id": "one", "version_major": 2, "version_minor": 0}, "text/plain": "a neuron"}
    shown = {"output_type": "execute_result", "execution_count": 1, "data": data, "metadata": {}}
    cell = {
        "cell_type": "code",
        "execution_count": 1,
        "metadata": {},
        "outputs": [shown],
        "source": "",
        "id": "b",
    }
    state = {pages.STATE: {"state": {"one": entry}, "version_major": 2, "version_minor": 0}}
    text = {"cell_type": "markdown", "metadata": {}, "source": f"# A page\n\n{words}", "id": "a"}
    return {"cells": [text, cell], "metadata": {"widgets": state}, "nbformat": 4, "nbformat_minor": 5}


def build(folder: Path, words: str, builder: str = "html") -> tuple[int, str, Path]:
    source, target = folder / "source", folder / builder
    source.mkdir(exist_ok=True)
    (source / "conf.py").write_text(CONF)
    (source / "index.ipynb").write_text(json.dumps(page(words)))
    command = [sys.executable, "-m", "sphinx", "-q", "-E", "-W", "-b", builder, source, target]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)
    return done.returncode, done.stderr, target


def test_a_link_becomes_an_ordinary_link_and_in_print_words(tmp_path: Path) -> None:
    words = "Make [**it** steep](#steer/border?w1=4&w2=%2D8&goal=line), and see [above](#a-page)."
    code, said, target = build(tmp_path, words)
    assert code == 0, said
    html = (target / "index.html").read_text()
    link = next(found for found in re.findall("<a [^>]*>", html) if "#steer/" in found)
    assert 'href="#steer/border?w1=4&amp;w2=' in link
    assert "steer" in link.split('class="')[1].split('"')[0].split()
    assert 'title="Sets the widget border"' in link
    assert "<strong>it</strong> steep</a>" in html
    code, said, target = build(tmp_path, words, "text")
    assert code == 0, said
    assert "#steer" not in (target / "index.txt").read_text()
    assert "steep" in (target / "index.txt").read_text()


def test_a_link_that_cannot_work_stops_the_build(tmp_path: Path) -> None:
    code, said, _ = build(tmp_path, "Make [it steep](#steer/border?w3=4).")
    assert code != 0
    assert "the widget 'border' has no trait 'w3'" in said


# ---- the book's own links


def links_of(notebook: Path) -> list[str]:
    """Return the addresses of a notebook's links that steer."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return LINK.findall(
        "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    )


def models_of(notebook: Path) -> list[pages.Model]:
    """Return the widgets that a notebook stores."""
    stored = json.loads(notebook.read_text(encoding="utf-8"))["metadata"].get("widgets", {}).get(pages.STATE)
    return list(pages.read_models(stored).values()) if stored else []


def follow(address: str, models: list[pages.Model]) -> Any:
    """Do with a stored widget what a link says, as steer.js does it; return the widget, made anew.

    Raises:
        AssertionError: the link cannot work, or sets a task that is done already.
        TraitError, ValueError: the widget refuses.
    """
    found = steering.fault(address, models)
    assert not found, found
    asked = parse(address)
    assert asked is not None
    stored = next(each for each in models if each.state.get("name") == asked.name)
    cls = plain(stored.name.rpartition(".")[2])
    buffers = {trait: bytes.fromhex(digits) for trait, digits in stored.buffers.items()}

    async def obey() -> Any:  # in a loop, as `running` needs one
        widget = cls.reopened(stored.state | buffers)
        below = next(base for base in cls.__mro__ if base.__name__ == "PlainWidget")
        if asked.first:
            getattr(widget, f"do_{asked.first}")()
        below.set_state(widget, asked.values)  # where it raises; the widget's own would say it in the page
        if asked.action:
            getattr(widget, f"do_{asked.action}")()
        below.set_state(widget, {} if asked.goal is None else {"goal": asked.goal, "reached": False})
        assert not widget.reached, f"{address}: this task is done before it is begun"
        widget.running = False
        return widget

    return asyncio.run(obey())


@pytest.mark.parametrize("notebook", BOOK, ids=lambda path: path.stem)
def test_every_link_of_the_book_works(notebook: Path) -> None:
    models = models_of(notebook)
    for address in links_of(notebook):
        follow(address, models)


def test_the_book_has_links_that_steer() -> None:
    linked = {notebook.stem for notebook in BOOK if links_of(notebook)}
    assert {"01_neurons", "playground"} <= linked


@pytest.mark.parametrize(
    ("address", "complaint"),
    [
        ("#steer/border?w1=99", "w1: expected a number from -20 to 20; received 99"),
        ("#steer/border?w1=two", "received 'two'"),
        ("#steer/border?no_bias=1", "no_bias: expected True or False"),
        ("#steer/other?w1=1", "no widget of this page is named 'other'"),
        ("#steer/border?w9=1", "no trait 'w9'"),
        ("#steer/border?do=fly", "no action 'fly'"),
        ("#steer/border?first=fly", "no action 'fly'"),
        ("#steer/border?do=choose", "missing 1 required positional argument"),
        ("#steer/border?goal=fly", "no goal 'fly'"),
        ("#steer/border?target=chapter&w1=1&w2=2&b=-1.5&goal=line", "done before it is begun"),
    ],
)
def test_a_planted_fault_is_found(address: str, complaint: str) -> None:
    models = [model(name="border")]
    follow("#steer/border?target=chapter&w1=2&do=reset&goal=line", models)  # a sound one passes
    with pytest.raises(
        (AssertionError, TypeError, ValueError, traitlets.TraitError), match=re.escape(complaint)
    ):
        follow(address, models)


@pytest.mark.parametrize(
    "name", [name for name in dlcore.widgets.__all__ if name not in ("Widget", "Predict", "Quiz")]
)
def test_every_widget_that_computes_has_a_task(name: str) -> None:
    goals = getattr(dlcore.widgets, name).goals
    assert goals, f"{name} has no goals: what could a reader be asked to do with it?"
    assert all(goal.text.endswith(".") for goal in goals.values())
