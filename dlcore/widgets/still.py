"""Widgets that ask and show, and compute nothing: once made they need no Python."""

from __future__ import annotations

from typing import Any

import traitlets

from .base import Widget


class Still(Widget):
    """A widget whose view does all: the page starts no Python for it, and keeps what the reader sets.

    In a notebook it is like every other: what the reader sets comes to Python.
    """

    still = traitlets.Bool(True, help="whether the page starts no Python for it").tag(sync=True)
    kept: Any = traitlets.List(help="the traits that the page remembers when the reader comes back").tag(
        sync=True
    )
    memory = traitlets.Unicode("", help="under what name it remembers them; empty: it forgets").tag(sync=True)
