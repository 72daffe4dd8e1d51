"""The forms that a prediction may have: a number, a choice, a choice for each of several things, a curve.

state                  what the view needs
expected, answered     what a reader may answer: in words, and the clean value of one (else ValueError or TypeError)
possible, measured     what may have been measured, likewise
asks, told             what is asked for, and an answer, in the words of a summary
height, draw           a picture of it, unanswered, for places that run no JavaScript
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .traits import real, shown
from .words import plain, rendered, wrapped

KNOTS = 9  # of a curve that is drawn by hand


def rounded(value: float) -> float:
    """Return the number with six significant digits: a page need not store more.

    >>> rounded(0.123456789)
    0.123457
    """
    return float(f"{value:.6g}")


def check_range(name: str, low: Any, high: Any, log: bool) -> tuple[float, float]:
    """Return the ends of a scale.

    Raises:
        ValueError: they are no two finite numbers in rising order, or not positive where the scale is logarithmic.
    """
    ends = real(low), real(high)
    if not (math.isfinite(ends[0]) and math.isfinite(ends[1]) and ends[0] < ends[1]):
        raise ValueError(
            f"{name}: expected two finite numbers, the lower first; received {low!r} and {high!r}"
        )
    if log and ends[0] <= 0:
        raise ValueError(f"{name}: expected positive numbers, as its scale is logarithmic; received {low!r}")
    return ends


def check_text(name: str, text: Any) -> str:
    """Return the text.

    Raises:
        ValueError: it is none, or empty.
    """
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"{name}: expected a text; received {shown(text)}")
    return text


def check_texts(name: str, texts: Any, least: int) -> list[str]:
    """Return the texts.

    Raises:
        ValueError: there are fewer than `least`, or one stands twice, or one is no text.
    """
    if not isinstance(texts, (list, tuple)) or not all(isinstance(t, str) and t.strip() for t in texts):
        raise ValueError(f"{name}: expected a list of texts; received {shown(texts)}")
    if len(texts) < least or len(set(texts)) != len(texts):
        raise ValueError(f"{name}: expected at least {least}, each once; received {shown(list(texts))}")
    return list(texts)


@dataclass(frozen=True)
class NumberForm:
    """A number on a scale, with its unit."""

    low: float
    high: float
    unit: str = ""
    log: bool = False

    kind = "number"
    height = 0.55  # inches of the picture below the question
    possible = "a finite number"

    @property
    def expected(self) -> str:
        """What a reader may answer."""
        return f"a number from {self.low:g} to {self.high:g}{' ' if self.unit else ''}{self.unit}"

    @property
    def asks(self) -> str:
        """What is asked for, in words."""
        return self.expected

    def state(self) -> dict[str, Any]:
        """Return what the view needs."""
        return {"low": self.low, "high": self.high, "unit": self.unit, "log": self.log}

    def answered(self, value: Any) -> float:
        """Return the answer."""
        number = real(value)
        if not self.low <= number <= self.high:
            raise ValueError
        return number

    def measured(self, value: Any) -> float:
        """Return the result, which may lie beyond the scale."""
        number = real(value)
        if not math.isfinite(number):
            raise ValueError
        return number if number.is_integer() else rounded(number)

    def told(self, value: float) -> str:
        """Return a value in words."""
        return f"{value:g}{' ' if self.unit else ''}{self.unit}"

    def draw(self, ax: Any) -> None:
        """Draw the empty scale."""
        ax.set_xlim(self.low, self.high)
        if self.log:
            ax.set_xscale("log")
        ax.set_xlabel(self.unit)
        ax.yaxis.set_visible(False)
        ax.spines["left"].set_visible(False)


@dataclass(frozen=True)
class ChoiceForm:
    """One of several options."""

    options: Sequence[str]

    kind = "choice"

    @property
    def height(self) -> float:
        """Inches of the picture below the question."""
        return 0.1 + sum(0.1 + 0.18 * (1 + text.count("\n")) for text in self._written)

    @property
    def _written(self) -> list[str]:
        return [wrapped(option, 72) for option in self.options]

    @property
    def expected(self) -> str:
        """What a reader may answer."""
        return f"one of {', '.join(map(repr, self.options))}"

    possible = expected

    @property
    def asks(self) -> str:
        """What is asked for, in words."""
        return f"one of {', '.join(map(plain, self.options))}"

    def state(self) -> dict[str, Any]:
        """Return what the view needs."""
        return {"options": [{"text": text, "html": rendered(text, inline=True)} for text in self.options]}

    def answered(self, value: Any) -> str:
        """Return the option."""
        if not isinstance(value, str) or value not in self.options:
            raise ValueError
        return str(value)

    measured = answered

    def told(self, value: str) -> str:
        """Return a value in words."""
        return plain(value)

    def draw(self, ax: Any) -> None:
        """Draw the options, none of them chosen."""
        from dlcore import plots

        ax.axis("off")
        lines = [1 + text.count("\n") for text in self._written]
        above = 0.0
        for text, count in zip(self._written, lines, strict=True):
            y = 1 - (above + count / 2) / sum(lines)
            above += count
            ax.plot(0.02, y, "o", markersize=8, markerfacecolor="none", color=plots.GREY)
            ax.text(0.06, y, text, va="center")
        ax.set(xlim=(0, 1), ylim=(0, 1))


@dataclass(frozen=True)
class ItemsForm:
    """One of several options for each of several things."""

    items: Sequence[str]
    options: Sequence[str]

    kind = "items"

    @property
    def height(self) -> float:
        """Inches of the picture below the question."""
        return 0.3 * (1 + len(self.items))

    @property
    def expected(self) -> str:
        """What a reader may answer."""
        return f"a list of {len(self.items)} options, each one of {', '.join(map(repr, self.options))}"

    possible = expected

    @property
    def asks(self) -> str:
        """What is asked for, in words."""
        return f"for each of {', '.join(map(plain, self.items))} one of {', '.join(map(plain, self.options))}"

    def state(self) -> dict[str, Any]:
        """Return what the view needs."""
        items = [{"text": plain(text), "html": rendered(text, inline=True)} for text in self.items]
        return {"items": items, **ChoiceForm(self.options).state()}

    def answered(self, value: Any) -> list[str]:
        """Return the options, one for each thing."""
        allowed = not isinstance(value, str) and len(value) == len(self.items)
        if not allowed or not all(option in self.options for option in value):
            raise ValueError
        return [str(option) for option in value]

    measured = answered

    def told(self, value: Sequence[str]) -> str:
        """Return a value in words."""
        return ", ".join(f"{plain(a)}: {plain(b)}" for a, b in zip(self.items, value, strict=True))

    def draw(self, ax: Any) -> None:
        """Draw the table, nothing chosen."""
        from dlcore import plots

        ax.axis("off")
        rows, columns = len(self.items) + 1, len(self.options) + 1
        for j, option in enumerate(self.options):
            ax.text((j + 1.5) / columns, 1 - 0.5 / rows, wrapped(option, 200), ha="center", va="center")
        for i, item in enumerate(self.items):
            y = 1 - (i + 1.5) / rows
            ax.text(0.02, y, wrapped(item, 200), va="center")
            places = [(j + 1.5) / columns for j in range(len(self.options))]
            ax.plot(
                places,
                [y] * len(places),
                "o",
                linestyle="none",
                markersize=8,
                markerfacecolor="none",
                color=plots.GREY,
            )
        ax.set(xlim=(0, 1), ylim=(0, 1))


@dataclass(frozen=True)
class CurveForm:
    """A curve, drawn through a few knots."""

    x: tuple[float, float]
    y: tuple[float, float]
    x_label: str = ""
    y_label: str = ""
    log_y: bool = False

    kind = "curve"
    height = 2.4
    possible = "(xs, ys), two equally long rows of at least two finite numbers"

    @property
    def knots(self) -> list[float]:
        """Where along x the curve can be bent: at whole numbers where the axis runs from one to another."""
        low, high = self.x
        if float(low).is_integer() and float(high).is_integer() and high - low >= 2:
            return np.unique(np.round(np.linspace(low, high, KNOTS))).tolist()  # type: ignore[no-any-return]
        return [rounded(float(x)) for x in np.linspace(low, high, KNOTS)]

    @property
    def expected(self) -> str:
        """What a reader may answer."""
        (x0, x1), (y0, y1) = self.x, self.y
        return f"a curve from {x0:g} to {x1:g} ({self.x_label or 'x'}), {y0:g} to {y1:g} high ({self.y_label or 'y'})"

    @property
    def asks(self) -> str:
        """What is asked for, in words."""
        return self.expected

    def state(self) -> dict[str, Any]:
        """Return what the view needs."""
        shape = {"x": list(self.x), "y": list(self.y), "log": self.log_y, "knots": self.knots}
        return {**shape, "x_label": self.x_label, "y_label": self.y_label}

    def answered(self, value: Any) -> list[list[float]]:
        """Return the knots' xs and ys."""
        xs, ys = ([real(number) for number in axis] for axis in value)
        low, high = self.y
        if xs != self.knots or len(ys) != len(xs) or not all(low <= y <= high for y in ys):
            raise ValueError
        return [xs, ys]

    def measured(self, value: Any) -> list[list[float]]:
        """Return the result as xs and ys."""
        xs, ys = (np.asarray(axis, dtype=np.float64) for axis in value)
        if xs.ndim != 1 or xs.shape != ys.shape or len(xs) < 2 or not np.all(np.isfinite([xs, ys])):
            raise ValueError
        return [[rounded(number) for number in axis.tolist()] for axis in (xs, ys)]

    def told(self, value: Any) -> str:
        """Return a value in words."""
        return ", ".join(f"{y:.3g} at {x:g}" for x, y in zip(*value, strict=True))

    def draw(self, ax: Any) -> None:
        """Draw the empty axes."""
        ax.set(xlim=self.x, ylim=self.y, xlabel=self.x_label, ylabel=self.y_label)
        if self.log_y:
            ax.set_yscale("log")


Form = NumberForm | ChoiceForm | ItemsForm | CurveForm


def form_of(given: dict[str, Any]) -> Form:
    """Return the form that these arguments of `Predict` describe.

    Raises:
        ValueError: they describe none, or two, or one that cannot be.
    """
    named = frozenset(name for name, value in given.items() if not _left_out(value))
    allowed = {
        frozenset({"low", "high"}): {"unit", "log"},
        frozenset({"options"}): set(),
        frozenset({"options", "items"}): set(),
        frozenset({"x", "y"}): {"x_label", "y_label", "log_y"},
    }
    fitting = [needed for needed, more in allowed.items() if needed <= named <= needed | more]
    if not fitting:
        raise ValueError(
            "Predict: expected low= and high= (a number; unit=, log=), options= (a choice), items= and options= (a "
            "choice for each), or x= and y= (a curve; x_label=, y_label=, log_y=); received "
            f"{', '.join(sorted(named)) or 'none of them'}"
        )
    if "low" in fitting[0]:
        low, high = check_range("Predict.low, high", given["low"], given["high"], given["log"])
        return NumberForm(low, high, given["unit"], given["log"])
    if "x" in fitting[0]:
        return _curve(given)
    options = check_texts("Predict.options", given["options"], 2)
    if "items" in fitting[0]:
        return ItemsForm(check_texts("Predict.items", given["items"], 1), options)
    return ChoiceForm(options)


def _left_out(value: Any) -> bool:
    return value is None or value is False or (isinstance(value, str) and not value)


def _curve(given: dict[str, Any]) -> CurveForm:
    for name in ("x_label", "y_label"):
        if "$" in given[name]:
            raise ValueError(
                f"Predict.{name}: expected plain text, as axes are drawn without formulas; received {given[name]!r}"
            )
    x = check_range("Predict.x", *_pair("x", given["x"]), log=False)
    y = check_range("Predict.y", *_pair("y", given["y"]), log=given["log_y"])
    return CurveForm(x, y, given["x_label"], given["y_label"], given["log_y"])


def _pair(name: str, value: Any) -> tuple[Any, Any]:
    try:
        low, high = value
    except (TypeError, ValueError):
        raise ValueError(f"Predict.{name}: expected (low, high); received {value!r}") from None
    return low, high
