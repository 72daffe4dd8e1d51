"""A step recorded on a CUDA card and launched as one graph (part of `capture`).

Follows https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs: a few ordinary runs on a side
stream, one run that is recorded and not carried out, then launches. Each call makes exactly one step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import hooks
from .library import Array

WARM_UP = 2  # ordinary runs, in which torch's libraries make their allocations


class CudaGraph:
    """The step as a CUDA graph.

    Args:
        step: the step; returns a Tensor, array, None, or a tuple of these.
        inputs: arrays on the card, of the shapes of all calls to come.
    """

    def __init__(self, step: Callable[..., Any], inputs: list[Array]) -> None:
        import torch

        self.step = step
        self.inputs = [torch.empty_like(x) for x in inputs]
        self.draws: list[tuple[Array, Callable[[], Any]]] = []
        self.waiting: list[Array] = []  # draws that the recorded run has yet to ask for
        self.checks: list[Callable[..., None]] = []  # those that ask the card nothing
        self.warm_ups = 0
        self.graph: Any = None
        self.result: Any = None

    def __call__(self, *inputs: Any) -> Any:
        """Make one step on these inputs."""
        self._feed(inputs)
        if self.warm_ups < WARM_UP:
            self._warm_up()
            return self.result
        for check in self.checks:
            check()
        for array, make in self.draws:
            array.copy_(make())
        if self.graph is None:
            self._record()
        self.graph.replay()
        return self.result

    def _warm_up(self) -> None:
        import torch

        self.warm_ups += 1
        self.draws = []
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        hooks.capturing = self
        try:
            with torch.cuda.stream(stream):
                self.result = self.step(*self.inputs)
        finally:
            hooks.capturing = None
        torch.cuda.current_stream().wait_stream(stream)

    def _record(self) -> None:
        import torch

        self.graph = torch.cuda.CUDAGraph()
        self.waiting = [array for array, _ in self.draws]
        hooks.capturing = self
        try:
            with torch.cuda.graph(self.graph):
                self.result = self.step(*self.inputs)
        except BaseException:
            self.graph = None
            raise
        finally:
            hooks.capturing = None

    def _feed(self, inputs: tuple[Any, ...]) -> None:
        if len(inputs) != len(self.inputs):
            raise ValueError(f"capture: expected {len(self.inputs)} arguments; received {len(inputs)}")
        for buffer, x in zip(self.inputs, inputs, strict=True):
            value = x if hasattr(x, "is_cuda") else x.data  # a Tensor of dlcore, or torch's
            if value.shape != buffer.shape or value.dtype != buffer.dtype:
                raise ValueError(
                    f"capture: the step was captured for an argument of shape {tuple(buffer.shape)}, {buffer.dtype}; "
                    f"received {tuple(value.shape)}, {value.dtype}. Capture a second step for it"
                )
            buffer.copy_(value)

    def draw(self, make: Callable[[], Any]) -> Any:
        """Return an array that is filled anew before each launch: a graph cannot ask the CPU for numbers."""
        if self.graph is not None:
            return self.waiting.pop(0)
        array = make()
        self.draws.append((array, make))
        return array

    def guard(self, check: Callable[..., None], *arrays: Any) -> None:
        """Check values in the warm-up runs alone: later the card would have to wait for the CPU."""
        if self.graph is None:
            check(*arrays)
        elif not arrays:
            self.checks.append(check)
