"""Normalization: mean 0 and variance 1, over the features of an example or over the examples of a batch."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dlcore.arrays import Array, namespace
from dlcore.arrays.checks import check_whole
from dlcore.backprop import Tensor, primitive, reshape

from .module import Module
from .parameters import parameter


@primitive
def normalize(x: Array, *, mean: Array, variance: Array, axes: tuple[int, ...], epsilon: float) -> Any:
    """Return (x - mean) / √(variance + epsilon), mean and variance being those of x over `axes`.

    The pullback knows that mean and variance move with x: it takes out of the gradient its mean and its
    component along the output (Ioffe and Szegedy, ICML 2015, section 3).
    """
    xp = namespace(x)
    scale = 1 / xp.sqrt(variance + epsilon)
    y = (x - mean) * scale

    def pullback(g: Array) -> Array:
        along = xp.mean(g * y, axis=axes, keepdims=True)
        return (g - xp.mean(g, axis=axes, keepdims=True) - y * along) * scale

    return y, pullback


def _moments(x: Array, axes: tuple[int, ...]) -> tuple[Array, Array]:
    xp = namespace(x)
    mean = xp.mean(x, axis=axes, keepdims=True)
    centred = x - mean
    return mean, xp.mean(centred * centred, axis=axes, keepdims=True)


class LayerNorm(Module):
    """Give each example mean 0 and variance 1 over its features, then a learnt scale and shift.

    Source: Ba, Kiros and Hinton, "Layer normalization", 2016, equation 4.

    Args:
        num_features: length of the last axis.
        epsilon: added to the variance.

    Shapes: (…, num_features) → the same; weight and bias (num_features,).
    """

    def __init__(
        self, num_features: int, *, epsilon: float = 1e-5, device: str = "numpy", dtype: str = "float32"
    ) -> None:
        check_whole("LayerNorm", num_features=num_features)
        self.num_features, self.epsilon = num_features, epsilon
        self.weight = parameter(np.ones(num_features), device, dtype)
        self.bias = parameter(np.zeros(num_features), device, dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Normalize over the last axis."""
        _check_features(self, x, x.shape[-1])
        mean, variance = _moments(x.data, (-1,))
        y = normalize(x, mean=mean, variance=variance, axes=(-1,), epsilon=self.epsilon)
        return y * _aligned(self.weight, x, -1) + _aligned(self.bias, x, -1)

    def __repr__(self) -> str:
        return f"LayerNorm({self.num_features})"


class BatchNorm(Module):
    """Give each feature mean 0 and variance 1 over the batch, then a learnt scale and shift.

    In evaluation the running averages of the training batches stand in for the batch.
    Source: Ioffe and Szegedy, ICML 2015, algorithm 1.

    Args:
        num_features: number of features, or of channels of images.
        epsilon: added to the variance.
        momentum: weight of the newest batch in the running averages.

    Shapes: (batch, num_features) or (batch, num_features, height, width) → the same.
    """

    def __init__(
        self,
        num_features: int,
        *,
        epsilon: float = 1e-5,
        momentum: float = 0.1,
        device: str = "numpy",
        dtype: str = "float32",
    ) -> None:
        check_whole("BatchNorm", num_features=num_features)
        self.num_features, self.epsilon, self.momentum = num_features, epsilon, momentum
        self.weight = parameter(np.ones(num_features), device, dtype)
        self.bias = parameter(np.zeros(num_features), device, dtype)
        self.running_mean = Tensor(self.weight.data * 0)
        self.running_variance = Tensor(self.weight.data * 0 + 1)

    def forward(self, x: Tensor) -> Tensor:
        """Normalize over the batch (and the pixels)."""
        lead = 0 if self.members is None else 1
        if x.ndim - lead not in (2, 4):
            raise ValueError(
                f"BatchNorm: expected (batch, features) or (batch, channels, height, width); received {x.shape}"
            )
        channel = -1 if x.ndim - lead == 2 else -3
        _check_features(self, x, x.shape[channel])
        axes = (-2,) if channel == -1 else (-4, -2, -1)
        if self._behaves_as_in_training():
            count = math.prod(x.shape[i] for i in axes)
            if count < 2:
                raise ValueError(
                    f"BatchNorm: expected at least 2 examples to take a variance over; received {count}"
                )
            mean, variance = _moments(x.data, axes)
            self._remember(mean, variance, count)
            y = normalize(x, mean=mean, variance=variance, axes=axes, epsilon=self.epsilon)
        else:
            mean, variance = (_aligned(t, x, channel) for t in (self.running_mean, self.running_variance))
            y = (x - mean) * (1 / (variance + self.epsilon) ** 0.5)
        return y * _aligned(self.weight, x, channel) + _aligned(self.bias, x, channel)

    def _remember(self, mean: Array, variance: Array, count: int) -> None:
        xp = namespace(mean)
        unbiased = variance * (count / (count - 1))
        for running, new in ((self.running_mean, mean), (self.running_variance, unbiased)):
            running.data += self.momentum * (xp.reshape(new, running.shape) - running.data)

    def __repr__(self) -> str:
        return f"BatchNorm({self.num_features})"


def _check_features(layer: BatchNorm | LayerNorm, x: Tensor, received: int) -> None:
    if received != layer.num_features:
        raise ValueError(
            f"{type(layer).__name__}: expected {layer.num_features} features; received {received} in shape {x.shape}"
        )


def _aligned(p: Tensor, x: Tensor, axis: int) -> Tensor:
    """Give a parameter of shape (…members, features) the axes of `x`, its features at `axis`."""
    if p.ndim == 1 and axis == -1:
        return p
    shape = [1] * x.ndim
    shape[: p.ndim - 1] = p.shape[:-1]
    shape[axis] = p.shape[-1]
    return reshape(p, shape=tuple(shape))
