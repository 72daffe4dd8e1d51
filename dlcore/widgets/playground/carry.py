"""What stays of a network when its architecture is changed: the weights between units that are in both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .task import Task

Array = np.ndarray[Any, Any]


def carry(old: Sequence[Array], was: Task, new: Sequence[Array], now: Task) -> list[Array]:
    """Return the parameters `new`, overwritten where both ends of a link were there before.

    A hidden unit is told by its layer and its place in it, an input by its feature. The output unit keeps its bias,
    and its weights if it is still fed by the same layer.

    Args:
        old: weight (…, in, out) and bias (…, out) of each layer in turn.
        was: the task they belong to.
        new: the same of the other network, as it was drawn.
        now: the task of that.
    """
    made = [np.array(values) for values in new]
    for i in range(min(len(was.hidden), len(now.hidden))):
        _overlap(made, old, 2 * i, _sources(i, was, now))
    if len(was.hidden) == len(now.hidden):
        _overlap(made, old, 2 * len(now.hidden), _sources(len(now.hidden), was, now))
    made[-1][...] = old[-1]
    return made


def _sources(layer: int, was: Task, now: Task) -> tuple[list[int], list[int]]:
    """Return the places, before and now, of the units that feed a layer (from 0) in both networks."""
    if layer == 0:
        both = [name for name in now.features if name in was.features]
        return [was.features.index(name) for name in both], [now.features.index(name) for name in both]
    shared = list(range(min(was.hidden[layer - 1], now.hidden[layer - 1])))
    return shared, shared


def _overlap(made: list[Array], old: Sequence[Array], place: int, rows: tuple[list[int], list[int]]) -> None:
    """Copy the weights and biases of the layer at `place` in the list of parameters."""
    before, after = rows
    units = min(old[place].shape[-1], made[place].shape[-1])
    made[place][..., after, :units] = old[place][..., before, :units]
    made[place + 1][..., :units] = old[place + 1][..., :units]
