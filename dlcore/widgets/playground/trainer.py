"""The trainer: a network and its optimizer, taking minibatches in a fixed order through a captured step.

What can change without another list of calls (rates, weights, rows) does; what cannot is captured again. One class
trains one network or an ensemble, whose members share the rows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dlcore.arrays import asarray, copy_into, namespace, to_numpy
from dlcore.backprop import Tensor, no_grad
from dlcore.capture import Captured, capture
from dlcore.layers import Sequential
from dlcore.training.state import Snapshot

from .task import ACTIVATIONS, Task

Array = Any


class Trainer:
    """A training between two steps.

    Args:
        task: what is trained for.
        model: the network, or an ensemble.
        device: where it is.

    Attributes:
        steps: updates made so far.
        epochs: how often all rows were gone through.
        cursor: the row that the next batch begins with.
        gradients: of the last batch's loss, one array for each parameter; empty before the first step.
    """

    def __init__(self, task: Task, model: Sequential, *, device: str = "numpy") -> None:
        self.task, self.model, self.device = task, model, device
        self.steps, self.epochs, self.cursor, self.count = 0, 0, 0, 0
        self.gradients: tuple[Array, ...] = ()
        # Tensors, so that a captured step reads their new values.
        self.rate, self.shrink = (Tensor(asarray(np.zeros((), np.float32), device=device)) for _ in range(2))
        self._captured: dict[int, Captured] = {}
        self._renew()
        self.retune(task)

    def _renew(self) -> None:
        self.optimizer = self.task.updater(self.model.parameters(), members=self.model.members)
        self._captured = {}
        self.gradients = ()

    @property
    def epoch(self) -> float:
        """Epochs gone through, the begun one as a fraction."""
        return self.epochs + (self.cursor / self.count if self.count else 0.0)

    # -- what may change between two steps

    def feed(self, inputs: np.ndarray[Any, Any], targets: np.ndarray[Any, Any]) -> None:
        """Train on these rows from now on: inputs (n, features), targets (n,)."""
        if self.count:  # the same way through the epoch
            self.cursor = self.cursor * len(inputs) // self.count
        self.count = len(inputs)
        self.inputs, self.targets = self.placed(inputs), self.placed(targets[:, None])
        self.cursor = min(self.cursor, max(self.count - 1, 0))

    def placed(self, rows: np.ndarray[Any, Any]) -> Array:
        """Return rows on the trainer's device, seen by every member."""
        x = asarray(np.ascontiguousarray(rows, np.float32), device=self.device)
        members = self.model.members
        return x if members is None else namespace(x).broadcast_to(x, (members, *x.shape))

    def retune(self, task: Task) -> None:
        """Take over rates, loss, functions of the layers and optimizer; the weights stay.

        Another optimizer begins with an empty memory. The sizes of the layers must be as they are.
        """
        before, self.task = self.task, task
        if task.optimizer != before.optimizer:
            self._renew()
        if (task.penalty, task.loss, task.activation, task.output) != (
            before.penalty,
            before.loss,
            before.activation,
            before.output,
        ):
            self._captured = {}
        for layer in self.model.layers[1:-1:2]:
            layer.function = ACTIVATIONS[task.activation]  # type: ignore[attr-defined]
        self.model.layers[-1].function = task.output  # type: ignore[attr-defined]
        self.optimizer.learning_rate = task.learning_rate
        copy_into(self.rate.data, np.float32(task.regularization_rate))
        copy_into(self.shrink.data, np.float32(task.learning_rate * task.regularization_rate))

    def replace(self, task: Task, model: Sequential) -> None:
        """Go on with another network, of other sizes, where this one stopped; the optimizer's memory is empty."""
        self.task, self.model = task, model
        self._renew()
        self.retune(task)

    # -- one step

    def step(self, size: int) -> None:
        """Train on the next `size` rows, or on those left of the epoch."""
        stop = min(self.cursor + size, self.count)
        rows = slice(self.cursor, stop)
        step = self._captured.get(stop - self.cursor)
        if step is None:
            step = self._captured[stop - self.cursor] = capture(self._step)
        self.gradients = step(self.inputs[..., rows, :], self.targets[..., rows, :])
        self.steps += 1
        self.cursor = stop
        if stop == self.count:
            self.cursor, self.epochs = 0, self.epochs + 1

    def _step(self, x: Array, y: Array) -> tuple[Array, ...]:
        members = {} if self.model.members is None else {"members": True}
        error = self.task.cost(self.model(x), y, **members)
        self.optimizer.zero_grad()
        (error.sum() if members else error).backward()
        gradients = tuple(p.grad for p in self.optimizer.parameters)
        if self.task.penalty == "L2":
            self._pull()
        self.optimizer.step()
        if self.task.penalty == "L1":
            self._shrink()
        return gradients

    def _pull(self) -> None:
        """L2, the penalty ½ rate w²: add rate · w to the gradient of each weight; biases are free."""
        for layer in self.model.layers[::2]:
            w: Tensor = layer.weight  # type: ignore[attr-defined]
            w.grad = w.grad + self.rate.data * w.data

    def _shrink(self) -> None:
        """L1, the penalty rate |w|: bring each weight closer to 0 by learning rate · rate, and not past it.

        The Playground does so too, but takes the sign from before the step, and a weight that has become 0 is dead
        there for good. Here it may come back, as rates may be changed while training goes on. This is the proximal
        step of the penalty: Daubechies, Defrise and De Mol, Comm. Pure Appl. Math. 57, 2004.
        """
        for layer in self.model.layers[::2]:
            w: Tensor = layer.weight  # type: ignore[attr-defined]
            xp = namespace(w.data)
            w.data -= xp.minimum(xp.maximum(w.data, -self.shrink.data), self.shrink.data)

    # -- looking

    def measure(self, inputs: Array, targets: Array) -> tuple[Any, Any]:
        """Return the loss of rows, without penalty, and the share of targets whose sign the output has.

        Two numbers; for an ensemble, two arrays of shape (members,). Rows are as `placed` returns them.
        """
        members = {} if self.model.members is None else {"members": True}
        with no_grad(), np.errstate(all="ignore"):
            outputs = self.model(inputs)
            error = to_numpy(self.task.cost(outputs, targets, **members).data)
        right = (outputs.data >= 0) == (targets >= 0)
        hits = to_numpy(right).mean(axis=(-2, -1))
        return (error.copy(), hits) if members else (float(error), float(hits))

    def weights(self) -> list[np.ndarray[Any, Any]]:
        """Return the parameters as NumPy arrays, weight and bias of each layer in turn; not to be written to."""
        return [to_numpy(p.data) for p in self.optimizer.parameters]

    @property
    def flat(self) -> np.ndarray[Any, Any]:
        """All parameters in one row, a copy; weight (in, out) and bias of each layer in turn."""
        return np.concatenate([values.ravel() for values in self.weights()])

    def memory(self) -> dict[str, np.ndarray[Any, Any]]:
        """Return what the optimizer remembers, its settings apart: its state in rows like `flat`, and its steps."""
        return {name: v for name, v in self.optimizer.state().items() if not name.startswith("setting.")}

    def load(
        self, parameters: Sequence[np.ndarray[Any, Any]], memory: Mapping[str, Any] | None = None
    ) -> None:
        """Overwrite the parameters, of the shapes they have, and the optimizer's memory if one is given."""
        for p, values in zip(self.optimizer.parameters, parameters, strict=True):
            copy_into(p.data, values)
        if memory is not None:
            self.optimizer.load_state({**self.optimizer.state(), **memory})

    def unflat(self, flat: np.ndarray[Any, Any]) -> list[np.ndarray[Any, Any]]:
        """Return a row of all parameters as a list of arrays of their shapes."""
        shapes = [p.shape for p in self.optimizer.parameters]
        parts = np.split(flat, np.cumsum([math.prod(shape) for shape in shapes])[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]

    def snapshot(self) -> Saved:
        """Return a copy of everything that training changes."""
        return Saved(self)


class Saved:
    """Everything that training changes in a trainer, copied, to come back to."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self._tensors = Snapshot(trainer.model, trainer.optimizer)
        self.steps, self.epochs, self.cursor = trainer.steps, trainer.epochs, trainer.cursor

    def arrays(self) -> tuple[np.ndarray[Any, Any], dict[str, np.ndarray[Any, Any]]]:
        """Return the parameters in one row and the optimizer's memory, as `Trainer.flat` and `memory` do."""
        flat = np.concatenate([values.ravel() for values in self._tensors.tensors.values()])
        memory = {name: v for name, v in self._tensors.state.items() if not name.startswith("setting.")}
        return flat, memory

    def restore(self, *, clock: bool = True) -> None:
        """Put everything back; without `clock`, the count of steps and epochs goes on."""
        self._tensors.restore()
        if clock:
            t = self.trainer
            t.steps, t.epochs, t.cursor = self.steps, self.epochs, self.cursor
