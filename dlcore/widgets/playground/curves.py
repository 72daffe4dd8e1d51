"""Curves: rows of measurements over the epochs, at most a thousand of them however long training goes on."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


class Curves:
    """Rows of numbers, thinned evenly when they become too many; the newest is always among them.

    >>> curves = Curves(width=1, most=4)
    >>> for i in range(9):
    ...     curves.add(i)
    >>> curves.array.ravel().tolist()
    [0.0, 4.0, 8.0]
    """

    def __init__(self, width: int, most: int = 1000) -> None:
        self._table = np.empty((most, width), np.float32)
        self.clear()

    def clear(self) -> None:
        """Forget all rows."""
        self._kept = 0  # rows in the table for good
        self._every = 1  # of so many rows one is kept
        self._count = 0  # rows ever added

    def add(self, *row: float | None) -> None:
        """Add a row; None is written as NaN."""
        if self._kept == len(self._table) - 1:  # the last place is for the newest row
            thinned = self._table[: self._kept : 2]
            self._table[: len(thinned)] = thinned
            self._kept, self._every = len(thinned), 2 * self._every
        self._table[self._kept] = row
        if self._count % self._every == 0:
            self._kept += 1
        self._count += 1

    def extend(self, rows: Array) -> None:
        """Add rows of an array."""
        for row in rows:
            self.add(*row)

    @property
    def array(self) -> Array:
        """The rows so far, array of shape (rows, width), float32; not to be written to."""
        newest = self._count > 0 and (self._count - 1) % self._every != 0
        return self._table[: self._kept + newest]
