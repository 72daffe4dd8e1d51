"""Early stopping: end a training whose validation loss falls no more, and bring back the best weights.

Source: Prechelt, "Early stopping - but when?", in *Neural Networks: Tricks of the Trade*, 1998.
"""

from __future__ import annotations

import math

from .trainer import Saved, Trainer


class Patience:
    """Remembers the best weights and how long ago they were.

    Attributes:
        best: the lowest validation loss so far.
        epoch: the epoch it belongs to.
        saved: the weights of that epoch.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew: what was best is so no longer, or cannot be compared."""
        self.best, self.epoch = math.inf, 0
        self.saved: Saved | None = None

    def exhausted(self, trainer: Trainer, loss: float, patience: int) -> bool:
        """Take note of a finished epoch's validation loss; tell whether `patience` epochs brought nothing better."""
        if loss < self.best:
            self.best, self.epoch, self.saved = loss, trainer.epochs, trainer.snapshot()
        return trainer.epochs - self.epoch >= patience

    def restore(self) -> None:
        """Bring the best weights back; the count of epochs stays."""
        if self.saved is not None:
            self.saved.restore(clock=False)
