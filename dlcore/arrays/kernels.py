"""Kernels: the few computations that each library does best in its own way.

Everything here is a plain function on arrays with one meaning on every library; the comment at each branch
says why the library's own way is taken.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import fast_numpy
from .library import Array, library, namespace


def zeros(shape: tuple[int, ...], like: Array) -> Array:
    """Return zeros of the given shape, in the library, dtype and device of `like`."""
    if library(like) == "numpy":
        return np.zeros_like(like, shape=shape, order="C")  # unlike np.zeros, this is seen by a capture
    return namespace(like).zeros(shape, dtype=like.dtype, device=like.device)


def laid_out_like(g: Array, like: Array) -> Array:
    """Return `g` in the order of memory of `like`, an array of its shape: NumPy is slow where orders are mixed."""
    if library(g) != "numpy" or g.strides == like.strides:
        return g
    out = np.empty_like(like, dtype=g.dtype)
    out[...] = g
    return out


def affine(x: Array, w: Array, b: Array) -> Array:
    """Return x W + b for each row of x; shapes as in `dlcore.layers.affine`."""
    if type(x) is np.ndarray:
        return fast_numpy.affine(x, w, b)
    value = namespace(x).matmul(x, w)
    value += b if b.ndim == 1 else b[..., None, :]
    return value


def gate(g: Array, x: Array, above: float = 0.0) -> Array:
    """Return `g` where x > above and 0 elsewhere, for arrays of one shape."""
    name = library(g)
    if name == "numpy":
        return fast_numpy.gate(g, x, above)
    if name == "torch":  # made for ReLU's gradient: six times faster than a product with bools
        import torch

        return torch.ops.aten.threshold_backward.default(g, x, above)
    return g * namespace(g).astype(x > above, g.dtype)


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
    elif (
        library(g) == "torch"
    ):  # by the numbers of the places, which any key picks: lists, slices beside indices
        xp = namespace(g)
        places = xp.reshape(xp.arange(out.numel(), device=out.device), out.shape)[key]
        out.view(-1).index_put_((xp.reshape(places, (-1,)),), xp.reshape(g, (-1,)), accumulate=True)
    else:
        raise TypeError("getitem: array_api_strict has gradients of slices and integers only; use take()")
    return out


def is_basic(key: Any) -> bool:
    """Tell whether an index takes a view (integers and slices) rather than a copy (arrays of indices)."""
    keys = key if isinstance(key, tuple) else (key,)
    return all(k is None or k is Ellipsis or isinstance(k, (int, slice, np.integer)) for k in keys)


def scatter_rows(g: Array, rows: Array, like: Array) -> Array:
    """Return zeros shaped like `like` with row i of `g` added at row `rows[i]`.

    Args:
        g: array of shape (n, width).
        rows: integers of shape (n,), counted from the end if negative.
        like: array of shape (table, width), gives the shape.
    """
    xp = namespace(g)
    if library(g) == "torch":
        return xp.zeros_like(like, dtype=g.dtype).index_add_(0, rows, g)
    # A matrix product with the one-hot rows: for the vocabularies of this book it beats np.add.at.
    # Numbered in int64, since in uint8 row 259 would be row 3.
    rows = xp.astype(rows, xp.int64, copy=False) % like.shape[0]
    hot = xp.astype(rows[None, :] == xp.arange(like.shape[0], dtype=xp.int64)[:, None], g.dtype)
    return hot @ g  # (table, n) @ (n, width)


# -------------------------------------------------------------------------------- torch's own convolution
# On torch, convolution goes to torch's kernels (oneDNN, cuDNN), forward and backward. The function returns what
# a rule of dlcore.backprop returns: the value and one pullback for each array.


def has_convolution(x: Array) -> bool:
    """Tell whether the library of `x` brings a convolution of its own."""
    return library(x) == "torch"


def conv2d(x: Array, w: Array, b: Array, stride: int, padding: int) -> tuple[Any, ...]:
    """Return the convolution by torch's kernels; shapes as in `dlcore.convolution.conv2d`."""
    import torch

    backward = torch.ops.aten.convolution_backward.default
    members = None if w.ndim == 4 else w.shape[0]
    groups = members or 1  # the members of an ensemble are groups of channels
    images, kernels, bias = _fold_members(x, members), w.reshape(-1, *w.shape[-3:]), b.reshape(-1)
    value = torch.nn.functional.conv2d(images, kernels, bias, stride, padding, 1, groups)

    latest: list[Any] = [None, ()]  # torch computes all gradients at once: keep them for the other pullbacks

    def gradient(which: int, g: Array) -> Array:
        if latest[0] is not g:
            wanted = [which == 0, True, True]
            pair, size = [stride, stride], [padding, padding]
            folded = _fold_members(g, members)
            by = backward(
                folded, images, kernels, [len(bias)], pair, size, [1, 1], False, [0, 0], groups, wanted
            )
            latest[:] = g, by
        found: Array = latest[1][which]
        return found

    return (
        _unfold_members(value, members),
        lambda g: _unfold_members(gradient(0, g), members),
        lambda g: gradient(1, g).reshape(w.shape),
        lambda g: gradient(2, g).reshape(b.shape),
    )


def _fold_members(x: Array, members: int | None) -> Array:
    """Make members groups of channels: (members, n, c, h, w) → (n, members · c, h, w)."""
    return x if members is None else x.transpose(0, 1).reshape(x.shape[1], members * x.shape[2], *x.shape[3:])


def _unfold_members(x: Array, members: int | None) -> Array:
    return x if members is None else x.reshape(x.shape[0], members, -1, *x.shape[2:]).transpose(0, 1)
