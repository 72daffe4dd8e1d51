"""Stock Firefox, driven by its own protocol: WebDriver BiDi, JSON messages over a WebSocket.

Playwright drives Firefoxes of its own make. A stock one it reaches by an undocumented channel only, which asks Debian's
ESR for a command that it does not know. What our tests need is small: open a page, evaluate a script, click and press
keys as a reader does, and hear of errors and requests.

    with firefox(folder) as browser:
        browser.open(url)
        browser.click("button")
        browser.until("document.title === 'done'")

Source: https://www.w3.org/TR/webdriver-bidi/
"""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

PROGRAM = next(filter(None, map(shutil.which, ("firefox-esr", "firefox"))), None)
PATIENCE = 60.0  # seconds for anything: the start, an answer, a condition
EVENTS = ["log.entryAdded", "network.beforeRequestSent", "network.fetchError"]
# On top of what Firefox itself sets when it is driven: it asks nobody anything.
SETTINGS = {
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.prefetch-next": False,
    "services.settings.server": "data:,",
}


class Firefox:
    """A browser with one page, what the page asked for, and what it complained about."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.name = self._call("session.new", capabilities={})["capabilities"]["browserVersion"]
        self._call("session.subscribe", events=EVENTS)
        # The tab that is there at the start never has the focus, and a key presses no button in it.
        self._page = self._call("browsingContext.create", type="tab")["context"]

    # -- the protocol

    def _call(self, method: str, **parameters: Any) -> Any:
        """Send a command and return its result, hearing events meanwhile.

        Raises:
            RuntimeError: the browser refused, with its words.
        """
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv())
            if message["type"] == "event":
                self._hear(message["method"], message["params"])
            elif message.get("id") == number:
                if message["type"] == "error":
                    raise RuntimeError(f"{method}: {message['error']}: {message['message']}")
                return message["result"]

    def _hear(self, event: str, what: Any) -> None:
        if event == "network.beforeRequestSent":
            self.requests.append(what["request"]["url"])
        elif event == "network.fetchError":
            self.complaints.append(f"no answer from {what['request']['url']}: {what['errorText']}")
        elif what["level"] == "error":
            self.complaints.append(what["text"])

    # -- what a reader does

    def open(self, url: str) -> None:
        """Open a page and wait until it is loaded."""
        self._call("browsingContext.navigate", context=self._page, url=url, wait="complete")

    def prepare(self, script: str) -> None:
        """Run a script in every page that is opened from now on, before its own."""
        self._call("script.addPreloadScript", functionDeclaration=f"() => {{ {script} }}")

    def size(self, width: int, height: int) -> None:
        """Set the size of the page's view, in CSS pixels."""
        self._call(
            "browsingContext.setViewport", context=self._page, viewport={"width": width, "height": height}
        )

    def _evaluate(self, expression: str) -> Any:
        """Return what a script gives, in the protocol's form of values.

        Raises:
            RuntimeError: the script threw.
        """
        answer = self._call(
            "script.evaluate", expression=expression, target={"context": self._page}, awaitPromise=True
        )
        if answer["type"] == "exception":
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']['text']}")
        return answer["result"]

    def evaluate(self, expression: str) -> Any:
        """Return what an expression, or the promise that it is, gives: anything that JSON can say."""
        text = self._evaluate(f"Promise.resolve({expression}).then(given => JSON.stringify(given ?? null))")
        return json.loads(text["value"])

    def until(self, condition: str, patience: float = PATIENCE) -> None:
        """Wait until an expression is true in the page.

        Raises:
            AssertionError: it does not become true within so many seconds; names what the page complained of.
        """
        deadline = time.monotonic() + patience
        while not self.evaluate(f"Boolean({condition})"):
            assert time.monotonic() < deadline, f"after {patience} s not {condition}; {self.complaints}"
            time.sleep(0.05)

    def _act(self, kind: str, *actions: dict[str, Any]) -> None:
        source = {"type": kind, "id": kind, "actions": list(actions)}
        self._call("input.performActions", context=self._page, actions=[source])

    def click(self, selector: str) -> None:
        """Click the middle of the first element that the CSS selector finds."""
        self.evaluate(
            f"document.querySelector({selector!r}).scrollIntoView({{block: 'center', behavior: 'instant'}})"
        )
        element = self._evaluate(f"document.querySelector({selector!r})")
        origin = {"type": "element", "element": {"sharedId": element["sharedId"]}}
        self._act(
            "pointer",
            {"type": "pointerMove", "x": 0, "y": 0, "origin": origin},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        )

    def press(self, key: str) -> None:
        """Press a key, given as the character that WebDriver has for it, and let it go."""
        self._act("key", {"type": "keyDown", "value": key}, {"type": "keyUp", "value": key})


def _address(profile: Path, process: subprocess.Popen[bytes]) -> str:
    """Return where the browser listens, which it writes into its profile."""
    note = profile / "WebDriverBiDiServer.json"
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            told = json.loads(note.read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            told = None
        if told:
            return f"ws://{told['ws_host']}:{told['ws_port']}/session"
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(
                f"Firefox did not say within {PATIENCE:.0f} s where it listens: {process.poll()}"
            )
        time.sleep(0.1)


@contextmanager
def firefox(folder: Path) -> Iterator[Firefox]:
    """Start a headless Firefox with a profile of its own in `folder`; end it on leaving.

    Raises:
        RuntimeError: it did not start.
    """
    import websocket  # comes with Jupyter

    assert PROGRAM, "no firefox: install firefox-esr"
    profile = folder / "profile"
    profile.mkdir()
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in SETTINGS.items()]
    (profile / "user.js").write_text("\n".join(lines), encoding="utf-8")
    command = [
        PROGRAM,
        "--headless",
        "--no-remote",
        "--profile",
        profile,
        "--remote-debugging-port",
        "0",
        "about:blank",
    ]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, **quiet)  # type: ignore[call-overload]
    try:
        # With an origin, a page could be calling: Firefox takes none.
        address = _address(profile, process)
        with closing(websocket.create_connection(address, timeout=PATIENCE, suppress_origin=True)) as socket:
            yield Firefox(socket)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
