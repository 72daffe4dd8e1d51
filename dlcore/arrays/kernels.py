"""Kernels: the few computations that each library does best in its own way.

Everything here is a plain function on arrays with one meaning on every library; the comment at each branch
says why the library's own way is taken.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .library import Array, library, namespace


def scatter(g: Array, key: Any, like: Array) -> Array:
    """Return zeros shaped like `like` with `g` added at `[key]`; repeated places add up.

    Args:
        g: array of the shape of `like[key]`.
        key: whatever `like` may be indexed with.
        like: gives the shape.
    """
    out = namespace(g).zeros_like(like, dtype=g.dtype)
    if is_basic(key):
        out[key] = g
    elif library(g) == "numpy":
        np.add.at(out, key, g)  # out[key] += g would count a repeated place once
    elif library(g) == "torch":
        index = key if isinstance(key, tuple) else (key,)
        out.index_put_(index, g, accumulate=True)
    else:
        raise TypeError("getitem: array_api_strict has gradients of slices and integers only; use take()")
    return out


def is_basic(key: Any) -> bool:
    keys = key if isinstance(key, tuple) else (key,)
    return all(k is None or k is Ellipsis or isinstance(k, (int, slice, np.integer)) for k in keys)


def scatter_rows(g: Array, rows: Array, like: Array) -> Array:
    """Return zeros shaped like `like` with row i of `g` added at row `rows[i]`.

    Args:
        g: array of shape (n, width).
        rows: integers of shape (n,).
        like: array of shape (table, width), gives the shape.
    """
    xp = namespace(g)
    if library(g) == "torch":
        return xp.zeros_like(like, dtype=g.dtype).index_add_(0, rows, g)
    # A matrix product with the one-hot rows: for the vocabularies of this book it beats np.add.at.
    hot = xp.astype(rows[None, :] == xp.arange(like.shape[0], dtype=rows.dtype)[:, None], g.dtype)
    return hot @ g  # (table, n) @ (n, width)
