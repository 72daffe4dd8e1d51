"""When numbers stop being numbers: which tensor was the first, and what to try."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dlcore.arrays import Array, to_numpy
from dlcore.backprop import Tensor

from .checks import is_finite
from .history import History
from .state import Snapshot, modules_of

if TYPE_CHECKING:
    from .loop import Loop


class Diverged(ArithmeticError):
    """The loss became NaN or infinite.

    Attributes:
        step: the step (from 1) in which the first such tensor appeared.
        epoch: the epoch (from 1) of that step.
        tensor: what it was, say "the gradient of layers.0.weight".
        history: everything measured until then. The model holds the parameters from before that step.
    """

    def __init__(self, message: str, *, step: int, epoch: int, tensor: str, history: History) -> None:
        super().__init__(message)
        self.step, self.epoch, self.tensor, self.history = step, epoch, tensor, history


@dataclass(frozen=True)
class Fault:
    """The first tensor that was not finite."""

    step: int
    epoch: int
    tensor: str
    values: Any

    @property
    def kind(self) -> str:
        """Either "NaN" or "infinite"."""
        return "NaN" if np.isnan(to_numpy(self.values)).any() else "infinite"


def diverged(loop: Loop, start: Snapshot, step: int, epoch: int, values: Any) -> Diverged:
    """Return the error that explains why step `step` of `loop` ended in numbers that are not finite.

    By the time the loss is NaN, every parameter is: the update has spread it. So training goes back to the
    snapshot and walks the same steps again, slowly, looking at every tensor.

    Args:
        loop: the training.
        start: its state at an earlier start of an epoch.
        step: the step that was noticed, from 1.
        epoch: the epoch of that step, from 1.
        values: what was noticed: the loss or a parameter.
    """
    fault = first_fault(loop, start, step) or Fault(step, epoch, "the loss", values)
    history = loop.history
    del history.losses[fault.step - 1 :]
    rate = float(np.max(loop.optimizer.learning_rate))
    reach = float(np.abs(to_numpy(loop.inputs.flat)).max())
    before = f"; the loss before it was {history.losses[-1]:.3g}" if history.losses else ""
    advice = [f"a learning rate below {rate:.3g}", "clip=1.0 (the longest gradient allowed)"]
    if reach > 10:
        advice.append(f"standardized inputs (they reach {reach:.3g}; see dlcore.data.standardize)")
    advice.append("weights that start smaller, and no logarithm, root or quotient of 0 in model and loss")
    message = (
        f"fit: training diverged in step {fault.step} (epoch {fault.epoch}): {fault.tensor} became {fault.kind}"
        f"{before}. Try {'; '.join(advice)}. The model holds the parameters from before that step; what was "
        "measured is in this error's `history`"
    )
    return Diverged(message, step=fault.step, epoch=fault.epoch, tensor=fault.tensor, history=history)


def first_fault(loop: Loop, start: Snapshot, last: int) -> Fault | None:
    """Walk from the snapshot to step `last`, and leave the model as it was before the first fault.

    Returns:
        None if all stays finite this time: a callback had a hand in it, or a captured step rounded otherwise.
    """
    start.restore()
    step, epoch = start.step, start.epoch
    while True:
        epoch += 1
        for rows in loop.epoch_rows():
            step += 1
            if step > last:
                return None
            before = Snapshot(loop.model, loop.optimizer, loop.rngs)
            for tensor, values in _looking(loop, rows, step):
                if not is_finite(values):
                    before.restore()
                    return Fault(step, epoch, tensor, values)


def _looking(loop: Loop, rows: Array, step: int) -> Iterator[tuple[str, Array]]:
    """Take one step and yield every tensor with its name, in the order in which they come about."""
    loop.set_rate(step - 1)
    with _watched(loop) as seen:
        outputs = loop.model(loop.inputs.take(rows))
        cost = loop.loss(outputs, loop.targets.take(rows))
    yield from seen
    yield "the loss", cost.data
    loop.optimizer.zero_grad()
    cost.backward()
    for name, parameter in reversed(list(loop.model.named_parameters())):
        if parameter.grad is not None:
            yield f"the gradient of {name}", parameter.grad
    loop.update()
    for name, tensor in loop.model.named_tensors():
        yield (
            f"{'the parameter' if tensor.requires_grad else 'the buffer'} {name}, by its update,",
            tensor.data,
        )


@contextmanager
def _watched(loop: Loop) -> Iterator[list[tuple[str, Array]]]:
    """Note the output of every module that runs, innermost first."""
    seen: list[tuple[str, Array]] = []

    def watch(name: str, forward: Callable[[Tensor], Tensor], label: str) -> Callable[[Tensor], Tensor]:
        def watched(x: Tensor) -> Tensor:
            y = forward(x)
            seen.append((f"the output of {f'{name}, ' if name else ''}{label},", y.data))
            return y

        return watched

    modules: list[tuple[str, Any]] = list(modules_of(loop.model))
    try:
        for name, module in modules:
            module.forward = watch(name, module.forward, repr(module))
        yield seen
    finally:
        for _, module in modules:
            vars(module).pop("forward", None)
