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
        self.guards: list[tuple[Callable[..., None], tuple[Array, ...]]] = []
        self.calls = 0
        self.stream = torch.cuda.Stream()
        self.graph: Any = None
        self.result: Any = None

    def __call__(self, *inputs: Any) -> Any:
        """Make one step on these inputs."""
        import torch

        self._feed(inputs)
        self.calls += 1
        if self.calls <= WARM_UP:
            self.stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(self.stream):
                self.result = self.step(*self.inputs)
            torch.cuda.current_stream().wait_stream(self.stream)
            return self.result
        if self.graph is None:
            self.graph = torch.cuda.CUDAGraph()
            hooks.capturing = self
            try:
                with torch.cuda.graph(self.graph):
                    self.result = self.step(*self.inputs)
            finally:
                hooks.capturing = None
        else:
            for array, make in self.draws:
                array.copy_(make())
        self.graph.replay()
        return self.result

    def _feed(self, inputs: tuple[Any, ...]) -> None:
        for buffer, x in zip(self.inputs, inputs, strict=True):
            value = getattr(x, "data", x) if not hasattr(x, "is_cuda") else x
            if value.shape != buffer.shape or value.dtype != buffer.dtype:
                raise ValueError(
                    f"capture: the step was captured for an argument of shape {tuple(buffer.shape)}, {buffer.dtype}; "
                    f"received {tuple(value.shape)}, {value.dtype}. Capture a second step for it"
                )
            buffer.copy_(value)

    def draw(self, make: Callable[[], Any]) -> Any:
        """Return an array that is drawn anew before each launch: a graph cannot ask the CPU for numbers."""
        import torch

        # Moved outside the recorded stream, where a copy from the CPU is allowed.
        with torch.cuda.stream(self.stream):
            array = make()
        self.stream.synchronize()
        self.draws.append((array, make))
        return array

    def guard(self, check: Callable[..., None], *arrays: Any) -> None:
        """Skip a check: it would make the card wait for the CPU. The warm-up runs have made it."""
