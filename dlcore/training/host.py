"""Where a training runs: a terminal, a notebook, a page in the browser. Bars and interrupts."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class Interrupts:
    """While entered, Ctrl-C (a notebook's stop button) is noted and not raised, so that no step is torn.

    A second one is raised at once. Outside the main thread Python delivers no interrupts, and nothing is done.

    Attributes:
        requested: whether an interrupt has come.
    """

    def __init__(self) -> None:
        self.requested = False
        self._before: Any = None

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            before = signal.getsignal(signal.SIGINT)
            if callable(before):  # not where interrupts are ignored on purpose
                self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True


class Silent:
    """A progress bar that shows nothing."""

    def reset(self, total: int) -> None:
        """Do nothing."""

    def update(self, n: int = 1) -> None:
        """Do nothing."""

    def set_postfix_str(self, text: str) -> None:
        """Do nothing."""


@contextmanager
def progress_bar(show: bool) -> Iterator[Any]:
    """Give tqdm's bar, for notebooks or for terminals; a silent one if not wished or not to be had."""
    if not show or sys.platform == "emscripten":  # in the browser, the page shows the progress
        yield Silent()
        return
    try:
        from tqdm.auto import tqdm
    except ImportError:
        yield Silent()
        return
    with tqdm(total=0, unit=" steps") as bar:
        yield bar
