"""How long is waited: so many seconds, not counting those for which the student's Python waited for a core.

Else a submission that keeps every core busy would take the time of those graded beside it.
"""

from __future__ import annotations

import time
from collections.abc import Callable

AT_MOST = 3  # times the seconds, that waiting for a core may add


class Deadline:
    """A moment that moves on while Python waits for a core, though never past `last`.

    `waited` returns the seconds of such waiting since it was asked before.
    """

    def __init__(self, seconds: float, last: float, waited: Callable[[], float]) -> None:
        self.seconds, self.last, self.waited = seconds, last, waited
        self.at = min(last, time.monotonic() + seconds)
        self.more = AT_MOST * seconds

    def left(self) -> float:
        """Return the seconds that are left, at most zero when it is time."""
        if time.monotonic() >= self.at and self.more > 0:
            given = min(self.waited(), self.more)
            self.more -= given
            self.at = min(self.last, self.at + given)
        return self.at - time.monotonic()

    def __str__(self) -> str:
        """Return what went wrong when it is time, to go on from "your code …"."""
        whole = self.at >= self.last
        return (
            "used up the time for the whole notebook"
            if whole
            else f"ran for longer than {self.seconds:g} seconds"
        )
