"""torch.compile: model and loss as one compiled graph, forward and back; the optimizer fused or compiled."""

from __future__ import annotations

from itertools import cycle

import torch
from torch import Tensor

from benchmarks.harness import Runner
from benchmarks.peers import torch_models
from benchmarks.tasks import Task


def build(task: Task, device: str, *, optimizer: str) -> Runner:
    """The textbook loop with a compiled loss; "compiled" compiles the for-loop optimizer too."""
    torch_models.prepare()
    model, loss_of = torch_models.model_and_loss(task)
    model.to(device)
    update = torch_models.optimizer(
        task, model.parameters(), "for-loop" if optimizer == "compiled" else optimizer
    )
    apply = torch.compile(update.step) if optimizer == "compiled" else update.step
    data = cycle(torch_models.batches(task, device))

    @torch.compile(fullgraph=True, dynamic=False)
    def objective(x: Tensor, y: Tensor) -> Tensor:
        return loss_of(model(x), y)

    def step() -> Tensor:
        x, y = next(data)
        update.zero_grad()
        loss = objective(x, y)
        loss.backward()
        apply()
        return loss

    return Runner(step, lambda loss: [loss.item()], torch_models.wait(device))
