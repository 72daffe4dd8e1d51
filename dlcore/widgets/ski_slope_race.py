"""Ski-slope race: four optimizers go down one surface, and 2/λ says how long a step may be (chapter Training).

The surface is the true loss of a small model with two weights (see `slopes`). The reader chooses where to begin, says
where one of the four will end, and lets them go.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar, Self

import numpy as np
import traitlets

from .base import Goal, Widget
from .line import number, pair
from .race import LOST, RUNNERS, Race
from .slopes import REACH, Floats, Slope, slope
from .traits import Choice, Number, Setting, Whole, real

SIDE = 97  # places along each side of the map of heights
FRAME_STEPS = 2
ARRIVED = 0.2  # so near to a lowest place
CLOSE = 0.5  # a prediction this near is called close
NAMES = {"sgd": "SGD", "momentum": "Momentum", "rmsprop": "RMSProp", "adam": "Adam"}
SURFACES = {
    "quadratic": "the quadratic loss of a linear neuron",
    "neuron": "the cross-entropy of a logistic neuron",
    "two_layers": "the loss of one tanh unit and one output",
}
RULES = (
    "surface",
    "condition",
    "tilt",
    "learning_rate",
    "adaptive_rate",
    "momentum",
    "batch",
    "seed",
    "start",
)


class Place(Setting):
    """A place on the plane of weights, [w₁, w₂]; with `free`, an empty list stands for none."""

    def __init__(self, default: list[float], *, free: bool = False) -> None:
        super().__init__(default)
        self.free = free
        self.expected = (
            f"two numbers [w1, w2] from -{REACH:g} to {REACH:g}{', or an empty list' if free else ''}"
        )

    def clean(self, value: Any) -> list[float]:
        """Return the place as floats."""
        place = [real(v) for v in value]
        if self.free and not place:
            return place
        if len(place) != 2 or not all(abs(v) <= REACH for v in place):
            raise ValueError
        return place


def heights(surface: Slope) -> bytes:
    """Return a map of the logarithm of the height above the lowest place: uint8 (SIDE, SIDE), rows from the top."""
    side = np.linspace(-REACH, REACH, SIDE)
    w1, w2 = np.meshgrid(side, side[::-1])
    above = surface.values(np.stack([w1.ravel(), w2.ravel()], axis=1)) - surface.lowest
    logs = np.log(np.maximum(above, 0) + 1e-3 * above.max())
    return bytes(np.rint(255 * (logs - logs.min()) / np.ptp(logs)).astype(np.uint8))


def about_limit(rate: float, curvature: float, exact: bool) -> str:
    """Return what the rate of plain descent means where the surface curves by `curvature`.

    >>> about_limit(0.5, 5.0, True)[:67]
    "At the start λ = 5.00, so 2/λ = 0.4. SGD's rate of 0.5 is above it:"
    """
    if not curvature > 0:
        return "Around the start the surface curves upward in no direction, so no rate is too large there."
    limit, factor = 2 / curvature, 1 - rate * curvature
    said = f"At the start λ = {curvature:.2f}, so 2/λ = {limit:.3g}. SGD's rate of {rate:g} is "
    until = "" if exact else ", as long as the surface curves as it does there"
    if rate > limit:
        return (
            f"{said}above it: along the steepest curve each step multiplies the distance from the bottom by "
            f"1 − {rate:g} · {curvature:.2f} = {number(factor)}{until}. It leaps over the valley, farther each time."
        )
    sign = " It overshoots, and each leap is shorter than the one before." if factor < 0 else ""
    return (
        f"{said}below it: along the steepest curve each step multiplies the distance from the bottom by "
        f"{number(factor)}{until}.{sign}"
    )


# ---------------------------------------------------------------------------------------------------- the goals


def _finished(widget: SkiSlopeRace) -> bool:
    return bool(widget.done >= widget.steps)


def _word(widget: SkiSlopeRace, name: str) -> str:
    return str(widget.results[RUNNERS.index(name)]["word"])


def _edge(widget: SkiSlopeRace) -> bool:
    share = widget.learning_rate * widget.curvature / 2
    return widget.surface == "quadratic" and 0.8 <= share < 1 and widget.batch == "all" and _finished(widget)


class SkiSlopeRace(Widget):
    """SGD, momentum, RMSProp and Adam on a surface of two weights, from one start.

    Settings: `surface`; `condition` and `tilt` of the quadratic; `start`; `learning_rate` of SGD and momentum,
    `adaptive_rate` of RMSProp and Adam; `momentum`; `batch`, how many examples a step sees, and the `seed` that draws
    them; `steps` of a race; `guess`, where the runner `whom` will end, or []; `device`, which changes nothing here:
    two weights are computed on NumPy.

    >>> race = SkiSlopeRace(learning_rate=0.5)
    >>> race.do_finish()
    >>> race.results[0]["word"]
    'diverged'
    """

    source = "ski_slope_race.js"
    goals: ClassVar[dict[str, Goal]] = {
        "diverge": Goal(
            "On the quadratic, with all examples in each step, make SGD diverge.",
            lambda self: (
                self.surface == "quadratic" and self.batch == "all" and _word(self, "sgd") == "diverged"
            ),
        ),
        "edge": Goal(
            "On the quadratic, run a race with SGD's rate below 2/λ, and by no more than a fifth.",
            _edge,
        ),
        "all": Goal(
            "Let all four arrive within 100 steps, on a quadratic of condition 50 or more.",
            lambda self: (
                self.surface == "quadratic"
                and self.condition >= 50
                and self.done <= 100
                and all(row["word"] == "arrived" for row in self.results)
            ),
        ),
        "predict": Goal(
            f"Place your prediction, run the race, and be within {CLOSE}.",
            lambda self: bool(self.guess) and _finished(self) and self.miss <= CLOSE,
        ),
    }

    surface = Choice(*SURFACES)
    condition = Number(50, low=1, high=100)
    tilt = Number(20, low=0, high=45)
    learning_rate = Number(0.1, low=0.001, high=10)
    adaptive_rate = Number(0.1, low=0.001, high=10)
    momentum = Number(0.9, low=0, high=0.99)
    batch = Choice("all", "16", "4", "1")
    seed = Whole(0, low=0, high=9999)
    steps = Whole(100, low=10, high=300)
    start = Place([-2.4, 2.2])
    guess = Place([], free=True)
    whom = Choice(*RUNNERS)

    levels = traitlets.Bytes(help=f"uint8 ({SIDE}, {SIDE}): heights, rows from the top, 255 the highest").tag(
        sync=True
    )
    bottoms: traitlets.List[Any] = traitlets.List(help="the lowest places").tag(sync=True)
    paths = traitlets.Bytes(help="float32 (4, done + 1, 2): places").tag(sync=True)
    losses = traitlets.Bytes(help="float32 (4, done + 1): losses on all examples").tag(sync=True)
    done = traitlets.Int(0, help="steps taken").tag(sync=True)
    curvature = traitlets.Float(0.0, help="λ at the start").tag(sync=True)
    results: traitlets.List[Any] = traitlets.List(help="of each runner: name, place, loss, λ, 2/λ, word").tag(
        sync=True
    )
    verdict = traitlets.Unicode(help="what λ and 2/λ say about SGD").tag(sync=True)
    judged = traitlets.Unicode(help="how far the prediction is from the end").tag(sync=True)

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.miss = math.inf
        self._rules: tuple[Any, ...] = ()
        self.observe(self._settle, names=[*RULES, "steps", "guess", "whom"])
        self.observe(self._begin_again, names="running")
        self._settle()

    @classmethod
    def restored(cls, state: dict[str, Any]) -> Self:
        """Return the widget of a page, the race where it was."""
        widget = super().restored(state)
        if done := min(int(state.get("done", 0)), widget.steps):
            widget.race.advance(done)
            widget.show()
        return widget

    # -- the reader's actions

    def do_step(self) -> None:
        """Take one step, unless the race is over."""
        self.running = False
        self.step()

    def step(self, count: int = 1) -> None:
        """Take so many steps, as far as the race goes."""
        self.race.advance(min(count, self.steps - self.done))
        self.show()

    def do_finish(self) -> None:
        """Take all steps that are left."""
        self.running = False
        self.step(self.steps)

    def do_reset(self) -> None:
        """Go back to the start."""
        self.running = False
        self._rules = ()
        self._settle()

    # -- what follows from the settings

    @property
    def exact(self) -> bool:
        """Whether λ is the same everywhere."""
        return bool(self.surface == "quadratic")

    def _settle(self, _: Any = None) -> None:
        """Line up anew where a rule of the race has changed, else only judge and tell anew."""
        rules = tuple(str(getattr(self, name)) for name in RULES)
        if rules != self._rules or self.done > self.steps:
            self._rules, self.running = rules, False
            self._line_up()
        self.show()

    def _begin_again(self, change: Any) -> None:
        """Run a race that is over from its start."""
        if change["new"] and self.done >= self.steps:
            self._line_up()

    def _line_up(self) -> None:
        """Put all four at the start."""
        self.slope = slope(self.surface, self.condition, self.tilt)
        self.race = Race(
            self.slope,
            self.start,
            rates=(self.learning_rate, self.adaptive_rate),
            momentum=self.momentum,
            batch=0 if self.batch == "all" else int(self.batch),
            seed=self.seed,
        )
        self._survey()

    def _survey(self) -> None:
        """Look at the surface: its heights, its lowest places, its curvature at the start."""
        bottom = self.slope.bottom
        mirrored = [bottom, -bottom] if self.surface == "two_layers" else [bottom]
        with self.hold_sync():
            self.levels = heights(self.slope)
            self.bottoms = [place.tolist() for place in mirrored]
            self.curvature = float(self.slope.curvatures([self.start])[0])

    # -- the race

    def advance(self) -> bool:
        """Take the steps of one picture; return whether some are left."""
        left = self.steps - (len(self.race.places) - 1)
        self.race.advance(min(FRAME_STEPS, left))
        return bool(left > FRAME_STEPS)

    def show(self) -> None:
        """Write what is to be seen of the race into the traits."""
        path, losses = self.race.path, self.race.losses
        with self.hold_sync():
            self.paths = np.clip(path, -LOST, LOST).astype("<f4").tobytes()
            with np.errstate(over="ignore"):
                self.losses = losses.astype("<f4").tobytes()
            self.done = path.shape[1] - 1
            self.results = self._results(path, losses)
            self.verdict = self._about_sgd(losses[0])
            self.judged = self._about_guess(path)
            self._tell()

    def _results(self, path: Floats, losses: Floats) -> list[dict[str, Any]]:
        curvatures = self.slope.curvatures(path[:, -1])
        rows = []
        for k, name in enumerate(RUNNERS):
            lam, loss = float(curvatures[k]), float(losses[k, -1])
            rows.append(
                {
                    "name": name,
                    "place": [round(float(v), 4) for v in np.clip(path[k, -1], -LOST, LOST)],
                    "loss": loss if math.isfinite(loss) else None,
                    "curvature": lam if math.isfinite(lam) else None,
                    "limit": 2 / lam if lam > 0 else None,
                    "word": self._word(path[k], losses[k]),
                }
            )
        return rows

    def _word(self, path: Floats, losses: Floats) -> str:
        """Return how one runner fares: diverged, not lower, arrived, on its way, or at the start."""
        if len(losses) == 1:
            return "at the start"
        far = np.abs(path[-1]).max()
        if not far < LOST or (losses[-1] > losses[0] and far > 2 * REACH):
            return "diverged"
        if losses[-1] >= losses[0]:
            return "no lower than the start"
        near = np.hypot(*(np.array(self.bottoms) - path[-1]).T).min()
        return "arrived" if near <= ARRIVED else "on its way"

    def _about_sgd(self, losses: Floats) -> str:
        said = about_limit(self.learning_rate, self.curvature, self.exact)
        row = self.results[0]
        if not self.done or self.exact or row["limit"] is None or row["word"] == "diverged":
            return said
        relation = "below" if self.learning_rate < row["limit"] else "above"
        rising = int(np.sum(np.diff(losses) > 0))
        bounces = f" Its loss rose in {rising} of {self.done} steps." if rising else ""
        return (
            f"{said} Where SGD is now, λ = {row['curvature']:.2f} and 2/λ = {row['limit']:.3g}: its rate is {relation} "
            f"that.{bounces}"
        )

    def _about_guess(self, path: Floats) -> str:
        self.miss = math.inf
        if not self.guess:
            return ""
        name = NAMES[self.whom]
        if self.done < self.steps:
            return f"Your prediction for {name}: {pair(self.guess)}."
        end = path[RUNNERS.index(self.whom), -1]
        if np.abs(end).max() > 2 * REACH:
            return f"Your prediction for {name} was {pair(self.guess)}; it left the picture."
        self.miss = float(np.hypot(*(end - self.guess)))
        said = "close" if self.miss <= CLOSE else "not close"
        where = f"it ended at {pair(end)}, {self.miss:.2f} away: {said}"
        return f"Your prediction for {name} was {pair(self.guess)}; {where}."

    def _tell(self) -> None:
        told = ", ".join(
            f"{NAMES[row['name']]} {row['word']} (loss {_shown(row['loss'])})" for row in self.results
        )
        race = (
            f"After {self.done} of {self.steps} steps: {told}."
            if self.done
            else f"Start at {pair(self.start)}."
        )
        seen = "" if self.batch == "all" else f" Each step sees {self.batch} of 64 examples."
        words = f"The surface is {SURFACES[self.surface]}. {race}{seen} {self.verdict} {self.judged}"
        self.summary = words.strip()

    def picture(self) -> bytes:
        """Return the surface with the four paths as PNG."""
        from dlcore import plots

        ax = plots.figure(width=6, height=4.8)[0]  # as wide as the legend
        side = np.linspace(-REACH, REACH, SIDE)
        levels = np.frombuffer(self.levels, np.uint8).reshape(SIDE, SIDE)[::-1]
        paths = np.frombuffer(self.paths, "<f4").reshape(len(RUNNERS), -1, 2)
        with plots.style():
            ax.contour(side, side, levels, levels=12, colors=plots.GREY, linewidths=0.6)
            for k, name in enumerate(RUNNERS):
                ax.plot(
                    *paths[k].T,
                    plots.DASHES[k],
                    marker=plots.MARKERS[k],
                    markersize=3,
                    markevery=max(1, self.done // 8),
                    color=plots.COLOURS[k],
                    linewidth=1.2,
                    label=NAMES[name],
                )
            ax.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH), xlabel="$w_1$", ylabel="$w_2$")
        return plots.png(plots.legend(ax))


def _shown(loss: float | None) -> str:
    return "beyond all numbers" if loss is None else f"{loss:.3g}"
