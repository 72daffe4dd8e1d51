"""Four optimizers on one surface, from one start, on the same batches."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcore.backprop import Tensor, stack
from dlcore.capture import capture
from dlcore.optim import SGD, Adam, Optimizer, RMSProp

from .slopes import Slope

Floats = NDArray[np.float64]

RUNNERS = ("sgd", "momentum", "rmsprop", "adam")
LOST = 1e3  # farther away nothing is to be seen, and numbers soon overflow


class Race:
    """A race in progress.

    Args:
        slope: the surface.
        start: where all begin, shape (2,).
        rates: of SGD and momentum, and of RMSProp and Adam.
        momentum: of the second runner.
        batch: how many examples a step sees; 0 for all of them.
        seed: draws the batches.

    Attributes:
        places: where the runners have been, one array of shape (4, 2) for each step, the start first.
    """

    def __init__(
        self,
        slope: Slope,
        start: Any,
        *,
        rates: tuple[float, float],
        momentum: float = 0.9,
        batch: int = 0,
        seed: int = 0,
    ) -> None:
        self.slope, self.batch = slope, batch
        self._rng = np.random.default_rng(seed)
        self._weights = [Tensor(np.array(start, np.float64), requires_grad=True) for _ in RUNNERS]
        plain, adaptive = rates
        a, b, c, d = ([w] for w in self._weights)
        self._optimizers: list[Optimizer] = [
            SGD(a, plain),
            SGD(b, plain, momentum=momentum),
            RMSProp(c, adaptive, decay=0.9),
            Adam(d, adaptive),
        ]
        self._step = capture(self._one)
        self.places: list[Floats] = [self._now()]

    def _one(self, x: Any, t: Any) -> Tensor:
        costs = self.slope.cost(stack(self._weights), x, t)
        for optimizer in self._optimizers:
            optimizer.zero_grad()
        costs.sum().backward()
        for optimizer in self._optimizers:
            optimizer.step()
        return costs

    def _now(self) -> Floats:
        return np.stack([np.array(w.data) for w in self._weights])

    def advance(self, steps: int) -> None:
        """Take so many steps; whoever is lost stays where that was noticed."""
        x, t = self.slope.x, self.slope.t
        with np.errstate(all="ignore"):
            for _ in range(steps):
                rows = self._rng.integers(len(t), size=self.batch) if self.batch else slice(None)
                self._step(x[rows], t[rows])
                now, before = self._now(), self.places[-1]
                lost = ~(np.abs(before).max(axis=1) < LOST)
                self.places.append(np.where(lost[:, None], before, now))

    @property
    def path(self) -> Floats:
        """All places so far, shape (4, steps + 1, 2)."""
        return np.stack(self.places, axis=1)

    @property
    def losses(self) -> Floats:
        """The loss on all examples at each of them, shape (4, steps + 1); infinite where it overflows."""
        path = self.path
        return self.slope.values(path.reshape(-1, 2)).reshape(path.shape[:2])
