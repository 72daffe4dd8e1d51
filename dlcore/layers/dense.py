"""Layers in which every unit sees every input, and networks of them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from dlcore import init
from dlcore.activations import relu
from dlcore.arrays import Array, kernels, namespace
from dlcore.arrays.checks import check_whole
from dlcore.backprop import Tensor, primitive, reshape

from .module import Module
from .parameters import parameter
from .sequential import Sequential


@primitive
def affine(x: Array, w: Array, b: Array) -> Any:
    """Return x W + b for each row of x.

    Shapes: x (…, n, in), w (…, in, out), b (…, out) → (…, n, out).
    """
    xp = namespace(x)
    by_x, by_w = lambda g: xp.matmul(g, w.mT), lambda g: xp.matmul(x.mT, g)
    return kernels.affine(x, w, b), by_x, by_w, lambda g: xp.sum(g, axis=-2)


class Dense(Module):
    """A layer in which every unit sees every input: x W + b.

    Args:
        in_features: number of inputs.
        out_features: number of units.
        rng: NumPy generator that draws the weights.
        bias: whether units have a bias b.
        weight_init: initializer of W (see `init`).
        bias_init: initializer of b.
        device: where the parameters live.
        dtype: their precision, "float32" or "float64".

    Shapes: input (batch, in_features) or (…, in_features), weight (in_features, out_features), bias
    (out_features,), output (…, out_features).
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        rng: np.random.Generator,
        bias: bool = True,
        weight_init: init.Initializer = init.glorot,
        bias_init: init.Initializer = init.zeros,
        device: str = "numpy",
        dtype: str = "float32",
    ) -> None:
        check_whole("Dense", in_features=in_features, out_features=out_features)
        fans = {"fan_in": in_features, "fan_out": out_features}
        self.in_features, self.out_features = in_features, out_features
        self.weight = parameter(weight_init(rng, (in_features, out_features), **fans), device, dtype)
        self.bias = parameter(bias_init(rng, (out_features,), **fans), device, dtype) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """Return x W + b."""
        shape, axes = x.data.shape, self.weight.data.ndim
        if len(shape) < axes or shape[-1] != self.in_features:
            self._refuse(x)
        if len(shape) > axes:  # (…, T, in): all rows in one product
            x = reshape(x, shape=(*self.weight.shape[:-2], -1, self.in_features))
        y = x @ self.weight if self.bias is None else affine(x, self.weight, self.bias)
        return y if len(shape) == axes else reshape(y, shape=(*shape[:-1], self.out_features))

    def _refuse(self, x: Tensor) -> None:
        wanted = "(batch, " if self.members is None else f"({self.members}, batch, "
        hint = ""
        if math.prod(x.shape[1:]) == self.in_features:
            hint = ". Put Flatten() before this layer"
        elif x.shape == (self.in_features,):
            hint = ". Give a single example a batch axis: x[None, :]"
        raise ValueError(
            f"Dense: expected input of shape {wanted}{self.in_features}); received {x.shape}{hint}"
        )

    def __repr__(self) -> str:
        return f"Dense({self.in_features}, {self.out_features})"


def mlp(
    *widths: int,
    rng: np.random.Generator,
    activation: Callable[[Any], Tensor] = relu,
    weight_init: init.Initializer = init.he,
    device: str = "numpy",
    dtype: str = "float32",
) -> Sequential:
    """Return a multilayer perceptron: Dense layers with an activation between them, none after the last.

    Args:
        widths: number of inputs, units of each hidden layer, number of outputs.
        rng: NumPy generator that draws the weights, layer by layer.
        activation: what the hidden layers make of their sums.
        weight_init: initializer of every W.
        device: where the parameters live.
        dtype: their precision.

    Raises:
        ValueError: fewer than two widths.

    >>> mlp(784, 128, 10, rng=np.random.default_rng(0))
    Sequential(Dense(784, 128), relu, Dense(128, 10))
    """
    if len(widths) < 2:
        raise ValueError(f"mlp: expected at least the numbers of inputs and outputs; received {widths}")
    layers: list[Module | Callable[[Any], Tensor]] = []
    for n_in, n_out in itertools.pairwise(widths):
        layers += [
            Dense(n_in, n_out, rng=rng, weight_init=weight_init, device=device, dtype=dtype),
            activation,
        ]
    return Sequential(*layers[:-1])
