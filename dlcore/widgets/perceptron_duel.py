"""Perceptron duel: a perceptron's mistakes, one by one, against a line of the reader's own (chapter Neurons).

    w ← w + y x,  b ← b + y    where y (x·w + b) <= 0

Whether a line separates the points at all is decided exactly (`hulls`). If one does, Novikoff's bound says when it
must stop. If none does, the widget waits for weights that were met before: from there on all repeats.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar, NamedTuple

import numpy as np
import traitlets

from dlcore import data as sets
from dlcore.arrays import asarray, to_numpy
from dlcore.neurons import Perceptron, margin, novikoff_bound

from .base import Goal, Widget
from .hulls import crossing, strip
from .line import Floats, cloud, count, number, pair, wrong
from .traits import Choice, Number, Setting, Switch, Whole, real, shown

GRID = 0.25  # points are placed on its multiples: their sums are then exact in floats
MOST_POINTS, MOST_MISTAKES = 400, 2000
WIDE, NEAR = (-6.0, 6.0), (-1.5, 2.5)  # what the plane shows: of XOR, as in the chapter, only the unit square
XOR = np.array([[0, 0, -1], [0, 1, 1], [1, 0, 1], [1, 1, -1]], np.float64)


# ------------------------------------------------------------------------------------------------- points


def draw(name: str, seed: int) -> Floats:
    """Return a set of points with their labels, shape (n, 3): x1, x2, and -1 or +1.

    Args:
        name: "separable", "narrow", "chapter", "overlap" or "xor".
        seed: of the random ones; XOR is always the same.
    """
    if name == "xor":
        return XOR
    if name == "chapter":
        return np.column_stack(cloud((1, 2), -1.5, seed=seed))
    rng = np.random.default_rng(seed)
    if name == "overlap":
        blobs, labels = sets.gaussian(40, noise=0.5, rng=rng)
        order = rng.permutation(len(blobs))
        return np.column_stack([_snap(blobs[order]), labels[order]])
    size, gap, shifts = {"separable": (16, 0.75, (1, 2.5)), "narrow": (40, 0.15, (1.5, 3))}[name]
    while True:
        angle, shift = rng.uniform(0, 2 * np.pi), rng.uniform(*shifts)
        points = _snap(rng.uniform(-5, 5, size=(3 * size, 2)))
        away = points @ (np.cos(angle), np.sin(angle)) + shift
        kept = np.flatnonzero(np.abs(away) >= gap)[:size]
        if len(kept) == size and 3 <= np.sum(away[kept] > 0) <= size - 3:
            return np.column_stack([points[kept], np.sign(away[kept])])


def _snap(points: Any) -> Floats:
    return np.asarray(np.clip(np.round(np.asarray(points, np.float64) / GRID) * GRID, *WIDE))


def _bytes(table: Floats) -> bytes:
    return table.astype("<f8").tobytes()


def on_grid(points: Floats) -> bool:
    """Return whether all coordinates are multiples of GRID, so that sums of them are exact."""
    return bool(np.all(points / GRID == np.round(points / GRID)))


class Points(Setting):
    """Points with labels as bytes: float64 (n, 3), x1 and x2 in the plane, labels of -1 or +1."""

    expected = f"bytes of float64 (n, 3), n <= {MOST_POINTS}: x1 and x2 from -6 to 6, labels -1 or +1"

    def clean(self, value: Any) -> bytes:
        """Return the bytes."""
        table = np.frombuffer(value, "<f8").reshape(-1, 3)
        within = np.all((table[:, :2] >= WIDE[0]) & (table[:, :2] <= WIDE[1]))
        if len(table) > MOST_POINTS or not within or not np.all(np.abs(table[:, 2]) == 1):
            raise ValueError
        return bytes(value)


# ------------------------------------------------------------------------------------------------ learning


class State(NamedTuple):
    """A perceptron between two mistakes: its numbers, and the row that it looks at next."""

    w1: float
    w2: float
    b: float
    row: int


class Learner:
    """`dlcore.neurons.Perceptron` going through points in order, stopped after each mistake.

    Attributes:
        states: before the first mistake and after each.
        rows: the row of each mistake.
        per_pass: mistakes in each pass over the points, the last one unfinished unless `converged`.
        converged: whether a whole pass went without a mistake.
        cycle: the two counts of mistakes at which the same state was met; None so far. From equal states the
            same program does the same again, so it goes round for ever.
    """

    def __init__(self, points: Floats, labels: Floats, *, device: str = "numpy") -> None:
        dtype = "float32" if device == "mps" else "float64"  # Apple's has no other
        self._perceptron = Perceptron(2, device=device, dtype=dtype)
        self._x, self._y = asarray(points, device=device, dtype=dtype), labels.tolist()
        self._row = 0
        self.states = [self._state()]
        self.rows: list[int] = []
        self.passes: list[int] = []
        self.per_pass = [0]
        self.converged = False
        self.cycle: tuple[int, int] | None = None
        self._met = {self.states[0]: 0}

    def _state(self) -> State:
        w1, w2 = to_numpy(self._perceptron.weight).tolist()
        return State(w1, w2, float(self._perceptron.bias), self._row)

    def next_mistake(self) -> bool:
        """Go on until the next mistake, and return True; return False if there is none any more."""
        while self._y and not self.converged:
            while self._row < len(self._y):
                row, self._row = self._row, self._row + 1
                if self._perceptron.update(self._x[row, ...], self._y[row]):
                    self._note(row)
                    return True
            self._end_pass()
        return False

    def _end_pass(self) -> None:
        self._row = 0
        self.converged = self.per_pass[-1] == 0
        if not self.converged:
            self.per_pass.append(0)

    def _note(self, row: int) -> None:
        self.per_pass[-1] += 1
        self.rows.append(row)
        self.passes.append(len(self.per_pass))
        if self._row == len(self._y):
            self._end_pass()
        state = self._state()
        self.states.append(state)
        before = self._met.setdefault(state, len(self.rows))
        if before < len(self.rows) and self.cycle is None:
            self.cycle = before, len(self.rows)


class Verdict(NamedTuple):
    """Whether a line separates two classes, and what follows.

    Attributes:
        proof: lines that show why none does; empty if one does.
        border: w1, w2, b of the widest margin; empty if none does, or if a class is missing.
        radius, gamma, bound: of Novikoff's theorem with that border; 0 without one.
    """

    proof: list[list[tuple[float, float]]]
    border: list[float]
    radius: float = 0.0
    gamma: float = 0.0
    bound: float = 0.0


def judge(points: Floats, labels: Floats) -> Verdict:
    """Decide, exactly, whether a line separates the classes."""
    positive, negative = (list(map(tuple, points[labels == y].tolist())) for y in (1, -1))
    if not positive or not negative:
        return Verdict([], [])
    proof = crossing(positive, negative)
    if proof:
        return Verdict(proof, [])
    weight, bias = strip(positive, negative)
    bound = novikoff_bound(points, labels, weight, bias)
    radius = float(np.sqrt(np.max(np.sum(points**2, axis=1)) + 1))
    return Verdict([], [*weight, bias], radius, radius / float(np.sqrt(bound)), bound)


# ------------------------------------------------------------------------------------------------ sentences


def about_points(verdict: Verdict, labels: Floats) -> str:
    """Return whether a line separates the points, and how that is known."""
    if not len(labels):
        return "There are no points yet. Place some of each class."
    if verdict.proof:
        return "No line separates the classes: " + (
            "a point of one lies in a triangle of three of the other."
            if len(verdict.proof[1]) == 1
            else "a segment between two of the one meets a segment between two of the other."
        )
    if not verdict.border:
        return "All points are of one class. Place some of the other."
    return (
        f"A line separates the classes: their hulls do not touch. With R = {number(verdict.radius)} and "
        f"γ = {number(verdict.gamma)}, the perceptron makes at most (R/γ)² = {int(verdict.bound):,} mistakes."
    )


def about_mistake(learner: Learner, points: Floats, labels: Floats) -> str:
    """Return what the last mistake was, and what it changed."""
    if not learner.rows:
        return "w = (0, 0) and b = 0: the sum is 0 at every point, so the first one that it looks at is a mistake."
    row, before, after = learner.rows[-1], learner.states[-2], learner.states[-1]
    x, y = points[row], labels[row]
    sign = "+" if y > 0 else "−"
    sums = [float(y * (x @ state[:2] + state.b)) for state in (before, after)]
    return (
        f"Mistake {len(learner.rows)}, in pass {learner.passes[-1]}: point {row + 1} at {pair(x)}, class {sign}1, had "
        f"y·z = {number(sums[0])}. So w ← w {sign} x = {pair(after[:2])} and b ← b {sign} 1 = {number(after.b)}. "
        f"Now y·z = {number(sums[1])}, larger by |x|² + 1 = {number(float(x @ x) + 1)}."
    )


def about_end(learner: Learner, verdict: Verdict, points: Floats) -> str:
    """Return whether it is over, will be, or never will; an empty text if nothing is known."""
    made = len(learner.rows)
    limit = f" {made:,} mistakes are as far as this widget goes." if made >= MOST_MISTAKES else ""
    if learner.converged and made:
        passes = count(len(learner.per_pass), "pass")
        return f"It stopped: a whole pass without a mistake, after {count(made, 'mistake')} and {passes}."
    if learner.cycle:
        first, again = learner.cycle
        state = learner.states[again]
        when = f"after mistake {first}" if first else "at the start"
        return (
            f"It will go round for ever: w = {pair(state[:2])}, b = {number(state.b)}, with the same point next, "
            f"were met {when} and again after mistake {again}. From equal numbers follow equal steps."
        )
    if verdict.proof and made:
        known = "It cannot stop, and its weights stay bounded (the perceptron cycling theorem)."
        if on_grid(points):
            known += (
                f" They are multiples of {GRID}, so there are finitely many, and one day they must come back."
            )
        return f"{known} They have not come back yet.{limit}"
    return limit.strip()


class Standing(NamedTuple):
    """How a line does: points on its wrong side, and the room it leaves the nearest if there are none, else 0."""

    mistakes: int
    room: float

    @property
    def score(self) -> tuple[int, float]:
        """What counts in the duel: few mistakes first, then room, to two decimals as the reader sees it."""
        return -self.mistakes, round(self.room, 2)


def standing(line: tuple[float, float, float], points: Floats, labels: Floats) -> Standing:
    """Return how a line (w1, w2, b) does on some points."""
    w1, w2, b = line
    mistakes = int(np.sum(wrong(points, labels, (w1, w2), b)))
    drawn = w1 * w1 + w2 * w2 > 0
    return Standing(mistakes, margin(points, labels, (w1, w2), b) if drawn and not mistakes else 0.0)


def about_duel(own: Any, learner: Learner, points: Floats, labels: Floats, verdict: Verdict) -> str:
    """Return how the reader's line stands against the perceptron's."""
    if not len(labels):
        return ""
    own_standing, its_standing = (standing(line, points, labels) for line in (own, learner.states[-1][:3]))
    words = []
    for name, (mistakes, room) in (("Your line", own_standing), ("The perceptron's", its_standing)):
        distance = f" and keeps {number(room)} away from the nearest" if room else ""
        words.append(f"{name} has {mistakes} of {len(labels)} wrong{distance}.")
    ours, its = own_standing.score, its_standing.score
    winner = "You lead." if ours > its else "The perceptron leads." if its > ours else "A draw."
    if verdict.border:
        best = 1 / math.hypot(*verdict.border[:2])
        words.append(f"The best possible border keeps {number(best)} away.")
    elif verdict.proof:
        words.append("No line has 0 wrong.")
    return " ".join([*words, winner])


# ------------------------------------------------------------------------------------------------ the tasks


def leads_at_the_end(widget: PerceptronDuel) -> bool:
    """Return whether the reader's line leaves more room than that of a perceptron that has stopped."""
    if not (widget.own_line and widget.over and widget.counts["points"]):
        return False
    own, its = widget.standings()
    return own.score > its.score


GOALS = {
    "room": Goal(
        "Let the perceptron stop, then draw a line of your own that leaves the nearest point more room.",
        leads_at_the_end,
    ),
    "twenty": Goal(
        "Place points of your own on which it makes 20 mistakes or more, and stops.",
        lambda widget: widget.data == "own" and widget.over and widget.counts["mistakes"] >= 20,
    ),
    "mend": Goal(
        "Move, add or remove points until a line separates them, and let the perceptron stop.",
        lambda widget: widget.data == "own" and widget.over and set(widget.labels()) == {-1, 1},
    ),
    "circle": Goal(
        "Press Next mistake until the perceptron is where it was before.",
        lambda widget: widget.comes_back(),
    ),
}

# ------------------------------------------------------------------------------------------------ the widget


class PerceptronDuel(Widget):
    """A perceptron that learns from its mistakes, one at a time, and a line of the reader's own.

    Settings: `data`, a set of points; `seed`, of the drawn ones; `points`, as bytes; `mistakes`, how many it has made
    so far; `own_line` with `own_w1`, `own_w2`, `own_b`; `device`.

    >>> duel = PerceptronDuel(data="xor", mistakes=4)
    >>> duel.ending[:60]
    'It will go round for ever: w = (0.00, 0.00), b = 0.00, with '
    """

    source = "perceptron_duel.js"
    goals: ClassVar[dict[str, Goal]] = GOALS

    data = Choice("separable", "narrow", "chapter", "overlap", "xor", "own")
    seed = Whole(0, low=0, high=9999)
    points = Points(b"")
    mistakes = Whole(0, low=0, high=MOST_MISTAKES)
    own_line = Switch(False)
    own_w1 = Number(1.0, low=-20, high=20)
    own_w2 = Number(0.0, low=-20, high=20)
    own_b = Number(0.0, low=-100, high=100)

    limits: traitlets.List[Any] = traitlets.List(help="the plane is [low, high]²").tag(sync=True)
    grid = traitlets.Float(GRID, help="points are placed on its multiples").tag(sync=True)
    trail = traitlets.Bytes(
        help="float32 (mistakes + 1, 5): w1, w2, b, row, pass; the first row is the start"
    ).tag(sync=True)
    wrong_now = traitlets.Bytes(
        help="int8 (n,): 1 for points on the wrong side of the perceptron's border"
    ).tag(sync=True)
    proof: traitlets.List[Any] = traitlets.List(help="lines that show that no line separates").tag(sync=True)
    widest: traitlets.List[Any] = traitlets.List(
        help="w1, w2, b of the border of widest margin; or empty"
    ).tag(sync=True)
    counts: traitlets.Dict[str, Any] = traitlets.Dict(help="mistakes, passes, bound, radius, gamma").tag(
        sync=True
    )
    over = traitlets.Bool(False, help="whether there is nothing more to learn").tag(sync=True)
    question = traitlets.Unicode(help="whether a line separates the points").tag(sync=True)
    story = traitlets.Unicode(help="the last mistake").tag(sync=True)
    ending = traitlets.Unicode(help="whether it is over, or never will be").tag(sync=True)
    duel = traitlets.Unicode(help="the reader's line against the perceptron's").tag(sync=True)

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._source = self.data, self.seed
        if "points" not in settings and self.data != "own":
            self.points = _bytes(draw(self.data, self.seed))
        self._placed = self.points
        self._begin()
        self.limits = self._zoom()
        self._catch_up()
        names = set(self.settings()) - {"running"}
        self.observe(self._settle, names=sorted(names))

    # -- the reader's actions

    def step(self) -> bool:
        """Let it make its next mistake; return whether there is more to do."""
        more = self.advance()
        with self.hold_sync():
            self.show()
        return more

    def do_next(self) -> None:
        """See `step`."""
        self.running = False
        self.step()

    def do_back(self) -> None:
        """Take the last mistake back."""
        self.running = False
        self.mistakes = max(0, self.mistakes - 1)

    def do_reset(self) -> None:
        """Go back to zeros; the points stay."""
        self.running = False
        self.mistakes = 0

    def do_draw(self) -> None:
        """Draw other points, from the next seed."""
        self.seed = (self.seed + 1) % 10_000

    def do_add(self, x1: float, x2: float, label: int) -> None:
        """Place a point, on the grid.

        Raises:
            ValueError: numbers outside the plane, or another label.
        """
        low, high = self.limits
        place = real(x1), real(x2)
        if not all(low <= v <= high for v in place) or real(label) not in (-1, 1):
            raise ValueError(
                f"PerceptronDuel: expected x1 and x2 from {low:g} to {high:g} and a class of -1 or +1; "
                f"received {shown(x1)}, {shown(x2)} and {shown(label)}"
            )
        table = self._table()
        if len(table) == MOST_POINTS:
            raise ValueError(f"PerceptronDuel: expected at most {MOST_POINTS} points. Remove one first")
        self._place(np.vstack([table, [*_snap(place), label]]))

    def do_remove(self, x1: float, x2: float) -> None:
        """Take away the point nearest to a place, if it is there.

        Raises:
            ValueError: there is none within half a step of the grid.
        """
        table = self._table()
        away = np.hypot(table[:, 0] - real(x1), table[:, 1] - real(x2))
        if not len(table) or not away.min() <= GRID / 2:  # written so that NaN is refused, too
            raise ValueError(
                f"PerceptronDuel: expected the place of a point; there is none at ({shown(x1)}, {shown(x2)})"
            )
        self._place(np.delete(table, int(away.argmin()), axis=0))

    def do_clear(self) -> None:
        """Take all points away."""
        self._place(np.empty((0, 3)))

    def _table(self) -> Floats:
        return np.frombuffer(self.points, "<f8").reshape(-1, 3)

    def _place(self, table: Floats) -> None:
        self.running = False
        with self.hold_sync(), self.hold_trait_notifications():
            self.data, self.points, self.mistakes = "own", _bytes(table), 0

    # -- how it stands

    def standings(self) -> tuple[Standing, Standing]:
        """Return how the reader's line does, and the perceptron's."""
        own, its = (self.own_w1, self.own_w2, self.own_b), self._learner.states[-1]
        return standing(own, self._points, self._labels), standing(its[:3], self._points, self._labels)

    def labels(self) -> list[int]:
        """Return the classes of the points."""
        return [int(label) for label in self._labels]

    def comes_back(self) -> bool:
        """Return whether the perceptron has met its weights a second time, at the same point."""
        return self._learner.cycle is not None

    # -- what follows from the settings

    def _settle(self, change: Any) -> None:
        """Bring all that is shown into line with the settings, whichever of them changed."""
        ours = {"mistakes": len(self._learner.rows), "points": self._placed}
        if change["name"] in ours and change["new"] == ours[change["name"]]:
            return  # we set it ourselves
        placed, named = self.points != self._placed, (self.data, self.seed) != self._source
        self._source = self.data, self.seed
        with self.hold_sync():
            if change["name"] == "device":
                self._begin()
            if placed:  # by hand
                self._placed = self.points
                self._begin()
            elif named and self.data != "own":
                self._placed = _bytes(draw(self.data, self.seed))
                self._begin()
                self.mistakes, self.points, self.limits = 0, self._placed, self._zoom()
            self._catch_up()

    def _zoom(self) -> list[float]:
        """Return what the plane shows of the points: around XOR little, else all that there can be."""
        table = np.frombuffer(self._placed, "<f8").reshape(-1, 3)[:, :2]
        little = len(table) > 3 and NEAR[0] <= table.min() and table.max() <= NEAR[1]
        return list(NEAR if little else WIDE)

    def _begin(self) -> None:
        """Start anew on the points that are placed."""
        table = np.frombuffer(self._placed, "<f8").reshape(-1, 3)
        self._points, self._labels = table[:, :2], table[:, 2]
        self._learner = Learner(self._points, self._labels, device=self.device)
        self._verdict = judge(self._points, self._labels)

    def _catch_up(self) -> None:
        """Bring the learner to as many mistakes as the setting says, from the start if it is ahead."""
        if self.mistakes < len(self._learner.rows):
            self._learner = Learner(self._points, self._labels, device=self.device)
        while len(self._learner.rows) < self.mistakes and self._learner.next_mistake():
            pass
        self.show()

    def advance(self) -> bool:
        """Make the next mistake; return False at the end, and where all begins to repeat."""
        learner, known = self._learner, self._learner.cycle
        going = len(learner.rows) < MOST_MISTAKES and learner.next_mistake()
        return going and (learner.cycle is None or known is not None)

    def show(self) -> None:
        """Write the perceptron's state and its sentences into the traits."""
        learner, verdict = self._learner, self._verdict
        self.mistakes = len(learner.rows)
        passes = [1, *learner.passes]
        rows = [-1, *learner.rows]
        trail = [[*s[:3], r, p] for s, r, p in zip(learner.states, rows, passes, strict=True)]
        self.trail = np.array(trail, "<f4").tobytes()
        state = learner.states[-1]
        mistaken = wrong(self._points, self._labels, state[:2], state.b)
        self.wrong_now = mistaken.astype(np.int8).tobytes()
        self.proof = [list(map(list, line)) for line in verdict.proof]
        self.widest = verdict.border
        self.counts = {
            "mistakes": len(learner.rows),
            "passes": len(learner.per_pass) if learner.converged else passes[-1] if learner.rows else 0,
            "wrong": int(mistaken.sum()),
            "points": len(self._labels),
            "bound": int(verdict.bound),
        }
        self.over = learner.converged
        self._say()

    def _say(self) -> None:
        learner, verdict = self._learner, self._verdict
        self.question = about_points(verdict, self._labels)
        self.story = about_mistake(learner, self._points, self._labels) if len(self._labels) else ""
        self.ending = about_end(learner, verdict, self._points)
        own = (self.own_w1, self.own_w2, self.own_b)
        self.duel = about_duel(own, learner, self._points, self._labels, verdict) if self.own_line else ""
        made = count(len(learner.rows), "mistake")
        left = f"{self.counts['wrong']} of {count(len(self._labels), 'point')} on the wrong side now."
        self.summary = " ".join(
            filter(None, [self.question, f"So far {made}; {left}", self.ending, self.duel])
        )

    def picture(self) -> bytes:
        """Return the plane as PNG: points, border, the last mistake."""
        from dlcore import plots

        ax = plots.figure(width=4.6, height=4.2)[0]
        low, high = self.limits
        ax.set(xlim=(low, high), ylim=(low, high))
        if len(self._labels):
            plots.points(self._points, self._labels, size=24, ax=ax)
        ax.set(xlim=(low, high), ylim=(low, high))
        state = self._learner.states[-1]
        if state.w1 or state.w2:
            plots.border(state[:2], state.b, ax=ax)
        if self.own_line and (self.own_w1 or self.own_w2):
            own = (self.own_w1, self.own_w2)
            plots.border(own, self.own_b, color=plots.COLOURS[3], linestyle="--", ax=ax)
        return plots.png(ax)
