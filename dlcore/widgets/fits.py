"""Where the loss of a line, or of one sigmoid unit, is least: what `PickALoss` shows as its fits (chapter Loss).

For z = w x + b the loss L is the mean of cost(z, t) over the points. For each cost there is a way of its own:

- squared error: the normal equations;
- absolute error and hinge: L consists of flat pieces, so a lowest corner is as low as it gets, and all are tried;
- Huber and cross-entropy: smooth and convex, so Newton's method with damping (Levenberg, 1944; Marquardt, 1963);
- squared error of a sigmoid: not convex, so the lowest place of a grid, then the same method from there.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dlcore import activations, loss
from dlcore.arrays import asarray, to_numpy
from dlcore.backprop import Tensor

Floats = NDArray[np.float64]
Judged = tuple[Floats, Floats]  # the points' costs, and their slopes by z
STEEPEST = 20.0  # |w| goes no further: between separated classes the losses of a sigmoid fall for ever
LOSSES = {"regression": ("mse", "mae", "huber"), "classification": ("cross_entropy", "mse", "hinge")}
TOLERANCE, MOST_TRIES, MOST_DAMPING = 1e-9, 80, 1e12


class Line(NamedTuple):
    """The weight and bias of z = w x + b."""

    w: float
    b: float

    def at(self, x: Any) -> Floats:
        """Return z at each x."""
        return np.asarray(self.w * np.asarray(x, np.float64) + self.b)


class Task(NamedTuple):
    """Points, and a loss that judges them.

    Attributes:
        x, t: shape (n,); targets are numbers, or 0 and 1.
        problem: "regression" or "classification", where z goes through a sigmoid (hinge: is taken as it is).
        loss: one of LOSSES[problem].
        delta: Huber's.
        device: where costs are computed.
    """

    x: Floats
    t: Floats
    problem: str
    loss: str
    delta: float = 1.0
    device: str = "numpy"

    def judge(self, z: Any) -> Judged:
        """Return the cost of each point and its slope by z, each of the shape of z: (…, n)."""
        dtype = "float32" if self.device == "mps" else "float64"  # Apple's has no other
        logits = Tensor(asarray(z, device=self.device, dtype=dtype), requires_grad=True)
        t = asarray(np.broadcast_to(self.t, np.shape(z)), device=self.device, dtype=dtype)
        cost = self._cost(logits, t)
        cost.sum().backward()
        return to_numpy(cost.data).astype(np.float64), to_numpy(logits.grad).astype(np.float64)

    def _cost(self, z: Tensor, t: Any) -> Tensor:
        if self.loss == "cross_entropy":
            return loss.binary_cross_entropy(z, t, reduction="none")
        if self.loss == "hinge":
            return loss.hinge(z, 2 * t - 1, reduction="none")
        if self.loss == "huber":
            return loss.huber(z, t, delta=self.delta, reduction="none")
        if self.loss == "mae":
            return loss.mae(z, t, reduction="none")
        return loss.mse(
            activations.sigmoid(z) if self.problem == "classification" else z, t, reduction="none"
        )

    def bend(self, z: Floats) -> Floats:
        """Return the second derivative of each point's cost by z, shape (n,), of the smooth losses."""
        if self.loss == "huber":
            return (np.abs(z - self.t) <= self.delta).astype(np.float64)
        if self.problem == "regression":
            return np.full_like(z, 2.0)
        p = activations.sigmoid(z).numpy().astype(np.float64)
        s = p * (1 - p)
        return s if self.loss == "cross_entropy" else 2 * s * (s + (p - self.t) * (1 - 2 * p))

    def value(self, line: Line) -> float:
        """Return the loss, the mean over the points."""
        return float(np.mean(self.judge(line.at(self.x))[0]))

    def gradient(self, line: Line) -> tuple[float, float]:
        """Return the derivatives of the loss by w and b."""
        slope = self.judge(line.at(self.x))[1]
        return float(np.mean(slope * self.x)), float(np.mean(slope))


def best(task: Task) -> Line:
    """Return the line of least loss with |w| <= STEEPEST."""
    if task.loss in ("mae", "hinge"):
        return lowest_corner(task)
    if task.problem == "regression" and task.loss == "mse":
        return least_squares(task.x, task.t)
    if task.loss == "huber":
        return descend(task, least_squares(task.x, task.t))
    start = lowest_of_grid(task) if task.loss == "mse" else Line(0.0, 0.0)
    return descend(task, start)


def least_squares(x: Floats, t: Floats) -> Line:
    """Return the line of least squared error; the level one if all x are the same (Legendre, 1805)."""
    spread = float(np.mean((x - x.mean()) ** 2))
    w = float(np.mean((x - x.mean()) * (t - t.mean()))) / spread if spread > 1e-12 else 0.0
    w = min(STEEPEST, max(-STEEPEST, w))
    return Line(w, float(t.mean() - w * x.mean()))


def lowest_corner(task: Task) -> Line:
    """Return the line of least loss among those at which two of the costs have their kinks.

    A cost kinks where z = t (absolute error) or z = ±1 (hinge). Between kinks the loss is linear in w and b, so that
    its least value is found where two kinks cross, or at the end of w's range. Of equally low lines it is the one
    of least |w|: for separated classes, that of the widest margin.
    """
    s = task.t if task.loss == "mae" else 2 * task.t - 1
    i, j = np.triu_indices(len(s), 1)
    apart = task.x[i] != task.x[j]
    i, j = i[apart], j[apart]
    w = (s[i] - s[j]) / (task.x[i] - task.x[j]) + 0.0  # a flat line has w = 0, not -0
    w, i = w[np.abs(w) <= STEEPEST], i[np.abs(w) <= STEEPEST]
    ends = np.repeat([0.0, STEEPEST, -STEEPEST], len(s))
    w, at = np.concatenate([w, ends]), np.concatenate([i, np.tile(np.arange(len(s)), 3)])
    b = s[at] - w * task.x[at]
    costs = task.judge(w[:, None] * task.x + b[:, None])[0].mean(axis=1)  # (lines,)
    low = np.flatnonzero(costs <= costs.min() + 1e-12)
    k = low[np.argmin(np.abs(w[low]))]
    return Line(float(w[k]), float(b[k]))


def lowest_of_grid(task: Task) -> Line:
    """Return the best line of a grid: steepness of both signs, and the place where the sigmoid is ½."""
    steep = np.geomspace(0.1, STEEPEST, 10)
    w, middle = np.meshgrid(np.concatenate([-steep, steep]), np.linspace(-7, 7, 29), indexing="ij")
    w, b = w.ravel(), (-w * middle).ravel()
    costs = task.judge(w[:, None] * task.x + b[:, None])[0].mean(axis=1)
    k = int(np.argmin(costs))
    return Line(float(w[k]), float(b[k]))


def descend(task: Task, line: Line) -> Line:
    """Return where damped Newton steps from `line` end: each goes down, and the gradient is zero in the end."""
    damping, judged = 1e-6, task.judge(line.at(task.x))
    for _ in range(MOST_TRIES):
        slope, bend = judged[1], task.bend(line.at(task.x))
        gradient = np.array([np.mean(slope * task.x), np.mean(slope)])
        stuck = abs(line.w) >= STEEPEST and gradient[0] * line.w < 0  # only w's limit holds it
        gradient[0] *= not stuck
        if np.abs(gradient).max() < TOLERANCE:
            break
        mixed = 0.0 if stuck else float(np.mean(bend * task.x))
        hessian = np.array([[np.mean(bend * task.x**2), mixed], [mixed, np.mean(bend)]])
        line, judged, damping = _step(task, line, judged, gradient, hessian, damping)
        if damping > MOST_DAMPING:
            break
    return line


def _step(
    task: Task, line: Line, judged: Judged, gradient: Floats, hessian: Floats, damping: float
) -> tuple[Line, Judged, float]:
    """Return the first step that goes down, its costs and slopes, and the damping for the next."""
    value = float(np.mean(judged[0]))
    (a, c), (_, d) = hessian.tolist()
    while damping <= MOST_DAMPING:
        first, last = a + damping, d + damping
        area = first * last - c * c
        if first > 0 and area > 0:
            w = line.w - float(last * gradient[0] - c * gradient[1]) / area
            b = line.b - float(first * gradient[1] - c * gradient[0]) / area
            tried = Line(min(STEEPEST, max(-STEEPEST, w)), b)
            found = task.judge(tried.at(task.x))
            if float(np.mean(found[0])) < value:
                return tried, found, max(damping / 10, 1e-12)
        damping = max(10 * damping, 1e-9)
    return line, judged, damping


def separated(x: Floats, t: Floats) -> bool:
    """Return whether a place on the axis parts the classes 0 and 1, points on the very place allowed.

    Then the loss of a sigmoid has no least value: it falls as long as w grows.
    """
    low, high = x[t == 0], x[t == 1]
    return not len(low) or not len(high) or bool(low.max() <= high.min() or high.max() <= low.min())
