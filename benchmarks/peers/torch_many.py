"""T4 in torch: a loop over 64 networks, the same batched by hand, and torch.func.vmap."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle

import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.harness import Runner
from benchmarks.peers import torch_models
from benchmarks.tasks import MEMBERS, Task


def build(task: Task, device: str, *, way: str, optimizer: str = "for-loop") -> Runner:
    """`way`: loop, hand-batched or vmap."""
    torch_models.prepare()
    wait = torch_models.wait(device)
    if way == "loop":
        return Runner(loop(task, device, optimizer), lambda losses: [[loss.item() for loss in losses]], wait)
    step = {"hand-batched": batched, "vmap": vmapped}[way](task, device)
    return Runner(step, lambda losses: losses.cpu().numpy()[None], wait)


def loop(task: Task, device: str, optimizer: str) -> Callable[[], list[Tensor]]:
    """64 modules, 64 optimizers, one after the other."""
    members = []
    for i in range(MEMBERS):
        weights = {name: a[i] for name, a in task.weights.items()}
        model = torch_models.mlp(weights, torch.nn.Tanh).to(device)
        update = torch.optim.SGD(
            model.parameters(), lr=float(task.learning_rate[i]), **torch_models.OPTIMIZER_VARIANTS[optimizer]
        )
        members.append((model, update))
    # The members' slices are cut beforehand: a loop over separate networks has separate batches.
    data = cycle([list(zip(x, y, strict=True)) for x, y in torch_models.batches(task, device)])

    def step() -> list[Tensor]:
        losses = []
        for (model, update), (x, y) in zip(members, next(data), strict=True):
            update.zero_grad()
            loss = F.mse_loss(model(x), y)
            loss.backward()
            update.step()
            losses.append(loss)
        return losses

    return step


def stacked(task: Task, device: str) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Parameters with a leading axis of members, and the learning rates shaped to multiply each of them."""
    parameters = {name: torch.from_numpy(a.copy()).to(device) for name, a in task.weights.items()}
    rates = torch.as_tensor(task.learning_rate, dtype=torch.from_numpy(task.inputs).dtype, device=device)
    return parameters, {name: rates.reshape(-1, *[1] * (p.ndim - 1)) for name, p in parameters.items()}


def batched(task: Task, device: str) -> Callable[[], Tensor]:
    """`baddbmm` over the members, and an update by hand: torch's optimizers know one rate for a tensor."""
    parameters, rates = stacked(task, device)
    p = {
        name: a.unsqueeze(1) if name.startswith("b") else a for name, a in parameters.items()
    }  # biases (E, 1, n)
    rates = {name: -rate.reshape(-1, 1, 1) for name, rate in rates.items()}
    for a in p.values():
        a.requires_grad_()
    data = cycle(torch_models.batches(task, device))

    def step() -> Tensor:
        x, y = next(data)  # (E, N, 2), (E, N, 1)
        h = torch.tanh(torch.baddbmm(p["b0"], x, p["w0"]))
        h = torch.tanh(torch.baddbmm(p["b1"], h, p["w1"]))
        losses = (torch.baddbmm(p["b2"], h, p["w2"]) - y).square().mean((1, 2))
        grads = torch.autograd.grad(losses.sum(), list(p.values()))
        with torch.no_grad():
            for (name, a), g in zip(p.items(), grads, strict=True):
                a.addcmul_(rates[name], g)
        return losses.detach()

    return step


def vmapped(task: Task, device: str) -> Callable[[], Tensor]:
    """`torch.func.vmap` over the gradient of one network's loss."""
    parameters, rates = stacked(task, device)
    data = cycle(torch_models.batches(task, device))

    def objective(p: dict[str, Tensor], x: Tensor, y: Tensor) -> Tensor:
        h = torch.tanh(F.linear(x, p["w0"].T, p["b0"]))
        h = torch.tanh(F.linear(h, p["w1"].T, p["b1"]))
        return F.mse_loss(F.linear(h, p["w2"].T, p["b2"]), y)

    gradients = torch.func.vmap(torch.func.grad_and_value(objective))

    def step() -> Tensor:
        x, y = next(data)
        grads, losses = gradients(parameters, x, y)
        for name, a in parameters.items():
            a.addcmul_(rates[name], grads[name], value=-1)
        return losses

    return step
