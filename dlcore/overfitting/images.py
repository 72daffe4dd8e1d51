"""Augmentation: pictures as they might also have been, shifted, turned, and with noise."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dlcore.arrays import Array, asarray, device_of, dtype_name, is_floating, namespace, random


def augment(
    images: Any,
    *,
    rng: np.random.Generator,
    shift: float = 2.0,
    rotation: float = 10.0,
    noise: float = 0.0,
) -> Array:
    """Return each picture turned by its own angle, shifted by its own distance, with noise of its own.

    The value of a new pixel is that of the place it comes from, interpolated between the four pixels around
    (bilinear); what comes from outside is 0. Labels must not depend on what is changed: a 6 that is turned by 180
    degrees is a 9.

    Args:
        images: floats of shape (n, …, height, width); all channels of a picture move alike.
        rng: generator that draws angles, distances and noise, in this order.
        shift: largest distance in pixels, to each side, uniformly drawn.
        rotation: largest angle in degrees, in each direction, about the middle, uniformly drawn.
        noise: standard deviation of what is added to each pixel.

    Returns:
        array of the same shape, device and precision. Without noise it stays between 0 and the largest value.

    Raises:
        TypeError: no floats.
        ValueError: fewer than three axes, or a negative or infinite amount.

    >>> picture = np.zeros((1, 5, 5), np.float32)
    >>> picture[0, 2, 2] = 1
    >>> bool(np.all(augment(picture, rng=np.random.default_rng(0), shift=0, rotation=0) == picture))
    True
    """
    x = asarray(images)
    if not is_floating(x):
        raise TypeError(f"augment: expected images in floats; received {x.dtype}. Divide bytes by 255")
    if x.ndim < 3:
        raise ValueError(
            f"augment: expected images of shape (n, …, height, width); received {tuple(x.shape)}. Give rows of 784 "
            "pixels their shape back with x.reshape(-1, 28, 28)"
        )
    for name, amount in {"shift": shift, "rotation": rotation, "noise": noise}.items():
        if not (math.isfinite(amount) and amount >= 0):
            raise ValueError(f"augment: expected {name} to be a number of at least 0; received {amount!r}")
    place: dict[str, Any] = {"device": device_of(x), "dtype": dtype_name(x)}
    n = int(x.shape[0])
    angles = (2 * random.uniform(rng, (n, 1, 1), **place) - 1) * math.radians(rotation)
    moves = (2 * random.uniform(rng, (2, n, 1, 1), **place) - 1) * shift
    moved = moved_by(x, angles, moves[0, ...], moves[1, ...])
    return moved + noise * random.normal(rng, tuple(x.shape), **place) if noise else moved


def moved_by(images: Array, angles: Array, down: Array, right: Array) -> Array:
    """Return pictures turned counterclockwise about their middle by `angles` (radians), then shifted, in pixels.

    Args:
        images: shape (n, …, height, width).
        angles: shape (n, 1, 1), as are `down` and `right`.
    """
    xp = namespace(images)
    height, width = (int(side) for side in images.shape[-2:])
    place: dict[str, Any] = {"device": device_of(images), "dtype": dtype_name(images)}
    rows = asarray(np.arange(height)[:, None], **place) - (height - 1) / 2 - down  # (n, height, 1)
    columns = asarray(np.arange(width)[None, :], **place) - (width - 1) / 2 - right  # (n, 1, width)
    cos, sin = xp.cos(angles), xp.sin(angles)
    # Where each new pixel comes from: the inverse of the rotation. Rows count downwards.
    y = cos * rows + sin * columns + (height - 1) / 2
    x = cos * columns - sin * rows + (width - 1) / 2
    top, left = xp.floor(y), xp.floor(x)
    result = xp.zeros_like(images)
    for j, i in ((0, 0), (0, 1), (1, 0), (1, 1)):
        weight = (1 - xp.abs(y - top - j)) * (1 - xp.abs(x - left - i))
        result = result + _taken(images, top + j, left + i, weight)
    return result


def _taken(images: Array, rows: Array, columns: Array, weight: Array) -> Array:
    """Return weight · images[rows, columns], with 0 where that is outside; rows etc. of shape (n, height, width)."""
    xp = namespace(images)
    n, height, width = int(images.shape[0]), int(images.shape[-2]), int(images.shape[-1])
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    numbers = xp.astype(xp.clip(rows, 0, height - 1) * width + xp.clip(columns, 0, width - 1), xp.int64)
    channels = math.prod(images.shape[1:-2])
    # Each channel's pixels in the long row of all.
    starts = asarray(np.arange(n * channels) * height * width, device=device_of(images), dtype="int64")
    each = xp.reshape(starts, (n, channels, 1)) + xp.reshape(numbers, (n, 1, height * width))
    picked = xp.reshape(xp.take(xp.reshape(images, (-1,)), xp.reshape(each, (-1,)), axis=0), each.shape)
    weights = xp.reshape(xp.where(inside, weight, xp.zeros_like(weight)), (n, 1, height * width))
    return xp.reshape(picked * weights, images.shape)
