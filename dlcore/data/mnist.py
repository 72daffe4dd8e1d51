"""Real digits, the running example of the book: small enough to travel with the package."""

from collections.abc import Iterable
from pathlib import Path
from typing import IO, Literal

import numpy as np
from numpy.typing import NDArray

_FILE = Path(__file__).with_name("digits.npz")
_SPLITS = {"train": slice(0, 8_000), "test": slice(8_000, 10_000), "all": slice(0, 10_000)}


def digits(
    split: Literal["train", "test", "all"], *, classes: Iterable[int] = range(10), flat: bool = False
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Load handwritten digits: 8,000 to train on and 2,000 to test on.

    They are the first 10,000 training digits of MNIST, shuffled once. The file holds bytes, and only the rows
    asked for become floats; nothing stays in memory, so keep the result rather than calling twice.

    Args:
        split: "train", "test" or "all" (training rows first).
        classes: which digits, say (3, 8). Labels stay the digits themselves.
        flat: give every image as one row of 784 numbers.

    Returns:
        images, float32 of shape (n, 28, 28), or (n, 784) if flat, from 0 (paper) to 1 (ink); and labels
        0 … 9, int64 of shape (n,).

    Raises:
        ValueError: an unknown split, or classes that are none, or other than 0 … 9.

    Source: Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, *Gradient-Based Learning Applied to Document
    Recognition*, 1998. Licence and origin of the file: `README.md` beside it.

    >>> images, labels = digits("test", classes=(3, 8), flat=True)
    >>> images.shape, sorted(set(labels.tolist()))
    ((393, 784), [3, 8])
    """
    if split not in _SPLITS:
        raise ValueError(f"digits: expected split to be one of {', '.join(_SPLITS)}; received {split!r}")
    wanted = set(classes)
    if not wanted or not wanted <= set(range(10)):
        raise ValueError(f"digits: expected classes from 0 to 9, such as (3, 8); received {list(wanted)}")
    with np.load(_FILE) as file:
        labels = file["labels"].astype(np.int64)
        chosen = np.zeros(len(labels), dtype=bool)
        chosen[_SPLITS[split]] = np.isin(labels[_SPLITS[split]], list(wanted))
        with file.zip.open("images.npy") as stream:
            images = _read_images(stream, chosen)
    return images.reshape(len(images), -1) if flat else images, labels[chosen]


def _read_images(stream: IO[bytes], chosen: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the chosen images, reading 250 at a time: all the bytes at once would raise the peak by 8 MB."""
    np.lib.format.read_magic(stream)
    np.lib.format.read_array_header_1_0(stream)
    images = np.empty((np.count_nonzero(chosen), 28, 28), dtype=np.float32)
    filled = 0
    for start in range(0, len(chosen), 250):
        wanted = chosen[start : start + 250]
        pixels = np.frombuffer(stream.read(wanted.size * 784), np.uint8).reshape(-1, 28, 28)[wanted]
        np.divide(pixels, 255, out=images[filled : filled + len(pixels)], dtype=np.float32)
        filled += len(pixels)
    return images
