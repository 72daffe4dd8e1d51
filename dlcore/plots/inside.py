"""What goes on inside a network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from dlcore.backprop import Tensor
from dlcore.backprop import graph as nodes_of

from .style import (
    BLUE,
    COLOURS,
    DASHES,
    GREY,
    PAPER,
    VERMILLION,
    as_numbers,
    legend,
    on,
    style,
)


def activations_histogram(layers: Mapping[str, Any], *, bins: int = 40, ax: Axes | None = None) -> Axes:
    """Draw how the activations of each layer are spread, as outlines over common bins.

    Args:
        layers: activations of any shape, by the layer's name.
        bins: number of bins from the lowest to the highest activation of all.
        ax: where to draw.

    Raises:
        ValueError: no layer, more than there are colours, or activations that are not finite.
    """
    if not 1 <= len(layers) <= len(COLOURS):
        raise ValueError(
            f"activations_histogram: expected 1 to {len(COLOURS)} layers; received {len(layers)}"
        )
    flat = {name: as_numbers(values).ravel() for name, values in layers.items()}
    everything = np.concatenate(list(flat.values()))
    if not np.isfinite(everything).all():
        raise ValueError("activations_histogram: expected finite activations; received NaN or infinity")
    edges = np.histogram_bin_edges(everything, bins)
    ax = on(ax)
    with style():
        for i, (name, values) in enumerate(flat.items()):
            heights = np.histogram(values, edges)[0] / len(values)
            ax.stairs(heights, edges, color=COLOURS[i], linestyle=DASHES[i], linewidth=2, label=name)
        ax.set(xlabel="activation", ylabel="share")
        legend(ax)
    return ax


def graph(tensor: Tensor, *, ax: Axes | None = None) -> Axes:
    """Draw the record behind a tensor, from the inputs on the left to the result on the right.

    Each box names the operation, or the tensor, and its shape, or its value if it is a single number; below
    stands the gradient, once there is one.

    Args:
        tensor: usually the loss.
        ax: where to draw.
    """
    nodes = nodes_of(tensor)
    column: list[int] = []
    for node in nodes:
        column.append(1 + max((column[i] for i in node.inputs), default=-1))
    for i, node in reversed(list(enumerate(nodes))):  # an input stands beside the first node that uses it
        if not node.inputs:
            column[i] = min((column[j] for j, user in enumerate(nodes) if i in user.inputs), default=1) - 1
    rows = {c: [i for i in range(len(nodes)) if column[i] == c] for c in sorted(set(column))}
    place = {i: (1.6 * c, (len(row) - 1) / 2 - k) for c, row in rows.items() for k, i in enumerate(row)}
    ax = on(ax)
    with style():
        for node in nodes:
            words = f"{node.name}\n{_value(node.value)}"
            if node.grad is not None:
                words += f"\ngradient {_value(node.grad)}"
            box = {
                "boxstyle": "round,pad=0.4",
                "facecolor": PAPER,
                "edgecolor": BLUE if node.inputs else VERMILLION,
            }
            x, y = place[node.index]
            ax.text(x, y, words, ha="center", va="center", fontsize=9, color="#222222", bbox=box, zorder=2)
            for i in dict.fromkeys(node.inputs):
                arrow = {"arrowstyle": "-|>", "color": GREY, "shrinkA": 28, "shrinkB": 28}
                ax.annotate("", (x, y), place[i], arrowprops=arrow, zorder=1)
        heights = [y for _, y in place.values()]
        ax.set(xlim=(-0.8, 1.6 * max(rows) + 0.8), ylim=(min(heights) - 0.7, max(heights) + 0.7))
        ax.axis("off")
    return ax


def _value(value: Any) -> str:
    numbers = as_numbers(value)
    return f"{float(numbers):.3g}" if numbers.ndim == 0 else f"shape {numbers.shape}"
