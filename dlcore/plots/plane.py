"""Data in the plane, and what separates it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from dlcore.backprop import no_grad

from .style import (
    COLOURS,
    GREEN,
    GREY,
    MARKERS,
    PALE,
    as_numbers,
    legend,
    on,
    style,
)


def points(
    positions: Any,
    labels: Any,
    *,
    names: Sequence[str] | None = None,
    size: float = 22,
    ax: Axes | None = None,
) -> Axes:
    """Draw points in the plane, each class with a colour and a marker of its own.

    Args:
        positions: shape (n, 2).
        labels: class of each point, shape (n,); the lowest value gets the first colour.
        names: what the legend calls the classes, lowest first; no legend without.
        size: area of a marker, in square points.
        ax: where to draw.

    Raises:
        ValueError: shapes that do not fit, more classes than colours, or not one name for each.
    """
    positions, labels = as_numbers(positions), as_numbers(labels)
    if positions.ndim != 2 or positions.shape[1] != 2 or labels.shape != positions.shape[:1]:
        raise ValueError(
            f"points: expected positions (n, 2) and labels (n,); received {positions.shape} and {labels.shape}"
        )
    classes = np.unique(labels)
    if len(classes) > len(COLOURS):
        raise ValueError(
            f"points: expected at most {len(COLOURS)} classes, one for each colour; received {len(classes)}"
        )
    if names is not None and len(names) != len(classes):
        raise ValueError(f"points: expected a name for each of {len(classes)} classes; received {len(names)}")
    ax = on(ax)
    with style():
        for i, label in enumerate(classes):
            x, y = positions[labels == label].T
            called = None if names is None else names[i]
            ax.scatter(
                x,
                y,
                s=size,
                color=COLOURS[i],
                marker=MARKERS[i],
                edgecolors="white",
                linewidths=0.4,
                label=called,
            )
        ax.set(xlabel="$x_1$", ylabel="$x_2$", aspect="equal")
        if names is not None:
            legend(ax)
    return ax


def border(
    weight: Any,
    bias: Any,
    *,
    arrow: bool = True,
    label: str | None = None,
    ax: Axes | None = None,
    **line: Any,
) -> Axes:
    """Draw the line x·w + b = 0 and, from its point nearest to the origin, the direction of w.

    Args:
        weight: shape (2,), not both 0.
        bias: a number.
        arrow: whether to draw the direction.
        label: what the legend calls it.
        ax: where to draw; its limits stay.
        line: options of Matplotlib's `axline`.
    """
    w, b = as_numbers(weight).astype(float), float(as_numbers(bias))
    if w.shape != (2,) or not w.any():
        raise ValueError(f"border: expected two weights, not both 0; received {w.tolist()}")
    ax = on(ax)
    foot, direction = -b * w / (w @ w), w / np.hypot(*w)
    with style():
        limits = ax.axis()
        line = {"color": GREEN, "linestyle": "-", "linewidth": 2.0, "zorder": 3, "label": label, **line}
        ax.axline(tuple(foot), tuple(foot + np.array([-direction[1], direction[0]])), **line)
        if arrow:
            tip = foot + direction * 0.2 * (limits[1] - limits[0])
            ax.annotate(
                "",
                tuple(tip),
                tuple(foot),
                arrowprops={"arrowstyle": "-|>", "color": line["color"], "linewidth": 2.5},
                zorder=4,
            )
            ax.annotate("$w$", tuple(tip), color=line["color"], xytext=(4, 2), textcoords="offset points")
        ax.axis(limits)
        if label is not None:
            legend(ax)
    return ax


def decision_boundary(
    predict: Callable[[NDArray[np.float32]], Any],
    *,
    level: float = 0.0,
    limits: tuple[float, float, float, float] = (-6, 6, -6, 6),
    resolution: int = 121,
    ax: Axes | None = None,
) -> Axes:
    """Colour the plane by what a model says there, and draw the line where it says `level`.

    Args:
        predict: takes float32 points (m, 2), returns m numbers, as a Tensor or array.
        level: where the one class ends: 0 for weighted sums and labels of ±1, 0.5 for probabilities.
        limits: left, right, bottom and top edge.
        resolution: points along each axis.
        ax: where to draw; draw the data after it.

    Raises:
        ValueError: `predict` does not return one number for each point.
    """
    left, right, bottom, top = limits
    x, y = np.meshgrid(np.linspace(left, right, resolution), np.linspace(bottom, top, resolution))
    with no_grad():
        values = as_numbers(predict(np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32)))
    if values.size != x.size:
        raise ValueError(
            f"decision_boundary: expected a number for each of {x.size} points; received shape {values.shape}"
        )
    values = values.reshape(x.shape)
    reach = float(np.abs(values - level).max()) or 1.0
    ax = on(ax)
    with style():
        ax.imshow(
            values,
            cmap=PALE,
            vmin=level - reach,
            vmax=level + reach,
            extent=limits,
            origin="lower",
            interpolation="bilinear",
        )
        if values.min() < level < values.max():
            ax.contour(x, y, values, levels=[level], colors=GREY, linewidths=2)
        ax.set(xlabel="$x_1$", ylabel="$x_2$", xlim=(left, right), ylim=(bottom, top))
    return ax
