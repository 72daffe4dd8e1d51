"""Bump builder: a curve made of ReLUs, unit by unit, and what depth adds to that (chapter Layers).

    build      the reader's own network of one hidden layer: joints that are dragged, heights that are fitted, training
    compare    one hidden layer against many, of equal numbers of units and parameters: made by hand, and trained

The mathematics is in `bumps`, the sentences in `bump_words`; straight pieces are counted by `dlcore.pieces`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
import traitlets

from . import bumps
from .base import Goal, Widget
from .bump_words import TARGET_NAMES, Entrant, about_dead, about_pieces, about_race, error_words, term
from .bumps import HIGH, LOW, SEEDS, Bumps, Race
from .line import Floats, count, number
from .traits import Choice, Number, Setting, Whole, real

MOST_UNITS, MOST_STEPS, MOST_DEPTH = 16, 6000, 6
AT_ONCE = 20  # updates between two pictures of a training


class Numbers(Setting):
    """A list of `least` to `most` finite floats, each from `low` to `high`, and not nearer to 0 than `nonzero`."""

    def __init__(
        self,
        default: Sequence[float],
        *,
        least: int,
        most: int,
        low: float,
        high: float,
        nonzero: float = 0.0,
    ) -> None:
        super().__init__(list(default))
        self.least, self.most, self.low, self.high, self.nonzero = least, most, low, high, nonzero
        many = f"{least} to {most}" if least < most else str(most)
        self.expected = f"a list of {many} numbers from {low:g} to {high:g}"
        if nonzero:
            self.expected += f", none within {nonzero:g} of 0"

    def clean(self, value: Any) -> list[float]:
        """Return the floats."""
        if isinstance(value, str) or not self.least <= len(value) <= self.most:
            raise ValueError
        numbers = [real(v) for v in value]
        if not all(self.low <= v <= self.high and abs(v) >= self.nonzero for v in numbers):
            raise ValueError
        return numbers


def _four_make_the_bump(widget: BumpBuilder) -> bool:
    return widget.target == "bump" and widget.units == 4 and widget.error < 1e-3


def _sine_from_four(widget: BumpBuilder) -> bool:
    return bool(widget.target == "sine" and 1 <= widget.units <= 4 and widget.error < 5e-3)


def _fewer_pieces(widget: BumpBuilder) -> bool:
    inside = all(LOW < joint < HIGH for joint in widget.joints)
    return widget.units >= 2 and inside and all(widget.slopes) and widget.pieces < widget.units + 1


def _folds_win(widget: BumpBuilder) -> bool:
    return bool(widget.view == "compare" and widget.depth == 3)


class BumpBuilder(Widget):
    """A network of one input and one hidden layer of ReLUs, built by hand; and deep networks beside it.

    Settings: `view`, "build" or "compare"; `target`, the curve to build, with `knots`, the heights of the reader's own;
    `units`, how many, or for each unit its `joints`, `slopes` (by how much the slope changes there) and `weights` (w);
    `bias` of the output; `learning_rate`; of the comparison `depth`, `steps` and the first `seed`; `device`.

    >>> bump = BumpBuilder(joints=[0.75, 1, 2, 2.25], slopes=[4, -4, -4, 4])
    >>> bump.pieces, bump.error
    (5, 0.0)
    """

    source = "bump_builder.js"
    goals: ClassVar[dict[str, Goal]] = {
        "bump": Goal(
            "Build the bump, 1 from x = 1 to x = 2, from four units: an error below 0.001.",
            _four_make_the_bump,
        ),
        "sine": Goal("Bring the error on the sine below 0.005 with at most four units.", _sine_from_four),
        "fewer": Goal(
            "Let at least two units bend between 0 and 4, none by 0, and make fewer pieces than units + 1.",
            _fewer_pieces,
        ),
        "fold": Goal(
            "Find the smallest depth at which folding by hand makes more pieces than one hidden layer can.",
            _folds_win,
        ),
    }

    view = Choice("build", "compare")
    target = Choice(*bumps.TARGETS)
    units = Whole(1, low=0, high=MOST_UNITS)
    joints = Numbers([1.0], least=0, most=MOST_UNITS, low=-bumps.FAR, high=bumps.FAR)
    slopes = Numbers([1.0], least=0, most=MOST_UNITS, low=-bumps.STEEPEST, high=bumps.STEEPEST)
    weights = Numbers(
        [1.0], least=0, most=MOST_UNITS, low=-bumps.STEEPEST, high=bumps.STEEPEST, nonzero=bumps.FLATTEST
    )
    bias = Number(0.0, low=-bumps.STEEPEST, high=bumps.STEEPEST)
    knots = Numbers([0.5] * bumps.KNOTS, least=bumps.KNOTS, most=bumps.KNOTS, low=-1.5, high=1.5)
    learning_rate = Number(0.02, low=0.001, high=0.2)
    depth = Whole(3, low=1, high=MOST_DEPTH)
    steps = Whole(0, low=0, high=MOST_STEPS)
    seed = Whole(0, low=0, high=9999)

    limits: traitlets.List[Any] = traitlets.List([LOW, HIGH], help="of the x axis").tag(sync=True)
    wanted = traitlets.Bytes(help="float32 (samples,): the target from limit to limit").tag(sync=True)
    line = traitlets.Bytes(help="float32 (pieces + 1, 2): ends and bends of the output").tag(sync=True)
    shares = traitlets.Bytes(help="float32 (units, 2): what a unit adds at the two limits").tag(sync=True)
    pieces = traitlets.Int(1, help="straight pieces of the output").tag(sync=True)
    error = traitlets.Float(0.0, help="mean squared").tag(sync=True)
    terms: traitlets.List[Any] = traitlets.List(help="what each unit computes").tag(sync=True)
    score: traitlets.List[Any] = traitlets.List(help="units, parameters, pieces, error, in words").tag(
        sync=True
    )
    story = traitlets.Unicode(help="the pieces, and why there are no more").tag(sync=True)
    entrants: traitlets.List[Any] = traitlets.List(
        help="of the comparison: title, pieces, error, points of the curve, pieces of all seeds"
    ).tag(sync=True)
    curves = traitlets.Bytes(
        help="float32 (points, 2): the curves of the entrants; the first is what is to be learnt"
    ).tag(sync=True)
    verdict = traitlets.Unicode(help="what the comparison shows").tag(sync=True)
    draws = traitlets.Int(0, help="how often units were scattered by chance").tag(sync=True)
    parameters = traitlets.Bytes(help="float32: of the networks that were trained to be compared").tag(
        sync=True
    )

    def __init__(self, **settings: Any) -> None:
        parameters = settings.pop("parameters", b"")
        if "units" in settings and "joints" not in settings:
            units = (
                settings["units"] if settings["units"] in range(MOST_UNITS + 1) else 0
            )  # else it is refused
            settings["joints"] = np.linspace(LOW, HIGH, units + 1)[:-1].tolist()
        super().__init__(**settings)
        self._training: bumps.Training | None = None
        self._races: dict[str, Race] = {}
        self._raced: tuple[Any, ...] = ()
        self._busy = False
        self._joints: list[float] | None = None  # so that units are as many as the joints that are given
        self._given, self._trained = parameters, self.steps
        self._settle()
        self.observe(self._settle, names=sorted(set(self.settings()) - {"running"}))
        self.observe(self._rest, names="running")

    @classmethod
    def restored(cls, state: dict[str, Any]) -> Self:
        """Return the networks of a page with their weights; the optimizers begin with empty memories."""
        kept = set(cls.settings()) - {"device", "running"} | {"parameters"}
        widget = cls(**{name: value for name, value in state.items() if name in kept})
        widget.draws = int(state.get("draws", 0))
        return widget

    # -- the reader's actions

    def do_add(self, joint: float | None = None) -> None:
        """Add a unit that bends at `joint`; without one, in the middle of the widest gap.

        Raises:
            ValueError: there are as many units as there may be; a joint outside the picture.
        """
        if self.units == MOST_UNITS:
            raise ValueError(f"BumpBuilder: expected at most {MOST_UNITS} units. Remove one first")
        place = self._gap() if joint is None else real(joint)
        if not LOW <= place <= HIGH:
            raise ValueError(f"BumpBuilder: expected a joint from {LOW:g} to {HIGH:g}; received {joint!r}")
        self._place(
            self._bumps()._replace(
                joints=np.append(self.joints, place),
                slopes=np.append(self.slopes, 1.0),
                weights=np.append(self.weights, 1.0),
            )
        )

    def do_remove(self, unit: int) -> None:
        """Take a unit away, counted from 1.

        Raises:
            ValueError: there is no such unit.
        """
        if real(unit) not in range(1, self.units + 1):
            raise ValueError(f"BumpBuilder: expected a unit from 1 to {self.units}; received {unit!r}")
        kept = np.arange(self.units) != int(unit) - 1
        made = self._bumps()
        self._place(Bumps(made.joints[kept], made.slopes[kept], made.weights[kept], made.bias))

    def do_fit(self) -> None:
        """Set changes of slope and bias to what fits the target best, joints being where they are."""
        self._place(bumps.fitted(self._bumps(), self._target()))

    def do_scatter(self) -> None:
        """Give every unit a joint, a direction and a small slope by chance."""
        rng, units = np.random.default_rng(self.draws), self.units or 6
        self.draws += 1
        self._place(
            Bumps(
                rng.uniform(LOW, HIGH, units),
                0.5 * rng.standard_normal(units),
                rng.choice([-1.0, 1.0], units),
                0.0,
            )
        )

    def do_clear(self) -> None:
        """Take all units away."""
        self._place(Bumps(np.empty(0), np.empty(0), np.empty(0), 0.0))

    def do_seeds(self) -> None:
        """Begin the comparison anew, from other seeds."""
        self.running = False
        self.seed = (self.seed + SEEDS) % 10_000

    def _gap(self) -> float:
        edges = np.sort([LOW, *(j for j in self.joints if LOW < j < HIGH), HIGH])
        widest = int(np.argmax(np.diff(edges)))
        return float(edges[widest] + edges[widest + 1]) / 2

    def _place(self, made: Bumps) -> None:
        self.running = False
        with self.hold_sync():
            self._write(made)
            self._training = None
            self.show()

    # -- what follows from the settings

    def _rest(self, change: Any) -> None:
        """Count what was not counted while they were trained."""
        if not change["new"] and self.view == "compare":
            with self.hold_sync():
                self.show()

    def _bumps(self) -> Bumps:
        return Bumps(
            np.array(self.joints, float),
            np.array(self.slopes, float),
            np.array(self.weights, float),
            self.bias,
        )

    def _target(self) -> Floats:
        return bumps.target(self.target, bumps.points(), np.array(self.knots))

    def _write(self, made: Bumps) -> None:
        """Write a network into the settings, of which nothing follows but what is seen."""
        self._busy = True
        try:
            with self.hold_sync(), self.hold_trait_notifications():
                self.joints, self.slopes, self.weights = (v.tolist() for v in made[:3])
                self.bias, self.units = made.bias, len(made.joints)
        finally:
            self._busy = False
        self._joints = self.joints

    def _settle(self, change: Any = None) -> None:
        """Bring all that is shown into line with the settings, whichever of them changed."""
        if self._busy:
            return
        with self.hold_sync():
            self._write(self._completed())
            self._training = None
            if change and change["name"] in ("depth", "seed") and self.steps == self._trained:
                self._set_steps(0)  # what was trained was another network
            self._trained = self.steps
            self.show()

    def _completed(self) -> Bumps:
        """Return the network with a number of each kind for each unit: `units` says how many, or the joints do."""
        made = self._bumps()
        wanted = len(made.joints) if self.joints != self._joints else self.units
        while len(made.joints) < wanted:
            self._joints = self.joints = [*self.joints, self._gap()]
            made = self._bumps()
        more = np.ones(wanted)
        return Bumps(
            made.joints[:wanted],
            np.append(made.slopes, more)[:wanted],
            np.append(made.weights, more)[:wanted],
            made.bias,
        )

    # -- training

    def step(self) -> bool:
        """Train for one picture's worth; return whether there is more to do."""
        more = self.advance()
        with self.hold_sync():
            self.show()
        return more

    def advance(self) -> bool:
        """Make some updates more, of the reader's network or of those that are compared."""
        if self.view == "compare":
            return self._race_on()
        if not self.units:
            self.send({"type": "refused", "message": "BumpBuilder: expected a unit to train. Add one first"})
            return False
        if self._training is None:
            self._training = bumps.Training(
                self._bumps(), self._target(), self.learning_rate, device=self.device
            )
        self._write(self._training.train(AT_ONCE))
        return self._training.steps < MOST_STEPS

    def _race_on(self) -> bool:
        for race in self._races.values():
            race.train(min(AT_ONCE, MOST_STEPS - race.steps))
        self._set_steps(self._steps())
        self._trained = self.steps
        return bool(self.steps < MOST_STEPS)

    def _steps(self) -> int:
        return next((race.steps for race in self._races.values()), 0)

    def _set_steps(self, steps: int) -> None:
        self._busy = True
        try:
            self.steps = steps
        finally:
            self._busy = False

    def _line_up(self) -> None:
        """Have the networks of the comparison ready: those that were given, or trained from their seeds."""
        made_of = self.depth, self.seed, self.device
        if self._raced == made_of and self._steps() == self.steps:
            return
        self._raced = made_of
        given, self._given = self._given, b""
        for kind in ("wide", "deep"):
            race = self._races[kind] = Race(kind, self.depth, self.seed, device=self.device)
            size = 4 * SEEDS * (6 * self.depth + 1)
            if given:
                race.unpack(given[:size], self.steps)
                given = given[size:]
            elif self.device == "numpy":
                race.unpack(bumps.raced(kind, self.depth, self.seed, self.steps), self.steps)
            else:
                race.train(self.steps)

    # -- what is seen

    def show(self) -> None:
        """Write curves and sentences into the traits."""
        if self.view == "compare":
            self._show_race()
        self._show_own()
        self._look()  # a task may ask for more digits than the summary has

    def _show_own(self) -> None:
        made, wanted = self._bumps(), self._target()
        seen = made.curve()
        outputs = bumps.values(made.model(self.device), bumps.points()) if self.units else made.bias
        self.error = float(np.mean((outputs - wanted) ** 2))
        self.pieces = seen.pieces
        self.wanted = wanted.astype("<f4").tobytes()
        self.line = np.column_stack(seen).astype("<f4").tobytes()
        self.shares = made.shares(np.array([LOW, HIGH])).astype("<f4").tobytes()
        self.terms = [term(made, unit) for unit in range(self.units)]
        numbers = [str(self.units), str(3 * self.units + 1), str(self.pieces), error_words(self.error)]
        self.score = numbers
        self.story = about_pieces(made, self.pieces) + about_dead(made)
        if self.view == "compare":
            self.summary = self.verdict
            return
        each = [
            f"unit {i + 1} bends at {number(j)} by {number(s)}"
            for i, (j, s) in enumerate(zip(self.joints, self.slopes, strict=True))
        ]
        self.summary = (
            f"Target: {TARGET_NAMES[self.target]}. {count(self.units, 'unit')}, "
            f"{count(3 * self.units + 1, 'parameter')}, {self.story} "
            f"Mean squared error {numbers[3]}." + (f" {'; '.join(each).capitalize()}." if each else "")
        )

    def _show_race(self) -> None:
        self._line_up()
        x = bumps.points()
        hand = bumps.folded(self.depth)
        wanted = bumps.fold(x / HIGH, self.depth)
        by_hand = bumps.values(hand, x)
        entrants = [
            Entrant("Deep, folded by hand", bumps.curve(hand), float(np.mean((by_hand - wanted) ** 2))),
            *(self._entrant(kind, race) for kind, race in self._races.items()),
        ]
        lines = np.concatenate([np.column_stack(e.curve) for e in entrants])
        self.curves = lines.astype("<f4").tobytes()
        self.entrants = [
            {
                "title": e.title,
                "pieces": e.curve.pieces,
                "error": error_words(e.error),
                "points": len(e.curve.x),
                "spread": e.spread,
            }
            for e in entrants
        ]
        self.parameters = b"".join(race.pack() for race in self._races.values())
        self.verdict = about_race(self.depth, self.steps, *entrants)

    def _entrant(self, kind: str, race: Race) -> Entrant:
        """Return the best network of a race, or before any training its first."""
        errors = race.errors()
        best = int(np.argmin(errors)) if self.steps else 0
        which = f"the best of {SEEDS} seeds" if self.steps else f"the first of {SEEDS} seeds"
        # While they are trained, to look at all of them would take longer than the training.
        curves = race.curves([best] if self.running else range(SEEDS))
        chosen = curves[0 if self.running else best]
        others = [] if self.running else curves
        return Entrant(f"{kind.capitalize()}, trained: {which}", chosen, float(errors[best]), others)

    def picture(self) -> bytes:
        """Return the curves as PNG."""
        from dlcore import plots

        ax = plots.figure(width=5.2, height=3.4)[0]
        made, x = self._bumps(), bumps.points()
        if self.view == "compare":
            table = np.frombuffer(self.curves, "<f4").reshape(-1, 2)
            start = 0
            for entrant, colour, dash in zip(self.entrants, plots.COLOURS, plots.DASHES, strict=False):
                part = table[start : start + entrant["points"]]
                start += entrant["points"]
                ax.plot(
                    *part.T,
                    color=colour,
                    linestyle=dash,
                    label=f"{entrant['title']}: {entrant['pieces']} pieces",
                )
            ax.legend(fontsize=7)
        else:
            ax.plot(x, self._target(), color=plots.GREY, linestyle="--", label="target")
            for share in made.shares(x):
                ax.plot(x, share, color=plots.PURPLE, linewidth=1, linestyle="-")
            ax.plot(*made.curve(), color=plots.GREEN, linestyle="-", label="network")
            plots.legend(ax)
        ax.set(xlabel="$x$", xlim=(LOW, HIGH), ylim=(-0.2, 1.2) if self.view == "compare" else (-1.6, 1.6))
        return plots.png(ax)
