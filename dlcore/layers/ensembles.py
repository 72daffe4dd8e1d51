"""Ensembles: many networks of one architecture as one network with one more axis in front."""

from __future__ import annotations

import copy
import functools
from collections.abc import Sequence
from types import CellType, FunctionType
from typing import Any

import numpy as np

from dlcore.arrays import is_array, to_numpy
from dlcore.backprop import Tensor, stack

from .module import Module


def ensemble(models: Sequence[Module]) -> Module:
    """Return one network that computes what all `models`, of one architecture, compute side by side.

    Every parameter and buffer gets a leading axis of members. Inputs and outputs have it too.

    Raises:
        ValueError: no model; or the models differ in more than the values of their tensors and their generators.

    >>> from dlcore.layers import Dense
    >>> rng = np.random.default_rng(0)
    >>> both = ensemble([Dense(2, 3, rng=rng), Dense(2, 3, rng=rng)])
    >>> both.weight.shape, both(np.zeros((2, 5, 2), np.float32)).shape
    ((2, 2, 3), (2, 5, 3))
    """
    if not models:
        raise ValueError("ensemble: expected at least one model; received none")
    for i, model in enumerate(models[1:], start=1):
        _check_alike(models[0], model, i)
    # Copies, and of each model as a whole: what its layers share, such as a generator, they go on sharing.
    copies = [copy.deepcopy(model) for model in models]
    together = copies[0]
    tensors = [dict(model.named_tensors()) for model in copies]
    generators = [_generators(model) for model in copies]
    for tensor, name in {t: name for name, t in together.named_tensors()}.items():  # each once, if used twice
        tensor.data = stack([own[name] for own in tensors]).detach().data
        tensor.grad = None
    for i, (module, name, _) in enumerate(generators[0]):
        setattr(module, name, [own[i][2] for own in generators])
    for module in together.modules():
        module.members = len(models)
    return together


def _check_alike(first: Module, other: Module, i: int) -> None:
    """Raise ValueError if model `i` differs from the first in shapes, kinds of modules or settings."""
    if _shapes(first) != _shapes(other):
        raise ValueError("ensemble: expected models of one architecture; received models of different shapes")
    wanted, received = _settings(first), _settings(other)
    for name in wanted | received:
        pair = wanted.get(name), received.get(name)
        if not _alike(*pair):
            here, there = (getattr(value, "__name__", repr(value)) for value in pair)
            raise ValueError(
                f"ensemble: expected models that differ in nothing but numbers in their tensors; {name} is {here} "
                f"in model 0 and {there} in model {i}. Train them apart, say with one sweep for each value"
            )


def _shapes(model: Module) -> dict[str, tuple[tuple[int, ...], str]]:
    """Return each tensor's shape and the name under which it first comes: another's, if two places share it."""
    first: dict[Tensor, str] = {}
    return {name: (t.shape, first.setdefault(t, name)) for name, t in model.named_tensors()}


def _settings(module: Module, path: str = "") -> dict[str, Any]:
    """Return by dotted name what a module does besides its tensors: its class and all other fields."""
    fields = {"class": type(module), "training": module.training, **vars(module)}
    found = {path + name: value for name, value in fields.items() if not isinstance(value, Tensor)}
    for name, child in module.children():
        found |= _settings(child, f"{path}{name}.")
    return found


def _alike(a: Any, b: Any) -> bool:
    """Tell whether two settings mean the same; functions that were made twice do if their parts do."""
    if a is b:
        return True
    if isinstance(a, (Module, np.random.Generator)):  # modules are compared by themselves, generators differ
        return isinstance(b, (Module, np.random.Generator))
    if is_array(a) and is_array(b):
        return np.array_equal(to_numpy(a), to_numpy(b))
    if type(a) is type(b):
        if isinstance(a, (list, tuple)):
            return len(a) == len(b) and all(map(_alike, a, b))
        if isinstance(a, dict):
            return a.keys() == b.keys() and all(_alike(a[key], b[key]) for key in a)
        if kind := next((kind for kind in _PARTS if isinstance(a, kind)), None):
            return all(_alike(getattr(a, part), getattr(b, part)) for part in _PARTS[kind])
    return bool(a == b)


_PARTS: dict[type, tuple[str, ...]] = {
    FunctionType: ("__code__", "__defaults__", "__kwdefaults__", "__closure__"),
    CellType: ("cell_contents",),
    functools.partial: ("func", "args", "keywords"),
}


def _generators(model: Module) -> list[tuple[Module, str, np.random.Generator]]:
    """Return the generators among the fields of all modules, with their owners and names."""
    fields = [(m, name, value) for m in model.modules() for name, value in vars(m).items()]
    return [(m, name, value) for m, name, value in fields if isinstance(value, np.random.Generator)]
