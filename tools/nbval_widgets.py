"""Pytest plugin beside nbval: the stored state of widgets is compared, too, and numbers only where they can be.

nbval compares what cells print and draw. What a widget shows in the built page lies elsewhere, in the state that the
notebook stores: the result of a prediction, the numbers of a table, the sentence for a screen reader. After the last
cell the state of each widget that was shown must be the stored one. Numbers may differ in the seventh digit, and of
bytes (pictures, arrays) only the length counts: another processor may round them differently.

Where a machine cannot round as the one does that wrote the notebooks (``tools/rounding.py``), what training prints
differs in more than its last digits. There every number counts as equal to every other, in outputs and in states, but
for shapes, and of a figure only that there is one: each cell still runs, and its words must be the stored ones.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest

from tools import rounding
from tools.notebooks import WIDGET_STATE, WIDGET_VIEW

SAME = 1e-6  # relative
MACHINERY = {"layout", "tabbable", "tooltip"}
# What is masked where digits are not compared. A number takes the blanks around it along: they fill its column up.
FIGURE = r"(?s)<svg.*</svg>"
SHAPE = r"(?P<shape>\(\d+,(?: \d+,?)*\))"
NUMBER = r" *(?<![\w.])[-+−]?\d++(?:,\d{3})*+(?:\.\d*+)?+(?:e[-+]?\d++)?+(?!\w) *"


def hide(found: re.Match[str]) -> str:
    """Return what stands for a number: a shape, such as (3,) or (3, 4), stands for itself."""
    return found["shape"] or " NUMBER "


MASKS: dict[str, str | Callable[[re.Match[str]], str]] = {FIGURE: "FIGURE", rf"{SHAPE}|{NUMBER}": hide}


class Differs(AssertionError):
    """A widget's state is not the one that the notebook stores."""


def pytest_configure(config: pytest.Config) -> None:
    """Listen to what kernels say of their widgets, where nbval is installed."""
    if config.pluginmanager.hasplugin("nbval"):
        from nbval.plugin import IPyNbFile  # type: ignore[import-untyped]

        listen(IPyNbFile)
        if not rounding.compares_digits():
            mask(IPyNbFile)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say where the digits of notebooks were not compared."""
    if config.getoption("nbval", False) and not rounding.compares_digits():
        terminalreporter.write_line(rounding.WHY)


def mask(notebook: Any) -> None:
    """Let a class of nbval's compare outputs without their numbers."""
    read = notebook.setup_sanitize_files

    def setup_sanitize_files(self: Any) -> None:
        read(self)
        self.sanitize_patterns |= MASKS

    notebook.setup_sanitize_files = setup_sanitize_files


def masked(text: str) -> str:
    """Return a text without its numbers."""
    for pattern, hidden in MASKS.items():
        text = re.sub(pattern, hidden, text)
    return text


def listen(notebook: Any) -> None:
    """Let a class of nbval's keep the state of all widget models that its kernel tells of."""
    if hasattr(notebook, "widget_states"):
        return
    receive = notebook.get_kernel_message

    def get_kernel_message(self: Any, *arguments: Any, **options: Any) -> Any:
        message = receive(self, *arguments, **options)
        note(self.__dict__.setdefault("widget_states", {}), message)
        return message

    notebook.widget_states = {}
    notebook.get_kernel_message = get_kernel_message


def note(states: dict[str, dict[str, Any]], message: Any) -> None:
    """Take over what a message of the kernel says of a widget's state."""
    if message["msg_type"] in ("comm_open", "comm_msg"):
        data = message["content"]["data"]
        state = states.setdefault(message["content"]["comm_id"], {})
        state.update(data.get("state", {}))
        for path, buffer in zip(data.get("buffer_paths", []), message.get("buffers", []), strict=False):
            state[path[0]] = bytes(buffer)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Compare the widgets after the last cell of a notebook."""
    outcome = yield
    notebook: Any = item.parent
    if type(item).__name__ == "IPyNbCell":
        cell: Any = item
        shown = notebook.__dict__.setdefault("widgets_shown", {})
        shown |= dict(zip(views(cell.test_outputs), views(cell.cell.outputs), strict=False))
        if cell.cell is last_cell(notebook.nb) and cell.options["check"]:
            stored = notebook.nb.metadata.get("widgets", {}).get(WIDGET_STATE, {}).get("state", {})
            found = list(differences(shown, notebook.__dict__.get("widget_states", {}), stored))
            if found:
                raise Differs("\n".join([*found, "Run the notebook again: tools/notebooks.py"]))
    return outcome


def last_cell(notebook: Any) -> Any:
    """Return the last code cell that nbval runs."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"][-1]


def views(outputs: Any) -> list[str]:
    """Return the ids of the widget models that outputs show."""
    return [
        output["data"][WIDGET_VIEW]["model_id"] for output in outputs if WIDGET_VIEW in output.get("data", {})
    ]


def differences(
    shown: dict[str, str], now: dict[str, dict[str, Any]], stored: dict[str, Any]
) -> Iterator[str]:
    """Yield how the widgets shown differ from those stored.

    Args:
        shown: from the id of a model in the kernel to the id of the same one in the notebook.
        now: the state of each model in the kernel.
        stored: that of each model in the notebook, with its buffers.
    """
    for model, name in shown.items():
        before = dict(stored.get(name, {}).get("state", {}))
        before |= {each["path"][0]: size(each["data"]) for each in stored.get(name, {}).get("buffers", [])}
        after = {
            key: len(value) if isinstance(value, bytes) else value
            for key, value in now.get(model, {}).items()
        }
        widget = before.get("_anywidget_id", name).rpartition(".")[2]
        for key in sorted((before.keys() | after.keys()) - MACHINERY):
            if not key.startswith("_"):
                yield from differing(f"{widget}.{key}", before.get(key), after.get(key))


def size(base64: str) -> int:
    """Return how many bytes a text in Base64 stands for."""
    letters = base64.strip().replace("\n", "")
    return len(letters) * 3 // 4 - letters.count("=", -2)


def differing(place: str, stored: Any, now: Any) -> Iterator[str]:
    """Yield where two values of a state differ, by more than the rounding of a number."""
    if isinstance(stored, dict) and isinstance(now, dict):
        for key in stored.keys() | now.keys():
            yield from differing(f"{place}.{key}", stored.get(key), now.get(key))
    elif isinstance(stored, list) and isinstance(now, list | tuple) and len(stored) == len(now):
        for i, (before, after) in enumerate(zip(stored, now, strict=True)):
            yield from differing(f"{place}[{i}]", before, after)
    elif not same(stored, now):
        yield f"{place}: the notebook stores {short(stored)}, the run gives {short(now)}"


def same(a: Any, b: Any) -> bool:
    """Return whether two values are the same, numbers but for their rounding."""
    if not rounding.compares_digits():
        if is_number(a) and is_number(b):
            return True
        if isinstance(a, str) and isinstance(b, str):
            return masked(a) == masked(b)
    if isinstance(a, float) and isinstance(b, int | float):
        return math.isclose(a, b, rel_tol=SAME, abs_tol=SAME) or (math.isnan(a) and math.isnan(b))
    return bool(a == b)


def is_number(value: Any) -> bool:
    """Return whether a value of a state is a number, as a truth value is not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def short(value: Any) -> str:
    """Return a value as a text of at most 80 letters."""
    return repr(value)[:80]
