"""The widget protocol without Jupyter: what `anywidget.AnyWidget` gives, for the page that has only traitlets.

In the page's worker there is no kernel and no comm. `publish` takes the place of the comm: a function that the host
sets, called with every message for the front end. The methods have the names and the meaning that they have in
ipywidgets, so a widget cannot tell which base it has.

Source: the Jupyter widget messaging protocol, version 2 (ipywidgets, packages/schema/messages.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import traitlets

Publish = Callable[["PlainWidget", dict[str, Any], list[Any]], None]


def _nobody(widget: PlainWidget, content: dict[str, Any], buffers: list[Any]) -> None:
    """Drop the message: no page is connected."""


#: Called with (widget, content, buffers) for every message to the front end. Content is
#: {"method": "update", "state", "buffer_paths"} or {"method": "custom", "content"}.
publish: Publish = _nobody


class PlainWidget(traitlets.HasTraits):
    """Traits marked `sync` travel to the front end when they change; bytes travel as buffers."""

    def __init__(self, **values: Any) -> None:
        self._held: dict[str, None] | None = None
        self._coming: dict[str, Any] = {}
        self._listeners: list[Callable[[Any, Any, list[Any]], None]] = []
        super().__init__(**values)

    @property
    def keys(self) -> list[str]:
        """The names of the traits that are synchronized."""
        return self.trait_names(sync=True)

    # -- to the front end

    def get_state(self, names: Iterable[str] | None = None) -> dict[str, Any]:
        """Return the values of the synchronized traits, or of those named."""
        return {name: getattr(self, name) for name in (self.keys if names is None else names)}

    def send_state(self, names: str | Iterable[str] | None = None) -> None:
        """Publish the values of the traits named, of all if none is."""
        state = self.get_state([names] if isinstance(names, str) else names)
        buffers = {name: value for name, value in state.items() if isinstance(value, (bytes, memoryview))}
        rest = {name: value for name, value in state.items() if name not in buffers}
        paths = [[name] for name in buffers]
        publish(self, {"method": "update", "state": rest, "buffer_paths": paths}, list(buffers.values()))

    def send(self, content: Any, buffers: list[Any] | None = None) -> None:
        """Publish a message that is no state."""
        publish(self, {"method": "custom", "content": content}, buffers or [])

    @contextmanager
    def hold_sync(self) -> Iterator[None]:
        """Publish all that changes inside in one message, at the end."""
        if self._held is not None:
            yield
            return
        self._held = {}
        try:
            yield
        finally:
            held, self._held = self._held, None
            if held:
                self.send_state(list(held))

    def notify_change(self, change: Any) -> None:
        """Publish a changed trait, unless the front end has just sent that very value; then tell observers."""
        name = change["name"]
        if self.has_trait(name) and self.trait_metadata(name, "sync"):
            echo = name in self._coming and _equal(self._coming[name], change["new"])
            if not echo and self._held is not None:
                self._held[name] = None
            elif not echo:
                self.send_state(name)
        super().notify_change(change)

    # -- from the front end

    def set_state(self, state: dict[str, Any]) -> None:
        """Take over values from the front end, all or none.

        Raises:
            TraitError: a value is not allowed; nothing has changed then.
        """
        self._coming = state
        try:
            with self.hold_sync(), self.hold_trait_notifications():
                for name, value in state.items():
                    if name in self.keys:
                        self.set_trait(name, value)
        finally:
            self._coming = {}

    def on_msg(self, listener: Callable[[Any, Any, list[Any]], None]) -> None:
        """Call `listener(widget, content, buffers)` for every message of the front end that is no state."""
        self._listeners.append(listener)

    def handle(self, content: dict[str, Any], buffers: list[Any]) -> None:
        """Take a message of the front end, of the form that `publish` has."""
        if content["method"] == "update":
            sent = dict(content["state"])
            sent.update({path[0]: bytes(b) for path, b in zip(content["buffer_paths"], buffers, strict=True)})
            self.set_state(sent)
        elif content["method"] == "request_state":
            self.send_state()
        elif content["method"] == "custom":
            for listener in self._listeners:
                listener(self, content["content"], buffers)
        else:
            raise ValueError(
                f"expected a message of method update, request_state or custom; received {content['method']!r}"
            )

    def close(self) -> None:
        """Forget all listeners."""
        self._listeners.clear()
        self.unobserve_all()


def _equal(a: Any, b: Any) -> bool:
    return type(a) is type(b) and bool(a == b)
