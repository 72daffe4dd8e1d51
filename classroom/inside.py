"""The student's Python, in the sandbox: it runs cells as a notebook does and sends what they put out.

IPython without the machinery of a kernel: no ports, no threads, no message protocol. It starts in a third of the time,
and all that leaves it goes through one socket, handed over as standard input. A frame is four bytes of length and JSON.

The process outside trusts nothing that comes from here; the limits below are for honest accidents.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
import sys
import threading
import traceback
from pathlib import Path
from typing import Any, ClassVar

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

from classroom import desk

MOST_OUTPUT = 500_000  # characters of a cell's outputs; the rest is cut
PIECE = 8000  # characters of printed text that are sent at once
AT_ONCE = 100  # so many lines are sent as they are printed, later ones in pieces
HANDED_IN = Path("/handed-in")


class Door:
    """The socket to the process outside, and how much a cell may still send."""

    open: ClassVar[Door]  # the one that there is

    def __init__(self, channel: socket.socket) -> None:
        self.channel, self.reader = channel, channel.makefile("rb")
        self.lock, self.process = threading.Lock(), os.getpid()
        self.left, self.cut = MOST_OUTPUT, False

    def send(self, frame: dict[str, Any]) -> None:
        """Send a frame. A copy of this process that the student's code forked ends here."""
        if os.getpid() != self.process:
            os._exit(1)
        data = json.dumps(frame).encode()
        with self.lock:
            self.channel.sendall(struct.pack(">I", len(data)) + data)

    def receive(self) -> dict[str, Any] | None:
        """Return the next request, or None when the process outside is gone."""
        head = self.reader.read(4)
        if os.getpid() != self.process or len(head) < 4:
            return None
        found: dict[str, Any] = json.loads(self.reader.read(struct.unpack(">I", head)[0]))
        return found

    def put(self, output: dict[str, Any]) -> None:
        """Send an output of the running cell, if there is room for it."""
        try:
            texts = sum(len(one) for one in output.get("data", {}).values() if isinstance(one, str))
            size = texts if texts > self.left else len(json.dumps(output))
        except (TypeError, ValueError, AttributeError):  # a display of something that is no JSON
            return
        if size > self.left:
            self.cut = True
            return
        self.left -= size
        self.send({"output": output})


class Stream:
    """Stands for sys.stdout or sys.stderr."""

    encoding, errors = "utf-8", "replace"

    def __init__(self, door: Door, name: str) -> None:
        self.door, self.name, self.held, self.sent = door, name, "", 0

    def write(self, text: str) -> int:
        """Take a text, as much as there is room for."""
        if not isinstance(text, str):
            raise TypeError(f"expected text to write; received {type(text).__name__}")
        size, room = len(text), max(0, self.door.left - len(self.held))
        if len(text) > room:
            self.door.cut = True
            text = text[:room]
        self.held += text
        if self.held and (len(self.held) > PIECE or (self.sent < AT_ONCE and "\n" in text)):
            self.flush()
        return size

    def writelines(self, lines: Any) -> None:
        """Take several texts."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Send what is held."""
        text, self.held = self.held, ""
        for start in range(0, len(text), PIECE):
            self.sent += 1
            self.door.put({"output_type": "stream", "name": self.name, "text": text[start : start + PIECE]})

    def isatty(self) -> bool:
        """Nobody looks on."""
        return False


class Publisher(DisplayPublisher):
    """What display() calls."""

    def publish(self, data: Any, metadata: Any = None, source: Any = None, **_: Any) -> None:
        """Send a display, behind what was printed before it."""
        _flush()
        Door.open.put({"output_type": "display_data", "data": data, "metadata": metadata or {}})

    def clear_output(self, wait: bool = False) -> None:
        """Take back what the cell has put out so far."""
        _flush()
        if Door.open.left:
            Door.open.send({"clear": True})


class Hook(DisplayHook):
    """What shows the value of a cell's last line."""

    def write_output_prompt(self) -> None:
        """No prompt: the notebook has its own."""

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        """Send a value."""
        _flush()
        result = {"output_type": "execute_result", "execution_count": None, "data": format_dict}
        Door.open.put(result | {"metadata": md_dict or {}})

    def finish_displayhook(self) -> None:
        """Nothing is left to be written."""


class Shell(InteractiveShell):
    """IPython whose outputs go through the door."""

    displayhook_class = Type(Hook)
    display_pub_class = Type(Publisher)

    def _showtraceback(self, etype: Any, evalue: Any, stb: Any) -> None:
        _flush()
        lines = [str(line)[:2000] for line in stb][:60]
        said = {"output_type": "error", "ename": str(etype.__name__), "evalue": _said(evalue)[:2000]}
        Door.open.put(said | {"traceback": lines})

    def enable_gui(self, gui: Any = None) -> None:
        """There is no screen."""


def _said(error: BaseException | None) -> str:
    try:
        return str(error)
    except BaseException:  # a message of the student's that raises
        return ""


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, Stream):
            stream.flush()


def _shell() -> Shell:
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "NoColor"
    config.InteractiveShell.xmode = "Context"
    shell = Shell.instance(config=config)
    shell.set_custom_exc((RecursionError,), _recursion)  # type: ignore[no-untyped-call]
    return shell


def _recursion(shell: Shell, etype: Any, evalue: Any, tb: Any, tb_offset: Any = None) -> list[str]:
    """Show the ends of a thousand frames: IPython would look at the source of each."""
    lines = traceback.format_exception(etype, evalue, tb, limit=-3)
    shell._showtraceback(etype, evalue, [line.rstrip() for line in lines])
    return lines


def _ran(shell: Shell, source: str) -> dict[str, Any]:
    """Run a cell and return the frame that ends it."""
    Door.open.left, Door.open.cut = MOST_OUTPUT, False
    sys.stdout, sys.stderr = Stream(Door.open, "stdout"), Stream(Door.open, "stderr")
    found = shell.run_cell(source, store_history=True)  # type: ignore[no-untyped-call]
    _flush()
    error = found.error_before_exec or found.error_in_exec
    said = f"{type(error).__name__}: {_said(error)}"[:500] if error else ""
    return {"done": said, "cut": Door.open.cut}


def _copy() -> None:
    """Copy what was handed in beside the notebook to the student's folder."""
    for path in sorted(HANDED_IN.rglob("*")):
        copy = Path.cwd() / path.relative_to(HANDED_IN)
        if path.is_dir():
            copy.mkdir()
        else:
            copy.write_bytes(path.read_bytes())


def main() -> None:
    """Serve the process outside until it closes the door."""
    Door.open = Door(socket.socket(fileno=os.dup(0)))
    _copy()
    with contextlib.suppress(OSError):  # where memory is short, this process goes first
        Path("/proc/self/oom_score_adj").write_text("1000")
    shell = _shell()
    sys.path.insert(0, "")
    with Path(os.devnull).open(
        "r+b"
    ) as nowhere:  # a cell that reads or writes there finds neither us nor the door
        for standard in (0, 1, 2):
            os.dup2(nowhere.fileno(), standard)
    Door.open.send({"ready": True})
    while asked := Door.open.receive():
        if "run" in asked:
            Door.open.send(_ran(shell, asked["run"]))
        else:
            Door.open.left = (
                0  # a picture that a function shows while it is judged would be taken for its answer
            )
            Door.open.send({"answer": desk.answer(shell.user_ns, asked["ask"])})
