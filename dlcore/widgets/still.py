"""Widgets that ask and show, and compute nothing: once made they need no Python."""

from __future__ import annotations

import traitlets

from .base import Widget


class Still(Widget):
    """A widget whose view does all: the page starts no Python for it, and keeps what the reader sets.

    In a notebook it is like every other: what the reader sets comes to Python.
    """

    still = traitlets.Bool(True, help="whether the page starts no Python for it").tag(sync=True)
    memory = traitlets.Unicode(
        "", help="under what name the page remembers what the reader set; empty: it forgets"
    ).tag(sync=True)
