"""Early stopping: end the training when the validation loss has not fallen for a while, and go back to its lowest."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlcore.arrays.checks import check_whole
from dlcore.layers import Module
from dlcore.training import State


class EarlyStopping:
    """A callback that ends a training when a measurement has stopped falling, and puts the best parameters back.

    After each epoch the measurement is compared with the lowest so far. One that is lower by more than `min_delta` is
    the new best, and its parameters are kept; after `patience` epochs without one, training ends. In a sweep every
    member has its own best epoch; training ends when the last has run out of patience, and each gets its own best
    parameters back. A member that has run out does not start again, whatever its measurement does afterwards.

    Args:
        patience: epochs to wait for an improvement, at least 1.
        min_delta: by how much the measurement must fall to count, at least 0.
        monitor: name of a measurement that should fall; "validation_loss" needs validation data.
        restore: put the best parameters back when training ends early.
        epochs: how many epochs the training has at most. Given this, the best parameters are put back in the last
            one, too; without it, a training that runs to its end keeps its last parameters.

    Attributes:
        best: the lowest measurement; in a sweep, array of shape (members,).
        best_epoch: its epoch, from 1; likewise.

    Raises:
        ValueError: a number out of range.
        KeyError: at the first epoch, if `monitor` is not measured.

    Source: Prechelt, "Early stopping - but when?", in Neural Networks: Tricks of the Trade, 1998.

    >>> stopping = EarlyStopping(patience=3, min_delta=0.001)
    """

    def __init__(
        self,
        patience: int,
        *,
        min_delta: float = 0.0,
        monitor: str = "validation_loss",
        restore: bool = True,
        epochs: int | None = None,
    ) -> None:
        check_whole("EarlyStopping", patience=patience, **({} if epochs is None else {"epochs": epochs}))
        if not (np.isfinite(min_delta) and min_delta >= 0):
            raise ValueError(f"EarlyStopping: expected min_delta of at least 0; received {min_delta!r}")
        self.patience, self.min_delta, self.monitor = int(patience), float(min_delta), monitor
        self.restore, self.epochs = restore, epochs
        self.best: Any = None
        self.best_epoch: Any = None
        self._kept: dict[str, np.ndarray[Any, Any]] = {}
        self._out = np.zeros(0, dtype=bool)  # which members have run out of patience

    def __call__(self, state: State) -> None:
        """Look at the epoch that just ended."""
        record = state.history.epochs[-1]
        if self.monitor not in record:
            hint = " Give the training validation data" if self.monitor.startswith("validation") else ""
            raise KeyError(
                f"EarlyStopping: expected a measurement {self.monitor!r}; there are {', '.join(record)}.{hint}"
            )
        if state.epoch == 1:  # the same object may serve a second training
            self.best = self.best_epoch = None
        self._compare(np.asarray(record[self.monitor], dtype=np.float64), state)
        waited = state.epoch - self.best_epoch
        self._out = self._out | (waited >= self.patience)
        ended = bool(np.all(self._out))
        if ended:
            state.stop(f"{self.monitor} has not fallen for {self.patience} epochs")
        if self.restore and (ended or state.epoch == self.epochs):
            self.put_back(state.model)

    def put_back(self, model: Module) -> None:
        """Give a model the best parameters that were seen; those of the first epoch, if all it measured was NaN.

        Raises:
            ValueError: no epoch has been seen.
        """
        if not self._kept:
            raise ValueError(
                "EarlyStopping: expected at least one finished epoch; there is nothing to put back"
            )
        model.load_state(self._kept)

    def _compare(self, value: np.ndarray[Any, Any], state: State) -> None:
        if self.best is None:
            self.best = np.full_like(value, np.inf)
            self.best_epoch = np.zeros(value.shape, dtype=np.int64)
            self._out = np.zeros(value.shape, dtype=bool)
            self._kept = state.model.state()
        better = (value < self.best - self.min_delta) & ~self._out  # never where the value is NaN
        if not np.any(better):
            return
        self.best = np.where(better, value, self.best)
        self.best_epoch = np.where(better, state.epoch, self.best_epoch)
        for name, now in state.model.state().items():
            chosen = better.reshape(better.shape + (1,) * (now.ndim - better.ndim))
            self._kept[name] = np.where(chosen, now, self._kept[name]).astype(now.dtype, copy=False)

    def __repr__(self) -> str:
        return f"EarlyStopping({self.patience}, min_delta={self.min_delta:g}, monitor={self.monitor!r})"
