"""The loop itself: epochs of batches, one step for each, and what happens around them.

`fit` and `sweep` run the same loop. It knows an ensemble by two things only: each member has its own generator
that shuffles, and the loss is one number for each.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from dlcore.arrays import Array, asarray, device_of, namespace, random, to_numpy
from dlcore.backprop import Tensor
from dlcore.capture import capture
from dlcore.layers import Module
from dlcore.optim import Optimizer, Schedule, clip_grad_norm

from .checks import is_finite
from .divergence import diverged
from .history import History
from .host import Interrupts, progress_bar
from .metrics import Metric, apply, join, measure
from .rows import Rows
from .state import Snapshot, in_mode

Step = Callable[..., tuple[Any, Any]]
Capture = bool | Literal["auto"]

SNAPSHOT_EVERY = 200  # steps at least: a snapshot must cost little beside the steps between two of them


@dataclass
class State:
    """What a callback sees, and may change: a training between two steps.

    Attributes:
        model: the network.
        optimizer: its settings may be changed, say `state.optimizer.learning_rate /= 2`; with a schedule the rate
            alone may not, since each step begins by setting it anew.
        history: everything measured so far; `history.epochs[-1]` is the epoch that just ended.
        epoch: number of finished epochs.
        step: number of finished steps.
        stopped: why training shall end; empty while it goes on.
    """

    model: Module
    optimizer: Optimizer
    history: History
    epoch: int = 0
    step: int = 0
    stopped: str = ""

    def stop(self, reason: str = "a callback asked for it") -> None:
        """End training after this callback; the history will say why."""
        self.stopped = reason


Callback = Callable[[State], Any]


@dataclass(frozen=True)
class EachStep:
    """A callback to be called after each step; a plain function is called after each epoch.

    >>> lengths = []
    >>> callback = EachStep(lambda state: lengths.append(state.model.parameters()[0].grad))
    """

    callback: Callback


@dataclass
class Loop:
    """A training in progress. The fields are the arguments of `fit` and `sweep`, checked.

    Attributes:
        rngs: the generators that shuffle: one, or one for each member.
        stop_when_diverged: raise Diverged at the first loss that is not finite. A sweep goes on: its members
            know nothing of one another.
    """

    model: Module
    optimizer: Optimizer
    loss: Callable[..., Tensor]
    inputs: Rows
    targets: Rows
    rngs: Sequence[np.random.Generator]
    batch_size: int
    validation: tuple[Rows, Rows] | None = None
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    callbacks: Sequence[Callback | EachStep] = ()
    shuffle: bool = True
    schedule: Schedule | None = None
    clip: float | None = None
    capture: Capture = False
    stop_when_diverged: bool = True
    history: History = field(default_factory=History)

    def __post_init__(self) -> None:
        self.members = self.model.members
        self.rate = self.optimizer.learning_rate
        self.each_step = [c.callback for c in self.callbacks if isinstance(c, EachStep)]
        self.each_epoch = [c for c in self.callbacks if not isinstance(c, EachStep)]
        self.steps_per_epoch = -(-self.inputs.count // self.batch_size)
        self.captured: dict[int, Step] = {}
        self.snapshot: Snapshot | None = None
        self.state = State(
            self.model, self.optimizer, self.history, len(self.history.epochs), len(self.history.losses)
        )

    # -- one step

    def step(self, x: Array, y: Array) -> tuple[Tensor, Tensor]:
        """Predict, measure, and change the parameters once. Returns the loss and the predictions."""
        outputs = self.model(x)
        if self.members is None:
            costs = total = self.loss(outputs, y)
        else:  # the sum gives every member the gradient of its own loss
            costs = self.loss(outputs, y, members=True)
            total = costs.sum()
        self.optimizer.zero_grad()
        total.backward()
        self.update()
        return costs, outputs

    def update(self) -> None:
        """Clip the gradients if wished, and let the optimizer make its step."""
        if self.clip is not None:
            clip_grad_norm(self.optimizer.parameters, self.clip, members=self.members is not None)
        self.optimizer.step()

    def set_rate(self, finished: int) -> None:
        """Set the learning rate that the schedule has for the step after `finished` ones."""
        if self.schedule is not None:
            self.optimizer.learning_rate = self.rate * self.schedule(finished)

    def capture_steps(self) -> None:
        """Capture a step for each size of batch, or none if it cannot be done and is not insisted on.

        Each is tried three times, which records and verifies it; then everything is put back as it was.
        """
        before = Snapshot(self.model, self.optimizer)
        n = self.inputs.count
        try:
            for size in {min(self.batch_size, n), n % self.batch_size or min(self.batch_size, n)}:
                rows = self.ordered([np.arange(size)] * len(self.rngs))
                self.captured[size] = capture(self.step)
                for _ in range(3):
                    self.captured[size](self.inputs.take(rows), self.targets.take(rows))
        except (
            RuntimeError
        ):  # CaptureError, or what CUDA says; a plain step will repeat what is no such thing
            self.captured = {}
            if self.capture != "auto":
                raise
        finally:
            before.restore()

    # -- the rows of an epoch

    def epoch_rows(self) -> Iterator[Array]:
        """Draw a new order and yield the row numbers of each batch: (batch,), or (members, batch)."""
        n, size = self.inputs.count, self.batch_size
        if self.shuffle:
            order = self.ordered([to_numpy(random.permutation(rng, n)) for rng in self.rngs])
        else:
            order = self.ordered([np.arange(n)] * len(self.rngs))
        return (order[..., start : min(start + size, n)] for start in range(0, n, size))

    def ordered(self, orders: Sequence[np.ndarray[Any, Any]]) -> Array:
        """Return the order of the rows, or one for each member, where the data is."""
        order = orders[0] if self.members is None else np.stack(orders)
        return asarray(order, device=device_of(self.inputs.flat))

    # -- the training

    def run(self, epochs: int, *, progress: bool, save: Callable[[History], None] | None = None) -> History:
        """Train until `epochs` epochs are finished, a callback stops it, or the reader interrupts.

        Args:
            epochs: number of all epochs, those of a history that is being continued included.
            progress: show a bar.
            save: called after each epoch, with the optimizer's rate as it is without the schedule.
        """
        history, state = self.history, self.state
        started = time.perf_counter() - history.seconds
        history.interrupted, history.stopped = False, ""
        # What overflows is noticed here and explained; NumPy need not warn of it as well.
        with (
            Interrupts() as interrupts,
            progress_bar(progress) as bar,
            in_mode(self.model, training=True),
            np.errstate(all="ignore"),
        ):
            try:
                bar.reset(total=epochs * self.steps_per_epoch)
                bar.update(state.step)
                if self.capture:
                    self.capture_steps()
                while state.epoch < epochs and not (interrupts.requested or state.stopped):
                    self._take_snapshot()
                    if self._run_epoch(lambda: bool(interrupts.requested or state.stopped), bar.update):
                        self._end_epoch(started)
                        bar.set_postfix_str(described(history.epochs[-1]))
                        history.seconds = time.perf_counter() - started
                        self._set_base_rate()
                        if save is not None:
                            save(history)
            except KeyboardInterrupt:  # raised by a callback or a metric, so between two steps
                if interrupts.requested:  # the reader insists: the step may be half done
                    raise
                interrupts.requested = True
            finally:
                self._set_base_rate()
                history.seconds = time.perf_counter() - started
                history.interrupted, history.stopped = interrupts.requested, state.stopped
        return history

    def _set_base_rate(self) -> None:
        if self.schedule is not None:
            self.optimizer.learning_rate = self.rate

    def _take_snapshot(self) -> None:
        old, step = self.snapshot, self.state.step
        if self.stop_when_diverged and (old is None or step - old.step >= SNAPSHOT_EVERY):
            self.snapshot = Snapshot(self.model, self.optimizer, self.rngs, step=step, epoch=self.state.epoch)

    def _run_epoch(self, ending: Callable[[], bool], tick: Callable[[], Any]) -> bool:
        """Take the steps of one epoch; tell whether it was finished."""
        self.seen: list[tuple[Array, Array | None]] = []  # each batch's row numbers and predictions
        for rows in self.epoch_rows():
            self.set_rate(self.state.step)
            step = self.captured.get(int(rows.shape[-1]), self.step)
            costs, outputs = step(self.inputs.take(rows), self.targets.take(rows))
            value = to_numpy(costs.data).tolist()
            self.history.losses.append(value)
            self.state.step += 1
            if self.snapshot is not None and not math.isfinite(value):
                raise self._diverged(self.snapshot, value)
            self.seen.append((rows, copied(outputs.data) if self.metrics else None))
            tick()
            for callback in self.each_step:
                callback(self.state)
            if ending():
                break
        return len(self.seen) == self.steps_per_epoch

    def _end_epoch(self, started: float) -> None:
        """Record what the epoch was like, and call the callbacks."""
        # An update may have gone wrong after the last loss was measured.
        for parameter in self.optimizer.parameters:
            if self.snapshot is not None and not is_finite(parameter.data):
                raise self._diverged(self.snapshot, parameter.data)
        self.state.epoch += 1
        sizes = [rows.shape[-1] for rows, _ in self.seen]
        losses = np.average(self.history.losses[-len(sizes) :], axis=0, weights=sizes)
        record: dict[str, Any] = {"epoch": self.state.epoch, "loss": losses.tolist()}
        if self.metrics:
            numbers, outputs = zip(*self.seen, strict=True)
            targets = self.targets.take(namespace(numbers[0]).concat(numbers, axis=-1))
            record |= apply(self.metrics, join(list(outputs), self.members), targets, self.members)
        if self.validation is not None:
            measured = measure(
                self.model, *self.validation, self.loss, self.metrics, max(self.batch_size, 256)
            )
            record |= {f"validation_{name}": value for name, value in measured.items()}
        record["seconds"] = time.perf_counter() - started
        self.history.epochs.append(record)
        for callback in self.each_epoch:
            callback(self.state)

    def _diverged(self, start: Snapshot, values: Any) -> Exception:
        step = self.state.step
        return diverged(self, start, step, (step - 1) // self.steps_per_epoch + 1, values)


def copied(x: Array) -> Array:
    """Return a copy: what a captured step returns is overwritten by the next one."""
    return namespace(x).asarray(x, copy=True)


def described(record: Mapping[str, Any]) -> str:
    """Return an epoch's measurements in a few words; of an ensemble, the medians."""
    shown = {name: value for name, value in record.items() if name not in ("epoch", "seconds")}
    return f"epoch {record['epoch']}: " + ", ".join(f"{n} {np.median(v):.4g}" for n, v in shown.items())
