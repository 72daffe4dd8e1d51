"""Capacity dial: networks of all widths on a few digits, their errors, and what tames them (chapter Overfitting).

The reader draws the test error that is to be expected, lets the curve be measured, and turns the dials: examples,
wrong labels, λ, dropout, steps. Beside it stands what a network of the chosen width answers between two pictures.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any, Self

import numpy as np
import traitlets

from .base import Goal, Widget
from .capacity import NARROWEST, SEEDS, TESTS, WIDEST, Dials, Study, tested, widths
from .line import percent
from .traits import Number, Setting, Whole, real

KNOTS = (2, 5, 13, 35, 90, 230, 600)  # widths at which the reader's curve can be bent
NO_PENALTY, NO_END = -6.0, 7.0  # the dials' ends
SLICE = 0.02  # seconds of work between two pictures
COLUMNS = 7  # of the curve: width, lowest, median, highest share of wrong answers, trained on and tested


class Heights(Setting):
    """A percentage for each knot, or an empty list."""

    expected = f"an empty list, or {len(KNOTS)} numbers from 0 to 100"

    def __init__(self) -> None:
        super().__init__([])

    def clean(self, value: Any) -> list[float]:
        """Return the percentages."""
        heights = [real(height) for height in value]
        if isinstance(value, str) or (heights and len(heights) != len(KNOTS)):
            raise ValueError
        if not all(0 <= height <= 100 for height in heights):
            raise ValueError
        return heights


def number(value: float) -> str:
    """Return a number of any size in few letters.

    >>> number(0.001), number(0.5), number(31.62), number(1_000_000)
    ('0.001', '0.5', '31.6', '1,000,000')
    """
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


class CapacityDial(Widget):
    """Networks of growing width on the same few digits.

    Settings: `width` of the network that is looked at; `examples`, digits to learn from; `label_noise`, share of wrong
    labels; `penalty`, the decimal logarithm of λ, -6 being no penalty; `dropout`; `stop`, the decimal logarithm of the
    steps, 7 being no end; `start` and `end`, the digits between which the network's answers are drawn; `guess`, the
    reader's curve; `device`.

    >>> widget = CapacityDial(width=100, label_noise=0.2)
    >>> widget.train_wrong, widget.test_wrong > 75
    (0.0, True)
    """

    source = "capacity_dial.js"
    goals = {  # noqa: RUF012 - declared a ClassVar by the base
        "guess": Goal(
            "Draw the test error that you expect, then run.",
            lambda self: bool(self.guess) and self.complete,
        ),
        "peak": Goal(
            "Run without any remedy, and choose the width at which the test error is highest.",
            lambda self: self.complete and self.bare and self.width == self.worst_width,
        ),
        "calm": Goal(
            "At as many units as examples, bring the test error 30 points below what it is without any remedy.",
            lambda self: self.width == self.examples and self.test_wrong <= self.bare_wrong - 30,
        ),
        "twin": Goal(
            "Set dropout to 0, and find the λ that does what a dropout of 0.5 did.",
            lambda self: self.dropout == 0 and self.stop == NO_END and abs(self.penalty) < 0.01,
        ),
        "too-much": Goal(
            "At 600 units, without dropout and early stop, find a λ whose test error is 10 points worse than without.",
            lambda self: (
                self.width == WIDEST
                and self.dropout == 0
                and self.stop == NO_END
                and self.test_wrong >= self.bare_wrong + 10
            ),
        ),
    }

    width = Whole(20, low=NARROWEST, high=WIDEST)
    examples = Whole(100, low=20, high=100)
    label_noise = Number(0.2, low=0, high=0.5)
    penalty = Number(NO_PENALTY, low=NO_PENALTY, high=2)
    dropout = Number(0.0, low=0, high=0.9)
    stop = Number(NO_END, low=0, high=NO_END)
    start = Whole(3, low=0, high=9)
    end = Whole(8, low=0, high=9)
    guess = Heights()

    knots: traitlets.List[int] = traitlets.List(list(KNOTS), help="widths of the guess").tag(sync=True)
    places: traitlets.List[int] = traitlets.List(help="widths of the curve").tag(sync=True)
    curve = traitlets.Bytes(
        help="float32 (places, 7): width; % wrong, lowest, median, highest, of those trained on, then of the test"
    ).tag(sync=True)
    done = traitlets.Int(0, help="places that are measured with the dials as they are").tag(sync=True)
    line = traitlets.Bytes(help="float32 (41, 10): the first seed's outputs between the two pictures").tag(
        sync=True
    )
    ends = traitlets.Bytes(help="uint8 (2, 14, 14): the two pictures, 255 is ink").tag(sync=True)
    train_wrong = traitlets.Float(help="% of wrong answers, trained on; median at the chosen width").tag(
        sync=True
    )
    test_wrong = traitlets.Float(help="% of wrong answers in the test; median at the chosen width").tag(
        sync=True
    )
    verdict = traitlets.Unicode(help="what the chosen width does").tag(sync=True)
    course = traitlets.Unicode(help="what the whole curve does").tag(sync=True)

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._study = Study(self.examples, (self.start, self.end), self.device)
        self.places = widths(self.examples)
        self._rows: dict[int, list[float]] = {}  # measured, at these dials or at those before
        self._pending: list[int] = list(self.places)
        self._looked = False  # whether the curve was ever asked for
        self._publish()
        names = [
            "width",
            "examples",
            "label_noise",
            "penalty",
            "dropout",
            "stop",
            "start",
            "end",
            "guess",
            "device",
        ]
        self.observe(self._settle, names=names)
        self.observe(self._begin_again, names="running")

    @classmethod
    def restored(cls, state: dict[str, Any]) -> Self:
        """Return a widget in the state that a page has, its curve as it was measured there."""
        widget = super().restored(state)
        table = np.frombuffer(bytes(state.get("curve", b"")), "<f4").reshape(-1, COLUMNS).astype(float)
        done = int(state.get("done", 0))
        if done and [round(row[0]) for row in table] == widget.places:
            widget._rows = {round(row[0]): row.tolist() for row in table}
            widget._pending = widget.places[done:]
            widget._looked = True
            widget.show()
        return widget

    # -- what is turned

    @property
    def dials(self) -> Dials:
        """The settings as the study takes them."""
        penalty = 0.0 if self.penalty == NO_PENALTY else 10**self.penalty
        steps = None if self.stop == NO_END else round(10**self.stop)
        return Dials(self.label_noise, penalty + self.dropout / (1 - self.dropout), steps)

    @property
    def bare(self) -> bool:
        """Whether no remedy is applied."""
        return self.dials.price == 0 and self.dials.steps is None

    @property
    def bare_wrong(self) -> float:
        """Test error in percent at the chosen width without any remedy, median over the seeds."""
        bare = self._study.point(self.width, Dials(self.label_noise, 0.0, None))
        return 100 * float(np.median(bare.test))

    @property
    def complete(self) -> bool:
        """Whether the curve is measured at all widths with the dials as they are."""
        return self._looked and not self._pending

    @property
    def worst_width(self) -> int:
        """The width at which the median test error is highest."""
        return max(self._rows, key=lambda width: self._rows[width][5])

    def do_reset(self) -> None:
        """Go back to the first settings, without a curve and a guess."""
        self.running = False
        self._rows, self._looked = {}, False
        with self.hold_trait_notifications():
            for name in set(self.settings()) - {"device", "running"}:
                setattr(self, name, self.traits()[name].default_value)
        self._pending = list(self.places)
        self._publish()

    def _settle(self, change: Any) -> None:
        """Bring study, picture and curve into line with a setting."""
        name = change["name"]
        if name in ("examples", "start", "end", "device"):
            self._study = Study(self.examples, (self.start, self.end), self.device)
            self.places = widths(self.examples)
        if name in ("examples", "device"):
            self._rows = {}
        if name not in ("width", "start", "end", "guess"):
            self._pending = list(self.places)
        self._publish()
        if self._looked and self._pending:
            self._measure_again()

    def _measure_again(self) -> None:
        """Measure the curve for the new dials: picture by picture where there is an event loop, else at once."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            while self.advance():
                pass
            self._publish()
        else:
            self.running = True

    def _begin_again(self, change: Any) -> None:
        if change["new"]:
            self._looked = True
            if not self._pending:
                self._pending = list(self.places)

    # -- measuring

    def advance(self) -> bool:
        """Measure at the next widths for as long as a picture may wait; return whether there is more to do."""
        self._looked = True
        until = time.perf_counter() + SLICE
        while self._pending:
            width = self._pending.pop(0)
            point = self._study.point(width, self.dials)
            self._rows[width] = [float(width), *_spread(point.train), *_spread(point.test)]
            if time.perf_counter() > until:
                break
        return bool(self._pending)

    def _publish(self) -> None:
        with self.hold_sync():
            self.show()

    def show(self) -> None:
        """Write curve, line and sentences into the traits."""
        point = self._study.point(self.width, self.dials)
        self.train_wrong, self.test_wrong = (
            100 * float(np.median(part)) for part in (point.train, point.test)
        )
        self.line = point.line[0].astype("<f4").tobytes()
        pictures = np.stack([tested(self.start), tested(self.end)])
        self.ends = np.round(255 * pictures).astype(np.uint8).tobytes()
        known = [self._rows[width] for width in self.places if width in self._rows]
        self.curve = np.array(known, "<f4").reshape(-1, COLUMNS).tobytes()
        self.done = len(self.places) - len(self._pending) if self._looked else 0
        low, _, high = _spread(point.test)
        self.verdict = (
            f"{self.width} units: {percent(self.train_wrong / 100)} of the {self.examples} answers it was trained on "
            f"are wrong, and {percent(self.test_wrong / 100)} of {TESTS} test answers (medians of {SEEDS} seeds; in "
            f"the test from {low:.0f} to {percent(high / 100)})."
        )
        self.course = self._told()
        self.summary = f"{self._dialled()} {self.verdict} {self.course}"

    def _dialled(self) -> str:
        price = "no penalty" if self.penalty == NO_PENALTY else f"λ = {number(10**self.penalty)}"
        dropped = f"dropout {self.dropout:g}" if self.dropout else "no dropout"
        steps = (
            "trained to the end"
            if self.stop == NO_END
            else f"stopped after {number(round(10**self.stop))} steps"
        )
        noise = f"{percent(self.label_noise)} of the labels wrong" if self.label_noise else "all labels right"
        return f"{self.examples} digits, {noise}; {price}, {dropped}, {steps}."

    def _told(self) -> str:
        if not self._looked:
            return "The curve over all widths is not measured yet."
        if self._pending:
            return f"{self.done} of {len(self.places)} widths are measured."
        worst, best = self.worst_width, min(self._rows, key=lambda width: self._rows[width][5])
        high, low = (percent(self._rows[width][5] / 100) for width in (worst, best))
        said = f"Over all widths the test error is highest at {worst} units, {high}, and lowest at {best} units, {low}."
        return f"{said} {self._judged()}".strip()

    def _judged(self) -> str:
        """Compare the reader's curve with the measured one."""
        if not self.guess:
            return ""
        measured = [self._rows[width][5] for width in self.places]
        mine = np.interp(np.log(self.places), np.log(KNOTS), self.guess)
        return f"Your curve is {np.mean(np.abs(mine - measured)):.0f} points off on average."

    def picture(self) -> bytes:
        """Return a PNG: the curves as far as they are measured, and the outputs between the two pictures."""
        from dlcore import plots as house

        plots: Any = house
        left, right = plots.figure(2, width=8.4, height=3.2)
        with plots.style():
            table = np.array([self._rows[w] for w in self.places if w in self._rows]).reshape(-1, COLUMNS)
            for first, name, colour, dash in (
                (1, "trained on", plots.GREEN, "--"),
                (4, "test", plots.BLUE, "-"),
            ):
                if len(table):
                    left.fill_between(
                        table[:, 0], table[:, first], table[:, first + 2], color=colour, alpha=0.2
                    )
                    left.plot(table[:, 0], table[:, first + 1], dash, color=colour, label=name)
            left.axvline(self.examples, color=plots.GREY, linestyle=":")
            if len(table):
                left.legend(fontsize=8)
            left.set(xscale="log", xlim=(NARROWEST, WIDEST), ylim=(0, 100), xlabel="units", ylabel="% wrong")
            outputs = np.frombuffer(self.line, "<f4").reshape(-1, 10)
            along = np.linspace(0, 1, len(outputs))
            for digit, dash in ((self.start, "-"), (self.end, "--")):
                right.plot(along, outputs[:, digit], dash, label=f"output {digit}")
            right.legend(fontsize=8)
            right.set(
                xlabel=f"from a {self.start} to {'an' if self.end == 8 else 'a'} {self.end}",
                title=f"{self.width} units",
            )
        return plots.png(left, dots=60)  # type: ignore[no-any-return]


def _spread(shares: Any) -> tuple[float, float, float]:
    """Return the lowest, the median and the highest share in percent."""
    return tuple(100 * float(part(shares)) for part in (np.min, np.median, np.max))  # type: ignore[return-value]
