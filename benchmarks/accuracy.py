"""Accuracy on the digits' 2,000 test images, dlcore beside torch: five seeds of three networks.

The protocol is the same for both: 8,000 training images, batches of 64, Adam at 1e-3, the accuracy after the last
epoch. Each library shuffles and drops out by itself. Torch trains twice, once from dlcore's initial weights (the
same model, to which dlcore is compared) and once from its own initialization (what a torch user gets).
"""

from __future__ import annotations

import functools
import math
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcore.data import digits

BATCH, RATE = 64, 1e-3
EPOCHS = {"MLP": 20, "CNN 8-16": 20, "CNN 16-32": 15}
Array = NDArray[Any]
Data = tuple[Array, Array, Array, Array]


def dlcore_model(name: str, rng: np.random.Generator) -> Any:
    """One of the three networks."""
    from dlcore.activations import relu
    from dlcore.convolution import Conv2d, MaxPool2d
    from dlcore.layers import Dense, Dropout, Flatten, Sequential

    if name == "MLP":
        layers: list[Any] = [
            Dense(784, 128, rng=rng),
            relu,
            Dense(128, 64, rng=rng),
            relu,
            Dense(64, 10, rng=rng),
        ]
        return Sequential(Flatten(), *layers)
    first, second = (8, 16) if name == "CNN 8-16" else (16, 32)
    layers = [
        Conv2d(1, first, 3, rng=rng),
        relu,
        MaxPool2d(2),
        Conv2d(first, second, 3, rng=rng),
        relu,
        MaxPool2d(2),
    ]
    layers.append(Flatten())
    if name == "CNN 8-16":
        return Sequential(*layers, Dense(400, 10, rng=rng))
    return Sequential(*layers, Dense(800, 64, rng=rng), relu, Dropout(0.3, rng=rng), Dense(64, 10, rng=rng))


def dlcore_accuracy(name: str, seed: int, data: Data) -> float:
    """Train with a captured step on NumPy, then count."""
    from dlcore.backprop import no_grad
    from dlcore.capture import capture
    from dlcore.loss import cross_entropy
    from dlcore.optim import Adam

    images, labels, test_images, test_labels = data
    rng = np.random.default_rng(seed)
    model = dlcore_model(name, rng)
    optimizer = Adam(model.parameters(), learning_rate=RATE)

    @capture
    def step(x: Array, y: Array) -> Any:
        optimizer.zero_grad()
        loss = cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    for _ in range(EPOCHS[name]):
        order = rng.permutation(len(images))
        for start in range(0, len(images), BATCH):
            chosen = order[start : start + BATCH]
            step(images[chosen], labels[chosen])
    model.eval()
    with no_grad():
        answers = [model(part).numpy().argmax(1) for part in np.split(test_images, 8)]
    return float((np.concatenate(answers) == test_labels).mean())


def torch_model(name: str) -> Any:
    """The same network in torch, initialized by torch."""
    from torch.nn import Conv2d, Dropout, Flatten, Linear, MaxPool2d, ReLU, Sequential

    if name == "MLP":
        return Sequential(Flatten(), Linear(784, 128), ReLU(), Linear(128, 64), ReLU(), Linear(64, 10))
    first, second = (8, 16) if name == "CNN 8-16" else (16, 32)
    layers = [
        Conv2d(1, first, 3),
        ReLU(),
        MaxPool2d(2),
        Conv2d(first, second, 3),
        ReLU(),
        MaxPool2d(2),
        Flatten(),
    ]
    if name == "CNN 8-16":
        return Sequential(*layers, Linear(400, 10))
    return Sequential(*layers, Linear(800, 64), ReLU(), Dropout(0.3), Linear(64, 10))


def copy_weights(source: Any, target: Any) -> None:
    """Give a torch model the parameters of a dlcore model; torch stores the weights of dense layers transposed."""
    import torch

    with torch.no_grad():
        for ours, theirs in zip(source.parameters(), target.parameters(), strict=True):
            values = torch.from_numpy(ours.numpy())
            theirs.copy_(values.T if values.ndim == 2 else values)


def torch_accuracy(name: str, seed: int, data: Data, same_start: bool) -> float:
    """Train with torch's eager loop, then count."""
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    images, labels, test_images, test_labels = (torch.from_numpy(a) for a in data)
    model = torch_model(name)
    if same_start:
        copy_weights(dlcore_model(name, np.random.default_rng(seed)), model)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    for _ in range(EPOCHS[name]):
        for chosen in torch.randperm(len(images)).split(BATCH):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(images[chosen]), labels[chosen]).backward()
            optimizer.step()
    model.eval()
    with torch.no_grad():
        return float((model(test_images).argmax(1) == test_labels).double().mean())


def compare(ours: list[float], theirs: list[float]) -> dict[str, Any]:
    """Difference of the means beside its standard error; "within noise" is no more than two of these below.

    >>> result = compare([0.94, 0.95, 0.96], [0.95, 0.96, 0.97])
    >>> round(result["difference"], 3), round(result["standard error"], 4), result["within noise"]
    (-0.01, 0.0082, True)
    """
    error = math.sqrt(statistics.variance(ours) / len(ours) + statistics.variance(theirs) / len(theirs))
    difference = statistics.mean(ours) - statistics.mean(theirs)
    return {
        "accuracies": ours,
        "torch accuracies": theirs,
        "mean": statistics.mean(ours),
        "torch mean": statistics.mean(theirs),
        "difference": difference,
        "standard error": error,
        "within noise": difference >= -2 * error,
    }


def measure(seeds: int, say: Callable[[str], None] = print) -> dict[str, Any]:
    """Train everything, which takes some ten minutes for five seeds; seconds are CPU time."""
    images, labels = digits("train")
    test_images, test_labels = digits("test")
    data = (images[:, None], labels, test_images[:, None], test_labels)  # (n, 1, 28, 28)
    programs: dict[str, Callable[[str, int, Data], float]] = {
        "dlcore": dlcore_accuracy,
        "torch": functools.partial(torch_accuracy, same_start=True),
        "torch, own start": functools.partial(torch_accuracy, same_start=False),
    }
    networks = {}
    for name in EPOCHS:
        found: dict[str, list[float]] = {}
        seconds = {}
        for library, accuracy in programs.items():
            start = time.process_time()
            found[library] = [accuracy(name, seed, data) for seed in range(seeds)]
            seconds[library] = (time.process_time() - start) / seeds
            say(
                f"{name}, {library}: {statistics.mean(found[library]):.2%}, {seconds[library]:.0f} s per seed"
            )
        networks[name] = compare(found["dlcore"], found["torch"]) | {
            "own start": found["torch, own start"],
            "own start mean": statistics.mean(found["torch, own start"]),
            "seconds": seconds["dlcore"],
            "torch seconds": seconds["torch"],
        }
    return networks
