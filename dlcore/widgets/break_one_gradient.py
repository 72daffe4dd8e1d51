"""Break one gradient: a backward pass with a line wrong, its loss curve, and the check that sees it (chapter Backprop).

    the curve    what most people look at: the loss of the broken pass beside that of the right one
    the table    each parameter's gradient held against central differences, all entries of all parameters
    the guess    which of six mistakes it is; a wrong guess is answered with what the table would show

The passes and the check are in `broken_passes`; what is drawn is trained here, in 300 steps with all points at once.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar, NamedTuple

import numpy as np
import traitlets

from dlcore import data as sets

from .base import Goal, Widget
from .broken_passes import (
    BUGS,
    Bug,
    Floats,
    Parameters,
    Row,
    broken,
    compare,
    forward,
    lines,
    measured,
    right,
    start,
    train,
)
from .line import number
from .traits import Choice, Setting, Whole, shown

POINTS, STEPS = 100, 300
SCALE = 3.0  # by which the coordinates are divided, so that tanh is not flat from the start
RATES = (0.01, 0.03, 0.1, 0.3, 1.0)
KEYS = {bug.key: bug for bug in BUGS}
STREAK = 3


class Rate(Setting):
    """One of the learning rates that are offered."""

    options = RATES
    expected = f"one of {', '.join(f'{rate:g}' for rate in RATES)}"

    def clean(self, value: Any) -> float:
        """Return the rate."""
        if isinstance(value, (bool, str)) or value not in RATES:
            raise ValueError
        return float(value)


class Case(NamedTuple):
    """What one mystery is made of: a bug, points, targets and the parameters to begin with."""

    bug: Bug
    x: Floats
    t: Floats
    parameters: Parameters


def bug_of(seed: int) -> Bug:
    """Return the bug of a mystery: each six in a row have each of the six once, in an order drawn from the seed."""
    order = np.random.default_rng([6, seed // len(BUGS)]).permutation(len(BUGS))
    return BUGS[order[seed % len(BUGS)]]


def case_of(seed: int, data: str) -> Case:
    """Return a mystery: the bug that its number hides, and a network and points drawn from the number."""
    rng = np.random.default_rng(seed)
    points, labels = getattr(sets, data)(POINTS, rng=rng)
    x, t = points.astype(np.float64) / SCALE, (labels[:, None].astype(np.float64) + 1) / 2
    return Case(bug_of(seed), x, t, start(rng))


# ------------------------------------------------------------------------------------------------ sentences


def ratio(row: Row) -> str:
    """Return gradient / difference of most entries, as a number or a range.

    >>> ratio(Row("W1", (2, 8), (2, 8), 2.0, -1.0, -1.0)), ratio(Row("b1", (8,), (8,), 0.4, -0.47, 1.26))
    ('−1.00', '−0.47 to 1.26')
    """
    if math.isnan(row.low):
        return "no ratio"
    low, high = number(row.low), number(row.high)
    return low if low == high else f"{low} to {high}"


def shape(value: tuple[int, ...]) -> str:
    """Return a shape as it is written."""
    return f"({value[0]},)" if len(value) == 1 else f"({', '.join(map(str, value))})"


def pattern(rows: list[Row]) -> str:
    """Return in a clause what the table shows, without saying whose doing it is."""
    wrong = [row for row in rows if not row.agrees]
    names = listed([row.name for row in wrong])
    odd = [row for row in wrong if row.shape != row.wanted]
    if odd:
        return (
            f"only {names} is wrong, and it has the shape {shape(odd[0].shape)}, not {shape(odd[0].wanted)}"
        )
    ratios = {ratio(row) for row in wrong}
    if len(wrong) == len(rows) and len(ratios) == 1:
        return f"every row has the ratio {ratios.pop()}"
    fine = listed([row.name for row in rows if row.agrees])
    return f"{names} {'is' if len(wrong) == 1 else 'are'} wrong, with ratios all over the place, and {fine} agree"


def listed(names: list[str]) -> str:
    """Return names as they are said.

    >>> listed(["W1", "b1", "W2"])
    'W1, b1 and W2'
    """
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def about_curve(losses: Floats) -> str:
    """Return how the broken pass's loss went, and how the right one's: shape (2, steps + 1)."""
    (first, end), own = losses[1][[0, -1]], losses[0][-1]
    if not np.isfinite(end):
        came = "overflows"
    else:
        came = f"{'falls' if end < first else 'rises'} from {number(first, 3)} to {number(end, 3)}"
    better = " That is lower than with the right gradient." if end < own else ""
    return (
        f"In {STEPS} steps the loss of the broken pass {came}; with the right gradient it comes to "
        f"{number(own, 3)}.{better}"
    )


# ------------------------------------------------------------------------------------------------ the widget


class BreakOneGradient(Widget):
    """A hand-written backward pass with one of six real bugs in it, to be found by its gradient check.

    Settings: `seed`, the number of a mystery, which draws bug, points and weights; `data`, circle or spiral;
    `learning_rate`.

    >>> mystery = BreakOneGradient(seed=3)
    >>> len(mystery.rows), mystery.found
    (6, False)
    """

    source = "break_one_gradient.js"
    goals: ClassVar[dict[str, Goal]] = {
        "name": Goal("Name the bug of this mystery.", lambda widget: widget.found),
        "falling": Goal(
            "Name a bug with which the loss still falls to less than half of its first value.",
            lambda widget: widget.found and widget.fell() < 0.5,
        ),
        "better": Goal(
            "Name a bug with which the loss ends lower than with the right gradient.",
            lambda widget: widget.found and widget.beats(),
        ),
        "streak": Goal(
            f"Name the bugs of {STREAK} mysteries in a row, each with the first guess.",
            lambda widget: widget.streak >= STREAK,
        ),
    }

    seed = Whole(0, low=0, high=9999)
    data = Choice("circle", "spiral")
    learning_rate = Rate(0.1)

    bugs: traitlets.List[Any] = traitlets.List(help="what can be guessed: key and name").tag(sync=True)
    curves = traitlets.Bytes(help="float32 (2, steps + 1): losses of the right pass and of the broken").tag(
        sync=True
    )
    rows: traitlets.List[Any] = traitlets.List(
        help="the check: name, shape, wanted shape, error, ratio, whether it agrees"
    ).tag(sync=True)
    guesses: traitlets.List[str] = traitlets.List(help="keys, in the order of the guesses").tag(sync=True)
    found = traitlets.Bool(False, help="whether the bug was named").tag(sync=True)
    told = traitlets.Bool(False, help="whether the reader asked to be told").tag(sync=True)
    streak = traitlets.Int(0, help="mysteries in a row named with the first guess").tag(sync=True)
    curve_words = traitlets.Unicode(help="the curves in a sentence").tag(sync=True)
    feedback = traitlets.Unicode(help="the answer to the last guess").tag(sync=True)
    code: traitlets.List[Any] = traitlets.List(
        help="each line of the right pass, of the broken one (empty until it is known), and whether they differ"
    ).tag(sync=True)

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._seen: tuple[Any, ...] = ()
        self.bugs = [[bug.key, bug.name] for bug in BUGS]
        self.observe(self._settle, names=["seed", "data", "learning_rate"])
        self._settle()

    @classmethod
    def restored(cls, state: dict[str, Any]) -> BreakOneGradient:
        """Return a widget in the state of a page, with what was guessed there."""
        widget = super().restored(state)
        for key in state.get("guesses", []):
            widget.do_guess(key)
        if state.get("told"):
            widget.do_tell()
        widget.streak = int(state.get("streak", 0))
        return widget

    # -- the reader's actions

    def do_guess(self, bug: str) -> None:
        """Take the reader's guess, and answer it."""
        if bug not in KEYS:
            raise ValueError(f"guess: expected one of {', '.join(KEYS)}; received {shown(bug)}")
        if self.found or self.told:
            raise ValueError("This mystery is solved. Take the next one")
        with self.hold_sync():
            self.guesses = [*self.guesses, bug]
            self._answer(KEYS[bug])
            self._say()

    def _answer(self, guess: Bug) -> None:
        hidden = self._case.bug
        if guess is hidden:
            self.streak = self.streak + 1 if len(self.guesses) == 1 else 0
            self.feedback = f"Yes: {hidden.name}. {hidden.story}"
            self.found = True
            self._show_code()
        else:
            self.streak = 0
            self.feedback = f"No, this is not “{guess.name}”. {guess.trace}. Here {pattern(self._rows)}."

    def do_tell(self) -> None:
        """Say which bug it is."""
        with self.hold_sync():
            if not self.found:
                self.streak, self.told = 0, True
                self.feedback = f"It is {self._case.bug.name}. {self._case.bug.story}"
                self._show_code()
            self._say()

    def do_next(self) -> None:
        """Take the next mystery."""
        self.seed = (self.seed + 1) % 10_000

    # -- what follows from the settings

    def fell(self) -> float:
        """Return the broken pass's last loss as a share of its first."""
        return float(self._losses[1][-1] / self._losses[1][0])

    def beats(self) -> bool:
        """Return whether the broken pass ends lower than the right one."""
        return bool(self._losses[1][-1] < self._losses[0][-1])

    def _settle(self, _: Any = None) -> None:
        state = (self.seed, self.data, self.learning_rate)
        if state == self._seen:
            return
        another = state[:2] != self._seen[:2]
        self._seen = state
        with self.hold_sync():
            if another:
                self._open()
            self._run()
            self._say()

    def _open(self) -> None:
        """Draw a mystery, and check its gradient."""
        self._case = case_of(self.seed, self.data)
        _, x, t, parameters = self._case
        gradients = broken(self._case.bug)(forward(x, parameters), t, parameters[2], parameters[4])
        self._rows = compare(gradients, measured(x, t, parameters))
        self.rows = [
            [
                row.name,
                shape(row.shape),
                shape(row.wanted),
                row.error if math.isfinite(row.error) else None,
                ratio(row),
                row.agrees,
            ]
            for row in self._rows
        ]
        self.guesses, self.found, self.told, self.feedback = [], False, False, ""
        self._show_code()

    def _run(self) -> None:
        bug, x, t, parameters = self._case
        self._losses = np.stack(
            [
                train(gradient, x, t, parameters, learning_rate=self.learning_rate, steps=STEPS)[0]
                for gradient in (right, broken(bug))
            ]
        )
        self.curves = np.minimum(self._losses, 3e38).astype("<f4").tobytes()
        self.curve_words = about_curve(self._losses)

    def _show_code(self) -> None:
        """Write the right pass line by line, beside it the broken one if the reader knows by now."""
        bug, known = self._case.bug, self.found or self.told
        body, place = lines(bug)
        wrong = [line.replace(bug.line, bug.wrong) if i == place else line for i, line in enumerate(body)]
        self.code = [[line, wrong[i] if known else "", known and i == place] for i, line in enumerate(body)]

    def _say(self) -> None:
        wrong = [row.name for row in self._rows if not row.agrees]
        guesses = f" {self.feedback}" if self.feedback else " Which bug it is, is to be found."
        self.summary = (
            f"Mystery {self.seed}, {self.data}, learning rate {self.learning_rate:g}. {self.curve_words} The check "
            f"finds {len(wrong)} of {len(self._rows)} gradients wrong: {listed(wrong)}.{guesses}"
        )

    def picture(self) -> bytes:
        """Return the two curves as PNG."""
        from dlcore import plots

        ax = plots.figure(width=5.2, height=3.2)[0]
        curves = np.where(self._losses < 3e38, self._losses, np.nan)
        with plots.style():
            for i, (label, colour) in enumerate((("right", plots.BLUE), ("broken", plots.VERMILLION))):
                ax.plot(curves[i], plots.DASHES[i], color=colour, label=label)
            ax.set(xlabel="step", ylabel="loss", ylim=(0, top(self._losses)))
        return plots.png(plots.legend(ax))


def top(losses: Floats) -> float:
    """Return the largest loss that the chart shows: twice the first, so that a curve that runs away is cut off."""
    return float(2 * losses[0][0])
