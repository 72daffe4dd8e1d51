"""One hundred seeds: the same training from a hundred random starts at once (chapter Training).

Nothing differs between the networks but the numbers that chance draws: first weights, and the order of the rows. What
differs in the end is luck, and one run shows one draw of it.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import traitlets
from numpy.typing import NDArray

from .base import Goal, Widget
from .crowd import DATASETS, MEMBERS, OPTIMIZERS, POINTS, Crowd, points
from .line import percent
from .traits import Choice, Number, Whole

SIDE = 20  # of each map
MOST = 120  # records that are kept of the curves
SOLVED = 0.95  # the share of the test points that must be right
SHARES = (10, 50, 90)  # per cent of the networks below the lines of the band
NAMES = {"sgd": "SGD", "momentum": "momentum", "rmsprop": "RMSProp", "adam": "Adam"}
OF_CROWD = ("dataset", "width", "optimizer", "learning_rate", "seed", "device")


def misled(one: Any, other: Any) -> tuple[float, float]:
    """Return how often a single run of each would point to what is worse on average, and how often to neither.

    Args:
        one: results of one setting, shape (n,), more being better.
        other: results of the other, shape (m,).

    Returns:
        two shares of all n · m pairs.

    >>> misled([0.9, 0.9], [0.8, 1.0])  # equal on average: nothing is worse
    (0.0, 0.0)
    >>> misled([0.9, 0.9], [0.6, 1.0])
    (0.5, 0.0)
    """
    a, b = np.asarray(one, np.float64), np.asarray(other, np.float64)
    if np.isclose(a.mean(), b.mean()):
        return 0.0, 0.0
    better, worse = (a, b) if a.mean() > b.mean() else (b, a)
    return float(np.mean(worse[:, None] > better)), float(np.mean(worse[:, None] == better))


class OneHundredSeeds(Widget):
    """A hundred networks 2-width-width-1 of tanh units, trained as one, and any of them opened.

    Settings: `dataset`, `width`, `optimizer`, `learning_rate`; `seed`, the first of the hundred; `epochs`, where
    training ends; `chosen`, the network that is shown large, from 1 to 100; `device`.

    >>> seeds = OneHundredSeeds(dataset="gaussian", epochs=10)
    >>> seeds.train(10)
    >>> seeds.epoch, seeds.solved > 50
    (10, True)
    """

    source = "one_hundred_seeds.js"
    goals: ClassVar[dict[str, Goal]] = {
        "luck": Goal(
            "Find settings at which luck decides: at the end between 30 and 70 of the networks solve the task.",
            lambda self: self.epoch >= self.epochs and 30 <= self.solved <= 70,
        ),
        "sure": Goal(
            "Solve XOR or the circle with at least 98 of the 100 networks.",
            lambda self: self.dataset in ("xor", "circle") and self.solved >= 98,
        ),
        "misled": Goal(
            "Keep one setting and train another, so that a single run of each would choose the worse in at least "
            "a quarter of all pairs.",
            lambda self: bool(self.kept) and self.epoch >= self.epochs and self.misled[0] >= 0.25,
        ),
    }

    dataset = Choice(*DATASETS)
    width = Whole(2, low=1, high=16)
    optimizer = Choice(*OPTIMIZERS, default="adam")
    learning_rate = Number(0.03, low=1e-4, high=10)
    seed = Whole(0, low=0, high=10_000)
    epochs = Whole(60, low=5, high=400)
    chosen = Whole(1, low=1, high=MEMBERS)

    epoch = traitlets.Int(0, help="how often all rows were gone through").tag(sync=True)
    solved = traitlets.Int(0, help="networks that have at least 95 % of the test points right").tag(sync=True)
    marks: traitlets.List[Any] = traitlets.List(help="the epochs of the records").tag(sync=True)
    curves = traitlets.Bytes(help="float32 (records, 100): test losses").tag(sync=True)
    band = traitlets.Bytes(help="float32 (records, 3): the 10 %, 50 % and 90 % points of each record").tag(
        sync=True
    )
    accuracies = traitlets.Bytes(help="float32 (100,): test accuracies now").tag(sync=True)
    maps = traitlets.Bytes(help=f"int8 (100, {SIDE}, {SIDE}): 2p - 1 over the plane, rows from the top").tag(
        sync=True
    )
    test = traitlets.Bytes(help="float32 (n, 3): the test points, x1, x2, class -1 or 1").tag(sync=True)
    order: traitlets.List[Any] = traitlets.List(help="the networks, from 0, the best first").tag(sync=True)
    seconds = traitlets.Float(0.0, help="time spent in training steps").tag(sync=True)
    kept: traitlets.Dict[str, Any] = traitlets.Dict(
        help="a result to compare with: words, accuracies, solved"
    ).tag(sync=True)
    outcome = traitlets.Unicode(help="how many solved it, and the spread").tag(sync=True)
    compared = traitlets.Unicode(help="what single runs would say beside the kept result").tag(sync=True)

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.misled: tuple[float, float] = (0.0, 0.0)
        self._made: tuple[Any, ...] = ()
        self.observe(self._settle, names=[*OF_CROWD, "epochs"])
        self.observe(self._begin_again, names="running")
        self._settle()

    # -- the reader's actions

    def do_step(self) -> None:
        """Train all of them for one epoch."""
        self.running = False
        self.train(1)

    def do_reset(self) -> None:
        """Begin anew: the same settings give the same numbers."""
        self.running = False
        self._made = ()
        self._settle()

    def do_draw(self) -> None:
        """Take the next hundred seeds."""
        self.seed = (self.seed + MEMBERS) % 10_000

    def do_keep(self) -> None:
        """Keep the result of now, to compare others with it."""
        if not self.epoch:
            raise ValueError(
                "OneHundredSeeds.keep: there is no result yet. Train the networks first, then keep what they reach"
            )
        self.kept = {"words": self.words, "accuracies": self._accuracies.tolist(), "solved": self.solved}
        self.show()

    def do_forget(self) -> None:
        """Compare with nothing any more."""
        self.kept = {}
        self.show()

    def train(self, epochs: int) -> None:
        """Train for so many epochs, at most to the end."""
        for _ in range(min(epochs, self.epochs - self.crowd.epoch)):
            self._epoch()
        self.show()

    # -- what follows from the settings

    @property
    def words(self) -> str:
        """The settings in a few words."""
        return f"{self.dataset}, width {self.width}, {NAMES[self.optimizer]} at {self.learning_rate:g}"

    def _settle(self, _: Any = None) -> None:
        """Make a hundred new networks where the settings ask for others."""
        made = tuple(getattr(self, name) for name in OF_CROWD)
        if made != self._made or self.epoch > self.epochs:
            self._made, self.running = made, False
            self._gather()
        self.show()

    def _begin_again(self, change: Any) -> None:
        """Train the hundred anew where they are trained already: Run is never without effect."""
        if change["new"] and self.epoch >= self.epochs:
            self._gather()

    def _gather(self) -> None:
        """Make the hundred networks, untrained, and their test points."""
        self.crowd = Crowd(
            self.dataset,
            width=self.width,
            optimizer=self.optimizer,
            learning_rate=self.learning_rate,
            first=self.seed,
            device=self.device,
        )
        x, t = points(self.dataset)
        half = POINTS // 2
        self.test = np.hstack([x[half:], 2 * t[half:] - 1]).astype("<f4").tobytes()
        self._records: list[tuple[int, NDArray[Any]]] = []
        self._note()

    # -- training

    def advance(self) -> bool:
        """Train all of them for one epoch; return whether some are left."""
        if self.crowd.epoch < self.epochs:
            self._epoch()
        return bool(self.crowd.epoch < self.epochs)

    def _epoch(self) -> None:
        self.crowd.train()
        self._note()

    def _note(self) -> None:
        """Measure all networks and add to the curves; of too many records every other one goes."""
        losses, self._accuracies = self.crowd.measure()
        self._losses = np.where(np.isfinite(losses), losses, np.inf)
        if len(self._records) >= MOST:
            self._records = self._records[::2]
        self._records.append((self.crowd.epoch, self._losses))

    def show(self) -> None:
        """Write what is to be seen into the traits."""
        table = np.stack([losses for _, losses in self._records])
        with self.hold_sync():
            self.epoch, self.seconds = self.crowd.epoch, self.crowd.seconds
            self.marks = [epoch for epoch, _ in self._records]
            self.curves = table.astype("<f4").tobytes()
            # Without interpolation, which would make NaN of two infinite losses.
            shares = np.percentile(table, SHARES, axis=1, method="nearest").T
            self.band = np.ascontiguousarray(shares, "<f4").tobytes()
            self.accuracies = self._accuracies.astype("<f4").tobytes()
            self.maps = self.crowd.maps(SIDE)
            self.order = np.lexsort((self._losses, -self._accuracies)).tolist()
            self.solved = int(np.sum(self._accuracies >= SOLVED))
            self._tell()

    def _tell(self) -> None:
        worst, middle, best = (
            float(np.percentile(self._accuracies, q, method="nearest")) for q in (0, 50, 100)
        )
        lost = int(np.isinf(self._losses).sum())
        self.outcome = (
            f"After {self.epoch} of {self.epochs} epochs {self.solved} of {MEMBERS} networks have at least "
            f"{percent(SOLVED)} of the test points right. The worst has {percent(worst, 1)}, the median "
            f"{percent(middle, 1)}, the best {percent(best, 1)}." + (f" {lost} diverged." if lost else "")
        )
        self.compared = self._about_kept()
        self.summary = f"{self.words.capitalize()}. {self.outcome} {self.compared}".strip()

    def _about_kept(self) -> str:
        if not self.kept:
            self.misled = (0.0, 0.0)
            return ""
        before = np.array(self.kept["accuracies"])
        self.misled = misled(self._accuracies, before)
        means = f"mean {percent(before.mean(), 1)} there, {percent(self._accuracies.mean(), 1)} here"
        return (
            f"Kept: {self.kept['words']}, {self.kept['solved']} of {MEMBERS} solved; {means}. Of all pairs of one run "
            f"there and one here, {percent(self.misled[0])} would choose what is worse on average, and "
            f"{percent(self.misled[1])} would see no difference."
        )

    def picture(self) -> bytes:
        """Return the band and the hundred curves as PNG."""
        from dlcore import plots

        ax = plots.figure(width=5.2, height=3.2)[0]
        table = np.frombuffer(self.curves, "<f4").reshape(-1, MEMBERS)
        band = np.frombuffer(self.band, "<f4").reshape(-1, len(SHARES))
        with plots.style():
            ax.plot(self.marks, table, "-", color=plots.GREY, linewidth=0.4, alpha=0.5)
            for k, label in ((1, "median"), (0, "10 % and 90 %"), (2, "_")):
                ax.plot(self.marks, band[:, k], "-" if k == 1 else "--", color=plots.BLUE, label=label)
            ax.set(xlabel="epoch", ylabel="test loss", xlim=(0, self.epochs), ylim=(0, None))
        return plots.png(plots.legend(ax))
