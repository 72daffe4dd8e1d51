"""Layers without numbers of their own: one layer after the other, a function as a layer, an example in one row."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from dlcore.backprop import Tensor, reshape

from .module import Module


class Sequential(Module):
    """One layer after the other: the output of each is the input of the next.

    Args:
        layers: modules, or plain functions on Tensors such as `relu`.

    >>> import numpy as np
    >>> from dlcore.activations import tanh
    >>> from dlcore.layers import Dense
    >>> rng = np.random.default_rng(0)
    >>> model = Sequential(Dense(2, 8, rng=rng), tanh, Dense(8, 1, rng=rng))
    >>> model(np.zeros((5, 2), np.float32)).shape
    (5, 1)
    """

    def __init__(self, *layers: Module | Callable[[Any], Tensor]) -> None:
        layer: Any
        for i, layer in enumerate(layers):
            is_class = isinstance(layer, type)  # Sequential(Flatten): a beginner's slip
            if is_class or not callable(layer):
                raise TypeError(
                    f"Sequential: expected a layer or a function at place {i}; received {layer!r}"
                    + (". Make an instance of it with parentheses" if is_class else "")
                )
        self.layers = [layer if isinstance(layer, Module) else Activation(layer) for layer in layers]

    def forward(self, x: Tensor) -> Tensor:
        """Pass `x` through all layers in order."""
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, i: int) -> Module:
        return self.layers[i]

    def __repr__(self) -> str:
        return f"Sequential({', '.join(map(repr, self.layers))})"


class Activation(Module):
    """A function on Tensors, as a layer."""

    def __init__(self, function: Callable[[Any], Tensor]) -> None:
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        """Apply the function."""
        return self.function(x)

    def __repr__(self) -> str:
        return getattr(self.function, "__name__", repr(self.function))


class Flatten(Module):
    """All features of an example in one row: (batch, …) → (batch, product of …)."""

    def forward(self, x: Tensor) -> Tensor:
        """Keep the batch axis (and the members'), join the rest."""
        kept = 1 if self.members is None else 2
        if x.ndim <= kept:
            raise ValueError(f"Flatten: expected (batch, …) with at least one more axis; received {x.shape}")
        return reshape(x, shape=(*x.shape[:kept], math.prod(x.shape[kept:])))
