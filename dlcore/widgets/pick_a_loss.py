"""Pick a loss: where it puts the line, and how hard each point pulls (chapter Loss).

    ŷ = w x + b    or    p = σ(w x + b)

The reader drags points, chooses the loss that judges them, and sees three things at once: the line of least loss, what
each point costs, and the slope of that cost. Gradient descent can be watched going there, or getting stuck.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar, Self

import numpy as np
import traitlets

from dlcore import activations

from .base import Goal, Widget
from .fits import LOSSES, STEEPEST, Floats, Line, Task, best, separated
from .line import count, number, percent
from .traits import Choice, Number, Setting, Switch, Whole, real

REACH = 6  # x, and t of a regression, go from -REACH to REACH
FEWEST, MOST_POINTS = 3, 24
FINE = 121  # points of a curve
MOST_STEPS = 5000
NEAR = 0.5  # a line that passes so near to a point is said to fit it
FLAT = 1e-6  # a gradient shorter than this moves nothing that is to be seen
FARTHEST = 200.0  # |b|, which a line of |w| = 20 needs on the plane, and some more
ENDS: dict[str, list[float]] = {"regression": [-REACH, REACH], "classification": [-0.3, 1.3]}
NAMES = {
    "mse": "MSE",
    "mae": "MAE",
    "huber": "Huber's loss",
    "cross_entropy": "cross-entropy",
    "hinge": "hinge loss",
}
#: How a picture draws the losses' fits, dashed as on the page.
FIT_DASHES = {"mse": "--", "mae": ":", "huber": "-.", "cross_entropy": "-.", "hinge": ":"}
#: Places to begin with, the learning rate that suits them, and where descent starts surely wrong.
PLACES = {
    "regression": (
        (-5.0, -4.2, -3.2, -2.4, -1.4, -0.5, 0.5, 1.4, 2.4, 3.2, 4.2, 5.0),
        (-2.4, -2.3, -1.4, -1.2, -0.3, 0.0, 0.9, 1.0, 2.1, 2.2, 3.2, 3.2),
    ),
    "classification": (
        (-4.8, -4.0, -3.2, -2.4, -1.6, 0.8, -0.8, 1.6, 2.4, 3.2, 4.0, 4.8),
        (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0),
    ),
}
POINTS = {name: [list(pair) for pair in zip(*both, strict=True)] for name, both in PLACES.items()}
RATES = {"regression": 0.05, "classification": 0.2}
WRONG = {"regression": Line(-1.5, 3.0), "classification": Line(-6.0, 0.0)}


def drawn(problem: str, seed: int) -> list[list[float]]:
    """Return points to begin with: those of POINTS for seed 0, else random ones like them.

    A regression's are 12 around a random line; a classification's are 6 of each class, at normal distances of
    2.4 ± 1.8 from 0 on its own side.
    """
    if not seed:
        return POINTS[problem]
    rng = np.random.default_rng(seed)
    if problem == "regression":
        x = np.array(POINTS[problem])[:, 0]
        t = rng.uniform(-0.9, 0.9) * x + rng.uniform(-1, 1) + 0.25 * rng.standard_normal(len(x))
    else:
        t = np.repeat([0.0, 1.0], 6)
        x = (2 * t - 1) * (2.4 + 1.8 * rng.standard_normal(12))
    pairs = np.clip(np.round(np.stack([x, t], axis=1), 1), -REACH, REACH)
    return pairs.tolist()  # type: ignore[no-any-return]


class Pairs(Setting):
    """Points of the plane as a list of [x, t]."""

    expected = (
        f"a list of {FEWEST} to {MOST_POINTS} pairs [x, t], x from -{REACH} to {REACH}, and t likewise in a "
        "regression, 0 or 1 in a classification"
    )

    def clean(self, value: Any) -> list[list[float]]:
        """Return the pairs as lists of floats."""
        pairs = [[real(number) for number in pair] for pair in value]
        if not FEWEST <= len(pairs) <= MOST_POINTS or any(len(pair) != 2 for pair in pairs):
            raise ValueError
        if not all(abs(number) <= REACH for pair in pairs for number in pair):
            raise ValueError
        return pairs


# ------------------------------------------------------------------------------------------------ sentences


def about_fit(task: Task) -> str:
    """Return how the line of least loss was found, and whether there is one at all."""
    if task.problem == "classification" and task.loss != "hinge" and separated(task.x, task.t):
        return (
            "The classes are separated, so this loss has no least value: it falls as long as w grows. "
            f"The fit stops where that can no longer be seen, at the latest at |w| = {STEEPEST:g}."
        )
    pairs = math.comb(len(task.x), 2)
    if task.loss == "mae":
        return f"The fit is exact: some best line goes through two of the points, and all {pairs} pairs were tried."
    if task.loss == "hinge":
        return f"The fit is exact: some best z is ±1 at two of the points, and all {pairs} pairs were tried."
    if task.loss == "mse" and task.problem == "regression":
        return "The fit is exact: it solves the normal equations."
    if task.loss == "mse":
        return (
            "This loss is no bowl: it has flat places and may have several valleys. The fit is the lowest place of a "
            "grid, refined by Newton's method."
        )
    return "The fit was found by Newton's method: this loss is a bowl, and its slope there is zero."


def about_bars(task: Task, line: Line) -> str:
    """Return which point pulls most, and how hard."""
    cost, slope = task.judge(line.at(task.x))
    lengths = np.abs(slope)
    if lengths.max() < FLAT:
        return "No bar is long enough to be seen: no point pulls at the line."
    if task.problem == "classification":
        return _about_worst(task, line, cost, slope)
    k = int(np.argmax(lengths))
    if task.loss == "mae":
        return "Every bar is as long as every other, however far its point is from the line; on the line it is 0."
    share = lengths[k] / lengths.sum()
    cut = f" No bar is longer than δ = {number(task.delta)}." if task.loss == "huber" else ""
    words = f"The longest bar is that of point {k + 1}, {number(float(slope[k]))}"
    return f"{words}: {percent(share)} of all lengths together.{cut}"


def _about_worst(task: Task, line: Line, cost: Floats, slope: Floats) -> str:
    k = int(np.argmax(cost))
    z = line.at(task.x)
    side = "wrong" if (z[k] > 0) != (task.t[k] > 0) else "right"
    if task.loss == "hinge":
        own = f"its z is {number(float(z[k]))}"
    else:
        chance = float(activations.sigmoid(z if task.t[k] else -z).numpy()[k])
        own = f"its own class is given {small(chance)}"
    return (
        f"Point {k + 1} costs most: it is on the {side} side, {own}, and its bar is {small(float(slope[k]))}."
    )


def small(value: float) -> str:
    """Return a number with three digits after the point, or say that it is too small for that.

    >>> small(-0.25), small(0.0002), small(0.0)
    ('−0.250', 'below 0.001', '0.000')
    """
    return "below 0.001" if 0 < abs(value) < 0.001 else number(value, 3)


def about_move(moved: dict[str, Any]) -> str:
    """Return what the last move of w and b did to the loss and to the number of right points."""
    if not moved:
        return ""
    (a, b), right = moved["loss"], moved.get("right")
    way = "fell" if b < a else "rose" if b > a else "stayed"
    by = "" if a == b else " by less than 0.0001" if abs(a - b) < 1e-4 else f" by {number(abs(a - b), 4)}"
    first = f"The last move: the loss {way}{by}"
    if not right:
        return f"{first}."
    if right[0] == right[1]:
        return f"{first}; the number of right points stayed {right[0]}."
    return f"{first}; the number of right points went from {right[0]} to {right[1]}."


# ------------------------------------------------------------------------------------------------ goals


def _near(widget: PickALoss, name: str) -> int:
    task = widget.task_of(name)
    return int(np.sum(np.abs(widget.line_of(name).at(task.x) - task.t) <= NEAR))


def _outlier(widget: PickALoss) -> bool:
    return widget.problem == "regression" and _near(widget, "mse") <= 4 and _near(widget, "mae") >= 9


def _fell(widget: PickALoss, fewer: bool) -> bool:
    moved = widget.moved
    if not moved.get("right") or not moved["loss"][1] < moved["loss"][0]:
        return False
    before, after = moved["right"]
    return bool(after < before if fewer else after == before)


def _escaped(widget: PickALoss) -> bool:
    if widget.problem != "classification" or widget.fitted or widget.loss == "mse":
        return False
    return widget.began == "wrong" and widget.spent.get("mse", 0) >= 50 and widget.right >= 10


# ------------------------------------------------------------------------------------------------ the widget


class PickALoss(Widget):
    """Points, a loss, the line that it prefers, and the slope of each point's cost.

    Settings: `problem`; `loss`; `delta`, of Huber's loss; `points`, or the `seed` that draws them; `fitted`, whether
    the line follows the least loss; `w`, `b`, the line where it does not; `learning_rate`, of gradient descent;
    `others`, whether the fits of the other losses are shown; `device`.

    >>> picked = PickALoss(loss="mae", points=[[-1, 0], [0, 0], [1, 0], [2, 6]])
    >>> picked.w, picked.b, round(picked.value, 2)
    (0.0, 0.0, 1.5)
    """

    source = "pick_a_loss.js"
    goals: ClassVar[dict[str, Goal]] = {
        "outlier": Goal(
            f"Drag one point until the line of MSE passes within {NEAR} of at most four points, that of MAE within "
            f"{NEAR} of at least nine.",
            _outlier,
        ),
        "flat": Goal(
            "Move w or b, or take a step, so that the loss falls and the number of right points stays.",
            lambda self: _fell(self, fewer=False),
        ),
        "apart": Goal(
            "Find a move of w or b that lowers the loss and makes fewer points right.",
            lambda self: _fell(self, fewer=True),
        ),
        "escape": Goal(
            "Start surely wrong and take at least 50 steps with MSE. Then change the loss, go on, and get ten points "
            "right.",
            _escaped,
        ),
    }

    problem = Choice("regression", "classification")
    loss = Choice("mse", "mae", "huber", "cross_entropy", "hinge")
    delta = Number(1.0, low=0.1, high=5)
    seed = Whole(0, low=0, high=9999)
    points = Pairs(POINTS["regression"])
    fitted = Switch(True)
    w = Number(0.0, low=-STEEPEST, high=STEEPEST)
    b = Number(0.0, low=-FARTHEST, high=FARTHEST)
    learning_rate = Number(RATES["regression"], low=0.001, high=10)
    others = Switch(True)

    value = traitlets.Float(0.0, help="the loss, the mean over the points").tag(sync=True)
    right = traitlets.Int(0, help="points on the right side, of a classification").tag(sync=True)
    rows = traitlets.Bytes(help="float32 (n, 4): z, ŷ or p, cost and its slope by z").tag(sync=True)
    curve = traitlets.Bytes(help=f"float32 ({FINE},): ŷ or p for x from -6 to 6").tag(sync=True)
    fits: traitlets.Dict[str, Any] = traitlets.Dict(help="loss → w, b and value of its fit").tag(sync=True)
    fit_curves = traitlets.Bytes(help=f"float32 (losses, {FINE}): the fits, in the order of `allowed`").tag(
        sync=True
    )
    allowed: traitlets.List[Any] = traitlets.List(help="the losses of this problem").tag(sync=True)
    ends: traitlets.List[Any] = traitlets.List(help="the least and the greatest t to be shown").tag(sync=True)
    slope: traitlets.List[Any] = traitlets.List(help="the derivatives of the loss by w and b").tag(sync=True)
    history = traitlets.Bytes(help="float32 (steps + 1, 2): loss, share of right points since the start").tag(
        sync=True
    )
    began = traitlets.Unicode("", help="where descent began: zero, wrong, or where the line was").tag(
        sync=True
    )
    spent: traitlets.Dict[str, int] = traitlets.Dict(help="loss → steps since the start").tag(sync=True)
    moved: traitlets.Dict[str, Any] = traitlets.Dict(help="loss and right points, before and after").tag(
        sync=True
    )
    score = traitlets.Unicode(help="the loss, and how many points are right").tag(sync=True)
    story = traitlets.Unicode(help="how the line was found").tag(sync=True)
    pull = traitlets.Unicode(help="which point pulls most").tag(sync=True)
    move = traitlets.Unicode(help="what the last move did").tag(sync=True)

    def __init__(self, **settings: Any) -> None:
        problem, seed = settings.get("problem", "regression"), settings.get("seed", 0)
        if problem in POINTS and "points" not in settings and isinstance(seed, int) and seed >= 0:
            settings = {"points": drawn(problem, seed)} | settings
        settings = {"learning_rate": RATES.get(problem, RATES["regression"])} | settings
        if "w" in settings or "b" in settings:
            settings = {"fitted": False} | settings
        self._course: list[list[float]] = []
        self._settling = True
        super().__init__(**settings)
        self._check_pair(self.problem, self.loss)
        self._check_targets(self.problem, self.points)
        self._settling = False
        self._seen: dict[str, Any] = {}
        self.observe(self._settle, names=self.settings())
        self._settle()

    @classmethod
    def restored(cls, state: dict[str, Any]) -> Self:
        """Return the widget of a page, in the middle of its descent."""
        widget = super().restored(state)
        course = np.frombuffer(bytes(state.get("history", b"")), "<f4").reshape(-1, 2)
        widget._course = course.astype(np.float64).tolist()
        widget.began, widget.spent = state.get("began", ""), dict(state.get("spent", {}))
        widget.moved = dict(state.get("moved", {}))
        widget.show()
        return widget

    # -- what is allowed

    @traitlets.validate("loss")
    def _loss_fits(self, proposal: Any) -> str:
        if not self._settling:
            self._check_pair(self.problem, proposal["value"])
        return str(proposal["value"])

    @traitlets.validate("points")
    def _points_fit(self, proposal: Any) -> Any:
        if not self._settling:
            self._check_targets(self.problem, proposal["value"])
        return proposal["value"]

    def _check_pair(self, problem: str, loss: str) -> None:
        if loss not in LOSSES[problem]:
            raise traitlets.TraitError(
                f"PickALoss.loss: expected one of {', '.join(LOSSES[problem])} in a {problem}; received {loss!r}. "
                "Set problem together with loss"
            )

    def _check_targets(self, problem: str, points: Any) -> None:
        if problem == "classification" and not all(t in (0, 1) for _, t in points):
            raise traitlets.TraitError(
                "PickALoss.points: expected each t to be 0 or 1 in a classification; received "
                f"{next(t for _, t in points if t not in (0, 1)):g}"
            )

    # -- the reader's actions

    def step(self) -> bool:
        """Take one step of gradient descent; return whether there is more to do."""
        more = self.advance()
        self.show()
        return more

    def do_step(self) -> None:
        """See `step`."""
        self.running = False
        self.step()

    def do_start(self) -> None:
        """Begin gradient descent at w = 0, b = 0."""
        self._start("zero", Line(0.0, 0.0))

    def do_start_wrong(self) -> None:
        """Begin gradient descent where most points are on the wrong side, and surely."""
        self._start("wrong", WRONG[self.problem])

    def _start(self, name: str, line: Line) -> None:
        self.running = False
        with self.hold_sync():
            with self.hold_trait_notifications():
                self.fitted, self.w, self.b = False, line.w, line.b
            self.began, self.spent, self.moved = name, {}, {}
            self._judge()
            self._course = [self._place()]
            self.show()

    def do_fit(self) -> None:
        """Put the line where the loss is least, and keep it there."""
        self.running = False
        self.fitted = True

    def do_reset(self) -> None:
        """Put the points back, and the line to their fit."""
        self.running = False
        with self.hold_sync(), self.hold_trait_notifications():
            self.points, self.fitted = drawn(self.problem, self.seed), True

    def do_draw(self) -> None:
        """Draw other points, from the next seed."""
        self.running = False
        with self.hold_sync(), self.hold_trait_notifications():
            self.seed, self.fitted = (self.seed + 1) % 10_000, True

    # -- what follows from the settings

    def task_of(self, loss: str = "") -> Task:
        """Return the points with this loss, by default the one that is chosen."""
        x, t = np.array(self.points, np.float64).T
        return Task(x, t, self.problem, loss or self.loss, self.delta, self.device)

    def line_of(self, loss: str) -> Line:
        """Return the line that this loss prefers."""
        return Line(*self.fits[loss][:2])

    def _settle(self, _: Any = None) -> None:
        """Bring all that is shown into line with the settings, whichever of them changed."""
        if self._settling or (state := self._state()) == self._seen:
            return
        self._settling = True
        try:
            with self.hold_sync():
                self._change(state, self._seen)
                self._seen = self._state()
        finally:
            self._settling = False

    def _state(self) -> dict[str, Any]:
        names = ("problem", "loss", "delta", "seed", "points", "fitted", "w", "b", "device")
        return {name: getattr(self, name) for name in names}

    def _change(self, now: dict[str, Any], before: dict[str, Any]) -> None:
        changed = {name for name in now if now[name] != before.get(name)} if before else set(now)
        if before and "problem" in changed:
            self._change_problem(before, changed)
        if before and changed & {"problem", "seed"} and "points" not in changed:
            self.points = drawn(self.problem, self.seed)
            changed.add("points")
        if before and changed & {"w", "b"} and "fitted" not in changed:
            self.fitted = False
        if changed & {"points", "problem", "delta", "device"}:
            self._fit_all()
        if self.fitted:
            self.w, self.b = self.line_of(self.loss)
        if changed & {"points", "problem", "loss", "delta", "device"}:
            self.moved = {}
            self._judge()
        else:
            self._note_move()
        if changed != {"loss"} or self.fitted:  # with another loss the descent goes on from where it is
            self.began, self.spent = "", {}
        self._course = [self._place()]
        self.show()

    def _change_problem(self, before: dict[str, Any], changed: set[str]) -> None:
        self.running = False
        if self.loss not in LOSSES[self.problem]:
            self.loss = LOSSES[self.problem][0]
        if self.learning_rate == RATES[before["problem"]]:
            self.learning_rate = RATES[self.problem]
        if not changed & {"w", "b", "fitted"}:
            self.fitted = True

    def _fit_all(self) -> None:
        names = LOSSES[self.problem]
        tasks = [self.task_of(name) for name in names]
        lines = [best(task) for task in tasks]
        self.allowed, self.ends = list(names), list(ENDS[self.problem])
        self.fits = {
            name: [*line, task.value(line)] for name, line, task in zip(names, lines, tasks, strict=True)
        }
        curves = [self._sampled(name, line) for name, line in zip(names, lines, strict=True)]
        self.fit_curves = np.array(curves, "<f4").tobytes()

    def _sampled(self, loss: str, line: Line) -> Floats:
        """Return what is drawn of a line for x from -REACH to REACH: ŷ, p, or of hinge the place within its margin."""
        z = line.at(np.linspace(-REACH, REACH, FINE))
        if self.problem == "regression":
            return z
        if loss == "hinge":
            return np.clip((z + 1) / 2, 0, 1)
        return np.asarray(activations.sigmoid(z).numpy(), np.float64)

    def _judge(self) -> None:
        """Compute loss and right points of the line as it is."""
        task, line = self.task_of(), Line(self.w, self.b)
        self.value = task.value(line)
        z = line.at(task.x)
        self.right = int(np.sum((z > 0) == (task.t > 0))) if self.problem == "classification" else 0

    def _place(self) -> list[float]:
        return [self.value, self.right / len(self.points)]

    def _note_move(self) -> None:
        """Judge the line anew, and keep what it was before."""
        old = self.value, self.right
        self._judge()
        right = [old[1], self.right] if self.problem == "classification" else []
        self.moved = {"loss": [old[0], self.value], "right": right}

    # -- gradient descent

    def advance(self) -> bool:
        """Take one step against the gradient; return False at the bottom, or where there is no going on."""
        task, line = self.task_of(), Line(self.w, self.b)
        gradient = task.gradient(line)
        w, b = (p - self.learning_rate * g for p, g in zip(line, gradient, strict=True))
        if len(self._course) > MOST_STEPS or not (abs(w) <= STEEPEST and abs(b) <= FARTHEST):
            return False
        self._settling = True
        try:
            with self.hold_sync():
                self.fitted, self.w, self.b = False, w, b
                self._note_move()
                self.began = self.began or "here"
                self.spent = self.spent | {self.loss: self.spent.get(self.loss, 0) + 1}
                self._course.append(self._place())
                self._seen = self._state()
        finally:
            self._settling = False
        return math.hypot(*gradient) > FLAT

    def show(self) -> None:
        """Write what is to be seen of the line into the traits."""
        task, line = self.task_of(), Line(self.w, self.b)
        z = line.at(task.x)
        cost, slope = task.judge(z)
        y = z if self.problem == "regression" else activations.sigmoid(z).numpy()
        with self.hold_sync():
            self.rows = np.column_stack([z, y, cost, slope]).astype("<f4").tobytes()
            self.curve = self._sampled(self.loss, line).astype("<f4").tobytes()
            self.slope = [float(np.mean(slope * task.x)), float(np.mean(slope))]
            self.history = np.array(self._course, "<f4").tobytes()
            self._say(task, line)

    def _say(self, task: Task, line: Line) -> None:
        name = NAMES[self.loss]
        self.score = f"{name[0].upper()}{name[1:]} {number(self.value, 4)}"
        if self.problem == "classification":
            self.score += f"; {self.right} of {len(self.points)} points are right."
        else:
            near = int(np.sum(np.abs(line.at(task.x) - task.t) <= NEAR))
            self.score += f"; {near} of {len(self.points)} points are within {NEAR} of the line."
        self.story = about_fit(task) if self.fitted else self._about_descent()
        self.pull = about_bars(task, line)
        self.move = about_move(self.moved)
        sign = "−" if round(self.b, 2) < 0 else "+"
        formula = f"z = {number(self.w)} x {sign} {number(abs(self.b))}."
        self.summary = " ".join(filter(None, [formula, self.score, self.story, self.pull, self.move]))

    def _about_descent(self) -> str:
        spent = ", then ".join(f"{count(n, 'step')} of {NAMES[name]}" for name, n in self.spent.items())
        place = {"zero": "w = 0, b = 0", "wrong": "a line that is surely wrong"}.get(
            self.began, "where the line was"
        )
        least = self.fits[self.loss][2]
        length = math.hypot(*self.slope)
        words = ["The line is where you put it."]
        if self.began:
            words = [f"From {place}: {spent or 'no step yet'}."]
        words.append(
            f"The gradient of the loss is {small(length)} long; the fit's loss is {number(least, 4)}."
        )
        w, b = (p - self.learning_rate * g for p, g in zip((self.w, self.b), self.slope, strict=True))
        if length > FLAT and not (abs(w) <= STEEPEST and abs(b) <= FARTHEST):
            words.append("The next step would leave the plane: it is too long. Lower the learning rate.")
        return " ".join(words)

    def picture(self) -> bytes:
        """Return points, line and the other losses' fits as PNG."""
        from dlcore import plots

        ax = plots.figure(width=5.6, height=3.6)[0]
        x = np.linspace(-REACH, REACH, FINE)
        task = self.task_of()
        now = NAMES[self.loss] if self.fitted else "the line now"
        with plots.style():
            for k, name in enumerate(self.allowed):
                if self.others and not (name == self.loss and self.fitted):
                    curve = np.frombuffer(self.fit_curves, "<f4").reshape(-1, FINE)[k]
                    ax.plot(x, curve, FIT_DASHES[name], color=plots.GREY, linewidth=1.2, label=NAMES[name])
            ax.plot(x, np.frombuffer(self.curve, "<f4"), "-", color=plots.BLUE, label=now)
            if self.problem == "regression":
                ax.scatter(task.x, task.t, color=plots.BLUE, zorder=3)
            else:
                for label, colour, shape in (
                    (0, plots.VERMILLION, plots.MARKERS[0]),
                    (1, plots.BLUE, plots.MARKERS[1]),
                ):
                    chosen = task.t == label
                    ax.scatter(task.x[chosen], task.t[chosen], color=colour, marker=shape, zorder=3)
            ax.set(xlim=(-REACH, REACH), ylim=self.ends, xlabel="x", ylabel="t")
        return plots.png(plots.legend(ax))
