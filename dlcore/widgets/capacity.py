"""The curves of the capacity dial: random features of digits, solved exactly at every width.

14 × 14 pixels → cosine units that stay as chance made them → 10 outputs, least squares

Every seed draws its own digits, wrong labels and units. Each layer begins with the units of the narrower ones, so
that a wider network holds them. What is costly at a width, the directions of curvature, does not depend on labels,
penalty, dropout or steps: it is found once, and then a dial that is turned costs a few products.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dlcore.arrays import asarray, to_numpy
from dlcore.data import digits, one_hot
from dlcore.overfitting.learners import RandomFeatures, modes
from dlcore.training.many import noisy_labels
from dlcore.training.state import DATA, LABEL_NOISE, generator

SEEDS, TESTS, POOL, CLASSES = 8, 200, 2_000, 10
NARROWEST, WIDEST = 2, 600
SIDE, COLUMNS = 14, 196
PLACES = 41  # along the line from one picture to another
# Widths to measure at, in units for each example.
SHARES = (0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.96, 1, 1.04, 1.1, 1.25, 1.5, 2, 3, 4.5, 6)

Doubles = NDArray[np.float64]
Whole = NDArray[np.int64]


@cache
def pool() -> tuple[Doubles, Whole]:
    """Return 2,000 digits to draw from and then 200 to test on: means of 2 × 2 pixels (n, 196), and labels (n,)."""
    images, labels = digits("train")
    count = POOL + TESTS
    small = images[:count].reshape(count, SIDE, 2, SIDE, 2).mean(axis=(2, 4), dtype=np.float64)
    return small.reshape(count, COLUMNS), labels[:count]


def tested(digit: int) -> Doubles:
    """Return the first test picture of a digit, (196,)."""
    images, labels = pool()
    return np.asarray(images[POOL:][np.flatnonzero(labels[POOL:] == digit)[0]])


def widths(examples: int) -> list[int]:
    """Return the widths at which the curve is measured: dense where there are as many units as examples.

    >>> widths(100)
    [2, 5, 10, 20, 35, 50, 65, 80, 90, 96, 100, 104, 110, 125, 150, 200, 300, 450, 600]
    """
    near = {round(share * examples) for share in SHARES}
    return sorted({width for width in (2, 5, *near, WIDEST) if NARROWEST <= width <= WIDEST})


class Dials(NamedTuple):
    """What can be turned without finding the directions anew."""

    label_noise: float
    price: float  # λ + q / (1 - q)
    steps: float | None


class Point(NamedTuple):
    """Shares of wrong answers at one width, one for each seed; and the outputs along the line, (seeds, places, 10)."""

    train: Doubles
    test: Doubles
    line: Doubles


class Study:
    """Networks of all widths on the same few digits.

    Args:
        examples: digits that each seed learns from.
        ends: two digits between whose first test pictures the line is drawn.
        device: where it computes.
    """

    def __init__(self, examples: int, ends: tuple[int, int], device: str = "numpy") -> None:
        self.examples, self.ends, self.device = examples, ends, device
        images, labels = pool()
        rows = [generator(seed, DATA).permutation(POOL)[:examples] for seed in range(SEEDS)]
        self.labels = np.stack([labels[own] for own in rows])  # (seeds, n)
        self._tests = labels[POOL:]
        start, end = (tested(digit) for digit in ends)
        along = np.linspace(0, 1, PLACES)[:, None]
        held = np.concatenate([images[POOL:], (1 - along) * start + along * end])
        learner = RandomFeatures(WIDEST)
        self._features = []
        for seed, own in enumerate(rows):
            x = asarray(np.concatenate([images[own], held]), device=device)
            a, b = learner.drawn(seed, COLUMNS, like=x)
            self._features.append(np.cos(to_numpy(x @ a + b)))
        self._found: dict[int, Any] = {}

    def point(self, width: int, dials: Dials) -> Point:
        """Return what networks of a width do."""
        found, left = self._directions(width)
        outputs = to_numpy(
            left @ (found.factors(dials.price, dials.steps) * (found.project @ self._targets(dials)))
        )
        answers = outputs.argmax(axis=-1)
        n, m = self.examples, self.examples + TESTS
        return Point(
            (answers[:, :n] != self.noisy(dials.label_noise)).mean(axis=1),
            (answers[:, n:m] != self._tests).mean(axis=1),
            outputs[:, m:],
        )

    def noisy(self, share: float) -> Whole:
        """Return the labels that the seeds learn from, (seeds, n): a share of them wrong."""
        pairs = enumerate(self.labels)
        return np.stack(
            [to_numpy(noisy_labels(own, share, rng=generator(k, LABEL_NOISE))) for k, own in pairs]
        )

    def _targets(self, dials: Dials) -> Any:
        labels = self.noisy(dials.label_noise)
        return asarray(one_hot(labels, CLASSES), device=self.device, dtype="float64")

    def _directions(self, width: int) -> Any:
        """Return the modes of a width, and the features of all rows in their directions."""
        if width not in self._found:
            features = np.stack([part[:, :width] for part in self._features])
            features = features / np.sqrt(np.mean(features[:, : self.examples] ** 2, axis=1, keepdims=True))
            features = asarray(features, device=self.device, dtype="float64")
            found = modes(features[:, : self.examples, :])
            self._found[width] = found, features @ found.lift
        return self._found[width]
