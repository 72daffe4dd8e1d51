"""The look of every figure: colours, markers, dashes, and the ground they stand on."""

from __future__ import annotations

import io
import sys
from contextlib import AbstractContextManager
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib import rcsetup
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.mathtext import MathTextParser
from numpy.typing import NDArray

from dlcore.arrays import to_numpy
from dlcore.backprop import Tensor

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


def figure(columns: int = 1, *, rows: int = 1, width: float = 5.2, height: float = 3.6) -> list[Axes]:
    """Return new Axes side by side, and in rows, on a figure of `width` times `height` inches; row by row.

    >>> left, right = figure(2)
    >>> plt.close(left.figure)
    """
    for what, count in (("column", columns), ("row", rows)):
        if count < 1:
            raise ValueError(f"figure: expected at least one {what}; received {count}")
    with style():
        _, axes = plt.subplots(rows, columns, figsize=(width, height), squeeze=False, layout="constrained")
    return list(axes.ravel())


def on(ax: Axes | None) -> Axes:
    """Return the Axes given, or new ones."""
    return figure()[0] if ax is None else ax


def as_numbers(values: Any) -> NDArray[Any]:
    """Return a Tensor, or an array of any library, as a NumPy array."""
    return np.asarray(to_numpy(values.data if isinstance(values, Tensor) else values))


def legend(ax: Axes) -> Axes:
    """Draw the legend above the Axes, where no point is taken for a part of it."""
    with style():
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2, ncols=len(COLOURS))
    return ax


def can_write(text: str) -> bool:
    r"""Return whether Matplotlib's own TeX knows all that stands in the formulas of a text.

    >>> can_write(r"so $\hat y = 1$"), can_write(r"so $\operatorname{f}(y)$"), can_write(r"$\nosuch$")
    (True, True, False)
    """
    try:
        MathTextParser("path").parse(text)
    except ValueError:
        return False
    return True


def png(ax: Axes, *, dots: int = 100) -> bytes:
    """Return the figure of `ax` as a PNG of `dots` per inch, and close it.

    On white paper, since the page that it lands on is not known; without Matplotlib's version in the file, so that the
    same figure is the same file.
    """
    file = io.BytesIO()
    figure: Any = ax.get_figure(root=True)
    try:
        with style():
            figure.savefig(
                file,
                format="png",
                dpi=dots,
                facecolor="white",
                metadata={"Software": None},
                pil_kwargs={"optimize": True},
            )
    finally:
        plt.close(figure)
    return file.getvalue()
