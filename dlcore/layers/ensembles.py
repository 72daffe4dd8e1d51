"""Ensembles: many networks of one architecture as one network with one more axis in front."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np

from dlcore.backprop import stack

from .module import Module


def ensemble(models: Sequence[Module]) -> Module:
    """Return one network that computes what all `models`, of one architecture, compute side by side.

    Every parameter and buffer gets a leading axis of members. Inputs and outputs have it too.

    >>> from dlcore.layers import Dense
    >>> rng = np.random.default_rng(0)
    >>> both = ensemble([Dense(2, 3, rng=rng), Dense(2, 3, rng=rng)])
    >>> both.weight.shape, both(np.zeros((2, 5, 2), np.float32)).shape
    ((2, 2, 3), (2, 5, 3))
    """
    if not models:
        raise ValueError("ensemble: expected at least one model; received none")
    shapes = [{name: t.shape for name, t in model.named_tensors()} for model in models]
    if any(other != shapes[0] for other in shapes[1:]):
        raise ValueError("ensemble: expected models of one architecture; received models of different shapes")
    # Copies, and of each model as a whole: what its layers share, such as a generator, they go on sharing.
    copies = [copy.deepcopy(model) for model in models]
    together = copies[0]
    tensors = [dict(model.named_tensors()) for model in copies]
    generators = [_generators(model) for model in copies]
    for name, tensor in together.named_tensors():
        tensor.data = stack([own[name] for own in tensors]).detach().data
        tensor.grad = None
    for i, (module, name, _) in enumerate(generators[0]):
        setattr(module, name, [own[i][2] for own in generators])
    for module in together.modules():
        module.members = len(models)
    return together


def _generators(model: Module) -> list[tuple[Module, str, np.random.Generator]]:
    """Return the generators among the fields of all modules, with their owners and names."""
    fields = [(m, name, value) for m in model.modules() for name, value in vars(m).items()]
    return [(m, name, value) for m, name, value in fields if isinstance(value, np.random.Generator)]
