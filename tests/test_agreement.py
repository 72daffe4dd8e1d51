"""Whole trainings: 200 steps of the benchmarks' tasks T1-T3 from the same weights, by every engine and by torch."""

import functools
from typing import Any

import numpy as np
import pytest

from benchmarks import tasks
from dlcore import loss, optim
from dlcore.activations import relu, tanh
from dlcore.arrays import asarray
from dlcore.backprop import Tensor
from dlcore.capture import capture
from dlcore.convolution import Conv2d, MaxPool2d
from dlcore.layers import Dense, Flatten, Module, Sequential
from tests.helpers import Values, cpu_with_torch, needs_torch, torch

STEPS = 200
TOLERANCE = {"float32": 1e-4, "float64": 1e-10}

task = functools.cache(lambda name: getattr(tasks, name.lower())())


def batch(name: str, step: int, dtype: str) -> tuple[Values, Values]:
    """Return the inputs and targets of a step: the task's batches, round and round."""
    i = step % task(name).batches
    x, y = task(name).inputs[i], task(name).targets[i]
    return x.astype(dtype), y if name != "T1" else y.astype(dtype)


def dense(weights: dict[str, Values], i: int, dtype: str, device: str) -> Dense:
    rng = np.random.default_rng(0)
    return Dense(*weights[f"w{i}"].shape, rng=rng, dtype=dtype, device=device)


def build(name: str, device: str, dtype: str) -> Module:
    """Our network of the task, with the task's weights."""
    weights = task(name).weights
    if name == "T3":
        on: dict[str, Any] = {"rng": np.random.default_rng(0), "device": device, "dtype": dtype}
        model = Sequential(
            Conv2d(1, 8, 3, **on), relu, MaxPool2d(2), Conv2d(8, 16, 3, **on), relu, MaxPool2d(2), Flatten(),
            dense(weights, 2, dtype, device),
        )  # fmt: skip
    else:
        activation = tanh if name == "T1" else relu
        parts = [dense(weights, i, dtype, device) for i in range(3)]
        model = Sequential(parts[0], activation, parts[1], activation, parts[2])
    names = [key for key, _ in model.named_parameters()]
    model.load_state(dict(zip(names, weights.values(), strict=True)))
    return model


def ours(name: str, device: str, dtype: str, captured: bool) -> Values:
    """Return our losses."""
    model = build(name, device, dtype)
    kind: Any = optim.SGD if task(name).optimizer == "sgd" else optim.Adam
    optimizer = kind(model.parameters(), learning_rate=task(name).learning_rate)

    def step(x: Any, y: Any) -> Tensor:
        optimizer.zero_grad()
        prediction = model(x)
        error = loss.mse(prediction, y) if name == "T1" else loss.cross_entropy(prediction, y)
        error.backward()
        optimizer.step()
        return error

    run: Any = capture(step) if captured else step
    losses = []
    for i in range(STEPS):
        x, y = batch(name, i, dtype)
        losses.append(run(asarray(x, device=device), asarray(y, device=device)).item())
    if captured:
        assert run.mode == "replay"
    return np.array(losses)


@functools.cache
def theirs(name: str, dtype: str) -> Values:
    """Return the losses of torch's own layers' functions, autograd and optimizer."""
    F = torch.nn.functional
    p = [torch.tensor(w.astype(dtype), requires_grad=True) for w in task(name).weights.values()]
    kind = torch.optim.SGD if task(name).optimizer == "sgd" else torch.optim.Adam
    optimizer = kind(p, lr=task(name).learning_rate)

    def forward(x: Any) -> Any:
        if name == "T3":
            h = F.max_pool2d(torch.relu(F.conv2d(x, p[0], p[1])), 2)
            h = F.max_pool2d(torch.relu(F.conv2d(h, p[2], p[3])), 2)
            return h.flatten(1) @ p[4] + p[5]
        activation = torch.tanh if name == "T1" else torch.relu
        h = activation(x @ p[0] + p[1])
        return activation(h @ p[2] + p[3]) @ p[4] + p[5]

    losses = []
    for i in range(STEPS):
        x, y = (torch.tensor(v) for v in batch(name, i, dtype))
        optimizer.zero_grad()
        error = F.mse_loss(forward(x), y) if name == "T1" else F.cross_entropy(forward(x), y)
        error.backward()
        optimizer.step()
        losses.append(error.item())
    return np.array(losses)


@needs_torch
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("device", "captured"),
    [("numpy", False), ("numpy", True), ("cpu", False), ("strict", False)],
    ids=["numpy", "captured", "torch arrays", "strict"],
)
@pytest.mark.no_cover  # trains for long: being watched would double it
@pytest.mark.parametrize("name", ["T1", "T2", "T3"])
def test_two_hundred_steps_agree_with_torch(name: str, device: str, captured: bool, dtype: str) -> None:
    losses, wanted = ours(name, device, dtype, captured), theirs(name, dtype)
    np.testing.assert_allclose(losses, wanted, rtol=TOLERANCE[dtype])
    assert losses[-16:].mean() < 0.95 * losses[:16].mean(), "something was learnt"


@pytest.mark.parametrize("device", ["strict", cpu_with_torch])
def test_all_arrays_agree_with_numpy(device: str) -> None:
    """The same, where there is no torch to be the judge."""
    np.testing.assert_allclose(
        ours("T1", device, "float64", False), ours("T1", "numpy", "float64", False), rtol=1e-12
    )


@pytest.mark.gpu
@needs_torch
@pytest.mark.skipif(torch is None or not torch.cuda.is_available(), reason="no CUDA device on this machine")
@pytest.mark.parametrize("name", ["T1", "T2", "T3"])
def test_two_hundred_steps_on_a_card_agree_with_the_processor(name: str) -> None:
    losses = ours(name, "cuda", "float64", False)
    np.testing.assert_allclose(losses, theirs(name, "float64"), rtol=1e-8)
