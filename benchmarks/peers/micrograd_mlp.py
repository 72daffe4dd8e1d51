"""micrograd: every scalar a node."""

from __future__ import annotations

import math
from itertools import chain, cycle
from typing import Any

from micrograd.engine import Value

from benchmarks.harness import Runner
from benchmarks.tasks import Task


def tanh(x: Any) -> Any:
    """Tanh in micrograd's own manner, which has ReLU alone."""
    t = math.tanh(x.data)
    out = Value(t, (x,), "tanh")

    def backward() -> None:
        x.grad += (1 - t * t) * out.grad

    out._backward = backward
    return out


def build(task: Task, device: str) -> Runner:
    """T1 in Python floats."""
    layers = [
        (
            [[Value(float(a)) for a in column] for column in task.weights[f"w{i}"].T],
            [Value(float(a)) for a in task.weights[f"b{i}"]],
        )
        for i in range(3)
    ]
    parameters = [a for w, b in layers for a in [*chain(*w), *b]]
    data = cycle([(x.tolist(), y.tolist()) for x, y in zip(task.inputs, task.targets, strict=True)])

    def predict(x: list[Any]) -> Any:
        for i, (w, b) in enumerate(layers):
            x = [
                sum((wj * xj for wj, xj in zip(row, x, strict=True)), bias)
                for row, bias in zip(w, b, strict=True)
            ]
            x = [tanh(a) for a in x] if i < 2 else x
        return x[0]

    def step() -> float:
        x, y = next(data)
        loss = sum((predict(point) - target[0]) ** 2 for point, target in zip(x, y, strict=True)) * (
            1 / len(x)
        )
        for a in parameters:
            a.grad = 0.0
        loss.backward()
        for a in parameters:
            a.data -= task.learning_rate * a.grad
        return float(loss.data)

    return Runner(step, lambda loss: [loss])
