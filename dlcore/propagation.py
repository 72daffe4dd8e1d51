"""How a signal goes forward, and a gradient back, through a deep chain of layers (chapter Activations).

In the order of the chapter, chapters/03_activations.ipynb:

    mean_over_normal    E[f(z)] for a normal z: what one wide layer does to a signal, as a number
    Forecast, forecast  the recursion of variances through many layers, both ways
    Chain               layers of equal width, all with one activation, and batch or layer normalization
    Passage, pass_through   one pass forward and one back, with every layer kept
    flat, dead          where the slope is nearly 0, and units through which no gradient passes at all
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from .activations import ActivationFunction
from .arrays import Array, asarray, dtype_name, namespace, to_numpy
from .arrays.checks import check_whole
from .backprop import Tensor
from .init import Initializer, constant, glorot
from .layers import BatchNorm, Dense, LayerNorm, Module

__all__ = [
    "NORMALIZATIONS",
    "Chain",
    "Forecast",
    "Passage",
    "dead",
    "flat",
    "forecast",
    "mean_over_normal",
    "pass_through",
]

Values = np.ndarray[Any, Any]
NORMALIZATIONS = ("none", "batch", "layer")

# ------------------------------------------------------------------------------------------------- the forecast

REACH = 8.5  # standard deviations: what lies beyond weighs less than 1e-16


@cache
def _legendre() -> tuple[Values, Values]:
    nodes, weights = np.polynomial.legendre.leggauss(128)
    return (nodes + 1) / 2, weights / 2  # of the interval from 0 to 1


def _normal_points(variance: float, mean: float) -> tuple[Values, Values]:
    """Return values of z and their weights, of sum 1, by Gauss and Legendre's rule on both sides of z = 0.

    That is where activation functions have their joints, and where those without one are steepest.
    """
    std = math.sqrt(variance)
    joint = min(REACH, max(-REACH, -mean / std)) if std else REACH
    nodes, weights = _legendre()
    below, above = joint + REACH, REACH - joint  # two lengths
    points = np.concatenate([-REACH + below * nodes, joint + above * nodes])
    density = np.exp(-(points**2) / 2) * np.concatenate([below * weights, above * weights])
    return mean + std * points, density / density.sum()


def mean_over_normal(f: Callable[[Values], Any], *, variance: float = 1.0, mean: float = 0.0) -> float:
    """Return E[f(z)], z being normal with that mean and variance. f may have a joint at z = 0.

    >>> round(mean_over_normal(lambda z: np.maximum(z, 0) ** 2), 9)
    0.5
    """
    if not (math.isfinite(mean) and math.isfinite(variance) and variance >= 0):
        raise ValueError(
            "mean_over_normal: expected a finite mean and a finite variance of 0 or more; "
            f"received {mean} and {variance}"
        )
    z, weights = _normal_points(variance, mean)
    return float(weights @ np.asarray(f(z)))


@dataclass(frozen=True)
class Forecast:
    """What a very wide chain does, layer by layer.

    Attributes:
        activations: standard deviation of the activations of each layer, shape (depth,).
        gradients: standard deviation of the gradient by them, shape (depth,); 1 at the last layer.
    """

    activations: Values
    gradients: Values


def forecast(
    depth: int,
    *,
    activation: ActivationFunction,
    gain: float,
    bias: float = 0.0,
    input_square: float = 1.0,
    normalization: str = "none",
) -> Forecast:
    """Follow the variances through `depth` layers of many units each.

    With n inputs to a unit and weights of mean 0, Var[z] = gain · E[a²], where gain = n · Var[w]; a = f(z + bias),
    z being normal because it is a sum of many terms. Backward, Var[∂L/∂a] of a layer is gain · E[f'(z + bias)²] times
    that of the layer above. Source: B. Poole et al., NeurIPS 2016, and S. Schoenholz et al., ICLR 2017.

    Args:
        depth: number of layers.
        activation: f, a function of `dlcore.activations`.
        gain: n · Var[w].
        bias: the value of all biases.
        input_square: mean square of the inputs.
        normalization: "none", or "layer", which gives z the variance 1 before the bias is added.

    Raises:
        ValueError: "batch", whose statistics depend on how different the examples are, too; a gain or an input_square
            below 0; a number that is not finite.
    """
    check_whole("forecast", depth=depth)
    if normalization not in ("none", "layer"):
        raise ValueError(f"forecast: expected normalization none or layer; received {normalization!r}")
    for name, value in (("a gain n · Var[w]", gain), ("an input_square", input_square)):
        if not (math.isfinite(value) and value >= 0):
            raise ValueError(f"forecast: expected {name} that is finite and 0 or more; received {value}")
    if not math.isfinite(bias):
        raise ValueError(f"forecast: expected a finite bias; received {bias}")
    square, stds, slopes = input_square, [], []
    for _ in range(depth):
        variance = gain * square
        shrinks = 1.0
        if normalization == "layer":
            variance, shrinks = 1.0, variance
        mean, square, slope = _moments(activation, variance, bias)
        stds.append(math.sqrt(max(0.0, square - mean**2)))
        slopes.append(gain * slope / shrinks if shrinks else 0.0)
    backward = np.cumprod([1.0, *slopes[:0:-1]])[::-1]
    return Forecast(np.array(stds), np.sqrt(backward))


def _moments(activation: ActivationFunction, variance: float, bias: float) -> tuple[float, float, float]:
    """Return E[a], E[a²] and E[f'²] for sums of that variance around the bias."""
    z, weights = _normal_points(variance, bias)
    a, slope = activation(z).data, activation.derivative(z)
    return float(weights @ a), float(weights @ a**2), float(weights @ slope**2)


# ---------------------------------------------------------------------------------------------------- the chain


class Chain(Module):
    """`depth` layers of `width` units: a = f(norm(x W) + b), and the same again.

    Args:
        depth: number of layers.
        width: number of inputs, and of units of each layer.
        activation: f, a function of `dlcore.activations`.
        rng: NumPy generator that draws the weights, layer by layer: a deeper chain begins with the same layers.
        weight_init: initializer of the weights.
        bias: the value of all biases at the start.
        normalization: "none", "batch" or "layer", of the sums before the bias is added.

    Shapes: (batch, width) → (batch, width).
    """

    def __init__(
        self,
        depth: int,
        width: int,
        *,
        activation: ActivationFunction,
        rng: np.random.Generator,
        weight_init: Initializer = glorot,
        bias: float = 0.0,
        normalization: str = "none",
        device: str = "numpy",
        dtype: str = "float32",
    ) -> None:
        check_whole("Chain", depth=depth, width=width)
        if normalization not in NORMALIZATIONS:
            raise ValueError(
                f"Chain: expected normalization {', '.join(NORMALIZATIONS)}; received {normalization!r}"
            )
        place: dict[str, Any] = {"device": device, "dtype": dtype}
        plain = normalization == "none"
        self.activation = activation
        self.dense = [
            Dense(width, width, rng=rng, bias=plain, weight_init=weight_init, **place) for _ in range(depth)
        ]
        kinds: dict[str, Any] = {"batch": BatchNorm, "layer": LayerNorm}
        self.norms = [] if plain else [kinds[normalization](width, **place) for _ in range(depth)]
        for owner in self.dense if plain else self.norms:  # the bias is the normalization's if there is one
            tensor: Tensor = owner.bias  # type: ignore[assignment]
            start = constant(rng, tensor.shape, value=bias)
            tensor.data = asarray(start, **place)

    def trace(self, x: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Return, of each layer, what goes into f and what comes out of it, each of shape (batch, width)."""
        sums, outputs = [], []
        for i, layer in enumerate(self.dense):
            z = layer(x)
            if self.norms:
                z = self.norms[i](z)
            x = self.activation(z)
            sums.append(z)
            outputs.append(x)
        return sums, outputs

    def forward(self, x: Tensor) -> Tensor:
        """Return the last layer's activations."""
        return self.trace(x)[1][-1]


@dataclass(frozen=True)
class Passage:
    """What one pass forward and one back leave behind, arrays of shape (depth, batch, width).

    Attributes:
        sums: what goes into the activation function, biases and normalization included.
        activations: what comes out of it.
        gradients: the gradient by the activations.
        weight_gradients: the gradient by the weights, (depth, width, width).
    """

    sums: Values
    activations: Values
    gradients: Values
    weight_gradients: Values

    def between(self) -> Values:
        """Return how far the examples are apart in each layer, shape (depth,).

        The standard deviation of a unit's activation over the examples, as the root mean square over the units. A layer
        that says the same whatever comes in has 0.
        """
        a = self.activations.astype(np.float64)  # squares of float32 overflow early
        spread: Values = np.sqrt(a.var(axis=1).mean(axis=-1))
        return spread


def pass_through(chain: Chain, x: Any, gradient: Any) -> Passage:
    """Send a batch forward through the chain, and a gradient by the last activations back.

    What is larger than the dtype can hold becomes infinite or NaN in what is returned; no warning is printed.

    Args:
        chain: the layers.
        x: inputs, shape (batch, width).
        gradient: ∂L/∂a of the last layer, of the same shape.
    """
    first = chain.dense[0].weight
    for tensor in chain.parameters():
        tensor.grad = None  # else those of an earlier pass would be added
    with np.errstate(over="ignore", invalid="ignore"):
        sums, outputs = chain.trace(Tensor(asarray(x, device=first.device, dtype=dtype_name(first.data))))
        outputs[-1].backward(gradient)
    weights = [layer.weight.grad for layer in chain.dense]
    return Passage(
        _together([z.data for z in sums]),
        _together([a.data for a in outputs]),
        _together([a.grad for a in outputs]),
        _together(weights),
    )


def _together(arrays: Sequence[Any]) -> Values:
    return np.asarray(to_numpy(namespace(arrays[0]).stack(list(arrays))))


# ----------------------------------------------------------------------------------------------------- dead ends


def flat(slopes: Array, *, steepest: float = 1.0, share: float = 0.05) -> Array:
    """Return where the slope f'(z) is below that share of the steepest, whatever its sign: bools like `slopes`."""
    return namespace(slopes).abs(slopes) < share * steepest


def dead(slopes: Array) -> Array:
    """Return which units have the slope 0 for every example: bools of shape (…, units) for slopes (…, batch, units).

    No gradient passes through such a unit, so no step changes its own weights; only a change of the layers below can
    wake it.

    >>> dead(np.array([[0.0, 0.0], [0.0, 1.0]])).tolist()
    [True, False]
    """
    return namespace(slopes).all(slopes == 0, axis=-2)
