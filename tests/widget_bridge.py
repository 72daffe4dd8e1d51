"""Widgets in a real browser, computed by the real Python: a bridge between a page and this process.

The page's model is the live page's (dlcore/live/model.js), over HTTP (see widget_bridge.html): what it sends is posted
and goes to `PlainWidget.handle`; what Python publishes comes as server-sent events. The widget lives in an event loop
of its own thread, as in a kernel, so that its training runs while a test waits for the page.

    Playground = plain("Playground")              # the class on the base it has in the static page
    with Bridge() as bridge:
        bridge.open(page, Playground(seed=1))     # a Playwright page; several widgets make one page of several
        page.get_by_role("button", name="Run").click()
        bridge.do(lambda: widget.epoch)           # in the widget's thread
    # leaving the block fails if Python raised meanwhile

`python -m tests.widget_bridge Playground` serves one for looking at by hand.
"""

from __future__ import annotations

import asyncio
import base64
import importlib
import importlib.util
import itertools
import json
import queue
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tools.serve import BookHandler

ROOT = Path(__file__).resolve().parent.parent
WIDGETS = ROOT / "dlcore" / "widgets"
PAGE = Path(__file__).with_suffix(".html")
NAMES = map(str, itertools.count())  # no two widgets of this process have the same


@cache
def _without_anywidget() -> dict[str, Any]:
    """Return the modules of dlcore.widgets imported as in the page, where anywidget is not installed."""
    import dlcore

    def ours() -> list[str]:
        return [name for name in sys.modules if name.split(".")[:2] == ["dlcore", "widgets"]]

    kept = {name: sys.modules.pop(name) for name in ours()}
    anywidget = sys.modules.get("anywidget")
    sys.modules["anywidget"] = None  # type: ignore[assignment]
    try:
        package = importlib.import_module("dlcore.widgets")
        for name in package.__all__:
            if importlib.util.find_spec(f"dlcore.widgets.{package._HOMES[name]}"):
                getattr(package, name)
        return {name: sys.modules[name] for name in ours()}
    finally:
        for name in ours():
            del sys.modules[name]
        sys.modules.update(kept)
        del sys.modules["anywidget"]
        if anywidget is not None:
            sys.modules["anywidget"] = anywidget
        if "dlcore.widgets" in kept:
            dlcore.widgets = kept["dlcore.widgets"]  # type: ignore[attr-defined]


def plain(name: str) -> Any:
    """Return the widget class `name` on `PlainWidget`, whether or not anywidget is installed."""
    modules = _without_anywidget()
    return getattr(modules[f"dlcore.widgets.{modules['dlcore.widgets']._HOMES[name]}"], name)


@cache
def _server() -> ThreadingHTTPServer:
    """Return the one server of this process: a browser keeps the files of an address that it knows."""
    serving = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving.daemon_threads = True
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    return serving


class Bridge:
    """The Python behind a page with widgets in it, one bridge at a time; `errors` holds what it raised meanwhile."""

    def __init__(self) -> None:
        self.errors: list[str] = []
        self.widgets: dict[str, Any] = {}
        self._seen: dict[str, int] = {}  # the last message of the page that a widget has read
        self._outgoing: dict[str, queue.Queue[str | None]] = {}
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(lambda _, context: self.errors.append(repr(context)))
        self.address = f"http://127.0.0.1:{_server().server_port}"

    def __enter__(self) -> Bridge:
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        Handler.bridge = self
        self._plain = _without_anywidget()["dlcore.widgets.plain"]
        self._plain.publish = self._publish
        return self

    def __exit__(self, kind: Any, *_: Any) -> None:
        for widget in self.widgets.values():
            self.do(partial(setattr, widget, "running", False))
        for outgoing in self._outgoing.values():
            outgoing.put(None)
        self.do(self._cancel_tasks)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._plain.publish = self._plain._nobody
        if kind is None:
            assert self.errors == [], self.errors

    def _cancel_tasks(self) -> None:
        for task in asyncio.all_tasks(self._loop) - {asyncio.current_task()}:
            task.cancel()

    def do(self, action: Callable[[], Any]) -> Any:
        """Call `action` in the widgets' thread and return what it returns."""

        async def call() -> Any:
            return action()

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(60)

    def url(self, *widgets: Any, theme: str = "light", width: str = "auto") -> str:
        """Return the address of a page that shows `widgets` in a column of the CSS length `width`."""
        names = []
        for widget in widgets:
            known = [name for name, other in self.widgets.items() if other is widget]
            names.append(known[0] if known else next(NAMES))
            self.widgets[names[-1]] = widget
        sources = [self.widgets[name].source for name in names]
        sheets = {str(Path(source).with_suffix(".css")) for source in sources}
        styles = sorted(sheet for sheet in sheets if (WIDGETS / sheet).exists())
        lists = {"names": names, "sources": sources, "styles": styles}
        query = {name: ",".join(values) for name, values in lists.items()} | {"theme": theme, "width": width}
        return f"{self.address}/?{urlencode(query)}"

    def open(self, page: Any, *widgets: Any, fragment: str = "", **look: str) -> None:
        """Show `widgets` in the Playwright page; return when they are drawn."""
        page.goto(self.url(*widgets, **look) + fragment)
        page.wait_for_function("window.ready === true")

    @contextmanager
    def late(self) -> Iterator[list[str]]:
        """Keep back what Python says, until the block is left; gives the messages."""
        kept: list[str] = []
        queues = dict(self._outgoing)
        waiting: queue.Queue[str | None] = queue.Queue()
        self._outgoing.update(dict.fromkeys(queues, waiting))
        yield kept

        def tell() -> None:
            self._outgoing.update(queues)
            while not waiting.empty():
                if message := waiting.get():
                    kept.append(message)
                    queues[json.loads(message)["id"]].put(message)

        self.do(tell)

    # -- between the threads

    def _publish(self, widget: Any, content: dict[str, Any], buffers: list[Any]) -> None:
        for name, known in self.widgets.items():
            if known is widget and name in self._outgoing:
                packed = [base64.b64encode(buffer).decode() for buffer in buffers]
                message = {"id": name, "seen": self._seen[name], "content": content, "buffers": packed}
                self._outgoing[name].put(json.dumps(message, allow_nan=False))

    def take(self, name: str, number: int, content: dict[str, Any]) -> None:
        """Hand a message of the page to its widget."""
        if name in self.widgets:  # else a last word to the bridge before
            self._loop.call_soon_threadsafe(self._hand, name, number, content)

    def _hand(self, name: str, number: int, content: dict[str, Any]) -> None:
        self._seen[name] = number
        self.widgets[name].handle(content, [])

    def connect(self, names: list[str]) -> queue.Queue[str | None]:
        """Return the queue of what Python has to say to the page just opened."""
        messages: queue.Queue[str | None] = queue.Queue()
        self._seen.update(dict.fromkeys(names, 0))
        self._outgoing.update(dict.fromkeys(names, messages))
        return messages


class Handler(BookHandler):
    """The page, the widgets' files, the book's styles, and the two directions of the bridge."""

    protocol_version = "HTTP/1.1"
    bridge: Bridge  # the one that is open

    def __init__(self, *args: Any) -> None:
        super().__init__(*args, directory=str(WIDGETS))

    def translate_path(self, path: str) -> str:
        """Find the book's style sheets in the packages that bring them."""
        for package in ("pydata_sphinx_theme", "sphinx_book_theme"):
            if path.startswith(f"/{package}/"):
                found = importlib.util.find_spec(package)
                home = Path(found.origin).parent if found and found.origin else ROOT
                return str(home / "theme" / package / "static" / path.removeprefix(f"/{package}/"))
        if path.startswith("/live/"):
            return str(ROOT / "dlcore" / path[1:])
        return str(ROOT / path[1:]) if path.startswith("/_static/") else super().translate_path(path)

    def do_GET(self) -> None:  # noqa: N802 (named by the base class)
        if self.path.startswith("/?"):
            self._answer(PAGE.read_bytes(), "text/html; charset=utf-8")
        elif self.path.startswith("/messages/"):
            self._tell(self.bridge.connect(self.path.removeprefix("/messages/").split(",")))
        else:
            super().do_GET()

    def do_POST(self) -> None:  # noqa: N802
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.bridge.take(sent["id"], sent["number"], sent["content"])
        self._answer(b"", "text/plain")

    def _answer(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _tell(self, messages: queue.Queue[str | None]) -> None:
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        try:
            self.wfile.write(b": open\n\n")
            while (message := messages.get()) is not None:
                self.wfile.write(f"data: {message}\n\n".encode())
        except (BrokenPipeError, ConnectionResetError):
            pass  # the page is gone


def main() -> None:
    """Serve a widget for looking at by hand until Enter is pressed."""
    with Bridge() as bridge:
        widgets = [bridge.do(plain(name)) for name in sys.argv[1:]]
        input(f"{bridge.url(*widgets)}\nEnter stops it.")


if __name__ == "__main__":
    main()
