"""Drag the neuron: one neuron on two inputs, its border and its formula, all of which move (chapter Neurons).

    ŷ = f(z),  z = w1 x1 + w2 x2 + b

The reader drags weights, bias or the border itself, and tries to hit a target: a border that is drawn dashed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import traitlets
from numpy.typing import NDArray

from dlcore import activations
from dlcore.arrays import asarray, to_numpy
from dlcore.backprop import Tensor, no_grad
from dlcore.neurons import distance, margin, weighted_sum

from .base import Goal, Widget
from .line import Floats, cloud, count, number, pair, wrong
from .traits import Choice, Number, Switch, Whole

REACH = 6  # the plane is [-REACH, REACH]²
CURVE = 241  # points of the activation's curve
SIDE = 96  # pixels of the map along each axis
#: What an activation is written as, and the outputs that the map's two ends stand for.
FUNCTIONS = {
    "step": ("step", 0.0, 1.0),
    "sigmoid": ("σ", 0.0, 1.0),
    "tanh": ("tanh", -1.0, 1.0),
    "relu": ("relu", -5.0, 5.0),
    "identity": ("identity", -5.0, 5.0),
}
#: Sums at which a neuron has gone 10 and 90 % of its way from the lowest output to the highest, and the outputs there.
LEVELS: dict[str, list[tuple[float, str]]] = {
    "sigmoid": [(-math.log(9), "0.1"), (math.log(9), "0.9")],
    "tanh": [(-math.atanh(0.8), "−0.8"), (math.atanh(0.8), "0.8")],
}


class Parameters(NamedTuple):
    """Weights and bias of a neuron with two inputs."""

    w1: float
    w2: float
    b: float

    @property
    def weight(self) -> Floats:
        """The weights, shape (2,)."""
        return np.array([self.w1, self.w2])

    @property
    def length(self) -> float:
        """|w|: how fast the sum grows with the distance from the border; 0 also where the squares vanish."""
        return math.sqrt(self.w1 * self.w1 + self.w2 * self.w2)


class Target(NamedTuple):
    """A neuron to be reproduced, from where one starts, and whether the length of w counts, too."""

    goal: Parameters
    start: Parameters
    length_counts: bool = False


#: In "none" there is nothing to hit; its points are those of the chapter.
TARGETS = {
    "none": Target(Parameters(1, 2, -1.5), Parameters(0.8, -1.2, 0.5)),
    "origin": Target(Parameters(2, -1, 0), Parameters(1, 1, 0)),
    "chapter": Target(Parameters(1, 2, -1.5), Parameters(1, 1, 0)),
    "flipped": Target(Parameters(-1, -2, 1.5), Parameters(1, 2, -1.5)),
    "steeper": Target(Parameters(2, 4, -3), Parameters(0.5, 1, -0.75), length_counts=True),
}
NEAR = 0.05  # units of the plane from the border: a point that counts as lying on it
TURN, SHIFT, STRETCH = 3.0, 0.15, 0.1  # how far off still counts: degrees, units of the plane, share of |w|


# --------------------------------------------------------------------------------------------- what is computed


def outputs(points: Any, neuron: Parameters, activation: str, device: str = "numpy") -> tuple[Floats, Floats]:
    """Return sum and output of the neuron at each point.

    Args:
        points: shape (n, 2).
        neuron: its weights and bias.
        activation: the name of a function of `dlcore.activations`.
        device: where it is computed.

    Returns:
        z and ŷ, each of shape (n,).
    """
    x, w, b = (Tensor(asarray(v, device=device, dtype="float32")) for v in (points, neuron.weight, neuron.b))
    with no_grad():
        z = weighted_sum(x, w, b)
        y = getattr(activations, activation)(z)
    return to_numpy(z.data).astype(np.float64), to_numpy(y.data).astype(np.float64)


def nearest(point: Floats, neuron: Parameters) -> list[float]:
    """Return the border's point that is nearest to `point`; an empty list if there is no border."""
    if neuron.length == 0:
        return []
    away = float(distance(point, neuron.weight, neuron.b))
    return (point - away * neuron.weight / neuron.length).tolist()  # type: ignore[no-any-return]


@cache
def _pixels() -> NDArray[np.float32]:
    """Return the centres of the map's pixels, row by row from the top: shape (SIDE², 2)."""
    along = (REACH * ((2 * np.arange(SIDE) + 1) / SIDE - 1)).astype(np.float32)
    x, y = np.meshgrid(along, along[::-1])
    return np.stack([x.ravel(), y.ravel()], axis=1)


def output_map(neuron: Parameters, activation: str, device: str = "numpy") -> bytes:
    """Return the outputs over the plane as int8, SIDE × SIDE, rows from the top: ±127 are the ends of FUNCTIONS."""
    _, low, high = FUNCTIONS[activation]
    _, y = outputs(_pixels(), neuron, activation, device)
    shade = (2 * y - low - high) / (high - low)
    return np.round(127 * np.clip(shade, -1, 1)).astype(np.int8).tobytes()


def fewest_wrong_through_origin(points: Floats, labels: Floats) -> int:
    """Return how many points the best border through the origin leaves on the wrong side.

    A point is right if the angle from w to y x is below 90°, so the number changes only where w is at 90° to a
    point: trying one w between each two such angles tries all.
    """
    angles = np.arctan2(labels * points[:, 1], labels * points[:, 0])
    breaks = np.sort(np.concatenate([angles + np.pi / 2, angles - np.pi / 2]) % (2 * np.pi))
    tried = (breaks + np.append(breaks[1:], breaks[0] + 2 * np.pi)) / 2
    return int(np.min(np.sum(np.cos(tried[:, None] - angles) <= 0, axis=1)))


@dataclass(frozen=True)
class Miss:
    """How far a neuron is from its target.

    Attributes:
        wrong: points on the wrong side.
        turn: degrees between the two directions of w, 0 to 180.
        shift: by how much the distances of the two borders from the origin differ.
        stretch: |w| as a multiple of the target's.
        hit: whether nothing is left to do.
    """

    wrong: int
    turn: float
    shift: float
    stretch: float
    hit: bool


def miss(neuron: Parameters, target: Target, wrong_points: int) -> Miss | None:
    """Compare a neuron with its target; None if both weights are 0, so that there is no border."""
    goal = target.goal
    if neuron.length == 0:
        return None
    cosine = float(neuron.weight @ goal.weight) / (neuron.length * goal.length)
    turn = math.degrees(math.acos(max(-1.0, min(1.0, cosine))))
    shift = abs(neuron.b / neuron.length - goal.b / goal.length)
    stretch = neuron.length / goal.length
    fits = turn <= TURN and shift <= SHIFT and wrong_points == 0
    sure = not target.length_counts or 1 - STRETCH <= stretch <= 1 + STRETCH
    return Miss(wrong_points, turn, shift, stretch, fits and sure)


# ---------------------------------------------------------------------------------------------- what is said


def terms(neuron: Parameters, x1: str, x2: str) -> str:
    """Return the sum as it is written, a negative number in brackets."""
    w1, w2, b = (f"({n})" if n.startswith("−") else n for n in map(number, neuron))
    return f"{w1}·{x1} + {w2}·{x2} + {b}"


def advice(neuron: Parameters, target: Target, found: Miss | None, activation: str) -> str:
    """Return what still keeps the neuron from its target, in a sentence or two."""
    if found is None:
        return "Both weights are 0: there is no border, and the neuron says the same everywhere."
    if found.hit:
        return "Hit: every point is on its side" + (
            ", and the neuron is as sure as its target."
            if target.length_counts
            else ", and the borders agree."
        )
    if found.turn > 180 - TURN:
        return (
            f"The border runs the right way, but w points to the wrong side: {count(found.wrong, 'point')} wrong. "
            "Change the sign of w1, w2 and b."
        )
    if found.turn > TURN:
        return f"The border must still be turned by {found.turn:.0f}°. That is for w1 and w2."
    if found.shift > SHIFT:
        return (
            f"The direction is right. The border must still be moved by {number(found.shift)}. "
            "That is for the bias, and only for the bias."
        )
    if found.wrong:
        return f"Nearly: {count(found.wrong, 'point')} still on the wrong side."
    more = "more" if found.stretch < 1 else "less"
    hint = " (A step has no degrees: choose sigmoid to see it.)" if activation == "step" else ""
    return (
        f"The border is right. The neuron must become {more} sure: its |w| is {number(found.stretch)} times the "
        f"target's. Multiply w1, w2 and b by one number; the border stays.{hint}"
    )


def answered(activation: str, output: float) -> str:
    """Return what the output is, in two decimals, but not that it were a limit which it only comes near to.

    >>> answered("sigmoid", 0.73), answered("sigmoid", 0.9975), answered("step", 1)
    ('= 0.73', '> 0.99', '= 1.00')
    """
    text, (_, low, high) = number(output), FUNCTIONS[activation]
    if activation in LEVELS and text == number(high):
        return f"> {number(high - 0.01)}"
    if activation in LEVELS and text == number(low):
        return f"< {number(low + 0.01)}"
    return f"= {text}"


def no_way(target: Target, points: Floats, labels: Floats) -> str:
    """Return why the target cannot be hit without a bias; an empty text if it can."""
    if target.goal.b == 0:
        return ""
    away = abs(target.goal.b) / target.goal.length
    least = fewest_wrong_through_origin(points, labels)
    best = (
        f"leaves {least} of {len(points)} points on the wrong side"
        if least
        else "misses it, though no point is wrong"
    )
    return (
        "Without a bias this target cannot be hit. At x = (0, 0) the sum is 0 whatever w is, so every border goes "
        f"through the origin, and the target's passes it at a distance of {number(away)}. "
        f"The best border through the origin {best}."
    )


# ------------------------------------------------------------------------------------------------- the tasks


def hitting(target: str) -> Callable[[DragTheNeuron], bool]:
    """Return the question whether a widget has hit this target now."""
    return lambda widget: widget.target == target and widget.hit


def turned_through_the_point(widget: DragTheNeuron) -> bool:
    """Return whether the border runs through the chosen point, with the bias locked."""
    neuron = Parameters(widget.w1, widget.w2, widget.b)
    point = np.array([widget.x1, widget.x2])
    if neuron.length == 0 or not widget.no_bias or float(np.hypot(*point)) < 0.5:
        return False  # every border without a bias runs through the origin: a point there is no task
    return abs(float(distance(point, neuron.weight, neuron.b))) <= NEAR


GOALS = {
    "line": Goal("Lay the border onto the dashed one.", hitting("chapter")),
    "flip": Goal("Leave the border where it is, and swap its two sides.", hitting("flipped")),
    "surer": Goal(
        "Leave the border where it is, and make the neuron as sure as the target.", hitting("steeper")
    ),
    "turn": Goal(
        "Lock the bias at 0, and turn w until the border runs through the chosen point.",
        turned_through_the_point,
    ),
}

# ------------------------------------------------------------------------------------------------- the widget


class DragTheNeuron(Widget):
    """One neuron on two inputs, with a border that can be dragged.

    Settings: `w1`, `w2`, `b`, `activation`; `no_bias` locks b to 0; `x1`, `x2`, the chosen point; `target`, what is
    to be hit; `seed`, of the points; `device`.

    >>> neuron = DragTheNeuron(w1=1, w2=2, b=-1.5, x1=2, x2=3, activation="identity")
    >>> neuron.z, neuron.output
    (6.5, 6.5)
    """

    source = "drag_the_neuron.js"
    goals: ClassVar[dict[str, Goal]] = GOALS

    activation = Choice(*FUNCTIONS, default="sigmoid")
    target = Choice(*TARGETS)
    w1 = Number(0.8, low=-20, high=20)
    w2 = Number(-1.2, low=-20, high=20)
    b = Number(0.5, low=-50, high=50)
    no_bias = Switch(False)
    x1 = Number(1.5, low=-REACH, high=REACH)
    x2 = Number(0.6, low=-REACH, high=REACH)
    seed = Whole(0, low=0, high=9999)

    reach = traitlets.Int(REACH, help="the plane is [-reach, reach]²").tag(sync=True)
    points = traitlets.Bytes(help="float32 (n, 3): x1, x2, label").tag(sync=True)
    answers = traitlets.Bytes(help="float32 (n, 2): z and ŷ of each point").tag(sync=True)
    shades = traitlets.Bytes(help="int8 (side, side), rows from the top: the output over the plane").tag(
        sync=True
    )
    side = traitlets.Int(SIDE).tag(sync=True)
    ends: traitlets.List[Any] = traitlets.List(help="the outputs that the map's ends stand for").tag(
        sync=True
    )
    z = traitlets.Float(0.0, help="the sum at the chosen point").tag(sync=True)
    output = traitlets.Float(0.0, help="the neuron's output there").tag(sync=True)
    foot: traitlets.List[Any] = traitlets.List(
        help="w1, w2, b and the border's point nearest to the chosen one"
    ).tag(sync=True)
    chosen: traitlets.List[Any] = traitlets.List(help="x1, x2 that z, output and foot are of").tag(sync=True)
    curve = traitlets.Bytes(help="float32: the activation at sums from -reach to reach").tag(sync=True)
    levels: traitlets.List[Any] = traitlets.List(help="sums between which it is unsure, with words").tag(
        sync=True
    )
    aim: traitlets.List[Any] = traitlets.List(
        help="w1, w2, b of the target, and whether |w| counts; empty: no target"
    ).tag(sync=True)
    formula: traitlets.List[Any] = traitlets.List(
        help="the sum, the sum at the chosen point, the output there"
    ).tag(sync=True)
    score = traitlets.Unicode(help="how many points are on their side").tag(sync=True)
    advice = traitlets.Unicode(help="what keeps the neuron from its target").tag(sync=True)
    hit = traitlets.Bool(False, help="whether the target is hit now").tag(sync=True)
    hits: traitlets.List[Any] = traitlets.List(help="the targets hit so far").tag(sync=True)

    def __init__(self, **settings: Any) -> None:
        start = TARGETS.get(settings.get("target", "none"), TARGETS["none"]).start
        for name, value in start._asdict().items():
            locked = name == "b" and settings.get("no_bias") is True
            settings.setdefault(name, 0.0 if locked else value)
        super().__init__(**settings)
        self._seen: tuple[Any, ...] = ()
        self.observe(self._settle, names=self.settings())
        self._settle()

    @classmethod
    def restored(cls, state: dict[str, Any]) -> Self:
        """Return the neuron of a page, which has also hit what was hit there."""
        widget = super().restored(state)
        widget.hits = [name for name in TARGETS if name in {*state.get("hits", []), *widget.hits}]
        return widget

    @traitlets.validate("b")
    def _locked(self, proposal: Any) -> Any:
        if self.no_bias and proposal["value"] != 0:
            raise traitlets.TraitError(
                f"DragTheNeuron.b: expected 0 while no_bias is on; received {proposal['value']!r}. "
                "Set no_bias to False first. The widget keeps 0"
            )
        return proposal["value"]

    # -- the reader's actions

    def reset(self) -> None:
        """Go back to where the target starts; the points stay."""
        start = TARGETS[self.target].start
        with self.hold_sync(), self.hold_trait_notifications():
            self.w1, self.w2, self.b = start.w1, start.w2, 0.0 if self.no_bias else start.b

    def do_reset(self) -> None:
        """See `reset`."""
        self.reset()

    def do_choose(self, target: str) -> None:
        """Set the target and go to its start."""
        with (
            self.hold_sync(),
            self.hold_trait_notifications(),
        ):  # or the neuron as it is might hit the new target
            self.target = target
            self.reset()

    def do_draw(self) -> None:
        """Draw other points, from the next seed."""
        self.seed = (self.seed + 1) % 10_000

    # -- what follows from the settings

    def _settle(self, _: Any = None) -> None:
        """Compute all that is shown, once for each new state: a drag changes several settings at a time."""
        if self.no_bias and self.b != 0:
            self.b = 0.0  # and `_settle` is called anew
            return
        state = tuple(getattr(self, name) for name in self.settings())
        if state == self._seen:
            return
        self._seen = state
        neuron, target = Parameters(self.w1, self.w2, self.b), TARGETS[self.target]
        points, labels = cloud(target.goal.weight, target.goal.b, seed=self.seed)
        with self.hold_sync():
            self._compute(neuron, points, labels)
            self._compare(neuron, target, points, labels)
            self._say(neuron, points, labels)

    def _compute(self, neuron: Parameters, points: Floats, labels: Floats) -> None:
        self.points = np.column_stack([points, labels]).astype(np.float32).tobytes()
        self.answers = (
            np.column_stack(outputs(points, neuron, self.activation, self.device)).astype("<f4").tobytes()
        )
        self.shades = output_map(neuron, self.activation, self.device)
        self.ends = list(FUNCTIONS[self.activation][1:])
        along = np.linspace(-REACH, REACH, CURVE)
        self.curve = to_numpy(getattr(activations, self.activation)(along).data).astype("<f4").tobytes()
        chosen = np.array([self.x1, self.x2])
        self.chosen = chosen.tolist()
        z, y = outputs(chosen[None], neuron, self.activation, self.device)
        self.z, self.output = float(z[0]), float(y[0])
        self.levels = [list(level) for level in LEVELS.get(self.activation, [])]
        self.foot = [*neuron, *nearest(chosen, neuron)]

    def _compare(self, neuron: Parameters, target: Target, points: Floats, labels: Floats) -> None:
        self._wrong = int(np.sum(wrong(points, labels, neuron.weight, neuron.b)))
        if self.target == "none":
            self.aim, self.hit, self.advice = [], False, ""
            return
        found = miss(neuron, target, self._wrong)
        self.aim = [*map(float, target.goal), target.length_counts]
        self.hit = found is not None and found.hit
        if self.hit and self.target not in self.hits:
            self.hits = [*self.hits, self.target]
        locked = no_way(target, points, labels) if self.no_bias else ""
        self.advice = locked or advice(neuron, target, found, self.activation)

    def _say(self, neuron: Parameters, points: Floats, labels: Floats) -> None:
        name = FUNCTIONS[self.activation][0]
        here = pair((self.x1, self.x2))
        answer = answered(self.activation, self.output)
        self.formula = [
            f"z = {terms(neuron, 'x₁', 'x₂')}",
            f"here {terms(neuron, number(self.x1), number(self.x2))} = {number(self.z)}",
            f"ŷ = {name}({number(self.z)}) {answer}",
        ]
        self.score = f"{len(points) - self._wrong} of {len(points)} points are on their side."
        said = [
            f"w = {pair(neuron[:2])}, b = {number(neuron.b)}, {self.activation}.",
            f"At the chosen point {here} the sum is {number(self.z)} and the output {answer.removeprefix('= ')}.",
            self.score,
        ]
        if neuron.length == 0:
            said.insert(1, "Both weights are 0, so there is no border.")
        elif self._wrong == 0:
            closest = margin(points, labels, neuron.weight, neuron.b)
            said.append(f"The nearest is {number(closest)} from the border.")
        if self.advice:
            said.append(f"Target: {self.advice}")
        self.summary = " ".join(said)

    def picture(self) -> bytes:
        """Return the plane as PNG: outputs, points, border and target."""
        from dlcore import plots

        neuron, target = Parameters(self.w1, self.w2, self.b), TARGETS[self.target]
        _, low, high = FUNCTIONS[self.activation]
        middle = (low + high) / 2
        ax = plots.decision_boundary(
            lambda points: np.clip(outputs(points, neuron, self.activation)[1], low, high),
            level=middle,
            limits=(-REACH, REACH, -REACH, REACH),
            ax=plots.figure(width=4.6, height=4.2)[0],
        )
        points, labels = cloud(target.goal.weight, target.goal.b, seed=self.seed)
        plots.points(points, labels, size=10, ax=ax)
        if self.target != "none":
            plots.border(
                target.goal.weight, target.goal.b, arrow=False, linestyle="--", color=plots.GREY, ax=ax
            )
        if neuron.length:
            plots.border(neuron.weight, neuron.b, ax=ax)
        return plots.png(ax)
