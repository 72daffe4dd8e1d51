"""torch, define-by-run, with each of its optimizer implementations."""

from __future__ import annotations

from itertools import cycle

from torch import Tensor

from benchmarks.harness import Runner
from benchmarks.peers import torch_models
from benchmarks.tasks import Task


def build(task: Task, device: str, *, optimizer: str) -> Runner:
    """The textbook training loop."""
    torch_models.prepare()
    model, loss_of = torch_models.model_and_loss(task)
    model.to(device)
    update = torch_models.optimizer(task, model.parameters(), optimizer)
    data = cycle(torch_models.batches(task, device))

    def step() -> Tensor:
        x, y = next(data)
        update.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        update.step()
        return loss

    return Runner(step, lambda loss: [loss.item()], torch_models.wait(device))
