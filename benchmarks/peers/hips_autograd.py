"""HIPS autograd: NumPy code and its gradient; the update is plain NumPy."""

from __future__ import annotations

from itertools import cycle
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd import value_and_grad

from benchmarks.harness import Runner
from benchmarks.tasks import Array, Task


def build(task: Task, device: str) -> Runner:
    """T1 and T2."""
    count = len(task.weights) // 2
    activation = anp.tanh if task.name == "T1" else (lambda x: anp.maximum(x, 0))

    def loss_of(p: dict[str, Any], x: Array, y: Array) -> Any:
        for i in range(count):
            x = anp.dot(x, p[f"w{i}"]) + p[f"b{i}"]
            x = activation(x) if i < count - 1 else x
        if task.name == "T1":
            return anp.mean((x - y) ** 2)
        x = x - anp.max(x, axis=1, keepdims=True)
        return anp.mean(anp.log(anp.sum(anp.exp(x), axis=1)) - x[anp.arange(len(y)), y])

    gradients = value_and_grad(loss_of)
    p = {name: a.copy() for name, a in task.weights.items()}
    m, v = ({name: np.zeros_like(a) for name, a in p.items()} for _ in range(2))
    data = cycle(list(zip(task.inputs, task.targets, strict=True)))
    t = 0

    def step() -> float:
        nonlocal t
        t += 1
        loss, grads = gradients(p, *next(data))
        for name, g in grads.items():
            if task.optimizer == "sgd":
                p[name] -= task.learning_rate * g
                continue
            m[name] += 0.1 * (g - m[name])
            v[name] += 0.001 * (g * g - v[name])
            corrected = np.sqrt(v[name] / (1 - 0.999**t)) + 1e-8
            p[name] -= task.learning_rate / (1 - 0.9**t) * m[name] / corrected
        return float(loss)

    return Runner(step, lambda loss: [loss])
