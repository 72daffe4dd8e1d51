"""How training went, and where it ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from .style import (
    BLUE,
    COLOURS,
    DASHES,
    PAPER,
    as_numbers,
    legend,
    on,
    style,
)


def loss_curves(
    curves: Mapping[str, Iterable[float]],
    *,
    xlabel: str = "epoch",
    ylabel: str = "loss",
    log: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Draw one curve for each name, told apart by colour and dash.

    Args:
        curves: numbers after 1, 2, 3, … epochs, by name.
        xlabel: what is counted.
        ylabel: what is measured.
        log: whether the measure has a logarithmic axis.
        ax: where to draw.

    Raises:
        ValueError: no curve, or more than there are colours.
    """
    if not 1 <= len(curves) <= len(COLOURS):
        raise ValueError(f"loss_curves: expected 1 to {len(COLOURS)} curves; received {len(curves)}")
    ax = on(ax)
    with style():
        for i, (name, curve) in enumerate(curves.items()):
            values = [float(value) for value in curve]
            ax.plot(range(1, len(values) + 1), values, color=COLOURS[i], linestyle=DASHES[i], label=name)
        ax.set(xlabel=xlabel, ylabel=ylabel, yscale="log" if log else "linear")
        legend(ax)
    return ax


def confusion(
    labels: Any, predictions: Any, *, names: Sequence[object] | None = None, ax: Axes | None = None
) -> Axes:
    """Draw how often each class was taken for which: one row for each true class, counts in the cells.

    Args:
        labels: true classes, shape (n,).
        predictions: predicted classes, shape (n,).
        names: of the classes, lowest first; by default their values. More names than there are classes in the data
            are those of classes 0, 1, 2, ….
        ax: where to draw.

    Raises:
        ValueError: shapes that do not fit, or not one name for each class.
    """
    labels, predictions = as_numbers(labels), as_numbers(predictions)
    if labels.ndim != 1 or labels.shape != predictions.shape or len(labels) == 0:
        raise ValueError(
            f"confusion: expected a prediction for each label, both (n,); received {labels.shape} and "
            f"{predictions.shape}"
        )
    both = np.concatenate([labels, predictions])
    classes, numbers = np.unique(both, return_inverse=True)
    if names is not None and len(names) > len(classes) and np.isin(classes, range(len(names))).all():
        classes, numbers = np.arange(len(names)), both.astype(int)
    names = classes.tolist() if names is None else names
    if len(names) != len(classes):
        raise ValueError(f"confusion: expected a name for each of {classes.tolist()}; received {list(names)}")
    counts = np.zeros((len(classes), len(classes)), dtype=int)
    np.add.at(counts, (numbers[: len(labels)], numbers[len(labels) :]), 1)
    ax = on(ax)
    with style():
        shades = LinearSegmentedColormap.from_list("paper_blue", [PAPER, BLUE])
        ax.imshow(counts, cmap=shades, vmin=0)
        for (row, column), count in np.ndenumerate(counts):
            ink = "white" if count > 0.6 * counts.max() else "#222222"
            ax.text(column, row, str(count), ha="center", va="center", color=ink)
        ax.set_xticks(range(len(classes)), [str(name) for name in names])
        ax.set_yticks(range(len(classes)), [str(name) for name in names])
        ax.set(xlabel="predicted", ylabel="true")
    return ax
