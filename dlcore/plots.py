"""The figures of the book: one look, by day and by night (used by every chapter).

Every function draws on the Axes that it is given, or on new ones, and returns them:

    points, border, decision_boundary       data in the plane, and what separates it
    images, weights                         pictures, and the picture that a row of weights is
    loss_curves, confusion                  how training went, and where it ended
    activations_histogram, graph            what goes on inside a network

The ground is transparent, text is a middle grey, and colours are those of Okabe and Ito that stand out from
white and from near-black alike; people who see colours differently can tell them apart, and what colour says
is also said by marker, dash or number (M. Okabe and K. Ito, *Color Universal Design*, 2008).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib import rcsetup
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from numpy.typing import NDArray

from .arrays import to_numpy
from .backprop import Tensor, no_grad
from .backprop import graph as nodes_of

__all__ = [
    "COLOURS",
    "DASHES",
    "DIVERGING",
    "GREY",
    "MARKERS",
    "activations_histogram",
    "border",
    "confusion",
    "decision_boundary",
    "figure",
    "graph",
    "images",
    "legend",
    "loss_curves",
    "points",
    "style",
    "use_style",
    "weights",
]

VERMILLION, BLUE, GREEN, PURPLE = "#D55E00", "#0072B2", "#009E73", "#CC79A7"
GREY = "#7A7A7A"  # as far from white as from the near-black of a dark page: contrast 4.3 and 4.1
PAPER = "#F7F7F7"  # what pictures are drawn on, whatever the page
COLOURS = (VERMILLION, BLUE, GREEN, PURPLE)  # of classes and curves, in their order
MARKERS = ("s", "o", "^", "D")
DASHES = ("-", "--", "-.", ":")
#: From negative to positive, neutral in the middle: for whatever has a sign.
DIVERGING = LinearSegmentedColormap.from_list("vermillion_blue", [VERMILLION, PAPER, BLUE])
#: The same half as strong, so that points stand out on it.
PALE = LinearSegmentedColormap.from_list("pale_vermillion_blue", ["#E6AB7C", PAPER, "#7CB5D5"])

STYLE: Any = {  # Matplotlib types the names one by one
    "axes.edgecolor": GREY,
    "axes.facecolor": "none",
    "axes.labelcolor": GREY,
    "axes.labelsize": 11,
    "axes.prop_cycle": rcsetup.cycler(color=COLOURS, linestyle=DASHES),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": GREY,
    "axes.titlesize": 12,
    "figure.facecolor": "none",
    "figure.figsize": (5.2, 3.6),
    "font.size": 11,
    "image.cmap": "gray_r",
    "image.interpolation": "nearest",
    "legend.framealpha": 0.0,
    "legend.labelcolor": GREY,
    "lines.linewidth": 2.0,
    "patch.edgecolor": GREY,
    "savefig.facecolor": "none",
    "svg.hashsalt": "dlcore",  # the same figure, the same file
    "text.color": GREY,
    "xtick.color": GREY,
    "ytick.color": GREY,
}


def style() -> AbstractContextManager[None]:
    """Return the context in which Matplotlib draws in the style of the book."""
    return mpl.rc_context(STYLE)


def use_style() -> None:
    """Draw in the style of the book from here on, in notebooks as SVG: sharp on every screen."""
    mpl.rcParams.update(STYLE)
    if "ipykernel" in sys.modules:
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        # No date in the file: the tests compare a figure with the committed one.
        set_matplotlib_formats("svg", metadata={"Date": None})  # type: ignore[no-untyped-call]


def figure(columns: int = 1, *, width: float = 5.2, height: float = 3.6) -> list[Axes]:
    """Return new Axes side by side on a figure of `width` times `height` inches.

    >>> left, right = figure(2)
    >>> plt.close(left.figure)
    """
    if columns < 1:
        raise ValueError(f"figure: expected at least one column; received {columns}")
    with style():
        _, axes = plt.subplots(1, columns, figsize=(width, height), squeeze=False, layout="constrained")
    return list(axes[0])


def _on(ax: Axes | None) -> Axes:
    return figure()[0] if ax is None else ax


def _numbers(values: Any) -> NDArray[Any]:
    return np.asarray(to_numpy(values.data if isinstance(values, Tensor) else values))


# ------------------------------------------------------------------------------------------- in the plane


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
    positions, labels = _numbers(positions), _numbers(labels)
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
    ax = _on(ax)
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


def legend(ax: Axes) -> Axes:
    """Draw the legend above the Axes, where no point is taken for a part of it."""
    with style():
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2, ncols=len(COLOURS))
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
    w, b = _numbers(weight).astype(float), float(_numbers(bias))
    if w.shape != (2,) or not w.any():
        raise ValueError(f"border: expected two weights, not both 0; received {w.tolist()}")
    ax = _on(ax)
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
        values = _numbers(predict(np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32)))
    if values.size != x.size:
        raise ValueError(
            f"decision_boundary: expected a number for each of {x.size} points; received shape {values.shape}"
        )
    values = values.reshape(x.shape)
    reach = float(np.abs(values - level).max()) or 1.0
    ax = _on(ax)
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


# ------------------------------------------------------------------------------------------------ pictures


def images(
    pictures: Any, captions: Sequence[object] = (), *, columns: int = 6, ax: Axes | None = None
) -> Axes:
    """Draw grey pictures in rows, ink dark, each on paper of its own and with its caption above.

    Args:
        pictures: shape (n, height, width), from 0 (paper) to 1 (ink).
        captions: one for each picture, or none.
        columns: pictures in a row.
        ax: where to draw.
    """
    pictures = _numbers(pictures)
    if pictures.ndim != 3 or len(pictures) == 0:
        raise ValueError(
            f"images: expected pictures of shape (n, height, width); received {pictures.shape}. "
            "Rows become pictures by rows.reshape(-1, 28, 28)"
        )
    if captions and len(captions) != len(pictures):
        raise ValueError(
            f"images: expected a caption for each of {len(pictures)} pictures; received {len(captions)}"
        )
    count, height, width = pictures.shape
    down, across = height + (12 if captions else 3), width + 3
    ax = _on(ax)
    with style():
        for i, picture in enumerate(pictures):
            left, low = across * (i % columns), down * (i // columns)
            extent = (left, left + width, low + height, low)
            ax.imshow(picture, cmap="gray_r", vmin=0, vmax=1, extent=extent)
            if captions:
                ax.text(left + width / 2, low - 1, str(captions[i]), ha="center", va="bottom", fontsize=10)
        rows = -(-count // columns)
        ax.set(
            xlim=(-1, across * min(columns, count)), ylim=(down * rows - (down - height) + 1, height - down)
        )
        ax.set_aspect("equal")
        ax.axis("off")
    return ax


def weights(
    values: Any, shape: tuple[int, int] | None = None, *, bar: bool = True, ax: Axes | None = None
) -> Axes:
    """Draw weights as a picture: vermillion below 0, blue above, the neutral colour exactly at 0.

    Args:
        values: shape (height, width), or (height · width,) with `shape`.
        shape: (height, width); by default a square.
        bar: whether to draw the scale beside it.
        ax: where to draw.

    Raises:
        ValueError: the number of weights does not fit the shape.
    """
    values = _numbers(values)
    if shape is None:
        side = round(values.size**0.5)
        shape = (values.shape[0], values.shape[1]) if values.ndim == 2 else (side, side)
    if values.size != shape[0] * shape[1] or values.size == 0:
        raise ValueError(
            f"weights: expected {shape[0]} × {shape[1]} weights; received {values.size}. Pass shape=(height, width)"
        )
    reach = float(np.abs(values).max()) or 1.0
    ax = _on(ax)
    with style():
        picture = ax.imshow(values.reshape(shape), cmap=DIVERGING, vmin=-reach, vmax=reach)
        ax.set_axis_off()
        if bar:
            scale = ax.figure.colorbar(picture, ax=ax, shrink=0.85)
            scale.outline.set_edgecolor(GREY)
    return ax


# ------------------------------------------------------------------------------------------------- training


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
    ax = _on(ax)
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
        names: of the classes, lowest first; by default their values.
        ax: where to draw.

    Raises:
        ValueError: shapes that do not fit, or not one name for each class.
    """
    labels, predictions = _numbers(labels), _numbers(predictions)
    if labels.ndim != 1 or labels.shape != predictions.shape or len(labels) == 0:
        raise ValueError(
            f"confusion: expected a prediction for each label, both (n,); received {labels.shape} and "
            f"{predictions.shape}"
        )
    classes, numbers = np.unique(np.concatenate([labels, predictions]), return_inverse=True)
    names = classes.tolist() if names is None else names
    if len(names) != len(classes):
        raise ValueError(f"confusion: expected a name for each of {classes.tolist()}; received {list(names)}")
    counts = np.zeros((len(classes), len(classes)), dtype=int)
    np.add.at(counts, (numbers[: len(labels)], numbers[len(labels) :]), 1)
    ax = _on(ax)
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


# --------------------------------------------------------------------------------------------------- inside


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
    flat = {name: _numbers(values).ravel() for name, values in layers.items()}
    everything = np.concatenate(list(flat.values()))
    if not np.isfinite(everything).all():
        raise ValueError("activations_histogram: expected finite activations; received NaN or infinity")
    edges = np.histogram_bin_edges(everything, bins)
    ax = _on(ax)
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
    ax = _on(ax)
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
    numbers = _numbers(value)
    return f"{float(numbers):.3g}" if numbers.ndim == 0 else f"shape {numbers.shape}"
