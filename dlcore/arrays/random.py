"""Random numbers: drawn by a seeded NumPy generator, then moved, so every device gets the same ones.

Whoever draws passes the generator (`rng = numpy.random.default_rng(seed)`); there is no hidden global seed.
Draws are made in float64 and rounded, so a float32 run starts from the float64 run's numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import hooks
from .library import Array


def normal(
    rng: np.random.Generator, shape: tuple[int, ...], *, device: str = "numpy", dtype: str = "float32"
) -> Array:
    """Return an array of `shape` drawn from the normal distribution with mean 0 and variance 1.

    >>> normal(np.random.default_rng(0), (2,))
    array([ 0.12573022, -0.13210486], dtype=float32)
    """
    return _drawn(check_rng(rng).standard_normal, shape, device, dtype)


def uniform(
    rng: np.random.Generator, shape: tuple[int, ...], *, device: str = "numpy", dtype: str = "float32"
) -> Array:
    """Return an array of `shape` drawn uniformly from [0, 1).

    >>> uniform(np.random.default_rng(0), (2,))
    array([0.6369617 , 0.26978672], dtype=float32)
    """
    draw, highest = check_rng(rng).random, 1 - np.finfo(dtype).epsneg  # in float32, 1 - 2⁻⁵³ would be 1
    return _drawn(lambda size: np.minimum(draw(size), highest), shape, device, dtype)


def permutation(rng: np.random.Generator, n: int, *, device: str = "numpy") -> Array:
    """Return the numbers 0 … n-1 in random order, an int64 array of shape (n,).

    >>> permutation(np.random.default_rng(0), 4)
    array([2, 0, 1, 3])
    """
    return _drawn(check_rng(rng).permutation, n, device, "int64")


def check_rng(rng: Any) -> np.random.Generator:
    """Return `rng` if it is a NumPy generator.

    Raises:
        TypeError: it is something else, say a bare seed.
    """
    if not isinstance(rng, np.random.Generator):
        raise TypeError(
            f"rng: expected a numpy.random.Generator; received {rng!r}. "
            "Make one with rng = numpy.random.default_rng(seed)"
        )
    return rng


def _drawn(draw: Any, size: Any, device: str, dtype: str) -> Array:
    from . import asarray  # asarray needs this package whole

    return hooks.draw(lambda: asarray(np.asarray(draw(size)), device=device, dtype=dtype))
