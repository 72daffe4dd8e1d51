"""Activation functions, value and derivative side by side (chapter Activations, chapters/03_activations.ipynb).

From the oldest to the newest. Each is an operation on Tensors made by a rule on plain arrays; each has
`.derivative`, the same rule's pullback fed with ones:

    >>> relu.derivative([-1.0, 2.0])
    array([0., 1.], dtype=float32)

`softmax` and `log_softmax` mix the elements of the last axis, so their derivative is a matrix for each row.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol

from .arrays import Array, asarray, kernels, namespace
from .backprop import Tensor, primitive

__all__ = [
    "ActivationFunction",
    "elu",
    "gelu",
    "identity",
    "leaky_relu",
    "log_softmax",
    "relu",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "step",
    "tanh",
]


class ActivationFunction(Protocol):
    """An operation on Tensors that also knows its derivative on plain arrays."""

    __name__: str
    derivative: Callable[..., Array]

    def __call__(self, x: Any, **options: float) -> Tensor:
        """Apply the function."""


def elementwise(rule: Callable[..., tuple[Array, Callable[[Array], Array]]]) -> ActivationFunction:
    """Make an activation function of a rule `x -> value, pullback` that treats each element alone."""

    def derivative(x: Any, **options: float) -> Array:
        x = asarray(x)
        return rule(x, **options)[1](namespace(x).ones_like(x))

    operation: Any = primitive(rule)
    operation.derivative = derivative
    operation.derivative.__doc__ = f"Return the derivative of {operation.__name__} at each element of x."
    return operation  # type: ignore[no-any-return]


def _where_positive(x: Array) -> Array:
    """Return 1.0 where x > 0 and 0.0 elsewhere: the slope of everything that has a joint at 0."""
    return namespace(x).astype(x > 0, x.dtype)


@elementwise
def identity(x: Array) -> Any:
    """Return x: what the output of a regression goes through."""
    return x, lambda g: g


@elementwise
def step(x: Array) -> Any:
    """Return 1 where x > 0, else 0: a threshold, as in the unit of McCulloch and Pitts (1943).

    Its derivative is 0 wherever it exists, so no gradient passes: the reason for all that follows.
    """
    return _where_positive(x), lambda g: 0 * g


def logistic(x: Array) -> Array:
    """Return 1 / (1 + e^-x) of a plain array."""
    # Exponents that are never positive: accurate in both tails, and no overflow.
    xp = namespace(x)
    return xp.exp(xp.minimum(x, 0)) / (1 + xp.exp(-xp.abs(x)))


@elementwise
def sigmoid(x: Array) -> Any:
    """Return 1 / (1 + e^-x), between 0 and 1: the logistic function (Verhulst, 1845)."""
    s = logistic(x)
    return s, lambda g: g * s * (1 - s)


@elementwise
def tanh(x: Array) -> Any:
    """Return the hyperbolic tangent, between -1 and 1 and centred (LeCun et al., "Efficient BackProp", 1998)."""
    t = namespace(x).tanh(x)
    return t, lambda g: g * (1 - t * t)


@elementwise
def relu(x: Array) -> Any:
    """Return max(0, x) (Nair and Hinton, ICML 2010). Its derivative at 0 is taken as 0."""
    return namespace(x).maximum(x, 0), lambda g: kernels.gate(g, x)


@elementwise
def leaky_relu(x: Array, *, negative_slope: float = 0.01) -> Any:
    """Return x where x > 0, else negative_slope · x (Maas, Hannun and Ng, 2013)."""
    slope = negative_slope + (1 - negative_slope) * _where_positive(x)
    return x * slope, lambda g: g * slope


@elementwise
def elu(x: Array, *, alpha: float = 1.0) -> Any:
    """Return x where x > 0, else alpha · (e^x - 1) (Clevert, Unterthiner and Hochreiter, ICLR 2016)."""
    xp = namespace(x)
    below, positive = xp.minimum(x, 0), _where_positive(x)
    value = xp.maximum(x, 0) + alpha * xp.expm1(below)
    return value, lambda g: g * (positive + (1 - positive) * alpha * xp.exp(below))


# The constants for which mean 0 and variance 1 are a fixed point: Klambauer et al., NeurIPS 2017, equation 14.
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805


def selu(x: Any) -> Tensor:
    """Return scale · elu(x, alpha), whose constants keep mean 0 and variance 1 (Klambauer et al., 2017)."""
    return SELU_SCALE * elu(x, alpha=SELU_ALPHA)


selu.derivative = lambda x: SELU_SCALE * elu.derivative(x, alpha=SELU_ALPHA)  # type: ignore[attr-defined]


@elementwise
def softplus(x: Array) -> Any:
    """Return log(1 + e^x), a smooth ReLU (Dugas et al., 2001). Its derivative is the sigmoid."""
    xp = namespace(x)
    return xp.maximum(x, 0) + xp.log1p(xp.exp(-xp.abs(x))), lambda g: g * logistic(x)


@elementwise
def silu(x: Array) -> Any:
    """Return x · sigmoid(x) (Elfwing et al., 2018; "swish": Ramachandran et al., 2017)."""
    s = logistic(x)
    return x * s, lambda g: g * (s * (1 + x * (1 - s)))


@elementwise
def gelu(x: Array) -> Any:
    """Return x · ½ (1 + tanh(√(2/π) (x + 0.044715 x³))), as in GPT-2.

    It approximates x · Φ(x), Φ being the normal distribution function, to about 0.0005 (Hendrycks and
    Gimpel, 2016, equation 2); torch calls it gelu(approximate="tanh").
    """
    xp = namespace(x)
    a, b = math.sqrt(2 / math.pi), 0.044715
    # tanh is ±1 long before, and cubes of larger numbers may overflow
    u = xp.minimum(xp.maximum(x, -100.0), 100.0)
    square = u * u
    t = xp.tanh(a * u * (1 + b * square))

    def pullback(g: Array) -> Array:
        return g * (0.5 * (1 + t) + 0.5 * u * (1 - t * t) * (a * (1 + 3 * b * square)))

    return 0.5 * x * (1 + t), pullback


def rowwise(rule: Callable[..., tuple[Array, Callable[[Array], Array]]]) -> ActivationFunction:
    """Make an activation function of a rule that mixes the elements of the last axis."""

    def derivative(x: Any) -> Array:
        """Return the Jacobian of each row: array of shape (…, K, K), output i by input j at [i, j]."""
        x = asarray(x)
        xp, width = namespace(x), x.shape[-1]
        rows = xp.broadcast_to(x[..., None, :], (*x.shape, width))  # the pullback of output i, one a row
        return rule(rows)[1](xp.astype(rows * 0 + xp.eye(width), x.dtype))

    operation: Any = primitive(rule)
    operation.derivative = derivative
    return operation  # type: ignore[no-any-return]


def softmax_and_log(x: Array) -> tuple[Array, Array]:
    """Return softmax and its logarithm over the last axis, of plain arrays, safe from overflow."""
    xp = namespace(x)
    shifted = x - xp.max(x, axis=-1, keepdims=True)  # no exponent is positive
    e = xp.exp(shifted)
    total = xp.sum(e, axis=-1, keepdims=True)
    return e / total, shifted - xp.log(total)


@rowwise
def softmax(x: Array) -> Any:
    """Return e^x_i / Σ_j e^x_j over the last axis: positive and of sum 1 (Bridle, 1990)."""
    s, _ = softmax_and_log(x)
    return s, lambda g: s * (g - namespace(x).sum(g * s, axis=-1, keepdims=True))


@rowwise
def log_softmax(x: Array) -> Any:
    """Return log(softmax(x)) over the last axis, exact also where softmax rounds to 0."""
    s, log_s = softmax_and_log(x)
    return log_s, lambda g: g - s * namespace(x).sum(g, axis=-1, keepdims=True)
