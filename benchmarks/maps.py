"""Maps instead of training steps: dlcore's contestant, and what is compared of a map."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import ours
from benchmarks.harness import Runner
from benchmarks.tasks import Array, Task
from dlcore import interpretability
from dlcore.activations import relu
from dlcore.arrays import asarray, to_numpy

STEPS = 50  # of integrated gradients
WINDOW, STRIDE = 4, 2  # of occlusion


def digest(heat: Any) -> Array:
    """Return eight numbers, shape (1, 8), that 64 maps must have in common with the reference's.

    Each is the sum of eight maps' sizes, every place with a weight of its own, so that one map that is turned or moved
    gives another number.
    """
    sizes = np.abs(np.asarray(heat, dtype=np.float64)).reshape(8, -1)
    weights = np.random.default_rng(0).uniform(0.5, 1.5, sizes.shape)
    sums: Array = (weights * sizes).sum(axis=1)[None]
    return sums


def build(task: Task, device: str, *, library: str) -> Runner:
    """One call of `dlcore.interpretability` for 64 digits."""
    where = device if library == "torch" else library
    model: Any = (ours.cnn(task.weights) if "k0" in task.weights else ours.mlp(task.weights, relu)).to(where)
    x, target = asarray(task.inputs[0], device=where), task.targets[0]
    ways: dict[str, Callable[[], Any]] = {
        "M1": lambda: interpretability.integrated_gradients(model, x, target, steps=STEPS),
        "M2": lambda: interpretability.grad_cam(model, x, target, layer=model[3]),
        "M3": lambda: interpretability.occlusion(model, x, target, window=WINDOW, stride=STRIDE),
    }
    return Runner(ways[task.name], lambda heat: digest(to_numpy(heat)))
