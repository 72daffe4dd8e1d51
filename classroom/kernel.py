"""A student's Python in a sandbox, seen from outside: cells go in, outputs come out, or it is Lost."""

from __future__ import annotations

import contextlib
import json
import math
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from . import sandbox, syscalls, usage
from .deadline import Deadline
from .sandbox import LIMITS, Limits, NoSandbox

LARGEST_FRAME = 4_000_000  # bytes
MOST_SENT = 8_000_000  # bytes of one cell; inside.py stops long before
START_SECONDS = 60
LOOK_SECONDS = 0.2  # how often memory is looked at while waiting
START = f"import sys; sys.path.insert(0, {str(sandbox.DESK)!r}); from classroom import inside; inside.main()"
ENDED = "ended Python"
STRANGE = "sent what no notebook sends"


@dataclass
class Ran:
    """What a cell left: its outputs as a notebook holds them, and the error that ended it.

    `cut` says that outputs are missing at the end, `lost` how the cell made Python end, if it did.
    """

    outputs: list[dict[str, Any]] = field(default_factory=list)
    error: str = ""
    cut: bool = False
    lost: str = ""


class Lost(RuntimeError):
    """The student's Python is gone. The message goes on from "your code …"; `ran` is what the cell left until then."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.ran = Ran()


class SandboxedKernel:
    """The student's Python: `with SandboxedKernel() as kernel: kernel.run("1 + 1")`.

    Args:
        files: a folder whose files are copied into the student's own.
        seconds: what all of it may take, from now on.
        answer: the seconds that an answer may take.
        limits: see `Limits`.

    Raises:
        NoSandbox: on entering, where no sandbox can be made. Lost: from then on.
    """

    def __init__(
        self, files: Path | None = None, *, seconds: float = 300, answer: float = 10, limits: Limits = LIMITS
    ) -> None:
        self.files, self.answer, self.limits = files, answer, limits
        self.end = time.monotonic() + seconds
        self._ready = False
        self._waited_for = 0.0  # seconds that Python has waited for a core, as of the last look
        self.values = 0  # so many have come from the student's code, and may be anything

    def __enter__(self) -> SandboxedKernel:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> SandboxedKernel:
        """Start Python and return self once it is ready."""
        if lacking := sandbox.missing():
            raise NoSandbox(lacking)
        self._open()
        try:
            self._ready = "ready" in self._receive(Deadline(START_SECONDS, math.inf, self._waited))
        except Lost as lost:
            self._end()
            said = cast("IO[bytes]", self.process.stderr).read(4000).decode(errors="replace")
            self.close()
            raise NoSandbox(
                f"Python did not start in the sandbox, it {lost}: {said.strip()[-1000:]}"
            ) from None
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        """End Python and all that it started, and return once they are gone."""
        self._end()
        self.door.settimeout(5)
        try:
            while self.door.recv(1 << 16):  # ends when the last process that could write has gone
                pass
        except OSError:
            pass
        self.door.close()
        cast("IO[bytes]", self.process.stderr).close()

    @property
    def alive(self) -> bool:
        """Whether Python is there."""
        return self.process.poll() is None

    def run(self, source: str, *, seconds: float = 30) -> Ran:
        """Run a cell and return what it left."""
        ran, sent, deadline = Ran(), 0, self._deadline(seconds)
        try:
            self._send({"run": source}, deadline)
            while "done" not in (frame := self._receive(deadline)):
                sent += len(str(frame))
                if sent > MOST_SENT:
                    raise Lost("put out more than a notebook holds")
                _take(ran, frame)
        except Lost as lost:
            lost.ran = ran
            raise
        ran.error, ran.cut = str(frame["done"])[:500], bool(frame.get("cut"))
        return ran

    def ask(self, request: str) -> str:
        """Hand a request to the desk and return its answer, both texts (see wire.py)."""
        deadline = self._deadline(self.answer)
        self._send({"ask": request}, deadline)
        return str(self._receive(deadline).get("answer"))

    def _open(self) -> None:
        """Start the sandbox. It inherits its end of the door, as standard input, and the filter of system calls."""
        self.door, theirs = socket.socketpair()
        filtered, program = os.pipe()
        os.write(program, rules := syscalls.program() or b"")
        os.close(program)
        uid = sandbox.user()
        if self.files and os.geteuid() == 0:
            for path in (self.files, *self.files.rglob("*")):
                os.chown(path, uid, uid, follow_symlinks=False)
        argv = [sys.executable, "-I", "-B", "-c", START]
        seccomp = filtered if rules else None
        with theirs:
            self.process = subprocess.Popen(
                sandbox.command(argv, uid=uid, files=self.files, seccomp=seccomp, limits=self.limits),
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=[filtered],
                env={"PATH": os.environ.get("PATH", os.defpath)},  # its first process shows what it is given
            )
        os.close(filtered)

    def _end(self) -> None:
        """End the first process within, and the kernel ends the others; bwrap then buries it, which nobody else may."""
        for first in usage.children(self.process.pid):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(first, signal.SIGKILL)
        try:
            self.process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _deadline(self, seconds: float) -> Deadline:
        found = Deadline(seconds, self.end, self._waited)
        if found.left() <= 0:
            raise Lost(str(found))
        return found

    def _waited(self) -> float:
        before, self._waited_for = self._waited_for, usage.waited(self.process.pid)
        return max(0.0, self._waited_for - before)

    def _send(self, frame: dict[str, Any], deadline: Deadline) -> None:
        data = json.dumps(frame).encode()
        self.door.settimeout(max(0.01, deadline.left()))
        try:
            self.door.sendall(struct.pack(">I", len(data)) + data)
        except TimeoutError:
            raise Lost("did not listen any more") from None
        except OSError:
            raise Lost(ENDED) from None

    def _receive(self, deadline: Deadline) -> dict[str, Any]:
        (size,) = struct.unpack(">I", self._bytes(4, deadline))
        if size > LARGEST_FRAME:
            raise Lost(STRANGE)
        try:
            frame = json.loads(self._bytes(size, deadline))
        except (ValueError, RecursionError):
            frame = None
        if not isinstance(frame, dict):
            raise Lost(STRANGE)
        return frame

    def _bytes(self, size: int, deadline: Deadline) -> bytes:
        held = bytearray()
        while len(held) < size:
            if (left := deadline.left()) <= 0:
                raise Lost(str(deadline))
            self.door.settimeout(min(left, LOOK_SECONDS))
            try:
                part = self.door.recv(min(size - len(held), 1 << 16))
            except TimeoutError:
                self._look()
                continue
            except OSError:
                part = b""
            if not part:
                raise Lost(ENDED)
            held += part
        return bytes(held)

    def _look(self) -> None:
        if not self._ready:  # while it is made, a sandbox still sees this machine's folders
            return
        if what := usage.too_much(self.process.pid, self.limits):
            raise Lost(what)


def _take(ran: Ran, frame: dict[str, Any]) -> None:
    """Add an output to those of the cell; prints that follow each other become one."""
    if "clear" in frame:
        ran.outputs.clear()
        return
    output = frame.get("output")
    if not isinstance(output, dict):
        return
    last = ran.outputs[-1] if ran.outputs else {}
    if output.get("output_type") == "stream" and last.get("name") == output.get("name"):
        last["text"] = str(last.get("text")) + str(output.get("text"))
    else:
        ran.outputs.append(output)
