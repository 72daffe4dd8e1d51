"""One hundred networks: dlcore's contestants, one batched step against a hundred steps one after another."""

from __future__ import annotations

from itertools import cycle
from typing import Any

import numpy as np

from benchmarks import ours
from benchmarks.harness import Runner
from benchmarks.tasks import Array, Task
from dlcore.activations import tanh
from dlcore.backprop import Tensor
from dlcore.capture import capture
from dlcore.layers import ensemble
from dlcore.loss import mse
from dlcore.optim import SGD


def members_of(task: Task) -> list[Any]:
    """The hundred networks with their initial weights."""
    count = len(task.weights["w0"])
    return [ours.mlp({name: a[k] for name, a in task.weights.items()}, tanh) for k in range(count)]


def build(task: Task, device: str, *, together: bool, captured: bool) -> Runner:
    """One step of all networks, as one batch or one after another.

    Args:
        task: S1.
        device: "cpu"; the arrays are NumPy's.
        together: whether one ensemble is trained, or as many networks as there are, each with a step of its own.
        captured: whether steps are captured.
    """
    batches = cycle(list(zip(task.inputs, task.targets, strict=True)))
    step = _ensemble(task, captured) if together else _one_after_another(task, captured)
    return Runner(lambda: step(*next(batches)), lambda losses: np.array([losses]))


def _ensemble(task: Task, captured: bool) -> Any:
    model = ensemble(members_of(task))
    optimizer = SGD(model.parameters(), task.learning_rate, members=model.members)

    def one(x: Array, y: Array) -> Tensor:
        optimizer.zero_grad()
        costs = mse(model(x), y, members=True)
        costs.sum().backward()
        optimizer.step()
        return costs

    step = capture(one) if captured else one
    return lambda x, y: np.array(step(x, y).numpy())


def _one_after_another(task: Task, captured: bool) -> Any:
    steps = [_single(model, task.learning_rate, captured) for model in members_of(task)]
    return lambda x, y: np.array([step(x[k], y[k]).item() for k, step in enumerate(steps)])


def _single(model: Any, rate: float, captured: bool) -> Any:
    optimizer = SGD(model.parameters(), rate)

    def one(x: Array, y: Array) -> Tensor:
        optimizer.zero_grad()
        cost = mse(model(x), y)
        cost.backward()
        optimizer.step()
        return cost

    return capture(one) if captured else one
