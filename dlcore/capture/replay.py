"""The replay of a recorded step: the list of calls, fed with new arguments and checked against the step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from dlcore import arrays
from dlcore.arrays import hooks, simd
from dlcore.backprop import Tensor

from .buffers import base_of, plan, share_buffers
from .recorder import CaptureError, Recorder

NumpyArray = np.ndarray[Any, Any]
LARGE = 1 << 15  # bytes from which an argument is not copied: the calls that read it are redirected


class Replay:
    """The calls of a recorded step, ready to be made again."""

    def __init__(self, recorder: Recorder, result: Any) -> None:
        self.inputs, self.draws, self.guards = recorder.inputs, recorder.draws, recorder.guards
        self.overwrite = simd.kernel and simd.kernel.overwrite  # copies an input, if there is a kernel
        self.lasting = recorder.lasting
        calls, move, self.nbytes = share_buffers(recorder.calls, recorder.own, recorder.kept)
        steps = simd.compiled(calls)
        self.programs = [step for step in steps if isinstance(step, simd.Program)]
        self.calls = plan(steps)
        self.result = _moved(result, move)
        self.grads = {tensor: _moved(tensor.grad, move) for tensor in recorder.grads}
        for tensor, gradient in self.grads.items():
            tensor.grad = gradient
        self.expected = [(b, b.shape, b.dtype, self._readers(b)) for b in self.inputs]

    def __call__(self, *inputs: Any) -> Any:
        """Make all calls on these inputs."""
        self._feed(inputs)
        for array, make in self.draws:
            np.copyto(array, make())
        for function, args in self.calls:
            function(*args)
        return self.result

    def _readers(self, buffer: NumpyArray) -> list[Callable[[NumpyArray], None]] | None:
        """Return, for each place that reads a large input, what makes it read another array of the same layout.

        None if the input is better copied.
        """
        checked = [v for _, values in self.guards for v in values]
        left = _arrays((self.result, *self.grads.values()))  # a view of an input must show the next one
        if buffer.nbytes < LARGE or any(base_of(a) is buffer for a in (*checked, *left)):
            return None
        start = buffer.ctypes.data
        readers = [
            program.reader(place, view.ctypes.data - start)
            for program in self.programs
            for place, view in program.places
            if base_of(view) is buffer
        ]
        for i, (_, args) in enumerate(self.calls):
            for j, a in enumerate(args):
                if isinstance(a, tuple) and any(base_of(p) is buffer for p in a if isinstance(p, np.ndarray)):
                    return None
                if isinstance(a, np.ndarray) and base_of(a) is buffer:
                    readers.append(partial(self._point, i, j, a, a.ctypes.data - start))
        return readers

    def _point(self, i: int, j: int, view: NumpyArray, offset: int, source: NumpyArray) -> None:
        """Let argument `j` of call `i` be the part of `source` that `view` is of the input it was recorded with."""
        function, args = self.calls[i]
        moved = np.ndarray(view.shape, view.dtype, source, offset, view.strides)
        self.calls[i] = function, (*args[:j], moved, *args[j + 1 :])

    def _feed(self, inputs: tuple[Any, ...]) -> None:
        if len(inputs) != len(self.inputs):
            raise ValueError(f"capture: expected {len(self.inputs)} arguments; received {len(inputs)}")
        for x, (buffer, shape, dtype, readers) in zip(inputs, self.expected):  # noqa: B905 - checked above
            if readers is None and self.overwrite is not None and self.overwrite(buffer, x):
                continue
            value = x if type(x) is np.ndarray else _plain_array(x)
            if value.shape != shape or value.dtype != dtype:
                raise ValueError(
                    f"capture: the step was captured for an argument of shape {buffer.shape}, {buffer.dtype}; "
                    f"received {value.shape}, {value.dtype}. Capture a second step for it, or drop the odd last "
                    "batch with batches(..., drop_last=True)"
                )
            if readers is None:
                buffer[...] = value
                continue
            if value.strides != buffer.strides:
                buffer[...] = value
                value = buffer
            for point in readers:
                point(value)
        for check, values in self.guards:
            check(*values)

    def check_against(self, step: Callable[..., Any], inputs: tuple[Any, ...]) -> None:
        """Replay, then run the step itself from the same state, and compare what both leave behind.

        Raises:
            CaptureError: they differ, so the step reads or changes something that the recorder did not see.
        """
        before = {tensor: np.array(array) for tensor, array in self.lasting.items()}
        self(*inputs)
        replayed = {tensor: np.array(array) for tensor, array in self.lasting.items()}
        for tensor, values in before.items():
            np.copyto(self.lasting[tensor], values)
        hooks.capturing = _Again([values for values, _ in self.draws])
        try:
            result = step(*[_laid_out_like(b, x) for b, x in zip(self.inputs, inputs, strict=True)])
        finally:
            hooks.capturing = None
        # A compiled program adds in another order. How far that shows in what is a difference of nearly equal
        # numbers, as a loss and its gradients are after training, has no bound worth the name.
        tolerance = 1e-3 if self.programs else None
        same_result = _same(self.result, result, tolerance)
        different = [t for t, values in replayed.items() if not _alike(values, t.numpy(), tolerance)]
        if not self.programs:
            different += [t for t, gradient in self.grads.items() if not _same(gradient, t.grad)]
        for tensor, values in replayed.items():  # go on from the replay's own memory and values
            tensor.data = self.lasting[tensor]
            np.copyto(tensor.data, values)
        for tensor, gradient in self.grads.items():
            tensor.grad = gradient
        if different or not same_result:
            where = (
                f"left other values in a tensor of shape {different[0].shape}, or its gradient,"
                if different
                else "returned others"
            )
            raise CaptureError(
                f"capture: replayed, the step {where} than run anew. It reads or changes something besides its "
                "arguments and Tensors: pass that as an argument, or keep it in a Tensor"
            )


class _Again:
    """Gives a step that runs a second time the draws of the first."""

    def __init__(self, draws: list[NumpyArray]) -> None:
        self.draws = iter([np.array(d) for d in draws])

    def draw(self, make: Callable[[], Any]) -> Any:
        return next(self.draws)

    def guard(self, check: Callable[..., None], *checked: Any) -> None:
        check(*checked)


def _moved(x: Any, move: Callable[[Any], Any]) -> Any:
    """Return what a step left behind, with its values, in the place where the replays will write it."""
    if isinstance(x, tuple):
        return tuple(_moved(part, move) for part in x)
    if isinstance(x, Tensor):
        return Tensor(_moved(x.data, move))
    place = move(x)
    if place is not x:
        np.copyto(place, x)
    return place


def _arrays(x: Any) -> Iterator[NumpyArray]:
    """Yield the arrays in what a step left behind."""
    if isinstance(x, tuple):
        for part in x:
            yield from _arrays(part)
    elif isinstance(x, (Tensor, np.ndarray)):
        yield x.data if isinstance(x, Tensor) else x


def _same(replayed: Any, again: Any, tolerance: float | None = None) -> bool:
    """Tell whether a step left the same twice, see `Recorder.record` for what that may be."""
    if isinstance(replayed, tuple):
        return len(replayed) == len(again) and all(
            _same(r, a, tolerance) for r, a in zip(replayed, again, strict=True)
        )
    a, b = (arrays.to_numpy(r) for r in (replayed, again))
    return _alike(a, b, tolerance)


def _plain_array(x: Any) -> NumpyArray:
    return np.asarray(arrays.asarray(x))


def _laid_out_like(buffer: NumpyArray, x: Any) -> NumpyArray:
    """Return a copy of an input in the order of memory of the one that was recorded: the same sums, bit for bit."""
    copy = np.empty_like(buffer)
    copy[...] = _plain_array(x)
    return copy


def _alike(a: NumpyArray, b: NumpyArray, tolerance: float | None = None) -> bool:
    """Tell whether two arrays are equal but for a few roundings, or within `tolerance` of the largest element."""
    if a.dtype.kind != "f":
        return bool((a == b).all())
    scale = float(np.max(np.abs(b), initial=0.0, where=np.isfinite(b)))
    rounding = float(np.finfo(a.dtype).eps)
    relative, absolute = (tolerance, tolerance) if tolerance else (64 * rounding, 8 * rounding)
    return bool(np.allclose(a, b, rtol=relative, atol=absolute * scale, equal_nan=True))
