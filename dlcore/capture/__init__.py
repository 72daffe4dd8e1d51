"""Capture: run a training step once, then replay it without Python's share of the work (used in the chapter Training).

A step of a small network spends most of its time not on arithmetic but on finding out what to do: building
the tape, walking it back, allocating results. All of this is the same at every step. `capture(step)` watches
one run and writes down the calls to NumPy with the very arrays they read and wrote; from then on the list is
replayed into the same arrays.

    Captured    the step that replays itself (here)
    recorder    arrays whose operations note themselves down, and the notebook they write in
    buffers     where the replay keeps intermediate results
    replay      the list of calls, fed with new arguments and checked against the step

The same call captures a CUDA graph for torch tensors on a card. On other arrays the step runs as it is.

What depends on a *value* (`if loss < 0.1`, `float(loss)`) cannot be replayed and is refused by name. Arrays that
a step reads from elsewhere than its arguments and Tensors count as constants. The second call runs the step
both ways and compares, so a step that hides state from the recorder is found out.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from dlcore import arrays
from dlcore.backprop import Tensor

from .recorder import CaptureError, Recorder
from .replay import Replay

__all__ = ["CaptureError", "Captured", "capture"]

Step = Callable[..., Any]


def capture(step: Step) -> Captured:
    """Return `step` as a function that records its first run and replays it from then on.

    Args:
        step: takes arrays (a batch), changes parameters, returns a Tensor, array, None, or a tuple of these.

    What a replay returns is overwritten by the next one; copy what shall last.

    Raises (when called):
        CaptureError: the step depends on values, or hides state that a replay would miss.
        ValueError: an argument changed its shape or dtype.

    >>> import numpy as np
    >>> from dlcore import layers, loss, optim
    >>> model = layers.Dense(2, 1, rng=np.random.default_rng(0))
    >>> optimizer = optim.SGD(model.parameters(), learning_rate=0.1)
    >>> @capture
    ... def step(x, y):
    ...     optimizer.zero_grad()
    ...     error = loss.mse(model(x), y)
    ...     error.backward()
    ...     optimizer.step()
    ...     return error
    >>> x, y = np.ones((4, 2), np.float32), np.zeros((4, 1), np.float32)
    >>> errors = [float(step(x, y)) for _ in range(4)]
    >>> errors == sorted(errors, reverse=True), step.mode
    (True, 'replay')
    """
    return Captured(step)


class Captured:
    """A step that replays itself; made by `capture`.

    Attributes:
        mode: "not yet run", "replay" (NumPy), "cuda graph" (torch on a card) or "eager" (other arrays).
        calls: number of calls in the list that is replayed.
        nbytes: bytes of the buffers that the replay works in.
    """

    def __init__(self, step: Step) -> None:
        self.step = step
        self.mode = "not yet run"
        self.calls = 0
        self.nbytes = 0
        self._replay: Step | None = None
        self._compare: Replay | None = None
        functools.update_wrapper(self, step, updated=())

    def __call__(self, *inputs: Any) -> Any:
        """Run the step on these inputs: recorded the first time, replayed after that."""
        if self._replay is not None:
            return self._replay(*inputs)
        if self._compare is not None:
            self._compare.check_against(self.step, inputs)
            self._replay = self._compare
            return self._compare.result
        return self._first(inputs)

    def _first(self, inputs: tuple[Any, ...]) -> Any:
        plain = [arrays.asarray(x.data if isinstance(x, Tensor) else x) for x in inputs]
        devices = {arrays.device_of(x) for x in plain}
        if devices <= {"numpy"}:
            recorder = Recorder()
            self._compare = Replay(recorder, recorder.record(self.step, plain))
            self.mode, self.calls, self.nbytes = "replay", len(self._compare.calls), self._compare.nbytes
            return self._compare.result
        if devices == {"cuda"}:
            from dlcore.arrays.cuda_graph import CudaGraph

            self.mode, self._replay = "cuda graph", CudaGraph(self.step, plain)
        else:
            self.mode, self._replay = "eager", self.step
        return self._replay(*inputs)
