"""Typed traits: what a widget's setting may be, said once, checked at every change.

A trait names its own range, so one error fits all: the trait, what was expected, what was received, and what the
widget keeps. Front ends read the same range from `Widget.choices`.

    Number     a float in a range          Whole     an integer in a range
    Choice     one of a few words          Switch    True or False
    Wholes     a list of integers          Choices   a list of words, each once
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import traitlets

__all__ = ["Choice", "Choices", "Number", "Setting", "Switch", "Whole", "Wholes", "real", "shown"]

LONGEST = 100  # letters of a value in a message


def real(value: Any) -> float:
    """Return a number as a float, and NaN for whatever is none: no comparison with a range then holds.

    >>> real(3), real("3"), real(True), real(10**400)
    (3.0, nan, nan, nan)
    """
    try:
        return math.nan if isinstance(value, (bool, str)) else float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def shown(value: Any) -> str:
    """Return a value as a message shows it: of a long one, its beginning."""
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


class Setting(traitlets.TraitType[Any, Any]):
    """Base of the typed traits: synchronized with the front end, refused with one form of message.

    A subclass says in `expected` what it takes, and returns the clean value from `clean` or raises ValueError.
    """

    expected = ""

    def __init__(self, default_value: Any) -> None:
        super().__init__(default_value=default_value)
        self.tag(sync=True)

    def clean(self, value: Any) -> Any:
        """Return the value as it is stored; raise ValueError if it is not allowed."""
        raise NotImplementedError

    def validate(self, obj: Any, value: Any) -> Any:
        """Return the clean value.

        Raises:
            TraitError: naming the trait, what was expected, what was received, and what stays.
        """
        try:
            return self.clean(value)
        except (TypeError, ValueError, OverflowError):
            pass
        kept = obj._trait_values.get(self.name, self.default_value)
        raise traitlets.TraitError(
            f"{type(obj).__name__}.{self.name}: expected {self.expected}; received {shown(value)}. "
            f"The widget keeps {shown(kept)}"
        )


class Number(Setting):
    """A finite float from `low` to `high`, both included."""

    def __init__(self, default_value: float, *, low: float, high: float) -> None:
        super().__init__(default_value)
        self.low, self.high = low, high
        self.expected = f"a number from {low:g} to {high:g}"

    def clean(self, value: Any) -> float:
        """Return the value as a float."""
        number = real(value)
        if not self.low <= number <= self.high:
            raise ValueError
        return number


class Whole(Setting):
    """An integer from `low` to `high`, both included."""

    def __init__(self, default_value: int, *, low: int, high: int) -> None:
        super().__init__(default_value)
        self.low, self.high = low, high
        self.expected = f"a whole number from {low} to {high}"

    def clean(self, value: Any) -> int:
        """Return the value as an int; 3.0 is 3, as JavaScript has no integers."""
        number = int(value)
        if isinstance(value, (bool, str)) or number != value or not self.low <= number <= self.high:
            raise ValueError
        return number


class Choice(Setting):
    """One of a few words, by default the first."""

    def __init__(self, *options: str, default: str | None = None) -> None:
        super().__init__(options[0] if default is None else default)
        self.options = options
        self.expected = f"one of {', '.join(options)}"

    def clean(self, value: Any) -> str:
        """Return the word. A link of the prose has read "16" as a number."""
        word = str(value) if type(value) is int else value
        if word not in self.options:
            raise ValueError
        return str(word)


class Switch(Setting):
    """True or False."""

    expected = "True or False"

    def __init__(self, default_value: bool = False) -> None:
        super().__init__(default_value)

    def clean(self, value: Any) -> bool:
        """Return the truth value."""
        if not isinstance(value, bool):
            raise ValueError  # noqa: TRY004 - validate turns it into the one message
        return value


class Choices(Setting):
    """A list of words, each at most once, in the order of `options`."""

    def __init__(self, *options: str, default: Sequence[str] = (), least: int = 0) -> None:
        super().__init__(list(default))
        self.options, self.least = options, least
        self.expected = f"{f'at least {least} of' if least else 'a list of'} {', '.join(options)}, each once"

    def clean(self, value: Any) -> list[str]:
        """Return the words in the order of the options."""
        if isinstance(value, str) or len(set(value)) != len(value) or not set(value) <= set(self.options):
            raise ValueError
        if len(value) < self.least:
            raise ValueError
        return [option for option in self.options if option in value]


class Wholes(Setting):
    """A list of `least` to `most` integers, each from `low` to `high`."""

    def __init__(self, default: Sequence[int], *, least: int, most: int, low: int, high: int) -> None:
        super().__init__(list(default))
        self.least, self.most, self.each = least, most, Whole(low, low=low, high=high)
        self.expected = f"a list of {least} to {most} whole numbers from {low} to {high}"

    def clean(self, value: Any) -> list[int]:
        """Return the integers."""
        if isinstance(value, str) or not self.least <= len(value) <= self.most:
            raise ValueError
        return [self.each.clean(item) for item in value]
