"""Dropout: in training, chance leaves out a part of what a layer receives."""

from __future__ import annotations

import numpy as np

from dlcore import arrays
from dlcore.arrays import Array, namespace
from dlcore.backprop import Tensor, multiply

from .module import Module


class Dropout(Module):
    """In training, set each element to 0 with probability `rate` and scale the rest by 1 / (1 - rate).

    The scaling keeps the expected sum, so that evaluation passes everything unchanged ("inverted" dropout).
    Source: Srivastava et al., JMLR 15, 2014.

    Args:
        rate: probability of dropping, from 0 to below 1.
        rng: NumPy generator that draws the masks; in an ensemble, a list with each member's own.
    """

    rng: np.random.Generator | list[np.random.Generator]

    def __init__(self, rate: float, *, rng: np.random.Generator) -> None:
        if not 0 <= rate < 1:
            raise ValueError(f"Dropout: expected rate from 0 to below 1; received {rate}")
        self.rate, self.rng = rate, arrays.random.check_rng(rng)

    def forward(self, x: Tensor) -> Tensor:
        """Drop elements in training; pass all in evaluation."""
        if not self._behaves_as_in_training() or self.rate == 0:
            return x
        draws = self._draws(x)
        kept = namespace(draws).astype(draws >= self.rate, x.dtype)
        return multiply(x, kept * (1 / (1 - self.rate)))

    def _draws(self, x: Tensor) -> Array:
        like = {"device": x.device, "dtype": arrays.dtype_name(x.data)}
        if isinstance(self.rng, np.random.Generator):
            return arrays.random.uniform(self.rng, x.shape, **like)
        # Each member draws what it would draw alone.
        lone = [arrays.random.uniform(rng, (1, *x.shape[1:]), **like) for rng in self.rng]
        return namespace(lone[0]).concat(lone, axis=0)

    def __repr__(self) -> str:
        return f"Dropout({self.rate})"
