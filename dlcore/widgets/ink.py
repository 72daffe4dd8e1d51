"""A drawing made like the digits of MNIST: strokes of a pen as 28 × 28 pixels.

The makers of MNIST scaled each digit to fit a square of 20 × 20 pixels, its proportions kept, and put the centre of
mass of its ink in the middle of 28 × 28 (Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, *Gradient-Based Learning
Applied to Document Recognition*, 1998). A network that has seen only such digits reads no other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .traits import Setting, Whole

Floats = NDArray[np.float64]
SIDE, BOX = 28, 20  # pixels: of the picture, and of the square that the ink fills
PEN = 1.2  # pixels: half the width of a line, as in most of the digits
FINE = 1000  # places along each side of the pad
DOT = 0.05  # a drawing smaller than this share of the pad is not blown up
MOST_POINTS = 600


class Strokes(Setting):
    """A drawing: strokes of the pen, each a flat list x, y, x, y … of whole numbers from 0 to 1000, y downwards."""

    expected = (
        f"a list of strokes, each a flat list x, y, x, y, … of whole numbers from 0 to {FINE}, "
        f"at most {MOST_POINTS} points in all"
    )

    def __init__(self) -> None:
        super().__init__([])
        self._place = Whole(0, low=0, high=FINE)

    def clean(self, value: Any) -> list[list[int]]:
        """Return the strokes as lists of int."""
        if isinstance(value, str) or sum(map(len, value)) > 2 * MOST_POINTS:
            raise ValueError
        strokes = [[self._place.clean(number) for number in stroke] for stroke in value]
        if any(len(stroke) % 2 or not stroke for stroke in strokes):
            raise ValueError
        return strokes


def picture(strokes: Sequence[Sequence[int]]) -> NDArray[np.float32]:
    """Return a drawing as MNIST's makers would have stored it: shape (28, 28), from 0 (paper) to 1 (ink).

    Its lines have MNIST's width, whatever the pen's was.
    """
    if not strokes:
        return np.zeros((SIDE, SIDE), np.float32)
    starts, ends = _segments(strokes)
    corners = np.concatenate([starts, ends])
    low, high = corners.min(axis=0), corners.max(axis=0)
    scale = (BOX - 2 * PEN) / max(float((high - low).max()), DOT)
    shift = SIDE / 2 - scale * (low + high) / 2
    starts, ends = scale * starts + shift, scale * ends + shift
    off = SIDE / 2 - _centre(_ink(starts, ends))
    return _ink(starts + off, ends + off).astype(np.float32)


def _segments(strokes: Sequence[Sequence[int]]) -> tuple[Floats, Floats]:
    """Return where the straight pieces of a drawing begin and end, each (n, 2), in shares of the pad."""
    starts, ends = [], []
    for stroke in strokes:
        points = np.asarray(stroke, np.float64).reshape(-1, 2) / FINE
        starts.append(points[:-1] if len(points) > 1 else points)  # a lone point is a piece without length
        ends.append(points[1:] if len(points) > 1 else points)
    return np.concatenate(starts), np.concatenate(ends)


def _ink(starts: Floats, ends: Floats) -> Floats:
    """Return how much of each pixel the lines cover, shape (28, 28): from a pixel's distance to the nearest of them."""
    middles = np.arange(SIDE) + 0.5
    pixels = np.stack(np.meshgrid(middles, middles), axis=-1).reshape(-1, 1, 2)  # x, y
    along = ends - starts
    lengths = np.maximum(np.sum(along**2, axis=1), 1e-12)
    share = np.clip(np.sum((pixels - starts) * along, axis=2) / lengths, 0, 1)  # (784, n)
    away = np.linalg.norm(pixels - starts - share[:, :, None] * along, axis=2).min(axis=1)
    return np.asarray(np.clip(PEN + 0.5 - away, 0, 1).reshape(SIDE, SIDE))


def _centre(ink: Floats) -> Floats:
    """Return the centre of mass, x and y."""
    middles = np.arange(SIDE) + 0.5
    return np.asarray(np.array([ink.sum(axis=0) @ middles, ink.sum(axis=1) @ middles]) / ink.sum())
