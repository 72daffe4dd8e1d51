"""Single neurons, from the threshold unit to the logistic neuron (chapter Neurons, chapters/01_neurons.ipynb).

In the order of the chapter:

    ThresholdUnit               weights set by hand; fires where x·w + b > 0
    distance, margin            where that border lies, and how far the points are from it
    Perceptron                  the same unit, with a rule that finds the weights: Rosenblatt's
    novikoff_bound              how many mistakes that rule can make
    Neuron                      a smooth unit, trained by gradients like all that follows

All of them compute the weighted sum z = x·w + b and differ in what they make of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import init
from .activations import sigmoid, step
from .arrays import Array, asarray, device_of, dtype_name, is_array, is_floating, namespace, to_numpy
from .arrays.checks import check_whole
from .backprop import Tensor, reshape
from .layers import Module, parameter

__all__ = [
    "Mistakes",
    "Neuron",
    "Perceptron",
    "ThresholdUnit",
    "distance",
    "margin",
    "novikoff_bound",
    "weighted_sum",
]


def weighted_sum(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return z = x·w + b for each example.

    Shapes: x (…, features), weight (features,), bias () → (…). In an ensemble of E neurons: x (E, batch,
    features), weight (E, features), bias (E,) → (E, batch).

    Raises:
        ValueError: the examples do not have one feature for each weight.
    """
    if x.ndim < weight.ndim or x.shape[-1] != weight.shape[-1]:
        wanted = ("…", *weight.shape) if weight.ndim == 1 else (weight.shape[0], "batch", weight.shape[1])
        raise ValueError(
            f"neuron: expected input of shape ({', '.join(map(str, wanted))}), a number for each weight; "
            f"received {x.shape}. Images become rows by images.reshape(len(images), -1)"
        )
    if weight.ndim == 1:
        return x @ weight + bias
    z = x @ reshape(weight, shape=(*weight.shape, 1))  # (E, batch, 1)
    return reshape(z, shape=z.shape[:-1]) + reshape(bias, shape=(*bias.shape, 1))  # (E, batch)


class ThresholdUnit(Module):
    """A unit that fires, 1, where x·w + b > 0 and is silent, 0, elsewhere.

    Its inventors counted inputs: a unit fires when at least θ of those that excite it are on. With inputs of
    0 and 1 that is w = (1, …, 1) and b = ½ - θ. An input that inhibits had a veto with them; here it has a
    weight below 0 (McCulloch and Pitts, *Bulletin of Mathematical Biophysics* 5, 1943).

    Args:
        weight: one number for each input, shape (features,).
        bias: a number; -b is the threshold that x·w must exceed.
        device: where the unit computes.

    Shapes: (…, features) → (…), zeros and ones. Nothing in it is trained.

    Raises:
        ValueError: `weight` is no row of numbers, or `bias` no single one.

    >>> both = ThresholdUnit([1, 1], -1.5)
    >>> both([[0, 0], [0, 1], [1, 0], [1, 1]])
    Tensor([0., 0., 0., 1.])
    """

    def __init__(self, weight: Any, bias: float, *, device: str = "numpy") -> None:
        self.weight = Tensor(asarray(weight, device=device, dtype="float32"))
        self.bias = Tensor(asarray(bias, device=device, dtype="float32"))
        if self.weight.ndim != 1 or self.bias.ndim != 0:
            raise ValueError(
                f"ThresholdUnit: expected a weight for each input and one bias; received shapes "
                f"{self.weight.shape} and {self.bias.shape}. For two inputs: ThresholdUnit([1, 1], -1.5)"
            )

    def forward(self, x: Tensor) -> Tensor:
        """Return 1 where the weighted sum is above 0, else 0."""
        return step(weighted_sum(Tensor(asarray(x.data, dtype="float32")), self.weight, self.bias))

    def __repr__(self) -> str:
        return f"ThresholdUnit({self.weight.numpy().tolist()}, {self.bias.item():g})"


# -------------------------------------------------------------------------------------------- the border


def distance(points: Any, weight: Any, bias: Any) -> Array:
    """Return how far each point is from the border x·w + b = 0, negative where the sum is below 0.

    (x·w + b) / |w|: scaling w and b together changes nothing.

    Args:
        points: floats of shape (…, features).
        weight: shape (features,).
        bias: a number.

    Returns:
        array of shape (…), in the points' library.

    Raises:
        ValueError: all weights are 0, so that there is no border; or the shapes do not fit.

    >>> distance([[3.0, 4.0], [0.0, 0.0]], weight=[3.0, 4.0], bias=-5.0).tolist()
    [4.0, -1.0]
    """
    x, w, b = _border("distance", points, weight, bias)
    xp = namespace(x)
    length = xp.sqrt(xp.sum(w * w))
    if float(length) == 0:
        raise ValueError("distance: expected a weight other than 0; received zeros, which draw no border")
    return (x @ w + b) / length


def margin(points: Any, labels: Any, weight: Any, bias: Any) -> float:
    """Return the distance of the border from the nearest point; below 0 if some point is on the wrong side.

    min_i y_i (x_i·w + b) / |w|

    Args:
        points: floats of shape (n, features).
        labels: -1 or +1, shape (n,).
        weight: shape (features,).
        bias: a number.

    Raises:
        ValueError: all weights are 0, labels are other than -1 and +1, or the shapes do not fit.

    >>> margin([[3.0, 4.0], [0.0, 0.0]], [1, -1], weight=[3.0, 4.0], bias=-5.0)
    1.0
    """
    away = distance(points, weight, bias)
    return float(namespace(away).min(_signs("margin", labels, away) * away))


def novikoff_bound(points: Any, labels: Any, weight: Any, bias: Any) -> float:
    """Return (R / γ)², which the mistakes of a perceptron on these points cannot exceed, in whatever order.

    The bias is the weight of an input that is always 1, so lengths are those of x̃ = (x, 1) and w̃ = (w, b):
    R = max_i |x̃_i| and γ = min_i y_i (x_i·w + b) / |w̃|. Any border that separates gives a bound; the one of
    the widest γ gives the best.

    Args:
        points: floats of shape (n, features).
        labels: -1 or +1, shape (n,).
        weight: weights of a border that separates the points, shape (features,).
        bias: its bias.

    Raises:
        ValueError: the border leaves points on the wrong side, so it proves nothing; or as in `margin`.

    Source: A. B. J. Novikoff, "On convergence proofs on perceptrons", 1962.

    >>> novikoff_bound([[2.0], [-2.0]], [1, -1], weight=[1.0], bias=0.0)
    1.25
    """
    x, w, b = _border("novikoff_bound", points, weight, bias)
    xp = namespace(x)
    sums = _signs("novikoff_bound", labels, x[..., 0]) * (x @ w + b)
    nearest = float(xp.min(sums))
    if not nearest > 0:
        wrong = int(xp.sum(xp.astype(sums <= 0, xp.int64)))
        raise ValueError(
            f"novikoff_bound: expected a border with every point on its own side; received one that leaves "
            f"{wrong} of {x.shape[0]} on the other side or on it. If no border separates them, there is no bound"
        )
    radius_squared = float(xp.max(xp.sum(x * x, axis=-1))) + 1
    return radius_squared * float(xp.sum(w * w) + b * b) / nearest**2


def _border(name: str, points: Any, weight: Any, bias: Any) -> tuple[Array, Array, Array]:
    """Return points, weight and bias as floats of one library and dtype."""
    x = asarray(points.data if isinstance(points, Tensor) else points)
    x = x if is_floating(x) else asarray(x, dtype="float32")
    kind, place = dtype_name(x), device_of(x)
    w, b = (v.data if isinstance(v, Tensor) else v for v in (weight, bias))
    # Not asarray alone: it would round Python's floats to float32.
    w, b = (v if is_array(v) else np.asarray(v, dtype=kind) for v in (w, b))
    w, b = (asarray(v, device=place, dtype=kind) for v in (w, b))
    if w.ndim != 1 or b.ndim != 0 or x.ndim < 1 or x.shape[-1] != w.shape[0]:
        raise ValueError(
            f"{name}: expected points (…, features), weight (features,) and one bias; received shapes "
            f"{tuple(x.shape)}, {tuple(w.shape)} and {tuple(b.shape)}"
        )
    return x, w, b


def _signs(name: str, labels: Any, like: Array) -> Array:
    """Return labels of -1 and +1 as an array of the shape, library and dtype of `like`."""
    y = asarray(labels, device=device_of(like), dtype=dtype_name(like))
    values = to_numpy(y)
    if not np.all(np.abs(values) == 1):
        raise ValueError(
            f"{name}: expected labels of -1 or +1; received {np.unique(values)[:5]}. "
            "Labels of 0 and 1 become 2 t - 1"
        )
    if y.shape != like.shape or like.ndim != 1 or like.shape[0] == 0:
        raise ValueError(
            f"{name}: expected a label for each of one or more points (n, features); received labels of shape "
            f"{tuple(y.shape)} for points of shape ({', '.join(map(str, like.shape))}, features)"
        )
    return y


# ------------------------------------------------------------------------------------------ the perceptron


@dataclass(frozen=True)
class Mistakes:
    """What a perceptron did while it learnt.

    Attributes:
        rows: the row of each mistake, in the order in which they were made.
        per_epoch: how many mistakes each pass over the points had.
    """

    rows: tuple[int, ...]
    per_epoch: tuple[int, ...]

    @property
    def total(self) -> int:
        """The number of mistakes, which is that of updates."""
        return len(self.rows)

    @property
    def converged(self) -> bool:
        """Whether the last pass went without a mistake, so that all points are on their side."""
        return self.per_epoch[-1] == 0


class Perceptron:
    """A threshold unit that learns from its mistakes: where y (x·w + b) <= 0, w ← w + y x and b ← b + y.

    It starts from zeros and changes only when it is wrong; a point on the border counts as wrong. If some
    border separates the points, it stops after at most `novikoff_bound` mistakes; if none does, never.

    Args:
        in_features: number of inputs.
        device: where the weights live.
        dtype: their precision, "float32" or "float64".

    Attributes:
        weight: array of shape (in_features,).
        bias: array of shape ().

    Source: F. Rosenblatt, *Psychological Review* 65, 1958; the rule in this form: M. Minsky and S. Papert,
    *Perceptrons*, 1969, chapter 11.

    >>> perceptron = Perceptron(2)
    >>> mistakes = perceptron.fit([[0, 0], [0, 1], [1, 0], [1, 1]], [-1, -1, -1, 1], max_epochs=100)
    >>> mistakes.converged, perceptron([[0, 0], [0, 1], [1, 0], [1, 1]]).tolist()
    (True, [-1.0, -1.0, -1.0, 1.0])
    """

    def __init__(self, in_features: int, *, device: str = "numpy", dtype: str = "float32") -> None:
        check_whole("Perceptron", in_features=in_features)
        self.in_features = in_features
        self.weight: Array = parameter(np.zeros(in_features), device, dtype).data
        self.bias: Array = parameter(np.zeros(()), device, dtype).data

    def __call__(self, points: Any) -> Array:
        """Return +1 for points on the positive side of the border, else -1: shape (…, features) → (…)."""
        z = self._floats(points) @ self.weight + self.bias
        return 2 * namespace(z).astype(z > 0, z.dtype) - 1

    def update(self, x: Any, y: Any) -> bool:
        """Learn from one point, and return whether it was a mistake.

        Args:
            x: shape (in_features,).
            y: its label, -1 or +1.
        """
        x, y = self._floats(x), float(y)
        if abs(y) != 1:
            raise ValueError(f"Perceptron.update: expected a label of -1 or +1; received {y:g}")
        if y * float(x @ self.weight + self.bias) > 0:
            return False
        self.weight = self.weight + y * x
        self.bias = self.bias + y
        return True

    def fit(self, points: Any, labels: Any, max_epochs: int) -> Mistakes:
        """Go through the points, in order, until a pass has no mistake or `max_epochs` passes are over.

        Args:
            points: finite floats of shape (n, in_features).
            labels: -1 or +1, shape (n,).
            max_epochs: the most passes.

        Raises:
            ValueError: shapes that do not fit, other labels, NaN or infinity, or no epochs.
        """
        check_whole("Perceptron.fit", max_epochs=max_epochs)
        x = self._floats(points)
        signs = to_numpy(_signs("Perceptron.fit", labels, x[..., 0])).tolist()
        if not bool(namespace(x).all(namespace(x).isfinite(x))):
            raise ValueError(
                "Perceptron.fit: expected finite numbers; received NaN or infinity. Drop such rows"
            )
        rows: list[int] = []
        per_epoch: list[int] = []
        for _ in range(max_epochs):
            wrong = [i for i, y in enumerate(signs) if self.update(x[i, ...], y)]
            rows += wrong
            per_epoch.append(len(wrong))
            if not wrong:
                break
        return Mistakes(tuple(rows), tuple(per_epoch))

    def _floats(self, points: Any) -> Array:
        x = points if is_array(points) else asarray(points, device=device_of(self.weight))
        namespace(x, self.weight)  # refuses arrays of two libraries
        if x.ndim == 0 or x.shape[-1] != self.in_features:
            raise ValueError(
                f"Perceptron: expected points of shape (…, {self.in_features}); received {tuple(x.shape)}. "
                "Images become rows by images.reshape(len(images), -1)"
            )
        return asarray(x, dtype=dtype_name(self.weight))

    def __repr__(self) -> str:
        return f"Perceptron({self.in_features})"


# ---------------------------------------------------------------------------------------- smooth neurons


class Neuron(Module):
    """One trainable unit: activation(x·w + b).

    With `sigmoid` it is logistic regression (Cox, 1958), with `identity` a linear neuron (Widrow and Hoff,
    1960). Losses that take logits want `neuron.weighted_sum(x)`.

    Args:
        in_features: number of inputs.
        rng: NumPy generator that draws the weights.
        activation: function on Tensors.
        weight_init: initializer of w (see `init`). For a single neuron `init.zeros` is as good as any.
        device: where the parameters live.
        dtype: their precision, "float32" or "float64".

    Shapes: input (…, in_features), weight (in_features,), bias (), output (…).

    >>> neuron = Neuron(2, rng=np.random.default_rng(0), weight_init=init.zeros)
    >>> neuron(np.zeros((3, 2), np.float32))
    Tensor([0.5, 0.5, 0.5], from sigmoid)
    """

    def __init__(
        self,
        in_features: int,
        *,
        rng: np.random.Generator,
        activation: Callable[[Any], Tensor] = sigmoid,
        weight_init: init.Initializer = init.glorot,
        device: str = "numpy",
        dtype: str = "float32",
    ) -> None:
        check_whole("Neuron", in_features=in_features)
        self.in_features, self.activation = in_features, activation
        values = weight_init(rng, (in_features,), fan_in=in_features, fan_out=1)
        self.weight = parameter(values, device, dtype)
        self.bias = parameter(np.zeros(()), device, dtype)

    def weighted_sum(self, x: Any) -> Tensor:
        """Return z = x·w + b, what the activation is applied to: of a logistic neuron, the logits."""
        return weighted_sum(x if isinstance(x, Tensor) else Tensor(x), self.weight, self.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return activation(x·w + b)."""
        return self.activation(self.weighted_sum(x))

    def __repr__(self) -> str:
        return f"Neuron({self.in_features}, {getattr(self.activation, '__name__', self.activation)})"
