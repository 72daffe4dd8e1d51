"""Paper folding: a sheet of squared paper on its way through the layers of a trained network (chapter Layers).

The slider leads from the input to the last layer, in which the output neuron's border is one straight line. All
pictures are computed beforehand (`paper`), so that the view only mixes two of them; a point is followed through all.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
import traitlets

from . import paper
from .base import Goal, Widget
from .line import count, percent
from .traits import Choice, Number, Whole

POINTS = 200
MOST_LAYERS, MOST_STEPS = 4, 20_000
AT_ONCE = 20  # updates between two pictures of a training
NEARLY = 0.95  # of the points
INNER = 2.0  # from the centre: the inner part of an arm
TIDY = 100  # units' values are sent in hundredths

KIND_NAMES = {
    "dense": "a network of dense layers with 8 units each",
    "plane": "a network that moves the points in the plane",
}
DATA_NAMES = {"spiral": "two spirals", "circle": "a disc in a ring"}


def _reached_separation(widget: PaperFolding) -> bool:
    first = next((s["depth"] for s in widget.stages if s["right"] >= NEARLY * POINTS), None)
    return first is not None and abs(widget.depth - first) < 1e-6


def _followed_inner(widget: PaperFolding) -> bool:
    return widget.radius(widget.point) < INNER and widget.depth == widget.layers


def _trained_anew(widget: PaperFolding) -> bool:
    return widget.again and widget.right >= NEARLY * POINTS


class PaperFolding(Widget):
    """Points, a grid and the border of a trained network, as each of its layers sees them.

    Settings: `data`; `network`, "dense" or "plane" (see `paper`); `layers`, `activation`, `seed` and `steps`, how it
    was trained; `depth`, where one looks, 0 being the input; `point`, the point that is followed, from 1; `device`.

    >>> folding = PaperFolding(data="circle", network="plane", layers=2, steps=500)
    >>> folding.right, [stage["right"] for stage in folding.stages][-1]
    (200, 200)
    """

    source = "paper_folding.js"
    goals: ClassVar[dict[str, Goal]] = {
        "separate": Goal(
            f"Put the depth on the first layer after which one flat cut has at least {percent(0.95)} of the points on "
            "their sides.",
            _reached_separation,
        ),
        "follow": Goal(
            "Choose a point of the inner part of an arm, less than 2 from the centre, and follow it to the last layer.",
            _followed_inner,
        ),
        "again": Goal(
            f"Train the network again from another seed, until at least {percent(0.95)} of the points are on their "
            "sides.",
            _trained_anew,
        ),
    }

    data = Choice("spiral", "circle")
    network = Choice("dense", "plane")
    layers = Whole(3, low=1, high=MOST_LAYERS)
    activation = Choice("tanh", "relu")
    seed = Whole(1, low=0, high=9999)
    steps = Whole(2000, low=0, high=MOST_STEPS)
    depth = Number(0.0, low=0, high=MOST_LAYERS)
    point = Whole(80, low=1, high=POINTS)

    parameters = traitlets.Bytes(help="float32: weights and biases in the order of the layers").tag(sync=True)
    labels = traitlets.Bytes(help="int8 (points,): -1 or +1").tag(sync=True)
    places = traitlets.Bytes(help="float32 (points, 3): x1, x2, the output neuron's sum").tag(sync=True)
    counts: traitlets.List[Any] = traitlets.List(
        help="points; lines of the grid; points on one; points of the border"
    ).tag(sync=True)
    frames = traitlets.Bytes(
        help="int16 (stages, points + grid + border, 2): the pictures, `scale` to the unit"
    ).tag(sync=True)
    scale = traitlets.Int(paper.STEPS).tag(sync=True)
    links = traitlets.Bytes(help="uint16 (pieces, 2): which points of the border are joined").tag(sync=True)
    values = traitlets.Bytes(help="int16: of each stage (points, units), in hundredths").tag(sync=True)
    stages: traitlets.List[Any] = traitlets.List(
        help="of each stage: name, depth, units, right, what there is to say"
    ).tag(sync=True)
    right = traitlets.Int(0, help="points on their side of the network's border").tag(sync=True)
    again = traitlets.Bool(False, help="whether the reader has had it trained anew").tag(sync=True)
    story = traitlets.Unicode(help="how the network was trained and what it gets right").tag(sync=True)

    def __init__(self, **settings: Any) -> None:
        parameters = settings.pop("parameters", None)
        super().__init__(**settings)
        self._begin(parameters)
        self.show()
        self.observe(self._settle, names=sorted(set(self.settings()) - {"running"}))

    @classmethod
    def restored(cls, state: dict[str, Any]) -> Self:
        """Return the network of a page with its weights; the optimizer begins with an empty memory."""
        kept = set(cls.settings()) - {"device", "running"}
        known = {"parameters"} if len(state.get("parameters", b"")) else set()
        widget = cls(**{name: value for name, value in state.items() if name in kept | known})
        widget.again = bool(state.get("again", False))
        return widget

    # -- the reader's actions

    def do_again(self) -> None:
        """Train anew from the next seed, in front of the reader."""
        self.running = False
        with self.hold_sync(), self.hold_trait_notifications():
            self.seed, self.steps, self.again = (self.seed + 1) % 10_000, 0, True
        self.running = True

    def do_choose(self, setting: str, value: Any) -> None:
        """Set data, network, layers or activation, and train what results in front of the reader.

        Raises:
            ValueError: another setting.
        """
        if setting not in ("data", "network", "layers", "activation"):
            raise ValueError(
                f"PaperFolding: expected data, network, layers or activation; received {setting!r}"
            )
        self.running = False
        with self.hold_sync(), self.hold_trait_notifications():
            setattr(self, setting, value)
            self.steps = 0
        self.running = True

    def radius(self, point: int) -> float:
        """Return how far a point, counted from 1, is from the centre."""
        return float(np.hypot(*self._points[point - 1]))

    # -- training

    def _made_of(self) -> tuple[Any, ...]:
        return self.network, self.layers, self.activation, self.data, self.seed, self.device

    def _begin(self, parameters: bytes | None = None) -> None:
        """Make the network that the settings name: with the parameters given, else trained from its seed."""
        self._points, self._labels = paper.draw(self.data)
        model = paper.build(self.network, self.layers, self.activation, self.seed, self.device)
        self._trainer = paper.Trainer(model, self._points, self._labels, device=self.device)
        if parameters is None and self.device == "numpy":
            parameters = paper.trained(
                self.network, self.layers, self.activation, self.data, self.seed, self.steps
            )
        if parameters is None:
            self._trainer.train(self.steps)
        else:
            paper.unpack(model, parameters)
            self._trainer.steps = self.steps
        self._settled = self._made_of()

    def _settle(self, change: Any) -> None:
        """Bring all that is shown into line with the settings."""
        if self._made_of() != self._settled or self.steps != self._trainer.steps:
            self._begin()
            with self.hold_sync():
                self.show()
        self.depth = min(self.depth, float(self.layers))
        self._look()  # tasks ask where the reader looks, which is no part of the summary

    def step(self) -> bool:
        """Train for one picture's worth; return whether there is more to do."""
        more = self.advance()
        with self.hold_sync():
            self.show()
        return more

    def advance(self) -> bool:
        """Make some updates more."""
        self._trainer.train(min(AT_ONCE, MOST_STEPS - self._trainer.steps))
        return self._trainer.steps < MOST_STEPS

    # -- what is seen

    def show(self) -> None:
        """Write the pictures of all stages and what there is to say into the traits."""
        model = self._trainer.model
        found = paper.stages(model, self._points)
        bend, (weight, bias) = paper.bends(model), paper.head(model)
        views = paper.views(found, bend, weight)
        edge = paper.border(model)
        sums = found[-1] @ weight + bias
        seen = [found, paper.stages(model, paper.grid()), paper.stages(model, edge.points)]
        pictures = [np.concatenate([view.of(s[k]) for s in seen]) for k, view in enumerate(views)]
        self.steps = self._trainer.steps
        self.parameters = paper.pack(model)
        self.labels = self._labels.astype(np.int8).tobytes()
        self.places = np.column_stack([self._points, sums]).astype("<f4").tobytes()
        self.counts = [len(self._points), 2 * paper.LINES, paper.ALONG, len(edge.points)]
        self.frames = b"".join(map(paper.whole, pictures))
        self.links = edge.links.astype("<u2").tobytes()
        limited = np.clip(np.concatenate([f.ravel() for f in found]) * TIDY, -32767, 32767)
        self.values = np.round(limited).astype("<i2").tobytes()
        self.right = int(np.sum((sums >= 0) == (self._labels > 0)))
        self.stages = self._told(found, views, bend)
        self._say()

    def _told(self, found: list[Any], views: list[Any], bend: list[bool]) -> list[dict[str, Any]]:
        """Return of each stage what it is called, where it is, and what can be said of it."""
        told: list[dict[str, Any]] = []
        layer = 0
        for k, (values, view) in enumerate(zip(found, views, strict=True)):
            sums = k + 1 < len(found) and bend[k + 1]
            layer += k > 0 and not bend[k]
            # Sums are a linear map of what comes before: no flat cut is gained or lost but by squeezing.
            right = told[-1]["right"] if sums else paper.separated(values, self._labels)
            units = values.shape[1]
            if k == 0:
                name, text = "input", "The sheet as it comes: each point at its x₁ and x₂."
            elif sums:
                name = f"layer {layer}, sums"
                text = "xW + b: the sheet is stretched, turned and sheared. Straight lines stay straight."
            elif bend[k]:
                name = f"layer {layer}"
                text = f"{self.activation} of each sum: the sheet bends."
            else:
                name = f"layer {layer}"
                text = f"x + {self.activation}(xW + b)V + c: each point is moved within the plane."
            shown = (
                f"The picture shows {percent(view.share)} of the spread in {units} dimensions."
                if units > 2
                else "Two numbers a point: the picture shows all."
            )
            if view.stretch > 1.05:
                shown += f" Where the cloud is thin, it is stretched {view.stretch:.1f} times."
            what = "straight line" if units == 2 else "flat cut"
            cut = f"The best {what} found here has {right} of {POINTS} points on their sides."
            told.append(
                {
                    "name": name,
                    "depth": layer - 0.5 if sums else float(layer),
                    "units": units,
                    "right": right,
                    "share": round(view.share, 4),
                    "text": f"{text} {shown} {cut}",
                }
            )
        told[-1]["text"] += " The output neuron's border is a straight line here."
        return told

    def _say(self) -> None:
        kind = KIND_NAMES[self.network]
        self.story = (
            f"{DATA_NAMES[self.data].capitalize()}, {kind}: {count(self.layers, 'hidden layer')}, {self.activation}, "
            f"seed {self.seed}, {self.steps:,} updates. {self.right} of {POINTS} points are on their side."
        )
        cuts = ", ".join(f"{s['name']} {s['right']}" for s in self.stages if s["depth"] % 1 == 0)
        self.summary = f"{self.story} The best flat cut found has on their sides, of {POINTS}: {cuts}."

    def picture(self) -> bytes:
        """Return the sheet at the depth of the setting as PNG."""
        from dlcore import plots

        stage = int(np.argmin([abs(s["depth"] - self.depth) for s in self.stages]))
        points, lines, along, _ = self.counts
        whole = np.frombuffer(self.frames, "<i2").reshape(len(self.stages), -1, 2)[stage] / paper.STEPS
        ax = plots.figure(width=4.6, height=4.2)[0]
        for line in whole[points : points + lines * along].reshape(lines, along, 2):
            ax.plot(*line.T, color=plots.GREY, linewidth=0.5, linestyle="-", alpha=0.6)
        ends = whole[points + lines * along :][np.frombuffer(self.links, "<u2").reshape(-1, 2)]
        for piece in ends:
            ax.plot(*piece.T, color=plots.GREEN, linewidth=2, linestyle="-")
        plots.points(whole[:points], self._labels, size=14, ax=ax)
        ax.set(xlim=(-1.1, 1.1), ylim=(-1.1, 1.1), xticks=[], yticks=[], title=self.stages[stage]["name"])
        return plots.png(ax)
