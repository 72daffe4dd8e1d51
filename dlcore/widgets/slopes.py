"""Surfaces with two weights: the losses of three small models on real examples, to be looked at and descended.

quadratic    ½ mean (w₁x₁ + w₂x₂ - t)², a linear neuron; condition and tilt of the valley can be set
neuron       cross-entropy of σ(w₁x₁ + w₂x₂) on two overlapping clouds of points
two_layers   ½ mean (w₂ tanh(w₁x) - t)², one hidden unit and one output: a saddle and two valleys
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcore import data, loss
from dlcore.activations import tanh
from dlcore.backprop import Tensor, no_grad

Floats = NDArray[np.float64]
Cost = Callable[[Tensor, Any, Any], Tensor]

EXAMPLES = 64
REACH = 3.0  # the plane of weights is shown from -REACH to REACH
FLATTEST = 0.1  # the curvature along the quadratic's valley; across it, condition times as much
STEP = 1e-4  # of the differences that measure curvature
GRID = 121  # places along each side in the search for the lowest


def linear(theta: Tensor, x: Any, t: Any) -> Tensor:
    """Return half the mean squared error: theta (m, 2), x (n, 2), t (n,) → (m,)."""
    error = theta @ x.T - t  # (m, n)
    costs: Tensor = 0.5 * (error * error).mean(axis=1)
    return costs


def logistic(theta: Tensor, x: Any, t: Any) -> Tensor:
    """Return the mean cross-entropy of a logistic neuron: theta (m, 2), x (n, 2), t (n,) of 0 and 1 → (m,)."""
    z = theta @ x.T  # (m, n)
    return loss.binary_cross_entropy(z, np.broadcast_to(t, z.shape), members=True)


def two_layers(theta: Tensor, x: Any, t: Any) -> Tensor:
    """Return half the mean squared error of w₂ tanh(w₁ x): theta (m, 2), x (n, 1), t (n,) → (m,)."""
    error = theta[:, 1:] * tanh(theta[:, :1] @ x.T) - t  # (m, n)
    costs: Tensor = 0.5 * (error * error).mean(axis=1)
    return costs


@dataclass(frozen=True)
class Slope:
    """A loss over two weights.

    Attributes:
        cost: function (theta (m, 2), x, t) → Tensor (m,), the loss of m places on some examples.
        x: inputs of all examples, shape (n, features).
        t: their targets, shape (n,).
    """

    cost: Cost
    x: Floats
    t: Floats

    def values(self, places: Any) -> Floats:
        """Return the loss on all examples at places, array (m, 2) → (m,); infinite where it overflows."""
        with no_grad(), np.errstate(all="ignore"):
            found = self.cost(Tensor(np.asarray(places, np.float64)), self.x, self.t).numpy()
        return np.where(np.isnan(found), np.inf, found)

    def gradients(self, places: Any) -> Floats:
        """Return the gradients at places, (m, 2) → (m, 2)."""
        theta = Tensor(np.asarray(places, np.float64), requires_grad=True)
        with np.errstate(all="ignore"):
            self.cost(theta, self.x, self.t).sum().backward()
        return np.array(theta.grad)

    def hessians(self, places: Any) -> Floats:
        """Return the second derivatives at places by central differences, (m, 2) → (m, 2, 2)."""
        places = np.asarray(places, np.float64)
        moved = [places + way * STEP * axis for axis in np.eye(2) for way in (1, -1)]
        g = self.gradients(np.concatenate(moved)).reshape(2, 2, -1, 2)  # (axis, way, m, 2)
        rows = (g[:, 0] - g[:, 1]) / (2 * STEP)  # (axis, m, 2)
        found = rows.transpose(1, 0, 2)
        return 0.5 * (found + found.transpose(0, 2, 1))

    def curvatures(self, places: Any) -> Floats:
        """Return λ, the strongest upward curvature at places, (m, 2) → (m,); NaN where it is not finite."""
        hessians = self.hessians(places)
        sound = np.isfinite(hessians).all(axis=(1, 2))
        found = np.full(len(hessians), math.nan)
        found[sound] = np.linalg.eigvalsh(hessians[sound])[:, -1]
        return found

    @cached_property
    def bottom(self) -> Floats:
        """The lowest place of the plane, shape (2,): the best of a grid, refined by Newton's method."""
        side = np.linspace(-REACH, REACH, GRID)
        places = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
        place: Floats = places[np.argmin(self.values(places))]
        for _ in range(10):
            place = place - np.linalg.solve(self.hessians(place[None])[0], self.gradients(place[None])[0])
        return place

    @cached_property
    def lowest(self) -> float:
        """The loss at the bottom."""
        return float(self.values(self.bottom[None])[0])


@lru_cache(maxsize=8)
def slope(name: str, condition: float = 50.0, tilt: float = 20.0) -> Slope:
    """Return one of the three surfaces; condition and tilt (in degrees) are the quadratic's."""
    if name == "quadratic":
        return _quadratic(condition, tilt)
    points, labels = data.gaussian(EXAMPLES, 0.5, rng=np.random.default_rng(0))
    x = points.astype(np.float64)
    if name == "neuron":
        return Slope(logistic, x, (labels.astype(np.float64) + 1) / 2)
    return Slope(two_layers, x[:, :1] / 2, labels.astype(np.float64))


def _quadratic(condition: float, tilt: float) -> Slope:
    """Return a linear neuron's loss, whose Hessian XᵀX / n has just this condition, and its lowest place at 0.

    The targets are noise that no weights can fit: at the bottom the gradient is zero for all examples together, and
    not for a part of them.
    """
    raw = np.random.default_rng(1).standard_normal((EXAMPLES, 3))
    columns = np.linalg.qr(raw)[0] * math.sqrt(EXAMPLES)  # mean products are 1 and 0
    angle = math.radians(tilt)
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    x = columns[:, :2] * np.sqrt([FLATTEST, FLATTEST * condition]) @ turn
    return Slope(linear, x, columns[:, 2])
