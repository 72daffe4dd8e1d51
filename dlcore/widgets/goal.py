"""A widget's name, by which the prose speaks to it, and the task that the prose sets its reader.

A link of the prose, `[three units](#steer/bump?units=3&goal=two-bends)`, goes to the widget made with `name="bump"`:
it sets traits, calls an action (before that with `first=…`, after it with `do=…`), sets a task (`goal=…`). See
steer.js for the page's side of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import traitlets

from .traits import shown

NAME = re.compile(r"[a-z][a-z0-9-]*")


@dataclass(frozen=True)
class Goal:
    """Something to do with a widget.

    Attributes:
        text: what to do, in one sentence.
        reached: whether the widget's state shows that it is done. It is asked whenever `summary` changes, which a
            widget therefore sets last.
    """

    text: str
    reached: Callable[[Any], bool]


class _Word(traitlets.TraitType[str, str]):
    """A word for the machine, empty by default."""

    def __init__(self, help: str) -> None:  # noqa: A002 (named by traitlets)
        super().__init__(default_value="", help=help)
        self.tag(sync=True)

    def expected(self, obj: Any) -> str:
        """Return what the word may be, as a message says it."""
        raise NotImplementedError

    def allows(self, obj: Any, word: str) -> bool:
        """Return whether the word may be this."""
        raise NotImplementedError

    def validate(self, obj: Any, value: Any) -> str:
        """Return the word.

        Raises:
            TraitError: naming the trait, what was expected, what was received, and what stays.
        """
        if isinstance(value, str) and (not value or self.allows(obj, value)):
            return value
        kept = obj._trait_values.get(self.name, "")
        raise traitlets.TraitError(
            f"{type(obj).__name__}.{self.name}: expected {self.expected(obj)}; received {shown(value)}. "
            f"The widget keeps {shown(kept)}"
        )


class Name(_Word):
    """What the prose calls a widget."""

    def expected(self, obj: Any) -> str:
        """Return the form of a name."""
        return "small letters, digits and dashes, a letter first, or an empty text"

    def allows(self, obj: Any, word: str) -> bool:
        """Return whether it can stand in a link."""
        return bool(NAME.fullmatch(word))


class Task(_Word):
    """A key of the widget's `goals`."""

    def expected(self, obj: Any) -> str:
        """Return the keys."""
        return (
            f"one of {', '.join(obj.goals)}, or an empty text"
            if obj.goals
            else "an empty text: it has no goals"
        )

    def allows(self, obj: Any, word: str) -> bool:
        """Return whether the widget has this goal."""
        return word in obj.goals


class Guided(traitlets.HasTraits):
    """The part of a widget that the prose speaks to.

    A task is done once its state was reached, whatever the reader does afterwards, until a task is set anew: another
    `goal`, or `reached` put back to False.
    """

    goals: ClassVar[dict[str, Goal]] = {}

    name = Name("what the prose calls the widget; empty: it does not")
    goal = Task("the task, a key of `goals`; empty: none")
    reached = traitlets.Bool(False, help="whether the task is done").tag(sync=True)
    task = traitlets.Unicode("", help="the task in a sentence").tag(sync=True)

    @traitlets.observe("goal")
    def _take_on(self, _: Any) -> None:
        self.task = self.goals[self.goal].text if self.goal else ""
        if self.reached:
            self.reached = False  # and `_look` is called
        else:
            self._look()

    @traitlets.observe("summary", "reached")
    def _look(self, _: Any = None) -> None:
        """See whether the task is done; before the first summary there is nothing to see."""
        made: Any = self
        if self.goal and made.summary and not self.reached and self.goals[self.goal].reached(self):
            self.reached = True

    def resume(self, state: dict[str, Any]) -> None:
        """Take name and task over from a stored state."""
        self.name, self.goal = state.get("name", ""), state.get("goal", "")
        if self.goal and state.get("reached"):
            self.reached = True
