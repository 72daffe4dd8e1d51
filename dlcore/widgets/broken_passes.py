"""Six wrong backward passes, each one line away from the right one (chapter Backprop, widget BreakOneGradient).

The network reads points of the plane and has a way around its second layer, so that `h1` is used twice:

    z1 = x W1 + b1,  h1 = tanh(z1)
    z2 = h1 W2 + b2, h2 = h1 + tanh(z2)
    z  = h2 W3 + b3, L  = mean of log(1 + exp(z)) - t z

`right` is its gradient by hand. A `Bug` says which line of `right` somebody got wrong, and how; `broken` compiles the
source of `right` with that line in place of the other, so that nothing else can differ.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Parameters = list[Floats]

NAMES = ("W1", "b1", "W2", "b2", "W3", "b3")
STEP = 1e-5  # of the central differences
EXACT = 1e-6  # a relative error that rounding and the cut-off terms explain


class Kept(NamedTuple):
    """What the forward pass leaves for the backward pass: arrays of shape (batch, units)."""

    x: Floats
    z1: Floats
    h1: Floats
    z2: Floats
    h2: Floats
    z: Floats


def forward(x: Floats, parameters: Parameters) -> Kept:
    """Return all that the network computes for a batch of shape (batch, 2)."""
    w1, b1, w2, b2, w3, b3 = parameters
    z1 = x @ w1 + b1
    h1 = np.tanh(z1)
    z2 = h1 @ w2 + b2
    h2 = h1 + np.tanh(z2)
    return Kept(x, z1, h1, z2, h2, h2 @ w3 + b3)


def mean_loss(z: Floats, t: Floats) -> float:
    """Return the mean cross-entropy of logits and targets 0 or 1, both of shape (batch, 1)."""
    return float(np.mean(np.logaddexp(0, z) - t * z))


def sigmoid(z: Floats) -> Floats:
    """Return 1 / (1 + exp(-z)), safe from overflow."""
    return np.asarray(0.5 * (1 + np.tanh(z / 2)))


def slope(z: Floats) -> Floats:
    """Return the derivative of tanh at the sums z."""
    return np.asarray(1 - np.tanh(z) ** 2)


def right(k: Kept, t: Floats, w2: Floats, w3: Floats) -> Parameters:
    """Return the gradient of the mean loss by W1, b1, W2, b2, W3, b3."""
    g_z = (sigmoid(k.z) - t) / len(t)  # (batch, 1)
    g_w3 = k.h2.T @ g_z
    g_b3 = g_z.sum(axis=0)
    g_h2 = g_z @ w3.T  # (batch, units)
    g_z2 = g_h2 * slope(k.z2)
    g_w2 = k.h1.T @ g_z2
    g_b2 = g_z2.sum(axis=0)
    g_h1 = g_h2  # by the way around
    g_h1 = g_h1 + g_z2 @ w2.T  # and through layer 2
    g_z1 = g_h1 * slope(k.z1)
    g_w1 = k.x.T @ g_z1
    g_b1 = g_z1.sum(axis=0)
    return [g_w1, g_b1, g_w2, g_b2, g_w3, g_b3]


Pass = Callable[[Kept, Floats, Floats, Floats], Parameters]


@dataclass(frozen=True)
class Bug:
    """A mistake that people make, as one line of `right`.

    Attributes:
        key: its name in code.
        name: its name for the reader.
        line: the line of `right`, without what follows it as a comment.
        wrong: what stands there instead.
        trace: what it would leave in the table of the gradient check.
        story: how it comes about, and what it does to training.
    """

    key: str
    name: str
    line: str
    wrong: str
    trace: str
    story: str


BUGS = (
    Bug(
        "sign",
        "a wrong sign",
        "g_z = (sigmoid(k.z) - t) / len(t)",
        "g_z = (t - sigmoid(k.z)) / len(t)",
        "With the sign wrong at the output, every row would have the ratio −1",
        "Target minus prediction: the whole gradient points uphill. It is the only one of the six that the curve "
        "betrays for certain, for the loss rises.",
    ),
    Bug(
        "mean",
        "the 1/n of the mean left out",
        "g_z = (sigmoid(k.z) - t) / len(t)",
        "g_z = sigmoid(k.z) - t",
        "Without the 1/n every row would have the same ratio, the number of points",
        "The direction is right and the length n times too large, as if the learning rate were. A small rate hides it, "
        "until somebody changes the size of the batch.",
    ),
    Bug(
        "overwrite",
        "a fork overwritten instead of added",
        "g_h1 = g_h1 + g_z2 @ w2.T",
        "g_h1 = g_z2 @ w2.T",
        "If the second way overwrote the first at the fork h1, only what lies before it would be wrong, W1 and b1",
        "h1 is used twice, so two shares of blame come back to it. The second one was stored over the first. Layer 1 "
        "learns from half of the story; the layers behind it make up for that.",
    ),
    Bug(
        "layer",
        "another layer's activations used",
        "g_w3 = k.h2.T @ g_z",
        "g_w3 = k.h1.T @ g_z",
        "With the activations of the wrong layer one weight matrix would be wrong, W3, and nothing before it",
        "The input of layer 3 is h2; somebody took h1. Both have the same shape, so NumPy does not complain. The blame "
        "that goes on to the layers before is right.",
    ),
    Bug(
        "slope",
        "the activation's slope taken at its output",
        "g_z2 = g_h2 * slope(k.z2)",
        "g_z2 = g_h2 * slope(k.h2)",
        "With the slope of tanh taken at the wrong place in layer 2, W2 and b2 would be wrong, and with them W1 and "
        "b1, which get their blame through layer 2",
        "The slope of tanh belongs to its input z2. Somebody put in what comes out of the layer, h2, which has "
        "the right shape, and mostly the right size.",
    ),
    Bug(
        "bias",
        "a bias gradient not summed over the batch",
        "g_b2 = g_z2.sum(axis=0)",
        "g_b2 = g_z2",
        "If a bias gradient were not summed, its shape would give it away: one row for each point",
        "NumPy broadcasts, so after one step b2 has a row for each point: every training point has got a bias of its "
        "own. The loss falls nicely, and the network can read no other points.",
    ),
)


def lines(bug: Bug) -> tuple[list[str], int]:
    """Return the body of `right` as lines, without its docstring, and the number of the one the bug is in."""
    body = [line[4:] for line in inspect.getsource(right).splitlines()[2:]]
    return body, next(i for i, line in enumerate(body) if line.startswith(bug.line))


@cache
def broken(bug: Bug) -> Pass:
    """Return `right` with the bug's line in it."""
    source = inspect.getsource(right)
    if source.count(f"    {bug.line}") != 1:
        raise ValueError(
            f"Bug {bug.key!r}: expected exactly one line {bug.line!r} in `right`; correct `line`"
        )
    space: dict[str, Any] = dict(globals())
    exec(compile(source.replace(f"    {bug.line}", f"    {bug.wrong}"), f"<{bug.key}>", "exec"), space)
    made: Pass = space["right"]
    return made


# ------------------------------------------------------------------------------------------ training and checking


def start(rng: np.random.Generator, units: int = 8) -> Parameters:
    """Return parameters to begin with: weights of standard deviation 1/√in, small biases."""
    shapes = [(2, units), (units,), (units, units), (units,), (units, 1), (1,)]
    return [
        rng.normal(size=shape) / np.sqrt(shape[0]) if len(shape) == 2 else 0.1 * rng.normal(size=shape)
        for shape in shapes
    ]


def train(
    gradient: Pass, x: Floats, t: Floats, parameters: Parameters, *, learning_rate: float, steps: int
) -> tuple[Floats, Parameters]:
    """Go down a gradient, or what is taken for one, with all points at once.

    Returns:
        the losses, shape (steps + 1,), infinite from where it overflows on, and the parameters at the end.
    """
    losses = np.full(steps + 1, np.inf)
    p = list(parameters)
    with np.errstate(over="ignore", invalid="ignore"):
        for i in range(steps + 1):
            k = forward(x, p)
            losses[i] = mean_loss(k.z, t)
            if not np.isfinite(losses[i]):
                losses[i] = np.inf
                break
            if i < steps:
                found = gradient(k, t, p[2], p[4])
                p = [value - learning_rate * g for value, g in zip(p, found, strict=True)]
    return losses, p


def measured(x: Floats, t: Floats, parameters: Parameters) -> Parameters:
    """Return the gradient of the mean loss by central differences: every parameter moved up and down."""
    found = []
    for values in parameters:
        slopes = np.empty_like(values)
        for place in np.ndindex(values.shape):
            kept, pair = values[place], []
            for values[place] in (kept + STEP, kept - STEP):
                pair.append(mean_loss(forward(x, parameters).z, t))
            values[place] = kept
            slopes[place] = (pair[0] - pair[1]) / (2 * STEP)
        found.append(slopes)
    return found


class Row(NamedTuple):
    """A row of the table: one parameter, its gradient by hand held against central differences.

    Attributes:
        name: of the parameter.
        shape, wanted: of the gradient, and of the parameter.
        error: the largest difference relative to the largest slope; infinite where the shapes differ.
        low, high: the 10 % and 90 % points of gradient / difference over the entries; NaN where the shapes differ.
    """

    name: str
    shape: tuple[int, ...]
    wanted: tuple[int, ...]
    error: float
    low: float
    high: float

    @property
    def agrees(self) -> bool:
        """Whether the gradient passes the check."""
        return self.error <= EXACT


def compare(gradients: Parameters, differences: Parameters) -> list[Row]:
    """Hold gradients against central differences, parameter by parameter."""
    rows = []
    for name, g, d in zip(NAMES, gradients, differences, strict=True):
        if g.shape != d.shape:
            rows.append(Row(name, g.shape, d.shape, np.inf, np.nan, np.nan))
            continue
        error = float(np.abs(g - d).max() / max(np.abs(d).max(), 1e-8))
        low, high = np.percentile(g / np.where(d == 0, np.nan, d), [10, 90])
        rows.append(Row(name, g.shape, d.shape, error, float(low), float(high)))
    return rows
