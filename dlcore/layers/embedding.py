"""Embedding: symbols as rows of a table that is learnt."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlcore import arrays, init
from dlcore.arrays import Array, namespace
from dlcore.arrays.checks import check_whole
from dlcore.backprop import Tensor, primitive, take

from .module import Module
from .parameters import parameter


class Embedding(Module):
    """A table with one learnt row for each symbol (Bengio et al., JMLR 3, 2003).

    Args:
        num_embeddings: number of symbols.
        embedding_dim: length of a row.
        rng: NumPy generator that draws the table.

    Shapes: integers (…) → (…, embedding_dim); weight (num_embeddings, embedding_dim).
    """

    _input_dtype = "int64"

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        *,
        rng: np.random.Generator,
        weight_init: init.Initializer = init.normal,
        device: str = "numpy",
        dtype: str = "float32",
    ) -> None:
        check_whole("Embedding", num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        fans = {"fan_in": num_embeddings, "fan_out": embedding_dim}
        self.weight = parameter(weight_init(rng, (num_embeddings, embedding_dim), **fans), device, dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Look up one row for each integer."""
        indices = x.data
        if arrays.is_floating(indices):
            raise TypeError(
                f"Embedding: expected integers; received {x.dtype}. Pass asarray(x, dtype='int64')"
            )
        if x.size == 0:
            raise ValueError(
                f"Embedding: expected at least one integer; received shape {x.shape}. Is the batch empty?"
            )
        arrays.hooks.guard(self._check_range, indices)
        indices = arrays.asarray(indices, dtype="int64")  # uint8 has no room for row numbers above 255
        if self.members is None:
            return take(self.weight, indices)
        return _take_by_member(self.weight, indices)

    def _check_range(self, indices: Array) -> None:
        xp = namespace(indices)
        low, high = int(xp.min(indices)), int(xp.max(indices))
        if low < 0 or high >= self.num_embeddings:
            raise ValueError(
                f"Embedding: expected integers from 0 to {self.num_embeddings - 1}; received {low} to {high}"
            )

    def __repr__(self) -> str:
        return f"Embedding({self.num_embeddings}, {self.embedding_dim})"


@primitive
def _take_by_member(tables: Array, indices: Array) -> Any:
    """Return rows of each member's own table: (members, rows, width), integers (members, …) → (members, …, width)."""
    xp = namespace(tables)
    members, rows, width = tables.shape
    flat = xp.reshape(indices, (members, -1))
    # One long table of all members, each member's numbers shifted to its part.
    first = xp.arange(members, dtype=flat.dtype, device=flat.device)[:, None] * rows
    picked = xp.take(xp.reshape(tables, (-1, width)), xp.reshape(flat + first, (-1,)), axis=0)

    def pullback(g: Array) -> Array:
        # Member by member: in one product of all, a member that diverged to NaN would spoil the others.
        numbers = xp.arange(rows, dtype=flat.dtype, device=flat.device)
        hot = xp.astype(flat[:, None, :] == numbers[:, None], g.dtype)  # (members, rows, n)
        return xp.matmul(hot, xp.reshape(g, (members, -1, width)))

    return xp.reshape(picked, (*indices.shape, width)), pullback, lambda _: None
