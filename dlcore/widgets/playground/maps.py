"""Maps: what every unit says all over the plane, and at given points.

On the CPU, with the weights as NumPy arrays. `namespace` gives the functions, which are fast ones in the page.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from dlcore.arrays import namespace

from .task import Task

Array = np.ndarray[Any, Any]
REACH = 6.0  # the plane is shown from -6 to 6


def outputs(task: Task, inputs: Array, weights: Sequence[Array]) -> list[Array]:
    """Return the outputs of all layers, the inputs first.

    Args:
        task: says what the layers' sums go through.
        inputs: the features, one row each: array of shape (features, n).
        weights: weight (in, out) and bias (out,) of each layer in turn.

    Returns:
        for each layer an array of shape (units, n): rows are units, so that each unit's map lies in one piece.
    """
    values = [inputs]
    last = len(weights) // 2 - 1
    for i, (w, b) in enumerate(zip(weights[::2], weights[1::2], strict=True)):
        sums = namespace(w).matmul(w.T, values[-1])
        sums += b[:, None]
        values.append(activated(task.output.__name__ if i == last else task.activation, sums))
    return values


def activated(name: str, sums: Array) -> Any:
    """Return what an activation function makes of sums."""
    xp = namespace(sums)
    if name == "tanh":
        return xp.tanh(sums)
    if name == "relu":
        return xp.maximum(sums, 0)
    if name == "sigmoid":
        return 0.5 + 0.5 * xp.tanh(0.5 * sums)  # without overflow
    return sums


@functools.lru_cache(maxsize=4)
def grid(features: tuple[str, ...], resolution: int) -> Array:
    """Return the features on a grid, rows from the top: array of shape (features, resolution²)."""
    steps = np.linspace(-REACH, REACH, resolution, dtype=np.float32)
    x1, x2 = np.meshgrid(steps, steps[::-1])
    points = np.stack([x1.ravel(), x2.ravel()], axis=1)
    return np.ascontiguousarray(Task(features=features).inputs(points).T)


def maps(task: Task, weights: Sequence[Array], resolution: int) -> bytes:
    """Return the maps of all units, inputs first: for each resolution² numbers of int8, 127 standing for 1.

    With the cross-entropy the output is a logit z, and shown is 2p - 1 = tanh(z / 2), p being the probability.
    """
    values = outputs(task, grid(task.features, resolution), weights)
    if task.loss == "cross_entropy":
        values[-1] = namespace(values[-1]).tanh(values[-1] / 2)
    return b"".join(as_int8(layer) for layer in values)


def as_int8(values: Array) -> bytes:
    """Return numbers from -1 to 1, those beyond cut off, as bytes from -127 to 127."""
    scaled = np.clip(values, -1, 1)
    scaled *= 127
    return bytes(np.rint(scaled, out=scaled).astype(np.int8))
