"""NumPy's namespace, with the functions whose wrappers cost more than the small sums they wrap.

At the sizes of a beginner's network NumPy's Python wrappers take longer than the arithmetic: `np.mean` of
32 numbers costs 3 µs, the ufunc's own reduction 1 µs. Same results, fewer layers of Python.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

Axes = int | tuple[int, ...] | None
SMALL = 4096

# Positional arguments (axis, dtype, out, keepdims) take half a microsecond less than named ones.
_add_up: Any = np.add.reduce
_largest: Any = np.maximum.reduce


def __getattr__(name: str) -> Any:
    """Take from NumPy whatever is not defined here, the first time it is asked for.

    Not `from numpy import *`: that would load 11 MB of NumPy's submodules that nobody uses.
    """
    globals()[name] = value = getattr(np, name)
    return value


def sum(x: Any, /, *, axis: Axes = None, keepdims: bool = False) -> Any:  # noqa: A001
    """Return the sum over `axis` in the dtype of `x`.

    The sum of rows or columns, and that of all of a small array, is a product with a vector of ones: BLAS takes
    half the time of a reduction, and over a stack of small matrices an eighth.
    """
    if not keepdims and x.dtype.kind == "f":
        if axis == -2:
            return sum_rows(x)
        if axis == -1 and x.ndim == 2:
            return np.dot(x, _ones(x.shape[-1], x.dtype))
        if axis is None and 0 < x.size <= SMALL:
            return np.dot(_ones(x.size, x.dtype), x.reshape(-1))
    return _add_up(x, axis, None, None, keepdims)


def sum_rows(x: Any, /) -> Any:
    """Return the sum over the axis before the last."""
    ones = _ones(x.shape[-2], x.dtype)
    return np.dot(ones, x) if x.ndim == 2 else np.matmul(ones, x)


@functools.lru_cache(maxsize=64)
def _ones(n: int, dtype: Any) -> Any:
    return np.ones(n, dtype)


def max(x: Any, /, *, axis: Axes = None, keepdims: bool = False) -> Any:  # noqa: A001
    """Return the largest element over `axis`."""
    return _largest(x, axis, None, None, keepdims)


def mean(x: Any, /, *, axis: Axes = None, keepdims: bool = False) -> Any:
    """Return the mean over `axis` in the dtype of `x`."""
    total = sum(x, axis=axis, keepdims=keepdims)
    return total * (total.size / (x.size or 1))  # an empty batch has empty means


def maximum(x: Any, y: Any, /) -> Any:
    """Return the larger of x and y; against a number, many floats go to `clip`, which alone is vectorized there."""
    if isinstance(y, (int, float)) and x.size > SMALL and x.dtype.kind == "f":
        return np.clip(x, y, np.inf)
    return np.maximum(x, y)


def reshape(x: Any, /, shape: tuple[int, ...]) -> Any:
    """Return the same elements in another shape."""
    return x.reshape(shape)


def ones_like(x: Any, /, *, dtype: Any = None) -> Any:
    """Return an array of ones of the shape of `x`; for a single number the number 1."""
    return np.ones_like(x, dtype) if x.ndim else (dtype or x.dtype).type(1)


def matmul(x: Any, y: Any, /) -> Any:
    """Return the matrix product, by the shorter way to BLAS where there is one."""
    if x.ndim == 2 and y.ndim == 2:
        return np.dot(x, y)
    if x.ndim == y.ndim > 2 and x.shape[-1] == y.shape[-2] == 1:
        return x * y  # a stack of outer products: BLAS would be called for each
    return np.matmul(x, y)


def affine(x: Any, w: Any, b: Any, /) -> Any:
    """Return x W + b for each row of x; shapes as in `dlcore.layers.affine`."""
    value = matmul(x, w)
    value += b if b.ndim == 1 else b[..., None, :]
    return value


def gate(g: Any, x: Any, above: float, /) -> Any:
    """Return `g` where x > above and 0 elsewhere."""
    return g * (x > above)


def take(x: Any, indices: Any, /, *, axis: int | None = None) -> Any:
    """Return the entries at `indices`, integers of any width: in the page, of 32 bits, NumPy's own refuses int64."""
    return x.take(indices.astype(np.intp, casting="same_kind", copy=False), axis)


def concat(parts: Any, /, *, axis: int | None = 0) -> Any:
    """Return the arrays joined along `axis`; None lays all their elements end to end."""
    return end_to_end(parts) if axis is None else np.concatenate(parts, axis)


def end_to_end(parts: Any, /) -> Any:
    """Return all elements of the arrays in one row."""
    return np.concatenate(parts, None)
