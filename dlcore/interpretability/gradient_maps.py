"""Maps from gradients: by how much the score would change if this input did."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import chain, islice
from typing import Any

import numpy as np

from dlcore.activations import relu
from dlcore.arrays import Array, asarray, device_of, dtype_name, namespace, random, to_numpy
from dlcore.backprop import primitive
from dlcore.layers import Activation, Module
from dlcore.layers.module import replaced

from .scores import CHUNK, as_inputs, each, gradients


def saliency(model: Module, inputs: Any, target: Any = None) -> Array:
    """Return |∂s/∂x|, the size of the slope of the score s by each input.

    Source: Simonyan, Vedaldi & Zisserman, "Deep inside convolutional networks: visualising image classification models
    and saliency maps", 2014.

    Args:
        model: a Module that maps (batch, …) to (batch, classes), or to one output.
        inputs: array of shape (batch, …).
        target: a class, an array of one class for each example, or None where there is one output.

    Returns:
        array shaped like the inputs.

    Raises:
        ValueError: inputs without a batch axis, or a target that does not fit the outputs.

    >>> from dlcore.layers import Dense
    >>> model = Dense(2, 1, rng=np.random.default_rng(0))
    >>> model.weight.data[:] = [[3], [-2]]
    >>> saliency(model, np.array([[1, 4]], np.float32))
    array([[3., 2.]], dtype=float32)
    """
    x = as_inputs("saliency", inputs)
    return namespace(x).abs(gradients("saliency", model, x, target))


def gradient_x_input(model: Module, inputs: Any, target: Any = None) -> Array:
    """Return x · ∂s/∂x: what each input contributes to a model that is linear around here.

    In a network of ReLUs without biases these sum to the score itself, as it is linear between the kinks and 0 at 0.
    Source: Shrikumar et al., "Not just a black box: learning important features through propagating activation
    differences", 2016. Arguments, result and errors as of `saliency`.

    >>> from dlcore.layers import Dense
    >>> model = Dense(2, 1, rng=np.random.default_rng(0))
    >>> model.weight.data[:] = [[3], [-2]]
    >>> gradient_x_input(model, np.array([[1, 4]], np.float32))
    array([[ 3., -8.]], dtype=float32)
    """
    x = as_inputs("gradient_x_input", inputs)
    return x * gradients("gradient_x_input", model, x, target)


def smooth_grad(
    model: Module,
    inputs: Any,
    target: Any = None,
    *,
    rng: np.random.Generator,
    noise: float = 0.15,
    samples: int = 50,
) -> Array:
    """Return the mean of ∂s/∂x over noisy copies of each input: (1/n) Σ ∂s(x + ε)/∂x, ε ~ N(0, σ²).

    Source: Smilkov et al., "SmoothGrad: removing noise by adding noise", 2017.

    Args:
        model: as of `saliency`.
        inputs: as of `saliency`.
        target: as of `saliency`.
        rng: generator of the noise.
        noise: σ as a share of the range of an input, its largest number less its smallest.
        samples: copies of each input.

    Returns:
        array shaped like the inputs.

    Raises:
        ValueError: negative noise, or no samples; and as of `saliency`.

    >>> from dlcore.layers import Dense
    >>> model = Dense(2, 1, rng=np.random.default_rng(0))
    >>> model.weight.data[:] = [[3], [-2]]
    >>> smooth_grad(model, np.array([[1, 4]], np.float32), rng=np.random.default_rng(0)).round(3)
    array([[ 3., -2.]], dtype=float32)
    """
    x = as_inputs("smooth_grad", inputs)
    if not noise >= 0 or samples < 1:
        raise ValueError(
            f"smooth_grad: expected noise of 0 or more and at least one sample; received {noise}, {samples}"
        )
    random.check_rng(rng)
    values = to_numpy(x)
    ranges = np.ptp(values, axis=tuple(range(1, values.ndim)), keepdims=True)  # (batch, 1, …)
    spread = noise * ranges.astype(float)
    shaken = (like(values + spread * rng.standard_normal(values.shape), x) for _ in range(samples))
    return _weighted("smooth_grad", model, shaken, [1 / samples] * samples, target)


def integrated_gradients(
    model: Module, inputs: Any, target: Any = None, *, baseline: Any = 0.0, steps: int = 50
) -> Array:
    """Return (x - x') ∫₀¹ ∂s/∂x (x' + α(x - x')) dα: the slope met on the way from the baseline x', summed.

    The maps are *complete*: each sums to s(x) - s(x'), as far as the integral, taken by Gauss and Legendre's rule at
    `steps` points, is exact. Source: Sundararajan, Taly & Yan, "Axiomatic attribution for deep networks", 2017.

    Args:
        model: as of `saliency`.
        inputs: as of `saliency`.
        target: as of `saliency`.
        baseline: what stands for "nothing there": a number, or an array that broadcasts to the inputs.
        steps: points at which the gradient is taken.

    Returns:
        array shaped like the inputs.

    Raises:
        ValueError: no steps, a baseline that does not broadcast; and as of `saliency`.

    >>> from dlcore.layers import Dense
    >>> model = Dense(2, 1, rng=np.random.default_rng(0))
    >>> model.weight.data[:] = [[3], [-2]]
    >>> integrated_gradients(model, np.array([[1, 4]], np.float32), baseline=1.0).round(3)
    array([[ 0., -6.]], dtype=float32)
    """
    x = as_inputs("integrated_gradients", inputs)
    if steps < 1:
        raise ValueError(f"integrated_gradients: expected at least one step; received {steps}")
    nothing = like(baseline_of("integrated_gradients", baseline, x), x)
    nodes, weights = np.polynomial.legendre.leggauss(steps)  # on [-1, 1]
    way = x - nothing
    points = (nothing + float((node + 1) / 2) * way for node in nodes)
    return way * _weighted("integrated_gradients", model, points, weights / 2, target)


def _weighted(
    name: str, model: Module, copies: Iterator[Array], weights: Iterable[float], target: Any
) -> Array:
    """Return Σ_k weight_k ∂s/∂x at the k-th copy of the inputs; as many copies as fit share a pass."""
    first = next(copies)
    count, xp = first.shape[0], namespace(first)
    targets, total = each(name, target, count), xp.zeros_like(first)
    pairs = zip(chain([first], copies), weights, strict=True)
    while group := list(islice(pairs, max(1, CHUNK // count))):
        many = None if targets is None else np.tile(targets, len(group))
        slopes = gradients(name, model, xp.concat([copy for copy, _ in group], axis=0), many)
        for k, (_, weight) in enumerate(group):
            total = total + float(weight) * slopes[k * count : (k + 1) * count, ...]
    return total


@primitive
def guided_relu(x: Array) -> Any:
    """Return max(x, 0), with a false derivative: of what comes back only the positive part passes."""
    xp = namespace(x)
    on = xp.astype(x > 0, x.dtype)
    return x * on, lambda g: on * g * xp.astype(g > 0, g.dtype)


def guided_backprop(model: Module, inputs: Any, target: Any = None) -> Array:
    """Return what comes back to the inputs if every ReLU also holds back negative gradients.

    Sharp pictures, but of the input rather than of the model: they hardly change when the weights are randomized
    (Adebayo et al., "Sanity checks for saliency maps", 2018). It is here to show just that.
    Source: Springenberg et al., "Striving for simplicity: the all convolutional net", 2015. Arguments as of `saliency`.

    Raises:
        ValueError: the model has no ReLU as a layer; and as of `saliency`.

    >>> from dlcore.layers import mlp
    >>> model = mlp(2, 8, 3, rng=np.random.default_rng(0))
    >>> guided_backprop(model, np.array([[1, 4]], np.float32), 2).shape
    (1, 2)
    """
    x = as_inputs("guided_backprop", inputs)
    bends = [m for m in model.modules() if isinstance(m, Activation) and m.function is relu]
    if not bends:
        raise ValueError("guided_backprop: expected a model with relu among its layers; received one without")
    with ExitStack() as stack:
        for bend in bends:
            stack.enter_context(replaced(bend, guided_relu))
        return gradients("guided_backprop", model, x, target)


def baseline_of(name: str, baseline: Any, x: Array) -> np.ndarray[Any, Any]:
    """Return what stands for "nothing there" as a NumPy array shaped like the inputs.

    Raises:
        ValueError: a baseline that does not broadcast to the inputs.
    """
    given = to_numpy(asarray(baseline))
    try:
        return np.broadcast_to(given, tuple(x.shape))
    except ValueError:
        raise ValueError(
            f"{name}: expected a baseline that is a number, or an array that broadcasts to the inputs' shape "
            f"{tuple(x.shape)}; received shape {given.shape}. One baseline for all inputs: baseline[None]"
        ) from None


def like(values: np.ndarray[Any, Any], x: Array) -> Array:
    """Return a NumPy array as an array of the library, device and dtype of `x`."""
    return asarray(values, device=device_of(x), dtype=dtype_name(x))
