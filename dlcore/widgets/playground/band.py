"""The band: 32 networks that differ in their seed alone, trained at once, show how much of a curve is luck."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlcore.layers import Sequential, ensemble
from dlcore.training.state import WEIGHTS, generator

from .curves import Curves
from .task import TEST, TRAIN, Data, Task
from .trainer import Trainer
from .words import counted

MEMBERS = 32
SOLVED = 0.05  # a loss below this counts as solved


def members(task: Task, device: str) -> Sequential:
    """Return the networks of 32 seeds, from the task's own on, as one ensemble."""
    seeds = [(task.seed + k) % 2**32 for k in range(MEMBERS)]
    networks = [task.network(generator(seed, WEIGHTS), device=device) for seed in seeds]
    return ensemble(networks)  # type: ignore[return-value]


class Band:
    """The 32 networks beside the one on display, on the same points, with epochs of their own.

    Attributes:
        trainer: trains them all in one captured step.
        curves: epoch, and the 10 %, 50 % and 90 % points of the loss over the networks.
        losses: of each network, array of shape (32,); infinite where one diverged.
    """

    def __init__(self, task: Task, data: Data, *, device: str = "numpy") -> None:
        self.trainer = Trainer(task, members(task, device), device=device)
        self.curves = Curves(4)
        self.losses: np.ndarray[Any, Any] = np.empty(0)
        self.feed(task, data)

    def feed(self, task: Task, data: Data) -> None:
        """Train on these points from now on; judge by the test part, or by the training part if there is none."""
        inputs, train = task.inputs(data.points), data.rows(TRAIN)
        self.trainer.feed(inputs[train], data.targets[train])
        self.judged = "test" if data.count(TEST) else "training"
        rows = data.rows(TEST if data.count(TEST) else TRAIN)
        self._rows = self.trainer.placed(inputs[rows]), self.trainer.placed(data.targets[rows][:, None])

    def look(self) -> None:
        """Measure all networks and add a row to the curves."""
        if not self.trainer.count:
            return
        if self.trainer.steps == 0:
            self.curves.clear()
        losses, _ = self.trainer.measure(*self._rows)
        self.losses = np.where(np.isfinite(losses), losses, np.inf)
        # Without interpolation, which would make NaN of two infinite losses.
        shares = np.percentile(self.losses, (10, 50, 90), method="nearest")
        self.curves.add(self.trainer.epoch, *np.where(np.isfinite(shares), shares, np.nan))

    @property
    def words(self) -> str:
        """How many networks have solved the task, in a sentence."""
        solved, lost = int((self.losses < SOLVED).sum()), int(np.isinf(self.losses).sum())
        text = (
            f"After {counted(self.trainer.epoch)} epochs {solved} of {MEMBERS} networks have a {self.judged} loss "
            f"below {SOLVED}."
        )
        return text + (f" {lost} diverged." if lost else "")
