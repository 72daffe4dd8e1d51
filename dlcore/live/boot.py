"""The widgets' side of the worker: opens widgets and carries messages, as a kernel does in Jupyter.

worker.js runs this file once, in a namespace of its own, and makes one `Desk`.
"""

import importlib
import traceback
from collections.abc import Callable
from typing import Any

import js
from pyodide.ffi import to_js

from dlcore.widgets import plain


class Desk:
    """The widgets of the page.

    Args:
        post: the worker's function (id, seen, content, buffers) that sends a widget's message to the page. `seen` is
            the number of the last message of the page that had been read: what the reader changed since is newer.
    """

    def __init__(self, post: Callable[[str, int, Any, Any], None]) -> None:
        self.post = post
        self.widgets: dict[str, Any] = {}
        self.ids: dict[int, str] = {}
        self.seen: dict[str, int] = {}
        plain.publish = self.publish

    def publish(self, widget: Any, content: dict[str, Any], buffers: list[Any]) -> None:
        """Send a message to the page; a widget that is still being made has none to send."""
        key = self.ids.get(id(widget))
        if key is not None:
            self.post(key, self.seen[key], _to_js(content), _to_js([memoryview(part) for part in buffers]))

    def open(self, key: str, name: str, state: Any, number: int) -> None:
        """Make the widget of class `name` in the state that the page has, and send what it makes of that."""
        module, _, cls = name.rpartition(".")
        values = {trait: _to_python(value) for trait, value in state.to_py(depth=1).items()}
        widget = getattr(importlib.import_module(module), cls).reopened(values)
        self.widgets[key], self.ids[id(widget)], self.seen[key] = widget, key, number
        widget.send_state()

    def handle(self, key: str, number: int, content: Any, buffers: Any) -> None:
        """Pass a message on to its widget; an error goes back as a sentence."""
        self.seen[key] = number
        message = content.to_py()
        try:
            self.widgets[key].handle(message, [_to_python(part) for part in buffers])
        except Exception as error:
            traceback.print_exc()
            request = message.get("content", {}).get("id")
            sentence = f"{type(error).__name__}: {error}"
            self.widgets[key].send({"type": "refused", "message": sentence, "id": request})


def _to_js(value: Any) -> Any:
    """Return plain data as JavaScript's own: objects, arrays, typed arrays with memory of their own."""
    return to_js(value, dict_converter=js.Object.fromEntries, create_pyproxies=False)


def _to_python(value: Any) -> Any:
    """Return JavaScript's plain data as Python's own; buffers as bytes."""
    if hasattr(value, "to_bytes") and hasattr(value, "js_id"):
        return value.to_bytes()
    return value.to_py() if hasattr(value, "to_py") else value
