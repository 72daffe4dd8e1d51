"""Pictures, and the picture that a row of weights is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from .style import (
    DIVERGING,
    GREY,
    as_numbers,
    on,
    style,
)


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
    pictures = as_numbers(pictures)
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
    ax = on(ax)
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
    values = as_numbers(values)
    if shape is None:
        side = round(values.size**0.5)
        shape = (values.shape[0], values.shape[1]) if values.ndim == 2 else (side, side)
    if values.size != shape[0] * shape[1] or values.size == 0:
        raise ValueError(
            f"weights: expected {shape[0]} × {shape[1]} weights; received {values.size}. Pass shape=(height, width)"
        )
    reach = float(np.abs(values).max()) or 1.0
    ax = on(ax)
    with style():
        picture = ax.imshow(values.reshape(shape), cmap=DIVERGING, vmin=-reach, vmax=reach)
        ax.set_axis_off()
        if bar:
            scale = ax.figure.colorbar(picture, ax=ax, shrink=0.85)
            scale.outline.set_edgecolor(GREY)
    return ax
