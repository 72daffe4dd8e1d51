"""The questions of a quiz: a TOML file, read and checked.

    [[question]]
    ask = "What does the bias of a neuron do?"       Markdown with $formulas$
    kind = "single"                                  one option is right; "multiple": one or more are
      [[question.option]]
      text = "It moves the border."
      right = true                                   false if it is left out
      says = "Why it is right, or which misconception this is and how to see through it."

    [[question]]
    ask = "What is $w x + b$ at ...?"
    kind = "number"
    answer = 0.25
    tolerance = 0.005                                how far off still counts; 0 if it is left out
    unit = "cm"                                      plain text; may be left out
    says = "Why."
    otherwise = "A hint for a number that nobody foresaw."
    check = "np.exp(0) / 4"                          an expression that gives the answer; not shown
      [[question.wrong]]
      value = 0.5
      says = "You forgot to halve."

Every fault is a ValueError that names the file, the question and the key.
"""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .traits import real, shown
from .words import rendered

KINDS = ("single", "multiple", "number")
KEYS = {
    "single": {"ask", "kind", "option"},
    "multiple": {"ask", "kind", "option"},
    "number": {"ask", "kind", "answer", "tolerance", "unit", "says", "otherwise", "check", "wrong"},
}


@dataclass(frozen=True)
class Table:
    """A table of the file, and where it stands in it; hands out values that are what they should be."""

    place: str
    values: dict[str, Any]

    def fault(self, key: str, expected: str) -> ValueError:
        """Return the error for a key whose value is missing or not what it should be."""
        received = shown(self.values[key]) if key in self.values else "nothing"
        return ValueError(f"{self.place}, {key}: expected {expected}; received {received}")

    def only(self, allowed: set[str]) -> None:
        """Refuse keys that mean nothing here: they are misspelt, or stand in the wrong table."""
        for key in sorted(self.values.keys() - allowed):
            raise self.fault(key, f"only the keys {', '.join(sorted(allowed))}")

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text, which may be empty only where there is a default."""
        value = self.values.get(key, default)
        if not isinstance(value, str) or (default is None and not value.strip()):
            raise self.fault(key, "a text")
        return value

    def words(self, key: str, *, inline: bool = False) -> str:
        """Return a text, Markdown, as HTML."""
        try:
            return rendered(self.text(key), inline=inline)
        except ValueError as error:
            raise (
                error if str(error).startswith(self.place) else self.fault(key, f"Markdown ({error})")
            ) from None

    def number(self, key: str, default: float | None = None) -> float:
        """Return a finite number."""
        value = real(self.values.get(key, default))
        if not math.isfinite(value):
            raise self.fault(key, "a finite number")
        return value

    def switch(self, key: str) -> bool:
        """Return true or false, false if the key is missing."""
        value = self.values.get(key, False)
        if not isinstance(value, bool):
            raise self.fault(key, "true or false")
        return value

    def tables(self, key: str, least: int) -> list[Table]:
        """Return the tables in a list of them."""
        values = self.values.get(key, [])
        if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
            raise self.fault(key, "a list of tables")
        if len(values) < least:
            raise self.fault(key, f"at least {least} of them")
        return [Table(f"{self.place}, {key} {i}", value) for i, value in enumerate(values, start=1)]


def read(path: str | Path) -> list[Table]:
    """Return the questions of a file, each as a table that `question` checks and sets.

    Args:
        path: as `open` takes it; a relative path is seen from the working directory, in a notebook its own folder.

    Raises:
        ValueError: the file is not there, is no TOML, or holds no question.
    """
    name = Path(path).as_posix()
    try:
        content = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"Quiz: expected a file of questions; there is no {name}") from None
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{name}: expected TOML: {error}") from None
    whole = Table(name, content)
    whole.only({"question"})
    return whole.tables("question", 1)


def question(table: Table) -> dict[str, Any]:
    """Return one question as the view of a quiz needs it, its words as HTML.

    Raises:
        ValueError: naming the file, the question and the key.
    """
    kind = table.text("kind")
    if kind not in KINDS:
        raise table.fault("kind", f"one of {', '.join(KINDS)}")
    table.only(KEYS[kind])
    asked = {"kind": kind, "ask": table.words("ask")}
    return asked | (_number(table) if kind == "number" else _choice(table, kind))


def _choice(table: Table, kind: str) -> dict[str, Any]:
    options: list[dict[str, Any]] = []
    for option in table.tables("option", 2):
        option.only({"text", "right", "says"})
        right = option.switch("right")
        says = option.words("says") if not right or "says" in option.values else ""
        options.append({"text": option.words("text", inline=True), "right": right, "says": says})
    count = sum(option["right"] is True for option in options)
    if kind == "single" and count != 1:
        raise table.fault(
            "option", f'exactly one option with right = true in a "single" question, not {count}'
        )
    if not count:
        raise table.fault("option", "at least one option with right = true")
    texts = [option["text"] for option in options]
    if len(set(texts)) != len(texts):
        raise table.fault("option", "options that differ")
    return {"options": options}


def _number(table: Table) -> dict[str, Any]:
    table.text("check", "")
    tolerance = table.number("tolerance", 0)
    if tolerance < 0:
        raise table.fault("tolerance", "a number that is not negative")
    answer = table.number("answer")
    wrong: list[dict[str, Any]] = []
    for case in table.tables("wrong", 0):
        case.only({"value", "says"})
        value = case.number("value")
        if abs(value - answer) <= tolerance:
            raise case.fault(
                "value", f"a number that is not taken for the answer, {answer:g} ± {tolerance:g}"
            )
        if any(abs(value - known["value"]) <= tolerance for known in wrong):
            raise case.fault("value", "a number that no other wrong value covers")
        wrong.append({"value": value, "says": case.words("says")})
    return {
        "answer": answer,
        "tolerance": tolerance,
        "unit": table.text("unit", ""),
        "says": table.words("says"),
        "otherwise": table.words("otherwise"),
        "wrong": wrong,
    }
