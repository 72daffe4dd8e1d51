"""Watch it learn: a network that knows nothing learns to read digits, and reads the reader's own all the while (intro).

    784 pixels → 32 units, ReLU → 10 classes, softmax    25,450 numbers, all but 42 drawn by chance
    w ← w - η ∂L/∂w                                      after every 32 of the 8,000 digits it learns from

The reader draws a digit, or takes one of the 2,000 test digits. After every picture shown, the network reads it again.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
import traitlets
from numpy.typing import NDArray

from dlcore import init, loss, optim
from dlcore.activations import relu, softmax
from dlcore.arrays import asarray, to_numpy
from dlcore.backprop import no_grad
from dlcore.capture import capture
from dlcore.data import digits
from dlcore.layers import Dense, Sequential

from . import ink
from .base import Goal, Widget
from .line import chance, percent
from .traits import Whole

UNITS, CLASSES, PIXELS = 32, 10, 784
BATCH, EPOCHS, RATE = 32, 10, 0.1
TRAIN = 8_000
EPOCH = TRAIN // BATCH  # steps
MOST = EPOCHS * EPOCH
EVERY = 10  # steps between two tests
SLOW, HURRY = 100, 10  # one step a picture for so many steps; never more than so many a picture
MOST_WHICH = 150  # every digit is there more often among the test digits

Floats = NDArray[np.float32]


class Rows(NamedTuple):
    """Pictures, float32 (n, 784), and their digits, int64 (n,): 8,000 to learn from, then those to test on."""

    images: Floats
    labels: NDArray[np.int64]


@cache
def rows() -> Rows:
    """Return all digits. They are kept: 31 MB, and a page fetches the file only when they are first asked for."""
    return Rows(*digits("all", flat=True))


def tested(digit: int, which: int) -> Floats:
    """Return one of the test pictures of a digit, shape (784,)."""
    images, labels = rows()
    return np.asarray(images[TRAIN:][np.flatnonzero(labels[TRAIN:] == digit)[which]])


class Learner:
    """A network between two steps of its learning.

    Args:
        seed: of its weights, and of the order in which it looks at the digits.
        device: where it computes.

    Attributes:
        steps: changes made so far.
        curve: for each test a row: steps, share of right answers, mean loss.
    """

    def __init__(self, seed: int, *, device: str = "numpy") -> None:
        rng = np.random.default_rng(seed)
        self.model = Sequential(
            Dense(PIXELS, UNITS, rng=rng, weight_init=init.he, device=device),
            relu,
            Dense(UNITS, CLASSES, rng=rng, device=device),
        )
        self.seed, self.device, self.steps = seed, device, 0
        self._optimizer = optim.SGD(self.model.parameters(), learning_rate=RATE)
        self._step = capture(self._update)
        self._order: NDArray[np.int64] = np.empty(0, np.int64)
        self.curve: list[tuple[float, float, float]] = []
        images, labels = rows()
        self._images, self._labels = asarray(images[TRAIN:], device=device), labels[TRAIN:]
        self._test()

    def _update(self, images: Any, labels: Any) -> None:
        error = loss.cross_entropy(self.model(images), labels)
        self._optimizer.zero_grad()
        error.backward()
        self._optimizer.step()

    def train(self, steps: int) -> None:
        """Make so many changes, each after a look at 32 digits; test after every tenth."""
        for _ in range(steps):
            epoch, batch = divmod(self.steps, EPOCH)
            if batch == 0 or not len(self._order):
                self._order = np.random.default_rng((self.seed, epoch)).permutation(TRAIN)
            chosen = self._order[BATCH * batch : BATCH * (batch + 1)]
            images, labels = (asarray(part[chosen], device=self.device) for part in rows())
            self._step(images, labels)
            self.steps += 1
            if self.steps % EVERY == 0:
                self._test()

    def _test(self) -> None:
        with no_grad():
            logits = self.model(self._images)
            labels = asarray(self._labels, device=self.device)
            error = float(to_numpy(loss.cross_entropy(logits, labels).data))
        right = float(np.mean(to_numpy(logits.data).argmax(axis=1) == self._labels))
        self.curve.append((self.steps, right, error))

    def read(self, picture: Floats) -> NDArray[np.float64]:
        """Return what it thinks of a picture (784,): ten probabilities."""
        with no_grad():
            answer = softmax(self.model(asarray(picture[None], device=self.device)))
        return np.asarray(to_numpy(answer.data)[0], np.float64)


def a(digit: int) -> str:
    """Return a digit with its article.

    >>> a(3), a(8)
    ('a 3', 'an 8')
    """
    return f"{'an' if digit == 8 else 'a'} {digit}"


class WatchItLearn(Widget):
    """A network that learns to read digits, and the reader's own drawing as it sees it.

    Settings: `seed` of the network; `steps`, how many changes it has made; `digit`, and `which` of its test pictures is
    shown; `strokes`, the reader's drawing, shown instead if there is one (see `ink.Strokes`); `device`.

    >>> widget = WatchItLearn(steps=500)
    >>> widget.accuracy > 0.85
    True
    """

    source = "watch_it_learn.js"
    goals = {  # noqa: RUF012 - declared a ClassVar by the base
        "learn": Goal(
            "Run it until it reads nine of ten test digits right.", lambda self: self.accuracy >= 0.9
        ),
        "draw": Goal(
            f"Draw a digit of your own that the trained network is more than {percent(0.9)} sure of.",
            lambda self: bool(self.strokes) and self.steps >= EPOCH and max(self.probabilities) > 0.9,
        ),
    }

    seed = Whole(0, low=0, high=9999)
    steps = Whole(0, low=0, high=MOST)
    digit = Whole(3, low=0, high=9)
    which = Whole(0, low=0, high=MOST_WHICH)
    strokes = ink.Strokes()

    most = traitlets.Int(MOST, help="steps after which it has looked at every digit ten times").tag(sync=True)
    shown = traitlets.Bytes(help="uint8 (28, 28): the picture that it reads, 255 is ink").tag(sync=True)
    probabilities: traitlets.List[float] = traitlets.List(help="of the ten digits").tag(sync=True)
    curve = traitlets.Bytes(help="float32 (tests, 3): steps, share of right answers, mean loss").tag(
        sync=True
    )
    accuracy = traitlets.Float(help="share of right answers in the last test").tag(sync=True)
    test_loss = traitlets.Float(help="mean loss in the last test").tag(sync=True)
    verdict = traitlets.Unicode(help="what it takes the picture for").tag(sync=True)

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._learner = Learner(self.seed, device=self.device)
        self._catch_up()
        self.observe(self._settle, names=["seed", "steps", "digit", "which", "strokes", "device"])
        self.observe(self._begin_again, names="running")

    def do_reset(self) -> None:
        """Go back to the numbers drawn by chance; the picture stays."""
        self.running = False
        self.steps = 0

    def do_clear(self) -> None:
        """Take the drawing away."""
        self.strokes = []

    def _begin_again(self, change: Any) -> None:
        if change["new"] and self.steps >= MOST:
            self.steps = 0

    def _settle(self, change: Any) -> None:
        """Bring network and picture into line with the settings, whichever of them changed."""
        if change["name"] == "steps" and change["new"] == self._learner.steps:
            return  # `show` wrote it
        self._catch_up()

    def _catch_up(self) -> None:
        learner = self._learner
        if (self.seed, self.device) != (learner.seed, learner.device) or self.steps < learner.steps:
            learner = self._learner = Learner(self.seed, device=self.device)
        learner.train(self.steps - learner.steps)
        with self.hold_sync():
            self.show()

    def advance(self) -> bool:
        """Learn for one picture: slowly at first, then in ever longer strides; return whether there is more to do."""
        steps = self._learner.steps
        self._learner.train(min(1 + steps // SLOW, HURRY, MOST - steps))
        return self._learner.steps < MOST

    def show(self) -> None:
        """Write what it has learnt, and what it makes of the picture, into the traits."""
        picture = ink.picture(self.strokes).ravel() if self.strokes else tested(self.digit, self.which)
        self.shown = np.round(255 * picture).astype(np.uint8).tobytes()
        self.probabilities = [round(float(p), 6) for p in self._learner.read(picture)]
        self.steps = self._learner.steps
        self.curve = np.array(self._learner.curve, "<f4").tobytes()
        _, self.accuracy, self.test_loss = self._learner.curve[-1]
        self.verdict = self._verdict()
        self.summary = self._told()

    def _verdict(self) -> str:
        best = int(np.argmax(self.probabilities))
        sure = chance(self.probabilities[best])
        if self.strokes:
            return f"It takes your drawing for {a(best)}, with {sure}."
        right = "It is right." if best == self.digit else "It is wrong."
        return f"It takes this {self.digit} for {a(best)}, with {sure}. {right}"

    def _told(self) -> str:
        learnt = (
            "It has learnt nothing yet"
            if self.steps == 0
            else f"After {self.steps:,} step{'s' * (self.steps > 1)}, {BATCH * self.steps:,} digits looked at"
        )
        return (
            f"{learnt}: it reads {percent(self.accuracy, 1)} of the 2,000 test digits right; loss "
            f"{self.test_loss:.2f}. {self.verdict}"
        )

    def picture(self) -> bytes:
        """Return a PNG: the picture that it reads, its ten probabilities, and how it has learnt."""
        from dlcore import plots as house

        plots: Any = house
        left, middle, right = plots.figure(3, width=8.4, height=2.6)
        plots.images(np.frombuffer(self.shown, np.uint8).reshape(1, 28, 28) / 255, ax=left)
        with plots.style():
            middle.barh(range(CLASSES), self.probabilities, color=plots.BLUE)
            middle.set(yticks=range(CLASSES), xlim=(0, 1), xlabel="probability")
            middle.invert_yaxis()
            steps, accuracy, _ = np.array(self._learner.curve).T
            right.plot(steps, 100 * accuracy, marker="o" if len(steps) == 1 else "", color=plots.GREEN)
            right.set(xlabel="step", ylabel="% right, test digits", ylim=(0, 100), xlim=(0, MOST))
        return plots.png(left, dots=60)  # type: ignore[no-any-return]
