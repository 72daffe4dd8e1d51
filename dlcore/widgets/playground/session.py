"""A session: one task in training, and all that may happen to it, without any widget."""

from __future__ import annotations

import math
import time
from typing import Any, NamedTuple

import numpy as np

from .band import Band
from .carry import carry
from .curves import Curves
from .history import History
from .patience import Patience
from .task import TEST, TRAIN, VALIDATION, Task
from .trainer import Saved, Trainer
from .words import counted, number

SAFE = 250  # steps after which the state to fall back to is renewed

#: Settings that a program can follow step by step; a change of any other makes it begin with literal weights.
STEERED = ("batch_size", "learning_rate", "regularization", "regularization_rate")
OF_START = ("seed", "initialization")  # what a reset reads
OF_DATA = ("problem", "dataset", "train_share", "noise", "data_seed", "own", "features", "validated")
OF_NETWORK = ("features", "hidden")


class Measures(NamedTuple):
    """Losses without penalty, and shares of targets on the right side; None where there is nothing to measure."""

    train_loss: float | None = None
    test_loss: float | None = None
    validation_loss: float | None = None
    train_accuracy: float | None = None
    test_accuracy: float | None = None


class Session:
    """A task in training.

    Args:
        task: what to train for.
        device: where to train.
        band: whether the networks of 32 seeds, its own among them, are trained beside it.

    Attributes:
        trainer: the network on display, its optimizer and its place in the epoch.
        data: the points.
        measures: how good the network on display is.
        curves: epoch; training, test and validation loss; test accuracy.
        notice: why training ended by itself, in sentences; empty if it did not.
        version: counts whatever changes the outputs of the network.
    """

    def __init__(self, task: Task, *, device: str = "numpy", band: bool = False) -> None:
        self.device, self.curves, self.patience = device, Curves(5), Patience()
        self.version, self._size = 0, 0
        self.band: Band | None = None
        self.reset(task, band=band)

    # -- beginning

    def reset(self, task: Task, *, band: bool) -> None:
        """Begin anew: the same task gives the same numbers, always."""
        self.task, self.data = task, task.data()
        self.trainer = Trainer(task, task.network(device=self.device), device=self.device)
        self.band = Band(task, self.data, device=self.device) if band else None
        self.history = History(task)
        self.curves.clear()
        self.patience.forget()
        self._feed()
        self.touched()

    @property
    def untrained(self) -> bool:
        """Whether the weights are still those that the seed draws."""
        return self.trainer.steps == 0 and self.history.origin is None

    def touched(self, notice: str = "") -> None:
        """Something but training changed the state: look anew."""
        self._safe: Saved | None = None
        self.notice, self.since = notice, self.trainer.epoch
        self.look()
        if self.trainer.steps == 0:
            self.curves.clear()
            self._record()

    # -- changes in the middle

    def change(self, task: Task) -> None:
        """Go on with another task: what can stay of the network does; epochs are counted on.

        Seed and initialization are read by the next reset, or at once where nothing is trained yet.
        """
        changed = {
            name for name in Task.__dataclass_fields__ if getattr(task, name) != getattr(self.task, name)
        }
        if not changed:
            return
        if self.untrained and changed - set(STEERED):
            self.reset(task, band=self.band is not None)
            return
        was, self.task = self.task, task
        if changed & set(OF_NETWORK):
            self._rebuild(self.trainer, was, task.network(device=self.device))
            if self.band is not None:
                self._rebuild(self.band.trainer, was, Band(task, self.data, device=self.device).trainer.model)
        for trainer in self._trainers():
            trainer.retune(task)
        if changed & set(OF_DATA):
            self.data = task.data()
            self._feed()
        structural = changed - set(STEERED) - set(OF_START) - {"validated"}
        if structural:
            self.history.restart(self.trainer, f"{', '.join(sorted(structural))} changed")
        if structural or "validated" in changed:
            self.patience.forget()
        self.touched()

    def _rebuild(self, trainer: Trainer, was: Task, model: Any) -> None:
        old = [np.array(values) for values in trainer.weights()]
        trainer.replace(self.task, model)
        trainer.load(carry(old, was, trainer.weights(), self.task))

    def show_band(self, wanted: bool) -> None:
        """Begin to train the networks of 32 seeds beside this one, from their own start, or end it."""
        if wanted != (self.band is not None):
            self.band = Band(self.task, self.data, device=self.device) if wanted else None
            if self.band is not None:
                self.band.look()

    def move(self, device: str) -> None:
        """Go on on another device."""
        if device == self.device:
            return
        old, self.device = self.trainer, device
        self.trainer = Trainer(self.task, self.task.network(device=device), device=device)
        self.trainer.load(old.unflat(old.flat), old.memory())
        self._feed()
        self.trainer.steps, self.trainer.epochs, self.trainer.cursor = old.steps, old.epochs, old.cursor
        if self.band is not None:
            self.show_band(False)
            self.show_band(True)
        self.patience.forget()
        self.touched()

    def edit(self, parameter: int, place: tuple[int, ...], value: float) -> None:
        """Write one number of the network on display.

        Args:
            parameter: 2 k for the weights of layer k, 2 k + 1 for its biases.
            place: of the number in that array.
            value: what it becomes.
        """
        parameters = [np.array(values) for values in self.trainer.weights()]
        parameters[parameter][place] = value
        self.trainer.load(parameters)
        self.history.restart(self.trainer, "a weight was typed in")
        self.patience.forget()
        self.touched()

    def _trainers(self) -> list[Trainer]:
        return [self.trainer] if self.band is None else [self.trainer, self.band.trainer]

    def _feed(self) -> None:
        inputs, place = self.task.inputs(self.data.points), self.trainer.placed
        self.rows = {part: self.data.rows(part) for part in (TRAIN, TEST, VALIDATION)}
        train = self.rows[TRAIN]
        self.trainer.feed(inputs[train], self.data.targets[train])
        self._placed = {
            part: (place(inputs[rows]), place(self.data.targets[rows][:, None]))
            for part, rows in self.rows.items()
        }
        self.train_inputs = np.ascontiguousarray(inputs[train].T)
        if self.band is not None:
            self.band.feed(self.task, self.data)

    # -- looking

    def look(self) -> None:
        """Measure how good the network on display is."""
        self.version += 1
        (train, right), (test, test_right), (validation, _) = (
            self._measure(p) for p in (TRAIN, TEST, VALIDATION)
        )
        if self.task.problem == "regression":
            right = test_right = None
        self.measures = Measures(train, test, validation, right, test_right)

    def _record(self) -> None:
        """Add a row to the curves."""
        m = self.measures
        self.curves.add(self.trainer.epoch, m.train_loss, m.test_loss, m.validation_loss, m.test_accuracy)
        if self.band is not None:
            self.band.look()

    def _measure(self, part: int) -> tuple[float | None, float | None]:
        if self.rows[part].stop == self.rows[part].start:
            return None, None
        error, right = self.trainer.measure(*self._placed[part])
        return (error, right) if math.isfinite(error) else (None, right)

    # -- training

    def advance(self, step_by: str, *, patience: int = 0, budget: float = math.inf) -> bool:
        """Train by one example, batch or epoch; an epoch is cut short after `budget` seconds.

        A step by example is a batch of one: the weights change after every example.

        Returns:
            whether training can go on; if not, `notice` says why.
        """
        self.notice = ""
        if not self.trainer.count:
            self.notice = "There is nothing to train on yet: add a point."
            return False
        if self.measures.train_loss is None:
            self.notice = "At these weights the loss is not a finite number. Type smaller weights, or reset."
            return False
        size = 1 if step_by == "example" else self.task.batch_size
        self.history.note(self.trainer, size)
        if self._safe is None or size != self._size or self.trainer.steps - self._safe.steps >= SAFE:
            self._safe, self._size = self.trainer.snapshot(), size  # from here on all batches are of one size
        with np.errstate(all="ignore"):  # what overflows is noticed and explained
            self._steps(size, whole=step_by == "epoch", budget=budget)
        self.look()
        if not self._sound():
            self._fall_back(size)
            return False
        self._record()
        return not self._stop_early(patience)

    def _steps(self, size: int, *, whole: bool, budget: float) -> None:
        until = time.perf_counter() + budget
        while True:
            self.trainer.step(size)
            if self.band is not None:
                self.band.trainer.step(size)
            if not whole or self.trainer.cursor == 0 or time.perf_counter() > until:
                return

    def _sound(self) -> bool:
        return self.measures.train_loss is not None and bool(np.isfinite(self.trainer.flat).all())

    def _fall_back(self, size: int) -> None:
        """Go back to the last sound state, walk on step by step, and stop before the step that spoils it."""
        if self._safe is None:
            raise RuntimeError("no state to fall back to")
        end = self.trainer.steps
        self._safe.restore()
        last = self._safe
        with np.errstate(all="ignore"):
            while self._finite() and self.trainer.steps < end:  # a card may not repeat its steps to the bit
                last = self.trainer.snapshot()
                self.trainer.step(size)
        step = self.trainer.steps
        what = "weights" if not np.isfinite(self.trainer.flat).all() else "loss"
        last.restore()
        rate = self.task.learning_rate
        self.touched(
            f"Training stopped: at learning rate {rate:g}, step {step:,} (epoch {counted(self.trainer.epoch)}) made "
            f"the {what} infinite or NaN. Steps that long throw the weights farther away each time. Those shown are "
            f"from before that step. Choose a learning rate at least ten times smaller, {rate / 10:.2g} say, and reset."
        )
        self._record()

    def _finite(self) -> bool:
        return self._measure(TRAIN)[0] is not None and bool(np.isfinite(self.trainer.flat).all())

    def _stop_early(self, patience: int) -> bool:
        loss = self.measures.validation_loss
        if not patience or loss is None or self.trainer.cursor:
            return False
        if not self.patience.exhausted(self.trainer, loss, patience):
            return False
        self.patience.restore()
        self.history.restart(self.trainer, "early stopping brought earlier weights back")
        self.touched(
            f"Early stopping: the validation loss has not fallen for {patience} epochs. The weights of epoch "
            f"{self.patience.epoch:,}, where it was lowest ({number(self.patience.best)}), are back."
        )
        self.patience.forget()
        return True
