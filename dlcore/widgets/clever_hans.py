"""Clever Hans: what a network looks at, and what seven maps say of it (chapter Interpretability).

A network learns to tell 4s from 9s, and the 9s that it learns from wear a mark. The reader moves the mark, sees the
answer turn, looks at seven heat maps of it, reads the hidden layer, cuts units out, and lets the network forget its
weights to see which map notices.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import traitlets

from dlcore import interpretability

from . import hans
from .base import Goal, Widget
from .hans import EVERY, EXAM, FOUR, MAPS, MOST, NINE, SIDE, UNITS, Learner
from .line import chance, number, percent
from .traits import Choice, Switch, Whole

LAYERS = {"mlp": 3, "conv": 4}  # with weights
CLOSE = 0.005  # maps whose shares or similarities are so near to the best are as good
ENOUGH = 190  # of the 200 test digits

#: What each map is, in a sentence or two; s is the score of the answer.
ABOUT = {
    "saliency": "How fast s changes with this pixel, up or down: |∂s/∂x|. It speaks of empty paper as well as of ink.",
    "gradient_x_input": (
        "The slope times the pixel, x · ∂s/∂x. Where the paper is empty it is 0, whatever the network has learnt."
    ),
    "smooth_grad": f"The slope ∂s/∂x, averaged over {hans.SAMPLES} copies of the picture with noise on them.",
    "integrated_gradients": "The slopes met on the way from empty paper to this picture, summed.",
    "occlusion": f"How far s falls when a patch of {hans.WINDOW} × {hans.WINDOW} pixels is painted over.",
    "guided_backprop": "The slope, with what is negative held back at every ReLU on the way: a derivative no more.",
    "grad_cam": (
        "Where the maps of the last convolution, 4 × 4 places each, speak for the answer. "
        "What speaks against it is left out."
    ),
}


def _fooled(widget: CleverHans) -> bool:
    return widget.digit == "4" and widget.marked and widget.p > 0.5 and widget.p_clean < 0.5


def _best(widget: CleverHans, name: str) -> bool:
    """Return whether the chosen map has the largest `name` of all, or nearly so."""
    values = {m["key"]: m[name] for m in widget.maps if m["fresh"] and m[name] is not None}
    return widget.method in values and values[widget.method] >= max(values.values()) - CLOSE


def _mended(widget: CleverHans) -> bool:
    return widget.percent >= 50 and not widget.busy and min(widget.scores) >= ENOUGH


class CleverHans(Widget):
    """A network, the mark that it may have fallen for, and seven maps of what it looks at.

    Settings: `network`, "mlp" or "conv"; `percent`, of the 9s that it learns from, how many wear the mark; `seed` and
    `steps` of its training. The picture: `digit`, "4" or "9", `which` of the hundred test digits, `marked`, and the
    mark's corner, `row` and `column`. `method`, the map that is shown large; `forgotten`, how many layers, from the
    last one on, have their weights shuffled. Remedies: `covered`, the corner painted over, and `cut`, how many units
    are taken out, those first that carry most of the mark. `dragging`, while only what is quick shall be computed;
    `device`.

    >>> hans = CleverHans(steps=300)
    >>> hans.scores[1] > 195, hans.scores[2] < 60
    (True, True)
    """

    source = "clever_hans.js"
    goals: ClassVar[dict[str, Goal]] = {
        "fool": Goal("Make the network take a 4 for a 9, by nothing but the mark.", _fooled),
        "where": Goal(
            "With the mark on the picture, choose the map that has the largest share of itself on the mark.",
            lambda self: self.marked and not self.busy and _best(self, "share"),
        ),
        "sanity": Goal(
            "Let at least one layer forget its weights, and choose the map that hardly notices.",
            lambda self: self.forgotten > 0 and not self.busy and _best(self, "similar"),
        ),
        "mend": Goal(
            "With the mark on half of the 9s in training, or on more, get at least "
            f"{ENOUGH} of the 200 test digits read right, whoever wears the mark.",
            _mended,
        ),
    }

    network = Choice("mlp", "conv")
    percent = Whole(100, low=0, high=100)
    seed = Whole(0, low=0, high=9999)
    steps = Whole(MOST, low=0, high=MOST)
    digit = Choice("4", "9")
    which = Whole(0, low=0, high=EXAM - 1)
    marked = Switch(True)
    row = Whole(hans.ROW, low=0, high=hans.FAR)
    column = Whole(hans.COLUMN, low=0, high=hans.FAR)
    method = Choice(*MAPS, default="gradient_x_input")
    forgotten = Whole(0, low=0, high=max(LAYERS.values()))
    covered = Switch(False)
    cut = Whole(0, low=0, high=UNITS)
    dragging = Switch(False)

    image = traitlets.Bytes(help="uint8 (28, 28): the digit without the mark, 255 is ink").tag(sync=True)
    heats = traitlets.Bytes(help="int8 (maps, 28, 28): each map, its largest number ±127").tag(sync=True)
    after = traitlets.Bytes(help="the same of the network that has forgotten; empty if nothing is").tag(
        sync=True
    )
    maps: traitlets.List[Any] = traitlets.List(
        help="of each map: key, name, about, fresh, share on the mark, similar after forgetting, inked: on ink alone"
    ).tag(sync=True)
    p = traitlets.Float(help="its probability of a 9").tag(sync=True)
    p_clean = traitlets.Float(help="the same without the mark").tag(sync=True)
    scores: traitlets.List[int] = traitlets.List(
        help="right of 200: mark on nobody, on the 9s, on the 4s"
    ).tag(sync=True)
    curve = traitlets.Bytes(help="float32 (exams, 4): steps, and the three shares of right answers").tag(
        sync=True
    )
    effects: traitlets.List[float] = traitlets.List(
        help="by how much the mark moves z through each unit"
    ).tag(sync=True)
    order: traitlets.List[int] = traitlets.List(
        help="the units, those first that carry most of the mark"
    ).tag(sync=True)
    probes: traitlets.List[float] = traitlets.List(
        help="read from the hidden layer: the mark, the digit; the same before training"
    ).tag(sync=True)
    busy = traitlets.Bool(False, help="whether only the chosen map is computed").tag(sync=True)
    layers = traitlets.Int(3, help="layers with weights").tag(sync=True)
    verdict = traitlets.Unicode(help="what it says about the picture").tag(sync=True)

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._learner = Learner(self.network, self.percent, self.seed, self.device)
        self._done: dict[str, Any] = {}  # of what is shown, the settings that it was computed for
        self._heats: dict[str, Any] = {}
        self._settle()
        self.observe(self._settle, names=self.settings())
        self.observe(self._begin_again, names="running")

    # -- the reader's actions

    def do_choose(self, setting: str, value: Any) -> None:
        """Set network, percent or seed, and train what results in front of the reader.

        Raises:
            ValueError: another setting.
        """
        if setting not in ("network", "percent", "seed"):
            raise ValueError(f"CleverHans: expected network, percent or seed; received {setting!r}")
        self.running = False
        with self.hold_sync(), self.hold_trait_notifications():
            setattr(self, setting, value)
            self.steps = 0
        self.running = True

    def do_reset(self) -> None:
        """Go back to the weights drawn by chance."""
        self.running = False
        self.steps = 0

    def _begin_again(self, change: Any) -> None:
        if change["new"] and self.steps >= MOST:
            self.steps = 0

    # -- training

    def advance(self) -> bool:
        """Train until the next exam; return whether there is more to do."""
        self._learner.train(min(EVERY - self._learner.steps % EVERY, MOST - self._learner.steps))
        return self._learner.steps < MOST

    def _settle(self, change: Any = None) -> None:
        """Bring all that is shown into line with the settings, whichever of them changed."""
        if change is not None and change["name"] == "steps" and change["new"] == self._learner.steps:
            return  # `show` wrote it
        made_of = (self.network, self.percent, self.seed, self.device)
        if made_of != self._learner.made_of or self.steps < self._learner.steps:
            self._learner = Learner(*made_of)
        self._learner.train(self.steps - self._learner.steps)
        with self.hold_sync():
            self.show()

    # -- what is seen

    def show(self) -> None:
        """Write what the network says, and what the maps say of it, into the traits."""
        self.steps, self.layers = self._learner.steps, LAYERS[self.network]
        self.busy = self.running or self.dragging
        self._look_inside()
        self._ask()
        self._draw_maps()
        self.curve = np.array(self._learner.curve, "<f4").tobytes()
        self._tell()

    def _due(self, what: str, *depends_on: Any) -> bool:
        """Return whether something has to be computed anew, as what it depends on is not what it was."""
        now = (self._learner, self._learner.steps, *depends_on)
        if self._done.get(what) == now:
            return False
        self._done[what] = now
        return True

    def _look_inside(self) -> None:
        """Write what each unit carries, what the probes read, and how the exams went."""
        learner, device = self._learner, self.device
        if self._due("effects"):
            units = hans.effects(learner.model, device)
            self.effects = [round(float(u), 4) for u in units]
            self.order = np.argsort(-units, kind="stable").tolist()
        if not (self.running and self.probes) and self._due("probes"):
            found = (*hans.probed(learner.model, device), *hans.probed(learner.newborn, device))
            self.probes = [round(share, 4) for share in found]
        if self._due("scores", self.cut, self.covered):
            self.scores = hans.examined(self._treated(), device)

    def _treated(self, model: Any = None, sign: float = 1.0) -> Any:
        own = self._learner.model if model is None else model
        return hans.treated(own, cut=self.order[: self.cut], covered=self.covered, sign=sign)

    def _picture(self) -> hans.Floats:
        images = hans.rows("test").images
        return np.asarray(images[self.which + (EXAM if self.digit == str(NINE) else 0)])

    def _seen(self) -> hans.Floats:
        clean = self._picture()
        return hans.marked(clean, self.row, self.column) if self.marked else clean

    def _ask(self) -> None:
        """Write what it says of the picture, with the mark and without."""
        both = hans.answers(self._treated(), np.stack([self._seen(), self._picture()]), self.device)
        self._z = float(both[0])
        self.p, self.p_clean = (float(np.round(1 / (1 + np.exp(-z)), 6)) for z in both)
        self.image = np.round(255 * self._picture()).astype(np.uint8).tobytes()

    def _draw_maps(self) -> None:
        """Write the maps of the score of the answer; the chosen one alone while there is no time."""
        lost = min(self.forgotten, self.layers)
        view = (self.digit, self.which, self.marked, self.row, self.column, self.cut, self.covered, lost)
        methods = [self.method] if self.busy else list(MAPS)
        if not self._due("maps", view, methods):
            return
        sign = 1.0 if self._z > 0 else -1.0
        model, seen = self._treated(sign=sign), self._seen()
        twin = self._treated(self._forgetful(lost), sign)
        later = {m: hans.heat(m, twin, seen, self.device) for m in methods} if lost else {}
        self._heats = {m: hans.heat(m, model, seen, self.device) for m in methods}
        self.heats = b"".join(hans.bytes_of(self._heats.get(m)) for m in MAPS)
        self.after = b"".join(hans.bytes_of(later.get(m)) for m in MAPS) if lost else b""
        self.maps = [self._told(m, self._heats.get(m), later.get(m), model, seen) for m in MAPS]

    def _forgetful(self, layers: int) -> Any:
        model = self._learner.model
        if not layers:
            return model
        rng = np.random.default_rng(self.seed)
        return interpretability.randomized(model, rng=rng, layers=hans.owners(model)[:layers])

    def _told(self, method: str, first: Any, second: Any, model: Any, seen: hans.Floats) -> dict[str, Any]:
        """Return what there is to say of a map: its share on the mark, and how alike it is after forgetting."""
        entry: dict[str, Any] = {"key": method, "name": MAPS[method], "fresh": first is not None}
        entry |= {"share": None, "similar": None, "inked": None, "about": ABOUT[method]}
        if first is None and method == "grad_cam" and self.network == "mlp":
            entry["about"] = (
                "Grad-CAM looks at a convolution, and this network has none. The convolutional one has."
            )
        if first is not None and method == "integrated_gradients":
            entry["about"] += self._sums(first, model, seen)
        if first is not None and self.marked:
            entry["share"] = round(hans.share_on_mark(first, self.row, self.column), 4)
        if first is not None and second is not None:
            for name, where in (("similar", seen[0] > -1), ("inked", seen[0] > 0)):
                value = hans.similarity(first, second, where)
                entry[name] = None if value is None else round(value, 4)
        return entry

    def _sums(self, values: hans.Floats, model: Any, seen: hans.Floats) -> str:
        picture, paper = hans.answers(model, np.stack([seen, 0 * seen]), self.device)
        total, rise = number(float(values.sum())), number(float(picture - paper))
        return f" The map adds up to {total}; from empty paper to the picture s rises by {rise}."

    def _tell(self) -> None:
        says, clean = (NINE if p > 0.5 else FOUR for p in (self.p, self.p_clean))
        self.verdict = f"It says {says}, {sure(self.p)}"
        self.verdict += f"; without the mark {clean}, {sure(self.p_clean)}." if self.marked else "."
        chosen = self.maps[list(MAPS).index(self.method)]
        found = ""
        if chosen["share"] is not None:
            found += f" {percent(chosen['share']).capitalize()} of the map {chosen['name']} lies on the mark."
        if chosen["similar"] is not None:
            lost = f"{min(self.forgotten, self.layers)} of {self.layers} layers"
            found += f" With {lost} forgotten, its likeness is {number(chosen['similar'])}."
        remedies = [f"{self.cut} of {UNITS} units cut"] if self.cut else []
        remedies += ["the corner painted over"] if self.covered else []
        treated = f" with {' and '.join(remedies)}" if remedies else ""
        nobody, nines, fours = self.scores
        wears = " with the mark" if self.marked else ""
        self.summary = (
            f"{percent(int(self.percent) / 100)} of the 9s in training wear the mark; {self.steps} steps. Of 200 test "
            f"digits it reads{treated} {nobody} right without the mark, {nines} with the mark on the 9s, {fours} with "
            f"it on the 4s. A {self.digit}{wears}: i{self.verdict[1:]}{found}"
        )

    def picture(self) -> bytes:
        """Return a PNG: the picture, and the maps of it."""
        from dlcore import plots as house

        plots: Any = house
        there = [m for m in MAPS if self._heats.get(m) is not None]
        axes = plots.figure(1 + len(there), width=1.5 * (1 + len(there)), height=2.0)
        plots.images(self._seen(), ax=axes[0])
        with plots.style():
            axes[0].set_title(f"says {NINE if self.p > 0.5 else FOUR}")
            for ax, method in zip(axes[1:], there, strict=True):
                values = np.asarray(self._heats[method])
                most = float(np.abs(values).max()) or 1.0
                ax.imshow(values, cmap="RdBu", vmin=-most, vmax=most)
                ax.set(xticks=[], yticks=[], xlim=(-0.5, SIDE - 0.5), title=MAPS[method])
        return plots.png(axes[0], dots=60)  # type: ignore[no-any-return]


def sure(p: float) -> str:
    r"""Return in words how probable its answer is to the network, from its probability of a 9.

    >>> sure(0.2), sure(0.9999)
    ('with 80.0\xa0%', 'with more than 99.9\xa0%')
    """
    return f"with {chance(max(p, 1 - p))}"
