"""What a captured step draws anew and checks anew.

`dlcore.capture` replays a step without running its Python. Random draws and checks of values live in that
Python, so whoever draws or checks says so here; outside a capture both calls do the plain thing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class Capturing(Protocol):
    """What a running capture offers to those who draw and check."""

    def draw(self, make: Callable[[], Any]) -> Any:
        """Return `make()`, and have it made again before each replay."""

    def guard(self, check: Callable[..., None], *arrays: Any) -> None:
        """Run `check(*arrays)`, and again on the values of each replay where they are known beforehand."""


#: The capture in progress, if there is one.
capturing: Capturing | None = None


def draw(make: Callable[[], Any]) -> Any:
    """Return the fresh random array `make()`."""
    return make() if capturing is None else capturing.draw(make)


def guard(check: Callable[..., None], *arrays: Any) -> None:
    """Run `check(*arrays)`, which raises if the values are unusable."""
    if capturing is None:
        check(*arrays)
    else:
        capturing.guard(check, *arrays)
