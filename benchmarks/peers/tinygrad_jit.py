"""tinygrad, the training step under TinyJit."""

from __future__ import annotations

from itertools import cycle
from typing import Any

from tinygrad import Tensor, TinyJit, nn
from tinygrad.helpers import TRAINING

from benchmarks.harness import Runner
from benchmarks.tasks import Task


def build(task: Task, device: str) -> Runner:
    """T1, T2 and T3 with tinygrad's optimizers."""
    p = {name: Tensor(a) for name, a in task.weights.items()}
    make = {"sgd": nn.optim.SGD, "adam": nn.optim.Adam}[task.optimizer]
    update = make(list(p.values()), lr=task.learning_rate)

    def forward(x: Tensor) -> Tensor:
        if task.name == "T3":
            for i in range(2):
                x = x.conv2d(p[f"k{i}"], p[f"b{i}"]).relu().max_pool2d((2, 2))
            return x.flatten(1) @ p["w2"] + p["b2"]
        for i in range(2):
            x = x @ p[f"w{i}"] + p[f"b{i}"]
            x = x.tanh() if task.name == "T1" else x.relu()
        return x @ p["w2"] + p["b2"]

    @TinyJit
    def train(x: Tensor, y: Tensor) -> Tensor:
        update.zero_grad()
        prediction = forward(x)
        loss = (
            ((prediction - y) ** 2).mean()
            if task.name == "T1"
            else prediction.sparse_categorical_crossentropy(y)
        )
        loss.backward()
        return loss.realize(*update.schedule_step())

    data = cycle(
        [(Tensor(x).realize(), Tensor(y).realize()) for x, y in zip(task.inputs, task.targets, strict=True)]
    )

    TRAINING.value = 1  # else its optimizers refuse to step

    def step() -> Any:
        return train(*next(data))

    return Runner(step, lambda loss: [loss.item()], lambda loss: loss.item())
