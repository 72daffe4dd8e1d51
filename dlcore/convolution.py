"""Convolution: the same small weights at every place of an image (the chapter Interpretability uses it).

First the operation `conv2d`, from scratch: the neighbourhoods of all pixels are laid side by side, and one
matrix product does the rest. Then pooling; then the layers.

Images have shape (batch, channels, height, width). In memory the batch comes last, (channels, height, width,
batch): the inner loops then run over whole batches, and laying out a neighbourhood copies long rows. Only the
strides know of it; ensembles have one more axis in front of everything.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import init
from .arrays import Array, kernels, namespace
from .arrays.checks import check_whole
from .backprop import Tensor, primitive
from .layers import Module, parameter

__all__ = ["AvgPool2d", "Conv2d", "GlobalAvgPool", "MaxPool2d", "avg_pool2d", "conv2d", "max_pool2d"]


@primitive
def conv2d(x: Array, w: Array, b: Array, *, stride: int = 1, padding: int = 0) -> Any:
    """Return Σ_c Σ_i Σ_j w[o, c, i, j] · x[n, c, y·stride + i, x·stride + j] + b[o] at every place (y, x).

    As everywhere in the field it is a cross-correlation: the kernel is not flipped.
    Source: LeCun et al., "Gradient-based learning applied to document recognition", 1998, section II.

    Args:
        x: images, array of shape (n, channels, height, width); in ensembles (members, n, …).
        w: kernels, array of shape (out, channels, k, k); in ensembles (members, out, …).
        b: biases, array of shape (out,); in ensembles (members, out).
        stride: pixels from one place to the next.
        padding: zeros put around the image.

    Returns:
        array of shape (n, out, (height + 2·padding - k) // stride + 1, the same of width).

    Raises:
        ValueError: kernels that are not square or of other channels than the images; images smaller than a kernel.
    """
    if x.ndim != w.ndim or x.shape[-3] != w.shape[-3] or w.shape[-2] != w.shape[-1]:
        raise ValueError(
            "conv2d: expected images (n, channels, height, width) and square kernels (out, channels, k, k) with as "
            f"many axes and channels; received shapes {tuple(x.shape)} and {tuple(w.shape)}"
        )
    _check_pixels("conv2d", x, w.shape[-1] - 2 * padding)
    if kernels.has_convolution(x):
        return kernels.conv2d(x, w, b, stride, padding)
    xp, size = namespace(x), w.shape[-1]
    lead, out = w.shape[:-4], w.shape[-4]
    image = _batch_last(x, padding)  # (…, c, h + 2p, w + 2p, n)
    windows = _windows(image, size, stride)  # k·k arrays of shape (…, c, h', w', n)
    shape = windows[0].shape
    patches = xp.reshape(
        xp.stack(windows, axis=-4), (*lead, shape[-4] * size * size, -1)
    )  # (…, c·k·k, h'·w'·n)
    flat = xp.reshape(w, (*lead, out, -1))  # (…, out, c·k·k)
    value = xp.matmul(flat, patches)  # (…, out, h'·w'·n)
    value += b[..., None]

    def columns(g: Array) -> Array:
        return xp.reshape(xp.permute_dims(g, _to_batch_last(g)), (*lead, out, -1))

    def by_image(g: Array) -> Array:
        by_patches = xp.matmul(flat.mT, columns(g))
        shares = xp.reshape(by_patches, (*lead, shape[-4], size * size, *shape[-3:]))
        by_padded = kernels.zeros(image.shape, image)
        for i, window in enumerate(_windows(by_padded, size, stride)):  # each pixel was in many patches
            window += shares[..., i, :, :, :]
        inner = by_padded[..., padding : image.shape[-3] - padding, padding : image.shape[-2] - padding, :]
        return xp.permute_dims(inner, _to_batch_first(inner))

    return (
        xp.permute_dims(xp.reshape(value, (*lead, out, *shape[-3:])), _to_batch_first(image)),
        by_image,
        lambda g: xp.reshape(xp.matmul(columns(g), patches.mT), w.shape),
        lambda g: xp.sum(columns(g), axis=-1),
    )


def _to_batch_last(x: Array) -> tuple[int, ...]:
    """Return the axes that take (…, n, c, h, w) to (…, c, h, w, n)."""
    lead = x.ndim - 4
    return (*range(lead), lead + 1, lead + 2, lead + 3, lead)


def _to_batch_first(x: Array) -> tuple[int, ...]:
    """Return the axes that take (…, c, h, w, n) to (…, n, c, h, w)."""
    lead = x.ndim - 4
    return (*range(lead), lead + 3, lead, lead + 1, lead + 2)


def _batch_last(x: Array, padding: int) -> Array:
    """Return images as (…, c, h, w, n) in this order of memory, with zeros around them."""
    moved = namespace(x).permute_dims(x, _to_batch_last(x))
    if padding == 0 and getattr(getattr(moved, "flags", None), "c_contiguous", False):
        return moved  # a convolution before this one left it so
    *lead, height, width, n = moved.shape
    image = kernels.zeros((*lead, height + 2 * padding, width + 2 * padding, n), x)
    image[..., padding : padding + height, padding : padding + width, :] = moved
    return image


def _windows(image: Array, size: int, stride: int, axis: int = -3) -> list[Array]:
    """Return the views of `image` that a window's first, second, … pixel sees, sliding over two axes.

    Args:
        image: array whose `axis` and the next one are height and width.
        size: side of the window.
        stride: step of the window.
        axis: -3 for images with the batch last, -2 for images with the batch first.
    """
    height, width = (
        (image.shape[a] - size) // stride * stride + 1 for a in (axis, axis + 1)
    )  # pixels from the first place to the last
    rest = (slice(None),) * (-axis - 2)
    return [
        image[(..., slice(i, i + height, stride), slice(j, j + width, stride), *rest)]
        for i in range(size)
        for j in range(size)
    ]


def _check_pixels(name: str, x: Array, size: int) -> None:
    """Refuse images that not a single window fits into."""
    if min(x.shape[-2:]) < size:
        raise ValueError(
            f"{name}: expected images of at least {size} × {size} pixels; received shape {tuple(x.shape)}"
        )


# ----------------------------------------------------------------------------------------------- pooling


@primitive
def max_pool2d(x: Array, *, size: int, stride: int) -> Any:
    """Return the largest pixel of each window; the first of equals gets the gradient.

    Shapes: (…, height, width) → (…, (height - size) // stride + 1, the same of width).
    """
    _check_pixels("max_pool2d", x, size)
    xp = namespace(x)
    windows = _windows(x, size, stride, axis=-2)
    value = windows[0]
    for window in windows[1:]:
        value = xp.maximum(value, window)

    def pullback(g: Array) -> Array:
        g = kernels.laid_out_like(g, value)
        by_x = xp.zeros_like(x)
        # window - value is 0 for a winner, and less than this for all others
        just_below = -xp.finfo(x.dtype).smallest_normal
        for window, share in zip(windows, _windows(by_x, size, stride, axis=-2), strict=True):
            won = kernels.gate(g, window - value, just_below)
            if stride >= size:  # no pixel is in two windows
                share[...] = won
            else:
                share += won
            g = g - won  # nothing is left for a second one as large
        return by_x

    return value, pullback


@primitive
def avg_pool2d(x: Array, *, size: int, stride: int) -> Any:
    """Return the mean of the pixels of each window.

    Shapes: (…, height, width) → (…, (height - size) // stride + 1, the same of width).
    """
    _check_pixels("avg_pool2d", x, size)
    xp = namespace(x)
    windows = _windows(x, size, stride, axis=-2)
    total = windows[0]
    for window in windows[1:]:
        total = total + window

    def pullback(g: Array) -> Array:
        by_x, share = xp.zeros_like(x), kernels.laid_out_like(g, total) * (1 / size**2)
        for window in _windows(by_x, size, stride, axis=-2):
            window += share
        return by_x

    return total * (1 / size**2), pullback


# ------------------------------------------------------------------------------------------------ layers


class Conv2d(Module):
    """A bank of small kernels, each slid over all channels of an image.

    Args:
        in_channels: number of channels of the input.
        out_channels: number of kernels.
        kernel_size: side of a kernel, in pixels.
        stride: pixels from one place to the next.
        padding: zeros put around the image.
        rng: NumPy generator that draws the weights.
        weight_init: initializer of the kernels (see `init`).
        device: where the parameters live.
        dtype: their precision, "float32" or "float64".

    Shapes: (batch, in_channels, height, width) → (batch, out_channels, height', width'), where height' is
    (height + 2·padding - kernel_size) // stride + 1; weight (out_channels, in_channels, kernel_size, kernel_size).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        rng: np.random.Generator,
        stride: int = 1,
        padding: int = 0,
        weight_init: init.Initializer = init.he,
        device: str = "numpy",
        dtype: str = "float32",
    ) -> None:
        check_whole("Conv2d", in_channels=in_channels, out_channels=out_channels)
        check_whole("Conv2d", kernel_size=kernel_size, stride=stride)
        if padding < 0:
            raise ValueError(f"Conv2d: expected padding of 0 or more pixels; received {padding}")
        self.in_channels, self.kernel_size, self.stride, self.padding = (
            in_channels,
            kernel_size,
            stride,
            padding,
        )
        shape = (out_channels, in_channels, kernel_size, kernel_size)
        fans = {"fan_in": in_channels * kernel_size**2, "fan_out": out_channels * kernel_size**2}
        self.weight = parameter(weight_init(rng, shape, **fans), device, dtype)
        self.bias = parameter(np.zeros(out_channels), device, dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve."""
        _check_axes(self, x)
        return conv2d(x, self.weight, self.bias, stride=self.stride, padding=self.padding)

    def __repr__(self) -> str:
        out = self.weight.shape[-4]
        return f"Conv2d({self.in_channels}, {out}, {self.kernel_size}, stride={self.stride}, padding={self.padding})"


def _check_axes(layer: Module, x: Tensor) -> None:
    name = type(layer).__name__
    wanted = 4 if layer.members is None else 5
    if x.ndim != wanted:
        axes = (
            "(batch, channels, height, width)" if wanted == 4 else "(members, batch, channels, height, width)"
        )
        hint = (
            ". Images without an axis for channels need one: images[:, None]" if x.ndim == wanted - 1 else ""
        )
        raise ValueError(f"{name}: expected {axes}; received {x.shape}{hint}")


class MaxPool2d(Module):
    """The largest pixel of each window (Zhou and Chellappa, 1988; Ranzato et al., CVPR 2007).

    Args:
        kernel_size: side of a window.
        stride: step of the window; kernel_size if None.
    """

    def __init__(self, kernel_size: int, *, stride: int | None = None) -> None:
        stride = kernel_size if stride is None else stride
        check_whole("MaxPool2d", kernel_size=kernel_size, stride=stride)
        self.kernel_size, self.stride = kernel_size, stride

    def forward(self, x: Tensor) -> Tensor:
        """Pool."""
        _check_axes(self, x)
        return max_pool2d(x, size=self.kernel_size, stride=self.stride)

    def __repr__(self) -> str:
        return f"MaxPool2d({self.kernel_size}, stride={self.stride})"


class AvgPool2d(Module):
    """The mean of each window (LeCun et al., 1989).

    Args:
        kernel_size: side of a window.
        stride: step of the window; kernel_size if None.
    """

    def __init__(self, kernel_size: int, *, stride: int | None = None) -> None:
        stride = kernel_size if stride is None else stride
        check_whole("AvgPool2d", kernel_size=kernel_size, stride=stride)
        self.kernel_size, self.stride = kernel_size, stride

    def forward(self, x: Tensor) -> Tensor:
        """Pool."""
        _check_axes(self, x)
        return avg_pool2d(x, size=self.kernel_size, stride=self.stride)

    def __repr__(self) -> str:
        return f"AvgPool2d({self.kernel_size}, stride={self.stride})"


class GlobalAvgPool(Module):
    """The mean of each channel over the whole image (Lin, Chen and Yan, ICLR 2014).

    Shapes: (batch, channels, height, width) → (batch, channels).
    """

    def forward(self, x: Tensor) -> Tensor:
        """Average over height and width."""
        _check_axes(self, x)
        _check_pixels("GlobalAvgPool", x.data, 1)
        return x.mean(axis=(-2, -1))
