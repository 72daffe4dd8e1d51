"""Rows to take batches of: the data of a training, for one network or for an ensemble."""

from __future__ import annotations

import math

from dlcore.arrays import Array, asarray, device_of, namespace


class Rows:
    """Rows to take batches of: of one network, shared by the members of an ensemble, or own to each of them.

    Args:
        values: array of shape (n, …), or (members, n, …) if every member has its own.
        members: number of members, or None.
        own: whether `values` has the leading axis of members.
    """

    def __init__(self, values: Array, members: int | None = None, *, own: bool = False) -> None:
        xp = namespace(values)
        self.members, self.own = members, own
        self.count = int(values.shape[1 if own else 0])
        self.row = tuple(values.shape[2 if own else 1 :])
        self.flat = xp.reshape(values, (values.shape[0] * self.count, *self.row)) if own else values
        # Where each member's rows begin in the long table of all.
        starts = [[self.count * k if own else 0] for k in range(members or 1)]
        self.starts = asarray(starts, device=device_of(values), dtype="int64") if own else None

    def take(self, numbers: Array) -> Array:
        """Return the rows of these numbers: (batch,) → (batch, …), or (members, batch) → (members, batch, …)."""
        xp = namespace(self.flat)
        if self.starts is not None:
            numbers = numbers + self.starts
        if self.members is None:
            return xp.take(self.flat, numbers, axis=0)
        picked = xp.take(self.flat, xp.reshape(numbers, (-1,)), axis=0)
        return xp.reshape(picked, (*numbers.shape, *self.row))

    def slice(self, start: int, stop: int) -> Array:
        """Return rows in their order, for every member, as a view where possible."""
        xp = namespace(self.flat)
        stop = min(stop, self.count)
        if self.own:
            return xp.reshape(self.flat, (self.members, self.count, *self.row))[:, start:stop, ...]
        rows = self.flat[start:stop, ...]
        return rows if self.members is None else xp.broadcast_to(rows, (self.members, *rows.shape))

    def extremes(self) -> Array:
        """Return the numbers of the rows with the least and the greatest element: (2,), or (members, 2)."""
        xp = namespace(self.flat)
        each = xp.reshape(self.flat, (-1, self.count, math.prod(self.row)))  # (1 or members, n, elements)
        least, greatest = xp.argmin(xp.min(each, axis=-1), axis=-1), xp.argmax(xp.max(each, axis=-1), axis=-1)
        numbers = xp.stack([least, greatest], axis=-1)
        return numbers[0, ...] if self.members is None else xp.broadcast_to(numbers, (self.members, 2))
