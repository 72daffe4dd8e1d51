"""What a training leaves to look at."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class History:
    """The course of a training: every step's loss, every epoch's measurements.

    Attributes:
        losses: the loss of each step, measured before its update. In a sweep, a list with one for each member.
        epochs: one record for each finished epoch: "epoch" (from 1), "loss" (mean over its steps), the metrics
            on the training batches, "validation_loss" and "validation_…" if there was validation data, and
            "seconds" since the start.
        seconds: wall time of the whole training.
        interrupted: whether KeyboardInterrupt ended it.
        stopped: the reason that a callback gave for stopping, else empty.

    >>> history = History([0.9, 0.5], [{"epoch": 1, "loss": 0.9}, {"epoch": 2, "loss": 0.5}])
    >>> history["loss"], history.best
    ([0.9, 0.5], {'epoch': 2, 'loss': 0.5})
    """

    losses: list[Any] = field(default_factory=list)
    epochs: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0
    interrupted: bool = False
    stopped: str = ""

    @property
    def best(self) -> dict[str, Any]:
        """The record of the epoch with the lowest validation loss (training loss, if there is no other).

        Raises:
            ValueError: no epoch was finished.
        """
        if not self.epochs:
            raise ValueError("History.best: expected at least one finished epoch; received none")
        key = "validation_loss" if "validation_loss" in self.epochs[0] else "loss"
        return min(self.epochs, key=lambda record: (math.isnan(record[key]), record[key]))  # NaN comes last

    def __getitem__(self, name: str) -> list[Any]:
        """Return one measurement of all epochs, say history["validation_accuracy"].

        Raises:
            KeyError: it was not measured.
        """
        if self.epochs and name not in self.epochs[0]:
            raise KeyError(f"History: {name!r} was not measured; there are {', '.join(self.epochs[0])}")
        return [record[name] for record in self.epochs]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain lists, numbers and strings."""
        return asdict(self)

    def __repr__(self) -> str:
        said = [f"{len(self.epochs)} epochs", f"{len(self.losses):,} steps", f"{self.seconds:.1f} s"]
        if self.epochs and not isinstance(self.epochs[-1]["loss"], list):
            last = {k: v for k, v in self.epochs[-1].items() if k not in ("epoch", "seconds")}
            said += [f"{name} {value:.4g}" for name, value in last.items()]
            said += [f"best in epoch {self.best['epoch']}"]
        said += ["interrupted"] * self.interrupted + [f"stopped: {self.stopped}"] * bool(self.stopped)
        return f"History({', '.join(said)})"
