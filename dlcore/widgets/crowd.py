"""A hundred networks that differ in their seed alone, trained as one batched step.

Member k is the network that `dlcore.training.sweep` trains from seed `first + k`: the same weights to begin with, the
same order of rows. A test holds the two against each other.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcore import data, optim
from dlcore.activations import tanh
from dlcore.arrays import asarray, namespace, random, to_numpy
from dlcore.backprop import Tensor, no_grad
from dlcore.capture import capture
from dlcore.init import glorot
from dlcore.layers import Sequential, ensemble, mlp
from dlcore.loss import binary_cross_entropy
from dlcore.training.state import SHUFFLING, WEIGHTS, generator

Floats = NDArray[np.float32]

MEMBERS = 100
POINTS = 400  # half of them to train on, half for the test
BATCH = 20
REACH = 6.0  # of the plane that the maps show
DATASETS = {"xor": data.xor, "circle": data.circle, "gaussian": data.gaussian, "spiral": data.spiral}
NOISE = {"xor": 0.1, "circle": 0.1, "gaussian": 0.1, "spiral": 0.0}  # what each set means by it
OPTIMIZERS: dict[str, Callable[..., optim.Optimizer]] = {
    "sgd": optim.SGD,
    "momentum": partial(optim.SGD, momentum=0.9),
    "rmsprop": partial(optim.RMSProp, decay=0.9),
    "adam": optim.Adam,
}


def points(dataset: str) -> tuple[Floats, Floats]:
    """Return the points of a set, (400, 2), and their classes as 0 and 1, (400, 1), in a random order."""
    rng = np.random.default_rng(0)
    x, y = DATASETS[dataset](POINTS, NOISE[dataset], rng=rng)
    order = rng.permutation(len(x))
    return x[order], (y[order, None] > 0).astype(np.float32)


def network(rng: np.random.Generator, width: int) -> Sequential:
    """Return a network 2-width-width-1 of tanh units; its output is a logit."""
    return mlp(2, width, width, 1, rng=rng, activation=tanh, weight_init=glorot)


class Crowd:
    """A hundred networks in training.

    Args:
        dataset: a key of DATASETS.
        width: units in each of two hidden layers.
        optimizer: a key of OPTIMIZERS.
        learning_rate: its rate.
        first: the first seed.
        device: where it is computed.

    Attributes:
        epoch: how often all rows were gone through.
        seconds: time spent in training steps.
    """

    def __init__(
        self,
        dataset: str,
        *,
        width: int,
        optimizer: str,
        learning_rate: float,
        first: int = 0,
        device: str = "numpy",
    ) -> None:
        seeds = range(first, first + MEMBERS)
        self.device, self.epoch, self.seconds = device, 0, 0.0
        self.model = ensemble([network(generator(seed, WEIGHTS), width) for seed in seeds]).to(device=device)
        self._optimizer = OPTIMIZERS[optimizer](self.model.parameters(), learning_rate, members=MEMBERS)
        self._shuffles = [generator(seed, SHUFFLING) for seed in seeds]
        x, t = points(dataset)
        half = POINTS // 2
        self._train = asarray(x[:half], device=device), asarray(t[:half], device=device)
        self._test = self._shared(x[half:]), self._shared(t[half:])
        self._step = capture(self._one)

    def _shared(self, rows: Any) -> Any:
        """Return rows that all members see: (n, k) → (members, n, k)."""
        placed = asarray(rows, device=self.device)
        return namespace(placed).broadcast_to(placed, (MEMBERS, *placed.shape))

    def _one(self, x: Any, t: Any) -> Tensor:
        costs = binary_cross_entropy(self.model(x), t, members=True)
        self._optimizer.zero_grad()
        costs.sum().backward()
        self._optimizer.step()
        return costs

    def train(self) -> None:
        """Go through all rows once, each member in an order of its own."""
        x, t = self._train
        half = POINTS // 2
        orders = np.stack([to_numpy(random.permutation(rng, half)) for rng in self._shuffles])
        begun = time.perf_counter()
        with np.errstate(all="ignore"):  # a member that overflows counts as lost
            for start in range(0, half, BATCH):
                rows = asarray(orders[:, start : start + BATCH], device=self.device)
                self._step(x[rows], t[rows])
        self.seconds += time.perf_counter() - begun
        self.epoch += 1

    def measure(self) -> tuple[Floats, Floats]:
        """Return loss and accuracy of all members in the test, two arrays of shape (members,)."""
        x, t = self._test
        with no_grad(), np.errstate(all="ignore"):
            logits = self.model(x)
            losses = to_numpy(binary_cross_entropy(logits, t, members=True).data)
        right = to_numpy((logits.data > 0) == (t > 0.5)).mean(axis=(1, 2))
        return losses.astype(np.float32), right.astype(np.float32)

    def maps(self, side: int) -> bytes:
        """Return what each member says of the plane: int8 (members, side, side), rows from the top.

        127 stands for 2p - 1 = 1, p being the probability of class 1.
        """
        steps = np.linspace(-REACH, REACH, side, dtype=np.float32)
        x1, x2 = np.meshgrid(steps, steps[::-1])
        with no_grad(), np.errstate(all="ignore"):
            logits = self.model(self._shared(np.stack([x1.ravel(), x2.ravel()], axis=1))).data
            said = to_numpy(namespace(logits).tanh(logits / 2))
        return bytes(np.rint(127 * np.nan_to_num(said)).astype(np.int8))
